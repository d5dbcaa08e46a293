/* jsonl.h - strings out of the peers' vectors (one JSON object per line), for tests.
 *
 * SPDX-License-Identifier: MIT
 *
 * The vectors aren't part of this repository. They are looked for in ../shared/vectors, or in the
 * folder that AWS_TEST_VECTORS names; a test that can't find them says so in a line that begins
 * with NOTE.
 *
 *     jsonl_file file;
 *     const char *value;
 *     if (jsonl_open(&file, "x.jsonl"))
 *         while (jsonl_next(&file))
 *             if ((value = jsonl_get(&file, "context.credentials.token")) != NULL) ...
 */
#ifndef JSONL_INCLUDED
#define JSONL_INCLUDED

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JSONL_LINE = 1 << 16, JSONL_VALUES = 8 };

typedef struct jsonl_file {
    FILE    *stream;
    unsigned row, turn;
    char     line[JSONL_LINE];
    char     values[JSONL_VALUES][JSONL_LINE]; /* the last ones that were got */
} jsonl_file;

static inline int jsonl_open(jsonl_file *file, const char *name)
{
    const char *folder = getenv("AWS_TEST_VECTORS");
    char path[512];

    snprintf(path, sizeof path, "%s/%s", folder ? folder : "../shared/vectors", name);
    file->row = file->turn = 0;
    file->stream = fopen(path, "r");
    if (!file->stream)
        printf("NOTE: the peers' vectors %s aren't there: NOT tested\n", path);
    return file->stream != NULL;
}

/* The next line: 1, or 0 at the end. */
static inline int jsonl_next(jsonl_file *file)
{
    if (fgets(file->line, (int)sizeof file->line, file->stream)) {
        file->row++;
        return 1;
    }
    fclose(file->stream);
    return 0;
}

static inline const char *jsonl_space(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* Past a string that begins at the quote `at`. */
static inline const char *jsonl_string_end(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        at += *at == '\\' && at[1];
    return at + (*at == '"');
}

/* Past any value. */
static inline const char *jsonl_value_end(const char *at)
{
    int depth = 0;

    do {
        if (*at == '"') {
            at = jsonl_string_end(at);
            continue;
        }
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        if (depth < 0 || (!depth && *at == ','))
            return at;
        at++;
    } while (*at && (depth || !strchr(",}]", *at)));
    return at;
}

/* The value of a member of the object at `at`, NULL if there is none. */
static inline const char *jsonl_member(const char *at, const char *name, size_t size)
{
    if (*at != '{')
        return NULL;
    at = jsonl_space(at + 1);
    while (*at == '"') {
        const char *key = at + 1, *end = jsonl_string_end(at);
        int found = (size_t)(end - key) == size + 1 && memcmp(key, name, size) == 0;
        at = jsonl_space(jsonl_space(end) + 1); /* the colon */
        if (found)
            return at;
        at = jsonl_space(jsonl_value_end(at));
        if (*at == ',')
            at = jsonl_space(at + 1);
    }
    return NULL;
}

static inline size_t jsonl_utf8(char *to, unsigned long code)
{
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4, i;

    for (i = size; i-- > 1; code >>= 6)
        to[i] = (char)(0x80 | (code & 0x3f));
    to[0] = (char)(size == 1 ? code : (0xf00 >> size & 0xff) | code);
    return size;
}

/* Decode the string at the quote; what isn't a string is copied as it is. */
static inline const char *jsonl_decode(char *to, const char *at)
{
    static const char escapes[] = "b\bf\fn\nr\rt\t";
    const char *end = jsonl_value_end(at);
    char *out = to;

    if (*at != '"') {
        memcpy(to, at, (size_t)(end - at));
        to[end - at] = 0;
        return to;
    }
    for (at++; at < end - 1; at++) {
        const char *escape;
        if (*at != '\\') {
            *out++ = *at;
        } else if (*++at == 'u') {
            char hex[5];
            unsigned long code;
            memcpy(hex, at + 1, 4);
            hex[4] = 0;
            code = strtoul(hex, NULL, 16);
            at += 4;
            if (code >= 0xd800 && code < 0xdc00 && at[1] == '\\' && at[2] == 'u') {
                memcpy(hex, at + 3, 4);
                code = 0x10000 + ((code - 0xd800) << 10) + (strtoul(hex, NULL, 16) - 0xdc00);
                at += 6;
            }
            out += jsonl_utf8(out, code);
        } else {
            escape = strchr(escapes, *at);
            *out++ = escape ? escape[1] : *at;
        }
    }
    *out = 0;
    return to;
}

/* A member by its path, decoded; the last JSONL_VALUES answers stay. NULL if it isn't there. */
static inline const char *jsonl_get(jsonl_file *file, const char *path)
{
    const char *at = jsonl_space(file->line);

    while (at && *path) {
        size_t size = strcspn(path, ".");
        at = jsonl_member(at, path, size);
        path += size + (path[size] == '.');
    }
    return at ? jsonl_decode(file->values[file->turn++ % JSONL_VALUES], at) : NULL;
}

static inline int jsonl_true(jsonl_file *file, const char *path)
{
    const char *value = jsonl_get(file, path);

    return value != NULL && strcmp(value, "true") == 0;
}

#endif /* JSONL_INCLUDED */
