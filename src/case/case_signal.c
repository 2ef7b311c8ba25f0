// Messages and signals between cases (消息, 信号): a flow throws one, another case's flow waits for it.
//
// What a case's flow waits for stands in flow_subscription, kept in step at the end of each drive;
// flows that listen to nothing cost no statement. What is thrown becomes a delivery for each case
// that waits, with a timer that is due at once: the cases are driven in transactions of their own,
// and the thrower never holds them. Nothing thrown is lost without an event: of what nobody waits
// for the thrower's trail says so, and a delivery that comes too late is told in its own case's.
//
// A signal goes to all that wait, a message to one: the case whose number its value gives as
// `case`, else the parent, else the first child that waits. SIGNAL_CASES_MAX cases for a signal.
#include "case/case_drive.h"

enum { SIGNAL_CASES_MAX = 1000 };

// ---- what is waited for ----

// [[kind, name]…] without repeats, in the order in which the flow came to wait.
static Status waits_of(const Drive *d, Value *ret, Errors *errs) {
    Value waiting, state = v_get_lit(d->c->flow, "s");
    ListBuilder list = list_make(d->arena);
    if (d->c->state == CASE_APPROVAL && !v_is_null(state) && flow_listens(d->c->item->flow)) {
        TRY_E(errs, flow_waiting(d->c->item->flow, state, d->arena, &waiting, &e));
        for (size_t i = 0; i < waiting.len; i++) {
            Value one = v_at(waiting, i);
            Str kind = v_text(v_get_lit(one, "kind"));
            bool message = str_eq(kind, S("message"));
            if (!message && !str_eq(kind, S("signal"))) continue;
            ListBuilder pair = list_make(d->arena);
            list_add(&pair, v_int(message ? THROWN_MESSAGE : THROWN_SIGNAL));
            list_add(&pair, v_get_lit(one, "name"));
            Value wanted = list_done(&pair), so_far = list_done(&list);
            bool known = false;
            for (size_t j = 0; j < so_far.len; j++) {
                known = known || v_equal(v_at(so_far, j), wanted);
            }
            if (!known) list_add(&list, wanted);
        }
    }
    *ret = list.len ? list_done(&list) : v_null();
    return OK;
}

Status drive_subscribe(Drive *d) {
    Value waits;
    TRY_S(waits_of(d, &waits, d->errs));
    if (v_equal(waits, d->waits)) return OK;
    Query *q = query(tx_db(d->tx), "DELETE FROM flow_subscription WHERE case_id = ?1");
    query_int(q, 1, d->c->id);
    TRY_E(d->errs, query_run(q, NULL, &e));
    for (size_t i = 0; waits.kind == V_LIST && i < waits.len; i++) {
        q = query(tx_db(d->tx),
                  "INSERT INTO flow_subscription (case_id, kind, name) VALUES (?1, ?2, ?3)");
        query_int(q, 1, d->c->id);
        query_int(q, 2, v_to_int(v_at(v_at(waits, i), 0), 0));
        query_str(q, 3, v_text(v_at(v_at(waits, i), 1)));
        TRY_E(d->errs, query_run(q, NULL, &e));
    }
    d->waits = waits;
    drive_set_state(d, v_get_lit(d->c->flow, "s"));
    return OK;
}

static Status is_waiting(Db *db, int64_t case_id, FlowThrown kind, Str name, bool *ret,
                         Error *err) {
    int64_t n = 0;
    Query *q = query(db, "SELECT COUNT(*) FROM flow_subscription WHERE kind = ?1 AND name = ?2"
                         " AND case_id = ?3");
    query_int(q, 1, kind);
    query_str(q, 2, name);
    query_int(q, 3, case_id);
    Status st = query_one_int(q, &n, err);
    *ret = n > 0;
    return st;
}

// ---- throwing ----

static Value said(Drive *d, const FlowEffect *fx, int64_t cases) {
    ContextBuilder b = context_make(d->arena);
    context_put_new(&b, S("node"), v_str(fx->node));
    context_put_new(&b, S("name"), v_str(fx->name));
    if (cases) context_put_new(&b, S("cases"), v_int(cases));
    return context_done(&b);
}

