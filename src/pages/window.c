// The window (一窗受理, S3): any clerk takes any item on one dense page: the situation, the
// materials as a checklist, the applicant, the form; then the case is received, accepted at once,
// or answered with one letter that names everything missing.
//
// The page is one form. Whatever is chosen, the same form comes back with what was typed
// (_act=refresh), so it works without scripts; with them only the parts that change are exchanged.
#include "case/letter.h"
#include "case/pack.h"
#include "pages/apply.h"
#include "pages/workplace.h"

enum { FOUND_MAX = 12, QUEUE_PAGE = 50, OFTEN_LOOKED = 5000, SEX_DIGIT = 16 };

// ---- choosing an item ------------------------------------------------------------------------

static Value named_item(const Request *rq, Value row) {
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "item_name", page_named(rq, row, S("name"), S("name_en")));
    context_put_lit(&b, "unit_label", page_named(rq, row, S("unit_name"), S("unit_name_en")));
    return v_merge(row, context_done(&b), rq->arena);
}

static Status found_items(Request *rq, Str q, Value *ret, Error *err) {
    ContextBuilder filter = context_make(rq->arena);
    context_put_lit(&filter, "q", v_str(q));
    context_put_lit(&filter, "page_size", v_int(FOUND_MAX));
    Value found;
    Status st = item_search(rq->db, context_done(&filter), rq->arena, &found, err);
    if (st != OK) return st;
    Value rows = v_get_lit(found, "rows");
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < rows.len; i++) list_add(&list, named_item(rq, v_at(rows, i)));
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "items", list_done(&list));
    context_put_lit(&b, "total", v_get_lit(found, "total"));
    context_put_lit(&b, "q", v_str(q));
    *ret = context_done(&b);
    return OK;
}

// What this clerk took in most: the first keys of a morning.
static Status often(Request *rq, Value *ret, Error *err) {
    // Of the newest OFTEN_LOOKED cases of the county, so that it costs the same every year.
    Query *q =
        query(rq->db, "SELECT i.code, i.name, i.name_en, u.name AS unit_name,"
                      " u.name_en AS unit_name_en, x.n AS count FROM (SELECT item_id, COUNT(*) AS n"
                      " FROM (SELECT item_id, handler_id FROM cases WHERE accepted_at >= ?2"
                      " ORDER BY accepted_at DESC LIMIT ?3) AS recent WHERE handler_id = ?1"
                      " GROUP BY item_id) AS x JOIN item i ON i.id = x.item_id"
                      " JOIN unit u ON u.id = i.unit_id WHERE i.state = 1 ORDER BY x.n DESC, i.code"
                      " LIMIT 8");
    query_int(q, 1, rq->actor.account_id);
    query_int(q, 2, rq->now - 30ll * DAY_MS);
    query_int(q, 3, OFTEN_LOOKED);
    Value rows;
    Status st = query_rows(q, rq->arena, &rows, err);
    if (st != OK) return st;
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < rows.len; i++) list_add(&list, named_item(rq, v_at(rows, i)));
    *ret = list_done(&list);
    return OK;
}

static Status queue_rows(Request *rq, int64_t size, Value *ret, Error *err) {
    ContextBuilder filter = context_make(rq->arena);
    context_put_lit(&filter, "state", v_int(CASE_RECEIVED));
    context_put_lit(&filter, "page_size", v_int(size));
    Str after = request_query(rq, S("after"));
    if (after.len) context_put_lit(&filter, "after", v_str(after));
    Value found;
    Status st = case_list(page_cases(), rq->db, &rq->actor, context_done(&filter), rq->now,
                          rq->arena, &found, err);
    if (st != OK) return st;
    Value rows = v_get_lit(found, "rows");
    ListBuilder list = list_make(rq->arena);
    // Told within five days what is missing, or accepted by law (Administrative Licensing Law, art.
    // 32).
    const Calendar *cal = case_calendar(page_cases());
    for (uint32_t i = 0; i < rows.len; i++) {
        Value row = work_named_row(rq, v_at(rows, i));
        Day received;
        if (v_to_day(v_get_lit(row, "received"), &received)) {
            Day by = calendar_add(cal, received, 5, NULL);
            row = v_with(row, S("tell_by"), v_day(by), rq->arena);
            row = v_with(row, S("tell_late"), v_bool(by < instant_day(rq->now)), rq->arena);
            row = v_with(row, S("tell_today"), v_bool(by == instant_day(rq->now)), rq->arena);
        }
        list_add(&list, row);
    }
    *ret = v_with(found, S("rows"), list_done(&list), rq->arena);
    return OK;
}

