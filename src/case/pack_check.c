// Do the parts of a pack fit one another? The guide against the questions, materials and form
// steps (by trying every combination of answers, up to GUIDE_RUNS_MAX), the flow against posts'
// syntax, actions, forms, decisions and letters; and that no way through the flow ends without a
// decision. Every fault is collected.
#include "case/calendar.h"
#include "case/pack.h"

enum { GUIDE_MEMORY_MAX = 64 << 20 };

typedef struct Check {
    const Item *item;
    Value files;
    Arena *arena;
    PackFault flow, guide;
    Value outline; // of the flow
    Value form_schema;
} Check;

static Value member(Value v, const char *name) { return v_get(v, str_z(name)); }

// ---- the guide ----

static bool material_known(const Item *item, Str code) {
    for (size_t i = 0; i < item->materials_count; i++) {
        if (str_eq(item->materials[i].code, code)) return true;
    }
    return false;
}

static bool step_known(Value schema, Str id) {
    Value steps = v_get_lit(schema, "steps");
    for (uint32_t i = 0; steps.kind == V_LIST && i < steps.len; i++) {
        if (str_eq(v_text(v_get_lit(v_at(steps, i), "id")), id)) return true;
    }
    return false;
}

// The answers as text, to say in a fault which combination is meant.
static Str situation_text(Value situation, Arena *a) { return json_to_str(situation, a); }

static bool texts(Value list) {
    if (list.kind != V_LIST) return false;
    for (uint32_t i = 0; i < list.len; i++) {
        if (v_at(list, i).kind != V_STRING) return false;
    }
    return true;
}

// One combination. False when a fault was found: the first is enough, the others are its like.
static bool guide_answer_check(const Check *c, Value situation, Value answer, Arena *scratch) {
    Str said = situation_text(situation, scratch);
    if (answer.kind != V_CONTEXT) {
        pack_fault(&c->guide, S("guide"), "情形 {1} 没有结果", said);
        return false;
    }
    Value materials = v_get_lit(answer, "materials"), hide = v_get_lit(answer, "hide_steps");
    Value notes = v_get_lit(answer, "notes");
    bool refused = v_get_lit(answer, "eligible").kind == V_BOOL &&
                   !v_true(v_get_lit(answer, "eligible"));
    if (refused && v_text(v_get_lit(answer, "reason")).len == 0) {
        pack_fault(&c->guide, S("guide"), "情形 {1} 不符合条件却没有说明理由（reason）", said);
        return false;
    }
    if ((!refused && !texts(materials)) || (!v_is_null(hide) && !texts(hide)) ||
        (!v_is_null(notes) && !texts(notes))) {
        pack_fault(&c->guide, S("guide"),
                   "情形 {1} 的 materials、hide_steps 或 notes 不是文字的列表", said);
        return false;
    }
    bool good = true;
    for (uint32_t i = 0; materials.kind == V_LIST && i < materials.len; i++) {
        Str code = v_text(v_at(materials, i));
        if (material_known(c->item, code)) continue;
        pack_fault(&c->guide, S("guide"), "材料“{1}”不在 item.json 的清单里（情形 {2}）", code, said);
        good = false;
    }
    for (uint32_t i = 0; hide.kind == V_LIST && i < hide.len; i++) {
        Str id = v_text(v_at(hide, i));
        if (step_known(c->form_schema, id)) continue;
        pack_fault(&c->guide, S("guide"), "表单没有步骤“{1}”（情形 {2}）", id, said);
        good = false;
    }
    return good;
}

typedef struct GuideTry {
    const Check *check;
    Value questions;
    Arena *scratch;
    uint32_t picked[ITEM_QUESTIONS_MAX]; // option of each question
    bool asked[ITEM_QUESTIONS_MAX];
    int32_t runs;
} GuideTry;

