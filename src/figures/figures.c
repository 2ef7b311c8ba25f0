// Indicators: read from data, turned into one SQL condition each, counted.
//
// Everything SQL here is a literal of this file; what comes from an indicator's file or from a
// request is bound. A condition that is not in the tables below does not exist.
#include "base/embed.h"
#include "figures/figures_internal.h"

enum { FORMULA_DEPTH_MAX = 10 };

const char *source_from(Source s) {
    switch (s) {
    case SOURCE_CASES: return " FROM cases c";
    case SOURCE_HANDLINGS: return " FROM event e JOIN cases c ON c.id = e.case_id";
    case SOURCE_RATINGS: return " FROM rating r JOIN cases c ON c.id = r.case_id";
    case SOURCE_LEDGER: return " FROM ledger_entry l JOIN cases c ON c.id = l.case_id";
    case SOURCE_FORMULA: break;
    }
    return "";
}

typedef struct Known {
    Str name;
    Source source; // SOURCE_FORMULA: any
    const char *before, *after;
    Check check;
} Known;

// `after` NULL: a switch, which must be true. The unary plus keeps a database from walking the
// cases item by item: the index by instant holds everything these counts need.
static const Known conditions[] = {
    {S_INIT("public"), SOURCE_CASES, "+c.item_id IN (SELECT id FROM item WHERE audience > 0)",
     NULL, CHECK_PUBLIC},
    {S_INIT("overdue"), SOURCE_CASES, "c.overdue = 1", NULL, CHECK_NONE},
    {S_INIT("kind"), SOURCE_CASES, "+c.item_id IN (SELECT id FROM item WHERE case_kind = ", ")",
     CHECK_KIND},
    {S_INIT("bundle"), SOURCE_CASES, "+c.item_id IN (SELECT id FROM item WHERE is_bundle = 1)",
     NULL, CHECK_BUNDLE},
    {S_INIT("item"), SOURCE_FORMULA, "c.item_id = (SELECT id FROM item WHERE code = ", ")",
     CHECK_NONE},
    {S_INIT("state"), SOURCE_CASES, "c.state = ", "", CHECK_NONE},
    {S_INIT("outcome"), SOURCE_CASES, "c.outcome = ", "", CHECK_NONE},
    {S_INIT("grade_min"), SOURCE_RATINGS, "r.grade >= ", "", CHECK_NONE},
    {S_INIT("grade_max"), SOURCE_RATINGS, "r.grade <= ", "", CHECK_NONE},
    {S_INIT("ledger"), SOURCE_LEDGER, "l.ledger = ", "", CHECK_NONE},
};

typedef struct Word {
    Str name;
    Source source;
    const char *sql;
} Word;

static const Word instants[] = {
    {S_INIT("received"), SOURCE_CASES, "c.received_at"},
    {S_INIT("accepted"), SOURCE_CASES, "c.accepted_at"},
    {S_INIT("decided"), SOURCE_CASES, "c.decided_at"},
    {S_INIT("closed"), SOURCE_CASES, "c.closed_at"},
    {S_INIT(""), SOURCE_HANDLINGS, "e.at"},
    {S_INIT(""), SOURCE_RATINGS, "r.rated_at"},
    {S_INIT(""), SOURCE_LEDGER, "l.booked_at"},
};

static const Word measures[] = {
    {S_INIT("count"), SOURCE_FORMULA, "COUNT(*)"},
    {S_INIT("parties"), SOURCE_CASES, "COUNT(DISTINCT c.party_id)"},
    {S_INIT("parties"), SOURCE_LEDGER, "COUNT(DISTINCT l.party_id)"},
    {S_INIT("sum"), SOURCE_LEDGER, "COALESCE(SUM(l.amount_fen), 0)"},
};

static const char *word_find(const Word *table, size_t n, Str name, Source source) {
    for (size_t i = 0; i < n; i++) {
        bool here = table[i].source == source || table[i].source == SOURCE_FORMULA;
        if (here && str_eq(table[i].name, name)) return table[i].sql;
    }
    return NULL;
}

