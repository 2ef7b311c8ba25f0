// Checking answers: in the order of the form, each field that is asked is converted, bounded and
// tested; all that is wrong is told at once. `when` of a field sees the answers of the fields
// before it, `check` sees all of them; both see what is known.
#include "form/form_internal.h"

// ---- expressions

Value view_eval(const FormView *view, const FeelExpr *e, const Value *input) {
    FeelScope known = {.variables = view->known ? *view->known : v_null()};
    FeelScope answers = {.variables = view->answers, .outer = &known};
    FeelScope row = {.variables = view->row, .outer = &answers};
    Entry entry = {S("?"), input ? *input : v_null()};
    FeelScope asked = {.variables = {.kind = V_CONTEXT, .len = 1, .as.entries = &entry},
                       .outer = &row};
    FeelRun run = {.arena = view->arena, .scope = input ? &asked : &row, .now = view->now};
    return feel_eval(&run, e);
}

bool step_asked(const FormView *view, const Step *s) {
    // What a guide said is not needed: "hide_steps" of what is known.
    Value hidden = view->known ? v_get_lit(*view->known, "hide_steps") : v_null();
    for (uint32_t i = 0; hidden.kind == V_LIST && i < hidden.len; i++) {
        if (str_eq(v_text(v_at(hidden, i)), s->id)) return false;
    }
    return !s->when || v_true(view_eval(view, s->when, NULL));
}

bool field_asked(const FormView *view, const Field *f) {
    return !f->when || v_true(view_eval(view, f->when, NULL));
}

bool field_known(const FormView *view, const Field *f, Value *ret) {
    if (!f->from.len || !view->known || f->type == FIELD_TABLE) return false;
    Value v = v_path(*view->known, f->from);
    return !answer_missing(v) && answer_convert(f, v, view->arena, ret, NULL) == OK;
}

// ---- finding raw answers

static Value entry_of(Value raw, Str prefix, Str name, Arena *a) {
    if (raw.kind != V_CONTEXT) return v_null();
    return prefix.len ? v_get(raw, arena_concat(a, (Str[]){prefix, name}, 2)) : v_get(raw, name);
}

// A date may come in three parts: birth.year, birth.month, birth.day.
static Value date_in_parts(Value raw, Str prefix, const Field *f, Arena *a) {
    static const char *const PARTS[] = {".year", ".month", ".day"};
    Str text[3];
    size_t filled = 0;
    for (int i = 0; i < 3; i++) {
        Str name = arena_concat(a, (Str[]){f->name, str_z(PARTS[i])}, 2);
        Value v = entry_of(raw, prefix, name, a);
        text[i] = v.kind == V_NULL ? S("") : str_trim(v_to_str(v, a));
        filled += text[i].len > 0;
    }
    if (filled == 0) return v_null();
    return v_str(arena_concat(a, (Str[]){text[0], S("-"), text[1], S("-"), text[2]}, 5));
}

Value raw_answer(Value raw, Str prefix, const Field *f, Arena *a) {
    Value v = entry_of(raw, prefix, f->name, a);
    if (f->type == FIELD_DATE && v.kind == V_NULL) return date_in_parts(raw, prefix, f, a);
    return v;
}

// "staff.12.name" -> 12; -1 when it is no key of this table.
static int64_t row_index(Str key, Str table) {
    int64_t n;
    if (!str_starts(key, table) || key.len <= table.len + 1 || key.ptr[table.len] != '.') return -1;
    Str rest = str_sub(key, table.len + 1, key.len);
    Str index = str_cut(&rest, '.');
    return rest.ptr && index.len <= 6 && str_to_int(index, &n) && n >= 0 ? n : -1;
}

static bool row_empty(Value row) {
    for (uint32_t i = 0; i < row.len; i++)
        if (!answer_missing(row.as.entries[i].value)) return false;
    return true;
}

static Value flat_row(Value raw, const Field *f, int64_t index, Arena *a) {
    Str prefix = arena_printf(a, "%.*s.%lld.", S_FMT(f->name), (long long)index);
    ContextBuilder row = context_make(a);
    for (uint32_t i = 0; i < f->columns_count; i++) {
        Value v = raw_answer(raw, prefix, &f->columns[i], a);
        if (v.kind != V_NULL) context_put_new(&row, f->columns[i].name, v);
    }
    return context_done(&row);
}

