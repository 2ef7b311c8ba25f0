// Loading a county file: units, posts, parties and accounts.
//
// Invariants: loading the same file twice changes nothing the second time; what is there under
// the same code and differs is changed (units, posts); an account that exists is left alone,
// because its password and rights are no longer the file's business. All or nothing: the
// transaction is the caller's.
#include "people/people_impl.h"

enum { LOAD_ITEMS_MAX = 5000 };

typedef struct Load {
    Tx *tx;
    Errors *errs;
    int64_t units, posts, accounts; // changed or made
} Load;

// The errors from `before` on get "units.3" in front.
static void place_errors(Load *l, size_t before, const char *list, uint32_t i) {
    Str place = arena_printf(tx_arena(l->tx), "%s.%u", list, i);
    for (size_t e = before; e < l->errs->count; e++) error_at(&l->errs->items[e], place);
}

static Status run(Load *l, Str name, Value input, const char *list, uint32_t i) {
    const Command *c = command_find(name);
    size_t before = l->errs->count;
    Value result;
    if (!c) return errors_add(l->errs, BROKEN, name, "程序没有这个指令：{1}", name);
    Status status = command_in_tx(l->tx, c, &actor_system, input, &result, l->errs);
    if (status != OK) place_errors(l, before, list, i);
    return status;
}

// Does the row say what the file says? Absent members of the file are empty.
static bool same(Value row, Value item, const Str *keys, size_t n) {
    for (size_t i = 0; i < n; i++) {
        Str in_file = str_trim(v_text(v_get(item, keys[i])));
        if (!str_eq(v_text(v_get(row, keys[i])), in_file)) return false;
    }
    return v_to_int(v_get_lit(row, "sort"), 0) == v_to_int(v_get_lit(item, "sort"), 0);
}

typedef enum Found { ABSENT, DIFFERENT, SAME } Found;

static Status compare(Load *l, Query *q, Value item, const Str *keys, size_t n, Found *ret) {
    Error err;
    Value row;
    query_str(q, 1, str_trim(v_text(v_get_lit(item, "code"))));
    Status status = query_row(q, tx_arena(l->tx), &row, &err);
    if (status != OK && status != NOT_FOUND) return errors_push(l->errs, &err);
    *ret = status == NOT_FOUND ? ABSENT : same(row, item, keys, n) ? SAME : DIFFERENT;
    return OK;
}

// A unit whose parent comes later in the file waits for the next round.
static Status parent_ready(Load *l, Value unit, bool *ret) {
    Str parent = str_trim(v_text(v_get_lit(unit, "parent")));
    int64_t id;
    Error err;
    Status status = parent.len ? unit_by_code(tx_db(l->tx), parent, &id, &err) : OK;
    if (status != OK && status != NOT_FOUND) return errors_push(l->errs, &err);
    *ret = status == OK;
    return OK;
}

static Status load_unit(Load *l, Value unit, uint32_t i) {
    static const Str keys[] = {S_INIT("code"), S_INIT("name"), S_INIT("name_en"), S_INIT("kind"),
                               S_INIT("uscc"), S_INIT("parent")};
    Found found;
    Query *q = query(tx_db(l->tx), "SELECT u.code, u.name, u.name_en, u.kind, u.uscc, u.sort,"
                                   " COALESCE(p.code, '') AS parent FROM unit u"
                                   " LEFT JOIN unit p ON p.id = u.parent_id WHERE u.code = ?1");
    Status status = compare(l, q, unit, keys, sizeof keys / sizeof keys[0], &found);
    if (status != OK || found == SAME) return status;
    l->units++;
    return run(l, S("unit.save"), unit, "units", i);
}

static Status load_units(Load *l, Value units) {
    bool *done = arena_array(tx_arena(l->tx), bool, units.len + 1);
    uint32_t left = units.len;
    while (left) {
        uint32_t before = left;
        for (uint32_t i = 0; i < units.len; i++) {
            bool ready = false;
            if (done[i]) continue;
            Status status = parent_ready(l, v_at(units, i), &ready);
            if (status == OK && !ready) continue;
            if (status == OK) status = load_unit(l, v_at(units, i), i);
            if (status != OK) return status;
            done[i] = true;
            left--;
        }
        if (left == before) { // the first that waits for something nobody makes
            uint32_t i = 0;
            while (done[i]) i++;
            return run(l, S("unit.save"), v_at(units, i), "units", i);
        }
    }
    return OK;
}

static Status load_posts(Load *l, Value posts) {
    static const Str keys[] = {S_INIT("code"), S_INIT("unit"), S_INIT("name"), S_INIT("name_en")};
    for (uint32_t i = 0; i < posts.len; i++) {
        Found found;
        Query *q = query(tx_db(l->tx), "SELECT p.code, p.name, p.name_en, u.code AS unit"
                                       " FROM post p JOIN unit u ON u.id = p.unit_id"
                                       " WHERE p.code = ?1");
        Status status = compare(l, q, v_at(posts, i), keys, sizeof keys / sizeof keys[0], &found);
        if (status != OK) return status;
        if (found == SAME) continue;
        l->posts++;
        status = run(l, S("post.save"), v_at(posts, i), "posts", i);
        if (status != OK) return status;
    }
    return OK;
}

