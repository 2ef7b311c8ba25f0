// Decision tables: reading them, and which rules hold. Hit policies of DMN 1.5, 8.2.10.
#include "dmn/dmn_internal.h"

// ---- reading

static bool policy_of(Loader *l, const Element *e, HitPolicy *ret) {
    static const char *const NAMES[] = {"UNIQUE", "ANY", "PRIORITY", "FIRST", "RULE ORDER",
                                        "OUTPUT ORDER", "COLLECT"};
    static const char *const AGGREGATORS[] = {"SUM", "MIN", "MAX", "COUNT"};
    Str name = element_attr(e, "hitPolicy"), aggregation = element_attr(e, "aggregation");
    *ret = HIT_UNIQUE;
    if (name.len == 0) return true;
    for (int i = 0; i <= HIT_COLLECT; i++) {
        if (!str_eq(name, str_z(NAMES[i]))) continue;
        *ret = (HitPolicy)i;
        for (int j = 0; i == HIT_COLLECT && j < 4; j++)
            if (str_eq(aggregation, str_z(AGGREGATORS[j]))) *ret = (HitPolicy)(HIT_SUM + j);
        return true;
    }
    return load_refuse(l, INVALID, e->line, "没有名为“{1}”的命中策略", name);
}

// The text of <inputValues> or <outputValues>; empty: none.
static const Element *values_text(const Element *e, const char *name) {
    const Element *values = element_child(e, name);
    const Element *text = values ? element_child(values, "text") : NULL;
    return text && text->text.len ? text : NULL;
}

static bool input_of(Loader *l, const Element *e, Input *in) {
    const Element *expression = element_child(e, "inputExpression");
    const Element *values = values_text(e, "inputValues");
    if (!expression) return load_refuse(l, INVALID, e->line, "决策表的输入缺少表达式", S(""));
    in->type = type_of_ref(l, element_attr(expression, "typeRef"), expression->line);
    in->label = element_attr(e, "label");
    in->has_values = values != NULL;
    if (values && !load_source(l, values->text, values->text_line, true, &in->values))
        return false;
    return load_text(l, expression, false, &in->text);
}

// The values of an output as a list: their order is the priority.
static bool output_values(Loader *l, Str source, uint32_t line, Output *out) {
    Str list = arena_concat(l->arena, (Str[]){S("["), source, S("]")}, 3);
    out->values = (Text){.line = line, .column = 1, .source = source};
    if (feel_parse(list, l->names, l->names_count, l->arena, &out->values.expr, NULL) == OK)
        out->has_values = true; // else they are tests, which have no order
    out->has_checks = true;
    return load_source(l, source, line, true, &out->checks);
}

static bool output_of(Loader *l, const Element *e, Output *out) {
    const Element *values = values_text(e, "outputValues");
    const Element *otherwise = element_child(e, "defaultOutputEntry");
    out->name = element_attr(e, "name");
    out->type = type_of_ref(l, element_attr(e, "typeRef"), e->line);
    if (values && !output_values(l, values->text, values->text_line, out)) return false;
    const ItemType *t = out->type;
    for (int i = 0; i < DMN_DEPTH_MAX && t && !t->has_allowed && t->kind == ITEM_REF; i++)
        t = t->of;
    if (!values && t && t->has_allowed && t->allowed.expr &&
        !output_values(l, t->allowed.source, t->allowed.line, out))
        return false;
    if (otherwise) {
        const Element *text = element_child(otherwise, "text");
        out->has_otherwise = text && text->text.len > 0;
        return !out->has_otherwise || load_text(l, otherwise, false, &out->otherwise);
    }
    return true;
}

static bool rule_of(Loader *l, const Element *e, const Table *t, Rule *rule) {
    uint32_t inputs = 0, outputs = 0;
    rule->tests = arena_array(l->arena, Text, t->inputs_count);
    rule->outputs = arena_array(l->arena, Text, t->outputs_count);
    rule->id = element_attr(e, "id");
    rule->line = e->line;
    for (const Element *kid = e->first; kid; kid = kid->next) {
        bool input = str_eq(kid->name, S("inputEntry"));
        if (str_eq(kid->name, S("annotationEntry")) && rule->note.len == 0) {
            const Element *text = element_child(kid, "text");
            if (text) rule->note = text->text;
        }
        if (!input && !str_eq(kid->name, S("outputEntry"))) continue;
        uint32_t *at = input ? &inputs : &outputs;
        if (*at >= (input ? t->inputs_count : t->outputs_count))
            return load_refuse(l, INVALID, kid->line, "规则的格数比表头多", S(""));
        if (!load_text(l, kid, input, input ? &rule->tests[*at] : &rule->outputs[*at]) &&
            !l->findings)
            return false;
        (*at)++;
    }
    const Element *description = element_child(e, "description");
    if (rule->note.len == 0 && description) rule->note = description->text;
    if (inputs != t->inputs_count || outputs != t->outputs_count)
        return load_refuse(l, INVALID, e->line, "规则的格数比表头少", S(""));
    return true;
}

