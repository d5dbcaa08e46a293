/* json_driver.c - for test_json.py: reads documents, writes them again from their tokens.
 *
 * SPDX-License-Identifier: MIT
 *
 * Input: a line with the size of a document, then the document, again and again. Output: a line
 * "bad", or "good", the count of tokens and the document as our writer writes it.
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include <stdio.h>
#include <stdlib.h>

enum { TOKENS = 20000, SIZE = 1 << 20 };

/* The token as a value with its name (NULL in arrays), by the writer's own functions where it has
 * one for the type. */
static void write_value(aws_json_writer *w, const aws_json *json, int at, const char *name)
{
    static char value[SIZE];
    const aws_json_token *t = json->tokens + at;
    int64_t number;

    if (t->type == AWS_JSON_STRING && aws_json_string(json, at, value, sizeof value) >= 0)
        aws_json_put_string(w, name, value);
    else if (t->type == AWS_JSON_NUMBER && aws_json_int64(json, at, &number) == 0)
        aws_json_put_number(w, name, number, 0);
    else if (t->type == AWS_JSON_TRUE || t->type == AWS_JSON_FALSE)
        aws_json_put_bool(w, name, aws_json_bool(json, at));
    else if (t->type == AWS_JSON_NULL)
        aws_json_put_null(w, name);
    else if (t->type == AWS_JSON_STRING)
        aws_json_put_raw(w, name, json->text + t->start - 1, (size_t)(t->end - t->start) + 2);
    else
        aws_json_put_raw(w, name, json->text + t->start, (size_t)(t->end - t->start));
}

/* Without recursion: the tokens in their order, with the ends of the open ones. */
static int write_again(const aws_json *json, char *to, size_t size)
{
    static int ends[AWS_JSON_DEPTH + 1], kinds[AWS_JSON_DEPTH + 1];
    static char name[SIZE];
    const aws_json_token *t = json->tokens;
    aws_json_writer w;
    int depth = 0, at;

    aws_json_begin(&w, to, size);
    for (at = 0; (size_t)at < json->count; at++) {
        const char *named = NULL;

        while (depth && at >= ends[depth - 1]) {
            aws_json_close(&w);
            depth--;
        }
        if (depth && kinds[depth - 1] == AWS_JSON_OBJECT) {
            if (aws_json_string(json, at, name, sizeof name) < 0)
                return -1000; /* a name with a NUL in it: left to the caller */
            named = name;
            at++;
        }
        if (t[at].type != AWS_JSON_OBJECT && t[at].type != AWS_JSON_ARRAY) {
            write_value(&w, json, at, named);
            continue;
        }
        if (t[at].type == AWS_JSON_OBJECT)
            aws_json_open_object(&w, named);
        else
            aws_json_open_array(&w, named);
        kinds[depth] = t[at].type;
        ends[depth++] = t[at].next;
    }
    for (; depth; depth--)
        aws_json_close(&w);
    return aws_json_end(&w);
}

int main(void)
{
    static aws_json_token tokens[TOKENS];
    static char again[SIZE];
    unsigned long size;

    while (scanf("%lu%*c", &size) == 1) {
        char *text = (char *)malloc(size ? size : 1); /* its exact size, for the sanitizer */
        aws_json json;
        int r;

        if (!text || fread(text, 1, size, stdin) != size)
            return 2;
        r = aws_json_parse(&json, text, size, tokens, TOKENS);
        if (r > 0) {
            int length = write_again(&json, again, sizeof again);
            if (length < 0)
                printf("good %d -\n", r);
            else
                printf("good %d %s\n", r, again);
        } else {
            printf("bad %d\n", r);
        }
        free(text);
    }
    return 0;
}
