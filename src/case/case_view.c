// One case as its readers see it: the same page for applicant and official, each seeing what is
// theirs to see. What an actor may do now is computed here from the same conditions the commands
// check, so a page offers no button that would be refused.
#include "case/case_internal.h"

enum { TRACK_PER_MINUTE_MAX = 5 }; // of one case, whoever asks

typedef struct View {
    CaseRoom *room;
    Db *db;
    const Actor *actor;
    const CaseRow *c;
    Instant now;
    Str lang;
    Arena *arena;
    bool own, official;
    bool held; // the actor holds the post of one of its tasks, done or not
    bool self; // the applicant himself: his agent may act, but sees the record's numbers masked
    Value tasks, materials;
    ContextBuilder out;
} View;

static bool may_see(const CaseRow *c, const Actor *actor) {
    return case_is_own(c, actor) ||
           actor_has(actor, ROLES_OFFICIAL | ROLE_SYSTEM | ROLE_AUDITADMIN);
}

static Str named(const View *v, Str zh, Str en) {
    return str_eq(v->lang, S("en")) && !str_empty(en) ? en : zh;
}

static Value stamp(Instant t, Arena *a) { return t ? v_instant(t, a) : v_null(); }

static Status view_units(View *v, Error *err) {
    Query *q =
        query(v->db, "SELECT u.code, u.name, u.name_en, t.code, t.name, t.name_en FROM cases c"
                     " JOIN unit u ON u.id = c.unit_id LEFT JOIN unit t ON t.id = c.town_id"
                     " WHERE c.id = ?1");
    query_int(q, 1, v->c->id);
    if (query_next(q)) {
        Str unit = named(v, query_col_str(q, 1), query_col_str(q, 2));
        Str town = named(v, query_col_str(q, 4), query_col_str(q, 5));
        context_put_new(&v->out, S("unit_code"), v_str(query_col_keep(q, 0, v->arena)));
        context_put_new(&v->out, S("unit"), v_str(arena_str(v->arena, unit)));
        context_put_new(&v->out, S("town"), v_str(arena_str(v->arena, town)));
    }
    return query_done(q, err);
}

static void view_head(View *v) {
    const CaseRow *c = v->c;
    ContextBuilder *b = &v->out;
    context_put_new(b, S("id"), v_int(c->id));
    context_put_new(b, S("number"), v_str(c->number));
    context_put_new(b, S("revision"), v_int(c->revision));
    context_put_new(b, S("item"), v_str(named(v, c->item->name, c->item->name_en)));
    context_put_new(b, S("item_code"), v_str(c->item->code));
    context_put_new(b, S("item_version"), v_int(c->item->version));
    context_put_new(b, S("case_kind"), v_int(c->item->case_kind));
    context_put_new(b, S("state"), v_int(c->state));
    context_put_new(b, S("state_name"), v_str(case_state_name(c->state)));
    context_put_new(b, S("paused"), v_bool(c->paused));
    context_put_new(b, S("overdue"), v_bool(c->overdue));
    context_put_new(b, S("outcome"), v_str(outcome_name(c->outcome)));
    context_put_new(b, S("granted"), v_bool(c->outcome == OUTCOME_GRANTED));
    bool online = c->channel == HANDLING_ONLINE;
    context_put_new(b, S("channel"), online ? v_lit("online") : v_lit("window"));
    context_put_new(b, S("received_at"), stamp(c->received_at, v->arena));
    context_put_new(b, S("accepted_at"), stamp(c->accepted_at, v->arena));
    context_put_new(b, S("decided_at"), stamp(c->decided_at, v->arena));
    context_put_new(b, S("delivered_at"), stamp(c->delivered_at, v->arena));
    context_put_new(b, S("closed_at"), stamp(c->closed_at, v->arena));
    context_put_new(b, S("own"), v_bool(v->own));
    context_put_new(b, S("official"), v_bool(v->official));
    context_put_new(b, S("clocks"),
                    clock_view(c, case_calendar(v->room), instant_day(v->now), v->arena));
}

