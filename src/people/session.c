// Sessions: logging in and out, and who is behind a cookie.
//
// Invariants: the database knows only the SHA-256 of a token; a refused log-in costs the same work,
// reads and commit whether the name exists or not, and is told in the same words; rights are read
// with every request, so that a lock or a grant works at once.
//
// Noting that a session is in use (seen_at) is not an event: it changes nothing anybody may do.
#include "people/people_impl.h"

#include "base/crypto.h"

#include <stdlib.h>

enum { TOKEN_BYTES = 32, CSRF_BYTES = 18 };

static Str hash_bytes(const Hash *h) { return str_of((const char *)h->bytes, SHA256_SIZE); }

// ---- logging in ----

typedef struct Login {
    Str login, address;
    Str verified;   // the encoded password that the given one fits; empty: none
    Hash token_hash;
    Str csrf;
    bool opened;    // out
} Login;

typedef struct LoginRow {
    int64_t id, failures, locked_until;
    bool locked, fits;
} LoginRow;

static Status login_row(Tx *tx, const Login *l, LoginRow *ret, Error *err) {
    Query *q = query(tx_db(tx), "SELECT id, password, locked, failures, locked_until_at"
                                " FROM account WHERE login = ?1");
    query_str(q, 1, l->login);
    LoginRow row = {0};
    if (query_next(q)) {
        row = (LoginRow){.id = query_col_int(q, 0), .locked = query_col_int(q, 2) != 0,
                         .failures = query_col_int(q, 3), .locked_until = query_col_int(q, 4),
                         .fits = l->verified.len && str_eq(l->verified, query_col_str(q, 1))};
    }
    Status status = query_done(q, err);
    if (status == OK) *ret = row;
    return status;
}

static Status set_failures(Tx *tx, int64_t account, int64_t failures, Instant until, Error *err) {
    Query *q = query(tx_db(tx), "UPDATE account SET failures = ?1, locked_until_at = ?2"
                                " WHERE id = ?3");
    query_int(q, 1, failures);
    query_int(q, 2, until);
    query_int(q, 3, account);
    return query_run(q, NULL, err);
}

// Room for one more: what has ended goes, and the oldest beyond SESSIONS_PER_ACCOUNT_MAX.
static Status sessions_trim(Tx *tx, int64_t account, Error *err) {
    Query *q = query(tx_db(tx), "DELETE FROM session WHERE account_id = ?1 AND (expires_at <= ?2"
                                " OR token_hash NOT IN (SELECT token_hash FROM session"
                                " WHERE account_id = ?1 ORDER BY created_at DESC LIMIT ?3))");
    query_int(q, 1, account);
    query_int(q, 2, tx_now(tx));
    query_int(q, 3, SESSIONS_PER_ACCOUNT_MAX - 1);
    return query_run(q, NULL, err);
}

