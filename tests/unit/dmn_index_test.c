// room: dmn
// The index of a table against looking at every row: random tables of literals, intervals, lists,
// comparisons, negations and cells that compute, random inputs of the right and of wrong kinds.
// The rows found must be those whose tests all hold when each is asked by itself.
#include "dmn/dmn.h"
#include "value/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { TABLES = 200, ROWS_MAX = 60, COLUMNS = 3, INPUTS = 40 };

static Arena *arena;
static uint64_t seed;

static unsigned chance(unsigned n) { // xorshift: the same on every machine
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed % n);
}

static Str literal(unsigned column) {
    static const char *const WORDS[] = {"\"a\"", "\"b\"", "\"c d\"", "\"汉\""};
    static const char *const FLAGS[] = {"true", "false"};
    if (column == 0) return arena_printf(arena, "%s%u", chance(5) ? "" : "-", chance(12));
    return str_z(column == 1 ? WORDS[chance(4)] : FLAGS[chance(2)]);
}

static Str one_test(unsigned column) {
    static const char *const SIGNS[] = {"<", "<=", ">", ">=", "!=", "="};
    static const char *const LOW[] = {"[", "("}, *const HIGH[] = {"]", ")"};
    Str a = literal(column), b = literal(column);
    if (column == 2) return a;
    switch (chance(6)) {
    case 0: return arena_printf(arena, "%s %.*s", SIGNS[chance(6)], S_FMT(a));
    case 1:
    case 2:
        return arena_printf(arena, "%s%.*s..%.*s%s", LOW[chance(2)], S_FMT(a), S_FMT(b),
                            HIGH[chance(2)]);
    case 3: return arena_printf(arena, "[%.*s, %.*s]", S_FMT(a), S_FMT(b));
    case 4: return chance(20) ? a : S("null");
    default: return a;
    }
}

static Str cell(unsigned column, bool computes) {
    if (chance(5) == 0) return S("-");
    if (computes && chance(10) == 0) return column == 0 ? S("? * 2 > 8") : S("? != null");
    Str tests = one_test(column);
    while (chance(3) == 0)
        tests = arena_concat(arena, (Str[]){tests, S(", "), one_test(column)}, 3);
    return chance(6) ? tests : arena_printf(arena, "not(%.*s)", S_FMT(tests));
}

static Value input(unsigned column) {
    switch (chance(12)) {
    case 0: return v_null();
    case 1: return v_lit("a");
    case 2: return v_int(5);
    default: break;
    }
    static const char *const WORDS[] = {"a", "b", "c d", "汉", "other"};
    if (column == 0) return v_number(decimal_from_parts((int64_t)chance(300) - 60, -1));
    return column == 1 ? v_str(str_z(WORDS[chance(5)])) : v_bool(chance(2));
}

static void put_escaped(Buf *out, Str s) {
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '<') buf_lit(out, "&lt;");
        else buf_char(out, s.ptr[i]);
    }
}

static Str xml_of(const Str (*cells)[COLUMNS], unsigned rows) {
    Buf out = buf_make(arena, 4096, 1 << 20);
    buf_lit(&out, "<definitions>");
    for (unsigned c = 0; c < COLUMNS; c++)
        buf_printf(&out, "<inputData id=\"i%u\" name=\"i%u\"/>", c, c);
    buf_lit(&out, "<decision id=\"d\" name=\"d\">");
    for (unsigned c = 0; c < COLUMNS; c++)
        buf_printf(&out, "<informationRequirement><requiredInput href=\"#i%u\"/>"
                         "</informationRequirement>", c);
    buf_lit(&out, "<decisionTable hitPolicy=\"COLLECT\">");
    for (unsigned c = 0; c < COLUMNS; c++)
        buf_printf(&out, "<input><inputExpression><text>i%u</text></inputExpression></input>", c);
    buf_lit(&out, "<output/>");
    for (unsigned r = 0; r < rows; r++) {
        buf_lit(&out, "<rule>");
        for (unsigned c = 0; c < COLUMNS; c++) {
            buf_lit(&out, "<inputEntry><text>");
            put_escaped(&out, cells[r][c]);
            buf_lit(&out, "</text></inputEntry>");
        }
        buf_printf(&out, "<outputEntry><text>%u</text></outputEntry></rule>", r + 1);
    }
    buf_lit(&out, "</decisionTable></decision></definitions>");
    return buf_view(&out);
}

static bool row_holds(const Str *cells, const Value *inputs) {
    for (unsigned c = 0; c < COLUMNS; c++) {
        const FeelExpr *e;
        FeelRun run = {.arena = arena};
        assert_int_equal(feel_parse_unary(cells[c], NULL, 0, arena, &e, NULL), OK);
        if (!v_true(feel_test(&run, e, inputs[c]))) return false;
    }
    return true;
}

static void one_table(unsigned rows, bool computes) {
    Str cells[ROWS_MAX][COLUMNS];
    const DmnModel *m;
    Error err = {0};
    for (unsigned r = 0; r < rows; r++)
        for (unsigned c = 0; c < COLUMNS; c++) cells[r][c] = cell(c, computes);
    if (dmn_load(xml_of(cells, rows), arena, &m, &err) != OK) {
        print_error("%.*s: %.*s\n", S_FMT(err.where),
                    S_FMT(error_message(&err, NULL, NULL, arena)));
        fail();
    }
    for (unsigned i = 0; i < INPUTS; i++) {
        static const char *const NAMES[] = {"i0", "i1", "i2"};
        ContextBuilder context = context_make(arena);
        ListBuilder expected = list_make(arena);
        Value inputs[COLUMNS];
        DmnResult r;
        for (unsigned c = 0; c < COLUMNS; c++) {
            inputs[c] = input(c);
            context_put(&context, str_z(NAMES[c]), inputs[c]);
        }
        for (unsigned row = 0; row < rows; row++)
            if (row_holds(cells[row], inputs)) list_add(&expected, v_int(row + 1));
        assert_int_equal(dmn_decide(m, S("d"), context_done(&context), 0, arena, &r, NULL), OK);
        Value want = expected.len ? list_done(&expected) : v_null();
        if (v_equal(r.value, want)) continue;
        print_error("inputs %.*s: rows %.*s, expected %.*s\n",
                    S_FMT(json_to_str(context_done(&context), arena)),
                    S_FMT(json_to_str(r.value, arena)), S_FMT(json_to_str(want, arena)));
        fail();
    }
}

static void same_rows(void **state) {
    (void)state;
    seed = 0x9E3779B97F4A7C15u;
    for (unsigned i = 0; i < TABLES; i++) {
        arena = arena_create(256 << 20);
        one_table(2 + chance(ROWS_MAX - 2), i % 2);
        arena_free(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