// Rows of tasks with who may act; pauses and remarks are for officials only.
static Status view_tasks(View *v, Error *err) {
    Query *q =
        query(v->db, "SELECT t.id, t.node, t.name, t.state, t.opened_at, t.due_day, t.done_at,"
                     " t.outcome, t.note, t.attributes_json, t.post_id, t.account_id,"
                     " u.name, u.name_en, o.name, COALESCE(k.name, '') FROM task t"
                     " JOIN unit u ON u.id = t.unit_id JOIN post o ON o.id = t.post_id"
                     " LEFT JOIN account k ON k.id = t.account_id WHERE t.case_id = ?1"
                     " ORDER BY t.id");
    query_int(q, 1, v->c->id);
    ListBuilder list = list_make(v->arena);
    Status parsed = OK;
    while (parsed == OK && query_next(q)) {
        ContextBuilder b = context_make(v->arena);
        int64_t state = query_col_int(q, 3), owner = query_col_int(q, 11);
        Value attributes = v_null();
        parsed = json_parse(query_col_keep(q, 9, v->arena), JSON_LAX, (JsonLimits){0}, v->arena,
                            &attributes, err);
        context_put_new(&b, S("id"), v_int(query_col_int(q, 0)));
        context_put_new(&b, S("node"), v_str(query_col_keep(q, 1, v->arena)));
        context_put_new(&b, S("name"), v_str(query_col_keep(q, 2, v->arena)));
        context_put_new(&b, S("state"), v_int(state));
        context_put_new(&b, S("open"), v_bool(state < TASK_DONE));
        context_put_new(&b, S("done"), v_bool(state == TASK_DONE));
        context_put_new(&b, S("opened_at"), stamp(query_col_int(q, 4), v->arena));
        context_put_new(&b, S("due"),
                        query_col_null(q, 5) ? v_null() : v_day((Day)query_col_int(q, 5)));
        context_put_new(&b, S("done_at"), stamp(query_col_int(q, 6), v->arena));
        Str unit = named(v, query_col_str(q, 12), query_col_str(q, 13));
        context_put_new(&b, S("unit"), v_str(arena_str(v->arena, unit)));
        context_put_new(&b, S("post"), v_str(query_col_keep(q, 14, v->arena)));
        bool held = actor_holds_post(v->actor, query_col_int(q, 10));
        bool post = held && state < TASK_DONE;
        v->held = v->held || held;
        bool mine = owner && owner == v->actor->account_id;
        context_put_new(&b, S("mine"), v_bool(mine && state < TASK_DONE));
        context_put_new(&b, S("may_claim"), v_bool(post && state == TASK_OPEN));
        context_put_new(&b, S("may_act"), v_bool(post && (state == TASK_OPEN || mine)));
        context_put_new(&b, S("attributes"), attributes);
        if (v->official) {
            context_put_new(&b, S("by"), v_str(query_col_keep(q, 15, v->arena)));
            context_put_new(&b, S("outcome"), v_str(query_col_keep(q, 7, v->arena)));
            context_put_new(&b, S("note"), v_str(query_col_keep(q, 8, v->arena)));
        }
        list_add(&list, context_done(&b));
    }
    Status st = query_done(q, parsed == OK ? err : NULL);
    v->tasks = list_done(&list);
    context_put_new(&v->out, S("tasks"), v->tasks);
    return parsed == OK ? st : parsed;
}

// "pass:通过,fail:不通过" → [{code, label}], and the form of each task the actor may do.
static Value actions_of(Str actions, Arena *a) {
    ListBuilder list = list_make(a);
    Str rest = str_empty(actions) ? S("pass:通过") : actions;
    while (rest.ptr) {
        Str one = str_cut(&rest, ',');
        Str code = str_trim(str_cut(&one, ':'));
        ContextBuilder b = context_make(a);
        context_put_new(&b, S("code"), v_str(code));
        context_put_new(&b, S("label"), v_str(str_empty(one) ? code : str_trim(one)));
        list_add(&list, context_done(&b));
    }
    return list_done(&list);
}

static void view_my_task(View *v) {
    for (size_t i = 0; i < v->tasks.len; i++) {
        Value t = v_at(v->tasks, i);
        if (!v_true(v_get_lit(t, "may_act"))) continue;
        Value attributes = v_get_lit(t, "attributes");
        t = v_with(t, S("actions"), actions_of(v_text(v_get_lit(attributes, "actions")), v->arena),
                   v->arena);
        Str form_name = v_text(v_get_lit(attributes, "form"));
        if (!str_empty(form_name) && v->c->item->task_form) {
            const Form *form = v->c->item->task_form(v->c->item, form_name);
            if (form) {
                Value model = form_model(form, v_null(), v->c->answers, v->lang, v->now, NULL, NULL,
                                         NULL, v->arena);
                t = v_with(t, S("form"), model, v->arena);
            }
        }
        context_put_new(&v->out, S("my_task"), t);
        return;
    }
}

