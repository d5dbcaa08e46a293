/* test_json.c - JSON by path, values, the writer; a user's own jsmn.h before and after ours.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/test_json.c -lbearssl && ./a.out
 *
 * What is a document and what isn't: test_json.py, against Python.
 */
#define JSMN_PARENT_LINKS
#define JSMN_STATIC
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif
#include <jsmn.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include <jsmn.h>
#include "check.h"
#include "dirty.h"
#include <stdlib.h>

/* DynamoDB's form, with what makes paths hard. */
static const char item[] =
    "{\"Item\":{\"temperature\":{\"N\":\"21.57\"},\"list\":{\"L\":[{\"S\":\"a\"},{\"S\":\"b\"},"
    "[[1,2],[3]]]},\"a.b\":{\"BOOL\":true},\"\\u00e4\":{\"NULL\":false},\"0\":{\"x\":null},"
    "\"empty\":{},\"none\":[]},\"Count\":-3,\"When\":1.523477192636E9,\"Data\":\"aGVsbG8=\","
    "\"Text\":\"\\u20ac\\ud83d\\ude00\\n\\\"\\\\\",\"Nul\":\"a\\u0000b\"}";

static aws_json_token tokens[128];
static aws_json json;

static void test_find(void)
{
    static const struct {
        const char *path, *text;
    } found[] = {{"Item.temperature.N", "21.57"},  {"Item.list.L.0.S", "a"},
                 {"Item.list.L.1.S", "b"},         {"Item.list.L.2.0.1", "2"},
                 {"Item.list.L.2.1.0", "3"},       {"Item.list.L.2.1", "[3]"},
                 {"Item.\xc3\xa4.NULL", "false"},  {"Item.0.x", "null"},
                 {"Count", "-3"},                  {"Item.empty", "{}"}};
    static const char *const missing[] = {
        "item",          "Item.temperature.S", "Item.list.L.3", "Item.list.L.x", "Item.list.L.-1",
        "Item.a.b.BOOL", "Count.x",            "Item.none.0",   "Item.empty.x",
        "Item.list.S",   "Item.list.L.9999999999", "Ite",       "Items",         "Item..N"};
    size_t i;
    int at;

    CHECK(aws_json_parse(&json, item, sizeof item - 1, tokens, 128) > 0);
    for (i = 0; i < sizeof found / sizeof *found; i++) {
        const char *want = found[i].text;
        at = aws_json_find(&json, 0, found[i].path);
        if (!CHECK(at > 0))
            continue;
        CHECK_INT(tokens[at].end - tokens[at].start, strlen(want));
        CHECK_MEM(item + tokens[at].start, want, strlen(want));
    }
    for (i = 0; i < sizeof missing / sizeof *missing; i++)
        CHECK_INT(aws_json_find(&json, 0, missing[i]), 0);
    at = aws_json_member(&json, aws_json_find(&json, 0, "Item"), "a.b");
    CHECK_INT(aws_json_bool(&json, aws_json_find(&json, at, "BOOL")), 1);
    at = aws_json_find(&json, 0, "Item.temperature");
    CHECK(aws_json_find(&json, at, "N") > 0);
    CHECK_INT(aws_json_find(&json, at, ""), at);
    CHECK_INT(aws_json_find(&json, 0, "Item.none.0.x"), 0); /* doesn't begin again at the root */
}

static void test_each(void)
{
    int list = aws_json_find(&json, 0, "Item.list.L"), at = 0, n = 0;

    while ((at = aws_json_each(&json, list, at)) != 0)
        CHECK_INT(aws_json_element(&json, list, (size_t)n++), at);
    CHECK_INT(n, 3);
    CHECK_INT(aws_json_element(&json, list, 3), 0);
    list = aws_json_find(&json, 0, "Item");
    for (n = 0, at = 0; (at = aws_json_each(&json, list, at)) != 0; n++)
        CHECK(json.tokens[at - 1].type == AWS_JSON_STRING);
    CHECK_INT(n, 7);
    CHECK_INT(aws_json_each(&json, aws_json_find(&json, 0, "Item.none"), 0), 0);
    CHECK_INT(aws_json_each(&json, aws_json_find(&json, 0, "Item.empty"), 0), 0);
    CHECK_INT(aws_json_each(&json, aws_json_find(&json, 0, "Count"), 0), 0);
    CHECK_INT(aws_json_each(&json, 10000, 0), 0);
    CHECK_INT(aws_json_each(&json, -5, 0), 0);
}

