// The work summary (工作总结, X2) as a page, Markdown and PDF: every number is a link to its
// records.
#include "pages/workplace.h"

static Status written(Request *rq, Str base, FigureScope *ret_scope, Day *ret_newest, Value *ret,
                      Errors *errs) {
    const Figures *f;
    Cockpit *c;
    Value values;
    Day from, to;
    bool given;
    PAGE_TRY(errs, work_default_days(rq, &from, &to, &e));
    *ret_newest = to;
    Status st = work_period(rq, from, to, ret_scope, &given, errs);
    if (st != OK) return st;
    PAGE_TRY(errs, pages_figures(rq->app, &f, &e));
    const App *app = rq->app;
    bool en = str_eq(rq->lang, S("en")) && app->translate;
    Str county = en ? app->translate(app->english, app->county) : app->county;
    PAGE_TRY(errs, pages_cockpit(rq->app, &c, &e));
    PAGE_TRY(errs, cockpit_figures(c, rq->db, ret_scope, rq->arena, &values, &e));
    PAGE_TRY(errs, summary_of(f, values, ret_scope, county, rq->lang, base, rq->now, rq->arena, ret,
                              &e));
    return OK;
}

static Value figures_list(const Request *rq, Value figures) {
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; figures.kind == V_CONTEXT && i < figures.len; i++) {
        list_add(&list, figures.as.entries[i].value);
    }
    return list_done(&list);
}

static Status summary_page(Request *rq, Reply *reply, Errors *errs) {
    FigureScope scope;
    Day newest;
    Value s;
    Status st = written(rq, S(""), &scope, &newest, &s, errs);
    if (st != OK) return st;
    ContextBuilder q = context_make(rq->arena), b = context_make(rq->arena);
    context_put_lit(&q, "from", v_str(day_format(scope.from, rq->arena)));
    context_put_lit(&q, "to", v_str(day_format(scope.to, rq->arena)));
    context_put_lit(&q, "unit", v_str(scope.unit));
    context_put_lit(&q, "town", v_str(scope.town));
    Value query_ = context_done(&q);
    context_put_lit(&b, "rows", figures_list(rq, v_get_lit(s, "figures")));
    context_put_lit(&b, "presets", work_presets(rq, S("/summary"), &scope, newest));
    context_put_lit(&b, "md_href", v_str(page_href(rq->arena, S("/summary.md"), query_)));
    context_put_lit(&b, "pdf_href", v_str(page_href(rq->arena, S("/summary.pdf"), query_)));
    reply->template_name = S("work/summary");
    reply->model = v_merge(s, context_done(&b), rq->arena); // written in its language already
    return OK;
}

static Status summary_file(Request *rq, Reply *reply, Errors *errs) {
    FigureScope scope;
    Day newest;
    Value s;
    Status st = written(rq, rq->host, &scope, &newest, &s, errs);
    if (st != OK) return st;
    bool pdf = str_ends(rq->path, S(".pdf"));
    Str name =
        arena_printf(rq->arena, "summary-%.*s-%.*s", S_FMT(day_format(scope.from, rq->arena)),
                     S_FMT(day_format(scope.to, rq->arena)));
    if (pdf) {
        PAGE_TRY(errs, summary_pdf(s, rq->lang, rq->arena, &reply->body, &e));
        reply->type = S("application/pdf");
        reply->file_name = arena_printf(rq->arena, "%.*s.pdf", S_FMT(name));
    } else {
        reply->body = v_text(v_get_lit(s, "markdown"));
        reply->type = S("text/markdown; charset=utf-8");
        reply->file_name = arena_printf(rq->arena, "%.*s.md", S_FMT(name));
    }
    return OK;
}

const Route summary_routes[] = {
    {METHOD_GET, "/summary", ROLES_OFFICIAL, summary_page, NULL, false},
    {METHOD_GET, "/summary.md", ROLES_OFFICIAL, summary_file, NULL, false},
    {METHOD_GET, "/summary.pdf", ROLES_OFFICIAL, summary_file, NULL, false},
};
const size_t summary_routes_count = sizeof summary_routes / sizeof *summary_routes;
