// Inside people: what its files share.
#pragma once

#include "people/people.h"

enum {
    LOGIN_MAX = 64,   // bytes
    NAME_MAX = 100,   // code points
    ADDRESS_MAX = 300,
    CODE_MAX = 64,
};

// ---- password.c ----
// OWASP's minimum for argon2id: 19 MiB, 2 passes, 1 lane. Tests may lower it; nobody else does.
void password_cost_set(uint32_t passes, uint32_t memory_kib);
// Checks length and that it is not the login; on failure adds an error at `where`.
Status password_allowed(Str password, Str login, Str where, Errors *errs);
// Takes the time of a verification and fails.
void password_waste(Str password);

// ---- throttle.c ----
void throttle_forget(void); // tests

// ---- input.c: reading command input ----
typedef struct TextRule {
    Str key;
    const char *label; // for messages, Chinese
    size_t max;        // code points
    bool required;
} TextRule;
// Trimmed; empty when absent and not required. Adds an error at the key otherwise.
Status input_text(Value input, const TextRule *rule, Str *ret, Errors *errs);
Status input_login(Value input, Str *ret, Errors *errs);
// A code: ASCII letters, digits, '-', '_', '.'.
Status input_code(Value input, Str key, const char *label, bool required, Str *ret, Errors *errs);

// ---- roles.c ----
// The roles named in a list of codes; refuses unknown ones and what the separation forbids.
Status roles_from_value(Value codes, unsigned *ret, Errors *errs);
Value roles_to_value(unsigned roles, Arena *a);

// ---- account.c ----
typedef struct Account {
    int64_t id, unit_id, party_id;
    unsigned roles;
    bool locked, must_change;
    Str login, name, password;
} Account;
// NOT_FOUND when there is none. In `a`.
Status account_by_login(Db *db, Str login, Arena *a, Account *ret, Error *err);
Status account_insert(Tx *tx, const Account *account, int64_t *ret_id, Errors *errs);
// Does the account have what such roles need: a unit for officials, a party for applicants?
Status roles_fit(const Account *account, unsigned roles, Errors *errs);
Status account_posts_set(Tx *tx, int64_t account_id, Value codes, Errors *errs);
Status account_event(Tx *tx, const Actor *actor, Str kind, Value data, Errors *errs);

// the command tables
void account_register(void);
void unit_register(void);
void party_register(void);
void enroll_register(void);
