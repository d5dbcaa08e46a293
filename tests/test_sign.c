/* test_sign.c - Signature Version 4: canonical request, string to sign, signature.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/test_sign.c -lbearssl && ./a.out
 *
 * Own vectors (tests/vectors/sign.tsv, made by botocore), then the peers' two suites if they are
 * there (jsonl.h). The texts that are hashed are seen through the seam for another SHA-256.
 */
#define AWS_IMPLEMENTATION
#define AWS_SHA256_HEADER "tests/sha256_record.h"
#include "../aws_s3.h"
#include "jsonl.h"
#include "check.h"
#include "dirty.h"

enum { PAIRS = 33, TEXT = 1 << 16 };

/* What is signed, and what should come out. */
typedef struct vector {
    const char *name, *canonical, *string_to_sign, *authorization;
    aws_signing signing;
    aws_pair    query[PAIRS], headers[PAIRS];
} vector;

/* ---- What was hashed ---- */

/* The canonical request: hashed without a key, and the last of that kind. */
static const char *hashed_request(const char *method)
{
    unsigned i;

    for (i = record_count; i-- > 0 && record_count - i <= RECORDS;) {
        const char *data = records[i % RECORDS].data;
        if (strncmp(data, method, strlen(method)) == 0 && data[strlen(method)] == '\n')
            return data;
    }
    return "(no canonical request)";
}

/* The string to sign stands behind the 64 bytes of HMAC's inner pad. */
static const char *hashed_string(void)
{
    unsigned i;

    for (i = record_count; i-- > 0 && record_count - i <= RECORDS;) {
        const char *data = records[i % RECORDS].data;
        if (records[i % RECORDS].size > 80 && strncmp(data + 64, "AWS4-HMAC-SHA256\n", 17) == 0)
            return data + 64;
    }
    return "(no string to sign)";
}

static int check_vector(const vector *v)
{
    static char text[TEXT];
    int length;

    record_count = 0;
    memset(records, 0, sizeof records);
    length = aws_sign(&v->signing, text, sizeof text);
    if (!CHECK(length > 0) || !CHECK_STR(hashed_request(v->signing.method), v->canonical) ||
        !CHECK_STR(hashed_string(), v->string_to_sign) || !CHECK_STR(text, v->authorization) ||
        !CHECK_INT(length, strlen(v->authorization))) {
        fprintf(stderr, "  in row \"%s\"\n", v->name);
        return 0;
    }
    return 1;
}

/* ---- Own vectors ---- */

/* Decode %XX in place. */
static char *decode(char *text)
{
    char *to = text, *from = text;

    while (*from) {
        if (*from == '%') {
            char hex[3];
            memcpy(hex, from + 1, 2);
            hex[2] = 0;
            *to++ = (char)strtol(hex, NULL, 16);
            from += 3;
        } else {
            *to++ = *from++;
        }
    }
    *to = 0;
    return text;
}

/* Split at a character; *rest is what follows. */
static char *part(char **rest, char at)
{
    char *begin = *rest, *end = strchr(begin, at);

    *rest = end ? end + 1 : begin + strlen(begin);
    if (end)
        *end = 0;
    return begin;
}

static size_t pairs_of(aws_pair *pairs, char *text)
{
    size_t n = 0;

    while (*text && n < PAIRS) {
        char *pair = part(&text, '&');
        pairs[n].name = decode(part(&pair, '='));
        pairs[n++].value = decode(pair);
    }
    return n;
}

static void read_row(vector *v, char *line)
{
    aws_signing *s = &v->signing;

    memset(v, 0, sizeof *v);
    v->name = part(&line, '\t');
    s->service = part(&line, '\t');
    s->region = part(&line, '\t');
    s->time = strtoll(part(&line, '\t'), NULL, 10);
    s->access_key_id = decode(part(&line, '\t'));
    s->secret_access_key = decode(part(&line, '\t'));
    s->session_token = decode(part(&line, '\t'));
    s->encode_once = strcmp(part(&line, '\t'), "s3") == 0;
    s->method = part(&line, '\t');
    s->path = decode(part(&line, '\t'));
    s->query_count = pairs_of(v->query, part(&line, '\t'));
    s->header_count = pairs_of(v->headers, part(&line, '\t'));
    s->payload_sha256 = part(&line, '\t');
    v->canonical = decode(part(&line, '\t'));
    v->string_to_sign = decode(part(&line, '\t'));
    v->authorization = decode(part(&line, '\n'));
    s->query = v->query;
    s->headers = v->headers;
}

