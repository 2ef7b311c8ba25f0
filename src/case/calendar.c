// Working days (工作日). Two tables make every question one or two loads: `before[i]` counts the
// working days up to and including day i, `nth[k]` is the k-th working day. Both are built when
// the calendar is read and never change.
//
// Days outside CALENDAR_YEAR_MIN … MAX are plain Monday to Friday.
//
// A year's file may hold days of the last week of the December before it (New Year's holiday);
// loading a year replaces all it said before: its own days up to 24 December, and its share of the
// two last weeks is written over.
#include "case/calendar.h"

#define T(text) S(text)

enum {
    HOLIDAY_DAYS_MAX = 31, // one off-range
    RANGES_MAX = 60,       // off-ranges and make-up days of a year
    NAMES_MAX = 200,       // different names of days in the whole calendar
    LAST_WEEK = 7,         // of December belongs to two files
};

struct Calendar {
    Day first, last;      // 1 January of the first year, 31 December of the last
    uint16_t *before;     // [last - first + 2]; before[i]: working days in [first, first + i)
    uint16_t *nth;        // [working days]; offset from `first`
    uint32_t workdays;
    uint8_t *name;        // [days]; 0: none
    uint8_t *special;     // [days]; 1: a public holiday, 2: a make-up working day
    Str names[NAMES_MAX]; // [0] is empty
    uint32_t names_count;
    bool announced[CALENDAR_YEAR_MAX - CALENDAR_YEAR_MIN + 1];
};
enum { SPECIAL_NONE, SPECIAL_OFF, SPECIAL_WORK };

static Day year_first(int32_t year) { return day_from_civil((Civil){year, 1, 1}); }
static Day year_last(int32_t year) { return day_from_civil((Civil){year, 12, 31}); }
static bool weekend(Day d) { return day_weekday(d) >= 5; }

// ---- loading ----

static Status day_put(Tx *tx, Day d, bool work, Str name, Errors *errs) {
    Error e = {.status = OK};
    Query *q = query(tx_db(tx),
        "INSERT INTO calendar_day (day, is_workday, name) VALUES (?1, ?2, ?3) "
        "ON CONFLICT (day) DO UPDATE SET is_workday = excluded.is_workday, name = excluded.name");
    query_int(q, 1, d);
    query_int(q, 2, work);
    query_str(q, 3, name);
    return query_run(q, NULL, &e) == OK ? OK : errors_push(errs, &e);
}

typedef struct Span {
    Day from, to;
    Str name;
} Span;

static Status span_read(Value v, Str from_key, Str to_key, int32_t year, Str where, Span *ret,
                        Errors *errs) {
    Span s = {.name = v_text(v_get_lit(v, "name"))};
    if (!v_to_day(v_get(v, from_key), &s.from) || !v_to_day(v_get(v, to_key), &s.to)) {
        return errors_add(errs, INVALID, where, "日期应写成 2023-10-01 的形式");
    }
    if (s.to < s.from || s.to - s.from >= HOLIDAY_DAYS_MAX) {
        return errors_add(errs, INVALID, where, "起止日期颠倒或超过 31 天");
    }
    if (s.from <= year_last(year - 1) - LAST_WEEK || s.to > year_last(year)) {
        return errors_add(errs, INVALID, where, "日期不在本年（或上年最后一周）内");
    }
    *ret = s;
    return OK;
}

static Status year_put(Tx *tx, int32_t year, Str announced, Str source, Errors *errs) {
    Error e = {.status = OK};
    Day day = 0;
    int64_t on = announced.len > 0 && day_parse(announced, &day) ? day : 0;
    Query *q = query(tx_db(tx),
        "INSERT INTO calendar_year (year, announced, source) VALUES (?1, ?2, ?3) "
        "ON CONFLICT (year) DO UPDATE SET announced = excluded.announced, "
        "source = excluded.source");
    query_int(q, 1, year);
    query_int(q, 2, on);
    query_str(q, 3, source);
    if (query_run(q, NULL, &e) != OK) return errors_push(errs, &e);
    q = query(tx_db(tx), "DELETE FROM calendar_day WHERE day >= ?1 AND day <= ?2");
    query_int(q, 1, year_first(year));
    query_int(q, 2, year_last(year) - LAST_WEEK);
    return query_run(q, NULL, &e) == OK ? OK : errors_push(errs, &e);
}

// `announced` is the day of the announcement ("2022-12-08") or true; absent, false or "": not yet.
static Status header_read(Value year, int32_t *ret_year, Str *ret_announced, Errors *errs) {
    int64_t number = v_to_int(v_get_lit(year, "year"), 0);
    if (number < CALENDAR_YEAR_MIN || number > CALENDAR_YEAR_MAX) {
        return errors_add(errs, INVALID, S("year"), "年份应在 2015 至 2060 之间");
    }
    Value announced = v_get_lit(year, "announced");
    Str text = v_true(announced) ? S("1970-01-02") : v_text(announced);
    Day day = 0;
    if (text.len > 0 && !day_parse(text, &day)) {
        return errors_add(errs, INVALID, S("announced"), "日期应写成 2023-10-01 的形式");
    }
    *ret_year = (int32_t)number;
    *ret_announced = text;
    return OK;
}

