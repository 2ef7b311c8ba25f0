// One item as data (S1, X3): its versions, the files of its pack to read, its flow drawn, its
// examples run; a pack uploaded as a zip, which becomes a draft in the studio.
//
// Limits: PACK_FILES_MAX files, PACK_FILE_SIZE_MAX each, PACK_UPLOAD_MAX in all, checked while
// unpacking, so a zip bomb ends where the limit stands.
#include "base/file.h"
#include "case/pack.h"
#include "pages/studio.h"

#include <zip.h>

enum { PACK_UPLOAD_MAX = STUDIO_SIZE_MAX, EXAMPLES_MEMORY_MAX = 128 << 20 };

typedef struct Version {
    int64_t id, version, item_id;
    bool withdrawn;
    Value files, overrides; // one of them
} Version;

static bool is_whole(const Version *v) { return v->files.kind == V_CONTEXT; }

static Status read_version(Request *rq, Str code, int64_t number, Version *ret, Error *err) {
    Version v = {.files = v_null(), .overrides = v_null()};
    Query *q = query(rq->db, "SELECT v.id, v.version, i.id, i.state, v.pack_json FROM item i"
                             " JOIN item_version v ON v.item_id = i.id WHERE i.code = ?1"
                             " AND (?2 = v.version OR (?2 = 0 AND v.id = i.version_id))");
    query_str(q, 1, code);
    query_int(q, 2, number);
    bool found = query_next(q);
    Str text = S("");
    if (found) {
        v.id = query_col_int(q, 0);
        v.version = query_col_int(q, 1);
        v.item_id = query_col_int(q, 2);
        v.withdrawn = query_col_int(q, 3) == 2;
        text = query_col_keep(q, 4, rq->arena);
    }
    Status st = query_done(q, err);
    if (st != OK) return st;
    if (!found) return error_set(err, NOT_FOUND, S("code"), "没有这个事项");
    Value pack;
    st = json_parse(text, JSON_STRICT, (JsonLimits){.size_max = 2 * PACK_SIZE_MAX}, rq->arena,
                    &pack, err);
    if (st != OK) return st;
    v.files = v_get_lit(pack, "files");
    v.overrides = v_get_lit(pack, "overrides");
    *ret = v;
    return OK;
}

// The versions, and the draft somebody works on in the studio.
static Status put_versions(Request *rq, const Version *now, ContextBuilder *b, Error *err) {
    Value versions;
    StudioDraft draft;
    Status st = studio_versions(rq, rq->params[0], &versions, err);
    if (st != OK) return st;
    context_put_lit(b, "versions", versions);
    context_put_lit(b, "shown_version", v_int(now->version));
    Value newest = v_at(versions, 0);
    for (uint32_t i = 0; i < versions.len; i++) {
        if (v_true(v_get_lit(v_at(versions, i), "published_now"))) newest = v_at(versions, i);
    }
    context_put_lit(b, "now_version", v_get_lit(newest, "version"));
    st = studio_draft(rq->db, rq->params[0], rq->arena, &draft, err);
    if (st != OK && st != NOT_FOUND) return st;
    context_put_lit(b, "draft_state", v_int(st == OK ? draft.state : 0));
    return OK;
}

static void put_files(Request *rq, const Version *v, ContextBuilder *b) {
    ListBuilder list = list_make(rq->arena);
    Value files = v->files;
    if (!is_whole(v)) {
        Buf out = buf_make(rq->arena, 1024, PACK_FILE_SIZE_MAX);
        json_write_pretty(&out, v->overrides);
        files = v_with(v_null(), S("item.json"), v_str(buf_view(&out)), rq->arena);
    }
    for (uint32_t i = 0; files.kind == V_CONTEXT && i < files.len; i++) {
        const Entry *e = &files.as.entries[i];
        ContextBuilder row = context_make(rq->arena);
        context_put_lit(&row, "code", v_str(e->key)); // a path: never translated
        context_put_lit(&row, "size", v_int(e->value.len));
        context_put_lit(&row, "value", e->value);
        list_add(&list, context_done(&row));
    }
    context_put_lit(b, "files", list_done(&list));
}

