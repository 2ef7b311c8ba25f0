// All cases (办件) by filters that stand in the address, so that a filtered list is a link; page by
// page by cursor, and exported whole up to EXPORT_ROWS_MAX.
#include "pages/workplace.h"

enum { CASES_PAGE = 50, EXPORT_PAGE_MEMORY_MAX = 16 << 20, NUMBER_MAX = 21 };

static const Str filter_names[] = {
    S_INIT("q"),    S_INIT("state"),   S_INIT("light"), S_INIT("unit"), S_INIT("town"),
    S_INIT("item"), S_INIT("channel"), S_INIT("from"),  S_INIT("to"),   S_INIT("overdue"),
};

static Value filter_of(const Request *rq, int64_t size) {
    ContextBuilder b = context_make(rq->arena);
    for (size_t i = 0; i < sizeof filter_names / sizeof *filter_names; i++) {
        Str text = request_query(rq, filter_names[i]);
        int64_t n;
        bool number = str_eq(filter_names[i], S("state"));
        if (!text.len) continue;
        if (str_eq(filter_names[i], S("overdue"))) context_put_new(&b, S("overdue"), v_bool(true));
        else if (!number) context_put_new(&b, filter_names[i], v_str(text));
        else if (str_to_int(text, &n)) context_put_new(&b, S("state"), v_int(n));
    }
    context_put_lit(&b, "after", v_str(request_query(rq, S("after"))));
    context_put_lit(&b, "page_size", v_int(size));
    return context_done(&b);
}

static Value only_filters(const Request *rq) {
    ContextBuilder b = context_make(rq->arena);
    for (size_t i = 0; i < sizeof filter_names / sizeof *filter_names; i++) {
        Str text = request_query(rq, filter_names[i]);
        if (text.len) context_put_new(&b, filter_names[i], v_str(text));
    }
    return context_done(&b);
}

static Status put_choices(Request *rq, ContextBuilder *b, Error *err) {
    static const char *const lights[][2] = {
        {"green", T("在期限内")}, {"yellow", T("快到期")}, {"red", T("已超期")}};
    static const char *const channels[][2] = {{"window", T("窗口")}, {"online", T("网上")}};
    ListBuilder states = list_make(rq->arena);
    for (int i = CASE_RECEIVED; i < CASE_STATE_COUNT; i++) {
        ContextBuilder o = context_make(rq->arena);
        Str value = arena_printf(rq->arena, "%d", i);
        context_put_lit(&o, "value", v_str(value));
        context_put_lit(&o, "label", v_str(case_state_name((CaseState)i)));
        context_put_lit(&o, "chosen", v_bool(str_eq(value, request_query(rq, S("state")))));
        list_add(&states, context_done(&o));
    }
    context_put_lit(b, "states", list_done(&states));
    context_put_lit(b, "lights", work_options(rq, lights, 3, request_query(rq, S("light"))));
    context_put_lit(b, "channels", work_options(rq, channels, 2, request_query(rq, S("channel"))));
    Value units, towns;
    Status st = work_units(rq, S(""), request_query(rq, S("unit")), &units, err);
    if (st == OK) st = work_units(rq, S("town"), request_query(rq, S("town")), &towns, err);
    if (st != OK) return st;
    context_put_lit(b, "units", units);
    context_put_lit(b, "towns", towns);
    return OK;
}

static Status put_item(Request *rq, ContextBuilder *b, Error *err) {
    Str code = request_query(rq, S("item"));
    if (!code.len) return OK;
    Query *q = query(rq->db, "SELECT name, name_en FROM item WHERE code = ?1");
    query_str(q, 1, code);
    if (query_next(q)) {
        bool en = str_eq(rq->lang, S("en")) && query_col_str(q, 1).len;
        context_put_lit(b, "item_filter", v_str(query_col_keep(q, en ? 1 : 0, rq->arena)));
    }
    return query_done(q, err);
}

static Status cases(Request *rq, Reply *reply, Errors *errs) {
    Value found, filters = only_filters(rq);
    PAGE_TRY(errs, case_list(page_cases(), rq->db, &rq->actor, filter_of(rq, CASES_PAGE), rq->now,
                             rq->arena, &found, &e));
    Value rows = v_get_lit(found, "rows");
    // A whole number is one case: straight to it.
    Str q = request_query(rq, S("q"));
    if (!rq->wants_json && q.len == NUMBER_MAX && rows.len == 1 && case_number_valid(q)) {
        reply_redirect(reply, arena_printf(rq->arena, "/case/%.*s", S_FMT(q)));
        return OK;
    }
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < rows.len; i++) list_add(&list, work_named_row(rq, v_at(rows, i)));
    ContextBuilder b = context_make(rq->arena);
    PAGE_TRY(errs, put_choices(rq, &b, &e));
    PAGE_TRY(errs, put_item(rq, &b, &e));
    for (size_t i = 0; i < sizeof filter_names / sizeof *filter_names; i++) {
        Str key = arena_printf(rq->arena, "f_%.*s", S_FMT(filter_names[i]));
        context_put_new(&b, key, v_str(request_query(rq, filter_names[i])));
    }
    context_put_lit(&b, "rows", list_done(&list));
    context_put_lit(&b, "filtered", v_bool(filters.len > 0));
    context_put_lit(&b, "csv_href", v_str(page_href(rq->arena, S("/cases.csv"), filters)));
    context_put_lit(&b, "xlsx_href", v_str(page_href(rq->arena, S("/cases.xlsx"), filters)));
    context_put_lit(&b, "export_max", v_int(EXPORT_ROWS_MAX));
    Value next = v_get_lit(found, "next");
    if (!v_is_null(next)) {
        Value to = work_with(rq, filters, S("after"), v_to_str(next, rq->arena));
        context_put_lit(&b, "next_href", v_str(page_href(rq->arena, S("/cases"), to)));
    }
    if (request_query(rq, S("after")).len) {
        context_put_lit(&b, "prev_href", v_str(page_href(rq->arena, S("/cases"), filters)));
    }
    reply_page(rq, reply, "work/cases", v_merge(found, context_done(&b), rq->arena));
    return OK;
}

