// Indicators (指标) and the records behind each (law 7: a figure opens into exactly what it
// counted).
#include "pages/workplace.h"

enum { RECORDS_PAGE = 50, EXPORT_PAGE_MEMORY_MAX = 16 << 20 };

static bool is_english(const Request *rq) { return str_eq(rq->lang, S("en")); }

static Value scope_query(const Request *rq, const FigureScope *scope) {
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "from", v_str(day_format(scope->from, rq->arena)));
    context_put_lit(&b, "to", v_str(day_format(scope->to, rq->arena)));
    context_put_lit(&b, "unit", v_str(scope->unit));
    context_put_lit(&b, "town", v_str(scope->town));
    return context_done(&b);
}

static Str figure_href(const Request *rq, Str code, const FigureScope *scope) {
    return page_href(rq->arena, arena_printf(rq->arena, "/figures/%.*s", S_FMT(code)),
                     scope_query(rq, scope));
}

static Status scope_of(Request *rq, FigureScope *ret, Day *ret_newest, Errors *errs) {
    Day from, to;
    bool given;
    PAGE_TRY(errs, work_default_days(rq, &from, &to, &e));
    *ret_newest = to;
    return work_period(rq, from, to, ret, &given, errs);
}

static Value figure_row(const Request *rq, const Figures *f, Str code, Value value,
                        const FigureScope *scope) {
    Value about = figure_about(f, code, rq->arena);
    Str unit = v_text(v_get_lit(about, "unit_en"));
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "code", v_str(code));
    context_put_lit(&b, "figure_name", page_named(rq, about, S("name"), S("name_en")));
    context_put_lit(&b, "unit_label",
                    is_english(rq) && unit.len ? v_str(unit) : v_get_lit(about, "unit"));
    context_put_lit(&b, "text",
                    v_is_null(value) ? v_lit("—")
                                     : v_str(figure_print(f, code, value, rq->lang, rq->arena)));
    context_put_lit(&b, "value", value);
    context_put_lit(&b, "money", v_get_lit(about, "money"));
    context_put_lit(&b, "formula", v_get_lit(about, "formula"));
    context_put_lit(&b, "note_text", page_named(rq, about, S("note"), S("note_en")));
    context_put_lit(&b, "href", v_str(figure_href(rq, code, scope)));
    return context_done(&b);
}

static Status put_scope(Request *rq, ContextBuilder *b, Str path, const FigureScope *scope,
                        Day newest, Error *err) {
    Value units, towns;
    Status st = work_units(rq, S(""), scope->unit, &units, err);
    if (st == OK) st = work_units(rq, S("town"), scope->town, &towns, err);
    if (st != OK) return st;
    context_put_lit(b, "from", v_day(scope->from));
    context_put_lit(b, "to", v_day(scope->to));
    context_put_lit(b, "units", units);
    context_put_lit(b, "towns", towns);
    for (uint32_t i = 0; i < units.len; i++) {
        Value u = v_at(units, i);
        Str code = v_text(v_get_lit(u, "code"));
        if (scope->unit.len && str_eq(code, scope->unit)) {
            context_put_lit(b, "unit_chosen", v_get_lit(u, "name"));
        }
        if (scope->town.len && str_eq(code, scope->town)) {
            context_put_lit(b, "town_chosen", v_get_lit(u, "name"));
        }
    }
    context_put_lit(b, "presets", work_presets(rq, path, scope, newest));
    return OK;
}

// ---- all indicators --------------------------------------------------------------------------

