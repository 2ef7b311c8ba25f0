// Incidents (流程异常): an automatic step that failed. It is tried again with back-off by a timer row
// like any other; then it stands until an administrator mends it: sets variables and tries again,
// says that the step is done, or throws an error of the flow in its place. Nothing of it vanishes:
// rows are never deleted, every attempt and act is an event of the case.
#include "bpmn/mend.h"
#include "case/case_drive.h"

#include <assert.h>

// Seconds until the second, third … attempt; after the last the incident stands.
static const int32_t BACK_OFF_S[] = {60, 5 * 60, 30 * 60, 2 * 3600};
enum { ATTEMPTS_MAX = 1 + sizeof BACK_OFF_S / sizeof *BACK_OFF_S };

bool incident_fits(Status s) { return s != OK && s != BUSY && s != NO_SPACE; }

// ---- opening ----

static Value error_value(const Errors *why, Arena *a) {
    const Error *e = &why->items[0];
    ListBuilder args = list_make(a);
    for (int i = 0; i < ERROR_ARGS; i++) list_add(&args, v_str(e->args[i]));
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("text"), v_str(str_z(e->text)));
    context_put_new(&b, S("args"), list_done(&args));
    context_put_new(&b, S("where"), v_str(e->where));
    return context_done(&b);
}

static Value input_value(const FlowInput *in, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("kind"), v_int(in->kind));
    context_put_new(&b, S("token"), v_int(in->token));
    context_put_new(&b, S("name"), v_str(in->name));
    context_put_new(&b, S("values"), in->values);
    return context_done(&b);
}

static FlowInput input_of(Value v) {
    return (FlowInput){.kind = (FlowInputKind)v_to_int(v_get_lit(v, "kind"), 0),
                       .token = v_to_int(v_get_lit(v, "token"), 0),
                       .name = v_text(v_get_lit(v, "name")),
                       .values = v_get_lit(v, "values")};
}

// Those who mend it hear of it when it stands.
static Status tell_administrators(Drive *d, Str name, Errors *errs) {
    ContextBuilder b = context_make(d->arena);
    ListBuilder args = list_make(d->arena);
    list_add(&args, v_str(d->c->number));
    list_add(&args, v_str(name));
    context_put_new(&b, S("text"), v_lit("办件 {1} 的流程停在“{2}”，请处理流程异常"));
    context_put_new(&b, S("args"), list_done(&args));
    Query *q = query(tx_db(d->tx), "INSERT INTO message (account_id, case_id, text_json,"
                                   " created_at) SELECT id, ?1, ?2, ?3 FROM account"
                                   " WHERE (roles & ?4) > 0 AND locked = 0");
    query_int(q, 1, d->c->id);
    query_str(q, 2, json_to_str(context_done(&b), d->arena));
    query_int(q, 3, tx_now(d->tx));
    query_int(q, 4, ROLE_SYSADMIN);
    TRY_E(errs, query_run(q, NULL, &e));
    return OK;
}

static Value about(const IncidentRow *row, Value error, Instant next, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("incident"), v_int(row->id));
    context_put_new(&b, S("node"), v_str(row->node));
    context_put_new(&b, S("name"), v_str(row->name));
    context_put_new(&b, S("attempts"), v_int(row->attempts));
    if (!v_is_null(error)) context_put_new(&b, S("error"), error);
    if (next) context_put_new(&b, S("next"), v_instant(next, a));
    return context_done(&b);
}

// 0: it stands.
static Instant next_attempt(const Drive *d, int64_t attempts) {
    bool by_hand = !actor_has(d->actor, ROLE_SYSTEM) && d->again;
    if (by_hand || attempts >= ATTEMPTS_MAX) return 0;
    return tx_now(d->tx) + (Instant)BACK_OFF_S[attempts - 1] * 1000;
}

static Status incident_insert(Drive *d, IncidentRow *row, Value error, Instant next) {
    Query *q = query(tx_db(d->tx), "INSERT INTO incident (case_id, token, node, name, kind, state,"
                                   " attempts, error_json, input_json, opened_at, tried_at,"
                                   " next_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
                                   " ?10, ?11) RETURNING id");
    query_int(q, 1, d->c->id);
    query_int(q, 2, row->token);
    query_str(q, 3, row->node);
    query_str(q, 4, row->name);
    query_int(q, 5, row->kind);
    query_int(q, 6, next ? INCIDENT_RETRYING : INCIDENT_STANDING);
    query_int(q, 7, row->attempts);
    query_str(q, 8, json_to_str(error, d->arena));
    query_str(q, 9, json_to_str(row->input, d->arena));
    query_int(q, 10, tx_now(d->tx));
    query_int_or_null(q, 11, next);
    TRY_E(d->errs, query_one_int(q, &row->id, &e));
    return OK;
}

