// Running cases of an item move to another version (E3): choose versions, say which step becomes
// which, see what would happen, then do it in batches, each case by its own command.
#include "pages/workplace.h"

enum { BATCH_MAX = 200, FAILED_SHOWN = 50 };

static Value member(const Request *rq, Str name) {
    Value v = v_get(rq->input, name);
    return v_is_null(v) ? v_get(rq->query, name) : v;
}

// "map.NODE" of the form, or the context `mapping` of JSON.
static Value mapping_typed(const Request *rq) {
    Value given = v_get_lit(rq->input, "mapping");
    if (given.kind == V_CONTEXT) return given;
    ContextBuilder b = context_make(rq->arena);
    for (uint32_t i = 0; rq->input.kind == V_CONTEXT && i < rq->input.len; i++) {
        const Entry *e = &rq->input.as.entries[i];
        if (!str_starts(e->key, S("map."))) continue;
        if (v_text(e->value).len) context_put(&b, str_sub(e->key, 4, e->key.len), e->value);
    }
    return context_done(&b);
}

static Value request_of(const Request *rq, Value mapping) {
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "item", v_str(rq->params[0]));
    context_put_lit(&b, "from", member(rq, S("from")));
    context_put_lit(&b, "to", member(rq, S("to")));
    context_put_lit(&b, "mapping", mapping);
    context_put_lit(&b, "timers_again", v_get_lit(rq->input, "timers_again"));
    context_put_lit(&b, "reason", v_str(request_text(rq, S("reason"))));
    return context_done(&b);
}

// The versions, newest first, with how many cases run on each.
static Status versions(Request *rq, Value request, ContextBuilder *b, Error *err) {
    Query *q = query(rq->db, "SELECT v.version, v.published_at, i.name, i.name_en,"
                             " (SELECT COUNT(*) FROM cases c WHERE c.item_id = i.id"
                             " AND c.item_version_id = v.id AND c.state = 3) FROM item i"
                             " JOIN item_version v ON v.item_id = i.id WHERE i.code = ?1"
                             " ORDER BY v.version DESC LIMIT 100");
    query_str(q, 1, rq->params[0]);
    Str from = v_to_str(v_get_lit(request, "from"), rq->arena);
    Str to = v_to_str(v_get_lit(request, "to"), rq->arena);
    ListBuilder list = list_make(rq->arena);
    while (query_next(q)) {
        ContextBuilder row = context_make(rq->arena);
        Str version = v_to_str(v_int(query_col_int(q, 0)), rq->arena);
        context_put_lit(&row, "version", v_int(query_col_int(q, 0)));
        context_put_lit(&row, "published", v_instant(query_col_int(q, 1), rq->arena));
        context_put_lit(&row, "running", v_int(query_col_int(q, 4)));
        context_put_lit(&row, "is_from", v_bool(str_eq(version, from)));
        context_put_lit(&row, "is_to", v_bool(str_eq(version, to)));
        if (!list.len) {
            bool en = str_eq(rq->lang, S("en")) && !str_empty(query_col_str(q, 3));
            context_put_lit(b, "item_name", v_str(query_col_keep(q, en ? 3 : 2, rq->arena)));
            context_put_lit(b, "newest", v_int(query_col_int(q, 0)));
        }
        list_add(&list, context_done(&row));
    }
    Status st = query_done(q, err);
    if (st == OK && !list.len) return error_set(err, NOT_FOUND, S("code"), "没有这个事项");
    context_put_lit(b, "versions", list_done(&list));
    return st;
}

// Each row with what was chosen for it: what was typed, else what is proposed.
static Value rows_chosen(const Request *rq, Value rows, Value mapping, bool typed) {
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < rows.len; i++) {
        Value row = v_at(rows, i), choices = v_get_lit(row, "choices");
        Str from = v_text(v_get_lit(row, "from")), chosen = v_text(v_get(mapping, from));
        if (!chosen.len && !typed) chosen = v_text(v_get_lit(row, "to"));
        if (!chosen.len && v_true(v_get_lit(row, "same"))) chosen = from;
        ListBuilder options = list_make(rq->arena);
        for (uint32_t k = 0; k < choices.len; k++) {
            Value c = v_at(choices, k);
            bool is = str_eq(v_text(v_get_lit(c, "id")), chosen);
            list_add(&options, v_with(c, S("chosen"), v_bool(is), rq->arena));
        }
        row = v_with(row, S("choices"), list_done(&options), rq->arena);
        list_add(&list, v_with(row, S("open"), v_bool(!chosen.len), rq->arena));
    }
    return list_done(&list);
}

// What is proposed, where it is not the step of the same id.
static Value mapping_proposed(const Request *rq, Value rows) {
    ContextBuilder b = context_make(rq->arena);
    for (uint32_t i = 0; i < rows.len; i++) {
        Value row = v_at(rows, i);
        Str to = v_text(v_get_lit(row, "to"));
        if (to.len && !v_true(v_get_lit(row, "same"))) {
            context_put(&b, v_text(v_get_lit(row, "from")), v_str(to));
        }
    }
    return context_done(&b);
}