// ---- export ----------------------------------------------------------------------------------

static const ExportColumn columns[] = {
    {T("办件编号"), 24, false}, {T("事项"), 40, false},     {T("申请人"), 14, false},
    {T("部门"), 28, false},     {T("状态"), 10, false},     {T("结果"), 10, false},
    {T("渠道"), 8, false},      {T("收件日期"), 12, false}, {T("受理日期"), 12, false},
    {T("承诺期限"), 12, false}, {T("办结日期"), 12, false}, {T("是否超期"), 10, false},
};

static void export_row(Request *rq, Export *x, Value row) {
    const App *app = rq->app;
    bool en = str_eq(rq->lang, S("en")),
         online = str_eq(v_text(v_get_lit(row, "channel")), S("online"));
    Str state = v_text(v_get_lit(row, "state_name")), outcome = v_text(v_get_lit(row, "outcome"));
    if (en && app->translate) {
        state = app->translate(app->english, state);
        outcome = outcome.len ? app->translate(app->english, outcome) : outcome;
    }
    export_cell_value(x, v_get_lit(row, "number"));
    export_cell_value(x, page_named(rq, row, S("item"), S("item_en")));
    export_cell_value(x, v_get_lit(row, "applicant"));
    export_cell_value(x, page_named(rq, row, S("unit"), S("unit_en")));
    export_cell(x, state);
    export_cell(x, outcome);
    export_cell(x, request_tr(rq, online ? T("网上") : T("窗口")));
    export_cell_value(x, v_get_lit(row, "received"));
    export_cell_value(x, v_get_lit(row, "accepted"));
    export_cell_value(x, v_get_lit(row, "due"));
    export_cell_value(x, v_get_lit(row, "decided"));
    export_cell(x, request_tr(rq, v_true(v_get_lit(row, "overdue")) ? T("是") : T("否")));
}

// Page by page, each in an arena of its own: memory does not grow with the rows.
static Status export_all(Request *rq, Export *x, Error *err) {
    Value filter = filter_of(rq, CASE_LIST_MAX);
    char after[48] = ""; // the cursor outlives its page's arena
    do {
        ARENA_AUTO page = arena_create(EXPORT_PAGE_MEMORY_MAX);
        Value at = *after ? v_with(filter, S("after"), v_str(str_z(after)), page) : filter, found;
        Status st = case_list(page_cases(), rq->db, &rq->actor, at, rq->now, page, &found, err);
        if (st != OK) return st;
        Value rows = v_get_lit(found, "rows");
        for (uint32_t i = 0; i < rows.len; i++) export_row(rq, x, v_at(rows, i));
        Str next = v_text(v_get_lit(found, "next"));
        if (next.len >= sizeof after) return error_set(err, BROKEN, S("after"), "列表无法继续");
        if (next.len) memcpy(after, next.ptr, next.len);
        after[next.len] = 0;
        if (*after && export_rows(x) >= EXPORT_ROWS_MAX) {
            return error_set(err, LIMIT, S(""), "超过一次可导出的 {1} 行，请缩小筛选范围",
                             arena_printf(rq->arena, "%d", EXPORT_ROWS_MAX));
        }
    } while (*after);
    return OK;
}

static Status cases_export(Request *rq, Reply *reply, Errors *errs) {
    Export *x;
    bool xlsx = str_ends(rq->path, S(".xlsx"));
    PAGE_TRY(errs, export_start(rq, xlsx, columns, sizeof columns / sizeof *columns, &x, &e));
    Error err = {.status = OK};
    Status st = export_all(rq, x, &err);
    if (st != OK) {
        export_drop(x);
        err.status = st;
        return errors_push(errs, &err);
    }
    Str day = day_format(instant_day(rq->now), rq->arena);
    PAGE_TRY(errs, export_finish(x, reply, arena_printf(rq->arena, "cases-%.*s", S_FMT(day)), &e));
    return OK;
}

const Route cases_routes[] = {
    {METHOD_GET, "/cases", ROLES_OFFICIAL, cases, NULL, false},
    {METHOD_GET, "/cases.csv", ROLES_OFFICIAL, cases_export, NULL, false},
    {METHOD_GET, "/cases.xlsx", ROLES_OFFICIAL, cases_export, NULL, false},
};
const size_t cases_routes_count = sizeof cases_routes / sizeof *cases_routes;
