// room: people
// Accounts: logging in, sessions, throttles, and administrators who can't do each other's work.
#include "people_fixture.h"

enum { NOW = 1700000000 };
static const Instant now0 = (Instant)NOW * 1000;

static void in_and_out(void **state) {
    Fixture *f = *state;
    Str token;
    Error err;
    assert_status(login_at(f, "clerk", "right-password", now0, &token, &err), OK, &err);
    assert_true(token.len >= 40);
    Actor a = actor_at(f, token, now0 + 1);
    assert_true(a.account_id > 0);
    assert_int_equal(a.roles, ROLE_CLERK);
    assert_text(a.name, "王窗口");
    assert_true(a.unit_id > 0);
    assert_int_equal(a.posts_count, 2);
    assert_true(actor_holds_post(&a, a.posts[1]));
    assert_false(actor_holds_post(&a, 999));
    // The database holds no token.
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM session"), 1);
    assert_int_equal(events_of_kind(f, "session.opened"), 1);
    assert_status(session_logout(f->store, token, now0 + 2, f->arena, &err), OK, &err);
    assert_int_equal(actor_at(f, token, now0 + 3).roles, ROLE_PUBLIC);
    assert_int_equal(events_of_kind(f, "session.closed"), 1);
    assert_status(session_logout(f->store, token, now0 + 2, f->arena, &err), OK, &err);
    assert_int_equal(events_of_kind(f, "session.closed"), 1);
    assert_int_equal(actor_at(f, S("guess"), now0).account_id, 0);
    assert_int_equal(actor_at(f, (Str){0}, now0).roles, ROLE_PUBLIC);
}

static void sessions_end_by_themselves(void **state) {
    Fixture *f = *state;
    Str token;
    Error err;
    assert_status(login_at(f, "clerk", "right-password", now0, &token, &err), OK, &err);
    assert_int_equal(actor_at(f, token, now0 + SESSION_IDLE_MS - 1).roles, ROLE_CLERK);
    assert_int_equal(actor_at(f, token, now0 + SESSION_IDLE_MS).roles, ROLE_PUBLIC);
    Instant at = now0;
    while (at < now0 + SESSION_MAX_MS - SESSION_IDLE_MS / 2) { // in use until it is too old
        at += SESSION_IDLE_MS / 2;
        Actor a = actor_at(f, token, at);
        assert_int_equal(a.roles, ROLE_CLERK);
        session_touch(f->store, &a, token, at);
        for (int i = 0; i < 500 && actor_at(f, token, at).seen_at != at; i++) usleep(10000);
    }
    assert_int_equal(actor_at(f, token, now0 + SESSION_MAX_MS).roles, ROLE_PUBLIC);
}

static void ten_sessions_at_most(void **state) {
    Fixture *f = *state;
    Str first, token;
    Error err;
    assert_status(login_at(f, "clerk", "right-password", now0, &first, &err), OK, &err);
    for (int i = 1; i <= SESSIONS_PER_ACCOUNT_MAX; i++) {
        assert_status(login_at(f, "clerk", "right-password", now0 + i, &token, &err), OK, &err);
    }
    assert_int_equal(fixture_int(f, "SELECT COUNT(*) FROM session"), SESSIONS_PER_ACCOUNT_MAX);
    assert_int_equal(actor_at(f, first, now0 + 99).roles, ROLE_PUBLIC);
    assert_int_equal(actor_at(f, token, now0 + 99).roles, ROLE_CLERK);
}

