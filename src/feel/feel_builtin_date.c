// Built-in functions on dates, times and durations (DMN 1.5, 10.3.4.1, .7, .8). now() and today()
// answer what the caller of the evaluation set, in China's time.
#include "feel/feel_internal.h"

static Value not_a(Eval *ev, const char *what, Value v) {
    return eval_fail(ev, "“{1}”不是{2}", v_to_str(v, ev->arena), str_z(what));
}

// An integral argument between low and high.
static bool part(Value v, int64_t low, int64_t high, int64_t *ret) {
    int64_t n;
    if (v.kind != V_NUMBER || !decimal_to_int(v.as.number, &n) || n < low || n > high)
        return false;
    *ret = n;
    return true;
}

static Value do_date(Eval *ev, const Value *args, uint32_t count) {
    Value v = args[0];
    int64_t year, month, day;
    if (count == 3) {
        if (!part(args[0], -FEEL_YEAR_MAX, FEEL_YEAR_MAX, &year) || !part(args[1], 1, 12, &month) ||
            !part(args[2], 1, 31, &day) || !time_date_valid(year, month, day))
            return eval_fail(ev, "没有这样的日期");
        return time_date(year, (int)month, (int)day);
    }
    if (count != 1) return eval_fail(ev, "函数 {1} 的参数个数不符", S("date"));
    if (v.kind == V_DATE) return v;
    if (v.kind == V_DATE_TIME) return time_date(v.as.time->year, v.as.time->month, v.as.time->day);
    if (v.kind == V_STRING && time_parse_date(v_text(v), &v)) return v;
    return not_a(ev, "日期", v);
}

// Hour, minute, second (may have a fraction), offset, from args.
static bool clock_parts(Eval *ev, const Value *args, uint32_t count, DateTime *dt) {
    int64_t hour, minute, second;
    if (count < 3 || args[2].kind != V_NUMBER) return false;
    Decimal whole = decimal_round(args[2].as.number, 0, ROUND_DOWN);
    Decimal nano = decimal_mul(decimal_sub(args[2].as.number, whole),
                               decimal_from_int(1000000000));
    int64_t nanoseconds;
    if (!part(args[0], 0, 23, &hour) || !part(args[1], 0, 59, &minute) ||
        !part(v_number(whole), 0, 59, &second) ||
        !decimal_to_int(decimal_round(nano, 0, ROUND_DOWN), &nanoseconds) || nanoseconds < 0)
        return false;
    dt->hour = (uint8_t)hour;
    dt->minute = (uint8_t)minute;
    dt->second = (uint8_t)second;
    dt->nanosecond = (int32_t)nanoseconds;
    if (count < 4 || args[3].kind == V_NULL) return true;
    if (args[3].kind == V_STRING) {
        dt->zone = v_text(args[3]);
        return time_zone_offset(dt);
    }
    int64_t offset = args[3].kind == V_DURATION ? args[3].as.duration.seconds : INT64_MAX;
    if (offset > 18 * 3600 || offset < -18 * 3600) return false;
    dt->has_offset = 1;
    dt->offset_s = (int32_t)offset;
    (void)ev;
    return true;
}

static Value do_time(Eval *ev, const Value *args, uint32_t count) {
    Value v = args[0];
    if (count >= 3) {
        DateTime dt = {0};
        if (!clock_parts(ev, args, count, &dt)) return eval_fail(ev, "没有这样的时间");
        return time_value(V_TIME, dt, ev->arena);
    }
    if (count != 1) return eval_fail(ev, "函数 {1} 的参数个数不符", S("time"));
    if (v.kind == V_TIME) return v;
    if (v.kind == V_DATE_TIME) {
        DateTime dt = *v.as.time;
        dt.year = 0;
        dt.month = dt.day = 0;
        return time_value(V_TIME, dt, ev->arena);
    }
    if (v.kind == V_DATE) // midnight UTC
        return time_value(V_TIME, (DateTime){.has_offset = 1}, ev->arena);
    if (v.kind == V_STRING && time_parse_time(v_text(v), ev->arena, &v)) return v;
    return not_a(ev, "时间", v);
}

static Value join_date_time(Eval *ev, Value date, Value time) {
    if (date.kind == V_DATE_TIME)
        date = time_date(date.as.time->year, date.as.time->month, date.as.time->day);
    if (date.kind != V_DATE || time.kind != V_TIME)
        return eval_fail(ev, "应为一个日期和一个时间");
    DateTime dt = *time.as.time;
    dt.year = date.as.date.year;
    dt.month = date.as.date.month;
    dt.day = date.as.date.day;
    if (dt.has_offset == 2) (void)time_zone_offset(&dt);
    return time_value(V_DATE_TIME, dt, ev->arena);
}

// The same moment read in another zone.
static Value in_zone(Eval *ev, Value moment, Value zone) {
    if (zone.kind != V_STRING || moment.kind != V_DATE_TIME || !moment.as.time->has_offset)
        return eval_fail(ev, "应为一个带时区的日期时间和一个时区");
    DateTime dt = *moment.as.time;
    dt.has_offset = 1;
    dt.zone = v_text(zone);
    DateTime probe = dt;
    if (!time_zone_offset(&probe)) return eval_fail(ev, "没有这样的时区");
    Value there = time_add(ev, time_value(V_DATE_TIME, dt, ev->arena),
                           probe.offset_s - dt.offset_s, 0);
    if (there.kind == V_NULL) return there;
    dt = *there.as.time;
    dt.zone = v_text(zone);
    (void)time_zone_offset(&dt);
    return time_value(V_DATE_TIME, dt, ev->arena);
}

