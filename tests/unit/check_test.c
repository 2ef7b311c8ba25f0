// room: bpmn
// The rules one by one, where the public set has no file: each is broken once, and the same model
// without the fault has no finding of it.
#include "base/arena.h"
#include "bpmn/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { TEST_MEMORY = 256 << 20 };

#define HEAD                                                                        \
    "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" "           \
    "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:t=\"urn:t\" "    \
    "targetNamespace=\"urn:t\">\n"
#define MODEL(body) HEAD body "</definitions>"
#define PROCESS(body) MODEL("<process id=\"p\" isExecutable=\"true\">\n" body "</process>")
#define SEQ(id, from, to) \
    "<sequenceFlow id=\"" id "\" sourceRef=\"" from "\" targetRef=\"" to "\"/>\n"
#define START "<startEvent id=\"s\"><outgoing>f1</outgoing></startEvent>\n"
#define TASK "<task id=\"a\"><incoming>f1</incoming><outgoing>f2</outgoing></task>\n"
#define END "<endEvent id=\"e\"><incoming>f2</incoming></endEvent>\n"
#define LINE SEQ("f1", "s", "a") SEQ("f2", "a", "e")

static FlowFindings check(Str xml, const FlowCheckOptions *o, Arena *a) {
    FlowFindings fs = {0};
    Error err = {0};
    assert_int_equal(flow_check(xml, o, a, &fs, &err), OK);
    return fs;
}

static const FlowFinding *find(const FlowFindings *fs, Str rule) {
    for (size_t i = 0; i < fs->count; i++)
        if (str_eq(fs->items[i].rule, rule)) return &fs->items[i];
    return NULL;
}

static void has_at(Str xml, Str rule, uint32_t line, int at) {
    Arena *a = arena_create(TEST_MEMORY);
    const FlowFindings fs = check(xml, NULL, a);
    const FlowFinding *f = find(&fs, rule);
    if (!f || (line && f->line != line)) {
        for (size_t i = 0; i < fs.count; i++)
            print_message("%.*s@%u %.*s\n", S_FMT(fs.items[i].rule), fs.items[i].line,
                          S_FMT(flow_finding_message(&fs.items[i], NULL, NULL, a)));
        fail_msg("line %d: no %.*s@%u", at, S_FMT(rule), line);
    }
    arena_free(a);
}
#define HAS(xml, rule, line) has_at(S(xml), S(rule), (line), __LINE__)

static void clean_at(Str xml, int at) {
    Arena *a = arena_create(TEST_MEMORY);
    const FlowFindings fs = check(xml, NULL, a);
    for (size_t i = 0; i < fs.count; i++)
        print_message("%.*s@%u %.*s\n", S_FMT(fs.items[i].rule), fs.items[i].line,
                      S_FMT(flow_finding_message(&fs.items[i], NULL, NULL, a)));
    if (fs.count) fail_msg("line %d: findings", at);
    arena_free(a);
}
#define CLEAN(xml) clean_at(S(xml), __LINE__)

static void plain(void **unused) {
    (void)unused;
    CLEAN(PROCESS(START TASK END LINE));
    HAS("<a>", "XML", 1);
    HAS("<a/>", "XSD-Check", 1);
}