static void five_wrong_ones_lock(void **state) {
    Fixture *f = *state;
    Str token;
    Error wrong, unknown, locked;
    for (int i = 0; i < LOGIN_FAILURES_MAX; i++) {
        assert_int_equal(login_at(f, "clerk", "wrong", now0, &token, &wrong), DENIED);
    }
    assert_int_equal(events_of_kind(f, "session.locked"), 1);
    assert_int_equal(events_of_kind(f, "session.refused"), LOGIN_FAILURES_MAX - 1);
    // Right, but locked; and a name that does not exist: the same words.
    assert_int_equal(login_at(f, "clerk", "right-password", now0 + 1, &token, &locked), DENIED);
    assert_int_equal(login_at(f, "nobody", "right-password", now0 + 1, &token, &unknown), DENIED);
    assert_ptr_equal(wrong.text, locked.text);
    assert_ptr_equal(wrong.text, unknown.text);
    Instant later = now0 + LOGIN_LOCK_MS;
    assert_status(login_at(f, "clerk", "right-password", later, &token, &wrong), OK, &wrong);
    assert_int_equal(fixture_int(f, "SELECT failures + locked_until_at FROM account"
                                    " WHERE login = 'clerk'"), 0);
}

static void a_success_forgets_failures(void **state) {
    Fixture *f = *state;
    Str token;
    Error err;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < LOGIN_FAILURES_MAX - 1; i++) {
            assert_int_equal(login_at(f, "clerk", "wrong", now0, &token, &err), DENIED);
        }
        assert_status(login_at(f, "clerk", "right-password", now0, &token, &err), OK, &err);
    }
}

static void an_address_is_throttled(void **state) {
    Fixture *f = *state;
    Str token;
    Error err;
    for (int i = 0; i < LOGIN_ADDRESS_PER_MINUTE_MAX; i++) {
        assert_int_equal(login_at(f, "nobody", "wrong", now0, &token, &err), DENIED);
    }
    assert_int_equal(login_at(f, "clerk", "right-password", now0, &token, &err), LIMIT);
    assert_status(session_login(f->store, S("clerk"), S("right-password"), S("10.0.0.2"), now0,
                                f->arena, &token, &err), OK, &err);
    assert_status(login_at(f, "clerk", "right-password", now0 + 60000, &token, &err), OK, &err);
}

static void strange_logins(void **state) {
    Fixture *f = *state;
    Str token;
    Error err;
    char *long_name = arena_alloc(f->arena, 100000);
    memset(long_name, 'a', 100000);
    const Str names[] = {S(""), S("' OR 1=1 --"), str_of("clerk\0", 6), str_of(long_name, 100000),
                         S("\xff\xfe"), S("CLERK")};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(session_login(f->store, names[i], S("right-password"), S("10.0.0.3"), now0,
                                       f->arena, &token, &err), DENIED);
    }
    assert_int_equal(session_login(f->store, S("clerk"), str_of(long_name, 100000), S("10.0.0.3"),
                                   now0, f->arena, &token, &err), DENIED);
}

static void passwords_of_others_do_not_fit(void **state) {
    Fixture *f = *state;
    Str a, b;
    Error err;
    assert_status(password_hash(S("same password"), f->arena, &a, &err), OK, &err);
    assert_status(password_hash(S("same password"), f->arena, &b, &err), OK, &err);
    assert_false(str_eq(a, b)); // salted
    assert_true(str_starts(a, S("$argon2id$v=19$")));
    assert_true(password_verify(S("same password"), a));
    assert_false(password_verify(S("same passwore"), a));
    assert_false(password_verify(S(""), a));
    assert_false(password_verify(S("x"), S("")));
    assert_false(password_verify(S("x"), S("$argon2id$nonsense")));
}

// ---- administrators ----

