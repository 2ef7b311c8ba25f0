// Accounts, roles, units and posts. Two administrators see two pages: the system administrator
// makes accounts and assigns posts, the security administrator grants roles and locks; neither can
// do the other's (GB/T 22239-2019, 8.1.3). The commands refuse it as well; here the buttons are not
// offered.
#include "pages/workplace.h"

// ---- the list --------------------------------------------------------------------------------

static Value unit_named(const Request *rq, Value units, Str code) {
    for (uint32_t i = 0; i < units.len; i++) {
        Value u = v_at(units, i);
        if (str_eq(v_text(v_get_lit(u, "code")), code)) return v_get_lit(u, "name");
    }
    (void)rq;
    return v_str(code);
}

static Value role_names(const Request *rq, Value codes) {
    Buf out = buf_make(rq->arena, 64, 1024);
    for (uint32_t i = 0; i < codes.len; i++) {
        unsigned bit = role_by_code(v_text(v_at(codes, i)));
        if (i) buf_str(&out, str_eq(rq->lang, S("en")) ? S(", ") : S("、"));
        Str name = bit ? role_name((Role)bit) : S("");
        const App *app = rq->app;
        bool en = str_eq(rq->lang, S("en")) && app->translate;
        buf_str(&out, en ? app->translate(app->english, name) : name);
    }
    return v_str(buf_view(&out));
}

static bool matches(Value row, Str q) {
    return !q.len || str_find(v_text(v_get_lit(row, "login")), q) >= 0 ||
           str_find(v_text(v_get_lit(row, "name")), q) >= 0 ||
           str_find(v_text(v_get_lit(row, "unit")), q) >= 0 ||
           str_find(v_text(v_get_lit(row, "unit_label")), q) >= 0;
}

static Status accounts_model(Request *rq, Value *ret, Errors *errs) {
    Value rows, units;
    PAGE_TRY(errs, account_list(rq->db, rq->arena, &rows, &e));
    PAGE_TRY(errs, work_units(rq, S(""), request_text(rq, S("unit")), &units, &e));
    Str q = request_query(rq, S("q"));
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < rows.len; i++) {
        Value row = v_at(rows, i);
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "unit_label", unit_named(rq, units, v_text(v_get_lit(row, "unit"))));
        context_put_lit(&b, "roles_text", role_names(rq, v_get_lit(row, "roles")));
        context_put_lit(&b, "posts_count", v_int(v_get_lit(row, "posts").len));
        context_put_lit(&b, "locked", v_bool(v_to_int(v_get_lit(row, "locked"), 0) != 0));
        context_put_lit(&b, "must_change", v_bool(v_to_int(v_get_lit(row, "must_change"), 0) != 0));
        context_put_lit(&b, "account_name", v_get_lit(row, "name"));
        row = v_merge(row, context_done(&b), rq->arena);
        if (matches(row, q)) list_add(&list, row);
    }
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "rows", list_done(&list));
    context_put_lit(&b, "total", v_int(list.len));
    context_put_lit(&b, "units", units);
    context_put_lit(&b, "q", v_str(q));
    context_put_lit(&b, "may_create", v_bool(actor_has(&rq->actor, ROLE_SYSADMIN)));
    *ret = context_done(&b);
    return OK;
}

static Status accounts_page(Request *rq, Reply *reply, Errors *errs) {
    Value model;
    Status st = accounts_model(rq, &model, errs);
    if (st == OK) reply_page(rq, reply, "work/accounts", model);
    return st;
}

// The password that was made up is shown here, once, and nowhere else.
static Status create_post(Request *rq, Reply *reply, Errors *errs) {
    static const char *const names[] = {"login", "name", "unit"};
    ContextBuilder b = context_make(rq->arena), typed = context_make(rq->arena);
    for (size_t i = 0; i < 3; i++) {
        Value v = v_str(request_text(rq, str_z(names[i])));
        context_put_new(&b, str_z(names[i]), v);
        context_put_new(&typed, str_z(names[i]), v);
    }
    Errors wrong = errors_make(rq->arena);
    Value made = v_null(), model;
    (void)work_command(rq, S("account.create"), context_done(&b), &made, &wrong);
    if (wrong.count && rq->wants_json) return errors_push(errs, &wrong.items[0]);
    Status st = accounts_model(rq, &model, errs);
    if (st != OK) return st;
    if (wrong.count) {
        model = v_with(model, S("typed"), context_done(&typed), rq->arena);
        reply_refused(rq, reply, "work/accounts", model, &wrong);
        return OK;
    }
    reply_page(rq, reply, "work/accounts", v_with(model, S("made"), made, rq->arena));
    return OK;
}

