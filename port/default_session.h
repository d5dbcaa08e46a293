/* default_session.h - keys and settings from files, environment and programs, as boto3 has them.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of posix.h and winsock.h, which include it: what both systems have in common.
 */
#ifndef AWS_DEFAULT_SESSION_INCLUDED
#define AWS_DEFAULT_SESSION_INCLUDED

#ifndef AWS_NO_JSON

#ifdef __cplusplus
extern "C" {
#endif

/* A program that prints keys as JSON: credential_process. The command is split into words as a
 * shell does it, but nothing else of a shell happens. memory as for the sources of aws.h. Its close
 * is aws_keys_close, when no call is pending. */
typedef struct aws_keys_process {
    aws_i_asker ask; /* private */
    const char *command;
    intptr_t    process, output; /* private; 0: none */
    size_t      needed;
} aws_keys_process;
AWS_API const aws_provider *aws_keys_process_init(aws_keys_process *source, const char *command,
                                                  void *memory, size_t size);

/* A session as boto3 makes it by itself: keys, region, endpoints, attempts and CA bundle from the
 * environment, ~/.aws/config, ~/.aws/credentials, and the sources that these name, down to the
 * container's agent and EC2's instance metadata. Declare it, all zero, wherever your program keeps
 * such things (static, for a program of one line), and end with aws_default_close. */
typedef struct aws_default {
    aws_session  session;
    aws_settings settings; /* what the profile says */
    int          code;     /* 0, or why the profile couldn't be used: settings.reason and value */
    /* private */
    int                   begun;
    const char           *names[8];
    const aws_provider   *sources[8];
    aws_provider          broken;
    aws_keys_fixed        fixed;
    aws_keys_chain        chain;
    aws_keys_role         role;
    aws_keys_web_identity web;
    aws_keys_process      process;
    aws_keys_container    container;
    aws_keys_imds         instance;
    aws_trust             trust;
    uint64_t files[8192], base[1024], keys[1536], anchors[2048];
} aws_default;

/* The session, made at the first call. profile NULL: AWS_DEFAULT_PROFILE, AWS_PROFILE, "default"; a
 * profile given here keeps the environment's keys out. config, may be NULL: what it says goes
 * first. What is wrong is said by the first call of a client, and in code: AWS_ERR_CREDENTIALS,
 * AWS_ERR_MEMORY (files over 64 KB), AWS_ERR_PARAM (the CA bundle). */
AWS_API aws_session *aws_default_session(aws_default *here, const char *profile,
                                         const aws_config *config);
/* Where keys come from, by boto3's names: "env", "assume-role", "assume-role-with-web-identity",
 * "shared-credentials-file", "custom-process", "config-file", "container-role", "iam-role";
 * "explicit" if config has them; NULL before a call needed any. */
AWS_API const char *aws_default_source(const aws_default *here);
/* Wipe everything; after its clients are closed. */
AWS_API void aws_default_close(aws_default *here);

#ifdef __cplusplus
}
#endif

#endif

#endif /* AWS_DEFAULT_SESSION_INCLUDED */

#if defined(AWS_I_SOURCES) && !defined(AWS_NO_JSON) && !defined(AWS_DEFAULT_SESSION_IMPLEMENTED)
#define AWS_DEFAULT_SESSION_IMPLEMENTED

/* What differs between systems, the port's header has defined before:
 *   AWS_I_DEFAULT_PORT, AWS_I_DEFAULT_READ  functions: the port, the reader of files
 *   AWS_I_DEFAULT_HOME      the variable that names the user's directory
 *   aws_i_default_variable  an environment variable, in a buffer where it must be
 *   aws_i_process_start     begin a program: 0 or -1. The command lies where its output may go
 *   aws_i_process_output    its output: 0 at its end, AWS_AGAIN or an error */

enum { AWS_I_DEFAULT_PATH = 4096 };

/* -- A program that prints keys -- */

