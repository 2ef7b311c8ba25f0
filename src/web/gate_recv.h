// Puts the gate in front of libmicrohttpd: the program's own `recv`, which the library calls for
// every byte a client sends. Sockets that were not registered here pass through untouched.
#pragma once

#include "base/str.h"

enum { GATE_FDS_MAX = 65536 };

// A connection was accepted / has ended. Called from the library's notification, on the thread
// that owns the socket. A descriptor past GATE_FDS_MAX is refused: false.
__attribute__((warn_unused_result)) bool gate_watch(int fd);
void gate_unwatch(int fd);
// How many connections the gate has refused, and the reason of the newest refusal ("" if none).
uint64_t gate_refused_count(void);
const char *gate_refused_reason(void);
