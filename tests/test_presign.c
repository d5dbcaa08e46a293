/* test_presign.c - URLs and forms that are signed here and used by somebody else.
 *
 *     cc -std=c99 -I. tests/test_presign.c -lbearssl -o build/test_presign && build/test_presign
 *
 * Signatures are AWS's documented ones and, in tests/test_presign.py, botocore's. Here: any memory,
 * refusals, keys from a provider, and that neither a stream nor a listing is disturbed.
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "check.h"
#include "script_s3.h"

static script s;
static s3_model model;
static aws_config config;
static aws_session session;
static aws_client client;
static aws_s3_bucket bucket;
static aws_s3_args args;
static unsigned char memory[AWS_CLIENT_MEMORY];
static char url[4096];

static void setup(script_mode mode)
{
    s3_free(&model);
    script_free(&s);
    script_init(&s, mode);
    s3_init(&model, &s);
    memset(&config, 0, sizeof config);
    config.access_key_id = "AKIDEXAMPLE";
    config.secret_access_key = "CANARYSECRET";
    config.region = "eu-west-1";
    config.endpoint = "http://test.local:81";
    config.port = &s.port;
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "a b/c";
}

static void start(void)
{
    aws_session_init(&session, &config);
    CHECK_INT(aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory), 0);
    aws_s3_bucket_init(&bucket, &client, "bucket");
}

static void begin(void)
{
    setup(SCRIPT_WAITS);
    start();
}

static int presign(aws_s3_action *action, uint32_t seconds)
{
    int r;

    memset(url, '#', sizeof url);
    SCRIPT_RUN(r, &s, &client, aws_s3_presign(&client, action, &args, seconds, url, sizeof url));
    if (r >= 0)
        CHECK_INT(strlen(url), r);
    return r;
}

/* The value of a parameter of url. */
static const char *parameter(const char *name)
{
    static char text[600];
    char want[60];
    const char *at;

    snprintf(want, sizeof want, "%s=", name);
    at = strchr(url, '?');
    while (at && strncmp(at + 1, want, strlen(want)) != 0)
        at = strchr(at + 1, '&');
    text[0] = 0;
    if (at)
        snprintf(text, sizeof text, "%.*s", (int)strcspn(at + 1 + strlen(want), "&"),
                 at + 1 + strlen(want));
    return at ? text : NULL;
}

/* ---- aws_presign ---- */

static const aws_pair example_host[] = {{"host", "examplebucket.s3.amazonaws.com"}};

/* AWS's own example, "Authenticating Requests: Using Query Parameters". */
static aws_signing example(void)
{
    aws_signing g;

    memset(&g, 0, sizeof g);
    g.access_key_id = "AKIAIOSFODNN7EXAMPLE";
    g.secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    g.region = "us-east-1";
    g.service = "s3";
    g.time = 1369353600; /* 2013-05-24 */
    g.method = "GET";
    g.path = "/test.txt";
    g.headers = example_host;
    g.header_count = 1;
    g.encode_once = 1;
    g.expires = 86400;
    return g;
}

static const char example_url[] =
    "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

static void test_example(void)
{
    aws_signing g = example();

    CHECK_INT(aws_presign(&g, url, sizeof url), sizeof example_url - 1);
    CHECK_STR(url, example_url);
    g.http = 1;
    CHECK(aws_presign(&g, url, sizeof url) > 0);
    CHECK_MEM(url, "http://examplebucket", 20);
    g.expires = 0;
    CHECK(aws_presign(&g, url, sizeof url) > 0);
    CHECK_STR(parameter("X-Amz-Expires"), "3600");
    CHECK(parameter("X-Amz-Security-Token") == NULL);
    g.session_token = "";
    CHECK(aws_presign(&g, url, sizeof url) > 0);
    CHECK(parameter("X-Amz-Security-Token") == NULL);
    g.session_token = "a/b";
    CHECK(aws_presign(&g, url, sizeof url) > 0);
    CHECK_STR(parameter("X-Amz-Security-Token"), "a%2Fb");
}

