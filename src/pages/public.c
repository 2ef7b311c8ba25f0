// What needs no account: tracking a case by number and last four, rating by link, verifying a
// letter, checking one field. And letters as PDF, for those who may see their case.
#include "case/letter.h"
#include "pages/page_tools.h"

#include <pthread.h>

enum {
    LOOKS_PER_MINUTE_MAX = LETTER_LOOKS_PER_MINUTE_MAX, // of one address, against guessing
    LOOKERS_MAX = 4096,
    CODE_MAX = 100,
};

// ---- so many looks a minute from one address -------------------------------------------------
// A small table that forgets: an address that shares its slot with another may be slowed a little
// early, never let through more.

static struct Lookers {
    pthread_mutex_t lock;
    int64_t minute;
    uint16_t counts[LOOKERS_MAX];
} lookers = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool may_look(const Request *rq) {
    const int64_t minute = rq->now / 60000;
    const size_t slot = str_hash(rq->address) % LOOKERS_MAX;
    (void)pthread_mutex_lock(&lookers.lock);
    if (lookers.minute != minute) {
        memset(lookers.counts, 0, sizeof lookers.counts);
        lookers.minute = minute;
    }
    bool ok = lookers.counts[slot] < LOOKS_PER_MINUTE_MAX;
    if (ok) lookers.counts[slot]++;
    (void)pthread_mutex_unlock(&lookers.lock);
    return ok;
}

static Status too_many(Errors *errs) {
    return errors_add(errs, LIMIT, S(""), "查询太频繁，请一分钟后再试");
}

// ---- track -----------------------------------------------------------------------------------

static Value track_form(const Request *rq, Str number) {
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "number_typed", v_str(number));
    return context_done(&b);
}

static Status track_page(Request *rq, Reply *reply, Errors *errs) {
    (void)errs;
    reply_page(rq, reply, "track", track_form(rq, request_query(rq, S("number"))));
    return OK;
}

// Digits only: numbers are read out and copied with blanks and hyphens.
static Str digits_of(Str s, Arena *a) {
    Buf out = buf_make(a, s.len + 1, 256);
    for (size_t i = 0; i < s.len && i < 64; i++) {
        if (s.ptr[i] != ' ' && s.ptr[i] != '-') buf_char(&out, s.ptr[i]);
    }
    return buf_view(&out);
}

static Status track_post(Request *rq, Reply *reply, Errors *errs) {
    if (!may_look(rq)) return too_many(errs);
    Str number = digits_of(request_text(rq, S("number")), rq->arena);
    Str last = request_text(rq, S("last_four"));
    Errors wrong = errors_make(rq->arena);
    if (!number.len) errors_add(&wrong, INVALID, S("number"), "请填写办件编号");
    if (last.len != 4) errors_add(&wrong, INVALID, S("last_four"), "请填写证件号码或电话的后四位");
    Value found = v_null();
    if (!wrong.count) {
        Error err = {.status = OK};
        Status st = case_track(page_cases(), rq->db, number, last, rq->now, rq->arena, &found,
                               &err);
        if (st != OK) {
            err.status = st;
            (void)errors_push(&wrong, &err);
        }
    }
    if (wrong.count) {
        reply_refused(rq, reply, "track", track_form(rq, number), &wrong);
        return OK;
    }
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "found", found);
    context_put_lit(&b, "number_typed", v_str(number));
    reply_page(rq, reply, "track", context_done(&b));
    return OK;
}

// ---- rate ------------------------------------------------------------------------------------

static Status rated_case(Request *rq, Value *ret, Errors *errs) {
    int64_t id = 0;
    if (!case_of_rating_token(rq->params[0], rq->arena, &id)) {
        return errors_add(errs, NOT_FOUND, S("token"), "评价链接不正确，请从短信或回执重新打开");
    }
    Query *q = query(rq->db, "SELECT c.number, c.state, i.name, i.name_en, u.name AS unit,"
                             " u.name_en AS unit_en, c.decided_at, r.id AS rating FROM cases c"
                             " JOIN item i ON i.id = c.item_id JOIN unit u ON u.id = c.unit_id"
                             " LEFT JOIN rating r ON r.case_id = c.id WHERE c.id = ?1");
    query_int(q, 1, id);
    Value row;
    PAGE_TRY(errs, query_row(q, rq->arena, &row, &e));
    int64_t state = v_to_int(v_get_lit(row, "state"), 0);
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "token", v_str(rq->params[0]));
    context_put_lit(&b, "number", v_get_lit(row, "number"));
    context_put_lit(&b, "item_name", page_named(rq, row, S("name"), S("name_en")));
    context_put_lit(&b, "unit", page_named(rq, row, S("unit"), S("unit_en")));
    context_put_lit(&b, "ended", v_bool(state >= CASE_DECIDED));
    context_put_lit(&b, "rated", v_bool(!v_is_null(v_get_lit(row, "rating"))));
    *ret = context_done(&b);
    return OK;
}

