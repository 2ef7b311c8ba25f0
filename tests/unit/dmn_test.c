// room: dmn
// Decision models: hit policies, requirements, knowledge models, boxed expressions; the trace that
// tells which rules decided; refusals with their line.
#include "dmn/dmn.h"
#include "value/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static Arena *arena;

#define HEAD "<definitions xmlns=\"https://www.omg.org/spec/DMN/20230324/MODEL/\" name=\"t\">\n"
#define TAIL "</definitions>"
#define INPUT(id, name, type)                                                                \
    "<inputData id=\"" id "\" name=\"" name "\"><variable name=\"" name "\" typeRef=\"" type \
    "\"/></inputData>\n"
#define NEEDS(id) \
    "<informationRequirement><requiredInput href=\"#" id "\"/></informationRequirement>"
#define NEEDS_DECISION(id) \
    "<informationRequirement><requiredDecision href=\"#" id "\"/></informationRequirement>"
#define NEEDS_BKM(id) \
    "<knowledgeRequirement><requiredKnowledge href=\"#" id "\"/></knowledgeRequirement>"
#define FEEL(text) "<literalExpression><text>" text "</text></literalExpression>"

static const DmnModel *load(const char *xml) {
    const DmnModel *m = NULL;
    Error err = {0};
    if (dmn_load(str_z(xml), arena, &m, &err) != OK) {
        print_error("%.*s: %.*s\n", S_FMT(err.where),
                    S_FMT(error_message(&err, NULL, NULL, arena)));
        fail();
    }
    return m;
}

static DmnResult decide(const DmnModel *m, const char *decision, const char *input) {
    Value v;
    DmnResult r = {0};
    assert_int_equal(json_parse(str_z(input), JSON_STRICT, (JsonLimits){0}, arena, &v, NULL), OK);
    assert_int_equal(dmn_decide(m, str_z(decision), v, INT64_C(1685494800000), arena, &r, NULL),
                     OK);
    return r;
}

static size_t wrong;
static void expect(const DmnModel *m, const char *decision, const char *input,
                   const char *expected) {
    Str got = json_to_str(decide(m, decision, input).value, arena);
    if (str_eq(got, str_z(expected))) return;
    print_error("%s of %s gave %.*s, expected %s\n", decision, input, S_FMT(got), expected);
    wrong++;
}

// A table over x and y with outputs as the policy needs them.
static const DmnModel *table(const char *policy, const char *output, const char *values) {
    Str xml = arena_printf(
        arena,
        HEAD INPUT("x", "x", "number")
            INPUT("y", "y", "string") "<decision id=\"d\" name=\"d\">" NEEDS("x")
                NEEDS("y") "<decisionTable %s>\n"
                           "<input><inputExpression><text>x</text></inputExpression></input>"
                           "<input><inputExpression><text>y</text></inputExpression></"
                           "input>\n<output %s>%s</output>\n"
                           "<rule><inputEntry><text>&lt; "
                           "10</text></inputEntry><inputEntry><text>-</text></"
                           "inputEntry><outputEntry><text>1</text></outputEntry></rule>\n"
                           "<rule><inputEntry><text>[5..20]</text></"
                           "inputEntry><inputEntry><text>\"a\",\"b\"</text></"
                           "inputEntry><outputEntry><text>x * 2</text></outputEntry></rule>\n"
                           "<rule><inputEntry><text>&gt; "
                           "15</text></inputEntry><inputEntry><text></text></"
                           "inputEntry><outputEntry><text>3</text></outputEntry></rule>\n"
                           "</decisionTable></decision>" TAIL,
        policy, output, values);
    return load(arena_cstr(arena, xml));
}

