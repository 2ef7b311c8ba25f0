// Buf: the growing part. Capacity doubles up to the maximum, in place when the buffer is the
// arena's newest allocation. Once something was dropped the capacity is closed at the length, so
// nothing later can slip in behind the hole.
// Limits: size_max of the buffer, and the arena's own.
#include "base/buf.h"

#include <stdio.h>

enum { CAP_FIRST_MIN = 64, INT_DIGITS_MAX = 20, UTF8_MAX = 4 };

Buf buf_make(Arena *a, size_t size_first, size_t size_max) {
    if (size_first > size_max) size_first = size_max;
    Buf b = {.arena = a, .ptr = NULL, .cap = size_first, .max = size_max};
    b.ptr = arena_alloc_raw(a, size_first);
    return b;
}

void buf_grow(Buf *b, size_t more) {
    if (b->full || more > b->max || b->len > b->max - more) {
        b->full = true;
        b->cap = b->len;
        return;
    }
    size_t need = b->len + more;
    size_t cap = b->cap < CAP_FIRST_MIN ? CAP_FIRST_MIN : b->cap;
    while (cap < need) cap = cap > b->max / 2 ? b->max : cap * 2;
    if (cap > b->max) cap = b->max;
    if (!arena_extend(b->arena, b->ptr, b->cap, cap)) {
        char *ptr = arena_alloc_raw(b->arena, cap);
        if (b->len) memcpy(ptr, b->ptr, b->len);
        b->ptr = ptr;
    }
    b->cap = cap;
}

void buf_int(Buf *b, int64_t n) {
    char digits[INT_DIGITS_MAX];
    size_t at = sizeof digits;
    uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (n < 0) digits[--at] = '-';
    buf_bytes(b, digits + at, sizeof digits - at);
}

void buf_hex(Buf *b, const uint8_t *bytes, size_t n) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
        buf_bytes(b, pair, 2);
    }
}

void buf_utf8(Buf *b, uint32_t c) {
    // What is no character is shown as one, U+FFFD, so that a buffer stays well-formed.
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) c = 0xFFFD;
    char out[UTF8_MAX];
    size_t n = 0;
    if (c < 0x80) {
        out[n++] = (char)c;
    } else if (c < 0x800) {
        out[n++] = (char)(0xC0 | c >> 6);
        out[n++] = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        out[n++] = (char)(0xE0 | c >> 12);
        out[n++] = (char)(0x80 | (c >> 6 & 0x3F));
        out[n++] = (char)(0x80 | (c & 0x3F));
    } else {
        out[n++] = (char)(0xF0 | c >> 18);
        out[n++] = (char)(0x80 | (c >> 12 & 0x3F));
        out[n++] = (char)(0x80 | (c >> 6 & 0x3F));
        out[n++] = (char)(0x80 | (c & 0x3F));
    }
    buf_bytes(b, out, n);
}

void buf_printf(Buf *b, const char *format, ...) {
    char small[256];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof small) {
        buf_bytes(b, small, (size_t)len);
    } else if (len >= 0) {
        char *text = arena_alloc_raw(b->arena, (size_t)len + 1);
        (void)vsnprintf(text, (size_t)len + 1, format, again);
        buf_bytes(b, text, (size_t)len);
    }
    va_end(again);
}