// The one tried again has failed again.
static Status incident_reopen(Drive *d, const IncidentRow *row, Value error, Instant next) {
    Query *q = query(tx_db(d->tx), "UPDATE incident SET state = ?1, attempts = ?2, error_json = ?3,"
                                   " tried_at = ?4, next_at = ?5, closed_at = NULL,"
                                   " closed_by = NULL, closing = '', node = ?6, name = ?7,"
                                   " input_json = ?8 WHERE id = ?9");
    query_int(q, 1, next ? INCIDENT_RETRYING : INCIDENT_STANDING);
    query_int(q, 2, row->attempts);
    query_str(q, 3, json_to_str(error, d->arena));
    query_int(q, 4, tx_now(d->tx));
    query_int_or_null(q, 5, next);
    query_str(q, 6, row->node);
    query_str(q, 7, row->name);
    query_str(q, 8, json_to_str(row->input, d->arena));
    query_int(q, 9, row->id);
    TRY_E(d->errs, query_run(q, NULL, &e));
    return OK;
}

static Status incident_open(Drive *d, IncidentRow *row, const Errors *why) {
    assert(tx_is_careful(d->tx) && why->count);
    bool again = d->again && d->again_first && d->again->kind == row->kind &&
                 d->again->token == row->token;
    row->attempts = again ? d->again->attempts + 1 : 1;
    Value error = error_value(why, d->arena);
    Instant next = next_attempt(d, row->attempts);
    if (again) {
        row->id = d->again->id;
        d->again_failed = true;
        d->again_first = false;
        TRY_S(incident_reopen(d, row, error, next));
    } else {
        TRY_S(incident_insert(d, row, error, next));
    }
    d->incidents++;
    if (next) TRY_S(timer_set(d->tx, d->c->id, S("retry"), row->id, next, d->errs));
    else if (!again || actor_has(d->actor, ROLE_SYSTEM))
        TRY_S(tell_administrators(d, row->name, d->errs));
    return case_event(d->tx, d->c, d->actor,
                      again ? S("incident.failed_again") : S("incident.opened"), HANDLING_NONE,
                      about(row, error, next, d->arena), d->errs);
}

Status incident_of_input(Drive *d, const FlowInput *in, const Errors *why) {
    IncidentRow row = {
        .kind = INCIDENT_INPUT, .token = in->token, .input = input_value(in, d->arena)};
    if (!flow_place(d->c->item->flow, why->items[0].where, &row.node, &row.name)) {
        row.name = d->c->item->name;
    }
    return incident_open(d, &row, why);
}

Status incident_of_effect(Drive *d, const FlowEffect *fx, const Errors *why) {
    IncidentRow row = {.kind = INCIDENT_EFFECT,
                       .token = fx->token,
                       .node = fx->node,
                       .name = fx->name.len ? fx->name : fx->node};
    return incident_open(d, &row, why);
}

// ---- closing ----

Status incidents_close(Drive *d, int64_t token) {
    Query *q = query(tx_db(d->tx), "UPDATE incident SET state = ?1, closed_at = ?2, next_at = NULL,"
                                   " closing = 'gone' WHERE case_id = ?3 AND state < 3"
                                   " AND (?4 = 0 OR token = ?4)"
                                   " RETURNING id, node, name, attempts");
    query_int(q, 1, INCIDENT_CLOSED);
    query_int(q, 2, tx_now(d->tx));
    query_int(q, 3, d->c->id);
    query_int(q, 4, token);
    ListBuilder closed = list_make(d->arena);
    while (query_next(q)) {
        IncidentRow row = {.id = query_col_int(q, 0),
                           .node = query_col_keep(q, 1, d->arena),
                           .name = query_col_keep(q, 2, d->arena),
                           .attempts = query_col_int(q, 3)};
        list_add(&closed, about(&row, v_null(), 0, d->arena));
    }
    TRY_E(d->errs, query_done(q, &e));
    Value all = list_done(&closed);
    for (size_t i = 0; i < all.len; i++) {
        Value one = v_at(all, i);
        d->incidents--;
        TRY_S(timers_clear(d->tx, d->c->id, S("retry"), v_to_int(v_get_lit(one, "incident"), 0),
                           d->errs));
        TRY_S(case_event(d->tx, d->c, d->actor, S("incident.closed"), HANDLING_NONE, one, d->errs));
    }
    return OK;
}

