// room: bpmn
// The public execution suite of BPMN models: FOLDER holds models and cases.json (its README says
// what is in it). Of each model all processes are deployed; a virtual clock moves to what is due
// next; messages and signals are carried between instances by name; script tasks in the little
// language of the suite are interpreted here. Between any two steps a state goes through JSON text.
//
// A case with a doubt is run too, but counted as skipped, with what our engine does.
//   bpmn-run_suite FOLDER [--verbose]
#include "base/file.h"
#include "bpmn/bpmn.h"
#include "value/json.h"

#include <stdio.h>

enum {
    SUITE_MEMORY_MAX = 512 << 20,
    FILE_MAX = 16 << 20,
    INSTANCES_MAX = 50,
    PENDING_MAX = 400,
    WORDS_MAX = 200,
    STEPS_MAX = 2000,
    INTERVALS_MAX = 20,
    CALLS_MAX = 20,
};
static const Instant BEGIN = 1700000000000;

typedef struct Instance {
    Str state; // JSON text
    bool over;
} Instance;

typedef enum PendingKind { DUE_TIMER, DUE_SERVICE, DUE_START } PendingKind;

// Something that will happen at an instant.
typedef struct Pending {
    PendingKind kind;
    bool live;
    Instant at;
    uint64_t order; // of those at the same instant
    size_t instance;
    int64_t token;
    Str script;       // DUE_SERVICE: the calls still to be made
    Str process, start; // DUE_START
    Value interval;   // DUE_START of a cycle
    int64_t left;
} Pending;

typedef struct Thrown {
    bool signal;
    size_t from; // a signal was delivered within the instance that threw it
    Str name;
    Value value;
} Thrown;

typedef struct Interval {
    Str name;
    Instant from, to;
} Interval;

typedef struct Bench {
    Arena *arena;
    const Flow *flow;
    Instance instances[INSTANCES_MAX];
    size_t instances_count;
    Pending pending[PENDING_MAX];
    size_t pending_count;
    Thrown thrown[PENDING_MAX];
    size_t thrown_count;
    Thrown kept[PENDING_MAX]; // messages for which nobody waits yet
    size_t kept_count;
    Interval intervals[INTERVALS_MAX];
    size_t intervals_count;
    Str trace[WORDS_MAX];
    size_t trace_count;
    Instant now;
    uint64_t order;
    size_t steps;
    bool marker, checked;
    bool failed;        // an engine error
    bool ended_by_error; // an error end event
    Str code;
    Str why;
} Bench;

static Value json(Arena *a, Str text) {
    Value v = v_null();
    Error err;
    if (json_parse(text, JSON_STRICT, (JsonLimits){0}, a, &v, &err) != OK) return v_null();
    return v;
}

// Scripts

static Pending *pending_add(Bench *b, PendingKind kind, Instant at) {
    if (b->pending_count == PENDING_MAX) {
        b->failed = true;
        b->why = S("too much is pending");
        return &b->pending[PENDING_MAX - 1];
    }
    Pending *p = &b->pending[b->pending_count++];
    *p = (Pending){.kind = kind, .live = true, .at = at, .order = b->order++};
    return p;
}

// The next argument of a call: a text in quotes or a number.
static Str argument(Str *rest) {
    *rest = str_trim(*rest);
    if (str_starts(*rest, S("\""))) {
        *rest = str_sub(*rest, 1, rest->len);
        Str arg = str_cut(rest, '"');
        (void)str_cut(rest, ',');
        return arg;
    }
    return str_trim(str_cut(rest, ','));
}

static Value variable(Bench *b, const Instance *in, Str name) {
    return v_get(flow_variables(json(b->arena, in->state)), name);
}

static Value one(Bench *b, Str name, Value v) {
    ContextBuilder c = context_make(b->arena);
    context_put(&c, name, v);
    return context_done(&c);
}

static void feed(Bench *b, size_t instance, FlowInput in);

