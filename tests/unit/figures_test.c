// room: figures
// Every figure equals the records it opens into; formulas; the written summary; the cockpit's
// copies.
#include "case_fixture.h"

#include "figures/cockpit.h"
#include "figures/figures_internal.h"
#include "figures/summary.h"

#include <pthread.h>

static const Figures *figures;

static FigureScope march(void) {
    return (FigureScope){.from = day_from_civil((Civil){2023, 3, 1}),
                         .to = day_from_civil((Civil){2023, 3, 31})};
}

static Value figure(County *c, const char *code) {
    Error err;
    Db *db;
    Value v = v_null();
    FigureScope scope = march();
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    if (figure_compute(figures, db, str_z(code), &scope, c->a, &v, &err) != OK)
        fixture_fail(code, &err);
    store_release(db);
    return v;
}

static Value certificate(County *c, const Actor *citizen) {
    return county_do(
        c, "case.submit", citizen,
        county_json(c, "{'item':'330225-RSJ-0101','situation':{'subject':'self','span':'all'},"
                       "'answers':{'name':'张三','id_number':'330225197706151027',"
                       "'phone':'13800000001','insurances':['pension'],'purpose':'house',"
                       "'copies':'1'},'materials':['id-card']}"));
}

static void rate(County *c, Value submitted, int grade) {
    ContextBuilder b = context_make(c->a);
    context_put_lit(&b, "token", v_get_lit(submitted, "rating_token"));
    context_put_lit(&b, "grade", v_int(grade));
    county_do(c, "rating.give", &actor_public, context_done(&b));
}

static void counts_follow_the_records(void **state) {
    County *c = *state;
    Actor citizen = county_actor(c, "citizen");
    int64_t accepted = v_to_int(figure(c, "cases_accepted"), -1);
    int64_t online = v_to_int(figure(c, "online_handlings"), -1);
    Value first = certificate(c, &citizen), second = certificate(c, &citizen);
    rate(c, first, 5);
    rate(c, second, 2);
    assert_int_equal(v_to_int(figure(c, "cases_accepted"), -1), accepted + 2);
    assert_int_equal(v_to_int(figure(c, "online_handlings"), -1), online + 4);
    // the rectification a bad rating opened is the office's own business, not the public's
    assert_int_equal(
        county_int(c, "SELECT COUNT(*) FROM cases WHERE ?1 = 0 AND parent_id IS NOT NULL", 0), 1);
    assert_text(v_to_str(figure(c, "satisfaction_percent"), c->a), "50.00");
    assert_text(v_to_str(figure(c, "online_rate_percent"), c->a), "100.00");
    Day today = instant_day(c->now);
    c->now += (Instant)60 * DAY_MS; // another day is another period
    certificate(c, &citizen);
    c->now = day_instant(today, 9 * 3600);
    assert_int_equal(v_to_int(figure(c, "cases_accepted"), -1), accepted + 2);
}

// Walks all pages of every figure and counts the rows.
static void every_figure_opens_into_what_it_counted(void **state) {
    County *c = *state;
    Actor citizen = county_actor(c, "citizen");
    for (int i = 0; i < 7; i++) rate(c, certificate(c, &citizen), 5 - i % 3);
    FigureScope scope = march();
    Error err;
    Db *db;
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    for (size_t i = 0; i < figures_count(figures); i++) {
        Str code = figure_code(figures, i), after = S("");
        int64_t rows = 0, sum = 0;
        Value page, about = figure_about(figures, code, c->a);
        do {
            if (figure_records(figures, db, code, &scope, after, 3, c->a, &page, &err) != OK) {
                fixture_fail("figure_records", &err);
            }
            Value list = v_get_lit(page, "rows");
            for (size_t k = 0; k < list.len && list.kind == V_LIST; k++) {
                sum += v_to_int(v_get_lit(v_at(list, k), "amount_fen"), 0);
                rows++;
            }
            after = v_text(v_get_lit(page, "next"));
        } while (after.len);
        Str measure = v_text(v_get_lit(about, "measure"));
        int64_t value = v_to_int(v_get_lit(page, "value"), -1);
        if (str_eq(measure, S("count"))) assert_int_equal(rows, value);
        if (str_eq(measure, S("sum"))) assert_int_equal(sum, value);
        if (str_eq(measure, S("parties"))) assert_true(value <= rows);
        if (str_empty(measure)) assert_true(v_get_lit(page, "parts").len > 0);
    }
    store_release(db);
}

