// Letters and plain texts as PDF, A4, by cairo and pango. The same input gives the same bytes: the
// date in the file's data is fixed, and fonts are named.
//
// A page is laid out twice, first to count the pages, then to draw, so that each foot can say how
// many there are. Pango's fonts are shared by all threads under one lock, because a set of
// Chinese fonts for each thread would cost more memory than printing costs time. Nothing is
// allocated from an arena under the lock, for an arena may jump away when it is full.
//
// Limits: LETTER_PAGES_MAX pages, PDF_TEXT_MAX bytes of text, TABLE_COLUMNS_MAX columns.
#include "case/letter.h"
#include "case/qr.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <pthread.h>

enum {
    PDF_TEXT_MAX = 1 << 20,
    PDF_SIZE_MAX = 32 << 20,
    TABLE_COLUMNS_MAX = 10,
    TABLE_ROWS_MAX = 2000,
};

// Points; A4 is 210 x 297 mm. Margins as GB/T 9704 has them, a little narrower at the sides.
#define PAGE_W 595.28
#define PAGE_H 841.89
#define MARGIN_TOP 92.0
#define MARGIN_LEFT 76.0
#define MARGIN_RIGHT 72.0
#define MARGIN_BOTTOM 92.0
#define BODY_W (PAGE_W - MARGIN_LEFT - MARGIN_RIGHT)
#define BODY_BOTTOM (PAGE_H - MARGIN_BOTTOM)
#define QR_SIDE 74.0
#define SEAL_RADIUS 42.0
#define SERIF "Noto Serif CJK SC, Noto Sans CJK SC"
#define SANS "Noto Sans CJK SC, Noto Serif CJK SC"

typedef struct Out { // the file's bytes, from malloc: see above
    char *ptr;
    size_t len, cap;
    bool full;
} Out;

typedef struct Sheet {
    cairo_t *cr;
    PangoContext *pango;
    bool draw;
    bool failed;      // a maximum was passed
    int page, pages;  // pages: known in the second round
    double y;
    double signature_y; // of the first line set right, 0: none; where the seal goes
    int signature_page;
} Sheet;

typedef struct Style {
    const char *font;
    double size, line, before, after; // points; line: distance of base lines
    PangoAlignment align;
    int indent_chars;
    bool bold;
    double red, green, blue;
} Style;

static const Style style_body = {SERIF, 14, 25, 0, 3, PANGO_ALIGN_LEFT, 2, false, 0, 0, 0};
static const Style style_flush = {SERIF, 14, 25, 0, 3, PANGO_ALIGN_LEFT, 0, false, 0, 0, 0};
static const Style style_right = {SERIF, 14, 25, 0, 0, PANGO_ALIGN_RIGHT, 0, false, 0, 0, 0};
static const Style style_title = {SERIF, 20, 32, 10, 12, PANGO_ALIGN_CENTER, 0, true, 0, 0, 0};
static const Style style_heading = {SANS, 14, 24, 10, 4, PANGO_ALIGN_LEFT, 0, true, 0, 0, 0};
static const Style style_small_heading = {SANS, 12, 21, 6, 3, PANGO_ALIGN_LEFT, 0, true, 0, 0, 0};
static const Style style_head = {SERIF, 25, 40, 0, 4, PANGO_ALIGN_CENTER, 0, true, 0.78, 0.08, 0.1};
static const Style style_number = {SERIF, 12, 20, 0, 6, PANGO_ALIGN_CENTER, 0, false, 0, 0, 0};
static const Style style_cell = {SERIF, 11, 17, 0, 0, PANGO_ALIGN_LEFT, 0, false, 0, 0, 0};
static const Style style_cell_head = {SANS, 11, 17, 0, 0, PANGO_ALIGN_LEFT, 0, true, 0, 0, 0};
static const Style style_foot = {SANS, 9, 13, 0, 0, PANGO_ALIGN_CENTER, 0, false, 0.3, 0.3, 0.3};

static cairo_status_t out_write(void *closure, const unsigned char *data, unsigned int length) {
    Out *out = closure;
    if (out->len + length > PDF_SIZE_MAX) {
        out->full = true;
        return CAIRO_STATUS_WRITE_ERROR;
    }
    if (out->cap - out->len < length) {
        size_t cap = 2 * (out->len + length) + 65536;
        char *grown = realloc(out->ptr, cap);
        if (!grown) {
            out->full = true;
            return CAIRO_STATUS_NO_MEMORY;
        }
        out->ptr = grown;
        out->cap = cap;
    }
    memcpy(out->ptr + out->len, data, length);
    out->len += length;
    return CAIRO_STATUS_SUCCESS;
}

