// multipart/form-data; the contract is multipart.h.
//
// A boundary is matched byte by byte. It begins with CR, which cannot occur again inside it, so
// after a mismatch nothing but the byte at hand can begin a new match: what was matched is data,
// and its bytes are known, they are the boundary's.
#include "web/multipart.h"

typedef enum MultipartState {
    M_DATA,      // a part's body, or (parts == 0) the first boundary, which needs no CR LF
    M_AFTER,     // behind a boundary: CR or '-'
    M_AFTER_LF,
    M_AFTER_DASH,
    M_HEAD,
    M_END,       // behind the last boundary: nothing, or CR LF
    M_END_LF,
    M_OVER,
    M_FAILED,
} MultipartState;

// ---- boundary --------------------------------------------------------------------------------

static bool is_boundary_char(char c) { // bchars of RFC 2046, without the space
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != 0 && strchr("'()+_,-./:=?", c) != NULL);
}

bool multipart_boundary(Str content_type, Str *ret) {
    Str rest = content_type;
    if (!str_eq_nocase(str_trim(str_cut(&rest, ';')), S("multipart/form-data"))) return false;
    Str found = S("");
    while (rest.ptr) {
        Str value = str_trim(str_cut(&rest, ';'));
        const Str name = str_cut(&value, '=');
        if (!str_eq_nocase(name, S("boundary"))) continue;
        if (found.len || !value.ptr) return false;
        if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"') {
            value = str_sub(value, 1, value.len - 1);
        }
        if (value.len == 0 || value.len > MULTIPART_BOUNDARY_MAX) return false;
        for (size_t i = 0; i < value.len; i++) {
            if (!is_boundary_char(value.ptr[i])) return false;
        }
        found = value;
    }
    if (found.len == 0) return false;
    *ret = found;
    return true;
}

void multipart_init(Multipart *m, Str boundary, MultipartSink sink) {
    *m = (Multipart){.sink = sink, .state = M_DATA, .matched = 2};
    memcpy(m->delimiter, "\r\n--", 4);
    memcpy(m->delimiter + 4, boundary.ptr, boundary.len);
    m->delimiter_len = (uint8_t)(boundary.len + 4);
}

static Status fail(Multipart *m, Status status) {
    m->state = M_FAILED;
    m->failed = status;
    return status;
}

static Status malformed(Multipart *m, Error *err) {
    return fail(m, error_set(err, INVALID, S(""), "上传的内容格式有误，请重新提交"));
}

// ---- head of a part --------------------------------------------------------------------------

// One parameter of Content-Disposition at *at: `name="value"` or `name=value`, behind ';'.
static bool next_parameter(Str line, size_t *at, Str *ret_name, Str *ret_value) {
    size_t i = *at;
    while (i < line.len && (line.ptr[i] == ' ' || line.ptr[i] == '\t')) i++;
    const size_t name_from = i;
    while (i < line.len && line.ptr[i] != '=' && line.ptr[i] != ';' && line.ptr[i] != ' ') i++;
    if (i == name_from || i >= line.len || line.ptr[i] != '=') return false;
    *ret_name = str_sub(line, name_from, i++);
    if (i < line.len && line.ptr[i] == '"') {
        const size_t from = ++i;
        while (i < line.len && line.ptr[i] != '"') i++;
        if (i >= line.len) return false;
        *ret_value = str_sub(line, from, i++);
    } else {
        const size_t from = i;
        while (i < line.len && line.ptr[i] != ';' && line.ptr[i] != ' ') i++;
        *ret_value = str_sub(line, from, i);
    }
    while (i < line.len && (line.ptr[i] == ' ' || line.ptr[i] == '\t')) i++;
    if (i < line.len && line.ptr[i++] != ';') return false;
    *at = i;
    return true;
}