// ---- one account -----------------------------------------------------------------------------

static Status find_account(Request *rq, Value *ret, Errors *errs) {
    Value rows;
    PAGE_TRY(errs, account_list(rq->db, rq->arena, &rows, &e));
    for (uint32_t i = 0; i < rows.len; i++) {
        if (!str_eq(v_text(v_get_lit(v_at(rows, i), "login")), rq->params[0])) continue;
        *ret = v_at(rows, i);
        return OK;
    }
    return errors_add(errs, NOT_FOUND, S("login"), "没有这个账号：{1}", rq->params[0]);
}

static bool holds(Value codes, Str code) {
    for (uint32_t i = 0; codes.kind == V_LIST && i < codes.len; i++) {
        if (str_eq(v_text(v_at(codes, i)), code)) return true;
    }
    return false;
}

static Value role_choices(const Request *rq, Value held) {
    ListBuilder list = list_make(rq->arena);
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        Role role = (Role)(1u << i);
        if (!(role & (ROLES_OFFICIAL | ROLES_ADMIN))) continue;
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "code", v_str(role_code(role)));
        context_put_lit(&b, "label", v_str(role_name(role)));
        context_put_lit(&b, "chosen", v_bool(holds(held, role_code(role))));
        context_put_lit(&b, "admin", v_bool((role & ROLES_ADMIN) != 0));
        list_add(&list, context_done(&b));
    }
    return list_done(&list);
}

// Posts grouped by unit, the account's own unit first.
static Status post_choices(Request *rq, Value account, Value units, Value *ret, Error *err) {
    Value posts, held = v_get_lit(account, "posts");
    Status st = post_list(rq->db, rq->arena, &posts, err);
    if (st != OK) return st;
    Str own = v_text(v_get_lit(account, "unit"));
    ListBuilder groups = list_make(rq->arena);
    for (int round = 0; round < 2; round++) {
        for (uint32_t u = 0; u < units.len; u++) {
            Value unit = v_at(units, u);
            bool is_own = str_eq(v_text(v_get_lit(unit, "code")), own);
            if (is_own != (round == 0)) continue;
            ListBuilder list = list_make(rq->arena);
            bool any = false;
            for (uint32_t i = 0; i < posts.len; i++) {
                Value p = v_at(posts, i);
                if (!v_equal(v_get_lit(p, "unit_id"), v_get_lit(unit, "id"))) continue;
                Str code = v_text(v_get_lit(p, "code"));
                ContextBuilder b = context_make(rq->arena);
                context_put_lit(&b, "code", v_str(code));
                context_put_lit(&b, "label", page_named(rq, p, S("name"), S("name_en")));
                context_put_lit(&b, "chosen", v_bool(holds(held, code)));
                any = any || holds(held, code);
                list_add(&list, context_done(&b));
            }
            if (!list.len) continue;
            ContextBuilder g = context_make(rq->arena);
            context_put_lit(&g, "unit_label", v_get_lit(unit, "name"));
            context_put_lit(&g, "posts", list_done(&list));
            context_put_lit(&g, "open", v_bool(is_own || any));
            list_add(&groups, context_done(&g));
        }
    }
    *ret = list_done(&groups);
    return OK;
}

