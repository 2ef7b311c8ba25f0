// Drives the flow engine for one case: loads its state, feeds it, carries out the effects in the
// same transaction, until nothing can move.
//
// cases.flow_json = {"s": state of the engine, "r": [ids of nodes passed], "p": token of the
// parent's flow that waits for this case}. What the expressions may read besides the flow's own
// variables are facts of the case: answers, situation, item, applicant, channel, parameters.
//
// An effect of the flow may feed the flow again (a service that answers at once), so inputs are
// queued, never nested. FLOW_INPUTS_MAX bounds them.
#include "case/case_internal.h"

enum { FLOW_INPUTS_MAX = 2000, FLOW_RECORDS_MAX = 2000 };

// One payment: ten thousand million yuan. A ledger's total of these stays far from 2^63 fen.
static const int64_t PAY_FEN_MAX = 1000000000000;

typedef struct Drive {
    Tx *tx;
    CaseRow *c;
    const Actor *actor;
    Errors *errs;
    Arena *arena;
    Value facts;
    FlowInput queue[64]; // waiting inputs; a ring
    size_t head, tail, fed;
    ListBuilder records;
    bool decided;
} Drive;

// ---- facts ----

// Birth date and sex are in a citizen's number (GB 11643), so no form needs to ask them.
static void applicant_person(ContextBuilder *b, Str id_number, Day today) {
    Day birth;
    if (id_number.len != 18) return;
    char iso[10];
    memcpy(iso, id_number.ptr + 6, 4);
    iso[4] = iso[7] = '-';
    memcpy(iso + 5, id_number.ptr + 10, 2);
    memcpy(iso + 8, id_number.ptr + 12, 2);
    if (!day_parse(str_of(iso, 10), &birth)) return;
    Civil then = day_to_civil(birth), now = day_to_civil(today);
    int age = now.year - then.year;
    if (now.month < then.month || (now.month == then.month && now.day < then.day)) age--;
    context_put_new(b, S("birth"), v_day(birth));
    context_put_new(b, S("age"), v_int(age));
    bool male = (id_number.ptr[16] - '0') % 2 == 1;
    context_put_new(b, S("sex"), male ? v_lit("male") : v_lit("female"));
}

static Status applicant_fact(Db *db, int64_t party_id, Day today, Arena *a, Value *ret,
                             Errors *errs) {
    Query *q = query(db, "SELECT kind, name, id_number FROM party WHERE id = ?1");
    query_int(q, 1, party_id);
    ContextBuilder b = context_make(a);
    if (query_next(q)) {
        bool natural = query_col_int(q, 0) == 1;
        context_put_new(&b, S("kind"), natural ? v_lit("natural") : v_lit("legal"));
        context_put_new(&b, S("name"), v_str(query_col_keep(q, 1, a)));
        if (natural) applicant_person(&b, query_col_str(q, 2), today);
    }
    TRY_E(errs, query_done(q, &e));
    *ret = context_done(&b);
    return OK;
}

static Status case_facts(Tx *tx, const CaseRow *c, Value *ret, Errors *errs) {
    Arena *a = tx_arena(tx);
    Value applicant = v_null();
    TRY_S(applicant_fact(tx_db(tx), c->party_id, tx_day(tx), a, &applicant, errs));
    Value town = v_null();
    if (c->town_id) {
        Query *q = query(tx_db(tx), "SELECT code FROM unit WHERE id = ?1");
        query_int(q, 1, c->town_id);
        if (query_next(q)) town = v_str(query_col_keep(q, 0, a));
        TRY_E(errs, query_done(q, &e));
    }
    ContextBuilder item = context_make(a);
    context_put_new(&item, S("code"), v_str(c->item->code));
    context_put_new(&item, S("name"), v_str(c->item->name));
    context_put_new(&item, S("unit"), v_get_lit(c->item->spec, "unit"));
    context_put_new(&item, S("case_kind"), v_int(c->item->case_kind));
    context_put_new(&item, S("parameters"), c->item->parameters);
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("answers"), v_get_lit(c->answers, "answers"));
    context_put_new(&b, S("situation"), v_get_lit(c->answers, "situation"));
    context_put_new(&b, S("item"), context_done(&item));
    context_put_new(&b, S("parameters"), c->item->parameters);
    context_put_new(&b, S("applicant"), applicant);
    context_put_new(&b, S("town"), town);
    context_put_new(&b, S("channel"),
                    c->channel == HANDLING_ONLINE ? v_lit("online") : v_lit("window"));
    *ret = context_done(&b);
    return OK;
}

