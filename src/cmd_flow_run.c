// yizhan flow run|draw: a flow outside of any item.
//
// `run` starts a process of the file and tells what happens. What people and services do comes
// from a script, a JSON list that is worked off in order:
//   {"complete": NODE, "values": {…}}      a task or service is done (also what waits for a timer)
//   {"error": NODE, "code": CODE}          it ends in an error
//   {"message": NAME, "values": {…}}       and {"signal": …}: from outside
//   {"activate": NODE}                     an activity of an ad-hoc sub-process
//   {"facts": {…}}                         what expressions may read besides the variables
//   {"wait": DURATION}                     the clock moves on; timers that are due fire
//   {"cancel": true}                       the instance that was started ends
// With --auto what is still open afterwards is completed in order, the clock moving to the next
// timer when nothing else is left. Messages and signals that are thrown reach the other instances,
// and start processes of the file. The clock is virtual and begins now.
#include "options.h"

#include "base/file.h"
#include "bpmn/bpmn.h"
#include "value/json.h"

#include <stdio.h>

enum { RUN_MEMORY_MAX = 512 << 20, RUN_INSTANCES_MAX = 50, RUN_OPEN_MAX = 500, RUN_STEPS_MAX = 2000
    };

typedef struct RunInstance {
    Str process;
    Value state;
    bool ended, failed, stuck;
    ListBuilder records;
} RunInstance;

typedef struct RunOpen { // a task, service or timer
    bool live, timer;
    size_t instance;
    int64_t token;
    Str node;
    Instant at; // timer
} RunOpen;

typedef struct RunThrown {
    bool signal;
    size_t from;
    Str name;
    Value value;
} RunThrown;

typedef struct FlowRun {
    Arena *arena;
    const Flow *flow;
    Instant now;
    Value facts;
    RunInstance instances[RUN_INSTANCES_MAX];
    size_t instances_count;
    RunOpen open[RUN_OPEN_MAX];
    size_t open_count;
    RunThrown thrown[RUN_OPEN_MAX];
    size_t thrown_count;
    size_t steps;
    ListBuilder trace;
    bool tell;
    Error err;
} FlowRun;

// ---- what is told ----

static void told(FlowRun *r, const char *what, size_t instance, Str node, Str name, Value value) {
    ContextBuilder b = context_make(r->arena);
    context_put_new(&b, S("at"), v_str(instant_format(r->now, r->arena)));
    context_put_new(&b, S("instance"), v_int((int64_t)instance + 1));
    context_put_new(&b, S("what"), v_str(str_z(what)));
    if (node.len) context_put_new(&b, S("node"), v_str(node));
    if (name.len) context_put_new(&b, S("name"), v_str(name));
    if (value.kind != V_NULL) context_put_new(&b, S("value"), value);
    list_add(&r->trace, context_done(&b));
    if (!r->tell) return;
    Str text = value.kind == V_NULL ? S("") : json_to_str(value, r->arena);
    printf("%.*s  #%zu  %-14s %.*s%s%.*s%s%.*s\n", S_FMT(instant_format(r->now, r->arena)),
           instance + 1, what, S_FMT(node), name.len ? "  " : "", S_FMT(name), text.len ? "  " : "",
           S_FMT(text));
}

static const char *effect_word(FlowEffectKind kind) {
    static const char *const words[] = {
        [FLOW_OPEN_TASK] = "task",       [FLOW_CLOSE_TASK] = "withdrawn",
        [FLOW_CALL_SERVICE] = "service", [FLOW_SET_TIMER] = "timer",
        [FLOW_CLEAR_TIMER] = "no timer", [FLOW_RECORD] = "passed",
        [FLOW_ENDED] = "ended",          [FLOW_THROW_MESSAGE] = "message",
        [FLOW_THROW_SIGNAL] = "signal",  [FLOW_ESCALATED] = "escalation",
        [FLOW_FAILED] = "failed",
    };
    return words[kind];
}

// ---- effects ----

static Instant due(const FlowRun *r, Value v) {
    if (v.kind == V_DURATION) return r->now + v.as.duration.seconds * 1000;
    if (v.kind == V_MONTHS) return r->now + v.as.months * 30 * DAY_MS;
    int64_t days = v_to_int(v_get_lit(v, "working_days"), -1); // here every day is one
    if (days >= 0) return r->now + days * DAY_MS;
    Day day;
    if (v_to_day(v, &day)) return day_instant(day, 0);
    if (v.kind != V_DATE_TIME) return r->now;
    const DateTime *t = v.as.time;
    Civil c = {t->year, t->month, t->day};
    int64_t offset = t->has_offset ? t->offset_s : CHINA_OFFSET_S;
    return (civil_to_days(c) * 86400 + t->hour * 3600 + t->minute * 60 + t->second - offset) * 1000;
}

