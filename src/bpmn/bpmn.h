// Flows (OMG BPMN 2.0.2 XML). Pure: model + state + input → state + effects. The engine knows no
// database, no clock and no people: whoever drives it keeps the state (a Value), carries out
// the effects and tells it what happened.
//
// What the engine does not know in a model it refuses at loading, by element and rule; it never
// skips over it.
//
// A file is one Flow. It may hold several processes (pools that send each other messages, parts
// that call activities use); an instance runs one of them and says in its state which. Instances
// know nothing of each other: what one throws to the outside is an effect, and the driver carries
// it to those that wait for it.
#pragma once

#include "feel/feel.h"

typedef struct Flow Flow;

enum {
    FLOW_SIZE_MAX = 8 << 20,
    FLOW_NODES_MAX = 5000,     // of all processes of a file
    FLOW_TOKENS_MAX = 1000,    // tokens of one instance
    FLOW_STEPS_MAX = 10000,    // moves in one flow_step
    FLOW_INSTANCES_MAX = 1000, // of one multi-instance activity
    FLOW_CALLS_MAX = 20,       // call activities inside each other
    FLOW_STATE_MAX = 1 << 20,  // bytes, about, of the variables of one instance
};

// Loads and lints every executable process, and those that they call. The first executable one is
// the main process. Error.where is "line" or "element id".
MUST_USE Status flow_load(Str xml, Arena *a, const Flow **ret, Error *err);
// The same, and what breaks a rule of the standard is refused too, though the engine could run it
// (check.h, with `loading`). The text names the element and the rule.
MUST_USE Status flow_load_checked(Str xml, Arena *a, const Flow **ret, Error *err);
// Only to be drawn (flow_draw, with a null state or one of the same file's flow): every process of
// the file, executable or not, and whatever could not be run. INVALID when it is no BPMN at all.
MUST_USE Status flow_load_drawing(Str xml, Arena *a, const Flow **ret, Error *err);

// The processes that were loaded, the main one first, as a list of contexts
//   {id, name, executable, starts: [{id, event, name, timer, repeats}…]}
// `starts` are the events other than none by which an instance may begin (start events, receiving
// tasks and events after gateways that instantiate): `event` is "message", "signal", "timer",
// "conditional" or "multiple", `name` that of the message or signal, `timer` what FLOW_SET_TIMER
// would say, `repeats` how often it fires (-1: without end). To start by a conditional event, try
// FLOW_START with its id: CONFLICT while its condition does not hold.
Value flow_processes(const Flow *f, Instant now, Arena *a);

// Attributes of a task that the driver acts on come from the element's own namespace
// xmlns:yz="urn:yizhan:flow:1": yz:post (FEEL or text: the post that gets the task), yz:unit (FEEL
// or text: unit code), yz:days (working days of this task), yz:form, yz:actions (comma list of
// outcomes), yz:clock="stop" (the case's clock stops while the task is open, with yz:reason),
// yz:service (name of a service of the driver), yz:letter. A value that begins with '=' is FEEL.
typedef enum FlowEffectKind {
    FLOW_OPEN_TASK,   // user or manual task became active: node, token; or an ad-hoc sub-process
                      // with yz:activation="manual", which waits for FLOW_ACTIVATE (`value`: list
                      // of the ids it may be given) and is over at its condition or FLOW_COMPLETE
    FLOW_CLOSE_TASK,  // withdrawn by an interrupting event or a terminated scope: token
    FLOW_CALL_SERVICE, // service / send / business rule task, script that is not FEEL (attributes
                       // `script` and `format`): the driver answers with FLOW_COMPLETE or
                       // FLOW_ERROR, now or later
    FLOW_SET_TIMER,   // token, `value` is a duration, a date, a date-time or, from yz:workingDays,
                      // {"working_days": n}. A cycle sets its timer again each time it fired.
    FLOW_CLEAR_TIMER, // token
    FLOW_RECORD,      // passed a node: for the drawing of where the case stands
    FLOW_ENDED,       // the instance is complete; node is the end event reached last
    FLOW_THROW_MESSAGE, // node sends the message `name` with `value` (its data inputs, or null):
                        // for one instance that waits for it, or to start one
    FLOW_THROW_SIGNAL,  // the same for a signal; within this instance it is delivered already, the
                        // driver carries it to all others
    FLOW_ESCALATED,     // node threw the escalation with the code `name`, and nobody caught it
    FLOW_FAILED,        // the instance is over by the error `name`, thrown at node and not caught
} FlowEffectKind;

