// Letters (文书): a letter is a kind, a number, and the model its template was given; the PDF is
// printed from them whenever it is asked for and is the same for ever. Each carries a QR code that
// a public page verifies.
#pragma once

#include "case/item.h"

enum { LETTER_PAGES_MAX = 50, LETTER_LOOKS_PER_MINUTE_MAX = 60 };

// Issues a letter within a command. `model`: see docs/packs.md. *ret: {number, code, kind}.
MUST_USE Status letter_issue(Tx *tx, const Item *item, int64_t case_id, Str kind, Value model,
                             int64_t by, Value *ret, Errors *errs);
// The PDF, A4 (cairo + pango), deterministic: the same letter gives the same bytes. `verify_url` is
// printed as QR code.
MUST_USE Status letter_pdf(Str title, Str text, Str number, Str unit, Str date, Str verify_url,
                           bool red_head, Arena *a, Str *ret, Error *err);
// {kind, title, number, text, created, verify_url, digest…} of one letter; by code for the public
// page (masked).
MUST_USE Status letter_view(Db *db, Items *items, Str code, Arena *a, Value *ret, Error *err);
// A QR code as SVG for pages.
MUST_USE Status qr_svg(Str text, Arena *a, Str *ret, Error *err);
// Any Markdown-like summary text (headings #, paragraphs, | tables |) as an A4 PDF.
MUST_USE Status text_pdf(Str title, Str text, Arena *a, Str *ret, Error *err);
