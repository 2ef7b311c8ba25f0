// Archive packages: everything of one case in one zip that anybody can check without a server.
// The format is docs/formats/archive.md.
//
// Everything is gathered in memory before the zip is opened, except the applicant's files, which
// are streamed from their place. The same case with the same log gives the same entries; the zip
// is written beside its place, synced and renamed.
#include "case/archive.h"

#include "base/crypto.h"
#include "base/file.h"
#include "case/archive_internal.h"
#include "case/case_internal.h"
#include "case/file_store.h"

#include <fcntl.h>
#include <unistd.h>
#include <zip.h>

typedef struct PackageEntry {
    Str path;
    Str bytes;    // or
    Str disk;     // a file's place
    Str sha256;
    int64_t size;
} PackageEntry;

typedef struct Package {
    CaseRoom *room;
    Db *db;
    const TrailKey *key;
    Arena *arena;
    Instant now;
    CaseRow row;
    PackageEntry *entries;
    size_t count;
} Package;

static Status add_bytes(Package *p, Str path, Str bytes, Error *err) {
    if (p->count == ARCHIVE_ENTRIES_MAX) return error_set(err, LIMIT, S("archive"), "归档内容过多");
    Hash h = sha256(bytes);
    p->entries[p->count++] = (PackageEntry){.path = path, .bytes = bytes,
                                            .sha256 = hash_hex(&h, p->arena),
                                            .size = (int64_t)bytes.len};
    return OK;
}

static Status add_json(Package *p, Str path, Value v, Error *err) {
    Buf out = buf_make(p->arena, 16384, ARCHIVE_JSON_MAX);
    json_write(&out, v);
    if (out.full) return error_set(err, LIMIT, S("archive"), "归档内容过多");
    return add_bytes(p, path, buf_view(&out), err);
}

// ---- the case ----

// Every table that speaks of a case: how its rows are found.
static const struct {
    Str name;
    const char *sql;
} tables[] = {
    {S_INIT("tasks"),
     "SELECT t.id, t.node, t.name, p.code AS post, t.state, t.opened_at, t.due_day, t.done_at, "
     "a.name AS done_by, t.outcome, t.note FROM task t JOIN post p ON p.id = t.post_id "
     "LEFT JOIN account a ON a.id = t.done_by WHERE t.case_id = ?1 ORDER BY t.id"},
    {S_INIT("materials"),
     "SELECT code, name, state, file_hash, file_name, promised_day, note, created_at FROM material "
     "WHERE case_id = ?1 ORDER BY id"},
    {S_INIT("letters"),
     "SELECT kind, number, code, model_json AS model, digest, created_at FROM letter "
     "WHERE case_id = ?1 ORDER BY id"},
    {S_INIT("ratings"),
     "SELECT grade, comment, channel, rated_at, revisit_grade FROM rating WHERE case_id = ?1"},
    {S_INIT("register"),
     "SELECT register, number, valid_from_day, valid_to_day, data_json FROM register_entry "
     "WHERE case_id = ?1 ORDER BY id"},
    {S_INIT("ledger"),
     "SELECT ledger, amount_fen, booked_at, note FROM ledger_entry WHERE case_id = ?1 ORDER BY id"},
    {S_INIT("children"),
     "SELECT number, state, outcome FROM cases WHERE parent_id = ?1 ORDER BY id"},
};

static Status case_head(Package *p, ContextBuilder *b, Error *err) {
    Query *q = query(p->db,
        "SELECT c.number, i.code AS item_code, i.name AS item, v.version AS item_version, "
        "v.digest AS item_digest, u.code AS unit, u.name AS unit_name, pa.kind AS applicant_kind, "
        "pa.name AS applicant, pa.id_number, pa.phone, pa.address, c.channel, c.state, c.outcome, "
        "c.received_at, c.accepted_at, c.decided_at, c.delivered_at, c.closed_at, "
        "c.promised_due_day, c.statutory_due_day, c.overdue, c.answers_json AS answers_text, "
        "c.clock_json FROM cases c JOIN item i ON i.id = c.item_id "
        "JOIN item_version v ON v.id = c.item_version_id JOIN unit u ON u.id = c.unit_id "
        "JOIN party pa ON pa.id = c.party_id WHERE c.id = ?1");
    query_int(q, 1, p->row.id);
    Value head;
    Status st = query_row(q, p->arena, &head, err);
    for (uint32_t i = 0; st == OK && i < head.len; i++) {
        context_put(b, head.as.entries[i].key, head.as.entries[i].value);
    }
    return st;
}

