// The few primitives every room needs, over OpenSSL: SHA-256, HMAC, random bytes, hex, base64.
// Signatures and certificates live in seal/ and trail/.
#pragma once

#include "base/error.h"

enum { SHA256_SIZE = 32 };
typedef struct Hash {
    uint8_t bytes[SHA256_SIZE];
} Hash;

Hash sha256(Str data);
Hash sha256_parts(const Str *parts, size_t n); // of the concatenation
Hash hmac_sha256(Str key, Str data);
void random_bytes(void *out, size_t n); // from the kernel; aborts if it can't
Str hash_hex(const Hash *h, Arena *a);
MUST_USE bool hex_decode(Str hex, Arena *a, Str *ret);
Str base64_encode(Str data, Arena *a);               // standard, padded
MUST_USE bool base64_decode(Str text, Arena *a, Str *ret);
// n random bytes as unpadded base64url; 16 bytes and more for anything guessable matters.
Str random_token(size_t n, Arena *a);
