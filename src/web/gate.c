// The gate's state machine: one byte, one step. Invariants: after a refusal the state stays
// G_REFUSED; a step looks only at the byte and the Gate, so how the bytes were cut into pieces
// cannot change the verdict; bytes of a body are skipped by count, not looked at.
#include "web/gate.h"

typedef enum GateState {
    G_START,        // before the request line
    G_START_LF,     // one empty line before it is allowed (RFC 9112 2.2)
    G_METHOD,
    G_TARGET,
    G_VERSION,      // "HTTP/1.1", then CR
    G_LINE_LF,      // the LF of the request line
    G_HEADER_START, // first byte of a header line, or CR of the empty line
    G_NAME,
    G_VALUE,
    G_VALUE_LF,
    G_HEAD_LF,      // the LF of the empty line
    G_BODY,         // body_left bytes
    G_CHUNK_SIZE,
    G_CHUNK_LF,
    G_CHUNK_DATA,
    G_CHUNK_END_CR,
    G_CHUNK_END_LF,
    G_LAST_CR,      // the empty line after the last chunk; trailers are refused
    G_LAST_LF,
    G_REFUSED,
} GateState;

typedef enum GateFlag {
    GF_HOST = 1 << 0,
    GF_LENGTH = 1 << 1,
    GF_CODING = 1 << 2,
    GF_HTTP10 = 1 << 3,
    GF_VALUE_BEGUN = 1 << 4, // a byte that is not white space was seen in the value
    GF_VALUE_ENDED = 1 << 5, // white space after it: only more white space may follow
    GF_EMPTY_LINE = 1 << 6,  // the one empty line before a request was there
} GateFlag;

typedef enum GateHeader { GH_OTHER, GH_HOST, GH_LENGTH, GH_CODING } GateHeader;

void gate_init(Gate *g) { *g = (Gate){.state = G_START}; }

bool gate_idle(const Gate *g) { return g->state == G_START; }

static GateState refuse(Gate *g, const char *reason) {
    g->reason = reason;
    return G_REFUSED;
}

// ---- characters ------------------------------------------------------------------------------

static bool is_token(uint8_t c) { // tchar of RFC 9110 5.6.2
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
    return c != 0 && c < 128 && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static char lower(uint8_t c) { return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c); }

static bool is_host_char(uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
}

