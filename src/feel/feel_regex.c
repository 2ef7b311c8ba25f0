// Regular expressions: XPath's (feel_pattern.c writes them anew), run by PCRE2 with a limit on its
// steps and its heap. Everything PCRE2 takes comes from the arena, so nothing is left behind
// whatever happens.
#include "feel/feel_internal.h"

static void *regex_alloc(PCRE2_SIZE size, void *arena) { return arena_alloc_raw(arena, size); }
static void regex_free(void *block, void *arena) {
    (void)block;
    (void)arena; // goes with the arena
}

enum { FLAG_BLANKS = 1 }; // x
enum {
    COMPILE_STEPS = 200, // what they count for
    COMPILE_BYTES = 32,  // of a compiled pattern count as one step more
    MATCH_STEPS = 20,
    MATCH_BYTES = 64, // of the text count as one step more
};

// Flags of XPath: s dot matches all, m lines, i any case, x ignore blanks, q literal.
static bool regex_flags(Str flags, uint32_t *ret, unsigned *ret_own) {
    uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C |
                       PCRE2_MATCH_UNSET_BACKREF | PCRE2_AUTO_CALLOUT;
    *ret_own = 0;
    for (size_t i = 0; i < flags.len; i++) {
        switch (flags.ptr[i]) {
        case 's': options |= PCRE2_DOTALL; break;
        case 'm': options |= PCRE2_MULTILINE; break;
        case 'i': options |= PCRE2_CASELESS; break;
        case 'x': *ret_own |= FLAG_BLANKS; break;
        case 'q': options |= PCRE2_LITERAL; break;
        default: return false;
        }
    }
    if (!(options & PCRE2_MULTILINE)) options |= PCRE2_DOLLAR_ENDONLY;
    if (options & PCRE2_LITERAL)
        options &= PCRE2_UTF | PCRE2_LITERAL | PCRE2_CASELESS | PCRE2_AUTO_CALLOUT;
    *ret = options;
    return true;
}

bool regex_make(Eval *ev, Str pattern, Str flags, Regex *ret) {
    uint32_t options;
    unsigned own;
    int error = 0;
    PCRE2_SIZE at = 0;
    Str written = pattern;
    ev->run->steps += COMPILE_STEPS;
    if (pattern.len > FEEL_PATTERN_MAX) {
        (void)eval_limit(ev, "正则表达式超过 {1} 字节", FEEL_PATTERN_MAX);
        return false;
    }
    if (!regex_flags(flags, &options, &own)) {
        (void)eval_fail(ev, "正则表达式的选项“{1}”不存在", flags);
        return false;
    }
    if (!(options & PCRE2_LITERAL) &&
        !pattern_translate(pattern, own & FLAG_BLANKS, ev->arena, &written)) {
        (void)eval_fail(ev, "正则表达式“{1}”有误", pattern);
        return false;
    }
    pcre2_general_context *general =
        pcre2_general_context_create(regex_alloc, regex_free, ev->arena);
    pcre2_compile_context *compile = pcre2_compile_context_create(general);
    pcre2_set_parens_nest_limit(compile, 50);
    pcre2_set_newline(compile, PCRE2_NEWLINE_ANYCRLF); // a dot matches neither \n nor \r
    Regex r = {.code = pcre2_compile((PCRE2_SPTR)written.ptr, written.len, options, &error, &at,
                                     compile)};
    if (!r.code) {
        (void)eval_fail(ev, "正则表达式“{1}”有误", pattern);
        return false;
    }
    size_t compiled = 0;
    (void)pcre2_pattern_info(r.code, PCRE2_INFO_SIZE, &compiled);
    ev->run->steps += compiled / COMPILE_BYTES;
    r.data = pcre2_match_data_create_from_pattern(r.code, general);
    r.context = pcre2_match_context_create(general);
    pcre2_set_match_limit(r.context, FEEL_MATCH_LIMIT);
    pcre2_set_heap_limit(r.context, 2048); // KiB
    *ret = r;
    return true;
}

// Called by PCRE2 before each item of the pattern it tries. PCRE2's own limit counts anew at each
// place of the text where a match could begin, so a long text would multiply it; here everything
// counts, the text an item ran over too, and what the whole evaluation may take is the limit.
static int regex_step(pcre2_callout_block *at, void *data) {
    Regex *r = data;
    size_t now = at->current_position;
    size_t over = now > r->position ? now - r->position : 0;
    r->position = now;
    r->taken += 1 + over / MATCH_BYTES;
    return r->taken > FEEL_MATCH_LIMIT || r->taken > r->left ? PCRE2_ERROR_MATCHLIMIT : 0;
}

// 1 a match from `from`, 0 none, -1 given up (with a diagnostic).
int regex_match(Eval *ev, Regex *r, Str s, size_t from, uint32_t options) {
    uint64_t used = ev->run->steps + MATCH_STEPS + (from == 0 ? s.len / MATCH_BYTES : 0);
    r->taken = 0;
    r->position = from;
    r->left = used < FEEL_STEPS_MAX ? FEEL_STEPS_MAX - used : 0;
    pcre2_set_callout(r->context, regex_step, r);
    if (from > 0) options |= PCRE2_NO_UTF_CHECK; // was checked when it began
    int n = pcre2_match(r->code, (PCRE2_SPTR)(s.ptr ? s.ptr : ""), s.len, from, options, r->data,
                        r->context);
    ev->run->steps = used + r->taken;
    if (n >= 0) return 1;
    if (n == PCRE2_ERROR_NOMATCH) return 0;
    (void)eval_limit(ev, "正则表达式匹配超过 {1} 步", FEEL_MATCH_LIMIT);
    return -1;
}
