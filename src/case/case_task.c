// Tasks (待办) go to posts, not people: whoever holds the post may claim one, give it back, hand it
// to a colleague of the post, or complete it.
#include "case/case_internal.h"

typedef struct TaskRow {
    int64_t id, case_id, token, post_id, account_id;
    TaskState state;
    Str node, name;
    Value attributes;
} TaskRow;

// The task of input.task, or the open one of input.case (and input.node).
static Query *task_query(Tx *tx, Value input) {
    int64_t id = input_int(input, S("task")), case_id = input_int(input, S("case"));
    if (!id) id = input_int(input, S("id"));
    if (id || !case_id) {
        Query *q = query(tx_db(tx), "SELECT id, case_id, token, post_id, account_id, state, node,"
                                    " name, attributes_json FROM task WHERE id = ?1");
        query_int(q, 1, id);
        return q;
    }
    Query *q = query(tx_db(tx), "SELECT id, case_id, token, post_id, account_id, state, node, name,"
                                " attributes_json FROM task WHERE case_id = ?1 AND state < 3"
                                " AND (?2 = '' OR node = ?2) ORDER BY id LIMIT 1");
    query_int(q, 1, case_id);
    query_str(q, 2, v_text(v_get_lit(input, "node")));
    return q;
}

static Status task_load(Tx *tx, const Actor *actor, Value input, TaskRow *ret, Errors *errs) {
    Query *q = task_query(tx, input);
    TaskRow t = {0};
    Status parsed = OK;
    Error pe = {.status = OK};
    if (query_next(q)) {
        Arena *a = tx_arena(tx);
        t = (TaskRow){.id = query_col_int(q, 0),
                      .case_id = query_col_int(q, 1),
                      .token = query_col_int(q, 2),
                      .post_id = query_col_int(q, 3),
                      .account_id = query_col_int(q, 4),
                      .state = (TaskState)query_col_int(q, 5),
                      .node = query_col_keep(q, 6, a),
                      .name = query_col_keep(q, 7, a)};
        parsed =
            json_parse(query_col_keep(q, 8, a), JSON_LAX, (JsonLimits){0}, a, &t.attributes, &pe);
    }
    TRY_E(errs, query_done(q, &e));
    if (parsed != OK) return errors_push(errs, &pe);
    if (!t.id || !actor_holds_post(actor, t.post_id)) {
        return errors_add(errs, NOT_FOUND, S("task"), "没有这项待办，或它不属于您的岗位");
    }
    if (t.state >= TASK_DONE) {
        return errors_add(errs, CONFLICT, S("task"), "待办“{1}”已经办结或撤销", t.name);
    }
    *ret = t;
    return OK;
}

static Status task_state(Tx *tx, const TaskRow *t, TaskState state, int64_t account, Errors *errs) {
    Query *q = query(tx_db(tx), "UPDATE task SET state = ?1, account_id = ?2 WHERE id = ?3"
                                " AND state = ?4");
    query_int(q, 1, state);
    query_int_or_null(q, 2, account);
    query_int(q, 3, t->id);
    query_int(q, 4, t->state);
    int64_t changed = 0;
    TRY_E(errs, query_run(q, &changed, &e));
    if (changed == 1) return OK;
    return errors_add(errs, CONFLICT, S("task"), "待办“{1}”刚刚被其他人员处理过", t->name);
}

static Status task_event(Tx *tx, const TaskRow *t, const Actor *actor, Str kind, Str key, Str text,
                         Errors *errs) {
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("task"), v_str(t->name));
    context_put_new(&b, S("node"), v_str(t->node));
    if (!str_empty(text)) context_put_new(&b, key, v_str(text));
    Event e = {.case_id = t->case_id,
               .kind = kind,
               .actor_id = actor->account_id,
               .data = context_done(&b)};
    return event_append(tx, &e, errs);
}

static Value task_result(const TaskRow *t, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("task"), v_int(t->id));
    context_put_new(&b, S("case"), v_int(t->case_id));
    return context_done(&b);
}

