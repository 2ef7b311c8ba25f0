// What differs between two texts, by lines: the shortest way from one to the other (Myers), shown
// with some lines around each change as `diff -u` does.
#pragma once

#include "value/value.h"

enum {
    DIFF_LINES_MAX = 100000, // of a text; LIMIT beyond
    DIFF_WAY_MAX = 1000,     // lines added and removed; beyond it the middle counts as replaced
    DIFF_AROUND = 3,         // unchanged lines shown at both sides of a change
};

// {added, removed, hunks: [{old, new (first line numbers), lines: [{kind: "same"|"added"|"removed",
// value, old, new}]}]}. A line number is null on the side where the line does not stand.
MUST_USE Status text_diff(Str before, Str after, Arena *a, Value *ret, Error *err);
