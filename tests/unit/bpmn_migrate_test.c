// room: bpmn
// Running instances move to another version of their flow, and are then finished in it.
#include "bpmn_fixture.h"

#include "bpmn/migrate.h"

// Moves the instance to `xml`; the tasks and timers it has stay open under their tokens.
static Status migrate(Drive *d, Str xml, Str mapping, bool again, Errors *errs) {
    const Flow *to;
    if (flow_load(xml, d->arena, &to, &d->err)) fail_msg("the new version is refused");
    FlowMigrated moved;
    *errs = errors_make(d->arena);
    Status st = flow_migrate(d->flow, drive_json(d->arena, d->state), to,
                             drive_json(d->arena, mapping), again, v_null(), 1700000000000,
                             d->arena, &moved, errs);
    if (st != OK) return st;
    for (uint32_t i = 0; i < moved.moved.len; i++) {
        Value one = v_at(moved.moved, i);
        for (size_t k = 0; k < d->open_count; k++) {
            if (d->open[k].token != v_to_int(v_get_lit(one, "token"), 0)) continue;
            (void)snprintf(d->open[k].node, sizeof d->open[k].node, "%.*s",
                           S_FMT(v_text(v_get_lit(one, "to"))));
        }
    }
    d->flow = to;
    d->state = json_to_str(moved.state, d->arena);
    d->step = (FlowStep){.effects = moved.effects, .effects_count = moved.effects_count};
    drive_effects(d);
    return drive_input(d, (FlowInput){.kind = FLOW_FACTS}, S(""));
}

static void must(Drive *d, Str xml, Str mapping) {
    Errors errs;
    if (migrate(d, xml, mapping, false, &errs) == OK) return;
    for (size_t i = 0; i < errs.count; i++) {
        Str why = error_message(&errs.items[i], NULL, NULL, d->arena);
        print_error("%.*s: %.*s\n", S_FMT(errs.items[i].where), S_FMT(why));
    }
    fail();
}

static void refused(Drive *d, Str xml, Str mapping, const char *where, const char *why) {
    Errors errs;
    Str before = d->state;
    assert_int_equal(migrate(d, xml, mapping, false, &errs), INVALID);
    assert_int_equal(errs.count, 1);
    Str told = error_message(&errs.items[0], NULL, NULL, d->arena);
    if (!str_eq(errs.items[0].where, str_z(where)) || str_find(told, str_z(why)) < 0) {
        fail_msg("%.*s: %.*s", S_FMT(errs.items[0].where), S_FMT(told));
    }
    assert_true(str_eq(before, d->state));
}

#define TWO FLOW_XML(START USER("a") USER("b") END SEQ("s", "a") SEQ("a", "b") SEQ("b", "e"))

