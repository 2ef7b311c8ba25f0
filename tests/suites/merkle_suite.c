// room: trail
// The public vectors of Merkle proofs: in FOLDER, `inclusion` and `consistency` and the folders in
// them hold JSON files, each a proof and whether it must be refused (wantErr). A leaf or a hash of
// a proof that is not 32 bytes is refused by whoever reads it, before any arithmetic. Roots are
// only ever compared, and some vectors have words for them: one that is not 32 bytes is stood in
// for by its digest, which is equal where it is equal and no root of any tree. Prints each failure
// and ends in "N passed, N failed, N skipped".
//   merkle_suite FOLDER [--verbose]
#include "base/file.h"
#include "trail/merkle.h"
#include "value/json.h"

#include <stdio.h>

enum { SUITE_MEMORY_MAX = 64 << 20, FILE_MAX = 1 << 20 };

static bool verbose; // --verbose: what passed is named too

typedef struct Counts {
    int passed, failed, skipped;
} Counts;

static bool hash_read(Value v, Arena *a, Hash *ret) {
    Str bytes;
    return base64_decode(v_text(v), a, &bytes) && merkle_hash_from(bytes, ret);
}

static bool root_read(Value v, Arena *a, Hash *ret) {
    Str bytes;
    if (v.kind != V_STRING || !base64_decode(v_text(v), a, &bytes)) return false;
    if (!merkle_hash_from(bytes, ret)) *ret = sha256(bytes);
    return true;
}

static bool size_read(Value v, uint64_t *ret) {
    Decimal d;
    if (v.kind == V_NULL || !decimal_parse(S("18446744073709551615"), &d)) return false;
    if (v.kind != V_NUMBER || decimal_cmp(v.as.number, d) > 0 ||
        decimal_cmp(v.as.number, decimal_from_int(0)) < 0)
        return false;
    int64_t n;
    if (decimal_to_int(v.as.number, &n)) {
        *ret = (uint64_t)n;
        return true;
    }
    // Above int64: 2^63 taken off and put back.
    Decimal half;
    if (!decimal_parse(S("9223372036854775808"), &half)) return false;
    if (!decimal_to_int(decimal_sub(v.as.number, half), &n)) return false;
    *ret = (uint64_t)n + ((uint64_t)1 << 63);
    return true;
}

static bool proof_read(Value v, Arena *a, Hash **ret, size_t *ret_count) {
    if (v.kind != V_LIST && v.kind != V_NULL) return false;
    size_t count = v.kind == V_LIST ? v.len : 0;
    Hash *proof = arena_array(a, Hash, count);
    for (size_t i = 0; i < count; i++)
        if (!hash_read(v_at(v, i), a, &proof[i])) return false;
    *ret = proof;
    *ret_count = count;
    return true;
}

static bool inclusion_holds(Value v, Arena *a) {
    uint64_t index, size;
    Hash root, leaf, *proof;
    size_t count;
    Error err;
    return size_read(v_get_lit(v, "leafIdx"), &index) &&
           size_read(v_get_lit(v, "treeSize"), &size) &&
           root_read(v_get_lit(v, "root"), a, &root) &&
           hash_read(v_get_lit(v, "leafHash"), a, &leaf) &&
           proof_read(v_get_lit(v, "proof"), a, &proof, &count) &&
           merkle_check_inclusion(index, size, &leaf, &root, proof, count, &err) == OK;
}

static bool consistency_holds(Value v, Arena *a) {
    uint64_t from, to;
    Hash old, root, *proof;
    size_t count;
    Error err;
    return size_read(v_get_lit(v, "size1"), &from) && size_read(v_get_lit(v, "size2"), &to) &&
           root_read(v_get_lit(v, "root1"), a, &old) &&
           root_read(v_get_lit(v, "root2"), a, &root) &&
           proof_read(v_get_lit(v, "proof"), a, &proof, &count) &&
           merkle_check_consistency(from, to, &old, &root, proof, count, &err) == OK;
}

// NULL when it came out as it had to.
static const char *judge(Str path, bool inclusion, Arena *a) {
    Error err;
    Str text;
    Value v;
    if (file_read(path, FILE_MAX, a, &text, &err) != OK) return "cannot be read";
    if (json_parse(text, JSON_STRICT, (JsonLimits){0}, a, &v, &err) != OK) return "is no JSON";
    if (v_get_lit(v, "wantErr").kind != V_BOOL) return "does not say what must come out";
    bool holds = inclusion ? inclusion_holds(v, a) : consistency_holds(v, a);
    bool refuse = v_true(v_get_lit(v, "wantErr"));
    if (holds == !refuse) return NULL;
    return refuse ? "must be refused" : "must be accepted";
}

static void run(Str path, bool inclusion, Counts *counts) {
    ARENA_AUTO a = arena_create(SUITE_MEMORY_MAX);
    const char *failure = judge(path, inclusion, a);
    if (failure) {
        counts->failed++;
        printf("not ok %.*s - %s\n", S_FMT(path), failure);
    } else {
        counts->passed++;
        if (verbose) printf("ok %.*s\n", S_FMT(path));
    }
}

static bool walk(Str folder, bool inclusion, Counts *counts) {
    ARENA_AUTO a = arena_create(SUITE_MEMORY_MAX);
    Error err;
    Str *names;
    size_t n;
    if (dir_list(folder, a, &names, &n, &err) != OK) {
        fprintf(stderr, "%.*s\n", S_FMT(error_message(&err, NULL, NULL, a)));
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        Str path = path_join(a, folder, names[i]);
        if (str_ends(names[i], S(".json"))) run(path, inclusion, counts);
        else good &= walk(path, inclusion, counts);
    }
    return good;
}

int main(int argc, char **argv) {
    verbose = argc == 3 && strcmp(argv[2], "--verbose") == 0;
    if (argc != 2 + verbose) {
        fprintf(stderr, "usage: merkle_suite FOLDER [--verbose]\n");
        return 2;
    }
    ARENA_AUTO a = arena_create(SUITE_MEMORY_MAX);
    Counts counts = {0};
    bool good = walk(path_join(a, str_z(argv[1]), S("inclusion")), true, &counts);
    good &= walk(path_join(a, str_z(argv[1]), S("consistency")), false, &counts);
    printf("%d passed, %d failed, %d skipped\n", counts.passed, counts.failed, counts.skipped);
    return !good || counts.failed || counts.passed == 0;
}