static Status window_home(Request *rq, Reply *reply, Errors *errs) {
    Value model, list, queue;
    PAGE_TRY(errs, found_items(rq, request_query(rq, S("q")), &model, &e));
    if (rq->htmx) { // while one types
        reply_page(rq, reply, "work/window_found", model);
        return OK;
    }
    PAGE_TRY(errs, often(rq, &list, &e));
    PAGE_TRY(errs, queue_rows(rq, 8, &queue, &e));
    model = v_with(model, S("often"), list, rq->arena);
    model = v_with(model, S("queue"), v_get_lit(queue, "rows"), rq->arena);
    model = v_with(model, S("queue_total"), v_get_lit(queue, "total"), rq->arena);
    reply_page(rq, reply, "work/window", model);
    return OK;
}

static Status window_queue(Request *rq, Reply *reply, Errors *errs) {
    Value model;
    PAGE_TRY(errs, queue_rows(rq, QUEUE_PAGE, &model, &e));
    Value next = v_get_lit(model, "next");
    if (!v_is_null(next)) {
        ContextBuilder q = context_make(rq->arena);
        context_put_lit(&q, "after", next);
        Str href = page_href(rq->arena, S("/window/queue"), context_done(&q));
        model = v_with(model, S("next_href"), v_str(href), rq->arena);
    }
    reply_page(rq, reply, "work/window_queue", model);
    return OK;
}

// ---- the intake ------------------------------------------------------------------------------

typedef struct Intake {
    const Item *item;
    Value situation,
        questions;       // answers; [{name, label, hint, fields…}] as the part field wants them
    bool situation_open; // a question that is asked has no answer yet
    Value guide, materials, applicant, known, form;
} Intake;

static Str sent(const Request *rq, Str name) {
    Str text = request_text(rq, name);
    return text.len ? text : request_query(rq, name);
}

// The questions that are asked so far, each with what was chosen.
static void read_situation(Request *rq, Intake *in) {
    Value questions = v_get_lit(in->item->spec, "questions");
    ContextBuilder situation = context_make(rq->arena);
    ListBuilder shown = list_make(rq->arena);
    for (uint32_t i = 0; questions.kind == V_LIST && i < questions.len; i++) {
        Value question = v_at(questions, i), options = v_get_lit(question, "options");
        if (!item_question_asked(question, context_done(&situation), rq->arena)) continue;
        Str name = v_text(v_get_lit(question, "name"));
        Str field = arena_printf(rq->arena, "situation.%.*s", S_FMT(name));
        Value given = v_get(v_get_lit(rq->input, "situation"), name); // JSON
        Str text = given.kind == V_NULL ? sent(rq, field) : v_to_str(given, rq->arena);
        ListBuilder list = list_make(rq->arena);
        bool answered = false;
        for (uint32_t k = 0; options.kind == V_LIST && k < options.len; k++) {
            Value o = v_at(options, k), value = v_get_lit(o, "value");
            bool chosen = text.len && str_eq(v_to_str(value, rq->arena), text);
            if (chosen) context_put(&situation, name, value);
            answered = answered || chosen;
            ContextBuilder b = context_make(rq->arena);
            Str id = arena_printf(rq->arena, "f-%.*s-%u", S_FMT(field), k);
            context_put_lit(&b, "id", v_str(id));
            context_put_lit(&b, "value", v_str(v_to_str(value, rq->arena)));
            context_put_lit(&b, "label", page_named(rq, o, S("label"), S("label_en")));
            context_put_lit(&b, "selected", v_bool(chosen));
            list_add(&list, context_done(&b));
        }
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "name", v_str(field));
        context_put_lit(&b, "label", page_named(rq, question, S("label"), S("label_en")));
        context_put_lit(&b, "hint", page_named(rq, question, S("hint"), S("hint_en")));
        context_put_lit(&b, "options", list_done(&list));
        context_put_lit(&b, "answered", v_bool(answered));
        list_add(&shown, context_done(&b));
        in->situation_open = in->situation_open || !answered;
        if (!answered) break; // what comes after may depend on it
    }
    in->situation = context_done(&situation);
    in->questions = list_done(&shown);
}

