/* test_services.c - requests of any service: what is refused, resumed, streamed; answers by path.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/test_services.c -lbearssl && ./a.out
 *
 * What each protocol sends and understands: test_services.py.
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "check.h"
#include "script_port.h"
#include "third_party.h"

static script s;
static script_step steps[8];
static aws_config config;
static aws_session session;
static aws_client client;
static aws_request request;
static unsigned char memory[AWS_CLIENT_MEMORY];
static char texts[8][8192], buffer[4096];

/* The n-th answer: status line, headers, body. */
static void answer(size_t n, const char *status, const char *headers, const char *body)
{
    snprintf(texts[n], sizeof texts[n], "HTTP/1.1 %s\r\n%sContent-Length: %lu\r\n\r\n%s", status,
             headers, (unsigned long)strlen(body), body);
    steps[n].answer = texts[n];
    steps[n].size = strlen(texts[n]);
    s.step_count = n + 1;
}

static void begin_with(const aws_service *service, size_t size, script_mode mode)
{
    script_free(&s);
    memset(steps, 0, sizeof steps);
    script_init(&s, mode);
    s.steps = steps;
    memset(&config, 0, sizeof config);
    config.access_key_id = "AKIDEXAMPLE";
    config.secret_access_key = "secret";
    config.region = "eu-west-1";
    config.endpoint = "http://test.local";
    config.max_attempts = 1;
    config.port = &s.port;
    aws_session_init(&session, &config);
    CHECK_INT(aws_client_init(&client, &session, service, memory, size), 0);
    memset(&request, 0, sizeof request);
    request.operation = "Action";
}

static void begin(const aws_service *service)
{
    begin_with(service, sizeof memory, SCRIPT_WAITS);
}

/* The body of the first request. */
static const char *sent_body(void)
{
    const char *body = strstr(script_sent(&s, 0), "\r\n\r\n");

    return body ? body + 4 : "";
}

/* ---- Refused ---- */

static void check_refused(int reason, const char *value)
{
    CHECK_INT(aws_request_run(&client, &request), -(reason % 32));
    CHECK_INT(aws_client_failure(&client)->reason, reason);
    if (value)
        CHECK_STR(aws_client_failure(&client)->value, value);
    CHECK_INT(s.requests, 0);
}

static int never(void *context, void *data, size_t size)
{
    (void)context;
    (void)data;
    (void)size;
    return AWS_ERR_BODY;
}

static int again(void *context)
{
    (void)context;
    return 0;
}

static int swallow(void *context, const void *data, size_t size)
{
    (void)context;
    (void)data;
    return (int)size;
}

static void test_refused(void)
{
    static const aws_source once = {never, NULL, NULL}, twice = {never, again, NULL};
    static const aws_sink sink = {swallow, NULL, NULL};
    static const char *const bad[] = {"", ".", "..", NULL};
    static const char *const bad_greedy[] = {"", "/a", "a/", "a//b", "a/./b", "../a", "a/..", NULL};
    static const char *const good[] = {"...", ".a", "a/b", "a//b", "/", NULL};
    aws_pair label = {"name", NULL}, header = {"Host", "x"};
    size_t i;

    begin(&aws_iot_data_service);
    request.path = "topics";
    check_refused(AWS_REASON_PATH, "topics");
    request.path = "/topics/{name}/x";
    check_refused(AWS_REASON_LABEL, "{name}/x");
    request.labels = &label;
    request.label_count = 1;
    check_refused(AWS_REASON_LABEL, "{name}/x"); /* its value is NULL */
    for (i = 0; bad[i]; i++) {
        label.value = bad[i];
        check_refused(AWS_REASON_LABEL, "{name}/x");
    }
    request.path = "/{name+}";
    for (i = 0; bad_greedy[i]; i++) {
        label.value = bad_greedy[i];
        check_refused(AWS_REASON_LABEL, "{name+}");
    }
    request.path = "/{other}/{name}";
    label.value = "x";
    check_refused(AWS_REASON_LABEL, "{other}/{name}");
    request.path = NULL;
    request.headers = &header;
    request.header_count = 1;
    check_refused(AWS_REASON_HEADER_OWN, "Host");
    request.header_count = 0;
    request.source = &once;
    request.body_size = 3;
    check_refused(AWS_REASON_SIGNED_BODY, NULL);
    begin(&aws_iot_data_service);
    aws_client_close(&client);
    s.port.flags |= AWS_PORT_TLS;
    session.config.endpoint = "https://test.local";
    CHECK_INT(aws_client_init(&client, &session, &aws_iot_data_service, memory, sizeof memory), 0);
    request.source = &once;
    request.body_size = 3;
    check_refused(AWS_REASON_SIGNED_BODY, NULL);
    request.source = &twice;
    request.body = "abc";
    check_refused(AWS_REASON_BODY_WAYS, NULL);
    request.source = NULL;
    request.sink = &sink;
    request.stream = 1;
    check_refused(AWS_REASON_ANSWER_WAYS, NULL);
    for (i = 0; good[i]; i++) { /* '/' is encoded */
        begin(&aws_iot_data_service);
        answer(0, "200 OK", "", "{}");
        request.path = "/topics/{name}";
        request.labels = &label;
        request.label_count = 1;
        label.value = good[i];
        CHECK_INT(aws_request_run(&client, &request), 0);
    }
    CHECK(strncmp(script_sent(&s, 0), "POST /topics/%2F HTTP/1.1\r\n", 27) == 0);
}

