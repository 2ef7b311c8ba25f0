// Enrolment (统一身份认证): a party whose identity the province's log-in service has confirmed gets its
// account without a password of ours; the command is the system's alone. Idempotent: who is known
// already is found.
#include "people/people_impl.h"

static Status enroll(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Arena *a = tx_arena(tx);
    Account account = {.roles = ROLE_CITIZEN, .password = S("")};
    Status status = party_find_or_add(tx, input, &account.party_id, errs);
    if (status != OK) return status;
    Error err;
    Query *q = query(tx_db(tx), "SELECT id FROM account WHERE party_id = ?1 ORDER BY id LIMIT 1");
    query_int(q, 1, account.party_id);
    if (query_next(q)) account.id = query_col_int(q, 0);
    if (query_done(q, &err) != OK) return errors_push(errs, &err);
    const bool known = account.id != 0;
    if (!known) {
        account.login = arena_printf(a, "party-%lld", (long long)account.party_id);
        account.name = str_trim(v_text(v_get_lit(input, "name")));
        status = account_insert(tx, &account, &account.id, errs);
        if (status != OK) return status;
    }
    ContextBuilder c = context_make(a);
    context_put_lit(&c, "account_id", v_int(account.id));
    context_put_lit(&c, "party_id", v_int(account.party_id));
    *ret = context_done(&c);
    if (known) return OK; // nothing changed
    Event e = {.kind = S("party.enrolled"), .actor_id = actor->account_id, .data = *ret};
    return event_append(tx, &e, errs);
}

void enroll_register(void) {
    static const Command table[] = {{S_INIT("party.enroll"), ROLE_SYSTEM, enroll}};
    commands_register(table, sizeof table / sizeof table[0]);
}
