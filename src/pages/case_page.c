// The page of a case (办件), for applicant and official, each seeing what is theirs to see; and
// what they do there. Every act is one POST that runs one command; refused, the page comes back
// with the reason and what was typed.
#include "case/file_store.h"
#include "pages/page_tools.h"

enum { HASH_LEN = 64, FLOW_STATE_BYTES_MAX = 1 << 20 };

// The last part of /case/NUMBER/ACT, which is the command case.ACT.
static Str act_of(const Request *rq) {
    size_t at = rq->path.len;
    while (at > 0 && rq->path.ptr[at - 1] != '/') at--;
    return str_sub(rq->path, at, rq->path.len);
}

// ---- the page --------------------------------------------------------------------------------

// Fields of the task's form, as the parts want them.
static Value with_task_form(const Request *rq, Value c) {
    Value task = v_get_lit(c, "my_task"), form = v_get_lit(task, "form");
    if (form.kind != V_CONTEXT) return c;
    task = v_with(task, S("form"), page_form(rq, form), rq->arena);
    return v_with(c, S("my_task"), task, rq->arena);
}

// Lights and derivations of the two clocks; what the head of the page says of the time left.
static Value with_head(const Request *rq, Value c) {
    Value clocks = v_get_lit(c, "clocks"), promised = v_get_lit(clocks, "promised");
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "light", v_get_lit(promised, "light"));
    context_put_lit(&b, "left", v_get_lit(promised, "left"));
    context_put_lit(&b, "due", v_get_lit(promised, "due"));
    Value lists[2] = {v_get_lit(c, "materials"), v_get_lit(c, "tasks")};
    int64_t lacking = 0;
    for (uint32_t i = 0; i < lists[0].len; i++) {
        lacking += v_true(v_get_lit(v_at(lists[0], i), "lacking"));
    }
    context_put_lit(&b, "lacking", v_int(lacking));
    context_put_lit(&b, "item_name", v_get_lit(c, "item"));
    context_put_lit(&b, "closed", v_bool(v_to_int(v_get_lit(c, "state"), 0) >= CASE_DECIDED));
    return v_merge(c, context_done(&b), rq->arena);
}

static Status colleagues(const Request *rq, Value c, Value *ret, Error *err) {
    int64_t task = v_to_int(v_path(c, S("my_task.id")), 0);
    Query *q = query(rq->db, "SELECT a.id, a.name FROM task t JOIN account_post ap"
                             " ON ap.post_id = t.post_id JOIN account a ON a.id = ap.account_id"
                             " WHERE t.id = ?1 AND a.id <> ?2 AND a.locked = 0"
                             " ORDER BY a.name, a.id LIMIT 100");
    query_int(q, 1, task);
    query_int(q, 2, rq->actor.account_id);
    return query_rows(q, rq->arena, ret, err);
}

// What the letter asked for, beside the way to answer it (supplement.c).
static Status with_asked(Request *rq, Value *c, Errors *errs) {
    bool correcting = v_to_int(v_get_lit(*c, "state"), 0) == CASE_CORRECTING;
    if (!correcting || !v_true(v_path(*c, S("can.supplement")))) return OK;
    Value correction;
    CorrectionTyped nothing = {.answers = v_null()};
    Status st = case_correction(rq->db, &rq->actor, rq->params[0], &nothing, rq->now, rq->lang,
                                rq->arena, &correction, errs);
    if (st == OK) *c = v_with(*c, S("asked"), v_get_lit(correction, "missing"), rq->arena);
    return st;
}

static Status case_model(Request *rq, Value *ret, Errors *errs) {
    Value c, others;
    PAGE_TRY(errs, case_view(page_cases(), rq->db, &rq->actor, rq->params[0], rq->now, rq->lang,
                             rq->arena, &c, &e));
    c = with_head(rq, with_task_form(rq, c));
    PAGE_TRY(errs, colleagues(rq, c, &others, &e));
    Status st = with_asked(rq, &c, errs);
    if (st == OK) *ret = v_with(c, S("colleagues"), others, rq->arena);
    return st;
}

static const char *template_of(const Request *rq) {
    return actor_has(&rq->actor, ROLES_APPLICANT) ? "case" : "case_work";
}

static Status show(Request *rq, Reply *reply, Errors *errs) {
    Value model;
    Status st = case_model(rq, &model, errs);
    if (st == OK) reply_page(rq, reply, template_of(rq), model);
    return st;
}

// ---- acts ------------------------------------------------------------------------------------

// Which case it is the address says, and nothing beside it.
static bool is_meta(Str key) {
    return str_starts(key, S("_")) || str_eq(key, S("number")) || str_eq(key, S("id"));
}

