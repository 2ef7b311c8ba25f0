// Reviewing drafts: submitting, taking back, approving by a second person, sending back, and
// bringing a draft onto what was published meanwhile.
//
// Invariants: what is approved is what was submitted (a submitted draft can't be changed, and the
// revision is asked for); who approves has changed nothing in it; what is published was proved in
// the same transaction.
#include "case/studio_internal.h"

#define T(text) ("" text) // see web/app.h

// ---- whose turn ----

static Status reviewers_tell(Tx *tx, const Actor *actor, const StudioDraft *d, Errors *errs) {
    Arena *a = tx_arena(tx);
    Error e = {.status = OK};
    int64_t ids[STUDIO_REVIEWERS_MAX];
    size_t count = 0;
    Query *q = query(tx_db(tx), "SELECT a.id FROM account a WHERE a.roles = ?1 AND a.id <> ?2"
                                " AND NOT EXISTS (SELECT 1 FROM studio_change c"
                                " WHERE c.draft_id = ?3 AND c.account_id = a.id)"
                                " ORDER BY a.id LIMIT ?4");
    query_int(q, 1, ROLE_SYSADMIN);
    query_int(q, 2, actor->account_id);
    query_int(q, 3, d->id);
    query_int(q, 4, STUDIO_REVIEWERS_MAX);
    while (query_next(q)) ids[count++] = query_col_int(q, 0);
    Status st = query_done(q, &e);
    if (st != OK) return errors_push(errs, &e);
    Str args[] = {arena_str(a, actor->name), d->code};
    for (size_t i = 0; st == OK && i < count; i++) {
        st = studio_tell(tx, ids[i], T("{1}提交了事项 {2} 的修改稿，请审核。"), args, 2, errs);
    }
    return st;
}

static Status authors(Tx *tx, const StudioDraft *d, int64_t *ret, size_t *ret_count, Errors *errs) {
    Error e = {.status = OK};
    size_t count = 0;
    Query *q = query(tx_db(tx), "SELECT DISTINCT account_id FROM studio_change WHERE draft_id = ?1"
                                " ORDER BY account_id LIMIT ?2");
    query_int(q, 1, d->id);
    query_int(q, 2, STUDIO_REVIEWERS_MAX);
    while (query_next(q)) ret[count++] = query_col_int(q, 0);
    *ret_count = count;
    return query_done(q, &e) == OK ? OK : errors_push(errs, &e);
}

static Status authors_tell(Tx *tx, const Actor *actor, const StudioDraft *d, const char *text,
                           Str last, Errors *errs) {
    int64_t ids[STUDIO_REVIEWERS_MAX];
    size_t count = 0;
    Status st = authors(tx, d, ids, &count, errs);
    Str args[] = {arena_str(tx_arena(tx), actor->name), d->code, last};
    for (size_t i = 0; st == OK && i < count; i++) {
        st = studio_tell(tx, ids[i], text, args, 3, errs);
    }
    return st;
}

static Status state_set(Tx *tx, StudioDraft *d, StudioState state, Errors *errs) {
    Error e = {.status = OK};
    d->state = state;
    d->revision++;
    Query *q = query(tx_db(tx), "UPDATE studio_draft SET state = ?1, revision = ?2, summary = ?3"
                                " WHERE id = ?4");
    query_int(q, 1, state);
    query_int(q, 2, d->revision);
    query_str(q, 3, d->summary);
    query_int(q, 4, d->id);
    return query_run(q, NULL, &e) == OK ? OK : errors_push(errs, &e);
}

static Status base_check(Tx *tx, const StudioDraft *d, StudioItem *now, Errors *errs) {
    Status st = studio_base_now(tx, d->code, now, errs);
    if (st != OK || studio_current(d, now)) return st;
    if (d->base_version_id == now->version_id) {
        if (!now->withdrawn) {
            return errors_add(errs, CONFLICT, S("base"), "事项在修改期间重新开办了，请先接上现状");
        }
        return errors_add(errs, CONFLICT, S("base"),
                          "事项在修改期间停办了；仍要发布（会重新开办），请先接上现状");
    }
    return errors_add(errs, CONFLICT, S("base"),
                      "修改期间已发布了第 {1} 版，修改稿是从第 {2} 版改起的，请先接上现行版本",
                      arena_printf(tx_arena(tx), "%lld", (long long)now->version),
                      arena_printf(tx_arena(tx), "%lld", (long long)d->base_version));
}

