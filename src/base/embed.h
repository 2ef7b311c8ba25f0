// Files built into the binary: templates, styles, scripts, migrations, packs, the demo county.
#pragma once

#include "base/str.h"

typedef struct EmbeddedFile {
    Str path; // "ui/pages/portal.html", "schema/0001_spine.sql", "packs/food/item.json"
    Str data;
    Str etag; // first 16 hex digits of the SHA-256 of the data
} EmbeddedFile;

// NULL when there is none. Paths are sorted by bytes.
const EmbeddedFile *embed_find(Str path);
size_t embed_count(void);
const EmbeddedFile *embed_at(size_t i);
