// Drives the flow engine for one case: loads its state, feeds it, carries out the effects in the
// same transaction, until nothing can move.
//
// cases.flow_json = {"s": state of the engine, "r": [ids of nodes passed], "p": token of the
// parent's flow that waits for this case, "i": open incidents, "w": messages and signals waited
// for}. What the expressions may read besides the flow's own variables are facts of the case:
// answers, situation, item, applicant, channel, parameters.
//
// An effect of the flow may feed the flow again (a service that answers at once), so inputs are
// queued, never nested. FLOW_INPUTS_MAX bounds them. What happens when a step fails: case_drive.h.
#include "case/case_drive.h"

// ---- facts ----

// Birth date and sex are in a citizen's number (GB 11643), so no form needs to ask them.
static void applicant_person(ContextBuilder *b, Str id_number, Day today) {
    Day birth;
    if (id_number.len != 18) return;
    char iso[10];
    memcpy(iso, id_number.ptr + 6, 4);
    iso[4] = iso[7] = '-';
    memcpy(iso + 5, id_number.ptr + 10, 2);
    memcpy(iso + 8, id_number.ptr + 12, 2);
    if (!day_parse(str_of(iso, 10), &birth)) return;
    Civil then = day_to_civil(birth), now = day_to_civil(today);
    int age = now.year - then.year;
    if (now.month < then.month || (now.month == then.month && now.day < then.day)) age--;
    context_put_new(b, S("birth"), v_day(birth));
    context_put_new(b, S("age"), v_int(age));
    bool male = (id_number.ptr[16] - '0') % 2 == 1;
    context_put_new(b, S("sex"), male ? v_lit("male") : v_lit("female"));
}

static Status applicant_fact(Db *db, int64_t party_id, Day today, Arena *a, Value *ret,
                             Errors *errs) {
    Query *q = query(db, "SELECT kind, name, id_number FROM party WHERE id = ?1");
    query_int(q, 1, party_id);
    ContextBuilder b = context_make(a);
    if (query_next(q)) {
        bool natural = query_col_int(q, 0) == 1;
        context_put_new(&b, S("kind"), natural ? v_lit("natural") : v_lit("legal"));
        context_put_new(&b, S("name"), v_str(query_col_keep(q, 1, a)));
        if (natural) applicant_person(&b, query_col_str(q, 2), today);
    }
    TRY_E(errs, query_done(q, &e));
    *ret = context_done(&b);
    return OK;
}

Status case_facts(Db *db, const CaseRow *c, Day today, Arena *a, Value *ret, Errors *errs) {
    Value applicant = v_null();
    TRY_S(applicant_fact(db, c->party_id, today, a, &applicant, errs));
    Value town = v_null();
    if (c->town_id) {
        Query *q = query(db, "SELECT code FROM unit WHERE id = ?1");
        query_int(q, 1, c->town_id);
        if (query_next(q)) town = v_str(query_col_keep(q, 0, a));
        TRY_E(errs, query_done(q, &e));
    }
    ContextBuilder item = context_make(a);
    context_put_new(&item, S("code"), v_str(c->item->code));
    context_put_new(&item, S("name"), v_str(c->item->name));
    context_put_new(&item, S("unit"), v_get_lit(c->item->spec, "unit"));
    context_put_new(&item, S("case_kind"), v_int(c->item->case_kind));
    context_put_new(&item, S("parameters"), c->item->parameters);
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("answers"), v_get_lit(c->answers, "answers"));
    context_put_new(&b, S("situation"), v_get_lit(c->answers, "situation"));
    context_put_new(&b, S("item"), context_done(&item));
    context_put_new(&b, S("parameters"), c->item->parameters);
    context_put_new(&b, S("applicant"), applicant);
    context_put_new(&b, S("town"), town);
    context_put_new(&b, S("channel"),
                    c->channel == HANDLING_ONLINE ? v_lit("online") : v_lit("window"));
    *ret = context_done(&b);
    return OK;
}

// ---- the queue ----

Status drive_enqueue(Drive *d, FlowInput in) {
    size_t next = (d->tail + 1) % FLOW_QUEUE_MAX;
    if (next == d->head || ++d->fed > FLOW_INPUTS_MAX) {
        return errors_add(d->errs, LIMIT, S("flow"), "流程自动步骤过多，请检查事项“{1}”的流程",
                          d->c->item->name);
    }
    in.facts = d->facts;
    d->queue[d->tail] = in;
    d->tail = next;
    return OK;
}

Status drive_answer(Drive *d, const FlowEffect *fx, Value values) {
    return drive_enqueue(d,
                         (FlowInput){.kind = FLOW_COMPLETE, .token = fx->token, .values = values});
}

// ---- effects ----

static Status close_task(Drive *d, const FlowEffect *fx) {
    Query *q = query(tx_db(d->tx), "UPDATE task SET state = ?1, done_at = ?2 WHERE case_id = ?3"
                                   " AND token = ?4 AND state < 3");
    query_int(q, 1, TASK_CLOSED);
    query_int(q, 2, tx_now(d->tx));
    query_int(q, 3, d->c->id);
    query_int(q, 4, fx->token);
    TRY_E(d->errs, query_run(q, NULL, &e));
    return OK;
}

