// Loading a county: calendar, units and people, packs, catalogue; all through commands, so that
// each load is an event. What `yizhan load`, `yizhan init --demo` and the tests call.
#pragma once

#include "case/case.h"

enum { LOAD_CHUNK = 200, LOAD_MEMORY_MAX = 512 << 20 };

// `what` is a Chinese text; `done` of `all` steps.
typedef void (*LoadProgress)(void *ctx, const char *what, int64_t done, int64_t all);

typedef struct Loader {
    Store *store;
    CaseRoom *room;
    Arena *arena;          // for results and faults
    LoadProgress progress; // may be NULL
    void *ctx;
} Loader;

// A list of year files (calendar.h); the room's calendar is read again.
MUST_USE Status load_calendar(const Loader *l, Value years, Errors *errs);
MUST_USE Status load_people(const Loader *l, Value county, Value *ret_report, Errors *errs);
// All or none. `names` stand before the places of faults. `examples`: run them first; one that
// fails refuses the pack. *ret: a list of {code, name, version, unchanged}.
MUST_USE Status load_packs(const Loader *l, const Str *names, const Value *files, size_t count,
                           bool examples, Value *ret, Errors *errs);
// *ret: {loaded, unchanged, units_made, bad: [{line, where, text, args}]}. Bad lines are no errors
// of the load. Commits every LOAD_CHUNK lines, so a catalogue that was interrupted is loaded again.
MUST_USE Status load_catalogue(const Loader *l, Str text, bool json, Value *ret, Errors *errs);

// What stands in the binary: the calendar always; with `demo` also county/people.json, packs/ and
// county/catalogue.csv. *ret_report: {years, people, packs, catalogue}.
MUST_USE Status county_load(Store *s, CaseRoom *r, bool demo, Arena *a, Value *ret_report,
                            Errors *errs);
// Does packs/NAME stand in the binary as an item of its own? The generic pack doesn't.
size_t county_packs(Arena *a, Str **ret_folders);
