/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A schedule for hosts without a cluster: as systemd.time(7) calendar expressions and as the five fields of a crontab,
 * such that each fires at the same wall clock times as the CronJob.
 *
 *	30 3 1 * mon	OnCalendar=*-*-01 03:30:00 Europe/Berlin
 *			OnCalendar=Mon *-*-* 03:30:00 Europe/Berlin
 *			CRON_TZ=Europe/Berlin
 *			30 3 1 * 1
 *
 * Both are written from what the fields mean, not from how they were typed: cron takes a day field that begins with a
 * star for any day ("*" and "/2" alike), Kubernetes only one that stands for all. Where clocks change the programs have
 * their own rules.
 */
#ifndef ONEOFF_SCHEDULE_CALENDAR_H
#define ONEOFF_SCHEDULE_CALENDAR_H

#include "pkg/base/strbuf.h"
#include "pkg/base/strv.h"
#include "pkg/schedule/schedule.h"

/* Appends one or two OnCalendar values: two where one of the kinds of days is enough. `zone` is a name or NULL (the
 * machine's own). ERR_USAGE for @every, which is no calendar, and for a field without a value. */
int calendar_systemd(const struct schedule *schedule, const char *zone, struct strv *ret,
                     struct err *err) _must_check_;

/* Appends "MINUTE HOUR DAY MONTH WEEKDAY" of numbers and stars. ERR_USAGE as above. */
int calendar_crontab(const struct schedule *schedule, struct strbuf *ret,
                     struct err *err) _must_check_;

/* Appends text for a command line in a crontab, as one word of the shell: in single quotes where it must be, each %
 * behind a backslash. ERR_USAGE for a line break, which a crontab has no way to write. */
int calendar_crontab_word(const char *text, struct strbuf *ret, struct err *err) _must_check_;

/* Appends text as one word of ExecStart= (systemd.service(5)), quoted where it must be, % and $ doubled. */
void calendar_systemd_word(const char *text, struct strbuf *ret);

#endif