static Status read_account(Load *l, Value v, Account *ret) {
    TextRule name = {S("name"), "姓名", NAME_MAX, true};
    Account account = {0};
    Str unit, password = v_text(v_get_lit(v, "password"));
    Error err;
    Status status = input_login(v, &account.login, l->errs);
    if (status == OK) status = input_text(v, &name, &account.name, l->errs);
    if (status == OK) status = input_code(v, S("unit"), "单位", false, &unit, l->errs);
    if (status == OK) status = roles_from_value(v_get_lit(v, "roles"), &account.roles, l->errs);
    if (status != OK) return status;
    if (unit.len && unit_by_code(tx_db(l->tx), unit, &account.unit_id, &err) != OK) {
        return errors_add(l->errs, INVALID, S("unit"), "没有这个单位：{1}", unit);
    }
    if (!v_is_null(v_get_lit(v, "party"))) {
        Value party = v_get_lit(v, "party");
        status = party_find_or_add(l->tx, party, &account.party_id, l->errs);
    }
    if (status == OK) status = roles_fit(&account, account.roles, l->errs);
    if (status == OK) {
        status = password_allowed(password, account.login, S("password"), l->errs);
    }
    if (status != OK) return status;
    if (password_hash(password, tx_arena(l->tx), &account.password, &err) != OK) {
        return errors_push(l->errs, &err);
    }
    *ret = account;
    return OK;
}

static Status add_account(Load *l, Value v) {
    Account account;
    Status status = read_account(l, v, &account);
    if (status == OK) status = account_insert(l->tx, &account, &account.id, l->errs);
    if (status == OK) {
        status = account_posts_set(l->tx, account.id, v_get_lit(v, "posts"), l->errs);
    }
    if (status != OK) return status;
    Arena *a = tx_arena(l->tx);
    ContextBuilder c = context_make(a);
    context_put_lit(&c, "account_id", v_int(account.id));
    context_put_lit(&c, "login", v_str(account.login));
    context_put_lit(&c, "roles", roles_to_value(account.roles, a));
    l->accounts++;
    return account_event(l->tx, &actor_system, S("account.created"), context_done(&c), l->errs);
}

static Status load_accounts(Load *l, Value accounts) {
    for (uint32_t i = 0; i < accounts.len; i++) {
        Account there;
        Error err;
        Str login = str_trim(v_text(v_get_lit(v_at(accounts, i), "login")));
        Status status = account_by_login(tx_db(l->tx), login, tx_arena(l->tx), &there, &err);
        if (status == OK) continue;
        if (status != NOT_FOUND) return errors_push(l->errs, &err);
        size_t before = l->errs->count;
        status = add_account(l, v_at(accounts, i));
        if (status == OK) continue;
        place_errors(l, before, "accounts", i);
        return status;
    }
    return OK;
}

// Parties that must be there before anybody applies: the center itself, in whose name a bad rating
// is rectified.
static Status load_parties(Load *l, Value parties) {
    for (uint32_t i = 0; i < parties.len; i++) {
        int64_t id;
        size_t before = l->errs->count;
        Status status = party_find_or_add(l->tx, v_at(parties, i), &id, l->errs);
        if (status == OK) continue;
        place_errors(l, before, "parties", i);
        return status;
    }
    return OK;
}

// A member that has to be a list, and may be absent.
static Status list_of(Load *l, Value county, Str key, Value *ret) {
    Value v = v_get(county, key);
    if (!v_is_null(v) && v.kind != V_LIST) {
        return errors_add(l->errs, INVALID, key, "{1}应是一个列表", key);
    }
    if (v.len > LOAD_ITEMS_MAX) return errors_add(l->errs, LIMIT, key, "{1}太多", key);
    *ret = v.kind == V_LIST ? v : (Value){.kind = V_LIST};
    return OK;
}

Status people_load(Tx *tx, Value county, Value *ret_report, Errors *errs) {
    Load l = {.tx = tx, .errs = errs};
    Value units, posts, parties, accounts;
    Status status = list_of(&l, county, S("units"), &units);
    if (status == OK) status = list_of(&l, county, S("posts"), &posts);
    if (status == OK) status = list_of(&l, county, S("parties"), &parties);
    if (status == OK) status = list_of(&l, county, S("accounts"), &accounts);
    if (status == OK) status = load_units(&l, units);
    if (status == OK) status = load_posts(&l, posts);
    if (status == OK) status = load_parties(&l, parties);
    if (status == OK) status = load_accounts(&l, accounts);
    if (status != OK) return status;
    ContextBuilder c = context_make(tx_arena(tx));
    context_put_lit(&c, "units", v_int(l.units));
    context_put_lit(&c, "posts", v_int(l.posts));
    context_put_lit(&c, "accounts", v_int(l.accounts));
    *ret_report = context_done(&c);
    return OK;
}
