// room: base
#include "base/error.h"

#include <cmocka.h>

static Str english(void *catalog, Str zh) {
    (void)catalog;
    return str_eq(zh, S("请填写{1}，最多{2}个字")) ? S("At most {2} letters for {1}") : zh;
}

static void says_what_and_where(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(1 << 20);
    Error e;
    char name[] = "姓名";
    Status status = error_set(&e, INVALID, S("applicant.name"), "请填写{1}，最多{2}个字",
                              str_z(name), S("20"));
    name[0] = 'x'; // the error has its own copy
    assert_int_equal(status, INVALID);
    assert_int_equal(e.status, INVALID);
    assert_true(str_eq(e.where, S("applicant.name")));
    assert_true(str_eq(error_message(&e, NULL, NULL, a), S("请填写姓名，最多20个字")));
    assert_true(str_eq(error_message(&e, english, NULL, a), S("At most 20 letters for 姓名")));
    assert_int_equal(error_set(NULL, DENIED, S("x"), "无权"), DENIED);
}

static void leaves_other_braces_alone(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(1 << 20);
    Error e;
    error_set(&e, INVALID, S(""), "{0}{4}{{1}}{1", S("{2}"), S("no"));
    assert_true(str_eq(error_message(&e, NULL, NULL, a), S("{0}{4}{{2}}{1")));
}

static void cuts_long_arguments(void **state) {
    (void)state;
    char text[3001];
    for (size_t i = 0; i + 3 <= 3000; i += 3) memcpy(text + i, "办", 3);
    Error e;
    error_set(&e, INVALID, S("here"), "{1}{2}{3}", str_of(text, 3000), S("second"), S("third"));
    assert_true(str_eq(e.where, S("here")));
    assert_true(e.args[0].len >= 100 && e.args[0].len <= ERROR_TEXT_SIZE);
    assert_true(str_utf8_valid(e.args[0]));
    assert_true(str_eq(e.args[1], S("second")));
    assert_true(str_eq(e.args[2], S("third")));
    error_set(&e, INVALID, str_of(text, 3000), "{1}{2}{3}", str_of(text, 3000),
              str_of(text, 3000), str_of(text, 3000));
    assert_true(e.where.len + e.args[0].len + e.args[1].len + e.args[2].len <= ERROR_TEXT_SIZE);
    assert_true(e.args[2].len >= 100);
}

static void gains_a_place(void **state) {
    (void)state;
    Error e;
    error_set(&e, INVALID, S("12"), "{1}", S("arg"));
    error_at(&e, S("form.json"));
    assert_true(str_eq(e.where, S("form.json:12")));
    assert_true(str_eq(e.args[0], S("arg")));
    error_at(&e, S("packs/food"));
    assert_true(str_eq(e.where, S("packs/food:form.json:12")));
    error_set(&e, INVALID, S(""), "x");
    error_at(&e, S("form.json"));
    assert_true(str_eq(e.where, S("form.json")));
    // An error may be said anew with its own arguments.
    error_set(&e, INVALID, S("w"), "{1}", S("arg"));
    error_set(&e, BROKEN, e.args[0], "{1}", e.where);
    assert_true(str_eq(e.where, S("arg")));
    assert_true(str_eq(e.args[0], S("w")));
}

static void collects_many(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(4 << 20);
    Errors es = errors_make(a);
    assert_int_equal(errors_status(&es), OK);
    for (int i = 0; i < ERRORS_MAX + 5; i++) {
        assert_int_equal(errors_add(&es, i ? INVALID : LIMIT, arena_printf(a, "f%d", i), "{1}",
                                    arena_printf(a, "%d", i)),
                         i ? INVALID : LIMIT);
    }
    assert_int_equal(es.count, ERRORS_MAX);
    assert_true(es.more);
    assert_int_equal(errors_status(&es), LIMIT);
    for (size_t i = 0; i < es.count; i++) { // each still points into itself after growing
        const Error *e = &es.items[i];
        assert_true(str_eq(error_message(e, NULL, NULL, a), arena_printf(a, "%zu", i)));
        assert_true(e->where.ptr >= e->room && e->where.ptr < e->room + sizeof e->room);
    }
    Errors other = errors_make(a);
    assert_int_equal(errors_push(&other, &es.items[3]), INVALID);
    assert_true(str_eq(other.items[0].where, S("f3")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_and_where), cmocka_unit_test(leaves_other_braces_alone),
        cmocka_unit_test(cuts_long_arguments), cmocka_unit_test(gains_a_place),
        cmocka_unit_test(collects_many),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
