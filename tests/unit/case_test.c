// room: case
// The way of a case, step by step through the commands, on both databases.
#include "case_fixture.h"

#include "base/crypto.h"

static const char *const GENERIC_ANSWERS = "{'matter':'申请办理，材料随附。','truthful':'true','"
                                           "name':'张三','id_number':'330225197706151027',"
                                           "'phone':'13800000001'}";

// An imported item: `kind` 1 instant, 2 promised.
static Str generic_item(County *c, int kind) {
    Error err;
    Db *db;
    Str code = S("");
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    Query *q =
        query(db, "SELECT code FROM item WHERE case_kind = ?1 AND audience = 3 AND state = 1"
                  " AND code LIKE '%-QT%' OR (case_kind = ?1 AND code LIKE '%-GF%') ORDER BY code");
    query_int(q, 1, kind);
    if (query_next(q)) code = query_col_keep(q, 0, c->a);
    assert_int_equal(query_done(q, &err), OK);
    store_release(db);
    assert_true(code.len > 0);
    return code;
}

static Value generic_input(County *c, int kind) {
    ContextBuilder b = context_make(c->a);
    context_put_lit(&b, "item", v_str(generic_item(c, kind)));
    context_put_lit(&b, "situation", county_json(c, "{}"));
    context_put_lit(&b, "answers", county_json(c, GENERIC_ANSWERS));
    context_put_lit(&b, "materials", county_json(c, "['application']"));
    return context_done(&b);
}

static Value with_id(County *c, Value submitted, const char *more) {
    return v_merge(county_json(c, more),
                   v_with(v_null(), S("id"), v_get_lit(submitted, "id"), c->a), c->a);
}

static void setup_errors(County *c) { c->errs = errors_make(c->a); }

static void promised_case_from_submission_to_rating(void **state) {
    County *c = *state;
    Actor citizen = county_actor(c, "citizen"), clerk = county_actor(c, "clerk");
    Actor everyone = county_everyone(c);
    Value submitted = county_do(c, "case.submit", &citizen, generic_input(c, 2));
    assert_true(case_number_valid(v_text(v_get_lit(submitted, "number"))));
    Value seen = county_view(c, &clerk, submitted);
    assert_int_equal(v_to_int(v_get_lit(seen, "state"), 0), CASE_RECEIVED);
    assert_true(v_true(v_path(seen, S("can.accept"))));
    county_do(c, "case.accept", &clerk, with_id(c, submitted, "{}"));
    seen = county_view(c, &citizen, submitted);
    assert_int_equal(v_to_int(v_get_lit(seen, "state"), 0), CASE_APPROVAL);
    assert_text(v_to_str(v_path(seen, S("clocks.promised.light")), c->a), "green");
    assert_true(v_get_lit(seen, "letters").len == 2);
    Value done = v_null();
    ContextBuilder b = context_make(c->a);
    context_put_lit(&b, "case", v_get_lit(submitted, "id"));
    context_put_lit(&b, "outcome", v_lit("pass"));
    done = county_do(c, "task.complete", &everyone, context_done(&b));
    assert_false(v_is_null(done));
    seen = county_view(c, &citizen, submitted);
    assert_int_equal(v_to_int(v_get_lit(seen, "state"), 0), CASE_DECIDED);
    assert_true(v_true(v_get_lit(seen, "may_rate")));
    county_do(c, "case.deliver", &citizen, with_id(c, submitted, "{'way':'online'}"));
    ContextBuilder rate = context_make(c->a);
    context_put_lit(&rate, "token", v_get_lit(submitted, "rating_token"));
    context_put_lit(&rate, "grade", v_int(5));
    county_do(c, "rating.give", &actor_public, context_done(&rate));
    Value again = v_null();
    assert_int_equal(county_try(c, "rating.give", &actor_public, context_done(&rate), &again),
                     CONFLICT);
    // each act of the applicant is one handling: applied, collected, rated
    int64_t id = v_to_int(v_get_lit(submitted, "id"), 0);
    assert_int_equal(
        county_int(c, "SELECT COUNT(*) FROM event WHERE case_id = ?1 AND handling = 2", id), 3);
    // the rater is confidential
    assert_int_equal(
        county_int(c,
                   "SELECT COUNT(*) FROM event WHERE case_id = ?1 AND kind = 'case.rated'"
                   " AND actor_id <> 0",
                   id),
        0);
}