// The answers picked so far, as the guide will see them.
static Value picked_answers(const GuideTry *t, uint32_t count) {
    ContextBuilder b = context_make(t->scratch);
    for (uint32_t i = 0; i < count; i++) {
        Value question = v_at(t->questions, i);
        if (!t->asked[i]) continue;
        Value option = v_at(v_get_lit(question, "options"), t->picked[i]);
        context_put(&b, v_text(v_get_lit(question, "name")), v_get_lit(option, "value"));
    }
    return context_done(&b);
}

static bool guide_try_one(GuideTry *t) {
    const DmnModel *guide = t->check->item->guide;
    Value situation = picked_answers(t, t->questions.len), input = situation;
    DmnResult result;
    Error e = {.status = OK};
    for (size_t i = 0; i < dmn_input_count(guide); i++) {
        Str name = dmn_input_name(guide, i);
        if (!v_has(input, name)) input = v_with(input, name, v_null(), t->scratch);
    }
    if (dmn_decide(guide, S("guide"), input, 0, t->scratch, &result, &e) != OK) {
        error_at(&e, S("guide.dmn"));
        (void)errors_push(t->check->guide.errs, &e);
        return false;
    }
    return guide_answer_check(t->check, situation, result.value, t->scratch);
}

// All answers to question `at` and those behind it. False: stop, a fault was found.
static bool guide_try_from(GuideTry *t, uint32_t at) {
    if (t->runs >= GUIDE_RUNS_MAX) return true;
    if (at == t->questions.len) {
        ArenaMark mark = arena_mark(t->scratch);
        t->runs++;
        bool good = guide_try_one(t);
        arena_rewind(t->scratch, mark);
        return good;
    }
    Value question = v_at(t->questions, at);
    ArenaMark mark = arena_mark(t->scratch);
    bool asked = item_question_asked(question, picked_answers(t, at), t->scratch);
    arena_rewind(t->scratch, mark);
    t->asked[at] = asked;
    if (!asked) return guide_try_from(t, at + 1);
    uint32_t options = v_get_lit(question, "options").len;
    for (uint32_t i = 0; i < options; i++) {
        t->picked[at] = i;
        if (!guide_try_from(t, at + 1)) return false;
    }
    return true;
}

static void guide_try(const Check *c, Value questions) {
    GuideTry *t = arena_new(c->arena, GuideTry);
    ARENA_AUTO scratch = arena_create(GUIDE_MEMORY_MAX);
    jmp_buf full;
    *t = (GuideTry){.check = c, .questions = questions, .scratch = scratch};
    if (setjmp(full)) {
        pack_fault(&c->guide, S("guide"), "指南的计算占用内存过多");
        return;
    }
    (void)arena_on_limit(scratch, &full);
    bool good = guide_try_from(t, 0);
    (void)good; // its fault is said
}

static void guide_check(const Check *c) {
    const DmnModel *guide = c->item->guide;
    Value questions = v_get_lit(c->item->spec, "questions");
    if (!guide) return;
    if (questions.kind != V_LIST || questions.len == 0) {
        pack_fault(&c->guide, S(""), "有指南的事项应在 item.json 里写明问题（questions）");
        return;
    }
    bool named = false, inputs_known = true;
    for (size_t i = 0; i < dmn_decision_count(guide); i++) {
        named = named || str_eq(dmn_decision_name(guide, i), S("guide"));
    }
    if (!named) pack_fault(&c->guide, S(""), "指南里应有名为 guide 的决策");
    for (size_t i = 0; i < dmn_input_count(guide); i++) {
        Str name = dmn_input_name(guide, i);
        bool known = false;
        for (uint32_t k = 0; k < questions.len; k++) {
            known = known || str_eq(v_text(v_get_lit(v_at(questions, k), "name")), name);
        }
        if (known) continue;
        pack_fault(&c->guide, name, "指南的输入“{1}”不是 item.json 里的问题", name);
        inputs_known = false;
    }
    if (named && inputs_known) guide_try(c, questions);
}

// ---- the flow's steps ----

static bool is_expression(Str text) { return str_starts(text, S("=")); }

