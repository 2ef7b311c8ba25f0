// What the pages of the workplace share: lists that are addresses, units to choose from, tables as
// CSV and xlsx.
#pragma once

#include "pages/page_tools.h"
#include "pages/pages.h"

enum {
    EXPORT_ROWS_MAX =
        50000, // rows of one exported table; past it a refusal says to narrow the filter
    EXPORT_FIGURE_ROWS_MAX = 10000, // records behind a figure, whose pages cost a count each
    EXPORT_BYTES_MAX = 16 << 20,    // bytes of a file
    EXPORT_COLUMNS_MAX = 20,
};

// [{code, name, chosen}] of all units of a kind ("" all), named in the language of the request.
MUST_USE Status work_units(Request *rq, Str kind, Str chosen, Value *ret, Error *err);
// `row` with item_name and unit_name in the language of the request.
Value work_named_row(const Request *rq, Value row);
// `query` with one member replaced; an empty text takes it away.
Value work_with(const Request *rq, Value query, Str name, Str value);
// [{value, label, chosen}] from pairs of value and Chinese label.
Value work_options(const Request *rq, const char *const pairs[][2], size_t count, Str chosen);
// The period of an address: from, to; *ret_given says whether any was named. INVALID at "from" or
// "to".
MUST_USE Status work_period(const Request *rq, Day otherwise_from, Day otherwise_to,
                            FigureScope *ret, bool *ret_given, Errors *errs);
// From 1 January of the year of the newest case to its day.
MUST_USE Status work_default_days(Request *rq, Day *ret_from, Day *ret_to, Error *err);
// Presets of periods as links: [{label, href, active}]; `path` with from and to.
Value work_presets(const Request *rq, Str path, const FigureScope *scope, Day newest);

// request_command where the errors say everything: true when it was done.
bool work_command(Request *rq, Str command, Value input, Value *ret, Errors *wrong);

// A table being exported. Cells are texts; numbers are said to be numbers so that xlsx can add
// them.
typedef struct Export Export;
typedef struct ExportColumn {
    const char *title; // Chinese, translated
    double width;      // in characters, for xlsx
    bool number;
} ExportColumn;
MUST_USE Status export_start(Request *rq, bool xlsx, const ExportColumn *columns, size_t count,
                             Export **ret, Error *err);
void export_cell(Export *x, Str text); // one after another, row by row
void export_cell_value(Export *x, Value v);
// Fills the reply with the file. LIMIT when there was too much.
MUST_USE Status export_finish(Export *x, Reply *reply, Str name, Error *err);
size_t export_rows(const Export *x);
void export_drop(Export *x); // instead of export_finish, when something failed