static void instant_item_is_decided_at_once(void **state) {
    County *c = *state;
    Actor citizen = county_actor(c, "citizen");
    Value input =
        county_json(c, "{'item':'330225-RSJ-0101','situation':{'subject':'self','span':'all'},"
                       "'answers':{'name':'张三','id_number':'330225197706151027',"
                       "'phone':'13800000001','insurances':['pension'],'purpose':'house',"
                       "'copies':'1'},'materials':['id-card']}");
    Value submitted = county_do(c, "case.submit", &citizen, input);
    Value seen = county_view(c, &citizen, submitted);
    assert_int_equal(v_to_int(v_get_lit(seen, "state"), 0), CASE_DECIDED);
    assert_true(v_true(v_get_lit(seen, "granted")));
    assert_true(v_get_lit(seen, "letters").len >= 1);
}

static void correction_names_everything_and_expires(void **state) {
    County *c = *state;
    Actor citizen = county_actor(c, "citizen"), clerk = county_actor(c, "clerk");
    Value submitted = county_do(c, "case.submit", &citizen, generic_input(c, 2)), ret = v_null();
    assert_int_equal(county_try(c, "case.correct", &clerk, with_id(c, submitted, "{}"), &ret),
                     INVALID);
    county_do(c, "case.correct", &clerk,
              with_id(c, submitted,
                      "{'missing':[{'code':'application','reason':'请盖章'},"
                      "{'field':'办理事由','reason':'请写明用途'}]}"));
    Value seen = county_view(c, &citizen, submitted);
    assert_int_equal(v_to_int(v_get_lit(seen, "state"), 0), CASE_CORRECTING);
    assert_true(v_true(v_path(seen, S("can.supplement"))));
    assert_int_equal(county_try(c, "case.accept", &clerk, with_id(c, submitted, "{}"), &ret),
                     CONFLICT);
    county_do(c, "case.supplement", &citizen,
              with_id(c, submitted, "{'materials':['application']}"));
    county_do(c, "case.accept", &clerk, with_id(c, submitted, "{}"));
    // another one is never completed
    Value other = county_do(c, "case.submit", &citizen, generic_input(c, 2));
    county_do(c, "case.correct", &clerk,
              with_id(c, other, "{'missing':[{'field':'办理事由','reason':'请写明用途'}]}"));
    int64_t done = 0;
    Error err;
    Instant later = c->now + (Instant)20 * DAY_MS;
    assert_int_equal(case_run_due(c->room, c->f->store, later, &done, &err), OK);
    seen = county_view(c, &citizen, other);
    assert_int_equal(v_to_int(v_get_lit(seen, "state"), 0), CASE_TERMINATED);
}

static Value food_input(County *c, const char *materials) {
    Value input = county_json(
        c,
        "{'item':'330225-SCJ-0201','situation':{'business':'catering','special':'none','premises':'"
        "rent'},"
        "'answers':{'operator':'象山示例餐饮有限公司','credit_code':'91330225MADEM00039','owner':'"
        "张示例',"
        "'owner_id':'330225198603182036','phone':'13800000006','town':'330225-DDJD','address':'"
        "示例路 6 号',"
        "'area':'80','in_residence':'false','has_flue':'true','fumes':'true','projects':['hot'],"
        "'online':'false','opens_on':'2023-12-01','manager':'张示例',"
        "'staff':[{'name':'孔示例','job':'cook','health_until':'2024-01-31'}],'truthful':'true'}}");
    return v_with(input, S("materials"), county_json(c, materials), c->a);
}

static void complete(County *c, const Actor *who, Value submitted, const char *node,
                     const char *more) {
    Value input = county_json(c, more);
    input = v_with(input, S("case"), v_get_lit(submitted, "id"), c->a);
    input = v_with(input, S("node"), v_str(str_z(node)), c->a);
    input = v_with(input, S("outcome"), v_lit("pass"), c->a);
    county_do(c, "task.complete", who, input);
}

static void parallel_departments_and_an_inspection_that_stops_the_clock(void **state) {
    County *c = *state;
    Actor company = county_actor(c, "company"), clerk = county_actor(c, "clerk");
    Actor everyone = county_everyone(c);
    Value s =
        county_do(c, "case.submit", &company,
                  food_input(c, "['business-licence','owner-id','lease','layout','safety-rules',"
                                "'health-certs','flue-proof']"));
    county_do(c, "case.accept", &clerk, with_id(c, s, "{}"));
    Value seen = county_view(c, &everyone, s);
    assert_int_equal((int)v_get_lit(seen, "turn_units").len, 2); // two departments at once
    complete(c, &everyone, s, "site_review", "{}");
    complete(c, &everyone, s, "doc_review", "{}");
    seen = county_view(c, &everyone, s);
    assert_true(v_true(v_get_lit(seen, "paused")));
    assert_true(v_is_null(v_path(seen, S("clocks.promised.due"))));
    Instant before = c->now;
    c->now += (Instant)5 * DAY_MS; // Wednesday to Monday: three working days stand still
    complete(
        c, &everyone, s, "inspection",
        "{'answers':{'inspected_on':'2023-03-03','inspectors':[{'name':'曹示例','card':'ZJ0001'},"
        "{'name':'严示例','card':'ZJ0002'}],'layout_ok':'true','equipment_ok':'true',"
        "'hygiene_ok':'true','special_ok':'true'}}");
    seen = county_view(c, &everyone, s);
    assert_false(v_true(v_get_lit(seen, "paused")));
    assert_int_equal(v_to_int(v_path(seen, S("clocks.stopped")), -1), 3);
    complete(c, &everyone, s, "approve", "{}");
    seen = county_view(c, &company, s);
    assert_int_equal(v_to_int(v_get_lit(seen, "state"), 0), CASE_DECIDED);
    assert_true(v_true(v_get_lit(seen, "granted")));
    c->now = before;
}

