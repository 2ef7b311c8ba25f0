// room: case
// Archive packages: one case from submission to the zip, checked without a server; then packages
// with one thing changed each, and files that are no packages.
#include "case_fixture.h"

#include "case/archive.h"
#include "case/file_store.h"
#include "trail/log.h"

#include <zip.h>

static TrailKey *key;

static Value submitted_with_file(County *c, Str *ret_hash) {
    Error e;
    Value stored, input;
    Actor citizen = county_actor(c, "citizen");
    Str temp = path_join(c->a, str_z(c->f->folder), S("upload"));
    assert_int_equal(file_write(temp, S("%PDF-1.7 proof"), 0600, c->a, &e), OK);
    Hash h = sha256(S("%PDF-1.7 proof"));
    *ret_hash = hash_hex(&h, c->a);
    c->errs = errors_make(c->a);
    if (file_take(c->f->store, str_z(c->f->folder), temp, S("proof.pdf"), *ret_hash, 14, c->now,
                  c->a, &stored, &c->errs) != OK) {
        county_fail("file_take", &c->errs);
    }
    input = county_json(c, "{'item':'330225-FGJ-XK002','situation':{},'answers':{'matter':'申请。',"
                           "'truthful':'true','name':'张三','id_number':'330225197706151027',"
                           "'phone':'13800000001'}}");
    ContextBuilder m = context_make(c->a);
    context_put_lit(&m, "code", v_lit("application"));
    context_put_lit(&m, "file_hash", v_str(*ret_hash));
    context_put_lit(&m, "file_name", v_lit("proof.pdf"));
    ListBuilder materials = list_make(c->a);
    list_add(&materials, context_done(&m));
    return county_do(c, "case.submit", &citizen,
                     v_with(input, S("materials"), list_done(&materials), c->a));
}

// A decided case.
static Str finished(County *c, Str *ret_hash) {
    Actor clerk = county_actor(c, "clerk"), everyone = county_everyone(c);
    Value submitted = submitted_with_file(c, ret_hash), id = v_get_lit(submitted, "id");
    county_do(c, "case.accept", &clerk, v_with(v_null(), S("id"), id, c->a));
    ContextBuilder b = context_make(c->a);
    context_put_lit(&b, "case", id);
    context_put_lit(&b, "outcome", v_lit("pass"));
    county_do(c, "task.complete", &everyone, context_done(&b));
    return v_text(v_get_lit(submitted, "number"));
}

static Status write_package(County *c, Str number, Str path, Error *e) {
    DB_AUTO db = NULL;
    assert_int_equal(store_read(c->f->store, &db, e), OK);
    return archive_write(c->room, db, key, number, path, c->now, c->a, e);
}

static void seal(County *c) {
    Error e;
    uint64_t size = 0;
    if (trail_seal(c->f->store, key, c->now, &size, &e) != OK) fixture_fail("trail_seal", &e);
    assert_true(size > 0);
}

typedef struct Found {
    int64_t count;
    Str first_where, first_what;
    Arena *arena;
} Found;

static void found(void *ctx, Str where, Str what) {
    Found *f = ctx;
    if (f->count++ > 0) return;
    f->first_where = arena_str(f->arena, where);
    f->first_what = arena_str(f->arena, what);
}

static Found verify(County *c, Str path, Str public_key, Value *report) {
    Error e;
    Found f = {.arena = c->a};
    int64_t faults = -1;
    if (archive_verify(path, public_key, found, &f, c->a, report, &faults, &e) != OK) {
        fixture_fail("archive_verify", &e);
    }
    assert_int_equal(faults, f.count);
    return f;
}

static Str package(County *c, Str *ret_hash) {
    Error e;
    Str number = finished(c, ret_hash);
    seal(c);
    Str path =
        path_join(c->a, str_z(c->f->folder), arena_concat(c->a, (Str[]){number, S(".zip")}, 2));
    if (write_package(c, number, path, &e) != OK) fixture_fail("archive_write", &e);
    return path;
}

static void a_case_is_packed_and_checked(void **state) {
    County *c = *state;
    Str hash;
    Value report;
    Str path = package(c, &hash), trusted = trail_public_key(key, c->a);
    Found f = verify(c, path, trusted, &report);
    if (f.count) print_error("%.*s: %.*s\n", S_FMT(f.first_where), S_FMT(f.first_what));
    assert_int_equal(f.count, 0);
    assert_true(v_true(v_get_lit(report, "key_trusted")));
    assert_true(v_to_int(v_get_lit(report, "events"), 0) >= 3);
    assert_int_equal(v_to_int(v_get_lit(report, "letters"), 0), 3); // received, accepted, result
    f = verify(c, path, S(""), &report); // by the package's own key, and it says so
    assert_int_equal(f.count, 0);
    assert_false(v_true(v_get_lit(report, "key_trusted")));
}

static void what_is_not_done_is_not_archived(void **state) {
    County *c = *state;
    Error e;
    Str hash, path = path_join(c->a, str_z(c->f->folder), S("early.zip"));
    Value submitted = submitted_with_file(c, &hash);
    assert_int_equal(write_package(c, v_text(v_get_lit(submitted, "number")), path, &e), CONFLICT);
    assert_int_equal(write_package(c, S("330225202301010000000"), path, &e), NOT_FOUND);
    Str number = finished(c, &hash); // its events are not sealed yet
    assert_int_equal(write_package(c, number, path, &e), NOT_FOUND);
    assert_false(file_exists(path, c->a));
}

