// room: feel
// The language itself: grammar, operators, logic, scopes, limits. The built-in functions have a
// test of their own.
#include "feel/feel.h"
#include "value/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { ARENA_MAX = 256 << 20 };

static Arena *arena;

typedef struct Case {
    const char *source, *expected; // as v_print gives it
} Case;

static Value variables(void) {
    Value v;
    const char *json =
        "{\"x\":5,\"name\":\"王芳\",\"申请人年龄\":46,\"Monthly Salary\":1000,\"pre-bureau "
        "risk\":3,"
        "\"person\":{\"name\":\"李雷\",\"first name\":\"雷\",\"age\":30},"
        "\"rows\":[{\"n\":1,\"v\":\"a\"},{\"n\":2,\"v\":\"b\"},{\"n\":3,\"v\":\"c\"}],"
        "\"yes\":true,\"nothing\":null,\"list\":[1,2,3]}";
    assert_int_equal(json_parse(str_z(json), JSON_STRICT, (JsonLimits){0}, arena, &v, NULL), OK);
    return v;
}

static const Str NAMES[] = {S_INIT("Monthly Salary"), S_INIT("pre-bureau risk"),
                            S_INIT("first name")};

static Value eval_with(const char *source, FeelRun *run) {
    const FeelExpr *e = NULL;
    Error err = {0};
    Status status = feel_parse(str_z(source), NAMES, 3, arena, &e, &err);
    if (status != OK) {
        print_error("%s: %.*s %s\n", source, S_FMT(err.where), err.text ? err.text : "");
        fail();
    }
    return feel_eval(run, e);
}

static Value eval(const char *source, FeelRun *ret) {
    FeelScope scope = {.variables = variables()};
    *ret = (FeelRun){.arena = arena, .scope = &scope, .now = INT64_C(1685494800000)};
    Value v = eval_with(source, ret);
    ret->scope = NULL;
    return v;
}

// Null prints as "null" here, so that it can't be taken for the empty string.
static Str shown(Value v) { return v.kind == V_NULL ? S("null") : v_to_str(v, arena); }

static void check(const Case *cases, size_t count) {
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        FeelRun run;
        Str got = shown(eval(cases[i].source, &run));
        if (str_eq(got, str_z(cases[i].expected))) continue;
        print_error("%s\n  gave     %.*s\n  expected %s\n", cases[i].source, S_FMT(got),
                    cases[i].expected);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}
#define CHECK(cases) check((cases), sizeof(cases) / sizeof *(cases))

static void literals(void **state) {
    (void)state;
    static const Case CASES[] = {
        {"1", "1"},
        {"-1.50", "-1.50"},
        {".5", "0.5"},
        {"1e3", "1000"},
        {"\"a\\u4e2d\\n\"", "a中\n"},
        {"\"\\uD83D\\uDC0E\"", "🐎"},
        {"\"\\U01F40E\"", "🐎"},
        {"\"\\d\"", "\\d"},
        {"true", "true"},
        {"null", "null"},
        {"@\"2023-05-31\"", "2023-05-31"},
        {"@\"10:20:30+08:00\"", "10:20:30+08:00"},
        {"@\"2023-05-31T10:20:30\"", "2023-05-31T10:20:30"},
        {"@\"P1Y2M\"", "P1Y2M"},
        {"@\"PT36H\"", "P1DT12H"},
        {"[1, 2]", "[1, 2]"},
        {"[]", "[]"},
        {"{a: 1}.a", "1"},
        {"// note\n 1 /* two */ + 2", "3"},
        {"{\"odd key\": 2}.odd key", "2"},
    };
    CHECK(CASES);
}