static Status plan(Request *rq, Value request, bool typed, ContextBuilder *b, Errors *wrong) {
    Value found, mapping = v_get_lit(request, "mapping");
    Status st = migrate_plan(page_cases(), rq->db, request, rq->now, rq->arena, &found, wrong);
    if (st != OK) return st;
    Value rows = v_get_lit(found, "mapping");
    if (!typed) { // what would happen with what is proposed
        mapping = mapping_proposed(rq, rows);
        request = v_with(request, S("mapping"), mapping, rq->arena);
        st = migrate_plan(page_cases(), rq->db, request, rq->now, rq->arena, &found, wrong);
        if (st != OK) return st;
    }
    context_put_lit(b, "rows", rows_chosen(rq, rows, mapping, typed));
    context_put_lit(b, "plan", found);
    return OK;
}

static Status model_of(Request *rq, bool typed, ContextBuilder *b, Errors *wrong, Errors *errs) {
    Value mapping = mapping_typed(rq), request = request_of(rq, mapping);
    PAGE_TRY(errs, versions(rq, request, b, &e));
    context_put_lit(b, "code", v_str(rq->params[0]));
    context_put_lit(b, "from", member(rq, S("from")));
    context_put_lit(b, "to", member(rq, S("to")));
    context_put_lit(b, "reason", v_str(request_text(rq, S("reason"))));
    bool again = v_text(v_get_lit(rq->input, "timers_again")).len > 0;
    context_put_lit(b, "timers_again", v_bool(again));
    bool chosen = !v_is_null(member(rq, S("from"))) && !v_is_null(member(rq, S("to")));
    if (chosen) (void)plan(rq, request, typed, b, wrong);
    return OK;
}

static Status migrate_page(Request *rq, Reply *reply, Errors *errs) {
    Errors wrong = errors_make(rq->arena);
    ContextBuilder b = context_make(rq->arena);
    Status st = model_of(rq, false, &b, &wrong, errs);
    if (st != OK) return st;
    if (wrong.count) reply_refused(rq, reply, "work/migrate", context_done(&b), &wrong);
    else reply_page(rq, reply, "work/migrate", context_done(&b));
    return OK;
}

// One batch; `after` of the answer goes on. A case that is refused stops none of the others.
static Status run_batch(Request *rq, Value request, ContextBuilder *b, Errors *wrong) {
    int64_t ids[BATCH_MAX], after = 0, moved = 0;
    size_t n = 0;
    Str typed = request_text(rq, S("after"));
    if (typed.len && !str_to_int(typed, &after)) after = 0;
    if (!request_text(rq, S("reason")).len) {
        return errors_add(wrong, INVALID, S("reason"), "请填写{1}", S("迁移说明"));
    }
    Status st = migrate_cases(page_cases(), rq->db, request, after, ids, BATCH_MAX, &n, rq->arena,
                              wrong);
    ListBuilder failed = list_make(rq->arena);
    for (size_t i = 0; st == OK && i < n; i++) {
        Value result, input = v_with(request, S("id"), v_int(ids[i]), rq->arena);
        Errors each = errors_make(rq->arena);
        Status one = request_command(rq, S("item.migrate"), input, &result, &each);
        moved += one == OK;
        if (one == OK || failed.len >= FAILED_SHOWN) continue;
        ContextBuilder row = context_make(rq->arena);
        context_put_lit(&row, "id", v_int(ids[i]));
        context_put_lit(&row, "errors", page_errors(rq, &each));
        list_add(&failed, context_done(&row));
    }
    if (st != OK) return st;
    ContextBuilder done = context_make(rq->arena);
    context_put_lit(&done, "moved", v_int(moved));
    context_put_lit(&done, "refused", v_int((int64_t)n - moved));
    context_put_lit(&done, "failed", list_done(&failed));
    context_put_lit(&done, "after", n == BATCH_MAX ? v_int(ids[n - 1]) : v_null());
    context_put_lit(b, "done", context_done(&done));
    return OK;
}

static Status migrate_post(Request *rq, Reply *reply, Errors *errs) {
    Errors wrong = errors_make(rq->arena);
    ContextBuilder b = context_make(rq->arena);
    if (str_eq(request_text(rq, S("act")), S("run"))) {
        (void)run_batch(rq, request_of(rq, mapping_typed(rq)), &b, &wrong);
    }
    Status st = model_of(rq, true, &b, &wrong, errs);
    if (st != OK) return st;
    if (wrong.count) reply_refused(rq, reply, "work/migrate", context_done(&b), &wrong);
    else reply_page(rq, reply, "work/migrate", context_done(&b));
    return OK;
}

const Route migrate_routes[] = {
    {METHOD_GET, "/admin/items/:code/migrate", ROLE_SYSADMIN, migrate_page, NULL, false},
    {METHOD_POST, "/admin/items/:code/migrate", ROLE_SYSADMIN, migrate_post, NULL, false},
};
const size_t migrate_routes_count = sizeof migrate_routes / sizeof *migrate_routes;
