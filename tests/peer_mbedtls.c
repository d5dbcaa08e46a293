/* peer_mbedtls.c - what a handshake and a request's bytes cost by Mbed TLS, counted like BearSSL's
 * in instructions.c, with the same server, certificates and bytes. For tests/sizes.py.
 *
 * SPDX-License-Identifier: MIT
 */
#define INSTRUCTIONS_WITHOUT_MAIN
#include "instructions.c"
#include <mbedtls/memory_buffer_alloc.h>
#include <mbedtls/ssl.h>
#include "roots.h" /* root_ec, root_rsa: DER */

static mbedtls_ssl_context peer;
static mbedtls_ssl_config  peer_config;
static mbedtls_x509_crt    peer_roots;
static unsigned char       heap[200000];

static int peer_random(void *context, unsigned char *data, size_t size)
{
    static uint32_t state = 1; /* the same numbers in each run */

    (void)context;
    while (size--) {
        state = state * 1664525 + 1013904223;
        *data++ = (unsigned char)(state >> 24);
    }
    return 0;
}

static int peer_send(void *context, const unsigned char *data, size_t size)
{
    (void)context;
    return memory_send(&port, NULL, data, size);
}

static int peer_recv(void *context, unsigned char *data, size_t size)
{
    int r = memory_recv(&port, NULL, data, size);

    (void)context;
    return r > 0 ? r : MBEDTLS_ERR_SSL_WANT_READ;
}

static int peer_exchange(void)
{
    size_t at;
    int    r;

    for (at = 0; at < server.raw; at += (size_t)r)
        if ((r = mbedtls_ssl_write(&peer, object + at, server.raw - at)) <= 0)
            return r ? r : -1;
    for (at = 0; at < server.raw_answer; at += (size_t)r)
        if ((r = mbedtls_ssl_read(&peer, body + at, server.raw_answer - at)) <= 0)
            return r ? r : -1;
    return 0;
}

static int peer_first(void)
{
    int r;

    memory_open(&port, NULL, "localhost", 443, 1);
    mbedtls_ssl_init(&peer);
    if ((r = mbedtls_ssl_setup(&peer, &peer_config)) != 0 ||
        (r = mbedtls_ssl_set_hostname(&peer, "localhost")) != 0)
        return r;
    mbedtls_ssl_set_bio(&peer, NULL, peer_send, peer_recv, NULL);
    if ((r = mbedtls_ssl_handshake(&peer)) != 0)
        return r;
    return peer_exchange();
}

static void peer_run(const char *prefix, int rsa)
{
    uint32_t first, kept;
    size_t   used, blocks;

    server.secure = 1;
    server.rsa = rsa;
    br_ssl_session_cache_lru_init(&server.cache, server.sessions, sizeof server.sessions);
    server.raw = 596; /* a signed GET of instructions.c and its answer */
    server.raw_answer = 357;
    mbedtls_memory_buffer_alloc_max_reset();
    first = count(peer_first);
    kept = count(peer_exchange);
    mbedtls_memory_buffer_alloc_max_get(&used, &blocks);
    show("count", prefix, "handshake", first - kept);
    show("count", prefix, "get", kept);
    show("ram", prefix, "heap", used);
    server.raw_answer = 357 + 16000;
    show("hundredth", prefix, "byte got", (count(peer_exchange) - kept) / 160);
    server.raw_answer = 357;
    mbedtls_ssl_free(&peer);
    show("stack", prefix, "handshake", painted(peer_first));
    mbedtls_ssl_free(&peer);
}

int main(void)
{
    int r;

    timer_begin();
    mbedtls_memory_buffer_alloc_init(heap, sizeof heap);
    mbedtls_x509_crt_init(&peer_roots);
    if ((r = mbedtls_x509_crt_parse_der(&peer_roots, root_ec, sizeof root_ec)) != 0 ||
        (r = mbedtls_x509_crt_parse_der(&peer_roots, root_rsa, sizeof root_rsa)) != 0)
        fail("roots", r);
    mbedtls_ssl_config_init(&peer_config);
    if ((r = mbedtls_ssl_config_defaults(&peer_config, MBEDTLS_SSL_IS_CLIENT,
                                         MBEDTLS_SSL_TRANSPORT_STREAM,
                                         MBEDTLS_SSL_PRESET_DEFAULT)) != 0)
        fail("config", r);
    mbedtls_ssl_conf_ca_chain(&peer_config, &peer_roots, NULL);
    mbedtls_ssl_conf_rng(&peer_config, peer_random, NULL);
    peer_run("ecdsa ", 0);
    peer_run("rsa ", 1);
    show("ram", "", "static", sizeof peer + sizeof peer_config + sizeof peer_roots);
    return 0;
}