static void tolerance_is_promised_kept_or_broken(void **state) {
    County *c = *state;
    Actor company = county_actor(c, "company"), clerk = county_actor(c, "clerk");
    const char *some =
        "['business-licence','owner-id','lease','layout','health-certs','flue-proof']";
    Value s = county_do(c, "case.submit", &company, food_input(c, some)), ret = v_null();
    assert_int_equal(county_try(c, "case.accept", &clerk, with_id(c, s, "{}"), &ret), INVALID);
    assert_int_equal(
        county_try(c, "case.accept", &clerk, with_id(c, s, "{'tolerate':['safety-rules']}"), &ret),
        INVALID); // without the promise
    county_do(c, "case.accept", &clerk,
              with_id(c, s, "{'tolerate':['safety-rules'],'promise':true}"));
    int64_t done = 0;
    Error err;
    assert_int_equal(case_run_due(c->room, c->f->store, c->now + (Instant)15 * DAY_MS, &done, &err),
                     OK);
    Value seen = county_view(c, &company, s);
    assert_int_equal(v_to_int(v_get_lit(seen, "state"), 0), CASE_TERMINATED);
    Value kept = county_do(c, "case.submit", &company, food_input(c, some));
    county_do(c, "case.accept", &clerk,
              with_id(c, kept, "{'tolerate':['safety-rules'],'promise':true}"));
    county_do(c, "case.supplement", &company, with_id(c, kept, "{'materials':['safety-rules']}"));
    assert_int_equal(case_run_due(c->room, c->f->store, c->now + (Instant)15 * DAY_MS, &done, &err),
                     OK);
    seen = county_view(c, &company, kept);
    assert_int_equal(v_to_int(v_get_lit(seen, "state"), 0), CASE_APPROVAL);
}

static Value bundle_input(County *c, const char *number, const char *name) {
    Value input = county_json(
        c, "{'item':'330225-YJS-0001','situation':{'recognised':'no','category':'older','"
           "registered':'no',"
           "'pay':'self'},'materials':['id-card','commitment','payment-receipt','bank-card'],"
           "'applicant':{'kind':'natural','phone':'13900000001'},'answers':{'phone':'13900000001',"
           "'town':'330225-SPZ','village':'示例村 1 "
           "号','out_of_work_since':'2022-06-30','education':'middle',"
           "'flexible_kind':'fishing','insurances':['pension'],'pay_from':'2023-01-01','pay_to':'"
           "2023-01-31',"
           "'amount_paid':'820.50','months_enjoyed':'0','bank_name':'象山农商银行','bank_card':"
           "'6228480000000000018','truthful':'true'}}");
    Value who = v_get_lit(input, "applicant"), answers = v_get_lit(input, "answers");
    who = v_with(v_with(who, S("name"), v_str(str_z(name)), c->a), S("id_number"),
                 v_str(str_z(number)), c->a);
    answers = v_with(v_with(answers, S("name"), v_str(str_z(name)), c->a), S("id_number"),
                     v_str(str_z(number)), c->a);
    return v_with(v_with(input, S("applicant"), who, c->a), S("answers"), answers, c->a);
}

