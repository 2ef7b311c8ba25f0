// room: bpmn
// Soundness: small flows written as "from>to" with the kind of a node in its first letter, and what
// the walk must find.
#include "base/arena.h"
#include "bpmn/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { TEST_MEMORY = 256 << 20, NAMES_MAX = 4000 };

static Str kind_of(Str name) {
    switch (name.ptr[0]) {
    case 's': return S("startEvent");
    case 'e':
    case 'T': return S("endEvent");
    case 'x': return S("exclusiveGateway");
    case 'a': return S("parallelGateway");
    case 'o': return S("inclusiveGateway");
    case 'v': return S("eventBasedGateway");
    case 'r': return S("receiveTask");
    case 'b': return S("boundaryEvent");
    default: return S("task");
    }
}

// A boundary event is "b" and its activity; "bt1" is attached to "t1".
static void put_node(Buf *b, Str name) {
    const Str kind = kind_of(name);
    buf_printf(b, "<%.*s id=\"%.*s\"", S_FMT(kind), S_FMT(name));
    if (name.ptr[0] == 'b') buf_printf(b, " attachedToRef=\"%.*s\"", S_FMT(str_sub(name, 1, 9)));
    buf_printf(b, ">%s</%.*s>\n", name.ptr[0] == 'T' ? "<terminateEventDefinition/>" : "",
               S_FMT(kind));
}

static void put_process(Buf *b, Str flows, Str id) {
    Str seen[NAMES_MAX], rest = flows;
    size_t count = 0, number = 0;
    buf_printf(b, "<process id=\"%.*s\">\n", S_FMT(id));
    while (rest.len) {
        Str pair = str_cut(&rest, ' ');
        const Str ends[2] = {str_cut(&pair, '>'), pair};
        for (size_t i = 0; i < 2; i++) {
            size_t k = 0;
            while (k < count && !str_eq(seen[k], ends[i])) k++;
            if (k < count) continue;
            assert_true(count < NAMES_MAX);
            seen[count++] = ends[i];
            put_node(b, ends[i]);
        }
        buf_printf(b, "<sequenceFlow id=\"%.*s%zu\" sourceRef=\"%.*s\" targetRef=\"%.*s\"/>\n",
                   S_FMT(id), number++, S_FMT(ends[0]), S_FMT(ends[1]));
    }
    buf_lit(b, "</process>");
}

#define OPEN                                                                   \
    "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" "      \
    "targetNamespace=\"urn:t\">"

static void expect_xml(Str xml, Str rule, Str element, Arena *a, int at) {
    FlowFindings fs = {0};
    Error err = {0};
    assert_int_equal(flow_check(xml, NULL, a, &fs, &err), OK);
    size_t found = 0;
    for (size_t i = 0; i < fs.count; i++) {
        if (!str_starts(fs.items[i].rule, S("FLOW"))) continue;
        found++;
        if (!str_eq(fs.items[i].rule, rule) || !str_eq(fs.items[i].element, element))
            fail_msg("line %d: %.*s at %.*s", at, S_FMT(fs.items[i].rule),
                     S_FMT(fs.items[i].element));
    }
    if (found != (rule.len ? 1u : 0u)) fail_msg("line %d: %zu findings", at, found);
}

static void expect(Str flows, Str rule, Str element, int at) {
    Arena *a = arena_create(TEST_MEMORY);
    Buf b = buf_make(a, 4096, 4 << 20);
    buf_lit(&b, OPEN);
    put_process(&b, flows, S("p"));
    buf_lit(&b, "</definitions>");
    expect_xml(buf_view(&b), rule, element, a, at);
    arena_free(a);
}
#define SOUND(flows) expect(S(flows), S(""), S(""), __LINE__)
#define DEADLOCK(flows, at) expect(S(flows), S("FLOW.Deadlock"), S(at), __LINE__)
#define LACK(flows, at) expect(S(flows), S("FLOW.LackOfSync"), S(at), __LINE__)

