// Materials of a case (材料): what was needed, what was given, promised, waived or rejected.
#include "base/crypto.h"
#include "case/case_internal.h"

static Value find_by_code(Value list, Str code) {
    for (size_t i = 0; list.kind == V_LIST && i < list.len; i++) {
        Value v = v_at(list, i);
        if (str_eq(v.kind == V_STRING ? v_text(v) : v_text(v_get_lit(v, "code")), code)) return v;
    }
    return v_null();
}

static Status file_known(Tx *tx, Str hash, Errors *errs) {
    Query *q = query(tx_db(tx), "SELECT size FROM file WHERE hash = ?1");
    query_str(q, 1, hash);
    int64_t size;
    Error e = {.status = OK};
    Status st = query_one_int(q, &size, &e);
    if (st == NOT_FOUND) {
        return errors_add(errs, INVALID, S("materials"), "上传的文件不存在或已过期，请重新上传");
    }
    return st == OK ? OK : errors_push(errs, &e);
}

static Status insert(Tx *tx, int64_t case_id, Str code, Str name, MaterialState state, Value given,
                     Errors *errs) {
    Str hash = v_text(v_get_lit(given, "file_hash"));
    if (!str_empty(hash)) TRY_S(file_known(tx, hash, errs));
    Query *q = query(tx_db(tx), "INSERT INTO material (case_id, code, name, state, file_hash,"
                                " file_name, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    query_int(q, 1, case_id);
    query_str(q, 2, code);
    query_str(q, 3, name);
    query_int(q, 4, state);
    if (str_empty(hash)) query_null(q, 5);
    else query_str(q, 5, hash);
    query_str(q, 6, v_text(v_get_lit(given, "file_name")));
    query_int(q, 7, tx_now(tx));
    TRY_E(errs, query_run(q, NULL, &e));
    return OK;
}

// `given`: [{code, file_hash, file_name}] or codes ticked at the window; `listed`: the guide's
// materials, those needed and those that may be added.
Status materials_store(Tx *tx, const CaseRow *c, Value given, Value listed, Errors *errs) {
    for (size_t i = 0; i < listed.len; i++) {
        Value m = v_at(listed, i);
        Str code = v_text(v_get_lit(m, "code"));
        Value g = find_by_code(given, code);
        if (v_is_null(g) && !v_true(v_get_lit(m, "needed"))) continue;
        bool waived = v_true(v_get_lit(m, "waivable"));
        MaterialState state = !v_is_null(g) ? MATERIAL_GIVEN
                              : waived      ? MATERIAL_WAIVED
                                            : MATERIAL_MISSING;
        TRY_S(insert(tx, c->id, code, v_text(v_get_lit(m, "name")), state, g, errs));
    }
    for (size_t i = 0; i < given.len; i++) { // nothing that nobody asked for is kept
        Value g = v_at(given, i);
        Str code = g.kind == V_STRING ? v_text(g) : v_text(v_get_lit(g, "code"));
        if (v_is_null(find_by_code(listed, code))) {
            return errors_add(errs, INVALID, S("materials"), "材料“{1}”不在本事项所需材料之中",
                              code);
        }
    }
    return OK;
}

Status materials_read(Db *db, int64_t case_id, Arena *a, Value *ret, Error *err) {
    Query *q = query(db, "SELECT id, code, name, state, file_hash, file_name, promised_day, note"
                         " FROM material WHERE case_id = ?1 ORDER BY id");
    query_int(q, 1, case_id);
    return query_rows(q, a, ret, err);
}

Status material_set(Tx *tx, int64_t case_id, Str code, Str name, MaterialState state,
                    int64_t promised_day, Str note, Errors *errs) {
    Query *q = query(tx_db(tx), "UPDATE material SET state = ?1, promised_day = ?2, note = ?3"
                                " WHERE case_id = ?4 AND code = ?5");
    query_int(q, 1, state);
    query_int_or_null(q, 2, promised_day);
    query_str(q, 3, note);
    query_int(q, 4, case_id);
    query_str(q, 5, code);
    int64_t changed = 0;
    TRY_E(errs, query_run(q, &changed, &e));
    if (changed) return OK;
    return errors_add(errs, INVALID, S("materials"), "材料“{1}”不在本事项所需材料之中",
                      str_empty(name) ? code : name);
}

// After acceptance only what was missing, promised or rejected may still come: what an official
// has before him stays as it is.
Status material_give(Tx *tx, int64_t case_id, Value given, bool any, Errors *errs) {
    Str code = given.kind == V_STRING ? v_text(given) : v_text(v_get_lit(given, "code"));
    Str hash = v_text(v_get_lit(given, "file_hash"));
    if (!str_empty(hash)) TRY_S(file_known(tx, hash, errs));
    Query *q = query(tx_db(tx), "UPDATE material SET state = ?1, file_hash = ?2, file_name = ?3,"
                                " promised_day = NULL, note = '', created_at = ?4"
                                " WHERE case_id = ?5 AND code = ?6"
                                " AND (?10 = 1 OR state IN (?7, ?8, ?9))");
    query_int(q, 1, MATERIAL_GIVEN);
    if (str_empty(hash)) query_null(q, 2);
    else query_str(q, 2, hash);
    query_str(q, 3, v_text(v_get_lit(given, "file_name")));
    query_int(q, 4, tx_now(tx));
    query_int(q, 5, case_id);
    query_str(q, 6, code);
    query_int(q, 7, MATERIAL_MISSING);
    query_int(q, 8, MATERIAL_TOLERATED);
    query_int(q, 9, MATERIAL_REJECTED);
    query_int(q, 10, any);
    int64_t changed = 0;
    TRY_E(errs, query_run(q, &changed, &e));
    if (changed) return OK;
    return errors_add(errs, INVALID, S("materials"), "材料“{1}”不在需要补交的材料之中", code);
}
