// Item definitions (DMN 1.5, 7.3.2 and 7.3.3): reading them, whether a value is of a type, and the
// implicit conversions (10.3.2.9.4). A value that is of no use to a type becomes null with a
// diagnostic. Null is of every type; a member that is missing from a context counts as null.
//
// Types may refer to each other in circles (a person has a list of persons); checking follows the
// value, whose depth is bounded, and chains of mere references are cut at DMN_DEPTH_MAX.
#include "dmn/dmn_internal.h"

static const struct {
    const char *name;
    ValueKind kind;
} BASES[] = {
    {"number", V_NUMBER},
    {"string", V_STRING},
    {"boolean", V_BOOL},
    {"date", V_DATE},
    {"time", V_TIME},
    {"date and time", V_DATE_TIME},
    {"dateTime", V_DATE_TIME},
    {"days and time duration", V_DURATION},
    {"dayTimeDuration", V_DURATION},
    {"years and months duration", V_MONTHS},
    {"yearMonthDuration", V_MONTHS},
    {"context", V_CONTEXT},
    {"list", V_LIST},
    {"range", V_RANGE},
    {"function", V_FUNCTION},
};

// "feel:string" is string; "ns:tPerson" is tPerson.
static Str without_prefix(Str ref) {
    ptrdiff_t colon = str_find(ref, S(":"));
    return colon < 0 ? ref : str_sub(ref, (size_t)colon + 1, ref.len);
}

static ItemType *type_new(Loader *l, ItemKind kind, Str name, uint32_t line) {
    ItemType *t = arena_new(l->arena, ItemType);
    *t = (ItemType){.kind = kind, .name = name, .line = line};
    return t;
}

ItemType *space_type(const Space *space, Str ref) {
    for (uint32_t i = 0; i < space->types_count; i++)
        if (str_eq(space->types[i]->name, ref)) return space->types[i];
    for (uint32_t i = 0; i < space->imports_count; i++) {
        const Import *import = &space->imports[i];
        if (!import->space) continue;
        if (import->name.len == 0) {
            ItemType *t = space_type(import->space, ref);
            if (t) return t;
        } else if (str_starts(ref, import->name) && ref.len > import->name.len &&
                   ref.ptr[import->name.len] == '.') {
            return space_type(import->space, str_sub(ref, import->name.len + 1, ref.len));
        }
    }
    return NULL;
}

// A reference made into a type of its own, resolved later or now.
static ItemType *reference(Loader *l, Str ref, uint32_t line) {
    Str name = without_prefix(str_trim(ref));
    if (name.len == 0 || str_eq(name, S("Any"))) return type_new(l, ITEM_ANY, S("Any"), line);
    for (size_t i = 0; i < sizeof BASES / sizeof *BASES; i++) {
        if (!str_eq(name, str_z(BASES[i].name)) || space_type(l->space, name)) continue;
        ItemType *t = type_new(l, ITEM_BASE, name, line);
        t->base = BASES[i].kind;
        return t;
    }
    ItemType *t = type_new(l, ITEM_REF, name, line);
    t->ref = str_trim(ref);
    return t;
}

// The unary tests of <allowedValues> or <typeConstraint>.
static bool values_of(Loader *l, const Element *e, Text *ret) {
    const Element *text = element_child(e, "text");
    if (!text || text->text.len == 0) return false;
    (void)load_source(l, text->text, text->text_line, true, ret);
    return true;
}

static ItemType *type_read(Loader *l, const Element *e, uint32_t depth);

static void members_of(Loader *l, const Element *e, ItemType *t, const char *kind,
                       uint32_t depth) {
    uint32_t count = element_count(e, kind);
    t->names = arena_array(l->arena, Str, count);
    t->members = arena_array(l->arena, ItemType *, count);
    for (const Element *kid = e->first; kid; kid = kid->next) {
        if (!str_eq(kid->name, str_z(kind))) continue;
        t->names[t->count] = element_attr(kid, "name");
        t->members[t->count++] = type_read(l, kid, depth + 1);
    }
}

