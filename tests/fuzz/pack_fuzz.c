// room: case
// Packs from strangers: the input is a JSON object {path: text}, what pack_compile is given. A pack
// that compiles also runs its examples. Nothing may crash, hang or take memory without bound.
#include "case/item.h"

#include <stdlib.h>

enum { FUZZ_MEMORY_MAX = 128 << 20, INPUT_MAX = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > INPUT_MAX) return 0;
    ARENA_AUTO a = arena_create(FUZZ_MEMORY_MAX);
    jmp_buf full;
    if (setjmp(full)) return 0;
    (void)arena_on_limit(a, &full);
    Value files, report;
    Error e = {.status = OK};
    Errors errs = errors_make(a);
    Item item;
    Str text = str_of((const char *)data, size);
    if (json_parse(text, JSON_STRICT, (JsonLimits){0}, a, &files, &e) != OK) return 0;
    Status st = pack_compile(files, a, &item, &errs);
    if ((st == OK) != (errs.count == 0)) abort(); // a refusal says why
    if (st != OK) return 0;
    size_t before = errs.count;
    st = pack_examples(&item, files, 0, a, &report, &errs);
    if ((st == OK) != (errs.count == before)) abort();
    return 0;
}
