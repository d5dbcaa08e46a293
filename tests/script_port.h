/* script_port.h - a port in memory for tests: a scripted server, a clock that only moves when
 * told to, and a failure wherever the test wants one.
 *
 * SPDX-License-Identifier: MIT
 *
 * Include it after aws.h. A test makes a script, changes its fields and gives the client its port:
 *
 *     script s;
 *     script_init(&s, SCRIPT_WAITS);              or SCRIPT_NEVER_WAITS, SCRIPT_BLOCKS
 *     s.steps = answers, s.step_count = 2;        the server's answers in turn, or s.serve, a
 *     config.port = &s.port;                      callback that sees each request
 *     SCRIPT_RUN(r, &s, &client, aws_s3_put_object(&client, &args, NULL));
 *     ... script_sent(&s, 0) is what the first connection sent ...
 *     script_free(&s);
 *
 * The port checks its side of the contract: arguments of open that change, use after close, sizes
 * of 0, an area that wasn't zeroed. Each breach is printed and counted in s.breaches. More calls
 * than s.limit end the program: a loop for ever is a failed test, not a hang.
 */
#ifndef SCRIPT_PORT_INCLUDED
#define SCRIPT_PORT_INCLUDED

#include "dirty.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { SCRIPT_WAITS, SCRIPT_NEVER_WAITS, SCRIPT_BLOCKS } script_mode;

/* What the Nth call that can fail does instead. */
typedef enum {
    SCRIPT_NO_FAULT,
    SCRIPT_ERROR, /* the function's error: refused, reset, no entropy */
    SCRIPT_EOF,   /* recv: end of the stream; send: reset; open: look-up failed */
    SCRIPT_SHORT, /* one byte */
    SCRIPT_AGAIN,
    SCRIPT_TIMEOUT, /* the connection goes silent; a blocking port says AWS_ERR_TIMEOUT */
    SCRIPT_FAULTS
} script_fault;

enum {
    SCRIPT_FIN = 1,    /* the server ends the connection after the answer */
    SCRIPT_RESET = 2,  /* resets it */
    SCRIPT_SILENT = 4, /* says nothing more on it */
    SCRIPT_EARLY = 8,  /* answers after `after` bytes of the request and reads no more */
    SCRIPT_REFUSE = 16 /* answers a head that expects 100-continue and reads no more */
};

typedef struct script_step {
    const char *answer;
    size_t size; /* 0: strlen */
    unsigned flags;
    size_t after;
} script_step;

typedef struct script script;

/* A complete request, as the server sees it. */
typedef struct script_request {
    unsigned connection; /* 0, 1, ... */
    unsigned number;     /* of all requests so far */
    const char *head;    /* up to and with the empty line */
    size_t head_size;
    const char *body;
    size_t body_size;
    const char *method, *target; /* NUL-terminated */
} script_request;

typedef struct script_bytes {
    char *data; /* NUL-terminated */
    size_t size, room;
} script_bytes;

typedef struct script_connection {
    script_bytes in, out; /* what the client sent, what the server did */
    size_t parsed, taken, pending;
    size_t continued; /* 1 + where the last request began that was told to continue */
    char host[256];
    unsigned port_number;
    uint64_t drip_at;
    int open, closed, closing, fin, reset, silent, deaf, refused;
} script_connection;

enum { SCRIPT_SLEEPS = 64 };

