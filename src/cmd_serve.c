// yizhan serve: the web site and the work beside it (sealing, timers), until SIGTERM or SIGINT. A
// signal stops the taking in; what runs is answered, then everything is closed in order.
#include "house.h"

#include "base/embed.h"
#include "base/log.h"
#include "pages/pages.h"
#include "pages/routes.h"
#include "value/json.h"
#include "web/app.h"

#include <signal.h>
#include <stdio.h>

enum {
    SEAL_SECONDS_DEFAULT = 10,
    TIMER_INTERVAL_MS = 5000,
    STOP_GRACE_MS = 10000,
    SECONDS_MAX = 86400,
    SERVE_MEMORY_MAX = 256 << 20,
};

typedef struct Serve {
    Str data, db, listen, url, proxies, threads, seal_seconds;
    bool dev, quiet;
    HttpOptions http;
    int64_t seal_s;
} Serve;

static bool read_number(Str text, int64_t min, int64_t max, int64_t *ret) {
    int64_t n;
    if (!str_to_int(text, &n) || n < min || n > max) return false;
    *ret = n;
    return true;
}

// "127.0.0.1:8080", "[::1]:8080", "localhost:0"
static bool read_listen(Serve *s) {
    Str text = s->listen.len ? s->listen : S("127.0.0.1:8080");
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':') colon--;
    int64_t port;
    if (colon == 0 || !read_number(str_sub(text, colon, text.len), 0, 65535, &port)) return false;
    Str address = str_sub(text, 0, colon - 1);
    if (str_starts(address, S("[")) && str_ends(address, S("]"))) {
        address = str_sub(address, 1, address.len - 1);
    }
    s->http.address = str_eq(address, S("localhost")) ? S("127.0.0.1") : address;
    s->http.port = (uint16_t)port;
    return true;
}

static int read_options(Serve *s, int argc, char **argv) {
    const Option options[] = {
        OPTION_DATA(&s->data),
        OPTION_DB(&s->db),
        {"--listen", "ADDRESS:PORT", T("监听的地址和端口（默认 127.0.0.1:8080）"), &s->listen, NULL},
        {"--url", "URL", T("对外的网址，如 https://zw.example.gov.cn"), &s->url, NULL},
        {"--proxy", "ADDRESS,…", T("可信的反向代理地址，信任其 X-Forwarded-*"), &s->proxies, NULL},
        {"--threads", "N", T("处理请求的线程数（默认 64）"), &s->threads, NULL},
        {"--seal-seconds", "N", T("每隔多少秒封存留痕（默认 10）"), &s->seal_seconds, NULL},
        {"--quiet", NULL, T("不记录每个请求"), NULL, &s->quiet},
        {"--dev", NULL, T("每次请求都从 ./ui 读取页面模板"), NULL, &s->dev},
    };
    CommandLine line = {.usage = "yizhan serve [--data DIR] [--db URL] [--listen ADDRESS:PORT] …",
                        .about = T("启动网站。收到 SIGTERM 或 SIGINT 后答完在办的请求再退出。"),
                        .options = options,
                        .options_count = sizeof options / sizeof options[0]};
    const int code = options_parse(&line, argc, argv);
    if (code != OPTIONS_GO) return code;
    int64_t threads = 0;
    s->seal_s = SEAL_SECONDS_DEFAULT;
    if (!read_listen(s)) {
        cli_complain(T("--listen 应写成 ADDRESS:PORT，如 127.0.0.1:8080"));
        return EXIT_USAGE;
    }
    if ((s->threads.len && !read_number(s->threads, 1, 512, &threads)) ||
        (s->seal_seconds.len && !read_number(s->seal_seconds, 1, SECONDS_MAX, &s->seal_s))) {
        cli_complain(T("--threads 和 --seal-seconds 应是正整数"));
        return EXIT_USAGE;
    }
    if (s->url.len && !str_starts(s->url, S("http://")) && !str_starts(s->url, S("https://"))) {
        cli_complain(T("--url 应以 http:// 或 https:// 开头"));
        return EXIT_USAGE;
    }
    while (str_ends(s->url, S("/"))) s->url.len--;
    s->http.pool_threads = (unsigned)threads;
    s->http.trusted_proxies = s->proxies;
    return OPTIONS_GO;
}

// ---- work beside the requests ----------------------------------------------------------------

static Status seal(App *app, void *ctx, Instant now, Error *err) {
    (void)ctx;
    uint64_t size;
    return trail_seal(app->store, app->key, now, &size, err);
}

static Status run_timers(App *app, void *ctx, Instant now, Error *err) {
    int64_t done;
    return case_run_due(ctx, app->store, now, &done, err);
}

// ---- what is printed when ready --------------------------------------------------------------

