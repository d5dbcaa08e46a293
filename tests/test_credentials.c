/* test_credentials.c - credential sources: what they ask, what they make of good and of hostile
 * answers, what they leave behind.
 *
 * SPDX-License-Identifier: MIT
 *
 * The servers (instance metadata, a container's agent, STS and S3) are scripted: see serve.
 */
#define AWS_IMPLEMENTATION
#define AWS_NO_DEFAULT_PORT
#include "../aws_s3.h"
#include "check.h"
#include "script_port.h"

enum { START = 1767225600 }; /* 2026-01-01T00:00:00Z */

/* What the servers answer, and what was seen. */
typedef struct world {
    script      s;
    aws_session session;
    aws_client  client;
    unsigned char memory[6400], keys[12288];
    const char *env[8];   /* name, value ... NULL */
    const char *document; /* JSON of keys, or the whole answer if it begins with HTTP */
    const char *token_answer, *role_answer;
    const char *file;
    size_t      token_size; /* of the session token in the answer */
    int         now;        /* added to the keys' hour of life */
    unsigned    asked, signed_gets, cut_at, cuts;
    unsigned    count_before; /* requests before the last S3 request */
    char        seen[16][400]; /* heads of what the credential servers got */
    char        s3_head[8000];
    char        bodies[4][7000];
    unsigned    body_count;
} world;

static world *the_world;

static const char *world_env(const aws_port *port, const char *name)
{
    size_t i;

    (void)port;
    for (i = 0; the_world->env[i]; i += 2)
        if (strcmp(the_world->env[i], name) == 0)
            return the_world->env[i + 1];
    return NULL;
}

static void reply(script *s, unsigned connection, const char *status, const char *body)
{
    char head[200];

    snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %u\r\nDate: x\r\n\r\n", status,
             (unsigned)strlen(body));
    script_reply(s, connection, head);
    script_reply(s, connection, body);
}

static void reply_or_raw(script *s, unsigned connection, const char *answer)
{
    if (strncmp(answer, "HTTP", 4) == 0) {
        script_reply(s, connection, answer);
        script_then(s, connection, SCRIPT_FIN);
    } else {
        reply(s, connection, "200 OK", answer);
    }
}

/* Keys number `asked`, good for an hour from now on. */
static const char *keys_json(world *w, const char *names)
{
    static char text[12000], token[8000];
    const char *n[4];
    int hours, i;

    for (i = 0; i < 4; i++, names += strlen(names) + 1)
        n[i] = names;
    memset(token, 'T', w->token_size);
    token[w->token_size] = 0;
    hours = (int)(w->s.elapsed / 3600000) + 1 + w->now;
    snprintf(text, sizeof text,
             "{\"Code\":\"Success\",\"%s\":\"AKID%u\",\"%s\":\"CANARY\\/%u\",\"%s\":\"tok%u%s\","
             "\"%s\":\"2026-01-%02dT%02d:00:00Z\"}",
             n[0], w->asked, n[1], w->asked, n[2], w->asked, token, n[3], 1 + hours / 24, hours % 24);
    return text;
}

