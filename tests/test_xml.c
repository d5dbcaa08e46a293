/* test_xml.c - the XML pull reader: what it takes, what it refuses, at every split.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/test_xml.c -lbearssl && ./a.out
 *
 * In the tables a '|' marks a place and isn't part of the document: in a good one the end of the
 * root (no shorter prefix may count as complete), in a bad one the first byte that is refused.
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "jsonl.h"
#include "check.h"
#include "dirty.h"
#include <stdlib.h>

/* ---- A log of events ---- */

enum { LOG_SIZE = 1 << 17 };

/* "+path" START, "=text" (pieces joined), "-path" END, each with a newline. */
typedef struct event_log {
    size_t used, taken; /* bytes of log; bytes of the document before the error */
    int    last, error, complete, leaves;
    char   text[LOG_SIZE];
} event_log;

static void log_add(event_log *log, const void *data, size_t size)
{
    if (log->used + size >= LOG_SIZE)
        size = LOG_SIZE - 1 - log->used;
    memcpy(log->text + log->used, data, size);
    log->used += size;
    log->text[log->used] = 0;
}

/* One event as the three that it stands for. */
static void log_leaf(event_log *log, const aws_xml *xml)
{
    const char *marks = "+-";

    if (log->last == AWS_XML_TEXT)
        log_add(log, "\n", 1);
    for (; *marks; marks++) {
        log_add(log, marks, 1);
        log_add(log, xml->path, strlen(xml->path));
        log_add(log, "/", 1);
        log_add(log, xml->name, xml->name_size);
        log_add(log, "\n", 1);
        if (*marks == '+' && xml->text_size) {
            log_add(log, "=", 1);
            log_add(log, xml->text, xml->text_size);
            log_add(log, "\n", 1);
        }
    }
    log->last = AWS_XML_LEAF;
    log->leaves++;
}

static void log_event(event_log *log, const aws_xml *xml, int event)
{
    static const char marks[] = "?+=-";

    if (event == AWS_XML_LEAF) {
        log_leaf(log, xml);
        return;
    }
    if (event == AWS_XML_START) {
        const char *name = strrchr(xml->path, '/') ? strrchr(xml->path, '/') + 1 : xml->path;
        if (xml->name_size != strlen(name) || memcmp(xml->name, name, xml->name_size) != 0)
            CHECK_STR(xml->name, name);
    }

    if (log->last == AWS_XML_TEXT && event != AWS_XML_TEXT)
        log_add(log, "\n", 1);
    if (event != AWS_XML_TEXT || log->last != AWS_XML_TEXT)
        log_add(log, marks + event, 1);
    if (event == AWS_XML_TEXT) {
        if (!xml->text_size)
            CHECK(xml->text_size > 0);
        log_add(log, xml->text, xml->text_size);
    } else {
        log_add(log, xml->path, strlen(xml->path));
        log_add(log, "\n", 1);
    }
    if (strlen(xml->path) != xml->path_length)
        CHECK_INT(strlen(xml->path), xml->path_length);
    if (xml->root_length != strcspn(xml->path, "/"))
        CHECK_INT(xml->root_length, strcspn(xml->path, "/"));
    log->last = event;
}

/* Feed one slice, from a block of exactly its size, so that a sanitizer sees a read beyond it. */
static void feed(aws_xml *xml, event_log *log, const char *data, size_t size)
{
    char *copy = (char *)malloc(size ? size : 1);
    size_t at = 0, before = log->taken;
    int r = 0;

    if (!copy)
        exit(2);
    memcpy(copy, data, size);
    while (!log->error && r != AWS_AGAIN) {
        size_t used = 12345;
        r = aws_xml_step(xml, size ? copy + at : copy, size - at, &used);
        if (used > size - at) {
            CHECK_INT(used, size - at);
            break;
        }
        at += used;
        log->taken += used;
        if (r > 0)
            log_event(log, xml, r);
        else if (r != AWS_AGAIN)
            log->error = r;
        else if (at != size)
            CHECK_INT(at, size); /* AGAIN means: all taken */
    }
    if (log->error)
        log->taken = before; /* fed byte by byte: the place of the one refused */
    free(copy);
}

static unsigned char with_leaves;

/* Feed document[0..size) in pieces of `step` bytes, with cuts at a and b besides. */
static void run(event_log *log, const char *document, size_t size, size_t step, size_t a, size_t b)
{
    aws_xml xml;
    size_t at = 0;

    memset(log, 0, offsetof(event_log, text));
    log->text[0] = 0;
    aws_xml_init(&xml);
    xml.leaves = with_leaves;
    do {
        size_t end = size - at > step ? at + step : size;
        if (at < a && a < end)
            end = a;
        if (at < b && b < end)
            end = b;
        feed(&xml, log, document + at, end - at);
        at = end;
    } while (at < size && !log->error);
    log->complete = aws_xml_complete(&xml);
    if (log->error) { /* stays failed */
        size_t used;
        if (aws_xml_step(&xml, "<a/>", 4, &used) != AWS_ERR_XML || aws_xml_complete(&xml))
            CHECK_INT(aws_xml_step(&xml, "<a/>", 4, &used), AWS_ERR_XML);
    }
}