// One call of a script. Milliseconds that it takes.
static int64_t call(Bench *b, size_t instance, Str name, Str args, Value *values, Str *error) {
    Str first = argument(&args), second = argument(&args);
    int64_t n = 0;
    if (str_eq(name, S("trace"))) {
        if (b->trace_count < WORDS_MAX) b->trace[b->trace_count++] = first;
    } else if (str_eq(name, S("marker"))) {
        b->marker = true;
    } else if (str_eq(name, S("increment"))) {
        Value was = v_get(*values, first);
        if (was.kind == V_NULL) was = variable(b, &b->instances[instance], first);
        *values = v_merge(*values, one(b, first, v_int(v_to_int(was, 0) + 1)), b->arena);
    } else if (str_eq(name, S("set"))) {
        *values = v_merge(*values, one(b, first, v_str(second)), b->arena);
    } else if (str_eq(name, S("check"))) {
        Value was = v_get(*values, first);
        if (was.kind == V_NULL) was = variable(b, &b->instances[instance], first);
        if (str_eq(v_text(was), second)) b->checked = true;
    } else if (str_eq(name, S("wait"))) {
        if (str_to_int(first, &n)) return n;
    } else if (str_eq(name, S("interval"))) {
        if (!str_to_int(second, &n) || b->intervals_count == INTERVALS_MAX) return 0;
        b->intervals[b->intervals_count++] = (Interval){first, b->now, b->now + n};
        return n;
    } else if (str_eq(name, S("error"))) {
        *error = first;
    } else if (!str_eq(name, S("noop"))) {
        b->failed = true;
        b->why = arena_concat(b->arena, (Str[]){S("unknown call "), name}, 2);
    }
    return 0;
}

// Makes the calls of a task until one takes time; then the rest is made later.
static void script_run(Bench *b, size_t instance, int64_t token, Str script) {
    Value values = one(b, S("-"), v_null());
    values = (Value){.kind = V_CONTEXT, .extra = 1, .as.entries = values.as.entries};
    Str error = S("");
    while (str_trim(script).len && !error.len) {
        Str text = str_trim(str_cut(&script, ';'));
        Str name = str_trim(str_cut(&text, '('));
        if (!name.len) continue;
        if (text.len) text = str_sub(text, 0, text.len - 1);
        int64_t takes = call(b, instance, name, text, &values, &error);
        if (!takes) continue;
        Pending *p = pending_add(b, DUE_SERVICE, b->now + takes);
        p->instance = instance;
        p->token = token;
        p->script = script;
        // What was set so far is known to the others at once.
        if (values.len) feed(b, instance, (FlowInput){.kind = FLOW_FACTS, .values = values});
        return;
    }
    FlowInput in = {.kind = FLOW_COMPLETE, .token = token, .values = values};
    if (error.len) in = (FlowInput){.kind = FLOW_ERROR, .token = token, .name = error};
    feed(b, instance, in);
}

// Effects

static Instant due(const Bench *b, Value v) {
    if (v.kind == V_DURATION) return b->now + v.as.duration.seconds * 1000;
    if (v.kind == V_MONTHS) return b->now + v.as.months * 30 * DAY_MS;
    if (v.kind != V_DATE && v.kind != V_DATE_TIME) return b->now;
    Civil day = {v.as.date.year, v.as.date.month, v.as.date.day};
    if (v.kind == V_DATE) return day_instant(day_from_civil(day), 0);
    const DateTime *t = v.as.time;
    day = (Civil){t->year, t->month, t->day};
    return day_instant(day_from_civil(day), t->hour * 3600 + t->minute * 60 + t->second) +
           (CHINA_OFFSET_S - (t->has_offset ? t->offset_s : CHINA_OFFSET_S)) * 1000;
}

