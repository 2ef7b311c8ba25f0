// Runs a pack's examples without a database: guide, form, materials, then the flow, whose services
// are answered on the spot. Says of each example whether what came out is what it expects.
//
// States of an example: ineligible (the guide said no), wrong (the form refused), correcting
// (a material that is needed, not tolerable and not waived is missing), approval, decided.
#include "case/pack.h"

enum { OPEN_MAX = 200, QUEUE_MAX = 256 };

typedef struct OpenTask {
    int64_t token;
    Str node;
    Value attributes;
} OpenTask;

typedef struct Example {
    const Item *item;
    Arena *arena;
    Instant now;
    Value facts, state;
    FlowInput queue[QUEUE_MAX]; // waiting inputs
    size_t head, tail;
    OpenTask open[OPEN_MAX];
    size_t open_count;
    int64_t steps;
    bool decided, ended;
    Str outcome, ledger;
    int64_t ledger_fen;
    Str why; // empty: as expected so far
    // for who reads how it came about
    Str end; // state
    Value guide_trace, needed, wrong, notes;
    ListBuilder path, rules, differences;
} Example;

static void fail(Example *x, Str why) {
    if (x->why.len == 0) x->why = why.len ? why : S("?");
}
static void fail_error(Example *x, Str where, const Error *e) {
    Str parts[] = {where, S("："), e->where, S(" "), error_message(e, NULL, NULL, x->arena)};
    fail(x, arena_concat(x->arena, parts, 5));
}
static void fail_expected(Example *x, Str what, Str expected, Str got) {
    ContextBuilder b = context_make(x->arena);
    context_put_lit(&b, "what", v_str(what));
    context_put_lit(&b, "expected", v_str(expected));
    context_put_lit(&b, "found", v_str(got));
    list_add(&x->differences, context_done(&b));
    Str parts[] = {what, S("：应为 "), expected, S("，实为 "), got};
    fail(x, arena_concat(x->arena, parts, 5));
}

// ---- the flow's services ----

static void answer(Example *x, int64_t token, Value values) {
    if (x->tail == QUEUE_MAX || ++x->steps > EXAMPLE_STEPS_MAX) {
        fail(x, S("流程自动步骤过多"));
        return;
    }
    x->queue[x->tail++] = (FlowInput){.kind = FLOW_COMPLETE, .token = token, .values = values,
                                      .facts = x->facts};
}

static void rule(Example *x, const FlowEffect *fx) {
    Str decision = v_text(v_get_lit(fx->attributes, "decision"));
    Str name = v_text(v_get_lit(fx->attributes, "result"));
    Error e = {.status = OK};
    DmnResult result;
    if (!x->item->rules) {
        fail(x, S("没有 rules.dmn"));
        return;
    }
    Value input = v_merge(x->facts, flow_variables(x->state), x->arena);
    for (size_t i = 0; i < dmn_input_count(x->item->rules); i++) {
        Str known = dmn_input_name(x->item->rules, i);
        if (!v_has(input, known)) input = v_with(input, known, v_null(), x->arena);
    }
    if (dmn_decide(x->item->rules, decision, input, x->now, x->arena, &result, &e) != OK) {
        fail_error(x, fx->node, &e);
        return;
    }
    ContextBuilder fired = context_make(x->arena);
    context_put_lit(&fired, "node", v_str(fx->node));
    context_put_lit(&fired, "decision", v_str(decision));
    context_put_lit(&fired, "trace", result.trace);
    context_put_lit(&fired, "result", result.value);
    list_add(&x->rules, context_done(&fired));
    ContextBuilder b = context_make(x->arena);
    context_put(&b, name.len ? name : decision, result.value);
    answer(x, fx->token, context_done(&b));
}

