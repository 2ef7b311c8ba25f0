// Decimal: numbers of everyday size are handled here, everything else by Intel's library.
//
// In the BID encoding a finite number is a sign, a biased exponent of 14 bits and a coefficient of
// 113 bits, so counts, money and rates are one shift away from an integer. Each operation tries
// the exact integer way first and falls to the library when the result would not fit 34 digits.
//
// Invariants: coefficients are at most 10^34 - 1 (the encoding's second form, for larger ones,
// is never made); zero has no sign. The library is the variant that takes operands by value and
// the rounding mode and status flags as parameters, so there is no state shared by threads.
#include "value/decimal.h"

#define DECIMAL_CALL_BY_REFERENCE 0
#define DECIMAL_GLOBAL_ROUNDING 0
#define DECIMAL_GLOBAL_EXCEPTION_FLAGS 0
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <bid_conf.h>
#include <bid_functions.h>
#pragma GCC diagnostic pop

typedef unsigned __int128 Wide;

enum {
    BIAS = 6176,
    EXPONENT_SHIFT = 49,
    POWERS = 39, // 10^38 is the largest that 128 bits hold
    PLAIN_MAX = 40,
    EXPONENT_DIGITS_CLAMP = 1 << 28, // exponents of texts are counted no further than this
    RND_HALF_EVEN = 0,               // the library's number for it
    POW_INTEGER_MAX = 1 << 20,       // larger integral powers go to the library
};

static const uint64_t sign_bit = (uint64_t)1 << 63;
static const uint64_t special_bits = (uint64_t)3 << 61; // set: infinite, not a number, or not ours
static const uint64_t coefficient_high = ((uint64_t)1 << EXPONENT_SHIFT) - 1;

#define TEN19 10000000000000000000u
static const uint64_t powers64[] = {
    1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u,
    10000000000u, 100000000000u, 1000000000000u, 10000000000000u, 100000000000000u,
    1000000000000000u, 10000000000000000u, 100000000000000000u, 1000000000000000000u, TEN19,
};

// 10^n for n < POWERS.
static Wide power_of_ten(int n) {
    return n < 20 ? powers64[n] : (Wide)TEN19 * powers64[n - 19];
}

// 10^34
static Wide coefficient_end(void) { return (Wide)TEN19 * powers64[15]; }

typedef struct Parts {
    bool negative;
    int32_t exponent;
    Wide coefficient;
} Parts;

bool decimal_finite(Decimal d) { return (d.word[1] & special_bits) != special_bits; }

static inline Parts unpack(Decimal d) {
    return (Parts){
        .negative = (d.word[1] & sign_bit) != 0,
        .exponent = (int32_t)(d.word[1] >> EXPONENT_SHIFT & 0x3FFF) - BIAS,
        .coefficient = (Wide)(d.word[1] & coefficient_high) << 64 | d.word[0],
    };
}

static inline Decimal pack(Parts p) {
    uint64_t high = (uint64_t)(p.coefficient >> 64);
    if (p.negative && p.coefficient != 0) high |= sign_bit;
    high |= (uint64_t)(uint32_t)(p.exponent + BIAS) << EXPONENT_SHIFT;
    return (Decimal){{(uint64_t)p.coefficient, high}};
}

static inline BID_UINT128 to_bid(Decimal d) {
    BID_UINT128 b;
    b.w[0] = d.word[0];
    b.w[1] = d.word[1];
    return b;
}

// From the library: the sign of zero is dropped, coefficients it may give in other forms too.
static Decimal from_bid(BID_UINT128 b) {
    Decimal d = {{b.w[0], b.w[1]}};
    return decimal_finite(d) ? pack(unpack(d)) : d;
}

static bool deliver(Decimal d, Decimal *ret) {
    if (!decimal_finite(d)) return false;
    *ret = d;
    return true;
}

Decimal decimal_from_int(int64_t n) { return decimal_from_parts(n, 0); }

Decimal decimal_from_parts(int64_t coefficient, int32_t exponent) {
    bool negative = coefficient < 0;
    uint64_t size = negative ? 0 - (uint64_t)coefficient : (uint64_t)coefficient;
    return pack((Parts){.negative = negative, .exponent = exponent, .coefficient = size});
}

