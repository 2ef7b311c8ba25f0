// Pages: the templates and translations from the binary (or from ./ui when developing), and what
// every page's model has besides its own.
#include "web/exchange.h"
#include "web/catalog.h"

#include "base/embed.h"
#include "base/file.h"

enum { HREF_MAX = 16 << 10, TEMPLATE_FOLDERS = 2 };

static const char *const template_folders[TEMPLATE_FOLDERS] = {"ui/pages/", "ui/parts/"};

// ---- loading ---------------------------------------------------------------------------------

static Status add_template(TemplateSet *set, Str path, Str folder, Str source, Error *err) {
    const bool html = str_ends(path, S(".html"));
    if (!html && !str_ends(path, S(".txt"))) return OK;
    const Str name = str_sub(path, folder.len, path.len - (html ? 5 : 4));
    return templates_add(set, name, html ? PAGE_HTML : PAGE_TEXT, source, err);
}

static Status add_embedded(TemplateSet *set, Error *err) {
    for (size_t i = 0; i < embed_count(); i++) {
        const EmbeddedFile *file = embed_at(i);
        for (size_t k = 0; k < TEMPLATE_FOLDERS; k++) {
            const Str folder = str_z(template_folders[k]);
            if (!str_starts(file->path, folder)) continue;
            Status status = add_template(set, file->path, folder, file->data, err);
            if (status != OK) return status;
        }
    }
    return OK;
}

// Walks ./ui/pages and ./ui/parts; a folder below is at most a few levels deep.
static Status add_folder(TemplateSet *set, Str path, Str folder, int depth, Arena *a, Error *err) {
    Str *names = NULL;
    size_t count = 0;
    Status status = dir_list(path, a, &names, &count, err);
    for (size_t i = 0; i < count && status == OK; i++) {
        const Str inner = path_join(a, path, names[i]);
        if (str_starts(names[i], S("."))) continue;
        if (str_ends(inner, S(".html")) || str_ends(inner, S(".txt"))) {
            Str source;
            status = file_read(inner, PAGE_SOURCE_MAX, a, &source, err);
            if (status == OK) status = add_template(set, inner, folder, source, err);
        } else if (depth < 4 && str_find(names[i], S(".")) < 0) { // a folder, by our naming
            status = add_folder(set, inner, folder, depth + 1, a, err);
        }
    }
    return status;
}

static Status load_templates(bool from_disk, Arena *a, TemplateSet **ret, Error *err) {
    TemplateSet *set = templates_create(a);
    Status status = OK;
    for (size_t k = 0; from_disk && k < TEMPLATE_FOLDERS && status == OK; k++) {
        const Str folder = str_z(template_folders[k]);
        const Str path = str_sub(folder, 0, folder.len - 1);
        if (file_exists(path, a)) status = add_folder(set, path, folder, 0, a, err);
    }
    if (!from_disk) status = add_embedded(set, err);
    if (status == OK) status = templates_link(set, err);
    if (status == OK) *ret = set;
    return status;
}

Status app_load_templates(App *app, Arena *a, Error *err) {
    TemplateSet *set;
    Catalog *catalog;
    Status status = load_templates(app->dev, a, &set, err);
    if (status == OK) status = catalog_load(a, &catalog, err);
    if (status != OK) return status;
    app->templates = set;
    app->english = catalog;
    app->translate = catalog_text;
    if (!app->dev) templates_translate(set, catalog_text, catalog);
    return OK;
}

// ---- the common model ------------------------------------------------------------------------

static Str translated(const Request *rq, Str zh) {
    const App *app = rq->app;
    return str_eq(rq->lang, S("en")) && app->translate ? app->translate(app->english, zh) : zh;
}

Str request_tr(const Request *rq, const char *zh) { return translated(rq, str_z(zh)); }

Str request_text(const Request *rq, Str name) { return str_trim(v_text(v_get(rq->input, name))); }
Str request_query(const Request *rq, Str name) { return str_trim(v_text(v_get(rq->query, name))); }

static void add_query(Buf *out, Str name, Value value) {
    if (value.kind == V_LIST) {
        for (size_t i = 0; i < value.len; i++) add_query(out, name, v_at(value, i));
        return;
    }
    percent_encode(out, name, false);
    buf_char(out, '=');
    percent_encode(out, v_text(value), false);
    buf_char(out, '&');
}

// This page with one query member set to another value. A page that answers a POST has no address
// of its own to return to, but its GET has.
static Str href_with(const Request *rq, Str name, Str value) {
    Buf out = buf_make(rq->arena, 128, HREF_MAX);
    percent_encode(&out, rq->path, true);
    buf_char(&out, '?');
    for (uint32_t i = 0; rq->query.kind == V_CONTEXT && i < rq->query.len; i++) {
        const Entry *e = &rq->query.as.entries[i];
        if (!str_eq(e->key, name)) add_query(&out, e->key, e->value);
    }
    add_query(&out, name, v_str(value));
    return out.full ? S("/") : str_sub(buf_view(&out), 0, out.len - 1);
}

// For the bell. A page is not lost because the count is: then none is shown.
static int64_t unread_of(const Request *rq) {
    int64_t unread = 0;
    Error err = {.status = OK};
    if (!rq->db || messages_unread(rq->db, rq->actor.account_id, &unread, &err) != OK) return 0;
    return unread;
}