static const char *const applicant_names[] = {"name", "id_number", "phone", "address", "contact"};

// The kind of the party follows from its number: nobody types what the machine can tell.
static void read_applicant(Request *rq, Intake *in) {
    Value given = v_get_lit(rq->input, "applicant");
    ContextBuilder b = context_make(rq->arena);
    Str number = S("");
    for (size_t i = 0; i < sizeof applicant_names / sizeof *applicant_names; i++) {
        Str key = str_z(applicant_names[i]);
        Str text =
            given.kind == V_CONTEXT
                ? v_text(v_get(given, key))
                : request_text(rq, arena_printf(rq->arena, "applicant.%s", applicant_names[i]));
        if (str_eq(key, S("id_number"))) number = text;
        context_put_new(&b, key, v_str(text));
    }
    Error err = {.status = OK};
    bool legal = number.len == 18 && credit_code_check(number, &err) == OK &&
                 citizen_id_check(number, &err) != OK;
    context_put_new(&b, S("kind"), legal ? v_lit("legal") : v_lit("natural"));
    in->applicant = context_done(&b);
}

static void put_known(Request *rq, Intake *in) {
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "situation", in->situation);
    context_put_lit(&b, "parameters", in->item->parameters);
    context_put_lit(&b, "hide_steps", v_get_lit(in->guide, "hide_steps"));
    context_put_lit(&b, "applicant", in->applicant);
    in->known = context_done(&b);
}

// Each needed material with how it stands: given, missing, tolerated.
static void read_materials(Request *rq, Intake *in) {
    Value needed = apply_materials(rq, in->guide);
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < needed.len; i++) {
        Value m = v_at(needed, i);
        Str code = v_text(v_get_lit(m, "code"));
        Str field = arena_printf(rq->arena, "material.%.*s", S_FMT(code));
        Str standing = request_text(rq, field);
        bool tolerable = v_true(v_get_lit(m, "tolerable"));
        bool waivable = v_true(v_get_lit(m, "waivable"));
        if (!standing.len) standing = waivable ? S("waived") : S("given");
        if (str_eq(standing, S("tolerated")) && !tolerable) standing = S("missing");
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "field", v_str(field));
        context_put_lit(&b, "standing", v_str(standing));
        list_add(&list, v_merge(m, context_done(&b), rq->arena));
    }
    in->materials = list_done(&list);
}

static void show_form(Request *rq, Intake *in, Value answers, const Errors *wrong) {
    const App *app = rq->app;
    bool en = str_eq(rq->lang, S("en"));
    Value model = form_model(in->item->form, answers, in->known, rq->lang, rq->now, wrong,
                             en ? app->translate : NULL, app->english, rq->arena);
    in->form = page_form(rq, model);
}

static Value answers_sent(Request *rq, const Intake *in) {
    if (rq->is_json) return v_get_lit(rq->input, "answers");
    Value all = form_model(in->item->form, rq->input, in->known, rq->lang, rq->now, NULL, NULL,
                           NULL, rq->arena);
    return page_answers(rq, v_get_lit(all, "steps"));
}

