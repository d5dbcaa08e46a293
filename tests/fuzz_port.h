/* fuzz_port.h - a port in memory for the fuzzers: it serves the fuzzer's bytes.
 *
 * SPDX-License-Identifier: MIT
 *
 * The answers are numbered by request, not by connection, so that a run that reconnects where
 * another one keeps its connection gets the same answers. A request begins with the first send
 * after an answer was read. Time moves only by waiting.
 */
#ifndef FUZZ_PORT_INCLUDED
#define FUZZ_PORT_INCLUDED

#include <string.h>
#include "fuzz_invariant.h"

enum { FUZZ_ANSWERS = 8, FUZZ_CALLS = 400000 };
enum { FUZZ_END = 1, FUZZ_RESET = 2 }; /* what follows an answer's bytes; neither: silence */

typedef struct fuzz_answer {
    const uint8_t *data;
    size_t         size;
    unsigned       after; /* FUZZ_* */
} fuzz_answer;

typedef struct fuzz_port {
    aws_port    port;
    fuzz_answer answers[FUZZ_ANSWERS];
    size_t      count, number, at; /* answer being read, how far */
    uint32_t    splits; /* state of the generator of split sizes; 0: none, 1: single bytes */
    int         agains; /* say AWS_AGAIN now and then */
    int         reading, said_again, blocked, open, opens;
    uint32_t    ticks;
    unsigned    calls;
    char        host[300];
    unsigned    port_number;
    char        sent[20000]; /* the requests, as far as they fit */
    size_t      sent_size;
} fuzz_port;

static fuzz_port *fuzz_of(const aws_port *port)
{
    return (fuzz_port *)port->context;
}

static uint32_t fuzz_random(fuzz_port *f)
{
    f->splits = (f->splits * 1664525u + 1013904223u) | 2;
    return f->splits >> 16;
}

/* Of size bytes, how many to move in this call; 0: say AWS_AGAIN. Never twice in a row. */
static size_t fuzz_piece(fuzz_port *f, size_t size)
{
    INVARIANT(size > 0);
    INVARIANT(f->calls++ < FUZZ_CALLS); /* else it is a loop without end */
    if (f->splits < 2)
        return f->splits ? 1 : size;
    if (f->agains && !f->said_again && fuzz_random(f) % 3 == 0) {
        f->said_again = 1;
        return 0;
    }
    f->said_again = 0;
    if (fuzz_random(f) % 4) {
        size_t piece = 1 + fuzz_random(f) % 7;
        return piece < size ? piece : size;
    }
    return size;
}

static int fuzz_open(const aws_port *port, void *area, const char *host, unsigned number, int tls)
{
    fuzz_port *f = fuzz_of(port);

    (void)tls;
    INVARIANT(!f->open);
    INVARIANT(((unsigned char *)area)[0] == 0);
    INVARIANT(strlen(host) < sizeof f->host && number > 0 && number < 65536);
    if (f->splits && f->agains && !fuzz_piece(f, 1))
        return AWS_AGAIN;
    strcpy(f->host, host);
    f->port_number = number;
    f->open = 1;
    f->opens++;
    ((unsigned char *)area)[0] = 1;
    if (f->reading) { /* the next request */
        f->reading = 0;
        f->number++;
        f->at = 0;
    }
    return 0;
}

static int fuzz_send(const aws_port *port, void *area, const void *data, size_t size)
{
    fuzz_port *f = fuzz_of(port);
    size_t piece = fuzz_piece(f, size), room = sizeof f->sent - f->sent_size;

    (void)area;
    INVARIANT(f->open);
    f->blocked = piece == 0;
    if (f->blocked)
        return AWS_AGAIN;
    if (f->reading) {
        f->reading = 0;
        f->number++;
        f->at = 0;
    }
    memcpy(f->sent + f->sent_size, data, piece < room ? piece : room);
    f->sent_size += piece < room ? piece : room;
    return (int)piece;
}

static int fuzz_recv(const aws_port *port, void *area, void *data, size_t size)
{
    fuzz_port *f = fuzz_of(port);
    const fuzz_answer *a = f->answers + f->number;
    size_t piece;

    (void)area;
    INVARIANT(f->open && size > 0);
    INVARIANT(f->calls++ < FUZZ_CALLS);
    if (f->blocked) /* a request is on its way: no answer yet, or runs would differ */
        return AWS_AGAIN;
    f->reading = 1;
    if (f->number >= f->count)
        return AWS_ERR_CLOSED;
    if (f->at == a->size)
        return a->after & FUZZ_END ? 0 : a->after & FUZZ_RESET ? AWS_ERR_CLOSED : AWS_AGAIN;
    piece = fuzz_piece(f, size < a->size - f->at ? size : a->size - f->at);
    if (!piece)
        return AWS_AGAIN;
    memcpy(data, a->data + f->at, piece);
    f->at += piece;
    return (int)piece;
}

static int fuzz_close(const aws_port *port, void *area)
{
    fuzz_port *f = fuzz_of(port);

    (void)area;
    f->open = f->blocked = 0;
    return 0;
}

/* Whether recv would say something else than AWS_AGAIN. */
static int fuzz_readable(const fuzz_port *f)
{
    const fuzz_answer *a = f->answers + f->number;

    return f->number >= f->count || f->at < a->size || a->after & (FUZZ_END | FUZZ_RESET);
}

/* Time passes only where nothing comes. */
static void fuzz_pass(fuzz_port *f, unsigned what, uint32_t ms)
{
    f->blocked = 0;
    if (!(what & AWS_WAIT_WRITE) && !(what & AWS_WAIT_READ && fuzz_readable(f)))
        f->ticks += ms;
}

static int fuzz_wait(const aws_port *port, void *area, unsigned what, uint32_t ms)
{
    fuzz_port *f = fuzz_of(port);

    (void)area;
    INVARIANT(what != 0 && ms > 0);
    fuzz_pass(f, what, ms);
    return 0;
}

static int64_t fuzz_now(const aws_port *port)
{
    (void)port;
    return 1767323045;
}

static uint32_t fuzz_ticks(const aws_port *port)
{
    return fuzz_of(port)->ticks;
}

static int fuzz_entropy(const aws_port *port, void *data, size_t size)
{
    (void)port;
    memset(data, 7, size);
    return 0;
}

static void fuzz_port_init(fuzz_port *f, uint32_t splits, int agains)
{
    memset(f, 0, sizeof *f);
    f->splits = splits;
    f->agains = agains;
    f->ticks = 0xfffffff0u; /* wraps soon */
    f->port.context = f;
    f->port.connection_size = 8;
    f->port.open = fuzz_open;
    f->port.send = fuzz_send;
    f->port.recv = fuzz_recv;
    f->port.close = fuzz_close;
    f->port.wait = fuzz_wait;
    f->port.now = fuzz_now;
    f->port.ticks = fuzz_ticks;
    f->port.entropy = fuzz_entropy;
}

/* The fuzzer's bytes as answers: a byte of flags, then bytes up to a 0xff. */
static inline void fuzz_port_answers(fuzz_port *f, const uint8_t *data, size_t size)
{
    while (size && f->count < FUZZ_ANSWERS) {
        fuzz_answer *a = f->answers + f->count++;
        const uint8_t *end = (const uint8_t *)memchr(data + 1, 0xff, size - 1);
        a->after = data[0];
        a->data = data + 1;
        a->size = end ? (size_t)(end - a->data) : size - 1;
        size -= a->size + 1;
        data += a->size + 1;
        if (size) { /* the 0xff */
            data++;
            size--;
        }
    }
}

#endif /* FUZZ_PORT_INCLUDED */
