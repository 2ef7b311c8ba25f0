// Logging in and out, registering, one's own account and messages.
//
// Invariant: after logging in one goes on where one was, and only to a path of this site.
#include "pages/page_tools.h"

enum { MESSAGES_SHOWN = 50, REGISTER_PER_MINUTE_MAX = 10 }; // of one address

// "/my?x=1" yes; "//evil", "https://evil", "/\evil" no.
static Str local_path(Str next) {
    bool ok = next.len > 0 && next.ptr[0] == '/';
    if (next.len > 1 && (next.ptr[1] == '/' || next.ptr[1] == '\\')) ok = false;
    for (size_t i = 0; i < next.len; i++) {
        unsigned char c = (unsigned char)next.ptr[i];
        if (c < 0x20 || c == '\\' || c == 0x7f) ok = false;
    }
    return ok ? next : S("");
}

static Str home_of(const Actor *actor) {
    if (actor->must_change) return S("/account");
    if (actor_has(actor, ROLES_APPLICANT)) return S("/my");
    return S("/desk");
}

// ---- in and out ------------------------------------------------------------------------------

static Value login_model(const Request *rq, Str login, Str next) {
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "login", v_str(login));
    context_put_lit(&b, "next", v_str(next));
    return context_done(&b);
}

static Status login_page(Request *rq, Reply *reply, Errors *errs) {
    (void)errs;
    Str next = local_path(request_query(rq, S("next")));
    if (actor_has(&rq->actor, ROLES_ALL_ACCOUNTS)) {
        reply_redirect(reply, next.len ? next : home_of(&rq->actor));
        return OK;
    }
    reply_page(rq, reply, "login", login_model(rq, S(""), next));
    return OK;
}

static Status open_session(Request *rq, Reply *reply, Str login, Str password, Str next,
                           Error *err) {
    Str token, csrf;
    Actor actor;
    Status st = session_login(rq->app->store, login, password, rq->address, rq->now, rq->arena,
                              &token, err);
    if (st == OK) st = session_actor(rq->db, token, rq->now, rq->arena, &actor, &csrf, err);
    if (st != OK) return st;
    reply->cookie[0] = app_session_cookie(rq->app, token, rq->arena);
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "name", v_str(actor.name));
    context_put_lit(&b, "must_change", v_bool(actor.must_change));
    if (rq->wants_json) context_put_lit(&b, "session", v_str(token)); // for Authorization: Bearer
    reply->model = context_done(&b);
    if (!rq->wants_json) {
        Str to = actor.must_change ? S("/account") : next.len ? next : home_of(&actor);
        reply_redirect(reply, to);
    }
    return OK;
}

static Status login_post(Request *rq, Reply *reply, Errors *errs) {
    Str login = request_text(rq, S("login")), next = local_path(request_text(rq, S("next")));
    Str password = v_text(v_get_lit(rq->input, "password"));
    Errors wrong = errors_make(rq->arena);
    if (!login.len) errors_add(&wrong, INVALID, S("login"), "请填写登录名");
    if (!password.len) errors_add(&wrong, INVALID, S("password"), "请填写密码");
    Error err = {.status = OK};
    if (!wrong.count) {
        Status st = open_session(rq, reply, login, password, next, &err);
        if (st == OK) return OK;
        err.status = st;
        if (!err.where.len) err.where = S("login");
        (void)errors_push(&wrong, &err);
    }
    if (rq->wants_json) return errors_push(errs, &wrong.items[0]);
    reply_refused(rq, reply, "login", login_model(rq, login, next), &wrong);
    return OK;
}

static Status logout(Request *rq, Reply *reply, Errors *errs) {
    PAGE_TRY(errs, session_logout(rq->app->store, rq->session_token, rq->now, rq->arena, &e));
    reply->cookie[0] = app_session_cookie(rq->app, S(""), rq->arena);
    reply_redirect(reply, S("/"));
    return OK;
}

// ---- registering -----------------------------------------------------------------------------

static const char *const register_names[] = {"kind",    "name",  "id_number", "phone",
                                             "address", "login", "next"};