// ---- submitting ----

Status cmd_studio_submit(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Error e = {.status = OK};
    StudioDraft d;
    StudioItem now;
    Status st = studio_load(tx, input, &d, errs);
    if (st == OK && d.state == STUDIO_SUBMITTED) {
        st = errors_add(errs, CONFLICT, S("state"), "修改稿已经提交审核");
    }
    if (st == OK) st = studio_summary_read(input, &d, errs);
    if (st == OK && d.summary.len == 0) {
        st = errors_add(errs, INVALID, S("summary"), "请写明改了什么、为什么改，供审核的人看");
    }
    if (st == OK) st = base_check(tx, &d, &now, errs);
    if (st == OK && !now.withdrawn &&
        studio_changed_paths(now.files, d.files, tx_arena(tx)).len == 0) {
        st = errors_add(errs, CONFLICT, S("files"), "与现行版本相同，没有可以发布的改动");
    }
    if (st == OK) st = studio_prove(tx_db(tx), d.code, d.files, tx_now(tx), errs);
    if (st == OK) st = state_set(tx, &d, STUDIO_SUBMITTED, errs);
    if (st != OK) return st;
    Query *q = query(tx_db(tx), "UPDATE studio_draft SET submitted_by = ?1, submitted_at = ?2,"
                                " reviewed_by = NULL, reviewed_at = NULL, review_note = ''"
                                " WHERE id = ?3");
    query_int(q, 1, actor->account_id);
    query_int(q, 2, tx_now(tx));
    query_int(q, 3, d.id);
    if (query_run(q, NULL, &e) != OK) return errors_push(errs, &e);
    *ret = studio_told(tx, &d);
    st = reviewers_tell(tx, actor, &d, errs);
    if (st != OK) return st;
    return studio_event(tx, actor, S("studio.submitted"), &d,
                        v_with(v_null(), S("summary"), v_str(d.summary), tx_arena(tx)), errs);
}

static Status load_submitted(Tx *tx, Value input, StudioDraft *ret, Errors *errs) {
    Status st = studio_load(tx, input, ret, errs);
    if (st == OK && ret->state != STUDIO_SUBMITTED) {
        st = errors_add(errs, CONFLICT, S("state"), "修改稿没有提交审核");
    }
    return st;
}

static Status author_ask(Tx *tx, const Actor *actor, const StudioDraft *d, bool *ret,
                         Errors *errs) {
    Error e = {.status = OK};
    Status st = studio_is_author(tx_db(tx), d, actor->account_id, ret, &e);
    return st == OK ? OK : errors_push(errs, &e);
}

Status cmd_studio_recall(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    StudioDraft d;
    bool author = false;
    Status st = load_submitted(tx, input, &d, errs);
    if (st == OK) st = author_ask(tx, actor, &d, &author, errs);
    if (st == OK && !author) {
        st = errors_add(errs, DENIED, S("state"), "只有修改的人可以撤回；审核的人请写明理由退回");
    }
    if (st == OK) st = state_set(tx, &d, STUDIO_EDITING, errs);
    if (st != OK) return st;
    *ret = studio_told(tx, &d);
    return studio_event(tx, actor, S("studio.recalled"), &d, v_null(), errs);
}

// ---- reviewing ----

