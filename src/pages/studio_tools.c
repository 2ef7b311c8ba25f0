// What the studio shows beside the drawing, without changing anything: findings, examples with
// their traces, the form as the applicant will see it, what publishing touches, what differs
// between two versions, and the running cases of a version (which say nothing about people).
#include "case/text_diff.h"
#include "pages/studio.h"

enum { RUNNING_PAGE = 100 };

// ---- findings and examples -------------------------------------------------------------------

static Status check_post(Request *rq, Reply *reply, Errors *errs) {
    StudioOpen o;
    Value findings;
    Status st = studio_open(rq, &o, errs);
    if (st != OK) return st;
    Value files = studio_working_files(rq, &o);
    PAGE_TRY(errs, studio_findings(rq->db, o.draft.code, files, rq->arena, &findings, &e));
    reply->model = page_localize(rq, v_with(v_null(), S("findings"), findings, rq->arena));
    return OK;
}

static Status examples_post(Request *rq, Reply *reply, Errors *errs) {
    StudioOpen o;
    Value report;
    bool compiled = false;
    Status st = studio_open(rq, &o, errs);
    if (st != OK) return st;
    st = studio_examples(studio_working_files(rq, &o), rq->now, rq->arena, &report, &compiled);
    if (st != OK) return errors_add(errs, st, S("."), "事项包占用内存过多");
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "compiled", v_bool(compiled));
    context_put_lit(&b, "examples", report);
    reply->model = context_done(&b);
    return OK;
}

// ---- the form as it will be ------------------------------------------------------------------

// The part of a page that is asked for with JSON, because of the files.
static Status preview_reply(Request *rq, Reply *reply, Value model, Errors *errs) {
    Buf out = buf_make(rq->arena, 4096, PAGE_OUTPUT_MAX);
    PAGE_TRY(errs, app_render(rq->app, rq, S("work/studio_form"), page_localize(rq, model), &out,
                              &e));
    reply->body = buf_view(&out);
    reply->type = S("text/html; charset=utf-8");
    return OK;
}

static Status preview_post(Request *rq, Reply *reply, Errors *errs) {
    StudioOpen o;
    Value schema, spec;
    const Form *form = NULL;
    Status st = studio_open(rq, &o, errs);
    if (st != OK) return st;
    Value files = studio_working_files(rq, &o);
    Str path = request_text(rq, S("path"));
    Error err = {.status = OK};
    st = json_parse(v_text(v_get(files, path)), JSON_STRICT, (JsonLimits){0}, rq->arena, &schema,
                    &err);
    if (st == OK) st = form_load(schema, rq->arena, &form, &err);
    ContextBuilder b = context_make(rq->arena);
    if (st != OK) {
        Errors wrong = errors_make(rq->arena);
        (void)errors_push(&wrong, &err);
        context_put_lit(&b, "errors", page_errors(rq, &wrong));
        return preview_reply(rq, reply, context_done(&b), errs);
    }
    ContextBuilder known = context_make(rq->arena);
    Value situation = v_get_lit(rq->input, "situation"), answers = v_get_lit(rq->input, "answers");
    context_put_lit(&known, "situation", situation);
    if (json_parse(v_text(v_get_lit(files, "item.json")), JSON_LAX, (JsonLimits){0}, rq->arena,
                   &spec, &err) == OK) {
        context_put_lit(&known, "parameters", v_get_lit(spec, "parameters"));
    }
    bool en = str_eq(rq->lang, S("en"));
    const App *app = rq->app;
    Value model = form_model(form, answers, context_done(&known), rq->lang, rq->now, NULL,
                             en ? app->translate : NULL, app->english, rq->arena);
    context_put_lit(&b, "form", page_form(rq, model));
    return preview_reply(rq, reply, context_done(&b), errs);
}

// ---- what differs ----------------------------------------------------------------------------

// [{code (path), kind, added, removed, hunks}] of the files that differ.
static Status diffs(Request *rq, Value before, Value after, Value *ret, Error *err) {
    ListBuilder list = list_make(rq->arena);
    for (int side = 0; side < 2; side++) {
        Value files = side == 0 ? after : before;
        for (uint32_t i = 0; files.kind == V_CONTEXT && i < files.len; i++) {
            Str path = files.as.entries[i].key;
            if (side == 1 && v_has(after, path)) continue;
            Value old = v_get(before, path), new = v_get(after, path), diff;
            if (v_equal(old, new)) continue;
            Status st = text_diff(v_text(old), v_text(new), rq->arena, &diff, err);
            if (st != OK) return st;
            ContextBuilder b = context_make(rq->arena);
            context_put_lit(&b, "code", v_str(path));
            context_put_lit(&b, "come", v_bool(v_is_null(old)));
            context_put_lit(&b, "gone", v_bool(v_is_null(new)));
            list_add(&list, v_merge(context_done(&b), diff, rq->arena));
        }
    }
    *ret = list_done(&list);
    return OK;
}

static Status impact_page(Request *rq, Reply *reply, Errors *errs) {
    StudioOpen o;
    Value impact, files;
    Status st = studio_open(rq, &o, errs);
    if (st != OK) return st;
    PAGE_TRY(errs, studio_impact(rq->db, o.draft.code, o.now.files, o.draft.files, rq->arena,
                                 &impact, &e));
    PAGE_TRY(errs, diffs(rq, o.now.files, o.draft.files, &files, &e));
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "code", v_str(o.draft.code));
    context_put_lit(&b, "now_version", v_int(o.now.version));
    context_put_lit(&b, "impact", impact);
    context_put_lit(&b, "files", files);
    reply_page(rq, reply, "work/studio_impact", context_done(&b));
    return OK;
}