static void bundle_pays_through_the_ledger(void **state) {
    County *c = *state;
    Actor clerk = county_actor(c, "clerk"), everyone = county_everyone(c);
    int64_t before =
        county_int(c, "SELECT COALESCE(SUM(total_fen), 0) FROM ledger WHERE ?1 = 0", 0);
    Value s = county_do(c, "case.submit", &clerk, bundle_input(c, "330225197703101040", "吴示例"));
    county_do(c, "case.accept", &clerk, with_id(c, s, "{}"));
    complete(c, &everyone, s, "payment_check", "{'answers':{}}");
    complete(c, &everyone, s, "registration", "{'answers':{}}");
    complete(c, &everyone, s, "town_review", "{}");
    complete(c, &everyone, s, "county_review", "{}");
    complete(c, &everyone, s, "approve", "{}");
    Value seen = county_view(c, &clerk, s);
    assert_int_equal(v_to_int(v_get_lit(seen, "state"), 0), CASE_DECIDED);
    int64_t id = v_to_int(v_get_lit(s, "id"), 0);
    assert_int_equal(
        county_int(c, "SELECT SUM(amount_fen) FROM ledger_entry WHERE case_id = ?1", id), 54700);
    assert_int_equal(
        county_int(c, "SELECT total_fen FROM ledger WHERE ?1 = ?1 AND code = 'hard-to-employ'", 0),
        before + 54700);
}

static void bad_rating_opens_its_own_case(void **state) {
    County *c = *state;
    Actor citizen = county_actor(c, "citizen"), supervisor = county_actor(c, "supervisor");
    Value s = county_do(c, "case.submit", &citizen, generic_input(c, 1));
    ContextBuilder rate = context_make(c->a);
    context_put_lit(&rate, "token", v_get_lit(s, "rating_token"));
    context_put_lit(&rate, "grade", v_int(1));
    context_put_lit(&rate, "comment", v_lit("等了一个上午"));
    county_do(c, "rating.give", &actor_public, context_done(&rate));
    int64_t id = v_to_int(v_get_lit(s, "id"), 0);
    int64_t rectify = county_int(c, "SELECT rectify_case_id FROM rating WHERE case_id = ?1", id);
    assert_true(rectify > 0);
    Error err;
    Db *db;
    Value tasks = v_null();
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    assert_int_equal(task_list(c->room, db, &supervisor, v_null(), c->now, c->a, &tasks, &err), OK);
    store_release(db);
    assert_true(v_to_int(v_get_lit(tasks, "total"), 0) >= 1);
    // one working day to answer, from Wednesday 1 March
    Day due =
        (Day)county_int(c, "SELECT due_day FROM task WHERE case_id = ?1 AND state < 3", rectify);
    assert_int_equal(due, day_from_civil((Civil){2023, 3, 2}));
}

static void nobody_sees_or_does_what_is_not_theirs(void **state) {
    County *c = *state;
    Actor citizen = county_actor(c, "citizen"), company = county_actor(c, "company");
    Actor clerk = county_actor(c, "clerk"), scj = county_actor(c, "scj"),
          town = county_actor(c, "town");
    Value s = county_do(c, "case.submit", &citizen, generic_input(c, 2)), ret = v_null();
    Error err;
    Db *db;
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    assert_int_equal(case_view(c->room, db, &company, v_text(v_get_lit(s, "number")), c->now,
                               S("zh"), c->a, &ret, &err),
                     NOT_FOUND);
    store_release(db);
    assert_int_equal(county_try(c, "case.accept", &citizen, with_id(c, s, "{}"), &ret), DENIED);
    assert_int_equal(county_try(c, "case.withdraw", &company, with_id(c, s, "{}"), &ret),
                     NOT_FOUND);
    county_do(c, "case.accept", &clerk, with_id(c, s, "{}"));
    ContextBuilder b = context_make(c->a);
    context_put_lit(&b, "case", v_get_lit(s, "id"));
    context_put_lit(&b, "outcome", v_lit("pass"));
    assert_int_equal(county_try(c, "task.complete", &town, context_done(&b), &ret), NOT_FOUND);
    assert_int_equal(county_try(c, "case.look", &scj, with_id(c, s, "{}"), &ret), DENIED);
    Value looked = county_do(c, "case.look", &clerk, with_id(c, s, "{}")); // he accepted it
    assert_text(v_text(v_get_lit(looked, "id_number")), "330225197706151027");
    int64_t id = v_to_int(v_get_lit(s, "id"), 0);
    assert_int_equal(
        county_int(c, "SELECT COUNT(*) FROM event WHERE case_id = ?1 AND kind = 'case.looked'", id),
        1);
    Value seen = county_view(c, &scj, s);
    assert_true(str_find(v_text(v_path(seen, S("applicant.id_number"))), S("*")) >= 0);
}