/* ---- Same events at every split ---- */

static event_log whole, split;

/* Whether `split` is as `whole`. Up to an error more or less text may have been handed over. */
static int same(void)
{
    size_t used = split.used < whole.used ? split.used : whole.used;

    if (split.error != whole.error || split.complete != whole.complete ||
        memcmp(split.text, whole.text, used) != 0)
        return 0;
    return whole.error || (split.taken == whole.taken && split.used == whole.used);
}

/* Up to what size a document is cut at each two places: less on an emulated Cortex-M. */
#ifndef XML_PAIRS
#define XML_PAIRS 120
#endif

static size_t count_splits(const char *document, size_t size)
{
    size_t a, b, differ = 0;

    for (a = 0; a <= size; a++) {
        run(&split, document, size, size + 1, a, a);
        differ += !same();
        for (b = a + 1; size <= XML_PAIRS && b < size; b++) {
            run(&split, document, size, size + 1, a, b);
            differ += !same();
        }
    }
    for (a = 1; a < 8; a++) {
        run(&split, document, size, a, 0, 0);
        differ += !same();
    }
    return differ;
}

static void check_splits(const char *document, size_t size)
{
    size_t differ = count_splits(document, size);

    with_leaves = 1; /* say the same */
    differ += count_splits(document, size);
    with_leaves = 0;
    if (!CHECK_INT(differ, 0))
        fprintf(stderr, "  in %s\n", document);
}

/* Remove the '|'; its place. */
static size_t unmark(char *to, const char *marked, size_t size)
{
    const char *mark = (const char *)memchr(marked, '|', size);
    size_t at = mark ? (size_t)(mark - marked) : size;

    memcpy(to, marked, at);
    if (mark)
        memcpy(to + at, mark + 1, size - at - 1);
    to[mark ? size - 1 : size] = 0;
    return at;
}

static void check_good(const char *marked, const char *events)
{
    char document[2048];
    size_t end = unmark(document, marked, strlen(marked)), size = strlen(document), i, early = 0;

    run(&whole, document, size, size + 1, 0, 0);
    if (!CHECK_INT(whole.error, 0) || !CHECK_INT(whole.complete, 1) ||
        !CHECK_STR(whole.text, events)) {
        fprintf(stderr, "  in %s\n", document);
        return;
    }
    check_splits(document, size);
    for (i = 0; i < end; i++) {
        run(&split, document, i, i + 1, 0, 0);
        early += split.complete != 0 || split.error != 0;
    }
    if (!CHECK_INT(early, 0))
        fprintf(stderr, "  prefixes of %s\n", document);
    run(&split, document, end, end + 1, 0, 0);
    CHECK_INT(split.complete, 1);
}

static void check_bad(const char *marked, size_t marked_size, int error)
{
    char document[2048];
    size_t at = unmark(document, marked, marked_size), size = marked_size - 1;

    run(&whole, document, size, 1, 0, 0);
    if (!CHECK_INT(whole.error, error) || !CHECK_INT(whole.complete, 0) ||
        !CHECK_INT(whole.taken, at))
        fprintf(stderr, "  in %s\n", document);
    check_splits(document, size);
}

/* ---- Documents that are read ---- */

