// The model of a form for a page: what is asked given the answers so far, in the language of the
// page, with each error at its field. Answers may be kept ones or those just sent and found
// wrong: what was typed is shown again.
#include "form/form_internal.h"

typedef struct Shower {
    FormView view; // answers converted, for conditions
    Value raw;     // as given, to be shown
    Str lang;
    bool english;
    const Errors *errs;
    Translate tr;
    void *catalog;
    Arena *arena;
} Shower;

static Value text(const Shower *s, Str zh, Str en) { return v_str(s->english && en.len ? en : zh); }

// In English the label and the field's own words take the place of the Chinese ones.
static Str message_of(const Shower *s, const Field *f, const Error *e) {
    Error said = *e;
    if (s->english && f) {
        bool own = e->text && strcmp(e->text, "{1}") == 0 && str_eq(e->args[0], f->check_text);
        if (own && f->check_text_en.len) return f->check_text_en;
        for (int i = 0; i < ERROR_ARGS; i++)
            if (f->label_en.len && str_eq(said.args[i], f->label)) said.args[i] = f->label_en;
    }
    return error_message(&said, s->tr, s->catalog, s->arena);
}

static Value error_of(const Shower *s, const Field *f, Str where) {
    for (size_t i = 0; s->errs && i < s->errs->count; i++)
        if (str_eq(s->errs->items[i].where, where))
            return v_str(message_of(s, f, &s->errs->items[i]));
    return v_null();
}

static bool chosen(Value v, Str option, const Field *f, Arena *a) {
    if (v.kind == V_LIST) {
        for (uint32_t i = 0; i < v.len; i++)
            if (str_eq(answer_input(f, v.as.items[i], a), option)) return true;
        return false;
    }
    return v.kind != V_NULL && str_eq(answer_input(f, v, a), option);
}

static Value option_model(const Shower *s, const Field *f, const Option *o, Value v) {
    ContextBuilder c = context_make(s->arena);
    context_put_new(&c, S("value"), v_str(o->value));
    context_put_new(&c, S("label"), text(s, o->label, o->label_en));
    context_put_new(&c, S("selected"), v_bool(chosen(v, o->value, f, s->arena)));
    return context_done(&c);
}

static Value options_model(const Shower *s, const Field *f, Value v) {
    static const Option YESNO[] = {{S_INIT("yes"), S_INIT("是"), S_INIT("Yes")},
                                   {S_INIT("no"), S_INIT("否"), S_INIT("No")}};
    ListBuilder list = list_make(s->arena);
    const Option *options = f->type == FIELD_YESNO ? YESNO : f->options;
    uint32_t count = f->type == FIELD_YESNO ? 2 : f->options_count;
    for (uint32_t i = 0; i < count; i++) list_add(&list, option_model(s, f, &options[i], v));
    return list_done(&list);
}

// One field called `name` ("staff.2.name" in a table).
static ContextBuilder field_model(const Shower *s, const Field *f, Str name, Value v,
                                  const FormView *view) {
    Arena *a = s->arena;
    Value typed;
    bool required = f->required_if ? v_true(view_eval(view, f->required_if, NULL)) : f->required;
    bool converted = !answer_missing(v) && f->type != FIELD_TABLE &&
                     answer_convert(f, v, a, &typed, NULL) == OK;
    ContextBuilder c = context_make(a);
    context_put_new(&c, S("name"), v_str(name));
    context_put_new(&c, S("label"), text(s, f->label, f->label_en));
    context_put_new(&c, S("hint"), text(s, f->hint, f->hint_en));
    context_put_new(&c, S("type"), v_str(str_z(FIELD_TYPE_NAMES[f->type])));
    context_put_new(&c, S("required"), v_bool(required));
    context_put_new(&c, S("options"), options_model(s, f, converted ? typed : v));
    if (f->type != FIELD_TABLE && v.kind != V_LIST)
        context_put_new(&c, S("value"), v_str(answer_input(f, v, a)));
    else
        context_put_new(&c, S("value"), v_lit(""));
    Value shown = converted ? typed : v;
    context_put_new(&c, S("display"),
                    f->type == FIELD_TABLE ? v_lit("")
                                           : v_str(answer_display(f, shown, s->lang, a)));
    context_put_new(&c, S("error"), error_of(s, f, name));
    context_put_new(&c, S("personal"), v_bool(f->personal));
    context_put_new(&c, S("autocomplete"), v_str(f->autocomplete));
    context_put_new(&c, S("max_length"), v_int(f->max_length));
    return c;
}

static Value columns_model(const Shower *s, const Field *f) {
    ListBuilder list = list_make(s->arena);
    for (uint32_t i = 0; i < f->columns_count; i++) {
        ContextBuilder c = field_model(s, &f->columns[i], f->columns[i].name, v_null(), &s->view);
        list_add(&list, context_done(&c));
    }
    return list_done(&list);
}

static Value rows_model(const Shower *s, const Field *f) {
    ListBuilder list = list_make(s->arena);
    Value *rows;
    uint32_t count = 0;
    if (raw_rows(s->raw, f, s->arena, &rows, &count) != OK) count = 0;
    for (uint32_t i = 0; i < count; i++) {
        FormView view = s->view;
        view.row = rows[i];
        ListBuilder cells = list_make(s->arena);
        for (uint32_t j = 0; j < f->columns_count; j++) {
            const Field *column = &f->columns[j];
            Str name = arena_printf(s->arena, "%.*s.%u.%.*s", S_FMT(f->name), i,
                                    S_FMT(column->name));
            Value v = raw_answer(rows[i], S(""), column, s->arena);
            ContextBuilder c = field_model(s, column, name, v, &view);
            list_add(&cells, context_done(&c));
        }
        ContextBuilder row = context_make(s->arena);
        context_put_new(&row, S("number"), v_int((int64_t)i + 1));
        context_put_new(&row, S("fields"), list_done(&cells));
        list_add(&list, context_done(&row));
    }
    return list_done(&list);
}