static Status deliver_to(Drive *d, int64_t case_id, FlowThrown kind, const FlowEffect *fx) {
    int64_t id = 0;
    Value values = fx->value.kind == V_CONTEXT ? fx->value : v_null();
    Query *q = query(tx_db(d->tx), "INSERT INTO flow_delivery (case_id, kind, name, values_json,"
                                   " from_case_id, thrown_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
                                   " RETURNING id");
    query_int(q, 1, case_id);
    query_int(q, 2, kind);
    query_str(q, 3, fx->name);
    query_str(q, 4, json_to_str(values, d->arena));
    query_int(q, 5, d->c->id);
    query_int(q, 6, tx_now(d->tx));
    TRY_E(d->errs, query_one_int(q, &id, &e));
    return timer_set(d->tx, case_id, S("delivery"), id, tx_now(d->tx), d->errs);
}

Status drive_throw_signal(Drive *d, const FlowEffect *fx) {
    Query *q = query(tx_db(d->tx), "SELECT case_id FROM flow_subscription WHERE kind = ?1"
                                   " AND name = ?2 AND case_id <> ?3 ORDER BY case_id LIMIT ?4");
    query_int(q, 1, THROWN_SIGNAL);
    query_str(q, 2, fx->name);
    query_int(q, 3, d->c->id);
    query_int(q, 4, SIGNAL_CASES_MAX + 1);
    int64_t *cases = arena_array(d->arena, int64_t, SIGNAL_CASES_MAX + 1), n = 0;
    while (query_next(q)) cases[n++] = query_col_int(q, 0);
    TRY_E(d->errs, query_done(q, &e));
    if (n > SIGNAL_CASES_MAX) {
        return errors_add(d->errs, LIMIT, fx->node, "等待信号“{1}”的办件超过 {2} 个", fx->name,
                          arena_printf(d->arena, "%d", SIGNAL_CASES_MAX));
    }
    for (int64_t i = 0; i < n; i++) TRY_S(deliver_to(d, cases[i], THROWN_SIGNAL, fx));
    return case_event(d->tx, d->c, d->actor, S("flow.signal"), HANDLING_NONE, said(d, fx, n),
                      d->errs);
}

// The case a message is for, when it waits; 0: none does.
static Status addressee(Drive *d, const FlowEffect *fx, int64_t *ret) {
    Db *db = tx_db(d->tx);
    int64_t named = d->c->parent_id;
    Str number = v_text(v_get_lit(fx->value, "case"));
    *ret = 0;
    if (number.len) {
        named = 0;
        Query *q = query(db, "SELECT id FROM cases WHERE number = ?1");
        query_str(q, 1, number);
        if (query_next(q)) named = query_col_int(q, 0);
        TRY_E(d->errs, query_done(q, &e));
    }
    bool waits = false;
    if (named) TRY_E(d->errs, is_waiting(db, named, THROWN_MESSAGE, fx->name, &waits, &e));
    if (waits) *ret = named;
    if (waits || number.len) return OK;
    Query *q = query(db, "SELECT s.case_id FROM flow_subscription s JOIN cases c"
                         " ON c.id = s.case_id WHERE s.kind = ?1 AND s.name = ?2"
                         " AND c.parent_id = ?3 ORDER BY s.case_id LIMIT 1");
    query_int(q, 1, THROWN_MESSAGE);
    query_str(q, 2, fx->name);
    query_int(q, 3, d->c->id);
    if (query_next(q)) *ret = query_col_int(q, 0);
    TRY_E(d->errs, query_done(q, &e));
    return OK;
}

Status drive_throw_message(Drive *d, const FlowEffect *fx) {
    int64_t to = 0;
    TRY_S(addressee(d, fx, &to));
    if (to) TRY_S(deliver_to(d, to, THROWN_MESSAGE, fx));
    return case_event(d->tx, d->c, d->actor, to ? S("flow.message") : S("flow.message_unclaimed"),
                      HANDLING_NONE, said(d, fx, to != 0), d->errs);
}

Status drive_escalated(Drive *d, const FlowEffect *fx) {
    return case_event(d->tx, d->c, d->actor, S("flow.escalated"), HANDLING_NONE, said(d, fx, 0),
                      d->errs);
}