// Examples run in an arena of their own: a pack's rules may be large.
static Status put_examples(Request *rq, const Item *item, const Version *v, ContextBuilder *b) {
    ListBuilder list = list_make(rq->arena);
    int64_t failed = 0;
    if (is_whole(v)) {
        ARENA_AUTO a = arena_create(EXAMPLES_MEMORY_MAX);
        Errors errs = errors_make(a);
        Value report = v_null();
        Status st = pack_examples(item, v->files, rq->now, a, &report, &errs);
        if (st == LIMIT) report = v_null();
        for (uint32_t i = 0; report.kind == V_LIST && i < report.len; i++) {
            Value one = v_copy(v_at(report, i), rq->arena);
            failed += !v_true(v_get_lit(one, "ok"));
            list_add(&list, one);
        }
    }
    context_put_lit(b, "examples", list_done(&list));
    context_put_lit(b, "examples_failed", v_int(failed));
    return OK;
}

static Status item_model(Request *rq, Value *ret, Errors *errs) {
    Version v = {.files = v_null()};
    int64_t number = 0;
    const Item *item;
    Str svg, asked = request_query(rq, S("version"));
    if (asked.len && (!str_to_int(asked, &number) || number < 1)) number = -1;
    PAGE_TRY(errs, read_version(rq, rq->params[0], number, &v, &e));
    PAGE_TRY(errs, item_get(page_items(), rq->db, v.id, &item, &e));
    PAGE_TRY(errs, flow_draw(item->flow, v_null(), v_null(), rq->lang, rq->arena, &svg, &e));
    bool en = str_eq(rq->lang, S("en")) && item->name_en.len;
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "code", v_str(item->code));
    context_put_lit(&b, "item_name", v_str(en ? item->name_en : item->name));
    context_put_lit(&b, "power", v_str(item->power));
    context_put_lit(&b, "version", v_int(v.version));
    context_put_lit(&b, "withdrawn", v_bool(v.withdrawn));
    context_put_lit(&b, "whole", v_bool(is_whole(&v)));
    context_put_lit(&b, "done", v_bool(request_query(rq, S("done")).len > 0));
    context_put_lit(&b, "case_kind", v_int(item->case_kind));
    context_put_lit(&b, "promised_days", v_int(item->promised_days));
    context_put_lit(&b, "statutory_days", v_int(item->statutory_days));
    context_put_lit(&b, "materials_count", v_int((int64_t)item->materials_count));
    context_put_lit(&b, "flow_svg", page_raw(svg));
    PAGE_TRY(errs, put_versions(rq, &v, &b, &e));
    put_files(rq, &v, &b);
    Status st = put_examples(rq, item, &v, &b);
    if (st == OK) *ret = context_done(&b);
    return st;
}

static Status item_page(Request *rq, Reply *reply, Errors *errs) {
    Value model;
    Status st = item_model(rq, &model, errs);
    if (st == OK) reply_page(rq, reply, "work/item", model);
    return st;
}

// ---- uploading a pack ------------------------------------------------------------------------

// The folder all entries stand in is left out: "food-license/item.json" and "item.json" are the
// same.
static Str inner_path(Str path, Str folder) {
    return folder.len && str_starts(path, folder) ? str_sub(path, folder.len, path.len) : path;
}

static Str common_folder(Str first) {
    ptrdiff_t at = str_find(first, S("/"));
    return at < 0 ? S("") : str_sub(first, 0, (size_t)at + 1);
}

static Status unzip_one(zip_t *z, zip_uint64_t i, const zip_stat_t *about, Arena *a, Str *ret,
                        Error *err) {
    if (about->size > PACK_FILE_SIZE_MAX) {
        return error_set(err, LIMIT, S("file"), "事项包中的文件“{1}”过大", str_z(about->name));
    }
    zip_file_t *f = zip_fopen_index(z, i, 0);
    if (!f) return error_set(err, INVALID, S("file"), "不能解开这个压缩包");
    size_t size = (size_t)about->size;
    char *text = arena_alloc_raw(a, size + 1);
    zip_int64_t got = zip_fread(f, text, size);
    char more;
    bool longer = zip_fread(f, &more, 1) > 0; // the directory lied about the size
    (void)zip_fclose(f);
    if (got != (zip_int64_t)size || longer) {
        return error_set(err, INVALID, S("file"), "不能解开这个压缩包");
    }
    *ret = str_of(text, size);
    return OK;
}

