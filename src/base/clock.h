// Time. An Instant is milliseconds since 1970-01-01T00:00:00Z. A Day is days since 1970-01-01 in
// the civil calendar of China (UTC+8, no summer time since 1991), which is where a county lives.
#pragma once

#include "base/error.h"

typedef int64_t Instant;
typedef int32_t Day;

enum { CHINA_OFFSET_S = 8 * 3600, DAY_MS = 86400000 };

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
int day_weekday(Day d); // 0 Monday … 6 Sunday
Day instant_day(Instant t);           // in China
Instant day_instant(Day d, int32_t second_of_day); // China's civil time -> instant
// "2023-05-31"; exactly ten characters, a date that exists. Untouched when false.
MUST_USE bool day_parse(Str s, Day *ret);
Str day_format(Day d, Arena *a);          // 2023-05-31
Str instant_format(Instant t, Arena *a);  // 2023-05-31T09:30:00+08:00