// ---- delivering ----

typedef struct Delivery {
    FlowThrown kind;
    Str name, values, from;
} Delivery;

static Status delivery_take(Tx *tx, int64_t id, Delivery *ret, Errors *errs) {
    Arena *a = tx_arena(tx);
    Query *q = query(tx_db(tx), "UPDATE flow_delivery SET delivered_at = ?1 WHERE id = ?2"
                                " AND delivered_at IS NULL RETURNING kind, name, values_json,"
                                " (SELECT number FROM cases WHERE id = from_case_id)");
    query_int(q, 1, tx_now(tx));
    query_int(q, 2, id);
    bool found = query_next(q);
    if (found) {
        *ret = (Delivery){(FlowThrown)query_col_int(q, 0), query_col_keep(q, 1, a),
                          query_col_keep(q, 2, a), query_col_keep(q, 3, a)};
    }
    TRY_E(errs, query_done(q, &e));
    return found ? OK : errors_add(errs, CONFLICT, S("timer"), "定时任务已执行或尚未到期");
}

static Status feed(Tx *tx, CaseRow *c, const Actor *actor, FlowThrown kind, Str name, Value values,
                   Errors *errs) {
    FlowInput in = {.kind = kind == THROWN_MESSAGE ? FLOW_MESSAGE : FLOW_SIGNAL,
                    .name = name,
                    .values = values};
    TRY_S(flow_feed(tx, c, actor, &in, errs));
    return case_save(tx, c, errs);
}

Status delivery_fire(Tx *tx, CaseRow *c, const Actor *actor, int64_t id, Errors *errs) {
    Delivery v = {0};
    Value values;
    bool waits = false;
    TRY_S(delivery_take(tx, id, &v, errs));
    TRY_E(errs, is_waiting(tx_db(tx), c->id, v.kind, v.name, &waits, &e));
    TRY_E(errs, json_parse(v.values, JSON_STRICT, (JsonLimits){0}, tx_arena(tx), &values, &e));
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("name"), v_str(v.name));
    context_put_new(&b, S("from"), v_str(v.from));
    TRY_S(case_event(tx, c, actor, waits ? S("flow.delivered") : S("flow.undelivered"),
                     HANDLING_NONE, context_done(&b), errs));
    return waits ? feed(tx, c, actor, v.kind, v.name, values, errs) : OK;
}

// An official tells the flow what it waits for: {name, values}. The event names the values and does
// not repeat them.
Status cmd_message(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    Str name = v_text(v_get_lit(input, "name"));
    Value values;
    bool waits = false, may = actor_has(actor, ROLE_SYSTEM);
    TRY_S(case_load_input(tx, input, &c, errs));
    if (!may) may = c.handler_id == actor->account_id;
    if (!may) TRY_S(holds_a_task(tx, &c, actor, &may, errs));
    if (!may) {
        return errors_add(errs, DENIED, S("number"), "只有本办件的经办人员可以给流程发消息");
    }
    TRY_S(case_expect(&c, 1u << CASE_APPROVAL, errs));
    TRY_S(values_of_input(tx, input, S("values"), &values, errs));
    TRY_E(errs, is_waiting(tx_db(tx), c.id, THROWN_MESSAGE, name, &waits, &e));
    if (!waits) return errors_add(errs, CONFLICT, S("name"), "这个办件没有在等消息“{1}”", name);
    ListBuilder names = list_make(tx_arena(tx));
    for (uint32_t i = 0; values.kind == V_CONTEXT && i < values.len; i++) {
        list_add(&names, v_str(values.as.entries[i].key));
    }
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("name"), v_str(name));
    context_put_new(&b, S("values"), list_done(&names));
    TRY_S(case_event(tx, &c, actor, S("case.message"), HANDLING_NONE, context_done(&b), errs));
    TRY_S(feed(tx, &c, actor, THROWN_MESSAGE, name, values, errs));
    ContextBuilder result = context_make(tx_arena(tx));
    context_put_new(&result, S("number"), v_str(c.number));
    context_put_new(&result, S("revision"), v_int(c.revision));
    *ret = context_done(&result);
    return OK;
}
