/* fuzz_profile.c - libFuzzer: profiles of any two files.
 *
 *     clang -std=c99 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I. \
 *         tests/fuzz_profile.c -lbearssl -o build/fuzz_profile && build/fuzz_profile -max_len=800
 *
 * SPDX-License-Identifier: MIT
 *
 * The first 0xff ends the config file and begins the other one. Holds: nothing is read beyond the
 * files; what comes out are texts in the memory given; less memory than is used is refused, and as
 * much as needed says does; an error has a reason; the same is found again.
 */
#define AWS_IMPLEMENTATION
#define AWS_NO_DEFAULT_PORT
#include "../aws.h"
#include "fuzz_invariant.h"

static char *copy(const void *data, size_t size)
{
    char *to = (char *)malloc(size ? size : 1);

    if (size)
        memcpy(to, data, size);
    return to;
}

/* A text that was found lies in the memory, ended there. */
static void within(const char *text, const char *memory, size_t size)
{
    if (text == NULL)
        return;
    INVARIANT(text >= memory && text < memory + size);
    INVARIANT(memchr(text, 0, (size_t)(memory + size - text)) != NULL);
}

static void role(const aws_role *r, const char *memory, size_t size)
{
    within(r->arn, memory, size);
    within(r->session_name, memory, size);
    within(r->external_id, memory, size);
    within(r->duration, memory, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *cut = size ? (const uint8_t *)memchr(data, 0xff, size) : NULL;
    aws_settings s, again;
    aws_files files;
    const char *profile = size & 1 ? "default" : "a";
    char *config, *credentials, *memory;
    size_t room, i;
    int code;

    files.config_size = cut ? (size_t)(cut - data) : size;
    files.credentials_size = cut ? size - files.config_size - 1 : 0;
    files.config = config = copy(data, files.config_size);
    files.credentials = credentials = copy(cut ? cut + 1 : data, files.credentials_size);
    room = size + 7 + 64;
    memory = (char *)malloc(room);
    code = aws_settings_read(&s, &files, profile, memory, room);
    INVARIANT(code <= 0 && code != AWS_ERR_MEMORY);
    INVARIANT((code < 0) == (s.reason != 0) && (code == 0 || code == -(s.reason % 32)));
    if (code == 0) {
        INVARIANT(s.used <= room && s.role_count <= AWS_ROLES);
        within(s.profile, memory, s.used);
        within(s.region, memory, s.used);
        within(s.endpoint_url, memory, s.used);
        within(s.endpoints, memory, s.used);
        within(s.keys.access_key_id, memory, s.used);
        within(s.keys.secret_access_key, memory, s.used);
        within(s.keys.session_token, memory, s.used);
        within(s.process, memory, s.used);
        within(s.token_file, memory, s.used);
        role(&s.web_role, memory, s.used);
        for (i = 0; i < s.role_count; i++)
            role(s.roles + i, memory, s.used);
        room = s.used;
        free(memory);
        memory = (char *)malloc(room);
        INVARIANT(aws_settings_read(&again, &files, profile, memory, room) == 0);
        INVARIANT(again.used == s.used && again.from == s.from);
        INVARIANT(aws_settings_read(&again, &files, profile, memory, room - 1) == AWS_ERR_MEMORY);
        INVARIANT(again.needed >= s.used);
    }
    free(memory);
    free(config);
    free(credentials);
    return 0;
}