static void days_check(const Check *c, Str id, Str text) {
    int64_t days = 0;
    if (text.len == 0 || is_expression(text)) return;
    if (str_to_int(text, &days) && days >= 0 && days <= CALENDAR_ADD_MAX) return;
    pack_fault(&c->flow, id, "工作日数 yz:days “{1}”应为 0 至 2000 的整数", text);
}

// "pass:通过,fail:不通过"
static void actions_check(const Check *c, Str id, Str text) {
    if (text.len == 0 || is_expression(text)) return;
    Str rest = text;
    while (rest.ptr) {
        Str label = str_cut(&rest, ',');
        Str code = str_trim(str_cut(&label, ':'));
        if (pack_code_valid(code) && str_utf8_valid(label)) continue;
        pack_fault(&c->flow, id, "yz:actions 应写成 pass:通过,fail:不通过，这里是“{1}”", text);
        return;
    }
}

static void user_task_check(const Check *c, Str id, Value attributes) {
    Str post = v_text(v_get_lit(attributes, "post"));
    Str form = v_text(v_get_lit(attributes, "form"));
    Str clock = v_text(v_get_lit(attributes, "clock"));
    if (post.len == 0) {
        pack_fault(&c->flow, id, "环节没有写明岗位（yz:post）");
    } else if (!is_expression(post) && !pack_code_valid(post)) {
        pack_fault(&c->flow, id, "岗位编码“{1}”写法不对", post);
    }
    days_check(c, id, v_text(v_get_lit(attributes, "days")));
    actions_check(c, id, v_text(v_get_lit(attributes, "actions")));
    if (form.len > 0 && !is_expression(form) && !c->item->task_form(c->item, form)) {
        pack_fault(&c->flow, id, "没有表单文件 forms/{1}.json", form);
    }
    if (clock.len > 0 && !str_eq(clock, S("stop"))) {
        pack_fault(&c->flow, id, "yz:clock 只能是 stop");
    }
    if (str_eq(clock, S("stop")) && v_text(v_get_lit(attributes, "reason")).len == 0) {
        pack_fault(&c->flow, id, "停钟的环节应写明理由（yz:reason），要书面告知申请人");
    }
}

static void rule_check(const Check *c, Str id, Str decision) {
    if (decision.len == 0) {
        pack_fault(&c->flow, id, "业务规则环节没有写明决策（yz:decision）");
        return;
    }
    if (is_expression(decision)) return;
    for (size_t i = 0; c->item->rules && i < dmn_decision_count(c->item->rules); i++) {
        if (str_eq(dmn_decision_name(c->item->rules, i), decision)) return;
    }
    pack_fault(&c->flow, id, "rules.dmn 里没有决策“{1}”", decision);
}

static void service_check(const Check *c, Str id, Value attributes) {
    static const struct {
        Str name;
        const char *needs[3];
    } services[] = {
        {S_INIT("decide"), {"outcome", NULL, NULL}},
        {S_INIT("register"), {"register", NULL, NULL}},
        {S_INIT("pay"), {"ledger", "amount", NULL}},
        {S_INIT("letter"), {"letter", NULL, NULL}},
        {S_INIT("open"), {"item", NULL, NULL}},
    };
    Str name = v_text(v_get_lit(attributes, "service"));
    bool known = false;
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        if (!str_eq(services[i].name, name)) continue;
        known = true;
        for (size_t k = 0; k < 3 && services[i].needs[k]; k++) {
            if (v_text(member(attributes, services[i].needs[k])).len > 0) continue;
            pack_fault(&c->flow, id, "服务“{1}”缺少 yz:{2}", name, str_z(services[i].needs[k]));
        }
    }
    if (!known) pack_fault(&c->flow, id, "没有服务“{1}”", name);
    Str outcome = v_text(v_get_lit(attributes, "outcome"));
    if (str_eq(name, S("decide")) && outcome.len > 0 && !is_expression(outcome) &&
        !str_eq(outcome, S("granted")) && !str_eq(outcome, S("refused"))) {
        pack_fault(&c->flow, id, "yz:outcome 只能是 granted 或 refused，这里是“{1}”", outcome);
    }
    Str letter = v_text(v_get_lit(attributes, "letter"));
    if (str_eq(name, S("letter")) && letter.len > 0 && !is_expression(letter) &&
        !templates_find(c->item->letters, letter)) {
        pack_fault(&c->flow, id, "没有文书模板 letters/{1}.txt", letter);
    }
}

