/* sign_driver.c - performs the requests that tests/test_botocore.py describes on stdin.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/sign_driver.c -lbearssl && ./a.out PORT
 *
 * Each line is a word and fields; texts are hex, so they may hold anything but NUL:
 *
 *     config REGION ENDPOINT KEY SECRET TOKEN TIME ADDRESSING SIGN_PAYLOAD   a new client; a ninth
 *                                       field "lambda": for Object Lambda
 *     method M | bucket B | key K | query N V | header N V | body B          of a raw call
 *     set FIELD V | number FIELD N | meta N V | extra N V | object K V | constraint R   of S3's;
 *                                       set takes the names of aws_s3_m_..., too
 *     part NUMBER ETAG SUM ALGORITHM | tag N V | quiet
 *     open N | attribute N V | text V | close          of a body by the XML writer
 *     list                              prints the table of S3's actions, as CSV
 *     go raw | go put_object | ...      perform; prints "code text" and forgets the members
 *     presign SECONDS put_object | ...  the URL instead; "raw": aws_presign of method, key (the
 *                                       path), query and headers for the service named by bucket
 *
 *     form SECONDS MIN MAX              a POST policy of bucket, key, meta (its fields) and extra (its
 *                                       prefixes): prints "code url" and hex of names and values
 *
 * "-" is no text at all. Whatever the host, the port connects to 127.0.0.1:PORT, without TLS even
 * for https (as a port may whose sockets speak TLS), and its clock stands still.
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include <stdio.h>
#include <stdlib.h>

enum { POOL = 1 << 20, LINE = 1 << 17, MANY = 64 };

static char        pool[POOL];
static size_t      pool_used, pool_config; /* what belongs to the config stays */
static int64_t     now_is;
static unsigned    server_port;
static aws_port    port;
static aws_config  config;
static aws_session session;
static aws_client  client;
static uint64_t    memory[65536 / 8];

static int fixed_open(const aws_port *p, void *connection, const char *host, unsigned number,
                      int tls)
{
    (void)p;
    (void)host;
    (void)number;
    (void)tls;
    return aws_posix_port()->open(aws_posix_port(), connection, "127.0.0.1", server_port, 0);
}

static int64_t fixed_now(const aws_port *p)
{
    (void)p;
    return now_is;
}

/* ---- Reading a description ---- */

static char *word(char **rest)
{
    char *begin = *rest, *end = begin + strcspn(begin, " \n");

    *rest = *end ? end + 1 : end;
    *end = 0;
    return begin;
}

static size_t last_size; /* of the text last read */

/* A hex text, kept; NULL for "-". */
static const char *text(char **rest)
{
    const char *hex = word(rest);
    char *out = pool + pool_used;
    size_t i, size = strlen(hex) / 2;

    if (strcmp(hex, "-") == 0)
        return NULL;
    if (pool_used + size + 1 > POOL)
        exit(3);
    for (i = 0; i < size; i++) {
        char pair[3];
        memcpy(pair, hex + 2 * i, 2);
        pair[2] = 0;
        out[i] = (char)strtol(pair, NULL, 16);
    }
    out[size] = 0;
    pool_used += size + 1;
    last_size = size;
    return out;
}

/* ---- What is described ---- */

static struct {
    const char *method, *bucket, *key, *body;
    size_t      body_size, query_count, header_count;
    aws_pair    query[MANY], headers[MANY];
} raw;

static aws_s3_args args;
static aws_pair    meta[MANY], extra[MANY];
static aws_s3_key  objects[MANY];
static aws_s3_part parts[MANY];
static aws_pair    tags[MANY];
static aws_s3_more more[MANY];

static aws_xml_writer writer;
static char           document[LINE];

