/* test_bytes.c - the emitter's windows, encodings, numbers, dates, hashes.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/test_bytes.c -lbearssl && ./a.out
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "check.h"
#include <stdlib.h>
#include <time.h>

/* ---- Windows: every skip with every room shows the right bytes ---- */

/* What a test emits, with what it should be. */
typedef struct sample {
    void (*emit)(aws_out *out, const struct sample *sample);
    const void *data;
    size_t      size;
    const char *keep, *want;
    uint64_t    number;
} sample;

static aws_out out_to(void *to, size_t room)
{
    aws_out out;

    memset(&out, 0, sizeof out);
    out.to = (unsigned char *)to;
    out.room = room;
    return out;
}

static void emit_pieces(aws_out *out, const sample *s)
{
    (void)s;
    aws_out_bytes(out, "ab", 2);
    aws_out_bytes(out, "", 0);
    aws_out_text(out, "cdefg");
    aws_out_text(out, "");
    aws_out_number(out, 120);
    aws_out_bytes(out, "h", 1);
}

static void emit_number(aws_out *out, const sample *s)
{
    aws_out_number(out, s->number);
}

static void emit_hex(aws_out *out, const sample *s)
{
    aws_i_out_hex(out, (const unsigned char *)s->data, s->size);
}

static void emit_base64(aws_out *out, const sample *s)
{
    aws_i_out_base64(out, (const unsigned char *)s->data, s->size);
}

static void emit_uri(aws_out *out, const sample *s)
{
    aws_out_uri(out, (const char *)s->data, s->size, s->keep);
}

static void emit_xml(aws_out *out, const sample *s)
{
    aws_out_xml(out, (const char *)s->data);
}

static char   hashed[4096];
static size_t hashed_size;

static void hash(void *context, const void *data, size_t size)
{
    if (context != hashed)
        CHECK(context == hashed);
    memcpy(hashed + hashed_size, data, size);
    hashed_size += size;
}

/* The window [skip, skip + room) of want, from a block of its size. 1 if it is right. */
static int window(const sample *s, size_t skip, size_t room)
{
    size_t length = strlen(s->want), shown = skip < length ? length - skip : 0;
    unsigned char *block = (unsigned char *)malloc(room + 1);
    aws_out out;
    int good;

    shown = shown < room ? shown : room;
    if (!block)
        exit(2);
    memset(block, 0xa5, room + 1);
    memset(&out, 0, sizeof out);
    out.to = room ? block : NULL;
    out.room = room;
    out.skip = skip;
    out.hash = hash;
    out.hash_context = hashed;
    hashed_size = 0;
    s->emit(&out, s);
    good = out.used == shown && out.length == length && hashed_size == length &&
           memcmp(hashed, s->want, length) == 0 &&
           (!shown || memcmp(block, s->want + skip, shown) == 0) && block[shown] == 0xa5;
    free(block);
    return good;
}

static void check_sample(const sample *s)
{
    size_t skip, room, length = strlen(s->want), wrong = 0;

    for (skip = 0; skip <= length + 2; skip++)
        for (room = 0; room <= length + 2; room++)
            wrong += !window(s, skip, room);
    if (!CHECK_INT(wrong, 0)) {
        char text[4096];
        aws_out out = out_to(text, sizeof text - 1);
        s->emit(&out, s);
        text[out.used] = 0;
        CHECK_STR(text, s->want);
    }
}

static void check_emit(void (*emit)(aws_out *, const sample *), const void *data, size_t size,
                       const char *keep, uint64_t number, const char *want)
{
    sample s;

    s.emit = emit;
    s.data = data;
    s.size = size;
    s.keep = keep;
    s.number = number;
    s.want = want;
    check_sample(&s);
}