// ---- reading ----

static Status read_condition(Indicator *in, const Entry *e, Error *err) {
    if (in->where_count == FIGURE_WHERE_MAX) {
        return error_set(err, LIMIT, in->code, "指标的条件过多");
    }
    Condition *c = &in->where[in->where_count];
    if (str_eq(e->key, S("channel"))) { // of the act, not of the case
        bool online = str_eq(v_text(e->value), S("online"));
        const char *column = in->source == SOURCE_HANDLINGS ? "e.handling = " : "c.channel = ";
        Check check = in->source == SOURCE_CASES ? CHECK_CHANNEL : CHECK_NONE;
        *c = (Condition){column, "", v_int(online ? HANDLING_ONLINE : HANDLING_WINDOW), check};
        in->where_count++;
        return OK;
    }
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        const Known *k = &conditions[i];
        if (!str_eq(k->name, e->key) || (k->source != in->source && k->source != SOURCE_FORMULA)) {
            continue;
        }
        if (!k->after && !v_true(e->value)) {
            return error_set(err, INVALID, in->code, "指标条件“{1}”只能为 true", e->key);
        }
        *c = (Condition){k->before, k->after, e->value, k->check};
        in->where_count++;
        return OK;
    }
    return error_set(err, INVALID, in->code, "指标条件“{1}”不认识", e->key);
}

static Status read_source(Indicator *in, Error *err) {
    static const struct {
        Str name;
        Source source;
    } sources[] = {{S_INIT("cases"), SOURCE_CASES},
                   {S_INIT("handlings"), SOURCE_HANDLINGS},
                   {S_INIT("ratings"), SOURCE_RATINGS},
                   {S_INIT("ledger"), SOURCE_LEDGER}};
    Str from = v_text(v_get_lit(in->spec, "from"));
    for (size_t i = 0; i < 4; i++) {
        if (str_eq(sources[i].name, from)) in->source = sources[i].source;
    }
    if (in->source == SOURCE_FORMULA) {
        return error_set(err, INVALID, in->code, "指标的记录来源“{1}”不认识", from);
    }
    in->at = word_find(instants, sizeof instants / sizeof *instants,
                       v_text(v_get_lit(in->spec, "at")), in->source);
    in->measure = word_find(measures, sizeof measures / sizeof *measures,
                            v_text(v_get_lit(in->spec, "measure")), in->source);
    if (!in->at || !in->measure) {
        return error_set(err, INVALID, in->code, "指标的计时点或计算方式不适用于来源“{1}”", from);
    }
    Value where = v_get_lit(in->spec, "where");
    for (size_t i = 0; where.kind == V_CONTEXT && i < where.len; i++) {
        Status st = read_condition(in, &where.as.entries[i], err);
        if (st != OK) return st;
    }
    return OK;
}

static Status read_indicator(Value spec, Arena *a, Indicator *in, Error *err) {
    *in = (Indicator){.code = v_text(v_get_lit(spec, "code")), .spec = spec};
    in->money = v_true(v_get_lit(spec, "money"));
    if (str_empty(in->code) || str_empty(v_text(v_get_lit(spec, "name")))) {
        return error_set(err, INVALID, in->code, "指标缺少编码或名称");
    }
    Str formula = v_text(v_get_lit(spec, "formula"));
    if (str_empty(formula)) return read_source(in, err);
    Status st = feel_parse(formula, NULL, 0, a, &in->formula, err);
    if (st != OK) return st;
    feel_reads(in->formula, a, &in->reads, &in->reads_count);
    return OK;
}

const Indicator *indicator_find(const Figures *f, Str code) {
    for (size_t i = 0; i < f->count; i++) {
        if (str_eq(f->items[i].code, code)) return &f->items[i];
    }
    return NULL;
}