/* What a process prints says its form: 0 if it is the one known, else a reason. */
static int aws_i_process_version(const char *text, size_t size)
{
    aws_json_token tokens[64];
    int64_t version = 0;
    aws_json json;

    if (aws_json_parse(&json, text, size, tokens, sizeof tokens / sizeof *tokens) < 0 ||
        aws_json_int64(&json, aws_json_find(&json, 0, "Version"), &version) < 0 || version != 1)
        return AWS_REASON_KEYS_VERSION;
    return 0;
}

static int aws_i_process_get(const aws_provider *provider, aws_client *client, aws_keys *keys)
{
    aws_keys_process *s = (aws_keys_process *)provider->context;
    char *text = (char *)aws_i_asker_part(&s->ask, 1);
    int r, reason = 0;
    aws_keys fresh;

    if (s->process == 0) {
        if (strlen(s->command) >= s->ask.part) {
            (void)aws_i_fail(client, AWS_REASON_KEYS_MEMORY, "the process");
            client->failure.needed = 2 * (strlen(s->command) + 1);
            return AWS_ERR_MEMORY;
        }
        memcpy(text, s->command, strlen(s->command) + 1);
        s->ask.filled = 0;
        s->needed = 0;
        if (aws_i_process_start(s, text) < 0)
            return aws_i_fail(client, AWS_REASON_KEYS_PROCESS, s->command);
    }
    r = aws_i_process_output(s);
    if (r == AWS_AGAIN)
        return r;
    if (r < 0)
        reason = AWS_REASON_KEYS_PROCESS;
    else if (s->needed > s->ask.part)
        reason = AWS_REASON_KEYS_MEMORY;
    else
        reason = aws_i_process_version(text, s->needed);
    if (reason == 0)
        reason = aws_i_keys_parse(text, s->needed,
                                  "\0AccessKeyId\0SecretAccessKey\0SessionToken\0Expiration\0",
                                  &fresh);
    if (reason != 0) {
        aws_i_wipe(text, s->ask.part);
        r = aws_i_fail(client, reason, s->command);
        client->failure.needed = reason == AWS_REASON_KEYS_MEMORY ? 2 * s->needed + 8 : 0;
        return r;
    }
    return aws_i_asker_take(&s->ask, client, &fresh, keys, 1);
}

AWS_API const aws_provider *aws_keys_process_init(aws_keys_process *source, const char *command,
                                                  void *memory, size_t size)
{
    memset(source, 0, sizeof *source);
    aws_i_asker_init(&source->ask, aws_i_process_get, source, memory, size, 2);
    source->command = command;
    return &source->ask.provider;
}

/* The path that a variable has, else name, which may begin with "~/": the user's directory. NULL if
 * it is too long or there is no such directory. */
static const char *aws_i_default_path(const char *variable, const char *name, char *full,
                                      size_t room)
{
    const char *path = aws_i_default_variable(variable, full, room), *home;
    size_t size, rest;

    if (path == NULL || path[0] == '\0')
        path = name;
    if (path[0] != '~' || path[1] != '/')
        return path;
    rest = strlen(path);
    if (rest >= room)
        return NULL;
    memmove(full + room - rest, path + 1, rest); /* the end; the begin is the directory's */
    home = aws_i_default_variable(AWS_I_DEFAULT_HOME, full, room - rest);
    size = home != NULL ? strlen(home) : 0;
    if (size == 0 || size > room - rest)
        return NULL;
    memmove(full, home, size);
    memmove(full + size, full + room - rest, rest);
    return full;
}

/* Read that path's file to the end of room bytes at to: its text and size; AWS_ERR_MEMORY or 0. */
static int aws_i_default_file(const char *variable, const char *name, char *to, size_t room,
                              const char **text, size_t *size)
{
    char full[AWS_I_DEFAULT_PATH];
    const char *path = aws_i_default_path(variable, name, full, sizeof full);
    int n;

    *text = NULL;
    *size = 0;
    n = path != NULL ? AWS_I_DEFAULT_READ(NULL, path, to, room) : 0;
    if (n == AWS_ERR_MEMORY)
        return n;
    if (n > 0) {
        memmove(to + room - (size_t)n, to, (size_t)n);
        *text = to + room - (size_t)n;
        *size = (size_t)n;
    }
    return 0;
}

