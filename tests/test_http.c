/* test_http.c - the reader of HTTP/1.1 answers: heads and chunks, at every split.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/test_http.c -lbearssl && ./a.out
 *
 * In the tables a '|' marks a place and isn't part of the answer: in a good one its end (nothing
 * before counts as complete, what follows isn't touched), in a bad one the first byte that is
 * refused. H1 to H7 are the names of the faults in the project's list.
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "check.h"
#include "dirty.h"
#include <stdlib.h>

/* ---- One answer, read as the client reads it ---- */

enum { TEXT_SIZE = 1 << 16 };

typedef struct outcome {
    int    error, done, close, headed; /* headed: the head was complete */
    size_t taken;                      /* bytes; at an error those before the slice that fails */
    size_t used;
    char   text[TEXT_SIZE]; /* "status\nname: value\n\nbody" */
} outcome;

typedef struct reader {
    aws_i_http http;
    char      *head;
    size_t     room;
    int        head_request;
} reader;

static void put(outcome *out, const void *data, size_t size)
{
    if (out->used + size >= TEXT_SIZE)
        size = TEXT_SIZE - 1 - out->used;
    memcpy(out->text + out->used, data, size);
    out->used += size;
    out->text[out->used] = 0;
}

/* The head is complete: log it, choose the framing. */
static int headed(reader *r, outcome *out)
{
    char line[600];
    aws_pair pair;
    unsigned i;

    out->headed = 1;
    put(out, line, (size_t)snprintf(line, sizeof line, "%d\n", r->http.status));
    for (i = 0; aws_i_http_at(r->head, r->http.used, i, &pair); i++) {
        put(out, pair.name, strlen(pair.name));
        put(out, ": ", 2);
        put(out, pair.value, strlen(pair.value));
        put(out, "\n", 1);
    }
    put(out, "\n", 1);
    return aws_i_http_begin_body(&r->http, r->head_request);
}

/* Feed a slice from a block of its size, so that a sanitizer sees a read beyond it. */
static void feed(reader *r, outcome *out, const char *data, size_t size)
{
    unsigned char *copy = (unsigned char *)malloc(size ? size : 1);
    size_t at = 0, before = out->taken;
    int result = 0;

    if (!copy)
        exit(2);
    memcpy(copy, data, size);
    while (at < size && result == 0 && !out->headed) {
        size_t taken = size - at;
        result = aws_i_http_head(&r->http, r->head, r->room, copy + at, &taken);
        at += taken;
        if (result == 1)
            result = headed(r, out);
    }
    while (at < size && result == 0 && r->http.state != AWS_I_H_DONE) {
        size_t bytes;
        result = aws_i_http_slice(&r->http, copy + at, (int)(size - at));
        if (result > (int)(size - at)) {
            CHECK_INT(result, (int)(size - at));
            break;
        }
        if (result == 0)
            at++;
        if (result > 0) {
            bytes = (size_t)result;
            put(out, copy + at, bytes);
            aws_i_http_take(&r->http, bytes);
            at += bytes;
            result = 0;
        }
    }
    out->taken = result < 0 ? before : before + at;
    out->error = result;
    free(copy);
}

/* Read answer[0..size) in pieces of `step` bytes with cuts at a and b besides. */
static void run(outcome *out, const char *answer, size_t size, size_t room, int head_request,
                size_t step, size_t a, size_t b)
{
    reader r;
    size_t at = 0;

    memset(out, 0, offsetof(outcome, text));
    out->text[0] = 0;
    aws_i_http_init(&r.http);
    r.room = room;
    r.head_request = head_request;
    r.head = (char *)malloc(room);
    if (!r.head)
        exit(2);
    while (at < size && !out->error && !out->done) {
        size_t end = size - at > step ? at + step : size;
        if (at < a && a < end)
            end = a;
        if (at < b && b < end)
            end = b;
        feed(&r, out, answer + at, end - at);
        out->done = out->headed && r.http.state == AWS_I_H_DONE && !out->error;
        at = end;
    }
    out->close = r.http.close;
    free(r.head);
}

/* ---- Checks ---- */

static outcome whole, split;
enum { ROOM = 2560 };

static int same(void)
{
    size_t used = split.used < whole.used ? split.used : whole.used;

    if (split.error != whole.error || split.done != whole.done || split.headed != whole.headed ||
        memcmp(split.text, whole.text, used) != 0)
        return 0;
    return whole.error || (split.taken == whole.taken && split.used == whole.used);
}

