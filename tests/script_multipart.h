/* script_multipart.h - multipart uploads, part copies, ranges and conditions for the S3 in memory
 * of script_s3.h, and a fault at any request.
 *
 * SPDX-License-Identifier: MIT
 *
 *     mp_model m;
 *     mp_init(&m, &s);             s.serve answers from m now
 *     ... m.s3, m.uploads, m.counts[MP_PART] ...
 *     mp_free(&m);
 */
#ifndef SCRIPT_MULTIPART_INCLUDED
#define SCRIPT_MULTIPART_INCLUDED

#include "script_s3.h"

enum { MP_UPLOADS = 600, MP_PARTS = 80, MP_LIST = 3 };
enum { MP_CREATE, MP_PART, MP_LIST_PARTS, MP_COMPLETE, MP_ABORT, MP_HEAD, MP_GET, MP_PUT, MP_OTHER,
       MP_KINDS };

typedef enum {
    MP_FINE,
    MP_503,        /* not done, SlowDown */
    MP_RESET,      /* not done, the connection is reset */
    MP_LOST,       /* done, but the answer is lost */
    MP_CUT,        /* done, half of the answer comes */
    MP_200_ERROR,  /* not done, 200 with <Error> where the answer is XML */
    MP_403,        /* not done, never will be */
    MP_FAULTS
} mp_fault;

typedef struct mp_upload {
    char *name; /* "bucket/key", NULL: gone */
    char *parts[MP_PARTS + 1];
    size_t sizes[MP_PARTS + 1];
    char sums[MP_PARTS + 1][16]; /* x-amz-checksum-crc32 of each */
} mp_upload;

typedef struct mp_model {
    s3_model s3;
    script *s;
    mp_upload uploads[MP_UPLOADS]; /* upload N has the id "up+N/=" */
    unsigned upload_count;
    unsigned counts[MP_KINDS];
    size_t part_bytes; /* of all UploadPart bodies */
    unsigned requests;
    unsigned multi_count;
    struct { char name[80]; unsigned parts; } multi[MP_UPLOADS]; /* objects of many parts */
    /* how it answers */
    unsigned fault_at, fault_times; /* this request (1 the first one) and so many in all */
    mp_fault fault;
    int echo;          /* answers name the checksum of a part, and Complete has to */
    int long_etags;    /* not 32 hex digits */
    int whole_ranges;  /* ranges are ignored */
    int wrong_range;   /* another one than asked for */
    int short_range;   /* the last byte of each range is missing */
    int no_date;
    int no_etag;       /* of objects and parts */
    int no_match;      /* no copy's source ever has the ETag that is asked for: Swift */
    int later;         /* objects are a second younger */
    const char *range; /* Content-Range of each range, "" none; NULL the right one */
    const char *id;    /* of each upload that is created; NULL the right one */
    int twice;         /* each part is listed two times */
} mp_model;

static inline unsigned mp_open_uploads(const mp_model *m)
{
    unsigned i, n = 0;

    for (i = 0; i < m->upload_count; i++)
        n += m->uploads[i].name != NULL;
    return n;
}

static inline void mp_drop(mp_upload *u)
{
    unsigned i;

    for (i = 0; i <= MP_PARTS; i++) {
        free(u->parts[i]);
        u->parts[i] = NULL;
    }
    free(u->name);
    u->name = NULL;
}

static inline void mp_free(mp_model *m)
{
    while (m->upload_count)
        mp_drop(m->uploads + --m->upload_count);
    s3_free(&m->s3);
}

static inline void mp_etag(const mp_model *m, char *text, const void *data, size_t size,
                           unsigned parts)
{
    s3_object o;
    unsigned long h;

    o.body = (char *)(size_t)data;
    o.size = size;
    h = s3_hash(&o);
    sprintf(text, "\"%08lx%08lx%08lx%08lx%s", h, h ^ 0xabcdefu, h ^ 0x1234567u, ~h & 0xffffffffu,
            m->long_etags ? "-Xy&Z" : "");
    if (parts)
        sprintf(text + strlen(text), "-%u", parts);
    strcat(text, "\"");
}

static inline const char *mp_header(const script_request *q, const char *name, char *value)
{
    char line[100];
    const char *at;

    snprintf(line, sizeof line, "\r\n%s: ", name);
    at = strstr(q->head, line);
    if (!at || at > q->head + q->head_size)
        return NULL;
    at += strlen(line);
    memcpy(value, at, strcspn(at, "\r"));
    value[strcspn(at, "\r")] = 0;
    return value;
}

