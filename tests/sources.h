/* sources.h - each source of credentials by its name, for threads.c and canaries.c.
 *
 * SPDX-License-Identifier: MIT
 *
 * Include it after aws.h. Names: fixed, environment, chain, imds, container, role, web, process, iot,
 * mine (a function of the program's). Endpoints, files and keys are the environment's: AWS_... and
 * IMDS, TOKEN_FILE, PROCESS, IOT, SECRET; of iot's certificate in the working directory root.pem,
 * ec.pem and ec.key.
 */
#ifndef SOURCES_INCLUDED
#define SOURCES_INCLUDED

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct {
    unsigned char memory[3 * AWS_KEYS_MEMORY]; /* of keys */
    union {
        aws_keys_fixed fixed;
        aws_keys_imds imds;
        aws_keys_container container;
        aws_keys_role role;
        aws_keys_web_identity web;
        aws_keys_process process;
        aws_keys_iot iot;
    } of;
    const aws_provider *closed; /* what to call aws_keys_close with, NULL: it keeps nothing */
    /* the program's own */
    aws_keys_chain chain;
    const aws_provider *chained[2];
    aws_keys keys;
    aws_provider mine;
    aws_role role;
    aws_identity identity;
    uint64_t identity_memory[1024], trust_memory[4096];
    unsigned char certificate[4096], key[4096];
    aws_trust trust;
} sources;

/* Instance metadata have a second to answer, and on a busy machine ours can't always: for the port
 * time goes by 20 times slower. */
static uint32_t sources_start;

static uint32_t sources_ticks(const aws_port *port)
{
    return sources_start + (aws_posix_port()->ticks(port) - sources_start) / 20;
}

static void sources_slow(aws_port *port)
{
    *port = *aws_posix_port();
    sources_start = port->ticks(port);
    port->ticks = sources_ticks;
}

/* Other keys each time. */
static int sources_mine(const aws_provider *provider, aws_client *client, aws_keys *keys)
{
    static char ids[4][20];
    static unsigned turn;

    (void)provider;
    (void)client;
    snprintf(ids[turn % 4], sizeof ids[0], "AKID%u", turn % 4);
    keys->access_key_id = ids[turn++ % 4];
    keys->secret_access_key = getenv("SECRET");
    keys->expiration = (int64_t)time(NULL) + 300;
    return 0;
}

static size_t sources_read(const char *path, unsigned char *to, size_t room)
{
    int n = aws_posix_read(NULL, path, to, room);

    return n > 0 ? (size_t)n : 0;
}

static const aws_provider *sources_iot(aws_config *config)
{
    if (aws_identity_init(&sources.identity, sources.identity_memory, sizeof sources.identity_memory,
                          sources.certificate,
                          sources_read("ec.pem", sources.certificate, sizeof sources.certificate),
                          sources.key, sources_read("ec.key", sources.key, sizeof sources.key)) < 0 ||
        aws_trust_load(&sources.trust, sources.trust_memory, sizeof sources.trust_memory, "root.pem") <= 0)
        return NULL;
    config->trust = &sources.trust;
    return aws_keys_iot_init(&sources.of.iot, getenv("IOT"), "alias", "thing", &sources.identity,
                             sources.memory, sizeof sources.memory);
}

/* NULL: there is none of this name. config is the session's, in which some have to set more. */
static const aws_provider *sources_begin(const char *name, aws_config *config)
{
    unsigned char *memory = sources.memory;
    const size_t size = sizeof sources.memory;
    const aws_provider *provider = NULL;

    sources.role.arn = "arn:aws:iam::1:role/r";
    sources.role.session_name = "s";
    sources.keys.access_key_id = "AKIDFIXED";
    sources.keys.secret_access_key = getenv("SECRET");
    sources.mine.get = sources_mine;
    if (strcmp(name, "fixed") == 0)
        return aws_keys_fixed_init(&sources.of.fixed, &sources.keys);
    if (strcmp(name, "environment") == 0)
        return aws_keys_environment();
    if (strcmp(name, "mine") == 0)
        return &sources.mine;
    if (strcmp(name, "container") == 0)
        provider = aws_keys_container_init(&sources.of.container, memory, size);
    if (strcmp(name, "process") == 0)
        provider = aws_keys_process_init(&sources.of.process, getenv("PROCESS"), memory, size);
    if (strcmp(name, "role") == 0)
        provider = aws_keys_role_init(&sources.of.role, aws_keys_environment(), &sources.role, 1, memory,
                                      size);
    if (strcmp(name, "web") == 0)
        provider = aws_keys_web_identity_init(&sources.of.web, &sources.role, getenv("TOKEN_FILE"),
                                              aws_posix_read, NULL, memory, size);
    if (strcmp(name, "iot") == 0)
        provider = sources_iot(config);
    if (strcmp(name, "imds") == 0 || strcmp(name, "chain") == 0) {
        provider = aws_keys_imds_init(&sources.of.imds, memory, size);
        sources.of.imds.endpoint = getenv("IMDS");
    }
    sources.closed = provider;
    if (strcmp(name, "chain") != 0)
        return provider;
    sources.chained[0] = aws_keys_environment(); /* which has none */
    sources.chained[1] = provider;
    return aws_keys_chain_init(&sources.chain, sources.chained, 2);
}

#endif
