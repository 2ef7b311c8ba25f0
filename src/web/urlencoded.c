// Form fields and percent-decoding; the contract is urlencoded.h. A repeated name is found through
// a hash table that doubles, so many fields cost no more than their sum.
#include "web/urlencoded.h"

enum { SLOTS_FIRST = 32 };

typedef struct Field {
    Str name;
    Value one;          // the value when there is one
    ListBuilder many;   // all of them when there are several
    size_t count;
    struct Field *next;      // in order of appearance
    struct Field *next_slot; // in the same slot of the table
} Field;

// ---- percent-decoding ------------------------------------------------------------------------

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool percent_decode(Str s, bool plus, Arena *a, Str *ret) {
    bool plain = true;
    for (size_t i = 0; i < s.len && plain; i++) {
        plain = s.ptr[i] != '%' && !(plus && s.ptr[i] == '+');
    }
    if (plain) {
        *ret = s;
        return true;
    }
    char *out = arena_alloc_raw(a, s.len);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '%') {
            const int high = i + 2 < s.len ? hex_digit(s.ptr[i + 1]) : -1;
            const int low = i + 2 < s.len ? hex_digit(s.ptr[i + 2]) : -1;
            if (high < 0 || low < 0) return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        out[n++] = c;
    }
    *ret = str_of(out, n);
    return true;
}

void percent_encode(Buf *out, Str s, bool keep_slash) {
    for (size_t i = 0; i < s.len; i++) {
        const char c = s.ptr[i];
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' ||
                           c == '~' || (keep_slash && c == '/');
        if (plain) buf_char(out, c);
        else buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static bool text_ok(Str s, bool allow_lines) {
    for (size_t i = 0; i < s.len; i++) {
        const unsigned char c = (unsigned char)s.ptr[i];
        if (c == 0 || (!allow_lines && (c < 0x20 || c == 0x7f || c == '\\'))) return false;
    }
    return str_utf8_valid(s);
}

bool path_decode(Str raw, Arena *a, Str *ret) {
    Str path;
    if (raw.len == 0 || raw.ptr[0] != '/' || !percent_decode(raw, false, a, &path)) return false;
    if (!text_ok(path, false)) return false;
    if (path.len > 1 && path.ptr[path.len - 1] == '/') path.len--;
    Str rest = str_sub(path, 1, path.len);
    if (rest.len == 0) rest.ptr = NULL;
    while (rest.ptr) {
        const Str part = str_cut(&rest, '/');
        if (part.len == 0 || str_eq(part, S(".")) || str_eq(part, S(".."))) return false;
    }
    *ret = path;
    return true;
}

// ---- fields ----------------------------------------------------------------------------------

FieldSet fieldset_make(Arena *a) { return (FieldSet){.arena = a}; }

static void grow(FieldSet *f) {
    const size_t size = f->slots ? (f->mask + 1) * 2 : SLOTS_FIRST;
    Field **slots = arena_array(f->arena, Field *, size);
    for (Field *each = f->first; each; each = each->next) {
        Field **slot = &slots[(size_t)str_hash(each->name) & (size - 1)];
        each->next_slot = *slot;
        *slot = each;
    }
    f->slots = slots;
    f->mask = size - 1;
}

static Field *find_or_add(FieldSet *f, Str name) {
    if (!f->slots || f->names > f->mask) grow(f);
    Field **slot = &f->slots[(size_t)str_hash(name) & f->mask];
    for (Field *each = *slot; each; each = each->next_slot) {
        if (str_eq(each->name, name)) return each;
    }
    Field *added = arena_new(f->arena, Field);
    *added = (Field){.name = name, .next_slot = *slot};
    *slot = added;
    if (!f->first) f->first = added;
    else *f->last = added;
    f->last = &added->next;
    f->names++;
    return added;
}

Status fieldset_add(FieldSet *f, Str name, Str value, Error *err) {
    if (f->count >= URLENCODED_FIELDS_MAX) {
        return error_set(err, LIMIT, S(""), "表单的字段太多，最多 2000 个");
    }
    if (name.len > URLENCODED_NAME_MAX) {
        return error_set(err, LIMIT, S(""), "表单中有字段的名称太长");
    }
    if (!text_ok(name, true)) {
        return error_set(err, INVALID, S(""), "表单中有字段的名称不是有效的 UTF-8 文字");
    }
    if (!text_ok(value, true)) {
        return error_set(err, INVALID, name, "内容不是有效的 UTF-8 文字，请重新输入");
    }
    Field *field = find_or_add(f, name);
    if (field->count == 1) {
        field->many = list_make(f->arena);
        list_add(&field->many, field->one);
    }
    if (field->count >= 1) list_add(&field->many, v_str(value));
    else field->one = v_str(value);
    field->count++;
    f->count++;
    return OK;
}

Value fieldset_done(const FieldSet *f) {
    ContextBuilder all = context_make(f->arena);
    for (const Field *each = f->first; each; each = each->next) {
        context_put_new(&all, each->name, each->count > 1 ? list_done(&each->many) : each->one);
    }
    return context_done(&all);
}

Status urlencoded_parse(Str text, Arena *a, Value *ret, Error *err) {
    FieldSet fields = fieldset_make(a);
    Str rest = text;
    if (rest.len == 0) rest.ptr = NULL;
    while (rest.ptr) {
        Str pair = str_cut(&rest, '&');
        if (pair.len == 0) continue;
        const Str raw_name = str_cut(&pair, '=');
        const Str raw_value = pair.ptr ? pair : S("");
        Str name, value;
        if (!percent_decode(raw_name, true, a, &name) ||
            !percent_decode(raw_value, true, a, &value)) {
            return error_set(err, INVALID, S(""), "表单编码有误：% 后面应是两位十六进制数");
        }
        Status status = fieldset_add(&fields, name, value, err);
        if (status != OK) return status;
    }
    *ret = fieldset_done(&fields);
    return OK;
}