static Status view_materials(View *v, Error *err) {
    static const Str names[] = {S_INIT("待补"), S_INIT("已收"), S_INIT("容缺"), S_INIT("免提交"),
                                S_INIT("退回")};
    Value rows;
    Status st = materials_read(v->db, v->c->id, v->arena, &rows, err);
    if (st != OK) return st;
    ListBuilder list = list_make(v->arena);
    for (size_t i = 0; i < rows.len; i++) {
        Value row = v_at(rows, i);
        int64_t state = v_to_int(v_get_lit(row, "state"), 0);
        Value due = v_get_lit(row, "promised_day");
        ContextBuilder more = context_make(v->arena);
        context_put_new(&more, S("state_name"),
                        v_str(state >= 0 && state < 5 ? names[state] : S("")));
        context_put_new(&more, S("due"), v_is_null(due) ? due : v_day((Day)v_to_int(due, 0)));
        context_put_new(&more, S("lacking"),
                        v_bool(state == MATERIAL_MISSING || state == MATERIAL_REJECTED ||
                               state == MATERIAL_TOLERATED));
        context_put_new(&more, S("has_file"),
                        v_bool(!str_empty(v_text(v_get_lit(row, "file_hash")))));
        Str code = v_text(v_get_lit(row, "code"));
        for (size_t k = 0; k < v->c->item->materials_count; k++) {
            const MaterialSpec *spec = &v->c->item->materials[k];
            if (!str_eq(spec->code, code)) continue;
            context_put_new(&more, S("tolerable"), v_bool(spec->tolerable));
            context_put(&more, S("name"), v_str(named(v, spec->name, spec->name_en)));
        }
        list_add(&list, v_merge(row, context_done(&more), v->arena));
    }
    v->materials = list_done(&list);
    context_put_new(&v->out, S("materials"), v->materials);
    return OK;
}

static Value shown_answer(const View *v, Value field) {
    Str shown = v_text(v_get_lit(field, "display"));
    bool hide = v_true(v_get_lit(field, "personal")) && !v->self;
    if (!hide) return v_str(shown);
    bool phone = str_eq(v_text(v_get_lit(field, "type")), S("phone"));
    return v_str(phone ? mask_phone(shown, v->arena) : mask_id(shown, v->arena));
}

// The rows of a table: labels and what to show, never the value behind a mask.
static Value table_rows(const View *v, Value rows) {
    ListBuilder list = list_make(v->arena);
    for (size_t i = 0; i < rows.len; i++) {
        Value fields = v_get_lit(v_at(rows, i), "fields");
        ListBuilder cells = list_make(v->arena);
        for (size_t k = 0; k < fields.len; k++) {
            ContextBuilder cell = context_make(v->arena);
            context_put_new(&cell, S("label"), v_get_lit(v_at(fields, k), "label"));
            context_put_new(&cell, S("display"), shown_answer(v, v_at(fields, k)));
            list_add(&cells, context_done(&cell));
        }
        ContextBuilder row = context_make(v->arena);
        context_put_new(&row, S("number"), v_get_lit(v_at(rows, i), "number"));
        context_put_new(&row, S("fields"), list_done(&cells));
        list_add(&list, context_done(&row));
    }
    return list_done(&list);
}

// Form answers as display rows: [{step, fields: [{label, display}]}]; personal ones masked unless
// own.
static void view_answers(View *v) {
    Value known = v_with(v_null(), S("situation"), v_get_lit(v->c->answers, "situation"), v->arena);
    known = v_with(known, S("parameters"), v->c->item->parameters, v->arena);
    Value model = form_model(v->c->item->form, v_get_lit(v->c->answers, "answers"), known, v->lang,
                             v->now, NULL, NULL, NULL, v->arena);
    Value steps = v_get_lit(model, "steps");
    ListBuilder out_steps = list_make(v->arena);
    for (size_t i = 0; i < steps.len; i++) {
        Value step = v_at(steps, i), fields = v_get_lit(step, "fields");
        ListBuilder rows = list_make(v->arena);
        for (size_t k = 0; k < fields.len; k++) {
            Value f = v_at(fields, k);
            ContextBuilder b = context_make(v->arena);
            context_put_new(&b, S("label"), v_get_lit(f, "label"));
            context_put_new(&b, S("display"), shown_answer(v, f));
            if (v_has(f, S("rows"))) {
                context_put_new(&b, S("columns"), v_get_lit(f, "columns"));
                context_put_new(&b, S("rows"), table_rows(v, v_get_lit(f, "rows")));
            }
            list_add(&rows, context_done(&b));
        }
        ContextBuilder s = context_make(v->arena);
        context_put_new(&s, S("title"), v_get_lit(step, "title"));
        context_put_new(&s, S("fields"), list_done(&rows));
        list_add(&out_steps, context_done(&s));
    }
    context_put_new(&v->out, S("answers"), list_done(&out_steps));
}

