// room: dmn
// What models are made of beyond tables: item definitions and the conversions to them, decision
// services, several files that import each other, boxed loops, names that hide built-in functions.
#include "dmn/dmn.h"
#include "value/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static Arena *arena;
static size_t wrong;

// clang-format off
#define MODEL(uri) "<definitions xmlns=\"https://www.omg.org/spec/DMN/20230324/MODEL/\" " \
    "namespace=\"" uri "\" name=\"t\">\n"
#define END "</definitions>"
#define TYPE(name, rest) "<itemDefinition name=\"" name "\" " rest "</itemDefinition>\n"
#define LIST_OF(ref) "isCollection=\"true\"><typeRef>" ref "</typeRef>"
#define MEMBER(name, ref) \
    "<itemComponent name=\"" name "\"><typeRef>" ref "</typeRef></itemComponent>"
#define INPUT(name, ref) "<inputData id=\"" name "\" name=\"" name "\"><variable name=\"" name \
    "\" typeRef=\"" ref "\"/></inputData>\n"
#define NEEDS(href) \
    "<informationRequirement><requiredInput href=\"" href "\"/></informationRequirement>"
#define NEEDS_DECISION(href) \
    "<informationRequirement><requiredDecision href=\"" href "\"/></informationRequirement>"
#define KNOWS(href) \
    "<knowledgeRequirement><requiredKnowledge href=\"" href "\"/></knowledgeRequirement>"
#define FEEL(text) "<literalExpression><text>" text "</text></literalExpression>"
#define DECISION(name, ref, logic) "<decision id=\"" name "\" name=\"" name "\"><variable name=\"" \
    name "\" typeRef=\"" ref "\"/>" logic "</decision>\n"
#define LOOP(kind, part, in, body) "<" kind " iteratorVariable=\"i\"><in>" FEEL(in) "</in>" \
    "<" part ">" FEEL(body) "</" part "></" kind ">"
// clang-format on

static const DmnModel *load(const char *const *files, size_t count) {
    DmnFile all[4];
    const DmnModel *m = NULL;
    Error err = {0};
    for (size_t i = 0; i < count; i++) all[i] = (DmnFile){S("f"), str_z(files[i])};
    if (dmn_load_files(all, count, DMN_STRICT, arena, &m, &err) != OK) {
        print_error("%.*s: %.*s\n", S_FMT(err.where),
                    S_FMT(error_message(&err, NULL, NULL, arena)));
        fail();
    }
    return m;
}

static Value json(const char *text) {
    Value v;
    assert_int_equal(json_parse(str_z(text), JSON_STRICT, (JsonLimits){0}, arena, &v, NULL), OK);
    return v;
}

typedef struct Case {
    const char *decision, *expected;
    int64_t diagnostics;
} Case;

static void check(const DmnModel *m, Value input, const Case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        DmnResult r;
        Error err = {0};
        assert_int_equal(dmn_decide(m, str_z(cases[i].decision), input, 0, arena, &r, &err), OK);
        Str got = json_to_str(r.value, arena);
        if (str_eq(got, str_z(cases[i].expected)) &&
            (int64_t)r.diagnostics.len == cases[i].diagnostics)
            continue;
        print_error("%s gave %.*s with %u diagnostics %.*s, expected %s\n", cases[i].decision,
                    S_FMT(got), r.diagnostics.len, S_FMT(json_to_str(r.diagnostics, arena)),
                    cases[i].expected);
        wrong++;
    }
}
#define CHECK(m, input, cases) check((m), (input), (cases), sizeof(cases) / sizeof *(cases))

