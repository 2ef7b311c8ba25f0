// room: bpmn
// Every maximum of flows: one less is taken, one more is refused with words that say what there is
// too much of. Those of a file stand in LOADED, those that running meets in RUN.
//
// Maxima that are no refusal or that no flow can pass alone:
//   FLOW_POINTS_MAX, FLOW_COORDINATE_MAX, LANES_MAX, DECOR_MAX, LABEL_LINES_MAX   of a drawing;
//                            what is past them is not drawn, a drawing never stops a flow
//   DRAWING_SIZE_MAX         bytes of the SVG; FLOW_NODES_MAX is met before
//   FLOW_FINDINGS_MAX        findings told of; then it says that there are more
//   FLOW_SOUND_STATES_MAX, FLOW_SOUND_STEPS_MAX, FLOW_CHECK_STEPS_MAX, SOUND_NODES_MAX,
//   SOUND_BITS_MAX, SOUND_EDGES_MAX, SOUND_SOME_MAX, SOUND_TRANSITIONS_MAX   work of the
//                            checks, which end there and leave the rest unchecked
//   DECLARATION_MAX          bytes in which an encoding is looked for
//   TIMER_TEXT_MAX           a longer text is no timer, which the rules of timers refuse
//   TOKEN_FIELDS_MAX, META_TARGETS_MAX, TYPE_DEPTH_MAX, CHILDREN_MAX   sizes of tables of ours
//   FLOW_WORK_MAX, FLOW_REACH_MAX   bounds on work that FLOW_TOKENS_MAX and FLOW_NODES_MAX bring
//                            about together
//   FLOW_DAYS_MAX, FLOW_QUANTITY_MAX   ranges of attributes, tested with the rules of loading
//   DOCUMENT_WRITTEN_MAX, DOCUMENT_NODES_MAX, DOCUMENT_ATTRIBUTES_MAX   met after DOCUMENT_SIZE_MAX
//   FLOW_IMPORTS_MAX, FLOW_IMPORT_DEPTH_MAX   tested with the checks of imports
#include "bpmn/bpmn.h"
#include "bpmn/document.h"
#include "bpmn/model.h"
#include "limits.h"
#include "value/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { MEMORY_MAX = 2000 << 20, INPUT_MAX = 48 << 20 };

#define HEAD                                                                         \
    "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" id=\"D\""      \
    " xmlns:yz=\"urn:yizhan:flow:1\" targetNamespace=\"t\">"
#define PROCESS HEAD "<process id=\"P\" isExecutable=\"true\"><startEvent id=\"s\"/>"
#define FLOW(id, from, to) \
    "<sequenceFlow id=\"" id "\" sourceRef=\"" from "\" targetRef=\"" to "\"/>"
#define END "<endEvent id=\"e\"/>"
#define TAIL "</process></definitions>"
#define SIMPLE PROCESS END FLOW("f", "s", "e") TAIL

static Arena *arena;

// One task between start and end, this far; then what is in it and its end tag.
#define TASK PROCESS FLOW("f", "s", "t") FLOW("g", "t", "e") END "<userTask id=\"t\""
#define DURATION "<timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition>"
#define INPUT                                                                             \
    "<dataInputAssociation><sourceRef>a</sourceRef><targetRef>b</targetRef></dataInputAssociation>"

