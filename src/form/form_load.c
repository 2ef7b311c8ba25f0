// Reading a form schema. Everything is checked here, so that asking and checking can trust it;
// what is wrong is refused with its path ("steps.0.fields.3.type").
#include "form/form_internal.h"

const char *const FIELD_TYPE_NAMES[FIELD_TYPES] = {
    "text", "longtext", "number", "money", "date", "choice", "choices", "yesno",
    "citizen_id", "credit_code", "any_id", "phone", "region", "email", "table",
};

typedef struct Loader {
    Arena *arena;
    Error *err;
    Status status;
    uint32_t fields; // so far, columns too
    Str names[FORM_FIELDS_MAX];
} Loader;

static bool refuse(Loader *l, Status status, Str at, const char *text, Str arg) {
    if (l->status == OK) l->status = error_fill(l->err, status, at, text, (Str[ERROR_ARGS]){arg});
    return false;
}

static Str join(Loader *l, Str at, const char *key) {
    return at.len ? arena_printf(l->arena, "%.*s.%s", S_FMT(at), key) : str_z(key);
}
static Str join_index(Loader *l, Str at, const char *key, uint32_t i) {
    return arena_printf(l->arena, "%.*s%s%s.%u", S_FMT(at), at.len ? "." : "", key, i);
}

// A text that may be absent.
static bool text_of(Loader *l, Value v, Str at, const char *key, Str *ret) {
    Value got = v_get(v, str_z(key));
    if (got.kind != V_NULL && got.kind != V_STRING)
        return refuse(l, INVALID, join(l, at, key), "这里应为文字", S(""));
    *ret = arena_str(l->arena, v_text(got));
    return true;
}

static bool needed_text(Loader *l, Value v, Str at, const char *key, Str *ret) {
    if (!text_of(l, v, at, key, ret)) return false;
    return ret->len ? true : refuse(l, INVALID, join(l, at, key), "缺少“{1}”", str_z(key));
}

static bool expr_of(Loader *l, Value v, Str at, const char *key, const FeelExpr **ret) {
    Value got = v_get(v, str_z(key));
    if (got.kind == V_NULL) return true;
    if (got.kind != V_STRING) return refuse(l, INVALID, join(l, at, key), "这里应为 FEEL 表达式", S(""));
    Error err = {0};
    if (feel_parse(v_text(got), NULL, 0, l->arena, ret, &err) == OK) return true;
    return refuse(l, INVALID, join(l, at, key), "{1}", error_message(&err, NULL, NULL, l->arena));
}

// A number; a date; or an expression.
static bool bound_of(Loader *l, Value v, Str at, const char *key, FieldType type, Bound *ret) {
    Value got = v_get(v, str_z(key));
    Day day;
    if (got.kind == V_NULL) return true;
    if (type != FIELD_NUMBER && type != FIELD_MONEY && type != FIELD_DATE)
        return refuse(l, INVALID, join(l, at, key), "这种类型没有上下限", S(""));
    if (got.kind == V_NUMBER && type != FIELD_DATE) {
        ret->value = got;
        return true;
    }
    if (got.kind == V_STRING && type == FIELD_DATE && day_parse(v_text(got), &day)) {
        ret->value = v_day(day);
        return true;
    }
    return expr_of(l, v, at, key, &ret->expr);
}

static bool count_of(Loader *l, Value v, Str at, const char *key, uint32_t otherwise,
                     uint32_t max, uint32_t *ret) {
    Value got = v_get(v, str_z(key));
    if (got.kind == V_NULL) {
        *ret = otherwise;
        return true;
    }
    int64_t n = v_to_int(got, 0);
    if (n < 1 || n > max)
        return refuse(l, LIMIT, join(l, at, key), "应为 1 到 {1} 的整数",
                      arena_printf(l->arena, "%u", max));
    *ret = (uint32_t)n;
    return true;
}

static bool flag_of(Loader *l, Value v, Str at, const char *key, bool *ret) {
    Value got = v_get(v, str_z(key));
    if (got.kind != V_NULL && got.kind != V_BOOL)
        return refuse(l, INVALID, join(l, at, key), "应为 true 或 false", S(""));
    *ret = v_true(got);
    return true;
}

// Names are FEEL names of one word, so that they can stand in expressions and in paths.
static bool name_valid(Str s) {
    if (s.len == 0 || s.len > FORM_NAME_MAX || (s.ptr[0] >= '0' && s.ptr[0] <= '9')) return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
        if (!letter && !(c >= '0' && c <= '9')) return false;
    }
    return true;
}

