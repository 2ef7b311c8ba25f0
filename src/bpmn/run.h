// What the files of the engine share. Private to this room.
//
//   run.c            inputs, the queue, entering and leaving nodes
//   run_data.c       expressions and data
//   run_token.c      tokens, scopes and their end
//   run_activity.c   activities, loops, sub-processes
//   run_event.c      waiting for events and what they set off
//   run_throw.c      events thrown; errors and escalations looking for who catches them
//   run_compensate.c compensation and transactions
//   run_join.c       joins that depend on what can still come
#pragma once

#include "bpmn/state.h"

#include <assert.h>

enum { FLOW_WORK_MAX = 5000000 }; // looks at tokens in one step, for joins and events

typedef enum MoveKind {
    MOVE_DROPPED, // its scope has ended
    MOVE_EDGE,    // a token travels the edge `at`
    MOVE_ENTER,   // the node `at` begins without a token having come to it
    MOVE_NEXT,    // the loop `scope` begins its next instance
    MOVE_THROW,   // the node `at` throws
} MoveKind;

typedef struct Move {
    MoveKind kind;
    uint32_t at;
    int64_t scope;
} Move;

typedef struct Queue {
    Move *moves; // [at, count) are still to do
    size_t at, count, cap;
} Queue;

typedef struct Run {
    const Flow *flow;
    Arena *arena;
    Error *err;
    Instant now;
    State state;
    FeelScope facts; // of the input: seen behind the variables, never kept
    Queue moves;     // done first
    Queue throws;    // signals, when nothing moves: whoever is on his way to wait has arrived
    FlowEffect *effects;
    size_t effects_count, effects_cap;
    size_t steps, work, live;
    size_t joins;      // tokens at inclusive and complex gateways
    size_t conditions; // tokens that wait for a condition
    bool dirty;        // data changed since conditions were decided
    bool changed;      // data changed in this step
    bool emptied;      // some scope may have nothing left in it
} Run;

static inline const Node *node_of(const Run *r, uint32_t node) { return &r->flow->nodes[node]; }
static inline Str node_label(const Node *n) { return n->name.len ? n->name : n->id; }

// The array with room for one more.
void *run_grow(Run *r, void *items, size_t count, size_t *cap, size_t size);
Str run_number(Run *r, int64_t n);
FlowEffect *run_effect(Run *r, FlowEffectKind kind, uint32_t node, int64_t token);

// run_data.c
// False: it could not be evaluated (null with a diagnostic); *ret_why then says why. `own`, a
// context or null, comes before everything else; `scope` is a token, 0 the process.
bool run_evaluate(Run *r, const FeelExpr *e, int64_t scope, Value own, Value *ret, Str *ret_why);
MUST_USE Status run_decide(Run *r, uint32_t edge, int64_t scope, Value own, bool *ret);
// A condition of an event: null is false, for what it asks of may not be known yet.
bool run_holds(Run *r, const FeelExpr *e, int64_t scope);
MUST_USE Status run_attributes(Run *r, uint32_t node, int64_t scope, Value *ret);
// The data inputs of a node as a context, null when it declares none.
MUST_USE Status run_inputs(Run *r, uint32_t node, int64_t scope, Value *ret);
// What it gives: by its output associations when it has any, else all of it by name.
MUST_USE Status run_outputs(Run *r, uint32_t node, int64_t scope, Value values);
Value run_get(Run *r, int64_t scope, Str name); // null when there is none
void run_set(Run *r, int64_t scope, Str name, Value v);
MUST_USE Status run_merge(Run *r, int64_t scope, Value values);

// run_token.c
MUST_USE Status token_make(Run *r, uint32_t node, TokenRole role, int64_t scope, Token **ret);
void token_remove(Run *r, Token *t);
// Withdraws it and all that lives in it or waits beside it; the driver is told.
void token_kill(Run *r, Token *t);
// Everything that lives in the scope ends, newest first; `keep_done`: what is done stays known.
void scope_kill(Run *r, int64_t scope, bool keep_done);
// What waits beside an activity or an event for an event.
void token_disarm(Run *r, int64_t host);
// A token that is over becomes a record for compensation.
void token_done(Run *r, Token *t);
MUST_USE Status run_move(Run *r, Queue *q, MoveKind kind, uint32_t at, int64_t scope);
// The move's own part in keeping its scope alive is over.
void token_moved(Run *r, int64_t scope);
static inline Token *run_token(Run *r, int64_t id) { return state_token(&r->state, id); }

