// Doubts about a decision table: rows that hold together where only one may, rows that can never
// decide, inputs that no row covers. Only cells of literals and intervals can be judged; a table
// where others stand is judged as far as they allow. Each column becomes a line of pieces (points
// and the gaps between them, see dmn_index.c), each cell a set of its pieces.
//
// Limits: tables of more rules or columns are left alone; the search for what is not covered stops
// after so many steps; a few findings of each kind are enough.
#include "dmn/dmn_internal.h"

enum {
    RULES_MAX = 600,
    COLUMNS_MAX = 40,
    PIECES_MAX = 2047,
    TOLD_MAX = 10,          // findings of one kind in one table
    GAPS_TOLD_MAX = 5,
    GAP_STEPS_MAX = 200000,
    WORDS = (PIECES_MAX + 1) / 64, // one more: no value at all, which only "-" takes
};

typedef struct Set {
    uint64_t bits[WORDS];
} Set;

typedef struct Judged {
    bool known;      // every cell of the column can be judged
    Line line;       // no points: every cell is "-"
    uint32_t pieces;
    Set possible;    // pieces whose values can occur, and null
    Set expected;    // those that should be covered
    Set *cells;      // of each rule
    bool *cell_known;
} Judged;

typedef struct Judge {
    Loader *l;
    const Table *t;
    uint32_t line;
    Judged *columns;
    uint32_t steps, gaps;
    uint32_t *chosen; // the piece of each column, while looking for gaps
} Judge;

static void set_add(Set *s, uint32_t low, uint32_t high) {
    for (uint32_t i = low; i <= high; i++) s->bits[i / 64] |= UINT64_C(1) << (i % 64);
}
static bool set_has(const Set *s, uint32_t i) { return s->bits[i / 64] >> (i % 64) & 1; }

static void set_of(const Line *line, uint32_t pieces, const FeelTests *t, Set *ret) {
    *ret = (Set){{0}};
    uint32_t low, high;
    if (t->any) set_add(ret, 0, t->negated ? pieces - 1 : pieces);
    for (uint32_t i = 0; i < t->count; i++)
        if (line_pieces(line, &t->ranges[i], &low, &high)) set_add(ret, low, high);
    for (uint32_t i = 0; t->negated && i < pieces; i++)
        ret->bits[i / 64] ^= UINT64_C(1) << (i % 64);
}

static bool intersects(const Set *a, const Set *b, const Set *domain) {
    for (int i = 0; i < WORDS; i++)
        if (a->bits[i] & b->bits[i] & domain->bits[i]) return true;
    return false;
}

static bool within(const Set *a, const Set *b, const Set *domain) {
    for (int i = 0; i < WORDS; i++)
        if (a->bits[i] & domain->bits[i] & ~b->bits[i]) return false;
    return true;
}

// The values a column may have, when its input or its type says so.
static bool allowed_of(const Input *in, Arena *a, FeelTests *ret) {
    if (in->has_values && in->values.expr) return feel_as_tests(in->values.expr, a, ret);
    const ItemType *t = in->type;
    for (int i = 0; i < DMN_DEPTH_MAX && t && !t->has_allowed && t->kind == ITEM_REF; i++)
        t = t->of;
    return t && t->has_allowed && !t->collection && t->allowed.expr &&
           feel_as_tests(t->allowed.expr, a, ret);
}

// Without a word on it: numbers and dates may be anything and should all be covered; of words only
// those that the column names, of truth values both.
static void domains_of(Judged *c, const FeelTests *allowed) {
    c->possible = c->expected = (Set){{0}};
    set_add(&c->possible, c->pieces, c->pieces); // null
    if (allowed) {
        set_of(&c->line, c->pieces, allowed, &c->expected);
        for (int i = 0; i < WORDS; i++) c->possible.bits[i] |= c->expected.bits[i];
        return;
    }
    bool words = c->line.points_count && c->line.kind == V_STRING;
    bool flags = c->line.points_count && c->line.kind == V_BOOL;
    for (uint32_t i = 0; i < c->pieces; i++) {
        bool point = i % 2 == 1;
        // With one truth value named, the other lies before or behind it.
        bool flag = flags && (point || (c->line.points_count == 1 &&
                                        (i == 0) == c->line.points[0].as.boolean));
        if (!flags || flag) set_add(&c->possible, i, i);
        if (flags ? flag : point || !words) set_add(&c->expected, i, i);
    }
}

