// Operators over values: arithmetic (DMN 1.5, tables 53-58), equality, order, membership.
// A result that is no finite number is null.
#include "feel/feel_internal.h"

// ---- arithmetic

static Value no_arithmetic(Eval *ev, NodeOp op, Value a, Value b) {
    static const char *const SIGN[] = {"+", "-", "*", "/", "**"};
    return eval_fail(ev, "{1} {2} {3} 无法计算", str_z(v_kind_name(a.kind)), str_z(SIGN[op - N_ADD]),
                     str_z(v_kind_name(b.kind)));
}

static Value number_result(Eval *ev, Decimal d) {
    return decimal_finite(d) ? v_number(d) : eval_fail(ev, "结果超出数值范围");
}

static Value numbers(Eval *ev, NodeOp op, Decimal a, Decimal b) {
    Decimal r;
    switch (op) {
    case N_ADD: return number_result(ev, decimal_add(a, b));
    case N_SUB: return number_result(ev, decimal_sub(a, b));
    case N_MUL: return number_result(ev, decimal_mul(a, b));
    case N_DIV:
        if (!decimal_div(a, b, &r)) return eval_fail(ev, "除数为零");
        return number_result(ev, r);
    default:
        if (!decimal_pow(a, b, &r)) return eval_fail(ev, "乘方没有结果");
        return v_number(decimal_trim(r));
    }
}

static Value concat(Eval *ev, Value a, Value b) {
    Str left = v_text(a), right = v_text(b);
    eval_cost(ev, a);
    eval_cost(ev, b);
    if (left.len + right.len > VALUE_STRING_MAX)
        return eval_limit(ev, "文字超过 {1} 字节", VALUE_STRING_MAX);
    return v_str(arena_concat(ev->arena, (Str[]){left, right}, 2));
}

static bool is_duration(Value v) { return v.kind == V_DURATION || v.kind == V_MONTHS; }
static bool is_moment(Value v) {
    return v.kind == V_DATE || v.kind == V_TIME || v.kind == V_DATE_TIME;
}

// duration -> decimal in its unit (seconds or months) and back
static Decimal duration_decimal(Value v) {
    if (v.kind == V_MONTHS) return decimal_from_int(v.as.months);
    Decimal nano, seconds = decimal_from_int(v.as.duration.seconds);
    if (v.as.duration.nanoseconds == 0 ||
        !decimal_div(decimal_from_int(v.as.duration.nanoseconds), decimal_from_int(1000000000),
                     &nano))
        return seconds;
    return decimal_add(seconds, nano);
}

static const int64_t DURATION_MAX = INT64_C(1000000000000000000); // seconds or months

static Value decimal_duration(Eval *ev, ValueKind kind, Decimal d) {
    int64_t whole, nano;
    Decimal cut = decimal_round(d, 0, ROUND_DOWN);
    if (!decimal_finite(d) || !decimal_to_int(cut, &whole) || whole > DURATION_MAX ||
        whole < -DURATION_MAX)
        return eval_fail(ev, "时长超出范围");
    if (kind == V_MONTHS) return (Value){.kind = V_MONTHS, .as.months = whole};
    Decimal rest = decimal_mul(decimal_sub(d, cut), decimal_from_int(1000000000));
    if (!decimal_to_int(decimal_round(rest, 0, ROUND_DOWN), &nano)) nano = 0;
    return time_duration(whole, nano);
}

static Value durations(Eval *ev, NodeOp op, Value a, Value b) {
    Decimal x = duration_decimal(a), y = duration_decimal(b), r;
    switch (op) {
    case N_ADD: return decimal_duration(ev, a.kind, decimal_add(x, y));
    case N_SUB: return decimal_duration(ev, a.kind, decimal_sub(x, y));
    case N_DIV:
        if (!decimal_div(x, y, &r)) return eval_fail(ev, "除数为零");
        return v_number(r);
    default: return no_arithmetic(ev, op, a, b);
    }
}

static Value scale_duration(Eval *ev, NodeOp op, Value duration, Decimal n) {
    Decimal d = duration_decimal(duration), r;
    if (op == N_MUL) return decimal_duration(ev, duration.kind, decimal_mul(d, n));
    if (!decimal_div(d, n, &r)) return eval_fail(ev, "除数为零");
    return decimal_duration(ev, duration.kind, r);
}

static Value moment_and_duration(Eval *ev, NodeOp op, Value moment, Value duration) {
    int sign = op == N_SUB ? -1 : 1;
    if (duration.kind == V_MONTHS) {
        if (moment.kind == V_TIME) return no_arithmetic(ev, op, moment, duration);
        return time_add_months(ev, moment, sign * duration.as.months);
    }
    return time_add(ev, moment, sign * duration.as.duration.seconds,
                    sign * duration.as.duration.nanoseconds);
}