static Status rate_page(Request *rq, Reply *reply, Errors *errs) {
    Value model;
    Status st = rated_case(rq, &model, errs);
    if (st != OK) return st;
    if (str_eq(request_query(rq, S("done")), S("1"))) {
        model = v_with(model, S("done"), v_get_lit(model, "rated"), rq->arena);
    }
    reply_page(rq, reply, "rate", model);
    return OK;
}

static Status rate_post(Request *rq, Reply *reply, Errors *errs) {
    Value model, result;
    Status st = rated_case(rq, &model, errs);
    if (st != OK) return st;
    int64_t grade = 0;
    Value given = v_get_lit(rq->input, "grade");
    if (!str_to_int(str_trim(v_text(given)), &grade)) grade = v_to_int(given, 0);
    Str comment = request_text(rq, S("comment"));
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "token", v_str(rq->params[0]));
    context_put_lit(&b, "grade", v_int(grade));
    context_put_lit(&b, "comment", v_str(comment));
    context_put_lit(&b, "channel", v_lit("online"));
    Errors wrong = errors_make(rq->arena);
    st = request_command(rq, S("rating.give"), context_done(&b), &result, &wrong);
    if (st == OK) {
        if (rq->wants_json) reply->model = result;
        else reply_redirect(reply, arena_printf(rq->arena, "/rate/%.*s?done=1",
                                                S_FMT(rq->params[0])));
        return OK;
    }
    ContextBuilder typed = context_make(rq->arena);
    context_put_lit(&typed, "comment", v_str(comment));
    context_put_lit(&typed, "grade", v_int(grade));
    model = v_merge(model, context_done(&typed), rq->arena);
    reply_refused(rq, reply, "rate", model, &wrong);
    return OK;
}

// ---- verify ----------------------------------------------------------------------------------

static Status verify_page(Request *rq, Reply *reply, Errors *errs) {
    (void)errs;
    Str code = digits_of(request_query(rq, S("code")), rq->arena);
    if (code.len && code.len <= CODE_MAX) {
        reply_redirect(reply, page_href(rq->arena, arena_printf(rq->arena, "/verify/%.*s",
                                                                S_FMT(code)), v_null()));
        return OK;
    }
    ContextBuilder b = context_make(rq->arena);
    reply_page(rq, reply, "verify", context_done(&b));
    return OK;
}

static Status verify_code(Request *rq, Reply *reply, Errors *errs) {
    if (!may_look(rq)) return too_many(errs);
    Value letter;
    Error err = {.status = OK};
    Status st = letter_view(rq->db, page_items(), rq->params[0], rq->arena, &letter, &err);
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "code", v_str(rq->params[0]));
    if (st == NOT_FOUND) {
        if (rq->wants_json) return errors_push(errs, &err);
        context_put_lit(&b, "unknown", v_bool(true));
        reply_page(rq, reply, "verify", context_done(&b));
        reply->status = 404;
        return OK;
    }
    if (st != OK) {
        err.status = st;
        return errors_push(errs, &err);
    }
    static const char *const shown[] = {"title", "number", "created",   "case",   "item",
                                        "unit",  "intact", "applicant", "digest", "kind"};
    ContextBuilder facts = context_make(rq->arena);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        context_put_new(&facts, str_z(shown[i]), v_get(letter, str_z(shown[i])));
    }
    context_put(&facts, S("item"), page_named(rq, letter, S("item"), S("item_en")));
    Value unit = v_get_lit(letter, "unit");
    if (unit.kind == V_CONTEXT) {
        context_put(&facts, S("unit"), page_named(rq, unit, S("name"), S("name_en")));
    }
    context_put_lit(&b, "letter", context_done(&facts));
    reply_page(rq, reply, "verify", context_done(&b));
    return OK;
}

// ---- a letter as PDF -------------------------------------------------------------------------