static bool sizes_of(Loader *l, const Element *e, const Table *t) {
    uint32_t inputs = element_count(e, "input"), outputs = element_count(e, "output");
    uint32_t rules = element_count(e, "rule");
    if (outputs == 0) return load_refuse(l, INVALID, e->line, "决策表没有输出", S(""));
    if (inputs > DMN_COLUMNS_MAX || outputs > DMN_COLUMNS_MAX)
        return load_refuse(l, LIMIT, e->line, "决策表的输入或输出超过 {1} 列",
                           load_number(l, DMN_COLUMNS_MAX));
    if (rules > DMN_RULES_MAX || (l->rules_count += rules) > DMN_RULES_MAX)
        return load_refuse(l, LIMIT, e->line, "规则超过 {1} 条", load_number(l, DMN_RULES_MAX));
    if (t->policy >= HIT_SUM && outputs > 1)
        return load_refuse(l, INVALID, e->line, "汇总的决策表只能有一个输出", S(""));
    return true;
}

Table *load_table(Loader *l, const Element *e) {
    Table *t = arena_new(l->arena, Table);
    if (!policy_of(l, e, &t->policy) || !sizes_of(l, e, t)) return NULL;
    t->inputs = arena_array(l->arena, Input, element_count(e, "input"));
    t->outputs = arena_array(l->arena, Output, element_count(e, "output"));
    t->rules = arena_array(l->arena, Rule, element_count(e, "rule"));
    for (const Element *kid = e->first; kid; kid = kid->next) {
        bool ok = true;
        if (str_eq(kid->name, S("input"))) ok = input_of(l, kid, &t->inputs[t->inputs_count++]);
        if (str_eq(kid->name, S("output")))
            ok = output_of(l, kid, &t->outputs[t->outputs_count++]);
        if (!ok && !l->findings) return NULL;
    }
    for (const Element *kid = e->first; kid; kid = kid->next) {
        if (!str_eq(kid->name, S("rule"))) continue;
        if (!rule_of(l, kid, t, &t->rules[t->rules_count]) && !l->findings) return NULL;
        t->rules_count++;
    }
    t->index = index_make(t, l->arena);
    return t;
}

// ---- deciding

typedef struct Hits {
    uint32_t *rules; // indexes
    Value *values;   // of each, once made
    uint32_t count;
    ListBuilder told; // rules that decided, for the trace
} Hits;

// `covered` (may be NULL): tests that are known to hold.
static bool rule_holds(Session *s, const Table *t, const Rule *rule, const Value *inputs,
                       const bool *covered, const FeelScope *scope) {
    for (uint32_t i = 0; i < t->inputs_count; i++)
        if (!(covered && covered[i]) &&
            !v_true(text_test(s, &rule->tests[i], scope, inputs[i])))
            return false;
    return true;
}

// What the table says an output may be is told when it isn't kept, and changes nothing.
static void output_check(Session *s, const Output *o, const Text *cell, Value v) {
    if (!o->has_checks || v.kind == V_NULL || !o->checks.expr) return;
    Value ok = text_test(s, &o->checks, NULL, v);
    bool inside = v_true(ok) || v.kind == V_LIST;
    if (inside) return;
    (void)session_fail(s, cell->line, "输出“{1}”不在允许的值之内", o->name, S(""), S(""));
}

// One output: its value. Several: a context by their names.
static Value outputs_of(Session *s, const Table *t, const Text *cells, const FeelScope *scope) {
    ContextBuilder c = context_make(s->arena);
    for (uint32_t i = 0; i < t->outputs_count; i++) {
        const Output *o = &t->outputs[i];
        Value v = text_eval(s, &cells[i], scope);
        output_check(s, o, &cells[i], v);
        if (t->outputs_count == 1) return v;
        context_put(&c, o->name, v);
    }
    return context_done(&c);
}

static Value default_of(Session *s, const Table *t, const FeelScope *scope) {
    ContextBuilder c = context_make(s->arena);
    bool any = false;
    for (uint32_t i = 0; i < t->outputs_count; i++) {
        const Output *o = &t->outputs[i];
        Value v = o->has_otherwise ? text_eval(s, &o->otherwise, scope) : v_null();
        any |= o->has_otherwise;
        if (t->outputs_count == 1) return v;
        context_put(&c, o->name, v);
    }
    return any ? context_done(&c) : v_null();
}