struct script {
    aws_port port;
    script_mode mode;
    /* the server */
    const script_step *steps; /* in turn; after the last one it is silent */
    size_t step_count, step_at;
    void (*serve)(script *s, const script_request *request);
    void *context;
    unsigned requests;
    const char *continues; /* what it says to a head that expects 100-continue, NULL nothing */
    /* bytes and AGAINs */
    int split_read, split_write; /* at most so many bytes a call; 0 any, -1 random 1 to 7 */
    uint64_t split_at;           /* one receive ends after so many bytes of all answers, 0 none */
    uint64_t received;
    int again_always;       /* each function says AWS_AGAIN every other time */
    unsigned again_per_256; /* or with a probability */
    uint32_t seed;
    /* the clock */
    int64_t unix_time; /* at the start, 0 = not known */
    uint32_t tick;
    uint64_t elapsed;
    uint32_t drip;        /* the server's bytes come one by one, so many ms apart; 0 at once */
    uint32_t block_limit; /* ms after which a blocking recv gives up, default 30,000 */
    /* faults */
    unsigned long calls;    /* of open, send, recv, close, wait and entropy so far */
    unsigned long fault_at; /* 1 the first one, 0 none */
    script_fault fault;
    int for_ever;
    int faulted;                     /* it happened */
    unsigned lookup_fails, refuses;  /* so many of the next opens */
    int open_pending, close_pending; /* AGAINs before each, -1 for ever */
    unsigned entropy_fails_from;     /* call, 1 the first one; 0 never */
    /* what happened */
    script_connection *connections;
    unsigned connection_count;
    unsigned opens, sends, recvs, closes, waits, entropies, nows, ticks; /* calls */
    uint32_t sleeps[SCRIPT_SLEEPS]; /* ms of waits for the timer alone */
    unsigned sleep_count;
    unsigned breaches; /* of the contract by the client */
    unsigned long steps_made, limit;
    const char *what; /* printed with a loop for ever */
    unsigned char toggles[6];
    char method[16], target[24000];
    int handle_what;
};

/* What lies in the connection area. */
typedef struct script_area {
    uint32_t magic;
    uint32_t index;
} script_area;

enum { SCRIPT_MAGIC = 0x53435250 };

static inline script *script_of(const aws_port *port)
{
    return (script *)port->context;
}

static inline uint32_t script_random(script *s)
{
    s->seed = s->seed * 1664525u + 1013904223u;
    return s->seed >> 8;
}

static inline void script_breach(script *s, const char *what)
{
    s->breaches++;
    fprintf(stderr, "script_port.h: the client broke the contract: %s (%s)\n", what,
            s->what ? s->what : "");
}

static inline void script_counted(script *s)
{
    if (++s->steps_made <= s->limit && s->connection_count < 20000)
        return;
    fprintf(stderr, "FAILED: a loop for ever in: %s (fault %d at call %lu%s)\n",
            s->what ? s->what : "?", (int)s->fault, s->fault_at, s->for_ever ? ", for ever" : "");
    printf("a loop for ever\n");
    exit(1);
}

static inline void script_add(script_bytes *to, const void *data, size_t size)
{
    if (to->room < to->size + size + 1) {
        to->room = (to->size + size + 1) * 2;
        to->data = (char *)realloc(to->data, to->room);
        if (!to->data)
            abort();
    }
    if (size)
        memcpy(to->data + to->size, data, size);
    to->size += size;
    to->data[to->size] = 0;
}

/* Let time pass. */
static inline void script_pass(script *s, uint32_t ms)
{
    s->tick += ms;
    s->elapsed += ms;
}

/* ---- The server ---- */

/* For serve: append to the answer. */
static inline void script_reply_bytes(script *s, unsigned connection, const void *data, size_t size)
{
    script_add(&s->connections[connection].out, data, size);
}

static inline void script_reply(script *s, unsigned connection, const char *text)
{
    script_reply_bytes(s, connection, text, strlen(text));
}

/* For serve: what comes after the answer. */
static inline void script_then(script *s, unsigned connection, unsigned flags)
{
    script_connection *c = s->connections + connection;

    c->fin |= (flags & SCRIPT_FIN) != 0;
    c->reset |= (flags & SCRIPT_RESET) != 0;
    c->silent |= (flags & SCRIPT_SILENT) != 0;
    c->deaf |= (flags & SCRIPT_EARLY) != 0;
}

static inline void script_take_step(script *s, unsigned connection)
{
    const script_step *step;

    if (s->step_at == s->step_count)
        return;
    step = s->steps + s->step_at++;
    if (step->answer)
        script_reply_bytes(s, connection, step->answer,
                           step->size ? step->size : strlen(step->answer));
    script_then(s, connection, step->flags);
}

static inline size_t script_body_size(const char *head, size_t size)
{
    const char *line = head, *end = head + size;

    while (line < end) {
        if (strncmp(line, "content-length: ", 16) == 0)
            return (size_t)strtoull(line + 16, NULL, 10);
        line = strchr(line, '\n');
        line = line ? line + 1 : end;
    }
    return 0;
}