static void records_hide_the_rater_and_mask_names(void **state) {
    County *c = *state;
    Actor citizen = county_actor(c, "citizen");
    rate(c, certificate(c, &citizen), 5);
    FigureScope scope = march();
    Error err;
    Db *db;
    Value page;
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    assert_int_equal(
        figure_records(figures, db, S("ratings"), &scope, S(""), 50, c->a, &page, &err), OK);
    Value row = v_at(v_get_lit(page, "rows"), 0);
    assert_text(v_text(v_get_lit(row, "number")), "");
    assert_false(v_has(row, S("applicant")));
    assert_int_equal(
        figure_records(figures, db, S("cases_accepted"), &scope, S(""), 50, c->a, &page, &err), OK);
    row = v_at(v_get_lit(page, "rows"), 0);
    assert_true(str_find(v_text(v_get_lit(row, "applicant")), S("*")) > 0);
    store_release(db);
}

// Neither by the case's number nor by the millisecond can a grade be put beside its case.
static void a_rating_is_not_found_through_its_handling(void **state) {
    County *c = *state;
    Actor citizen = county_actor(c, "citizen");
    rate(c, certificate(c, &citizen), 1);
    FigureScope scope = march();
    Error err;
    Db *db;
    Value page;
    size_t rated = 0;
    static const char *const figures_of[] = {"handlings", "ratings"};
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(figure_records(figures, db, str_z(figures_of[k]), &scope, S(""), 50, c->a,
                                        &page, &err), OK);
        Value rows = v_get_lit(page, "rows");
        for (size_t i = 0; i < rows.len; i++) {
            Value row = v_at(rows, i);
            Str act = v_text(v_get_lit(row, "act"));
            if (k == 0 && !str_eq(act, event_kind_name(S("case.rated")))) {
                assert_true(v_text(v_get_lit(row, "number")).len == 21);
                continue;
            }
            rated++;
            assert_text(v_text(v_get_lit(row, "number")), "");
            assert_true(v_is_null(v_get_lit(row, "id")));
            assert_true(v_get_lit(row, "at").kind == V_DATE);
        }
    }
    store_release(db);
    assert_true(rated >= 2);
}

static void series_add_up(void **state) {
    County *c = *state;
    FigureScope scope = march();
    int64_t all = v_to_int(figure(c, "cases_accepted"), -1);
    static const char *const by[] = {"day", "unit", "item", "channel"};
    for (size_t i = 0; i < 4; i++) {
        Error err;
        Db *db;
        Value list;
        int64_t sum = 0;
        assert_int_equal(store_read(c->f->store, &db, &err), OK);
        if (figure_series(figures, db, S("cases_accepted"), str_z(by[i]), &scope, 1000, c->a, &list,
                          &err) != OK) {
            fixture_fail(by[i], &err);
        }
        store_release(db);
        for (size_t k = 0; k < list.len; k++) sum += v_to_int(v_get_lit(v_at(list, k), "value"), 0);
        assert_int_equal(sum, all);
    }
}

// Some hundreds of cases of several items, units, towns, channels and days, accepted and decided or
// not.
static void many_cases(County *c) {
    static bool made[2];
    if (made[c->f->postgres]) return;
    made[c->f->postgres] = true;
    fixture_do(
        c->f,
        "WITH RECURSIVE n(k) AS (SELECT CAST(1 AS BIGINT) UNION ALL"
        " SELECT k + 1 FROM n WHERE k < 400)"
        " INSERT INTO cases (id, number, item_id, item_version_id, unit_id, town_id, party_id,"
        " channel, state, received_at, accepted_at, decided_at, overdue, answers_json, flow_json,"
        " clock_json) SELECT 700000 + k, '33022520230301' || CAST(2000000 + k AS TEXT),"
        " (SELECT MIN(id) FROM item) + k / 3 % 90, (SELECT MIN(id) FROM item_version),"
        " (SELECT MIN(id) FROM unit WHERE kind = 'department') + k % 5,"
        " CASE WHEN k % 4 = 0 THEN (SELECT MIN(id) FROM unit WHERE kind = 'town') + k / 4 % 3 END,"
        " (SELECT MIN(id) FROM party), 1 + k / 7 % 2, 4, 1677600000000 + k * 7000000,"
        " CASE WHEN k % 9 > 0 THEN 1677600000000 + k * 7000000 END,"
        " CASE WHEN k % 9 > 2 THEN 1677700000000 + k * 7000000 END,"
        " CASE WHEN k % 9 > 7 THEN 1 ELSE 0 END, '{}', '{}', '{}' FROM n");
}