/* Any size: the whole URL or AWS_ERR_MEMORY, and nothing behind the memory. */
static void test_any_size(void)
{
    aws_signing g = example();
    size_t size;

    for (size = 0; size < sizeof example_url + 3; size++) {
        int fits = size >= sizeof example_url;
        memset(url, '#', sizeof url);
        CHECK_INT(aws_presign(&g, url, size),
                  fits ? (int)sizeof example_url - 1 : (int)AWS_ERR_MEMORY);
        CHECK_INT(url[size], '#');
        if (fits)
            CHECK_STR(url, example_url);
    }
}

static void test_refused_signing(void)
{
    static const aws_pair ours[] = {{"X-Amz-Date", "1"}}, last[] = {{"X-Amz-Signature", "1"}};
    static const aws_pair two[] = {{"Host", "a"}, {"host", "a"}};
    aws_signing g = example();

    g.expires = 604800;
    CHECK(aws_presign(&g, url, sizeof url) > 0);
    CHECK_STR(parameter("X-Amz-Expires"), "604800");
    g.expires = 604801;
    CHECK_INT(aws_presign(&g, url, sizeof url), AWS_ERR_PARAM);
    g = example();
    g.query = ours;
    g.query_count = 1;
    CHECK_INT(aws_presign(&g, url, sizeof url), AWS_ERR_PARAM);
    g.query = last;
    CHECK_INT(aws_presign(&g, url, sizeof url), AWS_ERR_PARAM);
    g = example();
    g.headers = two;
    g.header_count = 2;
    CHECK_INT(aws_presign(&g, url, sizeof url), AWS_ERR_PARAM);
    g.header_count = 0;
    CHECK_INT(aws_presign(&g, url, sizeof url), AWS_ERR_PARAM);
    g = example();
    g.secret_access_key = NULL;
    CHECK_INT(aws_presign(&g, url, sizeof url), AWS_ERR_PARAM);
}

/* ---- aws_s3_presign ---- */

static void test_client(void)
{
    aws_pair meta;

    begin();
    CHECK(presign(aws_s3_get_object, 60) > 0);
    CHECK_MEM(url, "http://test.local:81/bucket/a%20b/c?X-Amz-Algorithm=AWS4-HMAC-SHA256&", 69);
    CHECK_STR(parameter("X-Amz-Credential"), "AKIDEXAMPLE%2F20260102%2Feu-west-1%2Fs3%2Faws4_request");
    CHECK_STR(parameter("X-Amz-Date"), "20260102T030405Z");
    CHECK_STR(parameter("X-Amz-Expires"), "60");
    CHECK_STR(parameter("X-Amz-SignedHeaders"), "host");
    args.content_type = "text/plain";
    meta.name = "colour";
    meta.value = "red";
    args.metadata = &meta;
    args.metadata_count = 1;
    CHECK(presign(aws_s3_put_object, 0) > 0);
    CHECK_STR(parameter("X-Amz-SignedHeaders"), "content-type%3Bhost%3Bx-amz-meta-colour");
    CHECK_STR(parameter("X-Amz-Expires"), "3600");
    CHECK_INT(aws_client_failure(&client)->code, 0);
    CHECK_INT(s.opens, 0);
}

/* What an action can't do without. */
static void give_required(const char *name, unsigned flags, const unsigned char *members)
{
    static const aws_s3_key keys[] = {{"k", NULL}};
    static const aws_s3_member *const others[] = {
#define OTHER(member, wire) &aws_s3_m_##member,
        AWS_S3_MORE(OTHER, OTHER)
#undef OTHER
    };
    static aws_s3_more more[4];
    const char *text = "b-k";
    unsigned number = 7;

    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "a b/c";
    args.more = more;
    if (strcmp(name, "delete_objects") == 0) {
        args.objects = keys;
        args.object_count = 1;
    } else if (flags & AWS_I_S3_BODY) {
        args.body = "";
    }
    for (; *members == AWS_I_S3_MUST; members += 2) {
        unsigned index = members[1];
        if (index > AWS_I_S3_I_COMMON_LAST) {
            more[args.more_count].member = others[index - AWS_I_S3_I_COMMON_LAST - 1];
            more[args.more_count++].value = text;
        } else if (index <= AWS_I_S3_TEXTS) {
            memcpy((char *)&args + offsetof(aws_s3_args, cache_control) + (index - 1) * sizeof text, &text,
                   sizeof text);
        } else {
            memcpy((char *)&args + offsetof(aws_s3_args, part_number) +
                       (index - 1 - AWS_I_S3_TEXTS) * sizeof number, &number, sizeof number);
        }
    }
}

