// From a Reply to status, headers and bytes: JSON or page, redirects, errors, ETag, gzip, security
// headers. Everything lives in the request's arena until it was sent.
#include "web/exchange.h"

#include "base/crypto.h"
#include "value/json.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { GZIP_SIZE_MIN = 1024, GZIP_LEVEL_PAGE = 4, ETAG_HEX = 24, CHOICE_AGE_S = 365 * 86400 };

void answer_header(Exchange *ex, Str name, Str value) {
    if (ex->out_count >= EXCHANGE_REPLY_HEADERS_MAX) return;
    // A line's end in a value would begin a header of somebody else's making.
    for (size_t i = 0; i < value.len; i++) {
        const unsigned char c = (unsigned char)value.ptr[i];
        if (c < 0x20 || c == 0x7f) return;
    }
    ex->out[ex->out_count++] = (HttpHeader){name, value};
}

int status_to_http(Status s, const Exchange *ex) {
    switch (s) {
    case OK: return 200;
    case INVALID: return 422;
    case DENIED: return actor_has(&ex->rq.actor, ROLES_ALL_ACCOUNTS) ? 403 : 401;
    case NOT_FOUND: return 404;
    case CONFLICT: return 409;
    case LIMIT: return 429;
    case BUSY: return 503;
    case NO_SPACE: return 507;
    case BROKEN: return 500;
    }
    return 500;
}

// ---- headers every answer has ----------------------------------------------------------------

static void security_headers(Exchange *ex) {
    answer_header(ex, S("Content-Security-Policy"),
                  S("default-src 'none'; script-src 'self'; style-src 'self'; "
                    "img-src 'self' data:; font-src 'self'; connect-src 'self'; "
                    "form-action 'self'; "
                    "frame-ancestors 'none'; base-uri 'none'"));
    answer_header(ex, S("X-Content-Type-Options"), S("nosniff"));
    answer_header(ex, S("Referrer-Policy"), S("same-origin"));
    answer_header(ex, S("Permissions-Policy"), S("camera=(), microphone=(), geolocation=()"));
    answer_header(ex, S("Cross-Origin-Opener-Policy"), S("same-origin"));
    answer_header(ex, S("Cross-Origin-Resource-Policy"), S("same-origin"));
    if (ex->app->secure_cookies) {
        answer_header(ex, S("Strict-Transport-Security"), S("max-age=31536000"));
    }
}

static void choice_cookie(Exchange *ex, const char *name, Str value) {
    if (value.len == 0) return;
    answer_header(ex, S("Set-Cookie"),
                  arena_printf(ex->arena, "%s=%.*s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s",
                               name, S_FMT(value), CHOICE_AGE_S,
                               ex->app->secure_cookies ? "; Secure" : ""));
}

static void form_cookie(Exchange *ex) {
    if (ex->form_cookie.len == 0) return;
    answer_header(ex, S("Set-Cookie"),
                  arena_printf(ex->arena, "%.*s=%.*s; Path=/; HttpOnly; SameSite=Lax%s",
                               S_FMT(cookie_name(ex->app, "yz_form", ex->arena)),
                               S_FMT(ex->form_cookie), ex->app->secure_cookies ? "; Secure" : ""));
}

// ---- ETag and gzip ---------------------------------------------------------------------------

static bool etag_matches(Str given, Str etag) {
    Str rest = given;
    if (str_eq(str_trim(given), S("*"))) return true;
    const Str strong = str_starts(etag, S("W/")) ? str_sub(etag, 2, etag.len) : etag;
    while (rest.ptr && rest.len) {
        Str one = str_trim(str_cut(&rest, ','));
        if (str_starts(one, S("W/"))) one = str_sub(one, 2, one.len);
        if (str_eq(one, strong)) return true;
    }
    return false;
}