static const struct {
    const char *document, *events;
} good[] = {
    {"<a/>|", "+a\n-a\n"},
    {"<a></a>|", "+a\n-a\n"},
    {"<a  />|", "+a\n-a\n"},
    {"<a ></a \t\r\n>|", "+a\n-a\n"},
    {" \t\r\n<a>x</a>| \t\r\n", "+a\n=x\n-a\n"},
    {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>x</a>|\n", "+a\n=x\n-a\n"},
    {"<?xml version='1.0' ?x?\?><a/>|", "+a\n-a\n"}, /* escaped: no trigraph */
    {"\r\n\r\n<?xml version='1.0'?><a/>|", "+a\n-a\n"}, /* keep-alives before it */
    {"<!-- a - b < > & ]]> <c> -->\n<a><!--x-->y<!-- -z --></a>|<!--end-->\n", "+a\n=y\n-a\n"},
    {"<a>x<!---->y</a>|", "+a\n=xy\n-a\n"},
    {"<a>1<b>2</b>3</a>|", "+a\n=1\n+a/b\n=2\n-a/b\n=3\n-a\n"},
    {"<a><b/><b/><c><b/></c></a>|",
     "+a\n+a/b\n-a/b\n+a/b\n-a/b\n+a/c\n+a/c/b\n-a/c/b\n-a/c\n-a\n"},
    {"<ab><a></a></ab>|", "+ab\n+ab/a\n-ab/a\n-ab\n"},
    {"<_a.b-c:d9 A:_='1'/>|", "+_a.b-c:d9\n-_a.b-c:d9\n"},
    {"<:x/>|", "+:x\n-:x\n"},
    {"<a b = '\"' c\n=\t\"'\" d='>' e='/>' f='' xmlns:g='http://h/' g:i=\"&lt;&#10;\">j</a>|",
     "+a\n=j\n-a\n"},
    {"<a b='\xc3\xa9'/>|", "+a\n-a\n"},
    {"<a>&lt;&gt;&amp;&quot;&apos;</a>|", "+a\n=<>&\"'\n-a\n"},
    {"<a>&amp;lt;&amp;#38;</a>|", "+a\n=&lt;&#38;\n-a\n"},
    {"<a>&#65;&#x42;&#x4a;&#x4B;&#0000067;&#xA;&#13;&#9;&#1;&#x1F;&#127;</a>|",
     "+a\n=ABJKC\n\r\t\x01\x1f\x7f\n-a\n"},
    {"<a>&#128;&#xE9;&#x7FF;&#x800;&#x20AC;&#xD7FF;&#xE000;&#xFFFD;&#xFFFF;</a>|",
     "+a\n=\xc2\x80\xc3\xa9\xdf\xbf\xe0\xa0\x80\xe2\x82\xac\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd"
     "\xef\xbf\xbf\n-a\n"},
    {"<a>&#x10000;&#x1F600;&#x10FFFF;&#1114111;&#x0010FFFF;</a>|",
     "+a\n=\xf0\x90\x80\x80\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\n-a\n"},
    {"<a>\xc2\x80\xdf\xbf\xe0\xa0\x80\xe1\x80\x80\xec\xbf\xbf\xed\x80\x80\xed\x9f\xbf\xee\x80\x80"
     "\xef\xbf\xbf\xf0\x90\x80\x80\xf1\x80\x80\x80\xf3\xbf\xbf\xbf\xf4\x80\x80\x80\xf4\x8f\xbf\xbf"
     "</a>|",
     "+a\n=\xc2\x80\xdf\xbf\xe0\xa0\x80\xe1\x80\x80\xec\xbf\xbf\xed\x80\x80\xed\x9f\xbf\xee\x80\x80"
     "\xef\xbf\xbf\xf0\x90\x80\x80\xf1\x80\x80\x80\xf3\xbf\xbf\xbf\xf4\x80\x80\x80\xf4\x8f\xbf\xbf"
     "\n-a\n"},
    {"<a>\x7f\t\r\n ></a>|", "+a\n=\x7f\t\r\n >\n-a\n"},
#ifdef AWS_SMALL /* handed over as it comes */
    {"<a b='\xff'>\x80\xc3<![CDATA[\xf5]\xe0]]><!--\xc0--></a>|", "+a\n=\x80\xc3\xf5]\xe0\n-a\n"},
#endif
    {"<a><![CDATA[]]></a>|", "+a\n-a\n"},
    {"<a>x<![CDATA[<b>&lt;</b>]]>y</a>|", "+a\n=x<b>&lt;</b>y\n-a\n"},
    {"<a><![CDATA[]]]]><![CDATA[>]]></a>|", "+a\n=]]>\n-a\n"},
    {"<a><![CDATA[]x]]y]]]z] ]> ]\xc3\xa9]]]]></a>|", "+a\n=]x]]y]]]z] ]> ]\xc3\xa9]]\n-a\n"},
    {"<a><![CDATA[>]]></a>|", "+a\n=>\n-a\n"},
    {"<Error><Code>NoSuchKey</Code><Message>It &amp; went</Message>\n<Key>a/b</Key></Error>|",
     "+Error\n+Error/Code\n=NoSuchKey\n-Error/Code\n+Error/Message\n=It & went\n-Error/Message\n"
     "=\n\n+Error/Key\n=a/b\n-Error/Key\n-Error\n"},
    {"<a><b><c><d><e><f><g><h><i><j><k><l>12</l></k></j></i></h></g></f></e></d></c></b></a>|",
     "+a\n+a/b\n+a/b/c\n+a/b/c/d\n+a/b/c/d/e\n+a/b/c/d/e/f\n+a/b/c/d/e/f/g\n+a/b/c/d/e/f/g/h\n"
     "+a/b/c/d/e/f/g/h/i\n+a/b/c/d/e/f/g/h/i/j\n+a/b/c/d/e/f/g/h/i/j/k\n"
     "+a/b/c/d/e/f/g/h/i/j/k/l\n=12\n-a/b/c/d/e/f/g/h/i/j/k/l\n-a/b/c/d/e/f/g/h/i/j/k\n"
     "-a/b/c/d/e/f/g/h/i/j\n-a/b/c/d/e/f/g/h/i\n-a/b/c/d/e/f/g/h\n-a/b/c/d/e/f/g\n-a/b/c/d/e/f\n"
     "-a/b/c/d/e\n-a/b/c/d\n-a/b/c\n-a/b\n-a\n"}};

static void test_good(void)
{
    size_t i;

    for (i = 0; i < sizeof good / sizeof *good; i++)
        check_good(good[i].document, good[i].events);
}

#ifndef AWS_SMALL
/* What is one event, if it has come as a whole: names of letters, texts that need no work but that
 * of quotation marks, as many as there is room for behind the path. */
static void test_leaves(void)
{
    static const struct {
        const char *document;
        int         leaves;
    } rows[] = {{"<a><b>c</b></a>", 1},
                {"<a><b></b><Cd>e f&gt;</Cd></a>", 1},
                {"<a>x<b>&quot;c&quot;</b>y</a>", 1},
                {"<a><b>&#34;c&#34;d</b><b>&quot;</b></a>", 2},
                {"<a><b>c&quot</b></a>", 0},
                {"<a><b1>c</b1><b d='e'>f</b><b>\xc3\xa9</b><b/><b><!----></b></a>", 0},
                {"<a><b><c>d</c>e<f>g</f></b></a>", 2},
                {"<a>b</a>", 0},
                {"<a><b>c</d></a>", 0}};
    char document[600];
    size_t i, quotes;

    with_leaves = 1;
    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        run(&whole, rows[i].document, strlen(rows[i].document), 600, 0, 0);
        if (!CHECK_INT(whole.leaves, rows[i].leaves))
            fprintf(stderr, "  in %s\n", rows[i].document);
    }
    for (quotes = 1; quotes < 70; quotes++) { /* "xx\"" each, then "yy": behind "a" and a NUL */
        strcpy(document, "<a><b>");
        for (i = 0; i < quotes; i++)
            strcat(document, "xx&#34;");
        strcat(document, "yy</b></a>");
        run(&whole, document, strlen(document), 600, 0, 0);
        CHECK_INT(whole.leaves, 2 + quotes * 3 + 2 < AWS_XML_PATH);
        CHECK_INT(whole.error, 0);
    }
    with_leaves = 0;
}
#endif

