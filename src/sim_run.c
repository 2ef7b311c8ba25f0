// Runs a plan: what is due is popped in order of simulated time, handed to the store in batches,
// and the answer of each act plans the next one of its case.
//
// Two batches are under way: while the writer works on one, the next is made. A case has at most
// one act in them, because its next is planned only when the last was answered. A batch ends before
// the earliest time at which an act under way could be followed by another, so simulated time never
// runs back; the longer that is, the more acts share a commit. At the end of each simulated day
// everything is answered, timers that fell due fire, and the log is sealed.
#include "sim.h"

#include "base/crypto.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
    JOB_MEMORY_MAX = 8 << 20,
    TASKS_MAX = 40,
    WORK_FROM_S = 8 * 3600 + 1800,
    WORK_TO_S = 17 * 3600,
    HEAP_GROW = 1 << 16,
    MORNING_MS = 90 * 60000,
};

typedef struct Due {
    Instant at;
    uint32_t index;
} Due;

typedef struct Sim Sim;

typedef struct SimJob {
    StoreJob job;
    Sim *sim;
    SimCase *c;
    uint32_t index;
    Instant now;
    Value input;
    Errors errs;
    // out
    int64_t case_id, due_day, account, party;
    bool decided;
} SimJob;

typedef struct Batch {
    SimJob jobs[SIM_BATCH_MAX];
    StoreJob *order[SIM_BATCH_MAX];
    size_t count;
    Instant followed_at; // no act of it is followed by another before
    size_t answered;     // under the lock
} Batch;

typedef struct PartyRef {
    int64_t account, party;
} PartyRef;

struct Sim {
    House *house;
    const SimPlan *plan;
    const Scenario *s;
    const Calendar *cal;
    uint64_t rng;
    Due *heap;
    size_t heap_len, heap_cap;
    size_t next_case; // arrivals not yet popped
    Instant end;      // nothing is decided after
    Batch *batches[2];
    pthread_mutex_t lock;
    pthread_cond_t all_answered;
    PartyRef *parties; // of people, then companies
    PartyRef *bundle_parties;
    int64_t *unit_ids; // and the simulated official of each

    size_t units;
    Actor *officials;
    int64_t commands, submitted;
    Errors failed; // the first refusal ends the run
    bool quiet;
};

// ---- heap by time ----

