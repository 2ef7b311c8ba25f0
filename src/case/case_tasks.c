// The tasks of one's posts (待办), most urgent first: those whose case is due first, then the
// oldest. Filters are conditions of the statement, pages go on by (due day, task), and the counts
// are of all tasks of the posts, whatever is filtered. Names are masked.
#include "case/case_internal.h"

enum {
    NO_DUE_DAY = 999999, // stands behind every day
    TASK_QUERY_MAX = 100, // bytes of what is searched for
};

// A task's light is that of its case: none while it stands still. ?2 is today.
#define RED "c.paused = 0 AND c.promised_due_day < ?2"
#define YELLOW "c.paused = 0 AND c.promised_due_day >= ?2 AND c.warn_day <= ?2"
#define GREEN "c.paused = 0 AND c.promised_due_day >= ?2 AND c.warn_day > ?2"
#define OF_MY_POSTS                                                                  \
    " WHERE t.state < 3 AND t.post_id IN (SELECT post_id FROM account_post WHERE"    \
    " account_id = ?1)"

static Value day_of(Query *q, int col) {
    return query_col_null(q, col) ? v_null() : v_day((Day)query_col_int(q, col));
}

static Value task_row(Query *q, const Calendar *cal, Day today, int64_t me, Arena *a) {
    static const Str lights[] = {S_INIT("none"), S_INIT("green"), S_INIT("yellow"), S_INIT("red")};
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("id"), v_int(query_col_int(q, 0)));
    context_put_new(&b, S("number"), v_str(query_col_keep(q, 1, a)));
    context_put_new(&b, S("name"), v_str(query_col_keep(q, 2, a)));
    context_put_new(&b, S("item"), v_str(query_col_keep(q, 3, a)));
    context_put_new(&b, S("item_en"), v_str(query_col_keep(q, 4, a)));
    Str name = query_col_str(q, 5);
    bool natural = query_col_int(q, 6) == 1;
    context_put_new(&b, S("applicant"), v_str(natural ? mask_name(name, a) : arena_str(a, name)));
    context_put_new(&b, S("opened"), v_day(instant_day(query_col_int(q, 7))));
    context_put_new(&b, S("due"), day_of(q, 8));
    context_put_new(&b, S("case_due"), day_of(q, 9));
    if (!query_col_null(q, 9)) {
        Day d = (Day)query_col_int(q, 9);
        Light l = case_light(today, d, query_col_int(q, 10), query_col_int(q, 11) != 0, false);
        context_put_new(&b, S("left"), v_int(calendar_between(cal, today, d)));
        context_put_new(&b, S("light"), v_str(lights[l]));
    }
    context_put_new(&b, S("paused"), v_bool(query_col_int(q, 11) != 0));
    int64_t owner = query_col_int(q, 12);
    context_put_new(&b, S("mine"), v_bool(owner && owner == me));
    context_put_new(&b, S("claimed"), v_bool(owner != 0));
    context_put_new(&b, S("claimed_by"), v_str(query_col_keep(q, 13, a)));
    context_put_new(&b, S("post"), v_str(query_col_keep(q, 14, a)));
    context_put_new(&b, S("post_en"), v_str(query_col_keep(q, 15, a)));
    context_put_new(&b, S("post_code"), v_str(query_col_keep(q, 16, a)));
    return context_done(&b);
}

// {all, late, soon, mine, free}
static Status put_counts(Db *db, const Actor *actor, Day today, Arena *a, ContextBuilder *out,
                         Error *err) {
    static const Str names[] = {S_INIT("all"), S_INIT("late"), S_INIT("soon"), S_INIT("mine"),
                                S_INIT("free")};
    Query *q = query(db, "SELECT COUNT(*), SUM(CASE WHEN " RED " THEN 1 ELSE 0 END),"
                         " SUM(CASE WHEN " YELLOW " THEN 1 ELSE 0 END),"
                         " SUM(CASE WHEN t.account_id = ?1 THEN 1 ELSE 0 END),"
                         " SUM(CASE WHEN t.account_id IS NULL THEN 1 ELSE 0 END)"
                         " FROM task t JOIN cases c ON c.id = t.case_id" OF_MY_POSTS);
    query_int(q, 1, actor->account_id);
    query_int(q, 2, today);
    ContextBuilder b = context_make(a);
    if (query_next(q)) {
        for (int i = 0; i < 5; i++)
            context_put_new(&b, names[i], v_int(query_col_null(q, i) ? 0 : query_col_int(q, i)));
    }
    Value counts = context_done(&b);
    context_put_new(out, S("counts"), counts);
    context_put_new(out, S("total"), v_get_lit(counts, "all"));
    return query_done(q, err);
}