static void expect_series(County *c, Db *db, const FigureScope *scope, const Tally *t, Str code) {
    static const char *const by[] = {"day", "unit", "town", "item"};
    const Indicator *in = indicator_find(figures, code);
    for (size_t i = 0; i < 4; i++) {
        for (uint32_t most = 3; most < 2000; most *= 20) {
            Value one, other;
            bool has;
            Error err;
            assert_int_equal(
                tally_series(t, db, in, str_z(by[i]), most, c->a, &one, &has, &err), OK);
            assert_true(has);
            assert_int_equal(figure_series(figures, db, code, str_z(by[i]), scope, most, c->a,
                                           &other, &err),
                             OK);
            assert_true(str_eq(json_to_str(one, c->a), json_to_str(other, c->a)));
        }
    }
}

// What one walk counts for many is what each statement counts for itself.
static void one_walk_counts_the_same(void **state) {
    County *c = *state;
    many_cases(c);
    Error err = {.status = OK};
    DB_AUTO db = NULL;
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    FigureScope scopes[8] = {march(), march(), march(), march()};
    scopes[1].to = scopes[1].from;
    scopes[2].to += 60;
    scopes[3].from += 10;
    size_t count = 4;
    Query *q = query(db, "SELECT code, kind FROM unit WHERE kind IN ('town', 'department')"
                         " AND id IN (SELECT unit_id FROM cases UNION SELECT town_id FROM cases)"
                         " ORDER BY kind, id LIMIT 30");
    while (query_next(q)) {
        bool town = str_eq(query_col_str(q, 1), S("town"));
        if (count >= (town ? 8u : 6u)) continue;
        scopes[count] = scopes[0];
        *(town ? &scopes[count].town : &scopes[count].unit) = query_col_keep(q, 0, c->a);
        count++;
    }
    assert_int_equal(query_done(q, &err), OK);
    assert_int_equal(count, 8);
    for (size_t i = 0; i < count; i++) {
        Value all;
        const Tally *accepted, *decided;
        assert_int_equal(figures_compute(figures, db, &scopes[i], c->a, &all, &err), OK);
        for (size_t k = 0; k < figures_count(figures); k++) {
            Value one;
            Str code = figure_code(figures, k);
            assert_int_equal(figure_compute(figures, db, code, &scopes[i], c->a, &one, &err), OK);
            assert_true(str_eq(v_to_str(one, c->a), v_to_str(v_get(all, code), c->a)));
        }
        assert_int_equal(
            tally_make(figures, db, &scopes[i], "c.accepted_at", c->a, &accepted, &err), OK);
        assert_int_equal(
            tally_make(figures, db, &scopes[i], "c.decided_at", c->a, &decided, &err), OK);
        expect_series(c, db, &scopes[i], accepted, S("cases_accepted"));
        expect_series(c, db, &scopes[i], accepted, S("cases_instant"));
        expect_series(c, db, &scopes[i], decided, S("cases_completed"));
    }
    assert_true(v_to_int(figure(c, "cases_accepted"), 0) > 200);
}

static void summary_links_every_number(void **state) {
    County *c = *state;
    FigureScope scope = march();
    for (int en = 0; en < 2; en++) {
        Error err;
        Db *db;
        Value summary;
        assert_int_equal(store_read(c->f->store, &db, &err), OK);
        if (summary_write(figures, db, &scope, S("象山县"), en ? S("en") : S("zh"), S(""), c->now,
                          c->a, &summary, &err) != OK) {
            fixture_fail("summary_write", &err);
        }
        store_release(db);
        Str text = v_text(v_get_lit(summary, "markdown"));
        assert_true(str_find(text, S("](/figures/cases_accepted?from=2023-03-01&to=2023-03-31)")) >
                    0);
        Value blocks = v_get_lit(summary, "blocks");
        size_t links = 0;
        for (size_t i = 0; i < blocks.len; i++) {
            Value spans = v_get_lit(v_at(blocks, i), "spans");
            for (size_t k = 0; k < spans.len && spans.kind == V_LIST; k++) {
                links += v_has(v_at(spans, k), S("href"));
            }
        }
        assert_true(links >= 12);
        Str pdf;
        if (summary_pdf(summary, en ? S("en") : S("zh"), c->a, &pdf, &err) != OK)
            fixture_fail("pdf", &err);
        assert_true(str_starts(pdf, S("%PDF")));
    }
}