static bool heap_push(Sim *sim, Instant at, uint32_t index) {
    if (sim->heap_len == sim->heap_cap) {
        size_t cap = sim->heap_cap + HEAP_GROW;
        Due *grown = realloc(sim->heap, cap * sizeof *grown);
        if (!grown) return false;
        sim->heap = grown;
        sim->heap_cap = cap;
    }
    size_t i = sim->heap_len++;
    while (i && sim->heap[(i - 1) / 2].at > at) {
        sim->heap[i] = sim->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    sim->heap[i] = (Due){at, index};
    return true;
}

static Due heap_pop(Sim *sim) {
    Due top = sim->heap[0], last = sim->heap[--sim->heap_len];
    size_t i = 0;
    for (;;) {
        size_t k = 2 * i + 1;
        if (k >= sim->heap_len) break;
        if (k + 1 < sim->heap_len && sim->heap[k + 1].at < sim->heap[k].at) k++;
        if (sim->heap[k].at >= last.at) break;
        sim->heap[i] = sim->heap[k];
        i = k;
    }
    sim->heap[i] = last;
    return top;
}

static Instant next_due(const Sim *sim) {
    Instant at = sim->heap_len ? sim->heap[0].at : INT64_MAX;
    if (sim->next_case < sim->plan->cases_count) {
        Instant arrival = sim->plan->cases[sim->next_case].submit_at;
        if (arrival < at) at = arrival;
    }
    return at;
}

static Due pop_due(Sim *sim) {
    bool arrivals = sim->next_case < sim->plan->cases_count;
    if (arrivals &&
        (!sim->heap_len || sim->plan->cases[sim->next_case].submit_at <= sim->heap[0].at)) {
        size_t i = sim->next_case++;
        return (Due){sim->plan->cases[i].submit_at, (uint32_t)i};
    }
    return heap_pop(sim);
}

// ---- times ----

// The next moment of working hours of a working day, from `t` on; what an office finds in the
// morning it does within `spread_ms`.
static Instant in_hours(Sim *sim, Instant t, uint64_t spread_ms) {
    Day d = instant_day(t);
    if (!calendar_is_workday(sim->cal, d) || t > day_instant(d, WORK_TO_S)) {
        do d++;
        while (!calendar_is_workday(sim->cal, d));
        return day_instant(d, WORK_FROM_S) + (Instant)sim_below(&sim->rng, 2 * spread_ms);
    }
    if (t >= day_instant(d, WORK_FROM_S)) return t;
    return day_instant(d, WORK_FROM_S) + (Instant)sim_below(&sim->rng, spread_ms);
}

// At most `minutes_more` beyond the least, but within working hours.
static Instant office_time(Sim *sim, Instant t, int64_t minutes_more) {
    t += SIM_FOLLOW_MS + (int64_t)sim_below(&sim->rng, (uint64_t)minutes_more + 1) * 60000;
    return in_hours(sim, t, MORNING_MS);
}

static Instant citizen_time(Sim *sim, Instant t, int64_t minutes_more) {
    return t + SIM_FOLLOW_MS + (int64_t)sim_below(&sim->rng, (uint64_t)minutes_more) * 60000;
}

// All ends with the period: what would come later comes halfway there, so more can follow.
static Instant before_end(const Sim *sim, Instant now, Instant at) {
    return at < sim->end ? at : now + (sim->end - now) / 2;
}

// No act that follows this one comes before; INT64_MAX when none does.
static Instant followed_from(Sim *sim, const SimCase *c, Instant now) {
    SimStep step = (SimStep)c->next;
    if (step == STEP_REFUSE || step == STEP_WITHDRAW || step == STEP_RATE ||
        (step == STEP_DELIVER && !c->grade)) {
        return INT64_MAX;
    }
    Instant at = now + SIM_FOLLOW_MS;
    if (step == STEP_SUBMIT && c->kind != SIM_WITHDRAWN_BEFORE) {
        bool collects = sim->plan->items[c->item].instant && (c->delivers || c->grade);
        if (!collects) at = in_hours(sim, at, 0); // an office's turn
    }
    return before_end(sim, now, at);
}

static void plan_step(Sim *sim, SimJob *j, SimStep step, Instant at) {
    j->c->next = (uint8_t)step;
    if (!heap_push(sim, before_end(sim, j->now, at), j->index)) {
        (void)errors_add(&sim->failed, LIMIT, S("simulate"), "内存不足");
    }
}

static void plan_after_decision(Sim *sim, SimJob *j) {
    SimCase *c = j->c;
    c->decided = true;
    if (c->delivers) {
        plan_step(sim, j, STEP_DELIVER,
                  c->window ? office_time(sim, j->now, 555) : citizen_time(sim, j->now, 1400));
    } else if (c->grade) {
        plan_step(sim, j, STEP_RATE, citizen_time(sim, j->now, 2600));
    }
}

static void plan_task(Sim *sim, SimJob *j) {
    SimCase *c = j->c;
    Day last = instant_day(sim->end - 1);
    if (c->overdue && !c->tasks_done) {
        Day late =
            calendar_add(sim->cal, (Day)c->due_day, 1 + (int32_t)sim_below(&sim->rng, 3), NULL);
        plan_step(sim, j, STEP_TASK, day_instant(late, 10 * 3600));
        return;
    }
    // Most offices work well within what they promised; nobody is late by chance.
    Day due = c->due_day && c->due_day < last ? (Day)c->due_day : last;
    int32_t left = calendar_between(sim->cal, instant_day(j->now), due);
    int64_t most = left > 1 ? (left - 1) * 700 / (c->bundle ? 6 : 2) : 120;
    Instant at = office_time(sim, j->now, most);
    if (instant_day(at) > due) at = j->now + SIM_FOLLOW_MS;
    plan_step(sim, j, STEP_TASK, at);
}

static void plan_next(Sim *sim, SimJob *j) {
    SimCase *c = j->c;
    SimKind kind = (SimKind)c->kind;
    switch ((SimStep)c->next) {
    case STEP_SUBMIT:
        if (j->decided) plan_after_decision(sim, j);
        else if (kind == SIM_REFUSED) plan_step(sim, j, STEP_REFUSE, office_time(sim, j->now, 455));
        else if (kind == SIM_WITHDRAWN_BEFORE)
            plan_step(sim, j, STEP_WITHDRAW, j->now + SIM_FOLLOW_MS);
        else if (kind == SIM_CORRECTION || kind == SIM_EXPIRED) {
            plan_step(sim, j, STEP_CORRECT, office_time(sim, j->now, 455));
        } else plan_step(sim, j, STEP_ACCEPT, office_time(sim, j->now, 355));
        break;
    case STEP_CORRECT:
        if (kind == SIM_CORRECTION)
            plan_step(sim, j, STEP_SUPPLEMENT, citizen_time(sim, j->now, 4000));
        break;
    case STEP_ACCEPT:
        if (kind == SIM_WITHDRAWN_AFTER) plan_step(sim, j, STEP_WITHDRAW, j->now + SIM_FOLLOW_MS);
        else if (kind == SIM_TOLERATED)
            plan_step(sim, j, STEP_SUPPLEMENT, citizen_time(sim, j->now, 2500));
        else if (kind != SIM_OPEN && kind != SIM_BROKEN) plan_task(sim, j);
        break;
    case STEP_SUPPLEMENT:
        if (kind == SIM_TOLERATED) plan_task(sim, j);
        else plan_step(sim, j, STEP_ACCEPT, office_time(sim, j->now, 255));
        break;
    case STEP_TASK:
        c->tasks_done++;
        if (j->decided) plan_after_decision(sim, j);
        else if (c->tasks_done < TASKS_MAX) plan_task(sim, j);
        break;
    case STEP_DELIVER:
        if (c->grade) plan_step(sim, j, STEP_RATE, citizen_time(sim, j->now, 900));
        break;
    case STEP_REFUSE:
    case STEP_WITHDRAW:
    case STEP_RATE:
    case STEP_NONE: break;
    }
}

// ---- acts ----

static Actor official_of(const Sim *sim, int64_t unit_id) {
    for (size_t i = 0; i < sim->units; i++) {
        if (sim->unit_ids[i] == unit_id) return sim->officials[i];
    }
    return sim->officials[0];
}

static PartyRef *party_ref(Sim *sim, const SimCase *c) {
    return c->bundle ? &sim->bundle_parties[c->party] : &sim->parties[c->party];
}

static Actor applicant_of(Sim *sim, const SimCase *c) {
    PartyRef *ref = party_ref(sim, c);
    return (Actor){.account_id = ref->account, .party_id = ref->party, .roles = ROLE_CITIZEN};
}

static Value id_input(const SimCase *c, ContextBuilder *b) {
    context_put_new(b, S("id"), v_int(c->id));
    return context_done(b);
}

static Value submit_input(Sim *sim, SimJob *j, Arena *a) {
    SimCase *c = j->c;
    const SimItem *it = &sim->plan->items[c->item];
    const SimSample *sample = it->sample;
    Value party = sim_party(sim->s, c->party, c->bundle, a);
    ListBuilder materials = list_make(a);
    bool skips = c->kind == SIM_TOLERATED || c->kind == SIM_BROKEN;
    for (size_t i = 0; i < sample->materials.len; i++) {
        Value code = v_at(sample->materials, i);
        if (!skips || !str_eq(v_text(code), sample->tolerates)) list_add(&materials, code);
    }
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("item"), v_str(it->code));
    context_put_new(&b, S("applicant"), party);
    context_put_new(&b, S("situation"), sample->situation);
    context_put_new(&b, S("answers"),
                    sim_fill(sample->answers, c, sim->s, party, instant_day(j->now), a));
    context_put_new(&b, S("materials"), list_done(&materials));
    if (c->town) context_put_new(&b, S("town"), v_str(sim->s->towns[c->town - 1]));
    return context_done(&b);
}

