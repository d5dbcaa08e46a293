/* What aws_s3.h itself decides: refused arguments, resources, delete_objects, odd listings.
 *
 *     cc -std=c99 -I. tests/test_s3.c -lbearssl -o build/test_s3 && build/test_s3
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "check.h"
#include "script_port.h"

static script s;
static script_step steps[16];
static aws_config config;
static aws_session session;
static aws_client client;
static aws_s3_bucket bucket;
static unsigned char memory[AWS_CLIENT_MEMORY_HTTP];
static char texts[16][4096];

/* The n-th answer: status line, body. */
static void answer(size_t n, const char *status, const char *body)
{
    snprintf(texts[n], sizeof texts[n], "HTTP/1.1 %s\r\nContent-Length: %lu\r\n\r\n%s", status,
             (unsigned long)strlen(body), body);
    steps[n].answer = texts[n];
    steps[n].size = strlen(texts[n]);
    s.step_count = n + 1;
}

static void begin_in(const char *region)
{
    script_free(&s);
    memset(steps, 0, sizeof steps);
    script_init(&s, SCRIPT_WAITS);
    s.steps = steps;
    memset(&config, 0, sizeof config);
    config.access_key_id = "AKIDEXAMPLE";
    config.secret_access_key = "secret";
    config.region = region;
    config.endpoint = "http://test.local";
    config.max_attempts = 1;
    config.port = &s.port;
    aws_session_init(&session, &config);
    CHECK_INT(aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory), 0);
    aws_s3_bucket_init(&bucket, &client, "bucket");
}

static void begin(void)
{
    begin_in("us-east-1");
}

/* Refused with the reason, and nothing was sent. */
static void check_refused(int r, int reason)
{
    CHECK_INT(r, -(reason % 32));
    CHECK_INT(aws_client_failure(&client)->reason, reason);
    CHECK_INT(s.requests, 0);
}

static int never(void *context, void *data, size_t size)
{
    (void)context;
    (void)data;
    (void)size;
    return AWS_ERR_BODY;
}

static int nothing(void *context)
{
    (void)context;
    return 0;
}

static int swallow(void *context, const void *data, size_t size)
{
    *(size_t *)context += size;
    (void)data;
    return (int)size;
}

static void test_refused(void)
{
    static aws_s3_key keys[1001];
    static const aws_source source = {never, nothing, NULL};
    static size_t swallowed;
    static const aws_sink sink = {swallow, NULL, &swallowed};
    aws_s3_args args;
    char buffer[8];
    size_t i;

    begin();
    CHECK_INT(aws_s3_list_buckets(&client, NULL, NULL), AWS_ERR_PARAM);
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "k";
    args.body = "x";
    args.body_size = 1;
    check_refused(aws_s3_get_object(&client, &args, NULL), AWS_REASON_BODY_WAYS);
    args.body = NULL;
    check_refused(aws_s3_get_object(&client, &args, NULL), AWS_REASON_BODY_WAYS);
    check_refused(aws_s3_put_object(&client, &args, NULL), AWS_REASON_BODY_WAYS);
    args.body = "x";
    args.source = &source;
    check_refused(aws_s3_put_object(&client, &args, NULL), AWS_REASON_BODY_WAYS);
    memset(&args, 0, sizeof args);
    args.source = &source;
    args.body_size = 3;
    check_refused(aws_s3_bucket_put(&bucket, "k", NULL, 0, &args), AWS_REASON_BODY_WAYS);
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "k";
    args.buffer = buffer;
    args.buffer_size = sizeof buffer;
    args.sink = &sink;
    check_refused(aws_s3_get_object(&client, &args, NULL), AWS_REASON_ANSWER_WAYS);
    args.sink = NULL;
    args.stream = 1;
    check_refused(aws_s3_get_object(&client, &args, NULL), AWS_REASON_ANSWER_WAYS);
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "k";
    args.prefix = "p";
    check_refused(aws_s3_get_object(&client, &args, NULL), AWS_REASON_MEMBER);
    CHECK_STR(aws_client_failure_text(&client),
              "GetObject: an argument is wrong: this action has no member 'prefix'");
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    check_refused(aws_s3_delete_objects(&client, &args, NULL), AWS_REASON_OBJECT_COUNT);
    for (i = 0; i < 1001; i++)
        keys[i].key = "k";
    args.objects = keys;
    check_refused(aws_s3_delete_objects(&client, &args, NULL), AWS_REASON_OBJECT_COUNT);
    args.object_count = 1001;
    check_refused(aws_s3_delete_objects(&client, &args, NULL), AWS_REASON_OBJECT_COUNT);
    args.object_count = 2;
    keys[1].key = "";
    check_refused(aws_s3_delete_objects(&client, &args, NULL), AWS_REASON_NO_KEY);
    keys[1].key = NULL;
    check_refused(aws_s3_delete_objects(&client, &args, NULL), AWS_REASON_NO_KEY);
    keys[1].key = "tab\tis right, \x01 isn't";
    check_refused(aws_s3_delete_objects(&client, &args, NULL), AWS_REASON_KEY_XML);
    CHECK_STR(aws_client_failure(&client)->value, "tab?is right, ? isn't");
}

