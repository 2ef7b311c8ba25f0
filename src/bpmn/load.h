// Between the files that read a model. Private to this room.
//
//   load.c          the whole: declarations, processes, nodes and edges, references
//   load_node.c     attributes and children of a node
//   load_event.c    event definitions
//   load_activity.c loops, scripts, data associations
//   drawing.c       the diagram interchange
#pragma once

#include "bpmn/xml.h"

// What an id declared outside of the flow stands for.
typedef enum NamedKind {
    NAMED_MESSAGE,
    NAMED_SIGNAL,
    NAMED_ERROR,
    NAMED_ESCALATION,
    NAMED_OPERATION,  // name: its message
    NAMED_DEFINITION, // an event definition at the top, for eventDefinitionRef
    NAMED_DATA,
    NAMED_GLOBAL, // a global task
} NamedKind;

typedef struct Named {
    Str id, name;
    NamedKind kind;
    const xmlNode *element;
} Named;

// References of a node, as text until all nodes are known.
typedef struct NodeRefs {
    Str host, fallback, call;
    const xmlNode *element;
} NodeRefs;

typedef struct EdgeRefs {
    Str from, to;
} EdgeRefs;

typedef struct Load {
    Flow *flow;
    Arena *arena;
    Error *err;
    Named *named;
    uint32_t named_count, named_cap;
    uint32_t *named_slots;
    uint32_t named_mask;
    NodeRefs *node_refs;
    EdgeRefs *edge_refs;
    uint32_t nodes_cap, edges_cap;
    uint32_t process; // the one being read
    bool drawing;     // only to be drawn: what could not be run is passed over, not refused
} Load;

// `text` has the element's name as {1} and its id as {2}. OK when the flow is only to be drawn,
// unless a limit is passed: callers go on without what they asked for.
#define refuse(l, e, text) model_refuse((l), (e), INVALID, "" text)
Status model_refuse(Load *l, const xmlNode *e, Status status, const char *text);
bool model_one_of(Str s, const Str *names, size_t count);
#define IS_ONE_OF(s, names) model_one_of((s), (names), sizeof(names) / sizeof *(names))

// FEEL, with or without a '=' before it. Only told that it is there when the flow is to be drawn.
MUST_USE Status model_expression(Load *l, const xmlNode *e, Str source, const FeelExpr **ret);
// The same from an element's text; another expression language is refused.
MUST_USE Status model_expression_element(Load *l, const xmlNode *e, const FeelExpr **ret);
const Named *model_named(const Load *l, Str id, NamedKind kind);
// Name of the data that a reference stands for; the reference itself when it stands for nothing.
Str model_data_name(const Load *l, Str ref);
// An attribute yz:<name> of the element, empty when absent.
Str model_yz(Load *l, const xmlNode *e, Str name);
// A whole number between low and high, `otherwise` when absent.
MUST_USE Status model_number(Load *l, const xmlNode *e, Str name, int64_t low, int64_t high,
                            int64_t otherwise, int64_t *ret);

// load_node.c
NodeKind model_kind(Str local); // NODE_KINDS: none
bool model_means_nothing(Str local);
MUST_USE Status model_node(Load *l, const xmlNode *e, Node *n, NodeRefs *refs);
MUST_USE Status model_attributes(Load *l, const xmlNode *e, Node *n);
MUST_USE Status model_id(Load *l, const xmlNode *e, Str *ret_id, Str *ret_name);
// Names of the data that a process or sub-process declares as its own.
MUST_USE Status model_locals(Load *l, const xmlNode *e, Node *n);
// A call activity of a global task becomes that task.
MUST_USE Status model_global(Load *l, const Named *global, Node *n);

// load_event.c
MUST_USE Status model_events(Load *l, const xmlNode *e, Node *n);
MUST_USE Status model_event(Load *l, const xmlNode *e, Event *ret);
// Message of a task: its messageRef, or that of its operation. Empty when it has none.
Str model_message(Load *l, const xmlNode *e);

// load_activity.c
MUST_USE Status model_multi(Load *l, const xmlNode *e, Node *n);
MUST_USE Status model_loop(Load *l, const xmlNode *e, Node *n);
MUST_USE Status model_script(Load *l, const xmlNode *e, Node *n);
MUST_USE Status model_data(Load *l, const xmlNode *e, Node *n);

// drawing.c
// Boxes and points from the diagram interchange (BPMN 2.0.2, 12.2) where it has them. What is
// wrong in a drawing is left out: it never stops a flow from being loaded. `only`: what the
// file does not draw stays undrawn; otherwise layout.c finds a place for it.
void flow_read_drawing(Flow *f, const xmlNode *definitions, bool only, Arena *a);