static Value make_input(Sim *sim, SimJob *j, Arena *a) {
    SimCase *c = j->c;
    ContextBuilder b = context_make(a);
    ListBuilder list = list_make(a);
    Str tolerates = sim->plan->items[c->item].sample->tolerates;
    bool promised = c->kind == SIM_TOLERATED || c->kind == SIM_BROKEN;
    switch ((SimStep)c->next) {
    case STEP_SUBMIT: return submit_input(sim, j, a);
    case STEP_ACCEPT:
        if (promised) {
            list_add(&list, v_str(tolerates));
            context_put_new(&b, S("tolerate"), list_done(&list));
            context_put_new(&b, S("promise"), v_bool(true));
        }
        break;
    case STEP_REFUSE:
        context_put_new(&b, S("reason"), v_lit("申请事项不属于本行政机关职权范围。")); // i18n: data
        break;
    case STEP_CORRECT: {
        ContextBuilder m = context_make(a);
        context_put_new(&m, S("field"), v_lit("办理事由")); // i18n: data
        context_put_new(&m, S("reason"), v_lit("请写明办理用途。")); // i18n: data
        list_add(&list, context_done(&m));
        context_put_new(&b, S("missing"), list_done(&list));
        break;
    }
    case STEP_SUPPLEMENT:
        if (promised) {
            list_add(&list, v_str(tolerates));
            context_put_new(&b, S("materials"), list_done(&list));
        } else {
            ContextBuilder answers = context_make(a);
            context_put_new(&answers, S("matter"), v_lit("申请办理，用途已补充说明。")); // i18n: data
            context_put_new(&b, S("answers"), context_done(&answers));
        }
        break;
    case STEP_WITHDRAW: context_put_new(&b, S("reason"), v_lit("情况有变，不再办理。")); break; // i18n: data
    case STEP_RATE:
        context_put_new(&b, S("grade"), v_int(c->grade));
        context_put_new(&b, S("token"), v_str(rating_token(c->id, a)));
        context_put_new(&b, S("channel"), c->window ? v_lit("window") : v_lit("online"));
        break;
    case STEP_DELIVER:
    case STEP_TASK:
    case STEP_NONE: break;
    }
    return id_input(c, &b);
}