static void judge_column(Judge *j, uint32_t input, FeelTests *tests) {
    Arena *a = j->l->arena;
    Judged *c = &j->columns[input];
    FeelTests allowed;
    bool has_allowed = allowed_of(&j->t->inputs[input], a, &allowed);
    uint32_t rules = j->t->rules_count;
    c->known = true;
    for (uint32_t r = 0; r < rules; r++) {
        const FeelExpr *e = j->t->rules[r].tests[input].expr;
        c->cell_known[r] = e && feel_as_tests(e, a, &tests[r]);
        if (!c->cell_known[r]) tests[r] = (FeelTests){.any = true};
        c->known = c->known && c->cell_known[r];
    }
    tests[rules] = has_allowed ? allowed : (FeelTests){0};
    bool ends = false;
    for (uint32_t r = 0; r <= rules; r++) ends = ends || tests[r].count > 0;
    if (ends && (!line_make(tests, rules + 1, a, &c->line) ||
                 2 * c->line.points_count + 1 > PIECES_MAX)) {
        c->line = (Line){.kind = V_NULL};
        c->known = false;
        ends = false;
        has_allowed = false;
        for (uint32_t r = 0; r < rules; r++) {
            c->cell_known[r] = c->cell_known[r] && tests[r].any && !tests[r].negated;
            tests[r] = (FeelTests){.any = true};
        }
    }
    c->pieces = ends ? 2 * c->line.points_count + 1 : 1;
    for (uint32_t r = 0; r < rules; r++) set_of(&c->line, c->pieces, &tests[r], &c->cells[r]);
    domains_of(c, ends && has_allowed ? &allowed : NULL);
}

static void tell(Judge *j, uint32_t line, const char *text, Str a, Str b) {
    Error e = {0};
    (void)error_fill(&e, INVALID, S(""), text, (Str[ERROR_ARGS]){a, b});
    finding_add(j->l, line, 1, "warning", &e, NULL);
}

static Str number(const Judge *j, uint32_t rule) {
    return arena_printf(j->l->arena, "%u", rule + 1);
}

static bool rule_known(const Judge *j, uint32_t rule) {
    for (uint32_t i = 0; i < j->t->inputs_count; i++)
        if (!j->columns[i].cell_known[rule]) return false;
    return true;
}

static void check_dead(Judge *j) {
    uint32_t told = 0;
    for (uint32_t r = 0; r < j->t->rules_count; r++) {
        for (uint32_t i = 0; i < j->t->inputs_count && told < TOLD_MAX; i++) {
            const Judged *c = &j->columns[i];
            if (!c->cell_known[r] || intersects(&c->cells[r], &c->cells[r], &c->possible)) continue;
            told++;
            tell(j, j->t->rules[r].tests[i].line, "第 {1} 条规则的条件“{2}”永远不会成立", number(j, r),
                 j->t->rules[r].tests[i].source);
        }
    }
}

static bool same_outputs(const Table *t, uint32_t a, uint32_t b) {
    for (uint32_t i = 0; i < t->outputs_count; i++)
        if (!str_eq(t->rules[a].outputs[i].source, t->rules[b].outputs[i].source)) return false;
    return true;
}

// Pairs of rows: both hold for the same input, or the later one never has its turn.
static void check_pairs(Judge *j) {
    const Table *t = j->t;
    uint32_t told = 0;
    for (uint32_t b = 1; b < t->rules_count; b++) {
        if (!rule_known(j, b)) continue;
        for (uint32_t a = 0; a < b && told < TOLD_MAX; a++) {
            if (!rule_known(j, a)) continue;
            bool together = true, covered = true;
            for (uint32_t i = 0; i < t->inputs_count && together; i++) {
                const Judged *c = &j->columns[i];
                together = intersects(&c->cells[a], &c->cells[b], &c->possible);
                covered = covered && within(&c->cells[b], &c->cells[a], &c->possible);
            }
            if (!together) continue;
            if (t->policy == HIT_UNIQUE)
                tell(j, t->rules[b].line, "第 {1} 条与第 {2} 条规则会同时成立，但只能有一条成立",
                     number(j, a), number(j, b));
            else if (t->policy == HIT_ANY && !same_outputs(t, a, b))
                tell(j, t->rules[b].line, "第 {1} 条与第 {2} 条规则会同时成立，结果却不同",
                     number(j, a), number(j, b));
            else if (t->policy == HIT_FIRST && covered)
                tell(j, t->rules[b].line, "第 {2} 条规则轮不到：第 {1} 条已经包括了它", number(j, a),
                     number(j, b));
            else continue;
            told++;
            if (covered) break;
        }
    }
}

