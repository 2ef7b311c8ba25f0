// The desk: tasks of one's posts, most urgent first (S6). Claiming, giving back and handing over
// are one press; deciding happens on the case page, where what is decided can be read.
//
// /desk is also where everybody starts who works here: whose work is elsewhere is sent there.
#include "pages/workplace.h"

enum { DESK_PAGE = 50 };

static Str home_of(const Actor *actor) {
    if (actor_has(actor, ROLE_APPROVER | ROLE_SUPERVISOR)) return S("");
    if (actor_has(actor, ROLE_CLERK)) return S("/window");
    if (actor_has(actor, ROLE_LEADER)) return S("/cockpit");
    if (actor_has(actor, ROLE_SYSADMIN)) return S("/admin/items");
    if (actor_has(actor, ROLE_SECADMIN)) return S("/admin/accounts");
    return S("/audit");
}

// The posts the account holds: a filter, and the colleagues a task can be handed to.
static Status posts_of(Request *rq, Value *ret, Error *err) {
    Query *q =
        query(rq->db, "SELECT p.code, p.name, p.name_en, u.name AS unit, u.name_en AS unit_en"
                      " FROM account_post ap JOIN post p ON p.id = ap.post_id"
                      " JOIN unit u ON u.id = p.unit_id WHERE ap.account_id = ?1"
                      " ORDER BY u.sort, p.code");
    query_int(q, 1, rq->actor.account_id);
    Value rows;
    Status st = query_rows(q, rq->arena, &rows, err);
    if (st != OK) return st;
    Str chosen = request_query(rq, S("post"));
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < rows.len; i++) {
        Value row = v_at(rows, i);
        ContextBuilder b = context_make(rq->arena);
        Str unit = v_text(page_named(rq, row, S("unit"), S("unit_en")));
        Str name = v_text(page_named(rq, row, S("name"), S("name_en")));
        context_put_lit(&b, "code", v_get_lit(row, "code"));
        context_put_lit(&b, "name",
                        v_str(arena_printf(rq->arena, "%.*s · %.*s", S_FMT(unit), S_FMT(name))));
        context_put_lit(&b, "chosen", v_bool(str_eq(v_text(v_get_lit(row, "code")), chosen)));
        list_add(&list, context_done(&b));
    }
    *ret = list_done(&list);
    return OK;
}

static Value named_task(const Request *rq, Value row) {
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "item_name", page_named(rq, row, S("item"), S("item_en")));
    context_put_lit(&b, "post_name", page_named(rq, row, S("post"), S("post_en")));
    return v_merge(row, context_done(&b), rq->arena);
}

// One count of the head, as a link that filters by it.
static void count_link(Request *rq, ListBuilder *list, const char *label, Str name, Str value,
                       int64_t count) {
    Value q = work_with(rq, work_with(rq, rq->query, S("after"), S("")), name, value);
    if (!value.len) q = work_with(rq, work_with(rq, q, S("light"), S("")), S("whose"), S(""));
    Str now = request_query(rq, name);
    bool active = value.len
                      ? str_eq(now, value)
                      : !request_query(rq, S("light")).len && !request_query(rq, S("whose")).len;
    if (active && value.len) q = work_with(rq, q, name, S(""));
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "label", v_str(request_tr(rq, label)));
    context_put_lit(&b, "count", v_int(count));
    context_put_lit(&b, "kind", v_str(value));
    context_put_lit(&b, "active", v_bool(active));
    context_put_lit(&b, "href", v_str(page_href(rq->arena, S("/desk"), q)));
    list_add(list, context_done(&b));
}

static const Str filter_names[] = {S_INIT("q"), S_INIT("light"), S_INIT("whose"), S_INIT("post"),
                                   S_INIT("after")};

static Value filter_of(const Request *rq) {
    ContextBuilder b = context_make(rq->arena);
    for (size_t i = 0; i < sizeof filter_names / sizeof *filter_names; i++)
        context_put_new(&b, filter_names[i], v_str(request_query(rq, filter_names[i])));
    context_put_lit(&b, "page_size", v_int(DESK_PAGE));
    return context_done(&b);
}

static void put_count_links(Request *rq, Value of, ContextBuilder *b) {
    ListBuilder counts = list_make(rq->arena);
    count_link(rq, &counts, T("全部待办"), S("light"), S(""), v_to_int(v_get_lit(of, "all"), 0));
    count_link(rq, &counts, T("已超期"), S("light"), S("red"), v_to_int(v_get_lit(of, "late"), 0));
    count_link(rq, &counts, T("快到期"), S("light"), S("yellow"),
               v_to_int(v_get_lit(of, "soon"), 0));
    count_link(rq, &counts, T("我已签收"), S("whose"), S("mine"),
               v_to_int(v_get_lit(of, "mine"), 0));
    count_link(rq, &counts, T("无人签收"), S("whose"), S("free"),
               v_to_int(v_get_lit(of, "free"), 0));
    context_put_lit(b, "counts", list_done(&counts));
}

