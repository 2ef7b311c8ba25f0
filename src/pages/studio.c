// The studio (事项工作室, X3): the list of drafts and whose turn each is, opening one, and the room of
// an item. The room's model is also what its script works on: files, posts, what may be done.
#include "pages/studio.h"

#include "base/embed.h"
#include "case/pack.h"

Status studio_open(Request *rq, StudioOpen *ret, Errors *errs) {
    StudioOpen o = {.now = {.files = v_null()}};
    Error err = {.status = OK};
    PAGE_TRY(errs, studio_draft(rq->db, rq->params[0], rq->arena, &o.draft, &e));
    Status st = studio_item(rq->db, o.draft.code, 0, rq->arena, &o.now, &err);
    if (st != OK && st != NOT_FOUND) return errors_push(errs, &err);
    if (st == NOT_FOUND) o.now = (StudioItem){.files = v_null()};
    PAGE_TRY(errs, studio_is_author(rq->db, &o.draft, rq->actor.account_id, &o.author, &e));
    o.current = studio_current(&o.draft, &o.now);
    *ret = o;
    return OK;
}

Value studio_working_files(const Request *rq, const StudioOpen *o) {
    Value change = v_get_lit(rq->input, "files");
    ContextBuilder b = context_make(rq->arena);
    for (uint32_t i = 0; i < o->draft.files.len; i++) {
        const Entry *f = &o->draft.files.as.entries[i];
        bool gone = v_has(change, f->key) && v_is_null(v_get(change, f->key));
        if (!gone) context_put_new(&b, f->key, f->value);
    }
    for (uint32_t i = 0; change.kind == V_CONTEXT && i < change.len; i++) {
        const Entry *f = &change.as.entries[i];
        if (f->value.kind == V_STRING) context_put(&b, f->key, f->value);
    }
    return context_done(&b);
}

// ---- the list --------------------------------------------------------------------------------

static Str state_label(const Request *rq, int64_t state) {
    static const char *const labels[] = {"",         T("编辑中"), T("待审核"),
                                         T("已退回"), T("已发布"), T("已放弃")};
    return state >= 1 && state <= 5 ? request_tr(rq, labels[state]) : S("");
}

static Str kind_label(const Request *rq, int64_t kind) {
    static const char *const labels[] = {"", T("修改"), T("恢复旧版"), T("上传事项包")};
    return kind >= 1 && kind <= 3 ? request_tr(rq, labels[kind]) : S("");
}

#define DRAFT_COLUMNS                                                                          \
    "SELECT d.code, COALESCE(i.name, ''), COALESCE(i.name_en, ''), d.kind, d.state, d.revision," \
    " d.saved_at, s.name, COALESCE(v.version, 0), COALESCE(b.name, ''), d.summary,"             \
    " (SELECT COUNT(*) FROM studio_change c WHERE c.draft_id = d.id AND c.account_id = ?1),"    \
    " COALESCE(d.submitted_by, 0), COALESCE(r.name, ''), COALESCE(d.reviewed_at, 0),"           \
    " COALESCE(w.version, 0)"
#define DRAFT_FROM                                                                             \
    " FROM studio_draft d JOIN account s ON s.id = d.saved_by"                                  \
    " LEFT JOIN item i ON i.code = d.code LEFT JOIN item_version v ON v.id = d.base_version_id" \
    " LEFT JOIN account b ON b.id = d.submitted_by LEFT JOIN account r ON r.id = d.reviewed_by" \
    " LEFT JOIN item_version w ON w.id = d.version_id"

static Value draft_row(Request *rq, Query *q) {
    Arena *a = rq->arena;
    bool english = str_eq(rq->lang, S("en")) && query_col_str(q, 2).len;
    int64_t state = query_col_int(q, 4);
    bool mine = query_col_int(q, 11) > 0 || query_col_int(q, 12) == rq->actor.account_id;
    bool may = state == STUDIO_SUBMITTED && !mine;
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "code", v_str(query_col_keep(q, 0, a)));
    context_put_lit(&b, "item_name", v_str(query_col_keep(q, english ? 2 : 1, a)));
    context_put_lit(&b, "kind_label", v_str(kind_label(rq, query_col_int(q, 3))));
    context_put_lit(&b, "state", v_int(state));
    context_put_lit(&b, "state_label", v_str(state_label(rq, state)));
    context_put_lit(&b, "revision", v_int(query_col_int(q, 5)));
    context_put_lit(&b, "saved", v_instant(query_col_int(q, 6), a));
    context_put_lit(&b, "by", v_str(query_col_keep(q, 7, a)));
    context_put_lit(&b, "base_version", v_int(query_col_int(q, 8)));
    context_put_lit(&b, "note", v_str(query_col_keep(q, 10, a)));
    context_put_lit(&b, "mine", v_bool(mine));
    context_put_lit(&b, "may_review", v_bool(may));
    context_put_lit(&b, "display", v_str(query_col_keep(q, 13, a))); // who reviewed
    context_put_lit(&b, "reviewed",
                    query_col_int(q, 14) ? v_instant(query_col_int(q, 14), a) : v_null());
    context_put_lit(&b, "version", v_int(query_col_int(q, 15)));
    return context_done(&b);
}