static Status figures_page(Request *rq, Reply *reply, Errors *errs) {
    const Figures *f;
    Cockpit *c;
    FigureScope scope;
    Day newest = 0;
    Value values;
    Status st = scope_of(rq, &scope, &newest, errs);
    if (st != OK) return st;
    PAGE_TRY(errs, pages_figures(rq->app, &f, &e));
    PAGE_TRY(errs, pages_cockpit(rq->app, &c, &e));
    PAGE_TRY(errs, cockpit_figures(c, rq->db, &scope, rq->arena, &values, &e));
    ListBuilder list = list_make(rq->arena);
    for (size_t i = 0; i < figures_count(f); i++) {
        Str code = figure_code(f, i);
        list_add(&list, figure_row(rq, f, code, v_get(values, code), &scope));
    }
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "rows", list_done(&list));
    PAGE_TRY(errs, put_scope(rq, &b, S("/figures"), &scope, newest, &e));
    reply_page(rq, reply, "work/figures", context_done(&b));
    return OK;
}

// ---- one and its records ---------------------------------------------------------------------

static Value record_row(const Request *rq, Value row) {
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "item_name", page_named(rq, row, S("item"), S("item_en")));
    context_put_lit(&b, "unit_name", page_named(rq, row, S("unit"), S("unit_en")));
    return v_merge(row, context_done(&b), rq->arena);
}

static Value parts_of(const Request *rq, const Figures *f, Value parts, const FigureScope *scope) {
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; parts.kind == V_LIST && i < parts.len; i++) {
        Value p = v_at(parts, i);
        Str code = v_text(v_get_lit(p, "code"));
        list_add(&list, figure_row(rq, f, code, v_get_lit(p, "value"), scope));
    }
    return list_done(&list);
}

static Status figure_page(Request *rq, Reply *reply, Errors *errs) {
    const Figures *f;
    FigureScope scope;
    Day newest = 0;
    Value found;
    Str code = rq->params[0], after = request_query(rq, S("after"));
    Status st = scope_of(rq, &scope, &newest, errs);
    if (st != OK) return st;
    PAGE_TRY(errs, pages_figures(rq->app, &f, &e));
    PAGE_TRY(errs,
             figure_records(f, rq->db, code, &scope, after, RECORDS_PAGE, rq->arena, &found, &e));
    Value rows = v_get_lit(found, "rows");
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; rows.kind == V_LIST && i < rows.len; i++) {
        list_add(&list, record_row(rq, v_at(rows, i)));
    }
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "rows", list_done(&list));
    context_put_lit(&b, "parts", parts_of(rq, f, v_get_lit(found, "parts"), &scope));
    Str path = arena_printf(rq->arena, "/figures/%.*s", S_FMT(code));
    PAGE_TRY(errs, put_scope(rq, &b, path, &scope, newest, &e));
    Value q = scope_query(rq, &scope), next = v_get_lit(found, "next");
    if (!v_is_null(next)) {
        Value to = work_with(rq, q, S("after"), v_text(next));
        context_put_lit(&b, "next_href", v_str(page_href(rq->arena, path, to)));
    }
    if (after.len) context_put_lit(&b, "prev_href", v_str(page_href(rq->arena, path, q)));
    static const char *const endings[] = {"csv", "xlsx"};
    for (size_t i = 0; i < 2; i++) {
        Str to = arena_printf(rq->arena, "%.*s/%s", S_FMT(path), endings[i]);
        context_put(&b, i ? S("xlsx_href") : S("csv_href"), v_str(page_href(rq->arena, to, q)));
    }
    context_put_lit(&b, "all_href", v_str(page_href(rq->arena, S("/figures"), q)));
    Value head = figure_row(rq, f, code, v_get_lit(found, "value"), &scope);
    reply_page(rq, reply, "work/figure",
               v_merge(v_merge(found, head, rq->arena), context_done(&b), rq->arena));
    return OK;
}

// ---- export ----------------------------------------------------------------------------------

static const ExportColumn columns[] = {
    {T("时间"), 20, false}, {T("办件编号"), 24, false}, {T("事项"), 40, false},
    {T("部门"), 28, false}, {T("申请人"), 14, false},   {T("渠道"), 8, false},
    {T("环节"), 14, false}, {T("评价等级"), 10, true},  {T("金额（元）"), 14, false},
};