static Status open_add(FlowRun *r, size_t instance, const FlowEffect *e) {
    if (r->open_count == RUN_OPEN_MAX)
        return error_set(&r->err, LIMIT, e->node, "同时待办的环节超过 {1} 个", S("500"));
    bool timer = e->kind == FLOW_SET_TIMER;
    r->open[r->open_count++] = (RunOpen){.live = true,
                                         .timer = timer,
                                         .instance = instance,
                                         .token = e->token,
                                         .node = e->node,
                                         .at = timer ? due(r, e->value) : 0};
    return OK;
}

static void open_close(FlowRun *r, size_t instance, int64_t token, bool timer) {
    for (size_t i = 0; i < r->open_count; i++) {
        RunOpen *o = &r->open[i];
        if (o->instance == instance && o->token == token && o->timer == timer) o->live = false;
    }
}

static Status carry_out(FlowRun *r, size_t instance, const FlowEffect *e) {
    Value value = e->value.kind != V_NULL ? e->value : e->attributes;
    if (e->kind == FLOW_RECORD) {
        list_add(&r->instances[instance].records, v_str(e->node));
        value = v_null();
    }
    told(r, effect_word(e->kind), instance, e->node, e->name, value);
    switch (e->kind) {
    case FLOW_OPEN_TASK:
    case FLOW_CALL_SERVICE:
    case FLOW_SET_TIMER: return open_add(r, instance, e);
    case FLOW_CLOSE_TASK: open_close(r, instance, e->token, false); return OK;
    case FLOW_CLEAR_TIMER: open_close(r, instance, e->token, true); return OK;
    case FLOW_THROW_MESSAGE:
    case FLOW_THROW_SIGNAL:
        if (r->thrown_count < RUN_OPEN_MAX)
            r->thrown[r->thrown_count++] =
                (RunThrown){e->kind == FLOW_THROW_SIGNAL, instance, e->name, e->value};
        return OK;
    case FLOW_RECORD:
    case FLOW_ESCALATED:
    case FLOW_ENDED:
    case FLOW_FAILED: return OK;
    }
    return OK;
}

static Status step(FlowRun *r, size_t instance, FlowInput in) {
    RunInstance *to = &r->instances[instance];
    FlowStep out;
    if (++r->steps > RUN_STEPS_MAX)
        return error_set(&r->err, LIMIT, S(""), "运行超过 {1} 步", S("2000"));
    in.facts = r->facts;
    Status status = flow_step(r->flow, to->state, &in, r->now, r->arena, &out, &r->err);
    if (status) return status;
    to->state = out.state;
    to->ended = out.ended;
    to->failed = out.failed;
    to->stuck = out.stuck;
    for (size_t i = 0; i < out.effects_count && !status; i++)
        status = carry_out(r, instance, &out.effects[i]);
    return status;
}

// ---- instances and what passes between them ----

static Status start(FlowRun *r, Str process, Str name, Value values) {
    if (r->instances_count == RUN_INSTANCES_MAX)
        return error_set(&r->err, LIMIT, process, "流程实例超过 {1} 个", S("50"));
    size_t instance = r->instances_count++;
    r->instances[instance] = (RunInstance){.process = process, .records = list_make(r->arena)};
    told(r, "start", instance, process, name, values);
    return step(r, instance,
                (FlowInput){
                    .kind = FLOW_START, .process = process, .name = name, .values = values});
}

static bool waits(FlowRun *r, size_t instance, Str kind, Str name) {
    Value list;
    Error err;
    const RunInstance *i = &r->instances[instance];
    if (i->ended || flow_waiting(r->flow, i->state, r->arena, &list, &err) != OK) return false;
    for (uint32_t k = 0; k < list.len; k++)
        if (str_eq(v_text(v_get_lit(v_at(list, k), "kind")), kind) &&
            str_eq(v_text(v_get_lit(v_at(list, k), "name")), name))
            return true;
    return false;
}

static Status starts(FlowRun *r, Str kind, const RunThrown *t, size_t *caught) {
    Value all = flow_processes(r->flow, r->now, r->arena);
    Status status = OK;
    for (uint32_t i = 0; i < all.len && !status; i++) {
        Value list = v_get_lit(v_at(all, i), "starts");
        for (uint32_t k = 0; k < list.len && !status; k++) {
            Value s = v_at(list, k);
            if (!str_eq(v_text(v_get_lit(s, "event")), kind) ||
                !str_eq(v_text(v_get_lit(s, "name")), t->name) || (!t->signal && *caught))
                continue;
            (*caught)++;
            status = start(r, v_text(v_get_lit(v_at(all, i), "id")), t->name, t->value);
            break;
        }
    }
    return status;
}

