// People: parties (办事主体), units (单位), posts (岗位), accounts, sessions and what each may do.
#pragma once

#include "trail/event.h"

// Roles are bits; an account may have several, except that the three administrators (三员) exclude
// each other and every other role (GB/T 22239-2019, 8.1.3: separation of system, security and
// audit).
typedef enum Role {
    ROLE_PUBLIC = 1 << 0,     // nobody logged in
    ROLE_CITIZEN = 1 << 1,    // 自然人 or 法人: acts for the party of the account
    ROLE_AGENT = 1 << 2,      // 代办人: acts for others by stated authority
    ROLE_CLERK = 1 << 3,      // 窗口人员
    ROLE_APPROVER = 1 << 4,   // 审批人员
    ROLE_SUPERVISOR = 1 << 5, // 监督
    ROLE_LEADER = 1 << 6,     // 领导
    ROLE_SYSADMIN = 1 << 7,   // 系统管理员: items, units, posts, accounts without rights
    ROLE_SECADMIN = 1 << 8,   // 安全管理员: roles, locks
    ROLE_AUDITADMIN = 1 << 9, // 审计管理员: reads the trail
    ROLE_SYSTEM = 1 << 10,    // timers and the command line; never an account
} Role;
enum {
    ROLES_ALL_ACCOUNTS = 0x3fe,
    ROLES_OFFICIAL = ROLE_CLERK | ROLE_APPROVER | ROLE_SUPERVISOR | ROLE_LEADER,
    ROLES_APPLICANT = ROLE_CITIZEN | ROLE_AGENT,
    ROLES_ADMIN = ROLE_SYSADMIN | ROLE_SECADMIN | ROLE_AUDITADMIN,
    ROLE_COUNT = 11,
};
Str role_code(Role r);    // "clerk"
Str role_name(Role r);    // 窗口人员
unsigned role_by_code(Str code); // 0: none

typedef struct Actor {
    int64_t account_id; // 0: nobody, or the system
    int64_t party_id;   // of a citizen; 0 else
    int64_t unit_id;    // of an official; 0 else
    unsigned roles;     // bits of Role
    Str name;
    const int64_t *posts; // ids of the posts the account holds
    size_t posts_count;
    bool must_change;     // somebody else chose the password: only account.password is allowed
    Instant seen_at;      // of the session, when it was last noted (see session_touch)
} Actor;

bool actor_has(const Actor *a, unsigned roles); // any of them
bool actor_holds_post(const Actor *a, int64_t post_id);
extern const Actor actor_public, actor_system;

// A command (指令): the only way state changes. Checks its own input and finer rights (whose case,
// which post); `roles` is the coarse gate, denied by default. It fills *ret (in tx_arena) or
// adds errors and returns their status.
typedef Status (*CommandFn)(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs);
typedef struct Command {
    Str name;       // "case.accept"
    unsigned roles; // who may try; 0 nobody
    CommandFn run;
} Command;
// Every room registers its table once at start; names are unique (asserted).
void commands_register(const Command *table, size_t n);
const Command *command_find(Str name); // NULL
size_t command_count(void);
const Command *command_at(size_t i); // by name
// Runs a command inside a transaction: the coarse gate, then the command. DENIED otherwise.
MUST_USE Status command_in_tx(Tx *tx, const Command *c, const Actor *actor, Value input,
                              Value *ret, Errors *errs);
// What is slow on purpose (argon2id) is done before the write: `prepare` makes the input the
// command will see from the one that was given. Set after commands_register.
typedef Status (*CommandPrepare)(Db *db, const Actor *actor, Value given, Arena *a, Value *ret,
                                 Errors *errs);
void command_on_input(Str name, CommandPrepare prepare);
enum { COMMANDS_MAX = 1000 };
// Queues it and waits for the commit. `now` 0: the time at execution.
MUST_USE Status command_run(Store *s, const Command *c, const Actor *actor, Value input,
                            Instant now, Arena *a, Value *ret, Errors *errs);