typedef struct FlowEffect {
    FlowEffectKind kind;
    Str node;        // element id
    Str name;        // element name; of a message or signal its name, of an error its code
    int64_t token;   // identifies the open task or timer within the instance
    Value attributes; // FLOW_OPEN_TASK, FLOW_CALL_SERVICE: yz:* attributes evaluated, a context
    Value value;      // see above; FLOW_OPEN_TASK, FLOW_CALL_SERVICE: its data inputs, or null
} FlowEffect;

typedef enum FlowInputKind {
    FLOW_START,    // state is null; `values` are the variables to start with. `process`: which one
                   // (empty: the main one). `name`: id of a start event, or name of the message or
                   // signal that starts it (empty: its none start event)
    FLOW_COMPLETE, // token's task or service is done; `values` are merged into the variables
    FLOW_TIMER,    // token's timer is due
    FLOW_MESSAGE,  // a message `name` arrived; `values` merged where it is caught
    FLOW_CANCEL,   // end the whole instance (withdrawal); closes every open task
    FLOW_SIGNAL,   // a signal `name` was thrown somewhere else
    FLOW_ERROR,    // token's task or service ended with the BPMN error code `name`
    FLOW_FACTS,    // what `facts` says has changed: conditional events are decided again
    FLOW_ACTIVATE, // token's ad-hoc sub-process begins its activity with the id `name`
} FlowInputKind;

typedef struct FlowInput {
    FlowInputKind kind;
    int64_t token;
    Str name;
    Str process; // FLOW_START
    Value values;
    Value facts; // more names the expressions may read (answers, item, applicant …), not kept in
                 // the state: whoever drives the engine has them anyway
} FlowInput;

typedef struct FlowStep {
    Value state;           // opaque, JSON-able: {"n":next token,"t":[tokens…],"v":{variables}…}
    FlowEffect *effects;
    size_t effects_count;
    bool ended;
    bool failed; // ended, by FLOW_FAILED
    bool stuck;  // only joins wait, for tokens that can't come: a fault of the model
} FlowStep;

// Runs until nothing can move. CONFLICT when the token is not waiting (done already, cancelled) or
// nobody waits for the message or signal, INVALID when a condition could not be decided (names the
// sequence flow), LIMIT when a maximum would be passed (named). Nothing is changed on failure.
// Results live in `a` and may share parts of `state`, the input's values and the flow.
// FLOW_MESSAGE goes to the token that waits longest for a message of that name, FLOW_SIGNAL to all
// that wait for it; `token`, when not 0, narrows it to one. `values` of every input are merged.
// FLOW_CANCEL ends without FLOW_ENDED, which only a flow that ran to its end has.
MUST_USE Status flow_step(const Flow *f, Value state, const FlowInput *input, Instant now,
                          Arena *a, FlowStep *ret, Error *err);
Value flow_variables(Value state);
// Id of the process the instance runs.
Str flow_process(const Flow *f, Value state);

// Can its instances wait for a message or a signal at all?
bool flow_listens(const Flow *f);
// What the instance waits for, a list of contexts {token, node, kind, name} in the order in which
// it came to wait: kind "task", "service", "timer", "message", "signal", "conditional", "adhoc".
MUST_USE Status flow_waiting(const Flow *f, Value state, Arena *a, Value *ret, Error *err);

// Nodes in document order, for drawing and for checking a pack: {id, name, kind, attributes,
// bounds{x,y,w,h}}; edges {id, name, from, to, points}; variables, the names the flow declares or
// writes itself. From the diagram interchange when present.
Value flow_outline(const Flow *f, Arena *a);
// An SVG of the flow: nodes done, active (open tokens) and to come told apart by shape and word,
// labels as text, a title and a description for those who can't see it. `records`: a list of the
// ids of nodes passed. `state` may be null: nothing begun. The ids flow-title and flow-desc in it
// make it one to a page.
MUST_USE Status flow_draw(const Flow *f, Value state, Value records, Str lang, Arena *a, Str *ret,
                          Error *err);