// What is typed, anywhere in a text: for LIKE … ESCAPE '!'.
static Str pattern_of(Str typed, Arena *a) {
    Buf out = buf_make(a, 64, 2 * TASK_QUERY_MAX + 2);
    buf_char(&out, '%');
    for (size_t i = 0; i < typed.len && i < TASK_QUERY_MAX; i++) {
        char c = typed.ptr[i];
        if (c == '%' || c == '_' || c == '!') buf_char(&out, '!');
        buf_char(&out, c);
    }
    buf_char(&out, '%');
    return buf_view(&out);
}

static const char *light_condition(Str light) {
    if (str_eq(light, S("red"))) return " AND " RED;
    if (str_eq(light, S("yellow"))) return " AND " YELLOW;
    return str_eq(light, S("green")) ? " AND " GREEN : "";
}

// The name of a person is looked for from its beginning only: a list shows no more of it.
static Query *list_query(Db *db, const Actor *actor, Value filter, Day today, int64_t size,
                         Arena *a) {
    Str whose = v_text(v_get_lit(filter, "whose")), q = str_trim(v_text(v_get_lit(filter, "q")));
    Str rest = v_text(v_get_lit(filter, "after")), first = str_cut(&rest, '.');
    int64_t due = 0, id = 0;
    bool goes_on = str_to_int(first, &due) && str_to_int(rest, &id);
    Buf sql = buf_make(a, 2048, 8192);
    buf_lit(&sql, "SELECT t.id, c.number, t.name, i.name, i.name_en, p.name, p.kind, t.opened_at,"
                  " t.due_day, c.promised_due_day, c.warn_day, c.paused, t.account_id,"
                  " COALESCE(k.name, ''), o.name, o.name_en, o.code FROM task t"
                  " JOIN cases c ON c.id = t.case_id JOIN item i ON i.id = c.item_id"
                  " JOIN party p ON p.id = c.party_id JOIN post o ON o.id = t.post_id"
                  " LEFT JOIN account k ON k.id = t.account_id" OF_MY_POSTS);
    buf_str(&sql, str_z(light_condition(v_text(v_get_lit(filter, "light")))));
    if (str_eq(whose, S("mine"))) buf_lit(&sql, " AND t.account_id = ?1");
    if (str_eq(whose, S("free"))) buf_lit(&sql, " AND t.account_id IS NULL");
    buf_lit(&sql, " AND (?3 = '' OR o.code = ?3) AND (?4 = '%%' OR c.number LIKE ?4 ESCAPE '!'"
                  " OR i.name LIKE ?4 ESCAPE '!' OR i.name_en LIKE ?4 ESCAPE '!'"
                  " OR p.name LIKE ?5 ESCAPE '!')");
    buf_lit(&sql, " AND (COALESCE(c.promised_due_day, ?6) > ?7"
                  " OR (COALESCE(c.promised_due_day, ?6) = ?7 AND t.id > ?8)) AND ?2 > 0"
                  " ORDER BY COALESCE(c.promised_due_day, ?6), t.id LIMIT ?9");
    Str pattern = pattern_of(q, a);
    Query *found = query(db, arena_cstr(a, buf_view(&sql)));
    query_int(found, 1, actor->account_id);
    query_int(found, 2, today);
    query_str(found, 3, v_text(v_get_lit(filter, "post")));
    query_str(found, 4, pattern);
    query_str(found, 5, str_sub(pattern, 1, pattern.len));
    query_int(found, 6, NO_DUE_DAY);
    query_int(found, 7, goes_on ? due : -1);
    query_int(found, 8, id);
    query_int(found, 9, size + 1);
    return found;
}

Status task_list(CaseRoom *r, Db *db, const Actor *actor, Value filter, Instant now, Arena *a,
                 Value *ret, Error *err) {
    Day today = instant_day(now);
    int64_t size = input_int(filter, S("page_size")), due = 0, id = 0;
    if (size < 1 || size > CASE_LIST_MAX) size = CASE_LIST_MAX;
    ContextBuilder b = context_make(a);
    Status st = put_counts(db, actor, today, a, &b, err);
    if (st != OK) return st;
    ListBuilder rows = list_make(a);
    Query *q = list_query(db, actor, filter, today, size, a);
    bool more = false;
    while (query_next(q)) {
        more = rows.len == size;
        if (more) continue;
        due = query_col_null(q, 9) ? NO_DUE_DAY : query_col_int(q, 9);
        id = query_col_int(q, 0);
        list_add(&rows, task_row(q, case_calendar(r), today, actor->account_id, a));
    }
    st = query_done(q, err);
    if (st != OK) return st;
    context_put_new(&b, S("rows"), list_done(&rows));
    Str next = arena_printf(a, "%lld.%lld", (long long)due, (long long)id);
    if (more) context_put_new(&b, S("next"), v_str(next));
    *ret = context_done(&b);
    return OK;
}
