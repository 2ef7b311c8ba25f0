// One walk over the cases of a period, by acceptance or by decision, that counts for several
// figures and their series at once. The rows come from the index by that instant alone; what is
// asked of a case's item is looked up in a table of items read beforehand.
//
// A figure is tallied only when all its conditions have a second form here (Condition.check); the
// rest is left to its own statement. figures_test.c holds both against one another.
//
// Limits: TALLY_IDS_MAX for the ids of items and units, FIGURE_SERIES_MAX days; passing one means
// that nothing is tallied.
#include "figures/figures_internal.h"

#include <stdlib.h>

enum { TALLY_FIGURES_MAX = 8, TALLY_IDS_MAX = 1 << 20 };

typedef struct Line { // one figure
    const Indicator *in;
    bool *items;      // by id: does the item fulfil its conditions?
    int64_t channel;  // 0: any
    int64_t count;
    int64_t *by_day, *by_unit, *by_town, *by_item;
} Line;

struct Tally {
    FigureScope scope;
    int64_t units, items; // one more than the greatest id
    Line lines[TALLY_FIGURES_MAX];
    size_t count;
};

bool tally_fits(const Indicator *in, const char *at) {
    if (in->formula || in->source != SOURCE_CASES || strcmp(in->measure, "COUNT(*)") != 0 ||
        strcmp(in->at, at) != 0)
        return false;
    for (size_t i = 0; i < in->where_count; i++) {
        Check check = in->where[i].check;
        bool in_index = check != CHECK_CHANNEL || strcmp(at, "c.accepted_at") == 0;
        if (check == CHECK_NONE || !in_index) return false;
    }
    return true;
}

static bool item_fits(const Indicator *in, int64_t audience, int64_t kind, int64_t bundle) {
    for (size_t i = 0; i < in->where_count; i++) {
        const Condition *c = &in->where[i];
        if (c->check == CHECK_PUBLIC && audience <= 0) return false;
        if (c->check == CHECK_KIND && kind != v_to_int(c->value, -1)) return false;
        if (c->check == CHECK_BUNDLE && bundle != 1) return false;
    }
    return true;
}

static Status read_items(Tally *t, Db *db, Error *err) {
    Query *q = query(db, "SELECT id, audience, case_kind, is_bundle FROM item");
    while (query_next(q)) {
        int64_t id = query_col_int(q, 0);
        if (id < 0 || id >= t->items) continue;
        for (size_t i = 0; i < t->count; i++)
            t->lines[i].items[id] = item_fits(t->lines[i].in, query_col_int(q, 1),
                                              query_col_int(q, 2), query_col_int(q, 3));
    }
    return query_done(q, err);
}

static void make_lines(Tally *t, const Figures *f, const char *at, Arena *a) {
    size_t days = (size_t)(t->scope.to - t->scope.from) + 1;
    for (size_t i = 0; i < f->count && t->count < TALLY_FIGURES_MAX; i++) {
        const Indicator *in = &f->items[i];
        if (!tally_fits(in, at)) continue;
        Line *line = &t->lines[t->count++];
        *line = (Line){.in = in,
                       .items = arena_array(a, bool, (size_t)t->items),
                       .by_day = arena_array(a, int64_t, days),
                       .by_unit = arena_array(a, int64_t, (size_t)t->units),
                       .by_town = arena_array(a, int64_t, (size_t)t->units),
                       .by_item = arena_array(a, int64_t, (size_t)t->items)};
        for (size_t k = 0; k < in->where_count; k++)
            if (in->where[k].check == CHECK_CHANNEL)
                line->channel = v_to_int(in->where[k].value, -1);
    }
}

static void add_row(Tally *t, Day day, int64_t item, int64_t unit, int64_t town, int64_t channel) {
    if (item < 0 || item >= t->items || unit < 0 || unit >= t->units || town >= t->units) return;
    for (size_t i = 0; i < t->count; i++) {
        Line *line = &t->lines[i];
        if (!line->items[item] || (line->channel && line->channel != channel)) continue;
        line->count++;
        line->by_day[day - t->scope.from]++;
        line->by_unit[unit]++;
        line->by_item[item]++;
        if (town > 0) line->by_town[town]++;
    }
}

static Status walk(Tally *t, Db *db, const char *at, Arena *a, Error *err) {
    // The indexes by department and town lack the item: each row would be looked up.
    Indicator all = {.source = SOURCE_CASES, .at = at, .by_instant = true};
    Sql s = sql_make(a);
    sql_lit(&s, "SELECT ");
    sql_lit(&s, at);
    sql_lit(&s, ", c.item_id, c.unit_id, COALESCE(c.town_id, 0), ");
    sql_lit(&s, strcmp(at, "c.accepted_at") == 0 ? "c.channel" : "0");
    sql_lit(&s, " FROM cases c");
    sql_where(&s, &all, &t->scope);
    Query *q = sql_query(&s, db, a);
    while (query_next(q))
        add_row(t, instant_day(query_col_int(q, 0)), query_col_int(q, 1), query_col_int(q, 2),
                query_col_int(q, 3), query_col_int(q, 4));
    return query_done(q, err);
}

