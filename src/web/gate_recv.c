// Puts the gate in front of libmicrohttpd (docs/decisions/0003-gate-before-the-server.md).
//
// libmicrohttpd reads plain sockets with recv(). The linker takes the definition of `recv` in the
// executable before the C library's, so this one is called; it reads with recvfrom(), which is the
// same system call. Bytes of a watched socket go through its Gate before the library sees them.
//
// A refusal is answered here: 400, then the reading side fails and the library drops the
// connection. When whole requests stand before the refused one in the same piece, they are handed
// on first and answered; shutting the reading side down makes the library come back (its epoll is
// edge-triggered and would otherwise sleep), and then the refusal is answered.
//
// A Gate belongs to the thread that owns its connection; the table is written only when a
// connection begins or ends, which the kernel orders, because a descriptor is not reused before
// close.
#include "web/gate_recv.h"

#include "web/gate.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>

enum { DRAIN_MAX = 256 << 10 };

typedef struct Watch {
    Gate gate;
    bool refused; // answer 400 at the next read
} Watch;

static _Atomic(Watch *) watches[GATE_FDS_MAX];
static atomic_uint_least64_t refused_count;
static _Atomic(const char *) refused_reason = "";

bool gate_watch(int fd) {
    if (fd < 0 || fd >= GATE_FDS_MAX) return false;
    Watch *w = calloc(1, sizeof *w);
    if (!w) return false;
    gate_init(&w->gate);
    free(atomic_exchange(&watches[fd], w));
    return true;
}

void gate_unwatch(int fd) {
    if (fd >= 0 && fd < GATE_FDS_MAX) free(atomic_exchange(&watches[fd], NULL));
}

uint64_t gate_refused_count(void) { return atomic_load(&refused_count); }
const char *gate_refused_reason(void) { return atomic_load(&refused_reason); }

// Best effort: the client is at fault, and may be gone. What it still sends is read away first,
// because closing a socket with unread bytes resets it and may lose the answer.
static void answer_bad_request(int fd) {
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\n"
                                 "Content-Type: text/plain; charset=utf-8\r\n"
                                 "Content-Length: 12\r\n"
                                 "Cache-Control: no-store\r\n"
                                 "Connection: close\r\n\r\n"
                                 "Bad Request\n";
    (void)send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(fd, SHUT_WR);
    char waste[4096];
    for (size_t drained = 0; drained < DRAIN_MAX;) {
        const ssize_t n = recvfrom(fd, waste, sizeof waste, MSG_DONTWAIT, NULL, NULL);
        if (n <= 0) break;
        drained += (size_t)n;
    }
}

static ssize_t fail(int fd) {
    answer_bad_request(fd);
    errno = ECONNRESET;
    return -1;
}

static ssize_t read_watched(Watch *w, int fd, void *buffer, size_t size, int flags) {
    if (w->refused) return fail(fd);
    const ssize_t n = recvfrom(fd, buffer, size, flags, NULL, NULL);
    if (n <= 0 || (flags & MSG_PEEK)) return n;
    size_t passed = 0;
    if (gate_feed(&w->gate, str_of(buffer, (size_t)n), &passed) == GATE_PASS) return n;
    w->refused = true;
    atomic_fetch_add(&refused_count, 1);
    atomic_store(&refused_reason, w->gate.reason);
    if (passed == 0) return fail(fd);
    (void)shutdown(fd, SHUT_RD);
    return (ssize_t)passed;
}

// The C library's, for the whole program; so its declaration, its meaning and its visibility.
__attribute__((visibility("default"))) ssize_t recv(int fd, void *buffer, size_t size, int flags) {
    Watch *w = fd >= 0 && fd < GATE_FDS_MAX ? atomic_load(&watches[fd]) : NULL;
    return w ? read_watched(w, fd, buffer, size, flags)
             : recvfrom(fd, buffer, size, flags, NULL, NULL);
}
