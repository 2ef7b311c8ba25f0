// What the files of the figures room share.
#pragma once

#include "figures/figures.h"

typedef enum Source {
    SOURCE_FORMULA,
    SOURCE_CASES,
    SOURCE_HANDLINGS,
    SOURCE_RATINGS,
    SOURCE_LEDGER
} Source;

typedef struct Condition {
    const char *before, *after; // SQL around the bound parameter; after NULL: no parameter
    Value value;
} Condition;

typedef struct Indicator {
    Str code;
    Value spec; // the entry of the file
    Source source;
    const char *at;      // SQL of the instant it counts by
    const char *measure; // SQL of the aggregate
    Condition where[FIGURE_WHERE_MAX];
    size_t where_count;
    const FeelExpr *formula;
    Str *reads; // codes a formula reads
    size_t reads_count;
    bool money;
} Indicator;

struct Figures {
    Indicator *items;
    size_t count;
};

const Indicator *indicator_find(const Figures *f, Str code);

// A statement under construction: literal SQL and bound parameters.
typedef struct Sql {
    Buf text;
    Value params[FIGURE_WHERE_MAX + 8];
    int count;
} Sql;

Sql sql_make(Arena *a);
void sql_lit(Sql *s, const char *literal);
void sql_param(Sql *s, Value v); // writes ?n
Query *sql_query(Sql *s, Db *db, Arena *a);
const char *source_from(Source s);
// " WHERE at in scope AND the indicator's conditions".
void sql_where(Sql *s, const Indicator *in, const FigureScope *scope);