static Status read_intake(Request *rq, Intake *in, Value *ret_answers, Errors *errs) {
    *in = (Intake){0};
    PAGE_TRY(errs, item_by_code(page_items(), rq->db, rq->params[0], &in->item, &e));
    if (v_true(v_get_lit(in->item->spec, "internal"))) {
        return errors_add(errs, NOT_FOUND, S("code"), "没有这个事项");
    }
    read_situation(rq, in);
    read_applicant(rq, in);
    if (!in->situation_open) { // what is needed depends on the whole situation
        PAGE_TRY(errs, item_guide(in->item, in->situation, rq->now, rq->arena, &in->guide, &e));
    }
    put_known(rq, in);
    read_materials(rq, in);
    *ret_answers = answers_sent(rq, in);
    return OK;
}

static Value intake_model(Request *rq, const Intake *in) {
    const Item *item = in->item;
    bool en = str_eq(rq->lang, S("en")) && item->name_en.len;
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "code", v_str(item->code));
    context_put_lit(&b, "item_name", v_str(en ? item->name_en : item->name));
    context_put_lit(&b, "case_kind", v_int(item->case_kind));
    context_put_lit(&b, "promised_days", v_int(item->promised_days));
    context_put_lit(&b, "statutory_days", v_int(item->statutory_days));
    context_put_lit(&b, "questions", in->questions);
    context_put_lit(&b, "situation_open", v_bool(in->situation_open));
    context_put_lit(
        &b, "eligible",
        v_bool(!v_has(in->guide, S("eligible")) || v_true(v_get_lit(in->guide, "eligible"))));
    context_put_lit(&b, "reason", v_get_lit(in->guide, "reason"));
    context_put_lit(&b, "notes", v_get_lit(in->guide, "notes"));
    context_put_lit(&b, "materials", in->materials);
    context_put_lit(&b, "applicant", in->applicant);
    context_put_lit(&b, "steps", v_get_lit(in->form, "steps"));
    context_put_lit(&b, "promise", v_bool(request_text(rq, S("promise")).len > 0));
    int64_t missing = 0, tolerated = 0;
    for (uint32_t i = 0; i < in->materials.len; i++) {
        Str standing = v_text(v_get_lit(v_at(in->materials, i), "standing"));
        missing += str_eq(standing, S("missing"));
        tolerated += str_eq(standing, S("tolerated"));
    }
    context_put_lit(&b, "missing", v_int(missing));
    context_put_lit(&b, "tolerated", v_int(tolerated));
    return context_done(&b);
}

static Status intake_page(Request *rq, Reply *reply, Errors *errs) {
    Intake in;
    Value answers;
    Status st = read_intake(rq, &in, &answers, errs);
    if (st != OK) return st;
    show_form(rq, &in, answers, NULL);
    reply_page(rq, reply, "work/window_item", intake_model(rq, &in));
    return OK;
}

// ---- sending it ------------------------------------------------------------------------------

static Value materials_given(Request *rq, const Intake *in) {
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < in->materials.len; i++) {
        Value m = v_at(in->materials, i);
        if (!str_eq(v_text(v_get_lit(m, "standing")), S("given"))) continue;
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "code", v_get_lit(m, "code"));
        list_add(&list, context_done(&b));
    }
    return list_done(&list);
}

// Codes of the materials that stand so; for a correction with the reason.
static Value materials_that(Request *rq, const Intake *in, Str standing, bool reasons) {
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < in->materials.len; i++) {
        Value m = v_at(in->materials, i), code = v_get_lit(m, "code");
        if (!str_eq(v_text(v_get_lit(m, "standing")), standing)) continue;
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "code", code);
        context_put_lit(&b, "reason", v_lit("未提交"));
        list_add(&list, reasons ? context_done(&b) : code);
    }
    return list_done(&list);
}

