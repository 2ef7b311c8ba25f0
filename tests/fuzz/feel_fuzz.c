// room: feel
// Any bytes as an expression and as unary tests: refused, or parsed and evaluated without harm. The
// first byte's lowest bit tells which. Evaluation runs in a small arena; running out is a
// refusal, as in a request. A null has left a diagnostic.
#include "feel/feel.h"
#include "value/json.h"

#include <assert.h>

enum { ARENA_SIZE_MAX = 32 << 20 };

static const Str NAMES[] = {S_INIT("Monthly Salary"), S_INIT("a-b")};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Null is a word of the language, and some members are null when there is nothing: without any of
// these, a null must have said why.
static bool may_be_silent(Str source) {
    static const char *const WORDS[] = {"null", "offset", "timezone", "start", "end", "partial"};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (str_find(source, str_z(WORDS[i])) >= 0) return true;
    return false;
}

static void run_one(Arena *arena, Str source, bool unary) {
    const FeelExpr *e = NULL;
    Error err = {0};
    Value v;
    Status status = unary ? feel_parse_unary(source, NAMES, 2, arena, &e, &err)
                          : feel_parse(source, NAMES, 2, arena, &e, &err);
    if (status != OK) {
        assert(err.status == status && err.where.len > 0 && err.text);
        return;
    }
    if (json_parse(S("{\"x\":5,\"s\":\"王\",\"l\":[1,2,{\"a\":1}],\"c\":{\"a\":{\"b\":2}},"
                     "\"Monthly Salary\":3}"),
                   JSON_STRICT, (JsonLimits){0}, arena, &v, NULL) != OK)
        assert(false);
    FeelScope scope = {.variables = v};
    FeelRun run = {.arena = arena, .scope = &scope};
    Value result = unary ? feel_test(&run, e, v_int(5)) : feel_eval(&run, e);
    assert(result.kind <= V_FUNCTION && run.diagnostics_count <= FEEL_DIAGNOSTICS_MAX);
    assert(result.kind != V_NULL || run.diagnostics_count > 0 || may_be_silent(source));
    Str *names;
    size_t count;
    feel_reads(e, arena, &names, &count);
    Buf out = buf_make(arena, 64, 1 << 20);
    v_print(&out, result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    Arena *arena = arena_create(ARENA_SIZE_MAX);
    jmp_buf env;
    (void)arena_on_limit(arena, &env);
    if (setjmp(env) == 0) run_one(arena, str_of((const char *)data + 1, size - 1), data[0] & 1);
    arena_free(arena);
    return 0;
}