// Weak, because a page and its compressed form share it. True: answered with 304.
static bool answered_by_etag(Exchange *ex, Str tag) {
    const Str etag = arena_printf(ex->arena, "W/\"%.*s\"", S_FMT(tag));
    answer_header(ex, S("ETag"), etag);
    const Str given = exchange_header(ex, S("If-None-Match"));
    if (given.len == 0 || !etag_matches(given, etag)) return false;
    ex->status = 304;
    ex->out_body = S("");
    ex->out_size = 0;
    return true;
}

bool gzip_bytes(Str in, int level, Arena *a, Str *ret) {
    z_stream z = {0};
    if (in.len > UINT32_MAX || deflateInit2(&z, level, Z_DEFLATED, MAX_WBITS + 16, 8,
                                            Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    // No larger than the input, or it isn't worth it.
    char *out = arena_alloc_raw(a, in.len);
    z.next_in = (Bytef *)(uintptr_t)in.ptr;
    z.avail_in = (uInt)in.len;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)in.len;
    const int result = deflate(&z, Z_FINISH);
    const size_t n = z.total_out;
    (void)deflateEnd(&z);
    if (result != Z_STREAM_END) return false;
    *ret = str_of(out, n);
    return true;
}

bool accepts_gzip(const Exchange *ex) {
    Str rest = exchange_header(ex, S("Accept-Encoding"));
    while (rest.ptr && rest.len) {
        Str one = str_cut(&rest, ',');
        const Str coding = str_trim(str_cut(&one, ';'));
        if (!str_eq_nocase(coding, S("gzip"))) continue;
        const Str q = one.ptr ? str_trim(one) : S("");
        return !str_eq(q, S("q=0")) && !str_eq(q, S("q=0.0"));
    }
    return false;
}

static bool is_text(Str type) {
    return str_starts(type, S("text/")) || str_starts(type, S("application/json")) ||
           str_starts(type, S("image/svg")) || str_starts(type, S("application/xml"));
}

static void set_body(Exchange *ex, Str type, Str body) {
    answer_header(ex, S("Content-Type"), type);
    ex->out_body = body;
    if (!ex->asset.ptr && body.len > GZIP_SIZE_MIN && is_text(type) && accepts_gzip(ex) &&
        gzip_bytes(body, GZIP_LEVEL_PAGE, ex->arena, &ex->out_body)) {
        answer_header(ex, S("Content-Encoding"), S("gzip"));
    }
    ex->out_size = (int64_t)ex->out_body.len;
}

// ---- bodies ----------------------------------------------------------------------------------

void answer_plain(Exchange *ex, int http_status, Str text) {
    ex->out_count = 0;
    ex->status = http_status;
    answer_header(ex, S("Content-Type"), S("text/plain; charset=utf-8"));
    answer_header(ex, S("Cache-Control"), S("no-store"));
    security_headers(ex);
    ex->out_body = text;
    ex->out_size = (int64_t)text.len;
}

static void cache_headers(Exchange *ex, const Reply *reply) {
    answer_header(ex, S("Vary"),
                  ex->asset.ptr ? S("Accept-Encoding")
                                : S("Accept, Accept-Encoding, Accept-Language, Cookie"));
    if (reply->cacheable_forever) {
        answer_header(ex, S("Cache-Control"), S("public, max-age=31536000, immutable"));
    } else if (reply->private_page) {
        answer_header(ex, S("Cache-Control"), S("no-store"));
    } else {
        answer_header(ex, S("Cache-Control"), S("private, no-cache"));
    }
}

static void finish_body(Exchange *ex, const Reply *reply, Str type, Str body) {
    const bool reads = ex->rq.method == METHOD_GET || ex->rq.method == METHOD_HEAD;
    if (reads && ex->status == 200) {
        Str tag = reply->etag;
        if (tag.len == 0) {
            const Hash h = sha256(body);
            tag = str_sub(hash_hex(&h, ex->arena), 0, ETAG_HEX);
        }
        if (answered_by_etag(ex, tag)) return;
    }
    set_body(ex, type, body);
}

// RFC 6266: the name in ASCII for old clients, in UTF-8 for the others.
static void disposition(Exchange *ex, Str file_name) {
    if (file_name.len == 0) return;
    Buf value = buf_make(ex->arena, 128, 4096);
    buf_lit(&value, "attachment; filename=\"");
    for (size_t i = 0; i < file_name.len; i++) {
        const unsigned char c = (unsigned char)file_name.ptr[i];
        buf_char(&value, c < 0x20 || c >= 0x7f || c == '"' || c == '\\' ? '_' : (char)c);
    }
    buf_lit(&value, "\"; filename*=UTF-8''");
    percent_encode(&value, file_name, false);
    if (!value.full) answer_header(ex, S("Content-Disposition"), buf_view(&value));
}

static void answer_json(Exchange *ex, const Reply *reply, Value model) {
    Buf out = buf_make(ex->arena, 4096, PAGE_OUTPUT_MAX);
    json_write(&out, model);
    if (out.full) answer_plain(ex, 500, S("The answer is too large.\n"));
    else finish_body(ex, reply, S("application/json; charset=utf-8"), buf_view(&out));
}

static void answer_file(Exchange *ex, const Reply *reply) {
    struct stat info;
    const int fd = open(arena_cstr(ex->arena, reply->path), O_RDONLY | O_CLOEXEC);
    if (reply->path_temporary) (void)unlink(arena_cstr(ex->arena, reply->path));
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        if (fd >= 0) (void)close(fd);
        Errors errs = errors_make(ex->arena);
        (void)errors_add(&errs, NOT_FOUND, S(""), "文件不在了，请联系管理员");
        answer_errors(ex, 404, &errs);
        return;
    }
    answer_header(ex, S("Content-Type"),
                  reply->type.len ? reply->type : S("application/octet-stream"));
    disposition(ex, reply->file_name);
    if (reply->etag.len && answered_by_etag(ex, reply->etag)) {
        (void)close(fd);
        return;
    }
    ex->out_fd = fd;
    ex->out_size = info.st_size;
}