static Status run_as(Tx *tx, SimJob *j, const char *command, const Actor *actor, Value input,
                     Value *ret, Errors *errs) {
    j->sim->commands++;
    return command_in_tx(tx, command_find(str_z(command)), actor, input, ret, errs);
}

static Status act_submit(Tx *tx, SimJob *j, Errors *errs) {
    Sim *sim = j->sim;
    SimCase *c = j->c;
    Value out, enrolled;
    Actor actor = official_of(sim, sim->plan->items[c->item].unit_id);
    if (!c->window) {
        PartyRef *ref = party_ref(sim, c);
        j->account = ref->account;
        j->party = ref->party;
        if (!ref->party) {
            Status st = run_as(tx, j, "party.enroll", &actor_system,
                               v_get_lit(j->input, "applicant"), &enrolled, errs);
            if (st != OK) return st;
            j->account = v_to_int(v_get_lit(enrolled, "account_id"), 0);
            j->party = v_to_int(v_get_lit(enrolled, "party_id"), 0);
        }
        actor = (Actor){.account_id = j->account, .party_id = j->party, .roles = ROLE_CITIZEN};
    }
    Status st = run_as(tx, j, "case.submit", &actor, j->input, &out, errs);
    if (st == OK) j->case_id = v_to_int(v_get_lit(out, "id"), 0);
    return st;
}