static Status expect_free_or_mine(const TaskRow *t, const Actor *actor, Errors *errs) {
    if (t->state == TASK_OPEN || t->account_id == actor->account_id) return OK;
    return errors_add(errs, CONFLICT, S("task"), "待办“{1}”已由同岗位的其他人员签收", t->name);
}

Status cmd_task_claim(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    TaskRow t;
    TRY_S(task_load(tx, actor, input, &t, errs));
    if (t.state != TASK_OPEN) {
        return errors_add(errs, CONFLICT, S("task"), "待办“{1}”已被签收", t.name);
    }
    TRY_S(task_state(tx, &t, TASK_CLAIMED, actor->account_id, errs));
    TRY_S(task_event(tx, &t, actor, S("task.claimed"), S(""), S(""), errs));
    *ret = task_result(&t, tx_arena(tx));
    return OK;
}

Status cmd_task_release(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    TaskRow t;
    TRY_S(task_load(tx, actor, input, &t, errs));
    if (t.state != TASK_CLAIMED || t.account_id != actor->account_id) {
        return errors_add(errs, CONFLICT, S("task"), "您没有签收待办“{1}”", t.name);
    }
    TRY_S(task_state(tx, &t, TASK_OPEN, 0, errs));
    TRY_S(task_event(tx, &t, actor, S("task.released"), S(""), S(""), errs));
    *ret = task_result(&t, tx_arena(tx));
    return OK;
}

Status cmd_task_delegate(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    TaskRow t;
    TRY_S(task_load(tx, actor, input, &t, errs));
    TRY_S(expect_free_or_mine(&t, actor, errs));
    int64_t to = input_int(input, S("account")), found = 0;
    Query *q = query(tx_db(tx), "SELECT COUNT(*) FROM account_post ap JOIN account c"
                                " ON c.id = ap.account_id WHERE ap.account_id = ?1"
                                " AND ap.post_id = ?2 AND c.locked = 0");
    query_int(q, 1, to);
    query_int(q, 2, t.post_id);
    TRY_E(errs, query_one_int(q, &found, &e));
    if (!found || to == actor->account_id) {
        return errors_add(errs, INVALID, S("account"), "只能转交给同一岗位的其他人员");
    }
    TRY_S(task_state(tx, &t, TASK_CLAIMED, to, errs));
    TRY_S(task_event(tx, &t, actor, S("task.delegated"), S("to"),
                     arena_printf(tx_arena(tx), "%lld", (long long)to), errs));
    *ret = task_result(&t, tx_arena(tx));
    return OK;
}

// "pass:通过,fail:不通过": is `outcome` one of the task's?
static bool outcome_known(Str actions, Str outcome) {
    Str rest = actions;
    if (str_empty(actions)) return str_eq(outcome, S("pass"));
    while (rest.ptr) {
        Str one = str_cut(&rest, ',');
        Str code = str_trim(str_cut(&one, ':'));
        if (str_eq(code, outcome)) return true;
    }
    return false;
}

static Status task_answers(Tx *tx, const CaseRow *c, const TaskRow *t, Value input, Value *ret,
                           Errors *errs) {
    Str name = v_text(v_get_lit(t->attributes, "form"));
    *ret = v_null();
    if (str_empty(name)) return OK;
    const Form *form = c->item->task_form ? c->item->task_form(c->item, name) : NULL;
    if (!form) return errors_add(errs, BROKEN, S("form"), "事项缺少环节表单“{1}”", name);
    return form_check(form, v_get_lit(input, "answers"), c->answers, false, tx_now(tx),
                      tx_arena(tx), ret, errs);
}

static Status task_finish(Tx *tx, const TaskRow *t, const Actor *actor, Str outcome, Str note,
                          Errors *errs) {
    Query *q =
        query(tx_db(tx), "UPDATE task SET state = ?1, account_id = ?2, done_by = ?2,"
                         " done_at = ?3, outcome = ?4, note = ?5 WHERE id = ?6 AND state < 3");
    query_int(q, 1, TASK_DONE);
    query_int(q, 2, actor->account_id);
    query_int(q, 3, tx_now(tx));
    query_str(q, 4, outcome);
    query_str(q, 5, note);
    query_int(q, 6, t->id);
    TRY_E(errs, query_run(q, NULL, &e));
    return OK;
}

