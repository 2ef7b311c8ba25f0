// Running cases move to another version of their item. What the flow's state becomes is worked out
// by flow_migrate; here its tasks, timers and faults follow, under the tokens they wait for. Open
// tasks keep who claimed them as long as he holds the post the new version asks for.
//
// What was promised at acceptance stays: the clocks are not touched, letters that were issued say
// what they said. Letters issued from now on, forms of tasks and decisions are the new version's.
#include "bpmn/mend.h"
#include "bpmn/migrate.h"
#include "case/case_drive.h"

enum {
    PLAN_CASES_MAX = 20000,
    PLAN_GROUPS_MAX = 100,
    PLAN_CASE_MEMORY = 32 << 20,
    EVENT_MOVES_MAX = 100, // named in the event
};

typedef struct Wish {
    int64_t item_id, from_id, to_id;
    const Item *to;
    Value mapping;
    bool again;
} Wish;

static Status version_of(Db *db, int64_t item_id, int64_t version, int64_t *ret, Errors *errs) {
    Query *q = query(db, "SELECT id FROM item_version WHERE item_id = ?1 AND version = ?2");
    query_int(q, 1, item_id);
    query_int(q, 2, version);
    *ret = 0;
    if (query_next(q)) *ret = query_col_int(q, 0);
    TRY_E(errs, query_done(q, &e));
    return *ret ? OK : errors_add(errs, NOT_FOUND, S("to"), "这个事项没有第 {1} 版",
                                  v_to_str(v_int(version), errs->arena));
}

// A context {node: node}, or a list of "node=node".
static Status mapping_of(Value input, Arena *a, Value *ret, Errors *errs) {
    Value given = v_get_lit(input, "mapping");
    *ret = v_null();
    if (v_is_null(given)) return OK;
    if (given.kind != V_CONTEXT) {
        return errors_add(errs, INVALID, S("mapping"), "请写成 {原环节: 新环节, …}");
    }
    ContextBuilder b = context_make(a);
    for (uint32_t i = 0; i < given.len; i++) {
        const Entry *e = &given.as.entries[i];
        if (e->value.kind != V_STRING) {
            return errors_add(errs, INVALID, S("mapping"), "请写成 {原环节: 新环节, …}");
        }
        if (e->value.len) context_put(&b, e->key, e->value);
    }
    *ret = context_done(&b);
    return OK;
}

static Value records_moved(Value records, Value mapping, const Flow *to, Arena *a) {
    ListBuilder list = list_make(a);
    for (uint32_t i = 0; records.kind == V_LIST && i < records.len; i++) {
        Str was = v_text(v_at(records, i)), mapped = v_text(v_get(mapping, was)), node, name;
        if (flow_place(to, mapped.len ? mapped : was, &node, &name)) list_add(&list, v_str(node));
    }
    return list_done(&list);
}

// ---- one case ----

typedef struct TaskSeen {
    int64_t id, token, post_id, account_id;
} TaskSeen;

static Status open_tasks(Drive *d, TaskSeen *list, size_t *ret_count) {
    Query *q = query(tx_db(d->tx), "SELECT id, token, post_id, account_id FROM task"
                                   " WHERE case_id = ?1 AND state < 3 ORDER BY id");
    query_int(q, 1, d->c->id);
    *ret_count = 0;
    while (query_next(q) && *ret_count < CASE_TASKS_MAX) {
        list[(*ret_count)++] = (TaskSeen){query_col_int(q, 0), query_col_int(q, 1),
                                          query_col_int(q, 2), query_col_int(q, 3)};
    }
    TRY_E(d->errs, query_done(q, &e));
    return OK;
}

static Status post_of(Drive *d, const FlowEffect *fx, int64_t *ret_post, int64_t *ret_unit) {
    Str post = v_text(v_get_lit(fx->attributes, "post"));
    Query *q = query(tx_db(d->tx), "SELECT id, unit_id FROM post WHERE code = ?1");
    query_str(q, 1, post);
    *ret_post = 0;
    if (query_next(q)) {
        *ret_post = query_col_int(q, 0);
        *ret_unit = query_col_int(q, 1);
    }
    TRY_E(d->errs, query_done(q, &e));
    if (*ret_post) return OK;
    return errors_add(d->errs, INVALID, fx->node, "流程环节“{1}”指定的岗位“{2}”不存在", fx->name,
                      post);
}

