// An application being filled in: the steps of its form, the materials, checking the answers and
// sending them (/apply/d/TOKEN/…). Whoever has the link may go on; nobody else can guess it.
#include "case/file_store.h"
#include "pages/apply.h"

enum { ACCEPT_MAX = 20, UPLOADS_PER_MINUTE_MAX = 30 }; // requests with files, of one address

// A draft with everything a page of it needs.
typedef struct Open {
    Draft draft;
    Value guide, known;
    Value materials;  // needed ones, with what was given
    Value form;       // page_form's model
    Value all;        // errors of the whole form: [{field, message}]
    Str path;         // "/apply/d/TOKEN"
} Open;

// ---- reading and writing ---------------------------------------------------------------------

Status draft_store(Request *rq, Draft *d, Errors *errs) {
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "item", v_str(d->item->code));
    context_put_lit(&b, "situation", d->situation);
    context_put_lit(&b, "answers", d->answers);
    context_put_lit(&b, "materials", d->materials);
    context_put_lit(&b, "applicant", d->applicant);
    if (d->token.len) context_put_lit(&b, "token", v_str(d->token));
    Value result;
    Status st = request_command(rq, S("draft.save"), context_done(&b), &result, errs);
    if (st == OK) d->token = v_text(v_get_lit(result, "token"));
    return st;
}

static bool is_agent(const Request *rq) {
    return actor_has(&rq->actor, ROLE_AGENT) && !actor_has(&rq->actor, ROLE_CITIZEN);
}

static Status known_facts(Request *rq, Open *o, Error *err) {
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "situation", o->draft.situation);
    context_put_lit(&b, "parameters", o->draft.item->parameters);
    context_put_lit(&b, "hide_steps", v_get_lit(o->guide, "hide_steps"));
    Value party = v_null();
    if (is_agent(rq)) {
        party = o->draft.applicant;
    } else if (rq->actor.party_id) {
        Status st = party_view(rq->db, rq->actor.party_id, true, rq->arena, &party, err);
        if (st != OK) return st;
    }
    if (party.kind == V_CONTEXT) context_put_lit(&b, "applicant", party);
    o->known = context_done(&b);
    return OK;
}

static Value given_of(Value given, Str code) {
    for (uint32_t i = 0; given.kind == V_LIST && i < given.len; i++) {
        if (str_eq(v_text(v_get_lit(v_at(given, i), "code")), code)) return v_at(given, i);
    }
    return v_null();
}

static Str accept_of(Request *rq, Value m, const char *before) {
    Value accept = v_get_lit(m, "accept");
    Buf out = buf_make(rq->arena, 64, 512);
    for (uint32_t i = 0; accept.kind == V_LIST && i < accept.len && i < ACCEPT_MAX; i++) {
        if (i) buf_lit(&out, ", ");
        buf_str(&out, str_z(before));
        buf_str(&out, v_text(v_at(accept, i)));
    }
    if (accept.kind != V_LIST) buf_str(&out, *before ? S(".pdf, .jpg, .png") : S("pdf, jpg, png"));
    return buf_view(&out);
}

static Value materials_model(Request *rq, const Open *o) {
    Value needed = apply_materials(rq, o->guide);
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < needed.len; i++) {
        Value m = v_at(needed, i);
        Value given = given_of(o->draft.materials, v_text(v_get_lit(m, "code")));
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "given", v_bool(!v_is_null(given)));
        context_put_lit(&b, "file_name", v_get_lit(given, "file_name"));
        context_put_lit(&b, "file_size", v_get_lit(given, "size"));
        context_put_lit(&b, "accept_text", v_str(accept_of(rq, m, "")));
        context_put_lit(&b, "accept_input", v_str(accept_of(rq, m, ".")));
        bool lacking = v_is_null(given) && !v_true(v_get_lit(m, "waivable"));
        context_put_lit(&b, "lacking", v_bool(lacking));
        list_add(&list, v_merge(m, context_done(&b), rq->arena));
    }
    return list_done(&list);
}

// Shows the form with `errs` (may be NULL) at its fields.
static void show_form(Request *rq, Open *o, const Errors *errs) {
    bool en = str_eq(rq->lang, S("en"));
    const App *app = rq->app;
    Value model = form_model(o->draft.item->form, o->draft.answers, o->known, rq->lang, rq->now,
                             errs, en ? app->translate : NULL, app->english, rq->arena);
    o->all = v_get_lit(model, "errors");
    o->form = page_form(rq, model);
}