static void arithmetic(void **state) {
    (void)state;
    static const Case CASES[] = {
        {"1 + 2 * 3", "7"},
        {"(1 + 2) * 3", "9"},
        {"2 ** 3", "8"},
        {"2 ** -1", "0.5"},
        {"-5 ** 2", "25"},
        {"10 / 4", "2.5"},
        {"1 / 0", "null"},
        {"0.1 + 0.2 = 0.3", "true"},
        {"\"a\" + \"b\"", "ab"},
        {"1 + \"a\"", "null"},
        {"x - 1", "4"},
        {"-x", "-5"},
        {"--x", "5"},
        {"Monthly Salary * 12", "12000"},
        {"pre-bureau risk - 1", "2"},
        {"申请人年龄 + 1", "47"},
        {"4 ** 0.5", "2"},
        {"null + 1", "null"},
        {"0 ** -1", "null"},
        {"@\"2023-01-31\" + @\"P1M\"", "2023-02-28"},
        {"@\"2023-01-01\" + @\"P1D\"", "2023-01-02"},
        {"@\"2023-03-01\" - @\"2023-02-01\"", "P28D"},
        {"@\"PT1H\" * 3", "PT3H"},
        {"@\"P1Y\" / 2", "P6M"},
        {"@\"PT10H\" / @\"PT4H\"", "2.5"},
        {"@\"23:00:00\" + @\"PT2H\"", "01:00:00"},
        {"@\"2023-01-01T00:00:00\" - @\"PT1S\"", "2022-12-31T23:59:59"},
        {"@\"2023-01-01T00:00:00Z\" - @\"2023-01-01T08:00:00+08:00\"", "PT0S"},
        {"@\"2023-01-01T00:00:00\" - @\"2023-01-01T08:00:00+08:00\"", "null"},
    };
    CHECK(CASES);
}

static void comparison(void **state) {
    (void)state;
    static const Case CASES[] = {
        {"1 = 1.0", "true"},
        {"1 = \"1\"", "null"},
        {"1 = null", "false"},
        {"null = null", "true"},
        {"1 != 2", "true"},
        {"1 < 2", "true"},
        {"\"a\" < \"b\"", "true"},
        {"1 < \"b\"", "null"},
        {"null < 1", "null"},
        {"[1,2] = [1,2]", "true"},
        {"{a:1,b:2} = {b:2,a:1}", "true"},
        {"x between 1 and 5", "true"},
        {"x between 6 and 9", "false"},
        {"x between null and 9", "null"},
        {"x in [1..5]", "true"},
        {"x in [1..5)", "false"},
        {"x in ]5..9]", "false"},
        {"x in (4..6)", "true"},
        {"x in [1..5[", "false"},
        {"x in (1, 5)", "true"},
        // a test without parentheses ends where the comparison does
        {"x in [1..10] and x != 4", "true"},
        {"x in (1..10) and x = 4", "false"},
        {"x in > 3 and x < 10", "true"},
        {"x in [1..list[3]]", "false"},
        {"3 in [list[1]..list[3]] and 2 in ]1..3[", "true"},
        {"count([[1..5[, ]2..3]])", "2"},
        {"x in [6, 7] or x = 5", "true"},
        {"x in (<3, >4)", "true"},
        {"x in < 5", "false"},
        {"x in [[1..3],[5..7]]", "true"},
        {"x in list", "false"},
        {"3 in list", "true"},
        {"x in (>= 5)", "true"},
        {"\"c\" in [\"a\"..\"d\"]", "true"},
        {"@\"2023-05-01\" in [@\"2023-01-01\"..@\"2023-05-31\"]", "true"},
        {"(1 + 1) * 2 = 4 and x > 4", "true"},
        {"[1..3].end", "3"},
        {"(1..3].start included", "false"},
    };
    CHECK(CASES);
}

static void logic(void **state) {
    (void)state;
    static const Case CASES[] = {
        {"true and true", "true"},
        {"true and false", "false"},
        {"false and null", "false"},
        {"null and false", "false"},
        {"true and null", "null"},
        {"null or true", "true"},
        {"false or null", "null"},
        {"1 and true", "null"},
        {"false or false", "false"},
        {"not(true)", "false"},
        {"not(null)", "null"},
        {"not(1)", "null"},
        {"if x > 3 then \"大\" else \"小\"", "大"},
        {"if null then 1 else 2", "2"},
        {"if 1 then 1 else 2", "2"},
        {"1 + if true then 1 else 2", "2"},
    };
    CHECK(CASES);
}

