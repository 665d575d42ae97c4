/* One line of a text log to a record. Private to the input's files. */
#ifndef KP_TRACE_KIEKER_INPUT_TEXT_H
#define KP_TRACE_KIEKER_INPUT_TEXT_H

#include "input_records.h"

/*
 * The line without its end. KP_OK: a record was handed out, the line is of a class nobody knows, or it is
 * blank. KP_ERROR_DAMAGED: it makes no sense, records->error says why.
 */
enum kp_status kp_kieker_text_line(struct kp_kieker_records *records, const char *line, size_t count);

#endif
