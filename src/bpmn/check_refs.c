// REF_EXISTENCE and REF_TYPE: every reference of the metamodel, attributes and children, IDREF and
// QName, over imported files too. EXT.002: the same id in two files of one namespace.
#include "bpmn/check_rules.h"

static bool targets_any(const MetaTargets *t) { return t->types[0] != T_NONE; }

static bool target_fits(const DocumentNode *n, const MetaTargets *t) {
    const MetaType *type = check_type(n);
    for (size_t i = 0; i < META_TARGETS_MAX && t->types[i]; i++)
        if (meta_derives(type, (MetaTypeId)t->types[i])) return true;
    return false;
}

// `n`: where the reference stands; `name`: of the attribute or child that is one.
static void judge(Check *c, const DocumentNode *n, Str name, Str value, bool idref,
                  const MetaTargets *targets, bool diagram) {
    if (!targets_any(targets) || !value.len) return;
    const DocumentNode *to = NULL;
    CheckFound found = CHECK_FOUND;
    if (idref) {
        to = check_id(c->file, value);
        if (!to) found = CHECK_MISSING;
    } else {
        found = check_resolve(c, n, value, &to, NULL);
    }
    const FlowSeverity severity = diagram ? FLOW_FINDING_WARNING : FLOW_FINDING_ERROR;
    // Tools write names of types ("String") where the standard wants an itemDefinition; nothing
    // that runs depends on it.
    const bool type_name = str_eq(name, S("structureRef"));
    if (found == CHECK_MISSING)
        check_add(c, n, S("REF_EXISTENCE"), type_name ? FLOW_FINDING_WARNING : severity,
                  "{1} 引用的 {2} 不存在",
                  (Str[ERROR_ARGS]){name, value});
    else if (found == CHECK_FOUND && !target_fits(to, targets))
        check_add(c, n, S("REF_TYPE"), severity, "{1} 引用的 {2} 是 {3}，不是这里要的元素",
                  (Str[ERROR_ARGS]){name, value, to->local});
}

// A type that some schema defines, not an element of a flow: xsd:string, say.
static bool is_foreign(const Check *c, const DocumentNode *n, Str qname) {
    const ptrdiff_t colon = str_find(qname, S(":"));
    Str space = S("");
    if (colon <= 0 || !check_namespace(c, n, str_sub(qname, 0, (size_t)colon), &space))
        return false;
    return str_eq(space, S("http://www.w3.org/2001/XMLSchema")) &&
           !str_eq(space, c->file->target);
}

static void judge_attributes(Check *c, const DocumentNode *n, const MetaType *type) {
    const bool diagram = n->space != SPACE_BPMN;
    for (const MetaType *t = type; t; t = meta_type(t->base))
        for (size_t i = 0; i < t->attributes_count; i++) {
            const MetaAttribute *m = &t->attributes[i];
            if (m->lexical != LEX_QNAME && m->lexical != LEX_IDREF) continue;
            const Str value = document_attribute(n, m->name);
            if (m->lexical == LEX_QNAME && is_foreign(c, n, value)) continue;
            judge(c, n, m->name, value, m->lexical == LEX_IDREF, &m->targets, diagram);
        }
}

static const MetaChild *child_of(const MetaType *type, MetaName name) {
    for (const MetaType *t = type; t; t = meta_type(t->base))
        for (size_t i = 0; i < t->children_count; i++)
            if ((MetaName)t->children[i].name == name) return &t->children[i];
    return NULL;
}

static void judge_children(Check *c, const DocumentNode *n, const MetaType *type) {
    for (const DocumentNode *e = document_first(n); e; e = document_next(e)) {
        if (e->name == EL_NONE) continue;
        const MetaChild *m = child_of(type, e->name);
        if (!m || (m->type != T_QNAME_CONTENT && m->type != T_IDREF_CONTENT)) continue;
        const Str value = document_text(e, c->arena);
        judge(c, e, e->local, value, m->type == T_IDREF_CONTENT, &m->targets, false);
    }
}

void check_references(Check *c) {
    const DocumentNode *root = c->file->root;
    for (const DocumentNode *n = root; n; n = document_walk(n, root)) {
        if (n->name == EL_NONE) continue;
        const MetaType *type = check_type(n);
        if (!type) continue;
        judge_attributes(c, n, type);
        judge_children(c, n, type);
    }
}

void check_imports_ids(Check *c) {
    for (size_t i = 1; i < c->files_count; i++) {
        CheckFile *f = &c->files[i];
        for (size_t at = 0; at < f->ids_cap; at++) {
            const CheckId *id = &f->ids[at];
            if (!id->node || id->node->space != SPACE_BPMN) continue;
            for (size_t j = 0; j < i; j++) {
                const CheckFile *other = &c->files[j];
                const DocumentNode *same = check_id(other, id->id);
                if (!same || !str_eq(f->target, other->target)) continue;
                c->file = f;
                check_error(c, id->node, "EXT.002", "id {1} 在 {2} 里也有，命名空间相同", id->id,
                            other->file);
                break;
            }
        }
    }
}
