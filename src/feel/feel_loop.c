// Loops: for, some, every, and filters. The values of an iterator are produced one by one, so
// `for i in 1..1000000` makes no list of numbers; the list of results is limited.
#include "feel/feel_internal.h"

enum { ITERATORS_MAX = 16 };

typedef struct Loop {
    const Node *node;
    bool quantified, every;
    ListBuilder results;
    Frame frames[ITERATORS_MAX + 1];
    Value answer; // some, every
    bool done;
} Loop;

static void loop_from(Eval *ev, Loop *loop, uint32_t index);

static void loop_body(Eval *ev, Loop *loop) {
    const Node *body = loop->node->kids[loop->node->count - 1];
    if (loop->quantified) {
        Value v = eval_node(ev, body);
        if (v.kind != V_BOOL) { // null, unless a later one decides
            loop->answer = eval_fail_at(ev, body, "条件应为真假值，这里是{1}",
                                        str_z(v_kind_name(v.kind)), S(""), S(""));
            return;
        }
        if (v.as.boolean == loop->every) return;
        loop->answer = v_bool(!loop->every);
        loop->done = true;
        return;
    }
    if (!eval_room(ev, (size_t)loop->results.len + 1)) return;
    loop->frames[ITERATORS_MAX].value = list_done(&loop->results); // partial
    list_add(&loop->results, eval_node(ev, body));
}

static void loop_step(Eval *ev, Loop *loop, uint32_t index, Value v) {
    Frame *frame = &loop->frames[index];
    *frame = (Frame){ev->frame, loop->node->as.names[index], v};
    const Frame *outer = ev->frame;
    ev->frame = frame;
    if (index + 2 < loop->node->count) loop_from(ev, loop, index + 1);
    else loop_body(ev, loop);
    ev->frame = outer;
}

// Integers from low to high, downwards when low is the greater.
static void loop_integers(Eval *ev, Loop *loop, uint32_t index, int64_t low, int64_t high) {
    int64_t step = low <= high ? 1 : -1;
    for (int64_t i = low; !ev->stopped && !loop->done; i += step) {
        ev->run->steps++;
        loop_step(ev, loop, index, v_int(i));
        if (i == high) break;
    }
}

static void loop_days(Eval *ev, Loop *loop, uint32_t index, Value low, Value high) {
    int64_t from = time_days(low.as.date.year, low.as.date.month, low.as.date.day);
    int64_t to = time_days(high.as.date.year, high.as.date.month, high.as.date.day);
    int64_t step = from <= to ? 1 : -1, year;
    for (int64_t d = from; !ev->stopped && !loop->done; d += step) {
        int month, day;
        time_civil(d, &year, &month, &day);
        loop_step(ev, loop, index, time_date(year, month, day));
        if (d == to) break;
    }
}

static void loop_between(Eval *ev, Loop *loop, uint32_t index, Value low, Value high) {
    int64_t from, to;
    if (low.kind == V_NUMBER && high.kind == V_NUMBER &&
        decimal_to_int(low.as.number, &from) && decimal_to_int(high.as.number, &to)) {
        loop_integers(ev, loop, index, from, to);
    } else if (low.kind == V_DATE && high.kind == V_DATE) {
        loop_days(ev, loop, index, low, high);
    } else {
        loop->done = true;
        loop->answer = eval_fail_at(ev, loop->node, "循环的两端应为整数或日期", S(""), S(""), S(""));
        loop->results.len = 0;
        loop->quantified = true; // the answer is null, not a list
    }
}

static void loop_range(Eval *ev, Loop *loop, uint32_t index, const Range *r) {
    Value low = r->low ? *r->low : v_null(), high = r->high ? *r->high : v_null();
    int order = 0;
    bool ordered = v_compare(low, high, &order);
    if (ordered && order > 0) { // not a range at all
        loop_between(ev, loop, index, v_null(), v_null());
        return;
    }
    if (low.kind == V_NUMBER && high.kind == V_NUMBER) {
        Decimal one = decimal_from_int(1);
        if (!r->low_closed) low.as.number = decimal_add(low.as.number, one);
        if (!r->high_closed) high.as.number = decimal_sub(high.as.number, one);
    } else if (low.kind == V_DATE && high.kind == V_DATE) {
        if (!r->low_closed) low = time_add(ev, low, 86400, 0);
        if (!r->high_closed) high = time_add(ev, high, -86400, 0);
    }
    if (ordered && v_compare(low, high, &order) && order > 0) return;
    loop_between(ev, loop, index, low, high);
}