// ---- text ----

static PangoLayout *layout_make(Sheet *s, const Style *style, Str text, double width) {
    PangoLayout *layout = pango_layout_new(s->pango);
    PangoFontDescription *font = pango_font_description_new();
    pango_font_description_set_family_static(font, style->font);
    pango_font_description_set_absolute_size(font, style->size * PANGO_SCALE);
    if (style->bold) pango_font_description_set_weight(font, PANGO_WEIGHT_BOLD);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_alignment(layout, style->align);
    pango_layout_set_indent(layout, (int)(style->indent_chars * style->size * PANGO_SCALE));
    pango_layout_set_text(layout, text.ptr ? text.ptr : "", (int)text.len);
    return layout;
}

static void colour(Sheet *s, const Style *style) {
    cairo_set_source_rgb(s->cr, style->red, style->green, style->blue);
}

static void foot(Sheet *s) {
    char text[64];
    int n = snprintf(text, sizeof text, "第 %d 页　共 %d 页", s->page, s->pages); // i18n: data
    PangoLayout *layout = layout_make(s, &style_foot, str_of(text, (size_t)n), BODY_W);
    colour(s, &style_foot);
    cairo_move_to(s->cr, MARGIN_LEFT, PAGE_H - 52);
    pango_cairo_show_layout(s->cr, layout);
    g_object_unref(layout);
}

static void page_end(Sheet *s) {
    if (!s->draw) return;
    foot(s);
    cairo_show_page(s->cr);
}

static void page_begin(Sheet *s) {
    s->page++;
    s->y = MARGIN_TOP;
    if (s->page > LETTER_PAGES_MAX) s->failed = true;
}

// Room for `height` more, on this page or the next.
static void need(Sheet *s, double height) {
    if (s->failed || s->y + height <= BODY_BOTTOM || s->y <= MARGIN_TOP) return;
    page_end(s);
    page_begin(s);
}

static void paragraph(Sheet *s, const Style *style, Str text) {
    PangoLayout *layout = layout_make(s, style, text, BODY_W);
    PangoLayoutIter *iter = pango_layout_get_iter(layout);
    s->y += style->before;
    do {
        PangoLayoutLine *line = pango_layout_iter_get_line_readonly(iter);
        PangoRectangle ink;
        pango_layout_iter_get_line_extents(iter, NULL, &ink);
        need(s, style->line);
        if (s->draw && !s->failed) {
            colour(s, style);
            cairo_move_to(s->cr, MARGIN_LEFT + (double)ink.x / PANGO_SCALE,
                          s->y + 0.75 * style->line);
            pango_cairo_show_layout_line(s->cr, line);
        }
        s->y += style->line;
    } while (!s->failed && pango_layout_iter_next_line(iter));
    s->y += style->after;
    pango_layout_iter_free(iter);
    g_object_unref(layout);
}

// ---- tables ----

typedef struct Table {
    Str cells[TABLE_ROWS_MAX][TABLE_COLUMNS_MAX];
    uint8_t counts[TABLE_ROWS_MAX];
    size_t rows, columns;
    double widths[TABLE_COLUMNS_MAX];
    bool has_head; // the first row is one
} Table;
#define CELL_PAD 4.0

static size_t row_split(Str line, Str *cells) {
    size_t n = 0;
    line = str_trim(line);
    Str rest = str_sub(line, 1, line.len - (str_ends(line, S("|")) ? 1 : 0));
    while (rest.ptr && n < TABLE_COLUMNS_MAX) cells[n++] = str_trim(str_cut(&rest, '|'));
    return n;
}

static bool is_row(Str line) { return line.len >= 3 && line.ptr[0] == '|'; }

// "|---|---:|" under a head.
static bool is_separator(Str line) {
    for (size_t i = 0; i < line.len; i++) {
        char c = line.ptr[i];
        if (c != '|' && c != '-' && c != ':' && c != ' ') return false;
    }
    return true;
}