/* ---- What goes out ---- */

static void test_form(void)
{
    enum { PAIRS = 200 };
    static aws_pair pairs[PAIRS];
    static char names[PAIRS][24], want[16384];
    size_t i, used;

    begin_with(&aws_ec2_service, AWS_CLIENT_MEMORY_HTTP, SCRIPT_WAITS); /* out: few bytes */
    answer(0, "200 OK", "", "<a>1</a>");
    used = (size_t)sprintf(want, "Action=Action&Version=2016-11-15");
    for (i = 0; i < PAIRS; i++) {
        snprintf(names[i], sizeof names[i], "Filter.%lu.Name", (unsigned long)i);
        pairs[i].name = names[i];
        pairs[i].value = i % 3 == 2 ? NULL : "a b&=\xc3\xa4";
        if (pairs[i].value)
            used += (size_t)sprintf(want + used, "&%s=a%%20b%%26%%3D%%C3%%A4", names[i]);
    }
    request.form = pairs;
    request.form_count = PAIRS;
    CHECK_INT(aws_request_run(&client, &request), 0);
    CHECK_STR(sent_body(), want);
}

/* The member more: last in a JSON body, a form or the query. */
static void test_token(void)
{
    static const char *const bodies[] = {NULL, "{}", " { } \n", "{\"a\":1}", "{\"a\":{}} "};
    static const char *const wants[] = {"{\"T\":{\"x\":1}}", "{\"T\":{\"x\":1}}", " {\"T\":{\"x\":1}}",
                                        "{\"a\":1,\"T\":{\"x\":1}}", "{\"a\":{},\"T\":{\"x\":1}}"};
    size_t i;

    for (i = 0; i < 5; i++) {
        begin(&aws_dynamodb_service);
        answer(0, "200 OK", "", "{}");
        request.body = bodies[i];
        request.body_size = bodies[i] ? strlen(bodies[i]) : 0;
        request.token_name = "T";
        request.token = "{\"x\":1}";
        CHECK_INT(aws_request_run(&client, &request), 0);
        CHECK_STR(sent_body(), wants[i]);
    }
    begin(&aws_sns_service);
    answer(0, "200 OK", "", "<a/>");
    request.token_name = "NextToken";
    request.token = "a+b";
    CHECK_INT(aws_request_run(&client, &request), 0);
    CHECK_STR(sent_body(), "Action=Action&Version=2010-03-31&NextToken=a%2Bb");
    begin(&aws_lambda_service);
    answer(0, "200 OK", "", "{}");
    request.method = "GET";
    request.path = "/f";
    request.token_name = "Marker";
    request.token = "a+b";
    CHECK_INT(aws_request_run(&client, &request), 0);
    CHECK(strncmp(script_sent(&s, 0), "GET /f?Marker=a%2Bb HTTP/1.1\r\n", 30) == 0);
}

