// Proving a draft: the pack's own checks, what only the database knows, the examples. Everything
// runs in an arena of its own, so that a draft that takes too much memory is a refusal.
//
// A place of a fault is "file", "file:line", "file:line:column", "file:element" or "file:path";
// studio_findings takes it apart for the list beside the drawing.
#include "case/studio_flow.h"
#include "case/studio_internal.h"

typedef struct Proof {
    Arena *work;
    Value files;
    Item item;
    Errors *errs;
} Proof;

// Compiles into p->work. `run` gets the compiled item; LIMIT when the memory was passed.
static Status proof_within(Proof *p, Status (*run)(Proof *, void *), void *arg) {
    jmp_buf full;
    if (setjmp(full)) {
        (void)arena_on_limit(p->work, NULL);
        return errors_add(p->errs, LIMIT, S("."), "事项包占用内存过多");
    }
    (void)arena_on_limit(p->work, &full);
    Status st = pack_compile(p->files, p->work, &p->item, p->errs);
    if (st == OK) st = run(p, arg);
    (void)arena_on_limit(p->work, NULL);
    return st;
}

typedef struct ProveArg {
    Db *db;
    Str code;
    Instant now;
    bool examples;
} ProveArg;

static Status prove_run(Proof *p, void *arg) {
    const ProveArg *v = arg;
    int64_t unit = 0;
    Value report;
    size_t before = p->errs->count;
    if (!str_eq(p->item.code, v->code)) {
        (void)errors_add(p->errs, INVALID, S("item.json:code"), "事项编码不能改，应为“{1}”", v->code);
    }
    Status st = item_database_check(v->db, &p->item, S(""), p->work, &unit, p->errs);
    if (st == OK) st = item_parts_check(v->db, &p->item, p->work, p->errs);
    if (st == OK) st = pack_faults_since(p->errs, before);
    if (st != OK || !v->examples) return st;
    return pack_examples(&p->item, p->files, v->now, p->work, &report, p->errs);
}

Status studio_prove(Db *db, Str code, Value files, Instant now, Errors *errs) {
    ARENA_AUTO work = arena_create(STUDIO_MEMORY_MAX);
    Proof p = {.work = work, .files = files, .errs = errs};
    ProveArg arg = {.db = db, .code = code, .now = now, .examples = true};
    return proof_within(&p, prove_run, &arg);
}

// ---- as a list ----

static bool all_digits(Str s) {
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
    }
    return s.len > 0;
}

static Value finding_of(const Error *e, Arena *a) {
    Str rest = arena_str(a, e->where);
    Str file = str_cut(&rest, ':'), element = S("");
    int64_t row = 0;
    if (rest.ptr) {
        Str first = rest, tail = str_cut(&first, ':');
        if (!all_digits(tail) || !str_to_int(tail, &row)) {
            row = 0;
            element = rest;
        }
    }
    ListBuilder args = list_make(a);
    for (size_t i = 0; i < ERROR_ARGS; i++) list_add(&args, v_str(arena_str(a, e->args[i])));
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "severity", v_lit("error"));
    context_put_lit(&b, "file", v_str(file));
    context_put_lit(&b, "row", v_int(row));
    context_put_lit(&b, "element", v_str(element));
    context_put_lit(&b, "text", v_str(str_z(e->text)));
    context_put_lit(&b, "args", list_done(&args));
    return context_done(&b);
}

// A finding of a decision model's own check (dmn_check).
static Value finding_made(Value f, bool error, Str file, Arena *a) {
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "severity", error ? v_lit("error") : v_lit("warning"));
    context_put_lit(&b, "file", v_str(file));
    context_put_lit(&b, "row", v_int(v_to_int(v_get_lit(f, "line"), 0)));
    context_put_lit(&b, "element", v_copy(v_get_lit(f, "element"), a));
    context_put_lit(&b, "text", v_copy(v_get_lit(f, "template"), a));
    context_put_lit(&b, "args", v_copy(v_get_lit(f, "args"), a));
    return context_done(&b);
}

typedef struct Own {
    Value files;
    Arena *work, *out;
    ListBuilder list;
    bool flow, guide, rules; // has errors of its own check: the loader's first one says no more
} Own;

