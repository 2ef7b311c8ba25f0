// Drafts of items: reading them, opening, writing and giving them up. Reviewing is studio_review.c.
//
// Invariants: one open draft for each code; every change counts the revision up and names its
// author; a submitted draft is not changed.
#include "case/studio_internal.h"

Status studio_tell(Tx *tx, int64_t account_id, const char *text, const Str *args, size_t n,
                   Errors *errs) {
    Arena *a = tx_arena(tx);
    Error e = {.status = OK};
    ListBuilder list = list_make(a);
    for (size_t i = 0; i < n; i++) list_add(&list, v_str(args[i]));
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "text", v_str(str_z(text)));
    context_put_lit(&b, "args", list_done(&list));
    Query *q = query(tx_db(tx), "INSERT INTO message (account_id, text_json, created_at)"
                                " VALUES (?1, ?2, ?3)");
    query_int(q, 1, account_id);
    query_str(q, 2, json_to_str(context_done(&b), a));
    query_int(q, 3, tx_now(tx));
    return query_run(q, NULL, &e) == OK ? OK : errors_push(errs, &e);
}

// ---- reading ----

static Status files_read(Str text, Arena *a, Value *ret, Error *err) {
    return json_parse(text, JSON_STRICT, (JsonLimits){.size_max = 2 * PACK_SIZE_MAX}, a, ret, err);
}

Status studio_draft(Db *db, Str code, Arena *a, StudioDraft *ret, Error *err) {
    StudioDraft d = {.files = v_null()};
    Str files = S("");
    Query *q = query(db, "SELECT d.id, d.base_version_id, COALESCE(v.version, 0), d.from_version,"
                         " d.revision, d.kind, d.state, d.base_withdrawn, d.code, d.summary,"
                         " d.review_note, d.opened_by, d.saved_by, d.submitted_by, d.reviewed_by,"
                         " d.files_json FROM studio_draft d"
                         " LEFT JOIN item_version v ON v.id = d.base_version_id"
                         " WHERE d.code = ?1 AND d.state < 4");
    query_str(q, 1, code);
    bool found = query_next(q);
    if (found) {
        d.id = query_col_int(q, 0);
        d.base_version_id = query_col_int(q, 1);
        d.base_version = query_col_int(q, 2);
        d.from_version = query_col_int(q, 3);
        d.revision = query_col_int(q, 4);
        d.kind = (StudioKind)query_col_int(q, 5);
        d.state = (StudioState)query_col_int(q, 6);
        d.base_withdrawn = query_col_int(q, 7) != 0;
        d.code = query_col_keep(q, 8, a);
        d.summary = query_col_keep(q, 9, a);
        d.review_note = query_col_keep(q, 10, a);
        d.opened_by = query_col_int(q, 11);
        d.saved_by = query_col_int(q, 12);
        d.submitted_by = query_col_int(q, 13);
        d.reviewed_by = query_col_int(q, 14);
        files = query_col_keep(q, 15, a);
    }
    Status st = query_done(q, err);
    if (st != OK) return st;
    if (!found) return error_set(err, NOT_FOUND, S("code"), "这个事项没有修改稿");
    st = files_read(files, a, &d.files, err);
    if (st == OK) *ret = d;
    return st;
}

// An imported item as a pack of its own: the shared files, with its own members of item.json.
static Status shared_files(Db *db, Value pack, Arena *a, Value *ret, Error *err) {
    Str text = S("");
    Value base, spec;
    Query *q = query(db, "SELECT pack_json FROM pack_base WHERE digest = ?1");
    query_str(q, 1, v_text(v_get_lit(pack, "base")));
    if (query_next(q)) text = query_col_keep(q, 0, a);
    Status st = query_done(q, err);
    if (st == OK) st = files_read(text, a, &base, err);
    if (st != OK) return st;
    Value files = v_get_lit(base, "files");
    st = json_parse(v_text(v_get_lit(files, "item.json")), JSON_STRICT, (JsonLimits){0}, a, &spec,
                    err);
    if (st != OK) return st;
    Buf out = buf_make(a, 4096, PACK_FILE_SIZE_MAX);
    json_write_pretty(&out, v_merge(spec, v_get_lit(pack, "overrides"), a));
    buf_char(&out, '\n');
    *ret = v_with(files, S("item.json"), v_str(buf_view(&out)), a);
    return OK;
}