static bool type_of(Loader *l, Value v, Str at, FieldType *ret) {
    Str name;
    if (!needed_text(l, v, at, "type", &name)) return false;
    for (int i = 0; i < FIELD_TYPES; i++) {
        if (!str_eq(name, str_z(FIELD_TYPE_NAMES[i]))) continue;
        *ret = (FieldType)i;
        return true;
    }
    return refuse(l, INVALID, join(l, at, "type"), "没有名为“{1}”的类型", name);
}

static bool options_of(Loader *l, Value v, Str at, Field *f) {
    Value list = v_get_lit(v, "options");
    bool choice = f->type == FIELD_CHOICE || f->type == FIELD_CHOICES;
    if (!choice && list.kind == V_NULL) return true;
    if (!choice || list.kind != V_LIST || list.len == 0)
        return refuse(l, INVALID, join(l, at, "options"),
                      choice ? "选择题至少要有一个选项" : "只有选择题有选项", S(""));
    if (list.len > FORM_OPTIONS_MAX)
        return refuse(l, LIMIT, join(l, at, "options"), "选项过多", S(""));
    f->options = arena_array(l->arena, Option, list.len);
    f->options_count = list.len;
    for (uint32_t i = 0; i < list.len; i++) {
        Option *o = &f->options[i];
        Str here = join_index(l, at, "options", i);
        if (!needed_text(l, list.as.items[i], here, "value", &o->value) ||
            !needed_text(l, list.as.items[i], here, "label", &o->label) ||
            !text_of(l, list.as.items[i], here, "label_en", &o->label_en))
            return false;
        for (uint32_t j = 0; j < i; j++)
            if (str_eq(f->options[j].value, o->value))
                return refuse(l, INVALID, here, "选项“{1}”重复", o->value);
    }
    return true;
}

static bool unique_name(Loader *l, Str at, Str name) {
    if (l->fields == FORM_FIELDS_MAX) return refuse(l, LIMIT, at, "字段过多", S(""));
    for (uint32_t i = 0; i < l->fields; i++)
        if (str_eq(l->names[i], name))
            return refuse(l, INVALID, join(l, at, "name"), "字段“{1}”重复：同一项不能问两遍", name);
    l->names[l->fields++] = name;
    return true;
}

static bool field_of(Loader *l, Value v, Str at, Str table, Field *f);

static bool columns_of(Loader *l, Value v, Str at, Field *f) {
    Value list = v_get_lit(v, "columns");
    if (f->type != FIELD_TABLE)
        return list.kind == V_NULL ||
               refuse(l, INVALID, join(l, at, "columns"), "只有表格有列", S(""));
    if (list.kind != V_LIST || list.len == 0 || list.len > FORM_COLUMNS_MAX)
        return refuse(l, INVALID, join(l, at, "columns"), "表格应有 1 到 {1} 列",
                      arena_printf(l->arena, "%d", FORM_COLUMNS_MAX));
    f->columns = arena_array(l->arena, Field, list.len);
    f->columns_count = list.len;
    for (uint32_t i = 0; i < list.len; i++)
        if (!field_of(l, list.as.items[i], join_index(l, at, "columns", i), f->name,
                      &f->columns[i]))
            return false;
    return true;
}

static bool required_of(Loader *l, Value v, Str at, Field *f) {
    if (v_get_lit(v, "required").kind == V_STRING)
        return expr_of(l, v, at, "required", &f->required_if);
    return flag_of(l, v, at, "required", &f->required);
}

static bool field_of(Loader *l, Value v, Str at, Str table, Field *f) {
    if (v.kind != V_CONTEXT) return refuse(l, INVALID, at, "字段应为 JSON 对象", S(""));
    if (!needed_text(l, v, at, "name", &f->name)) return false;
    if (!name_valid(f->name))
        return refuse(l, INVALID, join(l, at, "name"), "字段名“{1}”应由字母、汉字、数字和下划线组成", f->name);
    Str full = table.len ? arena_printf(l->arena, "%.*s.%.*s", S_FMT(table), S_FMT(f->name))
                         : f->name;
    uint32_t longest = FORM_TEXT_MAX;
    if (!unique_name(l, at, full) || !needed_text(l, v, at, "label", &f->label) ||
        !text_of(l, v, at, "label_en", &f->label_en) || !text_of(l, v, at, "hint", &f->hint) ||
        !text_of(l, v, at, "hint_en", &f->hint_en) || !type_of(l, v, at, &f->type))
        return false;
    if (table.len && f->type == FIELD_TABLE)
        return refuse(l, INVALID, join(l, at, "type"), "表格里不能再有表格", S(""));
    uint32_t length = f->type == FIELD_LONGTEXT ? FORM_TEXT_MAX : FORM_TEXT_DEFAULT;
    return required_of(l, v, at, f) && expr_of(l, v, at, "when", &f->when) &&
           expr_of(l, v, at, "check", &f->check) &&
           text_of(l, v, at, "check_text", &f->check_text) &&
           text_of(l, v, at, "check_text_en", &f->check_text_en) && options_of(l, v, at, f) &&
           bound_of(l, v, at, "min", f->type, &f->min) &&
           bound_of(l, v, at, "max", f->type, &f->max) &&
           count_of(l, v, at, "max_length", length, longest, &f->max_length) &&
           flag_of(l, v, at, "personal", &f->personal) && text_of(l, v, at, "from", &f->from) &&
           text_of(l, v, at, "autocomplete", &f->autocomplete) &&
           count_of(l, v, at, "rows_max", FORM_ROWS_DEFAULT, FORM_ROWS_MAX, &f->rows_max) &&
           columns_of(l, v, at, f);
}

