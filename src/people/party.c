// Parties (办事主体): found by their number or made, shown masked, and registering themselves.
//
// Invariants: a number is in the table once, in capitals, and passes its check (GB 11643, GB
// 32100); the name on record is never changed by an application. What a record lacks (phone,
// address, contact) is filled in from the first application that has it.
#include "people/people_impl.h"

#include "form/form.h"

enum { NUMBER_MAX = 18, PHONE_MAX = 20, ADDRESS_SHOWN = 6 };

typedef struct Party {
    int64_t kind; // 1 natural, 2 legal
    Str name, id_number, phone, address, contact;
} Party;

static Status push_at(Errors *errs, const Error *e, Str where) {
    return errors_fill(errs, e->status, where, e->text, e->args);
}

static Str upper(Str s, Arena *a) {
    char *out = arena_alloc(a, s.len);
    for (size_t i = 0; i < s.len; i++) {
        bool small = s.ptr[i] >= 'a' && s.ptr[i] <= 'z';
        out[i] = small ? (char)(s.ptr[i] - 'a' + 'A') : s.ptr[i];
    }
    return str_of(out, s.len);
}

// Every wrong field is told, not only the first.
static Status read_party(Value v, Arena *a, Party *ret, Errors *errs) {
    Str kind = v_text(v_get_lit(v, "kind"));
    Party p = {.kind = str_eq(kind, S("legal")) ? 2 : 1};
    size_t before = errs->count;
    Error err;
    if (kind.len && p.kind == 1 && !str_eq(kind, S("natural"))) {
        errors_add(errs, INVALID, S("kind"), "办事主体应是自然人或法人");
    }
    const TextRule rules[] = {
        {S("name"), p.kind == 1 ? "姓名" : "单位名称", NAME_MAX, true},
        {S("id_number"), p.kind == 1 ? "身份证号码" : "统一社会信用代码", NUMBER_MAX, true},
        {S("phone"), "电话", PHONE_MAX, false},
        {S("address"), "地址", ADDRESS_MAX, false},
        {S("contact"), "联系人", NAME_MAX, false},
    };
    Str *texts[] = {&p.name, &p.id_number, &p.phone, &p.address, &p.contact};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        (void)!input_text(v, &rules[i], texts[i], errs);
    }
    p.id_number = upper(p.id_number, a);
    Status number = p.kind == 1 ? citizen_id_check(p.id_number, &err)
                                : credit_code_check(p.id_number, &err);
    if (p.id_number.len && number != OK) push_at(errs, &err, S("id_number"));
    if (p.phone.len && phone_check(p.phone, &err) != OK) push_at(errs, &err, S("phone"));
    if (errs->count > before) return errs->items[before].status;
    *ret = p;
    return OK;
}

static Status insert(Tx *tx, const Party *p, int64_t *ret_id, Error *err) {
    Query *q = query(tx_db(tx), "INSERT INTO party (kind, name, id_number, phone, address, contact,"
                                " created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id");
    query_int(q, 1, p->kind);
    query_str(q, 2, p->name);
    query_str(q, 3, p->id_number);
    query_str(q, 4, p->phone);
    query_str(q, 5, p->address);
    query_str(q, 6, p->contact);
    query_int(q, 7, tx_now(tx));
    return query_one_int(q, ret_id, err);
}

static Status fill_in(Tx *tx, int64_t id, const Party *p, Error *err) {
    Query *q = query(tx_db(tx), "UPDATE party SET"
                                " phone = CASE WHEN phone = '' THEN ?1 ELSE phone END,"
                                " address = CASE WHEN address = '' THEN ?2 ELSE address END,"
                                " contact = CASE WHEN contact = '' THEN ?3 ELSE contact END"
                                " WHERE id = ?4");
    query_str(q, 1, p->phone);
    query_str(q, 2, p->address);
    query_str(q, 3, p->contact);
    query_int(q, 4, id);
    return query_run(q, NULL, err);
}

static bool lacks(Str stored, Str given) { return stored.len == 0 && given.len > 0; }

Status party_find_or_add(Tx *tx, Value value, int64_t *ret_id, Errors *errs) {
    Party p = {0};
    Error err;
    Arena *a = tx_arena(tx);
    Status status = read_party(value, a, &p, errs);
    if (status != OK) return status;
    Query *q = query(tx_db(tx), "SELECT id, name, kind, phone, address, contact FROM party"
                                " WHERE id_number = ?1");
    query_str(q, 1, p.id_number);
    bool found = query_next(q);
    int64_t id = query_col_int(q, 0);
    Str name = query_col_keep(q, 1, a);
    bool same = str_eq(name, p.name) && query_col_int(q, 2) == p.kind;
    bool fill = found && (lacks(query_col_str(q, 3), p.phone) ||
                          lacks(query_col_str(q, 4), p.address) ||
                          lacks(query_col_str(q, 5), p.contact));
    status = query_done(q, &err);
    if (status == OK && found && !same) {
        return errors_add(errs, CONFLICT, S("name"), "这个证件号码登记的名称是“{1}”，与填写的不一致",
                          mask_name(name, a));
    }
    if (status == OK && !found) status = insert(tx, &p, &id, &err);
    if (status == OK && fill) status = fill_in(tx, id, &p, &err);
    if (status != OK) return errors_push(errs, &err);
    *ret_id = id;
    return OK;
}

