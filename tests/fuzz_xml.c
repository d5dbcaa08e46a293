/* fuzz_xml.c - libFuzzer: the XML reader over any bytes.
 *
 *     clang -std=c99 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I. \
 *         tests/fuzz_xml.c -lbearssl -o build/fuzz_xml && build/fuzz_xml -max_len=1000
 *
 * SPDX-License-Identifier: MIT
 *
 * Holds: any split gives the same events and texts, with LEAF events too; elements nest; a document is complete only
 * when its root has ended, and no element comes after that; an error stays; nothing is read beyond
 * the slice given (slices are allocated, so that the sanitizer sees it).
 */
#define AWS_IMPLEMENTATION
#define AWS_NO_DEFAULT_PORT
#include "../aws.h"
#include "fuzz_invariant.h"

typedef struct story {
    int    error, complete;
    size_t used; /* bytes taken up to the error */
    size_t hash, text_size, texts; /* of all events; of the current text; of all texts */
    int    depth;
} story;

static void add(story *s, const void *data, size_t size)
{
    const unsigned char *byte = (const unsigned char *)data;

    while (size--)
        s->hash = (s->hash ^ *byte++) * (size_t)1099511628211u;
}

static void text_event(story *s, const aws_xml *xml, const char *begin, const char *end)
{
    const char *own = (const char *)xml;
    story texts;

    s->text_size += xml->text_size;
    if (xml->text >= begin && xml->text < end)
        INVARIANT(xml->text_size <= (size_t)(end - xml->text));
    else if (xml->text >= own && xml->text < own + sizeof *xml)
        INVARIANT(xml->text + xml->text_size <= own + sizeof *xml);
    add(s, xml->text, xml->text_size);
    texts.hash = s->texts;
    add(&texts, xml->text, xml->text_size);
    s->texts = texts.hash;
}

static void tag_event(story *s, int kind, const char *path, size_t size)
{
    add(s, kind == AWS_XML_START ? "\1" : "\2", 1);
    add(s, path, size);
    add(s, &s->text_size, sizeof s->text_size);
    s->text_size = 0;
}

static void event(story *s, const aws_xml *xml, int kind, const char *begin, const char *end)
{
    char path[AWS_XML_PATH];
    size_t length = xml->path_length;

    INVARIANT(length == strlen(xml->path) && length < AWS_XML_PATH);
    INVARIANT(xml->depth > 0 && xml->depth <= AWS_XML_DEPTH);
    INVARIANT(xml->root_length <= length);
    if (kind == AWS_XML_TEXT) {
        INVARIANT(xml->text_size > 0);
        text_event(s, xml, begin, end);
    } else if (kind == AWS_XML_LEAF) { /* the same as its three events */
        INVARIANT(xml->leaves && s->depth == xml->depth && xml->depth < AWS_XML_DEPTH);
        INVARIANT(xml->name_size > 0 && length + 1 + xml->name_size < AWS_XML_PATH);
        memcpy(path, xml->path, length);
        path[length] = '/';
        memcpy(path + length + 1, xml->name, xml->name_size);
        tag_event(s, AWS_XML_START, path, length + 1 + xml->name_size);
        text_event(s, xml, begin, end);
        tag_event(s, AWS_XML_END, path, length + 1 + xml->name_size);
    } else {
        s->depth += kind == AWS_XML_START ? 1 : -1;
        INVARIANT(s->depth == xml->depth - (kind == AWS_XML_END));
        tag_event(s, kind, xml->path, length);
        if (kind == AWS_XML_START) {
            INVARIANT(xml->name_size <= length);
            INVARIANT(memcmp(xml->name, xml->path + length - xml->name_size, xml->name_size) == 0);
        }
    }
}

