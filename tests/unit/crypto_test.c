// room: base
#include "base/crypto.h"

#include <pthread.h>

#include <cmocka.h>

static Str hex_of(Hash h, Arena *a) { return hash_hex(&h, a); }

// FIPS 180-4 examples.
static void hashes_as_published(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(4 << 20);
    assert_true(str_eq(
        hex_of(sha256(S("abc")), a),
        S("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")));
    assert_true(str_eq(
        hex_of(sha256((Str){NULL, 0}), a),
        S("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")));
    char *million = arena_alloc(a, 1000000);
    memset(million, 'a', 1000000);
    assert_true(str_eq(
        hex_of(sha256(str_of(million, 1000000)), a),
        S("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")));
    Str parts[] = {S_INIT("a"), {NULL, 0}, S_INIT("bc")};
    assert_true(str_eq(hex_of(sha256_parts(parts, 3), a), hex_of(sha256(S("abc")), a)));
}

// RFC 4231, cases 1, 2 and 6 (a key longer than a block).
static void authenticates_as_published(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(1 << 16);
    char key[131];
    memset(key, 0x0b, 20);
    assert_true(str_eq(
        hex_of(hmac_sha256(str_of(key, 20), S("Hi There")), a),
        S("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")));
    assert_true(str_eq(
        hex_of(hmac_sha256(S("Jefe"), S("what do ya want for nothing?")), a),
        S("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")));
    memset(key, 0xaa, sizeof key);
    assert_true(str_eq(
        hex_of(hmac_sha256(str_of(key, sizeof key),
                           S("Test Using Larger Than Block-Size Key - Hash Key First")), a),
        S("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")));
}

static void decodes_hex(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(1 << 16);
    Str out = S("untouched");
    assert_true(hex_decode(S("00fFAb"), a, &out));
    assert_true(str_eq(out, S("\0\xff\xab")));
    assert_true(hex_decode(S(""), a, &out));
    assert_int_equal(out.len, 0);
    out = S("untouched");
    assert_false(hex_decode(S("0"), a, &out));
    assert_false(hex_decode(S("0g"), a, &out));
    assert_true(str_eq(out, S("untouched")));
}

// RFC 4648, section 10.
static void encodes_base64(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(1 << 16);
    const char *const pairs[][2] = {{"", ""},         {"f", "Zg=="},     {"fo", "Zm8="},
                                    {"foo", "Zm9v"},  {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
                                    {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "+/8="}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        Str plain = str_z(pairs[i][0]), coded = str_z(pairs[i][1]), back;
        assert_true(str_eq(base64_encode(plain, a), coded));
        assert_true(base64_decode(coded, a, &back));
        assert_true(str_eq(back, plain));
    }
    const char *const wrong[] = {"Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zm8=Zm8=", "Zm 8",
                                 "Zm9v\n", "-_8=", "=Zm8"};
    Str out = S("untouched");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(base64_decode(str_z(wrong[i]), a, &out));
    }
    assert_true(str_eq(out, S("untouched")));
}

static void tokens_differ(void **state) {
    (void)state;
    ARENA_AUTO a = arena_create(1 << 20);
    Str seen[100];
    for (size_t i = 0; i < 100; i++) {
        seen[i] = random_token(16, a);
        assert_int_equal(seen[i].len, 22);
        for (size_t j = 0; j < i; j++) assert_false(str_eq(seen[i], seen[j]));
        for (size_t j = 0; j < seen[i].len; j++) {
            assert_null(memchr("+/=", seen[i].ptr[j], 3));
        }
    }
}

static void *hash_many(void *result) {
    Hash h = sha256(S("0"));
    for (int i = 0; i < 2000; i++) h = sha256(str_of((const char *)h.bytes, sizeof h.bytes));
    *(Hash *)result = h;
    return NULL;
}

static void threads_do_not_disturb_each_other(void **state) {
    (void)state;
    pthread_t threads[4];
    Hash results[5];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, hash_many, &results[i]), 0);
    }
    (void)hash_many(&results[4]);
    for (int i = 0; i < 4; i++) {
        (void)pthread_join(threads[i], NULL);
        assert_memory_equal(&results[i], &results[4], sizeof(Hash));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_published), cmocka_unit_test(authenticates_as_published),
        cmocka_unit_test(decodes_hex),         cmocka_unit_test(encodes_base64),
        cmocka_unit_test(tokens_differ),       cmocka_unit_test(threads_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
