/* services_suite.c - actions of many services against moto, or DynamoDB's against dynalite.
 *
 * SPDX-License-Identifier: MIT
 *
 *     services_suite moto|dynalite|rgw|rgw20     (services_suite.py starts the server and runs it)
 *
 * The environment says where: AWS_ENDPOINT_URL, AWS_CA_BUNDLE, keys and region. Of each service at
 * least one write whose effect is read back, one listing of several pages, one error. moto has no
 * pages for SQS, and STS has no listing. Ceph: keys from AssumeRole, and S3 with them.
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "check.h"
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

enum { BUFFER = 1 << 21, TOKENS = 60000 };

static unsigned char memory[AWS_CLIENT_MEMORY], trust_memory[65536];
static char buffer[BUFFER], body[1 << 16], tokens_memory[8192];
static aws_json_token tokens[TOKENS];
static aws_trust trust;
static aws_session session;
static aws_client client;
static aws_request request;
static aws_json json;
static aws_slice xml;
static aws_pair pairs[32];

static void use(const aws_service *service)
{
    aws_client_close(&client);
    CHECK_INT(aws_client_init(&client, &session, service, memory, sizeof memory), 0);
}

static void prepare(const char *operation)
{
    memset(&request, 0, sizeof request);
    request.operation = operation;
    request.buffer = buffer;
    request.buffer_size = sizeof buffer;
}

static int run(void)
{
    int r = aws_request_run(&client, &request);

    if (r < 0 && (r != AWS_ERR_SERVICE || getenv("VERBOSE")))
        fprintf(stderr, "    %s\n", aws_client_failure_text(&client));
    return r;
}

/* An action with a JSON body as of printf; its answer is in json. */
static int json_call(const char *operation, const char *format, ...)
{
    va_list list;
    int r;

    prepare(operation);
    va_start(list, format);
    vsnprintf(body, sizeof body, format, list);
    va_end(list);
    request.body = body;
    request.body_size = strlen(body);
    if ((r = run()) <= 0)
        return r;
    r = aws_json_parse(&json, buffer, (size_t)r, tokens, TOKENS);
    if (!CHECK(r > 0))
        fprintf(stderr, "    %s: %.300s\n", operation, buffer);
    return r;
}

/* A string's JSON text, to be put between quotes again. */
static const char *json_raw(const char *path)
{
    static char texts[4][4096];
    static unsigned turn;
    char *text = texts[turn++ % 4];
    const aws_json_token *t = json.tokens + aws_json_find(&json, 0, path);

    snprintf(text, 4096, "%.*s", t->end - t->start, json.text + t->start);
    return text;
}

static const char *json_text(const char *path)
{
    static char texts[4][4096];
    static unsigned turn;
    char *text = texts[turn++ % 4];

    if (aws_json_string(&json, aws_json_find(&json, 0, path), text, 4096) < 0)
        text[0] = 0;
    return text;
}

/* An action of the query or EC2 protocol with names and values up to NULL; its answer is in xml. */
static int form_call(const char *operation, ...)
{
    va_list list;
    size_t n = 0;
    int r;

    prepare(operation);
    va_start(list, operation);
    while ((pairs[n].name = va_arg(list, const char *)) != NULL)
        pairs[n++].value = va_arg(list, const char *);
    va_end(list);
    request.form = pairs;
    request.form_count = n;
    r = run();
    xml.text = buffer;
    xml.size = r > 0 ? (size_t)r : 0;
    return r;
}

static const char *xml_text(const char *path)
{
    static char texts[4][4096];
    static unsigned turn;
    char *text = texts[turn++ % 4];

    if (aws_xml_get(&xml, path, text, 4096) < 0)
        text[0] = 0;
    return text;
}

static void expect_error(int r, const char *code)
{
    CHECK_INT(r, AWS_ERR_SERVICE);
    CHECK_STR(aws_client_failure(&client)->aws_code, code);
    CHECK(aws_client_failure(&client)->message[0] != 0);
}

