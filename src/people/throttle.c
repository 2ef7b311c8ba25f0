// A bounded table of attempts: so many under one key in one minute. In memory, of this process.
//
// The table has SETS sets of WAYS entries; a key belongs to one set, chosen by a hash nobody
// outside can compute. When a set is full of this minute's keys the least used one makes room:
// an attacker with very many addresses may be forgotten, but can't make the table grow or lock
// out others. Accounts are protected besides, in the database.
#include "people/people_impl.h"

#include "base/crypto.h"

#include <pthread.h>

enum { SETS = 1024, WAYS = 4, MINUTE_MS = 60000 };

typedef struct Attempts {
    uint64_t key; // 0: free
    int64_t minute;
    unsigned count;
} Attempts;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Attempts table[SETS][WAYS];
static char secret[32];
static bool secret_made;

static uint64_t key_of(Str key) {
    if (!secret_made) random_bytes(secret, sizeof secret);
    secret_made = true;
    Hash h = hmac_sha256(str_of(secret, sizeof secret), key);
    uint64_t n;
    memcpy(&n, h.bytes, sizeof n);
    return n | 1;
}

// The entry of the key, or the one that makes room for it.
static Attempts *entry_of(uint64_t key, int64_t minute) {
    Attempts *set = table[(key >> 1) % SETS];
    Attempts *room = &set[0];
    for (int i = 0; i < WAYS; i++) {
        if (set[i].key == key) return &set[i];
        bool old = set[i].minute != minute, room_old = room->minute != minute;
        if ((old && !room_old) || (old == room_old && set[i].count < room->count)) room = &set[i];
    }
    *room = (Attempts){.key = key, .minute = minute};
    return room;
}

bool throttle_allow(Str key, Instant now, unsigned max) {
    int64_t minute = now / MINUTE_MS;
    pthread_mutex_lock(&lock);
    Attempts *e = entry_of(key_of(key), minute);
    if (e->minute != minute) {
        e->minute = minute;
        e->count = 0;
    }
    bool allowed = e->count < max;
    if (allowed) e->count++;
    pthread_mutex_unlock(&lock);
    return allowed;
}

void throttle_forget(void) {
    pthread_mutex_lock(&lock);
    memset(table, 0, sizeof table);
    pthread_mutex_unlock(&lock);
}