// The open task goes to the simulated official of its unit.
static Status act_task(Tx *tx, SimJob *j, Errors *errs) {
    Arena *a = tx_arena(tx);
    Error e = {.status = OK};
    int64_t unit = 0;
    Str node = S("");
    Value attributes = v_null();
    Status parsed = OK;
    Query *q = query(tx_db(tx), "SELECT unit_id, node, attributes_json FROM task WHERE case_id = ?1"
                                " AND state < 3 ORDER BY id LIMIT 1");
    query_int(q, 1, j->c->id);
    if (query_next(q)) {
        unit = query_col_int(q, 0);
        node = query_col_keep(q, 1, a);
        parsed = json_parse(query_col_keep(q, 2, a), JSON_LAX, (JsonLimits){0}, a, &attributes, &e);
    }
    Error done = {.status = OK};
    if (query_done(q, &done) != OK) return errors_push(errs, &done);
    if (parsed != OK) return errors_push(errs, &e);
    Actor actor = official_of(j->sim, unit);
    const SimSample *sample = j->sim->plan->items[j->c->item].sample;
    ContextBuilder b = context_make(a);
    context_put_new(&b, S("case"), v_int(j->c->id));
    context_put_new(&b, S("node"), v_str(node));
    context_put_new(&b, S("outcome"), v_lit("pass"));
    Str form = v_text(v_get_lit(attributes, "form"));
    if (!str_empty(form)) {
        Value party = v_null();
        context_put_new(
            &b, S("answers"),
            sim_fill(v_get(sample->tasks, node), j->c, j->sim->s, party, tx_day(tx), a));
    }
    Value out;
    return run_as(tx, j, "task.complete", &actor, context_done(&b), &out, errs);
}

static Status read_state(Tx *tx, SimJob *j, Errors *errs) {
    Query *q = query(tx_db(tx), "SELECT decided_at, promised_due_day FROM cases WHERE id = ?1");
    query_int(q, 1, j->case_id);
    if (query_next(q)) {
        j->decided = !query_col_null(q, 0);
        j->due_day = query_col_int(q, 1);
    }
    Error e = {.status = OK};
    return query_done(q, &e) == OK ? OK : errors_push(errs, &e);
}

static Status act(Tx *tx, void *arg, Errors *errs) {
    static const char *const commands[] = {
        [STEP_ACCEPT] = "case.accept",     [STEP_REFUSE] = "case.refuse",
        [STEP_CORRECT] = "case.correct",   [STEP_SUPPLEMENT] = "case.supplement",
        [STEP_WITHDRAW] = "case.withdraw", [STEP_DELIVER] = "case.deliver",
        [STEP_RATE] = "rating.give",       [STEP_NONE] = NULL,
    };
    SimJob *j = arg;
    SimStep step = (SimStep)j->c->next;
    Status st;
    j->case_id = j->c->id;
    if (step == STEP_SUBMIT) st = act_submit(tx, j, errs);
    else if (step == STEP_TASK) st = act_task(tx, j, errs);
    else {
        bool official = step == STEP_ACCEPT || step == STEP_REFUSE || step == STEP_CORRECT ||
                        (step == STEP_DELIVER && j->c->window);
        Actor actor = official ? official_of(j->sim, j->sim->plan->items[j->c->item].unit_id)
                               : applicant_of(j->sim, j->c);
        if (step == STEP_RATE)
            actor = actor_public; // by the link, on the phone or the counter's tablet
        Value out;
        st = run_as(tx, j, commands[step], &actor, j->input, &out, errs);
    }
    bool goes_on = step == STEP_SUBMIT || step == STEP_ACCEPT || step == STEP_TASK;
    return st == OK && goes_on ? read_state(tx, j, errs) : st;
}

static void answered(StoreJob *job) {
    SimJob *j = job->arg;
    Sim *sim = j->sim;
    pthread_mutex_lock(&sim->lock);
    Batch *b = job->done_arg;
    if (++b->answered == b->count) pthread_cond_signal(&sim->all_answered);
    pthread_mutex_unlock(&sim->lock);
}

// ---- batches ----

// Half of the time until an act under way may be followed is left to the batch behind this one.
static bool batch_takes(Sim *sim, const Batch *b, Instant first, Instant followed, Instant until) {
    Instant at = next_due(sim);
    if (b->count >= SIM_BATCH_MAX || at >= until || at >= followed) return false;
    return followed == INT64_MAX || at <= first + (followed - first) / 2;
}

