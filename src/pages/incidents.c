// Faults of flows (流程异常) for the system administrator: what waits, what it stands at, and the
// three acts that mend it. What each act may do is checked by its command (case_incident.c).
#include "pages/workplace.h"

enum { VARIABLES_SHOWN_MAX = 64 << 10 };

static Status incidents_page(Request *rq, Reply *reply, Errors *errs) {
    Value rows;
    int64_t retrying = 0, standing = 0;
    bool all = str_eq(request_query(rq, S("all")), S("1"));
    PAGE_TRY(errs, incident_list(rq->db, 0, !all, rq->arena, &rows, &e));
    PAGE_TRY(errs, incident_names(rq->db, rq->lang, rq->arena, &rows, &e));
    PAGE_TRY(errs, incident_counts(rq->db, 0, &retrying, &standing, &e));
    ListBuilder named = list_make(rq->arena);
    for (uint32_t i = 0; i < rows.len; i++) {
        Value row = v_at(rows, i);
        list_add(&named, v_with(row, S("item_name"), page_named(rq, row, S("item"), S("item_en")),
                                rq->arena));
    }
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "rows", list_done(&named));
    context_put_lit(&b, "all", v_bool(all));
    context_put_lit(&b, "full", v_bool(rows.len >= INCIDENTS_SHOWN));
    context_put_lit(&b, "retrying", v_int(retrying));
    context_put_lit(&b, "standing", v_int(standing));
    reply_page(rq, reply, "work/incidents", context_done(&b));
    return OK;
}

// As it stands in the state, for reading; the names are those that `variables` of an act sets.
static Value variables_text(const Request *rq, Value variables) {
    Buf out = buf_make(rq->arena, 1024, VARIABLES_SHOWN_MAX);
    json_write_pretty(&out, variables);
    return v_str(buf_view(&out));
}

static Status incident_model(Request *rq, Value *ret, Errors *errs) {
    int64_t id = 0;
    Value row;
    if (!str_to_int(rq->params[0], &id)) id = 0;
    PAGE_TRY(errs, incident_view(rq->db, id, rq->lang, rq->arena, &row, &e));
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "item_name", page_named(rq, row, S("item"), S("item_en")));
    context_put_lit(&b, "variables", variables_text(rq, v_get_lit(row, "variables")));
    context_put_lit(&b, "data", v_get_lit(row, "variables"));
    *ret = v_merge(row, context_done(&b), rq->arena);
    return OK;
}

static Status incident_page(Request *rq, Reply *reply, Errors *errs) {
    Value model;
    Status st = incident_model(rq, &model, errs);
    if (st == OK) reply_page(rq, reply, "work/incident", model);
    return st;
}

// The last part of the address is the act.
static Status incident_act(Request *rq, Reply *reply, Errors *errs) {
    Str act = rq->path;
    for (Str rest = rq->path; rest.ptr;) act = str_cut(&rest, '/');
    Value result = v_null();
    Value input = v_with(rq->input, S("incident"), v_str(rq->params[0]), rq->arena);
    Errors wrong = errors_make(rq->arena);
    bool done = work_command(rq, arena_printf(rq->arena, "incident.%.*s", S_FMT(act)), input,
                             &result, &wrong);
    if (done && rq->wants_json) {
        reply->model = page_localize(rq, result);
        return OK;
    }
    Value model;
    Status st = incident_model(rq, &model, errs);
    if (st != OK) return st;
    model = v_with(model, S("done"), result, rq->arena);
    if (done) {
        reply_page(rq, reply, "work/incident", model);
        return OK;
    }
    Value typed = v_with(rq->input, S("act"), v_str(act), rq->arena);
    model = v_with(model, S("typed"), typed, rq->arena);
    reply_refused(rq, reply, "work/incident", model, &wrong);
    return OK;
}

const Route incidents_routes[] = {
    {METHOD_GET, "/admin/incidents", ROLE_SYSADMIN, incidents_page, NULL, false},
    {METHOD_GET, "/admin/incidents/:id", ROLE_SYSADMIN, incident_page, NULL, false},
    {METHOD_POST, "/admin/incidents/:id/retry", ROLE_SYSADMIN, incident_act, NULL, false},
    {METHOD_POST, "/admin/incidents/:id/skip", ROLE_SYSADMIN, incident_act, NULL, false},
    {METHOD_POST, "/admin/incidents/:id/error", ROLE_SYSADMIN, incident_act, NULL, false},
};
const size_t incidents_routes_count = sizeof incidents_routes / sizeof *incidents_routes;