// ---- trying again ----

// What is done to an incident.
typedef struct Mend {
    Str how;         // retried, skipped, error
    Value variables; // set first; or null
    Value values;    // skipped: what the step is said to have given
    Str code;        // error
    Str reason;
} Mend;

static Status incident_load(Tx *tx, int64_t id, IncidentRow *ret, Errors *errs) {
    Query *q = query(tx_db(tx), "SELECT case_id, token, attempts, kind, state, node, name,"
                                " input_json FROM incident WHERE id = ?1");
    query_int(q, 1, id);
    IncidentRow row = {.id = id};
    Status parsed = OK;
    Error pe = {.status = OK};
    Arena *a = tx_arena(tx);
    if (query_next(q)) {
        row.case_id = query_col_int(q, 0);
        row.token = query_col_int(q, 1);
        row.attempts = query_col_int(q, 2);
        row.kind = (IncidentKind)query_col_int(q, 3);
        row.state = (IncidentState)query_col_int(q, 4);
        row.node = query_col_keep(q, 5, a);
        row.name = query_col_keep(q, 6, a);
        parsed = json_parse(query_col_keep(q, 7, a), JSON_LAX, (JsonLimits){0}, a, &row.input, &pe);
    }
    TRY_E(errs, query_done(q, &e));
    if (parsed != OK) return errors_push(errs, &pe);
    if (!row.case_id) return errors_add(errs, NOT_FOUND, S("incident"), "没有这条流程异常");
    if (row.state >= INCIDENT_RESOLVED) {
        return errors_add(errs, CONFLICT, S("incident"), "这条流程异常已经处理完毕");
    }
    *ret = row;
    return OK;
}

static Status incident_end(Drive *d, const IncidentRow *row, IncidentState state, Str how) {
    Query *q = query(tx_db(d->tx), "UPDATE incident SET state = ?1, attempts = ?2, tried_at = ?3,"
                                   " next_at = NULL, closed_at = ?3, closed_by = ?4, closing = ?5"
                                   " WHERE id = ?6");
    query_int(q, 1, state);
    query_int(q, 2, row->attempts + 1);
    query_int(q, 3, tx_now(d->tx));
    query_int_or_null(q, 4, d->actor->account_id);
    query_str(q, 5, how);
    query_int(q, 6, row->id);
    TRY_E(d->errs, query_run(q, NULL, &e));
    return OK;
}

static Status try_effect(Drive *d, const IncidentRow *row) {
    FlowEffect fx;
    Error e = {.status = OK};
    Status st = flow_effect_again(d->c->item->flow, v_get_lit(d->c->flow, "s"), row->token,
                                  d->facts, tx_now(d->tx), d->arena, &fx, &e);
    if (st == CONFLICT) {
        d->gone = true;
        return OK;
    }
    if (st == OK) {
        st = drive_effect(d, &fx);
        d->again_first = false;
        return st;
    }
    Errors why = errors_make(d->arena);
    (void)errors_push(&why, &e);
    if (!incident_fits(st)) return errors_push(d->errs, &e);
    FlowEffect failed = {.node = row->node, .name = row->name, .token = row->token};
    return incident_of_effect(d, &failed, &why);
}

static Status mend(Drive *d, const IncidentRow *row, const Mend *how) {
    d->again = row;
    if (str_eq(how->how, S("retried"))) {
        d->again_first = true;
        if (row->kind == INCIDENT_EFFECT) return try_effect(d, row);
        return drive_enqueue(d, input_of(row->input));
    }
    d->own_input = d->strict = true;
    bool error = str_eq(how->how, S("error"));
    FlowInput in = {.kind = error ? FLOW_ERROR : FLOW_COMPLETE,
                    .token = row->token,
                    .name = how->code,
                    .values = how->values};
    return drive_enqueue(d, in);
}

