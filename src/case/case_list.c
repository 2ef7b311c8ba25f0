// Lists of cases. Conditions are literals with bound parameters. A list is in the order
// of the index that its period walks (accepted, decided, received), else of the id, newest first,
// and pages go on by a cursor on that order: page 1,000 costs what page 1 does. Names are masked
// here, whoever asks.
#include "case/case_internal.h"

enum {
    COUNT_MAX = 10000,
    COUNT_ROWS_MAX = 1000, // where every row has to be looked at
    PAGE_DEFAULT = 20,
};

#define LIST_COLUMNS                                                                             \
    "c.id, c.number, c.state, c.outcome, c.channel, c.received_at, c.accepted_at, c.decided_at," \
    " c.promised_due_day, c.warn_day, c.paused, c.overdue, c.closed_at, i.name, i.name_en,"      \
    " u.name, u.name_en, p.name, p.kind"
// The unary plus: a list is walked in its order and the names looked up for the rows it shows. Else
// the database may take department after department and sort all of their cases.
#define LIST_FROM                                                                     \
    " FROM cases c JOIN item i ON i.id = +c.item_id JOIN unit u ON u.id = +c.unit_id" \
    " JOIN party p ON p.id = +c.party_id"

typedef struct Filter {
    Buf where;
    Value params[20];
    int count;
    const char *order; // the instant the list is ordered by; NULL: the id
    bool found;        // a few rows were looked up by another index: sort them, don't walk the ids
    Buf named;         // the condition by name: of the list, when it is not that of the count
    Buf counted;
    bool open;         // cases not decided: they have small indexes of their own
    int64_t count_max;
    Arena *arena;
} Filter;

enum {
    NAME_SEARCH_MIN = 2,    // characters; a surname alone is a tenth of the county
    PARTIES_FEW = 500,      // with a name that begins so; more are not looked up one by one
    NUMBER_SEARCH_MIN = 14, // digits of a case number: region and day
    CITIZEN_ID_LEN = 18,
};

// `condition` is a literal with one %d for the parameter's number.
static void filter_add(Filter *f, const char *before, Value v, const char *after) {
    buf_lit(&f->where, " AND ");
    buf_str(&f->where, str_z(before));
    buf_lit(&f->where, "?");
    f->params[f->count++] = v;
    buf_int(&f->where, f->count);
    buf_str(&f->where, str_z(after));
}

// A period: days [from, to] of an instant, by which the list is then ordered. Rows found by a name
// or number, and open cases, are few: their period is checked, not walked. For open cases not even
// that there is an instant may follow from the condition, or the database walks an index of those
// that have one.
static void filter_period(Filter *f, Value filter, Str from, Str to, const char *column) {
    Day d;
    Arena *a = f->arena;
    const char *walk = f->found ? "+" : "";
    Str low = arena_printf(a, "%s%s >= ", walk, column),
        high = arena_printf(a, "%s%s < ", walk, column);
    if (f->open) {
        low = arena_printf(a, "COALESCE(%s, -1) >= ", column);
        high = arena_printf(a, "COALESCE(%s, %lld) < ", column, (long long)INT64_MAX);
    }
    if (v_to_day(v_get(filter, from), &d)) {
        filter_add(f, arena_cstr(a, low), v_int(day_instant(d, 0)), "");
        f->order = column;
    }
    if (v_to_day(v_get(filter, to), &d)) {
        filter_add(f, arena_cstr(a, high), v_int(day_instant(d + 1, 0)), "");
        f->order = column;
    }
}

// Cases not yet decided, and those that ended without a decision, have small indexes of their own;
// saying so lets the database use them.
static void filter_state(Filter *f, Value filter) {
    int64_t state = input_int(filter, S("state"));
    if (!state) return;
    filter_add(f, "c.state = ", v_int(state), "");
    if (state == CASE_DECIDED || state == CASE_DELIVERED) {
        f->count_max = COUNT_ROWS_MAX;
        return;
    }
    buf_str(&f->where, state > CASE_DELIVERED ? S(" AND c.state > 5")
                                              : S(" AND c.decided_at IS NULL"));
    f->open = true;
}
_Static_assert(CASE_DELIVERED == 5, "the index cases_ended says so too");

static Str upper_bound(Str prefix, Arena *a) {
    // The first string after everything that begins with `prefix`, for an index range.
    return arena_printf(a, "%.*s\xf4\x8f\xbf\xbf", S_FMT(prefix));
}