// Browsers write a quote and line ends in names as %22 %0D %0A, and nothing else. Decoded in place,
// inside the head's own buffer: the result is never longer.
static Str decode_name(const Multipart *m, char *buffer, Str s) {
    char *out = buffer + (s.ptr - m->head);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '%' && i + 2 < s.len) {
            const Str code = str_sub(s, i + 1, i + 3);
            const char decoded = str_eq(code, S("22"))          ? '"'
                                 : str_eq_nocase(code, S("0D")) ? '\r'
                                 : str_eq_nocase(code, S("0A")) ? '\n'
                                                                : 0;
            if (decoded) {
                c = decoded;
                i += 2;
            }
        }
        out[n++] = c;
    }
    return str_of(out, n);
}

static Str base_name(Str path) {
    size_t from = 0;
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] == '/' || path.ptr[i] == '\\') from = i + 1;
    }
    return str_sub(path, from, path.len);
}

static bool name_ok(Str name, size_t len_max) {
    if (name.len > len_max || !str_utf8_valid(name)) return false;
    for (size_t i = 0; i < name.len; i++) {
        const unsigned char c = (unsigned char)name.ptr[i];
        if (c < 0x20 || c == 0x7f) return false;
    }
    return true;
}

static bool read_disposition(Multipart *m, Str value, MultipartPart *part) {
    Str rest = value;
    if (!str_eq_nocase(str_trim(str_cut(&rest, ';')), S("form-data")) || !rest.ptr) return false;
    bool named = false;
    for (size_t at = 0; at < rest.len;) {
        Str name, text;
        if (!next_parameter(rest, &at, &name, &text)) return false;
        if (str_eq_nocase(name, S("name"))) {
            if (named) return false;
            named = true;
            part->name = decode_name(m, m->head, text);
        } else if (str_eq_nocase(name, S("filename"))) {
            if (part->is_file) return false;
            part->is_file = true;
            part->file_name = base_name(decode_name(m, m->head, text));
        }
    }
    return named && part->name.len && name_ok(part->name, MULTIPART_NAME_MAX) &&
           name_ok(part->file_name, MULTIPART_FILE_NAME_MAX);
}

static bool read_header(Multipart *m, Str line, MultipartPart *part, bool *disposed) {
    Str value = line;
    const Str name = str_cut(&value, ':');
    if (!value.ptr || name.len == 0 || str_trim(name).len != name.len) return false;
    value = str_trim(value);
    if (str_eq_nocase(name, S("content-disposition"))) {
        if (*disposed) return false;
        *disposed = true;
        return read_disposition(m, value, part);
    }
    if (str_eq_nocase(name, S("content-type"))) part->type = value;
    if (str_eq_nocase(name, S("content-transfer-encoding"))) {
        return str_eq_nocase(value, S("binary")) || str_eq_nocase(value, S("8bit")) ||
               str_eq_nocase(value, S("7bit"));
    }
    return true;
}

// The head ends with an empty line, "\r\n\r\n" (or begins with one: no headers, which is refused).
static Status end_head(Multipart *m, Error *err) {
    MultipartPart part = {0};
    bool disposed = false;
    Str rest = str_of(m->head, m->head_len - 2u); // without the empty line
    while (rest.len) {
        Str line = str_cut(&rest, '\n');
        if (line.len < 2 || line.ptr[line.len - 1] != '\r') return malformed(m, err);
        line.len--;
        if (memchr(line.ptr, '\r', line.len) || memchr(line.ptr, 0, line.len) ||
            !read_header(m, line, &part, &disposed)) {
            return malformed(m, err);
        }
    }
    if (!disposed) return malformed(m, err);
    m->parts++;
    m->state = M_DATA;
    m->matched = 0;
    Status status = m->sink.begin(m->sink.ctx, &part, err);
    return status == OK ? OK : fail(m, status);
}

