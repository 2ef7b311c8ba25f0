// room: web Forms and paths: fields are UTF-8 without NUL, encoding a decoded text and decoding it
// seconds: 20
// again gives the same, and a decoded path never climbs.
#include "web/urlencoded.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(Value v) {
    const Str s = v_text(v);
    if (v.kind != V_STRING || !str_utf8_valid(s) || (s.len && memchr(s.ptr, 0, s.len))) abort();
}

static void check_form(Str text, Arena *a) {
    Value v;
    Error err;
    if (urlencoded_parse(text, a, &v, &err) != OK) return;
    if (v.kind != V_CONTEXT || v.len > URLENCODED_FIELDS_MAX) abort();
    for (uint32_t i = 0; i < v.len; i++) {
        const Value one = v.as.entries[i].value;
        check_text(v_str(v.as.entries[i].key));
        if (one.kind != V_LIST) check_text(one);
        else if (one.len < 2) abort();
        for (uint32_t k = 0; one.kind == V_LIST && k < one.len; k++) check_text(v_at(one, k));
    }
}

static void check_path(Str text, Arena *a) {
    Str path;
    if (!path_decode(text, a, &path)) return;
    if (path.len == 0 || path.ptr[0] != '/' || !str_utf8_valid(path)) abort();
    if (str_find(path, S("//")) >= 0 || str_find(path, S("/../")) >= 0) abort();
    if (str_ends(path, S("/..")) || str_find(path, S("\\")) >= 0) abort();
}

static void check_round_trip(Str text, Arena *a) {
    Buf out = buf_make(a, 256, 1 << 20);
    percent_encode(&out, text, false);
    Str back;
    if (out.full) return;
    if (!percent_decode(buf_view(&out), true, a, &back) || !str_eq(back, text)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 64 << 10) return 0;
    Arena *a = arena_create(64 << 20);
    const Str text = str_of((const char *)data, size);
    check_form(text, a);
    check_path(text, a);
    check_round_trip(text, a);
    arena_free(a);
    return 0;
}
