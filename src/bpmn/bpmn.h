// Flows (OMG BPMN 2.0.2 XML). Pure: model + state + input → state + effects. The engine knows no
// database, no clock and no people: whoever drives it keeps the state (a Value), carries out
// the effects and tells it what happened.
//
// What the engine does not know in a model it refuses at loading, by element and rule; it never
// skips over it.
#pragma once

#include "feel/feel.h"

typedef struct Flow Flow;

enum {
    FLOW_SIZE_MAX = 8 << 20,
    FLOW_NODES_MAX = 5000,
    FLOW_TOKENS_MAX = 1000,   // live tokens of one instance
    FLOW_STEPS_MAX = 10000,   // moves in one flow_step
};

// Loads and lints the first executable process. Error.where is "line" or "element id".
MUST_USE Status flow_load(Str xml, Arena *a, const Flow **ret, Error *err);

// Attributes of a task that the driver acts on come from the element's own namespace
// xmlns:yz="urn:yizhan:flow:1": yz:post (FEEL or text: the post that gets the task), yz:unit (FEEL
// or text: unit code), yz:days (working days of this task), yz:form, yz:actions (comma list of
// outcomes), yz:clock="stop" (the case's clock stops while the task is open, with yz:reason),
// yz:service (name of a service of the driver), yz:letter. A value that begins with '=' is FEEL.
typedef enum FlowEffectKind {
    FLOW_OPEN_TASK,   // user or manual task became active: node, token
    FLOW_CLOSE_TASK,  // withdrawn by an interrupting event or a terminated scope: token
    FLOW_CALL_SERVICE, // service / send / business rule task: the driver answers with
                       // FLOW_COMPLETE, now or later
    FLOW_SET_TIMER,   // token, `value` is a duration or a date-time
    FLOW_CLEAR_TIMER, // token
    FLOW_RECORD,      // passed a node: for the drawing of where the case stands
    FLOW_ENDED,       // the instance is complete; node is the end event reached last
} FlowEffectKind;

typedef struct FlowEffect {
    FlowEffectKind kind;
    Str node;        // element id
    Str name;        // element name
    int64_t token;   // identifies the open task or timer within the instance
    Value attributes; // FLOW_OPEN_TASK, FLOW_CALL_SERVICE: yz:* attributes evaluated, a context
    Value value;
} FlowEffect;

typedef enum FlowInputKind {
    FLOW_START,    // state is null; `values` are the variables to start with
    FLOW_COMPLETE, // token's task or service is done; `values` are merged into the variables
    FLOW_TIMER,    // token's timer is due
    FLOW_MESSAGE,  // `name`: a message or signal arrived; `values` merged where it is caught
    FLOW_CANCEL,   // end the whole instance (withdrawal); closes every open task
} FlowInputKind;

typedef struct FlowInput {
    FlowInputKind kind;
    int64_t token;
    Str name;
    Value values;
    Value facts; // more names the expressions may read (answers, item, applicant …), not kept in
                 // the state: whoever drives the engine has them anyway
} FlowInput;

typedef struct FlowStep {
    Value state;           // opaque, JSON-able: {"n":next token,"t":[tokens…],"v":{variables}…}
    FlowEffect *effects;
    size_t effects_count;
    bool ended;
    bool stuck; // only joins wait, for tokens that can't come: a fault of the model
} FlowStep;

// Runs until nothing can move. CONFLICT when the token is not waiting (done already, cancelled),
// INVALID when a condition could not be decided (names the sequence flow). Nothing is changed on
// failure. Results live in `a` and may share parts of `state`, the input's values and the flow.
// FLOW_MESSAGE goes to the token that waits longest for a message of that name and to all that
// wait for a signal of that name; `token`, when not 0, narrows it to one. `values` of FLOW_TIMER
// are merged too. FLOW_CANCEL ends without FLOW_ENDED, which only a flow that ran to its end has.
MUST_USE Status flow_step(const Flow *f, Value state, const FlowInput *input, Instant now,
                          Arena *a, FlowStep *ret, Error *err);
Value flow_variables(Value state);

// Nodes in document order, for drawing and for checking a pack: {id, name, kind, attributes,
// bounds{x,y,w,h}}; edges {id, name, from, to, points}. From the diagram interchange when present.
Value flow_outline(const Flow *f, Arena *a);
// An SVG of the flow: nodes done, active (open tokens) and to come told apart by shape and word,
// labels as text, a title and a description for those who can't see it. `records`: a list of the
// ids of nodes passed. `state` may be null: nothing begun. The ids flow-title and flow-desc in it
// make it one to a page.
MUST_USE Status flow_draw(const Flow *f, Value state, Value records, Str lang, Arena *a, Str *ret,
                          Error *err);
