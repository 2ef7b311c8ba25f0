// The applicant's side of intake: drafts, submission, and what is handed in later.
//
// Whoever submits, the same is checked in the same order: the guide says what this applicant needs,
// the form keeps only what was asked, the party's number is checked, then the case, its
// materials and its first event are written together.
#include "base/crypto.h"
#include "case/case_internal.h"

enum { DRAFT_TOKEN_BYTES = 16 };

// A clerk's or agent's input names the applicant; a citizen applies for himself.
static Status applicant_of(Tx *tx, const Actor *actor, Value input, int64_t *ret, Errors *errs) {
    Value applicant = v_get_lit(input, "applicant");
    bool for_others = actor_has(actor, ROLE_CLERK | ROLE_AGENT | ROLE_SYSTEM);
    if (!for_others || (v_is_null(applicant) && actor->party_id)) {
        if (!actor->party_id) {
            return errors_add(errs, DENIED, S("applicant"), "您的账号没有关联办事主体，不能申请");
        }
        *ret = actor->party_id;
        return OK;
    }
    if (applicant.kind != V_CONTEXT) {
        return errors_add(errs, INVALID, S("applicant"), "请填写申请人");
    }
    return party_find_or_add(tx, applicant, ret, errs);
}

static Status audience_check(Tx *tx, const Item *item, int64_t party_id, Errors *errs) {
    Value audience = v_get_lit(item->spec, "audience");
    if (audience.kind != V_LIST || audience.len != 1) return OK;
    Query *q = query(tx_db(tx), "SELECT kind FROM party WHERE id = ?1");
    query_int(q, 1, party_id);
    int64_t kind = 0;
    TRY_E(errs, query_one_int(q, &kind, &e));
    bool wants_legal = str_eq(v_text(v_at(audience, 0)), S("legal"));
    if (wants_legal == (kind == 2)) return OK;
    if (wants_legal) return errors_add(errs, INVALID, S("applicant"), "本事项只面向法人和其他组织");
    return errors_add(errs, INVALID, S("applicant"), "本事项只面向自然人");
}

static Status town_of(Tx *tx, const Actor *actor, Value input, int64_t *ret, Errors *errs) {
    Str code = v_text(v_get_lit(input, "town"));
    *ret = 0;
    Query *q;
    if (!str_empty(code)) {
        q = query(tx_db(tx), "SELECT id FROM unit WHERE code = ?1 AND kind = 'town'");
        query_str(q, 1, code);
    } else if (actor->unit_id) {
        q = query(tx_db(tx), "SELECT id FROM unit WHERE id = ?1 AND kind = 'town'");
        query_int(q, 1, actor->unit_id);
    } else {
        return OK;
    }
    if (query_next(q)) *ret = query_col_int(q, 0);
    TRY_E(errs, query_done(q, &e));
    if (!*ret && !str_empty(code)) {
        return errors_add(errs, INVALID, S("town"), "没有编码为“{1}”的镇乡（街道）", code);
    }
    return OK;
}

// Writes the row; its number contains its id.
static Status insert_case(Tx *tx, CaseRow *c, Errors *errs) {
    Arena *a = tx_arena(tx);
    TRY_E(errs, tx_next_id(tx, "cases", &c->id, &e));
    c->number = case_number_make(case_room->region, instant_day(c->received_at), c->id, a);
    Query *q = query(tx_db(tx),
                     "INSERT INTO cases (id, number, item_id, item_version_id, unit_id, town_id,"
                     " party_id, applicant_account_id, parent_id, channel, state, received_at,"
                     " answers_json, flow_json, clock_json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
                     " ?9, ?10, ?11, ?12, ?13, ?14, ?15)");
    query_int(q, 1, c->id);
    query_str(q, 2, c->number);
    query_int(q, 3, c->item_id);
    query_int(q, 4, c->item_version_id);
    query_int(q, 5, c->unit_id);
    query_int_or_null(q, 6, c->town_id);
    query_int(q, 7, c->party_id);
    query_int_or_null(q, 8, c->applicant_account_id);
    query_int_or_null(q, 9, c->parent_id);
    query_int(q, 10, c->channel);
    query_int(q, 11, c->state);
    query_int(q, 12, c->received_at);
    query_str(q, 13, json_to_str(c->answers, a));
    query_str(q, 14, json_to_str(c->flow, a));
    query_str(q, 15, json_to_str(c->clock, a));
    TRY_E(errs, query_run(q, NULL, &e));
    c->revision = 1;
    case_is_stored(c);
    return OK;
}

static Value answers_pack(Value situation, Value answers, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("situation"), situation);
    context_put_new(&b, S("answers"), answers);
    return context_done(&b);
}