static Status draft_rows(Request *rq, Query *q, Value *ret, Error *err) {
    ListBuilder list = list_make(rq->arena);
    query_int(q, 1, rq->actor.account_id);
    query_int(q, 2, STUDIO_LIST_MAX);
    while (query_next(q)) list_add(&list, draft_row(rq, q));
    *ret = list_done(&list);
    return query_done(q, err);
}

static Status list_page(Request *rq, Reply *reply, Errors *errs) {
    Value open, done;
    PAGE_TRY(errs, draft_rows(rq, query(rq->db, DRAFT_COLUMNS DRAFT_FROM
                                        " WHERE d.state < 4 ORDER BY d.saved_at DESC LIMIT ?2"),
                              &open, &e));
    PAGE_TRY(errs, draft_rows(rq, query(rq->db, DRAFT_COLUMNS DRAFT_FROM
                                        " WHERE d.state >= 4 ORDER BY d.id DESC LIMIT ?2"),
                              &done, &e));
    int64_t waiting = 0;
    for (uint32_t i = 0; i < open.len; i++) {
        waiting += v_true(v_get_lit(v_at(open, i), "may_review"));
    }
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "open", open);
    context_put_lit(&b, "done", done);
    context_put_lit(&b, "waiting", v_int(waiting));
    reply_page(rq, reply, "work/studio_list", context_done(&b));
    return OK;
}

// ---- opening ---------------------------------------------------------------------------------

static Status open_post(Request *rq, Reply *reply, Errors *errs) {
    int64_t number = v_to_int(v_get_lit(rq->input, "version"), 0);
    Str text = request_text(rq, S("version"));
    if (text.len && !str_to_int(text, &number)) number = 0;
    ContextBuilder b = context_make(rq->arena);
    Value result;
    context_put_lit(&b, "code", v_str(rq->params[0]));
    context_put_lit(&b, "version", v_int(number));
    Status st = request_command(rq, S("studio.open"), context_done(&b), &result, errs);
    if (st != OK) return st;
    if (rq->wants_json) reply->model = result;
    else reply_redirect(reply, arena_printf(rq->arena, "/admin/studio/%.*s", S_FMT(rq->params[0])));
    return OK;
}

// ---- the room --------------------------------------------------------------------------------

Status studio_versions(Request *rq, Str code, Value *ret, Error *err) {
    Query *q = query(rq->db, "SELECT v.version, v.published_at, COALESCE(a.name, ''),"
                             " COALESCE(p.name, ''), (SELECT COUNT(*) FROM cases c WHERE"
                             " c.item_version_id = v.id AND c.decided_at IS NULL AND c.closed_at IS"
                             " NULL), CASE WHEN i.version_id = v.id THEN 1 ELSE 0 END"
                             " FROM item i JOIN item_version v ON v.item_id = i.id"
                             " LEFT JOIN account a ON a.id = v.published_by"
                             " LEFT JOIN account p ON p.id = v.approved_by"
                             " WHERE i.code = ?1 ORDER BY v.version DESC LIMIT ?2");
    query_str(q, 1, code);
    query_int(q, 2, STUDIO_LIST_MAX);
    ListBuilder list = list_make(rq->arena);
    while (query_next(q)) {
        ContextBuilder row = context_make(rq->arena);
        context_put_lit(&row, "version", v_int(query_col_int(q, 0)));
        context_put_lit(&row, "published", v_instant(query_col_int(q, 1), rq->arena));
        context_put_lit(&row, "by", v_str(query_col_keep(q, 2, rq->arena)));
        context_put_lit(&row, "display", v_str(query_col_keep(q, 3, rq->arena)));
        context_put_lit(&row, "running", v_int(query_col_int(q, 4)));
        context_put_lit(&row, "published_now", v_bool(query_col_int(q, 5) != 0));
        list_add(&list, context_done(&row));
    }
    *ret = list_done(&list);
    return query_done(q, err);
}