static void sound(void **unused) {
    (void)unused;
    SOUND("s>t t>e");
    SOUND("s>x1 x1>t1 x1>t2 t1>x2 t2>x2 x2>e");
    SOUND("s>a1 a1>t1 a1>t2 t1>a2 t2>a2 a2>e");
    SOUND("s>o1 o1>t1 o1>t2 t1>o2 t2>o2 o2>e");
    SOUND("s>a1 a1>t1 a1>t2 t1>o2 t2>o2 o2>e");
    SOUND("s>x1 x1>t1 t1>x2 x2>x1 x2>e");           // a loop
    SOUND("s>a1 a1>t1 a1>t2 t1>e1 t2>e2");          // each path ends by itself
    SOUND("s>t1 t1>t2 t1>t3 t2>a1 t3>a1 a1>e");     // a task parts the flow too
    SOUND("s>t1 t1>e bt1>t2 t2>e2");                // interrupted, or not
    SOUND("s>a1 a1>t1 a1>t2 t1>a2 t2>a2 a2>e bt1>T"); // terminated: nothing is left waiting
    // Two choices that cross and still fit.
    SOUND("s>x1 x1>a1 x1>a2 a1>x2 a1>x3 a2>x2 a2>x3 x2>a3 x3>a3 a3>e");
    // An inclusive join waits for what may still come through a loop.
    SOUND("s>o1 o1>x1 o1>t2 x1>t1 t1>x2 x2>x1 x2>o2 t2>o2 o2>e");
}

static void deadlocks(void **unused) {
    (void)unused;
    DEADLOCK("s>x1 x1>t1 x1>t2 t1>a1 t2>a1 a1>e", "a1");
    DEADLOCK("s>o1 o1>t1 o1>t2 t1>a1 t2>a1 a1>e", "a1");
    DEADLOCK("s>a1 a1>t1 a1>t2 t1>x1 x1>a2 x1>e1 t2>a2 a2>e", "a2");
    DEADLOCK("s>a1 t1>a1 a1>t1", "a1"); // waits for its own way back
    DEADLOCK("s>a1 a1>t1 a1>t2 t1>a2 t2>a2 a2>e bt1>e2", "a2");
    DEADLOCK("s>v v>r1 v>r2 r1>a1 r2>a1 a1>e", "a1");
}

static void lacks(void **unused) {
    (void)unused;
    LACK("s>a1 a1>t1 a1>t2 t1>x1 t2>x1 x1>t3 t3>e", "x1");
    LACK("s>a1 a1>t1 a1>t2 t1>x1 t2>x1 x1>e", "x1");
    LACK("s>o1 o1>t1 o1>t2 t1>x1 t2>x1 x1>e", "x1");
    LACK("s>t1 t1>t2 t1>t3 t2>t4 t3>t4 t4>e", "t4"); // without any gateway
    LACK("s>x1 x1>t1 t1>a1 a1>e a1>t2 t2>x1", "x1"); // a parallel loop
}

// Many starts are instances of their own; a join of both is not judged.
static void several_starts(void **unused) {
    (void)unused;
    SOUND("s1>t1 s2>t1 t1>e");
    SOUND("s1>a1 s2>a1 a1>e");
    LACK("s1>x1 s2>a1 a1>x1 a1>t x1>t t>e", "t");
}

