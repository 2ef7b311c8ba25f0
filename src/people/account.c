// Accounts: making them, granting roles, locking, passwords, posts.
//
// Invariants: who makes an account can't give it rights, and who gives rights can't make
// accounts or act with them (system and security administrator); nobody grants, locks or unlocks
// himself; the system administrator can't reset another administrator's password, which would be
// a way to become him. What he resets of anybody with rights stays locked until the security
// administrator unlocks it, so that he alone becomes nobody. A password somebody else has chosen
// lets in only to change it.
#include "people/people_impl.h"

#include "base/crypto.h"

enum { PASSWORD_MADE_BYTES = 12 };

// ---- rows ----

Status account_by_login(Db *db, Str login, Arena *a, Account *ret, Error *err) {
    Query *q = query(db, "SELECT id, COALESCE(unit_id, 0), COALESCE(party_id, 0), roles, locked,"
                         " must_change, name, password FROM account WHERE login = ?1");
    query_str(q, 1, login);
    Account account = {0};
    bool found = query_next(q);
    if (found) {
        account = (Account){.id = query_col_int(q, 0), .unit_id = query_col_int(q, 1),
                            .party_id = query_col_int(q, 2),
                            .roles = (unsigned)query_col_int(q, 3),
                            .locked = query_col_int(q, 4) != 0,
                            .must_change = query_col_int(q, 5) != 0,
                            .login = arena_str(a, login), .name = query_col_keep(q, 6, a),
                            .password = query_col_keep(q, 7, a)};
    }
    Status status = query_done(q, err);
    if (status != OK) return status;
    if (!found) return error_set(err, NOT_FOUND, S("login"), "没有这个账号：{1}", login);
    *ret = account;
    return OK;
}

Status account_insert(Tx *tx, const Account *account, int64_t *ret_id, Errors *errs) {
    Account taken;
    Error err;
    Status status = account_by_login(tx_db(tx), account->login, tx_arena(tx), &taken, &err);
    if (status == OK) return errors_add(errs, CONFLICT, S("login"), "这个用户名已被使用");
    if (status != NOT_FOUND) return errors_push(errs, &err);
    Query *q = query(tx_db(tx), "INSERT INTO account (login, name, password, must_change, roles,"
                                " unit_id, party_id, created_at)"
                                " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING id");
    query_str(q, 1, account->login);
    query_str(q, 2, account->name);
    query_str(q, 3, account->password);
    query_int(q, 4, account->must_change);
    query_int(q, 5, account->roles);
    query_int_or_null(q, 6, account->unit_id);
    query_int_or_null(q, 7, account->party_id);
    query_int(q, 8, tx_now(tx));
    status = query_one_int(q, ret_id, &err);
    return status == OK ? OK : errors_push(errs, &err);
}

Status account_event(Tx *tx, const Actor *actor, Str kind, Value data, Errors *errs) {
    Event e = {.kind = kind, .actor_id = actor->account_id, .data = data};
    return event_append(tx, &e, errs);
}

Status roles_fit(const Account *account, unsigned roles, Errors *errs) {
    if ((roles & ROLES_OFFICIAL) && !account->unit_id) {
        return errors_add(errs, INVALID, S("roles"), "工作人员的账号必须属于一个单位");
    }
    if ((roles & ROLES_APPLICANT) && !account->party_id) {
        return errors_add(errs, INVALID, S("roles"), "申请人的账号必须属于一个办事主体");
    }
    if ((roles & ROLES_APPLICANT) && (roles & ~(unsigned)ROLES_APPLICANT)) {
        return errors_add(errs, INVALID, S("roles"), "申请人的账号不能兼任工作人员");
    }
    return OK;
}

