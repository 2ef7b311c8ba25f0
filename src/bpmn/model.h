// The flow as the engine runs it: nodes and edges in arrays, expressions parsed, everything that
// can be decided from the model alone decided. Built once by load*.c and lint.c, then never
// changed, so threads share it. Private to this room.
//
// Node 0 is the main process; other processes follow it. A process is the parent of the nodes of
// its outermost scope and has NONE as its own parent, save node 0, which is its own. A node or
// edge is named by its place in the arrays; NONE means "none".
#pragma once

#include "bpmn/bpmn.h"

enum {
    FLOW_EDGES_MAX = 10000,
    FLOW_ID_MAX = 200,         // bytes of an element's id
    FLOW_NAME_MAX = 2000,      // bytes of a name
    FLOW_ATTRIBUTES_MAX = 40,  // yz:* attributes of one element
    FLOW_DEFINITIONS_MAX = 20, // event definitions of one event
    FLOW_LINKS_MAX = 100,      // data associations of one element
    FLOW_QUANTITY_MAX = 100,   // startQuantity, completionQuantity
    FLOW_XML_ELEMENTS_MAX = 200000,
    FLOW_POINTS_MAX = 200, // bends of one edge in the drawing
    FLOW_COORDINATE_MAX = 1000000,
};

#define NONE UINT32_MAX

typedef enum NodeKind {
    NODE_PROCESS,
    NODE_START,
    NODE_END,
    NODE_THROW, // with no event: a milestone
    NODE_CATCH,
    NODE_BOUNDARY,
    NODE_TASK, // abstract: over as it begins
    NODE_USER,
    NODE_MANUAL,
    NODE_SERVICE,
    NODE_SEND,
    NODE_RULE,
    NODE_RECEIVE,
    NODE_SCRIPT,
    NODE_CALL,       // of a process in this file; of a global task it is that task
    NODE_SUBPROCESS, // embedded, event, transaction, ad-hoc
    NODE_EXCLUSIVE,
    NODE_PARALLEL,
    NODE_INCLUSIVE,
    NODE_COMPLEX,
    NODE_EVENT_GATE, // event-based gateway
    NODE_KINDS,
} NodeKind;

typedef enum EventKind {
    EVENT_NONE,
    EVENT_TERMINATE,
    EVENT_TIMER,
    EVENT_MESSAGE,
    EVENT_SIGNAL,
    EVENT_CONDITIONAL,
    EVENT_ERROR,
    EVENT_ESCALATION,
    EVENT_COMPENSATION,
    EVENT_CANCEL,
    EVENT_LINK,
    EVENT_MULTIPLE, // of a node: it has several definitions
    EVENT_KINDS,
} EventKind;

typedef enum TimerKind { TIMER_DURATION, TIMER_DATE, TIMER_CYCLE, TIMER_WORKING_DAYS } TimerKind;

// When a timer is due, as written in ISO 8601 (or as FEEL gave it).
typedef struct Timer {
    TimerKind kind;
    Value value;     // duration or date; a cycle's interval; a number of working days
    Value start;     // a cycle's first instant, or null
    int64_t repeats; // -1: without end; 1 when it is no cycle
} Timer;

// An event definition.
typedef struct Event {
    EventKind kind;
    TimerKind timer_kind;
    Str id;
    Str name;             // message, signal, link; code of an error or escalation
    bool any;             // catches every error or escalation
    bool detached;        // compensation: the flow does not wait for it
    uint32_t activity;    // compensation: of this activity only, else NONE
    const FeelExpr *expr; // condition; timer that is not fixed
    Timer timer;          // when it is fixed
} Event;

typedef struct Attribute {
    Str name;             // without the prefix
    Str text;             // as written
    const FeelExpr *expr; // NULL: the text itself
} Attribute;

typedef struct Point {
    int32_t x, y;
} Point;

typedef struct Box {
    int32_t x, y, w, h; // w 0: not known
} Box;

typedef enum Behavior { BEHAVIOR_ALL, BEHAVIOR_NONE, BEHAVIOR_ONE, BEHAVIOR_COMPLEX } Behavior;

