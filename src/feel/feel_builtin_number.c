// Built-in functions on numbers (DMN 1.5, 10.3.4.5), booleans and conversions to number.
#include "feel/feel_internal.h"

enum { SCALE_MIN = -6111, SCALE_MAX = 6176 };

// The scale argument at `i`; 0 when left out.
static bool scale_of(Eval *ev, const Value *args, uint32_t count, uint32_t i, int32_t *ret) {
    int64_t scale = 0;
    if (i < count && args[i].kind != V_NULL) {
        Decimal whole = decimal_round(args[i].as.number, 0, ROUND_DOWN);
        if (!decimal_to_int(whole, &scale) || scale < SCALE_MIN || scale > SCALE_MAX) {
            (void)eval_fail(ev, "小数位数超出范围");
            return false;
        }
    }
    *ret = (int32_t)scale;
    return true;
}

static Value round_with(Eval *ev, const Value *args, uint32_t count, Rounding mode) {
    int32_t scale;
    if (!scale_of(ev, args, count, 1, &scale)) return v_null();
    Decimal d = decimal_round(args[0].as.number, scale, mode);
    return decimal_finite(d) ? v_number(d) : eval_fail(ev, "结果超出数值范围");
}

#define ROUNDER(name, mode)                                           \
    static Value name(Eval *ev, const Value *args, uint32_t count) {  \
        return round_with(ev, args, count, mode);                     \
    }
ROUNDER(do_decimal, ROUND_HALF_EVEN)
ROUNDER(do_floor, ROUND_FLOOR)
ROUNDER(do_ceiling, ROUND_CEILING)
ROUNDER(do_round_up, ROUND_UP)
ROUNDER(do_round_down, ROUND_DOWN)
ROUNDER(do_round_half_up, ROUND_HALF_UP)
ROUNDER(do_round_half_down, ROUND_HALF_DOWN)
#undef ROUNDER

static bool negative(Decimal d) { return decimal_cmp(d, decimal_from_int(0)) < 0; }

static Value do_abs(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    Value v = args[0];
    bool below = (v.kind == V_NUMBER && negative(v.as.number)) ||
                 (v.kind == V_MONTHS && v.as.months < 0) ||
                 (v.kind == V_DURATION &&
                  (v.as.duration.seconds < 0 || v.as.duration.nanoseconds < 0));
    if (v.kind != V_NUMBER && v.kind != V_MONTHS && v.kind != V_DURATION)
        return eval_fail(ev, "函数 {1} 的参数应为数值或时长", S("abs"));
    return below ? op_negate(ev, v) : v;
}

static Value do_modulo(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    Decimal r;
    if (!decimal_mod(args[0].as.number, args[1].as.number, &r))
        return eval_fail(ev, "除数为零");
    return v_number(r);
}

static Value math_result(Eval *ev, bool ok, Decimal d) {
    return ok ? v_number(decimal_trim(d)) : eval_fail(ev, "没有结果：自变量超出定义范围");
}
static Value do_sqrt(Eval *ev, const Value *args, uint32_t count) {
    Decimal r = {0};
    (void)count;
    bool ok = decimal_sqrt(args[0].as.number, &r);
    return math_result(ev, ok, r);
}
static Value do_log(Eval *ev, const Value *args, uint32_t count) {
    Decimal r = {0};
    (void)count;
    bool ok = decimal_ln(args[0].as.number, &r);
    return math_result(ev, ok, r);
}
static Value do_exp(Eval *ev, const Value *args, uint32_t count) {
    Decimal r = {0};
    (void)count;
    bool ok = decimal_exp(args[0].as.number, &r);
    return math_result(ev, ok, r);
}

static Value parity(Eval *ev, Value v, bool odd) {
    Decimal r;
    if (!decimal_is_integer(v.as.number)) return eval_fail(ev, "应为整数");
    if (!decimal_mod(v.as.number, decimal_from_int(2), &r)) return v_null();
    return v_bool((decimal_cmp(r, decimal_from_int(0)) != 0) == odd);
}
static Value do_odd(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    return parity(ev, args[0], true);
}
static Value do_even(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    return parity(ev, args[0], false);
}