Status account_posts_set(Tx *tx, int64_t account_id, Value codes, Errors *errs) {
    if (!v_is_null(codes) && codes.kind != V_LIST) {
        return errors_add(errs, INVALID, S("posts"), "岗位应是一个列表");
    }
    Error err;
    Query *q = query(tx_db(tx), "DELETE FROM account_post WHERE account_id = ?1");
    query_int(q, 1, account_id);
    Status status = query_run(q, NULL, &err);
    if (status != OK) return errors_push(errs, &err);
    for (uint32_t i = 0; codes.kind == V_LIST && i < codes.len; i++) {
        Str code = v_text(v_at(codes, i));
        int64_t post;
        status = post_by_code(tx_db(tx), code, &post, &err);
        if (status == NOT_FOUND) {
            return errors_add(errs, INVALID, S("posts"), "没有这个岗位：{1}", code);
        }
        if (status == OK) {
            q = query(tx_db(tx), "INSERT INTO account_post (account_id, post_id) VALUES (?1, ?2)"
                                 " ON CONFLICT (account_id, post_id) DO NOTHING");
            query_int(q, 1, account_id);
            query_int(q, 2, post);
            status = query_run(q, NULL, &err);
        }
        if (status != OK) return errors_push(errs, &err);
    }
    return OK;
}

// The account an input speaks of. `self` false: an actor may not do this to himself.
static Status target(Tx *tx, const Actor *actor, Value input, bool self, Account *ret,
                     Errors *errs) {
    Str login;
    Error err;
    Status status = input_login(input, &login, errs);
    if (status != OK) return status;
    status = account_by_login(tx_db(tx), login, tx_arena(tx), ret, &err);
    if (status != OK) return errors_push(errs, &err);
    if (!self && actor->account_id && ret->id == actor->account_id) {
        return errors_add(errs, DENIED, S("login"), "不能对自己的账号办理这项操作");
    }
    return OK;
}

static Status run_update(Query *q, Errors *errs) {
    Error err;
    Status status = query_run(q, NULL, &err);
    return status == OK ? OK : errors_push(errs, &err);
}

static Status sessions_end(Tx *tx, int64_t account_id, Errors *errs) {
    Query *q = query(tx_db(tx), "DELETE FROM session WHERE account_id = ?1");
    query_int(q, 1, account_id);
    return run_update(q, errs);
}

// {account_id, login} and what else the event tells.
static ContextBuilder about(Tx *tx, const Account *account) {
    ContextBuilder c = context_make(tx_arena(tx));
    context_put_lit(&c, "account_id", v_int(account->id));
    context_put_lit(&c, "login", v_str(account->login));
    return c;
}

// ---- passwords, before the write ----

static bool is_password_key(Str key) { return str_starts(key, S("password")); }

// The input without anything that looks like a password, given or forged; then ours are put in.
static ContextBuilder without_passwords(Value given, Arena *a) {
    ContextBuilder c = context_make(a);
    for (uint32_t i = 0; given.kind == V_CONTEXT && i < given.len; i++) {
        const Entry *e = &given.as.entries[i];
        if (!is_password_key(e->key)) context_put_new(&c, e->key, e->value);
    }
    return c;
}

static Status put_encoded(ContextBuilder *c, Str password, Str login, Arena *a, Errors *errs) {
    Str encoded;
    Error err;
    Status status = password_allowed(password, login, S("password"), errs);
    if (status != OK) return status;
    if (password_hash(password, a, &encoded, &err) != OK) return errors_push(errs, &err);
    context_put_lit(c, "password_encoded", v_str(encoded));
    return OK;
}

// The given password, or one made up that is shown once.
static Status prepare_new(Db *db, const Actor *actor, Value given, Arena *a, Value *ret,
                          Errors *errs) {
    (void)db;
    (void)actor;
    ContextBuilder c = without_passwords(given, a);
    Str password = v_text(v_get_lit(given, "password"));
    bool made = password.len == 0;
    if (made) {
        password = random_token(PASSWORD_MADE_BYTES, a);
        context_put_lit(&c, "password_shown", v_str(password));
    }
    Str login = v_text(v_get_lit(given, "login"));
    Status status = put_encoded(&c, password, login, a, errs);
    if (status == OK) *ret = context_done(&c);
    return status;
}

