// What all pages share: replies, the language of a model, errors as a model, forms as the parts
// field and field_table want them.
#pragma once

#include "case/case.h"
#include "web/app.h"

enum {
    PAGE_QUERY_MAX = 8 << 10, // bytes of an address that a page makes
    PAGE_ROW_EMPTY = 1,       // empty rows a table of answers offers beyond what is filled
};

// Runs `call` with an Error named `e`; when it fails, the error is added to `errs` and returned.
#define PAGE_TRY(errs, call)                          \
    do {                                              \
        Error e = {.status = OK};                     \
        Status try_status = (call);                   \
        if (try_status != OK) {                       \
            e.status = try_status;                    \
            return errors_push((errs), &e);           \
        }                                             \
    } while (0)

// The room of the cases, made at start.
CaseRoom *page_cases(void);
Items *page_items(void);

// Fills the reply: `model` in the language of the request (page_localize), shown by the template.
void reply_page(const Request *rq, Reply *reply, const char *template_name, Value model);

// The same model with everything the program itself wrote in the language of the request: texts
// that have an English one are replaced, except under the keys of what users typed; a context
// with `text` and `args` (messages, derivations) gets `line`, the text with its arguments. In the
// request's arena.
Value page_localize(const Request *rq, Value v);
// A text of the catalog with {1} {2} … replaced by the list `args`.
Str page_fill(Str text, Value args, Arena *a);

// [{status, where, message}] for the part `errors` and for JSON.
Value page_errors(const Request *rq, const Errors *errs);
// `model` with the errors; and the reply's status is that of the first one (422, 404 …).
void reply_refused(const Request *rq, Reply *reply, const char *template_name, Value model,
                   const Errors *errs);

// What form_model says, completed for the part `field`: see ui/parts/field.html.
Value page_form(const Request *rq, Value form_model);
// What a browser sent for the fields of a form, as form_check takes it: "staff.0.name" → rows.
// Only the fields of `steps` (form_model's), so nothing else of the request comes through.
Value page_answers(const Request *rq, Value steps);
// `answers` without those of the steps: what was sent then takes their place, also where a box
// was unticked.
Value page_answers_without(const Request *rq, Value answers, Value steps);
// Does an error's place belong to one of the fields of the steps?
bool page_error_in(Value steps, Str where);

// Takes an uploaded file into the store: {code, file_hash, file_name, size}. `accept`: endings,
// or null.
MUST_USE Status page_upload(Request *rq, const Upload *up, Value accept, Value *ret, Errors *errs);

// An address: "/items?q=…&page=2", members in order, empty ones left out.
Str page_href(Arena *a, Str path, Value query);
// A copy of a member of a context, or of the second one in English when there is one.
Value page_named(const Request *rq, Value row, Str zh, Str en);
