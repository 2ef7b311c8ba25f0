// Tables as CSV (RFC 4180, with the mark that tells Excel it is UTF-8) and xlsx (libxlsxwriter in
// its constant memory mode).
//
// Invariants: a text that a spreadsheet would run as a formula (=, +, -, @, tab, carriage return
// first) gets an apostrophe before it in CSV, and is written as a string in xlsx; a temporary file
// is gone when the reply is made. Limits: EXPORT_ROWS_MAX, EXPORT_BYTES_MAX.
#include "base/crypto.h"
#include "base/file.h"
#include "pages/workplace.h"

#include <unistd.h>
#include <xlsxwriter.h>

enum { NAME_BYTES = 12 };

struct Export {
    Request *rq;
    const ExportColumn *columns;
    size_t columns_count, column, rows;
    Buf csv;
    lxw_workbook *book; // NULL: CSV
    lxw_worksheet *sheet;
    Str path;
};

static bool is_formula(Str s) { return s.len && strchr("=+-@\t\r", s.ptr[0]) != NULL; }

static void csv_cell(Export *x, Str s, bool number) {
    if (x->column) buf_char(&x->csv, ',');
    bool quote = false, guard = !number && is_formula(s);
    for (size_t i = 0; i < s.len && !quote; i++) quote = strchr(",\"\r\n", s.ptr[i]) != NULL;
    if (quote) buf_char(&x->csv, '"');
    if (guard) buf_char(&x->csv, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"') buf_char(&x->csv, '"');
        buf_char(&x->csv, s.ptr[i]);
    }
    if (quote) buf_char(&x->csv, '"');
}

static void next_cell(Export *x) {
    x->column++;
    if (x->column < x->columns_count) return;
    x->column = 0;
    x->rows++;
    if (!x->book) buf_lit(&x->csv, "\r\n");
}

// A sheet's own number type is binary: only whole numbers that it holds exactly go in as numbers,
// everything else as text.
static bool sheet_number(Str s, double *ret) {
    int64_t n;
    if (!str_to_int(s, &n) || n > (1ll << 53) || n < -(1ll << 53)) return false;
    *ret = (double)n;
    return true;
}

void export_cell(Export *x, Str s) {
    bool number = x->rows && x->columns[x->column].number;
    if (!x->book) {
        csv_cell(x, s, number);
    } else {
        Arena *a = x->rq->arena; // nothing that stays is made between the mark and the rewind
        ArenaMark mark = arena_mark(a);
        double n;
        lxw_row_t row = (lxw_row_t)x->rows;
        lxw_col_t col = (lxw_col_t)x->column;
        if (number && sheet_number(s, &n)) {
            (void)worksheet_write_number(x->sheet, row, col, n, NULL);
        } else {
            (void)worksheet_write_string(x->sheet, row, col, arena_cstr(a, s), NULL);
        }
        arena_rewind(a, mark);
    }
    next_cell(x);
}

void export_cell_value(Export *x, Value v) {
    export_cell(x, v.kind == V_STRING ? v_text(v) : v_to_str(v, x->rq->arena));
}

void export_drop(Export *x) {
    if (!x->book) return;
    (void)workbook_close(x->book);
    (void)unlink(arena_cstr(x->rq->arena, x->path));
}

size_t export_rows(const Export *x) { return x->rows ? x->rows - 1 : 0; }

static Status start_book(Export *x, Error *err) {
    Arena *a = x->rq->arena;
    Str folder = path_join(a, x->rq->app->data_dir, S("tmp"));
    Status st = dir_make(folder, 0700, a, err);
    if (st != OK) return st;
    x->path = path_join(a, folder,
                        arena_printf(a, "export-%.*s.xlsx", S_FMT(random_token(NAME_BYTES, a))));
    lxw_workbook_options options = {.constant_memory = LXW_TRUE,
                                    .tmpdir = (char *)(uintptr_t)arena_cstr(a, folder)};
    x->book = workbook_new_opt(arena_cstr(a, x->path), &options);
    x->sheet = x->book ? workbook_add_worksheet(x->book, NULL) : NULL;
    if (!x->sheet) return error_set(err, NO_SPACE, S(""), "无法写出表格文件");
    for (size_t i = 0; i < x->columns_count; i++) {
        (void)worksheet_set_column(x->sheet, (lxw_col_t)i, (lxw_col_t)i, x->columns[i].width, NULL);
    }
    worksheet_freeze_panes(x->sheet, 1, 0);
    return OK;
}

Status export_start(Request *rq, bool xlsx, const ExportColumn *columns, size_t count, Export **ret,
                    Error *err) {
    Export *x = arena_new(rq->arena, Export);
    *x = (Export){.rq = rq, .columns = columns, .columns_count = count};
    if (xlsx) {
        Status st = start_book(x, err);
        if (st != OK) return st;
    } else {
        x->csv = buf_make(rq->arena, 64 << 10, EXPORT_BYTES_MAX);
        buf_lit(&x->csv, "\xef\xbb\xbf");
    }
    for (size_t i = 0; i < count; i++) export_cell(x, request_tr(rq, columns[i].title));
    *ret = x;
    return OK;
}

Status export_finish(Export *x, Reply *reply, Str name, Error *err) {
    Arena *a = x->rq->arena;
    if (x->book) {
        lxw_error failed = workbook_close(x->book);
        Status st = failed ? error_set(err, NO_SPACE, S(""), "无法写出表格文件")
                           : file_read(x->path, EXPORT_BYTES_MAX, a, &reply->body, err);
        (void)unlink(arena_cstr(a, x->path));
        if (st != OK) return st;
        reply->type = S("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
        reply->file_name = arena_printf(a, "%.*s.xlsx", S_FMT(name));
        return OK;
    }
    if (x->csv.full) return error_set(err, LIMIT, S(""), "导出的内容过大，请缩小筛选范围");
    reply->body = buf_view(&x->csv);
    reply->type = S("text/csv; charset=utf-8");
    reply->file_name = arena_printf(a, "%.*s.csv", S_FMT(name));
    return OK;
}
