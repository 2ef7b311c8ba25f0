// The counter's side of intake: accept 受理, ask to complete 补正 with one letter that names
// everything (一次性告知), refuse to accept 不予受理. Administrative Licensing Law art. 32.
#include "case/case_internal.h"

static bool listed(Value list, Str code) {
    for (size_t i = 0; list.kind == V_LIST && i < list.len; i++) {
        Value v = v_at(list, i);
        if (str_eq(v.kind == V_STRING ? v_text(v) : v_text(v_get_lit(v, "code")), code))
            return true;
    }
    return false;
}

static const MaterialSpec *spec_of(const Item *item, Str code) {
    for (size_t i = 0; i < item->materials_count; i++) {
        if (str_eq(item->materials[i].code, code)) return &item->materials[i];
    }
    return NULL;
}

// Every material that is still missing must be tolerated by the clerk and tolerable by the item;
// what is not is told all at once.
static Status settle_missing(Tx *tx, CaseRow *c, Value tolerate, Value *ret_tolerated,
                             Errors *errs) {
    Arena *a = tx_arena(tx);
    Value rows;
    TRY_E(errs, materials_read(tx_db(tx), c->id, a, &rows, &e));
    Day due = calendar_add(case_calendar(case_room), tx_day(tx), c->item->tolerance_days, NULL);
    ListBuilder tolerated = list_make(a);
    for (size_t i = 0; i < rows.len; i++) {
        Value row = v_at(rows, i);
        int64_t state = v_to_int(v_get_lit(row, "state"), 0);
        if (state != MATERIAL_MISSING && state != MATERIAL_REJECTED) continue;
        Str code = v_text(v_get_lit(row, "code")), name = v_text(v_get_lit(row, "name"));
        const MaterialSpec *spec = spec_of(c->item, code);
        if (!listed(tolerate, code)) {
            errors_add(errs, INVALID, S("materials"), "缺少材料：{1}", name);
        } else if (!spec || !spec->tolerable) {
            errors_add(errs, INVALID, S("tolerate"), "材料“{1}”是主要材料，不能容缺", name);
        } else {
            TRY_S(material_set(tx, c->id, code, name, MATERIAL_TOLERATED, due, S(""), errs));
            list_add(&tolerated, v_with(row, S("due"), v_day(due), a));
        }
    }
    *ret_tolerated = list_done(&tolerated);
    return errors_status(errs);
}

// Both copies of tolerant acceptance: the applicant's promise and the office's notice.
static Status tolerance_letters(Tx *tx, CaseRow *c, const Actor *actor, Value tolerated,
                                Errors *errs) {
    if (tolerated.len == 0) return OK;
    Day due = calendar_add(case_calendar(case_room), tx_day(tx), c->item->tolerance_days, NULL);
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("missing"), tolerated);
    context_put_new(&b, S("due"), v_day(due));
    context_put_new(&b, S("days"), v_int(c->item->tolerance_days));
    Value more = context_done(&b), letter;
    TRY_S(case_letter(tx, c, actor, S("promise"), more, &letter, errs));
    TRY_S(case_letter(tx, c, actor, S("tolerance"), more, &letter, errs));
    TRY_S(timer_set(tx, c->id, S("tolerance"), 0, day_end(due), errs));
    return case_event(tx, c, actor, S("case.tolerated"), HANDLING_NONE, more, errs);
}

Status case_do_accept(Tx *tx, CaseRow *c, const Actor *actor, const Acceptance *how, Errors *errs) {
    Arena *a = tx_arena(tx);
    Value tolerated = v_null();
    if (!how->deemed) TRY_S(settle_missing(tx, c, how->tolerate, &tolerated, errs));
    c->state = CASE_APPROVAL;
    c->accepted_at = tx_now(tx);
    if (actor_has(actor, ROLE_CLERK)) c->handler_id = actor->account_id;
    c->clock = clock_start(how->start, c->item, a);
    clock_apply(c, case_calendar(case_room));
    ContextBuilder data = context_make(a);
    context_put_new(&data, S("promised_due"), v_day((Day)c->promised_due_day));
    context_put_new(&data, S("statutory_due"), v_day((Day)c->statutory_due_day));
    Str kind = how->deemed ? S("case.deemed_accepted") : S("case.accepted");
    TRY_S(case_event(tx, c, actor, kind, HANDLING_NONE, context_done(&data), errs));
    if (c->item->case_kind != 1) { // an instant item's result is in the applicant's hand already
        Value letter;
        TRY_S(case_letter(tx, c, actor, S("acceptance"), v_null(), &letter, errs));
    }
    TRY_S(tolerance_letters(tx, c, actor, tolerated, errs));
    return flow_begin(tx, c, actor, errs);
}