// --- texts

typedef struct Scan {
    Wide coefficient;
    int32_t digits;   // of the coefficient
    int64_t dropped;  // digits behind the 34th, and what they were:
    bool tail;        // something not zero behind the first dropped digit
    int first;        // the first dropped digit
} Scan;

static inline void scan_digit(Scan *s, int digit) {
    if (s->digits < DECIMAL_DIGITS_MAX) {
        if (s->digits < 19) {
            s->coefficient = (uint64_t)s->coefficient * 10 + (uint64_t)digit;
        } else {
            s->coefficient = s->coefficient * 10 + (unsigned)digit;
        }
        if (s->coefficient != 0) s->digits++;
    } else {
        if (s->dropped == 0) s->first = digit;
        else if (digit != 0) s->tail = true;
        s->dropped++;
    }
}

// Rounds what was dropped to even, and fits the exponent by moving zeros. False: out of range.
static bool scan_finish(Scan *s, bool negative, int64_t exponent, Decimal *ret) {
    exponent += s->dropped;
    bool up = s->first > 5 || (s->first == 5 && (s->tail || (s->coefficient & 1)));
    if (up && ++s->coefficient == coefficient_end()) {
        s->coefficient /= 10;
        exponent++;
    }
    if (s->coefficient == 0) {
        if (exponent > DECIMAL_EXPONENT_MAX) exponent = DECIMAL_EXPONENT_MAX;
        if (exponent < DECIMAL_EXPONENT_MIN) exponent = DECIMAL_EXPONENT_MIN;
    }
    while (exponent > DECIMAL_EXPONENT_MAX && s->coefficient < coefficient_end() / 10) {
        s->coefficient *= 10;
        exponent--;
    }
    while (exponent < DECIMAL_EXPONENT_MIN && s->coefficient % 10 == 0) {
        s->coefficient /= 10;
        exponent++;
    }
    if (exponent > DECIMAL_EXPONENT_MAX || exponent < DECIMAL_EXPONENT_MIN) return false;
    *ret = pack((Parts){negative, (int32_t)exponent, s->coefficient});
    return true;
}

static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "E+12" from s[at] to the end. False: malformed.
static bool scan_exponent(Str s, size_t at, int64_t *exponent) {
    bool negative = false;
    at++;
    if (at < s.len && (s.ptr[at] == '+' || s.ptr[at] == '-')) negative = s.ptr[at++] == '-';
    if (at == s.len) return false;
    int64_t n = 0;
    for (; at < s.len; at++) {
        if (!is_digit(s.ptr[at])) return false;
        n = n * 10 + (s.ptr[at] - '0');
        if (n > EXPONENT_DIGITS_CLAMP) n = EXPONENT_DIGITS_CLAMP;
    }
    *exponent += negative ? -n : n;
    return true;
}

bool decimal_parse(Str s, Decimal *ret) {
    Scan scan = {0};
    size_t at = 0;
    bool negative = s.len && s.ptr[0] == '-';
    if (negative) at++;
    size_t whole = at;
    for (; at < s.len && is_digit(s.ptr[at]); at++) scan_digit(&scan, s.ptr[at] - '0');
    bool digits = at > whole;
    int64_t exponent = 0;
    if (at < s.len && s.ptr[at] == '.') {
        size_t fraction = ++at;
        for (; at < s.len && is_digit(s.ptr[at]); at++) scan_digit(&scan, s.ptr[at] - '0');
        if (at == fraction) return false;
        exponent = -(int64_t)(at - fraction);
        digits = true;
    }
    if (!digits) return false;
    if (at < s.len) {
        if (s.ptr[at] != 'e' && s.ptr[at] != 'E') return false;
        if (!scan_exponent(s, at, &exponent)) return false;
    }
    return scan_finish(&scan, negative, exponent, ret);
}

// The digits of n ending before `end`; returns how many.
static int write_digits(char *end, Wide n) {
    char *p = end;
    while (n > UINT64_MAX) {
        uint64_t low = (uint64_t)(n % TEN19);
        n /= TEN19;
        for (int i = 0; i < 19; i++, low /= 10) *--p = (char)('0' + low % 10);
    }
    uint64_t rest = (uint64_t)n;
    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    return (int)(end - p);
}

