// Catalog: the English of every Chinese text, from ui/i18n/en.json in the binary. Immutable once
// loaded, so any number of threads may look things up.
#pragma once

#include "base/error.h"

typedef struct Catalog Catalog;

// Lives in `a`, as long as it.
MUST_USE Status catalog_load(Arena *a, Catalog **ret, Error *err);
// A Translate: the text itself when there is no entry.
Str catalog_text(void *catalog, Str zh);
size_t catalog_count(const Catalog *c);