static Value submission(Request *rq, const Intake *in, Value answers) {
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "item", v_str(in->item->code));
    context_put_lit(&b, "situation", in->situation);
    context_put_lit(&b, "answers", answers);
    context_put_lit(&b, "materials", materials_given(rq, in));
    context_put_lit(&b, "applicant", in->applicant);
    return context_done(&b);
}

static void check_intake(Request *rq, const Intake *in, Errors *wrong) {
    Str number = v_text(v_get_lit(in->applicant, "id_number"));
    Error err = {.status = OK};
    for (uint32_t i = 0; i < in->questions.len; i++) {
        Value question = v_at(in->questions, i);
        if (v_true(v_get_lit(question, "answered"))) continue;
        errors_add(wrong, INVALID, v_text(v_get_lit(question, "name")), "请选择一项");
    }
    if (!v_text(v_get_lit(in->applicant, "name")).len) {
        errors_add(wrong, INVALID, S("applicant.name"), "请填写申请人姓名或名称");
    }
    if (!number.len) {
        errors_add(wrong, INVALID, S("applicant.id_number"), "请填写证件号码");
    } else if (citizen_id_check(number, &err) != OK) {
        Error other = {.status = OK};
        if (credit_code_check(number, &other) != OK) {
            bool code = number.ptr[0] > '9' || (number.ptr[0] == '9' && number.len == 18);
            Error *told = code ? &other : &err;
            told->where = S("applicant.id_number");
            (void)errors_push(wrong, told);
        }
    }
    Str phone = v_text(v_get_lit(in->applicant, "phone"));
    if (phone.len && phone_check(phone, &err) != OK) {
        err.where = S("applicant.phone");
        (void)errors_push(wrong, &err);
    }
    Str act = request_text(rq, S("_act"));
    Value tolerated = materials_that(rq, in, S("tolerated"), false);
    if (str_eq(act, S("accept")) && tolerated.len && !request_text(rq, S("promise")).len) {
        errors_add(wrong, INVALID, S("promise"), "容缺受理须先由申请人签署承诺书，请确认");
    }
    if (str_eq(act, S("accept")) && materials_that(rq, in, S("missing"), false).len) {
        errors_add(wrong, INVALID, S("materials"),
                   "还有材料未收，不能受理：请改为容缺，或出具补正告知");
    }
    if (str_eq(act, S("correct")) && !materials_that(rq, in, S("missing"), false).len) {
        errors_add(wrong, INVALID, S("materials"), "没有标为“缺”的材料，无需补正告知");
    }
}

// The parts of party_find_or_add name their fields without "applicant.".
static void place_errors(Request *rq, Errors *wrong) {
    for (size_t i = 0; i < wrong->count; i++) {
        Error *e = &wrong->items[i];
        for (size_t k = 0; k < sizeof applicant_names / sizeof *applicant_names; k++) {
            if (!str_eq(e->where, str_z(applicant_names[k]))) continue;
            e->where = arena_printf(rq->arena, "applicant.%s", applicant_names[k]);
        }
    }
}

// The second act, after the case was received: it stands even when this one is refused.
static Status second_act(Request *rq, const Intake *in, Str number, bool correct, Errors *wrong) {
    ContextBuilder b = context_make(rq->arena);
    Value result;
    context_put_lit(&b, "number", v_str(number));
    if (correct) {
        context_put_lit(&b, "missing", materials_that(rq, in, S("missing"), true));
        return request_command(rq, S("case.correct"), context_done(&b), &result, wrong);
    }
    Value tolerated = materials_that(rq, in, S("tolerated"), false);
    if (tolerated.len) {
        context_put_lit(&b, "tolerate", tolerated);
        context_put_lit(&b, "promise", v_bool(true));
    }
    return request_command(rq, S("case.accept"), context_done(&b), &result, wrong);
}

static Status case_is_received(Request *rq, Str number, bool *ret, Error *err) {
    int64_t state = 0;
    Query *q = query(rq->db, "SELECT state FROM cases WHERE number = ?1");
    query_str(q, 1, number);
    Status st = query_one_int(q, &state, err);
    *ret = state == CASE_RECEIVED;
    return st;
}

