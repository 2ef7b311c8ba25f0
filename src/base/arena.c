// Arena: a chain of blocks from malloc; the newest is `current` and is filled from its start.
//
// Invariants: the first block is made with the arena and stays until arena_free; blocks are
// linked backwards; `live` counts what callers asked for, rounded up to 16, so it does not depend
// on how blocks are cut. Under AddressSanitizer whatever is not handed out is poisoned, and a
// gap of one granule stands behind each allocation so that running past its end is caught.
//
// Limits: size_max of the arena. malloc returning NULL counts as passing it.
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
enum { GAP = 16 };
#define poison(ptr, n) ASAN_POISON_MEMORY_REGION((ptr), (n))
#define unpoison(ptr, n) ASAN_UNPOISON_MEMORY_REGION((ptr), (n))
#else
enum { GAP = 0 };
#define poison(ptr, n) ((void)(ptr), (void)(n))
#define unpoison(ptr, n) ((void)(ptr), (void)(n))
#endif

enum { ALIGN = 16, BLOCK_SIZE_FIRST = 8 << 10, BLOCK_SIZE_MAX = 1 << 20 };

typedef struct Block {
    struct Block *previous;
    size_t cap;  // bytes behind the header
    size_t used;
    size_t unused_padding; // keeps the header a multiple of ALIGN
} Block;
_Static_assert(sizeof(Block) % ALIGN == 0, "allocations begin aligned");

struct Arena {
    Block *current;
    size_t live, peak, size_max;
    size_t block_next; // size of the next block
    jmp_buf *on_limit;
};

static char *block_bytes(Block *block) { return (char *)(block + 1); }

static size_t round_up(size_t n) { return (n + (ALIGN - 1)) & ~(size_t)(ALIGN - 1); }

_Noreturn static void arena_refuse(Arena *a, size_t size) {
    if (a && a->on_limit) longjmp(*a->on_limit, 1);
    (void)fprintf(stderr, "arena: %zu more bytes would pass the limit of %zu; no handler\n", size,
                  a ? a->size_max : 0);
    abort();
}

static Block *block_create(size_t cap, Block *previous) {
    Block *block = malloc(sizeof *block + cap);
    if (!block) return NULL;
    *block = (Block){.previous = previous, .cap = cap};
    poison(block_bytes(block), cap);
    return block;
}

static void block_free(Block *block) {
    unpoison(block_bytes(block), block->cap);
    free(block);
}

Arena *arena_create(size_t size_max) {
    Arena *a = malloc(sizeof *a);
    Block *first = block_create(BLOCK_SIZE_FIRST, NULL);
    if (!a || !first) {
        free(a);
        if (first) block_free(first);
        arena_refuse(NULL, BLOCK_SIZE_FIRST);
    }
    *a = (Arena){.current = first, .size_max = size_max, .block_next = 2 * BLOCK_SIZE_FIRST};
    return a;
}

void arena_free(Arena *a) {
    if (!a) return;
    for (Block *block = a->current, *previous; block; block = previous) {
        previous = block->previous;
        block_free(block);
    }
    free(a);
}

void arena_reset(Arena *a) {
    while (a->current->previous) {
        Block *previous = a->current->previous;
        block_free(a->current);
        a->current = previous;
    }
    poison(block_bytes(a->current), a->current->used);
    a->current->used = 0;
    a->live = 0;
    a->block_next = 2 * BLOCK_SIZE_FIRST;
}

ArenaMark arena_mark(const Arena *a) {
    return (ArenaMark){.block = a->current, .used = a->current->used, .total = a->live};
}

void arena_rewind(Arena *a, ArenaMark mark) {
    while (a->current != mark.block) {
        Block *previous = a->current->previous;
        if (!previous) abort(); // the mark is of another arena, or older than a reset
        block_free(a->current);
        a->current = previous;
    }
    poison(block_bytes(a->current) + mark.used, a->current->used - mark.used);
    a->current->used = mark.used;
    a->live = mark.total;
}

// A block that has room for `need` bytes becomes current.
static void grow(Arena *a, size_t need) {
    size_t cap = a->block_next > need ? a->block_next : need;
    Block *block = block_create(cap, a->current);
    if (!block) arena_refuse(a, need);
    a->current = block;
    if (a->block_next < BLOCK_SIZE_MAX) a->block_next *= 2;
}

// Counts `more` bytes against the maximum; does not return when there are too many.
static void take(Arena *a, size_t more) {
    if (more > a->size_max || a->live > a->size_max - more) arena_refuse(a, more);
    a->live += more;
    if (a->live > a->peak) a->peak = a->live;
}

void *arena_alloc_raw(Arena *a, size_t size) {
    if (size > SIZE_MAX / 2) arena_refuse(a, size);
    size_t rounded = round_up(size);
    take(a, rounded);
    Block *block = a->current;
    if (block->cap - block->used < rounded + GAP) {
        grow(a, rounded + GAP);
        block = a->current;
    }
    char *ptr = block_bytes(block) + block->used;
    block->used += rounded + GAP;
    unpoison(ptr, size);
    return ptr;
}

void *arena_alloc(Arena *a, size_t size) {
    void *ptr = arena_alloc_raw(a, size);
    if (size) memset(ptr, 0, size);
    return ptr;
}

void *arena_alloc_n(Arena *a, size_t n, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) arena_refuse(a, SIZE_MAX);
    return arena_alloc(a, bytes);
}

bool arena_extend(Arena *a, void *ptr, size_t size_old, size_t size_new) {
    if (!ptr || size_new < size_old || size_new > SIZE_MAX / 2) return false;
    Block *block = a->current;
    size_t rounded_old = round_up(size_old), rounded_new = round_up(size_new);
    if ((char *)ptr + rounded_old + GAP != block_bytes(block) + block->used) return false;
    size_t more = rounded_new - rounded_old;
    if (block->cap - block->used < more) return false;
    take(a, more);
    block->used += more;
    unpoison((char *)ptr, size_new);
    return true;
}

Str arena_str(Arena *a, Str s) {
    if (s.len == 0) return (Str){"", 0};
    char *copy = arena_alloc_raw(a, s.len);
    memcpy(copy, s.ptr, s.len);
    return str_of(copy, s.len);
}

const char *arena_cstr(Arena *a, Str s) {
    char *copy = arena_alloc_raw(a, s.len + 1);
    if (s.len) memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

Str arena_concat(Arena *a, const Str *parts, size_t n) {
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (__builtin_add_overflow(len, parts[i].len, &len)) arena_refuse(a, SIZE_MAX);
    }
    char *all = arena_alloc_raw(a, len);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].len) memcpy(all + at, parts[i].ptr, parts[i].len);
        at += parts[i].len;
    }
    return str_of(all, len);
}

Str arena_printf(Arena *a, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) { // an argument that the C library can't print
        va_end(again);
        return (Str){"", 0};
    }
    char *text = arena_alloc_raw(a, (size_t)len + 1);
    (void)vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return str_of(text, (size_t)len);
}

size_t arena_used(const Arena *a) { return a->live; }

size_t arena_peak(const Arena *a) { return a->peak; }

jmp_buf *arena_on_limit(Arena *a, jmp_buf *env) {
    jmp_buf *before = a->on_limit;
    a->on_limit = env;
    return before;
}
