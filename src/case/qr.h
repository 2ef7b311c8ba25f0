// QR codes (GB/T 18284) of addresses, error correction M, over libqrencode. Private to src/case.
#pragma once

#include "base/error.h"

enum { QR_TEXT_MAX = 500, QR_QUIET = 4 }; // modules of white around it

typedef struct Qr {
    int32_t size;           // modules in a row
    const uint8_t *modules; // size * size, 1: black
} Qr;
MUST_USE Status qr_make(Str text, Arena *a, Qr *ret, Error *err);
