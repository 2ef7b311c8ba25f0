// The command item.import: lines of a catalogue become items that share the generic pack.
//
// A line is good or bad by itself: a bad one is reported by its number and leaves the rest
// untouched. What a line gives: code, name and department (found by its social credit code or its
// name; made, with its posts, when missing). `task_types` of the pack gives the rest by the
// national code of the kind of power.
#include "base/crypto.h"
#include "case/item_internal.h"

enum { IMPORT_LINES_MAX = 2000, UNIT_SORT = 500, BAD_MAX = 500, UNIT_NAME_MAX = 200 };

typedef struct Import {
    Tx *tx;
    Arena *arena;
    const Actor *actor;
    Errors *errs; // of the command; faults of lines go to `bad`
    Item base;
    Str base_digest;
    Str region;
    ListBuilder bad, codes;
    int64_t loaded, unchanged, units_made;
} Import;

// {line, text, args}: said in words by whoever shows it.
static void line_bad(Import *m, int64_t line, const Error *e) {
    if (m->bad.len >= BAD_MAX) return;
    ListBuilder args = list_make(m->arena);
    for (size_t i = 0; i < ERROR_ARGS; i++) list_add(&args, v_str(arena_str(m->arena, e->args[i])));
    ContextBuilder b = context_make(m->arena);
    context_put_lit(&b, "line", v_int(line));
    context_put_lit(&b, "where", v_str(arena_str(m->arena, e->where)));
    context_put_lit(&b, "text", v_str(str_z(e->text)));
    context_put_lit(&b, "args", list_done(&args));
    list_add(&m->bad, context_done(&b));
}

// ---- departments ----

static Status unit_find(Import *m, const char *sql, Str key, int64_t *ret_id, Str *ret_code) {
    Error e = {.status = OK};
    Query *q = query(tx_db(m->tx), sql);
    query_str(q, 1, key);
    if (query_next(q)) {
        *ret_id = query_col_int(q, 0);
        *ret_code = query_col_keep(q, 1, m->arena);
    }
    return query_done(q, &e) == OK ? OK : errors_push(m->errs, &e);
}

// A command of the people room, as the same actor, in the same transaction.
static Status save(Import *m, Str command, Value input, Value *ret, Errors *errs) {
    const Command *c = command_find(command);
    if (!c) return errors_add(errs, BROKEN, command, "没有指令“{1}”", command);
    return command_in_tx(m->tx, c, m->actor, input, ret, errs);
}

static Status posts_make(Import *m, Str unit_code) {
    static const struct {
        Str code, name, name_en;
    } posts[] = {
        {S_INIT("-SL"), S_INIT("受理岗"), S_INIT("Intake")},
        {S_INIT("-SC"), S_INIT("审查岗"), S_INIT("Review")},
        {S_INIT("-SP"), S_INIT("审批岗"), S_INIT("Approval")},
        {S_INIT("-JC"), S_INIT("核查岗"), S_INIT("Inspection")},
        {S_INIT("-JD"), S_INIT("督查岗"), S_INIT("Supervision")},
    };
    for (size_t i = 0; i < sizeof posts / sizeof *posts; i++) {
        Str code = arena_concat(m->arena, (Str[]){unit_code, posts[i].code}, 2);
        ContextBuilder b = context_make(m->arena);
        Value ignored;
        context_put_lit(&b, "code", v_str(code));
        context_put_lit(&b, "unit", v_str(unit_code));
        context_put_lit(&b, "name", v_str(posts[i].name));
        context_put_lit(&b, "name_en", v_str(posts[i].name_en));
        Status st = save(m, S("post.save"), context_done(&b), &ignored, m->errs);
        if (st != OK) return st;
    }
    return OK;
}

static Status unit_make(Import *m, Str name, Str uscc, int64_t *ret_id, Str *ret_code) {
    Arena *a = m->arena;
    Hash h = sha256(name);
    Str key = uscc.len > 0 ? uscc : str_sub(hash_hex(&h, a), 0, 10);
    Str code = arena_concat(a, (Str[]){m->region, S("-"), key}, 3);
    Value made;
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "code", v_str(code));
    context_put_lit(&b, "name", v_str(name));
    context_put_lit(&b, "kind", v_lit("department"));
    context_put_lit(&b, "uscc", v_str(uscc));
    context_put_lit(&b, "sort", v_int(UNIT_SORT));
    Status st = save(m, S("unit.save"), context_done(&b), &made, m->errs);
    if (st == OK) st = posts_make(m, code);
    if (st != OK) return st;
    m->units_made++;
    *ret_id = v_to_int(v_get_lit(made, "unit_id"), 0);
    *ret_code = code;
    return OK;
}

