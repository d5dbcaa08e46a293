/* tls_client.c - a client for tests/test_tls.py, which tells it what to do and reads what came of
 * it.
 *
 *     tls_client [--NAME VALUE...] ACTION...
 *
 *   --endpoint URL --ca FILE (or "none": a trust without any CA) --tls-name N --memory N
 *   --clock SECONDS (added to the time; "none": the device has no clock) --floor UNIX
 *   --entropy N (the N-th handshake gets none) --attempts N (1)
 *   actions: get, put, close (the connection, and open a client of the same session anew), both (a
 *   put by two clients of the session at once)
 *
 * For each action a line "ACTION code bearssl opens sent", and a second one with the failure's text
 * or with the bytes that came. A put is 5 bytes, a get at most 1 MiB, of which the size and a sum
 * are printed: sum = sum * 31 + byte.
 *
 *     tls_client --serve CERT KEY large|renegotiate
 *
 * is a peer that no openssl can play: a TLS server that takes one request and sends records of 16
 * KB whatever the client asked for, or asks for a new handshake first. Prints its port, and then
 * what came of it.
 */
#define AWS_IMPLEMENTATION
#include "aws_s3.h"

#include <bearssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The client ---- */

static struct {
    int64_t shift;
    long    opens, sent, handshakes, no_entropy;
    int     no_clock;
} state;

static int port_open(const aws_port *port, void *connection, const char *host, unsigned number,
                     int tls)
{
    int r = aws_posix_port()->open(port, connection, host, number, tls);

    if (r == 0)
        state.opens++;
    return r;
}

static int port_send(const aws_port *port, void *connection, const void *data, size_t size)
{
    int r = aws_posix_port()->send(port, connection, data, size);

    if (r > 0)
        state.sent += r;
    return r;
}

static int64_t port_now(const aws_port *port)
{
    return state.no_clock ? 0 : aws_posix_port()->now(port) + state.shift;
}

static int port_entropy(const aws_port *port, void *data, size_t size)
{
    if (size >= 16 && ++state.handshakes == state.no_entropy) /* less is for a back-off */
        return AWS_ERR_ENTROPY;
    return aws_posix_port()->entropy(port, data, size);
}

static unsigned char memory[1 << 20], trust_memory[1 << 16], body[1 << 20];
static size_t memory_size = AWS_CLIENT_MEMORY;

static void report(aws_client *client, const char *action, int r)
{
    const aws_failure *failure = aws_client_failure(client);

    printf("%s %d %d %ld %ld\n", action, r, failure->detail, state.opens, state.sent);
    if (r < 0) {
        printf("%s\n", aws_client_failure_text(client));
    } else {
        unsigned long sum = 0;
        int i;
        for (i = 0; i < r; i++)
            sum = (sum * 31 + body[i]) & 0xffffffff;
        printf("%d %lu\n", r, sum);
    }
    fflush(stdout);
}

/* Step by step in turn, so that both are in the handshake at the same time. */
static int both(aws_client *client, aws_session *session)
{
    static unsigned char memory2[AWS_CLIENT_MEMORY];
    static aws_client client2;
    aws_client *clients[2];
    aws_s3_bucket buckets[2];
    aws_waiting waiting[2];
    int i, r[2] = {AWS_AGAIN, AWS_AGAIN};

    aws_client_init(&client2, session, &aws_s3_service, memory2, sizeof memory2);
    clients[0] = client;
    clients[1] = &client2;
    for (i = 0; i < 2; i++) {
        aws_client_no_wait(clients[i], 1);
        aws_s3_bucket_init(&buckets[i], clients[i], "tls");
    }
    while (r[0] == AWS_AGAIN || r[1] == AWS_AGAIN) {
        for (i = 0; i < 2; i++) {
            if (r[i] == AWS_AGAIN)
                r[i] = aws_s3_bucket_put(&buckets[i], i == 0 ? "key" : "key2", "hello", 5, NULL);
            aws_client_waiting(clients[i], &waiting[i]);
        }
        if (r[0] == AWS_AGAIN || r[1] == AWS_AGAIN)
            aws_posix_wait(waiting, 2);
    }
    report(client, "both", r[0]);
    report(&client2, "both", r[1]);
    aws_client_no_wait(client, 0);
    aws_client_close(&client2);
    return r[0] < 0 ? r[0] : r[1];
}

static int act(aws_client *client, aws_session *session, const char *action)
{
    aws_s3_bucket bucket;
    int r;

    aws_s3_bucket_init(&bucket, client, "tls");
    if (strcmp(action, "both") == 0)
        return both(client, session);
    if (strcmp(action, "get") == 0) {
        r = aws_s3_bucket_get(&bucket, "key", body, sizeof body, NULL);
    } else if (strcmp(action, "put") == 0) {
        r = aws_s3_bucket_put(&bucket, "key", "hello", 5, NULL);
    } else {
        r = aws_client_close(client);
        if (r == 0)
            r = aws_client_init(client, session, &aws_s3_service, memory, memory_size);
    }
    report(client, action, r);
    return r;
}

