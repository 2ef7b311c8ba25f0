// Checkpoints: the pages of SQLite's write-ahead log go into the database, so that the log can
// begin again. A thread with a connection of its own does it beside the writer, who goes on
// appending; each run leaves what came meanwhile, so each next one has less. The last few pages
// the writer moves himself between two groups: then everything is in the database, and with the
// next group he begins the log again. So nobody who waits for a commit waits for a checkpoint.
//
// Invariants: a checkpoint never touches what a commit promised (both files are synced in order,
// by SQLite); one that fails is tried again later; the log is begun again only by the writer.
//
// Limits: past SQLITE_CHECKPOINT_PAGES_MAX the writer waits for the thread. A reader who stays
// on an old state keeps the log from beginning again, as ever in WAL; then it is tried again
// SQLITE_CHECKPOINT_PAGES later.
#include "store/store_impl.h"

static int run_once(Store *s, Db **db) {
    Error ignored;
    if (!*db) *db = db_open(s, true, &ignored);
    if (!*db) return -1;
    int moved = sqlite_checkpoint(*db, false);
    if (moved < 0) { // whatever it was, with a fresh connection next time
        db_close(*db);
        *db = NULL;
    }
    return moved;
}

static void *thread_main(void *store) {
    Store *s = store;
    Checkpointer *c = &s->checkpointer;
    Db *db = NULL;
    pthread_mutex_lock(&c->lock);
    while (!c->stopping) {
        if (!c->wanted) {
            pthread_cond_wait(&c->changed, &c->lock);
            continue;
        }
        c->wanted = false;
        unsigned begun = c->wal_begun;
        pthread_mutex_unlock(&c->lock);
        int moved = run_once(s, &db);
        pthread_mutex_lock(&c->lock);
        c->moved_pages = c->wal_begun == begun ? moved : 0;
        c->running = false;
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
    db_close(db);
    return NULL;
}

bool checkpointer_start(Store *s) {
    Checkpointer *c = &s->checkpointer;
    c->next_at = SQLITE_CHECKPOINT_PAGES;
    c->started = pthread_create(&c->thread, NULL, thread_main, s) == 0;
    return c->started;
}

void checkpointer_stop(Store *s) {
    Checkpointer *c = &s->checkpointer;
    if (!c->started) return;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    c->started = false;
}

void checkpointer_note(Store *s, int wal_pages) {
    Checkpointer *c = &s->checkpointer;
    if (wal_pages < c->wal_pages) { // it has begun again
        c->next_at = SQLITE_CHECKPOINT_PAGES;
        pthread_mutex_lock(&c->lock);
        c->wal_begun++;
        c->moved_pages = 0;
        pthread_mutex_unlock(&c->lock);
    }
    c->wal_pages = wal_pages;
}

// Under the lock.
static void start_run(Checkpointer *c) {
    c->wanted = c->running = true;
    pthread_cond_broadcast(&c->changed);
}

void checkpointer_turn(Store *s, Db *writer) {
    Checkpointer *c = &s->checkpointer;
    if (!c->started || c->wal_pages < c->next_at) return;
    pthread_mutex_lock(&c->lock);
    bool too_long = c->wal_pages >= SQLITE_CHECKPOINT_PAGES_MAX;
    while (c->running && too_long) pthread_cond_wait(&c->changed, &c->lock);
    bool running = c->running, failed = c->moved_pages < 0;
    int left = c->wal_pages - c->moved_pages;
    bool last = !running && !failed && left <= SQLITE_CHECKPOINT_LAST_PAGES;
    if (!running && !last && !failed) start_run(c);
    if (failed) c->moved_pages = 0;
    pthread_mutex_unlock(&c->lock);
    if (last) (void)sqlite_checkpoint(writer, false);
    // Begun again with the next group, or a reader is in the way; or the disk is full: later.
    if (last || failed) c->next_at = c->wal_pages + SQLITE_CHECKPOINT_PAGES;
}

bool checkpointer_empty(Store *s, Db *writer) {
    Checkpointer *c = &s->checkpointer;
    pthread_mutex_lock(&c->lock);
    bool running = c->running;
    pthread_mutex_unlock(&c->lock);
    if (running) return false;
    (void)sqlite_checkpoint(writer, true); // a reader in the way: at the next quiet moment
    return true;
}
