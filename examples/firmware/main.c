/* main.c - a device with 64 KB of RAM that puts telemetry into S3 over TLS, lists it, gets
 * it back, uploads its log (log.c) and downloads 1 MB of firmware (update.c), both across power
 * cuts.
 *
 * SPDX-License-Identifier: MIT
 *
 *     make firmware         builds it for QEMU's lm3s6965evb, and runs it against a server here
 *
 * client.c is the library, board.c the hardware, port/lwip.h the network, records.c what a power
 * cut can't spoil. config.h, made by tests/firmware.py, has what is the device's own: its
 * certificate and key, whom it trusts, where the servers are. The main loop is turn(): whatever
 * else the device has to do goes there, since no call of the client waits.
 */
#include "device.h"
#include "port/lwip.h"

#include "config.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

enum { READINGS = 5, PATIENCE = 20000 }; /* PATIENCE: ms of silence that are borne */

/* Less memory, down to AWS_CLIENT_MEMORY_TLS_BOUNDED, has no room for TLS records of 16 KB: with
 * DEVICE_BOUNDED aws_bounded_answers answers are asked for in parts that fit. */
#ifndef DEVICE_MEMORY
#define DEVICE_MEMORY AWS_CLIENT_MEMORY_TLS
#endif
static unsigned char memory[DEVICE_MEMORY];
static uint32_t keys_memory[2560 / 4];     /* twice the answer that the keys come in */
static uint32_t identity_memory[1536 / 4]; /* the device's certificate and key */
/* Not on the stack, where it would lie beneath TLS, whose handshake takes 4.5 KB. Never at once. */
static union {
    aws_s3_args    args;
    aws_s3_objects it;
    log_work       log;
    update_work    update;
} work;
static aws_session session;
static aws_client s3;
static struct netif ethernet;

/* ---- The network ---- */

u32_t sys_now(void)
{
    return board_ms();
}

static err_t output(struct netif *netif, struct pbuf *p)
{
    (void)netif;
    board_send_begin(p->tot_len);
    for (; p != NULL; p = p->next)
        board_send(p->payload, p->len);
    board_send_end();
    return ERR_OK;
}

static const unsigned char mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

static err_t device(struct netif *netif)
{
    netif->mtu = 1500;
    netif->hwaddr_len = sizeof mac;
    memcpy(netif->hwaddr, mac, sizeof mac);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET |
                   NETIF_FLAG_LINK_UP;
    netif->output = etharp_output;
    netif->linkoutput = output;
    return ERR_OK;
}

static void input(unsigned size)
{
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)size, PBUF_POOL), *q;

    for (q = p; q != NULL; q = q->next)
        board_frame_take(q->payload, q->len);
    board_frame_end(); /* without memory the frame is lost, and comes again */
    if (p != NULL && ethernet.input(p, &ethernet) != ERR_OK)
        (void)pbuf_free(p);
}

void turn(void)
{
    unsigned size = board_frame();

    if (size != 0)
        input(size);
    sys_check_timeouts();
    log_turn();
}

static int entropy(const aws_port *port, void *data, size_t size)
{
    (void)port;
    return board_random(data, size) == 0 ? 0 : AWS_ERR_ENTROPY;
}

static const aws_port port = AWS_LWIP_PORT(aws_lwip_no_clock, entropy);

static void network_begin(void)
{
    ip_addr_t names = IPADDR4_INIT(PP_HTONL(CONFIG_NAME_SERVER));
    char text[16];

    lwip_init();
    netif_add(&ethernet, NULL, NULL, NULL, NULL, device, ethernet_input);
    netif_set_default(&ethernet);
    netif_set_up(&ethernet);
    dhcp_start(&ethernet);
    while (!dhcp_supplied_address(&ethernet))
        turn();
    dns_setserver(0, &names);
    board_print("address ");
    board_print(ip4addr_ntoa_r(netif_ip4_addr(&ethernet), text, sizeof text));
    board_print("\n");
}

/* ---- The program ---- */

/* QEMU runs 2.5 instructions in a tick of the clock. */
void cost(const char *what, uint64_t from)
{
    board_print("cost ");
    board_print(what);
    board_print(" ");
    board_print_number((uint32_t)((board_clock() - from) / 50));
    board_print(" us\n");
}

int failed(const char *what)
{
    board_print("FAILED ");
    board_print(what);
    board_print(": ");
    board_print(aws_client_failure_text(&s3));
    board_print("\n");
    return 1;
}

/* A reading's key and its JSON. */
static size_t reading(unsigned number, char key[32], char body[96])
{
    aws_json_writer w;

    memcpy(key, "telemetry/device-7/0000.json", 29);
    key[22] = (char)('0' + number % 10);
    aws_json_begin(&w, body, 96);
    aws_json_open_object(&w, NULL);
    aws_json_put_number(&w, "number", number, 0);
    aws_json_put_number(&w, "celsius", 2150 + 7 * (int)number, 2);
    aws_json_close(&w);
    return (size_t)aws_json_end(&w);
}

/* What the server says the time is: the device itself knew only when it was built. */
static void say_time(void)
{
    const char *date = aws_client_header(&s3, "date");

    board_print("clock ");
    board_print_number(date != NULL ? (uint32_t)aws_date_parse(date) : 0);
    board_print("\n");
}

