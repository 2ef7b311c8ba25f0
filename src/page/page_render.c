// Rendering: walks a template's steps with a stack of frames (the model, parts' arguments, loops,
// withs). A plain path is looked up through the frames without FEEL; an expression gets the same
// frames as a chain of scopes, built when the first expression in a frame needs it.
#include "page/page_internal.h"

enum {
    FRAMES_MAX = 2 * PAGE_DEPTH_MAX,
    INDEXED_FRAMES = 16,
    // A context of so many members has a table of their places; smaller ones are read through, and
    // so are larger ones.
    INDEX_MEMBERS_MIN = 7,
    INDEX_MEMBERS_MAX = 128,
    INDEX_BITS_SMALL = 6, // up to 32 members
    INDEX_BITS = 8,
};

typedef struct Frame {
    const struct Frame *outer;
    bool loop;
    bool scoped;      // `scope` is up to date
    uint8_t index_bits; // 0: `places` is not made yet
    Value value;      // a context; the item of a loop
    Value list;       // loop
    uint32_t index;   // loop, from 0
    FeelScope scope;  // members of value
    FeelScope special; // item, index, first, last
    Entry entries[4];
    uint8_t *places; // open addressing: a member's position + 1
} Frame;

typedef struct Render {
    PageRun *run;
    Buf *out;
    size_t out_start;
    bool english;
    uint8_t words;    // which of an op's; 2: to be translated now
    uint32_t rounds;  // of all loops
    uint32_t parts;   // nested
    uint32_t frames_count;
    uint8_t places[INDEXED_FRAMES][1 << INDEX_BITS]; // tables of the outer frames
    Frame frames[FRAMES_MAX];
    Frame *frame;
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

static inline uint32_t place_of(uint64_t head, uint64_t tail, uint8_t bits) {
    uint64_t mixed = (head ^ (tail * UINT64_C(0x9E3779B97F4A7C15))) * UINT64_C(0xD6E8FEB86659FD93);
    return (uint32_t)(mixed >> (64 - bits));
}

static void index_members(Frame *f) {
    const Entry *entries = f->value.as.entries;
    uint8_t bits = f->value.len <= 1u << (INDEX_BITS_SMALL - 1) ? INDEX_BITS_SMALL : INDEX_BITS;
    uint32_t mask = (1u << bits) - 1;
    memset(f->places, 0, (size_t)1 << bits);
    for (uint32_t i = 0; i < f->value.len; i++) {
        uint64_t head, tail;
        name_ends(entries[i].key, &head, &tail);
        uint32_t at = place_of(head, tail, bits);
        while (f->places[at]) at = (at + 1) & mask;
        f->places[at] = (uint8_t)(i + 1);
    }
    f->index_bits = bits;
}

static inline const Value *member(Frame *f, const Name *name) {
    if (f->value.kind != V_CONTEXT) return NULL;
    if (!f->places || f->value.len < INDEX_MEMBERS_MIN || f->value.len > INDEX_MEMBERS_MAX)
        return name_member(&f->value, name);
    const Value *hinted = name_hinted(&f->value, name);
    if (hinted) return hinted;
    if (!f->index_bits) index_members(f);
    uint32_t mask = (1u << f->index_bits) - 1;
    for (uint32_t at = place_of(name->head, name->tail, f->index_bits); f->places[at];
         at = (at + 1) & mask) {
        const Entry *e = &f->value.as.entries[f->places[at] - 1];
        if (!name_is(name, e->key)) continue;
        name_found(&f->value, name, &e->value);
        return &e->value;
    }
    return NULL;
}

static Value special(const Frame *f, Special name) {
    switch (name) {
    case SPECIAL_ITEM: return f->value;
    case SPECIAL_INDEX: return v_int((int64_t)f->index + 1);
    case SPECIAL_FIRST: return v_bool(f->index == 0);
    default: return v_bool(f->index + 1 == f->list.len);
    }
}

static inline bool lookup(Render *r, const Name *name, Value *ret) {
    for (Frame *f = r->frame; f; f = (Frame *)f->outer) {
        if (f->loop && name->special) {
            *ret = special(f, (Special)name->special);
            return true;
        }
        const Value *v = member(f, name);
        if (!v) continue;
        *ret = *v;
        return true;
    }
    return false;
}

static bool lookup_in_frames(void *context, const Name *name, Value *ret) {
    return lookup(context, name, ret);
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
        f->entries[i] = (Entry){NAMES[i], special(f, (Special)(SPECIAL_ITEM + i))};
    }
    f->special = (FeelScope){.variables = {.kind = V_CONTEXT, .len = 4, .as.entries = f->entries},
                             .outer = &f->scope};
    return &f->special;
}

static Value evaluate(Render *r, const FeelExpr *e) {
    FeelRun run;
    feel_run_init(&run, r->run->arena, scope_of(r->frame), r->run->now);
    run.functions = r->run->functions;
    run.functions_count = r->run->functions_count;
    return feel_eval(&run, e);
}