/* An offset far beyond 4 GiB: only 64 bits hold it. */
static void test_far_window(void)
{
    unsigned char to[4];
    aws_out out = out_to(to, sizeof to);
    unsigned i;
    static char block[1 << 16];

    if (sizeof(size_t) < 8)
        return; /* no emitted body is as long there */
    memset(block, 'x', sizeof block);
    out.skip = (size_t)(((uint64_t)1 << 32) + 2);
    for (i = 0; i < 1u << 16; i++)
        aws_out_bytes(&out, block, sizeof block);
    CHECK(out.length == (uint64_t)1 << 32);
    CHECK_INT(out.used, 0);
    aws_out_bytes(&out, "abcdefgh", 8);
    CHECK_INT(out.used, 4);
    CHECK_MEM(to, "cdef", 4);
    CHECK(out.length == ((uint64_t)1 << 32) + 8);
}

/* ---- Encodings ---- */

static void test_numbers_out(void)
{
    uint64_t power = 1;
    int i;
    char want[32];

    check_emit(emit_number, NULL, 0, NULL, 0, "0");
    check_emit(emit_number, NULL, 0, NULL, UINT64_MAX, "18446744073709551615");
    for (i = 0; i < 20; i++) {
        uint64_t n;
        for (n = power - 1; n != power + 2; n++) {
            snprintf(want, sizeof want, "%llu", (unsigned long long)n);
            check_emit(emit_number, NULL, 0, NULL, n, want);
        }
        snprintf(want, sizeof want, "%llu", (unsigned long long)((uint64_t)1 << (3 * i)));
        check_emit(emit_number, NULL, 0, NULL, (uint64_t)1 << (3 * i), want);
        power *= i < 19 ? 10 : 1;
    }
    for (i = 0; i < 2000; i++) { /* digits of all limbs */
        uint64_t n = (uint64_t)rand() * 2654435761u ^ (uint64_t)rand() << 33;
        char text[24];
        aws_out out = out_to(text, sizeof text - 1);
        aws_out_number(&out, n);
        text[out.used] = 0;
        snprintf(want, sizeof want, "%llu", (unsigned long long)n);
        if (strcmp(text, want) != 0)
            CHECK_STR(text, want);
    }
}

static void test_encodings(void)
{
    static const unsigned char bytes[] = {0x00, 0x0f, 0xf0, 0xff, 0x9a, 0xa9, 0x10};
    static const char *const base64[] = {"",         "Zg==",     "Zm8=",     "Zm9v",
                                         "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"}; /* RFC 4648 */
    static const unsigned char high[] = {0xfb, 0xef, 0xbe, 0xff, 0xff, 0xff, 0x00, 0x10, 0x83};
    size_t i;

    check_emit(emit_pieces, NULL, 0, NULL, 0, "abcdefg120h");
    check_emit(emit_hex, bytes, 0, NULL, 0, "");
    check_emit(emit_hex, bytes, sizeof bytes, NULL, 0, "000ff0ff9aa910");
    for (i = 0; i < sizeof base64 / sizeof *base64; i++)
        check_emit(emit_base64, "foobar", i, NULL, 0, base64[i]);
    check_emit(emit_base64, high, sizeof high, NULL, 0, "++++////ABCD");
}

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

static void test_uri(void)
{
    char all[256], want[1024], again[1024], *at = want, *twice = again;
    int c;

    for (c = 0; c < 256; c++) {
        all[c] = (char)c;
        if (c && strchr(plain, c)) {
            *at++ = (char)c;
            *twice++ = (char)c;
        } else {
            at += snprintf(at, 4, "%%%02X", (unsigned)c);
            twice += snprintf(twice, 6, "%%25%02X", (unsigned)c);
        }
    }
    *at = *twice = 0;
    {
        char text[1024];
        aws_out out = out_to(text, sizeof text - 1);
        aws_out_uri(&out, all, sizeof all, "");
        text[out.used] = 0;
        CHECK_STR(text, want);
        out = out_to(text, sizeof text - 1);
        aws_out_uri(&out, all, sizeof all, "25");
        text[out.used] = 0;
        CHECK_STR(text, again);
    }
    check_emit(emit_uri, "", 0, "", 0, "");
    check_emit(emit_uri, "a/b//c", 6, "/", 0, "a/b//c");
    check_emit(emit_uri, "a/b//c", 6, "", 0, "a%2Fb%2F%2Fc");
    check_emit(emit_uri, "a b+c%20?&=#\0x", 14, "/", 0, "a%20b%2Bc%2520%3F%26%3D%23%00x");
    check_emit(emit_uri, "\xc3\xa9\xff", 3, "/", 0, "%C3%A9%FF");
    check_emit(emit_uri, "..", 2, "/", 0, "..");
    check_emit(emit_uri, "/", 1, "/:@", 0, "/");
    check_emit(emit_uri, ":@!", 3, "/:@", 0, ":@%21");
    check_emit(emit_uri, "abcdef", 3, "", 0, "abc");
}