static void put_pages(Request *rq, Value next, ContextBuilder *b) {
    Value first = work_with(rq, rq->query, S("after"), S(""));
    if (!v_is_null(next)) {
        Value to = work_with(rq, first, S("after"), v_text(next));
        context_put_lit(b, "next_href", v_str(page_href(rq->arena, S("/desk"), to)));
    }
    if (request_query(rq, S("after")).len)
        context_put_lit(b, "prev_href", v_str(page_href(rq->arena, S("/desk"), first)));
}

static Status desk_model(Request *rq, Value *ret, Errors *errs) {
    Value found, posts;
    PAGE_TRY(errs, task_list(page_cases(), rq->db, &rq->actor, filter_of(rq), rq->now, rq->arena,
                             &found, &e));
    PAGE_TRY(errs, posts_of(rq, &posts, &e));
    int64_t retrying = 0, standing = 0;
    PAGE_TRY(errs, incident_counts(rq->db, rq->actor.unit_id, &retrying, &standing, &e));
    Value rows = v_get_lit(found, "rows"), counts = v_get_lit(found, "counts"),
          next = v_get_lit(found, "next");
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < rows.len; i++) list_add(&list, named_task(rq, v_at(rows, i)));
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "rows", list_done(&list));
    context_put_lit(&b, "shown", v_int(list.len));
    context_put_lit(&b, "total", v_get_lit(counts, "all"));
    context_put_lit(&b, "full",
                    v_bool(!v_is_null(next) || request_query(rq, S("after")).len > 0));
    put_count_links(rq, counts, &b);
    put_pages(rq, next, &b);
    context_put_lit(&b, "incidents", v_int(retrying + standing));
    context_put_lit(&b, "posts", posts);
    context_put_lit(&b, "q", v_str(request_query(rq, S("q"))));
    context_put_lit(&b, "light", v_str(request_query(rq, S("light"))));
    context_put_lit(&b, "whose", v_str(request_query(rq, S("whose"))));
    *ret = context_done(&b);
    return OK;
}

static Status desk(Request *rq, Reply *reply, Errors *errs) {
    Value model;
    Str home = home_of(&rq->actor);
    if (home.len) {
        reply_redirect(reply, home);
        return OK;
    }
    Status st = desk_model(rq, &model, errs);
    if (st == OK) reply_page(rq, reply, "work/desk", model);
    return st;
}

// Claims or gives back the tasks that were ticked, or the one whose button was pressed.
static Status desk_post(Request *rq, Reply *reply, Errors *errs) {
    Str act = request_text(rq, S("act")), one = request_text(rq, S("one"));
    Value ids = v_get_lit(rq->input, "task");
    if (str_starts(one, S("claim:")) || str_starts(one, S("release:"))) {
        Str rest = one;
        act = str_cut(&rest, ':');
        ids = v_str(rest);
    }
    bool release = str_eq(act, S("release"));
    if (!release && !str_eq(act, S("claim"))) {
        return errors_add(errs, INVALID, S("act"), "没有这项操作");
    }
    ListBuilder list = list_make(rq->arena);
    if (ids.kind == V_STRING && v_text(ids).len) list_add(&list, ids);
    for (uint32_t i = 0; ids.kind == V_LIST && i < ids.len; i++) list_add(&list, v_at(ids, i));
    Errors wrong = errors_make(rq->arena);
    if (!list.len) errors_add(&wrong, INVALID, S("task"), "请先勾选要办理的待办");
    int64_t done = 0;
    for (uint32_t i = 0; i < list.len; i++) {
        int64_t id = v_to_int(list.items[i], 0);
        if (!id && !str_to_int(v_text(list.items[i]), &id)) id = 0;
        Value result;
        Value input = v_with(v_null(), S("id"), v_int(id), rq->arena);
        done += request_command(rq, release ? S("task.release") : S("task.claim"), input, &result,
                                &wrong) == OK;
    }
    if (!wrong.count && !rq->wants_json) {
        reply_redirect(reply, page_href(rq->arena, S("/desk"), rq->query));
        return OK;
    }
    Value model;
    Status st = desk_model(rq, &model, errs);
    if (st != OK) return st;
    model = v_with(model, S("done"), v_int(done), rq->arena);
    if (wrong.count) reply_refused(rq, reply, "work/desk", model, &wrong);
    else reply_page(rq, reply, "work/desk", model);
    return OK;
}

const Route desk_routes[] = {
    {METHOD_GET, "/desk", ROLES_OFFICIAL | ROLES_ADMIN, desk, NULL, false},
    {METHOD_POST, "/desk", ROLE_APPROVER | ROLE_SUPERVISOR, desk_post, NULL, false},
};
const size_t desk_routes_count = sizeof desk_routes / sizeof *desk_routes;
