// room: bpmn
// seconds: 30
// A stored state that somebody wrote or broke: the first byte chooses what happens next, the rest
// is the state as JSON, of the flow in flow_state.bpmn, which has every kind of token. Whatever it
// says: nothing crashes, a refusal has a reason, and a state that was taken is one that can be
// written, read, asked and drawn.
#include "base/file.h"
#include "bpmn/bpmn.h"
#include "bpmn/mend.h"
#include "value/json.h"

#include <stdlib.h>

enum { FUZZ_MEMORY = 256 << 20, FUZZ_SIZE_MAX = 64 << 10, FLOW_MEMORY = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool what) {
    if (!what) abort();
}

static const Flow *the_flow(void) {
    static const Flow *flow;
    static Arena *arena; // as long as the process
    if (flow) return flow;
    Str xml;
    Error err;
    arena = arena_create(FLOW_MEMORY);
    must(file_read(S("tests/fuzz/flow_state.bpmn"), FLOW_MEMORY, arena, &xml, &err) == OK);
    must(flow_load(xml, arena, &flow, &err) == OK);
    return flow;
}

static FlowInput choose(uint8_t byte, Value state) {
    static const FlowInputKind kinds[] = {FLOW_COMPLETE, FLOW_TIMER, FLOW_MESSAGE,  FLOW_SIGNAL,
                                          FLOW_ERROR,    FLOW_FACTS, FLOW_ACTIVATE, FLOW_CANCEL};
    FlowInput in = {.kind = kinds[byte % 8], .values = v_get_lit(state, "v")};
    in.token = in.kind == FLOW_SIGNAL || in.kind == FLOW_MESSAGE ? 0 : 1 + byte / 8 % 32;
    in.name = in.kind == FLOW_SIGNAL ? S("storm") : in.kind == FLOW_ACTIVATE ? S("d1a") : S("E");
    return in;
}

static void run(uint8_t byte, Str text, Arena *a) {
    const Flow *f = the_flow();
    Error err = {0};
    Value state, waiting;
    FlowStep step;
    Str svg;
    if (json_parse(text, JSON_STRICT, (JsonLimits){0}, a, &state, &err) != OK) return;
    Status readable = flow_waiting(f, state, a, &waiting, &err);
    must(readable == err.status);
    FlowInput in = choose(byte, state);
    Status status = flow_step(f, state, &in, 1700000000000, a, &step, &err);
    if (status) {
        must(status == err.status && err.text);
        return;
    }
    Value again;
    Str kept = json_to_str(step.state, a);
    must(json_parse(kept, JSON_STRICT, (JsonLimits){0}, a, &again, &err) == OK);
    must(flow_waiting(f, again, a, &waiting, &err) == OK);
    must(flow_draw(f, again, v_null(), S("zh"), a, &svg, &err) == OK);
    if (step.ended) must(waiting.len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2 || size > FUZZ_SIZE_MAX) return 0;
    Arena *a = arena_create(FUZZ_MEMORY);
    jmp_buf env;
    if (!setjmp(env)) { // a full arena is a refusal
        (void)arena_on_limit(a, &env);
        run(data[0], (Str){(const char *)data + 1, size - 1}, a);
    }
    arena_free(a);
    return 0;
}
