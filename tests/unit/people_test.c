// room: people
// Parties, units, posts, roles, the county file.
#include "people_fixture.h"

typedef struct Find {
    Value party;
    int64_t id;
} Find;

static Status find_job(Tx *tx, void *arg, Errors *errs) {
    Find *find = arg;
    return party_find_or_add(tx, find->party, &find->id, errs);
}

static Status find(Fixture *f, const char *party, int64_t *ret_id, Errors *errs) {
    Find find = {.party = people_json(f, party)};
    *errs = errors_make(f->arena);
    Status status = store_write(f->store, find_job, &find, f->arena, 5, errs);
    if (status == OK) *ret_id = find.id;
    return status;
}

static Value view(Fixture *f, int64_t id, bool unmasked) {
    Value v;
    Error err;
    Db *db;
    assert_int_equal(store_read(f->store, &db, &err), OK);
    Status status = party_view(db, id, unmasked, f->arena, &v, &err);
    store_release(db);
    if (status != OK) fixture_fail("party_view", &err);
    return v;
}

static void one_party_by_its_number(void **state) {
    Fixture *f = *state;
    int64_t a = 0, b = 0;
    Errors errs;
    assert_int_equal(find(f, "{\"kind\":\"natural\",\"name\":\" 李四 \","
                             "\"id_number\":\"440524188001010014\"}", &a, &errs), OK);
    assert_int_equal(find(f, "{\"name\":\"李四\",\"id_number\":\"440524188001010014\","
                             "\"phone\":\"13800000002\"}", &b, &errs), OK);
    assert_int_equal(a, b);
    assert_text(v_text(v_get_lit(view(f, a, true), "phone")), "13800000002"); // filled in
    assert_int_equal(find(f, "{\"name\":\"李四\",\"id_number\":\"440524188001010014\","
                             "\"phone\":\"13800000003\"}", &b, &errs), OK);
    assert_text(v_text(v_get_lit(view(f, a, true), "phone")), "13800000002"); // not replaced
    // A small x is the same number; the party of the county file has it.
    assert_int_equal(find(f, "{\"name\":\"张三\",\"id_number\":\"11010519491231002x\"}", &b, &errs),
                     OK);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM party"), 2);
}

static void another_name_is_told_masked(void **state) {
    Fixture *f = *state;
    int64_t id;
    Errors errs;
    assert_int_equal(find(f, "{\"name\":\"张大山\",\"id_number\":\"11010519491231002X\"}", &id,
                          &errs), CONFLICT);
    Str message = error_message(&errs.items[0], NULL, NULL, f->arena);
    assert_true(str_find(message, S("张")) >= 0);
    assert_true(str_find(message, S("张三")) < 0);
    assert_text(errs.items[0].where, "name");
}

static void wrong_parties(void **state) {
    static const struct {
        const char *input, *where;
    } cases[] = {
        {"{\"name\":\"李四\",\"id_number\":\"440524188001010015\"}", "id_number"},
        {"{\"name\":\"李四\",\"id_number\":\"440524188002300014\"}", "id_number"},
        {"{\"name\":\"李四\",\"id_number\":\"4405241880010100141\"}", "id_number"},
        {"{\"name\":\"李四\"}", "id_number"},
        {"{\"name\":\"\",\"id_number\":\"440524188001010014\"}", "name"},
        {"{\"name\":7,\"id_number\":\"440524188001010014\"}", "name"},
        {"{\"name\":\"a\\u0000b\",\"id_number\":\"440524188001010014\"}", "name"},
        {"{\"name\":\"李四\",\"id_number\":\"440524188001010014\",\"phone\":\"12\"}", "phone"},
        {"{\"kind\":\"ghost\",\"name\":\"李四\",\"id_number\":\"440524188001010014\"}", "kind"},
        {"{\"kind\":\"legal\",\"name\":\"公司\",\"id_number\":\"91350100M000100Y44\"}", "id_number"},
        {"{\"kind\":\"legal\",\"name\":\"公司\",\"id_number\":\"440524188001010014\"}", "id_number"},
    };
    Fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t id;
        Errors errs;
        Status status = find(f, cases[i].input, &id, &errs);
        if (status == OK || !str_eq(errs.items[0].where, str_z(cases[i].where))) {
            print_error("%s\n", cases[i].input);
            fail();
        }
    }
    int64_t id;
    Errors errs;
    assert_int_not_equal(find(f, "{\"phone\":\"x\"}", &id, &errs), OK);
    assert_int_equal(errs.count, 3); // everything at once
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM party"), 1);
}