static Status add_case(Package *p, Value *ret_case, Error *err) {
    ContextBuilder b = context_make(p->arena);
    context_put_lit(&b, "format", v_str(ARCHIVE_FORMAT));
    Status st = case_head(p, &b, err);
    for (size_t i = 0; st == OK && i < sizeof tables / sizeof *tables; i++) {
        Value rows;
        Query *q = query(p->db, tables[i].sql);
        query_int(q, 1, p->row.id);
        st = query_rows(q, p->arena, &rows, err);
        if (st == OK) context_put(&b, tables[i].name, rows);
    }
    if (st != OK) return st;
    *ret_case = context_done(&b);
    return add_json(p, S("case.json"), *ret_case, err);
}

// ---- events with their proofs ----

static Status event_value(Package *p, const EventRecord *r, Value *ret, Str *checkpoint,
                          Error *err) {
    Value proof;
    Status st = trail_inclusion(p->db, r->id, p->arena, &proof, err);
    if (st != OK) return st;
    *checkpoint = v_text(v_get_lit(proof, "checkpoint"));
    ContextBuilder b = context_make(p->arena);
    context_put_new(&b, S("id"), v_int(r->id));
    context_put_new(&b, S("case_id"), v_int(r->case_id));
    context_put_new(&b, S("seq"), v_int(r->seq));
    context_put_new(&b, S("at"), v_int(r->at));
    context_put_new(&b, S("actor_id"), v_int(r->actor_id));
    context_put_new(&b, S("handling"), v_int(r->handling));
    context_put_new(&b, S("kind"), v_str(r->kind));
    context_put_new(&b, S("data"), v_str(r->data)); // to the byte, because it was hashed so
    context_put_new(&b, S("salt"), v_str(base64_encode(r->salt, p->arena)));
    context_put_new(&b, S("hash"), v_str(base64_encode(r->hash, p->arena)));
    context_put_new(&b, S("index"), v_get_lit(proof, "index"));
    context_put_new(&b, S("proof"), v_get_lit(proof, "proof"));
    *ret = context_done(&b);
    return OK;
}

static Status add_events(Package *p, Error *err) {
    EventRecord *records;
    size_t count = 0;
    Str checkpoint = S("");
    Status st = event_records(p->db, p->row.id, p->arena, &records, &count, err);
    ListBuilder list = list_make(p->arena);
    for (size_t i = 0; st == OK && i < count; i++) {
        Value v;
        st = event_value(p, &records[i], &v, &checkpoint, err);
        if (st == OK) list_add(&list, v);
    }
    if (st == OK && count == 0) st = error_set(err, BROKEN, S("archive"), "办件没有留痕");
    if (st == OK) st = add_json(p, S("events.json"), list_done(&list), err);
    if (st == OK) st = add_bytes(p, S("checkpoint"), checkpoint, err);
    return st;
}

// ---- letters and files ----

static Status add_letter(Package *p, Value letter, uint32_t n, Error *err) {
    Value view;
    Str pdf, code = v_text(v_get_lit(letter, "code"));
    Status st = letter_view(p->db, p->room->items, code, p->arena, &view, err);
    if (st != OK) return st;
    Str url = arena_concat(p->arena, (Str[]){p->room->public_url, S("/verify/"), code}, 3);
    st = letter_pdf(v_text(v_get_lit(view, "title")), v_text(v_get_lit(view, "text")),
                    v_text(v_get_lit(view, "number")), v_text(v_get_lit(view, "unit")),
                    v_to_str(v_get_lit(view, "date"), p->arena), url,
                    v_true(v_get_lit(view, "red_head")), p->arena, &pdf, err);
    if (st != OK) return st;
    Str path = arena_printf(p->arena, "letters/%02u-%.*s.pdf", n,
                            S_FMT(v_text(v_get_lit(letter, "kind"))));
    return add_bytes(p, path, pdf, err);
}

static Status add_file(Package *p, Str hash, Error *err) {
    Str path = arena_concat(p->arena, (Str[]){S("files/"), hash}, 2);
    int64_t size = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (str_eq(p->entries[i].path, path)) return OK; // handed in twice
    }
    if (p->count == ARCHIVE_ENTRIES_MAX) return error_set(err, LIMIT, S("archive"), "归档内容过多");
    Query *q = query(p->db, "SELECT size FROM file WHERE hash = ?1");
    query_str(q, 1, hash);
    Status st = query_one_int(q, &size, err);
    Str disk = S("");
    if (st == OK) st = file_path(p->room->data_dir, hash, p->arena, &disk, err);
    if (st != OK) return st;
    p->entries[p->count++] = (PackageEntry){.path = path, .disk = disk, .sha256 = hash,
                                            .size = size};
    return OK;
}

static Status add_papers(Package *p, Value record, Error *err) {
    Value letters = v_get_lit(record, "letters"), materials = v_get_lit(record, "materials");
    Status st = OK;
    for (uint32_t i = 0; st == OK && i < letters.len; i++) {
        st = add_letter(p, v_at(letters, i), i + 1, err);
    }
    for (uint32_t i = 0; st == OK && i < materials.len; i++) {
        Str hash = v_text(v_get_lit(v_at(materials, i), "file_hash"));
        if (hash.len > 0) st = add_file(p, hash, err);
    }
    return st;
}