static void a_task_goes_on_in_the_new_version(void **unused) {
    (void)unused;
    Drive d = drive_make(TWO);
    assert_int_equal(drive_start(&d, S("{\"n\":1}")), OK);
    Str before = d.state;
    must(&d, FLOW_XML(START USER("a") USER("x") END SEQ("s", "a") SEQ("a", "x") SEQ("x", "e")),
         S(""));
    assert_true(str_eq(before, d.state)); // the token has kept its id, the data are there
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_true(drive_is_open(&d, "x"));
    assert_int_equal(drive_done(&d, "x", S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
}

static void a_stated_mapping_says_where_it_goes(void **unused) {
    (void)unused;
    Drive d = drive_make(TWO);
    assert_int_equal(drive_start(&d, S("")), OK);
    Str renamed = FLOW_XML(START "<manualTask id=\"c\"/>" END SEQ("s", "c") SEQ("c", "e"));
    refused(&d, renamed, S(""), "a", "没有对应的环节");
    refused(&d, renamed, S("{\"a\":\"e\"}"), "a", "另一种环节");
    must(&d, renamed, S("{\"a\":\"c\"}"));
    assert_true(drive_is_open(&d, "c"));
    assert_int_equal(drive_done(&d, "c", S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
}

#define SUB(id, body) "<subProcess id=\"" id "\">" body "</subProcess>"
#define INNER(x) \
    "<startEvent id=\"is\"/>" USER(x) "<endEvent id=\"ie\"/>" SEQ("is", x) SEQ(x, "ie")

static void a_sub_process_moves_with_what_is_in_it(void **unused) {
    (void)unused;
    Drive d = drive_make(FLOW_XML(START SUB("p1", INNER("a")) END SEQ("s", "p1") SEQ("p1", "e")));
    assert_int_equal(drive_start(&d, S("")), OK);
    Str other = FLOW_XML(START SUB("p2", INNER("a")) END SEQ("s", "p2") SEQ("p2", "e"));
    Errors errs;
    assert_int_equal(migrate(&d, other, S(""), false, &errs), INVALID);
    must(&d, other, S("{\"p1\":\"p2\"}"));
    // taken out of its sub-process it would be lost
    refused(&d, FLOW_XML(START SUB("p2", INNER("b")) USER("a") END SEQ("s", "p2") SEQ("p2", "a")
                             SEQ("a", "e")),
            S(""), "a", "另一个子流程");
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
}

#define FORK(join)                                                                        \
    START "<parallelGateway id=\"f\"/>" USER("a") USER("b") "<parallelGateway id=\"" join \
          "\"/>" END SEQ("s", "f") SEQ("f", "a") SEQ("f", "b") SEQ("a", join) SEQ("b", join) \
              SEQ(join, "e")

static void a_token_at_a_join_keeps_its_way(void **unused) {
    (void)unused;
    Drive d = drive_make(FLOW_XML(FORK("j")));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_int_equal(drive_done(&d, "a", S("")), OK); // waits at the join
    // no way from a into the join any more
    refused(&d, FLOW_XML(START "<parallelGateway id=\"f\"/>" USER("a") USER("b") USER("c")
                             "<parallelGateway id=\"j\"/>" END SEQ("s", "f") SEQ("f", "a")
                                 SEQ("f", "b") SEQ("f", "c") SEQ("a", "e") SEQ("c", "j")
                                     SEQ("b", "j") SEQ("j", "e")),
            S(""), "j", "没有它走来的那条路");
    must(&d, FLOW_XML(FORK("k")), S("{\"j\":\"k\"}"));
    assert_false(d.ended);
    assert_int_equal(drive_done(&d, "b", S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
}

#define LATE(id, host, days)                                                       \
    "<boundaryEvent id=\"" id "\" attachedToRef=\"" host                           \
    "\" cancelActivity=\"false\"><timerEventDefinition><timeDuration>" days        \
    "</timeDuration></timerEventDefinition></boundaryEvent>" USER(id "x") SEQ(id, id "x") \
        "<endEvent id=\"" id "e\"/>" SEQ(id "x", id "e")

static void what_waits_beside_is_kept_withdrawn_or_begun(void **unused) {
    (void)unused;
    Drive d = drive_make(
        FLOW_XML(START USER("a") LATE("t1", "a", "P1D") LATE("t2", "a", "P2D") END SEQ("s", "a")
                     SEQ("a", "e")));
    assert_int_equal(drive_start(&d, S("")), OK);
    int64_t kept = drive_token(&d, "t1");
    assert_true(drive_is_open(&d, "t2"));
    Str next = FLOW_XML(START USER("a") LATE("t1", "a", "P9D") LATE("t3", "a", "P3D") END
                            SEQ("s", "a") SEQ("a", "e"));
    must(&d, next, S(""));
    assert_int_equal(drive_token(&d, "t1"), kept); // stays as it was set
    assert_false(drive_is_open(&d, "t2"));
    assert_true(drive_is_open(&d, "t3"));
    assert_int_equal(drive_timer(&d, "t1"), OK); // once
    assert_false(drive_is_open(&d, "t1"));
    must(&d, next, S("")); // it has fired: it does not come again
    assert_false(drive_is_open(&d, "t1"));
    Errors errs;
    int64_t before = drive_token(&d, "t3");
    assert_int_equal(migrate(&d, next, S(""), true, &errs), OK); // worked out anew
    assert_true(drive_is_open(&d, "t3") && drive_token(&d, "t3") != before);
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_int_equal(drive_done(&d, "t1x", S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
}

#define HANDLER(id)                                                                         \
    "<subProcess id=\"" id "\" triggeredByEvent=\"true\"><startEvent id=\"" id              \
    "s\"><messageEventDefinition messageRef=\"m1\"/></startEvent>" USER(id "u")            \
        "<endEvent id=\"" id "e\"/>" SEQ(id "s", id "u") SEQ(id "u", id "e") "</subProcess>"

static void a_new_event_sub_process_is_waited_for(void **unused) {
    (void)unused;
    Drive d = drive_make(TWO);
    assert_int_equal(drive_start(&d, S("")), OK);
    must(&d, FLOW_XML(START USER("a") USER("b") END SEQ("s", "a") SEQ("a", "b") SEQ("b", "e")
                          HANDLER("h")),
         S(""));
    assert_int_equal(drive_message(&d, S("paid"), S("")), OK);
    assert_true(drive_is_open(&d, "hu"));
    assert_false(drive_is_open(&d, "a"));
    // at work, it is moved, not begun again
    must(&d, FLOW_XML(START USER("a") USER("b") END SEQ("s", "a") SEQ("a", "b") SEQ("b", "e")
                          HANDLER("h")),
         S(""));
    assert_int_equal(drive_done(&d, "hu", S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
}

#define EACH(sequential)                                                                \
    START "<userTask id=\"a\"><multiInstanceLoopCharacteristics isSequential=\"" sequential \
          "\"><loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics>"     \
          "</userTask>" END SEQ("s", "a") SEQ("a", "e")

static void several_at_once_stay_several_at_once(void **unused) {
    (void)unused;
    Drive d = drive_make(FLOW_XML(EACH("false")));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    Errors errs;
    assert_int_equal(migrate(&d, FLOW_XML(EACH("true")), S(""), false, &errs), INVALID);
    must(&d, FLOW_XML(EACH("false")), S(""));
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_false(d.ended);
    assert_int_equal(drive_done(&d, "a", S("")), OK);
    assert_true(d.ended);
    drive_free(&d);
}

static void a_mapping_is_proposed(void **unused) {
    (void)unused;
    Drive d = drive_make(TWO);
    const Flow *to;
    Str xml = FLOW_XML(START USER("a") "<userTask id=\"c\" name=\"办b\"/>" END SEQ("s", "a")
                           SEQ("a", "c") SEQ("c", "e"));
    assert_int_equal(flow_load(xml, d.arena, &to, &d.err), OK);
    Value rows = flow_mapping(d.flow, to, d.arena);
    assert_int_equal(rows.len, 2);
    assert_str(v_text(v_get_lit(v_at(rows, 0), "to")), "a");
    assert_true(v_true(v_get_lit(v_at(rows, 0), "same")));
    assert_str(v_text(v_get_lit(v_at(rows, 1), "to")), "c"); // of the same name
    assert_false(v_true(v_get_lit(v_at(rows, 1), "same")));
    assert_int_equal(v_get_lit(v_at(rows, 1), "choices").len, 2);
    drive_free(&d);
}

static void what_has_not_begun_or_is_over_stays(void **unused) {
    (void)unused;
    Drive d = drive_make(FLOW_XML(START END SEQ("s", "e")));
    FlowMigrated moved;
    Errors errs = errors_make(d.arena);
    assert_int_equal(flow_migrate(d.flow, v_null(), d.flow, v_null(), false, v_null(), 0, d.arena,
                                  &moved, &errs),
                     OK);
    assert_true(v_is_null(moved.state));
    assert_int_equal(drive_start(&d, S("")), OK);
    assert_true(d.ended);
    Value over = drive_json(d.arena, d.state);
    assert_int_equal(flow_migrate(d.flow, over, d.flow, v_null(), false, v_null(), 0, d.arena,
                                  &moved, &errs),
                     OK);
    assert_true(str_eq(json_to_str(moved.state, d.arena), d.state));
    drive_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_goes_on_in_the_new_version),
        cmocka_unit_test(a_stated_mapping_says_where_it_goes),
        cmocka_unit_test(a_sub_process_moves_with_what_is_in_it),
        cmocka_unit_test(a_token_at_a_join_keeps_its_way),
        cmocka_unit_test(what_waits_beside_is_kept_withdrawn_or_begun),
        cmocka_unit_test(a_new_event_sub_process_is_waited_for),
        cmocka_unit_test(several_at_once_stay_several_at_once),
        cmocka_unit_test(a_mapping_is_proposed),
        cmocka_unit_test(what_has_not_begun_or_is_over_stays),
    };
    return cmocka_run_group_tests_name("bpmn_migrate", tests, NULL, NULL);
}
