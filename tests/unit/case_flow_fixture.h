// Items with a flow of the test's own, and cases of them: for tests of how flows are driven.
#pragma once

#include "case_fixture.h"

#include "base/embed.h"
#include "case/case_internal.h"
#include "case/pack.h"

#define HEAD                                                                               \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"                                           \
    "<bpmn:definitions xmlns:bpmn=\"http://www.omg.org/spec/BPMN/20100524/MODEL\""         \
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""                             \
    " xmlns:yz=\"urn:yizhan:flow:1\" id=\"d\" targetNamespace=\"urn:yizhan:packs\">"
#define TAIL "</bpmn:definitions>"
#define PROCESS                                                   \
    "<bpmn:process id=\"p\" name=\"流程\" isExecutable=\"true\">" \
    "<bpmn:startEvent id=\"start\"/>"
#define END "<bpmn:endEvent id=\"end\"/></bpmn:process>"
#define FLOW(from, to) \
    "<bpmn:sequenceFlow id=\"" from "_" to "\" sourceRef=\"" from "\" targetRef=\"" to "\"/>"
#define FLOW_IF(from, to, condition)                                                           \
    "<bpmn:sequenceFlow id=\"" from "_" to "\" sourceRef=\"" from "\" targetRef=\"" to "\">"   \
    "<bpmn:conditionExpression xsi:type=\"bpmn:tFormalExpression\">" condition                 \
    "</bpmn:conditionExpression></bpmn:sequenceFlow>"
#define TASK(id, more)                                                                  \
    "<bpmn:userTask id=\"" id "\" name=\"" id "\" yz:post=\"330225-SCJ-SC\" yz:days=\"5\" " more \
    "/>"
#define DECIDE(id)                                                                         \
    "<bpmn:serviceTask id=\"" id "\" name=\"决定\" yz:service=\"decide\" yz:outcome=\"granted\"" \
    " yz:reason=\"好\"/>"

// The generic item under another code, with another flow.
static inline void publish(County *c, const char *code, const char *flow) {
    Error err;
    Value files, ret;
    if (pack_read(S("packs/generic"), c->a, &files, &err) != OK) fixture_fail("pack", &err);
    ContextBuilder b = context_make(c->a);
    for (uint32_t i = 0; i < files.len; i++) {
        const Entry *e = &files.as.entries[i];
        if (str_eq(e->key, S("form.json"))) context_put(&b, e->key, e->value);
        if (!str_eq(e->key, S("item.json"))) continue;
        Value spec;
        if (json_parse(v_text(e->value), JSON_STRICT, (JsonLimits){0}, c->a, &spec, &err) != OK) {
            fixture_fail("item.json", &err);
        }
        spec = v_with(spec, S("code"), v_str(str_z(code)), c->a);
        spec = v_with(spec, S("unit"), v_lit("330225-SCJ"), c->a);
        context_put(&b, e->key, v_str(json_to_str(spec, c->a)));
    }
    context_put_lit(&b, "flow.bpmn", v_str(str_z(flow)));
    ListBuilder packs = list_make(c->a);
    list_add(&packs, context_done(&b));
    ContextBuilder input = context_make(c->a);
    context_put_lit(&input, "packs", list_done(&packs));
    c->errs = errors_make(c->a);
    Status st = command_run(c->f->store, command_find(S("item.publish")), &actor_system,
                            context_done(&input), c->now, c->a, &ret, &c->errs);
    if (st != OK) county_fail("item.publish", &c->errs);
}

static inline Value with_id(County *c, Value submitted, const char *more) {
    return v_merge(county_json(c, more),
                   v_with(v_null(), S("id"), v_get_lit(submitted, "id"), c->a), c->a);
}

static inline int64_t id_of(Value submitted) { return v_to_int(v_get_lit(submitted, "id"), 0); }

// A case of the item in approval.
static inline Value begin(County *c, const char *code) {
    Actor citizen = county_actor(c, "citizen"), clerk = county_actor(c, "clerk");
    Value input = county_json(c, "{'situation':{},'answers':{'matter':'申请办理，材料随附。',"
                                 "'truthful':'true','name':'张三','id_number':"
                                 "'330225197706151027','phone':'13800000001'},'materials':"
                                 "['application']}");
    input = v_with(input, S("item"), v_str(str_z(code)), c->a);
    Value submitted = county_do(c, "case.submit", &citizen, input);
    county_do(c, "case.accept", &clerk, with_id(c, submitted, "{}"));
    return submitted;
}

static inline void complete(County *c, Value submitted, const char *node, const char *more) {
    Actor everyone = county_everyone(c);
    Value input = v_with(county_json(c, more), S("case"), v_get_lit(submitted, "id"), c->a);
    input = v_with(input, S("node"), v_str(str_z(node)), c->a);
    if (!v_has(input, S("outcome"))) input = v_with(input, S("outcome"), v_lit("pass"), c->a);
    county_do(c, "task.complete", &everyone, input);
}

static inline int64_t open_tasks(County *c, Value submitted) {
    return county_int(c, "SELECT COUNT(*) FROM task WHERE case_id = ?1 AND state < 3",
                      id_of(submitted));
}

static inline int64_t case_state(County *c, Value submitted) {
    return county_int(c, "SELECT state FROM cases WHERE id = ?1", id_of(submitted));
}

static inline int64_t events_of(County *c, Value submitted, const char *kind) {
    Arena *a = c->a;
    Str sql = arena_printf(a, "SELECT COUNT(*) FROM event WHERE case_id = ?1 AND kind = '%s'",
                           kind);
    return county_int(c, arena_cstr(a, sql), id_of(submitted));
}

static inline void run_due(County *c, Instant at) {
    Error err;
    int64_t done = 0;
    if (case_run_due(c->room, c->f->store, at, &done, &err) != OK) fixture_fail("run_due", &err);
}