// A message goes to the first instance that waits for it, else starts one; a signal does both.
static Status deliver(FlowRun *r, RunThrown t, size_t *ret_caught) {
    Str kind = t.signal ? S("signal") : S("message");
    FlowInput in = {
        .kind = t.signal ? FLOW_SIGNAL : FLOW_MESSAGE, .name = t.name, .values = t.value};
    Status status = OK;
    size_t count = r->instances_count;
    for (size_t i = 0; i < count && !status; i++) {
        if ((t.signal && i == t.from) || !waits(r, i, kind, t.name)) continue;
        if (!t.signal && *ret_caught) break;
        (*ret_caught)++;
        status = step(r, i, in);
    }
    if (!status && (t.signal || !*ret_caught)) status = starts(r, kind, &t, ret_caught);
    return status;
}

static Status deliver_all(FlowRun *r) {
    Status status = OK;
    for (size_t i = 0; i < r->thrown_count && !status; i++) {
        size_t caught = 0;
        status = deliver(r, r->thrown[i], &caught);
    }
    r->thrown_count = 0;
    return status;
}

// ---- what is done ----

static Status done(FlowRun *r, RunOpen *o, Value values) {
    o->live = false;
    if (o->timer && o->at > r->now) r->now = o->at;
    told(r, o->timer ? "due" : "complete", o->instance, o->node, S(""), values);
    FlowInput in = {
        .kind = o->timer ? FLOW_TIMER : FLOW_COMPLETE, .token = o->token, .values = values};
    Status status = step(r, o->instance, in);
    return status ? status : deliver_all(r);
}

static RunOpen *open_find(FlowRun *r, Str node) {
    RunOpen *found = NULL;
    for (size_t i = 0; i < r->open_count; i++) {
        RunOpen *o = &r->open[i];
        if (o->live && str_eq(o->node, node) && (!found || (found->timer && !o->timer))) found = o;
    }
    return found;
}

static RunOpen *timer_next(FlowRun *r, Instant until) {
    RunOpen *first = NULL;
    for (size_t i = 0; i < r->open_count; i++) {
        RunOpen *o = &r->open[i];
        if (o->live && o->timer && o->at <= until && (!first || o->at < first->at)) first = o;
    }
    return first;
}

static Status wait_for(FlowRun *r, Str text) {
    Error err;
    const FeelExpr *e;
    Str source = arena_concat(r->arena, (Str[]){S("duration(\""), text, S("\")")}, 3);
    Value v = v_null();
    if (feel_parse(source, NULL, 0, r->arena, &e, &err) == OK) {
        FeelRun run = {.arena = r->arena, .now = r->now};
        v = feel_eval(&run, e);
    }
    if (v.kind != V_DURATION)
        return error_set(&r->err, INVALID, S("wait"), "“{1}”不是 ISO 8601 的时长", text);
    Instant until = r->now + v.as.duration.seconds * 1000;
    Status status = OK;
    for (RunOpen *o; !status && (o = timer_next(r, until));) status = done(r, o, v_null());
    if (r->now < until) r->now = until;
    return status;
}

static Status from_outside(FlowRun *r, Value action, Str kind) {
    RunThrown t = {.signal = str_eq(kind, S("signal")),
                   .from = SIZE_MAX,
                   .name = v_text(v_get(action, kind)),
                   .value = v_get_lit(action, "values")};
    size_t caught = 0;
    Status status = deliver(r, t, &caught);
    if (!status && !caught)
        return error_set(&r->err, CONFLICT, t.name, "没有环节在等消息“{1}”", t.name);
    return status ? status : deliver_all(r);
}

static Status activate(FlowRun *r, Value action) {
    Str node = v_text(v_get_lit(action, "activate"));
    for (size_t i = 0; i < r->open_count; i++) {
        RunOpen *o = &r->open[i];
        FlowInput in = {.kind = FLOW_ACTIVATE, .token = o->token, .name = node};
        if (!o->live || o->timer || v_has(action, S("-"))) continue;
        Status status = step(r, o->instance, in);
        if (status != INVALID && status != CONFLICT) return status;
    }
    return error_set(&r->err, CONFLICT, node, "没有可以启动 {1} 的即席子流程", node);
}