static void test_exists(void)
{
    aws_s3_object object;

    begin();
    answer(0, "200 OK", "");
    answer(1, "404 Not Found", "");
    answer(2, "403 Forbidden", "");
    answer(3, "200 OK", "");
    answer(4, "404 Not Found", "");
    CHECK_INT(aws_s3_bucket_exists(&bucket), 1);
    CHECK_INT(aws_s3_bucket_exists(&bucket), 0);
    CHECK_INT(aws_s3_bucket_exists(&bucket), AWS_ERR_SERVICE);
    CHECK_STR(aws_client_failure(&client)->aws_code, "403");
    aws_s3_object_init(&object, &bucket, "k");
    CHECK_INT(aws_s3_object_exists(&object), 1);
    CHECK_INT(aws_s3_object_exists(&object), 0);
    CHECK_INT(s.requests, 5);
}

/* Whether the bytes sent have the text. */
static int sent(const char *text)
{
    return strstr(script_sent(&s, 0), text) != NULL;
}

static void test_create(void)
{
    aws_s3_args args;

    begin();
    answer(0, "200 OK", "");
    CHECK_INT(aws_s3_bucket_create(&bucket, NULL), 0);
    CHECK(!sent("LocationConstraint"));
    begin_in("eu-west-1");
    answer(0, "200 OK", "");
    CHECK_INT(aws_s3_bucket_create(&bucket, NULL), 0);
    CHECK(sent("<LocationConstraint>eu-west-1</LocationConstraint>"));
    begin_in("eu-west-1");
    answer(0, "200 OK", "");
    memset(&args, 0, sizeof args);
    args.location_constraint = "eu-north-1";
    CHECK_INT(aws_s3_bucket_create(&bucket, &args), 0);
    CHECK(sent("<LocationConstraint>eu-north-1</LocationConstraint>"));
}

static void test_more_members(void)
{
    aws_s3_more more[4] = {{&aws_s3_m_grant_read, "id=\"1\""},
                           {&aws_s3_m_object_ownership, NULL},
                           {&aws_s3_m_sdk_checksum_algorithm, "CRC32"},
                           {&aws_s3_m_marker, "m"}};
    aws_s3_args args;

    begin();
    answer(0, "200 OK", "");
    answer(1, "200 OK", "<ListBucketResult/>");
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.more = more;
    args.more_count = 4;
    check_refused(aws_s3_put_bucket_acl(&client, &args, NULL), AWS_REASON_MEMBER);
    CHECK_STR(aws_client_failure(&client)->value, "marker");
    args.more_count = 3;
    CHECK_INT(aws_s3_put_bucket_acl(&client, &args, NULL), 0);
    CHECK(sent("PUT /bucket?acl= HTTP/1.1\r\n"));
    CHECK(sent("\r\nx-amz-grant-read: id=\"1\"\r\n"));
    CHECK(sent("\r\nx-amz-sdk-checksum-algorithm: CRC32\r\n"));
    CHECK(!sent("ownership"));
    args.more = more + 3;
    args.more_count = 1;
    args.max_keys = 7;
    CHECK_INT(aws_s3_list_objects(&client, &args, NULL), 0);
    CHECK(sent("GET /bucket?marker=m&max-keys=7 HTTP/1.1\r\n"));
    CHECK_INT(aws_s3_m_marker.place, 'Q');
}

