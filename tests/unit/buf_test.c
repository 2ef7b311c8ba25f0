// room: base
#include "base/buf.h"

#include <cmocka.h>

static void grows_and_keeps(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(16 << 20);
    Buf b = buf_make(a, 0, 1 << 20);
    for (int i = 0; i < 10000; i++) {
        buf_lit(&b, "办理");
        if (i % 100 == 0) (void)arena_alloc(a, 8); // so that it can't always grow in place
    }
    assert_false(b.full);
    assert_int_equal(b.len, 60000);
    for (size_t i = 0; i < b.len; i += 6) assert_memory_equal(b.ptr + i, "办理", 6);
    buf_bytes(&b, NULL, 0);
    buf_str(&b, (Str){NULL, 0});
    assert_int_equal(buf_view(&b).len, 60000);
}

static void stops_at_its_maximum(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(1 << 20);
    Buf b = buf_make(a, 4, 10);
    buf_lit(&b, "12345678");
    assert_false(b.full);
    buf_lit(&b, "abc");
    assert_true(b.full);
    buf_char(&b, 'x'); // would fit, but there is a hole before it
    buf_int(&b, 1);
    assert_true(str_eq(buf_view(&b), S("12345678")));
    Buf exact = buf_make(a, 100, 10); // the first size is cut to the maximum
    buf_lit(&exact, "1234567890");
    assert_false(exact.full);
    buf_char(&exact, '!');
    assert_true(exact.full);
}

static void writes_numbers(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(1 << 20);
    Buf b = buf_make(a, 8, 1 << 10);
    const int64_t numbers[] = {0, -1, 42, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < 5; i++) {
        buf_int(&b, numbers[i]);
        buf_char(&b, ' ');
    }
    assert_true(str_eq(buf_view(&b), S("0 -1 42 9223372036854775807 -9223372036854775808 ")));
    b.len = 0;
    buf_hex(&b, (const uint8_t[]){0, 0x1F, 0xFF}, 3);
    assert_true(str_eq(buf_view(&b), S("001fff")));
}

static void writes_utf8(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(1 << 20);
    Buf b = buf_make(a, 8, 1 << 10);
    buf_utf8(&b, 'a');
    buf_utf8(&b, 0xE9);
    buf_utf8(&b, 0x529E);
    buf_utf8(&b, 0x1F600);
    assert_true(str_eq(buf_view(&b), S("aé办😀")));
    b.len = 0;
    buf_utf8(&b, 0xD800);
    buf_utf8(&b, 0x110000);
    assert_true(str_eq(buf_view(&b), S("\xEF\xBF\xBD\xEF\xBF\xBD")));
}

static void prints(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(1 << 20);
    Buf b = buf_make(a, 4, 1000);
    buf_printf(&b, "%s=%d;", "a", 5);
    buf_printf(&b, "%0500d", 7);
    assert_int_equal(b.len, 504);
    assert_int_equal(b.ptr[503], '7');
    assert_false(b.full);
    buf_printf(&b, "%0496d", 7); // exactly to the maximum
    assert_false(b.full);
    assert_int_equal(b.len, 1000);
    buf_printf(&b, "x");
    assert_true(b.full);
    assert_int_equal(b.len, 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_keeps), cmocka_unit_test(stops_at_its_maximum),
        cmocka_unit_test(writes_numbers),  cmocka_unit_test(writes_utf8),
        cmocka_unit_test(prints),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
