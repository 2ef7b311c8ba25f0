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

// What a condition asks, for those that tally.c can answer without the database.
typedef enum Check { CHECK_NONE, CHECK_PUBLIC, CHECK_KIND, CHECK_BUNDLE, CHECK_CHANNEL } Check;

typedef struct Condition {
    const char *before, *after; // SQL around the bound parameter; after NULL: no parameter
    Value value;
    Check check;
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
    bool by_instant; // its rows come from the index by its instant, whatever else is asked
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

// ---- tally.c: several figures, and their series, in one walk
typedef struct Tally Tally;
// Is the figure among those a walk by this instant counts?
bool tally_fits(const Indicator *in, const char *at);
// `at`: "c.accepted_at" or "c.decided_at". NULL when there is nothing to tally.
Status tally_make(const Figures *f, Db *db, const FigureScope *scope, const char *at, Arena *a,
                  const Tally **ret, Error *err);
// False when the figure is not in it; `t` may be NULL.
bool tally_count(const Tally *t, const Indicator *in, int64_t *ret);
// As figure_series; *ret_has false: not in it.
Status tally_series(const Tally *t, Db *db, const Indicator *in, Str by, uint32_t most, Arena *a,
                    Value *ret, bool *ret_has, Error *err);
// figures_compute with what was tallied already; each may be NULL.
Status figures_from(const Figures *f, Db *db, const FigureScope *scope, const Tally *accepted,
                    const Tally *decided, Arena *a, Value *ret, Error *err);