// ---- names the flow's attributes read ----

// Facts of the case, and whatever the flow itself names: ids of its nodes, its variables, and texts
// of attributes that are names (results).
static bool name_known(const Check *c, Str name) {
    static const Str facts[] = {S_INIT("answers"),   S_INIT("situation"), S_INIT("item"),
                                S_INIT("parameters"), S_INIT("applicant"), S_INIT("channel"),
                                S_INIT("town"),       S_INIT("?")};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        if (str_eq(facts[i], name)) return true;
    }
    Value variables = v_get_lit(c->outline, "variables");
    for (uint32_t i = 0; i < variables.len; i++) {
        if (str_eq(v_text(v_at(variables, i)), name)) return true;
    }
    Value nodes = v_get_lit(c->outline, "nodes");
    for (uint32_t i = 0; i < nodes.len; i++) {
        Value node = v_at(nodes, i), attributes = v_get_lit(node, "attributes");
        if (str_eq(v_text(v_get_lit(node, "id")), name)) return true;
        for (uint32_t k = 0; attributes.kind == V_CONTEXT && k < attributes.len; k++) {
            if (str_eq(v_text(attributes.as.entries[k].value), name)) return true;
        }
    }
    return false;
}

static void reads_check(const Check *c, Str id, Value attributes) {
    for (uint32_t i = 0; attributes.kind == V_CONTEXT && i < attributes.len; i++) {
        Str text = v_text(attributes.as.entries[i].value);
        const FeelExpr *expr;
        Str *names;
        size_t count = 0;
        Error e = {.status = OK};
        if (!is_expression(text)) continue;
        if (feel_parse(str_sub(text, 1, text.len), NULL, 0, c->arena, &expr, &e) != OK) continue;
        feel_reads(expr, c->arena, &names, &count);
        for (size_t k = 0; k < count; k++) {
            if (name_known(c, names[k])) continue;
            pack_fault(&c->flow, id, "yz:{1} 里的“{2}”既不是案件的数据也不是流程的变量",
                       attributes.as.entries[i].key, names[k]);
        }
    }
}

// ---- every way ends in a decision ----

static bool decides(const Check *c, Value node) {
    if (str_eq(v_text(v_path(node, S("attributes.service"))), S("decide"))) return true;
    if (!str_eq(v_text(v_get_lit(node, "kind")), S("subProcess"))) return false;
    Value nodes = v_get_lit(c->outline, "nodes");
    for (uint32_t i = 0; i < nodes.len; i++) {
        Value inner = v_at(nodes, i);
        if (v_equal(v_get_lit(inner, "parent"), v_get_lit(node, "id")) &&
            str_eq(v_text(v_path(inner, S("attributes.service"))), S("decide"))) {
            return true;
        }
    }
    return false;
}

