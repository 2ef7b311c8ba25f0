// room: base
#include "base/clock.h"

#include <cmocka.h>

static void every_day_goes_there_and_back(void **state) {
    (void)state;
    // 1600 to 2400, counted day by day with the rules of the calendar as the check.
    Civil c = {1600, 1, 1};
    Day d = day_from_civil(c);
    int weekday = day_weekday(d);
    assert_int_equal(weekday, 5); // a Saturday
    while (c.year < 2400) {
        assert_int_equal(day_from_civil(c), d);
        Civil back = day_to_civil(d);
        assert_true(back.year == c.year && back.month == c.month && back.day == c.day);
        assert_int_equal(day_weekday(d), weekday);
        if (++c.day > civil_month_days(c.year, c.month)) {
            c.day = 1;
            if (++c.month > 12) {
                c.month = 1;
                c.year++;
            }
        }
        d++;
        weekday = (weekday + 1) % 7;
    }
    assert_int_equal(day_from_civil((Civil){1970, 1, 1}), 0);
    assert_int_equal(day_from_civil((Civil){2023, 5, 31}), 19508);
    Civil far = civil_from_days(civil_to_days((Civil){-999999999, 3, 1}));
    assert_true(far.year == -999999999 && far.month == 3 && far.day == 1);
}

static void knows_which_days_exist(void **state) {
    (void)state;
    assert_true(civil_valid((Civil){2024, 2, 29}));
    assert_true(civil_valid((Civil){2000, 2, 29}));
    assert_false(civil_valid((Civil){1900, 2, 29}));
    assert_false(civil_valid((Civil){2023, 2, 29}));
    assert_false(civil_valid((Civil){2023, 4, 31}));
    assert_false(civil_valid((Civil){2023, 0, 1}));
    assert_false(civil_valid((Civil){2023, 13, 1}));
    assert_false(civil_valid((Civil){2023, 1, 0}));
    assert_false(civil_valid((Civil){CIVIL_YEAR_MAX + 1, 1, 1}));
}

static void reads_and_writes_days(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(1 << 16);
    Day d = 7;
    assert_true(day_parse(S("2023-05-31"), &d));
    assert_true(str_eq(day_format(d, a), S("2023-05-31")));
    assert_true(day_parse(S("0001-01-01"), &d));
    assert_true(str_eq(day_format(d, a), S("0001-01-01")));
    d = 7;
    const char *const wrong[] = {"", "2023-5-31", "2023-02-29", "2023/05/31", "2023-05-31 ",
                                 "20230531", "2023-05-3x", "-023-05-31", "２０２３"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(day_parse(str_z(wrong[i]), &d));
        assert_int_equal(d, 7);
    }
}

static void the_day_begins_in_china(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(1 << 16);
    assert_int_equal(instant_day(0), 0); // 08:00 on the first of January
    assert_int_equal(instant_day(-8 * 3600 * 1000), 0);
    assert_int_equal(instant_day(-8 * 3600 * 1000 - 1), -1);
    assert_int_equal(instant_day(16 * 3600 * 1000), 1);
    Day d = day_from_civil((Civil){2023, 5, 31});
    Instant t = day_instant(d, 9 * 3600 + 30 * 60);
    assert_true(t == 1685496600000);
    assert_int_equal(instant_day(t), d);
    assert_true(str_eq(instant_format(t, a), S("2023-05-31T09:30:00+08:00")));
    assert_true(str_eq(instant_format(-1, a), S("1970-01-01T07:59:59+08:00")));
}

static void clocks_go_forward(void **state) {
    (void)state;
    int64_t before = clock_monotonic_us();
    assert_true(clock_monotonic_us() >= before);
    assert_true(clock_now() > day_instant(day_from_civil((Civil){2023, 1, 1}), 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_goes_there_and_back), cmocka_unit_test(knows_which_days_exist),
        cmocka_unit_test(reads_and_writes_days),         cmocka_unit_test(the_day_begins_in_china),
        cmocka_unit_test(clocks_go_forward),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