static void test_required(void)
{
    aws_s3_more name = {&aws_s3_m_annotation_name, "n"};
    aws_s3_args args;

    begin();
    answer(0, "204 No Content", "");
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "k";
    check_refused(aws_s3_abort_multipart_upload(&client, &args, NULL), AWS_REASON_MEMBER_MISSING);
    CHECK_STR(aws_client_failure_text(&client), "AbortMultipartUpload: an argument is wrong: "
                                                "this action needs the member 'uploadId'");
    check_refused(aws_s3_copy(&client, &args, NULL), AWS_REASON_MEMBER_MISSING);
    CHECK_STR(aws_client_failure(&client)->value, "x-amz-copy-source");
    args.upload_id = "u";
    check_refused(aws_s3_upload_part(&client, &args, NULL), AWS_REASON_MEMBER_MISSING);
    CHECK_STR(aws_client_failure(&client)->value, "partNumber");
    args.upload_id = NULL;
    check_refused(aws_s3_delete_object_annotation(&client, &args, NULL),
                  AWS_REASON_MEMBER_MISSING);
    CHECK_STR(aws_client_failure(&client)->value, "annotationName");
    check_refused(aws_s3_get_object_attributes(&client, &args, NULL), AWS_REASON_MEMBER_MISSING);
    CHECK_STR(aws_client_failure(&client)->value, "x-amz-object-attributes");
    check_refused(aws_s3_rename_object(&client, &args, NULL), AWS_REASON_MEMBER_MISSING);
    CHECK_STR(aws_client_failure(&client)->value, "x-amz-rename-source");
    args.more = &name;
    args.more_count = 1;
    CHECK_INT(aws_s3_delete_object_annotation(&client, &args, NULL), 0);
    CHECK(sent("DELETE /bucket/k?annotation=&annotationName=n HTTP/1.1\r\n"));
    memset(&args, 0, sizeof args);
    CHECK_INT(aws_s3_write_get_object_response(&client, &args, NULL), AWS_ERR_PARAM);
    CHECK_STR(aws_client_failure(&client)->value, "x-amz-request-route");
    name.member = &aws_s3_m_request_route;
    args.more = &name;
    args.more_count = 1;
    CHECK_INT(aws_s3_write_get_object_response(&client, &args, NULL), AWS_ERR_PARAM);
    CHECK_STR(aws_client_failure(&client)->value, "x-amz-request-token");
}