Status studio_item(Db *db, Str code, int64_t number, Arena *a, StudioItem *ret, Error *err) {
    StudioItem item = {.files = v_null()};
    Str text = S("");
    Query *q = query(db, "SELECT i.id, v.id, v.version, i.state, i.name, i.name_en, v.digest,"
                         " v.pack_json FROM item i JOIN item_version v ON v.item_id = i.id"
                         " WHERE i.code = ?1 AND (?2 = v.version OR (?2 = 0 AND v.id ="
                         " i.version_id))");
    query_str(q, 1, code);
    query_int(q, 2, number);
    bool found = query_next(q);
    if (found) {
        item.item_id = query_col_int(q, 0);
        item.version_id = query_col_int(q, 1);
        item.version = query_col_int(q, 2);
        item.withdrawn = query_col_int(q, 3) == 2;
        item.name = query_col_keep(q, 4, a);
        item.name_en = query_col_keep(q, 5, a);
        item.digest = query_col_keep(q, 6, a);
        text = query_col_keep(q, 7, a);
    }
    Status st = query_done(q, err);
    if (st != OK) return st;
    if (!found) return error_set(err, NOT_FOUND, S("code"), "没有这个事项");
    Value pack;
    st = files_read(text, a, &pack, err);
    if (st != OK) return st;
    item.files = v_get_lit(pack, "files");
    item.shares = item.files.kind != V_CONTEXT;
    if (item.shares) st = shared_files(db, pack, a, &item.files, err);
    if (st != OK) return st;
    item.files = pack_own_files(item.files, a);
    *ret = item;
    return OK;
}

Status studio_is_author(Db *db, const StudioDraft *d, int64_t account_id, bool *ret, Error *err) {
    int64_t changes = 0;
    Query *q = query(db, "SELECT COUNT(*) FROM studio_change WHERE draft_id = ?1"
                         " AND account_id = ?2");
    query_int(q, 1, d->id);
    query_int(q, 2, account_id);
    Status st = query_one_int(q, &changes, err);
    if (st == OK) *ret = changes > 0 || d->submitted_by == account_id;
    return st;
}

bool studio_current(const StudioDraft *d, const StudioItem *now) {
    return d->base_version_id == now->version_id && d->base_withdrawn == now->withdrawn;
}

Value studio_changed_paths(Value before, Value after, Arena *a) {
    ListBuilder list = list_make(a);
    for (uint32_t i = 0; after.kind == V_CONTEXT && i < after.len; i++) {
        const Entry *e = &after.as.entries[i];
        if (!v_equal(v_get(before, e->key), e->value)) list_add(&list, v_str(e->key));
    }
    for (uint32_t i = 0; before.kind == V_CONTEXT && i < before.len; i++) {
        Str path = before.as.entries[i].key;
        if (!v_has(after, path)) list_add(&list, v_str(path));
    }
    return list_done(&list);
}

// ---- what the commands share ----

Status studio_load(Tx *tx, Value input, StudioDraft *ret, Errors *errs) {
    Error e = {.status = OK};
    StudioDraft d;
    if (studio_draft(tx_db(tx), v_text(v_get_lit(input, "code")), tx_arena(tx), &d, &e) != OK) {
        return errors_push(errs, &e);
    }
    if (v_to_int(v_get_lit(input, "revision"), 0) != d.revision) {
        return errors_add(errs, CONFLICT, S("revision"),
                          "修改稿已被别人改到第 {1} 稿，请先看过再继续",
                          arena_printf(tx_arena(tx), "%lld", (long long)d.revision));
    }
    *ret = d;
    return OK;
}

// What is published of the draft's item; all zero for an item that does not exist yet.
Status studio_base_now(Tx *tx, Str code, StudioItem *ret, Errors *errs) {
    Error e = {.status = OK};
    StudioItem item = {.files = v_null()};
    Status st = studio_item(tx_db(tx), code, 0, tx_arena(tx), &item, &e);
    if (st != OK && st != NOT_FOUND) return errors_push(errs, &e);
    *ret = item;
    return OK;
}

Status studio_event(Tx *tx, const Actor *actor, Str kind, const StudioDraft *d, Value more,
                    Errors *errs) {
    Arena *a = tx_arena(tx);
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "draft", v_int(d->id));
    context_put_lit(&b, "code", v_str(d->code));
    context_put_lit(&b, "revision", v_int(d->revision));
    Value data = more.kind == V_CONTEXT ? v_merge(context_done(&b), more, a) : context_done(&b);
    return item_event(tx, actor, kind, data, errs);
}