static int by_number(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// Rows in the order of their numbers, numbered anew from 0; rows without any answer are dropped.
Status raw_rows(Value raw, const Field *f, Arena *a, Value **ret_rows, uint32_t *ret_count) {
    Value list = v_get(raw, f->name);
    Value *rows = arena_array(a, Value, FORM_ROWS_MAX);
    uint32_t count = 0;
    if (list.kind == V_LIST) {
        for (uint32_t i = 0; i < list.len; i++) {
            Value row = list.as.items[i];
            if (row.kind != V_CONTEXT) return INVALID;
            if (row_empty(row)) continue;
            if (count == FORM_ROWS_MAX) return LIMIT;
            rows[count++] = row;
        }
    } else if (list.kind != V_NULL && !answer_missing(list)) {
        return INVALID;
    } else if (raw.kind == V_CONTEXT) {
        int64_t *numbers = arena_array(a, int64_t, raw.len);
        uint32_t found = 0;
        for (uint32_t i = 0; i < raw.len; i++) {
            int64_t n = row_index(raw.as.entries[i].key, f->name);
            if (n >= 0) numbers[found++] = n;
        }
        if (found) qsort(numbers, found, sizeof *numbers, by_number);
        for (uint32_t i = 0; i < found; i++) {
            if (i && numbers[i] == numbers[i - 1]) continue;
            Value row = flat_row(raw, f, numbers[i], a);
            if (row_empty(row)) continue;
            if (count == FORM_ROWS_MAX) return LIMIT;
            rows[count++] = row;
        }
    }
    *ret_rows = rows;
    *ret_count = count;
    return OK;
}

// ---- checking

typedef struct Checker {
    FormView view;
    Value raw;
    bool partial;
    Errors *errs;
} Checker;

static void wrong_at(Checker *c, Str where, const Error *e) {
    (void)errors_fill(c->errs, e->status, where, e->text, e->args);
}

static bool required(const Checker *c, const Field *f) {
    if (c->partial) return false;
    return f->required_if ? v_true(view_eval(&c->view, f->required_if, NULL)) : f->required;
}

static void add_missing(Checker *c, const Field *f, Str where) {
    bool choose = f->type == FIELD_CHOICE || f->type == FIELD_CHOICES || f->type == FIELD_YESNO;
    if (choose) (void)errors_add(c->errs, INVALID, where, "请选择{1}", f->label);
    else (void)errors_add(c->errs, INVALID, where, "请填写{1}", f->label);
}

static Value bound_value(const Checker *c, const Bound *b, const Value *input) {
    return b->expr ? view_eval(&c->view, b->expr, input) : b->value;
}

static bool within(Checker *c, const Field *f, Str where, Value v) {
    Value min = bound_value(c, &f->min, &v), max = bound_value(c, &f->max, &v);
    int order;
    bool low = min.kind == v.kind && v_compare(v, min, &order) && order < 0;
    bool high = max.kind == v.kind && v_compare(v, max, &order) && order > 0;
    bool date = f->type == FIELD_DATE;
    const char *text = low ? (date ? "{1}不能早于 {2}" : "{1}不能小于 {2}")
                           : (date ? "{1}不能晚于 {2}" : "{1}不能大于 {2}");
    if (low || high) {
        Str bound = answer_input(f, low ? min : max, c->view.arena);
        (void)errors_fill(c->errs, INVALID, where, text, (Str[ERROR_ARGS]){f->label, bound});
    }
    return !low && !high;
}

// Converts one field; true when *ret holds an answer.
static bool check_field(Checker *c, const Field *f, Value raw, Str where, Value *ret) {
    Error e = {0};
    if (answer_missing(raw)) {
        if (required(c, f)) add_missing(c, f, where);
        return false;
    }
    if (answer_convert(f, raw, c->view.arena, ret, &e) != OK) {
        wrong_at(c, where, &e);
        return false;
    }
    return within(c, f, where, *ret);
}

static bool check_table(Checker *c, const Field *f, Value *ret) {
    Arena *a = c->view.arena;
    Value *rows;
    uint32_t count = 0;
    Status status = raw_rows(c->raw, f, a, &rows, &count);
    if (status == INVALID) {
        (void)errors_add(c->errs, INVALID, f->name, "{1}应为若干行", f->label);
        return false;
    }
    if (status == LIMIT || count > f->rows_max) {
        (void)errors_add(c->errs, LIMIT, f->name, "{1}最多 {2} 行", f->label,
                         arena_printf(a, "%u", f->rows_max));
        return false;
    }
    if (count == 0) {
        if (required(c, f)) add_missing(c, f, f->name);
        return false;
    }
    ListBuilder list = list_make(a);
    for (uint32_t i = 0; i < count; i++) {
        ContextBuilder row = context_make(a);
        for (uint32_t j = 0; j < f->columns_count; j++) {
            const Field *column = &f->columns[j];
            Str where = arena_printf(a, "%.*s.%u.%.*s", S_FMT(f->name), i, S_FMT(column->name));
            Value v;
            c->view.row = context_done(&row);
            if (field_asked(&c->view, column) &&
                check_field(c, column, raw_answer(rows[i], S(""), column, a), where, &v))
                context_put_new(&row, column->name, v);
        }
        list_add(&list, context_done(&row));
    }
    c->view.row = v_null();
    *ret = list_done(&list);
    return true;
}

// After all is converted: the fields' own conditions.
static void test_field(Checker *c, const Field *f, Value v, Str where) {
    if (!f->check) return;
    Value answer = view_eval(&c->view, f->check, &v);
    if (v_true(answer) || (c->partial && answer.kind != V_BOOL)) return;
    if (f->check_text.len) (void)errors_add(c->errs, INVALID, where, "{1}", f->check_text);
    else (void)errors_add(c->errs, INVALID, where, "{1}不符合要求，请核对", f->label);
}

static void test_table(Checker *c, const Field *f, Value list) {
    Arena *a = c->view.arena;
    for (uint32_t i = 0; i < list.len; i++) {
        c->view.row = list.as.items[i];
        for (uint32_t j = 0; j < f->columns_count; j++) {
            const Field *column = &f->columns[j];
            if (!v_has(c->view.row, column->name)) continue;
            test_field(c, column, v_get(c->view.row, column->name),
                       arena_printf(a, "%.*s.%u.%.*s", S_FMT(f->name), i, S_FMT(column->name)));
        }
    }
    c->view.row = v_null();
}

static void check_all(Checker *c, const Form *form, ContextBuilder *answers) {
    for (uint32_t i = 0; i < form->steps_count; i++) {
        const Step *s = &form->steps[i];
        if (!step_asked(&c->view, s)) continue;
        for (uint32_t j = 0; j < s->fields_count; j++) {
            const Field *f = &s->fields[j];
            Value v;
            if (!field_asked(&c->view, f)) continue;
            bool have = field_known(&c->view, f, &v) ||
                        (f->type == FIELD_TABLE
                             ? check_table(c, f, &v)
                             : check_field(c, f, raw_answer(c->raw, S(""), f, c->view.arena),
                                           f->name, &v));
            if (!have) continue;
            context_put_new(answers, f->name, v);
            c->view.answers = context_done(answers);
        }
    }
}

static void test_all(Checker *c, const Form *form) {
    for (uint32_t i = 0; i < form->steps_count; i++) {
        for (uint32_t j = 0; j < form->steps[i].fields_count; j++) {
            const Field *f = &form->steps[i].fields[j];
            if (!v_has(c->view.answers, f->name)) continue;
            Value v = v_get(c->view.answers, f->name);
            test_field(c, f, v, f->name);
            if (f->type == FIELD_TABLE) test_table(c, f, v);
        }
    }
}

Status form_check(const Form *f, Value raw, Value known, bool partial, Instant now, Arena *a,
                  Value *ret_answers, Errors *errs) {
    Errors own = errors_make(a);
    if (!errs) errs = &own;
    if (raw.kind != V_CONTEXT && raw.kind != V_NULL)
        return errors_add(errs, INVALID, S(""), "答案应为 JSON 对象");
    size_t before = errs->count;
    ContextBuilder answers = context_make(a);
    FormView view = {.known = &known, .answers = context_done(&answers), .now = now, .arena = a};
    Checker c = {.view = view, .raw = raw, .partial = partial, .errs = errs};
    check_all(&c, f, &answers);
    test_all(&c, f);
    if (errs->count > before || errs->more) return errs->items[before].status;
    *ret_answers = context_done(&answers);
    return OK;
}