/* ---- Documents that are refused ---- */

#define BAD(text)                                                                                 \
    {                                                                                             \
        text, sizeof text - 1                                                                     \
    }

static const struct {
    const char *document;
    size_t      size;
} bad[] = {
    /* document types, entities, processing instructions */
    BAD("<!|DOCTYPE a><a/>"), BAD("<a><!|DOCTYPE a></a>"), BAD("<a/><!|DOCTYPE a>"),
    BAD("<!|ENTITY b 'c'><a/>"), BAD("<a><!|ELEMENT a></a>"), BAD("<?|pi x?><a/>"),
    BAD("<?xml|-stylesheet x?><a/>"), BAD("<?xm|a?><a/>"), BAD("<?xml|?><a/>"),
    BAD("<?xml |<?><a/>"), BAD("<?xml |\x01?><a/>"),
    BAD("<a><|?xml version='1.0'?></a>"), BAD("<a/><|?xml version='1.0'?>"),
    BAD("<?xml version='1.0'?><|?xml version='1.0'?><a/>"), BAD("<a><|?b?></a>"),
    /* entities */
    BAD("<a>&foo|;</a>"), BAD("<a>&nbsp|;</a>"), BAD("<a>&|;</a>"), BAD("<a>&| b</a>"),
    BAD("<a>&lt|<b/></a>"), BAD("<a>&l|&</a>"), BAD("<a>&LT|;</a>"), BAD("<a>&lt2|;</a>"),
    BAD("<a>&am|\0p;</a>"), BAD("<a>&abcdefghijk|l;</a>"), BAD("<a>&#|;</a>"), BAD("<a>&#x|;</a>"),
    BAD("<a>&#0|;</a>"), BAD("<a>&#x0|;</a>"), BAD("<a>&#000|;</a>"), BAD("<a>&#xD800|;</a>"),
    BAD("<a>&#xdfff|;</a>"), BAD("<a>&#56320|;</a>"), BAD("<a>&#x110000|;</a>"),
    BAD("<a>&#1114112|;</a>"), BAD("<a>&#4294967361|;</a>"), BAD("<a>&#x100000041|;</a>"),
    BAD("<a>&#xG|;</a>"), BAD("<a>&#X41|;</a>"), BAD("<a>&#6a|;</a>"), BAD("<a>&#x4|:;</a>"),
    BAD("<a>&##65|;</a>"), BAD("<a>&#6#5|;</a>"), BAD("<a>&#|-6;</a>"), BAD("<a>&#|+65;</a>"),
    BAD("<a>&x41|;</a>"), BAD("<a>&#x000000004|1;</a>"), BAD("|&lt;<a/>"), BAD("<a/>|&lt;"),
    /* control bytes; none but ASCII outside of texts and values */
    BAD("<a>x|\x01</a>"), BAD("<a>x|\0</a>"), BAD("<a>x|\x1f</a>"), BAD("<a>x|\x0b</a>"),
    BAD("<a b='|\x01'/>"), BAD("<a b='|\0'/>"), BAD("<!--|\x01--><a/>"),
    BAD("<a><![CDATA[|\x01]]></a>"), BAD("|\xef\xbb\xbf<a/>"), BAD("|\0<a/>"), BAD("<a/>|\0"),
    BAD("<|\xc3\xa9/>"), BAD("<a|\xc3\xa9/>"), BAD("<a|\0/>"),
#ifndef AWS_SMALL
    /* UTF-8 */
    BAD("<a>|\x80</a>"), BAD("<a>|\xbf</a>"), BAD("<a>|\xc0\x80</a>"), BAD("<a>|\xc1\xbf</a>"),
    BAD("<a>\xc2|\x7f</a>"), BAD("<a>\xc2|\xc0</a>"), BAD("<a>\xe0|\x9f\xbf</a>"),
    BAD("<a>\xe0\xa0|\x7f</a>"), BAD("<a>\xe0\xa0|\xc0</a>"), BAD("<a>\xe1|\x7f\x80</a>"),
    BAD("<a>\xe1\x80|a</a>"), BAD("<a>\xed|\xa0\x80</a>"), BAD("<a>\xed|\xbf\xbf</a>"),
    BAD("<a>\xef\xbf|\xc0</a>"), BAD("<a>\xf0|\x8f\xbf\xbf</a>"), BAD("<a>\xf0\x90|\x7f\x80</a>"),
    BAD("<a>\xf0\x90\x80|\x7f</a>"), BAD("<a>\xf4|\x90\x80\x80</a>"),
    BAD("<a>|\xf5\x80\x80\x80</a>"), BAD("<a>|\xf8\x88\x80\x80\x80</a>"), BAD("<a>|\xfe</a>"),
    BAD("<a>|\xff</a>"), BAD("<a>\xc3|</a>"), BAD("<a>\xe2\x82|&lt;</a>"), BAD("<a b='|\xff'/>"),
    BAD("<a b='\xc3|'/>"), BAD("<!--|\xff--><a/>"), BAD("<!--\xc3|--><a/>"),
    BAD("<a><![CDATA[|\xff]]></a>"), BAD("<a><![CDATA[\xc3|]]></a>"),
    BAD("<a><![CDATA[\xe2\x82|x]]></a>"), BAD("<?xml |\x80?><a/>"),
#endif
    /* tags that don't match */
    BAD("<a></|b>"), BAD("<ab></a|>"), BAD("<ab></a|c>"), BAD("<a></a|b>"), BAD("<a><b></|a>"),
    BAD("<a></|>"), BAD("<a></| a>"), BAD("<a></|A>"), BAD("<|/a>"), BAD("<a/><|/a>"),
    BAD("<a></a |b>"), BAD("<a></a|/>"), BAD("<a></a |/>"), BAD("<a><bc></b|></a>"),
    /* before and behind the root */
    BAD("|x<a/>"), BAD("<a/>|x"), BAD("<a></a>|x"), BAD("<a/><|b/>"), BAD("<a/>\n<|a/>"),
    BAD("<!|[CDATA[x]]><a/>"), BAD("<a/><!|[CDATA[x]]>"), BAD("|]<a/>"), BAD("|{\"a\":1}"),
    BAD("<a/>|>"),
    /* tags that aren't */
    BAD("<|1a/>"), BAD("<|-a/>"), BAD("<|.a/>"), BAD("<| a/>"), BAD("<|></a>"), BAD("<a><|></a>"),
    BAD("<|<a/>"), BAD("<a|<b/>"), BAD("<a |<b/>"), BAD("<a |=b/>"), BAD("<a |1='b'/>"),
    BAD("<a |-b='c'/>"), BAD("<a b|>c</a>"), BAD("<a b|/>"), BAD("<a b |c='d'/>"), BAD("<a b |/>"),
    BAD("<a b=|c/>"), BAD("<a b=|></a>"), BAD("<a b= |/>"), BAD("<a b='|<'/>"),
    BAD("<a b='c'|d='e'/>"), BAD("<a/| >"), BAD("<a /|/>"), BAD("<a|'b'/>"), BAD("<a |'b'/>"),
    BAD("<a b|'c'/>"), BAD("<a b=|='c'/>"), BAD("<a|\x01/>"), BAD("<a b='c'|\x01/>"),
    BAD("<a |&lt;/>"), BAD("<html><head><meta charset=|utf-8></head></html>"),
    /* comments and CDATA that aren't */
    BAD("<!-|x--><a/>"), BAD("<!|><a/>"), BAD("<!|x><a/>"), BAD("<!-|><a/>"),
    BAD("<!-- --| --><a/>"), BAD("<!----|-><a/>"), BAD("<!-- --|-><a/>"),
    BAD("<a><!-- a--|b --></a>"), BAD("<a><!-|[CDATA[]]></a>"), BAD("<a><![|x]]></a>"),
    BAD("<a><![|cdata[x]]></a>"), BAD("<a><![CDATA|x]]></a>"), BAD("<a><![CDATA| []]></a>"),
    BAD("<a><!|]]></a>")};

