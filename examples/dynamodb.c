/* dynamodb.c - put readings into a table, get one, query them page by page.
 *
 *     cc -std=c99 -O2 -I. examples/dynamodb.c -lbearssl -o dynamodb
 *     AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... ./dynamodb TABLE
 *
 * Another server than Amazon's: AWS_ENDPOINT_URL=https://HOST:PORT AWS_CA_BUNDLE=its-ca.pem
 */
#define AWS_IMPLEMENTATION
#include "aws.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned char memory[AWS_CLIENT_MEMORY]; /* all the memory that the client takes */
static void         *anchors[4096];             /* CA certificates, if not Amazon's */
static char           body[1024], answer[65536];
static aws_json_token tokens[2048]; /* one for each name and value of a page */

/* Perform an action with the JSON in body; its answer is in *json. */
static int act(aws_client *client, const char *operation, int body_size, aws_json *json)
{
    aws_request request = {0};
    int r;

    if (body_size < 0)
        return body_size; /* what the writer found wrong */
    request.operation = operation;
    request.body = body;
    request.body_size = (uint64_t)body_size;
    request.buffer = answer;
    request.buffer_size = sizeof answer;
    r = aws_request_run(client, &request);
    return r < 0 ? r : aws_json_parse(json, answer, (size_t)r, tokens, 2048);
}

/* "name": {"S": text} or {"N": "12.34"}, as DynamoDB wants values. */
static void put_s(aws_json_writer *w, const char *name, const char *text)
{
    aws_json_open_object(w, name);
    aws_json_put_string(w, "S", text);
    aws_json_close(w);
}

static void put_n(aws_json_writer *w, const char *name, int64_t value, unsigned decimals)
{
    aws_json_open_object(w, name);
    aws_json_put_quoted(w, "N", value, decimals);
    aws_json_close(w);
}

/* The table has the keys device (S) and time (N). If it isn't there it is made. */
static int create_table(aws_client *client, const char *table)
{
    aws_json_writer w;
    aws_json json;
    int i, r;

    aws_json_begin(&w, body, sizeof body);
    aws_json_open_object(&w, NULL);
    aws_json_put_string(&w, "TableName", table);
    aws_json_put_string(&w, "BillingMode", "PAY_PER_REQUEST");
    aws_json_open_array(&w, "KeySchema");
    for (i = 0; i < 2; i++) {
        aws_json_open_object(&w, NULL);
        aws_json_put_string(&w, "AttributeName", i ? "time" : "device");
        aws_json_put_string(&w, "KeyType", i ? "RANGE" : "HASH");
        aws_json_close(&w);
    }
    aws_json_close(&w);
    aws_json_open_array(&w, "AttributeDefinitions");
    for (i = 0; i < 2; i++) {
        aws_json_open_object(&w, NULL);
        aws_json_put_string(&w, "AttributeName", i ? "time" : "device");
        aws_json_put_string(&w, "AttributeType", i ? "N" : "S");
        aws_json_close(&w);
    }
    aws_json_close(&w);
    aws_json_close(&w);
    r = act(client, "CreateTable", aws_json_end(&w), &json);
    if (r == AWS_ERR_SERVICE &&
        !strcmp(aws_client_failure(client)->aws_code, "ResourceInUseException"))
        return 0; /* it is there */
    return r;
}

static int ask_table(aws_client *client, const void *table)
{
    aws_json_writer w;
    aws_json json;
    char status[16];
    int r;

    aws_json_begin(&w, body, sizeof body);
    aws_json_open_object(&w, NULL);
    aws_json_put_string(&w, "TableName", table);
    aws_json_close(&w);
    r = act(client, "DescribeTable", aws_json_end(&w), &json);
    if (r < 0)
        return r;
    r = aws_json_string(&json, aws_json_find(&json, 0, "Table.TableStatus"), status, sizeof status);
    return r >= 0 && !strcmp(status, "ACTIVE") ? AWS_WAITER_DONE : AWS_WAITER_AGAIN;
}

/* A new table takes some seconds; until then nothing can be put. As boto3's waiter table_exists. */
static int wait_for_table(aws_client *client, const char *table)
{
    static const aws_waiter_rule rules[] = {
        {0, "ResourceNotFoundException", AWS_WAITER_AGAIN}, {0, NULL, 0}};
    static const aws_waiter_kind kind = {"TableExists", ask_table, rules, 1000, 300};
    aws_waiter waiter = {0};

    return aws_wait(client, &kind, table, &waiter);
}