static inline void mp_answer(mp_model *m, const script_request *q, const char *status,
                             const char *headers)
{
    char all[600];

    snprintf(all, sizeof all, "%s%s", m->no_date ? "" : "Date: Fri, 02 Jan 2026 03:04:05 GMT\r\n",
             headers);
    s3_answer(&m->s3, q->connection, status, all, 0);
}

static inline void mp_error(mp_model *m, const script_request *q, const char *status,
                            const char *code)
{
    s3_error(&m->s3, q, status, code);
}

static inline mp_upload *mp_find(mp_model *m, const char *name, const char *id)
{
    unsigned long n = id && strncmp(id, "up+", 3) == 0 ? strtoul(id + 3, NULL, 10) : MP_UPLOADS;

    if (n >= m->upload_count || !m->uploads[n].name || strcmp(m->uploads[n].name, name) != 0)
        return NULL;
    return m->uploads + n;
}

static inline void mp_set_multi(mp_model *m, const char *name, unsigned parts)
{
    unsigned i;

    for (i = 0; i < m->multi_count && strcmp(m->multi[i].name, name) != 0; i++)
        ;
    if (i == MP_UPLOADS)
        abort();
    snprintf(m->multi[i].name, sizeof m->multi[i].name, "%s", name);
    m->multi[i].parts = parts;
    m->multi_count += i == m->multi_count;
}

static inline unsigned mp_multi(const mp_model *m, const char *name)
{
    unsigned i;

    for (i = 0; i < m->multi_count; i++)
        if (strcmp(m->multi[i].name, name) == 0)
            return m->multi[i].parts;
    return 0;
}

/* first-last of a header "bytes=first-last"; 0 if there is none. */
static inline int mp_range(const script_request *q, const char *name, size_t size, size_t *first,
                           size_t *count)
{
    char text[200];
    const char *at = mp_header(q, name, text);
    size_t last;

    *first = 0;
    *count = size;
    if (!at || strncmp(at, "bytes=", 6) != 0)
        return 0;
    *first = (size_t)strtoul(at + 6, NULL, 10);
    last = (size_t)strtoul(strchr(at, '-') + 1, NULL, 10);
    if (*first >= size)
        abort();
    *count = (last < size ? last + 1 : size) - *first;
    return 1;
}

static inline void mp_put_part(mp_model *m, const script_request *q, mp_upload *u, unsigned number)
{
    char etag[100], text[9000], header[200];
    const char *body = q->body;
    size_t size = q->body_size, first, at;

    if (mp_header(q, "x-amz-copy-source", text)) {
        char source[9000], wanted[200];
        s3_object *o;
        s3_unescape(source, text, strlen(text));
        o = s3_at(&m->s3, source, &at);
        if (!o) {
            mp_error(m, q, "404 Not Found", "NoSuchKey");
            return;
        }
        mp_etag(m, etag, o->body, o->size, mp_multi(m, source));
        if (mp_header(q, "x-amz-copy-source-if-match", wanted) &&
            (m->no_match || strcmp(wanted, etag) != 0)) {
            mp_error(m, q, "412 Precondition Failed", "PreconditionFailed");
            return;
        }
        mp_range(q, "x-amz-copy-source-range", o->size, &first, &size);
        body = o->body + first;
    }
    if (!number || number > MP_PARTS)
        abort();
    m->part_bytes += q->body_size;
    free(u->parts[number]);
    u->parts[number] = s3_copy_of(body, size);
    u->sizes[number] = size;
    mp_etag(m, etag, body, size, 0);
    m->s3.body.size = 0;
    if (body == q->body) {
        u->sums[number][0] = 0;
        if (m->echo && (!mp_header(q, "x-amz-checksum-crc32", text) || strlen(text) != 8))
            abort();
        if (m->echo)
            strcpy(u->sums[number], text);
        snprintf(header, sizeof header, "%s: %s\r\n%s%s%s", m->no_etag ? "x-no" : "ETag", etag,
                 m->echo ? "x-amz-checksum-crc32: " : "", u->sums[number], m->echo ? "\r\n" : "");
    } else {
        header[0] = 0;
        s3_text(&m->s3, "<CopyPartResult><ETag>");
        s3_key_text(&m->s3, etag, strlen(etag), 0);
        s3_text(&m->s3, "</ETag></CopyPartResult>");
    }
    mp_answer(m, q, "200 OK", header);
}