static void policies(void **state) {
    (void)state;
    wrong = 0;
    const DmnModel *m = table("", "", "");
    expect(m, "d", "{\"x\":1,\"y\":\"a\"}", "1");
    expect(m, "d", "{\"x\":12,\"y\":\"b\"}", "24");
    expect(m, "d", "{\"x\":7,\"y\":\"a\"}", "null"); // two rules of a unique table
    expect(m, "d", "{\"x\":12,\"y\":\"c\"}", "null");
    expect(m, "d", "{}", "null");
    assert_int_equal(decide(m, "d", "{\"x\":7,\"y\":\"a\"}").diagnostics.len, 1);
    expect(table("hitPolicy=\"FIRST\"", "", ""), "d", "{\"x\":7,\"y\":\"a\"}", "1");
    expect(table("hitPolicy=\"ANY\"", "", ""), "d", "{\"x\":7,\"y\":\"a\"}", "null");
    expect(table("hitPolicy=\"ANY\"", "", ""), "d", "{\"x\":7,\"y\":\"z\"}", "1");
    const char *values = "<outputValues><text>14, 3, 1</text></outputValues>";
    expect(table("hitPolicy=\"PRIORITY\"", "", values), "d", "{\"x\":7,\"y\":\"a\"}", "14");
    expect(table("hitPolicy=\"OUTPUT ORDER\"", "", values), "d", "{\"x\":7,\"y\":\"a\"}", "[14,1]");
    expect(table("hitPolicy=\"RULE ORDER\"", "", ""), "d", "{\"x\":7,\"y\":\"a\"}", "[1,14]");
    expect(table("hitPolicy=\"COLLECT\"", "", ""), "d", "{\"x\":17,\"y\":\"a\"}", "[34,3]");
    expect(table("hitPolicy=\"COLLECT\" aggregation=\"SUM\"", "", ""), "d",
           "{\"x\":17,\"y\":\"a\"}", "37");
    expect(table("hitPolicy=\"COLLECT\" aggregation=\"MIN\"", "", ""), "d",
           "{\"x\":17,\"y\":\"a\"}", "3");
    expect(table("hitPolicy=\"COLLECT\" aggregation=\"MAX\"", "", ""), "d",
           "{\"x\":17,\"y\":\"a\"}", "34");
    expect(table("hitPolicy=\"COLLECT\" aggregation=\"COUNT\"", "", ""), "d",
           "{\"x\":17,\"y\":\"a\"}", "2");
    expect(table("hitPolicy=\"COLLECT\" aggregation=\"COUNT\"", "", ""), "d",
           "{\"x\":12,\"y\":\"z\"}", "0");
    expect(table("", "", "<defaultOutputEntry><text>\"无\"</text></defaultOutputEntry>"), "d",
           "{\"x\":12,\"y\":\"z\"}", "\"无\"");
    assert_int_equal(wrong, 0);
}

static void trace(void **state) {
    (void)state;
    const DmnModel *m = table("hitPolicy=\"COLLECT\"", "", "");
    DmnResult r = decide(m, "d", "{\"x\":17,\"y\":\"a\"}");
    // which rules decided, on what inputs, and by which tests
    assert_string_equal(
        arena_cstr(arena, json_to_str(r.trace, arena)),
        "[{\"decision\":\"d\",\"rules\":[2,3],\"value\":[34,3],\"tables\":[{\"policy\":"
        "\"COLLECT\",\"inputs\":[{\"column\":\"x\",\"value\":17},{\"column\":\"y\","
        "\"value\":\"a\"}],\"rules\":[{\"rule\":2,\"tests\":[\"[5..20]\","
        "\"\\\"a\\\",\\\"b\\\"\"]},{\"rule\":3,\"tests\":[\"> 15\",\"-\"]}]}]}]");
    assert_int_equal(r.diagnostics.len, 0);
    r = decide(
        table("hitPolicy=\"PRIORITY\"", "", "<outputValues><text>14, 1</text></outputValues>"), "d",
        "{\"x\":7,\"y\":\"a\"}");
    assert_true(str_eq(json_to_str(v_path(r.trace, S("0.rules")), arena), S("[2]")));
    r = decide(m, "d", "{\"x\":\"seven\",\"y\":\"a\"}");
    assert_true(r.diagnostics.len > 0);
    assert_true(str_eq(v_text(v_path(r.diagnostics, S("0.decision"))), S("x")));
    assert_int_equal(v_to_int(v_path(r.diagnostics, S("0.line")), 0), 2);
}

