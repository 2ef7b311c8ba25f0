// The flow as the engine runs it: nodes and edges in arrays, expressions parsed, everything that
// can be decided from the model alone decided. Built once by load.c and lint.c, then never
// changed, so threads share it. Private to this room.
//
// Node 0 is the process itself; it is the parent of the nodes of the outermost scope. A node or
// edge is named by its place in the arrays; NONE means "none".
#pragma once

#include "bpmn/bpmn.h"

enum {
    FLOW_EDGES_MAX = 10000,
    FLOW_ID_MAX = 200,        // bytes of an element's id
    FLOW_NAME_MAX = 2000,     // bytes of a name
    FLOW_ATTRIBUTES_MAX = 40, // yz:* attributes of one element
    FLOW_XML_ELEMENTS_MAX = 200000,
    FLOW_POINTS_MAX = 200, // bends of one edge in the drawing
    FLOW_COORDINATE_MAX = 1000000,
};

#define NONE UINT32_MAX

typedef enum NodeKind {
    NODE_PROCESS,
    NODE_START,
    NODE_END,
    NODE_THROW, // none event in the middle: a milestone
    NODE_CATCH,
    NODE_BOUNDARY,
    NODE_USER,
    NODE_MANUAL,
    NODE_SERVICE,
    NODE_SEND,
    NODE_RULE,
    NODE_RECEIVE,
    NODE_SCRIPT,
    NODE_SUBPROCESS,
    NODE_EXCLUSIVE,
    NODE_PARALLEL,
    NODE_INCLUSIVE,
    NODE_EVENT_GATE, // event-based gateway
    NODE_KINDS,
} NodeKind;

typedef enum EventKind {
    EVENT_NONE,
    EVENT_TERMINATE,
    EVENT_TIMER,
    EVENT_MESSAGE,
    EVENT_SIGNAL,
} EventKind;

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

// multiInstanceLoopCharacteristics
typedef struct Multi {
    bool sequential;
    const FeelExpr *cardinality; // or
    const FeelExpr *input;       // a list: one instance for each member
    const FeelExpr *until;       // completionCondition
    Str item;                    // variable of one instance that holds its member
    Str result;                  // variable in each completion that is gathered …
    Str results;                 // … into this list, by place
} Multi;

typedef struct Node {
    NodeKind kind;
    EventKind event;
    bool interrupting; // boundary
    uint32_t line;
    uint32_t parent;   // process or sub-process it stands in
    uint32_t host;     // boundary: the activity it is attached to
    uint32_t start;    // process, sub-process: its start event
    uint32_t fallback; // default edge
    Str id, name;
    Str name_en;        // yz:name_en, for drawing; empty when it has none
    uint32_t *in, *out; // edges, in document order
    uint32_t in_count, out_count;
    uint32_t *boundary; // boundary events on this activity
    uint32_t boundary_count;
    const FeelExpr *timer;
    Str message; // name of the message or signal
    const FeelExpr *script;
    Str result; // yz:result: variable that takes the script's value
    const Multi *multi;
    Attribute *attributes;
    uint32_t attributes_count;
    Value fixed;      // the attributes when none is an expression, else null
    uint64_t **reach; // inclusive join: for each incoming edge, the nodes it can be reached from
    Box box;          // from the file, else laid out
} Node;

typedef struct Edge {
    Str id, name, name_en;
    uint32_t from, to;
    uint32_t line;
    const FeelExpr *condition; // NULL: always
    Point *points;
    uint32_t points_count;
} Edge;

// A pool or lane: only drawn.
typedef struct Lane {
    Str id, name;
    Box box;
} Lane;

struct Flow {
    Arena *arena;
    Node *nodes;
    uint32_t nodes_count;
    Edge *edges;
    uint32_t edges_count;
    Lane *lanes;
    uint32_t lanes_count;
    uint32_t *slots; // ids of nodes by hash, open addressing; NONE: empty
    uint32_t slots_mask;
    uint32_t *edge_slots;
    uint32_t edge_slots_mask;
};

static inline bool node_is_task(const Node *n) {
    return n->kind >= NODE_USER && n->kind <= NODE_SCRIPT;
}
static inline bool node_is_activity(const Node *n) {
    return n->kind >= NODE_USER && n->kind <= NODE_SUBPROCESS;
}
static inline bool node_is_gateway(const Node *n) {
    return n->kind >= NODE_EXCLUSIVE && n->kind <= NODE_EVENT_GATE;
}
// Waits for FLOW_COMPLETE.
static inline bool node_is_completed_from_outside(const Node *n) {
    return n->kind >= NODE_USER && n->kind <= NODE_RULE;
}

uint32_t flow_node(const Flow *f, Str id); // NONE when there is none
uint32_t flow_edge(const Flow *f, Str id);
// The BPMN element's local name: "userTask".
Str node_element(const Node *n);
// "timer", "message", "signal", "terminate", "".
Str event_name(EventKind e);

// lint.c: rules that need the whole model; and what the engine wants prepared.
MUST_USE Status flow_lint(Flow *f, Error *err);
// layout.c: gives every node a box and every edge its points when the file brought none.
void flow_layout(Flow *f);
