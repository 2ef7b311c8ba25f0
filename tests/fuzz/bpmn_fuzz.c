// room: bpmn
// seconds: 40
// Loads the input as a flow, draws it, and runs it: the input's own bytes choose what happens next
// among what is open, what is not, and what never was. Between two steps the state goes through
// JSON. What must hold whatever the file is: nothing crashes, memory stays in its arena, an ended
// instance has nothing open, every state written is read again, and a refused step says why. Then
// it is drawn as a file that is not to be run.
#include "bpmn/bpmn.h"
#include "value/json.h"

#include <stdlib.h>

enum { FUZZ_MEMORY = 256 << 20, FUZZ_SIZE_MAX = 64 << 10, FUZZ_STEPS = 24, FUZZ_OPEN = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Fuzz {
    Arena *arena;
    const Flow *flow;
    Str state;
    int64_t open[FUZZ_OPEN]; // tokens of tasks and timers
    bool timers[FUZZ_OPEN];
    size_t open_count;
    bool ended;
} Fuzz;

static void must(bool what) {
    if (!what) abort();
}

static void open_close(Fuzz *f, int64_t token) {
    for (size_t i = 0; i < f->open_count; i++)
        if (f->open[i] == token) {
            f->open_count--;
            f->open[i] = f->open[f->open_count];
            f->timers[i] = f->timers[f->open_count];
            return;
        }
}

static void effects(Fuzz *f, const FlowStep *step) {
    for (size_t i = 0; i < step->effects_count; i++) {
        const FlowEffect *e = &step->effects[i];
        switch (e->kind) {
        case FLOW_OPEN_TASK:
        case FLOW_CALL_SERVICE:
        case FLOW_SET_TIMER:
            if (f->open_count == FUZZ_OPEN) break;
            f->timers[f->open_count] = e->kind == FLOW_SET_TIMER;
            f->open[f->open_count++] = e->token;
            break;
        case FLOW_CLOSE_TASK:
        case FLOW_CLEAR_TIMER: open_close(f, e->token); break;
        case FLOW_RECORD: must(e->node.len > 0); break;
        case FLOW_ENDED:
        case FLOW_FAILED: must(step->ended); break;
        case FLOW_THROW_MESSAGE:
        case FLOW_THROW_SIGNAL:
        case FLOW_ESCALATED: must(e->node.len > 0); break;
        }
    }
}

static Value variables(Fuzz *f, uint8_t by) {
    ContextBuilder b = context_make(f->arena);
    context_put(&b, S("x"), v_int(by % 4));
    context_put(&b, S("amount"), v_int((int64_t)by * 10));
    context_put(&b, S("ok"), v_bool(by & 1));
    return context_done(&b);
}

static FlowInput choose(Fuzz *f, uint8_t a, uint8_t b) {
    FlowInput in = {.kind = FLOW_COMPLETE, .values = variables(f, b)};
    if (a % 16 == 0) in.kind = FLOW_CANCEL;
    else if (a % 16 == 1) in.kind = FLOW_START;
    else if (a % 16 == 2) in.token = b; // anything
    else if (a % 16 < 5) {
        in.kind = a & 1 ? FLOW_MESSAGE : FLOW_SIGNAL;
        in.name = a & 1 ? S("paid") : S("storm");
    } else if (f->open_count) {
        size_t i = b % f->open_count;
        in.token = f->open[i];
        in.kind = f->timers[i] ? FLOW_TIMER : FLOW_COMPLETE;
    }
    return in;
}

static void step(Fuzz *f, FlowInput in) {
    Value state = v_null();
    Error err = {0};
    if (f->state.len)
        must(json_parse(f->state, JSON_STRICT, (JsonLimits){0}, f->arena, &state, &err) == OK);
    FlowStep out;
    Status status = flow_step(f->flow, state, &in, 1700000000000, f->arena, &out, &err);
    if (status != OK) {
        must(status == err.status && status != BROKEN && err.text);
        return;
    }
    if (in.kind == FLOW_COMPLETE || in.kind == FLOW_TIMER) open_close(f, in.token);
    effects(f, &out);
    f->state = json_to_str(out.state, f->arena);
    f->ended = out.ended;
    if (out.ended) must(f->open_count == 0 || f->open_count == FUZZ_OPEN);
}

static void run(Fuzz *f, const uint8_t *data, size_t size) {
    step(f, (FlowInput){.kind = FLOW_START, .values = variables(f, data[size / 2])});
    for (size_t i = 0; i < FUZZ_STEPS && f->state.len && !f->ended; i++) {
        uint8_t a = data[(i * 131) % size], b = data[(i * 257 + size / 3) % size];
        step(f, choose(f, (uint8_t)(a + i), b));
    }
    Error err = {0};
    Value state = v_null();
    if (f->state.len)
        must(json_parse(f->state, JSON_STRICT, (JsonLimits){0}, f->arena, &state, &err) == OK);
    Str svg;
    Status status = flow_draw(f->flow, state, v_null(), S("zh"), f->arena, &svg, &err);
    must(status == OK || status == LIMIT);
    (void)flow_outline(f->flow, f->arena);
}

// What can't be run is drawn all the same, if it is BPMN.
static void draw_only(Fuzz *f, Str xml) {
    const Flow *flow;
    Error err = {0};
    Str svg;
    Status status = flow_load_drawing(xml, f->arena, &flow, &err);
    if (!status) status = flow_draw(flow, v_null(), v_null(), S("en"), f->arena, &svg, &err);
    must(status == err.status && (status == OK || status == INVALID || status == LIMIT));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > FUZZ_SIZE_MAX) return 0;
    Fuzz f = {.arena = arena_create(FUZZ_MEMORY)};
    jmp_buf env;
    if (!setjmp(env)) { // a full arena is a refusal
        (void)arena_on_limit(f.arena, &env);
        Error err = {0};
        Status status = flow_load((Str){(const char *)data, size}, f.arena, &f.flow, &err);
        if (status != OK) must(status == err.status && (status == INVALID || status == LIMIT));
        else run(&f, data, size);
        draw_only(&f, (Str){(const char *)data, size});
    }
    arena_free(f.arena);
    return 0;
}