// Columns as wide as their widest cell would like, scaled to the page, none below a tenth of it.
static void table_measure(Sheet *s, Table *t) {
    double total = 0;
    for (size_t k = 0; k < t->columns; k++) {
        double widest = 20;
        for (size_t i = 0; i < t->rows; i++) {
            if (k >= t->counts[i]) continue;
            PangoLayout *layout = layout_make(s, &style_cell_head, t->cells[i][k], BODY_W);
            int width = 0;
            pango_layout_get_size(layout, &width, NULL);
            g_object_unref(layout);
            double points = (double)width / PANGO_SCALE + 2 * CELL_PAD + 2;
            if (points > widest) widest = points;
        }
        t->widths[k] = widest;
        total += widest;
    }
    double least = BODY_W / 14, given = 0;
    if (total <= BODY_W) { // the last column takes what is left
        t->widths[t->columns - 1] += BODY_W - total;
        return;
    }
    for (size_t k = 0; k < t->columns; k++) {
        double scaled = t->widths[k] * BODY_W / total;
        if (scaled < least) scaled = t->widths[k] < least ? t->widths[k] : least;
        t->widths[k] = scaled;
        given += scaled;
    }
    for (size_t k = 0; k < t->columns; k++) t->widths[k] *= BODY_W / given;
}

static void table_row(Sheet *s, const Table *t, size_t row, bool again) {
    PangoLayout *layouts[TABLE_COLUMNS_MAX];
    const Style *style = t->has_head && row == 0 ? &style_cell_head : &style_cell;
    double height = style->line;
    for (size_t k = 0; k < t->columns; k++) {
        Str text = k < t->counts[row] ? t->cells[row][k] : S("");
        layouts[k] = layout_make(s, style, text, t->widths[k] - 2 * CELL_PAD);
        pango_layout_set_height(layouts[k], (int)((BODY_BOTTOM - MARGIN_TOP) * 0.8 * PANGO_SCALE));
        pango_layout_set_ellipsize(layouts[k], PANGO_ELLIPSIZE_END);
        int tall = 0;
        pango_layout_get_size(layouts[k], NULL, &tall);
        if ((double)tall / PANGO_SCALE > height) height = (double)tall / PANGO_SCALE;
    }
    height += 2 * CELL_PAD;
    int page = s->page;
    need(s, height);
    if (page != s->page && t->has_head && !again && row > 0) table_row(s, t, 0, true);
    double x = MARGIN_LEFT;
    for (size_t k = 0; k < t->columns; k++) {
        if (s->draw && !s->failed) {
            if (style == &style_cell_head) {
                cairo_set_source_rgb(s->cr, 0.94, 0.95, 0.97);
                cairo_rectangle(s->cr, x, s->y, t->widths[k], height);
                cairo_fill(s->cr);
            }
            cairo_set_source_rgb(s->cr, 0.45, 0.45, 0.45);
            cairo_set_line_width(s->cr, 0.6);
            cairo_rectangle(s->cr, x, s->y, t->widths[k], height);
            cairo_stroke(s->cr);
            colour(s, style);
            cairo_move_to(s->cr, x + CELL_PAD, s->y + CELL_PAD);
            pango_cairo_show_layout(s->cr, layouts[k]);
        }
        x += t->widths[k];
        g_object_unref(layouts[k]);
    }
    s->y += height;
}

// Takes the table's lines off `rest`. `t` is scratch.
static void table(Sheet *s, Table *t, Str first, Str *rest) {
    t->rows = t->columns = 0;
    t->has_head = false;
    Str line = first;
    for (;;) {
        if (t->rows == 1 && is_separator(line)) {
            t->has_head = true;
        } else if (t->rows == TABLE_ROWS_MAX) {
            s->failed = true;
        } else {
            size_t n = row_split(line, t->cells[t->rows]);
            t->counts[t->rows++] = (uint8_t)n;
            if (n > t->columns) t->columns = n;
        }
        Str look = *rest;
        if (s->failed || !look.ptr) break;
        line = str_trim(str_cut(&look, '\n'));
        if (!is_row(line)) break;
        *rest = look;
    }
    if (s->failed || t->columns == 0) return;
    // Three columns and more have a head; two are labels and values.
    if (t->columns >= 3 && t->rows > 1) t->has_head = true;
    table_measure(s, t);
    s->y += 4;
    for (size_t i = 0; i < t->rows && !s->failed; i++) table_row(s, t, i, false);
    s->y += 8;
}

// ---- blocks ----

