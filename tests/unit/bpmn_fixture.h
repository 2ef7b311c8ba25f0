// Shared by the tests of bpmn/: small flows written in place, and a driver that does what case/
// does: keeps the state as JSON text between steps, keeps open tasks, services and timers from the
// effects, and checks on every step that effects and state agree.
#pragma once

#include "bpmn/bpmn.h"
#include "value/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#ifndef DECLARED // more of what stands before the process, in its line
#define DECLARED ""
#endif
#define FLOW_HEAD                                                          \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                         \
    "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\"\n" \
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"\n"           \
    " xmlns:yz=\"urn:yizhan:flow:1\" targetNamespace=\"urn:test\">\n"      \
    "<message id=\"m1\" name=\"paid\"/><message id=\"m2\" name=\"sent\"/>" \
    "<signal id=\"s1\" name=\"storm\"/>" DECLARED "\n"
#define FLOW_XML(body)                                                          \
    S(FLOW_HEAD "<process id=\"p\" name=\"试验\" isExecutable=\"true\">\n" body \
                "</process></definitions>\n")

#define START "<startEvent id=\"s\"/>"
#define END "<endEvent id=\"e\"/>"
#define USER(id) "<userTask id=\"" id "\" name=\"办" id "\"/>"
#define SEQ(from, to) \
    "<sequenceFlow id=\"" from "_" to "\" sourceRef=\"" from "\" targetRef=\"" to "\"/>"
#define WHEN(from, to, condition)                                                       \
    "<sequenceFlow id=\"" from "_" to "\" sourceRef=\"" from "\" targetRef=\"" to "\">" \
    "<conditionExpression xsi:type=\"tFormalExpression\">" condition                    \
    "</conditionExpression></sequenceFlow>"

enum { TEST_MEMORY = 256 << 20, OPEN_MAX = 64, RECORDS_MAX = 400 };

typedef struct Open {
    int64_t token;
    char node[40];
    bool timer;
} Open;

typedef struct Drive {
    Arena *arena;
    const Flow *flow;
    Str state; // JSON text, empty before the start
    Open open[OPEN_MAX];
    size_t open_count;
    char records[RECORDS_MAX][24];
    size_t records_count;
    FlowStep step;
    bool ended;
    Error err;
} Drive;

static inline Value drive_json(Arena *a, Str text) {
    Value v;
    Error err;
    if (str_empty(text)) return v_null();
    Status status = json_parse(text, JSON_STRICT, (JsonLimits){0}, a, &v, &err);
    if (status) fail_msg("bad JSON in the test: %.*s", S_FMT(text));
    return v;
}

static inline Drive drive_make(Str xml) {
    Drive d = {.arena = arena_create(TEST_MEMORY)};
    if (flow_load(xml, d.arena, &d.flow, &d.err)) {
        Str told = error_message(&d.err, NULL, NULL, d.arena);
        fail_msg("the flow is refused: line %.*s: %.*s", S_FMT(d.err.where), S_FMT(told));
    }
    return d;
}
static inline void drive_free(Drive *d) { arena_free(d->arena); }

static inline void drive_close(Drive *d, int64_t token, bool timer) {
    for (size_t i = 0; i < d->open_count; i++) {
        if (d->open[i].token != token || d->open[i].timer != timer) continue;
        d->open[i] = d->open[--d->open_count];
        return;
    }
    fail_msg("an effect closes token %lld, which is not open", (long long)token);
}