static const LimitCase LOADED[] = {
    {"FLOW_SIZE_MAX", "", " ", 8 << 20, SIMPLE, 0, 0, "8 MB"},
    {"FLOW_XML_ELEMENTS_MAX", HEAD "<documentation/>", "<x xmlns=\"o\"/>", 199995,
     "<process id=\"P\" isExecutable=\"true\"><startEvent id=\"s\"/>" END FLOW("f", "s", "e") TAIL,
     0, 0, "元素太多"},
    {"FLOW_NODES_MAX", PROCESS, "<task id=\"t#\"/>", 4998, END FLOW("f", "s", "e"), 0, TAIL,
     "环节太多"},
    {"FLOW_EDGES_MAX", PROCESS "<task id=\"t\"/>" FLOW("g", "s", "t"),
     FLOW("f#", "t", "e"), 10000, END, 0, TAIL, "顺序流太多"},
    {"FLOW_ID_MAX", PROCESS FLOW("f", "s", "e") "<endEvent id=\"e\" /><task id=\"", "a", 201,
     "\"/>", 0, TAIL, "太长"},
    {"FLOW_NAME_MAX", PROCESS FLOW("f", "s", "e") "<endEvent id=\"e\" name=\"", "a", 2001,
     "\"/>", 0, TAIL, "太长"},
    {"FLOW_ATTRIBUTES_MAX", TASK,
     " yz:a#=\"1\"", 41, "/>", 0, TAIL, "太多"},
    {"FLOW_DEFINITIONS_MAX", PROCESS FLOW("f", "s", "c") FLOW("g", "c", "e") END
     "<intermediateCatchEvent id=\"c\">",
     DURATION, 21, "</intermediateCatchEvent>", 0, TAIL, "事件定义太多"},
    {"FLOW_LINKS_MAX", TASK ">", INPUT, 101, "</userTask>", 0, TAIL, "数据关联太多"},
    {"PATH_DEPTH_MAX", TASK ">"
     "<dataInputAssociation><targetRef>b</targetRef><assignment><from>1</from><to>b", ".a", 21,
     "</to></assignment></dataInputAssociation></userTask>", 0, TAIL, "路径太深"},
    {"NAMED_MAX", HEAD, "<message id=\"m#\" name=\"n\"/>", 20001,
     "<process id=\"P\" isExecutable=\"true\"><startEvent id=\"s\"/>" END FLOW("f", "s", "e") TAIL,
     0, 0, "声明太多"},
    {"PROCESSES_MAX", HEAD, "<process id=\"P#\" isExecutable=\"true\"><startEvent id=\"s#\"/>"
     "<endEvent id=\"e#\"/>" FLOW("f#", "s#", "e#") "</process>", 501, "</definitions>", 0, 0,
     "流程太多"},
};

static Status load(Str xml, const Flow **ret, Str *ret_says) {
    Error err = {0};
    Status status = flow_load(xml, arena, ret, &err);
    *ret_says = status ? error_message(&err, NULL, NULL, arena) : S("");
    return status;
}

static void test_loaded(void **state) {
    (void)state;
    bool good = true;
    for (size_t i = 0; i < sizeof LOADED / sizeof *LOADED; i++) {
        const LimitCase *c = &LOADED[i];
        const Flow *f;
        ArenaMark mark = arena_mark(arena);
        Str says;
        Status status = load(limit_input(c, c->times, INPUT_MAX, arena), &f, &says);
        bool told = str_find(says, str_z(c->says)) >= 0;
        if (status == OK || !told) {
            print_error("%s: status %d, says “%.*s”\n", c->limit, status, S_FMT(says));
            good = false;
        }
        if (strcmp(c->limit, "FLOW_SIZE_MAX") == 0) continue;
        status = load(limit_input(c, c->times - 1, INPUT_MAX, arena), &f, &says);
        if (status != OK && str_find(says, str_z(c->says)) >= 0) {
            print_error("%s: one less is refused: %.*s\n", c->limit, S_FMT(says));
            good = false;
        }
        arena_rewind(arena, mark);
    }
    assert_true(good);
}

// What flow_step says to a start with these values; "" when it goes well.
static Str start_says(Str xml, Value values, Status *ret) {
    const Flow *f;
    FlowStep step;
    Str says;
    Error err = {0};
    if (load(xml, &f, &says) != OK) print_error("%.*s\n", S_FMT(says));
    assert_int_equal(load(xml, &f, &says), OK);
    FlowInput in = {.kind = FLOW_START, .values = values};
    *ret = flow_step(f, v_null(), &in, 0, arena, &step, &err);
    return *ret ? error_message(&err, NULL, NULL, arena) : S("");
}

#define MULTI(n)                                                                              \
    PROCESS FLOW("f", "s", "t") FLOW("g", "t", "e") END                                       \
        "<userTask id=\"t\"><multiInstanceLoopCharacteristics><loopCardinality>" n           \
        "</loopCardinality></multiInstanceLoopCharacteristics></userTask>" TAIL

typedef struct RunCase {
    const char *limit, *xml, *less; // `less` is taken; NULL: any other flow shows that
    const char *says;
} RunCase;

