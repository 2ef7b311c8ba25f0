// room: bpmn
// How fast the engines are. tests/bench/engines writes a plan (expressions, decision tables, flows
// and what they are given) and compares what all engines say before it measures any. Not a test.
//   engines_bench PLAN results     one JSON object: what every part of the plan comes to
//   engines_bench PLAN rates       one JSON object: how often a second, and memory
// One thread. A rate is the median of RUNS runs of RUN_US microseconds of processor time each, so
// that what else the machine does counts little. Every evaluation gets
// an arena that was reset, every decision and every flow starts from its inputs again.
#include "base/file.h"
#include "bpmn/bpmn.h"
#include "dmn/dmn.h"
#include "value/json.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MEMORY_MAX = 64 << 20,
    MODEL_MEMORY_MAX = 512 << 20,
    STORE_MEMORY_MAX = 1 << 30,
    RUNS = 5,
    RUN_US = 200000,
    BATCH_US = 2000,
    TASKS_MAX = 64,
};

typedef struct Bench {
    Arena *arena;   // models, inputs, results
    Arena *scratch; // reset for each evaluation
    const FeelExpr *expr;
    FeelRun run;
    const DmnModel *model;
    Str decision;
    Value inputs; // a list; taken in turn
    const Flow *flow;
    Value values;
    bool stored; // the state goes through JSON text between steps, as through a database
    size_t turn;
} Bench;

typedef Value (*Work)(Bench *b);

_Noreturn static void die(const char *what, const Error *err, Arena *a) {
    Str said = err ? error_message(err, NULL, NULL, a) : S("");
    (void)fprintf(stderr, "%s: %.*s\n", what, S_FMT(said));
    exit(1);
}

static Value evaluate(Bench *b) {
    b->run.diagnostics_count = 0;
    b->run.steps = 0;
    return feel_eval(&b->run, b->expr);
}

static Value decide(Bench *b) {
    DmnResult result;
    Error err;
    Value input = v_at(b->inputs, b->turn++ % b->inputs.len);
    if (dmn_decide(b->model, b->decision, input, 0, b->scratch, &result, &err))
        die("dmn_decide", &err, b->arena);
    return result.value;
}

static Value through_text(Value state, Arena *a) {
    Value again;
    Error err;
    Buf text = buf_make(a, 512, 1 << 20);
    json_write(&text, state);
    if (json_parse(buf_view(&text), JSON_STRICT, (JsonLimits){0}, a, &again, &err))
        die("json_parse", &err, a);
    return again;
}

// Starts the flow and completes every task in the order they were opened, to the end. The ids of
// the tasks, in that order; only the start when `steps_max` is 1.
static Value walk(Bench *b, size_t steps_max, Value *ret_state) {
    int64_t open[TASKS_MAX];
    size_t opened = 0, done = 0;
    ListBuilder names = list_make(b->scratch);
    FlowInput input = {.kind = FLOW_START, .values = b->values};
    FlowStep step = {0};
    Error err;
    for (size_t n = 0; n < steps_max; n++) {
        if (flow_step(b->flow, step.state, &input, 0, b->scratch, &step, &err))
            die("flow_step", &err, b->arena);
        for (size_t i = 0; i < step.effects_count; i++) {
            const FlowEffect *e = &step.effects[i];
            if (e->kind != FLOW_OPEN_TASK) continue;
            if (opened == TASKS_MAX) die("too many tasks", NULL, NULL);
            open[opened++] = e->token;
            list_add(&names, v_str(e->node));
        }
        if (step.ended) break;
        if (b->stored) step.state = through_text(step.state, b->scratch);
        if (done == opened) die("nothing to complete", NULL, NULL);
        input = (FlowInput){.kind = FLOW_COMPLETE, .token = open[done++]};
    }
    *ret_state = step.state;
    return list_done(&names);
}

static Value flow(Bench *b) {
    Value state;
    return walk(b, TASKS_MAX, &state);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int64_t processor_us(void) {
    struct timespec t;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t)) die("clock_gettime", NULL, NULL);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

// How often a second, the median of some runs.
static Value rate(Bench *b, Work work) {
    double rates[RUNS];
    size_t batch = 1;
    for (;; batch *= 2) { // so many that the clock costs nothing
        int64_t from = processor_us();
        for (size_t i = 0; i < batch; i++) {
            arena_reset(b->scratch);
            (void)work(b);
        }
        if (processor_us() - from > BATCH_US) break;
    }
    for (int run = 0; run < RUNS; run++) {
        int64_t from = processor_us(), now = from;
        size_t count = 0;
        while (now - from < RUN_US) {
            for (size_t i = 0; i < batch; i++) {
                arena_reset(b->scratch);
                (void)work(b);
            }
            count += batch;
            now = processor_us();
        }
        rates[run] = (double)count * 1e6 / (double)(now - from);
    }
    qsort(rates, RUNS, sizeof *rates, by_size);
    return v_int((int64_t)rates[RUNS / 2]);
}

