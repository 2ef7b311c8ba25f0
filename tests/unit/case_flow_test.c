// room: case
// Driving flows: what happens when a step fails, on both databases.
#include "case_flow_fixture.h"

static int64_t incident_of(County *c, Value submitted) {
    return county_int(c, "SELECT COALESCE(MAX(id), 0) FROM incident WHERE case_id = ?1",
                      id_of(submitted));
}

static int64_t incident_state(County *c, Value submitted) {
    return county_int(c, "SELECT COALESCE(MAX(state), 0) FROM incident WHERE case_id = ?1",
                      id_of(submitted));
}

static Value mend(County *c, const char *command, Value submitted, const char *more) {
    Actor admin = county_actor(c, "sysadmin");
    Value input = v_with(county_json(c, more), S("incident"), v_int(incident_of(c, submitted)),
                         c->a);
    return county_do(c, command, &admin, input);
}

static const char *const MISSING_POST =
    HEAD PROCESS TASK("first", "")
    "<bpmn:userTask id=\"second\" name=\"第二步\" yz:post=\"=first.note\"/>"
    DECIDE("decide") FLOW("start", "first") FLOW("first", "second") FLOW("second", "decide")
    FLOW("decide", "end") END TAIL;

// The official's task is done all the same; the step that failed is tried again, then it stands,
// then an administrator says who it is for.
static void a_step_that_fails_is_retried_then_stands_then_mended(void **state) {
    County *c = *state;
    publish(c, "T-POST", MISSING_POST);
    Value s = begin(c, "T-POST");
    complete(c, s, "first", "{}");
    assert_int_equal(open_tasks(c, s), 0);
    assert_int_equal(events_of(c, s, "task.completed"), 1);
    assert_int_equal(incident_state(c, s), 1);
    assert_int_equal(events_of(c, s, "incident.opened"), 1);
    run_due(c, c->now + 1000); // not yet
    assert_int_equal(events_of(c, s, "incident.failed_again"), 0);
    Instant at = c->now;
    const int waits_s[] = {60, 300, 1800, 7200};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(incident_state(c, s), 1);
        at += waits_s[i] * 1000;
        run_due(c, at);
        assert_int_equal(events_of(c, s, "incident.failed_again"), i + 1);
    }
    assert_int_equal(incident_state(c, s), 2);
    int64_t id = id_of(s);
    assert_true(county_int(c, "SELECT COUNT(*) FROM message m JOIN account a ON a.id ="
                              " m.account_id WHERE m.case_id = ?1 AND a.login = 'sysadmin'",
                           id) == 1);
    run_due(c, at + DAY_MS);
    assert_int_equal(events_of(c, s, "incident.failed_again"), 4); // it stands
    Value ret = mend(c, "incident.retry", s, "{'reason':'再试'}");
    assert_false(v_true(v_get_lit(ret, "resolved")));
    assert_int_equal(incident_state(c, s), 2);
    ret = mend(c, "incident.retry", s,
               "{'reason':'补上岗位','variables':{'first':{'note':'330225-SCJ-SC'}}}");
    assert_true(v_true(v_get_lit(ret, "resolved")));
    assert_int_equal(incident_state(c, s), 3);
    assert_int_equal(open_tasks(c, s), 1);
    complete(c, s, "second", "{}");
    assert_int_equal(case_state(c, s), CASE_DECIDED);
    assert_int_equal(county_int(c, "SELECT COUNT(*) FROM incident WHERE case_id = ?1", id), 1);
}

static const char *const PAY =
    HEAD PROCESS TASK("first", "") "<bpmn:serviceTask id=\"pay\" name=\"支付\" yz:service=\"pay\""
    " yz:ledger=\"L\" yz:amount=\"=number(first.note)\"/>" DECIDE("decide") FLOW("start", "first")
    FLOW("first", "pay") FLOW("pay", "decide") FLOW("decide", "end") END TAIL;