static inline Value resolve(Render *r, const Operand *o) {
    Value v;
    if (o->constant) return o->value;
    if (o->path_len == 0) return evaluate(r, o->expr);
    if (!lookup(r, &o->path[0], &v)) {
        // Perhaps a host function or a date's member: FEEL knows.
        return o->path_len == 1 && r->run->functions_count == 0 ? v_null()
                                                                : evaluate(r, o->expr);
    }
    for (uint32_t i = 1; i < o->path_len; i++) {
        const Value *next = name_member(&v, &o->path[i]);
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

static bool if_holds(Render *r, const Op *op) {
    Value v;
    if (op->name && lookup(r, op->name, &v)) return holds(v);
    if (op->more->condition && r->run->functions_count == 0) {
        int is = condition_holds(op->more->condition, lookup_in_frames, r);
        if (is >= 0) return is;
    }
    return holds(resolve(r, &op->more->operand));
}

// ---- steps

static Frame *push(Render *r, const Template *t, const Op *op, Value value) {
    if (r->frames_count == FRAMES_MAX) {
        (void)stop(r, t, op, "模板嵌套过深");
        return NULL;
    }
    uint32_t depth = r->frames_count++;
    Frame *f = &r->frames[depth];
    f->places = depth < INDEXED_FRAMES ? r->places[depth] : NULL;
    f->outer = r->frame;
    f->loop = false;
    f->scoped = false;
    f->index_bits = 0;
    f->value = value;
    r->frame = f;
    return f;
}

static void pop(Render *r) {
    r->frame = (Frame *)r->frame->outer;
    r->frames_count--;
}

static void show_made(Render *r, const Op *op) {
    ArenaMark mark = arena_mark(r->run->arena);
    const char *ptr = r->out->ptr;
    size_t cap = r->out->cap;
    Value v = resolve(r, &op->more->operand);
    if (op->kind == OP_RAW && page_is_raw(v)) buf_str(r->out, v_text(v));
    else page_write(r->out, v, (Format)op->format, r->english, (Escape)op->escape, r->run->arena);
    // What was made only to be printed goes again, unless the output itself had to grow.
    if (r->out->ptr == ptr && r->out->cap == cap && !r->out->full)
        arena_rewind(r->run->arena, mark);
}

static inline void show(Render *r, const Op *op) {
    Value v;
    if (op->name && op->format == FORMAT_PLAIN &&
        lookup(r, op->name, &v) && v.kind == V_STRING) {
        if (op->kind == OP_RAW && page_is_raw(v)) buf_str(r->out, v_text(v));
        else page_write_str(r->out, v_text(v), (Escape)op->escape);
        return;
    }
    show_made(r, op);
}

static void words(Render *r, const Op *op) {
    PageRun *run = r->run;
    const OpMore *more = op->more;
    Words words = r->words < 2 ? more->words[r->words]
                               : words_of(run->translate(run->catalog, more->text),
                                          op->args_count, (Escape)op->escape, run->arena);
    for (uint32_t i = 0; i < words.count; i++) {
        const WordsPiece *piece = &words.pieces[i];
        buf_str(r->out, piece->text);
        if (!piece->arg) continue;
        Value v = resolve(r, &op->more->args[piece->arg - 1]);
        page_write(r->out, v, FORMAT_PLAIN, r->english, (Escape)op->escape, run->arena);
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
    Value list = resolve(r, &op->more->operand);
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
    Frame *f = r->frame;
    if (++f->index >= f->list.len) {
        pop(r);
        return pc + 1;
    }
    f->value = f->list.as.items[f->index];
    f->scoped = false;
    f->index_bits = 0;
    return round_limit(r, t, op) ? op->to + 1 : pc;
}

static void render(Render *r, const Template *t);

static void part(Render *r, const Template *t, const Op *op) {
    if (!op->more->part || r->parts >= PAGE_DEPTH_MAX) {
        (void)stop(r, t, op, op->more->part ? "模板嵌套过深" : "模板还没有连接");
        return;
    }
    if (op->args_count) {
        const Entry *entries = op->more->entries;
        if (!entries) {
            Entry *made = arena_array(r->run->arena, Entry, op->args_count);
            for (uint32_t i = 0; i < op->args_count; i++)
                made[i] = (Entry){op->more->names[i], resolve(r, &op->more->args[i])};
            entries = made;
        }
        Value args = {.kind = V_CONTEXT, .len = op->args_count, .as.entries = entries};
        if (!push(r, t, op, args)) return;
    }
    r->parts++;
    render(r, op->more->part);
    r->parts--;
    if (op->args_count && r->status == OK) pop(r);
}

static void render(Render *r, const Template *t) {
    uint32_t pc = 0;
    while (pc < t->ops_count && r->status == OK) {
        const Op *op = &t->ops[pc];
        if (op->text.len) buf_str(r->out, op->text);
        switch ((OpKind)op->kind) {
        case OP_TEXT: pc++; break;
        case OP_VALUE:
        case OP_RAW: show(r, op); pc++; break;
        case OP_IF: pc = if_holds(r, op) ? pc + 1 : op->to; break;
        case OP_JUMP: pc = op->to; break;
        case OP_LOOP: pc = loop_begin(r, t, op, pc); break;
        case OP_NEXT: pc = loop_next(r, t, op, pc); break;
        case OP_WITH: {
            Value v = resolve(r, &op->more->operand);
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
    bool prepared = t->set->translate && run->translate == t->set->translate &&
                    run->catalog == t->set->catalog;
    r->words = !run->translate ? 0 : prepared ? 1 : 2;
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