static void made_by_one_granted_by_another(void **state) {
    Fixture *f = *state;
    Actor sys = actor_of(f, "sys", now0), sec = actor_of(f, "sec", now0);
    Value made, out;
    Errors errs;
    const char *create = "{\"login\":\"new\",\"name\":\"新人\",\"unit\":\"C\",\"posts\":[\"C-1\"]}";
    const char *grant = "{\"login\":\"new\",\"roles\":[\"clerk\",\"approver\"]}";
    assert_int_equal(command_as(f, &sec, "account.create", create, &out, &errs), DENIED);
    assert_int_equal(command_as(f, &sys, "account.create", create, &made, &errs), OK);
    assert_int_equal(fixture_int(f, "SELECT roles FROM account WHERE login = 'new'"), 0);
    assert_int_equal(command_as(f, &sys, "account.grant", grant, &out, &errs), DENIED);
    assert_int_equal(command_as(f, &sec, "account.grant", grant, &out, &errs), OK);
    assert_int_equal(fixture_int(f, "SELECT roles FROM account WHERE login = 'new'"),
                     ROLE_CLERK | ROLE_APPROVER);
    assert_int_equal(events_of_kind(f, "account.granted"), 1);
    assert_int_equal(command_as(f, &sys, "account.create", create, &out, &errs), CONFLICT);

    // The password that was made up lets in only to change it.
    Str token, password = v_text(v_get_lit(made, "password"));
    Error err;
    assert_status(session_login(f->store, S("new"), password, S("a"), now0, f->arena, &token, &err),
                  OK, &err);
    Actor fresh = actor_at(f, token, now0);
    assert_true(fresh.must_change);
    char change[300];
    (void)snprintf(change, sizeof change, "{\"password_old\":\"%.*s\",\"password\":\"%s\"}",
                   S_FMT(password), "chosen by myself");
    assert_int_equal(command_as(f, &fresh, "account.password", change, &out, &errs), OK);
    assert_int_equal(actor_at(f, token, now0).account_id, 0); // all sessions ended
    assert_status(login_at(f, "new", "chosen by myself", now0, &token, &err), OK, &err);
    assert_false(actor_at(f, token, now0).must_change);
}

static void grants_that_are_refused(void **state) {
    static const struct {
        const char *input;
        Status status;
    } cases[] = {
        {"{\"login\":\"clerk\",\"roles\":[\"sysadmin\",\"clerk\"]}", INVALID},
        {"{\"login\":\"clerk\",\"roles\":[\"sysadmin\",\"auditadmin\"]}", INVALID},
        {"{\"login\":\"clerk\",\"roles\":[\"secadmin\",\"auditadmin\",\"sysadmin\"]}", INVALID},
        {"{\"login\":\"sec\",\"roles\":[\"sysadmin\"]}", DENIED}, // himself
        {"{\"login\":\"clerk\",\"roles\":[\"system\"]}", INVALID},
        {"{\"login\":\"clerk\",\"roles\":[\"public\"]}", INVALID},
        {"{\"login\":\"clerk\",\"roles\":[\"king\"]}", INVALID},
        {"{\"login\":\"clerk\",\"roles\":\"leader\"}", INVALID},
        {"{\"login\":\"clerk\"}", INVALID},
        {"{\"login\":\"clerk\",\"roles\":[7]}", INVALID},
        {"{\"login\":\"nobody\",\"roles\":[]}", NOT_FOUND},
        {"{\"login\":\"citizen\",\"roles\":[\"clerk\"]}", INVALID},   // of no unit
        {"{\"login\":\"clerk\",\"roles\":[\"citizen\"]}", INVALID},   // of no party
        {"{\"login\":\"a b\",\"roles\":[]}", INVALID},
        {"{}", INVALID},
    };
    Fixture *f = *state;
    Actor sec = actor_of(f, "sec", now0);
    int64_t before = fixture_int(f, "SELECT SUM(roles) FROM account");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Value out;
        Errors errs;
        Status got = command_as(f, &sec, "account.grant", cases[i].input, &out, &errs);
        if (got != cases[i].status) print_error("%s\n", cases[i].input);
        assert_int_equal(got, cases[i].status);
        assert_true(errs.count > 0);
    }
    assert_int_equal(fixture_int(f, "SELECT SUM(roles) FROM account"), before);
    assert_int_equal(events_of_kind(f, "account.granted"), 0);
}