static Status unzip(zip_t *z, Arena *a, Value *ret, Error *err) {
    zip_int64_t count = zip_get_num_entries(z, 0);
    if (count < 1 || count > PACK_FILES_MAX) {
        return error_set(err, LIMIT, S("file"), "一个事项包应有 1 至 200 个文件");
    }
    ContextBuilder b = context_make(a);
    Str folder = S("");
    size_t all = 0;
    for (zip_int64_t i = 0; i < count; i++) {
        zip_stat_t about;
        Str text;
        if (zip_stat_index(z, (zip_uint64_t)i, 0, &about) != 0) {
            return error_set(err, INVALID, S("file"), "不能解开这个压缩包");
        }
        Str path = arena_str(a, str_z(about.name));
        if (i == 0) folder = common_folder(path);
        if (str_ends(path, S("/"))) continue; // a folder
        if (!path_safe(path)) {
            return error_set(err, INVALID, S("file"), "压缩包中的路径“{1}”不安全", path);
        }
        Status st = unzip_one(z, (zip_uint64_t)i, &about, a, &text, err);
        if (st != OK) return st;
        all += text.len;
        if (all > PACK_UPLOAD_MAX) return error_set(err, LIMIT, S("file"), "事项包解开后过大");
        if (!str_utf8_valid(text)) {
            return error_set(err, INVALID, S("file"), "“{1}”不是 UTF-8 文本", path);
        }
        context_put(&b, inner_path(path, folder), v_str(text));
    }
    *ret = context_done(&b);
    return OK;
}

// The pack as a draft: it is published when a second administrator has approved it.
static Status draft_upload(Request *rq, const Upload *up, Value *ret, Errors *wrong) {
    int code = 0;
    Value files;
    zip_t *z = zip_open(arena_cstr(rq->arena, up->path), ZIP_RDONLY, &code);
    if (!z) return errors_add(wrong, INVALID, S("file"), "请上传 zip 格式的事项包");
    Error err = {.status = OK};
    Status st = unzip(z, rq->arena, &files, &err);
    zip_discard(z);
    if (st != OK) return errors_push(wrong, &err);
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "files", files);
    context_put_lit(&b, "name", v_str(up->file_name));
    return request_command(rq, S("studio.upload"), context_done(&b), ret, wrong);
}

static Status packs_page(Request *rq, Reply *reply, Errors *errs) {
    (void)errs;
    ContextBuilder b = context_make(rq->arena);
    reply_page(rq, reply, "work/packs", context_done(&b));
    return OK;
}

static Status packs_post(Request *rq, Reply *reply, Errors *errs) {
    (void)errs;
    Errors wrong = errors_make(rq->arena);
    Value result = v_null();
    const Upload *up = rq->uploads_count ? &rq->uploads[0] : NULL;
    if (!up || up->size == 0) errors_add(&wrong, INVALID, S("file"), "请选择要发布的事项包");
    else (void)draft_upload(rq, up, &result, &wrong);
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "done", result);
    if (up) context_put_lit(&b, "file_name", v_str(up->file_name));
    if (wrong.count) reply_refused(rq, reply, "work/packs", context_done(&b), &wrong);
    else if (!rq->wants_json) {
        reply_redirect(reply, arena_printf(rq->arena, "/admin/studio/%.*s",
                                           S_FMT(v_text(v_get_lit(result, "code")))));
    } else reply_page(rq, reply, "work/packs", context_done(&b));
    return OK;
}

const Route packs_routes[] = {
    {METHOD_GET, "/admin/items/:code", ROLE_SYSADMIN, item_page, NULL, false},
    {METHOD_GET, "/admin/packs", ROLE_SYSADMIN, packs_page, NULL, false},
    {METHOD_POST, "/admin/packs", ROLE_SYSADMIN, packs_post, NULL, true},
};
const size_t packs_routes_count = sizeof packs_routes / sizeof *packs_routes;