static void take_option(aws_config *config, aws_trust *trust, const char *name, const char *value)
{
    if (strcmp(name, "--endpoint") == 0)
        config->endpoint = value;
    else if (strcmp(name, "--tls-name") == 0)
        config->tls_name = value;
    else if (strcmp(name, "--floor") == 0)
        config->clock_floor = atol(value);
    else if (strcmp(name, "--attempts") == 0)
        config->max_attempts = (unsigned)atoi(value);
    else if (strcmp(name, "--memory") == 0)
        memory_size = (size_t)atol(value);
    else if (strcmp(name, "--entropy") == 0)
        state.no_entropy = atol(value);
    else if (strcmp(name, "--clock") == 0 && strcmp(value, "none") == 0)
        state.no_clock = 1;
    else if (strcmp(name, "--clock") == 0)
        state.shift = atol(value);
    else if (strcmp(name, "--ca") == 0) {
        config->trust = trust;
        aws_trust_init(trust, trust_memory, sizeof trust_memory);
        if (strcmp(value, "none") != 0 &&
            aws_trust_load(trust, trust_memory, sizeof trust_memory, value) < 1)
            exit(2);
    } else {
        exit(2);
    }
}

static int run_client(int argc, char **argv)
{
    static aws_session session;
    static aws_client client;
    aws_port port = *aws_posix_port();
    aws_config config;
    aws_trust trust;
    int at = 1, r;

    memset(&config, 0, sizeof config);
    port.open = port_open;
    port.send = port_send;
    port.now = port_now;
    port.entropy = port_entropy;
    config.port = &port;
    config.region = "us-east-1";
    config.access_key_id = "AKIAIOSFODNN7EXAMPLE";
    config.secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    config.max_attempts = 1;
    config.read_timeout = config.connect_timeout = 60000;
    while (at + 1 < argc && argv[at][0] == '-') {
        take_option(&config, &trust, argv[at], argv[at + 1]);
        at += 2;
    }
    aws_session_init(&session, &config);
    r = aws_client_init(&client, &session, &aws_s3_service, memory, memory_size);
    if (r < 0)
        report(&client, "init", r);
    for (; r == 0 && at < argc; at++)
        act(&client, &session, argv[at]);
    aws_client_close(&client);
    aws_session_close(&session);
    return 0;
}

/* ---- The server ---- */

static size_t load(const char *path, unsigned char *to, size_t room)
{
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(to, 1, room, file) : 0;

    if (!file)
        exit(2);
    fclose(file);
    return size;
}

static int read_low(void *context, unsigned char *data, size_t size)
{
    ssize_t r = recv(*(int *)context, data, size, 0);

    return r <= 0 ? -1 : (int)r;
}

static int write_low(void *context, const unsigned char *data, size_t size)
{
    ssize_t r = send(*(int *)context, data, size, MSG_NOSIGNAL);

    return r <= 0 ? -1 : (int)r;
}

static int listen_and_accept(void)
{
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    memset(&name, 0, sizeof name);
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&name, sizeof name) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&name, &size) != 0)
        exit(2);
    printf("%u\n", (unsigned)ntohs(name.sin_port));
    fflush(stdout);
    return accept(listener, NULL, NULL);
}

static int read_head(br_sslio_context *io)
{
    char last[5] = "";

    while (strcmp(last, "\r\n\r\n") != 0) {
        memmove(last, last + 1, 3);
        if (br_sslio_read(io, last + 3, 1) != 1)
            return 0;
    }
    return 1;
}

static int answer(br_sslio_context *io)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n";

    memset(body, 'x', 20000);
    return br_sslio_write_all(io, head, sizeof head - 1) == 0 &&
           br_sslio_write_all(io, body, 20000) == 0 && br_sslio_flush(io) == 0;
}

/* CERT and KEY are DER: an RSA key. */
static int run_server(const char *cert_path, const char *key_path, const char *mode)
{
    static br_ssl_server_context server;
    static unsigned char buffer[BR_SSL_BUFSIZE_BIDI], der[8192], key_der[8192];
    static br_skey_decoder_context key;
    br_x509_certificate chain;
    br_sslio_context io;
    int done, renegotiates = strcmp(mode, "renegotiate") == 0;
    int connection = listen_and_accept();

    chain.data = der;
    chain.data_len = load(cert_path, der, sizeof der);
    br_skey_decoder_init(&key);
    br_skey_decoder_push(&key, key_der, load(key_path, key_der, sizeof key_der));
    if (!br_skey_decoder_get_rsa(&key))
        return 2;
    br_ssl_server_init_full_rsa(&server, &chain, 1, br_skey_decoder_get_rsa(&key));
    br_ssl_engine_set_buffer(&server.eng, buffer, sizeof buffer, 1);
    br_ssl_server_reset(&server);
    br_sslio_init(&io, &server.eng, read_low, &connection, write_low, &connection);
    done = read_head(&io);
    if (!renegotiates)
        server.eng.max_frag_len = 16384; /* whatever the client asked for */
    else if (done)
        done = br_ssl_engine_renegotiate(&server.eng);
    done = done && answer(&io);
    printf("%s %d\n", done ? "sent" : "failed", br_ssl_engine_last_error(&server.eng));
    close(connection);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--serve") == 0)
        return run_server(argv[2], argv[3], argv[4]);
    return run_client(argc, argv);
}
