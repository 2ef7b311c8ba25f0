// room: bpmn
// States that nobody wrote: tokens put together at random from the nodes of a flow that has
// everything. Each is BROKEN, or the engine takes every input on it without falling over, and what
// it writes is read again.
#define DECLARED                                                     \
    "<error id=\"er1\" errorCode=\"E\"/><escalation id=\"es1\"/>" \
    "<signalEventDefinition id=\"d1\" signalRef=\"s1\"/>"
#include "bpmn_fixture.h"

enum { STATES = 300000, TOKENS_MAX = 7, ACCEPTED_MIN = 500 };

#define EVENT(kind, id, attributes, inside) \
    "<" kind " id=\"" id "\" " attributes ">" inside "</" kind ">"
#define SIGNAL "<signalEventDefinition signalRef=\"s1\"/>"
#define TIMER "<timerEventDefinition><timeCycle>R3/PT1S</timeCycle></timerEventDefinition>"
#define CONDITION \
    "<conditionalEventDefinition><condition>x = 1</condition></conditionalEventDefinition>"
#define LOOP                                                                              \
    "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality>"              \
    "</multiInstanceLoopCharacteristics>"

#define EVERYTHING                                                                               \
    START "<inclusiveGateway id=\"g\"/><complexGateway id=\"j\"/><inclusiveGateway id=\"k\"/>"     \
          "<parallelGateway id=\"q\"/><eventBasedGateway id=\"h\"/>" USER("a") USER("ua2")         \
        "<userTask id=\"u\" isForCompensation=\"true\"/><userTask id=\"m\">" LOOP "</userTask>" \
        "<userTask id=\"l\" startQuantity=\"2\"><standardLoopCharacteristics loopMaximum=\"2\"/>" \
        "</userTask><association id=\"as\" sourceRef=\"ab\" targetRef=\"u\"/>" \
        EVENT("boundaryEvent", "ab", "attachedToRef=\"a\"", "<compensateEventDefinition/>")        \
        EVENT("boundaryEvent", "ma", "attachedToRef=\"m\" cancelActivity=\"false\"",               \
              TIMER CONDITION SIGNAL)                                                            \
        EVENT("boundaryEvent", "mp", "attachedToRef=\"m\" parallelMultiple=\"true\"",              \
              SIGNAL CONDITION)                                                                  \
        EVENT("boundaryEvent", "tb", "attachedToRef=\"t\"", "<cancelEventDefinition/>")            \
        EVENT("boundaryEvent", "te", "attachedToRef=\"t\"", "<errorEventDefinition/>")             \
        EVENT("intermediateCatchEvent", "c1", "", TIMER)                                         \
        EVENT("intermediateCatchEvent", "c2", "", CONDITION)                                     \
        EVENT("intermediateCatchEvent", "c3", "parallelMultiple=\"true\"", SIGNAL TIMER)           \
        EVENT("intermediateThrowEvent", "th", "", "<compensateEventDefinition/>")                \
        "<adHocSubProcess id=\"d\" yz:activation=\"manual\">" USER("d1a") USER("d2")               \
        "</adHocSubProcess><transaction id=\"t\">" LOOP "<startEvent id=\"ts\"/>" USER("ta") \
        EVENT("endEvent", "tx", "", "<cancelEventDefinition/>") SEQ("ts", "ta") SEQ("ta", "tx")   \
        "<property id=\"own\"/><subProcess id=\"tu\" triggeredByEvent=\"true\">"                   \
        EVENT("startEvent", "tus", "", "<compensateEventDefinition/>") USER("tua")                \
        SEQ("tus", "tua") "</subProcess></transaction>"                                         \
        "<subProcess id=\"v\" triggeredByEvent=\"true\">"                                         \
        EVENT("startEvent", "vs", "isInterrupting=\"false\"", CONDITION SIGNAL) USER("va")         \
        EVENT("endEvent", "vx", "", "<errorEventDefinition errorRef=\"er1\"/>") SEQ("vs", "va")    \
        SEQ("va", "vx") "</subProcess>" END SEQ("s", "g") SEQ("g", "a") SEQ("g", "m")             \
        SEQ("g", "d") SEQ("g", "t") SEQ("g", "h") SEQ("h", "c1") SEQ("h", "c2") SEQ("c1", "j")     \
        SEQ("c2", "j") SEQ("a", "l") SEQ("m", "l") SEQ("l", "k") SEQ("d", "k") SEQ("t", "j")       \
        SEQ("j", "c3") SEQ("c3", "q") SEQ("k", "q") SEQ("q", "th") SEQ("th", "e") SEQ("tb", "e")   \
        SEQ("te", "e") SEQ("ma", "ua2") SEQ("mp", "e")

static uint64_t seed = 1;
static uint32_t pick(uint32_t below) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % below);
}

static Str any_of(Value list) { return v_text(v_get_lit(v_at(list, pick(list.len)), "id")); }

