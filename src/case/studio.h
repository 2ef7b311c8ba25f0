// The studio (事项工作室): an item's next version, written in the browser, proved by the pack's own
// checks and examples, published only when a second administrator has approved it.
//
// A draft holds the files of a pack. It begins as the published version (kind edit), as an older
// version again (roll back, or offering a withdrawn item anew), or as an uploaded pack; and it
// belongs to the version that was published then, its base. When another is published meanwhile,
// the draft has to be brought onto it, file by file, before it can go on.
//
// Whose changes are in a draft is kept (studio_change); none of them may approve it.
#pragma once

#include "case/item.h"

typedef enum StudioState {
    STUDIO_EDITING = 1,   // 编辑中
    STUDIO_SUBMITTED = 2, // 待审核: nothing can be changed
    STUDIO_REJECTED = 3,  // 已退回: whoever saves goes on editing
    STUDIO_PUBLISHED = 4,
    STUDIO_DISCARDED = 5,
} StudioState;

typedef enum StudioKind { STUDIO_EDIT = 1, STUDIO_AGAIN = 2, STUDIO_UPLOAD = 3 } StudioKind;

enum {
    STUDIO_SIZE_MAX = 4 << 20,   // bytes of all files of a draft
    STUDIO_TEXT_MAX = 2000,      // bytes of a summary or a reason
    STUDIO_LIST_MAX = 200,       // drafts, items and cases a list shows
    STUDIO_REVIEWERS_MAX = 50,   // administrators told of a submission
    STUDIO_MEMORY_MAX = 256 << 20, // what checking a draft or running its examples may take
};

typedef struct StudioDraft {
    int64_t id, base_version_id, base_version, from_version, revision;
    StudioKind kind;
    StudioState state;
    bool base_withdrawn;
    Str code, summary, review_note;
    int64_t opened_by, saved_by, submitted_by, reviewed_by; // accounts
    Value files; // {path: text}
} StudioDraft;

// An item's published version, as the studio compares with it.
typedef struct StudioItem {
    int64_t item_id, version_id, version;
    bool withdrawn;
    bool shares; // an imported item: its pack is one that many share
    Str name, name_en, digest;
    Value files; // {path: text}, without the county's own letters; null for a new item
} StudioItem;

// The open draft of a code: NOT_FOUND when there is none.
MUST_USE Status studio_draft(Db *db, Str code, Arena *a, StudioDraft *ret, Error *err);
// Version `number` of an item, 0 the published one: NOT_FOUND.
MUST_USE Status studio_item(Db *db, Str code, int64_t number, Arena *a, StudioItem *ret,
                            Error *err);
// Has this account changed the draft, or submitted it?
MUST_USE Status studio_is_author(Db *db, const StudioDraft *d, int64_t account_id, bool *ret,
                                 Error *err);
// Is the draft's base still what is published, and offered as it was then?
bool studio_current(const StudioDraft *d, const StudioItem *now);

// Everything that would refuse the files: the pack's checks, what only the database knows (units,
// posts, items), and the examples when the rest is good. OK when there is nothing.
MUST_USE Status studio_prove(Db *db, Str code, Value files, Instant now, Errors *errs);
// The same to be read beside the drawing, without the examples: a list of {severity: "error" |
// "warning", file, row (line of the file, 0: none), element (id or path in the file), text, args}.
MUST_USE Status studio_findings(Db *db, Str code, Value files, Arena *a, Value *ret, Error *err);
// pack_examples' report of all examples; `compiled` false when the pack is not good enough to run.
MUST_USE Status studio_examples(Value files, Instant now, Arena *a, Value *ret, bool *compiled);

// What publishing `files` touches: {versions: [{version, running, current}], running, saved
// (applications begun in the portal), bundles, mentions: [{code, name, name_en, files}],
// sharing: [{code, name, name_en, files}], shares (how many items share the pack now), applicants:
// [{text, args}], files: [{path, change: "added"|"removed"|"changed"}]}.
MUST_USE Status studio_impact(Db *db, Str code, Value before, Value files, Arena *a, Value *ret,
                              Error *err);

// Commands, all for system administrators. Each refuses a revision that is not the draft's.
//   studio.open     {code, version: 0 | number of an older one} → {code, revision}. An open draft
//                   is given back as it is; with a version it is a CONFLICT.
//   studio.upload   {files, name} → {code, revision}: a pack as a draft
//   studio.save     {code, revision, files: {path: text, or null to take it away}, summary}
//   studio.submit   {code, revision, summary}: proved, on the current base, and not empty
//   studio.recall   {code, revision}: by an author, before it is approved
//   studio.approve  {code, revision, note}: by none of its authors; proved again and published in
//                   the same transaction → {code, version}
//   studio.reject   {code, revision, note}
//   studio.discard  {code, revision}
//   studio.rebase   {code, revision, take: {path: "mine" | "theirs"}}: onto what is published now;
//                   a file changed on both sides needs a `take`
void studio_register(void);
