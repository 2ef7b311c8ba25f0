// Applying (S2, S4): guide questions one a page, what is needed, the form a step a page, materials,
// check answers, submission, what happens next.
//
// The guide's answers stand in the address (they name nobody, so the link may be passed on). What
// is filled in lives in a draft under a link only its owner knows; every step saves it, so one
// can stop anywhere and go on from another device. Who one is is asked at submission at the
// latest.
#include "pages/apply.h"

#include "case/pack.h"

// ---- the guide's questions -------------------------------------------------------------------

static Status load_item(Request *rq, Str code, const Item **ret, Errors *errs) {
    PAGE_TRY(errs, item_by_code(page_items(), rq->db, code, ret, &e));
    if (v_true(v_get_lit((*ret)->spec, "internal"))) {
        return errors_add(errs, NOT_FOUND, S("code"), "没有这个事项");
    }
    return OK;
}

// The option of `question` that was sent as text; null when none was.
static Value option_of(const Request *rq, Value question, Value from) {
    Str sent = v_text(v_get(from, v_text(v_get_lit(question, "name"))));
    Value options = v_get_lit(question, "options");
    for (uint32_t i = 0; options.kind == V_LIST && i < options.len; i++) {
        Value o = v_at(options, i);
        if (sent.len && str_eq(v_to_str(v_get_lit(o, "value"), rq->arena), sent)) return o;
    }
    return v_null();
}

typedef struct Asked {
    Value situation; // answers so far
    Value open;      // the first question without one; null: all answered
    Value rows;      // [{label, answer, change_href}]
    Value hidden;    // [{name, value}]
    int64_t number;  // of the open question, from 1
    Str back;        // address of the question before
} Asked;

static Asked ask(Request *rq, const Item *item, Value from) {
    Value questions = v_get_lit(item->spec, "questions");
    Str path = arena_printf(rq->arena, "/apply/%.*s", S_FMT(item->code));
    ContextBuilder situation = context_make(rq->arena), sent = context_make(rq->arena);
    ListBuilder rows = list_make(rq->arena), hidden = list_make(rq->arena);
    Asked out = {.open = v_null(), .back = S("")};
    for (uint32_t i = 0; questions.kind == V_LIST && i < questions.len; i++) {
        Value question = v_at(questions, i);
        if (!item_question_asked(question, context_done(&situation), rq->arena)) continue;
        out.number++;
        Value option = option_of(rq, question, from);
        if (v_is_null(option)) {
            out.open = question;
            break;
        }
        Str name = v_text(v_get_lit(question, "name"));
        Value value = v_get_lit(option, "value");
        Str here = page_href(rq->arena, path, context_done(&sent));
        context_put(&situation, name, value);
        context_put(&sent, name, v_str(v_to_str(value, rq->arena)));
        ContextBuilder row = context_make(rq->arena), input = context_make(rq->arena);
        context_put_lit(&row, "label", page_named(rq, question, S("label"), S("label_en")));
        context_put_lit(&row, "answer", page_named(rq, option, S("label"), S("label_en")));
        context_put_lit(&row, "change_href", v_str(here));
        list_add(&rows, context_done(&row));
        context_put_lit(&input, "name", v_str(name));
        context_put_lit(&input, "value", v_str(v_to_str(value, rq->arena)));
        list_add(&hidden, context_done(&input));
        out.back = here;
    }
    out.situation = context_done(&situation);
    out.rows = list_done(&rows);
    out.hidden = list_done(&hidden);
    return out;
}

static Value question_model(Request *rq, Value question) {
    Str name = v_text(v_get_lit(question, "name"));
    Value options = v_get_lit(question, "options");
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; options.kind == V_LIST && i < options.len; i++) {
        Value o = v_at(options, i);
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "id", v_str(arena_printf(rq->arena, "q-%u", i)));
        context_put_lit(&b, "field", v_str(name));
        context_put_lit(&b, "value", v_str(v_to_str(v_get_lit(o, "value"), rq->arena)));
        context_put_lit(&b, "label", page_named(rq, o, S("label"), S("label_en")));
        list_add(&list, context_done(&b));
    }
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "name", v_str(name));
    context_put_lit(&b, "label", page_named(rq, question, S("label"), S("label_en")));
    context_put_lit(&b, "hint", page_named(rq, question, S("hint"), S("hint_en")));
    context_put_lit(&b, "options", list_done(&list));
    return context_done(&b);
}

static void put_item(Request *rq, ContextBuilder *b, const Item *item) {
    bool en = str_eq(rq->lang, S("en")) && item->name_en.len;
    context_put_lit(b, "code", v_str(item->code));
    context_put_lit(b, "item_name", v_str(en ? item->name_en : item->name));
}

static Status question_page(Request *rq, Reply *reply, Errors *errs) {
    const Item *item;
    Status st = load_item(rq, rq->params[0], &item, errs);
    if (st != OK) return st;
    Asked asked = ask(rq, item, rq->query);
    if (v_is_null(asked.open)) {
        Str path = arena_printf(rq->arena, "/apply/%.*s/needs", S_FMT(item->code));
        reply_redirect(reply, page_href(rq->arena, path, asked.situation));
        return OK;
    }
    ContextBuilder b = context_make(rq->arena);
    put_item(rq, &b, item);
    context_put_lit(&b, "question", question_model(rq, asked.open));
    context_put_lit(&b, "hidden", asked.hidden);
    context_put_lit(&b, "number", v_int(asked.number));
    Str back = asked.back.len ? asked.back
                              : arena_printf(rq->arena, "/items/%.*s", S_FMT(item->code));
    context_put_lit(&b, "back_href", v_str(back));
    Errors wrong = errors_make(rq->arena);
    Str name = v_text(v_get_lit(asked.open, "name"));
    if (str_eq(request_query(rq, S("_q")), name)) {
        errors_add(&wrong, INVALID, name, "请选择一项");
    }
    if (wrong.count) reply_refused(rq, reply, "apply/question", context_done(&b), &wrong);
    else reply_page(rq, reply, "apply/question", context_done(&b));
    return OK;
}

