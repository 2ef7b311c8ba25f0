// Inside feel/: the tree, the parser's state, the evaluator's state, and what the files of this
// room share. Nobody outside includes it.
#pragma once

#include "feel/feel.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { VALUE_LEFT_OUT = 1 };

enum {
    FEEL_EVAL_DEPTH_MAX = 2000, // nested evaluations, so that the C stack is bounded
    FEEL_ARGS_MAX = 1000,       // arguments of one call
    FEEL_NAME_MAX = 500,        // bytes of one name
    FEEL_PATTERN_MAX = 4096,    // bytes of a regular expression
    FEEL_MATCH_LIMIT = 1000000, // PCRE2's backtracking steps in one match
    FEEL_PARAMS_MAX = 30,       // parameters of one function
};

typedef enum NodeOp {
    N_LITERAL, // as.value
    N_NAME,    // name
    N_INPUT,   // ?
    N_PATH,    // kids[0] . name
    N_FILTER,  // kids[0] [ kids[1] ]
    N_ADD, N_SUB, N_MUL, N_DIV, N_POW, N_NEG,
    N_AND, N_OR,
    N_EQ, N_NE, N_LT, N_LE, N_GT, N_GE,
    N_BETWEEN,    // kids[0] between kids[1] and kids[2]
    N_IN,         // kids[0] in kids[1..]; a kid is a test (see N_TEST_*) or an expression
    N_INSTANCE,   // kids[0] instance of as.type
    N_IF,         // kids 0 1 2
    N_FOR,        // as.names[i] over kids[i]; the last kid is the body
    N_SOME, N_EVERY,
    N_LIST,       // kids
    N_CONTEXT,    // as.names[i]: kids[i]
    N_RANGE,      // kids[0] .. kids[1]; sub: RANGE_* bits
    N_ITERATION,  // kids[0] .. kids[1] of a for: counts up or down
    N_FUNCTION,   // as.function
    N_CALL,       // kids[0] (kids[1..]); as.names: parameter names when named, else NULL
    N_BUILTIN,    // as.builtin (kids)
    N_TEST_CMP,   // sub: N_EQ … N_GE; input op kids[0]
    N_TEST_VALUE, // kids[0]: value, list, range, or a condition on ?
    N_TEST_ANY,   // kids: one of them; as.number 1: not(…)
    N_TEST_DASH,  // -
} NodeOp;

enum { RANGE_LOW_CLOSED = 1, RANGE_HIGH_CLOSED = 2, RANGE_LOW_NONE = 4, RANGE_HIGH_NONE = 8 };

typedef enum TypeKind {
    T_ANY, T_NULL, T_NUMBER, T_STRING, T_BOOLEAN, T_DATE, T_TIME, T_DATE_TIME, T_DURATION,
    T_MONTHS, T_LIST, T_CONTEXT, T_FUNCTION, T_RANGE, T_UNKNOWN,
} TypeKind;

typedef struct Type {
    TypeKind kind;
    const struct Type *element;        // list, range; a function's result
    const Str *names;                  // a context's members
    const struct Type *const *members; // their types; a function's parameters
    uint32_t count;
    Str name;                          // of a type that isn't FEEL's own
} Type;

typedef struct Eval Eval;
typedef Value (*BuiltinCall)(Eval *ev, const Value *args, uint32_t count);

// `types`: one letter an argument: a anything, n number, s string, b boolean, l list (a single
// value becomes a list of one), c context, f function, d date or date-time, t date-time or time;
// '?' before it: may be left out, '~': may be left out or null, '*': any number more of the letter.
// An argument left out between named ones is null with `extra` VALUE_LEFT_OUT.
// `params`: names, alternatives separated by '|'.
typedef struct Builtin {
    const char *name;
    const char *types;
    const char *params;
    BuiltinCall call;
} Builtin;

typedef struct Node Node;
typedef struct FunctionLiteral {
    const Str *params;
    const Type *const *types;
    uint32_t count;
    bool external;
    const Node *body;
} FunctionLiteral;

// A call of a built-in function by the names of its arguments.
typedef struct NamedBuiltin {
    const Builtin *builtin;
    const Str *names; // of the kids, in the order they were written
} NamedBuiltin;
enum { BUILTIN_NAMED = 1 };

struct Node {
    uint8_t op;  // NodeOp
    uint8_t sub; // detail of the op
    bool reads_input; // N_TEST_VALUE: ? occurs inside
    uint8_t unused;
    uint32_t count; // kids
    uint32_t offset; // in the source
    Str name;
    const Node **kids;
    union {
        Value value;
        const Str *names;
        const Type *type;
        const Builtin *builtin;
        const NamedBuiltin *named; // N_BUILTIN with sub BUILTIN_NAMED
        const FunctionLiteral *function;
        bool negated;
    } as;
};

struct FeelExpr {
    Str source;
    const Node *root;
    Arena *arena;
};

