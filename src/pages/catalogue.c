// The catalogue (事项清单, S1) for the system administrator: all items with their versions and
// state, import of a catalogue file, withdrawing and publishing again.
#include "base/file.h"
#include "pages/workplace.h"

enum {
    IMPORT_FILE_MAX = 4 << 20, // bytes of a catalogue
    ITEMS_PAGE = 50,
    IMPORT_BAD_SHOWN = 200,
};

// ---- the list --------------------------------------------------------------------------------

static Status versions_of(Request *rq, ContextBuilder *ret, Error *err) {
    Query *q = query(rq->db, "SELECT v.item_id, v.version, v.published_at FROM item i"
                             " JOIN item_version v ON v.id = i.version_id");
    while (query_next(q)) {
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "version", v_int(query_col_int(q, 1)));
        context_put_lit(&b, "published", v_day(instant_day(query_col_int(q, 2))));
        context_put_new(ret, arena_printf(rq->arena, "%lld", (long long)query_col_int(q, 0)),
                        context_done(&b));
    }
    return query_done(q, err);
}

static Str kind_label(const Request *rq, int64_t kind) {
    static const char *const labels[] = {"", T("即办件"), T("承诺件"), T("联办件"), T("上报件")};
    return kind >= 1 && kind <= 4 ? request_tr(rq, labels[kind]) : S("");
}

static Value item_row(Request *rq, Value row, Value versions) {
    Value version = v_get(versions, v_to_str(v_get_lit(row, "id"), rq->arena));
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "item_name", page_named(rq, row, S("name"), S("name_en")));
    context_put_lit(&b, "unit_label", page_named(rq, row, S("unit_name"), S("unit_name_en")));
    context_put_lit(&b, "kind_label", v_str(kind_label(rq, v_to_int(v_get_lit(row, "kind"), 0))));
    context_put_lit(&b, "version", v_get_lit(version, "version"));
    context_put_lit(&b, "published", v_get_lit(version, "published"));
    context_put_lit(&b, "withdrawn", v_bool(v_to_int(v_get_lit(row, "state"), 1) == 2));
    return v_merge(row, context_done(&b), rq->arena);
}

static Status items_model(Request *rq, Value *ret, Errors *errs) {
    static const Str names[] = {S_INIT("q"), S_INIT("unit"), S_INIT("kind"), S_INIT("page")};
    ContextBuilder filter = context_make(rq->arena), versions = context_make(rq->arena);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        context_put_new(&filter, names[i], v_str(request_query(rq, names[i])));
    }
    context_put_lit(&filter, "withdrawn", v_bool(true));
    context_put_lit(&filter, "page_size", v_int(ITEMS_PAGE));
    Value found, units;
    PAGE_TRY(errs, item_search(rq->db, context_done(&filter), rq->arena, &found, &e));
    PAGE_TRY(errs, versions_of(rq, &versions, &e));
    PAGE_TRY(errs, work_units(rq, S(""), request_query(rq, S("unit")), &units, &e));
    Value rows = v_get_lit(found, "rows"), of = context_done(&versions);
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < rows.len; i++) list_add(&list, item_row(rq, v_at(rows, i), of));
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "rows", list_done(&list));
    context_put_lit(&b, "units", units);
    context_put_lit(&b, "q", v_str(request_query(rq, S("q"))));
    context_put_lit(&b, "chosen_kind", v_str(request_query(rq, S("kind"))));
    int64_t page = v_to_int(v_get_lit(found, "page"), 1),
            pages = v_to_int(v_get_lit(found, "pages"), 1);
    for (int step = -1; step <= 1; step += 2) {
        int64_t to = page + step;
        if (to < 1 || to > pages) continue;
        Value q =
            work_with(rq, rq->query, S("page"), arena_printf(rq->arena, "%lld", (long long)to));
        context_put(&b, step < 0 ? S("prev_href") : S("next_href"),
                    v_str(page_href(rq->arena, S("/admin/items"), q)));
    }
    int64_t retrying = 0, standing = 0;
    PAGE_TRY(errs, incident_counts(rq->db, 0, &retrying, &standing, &e));
    context_put_lit(&b, "incidents_standing", v_int(standing));
    *ret = v_merge(found, context_done(&b), rq->arena);
    return OK;
}

static Status items_page(Request *rq, Reply *reply, Errors *errs) {
    Value model;
    Status st = items_model(rq, &model, errs);
    if (st == OK) reply_page(rq, reply, "work/items", model);
    return st;
}

// ---- import ----------------------------------------------------------------------------------

static Status setting(Request *rq, const char *name, Str *ret, Error *err) {
    Query *q = query(rq->db, "SELECT value FROM setting WHERE name = ?1");
    query_str(q, 1, str_z(name));
    if (query_next(q)) *ret = query_col_keep(q, 0, rq->arena);
    return query_done(q, err);
}

