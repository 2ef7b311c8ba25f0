// Exchange: one request and its answer, from the head to the bytes to be sent, without any socket.
// http.c drives it from libmicrohttpd, simulate.c from a string; both through the same steps:
//
//   exchange_begin   the head is complete      → which route, may there be a body, what kind
//   exchange_body    pieces of the body        (only when exchange_wants_body)
//   exchange_check   before files are taken in → session and rights (may wait for the database)
//   exchange_run     everything has arrived    → handler, page, headers (waits for the commit)
//   exchange_end     the answer was sent       → temporary files removed
#pragma once

#include "web/app.h"
#include "web/body.h"
#include "web/router.h"

#include <setjmp.h>
#include <stdatomic.h>

enum {
    EXCHANGE_HEADERS_MAX = 100,   // = GATE_HEADERS_MAX
    EXCHANGE_REPLY_HEADERS_MAX = 32,
    METRIC_STATUS_MAX = 600,
    METRIC_BUCKETS = 12,
};

typedef struct HttpHeader {
    Str name, value;
} HttpHeader;

typedef struct Exchange {
    Request rq; // first: the functions of app.h get from it to the Exchange
    App *app;
    Arena *arena;
    // the request as it came
    Str method_text, target;
    HttpHeader headers[EXCHANGE_HEADERS_MAX];
    size_t headers_count;
    Str peer;          // address of the other end of the socket
    bool from_proxy;   // the peer is one of the trusted proxies
    const Str *proxies;
    size_t proxies_count;
    Instant forced_now; // a simulated request's; 0: the time it is
    int64_t started_us;
    // what was made of it
    const Route *route;
    unsigned methods;
    Str asset;         // path below ui/dist; no route then
    bool bearer;       // the session came in Authorization
    bool has_session;  // and is valid
    bool checked;      // exchange_check was done
    bool body_too_large;
    const Actor *actor_given; // the test of rights: this actor instead of the session's
    Body *body;
    BodyKind body_kind;
    int refused;       // HTTP status with which it ends before any handler; 0: goes on
    Error refusal;
    Str form_cookie;   // a new visitor's token to be set; "" none
    Str set_lang, set_large; // asked for by ?lang= ?large=
    // the answer
    int status;
    Str why;               // of a failure of ours (BROKEN): for the log
    HttpHeader out[EXCHANGE_REPLY_HEADERS_MAX];
    size_t out_count;
    Str out_body;
    int out_fd;        // or a file; -1
    int64_t out_size;
    bool close;        // the connection must not be used again
} Exchange;

typedef struct Metrics {
    atomic_uint_least64_t by_status[METRIC_STATUS_MAX];
    atomic_uint_least64_t buckets[METRIC_BUCKETS];
    atomic_uint_least64_t us_sum, bytes_sum;
    atomic_uint_least64_t commands_ok, commands_refused;
    atomic_uint_least64_t queue_len; // requests waiting for a thread of the pool
    atomic_uint_least64_t active;
} Metrics;

typedef struct Web {
    Arena *arena;
    Router *router;
    struct Assets *assets;
    Value asset_links;  // {app_css: "/assets/app.css?v=…"}
    char form_key[32];  // signs visitors' form tokens
    Metrics metrics;
} Web;

// ---- steps (request.c, exchange.c) ----
void exchange_init(Exchange *ex, App *app, Arena *a);
// `method_text`, `target`, `headers`, `peer` are set. content_length: -1 when chunked.
void exchange_begin(Exchange *ex, int64_t content_length);
bool exchange_wants_body(const Exchange *ex);
void exchange_body(Exchange *ex, Str bytes);
void exchange_check(Exchange *ex);
void exchange_run(Exchange *ex);
void exchange_end(Exchange *ex); // logs and counts, too
Str exchange_header(const Exchange *ex, Str name); // the first of that name, "" when absent
void exchange_refuse(Exchange *ex, int http_status, const Error *why);

// ---- answers (reply.c) ----
void answer_reply(Exchange *ex, Reply *reply);
void answer_errors(Exchange *ex, int http_status, const Errors *errs);
// Without template, translation or arena: when even those fail.
void answer_plain(Exchange *ex, int http_status, Str text);
void answer_header(Exchange *ex, Str name, Str value);
int status_to_http(Status s, const Exchange *ex);
bool json_preferred(Str accept);

// As http_simulate, as `actor` (NULL: by session).
MUST_USE Status exchange_simulate(App *app, Str raw, Str address, const Actor *actor, Instant now,
                                  Arena *a, Str *ret_reply, Error *err);

// ---- pieces ----
Status app_render_in(Exchange *ex, Str template_name, Value model, Buf *out, Error *err);
MUST_USE Status assets_load(App *app, Arena *a, struct Assets **ret, Value *ret_links, Error *err);
void assets_free(struct Assets *assets);
void answer_asset(Exchange *ex);
Str mime_of(Str path);
bool accepts_gzip(const Exchange *ex);
bool gzip_bytes(Str in, int level, Arena *a, Str *ret); // false when it does not get smaller
// A visitor's form token (forms.c): "random.signature".
Str form_token_make(const Web *web, Arena *a);
bool form_token_valid(const Web *web, Str token);
// What of session and form a state-changing request must prove; fills the error when it does not.
bool csrf_ok(Exchange *ex, Error *err);
Str cookie_find(Str cookies, Str name);
Str cookie_name(const App *app, const char *base, Arena *a); // "__Host-yz_session" behind https
extern const Route web_routes[]; // /health, /metrics
extern const size_t web_routes_count;
