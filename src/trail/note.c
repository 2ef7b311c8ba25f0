// See note.h. What comes from outside is parsed strictly: base64 must be canonical (the text that
// comes back from encoding what was decoded), numbers without leading zeros, every line whole.
#include "trail/note.h"

#include <assert.h>
#include <openssl/evp.h>

enum { ALGORITHM_ED25519 = 1, KEY_TEXT_MAX = 1024 };

#define DASH "\xe2\x80\x94 " // em dash and a space before each signature

static inline void pkey_cleanup(EVP_PKEY **k) { EVP_PKEY_free(*k); }
static inline void digest_cleanup(EVP_MD_CTX **c) { EVP_MD_CTX_free(*c); }
#define PKEY_AUTO __attribute__((cleanup(pkey_cleanup))) EVP_PKEY *
#define DIGEST_AUTO __attribute__((cleanup(digest_cleanup))) EVP_MD_CTX *

// Keys

static bool name_valid(Str name) {
    if (name.len == 0 || name.len > NOTE_NAME_MAX || !str_utf8_valid(name)) return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = (uint8_t)name.ptr[i];
        if (c <= ' ' || c == 0x7f || c == '+') return false;
    }
    // Unicode spaces: no-break, en quad to zero-width, line and paragraph separator, ideographic.
    for (size_t at = 0; at < name.len;) {
        int32_t c = str_utf8_next(name, &at);
        if (c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
            c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000)
            return false;
    }
    return true;
}

static uint32_t key_hash(Str name, const uint8_t *public_key) {
    Str parts[] = {name, S("\n\x01"), {(const char *)public_key, NOTE_KEY_SIZE}};
    Hash h = sha256_parts(parts, 3);
    return (uint32_t)h.bytes[0] << 24 | (uint32_t)h.bytes[1] << 16 | (uint32_t)h.bytes[2] << 8 |
           h.bytes[3];
}

static Status library_failed(Error *err) { return error_set(err, BROKEN, S(""), "密码库出错"); }

static Status key_fill(Str name, Arena *a, NoteKey *k, Error *err) {
    if (k->secret) {
        PKEY_AUTO pkey =
            EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, k->seed, NOTE_KEY_SIZE);
        size_t size = NOTE_KEY_SIZE;
        if (!pkey || EVP_PKEY_get_raw_public_key(pkey, k->public_key, &size) != 1)
            return library_failed(err);
    }
    k->name = arena_str(a, name);
    k->hash = key_hash(name, k->public_key);
    return OK;
}

Status note_key_from_seed(Str name, Str seed, Arena *a, NoteKey *ret, Error *err) {
    if (!name_valid(name))
        return error_set(err, INVALID, S("name"), "密钥名称不能为空，不能含空格和加号");
    if (seed.len != NOTE_KEY_SIZE)
        return error_set(err, INVALID, S("seed"), "密钥种子应为 32 字节");
    NoteKey k = {.secret = true};
    memcpy(k.seed, seed.ptr, NOTE_KEY_SIZE);
    Status status = key_fill(name, a, &k, err);
    if (!status) *ret = k;
    return status;
}

Status note_key_make(Str name, Arena *a, NoteKey *ret, Error *err) {
    char seed[NOTE_KEY_SIZE];
    random_bytes(seed, sizeof seed);
    Status status = note_key_from_seed(name, (Str){seed, sizeof seed}, a, ret, err);
    explicit_bzero(seed, sizeof seed);
    return status;
}

// Canonical only.
static bool decode(Str text, Arena *a, Str *ret) {
    Str bytes;
    if (!base64_decode(text, a, &bytes) || !str_eq(base64_encode(bytes, a), text)) return false;
    *ret = bytes;
    return true;
}

static bool parse_hash(Str hex, uint32_t *ret) {
    if (hex.len != 8) return false;
    uint32_t n = 0;
    for (size_t i = 0; i < hex.len; i++) {
        char c = hex.ptr[i];
        uint32_t digit;
        if (c >= '0' && c <= '9') digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f') digit = (uint32_t)(c - 'a') + 10;
        else return false;
        n = n << 4 | digit;
    }
    *ret = n;
    return true;
}