static void test_values(void)
{
    int text = aws_json_find(&json, 0, "Text"), data = aws_json_find(&json, 0, "Data");
    char to[32];
    int64_t n;

    CHECK_INT(aws_json_string(&json, text, to, sizeof to), 10);
    CHECK_STR(to, "\xe2\x82\xac\xf0\x9f\x98\x80\n\"\\");
    CHECK_INT(aws_json_string(&json, text, to, 11), 10);
    CHECK_INT(aws_json_string(&json, text, to, 10), AWS_ERR_MEMORY);
    CHECK_INT(aws_json_string(&json, text, to, 0), AWS_ERR_MEMORY);
    CHECK_INT(aws_json_string(&json, aws_json_find(&json, 0, "Nul"), to, 32), AWS_ERR_JSON);
    CHECK_INT(aws_json_string(&json, aws_json_find(&json, 0, "Count"), to, 32), AWS_ERR_JSON);
    CHECK_INT(aws_json_string(&json, 0, to, 32), AWS_ERR_JSON);
    CHECK(aws_json_is(&json, data, "aGVsbG8="));
    CHECK(!aws_json_is(&json, data, "aGVsbG8"));
    CHECK(!aws_json_is(&json, data, "aGVsbG8=="));
    CHECK(!aws_json_is(&json, 0, ""));
    CHECK_INT(aws_json_base64(&json, data, to, 5), 5);
    CHECK_MEM(to, "hello", 5);
    CHECK_INT(aws_json_base64(&json, data, to, 4), AWS_ERR_MEMORY);
    CHECK_INT(aws_json_base64(&json, text, to, 32), AWS_ERR_JSON);
    CHECK_INT(aws_json_int64(&json, aws_json_find(&json, 0, "Count"), &n), 0);
    CHECK_INT(n, -3);
    CHECK_INT(aws_json_int64(&json, text, &n), AWS_ERR_JSON);
    CHECK_INT(aws_json_int64(&json, 0, &n), AWS_ERR_JSON);
    CHECK_INT(aws_json_bool(&json, aws_json_find(&json, 0, "Item.\xc3\xa4.NULL")), 0);
    CHECK_INT(aws_json_bool(&json, text), AWS_ERR_JSON);
}

/* text: a number, read with so many decimals. */
static void number(const char *text, unsigned decimals, int want_code, int64_t want)
{
    char document[80];
    int64_t n = 77;
    aws_json_token t[4];
    aws_json j;
    int code, quoted;

    for (quoted = 0; quoted < 2; quoted++) {
        snprintf(document, sizeof document, quoted ? "{\"n\":\"%s\"}" : "{\"n\":%s}", text);
        if (!CHECK(aws_json_parse(&j, document, strlen(document), t, 4) == 3))
            return;
        code = decimals == 99 ? aws_json_int64(&j, 2, &n) : aws_json_number(&j, 2, decimals, &n);
        CHECK_INT(code, want_code);
        CHECK_INT(n, want_code ? 77 : want);
    }
}

static void test_numbers(void)
{
    enum { EXACT = 99 };

    number("0", EXACT, 0, 0);
    number("-0", EXACT, 0, 0);
    number("9223372036854775807", EXACT, 0, INT64_MAX);
    number("-9223372036854775808", EXACT, 0, INT64_MIN);
    number("9223372036854775808", EXACT, AWS_ERR_JSON, 0);
    number("-9223372036854775809", EXACT, AWS_ERR_JSON, 0);
    number("92233720368547758070", EXACT, AWS_ERR_JSON, 0);
    number("1e3", EXACT, 0, 1000);
    number("1.5E1", EXACT, 0, 15);
    number("1.50", EXACT, AWS_ERR_JSON, 0);
    number("1.00", EXACT, 0, 1);
    number("1500e-2", EXACT, 0, 15);
    number("1505e-2", EXACT, AWS_ERR_JSON, 0);
    number("1e19", EXACT, AWS_ERR_JSON, 0);
    number("1e99999999999999999999", EXACT, AWS_ERR_JSON, 0);
    number("0e99999999999999999999", EXACT, 0, 0);
    number("1e-99999999999999999999", 3, 0, 0);
    number("1.523477192636E9", EXACT, AWS_ERR_JSON, 0);
    number("1.523477192636E9", 0, 0, 1523477192);
    number("1.523477192636E9", 3, 0, INT64_C(1523477192636));
    number("21.57", 2, 0, 2157);
    number("21.57", 1, 0, 215);
    number("21.57", 4, 0, 215700);
    number("-21.57", 1, 0, -215);
    number("-0.05", 2, 0, -5);
    number("21.57", 18, AWS_ERR_JSON, 0);
}

static void test_tokens(void)
{
    int all = aws_json_parse(&json, item, sizeof item - 1, tokens, 128), n;

    for (n = 0; n < all; n++) {
        aws_json_token *few = (aws_json_token *)malloc((size_t)n * sizeof *few + 1);
        CHECK_INT(aws_json_parse(&json, item, sizeof item - 1, few, (size_t)n), AWS_ERR_MEMORY);
        CHECK_INT(json.count, all);
        free(few);
    }
    CHECK_INT(aws_json_parse(&json, item, sizeof item - 1, tokens, (size_t)all), all);
    for (n = 0; n < (int)sizeof item - 1; n++) /* no prefix passes for the whole */
        CHECK_INT(aws_json_parse(&json, item, (size_t)n, tokens, 128), AWS_ERR_JSON);
    CHECK_INT(json.count, 0);
}