// The clocks go on when the last task that stops them is done.
static Status resume_after(Tx *tx, CaseRow *c, const TaskRow *t, const Actor *actor, Errors *errs) {
    if (!c->paused || !str_eq(v_text(v_get_lit(t->attributes, "clock")), S("stop"))) return OK;
    Query *q =
        query(tx_db(tx), "SELECT attributes_json FROM task WHERE case_id = ?1 AND state < 3");
    query_int(q, 1, c->id);
    bool others = false;
    while (query_next(q)) {
        others = others || str_find(query_col_str(q, 0), S("\"clock\":\"stop\"")) >= 0;
    }
    TRY_E(errs, query_done(q, &e));
    return others ? OK : case_resume_clock(tx, c, actor, errs);
}

static Value outcome_variables(const TaskRow *t, const Actor *actor, Str outcome, Str note,
                               Value answers, Arena *a) {
    ContextBuilder o = context_make(a), b = context_make(a);
    context_put_new(&o, S("outcome"), v_str(outcome));
    if (!str_empty(note)) context_put_new(&o, S("note"), v_str(note));
    context_put_new(&o, S("by"), v_str(actor->name));
    if (!v_is_null(answers)) context_put_new(&o, S("answers"), answers);
    context_put_new(&b, t->node, context_done(&o));
    return context_done(&b);
}

static Status do_complete(Tx *tx, const Actor *actor, const TaskRow *t, Str outcome, Value input,
                          Errors *errs) {
    CaseRow c;
    Str note;
    TRY_S(case_load(tx_db(tx), t->case_id, tx_arena(tx), &c, errs));
    TRY_S(case_expect(&c, 1u << CASE_APPROVAL, errs));
    bool negative = !str_eq(outcome, S("pass"));
    TRY_S(text_of_input(input, S("note"), S("意见"), negative, &note, errs));
    Value answers;
    TRY_S(task_answers(tx, &c, t, input, &answers, errs));
    TRY_S(task_finish(tx, t, actor, outcome, note, errs));
    ContextBuilder b = context_make(tx_arena(tx));
    context_put_new(&b, S("task"), v_str(t->name));
    context_put_new(&b, S("node"), v_str(t->node));
    context_put_new(&b, S("outcome"), v_str(outcome));
    if (!str_empty(note)) context_put_new(&b, S("note"), v_str(note));
    TRY_S(case_event(tx, &c, actor, S("task.completed"), HANDLING_NONE, context_done(&b), errs));
    TRY_S(resume_after(tx, &c, t, actor, errs));
    FlowInput in = {.kind = FLOW_COMPLETE,
                    .token = t->token,
                    .values = outcome_variables(t, actor, outcome, note, answers, tx_arena(tx))};
    TRY_S(flow_feed(tx, &c, actor, &in, errs));
    return case_save(tx, &c, errs);
}

Status cmd_task_complete(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    TaskRow t;
    TRY_S(task_load(tx, actor, input, &t, errs));
    TRY_S(expect_free_or_mine(&t, actor, errs));
    Str outcome = v_text(v_get_lit(input, "outcome"));
    if (!outcome_known(v_text(v_get_lit(t.attributes, "actions")), outcome)) {
        return errors_add(errs, INVALID, S("outcome"), "请选择环节“{1}”的办理意见", t.name);
    }
    TRY_S(do_complete(tx, actor, &t, outcome, input, errs));
    *ret = task_result(&t, tx_arena(tx));
    return OK;
}

// Back to the one before, when the flow offers "return".
Status cmd_task_return(Tx *tx, const Actor *actor, Value input, Value *ret, Errors *errs) {
    TaskRow t;
    TRY_S(task_load(tx, actor, input, &t, errs));
    TRY_S(expect_free_or_mine(&t, actor, errs));
    if (!outcome_known(v_text(v_get_lit(t.attributes, "actions")), S("return"))) {
        return errors_add(errs, INVALID, S("outcome"), "环节“{1}”不能退回", t.name);
    }
    TRY_S(do_complete(tx, actor, &t, S("return"), input, errs));
    *ret = task_result(&t, tx_arena(tx));
    return OK;
}
