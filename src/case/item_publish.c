// The commands item.publish and item.withdraw: packs become versions, all of them or none. A
// version is never changed afterwards; running cases stay on theirs.
//
// What a pack alone can't tell is checked here: its department, the posts of its flow and the
// parts of a bundle must exist.
#include "case/item_internal.h"

enum { PUBLISH_PACKS_MAX = 200, AUDIENCE_NATURAL = 1, AUDIENCE_LEGAL = 2 };

Status item_event(Tx *tx, const Actor *actor, Str kind, Value data, Errors *errs) {
    Event event = {.kind = kind, .actor_id = actor->account_id, .data = data};
    return event_append(tx, &event, errs);
}

// Bits; 0 for an item that only the machine or an office opens, which no search shows.
static int64_t audience_bits(const Item *item) {
    Value list = v_get_lit(item->spec, "audience");
    int64_t bits = 0;
    if (v_true(v_get_lit(item->spec, "internal"))) return 0;
    for (uint32_t i = 0; list.kind == V_LIST && i < list.len; i++) {
        bits |= str_eq(v_text(v_at(list, i)), S("natural")) ? AUDIENCE_NATURAL : AUDIENCE_LEGAL;
    }
    return bits;
}

static Status item_row_put(Tx *tx, const Publish *p, int64_t *ret_id, Errors *errs) {
    const Item *item = p->item;
    Error e = {.status = OK};
    Query *q = query(tx_db(tx),
        "INSERT INTO item (code, name, name_en, unit_id, power, case_kind, audience, life_event, "
        "is_bundle, sort, search) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "
        "ON CONFLICT (code) DO UPDATE SET name = excluded.name, name_en = excluded.name_en, "
        "unit_id = excluded.unit_id, power = excluded.power, case_kind = excluded.case_kind, "
        "audience = excluded.audience, life_event = excluded.life_event, "
        "is_bundle = excluded.is_bundle, sort = excluded.sort, search = excluded.search, state = 1 "
        "RETURNING id");
    query_str(q, 1, item->code);
    query_str(q, 2, item->name);
    query_str(q, 3, item->name_en);
    query_int(q, 4, p->unit_id);
    query_str(q, 5, item->power);
    query_int(q, 6, item->case_kind);
    query_int(q, 7, audience_bits(item));
    query_str(q, 8, v_text(v_get_lit(item->spec, "life_event")));
    query_int(q, 9, item->bundle);
    query_int(q, 10, v_to_int(v_get_lit(item->spec, "sort"), item->bundle ? 10 : 100));
    Str parts[] = {item->name, S("\n"), item->name_en, S("\n"), item->code};
    query_str(q, 11, item_search_lower(tx_arena(tx), arena_concat(tx_arena(tx), parts, 5)));
    return query_one_int(q, ret_id, &e) == OK ? OK : errors_push(errs, &e);
}

// The newest version and whether it is published as it stands.
static Status newest(Tx *tx, const Publish *p, int32_t *ret_version, bool *ret_same, Errors *errs) {
    Error e = {.status = OK};
    int32_t version = 0;
    bool same = false;
    Query *q = query(tx_db(tx),
        "SELECT v.version, v.digest, i.state, i.version_id, v.id FROM item i "
        "JOIN item_version v ON v.item_id = i.id WHERE i.code = ?1 "
        "ORDER BY v.version DESC LIMIT 1");
    query_str(q, 1, p->item->code);
    if (query_next(q)) {
        version = (int32_t)query_col_int(q, 0);
        same = str_eq(query_col_str(q, 1), p->digest) && query_col_int(q, 2) == 1 &&
               query_col_int(q, 3) == query_col_int(q, 4);
    }
    if (query_done(q, &e) != OK) return errors_push(errs, &e);
    *ret_version = version;
    *ret_same = same;
    return OK;
}