static void print_scientific(Buf *out, const char *digits, int n, int32_t exponent) {
    buf_char(out, digits[0]);
    if (n > 1) {
        buf_char(out, '.');
        buf_bytes(out, digits + 1, (size_t)n - 1);
    }
    int32_t shown = exponent + n - 1;
    if (shown >= 0) buf_lit(out, "E+");
    else buf_lit(out, "E");
    buf_int(out, shown);
}

void decimal_print(Buf *out, Decimal d) {
    static const char zeros[PLAIN_MAX + 1] = "0000000000000000000000000000000000000000";
    if (!decimal_finite(d)) {
        buf_lit(out, "null");
        return;
    }
    Parts p = unpack(d);
    char room[DECIMAL_PRINT_MAX];
    int n = write_digits(room + sizeof room, p.coefficient);
    const char *digits = room + sizeof room - n;
    if (p.negative) buf_char(out, '-');
    if (p.exponent >= 0) {
        if (p.coefficient == 0) {
            buf_char(out, '0');
        } else if (n + p.exponent > PLAIN_MAX) {
            print_scientific(out, digits, n, p.exponent);
        } else {
            buf_bytes(out, digits, (size_t)n);
            buf_bytes(out, zeros, (size_t)p.exponent);
        }
        return;
    }
    int32_t fraction = -p.exponent;
    int32_t plain = (n > fraction ? n : fraction + 1) + 1;
    if (plain > PLAIN_MAX) {
        print_scientific(out, digits, n, p.exponent);
    } else if (n > fraction) {
        buf_bytes(out, digits, (size_t)(n - fraction));
        buf_char(out, '.');
        buf_bytes(out, digits + (n - fraction), (size_t)fraction);
    } else {
        buf_lit(out, "0.");
        buf_bytes(out, zeros, (size_t)(fraction - n));
        buf_bytes(out, digits, (size_t)n);
    }
}

// --- arithmetic

// Brings two to one exponent, the lower. False when that does not fit.
static inline bool align(Parts *a, Parts *b) {
    if (a->exponent == b->exponent) return true;
    Parts *high = a->exponent > b->exponent ? a : b;
    int32_t lowest = a->exponent > b->exponent ? b->exponent : a->exponent;
    int32_t steps = high->exponent - lowest;
    if (steps > 15 || high->coefficient > UINT64_MAX) return false; // 64 + 50 bits: < 2^114
    high->coefficient *= powers64[steps];
    high->exponent = lowest;
    return true;
}

Decimal decimal_add(Decimal a, Decimal b) {
    if (decimal_finite(a) && decimal_finite(b)) {
        Parts x = unpack(a), y = unpack(b);
        if (align(&x, &y)) {
            if (x.negative == y.negative) x.coefficient += y.coefficient;
            else if (x.coefficient >= y.coefficient) x.coefficient -= y.coefficient;
            else {
                x.coefficient = y.coefficient - x.coefficient;
                x.negative = y.negative;
            }
            if (x.coefficient < coefficient_end()) return pack(x);
        }
    }
    _IDEC_flags flags = 0;
    return from_bid(bid128_add(to_bid(a), to_bid(b), RND_HALF_EVEN, &flags));
}

Decimal decimal_neg(Decimal d) {
    if (!decimal_finite(d)) return d;
    Parts p = unpack(d);
    p.negative = !p.negative;
    return pack(p);
}

Decimal decimal_abs(Decimal d) {
    if (!decimal_finite(d)) return d;
    return (Decimal){{d.word[0], d.word[1] & ~sign_bit}};
}

Decimal decimal_sub(Decimal a, Decimal b) { return decimal_add(a, decimal_neg(b)); }