static Status view_letters(View *v, Error *err) {
    Query *q = query(v->db, "SELECT kind, number, code, created_at FROM letter WHERE case_id = ?1"
                            " ORDER BY id");
    query_int(q, 1, v->c->id);
    ListBuilder list = list_make(v->arena);
    while (query_next(q)) {
        ContextBuilder b = context_make(v->arena);
        context_put_new(&b, S("kind"), v_str(query_col_keep(q, 0, v->arena)));
        context_put_new(&b, S("name"), v_str(letter_kind_name(query_col_str(q, 0))));
        context_put_new(&b, S("number"), v_str(query_col_keep(q, 1, v->arena)));
        context_put_new(&b, S("code"), v_str(query_col_keep(q, 2, v->arena)));
        context_put_new(&b, S("created_at"), stamp(query_col_int(q, 3), v->arena));
        list_add(&list, context_done(&b));
    }
    context_put_new(&v->out, S("letters"), list_done(&list));
    return query_done(q, err);
}

// Applicants see what was done, not which clerk did it; nobody sees ratings here.
static Status view_events(View *v, Error *err) {
    Value rows;
    Status st = event_list(v->db, v->c->id, v->arena, &rows, err);
    if (st != OK) return st;
    ListBuilder list = list_make(v->arena), reasons = list_make(v->arena);
    for (size_t i = 0; i < rows.len; i++) {
        Value row = v_at(rows, i);
        Str kind = v_text(v_get_lit(row, "kind"));
        if (v->official && str_eq(kind, S("rule.decided"))) {
            Value at = v_instant(v_to_int(v_get_lit(row, "at"), 0), v->arena);
            list_add(&reasons, v_with(v_get_lit(row, "data"), S("at"), at, v->arena));
        }
        bool inner = str_eq(kind, S("case.rated")) || str_eq(kind, S("case.remarked")) ||
                     str_eq(kind, S("case.looked")) || str_eq(kind, S("case.file_opened")) ||
                     str_eq(kind, S("case.exported")) || str_starts(kind, S("task.")) ||
                     str_starts(kind, S("incident."));
        if (str_eq(kind, S("case.rated")) && !actor_has(v->actor, ROLE_AUDITADMIN)) continue;
        if (inner && !v->official && !str_eq(kind, S("task.completed"))) continue;
        ContextBuilder b = context_make(v->arena);
        if (actor_has(v->actor, ROLE_AUDITADMIN)) { // in a gap of the numbers others see a rating
            context_put_new(&b, S("id"), v_get_lit(row, "id"));
            context_put_new(&b, S("seq"), v_get_lit(row, "seq"));
        }
        context_put_new(&b, S("kind"), v_str(kind));
        context_put_new(&b, S("name"), v_str(event_kind_name(kind)));
        context_put_new(&b, S("at"), v_instant(v_to_int(v_get_lit(row, "at"), 0), v->arena));
        if (v->official) {
            context_put_new(&b, S("by"), v_get_lit(row, "actor_name"));
            context_put_new(&b, S("data"), v_get_lit(row, "data"));
            context_put_new(&b, S("hash"), v_get_lit(row, "hash"));
        }
        list_add(&list, context_done(&b));
    }
    context_put_new(&v->out, S("events"), list_done(&list));
    if (reasons.len) context_put_new(&v->out, S("reasons"), list_done(&reasons));
    return OK;
}

