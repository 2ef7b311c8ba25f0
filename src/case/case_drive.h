// What the files that drive a flow share: one drive is one call of flow_feed and everything that
// follows from it in the same transaction. Private to case_flow.c, case_service.c,
// case_incident.c and case_signal.c.
//
// Whose fault is it when a step fails? What is wrong with the input of the one who acts is his: the
// command is refused, nothing is half done (`refused`). Everything else that goes wrong while the
// flow moves on by itself (an expression, a missing post, a service, a decision) is the flow's: the
// act stands, and the step that failed becomes an incident.
//
// The first run of a command takes no savepoint. When the flow fails in it, the store undoes the
// command and runs it once more (tx_run_carefully); then every input and every effect stands in a
// savepoint of its own, so a step that fails leaves nothing behind but its incident.
#pragma once

#include "case/case_internal.h"

enum { FLOW_INPUTS_MAX = 2000, FLOW_RECORDS_MAX = 2000, FLOW_QUEUE_MAX = 64 };

typedef enum IncidentKind { // incident.kind
    INCIDENT_INPUT = 1,  // the flow could not take an input: kept, to be fed again
    INCIDENT_EFFECT = 2, // a token waits, but what it asked for could not be done
} IncidentKind;
typedef enum IncidentState { // incident.state
    INCIDENT_RETRYING = 1,
    INCIDENT_STANDING = 2, // waits for an administrator
    INCIDENT_RESOLVED = 3,
    INCIDENT_CLOSED = 4, // nothing waits for it any more
} IncidentState;

typedef struct IncidentRow {
    int64_t id, case_id, token, attempts;
    IncidentKind kind;
    IncidentState state;
    Str node, name;
    Value input; // INCIDENT_INPUT: {kind, token, name, values}
} IncidentRow;

typedef struct Drive {
    Tx *tx;
    CaseRow *c;
    const Actor *actor;
    Errors *errs;
    Arena *arena;
    Value facts;
    FlowInput queue[FLOW_QUEUE_MAX]; // waiting inputs; a ring
    size_t head, tail, fed;
    ListBuilder records;
    Value waits;       // [[kind, name]…] in flow_subscription, or null
    int64_t incidents; // open ones of the case
    bool own_input;    // the input being taken is the caller's, not one that followed
    bool strict;       // and whatever the flow says against it is said to him
    bool refused;      // the fault is the caller's
    bool decided;
    const IncidentRow *again; // what is tried again in this drive, or NULL
    bool again_first;         // it is being tried now; later steps are others
    bool again_failed;        // it has failed again
    bool gone;                // nothing waits for it any more
} Drive;

// case_flow.c
MUST_USE Status drive_open(Tx *tx, CaseRow *c, const Actor *actor, Errors *errs, Drive *ret);
MUST_USE Status drive_enqueue(Drive *d, FlowInput in);
// The waiting token of `fx` is done.
MUST_USE Status drive_answer(Drive *d, const FlowEffect *fx, Value values);
MUST_USE Status drive_effect(Drive *d, const FlowEffect *fx); // carries one out
// Takes what is queued, and ends the drive.
MUST_USE Status drive_run(Drive *d);
// Enqueues, and runs; when the flow fails in the first run of a command, the command is run again.
MUST_USE Status drive_feed(Drive *d, const FlowInput *input);
void drive_set_state(Drive *d, Value state); // of the engine
// What expressions of the flow may read besides its variables.
MUST_USE Status case_facts(Db *db, const CaseRow *c, Day today, Arena *a, Value *ret,
                           Errors *errs);

// case_service.c
MUST_USE Status drive_service(Drive *d, const FlowEffect *fx);
MUST_USE Status drive_open_task(Drive *d, const FlowEffect *fx);

// case_signal.c
// Keeps flow_subscription in step with what the flow waits for.
MUST_USE Status drive_subscribe(Drive *d);
MUST_USE Status drive_throw_signal(Drive *d, const FlowEffect *fx);
MUST_USE Status drive_throw_message(Drive *d, const FlowEffect *fx);
MUST_USE Status drive_escalated(Drive *d, const FlowEffect *fx);
// The timer of delivery `id` is due.
MUST_USE Status delivery_fire(Tx *tx, CaseRow *c, const Actor *actor, int64_t id, Errors *errs);

// case_incident.c
// Variables of a flow that a person gives: a context, or one written in FEEL, {amount: 20 * 100}.
// Null when there is none. INVALID when it is something else, LIMIT beyond 64 KB.
MUST_USE Status values_of_input(Tx *tx, Value input, Str name, Value *ret, Errors *errs);
// Is it the flow's, not the machine's (disk full, busy)?
bool incident_fits(Status s);
MUST_USE Status incident_of_input(Drive *d, const FlowInput *in, const Errors *why);
MUST_USE Status incident_of_effect(Drive *d, const FlowEffect *fx, const Errors *why);
// Nothing waits any more for those of `token` (0: all of the case).
MUST_USE Status incidents_close(Drive *d, int64_t token);
// The timer of incident `id` is due.
MUST_USE Status incident_fire(Tx *tx, CaseRow *c, const Actor *actor, int64_t id, Errors *errs);
