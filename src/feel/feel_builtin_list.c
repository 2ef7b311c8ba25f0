// Built-in functions on lists (DMN 1.5, 10.3.4.4), sorting too. Nothing changes the list it is
// given; results share its items.
#include "feel/feel_internal.h"

static Value list_of(const Value *items, uint32_t count) {
    return (Value){.kind = V_LIST, .len = count, .as.items = items};
}

// min(1, 2, 3) and min([1, 2, 3]) are the same.
static bool items_of(Eval *ev, const Value *args, uint32_t count, const Value **ret,
                     uint32_t *ret_count) {
    if (count == 1 && args[0].kind == V_LIST) {
        *ret = args[0].as.items;
        *ret_count = args[0].len;
        return true;
    }
    if (count == 1 && args[0].kind == V_NULL) {
        (void)eval_fail(ev, "列表是空值");
        return false;
    }
    *ret = args;
    *ret_count = count;
    return true;
}

static Value do_list_contains(Eval *ev, const Value *args, uint32_t count) {
    (void)ev;
    (void)count;
    for (uint32_t i = 0; i < args[0].len; i++)
        if (v_equal(args[0].as.items[i], args[1])) return v_bool(true);
    return v_bool(false);
}

static Value do_count(Eval *ev, const Value *args, uint32_t count) {
    (void)ev;
    (void)count;
    return v_int(args[0].len);
}

static Value extreme(Eval *ev, const Value *args, uint32_t count, int sign) {
    const Value *items;
    uint32_t n;
    if (!items_of(ev, args, count, &items, &n)) return v_null();
    if (n == 0) return eval_fail(ev, "列表是空的");
    Value best = items[0];
    int order;
    if (n == 1 && !v_compare(best, best, &order)) return eval_fail(ev, "各项不能比较大小");
    for (uint32_t i = 1; i < n; i++) {
        if (!v_compare(items[i], best, &order)) return eval_fail(ev, "各项不能比较大小");
        if (order * sign > 0) best = items[i];
    }
    return best;
}
static Value do_min(Eval *ev, const Value *args, uint32_t count) {
    return extreme(ev, args, count, -1);
}
static Value do_max(Eval *ev, const Value *args, uint32_t count) {
    return extreme(ev, args, count, 1);
}

// Adds or multiplies; durations can be added too.
static Value fold(Eval *ev, const Value *items, uint32_t n, NodeOp op) {
    Value total = items[0];
    if (total.kind != V_NUMBER &&
        (op != N_ADD || (total.kind != V_DURATION && total.kind != V_MONTHS)))
        return eval_fail(ev, "各项应为数值");
    for (uint32_t i = 1; i < n && total.kind != V_NULL; i++) {
        if (items[i].kind != total.kind) return eval_fail(ev, "各项应为数值");
        total = op_arithmetic(ev, op, total, items[i]);
    }
    return total;
}

static Value do_sum(Eval *ev, const Value *args, uint32_t count) {
    const Value *items;
    uint32_t n;
    if (!items_of(ev, args, count, &items, &n)) return v_null();
    return n == 0 ? eval_fail(ev, "列表是空的") : fold(ev, items, n, N_ADD);
}

static Value do_product(Eval *ev, const Value *args, uint32_t count) {
    const Value *items;
    uint32_t n;
    if (!items_of(ev, args, count, &items, &n)) return v_null();
    return n == 0 ? eval_fail(ev, "列表是空的") : fold(ev, items, n, N_MUL);
}

static Value do_mean(Eval *ev, const Value *args, uint32_t count) {
    const Value *items;
    uint32_t n;
    if (!items_of(ev, args, count, &items, &n)) return v_null();
    if (n == 0) return eval_fail(ev, "列表是空的");
    Value sum = fold(ev, items, n, N_ADD);
    return sum.kind == V_NULL ? sum : op_arithmetic(ev, N_DIV, sum, v_int(n));
}

