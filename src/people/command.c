// The registry of commands, and running one.
//
// Invariants: names are unique; the table is filled at start, before any thread runs a command,
// and not changed after. A command whose `roles` share no bit with the actor's is DENIED before
// it sees the input.
#include "people/people_impl.h"

#include <assert.h>

typedef struct Registered {
    const Command *command;
    CommandPrepare prepare;
} Registered;

static Registered registry[COMMANDS_MAX]; // by name
static size_t registry_count;

// Where `name` stands or would stand.
static size_t place_of(Str name) {
    size_t low = 0, high = registry_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(registry[middle].command->name, name) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static Registered *find(Str name) {
    size_t at = place_of(name);
    bool there = at < registry_count && str_eq(registry[at].command->name, name);
    return there ? &registry[at] : NULL;
}

void commands_register(const Command *table, size_t n) {
    for (size_t i = 0; i < n; i++) {
        size_t at = place_of(table[i].name);
        // Registering a room again (several tests in one process) changes nothing.
        if (at < registry_count && registry[at].command == &table[i]) continue;
        assert(registry_count < COMMANDS_MAX);
        assert(!find(table[i].name) && "two commands of one name");
        memmove(&registry[at + 1], &registry[at], (registry_count - at) * sizeof registry[0]);
        registry[at] = (Registered){.command = &table[i]};
        registry_count++;
    }
}

void command_on_input(Str name, CommandPrepare prepare) {
    Registered *r = find(name);
    assert(r && "commands_register comes first");
    r->prepare = prepare;
}

const Command *command_find(Str name) {
    const Registered *r = find(name);
    return r ? r->command : NULL;
}

size_t command_count(void) { return registry_count; }

const Command *command_at(size_t i) {
    assert(i < registry_count);
    return registry[i].command;
}

static Status gate(const Command *c, const Actor *actor, Errors *errs) {
    if (!actor_has(actor, c->roles)) {
        return errors_add(errs, DENIED, c->name, "您没有办理这项操作的权限");
    }
    if (actor->must_change && !str_eq(c->name, S("account.password"))) {
        return errors_add(errs, DENIED, c->name, "请先修改初始密码");
    }
    return OK;
}

static Status prepared(Db *db, const Command *c, const Actor *actor, Arena *a, Value *input,
                       Errors *errs) {
    const Registered *r = find(c->name);
    if (!r || !r->prepare) return OK;
    return r->prepare(db, actor, *input, a, input, errs);
}

Status command_in_tx(Tx *tx, const Command *c, const Actor *actor, Value input, Value *ret,
                     Errors *errs) {
    Status status = gate(c, actor, errs);
    if (status == OK) status = prepared(tx_db(tx), c, actor, tx_arena(tx), &input, errs);
    Value result = v_null();
    if (status == OK) status = c->run(tx, actor, input, &result, errs);
    if (status == OK && ret) *ret = result;
    return status;
}

typedef struct Run {
    const Command *command;
    const Actor *actor;
    Value input, result;
} Run;

static Status run_job(Tx *tx, void *arg, Errors *errs) {
    Run *run = arg;
    run->result = v_null();
    return run->command->run(tx, run->actor, run->input, &run->result, errs);
}

static Status prepare_outside(Store *s, Run *run, Arena *a, Errors *errs) {
    const Registered *r = find(run->command->name);
    if (!r || !r->prepare) return OK;
    Error err;
    DB_AUTO db = NULL;
    if (store_read(s, &db, &err) != OK) return errors_push(errs, &err);
    return prepared(db, run->command, run->actor, a, &run->input, errs);
}

Status command_run(Store *s, const Command *c, const Actor *actor, Value input, Instant now,
                   Arena *a, Value *ret, Errors *errs) {
    Run run = {.command = c, .actor = actor, .input = input};
    Status status = gate(c, actor, errs);
    if (status == OK) status = prepare_outside(s, &run, a, errs);
    if (status == OK) status = store_write(s, run_job, &run, a, now, errs);
    if (status == OK && ret) *ret = run.result;
    return status;
}