static Status receipt_model(Request *rq, Str number, Value *ret, Errors *errs) {
    Value c;
    PAGE_TRY(errs, case_view(page_cases(), rq->db, &rq->actor, number, rq->now, rq->lang, rq->arena,
                             &c, &e));
    Day told = calendar_add(case_calendar(page_cases()), instant_day(rq->now), 5, NULL);
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "told_by", v_day(told));
    Str svg,
        track = page_href(rq->arena, arena_concat(rq->arena, (Str[]){rq->host, S("/track")}, 2),
                          v_with(v_null(), S("number"), v_str(number), rq->arena));
    PAGE_TRY(errs, qr_svg(track, rq->arena, &svg, &e));
    context_put_lit(&b, "qr", page_raw(svg));
    context_put_lit(&b, "track", v_str(track));
    context_put_lit(&b, "item_name", v_get_lit(c, "item"));
    context_put_lit(&b, "clerk", v_str(rq->actor.name));
    *ret = v_merge(c, context_done(&b), rq->arena);
    return OK;
}

static Status send_intake(Request *rq, Reply *reply, const Intake *in, Value answers, Errors *wrong,
                          Errors *errs) {
    Value result;
    Status st = request_command(rq, S("case.submit"), submission(rq, in, answers), &result, wrong);
    if (st != OK) return st;
    Str number = v_text(v_get_lit(result, "number")), act = request_text(rq, S("_act"));
    bool received = false, second = str_eq(act, S("accept")) || str_eq(act, S("correct"));
    if (second) PAGE_TRY(errs, case_is_received(rq, number, &received, &e));
    Errors later = errors_make(rq->arena);
    if (second && received) {
        (void)second_act(rq, in, number, str_eq(act, S("correct")), &later);
    }
    if (later.count) {
        Value model;
        st = receipt_model(rq, number, &model, errs);
        if (st != OK) return st;
        reply_refused(rq, reply, "work/window_done", model, &later);
    } else if (rq->wants_json) {
        reply->model = page_localize(rq, result);
    } else {
        reply_redirect(reply, arena_printf(rq->arena, "/window/done/%.*s", S_FMT(number)));
    }
    return OK;
}

static Status intake_post(Request *rq, Reply *reply, Errors *errs) {
    Intake in;
    Value answers;
    Status st = read_intake(rq, &in, &answers, errs);
    if (st != OK) return st;
    Str act = request_text(rq, S("_act"));
    if (str_eq(act, S("refresh")) || request_text(rq, S("_add")).len) {
        show_form(rq, &in, answers, NULL);
        reply_page(rq, reply, "work/window_item", intake_model(rq, &in));
        return OK;
    }
    Errors wrong = errors_make(rq->arena);
    check_intake(rq, &in, &wrong);
    Value kept;
    Errors form_wrong = errors_make(rq->arena);
    if (form_check(in.item->form, answers, in.known, false, rq->now, rq->arena, &kept,
                   &form_wrong) != OK) {
        for (size_t i = 0; i < form_wrong.count; i++) {
            (void)errors_push(&wrong, &form_wrong.items[i]);
        }
    }
    if (!wrong.count && send_intake(rq, reply, &in, answers, &wrong, errs) == OK) return OK;
    if (errs->count) return errors_status(errs);
    place_errors(rq, &wrong);
    show_form(rq, &in, answers, &wrong);
    reply_refused(rq, reply, "work/window_item", intake_model(rq, &in), &wrong);
    return OK;
}

// ---- who the applicant is --------------------------------------------------------------------