// Names bound while evaluating, innermost first. They live on the C stack; a function that
// outlives them takes a copy of the chain.
typedef struct Frame {
    const struct Frame *outer;
    Str name;    // empty: the members of `value` are the names
    Value value;
} Frame;

struct Eval {
    FeelRun *run;
    Arena *arena;
    const FeelExpr *expr;
    const Frame *frame;
    const Value *input; // ?
    const Node *at;     // the call being made, for diagnostics
    uint32_t depth;     // nested evaluations
    uint32_t calls;     // nested functions
    bool stopped;       // a limit was passed: unwind
};

typedef enum FunctionKind { FUNCTION_LITERAL, FUNCTION_BUILTIN, FUNCTION_NATIVE } FunctionKind;
typedef struct Function {
    FunctionKind kind;
    const FunctionLiteral *literal;
    const FeelExpr *expr;
    const Frame *frame; // what it saw where it was written
    Str self;           // its own name, when it is an entry of a context
    const Builtin *builtin;
    FeelNative native;
    void *host;
    const Str *params; // native: names, may be NULL
    uint32_t params_count;
} Function;

// ---- feel_lex.c
typedef enum TokenKind {
    TK_END, TK_NUMBER, TK_STRING, TK_NAME, TK_AT, TK_INPUT,
    TK_PLUS, TK_MINUS, TK_STAR, TK_SLASH, TK_POWER,
    TK_EQ, TK_NE, TK_LT, TK_LE, TK_GT, TK_GE,
    TK_LPAREN, TK_RPAREN, TK_LBRACKET, TK_RBRACKET, TK_LBRACE, TK_RBRACE,
    TK_COMMA, TK_COLON, TK_DOT, TK_DOTDOT, TK_ARROW,
    TK_IF, TK_THEN, TK_ELSE, TK_FOR, TK_IN, TK_RETURN, TK_SOME, TK_EVERY, TK_SATISFIES,
    TK_AND, TK_OR, TK_BETWEEN, TK_INSTANCE_OF, TK_FUNCTION, TK_EXTERNAL,
    TK_TRUE, TK_FALSE, TK_NULL,
} TokenKind;

typedef struct Token {
    TokenKind kind;
    uint32_t start, end; // bytes of the source
    Str text;            // name (white space made single), string without escapes, digits
} Token;

typedef struct Parser {
    Arena *arena;
    Str source;
    size_t pos;  // behind the current token
    Token tok;
    Str *names;  // names in scope, the latest last
    size_t names_count, names_cap;
    Str *keys;   // of contexts read so far that aren't plain names: known behind any dot
    size_t keys_count, keys_cap;
    uint32_t nodes;
    uint32_t depth;
    bool after_dot;  // lexing a member's name
    bool no_bracket; // reading the end of a range: '[' closes it
    bool reads_input;
    bool failed;
    Error *err;
} Parser;

bool lex_next(Parser *p);              // fills p->tok; false after lex_fail
void lex_rewind(Parser *p, size_t at); // reads again from `at`
// If the source at the current token reads like `words :`, the words and the place of the colon.
bool lex_label(const Parser *p, Str *ret_label, size_t *ret_colon);
bool lex_fail(Parser *p, size_t at, const char *text, Str arg);
// The same for a maximum that was passed, which {1} of the text names.
bool lex_limit(Parser *p, size_t at, const char *text, int64_t max);
void lex_skip_space(Parser *p);
// How many bytes of `s` from `at` read as `name`, white space of any length for a blank; 0: none.
size_t lex_match_name(Str s, size_t at, Str name);
void feel_line_column(Str source, size_t offset, uint32_t *line, uint32_t *column);
void names_push(Parser *p, Str name);
void keys_push(Parser *p, Str key); // kept only when it could be read as something else

// ---- feel_type.c
const Type *parse_type(Parser *p); // NULL after lex_fail
bool type_holds(Eval *ev, const Type *t, Value v); // `ev` NULL: nobody knows other types
bool type_known(Eval *ev, const Type *t);          // and those inside it
Value type_convert(Eval *ev, const Type *t, Value v, bool *ok); // lists of one and back

// ---- feel_parse.c
const Node *parse_expression(Parser *p);
Node *node_make(Parser *p, NodeOp op, size_t offset, uint32_t kids);
void parser_restore(Parser *p, const Parser *saved);
bool parser_expect(Parser *p, TokenKind kind, const char *what);
const Node *parse_primary(Parser *p);
const Node *parse_additive(Parser *p);
const Node *parse_test(Parser *p);

// ---- feel_eval.c
Value eval_node(Eval *ev, const Node *n);
bool eval_lookup(const Eval *ev, Str name, Value *ret);
Value eval_member(Eval *ev, Value base, Str name);
Value eval_test_value(Eval *ev, Value input, Value test);
__attribute__((noinline)) Value eval_fail_at(Eval *ev, const Node *n, const char *text, Str a,
                                             Str b, Str c);