// Who worked on the draft, newest first; and when last.
static Status put_changes(Request *rq, const StudioOpen *o, ContextBuilder *b, Error *err) {
    Query *q = query(rq->db, "SELECT c.revision, a.name, c.made_at, c.paths_json"
                             " FROM studio_change c JOIN account a ON a.id = c.account_id"
                             " WHERE c.draft_id = ?1"
                             " ORDER BY c.id DESC LIMIT 30");
    query_int(q, 1, o->draft.id);
    ListBuilder list = list_make(rq->arena);
    while (query_next(q)) {
        Value paths = v_null();
        Error bad = {.status = OK};
        ContextBuilder row = context_make(rq->arena);
        context_put_lit(&row, "revision", v_int(query_col_int(q, 0)));
        context_put_lit(&row, "by", v_str(query_col_keep(q, 1, rq->arena)));
        context_put_lit(&row, "at", v_instant(query_col_int(q, 2), rq->arena));
        if (json_parse(query_col_keep(q, 3, rq->arena), JSON_STRICT, (JsonLimits){0}, rq->arena,
                       &paths, &bad) != OK) {
            paths = v_null();
        }
        ListBuilder codes = list_make(rq->arena);
        for (uint32_t i = 0; paths.kind == V_LIST && i < paths.len; i++) {
            list_add(&codes, v_with(v_null(), S("code"), v_at(paths, i), rq->arena));
        }
        context_put_lit(&row, "paths", list_done(&codes));
        list_add(&list, context_done(&row));
    }
    context_put_lit(b, "changes", list_done(&list));
    return query_done(q, err);
}

// Administrators who may approve: those who changed nothing and are not about to submit it.
static Status put_reviewers(Request *rq, const StudioOpen *o, ContextBuilder *b, Error *err) {
    Query *q = query(rq->db, "SELECT a.name FROM account a WHERE a.roles = ?1 AND a.id <>"
                             " COALESCE((SELECT submitted_by FROM studio_draft WHERE id = ?2), 0)"
                             " AND NOT EXISTS (SELECT 1 FROM studio_change c WHERE c.draft_id = ?2"
                             " AND c.account_id = a.id) AND a.id <> ?3 ORDER BY a.id LIMIT 10");
    query_int(q, 1, ROLE_SYSADMIN);
    query_int(q, 2, o->draft.id);
    query_int(q, 3, o->draft.state == STUDIO_SUBMITTED ? 0 : rq->actor.account_id);
    ListBuilder list = list_make(rq->arena);
    while (query_next(q)) {
        Value name = v_str(query_col_keep(q, 0, rq->arena));
        list_add(&list, v_with(v_null(), S("by"), name, rq->arena));
    }
    context_put_lit(b, "reviewers", list_done(&list));
    return query_done(q, err);
}

// Files changed here and in what was published meanwhile: each needs a choice.
static Status put_conflicts(Request *rq, const StudioOpen *o, ContextBuilder *b, Error *err) {
    StudioItem base = {.files = v_null()};
    ListBuilder list = list_make(rq->arena);
    if (!o->current && o->draft.base_version) {
        Status st = studio_item(rq->db, o->draft.code, o->draft.base_version, rq->arena, &base,
                                err);
        if (st != OK) return st;
    }
    for (uint32_t i = 0; !o->current && i < o->draft.files.len; i++) {
        const Entry *f = &o->draft.files.as.entries[i];
        Value was = v_get(base.files, f->key), now = v_get(o->now.files, f->key);
        bool mine = !v_equal(was, f->value), theirs = !v_equal(was, now);
        if (!mine || !theirs || v_equal(f->value, now)) continue;
        list_add(&list, v_with(v_null(), S("code"), v_str(f->key), rq->arena));
    }
    context_put_lit(b, "conflicts", list_done(&list));
    context_put_lit(b, "stale", v_bool(!o->current));
    return OK;
}

static Value files_list(const Request *rq, Value files) {
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; files.kind == V_CONTEXT && i < files.len; i++) {
        ContextBuilder row = context_make(rq->arena);
        context_put_lit(&row, "code", v_str(files.as.entries[i].key));
        context_put_lit(&row, "value", files.as.entries[i].value);
        list_add(&list, context_done(&row));
    }
    return list_done(&list);
}

static Value county_letters(const Request *rq) {
    ListBuilder list = list_make(rq->arena);
    for (size_t i = 0; i < embed_count(); i++) {
        const EmbeddedFile *f = embed_at(i);
        Str name = pack_path_name(f->path, S("packs/letters/"), S(".txt"));
        if (name.len == 0) continue;
        ContextBuilder row = context_make(rq->arena);
        context_put_lit(&row, "code", v_str(name));
        context_put_lit(&row, "label", v_str(letter_kind_name(name)));
        context_put_lit(&row, "value", v_str(f->data));
        list_add(&list, context_done(&row));
    }
    return list_done(&list);
}