static void service(Example *x, const FlowEffect *fx) {
    Value attributes = fx->attributes;
    Str name = v_text(v_get_lit(attributes, "service"));
    if (v_has(attributes, S("decision"))) {
        rule(x, fx);
        return;
    }
    if (str_eq(name, S("decide"))) {
        Str outcome = v_text(v_get_lit(attributes, "outcome"));
        if (!str_eq(outcome, S("granted")) && !str_eq(outcome, S("refused"))) {
            fail_expected(x, fx->node, S("granted | refused"), outcome);
        }
        x->decided = true;
        x->outcome = outcome;
    } else if (str_eq(name, S("pay"))) {
        int64_t fen = v_to_int(v_get_lit(attributes, "amount"), -1);
        if (fen <= 0) fail_expected(x, fx->node, S("yz:amount > 0"),
                                    v_to_str(v_get_lit(attributes, "amount"), x->arena));
        x->ledger = v_text(v_get_lit(attributes, "ledger"));
        x->ledger_fen += fen;
    }
    Value values = v_null();
    if (str_eq(name, S("open"))) { // its part is granted
        ContextBuilder b = context_make(x->arena);
        context_put(&b, v_text(v_get_lit(attributes, "item")), v_lit("准予"));
        values = context_done(&b);
    }
    answer(x, fx->token, values);
}

static void task_opened(Example *x, const FlowEffect *fx) {
    Str post = v_text(v_get_lit(fx->attributes, "post"));
    if (!pack_code_valid(post)) fail_expected(x, fx->node, S("yz:post"), post);
    if (x->open_count == OPEN_MAX) {
        fail(x, S("待办过多"));
        return;
    }
    x->open[x->open_count++] = (OpenTask){fx->token, fx->node, fx->attributes};
}

static void task_closed(Example *x, int64_t token) {
    for (size_t i = 0; i < x->open_count; i++) {
        if (x->open[i].token != token) continue;
        x->open_count--;
        memmove(&x->open[i], &x->open[i + 1], (x->open_count - i) * sizeof *x->open);
        return;
    }
}

static void carry_out(Example *x, const FlowEffect *fx) {
    switch (fx->kind) {
    case FLOW_OPEN_TASK: task_opened(x, fx); return;
    case FLOW_CLOSE_TASK: task_closed(x, fx->token); return;
    case FLOW_CALL_SERVICE: service(x, fx); return;
    case FLOW_ENDED:
        if (!x->decided) fail(x, S("流程结束时没有作出决定"));
        return;
    case FLOW_RECORD: list_add(&x->path, v_str(fx->node)); return;
    case FLOW_SET_TIMER:
    case FLOW_CLEAR_TIMER:
    case FLOW_THROW_MESSAGE:
    case FLOW_THROW_SIGNAL:
    case FLOW_ESCALATED: return;
    case FLOW_FAILED: fail_expected(x, fx->node, S("FLOW_ENDED"), fx->name); return;
    }
}

static void feed(Example *x, FlowInput input) {
    x->head = 0;
    x->tail = 0;
    input.facts = x->facts;
    x->queue[x->tail++] = input;
    while (x->head < x->tail && x->why.len == 0 && !x->ended) {
        FlowInput next = x->queue[x->head++];
        FlowStep step;
        Error e = {.status = OK};
        if (flow_step(x->item->flow, x->state, &next, x->now, x->arena, &step, &e) != OK) {
            fail_error(x, S("flow.bpmn"), &e);
            return;
        }
        x->state = step.state;
        x->ended = step.ended;
        if (step.stuck) fail(x, S("流程停住了，汇合的分支不会到达"));
        if (x->head == x->tail) x->head = x->tail = 0;
        for (size_t i = 0; i < step.effects_count; i++) carry_out(x, &step.effects[i]);
    }
}

// ---- tasks ----

static Value task_answers(Example *x, const OpenTask *task, Value raw) {
    Str name = v_text(v_get_lit(task->attributes, "form"));
    const Form *form = name.len ? x->item->task_form(x->item, name) : NULL;
    ContextBuilder none = context_make(x->arena);
    if (!form) return raw.kind == V_CONTEXT ? raw : context_done(&none);
    Errors errs = errors_make(x->arena);
    Value answers = context_done(&none);
    Value known = v_merge(x->facts, flow_variables(x->state), x->arena);
    if (form_check(form, raw, known, false, x->now, x->arena, &answers, &errs) != OK &&
        errs.count) {
        fail_error(x, name, &errs.items[0]);
    }
    return answers;
}

