/* records.c - see device.h.
 *
 * SPDX-License-Identifier: MIT
 *
 * A record has two slots. It is written into the older one, and counts only if its checksum is
 * right: when the power fails meanwhile, the other one still has what was there before.
 */
#include "device.h"
#include <bearssl.h>
#include <string.h>

enum { SLOT = RECORD_ROOM + 12 };

typedef struct slot_head {
    uint32_t number, size, sum; /* number: the higher one is the newer; sum: CRC32 of all else */
} slot_head;

/* The CRC32 of a head and of the data that follow it in flash, or that will. */
static int checksum(const slot_head *head, uint32_t at, const void *data, uint32_t *sum)
{
    uint64_t context[14];
    unsigned char piece[64], text[4];
    uint32_t done, n;

    aws_crc32.init(context);
    aws_crc32.update(context, head, 8);
    for (done = 0; data == NULL && done < head->size; done += n) {
        n = head->size - done < sizeof piece ? head->size - done : (uint32_t)sizeof piece;
        if (board_flash_read(at + (uint32_t)sizeof *head + done, piece, n) < 0)
            return -1;
        aws_crc32.update(context, piece, n);
    }
    if (data != NULL)
        aws_crc32.update(context, data, head->size);
    aws_crc32.out(context, text);
    *sum = (uint32_t)text[0] << 24 | (uint32_t)text[1] << 16 | (uint32_t)text[2] << 8 | text[3];
    return 0;
}

/* Where the newer of a record's whole slots is, and its head. number 0: there is none. */
static uint32_t newest(unsigned record, slot_head *found)
{
    uint32_t at = record * 2u * SLOT, place = at + SLOT, sum, i;
    slot_head head;

    found->number = found->size = 0;
    for (i = 0; i < 2; i++, at += SLOT) {
        if (board_flash_read(at, &head, sizeof head) < 0 || head.size > RECORD_ROOM ||
            checksum(&head, at, NULL, &sum) < 0 || sum != head.sum || head.number <= found->number)
            continue;
        *found = head;
        place = at;
    }
    return place;
}

size_t record_read(unsigned record, void *data, size_t room)
{
    slot_head head;
    uint32_t at = newest(record, &head);

    if (head.size > room || board_flash_read(at + (uint32_t)sizeof head, data, head.size) < 0)
        return 0;
    return head.size;
}

int record_write(unsigned record, const void *data, size_t size)
{
    slot_head head;
    uint32_t first = record * 2u * SLOT, at = newest(record, &head);

    if (size > RECORD_ROOM)
        return -1;
    at = at == first ? first + SLOT : first; /* the other one */
    head.number++;
    head.size = (uint32_t)size;
    if (checksum(&head, at, size > 0 ? data : "", &head.sum) < 0 ||
        board_flash_write(at + (uint32_t)sizeof head, data, size) < 0)
        return -1;
    return board_flash_write(at, &head, sizeof head);
}

int flash_hash(uint32_t at, uint32_t size, char text[65])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char piece[256];
    br_sha256_context hash;
    uint32_t end = at + size, n;
    int i;

    br_sha256_init(&hash);
    for (; at < end; at += n) {
        n = end - at < sizeof piece ? end - at : (uint32_t)sizeof piece;
        if (board_flash_read(at, piece, n) < 0)
            return -1;
        br_sha256_update(&hash, piece, n);
    }
    br_sha256_out(&hash, piece);
    for (i = 0; i < 32; i++) {
        text[2 * i] = digits[piece[i] >> 4];
        text[2 * i + 1] = digits[piece[i] & 15];
    }
    text[64] = 0;
    return 0;
}