// number("1 234,5", " ", ",")
static Value do_number(Eval *ev, const Value *args, uint32_t count) {
    Str from = v_text(args[0]);
    bool has_group = count > 1 && args[1].kind == V_STRING;
    bool has_point = count > 2 && args[2].kind == V_STRING;
    Str group = has_group ? v_text(args[1]) : S(""), point = has_point ? v_text(args[2]) : S(".");
    if (has_group && !str_eq(group, S(" ")) && !str_eq(group, S(",")) && !str_eq(group, S(".")))
        return eval_fail(ev, "分组符应为空格、逗号或点");
    if (!str_eq(point, S(".")) && !str_eq(point, S(",")))
        return eval_fail(ev, "小数点应为点或逗号");
    if (has_group && str_eq(group, point)) return eval_fail(ev, "分组符与小数点相同");
    Buf out = buf_make(ev->arena, from.len + 1, from.len + 1);
    for (size_t i = 0; i < from.len; i++) {
        char c = from.ptr[i];
        if (has_group && c == group.ptr[0]) continue;
        if (c == point.ptr[0]) c = '.';
        else if (c == '.') return eval_fail(ev, "“{1}”不是数值", from);
        buf_char(&out, c);
    }
    Decimal d;
    Str text = buf_view(&out);
    if (text.len > 0 && text.ptr[0] == '+') return eval_fail(ev, "“{1}”不是数值", from);
    if (!decimal_parse(text, &d)) {
        bool minus = text.len > 0 && text.ptr[0] == '-';
        Str digits = minus ? str_sub(text, 1, text.len) : text;
        text = arena_concat(ev->arena, (Str[]){minus ? S("-0") : S("0"), digits}, 2);
        if (digits.len == 0 || digits.ptr[0] != '.' || !decimal_parse(text, &d))
            return eval_fail(ev, "“{1}”不是数值", from);
    }
    return v_number(d);
}

// ---- booleans

static Value do_not(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    if (args[0].kind == V_BOOL) return v_bool(!args[0].as.boolean);
    return eval_fail(ev, "函数 {1} 的参数应为真假值", S("not"));
}

// Identity of type and value (10.3.4.14): 2.0 and 2 are the same, @"10:00:00Z" and
// @"10:00:00+00:00" are, but two ways of writing one moment are not.
static Value do_is(Eval *ev, const Value *args, uint32_t count) {
    (void)ev;
    (void)count;
    Value a = args[0], b = args[1];
    if (a.kind != b.kind) return v_bool(false);
    if (a.kind == V_TIME || a.kind == V_DATE_TIME) {
        const DateTime *x = a.as.time, *y = b.as.time;
        return v_bool((x->has_offset != 0) == (y->has_offset != 0) && x->offset_s == y->offset_s &&
                      str_eq(x->zone, y->zone) && v_equal(a, b));
    }
    return v_bool(v_equal(a, b));
}

const Builtin builtins_number[] = {
    {"decimal", "nn", "n,scale", do_decimal},
    {"floor", "n?n", "n,scale", do_floor},
    {"ceiling", "n?n", "n,scale", do_ceiling},
    {"round up", "n?n", "n,scale", do_round_up},
    {"round down", "n?n", "n,scale", do_round_down},
    {"round half up", "n?n", "n,scale", do_round_half_up},
    {"round half down", "n?n", "n,scale", do_round_half_down},
    {"abs", "a", "n", do_abs},
    {"modulo", "nn", "dividend,divisor", do_modulo},
    {"sqrt", "n", "number", do_sqrt},
    {"log", "n", "number", do_log},
    {"exp", "n", "number", do_exp},
    {"odd", "n", "number", do_odd},
    {"even", "n", "number", do_even},
    {"number", "s~s~s", "from,grouping separator,decimal separator", do_number},
    {"not", "a", "negand", do_not},
    {"is", "aa", "value1,value2", do_is},
};
const size_t builtins_number_count = sizeof builtins_number / sizeof *builtins_number;