static void schema(void **unused) {
    (void)unused;
    HAS(PROCESS("<nonsense/>\n"), "XSD-Check", 3);
    HAS(PROCESS("<t:own/>\n"), "XSD-Check", 3);
    CLEAN(PROCESS("<extensionElements><t:own/></extensionElements>\n"));
    HAS(PROCESS("<extensionElements><task/></extensionElements>\n"), "XSD-Check", 3);
    HAS(PROCESS("text"), "XSD-Check", 2);
    HAS(PROCESS("<task id=\"a\" nonsense=\"\"/>\n"), "XSD-Check", 3);
    HAS(PROCESS("<task id=\"a\" isForCompensation=\"yes\"/>\n"), "XSD-Check", 3);
    HAS(PROCESS("<task id=\"a\" startQuantity=\"1.5\"/>\n"), "XSD-Check", 3);
    HAS(PROCESS("<task id=\"1\"/>\n"), "XSD-Check", 3);
    HAS(PROCESS("<task id=\"a\"/>\n<task id=\"a\"/>\n"), "XSD-Check", 4);
    HAS(PROCESS("<sequenceFlow id=\"f\" sourceRef=\"p\"/>\n"), "XSD-Check", 3);
    HAS(PROCESS("<callActivity calledElement=\"no:where\"/>\n"), "XSD-Check", 3);
    HAS(PROCESS("<flowElement/>\n"), "XSD-Check", 3);
    // After the flow elements there is no way back to what stands before them.
    HAS(PROCESS("<task id=\"a\"/>\n<property id=\"x\"/>\n"), "XSD-Check", 4);
    HAS(PROCESS("<task id=\"a\"/>\n<textAnnotation id=\"x\"/>\n<task id=\"b\"/>\n"), "XSD-Check",
        5);
    HAS(PROCESS("<task id=\"a\"><ioSpecification>\n<outputSet/></ioSpecification></task>\n"),
        "XSD-Check", 3);
    HAS(PROCESS("<exclusiveGateway id=\"a\" gatewayDirection=\"Both\"/>\n"), "XSD-Check", 3);
    HAS(PROCESS("<intermediateCatchEvent id=\"a\"><timerEventDefinition>\n<timeDate/>"
                "<timeCycle/></timerEventDefinition></intermediateCatchEvent>\n"),
        "XSD-Check", 4);
    HAS(PROCESS("<intermediateCatchEvent id=\"a\"><timerEventDefinition>\n"
                "<timeDate xsi:type=\"tTask\"/></timerEventDefinition>"
                "</intermediateCatchEvent>\n"),
        "XSD-Check", 4);
    HAS("<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\"/>", "XSD-Check", 1);
}

static void references(void **unused) {
    (void)unused;
    HAS(PROCESS("<callActivity calledElement=\"gone\"/>\n"), "REF_EXISTENCE", 3);
    HAS(PROCESS("<callActivity calledElement=\"t:gone\"/>\n"), "REF_EXISTENCE", 3);
    HAS(PROCESS("<callActivity id=\"a\" calledElement=\"t:a\"/>\n"), "REF_TYPE", 3);
    HAS(PROCESS("<task id=\"a\" default=\"a\"/>\n"), "REF_TYPE", 3);
    HAS(PROCESS("<task id=\"a\">\n<incoming>p</incoming></task>\n"), "REF_TYPE", 4);
    HAS(PROCESS("<laneSet><lane>\n<flowNodeRef>gone</flowNodeRef></lane></laneSet>\n"),
        "REF_EXISTENCE", 4);
}

// A start event, an activity with a boundary event, an end event; what is said goes in between.
#define BOUNDED(event, more)                                                                \
    PROCESS(START TASK END LINE "<boundaryEvent id=\"b\" attachedToRef=\"a\"" event "\n" more)
#define B_OUT "<outgoing>f3</outgoing>"
#define B_END "<endEvent id=\"e3\"><incoming>f3</incoming></endEvent>" SEQ("f3", "b", "e3")

