// Corrections (补正) of the application form: what the letter asks for, the form as it stands, and
// putting changed answers over the ones that were given.
//
// Whoever is not the applicant himself (his agent, a clerk at the counter) does not see his
// personal answers: he finds those fields empty, and what he leaves empty stays as it was. A table
// with personal columns is one such field: left empty it stays, otherwise it is filled in anew.
#include "case/case_internal.h"

static bool missing_value(Value v) {
    if (v.kind == V_STRING) return str_empty(str_trim(v_text(v)));
    return v.kind == V_NULL || (v.kind == V_LIST && v.len == 0);
}

static Str top_of(Str key) {
    Str rest = key;
    return str_cut(&rest, '.');
}

// Does `raw` speak of the field, and does it say anything?
static bool speaks_of(Value raw, Str name, bool *ret_empty) {
    bool found = false;
    *ret_empty = true;
    for (uint32_t i = 0; raw.kind == V_CONTEXT && i < raw.len; i++) {
        const Entry *e = &raw.as.entries[i];
        if (!str_eq(top_of(e->key), name)) continue;
        found = true;
        *ret_empty = *ret_empty && missing_value(e->value);
    }
    return found;
}

static bool is_personal(const Form *f, Str top, Arena *a) {
    Str *names;
    size_t n;
    if (form_personal(f, top)) return true;
    form_names(f, a, &names, &n);
    for (size_t i = 0; i < n; i++) {
        if (str_eq(top_of(names[i]), top) && form_personal(f, names[i])) return true;
    }
    return false;
}

static bool in_form(const Form *f, Str top, Arena *a) {
    Str *names;
    size_t n;
    form_names(f, a, &names, &n);
    for (size_t i = 0; i < n; i++) {
        if (str_eq(top_of(names[i]), top)) return true;
    }
    return false;
}

// Does the old answer stand, although `raw` speaks of it?
static bool stands(const CaseRow *c, const Actor *actor, Value raw, Str name, Arena *a) {
    bool empty;
    if (!speaks_of(raw, name, &empty)) return true;
    return empty && !case_is_self(c, actor) && is_personal(c->item->form, name, a);
}

Value correction_over(const CaseRow *c, const Actor *actor, Value raw, Arena *a) {
    Value old = v_get_lit(c->answers, "answers");
    ContextBuilder b = context_make(a);
    for (uint32_t i = 0; old.kind == V_CONTEXT && i < old.len; i++) {
        const Entry *e = &old.as.entries[i];
        if (stands(c, actor, raw, e->key, a)) context_put(&b, e->key, e->value);
    }
    for (uint32_t i = 0; raw.kind == V_CONTEXT && i < raw.len; i++) {
        const Entry *e = &raw.as.entries[i];
        Str top = top_of(e->key);
        if (in_form(c->item->form, top, a) && !stands(c, actor, raw, top, a)) {
            context_put(&b, e->key, e->value);
        }
    }
    return context_done(&b);
}

Status case_known(Db *db, const Item *item, int64_t party_id, Value situation, Value guide,
                  Arena *a, Value *ret, Error *err) {
    Value party;
    Status st = party_view(db, party_id, true, a, &party, err);
    if (st != OK) return st;
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("applicant"), party);
    context_put_new(&b, S("situation"), situation);
    context_put_new(&b, S("parameters"), item->parameters);
    context_put_new(&b, S("hide_steps"), v_get_lit(guide, "hide_steps"));
    *ret = context_done(&b);
    return OK;
}

Status case_known_of(Db *db, const CaseRow *c, Instant now, Arena *a, Value *ret, Error *err) {
    Value guide, situation = v_get_lit(c->answers, "situation");
    Status st = item_guide(c->item, situation, now, a, &guide, err);
    if (st != OK) return st;
    return case_known(db, c->item, c->party_id, situation, guide, a, ret, err);
}

// ---- the form to correct ----

static Str masked(Value field, Arena *a) {
    Str shown = v_text(v_get_lit(field, "display"));
    bool phone = str_eq(v_text(v_get_lit(field, "type")), S("phone"));
    return phone ? mask_phone(shown, a) : mask_id(shown, a);
}