// complexBehaviorDefinition: an event thrown when an instance is done and the condition holds.
typedef struct Complex {
    const FeelExpr *condition;
    Event event;
} Complex;

// multiInstanceLoopCharacteristics, or standardLoopCharacteristics
typedef struct Multi {
    bool standard;
    bool sequential;
    bool test_before;            // standard
    int64_t maximum;             // standard: -1 when there is none
    const FeelExpr *condition;   // standard: goes on while it holds
    const FeelExpr *cardinality; // or
    const FeelExpr *input;       // a list: one instance for each member
    const FeelExpr *until;       // completionCondition
    Str item;                    // variable of one instance that holds its member
    Str result;                  // variable in each completion that is gathered …
    Str results;                 // … into this list, by place
    Behavior behavior;
    Event event; // behavior none and one
    Complex *complex;
    uint32_t complex_count;
} Multi;

// A data association. Its sources are read, put through the transformation or the assignments,
// and the result is written to the target.
typedef struct Assign {
    const FeelExpr *from;
    Str to; // path; empty: the target itself
} Assign;
typedef struct DataLink {
    Str source, target; // names; empty when there is none
    const FeelExpr *transformation;
    Assign *assigns;
    uint32_t assigns_count;
} DataLink;

typedef struct Node {
    NodeKind kind;
    EventKind event;   // of its definition; EVENT_MULTIPLE when it has several
    bool interrupting; // boundary, start of an event sub-process
    bool parallel;     // parallelMultiple; event-based gateway of that type
    bool instantiate;  // receive task, event-based gateway
    bool by_event;     // sub-process: an event sub-process
    bool transaction;
    bool adhoc;
    bool ordered;          // ad-hoc: sequential
    bool keep_remaining;   // ad-hoc: cancelRemainingInstances="false"
    bool by_hand;          // ad-hoc: yz:activation="manual"
    bool for_compensation; // isForCompensation
    bool compensable;      // its completion is kept: something may compensate it
    bool handles;          // sub-process: has a compensation event sub-process
    bool outside;          // waits for FLOW_COMPLETE
    bool isolated;         // call activity with data of its own
    bool called;           // drawn as a call activity
    uint32_t line;
    uint32_t process;  // process it stands in
    uint32_t parent;   // process or sub-process it stands in
    uint32_t host;     // boundary: the activity it is attached to
    uint32_t start;    // process, sub-process: its first none start event
    uint32_t fallback; // default edge
    uint32_t link;     // link event that throws: where it goes on
    uint32_t *linked;  // link event that catches: those that lead here
    uint32_t linked_count;
    uint32_t call;     // NODE_CALL: the process
    uint32_t handler;  // activity: what compensates it, by its boundary event
    uint32_t start_quantity, completion_quantity;
    Str id, name;
    Str name_en;        // yz:name_en, for drawing; empty when it has none
    uint32_t *in, *out; // edges, in document order
    uint32_t in_count, out_count;
    uint32_t *boundary; // boundary events on this activity
    uint32_t boundary_count;
    uint32_t arms;      // of these, those that wait for an event from outside
    uint32_t *entries;  // process, sub-process: nodes that begin with it, without a start event
    uint32_t entries_count;
    uint32_t *handlers; // process, sub-process: start events of its event sub-processes
    uint32_t handlers_count;
    Event *events;
    uint32_t events_count;
    Str *locals; // process, sub-process: names of its own data
    uint32_t locals_count;
    DataLink *inputs, *outputs;
    uint32_t inputs_count, outputs_count;
    const FeelExpr *condition; // complex gateway: activation; ad-hoc: completion
    const FeelExpr *script;
    Str script_text, script_format; // of a script that is not FEEL
    Str result; // yz:result: variable that takes the script's value
    const Multi *multi;
    Attribute *attributes;
    uint32_t attributes_count;
    Value fixed;      // the attributes when none is an expression, else null
    uint64_t **reach; // joins: for each incoming edge, the nodes it can be reached from
    Box box;          // from the file, else laid out
    Box label;        // of its name, from the file; w is 0 when it has none
    bool plain;       // exclusive gateway drawn without its sign
    bool collapsed;   // drawn without its inside
    bool hidden;      // stands in something drawn collapsed, or nowhere
} Node;

