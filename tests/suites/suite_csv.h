// Tables of the public suites: comma separated, quotes as RFC 4180 has them, the first line names
// the columns.
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum { CSV_COLUMNS_MAX = 32, CSV_FIELD_MAX = 64 << 10 };

typedef struct Csv {
    Str rest;
    Str names[CSV_COLUMNS_MAX];
    size_t columns;
    Str fields[CSV_COLUMNS_MAX];
} Csv;

static inline Str csv_field(Str *rest, Arena *a, bool *last) {
    Buf b = buf_make(a, 32, CSV_FIELD_MAX);
    bool quoted = false;
    size_t i = 0;
    for (; i < rest->len; i++) {
        const char ch = rest->ptr[i];
        if (ch == '"') {
            const bool twice = quoted && i + 1 < rest->len && rest->ptr[i + 1] == '"';
            if (twice) buf_char(&b, rest->ptr[i++]);
            else quoted = !quoted;
        } else if (!quoted && (ch == ',' || ch == '\n')) {
            break;
        } else if (ch != '\r') {
            buf_char(&b, ch);
        }
    }
    *last = i == rest->len || rest->ptr[i] == '\n';
    *rest = str_sub(*rest, i + 1, rest->len);
    return buf_view(&b);
}

// False after the last line.
static inline bool csv_next(Csv *c, Arena *a) {
    while (c->rest.len && (c->rest.ptr[0] == '\n' || c->rest.ptr[0] == '\r'))
        c->rest = str_sub(c->rest, 1, c->rest.len);
    if (!c->rest.len) return false;
    bool last = false;
    size_t n = 0;
    while (!last) {
        const Str field = csv_field(&c->rest, a, &last);
        if (n < CSV_COLUMNS_MAX) c->fields[n++] = field;
    }
    while (n < CSV_COLUMNS_MAX) c->fields[n++] = (Str){0};
    return true;
}

static inline Csv csv_open(Str text, Arena *a) {
    Csv c = {.rest = text};
    if (str_starts(c.rest, S("\xef\xbb\xbf"))) c.rest = str_sub(c.rest, 3, c.rest.len);
    if (!csv_next(&c, a)) return c;
    for (size_t i = 0; i < CSV_COLUMNS_MAX && c.fields[i].ptr; i++) {
        c.names[i] = c.fields[i];
        c.columns = i + 1;
    }
    return c;
}

static inline Str csv_get(const Csv *c, Str name) {
    for (size_t i = 0; i < c->columns; i++)
        if (str_eq(c->names[i], name)) return c->fields[i];
    return (Str){0};
}
