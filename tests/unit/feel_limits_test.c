// room: feel
// Every maximum of FEEL: one less is taken, one more is refused with words that name it. What is
// wrong in an expression is refused when it is read; what it would grow to, null with a diagnostic.
// Regular expressions whose steps explode end in time.
//
// Maxima that no input can pass by itself, and why:
//   BUILTIN_PARAMS_MAX      names of parameters of the built-in functions, a table of ours
//   FEEL_DIAGNOSTICS_MAX    later diagnostics are left out, see test_diagnostics
//   VALUE_RECURSION_MAX     VALUE_DEPTH_MAX and what ranges add
//   DECIMAL_PRINT_MAX, PLAIN_MAX, POW_INTEGER_MAX   how numbers are printed and computed
//   DECIMAL_DIGITS_MAX      a number is rounded to so many digits, as the standard says
//   ARGS_INLINE           from where on arguments take memory
//   FEEL_ARGS_MAX           arguments of a call by the host
//   OFFSET_MAX_S            a zone's distance from Greenwich; what is farther is no time
//   CODE_MAX                the last code point of Unicode
#include "feel/feel_internal.h"
#include "limits.h"
#include "value/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { MEMORY_MAX = 1 << 30, INPUT_MAX = 24 << 20, REGEX_US_MAX = 30000000 };

static Arena *arena;

// What reading `source` says; the empty string when it is taken.
static Str read_says(Str source, bool unary, Status *ret) {
    const FeelExpr *e;
    Error err = {0};
    *ret = unary ? feel_parse_unary(source, NULL, 0, arena, &e, &err)
                 : feel_parse(source, NULL, 0, arena, &e, &err);
    return *ret ? error_message(&err, NULL, NULL, arena) : S("");
}

// What evaluating it says: the first diagnostic.
static Str eval_says(Str source, Value *ret) {
    const FeelExpr *e;
    Error err = {0};
    if (feel_parse(source, NULL, 0, arena, &e, &err) != OK) {
        print_error("%.*s: %s\n", S_FMT(str_sub(source, 0, 80)), err.text);
        assert_true(false);
    }
    FeelScope scope = {.variables = v_null()};
    FeelRun run = {.arena = arena, .scope = &scope};
    *ret = feel_eval(&run, e);
    if (run.diagnostics_count == 0) return S("");
    Error told = {.text = run.diagnostics[0].text};
    memcpy(told.args, run.diagnostics[0].args, sizeof told.args);
    return error_message(&told, NULL, NULL, arena);
}

static bool said(const LimitCase *c, Str message) {
    if (str_find(message, str_z(c->says)) >= 0) return true;
    print_error("%s: says “%.*s”, not “%s”\n", c->limit, S_FMT(message), c->says);
    return false;
}

static const LimitCase READ[] = {
    {"FEEL_SOURCE_MAX", "1", " ", 65536, 0, 0, 0, "65536"},
    {"FEEL_NODES_MAX", "1", "+1", 10000, 0, 0, 0, "20000"},
    {"FEEL_DEPTH_MAX", 0, "(", 200, "1", ")", 0, "200"},
    {"FEEL_NAME_MAX", 0, "a", 501, 0, 0, 0, "500"},
    {"FEEL_PARAMS_MAX", "function(", "p#,", 30, "q) 1", 0, 0, "30"},
    {"ITERATORS_MAX", "for ", "i# in [1],", 16, "j in [1] return 1", 0, 0, "16"},
    {"LITERAL_ITEMS_MAX", "[", "1,", 10000, "1]", 0, 0, "10000"},
    {"ENTRIES_MAX", "{", "a#:1,", 1000, "b:1}", 0, 0, "1000"},
    {"CALL_ARGS_MAX", "max(", "1,", 64, "1)", 0, 0, "64"},
    {"TYPE_DEPTH_MAX", "1 instance of ", "list<", 31, "number", ">", 0, "30"},
    {"TYPE_MEMBERS_MAX", "1 instance of context<", "a#: number,", 100, "b: number>", 0, 0, "100"},
    {"DECIMAL_EXPONENT_MAX", "1", "0", 6145, 0, 0, 0, "超出范围"},
};
static const LimitCase TESTS[] = {
    {"TESTS_MAX", 0, "1,", 1000, "1", 0, 0, "1000"},
};

// A function that calls itself as often as the number behind says.
#define RECURSION(body) "{f: function(n) if n = 0 then 0 else " body ", r: f("

