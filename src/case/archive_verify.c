// Checks an archive package without a server: that nothing was added, taken away or changed, that
// its events are a whole chain and stand in the signed log, that letters and answers are the ones
// the events speak of. What is wrong is told fault by fault; the check goes on as far as it can.
//
// A package comes from a stranger: every size is bounded, every name looked at, nothing is written.
#include "case/archive.h"

#include "base/crypto.h"
#include "case/archive_internal.h"
#include "trail/note.h"

#include <openssl/evp.h>
#include <zip.h>

enum { PIECE = 65536 };

typedef struct Member {
    Str path;
    Str bytes;   // of the package's own files; empty for files/ and letters/
    Str sha256;
    int64_t size;
    bool listed; // in the manifest
} Member;

typedef struct Check {
    Arena *arena;
    TrailFound found;
    void *ctx;
    int64_t faults;
    Member *members;
    size_t count;
    int64_t total;
    NoteKey key;
    bool has_key;
    Value record, events; // case.json, events.json
    Checkpoint checkpoint;
    bool has_checkpoint;
    zip_t *zip;       // open while it is read; closed by whoever leaves last
    zip_file_t *file;
    EVP_MD_CTX *md;
} Check;

static void fault(Check *c, Str where, Str what) {
    c->faults++;
    if (c->found) c->found(c->ctx, where, what);
}

static Member *member_find(Check *c, Str path) {
    for (size_t i = 0; i < c->count; i++) {
        if (str_eq(c->members[i].path, path)) return &c->members[i];
    }
    return NULL;
}

// ---- reading ----

// Only the package's own texts are kept; papers and files are hashed as they pass.
static bool is_kept(Str path) {
    static const Str own[] = {S_INIT("case.json"),     S_INIT("events.json"),
                              S_INIT("checkpoint"),    S_INIT("manifest.json"),
                              S_INIT("manifest.note"), S_INIT("trail.pub")};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (str_eq(own[i], path)) return true;
    }
    return false;
}

static bool member_hash(Check *c, Member *m, Buf *kept, Hash *ret) {
    char piece[PIECE];
    unsigned digest_len = 0;
    zip_int64_t n = 0;
    if (!c->file || !c->md || EVP_DigestInit_ex(c->md, EVP_sha256(), NULL) != 1) return false;
    while ((n = zip_fread(c->file, piece, sizeof piece)) > 0) {
        c->total += n;
        m->size += n;
        if (c->total > ARCHIVE_TOTAL_MAX || EVP_DigestUpdate(c->md, piece, (size_t)n) != 1) {
            return false;
        }
        if (is_kept(m->path)) buf_bytes(kept, piece, (size_t)n);
    }
    return n == 0 && !kept->full && EVP_DigestFinal_ex(c->md, ret->bytes, &digest_len) == 1;
}

static void member_close(Check *c) {
    EVP_MD_CTX_free(c->md);
    if (c->file) (void)zip_fclose(c->file);
    c->md = NULL;
    c->file = NULL;
}

static Status member_read(Check *c, zip_uint64_t index, Member *m, Error *err) {
    Buf kept = buf_make(c->arena, 4096, ARCHIVE_JSON_MAX);
    Hash h;
    c->file = zip_fopen_index(c->zip, index, 0);
    c->md = EVP_MD_CTX_new();
    bool good = member_hash(c, m, &kept, &h);
    member_close(c);
    if (!good) return error_set(err, INVALID, m->path, "归档包已损坏或过大");
    m->sha256 = hash_hex(&h, c->arena);
    m->bytes = buf_view(&kept);
    return OK;
}