static inline void mp_list_parts(mp_model *m, const script_request *q, mp_upload *u)
{
    const char *text = s3_parameter(&m->s3, q->target, "part-number-marker");
    unsigned i = text ? (unsigned)strtoul(text, NULL, 10) : 0, n = 0, limit = MP_LIST;
    char line[300], etag[100];

    text = s3_parameter(&m->s3, q->target, "max-parts");
    if (text && strtoul(text, NULL, 10) < limit)
        limit = (unsigned)strtoul(text, NULL, 10);
    m->s3.body.size = 0;
    s3_text(&m->s3, "<ListPartsResult><Bucket>b</Bucket>");
    for (i++; i <= MP_PARTS && n < limit; i++) {
        if (!u->parts[i])
            continue;
        n++;
        mp_etag(m, etag, u->parts[i], u->sizes[i], 0);
        snprintf(line, sizeof line, "<Part><PartNumber>%u</PartNumber><LastModified>"
                                    "2026-01-02T03:04:05.000Z</LastModified><ETag>", i);
        s3_text(&m->s3, line);
        s3_key_text(&m->s3, etag, strlen(etag), 0);
        snprintf(line, sizeof line, "</ETag><Size>%lu</Size></Part>", (unsigned long)u->sizes[i]);
        s3_text(&m->s3, line);
        if (m->twice) {
            snprintf(line, sizeof line, "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag>"
                                        "<Size>%lu</Size></Part>", i, etag,
                     (unsigned long)u->sizes[i]);
            s3_text(&m->s3, line);
        }
    }
    snprintf(line, sizeof line, "<NextPartNumberMarker>%u</NextPartNumberMarker>", i - 1);
    s3_text(&m->s3, line);
    while (i <= MP_PARTS && !u->parts[i])
        i++;
    s3_text(&m->s3, i <= MP_PARTS ? "<IsTruncated>true</IsTruncated></ListPartsResult>"
                                  : "<IsTruncated>false</IsTruncated></ListPartsResult>");
    mp_answer(m, q, "200 OK", "");
}

/* The parts named, in ascending order and with the right ETags, become the object. */
static inline void mp_complete(mp_model *m, const script_request *q, mp_upload *u)
{
    script_bytes all = {NULL, 0, 0};
    const char *at = q->body;
    unsigned last = 0, number, count = 0;
    char etag[100], given[200], text[60], size[100];
    const char *number_at;

    script_add(&all, "", 0);
    while ((at = strstr(at, "<Part><ETag>")) != NULL) {
        at += 12;
        memset(given, 0, sizeof given);
        if (strcspn(at, "<") >= sizeof given)
            abort();
        memcpy(given, at, strcspn(at, "<"));
        number_at = strstr(at, "<PartNumber>");
        number = number_at ? (unsigned)strtoul(number_at + 12, NULL, 10) : 0;
        if (number <= last || number > MP_PARTS || !u->parts[number])
            break;
        mp_etag(m, etag, u->parts[number], u->sizes[number], 0);
        etag[strlen(etag) - 1] = 0;
        /* &quot;...&quot; with & as &amp; */
        if (strncmp(given, "&quot;", 6) != 0 || strncmp(given + 6, etag + 1, 32) != 0 ||
            (m->long_etags && strcmp(given + 38, "-Xy&amp;Z&quot;") != 0) ||
            (!m->long_etags && strcmp(given + 38, "&quot;") != 0))
            break;
        if (m->echo) {
            snprintf(size, sizeof size, "</ETag><ChecksumCRC32>%s</ChecksumCRC32><PartNumber>",
                     u->sums[number]);
            if (strncmp(strchr(at, '<'), size, strlen(size)) != 0)
                break;
        }
        script_add(&all, u->parts[number], u->sizes[number]);
        last = number;
        count++;
        at = number_at;
    }
    snprintf(text, sizeof text, "%lu", (unsigned long)all.size);
    if (at || !count || (mp_header(q, "x-amz-mp-object-size", size) && strcmp(size, text) != 0)) {
        free(all.data);
        mp_error(m, q, "400 Bad Request", "InvalidPart");
        return;
    }
    s3_put(&m->s3, u->name, all.data, all.size);
    mp_set_multi(m, u->name, count);
    free(all.data);
    mp_drop(u);
    m->s3.body.size = 0;
    s3_text(&m->s3, "<CompleteMultipartUploadResult><ETag>\"x\"</ETag>"
                    "</CompleteMultipartUploadResult>");
    mp_answer(m, q, "200 OK", "");
}