static void collections(void **state) {
    (void)state;
    static const Case CASES[] = {
        {"list[1]", "1"},
        {"list[-1]", "3"},
        {"list[4]", "null"},
        {"list[0]", "null"},
        {"x[1]", "5"},
        {"list[item > 1]", "[2, 3]"},
        {"rows[n > 1].v", "[\"b\", \"c\"]"},
        {"rows[item.n = 2][1].v", "b"},
        {"rows.n", "[1, 2, 3]"},
        {"[][1]", "null"},
        {"[][item > 1]", "[]"},
        {"list[x - 4]", "1"},
        {"for i in list return i * 2", "[2, 4, 6]"},
        {"for i in 1..3 return i", "[1, 2, 3]"},
        {"for i in 3..1 return i", "[3, 2, 1]"},
        {"for i in [1..3) return i", "[1, 2]"},
        {"for i in 1..2, j in 1..2 return i * 10 + j", "[11, 12, 21, 22]"},
        {"for i in 1..4 return if i = 1 then 1 else i * partial[-1]", "[1, 2, 6, 24]"},
        {"for d in @\"2023-02-27\"..@\"2023-03-01\" return d.day", "[27, 28, 1]"},
        {"for i in 1..2, j in 1..i return j", "[1, 1, 2]"},
        {"for i in null return i", "null"},
        {"some i in list satisfies i > 2", "true"},
        {"every i in list satisfies i > 2", "false"},
        {"every i in [] satisfies i", "true"},
        {"some i in [] satisfies i", "false"},
        {"person.first name", "雷"},
        {"person.age + 1", "31"},
        {"person.none", "null"},
        {"nothing.a", "null"},
        {"{a: 1, b: a + 1}.b", "2"},
        {"{a b: 1, c: a b + 1}.c", "2"},
        {"{f: function(n) if n < 2 then 1 else n * f(n - 1), r: f(5)}.r", "120"},
        {"(function(a, b) a - b)(5, 3)", "2"},
        {"{m: function(a: number, b: number) a - b, r: m(b: 1, a: 9)}.r", "8"},
        {"{m: function(a: number) a, r: m(\"t\")}.r", "null"},
        {"(function(a) a)(1, 2)", "null"},
        {"{k: 10, f: function(a) a + k, r: for k in [1] return f(k)}.r", "[11]"},
        {"@\"2023-05-31\".weekday", "3"},
        {"@\"P1DT2H\".hours", "2"},
        {"@\"10:00:00+08:00\".time offset", "PT8H"},
        {"x()", "null"},
        {"unknown name", "null"},
    };
    CHECK(CASES);
}

static void types(void **state) {
    (void)state;
    static const Case CASES[] = {
        {"1 instance of number", "true"},
        {"\"a\" instance of number", "false"},
        {"list instance of list<number>", "true"},
        {"list instance of list<string>", "false"},
        {"person instance of context<age: number>", "true"},
        {"person instance of context<age: string>", "false"},
        {"@\"P1Y\" instance of years and months duration", "true"},
        {"@\"2023-01-01T00:00:00\" instance of date and time", "true"},
        {"[1..2] instance of range<number>", "true"},
        {"null instance of Any", "false"},
        {"(function(a) a) instance of function<number> -> number", "true"},
        {"1 instance of number and true", "true"},
    };
    CHECK(CASES);
}

typedef struct Test {
    const char *tests, *input, *expected;
} Test;

