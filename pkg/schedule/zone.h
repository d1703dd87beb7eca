/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time zones from the system's database (files in TZif format, RFC 8536), without the C library's TZ, which is one
 * for the whole process.
 *
 *	_cleanup_(zone_release) struct zone *zone = NULL;
 *	if (zone_open("Europe/Berlin", &zone, err) < 0)
 *		return -1;
 *	int64_t local = now + zone_offset(zone, now);
 *
 * Names are those that the Kubernetes API server takes for a CronJob's timeZone: parts of 1 to 14 letters, digits and
 * ". - _ +", between slashes; no "." or ".." or hyphen in front; not "Local"; and the database must have a file of
 * that name. Wherever a zone is read NULL means UTC. Single thread; a zone never changes.
 */
#ifndef ONEOFF_SCHEDULE_ZONE_H
#define ONEOFF_SCHEDULE_ZONE_H

#include <stddef.h>
#include <stdint.h>
#include "pkg/base/err.h"

struct zone;

/* Opens a zone by its name. ERR_USAGE when it is no name or the database has none such, with the nearest name in the
 * hint; ERR_NOT_FOUND when this machine has no database; ERR_PROTOCOL when the file is none. Owned by the caller. */
int zone_open(const char *name, struct zone **ret, struct err *err) _must_check_;

/* The machine's own zone, from /etc/localtime; UTC (NULL) without that file. Owned by the caller. */
int zone_open_local(struct zone **ret, struct err *err) _must_check_;

/* From the bytes of a TZif file. ERR_PROTOCOL says what is wrong. Owned by the caller. */
int zone_parse(const void *bytes, size_t length, struct zone **ret, struct err *err) _must_check_;

/* The check of the name alone: ERR_USAGE says what the server would refuse. */
int zone_check_name(const char *name, struct err *err) _must_check_;

/* Seconds east of Greenwich at a time (unix seconds). */
int64_t zone_offset(const struct zone *zone, int64_t unix_seconds);

/* For _cleanup_: frees the zone; NULL is fine. */
void zone_release(struct zone **zone);

#endif
