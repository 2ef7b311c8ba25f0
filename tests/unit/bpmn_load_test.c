// room: bpmn
#include "bpmn_fixture.h"

// Refused, at the line given (0: any), with words that contain `why`.
static void refused(Str xml, int64_t line, Str why, int at) {
    Arena *a = arena_create(TEST_MEMORY);
    const Flow *f = NULL;
    Error err = {0};
    Status status = flow_load(xml, a, &f, &err);
    if (status != INVALID && status != LIMIT)
        fail_msg("%s:%d: status %d", __FILE__, at, (int)status);
    if (f) fail_msg("%s:%d: the result was touched", __FILE__, at);
    Str told = error_message(&err, NULL, NULL, a);
    int64_t got = 0;
    if (line && (!str_to_int(err.where, &got) || got != line))
        fail_msg("%s:%d: line \"%.*s\": %.*s", __FILE__, at, S_FMT(err.where), S_FMT(told));
    if (str_find(told, why) < 0) fail_msg("%s:%d: %.*s", __FILE__, at, S_FMT(told));
    arena_free(a);
}
#define REFUSED(body, line, why) refused(FLOW_XML(body), (line), S(why), __LINE__)
#define PLAIN_END START "\n" END "\n"
// The body begins in line 7; PLAIN_END is its first two lines, what follows begins in LINE(2).
#define LINE(n) (7 + (n))

static void not_a_flow(void **unused) {
    (void)unused;
    refused(S(""), 0, S("XML"), __LINE__);
    refused(S("x"), 1, S("XML"), __LINE__);
    refused(S("<a>\n<b>\n</a>"), 3, S("XML"), __LINE__);
    refused(S("<a/>"), 1, S("definitions"), __LINE__);
    refused(S("<definitions/>"), 1, S("definitions"), __LINE__);
    refused(S("\xff\xfe"), 0, S("XML"), __LINE__);
    refused(S(FLOW_HEAD "</definitions>"), 0, S("isExecutable"), __LINE__);
    refused(S(FLOW_HEAD "<process id=\"p\"/></definitions>"), 0, S("isExecutable"), __LINE__);
    refused(S(FLOW_HEAD "<import namespace=\"x\" location=\"http://localhost/x\"/>"
                        "</definitions>"),
            0, S("不支持引入"), __LINE__);
}

// No document type at all: no entities to grow, no files to fetch.
static void document_types(void **unused) {
    (void)unused;
    refused(S("<!DOCTYPE a>\n<a/>"), 0, S("DOCTYPE"), __LINE__);
    refused(S("<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY x \"y\">]>\n<a>&x;</a>"), 0,
            S("DOCTYPE"), __LINE__);
    refused(S("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"), 0, S("DOCTYPE"), __LINE__);
    refused(S("<a>&unknown;</a>"), 1, S("XML"), __LINE__);
}

static void structure(void **unused) {
    (void)unused;
    REFUSED("", 0, "没有开始事件");
    REFUSED(START, 0, "没有流出");
    REFUSED(PLAIN_END SEQ("s", "gone"), LINE(2), "不存在");
    REFUSED(PLAIN_END SEQ("gone", "e"), LINE(2), "不存在");
    REFUSED(PLAIN_END SEQ("s", "p"), LINE(2), "不存在");
    REFUSED(PLAIN_END SEQ("s", "e") "\n" SEQ("e", "s"), 0, "不能有");
    REFUSED(PLAIN_END USER("a") SEQ("s", "a"), 0, "没有流入");
    REFUSED(PLAIN_END SEQ("s", "e") USER("a") USER("b") SEQ("a", "b") SEQ("b", "a"), 0, "走不到");
    REFUSED(PLAIN_END "<exclusiveGateway id=\"g\" default=\"g_e\"/>" USER("a") SEQ("s", "g")
                SEQ("g", "e") WHEN("g", "a", "true") SEQ("a", "a"),
            0, "走不到任何结束事件");
    REFUSED(PLAIN_END SEQ("s", "e") "\n" SEQ("s", "e"), LINE(3), "id s_e 重复");
    REFUSED("<userTask id=\"e\"/>" PLAIN_END SEQ("s", "e"), 0, "id e 重复");
    REFUSED(PLAIN_END SEQ("s", "e") "\n<userTask name=\"x\"/>", LINE(3), "没有 id");
    REFUSED("<startEvent id=\"s\"><outgoing>other</outgoing></startEvent>" END SEQ("s", "e"), 0,
            "incoming");
    REFUSED("<startEvent id=\"s\"><incoming>s_e</incoming></startEvent>" END SEQ("s", "e"), 0,
            "incoming");
}

