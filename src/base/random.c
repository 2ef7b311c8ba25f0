// Random bytes from the kernel. Apart from crypto.c so that the engines' library, whose hash tables
// are seeded with them, needs no OpenSSL.
#include "base/crypto.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *out, size_t n) {
    unsigned char *at = out;
    while (n) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) abort(); // guessable secrets would be worse than no service
        at += got;
        n -= (size_t)got;
    }
}
