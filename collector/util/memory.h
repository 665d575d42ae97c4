/* Memory of the collector: allocation that ends the command with a clear line when there is none left. */
#ifndef KP_COLLECTOR_UTIL_MEMORY_H
#define KP_COLLECTOR_UTIL_MEMORY_H

#include <stddef.h>

/* `bytes` of memory, not cleared / cleared / moved to a new size. Never NULL; free() gives it back. */
void *kp_allocate(size_t bytes);
void *kp_allocate_cleared(size_t count, size_t bytes);
void *kp_resize(void *memory, size_t bytes);

/* The end of the command for code that has its memory from elsewhere. */
_Noreturn void kp_no_memory(void);

/* A copy of `text`, and a formatted string; the caller frees. */
char *kp_copy_text(const char *text);
char *kp_format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Room for one more element of `element_bytes` at index `index` of an array of *capacity elements: doubles it
 * and clears what is new. Returns the array, moved perhaps.
 */
void *kp_grow(void *array, size_t *capacity, size_t index, size_t element_bytes);

#endif