/* ---- What comes back ---- */

static void test_answers(void)
{
    const char *whole = "<R><a>1</a></R>";
    size_t cut;

    begin(&aws_dynamodb_service);
    answer(0, "200 OK", "x-amzn-RequestId: id\r\n", "{\"a\":1}");
    request.buffer = buffer;
    request.buffer_size = sizeof buffer;
    CHECK_INT(aws_request_run(&client, &request), 7);
    CHECK_MEM(buffer, "{\"a\":1}", 7);
    CHECK_STR(aws_client_header(&client, "x-amzn-requestid"), "id");

    for (cut = 0; cut <= strlen(whole); cut++) { /* a query answer is whole XML */
        char body[32];
        begin(&aws_sts_service);
        snprintf(body, sizeof body, "%.*s", (int)cut, whole);
        answer(0, "200 OK", "", body);
        request.buffer = buffer;
        request.buffer_size = sizeof buffer;
        CHECK_INT(aws_request_run(&client, &request),
                  cut == strlen(whole) ? (int)cut : AWS_ERR_XML);
    }
    begin(&aws_sts_service); /* short values without a buffer */
    answer(0, "200 OK", "", "<R><S><Account>123</Account></S></R>");
    request.stream = 1;
    CHECK_INT(aws_request_run(&client, &request), 0);
    CHECK_INT(aws_call_collect(&client), 0);
    CHECK_STR(aws_client_header(&client, "/S/Account"), "123");
    begin(&aws_lambda_service);
    answer(0, "200 OK", "", "hello");
    request.stream = 1;
    CHECK_INT(aws_request_run(&client, &request), 0);
    CHECK_INT(aws_client_read(&client, buffer, sizeof buffer), 5);
    CHECK_INT(aws_client_read(&client, buffer, sizeof buffer), 0);
    CHECK_INT(aws_client_finish(&client), 0);
}

/* A failed action of a service: what the client knows of it. */
static void failing(const aws_service *service, const char *headers, const char *body,
                    const char *code, const char *message, const char *id)
{
    const aws_failure *f;

    begin(service);
    answer(0, "400 Bad Request", headers, body);
    CHECK_INT(aws_request_run(&client, &request), AWS_ERR_SERVICE);
    f = aws_client_failure(&client);
    CHECK_STR(f->aws_code, code);
    CHECK_STR(f->message, message);
    CHECK_STR(f->request_id, id);
    CHECK_INT(f->http_status, 400);
}

static void test_errors(void)
{
    static char large[6000];

    failing(&aws_dynamodb_service, "x-amzn-RequestId: R1\r\n",
            "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException\",\"message\":"
            "\"Table: t\\u00e4 \\\"x\\\" not found\"}",
            "ResourceNotFoundException", "Table: t\xc3\xa4 \"x\" not found", "R1");
    failing(&aws_sqs_service, "x-amzn-query-error: AWS.SimpleQueueService.NonExistentQueue;Sender\r\n",
            "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"gone\"}",
            "AWS.SimpleQueueService.NonExistentQueue", "gone", "");
    failing(&aws_lambda_service,
            "x-amzn-ErrorType: ResourceNotFoundException:http://internal.amazon.com/coral/x\r\n",
            "{\"Type\":\"User\",\"Message\":\"no function\"}", "ResourceNotFoundException",
            "no function", "");
    failing(&aws_ec2_service, "",
            "<Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code><Message>m</Message>"
            "</Error></Errors><RequestID>R2</RequestID></Response>",
            "InvalidInstanceID.NotFound", "m", "R2");
    failing(&aws_iam_service, "",
            "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>m</Message>"
            "</Error><RequestId>R3</RequestId></ErrorResponse>",
            "NoSuchEntity", "m", "R3");
    /* nested members, odd types and what isn't JSON leave the status */
    failing(&aws_kms_service, "", "{\"x\":{\"__type\":\"Inner\"},\"message\":5}", "400", "", "");
    failing(&aws_kms_service, "", "[{\"__type\":\"Inner\"}]", "400", "", "");
    failing(&aws_kms_service, "", "<html>no</html>", "400", "", "");
    failing(&aws_kms_service, "", "", "400", "", "");
    failing(&aws_kms_service, "", "{\"__type\":\"Cut", "Cut", "", "");
    failing(&aws_kms_service, "", "{\"__type\"", "400", "", "");
    failing(&aws_kms_service, "", "{\"__type\":", "400", "", "");
    failing(&aws_kms_service, "", "{\"a\":\"__type\",\"b\":\"\\", "400", "", "");
    /* only its beginning is kept if it is long */
    memset(large, 'x', sizeof large - 1);
    memcpy(large, "{\"__type\":\"A#Long\",\"message\":\"m\",\"rest\":\"", 41);
    begin_with(&aws_kms_service, AWS_CLIENT_MEMORY_HTTP, SCRIPT_WAITS);
    answer(0, "400 Bad Request", "", large);
    CHECK_INT(aws_request_run(&client, &request), AWS_ERR_SERVICE);
    CHECK_STR(aws_client_failure(&client)->aws_code, "Long");
    CHECK_STR(aws_client_failure(&client)->message, "m");
}