static void test_documents(void)
{
    static const aws_source source = {never, nothing, NULL};
    aws_s3_more md5 = {&aws_s3_m_content_md5, "1B2M2Y8AsgTpgAmY7PhCfg=="};
    aws_pair tags[2] = {{"a", "1"}, {"<b>", NULL}};
    aws_s3_args args;
    char buffer[40];

    begin();
    answer(0, "200 OK", "");
    answer(1, "200 OK", "");
    answer(2, "200 OK", "");
    answer(3, "200 OK", "<VersioningConfiguration><Status>Enabled</Status>"
                        "</VersioningConfiguration>");
    answer(4, "200 OK", "<VersioningConfiguration/>");
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    check_refused(aws_s3_put_bucket_cors(&client, &args, NULL), AWS_REASON_NO_BODY);
    check_refused(aws_s3_put_bucket_tagging(&client, &args, NULL), AWS_REASON_NO_BODY);
    args.tags = tags;
    args.tag_count = 2;
    args.body = "<x/>";
    args.body_size = 4;
    check_refused(aws_s3_put_bucket_tagging(&client, &args, NULL), AWS_REASON_BODY_WAYS);
    args.body = NULL;
    args.source = &source;
    check_refused(aws_s3_put_bucket_tagging(&client, &args, NULL), AWS_REASON_BODY_WAYS);
    args.source = NULL;
    args.body_size = 0;
    CHECK_INT(aws_s3_put_bucket_tagging(&client, &args, NULL), 0);
    CHECK(sent("<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>"
               "<Tag><Key>a</Key><Value>1</Value></Tag>"
               "<Tag><Key>&lt;b&gt;</Key><Value></Value></Tag></TagSet></Tagging>"));
    args.tags = NULL;
    args.body = "<x/>";
    args.body_size = 4;
    CHECK_INT(aws_s3_put_bucket_cors(&client, &args, NULL), 0);
    CHECK(sent("\r\nx-amz-checksum-crc32: EiaEKw==\r\n"));
    args.more = &md5; /* the caller's own goes, too */
    args.more_count = 1;
    CHECK_INT(aws_s3_put_bucket_cors(&client, &args, NULL), 0);
    CHECK(sent("\r\ncontent-md5: 1B2M2Y8AsgTpgAmY7PhCfg==\r\n"));
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    CHECK_INT(aws_s3_get_bucket_versioning(&client, &args, NULL), 0);
    CHECK_STR(aws_client_header(&client, "/Status"), "Enabled");
    args.buffer = buffer; /* as it is */
    args.buffer_size = sizeof buffer;
    CHECK_INT(aws_s3_get_bucket_versioning(&client, &args, NULL), 26);
    CHECK_MEM(buffer, "<VersioningConfiguration/>", 26);
}

/* stream is the body where there is one, but for the action whose answer is what matters. */
static void test_streamed(void)
{
    aws_s3_args args;
    char buffer[16];

    begin();
    answer(0, "200 OK", "\x01\x02 frames");
    answer(1, "200 OK", "<CopyPartResult/>");
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "k";
    args.stream = 1;
    check_refused(aws_s3_select_object_content(&client, &args, NULL), AWS_REASON_NO_BODY);
    args.body = "<SelectObjectContentRequest/>";
    args.body_size = 29;
    CHECK_INT(aws_s3_select_object_content(&client, &args, NULL), 0);
    CHECK(sent("POST /bucket/k?select=&select-type=2 HTTP/1.1\r\n"));
    CHECK_INT(aws_client_read(&client, buffer, sizeof buffer), 9);
    CHECK_MEM(buffer, "\x01\x02 frames", 9);
    CHECK_INT(aws_client_finish(&client), 0);
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "k";
    args.upload_id = "u";
    args.part_number = 3;
    args.copy_source = "b/k";
    args.stream = 1; /* the short XML as it is, instead of in the result */
    CHECK_INT(aws_s3_upload_part_copy(&client, &args, NULL), 0);
    CHECK_INT(aws_client_read(&client, buffer, sizeof buffer), 16);
    CHECK_MEM(buffer, "<CopyPartResult/", 16);
    CHECK_INT(aws_client_finish(&client), 0);
}

static void test_customer_key(void)
{
    char text[46], md5[26]; /* expected by Python's base64 and hashlib */

    memset(text, '#', sizeof text);
    memset(md5, '#', sizeof md5);
    aws_s3_customer_key("0123456789abcdefghijklmnopqrstuv", text, md5);
    CHECK_STR(text, "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=");
    CHECK_STR(md5, "qkvGcbTBx6OOKYAPUO9jRg==");
    CHECK_INT(text[45], '#');
    CHECK_INT(md5[25], '#');
}