static void test_bad(void)
{
    size_t i;

    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        check_bad(bad[i].document, bad[i].size, AWS_ERR_XML);
}

/* ---- Limits ---- */

static char big[1 << 20];

static size_t big_add(size_t at, const char *text, size_t times)
{
    size_t size = strlen(text);

    for (; times && at + size < sizeof big; times--, at += size)
        memcpy(big + at, text, size);
    big[at] = 0;
    return at;
}

/* Depth 12 is read (see above), 13 isn't. */
static void test_depth(void)
{
    size_t at = big_add(0, "<d>", 12), end;

    end = big_add(at, "</d>", 12);
    run(&whole, big, end, end, 0, 0);
    CHECK_INT(whole.error, 0);
    CHECK_INT(whole.complete, 1);
    end = big_add(at, "<|d/>", 1);
    check_bad(big, end, AWS_ERR_TOO_BIG);
    end = big_add(at, "<!--x--></d><d></d>", 1); /* up, down: the depth counts what is open */
    end = big_add(end, "</d>", 11);
    run(&whole, big, end, end, 0, 0);
    CHECK_INT(whole.complete, 1);
}

/* Names of AWS_XML_PATH - 1 bytes in all, slashes included; one more is refused. */
static void test_path(void)
{
    size_t at, more;

    for (more = 0; more < 2; more++) {
        at = big_add(0, "<", 1);
        at = big_add(at, "n", AWS_XML_PATH - 1);
        at = big_add(at, more ? "|n/>" : "/>", 1);
        if (more)
            check_bad(big, at, AWS_ERR_TOO_BIG);
        else {
            run(&whole, big, at, 1, 0, 0);
            CHECK_INT(whole.complete, 1);
            CHECK_INT(whole.used, 2 * (AWS_XML_PATH + 1));
        }
        at = big_add(0, "<abc><", 1);
        at = big_add(at, "n", AWS_XML_PATH - 5);
        at = big_add(at, more ? "|n/></abc>" : "/></abc>", 1);
        if (more)
            check_bad(big, at, AWS_ERR_TOO_BIG);
        else {
            run(&whole, big, at, 1, 0, 0);
            CHECK_INT(whole.complete, 1);
            check_splits(big, at);
        }
    }
    /* a slash at the end of a full path, before tags that come in bytes or as a whole */
    for (more = AWS_XML_PATH - 3; more < 2 * AWS_XML_PATH; more++) {
        if (more == AWS_XML_PATH)
            more = 2 * AWS_XML_PATH - 3;
        at = big_add(0, "<", 1);
        at = big_add(at, "n", more % AWS_XML_PATH);
        at = big_add(at, more < AWS_XML_PATH ? "><x/></" : "><x></x></", 1);
        at = big_add(at, "n", more % AWS_XML_PATH);
        at = big_add(at, ">", 1);
        run(&whole, big, at, more < AWS_XML_PATH ? 1 : at, 0, 0);
        CHECK_INT(whole.error, more % AWS_XML_PATH == AWS_XML_PATH - 3 ? 0 : AWS_ERR_TOO_BIG);
        CHECK_INT(whole.complete, more % AWS_XML_PATH == AWS_XML_PATH - 3);
    }
}