static void sub_processes(void **unused) {
    (void)unused;
    REFUSED(PLAIN_END SEQ("s", "sub") SEQ("sub", "e") "\n<subProcess id=\"sub\"/>", LINE(3),
            "没有开始事件");
    REFUSED(PLAIN_END SEQ("s", "sub")
                SEQ("sub", "e") "\n<subProcess id=\"sub\">\n"
                                "<startEvent id=\"ss\"/><endEvent id=\"se\"/>" SEQ(
                                    "ss", "e") "</subProcess>",
            LINE(4), "跨越");
    REFUSED(PLAIN_END SEQ("s", "e") "\n<subProcess id=\"sub\" triggeredByEvent=\"true\"/>", LINE(3),
            "没有开始事件");
#define EVENT_SUB(start)                                                             \
    PLAIN_END SEQ("s", "e") "\n<subProcess id=\"sub\" triggeredByEvent=\"true\">\n" start \
                            "<endEvent id=\"se\"/>" SEQ("ss", "se") "</subProcess>"
    REFUSED(EVENT_SUB("<startEvent id=\"ss\"/>"), LINE(4), "没有事件定义");
    REFUSED(EVENT_SUB("<startEvent id=\"ss\"><signalEventDefinition signalRef=\"s1\"/></startEvent>"
                      "<startEvent id=\"s3\"/>" SEQ("s3", "se")),
            LINE(3), "只有一个");
    REFUSED(EVENT_SUB("<startEvent id=\"ss\"><cancelEventDefinition/></startEvent>"), LINE(4),
            "不支持这种事件");
    REFUSED(PLAIN_END SEQ("s", "sub")
                SEQ("sub", "e") "\n<adHocSubProcess id=\"sub\"><startEvent id=\"ss\"/>"
                                "<endEvent id=\"se\"/>" SEQ("ss", "se") "</adHocSubProcess>",
            LINE(3), "即席子流程");
    REFUSED(PLAIN_END SEQ("s", "c") SEQ("c", "e") "\n<callActivity id=\"c\" calledElement=\"q\"/>",
            LINE(3), "q");
}

// What is not built is refused by name, not skipped over.
static void elements_not_known(void **unused) {
    (void)unused;
    static const char *const elements[] = {
        "callChoreography",
        "subChoreography",
        "choreographyTask",
        "correlationSubscription",
        "resourceRole",
        "implicitThrowEvent",
        "event",
        "somethingNew",
    };
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        Arena *a = arena_create(TEST_MEMORY);
        Str xml = arena_printf(a,
                               "%s<process id=\"p\" isExecutable=\"true\">\n%s\n<%s id=\"x\"/>"
                               "</process></definitions>",
                               FLOW_HEAD, START END SEQ("s", "e"), elements[i]);
        refused(xml, LINE(1), str_z(elements[i]), __LINE__);
        arena_free(a);
    }
    static const char *const children[] = {
        "standardLoopCharacteristics",
        "complexBehaviorDefinition",
        "potentialOwner",
        "timerEventDefinition",
        "linkEventDefinition",
        "activationCondition",
        "somethingNew",
    };
    for (size_t i = 0; i < sizeof children / sizeof *children; i++) {
        Arena *a = arena_create(TEST_MEMORY);
        Str xml = arena_printf(a,
                               "%s<process id=\"p\" isExecutable=\"true\">\n<userTask id=\"a\">"
                               "\n<%s/></userTask>%s</process></definitions>",
                               FLOW_HEAD, children[i], START END SEQ("s", "a") SEQ("a", "e"));
        refused(xml, LINE(1), str_z(children[i]), __LINE__);
        arena_free(a);
    }
    REFUSED(PLAIN_END SEQ("s", "a") SEQ("a", "e") "\n<userTask id=\"a\" startQuantity=\"0\"/>",
            LINE(3), "startQuantity");
    REFUSED(PLAIN_END SEQ("s", "a") SEQ("a", "e") "\n<userTask id=\"a\" completionQuantity=\"x\"/>",
            LINE(3), "completionQuantity");
    REFUSED(PLAIN_END SEQ("s", "a")
                SEQ("a", "e") "\n<userTask id=\"a\" isForCompensation=\"true\"/>",
            LINE(3), "补偿活动");
    REFUSED(PLAIN_END SEQ("s", "a")
                SEQ("a", "e") "\n<receiveTask id=\"a\" messageRef=\"m1\" instantiate=\"true\"/>",
            LINE(3), "启动流程");
}