static Status open_draft(Request *rq, Open *o, Errors *errs) {
    Value saved;
    Error err = {.status = OK};
    *o = (Open){.path = arena_printf(rq->arena, "/apply/d/%.*s", S_FMT(rq->params[0]))};
    Status st = case_draft(rq->db, rq->params[0], rq->arena, &saved, &err);
    if (st == NOT_FOUND) {
        return errors_add(errs, NOT_FOUND, S("token"), "没有这份暂存的申请，可能已经提交");
    }
    if (st != OK) return errors_push(errs, &err);
    Str code = v_text(v_get_lit(saved, "item"));
    PAGE_TRY(errs, item_by_code(page_items(), rq->db, code, &o->draft.item, &e));
    Value parts = v_get_lit(saved, "saved");
    o->draft.token = rq->params[0];
    o->draft.situation = v_get_lit(saved, "situation");
    o->draft.answers = v_get_lit(parts, "answers");
    o->draft.materials = v_get_lit(parts, "materials");
    o->draft.applicant = v_get_lit(parts, "applicant");
    PAGE_TRY(errs, item_guide(o->draft.item, o->draft.situation, rq->now, rq->arena, &o->guide,
                              &e));
    PAGE_TRY(errs, known_facts(rq, o, &e));
    o->materials = materials_model(rq, o);
    show_form(rq, o, NULL);
    return OK;
}

// ---- the order of the pages ------------------------------------------------------------------

// Ids of the pages: an agent's "applicant", the form's steps that ask something, "materials",
// "check".
static Value pages_of(Request *rq, const Open *o) {
    ListBuilder list = list_make(rq->arena);
    if (is_agent(rq)) list_add(&list, v_lit("applicant"));
    Value steps = v_get_lit(o->form, "steps");
    for (uint32_t i = 0; i < steps.len; i++) {
        Value step = v_at(steps, i);
        if (v_get_lit(step, "fields").len || v_get_lit(step, "known").len) {
            list_add(&list, v_get_lit(step, "id"));
        }
    }
    if (o->materials.len) list_add(&list, v_lit("materials"));
    list_add(&list, v_lit("check"));
    return list_done(&list);
}

static int64_t place_of(Value pages, Str id) {
    for (uint32_t i = 0; i < pages.len; i++) {
        if (str_eq(v_text(v_at(pages, i)), id)) return i;
    }
    return -1;
}

static Str page_path(Request *rq, const Open *o, Str id) {
    return arena_printf(rq->arena, "%.*s/%.*s", S_FMT(o->path), S_FMT(id));
}

static Value step_of(const Open *o, Str id) {
    Value steps = v_get_lit(o->form, "steps");
    for (uint32_t i = 0; i < steps.len; i++) {
        if (str_eq(v_text(v_get_lit(v_at(steps, i), "id")), id)) return v_at(steps, i);
    }
    return v_null();
}

static Value one_step(Request *rq, const Open *o, Str id) {
    ListBuilder list = list_make(rq->arena);
    Value step = step_of(o, id);
    if (!v_is_null(step)) list_add(&list, step);
    return list_done(&list);
}

// What every page of the draft shows: the item, where one is, the way back, the link to go on
// later.
static void put_place(Request *rq, const Open *o, Str id, ContextBuilder *b) {
    Value pages = pages_of(rq, o);
    int64_t at = place_of(pages, id);
    const Item *item = o->draft.item;
    bool en = str_eq(rq->lang, S("en")) && item->name_en.len;
    context_put_lit(b, "code", v_str(item->code));
    context_put_lit(b, "item_name", v_str(en ? item->name_en : item->name));
    context_put_lit(b, "draft_path", v_str(o->path));
    context_put_lit(b, "step_id", v_str(id));
    context_put_lit(b, "step_number", v_int(at + 1));
    context_put_lit(b, "steps_total", v_int(pages.len));
    context_put_lit(b, "from_check", v_bool(str_eq(request_query(rq, S("from")), S("check"))));
    context_put_lit(b, "saved", v_bool(request_query(rq, S("saved")).len > 0));
    Str link = arena_concat(rq->arena, (Str[]){rq->host, o->path}, 2);
    context_put_lit(b, "resume_link", v_str(link));
    Str back;
    if (str_eq(request_query(rq, S("from")), S("check"))) {
        back = page_path(rq, o, S("check"));
    } else if (at > 0) {
        back = page_path(rq, o, v_text(v_at(pages, (size_t)at - 1)));
    } else {
        Str path = arena_printf(rq->arena, "/apply/%.*s/needs", S_FMT(item->code));
        back = page_href(rq->arena, path, o->draft.situation);
    }
    context_put_lit(b, "back_href", v_str(back));
}