static void test_multipart(void)
{
    aws_s3_part parts[2] = {{1, "\"e1\"", NULL, NULL}, {2, "\"e2\"", "AAAAAA==", "CRC32"}};
    aws_s3_args args;
    aws_s3_result result;

    begin();
    answer(0, "200 OK", "<InitiateMultipartUploadResult><Key>k</Key><UploadId>u/1</UploadId>"
                        "</InitiateMultipartUploadResult>");
    answer(1, "200 OK", "<CompleteMultipartUploadResult><ETag>&quot;e-2&quot;</ETag>"
                        "</CompleteMultipartUploadResult>");
    answer(2, "200 OK", "<Error><Code>InternalError</Code></Error>");
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.key = "k";
    CHECK_INT(aws_s3_create_multipart_upload(&client, &args, &result), 0);
    CHECK_STR(result.upload_id, "u/1");
    CHECK(sent("POST /bucket/k?uploads= HTTP/1.1\r\n"));
    args.upload_id = "u/1";
    args.parts = parts;
    CHECK_INT(aws_s3_complete_multipart_upload(&client, &args, NULL), AWS_ERR_PARAM);
    CHECK_INT(aws_client_failure(&client)->reason, AWS_REASON_PARTS);
    args.part_count = 10001;
    CHECK_INT(aws_s3_complete_multipart_upload(&client, &args, NULL), AWS_ERR_PARAM);
    args.part_count = 2;
    parts[1].number = 1; /* not ascending */
    CHECK_INT(aws_s3_complete_multipart_upload(&client, &args, NULL), AWS_ERR_PARAM);
    parts[1].number = 10001;
    CHECK_INT(aws_s3_complete_multipart_upload(&client, &args, NULL), AWS_ERR_PARAM);
    parts[1].number = 2;
    parts[1].algorithm = NULL;
    CHECK_INT(aws_s3_complete_multipart_upload(&client, &args, NULL), AWS_ERR_PARAM);
    parts[1].algorithm = "CRC32";
    parts[0].etag = NULL;
    CHECK_INT(aws_s3_complete_multipart_upload(&client, &args, NULL), AWS_ERR_PARAM);
    CHECK_INT(aws_client_failure(&client)->reason, AWS_REASON_PARTS);
    parts[0].etag = "\"e1\"";
    args.upload_id = NULL;
    CHECK_INT(aws_s3_complete_multipart_upload(&client, &args, NULL), AWS_ERR_PARAM);
    CHECK_INT(aws_client_failure(&client)->reason, AWS_REASON_MEMBER_MISSING);
    args.upload_id = "u/1";
    args.body = "<x/>";
    args.body_size = 4;
    CHECK_INT(aws_s3_complete_multipart_upload(&client, &args, NULL), AWS_ERR_PARAM);
    CHECK_INT(aws_client_failure(&client)->reason, AWS_REASON_BODY_WAYS);
    args.body = NULL;
    args.body_size = 0;
    CHECK_INT(s.requests, 1);
    CHECK_INT(aws_s3_complete_multipart_upload(&client, &args, &result), 0);
    CHECK_STR(result.etag, "\"e-2\"");
    CHECK(sent("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
               "<Part><ETag>&quot;e1&quot;</ETag><PartNumber>1</PartNumber></Part>"
               "<Part><ETag>&quot;e2&quot;</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32>"
               "<PartNumber>2</PartNumber></Part></CompleteMultipartUpload>"));
    CHECK_INT(aws_s3_complete_multipart_upload(&client, &args, &result), AWS_ERR_SERVICE);
    CHECK_STR(aws_client_failure(&client)->aws_code, "InternalError");
}

