// room: form
// Check digits against published vectors, messages that name the expected digit, masking.
#include "form/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static Arena *arena;

static Str said(Status (*check)(Str, Error *), Str s) {
    Error e = {0};
    return check(s, &e) == OK ? S("ok") : error_message(&e, NULL, NULL, arena);
}

static void citizen(void **state) {
    (void)state;
    assert_int_equal(citizen_id_check(S("11010519491231002X"), NULL), OK);
    assert_int_equal(citizen_id_check(S("11010519491231002x"), NULL), OK);
    assert_int_equal(citizen_id_check(S("440524188001010014"), NULL), OK);
    assert_true(str_eq(said(citizen_id_check, S("110105194912310021")),
                       S("身份证号第 18 位应为 X，请核对")));
    assert_true(str_eq(said(citizen_id_check, S("440524188001010015")),
                       S("身份证号第 18 位应为 4，请核对")));
    static const char *const WRONG[] = {
        "",
        "1101051949123100",
        "1101051949123100222",
        "11010519490231002X",
        "11010519491331002X",
        "990105194912310029",
        "1101051949123100 X",
        "11010519491231002Y",
        "A1010519491231002X",
        "\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad",
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        assert_int_equal(citizen_id_check(str_z(WRONG[i]), NULL), INVALID);
    // every other check character is refused
    char id[] = "440524188001010014";
    size_t right = 0;
    for (const char *c = "0123456789X"; *c; c++) {
        id[17] = *c;
        right += citizen_id_check(str_of(id, 18), NULL) == OK;
    }
    assert_int_equal(right, 1);
}

static void credit(void **state) {
    (void)state;
    assert_int_equal(credit_code_check(S("91350100M000100Y43"), NULL), OK);
    assert_int_equal(credit_code_check(S("91350100m000100y43"), NULL), OK);
    assert_true(str_eq(said(credit_code_check, S("91350100M000100Y44")),
                       S("统一社会信用代码第 18 位应为 3，请核对")));
    static const char *const WRONG[] = {"",
                                        "91350100M000100Y4",
                                        "91350100I000100Y43",
                                        "91350100M000100Y4O",
                                        "91350100M000100Y433",
                                        "91350100M0001-0Y43"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        assert_int_equal(credit_code_check(str_z(WRONG[i]), NULL), INVALID);
    // A sum that is a multiple of 31 asks for '0': all zeros do, and so must a real-looking one.
    assert_int_equal(credit_code_check(S("000000000000000000"), NULL), OK);
    assert_true(str_eq(said(credit_code_check, S("000000000000000001")),
                       S("统一社会信用代码第 18 位应为 0，请核对")));
    // 4 (weight 3) + 1 (weight 19) = 31
    assert_int_equal(credit_code_check(S("040010000000000000"), NULL), OK);
}

static void phone(void **state) {
    (void)state;
    static const char *const RIGHT[] = {"13800138000",   "138 0013 8000", "+8613800138000",
                                        "0574-65712345", "057465712345",  "010-12345678",
                                        "400-820-8820"};
    static const char *const WRONG[] = {"",
                                        "1380013800",
                                        "12800138000",
                                        "abc",
                                        "0574",
                                        "00574657123",
                                        "138001380001",
                                        "13800138000;",
                                        "99999999999999999999"};
    for (size_t i = 0; i < sizeof RIGHT / sizeof *RIGHT; i++)
        assert_int_equal(phone_check(str_z(RIGHT[i]), NULL), OK);
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        assert_int_equal(phone_check(str_z(WRONG[i]), NULL), INVALID);
}

static void masks(void **state) {
    (void)state;
    assert_true(str_eq(mask_id(S("330225199001011234"), arena), S("330225********1234")));
    assert_true(str_eq(mask_id(S("12345"), arena), S("1****")));
    assert_true(str_eq(mask_phone(S("13812345678"), arena), S("138****5678")));
    assert_true(str_eq(mask_name(S("张三"), arena), S("张*")));
    assert_true(str_eq(mask_name(S("欧阳修之"), arena), S("欧***")));
    assert_true(str_eq(mask_name(S("张"), arena), S("*")));
    assert_true(str_eq(mask_name(S(""), arena), S("")));
}

static int setup(void **state) {
    (void)state;
    arena = arena_create(1 << 20);
    return 0;
}
static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(citizen), T(credit), T(phone), T(masks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
