// The cockpit's copies: one for each scope asked for lately, computed by the background worker and
// replaced whole. A request copies the newest out under a lock held for that copy alone; only the
// very first question about a scope waits for its computation.
#include "figures/cockpit.h"
#include "figures/figures_internal.h"

#include <pthread.h>
#include <stdlib.h>

enum { COPY_MEMORY_MAX = 64 << 20, SCOPE_CODE_MAX = 64, TREND_DAYS = 400, TOP_UNITS = 30 };

typedef struct Copy {
    FigureScope scope;
    char unit[SCOPE_CODE_MAX], town[SCOPE_CODE_MAX];
    bool whole_year; // the default scope: its days follow the data
    Arena *arena;    // owns `model`
    Value model;
    int64_t last_event; // what was committed when it was computed
    Day day;            // lights depend on the day
    Instant asked_at;
} Copy;

struct Cockpit {
    const Figures *figures;
    Store *store;
    pthread_mutex_t lock;
    pthread_mutex_t first; // held while a scope is computed for the first time
    Copy copies[COCKPIT_KEEP_MAX];
    size_t count;
    int64_t rest_until_us; // of the monotonic clock: see cockpit_refresh
};

Status cockpit_create(const Figures *f, Store *s, Cockpit **ret, Error *err) {
    Cockpit *c = calloc(1, sizeof *c);
    if (!c || pthread_mutex_init(&c->lock, NULL) != 0 || pthread_mutex_init(&c->first, NULL) != 0) {
        free(c);
        return error_set(err, LIMIT, S("cockpit"), "内存不足");
    }
    c->figures = f;
    c->store = s;
    *ret = c;
    return OK;
}

void cockpit_free(Cockpit *c) {
    if (!c) return;
    for (size_t i = 0; i < c->count; i++) arena_free(c->copies[i].arena);
    pthread_mutex_destroy(&c->lock);
    pthread_mutex_destroy(&c->first);
    free(c);
}

// The newest event that a figure can depend on: that somebody came or went changes none.
static Status last_event(Db *db, int64_t *ret, Error *err) {
    Query *q = query(db, "SELECT COALESCE((SELECT id FROM event WHERE kind NOT LIKE 'session.%'"
                         " ORDER BY id DESC LIMIT 1), 0)");
    return query_one_int(q, ret, err);
}

// From 1 January of the newest case's year to the newest case's day.
static Status default_days(Db *db, Instant now, FigureScope *scope, Error *err) {
    int64_t newest = 0;
    Status st =
        query_one_int(query(db, "SELECT COALESCE(MAX(received_at), 0) FROM cases"), &newest, err);
    if (st != OK) return st;
    scope->to = instant_day(newest ? newest : now);
    Civil first = {day_to_civil(scope->to).year, 1, 1};
    scope->from = day_from_civil(first);
    return OK;
}

// The walks that most of it is made from.
typedef struct Walks {
    const Tally *accepted, *decided;
} Walks;

static Status put_series(const Figures *f, Db *db, const FigureScope *scope, const Walks *w,
                         Str name, Str code, Str by, uint32_t most, ContextBuilder *b,
                         Error *err) {
    Value v = v_null();
    bool has = false;
    const Indicator *in = indicator_find(f, code);
    Status st = tally_series(w->accepted, db, in, by, most, b->arena, &v, &has, err);
    if (st == OK && !has)
        st = tally_series(w->decided, db, in, by, most, b->arena, &v, &has, err);
    if (st == OK && !has) st = figure_series(f, db, code, by, scope, most, b->arena, &v, err);
    if (st == OK) context_put(b, name, v);
    return st;
}

static Status put_lights(Db *db, const FigureScope *scope, Day today, ContextBuilder *out,
                         Error *err) {
    Query *q =
        query(db, "SELECT SUM(CASE WHEN c.promised_due_day < ?1 THEN 1 ELSE 0 END),"
                  " SUM(CASE WHEN c.promised_due_day >= ?1 AND c.warn_day <= ?1 THEN 1 ELSE 0 END),"
                  " SUM(CASE WHEN c.warn_day > ?1 THEN 1 ELSE 0 END)"
                  " FROM cases c WHERE c.promised_due_day IS NOT NULL AND c.decided_at IS NULL"
                  " AND c.closed_at IS NULL AND (?2 = '' OR c.unit_id = (SELECT id FROM unit"
                  " WHERE code = ?2))");
    query_int(q, 1, today);
    query_str(q, 2, scope->unit);
    ContextBuilder b = context_make(out->arena);
    if (query_next(q)) {
        context_put_new(&b, S("red"), v_int(query_col_int(q, 0)));
        context_put_new(&b, S("yellow"), v_int(query_col_int(q, 1)));
        context_put_new(&b, S("green"), v_int(query_col_int(q, 2)));
    }
    context_put(out, S("lights"), context_done(&b));
    return query_done(q, err);
}

