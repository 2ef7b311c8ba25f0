// Decimal: IEEE 754-2008 decimal128, 34 digits, over Intel's library. Money, rates and scores are
// Decimals from socket to disk; a float never touches them. Rounding is half-even as FEEL says.
#pragma once

#include "base/error.h"

typedef struct Decimal {
    uint64_t word[2]; // BID encoding
} Decimal;

Decimal decimal_from_int(int64_t n);
// JSON's or FEEL's number grammar, exact or rounded to 34 digits. False: not a number, or the
// exponent is out of range.
MUST_USE bool decimal_parse(Str s, Decimal *ret);
void decimal_print(Buf *out, Decimal d); // plain, no exponent unless > 40 characters
Decimal decimal_add(Decimal a, Decimal b);
Decimal decimal_sub(Decimal a, Decimal b);
Decimal decimal_mul(Decimal a, Decimal b);
// Untouched and false when b is zero.
MUST_USE bool decimal_div(Decimal a, Decimal b, Decimal *ret);
int decimal_cmp(Decimal a, Decimal b); // finite values only exist
bool decimal_is_integer(Decimal d);
MUST_USE bool decimal_to_int(Decimal d, int64_t *ret); // integral and within int64
typedef enum Rounding { ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_UP, ROUND_DOWN,
                        ROUND_FLOOR, ROUND_CEILING } Rounding;
Decimal decimal_round(Decimal d, int32_t scale, Rounding mode); // scale: digits after the point
