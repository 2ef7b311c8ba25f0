// The records behind a figure, newest first. The WHERE is the one the figure was counted with;
// pages go on by (instant, id) of the last row, so every page costs the same.
#include "figures/figures_internal.h"

typedef struct Columns {
    const char *id, *select, *join;
} Columns;

// The unary plus: rows come by their instant, and names are looked up for those that are shown.
static const Columns columns[] = {
    [SOURCE_CASES] = {"c.id",
                      "c.number, i.name, i.name_en, u.name, u.name_en, p.name, p.kind, c.state,"
                      " c.outcome, c.channel, c.overdue",
                      " JOIN item i ON i.id = +c.item_id JOIN unit u ON u.id = +c.unit_id"
                      " JOIN party p ON p.id = +c.party_id"},
    [SOURCE_HANDLINGS] = {"e.id",
                          "c.number, i.name, i.name_en, u.name, u.name_en, e.kind, e.handling",
                          " JOIN item i ON i.id = +c.item_id JOIN unit u ON u.id = +c.unit_id"},
    [SOURCE_RATINGS] = {"r.id", "'', i.name, i.name_en, u.name, u.name_en, r.grade, r.comment",
                        " JOIN item i ON i.id = +c.item_id JOIN unit u ON u.id = +c.unit_id"},
    [SOURCE_LEDGER] = {"l.id",
                       "c.number, i.name, i.name_en, u.name, u.name_en, p.name, p.kind,"
                       " l.amount_fen, l.note",
                       " JOIN item i ON i.id = +c.item_id JOIN unit u ON u.id = +c.unit_id"
                       " JOIN party p ON p.id = +l.party_id"},
};

static Value party_name(Query *q, int col, Arena *a) {
    Str name = query_col_str(q, col);
    bool natural = query_col_int(q, col + 1) == 1;
    return v_str(natural ? mask_name(name, a) : arena_str(a, name));
}

static Value channel_name(int64_t handling) {
    return handling == HANDLING_ONLINE ? v_lit("online") : v_lit("window");
}

// The rater is confidential (GB/T 39734-2020): neither the case nor the minute, by which a rating
// and its handling could be put side by side.
static void hide_rater(ContextBuilder *b, Instant at) {
    context_put(b, S("number"), v_lit(""));
    context_put(b, S("id"), v_null());
    context_put(b, S("at"), v_day(instant_day(at)));
}

// Columns 0 and 1 are the row's instant and id; 2 … 6 the same for every source.
static Value record_row(Query *q, Source source, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("at"), v_instant(query_col_int(q, 0), a));
    context_put_new(&b, S("id"), v_int(query_col_int(q, 1)));
    context_put_new(&b, S("number"), v_str(query_col_keep(q, 2, a)));
    context_put_new(&b, S("item"), v_str(query_col_keep(q, 3, a)));
    context_put_new(&b, S("item_en"), v_str(query_col_keep(q, 4, a)));
    context_put_new(&b, S("unit"), v_str(query_col_keep(q, 5, a)));
    context_put_new(&b, S("unit_en"), v_str(query_col_keep(q, 6, a)));
    switch (source) {
    case SOURCE_CASES:
        context_put_new(&b, S("applicant"), party_name(q, 7, a));
        context_put_new(&b, S("state"), v_str(case_state_name((CaseState)query_col_int(q, 9))));
        context_put_new(&b, S("outcome"), v_str(outcome_name((CaseOutcome)query_col_int(q, 10))));
        context_put_new(&b, S("channel"), channel_name(query_col_int(q, 11)));
        context_put_new(&b, S("overdue"), v_bool(query_col_int(q, 12) != 0));
        break;
    case SOURCE_HANDLINGS:
        if (str_eq(query_col_str(q, 7), S("case.rated"))) hide_rater(&b, query_col_int(q, 0));
        context_put_new(&b, S("act"), v_str(event_kind_name(query_col_keep(q, 7, a))));
        context_put_new(&b, S("channel"), channel_name(query_col_int(q, 8)));
        break;
    case SOURCE_RATINGS:
        hide_rater(&b, query_col_int(q, 0));
        context_put_new(&b, S("grade"), v_int(query_col_int(q, 7)));
        context_put_new(&b, S("comment"), v_str(query_col_keep(q, 8, a)));
        break;
    case SOURCE_LEDGER:
        context_put_new(&b, S("applicant"), party_name(q, 7, a));
        context_put_new(&b, S("amount_fen"), v_int(query_col_int(q, 9)));
        context_put_new(&b, S("note"), v_str(query_col_keep(q, 10, a)));
        break;
    case SOURCE_FORMULA: break;
    }
    return context_done(&b);
}

