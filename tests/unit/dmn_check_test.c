// room: dmn
// What the check of a model finds: every fault at once, names nobody gives, requirements that are
// missing, rows that overlap or never decide, inputs no row covers; and nothing in a sound model.
#include "dmn/dmn.h"
#include "value/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define HEAD "<definitions xmlns=\"https://www.omg.org/spec/DMN/20230324/MODEL/\" name=\"t\">\n"
#define TAIL "</definitions>"
#define INPUT(name, type) \
    "<inputData id=\"" name "\" name=\"" name "\"><variable name=\"" name "\" typeRef=\"" type \
    "\"/></inputData>\n"
#define NEEDS(id) \
    "<informationRequirement><requiredInput href=\"#" id "\"/></informationRequirement>"
#define FEEL(text) "<literalExpression><text>" text "</text></literalExpression>"
#define COLUMN(text, type) \
    "<input><inputExpression typeRef=\"" type "\"><text>" text "</text></inputExpression></input>"
#define ROW(a, b, out)                                                                        \
    "<rule><inputEntry><text>" a "</text></inputEntry><inputEntry><text>" b                   \
    "</text></inputEntry><outputEntry><text>" out "</text></outputEntry></rule>\n"

static Arena *arena;

static Value found(const char *xml) {
    Value v;
    Error err = {0};
    assert_int_equal(dmn_check(str_z(xml), arena, &v, &err), OK);
    return v;
}

// The finding at `line` with these words; -1: there is none.
static int finding(Value list, const char *words, int64_t line, const char *severity) {
    for (uint32_t i = 0; i < list.len; i++) {
        Value f = v_at(list, i);
        if (str_find(v_text(v_get_lit(f, "text")), str_z(words)) >= 0 &&
            v_to_int(v_get_lit(f, "line"), 0) == line &&
            str_eq(v_text(v_get_lit(f, "severity")), str_z(severity)))
            return (int)i;
    }
    print_error("no %s “%s” at %d in %s\n", severity, words, (int)line,
                arena_cstr(arena, json_to_str(list, arena)));
    return -1;
}
#define assert_finding(list, words, line, severity) \
    assert_true(finding(list, words, line, severity) >= 0)

static Value table_found(const char *policy, const char *columns, const char *rows) {
    Str xml = arena_printf(arena,
                           HEAD INPUT("x", "number") INPUT("s", "string")
                           "<decision id=\"d\" name=\"d\">" NEEDS("x") NEEDS("s")
                           "<decisionTable hitPolicy=\"%s\">%s<output/>\n%s</decisionTable>"
                           "</decision>" TAIL, policy, columns, rows);
    return found(arena_cstr(arena, xml));
}

static void faults(void **state) {
    (void)state;
    Value v = found(HEAD INPUT("x", "number") INPUT("y", "tNone")
                    "<decision id=\"a\" name=\"a\">" NEEDS("x") FEEL("x +\n y +\n zz")
                    "</decision>\n"
                    "<decision id=\"b\" name=\"b\">" NEEDS("gone") FEEL("1 +\n* 2")
                    "</decision>\n"
                    "<decision id=\"c\" name=\"c\">" FEEL("[{p: 1}][p = 1]") "</decision>\n"
                    "<decision id=\"e\" name=\"e\"/>" TAIL);
    assert_finding(v, "没有名为“tNone”的类型", 3, "error");
    assert_finding(v, "“y”没有连到这里", 5, "error");
    assert_finding(v, "没有名为“zz”的数据", 6, "error");
    assert_finding(v, "引用的“#gone”不在模型里", 7, "error");
    assert_finding(v, "不应出现在这里", 8, "error");
    assert_finding(v, "决策没有内容", 10, "warning");
    assert_int_equal(v.len, 6);
    assert_true(str_eq(v_text(v_path(v, S("1.element"))), S("a")));
    assert_int_equal(v_to_int(v_path(v, S("1.column")), 0), 2);
    v = found("<definitions><decision></definitions>");
    assert_finding(v, "不是有效的 XML", 1, "error");
    v = found(HEAD INPUT("x", "number") INPUT("s", "string") "<decision id=\"d\" name=\"d\">"
              NEEDS("x") NEEDS("s") FEEL("x") "</decision>" TAIL);
    assert_finding(v, "所需的“s”没有用到", 4, "warning");
    assert_int_equal(v.len, 1);
}

static void tables(void **state) {
    (void)state;
    const char *columns = COLUMN("x", "number") COLUMN("s", "string");
    // sound: every number, the words that are named
    Value v = table_found("UNIQUE", columns, ROW("&lt; 10", "-", "1") ROW("&gt;= 10", "\"a\"", "2")
                                                 ROW("&gt;= 10", "\"b\"", "3"));
    assert_int_equal(v.len, 0);
    v = table_found("UNIQUE", columns, ROW("&lt;= 10", "-", "1") ROW("&gt;= 10", "\"a\"", "2")
                                           ROW("&gt; 20", "\"b\"", "3"));
    assert_finding(v, "第 1 条与第 2 条规则会同时成立", 6, "warning");
    assert_finding(v, "没有规则管到：x in (10..20)，s = b", 4, "warning");
    v = table_found("FIRST", columns, ROW("&lt; 10", "-", "1") ROW("[2..5]", "\"a\"", "2")
                                          ROW("-", "-", "3"));
    assert_finding(v, "第 2 条规则轮不到：第 1 条已经包括了它", 6, "warning");
    assert_int_equal(v.len, 1);
    v = table_found("ANY", columns, ROW("-", "-", "1") ROW("[2..5]", "-", "1")
                                        ROW("3", "\"a\"", "2"));
    assert_finding(v, "结果却不同", 7, "warning");
    v = table_found("COLLECT", columns, ROW("[5..1]", "-", "1") ROW("&gt; 20", "\"b\"", "3"));
    assert_finding(v, "第 1 条规则的条件“[5..1]”永远不会成立", 5, "warning");
    assert_int_equal(v.len, 1);
    // "-" takes null and words that no row names: named ones don't cover it
    v = table_found("FIRST", columns, ROW("-", "\"a\"", "1") ROW("-", "-", "2"));
    assert_int_equal(v.len, 0);
    // of truth values both should be covered, though one is never written
    columns = COLUMN("x &gt; 1", "boolean") COLUMN("s", "string");
    v = table_found("UNIQUE", columns, ROW("true", "-", "1"));
    assert_finding(v, "没有规则管到：x > 1 = false", 4, "warning");
    v = table_found("UNIQUE", columns, ROW("true", "-", "1") ROW("false", "\"a\"", "2"));
    assert_int_equal(v.len, 0);
    // a cell that computes is left alone, and so are the gaps of its column
    columns = COLUMN("x", "number") COLUMN("s", "string");
    v = table_found("UNIQUE", columns, ROW("&lt; x + 1", "-", "1") ROW("&gt; 20", "\"b\"", "3"));
    assert_int_equal(v.len, 0);
}

static int setup(void **state) {
    (void)state;
    arena = arena_create(256 << 20);
    return 0;
}
static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(faults), T(tables)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
