// room: web multipart/form-data with boundary "XX": the same parts whatever the pieces; what the
// sink is given fits its limits and is never more than came in.
#include "base/crypto.h"
#include "web/multipart.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Seen {
    uint64_t hash, bytes, parts;
    bool open;
} Seen;

static void mix(Seen *s, Str text) {
    for (size_t i = 0; i < text.len; i++) {
        s->hash = (s->hash ^ (unsigned char)text.ptr[i]) * 1099511628211u;
    }
}

static Status begin(void *ctx, const MultipartPart *p, Error *err) {
    (void)err;
    Seen *s = ctx;
    if (s->open || p->name.len == 0 || p->name.len > MULTIPART_NAME_MAX ||
        p->file_name.len > MULTIPART_FILE_NAME_MAX || !str_utf8_valid(p->name) ||
        !str_utf8_valid(p->file_name) || (p->file_name.len && !p->is_file)) {
        abort();
    }
    s->open = true;
    s->parts++;
    mix(s, p->name);
    mix(s, p->file_name);
    mix(s, p->type);
    mix(s, S("|"));
    return OK;
}

static Status data_of(void *ctx, Str bytes, Error *err) {
    (void)err;
    Seen *s = ctx;
    if (!s->open || bytes.len == 0) abort();
    s->bytes += bytes.len;
    mix(s, bytes);
    return OK;
}

static Status end(void *ctx, Error *err) {
    (void)err;
    Seen *s = ctx;
    if (!s->open) abort();
    s->open = false;
    mix(s, S(";"));
    return OK;
}

static Status parse(Str text, size_t piece, Seen *s) {
    static Multipart m;
    Error err;
    multipart_init(&m, S("XX"), (MultipartSink){s, begin, data_of, end});
    for (size_t at = 0; at < text.len; at += piece) {
        Status status = multipart_feed(&m, str_sub(text, at, at + piece), &err);
        if (status != OK) return status;
    }
    return multipart_finish(&m, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const Str text = str_of((const char *)data, size);
    Seen whole = {0};
    const Status status = parse(text, size ? size : 1, &whole);
    if (whole.bytes > size || whole.parts > MULTIPART_PARTS_MAX) abort();
    static const size_t pieces[] = {1, 2, 5, 64};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        Seen s = {0};
        if (parse(text, pieces[i], &s) != status) abort();
        if (status == OK && (s.hash != whole.hash || s.open || s.parts != whole.parts)) abort();
    }
    Str boundary;
    if (multipart_boundary(text, &boundary) &&
        (boundary.len == 0 || boundary.len > MULTIPART_BOUNDARY_MAX)) {
        abort();
    }
    return 0;
}
