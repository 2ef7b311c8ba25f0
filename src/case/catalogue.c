// Catalogues of items: CSV (RFC 4180: quotes, doubled quotes, line breaks inside quotes; a byte
// order mark and both line ends are allowed) or a JSON list of objects. A bad line is a fault
// with its number; the others are returned.
#include "case/item.h"

enum {
    CATALOGUE_SIZE_MAX = 32 << 20,
    CATALOGUE_LINES_MAX = 50000,
    CATALOGUE_COLUMNS_MAX = 40,
    CATALOGUE_FIELD_MAX = 4000, // bytes
};

// The columns that count; others are ignored.
static const struct {
    Str name;
    bool required;
} columns[] = {
    {S_INIT("department"), true}, {S_INIT("main_item"), false}, {S_INIT("name"), true},
    {S_INIT("item_code"), true},  {S_INIT("task_type"), true},  {S_INIT("dept_code"), false},
    {S_INIT("name_en"), false},   {S_INIT("life_event"), false},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static Str line_place(Arena *a, int64_t line) { return arena_printf(a, "line %ld", (long)line); }

// Adds the line, or says what it lacks.
static void line_finish(Arena *a, int64_t line, Value fields, ListBuilder *lines, Errors *errs) {
    for (size_t i = 0; i < COLUMNS; i++) {
        Str text = str_trim(v_text(v_get(fields, columns[i].name)));
        if (text.len > CATALOGUE_FIELD_MAX) {
            (void)errors_add(errs, INVALID, line_place(a, line), "“{1}”过长", columns[i].name);
            return;
        }
        if (!str_utf8_valid(text)) {
            (void)errors_add(errs, INVALID, line_place(a, line), "“{1}”不是 UTF-8 文本",
                             columns[i].name);
            return;
        }
        if (columns[i].required && text.len == 0) {
            (void)errors_add(errs, INVALID, line_place(a, line), "“{1}”为空", columns[i].name);
            return;
        }
    }
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("line"), v_int(line));
    for (size_t i = 0; i < COLUMNS; i++) {
        Value v = v_get(fields, columns[i].name);
        context_put_new(&b, columns[i].name, v_str(str_trim(v_text(v))));
    }
    list_add(lines, context_done(&b));
}

// ---- CSV ----

typedef struct Csv {
    Str text;
    size_t at;
    int64_t line; // of the byte at `at`, from 1
    Arena *arena;
} Csv;

typedef enum CsvEnd { CSV_COMMA, CSV_LINE, CSV_FILE, CSV_BAD } CsvEnd;

static CsvEnd csv_end(Csv *c) {
    if (c->at == c->text.len) return CSV_FILE;
    char ch = c->text.ptr[c->at];
    if (ch == ',') {
        c->at++;
        return CSV_COMMA;
    }
    if (ch == '\r' && c->at + 1 < c->text.len && c->text.ptr[c->at + 1] == '\n') c->at++;
    if (c->text.ptr[c->at] == '\n') {
        c->at++;
        c->line++;
        return CSV_LINE;
    }
    return CSV_BAD;
}

static CsvEnd csv_quoted(Csv *c, Str *ret) {
    Buf out = buf_make(c->arena, 64, CATALOGUE_SIZE_MAX);
    c->at++;
    while (c->at < c->text.len) {
        char ch = c->text.ptr[c->at++];
        if (ch == '\n') c->line++;
        if (ch != '"') {
            buf_char(&out, ch);
        } else if (c->at < c->text.len && c->text.ptr[c->at] == '"') {
            buf_char(&out, '"');
            c->at++;
        } else {
            *ret = buf_view(&out);
            return csv_end(c);
        }
    }
    return CSV_BAD; // the quote is never closed
}

static CsvEnd csv_field(Csv *c, Str *ret) {
    if (c->at < c->text.len && c->text.ptr[c->at] == '"') return csv_quoted(c, ret);
    size_t from = c->at;
    while (c->at < c->text.len) {
        char ch = c->text.ptr[c->at];
        if (ch == ',' || ch == '\n' || ch == '"') break;
        if (ch == '\r' && c->at + 1 < c->text.len && c->text.ptr[c->at + 1] == '\n') break;
        c->at++;
    }
    *ret = str_sub(c->text, from, c->at);
    return csv_end(c);
}

static void csv_skip_line(Csv *c) {
    while (c->at < c->text.len && c->text.ptr[c->at] != '\n') c->at++;
    if (c->at < c->text.len) {
        c->at++;
        c->line++;
    }
}