// Notes rules as those that decided: all, or those at `only`.
static void note(Session *s, const Table *t, Hits *hits, const uint32_t *only, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t rule = hits->rules[only ? only[i] : i];
        if (s->rules) list_add(s->rules, v_int((int64_t)rule + 1));
        if (!s->tables || hits->told.len >= DMN_TRACE_RULES_MAX) continue;
        const Rule *r = &t->rules[rule];
        Value *tests = arena_array(s->arena, Value, t->inputs_count);
        for (uint32_t j = 0; j < t->inputs_count; j++) tests[j] = v_str(r->tests[j].source);
        Value list = {.kind = V_LIST, .len = t->inputs_count, .extra = 1, .as.items = tests};
        Entry *e = arena_array(s->arena, Entry, 3);
        e[0] = (Entry){S("rule"), v_int((int64_t)rule + 1)};
        e[1] = (Entry){S("tests"), list};
        e[2] = (Entry){S("note"), v_str(r->note)};
        list_add(&hits->told, (Value){.kind = V_CONTEXT, .len = r->note.len ? 3 : 2, .extra = 2,
                                      .as.entries = e});
    }
}

// What was looked at and what decided, into the trace of the decision.
static void tell(Session *s, const Table *t, const Hits *hits, const Value *inputs) {
    static const char *const NAMES[] = {"UNIQUE", "ANY", "PRIORITY", "FIRST", "RULE ORDER",
                                        "OUTPUT ORDER", "COLLECT", "COLLECT SUM", "COLLECT MIN",
                                        "COLLECT MAX", "COLLECT COUNT"};
    if (!s->tables || s->tables->len >= DMN_TRACE_TABLES_MAX) return;
    ListBuilder columns = list_make(s->arena);
    for (uint32_t i = 0; i < t->inputs_count; i++) {
        Entry *e = arena_array(s->arena, Entry, 2);
        e[0] = (Entry){S("column"), v_str(t->inputs[i].text.source)};
        e[1] = (Entry){S("value"), inputs[i]};
        list_add(&columns, (Value){.kind = V_CONTEXT, .len = 2,
                                   .extra = (uint16_t)(v_depth(inputs[i]) + 1), .as.entries = e});
    }
    ContextBuilder c = context_make(s->arena);
    if (s->inside.len) context_put_new(&c, S("in"), v_str(s->inside));
    context_put_new(&c, S("policy"), v_str(str_z(NAMES[t->policy])));
    context_put_new(&c, S("inputs"), list_done(&columns));
    context_put_new(&c, S("rules"), list_done(&hits->told));
    list_add(s->tables, context_done(&c));
}

// The rank of a value among the output's values; those not listed come last.
static uint32_t rank(Value list, Value v) {
    for (uint32_t i = 0; i < list.len; i++)
        if (v_equal(list.as.items[i], v)) return i;
    return list.len;
}

// Hits in the order of priority, stable: insertion sort over what matched.
static void order_hits(Session *s, const Table *t, const Hits *hits, const FeelScope *scope,
                       uint32_t *order) {
    Value *lists = arena_array(s->arena, Value, t->outputs_count);
    for (uint32_t i = 0; i < t->outputs_count; i++)
        if (t->outputs[i].has_values) lists[i] = text_eval(s, &t->outputs[i].values, scope);
    uint32_t *ranks = arena_array(s->arena, uint32_t, (size_t)hits->count * t->outputs_count);
    for (uint32_t h = 0; h < hits->count; h++) {
        for (uint32_t i = 0; i < t->outputs_count; i++) {
            Value v = t->outputs_count == 1 ? hits->values[h]
                                            : v_get(hits->values[h], t->outputs[i].name);
            ranks[h * t->outputs_count + i] = rank(lists[i], v);
        }
    }
    for (uint32_t h = 0; h < hits->count; h++) {
        uint32_t at = h;
        const uint32_t *mine = ranks + (size_t)h * t->outputs_count;
        for (; at > 0; at--) {
            const uint32_t *other = ranks + (size_t)order[at - 1] * t->outputs_count;
            uint32_t i = 0;
            while (i < t->outputs_count && mine[i] == other[i]) i++;
            if (i == t->outputs_count || mine[i] > other[i]) break;
            order[at] = order[at - 1];
        }
        order[at] = h;
    }
}

static Value all_hits(Session *s, const Table *t, Hits *hits, const uint32_t *order) {
    ListBuilder list = list_make(s->arena);
    for (uint32_t i = 0; i < hits->count; i++) list_add(&list, hits->values[order ? order[i] : i]);
    note(s, t, hits, order, hits->count);
    return list_done(&list);
}