static void test_xml(void)
{
    check_emit(emit_xml, "", 0, NULL, 0, "");
    check_emit(emit_xml, "plain/key ~", 0, NULL, 0, "plain/key ~");
    check_emit(emit_xml, "<a>&\"'</a>", 0, NULL, 0, "&lt;a&gt;&amp;&quot;'&lt;/a&gt;");
    check_emit(emit_xml, "&amp;", 0, NULL, 0, "&amp;amp;");
    check_emit(emit_xml, "a\r\nb\tc", 0, NULL, 0, "a&#xD;&#xA;b\tc");
    check_emit(emit_xml, "\x01\x09\x0f\x10\x1f\x7f", 0, NULL, 0, "&#x1;\t&#xF;&#x10;&#x1F;\x7f");
    check_emit(emit_xml, "\xc3\xa9\xff]]>", 0, NULL, 0, "\xc3\xa9\xff]]&gt;");
}

/* What is written as XML is read again as it was. */
static void test_xml_round(void)
{
    char from[256], document[2048], back[1024];
    aws_out out = out_to(document, sizeof document);
    aws_xml xml;
    size_t i, at = 0, used, size = 0;

    for (i = 0; i < 0x7f; i++)
        from[i] = (char)(i + 1);
    memcpy(from + 0x7f, "\xc3\xa9", 3);
    aws_out_text(&out, "<a>");
    aws_out_xml(&out, from);
    aws_out_text(&out, "</a>");
    aws_xml_init(&xml);
    while (at < out.used) {
        int r = aws_xml_step(&xml, document + at, out.used - at, &used);
        at += used;
        if (r == AWS_XML_TEXT) {
            memcpy(back + size, xml.text, xml.text_size);
            size += xml.text_size;
        } else if (r < 0 && r != AWS_AGAIN) {
            CHECK_INT(r, AWS_AGAIN);
            break;
        }
    }
    back[size] = 0;
    CHECK_STR(back, from);
}

/* ---- Texts that are cut, numbers that are read ---- */

static void test_fields(void)
{
    char field[8];

    aws_i_set(field, sizeof field, "1234567");
    CHECK_STR(field, "1234567");
    aws_i_set(field, sizeof field, "12345678");
    CHECK_STR(field, "1234567");
    aws_i_append(field, sizeof field, "x", 1);
    CHECK_STR(field, "1234567");
    aws_i_set(field, sizeof field, NULL);
    CHECK_STR(field, "");
    aws_i_set(field, sizeof field, "a\r\n\x1f\x7f\x80");
    CHECK_STR(field, "a????\x80");
    CHECK(aws_i_plain_text(""));
    CHECK(aws_i_plain_text("!AKIA/+=~"));
    CHECK(!aws_i_plain_text("a b"));
    CHECK(!aws_i_plain_text("a\x7f"));
    CHECK(!aws_i_plain_text("a\x1f"));
    CHECK(!aws_i_plain_text("\x80"));
    aws_i_set(field, sizeof field, "ab");
    aws_i_append(field, sizeof field, "cdef", 3);
    CHECK_STR(field, "abcde");
}

static void check_number(const char *text, int good, uint64_t want)
{
    uint64_t number = 77;

    if (!CHECK_INT(aws_i_number(text, &number), good) ||
        !CHECK(number == (good ? want : 77)))
        fprintf(stderr, "  in \"%s\"\n", text);
}