static void boundaries(void **unused) {
    (void)unused;
    CLEAN(BOUNDED(">" B_OUT "<timerEventDefinition/></boundaryEvent>", B_END));
    HAS(BOUNDED(">" B_OUT "</boundaryEvent>", B_END), "EXT.110", 8);
    HAS(BOUNDED(">" B_OUT "<terminateEventDefinition/></boundaryEvent>", B_END), "EXT.110", 8);
    HAS(BOUNDED(" cancelActivity=\"false\">" B_OUT "<errorEventDefinition/></boundaryEvent>",
                B_END),
        "EXT.110", 8);
    HAS(BOUNDED(">" B_OUT "<cancelEventDefinition/></boundaryEvent>", B_END), "EXT.111", 8);
    HAS(BOUNDED("><timerEventDefinition/></boundaryEvent>", ""), "EXT.113", 8);
    HAS(BOUNDED(">" B_OUT "<compensateEventDefinition/></boundaryEvent>", B_END), "EXT.114", 8);
    HAS(BOUNDED("><compensateEventDefinition/></boundaryEvent>", ""), "EXT.143", 8);
    CLEAN(BOUNDED("><compensateEventDefinition/></boundaryEvent>",
                  "<task id=\"undo\" isForCompensation=\"true\"/>"
                  "<association id=\"x\" sourceRef=\"b\" targetRef=\"undo\"/>"));
    HAS(BOUNDED("><compensateEventDefinition/></boundaryEvent>",
                "<task id=\"undo\"><incoming>f9</incoming><outgoing>f9</outgoing></task>"
                "<association id=\"x\" sourceRef=\"b\" targetRef=\"undo\"/>"),
        "EXT.144", 8);
}

#define GATE(direction, flows)                                                \
    PROCESS("<exclusiveGateway id=\"g\" gatewayDirection=\"" direction "\">" flows \
            "</exclusiveGateway>\n")

static void gateways(void **unused) {
    (void)unused;
    HAS(GATE("Mixed", "<incoming>x</incoming><outgoing>y</outgoing><outgoing>z</outgoing>"),
        "EXT.019", 3);
    HAS(GATE("Mixed", "<incoming>x</incoming><outgoing>y</outgoing>"), "EXT.135", 3);
    HAS(GATE("Converging", "<outgoing>y</outgoing><outgoing>z</outgoing>"), "EXT.017", 3);
    HAS(GATE("Diverging", "<incoming>y</incoming><incoming>z</incoming>"), "EXT.018", 3);
    HAS(PROCESS("<eventBasedGateway id=\"g\"><outgoing>x</outgoing></eventBasedGateway>\n"),
        "EXT.136", 3);
    HAS(PROCESS("<eventBasedGateway id=\"g\" instantiate=\"true\"><incoming>x</incoming>"
                "</eventBasedGateway>\n"),
        "EXT.142", 3);
    HAS(PROCESS("<eventBasedGateway id=\"g\"/><receiveTask id=\"r\"/>\n"
                "<sequenceFlow id=\"f\" sourceRef=\"g\" targetRef=\"r\"><conditionExpression/>"
                "</sequenceFlow>\n"),
        "EXT.137", 4);
    HAS(PROCESS("<eventBasedGateway id=\"g\"/><receiveTask id=\"r\"/>\n"
                "<intermediateCatchEvent id=\"m\"><messageEventDefinition/>"
                "</intermediateCatchEvent>" SEQ("f", "g", "r") SEQ("h", "g", "m")),
        "EXT.139", 3);
}

static void events(void **unused) {
    (void)unused;
    HAS(PROCESS("<endEvent id=\"e\"><outgoing>x</outgoing></endEvent>\n"), "EXT.104", 3);
    HAS(PROCESS("<intermediateThrowEvent id=\"x\"><errorEventDefinition/>"
                "</intermediateThrowEvent>\n"),
        "EXT.149", 3);
    HAS(PROCESS("<intermediateCatchEvent id=\"x\"><messageEventDefinition/>"
                "</intermediateCatchEvent>\n"),
        "EXT.127", 3);
    HAS(MODEL("<collaboration><participant id=\"pool\"/>"
              "<messageFlow id=\"m\" sourceRef=\"e\" targetRef=\"pool\"/></collaboration>\n"
              "<process id=\"p\">\n<endEvent id=\"e\"/></process>"),
        "EXT.109", 4);
    // Links pair by name where they don't refer to each other.
    CLEAN(PROCESS(START "<intermediateThrowEvent id=\"x\"><incoming>f1</incoming>"
                        "<linkEventDefinition name=\"l\"/></intermediateThrowEvent>"
                        "<intermediateCatchEvent id=\"y\"><outgoing>f2</outgoing>"
                        "<linkEventDefinition name=\"l\"/></intermediateCatchEvent>" END
                            SEQ("f1", "s", "x") SEQ("f2", "y", "e")));
    HAS(PROCESS("<intermediateThrowEvent id=\"x\">\n<linkEventDefinition name=\"l\"/>"
                "</intermediateThrowEvent>"),
        "EXT.125", 4);
}

