// Rendering: walks a template's steps with a stack of frames (the model, parts' arguments, loops,
// withs). A plain path is looked up through the frames without FEEL; an expression gets the same
// frames as a chain of scopes, built when the first expression in a frame needs it.
#include "page/page_internal.h"

enum { FRAMES_MAX = 2 * PAGE_DEPTH_MAX };

typedef struct Frame {
    const struct Frame *outer;
    bool loop;
    bool scoped;      // `scope` is up to date
    Value value;      // a context; the item of a loop
    Value list;       // loop
    uint32_t index;   // loop, from 0
    FeelScope scope;  // members of value
    FeelScope special; // item, index, first, last
    Entry entries[4];
} Frame;

typedef struct Render {
    PageRun *run;
    Buf *out;
    size_t out_start;
    bool english;
    uint32_t rounds;  // of all loops
    uint32_t parts;   // nested
    uint32_t frames_count;
    Frame frames[FRAMES_MAX];
    const Frame *frame;
    Error *err;
    Status status;
} Render;

static bool stop(Render *r, const Template *t, const Op *op, const char *text) {
    char where[200];
    int n = snprintf(where, sizeof where, "%.*s:%u", S_FMT(t->name), op->line);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof where ? (size_t)n : sizeof where - 1;
    r->status = error_fill(r->err, LIMIT, str_of(where, len), text, (Str[ERROR_ARGS]){{0}});
    return false;
}

// ---- looking up

static inline const Value *member(const Value *context, Str name) {
    if (context->kind != V_CONTEXT) return NULL;
    const Entry *e = context->as.entries, *end = e + context->len;
    for (; e < end; e++)
        if (e->key.len == name.len && memcmp(e->key.ptr, name.ptr, name.len) == 0)
            return &e->value;
    return NULL;
}

static bool special(const Frame *f, Str name, Value *ret) {
    if (str_eq(name, S("item"))) *ret = f->value;
    else if (str_eq(name, S("index"))) *ret = v_int((int64_t)f->index + 1);
    else if (str_eq(name, S("first"))) *ret = v_bool(f->index == 0);
    else if (str_eq(name, S("last"))) *ret = v_bool(f->index + 1 == f->list.len);
    else return false;
    return true;
}

static bool lookup(const Frame *f, Str name, Value *ret) {
    for (; f; f = f->outer) {
        if (f->loop && (name.len == 4 || name.len == 5) && special(f, name, ret)) return true;
        const Value *v = member(&f->value, name);
        if (!v) continue;
        *ret = *v;
        return true;
    }
    return false;
}

static const FeelScope *scope_of(Frame *f) {
    if (!f) return NULL;
    if (f->scoped) return f->loop ? &f->special : &f->scope;
    const FeelScope *outer = scope_of((Frame *)f->outer);
    f->scope = (FeelScope){.variables = f->value, .outer = outer};
    if (f->value.kind != V_CONTEXT) f->scope.variables = v_null();
    f->scoped = true;
    if (!f->loop) return &f->scope;
    static const Str NAMES[] = {S_INIT("item"), S_INIT("index"), S_INIT("first"), S_INIT("last")};
    for (size_t i = 0; i < 4; i++) {
        f->entries[i].key = NAMES[i];
        (void)special(f, NAMES[i], &f->entries[i].value);
    }
    f->special = (FeelScope){.variables = {.kind = V_CONTEXT, .len = 4, .as.entries = f->entries},
                             .outer = &f->scope};
    return &f->special;
}

static Value evaluate(Render *r, const FeelExpr *e) {
    FeelRun run;
    run.arena = r->run->arena;
    run.scope = scope_of((Frame *)r->frame);
    run.functions = r->run->functions;
    run.functions_count = r->run->functions_count;
    run.now = r->run->now;
    run.diagnostics_count = 0;
    run.steps = 0;
    return feel_eval(&run, e);
}

static Value resolve(Render *r, const Operand *o) {
    Value v;
    if (o->path_len == 0) return evaluate(r, o->expr);
    if (!lookup(r->frame, o->path[0], &v)) {
        // Perhaps a host function or a date's member: FEEL knows.
        return o->path_len == 1 && r->run->functions_count == 0 ? v_null()
                                                                : evaluate(r, o->expr);
    }
    for (uint32_t i = 1; i < o->path_len; i++) {
        const Value *next = member(&v, o->path[i]);
        if (!next) return v.kind == V_CONTEXT || v.kind == V_NULL ? v_null() : evaluate(r, o->expr);
        v = *next;
    }
    return v;
}

// Worth showing: not null, false, zero, and not empty.
static bool holds(Value v) {
    switch (v.kind) {
    case V_NULL: return false;
    case V_BOOL: return v.as.boolean;
    case V_NUMBER: return decimal_sign(v.as.number) != 0;
    case V_STRING:
    case V_LIST:
    case V_CONTEXT: return v.len > 0;
    default: return true;
    }
}

// ---- steps

static Frame *push(Render *r, const Template *t, const Op *op, Value value) {
    if (r->frames_count == FRAMES_MAX) {
        (void)stop(r, t, op, "模板嵌套过深");
        return NULL;
    }
    Frame *f = &r->frames[r->frames_count++];
    f->outer = r->frame;
    f->loop = false;
    f->scoped = false;
    f->value = value;
    r->frame = f;
    return f;
}

static void pop(Render *r) {
    r->frame = r->frame->outer;
    r->frames_count--;
}