static void test_delete_objects(void)
{
    static const char deleted[] = "<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key>"
                                  "<Code>AccessDenied</Code><Message>No</Message></Error>"
                                  "</DeleteResult>";
    aws_s3_key keys[2] = {{"a", NULL}, {"b", "v1"}};
    aws_s3_args args;
    aws_s3_result result;
    char buffer[400];

    begin();
    answer(0, "200 OK", deleted);
    answer(1, "200 OK", deleted);
    answer(2, "200 OK", deleted);
    answer(3, "200 OK", "<DeleteResult/>");
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    args.objects = keys;
    args.object_count = 2;
    CHECK_INT(aws_s3_delete_objects(&client, &args, &result), AWS_ERR_SERVICE);
    CHECK_INT(result.deleted, 1);
    CHECK_INT(result.failed, 1);
    CHECK_STR(aws_client_failure(&client)->aws_code, "AccessDenied");
    CHECK_STR(aws_client_failure(&client)->value, "b");
    CHECK(sent("<Object><Key>b</Key><VersionId>v1</VersionId></Object></Delete>"));
    args.buffer = buffer;
    args.buffer_size = sizeof buffer;
    CHECK_INT(aws_s3_delete_objects(&client, &args, NULL), (int)strlen(deleted));
    args.buffer = NULL;
    args.stream = 1;
    CHECK_INT(aws_s3_delete_objects(&client, &args, NULL), 0);
    CHECK_INT(aws_client_read(&client, buffer, sizeof buffer), (int)strlen(deleted));
    CHECK_INT(aws_client_finish(&client), 0);
    args.stream = 0;
    args.quiet = 1;
    CHECK_INT(aws_s3_delete_objects(&client, &args, &result), 0);
    CHECK_INT(result.deleted, 0);
    CHECK(sent("<Quiet>true</Quiet></Delete>"));
}

/* A listing of one entry with these elements, then its end: what next says first. */
static int list_entry(const char *head, const char *key, const char *rest, aws_s3_objects *it,
                      aws_s3_summary *summary)
{
    static char body[3500];

    begin();
    snprintf(body, sizeof body,
             "<ListBucketResult>%s<Contents><Key>%s</Key>%s</Contents></ListBucketResult>", head, key,
             rest);
    answer(0, "200 OK", body);
    aws_s3_objects_begin(it, &bucket, NULL);
    return aws_s3_objects_next(it, summary);
}

static void test_entries(void)
{
    static const char url[] = "<EncodingType>url</EncodingType>";
    static aws_s3_objects it;
    static char longer[2600];
    aws_s3_summary o;

    CHECK_INT(list_entry(url, "a%2Fb+c%c3%A9", "<Size>7</Size>", &it, &o), 1);
    CHECK_STR(o.key, "a/b c\xc3\xa9");
    CHECK_INT((int)o.size, 7);
    CHECK_INT(aws_s3_objects_next(&it, &o), 0);
    CHECK_INT(list_entry("", "a%2Fb+c", "<LastModified>never</LastModified>", &it, &o), 1);
    CHECK_STR(o.key, "a%2Fb+c"); /* not encoded: as it is */
    CHECK_INT((int)o.last_modified, 0);
    CHECK_INT(list_entry(url, "a%zz", "", &it, &o), AWS_ERR_PROTOCOL);
    CHECK_INT(list_entry(url, "a%g0", "", &it, &o), AWS_ERR_PROTOCOL);
    CHECK_INT(list_entry(url, "a%:0", "", &it, &o), AWS_ERR_PROTOCOL);
    CHECK_INT(list_entry(url, "a%00b", "", &it, &o), AWS_ERR_PROTOCOL);
    CHECK_INT(list_entry(url, "a%4", "", &it, &o), AWS_ERR_PROTOCOL);
    CHECK_INT(aws_s3_objects_next(&it, &o), AWS_ERR_PROTOCOL); /* it stays */
    memset(longer, 'e', 200);
    memcpy(longer, "<ETag>", 6);
    strcpy(longer + 200, "</ETag>");
    CHECK_INT(list_entry("", "k", longer, &it, &o), 1);
    CHECK_INT((int)strlen(o.etag), 71);
    strcpy(longer, "<IsTruncated>true</IsTruncated><NextContinuationToken>");
    memset(longer + strlen(longer), 't', 2100);
    strcpy(longer + 2150, "</NextContinuationToken>");
    begin();
    {
        static char body[3500];
        aws_s3_args args;
        snprintf(body, sizeof body, "<ListBucketResult>%s</ListBucketResult>", longer);
        answer(0, "200 OK", body);
        memset(&args, 0, sizeof args);
        args.delimiter = "/";
        aws_s3_objects_begin(&it, &bucket, &args);
        CHECK_INT(aws_s3_objects_next(&it, &o), AWS_ERR_TOO_BIG);
        CHECK_INT(aws_client_failure(&client)->reason, AWS_REASON_TOKEN_LENGTH);
    }
}

