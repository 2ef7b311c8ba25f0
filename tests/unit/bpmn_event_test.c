// room: bpmn
// Events, sub-processes of every kind, calls, compensation: what sets off what, and what it ends.
#define DECLARED                                                       \
    "<error id=\"er1\" errorCode=\"E-1\"/><error id=\"er2\" errorCode=\"E-2\"/>" \
    "<escalation id=\"es1\" escalationCode=\"ESC\"/><signal id=\"s2\" name=\"calm\"/>" \
    "<signalEventDefinition id=\"d1\" signalRef=\"s1\"/>"
#include "bpmn_fixture.h"

#define EVENT(kind, id, attributes, inside) \
    "<" kind " id=\"" id "\" " attributes ">" inside "</" kind ">"
#define ON(host, id, attributes, inside) \
    EVENT("boundaryEvent", id, "attachedToRef=\"" host "\" " attributes, inside)
#define ERROR(ref) "<errorEventDefinition errorRef=\"" ref "\"/>"
#define ESCALATION "<escalationEventDefinition escalationRef=\"es1\"/>"
#define SIGNAL "<signalEventDefinition signalRef=\"s1\"/>"
#define CALM "<signalEventDefinition signalRef=\"s2\"/>"
#define MESSAGE "<messageEventDefinition messageRef=\"m1\"/>"
#define COMPENSATE(attributes) "<compensateEventDefinition " attributes "/>"
#define WHEN_TRUE(expr)                                                            \
    "<conditionalEventDefinition><condition xsi:type=\"tFormalExpression\">" expr \
    "</condition></conditionalEventDefinition>"
#define TIMER(inside) "<timerEventDefinition>" inside "</timerEventDefinition>"
#define SUB(id, attributes, inside) "<subProcess id=\"" id "\" " attributes ">" inside \
    "</subProcess>"
#define SIMPLE(id) "<startEvent id=\"" id "s\"/><endEvent id=\"" id "e\"/>" USER(id "t") \
    SEQ(id "s", id "t") SEQ(id "t", id "e")

// An error of a task is caught at the task, else at the sub-process, else the instance fails.
static void errors(void **unused) {
    (void)unused;
#define ERRORS                                                                          \
    START SUB("sub", "", SIMPLE("i") ON("it", "b1", "", ERROR("er1")) USER("x") SEQ("b1", "x")) \
    ON("sub", "b2", "", ERROR("er2")) USER("y") USER("z") END SEQ("s", "sub") SEQ("sub", "z")  \
        SEQ("b2", "y") SEQ("y", "e") SEQ("z", "e")
    Drive d = drive_make(FLOW_XML(ERRORS));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_int_equal(drive_error(&d, "it", S("E-1")), OK);
    assert_true(drive_is_open(&d, "x"));
    assert_int_equal(d.open_count, 1);
    assert_int_equal(drive_done(&d, "x", S("")), OK); // an implicit end
    assert_true(drive_is_open(&d, "z"));
    drive_free(&d);
    d = drive_make(FLOW_XML(ERRORS));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_int_equal(drive_error(&d, "it", S("E-2")), OK);
    assert_true(drive_is_open(&d, "y"));
    assert_int_equal(d.open_count, 1);
    drive_free(&d);
    d = drive_make(FLOW_XML(ERRORS));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_int_equal(drive_error(&d, "it", S("E-3")), OK);
    assert_true(d.ended && d.step.failed);
    assert_str(drive_effect(&d, FLOW_FAILED)->name, "E-3");
    assert_str(drive_effect(&d, FLOW_FAILED)->node, "it");
    assert_null(drive_effect(&d, FLOW_ENDED));
    assert_int_equal(drive_input(&d, (FlowInput){.kind = FLOW_CANCEL}, S("")), CONFLICT);
    drive_free(&d);
}

// One with the code comes before one for every error, an event sub-process before a boundary.
static void error_handlers(void **unused) {
    (void)unused;
    Drive d = drive_make(FLOW_XML(
        START SUB("sub", "",
                  "<startEvent id=\"is\"/>" EVENT("endEvent", "ie", "", ERROR("er1")) SEQ("is",
                      "ie")
                      SUB("all", "triggeredByEvent=\"true\"",
                          EVENT("startEvent", "as", "", "<errorEventDefinition/>") USER("a")
                              SEQ("as", "a"))
                          SUB("one", "triggeredByEvent=\"true\"",
                              EVENT("startEvent", "os", "", ERROR("er1")) USER("o")
                                  EVENT("endEvent", "oe", "", ERROR("er1")) SEQ("os", "o")
                                      SEQ("o", "oe")))
            ON("sub", "b", "", ERROR("er1")) USER("y") END SEQ("s", "sub") SEQ("sub", "e")
                SEQ("b", "y")));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_true(drive_is_open(&d, "o"));
    assert_int_equal(d.open_count, 1);
    // What the handler throws goes on outwards.
    assert_int_equal(drive_done(&d, "o", S("")), OK);
    assert_true(drive_is_open(&d, "y"));
    assert_int_equal(d.open_count, 1);
    drive_free(&d);
}