static void test_numbers_in(void)
{
    static const char *const none[] = {"",    " 1",  "1 ", "+1",   "-1",  "0x1", "1.", "1e3",
                                       "1_0", "one", "1,", "1\r\n", "\xb2", "/",   ":"};
    size_t i;

    check_number("0", 1, 0);
    check_number("00", 1, 0);
    check_number("007", 1, 7);
    check_number("4294967296", 1, (uint64_t)1 << 32);
    check_number("9223372036854775799", 1, ((uint64_t)1 << 63) - 9);
    check_number("9223372036854775800", 1, ((uint64_t)1 << 63) - 8);
    check_number("9223372036854775807", 1, ((uint64_t)1 << 63) - 1);
    check_number("000000000000000000000000009223372036854775807", 1, ((uint64_t)1 << 63) - 1);
    check_number("9223372036854775808", 0, 0);
    check_number("9223372036854775810", 0, 0);
    check_number("18446744073709551616", 0, 0);
    check_number("18446744073709551617", 0, 0);
    check_number("92233720368547758070", 0, 0);
    check_number("99999999999999999999999999999999", 0, 0);
    for (i = 0; i < sizeof none / sizeof *none; i++)
        check_number(none[i], 0, 0);
}

/* ---- Dates ---- */

static const struct {
    int64_t     time;
    const char *text, *iso, *http;
} dates[] = {
    {0, "19700101T000000Z", "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
    {59, "19700101T000059Z", "1970-01-01T00:00:59Z", "Thu, 01 Jan 1970 00:00:59 GMT"},
    {86399, "19700101T235959Z", "1970-01-01T23:59:59.999Z", "Thu, 01 Jan 1970 23:59:59 GMT"},
    {86400, "19700102T000000Z", "1970-01-02T00:00:00Z", "Fri, 02 Jan 1970 00:00:00 GMT"},
    {68169600, "19720229T000000Z", "1972-02-29T00:00:00Z", "Tue, 29 Feb 1972 00:00:00 GMT"},
    {951782399, "20000228T235959Z", "2000-02-28T23:59:59Z", "Mon, 28 Feb 2000 23:59:59 GMT"},
    {951782400, "20000229T000000Z", "2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:00 GMT"},
    {951868800, "20000301T000000Z", "2000-03-01T00:00:00Z", "Wed, 01 Mar 2000 00:00:00 GMT"},
    {1440938160, "20150830T123600Z", "2015-08-30T12:36:00Z", "Sun, 30 Aug 2015 12:36:00 GMT"},
    {1735689599, "20241231T235959Z", "2024-12-31T23:59:59Z", "Tue, 31 Dec 2024 23:59:59 GMT"},
    {1767323045, "20260102T030405Z", "2026-01-02T03:04:05.678Z", "Fri, 02 Jan 2026 03:04:05 GMT"},
    {2147483647, "20380119T031407Z", "2038-01-19T03:14:07Z", "Tue, 19 Jan 2038 03:14:07 GMT"},
    {2147483648, "20380119T031408Z", "2038-01-19T03:14:08Z", "Tue, 19 Jan 2038 03:14:08 GMT"},
    {4107455999, "21000227T235959Z", "2100-02-27T23:59:59Z", "Sat, 27 Feb 2100 23:59:59 GMT"},
    {4107542399, "21000228T235959Z", "2100-02-28T23:59:59Z", "Sun, 28 Feb 2100 23:59:59 GMT"},
    {4107542400, "21000301T000000Z", "2100-03-01T00:00:00Z", "Mon, 01 Mar 2100 00:00:00 GMT"},
    {4294967295, "21060207T062815Z", "2106-02-07T06:28:15Z", "Sun, 07 Feb 2106 06:28:15 GMT"}};

/* Every month's name, and each day of 140 years against libc's calendar. */
static void test_calendar(void)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t t;
    unsigned long wrong = 0;

    for (t = 43210; t <= 0xffffffffLL; t += 86400) {
        time_t libc = (time_t)t;
        struct tm *tm = gmtime(&libc);
        char text[17], want[80];
        if (libc != t)
            break; /* this libc's time_t ends in 2038 */
        if (!tm)
            exit(2);
        aws_date_text(t, text);
        snprintf(want, sizeof want, "%04d%02d%02dT120010Z", tm->tm_year + 1900, tm->tm_mon + 1,
                 tm->tm_mday);
        wrong += strcmp(text, want) != 0;
        snprintf(want, sizeof want, "%04d-%02d-%02dT12:00:10.5Z", tm->tm_year + 1900,
                 tm->tm_mon + 1, tm->tm_mday);
        wrong += aws_date_parse(want) != t;
        snprintf(want, sizeof want, "Any, %02d %s %04d 12:00:10 GMT", tm->tm_mday,
                 months[tm->tm_mon], tm->tm_year + 1900);
        wrong += aws_date_parse(want) != t;
    }
    CHECK_INT(wrong, 0);
    for (t = 0; t < 86400; t += 7) { /* seconds of a day */
        char text[17], want[80];
        aws_date_text(1440892800 + t, text);
        snprintf(want, sizeof want, "20150830T%02d%02d%02dZ", (int)(t / 3600),
                 (int)(t / 60 % 60), (int)(t % 60));
        wrong += strcmp(text, want) != 0;
    }
    CHECK_INT(wrong, 0);
}

