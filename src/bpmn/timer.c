// Timers: ISO 8601 durations, dates and repeating intervals (R4/PT10S, R/PT1H, R3/start/PT1H).
// They are read once, when the model is loaded; only what FEEL computes is read as it runs.
#include "bpmn/model.h"

enum { TIMER_TEXT_MAX = 200, SECONDS_OF_DAY = 86400 };

// Reads one literal by FEEL, which knows ISO 8601. False: it is none.
static bool literal(Str text, Arena *a, Value *ret) {
    if (!text.len || text.len > TIMER_TEXT_MAX) return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '"' || text.ptr[i] == '\\') return false;
    bool duration = text.ptr[0] == 'P' || str_starts(text, S("-P"));
    Str call = duration ? S("duration(\"") : S("date and time(\"");
    const FeelExpr *e = NULL;
    Error err;
    if (feel_parse(arena_concat(a, (Str[]){call, text, S("\")")}, 3), NULL, 0, a, &e, &err))
        return false;
    ContextBuilder nothing = context_make(a);
    FeelScope scope = {.variables = context_done(&nothing)};
    FeelRun run = {.arena = a, .scope = &scope};
    Value v = feel_eval(&run, e);
    if (v.kind == V_NULL) return false;
    *ret = v;
    return true;
}

static bool is_interval(Value v) {
    if (v.kind == V_MONTHS) return v.as.months > 0;
    return v.kind == V_DURATION &&
           (v.as.duration.seconds > 0 || (v.as.duration.seconds == 0 && v.as.duration.nanoseconds));
}
static bool is_date(Value v) { return v.kind == V_DATE || v.kind == V_DATE_TIME; }

static bool cycle_parse(Str text, Arena *a, Timer *ret) {
    Timer t = {.kind = TIMER_CYCLE, .repeats = -1};
    Str count = str_cut(&text, '/');
    count = str_sub(count, 1, count.len);
    if (count.len && (!str_to_int(count, &t.repeats) || t.repeats < 1)) return false;
    Str first = str_cut(&text, '/');
    if (text.len) {
        if (!literal(first, a, &t.start) || !is_date(t.start)) return false;
        first = text;
    }
    if (!literal(first, a, &t.value) || !is_interval(t.value)) return false;
    *ret = t;
    return true;
}

bool timer_parse(Str text, Arena *a, Timer *ret) {
    text = str_trim(text);
    if (str_starts(text, S("R"))) return cycle_parse(text, a, ret);
    Timer t = {.repeats = 1};
    if (!literal(text, a, &t.value)) return false;
    t.kind = is_date(t.value) ? TIMER_DATE : TIMER_DURATION;
    *ret = t;
    return true;
}

bool timer_from(TimerKind kind, Value v, Arena *a, Timer *ret) {
    Timer t = {.kind = kind, .value = v, .repeats = 1};
    if (kind == TIMER_WORKING_DAYS) {
        if (v_to_int(v, -1) < 0) return false;
        *ret = t;
        return true;
    }
    if (v.kind == V_STRING) {
        if (!timer_parse(v_text(v), a, &t)) return false;
    } else if (kind == TIMER_CYCLE) {
        if (!is_interval(v)) return false;
        t.repeats = -1;
    } else if (v.kind == V_DURATION || v.kind == V_MONTHS) {
        t.kind = TIMER_DURATION;
    } else if (is_date(v)) {
        t.kind = TIMER_DATE;
    } else {
        return false;
    }
    *ret = t;
    return true;
}

// Seconds since 1970; a reading without an offset is China's.
static int64_t seconds_of(Value v) {
    Civil day = {v.as.date.year, v.as.date.month, v.as.date.day};
    if (v.kind == V_DATE) return civil_to_days(day) * SECONDS_OF_DAY - CHINA_OFFSET_S;
    const DateTime *t = v.as.time;
    day = (Civil){t->year, t->month, t->day};
    return civil_to_days(day) * SECONDS_OF_DAY + t->hour * 3600 + t->minute * 60 + t->second -
           (t->has_offset ? t->offset_s : CHINA_OFFSET_S);
}

// A cycle with a start keeps to its instants, however late a timer was told.
static Value cycle_due(const Timer *t, Instant now, Arena *a) {
    if (t->start.kind == V_NULL) return t->value;
    int64_t start = seconds_of(t->start), at = now / 1000;
    if (start > at) return t->start;
    if (t->value.kind != V_DURATION || t->value.as.duration.seconds < 1) return t->value;
    int64_t every = t->value.as.duration.seconds;
    return v_instant((start + ((at - start) / every + 1) * every) * 1000, a);
}

Value timer_due(const Timer *t, Instant now, Arena *a) {
    if (t->kind == TIMER_CYCLE) return cycle_due(t, now, a);
    if (t->kind != TIMER_WORKING_DAYS) return t->value;
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("working_days"), t->value);
    return context_done(&b);
}
