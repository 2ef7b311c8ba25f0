// See check.h: reads the file and what it imports, lets every family of rules judge each, and
// keeps the findings in order.
#include "bpmn/check_rules.h"

#include <stdio.h>
#include <stdlib.h>

enum { FINDINGS_FIRST = 32 };

// Rules that a file may break and still run here: see FlowCheckOptions.loading.
static bool is_lenient(Str rule) {
    static const Str rules[] = {
        S_INIT("EXT.011"), S_INIT("EXT.012"), S_INIT("EXT.023"), S_INIT("EXT.042"),
        S_INIT("EXT.044"), S_INIT("EXT.045"), S_INIT("EXT.048"), S_INIT("EXT.052"),
        S_INIT("EXT.053"), S_INIT("EXT.067"), S_INIT("EXT.068"), S_INIT("EXT.123"),
        S_INIT("EXT.127"), S_INIT("EXT.128"), S_INIT("FLOW.Deadlock"),
        S_INIT("FLOW.LackOfSync"),
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (str_eq(rule, rules[i])) return true;
    return false;
}

void check_add(Check *c, const DocumentNode *n, Str rule, FlowSeverity severity, const char *text,
               const Str args[ERROR_ARGS]) {
    FlowFindings *fs = c->findings;
    if (fs->count == FLOW_FINDINGS_MAX) {
        fs->more = true;
        return;
    }
    if (fs->count == fs->cap) {
        const size_t cap = fs->cap ? fs->cap * 2 : FINDINGS_FIRST;
        FlowFinding *items = arena_array(c->arena, FlowFinding, cap);
        if (fs->count) memcpy(items, fs->items, fs->count * sizeof *items);
        fs->items = items;
        fs->cap = cap;
    }
    // A diagram that is drawn wrongly runs all the same.
    const bool drawn = n && str_eq(rule, S("XSD-Check")) &&
                       (n->space == SPACE_BPMNDI || n->space == SPACE_DI || n->space == SPACE_DC);
    if (c->options->loading && (drawn || is_lenient(rule))) severity = FLOW_FINDING_WARNING;
    FlowFinding *f = &fs->items[fs->count++];
    *f = (FlowFinding){.rule = rule, .severity = severity, .text = text};
    f->file = c->file ? c->file->file : c->options->file;
    if (n) {
        f->line = n->line;
        f->element = document_attribute(n, S("id"));
        f->kind = n->local;
    }
    for (size_t i = 0; i < ERROR_ARGS; i++) f->args[i] = args[i];
    if (severity == FLOW_FINDING_ERROR) fs->errors++;
}

// ---- ids and references ----------------------------------------------------------------------

static CheckId *slot_of(const CheckFile *f, Str id) {
    size_t i = (size_t)str_hash(id) & (f->ids_cap - 1);
    while (f->ids[i].node && !str_eq(f->ids[i].id, id)) i = (i + 1) & (f->ids_cap - 1);
    return &f->ids[i];
}

const DocumentNode *check_id(const CheckFile *f, Str id) {
    return id.len ? slot_of(f, id)->node : NULL;
}

// Ids of elements of BPMN and its diagram; what stands in extensions is somebody else's.
static void index_ids(Check *c, CheckFile *f) {
    f->ids_cap = 16;
    while (f->ids_cap < f->document->elements * 2) f->ids_cap *= 2;
    f->ids = arena_array(c->arena, CheckId, f->ids_cap);
    for (const DocumentNode *n = f->root; n; n = document_walk(n, f->root)) {
        if (n->space == SPACE_OTHER || n->space == SPACE_NONE) continue;
        const Str id = document_attribute(n, S("id"));
        if (!id.len) continue;
        CheckId *slot = slot_of(f, id);
        if (slot->node) {
            c->file = f;
            check_error(c, n, "XSD-Check", "id {1} 重复，第 {2} 行已经用过", id,
                        arena_printf(c->arena, "%u", slot->node->line));
        } else {
            *slot = (CheckId){id, n};
        }
    }
}

bool check_namespace(const Check *c, const DocumentNode *n, Str prefix, Str *ret) {
    size_t steps = 0;
    for (const DocumentNode *e = n; e; e = e->parent) steps += 1 + e->namespaces_count;
    return check_spend(c, steps) && document_namespace(n, prefix, ret);
}

CheckFound check_resolve(const Check *c, const DocumentNode *at, Str qname,
                         const DocumentNode **ret, const CheckFile **ret_file) {
    Str prefix = S(""), local = qname, space = S("");
    const ptrdiff_t colon = str_find(qname, S(":"));
    if (colon >= 0) {
        prefix = str_sub(qname, 0, (size_t)colon);
        local = str_sub(qname, (size_t)colon + 1, qname.len);
    }
    const bool declared = check_namespace(c, at, prefix, &space);
    const bool here = !prefix.len || !declared || str_eq(space, c->file->target) ||
                      str_eq(space, c->file->root->uri);
    const DocumentNode *n = here ? check_id(c->file, local) : NULL;
    const CheckFile *file = c->file;
    for (size_t i = 0; !n && i < c->files_count; i++) {
        const bool there = str_eq(c->files[i].target, space) ||
                           (!prefix.len && str_eq(c->files[i].target, c->file->target));
        if (!there) continue;
        file = &c->files[i];
        n = check_id(file, local);
    }
    if (n) {
        *ret = n;
        if (ret_file) *ret_file = file;
        return CHECK_FOUND;
    }
    return !here && c->file->unresolved ? CHECK_UNKNOWN : CHECK_MISSING;
}

const DocumentNode *check_ref(const Check *c, const DocumentNode *at, Str qname) {
    const DocumentNode *n = NULL;
    if (qname.len && check_resolve(c, at, qname, &n, NULL) != CHECK_FOUND) return NULL;
    return n;
}

const DocumentNode *check_ref_attribute(const Check *c, const DocumentNode *n, Str attribute) {
    return check_ref(c, n, document_attribute(n, attribute));
}

const DocumentNode *check_ref_child(const Check *c, const DocumentNode *n, MetaName child) {
    const DocumentNode *e = document_child(n, child);
    return e ? check_ref(c, e, document_text(e, c->arena)) : NULL;
}

const MetaType *check_type(const DocumentNode *n) {
    for (size_t i = 0; i < n->attributes_count; i++) {
        if (n->attributes[i].space != SPACE_XSI || !str_eq(n->attributes[i].local, S("type")))
            continue;
        Str name = str_trim(n->attributes[i].value);
        const ptrdiff_t colon = str_find(name, S(":"));
        if (colon >= 0) name = str_sub(name, (size_t)colon + 1, name.len);
        const MetaType *t = meta_type_named(name);
        if (t) return t;
    }
    // Two names mean another type within this element.
    if (n->parent && n->parent->name == EL_complexBehaviorDefinition) {
        if (n->name == EL_condition) return meta_type(T_FORMAL_EXPRESSION);
        if (n->name == EL_event) return meta_type(T_IMPLICIT_THROW_EVENT);
    }
    return meta_element_type(n->name);
}

Str check_text_id(const DocumentNode *n) {
    const Str id = document_attribute(n, S("id"));
    return id.len ? id : n->local;
}

// ---- files -----------------------------------------------------------------------------------

static const Str bpmn_uri = S_INIT("http://www.omg.org/spec/BPMN/20100524/MODEL");

static Status read_file(Check *c, Str xml, Str file, size_t depth, Error *err);

static bool is_read(const Check *c, Str file) {
    for (size_t i = 0; i < c->files_count; i++)
        if (str_eq(c->files[i].file, file)) return true;
    return false;
}

static Status import_one(Check *c, size_t at, const DocumentNode *import, size_t depth,
                         Error *err) {
    const Str location = document_attribute(import, S("location"));
    const bool bpmn = str_eq(document_attribute(import, S("importType")), bpmn_uri);
    Str xml, file;
    c->file = &c->files[at];
    if (!c->options->import ||
        !c->options->import(c->options->ctx, location, c->file->file, c->arena, &xml, &file)) {
        c->files[at].unresolved = true;
        // Without anyone to ask, a schema or an interface description is simply not known.
        if (bpmn || c->options->import)
            check_error(c, import, "EXT.001", "引入的文件 {1} 找不到", location);
        return OK;
    }
    if (!bpmn || is_read(c, file)) return OK;
    if (depth == FLOW_IMPORT_DEPTH_MAX)
        return error_set(err, LIMIT, file, "引入的文件嵌套太深（最多 10 层）");
    if (c->files_count == FLOW_IMPORTS_MAX)
        return error_set(err, LIMIT, file, "引入的文件太多（最多 50 个）");
    const size_t before = c->files_count;
    const Status status = read_file(c, xml, file, depth + 1, err);
    if (status == OK && c->files_count == before) c->files[at].unresolved = true;
    return status;
}

// A file that is not well-formed leaves a finding and no entry in c->files.
static Status read_file(Check *c, Str xml, Str file, size_t depth, Error *err) {
    const FlowDocument *d = NULL;
    Error fault = {0};
    const Status status = flow_document_read(xml, c->arena, &d, &fault);
    if (status == INVALID) {
        CheckFile named = {.file = file};
        c->file = &named;
        check_add(c, NULL, S("XML"), FLOW_FINDING_ERROR, fault.text, fault.args);
        FlowFinding *f = &c->findings->items[c->findings->count - 1];
        for (size_t i = 0; i < ERROR_ARGS; i++) f->args[i] = arena_str(c->arena, fault.args[i]);
        int64_t line = 0;
        Str rest = fault.where;
        if (str_to_int(str_cut(&rest, ':'), &line)) f->line = (uint32_t)line;
        c->file = NULL;
        return OK;
    }
    if (status != OK) {
        if (err) *err = fault;
        return error_fill(err, status, fault.where, fault.text, fault.args);
    }
    const size_t at = c->files_count++;
    c->files[at] = (CheckFile){.document = d, .root = d->root, .file = file};
    c->files[at].target = document_attribute(d->root, S("targetNamespace"));
    c->files[at].infos = arena_array(c->arena, CheckInfo, d->elements);
    index_ids(c, &c->files[at]);
    for (const DocumentNode *n = document_first(d->root); n; n = document_next(n)) {
        if (n->name != EL_import) continue;
        const Status imported = import_one(c, at, n, depth, err);
        if (imported != OK) return imported;
    }
    return OK;
}

// ---- the whole -------------------------------------------------------------------------------

static int finding_order(const void *left, const void *right) {
    const FlowFinding *l = left, *r = right;
    if (l->line != r->line) return l->line < r->line ? -1 : 1;
    const int rule = str_cmp(l->rule, r->rule);
    return rule ? rule : str_cmp(l->element, r->element);
}

// Brings the findings of one file to the front of what is left, in order; returns where they end.
static size_t sort_file(FlowFindings *fs, size_t from, Str file) {
    size_t to = from;
    for (size_t i = from; i < fs->count; i++) {
        if (!str_eq(fs->items[i].file, file)) continue;
        const FlowFinding f = fs->items[i];
        fs->items[i] = fs->items[to];
        fs->items[to++] = f;
    }
    if (to > from) qsort(fs->items + from, to - from, sizeof *fs->items, finding_order);
    return to;
}

static void findings_sort(const Check *c) {
    FlowFindings *fs = c->findings;
    size_t from = sort_file(fs, 0, c->options->file);
    for (size_t i = 0; i < FLOW_IMPORTS_MAX && from < fs->count; i++)
        from = sort_file(fs, from, fs->items[from].file);
}

static void judge(Check *c) {
    check_schema(c);
    check_references(c);
    const DocumentNode *root = c->file->root;
    for (const DocumentNode *n = root; n && check_spend(c, 1); n = document_walk(n, root)) {
        if (n->space != SPACE_BPMN || n->name == EL_NONE) continue;
        check_activities(c, n);
        check_collaborations(c, n);
        check_data(c, n);
        check_events(c, n);
        check_gateways(c, n);
        check_flows(c, n);
        check_levels(c, n);
    }
    check_soundness(c);
}

Status flow_check(Str xml, const FlowCheckOptions *o, Arena *a, FlowFindings *ret, Error *err) {
    static const FlowCheckOptions none = {0};
    Check *c = arena_new(a, Check);
    FlowFindings *found = arena_new(a, FlowFindings);
    c->arena = a;
    c->work = arena_new(a, CheckWork);
    c->options = o ? o : &none;
    c->findings = found;
    const Status status = read_file(c, xml, c->options->file, 0, err);
    if (status != OK) return status;
    for (size_t i = 0; i < c->files_count; i++) check_index(c, &c->files[i]);
    for (size_t i = 0; i < c->files_count; i++) {
        c->file = &c->files[i];
        judge(c);
    }
    check_imports_ids(c);
    if (!check_spend(c, 0))
        return error_set(err, LIMIT, S(""), "流程文件太大，检查要比较的太多");
    findings_sort(c);
    *ret = *found;
    return OK;
}

Str flow_finding_message(const FlowFinding *f, Translate tr, void *catalog, Arena *a) {
    Error e = {.status = INVALID, .text = f->text};
    for (size_t i = 0; i < ERROR_ARGS; i++) e.args[i] = f->args[i];
    return error_message(&e, tr, catalog, a);
}

Status flow_refuse(const FlowFindings *findings, Error *err) {
    for (size_t i = 0; i < findings->count; i++) {
        const FlowFinding *f = &findings->items[i];
        if (f->severity != FLOW_FINDING_ERROR) continue;
        char place[ERROR_TEXT_SIZE / 2];
        (void)snprintf(place, sizeof place, "%u %.*s %.*s", f->line, S_FMT(f->rule),
                       S_FMT(f->element.len ? f->element : f->kind));
        return error_fill(err, INVALID, str_trim(str_z(place)), f->text, f->args);
    }
    return OK;
}