static void tasks(void **unused) {
    (void)unused;
    HAS(PROCESS("<task id=\"a\" completionQuantity=\"0\"/>\n"), "EXT.038", 3);
    HAS(PROCESS("<subProcess id=\"a\" triggeredByEvent=\"true\"><incoming>x</incoming>"
                "</subProcess>\n"),
        "EXT.057", 3);
    HAS(MODEL("<message id=\"m\"/><process id=\"p\">\n<receiveTask id=\"r\" messageRef=\"m\">"
              "<ioSpecification><dataOutput id=\"o\"/><dataOutput id=\"q\"/><inputSet/>"
              "<outputSet/></ioSpecification></receiveTask></process>"),
        "EXT.051", 3);
    HAS(MODEL("<message id=\"m\"/><interface id=\"i\" name=\"i\"><operation id=\"o\" name=\"o\">"
              "<inMessageRef>m</inMessageRef></operation></interface><process id=\"p\">\n"
              "<serviceTask id=\"a\" operationRef=\"o\"/></process>"),
        "EXT.042", 3);
    HAS(MODEL("<globalScriptTask id=\"g\"><script>x</script></globalScriptTask>\n"), "EXT.053",
        2);
    HAS(MODEL("<process id=\"q\"/>\n<process id=\"p\"><callActivity calledElement=\"q\"/>"
              "</process>"),
        "EXT.099", 2);
}

// ---- imports ---------------------------------------------------------------------------------

static bool import(void *ctx, Str location, Str file, Arena *a, Str *ret_xml, Str *ret_file) {
    (void)ctx, (void)file, (void)a;
    if (str_eq(location, S("b"))) {
        *ret_xml = S("<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" "
                     "targetNamespace=\"urn:b\"><import namespace=\"urn:t\" location=\"main\" "
                     "importType=\"http://www.omg.org/spec/BPMN/20100524/MODEL\"/>"
                     "<process id=\"b\"><startEvent id=\"s\"><outgoing>f</outgoing></startEvent>"
                     "<sequenceFlow id=\"f\" sourceRef=\"s\" targetRef=\"e\"/>"
                     "<endEvent id=\"e\"><incoming>f</incoming></endEvent></process>"
                     "</definitions>");
    } else if (str_eq(location, S("broken"))) {
        *ret_xml = S("<a>");
    } else if (str_starts(location, S("deep"))) {
        *ret_xml = arena_printf(a, MODEL("<import namespace=\"urn:t\" location=\"%.*sx\" importType"
                                         "=\"http://www.omg.org/spec/BPMN/20100524/MODEL\"/>"),
                                S_FMT(location));
    } else {
        return str_eq(location, S("main")) && (*ret_xml = S("<a/>"), *ret_file = location, true);
    }
    *ret_file = location;
    return true;
}

#define IMPORT(where)                                    \
    "<import namespace=\"urn:b\" location=\"" where "\"" \
    " importType=\"http://www.omg.org/spec/BPMN/20100524/MODEL\"/>\n"

