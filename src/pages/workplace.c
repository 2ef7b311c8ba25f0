// Shared by the pages of the workplace: see workplace.h. Exports are in export.c.
#include "pages/workplace.h"

Status work_units(Request *rq, Str kind, Str chosen, Value *ret, Error *err) {
    Value units;
    Status st = unit_list(rq->db, rq->arena, &units, err);
    if (st != OK) return st;
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < units.len; i++) {
        Value u = v_at(units, i);
        if (kind.len && !str_eq(v_text(v_get_lit(u, "kind")), kind)) continue;
        ContextBuilder b = context_make(rq->arena);
        Str code = v_text(v_get_lit(u, "code"));
        context_put_lit(&b, "code", v_str(code));
        context_put_lit(&b, "name", page_named(rq, u, S("name"), S("name_en")));
        context_put_lit(&b, "kind", v_get_lit(u, "kind"));
        context_put_lit(&b, "id", v_get_lit(u, "id"));
        context_put_lit(&b, "chosen", v_bool(str_eq(code, chosen)));
        list_add(&list, context_done(&b));
    }
    *ret = list_done(&list);
    return OK;
}

Value work_named_row(const Request *rq, Value row) {
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "item_name", page_named(rq, row, S("item"), S("item_en")));
    context_put_lit(&b, "unit_name", page_named(rq, row, S("unit"), S("unit_en")));
    return v_merge(row, context_done(&b), rq->arena);
}

Value work_with(const Request *rq, Value query, Str name, Str value) {
    ContextBuilder b = context_make(rq->arena);
    for (uint32_t i = 0; query.kind == V_CONTEXT && i < query.len; i++) {
        const Entry *e = &query.as.entries[i];
        if (!str_eq(e->key, name)) context_put_new(&b, e->key, e->value);
    }
    if (value.len) context_put_new(&b, name, v_str(value));
    return context_done(&b);
}

Value work_options(const Request *rq, const char *const pairs[][2], size_t count, Str chosen) {
    ListBuilder list = list_make(rq->arena);
    for (size_t i = 0; i < count; i++) {
        ContextBuilder b = context_make(rq->arena);
        Str value = str_z(pairs[i][0]);
        context_put_lit(&b, "value", v_str(value));
        context_put_lit(&b, "label", v_str(request_tr(rq, pairs[i][1])));
        context_put_lit(&b, "chosen", v_bool(str_eq(value, chosen)));
        list_add(&list, context_done(&b));
    }
    return list_done(&list);
}

bool work_command(Request *rq, Str command, Value input, Value *ret, Errors *wrong) {
    return request_command(rq, command, input, ret, wrong) == OK;
}

// ---- periods ---------------------------------------------------------------------------------

static bool query_day(const Request *rq, Str name, Day *ret, bool *ret_given, Errors *errs) {
    Str text = request_query(rq, name);
    if (!text.len) return true;
    *ret_given = true;
    if (day_parse(text, ret)) return true;
    errors_add(errs, INVALID, name, "日期应写成 2023-05-31 的样子，并且确有这一天");
    return false;
}

Status work_period(const Request *rq, Day otherwise_from, Day otherwise_to, FigureScope *ret,
                   bool *ret_given, Errors *errs) {
    FigureScope s = {.from = otherwise_from,
                     .to = otherwise_to,
                     .unit = request_query(rq, S("unit")),
                     .town = request_query(rq, S("town"))};
    bool given = false;
    bool fine = query_day(rq, S("from"), &s.from, &given, errs);
    fine = query_day(rq, S("to"), &s.to, &given, errs) && fine;
    if (!fine) return INVALID;
    if (s.to < s.from) return errors_add(errs, INVALID, S("to"), "结束日期不能早于开始日期");
    *ret = s;
    *ret_given = given;
    return OK;
}

Status work_default_days(Request *rq, Day *ret_from, Day *ret_to, Error *err) {
    int64_t newest = 0;
    Status st = query_one_int(query(rq->db, "SELECT COALESCE(MAX(received_at), 0) FROM cases"),
                              &newest, err);
    if (st != OK) return st;
    *ret_to = instant_day(newest ? newest : rq->now);
    *ret_from = day_from_civil((Civil){day_to_civil(*ret_to).year, 1, 1});
    return OK;
}

static void preset(const Request *rq, ListBuilder *list, Str path, const FigureScope *now,
                   const char *label, Day from, Day to) {
    ContextBuilder q = context_make(rq->arena), b = context_make(rq->arena);
    context_put_lit(&q, "from", v_str(day_format(from, rq->arena)));
    context_put_lit(&q, "to", v_str(day_format(to, rq->arena)));
    context_put_lit(&q, "unit", v_str(now->unit));
    context_put_lit(&q, "town", v_str(now->town));
    context_put_lit(&b, "label", v_str(request_tr(rq, label)));
    context_put_lit(&b, "href", v_str(page_href(rq->arena, path, context_done(&q))));
    context_put_lit(&b, "active", v_bool(now->from == from && now->to == to));
    list_add(list, context_done(&b));
}

Value work_presets(const Request *rq, Str path, const FigureScope *scope, Day newest) {
    ListBuilder list = list_make(rq->arena);
    Civil c = day_to_civil(newest);
    Day year = day_from_civil((Civil){c.year, 1, 1});
    Day month = day_from_civil((Civil){c.year, c.month, 1});
    Day half = day_from_civil((Civil){c.year, 6, 30});
    int32_t last_month = c.month == 1 ? 12 : c.month - 1;
    int32_t last_year = c.month == 1 ? c.year - 1 : c.year;
    Day before = day_from_civil((Civil){last_year, last_month, 1});
    preset(rq, &list, path, scope, T("今年至今"), year, newest);
    preset(rq, &list, path, scope, T("上半年"), year, half);
    preset(rq, &list, path, scope, T("本月"), month, newest);
    preset(rq, &list, path, scope, T("上月"), before, month - 1);
    preset(rq, &list, path, scope, T("近 7 天"), newest - 6, newest);
    return list_done(&list);
}
