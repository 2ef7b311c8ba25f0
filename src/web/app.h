// The running program: what every request needs, made once at start, immutable or thread-safe.
#pragma once

#include "web/http.h"
#include "trail/log.h"

struct App {
    Store *store;
    Str data_dir;
    TrailKey *key;
    TemplateSet *templates;
    void *english;          // catalog of translations zh -> en for `translate`
    Translate translate;
    Str county;             // 县名, from the setting
    Str public_url;         // "https://zw.example.gov.cn", for QR codes; from --url or the listen address
    bool secure_cookies;    // public_url is https
    const Route *const *route_tables; // NULL-terminated
    const size_t *route_counts;
    bool dev;               // templates and assets are read from ./ui on every request
};

typedef struct HttpOptions {
    Str address;  // "127.0.0.1"
    uint16_t port;
    unsigned pool_threads;   // 0: 64
    Str trusted_proxies;     // comma list of addresses whose X-Forwarded-* count
} HttpOptions;

MUST_USE Status app_load_templates(App *app, Arena *a, Error *err); // ui/pages, ui/parts, ui/i18n from the binary
MUST_USE Status http_start(App *app, const HttpOptions *o, Http **ret, Error *err);
// Stops accepting, lets what runs finish (at most `grace_ms`), closes.
void http_stop(Http *h, int grace_ms);
// One request without a socket: for tests, benchmarks and the table of rights. `raw` is a whole HTTP/1.1 request head
// and body; the reply is the bytes that would be sent.
MUST_USE Status http_simulate(App *app, Str raw, Str address, Instant now, Arena *a, Str *ret_reply, Error *err);

// Renders a model as the page would be sent: adds what every page needs to the model:
// {"lang","lang_other","large","user":{name,roles…}|null,"csrf","path","target","county","now","nav":[…]}.
MUST_USE Status app_render(App *app, Request *rq, Str template_name, Value model, Buf *out, Error *err);
// For a POST route: runs `command` with rq->input (as rq->actor) and waits for its commit.
MUST_USE Status request_command(Request *rq, Str command, Value input, Value *ret, Errors *errs);
void reply_redirect(Reply *reply, Str location);
