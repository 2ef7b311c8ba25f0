// room: web The way of a request without a socket: routes, rights, forms, languages, caching,
// uploads, errors.
#include "web/exchange.h"

#include "base/embed.h"
#include "base/file.h"
#include "value/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#define NOW ((Instant)1685494800000)
#define HOST "Host: a.example\r\n"

static struct {
    Arena *arena;
    Store *store;
    App app;
    char folder[64];
    Upload upload; // of the newest request
    Str uploaded;  // its content
    Str token;     // of a session
} f;

// ---- the site under test ---------------------------------------------------------------------

static Status get_home(Request *rq, Reply *reply, Errors *errs) {
    (void)errs;
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "hello", v_lit("<世界>"));
    context_put_lit(&b, "csrf_shown", v_str(rq->csrf));
    reply->template_name = S("test");
    reply->model = context_done(&b);
    reply->private_page = false;
    return OK;
}

static Status get_case(Request *rq, Reply *reply, Errors *errs) {
    if (str_eq(rq->params[0], S("none"))) {
        return errors_add(errs, NOT_FOUND, S("number"), "没有这个账号：{1}", rq->params[0]);
    }
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "number", v_str(rq->params[0]));
    context_put_lit(&b, "q", v_get_lit(rq->query, "q"));
    context_put_lit(&b, "lang", v_str(rq->lang));
    context_put_lit(&b, "address", v_str(rq->address));
    reply->model = context_done(&b);
    reply->body = rq->wants_json ? (Str){0} : rq->params[0];
    return OK;
}

static Status get_long(Request *rq, Reply *reply, Errors *errs) {
    (void)errs;
    char *text = arena_alloc_raw(rq->arena, 100000);
    memset(text, 'a', 100000);
    reply->body = str_of(text, 100000);
    return OK;
}

static Status get_endless(Request *rq, Reply *reply, Errors *errs) {
    (void)reply;
    for (int i = 0; i < 1000; i++) (void)arena_alloc(rq->arena, 1 << 20);
    return errors_add(errs, BROKEN, S(""), "请填写{1}", S("x")); // not reached: 1 GB
}

static Status post_form(Request *rq, Reply *reply, Errors *errs) {
    if (request_text(rq, S("name")).len == 0) {
        return errors_add(errs, INVALID, S("name"), "请填写{1}", S("姓名"));
    }
    reply->model = rq->input;
    reply_redirect(reply, S("/done?名=1"));
    return OK;
}

static Status post_upload(Request *rq, Reply *reply, Errors *errs) {
    Error err;
    if (rq->uploads_count != 1) return errors_add(errs, INVALID, S(""), "请填写{1}", S("f"));
    f.upload = rq->uploads[0];
    if (file_read(f.upload.path, 1 << 20, f.arena, &f.uploaded, &err) != OK) {
        return errors_push(errs, &err);
    }
    f.upload.path = arena_str(f.arena, f.upload.path);
    f.upload.hash = arena_str(f.arena, f.upload.hash);
    f.upload.file_name = arena_str(f.arena, f.upload.file_name);
    reply->body = S("taken");
    return OK;
}

static const Route routes[] = {
    {METHOD_GET, "/", ROLE_PUBLIC, get_home, NULL, false},
    {METHOD_GET, "/case/:number", ROLE_PUBLIC, get_case, NULL, false},
    {METHOD_GET, "/long", ROLE_PUBLIC, get_long, NULL, false},
    {METHOD_GET, "/endless", ROLE_PUBLIC, get_endless, NULL, false},
    {METHOD_GET, "/login", ROLE_PUBLIC, get_home, NULL, false},
    {METHOD_GET, "/desk", ROLE_CLERK | ROLE_APPROVER, get_home, NULL, false},
    {METHOD_POST, "/form", ROLE_PUBLIC, post_form, NULL, false},
    {METHOD_POST, "/upload", ROLE_PUBLIC, post_upload, NULL, true},
    {METHOD_POST, "/accounts/:login/lock", ROLE_SECADMIN, NULL, "account.lock", false},
};

