// room: case
// Catalogues: what RFC 4180 allows, and bad lines told by number with the rest untouched.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "case/item.h"
#include "value/json.h"

#define HEAD "department,main_item,name,item_code,task_type,dept_code\n"

static Arena *arena;
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

static Status read_text(const char *text, bool json, Value *ret, Errors *errs) {
    *errs = errors_make(arena);
    return catalogue_read(str_z(text), json, arena, ret, errs);
}

static void assert_member(Value lines, uint32_t i, const char *name, const char *expected) {
    Str got = v_text(v_get(v_at(lines, i), str_z(name)));
    if (!str_eq(got, str_z(expected))) {
        print_error("%s: got \"%.*s\", wanted \"%s\"\n", name, S_FMT(got), expected);
        fail();
    }
}

static void plain_lines(void **state) {
    (void)state;
    Value lines;
    Errors errs;
    assert_int_equal(read_text("\xef\xbb\xbf" HEAD "甲局,未分类,事项一,A-1,1,123\r\n"
                               "\"乙,局\",\"大\n项\",\"事项\"\"二\"\"\",A-2,20,",
                               false, &lines, &errs),
                     OK);
    assert_int_equal(errs.count, 0);
    assert_int_equal(lines.len, 2);
    assert_member(lines, 0, "department", "甲局");
    assert_member(lines, 0, "dept_code", "123");
    assert_member(lines, 1, "department", "乙,局");
    assert_member(lines, 1, "main_item", "大\n项");
    assert_member(lines, 1, "name", "事项\"二\"");
    assert_int_equal(v_to_int(v_get_lit(v_at(lines, 0), "line"), 0), 2);
    assert_int_equal(v_to_int(v_get_lit(v_at(lines, 1), "line"), 0), 3);
}

static void bad_lines_leave_the_rest(void **state) {
    (void)state;
    Value lines;
    Errors errs;
    Status st = read_text(HEAD "甲局,,好一,A-1,1,\n"    // 2
                               "甲局,,,A-2,1,\n"        // 3: no name
                               "甲局,好,A-3,1\n"        // 4: too few
                               "甲局,,a\"b,A-4,1,\n"    // 5: a quote in the middle
                               "\n"                     // 6: empty, skipped
                               "甲局,,好二,A-5,1,\n"    // 7
                               "甲局,,好三,A-6,,\n"     // 8: no type
                               "甲局,,\xff,A-7,1,\n"    // 9: not UTF-8
                               "\"甲局,,没完,A-8,1,\n", // 10: never closed
                          false, &lines, &errs);
    static const char *const places[] = {"line 3", "line 4", "line 5",
                                         "line 8", "line 9", "line 10"};
    assert_int_equal(st, OK);
    assert_int_equal(lines.len, 2);
    assert_member(lines, 0, "name", "好一");
    assert_member(lines, 1, "name", "好二");
    assert_int_equal(errs.count, sizeof places / sizeof *places);
    for (size_t i = 0; i < errs.count; i++) {
        assert_true(str_eq(errs.items[i].where, str_z(places[i])));
    }
}

static void columns_in_any_order(void **state) {
    (void)state;
    Value lines;
    Errors errs;
    assert_int_equal(read_text("task_type,remark,item_code,name,department\n20,x,B-1,名,部门\n",
                               false, &lines, &errs),
                     OK);
    assert_int_equal(lines.len, 1);
    assert_member(lines, 0, "department", "部门");
    assert_member(lines, 0, "dept_code", "");
}

static void a_file_without_the_columns_is_refused(void **state) {
    (void)state;
    Value lines = v_lit("untouched");
    Errors errs;
    assert_int_equal(read_text("department,name\n甲,乙\n", false, &lines, &errs), INVALID);
    assert_int_equal(read_text("", false, &lines, &errs), INVALID);
    assert_int_equal(read_text("\"", false, &lines, &errs), INVALID);
    assert_int_equal(read_text("{\"department\": \"x\"}", true, &lines, &errs), INVALID);
    assert_int_equal(read_text("[", true, &lines, &errs), INVALID);
    assert_true(str_eq(v_text(lines), S("untouched")));
}

static void json_lists(void **state) {
    (void)state;
    Value lines;
    Errors errs;
    assert_int_equal(read_text("[{\"department\": \"甲\", \"name\": \"一\", \"item_code\": \"C-1\","
                               " \"task_type\": 20}, 7, {\"department\": \"甲\", \"name\": [],"
                               " \"item_code\": \"C-2\", \"task_type\": \"1\"}]",
                               true, &lines, &errs),
                     OK);
    assert_int_equal(lines.len, 1);
    assert_member(lines, 0, "task_type", "20");
    assert_int_equal(errs.count, 2);
    assert_true(str_eq(errs.items[0].where, S("line 2")));
    assert_true(str_eq(errs.items[1].where, S("line 3")));
}

static void many_bad_lines_are_bounded(void **state) {
    (void)state;
    Buf b = buf_make(arena, 1 << 16, 8 << 20);
    buf_lit(&b, HEAD);
    for (int i = 0; i < 5000; i++) buf_lit(&b, ",,,,,\n");
    buf_lit(&b, "甲局,,末行,Z-1,1,\n");
    Value lines;
    Errors errs = errors_make(arena);
    assert_int_equal(catalogue_read(buf_view(&b), false, arena, &lines, &errs), OK);
    assert_int_equal(lines.len, 1);
    assert_int_equal(errs.count, ERRORS_MAX);
    assert_true(errs.more);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_lines),
        cmocka_unit_test(bad_lines_leave_the_rest),
        cmocka_unit_test(columns_in_any_order),
        cmocka_unit_test(a_file_without_the_columns_is_refused),
        cmocka_unit_test(json_lists),
        cmocka_unit_test(many_bad_lines_are_bounded),
    };
    return cmocka_run_group_tests_name("catalogue", tests, setup, teardown);
}
