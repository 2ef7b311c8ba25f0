// What the driver does for a flow: opens tasks, and runs the services that flows call by name
// (yz:service) and the decisions of business rule tasks. A service answers at once, or, when it
// opened a case it waits for, when that is decided.
//
// One that fails has said why in d->errs; whether what it did before stands is not its business
// (see case_drive.h).
#include "case/case_drive.h"

// One payment: ten thousand million yuan. A ledger's total of these stays far from 2^63 fen.
static const int64_t PAY_FEN_MAX = 1000000000000;

Status drive_open_task(Drive *d, const FlowEffect *fx) {
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
    return drive_answer(d, fx, v_null());
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
    if (waiting) { // no result before the promised material is there: the official is told
        d->refused = !actor_has(d->actor, ROLE_SYSTEM);
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
    return drive_answer(d, fx, v_null());
}

static Status service_open(Drive *d, const FlowEffect *fx) {
    const Item *item;
    Str code = v_text(v_get_lit(fx->attributes, "item"));
    TRY_E(d->errs, item_by_code(case_room->items, tx_db(d->tx), code, &item, &e));
    Value answers = v_get_lit(fx->attributes, "answers");
    if (v_is_null(answers)) answers = v_get_lit(d->c->answers, "answers");
    bool wait = input_bool(fx->attributes, S("wait"));
    CaseRow child;
    TRY_S(case_open_child(d->tx, d->c, item, d->c->party_id, answers, d->actor,
                          wait ? fx->token : 0, &child, d->errs));
    if (wait && child.state == CASE_APPROVAL) return OK;
    ContextBuilder b = context_make(d->arena);
    if (wait) context_put(&b, item->code, v_str(outcome_name(child.outcome)));
    return drive_answer(d, fx, context_done(&b));
}

static Status service_letter(Drive *d, const FlowEffect *fx) {
    Value letter;
    Str kind = v_text(v_get_lit(fx->attributes, "letter"));
    TRY_S(case_letter(d->tx, d->c, d->actor, kind, fx->attributes, &letter, d->errs));
    return drive_answer(d, fx, v_null());
}

static Status service_register(Drive *d, const FlowEffect *fx) {
    Str name = v_text(v_get_lit(fx->attributes, "register"));
    TRY_S(add_register_entry(d, name, input_int(fx->attributes, S("months")), S("")));
    return drive_answer(d, fx, v_null());
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
    return drive_answer(d, fx, context_done(&values));
}

Status drive_service(Drive *d, const FlowEffect *fx) {
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
