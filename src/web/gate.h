// The gate: reads the raw bytes of each connection before libmicrohttpd does and refuses, with 400 and a closed
// connection, what is malformed or ambiguous: both Content-Length and Transfer-Encoding, two
// Content-Length (even equal), white space before a colon, two Host or none, NUL or a bare CR or
// LF in a header, folded headers (RFC 9112 5.2), a bad chunk size, an over-long line, an unknown
// transfer coding, a request smuggled behind any of them. Pure: bytes in, verdict out, so a fuzzer can call it.
#pragma once

#include "base/error.h"

typedef struct Gate {
    uint8_t state;          // private
    uint8_t flags;
    uint16_t line_len;
    uint32_t header_bytes;
    uint64_t body_left;
    char window[64];        // the header name or chunk size being read
    uint8_t window_len;
    const char *reason;     // why it was refused; English, for the log
} Gate;

typedef enum GateVerdict { GATE_PASS, GATE_REFUSE } GateVerdict;

void gate_init(Gate *g);
// Feeds bytes as they arrive, in pieces of any size; follows keep-alive requests one after
// another. *ret_passed: how many bytes may be handed on. After GATE_REFUSE nothing more may pass.
GateVerdict gate_feed(Gate *g, Str bytes, size_t *ret_passed);
