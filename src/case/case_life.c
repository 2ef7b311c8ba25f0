// What happens to an accepted case besides its flow: withdrawal, special procedures that stop the
// clocks, extension, delivery, remarks, unmasked looks, archiving.
#include "case/case_internal.h"

enum { EXTEND_DAYS_MAX = 10 }; // Administrative Licensing Law art. 42

static Status close_open_tasks(Tx *tx, const CaseRow *c, Errors *errs) {
    Query *q = query(tx_db(tx), "UPDATE task SET state = ?1, done_at = ?2 WHERE case_id = ?3"
                                " AND state < 3");
    query_int(q, 1, TASK_CLOSED);
    query_int(q, 2, tx_now(tx));
    query_int(q, 3, c->id);
    TRY_E(errs, query_run(q, NULL, &e));
    return OK;
}

Status case_end(Tx *tx, CaseRow *c, const Actor *actor, CaseState state, Str event, Str letter,
                Str reason, Handling handling, Errors *errs) {
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("reason"), v_str(reason));
    Value more = context_done(&b), issued;
    c->state = state;
    c->closed_at = tx_now(tx);
    TRY_S(flow_stop(tx, c, actor, errs));
    TRY_S(close_open_tasks(tx, c, errs));
    TRY_S(timers_clear(tx, c->id, S(""), 0, errs));
    TRY_S(case_letter(tx, c, actor, letter, more, &issued, errs));
    TRY_S(case_event(tx, c, actor, event, handling, more, errs));
    Str args[] = {c->item->name, case_state_name(state)};
    TRY_S(message_to_applicant(tx, c, "您申请的“{1}”：{2}，请查看文书", args, 2, errs));
    return case_save(tx, c, errs);
}

static Value result_of(const CaseRow *c, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("id"), v_int(c->id));
    context_put_new(&b, S("number"), v_str(c->number));
    context_put_new(&b, S("state"), v_str(case_state_name(c->state)));
    return context_done(&b);
}

Status cmd_withdraw(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    Str reason;
    TRY_S(case_load_input(tx, input, &c, errs));
    if (!case_is_own(&c, actor) && !actor_has(actor, ROLE_CLERK)) {
        return errors_add(errs, NOT_FOUND, S("number"), "没有这个办件，请核对办件编号");
    }
    TRY_S(case_expect(&c, 1u << CASE_RECEIVED | 1u << CASE_CORRECTING | 1u << CASE_APPROVAL, errs));
    TRY_S(text_of_input(input, S("reason"), S("撤回原因"), actor_has(actor, ROLE_CLERK), &reason,
                        errs));
    TRY_S(case_end(tx, &c, actor, CASE_WITHDRAWN, S("case.withdrawn"), S("withdrawal"), reason,
                   actor_channel(actor), errs));
    *ret = result_of(&c, tx_arena(tx));
    return OK;
}

Status case_pause_clock(Tx *tx, CaseRow *c, const Actor *actor, Str reason, Errors *errs) {
    Arena *a = tx_arena(tx);
    c->clock = clock_pause(c->clock, tx_day(tx), reason, a);
    clock_apply(c, case_calendar(case_room));
    TRY_S(timers_hold(tx, c->id, errs));
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("reason"), v_str(reason));
    Value more = context_done(&b), letter;
    TRY_S(case_letter(tx, c, actor, S("pause"), more, &letter, errs)); // told in writing, art. 45
    return case_event(tx, c, actor, S("case.paused"), HANDLING_NONE, more, errs);
}

Status case_resume_clock(Tx *tx, CaseRow *c, const Actor *actor, Errors *errs) {
    int64_t moved;
    c->clock = clock_resume(c->clock, tx_day(tx), tx_arena(tx));
    clock_apply(c, case_calendar(case_room));
    TRY_S(timers_derive(tx, c, &moved, errs));
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("due"), v_day((Day)c->promised_due_day));
    Value more = context_done(&b), letter;
    TRY_S(case_letter(tx, c, actor, S("resume"), more, &letter, errs));
    return case_event(tx, c, actor, S("case.resumed"), HANDLING_NONE, more, errs);
}