static void unary(void **state) {
    (void)state;
    static const Test CASES[] = {
        {"-", "1", "true"},
        {"< 5", "4", "true"},
        {"< 5", "5", "false"},
        {"[1..3], 7", "7", "true"},
        {"[1..3], 7", "5", "false"},
        {"\"a\", \"b\"", "\"b\"", "true"},
        {"not(\"a\")", "\"b\"", "true"},
        {"not(\"a\", \"b\")", "\"b\"", "false"},
        {"? > 3 and ? < 6", "4", "true"},
        {"true", "true", "true"},
        {"false", "true", "false"},
        {"null", "null", "true"},
        {"-5", "-5", "true"},
        {"> x", "6", "true"},
        {"list", "2", "true"},
        {"!= 3", "3", "false"},
        {"contains(?, \"b\")", "\"abc\"", "true"},
        {"< 5", "\"a\"", "null"},
        {"x > 3", "\"any\"", "true"},
        {"not(< 5)", "7", "true"},
        {"= 5", "5", "true"},
        {"date(\"2023-01-01\")", "@\"2023-01-01\"", "true"},
        {"not(true) or true", "1", "true"},
    };
    size_t wrong = 0;
    FeelScope scope = {.variables = variables()};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        FeelRun run;
        const FeelExpr *e;
        Value input = eval(CASES[i].input, &run);
        run.scope = &scope;
        assert_int_equal(feel_parse_unary(str_z(CASES[i].tests), NULL, 0, arena, &e, NULL), OK);
        Str got = shown(feel_test(&run, e, input));
        if (str_eq(got, str_z(CASES[i].expected))) continue;
        print_error("%s on %s gave %.*s\n", CASES[i].tests, CASES[i].input, S_FMT(got));
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void refusals(void **state) {
    (void)state;
    static const char *const CASES[][2] = {
        {"", "1:1"},           {"1 +", "1:4"},          {"(1", "1:3"},
        {"a b c )", "1:7"},    {"\"open", "1:1"},       {"if x then 1", "1:12"},
        {"1 +\n  * 2", "2:3"}, {"{a: 1, a: 2}", "1:8"}, {"@\"2023-02-30\"", "1:1"},
        {"[1..", "1:5"},       {"1 § 2", "1:3"},        {"for i in 1..2", "1:14"},
        {"年龄 >", "1:5"},     {"1 2", "1:3"},          {"f(a: 1, 2)", "1:9"},
        {"\xff", "1:1"},       {"/* open", "1:1"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const FeelExpr *e = NULL;
        Error err = {0};
        assert_int_equal(feel_parse(str_z(CASES[i][0]), NULL, 0, arena, &e, &err), INVALID);
        if (!str_eq(err.where, str_z(CASES[i][1])))
            print_error("%s: %.*s\n", CASES[i][0], S_FMT(err.where));
        assert_true(str_eq(err.where, str_z(CASES[i][1])));
        assert_null(e);
    }
}

static void diagnostics(void **state) {
    (void)state;
    FeelRun run;
    Value v = eval("1 +\n \"a\"", &run);
    assert_int_equal(v.kind, V_NULL);
    assert_int_equal(run.diagnostics_count, 1);
    assert_int_equal(run.diagnostics[0].line, 1);
    assert_int_equal(run.diagnostics[0].column, 3);
    (void)eval("for i in 1..100 return 1 / 0", &run);
    assert_int_equal(run.diagnostics_count, FEEL_DIAGNOSTICS_MAX);
    (void)eval("x + 1", &run);
    assert_int_equal(run.diagnostics_count, 0);
}

static void limits(void **state) {
    (void)state;
    FeelRun run;
    assert_int_equal(eval("for i in 1..3000, j in 1..3000 return i", &run).kind, V_NULL);
    assert_int_equal(eval("{f: function(n) f(n + 1), r: f(1)}.r", &run).kind, V_NULL);
    assert_true(run.diagnostics_count > 0);
    assert_int_equal(eval("count(for i in 1..1000000 return 0)", &run).kind, V_NUMBER);
    assert_int_equal(eval("count(for i in 1..1100000 return 0)", &run).kind, V_NULL);
    assert_int_equal(
        eval("matches(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\", \"^(a+)+$\")", &run).kind,
        V_NULL);
    // going through long lists again and again is stopped too
    const char *slow = "{l: for i in 1..100000 return i, r: for i in 1..100000 return sum(l)}.r";
    assert_int_equal(eval(slow, &run).kind, V_NULL);
    assert_true(run.diagnostics_count > 0);
    // nesting beyond the limit is refused, not a crash
    enum { DEEP = 5000 };
    char *deep = arena_alloc(arena, DEEP * 2 + 2);
    memset(deep, '(', DEEP);
    deep[DEEP] = '1';
    const FeelExpr *e;
    assert_int_equal(feel_parse(str_of(deep, DEEP + 1), NULL, 0, arena, &e, NULL), INVALID);
    memset(deep, '-', DEEP);
    assert_int_equal(feel_parse(str_of(deep, DEEP + 1), NULL, 0, arena, &e, NULL), INVALID);
    // trying readings of `in (` stays bounded
    Buf b = buf_make(arena, 1024, 1 << 20);
    for (int i = 0; i < 90; i++) buf_lit(&b, "x in (");
    assert_int_equal(feel_parse(buf_view(&b), NULL, 0, arena, &e, NULL), INVALID);
    char *big = arena_alloc(arena, FEEL_SOURCE_MAX + 1);
    memset(big, '1', FEEL_SOURCE_MAX + 1);
    assert_int_equal(feel_parse(str_of(big, FEEL_SOURCE_MAX + 1), NULL, 0, arena, &e, NULL), LIMIT);
}

static Value twice(void *host, const Value *args, size_t count, Arena *a) {
    (void)a;
    *(int *)host += 1;
    return count == 1 ? v_int(2 * v_to_int(args[0], 0)) : v_null();
}

static void host_functions(void **state) {
    (void)state;
    int calls = 0;
    FeelFunction functions[] = {{S_INIT("twice"), twice, &calls}, {S_INIT("count"), twice, &calls}};
    FeelRun run = {.arena = arena, .functions = functions, .functions_count = 2};
    assert_int_equal(v_to_int(eval_with("twice(21)", &run), 0), 42);
    assert_int_equal(v_to_int(eval_with("count(4)", &run), 0), 8);
    assert_int_equal(
        v_to_int(eval_with("sort([2, 1], function(a, b) twice(a) < twice(b))[1]", &run), 0), 1);
    assert_int_equal(calls, 4);
    static const Str PARAMS[] = {S_INIT("n")};
    ContextBuilder c = context_make(arena);
    context_put(&c, S("mine"), feel_function(twice, &calls, PARAMS, 1, arena));
    FeelScope scope = {.variables = context_done(&c)};
    run = (FeelRun){.arena = arena, .scope = &scope};
    assert_int_equal(v_to_int(eval_with("mine(n: 3)", &run), 0), 6);
    assert_int_equal(eval_with("mine(m: 3)", &run).kind, V_NULL);
    assert_int_equal(eval_with("mine(1, 2)", &run).kind, V_NULL);
}

static void scopes(void **state) {
    (void)state;
    FeelScope outer = {.variables = variables()};
    ContextBuilder c = context_make(arena);
    context_put(&c, S("x"), v_int(9));
    FeelScope inner = {.variables = context_done(&c), .outer = &outer};
    FeelRun run = {.arena = arena, .scope = &inner};
    assert_int_equal(v_to_int(eval_with("x + person.age", &run), 0), 39);
}

static void reads(void **state) {
    (void)state;
    const FeelExpr *e;
    Str *names, path[4];
    size_t count;
    assert_int_equal(
        feel_parse(S("for i in 名单 return i.a + count(b.c) + {d: 1, e: d + f}.e + g[item.h > k]"),
                   NULL, 0, arena, &e, NULL),
        OK);
    feel_reads(e, arena, &names, &count);
    assert_int_equal(count, 5);
    assert_true(str_eq(names[0], S("名单")) && str_eq(names[1], S("b")) &&
                str_eq(names[2], S("f")));
    assert_true(str_eq(names[3], S("g")) && str_eq(names[4], S("k")));
    assert_int_equal(feel_as_path(e, path, 4), 0);
    assert_int_equal(feel_parse(S("a.b . c"), NULL, 0, arena, &e, NULL), OK);
    assert_int_equal(feel_as_path(e, path, 2), 0);
    assert_int_equal(feel_as_path(e, path, 4), 3);
    assert_true(str_eq(path[0], S("a")) && str_eq(path[2], S("c")));
}

static int setup(void **state) {
    (void)state;
    arena = arena_create(ARENA_MAX);
    return 0;
}
static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(literals),       T(arithmetic), T(comparison), T(logic),       T(collections),
        T(types),          T(unary),      T(refusals),   T(diagnostics), T(limits),
        T(host_functions), T(scopes),     T(reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