Status studio_change_note(Tx *tx, const Actor *actor, const StudioDraft *d, Value paths,
                          Errors *errs) {
    Error e = {.status = OK};
    Query *q = query(tx_db(tx), "INSERT INTO studio_change (draft_id, revision, account_id,"
                                " made_at, paths_json) VALUES (?1, ?2, ?3, ?4, ?5)");
    query_int(q, 1, d->id);
    query_int(q, 2, d->revision);
    query_int(q, 3, actor->account_id);
    query_int(q, 4, tx_now(tx));
    query_str(q, 5, json_to_str(paths, tx_arena(tx)));
    return query_run(q, NULL, &e) == OK ? OK : errors_push(errs, &e);
}

Value studio_told(Tx *tx, const StudioDraft *d) {
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_lit(&b, "code", v_str(d->code));
    context_put_lit(&b, "revision", v_int(d->revision));
    context_put_lit(&b, "state", v_int(d->state));
    return context_done(&b);
}

// Writes the files and what goes with them back; the revision is counted up.
Status studio_write(Tx *tx, const Actor *actor, StudioDraft *d, Errors *errs) {
    Error e = {.status = OK};
    d->revision++;
    Query *q = query(tx_db(tx), "UPDATE studio_draft SET files_json = ?1, summary = ?2, state = ?3,"
                                " revision = ?4, base_version_id = ?5, base_withdrawn = ?6,"
                                " saved_by = ?7, saved_at = ?8 WHERE id = ?9");
    query_str(q, 1, json_to_str(d->files, tx_arena(tx)));
    query_str(q, 2, d->summary);
    query_int(q, 3, d->state);
    query_int(q, 4, d->revision);
    query_int(q, 5, d->base_version_id);
    query_int(q, 6, d->base_withdrawn);
    query_int(q, 7, actor->account_id);
    query_int(q, 8, tx_now(tx));
    query_int(q, 9, d->id);
    return query_run(q, NULL, &e) == OK ? OK : errors_push(errs, &e);
}

// No database keeps a NUL in a text, and no file of a pack has use for other control characters.
static bool has_control(Str s) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == 0x7f || (c < 0x20 && c != '\t' && c != '\n' && c != '\r')) return true;
    }
    return false;
}

static Status file_check(Str path, Value text, Errors *errs) {
    if (!pack_path_known(path)) {
        return errors_add(errs, INVALID, path, "事项包里不应有这个文件");
    }
    if (text.kind != V_STRING || !str_utf8_valid(v_text(text))) {
        return errors_add(errs, INVALID, path, "文件不是 UTF-8 文本");
    }
    if (has_control(v_text(text))) {
        return errors_add(errs, INVALID, path, "文件里有控制字符，请删去");
    }
    return OK;
}

Status studio_files_check(Value files, Errors *errs) {
    size_t before = errs->count, size = 0;
    if (files.kind != V_CONTEXT || files.len == 0 || files.len > PACK_FILES_MAX) {
        return errors_add(errs, LIMIT, S("files"), "一个事项包应有 1 至 200 个文件");
    }
    for (uint32_t i = 0; i < files.len; i++) {
        const Entry *f = &files.as.entries[i];
        (void)(file_check(f->key, f->value, errs) == OK);
        size += f->value.kind == V_STRING ? f->value.len : 0;
    }
    if (size > STUDIO_SIZE_MAX) {
        return errors_add(errs, LIMIT, S("files"), "修改稿过大：所有文件加起来不能超过 4 MB");
    }
    return pack_faults_since(errs, before);
}

// ---- opening ----

static Status draft_insert(Tx *tx, const Actor *actor, StudioDraft *d, Errors *errs) {
    Error e = {.status = OK};
    Query *q = query(tx_db(tx),
        "INSERT INTO studio_draft (code, kind, base_version_id, base_withdrawn, from_version,"
        " state, revision, files_json, summary, opened_by, opened_at, saved_by, saved_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, ?9, ?10, ?9, ?10) RETURNING id");
    d->state = STUDIO_EDITING;
    d->revision = 1;
    query_str(q, 1, d->code);
    query_int(q, 2, d->kind);
    query_int(q, 3, d->base_version_id);
    query_int(q, 4, d->base_withdrawn);
    query_int(q, 5, d->from_version);
    query_int(q, 6, d->state);
    query_str(q, 7, json_to_str(d->files, tx_arena(tx)));
    query_str(q, 8, d->summary);
    query_int(q, 9, actor->account_id);
    query_int(q, 10, tx_now(tx));
    return query_one_int(q, &d->id, &e) == OK ? OK : errors_push(errs, &e);
}

