// The simulation (重演): drives a stretch of the county's business through the same commands as
// every clerk and citizen, on a clock that it moves itself.
//
// A scenario (county/scenarios/NAME.json) says how much of what; the plan gives each case its
// arrival, its kind and its later acts, drawn with a fixed seed so that every run is the same and
// quotas are met exactly: out of n cases still to be planned, k of which must be of a kind, the
// next is one with probability k/n. The run pops what is due, in order of its simulated time, and
// hands it to the store in batches; the next act of a case is planned when the last one was
// answered.
#pragma once

#include "figures/figures.h"
#include "house.h"

enum {
    SIM_BATCH_MAX = 1024,        // commands handed over at once
    SIM_FOLLOW_MS = 120 * 60000, // simulated time between an act and the next of its case, at least
    SIM_ITEMS_MAX = 4000,
    SIM_CASES_MAX = 5000000,
    SIM_PACKS_MAX = 8,
    SIM_TOWNS_MAX = 64,
    SIM_POSTS_MAX = 1000,
};

typedef enum SimKind {
    SIM_NORMAL,
    SIM_CORRECTION, // asked to complete, completes
    SIM_EXPIRED,    // asked to complete, never does
    SIM_REFUSED,
    SIM_WITHDRAWN_BEFORE, // before acceptance
    SIM_WITHDRAWN_AFTER,
    SIM_TOLERATED, // a material promised and brought
    SIM_BROKEN,    // promised and not brought
    SIM_OPEN,      // not decided at the end
} SimKind;

typedef enum SimStep {
    STEP_SUBMIT,
    STEP_ACCEPT,
    STEP_REFUSE,
    STEP_CORRECT,
    STEP_SUPPLEMENT,
    STEP_WITHDRAW,
    STEP_TASK,
    STEP_DELIVER,
    STEP_RATE,
    STEP_NONE,
} SimStep;

typedef struct SimSample { // how applications of an item are filled in
    Str item;
    Value situation, answers, materials, tasks;
    Str tolerates; // the material that may follow
    bool people, companies;
    int64_t share_permille;
} SimSample;

typedef struct SimItem {
    Str code;
    int64_t unit_id;
    bool instant;
    uint64_t weight_to; // cumulative, for drawing
    int32_t promised_days;
    const SimSample *sample;
} SimItem;

typedef struct SimCase {
    Instant submit_at;
    int64_t id;       // of the case, once submitted
    int64_t due_day;  // promised, once accepted
    uint32_t party;   // index; companies count from `people`
    int32_t paid_fen; // of the bundle
    uint16_t item;
    uint8_t kind;  // SimKind
    uint8_t next;  // SimStep
    uint8_t grade; // 0: does not rate
    uint8_t town;  // index + 1; 0: none
    uint8_t tasks_done;
    bool delivers : 1, window : 1, overdue : 1, decided : 1, bundle : 1, window_rate : 1;
} SimCase;

typedef struct Scenario {
    Value raw;
    Str name;
    Day from, to;
    uint64_t seed;
    int64_t people, companies;
    SimSample generic, bundle, packs[SIM_PACKS_MAX];
    size_t packs_count;
    Str towns[SIM_TOWNS_MAX];
    int64_t town_weights[SIM_TOWNS_MAX];
    size_t towns_count;
} Scenario;

typedef struct SimPlan {
    const Scenario *scenario;
    SimItem *items;
    size_t items_count, instant_first; // instant ones are behind
    uint64_t promised_weight, all_weight;
    SimCase *cases; // in order of arrival
    size_t cases_count;
} SimPlan;

MUST_USE Status scenario_read(Str name, Arena *a, Scenario *ret, Error *err);
int64_t scenario_number(const Scenario *s, const char *group, const char *name);
// Draws every case of the scenario over the items the store has. In `a`.
MUST_USE Status sim_plan(const Scenario *s, Db *db, const Calendar *cal, Arena *a, SimPlan *ret,
                         Error *err);
// What a person or company of the simulation is: {kind, name, id_number, phone}. Numbers have right
// check characters and belong to nobody.
Value sim_party(const Scenario *s, uint32_t index, bool bundle, Arena *a);
// The answers of a sample with its "@…" filled in.
Value sim_fill(Value sample, const SimCase *c, const Scenario *s, Value party, Day today, Arena *a);

typedef struct SimResult {
    int64_t cases, commands;
    double seconds;
    double first_tenth, last_tenth; // cases submitted a second
    // The same in commands, for a case of the last tenth comes with more acts of earlier ones: a
    // second, and microseconds of processors for each, which the machine's other work hardly moves.
    double first_tenth_commands, last_tenth_commands;
    double first_tenth_command_cpu_us, last_tenth_command_cpu_us;
    int64_t memory_peak_kb;
} SimResult;
MUST_USE Status sim_run(House *h, const SimPlan *p, bool quiet, SimResult *ret, Error *err);

// A small generator with a seed (SplitMix64): the same numbers on every machine.
uint64_t sim_random(uint64_t *state);
static inline uint64_t sim_below(uint64_t *state, uint64_t n) {
    return n ? sim_random(state) % n : 0;
}