static Status holds_post(Drive *d, int64_t account, int64_t post, bool *ret) {
    Query *q = query(tx_db(d->tx), "SELECT COUNT(*) FROM account_post WHERE account_id = ?1"
                                   " AND post_id = ?2");
    query_int(q, 1, account);
    query_int(q, 2, post);
    int64_t n = 0;
    TRY_E(d->errs, query_one_int(q, &n, &e));
    *ret = n > 0;
    return OK;
}

static Status task_follow(Drive *d, const TaskSeen *t) {
    FlowEffect fx;
    int64_t post = 0, unit = 0;
    TRY_E(d->errs, flow_effect_again(d->c->item->flow, v_get_lit(d->c->flow, "s"), t->token,
                                     d->facts, tx_now(d->tx), d->arena, &fx, &e));
    TRY_S(post_of(d, &fx, &post, &unit));
    bool keeps = t->account_id != 0;
    if (keeps && post != t->post_id) TRY_S(holds_post(d, t->account_id, post, &keeps));
    Query *q = query(tx_db(d->tx), "UPDATE task SET node = ?1, name = ?2, attributes_json = ?3,"
                                   " post_id = ?4, unit_id = ?5, account_id = ?6, state = ?7"
                                   " WHERE id = ?8");
    query_str(q, 1, fx.node);
    query_str(q, 2, fx.name);
    query_str(q, 3, json_to_str(fx.attributes, d->arena));
    query_int(q, 4, post);
    query_int(q, 5, unit);
    query_int_or_null(q, 6, keeps ? t->account_id : 0);
    query_int(q, 7, keeps ? TASK_CLAIMED : TASK_OPEN);
    query_int(q, 8, t->id);
    TRY_E(d->errs, query_run(q, NULL, &e));
    return OK;
}

static Status tasks_follow(Drive *d) {
    TaskSeen *list = arena_array(d->arena, TaskSeen, CASE_TASKS_MAX);
    size_t n;
    TRY_S(open_tasks(d, list, &n));
    for (size_t i = 0; i < n; i++) TRY_S(task_follow(d, &list[i]));
    return OK;
}

// Faults and timers are shown by the node they stand at.
static Status nodes_follow(Drive *d, Value moved) {
    for (uint32_t i = 0; i < moved.len; i++) {
        Value one = v_at(moved, i);
        Str to = v_text(v_get_lit(one, "to")), name = to;
        if (str_eq(to, v_text(v_get_lit(one, "from")))) continue;
        (void)flow_place(d->c->item->flow, to, &to, &name);
        int64_t token = v_to_int(v_get_lit(one, "token"), 0);
        Query *q = query(tx_db(d->tx), "UPDATE incident SET node = ?1, name = ?2 WHERE case_id ="
                                       " ?3 AND token = ?4 AND state < 3");
        query_str(q, 1, to);
        query_str(q, 2, name);
        query_int(q, 3, d->c->id);
        query_int(q, 4, token);
        TRY_E(d->errs, query_run(q, NULL, &e));
        q = query(tx_db(d->tx), "UPDATE timer SET node = ?1 WHERE case_id = ?2 AND token = ?3"
                                " AND kind = 'flow' AND done_at IS NULL");
        query_str(q, 1, to);
        query_int(q, 2, d->c->id);
        query_int(q, 3, token);
        TRY_E(d->errs, query_run(q, NULL, &e));
    }
    return OK;
}

static Status version_set(Drive *d, const Item *to) {
    Query *q = query(tx_db(d->tx), "UPDATE cases SET item_version_id = ?1 WHERE id = ?2");
    query_int(q, 1, to->version_id);
    query_int(q, 2, d->c->id);
    TRY_E(d->errs, query_run(q, NULL, &e));
    d->c->item = to;
    d->c->item_version_id = to->version_id;
    return OK;
}

