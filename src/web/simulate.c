// One request from a string to a string, through the gate and everything else but the sockets: for
// tests, benchmarks and the table of rights.
#include "web/exchange.h"
#include "web/gate.h"

#include <errno.h>
#include <unistd.h>

enum { REPLY_MAX = 64 << 20 };

typedef struct Parsed {
    Str body;
    int64_t length; // of the body; -1: chunked
} Parsed;

// The gate has passed it, so every line ends in CR LF and every header has its colon.
static Parsed parse_head(Exchange *ex, Str raw) {
    const ptrdiff_t end = str_find(raw, S("\r\n\r\n"));
    Parsed p = {.body = str_sub(raw, (size_t)end + 4, raw.len)};
    Str rest = str_sub(raw, 0, (size_t)end);
    Str line = str_cut(&rest, '\n');
    ex->method_text = str_cut(&line, ' ');
    ex->target = str_cut(&line, ' ');
    while (rest.ptr) {
        Str value = str_trim(str_cut(&rest, '\n'));
        const Str name = str_cut(&value, ':');
        if (ex->headers_count >= EXCHANGE_HEADERS_MAX) break;
        value = str_trim(value);
        ex->headers[ex->headers_count++] = (HttpHeader){name, value};
        if (str_eq_nocase(name, S("content-length"))) (void)!str_to_int(value, &p.length);
        if (str_eq_nocase(name, S("transfer-encoding"))) p.length = -1;
    }
    return p;
}

static void feed_chunks(Exchange *ex, Str body) {
    for (;;) {
        const ptrdiff_t end = str_find(body, S("\r\n"));
        if (end < 0) return;
        size_t size = 0;
        for (ptrdiff_t i = 0; i < end; i++) {
            const char c = body.ptr[i];
            size = size * 16 + (size_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
        }
        if (size == 0) return;
        exchange_body(ex, str_sub(body, (size_t)end + 2, (size_t)end + 2 + size));
        body = str_sub(body, (size_t)end + 2 + size + 2, body.len);
    }
}

static void append_file(const Exchange *ex, Buf *out) {
    char piece[16 << 10];
    ssize_t n;
    while ((n = read(ex->out_fd, piece, sizeof piece)) != 0) {
        if (n < 0 && errno != EINTR) break;
        if (n > 0) buf_bytes(out, piece, (size_t)n);
    }
    (void)close(ex->out_fd);
}

static Str write_reply(const Exchange *ex, Arena *a) {
    Buf out = buf_make(a, 4096 + ex->out_body.len, REPLY_MAX);
    buf_printf(&out, "HTTP/1.1 %d\r\n", ex->status);
    for (size_t i = 0; i < ex->out_count; i++) {
        buf_str(&out, ex->out[i].name);
        buf_lit(&out, ": ");
        buf_str(&out, ex->out[i].value);
        buf_lit(&out, "\r\n");
    }
    buf_printf(&out, "Content-Length: %lld\r\n\r\n", (long long)ex->out_size);
    if (ex->out_fd >= 0) append_file(ex, &out);
    else if (ex->rq.method != METHOD_HEAD) buf_str(&out, ex->out_body);
    return buf_view(&out);
}

Status exchange_simulate(App *app, Str raw, Str address, const Actor *actor, Instant now, Arena *a,
                         Str *ret_reply, Error *err) {
    Gate gate;
    size_t passed;
    gate_init(&gate);
    if (gate_feed(&gate, raw, &passed) == GATE_REFUSE) {
        *ret_reply = S("HTTP/1.1 400\r\nContent-Length: 0\r\n\r\n");
        return OK;
    }
    if (!gate_idle(&gate)) return error_set(err, INVALID, S(""), "请求不完整");
    Exchange *ex = arena_new(a, Exchange);
    exchange_init(ex, app, a);
    ex->peer = address;
    ex->forced_now = now;
    ex->actor_given = actor;
    const Parsed p = parse_head(ex, raw);
    exchange_begin(ex, p.length);
    if (p.length < 0) feed_chunks(ex, p.body);
    else exchange_body(ex, p.body);
    exchange_run(ex);
    *ret_reply = write_reply(ex, a);
    exchange_end(ex);
    return OK;
}

Status http_simulate(App *app, Str raw, Str address, Instant now, Arena *a, Str *ret_reply,
                     Error *err) {
    return exchange_simulate(app, raw, address, NULL, now, a, ret_reply, err);
}