static void answer_page(Exchange *ex, const Reply *reply) {
    Buf out = buf_make(ex->arena, 16 << 10, PAGE_OUTPUT_MAX);
    Error err;
    Status status = app_render_in(ex, reply->template_name, reply->model, &out, &err);
    if (status != OK) {
        Errors errs = errors_make(ex->arena);
        (void)errors_push(&errs, &err);
        ex->out_count = 0;
        answer_errors(ex, 500, &errs);
        return;
    }
    form_cookie(ex);
    finish_body(ex, reply, S("text/html; charset=utf-8"), buf_view(&out));
}

static void answer_redirect(Exchange *ex, const Reply *reply) {
    ex->status = 303;
    Buf safe = buf_make(ex->arena, 256, 8 << 10);
    for (size_t i = 0; i < reply->location.len; i++) { // only ASCII may stand in a header
        const unsigned char c = (unsigned char)reply->location.ptr[i];
        if (c <= 0x20 || c >= 0x7f) buf_printf(&safe, "%%%02X", (unsigned)c);
        else buf_char(&safe, (char)c);
    }
    answer_header(ex, S("Location"), buf_view(&safe));
}

void reply_redirect(Reply *reply, Str location) {
    reply->status = 303;
    reply->location = location;
}

void answer_reply(Exchange *ex, Reply *reply) {
    ex->out_count = 0;
    ex->status = reply->status;
    security_headers(ex);
    choice_cookie(ex, "yz_lang", ex->set_lang);
    choice_cookie(ex, "yz_large", ex->set_large);
    for (size_t i = 0; i < sizeof reply->cookie / sizeof reply->cookie[0]; i++) {
        if (reply->cookie[i].len) answer_header(ex, S("Set-Cookie"), reply->cookie[i]);
    }
    cache_headers(ex, reply);
    if (ex->rq.wants_json && !reply->body.ptr && reply->path.len == 0) {
        Value model = reply->model.kind == V_CONTEXT ? reply->model : (Value){.kind = V_CONTEXT};
        if (reply->location.len) {
            if (ex->status == 303) ex->status = 200;
            model = v_with(model, S("location"), v_str(reply->location), ex->arena);
        }
        answer_json(ex, reply, model);
    } else if (reply->location.len) {
        answer_redirect(ex, reply);
    } else if (reply->path.len) {
        answer_file(ex, reply);
    } else if (reply->body.ptr || reply->template_name.len == 0) {
        disposition(ex, reply->file_name);
        finish_body(ex, reply, reply->type.len ? reply->type : S("text/plain; charset=utf-8"),
                    reply->body);
    } else {
        answer_page(ex, reply);
    }
}