static void events(void **unused) {
    (void)unused;
#define CATCH(inside)                                                                    \
    PLAIN_END SEQ("s", "c") SEQ("c", "e") "\n<intermediateCatchEvent id=\"c\">\n" inside \
                                          "</intermediateCatchEvent>"
    REFUSED(CATCH(""), LINE(3), "没有事件定义");
    REFUSED(CATCH("<messageEventDefinition/>"), LINE(4), "没有指明");
    REFUSED(CATCH("<messageEventDefinition messageRef=\"s1\"/>"), LINE(4), "没有指明");
    REFUSED(CATCH("<conditionalEventDefinition/>"), LINE(4), "没有条件");
    REFUSED(CATCH("<errorEventDefinition/>"), LINE(4), "不支持这种事件");
    REFUSED(CATCH("<eventDefinitionRef>gone</eventDefinitionRef>"), LINE(4), "不存在");
    REFUSED(CATCH("<terminateEventDefinition/>"), LINE(4), "不支持这种事件");
    REFUSED(CATCH("<timerEventDefinition/>"), LINE(4), "没有时间");
    REFUSED(CATCH("<timerEventDefinition><timeCycle>PT1S</timeCycle></timerEventDefinition>"),
            LINE(4), "ISO 8601");
    REFUSED(CATCH("<timerEventDefinition><timeCycle>R0/PT1S</timeCycle></timerEventDefinition>"),
            LINE(4), "ISO 8601");
#define TIMER(inside) CATCH("<timerEventDefinition>" inside "</timerEventDefinition>")
    REFUSED(TIMER("<timeCycle>R/soon/PT1S</timeCycle>"), LINE(4), "ISO 8601");
    REFUSED(TIMER("<timeDuration>R3/PT1S</timeDuration>"), LINE(4), "ISO 8601");
    REFUSED(CATCH("<timerEventDefinition yz:workingDays=\"5\"><timeDuration>PT1S</timeDuration>"
                  "</timerEventDefinition>"),
            LINE(4), "workingDays");
    REFUSED(CATCH("<timerEventDefinition yz:workingDays=\"soon\"/>"), LINE(4), "天数");
    REFUSED(CATCH("<timerEventDefinition><timeDuration>soon</timeDuration></timerEventDefinition>"),
            LINE(4), "ISO 8601");
    REFUSED(CATCH("<timerEventDefinition><timeDate>2023-02-30T00:00:00</timeDate>"
                  "</timerEventDefinition>"),
            LINE(4), "ISO 8601");
    REFUSED(CATCH("<timerEventDefinition><timeDuration>P1D\") or (\"</timeDuration>"
                  "</timerEventDefinition>"),
            LINE(4), "ISO 8601");
    REFUSED(CATCH("<signalEventDefinition signalRef=\"s1\"/><linkEventDefinition name=\"l\"/>"),
            LINE(3), "不能与别的");
    REFUSED("<startEvent id=\"s\"><errorEventDefinition/></startEvent>" END SEQ("s", "e"), 0,
            "不支持这种事件");
#define ERROR_END "<endEvent id=\"e\"><errorEventDefinition errorRef=\"gone\"/></endEvent>"
    REFUSED(START ERROR_END SEQ("s", "e"), 0, "没有声明");
    REFUSED(START "\n<endEvent id=\"e\"><cancelEventDefinition/></endEvent>" SEQ("s", "e"), LINE(1),
            "不在事务里");
    REFUSED(START "\n<intermediateThrowEvent id=\"e\"><linkEventDefinition name=\"l\"/>"
                  "</intermediateThrowEvent>" SEQ("s", "e"),
            LINE(1), "没有去处");
    REFUSED(START "\n<endEvent id=\"e\"><compensateEventDefinition activityRef=\"s\"/>"
                  "</endEvent>" SEQ("s", "e"),
            LINE(1), "不存在");
#define ON(host, inside)                                                             \
    PLAIN_END USER("a") SEQ("s", "a") SEQ("a", "e")                                  \
        SEQ("b", "e") "\n<boundaryEvent id=\"b\" attachedToRef=\"" host "\">" inside \
                      "</boundaryEvent>"
    REFUSED(ON("a", ""), LINE(3), "没有事件定义");
    REFUSED(ON("a", "<cancelEventDefinition/>"), LINE(3), "只能依附在事务上");
    REFUSED(ON("gone", "<signalEventDefinition signalRef=\"s1\"/>"), LINE(3), "没有依附");
    REFUSED(ON("s", "<signalEventDefinition signalRef=\"s1\"/>"), LINE(3), "没有依附");
    REFUSED(ON("a", "<signalEventDefinition signalRef=\"s1\"/>") SEQ("a", "b"), 0, "不能有流入");
}

