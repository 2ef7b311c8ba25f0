// Str: a slice of bytes, UTF-8 where it is text. Not NUL-terminated: a NUL exists only at a
// library's edge (see arena_cstr). A Str never owns its bytes; whoever made them says how long
// they live. The empty string is {"" or NULL, 0}.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Str {
    const char *ptr;
    size_t len;
} Str;

// A Str from a string literal; refuses anything but a literal at compile time.
#define S(literal) ((Str){"" literal, sizeof(literal) - 1})
// The same for static initialisers.
#define S_INIT(literal) {"" literal, sizeof(literal) - 1}
// For printf's "%.*s".
#define S_FMT(s) (int)(s).len, (s).ptr

static inline Str str_of(const char *ptr, size_t len) { return (Str){ptr, len}; }
static inline Str str_z(const char *z) { return (Str){z, z ? strlen(z) : 0}; }
static inline bool str_empty(Str s) { return s.len == 0; }
static inline bool str_eq(Str a, Str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

// Byte order, which for UTF-8 is code point order. <0, 0, >0.
int str_cmp(Str a, Str b);
bool str_starts(Str s, Str prefix);
bool str_ends(Str s, Str suffix);
// Index of the first occurrence, or -1. An empty needle is found at 0.
ptrdiff_t str_find(Str s, Str needle);
// ASCII letters compared without case: HTTP header names, MIME types.
bool str_eq_nocase(Str a, Str b);
// [from, to) clamped to the string.
Str str_sub(Str s, size_t from, size_t to);
Str str_trim(Str s); // ASCII white space at both ends
// Cuts `*rest` at the first `sep`; returns the part before it and leaves the part after. When
// there is no `sep` returns all and leaves *rest empty with ptr NULL, so a loop
// `while (rest.ptr)` visits every field, the empty ones too.
Str str_cut(Str *rest, char sep);
// Decimal digits with an optional '-', nothing else, within int64. False leaves *ret alone.
__attribute__((warn_unused_result)) bool str_to_int(Str s, int64_t *ret);
// FNV-1a; for hash tables in memory only, never stored.
uint64_t str_hash(Str s);
// Well-formed UTF-8 by Unicode table 3-7 (no surrogates, no overlong forms, <= U+10FFFF).
bool str_utf8_valid(Str s);
// Decodes one code point at s[*at], moves *at past it; -1 on malformed input (moves one byte).
int32_t str_utf8_next(Str s, size_t *at);
// Code points in s (malformed bytes count one each).
size_t str_utf8_len(Str s);
// Takes the same time whatever the content; for secrets, tokens, signatures.
bool str_eq_constant_time(Str a, Str b);