/* Nothing that isn't a name has a limit, and the state never grows: megabytes go through. */
static void test_long(void)
{
    static const char *const forms[][3] = {{"<a>", "text ", "</a>"},
                                           {"<a>", "&#x1F600;", "</a>"},
                                           {"<a b='", "value", "'/>"},
                                           {"<a ", "b", "='1'/>"},
                                           {"<a", " ", "/>"},
                                           {"<a ", "bc='d' ", "/>"},
                                           {"<!--", "- x", "--><a/>"},
                                           {"<?xml ", "x='?' ", "?><a/>"},
                                           {"<a><![CDATA[", "]] ", "]]></a>"},
                                           {"<a></a", "\n", ">"},
                                           {"<a>", "<bcd>e</bcd>", "</a>"},
                                           {"<a/>", "<!-- -->", ""},
                                           {"", " ", "<a/>"}};
    static const size_t texts[] = {5, 4, 0, 0, 0, 0, 0, 0, 3, 0, 1, 0, 0};
    size_t i, at, times, text, depth, step;

    for (i = 0; i < sizeof forms / sizeof *forms; i++) {
        for (step = 1; step <= 4096; step += 4095) {
            aws_xml xml;
            size_t used, end;
            int r = AWS_AGAIN;
            times = (sizeof big - 64) / strlen(forms[i][1]);
            at = big_add(0, forms[i][0], 1);
            at = big_add(at, forms[i][1], times);
            end = big_add(at, forms[i][2], 1);
            aws_xml_init(&xml);
            text = depth = 0;
            for (at = 0; at < end; at += used) {
                r = aws_xml_step(&xml, big + at, end - at < step ? end - at : step, &used);
                if (r < 0 && r != AWS_AGAIN)
                    break;
                text += r == AWS_XML_TEXT ? xml.text_size : 0;
                depth = xml.depth > depth ? xml.depth : depth;
            }
            r = r < 0 && r != AWS_AGAIN ? r : aws_xml_step(&xml, "", 0, &used);
            r = r < 0 ? r : aws_xml_step(&xml, "", 0, &used); /* <a/>: END, then nothing */
            CHECK_INT(r, AWS_AGAIN);
            CHECK_INT(aws_xml_complete(&xml), 1);
            CHECK_INT(text, times * texts[i]);
            CHECK_INT(depth, i == 10 ? 2 : 1);
        }
    }
}