// ---- effects ----

static Status enqueue(Drive *d, FlowInput in) {
    size_t next = (d->tail + 1) % 64;
    if (next == d->head || ++d->fed > FLOW_INPUTS_MAX) {
        return errors_add(d->errs, LIMIT, S("flow"), "流程自动步骤过多，请检查事项“{1}”的流程",
                          d->c->item->name);
    }
    in.facts = d->facts;
    d->queue[d->tail] = in;
    d->tail = next;
    return OK;
}

static Status answer(Drive *d, const FlowEffect *fx, Value values) {
    return enqueue(d, (FlowInput){.kind = FLOW_COMPLETE, .token = fx->token, .values = values});
}

static Status open_task(Drive *d, const FlowEffect *fx) {
    Tx *tx = d->tx;
    Str post = v_text(v_get_lit(fx->attributes, "post"));
    int64_t post_id = 0, unit_id = 0;
    Query *find = query(tx_db(tx), "SELECT id, unit_id FROM post WHERE code = ?1");
    query_str(find, 1, post);
    if (query_next(find)) {
        post_id = query_col_int(find, 0);
        unit_id = query_col_int(find, 1);
    }
    TRY_E(d->errs, query_done(find, &e));
    if (!post_id) {
        return errors_add(d->errs, BROKEN, fx->node, "流程环节“{1}”指定的岗位“{2}”不存在", fx->name,
                          post);
    }
    int64_t days = input_int(fx->attributes, S("days"));
    Day due = calendar_add(case_calendar(case_room), tx_day(tx), (int32_t)days, NULL);
    Query *q = query(tx_db(tx),
                     "INSERT INTO task (case_id, token, node, name, unit_id, post_id, state,"
                     " opened_at, due_day, attributes_json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
                     " ?9, ?10)");
    query_int(q, 1, d->c->id);
    query_int(q, 2, fx->token);
    query_str(q, 3, fx->node);
    query_str(q, 4, fx->name);
    query_int(q, 5, unit_id);
    query_int(q, 6, post_id);
    query_int(q, 7, TASK_OPEN);
    query_int(q, 8, tx_now(tx));
    if (days > 0) query_int(q, 9, due);
    else query_null(q, 9);
    query_str(q, 10, json_to_str(fx->attributes, d->arena));
    TRY_E(d->errs, query_run(q, NULL, &e));
    if (!str_eq(v_text(v_get_lit(fx->attributes, "clock")), S("stop")) || d->c->paused) return OK;
    return case_pause_clock(tx, d->c, d->actor, v_text(v_get_lit(fx->attributes, "reason")),
                            d->errs);
}

static Status close_task(Drive *d, const FlowEffect *fx) {
    Query *q = query(tx_db(d->tx), "UPDATE task SET state = ?1, done_at = ?2 WHERE case_id = ?3"
                                   " AND token = ?4 AND state < 3");
    query_int(q, 1, TASK_CLOSED);
    query_int(q, 2, tx_now(d->tx));
    query_int(q, 3, d->c->id);
    query_int(q, 4, fx->token);
    TRY_E(d->errs, query_run(q, NULL, &e));
    return OK;
}