Value op_arithmetic(Eval *ev, NodeOp op, Value a, Value b) {
    if (a.kind == V_NUMBER && b.kind == V_NUMBER) return numbers(ev, op, a.as.number, b.as.number);
    if (a.kind == V_STRING && b.kind == V_STRING && op == N_ADD) return concat(ev, a, b);
    if (is_duration(a) && a.kind == b.kind) return durations(ev, op, a, b);
    if (is_duration(a) && b.kind == V_NUMBER && (op == N_MUL || op == N_DIV))
        return scale_duration(ev, op, a, b.as.number);
    if (a.kind == V_NUMBER && is_duration(b) && op == N_MUL)
        return scale_duration(ev, op, b, a.as.number);
    if (is_moment(a) && is_duration(b) && (op == N_ADD || op == N_SUB))
        return moment_and_duration(ev, op, a, b);
    if (is_duration(a) && is_moment(b) && op == N_ADD) return moment_and_duration(ev, op, b, a);
    if (is_moment(a) && is_moment(b) && op == N_SUB) return time_subtract(ev, a, b);
    return no_arithmetic(ev, op, a, b);
}

Value op_negate(Eval *ev, Value v) {
    if (v.kind == V_NUMBER) return v_number(decimal_sub(decimal_from_int(0), v.as.number));
    if (v.kind == V_MONTHS && v.as.months != INT64_MIN) {
        v.as.months = -v.as.months;
        return v;
    }
    if (v.kind == V_DURATION && v.as.duration.seconds != INT64_MIN)
        return time_duration(-v.as.duration.seconds, -(int64_t)v.as.duration.nanoseconds);
    return eval_fail(ev, "{1}不能取负", str_z(v_kind_name(v.kind)));
}

// ---- equality and order

// DMN 1.5, table 42: of different kinds null, except that null is comparable with anything.
Value op_equal(Eval *ev, Value a, Value b) {
    if (a.kind == V_NULL || b.kind == V_NULL) return v_bool(a.kind == b.kind);
    if (a.kind == V_NUMBER && b.kind == V_NUMBER)
        return v_bool(decimal_cmp(a.as.number, b.as.number) == 0);
    eval_cost(ev, a);
    if (a.kind == b.kind) return v_bool(v_equal(a, b));
    if (a.kind == V_LIST && a.len == 1) return op_equal(ev, a.as.items[0], b);
    if (b.kind == V_LIST && b.len == 1) return op_equal(ev, a, b.as.items[0]);
    return eval_fail(ev, "{1}与{2}不能比较", str_z(v_kind_name(a.kind)), str_z(v_kind_name(b.kind)));
}

Value op_order(Eval *ev, NodeOp op, Value a, Value b) {
    int order;
    if (a.kind == V_NUMBER && b.kind == V_NUMBER) order = decimal_cmp(a.as.number, b.as.number);
    else if (!v_compare(a, b, &order))
        return eval_fail(ev, "{1}与{2}不能比较", str_z(v_kind_name(a.kind)),
                         str_z(v_kind_name(b.kind)));
    switch (op) {
    case N_LT: return v_bool(order < 0);
    case N_LE: return v_bool(order <= 0);
    case N_GT: return v_bool(order > 0);
    default: return v_bool(order >= 0);
    }
}

// ---- membership

Value op_in_range(Eval *ev, Value v, const Range *r) {
    bool in = true;
    if (r->low) {
        Value from = op_order(ev, r->low_closed ? N_GE : N_GT, v, *r->low);
        if (from.kind == V_NULL) return from;
        in = from.as.boolean;
    }
    if (r->high) {
        Value to = op_order(ev, r->high_closed ? N_LE : N_LT, v, *r->high);
        if (to.kind == V_NULL) return to;
        in = in && to.as.boolean;
    }
    return v_bool(in);
}

// Without a diagnostic for what is merely of another kind: a list may hold anything.
static bool in_item(Eval *ev, Value v, Value item) {
    int order;
    if (v_equal(v, item)) return true;
    if (item.kind == V_LIST && v.kind != V_LIST) return v_true(op_in(ev, v, item));
    if (item.kind != V_RANGE) return false;
    const Range *r = item.as.range;
    if ((r->low && !v_compare(v, *r->low, &order)) || (r->high && !v_compare(v, *r->high, &order)))
        return false;
    return v_true(op_in_range(ev, v, r));
}

Value op_in(Eval *ev, Value v, Value set) {
    if (set.kind == V_RANGE) return v.kind == V_RANGE ? v_bool(v_equal(v, set))
                                                      : op_in_range(ev, v, set.as.range);
    if (set.kind != V_LIST) return op_equal(ev, v, set);
    eval_cost(ev, set);
    if (v.kind == V_LIST && v_equal(v, set)) return v_bool(true);
    for (uint32_t i = 0; i < set.len; i++)
        if (in_item(ev, v, set.as.items[i])) return v_bool(true);
    return v_bool(false);
}
