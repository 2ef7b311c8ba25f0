// JSON (RFC 8259), exact: numbers keep every digit up to 34, strings must be well-formed UTF-8 and
// paired surrogates, one value and nothing behind it, a duplicate key is refused (the suite's
// y_object_duplicated_key* are accepted in JSON_LAX, where the last wins).
#pragma once

#include "value/value.h"

typedef enum JsonMode { JSON_STRICT, JSON_LAX } JsonMode;
typedef struct JsonLimits {
    uint32_t depth_max; // 0: VALUE_DEPTH_MAX
    size_t size_max;    // 0: VALUE_STRING_MAX
} JsonLimits;

// Strings without escapes point into `text`, which must live as long as the value.
// Error.where is "line:column".
MUST_USE Status json_parse(Str text, JsonMode mode, JsonLimits limits, Arena *a, Value *ret,
                           Error *err);
// Canonical: no white space, entries in their order, non-ASCII as it is; dates, times, durations
// as strings. The same Value always gives the same bytes.
void json_write(Buf *out, Value v);
void json_write_str(Buf *out, Str s); // a quoted, escaped string
// Indented by two, for people.
void json_write_pretty(Buf *out, Value v);
Str json_to_str(Value v, Arena *a);