static Status few_parties(Db *db, Str name, Str until, bool *ret, Error *err) {
    int64_t n = 0;
    Query *q = query(db, "SELECT COUNT(*) FROM (SELECT 1 FROM party WHERE name >= ?1 AND name <= ?2"
                         " LIMIT ?3) AS counted");
    query_str(q, 1, name);
    query_str(q, 2, until);
    query_int(q, 3, PARTIES_FEW + 1);
    Status st = query_one_int(q, &n, err);
    *ret = n <= PARTIES_FEW;
    return st;
}

// By the beginning of a name, or a whole credit code. Where few are called so, their cases are
// looked up and sorted; else the list walks its order and takes whose applicant is called so.
static Status filter_name(Filter *f, Db *db, Str q, Error *err) {
    Str until = upper_bound(q, f->arena);
    Status st = few_parties(db, q, until, &f->found, err);
    if (st != OK) return st;
    f->params[f->count] = v_str(q);
    f->params[f->count + 1] = v_str(until);
    int name = f->count + 1;
    f->count += 2;
    buf_printf(&f->counted,
               " AND c.party_id IN (SELECT id FROM party WHERE name >= ?%d AND name <= ?%d"
               " UNION SELECT id FROM party WHERE id_number = ?%d)",
               name, name + 1, name);
    if (f->found) buf_str(&f->named, buf_view(&f->counted));
    else
        buf_printf(&f->named,
                   " AND ((p.name || '' >= ?%d AND p.name || '' <= ?%d)"
                   " OR p.id_number || '' = ?%d)",
                   name, name + 1, name);
    if (!f->found) f->count_max = COUNT_ROWS_MAX;
    return OK;
}

static Status filter_text(Filter *f, Db *db, Value filter, Error *err) {
    Str q = str_trim(v_text(v_get_lit(filter, "q")));
    if (str_empty(q)) return OK;
    bool digits = q.ptr[0] >= '0' && q.ptr[0] <= '9';
    f->found = true;
    if (digits && q.len == CITIZEN_ID_LEN) { // a citizen's number, whole: the party, not the case
        filter_add(f, "c.party_id IN (SELECT id FROM party WHERE id_number = ", v_str(q), ")");
    } else if (digits && q.len < NUMBER_SEARCH_MIN) {
        return error_set(err, INVALID, S("q"), "按办件编号查找请至少输入前 14 位（地区和日期）");
    } else if (digits) {
        filter_add(f, "c.number >= ", v_str(q), "");
        filter_add(f, "c.number <= ", v_str(upper_bound(q, f->arena)), "");
    } else if (str_utf8_len(q) < NAME_SEARCH_MIN) {
        return error_set(err, INVALID, S("q"), "按姓名查找请至少输入两个字");
    } else {
        return filter_name(f, db, q, err);
    }
    return OK;
}

static void filter_light(Filter *f, Value filter, Day today) {
    Str light = v_text(v_get_lit(filter, "light"));
    if (str_empty(light)) return;
    buf_lit(&f->where, " AND c.decided_at IS NULL AND c.closed_at IS NULL");
    f->open = true;
    if (str_eq(light, S("red"))) {
        filter_add(f, "c.promised_due_day < ", v_int(today), "");
    } else if (str_eq(light, S("yellow"))) {
        filter_add(f, "c.promised_due_day >= ", v_int(today), "");
        filter_add(f, "c.warn_day <= ", v_int(today), "");
    } else {
        filter_add(f, "c.warn_day > ", v_int(today), "");
    }
}

// Item, department and town each have an index by the instant of acceptance, so a list of a period
// is a range of one of them; the narrowest that is asked for. The unary plus keeps the database
// from any other, where it would have all rows to sort.
static void filter_codes(Filter *f, Value filter) {
    static const struct {
        Str name;
        const char *before;
    } codes[] = {
        {S_INIT("item"), "+c.item_id = (SELECT id FROM item WHERE code = "},
        {S_INIT("unit"), "+c.unit_id = (SELECT id FROM unit WHERE code = "},
        {S_INIT("town"), "+c.town_id = (SELECT id FROM unit WHERE code = "},
    };
    bool by_acceptance = f->order && str_eq(str_z(f->order), S("c.accepted_at"));
    bool overdue = input_bool(filter, S("overdue"));
    bool narrow = f->found || f->open || (f->order && (!by_acceptance || overdue));
    for (size_t i = 0; i < 3; i++) {
        Value v = v_get(filter, codes[i].name);
        if (str_empty(v_text(v))) continue;
        filter_add(f, codes[i].before + (narrow ? 0 : 1), v, ")");
        narrow = narrow || by_acceptance;
    }
    Str channel = v_text(v_get_lit(filter, "channel"));
    if (str_eq(channel, S("online"))) buf_lit(&f->where, " AND c.channel = 2");
    if (str_eq(channel, S("window"))) buf_lit(&f->where, " AND c.channel = 1"); // has an index
}