Status note_key_parse(Str text, Arena *a, NoteKey *ret, Error *err) {
    static const Str secret = S_INIT("PRIVATE+KEY+");
    NoteKey k = {0};
    Str rest = str_trim(text);
    if (rest.len > KEY_TEXT_MAX) return error_set(err, INVALID, S("key"), "密钥文件不对");
    if (str_starts(rest, secret)) {
        k.secret = true;
        rest = str_sub(rest, secret.len, rest.len);
    }
    Str name = str_cut(&rest, '+');
    Str hex = rest.ptr ? str_cut(&rest, '+') : S("");
    Str bytes;
    uint32_t hash;
    if (!rest.ptr || !name_valid(name) || !parse_hash(hex, &hash) || !decode(rest, a, &bytes) ||
        bytes.len != 1 + NOTE_KEY_SIZE || bytes.ptr[0] != ALGORITHM_ED25519)
        return error_set(err, INVALID, S("key"), "密钥文件不对");
    memcpy(k.secret ? k.seed : k.public_key, bytes.ptr + 1, NOTE_KEY_SIZE);
    Status status = key_fill(name, a, &k, err);
    if (status) return status;
    if (k.hash != hash) return error_set(err, INVALID, S("key"), "密钥与它的指纹不符");
    *ret = k;
    return OK;
}

static Str key_text(const NoteKey *k, const char *prefix, const uint8_t *bytes, Arena *a) {
    char room[1 + NOTE_KEY_SIZE] = {ALGORITHM_ED25519};
    memcpy(room + 1, bytes, NOTE_KEY_SIZE);
    Str text = base64_encode((Str){room, sizeof room}, a);
    explicit_bzero(room, sizeof room);
    return arena_printf(a, "%s%.*s+%08x+%.*s", prefix, S_FMT(k->name), k->hash, S_FMT(text));
}

Str note_key_public_text(const NoteKey *k, Arena *a) { return key_text(k, "", k->public_key, a); }

Str note_key_secret_text(const NoteKey *k, Arena *a) {
    assert(k->secret);
    return key_text(k, "PRIVATE+KEY+", k->seed, a);
}

// Signing

static bool text_valid(Str text) {
    if (text.len == 0 || text.ptr[text.len - 1] != '\n' || !str_utf8_valid(text)) return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.ptr[i];
        if (c < ' ' && c != '\n') return false;
    }
    return true;
}

static Status ed25519_sign(const NoteKey *k, Str text, uint8_t *ret, Error *err) {
    PKEY_AUTO pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, k->seed, NOTE_KEY_SIZE);
    DIGEST_AUTO digest = EVP_MD_CTX_new();
    size_t size = NOTE_SIGNATURE_SIZE;
    if (!pkey || !digest || EVP_DigestSignInit(digest, NULL, NULL, NULL, pkey) != 1 ||
        EVP_DigestSign(digest, ret, &size, (const uint8_t *)text.ptr, text.len) != 1 ||
        size != NOTE_SIGNATURE_SIZE)
        return library_failed(err);
    return OK;
}

static bool ed25519_verify(const NoteKey *k, Str text, Str signature) {
    PKEY_AUTO pkey =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, k->public_key, NOTE_KEY_SIZE);
    DIGEST_AUTO digest = EVP_MD_CTX_new();
    return pkey && digest && EVP_DigestVerifyInit(digest, NULL, NULL, NULL, pkey) == 1 &&
           EVP_DigestVerify(digest, (const uint8_t *)signature.ptr, signature.len,
                            (const uint8_t *)text.ptr, text.len) == 1;
}

static Status signatures_write(Buf *out, Str text, const NoteKey *keys, size_t keys_count, Arena *a,
                               Error *err) {
    for (size_t i = 0; i < keys_count; i++) {
        const NoteKey *k = &keys[i];
        assert(k->secret);
        uint8_t room[4 + NOTE_SIGNATURE_SIZE] = {(uint8_t)(k->hash >> 24), (uint8_t)(k->hash >> 16),
                                                 (uint8_t)(k->hash >> 8), (uint8_t)k->hash};
        Status status = ed25519_sign(k, text, room + 4, err);
        if (status) return status;
        buf_lit(out, DASH);
        buf_str(out, k->name);
        buf_char(out, ' ');
        buf_str(out, base64_encode((Str){(const char *)room, sizeof room}, a));
        buf_char(out, '\n');
    }
    return OK;
}

Status note_sign(Str text, const NoteKey *keys, size_t keys_count, Arena *a, Str *ret, Error *err) {
    if (!text_valid(text))
        return error_set(err, INVALID, S("text"), "要签名的文本须以换行结尾，不得含控制字符");
    Buf out = buf_make(a, text.len + 256 * (keys_count + 1), NOTE_SIZE_MAX);
    buf_str(&out, text);
    buf_char(&out, '\n');
    Status status = signatures_write(&out, text, keys, keys_count, a, err);
    if (status) return status;
    if (out.full) return error_set(err, LIMIT, S("text"), "要签名的文本太长");
    *ret = buf_view(&out);
    return OK;
}

// Opening

