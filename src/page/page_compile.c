// From the text of a template to a flat list of steps. One pass: static text goes through the HTML
// tokenizer (page_html.c), each {{…}} becomes a step escaped for the place the tokenizer is at.
// All branches of a condition must end in the same place, a loop where it began; so escaping is
// known here and never decided while rendering.
#include "page/page_internal.h"

typedef enum BlockKind { BLOCK_IF, BLOCK_LOOP, BLOCK_WITH } BlockKind;

typedef struct Block {
    BlockKind kind;
    uint32_t op;      // the IF whose `to` is open (UINT32_MAX when closed by else), LOOP, WITH
    uint32_t first;   // index of LOOP or WITH
    uint32_t jumps;   // chain of JUMPs to the end, linked by `to`; UINT32_MAX: none
    bool has_else;
    uint32_t line;
    Html start, end;  // where it began; where its first branch ended
    bool branch_ended;
} Block;

typedef struct Compiler {
    TemplateSet *set;
    Template *t;
    Arena *arena;
    Str source;
    size_t at;
    uint32_t line;
    Op *ops;
    uint32_t count, cap;
    Html html;
    Block blocks[PAGE_DEPTH_MAX];
    uint32_t depth;
    Error *err;
    Status status;
} Compiler;

enum { NONE = UINT32_MAX };

static bool refuse(Compiler *c, Status status, const char *text, Str arg) {
    if (c->status != OK) return false;
    Str where = arena_printf(c->arena, "%.*s:%u", S_FMT(c->t->name), c->line);
    c->status = error_fill(c->err, status, where, text, (Str[ERROR_ARGS]){arg});
    return false;
}

static Op *add_op(Compiler *c, OpKind kind) {
    if (c->count == PAGE_OPS_MAX) {
        (void)refuse(c, LIMIT, "模板过大", S(""));
        return &c->ops[c->count - 1];
    }
    if (c->count == c->cap) {
        uint32_t cap = c->cap ? c->cap * 2 : 32;
        Op *ops = arena_array(c->arena, Op, cap);
        if (c->count) memcpy(ops, c->ops, c->count * sizeof *ops);
        c->ops = ops;
        c->cap = cap;
    }
    Op *op = &c->ops[c->count++];
    *op = (Op){.kind = (uint8_t)kind, .line = c->line, .to = NONE};
    bool plain = kind == OP_TEXT || kind == OP_JUMP || kind == OP_NEXT || kind == OP_LEAVE;
    if (!plain) op->more = arena_new(c->arena, OpMore);
    return op;
}

static void set_operand(Op *op, const Operand *operand) {
    op->more->operand = *operand;
    if (operand->path_len == 1) op->name = operand->path;
}

static bool is_html(const Compiler *c) { return c->t->kind == PAGE_HTML; }

// ---- expressions

static bool operand_of(Compiler *c, Str text, Operand *ret) {
    text = str_trim(text);
    const FeelExpr *e;
    Error err = {0};
    if (feel_parse(text, NULL, 0, c->arena, &e, &err) != OK) {
        Str said = error_message(&err, NULL, NULL, c->arena);
        Str what = arena_printf(c->arena, "{{%.*s}}：%.*s", (int)(text.len < 60 ? text.len : 60),
                                text.ptr ? text.ptr : "", S_FMT(said));
        return refuse(c, INVALID, "{1}", what);
    }
    Str path[PAGE_PATH_MAX];
    size_t n = feel_as_path(e, path, PAGE_PATH_MAX);
    Operand operand = {.expr = e, .path_len = (uint32_t)n};
    Name *names = n ? arena_array(c->arena, Name, n) : NULL;
    for (size_t i = 0; i < n; i++) names[i] = name_make(path[i], c->arena);
    operand.path = names;
    if (!n) operand.constant = operand_constant(text, c->arena, &operand.value);
    *ret = operand;
    return true;
}