/* A step without bytes, at any place and any number of times, changes nothing. */
static void test_empty_steps(void)
{
    static const char document[] = "<?xml version='1.0'?><a b='c'><!--d-->e&lt;<f/></a>";
    aws_xml xml;
    size_t i, used, events = 0;

    aws_xml_init(&xml);
    CHECK_INT(aws_xml_complete(&xml), 0);
    CHECK_INT(aws_xml_step(&xml, NULL, 0, &used), AWS_AGAIN);
    for (i = 0; i < sizeof document - 1; i++) {
        int r = aws_xml_step(&xml, document + i, 1, &used);
        CHECK_INT(used, 1);
        events += r > 0;
        while (r > 0) {
            r = aws_xml_step(&xml, NULL, 0, &used);
            CHECK_INT(used, 0);
            events += r > 0;
        }
        CHECK_INT(r, AWS_AGAIN);
        CHECK_INT(aws_xml_step(&xml, document, 0, &used), AWS_AGAIN);
    }
    CHECK_INT(events, 6); /* +a =e =< +f -f -a */
    CHECK_INT(aws_xml_complete(&xml), 1);
}

/* ---- The peers' documents ---- */

/* Start tags, counted in another way. */
static size_t count_starts(const char *document)
{
    size_t n = 0;

    for (; *document; document++)
        n += document[0] == '<' && ((document[1] | 32) >= 'a') && ((document[1] | 32) <= 'z');
    return n;
}

static size_t count_lines(const char *text, char first)
{
    size_t n = 0;

    for (; text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL)
        n += *text == first;
    return n;
}

static const struct {
    const char *name, *event;
} peers[] = {
    {"s3-get-bucket-acl", "\n=\n\xef\xbf\xbc\xef\xbf\xbc\xef\xbf\xbc    \n"},
    {"s3-get-bucket-acl", "+AccessControlPolicy/Owner/DisplayName\n=CustomersName@amazon.com\n"},
    {"s3-get-bucket-location", "+LocationConstraint\n=EU\n-LocationConstraint\n"}};

static void test_peers(void)
{
    static jsonl_file file;
    unsigned rows = 0;
    size_t i;

    if (!jsonl_open(&file, "s3_xml_responses.jsonl"))
        return;
    while (jsonl_next(&file)) {
        const char *name = jsonl_get(&file, "name"), *xml = jsonl_get(&file, "xml");
        size_t size;
        if (!CHECK(name != NULL && xml != NULL))
            continue;
        size = strlen(xml);
        rows++;
        run(&whole, xml, size, size, 0, 0);
        if (*xml == '{') { /* a bucket policy is JSON */
            CHECK_INT(whole.error, AWS_ERR_XML);
            continue;
        }
        if (!CHECK_INT(whole.error, 0) || !CHECK_INT(whole.complete, 1)) {
            fprintf(stderr, "  in %s\n", name);
            continue;
        }
        CHECK_INT(count_lines(whole.text, '+'), count_starts(xml));
        CHECK_INT(count_lines(whole.text, '-'), count_starts(xml));
        for (i = 0; i < sizeof peers / sizeof *peers; i++)
            if (strcmp(peers[i].name, name) == 0 && !CHECK(strstr(whole.text, peers[i].event)))
                fprintf(stderr, "  in %s:\n%s", name, whole.text);
        check_splits(xml, size);
        while (size && strchr(" \r\n\t", xml[size - 1]))
            size--;
        for (i = 0; i < size; i++) {
            run(&split, xml, i, i + 1, 0, 0);
            if (split.complete || split.error)
                CHECK_INT(i, size);
        }
    }
    CHECK_INT(rows, 11);
    printf("test_xml: %u documents of the peers\n", rows);
}

/* ---- The writer ---- */