/* ---- Pages ---- */

static char tokens_memory[64];
static aws_json_token page_tokens[64];

static void begin_pages(aws_pages *pages, const aws_service *service, const char *name,
                        const char *path, const char *more)
{
    begin(service);
    memset(pages, 0, sizeof *pages);
    request.buffer = buffer;
    request.buffer_size = sizeof buffer;
    request.token_name = name;
    pages->request = &request;
    pages->token_path = path;
    pages->more_path = more;
    pages->memory = tokens_memory;
    pages->size = sizeof tokens_memory;
    pages->tokens = page_tokens;
    pages->token_count = 64;
}

/* The body of the n-th request, which ends where the next one begins. */
static int sent_last(const char *end)
{
    const char *all = script_sent(&s, 0);
    size_t size = strlen(end);

    return strlen(all) >= size && strcmp(all + strlen(all) - size, end) == 0;
}

static void test_pages_json(void)
{
    aws_pages pages;
    int round;

    for (round = 0; round < 2; round++) { /* it can be used again */
        begin_pages(&pages, &aws_dynamodb_service, "ExclusiveStartKey", "LastEvaluatedKey", NULL);
        request.body = "{\"TableName\":\"t\"}";
        request.body_size = 17;
        answer(0, "200 OK", "", "{\"Items\":[1],\"LastEvaluatedKey\":{\"id\": {\"S\":\"a\\n\"}}}");
        answer(1, "200 OK", "", "{\"Items\":[2],\"LastEvaluatedKey\":{\"id\":{\"S\":\"b\"}}}");
        answer(2, "200 OK", "", "{\"Items\":[3]}");
        answer(3, "200 OK", "", "{\"Items\":[4]}");
        CHECK_INT(aws_pages_json(&client, &pages), 1);
        CHECK(sent_last("\r\n\r\n{\"TableName\":\"t\"}"));
        CHECK_INT(aws_pages_json(&client, &pages), 1);
        CHECK(sent_last(
            "{\"TableName\":\"t\",\"ExclusiveStartKey\":{\"id\": {\"S\":\"a\\n\"}}}"));
        CHECK_INT(aws_pages_json(&client, &pages), 1);
        CHECK(sent_last("{\"TableName\":\"t\",\"ExclusiveStartKey\":{\"id\":{\"S\":\"b\"}}}"));
        CHECK(aws_json_find(&pages.json, 0, "Items.0") > 0);
        CHECK_INT(buffer[10], '3');
        CHECK_INT(aws_pages_json(&client, &pages), 0);
        CHECK_INT(s.requests, 3);
        CHECK_INT(aws_pages_json(&client, &pages), 1); /* again from the first page */
        CHECK(sent_last("\r\n\r\n{\"TableName\":\"t\"}"));
    }
    /* a text token stays JSON in a body; a flag says that there is more */
    begin_pages(&pages, &aws_kms_service, "Marker", "NextMarker", "Truncated");
    answer(0, "200 OK", "", "{\"NextMarker\":\"a\\\"b\",\"Truncated\":true}");
    answer(1, "200 OK", "", "{\"NextMarker\":\"c\",\"Truncated\":false}");
    CHECK_INT(aws_pages_json(&client, &pages), 1);
    CHECK_INT(aws_pages_json(&client, &pages), 1);
    CHECK(sent_last("\r\n\r\n{\"Marker\":\"a\\\"b\"}"));
    CHECK_INT(aws_pages_json(&client, &pages), 0);
    /* in a query it is plain text */
    begin_pages(&pages, &aws_lambda_service, "Marker", "NextMarker", NULL);
    request.method = "GET";
    request.path = "/f";
    answer(0, "200 OK", "", "{\"NextMarker\":\"a\\\"b\"}");
    answer(1, "200 OK", "", "{\"NextMarker\":\"\"}");
    CHECK_INT(aws_pages_json(&client, &pages), 1);
    CHECK_INT(aws_pages_json(&client, &pages), 1);
    CHECK(strstr(script_sent(&s, 0), "GET /f?Marker=a%22b HTTP/1.1\r\n") != NULL);
    CHECK_INT(aws_pages_json(&client, &pages), 0);
}

