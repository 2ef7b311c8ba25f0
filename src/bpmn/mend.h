// What an operator of flows needs beside flow_step: to look at a running instance, and to mend it
// between two steps. Pure, like the engine.
#pragma once

#include "bpmn/bpmn.h"

// The effect by which the driver was told of the waiting `token`, worked out again with what the
// instance's variables and `facts` say now: FLOW_OPEN_TASK, FLOW_CALL_SERVICE or FLOW_SET_TIMER.
// CONFLICT when the token does not wait for the driver (any more); INVALID as in flow_step.
MUST_USE Status flow_effect_again(const Flow *f, Value state, int64_t token, Value facts,
                                  Instant now, Arena *a, FlowEffect *ret, Error *err);
// `base` with the members of `over`; contexts in both are merged member by member.
Value flow_merge(Value base, Value over, Arena *a);
// The state with `values` merged into the variables so; one that has not begun stays null.
Value flow_with_variables(Value state, Value values, Arena *a);
// The node an error speaks of by the id of a node or a sequence flow: its own id and name, or those
// of the node the sequence flow leaves. False: neither.
bool flow_place(const Flow *f, Str id, Str *ret_node, Str *ret_name);
// What the node is called in `lang`: its yz:name_en in English where it has one, else its name; ""
// when there is no such node.
Str flow_node_name(const Flow *f, Str node, Str lang);
// Is the node one that the driver completes by itself: a service, send or business rule task?
bool flow_is_automatic(const Flow *f, Str node);