Decimal decimal_mul(Decimal a, Decimal b) {
    if (decimal_finite(a) && decimal_finite(b)) {
        Parts x = unpack(a), y = unpack(b);
        int32_t exponent = x.exponent + y.exponent;
        if (x.coefficient <= UINT64_MAX && y.coefficient <= UINT64_MAX &&
            exponent >= DECIMAL_EXPONENT_MIN && exponent <= DECIMAL_EXPONENT_MAX) {
            Parts product = {x.negative != y.negative, exponent, x.coefficient * y.coefficient};
            if (product.coefficient < coefficient_end()) return pack(product);
        }
    }
    _IDEC_flags flags = 0;
    return from_bid(bid128_mul(to_bid(a), to_bid(b), RND_HALF_EVEN, &flags));
}

bool decimal_div(Decimal a, Decimal b, Decimal *ret) {
    if (decimal_finite(b) && unpack(b).coefficient == 0) return false;
    _IDEC_flags flags = 0;
    return deliver(from_bid(bid128_div(to_bid(a), to_bid(b), RND_HALF_EVEN, &flags)), ret);
}

bool decimal_mod(Decimal a, Decimal b, Decimal *ret) {
    if (!decimal_finite(a) || !decimal_finite(b) || unpack(b).coefficient == 0) return false;
    Parts x = unpack(a), y = unpack(b);
    if (align(&x, &y)) {
        Parts rest = {x.negative, x.exponent, x.coefficient % y.coefficient};
        if (rest.coefficient != 0 && x.negative != y.negative) {
            rest.coefficient = y.coefficient - rest.coefficient;
            rest.negative = y.negative;
        }
        if (rest.coefficient < coefficient_end()) {
            *ret = pack(rest);
            return true;
        }
    }
    _IDEC_flags flags = 0;
    Decimal rest = from_bid(bid128_fmod(to_bid(a), to_bid(b), &flags));
    if (!decimal_finite(rest)) return false;
    int sign = decimal_sign(rest);
    if (sign != 0 && sign != decimal_sign(b)) rest = decimal_add(rest, b);
    return deliver(rest, ret);
}

int decimal_sign(Decimal d) {
    if (decimal_finite(d) && unpack(d).coefficient == 0) return 0;
    return d.word[1] & sign_bit ? -1 : 1;
}

int decimal_cmp(Decimal a, Decimal b) {
    if (decimal_finite(a) && decimal_finite(b)) {
        int sign_a = decimal_sign(a), sign_b = decimal_sign(b);
        if (sign_a != sign_b) return sign_a < sign_b ? -1 : 1;
        Parts x = unpack(a), y = unpack(b);
        if (align(&x, &y)) {
            if (x.coefficient == y.coefficient) return 0;
            return (x.coefficient < y.coefficient) != x.negative ? -1 : 1;
        }
    }
    _IDEC_flags flags = 0;
    if (bid128_quiet_less(to_bid(a), to_bid(b), &flags)) return -1;
    return bid128_quiet_equal(to_bid(a), to_bid(b), &flags) ? 0 : 1;
}

bool decimal_is_integer(Decimal d) {
    if (!decimal_finite(d)) return false;
    Parts p = unpack(d);
    if (p.exponent >= 0 || p.coefficient == 0) return true;
    if (p.exponent < -DECIMAL_DIGITS_MAX) return false;
    return p.coefficient % power_of_ten(-p.exponent) == 0;
}

bool decimal_to_int(Decimal d, int64_t *ret) {
    if (!decimal_is_integer(d)) return false;
    Parts p = unpack(d);
    if (p.exponent < 0 && p.coefficient != 0) p.coefficient /= power_of_ten(-p.exponent);
    if (p.exponent > 0 && p.coefficient != 0) {
        if (p.exponent > 18 || p.coefficient > UINT64_MAX) return false;
        p.coefficient *= power_of_ten(p.exponent);
    }
    Wide most = (Wide)INT64_MAX + p.negative;
    if (p.coefficient > most) return false;
    uint64_t size = (uint64_t)p.coefficient;
    *ret = (int64_t)(p.negative ? 0 - size : size);
    return true;
}

// --- rounding

// Whether the coefficient goes up by one when `rest` of `unit` (rest < unit) is dropped.
static bool rounds_up(Wide rest, Wide unit, bool odd, bool negative, Rounding mode) {
    if (rest == 0) return false;
    Wide half = unit / 2;
    switch (mode) {
    case ROUND_HALF_EVEN: return rest > half || (rest == half && odd);
    case ROUND_HALF_UP: return rest >= half;
    case ROUND_HALF_DOWN: return rest > half;
    case ROUND_UP: return true;
    case ROUND_DOWN: return false;
    case ROUND_FLOOR: return negative;
    case ROUND_CEILING: return !negative;
    }
    return false;
}

