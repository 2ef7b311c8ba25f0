// The guide: from the plain questions of an item to what this applicant needs.
//
// Only what was asked counts: an answer to a question that this situation doesn't ask is dropped,
// an answer that is no option is refused, a question left open is refused by its name.
#include "case/pack.h"

bool item_question_asked(Value question, Value answers, Arena *a) {
    Str when = v_text(v_get_lit(question, "when"));
    const FeelExpr *expr;
    Error e = {.status = OK};
    if (when.len == 0) return true;
    if (feel_parse(when, NULL, 0, a, &expr, &e) != OK) return true; // refused when published
    FeelScope scope = {.variables = answers};
    FeelRun run = {.arena = a, .scope = &scope};
    return v_true(feel_eval(&run, expr));
}

static bool is_option(Value question, Value answer) {
    Value options = v_get_lit(question, "options");
    for (uint32_t i = 0; options.kind == V_LIST && i < options.len; i++) {
        if (v_equal(v_get_lit(v_at(options, i), "value"), answer)) return true;
    }
    return false;
}

// What was asked, in the order of the questions.
static Status situation_read(const Item *item, Value given, Arena *a, Value *ret, Error *err) {
    Value questions = v_get_lit(item->spec, "questions");
    ContextBuilder b = context_make(a);
    for (uint32_t i = 0; questions.kind == V_LIST && i < questions.len; i++) {
        Value question = v_at(questions, i);
        Str name = v_text(v_get_lit(question, "name"));
        if (!item_question_asked(question, context_done(&b), a)) continue;
        Value answer = v_get(given, name);
        if (!is_option(question, answer)) {
            return error_set(err, INVALID, arena_concat(a, (Str[]){S("situation."), name}, 2),
                             "请回答“{1}”", v_text(v_get_lit(question, "label")));
        }
        context_put(&b, name, answer);
    }
    *ret = context_done(&b);
    return OK;
}

static bool contains(Value list, Str text) {
    for (uint32_t i = 0; list.kind == V_LIST && i < list.len; i++) {
        if (str_eq(v_text(v_at(list, i)), text)) return true;
    }
    return false;
}

// Every material of the item, each with `needed`. `codes` null: what is required is needed.
static Value materials_list(const Item *item, Value codes, Arena *a) {
    ListBuilder list = list_make(a);
    for (size_t i = 0; i < item->materials_count; i++) {
        const MaterialSpec *m = &item->materials[i];
        bool needed = codes.kind == V_LIST ? contains(codes, m->code) : m->required;
        list_add(&list, v_with(m->spec, S("needed"), v_bool(needed), a));
    }
    return list_done(&list);
}

static Value list_or_empty(Value v, Arena *a) {
    ListBuilder none = list_make(a);
    return v.kind == V_LIST ? v : list_done(&none);
}

static Value guide_result(const Item *item, Value situation, Value answer, Value trace, Arena *a) {
    bool eligible = v_get_lit(answer, "eligible").kind != V_BOOL ||
                    v_true(v_get_lit(answer, "eligible"));
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("situation"), situation);
    context_put_new(&b, S("eligible"), v_bool(eligible));
    context_put_new(&b, S("reason"), v_str(v_text(v_get_lit(answer, "reason"))));
    context_put_new(&b, S("materials"), materials_list(item, v_get_lit(answer, "materials"), a));
    context_put_new(&b, S("hide_steps"), list_or_empty(v_get_lit(answer, "hide_steps"), a));
    context_put_new(&b, S("notes"), list_or_empty(v_get_lit(answer, "notes"), a));
    context_put_new(&b, S("trace"), list_or_empty(trace, a));
    return context_done(&b);
}

void item_guide_prepare(Item *item, PackRoom *room, Arena *a) {
    ContextBuilder none = context_make(a);
    room->guide_plain = guide_result(item, context_done(&none), v_null(), v_null(), a);
}

Status item_guide(const Item *item, Value situation, Instant now, Arena *a, Value *ret,
                  Error *err) {
    const PackRoom *room = item->room;
    Value questions = v_get_lit(item->spec, "questions");
    bool plain = !item->guide && (questions.kind != V_LIST || questions.len == 0);
    if (plain && room && room->guide_plain.kind == V_CONTEXT) {
        *ret = room->guide_plain; // lives as long as the item
        return OK;
    }
    Value asked = v_null(), answer = v_null(), trace = v_null();
    Status st = situation_read(item, situation, a, &asked, err);
    if (st != OK) return st;
    if (item->guide) {
        DmnResult result;
        // Inputs that were not asked are null, not unknown.
        Value input = asked;
        for (size_t i = 0; i < dmn_input_count(item->guide); i++) {
            Str name = dmn_input_name(item->guide, i);
            if (!v_has(input, name)) input = v_with(input, name, v_null(), a);
        }
        st = dmn_decide(item->guide, S("guide"), input, now, a, &result, err);
        if (st != OK) return st;
        answer = result.value;
        trace = result.trace;
        if (answer.kind != V_CONTEXT) {
            return error_set(err, BROKEN, S("situation"), "指南没有给出结果，请联系窗口");
        }
    }
    *ret = guide_result(item, asked, answer, trace, a);
    return OK;
}
