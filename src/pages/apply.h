// An application under way: what apply.c (guide) and draft.c (form, materials, submission) share.
#pragma once

#include "pages/page_tools.h"

typedef struct Draft {
    const Item *item;
    Str token;       // of the link; empty before the first save
    Value situation; // the guide's answers
    Value answers;   // of the form, as typed
    Value materials; // [{code, file_hash, file_name, size}]
    Value applicant; // whom an agent applies for
} Draft;

// Saves it (draft.save) and sets the token of a new one.
MUST_USE Status draft_store(Request *rq, Draft *d, Errors *errs);
// The materials this situation needs, named in the language of the request.
Value apply_materials(Request *rq, Value guide);