static Status account_model(Request *rq, Value *ret, Errors *errs) {
    Value account, units, groups;
    Status st = find_account(rq, &account, errs);
    if (st != OK) return st;
    PAGE_TRY(errs, work_units(rq, S(""), S(""), &units, &e));
    PAGE_TRY(errs, post_choices(rq, account, units, &groups, &e));
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "login", v_get_lit(account, "login"));
    context_put_lit(&b, "account_name", v_get_lit(account, "name"));
    context_put_lit(&b, "unit_label", unit_named(rq, units, v_text(v_get_lit(account, "unit"))));
    context_put_lit(&b, "roles_text", role_names(rq, v_get_lit(account, "roles")));
    context_put_lit(&b, "locked", v_bool(v_to_int(v_get_lit(account, "locked"), 0) != 0));
    context_put_lit(&b, "role_choices", role_choices(rq, v_get_lit(account, "roles")));
    context_put_lit(&b, "post_groups", groups);
    context_put_lit(&b, "may_assign", v_bool(actor_has(&rq->actor, ROLE_SYSADMIN)));
    context_put_lit(&b, "may_grant", v_bool(actor_has(&rq->actor, ROLE_SECADMIN)));
    context_put_lit(&b, "own",
                    v_bool(v_to_int(v_get_lit(account, "id"), 0) == rq->actor.account_id));
    *ret = context_done(&b);
    return OK;
}

static Status account_page(Request *rq, Reply *reply, Errors *errs) {
    Value model;
    Status st = account_model(rq, &model, errs);
    if (st == OK) reply_page(rq, reply, "work/account", model);
    return st;
}

// Ticked boxes of one name as a list: none, one (a string) or many.
static Value ticked(const Request *rq, Str name) {
    Value v = v_get(rq->input, name);
    ListBuilder list = list_make(rq->arena);
    if (v.kind == V_STRING && v_text(v).len) list_add(&list, v);
    for (uint32_t i = 0; v.kind == V_LIST && i < v.len; i++) list_add(&list, v_at(v, i));
    return list_done(&list);
}

// /admin/accounts/:login/ACT runs one command; refused, the page comes back with the reason.
static Status account_act(Request *rq, Reply *reply, Errors *errs) {
    static const struct {
        Str act, command, list;
    } acts[] = {
        {S_INIT("/grant"), S_INIT("account.grant"), S_INIT("roles")},
        {S_INIT("/lock"), S_INIT("account.lock"), S_INIT("")},
        {S_INIT("/unlock"), S_INIT("account.unlock"), S_INIT("")},
        {S_INIT("/posts"), S_INIT("post.assign"), S_INIT("posts")},
        {S_INIT("/password"), S_INIT("account.password"), S_INIT("")},
    };
    Errors wrong = errors_make(rq->arena);
    Value result = v_null(), model;
    bool reset = str_ends(rq->path, S("/password"));
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (!str_ends(rq->path, acts[i].act)) continue;
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "login", v_str(rq->params[0]));
        if (acts[i].list.len) context_put_new(&b, acts[i].list, ticked(rq, acts[i].list));
        (void)work_command(rq, acts[i].command, context_done(&b), &result, &wrong);
    }
    if (wrong.count && rq->wants_json) return errors_push(errs, &wrong.items[0]);
    if (!wrong.count && !reset && !rq->wants_json) {
        reply_redirect(
            reply, arena_printf(rq->arena, "/admin/accounts/%.*s?done=1", S_FMT(rq->params[0])));
        return OK;
    }
    Status st = account_model(rq, &model, errs);
    if (st != OK) return st;
    model = v_with(model, S("result"), result, rq->arena);
    if (wrong.count) reply_refused(rq, reply, "work/account", model, &wrong);
    else reply_page(rq, reply, "work/account", model);
    return OK;
}

// ---- units and posts -------------------------------------------------------------------------

static Str kind_label(const Request *rq, Str kind) {
    static const char *const labels[][2] = {{"department", T("部门")},
                                            {"town", T("镇乡（街道）")},
                                            {"center", T("中心")},
                                            {"agency", T("机构")}};
    for (size_t i = 0; i < 4; i++) {
        if (str_eq(kind, str_z(labels[i][0]))) return request_tr(rq, labels[i][1]);
    }
    return kind;
}