// Walks from the start event without passing a decision; whatever has no way on is a fault.
static void endings_check(const Check *c) {
    Value nodes = v_get_lit(c->outline, "nodes"), edges = v_get_lit(c->outline, "edges");
    bool *reached = arena_array(c->arena, bool, nodes.len);
    for (uint32_t i = 0; i < nodes.len; i++) {
        Value node = v_at(nodes, i);
        reached[i] = str_eq(v_text(v_get_lit(node, "kind")), S("startEvent")) &&
                     v_is_null(v_get_lit(node, "parent"));
    }
    bool *leaves = arena_array(c->arena, bool, nodes.len);
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t i = 0; i < nodes.len; i++) {
            if (!reached[i] || leaves[i] || decides(c, v_at(nodes, i))) continue;
            for (uint32_t k = 0; k < edges.len; k++) {
                Value edge = v_at(edges, k);
                if (!v_equal(v_get_lit(edge, "from"), v_get_lit(v_at(nodes, i), "id"))) continue;
                leaves[i] = true;
                for (uint32_t to = 0; to < nodes.len; to++) {
                    if (reached[to] ||
                        !v_equal(v_get_lit(edge, "to"), v_get_lit(v_at(nodes, to), "id"))) {
                        continue;
                    }
                    reached[to] = moved = true;
                }
            }
        }
    }
    for (uint32_t i = 0; i < nodes.len; i++) {
        if (!reached[i] || leaves[i] || decides(c, v_at(nodes, i))) continue;
        pack_fault(&c->flow, v_text(v_get_lit(v_at(nodes, i), "id")),
                   "有路径不经过决定（decide）就到了这里");
    }
}

static void flow_check(const Check *c) {
    Value nodes = v_get_lit(c->outline, "nodes");
    for (uint32_t i = 0; i < nodes.len; i++) {
        Value node = v_at(nodes, i), attributes = v_get_lit(node, "attributes");
        Str kind = v_text(v_get_lit(node, "kind")), id = v_text(v_get_lit(node, "id"));
        if (str_eq(kind, S("userTask")) || str_eq(kind, S("manualTask"))) {
            user_task_check(c, id, attributes);
            if (!pack_name_valid(id)) {
                pack_fault(&c->flow, id, "环节的 id 在表达式里用作名字，只能是字母、数字和下划线");
            }
        } else if (str_eq(kind, S("businessRuleTask"))) {
            rule_check(c, id, v_text(v_get_lit(attributes, "decision")));
        } else if (str_eq(kind, S("serviceTask")) || str_eq(kind, S("sendTask"))) {
            service_check(c, id, attributes);
        }
        reads_check(c, id, attributes);
    }
    endings_check(c);
}

// ---- examples: their shape; running them is pack_examples' ----

static void examples_check(const Check *c, Errors *errs) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->files.len; i++) {
        Str path = c->files.as.entries[i].key;
        if (pack_path_name(path, S("examples/"), S(".json")).len == 0) continue;
        Value example;
        Error e = {.status = OK};
        PackFault f = {.file = path, .errs = errs, .arena = c->arena};
        if (json_parse(v_text(c->files.as.entries[i].value), JSON_STRICT, (JsonLimits){0}, c->arena,
                       &example, &e) != OK) {
            error_at(&e, path);
            (void)errors_push(errs, &e);
            continue;
        }
        if (v_text(v_get_lit(example, "title")).len == 0) pack_fault(&f, S("title"), "示例应有标题");
        if (v_get_lit(example, "expect").kind != V_CONTEXT) {
            pack_fault(&f, S("expect"), "示例应写明预期（expect）");
        }
        if (++count > EXAMPLES_MAX) pack_fault(&f, S(""), "示例过多");
    }
}

Status pack_check(const Item *item, Value files, Arena *a, Errors *errs) {
    size_t before = errs->count;
    Check c = {
        .item = item,
        .files = files,
        .arena = a,
        .flow = {.file = S("flow.bpmn"), .errs = errs, .arena = a},
        .guide = {.file = S("guide.dmn"), .errs = errs, .arena = a},
        .outline = flow_outline(item->flow, a),
    };
    Error e = {.status = OK};
    if (json_parse(v_text(v_get_lit(files, "form.json")), JSON_STRICT, (JsonLimits){0}, a,
                   &c.form_schema, &e) != OK) {
        error_at(&e, S("form.json"));
        return errors_push(errs, &e);
    }
    guide_check(&c);
    flow_check(&c);
    examples_check(&c, errs);
    return pack_faults_since(errs, before);
}
