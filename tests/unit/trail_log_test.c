// room: trail
// The log: sealing in batches, proofs that a stranger can check, and what verification finds.
#include "store_fixture.h"

#include "trail/log.h"
#include "trail/note.h"

enum { CASES = 7 };

static Status append_many(Tx *tx, void *arg, Errors *errs) {
    const int64_t *n = arg; // from, count
    for (int64_t i = n[0]; i < n[0] + n[1]; i++) {
        Event e = {.case_id = i % CASES, .kind = S("case.noted")};
        Status status = event_append(tx, &e, errs);
        if (status != OK) return status;
    }
    return OK;
}

static void add(Fixture *f, int64_t from, int64_t count) {
    int64_t n[2] = {from, count};
    Errors errs = errors_make(f->arena);
    Status status = store_write(f->store, append_many, n, f->arena, 1, &errs);
    if (status != OK) fixture_fail("append", &errs.items[0]);
}

static TrailKey *key(Fixture *f) {
    TrailKey *k;
    Error err;
    Status status = trail_key_open(str_z(f->folder), true, S("yizhan.test/log"), &k, &err);
    if (status != OK) fixture_fail("key", &err);
    return k;
}

static uint64_t seal(Fixture *f, const TrailKey *k) {
    uint64_t size;
    Error err;
    if (trail_seal(f->store, k, 5, &size, &err) != OK) fixture_fail("seal", &err);
    return size;
}

static Db *reader(Fixture *f) {
    Db *db;
    Error err;
    if (store_read(f->store, &db, &err) != OK) fixture_fail("store_read", &err);
    return db;
}

static Hash hash_of(Value base64, Arena *a) {
    Str bytes;
    Hash hash;
    assert_true(base64_decode(v_text(base64), a, &bytes));
    assert_true(merkle_hash_from(bytes, &hash));
    return hash;
}

static Hash *proof_of(Value list, Arena *a) {
    Hash *proof = arena_array(a, Hash, list.len + 1);
    for (uint32_t i = 0; i < list.len; i++) proof[i] = hash_of(v_at(list, i), a);
    return proof;
}

// The note is checked with nothing but the public key.
static Checkpoint checkpoint_of(Str note, Str public_key, Arena *a) {
    NoteKey verifier;
    NoteOpened opened;
    Checkpoint c;
    Error err;
    assert_status(note_key_parse(public_key, a, &verifier, &err), OK, &err);
    assert_status(note_open(note, &verifier, 1, a, &opened, &err), OK, &err);
    assert_status(checkpoint_parse(opened.text, a, &c, &err), OK, &err);
    return c;
}

static int64_t nth_event(Fixture *f, int64_t n) {
    char sql[80];
    (void)snprintf(sql, sizeof sql, "SELECT id FROM event ORDER BY id LIMIT 1 OFFSET %d", (int)n);
    return fixture_int(f, sql);
}

static void check_inclusion(Fixture *f, Db *db, const TrailKey *k, int64_t place, int64_t size) {
    Value p;
    Error err;
    Arena *a = f->arena;
    ArenaMark mark = arena_mark(a);
    assert_status(trail_inclusion(db, nth_event(f, place), a, &p, &err), OK, &err);
    Checkpoint c = checkpoint_of(v_text(v_get_lit(p, "checkpoint")), trail_public_key(k, a), a);
    assert_int_equal(c.size, size);
    assert_int_equal(v_to_int(v_get_lit(p, "index"), -1), place);
    Hash leaf = hash_of(v_get_lit(p, "leaf"), a);
    Value list = v_get_lit(p, "proof");
    Hash *proof = proof_of(list, a);
    assert_status(merkle_check_inclusion((uint64_t)place, c.size, &leaf, &c.root, proof, list.len,
                                         &err), OK, &err);
    leaf.bytes[0] ^= 1; // and a proof that could not fail would prove nothing
    assert_int_equal(merkle_check_inclusion((uint64_t)place, c.size, &leaf, &c.root, proof,
                                            list.len, &err), INVALID);
    arena_rewind(a, mark);
}

static void sealed_in_steps_and_proved(void **state) {
    Fixture *f = *state;
    TrailKey *k = key(f);
    DB_AUTO db = reader(f);
    Error err;
    Str note;
    Value p;
    assert_int_equal(seal(f, k), 0);
    assert_status(trail_checkpoint(db, f->arena, &note, &err), OK, &err);
    assert_int_equal(note.len, 0);
    const int64_t steps[] = {1, 254, 1, 1, 300, 0, 600};
    int64_t size = 0;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i]) add(f, size, steps[i]);
        size += steps[i];
        assert_int_equal(seal(f, k), size);
    }
    const int64_t places[] = {0, 1, 254, 255, 256, 257, 511, 512, 1000, size - 1};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        check_inclusion(f, db, k, places[i], size);
    }
    assert_int_equal(trail_inclusion(db, 1 << 30, f->arena, &p, &err), NOT_FOUND);
    add(f, size, 1);
    assert_int_equal(trail_inclusion(db, nth_event(f, size), f->arena, &p, &err), NOT_FOUND);
    trail_key_free(k);
}