static void task_do(Example *x, Value given) {
    Str node = v_text(v_get_lit(given, "node"));
    OpenTask task = {.node = S("")};
    for (size_t i = 0; i < x->open_count && task.node.len == 0; i++) {
        if (str_eq(x->open[i].node, node)) task = x->open[i];
    }
    if (task.node.len == 0) {
        fail_expected(x, S("待办"), node, S("没有这个待办"));
        return;
    }
    Value answers = task_answers(x, &task, v_get_lit(given, "answers"));
    ContextBuilder b = context_make(x->arena), values = context_make(x->arena);
    context_put_lit(&b, "outcome", v_get_lit(given, "outcome"));
    context_put_lit(&b, "note", v_str(v_text(v_get_lit(given, "note"))));
    context_put_lit(&b, "by", v_int(0));
    context_put_lit(&b, "answers", answers);
    context_put(&values, node, context_done(&b));
    task_closed(x, task.token);
    if (x->why.len) return;
    feed(x, (FlowInput){.kind = FLOW_COMPLETE, .token = task.token,
                        .values = context_done(&values)});
}

// ---- comparing ----

static bool has_text(Value list, Str text) {
    for (uint32_t i = 0; list.kind == V_LIST && i < list.len; i++) {
        if (str_eq(v_text(v_at(list, i)), text)) return true;
    }
    return false;
}

// The same texts, regardless of order.
static bool same_texts(Value a, Value b) {
    if (a.kind != V_LIST || b.kind != V_LIST || a.len != b.len) return false;
    for (uint32_t i = 0; i < a.len; i++) {
        if (!has_text(b, v_text(v_at(a, i)))) return false;
    }
    return true;
}

static void expect_texts(Example *x, Str what, Value expected, Value got) {
    if (v_is_null(expected) || same_texts(expected, got)) return;
    fail_expected(x, what, json_to_str(expected, x->arena), json_to_str(got, x->arena));
}

static void expect_value(Example *x, Str what, Value expected, Value got) {
    if (v_equal(expected, got)) return;
    fail_expected(x, what, json_to_str(expected, x->arena), json_to_str(got, x->arena));
}

static Value needed_codes(Example *x, Value guide) {
    Value materials = v_get_lit(guide, "materials");
    ListBuilder codes = list_make(x->arena);
    for (uint32_t i = 0; i < materials.len; i++) {
        Value m = v_at(materials, i);
        if (v_true(v_get_lit(m, "needed"))) list_add(&codes, v_get_lit(m, "code"));
    }
    return list_done(&codes);
}

static void expect_guide(Example *x, Value expected, Value guide) {
    for (uint32_t i = 0; expected.kind == V_CONTEXT && i < expected.len; i++) {
        Str key = expected.as.entries[i].key;
        Value value = expected.as.entries[i].value;
        if (str_eq(key, S("materials"))) {
            expect_texts(x, S("guide.materials"), value, needed_codes(x, guide));
        } else if (value.kind == V_LIST) {
            expect_texts(x, key, value, v_get(guide, key));
        } else {
            expect_value(x, key, value, v_get(guide, key));
        }
    }
}

static void expect_flow(Example *x, Value expect, Str state) {
    x->end = state;
    Value wanted = v_get_lit(expect, "state"), outcome = v_get_lit(expect, "outcome");
    if (!v_is_null(wanted)) expect_value(x, S("state"), wanted, v_str(state));
    if (!v_is_null(outcome)) expect_value(x, S("outcome"), outcome, v_str(x->outcome));
    ListBuilder open = list_make(x->arena);
    for (size_t i = 0; i < x->open_count && !x->decided; i++) {
        list_add(&open, v_str(x->open[i].node));
    }
    expect_texts(x, S("open_tasks"), v_get_lit(expect, "open_tasks"), list_done(&open));
    Value variables = v_get_lit(expect, "variables"), got = flow_variables(x->state);
    for (uint32_t i = 0; variables.kind == V_CONTEXT && i < variables.len; i++) {
        const Entry *e = &variables.as.entries[i];
        expect_value(x, e->key, e->value, v_path(got, e->key));
    }
    Value ledger = v_get_lit(expect, "ledger");
    if (ledger.kind == V_CONTEXT) {
        expect_value(x, S("ledger.code"), v_get_lit(ledger, "code"), v_str(x->ledger));
        expect_value(x, S("ledger.amount_fen"), v_get_lit(ledger, "amount_fen"),
                     v_int(x->ledger_fen));
    }
}

// ---- one example ----

