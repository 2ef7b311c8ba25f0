// What the installed library adds to the rooms: which version it is, and the English of the
// engines' messages, which the program itself keeps among its embedded files.
#include "library/english.h"

#define EXPORTED __attribute__((visibility("default")))

extern const char *yizhan_engines_version(void);
extern Str yizhan_engines_english(void *unused, Str zh);

EXPORTED const char *yizhan_engines_version(void) { return YIZHAN_ENGINES_VERSION; }

// str_cmp would be the installed library's yz_str_cmp here; this file is compiled outside of it.
static int order(Str a, Str b) {
    int by_bytes = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return by_bytes ? by_bytes : (a.len > b.len) - (a.len < b.len);
}

EXPORTED Str yizhan_engines_english(void *unused, Str zh) {
    (void)unused;
    size_t low = 0, high = english_texts_count;
    while (low < high && zh.len) {
        size_t middle = low + (high - low) / 2;
        int by = order(english_texts[middle].zh, zh);
        if (by == 0) return english_texts[middle].en;
        if (by < 0) low = middle + 1;
        else high = middle;
    }
    return zh;
}