static void earlier_trees_are_beginnings(void **state) {
    Fixture *f = *state;
    TrailKey *k = key(f);
    Arena *a = f->arena;
    Checkpoint seen[4];
    Error err;
    DB_AUTO db = reader(f);
    for (int i = 0; i < 4; i++) {
        Str note;
        add(f, i * 300, 300);
        seal(f, k);
        assert_status(trail_checkpoint(db, a, &note, &err), OK, &err);
        seen[i] = checkpoint_of(note, trail_public_key(k, a), a);
    }
    for (int i = 0; i < 4; i++) {
        for (int j = i; j < 4; j++) {
            Value p;
            assert_status(trail_consistency(db, seen[i].size, seen[j].size, a, &p, &err), OK, &err);
            Value list = v_get_lit(p, "proof");
            assert_status(merkle_check_consistency(seen[i].size, seen[j].size, &seen[i].root,
                                                   &seen[j].root, proof_of(list, a), list.len,
                                                   &err), OK, &err);
        }
    }
    Value p;
    assert_int_equal(trail_consistency(db, 5, 2, a, &p, &err), INVALID);
    assert_int_equal(trail_consistency(db, 5, 5000, a, &p, &err), INVALID);
    trail_key_free(k);
}

static void tiles_for_a_mirror(void **state) {
    Fixture *f = *state;
    TrailKey *k = key(f);
    add(f, 0, 600);
    seal(f, k);
    DB_AUTO db = reader(f);
    Str full, part;
    Error err;
    assert_status(trail_tile(db, 0, 0, 256, f->arena, &full, &err), OK, &err);
    assert_int_equal(full.len, 256 * 32);
    assert_status(trail_tile(db, 0, 2, 88, f->arena, &part, &err), OK, &err);
    assert_int_equal(part.len, 88 * 32);
    assert_int_equal(trail_tile(db, 0, 2, 89, f->arena, &part, &err), NOT_FOUND);
    assert_int_equal(trail_tile(db, 0, 3, 1, f->arena, &part, &err), NOT_FOUND);
    assert_int_equal(trail_tile(db, 99, 0, 1, f->arena, &part, &err), NOT_FOUND);
    assert_status(trail_tile(db, 1, 0, 2, f->arena, &part, &err), OK, &err);
    trail_key_free(k);
}

typedef struct Faults {
    int count;
    char first[200];
    int64_t progressed;
} Faults;

static void found(void *ctx, Str where, Str what) {
    Faults *faults = ctx;
    if (faults->count++ == 0) {
        (void)snprintf(faults->first, sizeof faults->first, "%.*s: %.*s", S_FMT(where),
                       S_FMT(what));
    }
}

static void progressed(void *ctx, int64_t done, int64_t all) {
    assert_true(done <= all);
    ((Faults *)ctx)->progressed = done;
}

static Faults verify(Fixture *f, const TrailKey *k) {
    Faults faults = {0};
    Error err;
    int64_t events, count;
    DB_AUTO db = reader(f);
    Str public_key = trail_public_key(k, f->arena);
    Status status = trail_verify(db, public_key, found, progressed, &faults, &events, &count, &err);
    if (status != OK) fixture_fail("verify", &err);
    assert_int_equal(count, faults.count);
    return faults;
}

static void whole_and_sound(void **state) {
    Fixture *f = *state;
    TrailKey *k = key(f);
    assert_int_equal(verify(f, k).count, 0);
    add(f, 0, 2500);
    seal(f, k);
    add(f, 2500, 10); // not sealed yet
    fixture_do(f, "INSERT INTO ledger (code, name, total_fen) VALUES ('s', '补贴', 0)");
    Faults faults = verify(f, k);
    if (faults.count) print_error("%s\n", faults.first);
    assert_int_equal(faults.count, 0);
    assert_int_equal(faults.progressed, 2510 + 2500);
    trail_key_free(k);
}