static void timer_clear(Bench *b, size_t instance, int64_t token, PendingKind kind) {
    for (size_t i = 0; i < b->pending_count; i++) {
        Pending *p = &b->pending[i];
        if (p->live && p->kind == kind && p->instance == instance && p->token == token)
            p->live = false;
    }
}

static void carry_out(Bench *b, size_t instance, const FlowEffect *e) {
    Pending *p;
    switch (e->kind) {
    case FLOW_OPEN_TASK: // nobody is there to do it
    case FLOW_CALL_SERVICE:
        p = pending_add(b, DUE_SERVICE, b->now);
        p->instance = instance;
        p->token = e->token;
        p->script = v_text(v_get_lit(e->attributes, "script"));
        return;
    case FLOW_CLOSE_TASK: timer_clear(b, instance, e->token, DUE_SERVICE); return;
    case FLOW_SET_TIMER:
        p = pending_add(b, DUE_TIMER, due(b, e->value));
        p->instance = instance;
        p->token = e->token;
        return;
    case FLOW_CLEAR_TIMER: timer_clear(b, instance, e->token, DUE_TIMER); return;
    case FLOW_THROW_MESSAGE:
    case FLOW_THROW_SIGNAL:
        if (b->thrown_count < PENDING_MAX)
            b->thrown[b->thrown_count++] =
                (Thrown){e->kind == FLOW_THROW_SIGNAL, instance, e->name, e->value};
        return;
    case FLOW_FAILED:
        b->ended_by_error = true;
        b->code = e->name;
        return;
    case FLOW_RECORD:
    case FLOW_ESCALATED:
    case FLOW_ENDED: return;
    }
}

static void step(Bench *b, size_t instance, FlowInput in) {
    Instance *to = &b->instances[instance];
    FlowStep out;
    Error err;
    if (++b->steps > STEPS_MAX) {
        b->failed = true;
        b->why = S("runs on and on");
        return;
    }
    Value state = to->state.len ? json(b->arena, to->state) : v_null();
    if (flow_step(b->flow, state, &in, b->now, b->arena, &out, &err) != OK) {
        b->failed = true;
        b->why = error_message(&err, NULL, NULL, b->arena);
        to->over = true;
        return;
    }
    to->state = json_to_str(out.state, b->arena);
    to->over = out.ended;
    for (size_t i = 0; i < out.effects_count; i++) carry_out(b, instance, &out.effects[i]);
}

static void feed(Bench *b, size_t instance, FlowInput in) { step(b, instance, in); }

// Instances

static void start(Bench *b, Str process, Str name, Value values) {
    if (b->instances_count == INSTANCES_MAX) {
        b->failed = true;
        b->why = S("too many instances");
        return;
    }
    size_t instance = b->instances_count++;
    b->instances[instance] = (Instance){0};
    step(b, instance,
         (FlowInput){.kind = FLOW_START, .process = process, .name = name, .values = values});
}

static bool waits(Bench *b, size_t instance, Str kind, Str name) {
    Value list;
    Error err;
    if (b->instances[instance].over) return false;
    if (flow_waiting(b->flow, json(b->arena, b->instances[instance].state), b->arena, &list,
                     &err) != OK)
        return false;
    for (uint32_t i = 0; i < list.len; i++)
        if (str_eq(v_text(v_get_lit(v_at(list, i), "kind")), kind) &&
            str_eq(v_text(v_get_lit(v_at(list, i), "name")), name))
            return true;
    return false;
}

// Starts the processes that begin by it; only the first when it is a message.
static bool starts(Bench *b, const Thrown *t) {
    Value all = flow_processes(b->flow, b->now, b->arena);
    bool any = false;
    for (uint32_t i = 0; i < all.len; i++) {
        Value p = v_at(all, i), list = v_get_lit(p, "starts");
        for (uint32_t k = 0; k < list.len; k++) {
            Str event = v_text(v_get_lit(v_at(list, k), "event"));
            if (!str_eq(event, t->signal ? S("signal") : S("message")) ||
                !str_eq(v_text(v_get_lit(v_at(list, k), "name")), t->name))
                continue;
            if (any && !t->signal) return true;
            start(b, v_text(v_get_lit(p, "id")), t->name, t->value);
            any = true;
            break;
        }
    }
    return any;
}