static void body(Sheet *s, Table *scratch, Str text, bool letter) {
    bool first = true;
    Str rest = text;
    while (rest.ptr && !s->failed) {
        Str line = str_trim(str_cut(&rest, '\n'));
        if (line.len == 0) continue;
        if (is_row(line)) {
            table(s, scratch, line, &rest);
        } else if (str_starts(line, S("### "))) {
            paragraph(s, &style_small_heading, str_sub(line, 4, line.len));
        } else if (str_starts(line, S("## "))) {
            paragraph(s, &style_heading, str_sub(line, 3, line.len));
        } else if (str_starts(line, S("# "))) {
            paragraph(s, &style_title, str_sub(line, 2, line.len));
        } else if (str_starts(line, S("> "))) {
            if (s->signature_y <= 0) {
                need(s, 3 * SEAL_RADIUS); // signature, date and seal stay together
                s->y += 10;
                s->signature_y = s->y;
                s->signature_page = s->page;
            }
            paragraph(s, &style_right, str_sub(line, 2, line.len));
        } else {
            // The person spoken to stands flush.
            bool salutation = letter && first && (str_ends(line, S("：")) || str_ends(line, S(":")));
            paragraph(s, salutation ? &style_flush : &style_body, line);
        }
        first = false;
    }
}

static void seal(Sheet *s) {
    static const Style style = {SERIF, 10, 14, 0, 0, PANGO_ALIGN_CENTER, 0, false, 0.78, 0.08, 0.1};
    static const double dashes[] = {4, 3};
    double x = PAGE_W - MARGIN_RIGHT - 78, y = s->signature_y + 26;
    cairo_save(s->cr);
    cairo_set_source_rgb(s->cr, style.red, style.green, style.blue);
    cairo_set_line_width(s->cr, 1);
    cairo_set_dash(s->cr, dashes, 2, 0);
    cairo_new_path(s->cr);
    cairo_arc(s->cr, x, y, SEAL_RADIUS, 0, 6.283185307179586);
    cairo_stroke(s->cr);
    cairo_restore(s->cr);
    PangoLayout *layout = layout_make(s, &style, S("（印章）"), 2 * SEAL_RADIUS);
    colour(s, &style);
    cairo_move_to(s->cr, x - SEAL_RADIUS, y + 20);
    pango_cairo_show_layout(s->cr, layout);
    g_object_unref(layout);
}

static void qr_draw(Sheet *s, const Qr *qr, Str url) {
    static const Style caption = {SANS, 8, 12, 0, 0, PANGO_ALIGN_LEFT, 0, false, 0.25, 0.25, 0.25};
    double unit = QR_SIDE / qr->size, top = s->y;
    cairo_set_source_rgb(s->cr, 0, 0, 0);
    for (int32_t y = 0; y < qr->size; y++) {
        const uint8_t *row = qr->modules + (size_t)y * (size_t)qr->size;
        for (int32_t x = 0, run; x < qr->size; x += run) {
            for (run = 1; x + run < qr->size && row[x + run] == row[x];) run++;
            if (!row[x]) continue;
            cairo_rectangle(s->cr, MARGIN_LEFT + x * unit, top + y * unit, run * unit, unit);
        }
    }
    cairo_fill(s->cr);
    colour(s, &caption);
    PangoLayout *layout = layout_make(s, &caption, S("扫描二维码核验本文书真伪"), BODY_W);
    cairo_move_to(s->cr, MARGIN_LEFT + QR_SIDE + 10, top + 22);
    pango_cairo_show_layout(s->cr, layout);
    g_object_unref(layout);
    layout = layout_make(s, &caption, url, BODY_W - QR_SIDE - 10);
    cairo_move_to(s->cr, MARGIN_LEFT + QR_SIDE + 10, top + 38);
    pango_cairo_show_layout(s->cr, layout);
    g_object_unref(layout);
}

typedef struct Letter {
    Str title, text, number, unit, url;
    Qr qr;
    bool has_qr, red_head;
    bool plain; // text_pdf
} Letter;

static void red_head(Sheet *s, const Letter *l) {
    paragraph(s, &style_head, l->unit);
    if (l->number.len > 0) paragraph(s, &style_number, l->number);
    if (s->draw) {
        cairo_set_source_rgb(s->cr, style_head.red, style_head.green, style_head.blue);
        cairo_set_line_width(s->cr, 2);
        cairo_move_to(s->cr, MARGIN_LEFT, s->y);
        cairo_line_to(s->cr, PAGE_W - MARGIN_RIGHT, s->y);
        cairo_stroke(s->cr);
    }
    s->y += 14;
}

static void round_of(Sheet *s, const Letter *l, Table *scratch, bool draw) {
    s->draw = draw;
    s->page = 0;
    s->signature_y = 0;
    page_begin(s);
    if (l->red_head) red_head(s, l);
    if (l->title.len > 0) paragraph(s, &style_title, l->title);
    if (!l->red_head && l->number.len > 0) paragraph(s, &style_number, l->number);
    body(s, scratch, l->text, !l->plain);
    if (s->draw && !s->failed && s->signature_y > 0 && s->signature_page == s->page) seal(s);
    if (l->has_qr) {
        if (s->y < BODY_BOTTOM - QR_SIDE - 8) s->y = BODY_BOTTOM - QR_SIDE; // at the page's foot
        need(s, QR_SIDE);
        if (s->draw && !s->failed) qr_draw(s, &l->qr, l->url);
    }
    page_end(s);
    if (!draw) s->pages = s->page;
}