static int64_t accepted_now(County *c, Cockpit *cockpit, const FigureScope *scope) {
    Error err = {.status = OK};
    DB_AUTO db = NULL;
    Value values;
    assert_int_equal(store_read(c->f->store, &db, &err), OK);
    assert_int_equal(cockpit_figures(cockpit, db, scope, c->a, &values, &err), OK);
    return v_to_int(v_get_lit(values, "cases_accepted"), -1);
}

static void cockpit_copies_follow_events(void **state) {
    County *c = *state;
    Actor citizen = county_actor(c, "citizen");
    Cockpit *cockpit;
    Error err;
    FigureScope whole = {0};
    Value model;
    assert_int_equal(cockpit_create(figures, c->f->store, &cockpit, &err), OK);
    if (cockpit_model(cockpit, &whole, c->now, c->a, &model, &err) != OK)
        fixture_fail("cockpit", &err);
    int64_t before = v_to_int(v_path(model, S("figures.cases_accepted")), -1);
    FigureScope year = {0};
    assert_true(v_to_day(v_get_lit(model, "from"), &year.from));
    assert_true(v_to_day(v_get_lit(model, "to"), &year.to));
    assert_int_equal(accepted_now(c, cockpit, &year), before);
    certificate(c, &citizen);
    assert_int_equal(cockpit_model(cockpit, &whole, c->now, c->a, &model, &err), OK);
    assert_int_equal(v_to_int(v_path(model, S("figures.cases_accepted")), -1), before); // the copy
    assert_int_equal(accepted_now(c, cockpit, &year), before + 1); // not the copy
    assert_int_equal(cockpit_refresh(cockpit, c->now, &err), OK);
    assert_int_equal(accepted_now(c, cockpit, &year), before + 1);
    assert_int_equal(cockpit_model(cockpit, &whole, c->now, c->a, &model, &err), OK);
    assert_int_equal(v_to_int(v_path(model, S("figures.cases_accepted")), -1), before + 1);
    FigureScope wrong = {.from = 10, .to = 5};
    assert_int_equal(cockpit_model(cockpit, &wrong, c->now, c->a, &model, &err), INVALID);
    for (Day d = 0; d < COCKPIT_KEEP_MAX + 3; d++) { // more periods than are kept
        FigureScope scope = {.from = 19000 + d, .to = 19010 + d};
        assert_int_equal(cockpit_model(cockpit, &scope, c->now + d, c->a, &model, &err), OK);
    }
    cockpit_free(cockpit);
}

typedef struct Asker {
    Cockpit *cockpit;
    Arena *arena;
    FigureScope scope;
    Instant now;
    Value model;
    Status status;
} Asker;

static void *ask(void *context) {
    Asker *at = context;
    Error err;
    at->status = cockpit_model(at->cockpit, &at->scope, at->now, at->arena, &at->model, &err);
    return NULL;
}

static void many_ask_first_and_one_is_computed(void **state) {
    enum { ASKERS = 6 };
    County *c = *state;
    Cockpit *cockpit;
    Error err;
    Asker askers[ASKERS];
    pthread_t ids[ASKERS];
    assert_int_equal(cockpit_create(figures, c->f->store, &cockpit, &err), OK);
    for (int i = 0; i < ASKERS; i++) {
        askers[i] = (Asker){.cockpit = cockpit,
                            .arena = arena_create(64 << 20),
                            .now = c->now + (Instant)i * 60000};
        assert_int_equal(pthread_create(&ids[i], NULL, ask, &askers[i]), 0);
    }
    for (int i = 0; i < ASKERS; i++) assert_int_equal(pthread_join(ids[i], NULL), 0);
    for (int i = 0; i < ASKERS; i++) {
        assert_int_equal(askers[i].status, OK);
        assert_true(v_equal(askers[i].model, askers[0].model)); // as_of too
    }
    for (int i = 0; i < ASKERS; i++) arena_free(askers[i].arena);
    cockpit_free(cockpit);
}