// Calls at the top level of an expression: not within quotes or brackets. Returns the index of
// the first `sep`, or -1.
static ptrdiff_t find_top(Str s, char sep, bool last) {
    int depth = 0;
    ptrdiff_t found = -1;
    for (size_t i = 0; i < s.len; i++) {
        char ch = s.ptr[i];
        if (ch == '"') {
            for (i++; i < s.len && s.ptr[i] != '"'; i++)
                if (s.ptr[i] == '\\') i++;
        } else if (ch == '(' || ch == '[' || ch == '{') {
            depth++;
        } else if (ch == ')' || ch == ']' || ch == '}') {
            depth--;
        } else if (ch == sep && depth == 0) {
            found = (ptrdiff_t)i;
            if (!last) return found;
        }
    }
    return found;
}

static bool format_of(Compiler *c, Str name, Format *ret) {
    static const char *const NAMES[] = {"", "date", "time", "money", "wan", "int", "json",
                                        "percent", "longdate"};
    for (size_t i = 1; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (!str_eq(name, str_z(NAMES[i]))) continue;
        *ret = (Format)i;
        return true;
    }
    return refuse(c, INVALID, "没有名为“{1}”的格式", name);
}

static bool hole(Compiler *c, Escape *ret) {
    *ret = ESCAPE_NONE;
    if (!is_html(c)) return true;
    const char *why = html_hole(&c->html, ret);
    return why ? refuse(c, INVALID, why, S("")) : true;
}

static bool compile_value(Compiler *c, Str inner, bool raw) {
    Format format = FORMAT_PLAIN;
    Escape escape;
    Operand operand;
    ptrdiff_t bar = raw ? -1 : find_top(inner, '|', true);
    Str expr = bar < 0 ? inner : str_sub(inner, 0, (size_t)bar);
    if (bar >= 0 && !format_of(c, str_trim(str_sub(inner, (size_t)bar + 1, inner.len)), &format))
        return false;
    if (raw && is_html(c) && c->html.state != H_TEXT)
        return refuse(c, INVALID, "{{{ }}} 只能用在正文里", S(""));
    if (!hole(c, &escape) || !operand_of(c, expr, &operand)) return false;
    Op *op = add_op(c, raw ? OP_RAW : OP_VALUE);
    set_operand(op, &operand);
    op->escape = (uint8_t)escape;
    op->format = (uint8_t)format;
    return true;
}

// Cuts a text at the places of its arguments, {1} … {9}; what names no argument stays.
Words words_of(Str text, uint32_t args, Escape escape, Arena *a) {
    WordsPiece *pieces = arena_array(a, WordsPiece, args ? text.len / 3 + 2 : 1);
    Words words = {.pieces = pieces};
    for (size_t from = 0, at = 0; from <= text.len; at++) {
        bool end = at >= text.len, place = !end && at + 2 < text.len && text.ptr[at] == '{' &&
                                          text.ptr[at + 2] == '}' && text.ptr[at + 1] >= '1' &&
                                          text.ptr[at + 1] < (char)('1' + args);
        if (!end && !place) continue;
        Buf piece = buf_make(a, at - from + 16, PAGE_SOURCE_MAX * 6);
        page_write_str(&piece, str_sub(text, from, at), escape);
        pieces[words.count++] = (WordsPiece){.text = buf_view(&piece),
                                             .arg = place ? (uint32_t)(text.ptr[at + 1] - '0') : 0};
        if (end) break;
        from = at + 3;
        at += 2;
    }
    return words;
}

// {{_ text | a; b}}
static bool compile_words(Compiler *c, Str inner) {
    Escape escape;
    ptrdiff_t bar = str_find(inner, S("|"));
    Str text = str_trim(bar < 0 ? inner : str_sub(inner, 0, (size_t)bar));
    Str rest = bar < 0 ? (Str){NULL, 0} : str_sub(inner, (size_t)bar + 1, inner.len);
    Operand args[ERROR_ARGS];
    uint32_t count = 0;
    if (text.len == 0) return refuse(c, INVALID, "{{_ }} 里没有文字", S(""));
    if (!hole(c, &escape)) return false;
    while (rest.ptr) {
        ptrdiff_t end = find_top(rest, ';', false);
        Str arg = end < 0 ? rest : str_sub(rest, 0, (size_t)end);
        if (count == ERROR_ARGS) return refuse(c, INVALID, "翻译文字最多有三个参数", S(""));
        if (!operand_of(c, arg, &args[count++])) return false;
        rest = end < 0 ? (Str){NULL, 0} : str_sub(rest, (size_t)end + 1, rest.len);
    }
    Op *op = add_op(c, OP_WORDS);
    op->more->text = text;
    op->escape = (uint8_t)escape;
    op->args_count = (uint8_t)count;
    Operand *kept = arena_array(c->arena, Operand, count);
    if (count) memcpy(kept, args, count * sizeof *args);
    op->more->args = kept;
    op->more->words[0] = words_of(text, count, escape, c->arena);
    return true;
}

