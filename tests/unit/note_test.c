// room: trail
#include "trail/note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { TEST_MEMORY = 16 << 20 };

// The example of golang.org/x/mod/sumdb/note.
#define PUBLIC "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define SECRET "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
#define TEXT                                                     \
    "If you think cryptography is the answer to your problem,\n" \
    "then you don't know what your problem is.\n"
#define SIGNED                                                                       \
    TEXT "\n\xe2\x80\x94 PeterNeumann "                                              \
         "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngo" \
         "tpRZb6KE6RyyBwJnAM=\n"

static int setup(void **state) {
    *state = arena_create(TEST_MEMORY);
    return 0;
}
static int teardown(void **state) {
    arena_free(*state);
    return 0;
}

static void known_key_and_signature(void **state) {
    Arena *a = *state;
    Error err;
    NoteKey public_key, secret;
    assert_int_equal(note_key_parse(S(PUBLIC "\n"), a, &public_key, &err), OK);
    assert_int_equal(note_key_parse(S(SECRET), a, &secret, &err), OK);
    assert_false(public_key.secret);
    assert_true(secret.secret);
    assert_int_equal(secret.hash, 0xc74f20a3);
    assert_true(str_eq(note_key_public_text(&public_key, a), S(PUBLIC)));
    assert_true(str_eq(note_key_public_text(&secret, a), S(PUBLIC)));
    assert_true(str_eq(note_key_secret_text(&secret, a), S(SECRET)));
    Str note;
    assert_int_equal(note_sign(S(TEXT), &secret, 1, a, &note, &err), OK);
    assert_true(str_eq(note, S(SIGNED))); // Ed25519 signs without chance
    NoteOpened opened;
    assert_int_equal(note_open(note, &public_key, 1, a, &opened, &err), OK);
    assert_true(str_eq(opened.text, S(TEXT)));
    assert_int_equal(opened.signatures, 1);
    assert_true(opened.signed_by[0]);
}

// Whatever byte is changed, the note does not open as the same text.
static void any_change_is_found(void **state) {
    Arena *a = *state;
    Error err;
    NoteKey k;
    assert_int_equal(note_key_parse(S(PUBLIC), a, &k, &err), OK);
    char room[sizeof SIGNED];
    for (size_t i = 0; i + 1 < sizeof SIGNED; i++) {
        static const char flips[] = {1, 2, 0x20, (char)0x80};
        for (size_t f = 0; f < sizeof flips; f++) {
            memcpy(room, SIGNED, sizeof room);
            room[i] = (char)(room[i] ^ flips[f]);
            NoteOpened opened;
            ArenaMark mark = arena_mark(a);
            if (note_open((Str){room, sizeof room - 1}, &k, 1, a, &opened, &err) == OK)
                fail_msg("byte %zu may be changed", i);
            arena_rewind(a, mark);
        }
    }
    for (size_t len = 0; len + 1 < sizeof SIGNED; len++) {
        NoteOpened opened;
        assert_int_not_equal(note_open(str_sub(S(SIGNED), 0, len), &k, 1, a, &opened, &err), OK);
    }
}

static void several_keys(void **state) {
    Arena *a = *state;
    Error err;
    NoteKey keys[3];
    for (size_t i = 0; i < 3; i++) {
        Str name = arena_printf(a, "log.example/%zu", i);
        assert_int_equal(note_key_make(name, a, &keys[i], &err), OK);
    }
    Str note, more;
    assert_int_equal(note_sign(S("文本\n\n二\n"), keys, 1, a, &note, &err), OK);
    assert_int_equal(note_cosign(note, keys + 1, 1, a, &more, &err), OK);
    assert_true(str_starts(more, note));
    NoteOpened opened;
    assert_int_equal(note_open(more, keys, 3, a, &opened, &err), OK);
    assert_true(str_eq(opened.text, S("文本\n\n二\n")));
    assert_true(opened.signed_by[0] && opened.signed_by[1] && !opened.signed_by[2]);
    assert_int_equal(note_open(more, keys, 1, a, &opened, &err), OK);
    assert_int_equal(opened.unknown, 1);
    assert_int_equal(note_open(more, keys + 2, 1, a, &opened, &err), INVALID);
    assert_int_equal(note_open(more, NULL, 0, a, &opened, &err), INVALID);
    // The right name and hash with another key's signature.
    NoteKey forged = keys[2];
    forged.name = keys[0].name;
    forged.hash = keys[0].hash;
    assert_int_equal(note_sign(S("文本\n"), &forged, 1, a, &note, &err), OK);
    assert_int_equal(note_open(note, keys, 1, a, &opened, &err), INVALID);
    // Two keys made with the same name are two keys.
    NoteKey twin;
    assert_int_equal(note_key_make(keys[0].name, a, &twin, &err), OK);
    assert_int_not_equal(twin.hash, keys[0].hash);
}