// Somebody who registers must choose a password himself.
static Status prepare_register(Db *db, const Actor *actor, Value given, Arena *a, Value *ret,
                               Errors *errs) {
    if (v_text(v_get_lit(given, "password")).len == 0) {
        return errors_add(errs, INVALID, S("password"), "请填写{1}", S("密码"));
    }
    return prepare_new(db, actor, given, a, ret, errs);
}

static Status own_login(Db *db, int64_t id, Arena *a, Str *ret, Error *err) {
    Query *q = query(db, "SELECT login FROM account WHERE id = ?1");
    query_int(q, 1, id);
    bool found = query_next(q);
    Str login = query_col_keep(q, 0, a);
    Status status = query_done(q, err);
    if (status != OK) return status;
    if (!found) return error_set(err, NOT_FOUND, S("login"), "没有这个账号：{1}", S(""));
    *ret = login;
    return OK;
}

// Of one's own: {password_old, password}. Of another (system administrator): {login}.
static Status prepare_password(Db *db, const Actor *actor, Value given, Arena *a, Value *ret,
                               Errors *errs) {
    Error err;
    Str own = S(""), login = v_text(v_get_lit(given, "login"));
    if (actor->account_id && own_login(db, actor->account_id, a, &own, &err) != OK) {
        return errors_push(errs, &err);
    }
    if (login.len && !str_eq(login, own)) {
        // The administrator does not choose: what is made up is used once.
        Value cleared = actor_has(actor, ROLE_SYSTEM) ? given : v_null();
        return prepare_new(db, actor, v_with(cleared, S("login"), v_str(login), a), a, ret, errs);
    }
    Account account;
    Str key = arena_printf(a, "password:%lld", (long long)actor->account_id);
    if (!throttle_allow(key, clock_now(), LOGIN_ADDRESS_PER_MINUTE_MAX)) {
        return errors_add(errs, LIMIT, S("password_old"), "尝试太频繁，请一分钟后再试");
    }
    if (account_by_login(db, own, a, &account, &err) != OK) return errors_push(errs, &err);
    if (!password_verify(v_text(v_get_lit(given, "password_old")), account.password)) {
        return errors_add(errs, DENIED, S("password_old"), "原密码不正确");
    }
    ContextBuilder c = without_passwords(given, a);
    context_put_lit(&c, "login", v_str(own));
    context_put_lit(&c, "password_was", v_str(account.password));
    Str password = v_text(v_get_lit(given, "password"));
    if (str_eq(password, v_text(v_get_lit(given, "password_old")))) {
        return errors_add(errs, INVALID, S("password"), "新密码与原密码相同");
    }
    Status status = put_encoded(&c, password, own, a, errs);
    if (status == OK) *ret = context_done(&c);
    return status;
}

// ---- commands ----

static void put_shown(ContextBuilder *result, Value input) {
    Value shown = v_get_lit(input, "password_shown");
    if (!v_is_null(shown)) context_put_lit(result, "password", shown);
}

// {login, name, unit, posts?, password?} → {account_id, login, password when it was made up}.
static Status create(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Account account = {.must_change = true};
    Str unit;
    TextRule name = {S("name"), "姓名", NAME_MAX, true};
    Error err;
    Status status = input_login(input, &account.login, errs);
    if (status == OK) status = input_text(input, &name, &account.name, errs);
    if (status == OK) status = input_code(input, S("unit"), "单位", true, &unit, errs);
    if (status != OK) return status;
    if (unit_by_code(tx_db(tx), unit, &account.unit_id, &err) != OK) {
        return errors_add(errs, INVALID, S("unit"), "没有这个单位：{1}", unit);
    }
    account.password = v_text(v_get_lit(input, "password_encoded"));
    status = account_insert(tx, &account, &account.id, errs);
    if (status == OK) status = account_posts_set(tx, account.id, v_get_lit(input, "posts"), errs);
    if (status != OK) return status;
    ContextBuilder c = about(tx, &account);
    ContextBuilder result = about(tx, &account);
    put_shown(&result, input);
    context_put_lit(&c, "unit", v_str(unit));
    *ret = context_done(&result);
    return account_event(tx, actor, S("account.created"), context_done(&c), errs);
}