static void gateways_and_conditions(void **unused) {
    (void)unused;
#define SPLIT(gate, flows) \
    PLAIN_END gate USER("a") USER("b") SEQ("s", "g") SEQ("a", "e") SEQ("b", "e") flows
    REFUSED(SPLIT("<exclusiveGateway id=\"g\"/>", WHEN("g", "a", "x") SEQ("g", "b")), 0,
            "既没有条件");
    REFUSED(
        SPLIT("<exclusiveGateway id=\"g\" default=\"a_e\"/>", WHEN("g", "a", "x") SEQ("g", "b")), 0,
        "默认出线");
    REFUSED(SPLIT("<exclusiveGateway id=\"g\" default=\"g_a\"/>",
                  WHEN("g", "a", "x") WHEN("g", "b", "y")),
            0, "默认出线 g_a 不能有条件");
    REFUSED(SPLIT("<parallelGateway id=\"g\" default=\"g_a\"/>", SEQ("g", "a") SEQ("g", "b")), 0,
            "不能有默认");
    REFUSED(SPLIT("<eventBasedGateway id=\"g\"/>", SEQ("g", "a") SEQ("g", "b")), 0, "事件网关");
    // Expressions are read when the flow is loaded, and the line is told.
    REFUSED(SPLIT("<exclusiveGateway id=\"g\" default=\"g_b\"/>",
                  "\n" WHEN("g", "a", "x &gt;") SEQ("g", "b")),
            LINE(3), "g_a");
    REFUSED(SPLIT("<exclusiveGateway id=\"g\" default=\"g_b\"/>",
                  SEQ("g", "b") "<sequenceFlow id=\"f\" sourceRef=\"g\" targetRef=\"a\">"
                                "<conditionExpression language=\"http://www.w3.org/1999/XPath\">x"
                                "</conditionExpression></sequenceFlow>"),
            0, "FEEL");
}

