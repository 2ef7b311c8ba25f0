// Inside form/: the loaded form and what the files of this room share.
#pragma once

#include "form/form.h"

enum {
    FORM_NAME_MAX = 60,      // bytes of a field's name
    FORM_TEXT_DEFAULT = 200, // characters of a one-line text when the form says nothing
    FORM_OPTIONS_MAX = 500,
    FORM_STEPS_MAX = 50,
    FORM_COLUMNS_MAX = 30,
    FORM_ROWS_DEFAULT = 20,
};

typedef enum FieldType {
    FIELD_TEXT, FIELD_LONGTEXT, FIELD_NUMBER, FIELD_MONEY, FIELD_DATE, FIELD_CHOICE, FIELD_CHOICES,
    FIELD_YESNO, FIELD_CITIZEN_ID, FIELD_CREDIT_CODE, FIELD_ANY_ID, FIELD_PHONE, FIELD_REGION,
    FIELD_EMAIL, FIELD_TABLE, FIELD_TYPES,
} FieldType;

typedef struct Option {
    Str value, label, label_en;
} Option;

// A limit: a value, or an expression that gives one. Neither: no limit.
typedef struct Bound {
    Value value;
    const FeelExpr *expr;
} Bound;

typedef struct Field {
    Str name, label, label_en, hint, hint_en;
    FieldType type;
    bool required, personal;
    const FeelExpr *required_if, *when, *check;
    Str check_text, check_text_en;
    Option *options;
    uint32_t options_count;
    Bound min, max;
    uint32_t max_length;
    Str from, autocomplete;
    struct Field *columns; // table
    uint32_t columns_count, rows_max;
} Field;

typedef struct Step {
    Str id, title, title_en, hint, hint_en;
    const FeelExpr *when;
    Field *fields;
    uint32_t fields_count;
} Step;

struct Form {
    Str title, title_en;
    Step *steps;
    uint32_t steps_count;
};

// What expressions of a form see.
typedef struct FormView {
    const Value *known;   // outermost
    Value answers;        // the form's
    Value row;            // of a table, or null
    Instant now;
    Arena *arena;
} FormView;

Value view_eval(const FormView *view, const FeelExpr *e, const Value *input);

extern const char *const FIELD_TYPE_NAMES[FIELD_TYPES];

// ---- form_convert.c
// Nothing was answered: null, blanks, an empty list.
bool answer_missing(Value raw);
// One raw answer as the type wants it; an error without a place when it is wrong. `raw` is not
// missing and the field is no table.
Status answer_convert(const Field *f, Value raw, Arena *a, Value *ret, Error *err);
// As an input shows it ("1234.50"), and as people read it ("¥1,234.50").
Str answer_input(const Field *f, Value v, Arena *a);
Str answer_display(const Field *f, Value v, Str lang, Arena *a);

// ---- form_check.c
// The raw answer to a field, from nested or flat answers; `prefix` "staff.2." inside a table.
Value raw_answer(Value raw, Str prefix, const Field *f, Arena *a);
// The rows of a table from a list or from flat keys; *ret_rows[i] is a context of raw answers.
Status raw_rows(Value raw, const Field *f, Arena *a, Value **ret_rows, uint32_t *ret_count);
// Is the field asked, and is it filled from what is known?
bool field_asked(const FormView *view, const Field *f);
bool field_known(const FormView *view, const Field *f, Value *ret);
bool step_asked(const FormView *view, const Step *s);
