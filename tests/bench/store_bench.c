// room: store
// How many jobs a second does the writer take? Small ones from 64 threads that wait for their
// commit, and larger ones in bulk, as a replay submits them. Not a test: it never fails.
//
//   store_bench FOLDER [postgres://…]
#include "store/store.h"

#include "base/file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { THREADS = 64, SMALL_SECONDS = 3, BULK_JOBS = 300000, BULK_BATCH = 1000, IN_FLIGHT = 8 };

static Status small_job(Tx *tx, void *arg, Errors *errs) {
    Error err;
    Query *q = query(tx_db(tx), "INSERT INTO message (account_id, text_json, created_at)"
                                " VALUES (1, ?1, ?2)");
    query_str(q, 1, S("{\"text\":\"x\"}"));
    query_int(q, 2, *(int64_t *)arg);
    Status status = query_run(q, NULL, &err);
    return status == OK ? OK : errors_push(errs, &err);
}

// Six statements, as a small command: look up, insert, look up, count, chain, insert.
static Status bulk_job(Tx *tx, void *arg, Errors *errs) {
    Error err;
    int64_t n = *(int64_t *)arg, id = 0;
    Db *db = tx_db(tx);
    Query *q = query(db, "SELECT id FROM party WHERE id_number = ?1");
    Str number = arena_printf(tx_arena(tx), "33022519770615%04lld", (long long)(n % 5000));
    query_str(q, 1, number);
    Status status = query_one_int(q, &id, &err);
    if (status == NOT_FOUND) {
        q = query(db, "INSERT INTO party (kind, name, id_number, created_at)"
                      " VALUES (1, ?1, ?2, ?3) RETURNING id");
        query_str(q, 1, S("张三"));
        query_str(q, 2, number);
        query_int(q, 3, n);
        status = query_one_int(q, &id, &err);
    }
    int64_t seq = 0;
    if (status == OK) {
        q = query(db, "SELECT COALESCE(MAX(seq), 0) FROM event WHERE case_id = ?1");
        query_int(q, 1, n / 5);
        status = query_one_int(q, &seq, &err);
    }
    if (status == OK) {
        q = query(db, "INSERT INTO event (case_id, seq, at, actor_id, kind, handling, data_json,"
                      " salt, hash) VALUES (?1, ?2, ?3, 1, ?4, 2, ?5, ?6, ?7)");
        query_int(q, 1, n / 5);
        query_int(q, 2, seq + 1);
        query_int(q, 3, n);
        query_str(q, 4, S("case.accepted"));
        query_str(q, 5, S("{\"note\":\"材料齐全，符合法定形式\"}"));
        query_blob(q, 6, str_of("0123456789abcdef", 16));
        query_blob(q, 7, str_of("0123456789abcdef0123456789abcdef", 32));
        status = query_run(q, NULL, &err);
    }
    if (status == OK) {
        q = query(db, "INSERT INTO message (account_id, text_json, created_at) VALUES (1, ?1, ?2)");
        query_str(q, 1, S("{\"text\":\"x\"}"));
        query_int(q, 2, n);
        status = query_run(q, NULL, &err);
    }
    if (status == OK) {
        q = query(db, "UPDATE counter SET value = value + 1 WHERE name = ?1");
        query_str(q, 1, S("bench"));
        status = query_run(q, NULL, &err);
    }
    return status == OK ? OK : errors_push(errs, &err);
}

static Status arrange(Tx *tx, void *arg, Errors *errs) {
    Error err;
    (void)arg;
    Status status = query_run(query(tx_db(tx), "INSERT INTO account (id, login, name, password,"
                                               " roles, created_at) VALUES (1, 'b', 'b', '', 0, 0)"
                                               " ON CONFLICT DO NOTHING"), NULL, &err);
    if (status == OK) {
        status = query_run(query(tx_db(tx), "INSERT INTO counter (name, value) VALUES ('bench', 0)"
                                            " ON CONFLICT DO NOTHING"), NULL, &err);
    }
    return status == OK ? OK : errors_push(errs, &err);
}