// Only what changed its name: an event is no larger than EVENT_DATA_MAX.
static Value renamed(Value moved, Arena *a) {
    ListBuilder list = list_make(a);
    for (uint32_t i = 0; i < moved.len && list.len < EVENT_MOVES_MAX; i++) {
        Value one = v_at(moved, i);
        Str from = v_text(v_get_lit(one, "from")), to = v_text(v_get_lit(one, "to"));
        if (!str_eq(from, to)) list_add(&list, one);
    }
    return list_done(&list);
}

static Status migrated_event(Drive *d, const Item *from, const Wish *w, Value moved, Str reason) {
    ContextBuilder b = context_make(d->arena);
    context_put_new(&b, S("tokens"), v_int(moved.len));
    moved = renamed(moved, d->arena);
    context_put_new(&b, S("from"), v_int(from->version));
    context_put_new(&b, S("to"), v_int(w->to->version));
    context_put_new(&b, S("moved"), moved);
    if (!str_empty(reason)) context_put_new(&b, S("reason"), v_str(reason));
    return case_event(d->tx, d->c, d->actor, S("case.migrated"), HANDLING_NONE, context_done(&b),
                      d->errs);
}

static Status migrate_case(Tx *tx, CaseRow *c, const Actor *actor, const Wish *w, Str reason,
                           Value *ret_moved, Errors *errs) {
    const Item *from = c->item;
    Drive d;
    FlowMigrated moved;
    c->item = w->to; // the facts are the new version's
    TRY_S(drive_open(tx, c, actor, errs, &d));
    TRY_S(flow_migrate(from->flow, v_get_lit(c->flow, "s"), w->to->flow, w->mapping, w->again,
                       d.facts, tx_now(tx), d.arena, &moved, errs));
    TRY_S(version_set(&d, w->to));
    Value records = records_moved(v_get_lit(c->flow, "r"), w->mapping, w->to->flow, d.arena);
    d.records = list_make(d.arena);
    for (uint32_t i = 0; i < records.len; i++) list_add(&d.records, v_at(records, i));
    drive_set_state(&d, moved.state);
    for (size_t i = 0; i < moved.effects_count; i++) TRY_S(drive_effect(&d, &moved.effects[i]));
    TRY_S(tasks_follow(&d));
    TRY_S(nodes_follow(&d, moved.moved));
    TRY_S(migrated_event(&d, from, w, moved.moved, reason));
    // Conditions and joins of the new version are decided.
    FlowInput facts = {.kind = FLOW_FACTS};
    if (!v_is_null(moved.state)) TRY_S(drive_feed(&d, &facts));
    *ret_moved = moved.moved;
    return case_save(tx, c, errs);
}

Status cmd_case_migrate(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    CaseRow c;
    Str reason;
    Wish w = {.again = input_bool(input, S("timers_again"))};
    TRY_S(case_load_input(tx, input, &c, errs));
    TRY_S(case_expect(&c, 1u << CASE_APPROVAL, errs));
    TRY_S(text_of_input(input, S("reason"), S("迁移说明"), !actor_has(actor, ROLE_SYSTEM), &reason,
                        errs));
    TRY_S(mapping_of(input, tx_arena(tx), &w.mapping, errs));
    TRY_S(version_of(tx_db(tx), c.item_id, input_int(input, S("to")), &w.to_id, errs));
    if (w.to_id == c.item_version_id) {
        return errors_add(errs, CONFLICT, S("to"), "该办件已经在这个版本上");
    }
    TRY_E(errs, item_get(case_room->items, tx_db(tx), w.to_id, &w.to, &e));
    Value moved;
    TRY_S(migrate_case(tx, &c, actor, &w, reason, &moved, errs));
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("id"), v_int(c.id));
    context_put_new(&b, S("number"), v_str(c.number));
    context_put_new(&b, S("version"), v_int(w.to->version));
    context_put_new(&b, S("moved"), moved);
    *ret = context_done(&b);
    return OK;
}

// ---- what would happen ----

typedef struct Group {
    Str key;      // nodes where tokens stand, in order
    Value nodes;  // [{from, to}]
    Value errors; // [{where, text, args}]; empty: they can
    Str example;  // number of a case
    int64_t count;
} Group;

