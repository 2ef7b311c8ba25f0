// room: bpmn
#include "bpmn_fixture.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#define DI                                                                          \
    "<bpmndi:BPMNDiagram xmlns:bpmndi=\"http://www.omg.org/spec/BPMN/20100524/DI\"" \
    " xmlns:dc=\"http://www.omg.org/spec/DD/20100524/DC\""                          \
    " xmlns:di=\"http://www.omg.org/spec/DD/20100524/DI\"><bpmndi:BPMNPlane>"
#define EDGE(element, points) \
    "<bpmndi:BPMNEdge bpmnElement=\"" element "\">" points "</bpmndi:BPMNEdge>"
#define SHAPE(id, x, y, w, h)                                                                \
    "<bpmndi:BPMNShape bpmnElement=\"" id "\"><dc:Bounds x=\"" x "\" y=\"" y "\" width=\"" w \
    "\" height=\"" h "\"/></bpmndi:BPMNShape>"
#define DI_END "</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>"

static Value node_of(Value outline, const char *id) {
    Value nodes = v_get_lit(outline, "nodes");
    for (uint32_t i = 0; i < nodes.len; i++)
        if (str_eq(v_text(v_get_lit(v_at(nodes, i), "id")), str_z(id))) return v_at(nodes, i);
    fail_msg("%s is not in the outline", id);
    return v_null();
}

static int64_t bound(Value outline, const char *id, const char *which) {
    return v_to_int(v_get(v_get_lit(node_of(outline, id), "bounds"), str_z(which)), -99999);
}

static void from_the_file(void **unused) {
    (void)unused;
    Drive d = drive_make(S(
        FLOW_HEAD "<process id=\"p\" name=\"试验\" isExecutable=\"true\"><startEvent id=\"s\"/>"
                  "<userTask id=\"a\" name=\"办\" yz:post=\"= x\"/><endEvent id=\"e\"/>" SEQ(
                      "s", "a") SEQ("a", "e") "</process>" DI SHAPE("s", "100", "112.5", "36", "36")
                      SHAPE("a", "2e2", "90", "100", "80") SHAPE("e", "400", "112", "36", "36")
                          SHAPE("nothing", "1", "1", "1",
                                "1") "<bpmndi:BPMNEdge bpmnElement=\"s_a\"><di:waypoint x=\"136\" "
                                     "y=\"130\"/><di:waypoint x=\"200\" y=\"130\"/>"
                                     "</bpmndi:BPMNEdge>" DI_END "</definitions>"));
    Value o = flow_outline(d.flow, d.arena);
    assert_str(v_text(v_get_lit(o, "name")), "试验");
    assert_str(
        json_to_str(node_of(o, "a"), d.arena),
        "{\"id\":\"a\",\"name\":\"办\",\"kind\":\"userTask\",\"event\":\"\",\"message\":\"\","
        "\"parent\":null,"
        "\"attributes\":{\"post\":\"= x\"},\"bounds\":{\"x\":200,\"y\":90,\"w\":100,\"h\":80}}");
    assert_int_equal(bound(o, "s", "y"), 113);
    Value edge = v_at(v_get_lit(o, "edges"), 0);
    assert_str(json_to_str(edge, d.arena), "{\"id\":\"s_a\",\"name\":\"\",\"from\":\"s\",\"to\":"
                                           "\"a\",\"points\":[{\"x\":136,\"y\":130},"
                                           "{\"x\":200,\"y\":130}]}");
    // An edge the file does not draw gets points all the same.
    assert_true(v_get_lit(v_at(v_get_lit(o, "edges"), 1), "points").len >= 2);
    drive_free(&d);
}

#define FORKED                                                                                   \
    START "<parallelGateway id=\"f\"/>" USER("a") USER("b")                                      \
        USER("c") "<parallelGateway id=\"j\"/>"                                                  \
                  "<exclusiveGateway id=\"x\" default=\"x_e\"/>" END SEQ("s", "f") SEQ("f", "a") \
                      SEQ("f", "b") SEQ("b", "c") SEQ("a", "j") SEQ("c", "j") SEQ("j", "x")      \
                          WHEN("x", "f", "again") SEQ("x", "e")