// ---- parts

static bool name_char(char ch) {
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
           ch == '_' || ch == '-' || ch == '/' || ch == '.' || (unsigned char)ch >= 0x80;
}

// Length of "name=" at the start of s (not "name==" …), 0 when there is none.
static size_t arg_label(Str s) {
    size_t i = 0;
    while (i < s.len && name_char(s.ptr[i])) i++;
    return i > 0 && i < s.len && s.ptr[i] == '=' ? i + 1 : 0;
}

// Where the expression of one argument ends: before a blank followed by the next "name=".
static size_t arg_end(Str s) {
    int depth = 0;
    for (size_t i = 0; i < s.len; i++) {
        char ch = s.ptr[i];
        if (ch == '"') {
            for (i++; i < s.len && s.ptr[i] != '"'; i++)
                if (s.ptr[i] == '\\') i++;
        } else if (ch == '(' || ch == '[' || ch == '{') {
            depth++;
        } else if (ch == ')' || ch == ']' || ch == '}') {
            depth--;
        } else if (depth == 0 && (ch == ' ' || ch == '\n' || ch == '\t') &&
                   arg_label(str_sub(s, i + 1, s.len))) {
            return i;
        }
    }
    return s.len;
}

// The frame of a part that is always given the same: made once. NULL when it is not so.
static const Entry *constant_arguments(Arena *a, const Operand *args, const Str *names,
                                       uint32_t count) {
    Entry *entries = arena_array(a, Entry, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!args[i].constant) return NULL;
        entries[i] = (Entry){names[i], args[i].value};
    }
    return entries;
}

static bool compile_part(Compiler *c, Str inner) {
    inner = str_trim(inner);
    size_t end = 0;
    while (end < inner.len && name_char(inner.ptr[end])) end++;
    if (end == 0) return refuse(c, INVALID, "{{> }} 缺少模板名称", S(""));
    if (is_html(c) && c->html.state != H_TEXT)
        return refuse(c, INVALID, "另一个模板只能放在正文里", S(""));
    Str names[PAGE_ARGS_MAX];
    Operand args[PAGE_ARGS_MAX];
    uint32_t count = 0;
    Str rest = str_trim(str_sub(inner, end, inner.len));
    while (rest.len) {
        size_t label = arg_label(rest);
        if (!label) return refuse(c, INVALID, "这里应为“名称=表达式”", S(""));
        if (count == PAGE_ARGS_MAX) return refuse(c, LIMIT, "参数过多", S(""));
        names[count] = str_sub(rest, 0, label - 1);
        rest = str_sub(rest, label, rest.len);
        size_t stop = arg_end(rest);
        if (!operand_of(c, str_sub(rest, 0, stop), &args[count++])) return false;
        rest = str_trim(str_sub(rest, stop, rest.len));
    }
    Op *op = add_op(c, OP_PART);
    op->more->text = str_sub(inner, 0, end);
    op->args_count = (uint8_t)count;
    Operand *kept = arena_array(c->arena, Operand, count);
    Str *kept_names = arena_array(c->arena, Str, count);
    if (count) {
        memcpy(kept, args, count * sizeof *args);
        memcpy(kept_names, names, count * sizeof *names);
    }
    op->more->args = kept;
    op->more->names = kept_names;
    op->more->entries = constant_arguments(c->arena, kept, kept_names, count);
    return true;
}

// ---- blocks

static bool block_place(Compiler *c) {
    const char *why = is_html(c) ? html_block(&c->html) : NULL;
    return why ? refuse(c, INVALID, why, S("")) : true;
}