// Under the lock. False when a maximum was passed.
static bool print_locked(const Letter *l, const char *title, Out *out) {
    static PangoFontMap *fonts; // kept: making one reads the whole font configuration
    if (!fonts) fonts = pango_cairo_font_map_new();
    Table *scratch = calloc(1, sizeof *scratch);
    if (!scratch) return false;
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(out_write, out, PAGE_W, PAGE_H);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "Yizhan");
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    Sheet s = {.cr = cairo_create(surface), .pango = pango_font_map_create_context(fonts)};
    pango_context_set_language(s.pango, pango_language_from_string("zh-cn"));
    pango_cairo_update_context(s.cr, s.pango);
    round_of(&s, l, scratch, false);
    if (!s.failed) round_of(&s, l, scratch, true);
    g_object_unref(s.pango);
    cairo_destroy(s.cr);
    cairo_surface_finish(surface);
    bool good = cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS && !s.failed && !out->full;
    cairo_surface_destroy(surface);
    free(scratch);
    return good;
}

static Status print(const Letter *l, Arena *a, Str *ret, Error *err) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    const char *title = arena_cstr(a, l->title);
    Out out = {0};
    (void)pthread_mutex_lock(&lock);
    bool good = print_locked(l, title, &out);
    (void)pthread_mutex_unlock(&lock);
    if (!good) {
        free(out.ptr);
        return error_set(err, LIMIT, S("pdf"), "文书超过 50 页或表格过大，无法生成 PDF");
    }
    jmp_buf full; // the copy may not fit the caller's arena; the bytes must be freed all the same
    jmp_buf *outer = arena_on_limit(a, &full);
    if (setjmp(full)) {
        (void)arena_on_limit(a, outer);
        free(out.ptr);
        return error_set(err, LIMIT, S("pdf"), "文书超过 50 页或表格过大，无法生成 PDF");
    }
    Str copy = arena_str(a, str_of(out.ptr, out.len));
    (void)arena_on_limit(a, outer);
    free(out.ptr);
    *ret = copy;
    return OK;
}

static Status printable(Str s, Error *err) {
    if (s.len > PDF_TEXT_MAX) return error_set(err, LIMIT, S("pdf"), "文书内容过长，无法生成 PDF");
    if (!str_utf8_valid(s) || (s.len > 0 && memchr(s.ptr, 0, s.len))) {
        return error_set(err, INVALID, S("pdf"), "文书内容不是有效的文字");
    }
    return OK;
}

// A template's first line may give the title.
static Str without_title(Str text, Str *title) {
    Str rest = text, line = str_trim(str_cut(&rest, '\n'));
    if (!str_starts(line, S("# "))) return text;
    if (title->len == 0) *title = str_sub(line, 2, line.len);
    return rest.ptr ? rest : S("");
}

Status letter_pdf(Str title, Str text, Str number, Str unit, Str date, Str verify_url,
                  bool red_head_wanted, Arena *a, Str *ret, Error *err) {
    const Str parts[] = {title, text, number, unit, date, verify_url};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        Status st = printable(parts[i], err);
        if (st != OK) return st;
    }
    Letter l = {.title = title, .number = number, .unit = unit, .url = verify_url,
                .red_head = red_head_wanted && unit.len > 0};
    l.text = without_title(text, &l.title);
    // A template that doesn't sign gets the signature every letter needs.
    if (str_find(l.text, S("\n> ")) < 0 && unit.len + date.len > 0) {
        l.text = arena_concat(a, (Str[]){l.text, S("\n\n> "), unit, S("\n> "), date}, 5);
    }
    if (verify_url.len > 0) {
        Status st = qr_make(verify_url, a, &l.qr, err);
        if (st != OK) return st;
        l.has_qr = true;
    }
    return print(&l, a, ret, err);
}

Status text_pdf(Str title, Str text, Arena *a, Str *ret, Error *err) {
    Status st = printable(title, err);
    if (st == OK) st = printable(text, err);
    if (st != OK) return st;
    Letter l = {.title = title, .plain = true};
    l.text = without_title(text, &l.title);
    return print(&l, a, ret, err);
}
