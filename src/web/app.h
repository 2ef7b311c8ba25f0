// The running program: what every request needs, made once at start, immutable or thread-safe.
#pragma once

#include "web/http.h"
#include "trail/log.h"

// Marks a Chinese text that a user will read, so that tools/i18n-check asks for its English.
#ifndef T
#define T(text) ("" text)
#endif

// An entry of the main navigation, shown to who has one of the roles (ROLE_PUBLIC: everybody).
typedef struct NavItem {
    const char *href;
    const char *label; // T("…")
    unsigned roles;
} NavItem;

struct App {
    Store *store;
    Str data_dir;
    TrailKey *key;
    TemplateSet *templates;
    void *english;          // catalog of translations zh -> en for `translate`
    Translate translate;
    Str county;             // 县名, from the setting
    // "https://zw.example.gov.cn", for QR codes; from --url or the listen address
    Str public_url;
    bool secure_cookies;    // public_url is https
    const Route *const *route_tables; // NULL-terminated
    const size_t *route_counts;
    const NavItem *nav;     // may be NULL
    size_t nav_count;
    Str version;
    // More gauges for /metrics, in Prometheus' text, by whoever knows the records; may be NULL
    Status (*gauges)(Db *db, Buf *out, Error *err);
    // How many records wait for the actor behind an entry of the navigation, 0 for none, by whoever
    // knows the records; may be NULL
    Status (*waiting)(Db *db, const Actor *actor, Str href, int64_t *ret, Error *err);
    bool dev;               // templates and assets are read from ./ui on every request
    // private to web/: router, assets, csrf key, counters; made by app_prepare
    struct Web *web;
};

// Call once after the fields above are set, before http_start or http_simulate: loads templates
// and translations unless they are, checks the routes (a pattern twice, an unknown command:
// BROKEN), reads or makes DATA/keys/web.key (signs visitors' form tokens; the nodes of one county
// share it). All lives in `a`.
MUST_USE Status app_prepare(App *app, Arena *a, Error *err);
void app_release(App *app); // locks and caches, at the end

typedef struct HttpOptions {
    Str address;  // "127.0.0.1"
    uint16_t port;
    unsigned pool_threads;   // 0: 64
    Str trusted_proxies;     // comma list of addresses whose X-Forwarded-* count
} HttpOptions;

// ui/pages, ui/parts, ui/i18n from the binary
MUST_USE Status app_load_templates(App *app, Arena *a, Error *err);
MUST_USE Status http_start(App *app, const HttpOptions *o, Http **ret, Error *err);
uint16_t http_port(const Http *h); // the one listened on, also when 0 was asked for
// Stops accepting, lets what runs finish (at most `grace_ms`), closes.
void http_stop(Http *h, int grace_ms);
// One request without a socket: for tests, benchmarks and the table of rights. `raw` is a whole
// HTTP/1.1 request head and body; the reply is the bytes that would be sent.
MUST_USE Status http_simulate(App *app, Str raw, Str address, Instant now, Arena *a,
                              Str *ret_reply, Error *err);

// Templates are named by their path below ui/pages or ui/parts without ".html": "case/show",
// "head". Renders a model as the page would be sent: adds what every page needs to the model:
//   lang "zh"|"en", lang_other, lang_href (this page in the other language), large (bool),
//   large_href
//   user null | {name, account_id, party_id, unit_id, roles: ["clerk"…], role_names: ["窗口人员"…],
//        must_change, unread (messages, at most UNREAD_MAX), is: {clerk: true …}} (every role code
//        is a member of `is`)
//   csrf for <input type="hidden" name="_csrf" value="{{csrf}}">, path, target, public_url, county,
//   version
//   now (date and time), nav [{href, label (translated), active}]
//   assets {app_css: "/assets/app.css?v=…", app_js: …}: every file of ui/dist, other characters
//   than letters and digits as '_'
// What the model itself says wins.
MUST_USE Status app_render(App *app, Request *rq, Str template_name, Value model, Buf *out,
                           Error *err);
// Runs `command` with `input` as rq->actor and waits for its commit; rq->db is another afterwards.
MUST_USE Status request_command(Request *rq, Str command, Value input, Value *ret, Errors *errs);
void reply_redirect(Reply *reply, Str location);

// A member of the form or of the query, trimmed; "" when absent or not a string.
Str request_text(const Request *rq, Str name);
Str request_query(const Request *rq, Str name);
// The Set-Cookie value that logs in with this token, or logs out with an empty one.
Str app_session_cookie(const App *app, Str token, Arena *a);
// The text in the language of the request.
Str request_tr(const Request *rq, const char *zh);

// Work beside the requests: `fn` runs every interval on a thread of its own from
// app_background_start to app_background_stop; a failure is logged and tried again at the next
// interval. Register before starting.
enum { BACKGROUND_MAX = 16 };
typedef Status (*BackgroundFn)(App *app, void *ctx, Instant now, Error *err);
void app_background(App *app, const char *name, BackgroundFn fn, void *ctx, int interval_ms);
MUST_USE Status app_background_start(App *app, Error *err);
void app_background_stop(App *app); // waits for what runs
