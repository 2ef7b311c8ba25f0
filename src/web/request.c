// From the head of a request to a Request: target, query, cookies, language, address, route.
// Nothing here waits: it runs on the thread that reads the socket.
#include "web/exchange.h"

enum { JSON_SUFFIX_LEN = 5, LANG_QUALITY_MAX = 1000 };

Str exchange_header(const Exchange *ex, Str name) {
    for (size_t i = 0; i < ex->headers_count; i++) {
        if (str_eq_nocase(ex->headers[i].name, name)) return ex->headers[i].value;
    }
    return S("");
}

void exchange_refuse(Exchange *ex, int http_status, const Error *why) {
    if (ex->refused) return; // the first reason stands
    ex->refused = http_status;
    // The arguments point into the error's own room; so it is copied whole and they are moved.
    ex->refusal = *why;
    const char *from = why->room;
    Str *moved[] = {&ex->refusal.where, &ex->refusal.args[0], &ex->refusal.args[1],
                    &ex->refusal.args[2]};
    for (size_t i = 0; i < sizeof moved / sizeof moved[0]; i++) {
        const char *p = moved[i]->ptr;
        if (p >= from && p < from + sizeof why->room) moved[i]->ptr = ex->refusal.room + (p - from);
    }
}

// ---- Accept and Accept-Language --------------------------------------------------------------

// The quality of "type;q=0.8" in thousandths; 1000 when unsaid, 0 when malformed.
static int quality(Str parameters) {
    while (parameters.ptr) {
        Str one = str_trim(str_cut(&parameters, ';'));
        if (!str_starts(one, S("q="))) continue;
        int q = 0, scale = LANG_QUALITY_MAX;
        for (size_t i = 2; i < one.len && i < 7; i++) {
            const char c = one.ptr[i];
            if (c == '.') continue;
            if (c < '0' || c > '9') return 0;
            q += (c - '0') * scale;
            scale /= 10;
        }
        return q > LANG_QUALITY_MAX ? LANG_QUALITY_MAX : q;
    }
    return LANG_QUALITY_MAX;
}

bool json_preferred(Str accept) {
    int json = 0, html = 0;
    Str rest = accept;
    while (rest.ptr && rest.len) {
        Str one = str_cut(&rest, ',');
        const Str type = str_trim(str_cut(&one, ';'));
        const int q = quality(one);
        if (str_eq_nocase(type, S("application/json")) && q > json) json = q;
        if (str_eq_nocase(type, S("text/html")) && q > html) html = q;
    }
    return json > html;
}

static Str preferred_language(Str accept) {
    Str best = S("zh");
    int best_q = 0;
    Str rest = accept;
    while (rest.ptr && rest.len) {
        Str one = str_cut(&rest, ',');
        const Str tag = str_trim(str_cut(&one, ';'));
        const int q = quality(one);
        const Str code = str_sub(tag, 0, 2);
        if (q > best_q && (str_eq_nocase(code, S("zh")) || str_eq_nocase(code, S("en")))) {
            best = str_eq_nocase(code, S("en")) ? S("en") : S("zh");
            best_q = q;
        }
    }
    return best;
}

// ---- who asks --------------------------------------------------------------------------------

static void read_address(Exchange *ex) {
    ex->rq.address = ex->peer;
    ex->from_proxy = false;
    for (size_t i = 0; i < ex->proxies_count; i++) {
        if (str_eq(ex->proxies[i], ex->peer)) ex->from_proxy = true;
    }
    if (!ex->from_proxy) return;
    // The last entry is the one our own proxy added; what stands before it anybody may have
    // written.
    Str rest = exchange_header(ex, S("X-Forwarded-For"));
    Str last = S("");
    while (rest.ptr && rest.len) last = str_trim(str_cut(&rest, ','));
    if (last.len && last.len <= 45) ex->rq.address = last;
}

static void read_host(Exchange *ex) {
    if (ex->app->public_url.len) {
        ex->rq.host = ex->app->public_url;
        return;
    }
    const bool https = ex->from_proxy &&
                       str_eq_nocase(exchange_header(ex, S("X-Forwarded-Proto")), S("https"));
    ex->rq.host = arena_concat(
        ex->arena, (Str[]){https ? S("https://") : S("http://"), exchange_header(ex, S("Host"))},
        2);
}

static void read_session(Exchange *ex) {
    const Str authorization = exchange_header(ex, S("Authorization"));
    const Str cookies = exchange_header(ex, S("Cookie"));
    if (authorization.len > 7 && str_eq_nocase(str_sub(authorization, 0, 7), S("Bearer "))) {
        ex->rq.session_token = str_trim(str_sub(authorization, 7, authorization.len));
        ex->bearer = true;
    } else {
        ex->rq.session_token = cookie_find(cookies, cookie_name(ex->app, "yz_session", ex->arena));
    }
}

