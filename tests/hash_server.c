/* hash_server.c - an S3 for objects larger than any memory: what is put is hashed and dropped, what
 * is got is generated. For tests/test_cuts.py; it checks no signature.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -O2 tests/hash_server.c -lcrypto -lpthread
 *     hash_server                         prints "http PORT", ends with its stdin
 *
 * Objects are bytes of pattern.h. It does CreateBucket, HeadBucket, PutObject, GetObject and
 * HeadObject (with Range and If-Match), DeleteObject, the five actions of uploads in parts and
 * ListMultipartUploads. A body's x-amz-content-sha256, a part's ETag at its completion and
 * x-amz-mp-object-size must be right. GET /bucket/key?hash gives the SHA-256 of the SHA-256s of an
 * object's parts: what arrived, in the order in which it was put together.
 */
#define _GNU_SOURCE
#include <openssl/evp.h>
#include <stdarg.h>
#include <time.h>
#include "pattern.h"
#include "peer.h"

enum { PARTS = 10000, UPLOADS = 64, OBJECTS = 64, NAME = 1200, LISTED = 1000 };

typedef struct part {
    unsigned char hash[32];
    uint64_t      size;
    int           there;
} part;

typedef struct upload {
    char  name[NAME];
    long  id; /* 0: free */
    part *parts;
} upload;

typedef struct object {
    char          name[NAME]; /* "": free */
    unsigned char hash[32];   /* of its parts' hashes */
    uint64_t      size;
    unsigned      parts; /* 0: put in one request */
} object;

typedef struct connection {
    peer peer; /* first */
    char head[16384];
    char name[NAME], query[2048]; /* "bucket/key", as they came */
} connection;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static upload uploads[UPLOADS];
static object objects[OBJECTS];
static long last_id;

/* ---- Sending and receiving ---- */

static int give(connection *c, const void *from, size_t size)
{
    return peer_give(c->peer.fd, from, size);
}