static void masked_unless_asked(void **state) {
    Fixture *f = *state;
    int64_t id;
    Errors errs;
    assert_int_equal(find(f, "{\"name\":\"李四\",\"id_number\":\"440524188001010014\","
                             "\"phone\":\"13800000002\",\"address\":\"广东省汕头市某街一号\"}", &id,
                          &errs), OK);
    Str open = json_to_str(view(f, id, true), f->arena);
    Str masked = json_to_str(view(f, id, false), f->arena);
    const Str secrets[] = {S("440524188001010014"), S("13800000002"), S("某街一号")};
    for (size_t i = 0; i < 3; i++) {
        assert_true(str_find(open, secrets[i]) >= 0);
        assert_true(str_find(masked, secrets[i]) < 0);
    }
    // A firm's number is public.
    assert_int_equal(find(f, "{\"kind\":\"legal\",\"name\":\"公司\","
                             "\"id_number\":\"91350100M000100Y43\"}", &id, &errs), OK);
    assert_text(v_text(v_get_lit(view(f, id, false), "id_number")), "91350100M000100Y43");
    Value v;
    Error err;
    Db *db;
    assert_int_equal(store_read(f->store, &db, &err), OK);
    assert_int_equal(party_view(db, 9999, false, f->arena, &v, &err), NOT_FOUND);
    store_release(db);
}

static void registering_oneself(void **state) {
    Fixture *f = *state;
    Value out;
    Errors errs;
    Str token;
    Error err;
    const char *input = "{\"login\":\"lisi\",\"password\":\"my own words\",\"name\":\"李四\","
                        "\"id_number\":\"440524188001010014\",\"phone\":\"13800000002\","
                        "\"password_encoded\":\"forged\",\"roles\":[\"sysadmin\"]}";
    assert_int_equal(command_as(f, &actor_public, "party.register", input, &out, &errs), OK);
    assert_int_equal(events_of_kind(f, "party.registered"), 1);
    assert_status(login_at(f, "lisi", "my own words", 5000, &token, &err), OK, &err);
    Actor a = actor_at(f, token, 5000);
    assert_int_equal(a.roles, ROLE_CITIZEN);
    assert_true(a.party_id > 0);
    assert_int_equal(command_as(f, &actor_public, "party.register", input, &out, &errs), CONFLICT);
    assert_text(errs.items[0].where, "id_number");
    const char *taken = "{\"login\":\"clerk\",\"password\":\"my own words\",\"name\":\"王五\","
                        "\"id_number\":\"11010519491231002X\"}";
    assert_int_not_equal(command_as(f, &actor_public, "party.register", taken, &out, &errs), OK);
    const char *bare = "{\"login\":\"x\",\"name\":\"王五\",\"id_number\":\"11010519491231002X\"}";
    assert_int_equal(command_as(f, &actor_public, "party.register", bare, &out, &errs), INVALID);
    assert_text(errs.items[0].where, "password");
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM party"), 2); // nothing half there
}