static void test_pages_xml(void)
{
    aws_pages pages;

    begin_pages(&pages, &aws_iam_service, "Marker", "R.Marker", "R.IsTruncated");
    answer(0, "200 OK", "", "<A><R><Marker>a&amp;b</Marker><IsTruncated>true</IsTruncated></R></A>");
    answer(1, "200 OK", "", "<A><R><Marker>c</Marker><IsTruncated>false</IsTruncated></R></A>");
    CHECK_INT(aws_pages_xml(&client, &pages), 1);
    CHECK_INT(aws_pages_xml(&client, &pages), 1);
    CHECK(sent_last("Action=Action&Version=2010-05-08&Marker=a%26b"));
    CHECK_INT(aws_pages_xml(&client, &pages), 0);
    begin_pages(&pages, &aws_ec2_service, "NextToken", "nextToken", NULL);
    answer(0, "200 OK", "", "<A><nextToken>x</nextToken></A>");
    answer(1, "200 OK", "", "<A><nextToken/></A>");
    request.token = "start"; /* a token to begin with */
    CHECK_INT(aws_pages_xml(&client, &pages), 1);
    CHECK(sent_last("&NextToken=start"));
    CHECK_INT(aws_pages_xml(&client, &pages), 1);
    CHECK(sent_last("&NextToken=x"));
    CHECK_INT(aws_pages_xml(&client, &pages), 0);
}

/* The first page is right, the second one wrong. */
static void wrong_page(const char *second, size_t size, int reason)
{
    aws_pages pages;

    begin_pages(&pages, &aws_dynamodb_service, "T", "T", "More");
    pages.size = size;
    answer(0, "200 OK", "", "{\"T\":\"first\",\"More\":true}");
    answer(1, "200 OK", "", second);
    answer(2, "200 OK", "", "{\"More\":false}");
    CHECK_INT(aws_pages_json(&client, &pages), 1);
    CHECK_INT(aws_pages_json(&client, &pages), -(reason % 32));
    CHECK_INT(aws_client_failure(&client)->reason, reason);
    CHECK_INT(aws_pages_json(&client, &pages), 1); /* the same page again */
    CHECK(sent_last("{\"T\":\"first\"}"));
    CHECK_INT(aws_pages_json(&client, &pages), 0);
}