static void wrong_input_stores_nothing(void **state) {
    County *c = *state;
    Actor citizen = county_actor(c, "citizen"), clerk = county_actor(c, "clerk");
    int64_t cases = county_int(c, "SELECT COUNT(*) FROM cases WHERE ?1 = 0", 0);
    int64_t events = county_int(c, "SELECT COUNT(*) FROM event WHERE ?1 = 0", 0);
    Value good = generic_input(c, 2), ret = v_null();
    static const char *const wrong[] = {
        "{'item':'nothing'}",
        "{'answers':{}}",
        "{'answers':'text'}",
        "{'answers':{'matter':'x','truthful':'false','name':'张三','id_number':'1','phone':'1'}}",
        "{'materials':['no-such-material']}",
        "{'town':'330225-XXXX'}",
        "{'materials':[{'code':'application','file_hash':'0000'}]}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Value input = v_merge(good, county_json(c, wrong[i]), c->a);
        assert_int_equal(county_try(c, "case.submit", &citizen, input, &ret), INVALID);
        assert_true(c->errs.count > 0);
        assert_true(c->errs.items[0].where.len > 0);
    }
    Value applicant = v_with(
        good, S("applicant"),
        county_json(c, "{'kind':'natural','name':'张三','id_number':'330225197706151028'}"), c->a);
    assert_int_equal(county_try(c, "case.submit", &clerk, applicant, &ret), INVALID);
    assert_int_equal(county_int(c, "SELECT COUNT(*) FROM cases WHERE ?1 = 0", 0), cases);
    assert_int_equal(county_int(c, "SELECT COUNT(*) FROM event WHERE ?1 = 0", 0), events);
}

static void two_clerks_cannot_both_decide(void **state) {
    County *c = *state;
    Actor citizen = county_actor(c, "citizen"), clerk = county_actor(c, "clerk");
    Value s = county_do(c, "case.submit", &citizen, generic_input(c, 2)), ret = v_null();
    Value seen = county_view(c, &clerk, s);
    Value accept = v_with(with_id(c, s, "{}"), S("revision"), v_get_lit(seen, "revision"), c->a);
    county_do(c, "case.accept", &clerk, accept);
    Value refuse = v_with(accept, S("reason"), v_lit("不属于本机关职权"), c->a);
    assert_int_equal(county_try(c, "case.refuse", &clerk, refuse, &ret), CONFLICT);
}

static void draft_is_kept_and_found_by_its_link(void **state) {
    County *c = *state;
    Value input =
        v_merge(generic_input(c, 2), county_json(c, "{'answers':{'matter':'还没写完'}}"), c->a);
    Value saved = county_do(c, "draft.save", &actor_public, input), draft = v_null();
    Error err;
    Db *db;
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    assert_int_equal(case_draft(db, v_text(v_get_lit(saved, "token")), c->a, &draft, &err), OK);
    assert_text(v_text(v_path(draft, S("saved.answers.matter"))), "还没写完");
    assert_int_equal(case_draft(db, S("no-such-token"), c->a, &draft, &err), NOT_FOUND);
    store_release(db);
}

static void nobody_told_anything_means_accepted(void **state) {
    County *c = *state;
    Actor citizen = county_actor(c, "citizen");
    Value s = county_do(c, "case.submit", &citizen, generic_input(c, 2));
    int64_t done = 0;
    Error err;
    assert_int_equal(case_run_due(c->room, c->f->store, c->now + (Instant)8 * DAY_MS, &done, &err),
                     OK);
    Value seen = county_view(c, &citizen, s);
    assert_int_equal(v_to_int(v_get_lit(seen, "state"), 0), CASE_APPROVAL);
    assert_text(v_to_str(v_path(seen, S("clocks.start")), c->a), "2023-03-01"); // from receipt
}

// Told in time what was missing: the five days begin anew with what was handed in then, or nothing
// would ever be looked at again.
static void a_late_correction_is_not_accepted_by_law_at_once(void **state) {
    County *c = *state;
    Actor citizen = county_actor(c, "citizen"), clerk = county_actor(c, "clerk");
    Value s = county_do(c, "case.submit", &citizen, generic_input(c, 2)), ret = v_null();
    county_do(c, "case.correct", &clerk,
              with_id(c, s, "{'missing':[{'code':'application','reason':'请盖章'}]}"));
    Instant before = c->now;
    c->now += (Instant)8 * DAY_MS;
    assert_int_equal(county_try(c, "case.supplement", &citizen, with_id(c, s, "{}"), &ret),
                     INVALID);
    county_do(c, "case.supplement", &citizen, with_id(c, s, "{'materials':['application']}"));
    int64_t done = 0;
    Error err;
    assert_int_equal(case_run_due(c->room, c->f->store, c->now, &done, &err), OK);
    Value seen = county_view(c, &citizen, s);
    assert_int_equal(v_to_int(v_get_lit(seen, "state"), 0), CASE_RECEIVED);
    assert_int_equal(county_try(c, "timer.deem", &actor_system, with_id(c, s, "{}"), &ret),
                     CONFLICT);
    c->now += (Instant)8 * DAY_MS;
    assert_int_equal(case_run_due(c->room, c->f->store, c->now, &done, &err), OK);
    seen = county_view(c, &citizen, s);
    assert_int_equal(v_to_int(v_get_lit(seen, "state"), 0), CASE_APPROVAL);
    c->now = before;
}

