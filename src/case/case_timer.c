// Timers: rows claimed with a lease, so that any node may do them, once. Each fires through the
// command timer.fire, like everything else that changes state.
#include "case/case_drive.h"

enum { LEASE_MS = 60000, DUE_BATCH = 200, DEEMED_DAYS = 5 };

Instant day_end(Day d) { return day_instant(d, 24 * 3600 - 1); }

Status timer_set(Tx *tx, int64_t case_id, Str kind, int64_t token, Instant due, Errors *errs) {
    Query *q = query(tx_db(tx), "INSERT INTO timer (case_id, kind, token, due_at)"
                                " VALUES (?1, ?2, ?3, ?4)");
    query_int(q, 1, case_id);
    query_str(q, 2, kind);
    query_int(q, 3, token);
    query_int(q, 4, due);
    TRY_E(errs, query_run(q, NULL, &e));
    return OK;
}

Status timers_clear(Tx *tx, int64_t case_id, Str kind, int64_t token, Errors *errs) {
    Query *q =
        query(tx_db(tx), "UPDATE timer SET done_at = ?1 WHERE case_id = ?2 AND done_at IS NULL"
                         " AND (kind = ?3 OR (?3 = '' AND kind <> 'delivery'))"
                         " AND (?4 = 0 OR token = ?4)");
    query_int(q, 1, tx_now(tx));
    query_int(q, 2, case_id);
    query_str(q, 3, kind);
    query_int(q, 4, token);
    TRY_E(errs, query_run(q, NULL, &e));
    return OK;
}

static Status fire_correction(Tx *tx, CaseRow *c, const Actor *actor, Errors *errs) {
    if (c->state != CASE_CORRECTING) return OK;
    return case_end(tx, c, actor, CASE_TERMINATED, S("case.correction_expired"),
                    S("correction-expired"), S("申请人逾期未补正"), HANDLING_NONE, errs);
}

static Status fire_tolerance(Tx *tx, CaseRow *c, const Actor *actor, Errors *errs) {
    if (c->state != CASE_APPROVAL) return OK;
    return case_end(tx, c, actor, CASE_TERMINATED, S("case.promise_broken"), S("tolerance-broken"),
                    S("申请人未按承诺期限补交容缺材料"), HANDLING_NONE, errs);
}

static Status fire_flow(Tx *tx, CaseRow *c, const Actor *actor, int64_t token, Errors *errs) {
    if (c->state != CASE_APPROVAL) return OK;
    FlowInput in = {.kind = FLOW_TIMER, .token = token};
    TRY_S(flow_feed(tx, c, actor, &in, errs));
    return case_save(tx, c, errs);
}

Status cmd_timer(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    int64_t id = input_int(input, S("timer")), case_id = 0, token = 0;
    Str kind = S("");
    Query *q = query(tx_db(tx), "UPDATE timer SET done_at = ?1 WHERE id = ?2 AND done_at IS NULL"
                                " AND due_at <= ?1 RETURNING case_id, kind, token");
    query_int(q, 1, tx_now(tx));
    query_int(q, 2, id);
    if (query_next(q)) {
        case_id = query_col_int(q, 0);
        kind = query_col_keep(q, 1, tx_arena(tx));
        token = query_col_int(q, 2);
    }
    TRY_E(errs, query_done(q, &e));
    if (!case_id) return errors_add(errs, CONFLICT, S("timer"), "定时任务已执行或尚未到期");
    CaseRow c;
    TRY_S(case_load(tx_db(tx), case_id, tx_arena(tx), &c, errs));
    *ret = v_null();
    if (str_eq(kind, S("correction"))) return fire_correction(tx, &c, actor, errs);
    if (str_eq(kind, S("tolerance"))) return fire_tolerance(tx, &c, actor, errs);
    if (str_eq(kind, S("retry"))) return incident_fire(tx, &c, actor, token, errs);
    if (str_eq(kind, S("delivery"))) return delivery_fire(tx, &c, actor, token, errs);
    return fire_flow(tx, &c, actor, token, errs);
}

// ---- the worker ----

typedef struct DueList {
    int64_t ids[DUE_BATCH];
    size_t count;
} DueList;

static Status lease_job(Tx *tx, void *arg, Errors *errs) {
    DueList *due = arg;
    due->count = 0;
    Query *q = query(tx_db(tx), "UPDATE timer SET lease_until_at = ?1 WHERE id IN (SELECT id FROM"
                                " timer WHERE done_at IS NULL AND due_at <= ?2 AND"
                                " lease_until_at < ?2 ORDER BY due_at LIMIT ?3) RETURNING id");
    query_int(q, 1, tx_now(tx) + LEASE_MS);
    query_int(q, 2, tx_now(tx));
    query_int(q, 3, DUE_BATCH);
    while (query_next(q) && due->count < DUE_BATCH) due->ids[due->count++] = query_col_int(q, 0);
    TRY_E(errs, query_done(q, &e));
    return OK;
}

