// Arena: memory freed all at once. Lifetimes are the process, a connection, a request and a
// scratch scope; nothing is freed alone. Under AddressSanitizer unused bytes are poisoned, so a
// use after arena_reset or arena_rewind is caught.
//
// An arena has a maximum. Passing it is not an allocation failure to be handled at each call
// site: the arena jumps to the handler set with arena_on_limit, or aborts when there is none.
// Each request and each command sets one (a refusal with status LIMIT); so no caller of
// arena_new needs to check for NULL, and no input can make the process grow without bound.
#pragma once

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>

typedef struct Arena Arena;

// `size_max`: bytes at most that may be live at once. Free with arena_free.
Arena *arena_create(size_t size_max);
void arena_free(Arena *a); // NULL is allowed
static inline void arena_cleanup(Arena **a) { arena_free(*a); }
#define ARENA_AUTO __attribute__((cleanup(arena_cleanup))) Arena *

// Forgets everything but keeps the first block, so a reused arena does not touch malloc.
void arena_reset(Arena *a);

typedef struct ArenaMark {
    void *block;
    size_t used;
    size_t total;
} ArenaMark;
ArenaMark arena_mark(const Arena *a);
void arena_rewind(Arena *a, ArenaMark mark); // frees what came after the mark

// Zeroed memory, aligned to 16. `size` 0 returns a valid pointer to nothing.
__attribute__((malloc, returns_nonnull)) void *arena_alloc(Arena *a, size_t size);
// Not zeroed; for buffers that are filled at once.
__attribute__((malloc, returns_nonnull)) void *arena_alloc_raw(Arena *a, size_t size);
#define arena_new(a, T) ((T *)arena_alloc((a), sizeof(T)))
#define arena_array(a, T, n) ((T *)arena_alloc_n((a), (n), sizeof(T)))
// n * size, the overflow checked.
__attribute__((returns_nonnull)) void *arena_alloc_n(Arena *a, size_t n, size_t size);

// Makes the newest allocation longer where it stands; false (nothing changed) when it isn't the
// newest or the block has no room. The bytes added are not zeroed. For growing arrays.
__attribute__((warn_unused_result)) bool arena_extend(Arena *a, void *ptr, size_t size_old,
                                                      size_t size_new);

Str arena_str(Arena *a, Str s);           // a copy
const char *arena_cstr(Arena *a, Str s);  // a NUL-terminated copy, for a library's edge
Str arena_concat(Arena *a, const Str *parts, size_t n);
__attribute__((format(printf, 2, 3))) Str arena_printf(Arena *a, const char *format, ...);

// Bytes live now, and the most there ever were.
size_t arena_used(const Arena *a);
size_t arena_peak(const Arena *a);

// Where to jump when size_max would be passed: `if (setjmp(*env)) { refuse }`. NULL: abort.
// Returns the handler set before, so scopes nest.
jmp_buf *arena_on_limit(Arena *a, jmp_buf *env);