// ---- the manifest, signed ----

static Status add_manifest(Package *p, Error *err) {
    ListBuilder files = list_make(p->arena);
    for (size_t i = 0; i < p->count; i++) {
        ContextBuilder b = context_make(p->arena);
        context_put_new(&b, S("path"), v_str(p->entries[i].path));
        context_put_new(&b, S("size"), v_int(p->entries[i].size));
        context_put_new(&b, S("sha256"), v_str(p->entries[i].sha256));
        list_add(&files, context_done(&b));
    }
    ContextBuilder b = context_make(p->arena);
    context_put_lit(&b, "format", v_str(ARCHIVE_FORMAT));
    context_put_lit(&b, "number", v_str(p->row.number));
    context_put_lit(&b, "made_at", v_str(instant_format(p->now, p->arena)));
    context_put_lit(&b, "files", list_done(&files));
    Str manifest = json_to_str(context_done(&b), p->arena);
    Hash h = sha256(manifest);
    Str parts[] = {ARCHIVE_FORMAT, S("\n"), p->row.number, S("\n"), hash_hex(&h, p->arena),
                   S("\n")};
    Str note;
    Status st = trail_sign(p->key, arena_concat(p->arena, parts, 6), p->arena, &note, err);
    if (st == OK) st = add_bytes(p, S("manifest.json"), manifest, err);
    if (st == OK) st = add_bytes(p, S("manifest.note"), note, err);
    if (st != OK) return st;
    Str key = trail_public_key(p->key, p->arena);
    return add_bytes(p, S("trail.pub"), arena_concat(p->arena, (Str[]){key, S("\n")}, 2), err);
}

// ---- the zip ----

// No arena is touched while the zip is open.
static bool zip_fill(zip_t *z, const PackageEntry *entries, const char *const *names,
                     const char *const *disks, size_t count, Instant now) {
    for (size_t i = 0; i < count; i++) {
        zip_source_t *source =
            disks[i] ? zip_source_file(z, disks[i], 0, -1)
                     : zip_source_buffer(z, entries[i].bytes.ptr, entries[i].bytes.len, 0);
        if (!source) return false;
        zip_int64_t at = zip_file_add(z, names[i], source, ZIP_FL_ENC_UTF_8);
        if (at < 0) {
            zip_source_free(source);
            return false;
        }
        if (zip_file_set_mtime(z, (zip_uint64_t)at, (time_t)(now / 1000), 0) != 0) return false;
    }
    return true;
}

static Status zip_write(const Package *p, Str path, Error *err) {
    Arena *a = p->arena;
    const char *part = arena_cstr(a, arena_concat(a, (Str[]){path, S(".part")}, 2));
    const char *place = arena_cstr(a, path);
    const char **names = arena_array(a, const char *, p->count);
    const char **disks = arena_array(a, const char *, p->count);
    for (size_t i = 0; i < p->count; i++) {
        names[i] = arena_cstr(a, p->entries[i].path);
        disks[i] = p->entries[i].disk.len ? arena_cstr(a, p->entries[i].disk) : NULL;
    }
    zip_t *z = zip_open(part, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    if (!z) return error_set(err, NO_SPACE, path, "无法写入归档包");
    bool good = zip_fill(z, p->entries, names, disks, p->count, p->now);
    if (!good) zip_discard(z);
    else if (zip_close(z) != 0) {
        zip_discard(z);
        good = false;
    }
    FD_AUTO fd = good ? open(part, O_RDONLY | O_CLOEXEC) : -1;
    if (!good || fd < 0 || fsync(fd) != 0 || rename(part, place) != 0) {
        (void)unlink(part);
        return error_set(err, NO_SPACE, path, "无法写入归档包");
    }
    return OK;
}

Status archive_write(CaseRoom *r, Db *db, const TrailKey *k, Str number, Str path, Instant now,
                     Arena *a, Error *err) {
    Package p = {.room = r, .db = db, .key = k, .arena = a, .now = now,
                 .entries = arena_array(a, PackageEntry, ARCHIVE_ENTRIES_MAX)};
    Errors errs = errors_make(a);
    if (case_load_number(db, number, a, &p.row, &errs) != OK) {
        const Error *e = &errs.items[0];
        return error_fill(err, e->status, e->where, e->text, e->args);
    }
    if (p.row.state < CASE_DECIDED) {
        return error_set(err, CONFLICT, S("number"), "办件 {1} 还没有办结，不能归档", number);
    }
    Value record = v_null();
    Status st = add_case(&p, &record, err);
    if (st == OK) st = add_events(&p, err);
    if (st == OK) st = add_papers(&p, record, err);
    if (st == OK) st = add_manifest(&p, err);
    return st == OK ? zip_write(&p, path, err) : st;
}
