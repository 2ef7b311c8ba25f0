// The gate: reads the raw bytes of each connection before libmicrohttpd does and refuses, with 400
// and a closed connection, what is malformed or what two servers in a row could understand
// differently (RFC 9112): both Content-Length and Transfer-Encoding, two Content-Length (even
// equal), white space before a colon, two Host or none, NUL, a bare CR or a bare LF anywhere in a
// head, folded headers (5.2), a bad chunk size, an over-long line, an unknown transfer coding, and
// with them any request smuggled behind. Stricter than the standard, because no client needs it:
// only origin-form targets, no chunk extensions, no trailers. Pure: bytes in, verdict out, so a
// fuzzer can call it.
#pragma once

#include "base/error.h"

enum {
    GATE_LINE_MAX = 8 << 10,   // a request line or a header line, without its end
    GATE_TARGET_MAX = 4 << 10, // = HTTP_URL_MAX
    GATE_HEAD_MAX = 16 << 10,  // a whole head; = HTTP_HEADER_MAX
    GATE_HEADERS_MAX = 100,
    GATE_CHUNK_DIGITS_MAX = 8, // a chunk is under 4 GiB
    GATE_LENGTH_DIGITS_MAX = 15,
};

typedef struct Gate {
    uint8_t state; // private, all of it
    uint16_t flags;
    uint16_t line_len;
    uint16_t headers;
    uint32_t head_len;
    uint64_t body_left;
    char window[24]; // the method, version, header name or coding being read, lower case
    uint8_t window_len;
    uint8_t header; // which header's value is being read
    uint8_t digits;
    const char *reason; // why it was refused; English, for the log
} Gate;

typedef enum GateVerdict { GATE_PASS, GATE_REFUSE } GateVerdict;

void gate_init(Gate *g);
// Feeds bytes as they arrive, in pieces of any size; follows keep-alive requests one after
// another. *ret_passed: how many bytes may be handed on: all of them, or when refused those up to
// the end of the last whole request in this piece. After GATE_REFUSE nothing more may pass.
GateVerdict gate_feed(Gate *g, Str bytes, size_t *ret_passed);
// Between two requests: the connection may be closed here without cutting one off.
bool gate_idle(const Gate *g);