// ---- showing ----

static Str mask_address(Str s, Arena *a) {
    size_t at = 0;
    for (int i = 0; i < ADDRESS_SHOWN && at < s.len; i++) (void)str_utf8_next(s, &at);
    return at < s.len ? arena_printf(a, "%.*s****", S_FMT(str_sub(s, 0, at))) : s;
}

Status party_view(Db *db, int64_t id, bool unmasked, Arena *a, Value *ret, Error *err) {
    Query *q = query(db, "SELECT id, kind, name, id_number, phone, address, contact FROM party"
                         " WHERE id = ?1");
    query_int(q, 1, id);
    Value row;
    Status status = query_row(q, a, &row, err);
    if (status != OK) return status;
    bool natural = v_to_int(v_get_lit(row, "kind"), 1) == 1;
    Str number = v_text(v_get_lit(row, "id_number")), phone = v_text(v_get_lit(row, "phone"));
    Str address = v_text(v_get_lit(row, "address")), contact = v_text(v_get_lit(row, "contact"));
    if (!unmasked) {
        phone = mask_phone(phone, a);
        contact = mask_name(contact, a);
        if (natural) { // a firm's number and seat are public
            number = mask_id(number, a);
            address = mask_address(address, a);
        }
    }
    ContextBuilder c = context_make(a);
    context_put_lit(&c, "id", v_int(id));
    context_put_lit(&c, "kind", natural ? v_lit("natural") : v_lit("legal"));
    context_put_lit(&c, "name", v_get_lit(row, "name"));
    context_put_lit(&c, "id_number", v_str(number));
    context_put_lit(&c, "phone", v_str(phone));
    context_put_lit(&c, "address", v_str(address));
    context_put_lit(&c, "contact", v_str(contact));
    *ret = context_done(&c);
    return OK;
}

// ---- registering ----

// Whose number an office or an agent has written down already is not let in for knowing it: behind
// the account would be his cases. Nothing of the record is told, not even the masked name.
static Status must_be_unknown(Tx *tx, Value input, Errors *errs) {
    Str number = upper(str_trim(v_text(v_get_lit(input, "id_number"))), tx_arena(tx));
    Query *q = query(tx_db(tx), "SELECT COUNT(*), COUNT(a.id) FROM party p LEFT JOIN account a"
                                " ON a.party_id = p.id WHERE p.id_number = ?1");
    query_str(q, 1, number);
    int64_t known = 0, accounts = 0;
    if (query_next(q)) {
        known = query_col_int(q, 0);
        accounts = query_col_int(q, 1);
    }
    Error err;
    if (query_done(q, &err) != OK) return errors_push(errs, &err);
    if (accounts) {
        return errors_add(errs, CONFLICT, S("id_number"),
                          "这个证件号码已有账号，请直接登录或到窗口找回密码");
    }
    if (known) {
        return errors_add(errs, CONFLICT, S("id_number"),
                          "这个证件号码已有办事记录，请用统一身份认证登录，或持证件到窗口开通账号");
    }
    return OK;
}

// {login, password, kind, name, id_number, phone, address, contact} → {account_id, party_id}.
static Status register_party(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    (void)actor;
    Account account = {.roles = ROLE_CITIZEN};
    size_t before = errs->count;
    Status known = must_be_unknown(tx, input, errs);
    if (known != OK) return known;
    (void)!input_login(input, &account.login, errs);
    (void)!party_find_or_add(tx, input, &account.party_id, errs);
    if (errs->count > before) return errs->items[before].status;
    account.name = str_trim(v_text(v_get_lit(input, "name")));
    account.password = v_text(v_get_lit(input, "password_encoded"));
    Status status = account_insert(tx, &account, &account.id, errs);
    if (status != OK) return status;
    ContextBuilder c = context_make(tx_arena(tx));
    context_put_lit(&c, "account_id", v_int(account.id));
    context_put_lit(&c, "party_id", v_int(account.party_id));
    *ret = context_done(&c);
    Event e = {.kind = S("party.registered"), .actor_id = account.id, .data = *ret};
    return event_append(tx, &e, errs);
}

void party_register(void) {
    static const Command table[] = {
        {S_INIT("party.register"), ROLE_PUBLIC, register_party},
    };
    commands_register(table, sizeof table / sizeof table[0]);
}