static void serve_sts(world *w, const script_request *request)
{
    static char text[12000];
    const char *op = strstr(request->body, "WithWebIdentity") ? "AssumeRoleWithWebIdentity"
                                                              : "AssumeRole";

    if (w->body_count < 4)
        snprintf(w->bodies[w->body_count++], sizeof w->bodies[0], "%.*s", (int)request->body_size,
                 request->body);
    if (w->cut_at && ++w->cuts == w->cut_at) { /* an answer that is lost comes once more */
        reply_or_raw(&w->s, request->connection,
                     "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n<AssumeRoleResponse>"
                     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        return;
    }
    w->asked++;
    if (w->document) {
        reply_or_raw(&w->s, request->connection, w->document);
        return;
    }
    snprintf(text, sizeof text,
             "<?xml version=\"1.0\"?><%sResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
             "<%sResult><AssumedRoleUser><Arn>arn</Arn></AssumedRoleUser><Credentials>\n"
             "<SecretAccessKey>CANARY/%u</SecretAccessKey><AccessKeyId>AKID%u</AccessKeyId>"
             "<SessionToken>tok%u==</SessionToken><Expiration>2026-01-%02dT%02d:00:00Z</Expiration>"
             "</Credentials></%sResult></%sResponse>",
             op, op, w->asked, w->asked, w->asked, 1 + (int)(w->s.elapsed / 3600000 + 1) / 24,
             (int)(w->s.elapsed / 3600000 + 1) % 24, op, op);
    reply(&w->s, request->connection, "200 OK", text);
}

static void serve(script *s, const script_request *request)
{
    world *w = the_world;
    const char *host = w->s.connections[request->connection].host;
    unsigned c = request->connection;

    if (strcmp(host, "s3.test") == 0 || strncmp(host, "s3-", 3) == 0) {
        snprintf(w->s3_head, sizeof w->s3_head, "%.*s", (int)request->head_size, request->head);
        w->signed_gets++;
        reply(s, c, "200 OK", "");
        return;
    }
    if (request->number < 16)
        snprintf(w->seen[request->number], sizeof w->seen[0], "%s %.*s", host,
                 (int)request->head_size, request->head);
    if (strcmp(request->method, "POST") == 0) {
        serve_sts(w, request);
    } else if (strcmp(request->target, "/latest/api/token") == 0) {
        reply_or_raw(s, c, w->token_answer);
    } else if (strcmp(request->target, "/latest/meta-data/iam/security-credentials/") == 0) {
        reply_or_raw(s, c, w->role_answer);
    } else {
        w->asked++;
        reply_or_raw(s, c, w->document ? w->document
                                       : keys_json(w, "AccessKeyId\0SecretAccessKey\0Token\0Expiration"));
    }
}

static void world_init(world *w, script_mode mode)
{
    memset(w, 0, sizeof *w);
    script_init(&w->s, mode);
    w->s.unix_time = START;
    w->s.serve = serve;
    w->s.port.env = world_env;
    w->token_answer = "TOKEN==";
    w->role_answer = "my-role_1";
    w->token_size = 100;
    the_world = w;
}

/* A session with the source, and a client of a plain S3. */
static void world_start(world *w, const aws_provider *provider)
{
    aws_config config;

    memset(&config, 0, sizeof config);
    config.provider = provider;
    config.region = "eu-west-1";
    config.endpoint = "http://s3.test";
    config.port = &w->s.port;
    aws_session_init(&w->session, &config);
    CHECK_INT(aws_client_init(&w->client, &w->session, &aws_s3_service, w->memory,
                              sizeof w->memory), 0);
}

static int world_call(world *w)
{
    aws_s3_args args;
    int r;

    memset(&args, 0, sizeof args);
    args.bucket = "b";
    args.key = "k";
    w->s3_head[0] = 0;
    SCRIPT_RUN(r, &w->s, &w->client, aws_s3_head_object(&w->client, &args, NULL));
    return r;
}

/* Close everything: no secret is left, no connection open. */
static void world_end(world *w, const aws_provider *source, const void *struct_of, size_t size)
{
    while (aws_client_close(&w->client) == AWS_AGAIN)
        ;
    aws_session_close(&w->session);
    if (source)
        aws_keys_close(source);
    CHECK(!check_finds(w->memory, sizeof w->memory, "CANARY"));
    CHECK(!check_finds(&w->client, sizeof w->client, "CANARY"));
    CHECK(!check_finds(w->keys, sizeof w->keys, "CANARY"));
    CHECK(!check_finds(&w->session, sizeof w->session, "CANARY"));
    CHECK(!check_finds(struct_of, size, "CANARY"));
    CHECK_INT(script_left_open(&w->s), 0);
    CHECK_INT(w->s.breaches, 0);
    script_free(&w->s);
}

static void test_imds(script_mode mode, int again)
{
    static world w;
    aws_keys_imds imds;

    world_init(&w, mode);
    w.s.again_per_256 = again ? 120 : 0;
    w.s.split_read = again ? -1 : 0;
    world_start(&w, aws_keys_imds_init(&imds, w.keys, sizeof w.keys));
    CHECK_INT(world_call(&w), 0);
    CHECK(strstr(w.seen[0], "169.254.169.254 PUT /latest/api/token HTTP/1.1\r\n"
                            "host: 169.254.169.254\r\n") == w.seen[0]);
    CHECK(strstr(w.seen[0], "\r\nx-aws-ec2-metadata-token-ttl-seconds: 21600\r\n") != NULL);
    CHECK(strstr(w.seen[1], " GET /latest/meta-data/iam/security-credentials/ HTTP/1.1\r\n") != NULL);
    CHECK(strstr(w.seen[1], "\r\nx-aws-ec2-metadata-token: TOKEN==\r\n") != NULL);
    CHECK(strstr(w.seen[2], " GET /latest/meta-data/iam/security-credentials/my-role_1 ") != NULL);
    CHECK(strstr(w.seen[2], "authorization") == NULL && strstr(w.seen[2], "x-amz-date") == NULL);
    CHECK(strstr(w.s3_head, "Credential=AKID1/20260101/eu-west-1/s3/aws4_request") != NULL);
    CHECK(strstr(w.s3_head, "\r\nx-amz-security-token: tok1TTT") != NULL);
    CHECK(!check_finds(w.memory, sizeof w.memory, "CANARY")); /* what was lent came back wiped */
    CHECK_INT(world_call(&w), 0); /* they are kept */
    CHECK_INT(w.asked, 1);
    script_pass(&w.s, 44 * 60000u);
    CHECK_INT(world_call(&w), 0);
    CHECK_INT(w.asked, 1);
    script_pass(&w.s, 2 * 60000u); /* 14 minutes before they expire */
    CHECK_INT(world_call(&w), 0);
    CHECK_INT(w.asked, 2);
    CHECK(strstr(w.s3_head, "Credential=AKID2/") != NULL);
    world_end(&w, &imds.ask.provider, &imds, sizeof imds);
}

/* A client that never waits doesn't while it asks for keys either. */
static void test_never_waits(void)
{
    static world w;
    aws_keys_imds imds;

    world_init(&w, SCRIPT_WAITS);
    w.s.again_per_256 = 120;
    world_start(&w, aws_keys_imds_init(&imds, w.keys, sizeof w.keys));
    aws_client_no_wait(&w.client, 1);
    CHECK_INT(world_call(&w), 0);
    CHECK_INT(w.asked, 1);
    CHECK_INT(w.s.waits, 0);
    world_end(&w, &imds.ask.provider, &imds, sizeof imds);
}

/* The source's failure for an answer; the sentence has no secret in it. */
static int imds_failure(const char *token, const char *role, const char *document, int allow_v1)
{
    static world w;
    aws_keys_imds imds;
    int r;

    world_init(&w, SCRIPT_WAITS);
    w.token_answer = token ? token : w.token_answer;
    w.role_answer = role ? role : w.role_answer;
    w.document = document;
    world_start(&w, aws_keys_imds_init(&imds, w.keys, sizeof w.keys));
    imds.allow_v1 = allow_v1;
    r = world_call(&w);
    CHECK(r == 0 || w.signed_gets == 0);
    if (r < 0) {
        r = aws_client_failure(&w.client)->reason;
        CHECK_INT(aws_client_failure(&w.client)->code, -(r % 32));
        CHECK_INT(aws_client_failure(&w.client)->cause,
                  r == AWS_REASON_KEYS_UNREACHED ? AWS_ERR_TRUNCATED : 0);
        CHECK(!strstr(aws_client_failure_text(&w.client), "keys: the answer was cut short") ==
              (r != AWS_REASON_KEYS_UNREACHED));
        CHECK(strstr(aws_client_failure_text(&w.client), "CANARY") == NULL);
    }
    world_end(&w, &imds.ask.provider, &imds, sizeof imds);
    return r;
}

static void test_imds_answers(void)
{
    static const char redirect[] = "HTTP/1.1 302 Found\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n";
    static const char old[] = "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nTOKEN";
    static const char missing[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    static const char bad[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    static const char good[] = "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"CANARY\",\"Token\":\"t\"";
    char text[300];

    CHECK_INT(imds_failure(NULL, NULL, NULL, 0), 0);
    CHECK_INT(imds_failure(missing, NULL, NULL, 0), AWS_REASON_NO_KEYS);
    CHECK_INT(imds_failure(missing, NULL, NULL, 1), 0);
    CHECK_INT(imds_failure(bad, NULL, NULL, 1), AWS_REASON_NO_KEYS);
    CHECK_INT(imds_failure(redirect, NULL, NULL, 0), AWS_REASON_NO_KEYS);
    CHECK_INT(imds_failure(old, NULL, NULL, 1), AWS_REASON_NO_KEYS); /* HTTP/1.0 is refused */
    CHECK_INT(imds_failure("a\r\nb: c", NULL, NULL, 0), AWS_REASON_KEYS_ANSWER);
    CHECK_INT(imds_failure(NULL, missing, NULL, 0), AWS_REASON_NO_KEYS);
    CHECK_INT(imds_failure(NULL, redirect, NULL, 0), AWS_REASON_KEYS_REFUSED);
    CHECK_INT(imds_failure(NULL, "role\n", NULL, 0), 0);
    CHECK_INT(imds_failure(NULL, "a/../b", NULL, 0), AWS_REASON_KEYS_ANSWER);
    CHECK_INT(imds_failure(NULL, "..", NULL, 0), AWS_REASON_KEYS_ANSWER);
    CHECK_INT(imds_failure(NULL, "a b", NULL, 0), AWS_REASON_KEYS_ANSWER);
    CHECK_INT(imds_failure(NULL, "a\nb", NULL, 0), AWS_REASON_KEYS_ANSWER);
    CHECK_INT(imds_failure(NULL, "", NULL, 0), AWS_REASON_KEYS_ANSWER);
    CHECK_INT(imds_failure(NULL, NULL, redirect, 0), AWS_REASON_KEYS_REFUSED);
    CHECK_INT(imds_failure(NULL, NULL, "no json", 0), AWS_REASON_KEYS_ANSWER);
    CHECK_INT(imds_failure(NULL, NULL, "{}", 0), AWS_REASON_KEYS_ANSWER);
    CHECK_INT(imds_failure(NULL, NULL, good, 0), AWS_REASON_KEYS_ANSWER); /* cut */
    snprintf(text, sizeof text, "%s}", good);
    CHECK_INT(imds_failure(NULL, NULL, text, 0), 0);
    snprintf(text, sizeof text, "%s,\"Expiration\":\"soon\"}", good);
    CHECK_INT(imds_failure(NULL, NULL, text, 0), AWS_REASON_KEYS_ANSWER);
    CHECK_INT(imds_failure(NULL, NULL, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"CANARY\","
                                       "\"Token\":\"t\\r\\nx: y\"}", 0), AWS_REASON_KEY_TEXT);
    CHECK_INT(imds_failure(NULL, NULL, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":7}", 0),
              AWS_REASON_KEYS_ANSWER);
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n%s", good);
    CHECK_INT(imds_failure(NULL, NULL, text, 0), AWS_REASON_KEYS_UNREACHED);
}

/* A document of keys as other writers of JSON make it, and what isn't one. */
static void test_key_documents(void)
{
    static const struct {
        int reason;
        const char *text;
    } documents[] = {
        {0, " {\r\n\t\"\\u0041ccessKeyId\" : \"A\\u002F\\/\" ,\"SecretAccessKey\":\"C\\u003d\",\"Token\":null} \n"},
        {0, "{\"Code\":\"Success\",\"N\":-1.5e3,\"L\":[{\"AccessKeyId\":7},true],\"O\":{\"SecretAccessKey\":1},"
            "\"S\":\"\\\"\\\\\",\"SecretAccessKey\":\"AccessKeyId\",\"Token\":\"\",\"AccessKeyId\":\"A\"}"},
        {AWS_REASON_KEYS_ANSWER, "[\"AccessKeyId\",\"A\",\"SecretAccessKey\",\"CANARY\"]"},
        {AWS_REASON_KEYS_ANSWER, "{\"L\":{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"CANARY\"}}"},
        {AWS_REASON_KEYS_ANSWER, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":[\"CANARY\"]}"},
        {AWS_REASON_KEYS_ANSWER, "{\"AccessKeyId\":{},\"SecretAccessKey\":\"CANARY\"}"},
        {AWS_REASON_KEYS_ANSWER, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"CANARY\",\"Token\":false}"},
        {AWS_REASON_KEYS_ANSWER, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"CANARY\"}}"},
        {AWS_REASON_KEYS_ANSWER, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"CANARY\"} x"},
        {AWS_REASON_KEYS_ANSWER, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"CANARY\"}{}"},
        {AWS_REASON_KEYS_ANSWER, "{}{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"CANARY\"}"},
        {AWS_REASON_KEYS_ANSWER, "{\"AccessKeyId\":\"A\" \"SecretAccessKey\":\"CANARY\"}"},
        {AWS_REASON_KEYS_ANSWER, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"CANARY\",}"},
        {AWS_REASON_KEYS_ANSWER, "{\"N\":,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"CANARY\"}"},
        {AWS_REASON_KEYS_ANSWER, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"CANARY\\\"}"},
        {AWS_REASON_KEYS_ANSWER, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"CANARY\\"},
        {AWS_REASON_KEY_TEXT, "{\"AccessKeyId\":\"A\\u0000\",\"SecretAccessKey\":\"CANARY\"}"},
        {AWS_REASON_KEY_TEXT, "{\"AccessKeyId\":\"A\\u0141\",\"SecretAccessKey\":\"CANARY\"}"},
        {AWS_REASON_KEY_TEXT, "{\"AccessKeyId\":\"\xc3\xa4\",\"SecretAccessKey\":\"CANARY\"}"},
        {AWS_REASON_KEY_TEXT, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"CANARY\\n\"}"}};
    static const char raw[] = "{\"AccessKeyId\":\"A\0B\",\"SecretAccessKey\":\"CANARY\"}";
    static const char iot[] = "{\"other\":{\"accessKeyId\":\"B\"},\"credentials\":{\"accessKeyId\":\"A\","
                              "\"secretAccessKey\":\"S\",\"sessionToken\":\"T\\u003d\","
                              "\"expiration\":\"2026-01-18T09:18:06Z\"},\"accessKeyId\":\"C\"}";
    static const char names[] = "credentials\0accessKeyId\0secretAccessKey\0sessionToken\0expiration\0";
    char text[300];
    aws_keys keys;
    size_t i;

    for (i = 0; i < sizeof documents / sizeof *documents; i++)
        CHECK_INT(imds_failure(NULL, NULL, documents[i].text, 0), documents[i].reason);
    memcpy(text, raw, sizeof raw);
    CHECK_INT(aws_i_keys_parse(text, sizeof raw - 1, "\0AccessKeyId\0SecretAccessKey\0", &keys), 0);
    CHECK_STR(keys.access_key_id, "A\1B");
    for (i = 0; i < sizeof iot - 1; i++) { /* cut */
        memcpy(text, iot, sizeof iot);
        CHECK_INT(aws_i_keys_parse(text, i, names, &keys), AWS_REASON_KEYS_ANSWER);
    }
    memcpy(text, iot, sizeof iot);
    CHECK_INT(aws_i_keys_parse(text, sizeof iot - 1, names, &keys), 0);
    CHECK_STR(keys.access_key_id, "A");
    CHECK_STR(keys.secret_access_key, "S");
    CHECK_STR(keys.session_token, "T=");
    CHECK_INT(keys.expiration, 1768727886);
}

/* Expired keys are used on and asked for again after 17 to 25 minutes. */
static void test_imds_expired(void)
{
    static world w;
    aws_keys_imds imds;

    world_init(&w, SCRIPT_WAITS);
    w.now = -1;
    world_start(&w, aws_keys_imds_init(&imds, w.keys, sizeof w.keys));
    CHECK_INT(world_call(&w), 0);
    CHECK(strstr(w.s3_head, "Credential=AKID1/") != NULL);
    script_pass(&w.s, 16 * 60000u);
    CHECK_INT(world_call(&w), 0);
    CHECK_INT(w.asked, 1);
    script_pass(&w.s, 10 * 60000u);
    CHECK_INT(world_call(&w), 0);
    CHECK_INT(w.asked, 2);
    world_end(&w, &imds.ask.provider, &imds, sizeof imds);
}

/* A failing refresh keeps the old keys until 10 minutes before they expire; then it is an error,
 * and the next good answer ends it. */
static void test_refresh_fails(void)
{
    static world w;
    aws_keys_imds imds;
    unsigned i;

    world_init(&w, SCRIPT_WAITS);
    world_start(&w, aws_keys_imds_init(&imds, w.keys, sizeof w.keys));
    CHECK_INT(world_call(&w), 0);
    w.document = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n";
    script_pass(&w.s, 46 * 60000u);
    CHECK_INT(world_call(&w), 0);
    CHECK_INT(aws_client_failure(&w.client)->code, 0);
    CHECK(strstr(w.s3_head, "Credential=AKID1/") != NULL);
    CHECK_INT(w.asked, 2);
    /* keys that are no good don't take the place of those in use, how often they may come */
    w.document = "{\"AccessKeyId\":\"BAD\",\"SecretAccessKey\":\"BADBADBADBAD\",\"Token\":\"a b\"}";
    for (i = 0; i < 3; i++) {
        script_pass(&w.s, 61000u);
        CHECK_INT(world_call(&w), 0);
        CHECK_INT(w.asked, 3 + i);
        CHECK(strstr(w.s3_head, "Credential=AKID1/") != NULL);
        CHECK(strstr(w.s3_head, "x-amz-security-token: tok1TTT") != NULL);
    }
    w.document = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n";
    script_pass(&w.s, 5 * 60000u);
    CHECK_INT(world_call(&w), AWS_ERR_CREDENTIALS);
    CHECK_INT(aws_client_failure(&w.client)->reason, AWS_REASON_KEYS_REFUSED);
    CHECK_INT(aws_client_failure(&w.client)->http_status, 500);
    CHECK(strstr(aws_client_failure_text(&w.client),
                 "HeadObject: no usable credentials: 169.254.169.254 gave no keys: 500 (HTTP 500)") ==
          aws_client_failure_text(&w.client));
    w.document = NULL;
    CHECK_INT(world_call(&w), 0);
    CHECK(strstr(w.s3_head, "Credential=AKID7/") != NULL);
    /* the clock jumps a day ahead */
    script_pass(&w.s, 86400000u);
    CHECK_INT(world_call(&w), 0);
    CHECK(strstr(w.s3_head, "Credential=AKID8/20260102/") != NULL);
    world_end(&w, &imds.ask.provider, &imds, sizeof imds);
}

static void test_imds_silent(void)
{
    static world w;
    aws_keys_imds imds;
    uint64_t before;

    world_init(&w, SCRIPT_WAITS);
    w.s.open_pending = -1; /* nobody there */
    world_start(&w, aws_keys_imds_init(&imds, w.keys, sizeof w.keys));
    before = w.s.elapsed;
    CHECK_INT(world_call(&w), AWS_ERR_CREDENTIALS);
    CHECK_INT(aws_client_failure(&w.client)->reason, AWS_REASON_NO_KEYS);
    CHECK(w.s.elapsed - before <= 1100);
    world_end(&w, &imds.ask.provider, &imds, sizeof imds);

    world_init(&w, SCRIPT_WAITS);
    w.env[0] = "AWS_EC2_METADATA_DISABLED";
    w.env[1] = "True";
    world_start(&w, aws_keys_imds_init(&imds, w.keys, sizeof w.keys));
    CHECK_INT(world_call(&w), AWS_ERR_CREDENTIALS);
    CHECK_INT(w.s.opens, 0);
    world_end(&w, &imds.ask.provider, &imds, sizeof imds);
}

/* Cancelled anywhere while the source asks: nothing stays open, and the next call works. */
static void test_cancelled(void)
{
    static world w;
    aws_keys_imds imds;
    aws_s3_args args;
    unsigned steps, i;
    int r = AWS_AGAIN;

    for (steps = 1; r == AWS_AGAIN && steps < 200; steps++) {
        world_init(&w, SCRIPT_NEVER_WAITS);
        w.s.again_always = 1;
        world_start(&w, aws_keys_imds_init(&imds, w.keys, sizeof w.keys));
        memset(&args, 0, sizeof args);
        args.bucket = "b";
        args.key = "k";
        for (i = 0; i < steps; i++) {
            r = aws_s3_head_object(&w.client, &args, NULL);
            if (r != AWS_AGAIN)
                break;
            script_idle(&w.s, &w.client);
        }
        aws_client_cancel(&w.client);
        w.s.again_always = 0;
        if (r == AWS_AGAIN)
            CHECK_INT(world_call(&w), 0);
        world_end(&w, &imds.ask.provider, &imds, sizeof imds);
    }
    CHECK(steps > 10 && steps < 200);
    CHECK_INT(r, 0);
}

/* Tokens of any length are taken whole, or the error says how much memory they need. */
static void test_long_tokens(void)
{
    static world w;
    aws_keys_imds imds;
    size_t needed, length;

    for (length = 1; length < 6000; length += length < 3000 ? 997 : 1024) {
        world_init(&w, SCRIPT_WAITS);
        w.token_size = length;
        world_start(&w, aws_keys_imds_init(&imds, w.keys, 400));
        if (world_call(&w) == AWS_ERR_MEMORY) {
            CHECK_INT(aws_client_failure(&w.client)->reason, AWS_REASON_KEYS_MEMORY);
            needed = aws_client_failure(&w.client)->needed;
            CHECK(needed > 2 * length && needed < 2 * length + 700);
            world_end(&w, &imds.ask.provider, &imds, sizeof imds);
            world_init(&w, SCRIPT_WAITS);
            w.token_size = length;
            world_start(&w, aws_keys_imds_init(&imds, w.keys, needed));
            CHECK_INT(world_call(&w), 0);
        }
        CHECK_INT(strspn(strstr(w.s3_head, "tok1") + 4, "T"), length);
        world_end(&w, &imds.ask.provider, &imds, sizeof imds);
    }
}

static int read_file(void *context, const char *path, void *to, size_t room)
{
    (void)context;
    if (strcmp(path, "/token") != 0)
        return AWS_ERR_PARAM;
    if (strlen(the_world->file) > room)
        return AWS_ERR_MEMORY;
    memcpy(to, the_world->file, strlen(the_world->file));
    return (int)strlen(the_world->file);
}

/* The reason of the failure, 0 none, with these two variables set. */
static int container(world *w, const char *name, const char *value, const char *name2,
                     const char *value2)
{
    static aws_keys_container source;
    int r;

    world_init(w, SCRIPT_WAITS);
    w->env[0] = name;
    w->env[1] = value;
    w->env[2] = name2;
    w->env[3] = value2;
    w->file = "secret token";
    world_start(w, aws_keys_container_init(&source, w->keys, sizeof w->keys));
    source.read = read_file;
    r = world_call(w);
    r = r < 0 ? aws_client_failure(&w->client)->reason : 0;
    world_end(w, &source.ask.provider, &source, sizeof source);
    return r;
}

static void test_container(void)
{
    static const char relative[] = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    static const char full[] = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    static const char token[] = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
    static const char file[] = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    static const char *const refused[] = {
        "http://evil.com/", "http://169.254.170.3/", "http://127.0.0.1.evil.com/",
        "http://169.254.170.2@evil.com/", "ftp://localhost/", "http://localhost/a b",
        "http://localhost/\r\nx: y", "http://[fd00:ec2::24]/x", "localhost", "http://",
        "http://10.0.0.1/", "http://LOCALHOST/"};
    static world w;
    size_t i;

    CHECK_INT(container(&w, NULL, NULL, NULL, NULL), AWS_REASON_NO_KEYS);
    CHECK_INT(container(&w, relative, "/v2/credentials/uuid-1", NULL, NULL), 0);
    CHECK(strstr(w.seen[0], "169.254.170.2 GET /v2/credentials/uuid-1 HTTP/1.1\r\n") == w.seen[0]);
    CHECK(strstr(w.seen[0], "\r\naccept: application/json\r\n") != NULL);
    CHECK(strstr(w.seen[0], "authorization") == NULL);
    CHECK(strstr(w.s3_head, "Credential=AKID1/") != NULL);
    CHECK_INT(container(&w, full, "http://localhost:1338/latest?id=a%2Fb", token, "Bearer x"), 0);
    CHECK(strstr(w.seen[0], "localhost GET /latest?id=a%2Fb HTTP/1.1\r\n") == w.seen[0]);
    CHECK(strstr(w.seen[0], "\r\nhost: localhost:1338\r\n") != NULL);
    CHECK(strstr(w.seen[0], "\r\nauthorization: Bearer x\r\n") != NULL);
    CHECK_INT(container(&w, full, "http://169.254.170.23/v1/credentials", file, "/token"), 0);
    CHECK(strstr(w.seen[0], "\r\nauthorization: secret token\r\n") != NULL);
    CHECK_INT(container(&w, full, "http://127.9.0.1", NULL, NULL), 0);
    CHECK(strstr(w.seen[0], "127.9.0.1 GET / HTTP/1.1\r\n") == w.seen[0]);
    CHECK_INT(container(&w, full, "http://[fd00:ec2::23]/v1", NULL, NULL), 0);
    CHECK_INT(container(&w, full, "http://[::1]/v1", NULL, NULL), 0);
    CHECK_INT(container(&w, full, "http://localhost/", file, "/missing"), AWS_REASON_KEYS_FILE);
    CHECK_INT(container(&w, full, "http://localhost/", token, "a\r\nb: c"), AWS_REASON_KEYS_TOKEN);
    for (i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (!CHECK_INT(container(&w, full, refused[i], NULL, NULL), AWS_REASON_KEYS_ADDRESS))
            fprintf(stderr, "for %s\n", refused[i]);
        CHECK_INT(w.s.opens, 0);
    }
    CHECK_INT(container(&w, relative, "no/slash", NULL, NULL), AWS_REASON_KEYS_ADDRESS);
}

static const aws_keys base_keys = {"AKIDBASE", "CANARYBASE", NULL, 0};

static void test_roles(script_mode mode, int again)
{
    static world w;
    aws_keys_fixed base;
    aws_keys_role source;
    aws_role roles[3];

    memset(roles, 0, sizeof roles);
    roles[0].arn = "arn:aws:iam::1:role/a";
    roles[1].arn = "arn:aws:iam::1:role/b";
    roles[1].session_name = "me@x";
    roles[1].external_id = "e&d";
    roles[1].duration = "900";
    roles[2].arn = "arn:aws:iam::1:role/c";
    world_init(&w, mode);
    w.s.again_per_256 = again ? 120 : 0;
    w.s.split_read = again ? -1 : 0;
    world_start(&w, aws_keys_role_init(&source, aws_keys_fixed_init(&base, &base_keys), roles, 3,
                                       w.keys, sizeof w.keys));
    source.endpoint = "http://sts.test:81";
    CHECK_INT(world_call(&w), 0);
    CHECK_STR(w.bodies[0], "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa"
                           "&RoleSessionName=aws.h");
    CHECK_STR(w.bodies[1], "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fb"
                           "&RoleSessionName=me%40x&ExternalId=e%26d&DurationSeconds=900");
    CHECK(strstr(w.seen[0], "sts.test POST / HTTP/1.1\r\n") == w.seen[0]);
    CHECK(strstr(w.seen[0], "Credential=AKIDBASE/20260101/eu-west-1/sts/aws4_request") != NULL);
    CHECK(strstr(w.seen[1], "Credential=AKID1/") != NULL);
    CHECK(strstr(w.seen[1], "x-amz-security-token: tok1==\r\n") != NULL);
    CHECK(strstr(w.seen[2], "Credential=AKID2/") != NULL);
    CHECK(strstr(w.s3_head, "Credential=AKID3/") != NULL);
    CHECK(strstr(w.s3_head, "x-amz-security-token: tok3==\r\n") != NULL);
    script_pass(&w.s, 50 * 60000u);
    CHECK_INT(world_call(&w), 0);
    CHECK(strstr(w.s3_head, "Credential=AKID6/") != NULL);
    world_end(&w, &source.ask.provider, &source, sizeof source);
}

/* An answer that is cut has spoilt none of the keys that the next attempt is signed with. */
static void test_roles_cut(void)
{
    static world w;
    aws_keys_fixed base;
    aws_keys_role source;
    aws_role roles[3];

    memset(roles, 0, sizeof roles);
    roles[0].arn = roles[1].arn = roles[2].arn = "arn:x";
    world_init(&w, SCRIPT_WAITS);
    w.cut_at = 2;
    world_start(&w, aws_keys_role_init(&source, aws_keys_fixed_init(&base, &base_keys), roles, 3,
                                       w.keys, sizeof w.keys));
    source.endpoint = "http://sts.test";
    CHECK_INT(world_call(&w), 0);
    CHECK(strstr(w.seen[1], "Credential=AKID1/") != NULL);
    CHECK(strstr(w.seen[2], "Credential=AKID1/") != NULL);
    CHECK(strstr(w.seen[2], "x-amz-security-token: tok1==\r\n") != NULL);
    CHECK(strstr(w.s3_head, "Credential=AKID3/") != NULL);
    world_end(&w, &source.ask.provider, &source, sizeof source);
}

static int role_failure(const char *document, const aws_provider *base, char *sentence, size_t size)
{
    static world w;
    aws_keys_role source;
    aws_role role;
    int r;

    memset(&role, 0, sizeof role);
    role.arn = "arn:x";
    world_init(&w, SCRIPT_WAITS);
    w.document = document;
    world_start(&w, aws_keys_role_init(&source, base, &role, 1, w.keys, sizeof w.keys));
    source.endpoint = "http://sts.test";
    r = world_call(&w);
    r = r < 0 ? aws_client_failure(&w.client)->reason : 0;
    snprintf(sentence, size, "%s", aws_client_failure_text(&w.client));
    CHECK(strstr(sentence, "CANARY") == NULL);
    world_end(&w, &source.ask.provider, &source, sizeof source);
    return r;
}

static void test_role_answers(void)
{
    static const char denied[] =
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 159\r\n\r\n"
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>"
        "<Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>";
    aws_keys_fixed base;
    aws_keys none;
    char sentence[700];

    memset(&none, 0, sizeof none);
    aws_keys_fixed_init(&base, &base_keys);
    CHECK_INT(role_failure(NULL, &base.provider, sentence, sizeof sentence), 0);
    CHECK_INT(role_failure(denied, &base.provider, sentence, sizeof sentence), AWS_REASON_KEYS_REFUSED);
    CHECK(strstr(sentence, "sts.test gave no keys: AccessDenied (HTTP 403): not you") != NULL);
    CHECK_INT(role_failure("<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>",
                           &base.provider, sentence, sizeof sentence), AWS_REASON_KEYS_ANSWER);
    CHECK_INT(role_failure("<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId>"
                           "<SecretAccessKey>B&#10;</SecretAccessKey><SessionToken>C</SessionToken>"
                           "<Expiration>2027-01-01T00:00:00Z</Expiration></Credentials>"
                           "</AssumeRoleResult></AssumeRoleResponse>",
                           &base.provider, sentence, sizeof sentence), AWS_REASON_KEYS_ANSWER);
    CHECK_INT(role_failure("<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId>"
                           "<SecretAccessKey>B</SecretAccessKey><SessionToken>C\r\nx: y</SessionToken>"
                           "<Expiration>2027-01-01T00:00:00Z</Expiration></Credentials>"
                           "</AssumeRoleResult></AssumeRoleResponse>",
                           &base.provider, sentence, sizeof sentence), AWS_REASON_KEY_TEXT);
    CHECK_INT(role_failure("<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId>"
                           "<SecretAccessKey>B</SecretAccessKey><SessionToken>C</SessionToken>"
                           "<Expiration>2025-12-31T00:00:00Z</Expiration></Credentials>"
                           "</AssumeRoleResult></AssumeRoleResponse>",
                           &base.provider, sentence, sizeof sentence), AWS_REASON_PROVIDER_EXPIRED);
    aws_keys_fixed_init(&base, &none);
    CHECK_INT(role_failure(NULL, &base.provider, sentence, sizeof sentence), AWS_REASON_KEYS_BASE);
}

/* A role whose first keys come from the instance: one source lends, then the other. */
static void test_role_of_instance(script_mode mode)
{
    static world w;
    static unsigned char other[8192];
    aws_keys_imds imds;
    aws_keys_role source;
    aws_role role;

    memset(&role, 0, sizeof role);
    role.arn = "arn:x";
    world_init(&w, mode);
    w.s.again_always = mode == SCRIPT_NEVER_WAITS;
    world_start(&w, aws_keys_role_init(&source, aws_keys_imds_init(&imds, other, sizeof other),
                                       &role, 1, w.keys, sizeof w.keys));
    source.endpoint = "http://sts.test";
    CHECK_INT(world_call(&w), 0);
    CHECK(strstr(w.seen[3], "Credential=AKID1/20260101/eu-west-1/sts/") != NULL);
    CHECK(strstr(w.s3_head, "Credential=AKID2/") != NULL);
    world_end(&w, &source.ask.provider, &source, sizeof source);
    aws_keys_close(&imds.ask.provider);
    CHECK(!check_finds(other, sizeof other, "CANARY"));
}

static void test_web_identity(void)
{
    static world w;
    aws_keys_web_identity source;

    world_init(&w, SCRIPT_WAITS);
    w.env[0] = "AWS_WEB_IDENTITY_TOKEN_FILE";
    w.env[1] = "/token";
    w.env[2] = "AWS_ROLE_ARN";
    w.env[3] = "arn:y";
    w.file = "eyJCANARY.a+b\n";
    world_start(&w, aws_keys_web_identity_init(&source, NULL, NULL, read_file, NULL, w.keys,
                                               sizeof w.keys));
    source.endpoint = "http://sts.test";
    CHECK_INT(world_call(&w), 0);
    CHECK_STR(w.bodies[0], "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Ay"
                           "&RoleSessionName=aws.h&WebIdentityToken=eyJCANARY.a%2Bb");
    CHECK(strstr(w.seen[0], "authorization") == NULL);
    CHECK(strstr(w.s3_head, "Credential=AKID1/") != NULL);
    CHECK(!check_finds(w.keys, sizeof w.keys, "eyJ"));
    w.document = "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n";
    script_pass(&w.s, 55 * 60000u);
    CHECK_INT(world_call(&w), AWS_ERR_CREDENTIALS);
    CHECK(!check_finds(w.keys, sizeof w.keys, "eyJ"));
    world_end(&w, &source.ask.provider, &source, sizeof source);

    world_init(&w, SCRIPT_WAITS);
    world_start(&w, aws_keys_web_identity_init(&source, NULL, NULL, read_file, NULL, w.keys,
                                               sizeof w.keys));
    CHECK_INT(world_call(&w), AWS_ERR_CREDENTIALS);
    CHECK_INT(aws_client_failure(&w.client)->reason, AWS_REASON_NO_KEYS);
    world_end(&w, &source.ask.provider, &source, sizeof source);
}

/* The first source that has keys, and its failure if it fails; then it stays the one. */
static void test_chain(void)
{
    static world w;
    aws_keys_chain chain;
    aws_keys_container container_source;
    aws_keys_imds imds;
    const aws_provider *sources[3];

    world_init(&w, SCRIPT_WAITS);
    sources[0] = aws_keys_environment();
    sources[1] = aws_keys_container_init(&container_source, w.keys, sizeof w.keys);
    sources[2] = aws_keys_imds_init(&imds, w.keys, sizeof w.keys);
    world_start(&w, aws_keys_chain_init(&chain, sources, 3));
    CHECK_INT(world_call(&w), 0);
    CHECK_INT(chain.at, 2);
    w.env[0] = "AWS_ACCESS_KEY_ID";
    w.env[1] = "AKIDENV";
    script_pass(&w.s, 55 * 60000u);
    CHECK_INT(world_call(&w), 0);
    CHECK(strstr(w.s3_head, "Credential=AKID2/") != NULL);
    world_end(&w, sources[2], &imds, sizeof imds);

    world_init(&w, SCRIPT_WAITS);
    w.env[0] = "AWS_ACCESS_KEY_ID";
    w.env[1] = "AKIDENV";
    world_start(&w, aws_keys_chain_init(&chain, sources, 3));
    CHECK_INT(world_call(&w), AWS_ERR_CREDENTIALS);
    CHECK_INT(aws_client_failure(&w.client)->reason, AWS_REASON_NO_SECRET);
    w.env[2] = "AWS_SECRET_ACCESS_KEY";
    w.env[3] = "s";
    w.env[4] = "AWS_CREDENTIAL_EXPIRATION";
    w.env[5] = "never";
    CHECK_INT(world_call(&w), AWS_ERR_CREDENTIALS);
    CHECK_INT(aws_client_failure(&w.client)->reason, AWS_REASON_KEYS_DATE);
    w.env[5] = "2026-01-01T01:00:00Z";
    CHECK_INT(world_call(&w), 0);
    CHECK(strstr(w.s3_head, "Credential=AKIDENV/") != NULL);
    CHECK_INT(aws_session_expiration(&w.session), START + 3600);
    CHECK_STR(aws_session_access_key_id(&w.session), "AKIDENV");
    CHECK_STR(aws_session_region(&w.session), "eu-west-1");
    world_end(&w, NULL, &chain, sizeof chain);
}

/* The caller's deadline holds for the source, too. */
static void test_deadline(void)
{
    static world w;
    aws_keys_role source;
    aws_keys_fixed base;
    aws_keys_imds imds;
    aws_s3_args args;
    aws_role role;
    int r;

    memset(&role, 0, sizeof role);
    memset(&args, 0, sizeof args);
    role.arn = "arn:x";
    world_init(&w, SCRIPT_WAITS);
    w.document = "HTTP/1.1 503 Slow\r\nContent-Length: 0\r\n\r\n";
    world_start(&w, aws_keys_role_init(&source, aws_keys_fixed_init(&base, &base_keys), &role, 1,
                                       w.keys, sizeof w.keys));
    w.session.config.max_attempts = 1000;
    w.session.config.call_timeout = 5000;
    source.endpoint = "http://sts.test";
    args.bucket = "b";
    args.key = "k";
    SCRIPT_RUN(r, &w.s, &w.client, aws_s3_head_object(&w.client, &args, NULL));
    CHECK_INT(r, AWS_ERR_TIMEOUT);
    CHECK(w.s.elapsed <= 5100 && w.asked > 1);
    world_end(&w, &source.ask.provider, &source, sizeof source);

    world_init(&w, SCRIPT_WAITS);
    w.s.open_pending = -1;
    world_start(&w, aws_keys_imds_init(&imds, w.keys, sizeof w.keys));
    w.session.config.call_timeout = 300;
    SCRIPT_RUN(r, &w.s, &w.client, aws_s3_head_object(&w.client, &args, NULL));
    CHECK_INT(r, AWS_ERR_TIMEOUT);
    CHECK(w.s.elapsed <= 310);
    world_end(&w, &imds.ask.provider, &imds, sizeof imds);
}

/* STS is asked where the program's addresses say; the sources that aren't AWS's hosts aren't. */
static void test_role_addresses(int imds)
{
    static const aws_addresses addresses = {aws_s3_addresses, AWS_USE_FIPS};
    static world w;
    aws_keys_fixed base;
    aws_keys_role source;
    aws_keys_imds instance;
    aws_role role;
    aws_config config;

    memset(&role, 0, sizeof role);
    role.arn = "arn:aws:iam::1:role/a";
    world_init(&w, SCRIPT_WAITS);
    w.s.port.flags |= AWS_PORT_TLS;
    memset(&config, 0, sizeof config);
    config.provider = imds ? aws_keys_imds_init(&instance, w.keys, sizeof w.keys)
                           : aws_keys_role_init(&source, aws_keys_fixed_init(&base, &base_keys),
                                                &role, 1, w.keys, sizeof w.keys);
    config.region = "us-west-2";
    config.addresses = &addresses;
    config.port = &w.s.port;
    aws_session_init(&w.session, &config);
    CHECK_INT(aws_client_init(&w.client, &w.session, &aws_s3_service, w.memory, sizeof w.memory), 0);
    CHECK_INT(world_call(&w), 0);
    CHECK(strstr(w.seen[0], imds ? "169.254.169.254 PUT " : "sts-fips.us-west-2.amazonaws.com POST ") ==
          w.seen[0]);
    CHECK(strstr(w.s3_head, "\r\nhost: s3-fips.us-west-2.amazonaws.com\r\n") != NULL);
    world_end(&w, config.provider, &w, 0);
}

int main(void)
{
    test_imds(SCRIPT_WAITS, 0);
    test_imds(SCRIPT_WAITS, 1);
    test_imds(SCRIPT_NEVER_WAITS, 1);
    test_imds(SCRIPT_BLOCKS, 0);
    test_imds_answers();
    test_never_waits();
    test_key_documents();
    test_imds_expired();
    test_refresh_fails();
    test_imds_silent();
    test_cancelled();
    test_long_tokens();
    test_container();
    test_roles(SCRIPT_WAITS, 0);
    test_roles(SCRIPT_NEVER_WAITS, 1);
    test_roles_cut();
    test_role_answers();
    test_role_addresses(0);
    test_role_addresses(1);
    test_role_of_instance(SCRIPT_WAITS);
    test_role_of_instance(SCRIPT_NEVER_WAITS);
    test_web_identity();
    test_chain();
    test_deadline();
    return CHECK_DONE();
}