static atomic_bool stop;
static atomic_long answered, refused;

static void *client(void *arg) {
    Arena *a = arena_create(1 << 20);
    int64_t n = 0;
    while (!atomic_load(&stop)) {
        Errors errs = errors_make(a);
        if (store_write(arg, small_job, &n, a, 0, &errs) == OK) atomic_fetch_add(&answered, 1);
        else atomic_fetch_add(&refused, 1);
        arena_reset(a);
        n++;
    }
    arena_free(a);
    return NULL;
}

static void small(Store *s) {
    pthread_t threads[THREADS];
    int64_t start = clock_monotonic_us();
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, client, s);
    sleep(SMALL_SECONDS);
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    int64_t us = clock_monotonic_us() - start;
    printf("small jobs, %d threads waiting for their commit: %ld a second (%ld refused)\n", THREADS,
           (long)(atomic_load(&answered) * 1000000 / us), atomic_load(&refused));
}

typedef struct Batch {
    StoreJob jobs[BULK_BATCH];
    int64_t numbers[BULK_BATCH];
    atomic_int left;
    Arena *arena;
} Batch;

static void bulk_done(StoreJob *job) {
    Batch *b = job->done_arg;
    if (job->status != OK) atomic_fetch_add(&refused, 1);
    atomic_fetch_sub(&b->left, 1);
}

static void bulk_submit(Store *s, Batch *b, int64_t from) {
    static StoreJob *list[BULK_BATCH];
    arena_reset(b->arena);
    for (int i = 0; i < BULK_BATCH; i++) {
        b->numbers[i] = from + i;
        b->jobs[i] = (StoreJob){.fn = bulk_job, .arg = &b->numbers[i], .now = from,
                                .done = bulk_done, .done_arg = b};
        list[i] = &b->jobs[i];
    }
    atomic_store(&b->left, BULK_BATCH);
    store_submit_many(s, list, BULK_BATCH);
}

static void bulk(Store *s) {
    Batch *batches = calloc(IN_FLIGHT, sizeof *batches);
    for (int i = 0; i < IN_FLIGHT; i++) batches[i].arena = arena_create(1 << 20);
    int64_t start = clock_monotonic_us(), tenth = start;
    for (int64_t n = 0; n < BULK_JOBS; n += BULK_BATCH) {
        Batch *b = &batches[n / BULK_BATCH % IN_FLIGHT];
        while (atomic_load(&b->left) > 0) usleep(100);
        bulk_submit(s, b, n);
        if ((n + BULK_BATCH) % (BULK_JOBS / 10) == 0) {
            int64_t now = clock_monotonic_us();
            printf("  %lld jobs: %lld a second\n", (long long)(n + BULK_BATCH),
                   (long long)((int64_t)BULK_JOBS / 10 * 1000000 / (now - tenth)));
            tenth = now;
        }
    }
    for (int i = 0; i < IN_FLIGHT; i++) {
        while (atomic_load(&batches[i].left) > 0) usleep(100);
        arena_free(batches[i].arena);
    }
    int64_t us = clock_monotonic_us() - start;
    printf("bulk jobs of five statements, %d at a time: %lld a second\n", BULK_BATCH,
           (long long)((int64_t)BULK_JOBS * 1000000 / us));
    free(batches);
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    Error err;
    Store *s;
    StoreOptions o = {.data_dir = str_z(argv[1]), .url = argc > 2 ? str_z(argv[2]) : (Str){0},
                      .create = true};
    Arena *a = arena_create(1 << 20);
    Errors errs = errors_make(a);
    Status status = dir_make(o.data_dir, 0700, a, &err);
    if (status == OK) status = store_open(&o, &s, &err);
    if (status != OK) {
        Str message = error_message(&err, NULL, NULL, a);
        printf("%.*s\n", S_FMT(message));
        return 1;
    }
    if (store_write(s, arrange, NULL, a, 0, &errs) != OK) return 1;
    small(s);
    bulk(s);
    store_close(s);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("peak memory %ld MB, refused %ld\n", used.ru_maxrss / 1024, atomic_load(&refused));
    arena_free(a);
}