static Value state_result(const CaseRow *c, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("id"), v_int(c->id));
    context_put_new(&b, S("number"), v_str(c->number));
    context_put_new(&b, S("state"), v_str(case_state_name(c->state)));
    if (c->promised_due_day) context_put_new(&b, S("due"), v_day((Day)c->promised_due_day));
    return context_done(&b);
}

Status cmd_accept(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    TRY_S(case_load_input(tx, input, &c, errs));
    TRY_S(case_expect(&c, 1u << CASE_RECEIVED, errs));
    Acceptance how = {.tolerate = input_list(input, S("tolerate"), tx_arena(tx)),
                      .start = tx_day(tx)};
    if (how.tolerate.len && !input_bool(input, S("promise"))) {
        return errors_add(errs, INVALID, S("promise"),
                          "容缺受理须由申请人签署承诺书，请确认已签署");
    }
    TRY_S(case_do_accept(tx, &c, actor, &how, errs));
    TRY_S(case_save(tx, &c, errs));
    *ret = state_result(&c, tx_arena(tx));
    return OK;
}

// missing: [{code | field, reason}] or codes; names are added for the letter.
static Status missing_named(Tx *tx, const CaseRow *c, Value missing, Value *ret, Errors *errs) {
    Arena *a = tx_arena(tx);
    ListBuilder list = list_make(a);
    for (size_t i = 0; i < missing.len; i++) {
        Value m = v_at(missing, i);
        Str code = m.kind == V_STRING ? v_text(m) : v_text(v_get_lit(m, "code"));
        Str reason = str_trim(v_text(v_get_lit(m, "reason")));
        Str name = v_text(v_get_lit(m, "field"));
        if (reason.len > NOTE_MAX) {
            return errors_add(errs, LIMIT, S("missing"), "{1}过长，请缩短到 600 字以内",
                              S("补正原因"));
        }
        if (str_empty(name)) {
            const MaterialSpec *spec = spec_of(c->item, code);
            if (!spec) {
                return errors_add(errs, INVALID, S("missing"), "材料“{1}”不在本事项所需材料之中",
                                  code);
            }
            name = spec->name;
            TRY_S(material_set(tx, c->id, code, name, MATERIAL_REJECTED, 0, reason, errs));
        }
        ContextBuilder b = context_make(a);
        context_put_new(&b, S("name"), v_str(name));
        context_put_new(&b, S("reason"), v_str(reason));
        list_add(&list, context_done(&b));
    }
    *ret = list_done(&list);
    return OK;
}

Status cmd_correct(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    TRY_S(case_load_input(tx, input, &c, errs));
    TRY_S(case_expect(&c, 1u << CASE_RECEIVED, errs));
    Value missing = input_list(input, S("missing"), tx_arena(tx)), named, letter;
    Str note;
    TRY_S(text_of_input(input, S("note"), S("说明"), false, &note, errs));
    if (missing.len == 0) {
        return errors_add(errs, INVALID, S("missing"), "请至少列出一项需要补正的内容");
    }
    TRY_S(missing_named(tx, &c, missing, &named, errs));
    int32_t days = c.item->correction_days > 0 ? c.item->correction_days : 10;
    Day due = calendar_add(case_calendar(case_room), tx_day(tx), days, NULL);
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("missing"), named);
    context_put_new(&b, S("note"), v_str(note));
    context_put_new(&b, S("days"), v_int(days));
    context_put_new(&b, S("due"), v_day(due));
    Value more = context_done(&b);
    c.state = CASE_CORRECTING;
    if (!c.handler_id) c.handler_id = actor->account_id;
    TRY_S(case_letter(tx, &c, actor, S("correction"), more, &letter, errs));
    TRY_S(case_event(tx, &c, actor, S("case.correction_asked"), HANDLING_NONE, more, errs));
    TRY_S(timer_set(tx, c.id, S("correction"), 0, day_end(due), errs));
    Str args[] = {c.item->name, day_format(due, tx_arena(tx))};
    TRY_S(message_to_applicant(tx, &c, "您申请的“{1}”需要补正，请于 {2} 前补齐", args, 2, errs));
    TRY_S(case_save(tx, &c, errs));
    *ret = state_result(&c, tx_arena(tx));
    return OK;
}

Status cmd_refuse(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    TRY_S(case_load_input(tx, input, &c, errs));
    TRY_S(case_expect(&c, 1u << CASE_RECEIVED, errs));
    Str reason;
    TRY_S(text_of_input(input, S("reason"), S("不予受理的理由"), true, &reason, errs));
    if (!c.handler_id) c.handler_id = actor->account_id;
    TRY_S(case_end(tx, &c, actor, CASE_NOT_ACCEPTED, S("case.refused"), S("refusal-of-acceptance"),
                   reason, HANDLING_NONE, errs));
    *ret = state_result(&c, tx_arena(tx));
    return OK;
}