static Status service_pay(Drive *d, const FlowEffect *fx) {
    Tx *tx = d->tx;
    Str ledger = v_text(v_get_lit(fx->attributes, "ledger"));
    int64_t fen = v_to_int(v_get_lit(fx->attributes, "amount"), -1);
    if (fen <= 0 || fen > PAY_FEN_MAX || str_empty(ledger)) {
        return errors_add(d->errs, INVALID, fx->node, "环节“{1}”的支付金额或台账无效", fx->name);
    }
    Query *q = query(tx_db(tx), "INSERT INTO ledger (code, name, total_fen) VALUES (?1, ?2, ?3)"
                                " ON CONFLICT (code) DO UPDATE SET total_fen ="
                                " ledger.total_fen + excluded.total_fen");
    query_str(q, 1, ledger);
    query_str(q, 2, d->c->item->name);
    query_int(q, 3, fen);
    TRY_E(d->errs, query_run(q, NULL, &e));
    q = query(tx_db(tx), "INSERT INTO ledger_entry (ledger, case_id, party_id, amount_fen,"
                         " booked_at, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    query_str(q, 1, ledger);
    query_int(q, 2, d->c->id);
    query_int(q, 3, d->c->party_id);
    query_int(q, 4, fen);
    query_int(q, 5, tx_now(tx));
    query_str(q, 6, v_text(v_get_lit(fx->attributes, "note")));
    TRY_E(d->errs, query_run(q, NULL, &e));
    ContextBuilder b = context_make(d->arena);
    context_put_new(&b, S("ledger"), v_str(ledger));
    context_put_new(&b, S("amount_fen"), v_int(fen));
    TRY_S(
        case_event(tx, d->c, d->actor, S("ledger.paid"), HANDLING_NONE, context_done(&b), d->errs));
    return answer(d, fx, v_null());
}

static Status add_register_entry(Drive *d, Str name, int64_t months, Str number) {
    Tx *tx = d->tx;
    Query *q = query(tx_db(tx), "INSERT INTO register_entry (register, party_id, case_id, number,"
                                " valid_from_day, valid_to_day, data_json)"
                                " VALUES (?1, ?2, ?3, ?4, ?5, ?6, '{}')");
    Day from = tx_day(tx);
    query_str(q, 1, name);
    query_int(q, 2, d->c->party_id);
    query_int(q, 3, d->c->id);
    query_str(q, 4, number);
    query_int(q, 5, from);
    if (months > 0) {
        Civil to = day_to_civil(from);
        int64_t month = to.month - 1 + months;
        to.year += (int32_t)(month / 12);
        to.month = (int32_t)(month % 12) + 1;
        while (!civil_valid(to)) to.day--; // 31 January + 1 month is the last of February
        query_int(q, 6, day_from_civil(to) - 1);
    } else {
        query_null(q, 6);
    }
    TRY_E(d->errs, query_run(q, NULL, &e));
    return OK;
}

static Status tolerance_open(Drive *d, bool *ret) {
    Query *q =
        query(tx_db(d->tx), "SELECT COUNT(*) FROM material WHERE case_id = ?1 AND state = ?2");
    query_int(q, 1, d->c->id);
    query_int(q, 2, MATERIAL_TOLERATED);
    int64_t n = 0;
    TRY_E(d->errs, query_one_int(q, &n, &e));
    *ret = n > 0;
    return OK;
}

static Status service_decide(Drive *d, const FlowEffect *fx) {
    CaseRow *c = d->c;
    bool granted = !str_eq(v_text(v_get_lit(fx->attributes, "outcome")), S("refused"));
    bool waiting = false;
    TRY_S(tolerance_open(d, &waiting));
    if (waiting) { // no result before the promised material is there
        return errors_add(d->errs, CONFLICT, S("materials"),
                          "容缺材料尚未补齐，不能作出决定，请先催告申请人补交");
    }
    Str reason = v_text(v_get_lit(fx->attributes, "reason"));
    c->state = CASE_DECIDED;
    c->outcome = granted ? OUTCOME_GRANTED : OUTCOME_REFUSED;
    c->decided_at = tx_now(d->tx);
    c->overdue = c->promised_due_day && tx_day(d->tx) > c->promised_due_day;
    d->decided = true;
    ContextBuilder b = context_make(d->arena);
    context_put_new(&b, S("outcome"), v_str(outcome_name(c->outcome)));
    context_put_new(&b, S("reason"), v_str(reason));
    if (c->overdue) context_put_new(&b, S("overdue"), v_bool(true));
    Value data = context_done(&b);
    TRY_S(case_event(d->tx, c, d->actor, S("case.decided"), HANDLING_NONE, data, d->errs));
    Value result = v_get_lit(c->item->spec, "result"), letter = v_null();
    bool certificate = granted && !str_empty(v_text(v_get_lit(result, "name")));
    Str kind = certificate ? S("result") : granted ? S("grant") : S("denial");
    TRY_S(case_letter(d->tx, c, d->actor, kind, data, &letter, d->errs));
    Str reg = v_text(v_get_lit(result, "register"));
    if (granted && !str_empty(reg)) {
        TRY_S(add_register_entry(d, reg, v_to_int(v_get_lit(result, "valid_months"), 0),
                                 v_text(v_get_lit(letter, "number"))));
    }
    Str args[] = {c->item->name, outcome_name(c->outcome)};
    TRY_S(message_to_applicant(d->tx, c, "您申请的“{1}”已办结，结果：{2}", args, 2, d->errs));
    return answer(d, fx, v_null());
}

static Status service_open(Drive *d, const FlowEffect *fx) {
    const Item *item;
    Str code = v_text(v_get_lit(fx->attributes, "item"));
    TRY_E(d->errs, item_by_code(case_room->items, tx_db(d->tx), code, &item, &e));
    Value answers = v_get_lit(fx->attributes, "answers");
    if (v_is_null(answers)) answers = v_get_lit(d->c->answers, "answers");
    bool wait = input_bool(fx->attributes, S("wait"));
    int64_t id = 0;
    TRY_S(case_open_child(d->tx, d->c, item, d->c->party_id, answers, d->actor,
                          wait ? fx->token : 0, &id, d->errs));
    return wait ? OK : answer(d, fx, v_null());
}

static Status service_letter(Drive *d, const FlowEffect *fx) {
    Value letter;
    Str kind = v_text(v_get_lit(fx->attributes, "letter"));
    TRY_S(case_letter(d->tx, d->c, d->actor, kind, fx->attributes, &letter, d->errs));
    return answer(d, fx, v_null());
}

static Status service_register(Drive *d, const FlowEffect *fx) {
    Str name = v_text(v_get_lit(fx->attributes, "register"));
    TRY_S(add_register_entry(d, name, input_int(fx->attributes, S("months")), S("")));
    return answer(d, fx, v_null());
}

// A business rule task: the decision's result goes into a variable, its trace into the trail.
static Status rule_task(Drive *d, const FlowEffect *fx) {
    Str decision = v_text(v_get_lit(fx->attributes, "decision"));
    Str name = v_text(v_get_lit(fx->attributes, "result"));
    if (!d->c->item->rules) {
        return errors_add(d->errs, BROKEN, fx->node, "事项没有规则文件，不能执行“{1}”", fx->name);
    }
    Value input = v_merge(d->facts, flow_variables(v_get_lit(d->c->flow, "s")), d->arena);
    DmnResult r;
    TRY_E(d->errs, dmn_decide(d->c->item->rules, decision, input, tx_now(d->tx), d->arena, &r, &e));
    ContextBuilder data = context_make(d->arena);
    context_put_new(&data, S("decision"), v_str(decision));
    context_put_new(&data, S("value"), r.value);
    context_put_new(&data, S("trace"), r.trace);
    if (r.diagnostics.len) context_put_new(&data, S("diagnostics"), r.diagnostics);
    TRY_S(case_event(d->tx, d->c, d->actor, S("rule.decided"), HANDLING_NONE, context_done(&data),
                     d->errs));
    ContextBuilder values = context_make(d->arena);
    context_put(&values, str_empty(name) ? decision : name, r.value);
    return answer(d, fx, context_done(&values));
}

static Status call_service(Drive *d, const FlowEffect *fx) {
    static const struct {
        Str name;
        Status (*run)(Drive *, const FlowEffect *);
    } services[] = {
        {S_INIT("decide"), service_decide},     {S_INIT("pay"), service_pay},
        {S_INIT("register"), service_register}, {S_INIT("letter"), service_letter},
        {S_INIT("open"), service_open},
    };
    if (v_has(fx->attributes, S("decision"))) return rule_task(d, fx);
    Str name = v_text(v_get_lit(fx->attributes, "service"));
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        if (str_eq(services[i].name, name)) return services[i].run(d, fx);
    }
    return errors_add(d->errs, BROKEN, fx->node, "流程环节“{1}”要求的服务“{2}”不存在", fx->name,
                      name);
}