static void show(Render *r, const Op *op) {
    ArenaMark mark = arena_mark(r->run->arena);
    const char *ptr = r->out->ptr;
    size_t cap = r->out->cap;
    Value v = resolve(r, &op->operand);
    if (op->kind == OP_RAW && page_is_raw(v)) buf_str(r->out, v_text(v));
    else page_write(r->out, v, (Format)op->format, r->english, (Escape)op->escape, r->run->arena);
    // What was made only to be printed goes again, unless the output itself had to grow.
    if (r->out->ptr == ptr && r->out->cap == cap && !r->out->full)
        arena_rewind(r->run->arena, mark);
}

static void words(Render *r, const Op *op) {
    PageRun *run = r->run;
    Str text = run->translate ? run->translate(run->catalog, op->text) : op->text;
    if (op->args_count == 0 && text.ptr == op->text.ptr) {
        buf_str(r->out, op->words);
        return;
    }
    for (size_t i = 0; i < text.len;) {
        size_t brace = i;
        while (brace < text.len && text.ptr[brace] != '{') brace++;
        page_write_str(r->out, str_sub(text, i, brace), (Escape)op->escape);
        if (brace == text.len) break;
        char digit = brace + 2 < text.len && text.ptr[brace + 2] == '}' ? text.ptr[brace + 1] : 0;
        if (digit >= '1' && digit < '1' + op->args_count) {
            Value v = resolve(r, &op->args[digit - '1']);
            page_write(r->out, v, FORMAT_PLAIN, r->english, (Escape)op->escape, run->arena);
            i = brace + 3;
        } else {
            page_write_str(r->out, str_sub(text, brace, brace + 1), (Escape)op->escape);
            i = brace + 1;
        }
    }
}

static bool round_limit(Render *r, const Template *t, const Op *op) {
    if (++r->rounds > PAGE_LOOP_MAX) return stop(r, t, op, "循环次数超过上限");
    if (r->out->full || r->out->len - r->out_start > PAGE_OUTPUT_MAX)
        return stop(r, t, op, "页面过大");
    return true;
}

// The next step to do.
static uint32_t loop_begin(Render *r, const Template *t, const Op *op, uint32_t pc) {
    Value list = resolve(r, &op->operand);
    if (list.kind != V_LIST && list.kind != V_NULL) { // a single value is a list of one
        Value *one = arena_new(r->run->arena, Value);
        *one = list;
        list = (Value){.kind = V_LIST, .len = 1, .as.items = one};
    }
    if (list.kind == V_NULL || list.len == 0) return op->to;
    if (!round_limit(r, t, op)) return pc;
    Frame *f = push(r, t, op, list.as.items[0]);
    if (!f) return pc;
    f->loop = true;
    f->list = list;
    f->index = 0;
    return pc + 1;
}

static uint32_t loop_next(Render *r, const Template *t, const Op *op, uint32_t pc) {
    Frame *f = (Frame *)r->frame;
    if (++f->index >= f->list.len) {
        pop(r);
        return pc + 1;
    }
    f->value = f->list.as.items[f->index];
    f->scoped = false;
    return round_limit(r, t, op) ? op->to + 1 : pc;
}

static void render(Render *r, const Template *t);

static void part(Render *r, const Template *t, const Op *op) {
    if (!op->part || r->parts >= PAGE_DEPTH_MAX) {
        (void)stop(r, t, op, op->part ? "模板嵌套过深" : "模板还没有连接");
        return;
    }
    if (op->args_count) {
        Entry *entries = arena_array(r->run->arena, Entry, op->args_count);
        for (uint32_t i = 0; i < op->args_count; i++)
            entries[i] = (Entry){op->names[i], resolve(r, &op->args[i])};
        Value args = {.kind = V_CONTEXT, .len = op->args_count, .as.entries = entries};
        if (!push(r, t, op, args)) return;
    }
    r->parts++;
    render(r, op->part);
    r->parts--;
    if (op->args_count && r->status == OK) pop(r);
}

static void render(Render *r, const Template *t) {
    uint32_t pc = 0;
    while (pc < t->ops_count && r->status == OK) {
        const Op *op = &t->ops[pc];
        switch ((OpKind)op->kind) {
        case OP_TEXT: buf_str(r->out, op->text); pc++; break;
        case OP_VALUE:
        case OP_RAW: show(r, op); pc++; break;
        case OP_IF: pc = holds(resolve(r, &op->operand)) ? pc + 1 : op->to; break;
        case OP_JUMP: pc = op->to; break;
        case OP_LOOP: pc = loop_begin(r, t, op, pc); break;
        case OP_NEXT: pc = loop_next(r, t, op, pc); break;
        case OP_WITH: {
            Value v = resolve(r, &op->operand);
            if (v.kind != V_CONTEXT) pc = op->to; // nothing to show
            else if (push(r, t, op, v)) pc++;
            break;
        }
        case OP_LEAVE: pop(r); pc++; break;
        case OP_PART: part(r, t, op); pc++; break;
        case OP_WORDS: words(r, op); pc++; break;
        }
    }
}

Status page_render(PageRun *run, const Template *t, Buf *out, Error *err) {
    Render *r = arena_alloc_raw(run->arena, sizeof *r); // frames are filled when pushed
    r->run = run;
    r->out = out;
    r->out_start = out->len;
    r->english = str_eq(run->lang, S("en"));
    r->rounds = r->parts = r->frames_count = 0;
    r->frame = NULL;
    r->err = err;
    r->status = OK;
    Op top = {.line = 1};
    if (push(r, t, &top, run->model)) render(r, t);
    if (r->status == OK && (out->full || out->len - r->out_start > PAGE_OUTPUT_MAX))
        (void)stop(r, t, &top, "页面过大");
    return r->status;
}