// What is due until `until`, at most a batch. `before`: the batch under way.
static void batch_make(Sim *sim, Batch *b, const Batch *before, Instant until) {
    b->count = b->answered = 0;
    b->followed_at = INT64_MAX;
    Instant first = next_due(sim);
    Instant followed = before->count ? before->followed_at : INT64_MAX;
    while (batch_takes(sim, b, first, followed, until)) {
        Due due = pop_due(sim);
        SimJob *j = &b->jobs[b->count];
        Arena *a = j->job.arena;
        arena_reset(a);
        SimCase *c = &sim->plan->cases[due.index];
        *j = (SimJob){.sim = sim, .c = c, .index = due.index, .now = due.at};
        j->errs = errors_make(a);
        j->job = (StoreJob){.fn = act,
                            .arg = j,
                            .arena = a,
                            .now = due.at,
                            .errs = &j->errs,
                            .done = answered,
                            .done_arg = b};
        j->input = make_input(sim, j, a);
        b->order[b->count++] = &j->job;
        Instant next = followed_from(sim, c, due.at);
        if (next < b->followed_at) b->followed_at = next;
        if (next < followed) followed = next;
    }
}

static void batch_wait(Sim *sim, Batch *b) {
    pthread_mutex_lock(&sim->lock);
    while (b->answered < b->count) pthread_cond_wait(&sim->all_answered, &sim->lock);
    pthread_mutex_unlock(&sim->lock);
    for (size_t i = 0; i < b->count; i++) {
        SimJob *j = &b->jobs[i];
        SimCase *c = j->c;
        if (j->job.status != OK) {
            if (!sim->failed.count && j->errs.count)
                (void)errors_push(&sim->failed, &j->errs.items[0]);
            continue;
        }
        if (c->next == STEP_SUBMIT) {
            c->id = j->case_id;
            sim->submitted++;
            if (j->party) *party_ref(sim, c) = (PartyRef){j->account, j->party};
        }
        if (c->next == STEP_SUBMIT || c->next == STEP_ACCEPT || c->next == STEP_TASK) {
            c->due_day = j->due_day;
        }
        plan_next(sim, j);
    }
    b->count = 0;
}

static void run_until(Sim *sim, Instant until) {
    size_t turn = 0;
    do {
        Batch *b = sim->batches[turn];
        batch_make(sim, b, sim->batches[!turn], until);
        if (b->count) store_submit_many(sim->house->store, b->order, b->count);
        turn = !turn;
        batch_wait(sim, sim->batches[turn]);
    } while (sim->failed.count == 0 &&
             (sim->batches[0]->count || sim->batches[1]->count || next_due(sim) < until));
    batch_wait(sim, sim->batches[0]);
    batch_wait(sim, sim->batches[1]);
}

// ---- officials ----

// One simulated official for each unit, with every post of it; nobody can log in as one.
static Status load_officials(Tx *tx, void *arg, Errors *errs) {
    (void)arg;
    Arena *a = tx_arena(tx);
    Value units, posts, report;
    Error e = {.status = OK};
    if (unit_list(tx_db(tx), a, &units, &e) != OK || post_list(tx_db(tx), a, &posts, &e) != OK) {
        return errors_push(errs, &e);
    }
    ListBuilder accounts = list_make(a);
    ListBuilder roles = list_make(a);
    list_add(&roles, v_lit("clerk"));
    list_add(&roles, v_lit("approver"));
    list_add(&roles, v_lit("supervisor"));
    for (size_t i = 0; i < units.len; i++) {
        Value unit = v_at(units, i);
        ListBuilder held = list_make(a);
        int64_t id = v_to_int(v_get_lit(unit, "id"), 0);
        for (size_t k = 0; k < posts.len; k++) {
            Value post = v_at(posts, k);
            if (v_to_int(v_get_lit(post, "unit_id"), 0) == id)
                list_add(&held, v_get_lit(post, "code"));
        }
        ContextBuilder b = context_make(a);
        Str code = v_text(v_get_lit(unit, "code"));
        context_put_new(&b, S("login"), v_str(arena_printf(a, "sim-%lld", (long long)id)));
        context_put_new(&b, S("name"), v_lit("重演经办")); // i18n: data
        context_put_new(&b, S("password"), v_str(random_token(24, a)));
        context_put_new(&b, S("roles"), list_done(&roles));
        context_put_new(&b, S("unit"), v_str(code));
        context_put_new(&b, S("posts"), list_done(&held));
        list_add(&accounts, context_done(&b));
    }
    ContextBuilder county = context_make(a);
    context_put_new(&county, S("accounts"), list_done(&accounts));
    return people_load(tx, context_done(&county), &report, errs);
}

