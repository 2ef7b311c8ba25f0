// Forms on pages: what form_model says, completed for the parts field and field_table; and the
// other way, what a browser sent for the fields of a form.
#include "pages/page_tools.h"

enum { RADIOS_MAX = 7 }; // more options than these are a list to choose from

typedef struct InputKind {
    Str type;             // of the form
    const char *html;     // type of the <input>
    const char *width;    // class
    const char *inputmode;
    const char *check;    // checked when one leaves the field (POST /check)
} InputKind;

static const InputKind kinds[] = {
    {S_INIT("text"), "text", "w-text", "", ""},
    {S_INIT("number"), "text", "w-number", "numeric", ""},
    {S_INIT("date"), "date", "w-date", "", ""},
    {S_INIT("citizen_id"), "text", "w-id", "", "citizen_id"},
    {S_INIT("credit_code"), "text", "w-id", "", "credit_code"},
    {S_INIT("any_id"), "text", "w-id", "", "any_id"},
    {S_INIT("phone"), "tel", "w-phone", "tel", "phone"},
    {S_INIT("region"), "text", "w-number", "numeric", ""},
    {S_INIT("email"), "email", "w-text", "email", ""},
};

static const InputKind *kind_of(Str type) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (str_eq(kinds[i].type, type)) return &kinds[i];
    }
    return &kinds[0];
}

static Value options_of(const Request *rq, Str field, Value options) {
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; options.kind == V_LIST && i < options.len; i++) {
        Value o = v_at(options, i);
        // The first one carries the field's own id, so that an error leads to it.
        Str id = arena_printf(rq->arena, i ? "f-%.*s-%u" : "f-%.*s-0", S_FMT(field), i);
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "id", v_str(id));
        context_put_lit(&b, "field", v_str(field));
        list_add(&list, v_merge(o, context_done(&b), rq->arena));
    }
    return list_done(&list);
}

static Value fields_of(const Request *rq, Value fields, int depth);

// A table offers an empty row more than it has answers, up to its maximum.
static Value table_rows(const Request *rq, Value f) {
    Value rows = v_get_lit(f, "rows"), columns = v_get_lit(f, "columns");
    Str name = v_text(v_get_lit(f, "name"));
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; rows.kind == V_LIST && i < rows.len; i++) {
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "cells", fields_of(rq, v_get_lit(v_at(rows, i), "fields"), 1));
        list_add(&list, context_done(&b));
    }
    int64_t max = v_to_int(v_get_lit(f, "rows_max"), 1);
    for (int i = 0; i < PAGE_ROW_EMPTY && (int64_t)list.len < max; i++) {
        ListBuilder cells = list_make(rq->arena);
        for (uint32_t k = 0; columns.kind == V_LIST && k < columns.len; k++) {
            Value column = v_at(columns, k);
            Str cell = arena_printf(rq->arena, "%.*s.%u.%.*s", S_FMT(name), list.len,
                                    S_FMT(v_text(v_get_lit(column, "name"))));
            list_add(&cells, v_with(column, S("name"), v_str(cell), rq->arena));
        }
        ContextBuilder b = context_make(rq->arena);
        context_put_lit(&b, "cells", fields_of(rq, list_done(&cells), 1));
        list_add(&list, context_done(&b));
    }
    return list_done(&list);
}

static Value field_of(const Request *rq, Value f, int depth) {
    Str type = v_text(v_get_lit(f, "type")), name = v_text(v_get_lit(f, "name"));
    Value options = v_get_lit(f, "options");
    bool many = str_eq(type, S("choices"));
    bool radios = many || str_eq(type, S("yesno")) ||
                  (str_eq(type, S("choice")) && options.len <= RADIOS_MAX);
    const InputKind *k = kind_of(type);
    ContextBuilder b = context_make(rq->arena);
    context_put_lit(&b, "many", v_bool(many));
    context_put_lit(&b, "radios", v_bool(radios));
    context_put_lit(&b, "optional", v_bool(!v_true(v_get_lit(f, "required"))));
    context_put_lit(&b, "html_type", v_str(str_z(k->html)));
    context_put_lit(&b, "width", v_str(str_z(k->width)));
    context_put_lit(&b, "inputmode", v_str(str_z(k->inputmode)));
    context_put_lit(&b, "checked_as", v_str(str_z(k->check)));
    if (options.kind == V_LIST) context_put_lit(&b, "options", options_of(rq, name, options));
    if (depth == 0 && str_eq(type, S("table"))) {
        context_put_lit(&b, "table_rows", table_rows(rq, f));
    }
    // Only a limit somebody set is worth an attribute; the others are told when they are passed.
    if (!str_eq(type, S("text")) && !str_eq(type, S("longtext"))) {
        context_put_lit(&b, "max_length", v_null());
    }
    return v_merge(f, context_done(&b), rq->arena);
}

static Value fields_of(const Request *rq, Value fields, int depth) {
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; fields.kind == V_LIST && i < fields.len; i++) {
        list_add(&list, field_of(rq, v_at(fields, i), depth));
    }
    return list_done(&list);
}

Value page_form(const Request *rq, Value form_model) {
    Value steps = v_get_lit(form_model, "steps");
    ListBuilder list = list_make(rq->arena);
    for (uint32_t i = 0; steps.kind == V_LIST && i < steps.len; i++) {
        Value step = v_at(steps, i);
        list_add(&list, v_with(step, S("fields"), fields_of(rq, v_get_lit(step, "fields"), 0),
                               rq->arena));
    }
    return v_with(form_model, S("steps"), list_done(&list), rq->arena);
}

// ---- what was sent ---------------------------------------------------------------------------

// Is `key` the field itself or a part of it ("staff.0.name", "birth.year")?
static bool of_field(Str key, Str name) {
    if (!str_starts(key, name)) return false;
    return key.len == name.len || key.ptr[name.len] == '.';
}

static bool of_step(Value step, Str key) {
    Value fields = v_get_lit(step, "fields");
    for (uint32_t i = 0; i < fields.len; i++) {
        if (of_field(key, v_text(v_get_lit(v_at(fields, i), "name")))) return true;
    }
    return false;
}

static bool of_steps(Value steps, Str key) {
    for (uint32_t i = 0; steps.kind == V_LIST && i < steps.len; i++) {
        if (of_step(v_at(steps, i), key)) return true;
    }
    return false;
}

Value page_answers(const Request *rq, Value steps) {
    ContextBuilder b = context_make(rq->arena);
    for (uint32_t i = 0; rq->input.kind == V_CONTEXT && i < rq->input.len; i++) {
        const Entry *e = &rq->input.as.entries[i];
        if (of_steps(steps, e->key)) context_put(&b, e->key, e->value);
    }
    return context_done(&b);
}

bool page_error_in(Value steps, Str where) { return of_steps(steps, where); }

Value page_answers_without(const Request *rq, Value answers, Value steps) {
    ContextBuilder b = context_make(rq->arena);
    for (uint32_t i = 0; answers.kind == V_CONTEXT && i < answers.len; i++) {
        const Entry *e = &answers.as.entries[i];
        if (!of_steps(steps, e->key)) context_put(&b, e->key, e->value);
    }
    return context_done(&b);
}