Status item_publish_version(Tx *tx, const Actor *actor, const Publish *p, int32_t *ret_version,
                            bool *ret_new, Errors *errs) {
    Error e = {.status = OK};
    int32_t version = 0;
    bool same = false;
    Status st = newest(tx, p, &version, &same, errs);
    if (st != OK) return st;
    if (!same) {
        int64_t item_id = 0, version_id = 0;
        version++;
        st = item_row_put(tx, p, &item_id, errs);
        if (st != OK) return st;
        Query *q = query(tx_db(tx),
            "INSERT INTO item_version (item_id, version, digest, pack_json, published_at, "
            "published_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id");
        query_int(q, 1, item_id);
        query_int(q, 2, version);
        query_str(q, 3, p->digest);
        query_str(q, 4, p->pack_json);
        query_int(q, 5, tx_now(tx));
        query_int_or_null(q, 6, actor->account_id);
        if (query_one_int(q, &version_id, &e) != OK) return errors_push(errs, &e);
        q = query(tx_db(tx), "UPDATE item SET version_id = ?1, state = 1 WHERE id = ?2");
        query_int(q, 1, version_id);
        query_int(q, 2, item_id);
        if (query_run(q, NULL, &e) != OK) return errors_push(errs, &e);
    }
    *ret_version = version;
    *ret_new = !same;
    return OK;
}

// ---- what only the database knows ----

static Status unit_check(Db *db, const PackFault *f, Str path, Str code, int64_t *ret_id) {
    Error e = {.status = OK};
    int64_t id = 0;
    Status st = unit_by_code(db, code, &id, &e);
    if (st == NOT_FOUND) {
        pack_fault(f, path, "没有编码为“{1}”的单位", code);
        return OK;
    }
    if (st != OK) return errors_push(f->errs, &e);
    *ret_id = id;
    return OK;
}

static Status posts_check(Db *db, const Item *item, Arena *a, Errors *errs) {
    PackFault f = {.file = S("flow.bpmn"), .errs = errs, .arena = a};
    Value nodes = v_get_lit(flow_outline(item->flow, a), "nodes");
    for (uint32_t i = 0; i < nodes.len; i++) {
        Str post = v_text(v_path(v_at(nodes, i), S("attributes.post")));
        if (post.len == 0 || str_starts(post, S("="))) continue; // known when the task opens
        Error e = {.status = OK};
        int64_t id = 0;
        Status st = post_by_code(db, post, &id, &e);
        if (st == NOT_FOUND) {
            pack_fault(&f, v_text(v_get_lit(v_at(nodes, i), "id")), "没有编码为“{1}”的岗位", post);
        } else if (st != OK) {
            return errors_push(errs, &e);
        }
    }
    return OK;
}

// Parts of a bundle, asked after all packs of the command are in.
Status item_parts_check(Db *db, const Item *item, Arena *a, Errors *errs) {
    PackFault f = {.file = S("flow.bpmn"), .errs = errs, .arena = a};
    Value nodes = v_get_lit(flow_outline(item->flow, a), "nodes");
    for (uint32_t i = 0; i < nodes.len; i++) {
        Value attributes = v_get_lit(v_at(nodes, i), "attributes");
        Str code = v_text(v_get_lit(attributes, "item"));
        if (!str_eq(v_text(v_get_lit(attributes, "service")), S("open")) ||
            str_starts(code, S("="))) {
            continue;
        }
        Error e = {.status = OK};
        int64_t found = 0;
        Query *q = query(db, "SELECT COUNT(*) FROM item WHERE code = ?1 AND state = 1");
        query_str(q, 1, code);
        if (query_one_int(q, &found, &e) != OK) return errors_push(errs, &e);
        if (found) continue;
        pack_fault(&f, v_text(v_get_lit(v_at(nodes, i), "id")), "没有编码为“{1}”的事项", code);
    }
    return OK;
}

Status item_database_check(Db *db, const Item *item, Str prefix, Arena *a, int64_t *ret_unit,
                           Errors *errs) {
    PackFault f = {.file = S("item.json"), .errs = errs, .arena = a};
    if (prefix.len > 0 && !str_starts(item->code, prefix)) {
        pack_fault(&f, S("code"), "事项编码应以“{1}”开头", prefix);
    }
    Status st = unit_check(db, &f, S("unit"), v_text(v_get_lit(item->spec, "unit")), ret_unit);
    Value joint = v_get_lit(item->spec, "joint_units");
    for (uint32_t i = 0; st == OK && joint.kind == V_LIST && i < joint.len; i++) {
        int64_t ignored = 0;
        st = unit_check(db, &f, S("joint_units"), v_text(v_at(joint, i)), &ignored);
    }
    return st == OK ? posts_check(db, item, a, errs) : st;
}

// ---- commands ----

static Str files_json(Value files, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "files", files);
    return json_to_str(context_done(&b), a);
}