static Value do_date_time(Eval *ev, const Value *args, uint32_t count) {
    Value v = args[0];
    if (count == 2 && args[1].kind == V_STRING) return in_zone(ev, args[0], args[1]);
    if (count == 2) return join_date_time(ev, args[0], args[1]);
    if (count >= 6) {
        int64_t year, month, day;
        DateTime dt = {0};
        if (!part(args[0], -FEEL_YEAR_MAX, FEEL_YEAR_MAX, &year) || !part(args[1], 1, 12, &month) ||
            !part(args[2], 1, 31, &day) || !time_date_valid(year, month, day))
            return eval_fail(ev, "没有这样的日期");
        dt.year = (int32_t)year;
        dt.month = (uint8_t)month;
        dt.day = (uint8_t)day;
        if (!clock_parts(ev, args + 3, count - 3, &dt)) return eval_fail(ev, "没有这样的时间");
        return time_value(V_DATE_TIME, dt, ev->arena);
    }
    if (count != 1) return eval_fail(ev, "函数 {1} 的参数个数不符", S("date and time"));
    if (v.kind == V_DATE_TIME) return v;
    if (v.kind == V_DATE)
        return time_value(V_DATE_TIME, (DateTime){.year = v.as.date.year,
                                                  .month = v.as.date.month,
                                                  .day = v.as.date.day}, ev->arena);
    if (v.kind == V_STRING) {
        if (time_parse_date_time(v_text(v), ev->arena, &v)) return v;
        if (time_parse_date(v_text(v), &v)) return do_date_time(ev, &v, 1);
    }
    return not_a(ev, "日期时间", v);
}

static Value do_duration(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    Value v = args[0];
    if (v.kind == V_DURATION || v.kind == V_MONTHS) return v;
    if (v.kind == V_STRING && time_parse_duration(v_text(v), &v)) return v;
    return not_a(ev, "时长", v);
}

static int64_t month_number(Value v) {
    return v.kind == V_DATE ? (int64_t)v.as.date.year * 12 + v.as.date.month
                            : (int64_t)v.as.time->year * 12 + v.as.time->month;
}

static int day_of(Value v) { return v.kind == V_DATE ? v.as.date.day : v.as.time->day; }

// Whole months from one day to the other; the time of day does not count.
static Value do_months(Eval *ev, const Value *args, uint32_t count) {
    (void)ev;
    (void)count;
    int64_t months = month_number(args[1]) - month_number(args[0]);
    int rest = day_of(args[1]) - day_of(args[0]);
    if (months > 0 && rest < 0) months--;
    if (months < 0 && rest > 0) months++;
    return (Value){.kind = V_MONTHS, .as.months = months};
}

// ---- the calendar

static void civil_of(Value v, int64_t *year, int *month, int *day) {
    *year = v.kind == V_DATE ? v.as.date.year : v.as.time->year;
    *month = v.kind == V_DATE ? v.as.date.month : v.as.time->month;
    *day = v.kind == V_DATE ? v.as.date.day : v.as.time->day;
}

static int weekday(int64_t days) { return (int)(((days + 3) % 7 + 7) % 7); } // 0 Monday

static Value do_day_of_year(Eval *ev, const Value *args, uint32_t count) {
    (void)ev;
    (void)count;
    int64_t year;
    int month, day;
    civil_of(args[0], &year, &month, &day);
    return v_int(time_days(year, month, day) - time_days(year, 1, 1) + 1);
}

static Value do_day_of_week(Eval *ev, const Value *args, uint32_t count) {
    (void)ev;
    (void)count;
    static const char *const NAMES[] = {"Monday", "Tuesday", "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};
    int64_t year;
    int month, day;
    civil_of(args[0], &year, &month, &day);
    return v_str(str_z(NAMES[weekday(time_days(year, month, day))]));
}

static Value do_month_of_year(Eval *ev, const Value *args, uint32_t count) {
    (void)ev;
    (void)count;
    static const char *const NAMES[] = {"January", "February", "March", "April", "May", "June",
                                        "July", "August", "September", "October", "November",
                                        "December"};
    int64_t year;
    int month, day;
    civil_of(args[0], &year, &month, &day);
    return v_str(str_z(NAMES[month - 1]));
}

// ISO 8601: the week belongs to the year of its Thursday.
static Value do_week_of_year(Eval *ev, const Value *args, uint32_t count) {
    (void)ev;
    (void)count;
    int64_t year, thursday;
    int month, day;
    civil_of(args[0], &year, &month, &day);
    int64_t days = time_days(year, month, day);
    thursday = days - weekday(days) + 3;
    time_civil(thursday, &year, &month, &day);
    return v_int((thursday - time_days(year, 1, 1)) / 7 + 1);
}

static Value do_now(Eval *ev, const Value *args, uint32_t count) {
    (void)args;
    (void)count;
    return v_instant(ev->run->now, ev->arena);
}

static Value do_today(Eval *ev, const Value *args, uint32_t count) {
    (void)args;
    (void)count;
    return v_day(instant_day(ev->run->now));
}

const Builtin builtins_date[] = {
    {"date", "a?a?a", "from|year,month,day", do_date},
    {"time", "a?a?a?a", "from|hour,minute,second,offset", do_time},
    {"date and time", "a?a?a?a?a?a?a",
     "from|date,time|date,timezone|year,month,day,hour,minute,second,offset|"
     "year,month,day,hour,minute,second,timezone",
     do_date_time},
    {"duration", "a", "from", do_duration},
    {"years and months duration", "dd", "from,to", do_months},
    {"day of year", "d", "date", do_day_of_year},
    {"day of week", "d", "date", do_day_of_week},
    {"month of year", "d", "date", do_month_of_year},
    {"week of year", "d", "date", do_week_of_year},
    {"now", "", "", do_now},
    {"today", "", "", do_today},
};
const size_t builtins_date_count = sizeof builtins_date / sizeof *builtins_date;