static Status unit_of_line(Import *m, Value line, int64_t *ret_id, Str *ret_code) {
    Str name = v_text(v_get_lit(line, "department")), uscc = v_text(v_get_lit(line, "dept_code"));
    Error e = {.status = OK};
    if (credit_code_check(uscc, &e) != OK) uscc = S(""); // other numbers of departments are about
    int64_t id = 0;
    Str code = S("");
    Status st = OK;
    if (uscc.len > 0) {
        st = unit_find(m, "SELECT id, code FROM unit WHERE uscc = ?1 ORDER BY sort, id LIMIT 1",
                       uscc, &id, &code);
    }
    if (st == OK && id == 0) {
        st = unit_find(m, "SELECT id, code FROM unit WHERE name = ?1 ORDER BY sort, id LIMIT 1",
                       name, &id, &code);
    }
    if (st == OK && id == 0) st = unit_make(m, name, uscc, &id, &code);
    if (st != OK) return st;
    *ret_id = id;
    *ret_code = code;
    return OK;
}

// ---- a line ----

static bool line_check(Import *m, Value line, Value lines, uint32_t at, Value *ret_type, Error *e) {
    Str code = v_text(v_get_lit(line, "item_code")), name = v_text(v_get_lit(line, "name"));
    Str department = v_text(v_get_lit(line, "department"));
    Str type = v_text(v_get_lit(line, "task_type"));
    if (!pack_code_valid(code)) {
        (void)error_set(e, INVALID, S("item_code"), "实施编码“{1}”写法不对", code);
        return false;
    }
    if (name.len == 0 || name.len > ITEM_NAME_MAX || !str_utf8_valid(name)) {
        (void)error_set(e, INVALID, S("name"), "事项名称为空或过长");
        return false;
    }
    if (department.len == 0 || department.len > UNIT_NAME_MAX || !str_utf8_valid(department)) {
        (void)error_set(e, INVALID, S("department"), "部门名称为空或过长");
        return false;
    }
    Value kind = v_get(v_get_lit(m->base.spec, "task_types"), type);
    if (kind.kind != V_CONTEXT) {
        (void)error_set(e, INVALID, S("task_type"), "事项类型“{1}”不能作为申请事项导入", type);
        return false;
    }
    for (uint32_t i = 0; i < at; i++) {
        if (!str_eq(v_text(v_get_lit(v_at(lines, i), "item_code")), code)) continue;
        (void)error_set(e, INVALID, S("item_code"), "实施编码“{1}”在目录里出现两次", code);
        return false;
    }
    *ret_type = kind;
    return true;
}

// What the item says differently from the generic pack.
static Value overrides_of(Import *m, Value line, Value type, Str unit_code) {
    ContextBuilder b = context_make(m->arena);
    context_put(&b, S("code"), v_get_lit(line, "item_code"));
    context_put(&b, S("name"), v_get_lit(line, "name"));
    Str name_en = v_text(v_get_lit(line, "name_en"));
    context_put(&b, S("name_en"), v_str(name_en)); // never the generic pack's
    context_put(&b, S("unit"), v_str(unit_code));
    for (uint32_t i = 0; i < type.len; i++) {
        context_put(&b, type.as.entries[i].key, type.as.entries[i].value);
    }
    static const Str optional[] = {S_INIT("main_item"), S_INIT("life_event")};
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        Str text = v_text(v_get(line, optional[i]));
        if (text.len > 0) context_put(&b, optional[i], v_str(text));
    }
    return context_done(&b);
}

static Status publish_line(Import *m, Value overrides, int64_t unit_id, const Item *item) {
    Arena *a = m->arena;
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "base", v_str(m->base_digest));
    context_put_lit(&b, "overrides", overrides);
    Str pack = json_to_str(context_done(&b), a);
    Hash h = sha256(pack);
    Publish p = {.item = item, .digest = hash_hex(&h, a), .pack_json = pack, .unit_id = unit_id};
    int32_t version = 0;
    bool fresh = false;
    Status st = item_publish_version(m->tx, m->actor, &p, &version, &fresh, m->errs);
    if (st != OK) return st;
    if (fresh) list_add(&m->codes, v_str(item->code));
    m->loaded += fresh;
    m->unchanged += !fresh;
    return OK;
}