// The cursor is "instant.id"; a wrong one shows the first page.
static bool cursor_read(Str after, int64_t *at, int64_t *id) {
    Str rest = after;
    Str first = str_cut(&rest, '.');
    return str_to_int(first, at) && str_to_int(rest, id);
}

static Status read_rows(const Indicator *in, Db *db, const FigureScope *scope, Str after,
                        uint32_t size, Arena *a, ContextBuilder *out, Error *err) {
    const Columns *c = &columns[in->source];
    int64_t at, id, last_at = 0, last_id = 0;
    Sql s = sql_make(a);
    sql_lit(&s, "SELECT ");
    sql_lit(&s, in->at);
    sql_lit(&s, ", ");
    sql_lit(&s, c->id);
    sql_lit(&s, ", ");
    sql_lit(&s, c->select);
    sql_lit(&s, source_from(in->source));
    sql_lit(&s, c->join);
    sql_where(&s, in, scope);
    if (cursor_read(after, &at, &id)) {
        sql_lit(&s, " AND (");
        sql_lit(&s, in->at);
        sql_lit(&s, ", ");
        sql_lit(&s, c->id);
        sql_lit(&s, ") < (");
        sql_param(&s, v_int(at));
        sql_lit(&s, ", ");
        sql_param(&s, v_int(id));
        sql_lit(&s, ")");
    }
    sql_lit(&s, " ORDER BY 1 DESC, 2 DESC LIMIT ");
    sql_param(&s, v_int(size + 1));
    Query *q = sql_query(&s, db, a);
    ListBuilder rows = list_make(a);
    bool more = false;
    while (query_next(q)) {
        if (rows.len == size) {
            more = true;
            continue;
        }
        last_at = query_col_int(q, 0);
        last_id = query_col_int(q, 1);
        list_add(&rows, record_row(q, in->source, a));
    }
    context_put_new(out, S("rows"), list_done(&rows));
    if (more) {
        context_put_new(
            out, S("next"),
            v_str(arena_printf(a, "%lld.%lld", (long long)last_at, (long long)last_id)));
    }
    return query_done(q, err);
}

static Status formula_parts(const Figures *f, const Indicator *in, Db *db, const FigureScope *scope,
                            Arena *a, ContextBuilder *out, Error *err) {
    ListBuilder parts = list_make(a);
    for (size_t i = 0; i < in->reads_count; i++) {
        Value v;
        Status st = figure_compute(f, db, in->reads[i], scope, a, &v, err);
        if (st != OK) return st;
        Value part = v_with(figure_about(f, in->reads[i], a), S("value"), v, a);
        list_add(&parts,
                 v_with(part, S("text"), v_str(figure_print(f, in->reads[i], v, S("zh"), a)), a));
    }
    context_put_new(out, S("parts"), list_done(&parts));
    return OK;
}

Status figure_records(const Figures *f, Db *db, Str code, const FigureScope *scope, Str after,
                      uint32_t page_size, Arena *a, Value *ret, Error *err) {
    static const Str kinds[] = {S_INIT("formula"), S_INIT("cases"), S_INIT("handlings"),
                                S_INIT("ratings"), S_INIT("ledger")};
    const Indicator *in = indicator_find(f, code);
    if (!in) return error_set(err, NOT_FOUND, S("figure"), "没有指标“{1}”", code);
    if (page_size < 1 || page_size > FIGURE_PAGE_MAX) page_size = 20;
    ContextBuilder b = context_make(a);
    Value value;
    Status st = figure_compute(f, db, code, scope, a, &value, err);
    if (st != OK) return st;
    context_put_new(&b, S("figure"), figure_about(f, code, a));
    context_put_new(&b, S("kind"), v_str(kinds[in->source]));
    context_put_new(&b, S("value"), value);
    context_put_new(&b, S("text"), v_str(figure_print(f, code, value, S("zh"), a)));
    context_put_new(&b, S("from"), v_day(scope->from));
    context_put_new(&b, S("to"), v_day(scope->to));
    st = in->formula ? formula_parts(f, in, db, scope, a, &b, err)
                     : read_rows(in, db, scope, after, page_size, a, &b, err);
    if (st == OK) *ret = context_done(&b);
    return st;
}