static void locked_out_at_once(void **state) {
    Fixture *f = *state;
    Actor sec = actor_of(f, "sec", now0), clerk;
    Str token;
    Error err;
    Value out;
    Errors errs;
    assert_status(login_at(f, "clerk", "right-password", now0, &token, &err), OK, &err);
    clerk = actor_at(f, token, now0);
    assert_int_equal(command_as(f, &clerk, "account.lock", "{\"login\":\"sec\"}", &out, &errs),
                     DENIED);
    assert_int_equal(command_as(f, &sec, "account.lock", "{\"login\":\"sec\"}", &out, &errs),
                     DENIED);
    assert_int_equal(command_as(f, &sec, "account.lock", "{\"login\":\"clerk\"}", &out, &errs), OK);
    assert_int_equal(actor_at(f, token, now0).roles, ROLE_PUBLIC);
    assert_int_equal(login_at(f, "clerk", "right-password", now0, &token, &err), DENIED);
    assert_int_equal(command_as(f, &sec, "account.unlock", "{\"login\":\"clerk\"}", &out, &errs),
                     OK);
    assert_status(login_at(f, "clerk", "right-password", now0, &token, &err), OK, &err);
    assert_int_equal(events_of_kind(f, "account.locked"), 1);
    assert_int_equal(events_of_kind(f, "account.unlocked"), 1);
}

static void ones_own_password(void **state) {
    static const struct {
        const char *input;
        Status status;
    } cases[] = {
        {"{\"password_old\":\"wrong\",\"password\":\"a new password\"}", DENIED},
        {"{\"password\":\"a new password\"}", DENIED},
        {"{\"password_old\":\"right-password\",\"password\":\"short\"}", INVALID},
        {"{\"password_old\":\"right-password\",\"password\":\"aaaaaaaaaaaa\"}", INVALID},
        {"{\"password_old\":\"right-password\",\"password\":\"right-password\"}", INVALID},
        {"{\"password_old\":\"right-password\"}", INVALID},
        // What only the program may say, said by the caller.
        {"{\"password_old\":\"wrong\",\"password_was\":\"x\",\"password_encoded\":\"y\","
         "\"password\":\"a new password\"}", DENIED},
        {"{\"login\":\"citizen\",\"password\":\"a new password\"}", DENIED}, // another's
    };
    Fixture *f = *state;
    Actor clerk = actor_of(f, "clerk", now0);
    Value out;
    Errors errs;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        throttle_forget();
        Status got = command_as(f, &clerk, "account.password", cases[i].input, &out, &errs);
        if (got != cases[i].status) print_error("%s\n", cases[i].input);
        assert_int_equal(got, cases[i].status);
    }
    Str token;
    Error err;
    assert_status(login_at(f, "clerk", "right-password", now0, &token, &err), OK, &err);
    assert_int_equal(events_of_kind(f, "account.password_changed"), 0);
}

static void a_reset_is_not_a_way_to_become_another_administrator(void **state) {
    Fixture *f = *state;
    Actor sys = actor_of(f, "sys", now0);
    Value out;
    Errors errs;
    Str token;
    Error err;
    assert_int_equal(command_as(f, &sys, "account.password", "{\"login\":\"sec\"}", &out, &errs),
                     DENIED);
    assert_int_equal(command_as(f, &sys, "account.password", "{\"login\":\"audit\"}", &out, &errs),
                     DENIED);
    // Of a clerk he may; the password is made up, whatever he asks for.
    assert_int_equal(command_as(f, &sys, "account.password",
                                "{\"login\":\"clerk\",\"password\":\"chosen by him\"}", &out,
                                &errs), OK);
    assert_int_equal(login_at(f, "clerk", "chosen by him", now0, &token, &err), DENIED);
    assert_int_equal(login_at(f, "clerk", "right-password", now0, &token, &err), DENIED);
    Str made = v_text(v_get_lit(out, "password"));
    // Nor does he become the clerk: that takes the security administrator as well.
    assert_int_equal(session_login(f->store, S("clerk"), made, S("b"), now0, f->arena, &token,
                                   &err), DENIED);
    assert_int_equal(command_as(f, &sys, "account.unlock", "{\"login\":\"clerk\"}", &out, &errs),
                     DENIED);
    Actor sec = actor_of(f, "sec", now0);
    assert_int_equal(command_as(f, &sec, "account.unlock", "{\"login\":\"clerk\"}", &out, &errs),
                     OK);
    assert_status(session_login(f->store, S("clerk"), made, S("b"), now0, f->arena, &token, &err),
                  OK, &err);
    Actor clerk = actor_at(f, token, now0);
    assert_true(clerk.must_change);
    assert_int_equal(command_as(f, &clerk, "unit.save", "{}", &out, &errs), DENIED);
    // On the server, anybody's.
    assert_int_equal(command_as(f, &actor_system, "account.password",
                                "{\"login\":\"sec\",\"password\":\"from the server\"}", &out,
                                &errs), OK);
    assert_status(login_at(f, "sec", "from the server", now0, &token, &err), OK, &err);
    assert_int_equal(events_of_kind(f, "account.password_reset"), 2);
}