// All or any: `decisive` false for all, true for any.
static Value quantify(Eval *ev, const Value *args, uint32_t count, bool decisive) {
    const Value *items;
    uint32_t n;
    if (!items_of(ev, args, count, &items, &n)) return v_null();
    bool unknown = false;
    for (uint32_t i = 0; i < n; i++) {
        if (items[i].kind == V_BOOL && items[i].as.boolean == decisive) return v_bool(decisive);
        if (items[i].kind != V_BOOL) unknown = true;
    }
    return unknown ? eval_fail(ev, "各项应为真假值") : v_bool(!decisive);
}
static Value do_all(Eval *ev, const Value *args, uint32_t count) {
    return quantify(ev, args, count, false);
}
static Value do_any(Eval *ev, const Value *args, uint32_t count) {
    return quantify(ev, args, count, true);
}

// A position from 1, or from the end when negative, as an index; false: outside.
static bool index_of(Value position, uint32_t len, bool may_append, uint32_t *ret) {
    int64_t i;
    if (!decimal_to_int(position.as.number, &i) || i == 0) return false;
    int64_t at = i > 0 ? i - 1 : (int64_t)len + i;
    if (at < 0 || at > (int64_t)len || (at == (int64_t)len && !may_append)) return false;
    *ret = (uint32_t)at;
    return true;
}

static Value do_sublist(Eval *ev, const Value *args, uint32_t count) {
    uint32_t from;
    int64_t length;
    if (!index_of(args[1], args[0].len, false, &from)) return eval_fail(ev, "位置超出列表范围");
    length = args[0].len - from;
    if (count > 2 && args[2].kind == V_NUMBER) {
        int64_t wanted;
        if (!decimal_to_int(args[2].as.number, &wanted) || wanted < 0 || wanted > length)
            return eval_fail(ev, "长度超出列表范围");
        length = wanted;
    }
    return list_of(args[0].as.items + from, (uint32_t)length);
}

// `before` items of the list, one more (if any), the items behind it.
static Value spliced(Eval *ev, Value list, uint32_t before, const Value *one, uint32_t behind) {
    uint32_t n = before + (one ? 1 : 0) + (list.len - behind);
    if (!eval_room(ev, n)) return v_null();
    Value *items = arena_array(ev->arena, Value, n);
    if (before) memcpy(items, list.as.items, before * sizeof *items);
    if (one) items[before] = *one;
    if (behind < list.len)
        memcpy(items + before + (one ? 1 : 0), list.as.items + behind,
               (list.len - behind) * sizeof *items);
    return list_of(items, n);
}

static Value do_append(Eval *ev, const Value *args, uint32_t count) {
    uint32_t n = args[0].len + count - 1;
    if (!eval_room(ev, n)) return v_null();
    Value *items = arena_array(ev->arena, Value, n);
    if (args[0].len) memcpy(items, args[0].as.items, args[0].len * sizeof *items);
    memcpy(items + args[0].len, args + 1, (count - 1) * sizeof *items);
    return list_of(items, n);
}

static Value do_concatenate(Eval *ev, const Value *args, uint32_t count) {
    size_t n = 0, at = 0;
    for (uint32_t i = 0; i < count; i++) n += args[i].len;
    if (!eval_room(ev, n)) return v_null();
    Value *items = arena_array(ev->arena, Value, n);
    for (uint32_t i = 0; i < count; i++) {
        if (args[i].len) memcpy(items + at, args[i].as.items, args[i].len * sizeof *items);
        at += args[i].len;
    }
    return list_of(items, (uint32_t)n);
}

static Value do_insert(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    uint32_t at;
    if (!index_of(args[1], args[0].len, false, &at)) return eval_fail(ev, "位置超出列表范围");
    return spliced(ev, args[0], at, &args[2], at);
}

static Value do_remove(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    uint32_t at;
    if (!index_of(args[1], args[0].len, false, &at)) return eval_fail(ev, "位置超出列表范围");
    return spliced(ev, args[0], at, NULL, at + 1);
}

// list replace(list, position | function(item, newItem) boolean, newItem)
static Value do_list_replace(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    uint32_t at;
    Value list = args[0];
    if (args[1].kind == V_NUMBER) {
        if (!index_of(args[1], list.len, false, &at)) return eval_fail(ev, "位置超出列表范围");
        return spliced(ev, list, at, &args[2], at + 1);
    }
    if (args[1].kind != V_FUNCTION) return eval_fail(ev, "第二个参数应为位置或函数");
    Value *items = arena_array(ev->arena, Value, list.len);
    for (uint32_t i = 0; i < list.len && !ev->stopped; i++) {
        Value v = call_value(ev, args[1], (Value[]){list.as.items[i], args[2]}, 2);
        if (v.kind != V_BOOL) return eval_fail(ev, "函数的结果应为真假值");
        items[i] = v.as.boolean ? args[2] : list.as.items[i];
    }
    return list_of(items, list.len);
}

