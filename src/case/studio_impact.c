// What publishing a draft touches: running cases (they stay on their version), applications begun
// in the portal, bundles that open this item, items whose packs name it or hold the same files; and
// what changes for applicants, in words.
//
// Only whole packs are looked into: imported items share one that names no other item.
#include "case/studio_internal.h"

#define T(text) ("" text) // see web/app.h

typedef struct Impact {
    Db *db;
    Arena *arena;
    Str code;
    Value before, files;
    ListBuilder bundles, mentions, sharing, applicants;
} Impact;

// ---- cases and saved applications ----

static Status versions_read(const Impact *m, ContextBuilder *b, Error *err) {
    ListBuilder list = list_make(m->arena);
    int64_t running = 0;
    Query *q = query(m->db, "SELECT v.version, (SELECT COUNT(*) FROM cases c WHERE"
                            " c.item_version_id = v.id AND c.decided_at IS NULL AND c.closed_at IS"
                            " NULL), CASE WHEN i.version_id = v.id THEN 1 ELSE 0 END,"
                            " (SELECT COUNT(*) FROM draft d WHERE d.item_version_id = v.id)"
                            " FROM item_version v JOIN item i ON i.id = v.item_id"
                            " WHERE i.code = ?1 ORDER BY v.version DESC LIMIT ?2");
    query_str(q, 1, m->code);
    query_int(q, 2, STUDIO_LIST_MAX);
    int64_t saved = 0;
    while (query_next(q)) {
        saved += query_col_int(q, 3);
        if (query_col_int(q, 1) == 0 && query_col_int(q, 2) == 0) continue;
        ContextBuilder row = context_make(m->arena);
        context_put_lit(&row, "version", v_int(query_col_int(q, 0)));
        context_put_lit(&row, "running", v_int(query_col_int(q, 1)));
        context_put_lit(&row, "current", v_bool(query_col_int(q, 2) != 0));
        running += query_col_int(q, 1);
        list_add(&list, context_done(&row));
    }
    context_put_lit(b, "versions", list_done(&list));
    context_put_lit(b, "running", v_int(running));
    context_put_lit(b, "saved", v_int(saved));
    return query_done(q, err);
}

static Status shares_read(const Impact *m, ContextBuilder *b, Error *err) {
    int64_t shares = 0;
    Str pack = S("");
    Value parsed;
    Query *q = query(m->db, "SELECT v.pack_json FROM item i JOIN item_version v ON v.id ="
                            " i.version_id WHERE i.code = ?1");
    query_str(q, 1, m->code);
    if (query_next(q)) pack = query_col_keep(q, 0, m->arena);
    Status st = query_done(q, err);
    if (st == OK && str_starts(pack, S("{\"base\""))) {
        st = json_parse(pack, JSON_STRICT, (JsonLimits){0}, m->arena, &parsed, err);
        if (st != OK) return st;
        Str parts[] = {S("{\"base\":\""), v_text(v_get_lit(parsed, "base")), S("\"%")};
        q = query(m->db, "SELECT COUNT(*) FROM item i JOIN item_version v ON v.id = i.version_id"
                         " WHERE v.pack_json LIKE ?1");
        query_str(q, 1, arena_concat(m->arena, parts, 3));
        st = query_one_int(q, &shares, err);
    }
    context_put_lit(b, "shares", v_int(shares > 0 ? shares - 1 : 0));
    return st;
}

// ---- other items ----

static bool opens(const Impact *m, Value files) {
    Str attribute[] = {S("yz:item=\""), m->code, S("\"")};
    Str part[] = {S("\"code\": \""), m->code, S("\"")};
    Str tight[] = {S("\"code\":\""), m->code, S("\"")};
    Str spec = v_text(v_get_lit(files, "item.json"));
    return str_find(v_text(v_get_lit(files, "flow.bpmn")),
                    arena_concat(m->arena, attribute, 3)) >= 0 ||
           str_find(spec, arena_concat(m->arena, part, 3)) >= 0 ||
           str_find(spec, arena_concat(m->arena, tight, 3)) >= 0;
}

static bool names_it(const Impact *m, Value files) {
    for (uint32_t i = 0; i < files.len; i++) {
        if (str_find(v_text(files.as.entries[i].value), m->code) >= 0) return true;
    }
    return false;
}

// Files that are the same to the byte in both packs, and change with the draft.
static Value same_files(const Impact *m, Value files) {
    ListBuilder list = list_make(m->arena);
    for (uint32_t i = 0; m->before.kind == V_CONTEXT && i < m->before.len; i++) {
        const Entry *f = &m->before.as.entries[i];
        bool same = v_equal(v_get(files, f->key), f->value);
        if (same && !v_equal(v_get(m->files, f->key), f->value)) list_add(&list, v_str(f->key));
    }
    return list_done(&list);
}