static void read_choices(Exchange *ex) {
    Request *rq = &ex->rq;
    const Str cookies = exchange_header(ex, S("Cookie"));
    const Str asked = v_text(v_get(rq->query, S("lang")));
    const Str kept = cookie_find(cookies, S("yz_lang"));
    if (str_eq(asked, S("zh")) || str_eq(asked, S("en"))) rq->lang = ex->set_lang = asked;
    else if (str_eq(kept, S("zh")) || str_eq(kept, S("en"))) rq->lang = kept;
    else rq->lang = preferred_language(exchange_header(ex, S("Accept-Language")));
    const Str large = v_text(v_get(rq->query, S("large")));
    if (str_eq(large, S("0")) || str_eq(large, S("1"))) {
        ex->set_large = large;
        rq->large_type = str_eq(large, S("1"));
    } else {
        rq->large_type = str_eq(cookie_find(cookies, S("yz_large")), S("1"));
    }
}

// ---- target and route ------------------------------------------------------------------------

static bool read_target(Exchange *ex) {
    Request *rq = &ex->rq;
    Error err;
    Str rest = ex->target;
    const Str raw_path = str_cut(&rest, '?');
    rq->target = ex->target;
    rq->query = v_null();
    if (!path_decode(raw_path, ex->arena, &rq->path)) {
        rq->path = S("/");
        (void)error_set(&err, INVALID, S(""), "地址有误");
        exchange_refuse(ex, 400, &err);
        return false;
    }
    if (rest.ptr && urlencoded_parse(rest, ex->arena, &rq->query, &err) != OK) {
        rq->query = v_null();
        exchange_refuse(ex, 400, &err);
        return false;
    }
    return true;
}

static void find_route(Exchange *ex) {
    Request *rq = &ex->rq;
    Error err;
    Method method;
    if (str_starts(rq->path, S("/assets/"))) {
        ex->asset = str_sub(rq->path, 8, rq->path.len);
    } else if (str_ends(rq->path, S(".json"))) {
        rq->path.len -= JSON_SUFFIX_LEN;
        rq->wants_json = true;
    }
    const bool known = method_parse(ex->method_text, &method);
    rq->method = known ? method : METHOD_POST;
    RouteMatch match = router_find(ex->app->web->router, rq->method, rq->path);
    if (ex->asset.ptr) match = (RouteMatch){.methods = 1u << METHOD_GET | 1u << METHOD_HEAD};
    ex->methods = match.methods;
    memcpy(rq->params, match.params, sizeof rq->params);
    const bool taken = ex->asset.ptr ? (match.methods & (1u << rq->method)) != 0
                                     : match.route != NULL;
    if (known && taken) {
        ex->route = match.route;
    } else if (match.methods == 0) {
        (void)error_set(&err, NOT_FOUND, S(""), "没有这个页面，请检查地址");
        exchange_refuse(ex, 404, &err);
    } else {
        (void)error_set(&err, INVALID, S(""), "这个地址不支持这种请求方法");
        exchange_refuse(ex, 405, &err);
    }
}

// ---- body ------------------------------------------------------------------------------------

static void plan_body(Exchange *ex, int64_t length) {
    Error err;
    BodyKind kind = BODY_NONE;
    Str boundary = S("");
    if (length == 0 || ex->refused) return;
    const bool writes = ex->rq.method == METHOD_POST || ex->rq.method == METHOD_PUT ||
                        ex->rq.method == METHOD_DELETE;
    if (!writes) {
        (void)error_set(&err, INVALID, S(""), "这种请求不能带内容");
        exchange_refuse(ex, 400, &err);
        return;
    }
    if (!body_kind(exchange_header(ex, S("Content-Type")), &kind, &boundary) ||
        (kind == BODY_MULTIPART && !ex->route->upload)) {
        (void)error_set(&err, INVALID, S(""), "不支持这种类型的提交内容");
        exchange_refuse(ex, 415, &err);
        return;
    }
    const int64_t max = kind == BODY_MULTIPART ? (int64_t)HTTP_UPLOADS_BYTES_MAX + HTTP_BODY_MAX
                                               : (int64_t)HTTP_BODY_MAX;
    if (length > max) {
        (void)error_set(&err, LIMIT, S(""), "提交的内容太大");
        exchange_refuse(ex, 413, &err);
        return;
    }
    ex->body_kind = kind;
    ex->rq.is_json = kind == BODY_JSON;
    if (ex->rq.is_json) ex->rq.wants_json = true; // who sends JSON reads JSON
    ex->body = body_create(kind, boundary, ex->app->data_dir, ex->arena);
}

void exchange_init(Exchange *ex, App *app, Arena *a) {
    *ex = (Exchange){.app = app, .arena = a, .out_fd = -1, .started_us = clock_monotonic_us()};
    ex->rq.arena = a;
    ex->rq.app = app;
    ex->rq.lang = S("zh");
    ex->rq.actor = actor_public;
    ex->rq.query = v_null();
    ex->rq.input = v_null();
}

void exchange_begin(Exchange *ex, int64_t content_length) {
    ex->rq.now = ex->forced_now ? ex->forced_now : clock_now();
    read_address(ex);
    read_host(ex);
    read_session(ex);
    ex->rq.wants_json = json_preferred(exchange_header(ex, S("Accept")));
    ex->rq.htmx = str_eq(exchange_header(ex, S("HX-Request")), S("true"));
    const bool readable = read_target(ex);
    read_choices(ex);
    if (readable) find_route(ex);
    plan_body(ex, content_length);
}