// Name and number of a neighbour are no secret: they must not open what the office has of him.
static void registering_as_somebody_on_file(void **state) {
    Fixture *f = *state;
    Value out;
    Errors errs;
    int64_t id;
    assert_int_equal(find(f, "{\"kind\":\"natural\",\"name\":\"王五\",\"phone\":\"13800000009\","
                             "\"id_number\":\"330225197706151027\"}", &id, &errs), OK);
    const char *const tries[] = {
        "{\"login\":\"eve\",\"password\":\"my own words\",\"name\":\"王五\","
        "\"id_number\":\"330225197706151027\"}",
        "{\"login\":\"eve\",\"password\":\"my own words\",\"name\":\"某某\","
        "\"id_number\":\" 330225197706151027 \"}",
    };
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        assert_int_equal(command_as(f, &actor_public, "party.register", tries[i], &out, &errs),
                         CONFLICT);
        assert_text(errs.items[0].where, "id_number"); // the name on record is not told
        assert_int_equal(errs.count, 1);
    }
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM account WHERE login = 'eve'"), 0);
}

static void units_and_posts(void **state) {
    Fixture *f = *state;
    Value out;
    Errors errs;
    Error err;
    int64_t id;
    const Actor *s = &actor_system;
    assert_int_equal(command_as(f, s, "unit.save",
                                "{\"code\":\"D\",\"name\":\"人社局\",\"kind\":\"department\","
                                "\"parent\":\"C\"}", &out, &errs), OK);
    assert_int_equal(command_as(f, s, "unit.save",
                                "{\"code\":\"C\",\"name\":\"中心\",\"kind\":\"center\","
                                "\"parent\":\"D\"}", &out, &errs), INVALID); // a circle
    assert_int_equal(command_as(f, s, "unit.save",
                                "{\"code\":\"E\",\"name\":\"x\",\"kind\":\"castle\"}", &out, &errs),
                     INVALID);
    assert_int_equal(command_as(f, s, "unit.save",
                                "{\"code\":\"E\",\"name\":\"x\",\"kind\":\"town\","
                                "\"uscc\":\"91350100M000100Y44\"}", &out, &errs), INVALID);
    assert_text(errs.items[0].where, "uscc");
    assert_int_equal(command_as(f, s, "post.save",
                                "{\"code\":\"D-1\",\"unit\":\"none\",\"name\":\"岗\"}", &out, &errs),
                     INVALID);
    assert_int_equal(command_as(f, s, "post.save",
                                "{\"code\":\"D-1\",\"unit\":\"D\",\"name\":\"岗\"}", &out, &errs),
                     OK);
    Db *db;
    assert_int_equal(store_read(f->store, &db, &err), OK);
    assert_status(unit_by_code(db, S("D"), &id, &err), OK, &err);
    assert_status(post_by_code(db, S("D-1"), &id, &err), OK, &err);
    assert_int_equal(unit_by_code(db, S("Z"), &id, &err), NOT_FOUND);
    assert_int_equal(post_by_code(db, S("Z"), &id, &err), NOT_FOUND);
    Value units, posts, accounts;
    assert_status(unit_list(db, f->arena, &units, &err), OK, &err);
    assert_status(post_list(db, f->arena, &posts, &err), OK, &err);
    assert_status(account_list(db, f->arena, &accounts, &err), OK, &err);
    store_release(db);
    assert_int_equal(units.len, 3);
    assert_int_equal(posts.len, 3);
    assert_int_equal(accounts.len, 4); // not the citizen
    Str all = json_to_str(accounts, f->arena);
    assert_true(str_find(all, S("argon2id")) < 0);
    assert_true(str_find(all, S("\"posts\":[\"C-1\",\"T-1\"]")) >= 0);
}

static void a_second_load_changes_nothing(void **state) {
    Fixture *f = *state;
    Value report;
    Errors errs;
    int64_t events = fixture_int(f, "SELECT COUNT(*) FROM event");
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM unit u JOIN unit p ON p.id = u.parent_id"
                                    " WHERE u.code = 'T1' AND p.code = 'C'"), 1);
    assert_int_equal(people_load_text(f, COUNTY, &report, &errs), OK);
    assert_text(json_to_str(report, f->arena), "{\"units\":0,\"posts\":0,\"accounts\":0}");
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM event"), events);
    assert_int_equal(people_load_text(f, "{\"units\":[{\"code\":\"T1\",\"name\":\"新街道\","
                                         "\"kind\":\"town\",\"parent\":\"C\",\"sort\":2}]}",
                                      &report, &errs), OK);
    assert_text(json_to_str(report, f->arena), "{\"units\":1,\"posts\":0,\"accounts\":0}");
}

