// Cases (办件): one run of a published item for a party. The life is the national one and is
// native: received → accepted / refused / to be completed → in approval (paused for special
// procedure) → decided → delivered → rated → archived. What happens inside approval is the item's
// flow.
#pragma once

#include "case/calendar.h"
#include "case/item.h"

typedef enum CaseState {   // cases.state
    CASE_RECEIVED = 1,     // 已收件
    CASE_CORRECTING = 2,   // 待补正: correction letter sent, clocks not running
    CASE_APPROVAL = 3,     // 办理中 (accepted); `paused` tells special procedure 特别程序
    CASE_DECIDED = 4,      // 已办结, result not yet handed over
    CASE_DELIVERED = 5,    // 已送达
    CASE_NOT_ACCEPTED = 6, // 不予受理
    CASE_WITHDRAWN = 7,    // 申请人撤回
    CASE_TERMINATED = 8,   // 终止: expired correction, broken promise
    CASE_STATE_COUNT = 9,
} CaseState;
typedef enum CaseOutcome { OUTCOME_NONE = 0, OUTCOME_GRANTED = 1, OUTCOME_REFUSED = 2 } CaseOutcome;
typedef enum TaskState {
    TASK_OPEN = 1,
    TASK_CLAIMED = 2,
    TASK_DONE = 3,
    TASK_CLOSED = 4
} TaskState;
typedef enum MaterialState {
    MATERIAL_MISSING = 0,
    MATERIAL_GIVEN = 1,
    MATERIAL_TOLERATED = 2,
    MATERIAL_WAIVED = 3,
    MATERIAL_REJECTED = 4,
} MaterialState;
typedef enum Light { LIGHT_NONE, LIGHT_GREEN, LIGHT_YELLOW, LIGHT_RED } Light;

Str case_state_name(CaseState s); // 办理中
Str outcome_name(CaseOutcome o);
Str event_kind_name(Str kind);  // "case.accepted" -> 受理
Str letter_kind_name(Str kind); // "correction" -> 补正告知书

enum {
    CASE_ANSWERS_MAX = 256 << 10, // bytes of JSON
    CASE_TASKS_MAX = 500,
    CASE_LIST_MAX = 100, // rows of a page
    NOTE_MAX = 2000,     // bytes of a remark, reason or comment
    WARN_DAYS = 2,       // yellow from so many working days before the promised date
    RATING_DAYS = 30,    // a rating link is good for so many days after the decision
    RECTIFY_ANSWER_DAYS = 1,
    RECTIFY_CLOSE_DAYS = 15, // GB/T 39735-2020
};

// What the commands of this room share; set once before the store's first job, immutable after
// except for the calendar, which is swapped whole when days are loaded.
typedef struct CaseRoom CaseRoom;
MUST_USE Status case_room_create(Store *s, Str data_dir, Str county, Str region, Str public_url,
                                 CaseRoom **ret, Error *err);
void case_room_free(CaseRoom *r);
Items *case_items(CaseRoom *r);
const Calendar *case_calendar(CaseRoom *r);
// Reads the calendar again, after calendar_load has committed.
MUST_USE Status case_calendar_refresh(CaseRoom *r, Db *db, Error *err);

// After the calendar changed: the clocks and timers of every open case that no longer follow from
// it are worked out anew, each by the command clock.derive.
MUST_USE Status case_derive_all(Store *s, Instant now, Errors *errs);

// Commands (input → result). All check `revision` when it is given. Refusals name the field.
//   case.submit     applicants, clerks  {item, channel (clerks only), applicant{…} (clerks, agents;
//   a citizen's own otherwise), situation, answers,
//                   materials:[{code, file_hash, file_name}], draft} → {id, number, rating_link,
//                   track}
//   case.accept     clerks              {id, tolerate: [codes], promise: true} → state, due dates;
//   starts the flow case.correct    clerks              {id, missing: [{code|field, reason}], note}
//   → one letter naming everything case.refuse     clerks              {id, reason} case.supplement
//   applicant or clerk  {id, answers, materials} → after a correction back to received; or fulfils
//   a tolerance case.withdraw   applicant, clerk for him {id, reason} case.pause / case.resume
//   approvers with a task of the case {id, reason, days} case.extend     leaders             {id,
//   days <= 10, reason}   (Licensing Law art. 42) case.deliver    clerks, applicant   {id, way:
//   counter|post|online} case.remark     officials           {id, text} case.look       the handler
//   {id} → unmasked numbers; an event case.archive    clerks, system      {id} task.claim,
//   task.release, task.delegate {id, account}, task.return {id, reason}, task.complete {id,
//   outcome, note, answers} rating.give     anyone with the link {token, grade, comment, channel} |
//   own case {id, …}; once rating.revisit  supervisors         {id, grade, note} draft.save anyone
//   {item, situation, answers, materials, token} → {token} timer.fire      system              {id}
// The commands work in room `r`, the last one registered.
void case_register(CaseRoom *r);
// Does every timer that is due, with a lease; returns how many. Flow timers, expired corrections,
// broken promises, lights. Notices when another process loaded calendar days.
MUST_USE Status case_run_due(CaseRoom *r, Store *s, Instant now, int64_t *ret_done, Error *err);

// Case numbers: region (6) + date (8) + serial (6) + check digit (ISO 7064 MOD 11,10) = 21 digits.
bool case_number_valid(Str number);

