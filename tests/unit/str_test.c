// room: base
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void compares(void **state) {
    (void)state;
    assert_true(str_eq(S(""), (Str){NULL, 0}));
    assert_true(str_eq(S("受理"), S("受理")));
    assert_false(str_eq(S("受理"), S("受")));
    assert_true(str_cmp(S("a"), S("b")) < 0);
    assert_true(str_cmp(S("ab"), S("a")) > 0);
    assert_int_equal(str_cmp((Str){NULL, 0}, S("")), 0);
    assert_true(str_cmp(S("\x7f"), S("\xc3\xa9")) < 0); // bytes are unsigned
    assert_true(str_eq_nocase(S("Content-Type"), S("content-tYPE")));
    assert_false(str_eq_nocase(S("a["), S("A{"))); // only letters have a case
    assert_true(str_eq_constant_time(S("secret"), S("secret")));
    assert_false(str_eq_constant_time(S("secret"), S("secreT")));
    assert_false(str_eq_constant_time(S("secret"), S("secre")));
}

static void finds_and_cuts(void **state) {
    (void)state;
    assert_true(str_starts(S("abc"), S("ab")));
    assert_true(str_starts(S("abc"), S("")));
    assert_false(str_starts(S("a"), S("ab")));
    assert_true(str_ends(S("abc"), S("bc")));
    assert_false(str_ends(S("c"), S("bc")));
    assert_true(str_ends((Str){NULL, 0}, S("")));
    assert_int_equal(str_find(S("食品经营许可"), S("经营")), 6);
    assert_int_equal(str_find(S("abc"), S("")), 0);
    assert_int_equal(str_find(S("abc"), S("d")), -1);
    assert_int_equal(str_find((Str){NULL, 0}, S("d")), -1);
    assert_true(str_eq(str_sub(S("abcdef"), 2, 4), S("cd")));
    assert_true(str_eq(str_sub(S("abc"), 2, 99), S("c")));
    assert_true(str_eq(str_sub(S("abc"), 3, 1), S("")));
    assert_true(str_eq(str_trim(S(" \t\r\n a b \v")), S("a b")));
    assert_true(str_eq(str_trim(S("  ")), S("")));
}

static void cut_visits_every_field(void **state) {
    (void)state;
    Str rest = S("a,,b,");
    const Str expected[] = {S_INIT("a"), S_INIT(""), S_INIT("b"), S_INIT("")};
    size_t n = 0;
    while (rest.ptr) {
        assert_true(n < 4);
        assert_true(str_eq(str_cut(&rest, ','), expected[n++]));
    }
    assert_int_equal(n, 4);
    rest = S("");
    assert_true(str_eq(str_cut(&rest, ','), S("")));
    assert_null(rest.ptr);
}

static void reads_integers(void **state) {
    (void)state;
    int64_t n = 7;
    assert_true(str_to_int(S("0"), &n));
    assert_int_equal(n, 0);
    assert_true(str_to_int(S("-9223372036854775808"), &n));
    assert_true(n == INT64_MIN);
    assert_true(str_to_int(S("9223372036854775807"), &n));
    assert_true(n == INT64_MAX);
    n = 7;
    const char *const wrong[] = {"", "-", "+1", " 1", "1 ", "1.0", "0x1", "9223372036854775808",
                                 "-9223372036854775809", "99999999999999999999999", "１"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(str_to_int(str_z(wrong[i]), &n));
        assert_int_equal(n, 7);
    }
}

static void knows_utf8(void **state) {
    (void)state;
    const char *const right[] = {"", "a", "办理", "é", "😀", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf",
                                 "\xee\x80\x80", "abcdefgh办理ijklmnopqrstu", "\xe0\xa0\x80"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        assert_true(str_utf8_valid(str_z(right[i])));
    }
    // Overlong, surrogate, past the end of Unicode, cut short, lone continuation, never used.
    const char *const wrong[] = {"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf",
                                 "\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80",
                                 "\xc3", "\xe5\x8a", "\xf0\x9f\x98", "\x80", "\xff", "\xe5\x8a\x41",
                                 "abcdefghi\x80", "\xf0\x9f\x98\x41", "\xf0\x9f\x41\x80"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(str_utf8_valid(str_z(wrong[i])));
    }
}

static void decodes_utf8(void **state) {
    (void)state;
    Str s = S("aé办😀");
    const int32_t expected[] = {'a', 0xE9, 0x529E, 0x1F600};
    size_t at = 0;
    for (size_t i = 0; i < 4; i++) assert_int_equal(str_utf8_next(s, &at), expected[i]);
    assert_int_equal(at, s.len);
    at = 0;
    assert_int_equal(str_utf8_next(S("\xe5\x8a"), &at), -1);
    assert_int_equal(at, 1);
    assert_int_equal(str_utf8_len(S("aé办😀")), 4);
    assert_int_equal(str_utf8_len(S("a\xff\xfe")), 3);
}

static void hashes_differ(void **state) {
    (void)state;
    assert_true(str_hash(S("")) == 0xcbf29ce484222325u);
    assert_true(str_hash(S("a")) == 0xaf63dc4c8601ec8cu); // published vector of FNV-1a
    assert_true(str_hash(S("ab")) != str_hash(S("ba")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),       cmocka_unit_test(finds_and_cuts),
        cmocka_unit_test(cut_visits_every_field), cmocka_unit_test(reads_integers),
        cmocka_unit_test(knows_utf8),     cmocka_unit_test(decodes_utf8),
        cmocka_unit_test(hashes_differ),
    };
    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