static void keys_that_are_none(void **state) {
    Arena *a = *state;
    Error err;
    NoteKey k;
    static const char *const bad[] = {
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a3+",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", // hash
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX",
        "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", // algorithm
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDF0",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (note_key_parse(str_z(bad[i]), a, &k, &err) != INVALID)
            fail_msg("taken as a key: %s", bad[i]);
    assert_int_equal(note_key_make(S("a b"), a, &k, &err), INVALID);
    assert_int_equal(note_key_make(S("a\xe3\x80\x80"
                                     "b"),
                                   a, &k, &err),
                     INVALID);
    assert_int_equal(note_key_make(S("a+b"), a, &k, &err), INVALID);
    assert_int_equal(note_key_make(S(""), a, &k, &err), INVALID);
    assert_int_equal(note_key_from_seed(S("a"), S("short"), a, &k, &err), INVALID);
}

static void texts_that_cannot_be_signed(void **state) {
    Arena *a = *state;
    Error err;
    NoteKey k;
    Str note;
    assert_int_equal(note_key_make(S("a"), a, &k, &err), OK);
    static const Str bad[] = {S_INIT(""),      S_INIT("no newline"), S_INIT("a\tb\n"),
                              S_INIT("a\r\n"), S_INIT("\xff\n"),     S_INIT("a\0b\n")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(note_sign(bad[i], &k, 1, a, &note, &err), INVALID);
    char *large = arena_alloc(a, NOTE_SIZE_MAX);
    memset(large, 'a', NOTE_SIZE_MAX);
    large[NOTE_SIZE_MAX - 1] = '\n';
    assert_int_equal(note_sign((Str){large, NOTE_SIZE_MAX}, &k, 1, a, &note, &err), LIMIT);
    assert_int_equal(note_cosign(S("a\n"), &k, 1, a, &note, &err), INVALID);
}

static void checkpoints(void **state) {
    Arena *a = *state;
    Error err;
    Checkpoint c = {.origin = S("yizhan.example/county"), .size = 329804, .root = sha256(S("x"))};
    Str text = checkpoint_text(&c, a);
    assert_true(str_eq(text, S("yizhan.example/county\n329804\n"
                               "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=\n")));
    Checkpoint back;
    assert_int_equal(checkpoint_parse(text, a, &back, &err), OK);
    assert_true(str_eq(back.origin, c.origin));
    assert_int_equal(back.size, c.size);
    assert_memory_equal(&back.root, &c.root, sizeof c.root);
    assert_true(str_empty(back.extension));
    c.extension = S("time 1\nmore\n");
    assert_int_equal(checkpoint_parse(checkpoint_text(&c, a), a, &back, &err), OK);
    assert_true(str_eq(back.extension, c.extension));
#define ROOT "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE="
    static const char *const bad[] = {
        "",
        "a\n",
        "a\n1\n",
        "a\n1\n" ROOT,
        "\n1\n" ROOT "\n",
        "a\n01\n" ROOT "\n",
        "a\n-1\n" ROOT "\n",
        "a\n+1\n" ROOT "\n",
        "a\n\n" ROOT "\n",
        "a\n1 \n" ROOT "\n",
        "a\n9223372036854775808\n" ROOT "\n",
        "a\n1\nLXEW\n",
        "a\n1\n" ROOT "=\n",
        "a\n1\nLXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIF=\n", // not canonical
        "a\n1\n" ROOT "\n\n",
        "a\n1\n" ROOT "\nx\n\ny\n",
        "a\n1\r\n" ROOT "\n",
        "a\n-0\n" ROOT "\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (checkpoint_parse(str_z(bad[i]), a, &back, &err) != INVALID)
            fail_msg("taken as a checkpoint: %s", bad[i]);
    assert_int_equal(checkpoint_parse(S("a\n0\n" ROOT "\n"), a, &back, &err), OK);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(known_key_and_signature), T(any_change_is_found),         T(several_keys),
        T(keys_that_are_none),      T(texts_that_cannot_be_signed), T(checkpoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