static void check_splits(const char *answer, size_t size, int head_request)
{
    size_t a, b, differ = 0;

    for (a = 0; a <= size; a++) {
        run(&split, answer, size, ROOM, head_request, size + 1, a, a);
        differ += !same();
        for (b = a + 1; size < 200 && b < size; b++) {
            run(&split, answer, size, ROOM, head_request, size + 1, a, b);
            differ += !same();
        }
    }
    for (a = 1; a < 8; a++) {
        run(&split, answer, size, ROOM, head_request, a, 0, 0);
        differ += !same();
    }
    if (!CHECK_INT(differ, 0))
        fprintf(stderr, "  in\n%s\n", answer);
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

static void check_good(const char *marked, int head_request, int close, const char *text)
{
    char answer[2048];
    size_t end = unmark(answer, marked, strlen(marked)), size = strlen(answer), i, early = 0;

    run(&whole, answer, size, ROOM, head_request, size + 1, 0, 0);
    if (!CHECK_INT(whole.error, 0) || !CHECK_INT(whole.done, 1) || !CHECK_STR(whole.text, text) ||
        !CHECK_INT(whole.taken, end) || !CHECK_INT(whole.close, close)) {
        fprintf(stderr, "  in\n%s\n", answer);
        return;
    }
    check_splits(answer, size, head_request);
    for (i = 0; i < end; i++) { /* H1: cut at every byte */
        run(&split, answer, i, ROOM, head_request, i + 1, 0, 0);
        early += split.done || split.error;
    }
    if (!CHECK_INT(early, 0))
        fprintf(stderr, "  prefixes of\n%s\n", answer);
}

static void check_bad(const char *marked, size_t marked_size, int error)
{
    char answer[2048];
    size_t at = unmark(answer, marked, marked_size), size = marked_size - 1;

    run(&whole, answer, size, ROOM, 0, 1, 0, 0);
    if (!CHECK_INT(whole.error, error) || !CHECK_INT(whole.done, 0) || !CHECK_INT(whole.taken, at))
        fprintf(stderr, "  in\n%s\n", answer);
    check_splits(answer, size, 0);
}

/* ---- Answers that are read ---- */

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"
#define CHUNKED_TEXT "200\ntransfer-encoding: chunked\n\n"

static const struct {
    const char *answer;
    int         head_request, close;
    const char *text;
} good[] = {
    {OK "Content-Length: 0\r\n\r\n|", 0, 0, "200\ncontent-length: 0\n\n"},
    {OK "Content-Length: 5\r\n\r\nhello|", 0, 0, "200\ncontent-length: 5\n\nhello"},
    {OK "Content-Length: 5\r\n\r\nhello|HTTP/1.1 ", 0, 0, "200\ncontent-length: 5\n\nhello"},
    {OK "CONTENT-LENGTH:0003\r\n\r\n\r\n\r|", 0, 0, "200\ncontent-length: 0003\n\n\r\n\r"},
    {OK "content-length: 2\r\nContent-Length: 02\r\n\r\nab|", 0, 0,
     "200\ncontent-length: 2\ncontent-length: 02\n\nab"},
    /* white space around values goes, inside it stays; empty values; any token as a name */
    {OK "A: \t b \t c \t \r\nEmpty:\r\nBlank:  \t\r\nContent-Length:\t1 \t\r\n\r\nx|", 0, 0,
     "200\na: b \t c\nempty: \nblank: \ncontent-length: 1\n\nx"},
    {OK "!#$%&'*+-.^_`~09aZ: :;\"\x80\xff\r\nContent-Length: 0\r\n\r\n|", 0, 0,
     "200\n!#$%&'*+-.^_`~09az: :;\"\x80\xff\ncontent-length: 0\n\n"},
    {OK "x-amz-meta-Same: 1\r\nX-Amz-Meta-Same: 2\r\nContent-Length: 0\r\n\r\n|", 0, 0,
     "200\nx-amz-meta-same: 1\nx-amz-meta-same: 2\ncontent-length: 0\n\n"},
    /* status lines */
    {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n|", 0, 0, "200\ncontent-length: 0\n\n"},
    {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n|", 0, 0, "200\ncontent-length: 0\n\n"},
    {"HTTP/1.1 404 Not Found \xc3\xa9\r\nContent-Length: 1\r\n\r\nx|", 0, 0,
     "404\ncontent-length: 1\n\nx"},
    {"HTTP/1.1 599 ?\r\nContent-Length: 0\r\n\r\n|", 0, 0, "599\ncontent-length: 0\n\n"},
    /* connection */
    {OK "Connection: close\r\nContent-Length: 0\r\n\r\n|", 0, 1,
     "200\nconnection: close\ncontent-length: 0\n\n"},
    {OK "Connection: Keep-Alive, CLOSE\r\nContent-Length: 0\r\n\r\n|", 0, 1,
     "200\nconnection: Keep-Alive, CLOSE\ncontent-length: 0\n\n"},
    {OK "Connection: x,close ,y\r\nConnection: z\r\nContent-Length: 0\r\n\r\n|", 0, 1,
     "200\nconnection: x,close ,y\nconnection: z\ncontent-length: 0\n\n"},
    {OK "Connection: keep-alive\r\nContent-Length: 0\r\n\r\n|", 0, 0,
     "200\nconnection: keep-alive\ncontent-length: 0\n\n"},
    {OK "Connection: closed, xclose, close-not, clos\r\nContent-Length: 0\r\n\r\n|", 0, 0,
     "200\nconnection: closed, xclose, close-not, clos\ncontent-length: 0\n\n"},
    {OK "Connection: ,, ,\tclose\r\nContent-Length: 0\r\n\r\n|", 0, 1,
     "200\nconnection: ,, ,\tclose\ncontent-length: 0\n\n"},
    /* H6: no body, whatever the head says; what follows isn't ours */
    {"HTTP/1.1 204 No Content\r\n\r\n|", 0, 0, "204\n\n"},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n|abc", 0, 0,
     "204\ncontent-length: 3\n\n"},
    {"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n|0\r\n\r\n", 0, 0,
     "204\ntransfer-encoding: chunked\n\n"},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\nETag: \"x\"\r\n\r\n|abc", 0, 0,
     "304\ncontent-length: 3\netag: \"x\"\n\n"},
    {"HTTP/1.1 304 Not Modified\r\n\r\n|", 0, 0, "304\n\n"},
    {OK "Content-Length: 7340032\r\n\r\n|abc", 1, 0, "200\ncontent-length: 7340032\n\n"},
    {OK "Transfer-Encoding: chunked\r\n\r\n|0\r\n\r\n", 1, 0, CHUNKED_TEXT}, /* so does Ceph 16 */
    {OK "\r\n|", 1, 0, "200\n\n"},
    {"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\n|abc", 1, 0, "404\ncontent-length: 3\n\n"},
    /* H7: an error without a length keeps its status; the connection isn't kept */
    {"HTTP/1.1 503 Slow Down\r\n\r\n|no length", 0, 1, "503\n\n"},
    {"HTTP/1.1 300 Choices\r\n\r\n|", 0, 1, "300\n\n"},
    {"HTTP/1.1 301 Moved\r\nLocation: http://evil/\r\n\r\n|", 0, 1,
     "301\nlocation: http://evil/\n\n"},
    /* interim answers; what they say of framing doesn't count */
    {"HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 1\r\n\r\nx|", 0, 0,
     "200\ncontent-length: 1\n\nx"},
    {"HTTP/1.1 100\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
     "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" OK "Content-Length: 1\r\n\r\nx|y",
     0, 0, "200\ncontent-length: 1\n\nx"},
    /* chunks */
    {CHUNKED "0\r\n\r\n|", 0, 0, CHUNKED_TEXT},
    {CHUNKED "5\r\nhello\r\n0\r\n\r\n|HTTP", 0, 0, CHUNKED_TEXT "hello"},
    {CHUNKED "1\r\na\r\n2\r\nbc\r\n00003\r\n\r\n\n\r\n0000\r\n\r\n|", 0, 0,
     CHUNKED_TEXT "abc\r\n\n"},
    {CHUNKED "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n|", 0, 0,
     CHUNKED_TEXT "01234567890123456789"},
    {CHUNKED "000000000000010\r\n0123456789abcdef\r\n0\r\n\r\n|", 0, 0,
     CHUNKED_TEXT "0123456789abcdef"},
    {CHUNKED "1;chunk-signature=0f;x=\"y \xff\"\r\na\r\n0;x\r\n\r\n|", 0, 0, CHUNKED_TEXT "a"},
    {CHUNKED "1 \t\r\na\r\n0 ; x\r\n\r\n|", 0, 0, CHUNKED_TEXT "a"},
    {CHUNKED "1\r\na\r\n0\r\nx-amz-checksum-crc32: AAAAAA==\r\nB:\r\n\r\n|\r\n", 0, 0,
     CHUNKED_TEXT "a"},
    {OK "TRANSFER-encoding:  Chunked \r\n\r\n1\r\na\r\n0\r\n\r\n|", 0, 0,
     "200\ntransfer-encoding: Chunked\n\na"},
    {"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n|", 0, 0,
     "500\ntransfer-encoding: chunked\n\na"}};

/* ---- Answers that are refused ---- */

#define BAD(text)                                                                                 \
    {                                                                                             \
        text, sizeof text - 1                                                                     \
    }

static const struct {
    const char *answer;
    size_t      size;
} bad[] = {
    /* H2: lengths and encodings */
    BAD(OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r|\n0\r\n\r\n"),
    BAD(OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r|\nhello"),
    BAD("HTTP/1.1 500 x\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r|\n"),
    BAD(OK "Content-Length: 5\r\nContent-Length: 6\r|\n\r\nhello"),
    BAD(OK "Content-Length: 0\r\nContent-Length: 6\r|\n\r\nhello"),
    BAD(OK "Content-Length: 5, 5\r|\n\r\nhello"), BAD(OK "Content-Length: +3\r|\n\r\nabc"),
    BAD(OK "Content-Length: -3\r|\n\r\nabc"), BAD(OK "Content-Length: 0x3\r|\n\r\nabc"),
    BAD(OK "Content-Length: 3.0\r|\n\r\nabc"), BAD(OK "Content-Length: 3 4\r|\n\r\nabc"),
    BAD(OK "Content-Length: three\r|\n\r\nabc"), BAD(OK "Content-Length:\r|\n\r\n"),
    BAD(OK "Content-Length: \"3\"\r|\n\r\nabc"), BAD(OK "Content-Length:  \t \r|\n\r\n"),
    BAD(OK "Content-Length: 9223372036854775808\r|\n\r\n"),
    BAD(OK "Content-Length: 18446744073709551615\r|\n\r\n"),
    BAD(OK "Content-Length: 18446744073709551616\r|\n\r\n"),
    BAD(OK "Content-Length: 18446744073709551619\r|\n\r\nabc"),
    BAD(OK "Content-Length: 100000000000000000000000000000000000000\r|\n\r\n"),
    BAD(OK "Transfer-Encoding: gzip\r|\n\r\n"), BAD(OK "Transfer-Encoding: identity\r|\n\r\n"),
    BAD(OK "Transfer-Encoding: gzip, chunked\r|\n\r\n"), BAD(OK "Transfer-Encoding:\r|\n\r\n"),
    BAD(OK "Transfer-Encoding: chunked, chunked\r|\n\r\n"),
    BAD(OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r|\n\r\n"),
    BAD(OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r|\n\r\n"),
    BAD(OK "Transfer-Encoding: chunked;q=1\r|\n\r\n"),
    BAD(OK "Transfer-Encoding: xchunked\r|\n\r\n"), BAD(OK "Transfer-Encoding: chunke\r|\n\r\n"),
    /* H3: chunks */
    BAD(CHUNKED "|\r\n"), BAD(CHUNKED "|\n"), BAD(CHUNKED "|;x\r\n"), BAD(CHUNKED "| 1\r\na\r\n"),
    BAD(CHUNKED "|g\r\n"), BAD(CHUNKED "|-1\r\n"), BAD(CHUNKED "|+1\r\n"), BAD(CHUNKED "0|x1\r\n"),
    BAD(CHUNKED "1|,\r\n"), BAD(CHUNKED "1|\n"), BAD(CHUNKED "1\r|\r\n"), BAD(CHUNKED "1\r|a\r\n"),
    BAD(CHUNKED "1|\0\r\n"), BAD(CHUNKED "|:\r\n"), BAD(CHUNKED "|@\r\n"), BAD(CHUNKED "|/\r\n"),
    BAD(CHUNKED "|G\r\n"), BAD(CHUNKED "|`\r\n"), BAD(CHUNKED "000000000000000|0\r\n"),
    BAD(CHUNKED "100000000000000|0\r\n"), BAD(CHUNKED "fffffffffffffff|f\r\n"),
    BAD(CHUNKED "1\r\na|b\r\n"), BAD(CHUNKED "1\r\na|\n"), BAD(CHUNKED "1\r\na\r|\r"),
    BAD(CHUNKED "1\r\na\r|0\r\n"), BAD(CHUNKED "1\r\na\r\n|\r\n"), BAD(CHUNKED "5\r\nhello|0\r\n"),
    BAD(CHUNKED "1;x|\ny\r\n"), BAD(CHUNKED "1;x|\0y\r\n"), BAD(CHUNKED "1;x\r|y"),
    BAD(CHUNKED "1;x|\x7f\r\n"), BAD(CHUNKED "0\r\n|\n"), BAD(CHUNKED "0\r\n\r|x"),
    BAD(CHUNKED "0\r\n\r|\r"), BAD(CHUNKED "0\r\n| a: b\r\n\r\n"), BAD(CHUNKED "0\r\n|: b\r\n\r\n"),
    BAD(CHUNKED "0\r\na: b|\n\r\n"), BAD(CHUNKED "0\r\na: b\r|x"), BAD(CHUNKED "0\r\na: |\0\r\n"),
    BAD(CHUNKED "0\r\na: b\r\n| c\r\n\r\n"),
    /* H4: lines */
    BAD("HTTP/1.1 200 OK|\nContent-Length: 0\n\n"), BAD(OK "Content-Length: 0|\n\n"),
    BAD(OK "|\nx"), BAD(OK "\r|x"), BAD(OK "\r|\r\n"), BAD(OK "A: b\r|C: d\r\n"),
    BAD(OK "A: b\r|\r\n\r\n"), BAD("HTTP/1.1 200 OK\r|A: b\r\n"), BAD("HTTP/1.1 200 OK\r|\r\n\r\n"),
    BAD(OK "A: |\0\r\n"), BAD(OK "A|\0: b\r\n"), BAD("HTTP/1.1 200 |\0\r\n"),
    BAD(OK "A: b|\x01\r\n"), BAD(OK "A: b|\x7f\r\n"), BAD("HTTP/1.1 200 |\x7f\r\n"),
    BAD("HTTP/1.1 200 |\t\r\n"), BAD(OK "A: b\r\n| folded\r\n"), BAD(OK "A: b\r\n|\tfolded\r\n"),
    BAD(OK "A| : b\r\n"), BAD(OK "A|\t: b\r\n"), BAD(OK "|: b\r\n"), BAD(OK "A|\r\n"),
    BAD(OK "A| b\r\n"), BAD(OK "Content-Length| : 0\r\n\r\n"), BAD(OK "|(A): b\r\n"),
    BAD(OK "A|/b: c\r\n"), BAD(OK "A|@: c\r\n"), BAD(OK "A|[: c\r\n"), BAD(OK "A|\x80: c\r\n"),
    BAD(OK "A|\": c\r\n"), BAD(OK "|\x80: c\r\n"), BAD(OK "| A: b\r\n"),
    BAD("HTTP/1.1 100 Continue\r\n| A: b\r\n"),
    /* status lines; HTTP/1.0 isn't spoken */
    BAD("|\n"), BAD("|<html>"), BAD("|http/1.1 200 OK\r\n"), BAD("H|AHA"), BAD("HTTP|1.1 200"),
    BAD("| HTTP/1.1 200 OK\r\n"), BAD("HTTP/1.0 200 OK\r|\n\r\n"), BAD("HTTP/2 200\r|\n\r\n"),
    BAD("HTTP/1.2 200 OK\r|\n\r\n"), BAD("HTTP/1.10 200 OK\r|\n\r\n"), BAD("HTTP/1.1\r|\n\r\n"),
    BAD("HTTP/1.1 \r|\n\r\n"), BAD("HTTP/1.1  200 OK\r|\n\r\n"), BAD("HTTP/1.1 20 OK\r|\n\r\n"),
    BAD("HTTP/1.1 2000 OK\r|\n\r\n"), BAD("HTTP/1.1 200OK\r|\n\r\n"),
    BAD("HTTP/1.1 2x0 OK\r|\n\r\n"), BAD("HTTP/1.1 099 OK\r|\n\r\n"),
    BAD("HTTP/1.1 600 OK\r|\n\r\n"), BAD("HTTP/1.1 000 OK\r|\n\r\n"),
    BAD("HTTP/1.1 -20 OK\r|\n\r\n"), BAD("HTTP/1.1 200-OK\r|\n\r\n"), BAD("HTTP/\r|\n\r\n"),
    BAD("HTTP/1.1 101 Switching Protocols\r\n\r|\n"), BAD("HTTP/1.1 100 Continue\r\n\r\n|x"),
    BAD("|\x7f"),
    /* H7: success without a length is never read until the end */
    BAD(OK "\r|\nbody"), BAD(OK "Connection: close\r\n\r|\nbody"),
    BAD("HTTP/1.1 206 P\r\n\r|\nbody"), BAD("HTTP/1.1 205 R\r\n\r|\n"),
    BAD("HTTP/1.1 299 x\r\n\r|\n")};

static void test_tables(void)
{
    size_t i;

    for (i = 0; i < sizeof good / sizeof *good; i++)
        check_good(good[i].answer, good[i].head_request, good[i].close, good[i].text);
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        check_bad(bad[i].answer, bad[i].size, AWS_ERR_PROTOCOL);
}

/* ---- H5 and H3: limits, each with what is just within it ---- */

static char big[1 << 18];

static size_t add(size_t at, const char *text, size_t times)
{
    size_t size = strlen(text);

    for (; times; times--, at += size)
        memcpy(big + at, text, size);
    big[at] = 0;
    return at;
}

static void check_big(size_t size, size_t room, int error)
{
    size_t step;

    for (step = 1; step < size * 2; step = step * 7 + 1) {
        run(&whole, big, size, room, 0, step, 0, 0);
        CHECK_INT(whole.error, error);
        CHECK_INT(whole.done, error == 0);
    }
}

static void test_limits(void)
{
    size_t at, n;

    for (n = 7; n <= 9; n++) { /* interim answers */
        at = add(0, "HTTP/1.1 100 Continue\r\n\r\n", n);
        at = add(at, OK "Content-Length: 0\r\n\r\n", 1);
        check_big(at, ROOM, n > AWS_I_INTERIM_LIMIT ? AWS_ERR_TOO_BIG : 0);
    }
    for (n = 99; n <= 101; n++) { /* the status line in a buffer of 100, NUL included */
        at = add(0, "HTTP/1.1 200 ", 1);
        at = add(at, "x", n - 14);
        at = add(at, "\r\nContent-Length: 0\r\n\r\n", 1);
        check_big(at, 100, n > 100 ? AWS_ERR_TOO_BIG : 0);
    }
    for (n = 98; n <= 101; n++) { /* headers: name NUL value NUL; the empty line wants a byte */
        at = add(0, OK "Content-Length: 0\r\nA: ", 1);
        at = add(at, "x", n - 17 - 3);
        at = add(at, "\r\n\r\n", 1);
        check_big(at, 100, n > 99 ? AWS_ERR_TOO_BIG : 0);
    }
    for (n = 98; n <= 101; n++) { /* a name alone; the value's NUL is one more */
        at = add(0, OK "Content-Length: 0\r\n", 1);
        at = add(at, "x", n - 17 - 2);
        at = add(at, ":\r\n\r\n", 1);
        check_big(at, 100, n > 99 ? AWS_ERR_TOO_BIG : 0);
    }
    /* white space that isn't kept counts as well: a head is at most 32 KB, interim ones included */
    for (n = 0; n < 2; n++) {
        at = add(0, OK "A:", 1);
        at = add(at, " ", AWS_I_HEAD_LIMIT - strlen(OK "A:" "\r\nContent-Length: 0\r\n\r\n") + n);
        at = add(at, "\r\nContent-Length: 0\r\n\r\n", 1);
        check_big(at, 100, n ? AWS_ERR_TOO_BIG : 0);
    }
    at = add(0, "HTTP/1.1 103 x\r\nA: b\r\n\r\n", 6); /* interim heads don't fill the buffer */
    at = add(at, OK "Content-Length: 0\r\n\r\n", 1);
    check_big(at, 20, 0);
}

static void test_chunk_limits(void)
{
    size_t at, n;

    for (n = 0; n < 2; n++) { /* the last chunk's line and the trailers */
        at = add(0, CHUNKED, 1);
        at = add(at, "0;", 1);
        at = add(at, "x", AWS_I_TRAILER_LIMIT - 6 + n);
        at = add(at, "\r\n\r\n", 1);
        check_big(at, 100, n ? AWS_ERR_TOO_BIG : 0);
        at = add(0, CHUNKED "0\r\n", 1);
        at = add(at, "a: b\r\n", (AWS_I_TRAILER_LIMIT - 6) / 6);
        at = add(at, "c", (AWS_I_TRAILER_LIMIT - 5) % 6 - 2 + n);
        at = add(at, "\r\n\r\n", 1);
        check_big(at, 100, n ? AWS_ERR_TOO_BIG : 0);
    }
    at = add(0, CHUNKED "1;", 1);
    at = add(at, "x", 5000); /* a chunk's extensions, before any data */
    check_big(at, 100, AWS_ERR_TOO_BIG);
    at = add(0, CHUNKED, 1); /* many short chunks with extensions are fine */
    at = add(at, "1;0123456789\r\nx\r\n", 9000);
    at = add(at, "0\r\n\r\n", 1);
    check_big(at, 100, 0);
}

/* Sizes are 64 bits wide on any machine. */
static void test_sizes(void)
{
    static const struct {
        const char *text;
        uint64_t    size;
    } sizes[] = {{"4294967295", 4294967295u},
                 {"4294967296", (uint64_t)1 << 32},
                 {"4294967297", ((uint64_t)1 << 32) + 1},
                 {"5368709120", (uint64_t)5 << 30},
                 {"9223372036854775799", ((uint64_t)1 << 63) - 9},
                 {"9223372036854775807", ((uint64_t)1 << 63) - 1}};
    char head[200];
    char arena[100];
    size_t i, k, data;

    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        aws_i_http http;
        int r = 0;
        aws_i_http_init(&http);
        snprintf(head, sizeof head, OK "Content-Length: %s\r\n\r\n", sizes[i].text);
        for (k = 0; head[k] && r == 0; k += data) {
            data = strlen(head + k);
            r = aws_i_http_head(&http, arena, sizeof arena, aws_i_bytes(head + k), &data);
        }
        if (!CHECK_INT(r, 1))
            fprintf(stderr, "  Content-Length: %s\n", sizes[i].text);
        CHECK_INT(aws_i_http_begin_body(&http, 0), 0);
        CHECK(http.length == sizes[i].size);
        CHECK_INT(aws_i_http_slice(&http, aws_i_bytes("abc"), 3), 3);
        aws_i_http_take(&http, 3);
        CHECK(http.length == sizes[i].size - 3);
        CHECK_INT(http.state, AWS_I_H_BODY);
    }
    {
        aws_i_http http;
        aws_i_http_init(&http);
        http.chunked = 1;
        http.status = 200;
        CHECK_INT(aws_i_http_begin_body(&http, 0), 0);
        for (k = 0; k < 17; k++)
            CHECK_INT(aws_i_http_slice(&http, aws_i_bytes("fffffffffffffff\r\nab") + k,
                                       (int)(19 - k)),
                      0);
        CHECK_INT(aws_i_http_slice(&http, aws_i_bytes("ab"), 2), 2);
        CHECK(http.length == ((uint64_t)1 << 60) - 1);
    }
}

/* Headers by index, and none past the last. */
static void test_at(void)
{
    static const char arena[] = "a\0001\0b\0\0c\0003";
    aws_pair pair;

    CHECK_INT(aws_i_http_at(arena, 0, 0, &pair), 0);
    CHECK_INT(aws_i_http_at(arena, sizeof arena, 0, &pair), 1);
    CHECK_STR(pair.name, "a");
    CHECK_STR(pair.value, "1");
    CHECK_INT(aws_i_http_at(arena, sizeof arena, 1, &pair), 1);
    CHECK_STR(pair.name, "b");
    CHECK_STR(pair.value, "");
    CHECK_INT(aws_i_http_at(arena, sizeof arena, 2, &pair), 1);
    CHECK_STR(pair.name, "c");
    CHECK_STR(pair.value, "3");
    CHECK_INT(aws_i_http_at(arena, sizeof arena, 3, &pair), 0);
    CHECK_INT(aws_i_http_at(arena, sizeof arena, 4000000000u, &pair), 0);
}

int main(void)
{
    test_tables();
    test_limits();
    test_chunk_limits();
    test_sizes();
    test_at();
    return CHECK_DONE();
}