// A timer's value is a duration from now or a date and time.
static Instant timer_due(Value v, Instant now) {
    if (v.kind == V_DURATION) return now + v.as.duration.seconds * 1000;
    Day day;
    return v_to_day(v, &day) ? day_instant(day, 0) : now;
}

static Status carry_out(Drive *d, const FlowEffect *fx) {
    switch (fx->kind) {
    case FLOW_OPEN_TASK: return open_task(d, fx);
    case FLOW_CLOSE_TASK: return close_task(d, fx);
    case FLOW_CALL_SERVICE: return call_service(d, fx);
    case FLOW_SET_TIMER:
        return timer_set(d->tx, d->c->id, S("flow"), fx->token, timer_due(fx->value, tx_now(d->tx)),
                         d->errs);
    case FLOW_CLEAR_TIMER: return timers_clear(d->tx, d->c->id, S("flow"), fx->token, d->errs);
    case FLOW_RECORD:
        if (d->records.len < FLOW_RECORDS_MAX) list_add(&d->records, v_str(fx->node));
        return OK;
    case FLOW_THROW_MESSAGE:
    case FLOW_THROW_SIGNAL:
    case FLOW_ESCALATED:
    case FLOW_ENDED: return OK;
    case FLOW_FAILED:
        return errors_add(d->errs, BROKEN, fx->node, "流程因错误“{1}”中止", fx->name);
    }
    return OK;
}

