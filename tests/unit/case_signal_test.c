// room: case
// What flows of cases say to each other: signals, messages and escalations, on both databases.
#include "case_flow_fixture.h"

#define THROW(id, definition)                                                             \
    "<bpmn:intermediateThrowEvent id=\"" id "\">" definition "</bpmn:intermediateThrowEvent>"
#define CATCH(id, definition) \
    "<bpmn:intermediateCatchEvent id=\"" id "\">" definition "</bpmn:intermediateCatchEvent>"
#define NAMES                                                      \
    "<bpmn:signal id=\"opened\" name=\"开园\"/>"                  \
    "<bpmn:message id=\"found\" name=\"核查结果\"/>"              \
    "<bpmn:escalation id=\"slow\" name=\"催办\" escalationCode=\"E-1\"/>"
#define SIGNAL "<bpmn:signalEventDefinition signalRef=\"opened\"/>"
#define MESSAGE "<bpmn:messageEventDefinition messageRef=\"found\"/>"

// Says what its task noted, `case` among it.
static const char *const SENDER =
    HEAD NAMES PROCESS TASK("first", "")
        THROW("say", "<bpmn:dataInput id=\"in\" name=\"case\"/><bpmn:dataInputAssociation>"
                     "<bpmn:targetRef>in</bpmn:targetRef><bpmn:transformation>first.note"
                     "</bpmn:transformation></bpmn:dataInputAssociation><bpmn:inputSet>"
                     "<bpmn:dataInputRefs>in</bpmn:dataInputRefs></bpmn:inputSet>" MESSAGE)
    DECIDE("decide") FLOW("start", "first") FLOW("first", "say") FLOW("say", "decide")
    FLOW("decide", "end") END TAIL;

static const char *const OPENER =
    HEAD NAMES PROCESS TASK("first", "") THROW("say", SIGNAL) DECIDE("decide")
    FLOW("start", "first") FLOW("first", "say") FLOW("say", "decide") FLOW("decide", "end") END
    TAIL;

// Goes on to a task when it heard what it waits for.
#define LISTENER(definition)                                                              \
    HEAD NAMES PROCESS CATCH("wait", definition) TASK("after", "") DECIDE("decide")       \
    FLOW("start", "wait") FLOW("wait", "after") FLOW("after", "decide")                   \
    FLOW("decide", "end") END TAIL

static int64_t waits_of(County *c, Value submitted) {
    return county_int(c, "SELECT COUNT(*) FROM flow_subscription WHERE case_id = ?1",
                      id_of(submitted));
}

static bool flow_names(County *c, Value submitted, Str text) {
    Error err;
    Db *db;
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    Query *q = query(db, "SELECT flow_json FROM cases WHERE id = ?1");
    query_int(q, 1, id_of(submitted));
    bool found = query_next(q) && str_find(query_col_str(q, 0), text) >= 0;
    assert_int_equal(query_done(q, &err), OK);
    store_release(db);
    return found;
}

static Instant later(const County *c) { return c->now + 1000; }

static void a_signal_reaches_every_case_that_waits_once(void **state) {
    County *c = *state;
    publish(c, "T-OPEN", OPENER);
    publish(c, "T-HEAR", LISTENER(SIGNAL));
    Value one = begin(c, "T-HEAR"), two = begin(c, "T-HEAR"), opener = begin(c, "T-OPEN");
    assert_int_equal(waits_of(c, one), 1);
    assert_int_equal(waits_of(c, opener), 0);
    complete(c, opener, "first", "{}");
    assert_int_equal(case_state(c, opener), CASE_DECIDED);
    assert_int_equal(events_of(c, opener, "flow.signal"), 1);
    assert_int_equal(open_tasks(c, one), 0); // driven in a transaction of its own
    run_due(c, later(c));
    run_due(c, later(c));
    Value each[] = {one, two};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(open_tasks(c, each[i]), 1);
        assert_int_equal(waits_of(c, each[i]), 0);
        assert_int_equal(events_of(c, each[i], "flow.delivered"), 1);
        complete(c, each[i], "after", "{}");
        assert_int_equal(case_state(c, each[i]), CASE_DECIDED);
    }
    Value again = begin(c, "T-OPEN"); // nobody is left
    complete(c, again, "first", "{}");
    assert_int_equal(events_of(c, again, "flow.signal"), 1);
    assert_int_equal(case_state(c, again), CASE_DECIDED);
}

static void a_message_goes_to_the_case_it_names(void **state) {
    County *c = *state;
    publish(c, "T-SEND", SENDER);
    publish(c, "T-GET", LISTENER(MESSAGE));
    Value one = begin(c, "T-GET"), two = begin(c, "T-GET"), sender = begin(c, "T-SEND");
    Str number = v_text(v_get_lit(two, "number"));
    Str note = arena_printf(c->a, "{'note':'%.*s'}", S_FMT(number));
    complete(c, sender, "first", arena_cstr(c->a, note));
    run_due(c, later(c));
    assert_int_equal(open_tasks(c, one), 0);
    assert_int_equal(open_tasks(c, two), 1);
    assert_int_equal(events_of(c, sender, "flow.message"), 1);
    assert_true(flow_names(c, two, number)); // its values came along
}

static void a_message_for_nobody_is_told(void **state) {
    County *c = *state;
    publish(c, "T-SEND2", SENDER);
    Value sender = begin(c, "T-SEND2");
    complete(c, sender, "first", "{'note':'33022599999999'}");
    assert_int_equal(events_of(c, sender, "flow.message_unclaimed"), 1);
    assert_int_equal(events_of(c, sender, "flow.message"), 0);
    assert_int_equal(case_state(c, sender), CASE_DECIDED);
}