static void escalations(void **unused) {
    (void)unused;
#define ESCALATES(cancel)                                                                        \
    START SUB("sub", "", "<startEvent id=\"is\"/>" EVENT("intermediateThrowEvent", "t", "", \
        ESCALATION) \
                  USER("i") SEQ("is", "t") SEQ("t", "i"))                                         \
    ON("sub", "b", "cancelActivity=\"" cancel "\"", ESCALATION) USER("y") END SEQ("s", "sub") \
        SEQ("sub", "e") SEQ("b", "y")
    Drive d = drive_make(FLOW_XML(ESCALATES("false")));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_true(drive_is_open(&d, "i") && drive_is_open(&d, "y"));
    drive_free(&d);
    d = drive_make(FLOW_XML(ESCALATES("true")));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_true(!drive_is_open(&d, "i") && drive_is_open(&d, "y"));
    drive_free(&d);
    // Nobody catches it: the driver is told, and the flow goes on.
    d = drive_make(FLOW_XML(START EVENT("intermediateThrowEvent", "t", "", ESCALATION) USER("a")
                                EVENT("endEvent", "e", "", ESCALATION) SEQ("s", "t") SEQ("t", "a")
                                    SEQ("a", "e")));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_str(drive_effect(&d, FLOW_ESCALATED)->name, "ESC");
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_true(d.ended && drive_effect(&d, FLOW_ESCALATED) && drive_effect(&d, FLOW_ENDED));
    drive_free(&d);
}

