// What the files of the case room share. Nothing outside src/case includes this.
#pragma once

#include "case/case.h"
#include "case/letter.h"

enum { CALENDARS_MAX = 256 }; // times the calendar is loaded anew while the program runs

struct CaseRoom {
    Store *store;
    Items *items;
    Arena *arena; // for what lives as long as the room
    Str data_dir, county, region, public_url;
    Str link_key;             // secret behind rating links
    int64_t calendar_seen;    // how often days had been loaded when it was read
    const Calendar *calendar; // read with __atomic_load_n; old ones stay until the room ends
    Arena *calendar_arenas[CALENDARS_MAX]; // old ones stay: a reader may hold them
    size_t calendar_arenas_count;
};

// Commands carry no context of their own; the process has one room.
extern CaseRoom *case_room;

// `e` is the Error of the call: TRY_E(errs, query_run(q, NULL, &e)).
#define TRY_E(errs, call)                                 \
    do {                                                  \
        Error e = {.status = OK};                         \
        if ((call) != OK) return errors_push((errs), &e); \
    } while (0)
#define TRY_S(call)                      \
    do {                                 \
        Status try_s_ = (call);          \
        if (try_s_ != OK) return try_s_; \
    } while (0)

enum { CASE_SAVED_COLUMNS = 12 }; // that a command may change, but for the texts

typedef struct CaseRow {
    int64_t id;
    Str number;
    int64_t item_id, item_version_id, unit_id, town_id, party_id, applicant_account_id, parent_id;
    Handling channel;
    CaseState state;
    CaseOutcome outcome;
    int64_t handler_id;
    Instant received_at, accepted_at, decided_at, delivered_at, closed_at; // 0: not yet
    int64_t promised_due_day, statutory_due_day, warn_day;                 // 0: none
    bool paused, overdue;
    Value answers; // {"situation": {…}, "answers": {…}}
    Value flow;    // state of the engine, null before acceptance
    Value clock;   // see case_clock.c
    int64_t revision;
    const Item *item;
    bool opening; // a child within the step of its parent that opens it
    int64_t stored[CASE_SAVED_COLUMNS]; // as the row has them: what is the same is not written
    Value stored_answers;
} CaseRow;

// flow_subscription.kind, flow_delivery.kind and the first of each pair in flow_json's "w"
typedef enum FlowThrown { THROWN_MESSAGE = 1, THROWN_SIGNAL = 2 } FlowThrown;
// The row was just read or written: `stored` is what the members say.
void case_is_stored(CaseRow *c);

// The case a command speaks of: input.id or input.number; checks input.revision when given.
MUST_USE Status case_load_input(Tx *tx, Value input, CaseRow *ret, Errors *errs);
MUST_USE Status case_load(Db *db, int64_t id, Arena *a, CaseRow *ret, Errors *errs);
MUST_USE Status case_load_number(Db *db, Str number, Arena *a, CaseRow *ret, Errors *errs);
Str case_number_make(Str region, Day day, int64_t id, Arena *a);
// Writes back what a command may change, counting `revision` up; CONFLICT if another did before.
MUST_USE Status case_save(Tx *tx, CaseRow *c, Errors *errs);
MUST_USE Status case_event(Tx *tx, const CaseRow *c, const Actor *actor, Str kind,
                           Handling handling, Value data, Errors *errs);
// Is it the actor's own (as applicant, or as the agent who applied)?
bool case_is_own(const CaseRow *c, const Actor *actor);
// Is the actor the applicant himself, not his agent?
bool case_is_self(const CaseRow *c, const Actor *actor);
// Applicants act online; everyone else at a window.
Handling actor_channel(const Actor *actor);
// Has the actor a task of the case, or could have: does he hold the post of one?
MUST_USE Status holds_a_task(Tx *tx, const CaseRow *c, const Actor *actor, bool *ret, Errors *errs);
// Refuses unless the case is in one of `states` (bits 1 << CaseState).
MUST_USE Status case_expect(const CaseRow *c, unsigned states, Errors *errs);
// A trimmed text of the input within NOTE_MAX; INVALID when it is required and empty.
MUST_USE Status text_of_input(Value input, Str name, Str label, bool required, Str *ret,
                              Errors *errs);
int64_t input_int(Value input, Str name);          // number or digits; 0 otherwise
bool input_bool(Value input, Str name);            // true, "true", "on", "1", "yes"
Value input_list(Value input, Str name, Arena *a); // a list, a list of the one value, or empty

// Clocks (case_clock.c)
Value clock_start(Day start, const Item *item, Arena *a);
void clock_apply(CaseRow *c, const Calendar *cal); // sets the due days from c->clock
Value clock_pause(Value clock, Day from, Str reason, Arena *a);
Value clock_resume(Value clock, Day to, Arena *a);
Value clock_extend(Value clock, int64_t days, Arena *a);
Value clock_view(const CaseRow *c, const Calendar *cal, Day today, Arena *a);
// Working days after `start` that fell into pauses; *open: one lasts.
int32_t clock_stopped(Value clock, const Calendar *cal, Day start, bool *open);

// Stops and restarts the clocks, with the letter and the event (case_life.c).
MUST_USE Status case_pause_clock(Tx *tx, CaseRow *c, const Actor *actor, Str reason, Errors *errs);
MUST_USE Status case_resume_clock(Tx *tx, CaseRow *c, const Actor *actor, Errors *errs);

