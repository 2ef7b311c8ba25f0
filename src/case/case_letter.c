// Letters of a case: every letter gets the same facts of the case, and what its own act adds.
#include "case/case_internal.h"

// The department, and the applicant as letters show him.
static Status parties(Db *db, const CaseRow *c, Arena *a, Str *ret_unit, Value *ret_applicant,
                      Errors *errs) {
    Query *q = query(db, "SELECT u.name, p.name, p.id_number FROM unit u, party p"
                         " WHERE u.id = ?1 AND p.id = ?2");
    query_int(q, 1, c->unit_id);
    query_int(q, 2, c->party_id);
    ContextBuilder b = context_make(a);
    Str unit = S("");
    if (query_next(q)) {
        unit = query_col_keep(q, 0, a);
        context_put_new(&b, S("name"), v_str(query_col_keep(q, 1, a)));
        context_put_new(&b, S("id_number"), v_str(mask_id(query_col_str(q, 2), a)));
    }
    TRY_E(errs, query_done(q, &e));
    *ret_unit = unit;
    *ret_applicant = context_done(&b);
    return OK;
}

static Value case_model(const CaseRow *c, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("number"), v_str(c->number));
    context_put_new(&b, S("item"), v_str(c->item->name));
    context_put_new(&b, S("power"), v_str(c->item->power)); // what law a letter cites
    context_put_new(&b, S("received"), v_day(instant_day(c->received_at)));
    if (c->accepted_at) context_put_new(&b, S("accepted"), v_day(instant_day(c->accepted_at)));
    if (c->decided_at) context_put_new(&b, S("decided"), v_day(instant_day(c->decided_at)));
    if (c->promised_due_day) context_put_new(&b, S("due"), v_day((Day)c->promised_due_day));
    context_put_new(&b, S("promised_days"), v_int(c->item->promised_days));
    context_put_new(&b, S("statutory_days"), v_int(c->item->statutory_days));
    return context_done(&b);
}

// Only letters that list materials carry the list: most do not, and it is stored with each.
static Status with_materials(Tx *tx, const CaseRow *c, Str kind, ContextBuilder *b, Errors *errs) {
    if (!str_eq(kind, S("acceptance")) && !str_eq(kind, S("receipt"))) return OK;
    Arena *a = tx_arena(tx);
    static const Str names[] = {S_INIT("待补"), S_INIT("已收"), S_INIT("容缺"), S_INIT("免提交"),
                                S_INIT("退回")};
    Query *q = query(tx_db(tx), "SELECT name, state FROM material WHERE case_id = ?1 ORDER BY id");
    query_int(q, 1, c->id);
    ListBuilder list = list_make(a);
    while (query_next(q)) {
        ContextBuilder m = context_make(a);
        int64_t state = query_col_int(q, 1);
        context_put_new(&m, S("name"), v_str(query_col_keep(q, 0, a)));
        context_put_new(&m, S("state"), v_str(state >= 0 && state < 5 ? names[state] : S("")));
        list_add(&list, context_done(&m));
    }
    TRY_E(errs, query_done(q, &e));
    context_put_new(b, S("materials"), list_done(&list));
    return OK;
}

Status case_letter(Tx *tx, const CaseRow *c, const Actor *actor, Str kind, Value more, Value *ret,
                   Errors *errs) {
    Arena *a = tx_arena(tx);
    Str unit = S("");
    Value applicant;
    TRY_S(parties(tx_db(tx), c, a, &unit, &applicant, errs));
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("county"), v_str(case_room->county));
    context_put_new(&b, S("center"),
                    v_str(arena_printf(a, "%.*s政务服务中心", S_FMT(case_room->county))));
    context_put_new(&b, S("case"), case_model(c, a));
    context_put_new(&b, S("applicant"), applicant);
    context_put_new(&b, S("unit"), v_str(unit));
    context_put_new(&b, S("date"), v_day(tx_day(tx)));
    TRY_S(with_materials(tx, c, kind, &b, errs));
    if (str_eq(kind, S("result"))) {
        context_put_new(&b, S("result"), v_get_lit(c->item->spec, "result"));
        context_put_new(&b, S("answers"), v_get_lit(c->answers, "answers"));
        context_put_new(&b, S("variables"), flow_variables(v_get_lit(c->flow, "s")));
    }
    Value model = more.kind == V_CONTEXT ? v_merge(context_done(&b), more, a) : context_done(&b);
    return letter_issue(tx, c->item, c->id, kind, model, actor->account_id, ret, errs);
}