static Status session_insert(Tx *tx, const Login *l, int64_t account, Error *err) {
    Query *q = query(tx_db(tx), "INSERT INTO session (token_hash, account_id, csrf, created_at,"
                                " seen_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    query_blob(q, 1, hash_bytes(&l->token_hash));
    query_int(q, 2, account);
    query_str(q, 3, l->csrf);
    query_int(q, 4, tx_now(tx));
    query_int(q, 5, tx_now(tx));
    query_int(q, 6, tx_now(tx) + SESSION_MAX_MS);
    return query_run(q, NULL, err);
}

static Status login_event(Tx *tx, const Login *l, Str kind, int64_t account, bool opened,
                          Errors *errs) {
    ContextBuilder c = context_make(tx_arena(tx));
    if (account) context_put_lit(&c, "account_id", v_int(account));
    context_put_lit(&c, "address", v_str(l->address));
    Event e = {.kind = kind, .actor_id = opened ? account : 0, .data = context_done(&c)};
    return event_append(tx, &e, errs);
}

// A refused attempt is committed too: it counts.
static Status refuse(Tx *tx, const Login *l, const LoginRow *row, Errors *errs) {
    Error err;
    bool waiting = row->locked_until > tx_now(tx);
    if (!row->id || row->locked || waiting) {
        return login_event(tx, l, S("session.refused"), row->id, false, errs);
    }
    bool full = row->failures + 1 >= LOGIN_FAILURES_MAX;
    Status status = full ? set_failures(tx, row->id, 0, tx_now(tx) + LOGIN_LOCK_MS, &err)
                         : set_failures(tx, row->id, row->failures + 1, 0, &err);
    if (status != OK) return errors_push(errs, &err);
    return login_event(tx, l, full ? S("session.locked") : S("session.refused"), row->id, false,
                       errs);
}

static Status login_job(Tx *tx, void *arg, Errors *errs) {
    Login *l = arg;
    LoginRow row;
    Error err;
    l->opened = false;
    Status status = login_row(tx, l, &row, &err);
    if (status != OK) return errors_push(errs, &err);
    if (!row.fits || row.locked || row.locked_until > tx_now(tx)) return refuse(tx, l, &row, errs);
    if (row.failures || row.locked_until) status = set_failures(tx, row.id, 0, 0, &err);
    if (status == OK) status = sessions_trim(tx, row.id, &err);
    if (status == OK) status = session_insert(tx, l, row.id, &err);
    if (status != OK) return errors_push(errs, &err);
    l->opened = true;
    return login_event(tx, l, S("session.opened"), row.id, true, errs);
}

// Fills l->verified when the password fits; takes the same time when there is no such name.
static Status verify(Store *s, Login *l, Str password, Arena *a, Error *err) {
    Account account = {0};
    Db *db;
    Status status = store_read(s, &db, err);
    if (status != OK) return status;
    status = account_by_login(db, l->login, a, &account, err);
    store_release(db); // argon2id takes long: not with a connection in hand
    if (status == NOT_FOUND || (status == OK && account.password.len == 0)) {
        password_waste(password);
        return OK;
    }
    if (status == OK && password_verify(password, account.password)) l->verified = account.password;
    return status;
}

Status session_login(Store *s, Str login, Str password, Str address, Instant now, Arena *a,
                     Str *ret_token, Error *err) {
    Str key = arena_printf(a, "address:%.*s", S_FMT(address));
    if (!throttle_allow(key, now ? now : clock_now(), LOGIN_ADDRESS_PER_MINUTE_MAX)) {
        return error_set(err, LIMIT, S("login"), "尝试太频繁，请一分钟后再试");
    }
    bool sayable = login.len > 0 && login.len <= LOGIN_MAX && str_utf8_valid(login) &&
                   !memchr(login.ptr, 0, login.len);
    Login l = {.login = sayable ? login : S(""), .address = str_sub(address, 0, LOGIN_MAX)};
    Status status = verify(s, &l, password, a, err);
    if (status != OK) return status;
    Str token = random_token(TOKEN_BYTES, a);
    l.token_hash = sha256(token);
    l.csrf = random_token(CSRF_BYTES, a);
    Errors errs = errors_make(a);
    status = store_write(s, login_job, &l, a, now, &errs);
    if (status != OK) {
        if (!errs.count) return error_set(err, status, S("login"), "登录没有完成，请再试一次");
        return error_fill(err, status, errs.items[0].where, errs.items[0].text,
                          errs.items[0].args);
    }
    if (!l.opened) {
        return error_set(err, DENIED, S("login"),
                         "用户名或密码不正确，或账号已被锁定（连续输错 5 次锁定 15 分钟）");
    }
    *ret_token = token;
    return OK;
}

// ---- logging out ----

static Status logout_job(Tx *tx, void *arg, Errors *errs) {
    Error err;
    int64_t account = 0;
    Query *q = query(tx_db(tx), "DELETE FROM session WHERE token_hash = ?1 RETURNING account_id");
    query_blob(q, 1, hash_bytes(arg));
    Status status = query_one_int(q, &account, &err);
    if (status == NOT_FOUND) return OK; // it had ended already
    if (status != OK) return errors_push(errs, &err);
    Event e = {.kind = S("session.closed"), .actor_id = account};
    return event_append(tx, &e, errs);
}

Status session_logout(Store *s, Str token, Instant now, Arena *a, Error *err) {
    if (token.len == 0) return OK;
    Hash hash = sha256(token);
    Errors errs = errors_make(a);
    Status status = store_write(s, logout_job, &hash, a, now, &errs);
    if (status != OK && errs.count) {
        error_fill(err, status, errs.items[0].where, errs.items[0].text, errs.items[0].args);
    }
    return status;
}

// ---- who is behind a cookie ----

// Adds the post the row names, if any; there is a row for each of an account's posts.
static void add_post(Query *q, int col, Arena *a, Actor *actor, int64_t **posts, size_t *cap) {
    if (query_col_null(q, col)) return;
    if (actor->posts_count == *cap) {
        size_t more = *cap ? *cap * 2 : 8;
        int64_t *grown = arena_array(a, int64_t, more);
        if (*cap) memcpy(grown, *posts, *cap * sizeof **posts);
        *posts = grown;
        *cap = more;
    }
    (*posts)[actor->posts_count++] = query_col_int(q, col);
    actor->posts = *posts;
}

Status session_actor(Db *db, Str token, Instant now, Arena *a, Actor *ret, Str *ret_csrf,
                     Error *err) {
    *ret = actor_public;
    if (ret_csrf) *ret_csrf = S("");
    if (token.len == 0) return OK;
    Hash hash = sha256(token);
    // One statement, which is one look at the database, for who it is and what posts are his.
    Query *q = query(db, "SELECT a.id, COALESCE(a.party_id, 0), COALESCE(a.unit_id, 0), a.roles,"
                         " a.name, a.must_change, s.seen_at, s.csrf, p.post_id FROM session s"
                         " JOIN account a ON a.id = s.account_id"
                         " LEFT JOIN account_post p ON p.account_id = a.id"
                         " WHERE s.token_hash = ?1 AND s.expires_at > ?2 AND s.seen_at > ?3"
                         " AND a.locked = 0 ORDER BY p.post_id");
    query_blob(q, 1, hash_bytes(&hash));
    query_int(q, 2, now);
    query_int(q, 3, now - SESSION_IDLE_MS);
    Actor actor = actor_public;
    Str csrf = S("");
    int64_t *posts = NULL;
    size_t cap = 0;
    for (bool found = false; query_next(q); found = true) {
        if (!found) {
            unsigned roles = (unsigned)query_col_int(q, 3);
            actor = (Actor){.account_id = query_col_int(q, 0), .party_id = query_col_int(q, 1),
                            .unit_id = query_col_int(q, 2), .roles = roles ? roles : ROLE_PUBLIC,
                            .name = query_col_keep(q, 4, a),
                            .must_change = query_col_int(q, 5) != 0,
                            .seen_at = query_col_int(q, 6)};
            csrf = query_col_keep(q, 7, a);
        }
        add_post(q, 8, a, &actor, &posts, &cap);
    }
    Status status = query_done(q, err);
    if (status != OK) return status;
    *ret = actor;
    if (ret_csrf) *ret_csrf = csrf;
    return OK;
}

// ---- in use ----

typedef struct Touch {
    StoreJob job;
    Hash hash;
} Touch;

static Status touch_job(Tx *tx, void *arg, Errors *errs) {
    Error err;
    Query *q = query(tx_db(tx), "UPDATE session SET seen_at = ?1 WHERE token_hash = ?2"
                                " AND seen_at < ?1");
    query_int(q, 1, tx_now(tx));
    query_blob(q, 2, hash_bytes(&((Touch *)arg)->hash));
    Status status = query_run(q, NULL, &err);
    return status == OK ? OK : errors_push(errs, &err);
}

static void touch_done(StoreJob *job) { free(job->done_arg); }

void session_touch(Store *s, const Actor *actor, Str token, Instant now) {
    if (!actor->account_id || now - actor->seen_at < SESSION_TOUCH_MS) return;
    Touch *t = calloc(1, sizeof *t);
    if (!t) return; // the session merely seems idle for longer
    t->hash = sha256(token);
    t->job = (StoreJob){.fn = touch_job, .arg = t, .now = now, .done = touch_done, .done_arg = t};
    store_submit(s, &t->job);
}