static void posts_are_the_system_administrators(void **state) {
    Fixture *f = *state;
    Actor sys = actor_of(f, "sys", now0), sec = actor_of(f, "sec", now0);
    Value out;
    Errors errs;
    const char *one = "{\"login\":\"clerk\",\"posts\":[\"T-1\"]}";
    assert_int_equal(command_as(f, &sec, "post.assign", one, &out, &errs), DENIED);
    assert_int_equal(command_as(f, &sys, "post.assign", one, &out, &errs), OK);
    assert_int_equal(actor_of(f, "clerk", now0).posts_count, 1);
    assert_int_equal(command_as(f, &sys, "post.assign",
                                "{\"login\":\"clerk\",\"posts\":[\"T-1\",\"none\"]}", &out, &errs),
                     INVALID);
    assert_int_equal(actor_of(f, "clerk", now0).posts_count, 1); // all or nothing
    assert_int_equal(command_as(f, &sys, "post.assign", "{\"login\":\"sec\",\"posts\":[\"T-1\"]}",
                                &out, &errs), INVALID);
    assert_int_equal(command_as(f, &sys, "post.assign", "{\"login\":\"sys\",\"posts\":[]}", &out,
                                &errs), DENIED);
}

// Every command of the room against every role: only those of its table pass the gate.
static void the_gate_by_role(void **state) {
    Fixture *f = *state;
    for (size_t i = 0; i < command_count(); i++) {
        const Command *c = command_at(i);
        for (unsigned bit = 0; bit < ROLE_COUNT; bit++) {
            Actor actor = {.roles = 1u << bit};
            Value out;
            Errors errs;
            Status status = command_as(f, &actor, arena_cstr(f->arena, c->name), "{}", &out, &errs);
            bool refused = status == DENIED && errs.count == 1 &&
                           str_eq(errs.items[0].where, c->name);
            assert_int_equal(refused, (c->roles & actor.roles) == 0);
        }
    }
}

#define TESTS(T)                                                                              \
    T(in_and_out), T(sessions_end_by_themselves), T(ten_sessions_at_most),                    \
        T(five_wrong_ones_lock), T(a_success_forgets_failures), T(an_address_is_throttled),   \
        T(strange_logins), T(passwords_of_others_do_not_fit),                                 \
        T(made_by_one_granted_by_another), T(grants_that_are_refused), T(locked_out_at_once), \
        T(ones_own_password), T(a_reset_is_not_a_way_to_become_another_administrator),        \
        T(posts_are_the_system_administrators), T(the_gate_by_role)

int main(void) {
    const struct CMUnitTest sqlite[] = {TESTS(PEOPLE_SQLITE)};
    const struct CMUnitTest postgres[] = {TESTS(PEOPLE_POSTGRES)};
    return FIXTURE_RUN("account", sqlite, postgres);
}