// What only the script works on: files, and what there is to choose from.
static Status put_workings(Request *rq, const StudioOpen *o, ContextBuilder *b, Error *err) {
    Value posts, units;
    Query *q = query(rq->db, "SELECT p.code, p.name, p.name_en, u.name AS unit_name,"
                             " u.name_en AS unit_name_en FROM post p"
                             " JOIN unit u ON u.id = p.unit_id ORDER BY u.sort, u.id, p.code");
    Status st = query_rows(q, rq->arena, &posts, err);
    if (st != OK) return st;
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < posts.len; i++) {
        Value row = v_at(posts, i);
        ContextBuilder p = context_make(rq->arena);
        context_put_lit(&p, "code", v_get_lit(row, "code"));
        context_put_lit(&p, "name", page_named(rq, row, S("name"), S("name_en")));
        context_put_lit(&p, "unit", page_named(rq, row, S("unit_name"), S("unit_name_en")));
        list_add(&list, context_done(&p));
    }
    context_put_lit(b, "posts", list_done(&list));
    st = work_units(rq, S(""), S(""), &units, err);
    if (st != OK) return st;
    context_put_lit(b, "units", units);
    context_put_lit(b, "files", files_list(rq, o->draft.files));
    context_put_lit(b, "published_files", files_list(rq, o->now.files));
    context_put_lit(b, "letters", county_letters(rq));
    return OK;
}

static void put_draft(const Request *rq, const StudioOpen *o, ContextBuilder *b) {
    const StudioDraft *d = &o->draft;
    bool english = str_eq(rq->lang, S("en")) && o->now.name_en.len;
    bool editing = d->state == STUDIO_EDITING || d->state == STUDIO_REJECTED;
    context_put_lit(b, "code", v_str(d->code));
    context_put_lit(b, "item_name", v_str(english ? o->now.name_en : o->now.name));
    context_put_lit(b, "state", v_int(d->state));
    context_put_lit(b, "state_label", v_str(state_label(rq, d->state)));
    context_put_lit(b, "kind", v_int(d->kind));
    context_put_lit(b, "kind_label", v_str(kind_label(rq, d->kind)));
    context_put_lit(b, "revision", v_int(d->revision));
    context_put_lit(b, "base_version", v_int(d->base_version));
    context_put_lit(b, "from_version", v_int(d->from_version));
    context_put_lit(b, "now_version", v_int(o->now.version));
    context_put_lit(b, "withdrawn", v_bool(o->now.withdrawn));
    context_put_lit(b, "shares", v_bool(o->now.shares));
    context_put_lit(b, "data", v_str(d->summary));
    context_put_lit(b, "note", v_str(d->review_note));
    context_put_lit(b, "author", v_bool(o->author));
    context_put_lit(b, "may_edit", v_bool(editing));
    context_put_lit(b, "may_recall", v_bool(d->state == STUDIO_SUBMITTED && o->author));
    context_put_lit(b, "may_review", v_bool(d->state == STUDIO_SUBMITTED && !o->author));
}

Status studio_room(Request *rq, Reply *reply, const Errors *refused, Errors *errs) {
    StudioOpen o;
    Value versions;
    Status st = studio_open(rq, &o, errs);
    if (st != OK) return st;
    ContextBuilder b = context_make(rq->arena);
    put_draft(rq, &o, &b);
    PAGE_TRY(errs, studio_versions(rq, o.draft.code, &versions, &e));
    context_put_lit(&b, "versions", versions);
    PAGE_TRY(errs, put_changes(rq, &o, &b, &e));
    PAGE_TRY(errs, put_reviewers(rq, &o, &b, &e));
    PAGE_TRY(errs, put_conflicts(rq, &o, &b, &e));
    if (rq->wants_json) PAGE_TRY(errs, put_workings(rq, &o, &b, &e));
    if (refused) reply_refused(rq, reply, "work/studio", context_done(&b), refused);
    else reply_page(rq, reply, "work/studio", context_done(&b));
    return OK;
}

static Status room_page(Request *rq, Reply *reply, Errors *errs) {
    Errors none = errors_make(rq->arena);
    Status st = studio_room(rq, reply, NULL, &none);
    if (st == NOT_FOUND && !rq->wants_json) { // published or given up meanwhile
        reply_redirect(reply, arena_printf(rq->arena, "/admin/items/%.*s", S_FMT(rq->params[0])));
        return OK;
    }
    for (size_t i = 0; i < none.count; i++) (void)errors_push(errs, &none.items[i]);
    return st;
}

const Route studio_routes[] = {
    {METHOD_GET, "/admin/studio", ROLE_SYSADMIN, list_page, NULL, false},
    {METHOD_GET, "/admin/studio/:code", ROLE_SYSADMIN, room_page, NULL, false},
    {METHOD_POST, "/admin/items/:code/studio", ROLE_SYSADMIN, open_post, NULL, false},
};
const size_t studio_routes_count = sizeof studio_routes / sizeof *studio_routes;