static void who_comes_and_goes_changes_no_copy(void **state) {
    County *c = *state;
    Cockpit *cockpit;
    Error err;
    FigureScope whole = {0};
    Value before, after;
    Str token;
    assert_int_equal(cockpit_create(figures, c->f->store, &cockpit, &err), OK);
    assert_int_equal(cockpit_model(cockpit, &whole, c->now, c->a, &before, &err), OK);
    int64_t events = county_int(c, "SELECT MAX(id) FROM event WHERE id > ?1", 0);
    Status refused = session_login(c->f->store, S("clerk"), S("not-the-password"), S("10.0.0.9"),
                                   c->now, c->a, &token, &err);
    assert_int_not_equal(refused, OK);
    assert_true(county_int(c, "SELECT MAX(id) FROM event WHERE id > ?1", 0) > events);
    assert_int_equal(cockpit_refresh(cockpit, c->now + 1000, &err), OK);
    assert_int_equal(cockpit_model(cockpit, &whole, c->now + 1000, c->a, &after, &err), OK);
    assert_true(v_equal(v_get_lit(before, "as_of"), v_get_lit(after, "as_of")));
    cockpit_free(cockpit);
}

static void wrong_indicators_are_refused(void **state) {
    County *c = *state;
    static const char *const wrong[] = {
        "[{'code':'a','name':'a','from':'nothing','measure':'count'}]",
        "[{'code':'a','name':'a','from':'cases','at':'accepted','measure':'median'}]",
        "[{'code':'a','name':'a','from':'cases','at':'accepted','measure':'count','where':{'sql':'"
        "1=1'}}]",
        "[{'code':'a','name':'a','formula':'1 +'}]",
        "[{'code':'a','name':'a','formula':'b + 1'}]",
        "[{'code':'a','name':'a','formula':'b'},{'code':'b','name':'b','formula':'a'}]",
        "[{'name':'a','from':'ratings','measure':'count'}]",
        "[{'code':'a','name':'a','from':'ratings','measure':'count'},{'code':'a','name':'a','from':"
        "'ratings','measure':'count'}]",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Error err = {.status = OK};
        const Figures *f = NULL;
        Str json = json_to_str(county_json(c, wrong[i]), c->a);
        assert_int_not_equal(figures_parse(S("test.json"), json, c->a, &f, &err), OK);
        assert_true(err.where.len > 0);
    }
}

static void money_is_printed_as_people_speak(void **state) {
    County *c = *state;
    Str code = S("hard_to_employ_subsidy");
    assert_text(figure_print(figures, code, v_int(208720000), S("zh"), c->a), "208.72万元");
    assert_text(figure_print(figures, code, v_int(574400000000), S("zh"), c->a), "57.44亿元");
    assert_text(figure_print(figures, code, v_int(54700), S("zh"), c->a), "547.00元");
    assert_text(figure_print(figures, code, v_int(208720000), S("en"), c->a), "CNY 2,087,200.00");
    assert_text(figure_print(figures, S("cases_accepted"), v_int(329826), S("zh"), c->a),
                "329,826");
    assert_text(figure_print(figures, S("cases_accepted"), v_null(), S("zh"), c->a), "—");
}

static int up(void **state, bool postgres) {
    if (county_up(state, postgres) != 0) return -1;
    County *c = *state;
    Error err;
    if (figures_load(c->f->arena, &figures, &err) != OK) fixture_fail("figures_load", &err);
    return 0;
}
static int up_sqlite(void **state) { return up(state, false); }
static int up_postgres(void **state) { return up(state, true); }

int main(void) {
    const struct CMUnitTest tests[] = {
        EACH(counts_follow_the_records),
        EACH(every_figure_opens_into_what_it_counted),
        EACH(records_hide_the_rater_and_mask_names),
        EACH(a_rating_is_not_found_through_its_handling),
        EACH(series_add_up),
        EACH(one_walk_counts_the_same),
        EACH(summary_links_every_number),
        EACH(cockpit_copies_follow_events),
        EACH(many_ask_first_and_one_is_computed),
        EACH(who_comes_and_goes_changes_no_copy),
        EACH(wrong_indicators_are_refused),
        EACH(money_is_printed_as_people_speak),
    };
    return COUNTY_RUN("figures", tests, up_sqlite, up_postgres);
}
