/* Tracepoints at the begin and the end of monitored_method, for LTTng-UST. It is read several times. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER moobench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "monitored_lttng.h"

#if !defined(KP_BENCH_MONITORED_LTTNG_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define KP_BENCH_MONITORED_LTTNG_H

#include <lttng/tracepoint.h>

LTTNG_UST_TRACEPOINT_EVENT(moobench, entry, LTTNG_UST_TP_ARGS(int, depth),
                           LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(int, depth, depth)))
LTTNG_UST_TRACEPOINT_EVENT(moobench, exit, LTTNG_UST_TP_ARGS(int, depth),
                           LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(int, depth, depth)))

#endif

#include <lttng/tracepoint-event.h>
