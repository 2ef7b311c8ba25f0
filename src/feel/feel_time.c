// Dates, times and durations: reading them (ISO 8601 as XML Schema 1.1 has it, with FEEL's
// "@Area/City"), arithmetic, members. The calendar is the proleptic Gregorian one; years reach
// from -999999999 to 999999999. Zones are ICU's.
//
// A date-time with an offset is a point in time; without one it is a local reading. The two have
// no order and no difference.
#include "feel/feel_internal.h"

#include <unicode/ucal.h>

enum { SECONDS_OF_DAY = 86400, OFFSET_MAX_S = 18 * 3600, NANOS = 1000000000 };
static const int64_t DURATION_SECONDS_MAX = INT64_C(1000000000000000000);
static const int64_t DURATION_MONTHS_MAX = INT64_C(12000000000);

// ---- calendar

int64_t time_days(int64_t year, int month, int day) {
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void time_civil(int64_t days, int64_t *year, int *month, int *day) {
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = y + era * 400 + (*month <= 2);
}

static int month_days(int64_t year, int64_t month) {
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : DAYS[month - 1];
}

bool time_date_valid(int64_t year, int64_t month, int64_t day) {
    return year >= -FEEL_YEAR_MAX && year <= FEEL_YEAR_MAX && month >= 1 && month <= 12 &&
           day >= 1 && day <= month_days(year, month);
}

Value time_date(int64_t year, int month, int day) {
    Value v = {.kind = V_DATE};
    v.as.date.year = (int32_t)year;
    v.as.date.month = (uint8_t)month;
    v.as.date.day = (uint8_t)day;
    return v;
}

Value time_value(ValueKind kind, DateTime dt, Arena *a) {
    DateTime *copy = arena_new(a, DateTime);
    *copy = dt;
    return (Value){.kind = (uint8_t)kind, .as.time = copy};
}

Value time_duration(int64_t seconds, int64_t nanoseconds) {
    seconds += nanoseconds / NANOS;
    nanoseconds %= NANOS;
    if (seconds > 0 && nanoseconds < 0) {
        seconds--;
        nanoseconds += NANOS;
    } else if (seconds < 0 && nanoseconds > 0) {
        seconds++;
        nanoseconds -= NANOS;
    }
    if (seconds > DURATION_SECONDS_MAX || seconds < -DURATION_SECONDS_MAX) return v_null();
    Value v = {.kind = V_DURATION};
    v.as.duration.seconds = seconds;
    v.as.duration.nanoseconds = (int32_t)nanoseconds;
    return v;
}

// ---- zones

enum { ZONE_NAME_MAX = 64 };

// Offset of the zone at the local reading in *dt.
bool time_zone_offset(DateTime *dt) {
    UChar id[ZONE_NAME_MAX + 1];
    if (dt->zone.len == 0 || dt->zone.len > ZONE_NAME_MAX) return false;
    for (size_t i = 0; i < dt->zone.len; i++) {
        unsigned char c = (unsigned char)dt->zone.ptr[i];
        if (c <= ' ' || c >= 0x7F) return false;
        id[i] = c;
    }
    id[dt->zone.len] = 0;
    UErrorCode status = U_ZERO_ERROR;
    UChar canonical[ZONE_NAME_MAX * 2];
    UBool system = false;
    (void)ucal_getCanonicalTimeZoneID(id, (int32_t)dt->zone.len, canonical, ZONE_NAME_MAX * 2,
                                      &system, &status);
    if (U_FAILURE(status) || !system) return false;
    UCalendar *calendar = ucal_open(id, (int32_t)dt->zone.len, "en", UCAL_GREGORIAN, &status);
    if (U_FAILURE(status)) return false;
    // ICU's calendar covers fewer years; the rules far away are those of the same cycle of 400.
    int32_t year = dt->year;
    if (year < 1 || year > 9999) year = 2000 + ((year % 400) + 400) % 400;
    ucal_setDateTime(calendar, year, dt->month ? dt->month - 1 : 0, dt->day ? dt->day : 1,
                     dt->hour, dt->minute, dt->second, &status);
    int32_t offset = ucal_get(calendar, UCAL_ZONE_OFFSET, &status) +
                     ucal_get(calendar, UCAL_DST_OFFSET, &status);
    ucal_close(calendar);
    if (U_FAILURE(status)) return false;
    dt->has_offset = 2;
    dt->offset_s = offset / 1000;
    return true;
}

// ---- reading

typedef struct Reader {
    Str s;
    size_t at;
} Reader;

static bool take(Reader *r, char c) {
    if (r->at >= r->s.len || r->s.ptr[r->at] != c) return false;
    r->at++;
    return true;
}

// From min to max digits.
static bool take_digits(Reader *r, size_t min, size_t max, int64_t *ret) {
    int64_t n = 0;
    size_t from = r->at;
    while (r->at < r->s.len && r->at - from < max && r->s.ptr[r->at] >= '0' &&
           r->s.ptr[r->at] <= '9')
        n = n * 10 + (r->s.ptr[r->at++] - '0');
    if (r->at - from < min) return false;
    *ret = n;
    return true;
}

static bool take_date(Reader *r, DateTime *dt) {
    int64_t year, month, day;
    bool negative = take(r, '-');
    size_t from = r->at;
    if (!take_digits(r, 4, 9, &year) || (r->at - from > 4 && r->s.ptr[from] == '0') ||
        !take(r, '-') || !take_digits(r, 2, 2, &month) || !take(r, '-') ||
        !take_digits(r, 2, 2, &day))
        return false;
    if (negative) year = -year;
    if (!time_date_valid(year, month, day)) return false;
    dt->year = (int32_t)year;
    dt->month = (uint8_t)month;
    dt->day = (uint8_t)day;
    return true;
}

static bool take_fraction(Reader *r, int32_t *ret) {
    int64_t nano = 0, scale = NANOS / 10;
    size_t from = r->at;
    for (; r->at < r->s.len && r->s.ptr[r->at] >= '0' && r->s.ptr[r->at] <= '9'; r->at++) {
        nano += (r->s.ptr[r->at] - '0') * scale;
        scale /= 10;
    }
    *ret = (int32_t)nano;
    return r->at > from;
}

static bool take_offset(Reader *r, DateTime *dt, Arena *a) {
    if (r->at == r->s.len) return true;
    if (take(r, 'Z') || take(r, 'z')) {
        dt->has_offset = 1;
        return true;
    }
    if (take(r, '@')) {
        dt->zone = arena_str(a, str_sub(r->s, r->at, r->s.len));
        r->at = r->s.len;
        return time_zone_offset(dt);
    }
    int sign = take(r, '+') ? 1 : take(r, '-') ? -1 : 0;
    int64_t hour, minute, second = 0;
    if (!sign || !take_digits(r, 2, 2, &hour) || !take(r, ':') ||
        !take_digits(r, 2, 2, &minute) || minute > 59)
        return false;
    if (take(r, ':') && (!take_digits(r, 2, 2, &second) || second > 59)) return false;
    int64_t offset = hour * 3600 + minute * 60 + second;
    if (offset > OFFSET_MAX_S) return false;
    dt->has_offset = 1;
    dt->offset_s = (int32_t)(sign * offset);
    return true;
}

static bool next_day(DateTime *dt) {
    int64_t year;
    int month, day;
    time_civil(time_days(dt->year, dt->month, dt->day) + 1, &year, &month, &day);
    if (!time_date_valid(year, month, day)) return false;
    dt->year = (int32_t)year;
    dt->month = (uint8_t)month;
    dt->day = (uint8_t)day;
    return true;
}

static bool take_time(Reader *r, DateTime *dt, Arena *a) {
    int64_t hour, minute, second;
    if (!take_digits(r, 2, 2, &hour) || !take(r, ':') || !take_digits(r, 2, 2, &minute) ||
        !take(r, ':') || !take_digits(r, 2, 2, &second) || hour > 24 || minute > 59 ||
        second > 59)
        return false;
    if (take(r, '.') && !take_fraction(r, &dt->nanosecond)) return false;
    // 24:00:00 is the midnight that ends a date.
    if (hour == 24 && (!dt->month || minute || second || dt->nanosecond || !next_day(dt)))
        return false;
    if (hour == 24) hour = 0;
    dt->hour = (uint8_t)hour;
    dt->minute = (uint8_t)minute;
    dt->second = (uint8_t)second;
    return take_offset(r, dt, a) && r->at == r->s.len;
}

bool time_parse_date(Str s, Value *ret) {
    Reader r = {s, 0};
    DateTime dt = {0};
    if (!take_date(&r, &dt) || r.at != s.len) return false;
    *ret = time_date(dt.year, dt.month, dt.day);
    return true;
}

bool time_parse_time(Str s, Arena *a, Value *ret) {
    DateTime dt = {0};
    if (!take_time(&(Reader){s, 0}, &dt, a)) return false;
    *ret = time_value(V_TIME, dt, a);
    return true;
}

bool time_parse_date_time(Str s, Arena *a, Value *ret) {
    Reader r = {s, 0};
    DateTime dt = {0};
    if (!take_date(&r, &dt) || !take(&r, 'T') || !take_time(&r, &dt, a)) return false;
    *ret = time_value(V_DATE_TIME, dt, a);
    return true;
}

typedef struct DurationParts {
    int64_t year, month, day, hour, minute, second;
    int32_t nanosecond;
    bool months, time; // which kind of parts was seen
} DurationParts;

// The parts behind P; false when something is out of order, empty or too long.
static bool take_duration(Reader *r, DurationParts *d) {
    enum { DIGITS_MAX = 15 };
    static const char DATE[] = "YMD", TIME[] = "HMS";
    const char *units = DATE;
    bool behind_t = false, any = false;
    while (r->at < r->s.len) {
        int64_t n;
        if (!behind_t && take(r, 'T')) {
            behind_t = true;
            any = false;
            units = TIME;
            continue;
        }
        if (!take_digits(r, 1, DIGITS_MAX, &n)) return false;
        bool fraction = behind_t && take(r, '.');
        if (fraction) (void)take_fraction(r, &d->nanosecond); // "0.S" is allowed
        if (r->at >= r->s.len) return false;
        char unit = r->s.ptr[r->at++];
        while (*units && *units != unit) units++;
        if (!*units || (fraction && unit != 'S')) return false;
        units++;
        any = true;
        if (unit == 'Y') d->year = n;
        else if (unit == 'M' && !behind_t) d->month = n;
        else if (unit == 'D') d->day = n;
        else if (unit == 'H') d->hour = n;
        else if (unit == 'M') d->minute = n;
        else d->second = n;
        if (!behind_t && unit != 'D') d->months = true;
        else d->time = true;
    }
    return any;
}

bool time_parse_duration(Str s, Value *ret) {
    Reader r = {s, 0};
    DurationParts d = {0};
    bool negative = take(&r, '-');
    if (!take(&r, 'P') || !take_duration(&r, &d) || d.months == d.time) return false;
    if (d.months) {
        int64_t months = 0;
        if (d.year > DURATION_MONTHS_MAX || d.month > DURATION_MONTHS_MAX) return false;
        months = d.year * 12 + d.month;
        *ret = (Value){.kind = V_MONTHS, .as.months = negative ? -months : months};
        return true;
    }
    if (d.day > DURATION_SECONDS_MAX / SECONDS_OF_DAY / 4 ||
        d.hour > DURATION_SECONDS_MAX / 3600 / 4 || d.minute > DURATION_SECONDS_MAX / 60 / 4)
        return false;
    int64_t seconds = d.day * SECONDS_OF_DAY + d.hour * 3600 + d.minute * 60 + d.second;
    Value v = negative ? time_duration(-seconds, -d.nanosecond)
                       : time_duration(seconds, d.nanosecond);
    if (v.kind == V_NULL) return false;
    *ret = v;
    return true;
}

bool time_parse_any(Str s, Arena *a, Value *ret) {
    return time_parse_date(s, ret) || time_parse_date_time(s, a, ret) ||
           time_parse_time(s, a, ret) || time_parse_duration(s, ret);
}

bool feel_read(ValueKind kind, Str text, Arena *a, Value *ret) {
    Value v;
    switch (kind) {
    case V_DATE:
        if (!time_parse_date(text, &v)) return false;
        break;
    case V_TIME:
        if (!time_parse_time(text, a, &v)) return false;
        break;
    case V_DATE_TIME:
        if (!time_parse_date_time(text, a, &v)) return false;
        break;
    case V_DURATION:
    case V_MONTHS:
        if (!time_parse_duration(text, &v) || v.kind != (uint8_t)kind) return false;
        break;
    default: return false;
    }
    *ret = v;
    return true;
}

Value feel_midnight(Value date, Arena *a) {
    if (date.kind != V_DATE) return v_null();
    return time_value(V_DATE_TIME, (DateTime){.year = date.as.date.year,
                                              .month = date.as.date.month,
                                              .day = date.as.date.day, .has_offset = 1}, a);
}

// ---- arithmetic

static int64_t day_seconds(const DateTime *t) {
    return t->hour * 3600 + t->minute * 60 + t->second;
}

int64_t time_seconds(Value v) {
    if (v.kind == V_DATE)
        return time_days(v.as.date.year, v.as.date.month, v.as.date.day) * SECONDS_OF_DAY;
    const DateTime *t = v.as.time;
    int64_t days = v.kind == V_TIME ? 0 : time_days(t->year, t->month, t->day);
    return days * SECONDS_OF_DAY + day_seconds(t) - (t->has_offset ? t->offset_s : 0);
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static Value out_of_range(Eval *ev) { return eval_fail(ev, "日期超出范围"); }

Value time_add(Eval *ev, Value v, int64_t seconds, int32_t nanoseconds) {
    DateTime dt = v.kind == V_DATE ? (DateTime){.year = v.as.date.year, .month = v.as.date.month,
                                                .day = v.as.date.day}
                                   : *v.as.time;
    int64_t nano = (int64_t)dt.nanosecond + nanoseconds;
    int64_t total = day_seconds(&dt) + floor_div(nano, NANOS);
    dt.nanosecond = (int32_t)(nano - floor_div(nano, NANOS) * NANOS);
    total += seconds; // |seconds| <= DURATION_SECONDS_MAX
    int64_t days = floor_div(total, SECONDS_OF_DAY), left = total - days * SECONDS_OF_DAY;
    dt.hour = (uint8_t)(left / 3600);
    dt.minute = (uint8_t)(left / 60 % 60);
    dt.second = (uint8_t)(left % 60);
    if (v.kind == V_TIME) return time_value(V_TIME, dt, ev->arena);
    int64_t year;
    int month, day;
    days += time_days(dt.year, dt.month, dt.day);
    if (days > INT64_C(400000000000) || days < -INT64_C(400000000000)) return out_of_range(ev);
    time_civil(days, &year, &month, &day);
    if (year > FEEL_YEAR_MAX || year < -FEEL_YEAR_MAX) return out_of_range(ev);
    if (v.kind == V_DATE) return time_date(year, month, day);
    dt.year = (int32_t)year;
    dt.month = (uint8_t)month;
    dt.day = (uint8_t)day;
    if (dt.has_offset == 2) (void)time_zone_offset(&dt);
    return time_value(V_DATE_TIME, dt, ev->arena);
}

// The same day of another month, or that month's last.
Value time_add_months(Eval *ev, Value v, int64_t months) {
    int64_t year = v.kind == V_DATE ? v.as.date.year : v.as.time->year;
    int month = v.kind == V_DATE ? v.as.date.month : v.as.time->month;
    int day = v.kind == V_DATE ? v.as.date.day : v.as.time->day;
    if (months > 2 * DURATION_MONTHS_MAX || months < -2 * DURATION_MONTHS_MAX)
        return out_of_range(ev);
    int64_t total = year * 12 + month - 1 + months;
    year = floor_div(total, 12);
    month = (int)(total - year * 12) + 1;
    if (year > FEEL_YEAR_MAX || year < -FEEL_YEAR_MAX) return out_of_range(ev);
    if (day > month_days(year, month)) day = month_days(year, month);
    if (v.kind == V_DATE) return time_date(year, month, day);
    DateTime dt = *v.as.time;
    dt.year = (int32_t)year;
    dt.month = (uint8_t)month;
    dt.day = (uint8_t)day;
    if (dt.has_offset == 2) (void)time_zone_offset(&dt);
    return time_value(V_DATE_TIME, dt, ev->arena);
}

static bool has_offset(Value v) { return v.kind == V_DATE || v.as.time->has_offset != 0; }

Value time_subtract(Eval *ev, Value a, Value b) {
    bool times = a.kind == V_TIME && b.kind == V_TIME;
    if ((a.kind == V_TIME || b.kind == V_TIME) && !times)
        return eval_fail(ev, "{1}与{2}不能相减", str_z(v_kind_name(a.kind)),
                         str_z(v_kind_name(b.kind)));
    // A date beside a date-time stands for its midnight in UTC.
    if ((a.kind != V_DATE || b.kind != V_DATE) && has_offset(a) != has_offset(b))
        return eval_fail(ev, "一个有时区、一个没有，不能相减");
    int64_t nano = (a.kind == V_DATE ? 0 : a.as.time->nanosecond) -
                   (b.kind == V_DATE ? 0 : b.as.time->nanosecond);
    return time_duration(time_seconds(a) - time_seconds(b), nano);
}

// ---- members

static bool date_property(int64_t year, int month, int day, Str name, Value *ret) {
    if (str_eq(name, S("year"))) *ret = v_int(year);
    else if (str_eq(name, S("month"))) *ret = v_int(month);
    else if (str_eq(name, S("day"))) *ret = v_int(day);
    else if (str_eq(name, S("weekday"))) {
        int64_t days = time_days(year, month, day) + 3; // 1970-01-01 was a Thursday
        *ret = v_int(days - floor_div(days, 7) * 7 + 1);
    } else return false;
    return true;
}

static bool clock_property(const DateTime *t, Str name, Value *ret) {
    if (str_eq(name, S("hour"))) *ret = v_int(t->hour);
    else if (str_eq(name, S("minute"))) *ret = v_int(t->minute);
    else if (str_eq(name, S("second"))) *ret = v_int(t->second);
    else if (str_eq(name, S("time offset")))
        *ret = t->has_offset ? time_duration(t->offset_s, 0) : v_null();
    else if (str_eq(name, S("timezone"))) *ret = t->has_offset == 2 ? v_str(t->zone) : v_null();
    else return false;
    return true;
}

static bool duration_property(Value v, Str name, Value *ret) {
    int64_t s = v.as.duration.seconds;
    if (str_eq(name, S("days"))) *ret = v_int(s / SECONDS_OF_DAY);
    else if (str_eq(name, S("hours"))) *ret = v_int(s / 3600 % 24);
    else if (str_eq(name, S("minutes"))) *ret = v_int(s / 60 % 60);
    else if (str_eq(name, S("seconds"))) *ret = v_int(s % 60);
    else return false;
    return true;
}

bool time_property(Eval *ev, Value v, Str name, Value *ret) {
    (void)ev;
    switch (v.kind) {
    case V_DATE:
        return date_property(v.as.date.year, v.as.date.month, v.as.date.day, name, ret);
    case V_TIME: return clock_property(v.as.time, name, ret);
    case V_DATE_TIME:
        return date_property(v.as.time->year, v.as.time->month, v.as.time->day, name, ret) ||
               clock_property(v.as.time, name, ret);
    case V_DURATION: return duration_property(v, name, ret);
    default:
        if (str_eq(name, S("years"))) *ret = v_int(v.as.months / 12);
        else if (str_eq(name, S("months"))) *ret = v_int(v.as.months % 12);
        else return false;
        return true;
    }
}