static void test_pages_wrong(void)
{
    aws_pages pages;
    int n;

    wrong_page("{\"T\":\"first\",\"More\":true}", 64, AWS_REASON_TOKEN);
    wrong_page("{\"More\":true}", 64, AWS_REASON_TOKEN);
    wrong_page("{\"More\":true", 64, AWS_REASON_JSON);
    wrong_page("{\"T\":\"second\",\"More\":true}", 16, AWS_REASON_PAGE_TOKEN);
    CHECK_INT(aws_client_failure(&client)->needed, 0);
    begin_pages(&pages, &aws_dynamodb_service, "T", "T", NULL);
    pages.size = 15;
    answer(0, "200 OK", "", "{\"T\":\"second\"}");
    CHECK_INT(aws_pages_json(&client, &pages), AWS_ERR_MEMORY);
    CHECK_INT(aws_client_failure(&client)->needed, 18);
    CHECK_STR(aws_client_failure_text(&client),
              "Action: the memory given is too small: the next page's token does not fit "
              "aws_pages.memory: 18 bytes are needed");
    begin_pages(&pages, &aws_dynamodb_service, "T", "T", NULL);
    pages.token_count = 2;
    answer(0, "200 OK", "", "{\"T\":\"second\"}");
    CHECK_INT(aws_pages_json(&client, &pages), AWS_ERR_MEMORY);
    CHECK_INT(aws_client_failure(&client)->reason, AWS_REASON_JSON_TOKENS);
    CHECK_INT(aws_client_failure(&client)->needed, 3 * sizeof(aws_json_token));
    for (n = 0; n < 3; n++) {
        static const char *const second[] = {"<A><T>x</T><M>true</M></A>", "<A><M>true</M></A>",
                                             "<A><T>second</T><M>true</M></A>"};
        static const int reasons[] = {AWS_REASON_TOKEN, AWS_REASON_TOKEN, AWS_REASON_PAGE_TOKEN};
        begin_pages(&pages, &aws_sns_service, "T", "T", "M");
        pages.size = 12;
        answer(0, "200 OK", "", "<A><T>x</T><M>true</M></A>");
        answer(1, "200 OK", "", second[n]);
        CHECK_INT(aws_pages_xml(&client, &pages), 1);
        CHECK_INT(aws_pages_xml(&client, &pages), -(reasons[n] % 32));
        CHECK_INT(aws_client_failure(&client)->reason, reasons[n]);
    }
    begin_pages(&pages, &aws_sns_service, "T", "T", NULL); /* a token is a leaf */
    answer(0, "200 OK", "", "<A><T><x/></T></A>");
    CHECK_INT(aws_pages_xml(&client, &pages), AWS_ERR_XML);
}

static void test_addresses(void)
{
    static const aws_addresses addresses = {aws_service_addresses, AWS_USE_FIPS};
    static const aws_service s3 = {"S3", "s3", "s3", &aws_rest_xml, NULL, AWS_SERVICE_S3,
                                   NULL, NULL, NULL, NULL};

    begin(&aws_sqs_service);
    session.config.addresses = &addresses;
    check_refused(AWS_REASON_ADDRESS_ENDPOINT, "test.local");
    aws_client_close(&client);
    s.port.flags |= AWS_PORT_TLS;
    config.endpoint = NULL;
    config.addresses = &addresses;
    aws_session_init(&session, &config);
    CHECK_INT(aws_client_init(&client, &session, &s3, memory, sizeof memory), 0);
    check_refused(AWS_REASON_ADDRESS_S3, NULL);
    aws_client_close(&client);
    CHECK_INT(aws_client_init(&client, &session, &aws_sqs_service, memory, sizeof memory), 0);
    answer(0, "200 OK", "", "{}");
    CHECK_INT(aws_request_run(&client, &request), 0);
    CHECK_STR(aws_client_host(&client), "sqs-fips.eu-west-1.amazonaws.com");
}

/* Python: zlib.crc32(b'{"a":1}') */
static void test_crc32(void)
{
    static const struct {
        const char *header;
        int want;
    } rows[] = {{"x-amz-crc32: 1444654255\r\n", 7},
                {"x-amz-crc32: 1\r\n", AWS_ERR_CHECKSUM},
                {"x-amz-crc32: no\r\n", 7},
                {"", 7}};
    size_t i;

    for (i = 0; i < 4; i++) {
        begin(&aws_dynamodb_service);
        answer(0, "200 OK", rows[i].header, "{\"a\":1}");
        request.buffer = buffer;
        request.buffer_size = sizeof buffer;
        CHECK_INT(aws_request_run(&client, &request), rows[i].want);
        CHECK_INT(aws_client_failure(&client)->reason, rows[i].want < 0 ? AWS_REASON_CRC32 : 0);
    }
}