static Status publish_one(Tx *tx, const Actor *actor, Value files, Str prefix, Item *item,
                          Value *ret, Errors *errs) {
    Arena *a = tx_arena(tx);
    size_t before = errs->count;
    Status st = pack_compile(files, a, item, errs);
    if (st != OK) return st;
    Value all = pack_with_letters(files, a);
    Publish p = {.item = item, .digest = pack_digest(all, a), .pack_json = files_json(all, a)};
    st = item_database_check(tx_db(tx), item, prefix, a, &p.unit_id, errs);
    if (st == OK) st = pack_faults_since(errs, before);
    if (st != OK) return st;
    int32_t version = 0;
    bool fresh = false;
    st = item_publish_version(tx, actor, &p, &version, &fresh, errs);
    if (st != OK) return st;
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "code", v_str(item->code));
    context_put_lit(&b, "name", v_str(item->name));
    context_put_lit(&b, "version", v_int(version));
    context_put_lit(&b, "digest", v_str(p.digest));
    Value told = context_done(&b);
    if (fresh) st = item_event(tx, actor, S("item.published"), told, errs);
    *ret = v_with(told, S("unchanged"), v_bool(!fresh), a);
    return st;
}

Status item_publish_files(Tx *tx, const Actor *actor, Value files, Str code, Value *ret,
                          Errors *errs) {
    Item item;
    Value told;
    size_t before = errs->count;
    Status st = publish_one(tx, actor, files, S(""), &item, &told, errs);
    if (st == OK) st = item_parts_check(tx_db(tx), &item, tx_arena(tx), errs);
    if (st == OK) st = pack_faults_since(errs, before);
    if (st != OK) return st;
    if (!str_eq(item.code, code)) {
        return errors_add(errs, INVALID, S("item.json:code"), "事项编码不能改，应为“{1}”", code);
    }
    *ret = told;
    return OK;
}

// Puts the pack's name before the places of its faults.
static void name_faults(Errors *errs, size_t from, Str name) {
    for (size_t i = from; name.len > 0 && i < errs->count; i++) error_at(&errs->items[i], name);
}

// input: {"packs": [files…], "names": [folder…] for the places of faults, "county": code prefix}
Status cmd_item_publish(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Arena *a = tx_arena(tx);
    Value packs = v_get_lit(input, "packs"), names = v_get_lit(input, "names");
    Str prefix = v_text(v_get_lit(input, "county"));
    if (packs.kind != V_LIST || packs.len == 0 || packs.len > PUBLISH_PACKS_MAX) {
        return errors_add(errs, INVALID, S("packs"), "请给出 1 至 200 个事项包");
    }
    Item *items = arena_array(a, Item, packs.len);
    bool *compiled = arena_array(a, bool, packs.len);
    ListBuilder done = list_make(a);
    size_t start = errs->count;
    for (uint32_t i = 0; i < packs.len; i++) {
        Value told;
        size_t before = errs->count;
        compiled[i] = publish_one(tx, actor, v_at(packs, i), prefix, &items[i], &told, errs) == OK;
        if (compiled[i]) list_add(&done, told);
        else name_faults(errs, before, v_text(v_at(names, i)));
    }
    for (uint32_t i = 0; i < packs.len; i++) {
        size_t before = errs->count;
        if (!compiled[i]) continue;
        Status st = item_parts_check(tx_db(tx), &items[i], a, errs);
        name_faults(errs, before, v_text(v_at(names, i)));
        if (st != OK) return st;
    }
    Status st = pack_faults_since(errs, start);
    if (st != OK) return st;
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "published", list_done(&done));
    *ret = context_done(&b);
    return OK;
}

// input: {"code", "reason"}. Running cases go on; nobody can apply any more.
Status cmd_item_withdraw(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    Arena *a = tx_arena(tx);
    Error e = {.status = OK};
    Str code = v_text(v_get_lit(input, "code")), reason = v_text(v_get_lit(input, "reason"));
    if (str_trim(reason).len == 0) return errors_add(errs, INVALID, S("reason"), "请写明停办的理由");
    int64_t changed = 0;
    Query *q = query(tx_db(tx), "UPDATE item SET state = 2 WHERE code = ?1 AND state = 1");
    query_str(q, 1, code);
    if (query_run(q, &changed, &e) != OK) return errors_push(errs, &e);
    if (changed == 0) {
        return errors_add(errs, NOT_FOUND, S("code"), "没有编码为“{1}”的事项，或它已停办", code);
    }
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "code", v_str(code));
    context_put_lit(&b, "reason", v_str(reason));
    Value data = context_done(&b);
    *ret = data;
    return item_event(tx, actor, S("item.withdrawn"), data, errs);
}