// Officials, and whose case it is; everybody else sees no such letter.
static Status letter_right(const Request *rq, Str number, Errors *errs) {
    const Actor *actor = &rq->actor;
    if (actor_has(actor, ROLES_OFFICIAL | ROLE_AUDITADMIN)) return OK;
    Query *q = query(rq->db, "SELECT party_id, applicant_account_id FROM cases WHERE number = ?1");
    query_str(q, 1, number);
    bool own = false;
    while (query_next(q)) {
        own = (actor->party_id && query_col_int(q, 0) == actor->party_id) ||
              (actor->account_id && query_col_int(q, 1) == actor->account_id);
    }
    PAGE_TRY(errs, query_done(q, &e));
    return own ? OK : errors_add(errs, NOT_FOUND, S("code"), "没有这份文书");
}

static Status letter_file(Request *rq, Reply *reply, Errors *errs) {
    Str code = rq->params[0];
    if (str_ends(code, S(".pdf"))) code = str_sub(code, 0, code.len - 4);
    Value letter;
    PAGE_TRY(errs, letter_view(rq->db, page_items(), code, rq->arena, &letter, &e));
    Status st = letter_right(rq, v_text(v_get_lit(letter, "case")), errs);
    if (st != OK) return st;
    Value unit = v_get_lit(letter, "unit");
    if (unit.kind == V_CONTEXT) unit = v_get_lit(unit, "name");
    Value date = v_get_lit(letter, "date");
    Str day = date.kind == V_STRING ? v_text(date) : v_to_str(date, rq->arena), pdf;
    Str url = v_text(v_get_lit(letter, "verify_url"));
    if (str_starts(url, S("/"))) { // what a telephone scans must lead somewhere
        Str base = rq->app->public_url.len ? rq->app->public_url : rq->host;
        url = arena_concat(rq->arena, (Str[]){base, url}, 2);
    }
    PAGE_TRY(errs, letter_pdf(v_text(v_get_lit(letter, "title")), v_text(v_get_lit(letter, "text")),
                              v_text(v_get_lit(letter, "number")), v_text(unit), day, url,
                              v_true(v_get_lit(letter, "red_head")), rq->arena, &pdf, &e));
    reply->body = pdf;
    reply->type = S("application/pdf");
    return OK;
}

// ---- one field -------------------------------------------------------------------------------

// Yuan with at most two digits behind the point.
static Status money_check(Str s, Error *err) {
    size_t digits = 0, behind = 0;
    bool point = false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == ',') continue;
        if (c == '.' && !point) point = true;
        else if (c >= '0' && c <= '9') point ? behind++ : digits++;
        else return error_set(err, INVALID, S("value"), "请填写金额，例如 1234.50");
    }
    if (digits == 0 || behind > 2) {
        return error_set(err, INVALID, S("value"), "请填写金额，最多两位小数，例如 1234.50");
    }
    return OK;
}

static Status check(Request *rq, Reply *reply, Errors *errs) {
    (void)errs;
    Str type = request_text(rq, S("type")), value = request_text(rq, S("value"));
    Error err = {.status = OK};
    Status st = OK;
    if (str_eq(type, S("citizen_id"))) st = citizen_id_check(value, &err);
    else if (str_eq(type, S("credit_code"))) st = credit_code_check(value, &err);
    else if (str_eq(type, S("phone"))) st = phone_check(value, &err);
    else if (str_eq(type, S("money"))) st = money_check(value, &err);
    else if (str_eq(type, S("any_id"))) {
        bool citizen = value.len == 18 && str_starts(value, S("9")) == false;
        st = citizen ? citizen_id_check(value, &err) : credit_code_check(value, &err);
    }
    const App *app = rq->app;
    bool english = str_eq(rq->lang, S("en"));
    Str message = S("");
    if (st != OK) {
        message = error_message(&err, english ? app->translate : NULL, app->english, rq->arena);
    }
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "message", v_str(message));
    reply->model = context_done(&b);
    return OK;
}

const Route public_routes[] = {
    {METHOD_GET, "/track", ROLE_PUBLIC, track_page, NULL, false},
    {METHOD_POST, "/track", ROLE_PUBLIC, track_post, NULL, false},
    {METHOD_GET, "/rate/:token", ROLE_PUBLIC, rate_page, NULL, false},
    {METHOD_POST, "/rate/:token", ROLE_PUBLIC, rate_post, NULL, false},
    {METHOD_GET, "/verify", ROLE_PUBLIC, verify_page, NULL, false},
    {METHOD_GET, "/verify/:code", ROLE_PUBLIC, verify_code, NULL, false},
    {METHOD_GET, "/letters/:code", ROLES_ALL_ACCOUNTS, letter_file, NULL, false},
    {METHOD_POST, "/check", ROLE_PUBLIC, check, NULL, false},
};
const size_t public_routes_count = sizeof public_routes / sizeof *public_routes;