static void test_dates(void)
{
    /* never a date, and never read beyond their end */
    static const char *const nonsense[] = {"",
                                           "now",
                                           "2026",
                                           "2026-01-02",
                                           "2026-01-02T",
                                           "2026-01-02 03:04:05Z",
                                           "2026-01-02T03:04",
                                           "2026-01-02T03:04:0",
                                           "20260102T030405Z",
                                           "2026-1-02T03:04:05Z",
                                           "2026-13-02T03:04:05Z",
                                           "2026-00-02T03:04:05Z",
                                           "2026-01-00T03:04:05Z",
                                           "2026-01-32T03:04:05Z",
                                           "2026-01-02T24:04:05Z",
                                           "2026-01-02T03:60:05Z",
                                           "2026-01-02T03:04:61Z",
                                           "1969-12-31T23:59:59Z",
                                           "0000-00-00T00:00:00Z",
                                           "-026-01-02T03:04:05Z",
                                           "2026-01-02T03-04-05Z",
                                           "2026/01/02T03:04:05Z",
                                           " 2026-01-02T03:04:05Z",
                                           "2O26-01-02T03:04:05Z",
                                           "Fri",
                                           "Fri, 02 Jan 2026",
                                           "Fri, 02 Jan 2026 03:04:05",
                                           "Fri, 02 Jan 2026 03:04:05 UTC",
                                           "Fri, 2 Jan 2026 03:04:05 GMT",
                                           "Fri, 02 jan 2026 03:04:05 GMT",
                                           "Fri, 02 Foo 2026 03:04:05 GMT",
                                           "Fri, 02 anF 2026 03:04:05 GMT",
                                           "Fri, 32 Jan 2026 03:04:05 GMT",
                                           "Fri, 00 Jan 2026 03:04:05 GMT",
                                           "Fri, 02 Jan 1969 03:04:05 GMT",
                                           "Fri, 02 Jan 2026 24:04:05 GMT",
                                           "Fri, 02 Jan 2026 03:60:05 GMT",
                                           "Fri, 02 Jan 2026 03:04:61 GMT",
                                           "Friday, 02-Jan-26 03:04:05 GMT",
                                           "Fri Jan  2 03:04:05 2026",
                                           "02 Jan 2026 03:04:05 GMT",
                                           "Fri, 02 Jan 26 03:04:05 GMT"};
    /* days that the month doesn't have */
    static const char *const days[] = {
        "2026-02-29T00:00:00Z", "2026-02-30T00:00:00Z", "2024-02-30T00:00:00Z",
        "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-06-31T00:00:00Z",
        "2026-09-31T00:00:00Z", "2026-11-31T00:00:00Z", "Sun, 29 Feb 2026 03:04:05 GMT"};
    char text[17];
    size_t i;

    for (i = 0; i < sizeof dates / sizeof *dates; i++) {
        aws_date_text(dates[i].time, text);
        CHECK_STR(text, dates[i].text);
        CHECK_INT(aws_date_parse(dates[i].iso), dates[i].time);
        CHECK_INT(aws_date_parse(dates[i].http), dates[i].time);
    }
    aws_date_text(-1, text); /* what can't be told stays in the range */
    CHECK_STR(text, "19700101T000000Z");
    aws_date_text((int64_t)1 << 62, text);
    CHECK_STR(text, "21060207T062815Z");
    CHECK_INT(aws_date_parse("2016-12-31T23:59:60Z"), 1483228800); /* a leap second */
    CHECK_INT(aws_date_parse("9999-12-31T23:59:59Z"), 253402300799);
    for (i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        size_t size = strlen(nonsense[i]) + 1;
        char *copy = (char *)malloc(size); /* for the sanitizer */
        if (!copy)
            exit(2);
        memcpy(copy, nonsense[i], size);
        if (!CHECK_INT(aws_date_parse(copy), -1))
            fprintf(stderr, "  in \"%s\"\n", copy);
        free(copy);
    }
    for (i = 0; i < sizeof days / sizeof *days; i++)
        if (!CHECK_INT(aws_date_parse(days[i]), -1))
            fprintf(stderr, "  in \"%s\"\n", days[i]);
}