/* What an action on an object of the bucket needs. */
static aws_s3_args *request(const char *key)
{
    memset(&work.args, 0, sizeof work.args);
    work.args.bucket = CONFIG_BUCKET;
    work.args.key = key;
    return &work.args;
}

static int send_readings(void)
{
    static char key[32], body[96];
    aws_s3_args *put;
    uint64_t from;
    unsigned i;
    int r;

    for (i = 0; i < READINGS; i++) {
        put = request(key);
        put->body_size = reading(i, key, body);
        put->body = body;
        from = board_clock();
        while ((r = aws_s3_put_object(&s3, put, NULL)) == AWS_AGAIN)
            turn();
        if (r < 0)
            return failed("put");
        cost(i == 0 ? "keys, connect, handshake, put" : "put", from);
        if (i == 0)
            say_time();
        board_alive();
        board_print("put ");
        board_print(key);
        board_print(" ");
        board_print(body);
        board_print("\n");
    }
    return 0;
}

static int list_readings(aws_s3_bucket *bucket)
{
    static const aws_s3_args args = {.prefix = "telemetry/"};
    aws_s3_summary object;
    unsigned count = 0;
    int r;

    (void)aws_s3_objects_begin(&work.it, bucket, &args); /* what is wrong is said by next */
    for (;;) {
        while ((r = aws_s3_objects_next(&work.it, &object)) == AWS_AGAIN)
            turn();
        if (r <= 0)
            break;
        count++;
        board_print("listed ");
        board_print(object.key);
        board_print(" ");
        board_print_number((uint32_t)object.size);
        board_print("\n");
    }
    if (r < 0)
        return failed("list");
    return count == READINGS ? 0 : 1;
}

static int get_readings(void)
{
    static char key[32], body[96], back[96];
    aws_s3_args *get;
    size_t size;
    unsigned i;
    int r;

    for (i = 0; i < READINGS; i++) {
        size = reading(i, key, body);
        get = request(key);
        get->buffer = back;
        get->buffer_size = sizeof back;
        while ((r = aws_s3_get_object(&s3, get, NULL)) == AWS_AGAIN)
            turn();
        if (r < 0)
            return failed("get");
        if ((size_t)r != size || memcmp(body, back, size) != 0) {
            board_print("DIFFERS ");
            board_print(key);
            board_print("\n");
            return 1;
        }
        board_print("same ");
        board_print(key);
        board_print("\n");
    }
    return 0;
}

static void figure(const char *name, size_t value)
{
    board_print("figure ");
    board_print(name);
    board_print(" ");
    board_print_number((uint32_t)value);
    board_print("\n");
}

int main(void)
{
    static aws_config config;
    static aws_trust trust;
    static aws_s3_bucket bucket;
    static aws_keys_iot source;
    aws_identity identity;
    aws_s3_object log, new_firmware;
    int result;

    board_begin(mac);
    board_print("firmware " AWS_VERSION "\n");
    log_begin();
    network_begin();
    trust.anchors = anchors;
    trust.count = anchors_COUNT;
    config.port = &port;
    config.trust = &trust;
    config.region = "us-east-1";
    config.endpoint = CONFIG_ENDPOINT;
    if (aws_identity_init(&identity, identity_memory, sizeof identity_memory, device_certificate,
                          sizeof device_certificate, device_key, sizeof device_key) < 0) {
        board_print("FAILED certificate or key\n");
        return 1;
    }
    /* The device has no keys, only a certificate: for it the provider gives some. */
    config.provider = aws_keys_iot_init(&source, CONFIG_IOT, CONFIG_ROLE_ALIAS, CONFIG_THING,
                                        &identity, keys_memory, sizeof keys_memory);
#ifdef DEVICE_BOUNDED
    config.bounded = DEVICE_BOUNDED;
#endif
    config.clock_floor = CONFIG_BUILD_TIME; /* no clock: the certificate's time, the server's */
    config.connect_timeout = config.read_timeout = PATIENCE;
    aws_session_init(&session, &config);
    if (aws_client_init(&s3, &session, &aws_s3_service, memory, sizeof memory) < 0)
        return failed("init");
    aws_s3_bucket_init(&bucket, &s3, CONFIG_BUCKET);
    aws_s3_object_init(&log, &bucket, "logs/device-7.txt");
    aws_s3_object_init(&new_firmware, &bucket, "update.bin");
    result = send_readings() || list_readings(&bucket) || get_readings();
    if (result == 0) {
        board_mark("log");
        result = log_upload(&log, &work.log);
    }
    if (result == 0) {
        board_mark("update");
        result = update_download(&new_firmware, &work.update);
    }
    while (aws_client_close(&s3) == AWS_AGAIN)
        turn();
    aws_session_close(&session);
    aws_keys_close(config.provider);
    figure("flash", board_flash_used());
    figure("static RAM", board_ram_used());
    figure("of it the client's memory", sizeof memory);
    figure("stack", board_stack_used());
    board_print(result == 0 ? "done\n" : "WRONG\n");
    return result;
}