static inline void script_request_line(script *s, const char *head)
{
    size_t n = strcspn(head, " "), m = strcspn(head + n + 1, " ");

    if (n >= sizeof s->method || m >= sizeof s->target)
        abort();
    memcpy(s->method, head, n);
    s->method[n] = 0;
    memcpy(s->target, head + n + 1, m);
    s->target[m] = 0;
}

/* A head that asks for leave to send its body. 1 if it was refused. */
static inline int script_expected(script *s, unsigned index, const char *head, const char *end)
{
    script_connection *c = s->connections + index;
    const char *expect = strstr(head, "\r\nexpect: 100-continue\r\n");

    if (!expect || expect >= end)
        return 0;
    if (s->step_at < s->step_count && s->steps[s->step_at].flags & SCRIPT_REFUSE) {
        s->requests++;
        c->deaf = 1;
        script_take_step(s, index);
        return 1;
    }
    if (s->continues && c->continued != c->parsed + 1)
        script_reply(s, index, s->continues);
    c->continued = c->parsed + 1;
    return 0;
}

/* Answer all requests of a connection that are complete. */
static inline void script_serve(script *s, unsigned index)
{
    for (;;) {
        script_connection *c = s->connections + index;
        const char *head = c->in.data + c->parsed, *end;
        script_request q;

        if (c->silent || c->deaf || c->fin || c->reset || c->parsed == c->in.size)
            return;
        if (s->step_at < s->step_count && s->steps[s->step_at].flags & SCRIPT_EARLY &&
            c->in.size - c->parsed >= s->steps[s->step_at].after) {
            s->requests++;
            script_take_step(s, index);
            return;
        }
        end = strstr(head, "\r\n\r\n");
        if (!end || script_expected(s, index, head, end))
            return;
        memset(&q, 0, sizeof q);
        q.head = head;
        q.head_size = (size_t)(end - head) + 4;
        q.body = end + 4;
        q.body_size = script_body_size(head, q.head_size);
        if (c->in.size - c->parsed < q.head_size + q.body_size)
            return;
        q.connection = index;
        q.number = s->requests++;
        script_request_line(s, head);
        q.method = s->method;
        q.target = s->target;
        c->parsed += q.head_size + q.body_size;
        if (s->serve)
            s->serve(s, &q);
        else
            script_take_step(s, index);
    }
}

/* ---- The functions of the port ---- */

enum { SCRIPT_OPEN, SCRIPT_SEND, SCRIPT_RECV, SCRIPT_CLOSE, SCRIPT_WAIT, SCRIPT_ENTROPY };

/* Count a call that can fail: the fault that it has to show. */
static inline script_fault script_call(script *s)
{
    script_counted(s);
    s->calls++;
    if (!s->fault_at || (s->for_ever ? s->calls < s->fault_at : s->calls != s->fault_at))
        return SCRIPT_NO_FAULT;
    s->faulted = 1;
    return s->fault;
}

/* Whether this call says AWS_AGAIN though it could go on. */
static inline int script_not_now(script *s, int function)
{
    if (s->mode == SCRIPT_BLOCKS)
        return 0;
    if (s->again_always)
        return s->toggles[function] ^= 1;
    return s->again_per_256 && (script_random(s) & 255) < s->again_per_256;
}

static inline size_t script_split(script *s, int split, size_t size)
{
    size_t most = split < 0 ? 1 + script_random(s) % 7 : (size_t)split;

    return split && most < size ? most : size;
}

/* The connection that an area belongs to, NULL if none is open there. */
static inline script_connection *script_at(script *s, const void *area)
{
    script_area a;

    memcpy(&a, area, sizeof a);
    if (a.magic != SCRIPT_MAGIC || a.index >= s->connection_count)
        return NULL;
    return s->connections + a.index;
}

static inline script_connection *script_new(script *s, void *area, const char *host,
                                            unsigned port_number)
{
    script_area a;
    script_connection *c;

    memcpy(&a, area, sizeof a);
    if (a.magic || a.index)
        script_breach(s, "open: the area is not zeroed");
    s->connections = (script_connection *)realloc(s->connections, (s->connection_count + 1) *
                                                                      sizeof *s->connections);
    if (!s->connections)
        abort();
    c = s->connections + s->connection_count;
    memset(c, 0, sizeof *c);
    script_add(&c->in, "", 0);
    script_add(&c->out, "", 0);
    snprintf(c->host, sizeof c->host, "%s", host);
    c->port_number = port_number;
    a.magic = SCRIPT_MAGIC;
    a.index = s->connection_count++;
    memcpy(area, &a, sizeof a);
    return c;
}