// ---- what one needs --------------------------------------------------------------------------

Value apply_materials(Request *rq, Value guide) {
    Value all = v_get_lit(guide, "materials");
    ListBuilder list = list_make(rq->arena);
    static const char *const texts[][2] = {{"name", "name_en"},
                                           {"form", "form_en"},
                                           {"source", "source_en"},
                                           {"standard", "standard_en"},
                                           {"waived_by", "waived_by_en"}};
    for (uint32_t i = 0; all.kind == V_LIST && i < all.len; i++) {
        Value m = v_at(all, i);
        if (!v_true(v_get_lit(m, "needed"))) continue;
        ContextBuilder b = context_make(rq->arena);
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            context_put(&b, str_z(texts[k][0]),
                        page_named(rq, m, str_z(texts[k][0]), str_z(texts[k][1])));
        }
        list_add(&list, v_merge(m, context_done(&b), rq->arena));
    }
    return list_done(&list);
}

static Status needs_page(Request *rq, Reply *reply, Errors *errs) {
    const Item *item;
    Status st = load_item(rq, rq->params[0], &item, errs);
    if (st != OK) return st;
    Asked asked = ask(rq, item, rq->query);
    if (!v_is_null(asked.open)) {
        Str path = arena_printf(rq->arena, "/apply/%.*s", S_FMT(item->code));
        reply_redirect(reply, page_href(rq->arena, path, asked.situation));
        return OK;
    }
    Value guide;
    PAGE_TRY(errs, item_guide(item, asked.situation, rq->now, rq->arena, &guide, &e));
    ContextBuilder b = context_make(rq->arena);
    put_item(rq, &b, item);
    context_put_lit(&b, "asked", asked.rows);
    context_put_lit(&b, "hidden", asked.hidden);
    context_put_lit(&b, "eligible", v_get_lit(guide, "eligible"));
    context_put_lit(&b, "reason", v_get_lit(guide, "reason"));
    context_put_lit(&b, "notes", v_get_lit(guide, "notes"));
    context_put_lit(&b, "materials", apply_materials(rq, guide));
    context_put_lit(&b, "promised_days", v_int(item->promised_days));
    context_put_lit(&b, "case_kind", v_int(item->case_kind));
    context_put_lit(&b, "phone", v_path(item->spec, S("contact.phone")));
    Str back = asked.back.len ? asked.back
                              : arena_printf(rq->arena, "/items/%.*s", S_FMT(item->code));
    context_put_lit(&b, "back_href", v_str(back));
    reply_page(rq, reply, "apply/needs", context_done(&b));
    return OK;
}

static Status start(Request *rq, Reply *reply, Errors *errs) {
    const Item *item;
    Status st = load_item(rq, rq->params[0], &item, errs);
    if (st != OK) return st;
    Asked asked = ask(rq, item, rq->input);
    if (!v_is_null(asked.open)) {
        Str path = arena_printf(rq->arena, "/apply/%.*s", S_FMT(item->code));
        reply_redirect(reply, page_href(rq->arena, path, asked.situation));
        return OK;
    }
    Draft d = {.item = item, .situation = asked.situation, .token = S("")};
    st = draft_store(rq, &d, errs);
    if (st == OK) reply_redirect(reply, arena_printf(rq->arena, "/apply/d/%.*s", S_FMT(d.token)));
    return st;
}

// ---- after submission ------------------------------------------------------------------------

static Status done_page(Request *rq, Reply *reply, Errors *errs) {
    Value c;
    PAGE_TRY(errs, case_view(page_cases(), rq->db, &rq->actor, rq->params[0], rq->now, rq->lang,
                             rq->arena, &c, &e));
    static const char *const shown[] = {"number", "item",    "state",   "state_name", "unit",
                                        "clocks", "letters", "outcome", "rating_token"};
    ContextBuilder b = context_make(rq->arena);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        context_put_new(&b, str_z(shown[i]), v_get(c, str_z(shown[i])));
    }
    // Told within five days what is missing, or accepted by law (Administrative Licensing Law,
    // art. 32).
    Day told = calendar_add(case_calendar(page_cases()), instant_day(rq->now), 5, NULL);
    context_put_lit(&b, "told_by", v_day(told));
    reply_page(rq, reply, "apply/done", context_done(&b));
    return OK;
}

const Route apply_routes[] = {
    {METHOD_GET, "/apply/:code", ROLE_PUBLIC, question_page, NULL, false},
    {METHOD_GET, "/apply/:code/needs", ROLE_PUBLIC, needs_page, NULL, false},
    {METHOD_POST, "/apply/:code/start", ROLE_PUBLIC, start, NULL, false},
    {METHOD_GET, "/apply/done/:number", ROLES_APPLICANT, done_page, NULL, false},
};
const size_t apply_routes_count = sizeof apply_routes / sizeof *apply_routes;