// What was put together without a builder: knows its depth from here on. Lists and contexts that
// would be nested too deeply are null, with a diagnostic; so are those of a builder that is full.
Value eval_built(Eval *ev, Value v);
Value eval_list_done(Eval *ev, const ListBuilder *b);
Value eval_too_deep(Eval *ev);
// For a maximum that was passed, which {1} of the text names.
__attribute__((noinline)) Value eval_limit(Eval *ev, const char *text, int64_t max);
#define eval_fail(ev, text, ...) eval_fail_args((ev), (text), (Str[3]){__VA_ARGS__})
static inline Value eval_fail_args(Eval *ev, const char *text, const Str args[3]) {
    return eval_fail_at(ev, ev->at, text, args[0], args[1], args[2]);
}
bool eval_room(Eval *ev, size_t items); // a list of so many items may be made
// Going through a long value counts as steps, so that the limit is one of time.
static inline void eval_cost(Eval *ev, Value v) {
    if (v.kind == V_LIST || v.kind == V_CONTEXT) ev->run->steps += v.len / 8;
    else if (v.kind == V_STRING) ev->run->steps += v.len / 64;
}

// ---- feel_loop.c
Value eval_for(Eval *ev, const Node *n);
Value eval_quantified(Eval *ev, const Node *n);
Value eval_filter(Eval *ev, const Node *n);

// ---- feel_call.c
Value eval_call(Eval *ev, const Node *n);
Value eval_builtin(Eval *ev, const Node *n);
Value eval_function(Eval *ev, const Node *n, Str self);
// `names` may be NULL; `args` are put in order.
Value call_named(Eval *ev, Value function, const Str *names, Value *args, uint32_t count);
Value call_value(Eval *ev, Value function, const Value *args, uint32_t count);
Value call_builtin(Eval *ev, const Builtin *b, const Value *args, uint32_t count);
Value builtin_value(const Builtin *b, Arena *a);

// ---- feel_ops.c
Value op_arithmetic(Eval *ev, NodeOp op, Value a, Value b);
Value op_negate(Eval *ev, Value v);
Value op_equal(Eval *ev, Value a, Value b);              // null when of different kinds
Value op_order(Eval *ev, NodeOp op, Value a, Value b);   // null when they have no order
Value op_in_range(Eval *ev, Value v, const Range *r);
Value op_in(Eval *ev, Value v, Value set); // list, range or value

// ---- feel_time.c
bool time_parse_date(Str s, Value *ret);
bool time_parse_time(Str s, Arena *a, Value *ret);
bool time_parse_date_time(Str s, Arena *a, Value *ret);
bool time_parse_duration(Str s, Value *ret);
bool time_parse_any(Str s, Arena *a, Value *ret); // what @"…" may hold
int64_t time_days(int64_t year, int month, int day);
void time_civil(int64_t days, int64_t *year, int *month, int *day);
bool time_date_valid(int64_t year, int64_t month, int64_t day);
Value time_date(int64_t year, int month, int day);
Value time_value(ValueKind kind, DateTime dt, Arena *a);
bool time_zone_offset(DateTime *dt); // resolves dt->zone; false: no such zone
// Seconds since 1970-01-01T00:00 of a date, a date-time (in UTC when it has an offset).
int64_t time_seconds(Value v);
Value time_add(Eval *ev, Value v, int64_t seconds, int32_t nanoseconds);
Value time_add_months(Eval *ev, Value v, int64_t months);
Value time_subtract(Eval *ev, Value a, Value b);
bool time_property(Eval *ev, Value v, Str name, Value *ret);
Value time_duration(int64_t seconds, int64_t nanoseconds);
enum { FEEL_YEAR_MAX = 999999999 };

// ---- feel_pattern.c
// XPath's regular expression as PCRE2 writes it; false: it is none. `skip_blanks`: the x flag.
bool pattern_translate(Str pattern, bool skip_blanks, Arena *a, Str *ret);

// ---- feel_regex.c
typedef struct Regex {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
    uint64_t taken, left; // steps of one match; what the evaluation had left before it
    size_t position;      // in the text, at the last step
} Regex;
bool regex_make(Eval *ev, Str pattern, Str flags, Regex *ret);
int regex_match(Eval *ev, Regex *r, Str s, size_t from, uint32_t options);

// ---- feel_builtin*.c
enum { BUILTIN_PARAMS_MAX = 64 };
const Builtin *builtin_find(Str name);
// Puts named arguments in order: order[i] is the argument of parameter i, -1 when it is left out.
// False: no way of calling it has these names.
bool builtin_arrange(const Builtin *b, const Str *names, uint32_t count,
                     int32_t order[BUILTIN_PARAMS_MAX], uint32_t *ret_count);
bool builtin_names_fit(const Builtin *b, const Str *names, const Value *args, uint32_t count,
                       Str *ret_wrong);
// The longest built-in name with blanks that stands at `at` and is followed by '('; 0: none.
size_t builtin_match(Str source, size_t at);
#define BUILTINS(X) X(number) X(string) X(list) X(date) X(range) X(context)
#define X(part) extern const Builtin builtins_##part[]; extern const size_t builtins_##part##_count;
BUILTINS(X)
#undef X
