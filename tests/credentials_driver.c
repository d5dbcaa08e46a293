/* credentials_driver.c - for test_credentials.py: what aws_settings_read makes of two files.
 *
 * SPDX-License-Identifier: MIT
 *
 * Arguments: config file, credentials file, profile. Output: lines "name value", values with line
 * feeds as \n; or "error CODE REASON VALUE". With one argument, a profile or "-" for none: what the
 * default session makes of the environment; no server is asked.
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include <stdio.h>
#include <stdlib.h>

/* The whole file in memory of its own, so that a read past its end is found; NULL if empty. */
static char *slurp(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL, piece[512];
    size_t n;

    *size = 0;
    while (file != NULL && (n = fread(piece, 1, sizeof piece, file)) > 0) {
        text = (char *)realloc(text, *size + n);
        memcpy(text + *size, piece, n);
        *size += n;
    }
    if (file != NULL)
        fclose(file);
    return text;
}

static void say(const char *name, const char *value)
{
    if (value == NULL)
        return;
    printf("%s ", name);
    for (; *value; value++)
        *value == '\n' ? (void)fputs("\\n", stdout) : (void)putchar(*value);
    printf("\n");
}

static void say_role(const aws_role *role)
{
    say("arn", role->arn);
    say("session", role->session_name);
    say("external", role->external_id);
    say("duration", role->duration);
}

/* A session without a server: its keys are asked for, but nothing is sent. */
static int say_session(const char *profile)
{
    static unsigned char memory[AWS_CLIENT_MEMORY];
    static aws_default here;
    aws_session *session = aws_default_session(&here, profile, NULL);
    aws_signing signing;
    aws_client client;
    int code;

    say("region", session->config.region);
    if (session->config.region == NULL)
        session->config.region = "eu-west-1";
    code = aws_client_init(&client, session, &aws_s3_service, memory, sizeof memory);
    if (code == 0)
        code = aws_call_signing(&client, &signing);
    if (code == 0) {
        printf("attempts %u\n", session->config.max_attempts ? session->config.max_attempts : 3);
        say("host", client.endpoint.host != NULL ? client.endpoint.host : "amazon");
        say("from", aws_default_source(&here));
        say("key", signing.access_key_id);
        say("secret", signing.secret_access_key);
        say("token", signing.session_token);
    } else {
        printf("error %s\n", aws_client_failure_text(&client));
    }
    aws_client_close(&client);
    aws_default_close(&here);
    return 0;
}

int main(int argc, char **argv)
{
    static const char from[] = "nothing\0credentials\0config\0process\0web\0Environment\0"
                               "EcsContainer\0Ec2InstanceMetadata\0";
    aws_settings s;
    aws_files files;
    char *config, *credentials, *memory;
    const char *text;
    size_t size, i;
    int code;

    if (argc == 2)
        return say_session(strcmp(argv[1], "-") == 0 ? NULL : argv[1]);
    if (argc != 4)
        return 2;
    config = slurp(argv[1], &files.config_size);
    credentials = slurp(argv[2], &files.credentials_size);
    files.config = config;
    files.credentials = credentials;
    /* as little memory as will do: the first size that isn't refused */
    for (size = 0, memory = NULL;; size++) {
        memory = (char *)realloc(memory, size + 1);
        code = aws_settings_read(&s, &files, argv[3], memory, size);
        if (code != AWS_ERR_MEMORY)
            break;
        if (size > s.needed) {
            printf("error: %zu bytes should have done\n", s.needed);
            return 1;
        }
    }
    free(config);
    free(credentials);
    if (code < 0) {
        printf("error %s %d %s\n", aws_code_name(code), s.reason, s.value);
    } else {
        text = from;
        for (i = 0; i < s.from; i++)
            text += strlen(text) + 1;
        say("region", s.region);
        say("ca_bundle", s.ca_bundle);
        say("retry_mode", s.retry_mode);
        say("max_attempts", s.max_attempts);
        say("addressing_style", s.addressing_style);
        say("endpoint_url", s.endpoint_url);
        for (text = s.endpoints; text != NULL && *text; text += strlen(text) + 1) {
            printf("endpoint %s ", text);
            text += strlen(text) + 1;
            printf("%s\n", text);
        }
        text = from;
        for (i = 0; i < s.from; i++)
            text += strlen(text) + 1;
        say("from", text);
        say("key", s.keys.access_key_id);
        say("secret", s.keys.secret_access_key);
        say("token", s.keys.session_token);
        say("process", s.process);
        say("file", s.token_file);
        say_role(&s.web_role);
        for (i = 0; i < s.role_count; i++) {
            printf("role\n");
            say_role(&s.roles[i]);
        }
    }
    free(memory);
    return 0;
}