// ---- errors ----------------------------------------------------------------------------------

static const char *status_code(Status s) {
    static const char *const codes[] = {"ok",    "invalid", "denied",   "not_found", "conflict",
                                        "limit", "busy",    "no_space", "broken"};
    return (unsigned)s < sizeof codes / sizeof codes[0] ? codes[s] : "broken";
}

static Value errors_value(Exchange *ex, const Errors *errs) {
    const bool english = str_eq(ex->rq.lang, S("en"));
    ListBuilder list = list_make(ex->arena);
    for (size_t i = 0; i < errs->count; i++) {
        const Error *e = &errs->items[i];
        ContextBuilder one = context_make(ex->arena);
        context_put_lit(&one, "status", v_str(str_z(status_code(e->status))));
        context_put_lit(&one, "where", v_str(e->where));
        context_put_lit(&one, "message",
                        v_str(error_message(e, english ? ex->app->translate : NULL,
                                            ex->app->english, ex->arena)));
        list_add(&list, context_done(&one));
    }
    return list_done(&list);
}

static const char *advice(int status) {
    switch (status) {
    case 401: return T("登录后即可继续。");
    case 403: return T("如果您认为应当有权限，请联系本单位的安全管理员。");
    case 404: return T("请检查地址，或从首页重新查找。");
    case 409: return T("刷新页面查看最新情况，再决定是否继续。");
    case 413: return T("请减少内容或压缩文件后再提交。");
    case 422: return T("请返回上一页，按提示修改后重新提交。");
    case 429: return T("请稍等一会儿再试。");
    case 503: return T("系统正忙，您填写的内容没有提交，请稍后再试。");
    case 507: return T("系统暂时不能保存，查询不受影响；请稍后再试或联系管理员。");
    default: return status >= 500 ? T("请稍后再试；如果一直这样，请联系管理员。")
                                  : T("请返回上一页重试。");
    }
}

static const char *title_of(int status) {
    switch (status) {
    case 401: return T("请先登录");
    case 403: return T("没有权限");
    case 404: return T("没有找到");
    case 409: return T("情况已经变化");
    case 413: return T("内容太大");
    case 415: return T("不支持的内容");
    case 422: return T("需要修改");
    case 503: return T("系统正忙");
    case 507: return T("暂时不能保存");
    default: return status >= 500 ? T("系统出错") : T("请求有误");
    }
}

// Shown when the page of errors itself can't be.
static void answer_bare_error(Exchange *ex, int http_status, Str message) {
    Buf out = buf_make(ex->arena, 1024, 64 << 10);
    buf_lit(&out, "<!doctype html><html lang=\"zh\"><meta charset=\"utf-8\"><title>");
    buf_int(&out, http_status);
    buf_lit(&out, "</title><h1>");
    page_escape_html(&out, request_tr(&ex->rq, title_of(http_status)));
    buf_lit(&out, "</h1><p>");
    page_escape_html(&out, message);
    buf_lit(&out, "</p><p><a href=\"/\">");
    page_escape_html(&out, request_tr(&ex->rq, T("回到首页")));
    buf_lit(&out, "</a></p></html>\n");
    set_body(ex, S("text/html; charset=utf-8"), buf_view(&out));
}