static bool step_of(Loader *l, Value v, Str at, Step *s) {
    Value fields = v_get_lit(v, "fields");
    if (!needed_text(l, v, at, "id", &s->id) || !needed_text(l, v, at, "title", &s->title) ||
        !text_of(l, v, at, "title_en", &s->title_en) || !text_of(l, v, at, "hint", &s->hint) ||
        !text_of(l, v, at, "hint_en", &s->hint_en) || !expr_of(l, v, at, "when", &s->when))
        return false;
    if (fields.kind != V_LIST || fields.len == 0)
        return refuse(l, INVALID, join(l, at, "fields"), "步骤里没有字段", S(""));
    if (fields.len > FORM_FIELDS_MAX) return refuse(l, LIMIT, at, "字段过多", S(""));
    s->fields = arena_array(l->arena, Field, fields.len);
    s->fields_count = fields.len;
    for (uint32_t i = 0; i < fields.len; i++)
        if (!field_of(l, fields.as.items[i], join_index(l, at, "fields", i), S(""), &s->fields[i]))
            return false;
    return true;
}

Status form_load(Value schema, Arena *a, const Form **ret, Error *err) {
    Loader *l = arena_new(a, Loader);
    *l = (Loader){.arena = a, .err = err};
    Form *form = arena_new(a, Form);
    Value steps = v_get_lit(schema, "steps");
    if (schema.kind != V_CONTEXT) return error_set(err, INVALID, S(""), "表单应为 JSON 对象");
    if (steps.kind != V_LIST || steps.len == 0 || steps.len > FORM_STEPS_MAX)
        return error_set(err, INVALID, S("steps"), "表单应有 1 到 50 个步骤");
    if (!needed_text(l, schema, S(""), "title", &form->title) ||
        !text_of(l, schema, S(""), "title_en", &form->title_en))
        return l->status;
    form->steps = arena_array(a, Step, steps.len);
    form->steps_count = steps.len;
    for (uint32_t i = 0; i < steps.len; i++) {
        Str at = join_index(l, S(""), "steps", i);
        if (!step_of(l, steps.as.items[i], at, &form->steps[i])) return l->status;
        for (uint32_t j = 0; j < i; j++)
            if (str_eq(form->steps[j].id, form->steps[i].id))
                return error_set(err, INVALID, at, "步骤“{1}”重复", form->steps[i].id);
    }
    *ret = form;
    return OK;
}

void form_names(const Form *f, Arena *a, Str **ret, size_t *ret_count) {
    Str *names = arena_array(a, Str, FORM_FIELDS_MAX);
    size_t count = 0;
    for (uint32_t i = 0; i < f->steps_count; i++) {
        for (uint32_t j = 0; j < f->steps[i].fields_count; j++) {
            const Field *field = &f->steps[i].fields[j];
            names[count++] = field->name;
            for (uint32_t k = 0; k < field->columns_count; k++)
                names[count++] = arena_printf(a, "%.*s.%.*s", S_FMT(field->name),
                                              S_FMT(field->columns[k].name));
        }
    }
    *ret = names;
    *ret_count = count;
}

// "staff.2.name" and "staff.name" are the column "name" of "staff".
bool form_personal(const Form *f, Str name) {
    Str rest = name, table = str_cut(&rest, '.'), column = rest;
    while (rest.ptr) column = str_cut(&rest, '.');
    for (uint32_t i = 0; i < f->steps_count; i++) {
        for (uint32_t j = 0; j < f->steps[i].fields_count; j++) {
            const Field *field = &f->steps[i].fields[j];
            if (!str_eq(field->name, table)) continue;
            if (!column.ptr || field->type != FIELD_TABLE) return field->personal;
            for (uint32_t k = 0; k < field->columns_count; k++)
                if (str_eq(field->columns[k].name, column))
                    return field->personal || field->columns[k].personal;
        }
    }
    return false;
}