typedef struct Plan {
    Arena *arena;
    Group groups[PLAN_GROUPS_MAX];
    size_t groups_count;
    int64_t total, able, others; // others: of groups past the maximum
} Plan;

static Value errors_value(const Errors *errs, Arena *a) {
    ListBuilder list = list_make(a);
    for (size_t i = 0; i < errs->count && i < 20; i++) {
        const Error *e = &errs->items[i];
        ListBuilder args = list_make(a);
        for (int k = 0; k < ERROR_ARGS; k++) list_add(&args, v_str(arena_str(a, e->args[k])));
        ContextBuilder b = context_make(a);
        context_put_new(&b, S("where"), v_str(arena_str(a, e->where)));
        context_put_new(&b, S("text"), v_str(str_z(e->text)));
        context_put_new(&b, S("args"), list_done(&args));
        list_add(&list, context_done(&b));
    }
    return list_done(&list);
}

// Cases that stand at the same nodes with the same result are one group.
static void plan_add(Plan *p, Value nodes, const Errors *errs, Str number) {
    Value errors = errors_value(errs, p->arena);
    Str parts[] = {json_to_str(nodes, p->arena), json_to_str(errors, p->arena)};
    Str key = arena_concat(p->arena, parts, 2);
    p->total++;
    p->able += errs->count == 0;
    for (size_t i = 0; i < p->groups_count; i++) {
        if (!str_eq(p->groups[i].key, key)) continue;
        p->groups[i].count++;
        return;
    }
    if (p->groups_count == PLAN_GROUPS_MAX) {
        p->others++;
        return;
    }
    p->groups[p->groups_count++] = (Group){.key = key,
                                           .nodes = v_copy(nodes, p->arena),
                                           .errors = errors,
                                           .example = arena_str(p->arena, number),
                                           .count = 1};
}

// Where its tokens stand: [{from, name}].
static Status standing(const Flow *f, Value state, Arena *a, Value *ret, Error *err) {
    Value waiting;
    ListBuilder list = list_make(a);
    if (v_is_null(state)) {
        *ret = list_done(&list);
        return OK;
    }
    Status st = flow_waiting(f, state, a, &waiting, err);
    for (uint32_t i = 0; st == OK && i < waiting.len; i++) {
        Str node = v_text(v_get_lit(v_at(waiting, i), "node")), name = node;
        (void)flow_place(f, node, &node, &name);
        ContextBuilder b = context_make(a);
        context_put_new(&b, S("id"), v_str(node));
        context_put_new(&b, S("name"), v_str(name));
        list_add(&list, context_done(&b));
    }
    *ret = list_done(&list);
    return st;
}

static Status plan_case(Db *db, int64_t id, const Wish *w, Instant now, Plan *p, Arena *a) {
    CaseRow c;
    Errors errs = errors_make(a);
    Error err = {.status = OK};
    Value facts = v_null(), nodes = v_null();
    FlowMigrated moved;
    Status st = case_load(db, id, a, &c, &errs);
    if (st == OK) {
        const Flow *from = c.item->flow;
        st = standing(from, v_get_lit(c.flow, "s"), a, &nodes, &err);
        if (st != OK) (void)errors_push(&errs, &err);
        c.item = w->to;
        if (st == OK) st = case_facts(db, &c, instant_day(now), a, &facts, &errs);
        if (st == OK) {
            st = flow_migrate(from, v_get_lit(c.flow, "s"), w->to->flow, w->mapping, w->again,
                              facts, now, a, &moved, &errs);
        }
    }
    if (st == BUSY) return st;
    plan_add(p, nodes, &errs, c.number);
    return OK;
}

static Status cases_of(Db *db, const Wish *w, int64_t after, int64_t *ids, size_t max,
                       size_t *ret_count, Error *err) {
    Query *q = query(db, "SELECT id FROM cases WHERE item_id = ?1 AND item_version_id = ?2"
                         " AND state = 3 AND id > ?3 ORDER BY id LIMIT ?4");
    query_int(q, 1, w->item_id);
    query_int(q, 2, w->from_id);
    query_int(q, 3, after);
    query_int(q, 4, (int64_t)max);
    *ret_count = 0;
    while (query_next(q) && *ret_count < max) ids[(*ret_count)++] = query_col_int(q, 0);
    return query_done(q, err);
}

