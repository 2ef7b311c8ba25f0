// room: case
// Uploaded files: what they are and what they say they are, zips that would explode or climb out,
// the same bytes kept once.
#include "store_fixture.h"

#include "base/crypto.h"
#include "case/file_store.h"

#include <sys/stat.h>
#include <zip.h>

static const Str png =
    S_INIT("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0abcd");

typedef struct Taken {
    Status status;
    Value value;
    Errors errs;
    Str temp;
} Taken;

static Taken take_path(Fixture *f, Str temp, const char *name) {
    Str bytes;
    Error e;
    if (file_read(temp, 64 << 20, f->arena, &bytes, &e) != OK) fixture_fail("file_read", &e);
    Hash h = sha256(bytes);
    Taken t = {.errs = errors_make(f->arena), .temp = temp};
    t.status = file_take(f->store, str_z(f->folder), temp, str_z(name), hash_hex(&h, f->arena),
                         (int64_t)bytes.len, 1675000000000, f->arena, &t.value, &t.errs);
    return t;
}

static Str temp_path_of(Fixture *f) {
    static int counter;
    return path_join(f->arena, str_z(f->folder), arena_printf(f->arena, "upload-%d", ++counter));
}

static Taken take(Fixture *f, Str bytes, const char *name) {
    Error e;
    Str temp = temp_path_of(f);
    if (file_write(temp, bytes, 0600, f->arena, &e) != OK) fixture_fail("file_write", &e);
    return take_path(f, temp, name);
}

typedef struct Part {
    const char *name;
    Str bytes;
} Part;

static Str zip_of(Fixture *f, const Part *parts, size_t n, const char *password) {
    Str path = temp_path_of(f);
    zip_t *z = zip_open(arena_cstr(f->arena, path), ZIP_CREATE | ZIP_TRUNCATE, NULL);
    assert_non_null(z);
    for (size_t i = 0; i < n; i++) {
        zip_source_t *s = zip_source_buffer(z, parts[i].bytes.ptr, parts[i].bytes.len, 0);
        zip_int64_t at = zip_file_add(z, parts[i].name, s, ZIP_FL_ENC_UTF_8);
        assert_true(at >= 0);
        if (password) {
            assert_int_equal(zip_file_set_encryption(z, (zip_uint64_t)at, ZIP_EM_AES_256, password),
                             0);
        }
    }
    assert_int_equal(zip_close(z), 0);
    return path;
}

static void assert_refused(const Taken *t, const char *words, Arena *a) {
    assert_int_equal(t->status, INVALID);
    assert_int_equal(t->errs.count, 1);
    Str message = error_message(&t->errs.items[0], NULL, NULL, a);
    if (str_find(message, str_z(words)) < 0) {
        print_error("\"%.*s\" does not say \"%s\"\n", S_FMT(message), words);
        fail();
    }
}

static void kinds_are_told_by_content(void **state) {
    Fixture *f = *state;
    static const struct {
        Str bytes;
        const char *name, *type;
    } good[] = {
        {S_INIT("%PDF-1.7\nx"), "身份证.PDF", "application/pdf"},
        {S_INIT("\xff\xd8\xff\xe0zzzz"), "a.jpeg", "image/jpeg"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        Taken t = take(f, good[i].bytes, good[i].name);
        assert_int_equal(t.status, OK);
        assert_text(v_text(v_get_lit(t.value, "type")), good[i].type);
        Str path;
        Error e;
        Str hash = v_text(v_get_lit(t.value, "hash"));
        assert_int_equal(file_path(str_z(f->folder), hash, f->arena, &path, &e), OK);
        assert_true(file_exists(path, f->arena));
        assert_false(file_exists(t.temp, f->arena));
    }
    assert_int_equal(take(f, png, "图.png").status, OK);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM file"), 3);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM event WHERE kind = 'file.stored'"), 3);
}

