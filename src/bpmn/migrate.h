// A running instance moves to another version of its flow. Pure: state, two flows and a mapping
// give a state of the new flow and what the driver has to do, or every reason why not.
//
// A token keeps its id, so tasks, timers and children that wait for it stay what they are. It moves
// to the node of the mapping, else to the one of the same id, and only where it fits: the same kind
// of node (user and manual, and the automatic kinds among themselves, are one), the same event, the
// same way of being done several times, in the sub-process its own scope moves to. No token is
// ever lost: one that has no place is a refusal that names it. What waits beside an activity
// (boundary events, event sub-processes) is kept where the new version has it, withdrawn where it
// has not, and begins to wait where it is new; a timer that fired already does not come again.
//
// Nothing moves on by itself: feed FLOW_FACTS afterwards, so that conditions and joins of the new
// version are decided.
#pragma once

#include "bpmn/bpmn.h"

typedef struct FlowMigrated {
    Value state;
    FlowEffect *effects; // FLOW_SET_TIMER, FLOW_CLEAR_TIMER
    size_t effects_count;
    Value moved; // [{token, role, from, to}] of all that stood somewhere: role "task", "service",
                 // "event", "scope", "join"
} FlowMigrated;

// `mapping`: a context {id of a node: id of a node}, or null. `timers_again`: timers are worked out
// anew from now; otherwise they stay as they were set. INVALID with one error for each token that
// has no place; Error.where is the id of its node. A state that has not begun, or is over, is
// returned as it is.
MUST_USE Status flow_migrate(const Flow *from, Value state, const Flow *to, Value mapping,
                             bool timers_again, Value facts, Instant now, Arena *a,
                             FlowMigrated *ret, Errors *errs);

// For each node of `from` at which a token can stand: {from, name, kind, to, choices: [{id, name}],
// same}: `to` is the node that would be taken without a mapping, or one of the same kind and name,
// or empty; `choices` are those of `to` that fit; `same`: it is the one of the same id.
Value flow_mapping(const Flow *from, const Flow *to, Arena *a);
