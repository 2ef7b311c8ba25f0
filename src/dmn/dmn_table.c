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

static bool input_of(Loader *l, const Element *e, Text *ret) {
    const Element *expression = element_child(e, "inputExpression");
    if (!expression) return load_refuse(l, INVALID, e->line, "决策表的输入缺少表达式", S(""));
    return load_text(l, expression, false, ret);
}

// The values of an output as a list: their order is the priority.
static bool values_of(Loader *l, const Element *e, Output *out) {
    const Element *text = element_child(e, "text");
    if (!text || text->text.len == 0) return true;
    Str list = arena_concat(l->arena, (Str[]){S("["), text->text, S("]")}, 3);
    if (feel_parse(list, l->names, l->names_count, l->arena, &out->values.expr, NULL) != OK)
        return l->deferred || load_refuse(l, INVALID, text->line, "输出值“{1}”读不懂", text->text);
    out->values.line = text->line;
    out->has_values = true;
    return true;
}

static bool output_of(Loader *l, const Element *e, Output *out) {
    const Element *values = element_child(e, "outputValues");
    const Element *otherwise = element_child(e, "defaultOutputEntry");
    out->name = element_attr(e, "name");
    if (values && !values_of(l, values, out)) return false;
    if (otherwise) {
        out->has_otherwise = true;
        return load_text(l, otherwise, false, &out->otherwise);
    }
    return true;
}

static bool rule_of(Loader *l, const Element *e, const Table *t, Rule *rule) {
    uint32_t inputs = 0, outputs = 0;
    rule->tests = arena_array(l->arena, Text, t->inputs_count);
    rule->outputs = arena_array(l->arena, Text, t->outputs_count);
    for (const Element *kid = e->first; kid; kid = kid->next) {
        bool input = str_eq(kid->name, S("inputEntry"));
        if (!input && !str_eq(kid->name, S("outputEntry"))) continue;
        uint32_t *at = input ? &inputs : &outputs;
        if (*at >= (input ? t->inputs_count : t->outputs_count))
            return load_refuse(l, INVALID, kid->line, "规则的格数比表头多", S(""));
        if (!load_text(l, kid, input, input ? &rule->tests[*at] : &rule->outputs[*at]))
            return false;
        (*at)++;
    }
    if (inputs != t->inputs_count || outputs != t->outputs_count)
        return load_refuse(l, INVALID, e->line, "规则的格数比表头少", S(""));
    return true;
}

static uint32_t count_of(const Element *e, const char *name) {
    uint32_t n = 0;
    for (const Element *kid = e->first; kid; kid = kid->next) n += str_eq(kid->name, str_z(name));
    return n;
}

Table *load_table(Loader *l, const Element *e) {
    Table *t = arena_new(l->arena, Table);
    uint32_t inputs = count_of(e, "input"), outputs = count_of(e, "output");
    uint32_t rules = count_of(e, "rule");
    if (!policy_of(l, e, &t->policy)) return NULL;
    if (inputs > DMN_COLUMNS_MAX || outputs > DMN_COLUMNS_MAX || outputs == 0) {
        (void)load_refuse(l, LIMIT, e->line, "决策表的列数不对", S(""));
        return NULL;
    }
    if (rules > DMN_RULES_MAX || (l->rules_count += rules) > DMN_RULES_MAX) {
        (void)load_refuse(l, LIMIT, e->line, "规则超过 {1} 条", S("20000"));
        return NULL;
    }
    if (t->policy >= HIT_SUM && outputs > 1) {
        (void)load_refuse(l, INVALID, e->line, "汇总的决策表只能有一个输出", S(""));
        return NULL;
    }
    t->inputs = arena_array(l->arena, Text, inputs);
    t->outputs = arena_array(l->arena, Output, outputs);
    t->rules = arena_array(l->arena, Rule, rules);
    for (const Element *kid = e->first; kid; kid = kid->next) {
        bool ok = true;
        if (str_eq(kid->name, S("input"))) ok = input_of(l, kid, &t->inputs[t->inputs_count++]);
        if (str_eq(kid->name, S("output")))
            ok = output_of(l, kid, &t->outputs[t->outputs_count++]);
        if (!ok) return NULL;
    }
    for (const Element *kid = e->first; kid; kid = kid->next)
        if (str_eq(kid->name, S("rule")) && !rule_of(l, kid, t, &t->rules[t->rules_count++]))
            return NULL;
    return t;
}

// ---- deciding

typedef struct Hits {
    uint32_t *rules; // indexes
    Value *values;   // of each, once made
    uint32_t count;
} Hits;

