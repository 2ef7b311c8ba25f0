// Decimal: IEEE 754-2008 decimal128, 34 digits, over Intel's library. Money, rates and scores are
// Decimals from socket to disk; a float never touches them. Rounding is half-even as FEEL says.
//
// Every Decimal that is parsed, read or returned as true/OK is finite, and there is no negative
// zero. Only add, sub, mul, pow and exp can leave the range (past 9.99E+6144); they then return a
// Decimal of which decimal_finite is false, and whoever computes with users' numbers asks once at
// the end (FEEL turns it into null). Such a Decimal stays not finite through further arithmetic.
#pragma once

#include "base/error.h"

typedef struct Decimal {
    uint64_t word[2]; // BID encoding
} Decimal;

enum {
    DECIMAL_DIGITS_MAX = 34,
    DECIMAL_EXPONENT_MIN = -6176, // of the last digit
    DECIMAL_EXPONENT_MAX = 6111,
    DECIMAL_PRINT_MAX = 48, // bytes that decimal_print writes at most
};

Decimal decimal_from_int(int64_t n);
// coefficient * 10^exponent: decimal_from_parts(12345, -2) is 123.45. The exponent must be within
// DECIMAL_EXPONENT_MIN and _MAX.
Decimal decimal_from_parts(int64_t coefficient, int32_t exponent);
// JSON's or FEEL's number grammar ("-0.5", ".5", "1E+3", "007"), exact or rounded to 34 digits.
// False: not a number, or the exponent is out of range.
MUST_USE bool decimal_parse(Str s, Decimal *ret);
// Plain ("1234.50": zeros at the end are kept), no exponent unless > 40 characters. Reading it
// back gives an equal Decimal. One that isn't finite prints null, so that JSON stays JSON.
void decimal_print(Buf *out, Decimal d);
Decimal decimal_add(Decimal a, Decimal b);
Decimal decimal_sub(Decimal a, Decimal b);
Decimal decimal_mul(Decimal a, Decimal b);
// Untouched and false when b is zero or the result is out of range.
MUST_USE bool decimal_div(Decimal a, Decimal b, Decimal *ret);
// The remainder with the sign of b, as FEEL's modulo: a - b * floor(a / b). Untouched and false
// when b is zero or the result is out of range.
MUST_USE bool decimal_mod(Decimal a, Decimal b, Decimal *ret);
Decimal decimal_neg(Decimal d);
Decimal decimal_abs(Decimal d);
int decimal_cmp(Decimal a, Decimal b); // -1, 0, 1; finite values only exist
int decimal_sign(Decimal d);           // -1, 0, 1
bool decimal_finite(Decimal d);
bool decimal_is_integer(Decimal d);
MUST_USE bool decimal_to_int(Decimal d, int64_t *ret); // integral and within int64
typedef enum Rounding { ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_UP, ROUND_DOWN,
                        ROUND_FLOOR, ROUND_CEILING } Rounding;
// scale: digits after the point (negative: before it), clamped to what the exponent can say.
// HALF_UP and HALF_DOWN and UP and DOWN are away from and towards zero. A number with fewer
// digits gets zeros ("1.5" at scale 2 is "1.50") when 34 digits are enough for them, and stays as
// it is otherwise.
Decimal decimal_round(Decimal d, int32_t scale, Rounding mode);
// Without zeros at the end: 1.50 -> 1.5, 100 stays 100.
Decimal decimal_trim(Decimal d);
// b integral: repeated multiplication, exact while 34 digits hold it. False: undefined (0 to a
// negative power, a root of a negative number) or out of range.
MUST_USE bool decimal_pow(Decimal a, Decimal b, Decimal *ret);
MUST_USE bool decimal_sqrt(Decimal d, Decimal *ret); // false for negative numbers
MUST_USE bool decimal_exp(Decimal d, Decimal *ret);  // false: out of range
MUST_USE bool decimal_ln(Decimal d, Decimal *ret);   // false unless d > 0