static void tasks(void **unused) {
    (void)unused;
#define ONE(task) PLAIN_END SEQ("s", "a") SEQ("a", "e") "\n" task
    REFUSED(ONE("<userTask id=\"a\" yz:post=\"= 1 +\"/>"), LINE(3), "表达式");
    REFUSED(ONE("<userTask id=\"a\" yz:days=\"soon\"/>"), LINE(3), "yz:days");
    REFUSED(ONE("<userTask id=\"a\" yz:days=\"-1\"/>"), LINE(3), "yz:days");
    REFUSED(ONE("<userTask id=\"a\" yz:clock=\"go\"/>"), LINE(3), "yz:clock");
    REFUSED(ONE("<scriptTask id=\"a\"/>"), LINE(3), "没有脚本");
    REFUSED(ONE("<scriptTask id=\"a\"><script>x +</script></scriptTask>"), LINE(3), "表达式");
    REFUSED(ONE("<receiveTask id=\"a\"/>"), LINE(3), "没有指明");
    REFUSED(ONE("<userTask id=\"a\"><multiInstanceLoopCharacteristics/></userTask>"), LINE(3),
            "个数");
    REFUSED(
        ONE("<userTask id=\"a\"><multiInstanceLoopCharacteristics behavior=\"One\">"
            "<loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></userTask>"),
        LINE(3), "behavior");
    REFUSED(
        ONE("<userTask id=\"a\"><multiInstanceLoopCharacteristics behavior=\"Some\">"
            "<loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></userTask>"),
        LINE(3), "behavior");
    REFUSED(ONE("<userTask id=\"a\"><dataInputAssociation/></userTask>"), LINE(3), "没有来源");
    REFUSED(ONE("<userTask id=\"a\"><dataOutputAssociation><sourceRef>x</sourceRef>"
                "</dataOutputAssociation></userTask>"),
            LINE(3), "没有去处");
}

static void limits(void **unused) {
    (void)unused;
    Arena *a = arena_create(TEST_MEMORY);
    // Nesting.
    Buf deep = buf_make(a, 1 << 16, 1 << 24);
    buf_lit(&deep, FLOW_HEAD "<process id=\"p\" isExecutable=\"true\">");
    for (int i = 0; i < 1000; i++) buf_printf(&deep, "<subProcess id=\"s%d\">", i);
    refused(buf_view(&deep), 0, S("XML"), __LINE__);
    // Nodes.
    Buf many = buf_make(a, 1 << 16, 1 << 24);
    buf_lit(&many, FLOW_HEAD "<process id=\"p\" isExecutable=\"true\">");
    for (int i = 0; i < FLOW_NODES_MAX; i++) buf_printf(&many, "<userTask id=\"t%d\"/>", i);
    buf_lit(&many, "</process></definitions>");
    refused(buf_view(&many), 0, S("太多"), __LINE__);
    // Elements of any kind.
    Buf elements = buf_make(a, 1 << 16, 1 << 24);
    buf_lit(&elements, "<a>");
    for (int i = 0; i < 200001; i++) buf_lit(&elements, "<b/>");
    buf_lit(&elements, "</a>");
    refused(buf_view(&elements), 0, S("太多"), __LINE__);
    // Size.
    char *large = arena_alloc(a, FLOW_SIZE_MAX + 1);
    memset(large, ' ', FLOW_SIZE_MAX + 1);
    refused((Str){large, FLOW_SIZE_MAX + 1}, 0, S("8 MB"), __LINE__);
    // Memory: a small arena is a refusal, not an end of the process.
    Arena *small = arena_create(64 << 10);
    jmp_buf env;
    volatile bool jumped = false;
    if (setjmp(env)) {
        jumped = true;
    } else {
        (void)arena_on_limit(small, &env);
        const Flow *f = NULL;
        Error err;
        Buf names = buf_make(a, 1 << 16, 1 << 24);
        buf_lit(&names, FLOW_HEAD "<process id=\"p\" isExecutable=\"true\">");
        for (int i = 0; i < 3000; i++) buf_printf(&names, "<userTask id=\"t%d\"/>", i);
        buf_lit(&names, "</process></definitions>");
        assert_int_equal(flow_load(buf_view(&names), small, &f, &err), LIMIT);
        assert_true(arena_on_limit(small, NULL) == &env); // the caller's handler is back
    }
    assert_false(jumped);
    arena_free(small);
    arena_free(a);
}