static void go_on(Request *rq, Reply *reply, const Open *o, Str id) {
    Value pages = pages_of(rq, o);
    int64_t at = place_of(pages, id);
    if (str_eq(request_text(rq, S("_from")), S("check"))) {
        reply_redirect(reply, page_path(rq, o, S("check")));
    } else {
        Value next = v_at(pages, (size_t)(at + 1));
        reply_redirect(reply, page_path(rq, o, v_is_null(next) ? S("check") : v_text(next)));
    }
}

// ---- what is wrong ---------------------------------------------------------------------------

// Every error of the form as it stands, with the places of `o->all`.
static void check_form(Request *rq, Open *o, bool partial, Errors *wrong) {
    Value ignored;
    if (form_check(o->draft.item->form, o->draft.answers, o->known, partial, rq->now, rq->arena,
                   &ignored, wrong) != OK || wrong->count) {
        show_form(rq, o, wrong);
    }
}

// Those of one step, as `errors` of the page.
static Value errors_in(Request *rq, const Open *o, Value steps) {
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; i < o->all.len; i++) {
        Value one = v_at(o->all, i);
        if (!page_error_in(steps, v_text(v_get_lit(one, "field")))) continue;
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "status", v_lit("invalid"));
        context_put_lit(&b, "where", v_get_lit(one, "field"));
        context_put_lit(&b, "message", v_get_lit(one, "message"));
        list_add(&list, context_done(&b));
    }
    return list_done(&list);
}

// ---- resume ----------------------------------------------------------------------------------

static Status resume(Request *rq, Reply *reply, Errors *errs) {
    Open o;
    Status st = open_draft(rq, &o, errs);
    if (st != OK) return st;
    Errors wrong = errors_make(rq->arena);
    check_form(rq, &o, false, &wrong);
    Value pages = pages_of(rq, &o);
    Str to = S("check");
    for (uint32_t i = 0; i < pages.len; i++) {
        Str id = v_text(v_at(pages, i));
        Value step = one_step(rq, &o, id);
        bool agent = str_eq(id, S("applicant")) && o.draft.applicant.kind != V_CONTEXT;
        bool open = step.len && errors_in(rq, &o, step).len;
        bool files = str_eq(id, S("materials")) && o.draft.materials.len == 0;
        if (!agent && !open && !files) continue;
        to = id;
        break;
    }
    reply_redirect(reply, page_path(rq, &o, to));
    return OK;
}

// ---- a step of the form ----------------------------------------------------------------------

static const char *const applicant_names[] = {"kind", "name", "id_number", "phone", "address"};

static Status applicant_page(Request *rq, Reply *reply, Open *o) {
    ContextBuilder b = context_make(rq->arena);
    put_place(rq, o, S("applicant"), &b);
    context_put_lit(&b, "applicant", o->draft.applicant);
    reply_page(rq, reply, "apply/applicant", context_done(&b));
    return OK;
}

static Value step_page_model(Request *rq, const Open *o, Str id) {
    ContextBuilder b = context_make(rq->arena);
    put_place(rq, o, id, &b);
    context_put_lit(&b, "step", step_of(o, id));
    return context_done(&b);
}

static Status step_page(Request *rq, Reply *reply, Errors *errs) {
    Open o;
    Status st = open_draft(rq, &o, errs);
    if (st != OK) return st;
    if (str_eq(rq->params[1], S("applicant")) && is_agent(rq)) return applicant_page(rq, reply, &o);
    if (v_is_null(step_of(&o, rq->params[1]))) {
        reply_redirect(reply, o.path); // a step this situation no longer asks
        return OK;
    }
    reply_page(rq, reply, "apply/step", step_page_model(rq, &o, rq->params[1]));
    return OK;
}