static const char *const TYPES =
    MODEL("u") TYPE("tNumber", "><typeRef>number</typeRef>") TYPE("tNumbers", LIST_OF("number"))
    TYPE("tPerson", ">" MEMBER("name", "string") MEMBER("born", "date"))
    TYPE("tPersons", LIST_OF("tPerson"))
    TYPE("tColor", "><typeRef>string</typeRef><allowedValues><text>\"red\",\"green\"</text>"
                   "</allowedValues>")
    TYPE("tColors", LIST_OF("tColor"))
    TYPE("tFew", LIST_OF("number") "<typeConstraint><text>count(?) &lt; 3</text></typeConstraint>")
    TYPE("tLoop", "><typeRef>tLoop2</typeRef>") TYPE("tLoop2", "><typeRef>tLoop</typeRef>")
    INPUT("n", "tNumber") INPUT("ns", "tNumbers") INPUT("p", "tPerson") INPUT("ps", "tPersons")
    INPUT("c", "tColor") INPUT("cs", "tColors") INPUT("few", "tFew")
    DECISION("kind", "number", FEEL("\"A\"")) DECISION("one", "tNumbers", FEEL("1"))
    DECISION("first", "tNumber", FEEL("[1]")) DECISION("two", "number", FEEL("[1, 2]"))
    DECISION("midnight", "date and time", FEEL("date(\"2020-01-01\")"))
    DECISION("member", "tPerson", FEEL("{name: \"a\", born: \"b\"}"))
    DECISION("color", "tColor", FEEL("\"blue\"")) DECISION("loop", "tLoop", FEEL("1"))
    DECISION("good", "Any", NEEDS("#p") NEEDS("#ps")
             FEEL("[p.born.year, count(ps), ps[1].born.year]"))
    DECISION("bad", "Any", NEEDS("#n") NEEDS("#cs") NEEDS("#few") FEEL("[n, cs, few]"))
    DECISION("instance", "Any",
             FEEL("[{name: \"a\", born: date(\"2020-01-01\")} instance of tPerson, "
                  "1 instance of tPerson, [1] instance of tNumbers, "
                  "\"blue\" instance of tColor, {name: \"a\"} instance of tPerson]"))
    DECISION("unknown", "Any", FEEL("1 instance of tNone")) END;

static void types(void **state) {
    (void)state;
    static const Case CASES[] = {
        {"kind", "null", 1},
        {"one", "[1]", 0},
        {"first", "1", 0},
        {"two", "null", 1},
        {"midnight", "\"2020-01-01T00:00:00Z\"", 0},
        {"member", "null", 1},
        {"color", "null", 1},
        {"loop", "null", 1}, // a circle of names has no values
        {"good", "[1990,1,1991]", 0},
        {"bad", "[null,null,null]", 3},
        {"instance", "[true,false,true,true,false]", 0}, // the type alone, not what it allows
        {"unknown", "null", 1},
    };
    const DmnModel *m = load(&TYPES, 1);
    CHECK(m, json("{\"n\":\"5\",\"cs\":[\"red\",\"blue\"],\"few\":[1,2,3],"
                  "\"p\":{\"name\":\"x\",\"born\":\"1990-05-31\"},"
                  "\"ps\":{\"name\":\"y\",\"born\":\"1991-05-31\"}}"), CASES);
    // a bad type is refused when it is loaded, with its line
    Error err = {0};
    const DmnModel *none = NULL;
    assert_int_equal(dmn_load(S(MODEL("u") "\n" INPUT("n", "tNone") END), arena, &none, &err),
                     INVALID);
    assert_true(str_eq(err.where, S("3")));
}

static const char *const SERVICES =
    MODEL("u") INPUT("a", "string")
    DECISION("d1", "string", NEEDS("#a") FEEL("\"x\" + a"))
    DECISION("d2", "string", NEEDS_DECISION("#d1") NEEDS("#a") FEEL("d1 + \"-\" + a"))
    "<decisionService id=\"s1\" name=\"s 1\"><outputDecision href=\"#d2\"/>"
    "<encapsulatedDecision href=\"#d1\"/><inputData href=\"#a\"/></decisionService>\n"
    "<decisionService id=\"s2\" name=\"s2\"><outputDecision href=\"#d2\"/>"
    "<inputDecision href=\"#d1\"/><inputData href=\"#a\"/></decisionService>\n"
    "<decisionService id=\"s3\" name=\"s3\"><outputDecision href=\"#d1\"/>"
    "<outputDecision href=\"#d2\"/><inputData href=\"#a\"/></decisionService>\n"
    DECISION("call", "Any", KNOWS("#s1") NEEDS_DECISION("#d1")
             FEEL("[s 1(\"A\"), s 1(a: \"B\"), d1]"))
    DECISION("given", "Any", KNOWS("#s2") FEEL("[s2(\"A\", \"D\"), s2(d1: \"D\", a: \"A\")]"))
    DECISION("several", "Any", KNOWS("#s3") FEEL("s3([\"A\"])"))
    DECISION("boxed", "Any", KNOWS("#s1") "<invocation>" FEEL("s 1")
             "<binding><parameter name=\"a\"/>" FEEL("\"B\"") "</binding></invocation>")
    DECISION("few", "Any", KNOWS("#s2") FEEL("s2(\"A\")"))
    DECISION("wrong", "Any", KNOWS("#s1") FEEL("s 1(1)")) END;