/* The same pairs in another order give the same signature, but for headers of one name. */
static void check_shuffled(vector *v)
{
    size_t i, k;

    for (i = 0; i + 1 < v->signing.query_count; i++) {
        aws_pair pair = v->query[i];
        v->query[i] = v->query[i + 1];
        v->query[i + 1] = pair;
    }
    for (i = 0; i + 1 < v->signing.header_count; i++) {
        aws_pair pair = v->headers[i];
        for (k = i + 1; k < v->signing.header_count; k++)
            if (aws_i_equal_nocase(pair.name, v->headers[k].name))
                return;
        v->headers[i] = v->headers[i + 1];
        v->headers[i + 1] = pair;
    }
    check_vector(v);
}

static void test_own(void)
{
    static char line[TEXT];
    static vector v;
    char path[512];
    const char *slash = strrchr(__FILE__, '/');
    unsigned rows = 0;
    FILE *file;

    snprintf(path, sizeof path, "%.*s/vectors/sign.tsv", slash ? (int)(slash - __FILE__) : 1,
             slash ? __FILE__ : ".");
    file = fopen(path, "r");
    if (!CHECK(file != NULL))
        return;
    while (fgets(line, sizeof line, file)) {
        if (*line == '#')
            continue;
        read_row(&v, line);
        if (check_vector(&v))
            check_shuffled(&v);
        rows++;
    }
    fclose(file);
    CHECK(rows > 150);
    printf("test_sign: %u rows of botocore\n", rows);
}

/* ---- The peers' suites ---- */

static char request_text[TEXT], path_text[TEXT], header_text[TEXT];

static char *line_of(char **rest)
{
    return part(rest, '\n');
}

/* Header lines "Name:value"; a line that begins with white space goes on with the one before. */
static char *read_headers(vector *v, char *rest)
{
    aws_signing *s = &v->signing;
    char *line;

    while (*rest && *rest != '\n') {
        char *more;
        line = rest;
        more = strchr(line, '\n');
        while (more && (more[1] == ' ' || more[1] == '\t')) {
            *more = ' ';
            more = strchr(more, '\n');
        }
        line = line_of(&rest);
        v->headers[s->header_count].name = part(&line, ':');
        v->headers[s->header_count++].value = line;
    }
    return *rest ? rest + 1 : rest;
}

/* Fill in from a request's text; returns its body. */
static const char *read_request(vector *v, const char *request)
{
    aws_signing *s = &v->signing;
    char *rest = request_text, *line, *target, *version;

    snprintf(request_text, sizeof request_text, "%s", request);
    line = line_of(&rest);
    s->method = part(&line, ' ');
    version = strstr(line, " HTTP/1.1"); /* the path may hold spaces */
    if (version)
        *version = 0;
    target = line;
    s->path = part(&target, '?');
    s->query_count = pairs_of(v->query, target);
    s->query = v->query;
    s->headers = v->headers;
    return read_headers(v, rest);
}

/* The suites' paths are the wire's, so they are encoded once; ours is not yet encoded, and other
 * services than S3 encode twice. It makes a difference where there is something to encode; none
 * of those rows has anything to normalise. */
static int needs_encoding(const char *path)
{
    for (; *path; path++)
        if (!aws_i_alnum((unsigned char)*path) && !strchr("/-_.~", *path))
            return 1;
    return 0;
}

static void add_header(vector *v, const char *name, const char *value)
{
    v->headers[v->signing.header_count].name = name;
    v->headers[v->signing.header_count++].value = value;
}