static Status read_officials(Sim *sim, Arena *a, Error *err) {
    DB_AUTO db = NULL;
    Value units, posts;
    Status st = store_read(sim->house->store, &db, err);
    if (st == OK) st = unit_list(db, a, &units, err);
    if (st == OK) st = post_list(db, a, &posts, err);
    if (st != OK) return st;
    sim->units = units.len;
    sim->unit_ids = arena_array(a, int64_t, units.len);
    sim->officials = arena_array(a, Actor, units.len);
    for (size_t i = 0; i < units.len && st == OK; i++) {
        int64_t id = v_to_int(v_get_lit(v_at(units, i), "id"), 0), account = 0;
        Query *q = query(db, "SELECT id FROM account WHERE login = ?1");
        query_str(q, 1, arena_printf(a, "sim-%lld", (long long)id));
        st = query_one_int(q, &account, err);
        int64_t *held = arena_array(a, int64_t, SIM_POSTS_MAX);
        size_t n = 0;
        for (size_t k = 0; k < posts.len && n < SIM_POSTS_MAX; k++) {
            Value post = v_at(posts, k);
            if (v_to_int(v_get_lit(post, "unit_id"), 0) == id) {
                held[n++] = v_to_int(v_get_lit(post, "id"), 0);
            }
        }
        sim->unit_ids[i] = id;
        sim->officials[i] = (Actor){.account_id = account,
                                    .unit_id = 0,
                                    .name = S("重演经办"), // i18n: data
                                    .roles = ROLE_CLERK | ROLE_APPROVER | ROLE_SUPERVISOR,
                                    .posts = held,
                                    .posts_count = n};
    }
    return st;
}

// ---- the run ----

static Status end_of_day(Sim *sim, Day day, Error *err) {
    Instant midnight = day_instant(day + 1, 0);
    Status st = case_run_due(sim->house->cases, sim->house->store, midnight, NULL, err);
    uint64_t size;
    if (st == OK) st = trail_seal(sim->house->store, sim->house->key, midnight, &size, err);
    return st;
}

static void show(const Sim *sim, Day day, Arena *a) {
    if (sim->quiet) return;
    size_t all = sim->plan->cases_count;
    int percent = (int)((size_t)sim->submitted * 100 / all);
    fprintf(stderr, "\r%.*s  %3d%%  %lld / %zu", S_FMT(day_format(day, a)), percent,
            (long long)sim->submitted, all);
}

typedef struct Lap {
    double seconds, cpu_us, submitted, commands;
} Lap;

static double timeval_us(struct timeval t) { return (double)t.tv_sec * 1e6 + (double)t.tv_usec; }

static Lap lap(const Sim *sim) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (Lap){.seconds = (double)clock_monotonic_us() / 1e6,
                 .cpu_us = timeval_us(usage.ru_utime) + timeval_us(usage.ru_stime),
                 .submitted = (double)sim->submitted,
                 .commands = (double)sim->commands};
}

static double rate(double amount, double over) { return over > 0 ? amount / over : 0; }

static Lap between(Lap from, Lap to) {
    return (Lap){to.seconds - from.seconds, to.cpu_us - from.cpu_us, to.submitted - from.submitted,
                 to.commands - from.commands};
}