static void a_service_is_mended_by_variables_or_skipped(void **state) {
    County *c = *state;
    publish(c, "T-PAY", PAY);
    Value s = begin(c, "T-PAY");
    complete(c, s, "first", "{'note':'0'}");
    mend(c, "incident.retry", s,
         "{'reason':'补金额','variables':'{first: {note: string(12 * 100)}}'}");
    assert_int_equal(case_state(c, s), CASE_DECIDED);
    assert_int_equal(
        county_int(c, "SELECT COALESCE(SUM(amount_fen), 0) FROM ledger_entry WHERE case_id = ?1",
                   id_of(s)),
        1200);
    Value other = begin(c, "T-PAY");
    complete(c, other, "first", "{'note':'0'}");
    mend(c, "incident.skip", other, "{'reason':'已在线下支付'}");
    assert_int_equal(case_state(c, other), CASE_DECIDED);
    assert_int_equal(
        county_int(c, "SELECT COUNT(*) FROM ledger_entry WHERE case_id = ?1", id_of(other)), 0);
    Actor admin = county_actor(c, "sysadmin");
    Value ret, input = county_json(c, "{'reason':'x'}");
    input = v_with(input, S("incident"), v_int(incident_of(c, other)), c->a);
    assert_int_equal(county_try(c, "incident.retry", &admin, input, &ret), CONFLICT);
}

static const char *const CHOICE =
    HEAD PROCESS TASK("first", "") "<bpmn:exclusiveGateway id=\"ask\"/>" DECIDE("decide")
    TASK("more", "") FLOW("start", "first") FLOW("first", "ask")
    FLOW_IF("ask", "decide", "score &gt; 5") FLOW_IF("ask", "more", "score &lt;= 5")
    FLOW("more", "decide") FLOW("decide", "end") END TAIL;

static void a_condition_that_cannot_be_decided_keeps_the_act(void **state) {
    County *c = *state;
    publish(c, "T-ASK", CHOICE);
    Value s = begin(c, "T-ASK");
    complete(c, s, "first", "{'note':'同意'}");
    assert_int_equal(incident_state(c, s), 1);
    assert_int_equal(
        county_int(c, "SELECT state FROM task WHERE case_id = ?1", id_of(s)), TASK_DONE);
    // skipping is for automatic steps
    Actor admin = county_actor(c, "sysadmin");
    Value ret, input = county_json(c, "{'reason':'跳过'}");
    input = v_with(input, S("incident"), v_int(incident_of(c, s)), c->a);
    assert_int_equal(county_try(c, "incident.skip", &admin, input, &ret), INVALID);
    mend(c, "incident.retry", s, "{'reason':'补分数','variables':{'score':3}}");
    assert_int_equal(open_tasks(c, s), 1);
    // withdrawn meanwhile: the incident is over, its timer too
    Value other = begin(c, "T-ASK");
    complete(c, other, "first", "{}");
    Actor citizen = county_actor(c, "citizen");
    county_do(c, "case.withdraw", &citizen, with_id(c, other, "{}"));
    assert_int_equal(incident_state(c, other), 4);
    assert_int_equal(county_int(c, "SELECT COUNT(*) FROM timer WHERE case_id = ?1 AND done_at IS"
                                   " NULL",
                                id_of(other)),
                     0);
}

static const char *const UNDECIDED =
    HEAD PROCESS TASK("first", "") "<bpmn:serviceTask id=\"decide\" name=\"决定\""
    " yz:service=\"decide\" yz:outcome=\"granted\" yz:reason=\"好\">"
    "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>0</bpmn:loopCardinality>"
    "</bpmn:multiInstanceLoopCharacteristics></bpmn:serviceTask>" FLOW("start", "first")
    FLOW("first", "decide") FLOW("decide", "end") END TAIL;

static void a_flow_that_ends_without_decision_is_an_incident(void **state) {
    County *c = *state;
    publish(c, "T-NONE", UNDECIDED);
    Value s = begin(c, "T-NONE");
    complete(c, s, "first", "{}");
    assert_int_equal(case_state(c, s), CASE_APPROVAL);
    assert_int_equal(incident_state(c, s), 1);
}

static const char *const AT_ONCE =
    HEAD PROCESS "<bpmn:scriptTask id=\"sum\" name=\"计算\" yz:result=\"x\">"
    "<bpmn:script>nothing.at + 1</bpmn:script></bpmn:scriptTask>" DECIDE("decide")
    FLOW("start", "sum") FLOW("sum", "decide") FLOW("decide", "end") END TAIL;

// What the flow can't do is not the applicant's fault, nor the clerk's who accepts.
static void a_flow_that_cannot_begin_does_not_refuse_acceptance(void **state) {
    County *c = *state;
    publish(c, "T-SUM", AT_ONCE);
    Value s = begin(c, "T-SUM");
    int64_t now = case_state(c, s);
    if (now != CASE_DECIDED) assert_int_equal(incident_state(c, s), 1);
}