// {login, roles: [codes]}: exactly these from now on.
static Status grant(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Account account;
    unsigned roles;
    Status status = target(tx, actor, input, false, &account, errs);
    if (status == OK) status = roles_from_value(v_get_lit(input, "roles"), &roles, errs);
    if (status == OK) status = roles_fit(&account, roles, errs);
    if (status != OK) return status;
    Query *q = query(tx_db(tx), "UPDATE account SET roles = ?1 WHERE id = ?2");
    query_int(q, 1, roles);
    query_int(q, 2, account.id);
    status = run_update(q, errs);
    if (status != OK) return status;
    ContextBuilder c = about(tx, &account);
    context_put_lit(&c, "before", roles_to_value(account.roles, tx_arena(tx)));
    context_put_lit(&c, "roles", roles_to_value(roles, tx_arena(tx)));
    *ret = context_done(&c);
    return account_event(tx, actor, S("account.granted"), *ret, errs);
}

// {login}
static Status set_locked(Tx *tx, const Actor *actor, Value input, bool locked, Value *ret,
                         Errors *errs) {
    Account account;
    Status status = target(tx, actor, input, false, &account, errs);
    if (status != OK) return status;
    Query *q = query(tx_db(tx), "UPDATE account SET locked = ?1, failures = 0, locked_until_at = 0"
                                " WHERE id = ?2");
    query_int(q, 1, locked);
    query_int(q, 2, account.id);
    status = run_update(q, errs);
    if (status == OK && locked) status = sessions_end(tx, account.id, errs);
    if (status != OK) return status;
    ContextBuilder c = about(tx, &account);
    *ret = context_done(&c);
    return account_event(tx, actor, locked ? S("account.locked") : S("account.unlocked"), *ret,
                         errs);
}

static Status lock(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    return set_locked(tx, actor, input, true, ret, errs);
}

static Status unlock(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    return set_locked(tx, actor, input, false, ret, errs);
}

static Status may_reset(const Actor *actor, const Account *account, Errors *errs) {
    if (!actor_has(actor, ROLE_SYSADMIN | ROLE_SYSTEM)) {
        return errors_add(errs, DENIED, S("login"), "只能修改自己的密码");
    }
    if ((account->roles & ROLES_ADMIN) && !actor_has(actor, ROLE_SYSTEM)) {
        return errors_add(errs, DENIED, S("login"),
                          "管理员的密码不能由其他管理员重置，请在服务器上用命令行办理");
    }
    return OK;
}

// Ends all sessions of the account, the caller's own too: log in again with the new one.
static Status change_password(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Account account;
    Str was = v_text(v_get_lit(input, "password_was"));
    Status status = target(tx, actor, input, true, &account, errs);
    bool reset = was.len == 0;
    if (status == OK && reset) status = may_reset(actor, &account, errs);
    if (status != OK) return status;
    if (!reset && !str_eq(was, account.password)) {
        return errors_add(errs, CONFLICT, S("password"), "密码刚刚被改过，请重新登录再试");
    }
    bool lock = reset && account.roles && actor_has(actor, ROLE_SYSADMIN);
    Query *q = query(tx_db(tx), "UPDATE account SET password = ?1, must_change = ?2, failures = 0,"
                                " locked_until_at = 0, locked = CASE WHEN ?4 = 1 THEN 1 ELSE locked"
                                " END WHERE id = ?3");
    query_str(q, 1, v_text(v_get_lit(input, "password_encoded")));
    query_int(q, 2, reset);
    query_int(q, 3, account.id);
    query_int(q, 4, lock);
    status = run_update(q, errs);
    if (status == OK) status = sessions_end(tx, account.id, errs);
    if (status != OK) return status;
    ContextBuilder c = about(tx, &account), result = about(tx, &account);
    put_shown(&result, input);
    if (lock) {
        context_put_lit(&result, "locked", v_bool(true));
        context_put_lit(&c, "locked", v_bool(true));
    }
    *ret = context_done(&result);
    Str kind = reset ? S("account.password_reset") : S("account.password_changed");
    return account_event(tx, actor, kind, context_done(&c), errs);
}