/* What came damaged is asked for again, as often as anything else. */
static void test_crc32_again(script_mode mode)
{
    unsigned wrong, i;
    int r;

    for (wrong = 1; wrong <= 3; wrong++) {
        begin_with(&aws_dynamodb_service, sizeof memory, mode);
        session.config.max_attempts = 3;
        for (i = 0; i < wrong; i++)
            answer(i, "200 OK", "x-amz-crc32: 1\r\n", "{\"a\":12}");
        answer(i, "200 OK", "x-amz-crc32: 1444654255\r\n", "{\"a\":1}");
        request.body = "{\"b\":2}";
        request.body_size = 7;
        request.buffer = buffer;
        request.buffer_size = sizeof buffer;
        SCRIPT_RUN(r, &s, &client, aws_request_run(&client, &request));
        CHECK_INT(r, wrong < 3 ? 7 : AWS_ERR_CHECKSUM);
        CHECK_INT(aws_client_failure(&client)->attempts, wrong < 3 ? wrong + 1 : 3);
        CHECK_INT(aws_client_failure(&client)->reason, wrong < 3 ? 0 : AWS_REASON_CRC32);
        CHECK_INT(s.requests, wrong < 3 ? wrong + 1 : 3);
        CHECK(strstr(script_sent(&s, 0), "\r\n\r\n{\"b\":2}") != NULL);
        aws_client_close(&client);
    }
}

/* Somebody else's service, at all speeds. */
static void test_third_party(void)
{
    static events_event event;
    int mode, r;

    for (mode = 0; mode < 3; mode++) {
        begin_with(&events_service, sizeof memory, mode ? SCRIPT_NEVER_WAITS : SCRIPT_WAITS);
        memset(&event, 0, sizeof event);
        s.again_always = mode != 0;
        s.split_read = s.split_write = mode == 2 ? 1 : 0;
        event.source = "boiler";
        event.type = "a\"b";
        event.detail = "{\"centi\":9950}";
        answer(0, "200 OK", "", "{\"FailedEntryCount\":0,\"Entries\":[{\"EventId\":\"e-1\"}]}");
        SCRIPT_RUN(r, &s, &client, events_put(&client, &event));
        CHECK_INT(r, 3);
        CHECK_STR(event.id, "e-1");
        CHECK_STR(sent_body(), "{\"Entries\":[{\"Source\":\"boiler\",\"DetailType\":\"a\\\"b\","
                               "\"Detail\":\"{\\\"centi\\\":9950}\"}]}");
        CHECK(strstr(script_sent(&s, 0), "x-amz-target: AWSEvents.PutEvents\r\n") != NULL);
        CHECK(strstr(script_sent(&s, 0), "/eu-west-1/events/aws4_request") != NULL);
    }
    begin(&events_service);
    answer(0, "200 OK", "", "{\"FailedEntryCount\":1,\"Entries\":[{\"ErrorCode\":\"x\"}]}");
    CHECK_INT(events_put(&client, &event), AWS_ERR_SERVICE);
}

/* A throttled request is made again, its form and target as before. */
static void test_again(void)
{
    unsigned split;

    for (split = 0; split < 3; split++) {
        int r;
        begin_with(&aws_kinesis_service, AWS_CLIENT_MEMORY_HTTP,
                   split ? SCRIPT_NEVER_WAITS : SCRIPT_WAITS);
        session.config.max_attempts = 2;
        answer(0, "400 Bad Request", "", "{\"__type\":\"ProvisionedThroughputExceededException\"}");
        answer(1, "200 OK", "", "{\"ok\":1}");
        s.split_read = s.split_write = split == 2 ? 1 : 0;
        s.again_always = split != 0;
        request.body = "{\"a\":1}";
        request.body_size = 7;
        request.buffer = buffer;
        request.buffer_size = sizeof buffer;
        SCRIPT_RUN(r, &s, &client, aws_request_run(&client, &request));
        CHECK_INT(r, 8);
        CHECK_INT(s.requests, 2);
        CHECK_MEM(buffer, "{\"ok\":1}", 8);
        CHECK(strstr(script_sent(&s, 0), "x-amz-target: Kinesis_20131202.Action\r\n") != NULL);
        CHECK_INT(s.breaches, 0);
    }
}

