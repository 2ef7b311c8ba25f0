// When the timers of a flow are due.
//
// A timer is an instant, or a number of working days: then the row keeps the day it began (day 0)
// and the number, and its due day is worked out as the clocks of the case are: working days that
// fall into a pause do not count. While a pause lasts it is held, far in the future; when the case
// goes on, and when the calendar changes, due_at is worked out again. It fires at the end of its
// day, as every period does.
#include "bpmn/mend.h"
#include "case/case_internal.h"

enum { DERIVE_BATCH = 200 };

// Held: no clock gets there.
static const Instant HELD_AT = INT64_MAX / 2;
// A moment further away than this is a mistake.
static const int64_t TIMER_S_MAX = (int64_t)100 * 366 * 24 * 3600;
static const int64_t TIMER_MONTHS_MAX = 1200;

static Instant months_after(Instant now, int64_t months) {
    Day today = instant_day(now);
    Civil to = day_to_civil(today);
    int64_t month = to.month - 1 + months;
    to.year += (int32_t)(month / 12);
    to.month = (int32_t)(month % 12) + 1;
    while (!civil_valid(to)) to.day--; // 31 January + 1 month is the last of February
    return now + ((Instant)day_from_civil(to) - today) * DAY_MS;
}

static bool moment(Value v, Instant now, Instant *ret) {
    Day day;
    switch ((ValueKind)v.kind) {
    case V_DURATION: {
        int64_t s = v.as.duration.seconds;
        if (s > TIMER_S_MAX) return false;
        *ret = s <= 0 ? now : now + s * 1000 + v.as.duration.nanoseconds / 1000000;
        return true;
    }
    case V_MONTHS:
        if (v.as.months > TIMER_MONTHS_MAX) return false;
        *ret = v.as.months <= 0 ? now : months_after(now, v.as.months);
        return true;
    case V_DATE:
        if (!v_to_day(v, &day)) return false;
        *ret = day_instant(day, 0);
        return true;
    case V_DATE_TIME: {
        const DateTime *t = v.as.time;
        Civil c = {.year = t->year, .month = t->month, .day = t->day};
        if (!civil_valid(c)) return false;
        *ret = day_instant(day_from_civil(c), t->hour * 3600 + t->minute * 60 + t->second);
        // an offset of its own instead of China's
        if (t->has_offset) *ret += ((Instant)8 * 3600 - t->offset_s) * 1000;
        return true;
    }
    default: return false;
    }
}

// HELD_AT while the case is paused.
static Instant due_of(const CaseRow *c, Day start, int32_t days) {
    bool open;
    const Calendar *cal = case_calendar(case_room);
    int32_t stopped = clock_stopped(c->clock, cal, start, &open);
    return open ? HELD_AT : day_end(calendar_add(cal, start, days + stopped, NULL));
}

Status timer_set_flow(Tx *tx, const CaseRow *c, Str node, int64_t token, Value v, Errors *errs) {
    Instant due = 0;
    int64_t days = v_to_int(v_get_lit(v, "working_days"), -1);
    bool working = v.kind == V_CONTEXT && days >= 0 && days <= CALENDAR_ADD_MAX;
    if (working) due = due_of(c, tx_day(tx), (int32_t)days);
    else if (!moment(v, tx_now(tx), &due)) {
        return errors_add(errs, INVALID, node, "计时环节“{1}”算不出到期的时刻", node);
    }
    Query *q = query(tx_db(tx), "INSERT INTO timer (case_id, kind, token, due_at, days, start_day,"
                                " node) VALUES (?1, 'flow', ?2, ?3, ?4, ?5, ?6)");
    query_int(q, 1, c->id);
    query_int(q, 2, token);
    query_int(q, 3, due);
    if (working) query_int(q, 4, days);
    else query_null(q, 4);
    if (working) query_int(q, 5, tx_day(tx));
    else query_null(q, 5);
    query_str(q, 6, node);
    TRY_E(errs, query_run(q, NULL, &e));
    return OK;
}