// ---- faults of flows (流程异常; case_incident.c) ----
enum { INCIDENTS_SHOWN = 200 };
// {id, case, number, item, item_code, unit, node, name, state, standing, attempts, error: {text,
// args}, opened_at, tried_at, next_at, closed_at, by, closing}, newest first; of one case or, 0,
// of all. `open`: only those that wait.
MUST_USE Status incident_list(Db *db, int64_t case_id, bool open, Arena *a, Value *ret,
                              Error *err);
// One of them, with `variables` of the flow, `automatic` (may be skipped), the `version` it runs
// and the drawing. NOT_FOUND.
// Their steps' names in `lang`, by the flow each case runs on.
MUST_USE Status incident_names(Db *db, Str lang, Arena *a, Value *rows, Error *err);
MUST_USE Status incident_view(Db *db, int64_t id, Str lang, Arena *a, Value *ret, Error *err);
// How many are retried, and how many stand; of the cases of one department or, 0, of all.
MUST_USE Status incident_counts(Db *db, int64_t unit_id, int64_t *ret_retrying,
                                int64_t *ret_standing, Error *err);

// ---- versions (case_migrate.c) ----
// What would happen if the cases of one version moved to another. request: {item, from, to (version
// numbers), mapping: {node: node}, timers_again}. → {total, able, refused, others, more, groups:
// [{nodes: [{id, name}], count, able, refusals: [{where, text, args}], number (of one)}], mapping
// (flow_mapping)}. Nothing is changed; each case then moves by the command item.migrate.
MUST_USE Status migrate_plan(CaseRoom *r, Db *db, Value request, Instant now, Arena *a, Value *ret,
                             Errors *errs);
// The next cases of the version after the id `after`.
MUST_USE Status migrate_cases(CaseRoom *r, Db *db, Value request, int64_t after, int64_t *ids,
                              size_t max, size_t *ret_count, Arena *a, Errors *errs);

// ---- looking ----
// The whole case for `actor`: {id, number, item, applicant, state, state_name, outcome, channel,
// turn (whose), clocks: {promised:{due,left,light,total}, statutory:{…}, derivation}, answers
// (display rows), materials, tasks, letters, events, flow_svg, rating, children, parent, actions:
// [what this actor may do now], ledger, revision}. NOT_FOUND when the actor may not see it.
MUST_USE Status case_view(CaseRoom *r, Db *db, const Actor *actor, Str number, Instant now,
                          Str lang, Arena *a, Value *ret, Error *err);
// The flow of the case's version as it was written, and {"done": [ids], "active": [ids]}: where it
// stands. NOT_FOUND when the actor may not see the case.
MUST_USE Status case_flow(Db *db, const Actor *actor, Str number, Arena *a, Str *ret_xml,
                          int64_t *ret_version, Value *ret_state, Error *err);
// What was typed into a correction's form and refused; all empty when the form is first shown.
typedef struct CorrectionTyped {
    Value answers;      // raw, or null
    const Errors *errs; // may be NULL
    Translate translate; // of the errors' texts; may be NULL
    void *catalog;
} CorrectionTyped;
// The form of a case in 待补正, for the applicant, his agent or a clerk: {form: form_model's, with
// the kept answers under the typed ones; missing: [{name, reason}] of the letter, letter_note,
// due}.
// Personal fields are empty for all but the applicant, with `kept` (it has an answer, which stays
// when the field is left empty) and `masked`. NOT_FOUND for others, CONFLICT in another state.
MUST_USE Status case_correction(Db *db, const Actor *actor, Str number,
                                const CorrectionTyped *typed, Instant now, Str lang, Arena *a,
                                Value *ret, Errors *errs);
// filter: {state, unit, town, item, q (number, or beginning of the applicant's name or number),
// light, channel, from, to, mine, figure, sort, after, page_size} → {rows, next (cursor), total
// (exact up to 10,000, or 1,000 where each row has to be looked at, then "more")}. Masked.
MUST_USE Status case_list(CaseRoom *r, Db *db, const Actor *actor, Value filter, Instant now,
                          Arena *a, Value *ret, Error *err);
// Open tasks of the actor's posts, most urgent first. filter: {light, whose (mine, free), post, q
// (in number, item; beginning of the applicant's name), after, page_size} → {rows:[{id, number,
// item, applicant, name, due, left, light, claimed_by…}], next (cursor), total and counts of all:
// {all, late, soon, mine, free}}.
MUST_USE Status task_list(CaseRoom *r, Db *db, const Actor *actor, Value filter, Instant now,
                          Arena *a, Value *ret, Error *err);
// What a stranger who has the number and the last four digits of the applicant's phone or number
// may see: state, dates.
MUST_USE Status case_track(CaseRoom *r, Db *db, Str number, Str last_four, Instant now, Arena *a,
                           Value *ret, Error *err);
// The link that rates a case: /rate/TOKEN, derived from a secret of the installation.
Str rating_token(int64_t case_id, Arena *a);
bool case_of_rating_token(Str token, Arena *a, int64_t *ret);
Str case_rectify_item(void); // code of the item a bad rating opens
// A saved draft by its link: {item, situation, saved: {answers, materials, applicant}, updated_at}.
MUST_USE Status case_draft(Db *db, Str token, Arena *a, Value *ret, Error *err);
// The cockpit's and summary's colour for a case.
Light case_light(Day today, int64_t promised_due_day, int64_t warn_day, bool paused, bool closed);