/* ---- Hashes: HMAC-SHA-256 by RFC 4231 ---- */

static void check_hmac(const char *prefix, const void *key, size_t key_size, const char *data,
                       const char *want)
{
    aws_i_key_states states;
    unsigned char block[64], digest[32];
    char text[65];
    aws_out out = out_to(text, sizeof text - 1);

    aws_i_key_block(block, &states.inner, prefix, key, key_size);
    aws_i_key_init(&states, block);
    aws_i_sha256_update(&states.inner, data, strlen(data));
    aws_i_key_final(&states, &states.inner, digest);
    aws_i_out_hex(&out, digest, 32);
    text[64] = 0;
    CHECK_STR(text, want);
}

static void test_hmac(void)
{
    unsigned char key[131];

    memset(key, 0x0b, 20);
    check_hmac("", key, 20, "Hi There",
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    check_hmac("", "Jefe", 4, "what do ya want for nothing?",
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    check_hmac("Je", "fe", 2, "what do ya want for nothing?",
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    check_hmac("", key, 131, "Test Using Larger Than Block-Size Key - Hash Key First",
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    /* 64 and 65 bytes, "AWS4" included: the block's edge (values from Python's hmac) */
    memset(key, 'k', 61);
    check_hmac("AWS4", key, 60, "data",
               "2b2058484dbbb4748fc0cd6aab803cfd27b3e14e9689ede8f8856b516d428dc1");
    check_hmac("AWS4", key, 61, "data",
               "866c87b896e9234308d9efdd308c51fab179955d3d93fedb57a2506f61e09ef5");
}

/* Whatever SHA-256 this build has: every length, cut anywhere, and on after its value was asked for,
 * as BearSSL's. */
static void test_sha256(void)
{
    unsigned char data[300], got[32], want[32];
    size_t size, cut;
    unsigned long wrong = 0;

    for (size = 0; size < sizeof data; size++)
        data[size] = (unsigned char)(size * 7 + size / 31);
    for (size = 0; size <= sizeof data; size++) {
        br_sha256_context sha;
        br_sha256_init(&sha);
        br_sha256_update(&sha, data, size);
        br_sha256_out(&sha, want);
        for (cut = 0; cut <= size; cut++) {
            aws_i_sha256 ours;
            aws_i_sha256_init(&ours);
            aws_i_sha256_update(&ours, data, cut);
            aws_i_sha256_final(&ours, got);
            aws_i_sha256_update(&ours, data + cut, size - cut);
            aws_i_sha256_final(&ours, got);
            wrong += memcmp(got, want, 32) != 0;
        }
    }
    CHECK_INT(wrong, 0);
}

int main(void)
{
    test_sha256();
    test_encodings();
    test_far_window();
    test_numbers_out();
    test_uri();
    test_xml();
    test_xml_round();
    test_fields();
    test_numbers_in();
    test_dates();
    test_calendar();
    test_hmac();
    return CHECK_DONE();
}