static void lies_are_refused(void **state) {
    Fixture *f = *state;
    static const struct {
        Str bytes;
        const char *name, *words;
    } bad[] = {
        {S_INIT("%PDF-1.7"), "a.png", "不符"},
        {S_INIT("MZ\x90"), "a.pdf", "不能接收"},
        {S_INIT("<svg onload='x'/>"), "a.svg", "不能接收"},
        {S_INIT("<html>"), "a.pdf", "不能接收"},
        {S_INIT("%PDF-1.7"), "a.exe", "不能接收"},
        {S_INIT("%PDF-1.7"), "pdf", "不能接收"},
        {S_INIT(""), "a.pdf", "空"},
        {S_INIT("PK\x03\x04 no zip at all"), "a.zip", "损坏"},
        {S_INIT("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff"), "a.png", "尺寸"},
        {S_INIT("%PDF-1.7"), "../a.pdf", "文件名"},
        {S_INIT("%PDF-1.7"), "a/b.pdf", "文件名"},
        {S_INIT("%PDF-1.7"), "\xff.pdf", "文件名"},
        {S_INIT("%PDF-1.7"), "", "文件名"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Taken t = take(f, bad[i].bytes, bad[i].name);
        assert_refused(&t, bad[i].words, f->arena);
    }
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM file"), 0);
}

static void zips_are_looked_into(void **state) {
    Fixture *f = *state;
    const Part word[] = {{"[Content_Types].xml", S_INIT("<x/>")},
                         {"word/document.xml", S_INIT("<x/>")}};
    const Part sheet[] = {{"[Content_Types].xml", S_INIT("<x/>")},
                          {"xl/workbook.xml", S_INIT("<x/>")}};
    const Part ofd[] = {{"OFD.xml", S_INIT("<x/>")}, {"Doc_0/Document.xml", S_INIT("<x/>")}};
    const Part plain[] = {{"一/材料.txt", S_INIT("abc")}};
    assert_int_equal(take_path(f, zip_of(f, word, 2, NULL), "a.docx").status, OK);
    assert_int_equal(take_path(f, zip_of(f, sheet, 2, NULL), "a.xlsx").status, OK);
    assert_int_equal(take_path(f, zip_of(f, ofd, 2, NULL), "a.ofd").status, OK);
    assert_int_equal(take_path(f, zip_of(f, plain, 1, NULL), "a.zip").status, OK);
    Taken t = take_path(f, zip_of(f, plain, 1, NULL), "a.docx");
    assert_refused(&t, "不符", f->arena);
    const Part climbs[] = {{"../../etc/passwd", S_INIT("x")}};
    t = take_path(f, zip_of(f, climbs, 1, NULL), "a.zip");
    assert_refused(&t, "不安全", f->arena);
    const Part absolute[] = {{"/etc/passwd", S_INIT("x")}};
    t = take_path(f, zip_of(f, absolute, 1, NULL), "a.zip");
    assert_refused(&t, "不安全", f->arena);
    const Part nested[] = {{"inner.zip", S_INIT("x")}};
    t = take_path(f, zip_of(f, nested, 1, NULL), "a.zip");
    assert_refused(&t, "还有压缩文件", f->arena);
    t = take_path(f, zip_of(f, plain, 1, "secret"), "a.zip");
    assert_refused(&t, "密码", f->arena);
}

static void bombs_are_refused(void **state) {
    Fixture *f = *state;
    enum { ZEROS = 32 << 20 };
    Str zeros = str_of(arena_alloc(f->arena, ZEROS), ZEROS); // a thousandth when packed
    const Part bomb[] = {{"zeros.txt", zeros}};
    Taken t = take_path(f, zip_of(f, bomb, 1, NULL), "a.zip");
    assert_refused(&t, "过大", f->arena);
    Part *many = arena_array(f->arena, Part, FILE_ZIP_ENTRIES_MAX + 1);
    for (int i = 0; i <= FILE_ZIP_ENTRIES_MAX; i++) {
        many[i] = (Part){arena_cstr(f->arena, arena_printf(f->arena, "%d.txt", i)), S("x")};
    }
    t = take_path(f, zip_of(f, many, FILE_ZIP_ENTRIES_MAX + 1, NULL), "a.zip");
    assert_refused(&t, "过多", f->arena);
}

// A byte of the packed data changed: the checksum tells.
static void damaged_zips_are_refused(void **state) {
    Fixture *f = *state;
    Error e;
    Str bytes, path;
    Str text = S("some text that is long enough to be packed, packed, packed, packed, packed");
    const Part parts[] = {{"a.txt", text}};
    path = zip_of(f, parts, 1, NULL);
    assert_int_equal(file_read(path, 1 << 20, f->arena, &bytes, &e), OK);
    char *changed = arena_alloc(f->arena, bytes.len);
    memcpy(changed, bytes.ptr, bytes.len);
    changed[45] ^= 0x55;
    Taken t = take(f, str_of(changed, bytes.len), "a.zip");
    assert_refused(&t, "损坏", f->arena);
}

static void the_same_bytes_once(void **state) {
    Fixture *f = *state;
    assert_int_equal(take(f, S("%PDF-1.7 same"), "a.pdf").status, OK);
    assert_int_equal(take(f, S("%PDF-1.7 same"), "b.pdf").status, OK);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM file"), 1);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM event WHERE kind = 'file.stored'"), 1);
}

static void wrong_sizes_and_hashes(void **state) {
    Fixture *f = *state;
    Error e;
    Errors errs = errors_make(f->arena);
    Value ret = v_lit("untouched");
    Str temp = temp_path_of(f), path = S("untouched");
    assert_int_equal(file_write(temp, S("%PDF-1.7"), 0600, f->arena, &e), OK);
    Hash h = sha256(S("%PDF-1.7"));
    Str hash = hash_hex(&h, f->arena), folder = str_z(f->folder);
    assert_int_equal(
        file_take(f->store, folder, temp, S("a.pdf"), hash, 7, 0, f->arena, &ret, &errs), INVALID);
    assert_int_equal(
        file_take(f->store, folder, temp, S("a.pdf"), S("../../x"), 8, 0, f->arena, &ret, &errs),
        INVALID);
    assert_text(v_text(ret), "untouched");
    assert_int_equal(file_path(folder, S("../../../etc/passwd"), f->arena, &path, &e), NOT_FOUND);
    assert_int_equal(file_path(folder, hash, f->arena, &path, &e), NOT_FOUND);
    assert_text(path, "untouched");
}

#define TESTS(kind)                                                                             \
    {                                                                                           \
        kind(kinds_are_told_by_content), kind(lies_are_refused), kind(zips_are_looked_into),    \
            kind(bombs_are_refused), kind(damaged_zips_are_refused), kind(the_same_bytes_once), \
            kind(wrong_sizes_and_hashes),                                                       \
    }

int main(void) {
    const struct CMUnitTest sqlite[] = TESTS(FIXTURE_SQLITE);
    const struct CMUnitTest postgres[] = TESTS(FIXTURE_POSTGRES);
    return FIXTURE_RUN("file_store", sqlite, postgres);
}