static Status load_people(Tx *tx, void *arg, Errors *errs) {
    (void)arg;
    static const char people[] =
        "{\"units\":[{\"code\":\"U-1\",\"name\":\"办公室\",\"kind\":\"center\"}],"
        "\"accounts\":[{\"login\":\"clerk1\",\"name\":\"王窗口\",\"password\":\"correct-horse-9\","
        "\"roles\":[\"clerk\"],\"unit\":\"U-1\"}]}";
    Value county, report;
    Error err;
    Status status =
        json_parse(str_z(people), JSON_STRICT, (JsonLimits){0}, tx_arena(tx), &county, &err);
    if (status != OK) return errors_push(errs, &err);
    return people_load(tx, county, &report, errs);
}

static int fail_with(const char *what, const Error *err) {
    print_error("%s: %.*s\n", what, S_FMT(error_message(err, NULL, NULL, f.arena)));
    return 1;
}

static int setup(void **state) {
    (void)state;
    static const Route *const tables[] = {routes, NULL};
    static const size_t counts[] = {sizeof routes / sizeof routes[0]};
    Error err;
    f.arena = arena_create(512 << 20);
    (void)snprintf(f.folder, sizeof f.folder, "/tmp/yz-web-XXXXXX");
    if (!mkdtemp(f.folder)) return 1;
    const StoreOptions options = {.data_dir = str_z(f.folder), .create = true};
    if (store_open(&options, &f.store, &err) != OK) return fail_with("store", &err);
    people_register();
    Errors errs = errors_make(f.arena);
    if (store_write(f.store, load_people, NULL, f.arena, NOW, &errs) != OK) {
        return fail_with("people", &errs.items[0]);
    }
    TemplateSet *set = templates_create(f.arena);
    if (templates_add(
            set, S("test"), PAGE_HTML,
            S("<p>{{hello}} {{lang}} {{#if large}}large{{/if}} {{#if user}}"
              "{{user.name}} {{user.is.clerk}}{{/if}} {{lang_href}}</p><i>{{csrf_shown}}</i>"),
            &err) != OK ||
        templates_link(set, &err) != OK) {
        return fail_with("templates", &err);
    }
    f.app = (App){.store = f.store, .data_dir = str_z(f.folder), .templates = set,
                  .county = S("象山县"), .route_tables = tables, .route_counts = counts};
    if (dir_make(path_join(f.arena, str_z(f.folder), S("tmp")), 0700, f.arena, &err) != OK ||
        app_prepare(&f.app, f.arena, &err) != OK) {
        return fail_with("app", &err);
    }
    if (session_login(f.store, S("clerk1"), S("correct-horse-9"), S("127.0.0.1"), NOW, f.arena,
                      &f.token, &err) != OK) {
        return fail_with("login", &err);
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    app_release(&f.app);
    store_close(f.store);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", f.folder);
    const int gone = system(command);
    arena_free(f.arena);
    return gone;
}

// ---- asking ----------------------------------------------------------------------------------

static Str ask_as(const Actor *actor, const char *head, Str body) {
    Str reply;
    Error err;
    const Str raw = arena_concat(f.arena, (Str[]){str_z(head), body}, 2);
    const Status status = exchange_simulate(&f.app, raw, S("10.0.0.9"), actor, NOW, f.arena, &reply,
                                            &err);
    if (status != OK) fail_with("simulate", &err);
    assert_int_equal(status, OK);
    return reply;
}

static Str ask(const char *head) { return ask_as(NULL, head, S("")); }

static Str post(const char *path, const char *more, const char *type, Str body) {
    const Str head = arena_printf(f.arena, "POST %s HTTP/1.1\r\n" HOST "%sContent-Type: %s\r\n"
                                  "Content-Length: %zu\r\n\r\n", path, more, type, body.len);
    return ask_as(NULL, arena_cstr(f.arena, head), body);
}

static int status_of(Str reply) {
    int64_t n = 0;
    assert_true(str_to_int(str_sub(reply, 9, 12), &n));
    return (int)n;
}

static Str header_of(Str reply, const char *name) {
    Str rest = str_sub(reply, 0, (size_t)str_find(reply, S("\r\n\r\n")));
    while (rest.ptr) {
        Str line = str_trim(str_cut(&rest, '\n'));
        const Str key = str_cut(&line, ':');
        if (str_eq_nocase(key, str_z(name))) return str_trim(line);
    }
    return S("");
}

static Str body_of(Str reply) {
    return str_sub(reply, (size_t)str_find(reply, S("\r\n\r\n")) + 4, reply.len);
}

static bool has(Str text, const char *part) { return str_find(text, str_z(part)) >= 0; }

#define FORM "application/x-www-form-urlencoded"

// A visitor's token and the cookie that goes with it.
static Str visitor(Str *ret_cookie) {
    const Str reply = ask("GET / HTTP/1.1\r\n" HOST "\r\n");
    Str cookie = header_of(reply, "Set-Cookie");
    assert_true(str_starts(cookie, S("yz_form=")));
    cookie = str_cut(&cookie, ';');
    *ret_cookie = arena_printf(f.arena, "Cookie: %.*s\r\n", S_FMT(cookie));
    return str_sub(cookie, 8, cookie.len);
}

// ---- tests -----------------------------------------------------------------------------------

static void test_pages(void **state) {
    (void)state;
    Str reply = ask("GET / HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(status_of(reply), 200);
    assert_true(has(body_of(reply), "<p>&lt;世界&gt; zh"));
    assert_true(has(header_of(reply, "Content-Security-Policy"), "default-src 'none'"));
    assert_true(str_eq(header_of(reply, "X-Content-Type-Options"), S("nosniff")));
    assert_true(str_eq(header_of(reply, "Content-Type"), S("text/html; charset=utf-8")));
    reply = ask("HEAD / HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(status_of(reply), 200);
    assert_int_equal(body_of(reply).len, 0);
    assert_false(str_eq(header_of(reply, "Content-Length"), S("0")));
}

static void test_a_page_is_an_api(void **state) {
    (void)state;
    const char *ways[] = {"GET /case/7.json?q=x HTTP/1.1\r\n" HOST "\r\n",
                          "GET /case/7?q=x HTTP/1.1\r\n" HOST "Accept: application/json\r\n\r\n"};
    for (size_t i = 0; i < 2; i++) {
        const Str reply = ask(ways[i]);
        assert_int_equal(status_of(reply), 200);
        assert_true(str_eq(body_of(reply), S("{\"number\":\"7\",\"q\":\"x\",\"lang\":\"zh\","
                                             "\"address\":\"10.0.0.9\"}")));
    }
    const Str html = ask("GET /case/7 HTTP/1.1\r\n" HOST
                         "Accept: text/html,application/json;q=0.9\r\n\r\n");
    assert_true(str_eq(body_of(html), S("7")));
}

static void test_nowhere(void **state) {
    (void)state;
    Str reply = ask("GET /nowhere HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(status_of(reply), 404);
    reply = ask("GET /nowhere.json HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(status_of(reply), 404);
    assert_true(has(body_of(reply), "{\"errors\":[{\"status\":\"not_found\",\"where\":\"\""));
    reply = ask("DELETE /case/7 HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(status_of(reply), 405);
    assert_true(str_eq(header_of(reply, "Allow"), S("GET, HEAD")));
    assert_int_equal(status_of(ask("BREW / HTTP/1.1\r\n" HOST "\r\n")), 405);
    assert_int_equal(status_of(ask("GET /../etc HTTP/1.1\r\n" HOST "\r\n")), 400);
    assert_int_equal(status_of(ask("GET /?a=%zz HTTP/1.1\r\n" HOST "\r\n")), 400);
    assert_int_equal(status_of(ask("GET /case/none HTTP/1.1\r\n" HOST "\r\n")), 404);
    assert_int_equal(status_of(ask("GET / HTTP/1.1\r\n\r\n")), 400); // the gate
}

static void test_rights(void **state) {
    (void)state;
    Str reply = ask("GET /desk HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(status_of(reply), 303);
    assert_true(str_eq(header_of(reply, "Location"), S("/login?next=%2Fdesk")));
    assert_int_equal(status_of(ask("GET /desk.json HTTP/1.1\r\n" HOST "\r\n")), 401);
    const Actor citizen = {.account_id = 9, .roles = ROLE_CITIZEN, .name = S("张三")};
    const Actor clerk = {.account_id = 8, .roles = ROLE_CLERK, .name = S("李四")};
    reply = ask_as(&citizen, "GET /desk HTTP/1.1\r\n" HOST "\r\n", S(""));
    assert_int_equal(status_of(reply), 403);
    reply = ask_as(&clerk, "GET /desk HTTP/1.1\r\n" HOST "\r\n", S(""));
    assert_int_equal(status_of(reply), 200);
    assert_true(has(reply, "李四 true"));
    assert_int_equal(status_of(ask("GET /metrics.json HTTP/1.1\r\n" HOST "\r\n")), 401);
}

static void test_sessions(void **state) {
    (void)state;
    const Str with_cookie = arena_printf(f.arena, "GET /desk HTTP/1.1\r\n" HOST
                                         "Cookie: a=b; yz_session=%.*s\r\n\r\n", S_FMT(f.token));
    const Str with_bearer = arena_printf(f.arena, "GET /desk HTTP/1.1\r\n" HOST
                                         "Authorization: Bearer %.*s\r\n\r\n", S_FMT(f.token));
    assert_int_equal(status_of(ask(arena_cstr(f.arena, with_cookie))), 200);
    assert_int_equal(status_of(ask(arena_cstr(f.arena, with_bearer))), 200);
    assert_int_equal(
        status_of(ask("GET /desk.json HTTP/1.1\r\n" HOST "Cookie: yz_session=x\r\n\r\n")), 401);
    const Str cookie = app_session_cookie(&f.app, S("tok"), f.arena);
    assert_true(str_eq(cookie, S("yz_session=tok; Path=/; HttpOnly; SameSite=Lax")));
    const App https = {.secure_cookies = true};
    assert_true(str_eq(app_session_cookie(&https, S("tok"), f.arena),
                       S("__Host-yz_session=tok; Path=/; HttpOnly; SameSite=Lax; Secure")));
    assert_true(str_ends(app_session_cookie(&f.app, S(""), f.arena), S("; Max-Age=0")));
}

static void test_forged_forms(void **state) {
    (void)state;
    Str cookie;
    const Str token = visitor(&cookie);
    const char *c = arena_cstr(f.arena, cookie);
    const Str good = arena_printf(f.arena, "name=x&_csrf=%.*s", S_FMT(token));
    assert_int_equal(status_of(post("/form", c, FORM, good)), 303);
    assert_int_equal(status_of(post("/form", c, FORM, S("name=x"))), 403);
    assert_int_equal(status_of(post("/form", c, FORM, S("name=x&_csrf="))), 403);
    assert_int_equal(status_of(post("/form", "", FORM, good)), 403);
    assert_int_equal(
        status_of(post("/form", "Cookie: yz_form=a.b\r\n", FORM, S("name=x&_csrf=a.b"))), 403);
    const Str foreign = arena_printf(f.arena, "%sOrigin: https://evil.example\r\n", c);
    assert_int_equal(status_of(post("/form", arena_cstr(f.arena, foreign), FORM, good)), 403);
    const Str site = arena_printf(f.arena, "%sSec-Fetch-Site: same-site\r\n", c);
    assert_int_equal(status_of(post("/form", arena_cstr(f.arena, site), FORM, good)), 403);
    const Str own = arena_printf(f.arena, "%sOrigin: http://a.example\r\n", c);
    assert_int_equal(status_of(post("/form", arena_cstr(f.arena, own), FORM, good)), 303);
}

static void test_forged_forms_of_a_session(void **state) {
    (void)state;
    Actor actor;
    Str csrf;
    Error err;
    Db *db;
    assert_int_equal(store_read(f.store, &db, &err), OK);
    assert_int_equal(session_actor(db, f.token, NOW, f.arena, &actor, &csrf, &err), OK);
    store_release(db);
    const char *c = arena_cstr(f.arena, arena_printf(f.arena, "Cookie: yz_session=%.*s\r\n",
                                                     S_FMT(f.token)));
    const Str good = arena_printf(f.arena, "name=x&_csrf=%.*s", S_FMT(csrf));
    assert_int_equal(status_of(post("/form", c, FORM, good)), 303);
    assert_int_equal(status_of(post("/form", c, FORM, S("name=x"))), 403);
    // A visitor's token does not do for a session.
    Str cookie;
    const Str token = visitor(&cookie);
    const Str other = arena_printf(f.arena, "name=x&_csrf=%.*s", S_FMT(token));
    assert_int_equal(status_of(post("/form", c, FORM, other)), 403);
    const char *bearer = arena_cstr(
        f.arena, arena_printf(f.arena, "Authorization: Bearer %.*s\r\n", S_FMT(f.token)));
    assert_int_equal(status_of(post("/form", bearer, "application/json", S("{\"name\":\"x\"}"))),
                     200);
    assert_int_equal(status_of(post("/form", c, "application/json", S("{\"name\":\"x\"}"))), 403);
    assert_int_equal(status_of(post("/form", "", "application/json", S("{\"name\":\"x\"}"))), 200);
}

static void test_bodies(void **state) {
    (void)state;
    const char *json = "application/json; charset=utf-8";
    Str reply = post("/form.json", "", json, S("{\"name\":\"中\",\"_csrf\":\"x\"}"));
    assert_int_equal(status_of(reply), 200);
    assert_true(str_eq(body_of(reply), S("{\"name\":\"中\",\"location\":\"/done?名=1\"}")));
    reply = post("/form", "", json, S("{\"name\":\"\"}"));
    assert_int_equal(status_of(reply), 422);
    assert_true(has(body_of(reply), "\"where\":\"name\",\"message\":\"请填写姓名\""));
    assert_int_equal(status_of(post("/form", "", json, S("{"))), 400);
    assert_int_equal(status_of(post("/form", "", json, S("[1]"))), 400);
    assert_int_equal(status_of(post("/form", "", "text/plain", S("x"))), 415);
    assert_int_equal(status_of(post("/form", "", "multipart/form-data; boundary=XX", S("--XX--"))),
                     415);
    const Str big = str_of(arena_alloc(f.arena, HTTP_BODY_MAX + 1), HTTP_BODY_MAX + 1);
    assert_int_equal(status_of(post("/form", "", FORM, big)), 413);
    assert_int_equal(status_of(ask("GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx")), 400);
    reply = ask("POST /form HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
                "Transfer-Encoding: chunked\r\n\r\n7\r\n{\"name\"\r\n5\r\n:\"x\"}\r\n0\r\n\r\n");
    assert_int_equal(status_of(reply), 200);
}

static void test_redirects(void **state) {
    (void)state;
    Str cookie;
    const Str token = visitor(&cookie);
    const Str good = arena_printf(f.arena, "name=x&_csrf=%.*s", S_FMT(token));
    const Str reply = post("/form", arena_cstr(f.arena, cookie), FORM, good);
    assert_int_equal(status_of(reply), 303);
    assert_true(str_eq(header_of(reply, "Location"), S("/done?%E5%90%8D=1")));
}

static Str multipart(Str token, Str content) {
    return arena_concat(f.arena,
                        (Str[]){S("--XX\r\nContent-Disposition: form-data; name=\"_csrf\"\r\n\r\n"),
                                token,
                                S("\r\n--XX\r\nContent-Disposition: form-data; name=\"f\"; "
                                  "filename=\"../../身份证.pdf\"\r\nContent-Type: application/pdf"
                                  "\r\n\r\n"),
                                content, S("\r\n--XX--\r\n")},
                        5);
}

static void test_uploads(void **state) {
    (void)state;
    Str cookie;
    const Str token = visitor(&cookie);
    const char *c = arena_cstr(f.arena, cookie);
    const char *type = "multipart/form-data; boundary=XX";
    const Str reply = post("/upload", c, type, multipart(token, S("abc")));
    assert_int_equal(status_of(reply), 200);
    assert_true(str_eq(f.uploaded, S("abc")));
    assert_true(str_eq(f.upload.file_name, S("身份证.pdf")));
    assert_int_equal(f.upload.size, 3);
    assert_true(str_eq(f.upload.hash, S("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
                                        "f20015ad")));
    assert_false(file_exists(f.upload.path, f.arena)); // removed with the request
    assert_int_equal(status_of(post("/upload", c, type, multipart(S("x"), S("abc")))), 403);
    assert_int_equal(status_of(post("/upload", c, type, S("--XX\r\nbroken"))), 400);
    Str *names;
    size_t count;
    Error err;
    assert_int_equal(
        dir_list(path_join(f.arena, str_z(f.folder), S("tmp")), f.arena, &names, &count, &err), OK);
    assert_int_equal(count, 0);
}

static void test_etag_and_gzip(void **state) {
    (void)state;
    const Str plain = ask("GET /long HTTP/1.1\r\n" HOST "\r\n");
    const Str etag = header_of(plain, "ETag");
    assert_true(str_starts(etag, S("W/\"")));
    const Str again = arena_printf(f.arena, "GET /long HTTP/1.1\r\n" HOST
                                   "If-None-Match: \"x\", %.*s\r\n\r\n", S_FMT(etag));
    const Str unchanged = ask(arena_cstr(f.arena, again));
    assert_int_equal(status_of(unchanged), 304);
    assert_int_equal(body_of(unchanged).len, 0);
    const Str packed = ask("GET /long HTTP/1.1\r\n" HOST "Accept-Encoding: br, gzip\r\n\r\n");
    assert_true(str_eq(header_of(packed, "Content-Encoding"), S("gzip")));
    assert_true(str_eq(header_of(packed, "ETag"), etag));
    const Str body = body_of(packed);
    assert_true(body.len < 1000);
    z_stream z = {.next_in = (Bytef *)(uintptr_t)body.ptr, .avail_in = (uInt)body.len};
    char *out = arena_alloc(f.arena, 200000);
    z.next_out = (Bytef *)out;
    z.avail_out = 200000;
    assert_int_equal(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_true(str_eq(str_of(out, z.total_out), body_of(plain)));
    (void)inflateEnd(&z);
    const Str refused = ask("GET /long HTTP/1.1\r\n" HOST "Accept-Encoding: gzip;q=0\r\n\r\n");
    assert_int_equal(header_of(refused, "Content-Encoding").len, 0);
}

static void test_languages_and_type(void **state) {
    (void)state;
    Str reply = ask("GET /?lang=en&a=%26 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(has(reply, "Set-Cookie: yz_lang=en;"));
    assert_true(has(body_of(reply), " en "));
    assert_true(has(body_of(reply), "/?a=%26&amp;lang=zh"));
    reply = ask("GET / HTTP/1.1\r\n" HOST "Cookie: yz_lang=en; yz_large=1\r\n\r\n");
    assert_true(has(body_of(reply), " en large"));
    reply = ask("GET / HTTP/1.1\r\n" HOST "Accept-Language: fr, en;q=0.8, zh;q=0.3\r\n\r\n");
    assert_true(has(body_of(reply), " en "));
    reply = ask("GET /?lang=xx HTTP/1.1\r\n" HOST "\r\n");
    assert_false(has(reply, "yz_lang"));
    reply = ask("GET /?large=1 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(has(reply, "Set-Cookie: yz_large=1;"));
}

static void test_proxies(void **state) {
    (void)state;
    const Str reply = ask("GET /case/7.json HTTP/1.1\r\n" HOST "X-Forwarded-For: 1.2.3.4\r\n\r\n");
    assert_true(has(body_of(reply), "\"address\":\"10.0.0.9\"")); // not trusted
}

static void test_memory_has_a_maximum(void **state) {
    (void)state;
    Str reply;
    Error err;
    Arena *small = arena_create(8 << 20);
    assert_int_equal(exchange_simulate(&f.app, S("GET /endless HTTP/1.1\r\n" HOST "\r\n"), S("::1"),
                                       NULL, NOW, small, &reply, &err), OK);
    assert_int_equal(status_of(reply), 500);
    arena_free(small);
    assert_int_equal(status_of(ask("GET / HTTP/1.1\r\n" HOST "\r\n")), 200);
}

static void test_commands_of_routes(void **state) {
    (void)state;
    const Actor guard = {.account_id = 5, .roles = ROLE_SECADMIN, .name = S("褚安全")};
    const Str done = ask_as(&guard, "POST /accounts/clerk1/lock.json HTTP/1.1\r\n" HOST
                            "Content-Length: 0\r\n\r\n", S(""));
    assert_int_equal(status_of(done), 200);
    const Str none = ask_as(&guard, "POST /accounts/nobody/lock.json HTTP/1.1\r\n" HOST
                            "Content-Length: 0\r\n\r\n", S(""));
    assert_int_equal(status_of(none), 404);
    const Actor clerk = {.account_id = 8, .roles = ROLE_CLERK, .name = S("李四")};
    const Str denied = ask_as(&clerk, "POST /accounts/clerk1/lock.json HTTP/1.1\r\n" HOST
                              "Content-Length: 0\r\n\r\n", S(""));
    assert_int_equal(status_of(denied), 403);
}

static void test_assets(void **state) {
    (void)state;
    const EmbeddedFile *css = embed_find(S("ui/dist/app.css"));
    if (!css) skip(); // the bundle was not made
    const Str head = arena_printf(f.arena, "GET /assets/app.css?v=%.*s HTTP/1.1\r\n" HOST
                                  "Accept-Encoding: gzip\r\n\r\n", S_FMT(css->etag));
    const Str reply = ask(arena_cstr(f.arena, head));
    assert_int_equal(status_of(reply), 200);
    assert_true(has(header_of(reply, "Cache-Control"), "immutable"));
    assert_true(str_eq(header_of(reply, "Content-Encoding"), S("gzip")));
    assert_true(str_starts(header_of(reply, "Content-Type"), S("text/css")));
    const Str old = ask("GET /assets/app.css?v=old HTTP/1.1\r\n" HOST "\r\n");
    assert_false(has(header_of(old, "Cache-Control"), "immutable"));
    assert_int_equal(status_of(ask("GET /assets/none.css HTTP/1.1\r\n" HOST "\r\n")), 404);
    assert_int_equal(status_of(post("/assets/app.css", "", FORM, S("a=b"))), 405);
}

static void test_health(void **state) {
    (void)state;
    const Str reply = ask("GET /health HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(status_of(reply), 200);
    assert_true(has(body_of(reply), "{\"status\":\"ok\",\"version\":"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_a_page_is_an_api),
        cmocka_unit_test(test_nowhere),
        cmocka_unit_test(test_rights),
        cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_forged_forms),
        cmocka_unit_test(test_forged_forms_of_a_session),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_uploads),
        cmocka_unit_test(test_etag_and_gzip),
        cmocka_unit_test(test_languages_and_type),
        cmocka_unit_test(test_proxies),
        cmocka_unit_test(test_memory_has_a_maximum),
        cmocka_unit_test(test_commands_of_routes),
        cmocka_unit_test(test_assets),
        cmocka_unit_test(test_health),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