// A message goes to an instance that waits for it, else it starts one, else it is kept.
static void deliver(Bench *b, Thrown t) {
    FlowInput in = {
        .kind = t.signal ? FLOW_SIGNAL : FLOW_MESSAGE, .name = t.name, .values = t.value};
    for (size_t i = 0; i < b->instances_count; i++) {
        if (t.signal && i == t.from) continue;
        if (!waits(b, i, t.signal ? S("signal") : S("message"), t.name)) continue;
        step(b, i, in);
        if (!t.signal) return;
    }
    if (!starts(b, &t) && !t.signal && b->kept_count < PENDING_MAX) b->kept[b->kept_count++] = t;
}

static void thrown_deliver(Bench *b) {
    for (size_t i = 0; i < b->thrown_count && !b->failed; i++) deliver(b, b->thrown[i]);
    b->thrown_count = 0;
    for (size_t i = 0; i < b->kept_count; i++) {
        for (size_t k = 0; k < b->instances_count; k++) {
            if (!waits(b, k, S("message"), b->kept[i].name)) continue;
            Thrown t = b->kept[i];
            b->kept[i] = b->kept[--b->kept_count];
            deliver(b, t);
            return;
        }
    }
}

static Pending *next_due(Bench *b, Instant until) {
    Pending *first = NULL;
    for (size_t i = 0; i < b->pending_count; i++) {
        Pending *p = &b->pending[i];
        if (!p->live || p->at > until) continue;
        if (!first || p->at < first->at || (p->at == first->at && p->order < first->order))
            first = p;
    }
    return first;
}

static void happen(Bench *b, Pending *p) {
    p->live = false;
    if (p->at > b->now) b->now = p->at;
    Pending one_of = *p;
    switch (one_of.kind) {
    case DUE_TIMER:
        step(b, one_of.instance, (FlowInput){.kind = FLOW_TIMER, .token = one_of.token});
        return;
    case DUE_SERVICE: script_run(b, one_of.instance, one_of.token, one_of.script); return;
    case DUE_START:
        start(b, one_of.process, one_of.start, v_null());
        if (one_of.left > 1 || one_of.left == -1) {
            Pending *again = pending_add(b, DUE_START, due(b, one_of.interval));
            again->process = one_of.process;
            again->start = one_of.start;
            again->interval = one_of.interval;
            again->left = one_of.left == -1 ? -1 : one_of.left - 1;
        }
        return;
    }
}

// Runs until nothing more happens before the instant.
static void run_until(Bench *b, Instant until) {
    for (;;) {
        thrown_deliver(b);
        if (b->thrown_count) continue;
        Pending *p = b->failed ? NULL : next_due(b, until);
        if (!p) break;
        happen(b, p);
    }
    if (b->now < until) b->now = until;
}

// Timers that start processes run from the deployment on.
static void deploy(Bench *b) {
    Value all = flow_processes(b->flow, b->now, b->arena);
    for (uint32_t i = 0; i < all.len; i++) {
        Value list = v_get_lit(v_at(all, i), "starts");
        for (uint32_t k = 0; k < list.len; k++) {
            Value s = v_at(list, k), timer = v_get_lit(s, "timer");
            if (timer.kind == V_NULL) continue;
            Pending *p = pending_add(b, DUE_START, due(b, timer));
            p->process = v_text(v_get_lit(v_at(all, i), "id"));
            p->start = v_text(v_get_lit(s, "id"));
            p->interval = timer;
            p->left = v_to_int(v_get_lit(s, "repeats"), 1);
        }
    }
}

