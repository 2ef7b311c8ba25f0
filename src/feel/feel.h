// FEEL (Friendly Enough Expression Language, OMG DMN 1.5 chapter 10): the one expression language,
// used by flow conditions, decision tables, form rules, templates and indicators. An expression
// is parsed once into a FeelExpr, which is immutable and may be shared by threads, and evaluated
// many times. Evaluation is total: a wrong operation yields null and a diagnostic, never a crash;
// steps, recursion, list and string sizes are limited.
#pragma once

#include "value/value.h"

typedef struct FeelExpr FeelExpr;

enum {
    FEEL_SOURCE_MAX = 64 << 10,    // bytes of one expression
    FEEL_NODES_MAX = 20000,        // nodes of one expression
    FEEL_DEPTH_MAX = 200,          // nesting in the source, and recursion of functions
    FEEL_STEPS_MAX = 5000000,      // evaluated nodes in one feel_eval
    FEEL_DIAGNOSTICS_MAX = 20,
};

// Parses an expression (10.3.1.2 grammar rule 1). `names`: known names with spaces ("Monthly
// Salary") so that they are read as one; may be NULL. The expression and everything in it live
// in `a`. Error.where is "line:column".
MUST_USE Status feel_parse(Str source, const Str *names, size_t names_count, Arena *a,
                           const FeelExpr **ret, Error *err);
// Parses unary tests (rule 7): "-", "< 5", "[1..3], 7", "not(\"a\")"; `?` is the input value.
MUST_USE Status feel_parse_unary(Str source, const Str *names, size_t names_count, Arena *a,
                                 const FeelExpr **ret, Error *err);

typedef struct FeelDiagnostic {
    uint32_t line, column;
    const char *text; // Chinese template as in Error
    Str args[ERROR_ARGS];
} FeelDiagnostic;

// A host function: `args` as given by position. Returns the result, null on wrong arguments.
typedef Value (*FeelNative)(void *host, const Value *args, size_t count, Arena *a);
typedef struct FeelFunction {
    Str name;
    FeelNative call;
    void *host;
} FeelFunction;

// What an expression can see: contexts from the innermost outwards, and host functions that are
// looked up before the built-in ones.
typedef struct FeelScope {
    Value variables;                // a context
    const struct FeelScope *outer;  // NULL at the outermost
} FeelScope;

// Types the host knows beside FEEL's own (item definitions): false when there is no such type;
// else *ret says whether the value is of it.
typedef bool (*FeelTypeTest)(void *host, Str name, Value v, bool *ret);

typedef struct FeelRun {
    Arena *arena;               // results and temporaries
    const FeelScope *scope;
    const FeelFunction *functions;
    size_t functions_count;
    Instant now;                // what now() and today() answer, in China's time
    FeelTypeTest type_test;     // may be NULL
    void *type_host;
    // Evaluations around this one: 0, but for a host function that evaluates again the `depth` of
    // the run that called it, which is kept true while it runs. So the C stack stays bounded.
    uint32_t depth;
    // out
    FeelDiagnostic diagnostics[FEEL_DIAGNOSTICS_MAX];
    size_t diagnostics_count;
    uint64_t steps;
} FeelRun;

// Sets everything but the room for diagnostics, which needs no zeros: for who evaluates often.
static inline void feel_run_init(FeelRun *run, Arena *arena, const FeelScope *scope, Instant now) {
    run->arena = arena;
    run->scope = scope;
    run->functions = NULL;
    run->functions_count = 0;
    run->now = now;
    run->type_test = NULL;
    run->type_host = NULL;
    run->depth = 0;
    run->diagnostics_count = 0;
    run->steps = 0;
}

Value feel_eval(FeelRun *run, const FeelExpr *e);
// True, false, or null when the test could not be made. `input` is `?`.
Value feel_test(FeelRun *run, const FeelExpr *unary, Value input);
// Names (first segments) the expression reads from its scope; for checks at loading.
void feel_reads(const FeelExpr *e, Arena *a, Str **ret, size_t *ret_count);
// The same with their places, but without those inside the condition of a filter, which may be
// members of the filtered items; each name once, at its first place.
typedef struct FeelName {
    Str name;
    uint32_t line, column;
} FeelName;
void feel_needs(const FeelExpr *e, Arena *a, FeelName **ret, size_t *ret_count);
// If the expression is a plain path (a.b.c) of at most `max` names, its segments; else 0. Lets
// templates resolve the common case without evaluating.
size_t feel_as_path(const FeelExpr *e, Str *ret, size_t max);
// A function value made by the host, to be put among the variables: business knowledge models,
// decision services. `params` (may be NULL) makes it callable by name; it must live as long.
Value feel_function(FeelNative call, void *host, const Str *params, size_t params_count, Arena *a);
// Calls a function value. `names` (may be NULL): the arguments' names, in any order.
Value feel_call(FeelRun *run, Value function, const Str *names, const Value *args, size_t count);
// Is there a built-in function of this name?
bool feel_is_function(Str name);
// Reads a date, time, date and time or duration as it is written in @"…". False: it is none of
// that kind. The zone's name is copied into `a`.
MUST_USE bool feel_read(ValueKind kind, Str text, Arena *a, Value *ret);
// A date as a date and time: midnight, UTC (DMN 1.5, 10.3.2.9.4).
Value feel_midnight(Value date, Arena *a);

// Unary tests of literals, as ranges, for indexes and checks: the tests hold for a value when one
// of the ranges contains it (a single value is a range from itself to itself), or `any`;
// the other way round when negated.
typedef struct FeelTests {
    bool any, negated;
    const Range *ranges;
    uint32_t count;
} FeelTests;
// False when the tests are more than that (they compute something, or mention the input).
MUST_USE bool feel_as_tests(const FeelExpr *unary, Arena *a, FeelTests *ret);
// Does the value conform to a type written in FEEL ("number", "list<date>")? INVALID: no such type.
MUST_USE Status feel_is(Value v, Str type, Arena *a, bool *ret);