static ItemType *type_read(Loader *l, const Element *e, uint32_t depth) {
    const Element *ref = element_child(e, "typeRef"), *function = element_child(e, "functionItem");
    const Element *allowed = element_child(e, "allowedValues");
    const Element *constraint = element_child(e, "typeConstraint");
    ItemType *t;
    bool deep = depth > DMN_DEPTH_MAX;
    if (deep || ++l->types_count > DMN_TYPES_MAX) {
        (void)load_refuse(l, LIMIT, e->line, deep ? "类型嵌套超过 {1} 层" : "类型超过 {1} 个",
                          load_number(l, deep ? DMN_DEPTH_MAX : DMN_TYPES_MAX));
        return type_new(l, ITEM_ANY, S("Any"), e->line);
    }
    if (element_child(e, "itemComponent")) {
        t = type_new(l, ITEM_STRUCT, S(""), e->line);
        members_of(l, e, t, "itemComponent", depth);
    } else if (function) {
        t = type_new(l, ITEM_FUNCTION, S(""), e->line);
        Str result = element_attr(function, "outputTypeRef");
        if (result.len) t->of = reference(l, result, function->line);
        t->count = element_count(function, "parameters");
    } else {
        t = reference(l, ref ? ref->text : element_attr(e, "typeRef"), e->line);
    }
    t->name = element_attr(e, "name");
    t->collection = str_eq(element_attr(e, "isCollection"), S("true"));
    t->has_allowed = allowed && values_of(l, allowed, &t->allowed);
    t->has_constraint = constraint && values_of(l, constraint, &t->constraint);
    return t;
}

void load_types(Loader *l, Space *space) {
    space->types = arena_array(l->arena, ItemType *, element_count(space->root, "itemDefinition"));
    for (const Element *e = space->root->first; e && l->status == OK; e = e->next) {
        if (!str_eq(e->name, S("itemDefinition"))) continue;
        l->element = element_attr(e, "name");
        ItemType *t = type_read(l, e, 0);
        if (space_type(space, t->name))
            (void)load_refuse(l, INVALID, e->line, "名称“{1}”重复", t->name);
        space->types[space->types_count++] = t;
    }
}

static void resolve(Loader *l, ItemType *t, uint32_t depth) {
    if (depth > DMN_DEPTH_MAX) return;
    if (t->kind == ITEM_REF && !t->of) {
        t->of = space_type(l->space, t->ref);
        if (!t->of) t->of = space_type(l->space, without_prefix(t->ref));
        // The prefix of DMN 1.1 names a namespace of the XML; what it brings is imported.
        for (uint32_t i = 0; !t->of && i < l->space->imports_count; i++)
            if (l->space->imports[i].space)
                t->of = space_type(l->space->imports[i].space, without_prefix(t->ref));
        if (!t->of) {
            t->kind = ITEM_ANY;
            bool imported = l->findings && l->space->imports_count > 0;
            if (!l->deferred && !imported)
                (void)load_refuse(l, INVALID, t->line, "没有名为“{1}”的类型", t->ref);
        }
    }
    // A member was made for its place alone; what it refers to was not.
    for (uint32_t i = 0; i < t->count && t->kind == ITEM_STRUCT; i++)
        resolve(l, t->members[i], depth + 1);
    if (t->kind == ITEM_FUNCTION && t->of) resolve(l, t->of, depth + 1);
}

void resolve_types(Loader *l, Space *space) {
    for (uint32_t i = 0; i < space->types_count; i++) {
        l->element = space->types[i]->name;
        resolve(l, space->types[i], 0);
    }
}

const ItemType *type_of_ref(Loader *l, Str ref, uint32_t line) {
    if (ref.len == 0) return NULL;
    ItemType *t = reference(l, ref, line);
    resolve(l, t, 0);
    return t->kind == ITEM_ANY ? NULL : t;
}

// ---- values

// How strictly: a value that is given or computed must keep the allowed values, and may leave out
// members; `instance of` asks for the type alone, and for every member (10.3.2.9.1).
typedef enum How { AS_GIVEN, AS_INSTANCE } How;

static bool fits(Session *s, const ItemType *t, Value v, How how, uint32_t depth);

static bool passes(Session *s, const Text *tests, Value v) {
    ListBuilder diagnostics = s->diagnostics;
    bool holds = v_true(text_test(s, tests, NULL, v));
    s->diagnostics = diagnostics; // what is of another kind merely isn't allowed
    return holds;
}

static bool members_fit(Session *s, const ItemType *t, Value v, How how, uint32_t depth) {
    if (v.kind != V_CONTEXT) return false;
    for (uint32_t i = 0; i < t->count; i++) {
        if (how == AS_INSTANCE && !v_has(v, t->names[i])) return false;
        if (!fits(s, t->members[i], v_get(v, t->names[i]), how, depth + 1)) return false;
    }
    return true;
}

// One value, whatever `collection` says.
static bool one_fits(Session *s, const ItemType *t, Value v, How how, uint32_t depth) {
    if (v.kind == V_NULL) return true;
    bool ok = true;
    switch (t->kind) {
    case ITEM_ANY: break;
    case ITEM_BASE: ok = v.kind == t->base; break;
    case ITEM_REF: ok = fits(s, t->of, v, how, depth + 1); break;
    case ITEM_STRUCT: ok = members_fit(s, t, v, how, depth); break;
    case ITEM_FUNCTION: ok = v.kind == V_FUNCTION; break;
    }
    return ok && (how == AS_INSTANCE || !t->has_allowed || passes(s, &t->allowed, v));
}