// The waiting case is withdrawn between throwing and delivering.
static void what_comes_too_late_is_told(void **state) {
    County *c = *state;
    publish(c, "T-OPEN2", OPENER);
    publish(c, "T-HEAR2", LISTENER(SIGNAL));
    Value waiting = begin(c, "T-HEAR2"), opener = begin(c, "T-OPEN2");
    complete(c, opener, "first", "{}");
    Actor citizen = county_actor(c, "citizen");
    county_do(c, "case.withdraw", &citizen, with_id(c, waiting, "{'reason':'不办了'}"));
    assert_int_equal(waits_of(c, waiting), 0);
    run_due(c, later(c));
    assert_int_equal(events_of(c, waiting, "flow.undelivered"), 1);
    assert_int_equal(events_of(c, waiting, "flow.delivered"), 0);
}

static void an_official_tells_the_flow(void **state) {
    County *c = *state;
    publish(c, "T-TELL", LISTENER(MESSAGE));
    Value s = begin(c, "T-TELL"), ret;
    Actor clerk = county_actor(c, "clerk"), stranger = county_actor(c, "zfj");
    Value input = with_id(c, s, "{'name':'核查结果','values':'{ok: 1 + 1}'}");
    assert_int_equal(county_try(c, "case.message", &stranger, input, &ret), DENIED);
    Value wrong = with_id(c, s, "{'name':'别的'}");
    assert_int_equal(county_try(c, "case.message", &clerk, wrong, &ret), CONFLICT);
    wrong = with_id(c, s, "{'name':'核查结果','values':'1 +'}");
    assert_int_equal(county_try(c, "case.message", &clerk, wrong, &ret), INVALID);
    assert_int_equal(open_tasks(c, s), 0);
    county_do(c, "case.message", &clerk, input);
    assert_int_equal(open_tasks(c, s), 1);
    assert_int_equal(events_of(c, s, "case.message"), 1);
    assert_int_equal(county_try(c, "case.message", &clerk, input, &ret), CONFLICT); // heard already
}

// The flow declares what the message brings, and its steps read it.
static void what_a_message_brings_is_read(void **state) {
    County *c = *state;
    publish(c, "T-BRINGS",
            HEAD NAMES "<bpmn:process id=\"p\" name=\"流程\" isExecutable=\"true\">"
            "<bpmn:property id=\"p1\" name=\"checked\"/><bpmn:startEvent id=\"start\"/>"
            CATCH("wait", MESSAGE)
            "<bpmn:serviceTask id=\"decide\" name=\"决定\" yz:service=\"decide\""
            " yz:outcome=\"granted\" yz:reason=\"=checked.note\"/>" FLOW("start", "wait")
                FLOW("wait", "decide") FLOW("decide", "end") END TAIL);
    Value s = begin(c, "T-BRINGS");
    Actor clerk = county_actor(c, "clerk");
    Value input = with_id(c, s, "{'name':'核查结果','values':{'checked':{'note':'现场合格'}}}");
    county_do(c, "case.message", &clerk, input);
    assert_int_equal(case_state(c, s), CASE_DECIDED);
    Value view = county_view(c, &clerk, s);
    assert_true(str_find(json_to_str(view, c->a), S("现场合格")) >= 0);
}

static void an_escalation_nobody_catches_is_told(void **state) {
    County *c = *state;
    publish(c, "T-ESC",
            HEAD NAMES PROCESS TASK("first", "")
                THROW("up", "<bpmn:escalationEventDefinition escalationRef=\"slow\"/>")
                    DECIDE("decide") FLOW("start", "first") FLOW("first", "up")
                        FLOW("up", "decide") FLOW("decide", "end") END TAIL);
    Value s = begin(c, "T-ESC");
    complete(c, s, "first", "{}");
    assert_int_equal(events_of(c, s, "flow.escalated"), 1);
    assert_int_equal(case_state(c, s), CASE_DECIDED);
}

// What a running case waits for is known again after it moved to a version that waits for another.
static void a_moved_case_waits_for_what_its_new_flow_names(void **state) {
    County *c = *state;
    publish(c, "T-MOVES", LISTENER(MESSAGE));
    Value s = begin(c, "T-MOVES");
    publish(c, "T-MOVES", HEAD "<bpmn:message id=\"found\" name=\"现场结果\"/>" PROCESS
            CATCH("wait", MESSAGE) TASK("after", "") DECIDE("decide") FLOW("start", "wait")
                FLOW("wait", "after") FLOW("after", "decide") FLOW("decide", "end") END TAIL);
    Actor admin = county_actor(c, "sysadmin"), clerk = county_actor(c, "clerk");
    Value ret, input = with_id(c, s, "{'to':2,'reason':'改名'}");
    county_do(c, "item.migrate", &admin, input);
    input = with_id(c, s, "{'name':'核查结果'}");
    assert_int_equal(county_try(c, "case.message", &clerk, input, &ret), CONFLICT);
    county_do(c, "case.message", &clerk, with_id(c, s, "{'name':'现场结果'}"));
    assert_int_equal(open_tasks(c, s), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        EACH(a_signal_reaches_every_case_that_waits_once),
        EACH(a_message_goes_to_the_case_it_names),
        EACH(a_message_for_nobody_is_told),
        EACH(what_comes_too_late_is_told),
        EACH(an_official_tells_the_flow),
        EACH(what_a_message_brings_is_read),
        EACH(an_escalation_nobody_catches_is_told),
        EACH(a_moved_case_waits_for_what_its_new_flow_names),
    };
    return COUNTY_RUN("case_signal", tests, county_up_sqlite, county_up_postgres);
}