static void look_into(Impact *m, Str code, Str name, Str name_en, Value files) {
    ContextBuilder b = context_make(m->arena);
    Value same = same_files(m, files);
    context_put_lit(&b, "code", v_str(code));
    context_put_lit(&b, "name", v_str(name));
    context_put_lit(&b, "name_en", v_str(name_en));
    context_put_lit(&b, "files", same);
    Value row = context_done(&b);
    if (opens(m, files)) list_add(&m->bundles, row);
    else if (names_it(m, files)) list_add(&m->mentions, row);
    if (same.len) list_add(&m->sharing, row);
}

static Status others_read(Impact *m, Error *err) {
    Status st = OK;
    Query *q = query(m->db, "SELECT i.code, i.name, i.name_en, v.pack_json FROM item i"
                            " JOIN item_version v ON v.id = i.version_id WHERE i.code <> ?1"
                            " AND i.state = 1 AND v.pack_json LIKE '{\"files\"%'"
                            " ORDER BY i.code LIMIT ?2");
    query_str(q, 1, m->code);
    query_int(q, 2, STUDIO_LIST_MAX);
    while (st == OK && query_next(q)) {
        // Packs are large and looked at one by one; what is kept is copied out.
        ARENA_AUTO work = arena_create(STUDIO_MEMORY_MAX);
        Value pack;
        st = json_parse(query_col_str(q, 3), JSON_STRICT,
                        (JsonLimits){.size_max = 2 * PACK_SIZE_MAX}, work, &pack, err);
        if (st != OK) break;
        look_into(m, query_col_keep(q, 0, m->arena), query_col_keep(q, 1, m->arena),
                  query_col_keep(q, 2, m->arena), v_get_lit(pack, "files"));
    }
    Status done = query_done(q, st == OK ? err : NULL);
    return st == OK ? done : st;
}

// ---- what applicants notice ----

static void notice(Impact *m, const char *text, Str first, Str second, Str third) {
    ListBuilder args = list_make(m->arena);
    list_add(&args, v_str(first));
    list_add(&args, v_str(second));
    list_add(&args, v_str(third));
    ContextBuilder b = context_make(m->arena);
    context_put_lit(&b, "text", v_str(str_z(text)));
    context_put_lit(&b, "args", list_done(&args));
    list_add(&m->applicants, context_done(&b));
}

static Value spec_of(const Impact *m, Value files, const char *path) {
    Value spec;
    Error e = {.status = OK};
    Str text = v_text(v_get(files, str_z(path)));
    if (json_parse(text, JSON_LAX, (JsonLimits){0}, m->arena, &spec, &e) != OK) return v_null();
    return spec;
}

static Value by_member(Value list, const char *member, Value wanted) {
    for (uint32_t i = 0; list.kind == V_LIST && i < list.len; i++) {
        if (v_equal(v_get(v_at(list, i), str_z(member)), wanted)) return v_at(list, i);
    }
    return v_null();
}

static void number_notice(Impact *m, Value before, Value after, Str member, const char *text) {
    Value old = v_get(before, member), new = v_get(after, member);
    if (v_is_null(old) || v_is_null(new) || v_equal(old, new)) return;
    notice(m, text, v_to_str(old, m->arena), v_to_str(new, m->arena), S(""));
}

// One-sided members of two lists of contexts.
static void list_notice(Impact *m, Value before, Value after, const char *key, const char *label,
                        const char *come, const char *gone) {
    for (uint32_t i = 0; after.kind == V_LIST && i < after.len; i++) {
        Value one = v_at(after, i);
        if (v_is_null(by_member(before, key, v_get(one, str_z(key))))) {
            notice(m, come, v_text(v_get(one, str_z(label))), S(""), S(""));
        }
    }
    for (uint32_t i = 0; before.kind == V_LIST && i < before.len; i++) {
        Value one = v_at(before, i);
        if (v_is_null(by_member(after, key, v_get(one, str_z(key))))) {
            notice(m, gone, v_text(v_get(one, str_z(label))), S(""), S(""));
        }
    }
}

