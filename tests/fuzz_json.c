/* fuzz_json.c - any bytes as a JSON document: what is taken can be walked and written again, and is
 * taken then, too.
 *
 * SPDX-License-Identifier: MIT
 */
#define AWS_IMPLEMENTATION
#include "../aws_s3.h"
#include "fuzz_invariant.h"

enum { TOKENS = 512, ROOM = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static aws_json_token tokens[TOKENS], again[TOKENS];
    static char text[ROOM], path[64];
    aws_json json, copy;
    aws_json_writer w;
    int64_t number;
    int r, i, n;

    r = aws_json_parse(&json, (const char *)data, size, tokens, TOKENS);
    if (r <= 0)
        return 0;
    INVARIANT(tokens[0].type == AWS_JSON_OBJECT && tokens[0].next == r);
    n = (int)(size < sizeof path ? size : sizeof path - 1);
    for (i = 0; i < n; i++)
        path[i] = (char)(data[(size_t)n - 1 - (size_t)i] ? data[(size_t)n - 1 - (size_t)i] : 1);
    path[n] = 0;
    INVARIANT(aws_json_find(&json, 0, path) < r);
    aws_json_begin(&w, text, sizeof text);
    aws_json_open_object(&w, NULL);
    aws_json_open_array(&w, "all");
    for (i = 0; i < r; i++) {
        static char value[ROOM];
        const aws_json_token *t = tokens + i;
        INVARIANT(t->start >= 0 && t->start <= t->end && (size_t)t->end <= size && t->next > i &&
                  t->next <= r);
        n = aws_json_string(&json, i, value, sizeof value);
        INVARIANT(n <= t->end - t->start);
        if (n >= 0)
            aws_json_put_string(&w, NULL, value);
        aws_json_base64(&json, i, value, sizeof value);
        if (aws_json_int64(&json, i, &number) == 0)
            aws_json_put_number(&w, NULL, number, 0);
        if (aws_json_number(&json, i, 3, &number) == 0)
            aws_json_put_number(&w, NULL, number, 3);
    }
    aws_json_close(&w);
    aws_json_put_raw(&w, "raw", (const char *)data + tokens[0].start,
                     (size_t)(tokens[0].end - tokens[0].start));
    aws_json_close(&w);
    n = aws_json_end(&w);
    if (n >= 0) {
        n = aws_json_parse(&copy, text, (size_t)n, again, TOKENS);
        INVARIANT(n > 0 || n == AWS_ERR_MEMORY || n == AWS_ERR_JSON); /* two deeper */
        INVARIANT(n != AWS_ERR_JSON || tokens[0].end > AWS_JSON_DEPTH);
    }
    return 0;
}
