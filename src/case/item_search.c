// Items by any fragment of their name, English name or code. Each word of the query must be
// found; an exact name stands before one that begins with it, that before any other; then by
// department. There are some thousands of items at most, so a scan of item.search is fast enough.
#include "case/item_internal.h"

enum { WORDS = 4, QUERY_MAX = 400, PAGE_SIZE = 20 };

// For LIKE … ESCAPE '!': '%', '_' and '!' themselves are escaped. Lower case for ASCII.
static void pattern_text(Buf *out, Str s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '%' || c == '_' || c == '!') buf_char(out, '!');
        buf_char(out, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
    }
}

static Str pattern(Arena *a, Str before, Str s, Str after) {
    Buf out = buf_make(a, s.len + 8, 4 * QUERY_MAX);
    buf_str(&out, before);
    pattern_text(&out, s);
    buf_str(&out, after);
    return buf_view(&out);
}

Str item_search_lower(Arena *a, Str s) {
    char *copy = arena_alloc_raw(a, s.len);
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        copy[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return str_of(copy, s.len);
}

typedef struct Filter {
    Str q;              // as typed, trimmed, lower case
    Str exact;          // q
    Str prefix;         // "q%"
    Str words[WORDS];   // "%word%"; "%" when absent
    Str unit, town, power, life_event;
    int64_t audience, kind, bundle; // 0, 0, -1: any
    bool withdrawn;     // withdrawn and internal items too, for the administration
    int64_t page, page_size;
} Filter;

// Words are separated by blanks, also the ideographic one.
static void words_read(Arena *a, Filter *f) {
    static const Str wide = S_INIT("\xe3\x80\x80");
    size_t count = 0;
    Str rest = f->q;
    for (size_t i = 0; i < WORDS; i++) f->words[i] = S("%");
    while (rest.len > 0 && count < WORDS) {
        size_t end = 0, gap = 0;
        while (end < rest.len && gap == 0) {
            if (rest.ptr[end] == ' ' || rest.ptr[end] == '\t') gap = 1;
            else if (str_starts(str_sub(rest, end, rest.len), wide)) gap = wide.len;
            else end++;
        }
        bool last = count + 1 == WORDS; // what is left is one word
        Str word = last ? str_trim(rest) : str_sub(rest, 0, end);
        if (word.len > 0) f->words[count++] = pattern(a, S("%"), word, S("%"));
        rest = last ? S("") : str_sub(rest, end + gap, rest.len);
    }
}

static int64_t filter_int(Value filter, Str name, int64_t otherwise) {
    Value v = v_get(filter, name);
    int64_t n = otherwise;
    if (v.kind == V_STRING) return str_to_int(v_text(v), &n) ? n : otherwise;
    return v_to_int(v, otherwise);
}

static Status filter_read(Value filter, Arena *a, Filter *ret, Error *err) {
    Str q = str_trim(v_text(v_get_lit(filter, "q")));
    if (q.len > QUERY_MAX) return error_set(err, INVALID, S("q"), "搜索的文字过长");
    if (!str_utf8_valid(q) || memchr(q.len ? q.ptr : "", 0, q.len)) {
        return error_set(err, INVALID, S("q"), "搜索的文字不是有效的文字");
    }
    Str audience = v_text(v_get_lit(filter, "audience"));
    Value bundle = v_get_lit(filter, "bundle");
    Filter f = {
        .q = item_search_lower(a, q),
        .unit = v_text(v_get_lit(filter, "unit")),
        .town = v_text(v_get_lit(filter, "town")),
        .power = v_text(v_get_lit(filter, "power")),
        .life_event = v_text(v_get_lit(filter, "life_event")),
        .audience = str_eq(audience, S("natural")) ? 1 : str_eq(audience, S("legal")) ? 2 : 3,
        .kind = filter_int(filter, S("kind"), 0),
        .bundle = bundle.kind == V_BOOL ? bundle.as.boolean : filter_int(filter, S("bundle"), -1),
        .withdrawn = v_true(v_get_lit(filter, "withdrawn")),
        .page = filter_int(filter, S("page"), 1),
        .page_size = filter_int(filter, S("page_size"), PAGE_SIZE),
    };
    if (f.page < 1 || f.page > INT32_MAX) f.page = 1;
    if (f.page_size < 1 || f.page_size > ITEM_SEARCH_MAX) f.page_size = PAGE_SIZE;
    f.exact = f.q;
    f.prefix = pattern(a, S(""), f.q, S("%"));
    words_read(a, &f);
    *ret = f;
    return OK;
}

#define WHERE                                                                       \
    " FROM item i JOIN unit u ON u.id = i.unit_id WHERE (i.state = 1 OR ?1 = 1)"    \
    " AND ((i.audience & ?2) <> 0 OR ?1 = 1)"                                       \
    " AND (?3 = '%' OR i.search LIKE ?3 ESCAPE '!')"                                \
    " AND (?4 = '%' OR i.search LIKE ?4 ESCAPE '!')"                                \
    " AND (?5 = '%' OR i.search LIKE ?5 ESCAPE '!')"                                \
    " AND (?6 = '%' OR i.search LIKE ?6 ESCAPE '!')"                                \
    " AND (?7 = '' OR u.code = ?7) AND (?8 = '' OR u.code = ?8)"                    \
    " AND (?9 = '' OR i.power = ?9) AND (?10 = '' OR i.life_event = ?10)"           \
    " AND (?11 = 0 OR i.case_kind = ?11) AND (?12 < 0 OR i.is_bundle = ?12)"

static void filter_bind(Query *q, const Filter *f) {
    query_int(q, 1, f->withdrawn);
    query_int(q, 2, f->audience);
    for (int i = 0; i < WORDS; i++) query_str(q, 3 + i, f->words[i]);
    query_str(q, 7, f->unit);
    query_str(q, 8, f->town);
    query_str(q, 9, f->power);
    query_str(q, 10, f->life_event);
    query_int(q, 11, f->kind);
    query_int(q, 12, f->bundle);
}

Status item_search(Db *db, Value filter, Arena *a, Value *ret, Error *err) {
    Filter f;
    Status st = filter_read(filter, a, &f, err);
    if (st != OK) return st;
    int64_t total = 0;
    Query *q = query(db, "SELECT COUNT(*)" WHERE);
    filter_bind(q, &f);
    st = query_one_int(q, &total, err);
    if (st != OK) return st;
    q = query(db,
        "SELECT i.id, i.code, i.name, i.name_en, i.state, u.code AS unit, u.name AS unit_name,"
        " u.name_en AS unit_name_en, i.power, i.case_kind AS kind, i.audience, i.life_event,"
        " i.is_bundle AS bundle" WHERE
        " ORDER BY CASE WHEN ?13 = '' THEN 2 WHEN LOWER(i.name) = ?13 OR LOWER(i.code) = ?13"
        " OR LOWER(i.name_en) = ?13 THEN 0 WHEN LOWER(i.name) LIKE ?14 ESCAPE '!'"
        " OR LOWER(i.code) LIKE ?14 ESCAPE '!' OR LOWER(i.name_en) LIKE ?14 ESCAPE '!' THEN 1"
        " ELSE 2 END, i.sort, u.sort, i.name, i.id LIMIT ?15 OFFSET ?16");
    filter_bind(q, &f);
    query_str(q, 13, f.exact);
    query_str(q, 14, f.prefix);
    query_int(q, 15, f.page_size);
    query_int(q, 16, (f.page - 1) * f.page_size);
    Value rows;
    st = query_rows(q, a, &rows, err);
    if (st != OK) return st;
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "rows", rows);
    context_put_lit(&b, "total", v_int(total));
    context_put_lit(&b, "page", v_int(f.page));
    context_put_lit(&b, "page_size", v_int(f.page_size));
    context_put_lit(&b, "pages", v_int((total + f.page_size - 1) / f.page_size));
    *ret = context_done(&b);
    return OK;
}