static Status put_figures(const Figures *f, Db *db, const FigureScope *scope, const Walks *w,
                          ContextBuilder *out, Error *err) {
    Value values;
    Status st =
        figures_from(f, db, scope, w->accepted, w->decided, out->arena, &values, err);
    if (st != OK) return st;
    ContextBuilder texts = context_make(out->arena);
    for (size_t i = 0; i < values.len; i++) {
        const Entry *e = &values.as.entries[i];
        context_put(&texts, e->key, v_str(figure_print(f, e->key, e->value, S("zh"), out->arena)));
    }
    context_put(out, S("figures"), values);
    context_put(out, S("texts"), context_done(&texts));
    return OK;
}

static Status compute(Cockpit *c, Db *db, const FigureScope *scope, Instant now, Arena *a,
                      Value *ret, Error *err) {
    ContextBuilder b = context_make(a);
    context_put(&b, S("as_of"), v_instant(now, a));
    context_put(&b, S("from"), v_day(scope->from));
    context_put(&b, S("to"), v_day(scope->to));
    context_put(&b, S("unit"), v_str(arena_str(a, scope->unit)));
    context_put(&b, S("town"), v_str(arena_str(a, scope->town)));
    Walks w;
    Status st = tally_make(c->figures, db, scope, "c.accepted_at", a, &w.accepted, err);
    if (st == OK) st = tally_make(c->figures, db, scope, "c.decided_at", a, &w.decided, err);
    if (st == OK) st = put_figures(c->figures, db, scope, &w, &b, err);
    static const struct {
        Str name, code, by;
        uint32_t most;
    } series[] = {
        {S_INIT("days"), S_INIT("cases_accepted"), S_INIT("day"), TREND_DAYS},
        {S_INIT("days_completed"), S_INIT("cases_completed"), S_INIT("day"), TREND_DAYS},
        {S_INIT("units"), S_INIT("cases_accepted"), S_INIT("unit"), TOP_UNITS},
        {S_INIT("towns"), S_INIT("cases_accepted"), S_INIT("town"), TOP_UNITS},
        {S_INIT("items"), S_INIT("cases_accepted"), S_INIT("item"), 10},
        {S_INIT("grades"), S_INIT("ratings"), S_INIT("grade"), 5},
    };
    for (size_t i = 0; st == OK && i < sizeof series / sizeof *series; i++) {
        st = put_series(c->figures, db, scope, &w, series[i].name, series[i].code, series[i].by,
                        series[i].most, &b, err);
    }
    if (st == OK) st = put_lights(db, scope, instant_day(now), &b, err);
    if (st == OK) *ret = context_done(&b);
    return st;
}

static bool same_scope(const Copy *copy, const FigureScope *s, bool whole_year) {
    bool days = whole_year
                    ? copy->whole_year
                    : !copy->whole_year && copy->scope.from == s->from && copy->scope.to == s->to;
    return days && str_eq(copy->scope.unit, s->unit) && str_eq(copy->scope.town, s->town);
}

static void code_copy(char *into, Str *code) {
    size_t n = code->len < SCOPE_CODE_MAX ? code->len : 0;
    if (n) memcpy(into, code->ptr, n);
    *code = str_of(into, n);
}

// A place for a new scope: a free one, or that of the one not asked for longest.
static Copy *place(Cockpit *c) {
    if (c->count < COCKPIT_KEEP_MAX) return &c->copies[c->count++];
    Copy *oldest = &c->copies[0];
    for (size_t i = 1; i < c->count; i++) {
        if (c->copies[i].asked_at < oldest->asked_at) oldest = &c->copies[i];
    }
    arena_free(oldest->arena);
    *oldest = (Copy){0};
    return oldest;
}

typedef struct Fresh {
    FigureScope scope;
    Arena *arena;
    Value model;
    int64_t last_event;
    Day day;
} Fresh;

static Status compute_fresh(Cockpit *c, FigureScope scope, bool whole_year, Instant now, Fresh *ret,
                            Error *err) {
    DB_AUTO db = NULL;
    Fresh f = {.scope = scope, .day = instant_day(now)};
    Status st = store_read(c->store, &db, err);
    if (st != OK) return st;
    f.arena = arena_create(COPY_MEMORY_MAX);
    st = last_event(db, &f.last_event, err);
    if (st == OK && whole_year) st = default_days(db, now, &f.scope, err);
    if (st == OK) st = compute(c, db, &f.scope, now, f.arena, &f.model, err);
    if (st != OK) {
        arena_free(f.arena);
        return st;
    }
    *ret = f;
    return OK;
}

static void keep(Cockpit *c, const FigureScope *asked, bool whole_year, Instant now, Fresh *fresh) {
    pthread_mutex_lock(&c->lock);
    Copy *copy = NULL;
    for (size_t i = 0; i < c->count && !copy; i++) {
        if (same_scope(&c->copies[i], asked, whole_year)) copy = &c->copies[i];
    }
    if (!copy) {
        copy = place(c);
        copy->asked_at = now;
        copy->whole_year = whole_year;
        copy->scope = *asked;
        code_copy(copy->unit, &copy->scope.unit);
        code_copy(copy->town, &copy->scope.town);
    }
    arena_free(copy->arena);
    copy->scope.from = fresh->scope.from;
    copy->scope.to = fresh->scope.to;
    copy->arena = fresh->arena;
    copy->model = fresh->model;
    copy->last_event = fresh->last_event;
    copy->day = fresh->day;
    pthread_mutex_unlock(&c->lock);
}

