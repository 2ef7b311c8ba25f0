// room: value
// Any bytes: parsed, and when accepted written and parsed again, which must give an equal Value
// and the same bytes. Both modes, and with an arena too small for large inputs.
#include "value/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY_MAX = 64 << 20 };

static void must(bool holds) {
    if (!holds) abort();
}

static void round_trip(Value v, Arena *a) {
    Error err;
    Value again;
    Str text = json_to_str(v, a);
    must(str_utf8_valid(text));
    must(json_parse(text, JSON_STRICT, (JsonLimits){0}, a, &again, &err) == OK);
    must(v_equal(v, again));
    must(str_eq(json_to_str(again, a), text));
    must(v_equal(v, v_copy(v, a)));
    (void)v_to_str(v, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Arena *a = arena_create(MEMORY_MAX);
    jmp_buf limit;
    if (setjmp(limit) == 0) {
        (void)arena_on_limit(a, &limit);
        Str text = str_of((const char *)data, size);
        Value strict, lax;
        Error err = {.status = OK};
        Status status = json_parse(text, JSON_STRICT, (JsonLimits){0}, a, &strict, &err);
        if (status == OK) round_trip(strict, a);
        else must(err.status == status && err.where.len > 0);
        Status status_lax = json_parse(text, JSON_LAX, (JsonLimits){0}, a, &lax, &err);
        if (status == OK) must(status_lax == OK && v_equal(strict, lax));
        else if (status_lax == OK) round_trip(lax, a);
    }
    arena_free(a);
    return 0;
}
