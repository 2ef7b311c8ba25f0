// room: value
#include "value/decimal.h"

#include <stdio.h>

#define DECIMAL_CALL_BY_REFERENCE 0
#define DECIMAL_GLOBAL_ROUNDING 0
#define DECIMAL_GLOBAL_EXCEPTION_FLAGS 0
#include <bid_conf.h>
#include <bid_functions.h>

#include <cmocka.h>

static Arena *arena;

static int setup(void **state) {
    (void)state;
    arena = arena_create(16 << 20);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

static Decimal dec(const char *text) {
    Decimal d;
    if (!decimal_parse(str_z(text), &d)) fail_msg("not a decimal: %s", text);
    return d;
}

static const char *shown(Decimal d) {
    Buf out = buf_make(arena, 64, 64);
    decimal_print(&out, d);
    assert_false(out.full);
    assert_true(out.len <= DECIMAL_PRINT_MAX);
    return arena_cstr(arena, buf_view(&out));
}

#define assert_decimal(d, text) assert_string_equal(shown(d), (text))

static void reads_and_prints(void **state) {
    (void)state;
    const char *const pairs[][2] = {
        {"0", "0"}, {"-0", "0"}, {"-0.00", "0.00"}, {"1", "1"}, {"-1", "-1"}, {"1.50", "1.50"},
        {"0.05", "0.05"}, {"-0.05", "-0.05"}, {".5", "0.5"}, {"007", "7"}, {"1E3", "1000"},
        {"1e+3", "1000"}, {"12e-1", "1.2"}, {"0e10", "0"}, {"0E999999999999", "0"},
        {"2087200.00", "2087200.00"}, {"100e-2", "1.00"},
        {"000000000000000000000000000000000000001.5", "1.5"},
        {"1234567890123456789012345678901234", "1234567890123456789012345678901234"},
        {"0.1234567890123456789012345678901234", "0.1234567890123456789012345678901234"},
        {"18446744073709551616", "18446744073709551616"},
        {"99999999999999999999", "99999999999999999999"},
        // Past 34 digits: half to even.
        {"12345678901234567890123456789012345", "12345678901234567890123456789012340"},
        {"12345678901234567890123456789012355", "12345678901234567890123456789012360"},
        {"123456789012345678901234567890123450000001", "1.234567890123456789012345678901235E+41"},
        {"12345678901234567890123456789012345.0", "12345678901234567890123456789012340"},
        {"99999999999999999999999999999999995", "100000000000000000000000000000000000"},
        {"0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001"},
        {"1E-50", "1E-50"}, {"-1.20E-50", "-1.20E-50"}, {"1E50", "1E+50"},
        {"1.5E+6000", "1.5E+6000"},
        {"1E6144", "1.000000000000000000000000000000000E+6144"}, {"1E-6176", "1E-6176"},
        {"10E-6177", "1E-6176"}, {"0E-9999999", "0E-6176"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        Decimal d = dec(pairs[i][0]);
        assert_true(decimal_finite(d));
        assert_decimal(d, pairs[i][1]);
        assert_int_equal(decimal_cmp(dec(pairs[i][1]), d), 0);
    }
}

static void refuses_what_is_no_number(void **state) {
    (void)state;
    const char *const wrong[] = {
        "", "-", "+1", ".", "1.", "-.", "1e", "1e+", "e5", "1.2.3", "0x10", " 1", "1 ", "1,000",
        "NaN", "Infinity", "-inf", "1e5.5", "--1", "１", "1E6145", "1E-6177", "1E999999999999999999",
        "0.1E-999999999999999999999", "1.1E-6176",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Decimal d = decimal_from_int(7);
        assert_false(decimal_parse(str_z(wrong[i]), &d));
        assert_decimal(d, "7");
    }
}

static void integers_go_there_and_back(void **state) {
    (void)state;
    const int64_t numbers[] = {0, 1, -1, 42, 1000000, INT64_MAX, INT64_MIN, INT64_MIN + 1};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int64_t back = 7;
        assert_true(decimal_to_int(decimal_from_int(numbers[i]), &back));
        assert_true(back == numbers[i]);
    }
    int64_t n = 7;
    assert_true(decimal_to_int(dec("5.00"), &n) && n == 5);
    assert_true(decimal_to_int(dec("1E18"), &n) && n == 1000000000000000000);
    assert_true(decimal_to_int(dec("0E6000"), &n) && n == 0);
    assert_true(decimal_to_int(dec("0E-6000"), &n) && n == 0);
    n = 7;
    const char *const wrong[] = {"0.5", "9223372036854775808", "-9223372036854775809", "1E19",
                                 "1E6000", "1E-6000", "5.001", "18446744073709551617"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(decimal_to_int(dec(wrong[i]), &n));
        assert_int_equal(n, 7);
    }
    assert_true(decimal_is_integer(dec("1E6000")));
    assert_true(decimal_is_integer(dec("1.000")));
    assert_false(decimal_is_integer(dec("1.001")));
    assert_decimal(decimal_from_parts(-12345, -2), "-123.45");
}

static void calculates(void **state) {
    (void)state;
    assert_decimal(decimal_add(dec("0.1"), dec("0.2")), "0.3");
    assert_decimal(decimal_add(dec("1.50"), dec("1.5")), "3.00");
    assert_decimal(decimal_sub(dec("1.5"), dec("1.50")), "0.00");
    assert_decimal(decimal_sub(dec("1"), dec("2.5")), "-1.5");
    assert_decimal(decimal_add(dec("1E30"), dec("1")), "1000000000000000000000000000001");
    assert_decimal(decimal_add(dec("9999999999999999999999999999999999"), dec("1")),
                   "10000000000000000000000000000000000");
    assert_decimal(decimal_mul(dec("1.10"), dec("2.5")), "2.750");
    assert_decimal(decimal_mul(dec("-3"), dec("0")), "0");
    assert_decimal(decimal_mul(dec("99999999999999999999"), dec("99999999999999999999")),
                   "9999999999999999999800000000000000000000");
    Decimal q = dec("7");
    assert_true(decimal_div(dec("10"), dec("4"), &q));
    assert_decimal(q, "2.5");
    assert_true(decimal_div(dec("2"), dec("3"), &q));
    assert_decimal(q, "0.6666666666666666666666666666666667");
    assert_true(decimal_div(dec("6"), dec("2"), &q));
    assert_decimal(q, "3");
    q = dec("7");
    assert_false(decimal_div(dec("1"), dec("0.00"), &q));
    assert_false(decimal_div(dec("1E6000"), dec("1E-6000"), &q));
    assert_decimal(q, "7");
    assert_decimal(decimal_neg(dec("0")), "0");
    assert_decimal(decimal_neg(dec("-1.5")), "1.5");
    assert_decimal(decimal_abs(dec("-1.5")), "1.5");
    assert_decimal(decimal_trim(dec("1.500")), "1.5");
    assert_decimal(decimal_trim(dec("100")), "100");
    assert_decimal(decimal_trim(dec("0.00")), "0");
}

static void modulo_has_the_sign_of_the_divisor(void **state) {
    (void)state;
    // DMN 1.5, table 77: the examples of modulo.
    const char *const triples[][3] = {
        {"12", "5", "2"}, {"-12", "5", "3"}, {"12", "-5", "-3"}, {"-12", "-5", "-2"},
        {"10.1", "4.5", "1.1"}, {"-10.1", "4.5", "3.4"}, {"10.1", "-4.5", "-3.4"},
        {"-10.1", "-4.5", "-1.1"}, {"1E30", "7", "1"}, {"-1E30", "7", "6"},
    };
    for (size_t i = 0; i < sizeof triples / sizeof *triples; i++) {
        Decimal m;
        assert_true(decimal_mod(dec(triples[i][0]), dec(triples[i][1]), &m));
        assert_decimal(m, triples[i][2]);
    }
    Decimal m = dec("7");
    assert_false(decimal_mod(dec("1"), dec("0"), &m));
    assert_decimal(m, "7");
}

static void leaves_the_range_openly(void **state) {
    (void)state;
    Decimal big = dec("9E6144");
    Decimal over = decimal_add(big, big);
    assert_false(decimal_finite(over));
    assert_false(decimal_finite(decimal_mul(big, big)));
    assert_false(decimal_finite(decimal_sub(over, over)));
    assert_false(decimal_finite(decimal_mul(decimal_neg(over), dec("2"))));
    assert_false(decimal_finite(decimal_round(over, 2, ROUND_UP)));
    assert_decimal(over, "null");
    int64_t n;
    assert_false(decimal_to_int(over, &n));
    assert_false(decimal_is_integer(over));
    Decimal d;
    assert_false(decimal_mod(over, dec("3"), &d));
    assert_false(decimal_div(over, dec("3"), &d));
}

static void compares(void **state) {
    (void)state;
    const char *const ascending[] = {"-1E6000", "-12345678901234567890123456789012.5", "-2", "-1.5",
                                     "-1E-6000", "0", "1E-6000", "0.1", "0.10001", "1",
                                     "9999999999999999999999999999999999",
                                     "10000000000000000000000000000000000", "1E6000"};
    size_t n = sizeof ascending / sizeof *ascending;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            int order = decimal_cmp(dec(ascending[i]), dec(ascending[j]));
            assert_int_equal(order, i < j ? -1 : i > j);
        }
    }
    assert_int_equal(decimal_cmp(dec("1.5"), dec("1.500")), 0);
    assert_int_equal(decimal_cmp(dec("0"), dec("-0E10")), 0);
    assert_int_equal(decimal_sign(dec("-0.00")), 0);
    assert_int_equal(decimal_sign(dec("-3")), -1);
}