// Only one who holds an open task of the case may stop its clocks.
static Status expect_task_holder(Tx *tx, const CaseRow *c, const Actor *actor, Errors *errs) {
    Query *q = query(tx_db(tx), "SELECT post_id FROM task WHERE case_id = ?1 AND state < 3");
    query_int(q, 1, c->id);
    bool holds = false;
    while (query_next(q)) holds = holds || actor_holds_post(actor, query_col_int(q, 0));
    TRY_E(errs, query_done(q, &e));
    return holds ? OK : errors_add(errs, DENIED, S("id"), "该办件当前没有您岗位的待办环节");
}

Status cmd_pause(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    Str reason;
    TRY_S(case_load_input(tx, input, &c, errs));
    TRY_S(case_expect(&c, 1u << CASE_APPROVAL, errs));
    TRY_S(expect_task_holder(tx, &c, actor, errs));
    TRY_S(text_of_input(input, S("reason"), S("特别程序事由"), true, &reason, errs));
    if (c.paused) return errors_add(errs, CONFLICT, S("state"), "该办件的计时已经暂停");
    TRY_S(case_pause_clock(tx, &c, actor, reason, errs));
    TRY_S(case_save(tx, &c, errs));
    *ret = result_of(&c, tx_arena(tx));
    return OK;
}

Status cmd_resume(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    TRY_S(case_load_input(tx, input, &c, errs));
    TRY_S(case_expect(&c, 1u << CASE_APPROVAL, errs));
    TRY_S(expect_task_holder(tx, &c, actor, errs));
    if (!c.paused) return errors_add(errs, CONFLICT, S("state"), "该办件的计时没有暂停");
    TRY_S(case_resume_clock(tx, &c, actor, errs));
    TRY_S(case_save(tx, &c, errs));
    *ret = result_of(&c, tx_arena(tx));
    return OK;
}

Status cmd_extend(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    Str reason;
    TRY_S(case_load_input(tx, input, &c, errs));
    TRY_S(case_expect(&c, 1u << CASE_APPROVAL, errs));
    TRY_S(text_of_input(input, S("reason"), S("延期理由"), true, &reason, errs));
    int64_t days = input_int(input, S("days"));
    int64_t before = v_to_int(v_get_lit(c.clock, "extended"), 0);
    if (days < 1 || days > EXTEND_DAYS_MAX - before) {
        return errors_add(errs, INVALID, S("days"),
                          "延长期限合计不得超过 10 个工作日（行政许可法第四十二条）");
    }
    c.clock = clock_extend(c.clock, days, tx_arena(tx));
    clock_apply(&c, case_calendar(case_room));
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("days"), v_int(days));
    context_put_new(&b, S("reason"), v_str(reason));
    TRY_S(case_event(tx, &c, actor, S("case.extended"), HANDLING_NONE, context_done(&b), errs));
    Str args[] = {c.item->name, reason};
    TRY_S(
        message_to_applicant(tx, &c, "您申请的“{1}”经批准延长办理期限，理由：{2}", args, 2, errs));
    TRY_S(case_save(tx, &c, errs));
    *ret = result_of(&c, tx_arena(tx));
    return OK;
}

Status cmd_deliver(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    TRY_S(case_load_input(tx, input, &c, errs));
    bool own = case_is_own(&c, actor);
    if (!own && !actor_has(actor, ROLE_CLERK)) {
        return errors_add(errs, NOT_FOUND, S("number"), "没有这个办件，请核对办件编号");
    }
    TRY_S(case_expect(&c, 1u << CASE_DECIDED, errs));
    Str way = v_text(v_get_lit(input, "way"));
    if (str_empty(way)) way = own ? S("online") : S("counter");
    bool known = str_eq(way, S("counter")) || str_eq(way, S("post")) || str_eq(way, S("online"));
    if (!known) return errors_add(errs, INVALID, S("way"), "请选择送达方式：窗口、邮寄或在线");
    c.state = CASE_DELIVERED;
    c.delivered_at = c.closed_at = tx_now(tx);
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("way"), v_str(way));
    TRY_S(case_event(tx, &c, actor, S("case.delivered"), actor_channel(actor), context_done(&b),
                     errs));
    TRY_S(case_save(tx, &c, errs));
    *ret = result_of(&c, tx_arena(tx));
    return OK;
}