static Value kept_answers(County *c, Value submitted) {
    Error err;
    Db *db;
    Value row = v_null();
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    Query *q = query(db, "SELECT answers_json FROM cases WHERE id = ?1");
    query_int(q, 1, v_to_int(v_get_lit(submitted, "id"), 0));
    assert_int_equal(query_row(q, c->a, &row, &err), OK);
    store_release(db);
    return v_path(row, S("answers.answers"));
}

static Value correction_field(County *c, const Actor *who, Value submitted, Str name) {
    Db *db;
    Error err;
    Value found = v_null(), seen = v_null();
    CorrectionTyped nothing = {.answers = v_null()};
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    Status st = case_correction(db, who, v_text(v_get_lit(submitted, "number")), &nothing, c->now,
                                S("zh"), c->a, &seen, &c->errs);
    store_release(db);
    assert_int_equal(st, OK);
    assert_text(v_text(v_path(v_at(v_get_lit(seen, "missing"), 0), S("reason"))), "地址不对");
    Value steps = v_path(seen, S("form.steps"));
    for (uint32_t i = 0; i < steps.len; i++) {
        Value fields = v_get_lit(v_at(steps, i), "fields");
        for (uint32_t k = 0; k < fields.len; k++) {
            if (str_eq(v_text(v_get_lit(v_at(fields, k), "name")), name)) found = v_at(fields, k);
        }
    }
    assert_true(found.kind == V_CONTEXT);
    return found;
}

#define FOOD_MATERIALS                                                                   \
    "['business-licence','owner-id','lease','layout','safety-rules','health-certs','flue-proof']"

static Value food_to_correct(County *c, const Actor *company, const Actor *clerk) {
    Value s = county_do(c, "case.submit", company, food_input(c, FOOD_MATERIALS));
    county_do(c, "case.correct", clerk,
              with_id(c, s, "{'missing':[{'field':'经营场所','reason':'地址不对'}]}"));
    return s;
}

static void answers_are_corrected_as_one_form(void **state) {
    County *c = *state;
    Actor company = county_actor(c, "company"), clerk = county_actor(c, "clerk"), other;
    Value s = food_to_correct(c, &company, &clerk), ret = v_null();
    other = county_actor(c, "citizen");
    assert_text(v_text(v_get_lit(correction_field(c, &company, s, S("owner_id")), "value")),
                "330225198603182036");
    // nothing changed, nothing handed in; a wrong answer at its field; somebody else's case
    assert_int_equal(county_try(c, "case.supplement", &company,
                                with_id(c, s, "{'answers':{'address':'示例路 6 号'}}"), &ret),
                     INVALID);
    assert_text(c->errs.items[0].where, "materials");
    setup_errors(c);
    assert_int_equal(county_try(c, "case.supplement", &company,
                                with_id(c, s, "{'answers':{'owner_id':'330225198603182037'}}"),
                                &ret),
                     INVALID);
    assert_text(c->errs.items[0].where, "owner_id");
    setup_errors(c);
    assert_int_equal(county_try(c, "case.supplement", &company,
                                with_id(c, s, "{'answers':{'address':''}}"), &ret), INVALID);
    assert_text(c->errs.items[0].where, "address");
    assert_int_equal(county_try(c, "case.supplement", &other,
                                with_id(c, s, "{'answers':{'address':'x'}}"), &ret), NOT_FOUND);
    assert_text(v_text(v_get_lit(kept_answers(c, s), "address")), "示例路 6 号");
    // a field and a row as a browser sends them; everything else stays
    county_do(c, "case.supplement", &company,
              with_id(c, s, "{'answers':{'address':'示例路 8 号','staff.0.name':'孟示例',"
                            "'staff.0.job':'cook','staff.0.health_until':'2024-02-01',"
                            "'staff.1.name':'','no_such_field':'x'}}"));
    Value kept = kept_answers(c, s), staff = v_get_lit(kept, "staff");
    assert_text(v_text(v_get_lit(kept, "address")), "示例路 8 号");
    assert_text(v_text(v_get_lit(kept, "owner_id")), "330225198603182036");
    assert_int_equal(staff.len, 1);
    assert_text(v_text(v_get_lit(v_at(staff, 0), "name")), "孟示例");
    assert_false(v_has(kept, S("no_such_field")));
    Value seen = county_view(c, &clerk, s), events = v_get_lit(seen, "events");
    assert_int_equal(v_to_int(v_get_lit(seen, "state"), 0), CASE_RECEIVED);
    Value last = v_at(events, events.len - 1);
    assert_text(v_text(v_get_lit(last, "kind")), "case.corrected");
    assert_int_equal(v_path(last, S("data.changed")).len, 2);
}