// ---- accounts and sessions ----
enum {
    LOGIN_FAILURES_MAX = 5,            // then the account is locked for LOGIN_LOCK_MS
    LOGIN_LOCK_MS = 15 * 60 * 1000,
    LOGIN_ADDRESS_PER_MINUTE_MAX = 30, // attempts from one address, in memory
    SESSION_IDLE_MS = 2 * 3600 * 1000,
    SESSION_MAX_MS = 12 * 3600 * 1000,
    PASSWORD_BYTES_MIN = 10, PASSWORD_BYTES_MAX = 200,
    SESSIONS_PER_ACCOUNT_MAX = 10,     // the oldest ends
    SESSION_TOUCH_MS = 5 * 60 * 1000,  // how exactly idleness is measured
    ARGON2_PARALLEL_MAX = 4,           // at once in this process: each takes 19 MiB
};
// Log-in: argon2id is computed before the write (it is slow on purpose), the same time is spent
// on a name that does not exist. *ret_token is the cookie's value (only its hash is stored).
// Errors never say which of name and password was wrong.
MUST_USE Status session_login(Store *s, Str login, Str password, Str address, Instant now,
                              Arena *a, Str *ret_token, Error *err);
MUST_USE Status session_logout(Store *s, Str token, Instant now, Arena *a, Error *err);
// The actor of a cookie; actor_public when the token is empty, unknown or expired. `ret_csrf`:
// the token forms must carry.
MUST_USE Status session_actor(Db *db, Str token, Instant now, Arena *a, Actor *ret, Str *ret_csrf,
                              Error *err);
// Notes that the session is in use, at most once in SESSION_TOUCH_MS; does not wait. Call it for
// each request of `actor`.
void session_touch(Store *s, const Actor *actor, Str token, Instant now);
// One more attempt under `key` in the minute of `now`; false: more than `max`. In memory, of this
// process: against guessing at numbers and filling the disk, not a right.
bool throttle_allow(Str key, Instant now, unsigned max);
MUST_USE Status password_hash(Str password, Arena *a, Str *ret, Error *err); // argon2id, encoded
bool password_verify(Str password, Str encoded);

// ---- parties ----

// Finds the party by its number, or makes it; the number is checked (GB 11643, GB 32100).
// `party`: {kind: "natural"|"legal", name, id_number, phone, address, contact}. A name that
// differs from the one on record is a refusal that says so (masked).
MUST_USE Status party_find_or_add(Tx *tx, Value party, int64_t *ret_id, Errors *errs);
// What `actor` may see of it: numbers masked unless `unmasked`.
MUST_USE Status party_view(Db *db, int64_t id, bool unmasked, Arena *a, Value *ret, Error *err);

// ---- units and posts ----
MUST_USE Status unit_by_code(Db *db, Str code, int64_t *ret, Error *err);
MUST_USE Status post_by_code(Db *db, Str code, int64_t *ret, Error *err);

// Loads units, posts and demo accounts from a county file (county/people.json); idempotent. Each
// change has its event; the load as a whole is its caller's command.
MUST_USE Status people_load(Tx *tx, Value county, Value *ret_report, Errors *errs);
// {id, code, name, name_en, kind, parent_id, sort} of all units in order, and {id, code,
// unit_id, name, name_en} of all posts.
MUST_USE Status unit_list(Db *db, Arena *a, Value *ret, Error *err);
MUST_USE Status post_list(Db *db, Arena *a, Value *ret, Error *err);
// {id, login, name, roles: [codes], unit, posts: [codes], locked} of all accounts of officials
// and administrators, by login.
MUST_USE Status account_list(Db *db, Arena *a, Value *ret, Error *err);
// its commands: account.create, account.grant, account.lock, post.assign, …
void people_register(void);

// ---- messages (消息) ----
enum { UNREAD_MAX = 99 }; // counted no further: the bell shows a number, not a history
// How many messages of the account are unread, at most UNREAD_MAX.
MUST_USE Status messages_unread(Db *db, int64_t account_id, int64_t *ret, Error *err);
