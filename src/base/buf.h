// Buf: a growing byte buffer in an arena, with a maximum. Appending past the maximum sets
// `full` and drops the bytes, so a writer appends freely and checks once at the end.
#pragma once

#include "base/arena.h"

typedef struct Buf {
    Arena *arena;
    char *ptr;
    size_t len;
    size_t cap;
    size_t max;
    bool full; // something was dropped
} Buf;

Buf buf_make(Arena *a, size_t size_first, size_t size_max);
void buf_grow(Buf *b, size_t more); // internal; appenders call it when there is no room

static inline void buf_bytes(Buf *b, const char *ptr, size_t n) {
    if (b->cap - b->len < n) {
        buf_grow(b, n);
        if (b->full) return;
    }
    if (n) memcpy(b->ptr + b->len, ptr, n);
    b->len += n;
}
static inline void buf_str(Buf *b, Str s) { buf_bytes(b, s.ptr, s.len); }
static inline void buf_char(Buf *b, char c) { buf_bytes(b, &c, 1); }
#define buf_lit(b, literal) buf_bytes((b), "" literal, sizeof(literal) - 1)
void buf_int(Buf *b, int64_t n);
void buf_hex(Buf *b, const uint8_t *bytes, size_t n); // lower case
void buf_utf8(Buf *b, uint32_t code_point);
__attribute__((format(printf, 2, 3))) void buf_printf(Buf *b, const char *format, ...);
static inline Str buf_view(const Buf *b) { return (Str){b->ptr, b->len}; }
