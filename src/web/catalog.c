// Catalog: an open-addressing hash table over the members of one JSON object. The table is at most
// half full, so a look-up that misses ends soon.
#include "web/catalog.h"

#include "base/embed.h"
#include "value/json.h"

struct Catalog {
    Entry *slots; // key.ptr NULL: empty
    size_t mask;
    size_t count;
};

static Entry *find_slot(const Catalog *c, Str key) {
    size_t at = (size_t)str_hash(key) & c->mask;
    while (c->slots[at].key.ptr && !str_eq(c->slots[at].key, key)) at = (at + 1) & c->mask;
    return &c->slots[at];
}

Status catalog_load(Arena *a, Catalog **ret, Error *err) {
    const EmbeddedFile *file = embed_find(S("ui/i18n/en.json"));
    Value all = v_null();
    if (file) {
        Status status = json_parse(file->data, JSON_LAX, (JsonLimits){0}, a, &all, err);
        if (status != OK) {
            error_at(err, S("ui/i18n/en.json"));
            return status;
        }
    }
    const size_t n = all.kind == V_CONTEXT ? all.len : 0;
    size_t size = 16;
    while (size < n * 2) size *= 2;
    Catalog *c = arena_new(a, Catalog);
    *c = (Catalog){.slots = arena_array(a, Entry, size), .mask = size - 1};
    for (size_t i = 0; i < n; i++) {
        if (all.as.entries[i].value.kind != V_STRING) continue;
        *find_slot(c, all.as.entries[i].key) = all.as.entries[i];
        c->count++;
    }
    *ret = c;
    return OK;
}

Str catalog_text(void *catalog, Str zh) {
    const Catalog *c = catalog;
    if (!c || zh.len == 0) return zh;
    const Entry *found = find_slot(c, zh);
    return found->key.ptr ? v_text(found->value) : zh;
}

size_t catalog_count(const Catalog *c) { return c->count; }
