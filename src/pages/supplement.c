// /case/NUMBER/supplement: what is handed in later. While the case is in 待补正 the page offers the
// whole application form with its answers, beside the materials to upload, and says at the top what
// the letter asks for; after a tolerated acceptance only the materials. Refused, it comes back with
// what was typed; a browser sends no file twice, so files have to be chosen again.
#include "pages/page_tools.h"

// A case that waits for nothing: its own page tells why.
static bool may(Value c) { return v_true(v_path(c, S("can.supplement"))); }

static Str case_path_of(const Request *rq) {
    return arena_printf(rq->arena, "/case/%.*s", S_FMT(rq->params[0]));
}

// ---- the page --------------------------------------------------------------------------------

// "Answered 330***27; left empty it stays" in the hint of a field whose answer is not shown.
static Value with_kept(const Request *rq, Value f) {
    if (!v_true(v_get_lit(f, "kept"))) return f;
    Value masked = v_get_lit(f, "masked");
    ListBuilder args = list_make(rq->arena);
    list_add(&args, masked);
    Str rule = request_tr(rq, "已填，这里不显示。不改就空着；要改就重新填写。");
    if (v_text(masked).len) {
        rule = page_fill(request_tr(rq, "已填：{1}。不改就空着。"), list_done(&args), rq->arena);
    }
    Str hint = v_text(v_get_lit(f, "hint"));
    Str parts[] = {hint, hint.len ? S(" ") : S(""), rule};
    return v_with(f, S("hint"), v_str(arena_concat(rq->arena, parts, 3)), rq->arena);
}

static Value steps_with_kept(const Request *rq, Value form) {
    Value steps = v_get_lit(form, "steps");
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < steps.len; i++) {
        Value step = v_at(steps, i), fields = v_get_lit(step, "fields");
        if (!fields.len && !v_get_lit(step, "known").len) continue;
        ListBuilder out = list_make(rq->arena);
        for (uint32_t k = 0; k < fields.len; k++) list_add(&out, with_kept(rq, v_at(fields, k)));
        list_add(&list, v_with(step, S("fields"), list_done(&out), rq->arena));
    }
    return v_with(form, S("steps"), list_done(&list), rq->arena);
}

// The form with `typed` (null: as it was kept) over it, and the letter's list.
static Status put_form(Request *rq, Value typed, const Errors *wrong, ContextBuilder *b,
                       Errors *errs) {
    bool en = str_eq(rq->lang, S("en"));
    CorrectionTyped t = {.answers = typed,
                         .errs = wrong,
                         .translate = en ? rq->app->translate : NULL,
                         .catalog = rq->app->english};
    Value c;
    Status st = case_correction(rq->db, &rq->actor, rq->params[0], &t, rq->now, rq->lang, rq->arena,
                                &c, errs);
    if (st != OK) return st;
    Value form = page_form(rq, steps_with_kept(rq, v_get_lit(c, "form")));
    context_put_lit(b, "steps", v_get_lit(form, "steps"));
    context_put_lit(b, "asked", v_get_lit(c, "missing"));
    context_put_lit(b, "letter_note", v_get_lit(c, "letter_note"));
    context_put_lit(b, "asked_due", v_get_lit(c, "due"));
    return OK;
}

static Status model_of(Request *rq, Value c, Value typed, const Errors *wrong, Value *ret,
                       Errors *errs) {
    bool correcting = v_to_int(v_get_lit(c, "state"), 0) == CASE_CORRECTING;
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "number", v_get_lit(c, "number"));
    context_put_lit(&b, "item_name", v_get_lit(c, "item"));
    context_put_lit(&b, "revision", v_get_lit(c, "revision"));
    context_put_lit(&b, "own", v_get_lit(c, "own"));
    context_put_lit(&b, "correcting", v_bool(correcting));
    context_put_lit(&b, "max_bytes", v_int(HTTP_UPLOAD_MAX));
    context_put_lit(&b, "max_mb", v_int(HTTP_UPLOAD_MAX >> 20));
    Value materials = v_get_lit(c, "materials");
    ListBuilder lacking = list_make(rq->arena);
    for (uint32_t i = 0; i < materials.len; i++) {
        Value m = v_at(materials, i);
        if (v_true(v_get_lit(m, "lacking"))) list_add(&lacking, m);
    }
    context_put_lit(&b, "materials", list_done(&lacking));
    Status st = correcting ? put_form(rq, typed, wrong, &b, errs) : OK;
    if (st == OK) *ret = context_done(&b);
    return st;
}

static const char *template_of(const Request *rq) {
    return actor_has(&rq->actor, ROLES_APPLICANT) ? "supplement" : "supplement_work";
}