// `tenth`, `ninth`: when a tenth and nine tenths of the cases had been submitted.
static SimResult result(const Sim *sim, Lap began, Lap tenth, Lap ninth) {
    Lap ended = lap(sim), first = between(began, tenth), last = between(ninth, ended);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (SimResult){.cases = sim->submitted,
                       .commands = sim->commands,
                       .seconds = ended.seconds - began.seconds,
                       .first_tenth = rate(first.submitted, first.seconds),
                       .last_tenth = rate(last.submitted, last.seconds),
                       .first_tenth_commands = rate(first.commands, first.seconds),
                       .last_tenth_commands = rate(last.commands, last.seconds),
                       .first_tenth_command_cpu_us = rate(first.cpu_us, first.commands),
                       .last_tenth_command_cpu_us = rate(last.cpu_us, last.commands),
                       .memory_peak_kb = usage.ru_maxrss};
}

static Status run_days(Sim *sim, SimResult *r, Arena *a, Error *err) {
    int64_t of_ten = (int64_t)sim->plan->cases_count / 10;
    Lap began = lap(sim), tenth = {0}, ninth = {0};
    for (Day d = sim->s->from; d <= sim->s->to; d++) {
        ArenaMark mark = arena_mark(a);
        run_until(sim, day_instant(d + 1, 0));
        if (sim->failed.count) {
            Error *e = &sim->failed.items[0];
            return error_fill(err, e->status, e->where, e->text, e->args);
        }
        Status st = end_of_day(sim, d, err);
        if (st != OK) return st;
        if (tenth.seconds <= 0 && sim->submitted >= of_ten) tenth = lap(sim);
        if (ninth.seconds <= 0 && sim->submitted >= 9 * of_ten) ninth = lap(sim);
        show(sim, d, a);
        arena_rewind(a, mark);
    }
    *r = result(sim, began, tenth, ninth);
    if (!sim->quiet) fputc('\n', stderr);
    return OK;
}

static Batch *batch_new(void) {
    Batch *b = calloc(1, sizeof *b);
    for (size_t i = 0; b && i < SIM_BATCH_MAX; i++)
        b->jobs[i].job.arena = arena_create(JOB_MEMORY_MAX);
    return b;
}

static void batch_free(Batch *b) {
    for (size_t i = 0; b && i < SIM_BATCH_MAX; i++) arena_free(b->jobs[i].job.arena);
    free(b);
}

Status sim_run(House *h, const SimPlan *p, bool quiet, SimResult *ret, Error *err) {
    ARENA_AUTO a = arena_create(STORE_JOB_MEMORY_MAX);
    Errors errs = errors_make(a);
    const Scenario *s = p->scenario;
    Sim sim = {.house = h,
               .plan = p,
               .s = s,
               .cal = case_calendar(h->cases),
               .rng = s->seed + 1,
               .end = day_instant(s->to + 1, 0),
               .quiet = quiet,
               .failed = errors_make(a)};
    size_t people = (size_t)(s->people + s->companies);
    int64_t bundle = scenario_number(s, "targets", "bundle_people");
    Status st = store_write(h->store, load_officials, NULL, a, day_instant(s->from, 0), &errs);
    if (st != OK) {
        const Error *e = &errs.items[0];
        return error_fill(err, e->status, e->where, e->text, e->args);
    }
    st = read_officials(&sim, a, err);
    if (st != OK) return st;
    sim.parties = calloc(people, sizeof *sim.parties);
    sim.bundle_parties = calloc((size_t)bundle + 1, sizeof *sim.bundle_parties);
    sim.batches[0] = batch_new();
    sim.batches[1] = batch_new();
    pthread_mutex_init(&sim.lock, NULL);
    pthread_cond_init(&sim.all_answered, NULL);
    if (!sim.parties || !sim.bundle_parties || !sim.batches[0] || !sim.batches[1]) {
        st = error_set(err, LIMIT, S("simulate"), "内存不足");
    }
    if (st == OK) st = run_days(&sim, ret, a, err);
    pthread_cond_destroy(&sim.all_answered);
    pthread_mutex_destroy(&sim.lock);
    batch_free(sim.batches[0]);
    batch_free(sim.batches[1]);
    free(sim.parties);
    free(sim.bundle_parties);
    free(sim.heap);
    return st;
}