static void materials_notice(Impact *m, Value before, Value after) {
    list_notice(m, before, after, "code", "name", T("新增材料“{1}”"), T("不再要材料“{1}”"));
    for (uint32_t i = 0; after.kind == V_LIST && i < after.len; i++) {
        Value new = v_at(after, i), old = by_member(before, "code", v_get_lit(new, "code"));
        if (v_is_null(old)) continue;
        Str name = v_text(v_get_lit(new, "name"));
        bool was = v_true(v_get_lit(old, "required")), is = v_true(v_get_lit(new, "required"));
        if (was != is) {
            notice(m, is ? T("材料“{1}”改为必须提交") : T("材料“{1}”改为可以不交"), name, S(""), S(""));
        }
        was = v_true(v_get_lit(old, "tolerable"));
        is = v_true(v_get_lit(new, "tolerable"));
        if (was != is) notice(m, is ? T("材料“{1}”可以容缺") : T("材料“{1}”不再可以容缺"), name, S(""), S(""));
        was = v_true(v_get_lit(old, "waivable"));
        is = v_true(v_get_lit(new, "waivable"));
        if (was != is) notice(m, is ? T("材料“{1}”可以免提交") : T("材料“{1}”不再免提交"), name, S(""), S(""));
    }
}

// All fields of all steps in one list.
static Value fields_of(const Impact *m, Value form) {
    ListBuilder list = list_make(m->arena);
    Value steps = v_get_lit(form, "steps");
    for (uint32_t i = 0; steps.kind == V_LIST && i < steps.len; i++) {
        Value fields = v_get_lit(v_at(steps, i), "fields");
        for (uint32_t k = 0; fields.kind == V_LIST && k < fields.len; k++) {
            list_add(&list, v_at(fields, k));
        }
    }
    return list_done(&list);
}

static void applicants_read(Impact *m) {
    Value old = spec_of(m, m->before, "item.json"), new = spec_of(m, m->files, "item.json");
    if (v_is_null(old) || v_is_null(new)) return;
    Str was = v_text(v_get_lit(old, "name")), is = v_text(v_get_lit(new, "name"));
    if (!str_eq(was, is)) notice(m, T("名称由“{1}”改为“{2}”"), was, is, S(""));
    number_notice(m, old, new, S("promised_days"), T("承诺时限由 {1} 个工作日改为 {2} 个"));
    number_notice(m, old, new, S("statutory_days"), T("法定时限由 {1} 个工作日改为 {2} 个"));
    number_notice(m, old, new, S("visits"), T("到现场次数由 {1} 次改为 {2} 次"));
    materials_notice(m, v_get_lit(old, "materials"), v_get_lit(new, "materials"));
    list_notice(m, v_get_lit(old, "questions"), v_get_lit(new, "questions"), "name", "label",
                T("新增问题“{1}”"), T("不再问“{1}”"));
    Value form = spec_of(m, m->before, "form.json"), now = spec_of(m, m->files, "form.json");
    list_notice(m, fields_of(m, form), fields_of(m, now), "name", "label", T("表单新增“{1}”"),
                T("表单去掉“{1}”"));
}

static Value files_list(const Impact *m) {
    Value paths = studio_changed_paths(m->before, m->files, m->arena);
    ListBuilder list = list_make(m->arena);
    for (uint32_t i = 0; i < paths.len; i++) {
        Str path = v_text(v_at(paths, i));
        ContextBuilder b = context_make(m->arena);
        context_put_lit(&b, "path", v_str(path));
        if (!v_has(m->before, path)) context_put_lit(&b, "change", v_lit("added"));
        else if (!v_has(m->files, path)) context_put_lit(&b, "change", v_lit("removed"));
        else context_put_lit(&b, "change", v_lit("changed"));
        list_add(&list, context_done(&b));
    }
    return list_done(&list);
}

Status studio_impact(Db *db, Str code, Value before, Value files, Arena *a, Value *ret,
                     Error *err) {
    Impact m = {.db = db, .arena = a, .code = code, .before = before, .files = files,
                .bundles = list_make(a), .mentions = list_make(a), .sharing = list_make(a),
                .applicants = list_make(a)};
    ContextBuilder b = context_make(a);
    Status st = versions_read(&m, &b, err);
    if (st == OK) st = shares_read(&m, &b, err);
    if (st == OK) st = others_read(&m, err);
    if (st != OK) return st;
    applicants_read(&m);
    context_put_lit(&b, "bundles", list_done(&m.bundles));
    context_put_lit(&b, "mentions", list_done(&m.mentions));
    context_put_lit(&b, "sharing", list_done(&m.sharing));
    context_put_lit(&b, "applicants", list_done(&m.applicants));
    context_put_lit(&b, "files", files_list(&m));
    *ret = context_done(&b);
    return OK;
}
