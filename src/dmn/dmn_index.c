// An index over the rules of a decision table, made when the model is loaded.
//
// A column is indexed when each of its tests is "-" or a choice of literals and intervals of
// literals, all of one kind. Its boundary values, sorted, cut the line into points and the gaps
// between them; for each such piece the rules whose test holds there are listed. An input is found
// by binary search; of all indexed columns the shortest list is taken, with the rules that have "-"
// there, and what the other columns' lists don't name is struck out. What remains holds in all
// indexed columns, so that only the others are left to test. Where an input is of another kind than
// the column the index says nothing: comparing would leave diagnostics, and they must come out the
// same as from looking at every rule.
#include "dmn/dmn_internal.h"

enum {
    INDEX_RULES_MIN = 8,       // fewer are as fast without
    INDEX_ENTRIES_MAX = 1 << 20, // rule numbers in one column's lists
    INDEX_SPREAD_MAX = 256,    // of them for each rule
};

typedef struct Column {
    uint32_t input;
    Line line;
    uint32_t *starts;  // of piece i in `rules`, and the end of the last
    uint32_t *rules;   // ascending within a piece
    uint32_t *always;  // rules that hold everywhere, ascending; not in the lists
    uint32_t always_count;
} Column;

struct TableIndex {
    Column *columns;
    uint32_t columns_count;
    bool *covered; // inputs whose tests the index has made
};

static int order_of(Value a, Value b) {
    int order = 0;
    if (a.kind == V_BOOL && b.kind == V_BOOL) return (int)a.as.boolean - (int)b.as.boolean;
    return v_compare(a, b, &order) ? order : 0;
}

static bool may_be_point(Value v) {
    return v.kind == V_NUMBER || v.kind == V_STRING || v.kind == V_BOOL || v.kind == V_DATE ||
           v.kind == V_DURATION || v.kind == V_MONTHS;
}

static void sort_points(Value *items, Value *scratch, uint32_t n) {
    if (n < 2) return;
    uint32_t half = n / 2, i = 0, j = half, k = 0;
    sort_points(items, scratch, half);
    sort_points(items + half, scratch, n - half);
    while (i < half && j < n)
        scratch[k++] = order_of(items[j], items[i]) < 0 ? items[j++] : items[i++];
    while (i < half) scratch[k++] = items[i++];
    memcpy(items, scratch, k * sizeof *items);
}

uint32_t line_piece(const Line *c, Value v) {
    uint32_t low = 0, high = c->points_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = order_of(v, c->points[middle]);
        if (order == 0) return 2 * middle + 1;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return 2 * low;
}

bool line_make(const FeelTests *tests, uint32_t count, Arena *a, Line *ret) {
    uint32_t ends = 0, n = 0;
    for (uint32_t i = 0; i < count; i++) ends += 2 * tests[i].count;
    if (ends == 0) return false;
    *ret = (Line){.points = arena_array(a, Value, ends)};
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < tests[i].count; j++) {
            const Value *both[] = {tests[i].ranges[j].low, tests[i].ranges[j].high};
            for (int k = 0; k < 2; k++) {
                if (!both[k]) continue;
                if (n == 0) ret->kind = (ValueKind)both[k]->kind;
                if (!may_be_point(*both[k]) || both[k]->kind != (uint8_t)ret->kind) return false;
                ret->points[n++] = *both[k];
            }
        }
    }
    sort_points(ret->points, arena_array(a, Value, n), n);
    for (uint32_t i = 0; i < n; i++)
        if (i == 0 || order_of(ret->points[ret->points_count - 1], ret->points[i]) != 0)
            ret->points[ret->points_count++] = ret->points[i];
    return true;
}

bool line_pieces(const Line *c, const Range *r, uint32_t *ret_low, uint32_t *ret_high) {
    *ret_low = r->low ? line_piece(c, *r->low) + (r->low_closed ? 0 : 1) : 0;
    *ret_high = r->high ? line_piece(c, *r->high) - (r->high_closed ? 0 : 1) : 2 * c->points_count;
    return *ret_low <= *ret_high;
}

// Calls with every piece in which the test of a rule holds, each once.
typedef struct Filler {
    Column *column;
    uint32_t *last;  // rule + 1 that was noted last, for each piece
    uint32_t *next;  // where the next rule of a piece goes; counts while `fill` is false
    uint8_t *covered; // scratch for a negated test
    uint64_t entries, entries_max;
    bool fill;
} Filler;

static void note_piece(Filler *f, uint32_t piece, uint32_t rule) {
    if (f->last[piece] == rule + 1) return;
    f->last[piece] = rule + 1;
    if (f->fill) f->column->rules[f->next[piece]] = rule;
    f->next[piece]++;
    f->entries++;
}

