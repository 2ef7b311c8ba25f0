// Inside dmn/: the loaded model and an evaluation in progress.
#pragma once

#include "dmn/dmn.h"

enum {
    DMN_DEPTH_MAX = 60,        // nesting of boxed expressions
    DMN_CHAIN_MAX = 200,       // decisions requiring decisions
    DMN_CALLS_MAX = 60,        // nested calls of business knowledge models
    DMN_COLUMNS_MAX = 200,     // inputs or outputs of one table
    DMN_NAMES_MAX = 20000,
    DMN_DIAGNOSTICS_MAX = 200,
};

typedef struct Boxed Boxed;

// An expression as it stands in the XML. NULL expr with an error: could not be read (deferred).
typedef struct Text {
    const FeelExpr *expr;
    uint32_t line;
    Str error;
} Text;

typedef enum HitPolicy {
    HIT_UNIQUE, HIT_ANY, HIT_PRIORITY, HIT_FIRST, HIT_RULE_ORDER, HIT_OUTPUT_ORDER, HIT_COLLECT,
    HIT_SUM, HIT_MIN, HIT_MAX, HIT_COUNT,
} HitPolicy;

typedef struct Output {
    Str name;
    Text values;  // a list: the order of priority
    Text otherwise;
    bool has_values, has_otherwise;
} Output;

typedef struct Rule {
    Text *tests;   // one for each input
    Text *outputs; // one for each output
} Rule;

typedef struct Table {
    HitPolicy policy;
    Text *inputs;
    Output *outputs;
    Rule *rules;
    uint32_t inputs_count, outputs_count, rules_count;
} Table;

typedef enum BoxedKind {
    BOXED_TEXT, BOXED_TABLE, BOXED_CONTEXT, BOXED_INVOCATION, BOXED_LIST, BOXED_FUNCTION,
    BOXED_IF, BOXED_FOR, BOXED_SOME, BOXED_EVERY, BOXED_FILTER,
} BoxedKind;

struct Boxed {
    BoxedKind kind;
    uint32_t line;
    uint32_t count;       // kids
    const Boxed **kids;   // NULL entries: nothing there
    Str *names;           // context entries (empty: the result), bindings, parameters
    Str variable;         // for, some, every
    bool external;        // a function that isn't FEEL
    Text text;
    Table *table;
};

typedef struct Node {
    Str id, name;
    uint32_t line;
    Str type;            // typeRef of the variable, without prefix
    const Boxed *logic;  // decision, knowledge model; may be NULL
    struct Node **inputs, **decisions, **knowledge; // required
    uint32_t inputs_count, decisions_count, knowledge_count;
    uint8_t mark;
    uint32_t index;      // among its kind
} Node;

struct DmnModel {
    Node **inputs, **decisions, **knowledge;
    uint32_t inputs_count, decisions_count, knowledge_count;
    const FeelExpr *to_date, *to_time, *to_date_time, *to_duration; // of the name "v"
};

typedef struct Session {
    const DmnModel *model;
    Value input;
    Instant now;
    Arena *arena;
    Value *values;  // of decisions
    bool *done;
    Value *functions; // knowledge models, once made
    const Node *node;        // being evaluated, for diagnostics
    ListBuilder trace, diagnostics;
    ListBuilder *rules;      // where the table of this decision notes its rows; NULL: nowhere
    uint64_t steps;
    uint32_t calls;
} Session;

// ---- dmn_xml.c: an element tree in the arena, names without prefixes
typedef struct Element {
    Str name;
    Str text;            // of its text children, trimmed
    uint32_t line;
    Str *attr_names, *attr_values;
    uint32_t attrs_count;
    struct Element *first, *next; // children, sibling
} Element;
MUST_USE Status dmn_xml(Str xml, Arena *a, Element **ret, Error *err);
Str element_attr(const Element *e, const char *name); // empty when absent
const Element *element_child(const Element *e, const char *name);

// ---- dmn_boxed.c
typedef struct Loader {
    Arena *arena;
    Error *err;
    Status status;
    bool deferred;
    Str *names;      // known names with blanks
    uint32_t names_count, names_cap;
    uint32_t rules_count;
} Loader;
bool load_refuse(Loader *l, Status status, uint32_t line, const char *text, Str arg);
// The boxed expression that is a child of `e`, or NULL (then check l->status).
const Boxed *load_boxed_child(Loader *l, const Element *e, uint32_t depth);
const Boxed *load_boxed(Loader *l, const Element *e, uint32_t depth);
bool is_boxed(const Element *e);
bool load_text(Loader *l, const Element *e, bool unary, Text *ret);

// ---- dmn_table.c
Table *load_table(Loader *l, const Element *e);
Value table_eval(Session *s, const Table *t, const FeelScope *scope, uint32_t line);

// ---- dmn_eval.c
Value text_eval(Session *s, const Text *t, const FeelScope *scope);
Value text_test(Session *s, const Text *t, const FeelScope *scope, Value input);
Value session_fail(Session *s, uint32_t line, const char *text, Str arg);
Value boxed_eval(Session *s, const Boxed *b, const FeelScope *scope);