// ---- timers ----

typedef struct SetTimer {
    int64_t case_id, token;
    Value value;
} SetTimer;

static Status set_timer_job(Tx *tx, void *arg, Errors *errs) {
    const SetTimer *s = arg;
    CaseRow c;
    Status st = case_load(tx_db(tx), s->case_id, tx_arena(tx), &c, errs);
    return st == OK ? timer_set_flow(tx, &c, S("node"), s->token, s->value, errs) : st;
}

static Status set_timer(County *c, Value submitted, int64_t token, Value v, Instant now) {
    SetTimer s = {id_of(submitted), token, v};
    c->errs = errors_make(c->a);
    return store_write(c->f->store, set_timer_job, &s, c->a, now, &c->errs);
}

static Value working_days(County *c, int64_t n) {
    return v_with(v_null(), S("working_days"), v_int(n), c->a);
}

static Day date(const char *iso) {
    Day d = 0;
    assert_true(day_parse(str_z(iso), &d));
    return d;
}

// Of the case's open timer with this token.
static int64_t due_at(County *c, Value submitted, int token) {
    Str sql = arena_printf(c->a, "SELECT due_at FROM timer WHERE case_id = ?1 AND token = %d"
                                 " AND done_at IS NULL", token);
    return county_int(c, arena_cstr(c->a, sql), id_of(submitted));
}

static const char *const PLAIN = HEAD PROCESS TASK("first", "") DECIDE("decide")
    FLOW("start", "first") FLOW("first", "decide") FLOW("decide", "end") END TAIL;

static void working_days_follow_the_calendar(void **state) {
    County *c = *state;
    static const struct {
        const char *start, *due;
        int64_t days;
    } vectors[] = {{"2026-02-12", "2026-02-26", 5},  {"2025-01-24", "2025-02-07", 5},
                   {"2024-09-12", "2024-10-16", 20}, {"2026-09-30", "2026-11-03", 20},
                   {"2022-12-30", "2023-02-02", 20}, {"2023-03-03", "2023-03-03", 0}};
    publish(c, "T-PLAIN", PLAIN);
    Value s = begin(c, "T-PLAIN");
    for (int i = 0; i < (int)(sizeof vectors / sizeof *vectors); i++) {
        Instant now = day_instant(date(vectors[i].start), 10 * 3600);
        Value v = working_days(c, vectors[i].days);
        assert_int_equal(set_timer(c, s, 100 + i, v, now), OK);
        assert_int_equal(due_at(c, s, 100 + i), day_end(date(vectors[i].due)));
    }
    assert_int_equal(set_timer(c, s, 99, working_days(c, CALENDAR_ADD_MAX + 1), c->now), INVALID);
    assert_int_equal(set_timer(c, s, 99, v_lit("morgen"), c->now), INVALID);
}

static void plain_timers_are_moments(void **state) {
    County *c = *state;
    publish(c, "T-PLAIN", PLAIN);
    Value s = begin(c, "T-PLAIN");
    Instant now = day_instant(date("2023-01-31"), 10 * 3600);
    const struct {
        const char *feel;
        Instant due;
    } cases[] = {
        {"duration(\"PT90M\")", now + 90 * 60000},
        {"duration(\"P1M\")", day_instant(date("2023-02-28"), 10 * 3600)},
        {"date(\"2023-02-03\")", day_instant(date("2023-02-03"), 0)},
        {"date and time(\"2023-02-03T08:30:00\")", day_instant(date("2023-02-03"), 30600)},
        {"date and time(\"2023-02-03T08:30:00Z\")",
         day_instant(date("2023-02-03"), 30600) + 8 * 3600000},
    };
    for (int i = 0; i < (int)(sizeof cases / sizeof *cases); i++) {
        const FeelExpr *e;
        Error err;
        FeelRun run = {.arena = c->a, .now = now};
        assert_int_equal(feel_parse(str_z(cases[i].feel), NULL, 0, c->a, &e, &err), OK);
        assert_int_equal(set_timer(c, s, 200 + i, feel_eval(&run, e), now), OK);
        assert_int_equal(due_at(c, s, 200 + i), cases[i].due);
    }
}

