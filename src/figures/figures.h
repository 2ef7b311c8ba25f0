// Figures (指标): indicators as data, computed from records, each opening into exactly the records
// it counted (law 7). An indicator is an entry of figures/*.json:
//
//   {"code", "name", "name_en", "unit", "unit_en", "note", "from": cases|handlings|ratings|ledger,
//    "at": received|accepted|decided|closed (of cases), "measure": count|parties|sum, "where": {…},
//    "money": true}
//   {"code", …, "formula": FEEL over the codes of other indicators}
//
// `where` knows: public, kind, state, outcome, overdue, item, bundle, channel, grade_min,
// grade_max, ledger. Each is one fixed SQL condition with bound parameters; whatever is not known
// is refused at loading. Counts, sums and the listing of records are made from the same condition
// text, so a number and its records cannot disagree.
#pragma once

#include "case/case.h"

typedef struct Figures Figures;

enum { FIGURES_MAX = 500, FIGURE_WHERE_MAX = 8, FIGURE_SERIES_MAX = 2000, FIGURE_PAGE_MAX = 100 };

typedef struct FigureScope {
    Day from, to;   // both counted
    Str unit, town; // codes; empty: all
} FigureScope;

// All figures/*.json of the binary. Error.where is "file: code".
MUST_USE Status figures_load(Arena *a, const Figures **ret, Error *err);
// The same from given text; for tests and for a county's own.
MUST_USE Status figures_parse(Str file, Str json, Arena *a, const Figures **ret, Error *err);

// {code: value}: counts as numbers, money as fen, rates as decimals, null where there is nothing to
// divide by. `group` empty: all.
MUST_USE Status figures_compute(const Figures *f, Db *db, const FigureScope *scope, Arena *a,
                                Value *ret, Error *err);
MUST_USE Status figure_compute(const Figures *f, Db *db, Str code, const FigureScope *scope,
                               Arena *a, Value *ret, Error *err);
// By day, unit, town, item, channel or grade, largest first (days in order): [{key, name, name_en,
// value}].
MUST_USE Status figure_series(const Figures *f, Db *db, Str code, Str by, const FigureScope *scope,
                              uint32_t most, Arena *a, Value *ret, Error *err);
// The records behind it, newest first: {figure: {…}, kind: cases|handlings|ratings|ledger|formula,
// rows, next, value, parts}. Names of persons are masked; ratings come without their case (the
// rater is confidential).
MUST_USE Status figure_records(const Figures *f, Db *db, Str code, const FigureScope *scope,
                               Str after, uint32_t page_size, Arena *a, Value *ret, Error *err);
// {code, name, name_en, unit, unit_en, note, money, formula, parts: [codes]} or null.
Value figure_about(const Figures *f, Str code, Arena *a);
size_t figures_count(const Figures *f);
Str figure_code(const Figures *f, size_t i);
// As printed: 123,456; 98.76; ¥1,234,500.00 → "123.45 万元".
Str figure_print(const Figures *f, Str code, Value v, Str lang, Arena *a);