static inline void drive_effects(Drive *d) {
    for (size_t i = 0; i < d->step.effects_count; i++) {
        const FlowEffect *e = &d->step.effects[i];
        switch (e->kind) {
        case FLOW_OPEN_TASK:
        case FLOW_CALL_SERVICE:
        case FLOW_SET_TIMER: {
            assert_true(d->open_count < OPEN_MAX);
            Open *o = &d->open[d->open_count++];
            o->token = e->token;
            o->timer = e->kind == FLOW_SET_TIMER;
            (void)snprintf(o->node, sizeof o->node, "%.*s", S_FMT(e->node));
            break;
        }
        case FLOW_CLOSE_TASK: drive_close(d, e->token, false); break;
        case FLOW_CLEAR_TIMER: drive_close(d, e->token, true); break;
        case FLOW_RECORD:
            assert_true(d->records_count < RECORDS_MAX);
            (void)snprintf(d->records[d->records_count++], sizeof d->records[0], "%.*s",
                           S_FMT(e->node));
            break;
        case FLOW_ENDED:
        case FLOW_FAILED: assert_true(d->step.ended); break;
        case FLOW_THROW_MESSAGE:
        case FLOW_THROW_SIGNAL:
        case FLOW_ESCALATED: assert_true(e->node.len > 0); break;
        }
    }
}

static inline Status drive_input(Drive *d, FlowInput in, Str values) {
    in.values = drive_json(d->arena, values);
    Status status = flow_step(d->flow, drive_json(d->arena, d->state), &in, 1700000000000, d->arena,
                              &d->step, &d->err);
    if (status) return status;
    if (in.kind == FLOW_COMPLETE || in.kind == FLOW_ERROR) drive_close(d, in.token, false);
    if (in.kind == FLOW_TIMER) drive_close(d, in.token, true);
    drive_effects(d);
    d->state = json_to_str(d->step.state, d->arena);
    d->ended = d->step.ended;
    if (d->ended) assert_int_equal(d->open_count, 0);
    return OK;
}

static inline int64_t drive_token(const Drive *d, const char *node) {
    for (size_t i = 0; i < d->open_count; i++)
        if (strcmp(d->open[i].node, node) == 0) return d->open[i].token;
    return 0;
}
static inline bool drive_is_open(const Drive *d, const char *node) {
    return drive_token(d, node) != 0;
}
static inline size_t drive_passed(const Drive *d, const char *node) {
    size_t n = 0;
    for (size_t i = 0; i < d->records_count; i++) n += strcmp(d->records[i], node) == 0;
    return n;
}

static inline Status drive_start(Drive *d, Str values) {
    return drive_input(d, (FlowInput){.kind = FLOW_START}, values);
}
static inline Status drive_done(Drive *d, const char *node, Str values) {
    int64_t token = drive_token(d, node);
    if (!token) fail_msg("%s is not open", node);
    return drive_input(d, (FlowInput){.kind = FLOW_COMPLETE, .token = token}, values);
}
static inline Status drive_timer(Drive *d, const char *node) {
    int64_t token = drive_token(d, node);
    if (!token) fail_msg("%s is not open", node);
    return drive_input(d, (FlowInput){.kind = FLOW_TIMER, .token = token}, S(""));
}
static inline Status drive_message(Drive *d, Str name, Str values) {
    return drive_input(d, (FlowInput){.kind = FLOW_MESSAGE, .name = name}, values);
}
static inline Status drive_signal(Drive *d, Str name, Str values) {
    return drive_input(d, (FlowInput){.kind = FLOW_SIGNAL, .name = name}, values);
}
static inline Status drive_error(Drive *d, const char *node, Str code) {
    int64_t token = drive_token(d, node);
    if (!token) fail_msg("%s is not open", node);
    return drive_input(d, (FlowInput){.kind = FLOW_ERROR, .token = token, .name = code}, S(""));
}
// The effect of that kind in the last step, NULL when there is none.
static inline const FlowEffect *drive_effect(const Drive *d, FlowEffectKind kind) {
    for (size_t i = 0; i < d->step.effects_count; i++)
        if (d->step.effects[i].kind == kind) return &d->step.effects[i];
    return NULL;
}
static inline Str drive_variables(Drive *d) {
    return json_to_str(flow_variables(drive_json(d->arena, d->state)), d->arena);
}
#define assert_str(a, literal) drive_assert_str((a), S(literal), __FILE__, __LINE__)
static inline void drive_assert_str(Str a, Str b, const char *file, int line) {
    if (str_eq(a, b)) return;
    print_error("%s:%d: \"%.*s\" is not \"%.*s\"\n", file, line, S_FMT(a), S_FMT(b));
    _fail(file, line);
}