// OK and *ret_found when the code has an open draft.
static Status draft_find(Tx *tx, Str code, StudioDraft *ret, bool *ret_found, Errors *errs) {
    Error e = {.status = OK};
    Status st = studio_draft(tx_db(tx), code, tx_arena(tx), ret, &e);
    if (st != OK && st != NOT_FOUND) return errors_push(errs, &e);
    *ret_found = st == OK;
    return OK;
}

static Status already_open(Errors *errs) {
    return errors_add(errs, CONFLICT, S("code"), "这个事项已有修改稿，请先发布或放弃它");
}

// A draft that does not begin as what is published is somebody's work from the start.
static Status draft_begin(Tx *tx, const Actor *actor, StudioDraft *d, Value paths, Value *ret,
                          Errors *errs) {
    ContextBuilder b = context_make(tx_arena(tx));
    Status st = draft_insert(tx, actor, d, errs);
    if (st == OK && d->kind != STUDIO_EDIT) st = studio_change_note(tx, actor, d, paths, errs);
    if (st != OK) return st;
    context_put_lit(&b, "kind", v_int(d->kind));
    context_put_lit(&b, "base", v_int(d->base_version_id));
    context_put_lit(&b, "from_version", v_int(d->from_version));
    *ret = studio_told(tx, d);
    return studio_event(tx, actor, S("studio.opened"), d, context_done(&b), errs);
}

static Status cmd_open(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Error e = {.status = OK};
    Str code = v_text(v_get_lit(input, "code"));
    int64_t number = v_to_int(v_get_lit(input, "version"), 0);
    StudioDraft d = {.code = code, .kind = number ? STUDIO_AGAIN : STUDIO_EDIT};
    StudioItem now, from;
    bool found = false;
    if (studio_item(tx_db(tx), code, 0, tx_arena(tx), &now, &e) != OK ||
        studio_item(tx_db(tx), code, number, tx_arena(tx), &from, &e) != OK) {
        return errors_push(errs, &e);
    }
    StudioDraft open;
    Status st = draft_find(tx, code, &open, &found, errs);
    if (st != OK) return st;
    if (found && number) return already_open(errs);
    if (found) {
        *ret = studio_told(tx, &open);
        return studio_event(tx, actor, S("studio.entered"), &open, v_null(), errs);
    }
    if (number && number == now.version && !now.withdrawn) {
        return errors_add(errs, CONFLICT, S("version"), "第 {1} 版就是现行版本，不用恢复",
                          arena_printf(tx_arena(tx), "%lld", (long long)number));
    }
    d.base_version_id = now.version_id;
    d.base_withdrawn = now.withdrawn;
    d.from_version = number;
    d.files = from.files;
    return draft_begin(tx, actor, &d, studio_changed_paths(now.files, from.files, tx_arena(tx)),
                       ret, errs);
}

static Status cmd_upload(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Arena *a = tx_arena(tx);
    Error e = {.status = OK};
    Value spec, files = v_get_lit(input, "files");
    Status st = studio_files_check(files, errs);
    if (st != OK) return st;
    Str text = v_text(v_get_lit(files, "item.json"));
    if (json_parse(text, JSON_STRICT, (JsonLimits){0}, a, &spec, &e) != OK) {
        error_at(&e, S("item.json"));
        return errors_push(errs, &e);
    }
    StudioDraft d = {.kind = STUDIO_UPLOAD, .code = v_text(v_get_lit(spec, "code")),
                     .files = pack_own_files(files, a)};
    if (!pack_code_valid(d.code)) {
        return errors_add(errs, INVALID, S("item.json:code"), "事项编码写法不对");
    }
    StudioItem now;
    StudioDraft open;
    bool found = false;
    st = draft_find(tx, d.code, &open, &found, errs);
    if (st == OK) st = studio_base_now(tx, d.code, &now, errs);
    if (st != OK) return st;
    if (found) return already_open(errs);
    Value paths = studio_changed_paths(now.files, d.files, a);
    if (paths.len == 0 && !now.withdrawn) {
        return errors_add(errs, CONFLICT, S("file"), "与现行版本相同，没有可以发布的改动");
    }
    d.base_version_id = now.version_id;
    d.base_withdrawn = now.withdrawn;
    return draft_begin(tx, actor, &d, paths, ret, errs);
}

