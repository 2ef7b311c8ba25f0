// room: case
// seconds: 20
// Catalogues: the first byte chooses CSV or JSON. Every line returned has what a line must have.
#include "case/item.h"

#include <stdlib.h>

enum { FUZZ_MEMORY_MAX = 128 << 20, INPUT_MAX = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1 || size > INPUT_MAX) return 0;
    ARENA_AUTO a = arena_create(FUZZ_MEMORY_MAX);
    jmp_buf full;
    if (setjmp(full)) return 0;
    (void)arena_on_limit(a, &full);
    Value lines = v_null();
    Errors errs = errors_make(a);
    Str text = str_of((const char *)data + 1, size - 1);
    Status st = catalogue_read(text, data[0] == 'j', a, &lines, &errs);
    if (st != OK && errs.count == 0) abort();
    for (uint32_t i = 0; st == OK && i < lines.len; i++) {
        Value line = v_at(lines, i);
        if (v_to_int(v_get_lit(line, "line"), 0) < 1) abort();
        if (v_text(v_get_lit(line, "name")).len == 0) abort();
        if (!str_utf8_valid(v_text(v_get_lit(line, "department")))) abort();
    }
    return 0;
}