// A prefix, a byte order mark, another encoding, extensions, pools and lanes around it.
static void written_otherwise(void **unused) {
    (void)unused;
    Drive d =
        drive_make(S("\xef\xbb\xbf<?xml version=\"1.0\"?><b:definitions "
                     "xmlns:b=\"http://www.omg.org/spec/BPMN/20100524/MODEL\""
                     " xmlns:v=\"urn:vendor\" targetNamespace=\"x\"><b:collaboration "
                     "id=\"c\"><b:participant id=\"pa\" name=\"县\""
                     " processRef=\"p\"/></b:collaboration><b:process id=\"other\"/><b:process "
                     "id=\"p\" isExecutable=\"1\" v:x=\"1\">"
                     "<b:documentation>说明</b:documentation><b:extensionElements><v:task/></"
                     "b:extensionElements>"
                     "<b:laneSet id=\"ls\"><b:lane id=\"l\" "
                     "name=\"窗口\"><b:flowNodeRef>a</b:flowNodeRef></b:lane></b:laneSet>"
                     "<b:startEvent id=\"s\"><b:outgoing>f1</b:outgoing></b:startEvent><b:userTask "
                     "id=\"a\" v:assignee=\"x\">"
                     "<b:extensionElements><v:form/></b:extensionElements><b:incoming>f1</"
                     "b:incoming><b:outgoing>f2</b:outgoing>"
                     "</b:userTask><b:endEvent id=\"e\"/><b:sequenceFlow id=\"f1\" sourceRef=\"s\" "
                     "targetRef=\"a\"/>"
                     "<b:sequenceFlow id=\"f2\" sourceRef=\"a\" targetRef=\"e\"/><b:textAnnotation "
                     "id=\"t\"><b:text>x</b:text>"
                     "</b:textAnnotation><b:association id=\"as\" sourceRef=\"a\" targetRef=\"t\"/>"
                     "<b:dataObject id=\"do\"/></b:process></b:definitions>"));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_true(drive_is_open(&d, "a"));
    drive_free(&d);
    d = drive_make(
        S("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>"
          "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\"><process id=\"p\""
          " isExecutable=\"true\"><startEvent id=\"s\" name=\"\xe9t\xe9 &amp; &#x53D7;\"/>" END SEQ(
              "s", "e") "</process></definitions>"));
    Value first = v_at(v_get_lit(flow_outline(d.flow, d.arena), "nodes"), 0);
    assert_str(v_text(v_get_lit(first, "name")), "été & 受");
    drive_free(&d);
}

// What runs but breaks the standard is refused only where that is asked for.
static void checked(void **unused) {
    (void)unused;
    Arena *a = arena_create(TEST_MEMORY);
    const Flow *f = NULL;
    Error err;
    // A gateway that neither parts nor joins runs, but the standard does not have it.
    Str xml = FLOW_XML(START "<parallelGateway id=\"a\"/>" END SEQ("s", "a") SEQ("a", "e"));
    assert_int_equal(flow_load(xml, a, &f, &err), OK);
    f = NULL;
    assert_int_equal(flow_load_checked(xml, a, &f, &err), INVALID);
    assert_null(f);
    assert_str(err.where, "7");
    assert_true(str_find(error_message(&err, NULL, NULL, a), S("EXT.135")) >= 0);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest all[] = {
        cmocka_unit_test(not_a_flow),
        cmocka_unit_test(document_types),
        cmocka_unit_test(structure),
        cmocka_unit_test(sub_processes),
        cmocka_unit_test(elements_not_known),
        cmocka_unit_test(events),
        cmocka_unit_test(gateways_and_conditions),
        cmocka_unit_test(tasks),
        cmocka_unit_test(limits),
        cmocka_unit_test(written_otherwise),
        cmocka_unit_test(checked),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