Decimal decimal_round(Decimal d, int32_t scale, Rounding mode) {
    if (!decimal_finite(d)) return d;
    if (scale > -DECIMAL_EXPONENT_MIN) scale = -DECIMAL_EXPONENT_MIN;
    if (scale < -DECIMAL_EXPONENT_MAX) scale = -DECIMAL_EXPONENT_MAX;
    Parts p = unpack(d);
    int32_t drop = -scale - p.exponent;
    if (drop <= 0) {
        if (p.coefficient == 0) {
            p.exponent = -scale;
            return pack(p);
        }
        if (-drop >= DECIMAL_DIGITS_MAX) return d;
        Wide unit = power_of_ten(-drop);
        if (p.coefficient > (coefficient_end() - 1) / unit) return d;
        p.coefficient *= unit;
        p.exponent = -scale;
        return pack(p);
    }
    // Past 35 digits every coefficient is less than half a unit; 10^36 stands for all of those.
    Wide unit = power_of_ten(drop > 36 ? 36 : drop);
    Wide whole = p.coefficient / unit, rest = p.coefficient % unit;
    if (rounds_up(rest, unit, (whole & 1) != 0, p.negative, mode)) whole++;
    return pack((Parts){p.negative, -scale, whole});
}

Decimal decimal_trim(Decimal d) {
    if (!decimal_finite(d)) return d;
    Parts p = unpack(d);
    if (p.coefficient == 0) p.exponent = 0;
    while (p.exponent < 0 && p.coefficient % 10 == 0) {
        p.coefficient /= 10;
        p.exponent++;
    }
    return pack(p);
}

// --- powers and roots

// a^n by squaring, n > 0.
static Decimal power(Decimal a, int64_t n) {
    Decimal result = decimal_from_int(1);
    while (decimal_finite(result)) {
        if (n & 1) result = decimal_mul(result, a);
        n >>= 1;
        if (n == 0) break;
        a = decimal_mul(a, a);
    }
    return result;
}

bool decimal_pow(Decimal a, Decimal b, Decimal *ret) {
    if (!decimal_finite(a) || !decimal_finite(b)) return false;
    int64_t n;
    if (decimal_to_int(b, &n) && n >= -POW_INTEGER_MAX && n <= POW_INTEGER_MAX) {
        if (n >= 0) return deliver(power(a, n), ret);
        if (decimal_sign(a) == 0) return false;
        Decimal below = power(a, -n);
        // When a^-n leaves the range the reciprocal's power may still be inside it.
        if (decimal_finite(below) && decimal_sign(below) != 0) {
            return decimal_div(decimal_from_int(1), below, ret);
        }
        Decimal inverse;
        if (!decimal_div(decimal_from_int(1), a, &inverse)) return false;
        return deliver(power(inverse, -n), ret);
    }
    if (decimal_sign(a) == 0 && decimal_sign(b) < 0) return false;
    _IDEC_flags flags = 0;
    return deliver(from_bid(bid128_pow(to_bid(a), to_bid(b), RND_HALF_EVEN, &flags)), ret);
}

bool decimal_sqrt(Decimal d, Decimal *ret) {
    if (decimal_sign(d) < 0) return false;
    _IDEC_flags flags = 0;
    return deliver(from_bid(bid128_sqrt(to_bid(d), RND_HALF_EVEN, &flags)), ret);
}

bool decimal_exp(Decimal d, Decimal *ret) {
    _IDEC_flags flags = 0;
    return deliver(from_bid(bid128_exp(to_bid(d), RND_HALF_EVEN, &flags)), ret);
}

bool decimal_ln(Decimal d, Decimal *ret) {
    if (decimal_sign(d) <= 0) return false;
    _IDEC_flags flags = 0;
    return deliver(from_bid(bid128_log(to_bid(d), RND_HALF_EVEN, &flags)), ret);
}
