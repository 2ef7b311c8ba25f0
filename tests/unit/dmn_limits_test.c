// room: dmn
// Every maximum of decision models: one less is taken, one more is refused with words that name it.
//
// Maxima that are no refusal, because past them something is left out that only informs:
//   DMN_DIAGNOSTICS_MAX, DMN_FINDINGS_MAX, DMN_TRACE_TABLES_MAX, DMN_TRACE_RULES_MAX, SHOWN_MAX,
//   TOLD_MAX, GAPS_TOLD_MAX     how much is told
//   RULES_MAX, COLUMNS_MAX, PIECES_MAX, GAP_STEPS_MAX, CHECK_NAMES_MAX   what the check of gaps and
//                               overlaps looks at; larger tables are not checked for them
//   INDEX_ENTRIES_MAX, INDEX_SPREAD_MAX   a column past them has no index and is tested row by row
//   DMN_NAMES_MAX               names with blanks that expressions can be read with
//   IMPORT_CHAIN_MAX            how far a name is looked for through imports
#include "dmn/dmn.h"
#include "dmn/dmn_internal.h"
#include "limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { MEMORY_MAX = 2000 << 20, INPUT_MAX = 48 << 20 };

#define HEAD "<definitions xmlns=\"https://www.omg.org/spec/DMN/20230324/MODEL/\" namespace=\"n\">"
#define TAIL "</definitions>"
#define TEXT(text) "<literalExpression><text>" text "</text></literalExpression>"
#define TABLE_HEAD HEAD "<decision id=\"d\" name=\"d\"><decisionTable>"
#define TABLE_TAIL "</decisionTable></decision>" TAIL
#define INPUT "<input><inputExpression><text>1</text></inputExpression></input>"

static Arena *arena;

static const LimitCase LOADED[] = {
    {"DMN_SIZE_MAX", HEAD, " ", (8 << 20) - sizeof HEAD - sizeof TAIL + 3, 0, 0, TAIL, "8388608"},
    {"DMN_RULES_MAX", TABLE_HEAD "<output/>",
     "<rule><outputEntry><text>1</text></outputEntry></rule>", 20001, 0, 0, TABLE_TAIL, "20000"},
    {"DMN_DECISIONS_MAX", HEAD, "<inputData name=\"i#\"/>", 2001, 0, 0, TAIL, "2000"},
    {"DMN_DEPTH_MAX", HEAD "<decision name=\"d\">", "<list>", 60, TEXT("1"), "</list>",
     "</decision>" TAIL, "60"},
    {"DMN_COLUMNS_MAX", TABLE_HEAD, INPUT, 201, "<output/>", 0, TABLE_TAIL, "200"},
    {"DMN_COLUMNS_MAX", TABLE_HEAD, "<output name=\"o#\"/>", 201, 0, 0, TABLE_TAIL, "200"},
    {"DMN_TYPES_MAX", HEAD,
     "<itemDefinition name=\"t#\"><typeRef>number</typeRef></itemDefinition>", 5001, 0, 0, TAIL,
     "5000"},
};

static Status load(Str xml, Str *ret_says) {
    const DmnModel *m;
    Error err = {0};
    Status status = dmn_load(xml, arena, &m, &err);
    *ret_says = status ? error_message(&err, NULL, NULL, arena) : S("");
    return status;
}

static void test_loaded(void **state) {
    (void)state;
    bool good = true;
    for (size_t i = 0; i < sizeof LOADED / sizeof *LOADED; i++) {
        const LimitCase *c = &LOADED[i];
        ArenaMark mark = arena_mark(arena);
        Str says;
        Status status = load(limit_input(c, c->times, INPUT_MAX, arena), &says);
        if (status != LIMIT || str_find(says, str_z(c->says)) < 0) {
            print_error("%s: status %d, says “%.*s”\n", c->limit, status, S_FMT(says));
            good = false;
        }
        status = load(limit_input(c, c->times - 1, INPUT_MAX, arena), &says);
        if (status != OK) {
            print_error("%s: one less is refused: %.*s\n", c->limit, S_FMT(says));
            good = false;
        }
        arena_rewind(arena, mark);
    }
    assert_true(good);
}

// DMN_CHAIN_MAX: decision 0 needs 1, which needs 2 …
static Str chain(int length) {
    Buf out = buf_make(arena, 4096, INPUT_MAX);
    buf_lit(&out, HEAD);
    for (int i = 0; i < length; i++) {
        buf_printf(&out, "<decision id=\"d%d\" name=\"d%d\">", i, i);
        if (i + 1 < length)
            buf_printf(&out,
                       "<informationRequirement><requiredDecision href=\"#d%d\"/>"
                       "</informationRequirement>",
                       i + 1);
        buf_lit(&out, TEXT("1") "</decision>");
    }
    buf_lit(&out, TAIL);
    return buf_view(&out);
}

static void test_chain(void **state) {
    (void)state;
    Str says;
    assert_int_equal(load(chain(DMN_CHAIN_MAX), &says), OK);
    assert_int_equal(load(chain(DMN_CHAIN_MAX + 2), &says), LIMIT);
    assert_true(str_find(says, S("200")) >= 0);
}

// DMN_CALLS_MAX: a knowledge model that calls itself ends in null with a diagnostic.
static void test_calls(void **state) {
    (void)state;
    const DmnModel *m;
    DmnResult result;
    Error err;
    Str xml = S(HEAD "<businessKnowledgeModel id=\"b\" name=\"b\"><encapsulatedLogic>"
                     "<formalParameter name=\"n\"/>" TEXT("if n = 0 then 0 else 1 + b(n - 1)")
                "</encapsulatedLogic></businessKnowledgeModel><decision id=\"d\" name=\"d\">"
                "<knowledgeRequirement><requiredKnowledge href=\"#b\"/></knowledgeRequirement>"
                TEXT("b(1000000)") "</decision>" TAIL);
    Status status = dmn_load(xml, arena, &m, &err);
    if (status == OK) {
        assert_int_equal(dmn_decide(m, S("d"), v_null(), 0, arena, &result, &err), OK);
        assert_int_equal(result.value.kind, V_NULL);
        assert_true(result.diagnostics.len > 0);
    }
}

static void test_files(void **state) {
    (void)state;
    static DmnFile files[DMN_FILES_MAX + 1];
    const DmnModel *m;
    Error err;
    for (size_t i = 0; i < DMN_FILES_MAX + 1; i++)
        files[i] = (DmnFile){
            arena_printf(arena, "f%zu", i),
            arena_printf(arena, "<definitions namespace=\"n%zu\">" TAIL, i)};
    assert_int_equal(dmn_load_files(files, DMN_FILES_MAX, DMN_STRICT, arena, &m, &err), OK);
    assert_int_equal(dmn_load_files(files, DMN_FILES_MAX + 1, DMN_STRICT, arena, &m, &err), LIMIT);
    assert_true(str_find(error_message(&err, NULL, NULL, arena), S("100")) >= 0);
}

int main(void) {
    arena = arena_create(MEMORY_MAX);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loaded),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_files),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