static Status formulas_check(const Figures *f, const Indicator *in, int depth, Error *err) {
    if (depth > FORMULA_DEPTH_MAX) {
        return error_set(err, INVALID, in->code, "指标公式互相引用，无法计算");
    }
    for (size_t i = 0; i < in->reads_count; i++) {
        const Indicator *other = indicator_find(f, in->reads[i]);
        if (!other) {
            return error_set(err, INVALID, in->code, "公式引用的指标“{1}”不存在", in->reads[i]);
        }
        Status st = formulas_check(f, other, depth + 1, err);
        if (st != OK) return st;
    }
    return OK;
}

static Status figures_add(Figures *f, Str file, Str json, Arena *a, Error *err) {
    Value list;
    Status st = json_parse(json, JSON_STRICT, (JsonLimits){0}, a, &list, err);
    for (uint32_t i = 0; st == OK && i < list.len && list.kind == V_LIST; i++) {
        if (f->count == FIGURES_MAX) return error_set(err, LIMIT, file, "指标过多");
        Indicator in;
        st = read_indicator(v_at(list, i), a, &in, err);
        if (st == OK && indicator_find(f, in.code)) {
            st = error_set(err, INVALID, in.code, "指标编码“{1}”重复", in.code);
        }
        if (st == OK) f->items[f->count++] = in;
    }
    if (st != OK) error_at(err, file);
    return st;
}

static Status figures_finish(Figures *f, const Figures **ret, Error *err) {
    for (size_t i = 0; i < f->count; i++) {
        Status st = formulas_check(f, &f->items[i], 0, err);
        if (st != OK) return st;
    }
    *ret = f;
    return OK;
}

static Figures *figures_empty(Arena *a) {
    Figures *f = arena_new(a, Figures);
    f->items = arena_array(a, Indicator, FIGURES_MAX);
    return f;
}

Status figures_parse(Str file, Str json, Arena *a, const Figures **ret, Error *err) {
    Figures *f = figures_empty(a);
    Status st = figures_add(f, file, json, a, err);
    return st == OK ? figures_finish(f, ret, err) : st;
}

Status figures_load(Arena *a, const Figures **ret, Error *err) {
    Figures *f = figures_empty(a);
    for (size_t i = 0; i < embed_count(); i++) {
        const EmbeddedFile *file = embed_at(i);
        if (!str_starts(file->path, S("figures/")) || !str_ends(file->path, S(".json"))) continue;
        Status st = figures_add(f, file->path, file->data, a, err);
        if (st != OK) return st;
    }
    return figures_finish(f, ret, err);
}

size_t figures_count(const Figures *f) { return f->count; }
Str figure_code(const Figures *f, size_t i) { return f->items[i].code; }

Value figure_about(const Figures *f, Str code, Arena *a) {
    const Indicator *in = indicator_find(f, code);
    if (!in) return v_null();
    if (!in->formula) return in->spec;
    ListBuilder parts = list_make(a);
    for (size_t i = 0; i < in->reads_count; i++) list_add(&parts, v_str(in->reads[i]));
    return v_with(in->spec, S("parts"), list_done(&parts), a);
}

// ---- counting ----

Sql sql_make(Arena *a) { return (Sql){.text = buf_make(a, 512, 16384)}; }
void sql_lit(Sql *s, const char *literal) { buf_str(&s->text, str_z(literal)); }
void sql_param(Sql *s, Value v) {
    s->params[s->count++] = v;
    buf_char(&s->text, '?');
    buf_int(&s->text, s->count);
}

Query *sql_query(Sql *s, Db *db, Arena *a) {
    Query *q = query(db, arena_cstr(a, buf_view(&s->text)));
    for (int i = 0; i < s->count; i++) query_value(q, i + 1, s->params[i]);
    return q;
}