static CaseRow new_case(const Item *item, Tx *tx) {
    return (CaseRow){.item = item,
                     .item_id = item->id,
                     .item_version_id = item->version_id,
                     .unit_id = item->unit_id,
                     .state = CASE_RECEIVED,
                     .received_at = tx_now(tx)};
}

static Status submitted_event(Tx *tx, const CaseRow *c, const Actor *actor, Handling handling,
                              Errors *errs) {
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("number"), v_str(c->number));
    context_put_new(&b, S("item"), v_str(c->item->code));
    context_put_new(&b, S("version"), v_int(c->item->version));
    Hash digest = sha256(json_to_str(c->answers, tx_arena(tx)));
    context_put_new(&b, S("answers_sha256"), v_str(hash_hex(&digest, tx_arena(tx))));
    Event e = {.case_id = c->id,
               .kind = S("case.submitted"),
               .actor_id = actor->account_id,
               .handling = handling,
               .data = context_done(&b),
               .first = true};
    return event_append(tx, &e, errs);
}

// A draft becomes one case: of two submissions at once the second finds none.
static Status draft_remove(Tx *tx, Value input, Errors *errs) {
    Str token = v_text(v_get_lit(input, "draft"));
    if (str_empty(token)) return OK;
    Hash h = sha256(token);
    Query *q = query(tx_db(tx), "DELETE FROM draft WHERE token_hash = ?1");
    query_blob(q, 1, str_of((const char *)h.bytes, SHA256_SIZE));
    int64_t removed = 0;
    TRY_E(errs, query_run(q, &removed, &e));
    if (removed == 1) return OK;
    return errors_add(errs, CONFLICT, S("draft"), "这份申请已经提交过，请到“我的办件”查看");
}

static bool all_given(Value listed, Value given) {
    for (size_t i = 0; i < listed.len; i++) {
        Value m = v_at(listed, i);
        if (!v_true(v_get_lit(m, "needed")) || v_true(v_get_lit(m, "waivable"))) continue;
        Str code = v_text(v_get_lit(m, "code"));
        bool found = false;
        for (size_t k = 0; k < given.len && !found; k++) {
            Value g = v_at(given, k);
            found = str_eq(g.kind == V_STRING ? v_text(g) : v_text(v_get_lit(g, "code")), code);
        }
        if (!found) return false;
    }
    return true;
}

// An instant item (即办件) with everything in hand needs nobody's judgement at the counter; all
// others get a dated receipt (Administrative Licensing Law art. 32).
static Status accept_or_receipt(Tx *tx, CaseRow *c, const Actor *actor, Value listed, Value given,
                                Errors *errs) {
    if (c->item->case_kind != 1 || !all_given(listed, given)) {
        Value letter;
        return case_letter(tx, c, actor, S("receipt"), v_null(), &letter, errs);
    }
    Acceptance how = {.tolerate = v_null(), .start = tx_day(tx)};
    TRY_S(case_do_accept(tx, c, actor, &how, errs));
    return case_save(tx, c, errs);
}

// The link to rate goes to the applicant; an official who had it could rate his own work.
static Value submit_result(const CaseRow *c, const Actor *actor, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("id"), v_int(c->id));
    context_put_new(&b, S("number"), v_str(c->number));
    context_put_new(&b, S("state"), v_str(case_state_name(c->state)));
    if (!actor_has(actor, ROLES_OFFICIAL)) {
        context_put_new(&b, S("rating_token"), v_str(rating_token(c->id, a)));
    }
    return context_done(&b);
}

static Status submit_item(Tx *tx, Value input, const Item **ret, Errors *errs) {
    Str code = v_text(v_get_lit(input, "item"));
    Error e = {.status = OK};
    Status st = item_by_code(case_room->items, tx_db(tx), code, ret, &e);
    if (st == NOT_FOUND) {
        return errors_add(errs, INVALID, S("item"), "没有编码为“{1}”的事项，或该事项已停办", code);
    }
    return st == OK ? OK : errors_push(errs, &e);
}

