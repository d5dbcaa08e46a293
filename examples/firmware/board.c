/* board.c - see board.h. Registers are named as in the part's data sheet.
 *
 * SPDX-License-Identifier: MIT
 */
#include "board.h"
#include <string.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define RIS REGISTER(0x400fe050)
#define RCC REGISTER(0x400fe060)
#define RCGC0 REGISTER(0x400fe100)
#define RCGC1 REGISTER(0x400fe104)
#define RCGC2 REGISTER(0x400fe108)
#define WDT_LOAD REGISTER(0x40000000)
#define WDT_CTL REGISTER(0x40000008)
#define WDT_ICR REGISTER(0x4000000c)
#define NVIC_ISER REGISTER(0xe000e100)
#define UART_DR REGISTER(0x4000c000)
#define UART_FR REGISTER(0x4000c018)
#define UART_IBRD REGISTER(0x4000c024)
#define UART_FBRD REGISTER(0x4000c028)
#define UART_LCRH REGISTER(0x4000c02c)
#define UART_CTL REGISTER(0x4000c030)
#define GPIOA_AFSEL REGISTER(0x40004420)
#define GPIOA_DEN REGISTER(0x4000451c)
#define GPIOF_AFSEL REGISTER(0x40025420)
#define GPIOF_DEN REGISTER(0x4002551c)
#define MACRIS REGISTER(0x40048000)
#define MACRCTL REGISTER(0x40048008)
#define MACTCTL REGISTER(0x4004800c)
#define MACDATA REGISTER(0x40048010)
#define MACIA0 REGISTER(0x40048014)
#define MACIA1 REGISTER(0x40048018)
#define MACNP REGISTER(0x40048034)
#define MACTR REGISTER(0x40048038)
#define SYST_CSR REGISTER(0xe000e010)
#define SYST_RVR REGISTER(0xe000e014)
#define SYST_CVR REGISTER(0xe000e018)

#ifndef BOARD_RANDOM_FAILS /* from the so many-th time on: tests/firmware.py sees it */
#define BOARD_RANDOM_FAILS 0xffffffffu
#endif

enum {
    HZ = 50000000,
    STACK_PAINT = 0x5aa5c33c,
    WATCHDOG = 18 /* its interrupt */
};

/* The linker script's symbols: only their addresses mean something. */
extern uint32_t stack_bottom[], stack_top[], data_load[], data_start[], data_end[], bss_start[],
    bss_end[], flash_end[];

int main(void);

static volatile uint32_t milliseconds;

/* ---- Start ---- */

void reset(void);
void fault(void);
void tick(void);
void hung(void);

static int semihosting(uint32_t operation, const void *arguments);
static void event(char kind);

void tick(void)
{
    milliseconds++;
}

/* A fault, which an overflow of the stack is, too: it lies at the bottom of the RAM. */
void fault(void)
{
    board_print("FAULT\r\n");
    board_exit(70);
}

/* The watchdog. A product resets here; the emulator's run ends, so that a hang is a failure. */
void hung(void)
{
    board_print("WATCHDOG\n");
    board_exit(71);
}

void reset(void)
{
    uint32_t *to;
    const uint32_t *from = data_load;
    uint32_t *here = (uint32_t *)__builtin_frame_address(0);

    for (to = data_start; to < data_end;)
        *to++ = *from++;
    for (to = bss_start; to < bss_end;)
        *to++ = 0;
    for (to = stack_bottom; to < here - 16;)
        *to++ = (uint32_t)STACK_PAINT;
    board_exit(main());
}

typedef void (*vector)(void);
__attribute__((section(".vectors"), used)) static const vector vectors[16 + WATCHDOG + 1] = {
    (vector)(uintptr_t)stack_top, reset, fault, fault, fault, fault, fault, NULL,
    NULL, NULL, NULL, fault, fault, NULL, fault, tick,
    /* The part's own: all but the last are off. */
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, hung};

static void clock_begin(void)
{
    uint32_t rcc = (RCC | 1u << 11) & ~(1u << 22); /* off the PLL while it changes */

    RCC = rcc;
    rcc = (rcc & ~(1u << 13 | 0x3c0u | 0x30u | 1u)) | 0x380u; /* main oscillator, 8 MHz */
    RCC = rcc;
    while ((RIS & 1u << 6) == 0) /* locked */
        ;
    rcc = (rcc & ~(15u << 23)) | 3u << 23 | 1u << 22; /* 200 MHz / 4 */
    RCC = rcc;
    RCC = rcc & ~(1u << 11);
    SYST_RVR = HZ / 1000 - 1;
    SYST_CVR = 0;
    SYST_CSR = 7;
}