static bool overlap(Value o, const char *a, const char *b) {
    return bound(o, a, "x") < bound(o, b, "x") + bound(o, b, "w") &&
           bound(o, b, "x") < bound(o, a, "x") + bound(o, a, "w") &&
           bound(o, a, "y") < bound(o, b, "y") + bound(o, b, "h") &&
           bound(o, b, "y") < bound(o, a, "y") + bound(o, a, "h");
}

static void laid_out(void **unused) {
    (void)unused;
    Drive d = drive_make(FLOW_XML(FORKED));
    Value o = flow_outline(d.flow, d.arena);
    static const char *const order[] = {"s", "f", "b", "c", "j", "x", "e"};
    for (size_t i = 1; i < 7; i++) // work flows from left to right, in spite of the loop
        assert_true(bound(o, order[i - 1], "x") + bound(o, order[i - 1], "w") <=
                    bound(o, order[i], "x"));
    static const char *const all[] = {"s", "f", "a", "b", "c", "j", "x", "e"};
    for (size_t i = 0; i < 8; i++)
        for (size_t k = i + 1; k < 8; k++)
            if (overlap(o, all[i], all[k])) fail_msg("%s lies on %s", all[i], all[k]);
    Value edges = v_get_lit(o, "edges");
    for (uint32_t i = 0; i < edges.len; i++)
        assert_true(v_get_lit(v_at(edges, i), "points").len >= 2);
    drive_free(&d);
    // In its sub-process, the boundary event on its border.
    d = drive_make(FLOW_XML(START "<subProcess id=\"sub\"><startEvent id=\"ss\"/>" USER(
        "a") "<endEvent id=\"se\"/>" SEQ("ss", "a")
                                SEQ("a", "se") "</subProcess><boundaryEvent id=\"b\" "
                                               "attachedToRef=\"sub\"><signalEventDefinition "
                                               "signalRef=\"s1\"/></boundaryEvent>" END SEQ(
                                                   "s", "sub") SEQ("sub", "e") SEQ("b", "e")));
    o = flow_outline(d.flow, d.arena);
    assert_true(bound(o, "a", "x") > bound(o, "sub", "x"));
    assert_true(bound(o, "a", "x") + bound(o, "a", "w") <
                bound(o, "sub", "x") + bound(o, "sub", "w"));
    assert_true(bound(o, "a", "y") > bound(o, "sub", "y"));
    assert_true(bound(o, "a", "y") + bound(o, "a", "h") <
                bound(o, "sub", "y") + bound(o, "sub", "h"));
    assert_true(overlap(o, "sub", "b"));
    drive_free(&d);
}

static Str draw(Drive *d, Str records, Str lang) {
    Str svg;
    Status status = flow_draw(d->flow, drive_json(d->arena, d->state),
                              drive_json(d->arena, records), lang, d->arena, &svg, &d->err);
    assert_int_equal(status, OK);
    xmlDoc *doc = xmlReadMemory(svg.ptr, (int)svg.len, NULL, NULL, XML_PARSE_NONET);
    if (!doc) fail_msg("not XML: %.*s", S_FMT(svg));
    xmlFreeDoc(doc);
    return svg;
}

static bool has(Str s, const char *what) { return str_find(s, str_z(what)) >= 0; }