static void rounds(void **state) {
    (void)state;
    // Inputs across; HALF_EVEN, HALF_UP, HALF_DOWN, UP, DOWN, FLOOR, CEILING down.
    const char *const inputs[] = {"5.5", "2.5", "1.6", "1.1", "1.0",
                                  "-1.1", "-1.6", "-2.5", "-5.5"};
    const char *const results[][9] = {
        {"6", "2", "2", "1", "1", "-1", "-2", "-2", "-6"},
        {"6", "3", "2", "1", "1", "-1", "-2", "-3", "-6"},
        {"5", "2", "2", "1", "1", "-1", "-2", "-2", "-5"},
        {"6", "3", "2", "2", "1", "-2", "-2", "-3", "-6"},
        {"5", "2", "1", "1", "1", "-1", "-1", "-2", "-5"},
        {"5", "2", "1", "1", "1", "-2", "-2", "-3", "-6"},
        {"6", "3", "2", "2", "1", "-1", "-1", "-2", "-5"},
    };
    for (int mode = ROUND_HALF_EVEN; mode <= ROUND_CEILING; mode++) {
        for (size_t i = 0; i < 9; i++) {
            assert_decimal(decimal_round(dec(inputs[i]), 0, (Rounding)mode), results[mode][i]);
        }
    }
    assert_decimal(decimal_round(dec("1.005"), 2, ROUND_HALF_EVEN), "1.00");
    assert_decimal(decimal_round(dec("1.005"), 2, ROUND_HALF_UP), "1.01");
    assert_decimal(decimal_round(dec("1.5"), 2, ROUND_HALF_EVEN), "1.50");
    assert_decimal(decimal_round(dec("1250"), -2, ROUND_HALF_EVEN), "1200");
    assert_decimal(decimal_round(dec("9.999"), 2, ROUND_HALF_UP), "10.00");
    assert_decimal(decimal_round(dec("0.4"), -40, ROUND_UP), "1E+40");
    assert_decimal(decimal_round(dec("9999999999999999999999999999999999"), -34, ROUND_HALF_UP),
                   "10000000000000000000000000000000000");
    assert_decimal(decimal_round(dec("9999999999999999999999999999999999"), -35, ROUND_HALF_UP),
                   "0");
    assert_decimal(decimal_round(dec("9999999999999999999999999999999999"), -99, ROUND_DOWN), "0");
    assert_decimal(decimal_round(dec("-0.001"), 2, ROUND_HALF_UP), "0.00");
    assert_decimal(decimal_round(dec("1"), INT32_MAX, ROUND_UP), "1"); // no room for the zeros
    assert_decimal(decimal_round(dec("1"), INT32_MIN, ROUND_DOWN), "0");
}