static void services(void **state) {
    (void)state;
    static const Case CASES[] = {
        {"call", "[\"xA-A\",\"xB-B\",\"xQ\"]", 0}, // inside and outside don't see each other
        {"given", "[\"D-A\",\"D-A\"]", 0},
        {"several", "{\"d1\":\"xA\",\"d2\":\"xA-A\"}", 0},
        {"boxed", "\"xB-B\"", 0},
        {"few", "null", 1},
        {"wrong", "null", 1},
    };
    const DmnModel *m = load(&SERVICES, 1);
    Value input = json("{\"a\":\"Q\",\"d1\":\"forged\"}");
    DmnResult r;
    CHECK(m, input, CASES);
    assert_int_equal(dmn_service_count(m), 3);
    assert_int_equal(dmn_service(m, S("s2"), input, 0, arena, &r, NULL), OK);
    assert_true(str_eq(v_text(r.value), S("forged-Q")));
    assert_int_equal(dmn_service(m, S("s9"), input, 0, arena, &r, NULL), NOT_FOUND);
    // the input can't stand for what the model decides; only who asks for it can
    assert_int_equal(dmn_decide(m, S("d2"), input, 0, arena, &r, NULL), OK);
    assert_true(str_eq(v_text(r.value), S("xQ-Q")));
    assert_int_equal(dmn_decide_given(m, S("d2"), input, input, 0, arena, &r, NULL), OK);
    assert_true(str_eq(v_text(r.value), S("forged-Q")));
}

static void imports(void **state) {
    (void)state;
    static const char *const A = MODEL("urn:a") TYPE("tA", LIST_OF("number")) INPUT("in a", "tA")
        DECISION("total", "number", NEEDS("#in a") FEEL("sum(in a)"))
        "<businessKnowledgeModel id=\"k\" name=\"twice it\"><encapsulatedLogic>"
        "<formalParameter name=\"n\" typeRef=\"number\"/>" FEEL("n * 2")
        "</encapsulatedLogic></businessKnowledgeModel>" END;
    static const char *const B = MODEL("urn:b") "<import namespace=\"urn:a\" name=\"my a\"/>"
        DECISION("more", "number", NEEDS_DECISION("urn:a#total") KNOWS("urn:a#k")
                 FEEL("my a.twice it(my a.total) + 1")) END;
    static const char *const MAIN = MODEL("urn:m") "<import namespace=\"urn:b\" name=\"b\"/>"
        "<import namespace=\"urn:a\" name=\"\"/>"
        DECISION("all", "tA", NEEDS_DECISION("urn:b#more") NEEDS_DECISION("urn:a#total")
                 FEEL("[b.more, total]"))
        DECISION("isa", "boolean", FEEL("[1] instance of tA")) END;
    static const Case CASES[] = {{"all", "[13,6]", 0}, {"isa", "true", 0}};
    const DmnModel *m = load((const char *const[]){MAIN, A, B}, 3), *none = NULL;
    CHECK(m, json("{\"in a\":[1,2,3]}"), CASES);
    CHECK(m, json("{\"urn:a#in a\":[1,2,3],\"in a\":[9]}"), CASES);
    Error err = {0};
    assert_int_equal(dmn_load(str_z(MAIN), arena, &none, &err), INVALID);
    assert_int_equal(dmn_load_files((DmnFile[]){{S("main"), str_z(MAIN)}, {S("a"), str_z(A)}}, 2,
                                    DMN_STRICT, arena, &none, &err), INVALID);
    assert_true(str_eq(err.where, S("main:2")));
}