static Status zip_read(Check *c, Error *err) {
    zip_t *z = c->zip;
    zip_int64_t count = zip_get_num_entries(z, 0);
    if (count > ARCHIVE_ENTRIES_MAX + 3) return error_set(err, LIMIT, S("zip"), "归档包里的文件过多");
    c->members = arena_array(c->arena, Member, (size_t)count);
    for (zip_int64_t i = 0; i < count; i++) {
        const char *name = zip_get_name(z, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
        Str path = name ? arena_str(c->arena, str_z(name)) : S("");
        if (path.len == 0 || member_find(c, path)) {
            return error_set(err, INVALID, path, "归档包里有同名的文件");
        }
        Member *m = &c->members[c->count++];
        *m = (Member){.path = path};
        Status st = member_read(c, (zip_uint64_t)i, m, err);
        if (st != OK) return st;
    }
    return OK;
}

static void package_close(Check *c) {
    member_close(c);
    if (c->zip) zip_discard(c->zip);
    c->zip = NULL;
}

static Status package_read(Check *c, Str path, Error *err) {
    const char *z_path = arena_cstr(c->arena, path);
    c->zip = zip_open(z_path, ZIP_RDONLY, NULL);
    if (!c->zip) return error_set(err, INVALID, path, "不是归档包，或打不开");
    Status st = zip_read(c, err);
    package_close(c);
    return st;
}

// A JSON file of the package; false when it is missing or malformed (told).
static bool json_member(Check *c, Str path, Value *ret) {
    Member *m = member_find(c, path);
    Error e = {.status = OK};
    if (!m) {
        fault(c, path, S("缺少这个文件"));
        return false;
    }
    JsonLimits limits = {.size_max = ARCHIVE_JSON_MAX};
    if (json_parse(m->bytes, JSON_STRICT, limits, c->arena, ret, &e) != OK) {
        fault(c, path, error_message(&e, NULL, NULL, c->arena));
        return false;
    }
    return true;
}

// ---- the key and the manifest ----

static void key_check(Check *c, Str public_key) {
    Member *own = member_find(c, S("trail.pub"));
    Str text = public_key.len ? public_key : own ? str_trim(own->bytes) : S("");
    Error e = {.status = OK};
    if (note_key_parse(text, c->arena, &c->key, &e) != OK) {
        fault(c, S("trail.pub"), error_message(&e, NULL, NULL, c->arena));
        return;
    }
    c->has_key = true;
    if (public_key.len && own && !str_eq(str_trim(own->bytes), str_trim(public_key))) {
        fault(c, S("trail.pub"), S("包里的公钥不是所信任的公钥"));
    }
}

// The signed text of a note of the package.
static bool note_member(Check *c, Str path, Str *ret) {
    Member *m = member_find(c, path);
    NoteOpened opened;
    Error e = {.status = OK};
    if (!m) {
        fault(c, path, S("缺少这个文件"));
        return false;
    }
    if (!c->has_key) return false; // told
    if (note_open(m->bytes, &c->key, 1, c->arena, &opened, &e) != OK) {
        fault(c, path, error_message(&e, NULL, NULL, c->arena));
        return false;
    }
    *ret = opened.text;
    return true;
}

static void manifest_signature_check(Check *c, Str number) {
    Member *m = member_find(c, S("manifest.json"));
    Str text;
    if (!m || !note_member(c, S("manifest.note"), &text)) return;
    Str parts[] = {ARCHIVE_FORMAT, S("\n"), number, S("\n"), m->sha256, S("\n")};
    if (!str_eq(text, arena_concat(c->arena, parts, 6))) {
        fault(c, S("manifest.note"), S("签名说的不是这份清单"));
    }
}

static void manifest_check(Check *c, Str *ret_number) {
    static const Str unlisted[] = {S_INIT("manifest.json"), S_INIT("manifest.note"),
                                   S_INIT("trail.pub")};
    Value manifest;
    if (!json_member(c, S("manifest.json"), &manifest)) return;
    *ret_number = v_text(v_get_lit(manifest, "number"));
    if (!str_eq(v_text(v_get_lit(manifest, "format")), ARCHIVE_FORMAT)) {
        fault(c, S("manifest.json"), S("不认识的格式"));
    }
    manifest_signature_check(c, *ret_number);
    Value files = v_get_lit(manifest, "files");
    for (uint32_t i = 0; files.kind == V_LIST && i < files.len; i++) {
        Value file = v_at(files, i);
        Str path = v_text(v_get_lit(file, "path"));
        Member *m = member_find(c, path);
        if (!m) {
            fault(c, path, S("缺少这个文件"));
            continue;
        }
        m->listed = true;
        if (!str_eq(m->sha256, v_text(v_get_lit(file, "sha256"))) ||
            m->size != v_to_int(v_get_lit(file, "size"), -1)) {
            fault(c, path, S("内容被改动"));
        }
    }
    for (size_t i = 0; i < c->count; i++) {
        bool known = c->members[i].listed;
        for (size_t k = 0; k < sizeof unlisted / sizeof *unlisted; k++) {
            known = known || str_eq(c->members[i].path, unlisted[k]);
        }
        if (!known) fault(c, c->members[i].path, S("清单里没有这个文件"));
    }
}

// ---- events ----

static bool hash_member(Check *c, Value v, Hash *ret) {
    Str bytes;
    return base64_decode(v_text(v), c->arena, &bytes) && merkle_hash_from(bytes, ret);
}

static bool proof_read(Check *c, Value list, Hash **ret, size_t *ret_count) {
    if (list.kind != V_LIST || list.len > MERKLE_PROOF_MAX) return false;
    Hash *proof = arena_array(c->arena, Hash, list.len);
    for (uint32_t i = 0; i < list.len; i++) {
        if (!hash_member(c, v_at(list, i), &proof[i])) return false;
    }
    *ret = proof;
    *ret_count = list.len;
    return true;
}

static Str event_place(Check *c, uint32_t i) {
    return arena_printf(c->arena, "events.json:%u", i + 1);
}

// Its place in the chain; *previous becomes its hash.
static void chain_check(Check *c, uint32_t i, Value event, Hash *previous) {
    Str salt;
    Hash stored;
    if (!base64_decode(v_text(v_get_lit(event, "salt")), c->arena, &salt) ||
        !hash_member(c, v_get_lit(event, "hash"), &stored)) {
        fault(c, event_place(c, i), S("留痕的摘要写法不对"));
        return;
    }
    EventRecord r = {
        .id = v_to_int(v_get_lit(event, "id"), 0),
        .case_id = v_to_int(v_get_lit(event, "case_id"), 0),
        .seq = v_to_int(v_get_lit(event, "seq"), 0),
        .at = v_to_int(v_get_lit(event, "at"), 0),
        .actor_id = v_to_int(v_get_lit(event, "actor_id"), 0),
        .handling = v_to_int(v_get_lit(event, "handling"), 0),
        .kind = v_text(v_get_lit(event, "kind")),
        .data = v_text(v_get_lit(event, "data")),
        .salt = salt,
    };
    if (r.seq != (int64_t)i + 1) fault(c, event_place(c, i), S("留痕的次序不连续"));
    if (r.data.len > EVENT_DATA_MAX || r.kind.len > EVENT_DATA_MAX) {
        fault(c, event_place(c, i), S("留痕过长"));
        return;
    }
    Hash expected = event_record_hash(&r, str_of((const char *)previous->bytes, SHA256_SIZE),
                                      c->arena);
    if (memcmp(expected.bytes, stored.bytes, SHA256_SIZE) != 0) {
        fault(c, event_place(c, i), S("留痕被改动，摘要对不上"));
    }
    *previous = stored;
}

static void inclusion_check(Check *c, uint32_t i, Value event) {
    Hash stored, *proof;
    size_t count = 0;
    Error e = {.status = OK};
    int64_t index = v_to_int(v_get_lit(event, "index"), -1);
    if (!c->has_checkpoint || !hash_member(c, v_get_lit(event, "hash"), &stored)) return; // told
    if (index < 0 || !proof_read(c, v_get_lit(event, "proof"), &proof, &count)) {
        fault(c, event_place(c, i), S("日志证明写法不对"));
        return;
    }
    Hash leaf = merkle_leaf(str_of((const char *)stored.bytes, SHA256_SIZE));
    if (merkle_check_inclusion((uint64_t)index, c->checkpoint.size, &leaf, &c->checkpoint.root,
                               proof, count, &e) != OK) {
        fault(c, event_place(c, i), S("留痕不在签过名的日志里"));
    }
}

static void events_check(Check *c) {
    Str text;
    Error e = {.status = OK};
    if (note_member(c, S("checkpoint"), &text)) {
        c->has_checkpoint = checkpoint_parse(text, c->arena, &c->checkpoint, &e) == OK;
        if (!c->has_checkpoint) {
            fault(c, S("checkpoint"), error_message(&e, NULL, NULL, c->arena));
        }
    }
    if (!json_member(c, S("events.json"), &c->events)) return;
    if (c->events.kind != V_LIST || c->events.len == 0) {
        fault(c, S("events.json"), S("没有留痕"));
        return;
    }
    Hash previous = {{0}};
    for (uint32_t i = 0; i < c->events.len; i++) {
        chain_check(c, i, v_at(c->events, i), &previous);
        inclusion_check(c, i, v_at(c->events, i));
    }
}

// ---- the papers against the events ----

// The last event of a kind, its data read.
static Value event_data(Check *c, Str kind) {
    Value data = v_null();
    for (uint32_t i = 0; c->events.kind == V_LIST && i < c->events.len; i++) {
        Value event = v_at(c->events, i);
        if (!str_eq(v_text(v_get_lit(event, "kind")), kind)) continue;
        Error e = {.status = OK};
        Value read;
        if (json_parse(v_text(v_get_lit(event, "data")), JSON_STRICT, (JsonLimits){0}, c->arena,
                       &read, &e) == OK) {
            data = read;
        }
    }
    return data;
}

static void letters_check(Check *c) {
    Value letters = v_get_lit(c->record, "letters");
    for (uint32_t i = 0; letters.kind == V_LIST && i < letters.len; i++) {
        Value letter = v_at(letters, i);
        Str kind = v_text(v_get_lit(letter, "kind")), number = v_text(v_get_lit(letter, "number"));
        Str model = v_text(v_get_lit(letter, "model"));
        Hash h = sha256_parts((Str[]){kind, S("\n"), number, S("\n"), model}, 5);
        if (!str_eq(hash_hex(&h, c->arena), v_text(v_get_lit(letter, "digest")))) {
            fault(c, number, S("文书被改动，摘要对不上"));
        }
        Str path = arena_printf(c->arena, "letters/%02u-%.*s.pdf", i + 1, S_FMT(kind));
        if (!member_find(c, path)) fault(c, path, S("缺少这个文件"));
    }
}

static void files_check(Check *c) {
    Value materials = v_get_lit(c->record, "materials");
    for (uint32_t i = 0; materials.kind == V_LIST && i < materials.len; i++) {
        Str hash = v_text(v_get_lit(v_at(materials, i), "file_hash"));
        if (hash.len == 0) continue;
        Str path = arena_concat(c->arena, (Str[]){S("files/"), hash}, 2);
        Member *m = member_find(c, path);
        if (!m) fault(c, path, S("缺少这个文件"));
        else if (!str_eq(m->sha256, hash)) fault(c, path, S("内容被改动"));
    }
}

// The answers are those that were submitted, unless a correction changed them later.
static void answers_check(Check *c) {
    Str answers = v_text(v_get_lit(c->record, "answers_text"));
    Str said = v_text(v_get_lit(event_data(c, S("case.submitted")), "answers_sha256"));
    bool corrected = !v_is_null(event_data(c, S("case.corrected")));
    if (said.len == 0 || corrected) return;
    Hash h = sha256(answers);
    if (!str_eq(hash_hex(&h, c->arena), said)) {
        fault(c, S("case.json"), S("填写的内容与提交时的留痕对不上"));
    }
}

static void record_check(Check *c, Str number) {
    if (!json_member(c, S("case.json"), &c->record)) return;
    Str said = v_text(v_get_lit(event_data(c, S("case.submitted")), "number"));
    Str own = v_text(v_get_lit(c->record, "number"));
    if (!str_eq(own, number)) fault(c, S("case.json"), S("办件编号与清单不一致"));
    if (said.len && !str_eq(said, own)) fault(c, S("case.json"), S("办件编号与留痕不一致"));
    letters_check(c);
    files_check(c);
    answers_check(c);
}

static Value report_of(Check *c, Str public_key) {
    ContextBuilder b = context_make(c->arena);
    context_put_lit(&b, "number", v_get_lit(c->record, "number"));
    context_put_lit(&b, "item", v_get_lit(c->record, "item"));
    context_put_lit(&b, "files", v_int((int64_t)c->count));
    context_put_lit(&b, "events", v_int(c->events.kind == V_LIST ? c->events.len : 0));
    context_put_lit(&b, "letters", v_int(v_get_lit(c->record, "letters").len));
    if (c->has_checkpoint) {
        context_put_lit(&b, "log", v_str(c->checkpoint.origin));
        context_put_lit(&b, "log_size", v_int((int64_t)c->checkpoint.size));
    }
    context_put_lit(&b, "key", c->has_key ? v_str(note_key_public_text(&c->key, c->arena))
                                          : v_null());
    context_put_lit(&b, "key_trusted", v_bool(public_key.len > 0));
    context_put_lit(&b, "faults", v_int(c->faults));
    return context_done(&b);
}

static Status verify(Check *c, Str path, Str public_key, Error *err) {
    Str number = S("");
    Status st = package_read(c, path, err);
    if (st != OK) return st;
    key_check(c, public_key);
    manifest_check(c, &number);
    events_check(c);
    record_check(c, number);
    return OK;
}

Status archive_verify(Str path, Str public_key, TrailFound found, void *ctx, Arena *a,
                      Value *ret_report, int64_t *ret_faults, Error *err) {
    Check *c = arena_new(a, Check); // not on the stack: it is read after a jump
    *c = (Check){.arena = a, .found = found, .ctx = ctx, .record = v_null(), .events = v_null()};
    jmp_buf full;
    jmp_buf *outer = arena_on_limit(a, &full);
    if (setjmp(full)) {
        (void)arena_on_limit(a, outer);
        package_close(c);
        return error_set(err, LIMIT, path, "归档包已损坏或过大");
    }
    Status st = verify(c, path, public_key, err);
    if (st == OK) *ret_report = report_of(c, public_key);
    (void)arena_on_limit(a, outer);
    if (st == OK) *ret_faults = c->faults;
    return st;
}