Status cmd_remark(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    Str text;
    TRY_S(case_load_input(tx, input, &c, errs));
    TRY_S(text_of_input(input, S("text"), S("备注"), true, &text, errs));
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("text"), v_str(text));
    TRY_S(case_event(tx, &c, actor, S("case.remarked"), HANDLING_NONE, context_done(&b), errs));
    *ret = result_of(&c, tx_arena(tx));
    return OK;
}

// Numbers in full, for the handler of the case only; that he looked is an event.
Status cmd_look(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    TRY_S(case_load_input(tx, input, &c, errs));
    bool handler = c.handler_id == actor->account_id;
    if (!handler) {
        Error none = {.status = OK};
        Query *q = query(tx_db(tx), "SELECT post_id FROM task WHERE case_id = ?1 AND state < 4"
                                    " AND (account_id = ?2 OR done_by = ?2)");
        query_int(q, 1, c.id);
        query_int(q, 2, actor->account_id);
        while (query_next(q)) handler = true;
        if (query_done(q, &none) != OK) return errors_push(errs, &none);
    }
    if (!handler) {
        return errors_add(errs, DENIED, S("id"), "只有本办件的经办人可以查看完整的证件号码和电话");
    }
    Value party;
    TRY_E(errs, party_view(tx_db(tx), c.party_id, true, tx_arena(tx), &party, &e));
    TRY_S(case_event(tx, &c, actor, S("case.looked"), HANDLING_NONE, v_null(), errs));
    *ret = party;
    return OK;
}

Status holds_a_task(Tx *tx, const CaseRow *c, const Actor *actor, bool *ret, Errors *errs) {
    Query *q = query(tx_db(tx), "SELECT post_id FROM task WHERE case_id = ?1");
    query_int(q, 1, c->id);
    *ret = false;
    while (query_next(q)) *ret = *ret || actor_holds_post(actor, query_col_int(q, 0));
    TRY_E(errs, query_done(q, &e));
    return OK;
}

// A material's file shows what is masked elsewhere, so officials open it as an event: the windows,
// and those who have to do with the case.
Status cmd_open_file(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    Str code = v_text(v_get_lit(input, "code"));
    TRY_S(case_load_input(tx, input, &c, errs));
    bool may = actor_has(actor, ROLE_CLERK) || c.handler_id == actor->account_id;
    if (!may) TRY_S(holds_a_task(tx, &c, actor, &may, errs));
    if (!may) {
        return errors_add(errs, DENIED, S("code"), "只有本办件的经办岗位可以打开申请人的材料");
    }
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("material"), v_str(code));
    *ret = result_of(&c, tx_arena(tx));
    return case_event(tx, &c, actor, S("case.file_opened"), HANDLING_NONE, context_done(&b), errs);
}

// The archive package holds whole numbers and the rating: it is the applicant's own, and the
// auditor's, whose taking it is an event.
Status cmd_export(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    TRY_S(case_load_input(tx, input, &c, errs));
    bool self = case_is_own(&c, actor) && actor->party_id == c.party_id;
    if (!self && !actor_has(actor, ROLE_AUDITADMIN)) {
        return errors_add(errs, NOT_FOUND, S("number"), "没有这个办件，请核对办件编号");
    }
    *ret = result_of(&c, tx_arena(tx));
    return case_event(tx, &c, actor, S("case.exported"), HANDLING_NONE, v_null(), errs);
}

Status cmd_case_archive(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    TRY_S(case_load_input(tx, input, &c, errs));
    TRY_S(case_expect(&c,
                      1u << CASE_DECIDED | 1u << CASE_DELIVERED | 1u << CASE_NOT_ACCEPTED |
                          1u << CASE_WITHDRAWN | 1u << CASE_TERMINATED,
                      errs));
    TRY_S(case_event(tx, &c, actor, S("case.archived"), HANDLING_NONE, v_null(), errs));
    *ret = result_of(&c, tx_arena(tx));
    return OK;
}
