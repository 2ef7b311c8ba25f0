// Files of cases: content-addressed under DATA/files/ab/<sha256>, written once, never changed. The
// type is found by content and must agree with the name's ending; a zip is looked into for bombs.
// Only pdf, jpg, png, ofd, docx, xlsx and zip are taken.
#pragma once

#include "store/store.h"

enum { FILE_ZIP_ENTRIES_MAX = 1000, FILE_ZIP_RATIO_MAX = 100, FILE_ZIP_TOTAL_MAX = 200 << 20 };

// Moves an uploaded temporary file into the store and records it (own write). *ret: {hash, size,
// type}.
MUST_USE Status file_take(Store *s, Str data_dir, Str temp_path, Str name, Str hash, int64_t size,
                          Instant now, Arena *a, Value *ret, Errors *errs);
MUST_USE Status file_path(Str data_dir, Str hash, Arena *a, Str *ret, Error *err);