static void export_row(Request *rq, Export *x, Value row) {
    const App *app = rq->app;
    Str channel = v_text(v_get_lit(row, "channel"));
    Str act = v_text(v_get_lit(row, "act"));
    if (!act.len) act = v_text(v_get_lit(row, "state"));
    if (is_english(rq) && app->translate && act.len) act = app->translate(app->english, act);
    export_cell_value(x, v_get_lit(row, "at"));
    export_cell_value(x, v_get_lit(row, "number"));
    export_cell_value(x, page_named(rq, row, S("item"), S("item_en")));
    export_cell_value(x, page_named(rq, row, S("unit"), S("unit_en")));
    export_cell_value(x, v_get_lit(row, "applicant"));
    export_cell(x, !channel.len
                       ? S("")
                       : request_tr(rq, str_eq(channel, S("online")) ? T("网上") : T("窗口")));
    export_cell(x, act);
    export_cell_value(x, v_get_lit(row, "grade"));
    Value fen = v_get_lit(row, "amount_fen");
    Decimal yuan;
    bool money = fen.kind == V_NUMBER && decimal_div(fen.as.number, decimal_from_int(100), &yuan);
    export_cell_value(x, money ? v_number(decimal_round(yuan, 2, ROUND_HALF_EVEN)) : v_lit(""));
}

static Status export_all(Request *rq, const Figures *f, const FigureScope *scope, Export *x,
                         Error *err) {
    Str after = S("");
    do {
        ARENA_AUTO page = arena_create(EXPORT_PAGE_MEMORY_MAX);
        Value found;
        Status st = figure_records(f, rq->db, rq->params[0], scope, after, FIGURE_PAGE_MAX, page,
                                   &found, err);
        if (st != OK) return st;
        Value rows = v_get_lit(found, "rows");
        if (rows.kind != V_LIST) {
            return error_set(err, INVALID, S("figure"),
                             "这个指标由公式算出，请导出它的各个组成部分");
        }
        for (uint32_t i = 0; i < rows.len; i++) export_row(rq, x, v_at(rows, i));
        after = arena_str(rq->arena, v_text(v_get_lit(found, "next")));
        if (after.len && export_rows(x) >= EXPORT_FIGURE_ROWS_MAX) {
            return error_set(err, LIMIT, S(""), "超过一次可导出的 {1} 行，请缩小筛选范围",
                             arena_printf(rq->arena, "%d", EXPORT_FIGURE_ROWS_MAX));
        }
    } while (after.len);
    return OK;
}

static Status figure_export(Request *rq, Reply *reply, Errors *errs) {
    const Figures *f;
    FigureScope scope;
    Day newest = 0;
    Export *x;
    bool xlsx = str_eq(rq->params[1], S("xlsx"));
    if (!xlsx && !str_eq(rq->params[1], S("csv"))) {
        return errors_add(errs, NOT_FOUND, S(""), "没有这个页面");
    }
    Status st = scope_of(rq, &scope, &newest, errs);
    if (st != OK) return st;
    PAGE_TRY(errs, pages_figures(rq->app, &f, &e));
    PAGE_TRY(errs, export_start(rq, xlsx, columns, sizeof columns / sizeof *columns, &x, &e));
    Error err = {.status = OK};
    st = export_all(rq, f, &scope, x, &err);
    if (st != OK) {
        export_drop(x);
        err.status = st;
        return errors_push(errs, &err);
    }
    Str name = arena_printf(rq->arena, "%.*s-%.*s", S_FMT(rq->params[0]),
                            S_FMT(day_format(scope.to, rq->arena)));
    PAGE_TRY(errs, export_finish(x, reply, name, &e));
    return OK;
}

const Route records_routes[] = {
    {METHOD_GET, "/figures", ROLES_OFFICIAL, figures_page, NULL, false},
    {METHOD_GET, "/figures/:code", ROLES_OFFICIAL, figure_page, NULL, false},
    {METHOD_GET, "/figures/:code/:format", ROLES_OFFICIAL, figure_export, NULL, false},
};
const size_t records_routes_count = sizeof records_routes / sizeof *records_routes;
