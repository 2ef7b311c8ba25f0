// Items (事项): packs validated, published as versions, found again. A loaded version (form, guide,
// flow, rules compiled) is immutable and shared by all threads; the cache is keyed by version id
// and never evicts (a county has some thousands).
#pragma once

#include "bpmn/bpmn.h"
#include "dmn/dmn.h"
#include "form/form.h"
#include "page/page.h"
#include "people/people.h"

enum {
    PACK_FILES_MAX = 200,
    PACK_FILE_SIZE_MAX = 4 << 20,
    ITEM_MATERIALS_MAX = 200,
    ITEM_SEARCH_MAX = 200,
};

typedef struct MaterialSpec {
    Str code, name, name_en, form, source, standard, legal_basis, waived_by;
    bool required, tolerable, waivable;
    Value spec; // the whole entry of item.json
} MaterialSpec;

typedef struct Item {
    int64_t id, version_id;
    int32_t version;
    Str code, name, name_en, power;
    int64_t unit_id;
    int32_t case_kind, statutory_days, promised_days, tolerance_days, correction_days;
    bool bundle;
    Value spec;       // item.json
    Value parameters; // item.json's, for FEEL
    const MaterialSpec *materials;
    size_t materials_count;
    const Form *form;
    const DmnModel *guide; // NULL: none
    const DmnModel *rules; // NULL: none
    const Flow *flow;
    Str flow_xml;            // flow.bpmn as it was written, for drawing it in a browser
    TemplateSet *letters;                                    // own letters over the county's
    const Form *(*task_form)(const struct Item *, Str name); // forms/NAME.json, NULL when absent
    const void *room;                                        // private
} Item;

typedef struct Items Items; // the cache
Items *items_create(void);
void items_free(Items *c);
// By version id (a running case stays on its version).
MUST_USE Status item_get(Items *c, Db *db, int64_t version_id, const Item **ret, Error *err);
// The published version of a code.
MUST_USE Status item_by_code(Items *c, Db *db, Str code, const Item **ret, Error *err);

// A pack's files as {path: text}, from a folder on disk or from the binary ("packs/food-license").
MUST_USE Status pack_read(Str folder, Arena *a, Value *ret_files, Error *err);
// Validates everything in it, alone: schema of item.json, form, guide against questions and
// materials, flow against posts' syntax, decisions and letters named, templates compile. All
// faults, each "file:line". Also compiles.
MUST_USE Status pack_compile(Value files, Arena *a, Item *ret, Errors *errs);
// Runs the examples without a database (guide, form, flow with services answered); reports {file,
// title, ok, why} each, and how it came about: {state, outcome, path: [nodes passed], open:
// [tasks], guide: trace, needed: [materials], notes, wrong: [fields refused], rules: [{node,
// decision, trace, result}], differences: [{what, expected, found}], variables, ledger,
// ledger_fen}.
MUST_USE Status pack_examples(const Item *item, Value files, Instant now, Arena *a,
                              Value *ret_report, Errors *errs);
// Commands (for sysadmin and system, except item.publish, which is the command line's: in the
// browser a version needs a second person, see studio.h):
//   item.publish   {packs: [files…], names: [folder…] put before places of faults, county: prefix
//                  of codes} → {published: [{code, name, version, digest, unchanged}]}. New
//                  versions, all or none; a pack whose digest is unchanged is left alone. Units,
//                  posts and parts of bundles must exist. The county's letters are kept with the
//                  version, so that its letters say the same for ever.
//   item.withdraw  {code, reason}: running cases go on, nobody can apply any more.
//   item.import    {lines: of catalogue_read, region, pack: files, absent: packs/generic} →
//                  {loaded, unchanged, units_made, bad: [{line, where, text, args}]}. Imported
//                  items share one compiled pack and differ in members of item.json only.
//   calendar.load  {years: […]}   county.load (system)  county/people.json
void item_register(void);

// What this applicant needs: {situation (only what was asked), eligible, reason, materials: [all
// of the item, as in item.json, each with `needed`], hide_steps, notes, trace}. INVALID names the
// question that is open or has no such option ("situation.premises"). May live as long as the item.
MUST_USE Status item_guide(const Item *item, Value situation, Instant now, Arena *a, Value *ret,
                           Error *err);

// Items by any fragment of name, English name or code, every word; filters: {q, unit, town
// (codes), audience: natural|legal, life_event, power, kind, bundle, withdrawn (true: those no
// longer offered and internal ones too), page, page_size <= ITEM_SEARCH_MAX}. {rows: [{id, code,
// name, name_en, state, unit, unit_name, unit_name_en, power, kind, audience, life_event, bundle}],
// total, page, page_size, pages}. An exact name first, then beginnings, then fragments; then by
// department.
MUST_USE Status item_search(Db *db, Value filter, Arena *a, Value *ret, Error *err);

// A catalogue of lines {department, main_item, name, item_code, task_type, dept_code}: CSV (RFC
// 4180, BOM allowed) or JSON list → list of {line, …fields} and the faults by line.
MUST_USE Status catalogue_read(Str text, bool json, Arena *a, Value *ret_lines, Errors *errs);