Status cmd_submit(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Arena *a = tx_arena(tx);
    const Item *item;
    TRY_S(submit_item(tx, input, &item, errs));
    CaseRow c = new_case(item, tx);
    Value guide, answers, known, situation = v_get_lit(input, "situation");
    if (v_get_lit(input, "answers").kind != V_CONTEXT) {
        return errors_add(errs, INVALID, S("answers"), "请填写申请表");
    }
    TRY_E(errs, item_guide(item, situation, tx_now(tx), a, &guide, &e));
    if (v_has(guide, S("eligible")) && !v_true(v_get_lit(guide, "eligible"))) {
        return errors_add(errs, INVALID, S("situation"), "按您的情况不能申请本事项：{1}",
                          v_text(v_get_lit(guide, "reason")));
    }
    TRY_S(applicant_of(tx, actor, input, &c.party_id, errs));
    TRY_S(audience_check(tx, item, c.party_id, errs));
    TRY_E(errs, case_known(tx_db(tx), item, c.party_id, situation, guide, a, &known, &e));
    TRY_S(form_check(item->form, v_get_lit(input, "answers"), known, false, tx_now(tx), a, &answers,
                     errs));
    TRY_S(town_of(tx, actor, input, &c.town_id, errs));
    c.answers = answers_pack(situation, answers, a);
    c.channel = actor_channel(actor);
    if (actor_has(actor, ROLE_SYSTEM)) c.channel = HANDLING_WINDOW;
    if (c.channel == HANDLING_ONLINE) c.applicant_account_id = actor->account_id;
    TRY_S(insert_case(tx, &c, errs));
    Value given = input_list(input, S("materials"), a);
    Value listed = v_get_lit(guide, "materials");
    TRY_S(materials_store(tx, &c, given, listed, errs));
    TRY_S(submitted_event(tx, &c, actor, c.channel, errs));
    TRY_S(draft_remove(tx, input, errs));
    TRY_S(accept_or_receipt(tx, &c, actor, listed, given, errs));
    *ret = submit_result(&c, actor, a);
    return OK;
}

Status case_open_child(Tx *tx, const CaseRow *parent, const Item *item, int64_t party_id,
                       Value answers, const Actor *actor, int64_t token, CaseRow *ret,
                       Errors *errs) {
    Arena *a = tx_arena(tx);
    CaseRow c = new_case(item, tx);
    c.opening = true;
    c.party_id = party_id;
    c.parent_id = parent->id;
    c.town_id = parent->town_id;
    c.channel = parent->channel;
    c.applicant_account_id = parent->applicant_account_id;
    c.answers = answers_pack(v_get_lit(parent->answers, "situation"), answers, a);
    if (token) {
        ContextBuilder b = context_make(a);
        context_put_new(&b, S("p"), v_int(token));
        c.flow = context_done(&b);
    }
    TRY_S(insert_case(tx, &c, errs));
    TRY_S(submitted_event(tx, &c, actor, HANDLING_NONE, errs));
    Acceptance how = {.tolerate = v_null(), .start = tx_day(tx)};
    TRY_S(case_do_accept(tx, &c, actor, &how, errs));
    TRY_S(case_save(tx, &c, errs));
    *ret = c;
    return OK;
}

static Status tolerated_left(Tx *tx, const CaseRow *c, int64_t *ret, Errors *errs) {
    Query *q = query(tx_db(tx), "SELECT COUNT(*) FROM material WHERE case_id = ?1 AND state = ?2");
    query_int(q, 1, c->id);
    query_int(q, 2, MATERIAL_TOLERATED);
    TRY_E(errs, query_one_int(q, ret, &e));
    return OK;
}

// Corrected answers are checked with the old ones as one form. `ret_changed`: the names of the
// fields that now say something else; an empty list when nothing does.
static Status supplement_answers(Tx *tx, const Actor *actor, CaseRow *c, Value raw,
                                 Value *ret_changed, Errors *errs) {
    Arena *a = tx_arena(tx);
    Value known, answers, old = v_get_lit(c->answers, "answers");
    ListBuilder changed = list_make(a);
    if (raw.kind == V_CONTEXT && c->state == CASE_CORRECTING) {
        TRY_E(errs, case_known_of(tx_db(tx), c, tx_now(tx), a, &known, &e));
        TRY_S(form_check(c->item->form, correction_over(c, actor, raw, a), known, false, tx_now(tx),
                         a, &answers, errs));
        Value both = v_merge(old, answers, a);
        for (uint32_t i = 0; i < both.len; i++) {
            Str name = both.as.entries[i].key;
            Str was = json_to_str(v_get(old, name), a), is = json_to_str(v_get(answers, name), a);
            if (!str_eq(was, is)) list_add(&changed, v_str(name));
        }
        c->answers = answers_pack(v_get_lit(c->answers, "situation"), answers, a);
    }
    *ret_changed = list_done(&changed);
    return OK;
}

static Value supplement_data(const CaseRow *c, Value materials, Value changed, Arena *a) {
    ContextBuilder data = context_make(a);
    context_put_new(&data, S("materials"), materials);
    if (changed.len) {
        Hash digest = sha256(json_to_str(c->answers, a));
        context_put_new(&data, S("changed"), changed);
        context_put_new(&data, S("answers_sha256"), v_str(hash_hex(&digest, a)));
    }
    return context_done(&data);
}