void board_begin(const unsigned char mac[6])
{
    clock_begin();
    RCGC0 |= 1u << 3; /* watchdog */
    (void)RCGC0;
    NVIC_ISER = 1u << WATCHDOG;
    WDT_LOAD = BOARD_WATCHDOG_SECONDS * (uint32_t)HZ;
    WDT_CTL = 1;
    RCGC1 |= 1u;                            /* UART0 */
    RCGC2 |= 1u << 30 | 1u << 28 | 1u << 5 | 1u; /* PHY, MAC, ports F and A */
    (void)RCGC2;
    GPIOA_AFSEL |= 3u;
    GPIOA_DEN |= 3u;
    GPIOF_AFSEL |= 0xcu; /* the LEDs of the socket */
    GPIOF_DEN |= 0xcu;
    UART_IBRD = 27; /* 115,200 baud */
    UART_FBRD = 8;
    UART_LCRH = 0x70;
    UART_CTL = 0x301;
    MACIA0 = mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24;
    MACIA1 = mac[4] | (uint32_t)mac[5] << 8;
    MACRCTL = 1u << 4;        /* empty the FIFO */
    MACRCTL = 1u << 3 | 1u;   /* no bad CRC, on */
    MACTCTL = 1u << 4 | 7u;   /* full duplex, CRC, padding, on */
}

void board_alive(void)
{
    WDT_ICR = 0; /* it counts from its start again */
    WDT_LOAD = BOARD_WATCHDOG_SECONDS * (uint32_t)HZ;
}

uint32_t board_ms(void)
{
    return milliseconds;
}

uint64_t board_clock(void)
{
    uint32_t ms, left;

    do {
        ms = milliseconds;
        left = SYST_CVR;
    } while (ms != milliseconds);
    return (uint64_t)ms * (HZ / 1000) + (HZ / 1000 - 1 - left);
}

/* ---- Console ---- */

static void put(char c)
{
    while (UART_FR & 1u << 5)
        ;
    UART_DR = (unsigned char)c;
}

void board_print(const char *text)
{
    for (; *text != 0; text++) {
        if (*text == '\n')
            put('\r');
        put(*text);
    }
}

void board_print_number(uint32_t number)
{
    char text[11];
    unsigned at = sizeof text - 1;

    text[at] = 0;
    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    board_print(text + at);
}

/* ---- Memory ---- */

size_t board_stack_used(void)
{
    const uint32_t *at = stack_bottom;

    while (at < stack_top && *at == (uint32_t)STACK_PAINT)
        at++;
    return (size_t)(stack_top - at) * 4;
}

size_t board_stack_size(void)
{
    return (size_t)(stack_top - stack_bottom) * 4;
}

size_t board_ram_used(void)
{
    return (size_t)(bss_end - data_start) * 4;
}

size_t board_flash_used(void)
{
    return (size_t)(uintptr_t)flash_end;
}

/* ---- Ethernet: two FIFOs, read and written in words ---- */

static uint32_t word;
static unsigned in_word, frame_left; /* bytes of word that wait; of the frame and its CRC */
static unsigned to_word;
static int sending; /* 0: the cable is unplugged, the frame is lost */

static uint32_t unplugged; /* ms at which the cable is back, 0: it is there */

static int plugged(void)
{
    if (unplugged != 0 && (int32_t)(milliseconds - unplugged) >= 0) {
        unplugged = 0;
        board_print("link is back\n");
    }
    return unplugged == 0;
}

unsigned board_frame(void)
{
    unsigned size;

    if ((MACNP & 0x3fu) == 0)
        return 0;
    word = MACDATA; /* its first two bytes: the length with themselves and the CRC */
    size = word & 0xffffu;
    word >>= 16;
    in_word = 2;
    frame_left = size - 2;
    if (!plugged()) {
        board_frame_end();
        return 0;
    }
    return size - 6;
}

void board_frame_take(void *data, unsigned size)
{
    unsigned char *to = (unsigned char *)data;

    for (; size > 0 && frame_left > 0; size--, frame_left--) {
        if (in_word == 0) {
            word = MACDATA;
            in_word = 4;
        }
        if (to != NULL)
            *to++ = (unsigned char)word;
        word >>= 8;
        in_word--;
    }
}

void board_frame_end(void)
{
    board_frame_take(NULL, frame_left);
}

void board_send_begin(unsigned size)
{
    event('f');
    sending = plugged();
    while (MACTR & 1u) /* the frame before */
        ;
    word = size - 14; /* the length goes without the header */
    to_word = 2;
}

void board_send(const void *data, unsigned size)
{
    const unsigned char *from = (const unsigned char *)data;

    for (; size > 0 && sending; size--) {
        word |= (uint32_t)*from++ << to_word * 8;
        if (++to_word == 4) {
            MACDATA = word;
            word = 0;
            to_word = 0;
        }
    }
}

