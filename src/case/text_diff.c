// The greedy algorithm of Myers (An O(ND) Difference Algorithm, 1986) over lines. What is alike at
// both ends is set aside first. Memory is the square of the number of differing lines, so that is
// limited: past DIFF_WAY_MAX everything between the ends counts as replaced.
#include "case/text_diff.h"

enum { DIFF_MEMORY_MAX = 32 << 20 }; // enough for DIFF_LINES_MAX and DIFF_WAY_MAX

typedef struct Lines {
    Str *at;
    int32_t count;
} Lines;

typedef struct Diff {
    Lines old, new;
    bool *removed, *added; // by line
    Arena *arena;
} Diff;

static Status split(Str text, Arena *a, Lines *ret, Error *err) {
    size_t count = text.len > 0;
    for (size_t i = 0; i + 1 < text.len; i++) count += text.ptr[i] == '\n';
    if (count > DIFF_LINES_MAX) return error_set(err, LIMIT, S(""), "文件行数过多，不能比较");
    Lines lines = {.at = arena_array(a, Str, count + 1)};
    Str rest = text;
    for (size_t i = 0; i < count; i++) lines.at[lines.count++] = str_cut(&rest, '\n');
    *ret = lines;
    return OK;
}

static bool alike(const Diff *d, int32_t x, int32_t y) {
    return str_eq(d->old.at[x], d->new.at[y]);
}

// Walks the kept furthest reaches back from the end and marks each step.
static void mark_way(Diff *d, int32_t *const *reach, int32_t steps, int32_t from, int32_t n,
                     int32_t m) {
    int32_t x = n, y = m;
    for (int32_t step = steps; step > 0; step--) {
        const int32_t *v = reach[step - 1] + step; // index 0 is diagonal -(step)
        int32_t k = x - y;
        bool down = k == -step || (k != step && v[k - 1] < v[k + 1]);
        int32_t before = down ? k + 1 : k - 1;
        int32_t at_x = v[before], at_y = at_x - before;
        while (x > (down ? at_x : at_x + 1) && y > (down ? at_y + 1 : at_y)) {
            x--;
            y--;
        }
        if (down) d->added[from + at_y] = true;
        else d->removed[from + at_x] = true;
        x = at_x;
        y = at_y;
    }
}

static void replace_all(Diff *d, int32_t from, int32_t n, int32_t m) {
    for (int32_t i = 0; i < n; i++) d->removed[from + i] = true;
    for (int32_t i = 0; i < m; i++) d->added[from + i] = true;
}

// Lines from `from` on, n of the old and m of the new.
static void middle(Diff *d, int32_t from, int32_t n, int32_t m) {
    int32_t most = n + m < DIFF_WAY_MAX ? n + m : DIFF_WAY_MAX;
    if (n == 0 || m == 0) {
        replace_all(d, from, n, m);
        return;
    }
    int32_t **reach = arena_array(d->arena, int32_t *, (size_t)most + 1);
    int32_t *v = arena_array(d->arena, int32_t, 2 * (size_t)most + 3);
    v += most + 1; // diagonals -most-1 … most+1
    for (int32_t step = 0; step <= most; step++) {
        for (int32_t k = -step; k <= step; k += 2) {
            bool down = k == -step || (k != step && v[k - 1] < v[k + 1]);
            int32_t x = down ? v[k + 1] : v[k - 1] + 1, y = x - k;
            while (x < n && y < m && alike(d, from + x, from + y)) {
                x++;
                y++;
            }
            v[k] = x;
            if (x < n || y < m) continue;
            mark_way(d, reach, step, from, n, m);
            return;
        }
        size_t width = 2 * (size_t)step + 3; // what the next step looks back at
        reach[step] = arena_array(d->arena, int32_t, width);
        memcpy(reach[step], v - step - 1, width * sizeof *v);
    }
    replace_all(d, from, n, m);
}

// ---- as it is shown ----

static Value line_value(Arena *a, Str kind, Str text, int32_t old, int32_t new) {
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "kind", v_str(kind));
    context_put_lit(&b, "value", v_str(text));
    context_put_lit(&b, "old", old ? v_int(old) : v_null());
    context_put_lit(&b, "new", new ? v_int(new) : v_null());
    return context_done(&b);
}

typedef struct Hunk {
    ListBuilder lines;
    int32_t old, new; // first lines, from 1
    bool open;
} Hunk;

static void hunk_close(Hunk *h, ListBuilder *hunks) {
    if (!h->open) return;
    ContextBuilder b = context_make(hunks->arena);
    context_put_lit(&b, "old", v_int(h->old));
    context_put_lit(&b, "new", v_int(h->new));
    context_put_lit(&b, "lines", list_done(&h->lines));
    list_add(hunks, context_done(&b));
    h->open = false;
}

// Is there a change within DIFF_AROUND lines of old line x and new line y?
static bool near_change(const Diff *d, int32_t x, int32_t y) {
    for (int32_t i = -DIFF_AROUND; i <= DIFF_AROUND; i++) {
        if (x + i >= 0 && x + i < d->old.count && d->removed[x + i]) return true;
        if (y + i >= 0 && y + i < d->new.count && d->added[y + i]) return true;
    }
    return false;
}

static Value shown(const Diff *d, Arena *a) {
    ListBuilder hunks = list_make(a);
    Hunk h = {.open = false};
    int64_t added = 0, removed = 0;
    for (int32_t x = 0, y = 0; x < d->old.count || y < d->new.count;) {
        bool gone = x < d->old.count && d->removed[x];
        bool come = !gone && y < d->new.count && d->added[y];
        bool show = gone || come || near_change(d, x, y);
        if (!show) hunk_close(&h, &hunks);
        if (show && !h.open) {
            h = (Hunk){.lines = list_make(a), .old = x + 1, .new = y + 1, .open = true};
        }
        if (gone) {
            list_add(&h.lines, line_value(a, S("removed"), d->old.at[x], x + 1, 0));
        } else if (come) {
            list_add(&h.lines, line_value(a, S("added"), d->new.at[y], 0, y + 1));
        } else if (show) {
            list_add(&h.lines, line_value(a, S("same"), d->old.at[x], x + 1, y + 1));
        }
        removed += gone;
        added += come;
        x += !come;
        y += !gone;
    }
    hunk_close(&h, &hunks);
    ContextBuilder b = context_make(a);
    context_put_lit(&b, "added", v_int(added));
    context_put_lit(&b, "removed", v_int(removed));
    context_put_lit(&b, "hunks", list_done(&hunks));
    return context_done(&b);
}

Status text_diff(Str before, Str after, Arena *a, Value *ret, Error *err) {
    ARENA_AUTO work = arena_create(DIFF_MEMORY_MAX);
    Diff d = {.arena = work};
    Status st = split(before, work, &d.old, err);
    if (st == OK) st = split(after, work, &d.new, err);
    if (st != OK) return st;
    d.removed = arena_array(work, bool, (size_t)d.old.count);
    d.added = arena_array(work, bool, (size_t)d.new.count);
    int32_t head = 0, tail = 0;
    while (head < d.old.count && head < d.new.count && alike(&d, head, head)) head++;
    while (tail < d.old.count - head && tail < d.new.count - head &&
           alike(&d, d.old.count - 1 - tail, d.new.count - 1 - tail)) {
        tail++;
    }
    middle(&d, head, d.old.count - head - tail, d.new.count - head - tail);
    *ret = shown(&d, a);
    return OK;
}