static Status effect_now(Drive *d, const FlowEffect *fx) {
    switch (fx->kind) {
    case FLOW_OPEN_TASK: return drive_open_task(d, fx);
    case FLOW_CLOSE_TASK: return close_task(d, fx);
    case FLOW_CALL_SERVICE: return drive_service(d, fx);
    case FLOW_SET_TIMER:
        return timer_set_flow(d->tx, d->c, fx->node, fx->token, fx->value, d->errs);
    case FLOW_CLEAR_TIMER: return timers_clear(d->tx, d->c->id, S("flow"), fx->token, d->errs);
    case FLOW_RECORD:
        if (d->records.len < FLOW_RECORDS_MAX) list_add(&d->records, v_str(fx->node));
        return OK;
    case FLOW_THROW_MESSAGE: return drive_throw_message(d, fx);
    case FLOW_THROW_SIGNAL: return drive_throw_signal(d, fx);
    case FLOW_ESCALATED: return drive_escalated(d, fx);
    case FLOW_ENDED: return OK;
    case FLOW_FAILED:
        return errors_add(d->errs, BROKEN, fx->node, "流程因错误“{1}”中止", fx->name);
    }
    return OK;
}

// A savepoint in which the drive goes a step; undone with it is what the step changed in memory.
typedef struct Nested {
    Drive *drive;
    const FlowInput *in; // or
    const FlowEffect *fx;
} Nested;

static Status take_now(Drive *d, const FlowInput *in);

static Status nested_job(Tx *tx, void *arg, Errors *errs) {
    (void)tx;
    Nested *n = arg;
    n->drive->errs = errs;
    return n->in ? take_now(n->drive, n->in) : effect_now(n->drive, n->fx);
}

// `ret_why` says what failed when the flow is to blame; any other failure is the command's.
static Status nested(Drive *d, const FlowInput *in, const FlowEffect *fx, Errors *ret_why) {
    const Drive before = *d;
    const CaseRow row = *d->c;
    Nested n = {d, in, fx};
    Errors why = errors_make(d->arena);
    Status st = tx_nested(d->tx, nested_job, &n, &why);
    bool refused = d->refused || (in && before.own_input && before.strict);
    if (st != OK) {
        *d = before;
        *d->c = row;
    }
    d->errs = before.errs;
    *ret_why = why;
    if (st == OK || (!refused && incident_fits(st))) return st;
    for (size_t i = 0; i < why.count; i++) (void)errors_push(d->errs, &why.items[i]);
    d->refused = true;
    return st;
}

// A token waits for what the effect asks for: if that fails, the token waits on. What fails in any
// other effect fails with the whole input.
static bool may_fail(const FlowEffect *fx) {
    return fx->kind == FLOW_OPEN_TASK || fx->kind == FLOW_CALL_SERVICE ||
           fx->kind == FLOW_SET_TIMER;
}

Status drive_effect(Drive *d, const FlowEffect *fx) {
    if (d->incidents && fx->kind == FLOW_CLOSE_TASK) TRY_S(incidents_close(d, fx->token));
    if (!tx_is_careful(d->tx) || !may_fail(fx)) return effect_now(d, fx);
    Errors why;
    Status st = nested(d, NULL, fx, &why);
    return st == OK || d->refused ? st : incident_of_effect(d, fx, &why);
}

// ---- inputs ----

static Value wrap_state(Drive *d, Value state) {
    ContextBuilder b = context_make(d->arena);
    context_put_new(&b, S("s"), state);
    context_put_new(&b, S("r"), list_done(&d->records));
    Value parent = v_get_lit(d->c->flow, "p");
    if (!v_is_null(parent)) context_put_new(&b, S("p"), parent);
    if (d->incidents) context_put_new(&b, S("i"), v_int(d->incidents));
    if (!v_is_null(d->waits)) context_put_new(&b, S("w"), d->waits);
    return context_done(&b);
}

// Where the flow must not come to rest.
static Status expect_sound(Drive *d, const FlowStep *step) {
    if (d->c->state != CASE_APPROVAL) return OK;
    if (step->stuck) {
        return errors_add(d->errs, BROKEN, S("flow"),
                          "事项“{1}”的流程停在汇合处，再没有环节能走到那里", d->c->item->name);
    }
    if (!step->ended) return OK;
    return errors_add(d->errs, BROKEN, S("flow"), "事项“{1}”的流程结束时没有作出决定",
                      d->c->item->name);
}

