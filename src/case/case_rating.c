// Ratings (好差评, GB/T 39734-2020): each handling once, five grades, by whoever has the link. The
// rater is confidential: the event has no actor, and officials see no rating beside its case. A bad
// one opens a case of its own, to be answered in one working day and closed in fifteen.
#include "base/crypto.h"
#include "case/case_internal.h"

enum { RATING_TOKEN_HEX = 24, BAD_GRADE_MAX = 2 };

Str case_rectify_item(void) { return S("330225-ZWB-0901"); }

// "<id>-<24 hex digits of HMAC-SHA-256>": derived, so that nothing secret is stored.
Str rating_token(int64_t case_id, Arena *a) {
    Str id = arena_printf(a, "%lld", (long long)case_id);
    Hash mac = hmac_sha256(case_room->link_key, id);
    Str hex = str_sub(hash_hex(&mac, a), 0, RATING_TOKEN_HEX);
    return arena_printf(a, "%.*s-%.*s", S_FMT(id), S_FMT(hex));
}

bool case_of_rating_token(Str token, Arena *a, int64_t *ret) {
    Str rest = token;
    Str id = str_cut(&rest, '-');
    int64_t n;
    if (!str_to_int(id, &n) || n <= 0) return false;
    if (!str_eq_constant_time(rating_token(n, a), token)) return false;
    *ret = n;
    return true;
}

static Status rated_case(Tx *tx, const Actor *actor, Value input, CaseRow *ret, Errors *errs) {
    Str token = v_text(v_get_lit(input, "token"));
    int64_t id = 0;
    if (!str_empty(token)) {
        if (!case_of_rating_token(token, tx_arena(tx), &id)) {
            return errors_add(errs, NOT_FOUND, S("token"),
                              "评价链接不正确，请从短信或回执重新打开");
        }
        return case_load(tx_db(tx), id, tx_arena(tx), ret, errs);
    }
    TRY_S(case_load_input(tx, input, ret, errs));
    if (case_is_own(ret, actor) || actor_has(actor, ROLE_SYSTEM)) return OK;
    return errors_add(errs, NOT_FOUND, S("number"), "没有这个办件，请核对办件编号");
}

// The rectification is a case of the county office against itself; it names item and unit of the
// rated case, not the applicant.
static Status open_rectification(Tx *tx, const CaseRow *c, int64_t grade, Str comment,
                                 int64_t *ret_id, Errors *errs) {
    Arena *a = tx_arena(tx);
    const Item *item;
    TRY_E(errs, item_by_code(case_room->items, tx_db(tx), case_rectify_item(), &item, &e));
    int64_t party = 0;
    Query *q = query(tx_db(tx), "SELECT p.id FROM party p JOIN unit u ON u.uscc = p.id_number"
                                " WHERE u.kind = 'center' ORDER BY u.id LIMIT 1");
    if (query_next(q)) party = query_col_int(q, 0);
    TRY_E(errs, query_done(q, &e));
    if (!party) {
        return errors_add(errs, BROKEN, S("party"),
                          "政务服务中心没有登记为办事主体，不能开展差评整改");
    }
    Str unit = S(""), unit_name = S("");
    q = query(tx_db(tx), "SELECT code, name FROM unit WHERE id = ?1");
    query_int(q, 1, c->unit_id);
    if (query_next(q)) {
        unit = query_col_keep(q, 0, a);
        unit_name = query_col_keep(q, 1, a);
    }
    TRY_E(errs, query_done(q, &e));
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("item"), v_str(c->item->name));
    context_put_new(&b, S("unit_name"), v_str(unit_name));
    context_put_new(&b, S("unit"), v_str(unit));
    context_put_new(&b, S("grade"), v_str(arena_printf(a, "%lld", (long long)grade))); // an option
    context_put_new(&b, S("comment"), v_str(comment));
    CaseRow about = *c; // the applicant must not reach the new case
    about.applicant_account_id = 0;
    about.channel = HANDLING_WINDOW;
    CaseRow opened;
    TRY_S(case_open_child(tx, &about, item, party, context_done(&b), &actor_system, 0, &opened,
                          errs));
    *ret_id = opened.id;
    return OK;
}