static Status any_due(Store *s, Instant now, bool *ret, Error *err) {
    DB_AUTO db = NULL;
    Status st = store_read(s, &db, err);
    if (st != OK) return st;
    Query *q = query(db, "SELECT COUNT(*) FROM timer WHERE done_at IS NULL AND due_at <= ?1");
    query_int(q, 1, now);
    int64_t n = 0;
    st = query_one_int(q, &n, err);
    *ret = n > 0;
    return st;
}

static Value timer_input(int64_t id, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("timer"), v_int(id));
    return context_done(&b);
}

// Day of receipt, or of the correction that was asked for: told in time, the applicant's five days
// begin anew when he has completed what he was told.
static Status day_received(Db *db, const CaseRow *c, Day *ret, Error *err) {
    Query *q = query(db, "SELECT COALESCE(MAX(at), 0) FROM event WHERE case_id = ?1"
                         " AND kind = 'case.corrected'");
    query_int(q, 1, c->id);
    int64_t corrected = 0;
    Status st = query_one_int(q, &corrected, err);
    *ret = instant_day(corrected > c->received_at ? corrected : c->received_at);
    return st;
}

// Cases that nobody told anything for five working days count as accepted from receipt.
static Status fire_deemed(CaseRoom *r, Store *s, Instant now, Arena *a, int64_t *done, Error *err) {
    DueList due = {0};
    Day today = instant_day(now);
    DB_AUTO db = NULL;
    Status st = store_read(s, &db, err);
    if (st != OK) return st;
    Query *q = query(db, "SELECT c.id, c.received_at FROM cases c WHERE c.state = 1"
                         " AND c.received_at < ?1 AND NOT EXISTS (SELECT 1 FROM event e WHERE"
                         " e.case_id = c.id AND e.kind = 'case.corrected' AND e.at >= ?1)"
                         " ORDER BY c.received_at LIMIT ?2");
    query_int(q, 1, day_instant(today - DEEMED_DAYS, 0));
    query_int(q, 2, DUE_BATCH);
    while (query_next(q)) {
        Day received = instant_day(query_col_int(q, 1));
        if (today > calendar_add(case_calendar(r), received, DEEMED_DAYS, NULL)) {
            due.ids[due.count++] = query_col_int(q, 0);
        }
    }
    st = query_done(q, err);
    for (size_t i = 0; st == OK && i < due.count; i++) {
        Errors errs = errors_make(a);
        ContextBuilder b = context_make(a);
        context_put_new(&b, S("id"), v_int(due.ids[i]));
        Value out;
        if (command_run(s, command_find(S("timer.deem")), &actor_system, context_done(&b), now, a,
                        &out, &errs) == OK) {
            (*done)++;
        }
    }
    return st;
}

Status cmd_deem(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    TRY_S(case_load_input(tx, input, &c, errs));
    TRY_S(case_expect(&c, 1u << CASE_RECEIVED, errs));
    Day received;
    TRY_E(errs, day_received(tx_db(tx), &c, &received, &e));
    if (tx_day(tx) <= calendar_add(case_calendar(case_room), received, DEEMED_DAYS, NULL)) {
        return errors_add(errs, CONFLICT, S("id"), "收件未满 5 个工作日");
    }
    Acceptance how = {.tolerate = v_null(), .start = received, .deemed = true};
    TRY_S(case_do_accept(tx, &c, actor, &how, errs));
    *ret = v_null();
    return case_save(tx, &c, errs);
}

Status case_run_due(CaseRoom *r, Store *s, Instant now, int64_t *ret_done, Error *err) {
    ARENA_AUTO a = arena_create(STORE_JOB_MEMORY_MAX);
    int64_t done = 0;
    bool due_now = false, new_days = false;
    Status st = case_calendar_notice(r, s, &new_days, err);
    if (st == LIMIT) { // the days known before serve on; what is due is due
        st = OK;
        new_days = false;
    }
    if (st == OK && new_days) {
        Errors errs = errors_make(a);
        st = case_derive_all(s, now, &errs);
        if (st != OK && errs.count) error_copy(err, &errs.items[0]);
    }
    if (st == OK) st = any_due(s, now, &due_now, err);
    while (st == OK && due_now) {
        DueList due;
        Errors errs = errors_make(a);
        st = store_write(s, lease_job, &due, a, now, &errs);
        if (st != OK && errs.count) error_copy(err, &errs.items[0]);
        for (size_t i = 0; st == OK && i < due.count; i++) {
            Errors each = errors_make(a);
            Value out;
            if (command_run(s, command_find(S("timer.fire")), &actor_system,
                            timer_input(due.ids[i], a), now, a, &out, &each) == OK) {
                done++;
            } // a refused one is tried again when its lease is over
        }
        due_now = st == OK && due.count == DUE_BATCH;
        arena_reset(a);
    }
    if (st == OK) st = fire_deemed(r, s, now, a, &done, err);
    if (st == OK && ret_done) *ret_done = done;
    return st;
}
