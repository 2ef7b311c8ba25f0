// Built-in functions on ranges and points (DMN 1.5, 10.3.4.9), after Allen's interval algebra.
// A point is treated as the closed range from itself to itself where a function allows both.
#include "feel/feel_internal.h"

typedef struct Span {
    const Value *low, *high;
    bool low_closed, high_closed;
    bool point;
} Span;

static Span span_of(const Value *v) {
    if (v->kind != V_RANGE) return (Span){v, v, true, true, true};
    const Range *r = v->as.range;
    return (Span){r->low, r->high, r->low && r->low_closed, r->high && r->high_closed, false};
}

static bool same_order(const Value *a, const Value *b) {
    int order;
    return !a || !b || v_compare(*a, *b, &order);
}

// Everything that is there can be compared. An end that isn't there is infinitely far away.
static bool spans(Eval *ev, const Value *args, Span *a, Span *b) {
    *a = span_of(&args[0]);
    *b = span_of(&args[1]);
    const Value *ends[] = {a->low, a->high, b->low, b->high};
    bool ok = args[0].kind != V_NULL && args[1].kind != V_NULL, any = false;
    for (int i = 0; i < 4; i++) {
        any = any || ends[i];
        for (int j = 0; j <= i; j++) ok = ok && same_order(ends[i], ends[j]);
    }
    if (!ok || !any) (void)eval_fail(ev, "应为同类数据的点或区间");
    return ok && any;
}

static int order_of(const Value *a, const Value *b) {
    int order = 0;
    return v_compare(*a, *b, &order) ? order : 0;
}

// Two low ends, two high ends, a high with a low one: what isn't there is infinite.
static int cmp_low(const Value *a, const Value *b) {
    return a && b ? order_of(a, b) : (a != NULL) - (b != NULL);
}
static int cmp_high(const Value *a, const Value *b) {
    return a && b ? order_of(a, b) : (b != NULL) - (a != NULL);
}
static int cmp_high_low(const Value *a, const Value *b) { return a && b ? order_of(a, b) : 1; }

static bool span_before(Span a, Span b) {
    int c = cmp_high_low(a.high, b.low);
    return c < 0 || (c == 0 && (!a.high_closed || !b.low_closed));
}

static bool span_meets(Span a, Span b) {
    return a.high_closed && b.low_closed && cmp_high_low(a.high, b.low) == 0;
}

static bool span_overlaps(Span a, Span b) { return !span_before(a, b) && !span_before(b, a); }

// a starts first and ends first, and they share something.
static bool span_overlaps_before(Span a, Span b) {
    int low = cmp_low(a.low, b.low), high = cmp_high(a.high, b.high);
    bool first = low < 0 || (low == 0 && a.low_closed && !b.low_closed);
    bool inner = high < 0 || (high == 0 && (!a.high_closed || b.high_closed));
    return first && inner && !span_before(a, b);
}

static bool span_finishes(Span a, Span b) {
    if (a.point) return b.high_closed && cmp_high(a.high, b.high) == 0;
    int low = cmp_low(a.low, b.low);
    return a.high_closed == b.high_closed && cmp_high(a.high, b.high) == 0 &&
           (low > 0 || (low == 0 && (!a.low_closed || b.low_closed)));
}

static bool span_starts(Span a, Span b) {
    if (a.point) return b.low_closed && cmp_low(a.low, b.low) == 0;
    int high = cmp_high(a.high, b.high);
    return a.low_closed == b.low_closed && cmp_low(a.low, b.low) == 0 &&
           (high < 0 || (high == 0 && (!a.high_closed || b.high_closed)));
}

static bool span_during(Span a, Span b) {
    int low = cmp_low(a.low, b.low), high = cmp_high(a.high, b.high);
    return (low > 0 || (low == 0 && (b.low_closed || !a.low_closed))) &&
           (high < 0 || (high == 0 && (b.high_closed || !a.high_closed)));
}

static bool span_coincides(Span a, Span b) {
    return cmp_low(a.low, b.low) == 0 && cmp_high(a.high, b.high) == 0 &&
           a.low_closed == b.low_closed && a.high_closed == b.high_closed;
}