static void write_acl(aws_xml_writer *w)
{
    aws_xml_open(w, "AccessControlPolicy");
    aws_xml_set(w, "xmlns", AWS_S3_NAMESPACE);
    aws_xml_open(w, "AccessControlList");
    aws_xml_open(w, "Grant");
    aws_xml_open(w, "Grantee");
    aws_xml_set(w, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
    aws_xml_set(w, "xsi:type", "Group");
    aws_xml_set(w, "none", NULL);
    aws_xml_put(w, "URI", "http://x/?a&\"<b>\"\r\n");
    aws_xml_put(w, "EmailAddress", NULL);
    aws_xml_close(w);
    aws_xml_put(w, "Permission", "");
    aws_xml_close(w);
    aws_xml_close(w);
    aws_xml_put_number(w, "Days", 4294967296u);
    aws_xml_put_bool(w, "Quiet", 2);
    aws_xml_open(w, "Empty");
    aws_xml_close(w);
    aws_xml_text(w, " \xc3\xa4\t");
    aws_xml_close(w);
}

static const char acl_text[] =
    "<AccessControlPolicy xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    "<AccessControlList><Grant>"
    "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\">"
    "<URI>http://x/?a&amp;&quot;&lt;b&gt;&quot;&#xD;&#xA;</URI></Grantee>"
    "<Permission></Permission></Grant></AccessControlList><Days>4294967296</Days>"
    "<Quiet>true</Quiet><Empty></Empty> \xc3\xa4\t</AccessControlPolicy>";

/* Any memory: whole, or the size that is needed and not a byte too far. */
static void test_writer(void)
{
    char memory[sizeof acl_text + 8];
    aws_xml_writer w;
    size_t size;

    for (size = 0; size < sizeof memory; size++) {
        int fits = size >= sizeof acl_text;
        memset(memory, '#', sizeof memory);
        aws_xml_begin(&w, size ? memory : NULL, size);
        write_acl(&w);
        CHECK_INT(aws_xml_end(&w), fits ? (int)sizeof acl_text - 1 : (int)AWS_ERR_MEMORY);
        CHECK_INT(w.out.length + 1, sizeof acl_text);
        CHECK_MEM(memory, acl_text, size < sizeof acl_text ? size : sizeof acl_text);
        CHECK_INT(memory[size], '#');
    }
}

/* As an emitter: any window of it. */
static void test_writer_window(void)
{
    char memory[8];
    size_t skip, room;

    for (skip = 0; skip < sizeof acl_text; skip++) {
        for (room = 1; room <= sizeof memory; room++) {
            aws_xml_writer w;
            aws_out out;
            size_t want = sizeof acl_text - 1 - skip < room ? sizeof acl_text - 1 - skip : room;
            memset(&out, 0, sizeof out);
            out.to = (unsigned char *)memory;
            out.room = room;
            out.skip = skip;
            aws_xml_begin(&w, NULL, 0);
            w.out = out;
            write_acl(&w);
            out = w.out;
            CHECK_INT(out.length, sizeof acl_text - 1);
            CHECK_INT(out.used, want);
            CHECK_MEM(memory, acl_text + skip, want);
        }
    }
}

static int written(void (*write)(aws_xml_writer *w))
{
    char memory[400];
    aws_xml_writer w;

    aws_xml_begin(&w, memory, sizeof memory);
    write(&w);
    return aws_xml_end(&w);
}

static void write_nothing(aws_xml_writer *w)
{
    (void)w;
}

static void write_open(aws_xml_writer *w)
{
    aws_xml_open(w, "a");
}

static void write_closed_twice(aws_xml_writer *w)
{
    aws_xml_open(w, "a");
    aws_xml_close(w);
    aws_xml_close(w);
}

static void write_two_roots(aws_xml_writer *w)
{
    aws_xml_put(w, "a", "");
    aws_xml_put(w, "a", "");
}

static void write_outside(aws_xml_writer *w)
{
    aws_xml_text(w, "x");
    aws_xml_put(w, "a", "");
}

static void write_late_attribute(aws_xml_writer *w)
{
    aws_xml_open(w, "a");
    aws_xml_put(w, "b", "");
    aws_xml_set(w, "c", "d");
    aws_xml_close(w);
}

static void write_control(aws_xml_writer *w)
{
    aws_xml_put(w, "a", "\x01");
}

static void write_bad_name(aws_xml_writer *w)
{
    aws_xml_put(w, "a b", "");
}

static void write_no_name(aws_xml_writer *w)
{
    aws_xml_put(w, "", "");
}

static void write_bad_attribute(aws_xml_writer *w)
{
    aws_xml_open(w, "a");
    aws_xml_set(w, "1", "");
    aws_xml_close(w);
}

static void write_nested(aws_xml_writer *w, unsigned depth)
{
    unsigned i;

    for (i = 0; i < depth; i++)
        aws_xml_open(w, "a");
    for (i = 0; i < depth; i++)
        aws_xml_close(w);
}

static void write_deep(aws_xml_writer *w)
{
    write_nested(w, AWS_XML_DEPTH);
}

static void write_too_deep(aws_xml_writer *w)
{
    write_nested(w, AWS_XML_DEPTH + 1);
}

static void test_writer_refuses(void)
{
    CHECK_INT(written(write_nothing), AWS_ERR_STATE);
    CHECK_INT(written(write_open), AWS_ERR_STATE);
    CHECK_INT(written(write_closed_twice), AWS_ERR_STATE);
    CHECK_INT(written(write_two_roots), AWS_ERR_STATE);
    CHECK_INT(written(write_outside), AWS_ERR_STATE);
    CHECK_INT(written(write_late_attribute), AWS_ERR_STATE);
    CHECK_INT(written(write_too_deep), AWS_ERR_STATE);
    CHECK_INT(written(write_deep), 7 * AWS_XML_DEPTH);
    CHECK_INT(written(write_control), AWS_ERR_XML);
    CHECK_INT(written(write_bad_name), AWS_ERR_XML);
    CHECK_INT(written(write_no_name), AWS_ERR_XML);
    CHECK_INT(written(write_bad_attribute), AWS_ERR_XML);
}

int main(void)
{
    test_good();
#ifndef AWS_SMALL
    test_leaves();
#endif
    test_bad();
    test_depth();
    test_path();
    test_long();
    test_empty_steps();
    test_peers();
    test_writer();
    test_writer_window();
    test_writer_refuses();
    return CHECK_DONE();
}
