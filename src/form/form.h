// Form schemas: ask, check, keep only what was asked.
//
// form.json: {"title":…, "title_en":…, "steps":[step…]}
// step: {"id","title","title_en","hint","hint_en","when": FEEL, "fields":[field…]}
// field: {"name","label","label_en","hint","hint_en","type",
//   "required": true|false|FEEL text,
//   "when": FEEL text (the field is asked only when true; its answer is dropped otherwise),
//   "check": FEEL text that must be true ("?" is the value, other answers are names),
//   "check_text","check_text_en",
//   "options":[{"value","label","label_en"}],
//   "min","max" (numbers, dates as "2023-05-31" or FEEL), "max_length",
//   "personal": true (masked for all but the handler),
//   "from": "applicant.name" (filled from what is known, never asked twice),
//   "autocomplete": HTML token}
// types: text, longtext, number (integer), money (yuan with two digits; answer is fen as integer),
//   date, choice, choices, yesno, citizen_id (GB 11643), credit_code (GB 32100), any_id (either),
//   phone, region, email, table ("columns": fields, "rows_max").
//
// In expressions an answer has its kept type: money is fen (min and max too), a date is a date,
// yesno is true or false, choice the option's value. "when" sees the answers of the fields before
// it, "check" and "required" those of the whole form; all see `known` outside of them; in a table
// the row's own columns first.
#pragma once

#include "feel/feel.h"

typedef struct Form Form;

enum { FORM_FIELDS_MAX = 500, FORM_TEXT_MAX = 4000, FORM_ROWS_MAX = 200 };

// From a form.json already read. Error.where is the path inside ("steps.0.fields.3.type").
MUST_USE Status form_load(Value schema, Arena *a, const Form **ret, Error *err);
// Checks and converts raw answers (strings from a browser, or typed values from JSON), keeps only
// what was asked, in the order of the form. `partial`: missing required answers are allowed (save
// and resume), wrong ones are not. One Error per wrong field, `where` is the field's name
// ("address", "staff.2.name"). Returns the status of the first error. `known`: a context of what
// is known; steps whose id stands in its "hide_steps" are not asked.
MUST_USE Status form_check(const Form *f, Value raw, Value known, bool partial, Instant now,
                           Arena *a, Value *ret_answers, Errors *errs);
// A model for the page: the steps and fields that are asked given `answers` (kept ones, or raw
// ones that were refused), each with label, hint (in `lang`), type, options, value as typed,
// error. `errs` may be NULL. {title, steps: [{id, title, hint, fields: [{name, label, hint, type,
// required, options: [{value, label, selected}], value, display, error, personal, autocomplete,
// max_length; a table: columns, rows: [{number, fields}], rows_max}], known: [{name, label,
// display, personal}] (filled by "from", not asked)}], errors: [{field, message}]}
Value form_model(const Form *f, Value answers, Value known, Str lang, Instant now,
                 const Errors *errs, Translate tr, void *catalog, Arena *a);
// Every field name in order (columns as "table.column"), for checks across forms and letters.
void form_names(const Form *f, Arena *a, Str **ret, size_t *ret_count);
// Is this field personal data (masked)?
bool form_personal(const Form *f, Str name);

// Identifiers. GB 11643-1999: 18 characters, region, a birth date that exists, check character.
// The message names the expected check character.
MUST_USE Status citizen_id_check(Str s, Error *err);
// GB 32100-2015: alphabet without I O Z S V, check = (31 - sum mod 31) mod 31.
MUST_USE Status credit_code_check(Str s, Error *err);
MUST_USE Status phone_check(Str s, Error *err); // mainland mobile or area code + number
// "330225********1234", "138****5678"; for names 张* : for pages, logs never carry them at all.
Str mask_id(Str s, Arena *a);
Str mask_phone(Str s, Arena *a);
Str mask_name(Str s, Arena *a);