static const LimitCase GROWN[] = {
    {"FEEL_STEPS_MAX", "count(for i in 1..1000 return count(for j in 1..", "9", 4,
     " return j))", 0, 0, "5000000"},
    {"FEEL_DEPTH_MAX", RECURSION("1 + f(n - 1)"), "9", 4, ")}.r", 0, 0, "200"},
    {"FEEL_EVAL_DEPTH_MAX", RECURSION("1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+f(n - 1))))))))))))"),
     "180", 1, ")}.r", 0, 0, "2000"},
    {"FEEL_PATTERN_MAX", "matches(\"a\", \"", "a", 4097, "\")", 0, 0, "4096"},
    {"PATTERN_DEPTH_MAX", "matches(\"a\", \"", "[a-", 60, "b", "]", "\")", "有误"},
    {"PATTERN_GROUPS_MAX", "matches(\"a\", \"", "(a)", 1300, "\")", 0, 0, "有误"},
    {"NAME_MAX_BYTES", "matches(\"a\", \"\\p{Is", "a", 100, "}\")", 0, 0, "有误"},
    {"CONTEXT_ENTRIES_MAX", "context(for i in 1..1000", "1", 1,
     " return {key: string(i), value: i})", 0, 0, "10000"},
    {"DISTINCT_MAX", "distinct values(for i in 1..1000", "1", 1, " return i)", 0, 0, "10000"},
    {"SCALE_MAX", "decimal(1, 61", "7", 2, ")", 0, 0, "超出范围"},
    {"VALUE_ITEMS_MAX", "count(for i in 1..104857", "7", 1, " return i)", 0, 0, "1048576"},
    {"VALUE_STRING_MAX", "string length(string join(for i in 1..200000 return \"", "a", 90, "\"))",
     0, 0, "16777216"},
    {"VALUE_DEPTH_MAX", RECURSION("[[f(n - 1)]]"), "1", 3, ")}.r", 0, 0, "200"},
    {"VALUE_DEPTH_MAX", RECURSION("{a: {b: f(n - 1)}}"), "1", 3,
     ")}.r", 0, 0, "200"},
    {"VALUE_DEPTH_MAX", RECURSION("for i in [1] return append([], f(n - 1))"), "1", 3, ")}.r", 0,
     0, "200"},
    {"VALUE_DEPTH_MAX", RECURSION("context put({}, [\"a\", \"b\"], f(n - 1))"), "1", 3, ")}.r", 0,
     0, "200"},
    {"FEEL_YEAR_MAX", "date(", "9", 10, ", 1, 1)", 0, 0, "日期"},
    {"DURATION_MAX", "@\"P1D\" * 1", "0", 20, 0, 0, 0, "超出"},
    {"DURATION_SECONDS_MAX", "duration(\"P1", "0", 14, "D\") * 1000", 0, 0, ""},
    {"DURATION_MONTHS_MAX", "duration(\"P", "9", 12, "Y\")", 0, 0, "时长"},
    {"ZONE_NAME_MAX", "time(\"10:00:00@", "Europe/", 12, "\")", 0, 0, ""},
    {"DIGITS_MAX", "duration(\"P", "1", 16, "D\")", 0, 0, ""},
};

static void test_read(void **state) {
    (void)state;
    bool good = true;
    for (size_t i = 0; i < sizeof READ / sizeof *READ + 1; i++) {
        bool unary = i == sizeof READ / sizeof *READ;
        const LimitCase *c = unary ? TESTS : &READ[i];
        ArenaMark mark = arena_mark(arena);
        Status status;
        Str message = read_says(limit_input(c, c->times, INPUT_MAX, arena), unary, &status);
        good &= said(c, message);
        if (status != INVALID && status != LIMIT) {
            print_error("%s: is not refused\n", c->limit);
            good = false;
        }
        message = read_says(limit_input(c, c->times - 1, INPUT_MAX, arena), unary, &status);
        if (status != OK) {
            print_error("%s: one less is refused: %.*s\n", c->limit, S_FMT(message));
            good = false;
        }
        arena_rewind(arena, mark);
    }
    assert_true(good);
}

static void test_grown(void **state) {
    (void)state;
    bool good = true;
    for (size_t i = 0; i < sizeof GROWN / sizeof *GROWN; i++) {
        const LimitCase *c = &GROWN[i];
        ArenaMark mark = arena_mark(arena);
        Value v;
        Str message = eval_says(limit_input(c, c->times, INPUT_MAX, arena), &v);
        // Where it is too deep, what lies inside is null.
        bool null = v.kind == V_NULL || strcmp(c->limit, "VALUE_DEPTH_MAX") == 0;
        if (!null || message.len == 0) {
            print_error("%s: gives %.*s\n", c->limit, S_FMT(v_to_str(v, arena)));
            good = false;
        }
        good &= said(c, message);
        arena_rewind(arena, mark);
    }
    assert_true(good);
}

// Not refused: the first ones are kept, and evaluation goes on.
static void test_diagnostics(void **state) {
    (void)state;
    Value v;
    Str message = eval_says(S("for i in 1..100 return 1 / (i - i)"), &v);
    assert_true(v.kind == V_LIST && v.len == 100 && message.len > 0);
}

// Patterns whose steps explode, each over a text that makes them: given up with a diagnostic, or
// answered, but in time.
static void test_regex_ends(void **state) {
    (void)state;
    static const char *const patterns[] = {
        "(a+)+$",       "(a|aa)+$",        "(a|a?)+$",          "(.*a){20}$",  "([a-z]+)*$",
        "(a*)*b",       "(a*a*a*a*a*)*b",  "^(a?){40}a{40}$",   "(x+x+)+y",    "((a+)+)+$",
        "(.*)*(.*)*x",  "(a{1,50}){1,50}b", "(\\w+\\s?)+\\d",  "(a+)\\1+$",  "[a-[b]]+[a-[c]]+!",
        "((a|b)*)*c",   "(a|b|ab)*bc",     "(?:a+){2,}(?:a+){2,}c",
    };
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        ArenaMark mark = arena_mark(arena);
        Buf source = buf_make(arena, 64, INPUT_MAX);
        // One evaluation may match many times.
        buf_printf(&source, "for i in 1..1000000 return matches(\"");
        limit_repeat(&source, strchr(patterns[i], 'x') ? "x" : "a", 2000);
        buf_printf(&source, "!\", \"%s\")", patterns[i]);
        int64_t from = clock_monotonic_us();
        Value v;
        Str message = eval_says(buf_view(&source), &v);
        int64_t took = clock_monotonic_us() - from;
        if (took > REGEX_US_MAX)
            print_error("%s: %lld us, %.*s\n", patterns[i], (long long)took, S_FMT(message));
        assert_true(took <= REGEX_US_MAX);
        assert_true(message.len > 0); // a million of them pass some limit
        arena_rewind(arena, mark);
    }
}

int main(void) {
    arena = arena_create(MEMORY_MAX);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_grown),
        cmocka_unit_test(test_diagnostics),
        cmocka_unit_test(test_regex_ends),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