static Status view_children(View *v, Error *err) {
    Query *q = query(v->db, "SELECT c.number, i.name, i.name_en, c.state, c.outcome FROM cases c"
                            " JOIN item i ON i.id = c.item_id WHERE c.parent_id = ?1"
                            " AND i.code <> ?2 ORDER BY c.id");
    query_int(q, 1, v->c->id);
    query_str(q, 2, case_rectify_item());
    ListBuilder list = list_make(v->arena);
    while (query_next(q)) {
        ContextBuilder b = context_make(v->arena);
        context_put_new(&b, S("number"), v_str(query_col_keep(q, 0, v->arena)));
        Str item = named(v, query_col_str(q, 1), query_col_str(q, 2));
        context_put_new(&b, S("item"), v_str(arena_str(v->arena, item)));
        context_put_new(&b, S("state_name"),
                        v_str(case_state_name((CaseState)query_col_int(q, 3))));
        context_put_new(&b, S("outcome"), v_str(outcome_name((CaseOutcome)query_col_int(q, 4))));
        list_add(&list, context_done(&b));
    }
    context_put_new(&v->out, S("children"), list_done(&list));
    return query_done(q, err);
}

static Status view_ledger(View *v, Error *err) {
    Query *q = query(v->db, "SELECT ledger, amount_fen, booked_at, note FROM ledger_entry"
                            " WHERE case_id = ?1 ORDER BY id");
    query_int(q, 1, v->c->id);
    Value rows;
    Status st = query_rows(q, v->arena, &rows, err);
    if (st == OK) context_put_new(&v->out, S("ledger"), rows);
    return st;
}

static Status view_rating(View *v, Error *err) {
    Query *q = query(v->db, "SELECT COUNT(*) FROM rating WHERE case_id = ?1");
    query_int(q, 1, v->c->id);
    int64_t rated = 0;
    Status st = query_one_int(q, &rated, err);
    bool ended = v->c->decided_at || v->c->closed_at;
    if (st == OK && v->own) {
        context_put_new(&v->out, S("rated"), v_bool(rated > 0));
        context_put_new(&v->out, S("may_rate"), v_bool(ended && !rated));
        context_put_new(&v->out, S("rating_token"), v_str(rating_token(v->c->id, v->arena)));
    }
    return st;
}

static Status view_party(View *v, Error *err) {
    Value party;
    Status st = party_view(v->db, v->c->party_id, v->self, v->arena, &party, err);
    if (st == OK) context_put_new(&v->out, S("applicant"), party);
    return st;
}

static void action(ListBuilder *list, Str command, bool allowed) {
    if (allowed) list_add(list, v_str(command));
}

// The messages its flow waits for, by name; null when none.
static Value view_messages(View *v) {
    Value waits = v_get_lit(v->c->flow, "w");
    ListBuilder list = list_make(v->arena);
    for (size_t i = 0; waits.kind == V_LIST && i < waits.len; i++) {
        if (v_to_int(v_at(v_at(waits, i), 0), 0) == THROWN_MESSAGE) {
            list_add(&list, v_at(v_at(waits, i), 1));
        }
    }
    return list.len ? list_done(&list) : v_null();
}

static void view_actions(View *v) {
    const CaseRow *c = v->c;
    bool clerk = actor_has(v->actor, ROLE_CLERK), mine = clerk || v->own;
    bool open =
        c->state == CASE_RECEIVED || c->state == CASE_CORRECTING || c->state == CASE_APPROVAL;
    bool lacking = false, holder = false;
    for (size_t i = 0; i < v->materials.len; i++) {
        lacking = lacking || v_true(v_get_lit(v_at(v->materials, i), "lacking"));
    }
    for (size_t i = 0; i < v->tasks.len; i++) {
        holder = holder || v_true(v_get_lit(v_at(v->tasks, i), "may_act"));
    }
    ListBuilder list = list_make(v->arena);
    action(&list, S("case.accept"), clerk && c->state == CASE_RECEIVED);
    action(&list, S("case.correct"), clerk && c->state == CASE_RECEIVED);
    action(&list, S("case.refuse"), clerk && c->state == CASE_RECEIVED);
    action(&list, S("case.supplement"),
           mine && (c->state == CASE_CORRECTING || (c->state == CASE_APPROVAL && lacking)));
    action(&list, S("case.withdraw"), mine && open);
    bool approval = c->state == CASE_APPROVAL;
    action(&list, S("case.pause"), holder && approval && !c->paused);
    action(&list, S("case.resume"), holder && approval && c->paused);
    action(&list, S("case.extend"), actor_has(v->actor, ROLE_LEADER) && approval);
    Value messages = view_messages(v);
    bool concerned = c->handler_id == v->actor->account_id || v->held;
    bool tells = actor_has(v->actor, ROLE_CLERK | ROLE_APPROVER) && concerned;
    action(&list, S("case.message"), tells && approval && !v_is_null(messages));
    if (v->official) context_put_new(&v->out, S("messages"), messages);
    action(&list, S("case.deliver"), mine && c->state == CASE_DECIDED);
    action(&list, S("case.remark"), v->official);
    action(&list, S("case.look"),
           actor_has(v->actor, ROLE_CLERK | ROLE_APPROVER) &&
               (c->handler_id == v->actor->account_id || holder));
    Value actions = list_done(&list);
    context_put_new(&v->out, S("actions"), actions);
    ContextBuilder can = context_make(v->arena); // templates ask {{#if can.accept}}
    for (size_t i = 0; i < actions.len; i++) {
        context_put(&can, str_sub(v_text(v_at(actions, i)), 5, SIZE_MAX), v_bool(true));
    }
    context_put_new(&v->out, S("can"), context_done(&can));
}

