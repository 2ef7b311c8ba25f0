// What the rules of check.h share: the files read, search by id, references, findings. Private to
// the check_*.c.
#pragma once

#include "bpmn/check.h"
#include "bpmn/document.h"

typedef struct CheckId {
    Str id;
    const DocumentNode *node; // the first that has it
} CheckId;

// A sequence flow or a message flow whose ends exist (or NULL).
typedef struct CheckEdge {
    const DocumentNode *flow, *source, *target;
    uint32_t next_out, next_in; // the next of the same source, of the same target; CHECK_NO_EDGE
} CheckEdge;

enum { CHECK_NO_EDGE = UINT32_MAX };

// What is known of an element, by its DocumentNode.order.
typedef struct CheckInfo {
    uint32_t first_out, first_in; // sequence flows from and to it
    uint32_t outs, ins;           // how many
    const DocumentNode *message_out, *message_in; // the first message flow from and to it
    const DocumentNode *boundary; // the first boundary event attached to it
    bool thrown_elsewhere; // an event definition that some eventDefinitionRef refers to
} CheckInfo;

typedef struct CheckFile {
    const FlowDocument *document;
    const DocumentNode *root;
    Str file;
    Str target;    // target namespace
    CheckId *ids;  // open addressing
    size_t ids_cap; // a power of two
    bool unresolved; // something it imports could not be read
    CheckEdge *edges; // sequence flows in document order
    size_t edges_count;
    CheckEdge *messages; // message flows
    size_t messages_count;
    CheckEdge *ties; // associations
    size_t ties_count;
    const DocumentNode **links; // link event definitions
    size_t links_count;
    CheckInfo *infos; // by DocumentNode.order
} CheckFile;

// Rules that compare many with many say how much they look at, so that no file takes for ever.
typedef struct CheckWork {
    uint64_t steps;       // elements looked at
    uint64_t sound_steps; // transitions tried by the walks of check_sound.c
} CheckWork;

typedef struct Check {
    Arena *arena;
    CheckWork *work;
    const FlowCheckOptions *options;
    FlowFindings *findings;
    CheckFile files[FLOW_IMPORTS_MAX]; // the checked one first
    size_t files_count;
    const CheckFile *file; // whose elements are being judged
} Check;

// False once the check has looked at more than FLOW_CHECK_STEPS_MAX: the rule must end.
static inline bool check_spend(const Check *c, size_t steps) {
    c->work->steps += steps;
    return c->work->steps <= FLOW_CHECK_STEPS_MAX;
}

// `rule` and `text` are literals; up to ERROR_ARGS Str follow.
#define check_error(c, node, rule, text, ...) \
    check_add((c), (node), S(rule), FLOW_FINDING_ERROR, "" text, (Str[ERROR_ARGS]){__VA_ARGS__})
#define check_warning(c, node, rule, text, ...) \
    check_add((c), (node), S(rule), FLOW_FINDING_WARNING, "" text, (Str[ERROR_ARGS]){__VA_ARGS__})
void check_add(Check *c, const DocumentNode *n, Str rule, FlowSeverity severity, const char *text,
               const Str args[ERROR_ARGS]);

// The element with that id in the file; NULL when there is none.
const DocumentNode *check_id(const CheckFile *f, Str id);

typedef enum CheckFound {
    CHECK_FOUND,
    CHECK_MISSING,
    CHECK_UNKNOWN, // in a file that could not be read
} CheckFound;

// What a QName written at `at` refers to, in this file or an imported one.
// The namespace a prefix means; see document_namespace.
bool check_namespace(const Check *c, const DocumentNode *n, Str prefix, Str *ret);
CheckFound check_resolve(const Check *c, const DocumentNode *at, Str qname,
                         const DocumentNode **ret, const CheckFile **ret_file);
// The same for an IDREF or an attribute or a child; NULL when there is nothing (or no reference).
const DocumentNode *check_ref(const Check *c, const DocumentNode *at, Str qname);
const DocumentNode *check_ref_attribute(const Check *c, const DocumentNode *n, Str attribute);
const DocumentNode *check_ref_child(const Check *c, const DocumentNode *n, MetaName child);

// The type of an element, as xsi:type says or else as its name does; NULL outside of BPMN.
const MetaType *check_type(const DocumentNode *n);
static inline bool check_is(const DocumentNode *n, MetaTypeId type) {
    return n && meta_derives(check_type(n), type);
}
Str check_text_id(const DocumentNode *n); // the id, or the element's name when it has none

// ---- the structure of a file, see check_index.c ------------------------------------------------

void check_index(Check *c, CheckFile *f); // after all files are read
static inline const CheckInfo *check_info(const Check *c, const DocumentNode *n) {
    return &c->file->infos[n->order];
}
// Sequence flows into and out of a node: those that name it and those it names, whichever are more.
size_t check_ins(const Check *c, const DocumentNode *n);
size_t check_outs(const Check *c, const DocumentNode *n);
size_t check_children(const Check *c, const DocumentNode *n, MetaName name); // how many
// Whether a child of that name has the text.
bool check_lists(const Check *c, const DocumentNode *n, MetaName child, Str text);

// The kinds of event definitions an event has, its own and those it refers to.
enum {
    DEF_MESSAGE = 1 << 0,
    DEF_TIMER = 1 << 1,
    DEF_CONDITIONAL = 1 << 2,
    DEF_SIGNAL = 1 << 3,
    DEF_ERROR = 1 << 4,
    DEF_ESCALATION = 1 << 5,
    DEF_CANCEL = 1 << 6,
    DEF_COMPENSATE = 1 << 7,
    DEF_LINK = 1 << 8,
    DEF_TERMINATE = 1 << 9,
    DEF_ALL = (1 << 10) - 1,
};
unsigned check_definitions(const Check *c, const DocumentNode *event);
// The process the element stands in, NULL when in none; whether that is to be executed.
const DocumentNode *check_process(const DocumentNode *n);
bool check_executable(const DocumentNode *n);
static inline bool check_is_event_subprocess(const DocumentNode *n) {
    return check_is(n, T_SUB_PROCESS) && document_flag(n, S("triggeredByEvent"), false);
}
// An expression that is one for people, not a FormalExpression.
bool check_is_informal(const DocumentNode *expression);
// The itemDefinition something is of: an item-aware element, a message, a signal, …; NULL: none.
const DocumentNode *check_item(const Check *c, const DocumentNode *n);
// The same, or with the same structure said.
bool check_items_equal(const DocumentNode *l, const DocumentNode *r);

// The families of rules, each over c->file.
void check_schema(Check *c);
void check_references(Check *c);
void check_activities(Check *c, const DocumentNode *n);
void check_collaborations(Check *c, const DocumentNode *n);
void check_data(Check *c, const DocumentNode *n);
void check_events(Check *c, const DocumentNode *n);
void check_gateways(Check *c, const DocumentNode *n);
void check_flows(Check *c, const DocumentNode *n);
void check_levels(Check *c, const DocumentNode *n);
void check_soundness(Check *c);
void check_imports_ids(Check *c); // EXT.002, over all files at once