static Value nothing_chosen(Value options, Arena *a) {
    ListBuilder list = list_make(a);
    for (uint32_t i = 0; options.kind == V_LIST && i < options.len; i++) {
        list_add(&list, v_with(v_at(options, i), S("selected"), v_bool(false), a));
    }
    return list_done(&list);
}

// A personal field as another sees it: empty, with what tells that there is an answer.
static Value hidden(Value field, Arena *a) {
    bool table = v_has(field, S("rows")), choice = v_get_lit(field, "options").len > 0;
    bool answered = table ? v_get_lit(field, "rows").len > 0
                          : !str_empty(v_text(v_get_lit(field, "display")));
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("kept"), v_bool(answered));
    context_put_new(&b, S("masked"), table || choice ? v_lit("") : v_str(masked(field, a)));
    context_put_new(&b, S("value"), v_lit(""));
    context_put_new(&b, S("display"), v_lit(""));
    if (answered) context_put_new(&b, S("required"), v_bool(false));
    context_put_new(&b, S("options"), nothing_chosen(v_get_lit(field, "options"), a));
    if (table) {
        ListBuilder rows = list_make(a);
        context_put_new(&b, S("rows"), list_done(&rows));
    }
    return v_merge(field, context_done(&b), a);
}

static Value step_for(const CaseRow *c, const Actor *actor, Value step, Value typed, Arena *a) {
    Value fields = v_get_lit(step, "fields");
    ListBuilder list = list_make(a), known = list_make(a);
    for (uint32_t i = 0; i < fields.len; i++) {
        Value f = v_at(fields, i);
        Str name = v_text(v_get_lit(f, "name"));
        bool empty;
        (void)speaks_of(typed, name, &empty);
        bool hide = !case_is_self(c, actor) && empty && is_personal(c->item->form, name, a);
        list_add(&list, hide ? hidden(f, a) : f);
    }
    step = v_with(step, S("fields"), list_done(&list), a);
    return case_is_self(c, actor) ? step : v_with(step, S("known"), list_done(&known), a);
}

static Value form_for(const CaseRow *c, const Actor *actor, Value model, Value typed, Arena *a) {
    Value steps = v_get_lit(model, "steps");
    ListBuilder list = list_make(a);
    for (uint32_t i = 0; i < steps.len; i++) {
        list_add(&list, step_for(c, actor, v_at(steps, i), typed, a));
    }
    return v_with(model, S("steps"), list_done(&list), a);
}

// The last letter's list, as its event tells it.
static Status asked(Db *db, int64_t case_id, Arena *a, Value *ret, Error *err) {
    Value events;
    Status st = event_list(db, case_id, a, &events, err);
    if (st != OK) return st;
    *ret = v_null();
    for (uint32_t i = 0; i < events.len; i++) {
        Value e = v_at(events, i);
        if (str_eq(v_text(v_get_lit(e, "kind")), S("case.correction_asked"))) {
            *ret = v_get_lit(e, "data");
        }
    }
    return OK;
}

Status case_correction(Db *db, const Actor *actor, Str number, const CorrectionTyped *typed,
                       Instant now, Str lang, Arena *a, Value *ret, Errors *errs) {
    CaseRow c;
    Value known, letter;
    TRY_S(case_load_number(db, number, a, &c, errs));
    if (!case_is_own(&c, actor) && !actor_has(actor, ROLE_CLERK)) {
        return errors_add(errs, NOT_FOUND, S("number"), "没有这个办件，请核对办件编号");
    }
    TRY_S(case_expect(&c, 1u << CASE_CORRECTING, errs));
    TRY_E(errs, case_known_of(db, &c, now, a, &known, &e));
    TRY_E(errs, asked(db, c.id, a, &letter, &e));
    Value answers = correction_over(&c, actor, typed->answers, a);
    Value model = form_model(c.item->form, answers, known, lang, now, typed->errs, typed->translate,
                             typed->catalog, a);
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("form"), form_for(&c, actor, model, typed->answers, a));
    context_put_new(&b, S("missing"), v_get_lit(letter, "missing"));
    context_put_new(&b, S("letter_note"), v_get_lit(letter, "note"));
    context_put_new(&b, S("due"), v_get_lit(letter, "due"));
    *ret = context_done(&b);
    return OK;
}