static void a_wrong_county_is_refused_whole(void **state) {
    static const struct {
        const char *county, *where;
    } cases[] = {
        {"{\"units\":[{\"code\":\"N\",\"name\":\"新\",\"kind\":\"town\"},"
         "{\"code\":\"M\",\"name\":\"\",\"kind\":\"town\"}]}", "units.1:name"},
        {"{\"units\":[{\"code\":\"N\",\"name\":\"新\",\"kind\":\"town\",\"parent\":\"M\"},"
         "{\"code\":\"M\",\"name\":\"新\",\"kind\":\"town\",\"parent\":\"N\"}]}", "units.0:parent"},
        {"{\"units\":[{\"code\":\"N\",\"name\":\"新\",\"kind\":\"town\"}],"
         "\"posts\":[{\"code\":\"P\",\"unit\":\"X\",\"name\":\"岗\"}]}", "posts.0:unit"},
        {"{\"accounts\":[{\"login\":\"n\",\"name\":\"新\",\"password\":\"short\",\"roles\":[]}]}",
         "accounts.0:password"},
        {"{\"accounts\":[{\"login\":\"n\",\"name\":\"新\",\"password\":\"long enough\","
         "\"roles\":[\"clerk\"]}]}", "accounts.0:roles"},
        {"{\"accounts\":[{\"login\":\"n\",\"name\":\"新\",\"password\":\"long enough\","
         "\"roles\":[\"sysadmin\",\"secadmin\"]}]}", "accounts.0:roles"},
        {"{\"accounts\":[{\"login\":\"n\",\"name\":\"新\",\"password\":\"long enough\","
         "\"roles\":[\"citizen\"],\"party\":{\"name\":\"新\",\"id_number\":\"1\"}}]}",
         "accounts.0:id_number"},
        {"{\"accounts\":{}}", "accounts"},
    };
    Fixture *f = *state;
    int64_t units = fixture_int(f, "SELECT COUNT(*) FROM unit");
    int64_t events = fixture_int(f, "SELECT COUNT(*) FROM event");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Errors errs;
        Status status = people_load_text(f, cases[i].county, NULL, &errs);
        assert_int_not_equal(status, OK);
        assert_text(errs.items[0].where, cases[i].where);
    }
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM unit"), units);
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM event"), events);
}

static void roles_have_names(void **state) {
    (void)state;
    for (unsigned bit = 0; bit < ROLE_COUNT; bit++) {
        Str code = role_code((Role)(1u << bit));
        assert_true(code.len > 0);
        assert_true(role_name((Role)(1u << bit)).len > 0);
        assert_int_equal(role_by_code(code), 1u << bit);
    }
    assert_int_equal(role_by_code(S("king")), 0);
    assert_int_equal(role_code((Role)(1u << 20)).len, 0);
    assert_true(actor_has(&actor_public, ROLE_PUBLIC | ROLE_CLERK));
    assert_false(actor_has(&actor_public, ROLE_CLERK));
}

#define TESTS(T)                                                                           \
    T(one_party_by_its_number), T(another_name_is_told_masked), T(wrong_parties),          \
        T(masked_unless_asked), T(registering_oneself), T(registering_as_somebody_on_file),   \
        T(units_and_posts),                                                                   \
        T(a_second_load_changes_nothing), T(a_wrong_county_is_refused_whole), T(roles_have_names)

int main(void) {
    const struct CMUnitTest sqlite[] = {TESTS(PEOPLE_SQLITE)};
    const struct CMUnitTest postgres[] = {TESTS(PEOPLE_POSTGRES)};
    return FIXTURE_RUN("people", sqlite, postgres);
}