static bool own_flow(Own *o) {
    Str xml = v_text(v_get_lit(o->files, "flow.bpmn"));
    Value found;
    bool errors = false;
    Error e = {.status = OK};
    if (xml.len == 0 ||
        studio_flow_findings(xml, o->work, o->out, &found, &errors, &e) != OK) {
        return false;
    }
    for (uint32_t i = 0; i < found.len; i++) list_add(&o->list, v_at(found, i));
    return errors;
}

static bool own_rules(Own *o, Str file) {
    Str xml = v_text(v_get(o->files, file));
    Value found;
    Error e = {.status = OK};
    bool errors = false;
    if (xml.len == 0 || dmn_check(xml, o->work, &found, &e) != OK) return false;
    for (uint32_t i = 0; i < found.len; i++) {
        Value f = v_at(found, i);
        bool error = str_eq(v_text(v_get_lit(f, "severity")), S("error"));
        errors = errors || error;
        list_add(&o->list, finding_made(f, error, file, o->out));
    }
    return errors;
}

// The checks of the drawings themselves, which find everything where loading stops at the first.
static bool own_checks(Own *o) {
    jmp_buf full;
    if (setjmp(full)) {
        (void)arena_on_limit(o->work, NULL);
        return false;
    }
    (void)arena_on_limit(o->work, &full);
    o->flow = own_flow(o);
    o->guide = own_rules(o, S("guide.dmn"));
    o->rules = own_rules(o, S("rules.dmn"));
    (void)arena_on_limit(o->work, NULL);
    return true;
}

static bool told_already(const Own *o, Str where) {
    return (o->flow && str_starts(where, S("flow.bpmn"))) ||
           (o->guide && str_starts(where, S("guide.dmn"))) ||
           (o->rules && str_starts(where, S("rules.dmn")));
}

Status studio_findings(Db *db, Str code, Value files, Arena *a, Value *ret, Error *err) {
    ARENA_AUTO work = arena_create(STUDIO_MEMORY_MAX);
    ARENA_AUTO drawn = arena_create(STUDIO_MEMORY_MAX);
    Errors errs = errors_make(a);
    Proof p = {.work = work, .files = files, .errs = &errs};
    ProveArg arg = {.db = db, .code = code};
    Status st = proof_within(&p, prove_run, &arg);
    if (st == BUSY || st == BROKEN) { // the database, not the draft
        if (errs.count) error_copy(err, &errs.items[0]);
        return st;
    }
    Own own = {.files = files, .work = drawn, .out = a, .list = list_make(a)};
    if (!own_checks(&own)) own.flow = own.guide = own.rules = false;
    ListBuilder list = list_make(a);
    for (size_t i = 0; i < errs.count; i++) {
        if (told_already(&own, errs.items[i].where)) continue;
        list_add(&list, finding_of(&errs.items[i], a));
    }
    for (int errors_first = 1; errors_first >= 0; errors_first--) {
        for (uint32_t i = 0; i < own.list.len; i++) {
            bool error = str_eq(v_text(v_get_lit(own.list.items[i], "severity")), S("error"));
            if (error == (errors_first == 1)) list_add(&list, own.list.items[i]);
        }
    }
    *ret = list_done(&list);
    return OK;
}

// ---- examples ----

typedef struct ExamplesArg {
    Instant now;
    Arena *out;
    Value report;
    bool compiled;
} ExamplesArg;

static Status examples_run(Proof *p, void *arg) {
    ExamplesArg *x = arg;
    Value report = v_null();
    x->compiled = true;
    Status st = pack_examples(&p->item, p->files, x->now, p->work, &report, p->errs);
    x->report = v_copy(report, x->out);
    return st;
}

Status studio_examples(Value files, Instant now, Arena *a, Value *ret, bool *compiled) {
    ARENA_AUTO work = arena_create(STUDIO_MEMORY_MAX);
    Errors errs = errors_make(a);
    Proof p = {.work = work, .files = files, .errs = &errs};
    ExamplesArg arg = {.now = now, .out = a, .report = v_null()};
    Status st = proof_within(&p, examples_run, &arg);
    *compiled = arg.compiled;
    *ret = arg.report;
    return st == INVALID || st == CONFLICT ? OK : st; // what failed stands in the report
}