static void where_it_stands(void **unused) {
    (void)unused;
    Drive d = drive_make(FLOW_XML(START USER("a") USER("b") USER("c") END SEQ("s", "a")
                                      SEQ("a", "b") SEQ("b", "c") SEQ("c", "e")));
    Str svg = draw(&d, S(""), S("zh")); // not begun
    assert_true(has(svg, "待办理") && !has(svg, "进行中") && !has(svg, "已完成"));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    svg = draw(&d, S("[\"s\",\"a\"]"), S("zh"));
    assert_true(has(svg, "<svg ") && has(svg, "role=\"img\"") &&
                has(svg, "aria-labelledby=\"flow-title flow-desc\""));
    assert_true(has(svg, "<title id=\"flow-title\">试验</title>"));
    assert_true(has(svg, "<desc id=\"flow-desc\">进行中：办b。已完成：办a。待办理：办c。</desc>"));
    assert_true(
        has(svg, "class=\"flow-node flow-done\" data-node=\"a\"><title>办a：已完成</title>"));
    assert_true(
        has(svg, "class=\"flow-node flow-active\" data-node=\"b\"><title>办b：进行中</title>"));
    assert_true(
        has(svg, "class=\"flow-node flow-todo\" data-node=\"c\"><title>办c：待办理</title>"));
    assert_false(has(svg, "style="));
    svg = draw(&d, S("[\"s\",\"a\",\"unknown\"]"), S("en"));
    assert_true(has(svg, "In progress: 办b. Done: 办a. To do: 办c. "));
    assert_false(has(svg, "已完成"));
    Str none;
    d.state = S("{\"n\":1}");
    assert_int_equal(
        flow_draw(d.flow, drive_json(d.arena, d.state), v_null(), S("zh"), d.arena, &none, &d.err),
        BROKEN);
    drive_free(&d);
}

static void escaped(void **unused) {
    (void)unused;
    Drive d = drive_make(FLOW_XML(
        START
        "<userTask id=\"a\" name=\"&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; "
        "&apos;x&apos; "
        "&#x1F4C4; a long name that has to be cut somewhere because it would never fit\"/>" END
        "<sequenceFlow id=\"f\" name=\"&lt;b&gt;\" sourceRef=\"s\" targetRef=\"a\"/>" SEQ("a",
                                                                                          "e")));
    Str svg = draw(&d, S(""), S("zh"));
    assert_false(has(svg, "<script") || has(svg, "<b>"));
    assert_true(has(svg, "&lt;script&gt;") && has(svg, "&lt;b&gt;") && has(svg, "…"));
    drive_free(&d);
}

// Drawings with mistakes: what is wrong is left out, the flow is loaded and drawn.
static void drawings_with_mistakes(void **unused) {
    (void)unused;
    static const char *const shapes[] = {
        SHAPE("a", "x", "1", "1", "1"),
        SHAPE("a", "1", "1", "0", "0"),
        SHAPE("a", "1", "1", "-5", "9"),
        SHAPE("a", "1e30", "1", "1", "1"),
        SHAPE("a", "NaN", "1", "1", "1"),
        SHAPE("", "1", "1", "1", "1"),
        "<bpmndi:BPMNShape bpmnElement=\"a\"/>",
        "<bpmndi:BPMNEdge bpmnElement=\"s_a\"/>",
        EDGE("gone", "<di:waypoint x=\"1\" y=\"1\"/><di:waypoint x=\"2\" y=\"1\"/>"),
        EDGE("s_a", "<di:waypoint x=\"1\"/><di:waypoint y=\"2\"/>"),
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        Arena *a = arena_create(1 << 20);
        Drive d = drive_make(arena_printf(
            a, "%s<process id=\"p\" isExecutable=\"true\">%s</process>%s%s%s</definitions>",
            FLOW_HEAD, START USER("a") END SEQ("s", "a") SEQ("a", "e"), DI, shapes[i], DI_END));
        Value o = flow_outline(d.flow, d.arena);
        assert_int_equal(bound(o, "a", "w"), 120); // laid out
        (void)draw(&d, S("[\"a\"]"), S("zh"));
        drive_free(&d);
        arena_free(a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_the_file),          cmocka_unit_test(laid_out),
        cmocka_unit_test(where_it_stands),        cmocka_unit_test(escaped),
        cmocka_unit_test(drawings_with_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
