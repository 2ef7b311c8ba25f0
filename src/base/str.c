// Str: comparing, cutting and decoding slices. Nothing here allocates. The UTF-8 functions follow
// table 3-7 of the Unicode standard: no surrogates, no overlong forms, nothing past U+10FFFF.
// Limits: none of its own; a slice is as long as its owner allowed.
#include "base/str.h"

static const uint64_t high_bits = 0x8080808080808080u;

int str_cmp(Str a, Str b) {
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;
    if (order != 0) return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool str_starts(Str s, Str prefix) {
    return prefix.len <= s.len && str_eq(str_of(s.ptr, prefix.len), prefix);
}

bool str_ends(Str s, Str suffix) {
    if (suffix.len > s.len) return false;
    if (suffix.len == 0) return true;
    return str_eq(str_of(s.ptr + (s.len - suffix.len), suffix.len), suffix);
}

ptrdiff_t str_find(Str s, Str needle) {
    if (needle.len == 0) return 0;
    if (needle.len > s.len) return -1;
    const char *found = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return found ? found - s.ptr : -1;
}

static unsigned char lower(char c) {
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool str_eq_nocase(Str a, Str b) {
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i])) return false;
    }
    return true;
}

Str str_sub(Str s, size_t from, size_t to) {
    if (to > s.len) to = s.len;
    if (from >= to) return (Str){"", 0};
    return str_of(s.ptr + from, to - from);
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

Str str_trim(Str s) {
    while (s.len && is_space(s.ptr[s.len - 1])) s.len--;
    while (s.len && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    return s;
}

Str str_cut(Str *rest, char sep) {
    Str all = *rest;
    const char *at = all.len ? memchr(all.ptr, sep, all.len) : NULL;
    if (!at) {
        *rest = (Str){NULL, 0};
        return all;
    }
    size_t before = (size_t)(at - all.ptr);
    *rest = str_of(at + 1, all.len - before - 1);
    return str_of(all.ptr, before);
}

bool str_to_int(Str s, int64_t *ret) {
    bool negative = s.len && s.ptr[0] == '-';
    size_t at = negative;
    if (at == s.len) return false;
    int64_t n = 0; // counted downwards, because INT64_MIN has no positive twin
    for (; at < s.len; at++) {
        if (s.ptr[at] < '0' || s.ptr[at] > '9') return false;
        if (__builtin_mul_overflow(n, 10, &n)) return false;
        if (__builtin_sub_overflow(n, s.ptr[at] - '0', &n)) return false;
    }
    if (!negative && __builtin_sub_overflow((int64_t)0, n, &n)) return false;
    *ret = n;
    return true;
}

uint64_t str_hash(Str s) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s.len; i++) {
        hash ^= (unsigned char)s.ptr[i];
        hash *= 0x100000001b3u;
    }
    return hash;
}

// Bytes of the well-formed sequence at p, 0 when it is malformed. `left` >= 1.
static size_t sequence_len(const unsigned char *p, size_t left) {
    unsigned char lead = p[0];
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4 || left < 2) return 0;
    // Only the second byte's range depends on the lead; the others are always 80..BF.
    unsigned char low = 0x80, high = 0xBF;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    if (p[1] < low || p[1] > high) return 0;
    if (lead < 0xE0) return 2;
    if (left < 3 || (p[2] & 0xC0) != 0x80) return 0;
    if (lead < 0xF0) return 3;
    if (left < 4 || (p[3] & 0xC0) != 0x80) return 0;
    return 4;
}

bool str_utf8_valid(Str s) {
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t left = s.len;
    while (left) {
        if (left >= 8) {
            uint64_t eight;
            memcpy(&eight, p, 8);
            if ((eight & high_bits) == 0) {
                p += 8;
                left -= 8;
                continue;
            }
        }
        size_t n = sequence_len(p, left);
        if (n == 0) return false;
        p += n;
        left -= n;
    }
    return true;
}

int32_t str_utf8_next(Str s, size_t *at) {
    const unsigned char *p = (const unsigned char *)s.ptr + *at;
    size_t n = sequence_len(p, s.len - *at);
    *at += n ? n : 1;
    switch (n) {
    case 1: return p[0];
    case 2: return (p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    case 3: return (p[0] & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    case 4:
        return (p[0] & 0x07) << 18 | (p[1] & 0x3F) << 12 | (p[2] & 0x3F) << 6 | (p[3] & 0x3F);
    default: return -1;
    }
}

size_t str_utf8_len(Str s) {
    size_t points = 0;
    for (size_t at = 0; at < s.len; points++) (void)str_utf8_next(s, &at);
    return points;
}

bool str_eq_constant_time(Str a, Str b) {
    // The lengths of tokens and signatures are public; only the content must not leak.
    if (a.len != b.len) return false;
    volatile unsigned char difference = 0;
    for (size_t i = 0; i < a.len; i++) {
        difference = (unsigned char)(difference | (unsigned char)(a.ptr[i] ^ b.ptr[i]));
    }
    return difference == 0;
}