static void put_all(const Request *rq, ContextBuilder *b) {
    for (uint32_t i = 0; rq->input.kind == V_CONTEXT && i < rq->input.len; i++) {
        const Entry *e = &rq->input.as.entries[i];
        if (!is_meta(e->key)) context_put(b, e->key, e->value);
    }
    context_put_lit(b, "number", v_str(rq->params[0]));
}

static void add_missing(const Request *rq, ListBuilder *list, Str kind, Value one) {
    Str code = v_text(one);
    Str key = arena_printf(rq->arena, "reason.%.*s", S_FMT(code));
    ContextBuilder b = context_make(rq->arena);
    context_put(&b, kind, v_str(code));
    context_put_lit(&b, "reason", v_str(request_text(rq, key)));
    list_add(list, context_done(&b));
}

// Boxes ticked in the checklist, each with its reason: "missing" codes of materials, "wrong"
// parts of the form by name.
static Value missing_of(const Request *rq) {
    static const struct {
        Str input, member;
    } kinds[] = {{S_INIT("missing"), S_INIT("code")}, {S_INIT("wrong"), S_INIT("field")}};
    ListBuilder list = list_make(rq->arena);
    for (size_t k = 0; k < 2; k++) {
        Value given = v_get(rq->input, kinds[k].input);
        if (given.kind == V_STRING) add_missing(rq, &list, kinds[k].member, given);
        for (uint32_t i = 0; given.kind == V_LIST && i < given.len; i++) {
            add_missing(rq, &list, kinds[k].member, v_at(given, i));
        }
    }
    return list_done(&list);
}

static Status refused(Request *rq, Reply *reply, Str act, const Errors *wrong, Errors *errs) {
    Value model;
    Status st = case_model(rq, &model, errs);
    if (st != OK) return st;
    ContextBuilder typed = context_make(rq->arena);
    put_all(rq, &typed);
    context_put_lit(&typed, "act", v_str(act));
    model = v_with(model, S("typed"), context_done(&typed), rq->arena);
    reply_refused(rq, reply, template_of(rq), model, wrong);
    return OK;
}

static Status done(Request *rq, Reply *reply, Value result) {
    if (rq->wants_json) {
        reply->model = page_localize(rq, result);
        return OK;
    }
    reply_redirect(reply, arena_printf(rq->arena, "/case/%.*s", S_FMT(rq->params[0])));
    return OK;
}

static Status act_post(Request *rq, Reply *reply, Errors *errs) {
    Str act = act_of(rq);
    ContextBuilder b = context_make(rq->arena);
    put_all(rq, &b);
    if (str_eq(act, S("correct")) && !rq->is_json) {
        context_put_lit(&b, "missing", missing_of(rq));
    }
    Value result;
    Errors wrong = errors_make(rq->arena);
    Status st = request_command(rq, arena_concat(rq->arena, (Str[]){S("case."), act}, 2),
                                context_done(&b), &result, &wrong);
    if (st != OK) return refused(rq, reply, act, &wrong, errs);
    if (!str_eq(act, S("look")) || rq->wants_json) return done(rq, reply, result);
    Value model; // numbers in full, this once
    st = case_model(rq, &model, errs);
    if (st != OK) return st;
    model = v_with(model, S("applicant"), result, rq->arena);
    reply_page(rq, reply, template_of(rq), v_with(model, S("looked"), v_bool(true), rq->arena));
    return OK;
}

// ---- tasks -----------------------------------------------------------------------------------

static Status task_post(Request *rq, Reply *reply, Errors *errs) {
    static const char *const known[] = {"claim", "release", "delegate", "return", "complete"};
    Str act = request_text(rq, S("act"));
    bool found = false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        found = found || str_eq(str_z(known[i]), act);
    }
    if (!found) return errors_add(errs, INVALID, S("act"), "没有这项操作");
    ContextBuilder b = context_make(rq->arena);
    put_all(rq, &b);
    if (!v_has(rq->input, S("task"))) context_put_lit(&b, "task", v_get_lit(rq->input, "id"));
    context_put_lit(&b, "answers", rq->is_json ? v_get_lit(rq->input, "answers") : rq->input);
    Str command = arena_printf(rq->arena, "task.%.*s", S_FMT(act));
    Value result;
    Errors wrong = errors_make(rq->arena);
    Status st = request_command(rq, command, context_done(&b), &result, &wrong);
    return st == OK ? done(rq, reply, result) : refused(rq, reply, S("task"), &wrong, errs);
}

// ---- a material's file -----------------------------------------------------------------------