static Status mended_event(Drive *d, const IncidentRow *row, const Mend *how) {
    if (d->again_failed && v_is_null(how->variables)) return OK; // has its event
    Value data = about(row, v_null(), 0, d->arena);
    data = v_with(data, S("how"), v_str(how->how), d->arena);
    if (!v_is_null(how->variables)) data = v_with(data, S("set"), how->variables, d->arena);
    if (!str_empty(how->code)) data = v_with(data, S("code"), v_str(how->code), d->arena);
    if (!str_empty(how->reason)) data = v_with(data, S("reason"), v_str(how->reason), d->arena);
    Str kind = d->again_failed ? S("incident.mended")
               : d->gone       ? S("incident.closed")
                               : S("incident.resolved");
    return case_event(d->tx, d->c, d->actor, kind, HANDLING_NONE, data, d->errs);
}

// `ret_resolved`: whether it is over. That it failed again is no refusal: the attempt stands.
static Status incident_mend(Tx *tx, CaseRow *c, const Actor *actor, const IncidentRow *row,
                            const Mend *how, bool *ret_resolved, Errors *errs) {
    if (!tx_is_careful(tx)) return tx_run_carefully(tx, errs);
    Drive d;
    TRY_S(drive_open(tx, c, actor, errs, &d));
    TRY_S(timers_clear(tx, c->id, S("retry"), row->id, errs));
    TRY_S(incident_end(&d, row, INCIDENT_RESOLVED, how->how));
    d.incidents--;
    IncidentRow mended = *row;
    if (!v_is_null(how->variables)) {
        Value state = flow_with_variables(v_get_lit(c->flow, "s"), how->variables, d.arena);
        c->flow = v_with(c->flow, S("s"), state, d.arena);
        if (row->kind == INCIDENT_INPUT) { // or what is fed again would put back what was there
            Value values = flow_merge(v_get_lit(row->input, "values"), how->variables, d.arena);
            mended.input = v_with(row->input, S("values"), values, d.arena);
        }
    }
    TRY_S(mend(&d, &mended, how));
    TRY_S(drive_run(&d));
    if (d.gone) TRY_S(incident_end(&d, row, INCIDENT_CLOSED, S("gone")));
    TRY_S(mended_event(&d, row, how));
    *ret_resolved = !d.again_failed;
    return case_save(tx, c, errs);
}

Status incident_fire(Tx *tx, CaseRow *c, const Actor *actor, int64_t id, Errors *errs) {
    IncidentRow row;
    bool resolved;
    if (c->state != CASE_APPROVAL) return OK;
    TRY_S(incident_load(tx, id, &row, errs));
    Mend how = {.how = S("retried")};
    return incident_mend(tx, c, actor, &row, &how, &resolved, errs);
}

// ---- commands ----

enum { VARIABLES_MAX = 64 << 10, VARIABLES_MEMORY = 4 << 20 };

Status values_of_input(Tx *tx, Value input, Str name, Value *ret, Errors *errs) {
    Value v = v_get(input, name);
    Str text = str_trim(v_text(v));
    *ret = v_null();
    if (v_is_null(v) || (v.kind == V_STRING && str_empty(text))) return OK;
    if (v.kind == V_STRING) {
        if (text.len > VARIABLES_MAX) return errors_add(errs, LIMIT, name, "变量过多或过长");
        const FeelExpr *expr;
        TRY_E(errs, feel_parse(text, NULL, 0, tx_arena(tx), &expr, &e));
        FeelRun run = {.arena = tx_arena(tx), .now = tx_now(tx)};
        v = feel_eval(&run, expr);
    }
    if (v.kind != V_CONTEXT) {
        return errors_add(errs, INVALID, name, "请写成 {变量名: 值, …}，例如 {amount: 20000}");
    }
    if (json_to_str(v, tx_arena(tx)).len > VARIABLES_MAX) {
        return errors_add(errs, LIMIT, name, "变量过多或过长");
    }
    *ret = v;
    return OK;
}

static Status run_mend(Tx *tx, const Actor *actor, Value input, Mend *how, Value *ret,
                       Errors *errs) {
    IncidentRow row;
    CaseRow c;
    TRY_S(incident_load(tx, input_int(input, S("incident")), &row, errs));
    TRY_S(text_of_input(input, S("reason"), S("处理说明"), true, &how->reason, errs));
    TRY_S(values_of_input(tx, input, S("variables"), &how->variables, errs));
    TRY_S(case_load(tx_db(tx), row.case_id, tx_arena(tx), &c, errs));
    TRY_S(case_expect(&c, 1u << CASE_APPROVAL, errs));
    bool service = row.kind == INCIDENT_EFFECT && flow_is_automatic(c.item->flow, row.node);
    if (!str_eq(how->how, S("retried")) && !service) {
        return errors_add(errs, INVALID, S("incident"),
                          "只有自动环节可以跳过或转为流程错误；“{1}”请改正后重试", row.name);
    }
    bool resolved = false;
    TRY_S(incident_mend(tx, &c, actor, &row, how, &resolved, errs));
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("incident"), v_int(row.id));
    context_put_new(&b, S("number"), v_str(c.number));
    context_put_new(&b, S("resolved"), v_bool(resolved));
    *ret = context_done(&b);
    return OK;
}