// An event sub-process of the whole process; a cycle that comes three times.
static void event_sub_processes(void **unused) {
    (void)unused;
#define HANDLER(start, inner) \
    SUB("h", "triggeredByEvent=\"true\"", start USER("h1") SEQ("hs", "h1") \
    inner)
    Drive d = drive_make(FLOW_XML(START USER("a") END SEQ("s", "a") SEQ("a", "e") HANDLER(
        EVENT("startEvent", "hs", "isInterrupting=\"false\"", MESSAGE), "")));
    assert_int_equal(drive_start(&d, S("")), OK);
    for (int i = 0; i < 3; i++) assert_int_equal(drive_message(&d, S("paid"), S("{\"n\":1}")), OK);
    assert_int_equal(d.open_count, 4);
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    for (int i = 0; i < 3; i++) {
        assert_false(d.ended);
        assert_int_equal(drive_done(&d, "h1", S("")), OK);
    }
    assert_true(d.ended);
    drive_free(&d);
    d = drive_make(FLOW_XML(START USER("a") END SEQ("s", "a") SEQ("a", "e")
                                HANDLER(EVENT("startEvent", "hs", "", SIGNAL), "")));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_int_equal(drive_signal(&d, S("storm"), S("")), OK);
    assert_true(drive_is_open(&d, "h1") && d.open_count == 1);
    assert_int_equal(drive_signal(&d, S("storm"), S("")), CONFLICT); // once
    assert_int_equal(drive_done(&d, "h1", S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
    d = drive_make(FLOW_XML(
        START USER("a") END SEQ("s", "a") SEQ("a", "e") HANDLER(
            EVENT("startEvent", "hs", "isInterrupting=\"false\"",
                  TIMER("<timeCycle>R3/PT10S</timeCycle>")), "")));
    assert_int_equal(drive_start(&d, S("")), OK);
    for (int i = 0; i < 3; i++) assert_int_equal(drive_timer(&d, "hs"), OK);
    assert_false(drive_is_open(&d, "hs"));
    assert_int_equal(d.open_count, 4);
    drive_free(&d);
}

static void conditions(void **unused) {
    (void)unused;
    Drive d = drive_make(FLOW_XML(
        START USER("a") ON("a", "b", "cancelActivity=\"false\"", WHEN_TRUE("x &gt; 3")) USER("y")
            EVENT("intermediateCatchEvent", "c", "", WHEN_TRUE("f")) END SEQ("s", "a") SEQ("a", "c")
                SEQ("c", "e") SEQ("b", "y")));
    assert_int_equal(drive_start(&d, S("")), OK); // x is not known: it does not hold
    assert_int_equal(d.open_count, 1);
    for (int i = 0; i < 2; i++) {
        FlowInput in = {.kind = FLOW_FACTS};
        assert_int_equal(drive_input(&d, in, S("{\"x\":4}")), OK);
        assert_int_equal(d.open_count, (size_t)i + 2);
        assert_int_equal(drive_input(&d, in, S("{\"x\":5}")), OK); // still: not once more
        assert_int_equal(d.open_count, (size_t)i + 2);
        assert_int_equal(drive_input(&d, in, S("{\"x\":1}")), OK);
    }
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_int_equal(drive_done(&d, "y", S("")), OK);
    assert_int_equal(drive_done(&d, "y", S("")), OK);
    assert_false(d.ended || d.step.stuck);
    FlowInput facts = {.kind = FLOW_FACTS, .facts = drive_json(d.arena, S("{\"f\":true}"))};
    assert_int_equal(drive_input(&d, facts, S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
    // It holds already: what it interrupts does not begin, and nobody is told of it.
    d = drive_make(FLOW_XML(START USER("a") ON("a", "b", "", WHEN_TRUE("x &gt; 3")) USER("y") END
        SEQ(
        "s", "a") SEQ("a", "e") SEQ("b", "y")));
    assert_int_equal(drive_start(&d, S("{\"x\":9}")), OK);
    assert_true(drive_is_open(&d, "y") && d.open_count == 1);
    drive_free(&d);
}

static void several_at_once(void **unused) {
    (void)unused;
#define SEVERAL(parallel)                                                                       \
    START EVENT("intermediateCatchEvent", "c", parallel, SIGNAL CALM \
        TIMER("<timeDuration>PT1H</timeDuration>")) \
        USER("a") END SEQ("s", "c") SEQ("c", "a") SEQ("a", "e")
    Drive d = drive_make(FLOW_XML(SEVERAL("")));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_int_equal(drive_signal(&d, S("calm"), S("")), OK);
    assert_true(drive_is_open(&d, "a") && d.open_count == 1);
    drive_free(&d);
    d = drive_make(FLOW_XML(SEVERAL("parallelMultiple=\"true\"")));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_int_equal(drive_signal(&d, S("calm"), S("")), OK);
    assert_int_equal(drive_signal(&d, S("calm"), S("")), CONFLICT); // has come
    assert_int_equal(drive_timer(&d, "c"), OK);
    assert_false(drive_is_open(&d, "a"));
    assert_int_equal(drive_signal(&d, S("storm"), S("")), OK);
    assert_true(drive_is_open(&d, "a") && d.open_count == 1);
    drive_free(&d);
}

// Thrown signals wait until whoever runs beside has begun to wait; messages only go out.
static void thrown(void **unused) {
    (void)unused;
    Drive d = drive_make(FLOW_XML(
        START "<parallelGateway id=\"g\"/>" EVENT(
            "intermediateThrowEvent", "t", "",
            "<dataInput id=\"di\" name=\"sum\"/><dataInputAssociation><sourceRef>x</sourceRef>"
            "<targetRef>di</targetRef></dataInputAssociation>" SIGNAL MESSAGE)
            EVENT("intermediateCatchEvent", "c", "", SIGNAL) EVENT("intermediateCatchEvent", "c2",
                "",
                                                                 MESSAGE) USER("a") END
                SEQ("s", "g") SEQ("g", "t") SEQ("g", "c") SEQ("g", "c2") SEQ("t", "e") SEQ("c", "a")
                    SEQ("c2", "e")));
    assert_int_equal(drive_start(&d, S("{\"x\":7}")), OK);
    assert_true(drive_is_open(&d, "a"));
    assert_int_equal(drive_passed(&d, "c2"), 0);
    const FlowEffect *m = drive_effect(&d, FLOW_THROW_MESSAGE);
    assert_str(m->name, "paid");
    assert_str(json_to_str(m->value, d.arena), "{\"sum\":7}");
    assert_str(drive_effect(&d, FLOW_THROW_SIGNAL)->name, "storm");
    drive_free(&d);
}

// ---- compensation

#define UNDO(id) "<userTask id=\"" id "\" isForCompensation=\"true\"/>"
#define LINKED(boundary, undo) \
    "<association id=\"as" boundary "\" sourceRef=\"" boundary "\" targetRef=\"" undo "\"/>"
#define UNDOABLE(id) USER(id) ON(id, "b" id, "", COMPENSATE("")) UNDO("u" id) LINKED("b" id, "u" id)

static void compensation(void **unused) {
    (void)unused;
    // What was done last is undone first, one after another; the flow waits.
    Drive d = drive_make(FLOW_XML(START UNDOABLE("a") UNDOABLE("b") UNDOABLE("c") EVENT(
        "intermediateThrowEvent", "t", "", COMPENSATE("")) USER("z") END SEQ("s", "a") SEQ("a", "b")
                                      SEQ("b", "t") SEQ("t", "z") SEQ("z", "c") SEQ("c", "e")));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_int_equal(drive_done(&d, "b", S("")), OK);
    assert_true(drive_is_open(&d, "ub") && d.open_count == 1);
    assert_int_equal(drive_done(&d, "ub", S("")), OK);
    assert_true(drive_is_open(&d, "ua") && d.open_count == 1);
    assert_int_equal(drive_done(&d, "ua", S("")), OK);
    assert_true(drive_is_open(&d, "z") && d.open_count == 1);
    assert_int_equal(drive_done(&d, "z", S("")), OK);
    assert_int_equal(drive_done(&d, "c", S("")), OK);
    assert_true(d.ended); // the record of c holds nothing up
    drive_free(&d);
    // One activity only, not waited for.
    d = drive_make(FLOW_XML(START UNDOABLE("a") UNDOABLE("b") EVENT(
        "intermediateThrowEvent", "t", "",
            COMPENSATE("activityRef=\"a\" waitForCompletion=\"false\""))
                                USER("z") END SEQ("s", "a") SEQ("a", "b") SEQ("b", "t") SEQ("t",
                                    "z")
                                    SEQ("z", "e")));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_int_equal(drive_done(&d, "b", S("")), OK);
    assert_true(drive_is_open(&d, "ua") && drive_is_open(&d, "z") && d.open_count == 2);
    assert_int_equal(drive_done(&d, "z", S("")), OK);
    assert_false(d.ended);
    assert_int_equal(drive_done(&d, "ua", S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
}

// A sub-process that is done: by what was done in it, by its event sub-process with the data it
// had, once for each instance of a loop.
static void compensation_of_sub_processes(void **unused) {
    (void)unused;
#define THROWS(sub)                                                                           \
    START sub EVENT("intermediateThrowEvent", "t", "", COMPENSATE("")) USER("z") END SEQ("s", \
        "sub") \
        SEQ("sub", "t") SEQ("t", "z") SEQ("z", "e")
#define INNER "<startEvent id=\"is\"/>" UNDOABLE("a") UNDOABLE("b") SEQ("is", "a") SEQ("a", "b")
    Drive d = drive_make(FLOW_XML(THROWS(SUB("sub", "", INNER))));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_int_equal(drive_done(&d, "b", S("")), OK);
    assert_int_equal(drive_done(&d, "ub", S("")), OK);
    assert_int_equal(drive_done(&d, "ua", S("")), OK);
    assert_true(drive_is_open(&d, "z") && d.open_count == 1);
    drive_free(&d);
    d = drive_make(FLOW_XML(THROWS(SUB(
        "sub", "",
        "<property id=\"own\"/>" INNER SUB("undo", "triggeredByEvent=\"true\"",
                   EVENT("startEvent", "us", "", COMPENSATE(""))
                       "<userTask id=\"u\" yz:own=\"=own\"/>" EVENT("intermediateThrowEvent", "ut",
                           "",
                                        COMPENSATE("activityRef=\"a\"")) SEQ("us", "u")
                           SEQ("u", "ut"))))));
    assert_int_equal(drive_start(&d, S("{\"own\":\"outer\"}")), OK);
    assert_int_equal(drive_done(&d, "a", S("{\"own\":\"inner\"}")), OK);
    assert_str(drive_variables(&d), "{\"own\":\"outer\"}");
    assert_int_equal(drive_done(&d, "b", S("")), OK);
    assert_true(drive_is_open(&d, "u") && d.open_count == 1);
    assert_str(v_text(v_get_lit(drive_effect(&d, FLOW_OPEN_TASK)->attributes, "own")), "inner");
    assert_int_equal(drive_done(&d, "u", S("")), OK);
    assert_true(drive_is_open(&d, "ua") && d.open_count == 1);
    assert_int_equal(drive_done(&d, "ua", S("")), OK);
    assert_true(drive_is_open(&d, "z") && d.open_count == 1);
    drive_free(&d);
#define LOOP "<multiInstanceLoopCharacteristics isSequential=\"true\"><loopCardinality>2" \
             "</loopCardinality></multiInstanceLoopCharacteristics>"
    d = drive_make(FLOW_XML(THROWS(SUB("sub", "", LOOP INNER))));
    assert_int_equal(drive_start(&d, S("")), OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(drive_done(&d, "a", S("")), OK);
        assert_int_equal(drive_done(&d, "b", S("")), OK);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(drive_done(&d, "ub", S("")), OK);
        assert_int_equal(drive_done(&d, "ua", S("")), OK);
    }
    assert_true(drive_is_open(&d, "z") && d.open_count == 1);
    drive_free(&d);
}

static void transactions(void **unused) {
    (void)unused;
#define TRANSACTION                                                                               \
    START "<transaction id=\"sub\"><startEvent id=\"is\"/><parallelGateway id=\"g\"/>" \
        UNDOABLE("a") \
        UNDOABLE("b") EVENT("endEvent", "ie", "", "<cancelEventDefinition/>") SEQ("is", "g") \
            SEQ("g", "a") SEQ("g", "b") SEQ("a", "ie") "</transaction>" \
        ON("sub", "bc", "", "<cancelEventDefinition/>") USER("y") USER("z") END SEQ("s", "sub") \
            SEQ("sub", "z") SEQ("bc", "y") SEQ("z", "e")
    Drive d = drive_make(FLOW_XML(TRANSACTION));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    // b was running: withdrawn, not compensated.
    assert_true(drive_is_open(&d, "ua") && d.open_count == 1);
    assert_int_equal(drive_done(&d, "ua", S("")), OK);
    assert_true(drive_is_open(&d, "y") && d.open_count == 1);
    assert_int_equal(drive_done(&d, "y", S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
}

// ---- calls, loops, ad-hoc

static Drive drive_file(const char *body) {
    Arena *a = arena_create(TEST_MEMORY);
    Drive d = drive_make(arena_printf(a, "%s%s</definitions>", FLOW_HEAD, body));
    arena_free(a);
    return d;
}
#define PROCESS(id, attributes, inside) \
    "<process id=\"" id "\" " attributes ">" inside "</process>"

static void calls(void **unused) {
    (void)unused;
#define CALLS(inside)                                                                         \
    PROCESS("p", "isExecutable=\"true\"", START "<callActivity id=\"c\" calledElement=\"q\">" \
        inside \
            "</callActivity>" ON("c", "b", "", ERROR("er1")) USER("y") END SEQ("s", "c") SEQ("c", \
                "e") \
                SEQ("b", "y"))                                                                    \
    PROCESS("q", "", "<startEvent id=\"qs\"/>" USER("qa") "<endEvent id=\"qe\"/>" SEQ("qs", "qa") \
        SEQ("qa", "qe"))
    Drive d = drive_file(CALLS("")); // without associations it works on the caller's data
    assert_int_equal(drive_start(&d, S("{\"x\":1}")), OK);
    assert_int_equal(drive_done(&d, "qa", S("{\"x\":2}")), OK);
    assert_true(d.ended);
    assert_str(drive_variables(&d), "{\"x\":2}");
    drive_free(&d);
    d = drive_file(CALLS(""));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_int_equal(drive_error(&d, "qa", S("E-1")), OK);
    assert_true(drive_is_open(&d, "y") && d.open_count == 1);
    drive_free(&d);
#define PASSES                                                                             \
    "<dataInputAssociation><sourceRef>x</sourceRef><targetRef>in</targetRef>"            \
    "<transformation>x * 10</transformation></dataInputAssociation>"                     \
    "<dataOutputAssociation><sourceRef>out</sourceRef><targetRef>y</targetRef>"          \
    "</dataOutputAssociation>"
    d = drive_file(CALLS(PASSES)); // with them it has data of its own
    assert_int_equal(drive_start(&d, S("{\"x\":1}")), OK);
    assert_int_equal(drive_done(&d, "qa", S("{\"x\":2,\"out\":\"done\"}")), OK);
    assert_true(d.ended);
    assert_str(drive_variables(&d), "{\"x\":1,\"y\":\"done\"}");
    drive_free(&d);
    // A process that calls itself without end.
    d = drive_file(PROCESS("p", "isExecutable=\"true\"",
                           START "<callActivity id=\"c\" calledElement=\"p\"/>" SEQ("s", "c")));
    assert_int_equal(drive_start(&d, S("")), LIMIT);
    assert_true(str_find(error_message(&d.err, NULL, NULL, d.arena), S("20")) >= 0);
    drive_free(&d);
}

static void standard_loops(void **unused) {
    (void)unused;
#define LOOPS(attributes, condition)                                                          \
    START "<userTask id=\"a\"><standardLoopCharacteristics " attributes ">" condition             \
          "</standardLoopCharacteristics></userTask>" END SEQ("s", "a") SEQ("a", "e")
    Drive d = drive_make(FLOW_XML(LOOPS("loopMaximum=\"3\"", "")));
    assert_int_equal(drive_start(&d, S("")), OK);
    for (int i = 0; i < 3; i++) assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
    d = drive_make(FLOW_XML(
        LOOPS("testBefore=\"true\"",
            "<loopCondition>not(ok) and loopCounter &lt; 5</loopCondition>")));
    assert_int_equal(drive_start(&d, S("{\"ok\":false}")), OK);
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_int_equal(drive_done(&d, "a", S("{\"ok\":true}")), OK);
    assert_true(d.ended);
    drive_free(&d);
    d = drive_make(FLOW_XML(LOOPS("testBefore=\"true\"", "<loopCondition>false</loopCondition>")));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
}

static Status activate(Drive *d, int64_t token, Str id) {
    return drive_input(d, (FlowInput){.kind = FLOW_ACTIVATE, .token = token, .name = id}, S(""));
}

static void ad_hoc(void **unused) {
    (void)unused;
#define ADHOC(attributes, condition)                                                       \
    START "<adHocSubProcess id=\"sub\" " attributes ">" USER("a") USER("b") USER("c") SEQ("b", \
        "c") \
        condition "</adHocSubProcess>" END SEQ("s", "sub") SEQ("sub", "e")
#define UNTIL "<completionCondition xsi:type=\"tFormalExpression\">enough</completionCondition>"
    Drive d = drive_make(FLOW_XML(ADHOC("ordering=\"Sequential\"", "")));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_true(drive_is_open(&d, "a") && d.open_count == 1);
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_int_equal(drive_done(&d, "b", S("")), OK);
    assert_int_equal(drive_done(&d, "c", S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
    d = drive_make(FLOW_XML(ADHOC("ordering=\"Parallel\"", UNTIL)));
    assert_int_equal(drive_start(&d, S("{\"enough\":false}")), OK);
    assert_int_equal(d.open_count, 2);
    assert_int_equal(drive_done(&d, "a", S("{\"enough\":true}")), OK); // b is withdrawn
    assert_true(d.ended);
    drive_free(&d);
    d = drive_make(FLOW_XML(ADHOC("cancelRemainingInstances=\"false\"", UNTIL)));
    assert_int_equal(drive_start(&d, S("{\"enough\":false}")), OK);
    assert_int_equal(drive_done(&d, "a", S("{\"enough\":true}")), OK);
    assert_true(drive_is_open(&d, "b") && !d.ended);
    assert_int_equal(activate(&d, 1, S("a")), CONFLICT); // no more are begun
    assert_int_equal(drive_done(&d, "b", S("")), OK);
    assert_int_equal(drive_done(&d, "c", S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
    d = drive_make(FLOW_XML(ADHOC("yz:activation=\"manual\" yz:post=\"p\"", UNTIL)));
    assert_int_equal(drive_start(&d, S("{\"enough\":false}")), OK);
    int64_t token = drive_token(&d, "sub");
    assert_str(json_to_str(drive_effect(&d, FLOW_OPEN_TASK)->value, d.arena), "[\"a\",\"b\"]");
    assert_false(d.step.stuck);
    assert_int_equal(activate(&d, token, S("c")), INVALID); // comes after b
    for (int i = 0; i < 2; i++) assert_int_equal(activate(&d, token, S("a")), OK);
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_int_equal(drive_done(&d, "a", S("{\"enough\":true}")), OK);
    assert_true(d.ended);
    drive_free(&d);
    d = drive_make(FLOW_XML(ADHOC("yz:activation=\"manual\"", "")));
    assert_int_equal(drive_start(&d, S("")), OK);
    token = drive_token(&d, "sub");
    assert_int_equal(activate(&d, token, S("a")), OK);
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_false(d.ended || d.step.stuck);
    assert_int_equal(drive_done(&d, "sub", S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
}

// ---- beginnings

static void begin_by_events(void **unused) {
    (void)unused;
    Drive d = drive_file(
        PROCESS("p", "isExecutable=\"true\"", START END SEQ("s", "e")) PROCESS(
            "q", "isExecutable=\"true\"",
            EVENT("startEvent", "qm", "", MESSAGE) EVENT("startEvent", "qt", "", TIMER(
                "<timeCycle>R5/PT1H</timeCycle>")) EVENT("startEvent", "qc", "", WHEN_TRUE("x"))
                    USER("qa")
                SEQ("qm", "qa") SEQ("qt", "qa") SEQ("qc", "qa") USER("qb")));
    Value all = flow_processes(d.flow, 0, d.arena);
    assert_str(json_to_str(v_get_lit(v_at(all, 1), "starts"), d.arena),
               "[{\"id\":\"qm\",\"event\":\"message\",\"name\":\"paid\",\"timer\":null,"
               "\"repeats\":1},{\"id\":\"qt\",\"event\":\"timer\",\"name\":\"\","
               "\"timer\":\"PT1H\",\"repeats\":5},"
               "{\"id\":\"qc\",\"event\":\"conditional\",\"name\":\"\",\"timer\":null,"
               "\"repeats\":1}]");
    FlowInput in = {.kind = FLOW_START, .process = S("q"), .name = S("paid")};
    assert_int_equal(drive_input(&d, in, S("")), OK);
    assert_true(drive_is_open(&d, "qa") && drive_is_open(&d, "qb"));
    assert_str(flow_process(d.flow, d.step.state), "q");
    assert_int_equal(drive_passed(&d, "qm"), 1);
    in.name = S("nothing");
    d.state = S("");
    assert_int_equal(drive_input(&d, in, S("")), INVALID);
    in.name = S("qc");
    assert_int_equal(drive_input(&d, in, S("{\"x\":false}")), CONFLICT);
    d.open_count = 0;
    assert_int_equal(drive_input(&d, in, S("{\"x\":true}")), OK);
    in.process = S("r");
    d.state = S("");
    assert_int_equal(drive_input(&d, in, S("")), INVALID);
    drive_free(&d);
}

static void begin_by_gateway(void **unused) {
    (void)unused;
#define GATE(type)                                                                              \
    "<eventBasedGateway id=\"g\" instantiate=\"true\" eventGatewayType=\"" type "\"/>"            \
    "<receiveTask id=\"r\" messageRef=\"m1\"/>" EVENT("intermediateCatchEvent", "c", "", \
                                             "<messageEventDefinition messageRef=\"m2\"/>") \
                                                 USER("a") \
        SEQ("g", "r") SEQ("g", "c") SEQ("r", "a") SEQ("c", "a")
    Drive d = drive_make(FLOW_XML(GATE("Exclusive")));
    assert_int_equal(drive_start(&d, S("")), CONFLICT);
    FlowInput in = {.kind = FLOW_START, .name = S("sent")};
    assert_int_equal(drive_input(&d, in, S("")), OK);
    assert_true(drive_is_open(&d, "a"));
    assert_int_equal(drive_message(&d, S("paid"), S("")), CONFLICT);
    drive_free(&d);
    d = drive_make(FLOW_XML(GATE("Parallel")));
    assert_int_equal(drive_input(&d, in, S("")), OK);
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_false(d.ended);
    assert_int_equal(drive_message(&d, S("paid"), S("")), OK);
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
}

// ---- gateways and timers

static void complex_gateways(void **unused) {
    (void)unused;
    // Two of three, then the third is awaited and lost, and it is ready again.
    Drive d = drive_make(FLOW_XML(
        START "<parallelGateway id=\"f\"/><complexGateway id=\"g\"><activationCondition>"
              "activationCount &gt;= 2</activationCondition></complexGateway>" USER("a") USER("b")
                  USER("c") USER("x") USER("y") SEQ("s", "f") SEQ("f", "a") SEQ("f", "b") SEQ("f",
                      "c")
                      SEQ("a", "g") SEQ("b", "g") SEQ("c", "g") SEQ("g", "x")
                          WHEN("g", "y", "not(waitingForStart)")));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_int_equal(drive_done(&d, "b", S("")), OK);
    assert_int_equal(d.open_count, 2);
    assert_int_equal(drive_done(&d, "c", S("")), OK);
    assert_true(drive_is_open(&d, "x") && !drive_is_open(&d, "y"));
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_true(drive_is_open(&d, "x") && drive_is_open(&d, "y") && d.open_count == 2);
    assert_int_equal(drive_done(&d, "x", S("")), OK);
    assert_int_equal(drive_done(&d, "y", S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
}

static void timers_in_working_days(void **unused) {
    (void)unused;
    Drive d = drive_make(FLOW_XML(
        START USER("a") ON("a", "b", "", "<timerEventDefinition yz:workingDays=\"=n + 2\"/>") END
            SEQ(
            "s", "a") SEQ("a", "e") SEQ("b", "e")));
    assert_int_equal(drive_start(&d, S("{\"n\":3}")), OK);
    assert_str(json_to_str(drive_effect(&d, FLOW_SET_TIMER)->value, d.arena),
        "{\"working_days\":5}");
    Value waiting;
    assert_int_equal(flow_waiting(d.flow, drive_json(d.arena, d.state), d.arena, &waiting, &d.err),
        OK);
    assert_str(json_to_str(waiting, d.arena),
               "[{\"token\":1,\"node\":\"a\",\"kind\":\"task\",\"name\":\"\"},"
               "{\"token\":2,\"node\":\"b\",\"kind\":\"timer\",\"name\":\"\"}]");
    drive_free(&d);
    // A cycle with a start keeps to its instants (now is 2023-11-14T22:13:20Z).
    d = drive_make(FLOW_XML(
        START USER("a") ON("a", "b", "cancelActivity=\"false\"",
                           TIMER("<timeCycle>R/2023-11-14T22:00:00Z/PT10M</timeCycle>")) END SEQ(
            "s", "a") SEQ("a", "e") SEQ("b", "e")));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_str(json_to_str(drive_effect(&d, FLOW_SET_TIMER)->value, d.arena),
               "\"2023-11-15T06:20:00+08:00\"");
    for (int i = 0; i < 20; i++) assert_int_equal(drive_timer(&d, "b"), OK);
    drive_free(&d);
}

static void quantities(void **unused) {
    (void)unused;
    Drive d = drive_make(FLOW_XML(
        START
            "<userTask id=\"a\" completionQuantity=\"3\"/><userTask id=\"b\" startQuantity=\"2\"/>"
                SEQ(
            "s", "a") SEQ("a", "b")));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_int_equal(d.open_count, 1);
    assert_int_equal(drive_done(&d, "b", S("")), OK);
    assert_true(d.step.stuck && !d.ended); // one token is left over
    drive_free(&d);
}

static void behaviors(void **unused) {
    (void)unused;
#define BEHAVES(behavior)                                                                      \
    START "<userTask id=\"a\"><multiInstanceLoopCharacteristics " behavior "<loopCardinality>3" \
          "</loopCardinality></multiInstanceLoopCharacteristics></userTask>"                       \
        ON("a", "b", "cancelActivity=\"false\"", SIGNAL) USER("y") END SEQ("s", "a") SEQ("a", "e") \
            SEQ("b", "y")
    const struct {
        Str xml;
        size_t thrown;
    } cases[] = {
        {FLOW_XML(BEHAVES("behavior=\"None\" noneBehaviorEventRef=\"d1\">")), 3},
        {FLOW_XML(BEHAVES("behavior=\"One\" oneBehaviorEventRef=\"d1\">")), 1},
        {FLOW_XML(BEHAVES("behavior=\"Complex\"><complexBehaviorDefinition><condition>"
                          "numberOfCompletedInstances &gt; 1</condition><event>"
                          "<signalEventDefinition signalRef=\"s1\"/></event>"
                          "</complexBehaviorDefinition>")),
         2},
        {FLOW_XML(BEHAVES(">")), 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Drive d = drive_make(cases[i].xml);
        assert_int_equal(drive_start(&d, S("")), OK);
        for (int k = 0; k < 3; k++) assert_int_equal(drive_done(&d, "a", S("")), OK);
        assert_int_equal(d.open_count, cases[i].thrown);
        drive_free(&d);
    }
}

static void links(void **unused) {
    (void)unused;
    Drive d = drive_make(FLOW_XML(
        START EVENT("intermediateThrowEvent", "t", "", "<linkEventDefinition name=\"on\"/>")
            EVENT("intermediateCatchEvent", "c", "", "<linkEventDefinition name=\"on\"/>") USER("a")
                SEQ(
                "s", "t") SEQ("c", "a")));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_true(drive_is_open(&d, "a"));
    assert_true(drive_passed(&d, "t") && drive_passed(&d, "c"));
    drive_free(&d);
}

static void data(void **unused) {
    (void)unused;
    Drive d = drive_make(FLOW_XML(
        "<dataObject id=\"do1\"/>"
        "<dataObjectReference id=\"ref1\" name=\"sum\" dataObjectRef=\"do1\"/>" START
        "<serviceTask id=\"a\"><ioSpecification><dataInput id=\"in1\" name=\"a\"/>"
        "<dataOutput id=\"out1\" name=\"r\"/></ioSpecification>"
        "<dataInputAssociation><targetRef>in1</targetRef><assignment><from>x + 1</from><to>a.b</to>"
        "</assignment></dataInputAssociation><dataOutputAssociation><sourceRef>out1</sourceRef>"
        "<targetRef>ref1</targetRef></dataOutputAssociation></serviceTask>" END SEQ("s", "a")
            SEQ("a", "e")));
    assert_int_equal(drive_start(&d, S("{\"x\":1}")), OK);
    assert_str(json_to_str(drive_effect(&d, FLOW_CALL_SERVICE)->value, d.arena),
        "{\"a\":{\"b\":2}}");
    assert_int_equal(drive_done(&d, "a", S("{\"r\":5,\"secret\":1}")), OK);
    assert_str(drive_variables(&d), "{\"x\":1,\"sum\":5}");
    drive_free(&d);
}

static void limits(void **unused) {
    (void)unused;
    Drive d = drive_make(FLOW_XML(START USER("a") SEQ("s", "a")));
    assert_int_equal(drive_start(&d, S("")), OK);
    char *large = arena_alloc(d.arena, FLOW_STATE_MAX + 10);
    memset(large, 'x', FLOW_STATE_MAX + 9);
    memcpy(large, "{\"x\":\"", 6);
    memcpy(large + FLOW_STATE_MAX + 5, "\"}", 3);
    Str before = d.state;
    assert_int_equal(drive_done(&d, "a", (Str){large, FLOW_STATE_MAX + 7}), LIMIT);
    assert_true(str_eq(before, d.state));
    char deep[600];
    memset(deep, '[', 195);
    memset(deep + 195, ']', 195);
    Str nested = arena_printf(d.arena, "{\"x\":%.*s}", 390, deep);
    assert_int_equal(drive_done(&d, "a", nested), LIMIT);
    assert_int_equal(drive_done(&d, "a", S("{\"x\":1}")), OK);
    drive_free(&d);
}

int main(void) {
    const struct CMUnitTest all[] = {
        cmocka_unit_test(errors),
        cmocka_unit_test(error_handlers),
        cmocka_unit_test(escalations),
        cmocka_unit_test(event_sub_processes),
        cmocka_unit_test(conditions),
        cmocka_unit_test(several_at_once),
        cmocka_unit_test(thrown),
        cmocka_unit_test(compensation),
        cmocka_unit_test(compensation_of_sub_processes),
        cmocka_unit_test(transactions),
        cmocka_unit_test(calls),
        cmocka_unit_test(standard_loops),
        cmocka_unit_test(ad_hoc),
        cmocka_unit_test(begin_by_events),
        cmocka_unit_test(begin_by_gateway),
        cmocka_unit_test(complex_gateways),
        cmocka_unit_test(timers_in_working_days),
        cmocka_unit_test(quantities),
        cmocka_unit_test(behaviors),
        cmocka_unit_test(links),
        cmocka_unit_test(data),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