static Status take_now(Drive *d, const FlowInput *in) {
    FlowStep step;
    Error e = {.status = OK};
    Status st = flow_step(d->c->item->flow, v_get_lit(d->c->flow, "s"), in, tx_now(d->tx),
                          d->arena, &step, &e);
    if (st == CONFLICT && !d->own_input) { // an automatic step nobody waits for any more
        d->gone = d->again_first;
        return OK;
    }
    if (st != OK) {
        d->refused = d->own_input && (st == CONFLICT || d->strict);
        return errors_push(d->errs, &e);
    }
    d->c->flow = wrap_state(d, step.state);
    for (size_t i = 0; i < step.effects_count; i++) TRY_S(drive_effect(d, &step.effects[i]));
    d->c->flow = wrap_state(d, step.state); // with the nodes just passed
    if (in->kind != FLOW_CANCEL) TRY_S(expect_sound(d, &step));
    if (d->decided && !step.ended && d->head == d->tail) { // nothing may outlive the decision
        d->decided = false;
        return drive_enqueue(d, (FlowInput){.kind = FLOW_CANCEL});
    }
    return OK;
}

static Status take(Drive *d, const FlowInput *in) {
    if (!tx_is_careful(d->tx)) return take_now(d, in);
    Errors why;
    Status st = nested(d, in, NULL, &why);
    return st == OK || d->refused ? st : incident_of_input(d, in, &why);
}

static Status take_all(Drive *d) {
    while (d->head != d->tail) {
        FlowInput in = d->queue[d->head];
        d->head = (d->head + 1) % FLOW_QUEUE_MAX;
        TRY_S(take(d, &in));
        d->own_input = d->again_first = false;
    }
    return OK;
}

// A child that was decided lets its parent's flow go on.
static Status tell_parent(Drive *d) {
    int64_t token = v_to_int(v_get_lit(d->c->flow, "p"), 0);
    if (!d->c->parent_id || !token || d->c->opening) return OK;
    CaseRow parent;
    TRY_S(case_load(tx_db(d->tx), d->c->parent_id, d->arena, &parent, d->errs));
    if (parent.state != CASE_APPROVAL) return OK;
    ContextBuilder b = context_make(d->arena);
    context_put(&b, d->c->item->code, v_str(outcome_name(d->c->outcome)));
    FlowInput in = {.kind = FLOW_COMPLETE, .token = token, .values = context_done(&b)};
    TRY_S(flow_follow(d->tx, &parent, d->actor, &in, d->errs));
    return case_save(d->tx, &parent, d->errs);
}

Status drive_open(Tx *tx, CaseRow *c, const Actor *actor, Errors *errs, Drive *ret) {
    Drive d = {.tx = tx, .c = c, .actor = actor, .errs = errs, .arena = tx_arena(tx)};
    TRY_S(case_facts(tx_db(tx), c, tx_day(tx), d.arena, &d.facts, errs));
    d.records = list_make(d.arena);
    d.incidents = v_to_int(v_get_lit(c->flow, "i"), 0);
    d.waits = v_get_lit(c->flow, "w");
    Value before = v_get_lit(c->flow, "r");
    for (size_t i = 0; before.kind == V_LIST && i < before.len; i++) {
        list_add(&d.records, v_at(before, i));
    }
    *ret = d;
    return OK;
}

Status drive_run(Drive *d) {
    TRY_S(take_all(d));
    if (d->c->state != CASE_APPROVAL && d->incidents) TRY_S(incidents_close(d, 0));
    if (v_to_int(v_get_lit(d->c->flow, "i"), 0) != d->incidents) {
        d->c->flow = wrap_state(d, v_get_lit(d->c->flow, "s"));
    }
    TRY_S(drive_subscribe(d));
    return d->c->state == CASE_DECIDED ? tell_parent(d) : OK;
}

void drive_set_state(Drive *d, Value state) { d->c->flow = wrap_state(d, state); }

Status drive_feed(Drive *d, const FlowInput *input) {
    TRY_S(drive_enqueue(d, *input));
    Status st = drive_run(d);
    if (st == OK || d->refused || tx_is_careful(d->tx) || !incident_fits(st)) return st;
    return tx_run_carefully(d->tx, d->errs);
}

Status flow_feed(Tx *tx, CaseRow *c, const Actor *actor, const FlowInput *input, Errors *errs) {
    Drive d;
    TRY_S(drive_open(tx, c, actor, errs, &d));
    d.own_input = input->kind != FLOW_START && !actor_has(actor, ROLE_SYSTEM);
    return drive_feed(&d, input);
}

Status flow_follow(Tx *tx, CaseRow *c, const Actor *actor, const FlowInput *input, Errors *errs) {
    Drive d;
    TRY_S(drive_open(tx, c, actor, errs, &d));
    return drive_feed(&d, input);
}

Status flow_begin(Tx *tx, CaseRow *c, const Actor *actor, Errors *errs) {
    FlowInput in = {.kind = FLOW_START, .values = v_null()};
    return flow_feed(tx, c, actor, &in, errs);
}

Status flow_stop(Tx *tx, CaseRow *c, const Actor *actor, Errors *errs) {
    FlowInput in = {.kind = FLOW_CANCEL};
    if (!v_is_null(v_get_lit(c->flow, "s"))) return flow_follow(tx, c, actor, &in, errs);
    if (v_is_null(v_get_lit(c->flow, "i"))) return OK;
    Drive d; // it could not even begin
    TRY_S(drive_open(tx, c, actor, errs, &d));
    return drive_run(&d);
}