static const char *header(const connection *c, const char *name, char *value, size_t room)
{
    char line[100];
    const char *at;

    snprintf(line, sizeof line, "\r\n%s:", name);
    at = strcasestr(c->head, line);
    if (!at)
        return NULL;
    at += strlen(line);
    at += strspn(at, " ");
    snprintf(value, room, "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

/* A parameter of the query, "" if it has no value, NULL if there is none. */
static const char *parameter(const connection *c, const char *name, char *value, size_t room)
{
    size_t size = strlen(name);
    const char *at = c->query;

    for (; *at; at += strcspn(at, "&"), at += *at == '&')
        if (strncmp(at, name, size) == 0 && (!at[size] || at[size] == '=' || at[size] == '&')) {
            at += size + (at[size] == '=');
            snprintf(value, room, "%.*s", (int)strcspn(at, "&"), at);
            return value;
        }
    return NULL;
}

static int answer(connection *c, const char *status, const char *headers, const char *body)
{
    char text[1500], date[40];
    time_t now = time(NULL);
    struct tm tm;
    int n;

    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
    n = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nDate: %s\r\n%sContent-Length: %zu\r\n\r\n",
                 status, date, headers, strlen(body));
    return give(c, text, (size_t)n) && give(c, body, strlen(body));
}

static int refuse(connection *c, const char *status, const char *code)
{
    char body[300];

    snprintf(body, sizeof body, "<Error><Code>%s</Code><Message>so it is</Message></Error>", code);
    return answer(c, status, "", body);
}

/* ---- What there is: under the lock ---- */

static object *find_object(const char *name)
{
    int i;

    for (i = 0; i < OBJECTS; i++)
        if (strcmp(objects[i].name, name) == 0)
            return objects + i;
    return NULL;
}

static object *new_object(const char *name)
{
    object *o = find_object(name);

    o = o ? o : find_object("");
    if (!o)
        abort();
    snprintf(o->name, sizeof o->name, "%s", name);
    return o;
}

static upload *find_upload(const connection *c)
{
    char id[40];
    int i;

    if (!parameter(c, "uploadId", id, sizeof id))
        return NULL;
    for (i = 0; i < UPLOADS; i++)
        if (uploads[i].id && uploads[i].id == atol(id) && strcmp(uploads[i].name, c->name) == 0)
            return uploads + i;
    return NULL;
}

static void drop_upload(upload *u)
{
    u->id = 0;
    free(u->parts);
}

static void hex(const unsigned char *from, size_t size, char *to)
{
    for (; size; size--, from++, to += 2)
        sprintf(to, "%02x", *from);
}

static void etag_of(const object *o, char *to)
{
    *to = '"';
    hex(o->hash, 16, to + 1);
    sprintf(to + 33, o->parts ? "-%u\"" : "\"", o->parts);
}

/* ---- Bodies ---- */

/* Read so many bytes and hash them: 1, 0 the connection ended, -1 they aren't what the head says. */
static int take_body(connection *c, uint64_t size, unsigned char *hash)
{
    EVP_MD_CTX *sha = EVP_MD_CTX_new();
    char said[100], got[65], *at;
    size_t n;

    if (header(c, "expect", said, sizeof said) && !give(c, "HTTP/1.1 100 Continue\r\n\r\n", 25))
        size = UINT64_MAX;
    EVP_DigestInit_ex(sha, EVP_sha256(), NULL);
    for (; size && size != UINT64_MAX && (n = peer_take(&c->peer, &at, size)) != 0; size -= n)
        EVP_DigestUpdate(sha, at, n);
    EVP_DigestFinal_ex(sha, hash, NULL);
    EVP_MD_CTX_free(sha);
    if (size)
        return 0;
    hex(hash, 32, got);
    return header(c, "x-amz-content-sha256", said, sizeof said) && strlen(said) == 64 &&
                   strcmp(said, got) != 0
               ? -1
               : 1;
}

static int put(connection *c, uint64_t size)
{
    unsigned char hash[32];
    char number[20], headers[100], etag[60];
    unsigned n = 0;
    upload *u;
    object *o;
    int r = take_body(c, size, hash);

    if (r <= 0)
        return r ? refuse(c, "400 Bad Request", "XAmzContentSHA256Mismatch") : 0;
    if (parameter(c, "partNumber", number, sizeof number))
        n = (unsigned)atoi(number);
    pthread_mutex_lock(&lock);
    if (n) {
        object part_of = {"", "", size, 0};
        memcpy(part_of.hash, hash, 32);
        etag_of(&part_of, etag);
        u = n <= PARTS ? find_upload(c) : NULL;
        if (u) {
            memcpy(u->parts[n].hash, hash, 32);
            u->parts[n].size = size;
            u->parts[n].there = 1;
        }
    } else {
        u = NULL;
        o = strchr(c->name, '/') ? new_object(c->name) : NULL;
        if (o) {
            EVP_Digest(hash, 32, o->hash, NULL, EVP_sha256(), NULL);
            o->size = size;
            o->parts = 0;
            etag_of(o, etag);
        }
    }
    pthread_mutex_unlock(&lock);
    if (n && !u)
        return refuse(c, "404 Not Found", "NoSuchUpload");
    snprintf(headers, sizeof headers, "ETag: %s\r\n", etag);
    return answer(c, "200 OK", strchr(c->name, '/') ? headers : "", "");
}

static int get(connection *c, int with_body)
{
    static const char status[][40] = {"200 OK", "206 Partial Content"};
    unsigned char block[PATTERN_BLOCK];
    char text[600], value[200], etag[60], date[40];
    uint64_t from = 0, to;
    int ranged = 0, found, same;
    time_t now = time(NULL);
    object o, *there;
    struct tm tm;

    pthread_mutex_lock(&lock);
    there = find_object(c->name);
    found = there != NULL;
    if (found)
        o = *there;
    pthread_mutex_unlock(&lock);
    if (!found)
        return with_body ? refuse(c, "404 Not Found", "NoSuchKey")
                         : give(c, "HTTP/1.1 404 Not Found\r\n\r\n", 26);
    etag_of(&o, etag);
    same = !header(c, "if-match", value, sizeof value) || strcmp(value, etag) == 0;
    if (!same)
        return refuse(c, "412 Precondition Failed", "PreconditionFailed");
    if (parameter(c, "hash", value, sizeof value)) {
        hex(o.hash, 32, text);
        return answer(c, "200 OK", "", text);
    }
    to = o.size;
    if (header(c, "range", value, sizeof value) && strchr(value, '-')) {
        from = strtoull(value + 6, NULL, 10);
        to = strtoull(strchr(value, '-') + 1, NULL, 10) + 1;
        ranged = 1;
    }
    if (from > to || to > o.size)
        return refuse(c, "416 Range Not Satisfiable", "InvalidRange");
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
    snprintf(text, sizeof text,
             "HTTP/1.1 %s\r\nDate: %s\r\nLast-Modified: %s\r\nETag: %s\r\nContent-Length: %llu\r\n",
             status[ranged], date, date, etag, (unsigned long long)(to - from));
    if (ranged)
        snprintf(text + strlen(text), 100, "Content-Range: bytes %llu-%llu/%llu\r\n",
                 (unsigned long long)from, (unsigned long long)to - 1, (unsigned long long)o.size);
    strcat(text, "\r\n");
    if (!give(c, text, strlen(text)))
        return 0;
    while (with_body && from < to) {
        size_t n = to - from < sizeof block ? (size_t)(to - from) : sizeof block;
        pattern_fill(block, from, n);
        if (!give(c, block, n))
            return 0;
        from += n;
    }
    return 1;
}

/* ---- Uploads in parts ---- */

static int create(connection *c)
{
    char body[300];
    int i;

    pthread_mutex_lock(&lock);
    for (i = 0; i < UPLOADS && uploads[i].id; i++)
        ;
    if (i == UPLOADS)
        abort();
    snprintf(uploads[i].name, sizeof uploads[i].name, "%s", c->name);
    uploads[i].parts = calloc(PARTS + 1, sizeof(part));
    uploads[i].id = ++last_id;
    if (!uploads[i].parts)
        abort();
    snprintf(body, sizeof body, "<InitiateMultipartUploadResult><UploadId>%ld</UploadId>"
                                "</InitiateMultipartUploadResult>", last_id);
    pthread_mutex_unlock(&lock);
    return answer(c, "200 OK", "", body);
}

/* The parts that the document names make the object: NULL, or what is wrong. */
static const char *put_together(upload *u, const char *document, object *o, uint64_t wanted)
{
    EVP_MD_CTX *sha = EVP_MD_CTX_new();
    const char *at = document, *number, *wrong = NULL;
    char etag[60];
    object one;
    unsigned n, last = 0;

    o->size = o->parts = 0;
    EVP_DigestInit_ex(sha, EVP_sha256(), NULL);
    while (!wrong && (at = strstr(at, "<ETag>&quot;")) != NULL) {
        at += 12;
        number = strstr(at, "<PartNumber>");
        n = number ? (unsigned)atoi(number + 12) : 0;
        if (n <= last)
            wrong = "InvalidPartOrder";
        else if (n > PARTS || !u->parts[n].there)
            wrong = "InvalidPart";
        if (wrong)
            break;
        memset(&one, 0, sizeof one);
        memcpy(one.hash, u->parts[n].hash, 32);
        etag_of(&one, etag);
        if (strncmp(at, etag + 1, 32) != 0)
            wrong = "InvalidPart";
        EVP_DigestUpdate(sha, one.hash, 32);
        o->size += u->parts[n].size;
        o->parts++;
        last = n;
    }
    EVP_DigestFinal_ex(sha, o->hash, NULL);
    EVP_MD_CTX_free(sha);
    return wrong ? wrong : !last ? "MalformedXML" : o->size != wanted ? "InvalidRequest" : NULL;
}

static int complete(connection *c, uint64_t size)
{
    char *document = malloc((size_t)size + 1), value[40], *at;
    const char *wrong = "NoSuchUpload";
    uint64_t have = 0;
    object made;
    upload *u;
    size_t n;

    if (!document)
        abort();
    for (; have < size && (n = peer_take(&c->peer, &at, size - have)) != 0; have += n)
        memcpy(document + have, at, n);
    document[have] = 0;
    if (have < size) {
        free(document);
        return 0;
    }
    pthread_mutex_lock(&lock);
    u = find_upload(c);
    if (u)
        wrong = put_together(u, document, &made,
                             header(c, "x-amz-mp-object-size", value, sizeof value)
                                 ? strtoull(value, NULL, 10) : 0);
    if (!wrong) {
        snprintf(made.name, sizeof made.name, "%s", c->name);
        *new_object(c->name) = made;
        drop_upload(u);
    }
    pthread_mutex_unlock(&lock);
    free(document);
    if (wrong)
        return refuse(c, u ? "400 Bad Request" : "404 Not Found", wrong);
    return answer(c, "200 OK", "", "<CompleteMultipartUploadResult><ETag>\"x\"</ETag>"
                                   "</CompleteMultipartUploadResult>");
}

static void say(char **to, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    *to += vsprintf(*to, format, list);
    va_end(list);
}

static int list_parts(connection *c)
{
    char *body = malloc(LISTED * 250 + 500), *at = body, value[40], etag[60];
    unsigned n = 0, count = 0, most = LISTED, last = 0;
    object one;
    upload *u;
    int r;

    if (!body)
        abort();
    if (parameter(c, "part-number-marker", value, sizeof value))
        n = (unsigned)atoi(value);
    if (parameter(c, "max-parts", value, sizeof value) && atoi(value) < LISTED)
        most = (unsigned)atoi(value);
    pthread_mutex_lock(&lock);
    u = find_upload(c);
    say(&at, "<ListPartsResult>");
    for (n++; u && n <= PARTS && count < most; n++) {
        if (!u->parts[n].there)
            continue;
        memset(&one, 0, sizeof one);
        memcpy(one.hash, u->parts[n].hash, 32);
        etag_of(&one, etag);
        etag[33] = 0;
        say(&at, "<Part><PartNumber>%u</PartNumber><ETag>&quot;%s&quot;</ETag><Size>%llu</Size></Part>",
            n, etag + 1, (unsigned long long)u->parts[n].size);
        last = n;
        count++;
    }
    while (u && n <= PARTS && !u->parts[n].there)
        n++;
    say(&at, "<NextPartNumberMarker>%u</NextPartNumberMarker><IsTruncated>%s</IsTruncated>"
             "</ListPartsResult>", last, u && n <= PARTS ? "true" : "false");
    pthread_mutex_unlock(&lock);
    r = u ? answer(c, "200 OK", "", body) : refuse(c, "404 Not Found", "NoSuchUpload");
    free(body);
    return r;
}

/* All of them fit one page. */
static int list_uploads(connection *c)
{
    static char body[UPLOADS * (NAME + 100) + 200];
    char *at = body;
    size_t bucket = strlen(c->name);
    int i, r;

    pthread_mutex_lock(&lock);
    say(&at, "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>");
    for (i = 0; i < UPLOADS; i++)
        if (uploads[i].id && strncmp(uploads[i].name, c->name, bucket) == 0 &&
            uploads[i].name[bucket] == '/')
            say(&at, "<Upload><Key>%s</Key><UploadId>%ld</UploadId></Upload>",
                uploads[i].name + bucket + 1, uploads[i].id);
    say(&at, "</ListMultipartUploadsResult>");
    r = answer(c, "200 OK", "", body);
    pthread_mutex_unlock(&lock);
    return r;
}

static int drop(connection *c)
{
    char value[40];
    upload *u = NULL;
    object *o;
    int of_upload = parameter(c, "uploadId", value, sizeof value) != NULL;

    pthread_mutex_lock(&lock);
    if (of_upload && (u = find_upload(c)) != NULL)
        drop_upload(u);
    else if (!of_upload && (o = find_object(c->name)) != NULL)
        o->name[0] = 0;
    pthread_mutex_unlock(&lock);
    if (of_upload && !u)
        return refuse(c, "404 Not Found", "NoSuchUpload");
    return give(c, "HTTP/1.1 204 No Content\r\n\r\n", 27);
}

/* ---- The program ---- */

/* 0 if the connection ended. */
static int do_request(connection *c)
{
    char value[100];
    uint64_t size = header(c, "content-length", value, sizeof value) ? strtoull(value, NULL, 10) : 0;
    const char *target = strchr(c->head, ' ');
    size_t path;

    if (!target || target[1] != '/')
        return 0;
    target += 2;
    path = strcspn(target, "? ");
    snprintf(c->name, sizeof c->name, "%.*s", (int)path, target);
    target += path + (target[path] == '?');
    snprintf(c->query, sizeof c->query, "%.*s", target[-1] == '?' ? (int)strcspn(target, " ") : 0,
             target);
    if (*c->name && c->name[strlen(c->name) - 1] == '/')
        c->name[strlen(c->name) - 1] = 0;
    if (strncmp(c->head, "PUT", 3) == 0)
        return put(c, size);
    if (strncmp(c->head, "POST", 4) == 0)
        return parameter(c, "uploads", value, sizeof value) ? create(c) : complete(c, size);
    if (strncmp(c->head, "DELETE", 6) == 0)
        return drop(c);
    if (*c->head == 'G' && parameter(c, "uploads", value, sizeof value))
        return list_uploads(c);
    if (*c->head == 'G' && parameter(c, "uploadId", value, sizeof value))
        return list_parts(c);
    if (!strchr(c->name, '/'))
        return answer(c, "200 OK", "", "");
    return get(c, *c->head == 'G');
}

static void *serve(void *argument)
{
    connection *c = argument;

    while (peer_head(&c->peer, c->head, sizeof c->head) && do_request(c))
        ;
    close(c->peer.fd);
    free(c);
    return NULL;
}

int main(void)
{
    char byte;

    pattern_init();
    if (peer_listen("hash_server", serve, sizeof(connection)) < 0)
        return 1;
    while (read(0, &byte, 1) > 0)
        ;
    return 0;
}