// A process that only events begin is not started by its id: its events do that. One that begins
// by a condition is, when the condition holds.
static bool only_by_events(Bench *b, Str process, Str event) {
    Value all = flow_processes(b->flow, b->now, b->arena);
    for (uint32_t i = 0; i < all.len; i++) {
        if (!str_eq(v_text(v_get_lit(v_at(all, i), "id")), process)) continue;
        Value list = v_get_lit(v_at(all, i), "starts");
        for (uint32_t k = 0; k < list.len; k++)
            if (str_eq(v_text(v_get_lit(v_at(list, k), "event")), event)) return true;
    }
    return false;
}

static void start_named(Bench *b, Str process, Value values) {
    Instance before = b->instances[b->instances_count];
    start(b, process, S(""), values);
    if (!b->failed) return;
    bool event = only_by_events(b, process, S("conditional")) ||
                 only_by_events(b, process, S("timer"));
    if (!event || str_find(b->why, S("只能由事件启动")) < 0) return;
    b->failed = false;
    b->instances[--b->instances_count] = before;
}

// Judging

static bool same_words(const Bench *b, Value expect) {
    bool used[WORDS_MAX] = {false};
    if (expect.len != b->trace_count) return false;
    for (uint32_t i = 0; i < expect.len; i++) {
        bool found = false;
        for (size_t k = 0; k < b->trace_count && !found; k++) {
            if (used[k] || !str_eq(b->trace[k], v_text(v_at(expect, i)))) continue;
            used[k] = found = true;
        }
        if (!found) return false;
    }
    return true;
}

static bool parallel(const Bench *b) {
    for (size_t i = 0; i < b->intervals_count; i++)
        for (size_t k = 0; k < b->intervals_count; k++) {
            const Interval *x = &b->intervals[i], *y = &b->intervals[k];
            if (str_eq(x->name, S("1")) && str_eq(y->name, S("2")) && x->from < y->to &&
                y->from < x->to)
                return true;
        }
    return false;
}

static Str found_text(Bench *b, Arena *a) {
    Buf out = buf_make(a, 256, 64 << 10);
    buf_lit(&out, "[");
    for (size_t i = 0; i < b->trace_count; i++) {
        if (i) buf_lit(&out, ", ");
        buf_str(&out, b->trace[i]);
    }
    buf_lit(&out, "]");
    if (b->failed) {
        buf_lit(&out, " failed: ");
        buf_str(&out, b->why);
    }
    if (b->ended_by_error) {
        buf_lit(&out, " ended by error ");
        buf_str(&out, b->code);
    }
    if (b->marker) buf_lit(&out, " marker");
    if (b->checked) buf_lit(&out, " data");
    return buf_view(&out);
}

// Empty when it is as expected, else what is wrong.
static Str judge(Bench *b, Value c) {
    Str error = v_text(v_get_lit(c, "error"));
    bool expects = error.len > 0;
    if (!expects && (b->failed || b->ended_by_error)) return S("no failure");
    if (str_eq(error, S("runtime")) && !b->failed) return S("an engine error");
    if (str_eq(error, S("error_event")) &&
        (!b->ended_by_error || !str_eq(b->code, v_text(v_get_lit(c, "error_code")))))
        return S("an error end event");
    if (str_eq(error, S("any")) && !b->failed && !b->ended_by_error) return S("some failure");
    if (!same_words(b, v_get_lit(c, "expect")))
        return json_to_str(v_get_lit(c, "expect"), b->arena);
    if (v_true(v_get_lit(c, "expect_marker")) && !b->marker) return S("the marker");
    if (v_true(v_get_lit(c, "expect_data")) && !b->checked) return S("the data");
    if (v_true(v_get_lit(c, "expect_parallel")) && !parallel(b)) return S("parallel intervals");
    return S("");
}

