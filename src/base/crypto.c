// Crypto: SHA-256 through OpenSSL with the algorithm fetched once and one context for each thread,
// because the trail hashes many small things. HMAC is RFC 2104 over it; base64 is RFC 4648,
// strict: no white space, full padding, zero bits at the end.
// Limits: none of its own; inputs are bounded by whoever read them.
#include "base/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

enum { SHA256_BLOCK = 64 };

static pthread_once_t digest_once = PTHREAD_ONCE_INIT;
static pthread_key_t context_key;
static EVP_MD *digest; // lives as long as the process

static void context_free(void *context) { EVP_MD_CTX_free(context); }

static void digest_fetch(void) {
    digest = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!digest || pthread_key_create(&context_key, context_free) != 0) abort();
}

static EVP_MD_CTX *digest_begin(void) {
    (void)pthread_once(&digest_once, digest_fetch);
    EVP_MD_CTX *context = pthread_getspecific(context_key);
    if (!context) {
        context = EVP_MD_CTX_new();
        if (!context || pthread_setspecific(context_key, context) != 0) abort();
    }
    if (EVP_DigestInit_ex(context, digest, NULL) != 1) abort();
    return context;
}

Hash sha256_parts(const Str *parts, size_t n) {
    EVP_MD_CTX *context = digest_begin();
    for (size_t i = 0; i < n; i++) {
        if (EVP_DigestUpdate(context, parts[i].ptr, parts[i].len) != 1) abort();
    }
    Hash h;
    if (EVP_DigestFinal_ex(context, h.bytes, NULL) != 1) abort();
    return h;
}

Hash sha256(Str data) { return sha256_parts(&data, 1); }

static Str hash_view(const Hash *h) { return str_of((const char *)h->bytes, sizeof h->bytes); }

Hash hmac_sha256(Str key, Str data) {
    Hash short_key;
    if (key.len > SHA256_BLOCK) {
        short_key = sha256(key);
        key = hash_view(&short_key);
    }
    unsigned char inner_pad[SHA256_BLOCK] = {0}, outer_pad[SHA256_BLOCK] = {0};
    if (key.len) {
        memcpy(inner_pad, key.ptr, key.len);
        memcpy(outer_pad, key.ptr, key.len);
    }
    for (size_t i = 0; i < SHA256_BLOCK; i++) {
        inner_pad[i] ^= 0x36;
        outer_pad[i] ^= 0x5c;
    }
    Hash inner = sha256_parts((Str[]){{(char *)inner_pad, sizeof inner_pad}, data}, 2);
    Hash outer = sha256_parts((Str[]){{(char *)outer_pad, sizeof outer_pad}, hash_view(&inner)}, 2);
    OPENSSL_cleanse(inner_pad, sizeof inner_pad);
    OPENSSL_cleanse(outer_pad, sizeof outer_pad);
    return outer;
}

Str hash_hex(const Hash *h, Arena *a) {
    Buf out = buf_make(a, 2 * SHA256_SIZE, 2 * SHA256_SIZE);
    buf_hex(&out, h->bytes, sizeof h->bytes);
    return buf_view(&out);
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool hex_decode(Str hex, Arena *a, Str *ret) {
    if (hex.len % 2 != 0) return false;
    char *out = arena_alloc_raw(a, hex.len / 2);
    for (size_t i = 0; i < hex.len; i += 2) {
        int high = hex_digit(hex.ptr[i]), low = hex_digit(hex.ptr[i + 1]);
        if (high < 0 || low < 0) return false;
        out[i / 2] = (char)(high << 4 | low);
    }
    *ret = str_of(out, hex.len / 2);
    return true;
}

static const char alphabet_standard[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static Str base64(Str data, const char *alphabet, bool padded, Arena *a) {
    char *out = arena_alloc_raw(a, (data.len / 3 + 1) * 4);
    size_t len = 0;
    for (size_t i = 0; i < data.len; i += 3) {
        size_t have = data.len - i < 3 ? data.len - i : 3;
        uint32_t bits = 0;
        for (size_t j = 0; j < 3; j++) {
            bits = bits << 8 | (j < have ? (unsigned char)data.ptr[i + j] : 0u);
        }
        for (size_t j = 0; j < 4; j++) {
            if (j <= have) out[len++] = alphabet[bits >> (18 - 6 * j) & 63];
            else if (padded) out[len++] = '=';
        }
    }
    return str_of(out, len);
}

Str base64_encode(Str data, Arena *a) { return base64(data, alphabet_standard, true, a); }

static int base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(Str text, Arena *a, Str *ret) {
    if (text.len % 4 != 0) return false;
    size_t pads = 0;
    while (pads < 2 && pads < text.len && text.ptr[text.len - 1 - pads] == '=') pads++;
    char *out = arena_alloc_raw(a, text.len / 4 * 3);
    size_t len = 0, digits = text.len - pads;
    uint32_t bits = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = base64_digit(text.ptr[i]);
        if (digit < 0) return false;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 == 3) {
            out[len++] = (char)(bits >> 16 & 255);
            out[len++] = (char)(bits >> 8 & 255);
            out[len++] = (char)(bits & 255);
        }
    }
    // Bits that no byte holds must be zero, so that every text has one encoding.
    if (pads == 1) {
        if (bits & 3) return false;
        out[len++] = (char)(bits >> 10 & 255);
        out[len++] = (char)(bits >> 2 & 255);
    } else if (pads == 2) {
        if (bits & 15) return false;
        out[len++] = (char)(bits >> 4 & 255);
    }
    *ret = str_of(out, len);
    return true;
}

Str random_token(size_t n, Arena *a) {
    char *bytes = arena_alloc_raw(a, n);
    random_bytes(bytes, n);
    return base64(str_of(bytes, n), alphabet_url, false, a);
}