static Status no_note(Error *err) {
    return error_set(err, INVALID, S("note"), "不是一份签名的文本");
}

// The text is what stands before the last empty line.
static bool note_split(Str note, Str *ret_text, Str *ret_lines) {
    if (note.len > NOTE_SIZE_MAX || !text_valid(note)) return false;
    for (size_t i = note.len - 1; i > 0; i--) {
        if (note.ptr[i] != '\n' || note.ptr[i - 1] != '\n') continue;
        *ret_text = str_sub(note, 0, i);
        *ret_lines = str_sub(note, i + 1, note.len);
        return ret_lines->len > 0;
    }
    return false;
}

typedef struct NoteSignature {
    Str name, bytes;
    uint32_t hash;
} NoteSignature;

static bool signature_parse(Str line, Arena *a, NoteSignature *ret) {
    if (!str_starts(line, S(DASH))) return false;
    Str rest = str_sub(line, sizeof DASH - 1, line.len);
    NoteSignature s = {.name = str_cut(&rest, ' ')};
    Str bytes;
    if (!rest.ptr || !name_valid(s.name) || !decode(rest, a, &bytes) || bytes.len < 5) return false;
    const uint8_t *b = (const uint8_t *)bytes.ptr;
    s.hash = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    s.bytes = str_sub(bytes, 4, bytes.len);
    *ret = s;
    return true;
}

Status note_open(Str note, const NoteKey *keys, size_t keys_count, Arena *a, NoteOpened *ret,
                 Error *err) {
    NoteOpened opened = {.signed_by = arena_array(a, bool, keys_count)};
    Str lines;
    if (!note_split(note, &opened.text, &lines)) return no_note(err);
    for (size_t count = 0; lines.len; count++) {
        NoteSignature s;
        if (count == NOTE_SIGNATURES_MAX || !signature_parse(str_cut(&lines, '\n'), a, &s))
            return no_note(err);
        size_t k = 0;
        while (k < keys_count && (keys[k].hash != s.hash || !str_eq(keys[k].name, s.name))) k++;
        if (k == keys_count) {
            opened.unknown++;
            continue;
        }
        if (opened.signed_by[k]) continue; // said already
        if (!ed25519_verify(&keys[k], opened.text, s.bytes))
            return error_set(err, INVALID, S("note"), "{1} 的签名不对", s.name);
        opened.signed_by[k] = true;
        opened.signatures++;
    }
    if (!opened.signatures) return error_set(err, INVALID, S("note"), "没有一个签名来自已知的密钥");
    *ret = opened;
    return OK;
}

Status note_cosign(Str note, const NoteKey *keys, size_t keys_count, Arena *a, Str *ret,
                   Error *err) {
    Str text, lines;
    if (!note_split(note, &text, &lines)) return no_note(err);
    Buf out = buf_make(a, note.len + 256 * (keys_count + 1), NOTE_SIZE_MAX);
    buf_str(&out, note);
    Status status = signatures_write(&out, text, keys, keys_count, a, err);
    if (status) return status;
    if (out.full) return error_set(err, LIMIT, S("note"), "签名太多");
    *ret = buf_view(&out);
    return OK;
}

// Checkpoints

Str checkpoint_text(const Checkpoint *c, Arena *a) {
    Str root = base64_encode((Str){(const char *)c->root.bytes, SHA256_SIZE}, a);
    return arena_printf(a, "%.*s\n%llu\n%.*s\n%.*s", S_FMT(c->origin), (unsigned long long)c->size,
                        S_FMT(root), S_FMT(c->extension));
}

Status checkpoint_parse(Str text, Arena *a, Checkpoint *ret, Error *err) {
    Str rest = text, bytes;
    Checkpoint c = {.origin = str_cut(&rest, '\n')};
    Str size = rest.ptr ? str_cut(&rest, '\n') : S("");
    Str root = rest.ptr ? str_cut(&rest, '\n') : S("");
    int64_t n;
    bool good = text_valid(text) && c.origin.len && rest.ptr && str_to_int(size, &n) && n >= 0 &&
                size.ptr[0] != '-' && (size.ptr[0] != '0' || size.len == 1) &&
                decode(root, a, &bytes) && bytes.len == SHA256_SIZE;
    // Every further line has something in it.
    for (size_t i = 0; good && i < rest.len; i++)
        good = rest.ptr[i] != '\n' || (i > 0 && rest.ptr[i - 1] != '\n');
    if (!good) return error_set(err, INVALID, S("checkpoint"), "检查点的格式不对");
    c.size = (uint64_t)n;
    memcpy(c.root.bytes, bytes.ptr, SHA256_SIZE);
    c.extension = rest;
    *ret = c;
    return OK;
}