static void limits(void **unused) {
    (void)unused;
    Arena *a = arena_create(TEST_MEMORY);
    Buf flows = buf_make(a, 4096, 1 << 20);
    // Structure is taken away whatever its size…
    buf_lit(&flows, "s>x0");
    for (int i = 0; i < 300; i++)
        buf_printf(&flows, " x%d>t%da x%d>t%db t%da>x%d t%db>x%d", 2 * i, i, 2 * i, i, i,
                   2 * i + 1, i, 2 * i + 1);
    for (int i = 0; i < 299; i++) buf_printf(&flows, " x%d>x%d", 2 * i + 1, 2 * i + 2);
    buf_lit(&flows, " x599>e");
    expect(buf_view(&flows), S(""), S(""), __LINE__);
    // … and thirty crossing pairs beside each other have too many markings to be decided.
    flows.len = 0;
    buf_lit(&flows, "s>a0");
    for (int i = 0; i < 30; i++)
        buf_printf(&flows, " a0>xa%d xa%d>ab%d xa%d>ac%d ab%d>xb%d ab%d>xc%d ac%d>xb%d ac%d>xc%d "
                           "xb%d>ad%d xc%d>ad%d ad%d>a1",
                   i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i);
    buf_lit(&flows, " a1>e");
    expect(buf_view(&flows), S(""), S(""), __LINE__);
    arena_free(a);
}

#define SIDE(id, body) "<process id=\"" id "\">" body "</process>"
#define NODE(kind, id) "<" kind " id=\"" id "\"/>"
#define SEQ(id, from, to) \
    "<sequenceFlow id=\"" id "\" sourceRef=\"" from "\" targetRef=\"" to "\"/>"
#define POOLS(messages)                                                            \
    "<collaboration id=\"c\"><participant id=\"p1\" processRef=\"one\"/>"          \
    "<participant id=\"p2\" processRef=\"two\"/>" messages "</collaboration>"
#define MESSAGE(id, from, to) \
    "<messageFlow id=\"" id "\" sourceRef=\"" from "\" targetRef=\"" to "\"/>"
#define ASKS                                                                            \
    SIDE("one", NODE("startEvent", "s1") NODE("sendTask", "ask") NODE("receiveTask", "hear") \
             NODE("endEvent", "e1") SEQ("f1", "s1", "ask") SEQ("f2", "ask", "hear")      \
                 SEQ("f3", "hear", "e1"))
#define BOTH MESSAGE("m1", "ask", "take") MESSAGE("m2", "give", "hear")

static void messages(void **unused) {
    (void)unused;
    Arena *a = arena_create(TEST_MEMORY);
    expect_xml(S(OPEN POOLS(BOTH) ASKS SIDE(
                   "two", NODE("startEvent", "s2") NODE("receiveTask", "take")
                              NODE("sendTask", "give") NODE("endEvent", "e2")
                                  SEQ("g1", "s2", "take") SEQ("g2", "take", "give")
                                      SEQ("g3", "give", "e2"))
                   "</definitions>"),
               S(""), S(""), a, __LINE__);
    // Both wait for the other first.
    expect_xml(S(OPEN POOLS(MESSAGE("m1", "ask", "take") MESSAGE("m2", "give", "hear"))
                     SIDE("one", NODE("startEvent", "s1") NODE("sendTask", "ask")
                                     NODE("receiveTask", "hear") NODE("endEvent", "e1")
                                         SEQ("f1", "s1", "hear") SEQ("f2", "hear", "ask")
                                             SEQ("f3", "ask", "e1"))
                         SIDE("two", NODE("startEvent", "s2") NODE("sendTask", "give")
                                         NODE("endEvent", "e2") NODE("endEvent", "e3")
                                             NODE("exclusiveGateway", "x") NODE("task", "take")
                                                 SEQ("g1", "s2", "x") SEQ("g2", "x", "give")
                                                     SEQ("g3", "give", "e2") SEQ("g4", "x", "e3"))
                             "</definitions>"),
               S("FLOW.Deadlock"), S("hear"), a, __LINE__);
    // What starts by a message and never gets one is no standstill; nor is waiting for a pool
    // whose process is not told.
    expect_xml(S(OPEN POOLS(MESSAGE("m1", "p2", "hear")) ASKS SIDE("two", "") "</definitions>"),
               S(""), S(""), a, __LINE__);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound),          cmocka_unit_test(deadlocks),
        cmocka_unit_test(lacks),          cmocka_unit_test(several_starts),
        cmocka_unit_test(limits),         cmocka_unit_test(messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
