// room: web
// Form fields, percent-decoding and paths.
#include "web/urlencoded.h"

#include "value/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static Arena *arena;

static int setup(void **state) {
    (void)state;
    arena = arena_create(64 << 20);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

static void parses(const char *text, const char *json) {
    Value v;
    Error err;
    assert_int_equal(urlencoded_parse(str_z(text), arena, &v, &err), OK);
    assert_string_equal(arena_cstr(arena, json_to_str(v, arena)), json);
}

static void test_fields(void **state) {
    (void)state;
    parses("", "{}");
    parses("a=1", "{\"a\":\"1\"}");
    parses("a=1&b=%E4%B8%AD+x&a=2&&c&d=",
           "{\"a\":[\"1\",\"2\"],\"b\":\"中 x\",\"c\":\"\",\"d\":\"\"}");
    parses("a%3Db=c%26d", "{\"a=b\":\"c&d\"}");
    parses("a=1&a=2&a=3", "{\"a\":[\"1\",\"2\",\"3\"]}");
}

static void refused(Str text, Status status) {
    Value v;
    Error err;
    assert_int_equal(urlencoded_parse(text, arena, &v, &err), status);
}

static void test_refusals(void **state) {
    (void)state;
    refused(S("a=%"), INVALID);
    refused(S("a=%4"), INVALID);
    refused(S("a=%zz"), INVALID);
    refused(S("a=%ff"), INVALID);
    refused(S("a=%00"), INVALID);
    refused(S("%ed%a0%80=1"), INVALID);
    refused(S("a=x\0y"), INVALID);
}

static void test_limits(void **state) {
    (void)state;
    Buf many = buf_make(arena, 1024, 1 << 20);
    for (int i = 0; i < URLENCODED_FIELDS_MAX; i++) buf_printf(&many, "f%d=1&", i);
    Value v;
    Error err;
    assert_int_equal(urlencoded_parse(buf_view(&many), arena, &v, &err), OK);
    assert_int_equal(v.len, URLENCODED_FIELDS_MAX);
    buf_lit(&many, "one=more");
    refused(buf_view(&many), LIMIT);
    char name[URLENCODED_NAME_MAX + 2];
    memset(name, 'a', sizeof name);
    refused(str_of(name, sizeof name), LIMIT);
}

static void test_paths(void **state) {
    (void)state;
    Str p;
    assert_true(path_decode(S("/"), arena, &p));
    assert_true(str_eq(p, S("/")));
    assert_true(path_decode(S("/a/%E4%B8%AD/"), arena, &p));
    assert_true(str_eq(p, S("/a/中")));
    assert_true(path_decode(S("/a/...b"), arena, &p));
    assert_false(path_decode(S(""), arena, &p));
    assert_false(path_decode(S("a"), arena, &p));
    assert_false(path_decode(S("//a"), arena, &p));
    assert_false(path_decode(S("/a//b"), arena, &p));
    assert_false(path_decode(S("/a/../b"), arena, &p));
    assert_false(path_decode(S("/a/%2e%2e/b"), arena, &p));
    assert_false(path_decode(S("/a/%2E/b"), arena, &p));
    assert_false(path_decode(S("/a/..%2fb"), arena, &p));
    assert_false(path_decode(S("/a\\b"), arena, &p));
    assert_false(path_decode(S("/a%00"), arena, &p));
    assert_false(path_decode(S("/a%0a"), arena, &p));
    assert_false(path_decode(S("/%ff"), arena, &p));
}

static void test_encoding_is_undone_by_decoding(void **state) {
    (void)state;
    char all[255];
    for (int i = 1; i < 256; i++) all[i - 1] = (char)i;
    Buf out = buf_make(arena, 1024, 4096);
    percent_encode(&out, str_of(all, sizeof all), false);
    Str back;
    assert_true(percent_decode(buf_view(&out), true, arena, &back));
    assert_true(str_eq(back, str_of(all, sizeof all)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_paths),
        cmocka_unit_test(test_encoding_is_undone_by_decoding),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