static Status step_head(Multipart *m, char c, Error *err) {
    if (m->head_len >= MULTIPART_HEAD_MAX) {
        return fail(m, error_set(err, LIMIT, S(""), "上传内容的说明部分太长"));
    }
    m->head[m->head_len++] = c;
    if (c != '\n') return OK;
    const Str head = str_of(m->head, m->head_len);
    if (head.len >= 2 && head.ptr[head.len - 2] != '\r') return malformed(m, err);
    if (str_eq(head, S("\r\n"))) return malformed(m, err);
    return str_ends(head, S("\r\n\r\n")) ? end_head(m, err) : OK;
}

// ---- bodies ----------------------------------------------------------------------------------

static Status give(Multipart *m, Str bytes, Error *err) {
    if (bytes.len == 0) return OK;
    if (m->parts == 0) return malformed(m, err); // something before the first boundary
    Status status = m->sink.data(m->sink.ctx, bytes, err);
    return status == OK ? OK : fail(m, status);
}

static Status end_part(Multipart *m, Error *err) {
    m->matched = 0;
    m->state = M_AFTER;
    if (m->parts == 0) return OK;
    Status status = m->sink.end(m->sink.ctx, err);
    return status == OK ? OK : fail(m, status);
}

// Takes data from bytes[*at]: as much as holds no CR in one go, else one byte.
static Status step_data(Multipart *m, Str bytes, size_t *at, Error *err) {
    if (m->matched == 0) {
        const char *from = bytes.ptr + *at;
        const size_t rest = bytes.len - *at;
        const char *cr = memchr(from, '\r', rest);
        const size_t n = cr ? (size_t)(cr - from) : rest;
        *at += n;
        if (cr) {
            (*at)++;
            m->matched = 1;
        }
        return give(m, str_of(from, n), err);
    }
    if (bytes.ptr[*at] == m->delimiter[m->matched]) {
        (*at)++;
        return ++m->matched == m->delimiter_len ? end_part(m, err) : OK;
    }
    if (m->parts == 0) return malformed(m, err);
    const size_t n = m->matched;
    m->matched = 0; // the byte at hand is looked at again
    return give(m, str_of(m->delimiter, n), err);
}

static Status step_after(Multipart *m, char c, Error *err) {
    switch ((MultipartState)m->state) {
    case M_AFTER:
        if (c != '\r' && c != '-') return malformed(m, err);
        m->state = c == '\r' ? M_AFTER_LF : M_AFTER_DASH;
        return OK;
    case M_AFTER_LF:
        if (c != '\n') return malformed(m, err);
        if (m->parts >= MULTIPART_PARTS_MAX) {
            return fail(m, error_set(err, LIMIT, S(""), "表单的字段太多，最多 2000 个"));
        }
        m->state = M_HEAD;
        m->head_len = 0;
        return OK;
    case M_AFTER_DASH:
        if (c != '-') return malformed(m, err);
        m->state = M_END;
        return OK;
    case M_END:
        if (c != '\r') return malformed(m, err);
        m->state = M_END_LF;
        return OK;
    case M_END_LF:
        if (c != '\n') return malformed(m, err);
        m->state = M_OVER;
        return OK;
    default: return malformed(m, err); // M_OVER: more bytes
    }
}

Status multipart_feed(Multipart *m, Str bytes, Error *err) {
    for (size_t at = 0; at < bytes.len;) {
        Status status;
        if (m->state == M_FAILED) return error_set(err, m->failed, S(""), "上传已经中断");
        if (m->state == M_DATA) status = step_data(m, bytes, &at, err);
        else if (m->state == M_HEAD) status = step_head(m, bytes.ptr[at++], err);
        else status = step_after(m, bytes.ptr[at++], err);
        if (status != OK) return status;
    }
    return OK;
}

Status multipart_finish(Multipart *m, Error *err) {
    if (m->state == M_FAILED) return error_set(err, m->failed, S(""), "上传已经中断");
    if (m->state != M_END && m->state != M_OVER) {
        return fail(m, error_set(err, INVALID, S(""), "上传的内容不完整，请重新提交"));
    }
    return OK;
}