static Value wrap_state(Drive *d, Value state) {
    ContextBuilder b = context_make(d->arena);
    context_put_new(&b, S("s"), state);
    context_put_new(&b, S("r"), list_done(&d->records));
    Value parent = v_get_lit(d->c->flow, "p");
    if (!v_is_null(parent)) context_put_new(&b, S("p"), parent);
    return context_done(&b);
}

static Status drive(Drive *d) {
    bool ended = false;
    while (d->head != d->tail) {
        FlowInput in = d->queue[d->head];
        d->head = (d->head + 1) % 64;
        FlowStep step;
        TRY_E(d->errs, flow_step(d->c->item->flow, v_get_lit(d->c->flow, "s"), &in, tx_now(d->tx),
                                 d->arena, &step, &e));
        ended = step.ended;
        d->c->flow = wrap_state(d, step.state);
        for (size_t i = 0; i < step.effects_count; i++) {
            TRY_S(carry_out(d, &step.effects[i]));
        }
        d->c->flow = wrap_state(d, step.state);           // with the nodes just passed
        if (d->decided && !ended && d->head == d->tail) { // nothing may outlive the decision
            TRY_S(enqueue(d, (FlowInput){.kind = FLOW_CANCEL}));
            d->decided = false;
        }
    }
    if (ended && d->c->state == CASE_APPROVAL) {
        return errors_add(d->errs, BROKEN, S("flow"), "事项“{1}”的流程结束时没有作出决定",
                          d->c->item->name);
    }
    return OK;
}

// A child that was decided lets its parent's flow go on.
static Status tell_parent(Drive *d) {
    int64_t token = v_to_int(v_get_lit(d->c->flow, "p"), 0);
    if (!d->c->parent_id || !token) return OK;
    CaseRow parent;
    TRY_S(case_load(tx_db(d->tx), d->c->parent_id, d->arena, &parent, d->errs));
    if (parent.state != CASE_APPROVAL) return OK;
    ContextBuilder b = context_make(d->arena);
    context_put(&b, d->c->item->code, v_str(outcome_name(d->c->outcome)));
    FlowInput in = {.kind = FLOW_COMPLETE, .token = token, .values = context_done(&b)};
    TRY_S(flow_feed(d->tx, &parent, d->actor, &in, d->errs));
    return case_save(d->tx, &parent, d->errs);
}

Status flow_feed(Tx *tx, CaseRow *c, const Actor *actor, const FlowInput *input, Errors *errs) {
    Drive d = {.tx = tx, .c = c, .actor = actor, .errs = errs, .arena = tx_arena(tx)};
    TRY_S(case_facts(tx, c, &d.facts, errs));
    d.records = list_make(d.arena);
    Value before = v_get_lit(c->flow, "r");
    for (size_t i = 0; before.kind == V_LIST && i < before.len; i++) {
        list_add(&d.records, v_at(before, i));
    }
    TRY_S(enqueue(&d, *input));
    TRY_S(drive(&d));
    return c->state == CASE_DECIDED ? tell_parent(&d) : OK;
}

Status flow_begin(Tx *tx, CaseRow *c, const Actor *actor, Errors *errs) {
    FlowInput in = {.kind = FLOW_START, .values = v_null()};
    return flow_feed(tx, c, actor, &in, errs);
}

Status flow_stop(Tx *tx, CaseRow *c, const Actor *actor, Errors *errs) {
    if (v_is_null(v_get_lit(c->flow, "s"))) return OK;
    FlowInput in = {.kind = FLOW_CANCEL};
    return flow_feed(tx, c, actor, &in, errs);
}
