// How a pack becomes an Item. Private to src/case.
//
// pack.c reads a folder and compiles what stands in it; pack_check.c asks whether the parts fit
// one another; pack_examples.c runs the examples. A version that was published is only compiled
// again, not checked again.
#pragma once

#include "case/item.h"

enum {
    PACK_SIZE_MAX = 16 << 20,      // bytes of all files together
    PACK_MEMORY_MAX = 256 << 20,   // an arena that compiles one
    ITEM_QUESTIONS_MAX = 30,
    ITEM_OPTIONS_MAX = 50,
    ITEM_NAME_MAX = 600,           // bytes; 200 Chinese characters
    ITEM_CODE_MAX = 80,
    GUIDE_RUNS_MAX = 2000,         // combinations of answers a guide is tried with
    EXAMPLES_MAX = 100,
    EXAMPLE_STEPS_MAX = 1000,      // services and tasks of one example
};

typedef struct PackForm {
    Str name;
    const Form *form;
} PackForm;

// What Item.room points to.
typedef struct PackRoom {
    PackForm *forms;
    size_t forms_count;
    Value guide_plain; // the answer of an item without a guide; made once
} PackRoom;

// A question or an option that was asked, a material that was named.
typedef struct PackFault {
    Str file;
    Errors *errs;
    Arena *arena;
} PackFault;

// Adds a fault at "file:path".
#define pack_fault(f, path, text, ...) \
    pack_fault_fill((f), (path), "" text, (Str[ERROR_ARGS]){__VA_ARGS__})
void pack_fault_fill(const PackFault *f, Str path, const char *text, const Str args[ERROR_ARGS]);

// OK when nothing was added since there were `before` faults.
Status pack_faults_since(const Errors *errs, size_t before);

// Compiles without the checks of pack_check. `files` must live as long as the item.
MUST_USE Status pack_build(Value files, Arena *a, Item *ret, Errors *errs);
MUST_USE Status pack_check(const Item *item, Value files, Arena *a, Errors *errs);
// Fills what is read from item.json; for pack_build and for an item that overrides a shared one.
MUST_USE Status item_spec_read(Value spec, Arena *a, Item *ret, Errors *errs);
// Is this question of item.json asked, given the answers to those before it?
bool item_question_asked(Value question, Value answers, Arena *a);
// Makes the answer that an item without questions always gives.
void item_guide_prepare(Item *item, PackRoom *room, Arena *a);
// An item that shares everything compiled with `base` but has its own members of item.json.
MUST_USE Status item_override(const Item *base, Value overrides, Arena *a, Item *ret, Errors *errs);
// The same as pack_read, from the binary alone.
MUST_USE Status pack_read_embedded(Str folder, Arena *a, Value *ret_files, Error *err);
// The pack's files and, for letters it doesn't have, the county's (packs/letters), so that a
// published version prints the same letters for ever.
Value pack_with_letters(Value files, Arena *a);
// The files without letters that are, to the byte, the county's.
Value pack_own_files(Value files, Arena *a);
// May a pack have a file of this path?
bool pack_path_known(Str path);
// SHA-256 over names and contents, sorted by name; hex.
Str pack_digest(Value files, Arena *a);
// "letters/x.txt" of a kind -> "x"; empty when the path isn't `folder`NAME`ending`.
Str pack_path_name(Str path, Str folder, Str ending);
// Codes: letters, digits, '-', '_', '.' within ITEM_CODE_MAX.
bool pack_code_valid(Str code);
// A name in FEEL: a letter or '_', then letters, digits and '_'.
bool pack_name_valid(Str name);
