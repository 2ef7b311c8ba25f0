// A permit from application to signature: a decision model says which way the flow goes, and every
// task is answered here. Build and run it against the installed library:
//
//   cc permit.c $(pkg-config --cflags --libs yizhan-engines) -o permit
//   ./permit permit.dmn permit.bpmn '{"area": 420, "risk": "low"}'
#include <yizhan/engines.h>

#include <stdio.h>
#include <stdlib.h>

enum { MEMORY_MAX = 64 << 20, FILE_MAX = 8 << 20 };

static void die(const Error *e, Arena *a) {
    Str said = error_message(e, yizhan_engines_english, NULL, a);
    fprintf(stderr, "%.*s: %.*s\n", S_FMT(e->where), S_FMT(said));
    exit(1);
}

static Str read_file(const char *path, Arena *a) {
    FILE *file = fopen(path, "rb");
    char *bytes = arena_alloc_raw(a, FILE_MAX);
    if (!file) perror(path), exit(1);
    size_t n = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    return str_of(bytes, n);
}

// Does what the flow asked for: a person's task is answered at once, a decision is made. Returns
// the variables to complete the token with.
static Value answer(const FlowEffect *e, const DmnModel *model, Value facts, Arena *a) {
    ContextBuilder b = context_make(a);
    if (e->kind == FLOW_OPEN_TASK) {
        Str post = v_text(v_get_lit(e->attributes, "post"));
        printf("%-10.*s %.*s\n", S_FMT(post), S_FMT(e->name));
        return context_done(&b);
    }
    DmnResult decided;
    Error err;
    Str decision = v_text(v_get_lit(e->attributes, "decision"));
    if (dmn_decide(model, decision, facts, 0, a, &decided, &err)) die(&err, a);
    printf("%-10s %.*s: %.*s, because %.*s\n", "", S_FMT(decision),
           S_FMT(v_to_str(decided.value, a)), S_FMT(json_to_str(decided.trace, a)));
    context_put(&b, e->node, decided.value); // the variable has the task's id
    return context_done(&b);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    ARENA_AUTO a = arena_create(MEMORY_MAX);
    jmp_buf limit;
    if (setjmp(limit)) return fputs("too much memory\n", stderr), 1;
    arena_on_limit(a, &limit);
    Error err;
    const DmnModel *model;
    const Flow *flow;
    Value facts;
    if (dmn_load(read_file(argv[1], a), a, &model, &err)) die(&err, a);
    if (flow_load(read_file(argv[2], a), a, &flow, &err)) die(&err, a);
    if (json_parse(str_z(argv[3]), JSON_STRICT, (JsonLimits){0}, a, &facts, &err)) die(&err, a);

    FlowInput input = {.kind = FLOW_START, .facts = facts};
    FlowStep step = {0};
    do {
        if (flow_step(flow, step.state, &input, 0, a, &step, &err)) die(&err, a);
        for (size_t i = 0; i < step.effects_count; i++) {
            const FlowEffect *e = &step.effects[i];
            if (e->kind != FLOW_OPEN_TASK && e->kind != FLOW_CALL_SERVICE) continue;
            input = (FlowInput){.kind = FLOW_COMPLETE, .token = e->token, .facts = facts,
                                .values = answer(e, model, facts, a)};
        }
    } while (!step.ended);
    printf("over, with %.*s\n", S_FMT(json_to_str(flow_variables(step.state), a)));
    return 0;
}
