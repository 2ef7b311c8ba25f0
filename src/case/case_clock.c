// The two clocks of a case, statutory and promised, side by side, in working days.
//
// clock = {"start": day, "promised": n, "statutory": n, "extended": n, "pauses": [{"from", "to",
// "reason"}]}. The start day is day 0. Working days that fall into a pause do not count (Licensing
// Law art. 45): for a pause from day f to day t these are the working days in (f, t]. A due day is
// therefore calendar_add(start, n + stopped). While a pause is open there is no due day.
#include "case/case_internal.h"

static int64_t number_of(Value clock, Str name) { return v_to_int(v_get(clock, name), 0); }

Value clock_start(Day start, const Item *item, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("start"), v_int(start));
    context_put_new(&b, S("promised"), v_int(item->promised_days));
    context_put_new(&b, S("statutory"), v_int(item->statutory_days));
    return context_done(&b);
}

int32_t clock_stopped(Value clock, const Calendar *cal, Day start, bool *open) {
    Value pauses = v_get_lit(clock, "pauses");
    int32_t stopped = 0;
    *open = false;
    for (size_t i = 0; pauses.kind == V_LIST && i < pauses.len; i++) {
        Value p = v_at(pauses, i);
        if (v_is_null(v_get_lit(p, "to"))) {
            *open = true;
            continue;
        }
        Day from = (Day)number_of(p, S("from")), to = (Day)number_of(p, S("to"));
        if (to > start) stopped += calendar_between(cal, from > start ? from : start, to);
    }
    return stopped;
}

static int32_t stopped_days(Value clock, const Calendar *cal, bool *open) {
    return clock_stopped(clock, cal, (Day)number_of(clock, S("start")), open);
}

void clock_apply(CaseRow *c, const Calendar *cal) {
    if (c->clock.kind != V_CONTEXT) return;
    bool open;
    int32_t stopped = stopped_days(c->clock, cal, &open);
    c->paused = open;
    if (open) { // "from the day it resumes" is all that can be said
        c->promised_due_day = c->statutory_due_day = c->warn_day = 0;
        return;
    }
    Day start = (Day)number_of(c->clock, S("start"));
    int32_t extra = stopped + (int32_t)number_of(c->clock, S("extended"));
    int32_t promised = (int32_t)number_of(c->clock, S("promised")) + extra;
    c->promised_due_day = calendar_add(cal, start, promised, NULL);
    c->statutory_due_day =
        calendar_add(cal, start, (int32_t)number_of(c->clock, S("statutory")) + extra, NULL);
    int32_t warn = promised > WARN_DAYS ? promised - WARN_DAYS : 0;
    c->warn_day = calendar_add(cal, start, warn, NULL);
}

Value clock_pause(Value clock, Day from, Str reason, Arena *a) {
    Value pauses = v_get_lit(clock, "pauses");
    ListBuilder list = list_make(a);
    for (size_t i = 0; pauses.kind == V_LIST && i < pauses.len; i++)
        list_add(&list, v_at(pauses, i));
    ContextBuilder p = context_make(a);
    context_put_new(&p, S("from"), v_int(from));
    context_put_new(&p, S("reason"), v_str(reason));
    list_add(&list, context_done(&p));
    return v_with(clock, S("pauses"), list_done(&list), a);
}

Value clock_resume(Value clock, Day to, Arena *a) {
    Value pauses = v_get_lit(clock, "pauses");
    ListBuilder list = list_make(a);
    for (size_t i = 0; pauses.kind == V_LIST && i < pauses.len; i++) {
        Value p = v_at(pauses, i);
        bool open = v_is_null(v_get_lit(p, "to"));
        list_add(&list, open ? v_with(p, S("to"), v_int(to), a) : p);
    }
    return v_with(clock, S("pauses"), list_done(&list), a);
}

Value clock_extend(Value clock, int64_t days, Arena *a) {
    return v_with(clock, S("extended"), v_int(number_of(clock, S("extended")) + days), a);
}

Light case_light(Day today, int64_t promised_due_day, int64_t warn_day, bool paused, bool closed) {
    if (closed || paused || promised_due_day == 0) return LIGHT_NONE;
    if (today > promised_due_day) return LIGHT_RED;
    return today >= warn_day ? LIGHT_YELLOW : LIGHT_GREEN;
}

static Value light_name(Light l) {
    static const Str names[] = {S_INIT("none"), S_INIT("green"), S_INIT("yellow"), S_INIT("red")};
    return v_str(names[l]);
}

static Value one_clock(const CaseRow *c, const Calendar *cal, Day today, int64_t due, Str which,
                       Arena *a) {
    ContextBuilder b = context_make(a);
    int64_t total = number_of(c->clock, which);
    bool closed = c->decided_at || c->closed_at;
    context_put_new(&b, S("total"), v_int(total));
    context_put_new(&b, S("due"), due ? v_day((Day)due) : v_null());
    if (due) {
        Day until = closed ? instant_day(c->decided_at ? c->decided_at : c->closed_at) : today;
        int32_t left = calendar_between(cal, until, (Day)due);
        context_put_new(&b, S("left"), v_int(left));
        context_put_new(&b, S("late"), v_bool(until > due));
        context_put_new(&b, S("late_by"), v_int(left < 0 ? -left : 0));
    }
    int64_t warn = str_eq(which, S("promised")) ? c->warn_day : due;
    context_put_new(&b, S("light"), light_name(case_light(today, due, warn, c->paused, closed)));
    return context_done(&b);
}

static Value pause_views(Value pauses, Arena *a) {
    ListBuilder list = list_make(a);
    for (size_t i = 0; pauses.kind == V_LIST && i < pauses.len; i++) {
        Value p = v_at(pauses, i), to = v_get_lit(p, "to");
        ContextBuilder b = context_make(a);
        context_put_new(&b, S("from"), v_day((Day)number_of(p, S("from"))));
        context_put_new(&b, S("to"), v_is_null(to) ? to : v_day((Day)v_to_int(to, 0)));
        context_put_new(&b, S("reason"), v_get_lit(p, "reason"));
        list_add(&list, context_done(&b));
    }
    return list_done(&list);
}

Value clock_view(const CaseRow *c, const Calendar *cal, Day today, Arena *a) {
    ContextBuilder b = context_make(a);
    if (c->clock.kind != V_CONTEXT) return context_done(&b);
    Day start = (Day)number_of(c->clock, S("start"));
    bool open;
    int32_t extra =
        stopped_days(c->clock, cal, &open) + (int32_t)number_of(c->clock, S("extended"));
    context_put_new(&b, S("start"), v_day(start));
    context_put_new(&b, S("paused"), v_bool(c->paused));
    context_put_new(&b, S("extended"), v_get_lit(c->clock, "extended"));
    context_put_new(&b, S("stopped"), v_int(extra - number_of(c->clock, S("extended"))));
    context_put_new(&b, S("pauses"), pause_views(v_get_lit(c->clock, "pauses"), a));
    context_put_new(&b, S("promised"),
                    one_clock(c, cal, today, c->promised_due_day, S("promised"), a));
    context_put_new(&b, S("statutory"),
                    one_clock(c, cal, today, c->statutory_due_day, S("statutory"), a));
    if (!c->paused) {
        int32_t n = (int32_t)number_of(c->clock, S("promised")) + extra;
        context_put_new(&b, S("derivation"), calendar_derivation(cal, start, n, a));
    }
    return context_done(&b);
}