static Status load_for_review(Tx *tx, const Actor *actor, Value input, StudioDraft *d,
                              Str *ret_note, Errors *errs) {
    bool author = false;
    Str note = str_trim(v_text(v_get_lit(input, "note")));
    Status st = load_submitted(tx, input, d, errs);
    if (st == OK) st = author_ask(tx, actor, d, &author, errs);
    if (st == OK && author) {
        st = errors_add(errs, DENIED, S("approve"),
                        "您是这份修改稿的作者之一，须由另一位系统管理员审核");
    }
    if (st == OK && note.len > STUDIO_TEXT_MAX) {
        st = errors_add(errs, LIMIT, S("note"), "文字过长，请缩短");
    }
    *ret_note = note;
    return st;
}

static Status reviewed(Tx *tx, const Actor *actor, const StudioDraft *d, Str note,
                       int64_t version_id, Errors *errs) {
    Error e = {.status = OK};
    Query *q = query(tx_db(tx), "UPDATE studio_draft SET reviewed_by = ?1, reviewed_at = ?2,"
                                " review_note = ?3, version_id = ?4 WHERE id = ?5");
    query_int(q, 1, actor->account_id);
    query_int(q, 2, tx_now(tx));
    query_str(q, 3, note);
    query_int_or_null(q, 4, version_id);
    query_int(q, 5, d->id);
    return query_run(q, NULL, &e) == OK ? OK : errors_push(errs, &e);
}

// The version is its author's; who approved stands beside.
static Status version_sign(Tx *tx, const Actor *actor, const StudioDraft *d, int64_t *ret_id,
                           Errors *errs) {
    Error e = {.status = OK};
    Query *q = query(tx_db(tx), "UPDATE item_version SET published_by = ?1, approved_by = ?2"
                                " WHERE id = (SELECT version_id FROM item WHERE code = ?3)"
                                " RETURNING id");
    query_int(q, 1, d->submitted_by);
    query_int(q, 2, actor->account_id);
    query_str(q, 3, d->code);
    return query_one_int(q, ret_id, &e) == OK ? OK : errors_push(errs, &e);
}

static Status approve_publish(Tx *tx, const Actor *actor, const StudioDraft *d, Value *ret_told,
                              Errors *errs) {
    StudioItem now;
    Value told;
    Status st = base_check(tx, d, &now, errs);
    if (st == OK) st = studio_prove(tx_db(tx), d->code, d->files, tx_now(tx), errs);
    if (st == OK) st = item_publish_files(tx, actor, d->files, d->code, &told, errs);
    if (st != OK) return st;
    if (v_true(v_get_lit(told, "unchanged"))) {
        return errors_add(errs, CONFLICT, S("files"), "与现行版本相同，没有可以发布的改动");
    }
    *ret_told = told;
    return OK;
}

Status cmd_studio_approve(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Arena *a = tx_arena(tx);
    StudioDraft d;
    Value told = v_null();
    Str note = S("");
    int64_t version_id = 0;
    Status st = load_for_review(tx, actor, input, &d, &note, errs);
    if (st == OK) st = approve_publish(tx, actor, &d, &told, errs);
    if (st == OK) st = version_sign(tx, actor, &d, &version_id, errs);
    if (st == OK) st = state_set(tx, &d, STUDIO_PUBLISHED, errs);
    if (st == OK) st = reviewed(tx, actor, &d, note, version_id, errs);
    int64_t ids[STUDIO_REVIEWERS_MAX];
    size_t count = 0;
    if (st == OK) st = authors(tx, &d, ids, &count, errs);
    if (st != OK) return st;
    ListBuilder by = list_make(a);
    for (size_t i = 0; i < count; i++) list_add(&by, v_int(ids[i]));
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "version", v_get_lit(told, "version"));
    context_put_lit(&b, "digest", v_get_lit(told, "digest"));
    context_put_lit(&b, "authors", list_done(&by));
    context_put_lit(&b, "submitted_by", v_int(d.submitted_by));
    context_put_lit(&b, "note", v_str(note));
    st = authors_tell(tx, actor, &d, T("{1}审核通过了事项 {2} 的修改稿，已发布为第 {3} 版。"),
                      v_to_str(v_get_lit(told, "version"), a), errs);
    if (st != OK) return st;
    *ret = v_with(studio_told(tx, &d), S("version"), v_get_lit(told, "version"), a);
    return studio_event(tx, actor, S("studio.approved"), &d, context_done(&b), errs);
}

