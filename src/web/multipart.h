// multipart/form-data (RFC 7578, WHATWG), read in pieces of any size with constant memory: the
// parser keeps the head of one part and a partly matched boundary, never a body. Pure: what it
// finds is handed to a sink. Strict where browsers are: the body begins with a boundary, every
// part has a Content-Disposition with one name, nothing follows the last boundary but one line's
// end.
#pragma once

#include "base/error.h"

enum {
    MULTIPART_BOUNDARY_MAX = 70,  // RFC 2046 5.1.1
    MULTIPART_HEAD_MAX = 4 << 10, // the headers of one part
    MULTIPART_NAME_MAX = 200,
    MULTIPART_FILE_NAME_MAX = 255,
    MULTIPART_PARTS_MAX = 2000,
};

typedef struct MultipartPart {
    Str name;
    Str file_name; // the last part of the path, percent-decoded as browsers encode it
    bool is_file;
    Str type;      // as the client says; "" if it does not
} MultipartPart;

// Each returns OK or what stops the parser; the texts are valid during the call only.
typedef struct MultipartSink {
    void *ctx;
    Status (*begin)(void *ctx, const MultipartPart *part, Error *err);
    Status (*data)(void *ctx, Str bytes, Error *err);
    Status (*end)(void *ctx, Error *err);
} MultipartSink;

typedef struct Multipart {
    MultipartSink sink;
    uint8_t state; // private, all of it
    uint8_t matched;
    uint8_t delimiter_len;
    uint16_t head_len;
    uint32_t parts;
    Status failed;
    char delimiter[MULTIPART_BOUNDARY_MAX + 4]; // CR LF - - boundary
    char head[MULTIPART_HEAD_MAX];
} Multipart;

// The boundary of a Content-Type value; false unless it is multipart/form-data with a valid one.
MUST_USE bool multipart_boundary(Str content_type, Str *ret);
// `boundary` must come from multipart_boundary.
void multipart_init(Multipart *m, Str boundary, MultipartSink sink);
// INVALID: malformed; LIMIT: a maximum above; or what the sink said. The same again afterwards.
MUST_USE Status multipart_feed(Multipart *m, Str bytes, Error *err);
// After the last byte: INVALID when the last boundary has not been seen.
MUST_USE Status multipart_finish(Multipart *m, Error *err);