static Value do_reverse(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    Value *items = arena_array(ev->arena, Value, args[0].len);
    for (uint32_t i = 0; i < args[0].len; i++)
        items[i] = args[0].as.items[args[0].len - 1 - i];
    return list_of(items, args[0].len);
}

static Value do_index_of(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    ListBuilder out = list_make(ev->arena);
    for (uint32_t i = 0; i < args[0].len; i++)
        if (v_equal(args[0].as.items[i], args[1])) list_add(&out, v_int((int64_t)i + 1));
    return list_done(&out);
}

enum { DISTINCT_MAX = 10000 }; // compared one with another

static Value distinct(Eval *ev, Value list) {
    ListBuilder out = list_make(ev->arena);
    if (list.len > DISTINCT_MAX) return eval_limit(ev, "列表超过 {1} 项", DISTINCT_MAX);
    for (uint32_t i = 0; i < list.len; i++) {
        uint32_t j = 0;
        while (j < out.len && !v_equal(out.items[j], list.as.items[i])) j++;
        ev->run->steps += j / 64;
        if (j == out.len) list_add(&out, list.as.items[i]);
    }
    return list_done(&out);
}
static Value do_distinct(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    return distinct(ev, args[0]);
}
static Value do_union(Eval *ev, const Value *args, uint32_t count) {
    Value all = do_concatenate(ev, args, count);
    return all.kind == V_LIST ? distinct(ev, all) : all;
}

static bool flatten(Eval *ev, Value v, ListBuilder *out, int depth) {
    if (v.kind != V_LIST) {
        list_add(out, v);
        return eval_room(ev, out->len);
    }
    if (depth > VALUE_DEPTH_MAX) return false;
    for (uint32_t i = 0; i < v.len; i++)
        if (!flatten(ev, v.as.items[i], out, depth + 1)) return false;
    return true;
}
static Value do_flatten(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    ListBuilder out = list_make(ev->arena);
    return flatten(ev, args[0], &out, 0) ? list_done(&out) : v_null();
}

// ---- sorting

typedef struct Sorter {
    Eval *ev;
    Value precedes; // null: by natural order
    bool failed;
} Sorter;

static bool comes_before(Sorter *s, Value a, Value b) {
    int order;
    if (s->precedes.kind == V_NULL) {
        if (!v_compare(a, b, &order)) s->failed = true;
        return !s->failed && order < 0;
    }
    Value v = call_value(s->ev, s->precedes, (Value[]){a, b}, 2);
    if (v.kind != V_BOOL) s->failed = true;
    return v_true(v);
}

// Merge sort: stable, and safe whatever the function answers.
static void merge_sort(Sorter *s, Value *items, Value *scratch, uint32_t n) {
    if (n < 2 || s->failed) return;
    uint32_t half = n / 2, i = 0, j = half, k = 0;
    merge_sort(s, items, scratch, half);
    merge_sort(s, items + half, scratch, n - half);
    while (i < half && j < n && !s->failed)
        scratch[k++] = comes_before(s, items[j], items[i]) ? items[j++] : items[i++];
    if (s->failed) return;
    while (i < half) scratch[k++] = items[i++];
    memcpy(items, scratch, k * sizeof *items);
}

static bool sorted(Eval *ev, Value list, Value precedes, Value **ret) {
    Value *items = arena_array(ev->arena, Value, list.len);
    Value *scratch = arena_array(ev->arena, Value, list.len);
    if (list.len) memcpy(items, list.as.items, list.len * sizeof *items);
    Sorter s = {ev, precedes, false};
    merge_sort(&s, items, scratch, list.len);
    if (s.failed) (void)eval_fail(ev, "各项无法排序");
    *ret = items;
    return !s.failed;
}