Status cmd_supplement(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    Value changed;
    TRY_S(case_load_input(tx, input, &c, errs));
    if (!case_is_own(&c, actor) && !actor_has(actor, ROLE_CLERK)) {
        return errors_add(errs, NOT_FOUND, S("number"), "没有这个办件，请核对办件编号");
    }
    TRY_S(case_expect(&c, 1u << CASE_CORRECTING | 1u << CASE_APPROVAL, errs));
    Value given = input_list(input, S("materials"), tx_arena(tx));
    TRY_S(supplement_answers(tx, actor, &c, v_get_lit(input, "answers"), &changed, errs));
    for (size_t i = 0; i < given.len; i++) {
        TRY_S(material_give(tx, c.id, v_at(given, i), c.state == CASE_CORRECTING, errs));
    }
    bool corrected = c.state == CASE_CORRECTING;
    if (given.len == 0 && changed.len == 0) {
        if (corrected) {
            return errors_add(errs, INVALID, S("materials"),
                              "还没有改动：请改正申请表，或选择要补交的材料");
        }
        return errors_add(errs, INVALID, S("materials"), "请选择要补交的材料");
    }
    Value data = supplement_data(&c, given, changed, tx_arena(tx));
    Str kind = corrected ? S("case.corrected") : S("case.supplemented");
    if (corrected) {
        c.state = CASE_RECEIVED;
        TRY_S(timers_clear(tx, c.id, S("correction"), 0, errs));
    } else {
        int64_t left;
        TRY_S(tolerated_left(tx, &c, &left, errs));
        if (left == 0) TRY_S(timers_clear(tx, c.id, S("tolerance"), 0, errs));
    }
    TRY_S(case_event(tx, &c, actor, kind, actor_channel(actor), data, errs));
    TRY_S(case_save(tx, &c, errs));
    *ret = submit_result(&c, actor, tx_arena(tx));
    return OK;
}

// Save and resume: wrong answers are kept as they were typed, nothing is checked but size.
Status cmd_draft_save(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Arena *a = tx_arena(tx);
    const Item *item;
    TRY_S(submit_item(tx, input, &item, errs));
    ContextBuilder saved = context_make(a);
    context_put_new(&saved, S("answers"), v_get_lit(input, "answers"));
    context_put_new(&saved, S("materials"), v_get_lit(input, "materials"));
    context_put_new(&saved, S("applicant"), v_get_lit(input, "applicant"));
    Str answers = json_to_str(context_done(&saved), a);
    if (answers.len > CASE_ANSWERS_MAX) {
        return errors_add(errs, LIMIT, S("answers"), "填写的内容过多，无法保存");
    }
    Str token = v_text(v_get_lit(input, "token"));
    bool fresh = str_empty(token);
    if (fresh) token = random_token(DRAFT_TOKEN_BYTES, a);
    Hash h = sha256(token);
    Query *q = query(tx_db(tx), "INSERT INTO draft (token_hash, account_id, item_id,"
                                " item_version_id, situation_json, answers_json, updated_at)"
                                " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (token_hash)"
                                " DO UPDATE SET situation_json = excluded.situation_json,"
                                " answers_json = excluded.answers_json,"
                                " updated_at = excluded.updated_at");
    query_blob(q, 1, str_of((const char *)h.bytes, SHA256_SIZE));
    query_int_or_null(q, 2, actor->account_id);
    query_int(q, 3, item->id);
    query_int(q, 4, item->version_id);
    query_str(q, 5, json_to_str(v_get_lit(input, "situation"), a));
    query_str(q, 6, answers);
    query_int(q, 7, tx_now(tx));
    TRY_E(errs, query_run(q, NULL, &e));
    ContextBuilder data = context_make(a);
    context_put_new(&data, S("item"), v_str(item->code));
    Event ev = {.kind = fresh ? S("draft.created") : S("draft.saved"),
                .actor_id = actor->account_id,
                .data = context_done(&data)};
    TRY_S(event_append(tx, &ev, errs));
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("token"), v_str(token));
    *ret = context_done(&b);
    return OK;
}

Status case_draft(Db *db, Str token, Arena *a, Value *ret, Error *err) {
    Hash h = sha256(token);
    Query *q = query(db, "SELECT d.situation_json, d.answers_json AS saved_json, d.updated_at,"
                         " i.code AS item FROM draft d JOIN item i ON i.id = d.item_id"
                         " WHERE d.token_hash = ?1");
    query_blob(q, 1, str_of((const char *)h.bytes, SHA256_SIZE));
    return query_row(q, a, ret, err);
}
