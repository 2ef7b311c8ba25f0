// The table that tools/library makes of the English of the rooms' messages.
#pragma once

#include "base/str.h"

typedef struct EnglishText {
    Str zh, en;
} EnglishText;

// Sorted by the bytes of `zh`.
extern const EnglishText english_texts[];
extern const size_t english_texts_count;