static bool note_rule(Filler *f, const FeelTests *t, uint32_t rule) {
    uint32_t pieces = 2 * f->column->line.points_count + 1, low, high;
    if (t->negated) memset(f->covered, t->any, pieces);
    for (uint32_t i = 0; i < t->count; i++) {
        if (!line_pieces(&f->column->line, &t->ranges[i], &low, &high)) continue;
        if (t->negated) memset(f->covered + low, 1, high - low + 1);
        for (uint32_t p = low; !t->negated && p <= high && f->entries <= f->entries_max; p++)
            note_piece(f, p, rule);
    }
    for (uint32_t p = 0; t->negated && p < pieces && f->entries <= f->entries_max; p++)
        if (!f->covered[p]) note_piece(f, p, rule);
    return f->entries <= f->entries_max;
}

static bool column_lists(const FeelTests *tests, uint32_t rules, Column *c, Arena *a) {
    uint32_t pieces = 2 * c->line.points_count + 1;
    Filler f = {.column = c, .last = arena_array(a, uint32_t, pieces),
                .next = arena_array(a, uint32_t, pieces),
                .covered = arena_array(a, uint8_t, pieces)};
    f.entries_max = (uint64_t)rules * INDEX_SPREAD_MAX;
    if (f.entries_max > INDEX_ENTRIES_MAX) f.entries_max = INDEX_ENTRIES_MAX;
    c->starts = arena_array(a, uint32_t, (size_t)pieces + 1);
    c->always = arena_array(a, uint32_t, rules);
    for (int pass = 0; pass < 2; pass++) {
        memset(f.last, 0, pieces * sizeof *f.last);
        f.fill = pass == 1;
        f.entries = 0;
        for (uint32_t i = 0; i < rules; i++) {
            bool always = tests[i].any && !tests[i].negated;
            if (!always && !note_rule(&f, &tests[i], i)) return false;
            if (always && pass == 0) c->always[c->always_count++] = i;
        }
        if (pass == 1) break;
        for (uint32_t p = 0; p < pieces; p++) {
            c->starts[p + 1] = c->starts[p] + f.next[p];
            f.next[p] = c->starts[p];
        }
        c->rules = arena_array(a, uint32_t, c->starts[pieces]);
    }
    return c->always_count < rules;
}

const TableIndex *index_make(const Table *t, Arena *a) {
    if (t->rules_count < INDEX_RULES_MIN) return NULL;
    TableIndex *x = arena_new(a, TableIndex);
    x->columns = arena_array(a, Column, t->inputs_count);
    x->covered = arena_array(a, bool, t->inputs_count);
    FeelTests *tests = arena_array(a, FeelTests, t->rules_count);
    for (uint32_t i = 0; i < t->inputs_count; i++) {
        Column *c = &x->columns[x->columns_count];
        bool simple = true;
        *c = (Column){.input = i};
        for (uint32_t r = 0; r < t->rules_count && simple; r++) {
            const FeelExpr *e = t->rules[r].tests[i].expr;
            simple = e && feel_as_tests(e, a, &tests[r]);
        }
        if (simple && line_make(tests, t->rules_count, a, &c->line) &&
            column_lists(tests, t->rules_count, c, a)) {
            x->covered[i] = true;
            x->columns_count++;
        }
    }
    return x->columns_count ? x : NULL;
}

const bool *index_covered(const TableIndex *x) { return x->covered; }

static bool listed(const uint32_t *rules, uint32_t count, uint32_t rule) {
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (rules[middle] == rule) return true;
        if (rules[middle] < rule) low = middle + 1;
        else high = middle;
    }
    return false;
}

typedef struct Piece {
    const Column *column;
    const uint32_t *rules;
    uint32_t count; // without those that hold everywhere
} Piece;

static bool in_piece(const Piece *p, uint32_t rule) {
    return listed(p->rules, p->count, rule) ||
           listed(p->column->always, p->column->always_count, rule);
}

bool index_find(const TableIndex *x, const Value *inputs, Arena *a, const uint32_t **ret,
                uint32_t *ret_count) {
    Piece *pieces = arena_alloc_raw(a, x->columns_count * sizeof *pieces);
    uint32_t best = 0, best_count = UINT32_MAX;
    for (uint32_t i = 0; i < x->columns_count; i++) {
        const Column *c = &x->columns[i];
        Value v = inputs[c->input];
        if (v.kind != (uint8_t)c->line.kind) return false;
        uint32_t piece = line_piece(&c->line, v);
        uint32_t from = c->starts[piece];
        pieces[i] = (Piece){c, c->rules + from, c->starts[piece + 1] - from};
        if (pieces[i].count + c->always_count >= best_count) continue;
        best = i;
        best_count = pieces[i].count + c->always_count;
    }
    // Both lists ascend; so does what comes of them.
    const Piece *p = &pieces[best];
    const uint32_t *always = p->column->always;
    uint32_t *out = arena_alloc_raw(a, best_count * sizeof *out), i = 0, j = 0, n = 0;
    while (i < p->count || j < p->column->always_count) {
        bool first = j == p->column->always_count || (i < p->count && p->rules[i] < always[j]);
        uint32_t rule = first ? p->rules[i++] : always[j++], k = 0;
        while (k < x->columns_count && (k == best || in_piece(&pieces[k], rule))) k++;
        if (k == x->columns_count) out[n++] = rule;
    }
    *ret = out;
    *ret_count = n;
    return true;
}