Status calendar_load(Tx *tx, Value year, Errors *errs) {
    Arena *a = tx_arena(tx);
    int32_t number = 0;
    Str announced = S("");
    Status st = header_read(year, &number, &announced, errs);
    if (st != OK) return st;
    Value off = v_get_lit(year, "off"), work = v_get_lit(year, "work");
    if (off.kind != V_LIST || work.kind != V_LIST || off.len > RANGES_MAX ||
        work.len > RANGES_MAX) {
        return errors_add(errs, INVALID, S("off"), "应有列表 off 和 work，各不超过 60 项");
    }
    if (announced.len == 0 && off.len + work.len > 0) {
        return errors_add(errs, INVALID, S("announced"), "列有放假日期的年份应写明公布日期");
    }
    st = year_put(tx, number, announced, v_text(v_get_lit(year, "source")), errs);
    if (st != OK) return st;
    for (uint32_t i = 0; i < off.len; i++) {
        Span s;
        Str where = arena_printf(a, "off.%u", i);
        st = span_read(v_at(off, i), S("from"), S("to"), number, where, &s, errs);
        for (Day d = s.from; st == OK && d <= s.to; d++) st = day_put(tx, d, false, s.name, errs);
        if (st != OK) return st;
    }
    for (uint32_t i = 0; i < work.len; i++) {
        Span s;
        Str where = arena_printf(a, "work.%u", i);
        st = span_read(v_at(work, i), S("date"), S("date"), number, where, &s, errs);
        if (st != OK) return st;
        if (!weekend(s.from)) {
            return errors_add(errs, INVALID, where, "{1} 不是周末，不能调休为工作日",
                              day_format(s.from, a));
        }
        st = day_put(tx, s.from, true, s.name, errs);
        if (st != OK) return st;
    }
    return OK;
}

// ---- reading ----

static uint8_t name_index(Calendar *c, Str name, Arena *a) {
    if (name.len == 0) return 0;
    for (uint32_t i = 1; i < c->names_count; i++) {
        if (str_eq(c->names[i], name)) return (uint8_t)i;
    }
    if (c->names_count == NAMES_MAX) return 0; // the day keeps its colour, only the name is lost
    c->names[c->names_count] = arena_str(a, name);
    return (uint8_t)c->names_count++;
}
_Static_assert(NAMES_MAX <= UINT8_MAX, "an index of a name is a byte");

static Status years_read(Db *db, Calendar *c, Error *err) {
    Query *q = query(db, "SELECT year, announced FROM calendar_year");
    while (query_next(q)) {
        int64_t year = query_col_int(q, 0);
        if (year < CALENDAR_YEAR_MIN || year > CALENDAR_YEAR_MAX) continue;
        c->announced[year - CALENDAR_YEAR_MIN] = query_col_int(q, 1) != 0;
    }
    return query_done(q, err);
}

// Fills `before` and `nth` from the marks.
static void count_up(Calendar *c, Arena *a) {
    size_t days = (size_t)(c->last - c->first + 1);
    c->before = arena_array(a, uint16_t, days + 1);
    c->nth = arena_array(a, uint16_t, days);
    for (size_t i = 0; i < days; i++) {
        bool work = c->special[i] == SPECIAL_WORK ||
                    (c->special[i] == SPECIAL_NONE && !weekend(c->first + (Day)i));
        if (work) c->nth[c->workdays++] = (uint16_t)i;
        c->before[i + 1] = (uint16_t)c->workdays;
    }
}

Status calendar_read(Db *db, Arena *a, const Calendar **ret, Error *err) {
    Calendar *c = arena_new(a, Calendar);
    c->first = year_first(CALENDAR_YEAR_MIN);
    c->last = year_last(CALENDAR_YEAR_MAX);
    size_t days = (size_t)(c->last - c->first + 1);
    c->name = arena_alloc(a, days);
    c->special = arena_alloc(a, days);
    c->names[0] = S("");
    c->names_count = 1;
    Status st = years_read(db, c, err);
    if (st != OK) return st;
    Query *q = query(db, "SELECT day, is_workday, name FROM calendar_day");
    while (query_next(q)) {
        int64_t day = query_col_int(q, 0);
        if (day < c->first || day > c->last) continue;
        size_t i = (size_t)(day - c->first);
        c->special[i] = query_col_int(q, 1) ? SPECIAL_WORK : SPECIAL_OFF;
        c->name[i] = name_index(c, query_col_str(q, 2), a);
    }
    st = query_done(q, err);
    if (st != OK) return st;
    count_up(c, a);
    *ret = c;
    return OK;
}