static Value item_fact(const Item *item, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "code", v_str(item->code));
    context_put_lit(&b, "name", v_str(item->name));
    context_put_lit(&b, "unit", v_get_lit(item->spec, "unit"));
    context_put_lit(&b, "case_kind", v_int(item->case_kind));
    context_put_lit(&b, "parameters", item->parameters);
    return context_done(&b);
}

// Is something missing that can be neither tolerated nor waived? Unknown codes are a fault.
static bool must_correct(Example *x, Value guide, Value handed) {
    Value materials = v_get_lit(guide, "materials");
    bool missing = false;
    for (uint32_t i = 0; i < materials.len; i++) {
        Value m = v_at(materials, i);
        if (!v_true(v_get_lit(m, "needed")) || v_true(v_get_lit(m, "tolerable")) ||
            v_true(v_get_lit(m, "waivable"))) {
            continue;
        }
        missing = missing || !has_text(handed, v_text(v_get_lit(m, "code")));
    }
    for (uint32_t i = 0; handed.kind == V_LIST && i < handed.len; i++) {
        bool known = false;
        for (uint32_t k = 0; k < materials.len; k++) {
            known = known || v_equal(v_get_lit(v_at(materials, k), "code"), v_at(handed, i));
        }
        if (!known) fail_expected(x, S("materials"), S("item.json"), v_text(v_at(handed, i)));
    }
    return missing;
}

// The form. Returns false when the example ends here.
static bool form_step(Example *x, Value example, Value guide, Value *ret_answers) {
    Value expect = v_get_lit(example, "expect");
    Value expected = v_get_lit(expect, "errors");
    Errors errs = errors_make(x->arena);
    ContextBuilder known = context_make(x->arena);
    context_put_lit(&known, "applicant", v_get_lit(example, "applicant"));
    context_put_lit(&known, "situation", v_get_lit(guide, "situation"));
    context_put_lit(&known, "parameters", x->item->parameters);
    context_put_lit(&known, "hide_steps", v_get_lit(guide, "hide_steps"));
    Status st = form_check(x->item->form, v_get_lit(example, "answers"), context_done(&known),
                           false, x->now, x->arena, ret_answers, &errs);
    ListBuilder wrong = list_make(x->arena);
    for (size_t i = 0; i < errs.count; i++) list_add(&wrong, v_str(errs.items[i].where));
    x->wrong = list_done(&wrong);
    if (!v_is_null(expected)) {
        expect_texts(x, S("errors"), expected, list_done(&wrong));
        if (st != OK) expect_flow(x, expect, S("wrong"));
        return st == OK;
    }
    if (st != OK && errs.count) fail_error(x, S("form.json"), &errs.items[0]);
    return st == OK;
}

static void example_run(Example *x, Value example) {
    Value expect = v_get_lit(example, "expect"), guide, answers, handed;
    Error e = {.status = OK};
    handed = v_get_lit(example, "materials");
    Value situation = v_get_lit(example, "situation");
    if (item_guide(x->item, situation, x->now, x->arena, &guide, &e) != OK) {
        fail_error(x, S("guide.dmn"), &e);
        return;
    }
    x->guide_trace = v_get_lit(guide, "trace");
    x->needed = needed_codes(x, guide);
    x->notes = v_get_lit(guide, "notes");
    expect_guide(x, v_get_lit(expect, "guide"), guide);
    if (!v_true(v_get_lit(guide, "eligible"))) {
        expect_flow(x, expect, S("ineligible"));
        return;
    }
    if (!form_step(x, example, guide, &answers)) return;
    if (must_correct(x, guide, handed)) {
        expect_flow(x, expect, S("correcting"));
        return;
    }
    ContextBuilder facts = context_make(x->arena);
    context_put_lit(&facts, "answers", answers);
    context_put_lit(&facts, "situation", v_get_lit(guide, "situation"));
    context_put_lit(&facts, "item", item_fact(x->item, x->arena));
    context_put_lit(&facts, "parameters", x->item->parameters);
    context_put_lit(&facts, "applicant", v_get_lit(example, "applicant"));
    context_put_lit(&facts, "town", v_get_lit(example, "town"));
    context_put_lit(&facts, "channel", v_lit("online"));
    x->facts = context_done(&facts);
    feed(x, (FlowInput){.kind = FLOW_START, .values = v_null()});
    Value tasks = v_get_lit(example, "tasks");
    for (uint32_t i = 0; tasks.kind == V_LIST && i < tasks.len && x->why.len == 0; i++) {
        task_do(x, v_at(tasks, i));
    }
    expect_flow(x, expect, x->decided ? S("decided") : S("approval"));
}

