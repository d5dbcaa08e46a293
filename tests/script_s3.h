/* script_s3.h - a small S3 in memory behind script_port.h: objects, pages of listings, deletes.
 *
 * SPDX-License-Identifier: MIT
 *
 *     s3_model m;
 *     s3_init(&m, &s);             s.serve answers from m now; requests come path style
 *     s3_put(&m, "bucket/key", "body", 4);
 *     ... m.lists, m.requests_of['P'] ...
 *     s3_free(&m);
 *
 * Listings follow AWS: keys and common prefixes count together in byte order, a page prints the
 * keys first, then the prefixes (m.interleaved: in order, as Ceph's RGW does).
 */
#ifndef SCRIPT_S3_INCLUDED
#define SCRIPT_S3_INCLUDED

#include "script_port.h"

typedef struct s3_object {
    char *name; /* "bucket/key" */
    char *body;
    size_t size;
} s3_object;

typedef struct s3_model {
    script *s;
    s3_object *objects; /* by name */
    size_t count, room;
    const char *const *buckets; /* what ListBuckets says; NULL ends */
    /* how it answers */
    size_t chunk;      /* bytes of a chunk, 0: Content-Length */
    int interleaved;   /* keys and prefixes in order */
    int every_escape;  /* each byte of a key as %XX */
    unsigned page;     /* keys a page at most, default 1,000 */
    unsigned no_token; /* from this LIST on */
    int same_token;
    unsigned empty_pages; /* truncated pages without an entry before each full one */
    unsigned cut_list;    /* this LIST (1 the first one) ... */
    size_t cut_after;     /* ... ends after so many bytes of its answer */
    int cut_always;       /* and all after it */
    int close_each;       /* Connection: close */
    unsigned fail_list;   /* this LIST says 200 with an <Error> */
    /* what it saw */
    unsigned lists, puts, gets, deletes, others;
    unsigned empties;
    script_bytes body;
    char **tokens; /* token tN stands for the N-th: 'k' or 'p' and what was printed last */
    size_t token_count;
    char parameter[8200], name[8200];
} s3_model;