static bool open_block(Compiler *c, BlockKind kind, OpKind op_kind, Str expr) {
    Operand operand;
    if (c->depth == PAGE_DEPTH_MAX) return refuse(c, LIMIT, "嵌套过深", S(""));
    if (!block_place(c) || !operand_of(c, expr, &operand)) return false;
    Op *op = add_op(c, op_kind);
    set_operand(op, &operand);
    if (op_kind == OP_IF) op->more->condition = condition_of(expr, c->arena);
    c->blocks[c->depth++] = (Block){.kind = kind, .op = c->count - 1, .first = c->count - 1,
                                    .jumps = NONE, .line = c->line, .start = c->html};
    return true;
}

// The end of one branch: it must stand where the others ended.
static bool end_branch(Compiler *c, Block *b) {
    if (!block_place(c)) return false;
    if (!is_html(c)) return true;
    if (b->branch_ended && !html_same(&b->end, &c->html))
        return refuse(c, INVALID, "条件的各个分支应在同样的位置结束（标签、引号要成对）", S(""));
    if (b->kind == BLOCK_LOOP && !html_same(&b->start, &c->html))
        return refuse(c, INVALID, "循环应在开始的位置结束（标签、引号要成对）", S(""));
    c->html.glued = c->html.glued || b->end.glued || b->start.glued;
    b->end = c->html;
    b->branch_ended = true;
    return true;
}

static void jump_to_end(Compiler *c, Block *b) {
    Op *jump = add_op(c, OP_JUMP);
    jump->to = b->jumps;
    b->jumps = c->count - 1;
}

static bool compile_else(Compiler *c, Str condition) {
    Block *b = c->depth ? &c->blocks[c->depth - 1] : NULL;
    if (!b || b->kind == BLOCK_WITH || b->has_else)
        return refuse(c, INVALID, "{{else}} 没有对应的 {{#if}} 或 {{#loop}}", S(""));
    if (!end_branch(c, b)) return false;
    if (b->kind == BLOCK_LOOP) {
        if (condition.len) return refuse(c, INVALID, "循环的 {{else}} 没有条件", S(""));
        Op *next = add_op(c, OP_NEXT);
        next->to = b->first;
        jump_to_end(c, b);
    } else {
        jump_to_end(c, b);
    }
    c->ops[b->op].to = c->count;
    c->html = b->start;
    b->has_else = condition.len == 0;
    b->op = NONE;
    if (condition.len == 0) return true;
    Operand operand;
    if (!operand_of(c, condition, &operand)) return false;
    Op *op = add_op(c, OP_IF);
    set_operand(op, &operand);
    op->more->condition = condition_of(condition, c->arena);
    b->op = c->count - 1;
    return true;
}

static bool close_block(Compiler *c, BlockKind kind) {
    Block *b = c->depth ? &c->blocks[c->depth - 1] : NULL;
    if (!b || b->kind != kind)
        return refuse(c, INVALID, "没有对应的开始标记，或者开始与结束交错", S(""));
    if (!end_branch(c, b)) return false;
    if (kind == BLOCK_WITH) {
        (void)add_op(c, OP_LEAVE);
        if (is_html(c) && !html_same(&b->start, &c->html))
            return refuse(c, INVALID, "{{#with}} 应在开始的位置结束", S(""));
    }
    if (kind == BLOCK_LOOP && !b->has_else) {
        Op *next = add_op(c, OP_NEXT);
        next->to = b->first;
    }
    // An if without else shows nothing when it is not true: that branch ends where it began.
    if (kind == BLOCK_IF && !b->has_else && is_html(c) && !html_same(&b->start, &c->html))
        return refuse(c, INVALID, "条件的各个分支应在同样的位置结束（标签、引号要成对）", S(""));
    if (b->op != NONE) c->ops[b->op].to = c->count;
    if (kind == BLOCK_WITH) c->ops[b->first].to = c->count;
    for (uint32_t j = b->jumps; j != NONE;) {
        uint32_t next = c->ops[j].to;
        c->ops[j].to = c->count;
        j = next;
    }
    c->depth--;
    return true;
}

// ---- text

static void add_text(Compiler *c, Str text) {
    if (text.len == 0) return;
    const char *why = NULL;
    if (is_html(c)) html_text(&c->html, text, &why);
    if (why) {
        (void)refuse(c, INVALID, why, S(""));
        return;
    }
    Op *op = add_op(c, OP_TEXT);
    op->text = text;
}