Status cmd_incident_retry(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Mend how = {.how = S("retried")};
    return run_mend(tx, actor, input, &how, ret, errs);
}

Status cmd_incident_skip(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Mend how = {.how = S("skipped")};
    TRY_S(values_of_input(tx, input, S("values"), &how.values, errs));
    return run_mend(tx, actor, input, &how, ret, errs);
}

Status cmd_incident_error(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Mend how = {.how = S("error")};
    TRY_S(text_of_input(input, S("code"), S("错误代码"), true, &how.code, errs));
    return run_mend(tx, actor, input, &how, ret, errs);
}

// ---- looking ----

#define INCIDENT_COLUMNS                                                                         \
    "SELECT n.id, n.case_id, c.number, i.name, i.code, n.node, n.name, n.state, n.attempts,"     \
    " n.opened_at, n.tried_at, n.next_at, n.closed_at, COALESCE(a.name, ''), n.closing,"         \
    " n.error_json, i.name_en, n.kind, n.token FROM incident n JOIN cases c ON c.id = n.case_id" \
    " JOIN item i ON i.id = c.item_id LEFT JOIN account a ON a.id = n.closed_by"

static Value stamp_of(Query *q, int col, Arena *a) {
    return query_col_null(q, col) ? v_null() : v_instant(query_col_int(q, col), a);
}

static Status incident_row(Query *q, Arena *a, Value *ret, Error *err) {
    ContextBuilder b = context_make(a);
    Value error;
    Status st = json_parse(query_col_keep(q, 15, a), JSON_LAX, (JsonLimits){0}, a, &error, err);
    if (st != OK) return st;
    int64_t state = query_col_int(q, 7);
    context_put_new(&b, S("id"), v_int(query_col_int(q, 0)));
    context_put_new(&b, S("case"), v_int(query_col_int(q, 1)));
    context_put_new(&b, S("number"), v_str(query_col_keep(q, 2, a)));
    context_put_new(&b, S("item"), v_str(query_col_keep(q, 3, a)));
    context_put_new(&b, S("item_en"), v_str(query_col_keep(q, 16, a)));
    context_put_new(&b, S("item_code"), v_str(query_col_keep(q, 4, a)));
    context_put_new(&b, S("node"), v_str(query_col_keep(q, 5, a)));
    context_put_new(&b, S("name"), v_str(query_col_keep(q, 6, a)));
    context_put_new(&b, S("state"), v_int(state));
    context_put_new(&b, S("open"), v_bool(state < INCIDENT_RESOLVED));
    context_put_new(&b, S("standing"), v_bool(state == INCIDENT_STANDING));
    context_put_new(&b, S("attempts"), v_int(query_col_int(q, 8)));
    context_put_new(&b, S("opened_at"), stamp_of(q, 9, a));
    context_put_new(&b, S("tried_at"), stamp_of(q, 10, a));
    context_put_new(&b, S("next_at"), stamp_of(q, 11, a));
    context_put_new(&b, S("closed_at"), stamp_of(q, 12, a));
    context_put_new(&b, S("by"), v_str(query_col_keep(q, 13, a)));
    context_put_new(&b, S("closing"), v_str(query_col_keep(q, 14, a)));
    context_put_new(&b, S("input"), v_bool(query_col_int(q, 17) == INCIDENT_INPUT));
    context_put_new(&b, S("token"), v_int(query_col_int(q, 18)));
    context_put_new(&b, S("error"), error);
    *ret = context_done(&b);
    return OK;
}