static void boxed(void **state) {
    (void)state;
    static const char *const XML = MODEL("u")
        DECISION("for", "Any", LOOP("for", "return", "[1..3]", "i * 2"))
        DECISION("back", "Any", LOOP("for", "return", "[3, 2]", "count(partial)"))
        DECISION("null for", "Any", LOOP("for", "return", "null", "i"))
        DECISION("every", "Any", LOOP("every", "satisfies", "[1..3]", "i &gt; 0"))
        DECISION("some", "Any",
                 LOOP("some", "satisfies", "[1, 2]", "if i = 2 then true else \"no\""))
        DECISION("filter", "Any", "<filter><in>" FEEL("[1, 2, 3]") "</in><match>"
                 FEEL("item &gt; 1") "</match></filter>")
        DECISION("far", "Any", "<filter><in>" FEEL("[1, 2]") "</in><match>" FEEL("5")
                 "</match></filter>")
        DECISION("no match", "Any", "<filter><in>" FEEL("[1, 2]") "</in><match>" FEEL("\"a\"")
                 "</match></filter>")
        DECISION("hides", "Any",
                 "<context><contextEntry><variable name=\"max\" typeRef=\"number\"/>" FEEL("5")
                 "</contextEntry><contextEntry><variable name=\"sum\"/><functionDefinition>"
                 "<formalParameter name=\"a\"/>" FEEL("a + max")
                 "</functionDefinition></contextEntry><contextEntry>" FEEL("sum(3)")
                 "</contextEntry></context>")
        DECISION("not hidden", "Any",
                 "<context><contextEntry><variable name=\"date\"/>" FEEL("\"2020-05-31\"")
                 "</contextEntry><contextEntry>" FEEL("date(from: date).year")
                 "</contextEntry></context>") END;
    static const Case CASES[] = {
        {"for", "[2,4,6]", 0},     {"back", "[0,1]", 0},  {"null for", "null", 1},
        {"every", "true", 0},      {"some", "null", 1},   {"filter", "[2,3]", 0},
        {"far", "null", 1},        {"no match", "null", 1}, {"hides", "8", 0},
        {"not hidden", "2020", 0},
    };
    CHECK(load(&XML, 1), v_null(), CASES);
}

// Depth is counted through knowledge models too: the C stack is bounded, whoever calls whom.
static void deep(void **state) {
    (void)state;
    static const char *const XML = MODEL("u")
        "<businessKnowledgeModel id=\"k\" name=\"k\"><encapsulatedLogic>"
        "<formalParameter name=\"m\"/>"
        FEEL("if m = 0 then 0 else {f: function(n) if n = 0 then k(m - 1) else "
             "1 + (1 + (1 + (1 + (1 + f(n - 1)))))}.f(100)")
        "</encapsulatedLogic></businessKnowledgeModel>"
        DECISION("shallow", "Any", KNOWS("#k") FEEL("k(1)"))
        DECISION("deep", "Any", KNOWS("#k") FEEL("k(50)")) END;
    static const Case CASES[] = {{"shallow", "500", 0}};
    DmnResult r;
    const DmnModel *m = load(&XML, 1);
    CHECK(m, v_null(), CASES);
    assert_int_equal(dmn_decide(m, S("deep"), v_null(), 0, arena, &r, NULL), OK);
    assert_int_equal(r.value.kind, V_NULL);
    assert_true(str_find(v_text(v_path(r.diagnostics, S("0.text"))), S("嵌套")) >= 0);
}

static int setup(void **state) {
    (void)state;
    arena = arena_create(256 << 20);
    wrong = 0;
    return 0;
}
static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    assert_int_equal(wrong, 0);
    return 0;
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(types), T(services), T(imports), T(boxed),
                                       T(deep)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