// A copy of the package with one entry replaced, added (old bytes empty) or removed (new NULL).
static Str changed(County *c, Str path, const char *entry, const char *old, const char *new) {
    Error e;
    Str bytes, copy = arena_concat(c->a, (Str[]){path, S(".changed")}, 2);
    assert_int_equal(file_read(path, 64 << 20, c->a, &bytes, &e), OK);
    assert_int_equal(file_write(copy, bytes, 0600, c->a, &e), OK);
    zip_t *z = zip_open(arena_cstr(c->a, copy), 0, NULL);
    assert_non_null(z);
    zip_int64_t at = zip_name_locate(z, entry, 0);
    if (!new) {
        assert_int_equal(zip_delete(z, (zip_uint64_t)at), 0);
    } else {
        Str text = str_z(new);
        if (at >= 0) {
            zip_stat_t st;
            assert_int_equal(zip_stat_index(z, (zip_uint64_t)at, 0, &st), 0);
            char *was = arena_alloc(c->a, st.size + 1);
            zip_file_t *file = zip_fopen_index(z, (zip_uint64_t)at, 0);
            assert_int_equal(zip_fread(file, was, st.size), (zip_int64_t)st.size);
            (void)zip_fclose(file);
            Str whole = str_of(was, st.size);
            ptrdiff_t place = str_find(whole, str_z(old));
            assert_true(place >= 0);
            text = arena_concat(c->a,
                                (Str[]){str_sub(whole, 0, (size_t)place), str_z(new),
                                        str_sub(whole, (size_t)place + strlen(old), whole.len)},
                                3);
        }
        zip_source_t *source = zip_source_buffer(z, text.ptr, text.len, 0);
        assert_true(zip_file_add(z, entry, source, ZIP_FL_OVERWRITE) >= 0);
    }
    assert_int_equal(zip_close(z), 0);
    return copy;
}

static void changes_are_found(void **state) {
    County *c = *state;
    Str hash, path = package(c, &hash), trusted = trail_public_key(key, c->a);
    Value report;
    const char *file = arena_cstr(c->a, arena_concat(c->a, (Str[]){S("files/"), hash}, 2));
    const struct {
        const char *entry, *old, *new;
    } changes[] = {
        {"case.json", "申请。", "别的。"},
        {"case.json", "\"outcome\":1", "\"outcome\":2"},
        {"events.json", "case.accepted", "case.refused"},
        {"events.json", "\"seq\":2", "\"seq\":3"},
        {"checkpoint", "\n", "\n1"},
        {"manifest.json", "\"size\":14", "\"size\":15"},
        {"manifest.note", "yizhan-archive", "yizhan-Archive"},
        {"trail.pub", "+", "+0"},
        {"letters/01-acceptance.pdf", "%PDF", "%PDf"},
        {file, "proof", "fraud"},
        {"extra.txt", "", "x"},
        {"events.json", NULL, NULL},
        {"case.json", NULL, NULL},
        {"manifest.json", NULL, NULL},
        {"manifest.note", NULL, NULL},
        {"checkpoint", NULL, NULL},
        {file, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        Str copy = changed(c, path, changes[i].entry, changes[i].old, changes[i].new);
        Found f = verify(c, copy, trusted, &report);
        if (f.count == 0) print_error("not found: %s %s\n", changes[i].entry, changes[i].new);
        assert_true(f.count > 0);
    }
}

static void another_key_is_not_trusted(void **state) {
    County *c = *state;
    Str hash, path = package(c, &hash);
    Error e;
    Value report;
    TrailKey *other = NULL;
    Str folder = path_join(c->a, str_z(c->f->folder), S("other"));
    assert_int_equal(dir_make(folder, 0700, c->a, &e), OK);
    assert_int_equal(trail_key_open(folder, true, S("other.example"), &other, &e), OK);
    Found f = verify(c, path, trail_public_key(other, c->a), &report);
    assert_true(f.count > 0);
    trail_key_free(other);
}

static void no_packages(void **state) {
    County *c = *state;
    Error e;
    Value report = v_lit("untouched");
    int64_t faults = 7;
    Str path = path_join(c->a, str_z(c->f->folder), S("no.zip"));
    assert_int_equal(archive_verify(path, S(""), found, NULL, c->a, &report, &faults, &e), INVALID);
    assert_int_equal(file_write(path, S("PK\x03\x04 no"), 0600, c->a, &e), OK);
    assert_int_equal(archive_verify(path, S(""), found, NULL, c->a, &report, &faults, &e), INVALID);
    assert_text(v_text(report), "untouched");
    assert_int_equal(faults, 7);
}

static int up(void **state, bool postgres) {
    Error e;
    if (county_up(state, postgres) != 0) return -1;
    County *c = *state;
    return trail_key_open(str_z(c->f->folder), true, S("test.example"), &key, &e) == OK ? 0 : -1;
}
static int up_sqlite(void **state) { return up(state, false); }
static int up_postgres(void **state) { return up(state, true); }
static int down(void **state) {
    trail_key_free(key);
    return county_down(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_case_is_packed_and_checked),
        cmocka_unit_test(what_is_not_done_is_not_archived),
        cmocka_unit_test(changes_are_found),
        cmocka_unit_test(another_key_is_not_trusted),
        cmocka_unit_test(no_packages),
    };
    int failed = cmocka_run_group_tests_name("archive", tests, up_sqlite, down);
    if (fixture_has_postgres()) {
        failed += cmocka_run_group_tests_name("archive_postgres", tests, up_postgres, down);
    }
    return failed;
}
