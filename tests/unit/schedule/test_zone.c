/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "pkg/base/clock.h"
#include "pkg/schedule/zone.h"
#include "pkg/schedule/zone_rule.h"

static void refused(const char *name, const char *part, const char *hint)
{
	struct zone *zone = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(zone_open(name, &zone, &err), -1, "'%s' was taken", name);
	cr_expect_eq(err.kind, ERR_USAGE, "%s", name);
	cr_expect_not_null(strstr(err.message, part), "%s: %s", name, err.message);
	if (hint)
		cr_expect_not_null(strstr(err.hint, hint), "%s: %s", name, err.hint);
}

static void expect_offset(const char *name, const char *when, int64_t seconds)
{
	_cleanup_(zone_release) struct zone *zone = NULL;
	struct err err = ERR_INIT;
	int64_t now;

	cr_assert_eq(zone_open(name, &zone, &err), 0, "%s", err.message);
	cr_assert_eq(clock_parse_rfc3339(when, &now), 0);
	cr_expect_eq(zone_offset(zone, now), seconds, "%s %s: %lld", name, when,
	             (long long)zone_offset(zone, now));
}

Test(zone, names_that_the_server_refuses_are_refused)
{
	refused("", "no name", NULL);
	refused("Local", "depends on the machine", "UTC");
	refused("local", "depends on the machine", NULL);
	refused("../../etc/passwd", "no name", NULL);
	refused("Europe/../Europe/Berlin", "no name", NULL);
	refused("Europe//Berlin", "no name", NULL);
	refused("/Europe/Berlin", "no name", NULL);
	refused("Europe/Berlin/", "no name", NULL);
	refused("-5", "no name", NULL);
	refused("Europe/Berlin Mitte", "no name", NULL);
	refused("Europe/Abcdefghijklmno", "no name", NULL);
	refused("Europe", "no time zone 'Europe'", NULL);
	refused("tzdata.zi", "no time zone", NULL);
}

Test(zone, a_wrong_name_gets_the_nearest_one)
{
	refused("Europe/Berln", "no time zone", "did you mean 'Europe/Berlin'?");
	refused("europe/berlin", "no time zone", NULL);
	refused("Europe/BERLIN", "no time zone", "did you mean 'Europe/Berlin'?");
}

Test(zone, offsets_follow_the_seasons_for_ever)
{
	expect_offset("UTC", "2026-07-01T00:00:00Z", 0);
	expect_offset("Europe/Berlin", "2026-03-29T00:59:59Z", 3600);
	expect_offset("Europe/Berlin", "2026-03-29T01:00:00Z", 7200);
	expect_offset("Europe/Berlin", "2099-07-01T00:00:00Z", 7200);
	expect_offset("Europe/Berlin", "2099-12-01T00:00:00Z", 3600);
	expect_offset("Australia/Sydney", "2099-12-31T23:00:00Z", 39600);
	expect_offset("Australia/Sydney", "2100-07-01T00:00:00Z", 36000);
	expect_offset("Asia/Kathmandu", "2026-01-01T00:00:00Z", 20700);
	expect_offset("Etc/GMT+5", "2026-01-01T00:00:00Z", -18000);
}

Test(zone, rules_of_all_kinds_can_be_read)
{
	struct zone_rule rule;

	cr_assert_eq(zone_rule_parse("CET-1CEST,M3.5.0,M10.5.0/3", &rule), 0);
	cr_expect_eq(rule.standard, 3600);
	cr_expect_eq(rule.summer, 7200);
	cr_assert_eq(zone_rule_parse("<+0545>-5:45", &rule), 0);
	cr_expect_not(rule.changes);
	cr_assert_eq(zone_rule_parse("IST-1GMT0,M10.5.0,M3.5.0/1", &rule), 0);
	cr_expect_eq(rule.summer, 0);
	cr_assert_eq(zone_rule_parse("A-0BBB,J60,J300", &rule), -1);
	cr_assert_eq(zone_rule_parse("AAA-0BBB,J60,J300/-167", &rule), 0);
	cr_assert_eq(zone_rule_parse("AAA-0BBB,60,300", &rule), 0);
	cr_expect_eq(zone_rule_parse("AAA-0BBB", &rule), -1);
	cr_expect_eq(zone_rule_parse("AAA-0BBB,M13.1.0,M10.5.0", &rule), -1);
	cr_expect_eq(zone_rule_parse("AAA-168", &rule), -1);
	cr_expect_eq(zone_rule_parse("", &rule), -1);
}

Test(zone, a_file_that_is_none_is_refused)
{
	struct zone *zone = NULL;
	struct err err = ERR_INIT;
	char bytes[44] = "TZif";

	cr_expect_eq(zone_parse("", 0, &zone, &err), -1);
	cr_expect_eq(zone_parse(bytes, sizeof(bytes), &zone, &err), -1);
	cr_expect_not_null(strstr(err.message, "no types"), "%s", err.message);
	bytes[35] = 9;
	cr_expect_eq(zone_parse(bytes, sizeof(bytes), &zone, &err), -1);
	cr_expect_not_null(strstr(err.message, "cut off"), "%s", err.message);
	cr_expect_null(zone);
}