static Status import_line(Import *m, Value lines, uint32_t at) {
    Value line = v_at(lines, at), type = v_null();
    int64_t number = v_to_int(v_get_lit(line, "line"), at + 1);
    Error e = {.status = OK};
    if (!line_check(m, line, lines, at, &type, &e)) {
        line_bad(m, number, &e);
        return OK;
    }
    int64_t unit_id = 0;
    Str unit_code = S("");
    Status st = unit_of_line(m, line, &unit_id, &unit_code);
    if (st != OK) return st;
    Value overrides = overrides_of(m, line, type, unit_code);
    Errors faults = errors_make(m->arena);
    Item item = m->base;
    if (item_spec_read(v_merge(m->base.spec, overrides, m->arena), m->arena, &item, &faults) !=
        OK) {
        if (faults.count) line_bad(m, number, &faults.items[0]);
        return OK;
    }
    return publish_line(m, overrides, unit_id, &item);
}

// ---- the command ----

// The pack that all lines share, stored once for each content.
static Status base_open(Import *m, Value files) {
    Arena *a = m->arena;
    Error e = {.status = OK};
    if (files.kind != V_CONTEXT && pack_read_embedded(S("packs/generic"), a, &files, &e) != OK) {
        return errors_push(m->errs, &e);
    }
    Status st = pack_compile(files, a, &m->base, m->errs);
    if (st != OK) return st;
    Value all = pack_with_letters(files, a);
    m->base_digest = pack_digest(all, a);
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "files", all);
    Query *q = query(tx_db(m->tx), "INSERT INTO pack_base (digest, pack_json) VALUES (?1, ?2) "
                                   "ON CONFLICT (digest) DO NOTHING");
    query_str(q, 1, m->base_digest);
    query_str(q, 2, json_to_str(context_done(&b), a));
    return query_run(q, NULL, &e) == OK ? OK : errors_push(m->errs, &e);
}

static Status imported_event(Import *m) {
    if (m->loaded == 0 && m->units_made == 0) return OK; // nothing was changed
    ContextBuilder b = context_make(m->arena);
    context_put_lit(&b, "base", v_str(m->base_digest));
    context_put_lit(&b, "loaded", v_int(m->loaded));
    context_put_lit(&b, "units_made", v_int(m->units_made));
    // The codes themselves may be too many for an event; the digest binds it to them.
    Hash h = sha256(json_to_str(list_done(&m->codes), m->arena));
    context_put_lit(&b, "codes_sha256", v_str(hash_hex(&h, m->arena)));
    return item_event(m->tx, m->actor, S("item.imported"), context_done(&b), m->errs);
}

// input: {"lines": of catalogue_read, at most IMPORT_LINES_MAX, "region": prefix of unit codes,
// "pack": files (absent: the program's packs/generic)} → {loaded, unchanged, units_made, bad:
// [{line, where, text, args}]}
Status cmd_item_import(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Arena *a = tx_arena(tx);
    Value lines = v_get_lit(input, "lines");
    Import m = {.tx = tx,
                .arena = a,
                .actor = actor,
                .errs = errs,
                .region = v_text(v_get_lit(input, "region")),
                .bad = list_make(a),
                .codes = list_make(a)};
    if (lines.kind != V_LIST || lines.len > IMPORT_LINES_MAX) {
        return errors_add(errs, INVALID, S("lines"), "一次最多导入 2000 行");
    }
    if (!pack_code_valid(m.region)) {
        return errors_add(errs, INVALID, S("region"), "请给出行政区划代码");
    }
    Status st = base_open(&m, v_get_lit(input, "pack"));
    for (uint32_t i = 0; st == OK && i < lines.len; i++) st = import_line(&m, lines, i);
    if (st == OK) st = imported_event(&m);
    if (st != OK) return st;
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "loaded", v_int(m.loaded));
    context_put_lit(&b, "unchanged", v_int(m.unchanged));
    context_put_lit(&b, "units_made", v_int(m.units_made));
    context_put_lit(&b, "bad", list_done(&m.bad));
    *ret = context_done(&b);
    return OK;
}