// What the arguments may be: p a point, r a range, x either.
static bool kinds(Eval *ev, Span a, Span b, char first, char second) {
    bool ok = (first == 'x' || (first == 'p') == a.point) &&
              (second == 'x' || (second == 'p') == b.point);
    if (!ok) (void)eval_fail(ev, "应为区间，不是一个点");
    return ok;
}

#define RELATION(name, first, second, test)                             \
    static Value name(Eval *ev, const Value *args, uint32_t count) {    \
        Span a, b;                                                      \
        (void)count;                                                    \
        if (!spans(ev, args, &a, &b) || !kinds(ev, a, b, first, second)) \
            return v_null();                                            \
        return v_bool(test);                                            \
    }
RELATION(do_before, 'x', 'x', span_before(a, b))
RELATION(do_after, 'x', 'x', span_before(b, a))
RELATION(do_meets, 'r', 'r', span_meets(a, b))
RELATION(do_met_by, 'r', 'r', span_meets(b, a))
RELATION(do_overlaps, 'r', 'r', span_overlaps(a, b))
RELATION(do_overlaps_before, 'r', 'r', span_overlaps_before(a, b))
RELATION(do_overlaps_after, 'r', 'r', span_overlaps_before(b, a))
RELATION(do_finishes, 'x', 'r', span_finishes(a, b))
RELATION(do_finished_by, 'r', 'x', span_finishes(b, a))
RELATION(do_includes, 'r', 'x', span_during(b, a))
RELATION(do_during, 'x', 'r', span_during(a, b))
RELATION(do_starts, 'x', 'r', span_starts(a, b))
RELATION(do_started_by, 'r', 'x', span_starts(b, a))
#undef RELATION

static Value do_coincides(Eval *ev, const Value *args, uint32_t count) {
    Span a, b;
    (void)count;
    if (!spans(ev, args, &a, &b)) return v_null();
    if (a.point != b.point) return eval_fail(ev, "应同为点或同为区间");
    return v_bool(span_coincides(a, b));
}

// A literal, or a range of literals and of calls such as date("2023-05-31").
static bool constant_range(const Node *n) {
    if (n->op == N_LITERAL) return n->as.value.kind == V_RANGE;
    if (n->op != N_RANGE) return false;
    for (uint32_t i = 0; i < n->count; i++) {
        const Node *end = n->kids[i];
        if (end->op != N_LITERAL && end->op != N_BUILTIN) return false;
        for (uint32_t j = 0; j < end->count; j++)
            if (end->kids[j]->op != N_LITERAL) return false;
    }
    return true;
}

// range("[1..3]")
static Value do_range(Eval *ev, const Value *args, uint32_t count) {
    (void)count;
    const FeelExpr *e;
    Str from = v_text(args[0]);
    if (feel_parse(from, NULL, 0, ev->arena, &e, NULL) == OK && constant_range(e->root)) {
        Value v = eval_node(ev, e->root);
        int order;
        if (v.kind == V_RANGE &&
            (!v.as.range->low || !v.as.range->high ||
             (v_compare(*v.as.range->low, *v.as.range->high, &order) && order <= 0)))
            return v;
    }
    return eval_fail(ev, "“{1}”不是{2}", from, S("区间"));
}

const Builtin builtins_range[] = {
    {"before", "aa", "point1,point2|point,range|range,point|range1,range2", do_before},
    {"after", "aa", "point1,point2|point,range|range,point|range1,range2", do_after},
    {"meets", "aa", "range1,range2", do_meets},
    {"met by", "aa", "range1,range2", do_met_by},
    {"overlaps", "aa", "range1,range2", do_overlaps},
    {"overlaps before", "aa", "range1,range2", do_overlaps_before},
    {"overlaps after", "aa", "range1,range2", do_overlaps_after},
    {"finishes", "aa", "point,range|range1,range2", do_finishes},
    {"finished by", "aa", "range,point|range1,range2", do_finished_by},
    {"includes", "aa", "range,point|range1,range2", do_includes},
    {"during", "aa", "point,range|range1,range2", do_during},
    {"starts", "aa", "point,range|range1,range2", do_starts},
    {"started by", "aa", "range,point|range1,range2", do_started_by},
    {"coincides", "aa", "point1,point2|range1,range2", do_coincides},
    {"range", "s", "from", do_range},
};
const size_t builtins_range_count = sizeof builtins_range / sizeof *builtins_range;
