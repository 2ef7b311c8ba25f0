// Time. An Instant is milliseconds since 1970-01-01T00:00:00Z. A Day is days since 1970-01-01 in
// the civil calendar of China (UTC+8, no summer time since 1991), which is where a county lives.
#pragma once

#include "base/error.h"

typedef int64_t Instant;
typedef int32_t Day;

enum { CHINA_OFFSET_S = 8 * 3600, DAY_MS = 86400000 };
// Years of civil_valid, both ways: what a Day can hold, and more than any record needs.
enum { CIVIL_YEAR_MAX = 999999 };

typedef struct Civil {
    int32_t year; // proleptic Gregorian
    int32_t month; // 1..12
    int32_t day;   // 1..31
} Civil;

Instant clock_now(void);        // the only place that asks the system for the time of day
int64_t clock_monotonic_us(void); // for measuring

Day day_from_civil(Civil c); // c must be valid
Civil day_to_civil(Day d);
bool civil_valid(Civil c);
// The same two in 64 bits, for FEEL's years up to +-999,999,999. The month must be 1..12; a day
// past the month's end counts on into the next.
int64_t civil_to_days(Civil c);
Civil civil_from_days(int64_t days);
int32_t civil_month_days(int32_t year, int32_t month); // 28..31; month 1..12
int day_weekday(Day d); // 0 Monday … 6 Sunday
Day instant_day(Instant t);           // in China
Instant day_instant(Day d, int32_t second_of_day); // China's civil time -> instant
// "2023-05-31"; exactly ten characters, a date that exists. Untouched when false.
MUST_USE bool day_parse(Str s, Day *ret);
Str day_format(Day d, Arena *a);          // 2023-05-31
Str instant_format(Instant t, Arena *a);  // 2023-05-31T09:30:00+08:00