static void imports(void **unused) {
    (void)unused;
    Arena *a = arena_create(TEST_MEMORY);
    const FlowCheckOptions o = {.file = S("main"), .import = import};
    // What is imported imports the first again.
    FlowFindings fs = check(S(MODEL(IMPORT("b") "<process id=\"p\" xmlns:b=\"urn:b\">"
                                                "<callActivity calledElement=\"b:b\"/></process>")),
                            &o, a);
    assert_int_equal(fs.count, 0);
    fs = check(S(MODEL(IMPORT("b") "<process id=\"p\" xmlns:b=\"urn:b\">"
                                   "<callActivity calledElement=\"b:e\"/></process>")),
               &o, a);
    assert_non_null(find(&fs, S("REF_TYPE")));
    fs = check(S(MODEL(IMPORT("gone") "<process id=\"p\" xmlns:b=\"urn:b\">"
                                      "<callActivity calledElement=\"b:b\"/></process>")),
               &o, a);
    assert_int_equal(fs.count, 1); // nothing is known of what could not be read
    assert_true(str_eq(fs.items[0].rule, S("EXT.001")) && fs.items[0].line == 2);
    fs = check(S(MODEL(IMPORT("broken"))), &o, a);
    assert_true(str_eq(fs.items[0].rule, S("XML")) && str_eq(fs.items[0].file, S("broken")));
    Error err = {0};
    assert_int_equal(flow_check(S(MODEL(IMPORT("deep"))), &o, a, &fs, &err), LIMIT);
    arena_free(a);
}

static void loading(void **unused) {
    (void)unused;
    Arena *a = arena_create(TEST_MEMORY);
    const Str xml = S(PROCESS(START TASK END LINE "<boundaryEvent id=\"b\" attachedToRef=\"a\">"
                              B_OUT "<messageEventDefinition/></boundaryEvent>\n" B_END));
    FlowFindings fs = check(xml, NULL, a);
    Error err = {0};
    assert_int_equal(fs.errors, 2);
    assert_int_equal(flow_refuse(&fs, &err), INVALID);
    assert_true(str_eq(err.where, S("8 EXT.127 messageEventDefinition")));
    fs = check(xml, &(FlowCheckOptions){.loading = true}, a);
    assert_int_equal(fs.count, 2);
    assert_int_equal(fs.errors, 0);
    assert_int_equal(flow_refuse(&fs, &err), OK);
    // The order of elements, and flows that only name their ends; not a flow that leads nowhere.
    fs = check(S(PROCESS("<task id=\"a\"/><startEvent id=\"s\"/><endEvent id=\"e\"/>" LINE
                         "<property id=\"x\"/>")),
               &(FlowCheckOptions){.loading = true}, a);
    assert_int_equal(fs.errors, 0);
    assert_non_null(find(&fs, S("XSD-Check")));
    assert_non_null(find(&fs, S("EXT.023")));
    fs = check(S("<a/>"), &(FlowCheckOptions){.loading = true}, a);
    assert_int_equal(fs.errors, 1);
    fs = check(S(PROCESS("<startEvent id=\"s\"/>")), &(FlowCheckOptions){.loading = true}, a);
    assert_non_null(find(&fs, S("EXT.101")));
    arena_free(a);
}

static void findings_end(void **unused) {
    (void)unused;
    Arena *a = arena_create(TEST_MEMORY);
    Buf b = buf_make(a, 4096, 4 << 20);
    buf_lit(&b, HEAD "<process id=\"p\">");
    for (int i = 0; i < FLOW_FINDINGS_MAX + 10; i++) buf_lit(&b, "<nonsense/>");
    buf_lit(&b, "</process></definitions>");
    const FlowFindings fs = check(buf_view(&b), NULL, a);
    assert_int_equal(fs.count, FLOW_FINDINGS_MAX);
    assert_true(fs.more);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),      cmocka_unit_test(schema),  cmocka_unit_test(references),
        cmocka_unit_test(boundaries), cmocka_unit_test(gateways), cmocka_unit_test(events),
        cmocka_unit_test(tasks),      cmocka_unit_test(imports), cmocka_unit_test(loading),
        cmocka_unit_test(findings_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