// Flow (case_flow.c)
MUST_USE Status flow_begin(Tx *tx, CaseRow *c, const Actor *actor, Errors *errs);
MUST_USE Status flow_feed(Tx *tx, CaseRow *c, const Actor *actor, const FlowInput *input,
                          Errors *errs);
// The same for what follows from the act of another case: what the flow says against it is an
// incident of the case, and nothing when nobody waits any more.
MUST_USE Status flow_follow(Tx *tx, CaseRow *c, const Actor *actor, const FlowInput *input,
                            Errors *errs);
MUST_USE Status flow_stop(Tx *tx, CaseRow *c, const Actor *actor, Errors *errs);
// A child of `parent` in approval at once; `token` of the parent's flow is completed when the child
// is decided later (0: none). When *ret is decided already, that is the caller's to tell.
MUST_USE Status case_open_child(Tx *tx, const CaseRow *parent, const Item *item, int64_t party_id,
                                Value answers, const Actor *actor, int64_t token, CaseRow *ret,
                                Errors *errs);

// What the form may take as known instead of asking: applicant, situation, parameters,
// hide_steps (case_correction.c). `guide` is item_guide's for the situation; case_known_of asks it.
MUST_USE Status case_known(Db *db, const Item *item, int64_t party_id, Value situation, Value guide,
                           Arena *a, Value *ret, Error *err);
MUST_USE Status case_known_of(Db *db, const CaseRow *c, Instant now, Arena *a, Value *ret,
                              Error *err);
// The case's answers with those of `raw` over them, as form_check takes them: a field of which
// `raw` speaks is replaced whole. Personal ones that another than the applicant left empty stay.
Value correction_over(const CaseRow *c, const Actor *actor, Value raw, Arena *a);

// Letters with the models every letter gets (case_letter.c)
MUST_USE Status case_letter(Tx *tx, const CaseRow *c, const Actor *actor, Str kind, Value more,
                            Value *ret, Errors *errs);

// Materials (case_material.c)
MUST_USE Status materials_store(Tx *tx, const CaseRow *c, Value given, Value listed, Errors *errs);
// Rows of the case: [{id, code, name, state, file_hash, file_name, promised_day, note}].
MUST_USE Status materials_read(Db *db, int64_t case_id, Arena *a, Value *ret, Error *err);
// A later copy replaces what was missing, promised or rejected, in a correction (`any`) whatever
// was given. `given`: a code or {code, file_hash, file_name}.
MUST_USE Status material_give(Tx *tx, int64_t case_id, Value given, bool any, Errors *errs);
MUST_USE Status material_set(Tx *tx, int64_t case_id, Str code, Str name, MaterialState state,
                             int64_t promised_day, Str note, Errors *errs);

MUST_USE Status timer_set(Tx *tx, int64_t case_id, Str kind, int64_t token, Instant due,
                          Errors *errs);
// kind empty: all but deliveries, which say in the case's trail that they came too late; token 0:
// any
MUST_USE Status timers_clear(Tx *tx, int64_t case_id, Str kind, int64_t token, Errors *errs);
// A timer of the flow: `v` as in FLOW_SET_TIMER. INVALID when it is no moment.
MUST_USE Status timer_set_flow(Tx *tx, const CaseRow *c, Str node, int64_t token, Value v,
                               Errors *errs);
// Timers in working days stand still with the clocks, and are worked out again when they go on or
// the calendar changes.
// Reads the calendar again when another process has loaded days.
MUST_USE Status case_calendar_notice(CaseRoom *r, Store *s, bool *ret_changed, Error *err);
MUST_USE Status timers_hold(Tx *tx, int64_t case_id, Errors *errs);
MUST_USE Status timers_derive(Tx *tx, const CaseRow *c, int64_t *ret_changed, Errors *errs);
// Open ones of the case: [{node, name, due, held, days, derivation}].
MUST_USE Status timers_view(Db *db, const CaseRow *c, Arena *a, Value *ret, Error *err);
Instant day_end(Day d);                     // the last instant of a day in China

// The accept path shared by the clerk, an instant item online and the law's five days.
typedef struct Acceptance {
    Value tolerate; // codes
    Day start;      // first day of the clocks
    bool deemed;    // by law, because nobody told the applicant anything within five days
} Acceptance;
MUST_USE Status case_do_accept(Tx *tx, CaseRow *c, const Actor *actor, const Acceptance *how,
                               Errors *errs);
// Ends the case before a decision: withdrawn, terminated.
MUST_USE Status case_end(Tx *tx, CaseRow *c, const Actor *actor, CaseState state, Str event,
                         Str letter, Str reason, Handling handling, Errors *errs);
MUST_USE Status message_to_applicant(Tx *tx, const CaseRow *c, const char *text, const Str *args,
                                     size_t n, Errors *errs);

Status cmd_submit(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_supplement(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_message_read(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_draft_save(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_accept(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_correct(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_refuse(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_withdraw(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_pause(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_resume(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_extend(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_deliver(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_remark(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_message(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_look(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_open_file(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_export(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_case_archive(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_task_claim(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_task_release(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_task_delegate(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_task_return(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_task_complete(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_rate(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_revisit(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_case_migrate(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_incident_retry(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_incident_skip(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_incident_error(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_timer(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_derive(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_deem(Tx *, const Actor *, Value, Value *, Errors *);