static const RunCase RUN[] = {
    {"FLOW_INSTANCES_MAX", MULTI("1001"), NULL, "1000"},
    {"FLOW_TOKENS_MAX", MULTI("1000"), MULTI("900"), "1000"},
    {"FLOW_STEPS_MAX",
     PROCESS "<exclusiveGateway id=\"a\"/><task id=\"t\"/>"
     "<exclusiveGateway id=\"b\" default=\"h\"/>" END
         FLOW("f", "s", "a") FLOW("g", "a", "t") FLOW("j", "t", "b") FLOW("h", "b", "a")
     "<sequenceFlow id=\"k\" sourceRef=\"b\" targetRef=\"e\"><conditionExpression>1 = 2"
     "</conditionExpression></sequenceFlow>" TAIL,
     NULL, "10000"},
    {"FLOW_CALLS_MAX",
     PROCESS "<callActivity id=\"c\" calledElement=\"P\"/>" END FLOW("f", "s", "c")
         FLOW("g", "c", "e") TAIL,
     NULL, "20"},
};

static void test_run(void **state) {
    (void)state;
    bool good = true;
    for (size_t i = 0; i < sizeof RUN / sizeof *RUN; i++) {
        const RunCase *c = &RUN[i];
        Status status;
        Str says = start_says(str_z(c->xml), v_null(), &status);
        if (status != LIMIT || str_find(says, str_z(c->says)) < 0) {
            print_error("%s: status %d, says “%.*s”\n", c->limit, status, S_FMT(says));
            good = false;
        }
        if (c->less) (void)start_says(str_z(c->less), v_null(), &status);
        if (c->less && status != OK) good = false;
    }
    assert_true(good);
}

// FLOW_STATE_MAX and FLOW_DEPTH_MAX: what is kept is bounded in size and in depth.
static void test_data(void **state) {
    (void)state;
    Status status;
    static char large[FLOW_STATE_MAX + 1];
    memset(large, 'x', sizeof large);
    Str xml = S(PROCESS "<userTask id=\"t\"/>" END FLOW("f", "s", "t") FLOW("g", "t", "e") TAIL);
    Value empty = v_with((Value){.kind = V_CONTEXT}, S("a"), v_null(), arena);
    Value v = v_with(empty, S("a"), v_str(str_of(large, sizeof large)), arena);
    Str says = start_says(xml, v, &status);
    assert_int_equal(status, LIMIT);
    assert_true(str_find(says, S("1048576")) >= 0);
    v = v_with(empty, S("a"), v_str(str_of(large, sizeof large / 2)), arena);
    (void)start_says(xml, v, &status);
    assert_int_equal(status, OK);
    v = v_null();
    for (int i = 0; i < VALUE_DEPTH_MAX - 4; i++) {
        ListBuilder b = list_make(arena);
        list_add(&b, v);
        v = list_done(&b);
    }
    says = start_says(xml, v_with(empty, S("a"), v, arena), &status);
    assert_int_equal(status, LIMIT);
    assert_true(str_find(says, S("192")) >= 0);
}

// DOCUMENT_…: of a file that is only read and written back.
static void test_document(void **state) {
    (void)state;
    static const LimitCase files[] = {
        {"DOCUMENT_SIZE_MAX", "<a>", " ", 32 << 20, "</a>", 0, 0, "32 MB"},
        {"DOCUMENT_DEPTH_MAX", 0, "<a>", 201, "1", "</a>", 0, "层"},
        {"DOCUMENT_TAG_ATTRIBUTES_MAX", "<a", " b#=\"1\"", 1001, "/>", 0, 0, "1000"},
        {"DOCUMENT_ELEMENTS_MAX", "<a>", "<b/>", 400001, "</a>", 0, 0, "元素"},
    };
    bool good = true;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const LimitCase *c = &files[i];
        const FlowDocument *d;
        Error err = {0};
        ArenaMark mark = arena_mark(arena);
        Str xml = limit_input(c, c->times, INPUT_MAX, arena);
        Status status = flow_document_read(xml, arena, &d, &err);
        Str says = status ? error_message(&err, NULL, NULL, arena) : S("");
        if (status != LIMIT || str_find(says, str_z(c->says)) < 0) {
            print_error("%s: status %d, says “%.*s”\n", c->limit, status, S_FMT(says));
            good = false;
        }
        arena_rewind(arena, mark);
    }
    assert_true(good);
}

int main(void) {
    arena = arena_create(MEMORY_MAX);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loaded),
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_document),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