static Status applicant_post(Request *rq, Reply *reply, Open *o, Errors *errs) {
    ContextBuilder b = context_make(rq->arena);
    for (size_t i = 0; i < sizeof applicant_names / sizeof *applicant_names; i++) {
        Str name = str_z(applicant_names[i]);
        context_put_new(&b, name, v_str(request_text(rq, name)));
    }
    o->draft.applicant = context_done(&b);
    Status st = draft_store(rq, &o->draft, errs);
    if (st != OK) return st;
    Errors wrong = errors_make(rq->arena);
    Error err = {.status = OK};
    Str number = request_text(rq, S("id_number"));
    bool legal = str_eq(request_text(rq, S("kind")), S("legal"));
    if (!request_text(rq, S("name")).len) {
        errors_add(&wrong, INVALID, S("name"), "请填写申请人姓名或名称");
    }
    if ((legal ? credit_code_check(number, &err) : citizen_id_check(number, &err)) != OK) {
        err.where = S("id_number");
        (void)errors_push(&wrong, &err);
    }
    if (wrong.count) {
        ContextBuilder m = context_make(rq->arena);
        put_place(rq, o, S("applicant"), &m);
        context_put_lit(&m, "applicant", o->draft.applicant);
        reply_refused(rq, reply, "apply/applicant", context_done(&m), &wrong);
        return OK;
    }
    go_on(rq, reply, o, S("applicant"));
    return OK;
}

static bool was_shown(const Request *rq, Str field) {
    Value shown = v_get_lit(rq->input, "_shown");
    Str table = str_cut(&field, '.');
    if (shown.kind == V_STRING) return str_eq(v_text(shown), table);
    for (uint32_t i = 0; shown.kind == V_LIST && i < shown.len; i++) {
        if (str_eq(v_text(v_at(shown, i)), table)) return true;
    }
    return false;
}

// Are all errors at fields that the page which was sent did not show?
static bool only_new(const Request *rq, Value errors) {
    if (!v_has(rq->input, S("_shown"))) return false;
    for (uint32_t i = 0; i < errors.len; i++) {
        if (was_shown(rq, v_text(v_get_lit(v_at(errors, i), "where")))) return false;
    }
    return true;
}

static Status step_post(Request *rq, Reply *reply, Errors *errs) {
    Open o;
    Status st = open_draft(rq, &o, errs);
    if (st != OK) return st;
    Str id = rq->params[1];
    if (str_eq(id, S("applicant")) && is_agent(rq)) return applicant_post(rq, reply, &o, errs);
    Value step = one_step(rq, &o, id);
    if (!step.len) {
        reply_redirect(reply, o.path);
        return OK;
    }
    Value sent = page_answers(rq, step);
    Value others = page_answers_without(rq, o.draft.answers, step);
    o.draft.answers = v_merge(others, sent, rq->arena);
    st = draft_store(rq, &o.draft, errs); // what was typed is kept, also when it is wrong
    if (st != OK) return st;
    if (request_text(rq, S("_add")).len) {
        reply_redirect(reply, page_path(rq, &o, id));
        return OK;
    }
    if (request_text(rq, S("_save")).len) {
        reply_redirect(reply, arena_printf(rq->arena, "%.*s/%.*s?saved=1", S_FMT(o.path),
                                           S_FMT(id)));
        return OK;
    }
    Errors wrong = errors_make(rq->arena);
    show_form(rq, &o, NULL);
    check_form(rq, &o, false, &wrong);
    Value here = errors_in(rq, &o, one_step(rq, &o, id));
    if (!here.len) {
        go_on(rq, reply, &o, id);
        return OK;
    }
    if (only_new(rq, here)) { // an answer made the form ask more: no fault of whoever fills it in
        show_form(rq, &o, NULL);
        Value model = v_with(step_page_model(rq, &o, id), S("more"), v_bool(true), rq->arena);
        reply_page(rq, reply, "apply/step", model);
        return OK;
    }
    // Other steps may still be empty: only what is wrong here is said here.
    reply_page(rq, reply, "apply/step", step_page_model(rq, &o, id));
    reply->model = v_with(reply->model, S("errors"), here, rq->arena);
    reply->status = 422;
    return OK;
}

// ---- materials -------------------------------------------------------------------------------

static Value materials_page_model(Request *rq, const Open *o) {
    ContextBuilder b = context_make(rq->arena);
    put_place(rq, o, S("materials"), &b);
    context_put_lit(&b, "materials", o->materials);
    context_put_lit(&b, "max_bytes", v_int(HTTP_UPLOAD_MAX));
    context_put_lit(&b, "max_mb", v_int(HTTP_UPLOAD_MAX >> 20));
    return context_done(&b);
}

static Status materials_page(Request *rq, Reply *reply, Errors *errs) {
    Open o;
    Status st = open_draft(rq, &o, errs);
    if (st == OK) reply_page(rq, reply, "apply/materials", materials_page_model(rq, &o));
    return st;
}