static void a_clerk_corrects_what_he_may_see(void **state) {
    County *c = *state;
    Actor company = county_actor(c, "company"), clerk = county_actor(c, "clerk");
    Value s = food_to_correct(c, &company, &clerk);
    Value owner = correction_field(c, &clerk, s, S("owner_id"));
    assert_text(v_text(v_get_lit(owner, "value")), "");
    assert_text(v_text(v_get_lit(owner, "masked")), "330225********2036");
    assert_int_equal(v_get_lit(correction_field(c, &clerk, s, S("staff")), "rows").len, 0);
    // what he finds empty and leaves empty stays as it was
    county_do(c, "case.supplement", &clerk,
              with_id(c, s, "{'answers':{'address':'示例路 8 号','owner_id':'','owner':'',"
                            "'staff.0.name':'','staff.0.job':''}}"));
    Value kept = kept_answers(c, s);
    assert_text(v_text(v_get_lit(kept, "owner_id")), "330225198603182036");
    assert_text(v_text(v_get_lit(v_at(v_get_lit(kept, "staff"), 0), "name")), "孔示例");
    assert_text(v_text(v_get_lit(kept, "address")), "示例路 8 号");
}

static int64_t count_of(County *c, const char *sql, int64_t account) {
    Error err;
    Db *db;
    int64_t n = -1;
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    Query *q = query(db, sql);
    query_int(q, 1, account);
    assert_int_equal(query_one_int(q, &n, &err), OK);
    store_release(db);
    return n;
}

static void messages_are_read_by_whose_they_are(void **state) {
    static const char unread[] = "SELECT COUNT(*) FROM message WHERE account_id = ?1"
                                 " AND read_at IS NULL";
    static const char events[] = "SELECT COUNT(*) FROM event WHERE kind = 'message.read'"
                                 " AND case_id = 0 AND actor_id = ?1";
    County *c = *state;
    Actor company = county_actor(c, "company"), clerk = county_actor(c, "clerk");
    Actor other = county_actor(c, "citizen");
    int64_t me = company.account_id;
    food_to_correct(c, &company, &clerk);
    food_to_correct(c, &company, &clerk);
    int64_t n = count_of(c, unread, me), before = count_of(c, events, me);
    int64_t newest = count_of(c, "SELECT MAX(id) FROM message WHERE account_id = ?1", me);
    assert_true(n >= 2);
    county_do(c, "message.read", &other, county_json(c, "{}"));
    assert_int_equal(count_of(c, unread, me), n);
    Value up_to = v_with(v_null(), S("up_to"), v_int(newest - 1), c->a);
    county_do(c, "message.read", &company, up_to);
    assert_int_equal(count_of(c, unread, me), 1); // what came after the page was drawn
    assert_int_equal(count_of(c, events, me), before + 1);
    Value done = county_do(c, "message.read", &company, county_json(c, "{}"));
    assert_int_equal(v_to_int(v_get_lit(done, "read"), 0), 1);
    done = county_do(c, "message.read", &company, county_json(c, "{}"));
    assert_int_equal(v_to_int(v_get_lit(done, "read"), -1), 0);
    assert_int_equal(count_of(c, unread, me), 0);
    assert_int_equal(count_of(c, events, me), before + 2); // nothing changed: no event
}

static void what_was_accepted_stays_as_it_is(void **state) {
    County *c = *state;
    Actor company = county_actor(c, "company"), clerk = county_actor(c, "clerk");
    Actor leader = county_actor(c, "leader");
    Value ret = v_null();
    Value s = county_do(c, "case.submit", &company,
                        food_input(c, "['business-licence','owner-id','lease','layout',"
                                      "'safety-rules','health-certs','flue-proof']"));
    county_do(c, "case.accept", &clerk, with_id(c, s, "{}"));
    Value again = with_id(c, s, "{'materials':['lease']}");
    assert_int_equal(county_try(c, "case.supplement", &company, again, &ret), INVALID);
    // two extensions together at most ten days, whatever numbers are sent
    county_do(c, "case.extend", &leader, with_id(c, s, "{'days':5,'reason':'案情复杂'}"));
    static const char *const wrong[] = {"{'days':9223372036854775807,'reason':'x'}",
                                        "{'days':6,'reason':'x'}", "{'days':-1,'reason':'x'}"};
    for (size_t i = 0; i < 3; i++) {
        Value input = with_id(c, s, wrong[i]);
        assert_int_equal(county_try(c, "case.extend", &leader, input, &ret), INVALID);
    }
}