static inline void mp_object(mp_model *m, const script_request *q, const char *name)
{
    size_t at, first, count, chunk = m->s3.chunk;
    s3_object *o = s3_at(&m->s3, name, &at);
    char headers[400], etag[100], wanted[200];
    int ranged;

    m->counts[*q->method == 'H' ? MP_HEAD : MP_GET]++;
    m->s3.body.size = 0;
    if (!o) {
        mp_error(m, q, "404 Not Found", "NoSuchKey");
        return;
    }
    mp_etag(m, etag, o->body, o->size, mp_multi(m, name));
    if (mp_header(q, "if-match", wanted) && strcmp(wanted, etag) != 0) {
        mp_error(m, q, "412 Precondition Failed", "PreconditionFailed");
        return;
    }
    ranged = mp_range(q, "range", o->size, &first, &count) && !m->whole_ranges;
    if (!ranged) {
        first = 0;
        count = o->size;
    }
    first += ranged && m->wrong_range && first + count < o->size;
    count -= ranged && m->short_range;
    snprintf(headers, sizeof headers,
             "ETag: %s\r\nLast-Modified: Fri, 02 Jan 2026 03:04:0%d GMT\r\n", etag, 5 + m->later);
    if (m->no_etag)
        headers[0] = 0;
    if (ranged && m->range)
        snprintf(headers + strlen(headers), 100, "%s%s%s", *m->range ? "Content-Range: " : "",
                 m->range, *m->range ? "\r\n" : "");
    else if (ranged)
        snprintf(headers + strlen(headers), 100, "Content-Range: bytes %lu-%lu/%lu\r\n",
                 (unsigned long)first, (unsigned long)(first + count - 1), (unsigned long)o->size);
    if (*q->method == 'H') {
        snprintf(headers + strlen(headers), 100, "Content-Length: %lu\r\n\r\n",
                 (unsigned long)o->size);
        script_reply(m->s, q->connection, "HTTP/1.1 200 OK\r\n");
        script_reply(m->s, q->connection, headers);
        return;
    }
    script_add(&m->s3.body, o->body + first, count);
    mp_answer(m, q, ranged ? "206 Partial Content" : "200 OK", headers);
    m->s3.chunk = chunk;
}

static inline int mp_kind(mp_model *m, const script_request *q, const char *name)
{
    int id = s3_parameter(&m->s3, q->target, "uploadId") != NULL;

    if (!strchr(name, '/'))
        return MP_OTHER;
    switch (*q->method) {
    case 'H':
        return MP_HEAD;
    case 'G':
        return id ? MP_LIST_PARTS : MP_GET;
    case 'D':
        return id ? MP_ABORT : MP_OTHER;
    default:
        if (*q->method == 'P' && q->method[1] == 'U')
            return id ? MP_PART : MP_PUT;
        return id ? MP_COMPLETE : MP_CREATE;
    }
}

static inline void mp_create(mp_model *m, const script_request *q, const char *name)
{
    char text[100];

    if (m->id) {
        m->s3.body.size = 0;
        s3_text(&m->s3, "<InitiateMultipartUploadResult><UploadId>");
        s3_text(&m->s3, m->id);
        s3_text(&m->s3, "</UploadId></InitiateMultipartUploadResult>");
        mp_answer(m, q, "200 OK", "");
        return;
    }

    if (m->upload_count == MP_UPLOADS)
        abort();
    memset(m->uploads + m->upload_count, 0, sizeof *m->uploads);
    m->uploads[m->upload_count].name = s3_copy_of(name, strlen(name));
    snprintf(text, sizeof text,
             "<InitiateMultipartUploadResult><UploadId>up+%u/=</UploadId>"
             "</InitiateMultipartUploadResult>",
             m->upload_count++);
    m->s3.body.size = 0;
    s3_text(&m->s3, text);
    mp_answer(m, q, "200 OK", "");
}

