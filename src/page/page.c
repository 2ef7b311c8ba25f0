// Sets of templates: adding, finding, linking parts, and listing the texts to translate.
#include "page/page_internal.h"

TemplateSet *templates_create(Arena *a) {
    TemplateSet *set = arena_new(a, TemplateSet);
    set->arena = a;
    return set;
}

static Template *find(const TemplateSet *set, Str name) {
    if (set->linked) { // sorted
        uint32_t low = 0, high = set->count;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            int order = str_cmp(set->items[middle]->name, name);
            if (order == 0) return set->items[middle];
            if (order < 0) low = middle + 1;
            else high = middle;
        }
        return NULL;
    }
    for (uint32_t i = 0; i < set->count; i++)
        if (str_eq(set->items[i]->name, name)) return set->items[i];
    return NULL;
}

const Template *templates_find(const TemplateSet *set, Str name) { return find(set, name); }

Status templates_add(TemplateSet *set, Str name, PageKind kind, Str source, Error *err) {
    if (set->linked) return error_set(err, CONFLICT, name, "模板已经固定，不能再加");
    if (find(set, name)) return error_set(err, CONFLICT, name, "模板“{1}”重复", name);
    if (set->count == PAGE_TEMPLATES_MAX) return error_set(err, LIMIT, name, "模板过多");
    Template *t = arena_new(set->arena, Template);
    t->name = arena_str(set->arena, name);
    t->kind = kind;
    t->set = set;
    Status status = page_compile(set, t, source, err);
    if (status != OK) return status;
    if (set->count == set->cap) {
        set->cap = set->cap ? set->cap * 2 : 32;
        Template **items = arena_array(set->arena, Template *, set->cap);
        if (set->count) memcpy(items, set->items, set->count * sizeof *items);
        set->items = items;
    }
    set->items[set->count++] = t;
    return OK;
}

enum { MARK_NEW, MARK_OPEN, MARK_DONE };

static Status link_error(Error *err, const Template *t, const Op *op, const char *text) {
    char where[200];
    int n = snprintf(where, sizeof where, "%.*s:%u", S_FMT(t->name), op->line);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof where ? (size_t)n : sizeof where - 1;
    return error_fill(err, INVALID, str_of(where, len), text, (Str[ERROR_ARGS]){op->more->text});
}

// Depth first; a part that is still open includes itself.
static Status link_one(TemplateSet *set, Template *t, int depth, Error *err) {
    t->mark = MARK_OPEN;
    for (uint32_t i = 0; i < t->ops_count; i++) {
        Op *op = &t->ops[i];
        if (op->kind != OP_PART) continue;
        Template *part = find(set, op->more->text);
        if (!part) return link_error(err, t, op, "没有名为“{1}”的模板");
        if (part->kind != t->kind) return link_error(err, t, op, "模板“{1}”不是同一类（网页、文本）");
        if (part->mark == MARK_OPEN) return link_error(err, t, op, "模板“{1}”包含了自己");
        if (depth >= PAGE_DEPTH_MAX) return link_error(err, t, op, "模板嵌套过深");
        op->more->part = part;
        if (part->mark == MARK_NEW) {
            Status status = link_one(set, part, depth + 1, err);
            if (status != OK) return status;
        }
    }
    t->mark = MARK_DONE;
    return OK;
}

static int by_name(const void *a, const void *b) {
    return str_cmp((*(Template *const *)a)->name, (*(Template *const *)b)->name);
}

Status templates_link(TemplateSet *set, Error *err) {
    for (uint32_t i = 0; i < set->count; i++) set->items[i]->mark = MARK_NEW;
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->items[i]->mark == MARK_DONE) continue;
        Status status = link_one(set, set->items[i], 0, err);
        if (status != OK) return status;
    }
    if (set->count) qsort(set->items, set->count, sizeof *set->items, by_name);
    set->linked = true;
    return OK;
}

void templates_translate(TemplateSet *set, Translate translate, void *catalog) {
    for (uint32_t i = 0; i < set->count; i++) {
        Template *t = set->items[i];
        for (uint32_t k = 0; k < t->ops_count; k++) {
            Op *op = &t->ops[k];
            if (op->kind != OP_WORDS) continue;
            op->more->words[1] = words_of(translate(catalog, op->more->text), op->args_count,
                                    (Escape)op->escape, set->arena);
        }
    }
    set->translate = translate;
    set->catalog = catalog;
}

void template_texts(const Template *t, Arena *a, Str **ret, size_t *ret_count) {
    Str *texts = arena_array(a, Str, t->ops_count);
    size_t count = 0;
    for (uint32_t i = 0; i < t->ops_count; i++)
        if (t->ops[i].kind == OP_WORDS) texts[count++] = t->ops[i].more->text;
    *ret = texts;
    *ret_count = count;
}