typedef struct Edge {
    Str id, name, name_en;
    uint32_t from, to;
    uint32_t line;
    const FeelExpr *condition; // NULL: always
    bool second;               // complex gateway: the condition asks for waitingForStart
    Point *points;
    uint32_t points_count;
    Box label;
} Edge;

typedef enum DecorKind {
    DECOR_POOL,
    DECOR_LANE,
    DECOR_DATA,       // data object, input, output
    DECOR_STORE,      // data store
    DECOR_ANNOTATION, // text
    DECOR_GROUP,
    DECOR_ACTIVITY, // of a process that is not run
    DECOR_EVENT,
    DECOR_GATEWAY,
    DECOR_MESSAGE,      // an envelope on a line
    DECOR_CONVERSATION,
    DECOR_MESSAGE_FLOW, // lines
    DECOR_CONVERSATION_LINK,
    DECOR_ASSOCIATION,
    DECOR_SEQUENCE_FLOW, // of a process that is not run
} DecorKind;

// Only drawn.
typedef struct Decor {
    DecorKind kind;
    Str id, name;
    Box box; // shapes
    Box label;
    bool horizontal, thick, arrow, arrow_back, many;
    bool closed; // a pool whose process is not shown
    Point *points; // lines
    uint32_t points_count;
} Decor;

struct Flow {
    Arena *arena;
    Node *nodes;
    uint32_t nodes_count;
    Edge *edges;
    uint32_t edges_count;
    uint32_t *processes; // their nodes, the main one first
    uint32_t processes_count;
    bool *executable; // by place in `processes`
    Decor *decor;
    uint32_t decor_count;
    bool has_locals; // some scope has data of its own
    uint32_t *slots; // ids of nodes by hash, open addressing; NONE: empty
    uint32_t slots_mask;
    uint32_t *edge_slots;
    uint32_t edge_slots_mask;
};

static inline bool node_is_task(const Node *n) {
    return n->kind >= NODE_TASK && n->kind <= NODE_SCRIPT;
}
static inline bool node_is_activity(const Node *n) {
    return n->kind >= NODE_TASK && n->kind <= NODE_SUBPROCESS;
}
static inline bool node_is_gateway(const Node *n) {
    return n->kind >= NODE_EXCLUSIVE && n->kind <= NODE_EVENT_GATE;
}
static inline bool node_is_scope(const Node *n) {
    return n->kind == NODE_PROCESS || n->kind == NODE_CALL || n->kind == NODE_SUBPROCESS;
}
// The process or sub-process whose nodes live in the scope that this node opens.
static inline uint32_t node_inside(const Flow *f, uint32_t node) {
    return f->nodes[node].kind == NODE_CALL ? f->nodes[node].call : node;
}
static inline bool event_is_armed(EventKind e) {
    return e == EVENT_TIMER || e == EVENT_MESSAGE || e == EVENT_SIGNAL || e == EVENT_CONDITIONAL;
}

uint32_t flow_node(const Flow *f, Str id); // NONE when there is none
uint32_t flow_edge(const Flow *f, Str id);
// The BPMN element's local name: "userTask".
Str node_element(const Node *n);
// "timer", "message", "signal", "terminate", … ; "" for none.
Str event_name(EventKind e);

// timer.c: ISO 8601 durations, dates, and repeating intervals. False: it is none.
MUST_USE bool timer_parse(Str text, Arena *a, Timer *ret);
// What FLOW_SET_TIMER says when it is set at `now`.
Value timer_due(const Timer *t, Instant now, Arena *a);
// What FEEL gave for a timer of that kind. False: it is no time.
MUST_USE bool timer_from(TimerKind kind, Value v, Arena *a, Timer *ret);

// lint.c: rules that need the whole model; and what the engine wants prepared.
MUST_USE Status flow_lint(Flow *f, Error *err);
// layout.c: gives every node a box and every edge its points when the file brought none.
void flow_layout(Flow *f);
