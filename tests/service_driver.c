/* service_driver.c - requests of any service, described by test_services.py, over a port in memory.
 *
 * SPDX-License-Identifier: MIT
 *
 * Lines of words, texts in hex ("-" is NULL). `go` performs what was described and prints
 *     RESULT HOST PORT SENT STATUS CODE MESSAGE REQUEST_ID STORED SENTENCE
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "check.h"
#include "script_port.h"

enum { PAIRS = 64, POOL = 1 << 20 };

typedef struct pairs {
    aws_pair at[PAIRS];
    size_t count;
} pairs;

static char pool[POOL], line[1 << 20];
static size_t pool_used, last_size;
static script s;
static script_step step;
static aws_service own;
static const aws_service *service;
static aws_config config;
static aws_addresses addresses;
static int64_t when;
static aws_request request;
static pairs labels, query, headers, form;

static char *word(char **rest)
{
    char *at = *rest + strspn(*rest, " \n"), *end = at + strcspn(at, " \n");

    *rest = end + (*end != 0);
    *end = 0;
    return at;
}

static const char *text(char **rest)
{
    const char *hex = word(rest);
    char *to = pool + pool_used;
    unsigned byte;

    last_size = 0;
    if (*hex == '-')
        return NULL;
    for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
        to[last_size++] = (char)byte;
    to[last_size] = 0;
    pool_used += last_size + 1;
    if (pool_used + 65536 > POOL)
        abort();
    return to;
}

static void add(pairs *list, char **rest)
{
    if (list->count == PAIRS)
        abort();
    list->at[list->count].name = text(rest);
    list->at[list->count++].value = text(rest);
}

static const aws_protocol *protocol_of(const char *name)
{
#define IS(p)                                                                                     \
    if (strcmp(#p, name) == 0)                                                                    \
        return &aws_##p;
    AWS_PROTOCOLS(IS)
#undef IS
    abort();
}

static const aws_service *service_of(const char *name)
{
#define IS(n, id, prefix, signing, protocol, version, flags, host)                                \
    if (strcmp(#n, name) == 0)                                                                    \
        return &aws_##n##_service;
    AWS_SERVICES(IS)
#undef IS
    abort();
}

static void own_service(char **rest)
{
    memset(&own, 0, sizeof own);
    own.id = "Own";
    own.protocol = protocol_of(word(rest));
    own.version = text(rest);
    own.flags = (unsigned)strtoul(word(rest), NULL, 10);
    own.endpoint_prefix = own.signing_name = "own";
    service = &own;
}

static void print_hex(const void *data, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)data;

    printf(" ");
    while (size--)
        printf("%02x", *bytes++);
    printf("-");
}

static void print_text(const char *what)
{
    print_hex(what, strlen(what));
}

static int64_t fixed_now(const aws_port *port)
{
    (void)port;
    return when;
}

static void go(void)
{
    static unsigned char memory[AWS_CLIENT_MEMORY], buffer[1 << 16];
    aws_session session;
    aws_client client;
    const aws_failure *f;
    int r;

    script_init(&s, SCRIPT_WAITS);
    s.steps = &step;
    s.step_count = 1;
    s.port.flags |= AWS_PORT_TLS;
    s.port.now = fixed_now;
    config.port = &s.port;
    config.max_attempts = 1;
    request.labels = labels.at;
    request.label_count = labels.count;
    request.query = query.at;
    request.query_count = query.count;
    request.headers = headers.at;
    request.header_count = headers.count;
    request.form = form.count ? form.at : NULL;
    request.form_count = form.count;
    request.buffer = buffer;
    request.buffer_size = sizeof buffer;
    aws_session_init(&session, &config);
    r = aws_client_init(&client, &session, service, memory, sizeof memory);
    if (r == 0)
        r = aws_request_run(&client, &request);
    f = aws_client_failure(&client);
    printf("%d", r);
    print_text(s.connection_count ? s.connections[0].host : "");
    printf(" %u", s.connection_count ? s.connections[0].port_number : 0);
    if (s.connection_count)
        print_hex(s.connections[0].in.data, s.connections[0].in.size);
    else
        print_text("");
    printf(" %d", f->http_status);
    print_text(f->aws_code);
    print_text(f->message);
    print_text(f->request_id);
    print_hex(buffer, r > 0 ? (size_t)r : 0);
    print_text(r < 0 ? aws_client_failure_text(&client) : "");
    printf("\n");
    fflush(stdout);
    aws_client_close(&client);
    aws_session_close(&session);
    script_free(&s);
}

static void forget(void)
{
    memset(&config, 0, sizeof config);
    memset(&request, 0, sizeof request);
    labels.count = query.count = headers.count = form.count = 0;
    pool_used = 0;
}

int main(void)
{
    while (fgets(line, (int)sizeof line, stdin)) {
        char *rest = line, *what = word(&rest);

        if (strcmp(what, "service") == 0)
            service = service_of(word(&rest));
        else if (strcmp(what, "own") == 0)
            own_service(&rest);
        else if (strcmp(what, "config") == 0) {
            config.region = text(&rest);
            config.endpoint = text(&rest);
            config.access_key_id = text(&rest);
            config.secret_access_key = text(&rest);
            config.session_token = text(&rest);
            when = strtoll(word(&rest), NULL, 10);
        } else if (strcmp(what, "addresses") == 0) {
            addresses.host = strcmp(word(&rest), "s3") == 0 ? aws_s3_addresses : aws_service_addresses;
            addresses.flags = (unsigned)strtoul(word(&rest), NULL, 10);
            config.addresses = &addresses;
        } else if (strcmp(what, "operation") == 0)
            request.operation = text(&rest);
        else if (strcmp(what, "method") == 0)
            request.method = text(&rest);
        else if (strcmp(what, "path") == 0)
            request.path = text(&rest);
        else if (strcmp(what, "label") == 0)
            add(&labels, &rest);
        else if (strcmp(what, "query") == 0)
            add(&query, &rest);
        else if (strcmp(what, "header") == 0)
            add(&headers, &rest);
        else if (strcmp(what, "form") == 0)
            add(&form, &rest);
        else if (strcmp(what, "body") == 0) {
            request.body = text(&rest);
            request.body_size = last_size;
        } else if (strcmp(what, "type") == 0)
            request.content_type = text(&rest);
        else if (strcmp(what, "token") == 0) {
            request.token_name = text(&rest);
            request.token = text(&rest);
        } else if (strcmp(what, "answer") == 0) {
            step.answer = text(&rest);
            step.size = last_size;
        } else if (strcmp(what, "go") == 0) {
            go();
            forget();
        } else
            abort();
    }
    return 0;
}
