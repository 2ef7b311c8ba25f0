// room: bpmn
#include "base/arena.h"
#include "bpmn/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { TEST_MEMORY = 512 << 20 };

static const FlowDocument *read_ok(Str xml, Arena *a) {
    const FlowDocument *d = NULL;
    Error err = {0};
    if (flow_document_read(xml, a, &d, &err) != OK)
        fail_msg("%.*s %.*s", S_FMT(err.where), S_FMT(error_message(&err, NULL, NULL, a)));
    return d;
}

// Read, written, read again: the same.
static const FlowDocument *round_trip(Str xml, Arena *a) {
    const FlowDocument *d = read_ok(xml, a);
    Str text;
    Error err = {0};
    assert_int_equal(flow_document_write(d, a, &text, &err), OK);
    const FlowDocument *again = read_ok(text, a);
    const DocumentNode *l, *r;
    if (!flow_document_equal(d, again, &l, &r)) fail_msg("%.*s", S_FMT(text));
    return again;
}

static void refused(Str xml, Status status, Str where) {
    Arena *a = arena_create(TEST_MEMORY);
    const FlowDocument *d = NULL;
    Error err = {0};
    assert_int_equal(flow_document_read(xml, a, &d, &err), status);
    assert_null(d);
    if (where.len && !str_eq(err.where, where)) fail_msg("at %.*s", S_FMT(err.where));
    arena_free(a);
}

#define MODEL "http://www.omg.org/spec/BPMN/20100524/MODEL"

static void keeps_everything(void **unused) {
    (void)unused;
    Arena *a = arena_create(TEST_MEMORY);
    const Str xml = S("<?xml version=\"1.0\" standalone=\"yes\"?>\n<!-- before --><?go now?>\n"
                      "<b:definitions xmlns:b=\"" MODEL "\" xmlns:x=\"urn:x\" b:own=\"1\"\n"
                      "  x:a='\"&lt;&#10;&#9;&amp;' name=\"a  b\">\n"
                      "text &lt;&gt;&amp;]]&gt;&#13;<![CDATA[<raw> & ]] ]]><x:e xmlns=\"urn:d\"><f "
                      "xmlns=\"\"/></x:e>tail<!-- in --><?p?>\n</b:definitions>\n<!-- after -->");
    (void)round_trip(xml, a);
    const FlowDocument *d = read_ok(xml, a);
    assert_int_equal(d->standalone, 1);
    const DocumentNode *root = d->root;
    assert_true(str_eq(root->local, S("definitions")) && root->name == EL_definitions);
    assert_int_equal(root->line, 3);
    assert_int_equal(root->attributes_count, 3);
    assert_true(str_eq(root->attributes[1].value, S("\"<\n\t&")));
    assert_int_equal(document_first(root)->line, 5);
    assert_true(str_eq(document_attribute(root, S("name")), S("a  b")));
    assert_true(str_eq(root->first->text, S("\ntext <>&]]>\r")));
    assert_int_equal(root->first->next->kind, DOCUMENT_CDATA);
    assert_true(str_eq(root->first->next->text, S("<raw> & ]] ")));
    arena_free(a);
}

