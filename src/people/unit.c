// Units (单位) and posts (岗位).
//
// Invariant: a unit is not its own parent, at any distance; UNIT_DEPTH_MAX levels at most.
#include "people/people_impl.h"

#include "form/form.h"

enum { UNIT_DEPTH_MAX = 20 };

static Status id_by_code(Query *q, Str code, const char *lacking, int64_t *ret, Error *err) {
    query_str(q, 1, code);
    Status status = query_one_int(q, ret, err);
    if (status != NOT_FOUND) return status;
    return error_fill(err, NOT_FOUND, S("code"), lacking, (Str[ERROR_ARGS]){code});
}

Status unit_by_code(Db *db, Str code, int64_t *ret, Error *err) {
    return id_by_code(query(db, "SELECT id FROM unit WHERE code = ?1"), code, "没有这个单位：{1}",
                      ret, err);
}

Status post_by_code(Db *db, Str code, int64_t *ret, Error *err) {
    return id_by_code(query(db, "SELECT id FROM post WHERE code = ?1"), code, "没有这个岗位：{1}",
                      ret, err);
}

Status unit_list(Db *db, Arena *a, Value *ret, Error *err) {
    return query_rows(query(db, "SELECT id, code, name, name_en, kind, parent_id, sort FROM unit"
                                " ORDER BY sort, code"), a, ret, err);
}

Status post_list(Db *db, Arena *a, Value *ret, Error *err) {
    return query_rows(query(db, "SELECT id, code, unit_id, name, name_en FROM post ORDER BY code"),
                      a, ret, err);
}

static bool kind_known(Str kind) {
    return str_eq(kind, S("department")) || str_eq(kind, S("town")) || str_eq(kind, S("center")) ||
           str_eq(kind, S("agency"));
}

// The parent's id, 0 for none; refuses a circle.
static Status parent_of(Tx *tx, Str code, Str parent, int64_t *ret, Errors *errs) {
    Error err;
    int64_t id = 0, at = 0;
    if (parent.len == 0) {
        *ret = 0;
        return OK;
    }
    if (unit_by_code(tx_db(tx), parent, &id, &err) != OK) {
        return errors_add(errs, INVALID, S("parent"), "没有这个单位：{1}", parent);
    }
    at = id;
    for (int depth = 0; at; depth++) {
        Query *q = query(tx_db(tx), "SELECT COALESCE(parent_id, 0), code = ?2 FROM unit"
                                    " WHERE id = ?1");
        query_int(q, 1, at);
        query_str(q, 2, code);
        bool found = query_next(q);
        int64_t up = query_col_int(q, 0);
        bool same = query_col_int(q, 1) != 0;
        Status status = query_done(q, &err);
        if (status != OK) return errors_push(errs, &err);
        if (!found || same || depth >= UNIT_DEPTH_MAX) {
            return errors_add(errs, INVALID, S("parent"), "上级单位不能是自己或自己的下级");
        }
        at = up;
    }
    *ret = id;
    return OK;
}

// {code, name, name_en?, kind, uscc?, parent?, sort?}: made, or changed when the code is known.
static Status unit_save(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Str code, name, name_en, uscc, parent, kind = v_text(v_get_lit(input, "kind"));
    const TextRule rules[] = {{S("name"), "单位名称", NAME_MAX, true},
                              {S("name_en"), "英文名称", NAME_MAX * 2, false}};
    Error err;
    int64_t parent_id = 0, id = 0;
    Status status = input_code(input, S("code"), "单位代码", true, &code, errs);
    if (status == OK) status = input_text(input, &rules[0], &name, errs);
    if (status == OK) status = input_text(input, &rules[1], &name_en, errs);
    if (status == OK) {
        status = input_code(input, S("uscc"), "统一社会信用代码", false, &uscc, errs);
    }
    if (status == OK) status = input_code(input, S("parent"), "上级单位", false, &parent, errs);
    if (status != OK) return status;
    if (!kind_known(kind)) return errors_add(errs, INVALID, S("kind"), "没有这种单位：{1}", kind);
    if (uscc.len && credit_code_check(uscc, &err) != OK) {
        return errors_fill(errs, err.status, S("uscc"), err.text, err.args);
    }
    status = parent_of(tx, code, parent, &parent_id, errs);
    if (status != OK) return status;
    Query *q = query(tx_db(tx), "INSERT INTO unit (code, name, name_en, kind, uscc, parent_id,"
                                " sort)"
                                " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (code) DO UPDATE"
                                " SET name = excluded.name, name_en = excluded.name_en,"
                                " kind = excluded.kind, uscc = excluded.uscc,"
                                " parent_id = excluded.parent_id, sort = excluded.sort"
                                " RETURNING id");
    query_str(q, 1, code);
    query_str(q, 2, name);
    query_str(q, 3, name_en);
    query_str(q, 4, kind);
    query_str(q, 5, uscc);
    query_int_or_null(q, 6, parent_id);
    query_int(q, 7, v_to_int(v_get_lit(input, "sort"), 0));
    if (query_one_int(q, &id, &err) != OK) return errors_push(errs, &err);
    ContextBuilder c = context_make(tx_arena(tx));
    context_put_lit(&c, "unit_id", v_int(id));
    context_put_lit(&c, "code", v_str(code));
    context_put_lit(&c, "name", v_str(name));
    *ret = context_done(&c);
    return account_event(tx, actor, S("unit.saved"), *ret, errs);
}

// {code, unit, name, name_en?}
static Status post_save(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Str code, unit, name, name_en;
    const TextRule rules[] = {{S("name"), "岗位名称", NAME_MAX, true},
                              {S("name_en"), "英文名称", NAME_MAX * 2, false}};
    Error err;
    int64_t unit_id = 0, id = 0;
    Status status = input_code(input, S("code"), "岗位代码", true, &code, errs);
    if (status == OK) status = input_code(input, S("unit"), "单位", true, &unit, errs);
    if (status == OK) status = input_text(input, &rules[0], &name, errs);
    if (status == OK) status = input_text(input, &rules[1], &name_en, errs);
    if (status != OK) return status;
    if (unit_by_code(tx_db(tx), unit, &unit_id, &err) != OK) {
        return errors_add(errs, INVALID, S("unit"), "没有这个单位：{1}", unit);
    }
    Query *q = query(tx_db(tx), "INSERT INTO post (code, unit_id, name, name_en)"
                                " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (code) DO UPDATE"
                                " SET unit_id = excluded.unit_id, name = excluded.name,"
                                " name_en = excluded.name_en RETURNING id");
    query_str(q, 1, code);
    query_int(q, 2, unit_id);
    query_str(q, 3, name);
    query_str(q, 4, name_en);
    if (query_one_int(q, &id, &err) != OK) return errors_push(errs, &err);
    ContextBuilder c = context_make(tx_arena(tx));
    context_put_lit(&c, "post_id", v_int(id));
    context_put_lit(&c, "code", v_str(code));
    context_put_lit(&c, "name", v_str(name));
    *ret = context_done(&c);
    return account_event(tx, actor, S("post.saved"), *ret, errs);
}

void unit_register(void) {
    static const Command table[] = {
        {S_INIT("unit.save"), ROLE_SYSADMIN | ROLE_SYSTEM, unit_save},
        {S_INIT("post.save"), ROLE_SYSADMIN | ROLE_SYSTEM, post_save},
    };
    commands_register(table, sizeof table / sizeof table[0]);
}

void people_register(void) {
    unit_register();
    party_register();
    enroll_register();
    account_register();
}
