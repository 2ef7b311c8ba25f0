// application/x-www-form-urlencoded (WHATWG URL 5.1) and percent-decoding of paths. Pure and total.
#pragma once

#include "value/value.h"

enum { URLENCODED_FIELDS_MAX = 2000, URLENCODED_NAME_MAX = 200 };

// "a=1&b=%E4%B8%AD&b=2" → {a: "1", b: ["中", "2"]}: strings, a repeated name a list, in the order of
// first appearance. '+' is a space. INVALID: a bad escape, NUL, or not UTF-8; LIMIT: too many
// fields or too long a name. Error.where is the field's name where it is known.
MUST_USE Status urlencoded_parse(Str text, Arena *a, Value *ret, Error *err);

// Collects fields of any form under the same rules: multipart uses it too.
typedef struct FieldSet {
    Arena *arena;
    struct Field **slots; // hash table by name, private
    size_t mask;
    struct Field *first, **last;
    size_t count, names;
} FieldSet;
FieldSet fieldset_make(Arena *a);
// Name and value must live as long as the arena; both must be UTF-8 without NUL.
MUST_USE Status fieldset_add(FieldSet *f, Str name, Str value, Error *err);
Value fieldset_done(const FieldSet *f);

// %XX → byte; '+' → ' ' when `plus`. False on a bad escape.
MUST_USE bool percent_decode(Str s, bool plus, Arena *a, Str *ret);
// Everything but unreserved characters (RFC 3986 2.3) escaped; '/' kept when `keep_slash`.
void percent_encode(Buf *out, Str s, bool keep_slash);
// The path of a request target: decoded once, valid UTF-8 without controls or backslash, no empty
// parts, no "." or ".."; "/a/" is "/a". False: refuse it.
MUST_USE bool path_decode(Str raw, Arena *a, Str *ret);