Status timers_hold(Tx *tx, int64_t case_id, Errors *errs) {
    Query *q = query(tx_db(tx), "UPDATE timer SET due_at = ?1 WHERE case_id = ?2 AND done_at IS"
                                " NULL AND days IS NOT NULL");
    query_int(q, 1, HELD_AT);
    query_int(q, 2, case_id);
    TRY_E(errs, query_run(q, NULL, &e));
    return OK;
}

typedef struct Waiting {
    int64_t id, due_at;
    Day start;
    int32_t days;
} Waiting;

static Status waiting_of(Db *db, const CaseRow *c, Arena *a, Waiting **ret, size_t *ret_count,
                         Error *err) {
    Query *q = query(db, "SELECT id, due_at, start_day, days FROM timer WHERE case_id = ?1"
                         " AND done_at IS NULL AND days IS NOT NULL ORDER BY id");
    query_int(q, 1, c->id);
    Waiting *list = arena_array(a, Waiting, FLOW_TOKENS_MAX);
    size_t n = 0;
    while (query_next(q) && n < FLOW_TOKENS_MAX) {
        list[n++] = (Waiting){query_col_int(q, 0), query_col_int(q, 1), (Day)query_col_int(q, 2),
                              (int32_t)query_col_int(q, 3)};
    }
    *ret = list;
    *ret_count = n;
    return query_done(q, err);
}

Status timers_derive(Tx *tx, const CaseRow *c, int64_t *ret_changed, Errors *errs) {
    Waiting *list;
    size_t n;
    *ret_changed = 0;
    TRY_E(errs, waiting_of(tx_db(tx), c, tx_arena(tx), &list, &n, &e));
    for (size_t i = 0; i < n; i++) {
        Instant due = due_of(c, list[i].start, list[i].days);
        if (due == list[i].due_at) continue;
        Query *q = query(tx_db(tx), "UPDATE timer SET due_at = ?1 WHERE id = ?2");
        query_int(q, 1, due);
        query_int(q, 2, list[i].id);
        TRY_E(errs, query_run(q, NULL, &e));
        (*ret_changed)++;
    }
    return OK;
}

Status timers_view(Db *db, const CaseRow *c, Arena *a, Value *ret, Error *err) {
    const Calendar *cal = case_calendar(case_room);
    Query *q = query(db, "SELECT node, due_at, days, start_day FROM timer WHERE case_id = ?1"
                         " AND done_at IS NULL AND kind = 'flow' ORDER BY due_at, id LIMIT 50");
    query_int(q, 1, c->id);
    ListBuilder list = list_make(a);
    while (query_next(q)) {
        ContextBuilder b = context_make(a);
        Str node = query_col_keep(q, 0, a), name = node;
        (void)flow_place(c->item->flow, node, &node, &name);
        bool held = query_col_int(q, 1) == HELD_AT, working = !query_col_null(q, 2);
        context_put_new(&b, S("node"), v_str(node));
        context_put_new(&b, S("name"), v_str(name));
        context_put_new(&b, S("held"), v_bool(held));
        context_put_new(&b, S("due"), held ? v_null() : v_instant(query_col_int(q, 1), a));
        if (working) {
            Day start = (Day)query_col_int(q, 3);
            int32_t days = (int32_t)query_col_int(q, 2);
            bool open;
            int32_t stopped = clock_stopped(c->clock, cal, start, &open);
            context_put_new(&b, S("days"), v_int(days));
            context_put_new(&b, S("stopped"), v_int(stopped));
            if (!held) {
                context_put_new(&b, S("derivation"),
                                calendar_derivation(cal, start, days + stopped, a));
            }
        }
        list_add(&list, context_done(&b));
    }
    *ret = list_done(&list);
    return query_done(q, err);
}

// ---- the calendar changed ----