static inline int script_open(const aws_port *port, void *area, const char *host,
                              unsigned port_number, int tls)
{
    script *s = script_of(port);
    script_fault fault = script_call(s);
    script_connection *c = script_at(s, area);

    s->opens++;
    if (!c)
        c = script_new(s, area, host, port_number);
    if (c->open || c->closing || c->refused)
        script_breach(s, "open: after the end of opening");
    if (strcmp(c->host, host) != 0 || c->port_number != port_number)
        script_breach(s, "open: other arguments than before");
    if ((tls != 0) != (s->port.flags & AWS_PORT_TLS && port_number != 80))
        script_breach(s, "open: tls is wrong");
    if (fault == SCRIPT_ERROR || fault == SCRIPT_EOF || s->lookup_fails || s->refuses) {
        int lookup = fault == SCRIPT_EOF || (fault != SCRIPT_ERROR && s->lookup_fails);
        c->refused = 1;
        if (!fault && s->lookup_fails)
            s->lookup_fails--;
        else if (!fault)
            s->refuses--;
        return lookup ? AWS_ERR_LOOKUP : AWS_ERR_CONNECT;
    }
    if (fault == SCRIPT_TIMEOUT) {
        if (s->mode == SCRIPT_BLOCKS) {
            script_pass(s, s->block_limit);
            c->refused = 1;
            return AWS_ERR_CONNECT;
        }
        c->silent = 1;
    }
    if (c->silent || fault == SCRIPT_AGAIN || script_not_now(s, SCRIPT_OPEN))
        return AWS_AGAIN;
    if (s->open_pending < 0 || (s->open_pending && c->pending < (size_t)s->open_pending)) {
        c->pending++;
        return AWS_AGAIN;
    }
    c->open = 1;
    return 0;
}

/* The peer is gone for sending. */
static inline int script_is_gone(const script_connection *c)
{
    return c->reset && (c->deaf || c->taken == c->out.size);
}

static inline int script_send(const aws_port *port, void *area, const void *data, size_t size)
{
    script *s = script_of(port);
    script_fault fault = script_call(s);
    script_connection *c = script_at(s, area);

    s->sends++;
    if (!c || !c->open || c->closed || !size) {
        script_breach(s, "send: no open connection, or nothing to send");
        return AWS_ERR_CLOSED;
    }
    if (fault == SCRIPT_ERROR || fault == SCRIPT_EOF)
        c->reset = 1;
    if (fault == SCRIPT_TIMEOUT)
        c->silent = 1;
    if (c->silent && s->mode == SCRIPT_BLOCKS && fault == SCRIPT_TIMEOUT) {
        script_pass(s, s->block_limit);
        return AWS_ERR_TIMEOUT;
    }
    if (script_is_gone(c) || fault == SCRIPT_ERROR || fault == SCRIPT_EOF)
        return AWS_ERR_CLOSED;
    if (fault == SCRIPT_AGAIN || fault == SCRIPT_TIMEOUT || script_not_now(s, SCRIPT_SEND))
        return AWS_AGAIN;
    if (c->deaf && s->mode != SCRIPT_BLOCKS)
        return AWS_AGAIN;
    size = fault == SCRIPT_SHORT ? 1 : script_split(s, s->split_write, size);
    script_add(&c->in, data, size);
    script_serve(s, (unsigned)(c - s->connections));
    return (int)size;
}

static inline int script_readable(const script_connection *c)
{
    return c->taken < c->out.size || c->fin || c->reset;
}

/* ms until the next byte of a slow server. */
static inline uint32_t script_drip(const script *s, const script_connection *c)
{
    return s->drip && c->drip_at > s->elapsed ? (uint32_t)(c->drip_at - s->elapsed) : 0;
}

