/* board.h - what the program takes from the board: Stellaris LM3S6965, a Cortex-M3 with 256 KB of
 * flash, 64 KB of RAM and Ethernet. QEMU's machine lm3s6965evb is one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

/* Clock at 50 MHz, SysTick each millisecond, watchdog, console, Ethernet with this address. */
void board_begin(const unsigned char mac[6]);

#ifndef BOARD_WATCHDOG_SECONDS
#define BOARD_WATCHDOG_SECONDS 80 /* 32 bits of ticks are 85 */
#endif
/* The watchdog: the device has got further. So many seconds without this word are a hang. */
void board_alive(void);

uint32_t board_ms(void); /* wraps at 2^32 */
/* 20 ns ticks of the processor's clock, for measurements. */
uint64_t board_clock(void);

void board_print(const char *text); /* to the serial console */
void board_print_number(uint32_t number);

/* The deepest that the stack has been so far, and what is set aside for it. */
size_t board_stack_used(void);
size_t board_stack_size(void);
size_t board_ram_used(void); /* static, with lwIP's pools, without the stack */
size_t board_flash_used(void);

/* Random bytes fit for keys: 0, or -1 if there are none. */
int board_random(void *data, size_t size);

/* A memory that outlives a power cut: 0, or -1. */
int board_flash_read(uint32_t offset, void *data, size_t size);
int board_flash_write(uint32_t offset, const void *data, size_t size);
enum { BOARD_RECORDS = 8192 }; /* flash below this is for small records */

/* For tests: a part of the program begins. The emulator's command line says what happens in it. */
void board_mark(const char *name);

/* A frame that has come: its length, 0 none. Then exactly that many bytes are to be taken. */
unsigned board_frame(void);
void board_frame_take(void *data, unsigned size);
void board_frame_end(void); /* skips what wasn't taken */

/* Send a frame: begin with its length, then its bytes in any pieces, then end. */
void board_send_begin(unsigned size);
void board_send(const void *data, unsigned size);
void board_send_end(void);

void board_exit(int code) __attribute__((noreturn));

#endif