void sql_where(Sql *s, const Indicator *in, const FigureScope *scope) {
    sql_lit(s, " WHERE ");
    sql_lit(s, in->at);
    sql_lit(s, " >= ");
    sql_param(s, v_int(day_instant(scope->from, 0)));
    sql_lit(s, " AND ");
    sql_lit(s, in->at);
    sql_lit(s, " < ");
    sql_param(s, v_int(day_instant(scope->to + 1, 0)));
    if (in->source == SOURCE_HANDLINGS) sql_lit(s, " AND e.handling > 0");
    for (size_t i = 0; i < in->where_count; i++) {
        const Condition *c = &in->where[i];
        sql_lit(s, " AND ");
        sql_lit(s, c->before);
        if (!c->after) continue;
        sql_param(s, c->value);
        sql_lit(s, c->after);
    }
    if (!str_empty(scope->unit)) {
        sql_lit(s, in->by_instant ? " AND +c.unit_id" : " AND c.unit_id");
        sql_lit(s, " = (SELECT id FROM unit WHERE code = ");
        sql_param(s, v_str(scope->unit));
        sql_lit(s, ")");
    }
    if (!str_empty(scope->town)) {
        sql_lit(s, in->by_instant ? " AND +c.town_id" : " AND c.town_id");
        sql_lit(s, " = (SELECT id FROM unit WHERE code = ");
        sql_param(s, v_str(scope->town));
        sql_lit(s, ")");
    }
}

// An act is counted without its case when nothing of the case is asked: the index alone answers.
static const char *cheapest_from(const Indicator *in, const FigureScope *scope) {
    bool narrow = !str_empty(scope->unit) || !str_empty(scope->town);
    for (size_t i = 0; i < in->where_count; i++) {
        narrow = narrow || strstr(in->where[i].before, "c.") != NULL;
    }
    if (narrow) return source_from(in->source);
    if (in->source == SOURCE_HANDLINGS) return " FROM event e";
    if (in->source == SOURCE_RATINGS) return " FROM rating r";
    return source_from(in->source);
}

static Status count_one(const Indicator *in, Db *db, const FigureScope *scope, Arena *a, Value *ret,
                        Error *err) {
    Sql s = sql_make(a);
    sql_lit(&s, "SELECT ");
    sql_lit(&s, in->measure);
    sql_lit(&s, cheapest_from(in, scope));
    sql_where(&s, in, scope);
    int64_t n = 0;
    Status st = query_one_int(sql_query(&s, db, a), &n, err);
    if (st == OK) *ret = v_int(n);
    return st;
}

static Status formula_value(const Figures *f, Db *db, const Indicator *in, const FigureScope *scope,
                            Arena *a, Value *ret, Error *err) {
    ContextBuilder b = context_make(a);
    for (size_t i = 0; i < in->reads_count; i++) {
        Value v;
        Status st = figure_compute(f, db, in->reads[i], scope, a, &v, err);
        if (st != OK) return st;
        context_put(&b, in->reads[i], v);
    }
    FeelScope names = {.variables = context_done(&b)};
    FeelRun run = {.arena = a, .scope = &names};
    *ret = feel_eval(&run, in->formula);
    return OK;
}

Status figure_compute(const Figures *f, Db *db, Str code, const FigureScope *scope, Arena *a,
                      Value *ret, Error *err) {
    const Indicator *in = indicator_find(f, code);
    if (!in) return error_set(err, NOT_FOUND, S("figure"), "没有指标“{1}”", code);
    return in->formula ? formula_value(f, db, in, scope, a, ret, err)
                       : count_one(in, db, scope, a, ret, err);
}