static int hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char l = lower(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

static Str window_of(const Gate *g) { return str_of(g->window, g->window_len); }

// Keeps a byte for comparison; what does not fit matches no word we know.
static void window_add(Gate *g, char c) {
    if (g->window_len < sizeof g->window) g->window[g->window_len++] = c;
}

// ---- request line ----------------------------------------------------------------------------

static GateState step_start(Gate *g, uint8_t c) {
    g->line_len = 0;
    g->head_len = 0;
    g->headers = 0;
    g->window_len = 0;
    g->body_left = 0;
    g->flags &= GF_EMPTY_LINE;
    if (c == '\r' && !(g->flags & GF_EMPTY_LINE)) return G_START_LF;
    if (!is_token(c)) return refuse(g, "a request must begin with its method");
    g->line_len = 1;
    g->head_len = 1;
    g->flags = 0;
    return G_METHOD;
}

static GateState step_method(Gate *g, uint8_t c) {
    if (c == ' ') {
        if (g->line_len > 20) return refuse(g, "method too long");
        g->window_len = 0;
        return G_TARGET;
    }
    return is_token(c) ? G_METHOD : refuse(g, "bad character in the method");
}

static GateState step_target(Gate *g, uint8_t c) {
    if (c == ' ') {
        if (g->window_len == 0) return refuse(g, "no request target");
        g->window_len = 0;
        return G_VERSION;
    }
    if (c < 0x21 || c == 0x7f) return refuse(g, "bad character in the request target");
    if (g->window_len == 0 && c != '/') return refuse(g, "request target is not a path");
    if (g->window_len == 0) window_add(g, (char)c);
    if (g->line_len > GATE_TARGET_MAX) return refuse(g, "request target too long");
    return G_TARGET;
}

static GateState step_version(Gate *g, uint8_t c) {
    if (c != '\r') {
        window_add(g, (char)c);
        return g->window_len <= 8 ? G_VERSION : refuse(g, "bad HTTP version");
    }
    if (str_eq(window_of(g), S("HTTP/1.0"))) g->flags |= GF_HTTP10;
    else if (!str_eq(window_of(g), S("HTTP/1.1"))) return refuse(g, "bad HTTP version");
    return G_LINE_LF;
}

// ---- headers ---------------------------------------------------------------------------------

static GateState step_header_start(Gate *g, uint8_t c) {
    if (c == '\r') return G_HEAD_LF;
    if (c == ' ' || c == '\t') return refuse(g, "folded header");
    if (!is_token(c)) return refuse(g, "bad character in a header name");
    if (++g->headers > GATE_HEADERS_MAX) return refuse(g, "too many headers");
    g->line_len = 1;
    g->window_len = 0;
    window_add(g, lower(c));
    return G_NAME;
}

static GateState end_name(Gate *g) {
    const Str name = window_of(g);
    g->header = GH_OTHER;
    g->flags &= (uint16_t) ~(GF_VALUE_BEGUN | GF_VALUE_ENDED);
    unsigned flag = 0;
    if (str_eq(name, S("host"))) {
        g->header = GH_HOST;
        flag = GF_HOST;
    } else if (str_eq(name, S("content-length"))) {
        g->header = GH_LENGTH;
        flag = GF_LENGTH;
        g->digits = 0;
    } else if (str_eq(name, S("transfer-encoding"))) {
        g->header = GH_CODING;
        flag = GF_CODING;
    }
    if (g->flags & flag) return refuse(g, "Host, Content-Length or Transfer-Encoding twice");
    g->flags |= (uint16_t)flag;
    g->window_len = 0;
    return G_VALUE;
}

static GateState step_name(Gate *g, uint8_t c) {
    if (c == ':') return end_name(g);
    if (c == ' ' || c == '\t') return refuse(g, "white space before the colon");
    if (!is_token(c)) return refuse(g, "bad character in a header name");
    window_add(g, lower(c));
    return G_NAME;
}

static GateState end_value(Gate *g) {
    if (g->header != GH_OTHER && !(g->flags & GF_VALUE_BEGUN)) {
        return refuse(g, "Host, Content-Length or Transfer-Encoding is empty");
    }
    if (g->header == GH_CODING && !str_eq(window_of(g), S("chunked"))) {
        return refuse(g, "unknown transfer coding");
    }
    return G_VALUE_LF;
}

static GateState step_value(Gate *g, uint8_t c) {
    if (c == '\r') return end_value(g);
    if ((c < 0x20 && c != '\t') || c == 0x7f) return refuse(g, "control character in a header");
    if (g->header == GH_OTHER) return G_VALUE;
    if (c == ' ' || c == '\t') {
        if (g->flags & GF_VALUE_BEGUN) g->flags |= GF_VALUE_ENDED;
        return G_VALUE;
    }
    if (g->flags & GF_VALUE_ENDED) return refuse(g, "white space inside a value");
    g->flags |= GF_VALUE_BEGUN;
    if (g->header == GH_HOST && !is_host_char(c)) return refuse(g, "bad character in Host");
    if (g->header == GH_CODING) window_add(g, lower(c));
    if (g->header == GH_LENGTH) {
        if (c < '0' || c > '9') return refuse(g, "Content-Length is not a number");
        if (++g->digits > GATE_LENGTH_DIGITS_MAX) return refuse(g, "Content-Length too large");
        g->body_left = g->body_left * 10 + (uint64_t)(c - '0');
    }
    return G_VALUE;
}

static GateState end_head(Gate *g) {
    if (!(g->flags & GF_HOST)) return refuse(g, "no Host");
    if (g->flags & GF_CODING) {
        if (g->flags & GF_LENGTH) {
            return refuse(g, "both Content-Length and Transfer-Encoding");
        }
        if (g->flags & GF_HTTP10) return refuse(g, "Transfer-Encoding in HTTP/1.0");
        g->body_left = 0;
        g->digits = 0;
        return G_CHUNK_SIZE;
    }
    g->flags = 0;
    return g->body_left ? G_BODY : G_START;
}

// ---- chunks ----------------------------------------------------------------------------------

static GateState step_chunk_size(Gate *g, uint8_t c) {
    if (c == '\r') return g->digits ? G_CHUNK_LF : refuse(g, "bad chunk size");
    const int digit = hex_digit(c);
    if (digit < 0) return refuse(g, "bad chunk size");
    if (++g->digits > GATE_CHUNK_DIGITS_MAX) return refuse(g, "chunk size too large");
    g->body_left = g->body_left * 16 + (uint64_t)digit;
    return G_CHUNK_SIZE;
}

static GateState step_chunk(Gate *g, uint8_t c) {
    switch ((GateState)g->state) {
    case G_CHUNK_SIZE: return step_chunk_size(g, c);
    case G_CHUNK_LF:
        if (c != '\n') return refuse(g, "bad chunk size");
        return g->body_left ? G_CHUNK_DATA : G_LAST_CR;
    case G_CHUNK_END_CR:
        return c == '\r' ? G_CHUNK_END_LF : refuse(g, "chunk longer than its size");
    case G_CHUNK_END_LF:
        g->digits = 0;
        return c == '\n' ? G_CHUNK_SIZE : refuse(g, "chunk longer than its size");
    case G_LAST_CR: return c == '\r' ? G_LAST_LF : refuse(g, "trailers are not accepted");
    default: // G_LAST_LF
        if (c != '\n') return refuse(g, "bare CR");
        g->flags = 0;
        return G_START;
    }
}

// ---- all together ----------------------------------------------------------------------------

static GateState step(Gate *g, uint8_t c) {
    const GateState state = (GateState)g->state;
    if (state >= G_METHOD && state <= G_HEAD_LF) {
        if (++g->line_len > GATE_LINE_MAX) return refuse(g, "line too long");
        if (++g->head_len > GATE_HEAD_MAX) return refuse(g, "head too long");
    }
    switch (state) {
    case G_START: return step_start(g, c);
    case G_START_LF:
        g->flags |= GF_EMPTY_LINE;
        return c == '\n' ? G_START : refuse(g, "bare CR");
    case G_METHOD: return step_method(g, c);
    case G_TARGET: return step_target(g, c);
    case G_VERSION: return step_version(g, c);
    case G_LINE_LF: return c == '\n' ? G_HEADER_START : refuse(g, "bare CR");
    case G_HEADER_START: return step_header_start(g, c);
    case G_NAME: return step_name(g, c);
    case G_VALUE: return step_value(g, c);
    case G_VALUE_LF: return c == '\n' ? G_HEADER_START : refuse(g, "bare CR");
    case G_HEAD_LF: return c == '\n' ? end_head(g) : refuse(g, "bare CR");
    default: return step_chunk(g, c);
    }
}

GateVerdict gate_feed(Gate *g, Str bytes, size_t *ret_passed) {
    size_t at = 0, whole = 0;
    while (at < bytes.len && g->state != G_REFUSED) {
        if (g->state == G_BODY || g->state == G_CHUNK_DATA) {
            const size_t rest = bytes.len - at;
            const size_t n = rest < g->body_left ? rest : (size_t)g->body_left;
            at += n;
            g->body_left -= n;
            if (g->body_left == 0) g->state = g->state == G_BODY ? G_START : G_CHUNK_END_CR;
        } else {
            g->state = (uint8_t)step(g, (uint8_t)bytes.ptr[at++]);
        }
        if (g->state == G_START && !(g->flags & GF_EMPTY_LINE)) whole = at;
    }
    const bool refused = g->state == G_REFUSED;
    *ret_passed = refused ? whole : at;
    return refused ? GATE_REFUSE : GATE_PASS;
}