static void run_case(Bench *b, Str xml, Value c) {
    Error err;
    b->now = BEGIN;
    if (flow_load(xml, b->arena, &b->flow, &err) != OK) {
        b->failed = true;
        b->why = error_message(&err, NULL, NULL, b->arena);
        return;
    }
    deploy(b);
    Value starting = v_get_lit(c, "start");
    for (uint32_t i = 0; i < starting.len && !b->failed; i++) {
        bool last = i + 1 == starting.len;
        start_named(b, v_text(v_at(starting, i)), last ? v_get_lit(c, "variables") : v_null());
        run_until(b, b->now);
    }
    run_until(b, BEGIN + v_to_int(v_get_lit(c, "wait_ms"), 0));
    // Nothing but time can move what is left; wait a little for what the model itself times.
    if (!v_to_int(v_get_lit(c, "wait_ms"), 0)) run_until(b, b->now + 10000);
}

typedef struct Counts {
    int passed, failed, skipped;
} Counts;

static void report(Bench *b, Value model, Value c, bool verbose, Counts *counts) {
    Str name = v_text(v_get_lit(model, "process_id"));
    long long number = v_to_int(v_get_lit(c, "case"), 0);
    Str doubt = v_text(v_get_lit(c, "doubt"));
    if (!doubt.len) doubt = v_text(v_get_lit(model, "doubt"));
    Str wrong = judge(b, c), found = found_text(b, b->arena);
    if (doubt.len) {
        counts->skipped++;
        printf("skip %.*s/%lld - %.*s; here: %.*s%s\n", S_FMT(name), number, S_FMT(doubt),
               S_FMT(found), wrong.len ? "" : " (as expected)");
    } else if (wrong.len) {
        counts->failed++;
        printf("not ok %.*s/%lld - expected %.*s, found %.*s\n", S_FMT(name), number, S_FMT(wrong),
               S_FMT(found));
    } else {
        counts->passed++;
        if (verbose) printf("ok %.*s/%lld - %.*s\n", S_FMT(name), number, S_FMT(found));
        else printf("ok %.*s/%lld\n", S_FMT(name), number);
    }
}

static void run_model(Str folder, Value model, bool verbose, Counts *counts) {
    Value cases = v_get_lit(model, "cases");
    for (uint32_t i = 0; i < cases.len; i++) {
        ARENA_AUTO a = arena_create(SUITE_MEMORY_MAX);
        Bench *b = arena_new(a, Bench);
        b->arena = a;
        Error err;
        Str xml = S("");
        Str path = path_join(a, folder, v_text(v_get_lit(model, "process")));
        if (file_read(path, FILE_MAX, a, &xml, &err) != OK) {
            b->failed = true;
            b->why = S("the model cannot be read");
        } else {
            run_case(b, xml, v_at(cases, i));
        }
        report(b, model, v_at(cases, i), verbose, counts);
    }
}

int main(int argc, char **argv) {
    if (argc < 2) {
        (void)fprintf(stderr, "bpmn-run_suite FOLDER [--verbose]\n");
        return 2;
    }
    bool verbose = argc > 2 && str_eq(str_z(argv[2]), S("--verbose"));
    ARENA_AUTO a = arena_create(SUITE_MEMORY_MAX);
    Error err;
    Str text;
    Str folder = str_z(argv[1]);
    if (file_read(path_join(a, folder, S("cases.json")), FILE_MAX, a, &text, &err) != OK) {
        printf("not ok cases.json - cannot be read\n");
        return 1;
    }
    Value models = json(a, text);
    Counts counts = {0};
    for (uint32_t i = 0; models.kind == V_LIST && i < models.len; i++)
        run_model(folder, v_at(models, i), verbose, &counts);
    if (!counts.passed && !counts.failed && !counts.skipped) {
        printf("not ok cases.json - holds no cases\n");
        counts.failed++;
    }
    printf("%d passed, %d failed, %d skipped\n", counts.passed, counts.failed, counts.skipped);
    return counts.failed ? 1 : 0;
}