static Value register_model(const Request *rq) {
    ContextBuilder b = context_make(rq->arena);
    for (size_t i = 0; i < sizeof register_names / sizeof *register_names; i++) {
        Str name = str_z(register_names[i]);
        Str text = rq->method == METHOD_POST ? request_text(rq, name) : request_query(rq, name);
        if (str_eq(name, S("next"))) text = local_path(text);
        context_put_new(&b, name, v_str(text));
    }
    return context_done(&b);
}

static Status register_page(Request *rq, Reply *reply, Errors *errs) {
    (void)errs;
    Value model = register_model(rq);
    if (!v_text(v_get_lit(model, "kind")).len) {
        model = v_with(model, S("kind"), v_lit("natural"), rq->arena);
    }
    reply_page(rq, reply, "register", model);
    return OK;
}

static Status register_post(Request *rq, Reply *reply, Errors *errs) {
    Errors wrong = errors_make(rq->arena);
    Str password = v_text(v_get_lit(rq->input, "password"));
    Value result;
    if (!rq->is_json && !str_eq(password, v_text(v_get_lit(rq->input, "password_again")))) {
        errors_add(&wrong, INVALID, S("password_again"), "两次填写的密码不一致");
    }
    Str key = arena_printf(rq->arena, "register:%.*s", S_FMT(rq->address));
    if (!throttle_allow(key, rq->now, REGISTER_PER_MINUTE_MAX)) {
        errors_add(&wrong, LIMIT, S("login"), "尝试太频繁，请一分钟后再试");
    }
    Status st = wrong.count ? errors_status(&wrong)
                            : request_command(rq, S("party.register"), rq->input, &result, &wrong);
    if (st == OK) {
        Error err = {.status = OK};
        Str next = local_path(request_text(rq, S("next")));
        st = open_session(rq, reply, request_text(rq, S("login")), password, next, &err);
        return st == OK ? OK : errors_push(errs, &err);
    }
    if (rq->wants_json) {
        for (size_t i = 0; i < wrong.count; i++) (void)errors_push(errs, &wrong.items[i]);
        return st;
    }
    reply_refused(rq, reply, "register", register_model(rq), &wrong);
    return OK;
}

// ---- one's own account -----------------------------------------------------------------------

static Status account_model(Request *rq, Value *ret, Error *err) {
    Query *q = query(rq->db, "SELECT login, name, must_change FROM account WHERE id = ?1");
    query_int(q, 1, rq->actor.account_id);
    Value account;
    Status st = query_row(q, rq->arena, &account, err);
    if (st != OK) return st;
    q = query(rq->db, "SELECT created_at, seen_at FROM session WHERE account_id = ?1"
                      " AND expires_at > ?2 ORDER BY seen_at DESC");
    query_int(q, 1, rq->actor.account_id);
    query_int(q, 2, rq->now);
    ListBuilder sessions = list_make(rq->arena);
    while (query_next(q)) {
        ContextBuilder s = context_make(rq->arena);
        context_put_lit(&s, "created_at", v_instant(query_col_int(q, 0), rq->arena));
        context_put_lit(&s, "seen_at", v_instant(query_col_int(q, 1), rq->arena));
        list_add(&sessions, context_done(&s));
    }
    st = query_done(q, err);
    if (st != OK) return st;
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "login", v_get_lit(account, "login"));
    context_put_lit(&b, "name", v_get_lit(account, "name"));
    context_put_lit(&b, "must_change", v_bool(v_to_int(v_get_lit(account, "must_change"), 0) != 0));
    context_put_lit(&b, "sessions", list_done(&sessions));
    Value party;
    if (rq->actor.party_id) {
        st = party_view(rq->db, rq->actor.party_id, false, rq->arena, &party, err);
        if (st != OK) return st;
        context_put_lit(&b, "party", party);
    }
    *ret = context_done(&b);
    return OK;
}

static Status account_page(Request *rq, Reply *reply, Errors *errs) {
    Value model;
    PAGE_TRY(errs, account_model(rq, &model, &e));
    reply_page(rq, reply, "account", model);
    return OK;
}