/* Ask for all pages of the request as it was prepared: the count of entries in all of them. */
static unsigned all_pages(const char *name, const char *token, const char *more, const char *list,
                          unsigned least_pages)
{
    aws_pages pages;
    unsigned entries = 0, count = 0;
    int xml_pages = client.service->protocol->flags & AWS_PROTOCOL_XML, r, at;
    char path[128];

    memset(&pages, 0, sizeof pages);
    request.token_name = name;
    pages.request = &request;
    pages.token_path = token;
    pages.more_path = more;
    pages.memory = tokens_memory;
    pages.size = sizeof tokens_memory;
    pages.tokens = tokens;
    pages.token_count = TOKENS;
    while ((r = xml_pages ? aws_pages_xml(&client, &pages) : aws_pages_json(&client, &pages)) > 0) {
        count++;
        if (xml_pages) {
            aws_slice element;
            for (at = 0;; at++, entries++) {
                snprintf(path, sizeof path, "%s.%d", list, at);
                if (aws_xml_find(&pages.xml, path, &element) <= 0)
                    break;
            }
        } else {
            int array = aws_json_find(&pages.json, 0, list);
            for (at = 0; (at = aws_json_each(&pages.json, array, at)) != 0;)
                entries++;
        }
    }
    if (!CHECK_INT(r, 0))
        fprintf(stderr, "    %s\n", aws_client_failure_text(&client));
    CHECK(count >= least_pages);
    return entries;
}

/* ---- The services ---- */

/* Has the table come, or (gone) has it ended? */
static int ask_table(aws_client *c, const void *gone)
{
    int r = json_call("DescribeTable", "{\"TableName\":\"table\"}");

    (void)c;
    if (r < 0 || gone)
        return r < 0 ? r : AWS_WAITER_AGAIN;
    return strcmp(json_text("Table.TableStatus"), "ACTIVE") == 0 ? AWS_WAITER_DONE
                                                                 : AWS_WAITER_AGAIN;
}

/* botocore's waiters of DynamoDB, asking more often. */
static void wait_for_table(int gone)
{
    static const aws_waiter_rule absent[] = {
        {0, "ResourceNotFoundException", AWS_WAITER_AGAIN}, {0, NULL, 0}};
    static const aws_waiter_rule gone_rules[] = {
        {0, "ResourceNotFoundException", AWS_WAITER_DONE}, {0, NULL, 0}};
    static const aws_waiter_kind exists = {"TableExists", ask_table, absent, 100, 600};
    static const aws_waiter_kind not_exists = {"TableNotExists", ask_table, gone_rules, 100, 600};
    aws_waiter waiter;

    memset(&waiter, 0, sizeof waiter);
    if (!CHECK_INT(aws_wait(&client, gone ? &not_exists : &exists, gone ? "" : NULL, &waiter), 0))
        fprintf(stderr, "    %s\n", aws_client_failure_text(&client));
}

