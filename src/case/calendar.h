// Working days (工作日): Monday to Friday, except public holidays, plus make-up working days, as
// the State Council announces each year. Periods of the Administrative Licensing Law are working
// days without statutory holidays (art. 82); the start day is day 0. A Calendar is an immutable
// bitmap; the store keeps the days that differ from plain weekends.
#pragma once

#include "store/store.h"

typedef struct Calendar Calendar;

enum { CALENDAR_YEAR_MIN = 2015, CALENDAR_YEAR_MAX = 2060, CALENDAR_ADD_MAX = 2000 };

// Loads county/calendar/YYYY.json (one Value each):
// {"year","announced","source","off":[{"from","to","name"}],"work":[{"date","name"}]}.
MUST_USE Status calendar_load(Tx *tx, Value year, Errors *errs);
MUST_USE Status calendar_read(Db *db, Arena *a, const Calendar **ret, Error *err);
bool calendar_is_workday(const Calendar *c, Day d);
Str calendar_name(const Calendar *c, Day d); // "国庆节", "" on plain days
// The n-th working day after `start` (day 0). Days of a year not yet announced count by plain
// weekends and the result is then provisional: *ret_provisional (may be NULL).
Day calendar_add(const Calendar *c, Day start, int32_t n, bool *ret_provisional);
// Working days in (from, to]; negative when to < from.
int32_t calendar_between(const Calendar *c, Day from, Day to);
// The printed derivation of a date: list of {text zh template, args} lines: start, counted days,
// holidays skipped with names, make-up days counted, result. For the case page and the letters.
Value calendar_derivation(const Calendar *c, Day start, int32_t n, Arena *a);
