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