// clang-format off
static const char *const MODEL =
    HEAD INPUT("p", "Person", "tPerson") INPUT("b", "Birth Day", "date")
    INPUT("r", "缴费", "number")
    "<itemDefinition name=\"tPerson\"><itemComponent name=\"first name\"/></itemDefinition>"
    "<businessKnowledgeModel id=\"k\" name=\"two thirds\"><encapsulatedLogic>"
    "<formalParameter name=\"paid\"/>" FEEL("decimal(paid * 2 / 3, 2)")
    "</encapsulatedLogic></businessKnowledgeModel>\n"
    "<businessKnowledgeModel id=\"f\" name=\"fact\"><encapsulatedLogic>"
    "<formalParameter name=\"n\"/>" FEEL("if n &lt; 2 then 1 else n * fact(n - 1)")
    "</encapsulatedLogic></businessKnowledgeModel>\n"
    "<businessKnowledgeModel id=\"e\" name=\"endless\"><encapsulatedLogic>"
    "<formalParameter name=\"n\"/>" FEEL( "endless(n) + endless(n)")
    "</encapsulatedLogic></businessKnowledgeModel>\n"
    "<decision id=\"age\" name=\"age\">" NEEDS("b")
    FEEL( "years and months duration(Birth Day, today()).years") "</decision>\n"
    "<decision id=\"s\" name=\"subsidy\">" NEEDS( "r") NEEDS_DECISION("age") NEEDS_BKM("k")
    "<context><contextEntry><variable name=\"the base\"/>" FEEL("缴费 + 0") "</contextEntry>"
    "<contextEntry>" FEEL( "if age &gt;= 45 then two thirds(the base) else 0")
    "</contextEntry></context></decision>\n"
    "<decision id=\"i\" name=\"invoked\">" NEEDS( "r") NEEDS_BKM("k") "<invocation>"
    FEEL("two thirds") "<binding><parameter name=\"paid\"/>" FEEL("缴费 * 3")
    "</binding></invocation></decision>\n"
    "<decision id=\"g\" name=\"greeting\">" NEEDS( "p") FEEL("\"您好\" + Person.first name")
    "</decision>\n"
    "<decision id=\"fd\" name=\"factorial\">" NEEDS_BKM("f") FEEL( "fact(5)") "</decision>\n"
    "<decision id=\"ed\" name=\"endless decision\">" NEEDS_BKM("e") FEEL("endless(5)")
    "</decision>\n"
    "<decision id=\"l\" name=\"list\"><list>" FEEL( "1") FEEL("2") "</list></decision>\n"
    "<decision id=\"re\" name=\"relation\"><relation><column name=\"a\"/>"
    "<column name=\"b\"/><row>" FEEL("1") FEEL( "2") "</row></relation></decision>\n"
    "<decision id=\"c\" name=\"choose\">" NEEDS( "r") "<conditional><if>" FEEL("缴费 &gt; 5")
    "</if><then>" FEEL("\"多\"") "</then><else>" FEEL("\"少\"") "</else></conditional></decision>\n"
    "<decision id=\"fo\" name=\"each\"><for iteratorVariable=\"i\"><in>" FEEL("[1,2]")
    "</in><return>" FEEL( "i * 10") "</return></for></decision>\n"
    "<decision id=\"so\" name=\"some\"><some iteratorVariable=\"i\"><in>" FEEL("[1,2]")
    "</in><satisfies>" FEEL("i = 2") "</satisfies></some></decision>\n"
    "<decision id=\"fi\" name=\"filter\"><filter><in>" FEEL("[1,2,3]") "</in><match>"
    FEEL("item &gt; 1") "</match></filter></decision>\n"
    "<decision id=\"fu\" name=\"function\"><context><contextEntry><variable name=\"m\"/>"
    "<functionDefinition><formalParameter name=\"a\"/>" FEEL("a + 1")
    "</functionDefinition></contextEntry><contextEntry>" FEEL("m(a: 1)")
    "</contextEntry></context></decision>\n"
    "<decision id=\"no\" name=\"nothing\"/>\n"
    TAIL;
// clang-format on