void board_send_end(void)
{
    if (!sending)
        return;
    if (to_word != 0)
        MACDATA = word;
    MACTR = 1;
}

/* ---- The debugger: what this part has no hardware for ---- */

static int semihosting(uint32_t operation, const void *arguments)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = arguments;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int)r0;
}

/* The part has no source of randomness. Here the emulator reads the host's; a product takes a part
 * with a TRNG, or a secure element, or a seed in flash that is renewed at each start. */
int board_random(void *data, size_t size)
{
    static const char name[] = "/dev/urandom";
    uint32_t open[3], read[3], file[1];
    static unsigned asked;
    int result;

    if (++asked >= BOARD_RANDOM_FAILS)
        return -1;
    open[0] = (uint32_t)(uintptr_t)name;
    open[1] = 1; /* "rb" */
    open[2] = sizeof name - 1;
    result = semihosting(1, open);
    if (result < 0)
        return -1;
    file[0] = read[0] = (uint32_t)result;
    read[1] = (uint32_t)(uintptr_t)data;
    read[2] = (uint32_t)size;
    result = semihosting(6, read); /* bytes that are missing */
    (void)semihosting(2, file);
    return result == 0 ? 0 : -1;
}

/* What the emulator's command line wants to happen, such as "log:f12 update:s3": after board_mark
 * of this name the power fails when the so many-th frame is sent (f), record (s) or other piece of
 * flash (w) is written, of which half is. l, L: at the so many-th frame the cable is pulled for 3
 * or 30 seconds. h: there the program hangs. */
static char what;          /* 0: nothing */
static uint32_t countdown; /* events of this kind until then */

void board_mark(const char *name)
{
    static char line[80];
    uint32_t a[2];
    size_t length = strlen(name);
    const char *at = line;

    board_print("mark ");
    board_print(name);
    board_print("\n");
    a[0] = (uint32_t)(uintptr_t)line;
    a[1] = sizeof line - 1;
    what = 0;
    if (semihosting(0x15, a) != 0)
        return;
    while ((at = strchr(at, ' ')) != NULL) {
        at++;
        if (strncmp(at, name, length) != 0 || at[length] != ':')
            continue;
        at += length + 1;
        what = *at;
        countdown = 0;
        while (*++at >= '0' && *at <= '9')
            countdown = countdown * 10 + (uint32_t)(*at - '0');
        return;
    }
}

/* Whether it happens now. */
static int due(char kind)
{
    char counted = what == 'l' || what == 'L' || what == 'h' ? 'f' : what;

    return what != 0 && counted == kind && --countdown == 0;
}

static void power_fails(void)
{
    board_print("power fails\n");
    board_exit(75);
}

static void event(char kind)
{
    char happens = what;

    if (!due(kind))
        return;
    what = 0;
    if (happens == 'l' || happens == 'L') {
        board_print("link is down\n");
        unplugged = milliseconds + (happens == 'l' ? 3000 : 30000);
        unplugged += unplugged == 0;
    } else if (happens == 'h') {
        for (;;)
            ;
    } else {
        power_fails();
    }
}

/* Read (6) or write (5) a file in the emulator's directory, as a part with a flash chip on a bus
 * would do with the chip. What was written stays when the emulator is killed. */
static int board_flash(uint32_t operation, uint32_t offset, const void *data, size_t size)
{
    static const char name[] = "flash.bin";
    static uint32_t file; /* + 1 */
    uint32_t a[3];
    int result;

    if (file == 0) {
        a[0] = (uint32_t)(uintptr_t)name;
        a[1] = 3; /* "r+b" */
        a[2] = sizeof name - 1;
        result = semihosting(1, a);
        if (result < 0)
            return -1;
        file = (uint32_t)result + 1;
    }
    a[0] = file - 1;
    a[1] = offset;
    if (semihosting(10, a) != 0) /* seek */
        return -1;
    a[1] = (uint32_t)(uintptr_t)data;
    a[2] = (uint32_t)size;
    return semihosting(operation, a) == 0 ? 0 : -1; /* bytes that are missing */
}

int board_flash_read(uint32_t offset, void *data, size_t size)
{
    return board_flash(6, offset, data, size);
}

int board_flash_write(uint32_t offset, const void *data, size_t size)
{
    if (due(offset < BOARD_RECORDS ? 's' : 'w')) {
        (void)board_flash(5, offset, data, size / 2);
        power_fails();
    }
    return board_flash(5, offset, data, size);
}

void board_exit(int code)
{
    uint32_t why[2];

    why[0] = 0x20026; /* the program has ended */
    why[1] = (uint32_t)code;
    (void)semihosting(0x20, why);
    for (;;)
        ;
}