static Value any_field(Value nodes, Value edges, Arena *a) {
    switch (pick(8)) {
    case 0: return v_str(any_of(nodes));
    case 1: return v_str(any_of(edges));
    case 2: return v_null();
    case 3: {
        ListBuilder b = list_make(a);
        if (pick(2)) list_add(&b, v_str(any_of(edges)));
        return list_done(&b);
    }
    case 4: {
        ContextBuilder b = context_make(a);
        context_put(&b, S("own"), v_int(pick(3)));
        return context_done(&b);
    }
    default: return v_int((int64_t)pick(6) - (pick(9) == 0));
    }
}

static Value any_token(Value nodes, Value edges, int64_t id, Arena *a) {
    static const char roles[] = "wwsjamdcg";
    ListBuilder b = list_make(a);
    list_add(&b, v_int(id));
    list_add(&b, v_str(any_of(nodes)));
    uint32_t fields = pick(8);
    if (fields) list_add(&b, v_int(pick(3) ? 0 : pick((uint32_t)id)));
    if (fields > 1) list_add(&b, v_str((Str){&roles[pick(sizeof roles - 1)], 1}));
    for (uint32_t i = 2; i < fields; i++) list_add(&b, any_field(nodes, edges, a));
    return list_done(&b);
}

// Token by token: one is kept if the state still is one, so that deep ones come about.
static Value any_state(const Flow *f, Value nodes, Value edges, Arena *a) {
    ListBuilder kept = list_make(a);
    ContextBuilder v = context_make(a);
    context_put(&v, S("x"), v_int(pick(2)));
    Value state = v_null(), waiting;
    int64_t id = 0;
    uint32_t want = 1 + pick(TOKENS_MAX);
    for (int tries = 0; tries < 60 && kept.len < want; tries++) {
        ListBuilder tokens = list_make(a);
        for (uint32_t i = 0; i < kept.len; i++) list_add(&tokens, kept.items[i]);
        Value token = any_token(nodes, edges, id + 1, a);
        list_add(&tokens, token);
        ContextBuilder b = context_make(a);
        context_put(&b, S("n"), v_int(50));
        context_put(&b, S("t"), list_done(&tokens));
        context_put(&b, S("v"), context_done(&v));
        Error err;
        if (flow_waiting(f, context_done(&b), a, &waiting, &err) != OK && tries < 59) continue;
        list_add(&kept, token);
        state = context_done(&b);
        id++;
    }
    return state;
}

static FlowInput any_input(Value nodes) {
    static const FlowInputKind kinds[] = {FLOW_COMPLETE, FLOW_TIMER,  FLOW_SIGNAL,
                                          FLOW_ERROR,    FLOW_FACTS,  FLOW_ACTIVATE,
                                          FLOW_CANCEL,   FLOW_MESSAGE};
    FlowInput in = {.kind = kinds[pick(8)], .token = 1 + pick(TOKENS_MAX)};
    if (in.kind == FLOW_SIGNAL) in.token = 0;
    in.name = in.kind == FLOW_SIGNAL ? S("storm") : in.kind == FLOW_ERROR ? S("E") : any_of(nodes);
    return in;
}

static void hostile(void **unused) {
    (void)unused;
    Drive d = drive_make(FLOW_XML(EVERYTHING));
    Value outline = flow_outline(d.flow, d.arena);
    Value nodes = v_get_lit(outline, "nodes"), edges = v_get_lit(outline, "edges");
    ArenaMark mark = arena_mark(d.arena);
    size_t accepted = 0;
    for (size_t i = 0; i < STATES / 20; i++, arena_rewind(d.arena, mark)) {
        Value state = any_state(d.flow, nodes, edges, d.arena);
        for (int k = 0; k < 20; k++) {
            FlowInput in = any_input(nodes);
            FlowStep step;
            Error err = {0};
            Status status =
                flow_step(d.flow, state, &in, 1700000000000, d.arena, &step, &err);
            if (status) {
                assert_int_equal(status, err.status);
                continue;
            }
            accepted++;
            Value waiting;
            Str svg, text = json_to_str(step.state, d.arena);
            Value again = drive_json(d.arena, text);
            if (flow_waiting(d.flow, again, d.arena, &waiting, &err))
                fail_msg("by input %d of %lld: %.*s became %.*s", (int)in.kind, (long long)in.token,
                         S_FMT(json_to_str(state, d.arena)), S_FMT(text));
            if (k == 0)
                assert_int_equal(
                    flow_draw(d.flow, again, v_null(), S("zh"), d.arena, &svg, &err), OK);
            if (step.ended) assert_int_equal(v_get_lit(again, "t").len, 0);
            state = again;
        }
    }
    assert_true(accepted > ACCEPTED_MIN);
    drive_free(&d);
}

int main(void) {
    const struct CMUnitTest all[] = {cmocka_unit_test(hostile)};
    return cmocka_run_group_tests(all, NULL, NULL);
}