/* ---- XML by path ---- */

static const char ec2[] =
    "<?xml version=\"1.0\"?>\n<D xmlns='x>y'><requestId>r</requestId><set><item><id>i-1</id><n>"
    "<item a=\"b\">x</item><item/></n></item><item><id>i-&lt;2&gt;</id><empty/></item></set>"
    "<set><item><id>i-3</id></item></set><t>a<b/>c</t></D>";

static void test_xml_find(void)
{
    static const struct {
        const char *path, *element, *value;
    } found[] = {{"requestId", "<requestId>r</requestId>", "r"},
                 {"set.item.id", "<id>i-1</id>", "i-1"},
                 {"set.item.1.id", "<id>i-&lt;2&gt;</id>", "i-<2>"},
                 {"set.0.item.1.empty", "<empty/>", ""},
                 {"set.item.n.item", "<item a=\"b\">x</item>", "x"},
                 {"set.item.n.item.1", "<item/>", ""},
                 {"set.1.item.id", "<id>i-3</id>", "i-3"},
                 {"t", "<t>a<b/>c</t>", NULL}};
    static const char *const missing[] = {"D",           "id",      "set.id", "set.item.2.id", "",
                                          "set.2",       "set.item.1.n", "item", "requestId.x",
                                          "set.item.id.id", "set.item.empty"};
    aws_slice doc, at, inner;
    char value[64];
    size_t i;

    doc.text = ec2;
    doc.size = sizeof ec2 - 1;
    for (i = 0; i < sizeof found / sizeof *found; i++) {
        if (!CHECK_INT(aws_xml_find(&doc, found[i].path, &at), 1))
            continue;
        CHECK_INT(at.size, strlen(found[i].element));
        CHECK_MEM(at.text, found[i].element, at.size);
        if (!found[i].value) {
            CHECK_INT(aws_xml_value(&at, value, sizeof value), AWS_ERR_XML);
            continue;
        }
        CHECK_INT(aws_xml_get(&doc, found[i].path, value, sizeof value), strlen(found[i].value));
        CHECK_STR(value, found[i].value);
        CHECK_INT(aws_xml_value(&at, value, strlen(found[i].value) + 1), strlen(found[i].value));
        CHECK_INT(aws_xml_value(&at, value, strlen(found[i].value)), AWS_ERR_MEMORY);
    }
    for (i = 0; i < sizeof missing / sizeof *missing; i++) {
        CHECK_INT(aws_xml_find(&doc, missing[i], &at), 0);
        CHECK_INT(aws_xml_get(&doc, missing[i], value, sizeof value), 0);
        CHECK_STR(value, "");
    }
    CHECK_INT(aws_xml_find(&doc, "set.item.1", &at), 1); /* an element is a document too */
    CHECK_INT(aws_xml_find(&at, "id", &inner), 1);
    CHECK_INT(aws_xml_get(&at, "id", value, sizeof value), 5);
    CHECK_STR(value, "i-<2>");
    for (i = 0; i < sizeof ec2 - 1; i++) { /* no prefix says that something isn't there */
        doc.size = i;
        CHECK_INT(aws_xml_find(&doc, "nothing", &at), AWS_ERR_XML);
    }
}

int main(void)
{
    test_refused();
    test_form();
    test_token();
    test_answers();
    test_errors();
    test_pages_json();
    test_pages_xml();
    test_pages_wrong();
    test_addresses();
    test_crc32();
    test_crc32_again(SCRIPT_WAITS);
    test_crc32_again(SCRIPT_NEVER_WAITS);
    test_third_party();
    test_again();
    test_xml_find();
    script_free(&s);
    return CHECK_DONE();
}
