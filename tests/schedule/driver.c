/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What pkg/schedule says of schedules, for tests/schedule/property: one question a line on stdin, "ZONE TAB AFTER TAB
 * COUNT TAB SCHEDULE"; one answer a line on stdout: "no", or "yes" and the next COUNT times, as far as there are any.
 * With the argument "calendar" the answer is the systemd lines, separated by tabs, and the crontab's fields at the end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "pkg/schedule/calendar.h"
#include "pkg/schedule/schedule.h"

static void print_times(const struct schedule *schedule, const char *name, int64_t after, int count)
{
	_cleanup_(zone_release) struct zone *zone = NULL;
	struct err err = ERR_INIT;

	if (zone_open(name, &zone, &err) < 0) {
		printf("zone: %s\n", err.message);
		return;
	}
	printf("yes");
	for (int i = 0; i < count; i++) {
		after = schedule_next(schedule, zone, after);
		if (after == SCHEDULE_NEVER)
			break;
		printf(" %" PRId64, after);
	}
	printf("\n");
}

static void print_calendar(const struct schedule *schedule, const char *zone)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(strv_release) struct strv lines = STRV_INIT;
	struct err err = ERR_INIT;

	if (calendar_systemd(schedule, zone, &lines, &err) < 0 ||
	    calendar_crontab(schedule, &text, &err) < 0) {
		printf("no\n");
		return;
	}
	for (size_t i = 0; i < lines.count; i++)
		printf("%s\t", lines.items[i]);
	printf("%s\n", strbuf_str(&text));
}

int main(int argc, char **argv)
{
	bool calendar = argc > 1 && !strcmp(argv[1], "calendar");
	char line[4096];

	while (fgets(line, sizeof(line), stdin)) {
		char zone[64], text[4096];
		struct schedule schedule;
		struct err err = ERR_INIT;
		int64_t after;
		int count, used = 0;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%63[^\t]\t%" SCNd64 "\t%d%n", zone, &after, &count, &used) != 3 ||
		    line[used] != '\t')
			return 1;
		/* Not by scanf, to which a tab is any blank: a schedule may begin with one. */
		snprintf(text, sizeof(text), "%s", line + used + 1);
		if (schedule_parse(text, &schedule, &err) < 0)
			printf("no\n");
		else if (calendar)
			print_calendar(&schedule, zone);
		else
			print_times(&schedule, zone, after, count);
	}
	return 0;
}
