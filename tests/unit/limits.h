// What the tests of limits share: an input made of repeated parts, just past a maximum. The name of
// the maximum stands beside it; tests/checks/limits.test finds maxima that no table names.
#pragma once

#include "base/buf.h"

typedef struct LimitCase {
    const char *limit;           // the constant's name
    const char *before, *opened; // before, opened × times, between, closed × times, after
    size_t times;
    const char *between, *closed, *after;
    const char *says; // part of the refusal
} LimitCase;

// `#` in a repeated part becomes the number of the repetition.
static inline void limit_repeat(Buf *out, const char *part, size_t times) {
    for (size_t i = 0; part && i < times; i++)
        for (const char *at = part; *at; at++) {
            if (*at == '#') buf_int(out, (int64_t)i);
            else buf_char(out, *at);
        }
}

// The input with `times` repetitions.
static inline Str limit_input(const LimitCase *c, size_t times, size_t size_max, Arena *a) {
    Buf out = buf_make(a, 4096, size_max);
    buf_str(&out, str_z(c->before));
    limit_repeat(&out, c->opened, times);
    buf_str(&out, str_z(c->between));
    limit_repeat(&out, c->closed, times);
    buf_str(&out, str_z(c->after));
    return buf_view(&out);
}