// "2023-03-01T09:00:00+08:00"; the time of day is read to the minute.
static Instant example_now(Value example, Instant otherwise) {
    Str text = v_text(v_get_lit(example, "now"));
    int64_t hour = 0, minute = 0;
    Day day;
    if (!day_parse(str_sub(text, 0, 10), &day)) return otherwise;
    if (!str_to_int(str_sub(text, 11, 13), &hour)) hour = 0;
    if (!str_to_int(str_sub(text, 14, 16), &minute)) minute = 0;
    return day_instant(day, (int32_t)(hour * 3600 + minute * 60));
}

// How it came about, in data: the drawing and the tables say the rest.
static void example_story(const Example *x, ContextBuilder *b) {
    ListBuilder open = list_make(x->arena);
    for (size_t i = 0; i < x->open_count && !x->decided; i++) {
        list_add(&open, v_str(x->open[i].node));
    }
    context_put_lit(b, "state", v_str(x->end));
    context_put_lit(b, "outcome", v_str(x->outcome));
    context_put_lit(b, "path", list_done(&x->path));
    context_put_lit(b, "open", list_done(&open));
    context_put_lit(b, "guide", x->guide_trace);
    context_put_lit(b, "needed", x->needed);
    context_put_lit(b, "notes", x->notes);
    context_put_lit(b, "wrong", x->wrong);
    context_put_lit(b, "rules", list_done(&x->rules));
    context_put_lit(b, "differences", list_done(&x->differences));
    context_put_lit(b, "variables", flow_variables(x->state));
    context_put_lit(b, "ledger", v_str(x->ledger));
    context_put_lit(b, "ledger_fen", v_int(x->ledger_fen));
}

static Value example_report(const Item *item, Str path, Str text, Instant now, Arena *a,
                            Errors *errs) {
    Example *x = arena_new(a, Example);
    *x = (Example){.item = item, .arena = a, .now = now, .state = v_null(),
                   .guide_trace = v_null(), .needed = v_null(), .wrong = v_null(),
                   .notes = v_null(), .path = list_make(a), .rules = list_make(a),
                   .differences = list_make(a)};
    Value example = v_null();
    Error e = {.status = OK};
    Errors faults = errors_make(a);
    Item *varied = arena_new(a, Item);
    if (json_parse(text, JSON_STRICT, (JsonLimits){0}, a, &example, &e) != OK) {
        fail_error(x, path, &e);
    } else if (item_override(item, v_get_lit(example, "item"), a, varied, &faults) != OK) {
        fail_error(x, S("item"), &faults.items[0]);
    } else {
        x->item = varied;
        x->now = example_now(example, now);
        example_run(x, example);
    }
    bool ok = x->why.len == 0;
    Str title = v_text(v_get_lit(example, "title"));
    if (!ok) (void)errors_add(errs, INVALID, path, "示例“{1}”不符：{2}", title, x->why);
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "file", v_str(path));
    context_put_lit(&b, "title", v_str(title));
    context_put_lit(&b, "ok", v_bool(ok));
    context_put_lit(&b, "why", v_str(x->why));
    example_story(x, &b);
    return context_done(&b);
}

Status pack_examples(const Item *item, Value files, Instant now, Arena *a, Value *ret_report,
                     Errors *errs) {
    size_t before = errs->count;
    ListBuilder report = list_make(a);
    Instant usual = now ? now : day_instant(day_from_civil((Civil){2023, 3, 1}), 9 * 3600);
    for (uint32_t i = 0; files.kind == V_CONTEXT && i < files.len; i++) {
        const Entry *f = &files.as.entries[i];
        if (pack_path_name(f->key, S("examples/"), S(".json")).len == 0) continue;
        list_add(&report, example_report(item, f->key, v_text(f->value), usual, a, errs));
    }
    *ret_report = list_done(&report);
    return pack_faults_since(errs, before);
}