static Status filter_build(Filter *f, Db *db, const Actor *actor, Value filter, Day today, Arena *a,
                           Error *err) {
    *f = (Filter){.where = buf_make(a, 512, 16384),
                  .named = buf_make(a, 256, 1024),
                  .counted = buf_make(a, 256, 1024),
                  .arena = a,
                  .count_max = COUNT_MAX};
    buf_lit(&f->where, " WHERE 1 = 1");
    if (input_bool(filter, S("mine")) || !actor_has(actor, ROLES_OFFICIAL | ROLE_SYSTEM)) {
        filter_add(f, "(c.applicant_account_id = ", v_int(actor->account_id), "");
        buf_lit(&f->where, " OR c.party_id = ?");
        f->params[f->count++] = v_int(actor->party_id ? actor->party_id : -1);
        buf_int(&f->where, f->count);
        buf_lit(&f->where, ")");
    }
    Status st = filter_text(f, db, filter, err);
    if (st != OK) return st;
    filter_state(f, filter);
    filter_light(f, filter, today);
    filter_period(f, filter, S("received_from"), S("received_to"), "c.received_at");
    filter_period(f, filter, S("decided_from"), S("decided_to"), "c.decided_at");
    filter_period(f, filter, S("from"), S("to"), "c.accepted_at");
    filter_codes(f, filter);
    if (input_bool(filter, S("overdue"))) buf_lit(&f->where, " AND c.overdue = 1");
    return OK;
}

static void filter_bind(const Filter *f, Query *q) {
    for (int i = 0; i < f->count; i++) query_value(q, i + 1, f->params[i]);
}

static Value day_or_null(Query *q, int col, bool instant) {
    if (query_col_null(q, col)) return v_null();
    int64_t n = query_col_int(q, col);
    return v_day(instant ? instant_day(n) : (Day)n);
}

static Value light_of(Query *q, Day today) {
    static const Str names[] = {S_INIT("none"), S_INIT("green"), S_INIT("yellow"), S_INIT("red")};
    bool closed = !query_col_null(q, 7) || !query_col_null(q, 12);
    return v_str(names[case_light(today, query_col_int(q, 8), query_col_int(q, 9),
                                  query_col_int(q, 10) != 0, closed)]);
}

static Value list_row(Query *q, const Calendar *cal, Day today, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("id"), v_int(query_col_int(q, 0)));
    context_put_new(&b, S("number"), v_str(query_col_keep(q, 1, a)));
    context_put_new(&b, S("state"), v_int(query_col_int(q, 2)));
    context_put_new(&b, S("state_name"), v_str(case_state_name((CaseState)query_col_int(q, 2))));
    context_put_new(&b, S("outcome"), v_str(outcome_name((CaseOutcome)query_col_int(q, 3))));
    bool online = query_col_int(q, 4) == HANDLING_ONLINE;
    context_put_new(&b, S("channel"), online ? v_lit("online") : v_lit("window"));
    context_put_new(&b, S("received"), day_or_null(q, 5, true));
    context_put_new(&b, S("accepted"), day_or_null(q, 6, true));
    context_put_new(&b, S("decided"), day_or_null(q, 7, true));
    context_put_new(&b, S("due"), day_or_null(q, 8, false));
    context_put_new(&b, S("paused"), v_bool(query_col_int(q, 10) != 0));
    context_put_new(&b, S("overdue"), v_bool(query_col_int(q, 11) != 0));
    context_put_new(&b, S("light"), light_of(q, today));
    if (!query_col_null(q, 8) && query_col_null(q, 7)) {
        context_put_new(&b, S("left"),
                        v_int(calendar_between(cal, today, (Day)query_col_int(q, 8))));
    }
    context_put_new(&b, S("item"), v_str(query_col_keep(q, 13, a)));
    context_put_new(&b, S("item_en"), v_str(query_col_keep(q, 14, a)));
    context_put_new(&b, S("unit"), v_str(query_col_keep(q, 15, a)));
    context_put_new(&b, S("unit_en"), v_str(query_col_keep(q, 16, a)));
    Str name = query_col_str(q, 17);
    bool natural = query_col_int(q, 18) == 1;
    context_put_new(&b, S("applicant"), v_str(natural ? mask_name(name, a) : arena_str(a, name)));
    return context_done(&b);
}