static void working_days_stand_still_while_the_case_is_paused(void **state) {
    County *c = *state;
    Actor everyone = county_everyone(c);
    Instant begun = c->now; // Wednesday 1 March 2023
    publish(c, "T-PLAIN", PLAIN);
    Value s = begin(c, "T-PLAIN");
    assert_int_equal(set_timer(c, s, 1, working_days(c, 5), c->now), OK);
    assert_int_equal(set_timer(c, s, 2, v_null(), c->now), INVALID);
    assert_int_equal(due_at(c, s, 1), day_end(date("2023-03-08")));
    c->now = day_instant(date("2023-03-02"), 36000);
    county_do(c, "case.pause", &everyone, with_id(c, s, "{'reason':'现场核查'}"));
    run_due(c, day_instant(date("2023-12-01"), 0)); // held: not even then
    assert_true(due_at(c, s, 1) > day_instant(date("2060-01-01"), 0));
    c->now = day_instant(date("2023-03-07"), 36000);
    assert_int_equal(set_timer(c, s, 3, working_days(c, 2), c->now), OK); // begins in the pause
    county_do(c, "case.resume", &everyone, with_id(c, s, "{}"));
    assert_int_equal(due_at(c, s, 1), day_end(date("2023-03-13"))); // 3, 6, 7 March don't count
    assert_int_equal(due_at(c, s, 3), day_end(date("2023-03-09")));
    Value timers = v_get_lit(county_view(c, &everyone, s), "timers");
    assert_int_equal(timers.len, 2);
    assert_int_equal(v_to_int(v_get_lit(v_at(timers, 1), "stopped"), 0), 3);
    assert_true(v_get_lit(v_at(timers, 1), "derivation").len > 0);
    c->now = begun;
}

static void load_year(County *c, Value year) {
    ListBuilder years = list_make(c->a);
    list_add(&years, year);
    Value input = v_with(v_null(), S("years"), list_done(&years), c->a);
    county_do(c, "calendar.load", &actor_system, input);
    run_due(c, c->now); // notices by itself
}

static void a_changed_calendar_moves_timers_and_clocks(void **state) {
    County *c = *state;
    Value year;
    Error err;
    Instant begun = c->now;
    const EmbeddedFile *file = embed_find(S("county/calendar/2023.json"));
    assert_non_null(file);
    assert_int_equal(json_parse(file->data, JSON_STRICT, (JsonLimits){0}, c->a, &year, &err), OK);
    publish(c, "T-PLAIN", PLAIN);
    Value s = begin(c, "T-PLAIN");
    assert_int_equal(set_timer(c, s, 1, working_days(c, 5), c->now), OK);
    const char *promised = "SELECT promised_due_day FROM cases WHERE id = ?1";
    assert_int_equal(county_int(c, promised, id_of(s)), date("2023-03-10"));
    Value off = v_get_lit(year, "off");
    ListBuilder more = list_make(c->a);
    for (uint32_t i = 0; i < off.len; i++) list_add(&more, v_at(off, i));
    list_add(&more, county_json(c, "{'from':'2023-03-06','to':'2023-03-06','name':'试验日'}"));
    load_year(c, v_with(year, S("off"), list_done(&more), c->a));
    assert_int_equal(due_at(c, s, 1), day_end(date("2023-03-09")));
    assert_int_equal(county_int(c, promised, id_of(s)), date("2023-03-13"));
    assert_int_equal(events_of(c, s, "clock.derived"), 1);
    load_year(c, year);
    assert_int_equal(due_at(c, s, 1), day_end(date("2023-03-08")));
    assert_int_equal(events_of(c, s, "clock.derived"), 2);
    run_due(c, c->now);
    assert_int_equal(events_of(c, s, "clock.derived"), 2);
    c->now = begun;
}

// ---- versions ----

static const char *const RENAMED = HEAD PROCESS TASK("opening", "") TASK("second", "")
    DECIDE("decide") FLOW("start", "opening") FLOW("opening", "second") FLOW("second", "decide")
    FLOW("decide", "end") END TAIL;

static Value plan(County *c, const char *request) {
    Error err;
    Db *db;
    Value ret = v_null();
    c->errs = errors_make(c->a);
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    if (migrate_plan(c->room, db, county_json(c, request), c->now, c->a, &ret, &c->errs) != OK) {
        county_fail("migrate_plan", &c->errs);
    }
    store_release(db);
    return ret;
}

static Status migrate(County *c, Value submitted, const char *more) {
    Actor admin = county_actor(c, "sysadmin");
    Value ret;
    return county_try(c, "item.migrate", &admin, with_id(c, submitted, more), &ret);
}

