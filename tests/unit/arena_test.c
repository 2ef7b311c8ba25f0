// room: base
#include "base/arena.h"

#include <stdio.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif
#ifdef UNDER_ASAN
#include <sanitizer/asan_interface.h>
#endif

static void allocates_zeroed_and_aligned(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(1 << 20);
    for (size_t size = 0; size < 300; size += 7) {
        unsigned char *p = arena_alloc(a, size);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++) assert_int_equal(p[i], 0);
        memset(p, 0xAA, size);
    }
    arena_reset(a);
    assert_int_equal(arena_used(a), 0);
    const unsigned char *again = arena_alloc(a, 64);
    for (size_t i = 0; i < 64; i++) assert_int_equal(again[i], 0);
}

static void grows_past_blocks(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(64 << 20);
    char *first = arena_alloc(a, 16);
    memcpy(first, "first", 6);
    for (int i = 0; i < 2000; i++) memset(arena_alloc_raw(a, 5000), i, 5000);
    char *large = arena_alloc(a, 5 << 20);
    large[(5 << 20) - 1] = 'x';
    assert_string_equal(first, "first");
    assert_true(arena_used(a) >= 2000 * 5000 + (5 << 20));
    assert_int_equal(arena_peak(a), arena_used(a));
    size_t peak = arena_peak(a);
    arena_reset(a);
    assert_int_equal(arena_peak(a), peak);
}

static void rewinds_to_a_mark(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(8 << 20);
    char *kept = arena_alloc(a, 100);
    kept[99] = 'k';
    ArenaMark mark = arena_mark(a);
    size_t used = arena_used(a);
    for (int i = 0; i < 100; i++) (void)arena_alloc(a, 10000);
    arena_rewind(a, mark);
    assert_int_equal(arena_used(a), used);
    assert_int_equal(kept[99], 'k');
    char *next = arena_alloc(a, 100);
    arena_rewind(a, mark);
    assert_ptr_equal(arena_alloc(a, 100), next);
}

static void refuses_past_its_maximum(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(100000);
    jmp_buf outer, inner;
    assert_null(arena_on_limit(a, &outer));
    volatile int refusals = 0;
    volatile size_t allocated = 0;
    if (setjmp(inner) == 0) {
        assert_ptr_equal(arena_on_limit(a, &inner), &outer);
        for (;;) {
            (void)arena_alloc(a, 1000);
            allocated = allocated + 1;
        }
    } else {
        refusals = refusals + 1;
    }
    assert_int_equal(refusals, 1);
    assert_int_equal(allocated, 99); // 1008 each
    assert_true(arena_used(a) <= 100000);
    assert_ptr_equal(arena_on_limit(a, &outer), &inner);
    // An absurd size is refused and not wrapped around.
    if (setjmp(outer) == 0) {
        (void)arena_alloc_n(a, SIZE_MAX / 8, 16);
        fail();
    }
    if (setjmp(outer) == 0) {
        (void)arena_alloc_raw(a, SIZE_MAX - 3);
        fail();
    }
    (void)arena_alloc(a, 16); // still usable
}

static void extends_the_newest_only(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(1 << 20);
    char *p = arena_alloc_raw(a, 100);
    memset(p, 'p', 100);
    assert_true(arena_extend(a, p, 100, 1000));
    memset(p, 'q', 1000);
    char *q = arena_alloc_raw(a, 10);
    assert_true(q >= p + 1000);
    assert_false(arena_extend(a, p, 1000, 2000));
    assert_false(arena_extend(a, q, 10, 1 << 19)); // more than the block has
    assert_false(arena_extend(a, NULL, 0, 10));
    assert_true(arena_used(a) >= 1010 && arena_used(a) < 1100);
}

static void makes_strings(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(1 << 20);
    char source[] = "受理";
    Str copy = arena_str(a, str_z(source));
    source[0] = 'x';
    assert_true(str_eq(copy, S("受理")));
    assert_int_equal(arena_str(a, (Str){NULL, 0}).len, 0);
    assert_string_equal(arena_cstr(a, str_of("abcdef", 3)), "abc");
    assert_string_equal(arena_cstr(a, (Str){NULL, 0}), "");
    Str parts[] = {S_INIT("a"), {NULL, 0}, S_INIT("bc")};
    assert_true(str_eq(arena_concat(a, parts, 3), S("abc")));
    assert_int_equal(arena_concat(a, parts, 0).len, 0);
    assert_true(str_eq(arena_printf(a, "%d-%s", 12, "x"), S("12-x")));
    Str long_one = arena_printf(a, "%09000d", 1);
    assert_int_equal(long_one.len, 9000);
}

#ifdef UNDER_ASAN
static void poisons_what_is_not_handed_out(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(1 << 20);
    char *p = arena_alloc(a, 20);
    assert_false(__asan_address_is_poisoned(p + 19));
    assert_true(__asan_address_is_poisoned(p + 20));
    char *q = arena_alloc(a, 16);
    assert_true(__asan_address_is_poisoned(q + 16));
    assert_true(__asan_address_is_poisoned(q - 1));
    ArenaMark mark = arena_mark(a);
    char *r = arena_alloc(a, 16);
    arena_rewind(a, mark);
    assert_true(__asan_address_is_poisoned(r));
    assert_false(__asan_address_is_poisoned(q));
    arena_reset(a);
    assert_true(__asan_address_is_poisoned(p));
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocates_zeroed_and_aligned),
        cmocka_unit_test(grows_past_blocks),
        cmocka_unit_test(rewinds_to_a_mark),
        cmocka_unit_test(refuses_past_its_maximum),
        cmocka_unit_test(extends_the_newest_only),
        cmocka_unit_test(makes_strings),
#ifdef UNDER_ASAN
        cmocka_unit_test(poisons_what_is_not_handed_out),
#endif
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