static Status show(Request *rq, Reply *reply, Errors *errs) {
    Value c, model;
    PAGE_TRY(errs, case_view(page_cases(), rq->db, &rq->actor, rq->params[0], rq->now, rq->lang,
                             rq->arena, &c, &e));
    if (!may(c)) {
        reply_redirect(reply, case_path_of(rq));
        return OK;
    }
    Status st = model_of(rq, c, v_null(), NULL, &model, errs);
    if (st == OK) reply_page(rq, reply, template_of(rq), model);
    return st;
}

// ---- what was sent ---------------------------------------------------------------------------

static bool sent(const Request *rq, Str name) {
    for (uint32_t i = 0; rq->input.kind == V_CONTEXT && i < rq->input.len; i++) {
        Str key = rq->input.as.entries[i].key;
        if (str_eq(str_cut(&key, '.'), name)) return true;
    }
    return false;
}

// A browser says nothing of boxes that are not ticked: a field shown and not sent is empty.
static Value answers_of(const Request *rq) {
    if (rq->is_json) return v_get_lit(rq->input, "answers");
    Value shown = v_get_lit(rq->input, "_shown");
    if (v_is_null(shown)) return v_null();
    ContextBuilder b = context_make(rq->arena);
    for (uint32_t i = 0; i < rq->input.len; i++) {
        const Entry *e = &rq->input.as.entries[i];
        if (!str_starts(e->key, S("_"))) context_put(&b, e->key, e->value);
    }
    for (uint32_t i = 0; i < (shown.kind == V_LIST ? shown.len : 1); i++) {
        Str name = v_text(shown.kind == V_LIST ? v_at(shown, i) : shown);
        if (name.len && !sent(rq, name)) context_put(&b, name, v_lit(""));
    }
    return context_done(&b);
}

static Value accept_of(Value materials, Str code) {
    for (uint32_t i = 0; i < materials.len; i++) {
        if (str_eq(v_text(v_get_lit(v_at(materials, i), "code")), code)) {
            return v_get_lit(v_at(materials, i), "accept");
        }
    }
    return v_null();
}

static Value files_of(Request *rq, Value c, Errors *wrong) {
    ListBuilder given = list_make(rq->arena);
    for (size_t i = 0; i < rq->uploads_count; i++) {
        const Upload *up = &rq->uploads[i];
        Value taken;
        if (up->size == 0 && up->file_name.len == 0) continue;
        Value accept = accept_of(v_get_lit(c, "materials"), up->field);
        if (page_upload(rq, up, accept, &taken, wrong) == OK) list_add(&given, taken);
    }
    return list_done(&given);
}

static bool chose_files(const Request *rq) {
    for (size_t i = 0; i < rq->uploads_count; i++) {
        if (rq->uploads[i].size > 0) return true;
    }
    return false;
}

static Status again(Request *rq, Reply *reply, Value c, const Errors *wrong, Errors *errs) {
    Value model;
    Status st = model_of(rq, c, answers_of(rq), wrong, &model, errs);
    if (st != OK) return st;
    model = v_with(model, S("files_again"), v_bool(chose_files(rq)), rq->arena);
    if (wrong) {
        reply_refused(rq, reply, template_of(rq), model, wrong);
    } else {
        reply_page(rq, reply, template_of(rq), v_with(model, S("added"), v_bool(true), rq->arena));
    }
    return OK;
}

static Status supplement(Request *rq, Reply *reply, Errors *errs) {
    Value c, result;
    PAGE_TRY(errs, case_view(page_cases(), rq->db, &rq->actor, rq->params[0], rq->now, rq->lang,
                             rq->arena, &c, &e));
    if (request_text(rq, S("_add")).len && may(c)) return again(rq, reply, c, NULL, errs);
    Errors wrong = errors_make(rq->arena);
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "number", v_str(rq->params[0]));
    context_put_lit(&b, "revision", v_get_lit(rq->input, "revision"));
    context_put_lit(&b, "answers", answers_of(rq));
    Value files = rq->is_json ? v_get_lit(rq->input, "materials") : files_of(rq, c, &wrong);
    context_put_lit(&b, "materials", files);
    Status st = wrong.count ? errors_status(&wrong)
                            : request_command(rq, S("case.supplement"), context_done(&b), &result,
                                              &wrong);
    if (st == OK && rq->wants_json) {
        reply->model = page_localize(rq, result);
    } else if (st == OK) {
        reply_redirect(reply, case_path_of(rq));
    } else if (rq->wants_json || !may(c)) {
        for (size_t i = 0; i < wrong.count; i++) (void)errors_push(errs, &wrong.items[i]);
    } else {
        return again(rq, reply, c, &wrong, errs);
    }
    return st;
}

enum { SUPPLEMENT_ROLES = ROLES_APPLICANT | ROLE_CLERK };

const Route supplement_routes[] = {
    {METHOD_GET, "/case/:number/supplement", SUPPLEMENT_ROLES, show, NULL, false},
    {METHOD_POST, "/case/:number/supplement", SUPPLEMENT_ROLES, supplement, NULL, true},
};
const size_t supplement_routes_count = sizeof supplement_routes / sizeof *supplement_routes;