static void print_piece(Buf *out, const Judge *j, uint32_t input, uint32_t piece) {
    const Line *line = &j->columns[input].line;
    buf_str(out, j->t->inputs[input].text.source);
    if (line->points_count == 0) {
        buf_lit(out, " = -");
    } else if (line->kind == V_BOOL) { // what isn't a point is the other one
        bool known = piece % 2 == 1;
        bool flag = known ? line->points[piece / 2].as.boolean : !line->points[0].as.boolean;
        buf_str(out, flag ? S(" = true") : S(" = false"));
    } else if (piece % 2 == 1) {
        buf_lit(out, " = ");
        v_print(out, line->points[piece / 2]);
    } else if (piece == 0) {
        buf_lit(out, " < ");
        v_print(out, line->points[0]);
    } else if (piece / 2 == line->points_count) {
        buf_lit(out, " > ");
        v_print(out, line->points[piece / 2 - 1]);
    } else {
        buf_lit(out, " in (");
        v_print(out, line->points[piece / 2 - 1]);
        buf_lit(out, "..");
        v_print(out, line->points[piece / 2]);
        buf_char(out, ')');
    }
}

static void tell_gap(Judge *j, uint32_t columns) {
    Buf out = buf_make(j->l->arena, 64, 2048);
    for (uint32_t i = 0; i < columns; i++) {
        if (i) buf_lit(&out, "，");
        print_piece(&out, j, i, j->chosen[i]);
    }
    tell(j, j->line, "没有规则管到：{1}", buf_view(&out), S(""));
    j->gaps++;
}

// Goes down the columns with the rules that still hold. Pieces in which the same rules hold are
// one; that keeps the search small.
static void find_gaps(Judge *j, uint32_t column, const uint32_t *rules, uint32_t count) {
    if (j->gaps >= GAPS_TOLD_MAX || ++j->steps > GAP_STEPS_MAX) return;
    if (count == 0) {
        tell_gap(j, column);
        return;
    }
    if (column == j->t->inputs_count) return;
    const Judged *c = &j->columns[column];
    ArenaMark mark = arena_mark(j->l->arena);
    uint32_t *kept = arena_array(j->l->arena, uint32_t, count);
    uint32_t *before = arena_array(j->l->arena, uint32_t, count), before_count = UINT32_MAX;
    uint32_t gaps = j->gaps;
    for (uint32_t piece = 0; piece < c->pieces; piece++) {
        if (!set_has(&c->expected, piece)) continue;
        uint32_t n = 0;
        for (uint32_t i = 0; i < count; i++)
            if (set_has(&c->cells[rules[i]], piece)) kept[n++] = rules[i];
        j->steps += count / 64;
        if (n == before_count && (n == 0 || memcmp(kept, before, n * sizeof *kept) == 0)) continue;
        memcpy(before, kept, n * sizeof *kept);
        before_count = n;
        j->chosen[column] = piece;
        find_gaps(j, column + 1, kept, n);
    }
    if (j->gaps == gaps) arena_rewind(j->l->arena, mark); // findings lie in the same arena
}

static void check_gaps(Judge *j) {
    const Table *t = j->t;
    bool otherwise = false;
    for (uint32_t i = 0; i < t->outputs_count; i++) otherwise |= t->outputs[i].has_otherwise;
    for (uint32_t i = 0; i < t->inputs_count; i++)
        if (!j->columns[i].known) return;
    if (otherwise || t->policy == HIT_RULE_ORDER || t->policy == HIT_OUTPUT_ORDER ||
        t->policy >= HIT_COLLECT)
        return; // nothing found is an answer there
    uint32_t *rules = arena_array(j->l->arena, uint32_t, t->rules_count);
    for (uint32_t i = 0; i < t->rules_count; i++) rules[i] = i;
    j->chosen = arena_array(j->l->arena, uint32_t, t->inputs_count);
    find_gaps(j, 0, rules, t->rules_count);
}

void check_table(Loader *l, const Table *t, uint32_t line) {
    if (t->rules_count == 0) {
        finding_plain(l, line, "warning", "决策表没有规则");
        return;
    }
    if (t->rules_count > RULES_MAX || t->inputs_count > COLUMNS_MAX) return;
    Judge j = {.l = l, .t = t, .line = line,
               .columns = arena_array(l->arena, Judged, t->inputs_count)};
    FeelTests *tests = arena_array(l->arena, FeelTests, t->rules_count + 1);
    for (uint32_t i = 0; i < t->inputs_count; i++) {
        j.columns[i].cells = arena_array(l->arena, Set, t->rules_count);
        j.columns[i].cell_known = arena_array(l->arena, bool, t->rules_count);
        judge_column(&j, i, tests);
    }
    check_dead(&j);
    check_pairs(&j);
    check_gaps(&j);
}
