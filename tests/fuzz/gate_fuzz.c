// room: web
// The gate: byte by byte, in pieces and whole give the same verdict; what it lets through of a
// refused stream ends a request; nothing passes after a refusal.
#include "web/gate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static GateVerdict in_pieces(Str text, size_t piece, const char **ret_reason, size_t *ret_passed) {
    Gate g;
    gate_init(&g);
    *ret_passed = 0;
    for (size_t at = 0; at < text.len; at += piece) {
        size_t passed;
        const Str part = str_sub(text, at, at + piece);
        if (gate_feed(&g, part, &passed) == GATE_REFUSE) {
            if (passed > part.len) abort();
            size_t after = 1;
            if (gate_feed(&g, text, &after) != GATE_REFUSE || after != 0) abort();
            *ret_passed += passed;
            *ret_reason = g.reason;
            return GATE_REFUSE;
        }
        if (passed != part.len) abort();
        *ret_passed += passed;
    }
    *ret_reason = NULL;
    return GATE_PASS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const Str text = str_of((const char *)data, size);
    const char *whole_reason, *reason;
    size_t whole_passed, passed;
    const GateVerdict whole = in_pieces(text, size ? size : 1, &whole_reason, &whole_passed);
    static const size_t pieces[] = {1, 2, 3, 7, 64};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        const GateVerdict v = in_pieces(text, pieces[i], &reason, &passed);
        if (v != whole || reason != whole_reason || passed < whole_passed) abort();
    }
    if (whole == GATE_REFUSE) { // what passed is whole requests
        Gate g;
        gate_init(&g);
        if (gate_feed(&g, str_sub(text, 0, whole_passed), &passed) != GATE_PASS) abort();
        if (!gate_idle(&g)) abort();
    }
    return 0;
}