// Whose turn it is, in words.
static void view_turn(View *v) {
    Str turn = S("");
    switch (v->c->state) {
    case CASE_RECEIVED: turn = S("等待窗口受理"); break;
    case CASE_CORRECTING: turn = S("等待申请人补正"); break;
    case CASE_DECIDED: turn = S("等待申请人领取结果"); break;
    case CASE_APPROVAL:
        turn = v_is_null(v_get_lit(v->c->flow, "i")) ? S("等待部门办理") : S("系统处理中");
        break;
    default: break;
    }
    context_put_new(&v->out, S("turn"), v_str(turn));
    ListBuilder who = list_make(v->arena);
    for (size_t i = 0; i < v->tasks.len; i++) {
        Value t = v_at(v->tasks, i);
        if (!v_true(v_get_lit(t, "open"))) continue;
        ContextBuilder b = context_make(v->arena);
        context_put_new(&b, S("unit"), v_get_lit(t, "unit"));
        context_put_new(&b, S("name"), v_get_lit(t, "name"));
        list_add(&who, context_done(&b));
    }
    context_put_new(&v->out, S("turn_units"), list_done(&who));
}

static Status view_flow(View *v, Error *err) {
    Value state = v_get_lit(v->c->flow, "s"), records = v_get_lit(v->c->flow, "r");
    Str svg;
    Status st = flow_draw(v->c->item->flow, state, records, v->lang, v->arena, &svg, err);
    if (st == OK) context_put_new(&v->out, S("flow_svg"), page_raw(svg));
    return st;
}

// The nodes at which tokens stand: not events that wait beside an activity, nor what is over.
static Value nodes_active(Value state, Arena *a) {
    Value tokens = v_get_lit(state, "t");
    ListBuilder list = list_make(a);
    for (uint32_t i = 0; tokens.kind == V_LIST && i < tokens.len; i++) {
        Value t = v_at(tokens, i);
        Str role = t.len > 3 ? v_text(v_at(t, 3)) : S("w");
        if (str_eq(role, S("w")) || str_eq(role, S("s")) || str_eq(role, S("m"))) {
            list_add(&list, v_at(t, 1));
        }
    }
    return list_done(&list);
}

Status case_flow(Db *db, const Actor *actor, Str number, Arena *a, Str *ret_xml,
                 int64_t *ret_version, Value *ret_state, Error *err) {
    CaseRow c;
    Errors errs = errors_make(a);
    Status st = case_load_number(db, number, a, &c, &errs);
    if (st == BUSY || st == BROKEN) return error_set(err, st, S("number"), "暂时读不到这个办件");
    if (st != OK || !may_see(&c, actor)) {
        return error_set(err, NOT_FOUND, S("number"), "没有这个办件，请核对办件编号");
    }
    Value records = v_get_lit(c.flow, "r");
    ContextBuilder b = context_make(a);
    if (records.kind != V_LIST) {
        ListBuilder none = list_make(a);
        records = list_done(&none);
    }
    context_put_new(&b, S("done"), records);
    context_put_new(&b, S("active"), nodes_active(v_get_lit(c.flow, "s"), a));
    *ret_xml = c.item->flow_xml;
    *ret_version = c.item_version_id;
    *ret_state = context_done(&b);
    return OK;
}

