// Inside dmn/: the loaded model and an evaluation in progress.
#pragma once

#include "dmn/dmn.h"

enum {
    DMN_DEPTH_MAX = 60,        // nesting of boxed expressions, of types
    DMN_CHAIN_MAX = 200,       // decisions requiring decisions
    DMN_CALLS_MAX = 60,        // nested calls of business knowledge models and services
    DMN_COLUMNS_MAX = 200,     // inputs or outputs of one table
    DMN_NAMES_MAX = 20000,
    DMN_TYPES_MAX = 5000,
    DMN_DIAGNOSTICS_MAX = 200,
    DMN_FINDINGS_MAX = 500,
    DMN_TRACE_TABLES_MAX = 200, // tables told of in the trace of one decision
    DMN_TRACE_RULES_MAX = 50,   // rules told of in the trace of one table
};

typedef struct Boxed Boxed;
typedef struct Space Space;

// An expression as it stands in the XML. NULL expr with an error: could not be read (deferred).
typedef struct Text {
    const FeelExpr *expr;
    Str source;
    uint32_t line, column; // of the first character; of the fault when it could not be read
    Str error;
} Text;

// ---- types

typedef enum ItemKind { ITEM_ANY, ITEM_BASE, ITEM_REF, ITEM_STRUCT, ITEM_FUNCTION } ItemKind;
typedef struct ItemType {
    ItemKind kind;
    ValueKind base;             // ITEM_BASE
    bool collection;            // a list of what is said otherwise
    bool has_allowed, has_constraint;
    Str name;                   // for messages
    uint32_t line;
    Str ref;                    // ITEM_REF, until `of` is known
    struct ItemType *of;        // ITEM_REF; ITEM_FUNCTION: its result, may be NULL
    Str *names;                 // ITEM_STRUCT: members
    struct ItemType **members;
    uint32_t count;
    Text allowed;               // of the value, or of each item
    Text constraint;            // of the whole value
} ItemType;

// ---- tables

typedef enum HitPolicy {
    HIT_UNIQUE, HIT_ANY, HIT_PRIORITY, HIT_FIRST, HIT_RULE_ORDER, HIT_OUTPUT_ORDER, HIT_COLLECT,
    HIT_SUM, HIT_MIN, HIT_MAX, HIT_COUNT,
} HitPolicy;

typedef struct Input {
    Text text;
    Text values; // unary tests the input must pass
    Str label;
    const ItemType *type;
    bool has_values;
} Input;

typedef struct Output {
    Str name;
    Text values;  // a list: the order of priority
    Text checks;  // the same as unary tests
    Text otherwise;
    const ItemType *type;
    bool has_values, has_checks, has_otherwise;
} Output;

typedef struct Rule {
    Text *tests;   // one for each input
    Text *outputs; // one for each output
    Str id, note;  // the annotation
    uint32_t line;
} Rule;

typedef struct TableIndex TableIndex;

typedef struct Table {
    HitPolicy policy;
    Input *inputs;
    Output *outputs;
    Rule *rules;
    uint32_t inputs_count, outputs_count, rules_count;
    const TableIndex *index; // NULL: too few rules or none of its columns can be indexed
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
    const ItemType **types; // of context entries, parameters; may be NULL entries
    const ItemType *type; // of the expression itself; of a function its result
    Str variable;         // for, some, every
    bool external;        // a function that isn't FEEL
    Text text;
    Table *table;
    const Space *space;
};

// ---- the model

typedef enum NodeKind { NODE_INPUT, NODE_DECISION, NODE_KNOWLEDGE, NODE_SERVICE } NodeKind;

// Something required, and under which name it is seen: `path` of imports, then its own name.
typedef struct Need {
    struct Node *node;
    const Str *path;
    uint32_t path_count;
} Need;

typedef struct Node {
    NodeKind kind;
    Str id, name;
    uint32_t line;
    const ItemType *type; // of the variable; NULL: any
    const Boxed *logic;   // decision, knowledge model; may be NULL
    Need *needs;
    uint32_t needs_count;
    struct Node **outputs, **params; // of a service: decisions; inputs and then input decisions
    uint32_t outputs_count, params_count;
    const Str *param_names;
    const Space *space;
    uint8_t mark;
    uint32_t index;      // among all nodes of all files
} Node;

typedef struct Import {
    Str name, uri;
    Space *space; // NULL: not among the files
    uint32_t line;
} Import;

// One file: its names and types.
struct Space {
    Str file, uri, name;
    const struct Element *root;
    Import *imports;
    uint32_t imports_count;
    Node **nodes;
    uint32_t nodes_count;
    ItemType **types;
    uint32_t types_count;
};

struct DmnModel {
    Space **spaces; // the main file first
    uint32_t spaces_count;
    uint32_t nodes_count; // of all spaces
};

typedef struct Session {
    const DmnModel *model;
    Value input, given;
    Instant now;
    Arena *arena;
    Value *values;  // of inputs, decisions; of knowledge models and services as functions
    bool *done;
    const Node *node;        // being evaluated, for diagnostics
    const Node *top;         // the decision asked for
    Str inside;              // the knowledge model or service being run, for the trace
    ListBuilder trace, diagnostics;
    ListBuilder *rules;      // where the table of this decision notes its rows; NULL: nowhere
    ListBuilder *tables;     // where tables note what they did and why
    uint64_t steps;
    uint32_t calls;
    const FeelRun *run;      // the evaluation around what is being evaluated
} Session;