static inline s3_object *s3_at(s3_model *m, const char *name, size_t *at)
{
    size_t low = 0, high = m->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(m->objects[middle].name, name);
        if (!order) {
            *at = middle;
            return m->objects + middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *at = low;
    return NULL;
}

static inline char *s3_copy_of(const void *data, size_t size)
{
    char *copy = (char *)malloc(size + 1);

    if (!copy)
        abort();
    if (size)
        memcpy(copy, data, size);
    copy[size] = 0;
    return copy;
}

static inline void s3_put(s3_model *m, const char *name, const void *body, size_t size)
{
    size_t at;
    s3_object *o = s3_at(m, name, &at);

    if (!o) {
        if (m->count == m->room) {
            m->room = m->room * 2 + 64;
            m->objects = (s3_object *)realloc(m->objects, m->room * sizeof *m->objects);
            if (!m->objects)
                abort();
        }
        o = m->objects + at;
        memmove(o + 1, o, (m->count++ - at) * sizeof *o);
        o->name = s3_copy_of(name, strlen(name));
        o->body = NULL;
    }
    free(o->body);
    o->body = s3_copy_of(body, size);
    o->size = size;
}

static inline int s3_delete(s3_model *m, const char *name)
{
    size_t at;
    s3_object *o = s3_at(m, name, &at);

    if (!o)
        return 0;
    free(o->name);
    free(o->body);
    memmove(o, o + 1, (--m->count - at) * sizeof *o);
    return 1;
}

static inline void s3_free(s3_model *m)
{
    while (m->count) {
        m->count--;
        free(m->objects[m->count].name);
        free(m->objects[m->count].body);
    }
    while (m->token_count)
        free(m->tokens[--m->token_count]);
    free(m->tokens);
    free(m->objects);
    free(m->body.data);
    memset(m, 0, sizeof *m);
}

/* ---- Texts ---- */

static inline int s3_hex(int c)
{
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
}

/* Decode %XX of from[size] into to. */
static inline void s3_unescape(char *to, const char *from, size_t size)
{
    size_t i;

    for (i = 0; i < size; i++)
        if (from[i] == '%' && i + 2 < size && s3_hex(from[i + 1]) >= 0) {
            *to++ = (char)(s3_hex(from[i + 1]) * 16 + s3_hex(from[i + 2]));
            i += 2;
        } else {
            *to++ = from[i];
        }
    *to = 0;
}

/* A query parameter, decoded: m->parameter, or NULL. */
static inline const char *s3_parameter(s3_model *m, const char *target, const char *name)
{
    const char *at = strchr(target, '?');
    size_t size = strlen(name), n;

    while (at) {
        at++;
        n = strcspn(at, "&");
        if (strncmp(at, name, size) == 0 && (at[size] == '=' || size == n)) {
            size_t skip = size + (at[size] == '=');
            s3_unescape(m->parameter, at + skip, n - skip);
            return m->parameter;
        }
        at = at[n] ? at + n : NULL;
    }
    return NULL;
}

static inline void s3_text(s3_model *m, const char *text)
{
    script_add(&m->body, text, strlen(text));
}

/* A key in a listing: percent-encoded as S3 does, or as XML. */
static inline void s3_key_text(s3_model *m, const char *key, size_t size, int encoded)
{
    char text[8];
    size_t i;

    for (i = 0; i < size; i++) {
        unsigned char c = (unsigned char)key[i];
        int plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    (c && strchr("-_.~/", c));
        if (encoded && m->every_escape)
            snprintf(text, sizeof text, "%%%02x", c);
        else if (encoded && c == ' ')
            strcpy(text, "+");
        else if (encoded && !plain)
            snprintf(text, sizeof text, "%%%02X", c);
        else if (c == '&' || c == '<' || c < 0x20)
            snprintf(text, sizeof text, "&#%u;", c);
        else
            snprintf(text, sizeof text, "%c", c);
        s3_text(m, text);
    }
}

static inline unsigned long s3_hash(const s3_object *o)
{
    unsigned long hash = 2166136261u;
    size_t i;

    for (i = 0; i < o->size; i++)
        hash = ((hash ^ (unsigned char)o->body[i]) * 16777619u) & 0xffffffffu;
    return hash;
}

/* ---- Answers ---- */

static inline void s3_answer(s3_model *m, unsigned connection, const char *status,
                             const char *headers, size_t cut)
{
    script_bytes out = {NULL, 0, 0};
    char text[400];
    size_t at, n;

    if (m->chunk)
        snprintf(text, sizeof text, "HTTP/1.1 %s\r\n%s%sTransfer-Encoding: chunked\r\n\r\n", status,
                 headers, m->close_each ? "Connection: close\r\n" : "");
    else
        snprintf(text, sizeof text, "HTTP/1.1 %s\r\n%s%sContent-Length: %lu\r\n\r\n", status,
                 headers, m->close_each ? "Connection: close\r\n" : "",
                 (unsigned long)m->body.size);
    script_add(&out, text, strlen(text));
    for (at = 0; at < m->body.size; at += n) {
        n = m->chunk && m->chunk < m->body.size - at ? m->chunk : m->body.size - at;
        snprintf(text, sizeof text, "%lx\r\n", (unsigned long)n);
        if (m->chunk)
            script_add(&out, text, strlen(text));
        script_add(&out, m->body.data + at, n);
        if (m->chunk)
            script_add(&out, "\r\n", 2);
    }
    if (m->chunk)
        script_add(&out, "0\r\n\r\n", 5);
    n = cut && cut < out.size ? cut : out.size;
    script_reply_bytes(m->s, connection, out.data, n);
    free(out.data);
    if (n < out.size || m->close_each)
        script_then(m->s, connection, SCRIPT_FIN);
}

static inline void s3_error(s3_model *m, const script_request *q, const char *status,
                            const char *code)
{
    m->body.size = 0;
    if (strcmp(q->method, "HEAD") != 0) {
        s3_text(m, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>");
        s3_text(m, code);
        s3_text(m, "</Code><Message>told by the model</Message></Error>");
    }
    s3_answer(m, q->connection, status, "", 0);
}

/* ---- Listings ---- */

typedef struct s3_page {
    const char *prefix, *delimiter;
    int encoded;
    size_t bucket; /* length of "bucket/" */
} s3_page;

/* The length of the common prefix that a key falls under, 0 none. */
static inline size_t s3_rolled(const s3_page *p, const char *key)
{
    const char *end = *p->delimiter ? strstr(key + strlen(p->prefix), p->delimiter) : NULL;

    return end ? (size_t)(end - key) + strlen(p->delimiter) : 0;
}

static inline void s3_entry(s3_model *m, const s3_page *p, const s3_object *o, size_t rolled)
{
    const char *key = o->name + p->bucket;
    char text[300];

    if (rolled) {
        s3_text(m, "<CommonPrefixes><Prefix>");
        s3_key_text(m, key, rolled, p->encoded);
        s3_text(m, "</Prefix></CommonPrefixes>");
        return;
    }
    s3_text(m, "<Contents><Key>");
    s3_key_text(m, key, strlen(key), p->encoded);
    snprintf(text, sizeof text,
             "</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;%08lx&quot;"
             "</ETag><Size>%lu</Size><StorageClass>%s</StorageClass></Contents>",
             s3_hash(o), (unsigned long)o->size, o->size % 3 ? "STANDARD" : "GLACIER");
    s3_text(m, text);
}

/* A token stands for what was printed last: a key ('k') or a prefix ('p'). Each is a new one. */
static inline void s3_token(s3_model *m, char kind, const char *text, size_t size)
{
    char *place = s3_copy_of(text, size + 1), token[40];

    memmove(place + 1, place, size);
    place[0] = kind;
    place[size + 1] = 0;
    m->tokens = (char **)realloc(m->tokens, (m->token_count + 1) * sizeof *m->tokens);
    if (!m->tokens)
        abort();
    m->tokens[m->token_count] = place;
    snprintf(token, sizeof token, "<NextContinuationToken>t%lu", (unsigned long)m->token_count++);
    s3_text(m, token);
    s3_text(m, "</NextContinuationToken>");
}

/* Entries `from` on: which fit the page? Print keys, or prefixes, or both. *last: the last one. */
static inline int s3_entries(s3_model *m, const s3_page *p, const char *bucket, const char *after,
                             int after_prefix, size_t limit, int keys, int prefixes,
                             const s3_object **last, size_t *last_rolled)
{
    size_t i, n = 0, prefix = strlen(p->prefix), rolled, seen_size = 0;
    const char *seen = NULL; /* the prefix printed last */

    *last = NULL;
    for (i = 0; i < m->count; i++) {
        const s3_object *o = m->objects + i;
        const char *key = o->name + p->bucket;
        if (strncmp(o->name, bucket, p->bucket) != 0 || strncmp(key, p->prefix, prefix) != 0)
            continue;
        if (strcmp(key, after) <= 0 || (after_prefix && strncmp(key, after, strlen(after)) == 0))
            continue;
        rolled = s3_rolled(p, key);
        if (rolled && seen && seen_size == rolled && memcmp(seen, key, rolled) == 0)
            continue;
        if (rolled && !after_prefix && strncmp(after, key, rolled) == 0 && strlen(after) >= rolled)
            continue; /* the token or start-after lies within it */
        if (n == limit)
            return 1;
        n++;
        seen = rolled ? key : seen;
        seen_size = rolled ? rolled : seen_size;
        if (rolled ? prefixes : keys)
            s3_entry(m, p, o, rolled);
        *last = o;
        *last_rolled = rolled;
    }
    return 0;
}

static inline void s3_list(s3_model *m, const script_request *q, const char *bucket)
{
    static char prefix[8200], delimiter[100], after[8200];
    s3_page p;
    const char *text;
    const s3_object *last;
    size_t limit = m->page ? m->page : 1000, rolled = 0;
    int after_prefix = 0, more, empty;

    m->lists++;
    text = s3_parameter(m, q->target, "prefix");
    strcpy(prefix, text ? text : "");
    text = s3_parameter(m, q->target, "delimiter");
    strcpy(delimiter, text ? text : "");
    text = s3_parameter(m, q->target, "start-after");
    strcpy(after, text ? text : "");
    text = s3_parameter(m, q->target, "continuation-token");
    if (text && *text == 't') {
        size_t n = (size_t)strtoul(text + 1, NULL, 10);
        const char *place = n < m->token_count ? m->tokens[n] : "k";
        after_prefix = *place == 'p';
        strcpy(after, place + 1);
    }
    text = s3_parameter(m, q->target, "max-keys");
    if (text && (size_t)strtoul(text, NULL, 10) < limit)
        limit = (size_t)strtoul(text, NULL, 10);
    text = s3_parameter(m, q->target, "encoding-type");
    p.encoded = text != NULL;
    p.prefix = prefix;
    p.delimiter = delimiter;
    p.bucket = strlen(bucket);
    empty = m->empty_pages && m->empties++ % (m->empty_pages + 1) < m->empty_pages;
    m->body.size = 0;
    if (m->fail_list == m->lists) {
        s3_error(m, q, "200 OK", "InternalError");
        return;
    }
    s3_text(m,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>");
    if (p.encoded)
        s3_text(m, "<EncodingType>url</EncodingType>");
    if (empty) { /* its token names the same place */
        s3_text(m, "<IsTruncated>true</IsTruncated>");
        s3_token(m, after_prefix ? 'p' : 'k', after, strlen(after));
        s3_text(m, "</ListBucketResult>");
        s3_answer(m, q->connection, "200 OK", "", 0);
        return;
    }
    more = s3_entries(m, &p, bucket, after, after_prefix, limit, 1, m->interleaved, &last, &rolled);
    if (!m->interleaved)
        s3_entries(m, &p, bucket, after, after_prefix, limit, 0, 1, &last, &rolled);
    s3_text(m, more ? "<IsTruncated>true</IsTruncated>" : "<IsTruncated>false</IsTruncated>");
    if (more && m->same_token)
        s3_text(m, "<NextContinuationToken>same</NextContinuationToken>");
    else if (more && !(m->no_token && m->lists >= m->no_token) && last)
        s3_token(m, rolled ? 'p' : 'k', last->name + p.bucket,
                 rolled ? rolled : strlen(last->name + p.bucket));
    s3_text(m, "</ListBucketResult>");
    s3_answer(m, q->connection, "200 OK", "",
              m->cut_list && (m->lists == m->cut_list || (m->cut_always && m->lists > m->cut_list))
                  ? m->cut_after
                  : 0);
}

static inline void s3_list_buckets(s3_model *m, const script_request *q)
{
    const char *text = s3_parameter(m, q->target, "continuation-token");
    size_t at = text ? (size_t)strtoul(text + 1, NULL, 10) : 0, limit = m->page ? m->page : 1000,
           n = 0;
    char token[100];

    m->lists++;
    text = s3_parameter(m, q->target, "max-buckets");
    if (text && (size_t)strtoul(text, NULL, 10) < limit)
        limit = (size_t)strtoul(text, NULL, 10);
    m->body.size = 0;
    s3_text(m, "<ListAllMyBucketsResult><Owner><ID>o</ID></Owner><Buckets>");
    for (; m->buckets && m->buckets[at] && n < limit; at++, n++) {
        s3_text(m, "<Bucket><CreationDate>2026-01-02T03:04:05.000Z</CreationDate><Name>");
        s3_text(m, m->buckets[at]);
        s3_text(m, "</Name></Bucket>");
    }
    s3_text(m, "</Buckets>");
    snprintf(token, sizeof token, "<ContinuationToken>n%lu</ContinuationToken>", (unsigned long)at);
    if (m->buckets && m->buckets[at])
        s3_text(m, token);
    s3_text(m, "</ListAllMyBucketsResult>");
    s3_answer(m, q->connection, "200 OK", "",
              m->cut_list && m->lists == m->cut_list ? m->cut_after : 0);
}

/* ---- Objects ---- */

static inline void s3_delete_many(s3_model *m, const script_request *q, const char *bucket)
{
    static char name[8200];
    const char *at = q->body;
    script_bytes out = {NULL, 0, 0};

    m->deletes++;
    script_add(&out, "<DeleteResult>", 14);
    while ((at = strstr(at, "<Key>")) != NULL) {
        size_t n = strcspn(at += 5, "<");
        if (strlen(bucket) + n >= sizeof name)
            abort();
        strcpy(name, bucket);
        strncat(name, at, n);
        s3_delete(m, name);
        script_add(&out, "<Deleted><Key>", 14);
        script_add(&out, at, n);
        script_add(&out, "</Key></Deleted>", 16);
    }
    script_add(&out, "</DeleteResult>", 15);
    m->body.size = 0;
    script_add(&m->body, out.data, out.size);
    free(out.data);
    s3_answer(m, q->connection, "200 OK", "", 0);
}

static inline void s3_copied(s3_model *m, const script_request *q, const char *name)
{
    static char source[8200];
    const char *from = strstr(q->head, "x-amz-copy-source: ") + 19;
    size_t at;
    s3_object *o;
    char text[200];

    s3_unescape(source, from, strcspn(from, "\r"));
    o = s3_at(m, source, &at);
    if (!o) {
        s3_error(m, q, "404 Not Found", "NoSuchKey");
        return;
    }
    {
        char *body = s3_copy_of(o->body, o->size);
        size_t size = o->size;
        s3_put(m, name, body, size);
        free(body);
    }
    o = s3_at(m, name, &at);
    m->body.size = 0;
    snprintf(text, sizeof text,
             "<CopyObjectResult><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
             "<ETag>&quot;%08lx&quot;</ETag></CopyObjectResult>",
             s3_hash(o));
    s3_text(m, text);
    s3_answer(m, q->connection, "200 OK", "", 0);
}

/* Store a body, taken out of its chunks if it came in them. */
static inline void s3_store(s3_model *m, const script_request *q, const char *name)
{
    static char whole[65536];
    const char *at = q->body, *chunked = strstr(q->head, "\r\ncontent-encoding: aws-chunked\r\n");
    size_t used = 0;

    if (!chunked || chunked > q->body) {
        s3_put(m, name, q->body, q->body_size);
        return;
    }
    for (;;) {
        size_t size = (size_t)strtoul(at, NULL, 16);
        if (!size)
            break;
        if (used + size > sizeof whole)
            abort();
        at = strchr(at, '\n') + 1;
        memcpy(whole + used, at, size);
        used += size;
        at += size + 2;
    }
    s3_put(m, name, whole, used);
}

static inline void s3_object_request(s3_model *m, const script_request *q, const char *name)
{
    size_t at, chunk = m->chunk;
    s3_object *o = s3_at(m, name, &at);
    char headers[200] = "";

    m->body.size = 0;
    if (strcmp(q->method, "PUT") == 0) {
        m->puts++;
        s3_store(m, q, name);
        o = s3_at(m, name, &at);
    } else if (strcmp(q->method, "DELETE") == 0) {
        m->deletes++;
        s3_delete(m, name);
        script_reply(m->s, q->connection, "HTTP/1.1 204 No Content\r\n\r\n");
        return;
    }
    if (!o) {
        m->others++;
        s3_error(m, q, "404 Not Found", "NoSuchKey");
        return;
    }
    m->gets += *q->method == 'G';
    snprintf(headers, sizeof headers, "ETag: \"%08lx\"\r\nx-amz-meta-size: %lu\r\n", s3_hash(o),
             (unsigned long)o->size);
    if (*q->method == 'G')
        script_add(&m->body, o->body, o->size);
    if (*q->method != 'G')
        m->chunk = 0;
    s3_answer(m, q->connection, "200 OK", headers, 0);
    m->chunk = chunk;
}

static inline void s3_serve(script *s, const script_request *q)
{
    s3_model *m = (s3_model *)s->context;
    size_t path = strcspn(q->target, "?");
    char *slash;

    s3_unescape(m->name, q->target + 1, path - 1);
    slash = strchr(m->name, '/');
    if (!*m->name) {
        s3_list_buckets(m, q);
    } else if (slash) {
        if (strstr(q->head, "\r\nx-amz-copy-source: "))
            s3_copied(m, q, m->name);
        else
            s3_object_request(m, q, m->name);
    } else {
        strcat(m->name, "/");
        m->others++;
        m->body.size = 0;
        if (strcmp(q->method, "POST") == 0)
            s3_delete_many(m, q, m->name);
        else if (strcmp(q->method, "GET") == 0 && s3_parameter(m, q->target, "list-type"))
            s3_list(m, q, m->name);
        else if (strcmp(q->method, "GET") == 0 && strstr(q->target, "?location")) {
            s3_text(m, "<LocationConstraint>eu-west-1</LocationConstraint>");
            s3_answer(m, q->connection, "200 OK", "", 0);
        } else if (strcmp(q->method, "GET") == 0)
            s3_error(m, q, "404 Not Found", "NoSuchBucket");
        else
            script_reply(s, q->connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
}

static inline void s3_init(s3_model *m, script *s)
{
    memset(m, 0, sizeof *m);
    m->s = s;
    script_add(&m->body, "", 0);
    s->serve = s3_serve;
    s->context = m;
}

#endif /* SCRIPT_S3_INCLUDED */