static Status act(FlowRun *r, Value action) {
    Value values = v_get_lit(action, "values");
    Str node = v_text(v_get_lit(action, "complete"));
    if (!node.len) node = v_text(v_get_lit(action, "error"));
    if (node.len) {
        RunOpen *o = open_find(r, node);
        if (!o) return error_set(&r->err, CONFLICT, node, "环节 {1} 没有在等待", node);
        if (v_has(action, S("complete"))) return done(r, o, values);
        o->live = false;
        Str code = v_text(v_get_lit(action, "code"));
        told(r, "error", o->instance, node, code, values);
        FlowInput in = {.kind = FLOW_ERROR, .token = o->token, .name = code, .values = values};
        Status status = step(r, o->instance, in);
        return status ? status : deliver_all(r);
    }
    if (v_has(action, S("message"))) return from_outside(r, action, S("message"));
    if (v_has(action, S("signal"))) return from_outside(r, action, S("signal"));
    if (v_has(action, S("wait"))) return wait_for(r, v_text(v_get_lit(action, "wait")));
    if (v_has(action, S("activate"))) return activate(r, action);
    if (v_has(action, S("cancel"))) return step(r, 0, (FlowInput){.kind = FLOW_CANCEL});
    if (!v_has(action, S("facts")))
        return error_set(&r->err, INVALID, S("script"), "不认识的动作：{1}",
                         json_to_str(action, r->arena));
    r->facts = v_get_lit(action, "facts");
    Status status = OK;
    for (size_t i = 0; i < r->instances_count && !status; i++)
        if (!r->instances[i].ended) status = step(r, i, (FlowInput){.kind = FLOW_FACTS});
    return status ? status : deliver_all(r);
}

// Completes what is open, the oldest first; then what is due next.
static Status automatic(FlowRun *r) {
    for (;;) {
        RunOpen *next = NULL;
        for (size_t i = 0; i < r->open_count && !next; i++)
            if (r->open[i].live && !r->open[i].timer) next = &r->open[i];
        if (!next) next = timer_next(r, INT64_MAX);
        if (!next) return OK;
        Status status = done(r, next, v_null());
        if (status) return status;
    }
}

static Status run_all(FlowRun *r, Str process, Value input, Value script, bool by_itself) {
    Status status = start(r, process, S(""), input);
    if (!status) status = deliver_all(r);
    for (uint32_t i = 0; i < script.len && !status; i++) status = act(r, v_at(script, i));
    if (!status && by_itself) status = automatic(r);
    return status;
}

// ---- the commands ----

static Value result_of(FlowRun *r) {
    ListBuilder list = list_make(r->arena);
    for (size_t i = 0; i < r->instances_count; i++) {
        RunInstance *in = &r->instances[i];
        Value waiting = v_null();
        Error err;
        if (flow_waiting(r->flow, in->state, r->arena, &waiting, &err) != OK) waiting = v_null();
        ContextBuilder b = context_make(r->arena);
        context_put_new(&b, S("process"), v_str(in->process));
        context_put_new(&b, S("ended"), v_bool(in->ended));
        context_put_new(&b, S("failed"), v_bool(in->failed));
        context_put_new(&b, S("stuck"), v_bool(in->stuck));
        context_put_new(&b, S("variables"), flow_variables(in->state));
        context_put_new(&b, S("waiting"), waiting);
        context_put_new(&b, S("state"), in->state);
        context_put_new(&b, S("records"), list_done(&in->records));
        list_add(&list, context_done(&b));
    }
    ContextBuilder b = context_make(r->arena);
    context_put_new(&b, S("instances"), list_done(&list));
    context_put_new(&b, S("trace"), list_done(&r->trace));
    return context_done(&b);
}

static void result_say(FlowRun *r) {
    for (size_t i = 0; i < r->instances_count; i++) {
        const RunInstance *in = &r->instances[i];
        Str name = arena_printf(r->arena, "#%zu %.*s", i + 1, S_FMT(in->process));
        Str variables = json_to_str(flow_variables(in->state), r->arena);
        if (in->failed) cli_say(T("{1} 因未捕获的错误中止；变量 {2}"), name, variables);
        else if (in->ended) cli_say(T("{1} 已结束；变量 {2}"), name, variables);
        else if (in->stuck) cli_say(T("{1} 停住了：汇合在等不会到达的分支；变量 {2}"), name, variables);
        else cli_say(T("{1} 还在等待；变量 {2}"), name, variables);
    }
}

static Status json_read(Str text, Arena *a, Value *ret, Error *err) {
    *ret = v_null();
    if (!text.len) return OK;
    return json_parse(text, JSON_STRICT, (JsonLimits){0}, a, ret, err);
}