Status incident_list(Db *db, int64_t case_id, bool open, Arena *a, Value *ret, Error *err) {
    Query *q;
    if (case_id) {
        q = query(db, INCIDENT_COLUMNS " WHERE n.case_id = ?1 AND n.state <= ?2"
                                       " ORDER BY n.id DESC LIMIT ?3");
        query_int(q, 1, case_id);
        query_int(q, 2, open ? INCIDENT_STANDING : INCIDENT_CLOSED);
        query_int(q, 3, INCIDENTS_SHOWN);
    } else if (open) {
        q = query(db, INCIDENT_COLUMNS " WHERE n.state < 3 ORDER BY n.state DESC, n.id DESC"
                                       " LIMIT ?1");
        query_int(q, 1, INCIDENTS_SHOWN);
    } else {
        q = query(db, INCIDENT_COLUMNS " ORDER BY n.id DESC LIMIT ?1");
        query_int(q, 1, INCIDENTS_SHOWN);
    }
    ListBuilder list = list_make(a);
    Status st = OK;
    while (st == OK && query_next(q)) {
        Value row;
        st = incident_row(q, a, &row, err);
        if (st == OK) list_add(&list, row);
    }
    Status done = query_done(q, st == OK ? err : NULL);
    *ret = list_done(&list);
    return st == OK ? done : st;
}

static Value with_name(Value row, const CaseRow *c, Str lang, Arena *a) {
    Str name = flow_node_name(c->item->flow, v_text(v_get_lit(row, "node")), lang);
    return name.len ? v_with(row, S("name"), v_str(name), a) : row;
}

Status incident_names(Db *db, Str lang, Arena *a, Value *rows, Error *err) {
    if (!str_eq(lang, S("en"))) return OK; // as it was written down
    ListBuilder list = list_make(a);
    for (uint32_t i = 0; i < rows->len; i++) {
        Value row = v_at(*rows, i);
        CaseRow c;
        Errors errs = errors_make(a);
        Status st = case_load(db, v_to_int(v_get_lit(row, "case"), 0), a, &c, &errs);
        if (st != OK) {
            const Error *e = &errs.items[0];
            return error_fill(err, st, e->where, e->text, e->args);
        }
        list_add(&list, with_name(row, &c, lang, a));
    }
    *rows = list_done(&list);
    return OK;
}

// What the mender needs to know of the case besides.
static Value with_case(Value row, const CaseRow *c, Arena *a) {
    Str node = v_text(v_get_lit(row, "node"));
    bool automatic = !v_true(v_get_lit(row, "input")) && flow_is_automatic(c->item->flow, node);
    ContextBuilder more = context_make(a);
    context_put_new(&more, S("automatic"), v_bool(automatic));
    context_put_new(&more, S("version"), v_int(c->item->version));
    context_put_new(&more, S("variables"), flow_variables(v_get_lit(c->flow, "s")));
    return v_merge(row, context_done(&more), a);
}

Status incident_view(Db *db, int64_t id, Str lang, Arena *a, Value *ret, Error *err) {
    Value row = v_null();
    Query *q = query(db, INCIDENT_COLUMNS " WHERE n.id = ?1");
    query_int(q, 1, id);
    Status st = OK;
    if (query_next(q)) st = incident_row(q, a, &row, err);
    Status done = query_done(q, st == OK ? err : NULL);
    if (st != OK || done != OK) return st == OK ? done : st;
    if (v_is_null(row)) return error_set(err, NOT_FOUND, S("incident"), "没有这条流程异常");
    CaseRow c;
    Errors errs = errors_make(a);
    st = case_load(db, v_to_int(v_get_lit(row, "case"), 0), a, &c, &errs);
    if (st != OK) {
        const Error *e = &errs.items[0];
        return error_fill(err, st, e->where, e->text, e->args);
    }
    Str svg;
    st = flow_draw(c.item->flow, v_get_lit(c.flow, "s"), v_get_lit(c.flow, "r"), lang, a, &svg,
                   err);
    row = with_name(row, &c, lang, a);
    if (st == OK) *ret = v_with(with_case(row, &c, a), S("flow_svg"), page_raw(svg), a);
    return st;
}

Status incident_counts(Db *db, int64_t unit_id, int64_t *ret_retrying, int64_t *ret_standing,
                       Error *err) {
    Query *q = query(db, "SELECT COUNT(*) FILTER (WHERE n.state = 1), COUNT(*) FILTER (WHERE"
                         " n.state = 2) FROM incident n JOIN cases c ON c.id = n.case_id"
                         " WHERE n.state < 3 AND (?1 = 0 OR c.unit_id = ?1)");
    query_int(q, 1, unit_id);
    if (query_next(q)) {
        *ret_retrying = query_col_int(q, 0);
        *ret_standing = query_col_int(q, 1);
    }
    return query_done(q, err);
}