static Value user_value(const Request *rq) {
    const Actor *actor = &rq->actor;
    if (!actor_has(actor, ROLES_ALL_ACCOUNTS)) return v_null();
    ListBuilder codes = list_make(rq->arena), names = list_make(rq->arena);
    ContextBuilder is = context_make(rq->arena);
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        const Role role = (Role)(1u << i);
        const bool has = (actor->roles & role) != 0;
        context_put(&is, role_code(role), v_bool(has));
        if (!has) continue;
        list_add(&codes, v_str(role_code(role)));
        list_add(&names, v_str(translated(rq, role_name(role))));
    }
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "name", v_str(actor->name));
    context_put_lit(&b, "account_id", v_int(actor->account_id));
    context_put_lit(&b, "party_id", v_int(actor->party_id));
    context_put_lit(&b, "unit_id", v_int(actor->unit_id));
    context_put_lit(&b, "roles", list_done(&codes));
    context_put_lit(&b, "role_names", list_done(&names));
    context_put_lit(&b, "is", context_done(&is));
    context_put_lit(&b, "must_change", v_bool(actor->must_change));
    context_put_lit(&b, "unread", v_int(unread_of(rq)));
    return context_done(&b);
}

static bool is_active(Str path, Str href) {
    if (str_eq(href, S("/"))) return str_eq(path, href);
    return str_eq(path, href) ||
           (str_starts(path, href) && path.len > href.len && path.ptr[href.len] == '/');
}

// A page is not lost because the count is: then none is shown.
static int64_t waiting_behind(const Request *rq, Str href) {
    int64_t waiting = 0;
    Error err = {.status = OK};
    if (!rq->app->waiting || !rq->db) return 0;
    if (rq->app->waiting(rq->db, &rq->actor, href, &waiting, &err) != OK) return 0;
    return waiting;
}

static Value nav_value(const Request *rq) {
    const App *app = rq->app;
    ListBuilder list = list_make(rq->arena);
    size_t longest = 0; // "/window/queue" is more than "/window"
    for (size_t i = 0; i < app->nav_count; i++) {
        const Str href = str_z(app->nav[i].href);
        if (is_active(rq->path, href) && href.len > longest) longest = href.len;
    }
    for (size_t i = 0; i < app->nav_count; i++) {
        const NavItem *item = &app->nav[i];
        if (!(item->roles & ROLE_PUBLIC) && !actor_has(&rq->actor, item->roles)) continue;
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "href", v_str(str_z(item->href)));
        context_put_lit(&b, "label", v_str(translated(rq, str_z(item->label))));
        const Str href = str_z(item->href);
        context_put_lit(&b, "active", v_bool(is_active(rq->path, href) && href.len == longest));
        context_put_lit(&b, "waiting", v_int(waiting_behind(rq, href)));
        list_add(&list, context_done(&b));
    }
    return list_done(&list);
}

static Value common_model(const Request *rq) {
    const App *app = rq->app;
    const bool english = str_eq(rq->lang, S("en"));
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "lang", v_str(rq->lang));
    context_put_lit(&b, "lang_other", english ? v_lit("zh") : v_lit("en"));
    context_put_lit(&b, "lang_href",
                    v_str(href_with(rq, S("lang"), english ? S("zh") : S("en"))));
    context_put_lit(&b, "large", v_bool(rq->large_type));
    context_put_lit(&b, "large_href",
                    v_str(href_with(rq, S("large"), rq->large_type ? S("0") : S("1"))));
    context_put_lit(&b, "user", user_value(rq));
    context_put_lit(&b, "csrf", v_str(rq->csrf));
    context_put_lit(&b, "path", v_str(rq->path));
    context_put_lit(&b, "target", v_str(rq->target));
    context_put_lit(&b, "public_url", v_str(rq->host));
    context_put_lit(&b, "county", v_str(translated(rq, app->county)));
    context_put_lit(&b, "version", v_str(app->version));
    context_put_lit(&b, "now", v_instant(rq->now, rq->arena));
    context_put_lit(&b, "nav", nav_value(rq));
    context_put_lit(&b, "assets", app->web->asset_links);
    return context_done(&b);
}

Status app_render(App *app, Request *rq, Str template_name, Value model, Buf *out, Error *err) {
    TemplateSet *set = app->templates;
    if (app->dev) {
        Status status = load_templates(true, rq->arena, &set, err);
        if (status != OK) return status;
    }
    const Template *t = templates_find(set, template_name);
    if (!t) return error_set(err, BROKEN, S(""), "没有页面模板“{1}”", template_name);
    Value all = common_model(rq);
    if (model.kind == V_CONTEXT) all = v_merge(all, model, rq->arena);
    PageRun run = {.arena = rq->arena,
                   .model = all,
                   .now = rq->now,
                   .lang = rq->lang,
                   .translate = str_eq(rq->lang, S("en")) ? app->translate : NULL,
                   .catalog = app->english};
    return page_render(&run, t, out, err);
}

Status app_render_in(Exchange *ex, Str template_name, Value model, Buf *out, Error *err) {
    return app_render(ex->app, &ex->rq, template_name, model, out, err);
}