static void a_draft_becomes_one_case(void **state) {
    County *c = *state;
    Actor citizen = county_actor(c, "citizen");
    Value saved = county_do(c, "draft.save", &citizen, generic_input(c, 2)), ret = v_null();
    Value input = v_with(generic_input(c, 2), S("draft"), v_get_lit(saved, "token"), c->a);
    county_do(c, "case.submit", &citizen, input);
    int64_t cases = county_int(c, "SELECT COUNT(*) FROM cases WHERE ?1 = 0", 0);
    assert_int_equal(county_try(c, "case.submit", &citizen, input, &ret), CONFLICT);
    assert_int_equal(county_int(c, "SELECT COUNT(*) FROM cases WHERE ?1 = 0", 0), cases);
}

static bool holds_text(Value v, Str text, Arena *a) {
    return str_find(json_to_str(v, a), text) >= 0;
}

// The record of a party is not told to an agent who names it; officials see no whole number.
static void numbers_are_masked_for_agents_and_in_answers(void **state) {
    County *c = *state;
    Actor agent = county_actor(c, "agent"), clerk = county_actor(c, "clerk");
    Actor town = county_actor(c, "town"), audit = county_actor(c, "auditadmin");
    Value of_window = v_with(generic_input(c, 2), S("applicant"),
                             county_json(c, "{'kind':'natural','name':'钱示例','phone':'13900007777',"
                                            "'address':'示例街道秘密路 7 号',"
                                            "'id_number':'440524188001010014'}"),
                             c->a);
    Value first = county_do(c, "case.submit", &clerk, of_window);
    assert_false(v_has(first, S("rating_token"))); // an official could rate himself
    Value of_agent = v_with(generic_input(c, 2), S("applicant"),
                            county_json(c, "{'kind':'natural','name':'钱示例',"
                                           "'id_number':'440524188001010014'}"), c->a);
    Value s = county_do(c, "case.submit", &agent, of_agent);
    assert_true(v_has(s, S("rating_token")));
    const Actor *const readers[] = {&agent, &town, &audit};
    static const Str secrets[] = {S_INIT("13900007777"), S_INIT("440524188001010014"),
                                  S_INIT("秘密路"), S_INIT("13800000001"),
                                  S_INIT("330225197706151027")};
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        Value seen = county_view(c, readers[i], s);
        for (size_t k = 0; k < sizeof secrets / sizeof *secrets; k++) {
            assert_false(holds_text(seen, secrets[k], c->a));
        }
        assert_true(holds_text(seen, S("139****7777"), c->a)); // four digits hidden, not one
        assert_true(v_has(v_at(v_get_lit(seen, "events"), 0), S("seq")) == (readers[i] == &audit));
    }
}

static void case_number_has_a_check_digit(void **state) {
    (void)state;
    County *c = *state;
    Actor citizen = county_actor(c, "citizen");
    Value s = county_do(c, "case.submit", &citizen, generic_input(c, 1));
    Str number = v_text(v_get_lit(s, "number"));
    assert_true(str_starts(number, S("33022520230301")));
    for (size_t i = 0; i < number.len; i++) {
        char other[21];
        memcpy(other, number.ptr, 21);
        other[i] = other[i] == '9' ? '0' : (char)(other[i] + 1);
        assert_false(case_number_valid(str_of(other, 21)));
    }
    assert_false(case_number_valid(S("33022520230301000001")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        EACH(promised_case_from_submission_to_rating),
        EACH(instant_item_is_decided_at_once),
        EACH(correction_names_everything_and_expires),
        EACH(parallel_departments_and_an_inspection_that_stops_the_clock),
        EACH(tolerance_is_promised_kept_or_broken),
        EACH(bundle_pays_through_the_ledger),
        EACH(bad_rating_opens_its_own_case),
        EACH(nobody_sees_or_does_what_is_not_theirs),
        EACH(wrong_input_stores_nothing),
        EACH(two_clerks_cannot_both_decide),
        EACH(draft_is_kept_and_found_by_its_link),
        EACH(nobody_told_anything_means_accepted),
        EACH(a_late_correction_is_not_accepted_by_law_at_once),
        EACH(answers_are_corrected_as_one_form),
        EACH(a_clerk_corrects_what_he_may_see),
        EACH(messages_are_read_by_whose_they_are),
        EACH(what_was_accepted_stays_as_it_is),
        EACH(a_draft_becomes_one_case),
        EACH(numbers_are_masked_for_agents_and_in_answers),
        EACH(case_number_has_a_check_digit),
    };
    return COUNTY_RUN("case", tests, county_up_sqlite, county_up_postgres);
}
