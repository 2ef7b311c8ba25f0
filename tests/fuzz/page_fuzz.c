// room: page
// Any bytes as a template: refused with its line, or rendered. In what was rendered from an HTML
// template the model's "<evil>" must never stand unescaped. The first byte's lowest bit makes it
// TEXT.
#include "page/page.h"
#include "value/json.h"

#include <assert.h>

enum { ARENA_SIZE_MAX = 64 << 20, OUTPUT_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_one(Arena *arena, Str source, PageKind kind) {
    TemplateSet *set = templates_create(arena);
    Error err = {0};
    Value v;
    if (templates_add(set, S("part"), kind, S("[{{x}}]"), NULL) != OK) assert(false);
    Status status = templates_add(set, S("t"), kind, source, &err);
    if (status == OK) status = templates_link(set, &err);
    if (status != OK) {
        assert(err.where.len > 0 && err.text);
        return;
    }
    if (json_parse(S("{\"x\":\"<evil>\",\"n\":12,\"y\":true,\"l\":[{\"x\":\"<evil>\"},1],\"c\":{"
                     "\"x\":\"<evil>\"},\"u\":\"<evil>:\"}"),
                   JSON_STRICT, (JsonLimits){0}, arena, &v, NULL) != OK)
        assert(false);
    PageRun run = {.arena = arena, .model = v, .lang = S("zh")};
    Buf out = buf_make(arena, 1024, OUTPUT_MAX);
    status = page_render(&run, templates_find(set, S("t")), &out, &err);
    // The author may write it himself; a hole may not.
    if (status == OK && kind == PAGE_HTML && str_find(source, S("evil")) < 0)
        assert(str_find(buf_view(&out), S("<evil")) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    Arena *arena = arena_create(ARENA_SIZE_MAX);
    jmp_buf env;
    (void)arena_on_limit(arena, &env);
    if (setjmp(env) == 0)
        run_one(arena, str_of((const char *)data + 1, size - 1),
                data[0] & 1 ? PAGE_TEXT : PAGE_HTML);
    arena_free(arena);
    return 0;
}