static inline int script_recv(const aws_port *port, void *area, void *data, size_t size)
{
    script *s = script_of(port);
    script_fault fault = script_call(s);
    script_connection *c = script_at(s, area);

    s->recvs++;
    if (!c || !c->open || c->closed || !size) {
        script_breach(s, "recv: no open connection, or no room");
        return AWS_ERR_CLOSED;
    }
    if (fault == SCRIPT_ERROR)
        return c->reset = 1, AWS_ERR_CLOSED;
    if (fault == SCRIPT_EOF)
        return c->reset = 1, 0;
    if (fault == SCRIPT_TIMEOUT && s->mode != SCRIPT_BLOCKS) {
        c->silent = 1;
        c->taken = c->out.size;
        c->fin = c->reset = 0;
    }
    if (fault == SCRIPT_TIMEOUT || !script_readable(c)) {
        if (s->mode != SCRIPT_BLOCKS)
            return AWS_AGAIN;
        script_pass(s, s->block_limit);
        return AWS_ERR_TIMEOUT;
    }
    if (fault == SCRIPT_AGAIN || script_not_now(s, SCRIPT_RECV))
        return AWS_AGAIN;
    if (script_drip(s, c) && s->mode != SCRIPT_BLOCKS)
        return AWS_AGAIN;
    script_pass(s, script_drip(s, c));
    c->drip_at = s->elapsed + s->drip;
    if (c->taken == c->out.size)
        return c->reset ? AWS_ERR_CLOSED : 0;
    if (size > c->out.size - c->taken)
        size = c->out.size - c->taken;
    size = fault == SCRIPT_SHORT || s->drip ? 1 : script_split(s, s->split_read, size);
    if (s->received < s->split_at && s->received + size > s->split_at)
        size = (size_t)(s->split_at - s->received);
    s->received += size;
    memcpy(data, c->out.data + c->taken, size);
    c->taken += size;
    return (int)size;
}

static inline int script_close(const aws_port *port, void *area)
{
    script *s = script_of(port);
    script_fault fault = script_call(s);
    script_connection *c = script_at(s, area);

    s->closes++;
    if (!c || c->closed) {
        script_breach(s, "close: nothing to close");
        return 0;
    }
    if (!c->closing) {
        c->closing = 1;
        c->open = 0;
        c->pending = 0;
    }
    if (fault == SCRIPT_AGAIN || fault == SCRIPT_TIMEOUT || script_not_now(s, SCRIPT_CLOSE))
        return AWS_AGAIN;
    if (s->close_pending < 0 || c->pending < (size_t)s->close_pending) {
        c->pending++;
        return AWS_AGAIN;
    }
    c->closed = 1;
    return 0;
}

/* Time passes until what is awaited, or ms. */
static inline void script_sleep(script *s, const script_connection *c, unsigned what, uint32_t ms)
{
    int never = s->faulted && s->for_ever && s->fault_at &&
                (s->fault == SCRIPT_AGAIN || s->fault == SCRIPT_TIMEOUT);
    int ready = !never && c &&
                ((what & AWS_WAIT_READ && script_readable(c)) ||
                 (what & AWS_WAIT_WRITE && !c->silent && (!c->deaf || c->closing) && s->open_pending >= 0 &&
                  s->close_pending >= 0));

    if (ready && !(what & AWS_WAIT_WRITE) && script_drip(s, c)) {
        script_pass(s, script_drip(s, c) < ms ? script_drip(s, c) : ms);
        return;
    }
    if (what == AWS_WAIT_TIMER && s->sleep_count < SCRIPT_SLEEPS)
        s->sleeps[s->sleep_count++] = ms;
    script_pass(s, ready ? (ms > 0) : ms);
}

static inline int script_wait(const aws_port *port, void *area, unsigned what, uint32_t ms)
{
    script *s = script_of(port);
    script_fault fault = script_call(s);
    script_connection *c = script_at(s, area);

    s->waits++;
    if (!ms || !what || (what & AWS_WAIT_TIMER && what != AWS_WAIT_TIMER))
        script_breach(s, "wait: for nothing");
    if (what != AWS_WAIT_TIMER && (!c || c->closed))
        script_breach(s, "wait: no connection");
    if (fault == SCRIPT_ERROR || fault == SCRIPT_EOF)
        return AWS_ERR_CLOSED;
    if (fault == SCRIPT_TIMEOUT)
        script_pass(s, ms);
    else if (fault != SCRIPT_SHORT && fault != SCRIPT_AGAIN) /* woken for nothing */
        script_sleep(s, c, what, ms);
    else
        script_pass(s, s->for_ever ? ms / 4 + 1 : 1);
    return 0;
}