/* Directory buckets aren't ordered: an interrupted page that wasn't kept can't be asked again. */
static void test_directory(void)
{
    static const char two[] = "<ListBucketResult><Contents><Key>b</Key></Contents><Contents>"
                              "<Key>a</Key></Contents></ListBucketResult>";
    static aws_s3_objects it;
    static unsigned char page[200];
    aws_s3_bucket directory;
    aws_s3_summary o;
    aws_s3_args args;
    size_t i;

    for (i = 0; i < 2; i++) {
        begin();
        answer(0, "200 OK", two);
        answer(1, "204 No Content", "");
        aws_s3_bucket_init(&directory, &client, "logs--use1-az4--x-s3");
        memset(&args, 0, sizeof args);
        args.page = i ? page : NULL;
        args.page_size = sizeof page;
        aws_s3_objects_begin(&it, &directory, &args);
        CHECK_INT(aws_s3_objects_next(&it, &o), 1);
        CHECK_STR(o.key, "b");
        steps[1].answer = "HTTP/1.1 204 No Content\r\n\r\n";
        steps[1].size = 0;
        CHECK_INT(aws_s3_bucket_delete_key(&directory, "b"), 0);
        CHECK_INT(aws_s3_objects_next(&it, &o), i ? 1 : AWS_ERR_MEMORY);
        if (i) {
            CHECK_STR(o.key, "a");
            CHECK_INT(aws_s3_objects_next(&it, &o), 0);
        } else {
            CHECK_INT(aws_client_failure(&client)->reason, AWS_REASON_UNORDERED);
        }
    }
}

static void test_end(void)
{
    static aws_s3_objects it;
    aws_s3_summary o;

    begin();
    answer(0, "200 OK", "<ListBucketResult><Contents><Key>a</Key></Contents><Contents><Key>b</Key>"
                        "</Contents></ListBucketResult>");
    answer(1, "200 OK", "");
    aws_s3_objects_begin(&it, &bucket, NULL);
    CHECK_INT(aws_s3_objects_end(&it), 0);
    CHECK_INT(aws_s3_objects_next(&it, &o), 0);
    aws_s3_objects_begin(&it, &bucket, NULL);
    CHECK_INT(aws_s3_objects_next(&it, &o), 1);
    CHECK_INT(aws_s3_objects_end(&it), 0);
    CHECK_INT(aws_s3_objects_next(&it, &o), 0);
    CHECK_INT(aws_s3_bucket_exists(&bucket), 1);
    CHECK_INT(s.connection_count, 1); /* the rest was short: the connection was kept */
}

static void test_result(void)
{
    aws_s3_args args;
    aws_s3_result result;

    begin();
    answer(0, "200 OK", "<LocationConstraint/>");
    answer(1, "200 OK", "<LocationConstraint>EU</LocationConstraint>");
    answer(2, "200 OK", "<LocationConstraint>eu-north-1</LocationConstraint>");
    memset(&args, 0, sizeof args);
    args.bucket = "bucket";
    CHECK_INT(aws_s3_get_bucket_location(&client, &args, &result), 0);
    CHECK_STR(result.location, "us-east-1");
    CHECK_INT(aws_s3_get_bucket_location(&client, &args, &result), 0);
    CHECK_STR(result.location, "eu-west-1");
    CHECK_INT(aws_s3_get_bucket_location(&client, &args, &result), 0);
    CHECK_STR(result.location, "eu-north-1");
}

int main(void)
{
    test_refused();
    test_exists();
    test_create();
    test_more_members();
    test_required();
    test_documents();
    test_streamed();
    test_customer_key();
    test_multipart();
    test_delete_objects();
    test_entries();
    test_directory();
    test_end();
    test_result();
    script_free(&s);
    return CHECK_DONE();
}
