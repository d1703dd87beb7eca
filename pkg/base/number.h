/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict readers of numbers that a person or a server wrote: the whole text must be the number, in
 * range, with no white space or sign that is not allowed. Digits are ASCII, whatever the locale.
 * Each returns 0, or -1 with *ret untouched.
 *
 *	if (parse_duration(text, &milliseconds) < 0)
 *		return err_set(err, ERR_USAGE, "'%s' is not a duration", text);
 */
#ifndef ONEOFF_BASE_NUMBER_H
#define ONEOFF_BASE_NUMBER_H

#include <stdint.h>
#include "pkg/base/compat.h"

/* A decimal integer between minimum and maximum. A minus sign is taken where minimum is negative, a
 * plus sign never; leading zeros are only zeros. */
int parse_int64(const char *text, int64_t minimum, int64_t maximum, int64_t *ret) _must_check_;

/* A duration as Go and systemd people write it: "90s", "5m", "1h30m", "2d", "1.5h", "250ms", or
 * bare seconds "90" (whole ones). Units d, h, m, s, ms, each at most once and from great to small.
 * In milliseconds, at most 10 years of 365 days. "0" is allowed; what is no whole number of
 * milliseconds is not, so that a small limit never becomes 0. */
int parse_duration(const char *text, int64_t *ret_milliseconds) _must_check_;

/* A size as docker takes it: "512m", "1g", "64k", "1024", "1.5g", also "512Mi", "1Gi", "512MB"; all
 * powers of 1024 as docker has it, k to p, in either case. In bytes; a fraction of a byte is
 * cut off, but less than one byte is no size. */
int parse_size(const char *text, int64_t *ret_bytes) _must_check_;

/* A number of processors: "2", "0.5", "1.25", or Kubernetes' "500m" (whole thousandths). In
 * billionths of one; finer is refused. */
int parse_cpus(const char *text, int64_t *ret_nano) _must_check_;

#endif