static void run(story *s, const uint8_t *data, size_t size, uint32_t splits, int leaves)
{
    aws_xml xml;
    size_t at = 0;
    int ended = 0;

    memset(s, 0, sizeof *s);
    s->hash = (size_t)14695981039346656037u;
    aws_xml_init(&xml);
    xml.leaves = (unsigned char)leaves;
    while (at < size && !s->error) {
        size_t slice = size - at, taken = 0, used;
        char *copy;
        int r;
        if (splits) {
            splits = splits * 1664525u + 1013904223u;
            slice = 1 + (splits >> 16) % 5;
            slice = splits == 1 ? 1 : slice < size - at ? slice : size - at;
        }
        copy = (char *)malloc(slice);
        INVARIANT(copy != NULL);
        memcpy(copy, data + at, slice);
        do {
            ended |= aws_xml_complete(&xml);
            r = aws_xml_step(&xml, copy + taken, slice - taken, &used);
            INVARIANT(used <= slice - taken);
            taken += used;
            if (r > 0) {
                INVARIANT(!ended && r <= AWS_XML_LEAF);
                event(s, &xml, r, copy, copy + slice);
            } else if (r != AWS_AGAIN) {
                INVARIANT(r == AWS_ERR_XML || r == AWS_ERR_TOO_BIG);
                s->error = r;
            } else {
                INVARIANT(taken == slice);
            }
            if (aws_xml_complete(&xml))
                INVARIANT(s->depth == 0 && !s->error);
        } while (r > 0);
        at += taken;
        free(copy);
    }
    s->used = at;
    s->complete = aws_xml_complete(&xml);
    if (s->error) {
        size_t used;
        INVARIANT(!s->complete);
        INVARIANT(aws_xml_step(&xml, "<a>", 3, &used) < -1 && !aws_xml_complete(&xml));
    }
}

/* A second, simple opinion on a well-formed document without entities and declaration: its texts, hashed. */
static size_t texts_of(const uint8_t *data, size_t size)
{
    story s;
    size_t i = 0, end;
    int depth = 0;

    memset(&s, 0, sizeof s);
    while (i < size) {
        const uint8_t *at = data + i;
        size_t left = size - i;
        if (left >= 9 && memcmp(at, "<![CDATA[", 9) == 0) {
            for (end = 9; memcmp(at + end, "]]>", 3) != 0; end++)
                ;
            add(&s, at + 9, end - 9);
            i += end + 3;
        } else if (left >= 4 && memcmp(at, "<!--", 4) == 0) {
            for (end = 4; memcmp(at + end, "-->", 3) != 0; end++)
                ;
            i += end + 3;
        } else if (*at == '<') {
            int quote = 0;
            for (end = 1; quote || at[end] != '>'; end++)
                if (quote ? at[end] == quote : at[end] == '"' || at[end] == '\'')
                    quote = quote ? 0 : at[end];
            depth += at[1] == '/' ? -1 : at[end - 1] != '/';
            i += end + 1;
        } else {
            if (depth) /* blanks around the root are no texts */
                add(&s, at, 1);
            i++;
        }
    }
    return s.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    story whole, split;
    uint32_t seed;
    int way;

    if (size < 2)
        return 0;
    seed = (uint32_t)data[0] << 8 | data[1] | 0x10000;
    run(&whole, data + 2, size - 2, 0, 0);
    for (way = 1; way < 4; way++) { /* split, with leaves, both */
        run(&split, data + 2, size - 2, way & 1 ? seed : 0, way >> 1);
        INVARIANT(whole.error == split.error && whole.complete == split.complete);
        /* up to an error the texts before it may have been given or not, by slice */
        if (!whole.error)
            INVARIANT(whole.hash == split.hash && whole.depth == split.depth);
    }
    if (whole.complete && !memchr(data, '&', size) && !memchr(data, '?', size)) {
        const uint8_t *from = data + 2;
        while (*from != '<')
            from++;
        INVARIANT(whole.texts == texts_of(from, (size_t)(data + size - from)));
    }
    /* up to the last byte but one a complete document was complete only if a blank follows */
    if (whole.complete) {
        size_t end = size;
        while (end > 2 && data[end - 1] != '>')
            end--;
        run(&split, data + 2, end - 3, 0, 0);
        if (end > 4 && data[end - 2] != '-') /* not a comment behind the root */
            INVARIANT(!split.complete);
    }
    return 0;
}