static bool read_copy(Cockpit *c, const FigureScope *scope, bool whole_year, Instant now, Arena *a,
                      Value *ret) {
    bool found = false;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->count && !found; i++) {
        Copy *copy = &c->copies[i];
        if (!same_scope(copy, scope, whole_year)) continue;
        copy->asked_at = now;
        *ret = v_copy(copy->model, a);
        found = true;
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

// Whatever changes a record leaves an event (law 1): without a newer one the copy's figures are
// what counting again would give.
static bool fresh_copy(Cockpit *c, const FigureScope *s, int64_t newest, Arena *a, Value *ret) {
    bool found = false;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->count && !found; i++) {
        const Copy *copy = &c->copies[i];
        found = copy->arena && copy->last_event == newest && copy->scope.from == s->from &&
                copy->scope.to == s->to && str_eq(copy->scope.unit, s->unit) &&
                str_eq(copy->scope.town, s->town);
        if (found) *ret = v_copy(v_get_lit(copy->model, "figures"), a);
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

Status cockpit_figures(Cockpit *c, Db *db, const FigureScope *scope, Arena *a, Value *ret,
                       Error *err) {
    int64_t newest = 0;
    Status st = last_event(db, &newest, err);
    if (st != OK || fresh_copy(c, scope, newest, a, ret)) return st;
    return figures_compute(c->figures, db, scope, a, ret, err);
}

// One scope is computed at a time, and a scope once, however many ask for it: after a start the
// walls of the whole county do, and each counting for itself would keep all the others waiting.
static Status first_copy(Cockpit *c, const FigureScope *scope, bool whole_year, Instant now,
                         Arena *a, Value *ret, Error *err) {
    Fresh fresh;
    Status st = OK;
    pthread_mutex_lock(&c->first);
    if (!read_copy(c, scope, whole_year, now, a, ret)) { // nobody made it meanwhile
        st = compute_fresh(c, *scope, whole_year, now, &fresh, err);
        if (st == OK) {
            *ret = v_copy(fresh.model, a);
            keep(c, scope, whole_year, now, &fresh);
        }
    }
    pthread_mutex_unlock(&c->first);
    return st;
}

Status cockpit_model(Cockpit *c, const FigureScope *scope, Instant now, Arena *a, Value *ret,
                     Error *err) {
    bool whole_year = scope->from == 0 && scope->to == 0;
    if (!whole_year && scope->to < scope->from) {
        return error_set(err, INVALID, S("to"), "结束日期不能早于开始日期");
    }
    if (read_copy(c, scope, whole_year, now, a, ret)) return OK;
    return first_copy(c, scope, whole_year, now, a, ret, err);
}

// Nobody should be the first to wait: this year's copy is made before anyone asks.
static Status make_first(Cockpit *c, Instant now, Error *err) {
    ARENA_AUTO a = arena_create(COPY_MEMORY_MAX);
    FigureScope whole_year = {0};
    Value model;
    return first_copy(c, &whole_year, true, now, a, &model, err);
}

static Status refresh_all(Cockpit *c, Instant now, Error *err) {
    for (size_t i = 0;; i++) {
        pthread_mutex_lock(&c->lock);
        bool end = i >= c->count;
        Copy at = end ? (Copy){0} : c->copies[i];
        char unit[SCOPE_CODE_MAX], town[SCOPE_CODE_MAX]; // the copy may be replaced meanwhile
        if (!end) {
            memcpy(unit, at.unit, sizeof unit);
            memcpy(town, at.town, sizeof town);
            at.scope.unit.ptr = unit;
            at.scope.town.ptr = town;
        }
        pthread_mutex_unlock(&c->lock);
        if (end) return OK;
        int64_t newest = 0;
        DB_AUTO db = NULL;
        Status st = store_read(c->store, &db, err);
        if (st == OK) st = last_event(db, &newest, err);
        if (st != OK) return st;
        store_release(db);
        db = NULL;
        if (newest == at.last_event && at.day == instant_day(now)) continue;
        Fresh fresh;
        st = compute_fresh(c, at.scope, at.whole_year, now, &fresh, err);
        if (st != OK) return st;
        keep(c, &at.scope, at.whole_year, now, &fresh);
    }
}

// Whatever the county has grown to, computing takes at most a tenth of one core: a long round is
// followed by a rest of nine times its length.
Status cockpit_refresh(Cockpit *c, Instant now, Error *err) {
    int64_t began = clock_monotonic_us();
    if (began < c->rest_until_us) return OK;
    pthread_mutex_lock(&c->lock);
    bool empty = c->count == 0;
    pthread_mutex_unlock(&c->lock);
    Status st = empty ? make_first(c, now, err) : refresh_all(c, now, err);
    int64_t ended = clock_monotonic_us();
    c->rest_until_us = ended + (ended - began) * 9;
    return st;
}