static Status units_model(Request *rq, Value *ret, Errors *errs) {
    Value units, posts;
    PAGE_TRY(errs, unit_list(rq->db, rq->arena, &units, &e));
    PAGE_TRY(errs, post_list(rq->db, rq->arena, &posts, &e));
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < units.len; i++) {
        Value u = v_at(units, i);
        ListBuilder own = list_make(rq->arena);
        for (uint32_t k = 0; k < posts.len; k++) {
            Value p = v_at(posts, k);
            if (!v_equal(v_get_lit(p, "unit_id"), v_get_lit(u, "id"))) continue;
            ContextBuilder b = context_make(rq->arena);
            context_put_lit(&b, "code", v_get_lit(p, "code"));
            context_put_lit(&b, "label", page_named(rq, p, S("name"), S("name_en")));
            list_add(&own, context_done(&b));
        }
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "code", v_get_lit(u, "code"));
        context_put_lit(&b, "unit_label", page_named(rq, u, S("name"), S("name_en")));
        context_put_lit(&b, "kind_label", v_str(kind_label(rq, v_text(v_get_lit(u, "kind")))));
        context_put_lit(&b, "posts", list_done(&own));
        list_add(&list, context_done(&b));
    }
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "rows", list_done(&list));
    context_put_lit(&b, "total", v_int(list.len));
    context_put_lit(&b, "posts_total", v_int(posts.len));
    *ret = context_done(&b);
    return OK;
}

static Status units_page(Request *rq, Reply *reply, Errors *errs) {
    Value model;
    Status st = units_model(rq, &model, errs);
    if (st == OK) reply_page(rq, reply, "work/units", model);
    return st;
}

static Status units_post(Request *rq, Reply *reply, Errors *errs) {
    static const char *const names[] = {"code", "name", "name_en", "kind", "unit", "uscc"};
    ContextBuilder b = context_make(rq->arena);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Str text = request_text(rq, str_z(names[i]));
        if (text.len) context_put_new(&b, str_z(names[i]), v_str(text));
    }
    bool post = str_ends(rq->path, S("/posts"));
    Errors wrong = errors_make(rq->arena);
    Value result = v_null(), model, typed = context_done(&b);
    (void)work_command(rq, post ? S("post.save") : S("unit.save"), typed, &result, &wrong);
    if (wrong.count && rq->wants_json) return errors_push(errs, &wrong.items[0]);
    if (!wrong.count) {
        if (rq->wants_json) reply->model = result;
        else reply_redirect(reply, S("/admin/units?done=1"));
        return OK;
    }
    Status st = units_model(rq, &model, errs);
    if (st != OK) return st;
    // The two forms have fields of the same names: errors lead to those of the one that was sent.
    for (size_t i = 0; post && i < wrong.count; i++) {
        Error *e = &wrong.items[i];
        e->where = arena_printf(rq->arena, "post-%.*s", S_FMT(e->where));
    }
    model = v_with(model, post ? S("typed_post") : S("typed"), typed, rq->arena);
    reply_refused(rq, reply, "work/units", model, &wrong);
    return OK;
}

const Route admin_routes[] = {
    {METHOD_GET, "/admin/accounts", ROLE_SYSADMIN | ROLE_SECADMIN, accounts_page, NULL, false},
    {METHOD_POST, "/admin/accounts", ROLE_SYSADMIN, create_post, NULL, false},
    {METHOD_GET, "/admin/accounts/:login", ROLE_SYSADMIN | ROLE_SECADMIN, account_page, NULL,
     false},
    {METHOD_POST, "/admin/accounts/:login/posts", ROLE_SYSADMIN, account_act, NULL, false},
    {METHOD_POST, "/admin/accounts/:login/password", ROLE_SYSADMIN, account_act, NULL, false},
    {METHOD_POST, "/admin/accounts/:login/grant", ROLE_SECADMIN, account_act, NULL, false},
    {METHOD_POST, "/admin/accounts/:login/lock", ROLE_SECADMIN, account_act, NULL, false},
    {METHOD_POST, "/admin/accounts/:login/unlock", ROLE_SECADMIN, account_act, NULL, false},
    {METHOD_GET, "/admin/units", ROLE_SYSADMIN, units_page, NULL, false},
    {METHOD_POST, "/admin/units", ROLE_SYSADMIN, units_post, NULL, false},
    {METHOD_POST, "/admin/units/posts", ROLE_SYSADMIN, units_post, NULL, false},
};
const size_t admin_routes_count = sizeof admin_routes / sizeof *admin_routes;