static bool keyword(Str inner, const char *word, Str *rest) {
    Str w = str_z(word);
    if (!str_starts(inner, w)) return false;
    *rest = str_sub(inner, w.len, inner.len);
    return rest->len == 0 || rest->ptr[0] == ' ' || rest->ptr[0] == '\t' || rest->ptr[0] == '\n' ||
           rest->ptr[0] == '\r';
}

static bool compile_tag(Compiler *c, Str inner) {
    Str rest;
    if (str_starts(inner, S("!"))) return true;
    if (str_starts(inner, S("_"))) return compile_words(c, str_sub(inner, 1, inner.len));
    if (str_starts(inner, S(">"))) return compile_part(c, str_sub(inner, 1, inner.len));
    if (keyword(inner, "#if", &rest)) return open_block(c, BLOCK_IF, OP_IF, rest);
    if (keyword(inner, "#loop", &rest)) return open_block(c, BLOCK_LOOP, OP_LOOP, rest);
    if (keyword(inner, "#with", &rest)) return open_block(c, BLOCK_WITH, OP_WITH, rest);
    if (keyword(inner, "else if", &rest)) return compile_else(c, str_trim(rest));
    if (str_eq(str_trim(inner), S("else"))) return compile_else(c, S(""));
    if (str_eq(inner, S("/if"))) return close_block(c, BLOCK_IF);
    if (str_eq(inner, S("/loop"))) return close_block(c, BLOCK_LOOP);
    if (str_eq(inner, S("/with"))) return close_block(c, BLOCK_WITH);
    if (str_starts(inner, S("#")) || str_starts(inner, S("/")))
        return refuse(c, INVALID, "不认识的标记“{1}”", inner);
    return compile_value(c, inner, false);
}

// Does the tag show nothing itself? Then a line that holds only it goes away whole.
static bool silent(Str inner) {
    return inner.len > 0 && (strchr("!#/>", inner.ptr[0]) || str_starts(inner, S("else")));
}

// The end of "}}" that closes the tag beginning at `from`, braces of contexts and quotes skipped.
static ptrdiff_t tag_end(Str s, size_t from) {
    int depth = 0;
    if (from < s.len && (s.ptr[from] == '!' || s.ptr[from] == '_')) {
        ptrdiff_t end = str_find(str_sub(s, from, s.len), S("}}"));
        if (s.ptr[from] == '!') return end < 0 ? -1 : (ptrdiff_t)from + end;
        // translated text: {1} stands in it
        for (size_t i = from; i + 1 < s.len; i++) {
            if (s.ptr[i] == '{') depth++;
            else if (s.ptr[i] == '}' && depth > 0) depth--;
            else if (s.ptr[i] == '}' && s.ptr[i + 1] == '}') return (ptrdiff_t)i;
        }
        return -1;
    }
    for (size_t i = from; i < s.len; i++) {
        char ch = s.ptr[i];
        if (ch == '"') {
            for (i++; i < s.len && s.ptr[i] != '"'; i++)
                if (s.ptr[i] == '\\') i++;
        } else if (ch == '{') {
            depth++;
        } else if (ch == '}' && depth > 0) {
            depth--;
        } else if (ch == '}' && i + 1 < s.len && s.ptr[i + 1] == '}') {
            return (ptrdiff_t)i;
        }
    }
    return -1;
}

static void count_lines(Compiler *c, Str passed) {
    for (size_t i = 0; i < passed.len; i++)
        if (passed.ptr[i] == '\n') c->line++;
}

static size_t blanks_before(Str s, size_t at) { // start of the line if only blanks stand before
    size_t i = at;
    while (i > 0 && (s.ptr[i - 1] == ' ' || s.ptr[i - 1] == '\t')) i--;
    return i == 0 || s.ptr[i - 1] == '\n' ? i : at + 1;
}

static size_t blanks_behind(Str s, size_t at) { // behind the line's end if only blanks follow
    size_t i = at;
    while (i < s.len && (s.ptr[i] == ' ' || s.ptr[i] == '\t' || s.ptr[i] == '\r')) i++;
    if (i == s.len) return i;
    return s.ptr[i] == '\n' ? i + 1 : SIZE_MAX;
}

