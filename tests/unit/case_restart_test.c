// room: case
// A case ends the same on both databases, and whenever the program was stopped between two steps:
// all that its flow is stands in the database.
#include "case_flow_fixture.h"

// Parallel: a task, then one for each of three; a timer; a message. Then a decision.
static const char *const EVERYTHING =
    HEAD "<bpmn:message id=\"found\" name=\"核查结果\"/>" PROCESS
    "<bpmn:parallelGateway id=\"split\"/><bpmn:parallelGateway id=\"join\"/>" TASK("first", "")
    "<bpmn:userTask id=\"each\" name=\"each\" yz:post=\"330225-SCJ-SC\" yz:days=\"5\">"
    "<bpmn:multiInstanceLoopCharacteristics isSequential=\"true\" yz:items=\"=[1, 2, 3]\""
    " yz:item=\"which\"/></bpmn:userTask>"
    "<bpmn:intermediateCatchEvent id=\"hour\"><bpmn:timerEventDefinition><bpmn:timeDuration"
    " xsi:type=\"bpmn:tFormalExpression\">PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>"
    "</bpmn:intermediateCatchEvent>" TASK("timed", "")
    "<bpmn:intermediateCatchEvent id=\"heard\"><bpmn:messageEventDefinition messageRef=\"found\"/>"
    "</bpmn:intermediateCatchEvent>" TASK("told", "") DECIDE("decide") FLOW("start", "split")
    FLOW("split", "first") FLOW("first", "each") FLOW("each", "join") FLOW("split", "hour")
    FLOW("hour", "timed") FLOW("timed", "join") FLOW("split", "heard") FLOW("heard", "told")
    FLOW("told", "join") FLOW("join", "decide") FLOW("decide", "end") END TAIL;

static void step_first(County *c, Value s) { complete(c, s, "first", "{}"); }
static void step_each(County *c, Value s) { complete(c, s, "each", "{}"); }
static void step_hour(County *c, Value s) {
    (void)s;
    run_due(c, c->now + 2 * 3600 * 1000);
}
static void step_timed(County *c, Value s) { complete(c, s, "timed", "{}"); }
static void step_message(County *c, Value s) {
    Actor clerk = county_actor(c, "clerk");
    county_do(c, "case.message", &clerk, with_id(c, s, "{'name':'核查结果'}"));
}
static void step_told(County *c, Value s) { complete(c, s, "told", "{}"); }

typedef void Step(County *c, Value submitted);
static Step *const steps[] = {step_first, step_each, step_hour,    step_each,
                              step_timed, step_each, step_message, step_told};
enum { STEPS = sizeof steps / sizeof *steps };

// The program ends and begins again: nothing stays but the data folder and the database.
static void stop_and_start(County *c) {
    store_close(c->f->store);
    case_room_free(c->room);
    fixture_open(c->f);
    county_open(c);
}

// What the case became: its flow, its tasks, its events in their order.
static Str outcome(County *c, Value submitted) {
    static const char *const asked[] = {
        "SELECT flow_json, state FROM cases WHERE id = ?1",
        "SELECT node, state FROM task WHERE case_id = ?1 ORDER BY id",
        "SELECT kind, handling FROM event WHERE case_id = ?1 ORDER BY id",
        "SELECT kind, token FROM timer WHERE case_id = ?1 AND done_at IS NOT NULL ORDER BY id"};
    Error err;
    Db *db;
    Buf out = buf_make(c->a, 4096, 1 << 20);
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        Query *q = query(db, asked[i]);
        query_int(q, 1, id_of(submitted));
        while (query_next(q)) {
            buf_str(&out, query_col_str(q, 0));
            buf_printf(&out, " %lld\n", (long long)query_col_int(q, 1));
        }
        assert_int_equal(query_done(q, &err), OK);
    }
    store_release(db);
    return buf_view(&out);
}

// A case driven to its end with a stop before every step that `stops` names, bit by bit.
static Str driven(County *c, unsigned stops) {
    Value s = begin(c, "T-STOP");
    for (unsigned i = 0; i < STEPS; i++) {
        if (stops & 1u << i) stop_and_start(c);
        steps[i](c, s);
    }
    assert_int_equal(case_state(c, s), CASE_DECIDED);
    return outcome(c, s);
}

static char expected[1 << 14]; // of the first run, on whichever database it was

static void a_stop_between_two_steps_changes_nothing(void **state) {
    County *c = *state;
    publish(c, "T-STOP", EVERYTHING);
    Str straight = driven(c, 0);
    assert_true(straight.len > 200 && straight.len < sizeof expected);
    if (!expected[0]) memcpy(expected, straight.ptr, straight.len);
    assert_text(straight, expected); // the same on both databases
    for (unsigned i = 0; i < STEPS; i++) assert_text(driven(c, 1u << i), expected);
    assert_text(driven(c, (1u << STEPS) - 1), expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {EACH(a_stop_between_two_steps_changes_nothing)};
    return COUNTY_RUN("case_restart", tests, county_up_sqlite, county_up_postgres);
}