/* Read the profile; its texts stay at the begin of here->files, the files are wiped. */
static int aws_i_default_settings(aws_default *here, const char *profile)
{
    char *memory = (char *)here->files;
    size_t room = sizeof here->files;
    aws_files files;
    int result;

    result = aws_i_default_file("AWS_CONFIG_FILE", "~/.aws/config", memory, room, &files.config,
                                &files.config_size);
    if (result == 0)
        result = aws_i_default_file("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials", memory,
                                    room - files.config_size, &files.credentials,
                                    &files.credentials_size);
    room -= files.config_size + files.credentials_size;
    if (result == 0)
        result = aws_settings_read(&here->settings, &files, profile, memory, room);
    if (result < 0 && here->settings.reason == 0)
        here->settings.reason = -result;
    aws_i_wipe(memory + here->settings.used, sizeof here->files - here->settings.used);
    return result;
}

static int aws_i_default_broken(const aws_provider *provider, aws_client *client, aws_keys *keys)
{
    const aws_default *here = (const aws_default *)provider->context;

    (void)keys;
    return aws_i_fail(client, here->settings.reason, here->settings.value);
}

static void aws_i_default_add(aws_default *here, const char *name, const aws_provider *source)
{
    here->names[here->chain.count] = name;
    here->sources[here->chain.count++] = source;
}

/* The source of a profile's own keys, or those its roles begin with. */
static const aws_provider *aws_i_default_from(aws_default *here, const char **name)
{
    aws_settings *s = &here->settings;

    switch (s->from) {
    case AWS_FROM_CREDENTIALS:
    case AWS_FROM_CONFIG:
        *name = s->from == AWS_FROM_CONFIG ? "config-file" : "shared-credentials-file";
        return aws_keys_fixed_init(&here->fixed, &s->keys);
    case AWS_FROM_PROCESS:
        *name = "custom-process";
        return aws_keys_process_init(&here->process, s->process, here->base, sizeof here->base);
    case AWS_FROM_WEB_IDENTITY:
        *name = "assume-role-with-web-identity";
        return aws_keys_web_identity_init(&here->web, &s->web_role, s->token_file,
                                          AWS_I_DEFAULT_READ,
                                          NULL, here->base, sizeof here->base);
    case AWS_FROM_ENVIRONMENT:
        return aws_keys_environment();
    case AWS_FROM_CONTAINER:
        aws_keys_container_init(&here->container, here->base, sizeof here->base);
        here->container.read = AWS_I_DEFAULT_READ;
        return &here->container.ask.provider;
    case AWS_FROM_INSTANCE:
        return aws_keys_imds_init(&here->instance, here->base, sizeof here->base);
    default:
        return NULL;
    }
}

/* boto3's order. What comes after a profile's own keys is asked only if it has none. */
static void aws_i_default_chain(aws_default *here, int explicit_profile)
{
    const char *name = NULL;
    const aws_provider *from = aws_i_default_from(here, &name);
    int web = here->settings.from == AWS_FROM_WEB_IDENTITY && here->settings.role_count == 0;

    aws_keys_chain_init(&here->chain, here->sources, 0);
    if (!explicit_profile)
        aws_i_default_add(here, "env", aws_keys_environment());
    if (here->settings.role_count != 0)
        aws_i_default_add(here, "assume-role",
                          aws_keys_role_init(&here->role, from, here->settings.roles,
                                             here->settings.role_count, here->keys,
                                             sizeof here->keys));
    if (here->settings.role_count == 0 && !explicit_profile && !web)
        aws_i_default_add(here, "assume-role-with-web-identity",
                          aws_keys_web_identity_init(&here->web, NULL, NULL, AWS_I_DEFAULT_READ,
                                                     NULL, here->keys, sizeof here->keys));
    if (here->settings.role_count != 0)
        return;
    if (from != NULL)
        aws_i_default_add(here, name, from);
    aws_keys_container_init(&here->container, here->keys, sizeof here->keys);
    here->container.read = AWS_I_DEFAULT_READ;
    aws_i_default_add(here, "container-role", &here->container.ask.provider);
    aws_i_default_add(here, "iam-role", aws_keys_imds_init(&here->instance, here->keys,
                                                           sizeof here->keys));
}