static int64_t number_asked(const Request *rq, Str name) {
    int64_t number = 0;
    if (!str_to_int(request_query(rq, name), &number) || number < 1) number = -1;
    return number;
}

static Status compare_page(Request *rq, Reply *reply, Errors *errs) {
    StudioItem a, z;
    Value files, versions;
    Str code = rq->params[0];
    PAGE_TRY(errs, studio_item(rq->db, code, number_asked(rq, S("a")), rq->arena, &a, &e));
    PAGE_TRY(errs, studio_item(rq->db, code, number_asked(rq, S("b")), rq->arena, &z, &e));
    PAGE_TRY(errs, diffs(rq, a.files, z.files, &files, &e));
    PAGE_TRY(errs, studio_versions(rq, code, &versions, &e));
    bool english = str_eq(rq->lang, S("en")) && z.name_en.len;
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "code", v_str(code));
    context_put_lit(&b, "item_name", v_str(english ? z.name_en : z.name));
    context_put_lit(&b, "a", v_int(a.version));
    context_put_lit(&b, "b", v_int(z.version));
    context_put_lit(&b, "versions", versions);
    context_put_lit(&b, "files", files);
    reply_page(rq, reply, "work/studio_compare", context_done(&b));
    return OK;
}

// ---- running cases ---------------------------------------------------------------------------

static Value running_row(const Request *rq, Query *q) {
    ContextBuilder b = context_make(rq->arena);
    Value due = v_null();
    if (!query_col_null(q, 4)) due = v_day((Day)query_col_int(q, 4));
    context_put_lit(&b, "number", v_str(query_col_keep(q, 0, rq->arena)));
    context_put_lit(&b, "version", v_int(query_col_int(q, 1)));
    context_put_lit(&b, "state", v_int(query_col_int(q, 2)));
    context_put_lit(&b, "state_name", v_str(case_state_name((CaseState)query_col_int(q, 2))));
    context_put_lit(&b, "received", v_instant(query_col_int(q, 3), rq->arena));
    context_put_lit(&b, "due", due);
    context_put_lit(&b, "paused", v_bool(query_col_int(q, 5) != 0));
    context_put_lit(&b, "tasks", v_int(query_col_int(q, 6)));
    return context_done(&b);
}

static Status running_page(Request *rq, Reply *reply, Errors *errs) {
    StudioItem item;
    int64_t number = number_asked(rq, S("version")), total = 0;
    if (number < 0) number = 0; // of every version
    PAGE_TRY(errs, studio_item(rq->db, rq->params[0], 0, rq->arena, &item, &e));
    Query *q = query(rq->db, "SELECT COUNT(*) FROM cases c JOIN item_version v ON v.id ="
                             " c.item_version_id WHERE v.item_id = ?1"
                             " AND (?2 = 0 OR v.version = ?2) AND c.decided_at IS NULL"
                             " AND c.closed_at IS NULL");
    query_int(q, 1, item.item_id);
    query_int(q, 2, number);
    PAGE_TRY(errs, query_one_int(q, &total, &e));
    q = query(rq->db, "SELECT c.number, v.version, c.state, c.received_at, c.promised_due_day,"
                      " c.paused, (SELECT COUNT(*) FROM task t WHERE t.case_id = c.id AND t.state <"
                      " 3) FROM cases c JOIN item_version v ON v.id = c.item_version_id"
                      " WHERE v.item_id = ?1 AND (?2 = 0 OR v.version = ?2)"
                      " AND c.decided_at IS NULL AND c.closed_at IS NULL ORDER BY c.id LIMIT ?3");
    query_int(q, 1, item.item_id);
    query_int(q, 2, number);
    query_int(q, 3, RUNNING_PAGE);
    ListBuilder list = list_make(rq->arena);
    while (query_next(q)) list_add(&list, running_row(rq, q));
    PAGE_TRY(errs, query_done(q, &e));
    bool english = str_eq(rq->lang, S("en")) && item.name_en.len;
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "code", v_str(rq->params[0]));
    context_put_lit(&b, "item_name", v_str(english ? item.name_en : item.name));
    context_put_lit(&b, "asked_version", v_int(number));
    context_put_lit(&b, "total", v_int(total));
    context_put_lit(&b, "rows", list_done(&list));
    reply_page(rq, reply, "work/studio_running", context_done(&b));
    return OK;
}

const Route studio_tools_routes[] = {
    {METHOD_POST, "/admin/studio/:code/check", ROLE_SYSADMIN, check_post, NULL, false},
    {METHOD_POST, "/admin/studio/:code/examples", ROLE_SYSADMIN, examples_post, NULL, false},
    {METHOD_POST, "/admin/studio/:code/preview", ROLE_SYSADMIN, preview_post, NULL, false},
    {METHOD_GET, "/admin/studio/:code/impact", ROLE_SYSADMIN, impact_page, NULL, false},
    {METHOD_GET, "/admin/items/:code/compare", ROLE_SYSADMIN, compare_page, NULL, false},
    {METHOD_GET, "/admin/items/:code/running", ROLE_SYSADMIN, running_page, NULL, false},
};
const size_t studio_tools_routes_count = sizeof studio_tools_routes / sizeof *studio_tools_routes;