static void write_all(aws_json_writer *w, void *memory, size_t size)
{
    aws_json_begin(w, memory, size);
    aws_json_open_object(w, NULL);
    aws_json_put_string(w, "a\"b", "\x01\x1f\"\\/\x7f\n\xc3\xa4");
    aws_json_open_array(w, "list");
    aws_json_put_number(w, NULL, -5, 2);
    aws_json_put_number(w, NULL, 2157, 2);
    aws_json_put_number(w, NULL, INT64_MIN, 0);
    aws_json_put_number(w, NULL, 100, 2);
    aws_json_put_bool(w, NULL, 1);
    aws_json_put_null(w, NULL);
    aws_json_open_object(w, NULL);
    aws_json_close(w);
    aws_json_open_array(w, NULL);
    aws_json_close(w);
    aws_json_close(w);
    aws_json_put_quoted(w, "N", -2157, 3);
    aws_json_put_base64(w, "d", "hello", 5);
    aws_json_put_raw(w, "r", "{\"x\":1}", 7);
    aws_json_put_bool(w, "f", 0);
    aws_json_close(w);
}

static void test_writer(void)
{
    static const char want[] =
        "{\"a\\\"b\":\"\\u0001\\u001f\\\"\\\\/\x7f\\u000a\xc3\xa4\",\"list\":[-0.05,21.57,"
        "-9223372036854775808,1.00,true,null,{},[]],\"N\":\"-2.157\",\"d\":\"aGVsbG8=\","
        "\"r\":{\"x\":1},\"f\":false}";
    aws_json_writer w;
    size_t size;

    for (size = 0; size <= sizeof want; size++) {
        char *to = (char *)malloc(size + 1);
        write_all(&w, to, size);
        CHECK_INT(aws_json_end(&w), size < sizeof want ? AWS_ERR_MEMORY : (int)sizeof want - 1);
        CHECK_INT(w.out.length + 1, sizeof want);
        if (size == sizeof want)
            CHECK_STR(to, want);
        free(to);
    }
}

static void test_writer_faults(void)
{
    char to[1024];
    aws_json_writer w;
    int i;

    aws_json_begin(&w, to, sizeof to);
    CHECK_INT(aws_json_end(&w), AWS_ERR_STATE); /* nothing written */
    aws_json_begin(&w, to, sizeof to);
    aws_json_open_object(&w, NULL);
    CHECK_INT(aws_json_end(&w), AWS_ERR_STATE); /* open */
    aws_json_begin(&w, to, sizeof to);
    aws_json_close(&w);
    CHECK_INT(aws_json_end(&w), AWS_ERR_STATE);
    aws_json_begin(&w, to, sizeof to);
    aws_json_open_object(&w, "name");
    aws_json_close(&w);
    CHECK_INT(aws_json_end(&w), AWS_ERR_STATE);
    aws_json_begin(&w, to, sizeof to);
    aws_json_open_object(&w, NULL);
    aws_json_put_null(&w, NULL);
    aws_json_close(&w);
    CHECK_INT(aws_json_end(&w), AWS_ERR_STATE);
    aws_json_begin(&w, to, sizeof to);
    aws_json_open_array(&w, NULL);
    aws_json_put_null(&w, "name");
    aws_json_close(&w);
    CHECK_INT(aws_json_end(&w), AWS_ERR_STATE);
    aws_json_begin(&w, to, sizeof to);
    for (i = 0; i < 2; i++) { /* two documents */
        aws_json_open_object(&w, NULL);
        aws_json_close(&w);
    }
    CHECK_INT(aws_json_end(&w), AWS_ERR_STATE);
    for (i = AWS_JSON_DEPTH; i <= AWS_JSON_DEPTH + 1; i++) {
        int n;
        aws_json_begin(&w, to, sizeof to);
        for (n = 0; n < i; n++)
            aws_json_open_array(&w, NULL);
        for (n = 0; n < i; n++)
            aws_json_close(&w);
        CHECK_INT(aws_json_end(&w), i > AWS_JSON_DEPTH ? AWS_ERR_STATE : i * 2);
    }
    aws_json_begin(&w, to, sizeof to);
    aws_json_open_object(&w, NULL);
    aws_json_put_string(&w, "a", "\xc3");
    aws_json_put_null(&w, NULL); /* the first failure stays */
    aws_json_close(&w);
    CHECK_INT(aws_json_end(&w), AWS_ERR_JSON);
}

/* The user's jsmn.h with its parent links is what it was before ours came. */
static void test_own_jsmn(void)
{
    jsmn_parser parser;
    jsmntok_t t[8];

    jsmn_init(&parser);
    CHECK_INT(jsmn_parse(&parser, "{\"a\":[1]}", 9, t, 8), 4);
    CHECK_INT(t[3].parent, 2);
}

int main(void)
{
    test_find();
    test_each();
    test_values();
    test_numbers();
    test_tokens();
    test_writer();
    test_writer_faults();
    test_own_jsmn();
    return CHECK_DONE();
}