Status figures_from(const Figures *f, Db *db, const FigureScope *scope, const Tally *accepted,
                    const Tally *decided, Arena *a, Value *ret, Error *err) {
    ContextBuilder b = context_make(a);
    for (int formulas = 0; formulas < 2; formulas++) { // counts first: formulas read them
        for (size_t i = 0; i < f->count; i++) {
            const Indicator *in = &f->items[i];
            if ((in->formula != NULL) != (formulas == 1)) continue;
            Value v;
            int64_t n;
            if (in->formula) {
                FeelScope names = {.variables = context_done(&b)};
                FeelRun run = {.arena = a, .scope = &names};
                v = feel_eval(&run, in->formula);
            } else if (tally_count(accepted, in, &n) || tally_count(decided, in, &n)) {
                v = v_int(n);
            } else {
                Status st = count_one(in, db, scope, a, &v, err);
                if (st != OK) return st;
            }
            context_put(&b, in->code, v);
        }
    }
    *ret = context_done(&b);
    return OK;
}

// A walk pays when it counts for more than one figure.
static Status tally_several(const Figures *f, Db *db, const FigureScope *scope, const char *at,
                            Arena *a, const Tally **ret, Error *err) {
    size_t several = 0;
    for (size_t i = 0; i < f->count; i++) several += tally_fits(&f->items[i], at);
    *ret = NULL;
    return several > 1 ? tally_make(f, db, scope, at, a, ret, err) : OK;
}

Status figures_compute(const Figures *f, Db *db, const FigureScope *scope, Arena *a, Value *ret,
                       Error *err) {
    const Tally *accepted, *decided;
    Status st = tally_several(f, db, scope, "c.accepted_at", a, &accepted, err);
    if (st == OK) st = tally_several(f, db, scope, "c.decided_at", a, &decided, err);
    return st == OK ? figures_from(f, db, scope, accepted, decided, a, ret, err) : st;
}

// ---- series ----

typedef struct Dimension {
    Str name;
    const char *column, *table; // of the record; what names its values, NULL: nothing
} Dimension;

static const Dimension dimensions[] = {
    {S_INIT("unit"), "c.unit_id", "unit"}, {S_INIT("town"), "c.town_id", "unit"},
    {S_INIT("item"), "c.item_id", "item"}, {S_INIT("channel"), "c.channel", NULL},
    {S_INIT("grade"), "r.grade", NULL},
};

static Status series_by_day(const Indicator *in, Db *db, const FigureScope *scope, Arena *a,
                            Value *ret, Error *err) {
    Sql s = sql_make(a);
    sql_lit(&s, "SELECT (");
    sql_lit(&s, in->at);
    sql_lit(&s, " + 28800000) / 86400000, ");
    sql_lit(&s, in->measure);
    sql_lit(&s, cheapest_from(in, scope));
    sql_where(&s, in, scope);
    sql_lit(&s, " GROUP BY 1 ORDER BY 1");
    Query *q = sql_query(&s, db, a);
    ListBuilder list = list_make(a);
    while (query_next(q) && list.len < FIGURE_SERIES_MAX) {
        ContextBuilder b = context_make(a);
        Day d = (Day)query_col_int(q, 0);
        context_put_new(&b, S("key"), v_day(d));
        context_put_new(&b, S("name"), v_str(day_format(d, a)));
        context_put_new(&b, S("value"), v_int(query_col_int(q, 1)));
        list_add(&list, context_done(&b));
    }
    *ret = list_done(&list);
    return query_done(q, err);
}

// Counted by the number of the thing, named afterwards: names are looked up once each.
static void series_sql(Sql *s, const Indicator *in, const Dimension *d, const FigureScope *scope) {
    sql_lit(s, d->table ? "SELECT t.code, t.name, t.name_en, g.n FROM (SELECT "
                        : "SELECT g.k, '', '', g.n FROM (SELECT ");
    sql_lit(s, d->column);
    sql_lit(s, " AS k, ");
    sql_lit(s, in->measure);
    sql_lit(s, " AS n");
    sql_lit(s, d->column[0] == 'r' ? cheapest_from(in, scope) : source_from(in->source));
    sql_where(s, in, scope);
    sql_lit(s, " GROUP BY ");
    sql_lit(s, d->column);
    sql_lit(s, ") AS g");
    if (d->table) {
        sql_lit(s, " JOIN ");
        sql_lit(s, d->table);
        sql_lit(s, " t ON t.id = g.k");
    }
    sql_lit(s, " ORDER BY g.n DESC, 1 LIMIT ");
}