// ---- dmn_xml.c: an element tree in the arena, names without prefixes
typedef struct Element {
    Str name;
    Str text;            // of its text children, trimmed
    uint32_t line;
    uint32_t text_line;  // where the trimmed text begins
    Str *attr_names, *attr_values;
    uint32_t attrs_count;
    struct Element *first, *next; // children, sibling
} Element;
MUST_USE Status dmn_xml(Str xml, Arena *a, Element **ret, Error *err);
Str element_attr(const Element *e, const char *name); // empty when absent
const Element *element_child(const Element *e, const char *name);
uint32_t element_count(const Element *e, const char *name); // children of that name

// ---- dmn.c
typedef struct Loader {
    Arena *arena;
    Error *err;
    Status status;
    bool deferred;
    ListBuilder *findings; // not NULL: every fault is noted and loading goes on
    DmnModel *model;
    Space *space;    // the file being read
    Str element;     // what is being read, for findings: name or id
    Str *names;      // known names with blanks
    uint32_t names_count, names_cap;
    uint32_t rules_count, types_count;
} Loader;
// Refuses the model, or notes the fault when findings are gathered. False.
bool load_refuse(Loader *l, Status status, uint32_t line, const char *text, Str arg);
Str load_number(Loader *l, int64_t n); // for a message
MUST_USE Status load_set(Loader *l, const DmnFile *files, size_t count);
// A finding in words; its template and arguments go with it, so that it can be said in another
// language. `why`: what the first argument says in its turn, or NULL.
void finding_add(Loader *l, uint32_t line, uint32_t column, const char *severity, const Error *e,
                 const Error *why);
void finding_plain(Loader *l, uint32_t line, const char *severity, const char *text);
Node *node_find(const DmnModel *m, NodeKind kind, Str name); // in the main file

// ---- dmn_type.c
void load_types(Loader *l, Space *space);
void resolve_types(Loader *l, Space *space);
// A type by its reference, made when it is one of FEEL's own; NULL: any, or unknown (told).
const ItemType *type_of_ref(Loader *l, Str ref, uint32_t line);
// The value as `t` asks for it: as it is, as a list of one, out of a list of one, a date as a date
// and time; else null and a diagnostic that names `what`.
Value item_convert(Session *s, const ItemType *t, Value v, uint32_t line, Str what);
// Text is read as date, time or duration where the type says so; JSON has none.
Value item_read(Session *s, const ItemType *t, Value v);
// FeelRun's type_test; host: the Session.
bool session_type_test(void *host, Str name, Value v, bool *ret);
ItemType *space_type(const Space *space, Str ref);

// ---- dmn_boxed.c
// The boxed expression that is a child of `e`, or NULL (then check l->status).
const Boxed *load_boxed_child(Loader *l, const Element *e, uint32_t depth);
const Boxed *load_boxed(Loader *l, const Element *e, uint32_t depth);
bool is_boxed(const Element *e);
bool load_text(Loader *l, const Element *e, bool unary, Text *ret);
bool load_source(Loader *l, Str source, uint32_t line, bool unary, Text *ret);

// ---- dmn_table.c
Table *load_table(Loader *l, const Element *e);
Value table_eval(Session *s, const Table *t, const FeelScope *scope, uint32_t line);

// ---- dmn_index.c: the ends of a column's tests cut the line of its values into pieces: 2i + 1 is
// the point i, 2i the gap before it.
typedef struct Line {
    ValueKind kind;
    Value *points;     // sorted, all different
    uint32_t points_count;
} Line;
// False: the tests have no ends, or ends of several kinds or of one without an order.
bool line_make(const FeelTests *tests, uint32_t count, Arena *a, Line *ret);
uint32_t line_piece(const Line *c, Value v); // v of the line's kind
// The first and last piece of a range whose ends are points of the line; false: it is empty.
bool line_pieces(const Line *c, const Range *r, uint32_t *ret_low, uint32_t *ret_high);
const TableIndex *index_make(const Table *t, Arena *a);
// Which inputs' tests the index makes.
const bool *index_covered(const TableIndex *x);
// Rules that hold as far as those inputs go, ascending; false: the index can't tell, look at all.
bool index_find(const TableIndex *x, const Value *inputs, Arena *a, const uint32_t **ret,
                uint32_t *ret_count);

// ---- dmn_eval.c
Value text_eval(Session *s, const Text *t, const FeelScope *scope);
Value text_test(Session *s, const Text *t, const FeelScope *scope, Value input);
Value session_fail(Session *s, uint32_t line, const char *text, Str a, Str b, Str c);
Value boxed_eval(Session *s, const Boxed *b, const FeelScope *scope);
const FeelScope *scope_with(Session *s, const FeelScope *outer, Value variables);
Value one_entry(Session *s, Str name, Value v);
Value function_value(Session *s, const Boxed *b, const FeelScope *scope, Str self);

// ---- dmn_decide.c
Value node_value(Session *s, const Node *n);

// ---- dmn_check_table.c
void check_table(Loader *l, const Table *t, uint32_t line);