// run.c
MUST_USE Status run_enter(Run *r, uint32_t node, int64_t scope, uint32_t edge);
MUST_USE Status run_leave(Run *r, uint32_t node, int64_t scope);
// A complex gateway leaves for the first time, or (`again`) when it is reset.
MUST_USE Status run_leave_complex(Run *r, uint32_t node, int64_t scope, bool again);

// run_activity.c
MUST_USE Status run_activity(Run *r, uint32_t node, int64_t scope);
// Tells the driver that the task or service of `token` is to be done.
MUST_USE Status run_task_effect(Run *r, uint32_t node, int64_t token);
MUST_USE Status run_next_instance(Run *r, int64_t body);
// The work of the activity's token is done; `values` are what it gives.
MUST_USE Status run_activity_end(Run *r, int64_t token, Value values);
// A process, sub-process or call begins inside of `token`; `start`: at this start event, or NONE.
MUST_USE Status run_scope_begin(Run *r, uint32_t node, int64_t token, Value inputs,
                                uint32_t start);
// An event sub-process begins by its start event.
MUST_USE Status run_handler(Run *r, uint32_t start, int64_t scope, int64_t record);
MUST_USE Status run_empty(Run *r, bool *ret_moved);
MUST_USE Status run_activate(Run *r, const FlowInput *in);

// run_event.c
// Sets the timer of a token; *ret_left: how often it will fire.
MUST_USE Status run_timer(Run *r, uint32_t node, uint32_t event, int64_t token, int64_t scope,
                          int64_t *ret_left);
// Makes the events of a boundary event, a start of an event sub-process or a catching event wait
// beside `host`. A condition that holds already sets it off at once.
MUST_USE Status run_arm(Run *r, uint32_t node, int64_t host, int64_t scope, bool *ret_fired);
MUST_USE Status run_catch(Run *r, uint32_t node, int64_t scope);
MUST_USE Status run_event_gate(Run *r, uint32_t node, int64_t scope);
// What the token waits for has happened.
MUST_USE Status run_trigger(Run *r, int64_t token, Value values);
// A message reaches the one that has waited longest, a signal all who wait now. `only`: a token.
MUST_USE Status run_deliver(Run *r, EventKind kind, Str name, int64_t only, Value values,
                            size_t *ret_caught);
MUST_USE Status run_conditions(Run *r);
// A process begins by an event; `by`: the name of its message or signal.
MUST_USE Status run_start(Run *r, const FlowInput *in);

// run_throw.c
MUST_USE Status run_throw(Run *r, uint32_t node, int64_t scope);
MUST_USE Status run_end(Run *r, uint32_t node, int64_t scope);
MUST_USE Status run_throw_now(Run *r, uint32_t node, int64_t scope);
MUST_USE Status run_throw_message(Run *r, uint32_t node, int64_t scope, Str name);
// An event that a multi-instance activity throws when an instance is done.
MUST_USE Status run_throw_behavior(Run *r, const Event *e, int64_t body);
// The task of `token` ends in an error.
MUST_USE Status run_error(Run *r, int64_t token, Str code, Value values);

// run_compensate.c
MUST_USE Status run_compensate(Run *r, uint32_t node, int64_t scope, const Event *e);
MUST_USE Status run_cancel(Run *r, uint32_t node, int64_t scope);
// What compensates has nothing running: the next, or it is over.
MUST_USE Status run_compensate_next(Run *r, int64_t token);

// run_join.c
MUST_USE Status run_join(Run *r, uint32_t node, int64_t scope, uint32_t edge);
MUST_USE Status run_joins(Run *r, bool *ret_fired);