static void loop_from(Eval *ev, Loop *loop, uint32_t index) {
    const Node *source = loop->node->kids[index];
    if (source->op == N_ITERATION) {
        Value low = eval_node(ev, source->kids[0]), high = eval_node(ev, source->kids[1]);
        loop_between(ev, loop, index, low, high);
        return;
    }
    Value list = eval_node(ev, source);
    if (list.kind == V_RANGE) {
        loop_range(ev, loop, index, list.as.range);
    } else if (list.kind == V_NULL) {
        loop->done = true;
        loop->quantified = true;
        loop->answer = eval_fail_at(ev, source, "循环的列表是空值", S(""), S(""), S(""));
    } else if (list.kind != V_LIST) {
        loop_step(ev, loop, index, list);
    } else {
        for (uint32_t i = 0; i < list.len && !ev->stopped && !loop->done; i++)
            loop_step(ev, loop, index, list.as.items[i]);
    }
}

Value eval_for(Eval *ev, const Node *n) {
    Loop loop = {.node = n, .results = list_make(ev->arena)};
    loop.frames[ITERATORS_MAX] = (Frame){ev->frame, S_INIT("partial"), v_null()};
    const Frame *outer = ev->frame;
    ev->frame = &loop.frames[ITERATORS_MAX];
    ev->at = n;
    loop_from(ev, &loop, 0);
    ev->frame = outer;
    return loop.quantified ? v_null() : eval_list_done(ev, &loop.results);
}

Value eval_quantified(Eval *ev, const Node *n) {
    Loop loop = {.node = n, .quantified = true, .every = n->op == N_EVERY};
    loop.answer = v_bool(loop.every);
    ev->at = n;
    loop_from(ev, &loop, 0);
    return loop.answer;
}

// ---- filters

static Value item_at(Eval *ev, const Node *n, Value list, Value position) {
    int64_t i;
    if (!decimal_to_int(position.as.number, &i))
        return eval_fail_at(ev, n, "位置应为整数", S(""), S(""), S(""));
    int64_t len = list.len, at = i > 0 ? i - 1 : len + i;
    if (i == 0 || at < 0 || at >= len)
        return eval_fail_at(ev, n, "列表没有第 {1} 项", v_to_str(position, ev->arena), S(""), S(""));
    return list.as.items[at];
}

static Value filter_test(Eval *ev, const Node *condition, Value item) {
    Frame named = {ev->frame, S_INIT("item"), item};
    Frame members = {&named, {"", 0}, item};
    const Frame *outer = ev->frame;
    // A member called "item" hides the item itself, as in any inner context.
    ev->frame = item.kind == V_CONTEXT ? &members : &named;
    Value v = eval_node(ev, condition);
    ev->frame = outer;
    return v;
}

Value eval_filter(Eval *ev, const Node *n) {
    Value list = eval_node(ev, n->kids[0]);
    const Node *condition = n->kids[1];
    if (list.kind != V_LIST) { // a single value is a list of one, null of none
        Value *one = arena_new(ev->arena, Value);
        *one = list;
        list = (Value){.kind = V_LIST, .len = list.kind != V_NULL, .as.items = one};
    }
    if (condition->op == N_LITERAL && condition->as.value.kind == V_NUMBER)
        return item_at(ev, n, list, condition->as.value);
    if (list.len == 0) { // is it a position or a condition? Only its value tells.
        size_t diagnostics = ev->run->diagnostics_count;
        Value v = filter_test(ev, condition, v_null());
        ev->run->diagnostics_count = diagnostics;
        return v.kind == V_NUMBER ? item_at(ev, n, list, v) : list;
    }
    ListBuilder out = list_make(ev->arena);
    for (uint32_t i = 0; i < list.len && !ev->stopped; i++) {
        Value v = filter_test(ev, condition, list.as.items[i]);
        if (i == 0 && v.kind == V_NUMBER) return item_at(ev, n, list, v);
        if (v_true(v)) list_add(&out, list.as.items[i]);
        else if (v.kind != V_BOOL && v.kind != V_NULL)
            (void)eval_fail_at(ev, condition, "条件应为真假值，这里是{1}",
                               str_z(v_kind_name(v.kind)), S(""), S(""));
    }
    return list_done(&out);
}