static Status series_by(const Indicator *in, Db *db, const Dimension *d, const FigureScope *scope,
                        uint32_t most, Arena *a, Value *ret, Error *err) {
    Sql s = sql_make(a);
    series_sql(&s, in, d, scope);
    sql_param(&s, v_int(most));
    Query *q = sql_query(&s, db, a);
    ListBuilder list = list_make(a);
    while (query_next(q)) {
        ContextBuilder b = context_make(a);
        Value key = d->table ? v_str(query_col_keep(q, 0, a)) : v_int(query_col_int(q, 0));
        context_put_new(&b, S("key"), key);
        context_put_new(&b, S("name"), v_str(query_col_keep(q, 1, a)));
        context_put_new(&b, S("name_en"), v_str(query_col_keep(q, 2, a)));
        context_put_new(&b, S("value"), v_int(query_col_int(q, 3)));
        list_add(&list, context_done(&b));
    }
    *ret = list_done(&list);
    return query_done(q, err);
}

Status figure_series(const Figures *f, Db *db, Str code, Str by, const FigureScope *scope,
                     uint32_t most, Arena *a, Value *ret, Error *err) {
    const Indicator *in = indicator_find(f, code);
    if (!in || in->formula) return error_set(err, NOT_FOUND, S("figure"), "没有指标“{1}”", code);
    if (str_eq(by, S("day"))) return series_by_day(in, db, scope, a, ret, err);
    for (size_t i = 0; i < sizeof dimensions / sizeof *dimensions; i++) {
        const Dimension *d = &dimensions[i];
        bool fits = d->column[0] != 'r' || in->source == SOURCE_RATINGS;
        if (str_eq(d->name, by) && fits) return series_by(in, db, d, scope, most, a, ret, err);
    }
    return error_set(err, INVALID, S("by"), "指标不能按“{1}”分组", by);
}

// ---- print ----

static Str grouped(int64_t n, Arena *a) {
    Str digits = arena_printf(a, "%lld", (long long)(n < 0 ? -n : n));
    Buf b = buf_make(a, 32, 64);
    if (n < 0) buf_char(&b, '-');
    for (size_t i = 0; i < digits.len; i++) {
        if (i && (digits.len - i) % 3 == 0) buf_char(&b, ',');
        buf_char(&b, digits.ptr[i]);
    }
    return buf_view(&b);
}

// People speak of 万元 and 亿元; with two digits unless they are zero.
static Str money(int64_t fen, Str lang, Arena *a) {
    if (str_eq(lang, S("en"))) {
        return arena_printf(a, "CNY %.*s.%02d", S_FMT(grouped(fen / 100, a)), (int)(fen % 100));
    }
    bool yi = fen >= 10000000000;
    int64_t unit = yi ? 10000000000 : 1000000; // fen in 亿 and 万
    if (fen < unit) {
        return arena_printf(a, "%lld.%02d%s", (long long)(fen / 100), (int)(fen % 100), "元");
    }
    int64_t hundredths = (fen * 100 + unit / 2) / unit;
    return arena_printf(a, "%.*s.%02d%s", S_FMT(grouped(hundredths / 100, a)),
                        (int)(hundredths % 100), yi ? "亿元" : "万元");
}

Str figure_print(const Figures *f, Str code, Value v, Str lang, Arena *a) {
    const Indicator *in = indicator_find(f, code);
    if (!in || v_is_null(v)) return S("—");
    if (in->money) return money(v_to_int(v, 0), lang, a);
    if (in->formula || !decimal_is_integer(v.as.number)) return v_to_str(v, a);
    return grouped(v_to_int(v, 0), a);
}