// Each way of tampering with the records, done behind the program's back, is found.
static void tampering_is_found(void **state) {
    static const struct {
        const char *change, *undo, *where;
    } ways[] = {
        {"UPDATE event SET data_json = '{\"a\":1}' WHERE case_id = 3 AND seq = 2",
         "UPDATE event SET data_json = '{}' WHERE case_id = 3 AND seq = 2", "case 3 event 2"},
        {"UPDATE event SET at = 2 WHERE case_id = 3 AND seq = 2",
         "UPDATE event SET at = 1 WHERE case_id = 3 AND seq = 2", "case 3 event 2"},
        {"UPDATE event SET actor_id = 9 WHERE case_id = 6 AND seq = 1",
         "UPDATE event SET actor_id = 0 WHERE case_id = 6 AND seq = 1", "case 6 event 1"},
        {"UPDATE event SET seq = 1000 WHERE case_id = 6 AND seq = 85",
         "UPDATE event SET seq = 85 WHERE case_id = 6 AND seq = 1000", "case 6 event 1000"},
        {"UPDATE log_tile SET data = (SELECT data FROM log_tile WHERE level = 0 AND idx = 1)"
         " WHERE level = 0 AND idx = 0", NULL, "tile 0/0"},
    };
    Fixture *f = *state;
    TrailKey *k = key(f);
    add(f, 0, 600);
    seal(f, k);
    assert_int_equal(verify(f, k).count, 0);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        fixture_do(f, ways[i].change);
        Faults faults = verify(f, k);
        assert_true(faults.count > 0);
        if (strncmp(faults.first, ways[i].where, strlen(ways[i].where)) != 0) {
            print_error("%s found as %s\n", ways[i].change, faults.first);
            fail();
        }
        if (!ways[i].undo) break;
        fixture_do(f, ways[i].undo);
        assert_int_equal(verify(f, k).count, 0);
    }
    trail_key_free(k);
}

static void loss_is_found(void **state) {
    Fixture *f = *state;
    TrailKey *k = key(f);
    add(f, 0, 600);
    seal(f, k);
    // The last event of a chain: the chain alone could not tell.
    fixture_do(f, "DELETE FROM event WHERE id = (SELECT MAX(id) FROM event)");
    Faults faults = verify(f, k);
    assert_int_equal(faults.count, 1);
    assert_int_equal(strncmp(faults.first, "log: ", 5), 0);
    trail_key_free(k);
}

static void a_wrong_ledger_is_found(void **state) {
    Fixture *f = *state;
    TrailKey *k = key(f);
    fixture_do(f, "INSERT INTO ledger (code, name, total_fen) VALUES ('s', '补贴', 1)");
    Faults faults = verify(f, k);
    assert_int_equal(faults.count, 1);
    assert_int_equal(strncmp(faults.first, "ledger s: ", 10), 0);
    trail_key_free(k);
}

static void another_key_is_found(void **state) {
    Fixture *f = *state;
    TrailKey *k = key(f), *other;
    Error err;
    add(f, 0, 3);
    seal(f, k);
    Str folder = arena_printf(f->arena, "%s/other", f->folder);
    assert_status(trail_key_open(folder, true, S("yizhan.test/log"), &other, &err), OK, &err);
    assert_int_equal(verify(f, other).count, 1);
    trail_key_free(other);
    trail_key_free(k);
}

static void keys_are_private(void **state) {
    Fixture *f = *state;
    Error err;
    TrailKey *k = key(f), *again;
    Str path = arena_printf(f->arena, "%s/keys/trail.key", f->folder);
    assert_status(trail_key_open(str_z(f->folder), false, S("x"), &again, &err), OK, &err);
    Str name = trail_public_key(k, f->arena);
    assert_true(str_eq(name, trail_public_key(again, f->arena)));
    trail_key_free(again);
    char command[200];
    (void)snprintf(command, sizeof command, "chmod 0640 '%.*s'", S_FMT(path));
    assert_int_equal(system(command), 0);
    assert_int_equal(trail_key_open(str_z(f->folder), false, S("x"), &again, &err), DENIED);
    assert_int_not_equal(trail_key_open(S("/nowhere"), false, S("x"), &again, &err), OK);
    trail_key_free(k);
}

// More than one batch, while others go on writing.
static void sealing_beside_writers(void **state) {
    Fixture *f = *state;
    TrailKey *k = key(f);
    int64_t size = 0;
    while (size < TRAIL_SEAL_BATCH + 100) {
        add(f, size, 2000);
        size += 2000;
    }
    assert_int_equal(seal(f, k), size);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM log_checkpoint"), 2);
    assert_int_equal(verify(f, k).count, 0);
    trail_key_free(k);
}

#define TESTS(T)                                                                              \
    T(sealed_in_steps_and_proved), T(earlier_trees_are_beginnings), T(tiles_for_a_mirror),    \
        T(whole_and_sound), T(tampering_is_found), T(loss_is_found), T(a_wrong_ledger_is_found), \
        T(another_key_is_found), T(keys_are_private), T(sealing_beside_writers)

int main(void) {
    const struct CMUnitTest sqlite[] = {TESTS(FIXTURE_SQLITE)};
    const struct CMUnitTest postgres[] = {TESTS(FIXTURE_POSTGRES)};
    return FIXTURE_RUN("trail_log", sqlite, postgres);
}