static Value do_sort(Eval *ev, const Value *args, uint32_t count) {
    Value *items;
    if (!sorted(ev, args[0], count > 1 ? args[1] : v_null(), &items)) return v_null();
    return list_of(items, args[0].len);
}

// ---- statistics

static bool all_numbers(Eval *ev, const Value *items, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        if (items[i].kind == V_NUMBER) continue;
        (void)eval_fail(ev, "各项应为数值");
        return false;
    }
    return true;
}

static Value do_median(Eval *ev, const Value *args, uint32_t count) {
    const Value *items;
    Value *ordered;
    uint32_t n;
    if (!items_of(ev, args, count, &items, &n)) return v_null();
    if (n == 0) return eval_fail(ev, "列表是空的");
    if (!all_numbers(ev, items, n) || !sorted(ev, list_of(items, n), v_null(), &ordered))
        return v_null();
    if (n % 2) return ordered[n / 2];
    Value sum = op_arithmetic(ev, N_ADD, ordered[n / 2 - 1], ordered[n / 2]);
    return op_arithmetic(ev, N_DIV, sum, v_int(2));
}

// The standard deviation of a sample.
static Value do_stddev(Eval *ev, const Value *args, uint32_t count) {
    const Value *items;
    uint32_t n;
    if (!items_of(ev, args, count, &items, &n) || !all_numbers(ev, items, n)) return v_null();
    if (n < 2) return eval_fail(ev, "至少需要两项");
    Value mean = do_mean(ev, args, count);
    if (mean.kind != V_NUMBER) return v_null();
    Decimal squares = decimal_from_int(0), variance, r;
    for (uint32_t i = 0; i < n; i++) {
        Decimal d = decimal_sub(items[i].as.number, mean.as.number);
        squares = decimal_add(squares, decimal_mul(d, d));
    }
    if (!decimal_div(squares, decimal_from_int((int64_t)n - 1), &variance) ||
        !decimal_sqrt(variance, &r))
        return v_null();
    return v_number(decimal_trim(r));
}

// The most frequent items, ascending.
static Value do_mode(Eval *ev, const Value *args, uint32_t count) {
    const Value *items;
    Value *ordered;
    uint32_t n, most = 0;
    if (!items_of(ev, args, count, &items, &n) || !all_numbers(ev, items, n) ||
        !sorted(ev, list_of(items, n), v_null(), &ordered))
        return v_null();
    ListBuilder out = list_make(ev->arena);
    for (uint32_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && v_equal(ordered[i], ordered[j]);) j++;
        if (j - i > most) {
            most = j - i;
            out = list_make(ev->arena);
        }
        if (j - i == most) list_add(&out, ordered[i]);
    }
    return list_done(&out);
}

const Builtin builtins_list[] = {
    {"list contains", "la", "list,element", do_list_contains},
    {"count", "l", "list", do_count},
    {"min", "a*a", "list", do_min},
    {"max", "a*a", "list", do_max},
    {"sum", "a*a", "list", do_sum},
    {"product", "a*a", "list", do_product},
    {"mean", "a*a", "list", do_mean},
    {"median", "a*a", "list", do_median},
    {"stddev", "a*a", "list", do_stddev},
    {"mode", "a*a", "list", do_mode},
    {"all", "a*a", "list", do_all},
    {"any", "a*a", "list", do_any},
    {"and", "a*a", "list", do_all},
    {"or", "a*a", "list", do_any},
    {"sublist", "ln?n", "list,start position,length", do_sublist},
    {"append", "la*a", "list,item", do_append},
    {"concatenate", "l*l", "list", do_concatenate},
    {"insert before", "lna", "list,position,newItem", do_insert},
    {"remove", "ln", "list,position", do_remove},
    {"list replace", "laa", "list,position,newItem|list,match,newItem", do_list_replace},
    {"reverse", "l", "list", do_reverse},
    {"index of", "la", "list,match", do_index_of},
    {"union", "l*l", "list", do_union},
    {"distinct values", "l", "list", do_distinct},
    {"flatten", "l", "list", do_flatten},
    {"sort", "l?f", "list,precedes", do_sort},
};
const size_t builtins_list_count = sizeof builtins_list / sizeof *builtins_list;