static Status file(Request *rq, Reply *reply, Errors *errs) {
    Value c;
    PAGE_TRY(errs, case_view(page_cases(), rq->db, &rq->actor, rq->params[0], rq->now, rq->lang,
                             rq->arena, &c, &e));
    Value materials = v_get_lit(c, "materials");
    Str hash = S(""), name = S(""), type = S("");
    for (uint32_t i = 0; i < materials.len; i++) {
        Value m = v_at(materials, i);
        if (!str_eq(v_text(v_get_lit(m, "code")), rq->params[1])) continue;
        hash = v_text(v_get_lit(m, "file_hash"));
        name = v_text(v_get_lit(m, "file_name"));
    }
    if (hash.len != HASH_LEN) return errors_add(errs, NOT_FOUND, S("code"), "这份材料没有文件");
    if (!v_true(v_get_lit(c, "own"))) { // an event, refused to who has nothing to do with the case
        ContextBuilder b = context_make(rq->arena);
        Value opened;
        context_put_lit(&b, "number", v_str(rq->params[0]));
        context_put_lit(&b, "code", v_str(rq->params[1]));
        Status st = request_command(rq, S("case.open_file"), context_done(&b), &opened, errs);
        if (st != OK) return st;
    }
    Query *q = query(rq->db, "SELECT type FROM file WHERE hash = ?1");
    query_str(q, 1, hash);
    if (query_next(q)) type = query_col_keep(q, 0, rq->arena);
    PAGE_TRY(errs, query_done(q, &e));
    PAGE_TRY(errs, file_path(rq->app->data_dir, hash, rq->arena, &reply->path, &e));
    reply->type = type.len ? type : S("application/octet-stream");
    reply->file_name = name;
    return OK;
}

// ---- the flow, for the browser to draw ---------------------------------------------------------

static Status flow_file(Request *rq, Reply *reply, Errors *errs) {
    Value state;
    int64_t version = 0;
    PAGE_TRY(errs, case_flow(rq->db, &rq->actor, rq->params[0], rq->arena, &reply->body, &version,
                             &state, &e));
    reply->type = S("application/xml; charset=utf-8");
    reply->etag = arena_printf(rq->arena, "flow-%lld", (long long)version);
    return OK;
}

static Status flow_state(Request *rq, Reply *reply, Errors *errs) {
    Value state;
    Str xml;
    int64_t version = 0;
    PAGE_TRY(errs, case_flow(rq->db, &rq->actor, rq->params[0], rq->arena, &xml, &version, &state,
                             &e));
    Buf out = buf_make(rq->arena, 1024, FLOW_STATE_BYTES_MAX);
    json_write(&out, state);
    reply->body = buf_view(&out);
    reply->type = S("application/json; charset=utf-8");
    return OK;
}

const Route case_routes[] = {
    {METHOD_GET, "/case/:number", ROLES_ALL_ACCOUNTS, show, NULL, false},
    {METHOD_GET, "/case/:number/flow.bpmn", ROLES_ALL_ACCOUNTS, flow_file, NULL, false},
    {METHOD_GET, "/case/:number/flow-state", ROLES_ALL_ACCOUNTS, flow_state, NULL, false},
    {METHOD_GET, "/case/:number/files/:code", ROLES_ALL_ACCOUNTS, file, NULL, false},
    {METHOD_POST, "/case/:number/task", ROLE_APPROVER | ROLE_SUPERVISOR, task_post, NULL, false},
    {METHOD_POST, "/case/:number/accept", ROLE_CLERK, act_post, NULL, false},
    {METHOD_POST, "/case/:number/correct", ROLE_CLERK, act_post, NULL, false},
    {METHOD_POST, "/case/:number/refuse", ROLE_CLERK, act_post, NULL, false},
    {METHOD_POST, "/case/:number/withdraw", ROLES_APPLICANT | ROLE_CLERK, act_post, NULL, false},
    {METHOD_POST, "/case/:number/pause", ROLE_APPROVER, act_post, NULL, false},
    {METHOD_POST, "/case/:number/resume", ROLE_APPROVER, act_post, NULL, false},
    {METHOD_POST, "/case/:number/extend", ROLE_LEADER, act_post, NULL, false},
    {METHOD_POST, "/case/:number/deliver", ROLES_APPLICANT | ROLE_CLERK, act_post, NULL, false},
    {METHOD_POST, "/case/:number/remark", ROLES_OFFICIAL, act_post, NULL, false},
    {METHOD_POST, "/case/:number/message", ROLE_CLERK | ROLE_APPROVER, act_post, NULL, false},
    {METHOD_POST, "/case/:number/archive", ROLE_CLERK, act_post, NULL, false},
    {METHOD_POST, "/case/:number/look", ROLE_CLERK | ROLE_APPROVER, act_post, NULL, false},
};
const size_t case_routes_count = sizeof case_routes / sizeof *case_routes;