static Value aggregate(Session *s, const Table *t, Hits *hits, uint32_t line) {
    Value total = hits->values[0];
    int order;
    note(s, t, hits, NULL, hits->count);
    if (t->policy == HIT_COUNT) return v_int(hits->count);
    for (uint32_t i = 0; i < hits->count; i++) {
        Value v = hits->values[i];
        if (t->policy == HIT_SUM ? v.kind != V_NUMBER : !v_compare(v, total, &order))
            return session_fail(s, line, "汇总的输出不能计算", S(""), S(""), S(""));
        if (i == 0) continue;
        if (t->policy == HIT_SUM) total = v_number(decimal_add(total.as.number, v.as.number));
        else if (t->policy == HIT_MIN ? order < 0 : order > 0) total = v;
    }
    if (total.kind == V_NUMBER && !decimal_finite(total.as.number))
        return session_fail(s, line, "结果超出数值范围", S(""), S(""), S(""));
    return total;
}

static Value single(Session *s, const Table *t, Hits *hits, uint32_t line) {
    if (t->policy == HIT_UNIQUE && hits->count > 1) {
        Str which = arena_printf(s->arena, "%u、%u", hits->rules[0] + 1, hits->rules[1] + 1);
        return session_fail(s, line, "只能有一条规则成立，但第 {1} 条都成立", which, S(""), S(""));
    }
    for (uint32_t i = 1; t->policy == HIT_ANY && i < hits->count; i++)
        if (!v_equal(hits->values[0], hits->values[i]))
            return session_fail(s, line, "成立的规则给出了不同的结果", S(""), S(""), S(""));
    note(s, t, hits, NULL, t->policy == HIT_ANY ? hits->count : 1);
    return hits->values[0];
}

static bool inputs_of(Session *s, const Table *t, const FeelScope *scope, Value *inputs) {
    for (uint32_t i = 0; i < t->inputs_count; i++) {
        const Input *in = &t->inputs[i];
        Value v = text_eval(s, &in->text, scope);
        inputs[i] = item_convert(s, in->type, v, in->text.line, in->text.source);
    }
    for (uint32_t i = 0; i < t->inputs_count; i++) {
        const Input *in = &t->inputs[i];
        if (!in->has_values || inputs[i].kind == V_NULL || !in->values.expr) continue;
        if (v_true(text_test(s, &in->values, scope, inputs[i]))) continue;
        (void)session_fail(s, in->text.line, "“{1}”的值 {2} 不在允许的值之内", in->text.source,
                           v_to_str(inputs[i], s->arena), S(""));
        return false;
    }
    return true;
}

static void find_hits(Session *s, const Table *t, const FeelScope *scope, const Value *inputs,
                      Hits *hits) {
    const uint32_t *likely = NULL;
    uint32_t count = t->rules_count;
    if (t->index && !index_find(t->index, inputs, s->arena, &likely, &count)) {
        likely = NULL;
        count = t->rules_count;
    }
    const bool *covered = likely ? index_covered(t->index) : NULL;
    hits->rules = arena_array(s->arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t rule = likely ? likely[i] : i;
        if (!rule_holds(s, t, &t->rules[rule], inputs, covered, scope)) continue;
        hits->rules[hits->count++] = rule;
        if (t->policy == HIT_FIRST) break;
    }
}

static Value decide_hits(Session *s, const Table *t, const FeelScope *scope, Hits *hits,
                         uint32_t line) {
    if (hits->count == 0) {
        Value otherwise = default_of(s, t, scope);
        return t->policy == HIT_COUNT && otherwise.kind == V_NULL ? v_int(0) : otherwise;
    }
    hits->values = arena_array(s->arena, Value, hits->count);
    for (uint32_t i = 0; i < hits->count; i++)
        hits->values[i] = outputs_of(s, t, t->rules[hits->rules[i]].outputs, scope);
    uint32_t *order = arena_array(s->arena, uint32_t, hits->count);
    switch (t->policy) {
    case HIT_UNIQUE:
    case HIT_ANY:
    case HIT_FIRST: return single(s, t, hits, line);
    case HIT_PRIORITY:
        order_hits(s, t, hits, scope, order);
        note(s, t, hits, order, 1);
        return hits->values[order[0]];
    case HIT_OUTPUT_ORDER:
        order_hits(s, t, hits, scope, order);
        return all_hits(s, t, hits, order);
    case HIT_RULE_ORDER:
    case HIT_COLLECT: return all_hits(s, t, hits, NULL);
    default: return aggregate(s, t, hits, line);
    }
}

Value table_eval(Session *s, const Table *t, const FeelScope *scope, uint32_t line) {
    Value *inputs = arena_array(s->arena, Value, t->inputs_count);
    Hits hits = {.told = list_make(s->arena)};
    Value v = v_null();
    if (inputs_of(s, t, scope, inputs)) {
        find_hits(s, t, scope, inputs, &hits);
        v = decide_hits(s, t, scope, &hits, line);
    }
    tell(s, t, &hits, inputs);
    return v;
}