// {login, posts: [codes]}: exactly these from now on.
static Status assign(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Account account;
    Status status = target(tx, actor, input, false, &account, errs);
    if (status != OK) return status;
    if (!account.unit_id || (account.roles & ROLES_ADMIN)) {
        return errors_add(errs, INVALID, S("login"), "只有单位的工作人员可以任岗位");
    }
    status = account_posts_set(tx, account.id, v_get_lit(input, "posts"), errs);
    if (status != OK) return status;
    ContextBuilder c = about(tx, &account);
    context_put_lit(&c, "posts", v_get_lit(input, "posts"));
    *ret = context_done(&c);
    return account_event(tx, actor, S("post.assigned"), *ret, errs);
}

Status account_list(Db *db, Arena *a, Value *ret, Error *err) {
    Query *q = query(db, "SELECT a.id, a.login, a.name, a.roles, u.code AS unit, a.locked,"
                         " a.must_change FROM account a LEFT JOIN unit u ON u.id = a.unit_id"
                         " WHERE a.party_id IS NULL ORDER BY a.login");
    Value rows;
    Status status = query_rows(q, a, &rows, err);
    if (status != OK) return status;
    ListBuilder list = list_make(a);
    for (uint32_t i = 0; i < rows.len; i++) {
        Value row = v_at(rows, i), codes;
        q = query(db, "SELECT p.code FROM account_post ap JOIN post p ON p.id = ap.post_id"
                      " WHERE ap.account_id = ?1 ORDER BY p.code");
        query_int(q, 1, v_to_int(v_get_lit(row, "id"), 0));
        status = query_rows(q, a, &codes, err);
        if (status != OK) return status;
        ListBuilder posts = list_make(a);
        for (uint32_t p = 0; p < codes.len; p++) {
            list_add(&posts, v_get_lit(v_at(codes, p), "code"));
        }
        unsigned roles = (unsigned)v_to_int(v_get_lit(row, "roles"), 0);
        row = v_with(row, S("roles"), roles_to_value(roles, a), a);
        list_add(&list, v_with(row, S("posts"), list_done(&posts), a));
    }
    *ret = list_done(&list);
    return OK;
}

void account_register(void) {
    static const Command table[] = {
        {S_INIT("account.create"), ROLE_SYSADMIN | ROLE_SYSTEM, create},
        {S_INIT("account.grant"), ROLE_SECADMIN | ROLE_SYSTEM, grant},
        {S_INIT("account.lock"), ROLE_SECADMIN | ROLE_SYSTEM, lock},
        {S_INIT("account.unlock"), ROLE_SECADMIN | ROLE_SYSTEM, unlock},
        {S_INIT("account.password"), ROLES_ALL_ACCOUNTS | ROLE_SYSTEM, change_password},
        {S_INIT("post.assign"), ROLE_SYSADMIN | ROLE_SYSTEM, assign},
    };
    commands_register(table, sizeof table / sizeof table[0]);
    command_on_input(S("account.create"), prepare_new);
    command_on_input(S("account.password"), prepare_password);
    command_on_input(S("party.register"), prepare_register);
}

Status messages_unread(Db *db, int64_t account_id, int64_t *ret, Error *err) {
    Query *q = query(db, "SELECT COUNT(*) FROM (SELECT id FROM message WHERE account_id = ?1"
                         " AND read_at IS NULL LIMIT ?2) AS unread");
    query_int(q, 1, account_id);
    query_int(q, 2, UNREAD_MAX);
    return query_one_int(q, ret, err);
}