static Status flow_read(Str path, bool drawing, Arena *a, const Flow **ret, Error *err) {
    Str xml;
    Status status = file_read(path, FLOW_SIZE_MAX, a, &xml, err);
    if (status) return status;
    status = drawing ? flow_load_drawing(xml, a, ret, err) : flow_load(xml, a, ret, err);
    if (status) error_at(err, path);
    return status;
}

int cmd_flow_run(int argc, char **argv) {
    Str file, input = S(""), script = S(""), process = S("");
    bool by_itself = false, trace = false, as_json = false;
    const Option options[] = {
        {"--input", "JSON", T("启动时的变量"), &input, NULL},
        {"--script", "FILE", T("依次要做的动作，JSON 列表"), &script, NULL},
        {"--process", "ID", T("启动哪个流程（默认第一个可执行的）"), &process, NULL},
        {"--auto", NULL, T("其余的环节按次序自动办结，计时自动到点"), NULL, &by_itself},
        {"--trace", NULL, T("逐条打印经过"), NULL, &trace},
        {"--json", NULL, T("以 JSON 打印结果和经过"), NULL, &as_json}};
    CommandLine line = {.usage = "yizhan flow run [--input JSON] [--script FILE] [--auto] FILE",
                        .about = T("运行一个流程，打印经过"),
                        .options = options,
                        .options_count = sizeof options / sizeof options[0],
                        .words = &file,
                        .words_max = 1};
    const int code = options_parse(&line, argc, argv);
    if (code != OPTIONS_GO) return code;
    if (!line.words_count) {
        cli_complain(T("请写明流程文件"));
        return EXIT_USAGE;
    }
    ARENA_AUTO a = arena_create(RUN_MEMORY_MAX);
    FlowRun *r = arena_new(a, FlowRun);
    *r = (FlowRun){.arena = a, .now = clock_now(), .trace = list_make(a)};
    r->tell = trace && !as_json;
    Value values, actions = v_null();
    Str text = S("");
    Status status = flow_read(file, false, a, &r->flow, &r->err);
    if (!status) status = json_read(input, a, &values, &r->err);
    if (!status && script.len) status = file_read(script, FLOW_SIZE_MAX, a, &text, &r->err);
    if (!status) status = json_read(text, a, &actions, &r->err);
    if (status) return cli_error(&r->err);
    if (!process.len) process = flow_process(r->flow, v_null());
    status = run_all(r, process, values, actions, by_itself);
    if (as_json) printf("%.*s\n", S_FMT(json_to_str(result_of(r), a)));
    else if (r->instances_count) result_say(r);
    return status ? cli_error(&r->err) : EXIT_DONE;
}

// The state of an instance, alone or as `run --json` prints it.
static void state_find(Value given, Value *ret_state, Value *ret_records) {
    Value one = v_at(v_get_lit(given, "instances"), 0);
    if (one.kind != V_CONTEXT) one = given;
    *ret_state = v_has(one, S("state")) ? v_get_lit(one, "state") : one;
    *ret_records = v_get_lit(one, "records");
}

int cmd_flow_draw(int argc, char **argv) {
    Str file, state_file = S(""), out = S("");
    const Option options[] = {
        {"--state", "FILE", T("画出办到哪里：flow run --json 打印的结果"), &state_file, NULL},
        {"--out", "FILE", T("写入这个文件（默认打印出来）"), &out, NULL}};
    CommandLine line = {.usage = "yizhan flow draw [--state FILE] [--out FILE.svg] FILE",
                        .about = T("画出流程的 SVG 图"),
                        .options = options,
                        .options_count = sizeof options / sizeof options[0],
                        .words = &file,
                        .words_max = 1};
    const int code = options_parse(&line, argc, argv);
    if (code != OPTIONS_GO) return code;
    if (!line.words_count) {
        cli_complain(T("请写明流程文件"));
        return EXIT_USAGE;
    }
    ARENA_AUTO a = arena_create(RUN_MEMORY_MAX);
    Error err;
    const Flow *flow;
    Str text = S(""), svg;
    Value given, state = v_null(), records = v_null();
    Status status = flow_read(file, !state_file.len, a, &flow, &err);
    if (!status && state_file.len) status = file_read(state_file, FLOW_SIZE_MAX, a, &text, &err);
    if (!status) status = json_read(text, a, &given, &err);
    if (!status && given.kind == V_CONTEXT) state_find(given, &state, &records);
    Str lang = cli_english() ? S("en") : S("zh");
    if (!status) status = flow_draw(flow, state, records, lang, a, &svg, &err);
    if (!status && out.len) status = file_write(out, svg, 0644, a, &err);
    else if (!status) (void)fwrite(svg.ptr, 1, svg.len, stdout);
    return status ? cli_error(&err) : EXIT_DONE;
}
