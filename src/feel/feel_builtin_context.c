// Built-in functions on contexts (DMN 1.5, 10.3.4.10 and .11).
#include "feel/feel_internal.h"

static Value do_get(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    Value v = args[0];
    if (args[1].kind == V_STRING) {
        if (!v_has(v, v_text(args[1]))) return eval_fail(ev, "没有名为“{1}”的成员", v_text(args[1]));
        return v_get(v, v_text(args[1]));
    }
    if (args[1].kind != V_LIST) return eval_fail(ev, "名称应为文字");
    for (uint32_t i = 0; i < args[1].len; i++) {
        Str key = v_text(args[1].as.items[i]);
        if (v.kind != V_CONTEXT || !v_has(v, key))
            return eval_fail(ev, "没有名为“{1}”的成员", key);
        v = v_get(v, key);
    }
    return v;
}

static Value do_entries(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    Value *items = arena_array(ev->arena, Value, args[0].len);
    for (uint32_t i = 0; i < args[0].len; i++) {
        Entry *pair = arena_array(ev->arena, Entry, 2);
        pair[0] = (Entry){S("key"), v_str(args[0].as.entries[i].key)};
        pair[1] = (Entry){S("value"), args[0].as.entries[i].value};
        items[i] = eval_built(ev, (Value){.kind = V_CONTEXT, .len = 2, .as.entries = pair});
    }
    return (Value){.kind = V_LIST, .len = args[0].len, .as.items = items};
}

enum { CONTEXT_ENTRIES_MAX = 10000 }; // keys are compared one with another

static Value do_context(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    ContextBuilder out = context_make(ev->arena);
    if (args[0].len > CONTEXT_ENTRIES_MAX) return eval_limit(ev, "条目超过 {1} 个", CONTEXT_ENTRIES_MAX);
    for (uint32_t i = 0; i < args[0].len; i++) {
        Value pair = args[0].as.items[i], key = v_get_lit(pair, "key");
        if (key.kind != V_STRING || !v_has(pair, S("value")))
            return eval_fail(ev, "条目应有 key 和 value");
        for (uint32_t j = 0; j < out.len; j++)
            if (str_eq(out.entries[j].key, v_text(key)))
                return eval_fail(ev, "名称“{1}”重复", v_text(key));
        context_put_new(&out, v_text(key), v_get_lit(pair, "value"));
    }
    return out.full ? eval_too_deep(ev) : context_done(&out);
}

// Puts at the end of a path of keys; what is on the way must be contexts or not be there.
static Value with(Eval *ev, Value context, Str key, Value v) {
    Value made = v_with(context, key, v, ev->arena);
    return made.kind == V_NULL ? eval_too_deep(ev) : made;
}

static Value put_at(Eval *ev, Value context, const Value *keys, uint32_t count, Value v) {
    if (context.kind == V_NULL) context = (Value){.kind = V_CONTEXT};
    if (context.kind != V_CONTEXT) return eval_fail(ev, "路径上的值不是上下文");
    if (keys[0].kind != V_STRING) return eval_fail(ev, "名称应为文字");
    if (count > 1) {
        v = put_at(ev, v_get(context, v_text(keys[0])), keys + 1, count - 1, v);
        if (v.kind == V_NULL) return v;
    }
    return with(ev, context, v_text(keys[0]), v);
}

static Value do_put(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    if (args[1].kind == V_STRING) return with(ev, args[0], v_text(args[1]), args[2]);
    if (args[1].kind != V_LIST || args[1].len == 0 || args[1].len > VALUE_DEPTH_MAX)
        return eval_fail(ev, "名称应为文字");
    return put_at(ev, args[0], args[1].as.items, args[1].len, args[2]);
}

static Value do_merge(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    Value out = {.kind = V_CONTEXT};
    for (uint32_t i = 0; i < args[0].len; i++) {
        Value v = args[0].as.items[i];
        if (v.kind != V_CONTEXT) return eval_fail(ev, "各项应为上下文");
        if (v.len + out.len > CONTEXT_ENTRIES_MAX)
            return eval_limit(ev, "条目超过 {1} 个", CONTEXT_ENTRIES_MAX);
        ev->run->steps += v.len;
        out = v_merge(out, v, ev->arena);
    }
    return out;
}

const Builtin builtins_context[] = {
    {"get value", "ca", "m,key|context,key|context,keys", do_get},
    {"get entries", "c", "m|context", do_entries},
    {"context", "l", "entries", do_context},
    {"context put", "caa", "context,key,value|context,keys,value", do_put},
    {"context merge", "l", "contexts", do_merge},
};
const size_t builtins_context_count = sizeof builtins_context / sizeof *builtins_context;