static int put(aws_client *client, const char *table, int time)
{
    aws_json_writer w;
    aws_json json;

    aws_json_begin(&w, body, sizeof body);
    aws_json_open_object(&w, NULL);
    aws_json_put_string(&w, "TableName", table);
    aws_json_open_object(&w, "Item");
    put_s(&w, "device", "boiler");
    put_n(&w, "time", time, 0);
    put_n(&w, "temperature", 2150 + time, 2); /* 21.50 */
    aws_json_close(&w);
    aws_json_close(&w);
    return act(client, "PutItem", aws_json_end(&w), &json);
}

static int get(aws_client *client, const char *table, int time)
{
    aws_json_writer w;
    aws_json json;
    int64_t centi;
    int r;

    aws_json_begin(&w, body, sizeof body);
    aws_json_open_object(&w, NULL);
    aws_json_put_string(&w, "TableName", table);
    aws_json_open_object(&w, "Key");
    put_s(&w, "device", "boiler");
    put_n(&w, "time", time, 0);
    aws_json_close(&w);
    aws_json_close(&w);
    r = act(client, "GetItem", aws_json_end(&w), &json);
    if (r < 0)
        return r;
    r = aws_json_number(&json, aws_json_find(&json, 0, "Item.temperature.N"), 2, &centi);
    if (r == 0)
        printf("at %d: %d.%02d degrees\n", time, (int)(centi / 100), (int)(centi % 100));
    return r;
}

static int query(aws_client *client, const char *table)
{
    static char memory_of_tokens[1024];
    aws_json_writer w;
    aws_request request = {0};
    aws_pages pages = {0};
    int r, number = 0;

    aws_json_begin(&w, body, sizeof body);
    aws_json_open_object(&w, NULL);
    aws_json_put_string(&w, "TableName", table);
    aws_json_put_string(&w, "KeyConditionExpression", "device = :d");
    aws_json_open_object(&w, "ExpressionAttributeValues");
    put_s(&w, ":d", "boiler");
    aws_json_close(&w);
    aws_json_put_number(&w, "Limit", 2, 0);
    aws_json_close(&w);
    r = aws_json_end(&w);
    if (r < 0)
        return r;
    request.operation = "Query";
    request.body = body;
    request.body_size = (uint64_t)r;
    request.buffer = answer;
    request.buffer_size = sizeof answer;
    request.token_name = "ExclusiveStartKey";
    pages.request = &request;
    pages.token_path = "LastEvaluatedKey";
    pages.memory = memory_of_tokens;
    pages.size = sizeof memory_of_tokens;
    pages.tokens = tokens;
    pages.token_count = 2048;
    while ((r = aws_pages_json(client, &pages)) > 0) {
        int items = aws_json_find(&pages.json, 0, "Items"), item = 0;
        number++;
        while ((item = aws_json_each(&pages.json, items, item)) != 0) {
            char text[32];
            if (aws_json_string(&pages.json, aws_json_find(&pages.json, item, "temperature.N"),
                                text, sizeof text) >= 0)
                printf("page %d: %s degrees\n", number, text);
        }
    }
    return r;
}

static int put_get_query(aws_client *client, const char *table)
{
    int time, r = create_table(client, table);

    if (r >= 0)
        r = wait_for_table(client, table);
    for (time = 0; r >= 0 && time < 5; time++)
        r = put(client, table, time);
    if (r >= 0)
        r = get(client, table, 3);
    return r < 0 ? r : query(client, table);
}

int main(int argc, char **argv)
{
    aws_config config = {0};
    aws_session session;
    aws_client client;
    aws_trust trust;
    int failed;

    if (argc != 2) {
        fprintf(stderr, "usage: dynamodb TABLE\n");
        return 2;
    }
    if (getenv("AWS_CA_BUNDLE") && *getenv("AWS_CA_BUNDLE")) {
        if (aws_trust_load(&trust, anchors, sizeof anchors, NULL) < 0) {
            fprintf(stderr, "AWS_CA_BUNDLE names no file of CA certificates\n");
            return 2;
        }
        config.trust = &trust;
    }
    aws_session_init(&session, &config);
    aws_client_init(&client, &session, &aws_dynamodb_service, memory, sizeof memory);
    failed = put_get_query(&client, argv[1]) < 0;
    if (failed)
        fprintf(stderr, "%s\n", aws_client_failure_text(&client));
    aws_client_close(&client);
    aws_session_close(&session);
    return failed;
}