static Status account_post(Request *rq, Reply *reply, Errors *errs) {
    Value model, result;
    PAGE_TRY(errs, account_model(rq, &model, &e));
    Errors wrong = errors_make(rq->arena);
    if (!v_text(v_get_lit(rq->input, "password_old")).len) {
        errors_add(&wrong, INVALID, S("password_old"), "请填写现在的密码");
    }
    if (!rq->is_json && !str_eq(v_text(v_get_lit(rq->input, "password")),
                                v_text(v_get_lit(rq->input, "password_again")))) {
        errors_add(&wrong, INVALID, S("password_again"), "两次填写的密码不一致");
    }
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "password", v_get_lit(rq->input, "password"));
    context_put_lit(&b, "password_old", v_get_lit(rq->input, "password_old"));
    Status st = wrong.count ? INVALID
                            : request_command(rq, S("account.password"), context_done(&b), &result,
                                              &wrong);
    if (st != OK) {
        reply_refused(rq, reply, "account", model, &wrong);
        return OK;
    }
    // All sessions have ended, this one too.
    reply->cookie[0] = app_session_cookie(rq->app, S(""), rq->arena);
    reply_redirect(reply, S("/login?changed=1"));
    return OK;
}

// ---- messages --------------------------------------------------------------------------------

// Opening the page is reading what it shows. HEAD shows nobody anything.
static Status mark_read(Request *rq, int64_t up_to, Errors *errs) {
    Value ignored;
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "up_to", v_int(up_to));
    return request_command(rq, S("message.read"), context_done(&b), &ignored, errs);
}

static Status messages(Request *rq, Reply *reply, Errors *errs) {
    Query *q = query(rq->db, "SELECT m.id, m.text_json, m.created_at, m.read_at, c.number"
                             " FROM message m LEFT JOIN cases c ON c.id = m.case_id"
                             " WHERE m.account_id = ?1 ORDER BY m.id DESC LIMIT ?2");
    query_int(q, 1, rq->actor.account_id);
    query_int(q, 2, MESSAGES_SHOWN);
    Value rows;
    int64_t unread = 0;
    PAGE_TRY(errs, query_rows(q, rq->arena, &rows, &e));
    ListBuilder list = list_make(rq->arena);
    int64_t newest = v_to_int(v_get_lit(v_at(rows, 0), "id"), 0);
    PAGE_TRY(errs, messages_unread(rq->db, rq->actor.account_id, &unread, &e));
    for (size_t i = 0; i < rows.len; i++) {
        Value row = v_at(rows, i), text = v_get_lit(row, "text");
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "text", v_get_lit(text, "text"));
        context_put_lit(&b, "args", v_get_lit(text, "args"));
        context_put_lit(&b, "number", v_get_lit(row, "number"));
        context_put_lit(&b, "unread", v_bool(v_is_null(v_get_lit(row, "read_at"))));
        context_put_lit(&b, "at", v_instant(v_to_int(v_get_lit(row, "created_at"), 0), rq->arena));
        list_add(&list, context_done(&b));
    }
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "messages", list_done(&list));
    bool seen = rq->method == METHOD_GET && unread > 0;
    Status st = seen ? mark_read(rq, newest, errs) : OK;
    if (st != OK) return st;
    reply_page(rq, reply, "messages", context_done(&b));
    return OK;
}

const Route account_routes[] = {
    {METHOD_GET, "/login", ROLE_PUBLIC, login_page, NULL, false},
    {METHOD_POST, "/login", ROLE_PUBLIC, login_post, NULL, false},
    {METHOD_POST, "/logout", ROLES_ALL_ACCOUNTS, logout, NULL, false},
    {METHOD_GET, "/register", ROLE_PUBLIC, register_page, NULL, false},
    {METHOD_POST, "/register", ROLE_PUBLIC, register_post, NULL, false},
    {METHOD_GET, "/account", ROLES_ALL_ACCOUNTS, account_page, NULL, false},
    {METHOD_POST, "/account", ROLES_ALL_ACCOUNTS, account_post, NULL, false},
    {METHOD_GET, "/messages", ROLES_ALL_ACCOUNTS, messages, NULL, false},
};
const size_t account_routes_count = sizeof account_routes / sizeof *account_routes;
