// Error: what went wrong, kept as a template and its arguments until someone knows the language.
// Invariants: where and args point into the error's own room, never at the caller's memory.
// Limits: ERROR_TEXT_SIZE bytes for place and arguments together; ERRORS_MAX errors.
#include "base/error.h"

enum { PARTS = 1 + ERROR_ARGS, ERRORS_FIRST = 8 };

// At most `max` bytes of s, not ending inside a code point.
static size_t cut_len(Str s, size_t max) {
    if (s.len <= max) return s.len;
    size_t len = max;
    while (len > 0 && ((unsigned char)s.ptr[len] & 0xC0) == 0x80) len--;
    return len;
}

// The place and the arguments into the room. Each may use an even share of what is left, so one
// long argument does not push the others out. parts may point into the room itself.
static void place(Error *e, const Str parts[PARTS]) {
    char room[ERROR_TEXT_SIZE];
    size_t used = 0, total = 0;
    Str *targets[PARTS] = {&e->where};
    for (size_t i = 0; i < ERROR_ARGS; i++) targets[i + 1] = &e->args[i];
    for (size_t i = 0; i < PARTS; i++) total += parts[i].len;
    for (size_t i = 0; i < PARTS; i++) {
        size_t share = (sizeof room - used) / (PARTS - i);
        size_t len = total <= sizeof room ? parts[i].len : cut_len(parts[i], share);
        if (len) memcpy(room + used, parts[i].ptr, len);
        *targets[i] = str_of(e->room + used, len);
        used += len;
    }
    memcpy(e->room, room, used);
}

Status error_fill(Error *e, Status status, Str where, const char *text,
                  const Str args[ERROR_ARGS]) {
    if (!e) return status;
    Str parts[PARTS] = {where};
    for (size_t i = 0; i < ERROR_ARGS; i++) parts[i + 1] = args[i];
    e->status = status;
    e->text = text;
    place(e, parts);
    return status;
}

void error_copy(Error *to, const Error *from) {
    if (to) error_fill(to, from->status, from->where, from->text, from->args);
}

void error_at(Error *e, Str prefix) {
    if (!e || prefix.len == 0) return;
    char joined[ERROR_TEXT_SIZE];
    size_t len = cut_len(prefix, sizeof joined / 2);
    memcpy(joined, prefix.ptr, len);
    if (e->where.len) {
        joined[len++] = ':';
        size_t rest = cut_len(e->where, sizeof joined - len);
        memcpy(joined + len, e->where.ptr, rest);
        len += rest;
    }
    Str parts[PARTS] = {str_of(joined, len)};
    for (size_t i = 0; i < ERROR_ARGS; i++) parts[i + 1] = e->args[i];
    place(e, parts);
}

// A new slot, NULL past ERRORS_MAX.
static Error *errors_slot(Errors *es) {
    if (es->count == ERRORS_MAX) {
        es->more = true;
        return NULL;
    }
    if (es->count == es->cap) {
        size_t cap = es->cap ? es->cap * 2 : ERRORS_FIRST;
        Error *items = arena_array(es->arena, Error, cap);
        for (size_t i = 0; i < es->count; i++) { // by filling, because an error points into itself
            const Error *old = &es->items[i];
            error_fill(&items[i], old->status, old->where, old->text, old->args);
        }
        es->items = items;
        es->cap = cap;
    }
    return &es->items[es->count++];
}

Status errors_fill(Errors *es, Status status, Str where, const char *text,
                   const Str args[ERROR_ARGS]) {
    Error *slot = errors_slot(es);
    if (slot) error_fill(slot, status, where, text, args);
    return status;
}

Status errors_push(Errors *es, const Error *e) {
    return errors_fill(es, e->status, e->where, e->text, e->args);
}

Status errors_status(const Errors *es) {
    return es->count ? es->items[0].status : OK;
}

Str error_message(const Error *e, Translate tr, void *catalog, Arena *a) {
    Str text = str_z(e->text);
    if (tr) text = tr(catalog, text);
    Buf out = buf_make(a, text.len + ERROR_TEXT_SIZE, SIZE_MAX / 4);
    for (size_t at = 0; at < text.len; at++) {
        const char *p = text.ptr + at;
        bool hole = *p == '{' && text.len - at >= 3 && p[1] >= '1' && p[1] <= '0' + ERROR_ARGS &&
                    p[2] == '}';
        if (hole) {
            Str arg = e->args[p[1] - '1'];
            buf_str(&out, tr ? tr(catalog, arg) : arg); // a label has an English of its own
            at += 2;
        } else {
            buf_char(&out, *p);
        }
    }
    return buf_view(&out);
}
