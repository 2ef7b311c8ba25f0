// Signed notes and checkpoints: C2SP signed-note, tlog-checkpoint and tlog-tiles, with Ed25519.
// A note is text that ends in a newline, an empty line, and lines "— name base64(hash | sig)".
// Keys are lines of text as golang.org/x/mod/sumdb/note writes them:
//   name+hhhhhhhh+base64(0x01 | public key)                 to verify with
//   PRIVATE+KEY+name+hhhhhhhh+base64(0x01 | seed)           to sign with
// hhhhhhhh are the first four bytes of SHA-256(name | "\n" | 0x01 | public key).
#pragma once

#include "base/crypto.h"

enum {
    NOTE_SIZE_MAX = 1 << 20,
    NOTE_SIGNATURES_MAX = 100,
    NOTE_NAME_MAX = 200, // bytes
    NOTE_KEY_SIZE = 32,
    NOTE_SIGNATURE_SIZE = 64,
};

typedef struct NoteKey {
    Str name; // of the log or witness; no space, no '+'
    uint32_t hash;
    uint8_t public_key[NOTE_KEY_SIZE];
    uint8_t seed[NOTE_KEY_SIZE];
    bool secret; // `seed` is there
} NoteKey;

// A new key with its name copied into `a`. INVALID when the name can't be one.
MUST_USE Status note_key_make(Str name, Arena *a, NoteKey *ret, Error *err);
// From 32 bytes of secret seed.
MUST_USE Status note_key_from_seed(Str name, Str seed, Arena *a, NoteKey *ret, Error *err);
// Either form, white space around it allowed. INVALID when the hash does not fit the key.
MUST_USE Status note_key_parse(Str text, Arena *a, NoteKey *ret, Error *err);
Str note_key_public_text(const NoteKey *k, Arena *a);
Str note_key_secret_text(const NoteKey *k, Arena *a); // k->secret must be set

// `text` with a signature of each key. INVALID when the text is empty, does not end in a newline,
// is not UTF-8 or has control characters.
MUST_USE Status note_sign(Str text, const NoteKey *keys, size_t keys_count, Arena *a, Str *ret,
                          Error *err);
// Adds signatures to a signed note (a witness's cosignature), after those it has.
MUST_USE Status note_cosign(Str note, const NoteKey *keys, size_t keys_count, Arena *a, Str *ret,
                            Error *err);

typedef struct NoteOpened {
    Str text;          // what was signed, points into the note
    bool *signed_by;   // by place among the keys given, in `a`
    size_t signatures; // known ones
    size_t unknown;    // by keys not given
} NoteOpened;

// INVALID when it is not a note, a signature of a known key is wrong, or none is by a known key.
MUST_USE Status note_open(Str note, const NoteKey *keys, size_t keys_count, Arena *a,
                          NoteOpened *ret, Error *err);

// "origin\nsize\nroot in base64\n" and further lines.
typedef struct Checkpoint {
    Str origin;
    uint64_t size;
    Hash root;
    Str extension; // further lines, each with its newline; may be empty
} Checkpoint;

Str checkpoint_text(const Checkpoint *c, Arena *a);
// Of a note's text. The strings point into it.
MUST_USE Status checkpoint_parse(Str text, Arena *a, Checkpoint *ret, Error *err);