static inline void mp_list_uploads(mp_model *m, const script_request *q)
{
    const char *text = s3_parameter(&m->s3, q->target, "upload-id-marker");
    unsigned i = text ? (unsigned)strtoul(text + 3, NULL, 10) + 1 : 0, n;
    char line[300];

    m->s3.body.size = 0;
    s3_text(&m->s3, "<ListMultipartUploadsResult>");
    for (n = 0; i < m->upload_count && n < MP_LIST; i++) {
        if (!m->uploads[i].name)
            continue;
        n++;
        snprintf(line, sizeof line, "<Upload><Key>%s</Key><UploadId>up+%u/=</UploadId></Upload>",
                 strchr(m->uploads[i].name, '/') + 1, i);
        s3_text(&m->s3, line);
    }
    while (i < m->upload_count && !m->uploads[i].name)
        i++;
    s3_text(&m->s3, i < m->upload_count ? "<IsTruncated>true</IsTruncated>" : "");
    s3_text(&m->s3, "</ListMultipartUploadsResult>");
    mp_answer(m, q, "200 OK", "");
}

/* What isn't injected. */
static inline void mp_do(mp_model *m, const script_request *q, const char *name, int kind)
{
    char number[200] = "";
    const char *text = s3_parameter(&m->s3, q->target, "partNumber");
    mp_upload *u = NULL;

    if (text)
        snprintf(number, sizeof number, "%s", text);
    if (kind == MP_PART || kind == MP_LIST_PARTS || kind == MP_COMPLETE || kind == MP_ABORT) {
        u = mp_find(m, name, s3_parameter(&m->s3, q->target, "uploadId"));
        if (!u) {
            mp_error(m, q, "404 Not Found", "NoSuchUpload");
            return;
        }
    }
    m->counts[kind] += kind != MP_HEAD && kind != MP_GET;
    if (kind == MP_CREATE) {
        mp_create(m, q, name);
    } else if (kind == MP_PART) {
        mp_put_part(m, q, u, (unsigned)strtoul(number, NULL, 10));
    } else if (kind == MP_LIST_PARTS) {
        mp_list_parts(m, q, u);
    } else if (kind == MP_COMPLETE) {
        mp_complete(m, q, u);
    } else if (kind == MP_ABORT) {
        mp_drop(u);
        script_reply(m->s, q->connection, "HTTP/1.1 204 No Content\r\n\r\n");
    } else if (kind == MP_HEAD || kind == MP_GET) {
        mp_object(m, q, name);
    } else if (kind == MP_OTHER && *q->method == 'G' && strstr(q->target, "uploads=")) {
        mp_list_uploads(m, q);
    } else {
        mp_set_multi(m, name, 0);
        s3_serve(m->s, q);
    }
}

static inline void mp_serve(script *s, const script_request *q)
{
    mp_model *m = (mp_model *)s->context;
    static char name[9000];
    mp_fault fault = MP_FINE;
    int kind;
    size_t before;

    s3_unescape(name, q->target + 1, strcspn(q->target + 1, "?"));
    kind = mp_kind(m, q, name);
    m->requests++;
    if (m->fault_at && m->requests >= m->fault_at && m->requests < m->fault_at + m->fault_times)
        fault = m->fault;
    if (fault == MP_200_ERROR && kind != MP_CREATE && kind != MP_COMPLETE)
        fault = MP_503;
    if (fault == MP_503 || fault == MP_403 || fault == MP_200_ERROR) {
        mp_error(m, q, fault == MP_503   ? "503 Slow Down"
                       : fault == MP_403 ? "403 Forbidden"
                                         : "200 OK",
                 fault == MP_403 ? "AccessDenied" : "SlowDown");
        return;
    }
    if (fault == MP_RESET) {
        script_then(s, q->connection, SCRIPT_RESET);
        return;
    }
    before = s->connections[q->connection].out.size;
    mp_do(m, q, name, kind);
    if (fault == MP_LOST)
        s->connections[q->connection].out.size = before;
    if (fault == MP_CUT)
        s->connections[q->connection].out.size -=
            (s->connections[q->connection].out.size - before) / 2;
    if (fault != MP_FINE)
        script_then(s, q->connection, SCRIPT_RESET);
}

static inline void mp_init(mp_model *m, script *s)
{
    memset(m, 0, sizeof *m);
    s3_init(&m->s3, s);
    m->s = s;
    s->serve = mp_serve;
    s->context = m; /* whose first member is the s3_model */
}

#endif /* SCRIPT_MULTIPART_INCLUDED */