static void running_cases_move_to_a_new_version(void **state) {
    County *c = *state;
    Actor everyone = county_everyone(c);
    publish(c, "T-MOVE", PLAIN);
    Value s = begin(c, "T-MOVE"), other = begin(c, "T-MOVE"), ret;
    Value claim = v_with(v_null(), S("case"), v_get_lit(s, "id"), c->a);
    county_do(c, "task.claim", &everyone, claim);
    publish(c, "T-MOVE", RENAMED);
    // nothing is lost without a word
    Value found = plan(c, "{'item':'T-MOVE','from':1,'to':2}");
    assert_int_equal(v_to_int(v_get_lit(found, "total"), 0), 2);
    assert_int_equal(v_to_int(v_get_lit(found, "refused"), 0), 2);
    assert_int_equal(v_get_lit(found, "groups").len, 1); // both stand at the same step
    assert_int_equal(migrate(c, s, "{'to':2,'reason':'试'}"), INVALID);
    assert_int_equal(migrate(c, s, "{'to':7,'reason':'试'}"), NOT_FOUND);
    assert_int_equal(migrate(c, s, "{'to':2}"), INVALID); // says why
    found = plan(c, "{'item':'T-MOVE','from':1,'to':2,'mapping':{'first':'opening'}}");
    assert_int_equal(v_to_int(v_get_lit(found, "able"), 0), 2);
    assert_int_equal(migrate(c, s, "{'to':2,'reason':'改版','mapping':{'first':'opening'}}"), OK);
    assert_int_equal(events_of(c, s, "case.migrated"), 1);
    assert_int_equal(migrate(c, s, "{'to':2,'reason':'再来'}"), CONFLICT);
    // the task is the same, claimed by the same, and the case goes on in the new version
    assert_int_equal(county_int(c, "SELECT account_id FROM task WHERE case_id = ?1 AND node ="
                                   " 'opening' AND state = 2",
                                id_of(s)),
                     everyone.account_id);
    complete(c, s, "opening", "{}");
    complete(c, s, "second", "{}");
    assert_int_equal(case_state(c, s), CASE_DECIDED);
    complete(c, other, "first", "{}"); // stays on its version
    assert_int_equal(case_state(c, other), CASE_DECIDED);
    Actor clerk = county_actor(c, "clerk");
    Value input = with_id(c, other, "{'to':2,'reason':'x'}");
    assert_int_equal(county_try(c, "item.migrate", &clerk, input, &ret), DENIED);
}

// The flow itself was wrong: the case stands, a mended version is published, the case moves, and
// the step is tried again there.
static void a_fault_is_mended_by_a_new_version(void **state) {
    County *c = *state;
    publish(c, "T-MEND", MISSING_POST);
    Value s = begin(c, "T-MEND");
    complete(c, s, "first", "{'note':'330225-SCJ-XX'}");
    assert_int_equal(incident_state(c, s), 1);
    publish(c, "T-MEND",
            HEAD PROCESS TASK("first", "") TASK("second", "") DECIDE("decide")
                FLOW("start", "first") FLOW("first", "second") FLOW("second", "decide")
                    FLOW("decide", "end") END TAIL);
    assert_int_equal(migrate(c, s, "{'to':2,'reason':'岗位写错了'}"), OK);
    mend(c, "incident.retry", s, "{'reason':'新版本'}");
    assert_int_equal(incident_state(c, s), 3);
    complete(c, s, "second", "{}");
    assert_int_equal(case_state(c, s), CASE_DECIDED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        EACH(a_step_that_fails_is_retried_then_stands_then_mended),
        EACH(a_service_is_mended_by_variables_or_skipped),
        EACH(a_condition_that_cannot_be_decided_keeps_the_act),
        EACH(a_flow_that_ends_without_decision_is_an_incident),
        EACH(a_flow_that_cannot_begin_does_not_refuse_acceptance),
        EACH(working_days_follow_the_calendar),
        EACH(plain_timers_are_moments),
        EACH(working_days_stand_still_while_the_case_is_paused),
        EACH(a_changed_calendar_moves_timers_and_clocks),
        EACH(running_cases_move_to_a_new_version),
        EACH(a_fault_is_mended_by_a_new_version),
    };
    return COUNTY_RUN("case_flow", tests, county_up_sqlite, county_up_postgres);
}