Status cmd_studio_reject(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    StudioDraft d;
    Str note = S("");
    Status st = load_for_review(tx, actor, input, &d, &note, errs);
    if (st == OK && note.len == 0) {
        st = errors_add(errs, INVALID, S("note"), "请写明退回的理由，修改的人要照着改");
    }
    if (st == OK) st = state_set(tx, &d, STUDIO_REJECTED, errs);
    if (st == OK) st = reviewed(tx, actor, &d, note, 0, errs);
    if (st == OK) {
        st = authors_tell(tx, actor, &d, T("{1}退回了事项 {2} 的修改稿：{3}"), note, errs);
    }
    if (st != OK) return st;
    *ret = studio_told(tx, &d);
    return studio_event(tx, actor, S("studio.rejected"), &d,
                        v_with(v_null(), S("note"), v_str(note), tx_arena(tx)), errs);
}

// ---- onto what is published now ----

typedef struct Rebase {
    Value base, mine, theirs, take;
    Arena *arena;
    ContextBuilder files;
    Errors *errs;
} Rebase;

static bool same(Value a, Value b) { return (v_is_null(a) && v_is_null(b)) || v_equal(a, b); }

static void rebase_one(Rebase *r, Str path) {
    Value base = v_get(r->base, path), mine = v_get(r->mine, path);
    Value theirs = v_get(r->theirs, path), kept = mine;
    Str take = v_text(v_get(r->take, path));
    if (same(mine, base) || same(mine, theirs)) kept = theirs;
    else if (!same(theirs, base)) { // changed on both sides
        if (str_eq(take, S("theirs"))) kept = theirs;
        else if (!str_eq(take, S("mine"))) {
            (void)errors_add(r->errs, CONFLICT, path,
                             "“{1}”两边都改了：请选用您的，或用现行版本的", path);
        }
    }
    if (!v_is_null(kept)) context_put(&r->files, path, kept);
}

Status cmd_studio_rebase(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Arena *a = tx_arena(tx);
    Error e = {.status = OK};
    StudioDraft d;
    StudioItem now, base = {.files = v_null()};
    Status st = studio_load(tx, input, &d, errs);
    if (st == OK && d.state == STUDIO_SUBMITTED) {
        st = errors_add(errs, CONFLICT, S("state"), "修改稿正在审核，要改请先撤回");
    }
    if (st == OK) st = studio_base_now(tx, d.code, &now, errs);
    if (st != OK) return st;
    if (d.base_version_id &&
        studio_item(tx_db(tx), d.code, d.base_version, a, &base, &e) != OK) {
        return errors_push(errs, &e);
    }
    Rebase r = {.base = base.files, .mine = d.files, .theirs = now.files, .arena = a, .errs = errs,
                .take = v_get_lit(input, "take"), .files = context_make(a)};
    size_t before = errs->count;
    for (uint32_t i = 0; i < d.files.len; i++) rebase_one(&r, d.files.as.entries[i].key);
    for (uint32_t i = 0; now.files.kind == V_CONTEXT && i < now.files.len; i++) {
        Str path = now.files.as.entries[i].key;
        if (!v_has(d.files, path)) rebase_one(&r, path);
    }
    st = pack_faults_since(errs, before);
    if (st != OK) return st;
    Value merged = context_done(&r.files);
    Value paths = studio_changed_paths(d.files, merged, a);
    d.files = merged;
    d.base_version_id = now.version_id;
    d.base_withdrawn = now.withdrawn;
    st = studio_write(tx, actor, &d, errs);
    if (st == OK) st = studio_change_note(tx, actor, &d, paths, errs);
    if (st != OK) return st;
    *ret = studio_told(tx, &d);
    return studio_event(tx, actor, S("studio.rebased"), &d,
                        v_with(v_null(), S("base"), v_int(now.version_id), a), errs);
}
