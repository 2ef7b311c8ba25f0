// Status and Error: how anything that can fail says so. A function that can fail returns a
// Status, leaves its outputs untouched when it is not OK, and fills an Error that says what,
// where and what to do, in words for the user: `text` is a Chinese template ("第 {1} 行…")
// whose English stands in ui/i18n; the arguments are kept apart so that it can be said in either
// language. Errors (plural) collects many, so a form tells everything that is wrong at once
// (一次性告知).
#pragma once

#include "base/arena.h"
#include "base/buf.h"

typedef enum Status {
    OK = 0,
    INVALID,   // the input is wrong; say where                                      400/422
    DENIED,    // no right, or not logged in                                         403/401
    NOT_FOUND, // no such thing, or not visible to this actor                        404
    CONFLICT,  // the thing is no longer in the state the request assumed            409
    LIMIT,     // a named maximum would be passed                                    413/429
    BUSY,      // try again: database locked, server restarting, queue full          503
    NO_SPACE,  // disk full or read-only: nothing was changed, reads go on           507
    BROKEN,    // stored data contradicts itself, or a dependency failed             500
} Status;

#define MUST_USE __attribute__((warn_unused_result))

enum { ERROR_ARGS = 3, ERROR_TEXT_SIZE = 512, ERRORS_MAX = 200 };

typedef struct Error {
    Status status;
    Str where;         // field path "applicant.id_number", or "file:line"; "" if none. In `room`
    const char *text;  // Chinese template, a literal
    Str args[ERROR_ARGS]; // in `room`
    char room[ERROR_TEXT_SIZE]; // longer arguments are cut at a code point
} Error;

// Fills *e (may be NULL: then only the status matters) and returns `status`, so that a failing
// function ends in `return error_set(e, INVALID, S("name"), "请填写{1}", S("姓名"))`.
// Up to ERROR_ARGS Str arguments.
#define error_set(e, status, where, text, ...) \
    error_fill((e), (status), (where), "" text, (Str[ERROR_ARGS]){__VA_ARGS__})
Status error_fill(Error *e, Status status, Str where, const char *text, const Str args[ERROR_ARGS]);
// The same error in the room of another; assigning one would leave it pointing into the first.
// `to` may be NULL.
void error_copy(Error *to, const Error *from);
// Same error, `prefix` put before its place: "form.json" + "12" -> "form.json:12".
void error_at(Error *e, Str prefix);

typedef struct Errors {
    Arena *arena;
    Error *items;
    size_t count; // ERRORS_MAX at most; then `more`
    size_t cap;
    bool more;
} Errors;

static inline Errors errors_make(Arena *a) {
    Errors es = {a, NULL, 0, 0, false};
    return es;
}
#define errors_add(es, status, where, text, ...) \
    errors_fill((es), (status), (where), "" text, (Str[ERROR_ARGS]){__VA_ARGS__})
Status errors_fill(Errors *es, Status status, Str where, const char *text,
                   const Str args[ERROR_ARGS]);
Status errors_push(Errors *es, const Error *e); // a copy; returns e->status
// The status of the first error, OK when there is none.
Status errors_status(const Errors *es);

// Looks a Chinese text up in a language; returns the text itself when there is no entry.
typedef Str (*Translate)(void *catalog, Str zh);
// The error in words: the template with the arguments put in, both translated when `tr` (an
// argument may be a label with an English of its own). In `a`.
Str error_message(const Error *e, Translate tr, void *catalog, Arena *a);
