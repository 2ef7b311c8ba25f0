// Passwords: argon2id over libargon2, encoded as "$argon2id$v=19$m=…".
//
// Limits: PASSWORD_BYTES_MIN to PASSWORD_BYTES_MAX bytes; ARGON2_PARALLEL_MAX at once in the
// process, the rest wait, so that a flood of log-ins takes time and not memory.
#include "people/people_impl.h"

#include "base/crypto.h"

#include <argon2.h>
#include <pthread.h>

enum { SALT_SIZE = 16, HASH_SIZE = 32, ENCODED_MAX = 256 };

static uint32_t cost_passes = 2, cost_memory_kib = 19 << 10;

static pthread_mutex_t turn_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_free = PTHREAD_COND_INITIALIZER;
static unsigned turns;

static void turn_take(void) {
    pthread_mutex_lock(&turn_lock);
    while (turns >= ARGON2_PARALLEL_MAX) pthread_cond_wait(&turn_free, &turn_lock);
    turns++;
    pthread_mutex_unlock(&turn_lock);
}

static void turn_give(void) {
    pthread_mutex_lock(&turn_lock);
    turns--;
    pthread_cond_signal(&turn_free);
    pthread_mutex_unlock(&turn_lock);
}

void password_cost_set(uint32_t passes, uint32_t memory_kib) {
    cost_passes = passes;
    cost_memory_kib = memory_kib;
}

Status password_allowed(Str password, Str login, Str where, Errors *errs) {
    if (password.len < PASSWORD_BYTES_MIN) {
        return errors_add(errs, INVALID, where, "密码太短，请至少使用 10 个字符");
    }
    if (password.len > PASSWORD_BYTES_MAX) {
        return errors_add(errs, LIMIT, where, "密码太长，最多 200 个字节");
    }
    if (!str_utf8_valid(password) || memchr(password.ptr, 0, password.len)) {
        return errors_add(errs, INVALID, where, "密码含有不能使用的字符");
    }
    bool one_character = true;
    for (size_t i = 1; i < password.len; i++) one_character &= password.ptr[i] == password.ptr[0];
    if (one_character || str_eq_nocase(password, login)) {
        return errors_add(errs, INVALID, where, "密码太容易猜到，请换一个");
    }
    return OK;
}

Status password_hash(Str password, Arena *a, Str *ret, Error *err) {
    if (password.len > PASSWORD_BYTES_MAX) {
        return error_set(err, LIMIT, S("password"), "密码太长，最多 200 个字节");
    }
    uint8_t salt[SALT_SIZE];
    char encoded[ENCODED_MAX];
    random_bytes(salt, sizeof salt);
    turn_take();
    int code = argon2id_hash_encoded(cost_passes, cost_memory_kib, 1, password.ptr, password.len,
                                     salt, sizeof salt, HASH_SIZE, encoded, sizeof encoded);
    turn_give();
    if (code != ARGON2_OK) {
        return error_set(err, BUSY, S("password"), "内存不足，请稍后再试（{1}）",
                         str_z(argon2_error_message(code)));
    }
    *ret = arena_str(a, str_z(encoded));
    return OK;
}

bool password_verify(Str password, Str encoded) {
    char text[ENCODED_MAX];
    if (encoded.len == 0 || encoded.len >= sizeof text) return false;
    if (password.len > PASSWORD_BYTES_MAX) return false;
    memcpy(text, encoded.ptr, encoded.len);
    text[encoded.len] = 0;
    turn_take();
    int code = argon2id_verify(text, password.len ? password.ptr : "", password.len);
    turn_give();
    return code == ARGON2_OK;
}

void password_waste(Str password) {
    ARENA_AUTO a = arena_create(1 << 12);
    Str ignored;
    Str cut = str_sub(password, 0, PASSWORD_BYTES_MAX);
    (void)!password_hash(cut, a, &ignored, NULL);
}