/* What neither config nor the environment says is taken from the profile. */
static void aws_i_default_config(aws_default *here, aws_config *config)
{
    const aws_settings *s = &here->settings;
    uint64_t number;

    if (config->region == NULL && aws_i_env(config->port, "AWS_REGION") == NULL &&
        aws_i_env(config->port, "AWS_DEFAULT_REGION") == NULL)
        config->region = s->region;
    if (config->max_attempts == 0 && aws_i_env(config->port, "AWS_MAX_ATTEMPTS") == NULL &&
        s->max_attempts != NULL && aws_i_number(s->max_attempts, &number) && number < 1000)
        config->max_attempts = (unsigned)number;
    if (config->retry_mode == 0 && aws_i_env(config->port, "AWS_RETRY_MODE") == NULL &&
        s->retry_mode != NULL && strcmp(s->retry_mode, "legacy") == 0)
        config->retry_mode = AWS_RETRY_LEGACY;
    if (config->addressing == 0 && s->addressing_style != NULL)
        config->addressing = strcmp(s->addressing_style, "path") == 0      ? AWS_ADDRESSING_PATH
                             : strcmp(s->addressing_style, "virtual") == 0 ? AWS_ADDRESSING_VIRTUAL
                                                                           : AWS_ADDRESSING_AUTO;
    if (config->endpoint_of == NULL) {
        config->endpoint_of = aws_settings_endpoint;
        config->settings = s;
    }
}

AWS_API aws_session *aws_default_session(aws_default *here, const char *profile,
                                         const aws_config *config)
{
    const aws_port *port = AWS_I_DEFAULT_PORT();
    int explicit_profile = profile != NULL;
    aws_config c;

    if (here->begun)
        return &here->session;
    memset(here, 0, sizeof *here);
    memset(&c, 0, sizeof c);
    if (config != NULL)
        c = *config;
    if (c.port == NULL)
        c.port = port;
    if (profile == NULL)
        profile = aws_i_or(aws_i_env(port, "AWS_DEFAULT_PROFILE"), aws_i_env(port, "AWS_PROFILE"));
    here->code = aws_i_default_settings(here, profile);
    aws_i_default_config(here, &c);
#ifndef AWS_NO_TLS
    profile = aws_i_or(aws_i_env(port, "AWS_CA_BUNDLE"), here->settings.ca_bundle);
    if (c.trust == NULL && profile != NULL) {
        int loaded = aws_trust_load(&here->trust, here->anchors, sizeof here->anchors, profile);

        c.trust = &here->trust; /* an empty one, if it can't be read: no other CA then */
        if (loaded < 0 && here->code == 0)
            here->code = loaded;
    }
#endif
    if (c.provider == NULL && c.access_key_id == NULL && c.secret_access_key == NULL) {
        if (here->code == 0 || here->settings.reason == 0)
            aws_i_default_chain(here, explicit_profile);
        here->broken.get = aws_i_default_broken;
        here->broken.context = here;
        c.provider = here->chain.count != 0 ? &here->chain.provider : &here->broken;
    }
    aws_session_init(&here->session, &c);
    here->begun = 1;
    return &here->session;
}

AWS_API const char *aws_default_source(const aws_default *here)
{
    if (here->session.keys.access_key_id == NULL)
        return NULL;
    if (here->session.config.provider != &here->chain.provider)
        return "explicit";
    return here->names[here->chain.at];
}

AWS_API void aws_default_close(aws_default *here)
{
    aws_session_close(&here->session);
    aws_i_wipe(here, sizeof *here);
}

#endif /* AWS_I_SOURCES */
