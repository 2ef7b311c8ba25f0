// room: dmn
// Any bytes as a decision model: refused, or loaded, checked and decided without harm, every
// finding with its line. Running out of the small arena is a refusal, as in a request.
#include "dmn/dmn.h"
#include "value/json.h"

#include <assert.h>

enum { ARENA_SIZE_MAX = 64 << 20, DECISIONS_MAX = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_findings(Value findings) {
    assert(findings.kind == V_LIST);
    for (uint32_t i = 0; i < findings.len; i++) {
        Value f = v_at(findings, i);
        assert(v_to_int(v_get_lit(f, "line"), 0) > 0 && v_text(v_get_lit(f, "text")).len > 0);
        Str severity = v_text(v_get_lit(f, "severity"));
        assert(str_eq(severity, S("error")) || str_eq(severity, S("warning")));
    }
}

static void run_one(Arena *arena, Str xml) {
    const DmnModel *m;
    Error err = {0};
    Value input, findings;
    Status status = dmn_load_files(&(DmnFile){S_INIT("m"), xml}, 1, DMN_DEFERRED, arena, &m, &err);
    assert(status == OK || (err.status == status && err.text));
    assert(dmn_check(xml, arena, &findings, &err) == OK);
    check_findings(findings);
    if (status != OK) return;
    if (json_parse(S("{\"x\":5,\"s\":\"王\",\"d\":\"2023-05-31\",\"l\":[1,2,{\"a\":1}],"
                     "\"c\":{\"a\":{\"b\":2}},\"answers\":{\"area\":80}}"),
                   JSON_STRICT, (JsonLimits){0}, arena, &input, NULL) != OK)
        assert(false);
    for (size_t i = 0; i < dmn_decision_count(m) && i < DECISIONS_MAX; i++) {
        DmnResult r;
        if (dmn_decide(m, dmn_decision_name(m, i), input, 0, arena, &r, &err) != OK) continue;
        assert(r.value.kind <= V_FUNCTION && r.trace.kind == V_LIST &&
               r.diagnostics.kind == V_LIST);
        Buf out = buf_make(arena, 64, 1 << 20);
        json_write(&out, r.trace);
    }
    for (size_t i = 0; i < dmn_service_count(m) && i < DECISIONS_MAX; i++) {
        DmnResult r;
        (void)!dmn_service(m, dmn_service_name(m, i), input, 0, arena, &r, &err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Arena *arena = arena_create(ARENA_SIZE_MAX);
    jmp_buf env;
    (void)arena_on_limit(arena, &env);
    if (setjmp(env) == 0) run_one(arena, str_of((const char *)data, size));
    arena_free(arena);
    return 0;
}
