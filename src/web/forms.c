// Against forged requests (CSRF), in two layers that must both hold:
//
// 1. where the request comes from: Sec-Fetch-Site, or else Origin, must be this site;
// 2. a token only our own pages know: the session's for who is logged in, for a visitor one that is
//    signed by us, kept in a cookie and repeated in the form (double submit).
//
// A request with `Authorization: Bearer` carries nothing a browser adds by itself, so it needs
// neither; nor does JSON without a session, because a foreign page can't send it unasked.
#include "web/exchange.h"

#include "base/crypto.h"

enum { TOKEN_BYTES = 16, SIGNATURE_HEX = 32 };

static Str sign(const Web *web, Str random, Arena *a) {
    const Hash h = hmac_sha256(str_of(web->form_key, sizeof web->form_key), random);
    return str_sub(hash_hex(&h, a), 0, SIGNATURE_HEX);
}

Str form_token_make(const Web *web, Arena *a) {
    const Str random = random_token(TOKEN_BYTES, a);
    return arena_concat(a, (Str[]){random, S("."), sign(web, random, a)}, 3);
}

bool form_token_valid(const Web *web, Str token) {
    if (token.len > 100) return false;
    Str rest = token;
    const Str random = str_cut(&rest, '.');
    if (!rest.ptr || random.len < TOKEN_BYTES) return false;
    const Hash h = hmac_sha256(str_of(web->form_key, sizeof web->form_key), random);
    char hex[SIGNATURE_HEX];
    for (size_t i = 0; i < SIGNATURE_HEX; i++) {
        const unsigned byte = h.bytes[i / 2];
        const unsigned nibble = (i % 2 ? byte : byte >> 4) & 15u;
        hex[i] = "0123456789abcdef"[nibble];
    }
    return str_eq_constant_time(rest, str_of(hex, sizeof hex));
}

Str cookie_find(Str cookies, Str name) {
    Str rest = cookies;
    if (rest.len == 0) return S("");
    while (rest.ptr) {
        Str value = str_trim(str_cut(&rest, ';'));
        const Str key = str_cut(&value, '=');
        if (value.ptr && str_eq(key, name)) return value;
    }
    return S("");
}

// The prefix __Host- binds a cookie to this host, this path and https; browsers take it only there.
Str cookie_name(const App *app, const char *base, Arena *a) {
    return app->secure_cookies ? arena_printf(a, "__Host-%s", base) : str_z(base);
}

Str app_session_cookie(const App *app, Str token, Arena *a) {
    return arena_printf(a, "%.*s=%.*s; Path=/; HttpOnly; SameSite=Lax%s%s",
                        S_FMT(cookie_name(app, "yz_session", a)), S_FMT(token),
                        app->secure_cookies ? "; Secure" : "", token.len ? "" : "; Max-Age=0");
}

// "https://host" of an Origin is ours when its host is the one asked for.
static bool same_origin(const Exchange *ex, Str origin) {
    if (str_eq(origin, ex->app->public_url)) return true;
    const ptrdiff_t at = str_find(origin, S("://"));
    if (at < 0) return false;
    const Str host = str_sub(origin, (size_t)at + 3, origin.len);
    return str_eq_nocase(host, exchange_header(ex, S("Host"))) || str_eq(origin, ex->rq.host);
}

static bool from_our_pages(const Exchange *ex) {
    const Str site = exchange_header(ex, S("Sec-Fetch-Site"));
    if (site.len) return str_eq(site, S("same-origin")) || str_eq(site, S("none"));
    const Str origin = exchange_header(ex, S("Origin"));
    return origin.len == 0 || same_origin(ex, origin);
}

bool csrf_ok(Exchange *ex, Error *err) {
    const Request *rq = &ex->rq;
    if (ex->bearer) return true;
    if (!from_our_pages(ex)) {
        (void)error_set(err, DENIED, S(""), "这次提交来自别的网站，没有受理");
        return false;
    }
    if (rq->is_json && !ex->has_session) return true;
    Str given = v_text(v_get(rq->input, S("_csrf")));
    if (given.len == 0) given = exchange_header(ex, S("X-CSRF-Token"));
    const bool known = ex->has_session || form_token_valid(ex->app->web, rq->csrf);
    if (!known || rq->csrf.len == 0 || !str_eq_constant_time(given, rq->csrf)) {
        (void)error_set(err, DENIED, S("_csrf"), "页面已过期，请刷新后重新提交");
        return false;
    }
    return true;
}