static void set_member(const char *field, const char *value, unsigned number)
{
#define SET_TEXT(name, wire)                                                                      \
    if (strcmp(#name, field) == 0)                                                                \
        args.name = value;
#define SET_NUMBER(name, wire)                                                                    \
    if (strcmp(#name, field) == 0)                                                                \
        args.name = number;
    AWS_S3_MEMBERS(SET_TEXT, SET_TEXT, SET_TEXT, SET_TEXT, SET_NUMBER, SET_NUMBER)
#undef SET_TEXT
#undef SET_NUMBER
#define SET_MORE(name, wire)                                                                      \
    if (strcmp(#name, field) == 0) {                                                              \
        more[args.more_count].member = &aws_s3_m_##name;                                          \
        more[args.more_count++].value = value;                                                    \
    }
    AWS_S3_MORE(SET_MORE, SET_MORE)
#undef SET_MORE
    args.more = more;
}

static void read_pair(aws_pair *pairs, size_t *count, char **rest)
{
    pairs[*count].name = text(rest);
    pairs[(*count)++].value = text(rest);
}

static int configure(char **rest)
{
    pool_used = 0;
    aws_client_close(&client);
    aws_session_close(&session);
    memset(&config, 0, sizeof config);
    port = *aws_posix_port();
    port.flags |= AWS_PORT_TLS;
    port.open = fixed_open;
    port.now = fixed_now;
    config.port = &port;
    config.region = text(rest);
    config.endpoint = text(rest);
    config.access_key_id = text(rest);
    config.secret_access_key = text(rest);
    config.session_token = text(rest);
    now_is = strtoll(word(rest), NULL, 10);
    config.addressing = (unsigned)strtoul(word(rest), NULL, 10);
    config.sign_payload = (int)strtol(word(rest), NULL, 10);
    config.max_attempts = 1;
    pool_config = pool_used;
    aws_session_init(&session, &config);
    return aws_client_init(&client, &session,
                           strcmp(word(rest), "lambda") == 0 ? &aws_s3_object_lambda_service
                                                             : &aws_s3_service,
                           memory, sizeof memory);
}

/* A piece of a body that the XML writer makes. */
static int read_document(const char *what, char **rest)
{
    if (!args.body) {
        aws_xml_begin(&writer, document, sizeof document);
        args.body = document;
    }
    if (strcmp(what, "open") == 0) {
        aws_xml_open(&writer, text(rest));
    } else if (strcmp(what, "attribute") == 0) {
        const char *name = text(rest);
        aws_xml_set(&writer, name, text(rest));
    } else if (strcmp(what, "text") == 0) {
        aws_xml_text(&writer, text(rest));
    } else {
        aws_xml_close(&writer);
    }
    if (!writer.depth)
        args.body_size = (uint64_t)aws_xml_end(&writer);
    return 1;
}

static void read_raw(const char *what, char **rest)
{
    if (strcmp(what, "open") == 0 || strcmp(what, "attribute") == 0 || strcmp(what, "text") == 0 ||
        strcmp(what, "close") == 0)
        read_document(what, rest);
    else if (strcmp(what, "method") == 0)
        raw.method = text(rest);
    else if (strcmp(what, "query") == 0)
        read_pair(raw.query, &raw.query_count, rest);
    else if (strcmp(what, "header") == 0)
        read_pair(raw.headers, &raw.header_count, rest);
}

static void read_member(const char *what, char **rest)
{
    if (strcmp(what, "bucket") == 0) {
        raw.bucket = args.bucket = text(rest);
    } else if (strcmp(what, "key") == 0) {
        raw.key = args.key = text(rest);
    } else if (strcmp(what, "body") == 0) {
        args.body = raw.body = text(rest);
        args.body_size = raw.body_size = last_size;
    } else if (strcmp(what, "set") == 0) {
        const char *field = word(rest);
        set_member(field, text(rest), 0);
    } else if (strcmp(what, "number") == 0) {
        const char *field = word(rest);
        set_member(field, NULL, (unsigned)strtoul(word(rest), NULL, 10));
    } else if (strcmp(what, "meta") == 0) {
        args.metadata = meta;
        read_pair(meta, &args.metadata_count, rest);
    } else if (strcmp(what, "extra") == 0) {
        args.headers = extra;
        read_pair(extra, &args.headers_count, rest);
    } else if (strcmp(what, "object") == 0) {
        args.objects = objects;
        objects[args.object_count].key = text(rest);
        objects[args.object_count++].version_id = text(rest);
    } else if (strcmp(what, "part") == 0) {
        args.parts = parts;
        parts[args.part_count].number = (unsigned)strtoul(word(rest), NULL, 10);
        parts[args.part_count].etag = text(rest);
        parts[args.part_count].checksum = text(rest);
        parts[args.part_count++].algorithm = text(rest);
    } else if (strcmp(what, "quiet\n") == 0 || strcmp(what, "quiet") == 0) {
        args.quiet = 1;
    } else if (strcmp(what, "tag") == 0) {
        args.tags = tags;
        read_pair(tags, &args.tag_count, rest);
    } else if (strcmp(what, "constraint") == 0) {
        args.location_constraint = text(rest);
    } else {
        read_raw(what, rest);
    }
}

/* ---- Performing it ---- */

static int perform_raw(void)
{
    aws_call call;
    size_t i;
    int r;

    memset(&call, 0, sizeof call);
    call.operation = "Raw";
    call.method = raw.method;
    call.bucket = raw.bucket;
    call.key = raw.key;
    call.data = raw.body;
    call.size = raw.body_size;
    if ((r = aws_call_enter(&client, &call)) <= 0)
        return r;
    for (i = 0; i < raw.query_count; i++)
        aws_call_query(&client, raw.query[i].name, raw.query[i].value);
    for (i = 0; i < raw.header_count; i++)
        aws_call_header(&client, NULL, raw.headers[i].name, raw.headers[i].value);
    return aws_call_run(&client);
}

static int perform(const char *what)
{
#define PERFORM(name, Name, ...)                                                                  \
    if (strcmp(#name, what) == 0)                                                                 \
        return aws_s3_##name(&client, &args, NULL);
    AWS_S3_OPERATIONS(PERFORM)
#undef PERFORM
    return strcmp(what, "raw") == 0 ? perform_raw() : -999;
}

static char url[1 << 16];

static int presign_raw(uint32_t seconds)
{
    aws_signing s;

    memset(&s, 0, sizeof s);
    s.access_key_id = config.access_key_id;
    s.secret_access_key = config.secret_access_key;
    s.session_token = config.session_token;
    s.region = config.region;
    s.service = raw.bucket;
    s.time = now_is;
    s.method = raw.method;
    s.path = raw.key;
    s.query = raw.query;
    s.query_count = raw.query_count;
    s.headers = raw.headers;
    s.header_count = raw.header_count;
    s.encode_once = strcmp(raw.bucket, "s3") == 0;
    s.expires = seconds;
    return aws_presign(&s, url, sizeof url);
}

static int presign(uint32_t seconds, const char *what)
{
    url[0] = 0;
#define PRESIGN(name, Name, ...)                                                                  \
    if (strcmp(#name, what) == 0)                                                                 \
        return aws_s3_presign(&client, aws_s3_##name, &args, seconds, url, sizeof url);
    AWS_S3_OPERATIONS(PRESIGN)
#undef PRESIGN
    return strcmp(what, "raw") == 0 ? presign_raw(seconds) : -999;
}

static void print_hex(const char *what)
{
    printf(" ");
    for (; *what; what++)
        printf("%02x", (unsigned char)*what);
}

static int form(char **rest)
{
    static char texts[1 << 16];
    aws_s3_post post;
    aws_s3_form made;
    size_t i;
    int r;

    memset(&post, 0, sizeof post);
    post.bucket = args.bucket;
    post.key = args.key;
    post.seconds = (uint32_t)strtoul(word(rest), NULL, 10);
    post.size_min = strtoull(word(rest), NULL, 10);
    post.size_max = strtoull(word(rest), NULL, 10);
    post.fields = args.metadata;
    post.field_count = args.metadata_count;
    post.prefixes = args.headers;
    post.prefix_count = args.headers_count;
    r = aws_s3_presign_post(&client, &post, &made, texts, sizeof texts);
    printf("%d %s", r, r < 0 ? aws_client_failure_text(&client) : made.url);
    for (i = 0; r == 0 && i < made.count; i++) {
        print_hex(made.fields[i].name);
        print_hex(made.fields[i].value);
    }
    printf("\n");
    fflush(stdout);
    return r;
}

static void forget(void)
{
    memset(&raw, 0, sizeof raw);
    memset(&args, 0, sizeof args);
    pool_used = pool_config;
}

/* ---- The table ---- */

typedef struct known {
    const char *name, *wire, *place;
} known;

static const known members[] = {{NULL, NULL, NULL},
#define HEADER(name, wire) {#name, wire, "header"},
#define AMZ(name, wire) {#name, "x-amz-" wire, "header"},
#define QUERY(name, wire) {#name, wire, "querystring"},
#define NUMBER(name, wire) {#name, wire, "number"},
                                AWS_S3_MEMBERS(HEADER, AMZ, HEADER, QUERY, NUMBER, NUMBER)
                                AWS_S3_MORE(HEADER, QUERY)
#undef HEADER
#undef AMZ
#undef QUERY
#undef NUMBER
};

/* function,Name,METHOD,query,flag+flag+...,member:wire:place:must ... */
static void list_action(const char *name, const char *aws_name, const char *method,
                        const char *query, unsigned flags, const unsigned char *at)
{
    static const struct {
        const char *name;
        unsigned    bits;
    } known_flags[] = {{"bucket", AWS_I_S3_BUCKET},
                       {"key", AWS_I_S3_OBJECT},
                       {"body", AWS_I_S3_BODY},
                       {"xml", AWS_I_S3_XML},
                       {"checksum", AWS_I_S3_CHECKSUM},
                       {"required", AWS_I_S3_CHECKSUM_REQUIRED}};
    const char *value;
    size_t i;

    printf("%s,%s,%s,", name, aws_name, method);
    for (; *query; query = value + strlen(value) + 1) {
        value = query + strlen(query) + 1;
        printf("%s=%s&", query, value);
    }
    printf(",");
    for (i = 0; i < sizeof known_flags / sizeof *known_flags; i++)
        if ((flags & known_flags[i].bits) == known_flags[i].bits)
            printf("%s+", known_flags[i].name);
    for (; *at; at++) {
        int must = *at == AWS_I_S3_MUST;
        const known *member = members + (must ? *++at : *at);
        printf(",%s:%s:%s:%d", member->name, member->wire, member->place, must);
    }
    printf("\n");
}

static void list(void)
{
#define LIST(name, Name, method, query, flags, members, body, run)                                \
    {                                                                                             \
        static const unsigned char list[] = {AWS_I_S3_LIST members 0};                            \
        list_action(#name, #Name, method, query "\0\0", flags, list);                             \
    }
    AWS_S3_OPERATIONS(LIST)
#undef LIST
    printf("\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static char line[LINE];

    server_port = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    while (fgets(line, sizeof line, stdin)) {
        char *rest = line;
        const char *what = word(&rest);
        if (strcmp(what, "list\n") == 0 || strcmp(what, "list") == 0) {
            list();
            continue;
        } else if (strcmp(what, "config") == 0) {
            printf("%d", configure(&rest));
        } else if (strcmp(what, "go") == 0) {
            printf("%d", perform(word(&rest)));
            forget();
        } else if (strcmp(what, "form") == 0) {
            form(&rest);
            forget();
            continue;
        } else if (strcmp(what, "presign") == 0) {
            uint32_t seconds = (uint32_t)strtoul(word(&rest), NULL, 10);
            int r = presign(seconds, word(&rest));
            forget();
            if (r >= 0) {
                printf("%d %s\n", r, url);
                fflush(stdout);
                continue;
            }
            printf("%d", r);
        } else {
            read_member(what, &rest);
            continue;
        }
        printf(" %s\n", aws_client_failure_text(&client));
        fflush(stdout);
    }
    aws_client_close(&client);
    aws_session_close(&session);
    return 0;
}
