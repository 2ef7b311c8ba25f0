// The body of a request while it arrives: forms and JSON are held in memory up to HTTP_BODY_MAX,
// files go to temporary files in DATA/tmp with their SHA-256 computed on the way.
#pragma once

#include "web/http.h"
#include "web/multipart.h"
#include "web/urlencoded.h"

typedef enum BodyKind { BODY_NONE, BODY_FORM, BODY_JSON, BODY_MULTIPART } BodyKind;

typedef struct Body Body;

// What the Content-Type asks for. False: a type we don't take (415).
MUST_USE bool body_kind(Str content_type, BodyKind *ret, Str *ret_boundary);
Body *body_create(BodyKind kind, Str boundary, Str data_dir, Arena *a);
// NO_SPACE when the disk is full, LIMIT past a maximum, INVALID when malformed.
MUST_USE Status body_feed(Body *b, Str bytes, Error *err);
// After the last byte: the fields, or the JSON value.
MUST_USE Status body_finish(Body *b, Value *ret_input, Upload **ret_uploads, size_t *ret_count,
                            Error *err);
// Closes and removes the temporary files that are still there.
void body_discard(Body *b);
