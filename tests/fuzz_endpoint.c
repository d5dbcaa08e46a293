/* fuzz_endpoint.c - libFuzzer: the texts of a configuration and a call: endpoint, region, bucket,
 * key, keys, dates, and the emitters' windows.
 *
 *     clang -std=c99 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I. \
 *         tests/fuzz_endpoint.c -lbearssl -o build/fuzz_endpoint && build/fuzz_endpoint -max_len=600
 *
 * SPDX-License-Identifier: MIT
 *
 * The input: a byte of options, then texts that end with NUL. Holds: what is sent is one request
 * to the host that was configured, whatever the texts are; nothing is sent if one is refused; the
 * secret doesn't appear; a text emitted through any window is the same; dates agree both ways.
 */
#define _GNU_SOURCE /* memmem */
#define AWS_IMPLEMENTATION
#define AWS_NO_DEFAULT_PORT
#include "../aws_s3.h"
#include "fuzz_port.h"

static char texts[7][400];

static int has_secret(void) /* the fuzzer finds it by itself */
{
    size_t i;

    for (i = 0; i < 7; i++)
        if (strstr(texts[i], "CANARY"))
            return 1;
    return 0;
}

static void split_texts(const uint8_t *data, size_t size)
{
    size_t i, n;

    memset(texts, 0, sizeof texts);
    for (i = 0; i < 7 && size; i++) {
        for (n = 0; n < size && data[n]; n++)
            if (n < sizeof texts[i] - 1)
                texts[i][n] = (char)data[n];
        n += n < size;
        data += n;
        size -= n;
    }
}

static void check_windows(const char *text, size_t window)
{
    static char whole[3000], parts[3000];
    aws_out out;
    size_t used = 0, length;
    int pass;

    for (pass = 0; pass < 3; pass++) {
        memset(&out, 0, sizeof out);
        out.to = (unsigned char *)whole;
        out.room = sizeof whole;
        used = 0;
        for (length = 0; !length || used < length;) {
            if (pass == 0)
                aws_out_uri(&out, text, strlen(text), "/");
            else if (pass == 1)
                aws_out_xml(&out, text);
            else
                aws_out_number(&out, strlen(text) * 123456789123ull);
            aws_out_text(&out, "<end>");
            if (out.to == (unsigned char *)whole) {
                INVARIANT(out.used == out.length && out.used <= sizeof whole);
                length = out.used;
            } else {
                INVARIANT(out.length == length && out.used <= window && out.used > 0);
                used += out.used;
            }
            memset(&out, 0, sizeof out);
            out.to = (unsigned char *)parts + used;
            out.room = window < length - used ? window : length - used;
            out.skip = used;
        }
        INVARIANT(used == length && memcmp(whole, parts, length) == 0);
        if (pass == 0)
            for (used = 0; used < length - 5; used++)
                INVARIANT(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                 "-_.~/%", whole[used]) && whole[used]);
    }
}

static void check_dates(const char *text, const uint8_t *data, size_t size)
{
    char compact[17], iso[24];
    int64_t time = 0, parsed = aws_date_parse(text);

    INVARIANT(parsed >= -1);
    memcpy(&time, data, size < 8 ? size : 8);
    aws_date_text(time, compact);
    INVARIANT(strlen(compact) == 16 && compact[8] == 'T' && compact[15] == 'Z');
    time = time < 0 ? 0 : time % 4102444800; /* until 2099 */
    aws_date_text(time, compact);
    snprintf(iso, sizeof iso, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", compact, compact + 4, compact + 6,
             compact + 9, compact + 11, compact + 13);
    INVARIANT(aws_date_parse(iso) == time);
}

/* The request is one head: the lines end with CR LF and hold no other control byte. */
static void check_request(const fuzz_port *f, const char *endpoint)
{
    const char *end = (const char *)memmem(f->sent, f->sent_size, "\r\n\r\n", 4), *at, *host;
    size_t spaces = 0, size, hosts = 0;

    if (f->sent_size == sizeof f->sent)
        return;
    INVARIANT(end != NULL);
    INVARIANT(memcmp(f->sent, "PUT /", 5) == 0);
    for (at = f->sent; *at != '\r'; at++)
        spaces += *at == ' ';
    INVARIANT(spaces == 2 && memcmp(at - 9, " HTTP/1.1\r\n", 11) == 0);
    for (at = f->sent; at < end; at++) {
        unsigned char c = (unsigned char)*at;
        INVARIANT(c < 0x7f && (c >= 0x20 || c == '\t' || (c == '\r' && at[1] == '\n') ||
                               (c == '\n' && at[-1] == '\r')));
        if (c == '\n' && strncmp(at + 1, "host: ", 6) == 0) {
            host = at + 7;
            size = strlen(f->host);
            host += *host == '[';
            INVARIANT(strncmp(host, f->host, size) == 0 && strchr("\r:]", host[size]));
            hosts++;
        }
    }
    INVARIANT(hosts == 1);
    INVARIANT(!strpbrk(f->host, "/@#?\\ %[]\r\n"));
    if (!*endpoint) {
        size = strlen(f->host);
        INVARIANT((size > 14 && strcmp(f->host + size - 14, ".amazonaws.com") == 0) ||
                  (size > 17 && strcmp(f->host + size - 17, ".amazonaws.com.cn") == 0));
    } else {
        INVARIANT(strstr(endpoint, f->host) || strchr(f->host, '.'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    static unsigned char memory[AWS_CLIENT_MEMORY_HTTP];
    static fuzz_port f;
    static aws_session session;
    static aws_client client;
    aws_config config;
    aws_s3_args args;
    aws_pair header;
    unsigned options;
    int r;

    if (size < 1)
        return 0;
    options = data[0];
    split_texts(data + 1, size - 1);
    if (has_secret())
        return 0;
    check_windows(texts[3], 1 + options % 23);
    check_dates(texts[6], data, size);
    fuzz_port_init(&f, options & 8 ? 77 : 0, 0);
    f.port.flags = AWS_PORT_TLS;
    f.answers[0].data = (const uint8_t *)ok;
    f.answers[0].size = sizeof ok - 1;
    f.count = 1;
    memset(&config, 0, sizeof config);
    memset(&args, 0, sizeof args);
    config.port = &f.port;
    config.endpoint = *texts[0] ? texts[0] : NULL;
    config.region = texts[1];
    config.access_key_id = *texts[4] ? texts[4] : "AKIA";
    config.secret_access_key = "CANARY-secret";
    config.user_agent_extra = options & 16 ? texts[5] : NULL;
    config.addressing = options % 3;
    config.max_attempts = 1;
    aws_session_init(&session, &config);
    r = aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory);
    args.bucket = texts[2];
    args.key = texts[3];
    header.name = options & 4 ? texts[5] : "x";
    header.value = options & 4 ? "v" : texts[5];
    args.metadata = &header;
    args.metadata_count = 1;
    args.body = texts[5];
    args.body_size = options & 32 ? strlen(texts[5]) : 0;
    if (!args.body_size)
        args.body = NULL;
    if (r < 0)
        INVARIANT(aws_s3_put_object(&client, &args, NULL) == r && !f.opens);
    else
        r = aws_s3_put_object(&client, &args, NULL);
    INVARIANT(r == 0 || strlen(aws_client_failure_text(&client)) > 4);
    if (r == 0)
        check_request(&f, texts[0]);
    else
        INVARIANT(!f.opens && !f.sent_size); /* refused before anything went out */
    INVARIANT(!memmem(f.sent, f.sent_size, "CANARY-secret", 13));
    aws_client_close(&client);
    return 0;
}