// One record: its fields. False when it is malformed (said), the rest of its line skipped.
static bool csv_record(Csv *c, Str *fields, size_t *ret_count, Errors *errs) {
    int64_t line = c->line;
    size_t count = 0;
    for (;;) {
        Str field = S("");
        CsvEnd end = csv_field(c, &field);
        if (end == CSV_BAD || count == CATALOGUE_COLUMNS_MAX) {
            (void)errors_add(errs, INVALID, line_place(c->arena, line), "这一行的引号或列数不对");
            csv_skip_line(c);
            return false;
        }
        fields[count++] = field;
        if (end == CSV_LINE || end == CSV_FILE) break;
    }
    *ret_count = count;
    return true;
}

static Status csv_header(Csv *c, Str *names, size_t *ret_count, Errors *errs) {
    if (!csv_record(c, names, ret_count, errs)) return INVALID;
    for (size_t i = 0; i < COLUMNS; i++) {
        bool found = false;
        for (size_t k = 0; k < *ret_count; k++) {
            found = found || str_eq(str_trim(names[k]), columns[i].name);
        }
        if (found || !columns[i].required) continue;
        return errors_add(errs, INVALID, S("line 1"), "表头缺少“{1}”一列", columns[i].name);
    }
    return OK;
}

static Status csv_read(Str text, Arena *a, ListBuilder *lines, Errors *errs) {
    Csv c = {.text = text, .line = 1, .arena = a};
    Str *names = arena_array(a, Str, CATALOGUE_COLUMNS_MAX);
    Str *fields = arena_array(a, Str, CATALOGUE_COLUMNS_MAX);
    size_t names_count = 0, count = 0;
    Status st = csv_header(&c, names, &names_count, errs);
    if (st != OK) return st;
    for (int64_t n = 0; c.at < text.len; n++) {
        int64_t line = c.line;
        if (n == CATALOGUE_LINES_MAX) {
            return errors_add(errs, LIMIT, line_place(a, line), "目录超过 50000 行");
        }
        if (!csv_record(&c, fields, &count, errs)) continue;
        if (count == 1 && str_trim(fields[0]).len == 0) continue; // an empty line
        if (count != names_count) {
            (void)errors_add(errs, INVALID, line_place(a, line), "这一行的引号或列数不对");
            continue;
        }
        ContextBuilder b = context_make(a);
        for (size_t k = 0; k < count; k++) context_put(&b, str_trim(names[k]), v_str(fields[k]));
        line_finish(a, line, context_done(&b), lines, errs);
    }
    return OK;
}

// ---- JSON ----

// The line of an object is its place in the list, from 1.
static Status json_read(Str text, Arena *a, ListBuilder *lines, Errors *errs) {
    Value list;
    Error e = {.status = OK};
    JsonLimits limits = {.size_max = CATALOGUE_SIZE_MAX};
    if (json_parse(text, JSON_STRICT, limits, a, &list, &e) != OK) return errors_push(errs, &e);
    if (list.kind != V_LIST) return errors_add(errs, INVALID, S("line 1"), "应为列表");
    for (uint32_t i = 0; i < list.len; i++) {
        Value entry = v_at(list, i);
        if (i == CATALOGUE_LINES_MAX) {
            return errors_add(errs, LIMIT, line_place(a, i + 1), "目录超过 50000 行");
        }
        ContextBuilder b = context_make(a);
        for (size_t k = 0; k < COLUMNS; k++) {
            Value v = v_get(entry, columns[k].name);
            if (v.kind == V_NUMBER) v = v_str(v_to_str(v, a)); // a code written without quotes
            context_put_new(&b, columns[k].name, v);
        }
        line_finish(a, i + 1, context_done(&b), lines, errs);
    }
    return OK;
}

Status catalogue_read(Str text, bool json, Arena *a, Value *ret_lines, Errors *errs) {
    static const Str mark = S_INIT("\xef\xbb\xbf");
    if (text.len > CATALOGUE_SIZE_MAX) return errors_add(errs, LIMIT, S("line 1"), "目录文件过大");
    if (str_starts(text, mark)) text = str_sub(text, mark.len, text.len);
    ListBuilder lines = list_make(a);
    Status st = json ? json_read(text, a, &lines, errs) : csv_read(text, a, &lines, errs);
    if (st != OK) return st;
    *ret_lines = list_done(&lines);
    return OK;
}
