// room: bpmn
// The models of the interchange tests: every well-formed file is read, has the counts of index.csv,
// and is equal element by element after it was written and read again; every other is refused at a
// line and column. Ends in "N passed, N failed, N skipped".
//   bpmn-parse_suite FOLDER [--verbose]
#include "bpmn/document.h"
#include "suite_table.h"

// Returns "" or what is wrong.
static Str counts_wrong(const Csv *row, const FlowCounts *c, Arena *a) {
    const struct {
        const char *name;
        int64_t got;
    } counts[] = {
        {"processes", c->processes},       {"flow_nodes", c->flow_nodes},
        {"sequence_flows", c->sequence_flows}, {"message_flows", c->message_flows},
        {"participants", c->participants}, {"lanes", c->lanes},
        {"shapes", c->shapes},             {"edges", c->edges},
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        int64_t expected = 0;
        if (!str_to_int(csv_get(row, str_z(counts[i].name)), &expected))
            return arena_printf(a, "index.csv does not tell %s", counts[i].name);
        if (expected != counts[i].got)
            return arena_printf(a, "%s: expected %lld, found %lld", counts[i].name,
                                (long long)expected, (long long)counts[i].got);
    }
    return S("");
}

static Str lossy(const FlowDocument *d, Arena *a) {
    Error err = {0};
    Str text, again_text;
    const FlowDocument *again = NULL;
    if (flow_document_write(d, a, &text, &err) != OK) return S("could not be written");
    if (flow_document_read(text, a, &again, &err) != OK)
        return arena_printf(a, "is refused after it was written: %.*s %.*s", S_FMT(err.where),
                            S_FMT(error_message(&err, NULL, NULL, a)));
    const DocumentNode *l = NULL, *r = NULL;
    if (!flow_document_equal(d, again, &l, &r))
        return arena_printf(a, "is another after it was written, from line %u (%.*s) on",
                            l ? l->line : 0, S_FMT(l ? l->local : S("its end")));
    if (flow_document_write(again, a, &again_text, &err) != OK || !str_eq(text, again_text))
        return S("is written in two ways");
    return S("");
}

static Str judge(const Csv *row, Str path, Str xml, Arena *a) {
    (void)path;
    const FlowDocument *d = NULL;
    Error err = {0};
    const Status status = flow_document_read(xml, a, &d, &err);
    const Str told = status ? error_message(&err, NULL, NULL, a) : S("");
    if (str_eq(csv_get(row, S("well_formed")), S("no"))) {
        if (status == OK) return S("expected an error, found none");
        int64_t line = 0;
        Str rest = err.where;
        if (status != INVALID || !str_to_int(str_cut(&rest, ':'), &line) || line < 1)
            return arena_printf(a, "expected an error with its position, found %.*s %.*s",
                                S_FMT(err.where), S_FMT(told));
        return S("");
    }
    if (status != OK)
        return arena_printf(a, "expected to be read, found %.*s %.*s", S_FMT(err.where),
                            S_FMT(told));
    const FlowCounts counts = flow_document_counts(d);
    const Str wrong = counts_wrong(row, &counts, a);
    return wrong.len ? wrong : lossy(d, a);
}

int main(int argc, char **argv) {
    const SuiteTable suite = {"bpmn-parse_suite", S_INIT("index.csv"), judge};
    return suite_table_main(&suite, argc, argv);
}
