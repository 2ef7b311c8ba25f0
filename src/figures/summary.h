// The work summary (工作总结), written from the records: a text template over the figures, in which
// every number carries a link to what it counts.
#pragma once

#include "figures/figures.h"

// {title, from, to, blocks: [{heading} | {spans: [{text} | {text, figure, href}]}], markdown,
// figures: {code: {value, text, href, …}}}. `base` is put before the links ("", or "https://…" for
// a document that leaves the house).
MUST_USE Status summary_write(const Figures *f, Db *db, const FigureScope *scope, Str county,
                              Str lang, Str base, Instant now, Arena *a, Value *ret, Error *err);
// The same of figures that were computed already: {code: value} of figures_compute.
MUST_USE Status summary_of(const Figures *f, Value values, const FigureScope *scope, Str county,
                           Str lang, Str base, Instant now, Arena *a, Value *ret, Error *err);
// The same as an A4 PDF, with a table of the figures at its end.
MUST_USE Status summary_pdf(Value summary, Str lang, Arena *a, Str *ret, Error *err);