static const char *sha256_hex(const char *data)
{
    static char text[65];
    br_sha256_context sha;
    unsigned char digest[32];
    size_t i;

    br_sha256_init(&sha);
    br_sha256_update(&sha, data, strlen(data));
    br_sha256_out(&sha, digest);
    for (i = 0; i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return text;
}

/* The value after a mark in text, up to the end of its line. */
static const char *after(char *to, const char *text, const char *mark)
{
    const char *at = strstr(text, mark);

    to[0] = 0;
    if (at)
        snprintf(to, TEXT, "%.*s", (int)strcspn(at + strlen(mark), "\n"), at + strlen(mark));
    return to;
}

static void check_peer(vector *v, const char *body)
{
    aws_signing *s = &v->signing;
    char date[17];

    s->access_key_id = "AKIDEXAMPLE";
    s->secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    s->region = "us-east-1";
    s->service = "service";
    s->time = 1440938160;
    s->payload_sha256 = *body ? sha256_hex(body) : NULL;
    s->encode_once = needs_encoding(s->path);
    aws_date_text(s->time, date);
    CHECK(strstr(v->string_to_sign, date) != NULL);
    check_vector(v);
}

/* AWS's suite (aws-c-auth): a context beside the request. */
static void test_awscauth(void)
{
    static jsonl_file file;
    static vector v;
    static char values[6][TEXT];
    unsigned rows = 0;

    if (!jsonl_open(&file, "sigv4_awscauth.jsonl"))
        return;
    while (jsonl_next(&file)) {
        const char *body, *token;
        memset(&v, 0, sizeof v);
        strcpy(values[0], jsonl_get(&file, "name"));
        strcpy(values[1], jsonl_get(&file, "header-canonical-request"));
        strcpy(values[2], jsonl_get(&file, "header-string-to-sign"));
        strcpy(values[3], jsonl_get(&file, "header-signed-request"));
        v.name = values[0];
        v.canonical = values[1];
        v.string_to_sign = values[2];
        CHECK_STR(jsonl_get(&file, "context.timestamp"), "2015-08-30T12:36:00Z");
        CHECK_STR(jsonl_get(&file, "context.credentials.access_key_id"), "AKIDEXAMPLE");
        CHECK_STR(jsonl_get(&file, "context.service"), "service");
        body = read_request(&v, jsonl_get(&file, "request"));
        v.signing.keep_path = !jsonl_true(&file, "context.normalize");
        token = jsonl_get(&file, "context.credentials.token");
        if (token && !jsonl_true(&file, "context.omit_session_token")) {
            strcpy(values[4], token);
            add_header(&v, "X-Amz-Security-Token", values[4]);
        }
        if (jsonl_true(&file, "context.sign_body"))
            add_header(&v, "x-amz-content-sha256", sha256_hex(body));
        add_header(&v, "X-Amz-Date", "20150830T123600Z");
        v.authorization = after(header_text, values[3], "Authorization:");
        check_peer(&v, body);
        CHECK(strstr(v.authorization, jsonl_get(&file, "header-signature")) != NULL);
        rows++;
    }
    CHECK_INT(rows, 38);
    printf("test_sign: %u rows of aws-c-auth\n", rows);
}

/* The older suite, as botocore has it. */
static void test_aws4(void)
{
    static jsonl_file file;
    static vector v;
    static char values[4][TEXT];
    unsigned rows = 0;

    if (!jsonl_open(&file, "sigv4_botocore.jsonl"))
        return;
    while (jsonl_next(&file)) {
        const char *body;
        memset(&v, 0, sizeof v);
        strcpy(values[0], jsonl_get(&file, "name"));
        strcpy(values[1], jsonl_get(&file, "creq"));
        strcpy(values[2], jsonl_get(&file, "sts"));
        strcpy(values[3], jsonl_get(&file, "sreq"));
        v.name = values[0];
        v.canonical = values[1];
        v.string_to_sign = values[2];
        body = read_request(&v, jsonl_get(&file, "req"));
        /* the token is in the signed request only (whose signature is another one than the row's)
         */
        if (strcmp(v.name, "get-vanilla-with-session-token") == 0)
            add_header(&v, "X-Amz-Security-Token",
                       after(path_text, values[3], "X-Amz-Security-Token:"));
        v.authorization = strcpy(header_text, jsonl_get(&file, "authz"));
        check_peer(&v, body);
        rows++;
    }
    CHECK_INT(rows, 34);
    printf("test_sign: %u rows of the older suite\n", rows);
}

/* ---- Arguments ---- */

static void test_arguments(void)
{
    static aws_pair pairs[PAIRS];
    char text[512], small[512];
    aws_signing s, good;
    int length, i;

    for (i = 0; i < PAIRS; i++) {
        pairs[i].name = "x-same";
        pairs[i].value = "v";
    }
    memset(&good, 0, sizeof good);
    good.access_key_id = "AKID";
    good.secret_access_key = "secret";
    good.region = "eu-west-1";
    good.service = "s3";
    good.method = "GET";
    good.path = "/";
    good.time = 1767323045;
    good.headers = pairs;
    good.header_count = 1;
    length = aws_sign(&good, text, sizeof text);
    CHECK_INT(length, strlen(text));
    for (i = 0; i <= length; i++) { /* any size that is too small */
        memset(small, '~', sizeof small);
        CHECK_INT(aws_sign(&good, small, (size_t)i), AWS_ERR_MEMORY);
        CHECK_INT(small[i], '~');
    }
    CHECK_INT(aws_sign(&good, NULL, 0), AWS_ERR_MEMORY);
    memset(small, '~', sizeof small);
    CHECK_INT(aws_sign(&good, small, (size_t)length + 1), length);
    CHECK_STR(small, text);
    CHECK_INT(small[length + 1], '~');

#define WITHOUT(member)                                                                           \
    s = good;                                                                                     \
    s.member = NULL;                                                                              \
    CHECK_INT(aws_sign(&s, text, sizeof text), AWS_ERR_PARAM)
    WITHOUT(access_key_id);
    WITHOUT(secret_access_key);
    WITHOUT(region);
    WITHOUT(service);
    WITHOUT(method);
    WITHOUT(path);
#undef WITHOUT

    s = good; /* as many as fit, and one more */
    s.header_count = 32;
    s.query = pairs;
    s.query_count = 32;
    CHECK(aws_sign(&s, text, sizeof text) > 0);
    s.header_count = 33;
    CHECK_INT(aws_sign(&s, text, sizeof text), AWS_ERR_PARAM);
    s.header_count = 32;
    s.query_count = 33;
    CHECK_INT(aws_sign(&s, text, sizeof text), AWS_ERR_PARAM);
}

/* Dots at the end: RFC 3986 keeps the slash ("/a/b/.." is "/a/"); botocore doesn't. A path that
 * isn't normalised is encoded twice all the same. */
static void test_paths(void)
{
    static const struct {
        const char *path;
        int         keep;
        const char *want;
    } paths[] = {{"/a/b/..", 0, "GET\n/a/\n"},   {"/a/.", 0, "GET\n/a/\n"},
                 {"/..", 0, "GET\n/\n"},         {"/.", 0, "GET\n/\n"},
                 {"/a/..", 0, "GET\n/\n"},       {"/a/../..", 0, "GET\n/\n"},
                 {"/a//./b/..", 0, "GET\n/a/\n"}, {"/a//.. /b", 1, "GET\n/a//..%2520/b\n"},
                 {"/\xc3\xa9", 0, "GET\n/%25C3%25A9\n"}, {"/a b", 0, "GET\n/a%2520b\n"}};
    char text[512];
    aws_signing s;
    size_t i;

    for (i = 0; i < sizeof paths / sizeof *paths; i++) {
        memset(&s, 0, sizeof s);
        s.access_key_id = s.secret_access_key = s.region = s.service = "x";
        s.method = "GET";
        s.path = paths[i].path;
        s.keep_path = paths[i].keep;
        record_count = 0;
        memset(records, 0, sizeof records);
        CHECK(aws_sign(&s, text, sizeof text) > 0);
        snprintf(request_text, sizeof request_text, "%.*s", (int)strlen(paths[i].want),
                 hashed_request("GET"));
        CHECK_STR(request_text, paths[i].want);
    }
}

int main(void)
{
    test_own();
    test_arguments();
    test_paths();
    test_awscauth();
    test_aws4();
    return CHECK_DONE();
}