// The clocks and timers of one case anew. Without a change there is no event and nothing written.
Status cmd_derive(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    int64_t moved;
    TRY_S(case_load_input(tx, input, &c, errs));
    *ret = v_null();
    if (c.state != CASE_APPROVAL) return OK;
    const int64_t before[] = {c.promised_due_day, c.statutory_due_day, c.warn_day};
    clock_apply(&c, case_calendar(case_room));
    TRY_S(timers_derive(tx, &c, &moved, errs));
    if (!moved && before[0] == c.promised_due_day && before[1] == c.statutory_due_day &&
        before[2] == c.warn_day)
        return OK;
    ContextBuilder b = context_make(tx_arena(tx));
    if (before[0]) context_put_new(&b, S("was"), v_day((Day)before[0]));
    if (c.promised_due_day) context_put_new(&b, S("due"), v_day((Day)c.promised_due_day));
    if (moved) context_put_new(&b, S("timers"), v_int(moved));
    TRY_S(case_event(tx, &c, actor, S("clock.derived"), HANDLING_NONE, context_done(&b), errs));
    return case_save(tx, &c, errs);
}

// Whether the case's days still follow from the calendar.
static Status is_stale(Db *db, int64_t id, Arena *a, bool *ret, Errors *errs) {
    CaseRow c;
    Waiting *list;
    size_t n;
    TRY_S(case_load(db, id, a, &c, errs));
    const int64_t before[] = {c.promised_due_day, c.statutory_due_day, c.warn_day};
    clock_apply(&c, case_calendar(case_room));
    *ret = before[0] != c.promised_due_day || before[1] != c.statutory_due_day ||
           before[2] != c.warn_day;
    TRY_E(errs, waiting_of(db, &c, a, &list, &n, &e));
    for (size_t i = 0; i < n; i++) {
        *ret = *ret || due_of(&c, list[i].start, list[i].days) != list[i].due_at;
    }
    return OK;
}

static Status open_cases(Store *s, int64_t after, int64_t *ids, size_t *ret_count, Error *err) {
    DB_AUTO db = NULL;
    Status st = store_read(s, &db, err);
    if (st != OK) return st;
    Query *q = query(db, "SELECT id FROM cases WHERE id > ?1 AND decided_at IS NULL AND state = 3"
                         " ORDER BY id LIMIT ?2");
    query_int(q, 1, after);
    query_int(q, 2, DERIVE_BATCH);
    *ret_count = 0;
    while (query_next(q) && *ret_count < DERIVE_BATCH) ids[(*ret_count)++] = query_col_int(q, 0);
    return query_done(q, err);
}

static Status derive_batch(Store *s, const int64_t *ids, size_t n, Instant now, Arena *a,
                           Errors *errs) {
    for (size_t i = 0; i < n; i++) {
        bool stale = false;
        Error err = {.status = OK};
        DB_AUTO db = NULL;
        if (store_read(s, &db, &err) != OK) return errors_push(errs, &err);
        TRY_S(is_stale(db, ids[i], a, &stale, errs));
        store_release(db);
        db = NULL;
        Value out, input = v_with(v_null(), S("id"), v_int(ids[i]), a);
        Errors each = errors_make(a);
        if (stale && command_run(s, command_find(S("clock.derive")), &actor_system, input, now, a,
                                 &out, &each) != OK) {
            for (size_t k = 0; k < each.count; k++) (void)errors_push(errs, &each.items[k]);
            return errors_status(errs);
        }
        arena_reset(a);
    }
    return OK;
}

Status case_derive_all(Store *s, Instant now, Errors *errs) {
    ARENA_AUTO a = arena_create(STORE_JOB_MEMORY_MAX);
    int64_t ids[DERIVE_BATCH], after = 0;
    for (size_t n = DERIVE_BATCH; n == DERIVE_BATCH;) {
        Error err = {.status = OK};
        if (open_cases(s, after, ids, &n, &err) != OK) return errors_push(errs, &err);
        if (n) after = ids[n - 1];
        TRY_S(derive_batch(s, ids, n, now, a, errs));
    }
    return OK;
}