static void encodings(void **unused) {
    (void)unused;
    Arena *a = arena_create(TEST_MEMORY);
    const struct {
        Str xml, name;
    } cases[] = {
        {S("\xef\xbb\xbf<a name=\"\xe6\xb5\x81\"/>"), S("\xe6\xb5\x81")},
        {S("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a name=\"\xe9\"/>"), S("\xc3\xa9")},
        {S("<?xml version=\"1.0\" encoding=\"windows-1252\"?><a name=\"\x80\"/>"),
         S("\xe2\x82\xac")},
        {S("\xff\xfe<\0a\0 \0n\0a\0m\0e\0=\0'\0\x41\x6d'\0/\0>\0"), S("\xe6\xb5\x81")},
        {S("\xfe\xff\0<\0a\0 \0n\0a\0m\0e\0=\0'\x6d\x41\0'\0/\0>"), S("\xe6\xb5\x81")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const FlowDocument *d = round_trip(cases[i].xml, a);
        if (!str_eq(document_attribute(d->root, S("name")), cases[i].name))
            fail_msg("%zu: %.*s", i, S_FMT(document_attribute(d->root, S("name"))));
    }
    arena_free(a);
}

static void what_is_refused(void **unused) {
    (void)unused;
    refused(S(""), INVALID, S(""));
    refused(S("x"), INVALID, S("1:1"));
    refused(S("<a>\n<b>\n</a>"), INVALID, S("3:5"));
    refused(S("<a/><b/>"), INVALID, S("1:5"));
    refused(S("<a>&unknown;</a>"), INVALID, S("1:13"));
    refused(S("<p:a/>"), INVALID, S(""));
    refused(S("<a p:x='1'/>"), INVALID, S(""));
    refused(S("<a x='1' x='2'/>"), INVALID, S(""));
    refused(S("<a>\xff</a>"), INVALID, S(""));
    refused(S("<?xml version='1.0' encoding='none-such'?><a/>"), INVALID, S(""));
}

// No document type at all: no entities to grow, no files to fetch.
static void document_types(void **unused) {
    (void)unused;
    refused(S("<!DOCTYPE a>\n<a/>"), INVALID, S(""));
    refused(S("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"), INVALID, S(""));
    refused(S("<!DOCTYPE a [<!ENTITY x \"xxxxxxxx\"><!ENTITY y \"&x;&x;&x;&x;\">"
              "<!ENTITY z \"&y;&y;&y;&y;\">]>\n<a>&z;</a>"),
            INVALID, S(""));
}

static void many_attributes(Str encoding, size_t count, bool wide, Status status) {
    Arena *a = arena_create(TEST_MEMORY);
    Buf b = buf_make(a, 4096, 1 << 20), w = buf_make(a, 4096, 1 << 20);
    if (encoding.len) buf_printf(&b, "<?xml version='1.0' encoding='%.*s'?>", S_FMT(encoding));
    // Quotes where no start tag is do not count.
    buf_lit(&b, "<!-- <a b='' --><?p <a c=\"?><r><![CDATA[<a b='']]><a\n");
    for (size_t i = 0; i < count; i++) buf_printf(&b, "a%zu='>' ", i);
    buf_lit(&b, "/></r>");
    if (wide) buf_lit(&w, "\xff\xfe");
    for (size_t i = 0; i < b.len; i++) {
        buf_char(&w, b.ptr[i]);
        if (wide) buf_char(&w, '\0');
    }
    const FlowDocument *d = NULL;
    Error err = {0};
    const Status got = flow_document_read(buf_view(&w), a, &d, &err);
    if (got != status) fail_msg("%zu: %s", count, err.text);
    if (status == LIMIT) assert_true(str_eq(err.where, S("2:1")));
    arena_free(a);
}

static void attributes_of_a_tag(void **unused) {
    (void)unused;
    for (int wide = 0; wide < 2; wide++) {
        many_attributes(S(""), DOCUMENT_TAG_ATTRIBUTES_MAX, wide, OK);
        many_attributes(S(""), DOCUMENT_TAG_ATTRIBUTES_MAX + 1, wide, LIMIT);
    }
    many_attributes(S("UTF-8"), 100, false, OK);
    many_attributes(S("GB18030"), 100, false, OK);
    many_attributes(S("IBM037"), 100, false, INVALID); // its markup can't be seen
    refused(S("\x4c\x6f\xa7\x94"), INVALID, S("1:1"));
    // A document type that is broken itself declares nothing either.
    refused(S("<!DOCTYPE [<!ENTITY x \"y\">]><a>&x;</a>"), INVALID, S(""));
}

static void limits(void **unused) {
    (void)unused;
    Arena *a = arena_create(TEST_MEMORY);
    Buf deep = buf_make(a, 4096, 1 << 20);
    for (int i = 0; i < DOCUMENT_DEPTH_MAX; i++) buf_lit(&deep, "<a>");
    const size_t starts = deep.len;
    for (int i = 0; i < DOCUMENT_DEPTH_MAX; i++) buf_lit(&deep, "</a>");
    (void)round_trip(buf_view(&deep), a);
    deep.len = starts;
    buf_lit(&deep, "<a>");
    refused(buf_view(&deep), LIMIT, S(""));
    Buf wide = buf_make(a, 4096, 8 << 20);
    buf_lit(&wide, "<a>");
    for (int i = 0; i < DOCUMENT_ELEMENTS_MAX; i++) buf_lit(&wide, "<b/>");
    buf_lit(&wide, "</a>");
    refused(buf_view(&wide), LIMIT, S(""));
    arena_free(a);
}

// A small arena is a refusal by its own handler, and the parser is freed.
static void little_memory(void **unused) {
    (void)unused;
    Arena *big = arena_create(TEST_MEMORY), *a = arena_create(16 << 10);
    Buf wide = buf_make(big, 4096, 8 << 20);
    buf_lit(&wide, "<a>");
    for (int i = 0; i < 1000; i++) buf_lit(&wide, "<b c=''/>");
    buf_lit(&wide, "</a>");
    const FlowDocument *d = NULL;
    Error err = {0};
    assert_int_equal(flow_document_read(buf_view(&wide), a, &d, &err), LIMIT);
    jmp_buf env;
    bool jumped = false;
    if (setjmp(env)) {
        jumped = true;
    } else {
        (void)arena_on_limit(a, &env);
        arena_reset(a);
        assert_int_not_equal(flow_document_read(buf_view(&wide), a, &d, &err), OK);
    }
    assert_true(jumped);
    arena_free(a);
    arena_free(big);
}

static void counts(void **unused) {
    (void)unused;
    Arena *a = arena_create(TEST_MEMORY);
    const FlowDocument *d = read_ok(
        S("<q:definitions xmlns:q=\"" MODEL "\" "
          "xmlns:i=\"http://www.omg.org/spec/BPMN/20100524/DI\" xmlns:o=\"urn:o\">"
          "<q:collaboration><q:participant/><q:messageFlow/></q:collaboration>"
          "<q:process><q:laneSet><q:lane/></q:laneSet><q:startEvent/><q:subProcess><q:task/>"
          "<q:sequenceFlow/></q:subProcess><o:task/><q:callChoreography/><q:dataObject/>"
          "<q:boundaryEvent/><q:complexGateway/></q:process><i:BPMNDiagram><i:BPMNPlane>"
          "<i:BPMNShape/><i:BPMNEdge/><q:BPMNEdge/></i:BPMNPlane></i:BPMNDiagram></q:definitions>"),
        a);
    const FlowCounts c = flow_document_counts(d);
    assert_int_equal(c.processes, 1);
    assert_int_equal(c.flow_nodes, 6);
    assert_int_equal(c.sequence_flows, 1);
    assert_int_equal(c.message_flows, 1);
    assert_int_equal(c.participants, 1);
    assert_int_equal(c.lanes, 1);
    assert_int_equal(c.shapes, 1);
    assert_int_equal(c.edges, 1);
    arena_free(a);
}

static void difference_is_seen(void **unused) {
    (void)unused;
    Arena *a = arena_create(TEST_MEMORY);
    const Str pairs[][2] = {
        {S("<a/>"), S("<b/>")},           {S("<a x='1'/>"), S("<a x='2'/>")},
        {S("<a x='1'/>"), S("<a/>")},     {S("<a>t</a>"), S("<a>u</a>")},
        {S("<a>t</a>"), S("<a/>")},       {S("<a><b/><c/></a>"), S("<a><c/><b/></a>")},
        {S("<a>t</a>"), S("<a><![CDATA[t]]></a>")}, {S("<a><!--x--></a>"), S("<a/>")},
        {S("<a xmlns='u'/>"), S("<a xmlns='v'/>")}, {S("<a/>"), S("<a/><?p?>")},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const DocumentNode *l, *r;
        if (flow_document_equal(read_ok(pairs[i][0], a), read_ok(pairs[i][1], a), &l, &r))
            fail_msg("%zu is not seen", i);
    }
    arena_free(a);
}

// The search of a name is a bisection: the list must be sorted.
static void names_are_sorted(void **unused) {
    (void)unused;
    for (int i = 2; i < EL_COUNT; i++)
        assert_true(str_cmp(meta_name_text((MetaName)(i - 1)), meta_name_text((MetaName)i)) < 0);
    for (int i = 1; i < T_COUNT; i++) assert_int_equal(meta_type((MetaTypeId)i)->id, i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_everything), cmocka_unit_test(encodings),
        cmocka_unit_test(what_is_refused),  cmocka_unit_test(document_types),
        cmocka_unit_test(attributes_of_a_tag),
        cmocka_unit_test(limits),           cmocka_unit_test(little_memory),
        cmocka_unit_test(counts),           cmocka_unit_test(difference_is_seen),
        cmocka_unit_test(names_are_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