static Status rating_insert(Tx *tx, const CaseRow *c, int64_t grade, Str comment, Handling channel,
                            int64_t rectify, Errors *errs) {
    Query *q = query(tx_db(tx), "INSERT INTO rating (case_id, grade, comment, channel, rated_at,"
                                " rectify_case_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
                                " ON CONFLICT (case_id) DO NOTHING");
    query_int(q, 1, c->id);
    query_int(q, 2, grade);
    query_str(q, 3, comment);
    query_int(q, 4, channel);
    query_int(q, 5, tx_now(tx));
    query_int_or_null(q, 6, rectify);
    int64_t changed = 0;
    TRY_E(errs, query_run(q, &changed, &e));
    if (changed == 1) return OK;
    return errors_add(errs, CONFLICT, S("token"), "这次办理已经评价过，每次办理只能评价一次");
}

Status cmd_rate(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    TRY_S(rated_case(tx, actor, input, &c, errs));
    if (c.state == CASE_RECEIVED || c.state == CASE_CORRECTING || c.state == CASE_APPROVAL) {
        return errors_add(errs, CONFLICT, S("state"), "办结后才能评价");
    }
    Instant ended = c.decided_at ? c.decided_at : c.closed_at;
    if (tx_day(tx) > instant_day(ended) + RATING_DAYS) {
        return errors_add(errs, CONFLICT, S("token"), "评价链接已过期（办结后 {1} 天内有效）",
                          S("30"));
    }
    int64_t grade = input_int(input, S("grade"));
    if (grade < 1 || grade > 5) {
        return errors_add(errs, INVALID, S("grade"), "请选择一个评价等级");
    }
    Str comment;
    TRY_S(text_of_input(input, S("comment"), S("评价内容"), false, &comment, errs));
    bool window = str_eq(v_text(v_get_lit(input, "channel")), S("window"));
    Handling channel = window ? HANDLING_WINDOW : HANDLING_ONLINE;
    int64_t rectify = 0;
    bool rectification = str_eq(c.item->code, case_rectify_item());
    if (grade <= BAD_GRADE_MAX && !rectification) {
        TRY_S(open_rectification(tx, &c, grade, comment, &rectify, errs));
    }
    TRY_S(rating_insert(tx, &c, grade, comment, channel, rectify, errs));
    ContextBuilder data = context_make(tx_arena(tx));
    context_put_new(&data, S("grade"), v_int(grade));
    Event e = {.case_id = c.id,
               .kind = S("case.rated"),
               .handling = channel,
               .data = context_done(&data)}; // no actor: the rater is confidential
    TRY_S(event_append(tx, &e, errs));
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("grade"), v_int(grade));
    *ret = context_done(&b);
    return OK;
}

// Every rater of a bad grade is visited again after the rectification (GB/T 39735-2020).
Status cmd_revisit(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c; // the rectification case
    TRY_S(case_load_input(tx, input, &c, errs));
    int64_t grade = input_int(input, S("grade"));
    Str note;
    TRY_S(text_of_input(input, S("note"), S("回访记录"), true, &note, errs));
    if (grade < 1 || grade > 5) return errors_add(errs, INVALID, S("grade"), "请选择一个评价等级");
    TRY_S(case_expect(&c, 1u << CASE_DECIDED | 1u << CASE_DELIVERED, errs));
    Query *q = query(tx_db(tx), "UPDATE rating SET revisit_grade = ?1 WHERE rectify_case_id = ?2"
                                " AND revisit_grade IS NULL");
    query_int(q, 1, grade);
    query_int(q, 2, c.id);
    int64_t changed = 0;
    TRY_E(errs, query_run(q, &changed, &e));
    if (changed != 1)
        return errors_add(errs, CONFLICT, S("id"), "该差评没有待回访的记录，或已回访");
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("grade"), v_int(grade));
    context_put_new(&b, S("note"), v_str(note));
    Value data = context_done(&b);
    TRY_S(case_event(tx, &c, actor, S("rating.revisited"), HANDLING_NONE, data, errs));
    *ret = data;
    return OK;
}
