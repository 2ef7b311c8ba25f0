// Replies, languages, errors and addresses of pages. Forms are in form_page.c.
#include "pages/page_tools.h"

#include "case/case_internal.h"

enum { LOCALIZE_DEPTH_MAX = 40, FILL_MAX = 64 << 10 };

CaseRoom *page_cases(void) { return case_room; }
Items *page_items(void) { return case_items(case_room); }

// ---- language --------------------------------------------------------------------------------

// What people typed stays as they typed it.
static bool typed_by_users(Str key) {
    static const Str keys[] = {
        S_INIT("value"), S_INIT("display"), S_INIT("comment"), S_INIT("note"),     S_INIT("q"),
        S_INIT("by"),    S_INIT("login"),   S_INIT("args"),    S_INIT("file_name"), S_INIT("data"),
        S_INIT("code"),  S_INIT("address"), S_INIT("spec"),
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (str_eq(keys[i], key)) return true;
    }
    return false;
}

Str page_fill(Str text, Value args, Arena *a) {
    Buf out = buf_make(a, text.len + 64, FILL_MAX);
    for (size_t i = 0; i < text.len; i++) {
        const char *p = text.ptr + i;
        bool place = i + 2 < text.len && p[0] == '{' && p[1] >= '1' && p[1] <= '9' && p[2] == '}';
        if (!place) {
            buf_char(&out, *p);
            continue;
        }
        Value arg = v_at(args, (size_t)(p[1] - '1'));
        if (arg.kind == V_STRING) buf_str(&out, v_text(arg));
        else v_print(&out, arg);
        i += 2;
    }
    return buf_view(&out);
}

static bool is_english(const Request *rq) { return str_eq(rq->lang, S("en")); }

static Str english(const Request *rq, Str zh) {
    const App *app = rq->app;
    if (!is_english(rq) || !app->translate || zh.len == 0) return zh;
    return app->translate(app->english, zh);
}

// An argument may be a template with arguments of its own: what the first one is about.
static Value line_of(const Request *rq, Value v, int depth) {
    Value args = v_get_lit(v, "args");
    ListBuilder list = list_make(rq->arena);
    for (size_t i = 0; i < args.len; i++) {
        Value arg = v_at(args, i);
        bool inner = arg.kind == V_CONTEXT && depth < LOCALIZE_DEPTH_MAX;
        if (inner) list_add(&list, line_of(rq, arg, depth + 1));
        else list_add(&list, arg.kind == V_STRING ? v_str(english(rq, v_text(arg))) : arg);
    }
    Str text = english(rq, v_text(v_get_lit(v, "text")));
    return v_str(page_fill(text, list_done(&list), rq->arena));
}

static Value localize(const Request *rq, Value v, int depth);

static Value localize_context(const Request *rq, Value v, int depth) {
    bool filled = v_get_lit(v, "args").kind == V_LIST && v_get_lit(v, "text").kind == V_STRING;
    if (!is_english(rq) && !filled && v_depth(v) <= 1) return v;
    ContextBuilder b = context_make(rq->arena);
    for (uint32_t i = 0; i < v.len; i++) {
        const Entry *e = &v.as.entries[i];
        context_put_new(&b, e->key,
                        typed_by_users(e->key) ? e->value : localize(rq, e->value, depth + 1));
    }
    if (filled) context_put_lit(&b, "line", line_of(rq, v, depth));
    return context_done(&b);
}

static Value localize(const Request *rq, Value v, int depth) {
    if (depth > LOCALIZE_DEPTH_MAX) return v;
    if (v.kind == V_STRING && !v.extra) return v_str(english(rq, v_text(v)));
    if (v.kind == V_CONTEXT) return localize_context(rq, v, depth);
    if (v.kind != V_LIST || (v_depth(v) <= 1 && !is_english(rq))) return v;
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < v.len; i++) list_add(&list, localize(rq, v.as.items[i], depth + 1));
    return list_done(&list);
}

Value page_localize(const Request *rq, Value v) { return localize(rq, v, 0); }

Value page_named(const Request *rq, Value row, Str zh, Str en) {
    Value other = v_get(row, en);
    return is_english(rq) && v_text(other).len ? other : v_get(row, zh);
}

// ---- replies ---------------------------------------------------------------------------------

void reply_page(const Request *rq, Reply *reply, const char *template_name, Value model) {
    reply->template_name = str_z(template_name);
    reply->model = page_localize(rq, model);
}

Value page_errors(const Request *rq, const Errors *errs) {
    static const char *const codes[] = {"ok",    "invalid", "denied",   "not_found", "conflict",
                                        "limit", "busy",    "no_space", "broken"};
    const App *app = rq->app;
    ListBuilder list = list_make(rq->arena);
    for (size_t i = 0; i < errs->count; i++) {
        const Error *e = &errs->items[i];
        ContextBuilder b = context_make(rq->arena);
        const size_t code = (size_t)e->status < sizeof codes / sizeof *codes ? e->status : BROKEN;
        context_put_lit(&b, "status", v_str(str_z(codes[code])));
        context_put_lit(&b, "where", v_str(e->where));
        context_put_lit(&b, "message",
                        v_str(error_message(e, is_english(rq) ? app->translate : NULL,
                                            app->english, rq->arena)));
        list_add(&list, context_done(&b));
    }
    return list_done(&list);
}

static int http_status_of(Status s) {
    switch (s) {
    case OK: return 200;
    case INVALID: return 422;
    case DENIED: return 403;
    case NOT_FOUND: return 404;
    case CONFLICT: return 409;
    case LIMIT: return 413;
    case BUSY: return 503;
    case NO_SPACE: return 507;
    default: return 500;
    }
}

void reply_refused(const Request *rq, Reply *reply, const char *template_name, Value model,
                   const Errors *errs) {
    reply_page(rq, reply, template_name, model);
    reply->model = v_with(reply->model, S("errors"), page_errors(rq, errs), rq->arena);
    reply->status = http_status_of(errors_status(errs));
}

// ---- addresses -------------------------------------------------------------------------------

static void percent(Buf *out, Str s) {
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            buf_char(out, (char)c);
        } else {
            buf_char(out, '%');
            buf_char(out, hex[c >> 4]);
            buf_char(out, hex[c & 15]);
        }
    }
}

Str page_href(Arena *a, Str path, Value query) {
    Buf out = buf_make(a, 128, PAGE_QUERY_MAX);
    buf_str(&out, path);
    char before = '?';
    for (uint32_t i = 0; query.kind == V_CONTEXT && i < query.len; i++) {
        const Entry *e = &query.as.entries[i];
        Str text = e->value.kind == V_STRING ? v_text(e->value) : v_to_str(e->value, a);
        if (text.len == 0 || e->value.kind == V_LIST || e->value.kind == V_CONTEXT) continue;
        buf_char(&out, before);
        before = '&';
        percent(&out, e->key);
        buf_char(&out, '=');
        percent(&out, text);
    }
    return out.full ? path : buf_view(&out);
}