static bool fits(Session *s, const ItemType *t, Value v, How how, uint32_t depth) {
    if (!t || v.kind == V_NULL) return true;
    if (depth > DMN_DEPTH_MAX + VALUE_DEPTH_MAX) return false;
    if (t->collection) {
        if (v.kind != V_LIST) return false;
        s->steps += v.len;
        for (uint32_t i = 0; i < v.len; i++)
            if (!one_fits(s, t, v.as.items[i], how, depth)) return false;
    } else if (!one_fits(s, t, v, how, depth)) {
        return false;
    }
    return how == AS_INSTANCE || !t->has_constraint || passes(s, &t->constraint, v);
}

// Through references to what says whether it is a list and of which kind.
static const ItemType *meant(const ItemType *t) {
    for (int i = 0; i < DMN_DEPTH_MAX && t && t->kind == ITEM_REF && !t->collection; i++) t = t->of;
    return t;
}

static const char *kind_of(const ItemType *t) {
    const ItemType *m = meant(t);
    return m && m->kind == ITEM_BASE && !m->collection ? v_kind_name(m->base) : NULL;
}

Value item_convert(Session *s, const ItemType *t, Value v, uint32_t line, Str what) {
    if (!t || v.kind == V_NULL || fits(s, t, v, AS_GIVEN, 0)) return v;
    const ItemType *m = meant(t);
    Value *one = arena_new(s->arena, Value);
    *one = v;
    Value list = {.kind = V_LIST, .len = 1, .as.items = one};
    if (v.kind != V_LIST && m && (m->collection || (m->kind == ITEM_BASE && m->base == V_LIST)) &&
        fits(s, t, list, AS_GIVEN, 0))
        return list;
    if (v.kind == V_LIST && v.len == 1 && m && !m->collection) {
        v = v.as.items[0];
        if (fits(s, t, v, AS_GIVEN, 0)) return v;
    }
    if (v.kind == V_DATE && m && m->kind == ITEM_BASE && m->base == V_DATE_TIME) {
        Value moment = feel_midnight(v, s->arena);
        if (fits(s, t, moment, AS_GIVEN, 0)) return moment;
    }
    const char *kind = kind_of(t);
    bool wrong_kind = kind && strcmp(kind, v_kind_name(v.kind)) != 0;
    return session_fail(s, line,
                        wrong_kind ? "“{1}”应为{2}，这里是{3}" : "“{1}”的值不符合类型“{2}”", what,
                        wrong_kind ? str_z(kind) : t->name, str_z(v_kind_name(v.kind)));
}

// ---- what JSON lacks

static bool temporal(ValueKind kind) { return kind >= V_DATE && kind <= V_MONTHS; }

static Value read_at(Session *s, const ItemType *t, bool as_item, Value v, uint32_t depth) {
    if (!t || depth > DMN_DEPTH_MAX || v.kind == V_NULL) return v;
    if (t->collection && !as_item) {
        if (v.kind != V_LIST) return read_at(s, t, true, v, depth + 1);
        Value *items = NULL;
        for (uint32_t i = 0; i < v.len; i++) {
            Value item = read_at(s, t, true, v.as.items[i], depth + 1);
            if (!items && item.kind == v.as.items[i].kind &&
                item.as.items == v.as.items[i].as.items)
                continue;
            if (!items) {
                items = arena_array(s->arena, Value, v.len);
                memcpy(items, v.as.items, v.len * sizeof *items);
            }
            items[i] = item;
        }
        if (items) v.as.items = items;
        return v;
    }
    Value read;
    switch (t->kind) {
    case ITEM_REF: return read_at(s, t->of, false, v, depth + 1);
    case ITEM_BASE:
        if (v.kind == V_STRING && temporal(t->base) &&
            feel_read(t->base, v_text(v), s->arena, &read))
            return read;
        return v;
    case ITEM_STRUCT:
        for (uint32_t i = 0; i < t->count && v.kind == V_CONTEXT; i++) {
            Value old = v_get(v, t->names[i]);
            Value member = read_at(s, t->members[i], false, old, depth + 1);
            if (member.kind != old.kind || member.as.items != old.as.items)
                v = v_with(v, t->names[i], member, s->arena);
        }
        return v;
    default: return v;
    }
}

Value item_read(Session *s, const ItemType *t, Value v) { return read_at(s, t, false, v, 0); }

bool session_type_test(void *host, Str name, Value v, bool *ret) {
    Session *s = host;
    const ItemType *t = s->node ? space_type(s->node->space, name) : NULL;
    if (!t) return false;
    *ret = v.kind != V_NULL && fits(s, t, v, AS_INSTANCE, 0);
    return true;
}