static Query *count_query(Db *db, const Filter *f, const char *limit, int64_t n, Arena *a) {
    Buf sql = buf_make(a, 1024, 32768);
    buf_lit(&sql, "SELECT COUNT(*) FROM (SELECT 1 FROM cases c");
    buf_str(&sql, buf_view(&f->where));
    buf_str(&sql, buf_view(&f->counted));
    buf_str(&sql, str_z(limit));
    buf_int(&sql, n);
    buf_lit(&sql, ") AS counted");
    Query *q = query(db, arena_cstr(a, buf_view(&sql)));
    filter_bind(f, q);
    return q;
}

// Most lists of a great county have more than is counted, and that there is a row behind the
// maximum is known in half the time of counting up to it.
static Status count_cases(Db *db, const Filter *f, Arena *a, ContextBuilder *out, Error *err) {
    int64_t n = 0, behind = 0;
    Status st = OK;
    if (!f->found && !f->open)
        st = query_one_int(count_query(db, f, " LIMIT 1 OFFSET ", f->count_max, a), &behind, err);
    if (st == OK && !behind)
        st = query_one_int(count_query(db, f, " LIMIT ", f->count_max + 1, a), &n, err);
    if (st != OK) return st;
    bool more = behind || n > f->count_max;
    context_put_new(out, S("total"), v_int(more ? f->count_max : n));
    context_put_new(out, S("more"), v_bool(more));
    return OK;
}

// Goes on behind the last row of the page before: "id", or "instant.id" in a list by instant.
static void filter_after(Filter *f, Str after) {
    int64_t at, id;
    Str rest = after;
    Str first = str_cut(&rest, '.');
    if (!f->order) {
        if (str_to_int(first, &id)) filter_add(f, "c.id < ", v_int(id), "");
        return;
    }
    if (!str_to_int(first, &at) || !str_to_int(rest, &id)) return;
    buf_lit(&f->where, " AND (");
    buf_str(&f->where, str_z(f->order));
    buf_lit(&f->where, ", c.id) < (?");
    f->params[f->count++] = v_int(at);
    buf_int(&f->where, f->count);
    buf_lit(&f->where, ", ?");
    f->params[f->count++] = v_int(id);
    buf_int(&f->where, f->count);
    buf_lit(&f->where, ")");
}

static Query *list_query(const Filter *f, Db *db, int64_t size, Arena *a) {
    Buf sql = buf_make(a, 2048, 32768);
    buf_lit(&sql, "SELECT " LIST_COLUMNS ", ");
    buf_str(&sql, str_z(f->order ? f->order : "c.id"));
    buf_lit(&sql, LIST_FROM);
    buf_str(&sql, buf_view(&f->where));
    buf_str(&sql, buf_view(&f->named));
    buf_lit(&sql, " ORDER BY ");
    const Str sorted = f->found || f->open ? S("+") : S("");
    if (f->order) {
        buf_str(&sql, sorted);
        buf_str(&sql, str_z(f->order));
        buf_lit(&sql, " DESC, ");
    }
    buf_str(&sql, sorted);
    buf_lit(&sql, "c.id DESC LIMIT ");
    buf_int(&sql, size + 1);
    Query *q = query(db, arena_cstr(a, buf_view(&sql)));
    filter_bind(f, q);
    return q;
}

Status case_list(CaseRoom *r, Db *db, const Actor *actor, Value filter, Instant now, Arena *a,
                 Value *ret, Error *err) {
    Filter f;
    Day today = instant_day(now);
    ContextBuilder b = context_make(a);
    Status st = filter_build(&f, db, actor, filter, today, a, err);
    if (st == OK) st = count_cases(db, &f, a, &b, err);
    if (st != OK) return st;
    int64_t size = input_int(filter, S("page_size"));
    if (size < 1 || size > CASE_LIST_MAX) size = PAGE_DEFAULT;
    filter_after(&f, v_to_str(v_get_lit(filter, "after"), a));
    Query *q = list_query(&f, db, size, a);
    ListBuilder rows = list_make(a);
    int64_t last_at = 0, last_id = 0;
    bool more = false;
    while (query_next(q)) {
        if (rows.len == size) {
            more = true;
            continue;
        }
        last_id = query_col_int(q, 0);
        last_at = query_col_int(q, 19);
        list_add(&rows, list_row(q, case_calendar(r), today, a));
    }
    st = query_done(q, err);
    if (st != OK) return st;
    if (more) {
        Str next = f.order ? arena_printf(a, "%lld.%lld", (long long)last_at, (long long)last_id)
                           : arena_printf(a, "%lld", (long long)last_id);
        context_put_new(&b, S("next"), v_str(next));
    }
    context_put_new(&b, S("rows"), list_done(&rows));
    *ret = context_done(&b);
    return OK;
}