static bool rule_holds(Session *s, const Table *t, const Rule *rule, const Value *inputs,
                       const FeelScope *scope) {
    for (uint32_t i = 0; i < t->inputs_count; i++)
        if (!v_true(text_test(s, &rule->tests[i], scope, inputs[i]))) return false;
    return true;
}

// One output: its value. Several: a context by their names.
static Value outputs_of(Session *s, const Table *t, const Text *cells, const FeelScope *scope) {
    if (t->outputs_count == 1) return text_eval(s, &cells[0], scope);
    ContextBuilder c = context_make(s->arena);
    for (uint32_t i = 0; i < t->outputs_count; i++)
        context_put(&c, t->outputs[i].name, text_eval(s, &cells[i], scope));
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

static void note(Session *s, const Hits *hits, const uint32_t *only, uint32_t count) {
    if (!s->rules) return;
    for (uint32_t i = 0; i < count; i++)
        list_add(s->rules, v_int((int64_t)hits->rules[only ? only[i] : i] + 1));
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

static Value all_hits(Session *s, const Hits *hits, const uint32_t *order) {
    ListBuilder list = list_make(s->arena);
    for (uint32_t i = 0; i < hits->count; i++) list_add(&list, hits->values[order ? order[i] : i]);
    note(s, hits, order, hits->count);
    return list_done(&list);
}

static Value aggregate(Session *s, const Table *t, const Hits *hits, uint32_t line) {
    Value total = hits->values[0];
    int order;
    note(s, hits, NULL, hits->count);
    if (t->policy == HIT_COUNT) return v_int(hits->count);
    for (uint32_t i = 0; i < hits->count; i++) {
        Value v = hits->values[i];
        if (t->policy == HIT_SUM ? v.kind != V_NUMBER : !v_compare(v, total, &order))
            return session_fail(s, line, "汇总的输出不能计算", S(""));
        if (i == 0) continue;
        if (t->policy == HIT_SUM) total = v_number(decimal_add(total.as.number, v.as.number));
        else if (t->policy == HIT_MIN ? order < 0 : order > 0) total = v;
    }
    if (total.kind == V_NUMBER && !decimal_finite(total.as.number))
        return session_fail(s, line, "结果超出数值范围", S(""));
    return total;
}

static Value single(Session *s, const Table *t, const Hits *hits, uint32_t line) {
    if (t->policy == HIT_UNIQUE && hits->count > 1) {
        Str which = arena_printf(s->arena, "%u、%u", hits->rules[0] + 1, hits->rules[1] + 1);
        return session_fail(s, line, "只能有一条规则成立，但第 {1} 条都成立", which);
    }
    for (uint32_t i = 1; t->policy == HIT_ANY && i < hits->count; i++)
        if (!v_equal(hits->values[0], hits->values[i]))
            return session_fail(s, line, "成立的规则给出了不同的结果", S(""));
    note(s, hits, NULL, t->policy == HIT_ANY ? hits->count : 1);
    return hits->values[0];
}

Value table_eval(Session *s, const Table *t, const FeelScope *scope, uint32_t line) {
    Value *inputs = arena_array(s->arena, Value, t->inputs_count);
    for (uint32_t i = 0; i < t->inputs_count; i++) inputs[i] = text_eval(s, &t->inputs[i], scope);
    Hits hits = {.rules = arena_array(s->arena, uint32_t, t->rules_count)};
    for (uint32_t i = 0; i < t->rules_count; i++) {
        if (!rule_holds(s, t, &t->rules[i], inputs, scope)) continue;
        hits.rules[hits.count++] = i;
        if (t->policy == HIT_FIRST) break;
    }
    if (hits.count == 0) {
        Value otherwise = default_of(s, t, scope);
        return t->policy == HIT_COUNT && otherwise.kind == V_NULL ? v_int(0) : otherwise;
    }
    hits.values = arena_array(s->arena, Value, hits.count);
    for (uint32_t i = 0; i < hits.count; i++)
        hits.values[i] = outputs_of(s, t, t->rules[hits.rules[i]].outputs, scope);
    uint32_t *order = arena_array(s->arena, uint32_t, hits.count);
    switch (t->policy) {
    case HIT_UNIQUE:
    case HIT_ANY:
    case HIT_FIRST: return single(s, t, &hits, line);
    case HIT_PRIORITY:
        order_hits(s, t, &hits, scope, order);
        note(s, &hits, order, 1);
        return hits.values[order[0]];
    case HIT_OUTPUT_ORDER:
        order_hits(s, t, &hits, scope, order);
        return all_hits(s, &hits, order);
    case HIT_RULE_ORDER:
    case HIT_COLLECT: return all_hits(s, &hits, NULL);
    default: return aggregate(s, t, &hits, line);
    }
}