/* Each action has a URL; but for those that are two names of one request, another than all others;
 * signed are the host and the members that go in headers. */
static void test_every_action(void)
{
    static char before[128][65];
    size_t count = 0, twins = 0, i;

    begin();
#define EACH(name, Name, method, query, flags, members, body, run)                                \
    {                                                                                             \
        static const unsigned char list[] = {AWS_I_S3_LIST members 0};                            \
        give_required(#name, flags, list);                                                        \
        CHECK(presign(aws_s3_##name, 60) > 0);                                                    \
        for (i = 0; i < count; i++)                                                               \
            twins += strcmp(before[i], parameter("X-Amz-Signature")) == 0;                        \
        snprintf(before[count++], 65, "%s", parameter("X-Amz-Signature"));                        \
        CHECK(strstr(parameter("X-Amz-SignedHeaders"), "host") != NULL);                          \
        CHECK((strstr(parameter("X-Amz-SignedHeaders"), "x-amz-copy-source") != NULL) ==          \
              (args.copy_source != NULL));                                                        \
    }
    AWS_S3_OPERATIONS(EACH)
#undef EACH
    CHECK_INT(count, 116);
    /* ListDirectoryBuckets, four deprecated names; Get and List of analytics, of inventory, of
     * metrics and of intelligent tiering differ in the id, annotations in the name */
    CHECK_INT(twins, 5);
    CHECK_INT(s.opens, 0);
}

static void test_unsigned(void)
{
    setup(SCRIPT_WAITS);
    config.endpoint = NULL;
    s.port.flags |= AWS_PORT_TLS;
    start();
    args.version_id = "v/1";
    CHECK(presign(aws_s3_get_object, AWS_UNSIGNED) > 0);
    CHECK_STR(url, "https://bucket.s3.eu-west-1.amazonaws.com/a%20b/c?versionId=v%2F1");
    args.version_id = NULL;
    args.key = NULL;
    CHECK(presign(aws_s3_head_bucket, AWS_UNSIGNED) > 0);
    CHECK_STR(url, "https://bucket.s3.eu-west-1.amazonaws.com/");
}

static void test_client_sizes(void)
{
    size_t whole, size;
    char want[sizeof url];

    begin();
    CHECK((whole = (size_t)presign(aws_s3_get_object, 60)) > 200);
    snprintf(want, sizeof want, "%s", url);
    for (size = 0; size < whole + 3; size++) {
        memset(url, '#', sizeof url);
        if (size <= whole) {
            CHECK_INT(aws_s3_presign(&client, aws_s3_get_object, &args, 60, url, size),
                      AWS_ERR_MEMORY);
            CHECK_INT(aws_client_failure(&client)->needed, whole + 1);
            CHECK_INT(aws_client_failure(&client)->reason, AWS_REASON_ADDRESS_SIZE);
        } else {
            CHECK_INT(aws_s3_presign(&client, aws_s3_get_object, &args, 60, url, size), whole);
            CHECK_STR(url, want);
        }
        CHECK_INT(url[size], '#');
    }
}

static void check_refused(int r, int reason)
{
    CHECK_INT(r, -(reason % 32));
    CHECK_INT(aws_client_failure(&client)->reason, reason);
    CHECK(strstr(aws_client_failure_text(&client), "CANARY") == NULL);
    CHECK_INT(s.opens, 0);
}

static void test_refused(void)
{
    begin();
    CHECK(presign(aws_s3_get_object, 604800) > 0);
    check_refused(presign(aws_s3_get_object, 604801), AWS_REASON_EXPIRES);
    CHECK_STR(aws_client_failure_text(&client),
              "GetObject: an argument is wrong: a presigned address is good for at most 604,800 "
              "seconds (7 days)");
    args.prefix = "p";
    check_refused(presign(aws_s3_get_object, 60), AWS_REASON_MEMBER);
    args.prefix = NULL;
    args.key = "";
    check_refused(presign(aws_s3_get_object, 60), AWS_REASON_NO_KEY);
    args.key = "k";
    args.bucket = "no/bucket";
    check_refused(presign(aws_s3_get_object, 60), AWS_REASON_BUCKET_NAME);
    args.bucket = "bucket";
    CHECK(presign(aws_s3_get_object, 60) > 0);
    CHECK_INT(aws_s3_presign(&client, aws_s3_get_object, NULL, 60, url, sizeof url), AWS_ERR_PARAM);
    aws_client_close(&client);
    CHECK_INT(presign(aws_s3_get_object, 60), AWS_ERR_STATE);
}

static int makes_nothing(aws_client *copy, void *context)
{
    (void)copy;
    (void)context;
    return 0;
}

static void test_makes_nothing(void)
{
    begin();
    CHECK_INT(aws_call_presign(&client, makes_nothing, NULL, 60, url, sizeof url), AWS_ERR_STATE);
    CHECK_INT(aws_client_failure(&client)->code, AWS_ERR_STATE);
}

static void test_clock(void)
{
    setup(SCRIPT_WAITS);
    s.unix_time = 0;
    start();
    check_refused(presign(aws_s3_get_object, 60), -AWS_ERR_CLOCK);
    CHECK(presign(aws_s3_get_object, AWS_UNSIGNED) > 0);
    setup(SCRIPT_WAITS);
    s.unix_time = 0;
    config.clock_floor = 1767323045; /* may be long ago: nobody has been asked */
    start();
    check_refused(presign(aws_s3_get_object, 60), -AWS_ERR_CLOCK);
}

/* In the loop over a listing: the same URLs, one LIST, one connection, no page memory. */
static void test_in_a_listing(void)
{
    static aws_s3_objects it;
    aws_s3_summary object;
    static char key[8], want[4][sizeof url];
    unsigned i, got = 0;
    int r;

    begin();
    for (i = 0; i < 4; i++) {
        char name[20];
        snprintf(key, sizeof key, "k%u", i);
        snprintf(name, sizeof name, "bucket/%s", key);
        s3_put(&model, name, "x", 1);
        args.key = key;
        CHECK(presign(aws_s3_get_object, 60) > 0);
        snprintf(want[i], sizeof want[i], "%s", url);
    }
    aws_s3_objects_begin(&it, &bucket, NULL);
    while ((r = aws_s3_objects_next(&it, &object)) > 0) {
        args.key = object.key;
        CHECK(presign(aws_s3_get_object, 60) > 0);
        CHECK_STR(url, want[got++]);
        CHECK_INT(presign(aws_s3_get_object, 604801), AWS_ERR_PARAM); /* nor does a failure */
    }
    CHECK_INT(r, 0);
    CHECK_INT(got, 4);
    CHECK_INT(model.lists, 1);
    CHECK_INT(s.opens, 1);
    CHECK_INT(aws_client_failure(&client)->code, 0);
}

/* While a body is being written: what is sent is the same. */
static void test_in_a_stream(void)
{
    aws_s3_args put;
    size_t at;

    setup(SCRIPT_WAITS);
    config.endpoint = "https://test.local";
    s.port.flags |= AWS_PORT_TLS;
    start();
    memset(&put, 0, sizeof put);
    put.bucket = "bucket";
    put.key = "streamed";
    put.stream = 1;
    put.body_size = 5;
    CHECK_INT(aws_s3_put_object(&client, &put, NULL), 0);
    CHECK_INT(aws_client_write(&client, "he", 2), 2);
    CHECK(presign(aws_s3_get_object, 60) > 0);
    CHECK_INT(presign(aws_s3_get_object, 604801), AWS_ERR_PARAM);
    CHECK_INT(aws_client_write(&client, "llo", 3), 3);
    CHECK_INT(aws_client_finish(&client), 0);
    CHECK(s3_at(&model, "bucket/streamed", &at) != NULL);
    CHECK_INT(s.requests, 1);
}

/* ---- Keys from a provider ---- */

static int asked, agains;

static int slow_get(const aws_provider *provider, aws_client *c, aws_keys *keys)
{
    (void)provider;
    (void)c;
    if (++asked <= agains)
        return AWS_AGAIN;
    if (agains < 0)
        return AWS_ERR_CREDENTIALS;
    keys->access_key_id = "TEMP";
    keys->secret_access_key = "CANARYSECRET";
    keys->session_token = "to+ken";
    keys->expiration = 1767323045 + 3600;
    return 0;
}

static void test_provider(void)
{
    static const script_mode modes[] = {SCRIPT_WAITS, SCRIPT_NEVER_WAITS, SCRIPT_BLOCKS};
    aws_provider provider;
    aws_client other;
    static unsigned char more[AWS_CLIENT_MEMORY];
    size_t m;

    memset(&provider, 0, sizeof provider);
    provider.get = slow_get;
    for (m = 0; m < 3; m++) {
        setup(modes[m]);
        config.access_key_id = config.secret_access_key = NULL;
        config.provider = &provider;
        start();
        asked = 0;
        agains = 3;
        CHECK(presign(aws_s3_get_object, 60) > 0);
        CHECK_STR(parameter("X-Amz-Security-Token"), "to%2Bken");
        CHECK_INT(asked, 4);
        CHECK(presign(aws_s3_get_object, 60) > 0);
        CHECK_INT(asked, 4);
        CHECK_INT(session.users, 0);
        args.key = "";
        check_refused(presign(aws_s3_get_object, 60), AWS_REASON_NO_KEY);
        CHECK_INT(session.users, 0);
        args.key = "k";
        agains = -1;
        script_pass(&s, 3601000u);
        check_refused(presign(aws_s3_get_object, 60), AWS_REASON_PROVIDER);
        CHECK_INT(session.users, 0);
    }
    /* given up half way: another client asks */
    setup(SCRIPT_NEVER_WAITS);
    config.access_key_id = config.secret_access_key = NULL;
    config.provider = &provider;
    start();
    asked = 0;
    agains = 1;
    CHECK_INT(aws_s3_presign(&client, aws_s3_get_object, &args, 60, url, sizeof url), AWS_AGAIN);
    aws_client_close(&client);
    CHECK_INT(aws_client_init(&other, &session, &aws_s3_service, more, sizeof more), 0);
    CHECK(aws_s3_presign(&other, aws_s3_get_object, &args, 60, url, sizeof url) > 0);
}

static void test_signing(void)
{
    aws_signing g;
    char hex[65];

    begin();
    CHECK_INT(aws_call_signing(&client, &g), 0);
    CHECK_STR(g.access_key_id, "AKIDEXAMPLE");
    CHECK_STR(g.region, "eu-west-1");
    CHECK_STR(g.service, "s3");
    CHECK_INT(g.time, 1767323045);
    CHECK(g.session_token == NULL);
    CHECK_INT(aws_sign_text(&g, "text", 4, hex), 0);
    CHECK_INT(strlen(hex), 64);
    g.region = NULL;
    CHECK_INT(aws_sign_text(&g, "text", 4, hex), AWS_ERR_PARAM);
    aws_client_close(&client);
    CHECK_INT(aws_call_signing(&client, &g), AWS_ERR_STATE);
    CHECK(g.secret_access_key == NULL);
}

/* ---- Forms ---- */

static void test_form(void)
{
    static const aws_pair fields[] = {{"acl", "private"}}, prefixes[] = {{"x-amz-meta-a", ""}};
    aws_s3_post post;
    aws_s3_form form;
    char texts[2000];
    size_t size, needed, i;

    begin();
    memset(&post, 0, sizeof post);
    post.bucket = "bucket";
    post.key = "up/${filename}";
    post.fields = fields;
    post.field_count = 1;
    post.prefixes = prefixes;
    post.prefix_count = 1;
    post.size_max = 100;
    CHECK_INT(aws_s3_presign_post(&client, &post, &form, texts, sizeof texts), 0);
    CHECK_STR(form.url, "http://test.local:81/bucket");
    CHECK_INT(form.count, 6);
    CHECK_STR(form.fields[0].name, "key");
    CHECK_STR(form.fields[0].value, "up/${filename}");
    CHECK_STR(form.fields[4].name, "policy");
    CHECK_STR(form.fields[5].name, "x-amz-signature");
    CHECK_INT(strlen(form.fields[5].value), 64);
    needed = form.needed;
    for (size = 0; size < needed + 3; size++) {
        memset(url, '#', sizeof url);
        CHECK_INT(aws_s3_presign_post(&client, &post, &form, url, size),
                  size < needed ? (int)AWS_ERR_MEMORY : 0);
        CHECK_INT(form.needed, needed);
        CHECK_INT(url[size], '#');
        if (size >= needed) {
            CHECK_STR(form.url, "http://test.local:81/bucket");
            for (i = 0; i < form.count; i++)
                CHECK(form.fields[i].value >= url && form.fields[i].value < url + size);
        }
    }
    CHECK_INT(aws_s3_presign_post(&client, &post, &form, NULL, 0), AWS_ERR_MEMORY);
    session.keys.session_token = "token";
    CHECK_INT(aws_s3_presign_post(&client, &post, &form, texts, sizeof texts), 0);
    CHECK_INT(form.count, 7);
    CHECK_STR(form.fields[4].name, "x-amz-security-token");
    CHECK_STR(form.fields[4].value, "token");
    CHECK_INT(s.opens, 0);
}

static void test_form_refused(void)
{
    static char long_id[400];
    aws_s3_post post;
    aws_s3_form form;
    char texts[2000];

    begin();
    memset(&post, 0, sizeof post);
    post.bucket = "bucket";
    check_refused(aws_s3_presign_post(&client, &post, &form, texts, sizeof texts),
                  AWS_REASON_NO_KEY);
    post.key = "k";
    post.bucket = "no bucket";
    check_refused(aws_s3_presign_post(&client, &post, &form, texts, sizeof texts),
                  AWS_REASON_BUCKET_NAME);
    post.bucket = NULL;
    check_refused(aws_s3_presign_post(&client, &post, &form, texts, sizeof texts),
                  AWS_REASON_NO_BUCKET);
    post.bucket = "bucket";
    post.key = "\xff";
    CHECK_INT(aws_s3_presign_post(&client, &post, &form, texts, sizeof texts), AWS_ERR_JSON);
    CHECK_INT(form.count, 0);
    post.key = "k";
    s.unix_time = 0;
    check_refused(aws_s3_presign_post(&client, &post, &form, texts, sizeof texts), -AWS_ERR_CLOCK);
    s.unix_time = 1767323045;
    memset(long_id, 'A', sizeof long_id - 1);
    session.keys.access_key_id = long_id;
    CHECK_INT(aws_s3_presign_post(&client, &post, &form, texts, sizeof texts),
              AWS_ERR_CREDENTIALS);
}

int main(void)
{
    test_form();
    test_form_refused();
    test_example();
    test_any_size();
    test_refused_signing();
    test_client();
    test_every_action();
    test_unsigned();
    test_client_sizes();
    test_refused();
    test_makes_nothing();
    test_clock();
    test_in_a_listing();
    test_in_a_stream();
    test_provider();
    test_signing();
    s3_free(&model);
    script_free(&s);
    return CHECK_DONE();
}
