// What the pages of the studio share.
#pragma once

#include "case/studio.h"
#include "pages/workplace.h"

// A draft with what its page needs.
typedef struct StudioOpen {
    StudioDraft draft;
    StudioItem now;  // what is published; all zero when the item is new
    bool author;     // of changes in the draft
    bool current;    // its base is still what is published
} StudioOpen;

// NOT_FOUND when the code of the request has no open draft.
MUST_USE Status studio_open(Request *rq, StudioOpen *ret, Errors *errs);
// The draft's files with those the request sends in `files` put in; for checking without saving.
Value studio_working_files(const Request *rq, const StudioOpen *o);
// The room with `errs` (may be NULL) beside what was asked.
MUST_USE Status studio_room(Request *rq, Reply *reply, const Errors *refused, Errors *errs);
// [{version, published, by, approved_by, running, published_now}], newest first.
MUST_USE Status studio_versions(Request *rq, Str code, Value *ret, Error *err);
