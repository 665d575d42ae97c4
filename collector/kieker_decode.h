/* The bytes of a data file of a Kieker log, whatever compression it has. */
#ifndef KP_COLLECTOR_KIEKER_DECODE_H
#define KP_COLLECTOR_KIEKER_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct kp_kieker_decoder;

/* NULL: errno says why. */
struct kp_kieker_decoder *kp_kieker_decoder_open(const char *path);
/* 0 at the end, -1 when the rest cannot be read: kp_kieker_decoder_error says why. */
ssize_t kp_kieker_decoder_read(struct kp_kieker_decoder *decoder, void *bytes, size_t count);
const char *kp_kieker_decoder_error(const struct kp_kieker_decoder *decoder);
/* Bytes of the file that were read so far. */
uint64_t kp_kieker_decoder_position(const struct kp_kieker_decoder *decoder);
void kp_kieker_decoder_close(struct kp_kieker_decoder *decoder);

#endif