static inline intptr_t script_handle(const aws_port *port, void *area, unsigned *what)
{
    script *s = script_of(port);
    script_connection *c = script_at(s, area);

    script_counted(s);
    s->handle_what = (int)*what;
    if (!c || c->closed) {
        script_breach(s, "handle: no connection");
        return -1;
    }
    return 100 + (c - s->connections);
}

static inline int64_t script_now(const aws_port *port)
{
    script *s = script_of(port);

    script_counted(s);
    s->nows++;
    return s->unix_time ? s->unix_time + (int64_t)(s->elapsed / 1000) : 0;
}

static inline uint32_t script_ticks(const aws_port *port)
{
    script *s = script_of(port);

    script_counted(s);
    s->ticks++;
    return s->tick;
}

static inline int script_entropy(const aws_port *port, void *data, size_t size)
{
    script *s = script_of(port);
    script_fault fault = script_call(s);
    unsigned char *to = (unsigned char *)data;

    s->entropies++;
    if (fault == SCRIPT_ERROR || fault == SCRIPT_EOF ||
        (s->entropy_fails_from && s->entropies >= s->entropy_fails_from))
        return AWS_ERR_ENTROPY;
    while (size--)
        *to++ = (unsigned char)script_random(s);
    return 0;
}

/* ---- For tests ---- */

static inline void script_init(script *s, script_mode mode)
{
    memset(s, 0, sizeof *s);
    s->mode = mode;
    s->unix_time = 1767323045; /* 2026-01-02T03:04:05Z */
    s->tick = 1000;
    s->seed = 1;
    s->limit = 2000000;
    s->block_limit = 30000;
    s->port.context = s;
    s->port.flags = mode == SCRIPT_BLOCKS ? AWS_PORT_BLOCKING : 0;
    s->port.connection_size = sizeof(script_area);
    s->port.open = script_open;
    s->port.send = script_send;
    s->port.recv = script_recv;
    s->port.close = script_close;
    s->port.wait = mode == SCRIPT_NEVER_WAITS ? NULL : script_wait;
    s->port.handle = script_handle;
    s->port.now = script_now;
    s->port.ticks = script_ticks;
    s->port.entropy = script_entropy;
}

static inline void script_free(script *s)
{
    unsigned i;

    for (i = 0; i < s->connection_count; i++) {
        free(s->connections[i].in.data);
        free(s->connections[i].out.data);
    }
    free(s->connections);
    s->connections = NULL;
    s->connection_count = 0;
}

/* All that a connection sent, NUL-terminated; "" if there was none. */
static inline const char *script_sent(const script *s, unsigned connection)
{
    return connection < s->connection_count ? s->connections[connection].in.data : "";
}

static inline size_t script_sent_size(const script *s, unsigned connection)
{
    return connection < s->connection_count ? s->connections[connection].in.size : 0;
}

/* Connections that were opened (or pending) and not closed. */
static inline unsigned script_left_open(const script *s)
{
    unsigned i, n = 0;

    for (i = 0; i < s->connection_count; i++)
        n += !s->connections[i].closed;
    return n;
}

/* A program's own loop, after AWS_AGAIN: sleep as aws_client_waiting says. 0 if nothing is
 * awaited, which would be a wait for ever. */
static inline int script_idle(script *s, aws_client *client)
{
    aws_waiting w;
    script_connection *c = NULL;

    aws_client_waiting(client, &w);
    if (!w.what || (w.what == AWS_WAIT_TIMER && w.ms == UINT32_MAX)) {
        script_breach(s, "aws_client_waiting: AWS_AGAIN, but nothing is awaited");
        return 0;
    }
    if (w.handle >= 100 && (unsigned)(w.handle - 100) < s->connection_count)
        c = s->connections + (w.handle - 100);
    if (!c && w.what & (AWS_WAIT_READ | AWS_WAIT_WRITE))
        script_breach(s, "aws_client_waiting: no handle to wait for");
    script_counted(s);
    script_sleep(s, c, w.what, w.ms);
    return 1;
}

/* r = expression, again and again while it says AWS_AGAIN. */
#define SCRIPT_RUN(r, s, client, expression)                                                       \
    do                                                                                             \
        (r) = (expression);                                                                        \
    while ((r) == AWS_AGAIN && script_idle((s), (client)))

#endif /* SCRIPT_PORT_INCLUDED */