static void powers_and_roots(void **state) {
    (void)state;
    Decimal d = dec("7");
    assert_true(decimal_pow(dec("2"), dec("10"), &d));
    assert_decimal(d, "1024");
    assert_true(decimal_pow(dec("1.1"), dec("2"), &d));
    assert_decimal(d, "1.21");
    assert_true(decimal_pow(dec("2"), dec("-2"), &d));
    assert_decimal(d, "0.25");
    assert_true(decimal_pow(dec("-2"), dec("3"), &d));
    assert_decimal(d, "-8");
    assert_true(decimal_pow(dec("0"), dec("0"), &d));
    assert_decimal(d, "1");
    assert_true(decimal_pow(dec("4"), dec("0.5"), &d));
    assert_int_equal(decimal_cmp(d, dec("2")), 0);
    assert_true(decimal_sqrt(dec("16"), &d));
    assert_int_equal(decimal_cmp(d, dec("4")), 0);
    assert_true(decimal_exp(dec("0"), &d));
    assert_int_equal(decimal_cmp(d, dec("1")), 0);
    assert_true(decimal_ln(dec("1"), &d));
    assert_int_equal(decimal_sign(d), 0);
    assert_true(decimal_ln(dec("10"), &d));
    assert_decimal(decimal_round(d, 20, ROUND_HALF_EVEN), "2.30258509299404568402");
    d = dec("7");
    assert_false(decimal_pow(dec("0"), dec("-1"), &d));
    assert_false(decimal_pow(dec("-4"), dec("0.5"), &d));
    assert_false(decimal_pow(dec("10"), dec("7000"), &d));
    assert_false(decimal_sqrt(dec("-1"), &d));
    assert_false(decimal_ln(dec("0"), &d));
    assert_false(decimal_exp(dec("1E6"), &d));
    assert_decimal(d, "7");
}