// ---- writing ----

// Puts the files of `change` into the draft, or takes them away; *ret_paths: what really differs.
static Status change_put(StudioDraft *d, Value change, Arena *a, Value *ret_paths, Errors *errs) {
    ContextBuilder files = context_make(a);
    for (uint32_t i = 0; i < d->files.len; i++) {
        const Entry *f = &d->files.as.entries[i];
        if (!v_has(change, f->key)) context_put_new(&files, f->key, f->value);
        else if (!v_is_null(v_get(change, f->key))) {
            context_put_new(&files, f->key, v_get(change, f->key));
        }
    }
    for (uint32_t i = 0; change.kind == V_CONTEXT && i < change.len; i++) {
        const Entry *f = &change.as.entries[i];
        if (!v_is_null(f->value)) context_put(&files, f->key, f->value);
    }
    Value after = context_done(&files);
    Status st = studio_files_check(after, errs);
    if (st != OK) return st;
    *ret_paths = studio_changed_paths(d->files, after, a);
    d->files = after;
    return OK;
}

Status studio_summary_read(Value input, StudioDraft *d, Errors *errs) {
    Value summary = v_get_lit(input, "summary");
    if (summary.kind != V_STRING) return OK;
    Str text = str_trim(v_text(summary));
    if (text.len > STUDIO_TEXT_MAX || !str_utf8_valid(text)) {
        return errors_add(errs, LIMIT, S("summary"), "文字过长，请缩短");
    }
    d->summary = text;
    return OK;
}

static Status cmd_save(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    StudioDraft d;
    Value paths = v_null();
    Status st = studio_load(tx, input, &d, errs);
    if (st != OK) return st;
    if (d.state == STUDIO_SUBMITTED) {
        return errors_add(errs, CONFLICT, S("state"), "修改稿正在审核，要改请先撤回");
    }
    st = change_put(&d, v_get_lit(input, "files"), tx_arena(tx), &paths, errs);
    Str said = d.summary;
    if (st == OK) st = studio_summary_read(input, &d, errs);
    if (st != OK) return st;
    bool same = paths.len == 0 && str_eq(said, d.summary) && d.state == STUDIO_EDITING;
    d.state = STUDIO_EDITING;
    if (!same) st = studio_write(tx, actor, &d, errs);
    if (st == OK && paths.len) st = studio_change_note(tx, actor, &d, paths, errs);
    if (st != OK) return st;
    *ret = studio_told(tx, &d);
    return studio_event(tx, actor, S("studio.saved"), &d,
                        v_with(v_null(), S("files"), paths, tx_arena(tx)), errs);
}

static Status cmd_discard(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Error e = {.status = OK};
    StudioDraft d;
    Status st = studio_load(tx, input, &d, errs);
    if (st != OK) return st;
    d.state = STUDIO_DISCARDED;
    d.revision++;
    Query *q = query(tx_db(tx), "UPDATE studio_draft SET state = ?1, revision = ?2, saved_by = ?3,"
                                " saved_at = ?4 WHERE id = ?5");
    query_int(q, 1, d.state);
    query_int(q, 2, d.revision);
    query_int(q, 3, actor->account_id);
    query_int(q, 4, tx_now(tx));
    query_int(q, 5, d.id);
    if (query_run(q, NULL, &e) != OK) return errors_push(errs, &e);
    *ret = studio_told(tx, &d);
    return studio_event(tx, actor, S("studio.discarded"), &d, v_null(), errs);
}

void studio_register(void) {
    static const Command table[] = {
        {S_INIT("studio.open"), ROLE_SYSADMIN, cmd_open},
        {S_INIT("studio.upload"), ROLE_SYSADMIN, cmd_upload},
        {S_INIT("studio.save"), ROLE_SYSADMIN, cmd_save},
        {S_INIT("studio.discard"), ROLE_SYSADMIN, cmd_discard},
        {S_INIT("studio.submit"), ROLE_SYSADMIN, cmd_studio_submit},
        {S_INIT("studio.recall"), ROLE_SYSADMIN, cmd_studio_recall},
        {S_INIT("studio.approve"), ROLE_SYSADMIN, cmd_studio_approve},
        {S_INIT("studio.reject"), ROLE_SYSADMIN, cmd_studio_reject},
        {S_INIT("studio.rebase"), ROLE_SYSADMIN, cmd_studio_rebase},
    };
    commands_register(table, sizeof table / sizeof *table);
}