// What failed in the flow, for officials; the applicant is told that the system is at work.
static Status view_incidents(View *v, Error *err) {
    if (!v->official || v_is_null(v_get_lit(v->c->flow, "i"))) return OK;
    Value rows;
    Status st = incident_list(v->db, v->c->id, true, v->arena, &rows, err);
    if (st == OK) st = incident_names(v->db, v->lang, v->arena, &rows, err);
    if (st == OK) context_put_new(&v->out, S("incidents"), rows);
    return st;
}

// What the flow waits for, for officials: a due date and how it came about.
static Status view_timers(View *v, Error *err) {
    if (!v->official || v->c->state != CASE_APPROVAL) return OK;
    Value timers;
    Status st = timers_view(v->db, v->c, v->arena, &timers, err);
    if (st == OK && timers.len) context_put_new(&v->out, S("timers"), timers);
    return st;
}

Status case_view(CaseRoom *r, Db *db, const Actor *actor, Str number, Instant now, Str lang,
                 Arena *a, Value *ret, Error *err) {
    CaseRow c;
    Errors errs = errors_make(a);
    Status st = case_load_number(db, number, a, &c, &errs);
    if (st == OK && !may_see(&c, actor)) {
        st = errors_add(&errs, NOT_FOUND, S("number"), "没有这个办件，请核对办件编号");
    }
    if (st != OK) {
        if (err && errs.count) {
            st = error_fill(err, errs.items[0].status, errs.items[0].where, errs.items[0].text,
                            errs.items[0].args);
        }
        return st;
    }
    View v = {.room = r, .db = db, .actor = actor, .c = &c, .now = now, .lang = lang, .arena = a};
    v.own = case_is_own(&c, actor);
    v.self = case_is_self(&c, actor);
    v.official = actor_has(actor, ROLES_OFFICIAL | ROLE_SYSTEM | ROLE_AUDITADMIN);
    v.out = context_make(a);
    view_head(&v);
    static Status (*const parts[])(View *, Error *) = {
        view_units,  view_party,    view_tasks,  view_materials, view_letters,
        view_events, view_children, view_ledger,    view_rating,    view_flow,
        view_incidents, view_timers,
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        st = parts[i](&v, err);
        if (st != OK) return st;
    }
    view_my_task(&v);
    view_answers(&v);
    view_turn(&v);
    view_actions(&v);
    *ret = context_done(&v.out);
    return OK;
}

Status case_track(CaseRoom *r, Db *db, Str number, Str last_four, Instant now, Arena *a, Value *ret,
                  Error *err) {
    if (!case_number_valid(number)) {
        return error_set(err, INVALID, S("number"), "办件编号应为 21 位数字，请核对是否输错");
    }
    // Ten thousand endings would be tried in no time from many addresses.
    Str key = arena_printf(a, "track:%.*s", S_FMT(number));
    if (!throttle_allow(key, now, TRACK_PER_MINUTE_MAX)) {
        return error_set(err, LIMIT, S("number"), "这个办件查询太频繁，请一分钟后再试");
    }
    Query *q =
        query(db, "SELECT p.id_number, p.phone FROM cases c JOIN party p ON p.id = c.party_id"
                  " WHERE c.number = ?1");
    query_str(q, 1, number);
    bool match = false;
    while (query_next(q)) {
        Str id = query_col_str(q, 0), phone = query_col_str(q, 1);
        match = last_four.len == 4 &&
                (str_eq_nocase(str_sub(id, id.len - 4, id.len), last_four) ||
                 (phone.len >= 4 && str_eq(str_sub(phone, phone.len - 4, phone.len), last_four)));
    }
    Status st = query_done(q, err);
    if (st != OK) return st;
    if (!match) {
        return error_set(err, NOT_FOUND, S("last_four"),
                         "编号与证件号码或电话后四位不符，请核对后重试");
    }
    CaseRow c;
    Errors errs = errors_make(a);
    st = case_load_number(db, number, a, &c, &errs);
    if (st != OK) return error_set(err, st, S("number"), "没有这个办件，请核对办件编号");
    View v = {.room = r,
              .db = db,
              .actor = &actor_public,
              .c = &c,
              .now = now,
              .lang = S("zh"),
              .arena = a,
              .out = context_make(a)};
    view_head(&v);
    static Status (*const parts[])(View *, Error *) = {view_units, view_tasks, view_materials,
                                                       view_flow};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        st = parts[i](&v, err);
        if (st != OK) return st;
    }
    view_turn(&v);
    *ret = context_done(&v.out);
    return OK;
}
