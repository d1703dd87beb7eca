/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: a monotonic clock for limits, wall time only for what people and labels read.
 *
 *	int64_t deadline = clock_monotonic_ms() + request->timeout_ms;
 */
#ifndef ONEOFF_BASE_CLOCK_H
#define ONEOFF_BASE_CLOCK_H

#include <stdint.h>
#include <stddef.h>
#include "pkg/base/compat.h"

#define CLOCK_RFC3339_SIZE 32

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t clock_monotonic_ms(void);

/* Seconds since 1970 of CLOCK_REALTIME. */
int64_t clock_unix_seconds(void);

/* Writes "2026-11-21T05:04:03Z" (RFC 3339, UTC). A time outside the years 0 to 9999, which the
 * format cannot express, becomes the nearest one inside. */
void clock_format_rfc3339(int64_t unix_seconds, char text[CLOCK_RFC3339_SIZE]);

/* Reads RFC 3339 as engines write it (fraction and offset allowed; the fraction is cut off). Go's
 * zero time "0001-01-01T00:00:00Z" is valid and gives a negative number. 0, or -1 when it is none,
 * with *ret_unix_seconds untouched. */
int clock_parse_rfc3339(const char *text, int64_t *ret_unix_seconds) _must_check_;

#endif
