// Clock: the civil calendar in integers. Day numbers come from counting in eras of 400 years that
// begin on 1 March, so that the leap day is the last of its year and no table is needed.
// Limits: civil_valid takes years -CIVIL_YEAR_MAX to CIVIL_YEAR_MAX, which a Day always holds.
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    ERA_DAYS = 146097,          // days in 400 years
    EPOCH_FROM_MARCH_0 = 719468, // 0000-03-01 to 1970-01-01
    MARCH_YEAR_DAYS = 365,
    DAY_S = 86400,
    DAY_TEXT_LEN = 10,
};

Instant clock_now(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) abort();
    return (Instant)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_us(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) abort();
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

int64_t civil_to_days(Civil c) {
    int64_t year = (int64_t)c.year - (c.month <= 2);
    int64_t era = floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t month_from_march = (c.month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + c.day - 1;
    int64_t day_of_era = year_of_era * MARCH_YEAR_DAYS + year_of_era / 4 - year_of_era / 100 +
                         day_of_year;
    return era * ERA_DAYS + day_of_era - EPOCH_FROM_MARCH_0;
}

Civil civil_from_days(int64_t days) {
    int64_t from_march = days + EPOCH_FROM_MARCH_0;
    int64_t era = floor_div(from_march, ERA_DAYS);
    int64_t day_of_era = from_march - era * ERA_DAYS;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
                           day_of_era / (ERA_DAYS - 1)) / MARCH_YEAR_DAYS;
    int64_t day_of_year = day_of_era - (MARCH_YEAR_DAYS * year_of_era + year_of_era / 4 -
                                        year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return (Civil){
        .year = (int32_t)(year_of_era + era * 400 + (month <= 2)),
        .month = (int32_t)month,
        .day = (int32_t)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
    };
}

Day day_from_civil(Civil c) { return (Day)civil_to_days(c); }

Civil day_to_civil(Day d) { return civil_from_days(d); }

int32_t civil_month_days(int32_t year, int32_t month) {
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

bool civil_valid(Civil c) {
    return c.year >= -CIVIL_YEAR_MAX && c.year <= CIVIL_YEAR_MAX && c.month >= 1 &&
           c.month <= 12 && c.day >= 1 && c.day <= civil_month_days(c.year, c.month);
}

int day_weekday(Day d) {
    int64_t from_monday = (int64_t)d + 3; // 1970-01-01 was a Thursday
    return (int)(from_monday - floor_div(from_monday, 7) * 7);
}

Day instant_day(Instant t) {
    return (Day)floor_div(t + (int64_t)CHINA_OFFSET_S * 1000, DAY_MS);
}

Instant day_instant(Day d, int32_t second_of_day) {
    return ((int64_t)d * DAY_S + second_of_day - CHINA_OFFSET_S) * 1000;
}

// `n` digits at p; -1 when there is anything else.
static int32_t digits(const char *p, int n) {
    int32_t number = 0;
    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') return -1;
        number = number * 10 + (p[i] - '0');
    }
    return number;
}

bool day_parse(Str s, Day *ret) {
    if (s.len != DAY_TEXT_LEN || s.ptr[4] != '-' || s.ptr[7] != '-') return false;
    Civil c = {digits(s.ptr, 4), digits(s.ptr + 5, 2), digits(s.ptr + 8, 2)};
    if (c.year < 0 || !civil_valid(c)) return false;
    *ret = day_from_civil(c);
    return true;
}

Str day_format(Day d, Arena *a) {
    Civil c = day_to_civil(d);
    return arena_printf(a, c.year < 0 ? "%05d-%02d-%02d" : "%04d-%02d-%02d", c.year, c.month,
                        c.day);
}

Str instant_format(Instant t, Arena *a) {
    int64_t second = floor_div(t + (int64_t)CHINA_OFFSET_S * 1000, 1000);
    int64_t day = floor_div(second, DAY_S);
    int of_day = (int)(second - day * DAY_S);
    Civil c = civil_from_days(day);
    return arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02d+08:00", c.year, c.month, c.day,
                        of_day / 3600, of_day / 60 % 60, of_day % 60);
}