Status tally_make(const Figures *f, Db *db, const FigureScope *scope, const char *at, Arena *a,
                  const Tally **ret, Error *err) {
    Tally *t = arena_new(a, Tally);
    t->scope = *scope;
    *ret = NULL;
    Status st = query_one_int(query(db, "SELECT COALESCE(MAX(id), 0) + 1 FROM unit"), &t->units,
                              err);
    if (st == OK)
        st = query_one_int(query(db, "SELECT COALESCE(MAX(id), 0) + 1 FROM item"), &t->items, err);
    if (st != OK || t->units > TALLY_IDS_MAX || t->items > TALLY_IDS_MAX ||
        scope->to < scope->from || scope->to - scope->from >= FIGURE_SERIES_MAX)
        return st;
    make_lines(t, f, at, a);
    if (t->count == 0) return OK;
    st = read_items(t, db, err);
    if (st == OK) st = walk(t, db, at, a, err);
    if (st == OK) *ret = t;
    return st;
}

static const Line *line_of(const Tally *t, const Indicator *in) {
    for (size_t i = 0; t && i < t->count; i++)
        if (t->lines[i].in == in) return &t->lines[i];
    return NULL;
}

bool tally_count(const Tally *t, const Indicator *in, int64_t *ret) {
    const Line *line = line_of(t, in);
    if (line) *ret = line->count;
    return line != NULL;
}

// ---- series

static Value entry_of(Value key, Str name, Str name_en, int64_t n, bool named, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("key"), key);
    context_put_new(&b, S("name"), v_str(name));
    if (named) context_put_new(&b, S("name_en"), v_str(name_en));
    context_put_new(&b, S("value"), v_int(n));
    return context_done(&b);
}

static Value days_of(const Tally *t, const Line *line, Arena *a) {
    ListBuilder list = list_make(a);
    for (Day d = t->scope.from; d <= t->scope.to; d++) {
        int64_t n = line->by_day[d - t->scope.from];
        if (n) list_add(&list, entry_of(v_day(d), day_format(d, a), S(""), n, false, a));
    }
    return list_done(&list);
}

typedef struct Part {
    Str code, name, name_en;
    int64_t n;
} Part;

static int larger_first(const void *x, const void *y) {
    const Part *a = x, *b = y;
    return a->n != b->n ? (a->n < b->n ? 1 : -1) : str_cmp(a->code, b->code);
}

static Status parts_of(const int64_t *counts, int64_t ids, const char *sql, Db *db, uint32_t most,
                       Arena *a, Value *ret, Error *err) {
    Part *parts = arena_array(a, Part, (size_t)ids);
    size_t count = 0;
    Query *q = query(db, sql);
    while (query_next(q)) {
        int64_t id = query_col_int(q, 0);
        if (id < 0 || id >= ids || !counts[id]) continue;
        parts[count++] = (Part){query_col_keep(q, 1, a), query_col_keep(q, 2, a),
                                query_col_keep(q, 3, a), counts[id]};
    }
    Status st = query_done(q, err);
    if (st != OK) return st;
    if (count) qsort(parts, count, sizeof *parts, larger_first);
    ListBuilder list = list_make(a);
    for (size_t i = 0; i < count && i < most; i++)
        list_add(&list, entry_of(v_str(parts[i].code), parts[i].name, parts[i].name_en, parts[i].n,
                                 true, a));
    *ret = list_done(&list);
    return OK;
}

Status tally_series(const Tally *t, Db *db, const Indicator *in, Str by, uint32_t most, Arena *a,
                    Value *ret, bool *ret_has, Error *err) {
    static const char *const units = "SELECT id, code, name, name_en FROM unit";
    const Line *line = line_of(t, in);
    *ret_has = true;
    if (line && str_eq(by, S("day"))) {
        *ret = days_of(t, line, a);
        return OK;
    }
    if (line && str_eq(by, S("unit")))
        return parts_of(line->by_unit, t->units, units, db, most, a, ret, err);
    if (line && str_eq(by, S("town")))
        return parts_of(line->by_town, t->units, units, db, most, a, ret, err);
    if (line && str_eq(by, S("item")))
        return parts_of(line->by_item, t->items, "SELECT id, code, name, name_en FROM item", db,
                        most, a, ret, err);
    *ret_has = false;
    return OK;
}