// The model of template "error": {status, title, message, advice, errors, login_href}.
static void answer_error_page(Exchange *ex, int http_status, Value errors) {
    const Request *rq = &ex->rq;
    const Str message = v_text(v_get_lit(v_at(errors, 0), "message"));
    ContextBuilder b = context_make(ex->arena);
    context_put_lit(&b, "status", v_int(http_status));
    context_put_lit(&b, "title", v_str(request_tr(rq, title_of(http_status))));
    context_put_lit(&b, "message", v_str(message));
    context_put_lit(&b, "advice", v_str(request_tr(rq, advice(http_status))));
    context_put_lit(&b, "errors", errors);
    if (http_status == 401) {
        Buf href = buf_make(ex->arena, 128, 16 << 10);
        buf_lit(&href, "/login?next=");
        percent_encode(&href, rq->method == METHOD_GET ? rq->target : S("/"), false);
        context_put_lit(&b, "login_href", v_str(buf_view(&href)));
    }
    Buf out = buf_make(ex->arena, 16 << 10, PAGE_OUTPUT_MAX);
    Error err;
    if (app_render_in(ex, S("error"), context_done(&b), &out, &err) == OK) {
        form_cookie(ex);
        set_body(ex, S("text/html; charset=utf-8"), buf_view(&out));
    } else {
        answer_bare_error(ex, http_status, message);
    }
}

// A visitor who opens a page that needs an account is shown the way to log in.
static bool redirect_to_login(Exchange *ex) {
    const Request *rq = &ex->rq;
    if (rq->method != METHOD_GET || rq->wants_json || rq->htmx) return false;
    if (!router_find(ex->app->web->router, METHOD_GET, S("/login")).route) return false;
    if (str_eq(rq->path, S("/login"))) return false;
    Buf href = buf_make(ex->arena, 128, 16 << 10);
    buf_lit(&href, "/login?next=");
    percent_encode(&href, rq->target, false);
    ex->status = 303;
    answer_header(ex, S("Location"), buf_view(&href));
    return true;
}

void answer_errors(Exchange *ex, int http_status, const Errors *errs) {
    // What went wrong with us belongs into the log, what the user typed does not: a store's
    // complaint names the statement, which has no values in it.
    for (size_t i = 0; i < errs->count && !ex->why.len; i++) {
        if (errs->items[i].status != BROKEN) continue;
        ex->why = error_message(&errs->items[i], NULL, NULL, ex->arena);
    }
    ex->out_count = 0;
    ex->status = http_status;
    ex->out_body = S("");
    ex->out_size = 0;
    security_headers(ex);
    answer_header(ex, S("Cache-Control"), S("no-store"));
    choice_cookie(ex, "yz_lang", ex->set_lang);
    choice_cookie(ex, "yz_large", ex->set_large);
    if (http_status == 503) answer_header(ex, S("Retry-After"), S("2"));
    if (http_status == 405) {
        Buf allow = buf_make(ex->arena, 64, 256);
        for (int i = 0; i < METHOD_COUNT; i++) {
            if (!(ex->methods & (1u << i))) continue;
            if (allow.len) buf_lit(&allow, ", ");
            buf_str(&allow, method_name((Method)i));
        }
        answer_header(ex, S("Allow"), buf_view(&allow));
    }
    const Value errors = errors_value(ex, errs);
    if (ex->rq.wants_json || ex->rq.is_json) {
        Buf out = buf_make(ex->arena, 1024, PAGE_OUTPUT_MAX);
        json_write(&out, v_with((Value){.kind = V_CONTEXT}, S("errors"), errors, ex->arena));
        set_body(ex, S("application/json; charset=utf-8"), buf_view(&out));
        return;
    }
    if (http_status == 401) {
        if (redirect_to_login(ex)) return;
        answer_header(ex, S("WWW-Authenticate"), S("Bearer realm=\"yizhan\""));
    }
    answer_error_page(ex, http_status, errors);
}