static void put_citizen(const Request *rq, Str number, ContextBuilder *b) {
    Str birth = arena_printf(rq->arena, "%.*s-%.*s-%.*s", 4, number.ptr + 6, 2, number.ptr + 10, 2,
                             number.ptr + 12);
    bool male = (number.ptr[SEX_DIGIT] - '0') % 2 == 1; // GB 11643: the 17th digit odd
    Day born;
    context_put_lit(b, "kind", v_lit("natural"));
    context_put_lit(b, "region", v_str(str_sub(number, 0, 6)));
    context_put_lit(b, "birth", v_str(birth));
    context_put_lit(b, "sex", v_str(male ? request_tr(rq, T("男")) : request_tr(rq, T("女"))));
    if (day_parse(birth, &born)) {
        Civil then = day_to_civil(born), now = day_to_civil(instant_day(rq->now));
        bool before = now.month < then.month || (now.month == then.month && now.day < then.day);
        context_put_lit(b, "age", v_int(now.year - then.year - before));
    }
}

// POST, so that no number stands in an address.
static Status applicant_check(Request *rq, Reply *reply, Errors *errs) {
    Str number = request_text(rq, S("applicant.id_number"));
    if (!number.len) number = request_text(rq, S("id_number"));
    ContextBuilder b = context_make(rq->arena);
    Error err = {.status = OK}, other = {.status = OK};
    bool natural = citizen_id_check(number, &err) == OK;
    bool legal = !natural && credit_code_check(number, &other) == OK;
    if (natural) put_citizen(rq, number, &b);
    if (legal) {
        context_put_lit(&b, "kind", v_lit("legal"));
        context_put_lit(&b, "region", v_str(str_sub(number, 2, 8)));
    }
    if (number.len && !natural && !legal) {
        bool code = number.ptr[0] > '9' || number.ptr[0] == '9';
        context_put_lit(&b, "message",
                        v_str(error_message(code ? &other : &err,
                                            str_eq(rq->lang, S("en")) ? rq->app->translate : NULL,
                                            rq->app->english, rq->arena)));
    }
    if (natural || legal) {
        int64_t id = 0;
        Query *q = query(rq->db, "SELECT id FROM party WHERE id_number = ?1");
        query_str(q, 1, number);
        if (query_next(q)) id = query_col_int(q, 0);
        PAGE_TRY(errs, query_done(q, &e));
        Value party = v_null();
        if (id) PAGE_TRY(errs, party_view(rq->db, id, false, rq->arena, &party, &e));
        if (natural && id) { // only so much that the clerk sees it is the same person
            party =
                v_with(party, S("name"),
                       v_str(mask_name(v_text(v_get_lit(party, "name")), rq->arena)), rq->arena);
        }
        context_put_lit(&b, "party", party);
    }
    reply_page(rq, reply, "work/window_applicant", context_done(&b));
    return OK;
}

// ---- after that ------------------------------------------------------------------------------

static Status done_page(Request *rq, Reply *reply, Errors *errs) {
    Value model;
    Status st = receipt_model(rq, rq->params[0], &model, errs);
    if (st == OK) reply_page(rq, reply, "work/window_done", model);
    return st;
}

static Status receipt_page(Request *rq, Reply *reply, Errors *errs) {
    Value model;
    Status st = receipt_model(rq, rq->params[0], &model, errs);
    if (st == OK) reply_page(rq, reply, "work/receipt", model);
    return st;
}

const Route window_routes[] = {
    {METHOD_GET, "/window", ROLE_CLERK, window_home, NULL, false},
    {METHOD_GET, "/window/queue", ROLE_CLERK, window_queue, NULL, false},
    {METHOD_POST, "/window/applicant", ROLE_CLERK, applicant_check, NULL, false},
    {METHOD_GET, "/window/done/:number", ROLE_CLERK, done_page, NULL, false},
    {METHOD_GET, "/window/receipt/:number", ROLE_CLERK, receipt_page, NULL, false},
    {METHOD_GET, "/window/:code", ROLE_CLERK, intake_page, NULL, false},
    {METHOD_POST, "/window/:code", ROLE_CLERK, intake_post, NULL, false},
};
const size_t window_routes_count = sizeof window_routes / sizeof *window_routes;