static Value known_model(const Shower *s, const Field *f, Value v) {
    ContextBuilder c = context_make(s->arena);
    context_put_new(&c, S("name"), v_str(f->name));
    context_put_new(&c, S("label"), text(s, f->label, f->label_en));
    context_put_new(&c, S("display"), v_str(answer_display(f, v, s->lang, s->arena)));
    context_put_new(&c, S("personal"), v_bool(f->personal));
    return context_done(&c);
}

static Value step_model(const Shower *s, const Step *step) {
    ListBuilder fields = list_make(s->arena), known = list_make(s->arena);
    for (uint32_t i = 0; i < step->fields_count; i++) {
        const Field *f = &step->fields[i];
        Value v;
        if (!field_asked(&s->view, f)) continue;
        if (field_known(&s->view, f, &v)) {
            list_add(&known, known_model(s, f, v));
            continue;
        }
        ContextBuilder c = field_model(s, f, f->name, raw_answer(s->raw, S(""), f, s->arena),
                                       &s->view);
        if (f->type == FIELD_TABLE) {
            context_put_new(&c, S("columns"), columns_model(s, f));
            context_put_new(&c, S("rows"), rows_model(s, f));
            context_put_new(&c, S("rows_max"), v_int(f->rows_max));
        }
        list_add(&fields, context_done(&c));
    }
    ContextBuilder c = context_make(s->arena);
    context_put_new(&c, S("id"), v_str(step->id));
    context_put_new(&c, S("title"), text(s, step->title, step->title_en));
    context_put_new(&c, S("hint"), text(s, step->hint, step->hint_en));
    context_put_new(&c, S("fields"), list_done(&fields));
    context_put_new(&c, S("known"), list_done(&known));
    return context_done(&c);
}

// The field an error's place belongs to: "staff.2.name" is the column name of staff.
static const Field *field_at(const Form *form, Str where) {
    Str rest = where, table = str_cut(&rest, '.'), column = rest;
    while (rest.ptr) column = str_cut(&rest, '.');
    for (uint32_t i = 0; i < form->steps_count; i++) {
        for (uint32_t j = 0; j < form->steps[i].fields_count; j++) {
            const Field *f = &form->steps[i].fields[j];
            if (!str_eq(f->name, table)) continue;
            for (uint32_t k = 0; k < f->columns_count && column.ptr; k++)
                if (str_eq(f->columns[k].name, column)) return &f->columns[k];
            return f;
        }
    }
    return NULL;
}

static Value errors_model(const Shower *s, const Form *form) {
    ListBuilder list = list_make(s->arena);
    for (size_t i = 0; s->errs && i < s->errs->count; i++) {
        const Error *e = &s->errs->items[i];
        ContextBuilder c = context_make(s->arena);
        context_put_new(&c, S("field"), v_str(e->where));
        context_put_new(&c, S("message"), v_str(message_of(s, field_at(form, e->where), e)));
        list_add(&list, context_done(&c));
    }
    return list_done(&list);
}

// What can be converted, so that conditions see dates and numbers rather than what was typed.
static Value converted(const Form *form, Value raw, Value known, Instant now, Arena *a) {
    ContextBuilder answers = context_make(a);
    FormView view = {.known = &known, .answers = context_done(&answers), .now = now, .arena = a};
    for (uint32_t i = 0; i < form->steps_count; i++) {
        for (uint32_t j = 0; j < form->steps[i].fields_count; j++) {
            const Field *f = &form->steps[i].fields[j];
            Value v;
            if (!field_asked(&view, f)) continue;
            if (!field_known(&view, f, &v)) {
                v = raw_answer(raw, S(""), f, a);
                if (answer_missing(v)) continue;
                if (f->type != FIELD_TABLE && answer_convert(f, v, a, &v, NULL) != OK) continue;
            }
            context_put_new(&answers, f->name, v);
            view.answers = context_done(&answers);
        }
    }
    return context_done(&answers);
}

Value form_model(const Form *f, Value answers, Value known, Str lang, Instant now,
                 const Errors *errs, Translate tr, void *catalog, Arena *a) {
    Shower s = {.raw = answers, .lang = lang, .english = str_eq(lang, S("en")), .errs = errs,
                .tr = tr, .catalog = catalog, .arena = a};
    s.view = (FormView){.known = &known, .answers = converted(f, answers, known, now, a),
                        .now = now, .arena = a};
    ListBuilder steps = list_make(a);
    for (uint32_t i = 0; i < f->steps_count; i++)
        if (step_asked(&s.view, &f->steps[i])) list_add(&steps, step_model(&s, &f->steps[i]));
    ContextBuilder c = context_make(a);
    context_put_new(&c, S("title"), text(&s, f->title, f->title_en));
    context_put_new(&c, S("steps"), list_done(&steps));
    context_put_new(&c, S("errors"), errors_model(&s, f));
    return context_done(&c);
}