static Value without_material(Request *rq, Value given, Str code) {
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; given.kind == V_LIST && i < given.len; i++) {
        Value g = v_at(given, i);
        if (!str_eq(v_text(v_get_lit(g, "code")), code)) list_add(&list, g);
    }
    return list_done(&list);
}

Status page_upload(Request *rq, const Upload *up, Value accept, Value *ret, Errors *errs) {
    Str name = up->file_name, ending = S("");
    for (size_t i = name.len; i > 0 && !ending.len; i--) {
        if (name.ptr[i - 1] == '.') ending = str_sub(name, i, name.len);
    }
    bool allowed = accept.kind != V_LIST;
    for (uint32_t i = 0; accept.kind == V_LIST && i < accept.len; i++) {
        Str one = v_text(v_at(accept, i));
        bool jpeg = str_eq(one, S("jpg")) && str_eq_nocase(ending, S("jpeg"));
        allowed = allowed || str_eq_nocase(one, ending) || jpeg;
    }
    if (!allowed) {
        return errors_add(errs, INVALID, up->field, "“{1}”的格式不符，请上传列出的格式", name);
    }
    Value kept;
    size_t before = errs->count;
    Status st = file_take(rq->app->store, rq->app->data_dir, up->path, name, up->hash, up->size,
                          rq->now, rq->arena, &kept, errs);
    for (size_t i = before; i < errs->count; i++) errs->items[i].where = up->field;
    if (st != OK) return st;
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "code", v_str(up->field));
    context_put_lit(&b, "file_hash", v_get_lit(kept, "hash"));
    context_put_lit(&b, "file_name", v_str(name));
    context_put_lit(&b, "size", v_get_lit(kept, "size"));
    *ret = context_done(&b);
    return OK;
}

static Status take_all(Request *rq, Open *o, Errors *wrong) {
    // Anybody may begin an application: nobody may fill the disk with it.
    Str key = arena_printf(rq->arena, "upload:%.*s", S_FMT(rq->address));
    if (rq->uploads_count && !throttle_allow(key, rq->now, UPLOADS_PER_MINUTE_MAX)) {
        return errors_add(wrong, LIMIT, S("materials"), "上传太频繁，请一分钟后再试");
    }
    for (size_t i = 0; i < rq->uploads_count; i++) {
        const Upload *up = &rq->uploads[i];
        if (up->size == 0 && up->file_name.len == 0) continue;
        Value spec = given_of(o->materials, up->field), taken;
        if (v_is_null(spec)) {
            errors_add(wrong, INVALID, up->field, "材料“{1}”不在本事项所需材料之中", up->field);
            continue;
        }
        if (page_upload(rq, up, v_get_lit(spec, "accept"), &taken, wrong) != OK) continue;
        Value others = without_material(rq, o->draft.materials, up->field);
        ListBuilder list = list_make(rq->arena);
        for (uint32_t k = 0; k < others.len; k++) list_add(&list, v_at(others, k));
        list_add(&list, taken);
        o->draft.materials = list_done(&list);
    }
    return errors_status(wrong);
}

static Status materials_post(Request *rq, Reply *reply, Errors *errs) {
    Open o;
    Status st = open_draft(rq, &o, errs);
    if (st != OK) return st;
    Errors wrong = errors_make(rq->arena);
    st = take_all(rq, &o, &wrong);
    if (rq->uploads_count) {
        Status stored = draft_store(rq, &o.draft, errs);
        if (stored != OK) return stored;
    }
    o.materials = materials_model(rq, &o);
    if (st != OK) {
        reply_refused(rq, reply, "apply/materials", materials_page_model(rq, &o), &wrong);
        return OK;
    }
    if (rq->wants_json) {
        reply->model = materials_page_model(rq, &o);
    } else if (request_text(rq, S("_next")).len) {
        go_on(rq, reply, &o, S("materials"));
    } else {
        reply_redirect(reply, page_path(rq, &o, S("materials")));
    }
    return OK;
}

static Status material_remove(Request *rq, Reply *reply, Errors *errs) {
    Open o;
    Status st = open_draft(rq, &o, errs);
    if (st != OK) return st;
    o.draft.materials = without_material(rq, o.draft.materials, request_text(rq, S("code")));
    st = draft_store(rq, &o.draft, errs);
    if (st == OK) reply_redirect(reply, page_path(rq, &o, S("materials")));
    return st;
}

// ---- check and send --------------------------------------------------------------------------