static Value plan_value(const Plan *p) {
    ListBuilder list = list_make(p->arena);
    for (size_t i = 0; i < p->groups_count; i++) {
        const Group *g = &p->groups[i];
        ContextBuilder b = context_make(p->arena);
        context_put_new(&b, S("nodes"), g->nodes);
        context_put_new(&b, S("count"), v_int(g->count));
        context_put_new(&b, S("able"), v_bool(g->errors.len == 0));
        context_put_new(&b, S("refusals"), g->errors);
        context_put_new(&b, S("number"), v_str(g->example));
        list_add(&list, context_done(&b));
    }
    ContextBuilder b = context_make(p->arena);
    context_put_new(&b, S("groups"), list_done(&list));
    context_put_new(&b, S("total"), v_int(p->total));
    context_put_new(&b, S("able"), v_int(p->able));
    context_put_new(&b, S("refused"), v_int(p->total - p->able));
    context_put_new(&b, S("others"), v_int(p->others));
    context_put_new(&b, S("more"), v_bool(p->total >= PLAN_CASES_MAX));
    return context_done(&b);
}

static Status wish_of(CaseRoom *r, Db *db, Value request, Arena *a, const Item **ret_from,
                      Wish *ret, Errors *errs) {
    Wish w = {.again = input_bool(request, S("timers_again"))};
    Query *q = query(db, "SELECT id FROM item WHERE code = ?1");
    query_str(q, 1, v_text(v_get_lit(request, "item")));
    if (query_next(q)) w.item_id = query_col_int(q, 0);
    TRY_E(errs, query_done(q, &e));
    if (!w.item_id) return errors_add(errs, NOT_FOUND, S("item"), "没有这个事项");
    TRY_S(version_of(db, w.item_id, input_int(request, S("from")), &w.from_id, errs));
    TRY_S(version_of(db, w.item_id, input_int(request, S("to")), &w.to_id, errs));
    if (w.from_id == w.to_id) {
        return errors_add(errs, INVALID, S("to"), "请选择两个不同的版本");
    }
    TRY_S(mapping_of(request, a, &w.mapping, errs));
    TRY_E(errs, item_get(r->items, db, w.from_id, ret_from, &e));
    TRY_E(errs, item_get(r->items, db, w.to_id, &w.to, &e));
    *ret = w;
    return OK;
}

Status migrate_plan(CaseRoom *r, Db *db, Value request, Instant now, Arena *a, Value *ret,
                    Errors *errs) {
    const Item *from;
    Wish w;
    TRY_S(wish_of(r, db, request, a, &from, &w, errs));
    Plan *p = arena_new(a, Plan);
    p->arena = a;
    ARENA_AUTO own = arena_create(PLAN_CASE_MEMORY);
    int64_t ids[200], after = 0;
    size_t n = 200;
    while (n == 200 && p->total < PLAN_CASES_MAX) {
        TRY_E(errs, cases_of(db, &w, after, ids, 200, &n, &e));
        for (size_t i = 0; i < n; i++) {
            Status st = plan_case(db, ids[i], &w, now, p, own);
            if (st != OK) return errors_add(errs, st, S("item"), "暂时读不到这个办件");
            arena_reset(own);
        }
        if (n) after = ids[n - 1];
    }
    *ret = v_with(plan_value(p), S("mapping"), flow_mapping(from->flow, w.to->flow, a), a);
    return OK;
}

Status migrate_cases(CaseRoom *r, Db *db, Value request, int64_t after, int64_t *ids, size_t max,
                     size_t *ret_count, Arena *a, Errors *errs) {
    const Item *from;
    Wish w;
    TRY_S(wish_of(r, db, request, a, &from, &w, errs));
    TRY_E(errs, cases_of(db, &w, after, ids, max, ret_count, &e));
    return OK;
}