static void models(void **state) {
    (void)state;
    wrong = 0;
    const DmnModel *m = load(MODEL);
    const char *input =
        "{\"Person\":{\"first name\":\"王\"},\"Birth Day\":\"1970-01-01\",\"缴费\":9}";
    expect(m, "age", input, "53");
    expect(m, "subsidy", input, "6.00");
    expect(m, "subsidy", "{\"Birth Day\":\"2000-01-01\",\"缴费\":9}", "0");
    expect(m, "invoked", input, "18.00");
    expect(m, "greeting", input, "\"您好王\"");
    expect(m, "factorial", input, "120");
    expect(m, "endless decision", input, "null");
    expect(m, "list", input, "[1,2]");
    expect(m, "relation", input, "[{\"a\":1,\"b\":2}]");
    expect(m, "choose", input, "\"多\"");
    expect(m, "each", input, "[10,20]");
    expect(m, "some", input, "true");
    expect(m, "filter", input, "[2,3]");
    expect(m, "function", input, "2");
    expect(m, "nothing", input, "null");
    assert_int_equal(wrong, 0);
    assert_int_equal(dmn_input_count(m), 3);
    assert_true(str_eq(dmn_input_name(m, 1), S("Birth Day")));
    assert_int_equal(dmn_decision_count(m), 14);
    assert_true(str_eq(dmn_decision_name(m, 1), S("subsidy")));
    DmnResult r;
    Error err = {0};
    assert_int_equal(dmn_decide(m, S("none"), v_null(), 0, arena, &r, &err), NOT_FOUND);
    assert_int_equal(dmn_decide(m, S("age"), v_int(1), 0, arena, &r, &err), INVALID);
    // what is required is decided first and stands in the trace
    r = decide(m, "subsidy", input);
    assert_int_equal(r.trace.len, 2);
    assert_true(str_eq(v_text(v_path(r.trace, S("0.decision"))), S("age")));
}

static void refusals(void **state) {
    (void)state;
    static const char *const CASES[][2] = {
        {"", "1"},
        {"<a/>", "1"},
        {"<definitions>", "1"},
        {"<!DOCTYPE d [<!ENTITY a \"b\">]><definitions>&a;</definitions>", "1"},
        {HEAD "<decision id=\"d\" name=\"d\">\n" FEEL("1 +\n* 2") "</decision>" TAIL, "4"},
        {HEAD "<decision id=\"d\" name=\"d\">" NEEDS("x") FEEL("1") "</decision>" TAIL, "2"},
        {HEAD "<decision id=\"d\" name=\"d\">" NEEDS_DECISION("d") FEEL("1") "</decision>" TAIL,
         "2"},
        {HEAD "\n<decision id=\"d\" name=\"d\"><decisionTable "
              "hitPolicy=\"BEST\"><output/></decisionTable></decision>" TAIL,
         "3"},
        {HEAD
         "<decision id=\"d\" "
         "name=\"d\"><decisionTable><input><inputExpression><text>1</text></inputExpression></"
         "input><output/>\n"
         "<rule><outputEntry><text>1</text></outputEntry></rule></decisionTable></decision>" TAIL,
         "3"},
        {HEAD "<import name=\"a\"/>" TAIL, "2"},
        {HEAD "<decision id=\"d\">" FEEL("1") "</decision>" TAIL, "2"},
        {HEAD "<decision id=\"d\" name=\"d\">" FEEL(
             "1") "</decision>\n<decision id=\"e\" name=\"d\">" FEEL("1") "</decision>" TAIL,
         "3"},
    };
    size_t bad = 0;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const DmnModel *m = NULL;
        Error err = {0};
        Status status = dmn_load(str_z(CASES[i][0]), arena, &m, &err);
        if (status == INVALID && str_eq(err.where, str_z(CASES[i][1])) && !m) continue;
        print_error("case %zu: status %d at %.*s %.*s\n", i, status, S_FMT(err.where),
                    S_FMT(error_message(&err, NULL, NULL, arena)));
        bad++;
    }
    assert_int_equal(bad, 0);
    // deferred: the same expression is null with a diagnostic
    const DmnModel *m;
    assert_int_equal(dmn_load_files(&(DmnFile){.xml = str_z(CASES[4][0])}, 1, DMN_DEFERRED,
                                    arena, &m, NULL), OK);
    DmnResult r = decide(m, "d", "{}");
    assert_int_equal(r.value.kind, V_NULL);
    assert_int_equal(r.diagnostics.len, 1);
}

static int setup(void **state) {
    (void)state;
    arena = arena_create(512 << 20);
    return 0;
}
static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(policies), T(trace), T(models), T(refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