static Status print_demo_accounts(const House *h, Arena *a, Error *err) {
    Db *db;
    Str demo;
    Status status = store_read(h->store, &db, err);
    if (status != OK) return status;
    status = house_setting(db, S("demo"), a, &demo, err);
    store_release(db);
    const EmbeddedFile *people = embed_find(S("county/people.json"));
    if (status != OK || !str_eq(demo, S("1")) || !people) return status;
    Value county;
    status = json_parse(people->data, JSON_STRICT, (JsonLimits){0}, a, &county, err);
    if (status != OK) return status;
    const Value accounts = v_get_lit(county, "accounts");
    cli_say(T("演示账号（登录名 / 密码 / 角色 / 姓名）："));
    for (size_t i = 0; i < accounts.len; i++) {
        const Value one = v_at(accounts, i);
        const Str role = v_text(v_at(v_get_lit(one, "roles"), 0));
        const unsigned bit = role_by_code(role);
        const Str name = bit ? role_name((Role)bit) : role;
        Buf line = buf_make(a, 128, 4096);
        buf_printf(&line, "  %-12.*s %.*s  %.*s  %.*s", S_FMT(v_text(v_get_lit(one, "login"))),
                   S_FMT(v_text(v_get_lit(one, "password"))),
                   S_FMT(cli_text(arena_cstr(a, name))), S_FMT(v_text(v_get_lit(one, "name"))));
        cli_say("{1}", buf_view(&line));
    }
    return OK;
}

static void print_address(const Serve *s, const Http *http, Arena *a) {
    const bool six = str_find(s->http.address, S(":")) >= 0;
    const bool everywhere = str_eq(s->http.address, S("0.0.0.0")) ||
                            str_eq(s->http.address, S("127.0.0.1"));
    const Str host = everywhere ? S("localhost") : s->http.address;
    cli_say(T("网站已启动：{1}"),
            arena_printf(a, "http://%s%.*s%s:%u", six ? "[" : "", S_FMT(host), six ? "]" : "",
                         (unsigned)http_port(http)));
}

// ---- start and stop --------------------------------------------------------------------------

static void wait_for_stop(const sigset_t *signals) {
    for (;;) {
        int signal = 0;
        if (sigwait(signals, &signal) != 0) return;
        if (signal == SIGHUP) continue; // a closed terminal is no reason to stop
        log_line(LOG_INFO, "stopping", LOG_I("signal", signal));
        return;
    }
}

static Status serve(const Serve *s, House *h, App *app, const sigset_t *signals, Error *err) {
    Http *http = NULL;
    Arena *a = h->arena;
    Status status = app_prepare(app, a, err);
    if (status != OK) return status;
    app_background(app, "seal", seal, NULL, (int)s->seal_s * 1000);
    app_background(app, "timers", run_timers, h->cases, TIMER_INTERVAL_MS);
    status = pages_start(app, a, err);
    if (status == OK) status = http_start(app, &s->http, &http, err);
    if (status == OK) status = app_background_start(app, err);
    if (status == OK) {
        print_address(s, http, a);
        status = print_demo_accounts(h, a, err);
    }
    if (status == OK) wait_for_stop(signals);
    if (http) http_stop(http, STOP_GRACE_MS);
    app_background_stop(app);
    pages_stop();
    app_release(app);
    return status;
}

// The threads inherit the mask, so that signals come to sigwait and nowhere else.
static void block_signals(sigset_t *ret) {
    (void)sigemptyset(ret);
    (void)sigaddset(ret, SIGTERM);
    (void)sigaddset(ret, SIGINT);
    (void)sigaddset(ret, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, ret, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

int cmd_serve(int argc, char **argv) {
    Serve s = {0};
    const int code = read_options(&s, argc, argv);
    if (code != OPTIONS_GO) return code;
    sigset_t signals;
    block_signals(&signals);
    if (s.quiet) log_set_level(LOG_WARN);
    ARENA_AUTO a = arena_create(SERVE_MEMORY_MAX);
    // For links in letters when no --url is given.
    const Str own = arena_printf(a, "http://%.*s", S_FMT(s.listen.len ? s.listen
                                                                      : S("localhost:8080")));
    House house;
    Error err = {0};
    Status status = house_open(&(HouseOptions){.data = s.data, .db = s.db,
                                               .public_url = s.url.len ? s.url : own},
                               &house, &err);
    if (status != OK) return cli_error(&err);
    size_t nav_count = 0;
    const NavItem *nav = pages_nav(&nav_count);
    App app = {.store = house.store,
               .data_dir = house.data_dir,
               .key = house.key,
               .county = house.county,
               .public_url = s.url,
               .secure_cookies = str_starts(s.url, S("https://")),
               .route_tables = pages_route_tables(),
               .route_counts = pages_route_counts(),
               .nav = nav,
               .nav_count = nav_count,
               .dev = s.dev};
    status = serve(&s, &house, &app, &signals, &err);
    house_close(&house);
    return status == OK ? EXIT_DONE : cli_error(&err);
}