static bool next_tag(Compiler *c) {
    Str s = c->source;
    ptrdiff_t found = str_find(str_sub(s, c->at, s.len), S("{{"));
    if (found < 0) {
        add_text(c, str_sub(s, c->at, s.len));
        c->at = s.len;
        return c->status == OK;
    }
    size_t open = c->at + (size_t)found, from = open + 2;
    bool raw = from < s.len && s.ptr[from] == '{';
    if (raw) from++;
    ptrdiff_t close = tag_end(s, from);
    if (close < 0 || (raw && ((size_t)close + 2 >= s.len || s.ptr[close + 2] != '}'))) {
        count_lines(c, str_sub(s, c->at, open));
        return refuse(c, INVALID, "{{ 没有结束，请补上 }}", S(""));
    }
    Str inner = str_trim(str_sub(s, from, (size_t)close));
    size_t behind = (size_t)close + (raw ? 3 : 2), text_end = open;
    if (!raw && silent(inner)) {
        size_t line_start = blanks_before(s, open), line_end = blanks_behind(s, behind);
        if (line_start <= open && line_start >= c->at && line_end != SIZE_MAX) {
            text_end = line_start;
            count_lines(c, str_sub(s, c->at, text_end));
            add_text(c, str_sub(s, c->at, text_end));
            if (c->status == OK) (void)compile_tag(c, inner);
            count_lines(c, str_sub(s, text_end, line_end));
            c->at = line_end;
            return c->status == OK;
        }
    }
    count_lines(c, str_sub(s, c->at, open));
    add_text(c, str_sub(s, c->at, text_end));
    if (c->status == OK) (void)(raw ? compile_value(c, inner, true) : compile_tag(c, inner));
    count_lines(c, str_sub(s, open, behind));
    c->at = behind;
    return c->status == OK;
}

static bool jumps(const Op *op) {
    return op->kind == OP_IF || op->kind == OP_JUMP || op->kind == OP_LOOP || op->kind == OP_WITH;
}

// A text that is only ever followed by one step is written by that step: half as many to walk.
static void join_texts(Compiler *c) {
    bool *reached = arena_array(c->arena, bool, c->count + 1); // by a jump
    uint32_t *places = arena_array(c->arena, uint32_t, c->count + 1), kept = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        if (jumps(&c->ops[i])) reached[c->ops[i].to] = true;
        if (c->ops[i].kind == OP_LOOP) reached[i + 1] = true; // from the loop's end
    }
    for (uint32_t i = 0; i < c->count; i++) {
        bool joins = c->ops[i].kind == OP_TEXT && i + 1 < c->count &&
                     c->ops[i + 1].kind != OP_TEXT && !reached[i + 1];
        places[i] = kept;
        if (joins) c->ops[i + 1].text = c->ops[i].text;
        else c->ops[kept++] = c->ops[i];
    }
    places[c->count] = kept;
    for (uint32_t i = 0; i < kept; i++) {
        Op *op = &c->ops[i];
        if (jumps(op) || op->kind == OP_NEXT) op->to = places[op->to];
    }
    c->count = kept;
}

Status page_compile(TemplateSet *set, Template *t, Str source, Error *err) {
    Compiler *c = arena_new(set->arena, Compiler);
    *c = (Compiler){.set = set, .t = t, .arena = set->arena, .line = 1, .err = err};
    if (source.len > PAGE_SOURCE_MAX) (void)refuse(c, LIMIT, "模板超过 {1} 字节", S("1048576"));
    else if (!str_utf8_valid(source)) (void)refuse(c, INVALID, "模板不是有效的 UTF-8 文字", S(""));
    if (c->status != OK) return c->status;
    c->source = arena_str(set->arena, source);
    while (c->at < c->source.len && next_tag(c)) continue;
    if (c->status == OK && c->depth > 0) {
        c->line = c->blocks[c->depth - 1].line;
        (void)refuse(c, INVALID, "这里开始的条件或循环没有结束", S(""));
    }
    if (c->status == OK && is_html(c) && c->html.state != H_TEXT)
        (void)refuse(c, INVALID, "模板在标签或引号中间结束", S(""));
    if (c->status != OK) return c->status;
    join_texts(c);
    t->ops = c->ops;
    t->ops_count = c->count;
    return OK;
}