static void create_table(void)
{
    CHECK(json_call("CreateTable",
                    "{\"TableName\":\"table\",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":5,\"WriteCapacityUnits\":5},\"KeySchema\":[{"
                    "\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":[{"
                    "\"AttributeName\":\"id\",\"AttributeType\":\"S\"}]}") > 0);
    wait_for_table(0);
}

static void dynamodb(unsigned items, unsigned limit)
{
    unsigned n;
    int64_t centi;

    use(&aws_dynamodb_service);
    create_table();
    for (n = 0; n < items; n++) {
        aws_json_writer w;
        char id[16];
        snprintf(id, sizeof id, "i\"%05u", n);
        prepare("PutItem");
        aws_json_begin(&w, body, sizeof body);
        aws_json_open_object(&w, NULL);
        aws_json_put_string(&w, "TableName", "table");
        aws_json_open_object(&w, "Item");
        aws_json_open_object(&w, "id");
        aws_json_put_string(&w, "S", id);
        aws_json_close(&w);
        aws_json_open_object(&w, "temperature");
        aws_json_put_quoted(&w, "N", (int64_t)n - 5, 2);
        aws_json_close(&w);
        aws_json_close(&w);
        aws_json_close(&w);
        request.body = body;
        request.body_size = (uint64_t)aws_json_end(&w);
        if (!CHECK(run() >= 0))
            return;
    }
    CHECK(json_call("GetItem", "{\"TableName\":\"table\",\"Key\":{\"id\":{\"S\":\"i\\\"00002\"}}}") > 0);
    CHECK_INT(aws_json_number(&json, aws_json_find(&json, 0, "Item.temperature.N"), 2, &centi), 0);
    CHECK_INT(centi, -3);
    prepare("Scan");
    snprintf(body, sizeof body, "{\"TableName\":\"table\",\"Limit\":%u}", limit);
    request.body = body;
    request.body_size = strlen(body);
    CHECK_INT(all_pages("ExclusiveStartKey", "LastEvaluatedKey", NULL, "Items", items / limit),
              items);
    expect_error(json_call("GetItem", "{\"TableName\":\"none\",\"Key\":{\"id\":{\"S\":\"x\"}}}"),
                 "ResourceNotFoundException");
    CHECK(json_call("DeleteTable", "{\"TableName\":\"table\"}") > 0);
    wait_for_table(1);
}

static void ec2(void)
{
    char id[64];
    int n;

    use(&aws_ec2_service);
    for (n = 0; n < 3; n++)
        CHECK(form_call("RunInstances", "ImageId", "ami-12c6146b", "MinCount", "1", "MaxCount", "1",
                        "InstanceType", "t2.micro", NULL) > 0);
    snprintf(id, sizeof id, "%s", xml_text("instancesSet.item.instanceId"));
    CHECK(strncmp(id, "i-", 2) == 0);
    CHECK(form_call("DescribeInstances", "InstanceId.1", id, NULL) > 0);
    CHECK_STR(xml_text("reservationSet.item.0.instancesSet.item.0.instanceId"), id);
    CHECK_STR(xml_text("reservationSet.item.instancesSet.item.instanceType"), "t2.micro");
    CHECK_STR(xml_text("reservationSet.item.1.instancesSet.item.instanceId"), "");
    prepare("DescribeInstances");
    pairs[0].name = "MaxResults";
    pairs[0].value = "1";
    request.form = pairs;
    request.form_count = 1;
    CHECK_INT(all_pages("NextToken", "nextToken", NULL, "reservationSet.item", 3), 3);
    expect_error(form_call("DescribeInstances", "InstanceId.1", "i-1234567890abcdef0", NULL),
                 "InvalidInstanceID.NotFound");
    CHECK(aws_client_failure(&client)->request_id[0] != 0);
}

static void sts(void)
{
    static char policy[4000];

    use(&aws_sts_service);
    CHECK(form_call("GetCallerIdentity", NULL) > 0);
    CHECK_STR(xml_text("GetCallerIdentityResult.Account"), "123456789012");
    CHECK(form_call("AssumeRole", "RoleArn", "arn:aws:iam::123456789012:role/r",
                    "RoleSessionName", "s1", NULL) > 0);
    CHECK(strlen(xml_text("AssumeRoleResult.Credentials.SecretAccessKey")) > 20);
    memset(policy, 'x', sizeof policy - 1);
    expect_error(form_call("GetFederationToken", "Name", "name", "Policy", policy, NULL),
                 "ValidationError");
}

static void iam(void)
{
    static const char *const names[] = {"p0", "p1", "p2"};
    int n;

    use(&aws_iam_service);
    CHECK(form_call("CreateUser", "UserName", "u=1", "Path", "/p/", NULL) > 0);
    CHECK(form_call("GetUser", "UserName", "u=1", NULL) > 0);
    CHECK_STR(xml_text("GetUserResult.User.UserName"), "u=1");
    CHECK_STR(xml_text("GetUserResult.User.Path"), "/p/");
    for (n = 0; n < 3; n++)
        CHECK(form_call("CreatePolicy", "PolicyName", names[n], "PolicyDocument",
                        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":"
                        "\"s3:*\",\"Resource\":\"*\"}]}", NULL) > 0);
    prepare("ListPolicies");
    pairs[0].name = "MaxItems";
    pairs[0].value = "1";
    pairs[1].name = "Scope";
    pairs[1].value = "Local";
    request.form = pairs;
    request.form_count = 2;
    CHECK_INT(all_pages("Marker", "ListPoliciesResult.Marker", "ListPoliciesResult.IsTruncated",
                        "ListPoliciesResult.Policies.member", 3), 3);
    expect_error(form_call("GetUser", "UserName", "nobody", NULL), "NoSuchEntity");
    CHECK_INT(aws_client_failure(&client)->http_status, 404);
}

static void sqs(void)
{
    char url[512], handle[1024];

    use(&aws_sqs_service);
    CHECK(json_call("CreateQueue", "{\"QueueName\":\"q\"}") > 0);
    snprintf(url, sizeof url, "%s", json_text("QueueUrl"));
    CHECK(json_call("SendMessage", "{\"QueueUrl\":\"%s\",\"MessageBody\":\"a\\u00e4\\\"\"}", url) > 0);
    CHECK(json_call("ReceiveMessage", "{\"QueueUrl\":\"%s\"}", url) > 0);
    CHECK_STR(json_text("Messages.0.Body"), "a\xc3\xa4\"");
    snprintf(handle, sizeof handle, "%s", json_raw("Messages.0.ReceiptHandle"));
    CHECK(json_call("DeleteMessage", "{\"QueueUrl\":\"%s\",\"ReceiptHandle\":\"%s\"}", url, handle) >= 0);
    prepare("ListQueues");
    CHECK_INT(all_pages("NextToken", "NextToken", NULL, "QueueUrls", 1), 1);
    expect_error(json_call("GetQueueUrl", "{\"QueueName\":\"none\"}"),
                 "AWS.SimpleQueueService.NonExistentQueue");
}

static void sns(void)
{
    char name[16], topic[256];
    int n;

    use(&aws_sns_service);
    for (n = 0; n < 105; n++) { /* 100 a page */
        snprintf(name, sizeof name, "topic%d", n);
        CHECK(form_call("CreateTopic", "Name", name, NULL) > 0);
    }
    snprintf(topic, sizeof topic, "%s", xml_text("CreateTopicResult.TopicArn"));
    CHECK(form_call("Publish", "TopicArn", topic, "Message", "a&b \xc3\xa4", NULL) > 0);
    CHECK(xml_text("PublishResult.MessageId")[0] != 0);
    prepare("ListTopics");
    CHECK_INT(all_pages("NextToken", "ListTopicsResult.NextToken", NULL,
                        "ListTopicsResult.Topics.member", 2), 105);
    expect_error(form_call("GetTopicAttributes", "TopicArn", "arn:aws:sns:us-east-1:1:no", NULL),
                 "NotFound");
}

static void kinesis(void)
{
    char shard[4096], data[64];
    int n;

    use(&aws_kinesis_service);
    CHECK(json_call("CreateStream", "{\"StreamName\":\"s\",\"ShardCount\":3}") >= 0);
    for (n = 0; n < 2; n++)
        CHECK(json_call("PutRecord", "{\"StreamName\":\"s\",\"Data\":\"AP9oaQ==\","
                                     "\"PartitionKey\":\"p\"}") > 0);
    snprintf(shard, sizeof shard, "%s", json_raw("ShardId"));
    CHECK(json_call("GetShardIterator", "{\"StreamName\":\"s\",\"ShardId\":\"%s\","
                                        "\"ShardIteratorType\":\"TRIM_HORIZON\"}", shard) > 0);
    snprintf(shard, sizeof shard, "%s", json_raw("ShardIterator"));
    CHECK(json_call("GetRecords", "{\"ShardIterator\":\"%s\"}", shard) > 0);
    CHECK_INT(aws_json_base64(&json, aws_json_find(&json, 0, "Records.1.Data"), data, 64), 4);
    CHECK_MEM(data, "\0\xffhi", 4);
    prepare("ListShards"); /* moto wants the stream's name with each token, AWS refuses it */
    request.body = "{\"StreamName\":\"s\",\"MaxResults\":2}";
    request.body_size = strlen((const char *)request.body);
    CHECK_INT(all_pages("NextToken", "NextToken", NULL, "Shards", 2), 3);
    expect_error(json_call("DescribeStream", "{\"StreamName\":\"none\"}"),
                 "ResourceNotFoundException");
}

static void kms(void)
{
    char key[128], blob[2048];
    int n;

    use(&aws_kms_service);
    CHECK(json_call("CreateKey", "{}") > 0);
    snprintf(key, sizeof key, "%s", json_text("KeyMetadata.KeyId"));
    CHECK(json_call("Encrypt", "{\"KeyId\":\"%s\",\"Plaintext\":\"AP9oaQ==\"}", key) > 0);
    snprintf(blob, sizeof blob, "%s", json_text("CiphertextBlob"));
    CHECK(json_call("Decrypt", "{\"CiphertextBlob\":\"%s\"}", blob) > 0);
    CHECK_STR(json_text("Plaintext"), "AP9oaQ==");
    for (n = 0; n < 3; n++)
        CHECK(json_call("RotateKeyOnDemand", "{\"KeyId\":\"%s\"}", key) > 0);
    prepare("ListKeyRotations");
    snprintf(body, sizeof body, "{\"KeyId\":\"%s\",\"Limit\":1}", key);
    request.body = body;
    request.body_size = strlen(body);
    CHECK_INT(all_pages("Marker", "NextMarker", "Truncated", "Rotations", 3), 3);
    expect_error(json_call("DescribeKey", "{\"KeyId\":\"00000000-0000-0000-0000-000000000000\"}"),
                 "NotFoundException");
}

static void secrets(void)
{
    int n;

    use(&aws_secretsmanager_service);
    for (n = 0; n < 3; n++)
        CHECK(json_call("CreateSecret", "{\"Name\":\"s%d\",\"SecretString\":\"x%d\"}", n, n) > 0);
    CHECK(json_call("GetSecretValue", "{\"SecretId\":\"s1\"}") > 0);
    CHECK_STR(json_text("SecretString"), "x1");
    prepare("ListSecrets");
    request.body = "{\"MaxResults\":1}";
    request.body_size = 16;
    CHECK_INT(all_pages("NextToken", "NextToken", NULL, "SecretList", 3), 3);
    expect_error(json_call("GetSecretValue", "{\"SecretId\":\"none\"}"),
                 "ResourceNotFoundException");
}

static void ssm(void)
{
    int n;

    use(&aws_ssm_service);
    for (n = 0; n < 3; n++)
        CHECK(json_call("PutParameter", "{\"Name\":\"/own/%d\",\"Value\":\"v%d\",\"Type\":"
                                        "\"String\"}", n, n) > 0);
    CHECK(json_call("GetParameter", "{\"Name\":\"/own/1\"}") > 0);
    CHECK_STR(json_text("Parameter.Value"), "v1");
    prepare("GetParametersByPath");
    request.body = "{\"Path\":\"/own\",\"MaxResults\":1}";
    request.body_size = strlen((const char *)request.body);
    CHECK_INT(all_pages("NextToken", "NextToken", NULL, "Parameters", 3), 3);
    expect_error(json_call("GetParameter", "{\"Name\":\"/none\"}"), "ParameterNotFound");
}

static void logs(void)
{
    int n;

    use(&aws_logs_service);
    for (n = 0; n < 3; n++)
        CHECK(json_call("CreateLogGroup", "{\"logGroupName\":\"g%d\"}", n) >= 0);
    CHECK(json_call("CreateLogStream", "{\"logGroupName\":\"g0\",\"logStreamName\":\"s\"}") >= 0);
    CHECK(json_call("PutLogEvents", "{\"logGroupName\":\"g0\",\"logStreamName\":\"s\",\"logEvents\":"
                                    "[{\"timestamp\":%lld000,\"message\":\"hello\"}]}",
                    (long long)time(NULL)) > 0);
    CHECK(json_call("GetLogEvents", "{\"logGroupName\":\"g0\",\"logStreamName\":\"s\"}") > 0);
    CHECK_STR(json_text("events.0.message"), "hello");
    prepare("DescribeLogGroups");
    request.body = "{\"limit\":1}";
    request.body_size = 11;
    CHECK_INT(all_pages("nextToken", "nextToken", NULL, "logGroups", 3), 3);
    expect_error(json_call("CreateLogGroup", "{\"logGroupName\":\"g1\"}"),
                 "ResourceAlreadyExistsException");
}

/* A REST call: method and path template; label, then names and values of the query up to NULL. */
static int rest_call(const char *operation, const char *method, const char *path, const char *label,
                     const char *json_body)
{
    static aws_pair name;
    int r;

    prepare(operation);
    request.method = method;
    request.path = path;
    name.name = "x";
    name.value = label;
    request.labels = &name;
    request.label_count = 1;
    request.body = json_body;
    request.body_size = json_body ? strlen(json_body) : 0;
    r = run();
    return r > 0 ? aws_json_parse(&json, buffer, (size_t)r, tokens, TOKENS) : r;
}

static void iot(void)
{
    char name[16];
    int n;

    use(&aws_iot_service);
    for (n = 0; n < 3; n++) {
        snprintf(name, sizeof name, "thing-%d", n);
        CHECK(rest_call("CreateThing", "POST", "/things/{x}", name, "{}") > 0);
        CHECK_STR(json_text("thingName"), name);
    }
    CHECK(rest_call("DescribeThing", "GET", "/things/{x}", "thing-1", NULL) > 0);
    CHECK_STR(json_text("thingName"), "thing-1");
    prepare("ListThings");
    request.method = "GET";
    request.path = "/things";
    pairs[0].name = "maxResults";
    pairs[0].value = "1";
    request.query = pairs;
    request.query_count = 1;
    CHECK_INT(all_pages("nextToken", "nextToken", NULL, "things", 3), 3);
    expect_error(rest_call("DescribeThing", "GET", "/things/{x}", "none", NULL),
                 "ResourceNotFoundException");
    use(&aws_iot_data_service);
    CHECK(rest_call("UpdateThingShadow", "POST", "/things/{x}/shadow", "thing-1",
                    "{\"state\":{\"desired\":{\"led\":\"on\"}}}") > 0);
    CHECK(rest_call("GetThingShadow", "GET", "/things/{x}/shadow", "thing-1", NULL) > 0);
    CHECK_STR(json_text("state.desired.led"), "on");
}

/* moto's CloudWatch answers in XML only, so it is asked by the older of the service's protocols. */
static void cloudwatch(void)
{
    static const aws_service query = {"CloudWatch", "monitoring", "monitoring", &aws_query,
                                      "2010-08-01", 0, NULL, aws_regional, NULL, NULL};
    char name[8];
    int n;

    use(&query);
    for (n = 0; n < 3; n++) {
        snprintf(name, sizeof name, "hot-%d", n);
        CHECK(form_call("PutMetricAlarm", "AlarmName", name, "MetricName", "heat", "Namespace", "boiler",
                        "Statistic", "Average", "Period", "60", "EvaluationPeriods", "1", "Threshold",
                        "99.5", "ComparisonOperator", "GreaterThanThreshold", NULL) > 0);
    }
    CHECK(form_call("DescribeAlarms", "AlarmNames.member.1", "hot-1", NULL) > 0);
    CHECK_STR(xml_text("DescribeAlarmsResult.MetricAlarms.member.MetricName"), "heat");
    CHECK(form_call("PutMetricData", "Namespace", "boiler", "MetricData.member.1.MetricName", "heat",
                    "MetricData.member.1.Value", "21.5", NULL) > 0);
    CHECK(form_call("ListMetrics", "Namespace", "boiler", NULL) > 0);
    CHECK_STR(xml_text("ListMetricsResult.Metrics.member.MetricName"), "heat");
    expect_error(form_call("GetDashboard", "DashboardName", "none", NULL), "ResourceNotFound");
}

/* A zip file with an empty "a.py" in it, by Python's zipfile; moto doesn't run it. */
static void lambda(void)
{
    static const char zip[] =
        "UEsDBBQAAAAAAAAAIQAAAAAAAAAAAAAAAAAEAAAAYS5weVBLAQIUAxQAAAAAAAAAIQAAAAAAAAAAAAAAAAAEAAAA"
        "AAAAAAAAAACAAQAAAABhLnB5UEsFBgAAAAABAAEAMgAAACIAAAAAAA==";
    char name[8], document[1024];
    int n;

    use(&aws_iam_service);
    form_call("CreateRole", "RoleName", "runs", "AssumeRolePolicyDocument", "{}", NULL);
    use(&aws_lambda_service);
    for (n = 0; n < 3; n++) {
        snprintf(name, sizeof name, "f%d", n);
        snprintf(document, sizeof document,
                 "{\"FunctionName\":\"%s\",\"Runtime\":\"python3.12\",\"Handler\":\"a.b\",\"Role\":"
                 "\"arn:aws:iam::123456789012:role/runs\",\"Code\":{\"ZipFile\":\"%s\"}}", name, zip);
        CHECK(rest_call("CreateFunction", "POST", "/2015-03-31/functions", NULL, document) > 0);
        CHECK_STR(json_text("FunctionName"), name);
    }
    CHECK(rest_call("GetFunction", "GET", "/2015-03-31/functions/{x}", "f1", NULL) > 0);
    CHECK_STR(json_text("Configuration.Handler"), "a.b");
    expect_error(rest_call("GetFunction", "GET", "/2015-03-31/functions/{x}", "none", NULL),
                 "ResourceNotFoundException");
}

/* ---- A role is made and assumed; then S3 with its keys ---- */

static int s3_put(const aws_service *service, const aws_config *config, const char *bucket,
                  const char *key)
{
    static unsigned char s3_memory[AWS_CLIENT_MEMORY];
    aws_session with;
    aws_s3_bucket b;
    aws_client s3;
    char got[8] = "";
    int r;

    aws_session_init(&with, config);
    aws_client_init(&s3, &with, service, s3_memory, sizeof s3_memory);
    aws_s3_bucket_init(&b, &s3, bucket);
    r = key ? aws_s3_bucket_put(&b, key, "hello", 5, NULL) : aws_s3_bucket_create(&b, NULL);
    if (r == 0 && key) {
        CHECK_INT(aws_s3_bucket_get(&b, key, got, sizeof got, NULL), 5);
        CHECK_STR(got, "hello");
        CHECK_INT(aws_s3_bucket_delete_key(&b, key), 0);
    }
    if (r < 0) {
        snprintf(body, sizeof body, "%s", aws_client_failure_text(&s3));
        if (getenv("VERBOSE"))
            fprintf(stderr, "    %s\n", body);
    }
    aws_client_close(&s3);
    aws_session_close(&with);
    CHECK(!check_finds(&with, sizeof with, getenv("AWS_SECRET_ACCESS_KEY")));
    CHECK(!check_finds(s3_memory, sizeof s3_memory, getenv("AWS_SECRET_ACCESS_KEY")));
    return r;
}

static const char *trusting = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                              "\"Principal\":{\"AWS\":[\"arn:aws:iam:::user/test\"]},"
                              "\"Action\":[\"sts:AssumeRole\"]}]}";
static const char *allowing = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                              "\"Action\":[\"s3:*\"],\"Resource\":[\"arn:aws:s3:::sts-allowed\","
                              "\"arn:aws:s3:::sts-allowed/*\"]}]}";

/* moto doesn't enforce what a role may do; Ceph does. */
static void assume(int enforced)
{
    static unsigned char keys_memory[AWS_KEYS_MEMORY];
    aws_keys_role source;
    aws_config config;
    aws_role role;
    char arn[200];

    use(&aws_iam_service);
    CHECK(form_call("CreateRole", "RoleName", "writer", "Path", "/", "AssumeRolePolicyDocument", trusting,
                    NULL) > 0);
    snprintf(arn, sizeof arn, "%s", xml_text("CreateRoleResult.Role.Arn"));
    CHECK(strstr(arn, "role/writer") != NULL);
    CHECK(form_call("PutRolePolicy", "RoleName", "writer", "PolicyName", "p", "PolicyDocument", allowing,
                    NULL) >= 0);
    memset(&config, 0, sizeof config);
    config.trust = session.config.trust;
    CHECK_INT(s3_put(&aws_s3_service, &config, "sts-allowed", NULL), 0);
    CHECK_INT(s3_put(&aws_s3_service, &config, "sts-other", NULL), 0);
    memset(&role, 0, sizeof role);
    role.arn = arn;
    role.session_name = "s1";
    config.provider = aws_keys_role_init(&source, aws_keys_environment(), &role, 1, keys_memory,
                                         sizeof keys_memory);
    CHECK_INT(s3_put(&aws_s3_service, &config, "sts-allowed", "a b"), 0);
    if (enforced) {
        CHECK_INT(s3_put(&aws_s3_service, &config, "sts-other", "a b"), AWS_ERR_SERVICE);
        CHECK(strstr(body, "AccessDenied") != NULL);
    }
    aws_keys_close(config.provider);
    CHECK(!check_finds(keys_memory, sizeof keys_memory, getenv("AWS_SECRET_ACCESS_KEY")));
    CHECK(!check_finds(&source, sizeof source, getenv("AWS_SECRET_ACCESS_KEY")));
    if (enforced) { /* a role that isn't there: the sentence says so, without a secret */
        role.arn = "arn:aws:iam:::role/nobody";
        config.provider = aws_keys_role_init(&source, aws_keys_environment(), &role, 1, keys_memory,
                                             sizeof keys_memory);
        CHECK(s3_put(&aws_s3_service, &config, "sts-allowed", "a b") < 0);
        CHECK(strstr(body, "gave no keys: ") != NULL);
        CHECK(strstr(body, getenv("AWS_SECRET_ACCESS_KEY")) == NULL);
        aws_keys_close(config.provider);
    }
}

static void assume_role(void)
{
    assume(0);
}

static void assume_role_ceph(void)
{
    assume(1);
}

static const char *last_call(void)
{
    return aws_client_failure_text(&client);
}

static void part(const char *name, void (*test)(void))
{
    unsigned long passed = check_passed, failed = check_failed;

    test();
    printf("%s: %lu passed, %lu failed\n", name, check_passed - passed, check_failed - failed);
    fflush(stdout);
}

static void dynamodb_small(void)
{
    dynamodb(7, 2);
}

/* More than one answer holds. */
static void dynamodb_large(void)
{
    dynamodb(1100, 100);
}

int main(int count, char **arguments)
{
    aws_config config;
    const char *ca = getenv("AWS_CA_BUNDLE");

    check_says = last_call;
    memset(&config, 0, sizeof config);
    if (ca && *ca && aws_trust_load(&trust, trust_memory, sizeof trust_memory, ca) > 0)
        config.trust = &trust;
    aws_session_init(&session, &config);
    if (count > 1 && strcmp(arguments[1], "dynalite") == 0) {
        part("dynamodb", dynamodb_large);
        return CHECK_DONE();
    }
    if (count > 1 && strncmp(arguments[1], "rgw", 3) == 0) {
        part("assume_role", assume_role_ceph);
        aws_client_close(&client);
        return CHECK_DONE();
    }
    part("dynamodb", dynamodb_small);
    part("ec2", ec2);
    part("sts", sts);
    part("iam", iam);
    part("sqs", sqs);
    part("sns", sns);
    part("kinesis", kinesis);
    part("kms", kms);
    part("secretsmanager", secrets);
    part("ssm", ssm);
    part("logs", logs);
    part("iot", iot);
    part("cloudwatch", cloudwatch);
    part("lambda", lambda);
    part("assume_role", assume_role);
    aws_client_close(&client);
    return CHECK_DONE();
}