static Value check_model(Request *rq, const Open *o) {
    ContextBuilder b = context_make(rq->arena);
    put_place(rq, o, S("check"), &b);
    context_put_lit(&b, "steps", v_get_lit(o->form, "steps"));
    context_put_lit(&b, "materials", o->materials);
    context_put_lit(&b, "applicant", v_get_lit(o->known, "applicant"));
    context_put_lit(&b, "agent", v_bool(is_agent(rq)));
    int64_t lacking = 0;
    for (uint32_t i = 0; i < o->materials.len; i++) {
        lacking += v_true(v_get_lit(v_at(o->materials, i), "lacking"));
    }
    context_put_lit(&b, "lacking", v_int(lacking));
    context_put_lit(&b, "may_send", v_bool(actor_has(&rq->actor, ROLES_APPLICANT)));
    Str next = page_path(rq, o, S("check"));
    ContextBuilder q = context_make(rq->arena);
    context_put_lit(&q, "next", v_str(next));
    Value query_ = context_done(&q);
    context_put_lit(&b, "login_href", v_str(page_href(rq->arena, S("/login"), query_)));
    context_put_lit(&b, "register_href", v_str(page_href(rq->arena, S("/register"), query_)));
    return context_done(&b);
}

static Status check_page(Request *rq, Reply *reply, Errors *errs) {
    Open o;
    Status st = open_draft(rq, &o, errs);
    if (st != OK) return st;
    Errors wrong = errors_make(rq->arena);
    check_form(rq, &o, false, &wrong);
    reply_page(rq, reply, "apply/check", check_model(rq, &o));
    Value here = errors_in(rq, &o, v_get_lit(o.form, "steps"));
    if (here.len) reply->model = v_with(reply->model, S("errors"), here, rq->arena);
    return OK;
}

static Value submission(Request *rq, const Open *o) {
    ListBuilder given = list_make(rq->arena);
    for (uint32_t i = 0; i < o->materials.len; i++) { // only what is needed now
        Value m = given_of(o->draft.materials, v_text(v_get_lit(v_at(o->materials, i), "code")));
        if (!v_is_null(m)) list_add(&given, m);
    }
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "item", v_str(o->draft.item->code));
    context_put_lit(&b, "situation", o->draft.situation);
    context_put_lit(&b, "answers", o->draft.answers);
    context_put_lit(&b, "materials", list_done(&given));
    context_put_lit(&b, "draft", v_str(o->draft.token));
    if (is_agent(rq)) context_put_lit(&b, "applicant", o->draft.applicant);
    return context_done(&b);
}

static Status submit(Request *rq, Reply *reply, Errors *errs) {
    Open o;
    Status st = open_draft(rq, &o, errs);
    if (st != OK) return st;
    Errors wrong = errors_make(rq->arena);
    Value result;
    if (!request_text(rq, S("declare")).len && !v_true(v_get_lit(rq->input, "declare"))) {
        st = errors_add(&wrong, INVALID, S("declare"), "请确认所填内容真实，再提交");
    } else {
        st = request_command(rq, S("case.submit"), submission(rq, &o), &result, &wrong);
    }
    if (st == OK) {
        if (rq->wants_json) {
            reply->model = result;
            return OK;
        }
        Str number = v_text(v_get_lit(result, "number"));
        reply_redirect(reply, arena_printf(rq->arena, "/apply/done/%.*s", S_FMT(number)));
        return OK;
    }
    show_form(rq, &o, &wrong);
    reply_refused(rq, reply, "apply/check", check_model(rq, &o), &wrong);
    return OK;
}

const Route draft_routes[] = {
    {METHOD_GET, "/apply/d/:token", ROLE_PUBLIC, resume, NULL, false},
    {METHOD_GET, "/apply/d/:token/:step", ROLE_PUBLIC, step_page, NULL, false},
    {METHOD_POST, "/apply/d/:token/:step", ROLE_PUBLIC, step_post, NULL, false},
    {METHOD_GET, "/apply/d/:token/materials", ROLE_PUBLIC, materials_page, NULL, false},
    {METHOD_POST, "/apply/d/:token/materials", ROLE_PUBLIC, materials_post, NULL, true},
    {METHOD_POST, "/apply/d/:token/remove", ROLE_PUBLIC, material_remove, NULL, false},
    {METHOD_GET, "/apply/d/:token/check", ROLE_PUBLIC, check_page, NULL, false},
    {METHOD_POST, "/apply/d/:token/submit", ROLES_APPLICANT, submit, NULL, false},
};
const size_t draft_routes_count = sizeof draft_routes / sizeof *draft_routes;