// ---- asking ----

static bool inside(const Calendar *c, Day d) { return d >= c->first && d <= c->last; }

bool calendar_is_workday(const Calendar *c, Day d) {
    if (!inside(c, d)) return !weekend(d);
    return c->before[d - c->first + 1] > c->before[d - c->first];
}

Str calendar_name(const Calendar *c, Day d) {
    return inside(c, d) ? c->names[c->name[d - c->first]] : S("");
}

static bool provisional(const Calendar *c, Day from, Day to) {
    for (int32_t year = day_to_civil(from).year; year <= day_to_civil(to).year; year++) {
        if (year < CALENDAR_YEAR_MIN || year > CALENDAR_YEAR_MAX ||
            !c->announced[year - CALENDAR_YEAR_MIN]) {
            return true;
        }
    }
    return false;
}

Day calendar_add(const Calendar *c, Day start, int32_t n, bool *ret_provisional) {
    if (n < 0) n = 0;
    if (n > CALENDAR_ADD_MAX) n = CALENDAR_ADD_MAX;
    Day day = start;
    uint32_t rank = inside(c, start) ? c->before[start - c->first + 1] + (uint32_t)n : UINT32_MAX;
    if (n == 0) {
        day = start;
    } else if (rank <= c->workdays) {
        day = c->first + c->nth[rank - 1];
    } else {
        for (int32_t left = n; left > 0;) {
            if (calendar_is_workday(c, ++day)) left--;
        }
    }
    if (ret_provisional) *ret_provisional = provisional(c, start, day);
    return day;
}

int32_t calendar_between(const Calendar *c, Day from, Day to) {
    if (to < from) return -calendar_between(c, to, from);
    if (inside(c, from) && inside(c, to)) {
        return c->before[to - c->first + 1] - c->before[from - c->first + 1];
    }
    int32_t count = 0;
    for (Day d = from + 1; d <= to; d++) count += calendar_is_workday(c, d);
    return count;
}

// ---- the printed derivation ----

static void line_add(ListBuilder *lines, Str text, const Str *args, size_t n) {
    Arena *a = lines->arena;
    ListBuilder list = list_make(a);
    for (size_t i = 0; i < n; i++) list_add(&list, v_str(args[i]));
    ContextBuilder line = context_make(a);
    context_put_lit(&line, "text", v_str(text));
    context_put_lit(&line, "args", list_done(&list));
    list_add(lines, context_done(&line));
}
#define LINE(lines, text, ...)                                            \
    line_add((lines), (text), (const Str[]){__VA_ARGS__ __VA_OPT__(, ) S_INIT("")}, \
             sizeof((const Str[]){__VA_ARGS__ __VA_OPT__(, ) S_INIT("")}) / sizeof(Str) - 1)

static uint8_t special_of(const Calendar *c, Day d) {
    return inside(c, d) ? c->special[d - c->first] : SPECIAL_NONE;
}

// One public holiday from `d` on, at most up to `end`; returns its last day.
static Day holiday_line(const Calendar *c, Day d, Day end, ListBuilder *lines) {
    Day to = d;
    while (to < end && special_of(c, to + 1) == SPECIAL_OFF &&
           str_eq(calendar_name(c, to + 1), calendar_name(c, d))) {
        to++;
    }
    Arena *a = lines->arena;
    if (to == d) {
        LINE(lines, T("{1} {2}放假，不计"), day_format(d, a), calendar_name(c, d));
    } else {
        LINE(lines, T("{1} 至 {2} {3}放假，不计"), day_format(d, a), day_format(to, a),
             calendar_name(c, d));
    }
    return to;
}

Value calendar_derivation(const Calendar *c, Day start, int32_t n, Arena *a) {
    bool unsure = false;
    Day end = calendar_add(c, start, n, &unsure);
    ListBuilder lines = list_make(a);
    LINE(&lines, T("自 {1} 起算，当日不计入"), day_format(start, a));
    int64_t weekends = 0;
    for (Day d = start + 1; d <= end; d++) {
        uint8_t special = special_of(c, d);
        if (special == SPECIAL_OFF) {
            d = holiday_line(c, d, end, &lines);
        } else if (special == SPECIAL_WORK) {
            LINE(&lines, T("{1} 调休上班，计入"), day_format(d, a));
        } else if (weekend(d)) {
            weekends++;
        }
    }
    if (weekends > 0) {
        LINE(&lines, T("其间双休日 {1} 天，不计"), arena_printf(a, "%ld", (long)weekends));
    }
    LINE(&lines, T("第 {1} 个工作日为 {2}"),
         arena_printf(a, "%d", calendar_between(c, start, end)), day_format(end, a));
    if (unsure) {
        LINE(&lines, T("{1} 年的放假安排尚未公布，暂按双休日计算"),
             arena_printf(a, "%d", day_to_civil(end).year));
    }
    return list_done(&lines);
}
