// What the files of the studio share. Nothing outside src/case includes this.
#pragma once

#include "case/item_internal.h"
#include "case/studio.h"

// The open draft of input.code, when input.revision is the one it has.
MUST_USE Status studio_load(Tx *tx, Value input, StudioDraft *ret, Errors *errs);
// What is published of a code now; all zero when there is no such item.
MUST_USE Status studio_base_now(Tx *tx, Str code, StudioItem *ret, Errors *errs);
// Counts the revision up and writes files, summary, state and base.
MUST_USE Status studio_write(Tx *tx, const Actor *actor, StudioDraft *d, Errors *errs);
MUST_USE Status studio_change_note(Tx *tx, const Actor *actor, const StudioDraft *d, Value paths,
                                   Errors *errs);
MUST_USE Status studio_event(Tx *tx, const Actor *actor, Str kind, const StudioDraft *d, Value more,
                             Errors *errs);
MUST_USE Status studio_files_check(Value files, Errors *errs);
MUST_USE Status studio_summary_read(Value input, StudioDraft *d, Errors *errs);
// A message in the account's box; `text` is a template of the catalog.
MUST_USE Status studio_tell(Tx *tx, int64_t account_id, const char *text, const Str *args, size_t n,
                            Errors *errs);
// Paths of files that differ, or stand on one side only.
Value studio_changed_paths(Value before, Value after, Arena *a);
Value studio_told(Tx *tx, const StudioDraft *d); // {code, revision, state}

Status cmd_studio_submit(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_studio_recall(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_studio_approve(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_studio_reject(Tx *, const Actor *, Value, Value *, Errors *);
Status cmd_studio_rebase(Tx *, const Actor *, Value, Value *, Errors *);