// Faults of lines found while reading, as item.import tells its own: {number, text, args}.
static void add_unread(Request *rq, const Errors *unread, ListBuilder *list) {
    for (size_t i = 0; i < unread->count && i < IMPORT_BAD_SHOWN; i++) {
        const Error *e = &unread->items[i];
        ListBuilder args = list_make(rq->arena);
        for (size_t k = 0; k < ERROR_ARGS; k++) list_add(&args, v_str(e->args[k]));
        ContextBuilder b = context_make(rq->arena);
        bool line = str_starts(e->where, S("line "));
        context_put_lit(&b, "number", v_str(line ? str_sub(e->where, 5, e->where.len) : e->where));
        context_put_lit(&b, "text", v_str(str_z(e->text)));
        context_put_lit(&b, "args", list_done(&args));
        list_add(list, context_done(&b));
    }
}

static Status import_lines(Request *rq, const Upload *up, Value *ret, Errors *wrong) {
    Str text, region = S("");
    Value lines = v_null(), result;
    bool json = str_ends(up->file_name, S(".json"));
    if (!json && !str_ends(up->file_name, S(".csv"))) {
        return errors_add(wrong, INVALID, S("file"), "请上传 CSV 或 JSON 格式的目录文件");
    }
    PAGE_TRY(wrong, file_read(up->path, IMPORT_FILE_MAX, rq->arena, &text, &e));
    PAGE_TRY(wrong, setting(rq, "region", &region, &e));
    Errors unread = errors_make(rq->arena);
    Status st = catalogue_read(text, json, rq->arena, &lines, &unread);
    if (st != OK) lines = v_null(); // nothing could be read; `unread` says why
    ListBuilder bad = list_make(rq->arena);
    add_unread(rq, &unread, &bad);
    ContextBuilder b = context_make(rq->arena);
    if (lines.kind == V_LIST && lines.len) {
        context_put_lit(&b, "lines", lines);
        context_put_lit(&b, "region", v_str(region));
        st = request_command(rq, S("item.import"), context_done(&b), &result, wrong);
        if (st != OK) return st;
        Value more = v_get_lit(result, "bad");
        for (uint32_t i = 0; more.kind == V_LIST && i < more.len; i++) {
            // "line" is what page_localize makes of text and args.
            Value one = v_at(more, i);
            list_add(&bad, v_with(one, S("number"), v_get_lit(one, "line"), rq->arena));
        }
    } else {
        result = v_with(v_null(), S("loaded"), v_int(0), rq->arena);
    }
    result = v_with(result, S("bad"), list_done(&bad), rq->arena);
    *ret = v_with(result, S("file_name"), v_str(up->file_name), rq->arena);
    return OK;
}

static Status import_post(Request *rq, Reply *reply, Errors *errs) {
    Errors wrong = errors_make(rq->arena);
    Value result = v_null(), model;
    const Upload *up = rq->uploads_count ? &rq->uploads[0] : NULL;
    if (!up || up->size == 0) errors_add(&wrong, INVALID, S("file"), "请选择要导入的文件");
    else (void)import_lines(rq, up, &result, &wrong);
    Status st = items_model(rq, &model, errs);
    if (st != OK) return st;
    model = v_with(model, S("imported"), result, rq->arena);
    if (wrong.count) reply_refused(rq, reply, "work/items", model, &wrong);
    else reply_page(rq, reply, "work/items", model);
    return OK;
}

// ---- withdrawing -----------------------------------------------------------------------------

static Status withdraw(Request *rq, Reply *reply, Errors *errs) {
    ContextBuilder b = context_make(rq->arena);
    Value result;
    context_put_lit(&b, "code", v_str(rq->params[0]));
    context_put_lit(&b, "reason", v_str(request_text(rq, S("reason"))));
    Status st = request_command(rq, S("item.withdraw"), context_done(&b), &result, errs);
    if (st != OK) return st;
    if (rq->wants_json) reply->model = result;
    else reply_redirect(reply, arena_printf(rq->arena, "/admin/items/%.*s", S_FMT(rq->params[0])));
    return OK;
}

const Route catalogue_routes[] = {
    {METHOD_GET, "/admin/items", ROLE_SYSADMIN, items_page, NULL, false},
    {METHOD_POST, "/admin/items", ROLE_SYSADMIN, import_post, NULL, true},
    {METHOD_POST, "/admin/items/:code/withdraw", ROLE_SYSADMIN, withdraw, NULL, false},
};
const size_t catalogue_routes_count = sizeof catalogue_routes / sizeof *catalogue_routes;