// Bytes that an instance takes while it waits for its first task: so many of them kept, the
// allocator asked before and after; and as the text that a database would keep.
static Value waiting(Bench *b, int64_t count) {
    Arena *kept = arena_create(STORE_MEMORY_MAX);
    Value *states = arena_array(kept, Value, (size_t)count);
    Value state = v_null();
    size_t text = 0;
    struct mallinfo2 before = mallinfo2();
    for (int64_t i = 0; i < count; i++) {
        arena_reset(b->scratch);
        (void)walk(b, 1, &state);
        states[i] = v_copy(state, kept);
        if (i == 0) text = json_to_str(state, b->scratch).len;
    }
    struct mallinfo2 after = mallinfo2();
    size_t bytes = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
    ContextBuilder out = context_make(b->arena);
    context_put(&out, S("instances"), v_int(count));
    context_put(&out, S("bytes_each"), v_int((int64_t)bytes / count + (int64_t)sizeof *states));
    context_put(&out, S("text_bytes_each"), v_int((int64_t)text));
    arena_free(kept);
    return context_done(&out);
}

// All the inputs in turn, or one result.
static Value result(Bench *b, Work work, size_t turns) {
    ListBuilder all = list_make(b->arena);
    for (size_t i = 0; i < turns; i++) {
        arena_reset(b->scratch);
        list_add(&all, v_copy(work(b), b->arena));
    }
    b->turn = 0;
    return list_done(&all);
}

static Str read_text(Value part, Bench *b) {
    Str text;
    Error err;
    if (file_read(v_text(v_get_lit(part, "file")), MEMORY_MAX, b->arena, &text, &err))
        die("file_read", &err, b->arena);
    return text;
}

static void expressions(Bench *b, Value parts, bool rates, ContextBuilder *out) {
    for (size_t i = 0; i < parts.len; i++) {
        Value part = v_at(parts, i);
        Error err;
        FeelScope scope = {.variables = v_get_lit(part, "context")};
        if (feel_parse(v_text(v_get_lit(part, "text")), NULL, 0, b->arena, &b->expr, &err))
            die("feel_parse", &err, b->arena);
        b->run = (FeelRun){.arena = b->scratch, .scope = &scope};
        context_put(out, v_text(v_get_lit(part, "name")),
                    rates ? rate(b, evaluate) : result(b, evaluate, 1));
    }
}

static void tables(Bench *b, Value parts, bool rates, ContextBuilder *out) {
    for (size_t i = 0; i < parts.len; i++) {
        Value part = v_at(parts, i);
        Error err;
        if (dmn_load(read_text(part, b), b->arena, &b->model, &err))
            die("dmn_load", &err, b->arena);
        b->decision = v_text(v_get_lit(part, "decision"));
        b->inputs = v_get_lit(part, "inputs");
        context_put(out, v_text(v_get_lit(part, "name")),
                    rates ? rate(b, decide) : result(b, decide, b->inputs.len));
    }
}

static void flows(Bench *b, Value parts, bool rates, ContextBuilder *out) {
    for (size_t i = 0; i < parts.len; i++) {
        Value part = v_at(parts, i);
        Str name = v_text(v_get_lit(part, "name"));
        Error err;
        if (flow_load(read_text(part, b), b->arena, &b->flow, &err))
            die("flow_load", &err, b->arena);
        b->values = v_get_lit(part, "values");
        context_put(out, name, rates ? rate(b, flow) : result(b, flow, 1));
        if (!rates) continue;
        b->stored = true;
        context_put(out, arena_concat(b->arena, (Str[]){name, S(", stored")}, 2), rate(b, flow));
        b->stored = false;
        int64_t count = v_to_int(v_get_lit(part, "waiting"), 0);
        if (count)
            context_put(out, arena_concat(b->arena, (Str[]){name, S(", waiting")}, 2),
                        waiting(b, count));
    }
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    Bench b = {.arena = arena_create(MODEL_MEMORY_MAX), .scratch = arena_create(MEMORY_MAX)};
    Value plan;
    Error err;
    Str text;
    bool rates = strcmp(argv[2], "rates") == 0;
    if (file_read(str_z(argv[1]), MEMORY_MAX, b.arena, &text, &err) ||
        json_parse(text, JSON_STRICT, (JsonLimits){0}, b.arena, &plan, &err))
        die("plan", &err, b.arena);
    ContextBuilder out = context_make(b.arena);
    expressions(&b, v_get_lit(plan, "expressions"), rates, &out);
    tables(&b, v_get_lit(plan, "tables"), rates, &out);
    flows(&b, v_get_lit(plan, "flows"), rates, &out);
    Str said = json_to_str(context_done(&out), b.arena);
    (void)printf("%.*s\n", S_FMT(said));
    arena_free(b.scratch);
    arena_free(b.arena);
    return 0;
}