// --- the integer ways against the library, over numbers of all sizes

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static Decimal random_decimal(void) {
    char text[64];
    int n = 0, digits = 1 + (int)(next_random() % 34);
    if (next_random() % 2) text[n++] = '-';
    for (int i = 0; i < digits; i++) {
        text[n++] = (char)('0' + (next_random() % 3 ? next_random() % 10 : 0));
    }
    int exponent = (int)(next_random() % 41) - 20;
    if (next_random() % 16 == 0) exponent *= 300;
    n += snprintf(text + n, sizeof text - (size_t)n, "E%d", exponent);
    Decimal d;
    assert_true(decimal_parse(str_of(text, (size_t)n), &d));
    return d;
}

static BID_UINT128 bid(Decimal d) {
    BID_UINT128 b;
    b.w[0] = d.word[0];
    b.w[1] = d.word[1];
    return b;
}

// Same number and same exponent; zero's sign apart.
static void assert_same(Decimal ours, BID_UINT128 theirs) {
    if (decimal_sign(ours) == 0) theirs.w[1] &= ~((uint64_t)1 << 63);
    if (ours.word[0] != theirs.w[0] || ours.word[1] != theirs.w[1]) {
        fail_msg("%s: %016llx%016llx, not %016llx%016llx", shown(ours),
                 (unsigned long long)ours.word[1], (unsigned long long)ours.word[0],
                 (unsigned long long)theirs.w[1], (unsigned long long)theirs.w[0]);
    }
}

static void agrees_with_the_library(void **state) {
    (void)state;
    _IDEC_flags flags = 0;
    for (int i = 0; i < 100000; i++) {
        ArenaMark mark = arena_mark(arena);
        Decimal a = random_decimal(), b = random_decimal();
        assert_same(decimal_add(a, b), bid128_add(bid(a), bid(b), 0, &flags));
        assert_same(decimal_sub(a, b), bid128_sub(bid(a), bid(b), 0, &flags));
        assert_same(decimal_mul(a, b), bid128_mul(bid(a), bid(b), 0, &flags));
        int order = bid128_quiet_less(bid(a), bid(b), &flags)      ? -1
                    : bid128_quiet_greater(bid(a), bid(b), &flags) ? 1
                                                                   : 0;
        assert_int_equal(decimal_cmp(a, b), order);
        Decimal back = dec(shown(a));
        assert_int_equal(decimal_cmp(back, a), 0);
        assert_string_equal(shown(back), shown(a));
        int scale = (int)(next_random() % 20) - 5;
        static const unsigned modes[] = {0, 4}; // the library's half-even and half-away
        for (int m = 0; m < 2; m++) {
            BID_UINT128 quantum = bid(decimal_from_parts(1, -scale));
            BID_UINT128 theirs = bid128_quantize(bid(a), quantum, modes[m], &flags);
            if (!bid128_isFinite(theirs)) continue; // more than 34 digits would be needed
            assert_same(decimal_round(a, scale, m ? ROUND_HALF_UP : ROUND_HALF_EVEN), theirs);
        }
        arena_rewind(arena, mark);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_prints),
        cmocka_unit_test(refuses_what_is_no_number),
        cmocka_unit_test(integers_go_there_and_back),
        cmocka_unit_test(calculates),
        cmocka_unit_test(modulo_has_the_sign_of_the_divisor),
        cmocka_unit_test(leaves_the_range_openly),
        cmocka_unit_test(compares),
        cmocka_unit_test(rounds),
        cmocka_unit_test(powers_and_roots),
        cmocka_unit_test(agrees_with_the_library),
    };
    return cmocka_run_group_tests_name("decimal", tests, setup, teardown);
}
