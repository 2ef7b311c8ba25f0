// Finding built-in functions by name. The functions are in feel_builtin_*.c, one table each.
#include "feel/feel_internal.h"

const Builtin *builtin_find(Str name) {
#define X(part)                                                        \
    for (size_t i = 0; i < builtins_##part##_count; i++)               \
        if (str_eq(name, str_z(builtins_##part[i].name))) return &builtins_##part[i];
    BUILTINS(X)
#undef X
    return NULL;
}

static size_t match_one(Str source, size_t at, Str name) {
    if (!memchr(name.ptr, ' ', name.len)) return 0;
    size_t n = lex_match_name(source, at, name);
    if (n == 0) return 0;
    size_t behind = at + n;
    while (behind < source.len && (source.ptr[behind] == ' ' || source.ptr[behind] == '\n' ||
                                   source.ptr[behind] == '\t' || source.ptr[behind] == '\r'))
        behind++;
    return behind < source.len && source.ptr[behind] == '(' ? n : 0;
}

size_t builtin_match(Str source, size_t at) {
    size_t best = 0;
#define X(part)                                                                    \
    for (size_t i = 0; i < builtins_##part##_count; i++) {                         \
        if (builtins_##part[i].name[0] != source.ptr[at]) continue;                \
        size_t n = match_one(source, at, str_z(builtins_##part[i].name));          \
        if (n > best) best = n;                                                    \
    }
    BUILTINS(X)
#undef X
    return best;
}

bool builtin_arrange(const Builtin *b, const Str *names, uint32_t count,
                     int32_t order[BUILTIN_PARAMS_MAX], uint32_t *ret_count) {
    Str alternatives = str_z(b->params);
    while (alternatives.ptr) {
        Str params = str_cut(&alternatives, '|');
        uint32_t params_count = 0, found = 0, last = 0;
        while (params.ptr && params_count < BUILTIN_PARAMS_MAX) {
            Str param = str_cut(&params, ',');
            order[params_count] = -1;
            for (uint32_t i = 0; i < count; i++) {
                if (!str_eq(names[i], param)) continue;
                order[params_count] = (int32_t)i;
                found++;
                last = params_count + 1;
            }
            params_count++;
        }
        if (found == count) {
            *ret_count = last;
            return true;
        }
    }
    return false;
}

// Where a function may be called in several ways, the name of an argument says what it must be.
static bool name_fits(Str name, Value v) {
    if (str_eq(name, S("key"))) return v.kind == V_STRING;
    if (str_eq(name, S("keys"))) return v.kind == V_LIST;
    if (str_eq(name, S("position"))) return v.kind == V_NUMBER;
    if (str_eq(name, S("match"))) return v.kind == V_FUNCTION;
    if (str_starts(name, S("range"))) return v.kind == V_RANGE;
    if (str_starts(name, S("point"))) return v.kind != V_RANGE;
    return true;
}

bool builtin_names_fit(const Builtin *b, const Str *names, const Value *args, uint32_t count,
                       Str *ret_wrong) {
    if (!strchr(b->params, '|')) return true;
    for (uint32_t i = 0; i < count; i++) {
        if (name_fits(names[i], args[i])) continue;
        *ret_wrong = names[i];
        return false;
    }
    return true;
}

bool feel_is_function(Str name) { return builtin_find(name) != NULL; }
