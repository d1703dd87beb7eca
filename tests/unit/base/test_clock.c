/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <time.h>

#include "pkg/base/clock.h"
#include "pkg/base/compat.h"

Test(clock, monotonic_never_goes_back)
{
	struct timespec now;
	int64_t last = clock_monotonic_ms();

	for (int i = 0; i < 10000; i++) {
		int64_t next = clock_monotonic_ms();

		cr_assert_geq(next, last);
		last = next;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	cr_assert_leq(last, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	cr_assert_geq(last, ((int64_t)now.tv_sec - 60) * 1000);
}

Test(clock, wall_time_is_the_system_s)
{
	struct timespec before, after;
	int64_t seconds;

	clock_gettime(CLOCK_REALTIME, &before);
	seconds = clock_unix_seconds();
	clock_gettime(CLOCK_REALTIME, &after);
	cr_assert(seconds >= before.tv_sec && seconds <= after.tv_sec);
}

static void expect_text(int64_t seconds, const char *wanted)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(seconds, text);
	cr_assert_str_eq(text, wanted);
}

Test(clock, formats)
{
	expect_text(0, "1970-01-01T00:00:00Z");
	expect_text(951782399, "2000-02-28T23:59:59Z");
	expect_text(951868799, "2000-02-29T23:59:59Z");
	expect_text(-1, "1969-12-31T23:59:59Z");
	expect_text(2147483648, "2038-01-19T03:14:08Z");
	expect_text(INT64_C(-62135596800), "0001-01-01T00:00:00Z");
}

Test(clock, formats_only_what_the_format_has)
{
	expect_text(INT64_C(253402300799), "9999-12-31T23:59:59Z");
	expect_text(INT64_C(253402300800), "9999-12-31T23:59:59Z");
	expect_text(INT64_MAX, "9999-12-31T23:59:59Z");
	expect_text(INT64_C(-62167219200), "0000-01-01T00:00:00Z");
	expect_text(INT64_MIN, "0000-01-01T00:00:00Z");
}

Test(clock, ignores_the_local_time_zone)
{
	int64_t seconds = 0;

	setenv("TZ", "America/New_York", 1);
	tzset();
	expect_text(0, "1970-01-01T00:00:00Z");
	cr_assert_eq(clock_parse_rfc3339("1970-07-01T00:00:00Z", &seconds), 0);
	cr_assert_eq(seconds, 181 * 86400);
}

Test(clock, parses_what_engines_write)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2000-02-29T23:59:59Z", 951868799},
		{"2000-02-29T23:59:59.999999999Z", 951868799},
		{"2000-02-29T23:59:59.5Z", 951868799},
		{"2000-03-01T01:59:59+02:00", 951868799},
		{"2000-02-29T18:29:59.123456-05:30", 951868799},
		{"2000-02-29T23:59:59-00:00", 951868799},
		{"0001-01-01T00:00:00Z", INT64_C(-62135596800)},
		{"9999-12-31T23:59:59Z", INT64_C(253402300799)},
		{"2400-02-29T00:00:00Z", INT64_C(13574563200)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		int64_t seconds = 7;

		cr_assert_eq(clock_parse_rfc3339(good[i].text, &seconds), 0, "%s", good[i].text);
		cr_assert_eq(seconds, good[i].seconds, "%s is %lld", good[i].text,
		             (long long)seconds);
	}
}

Test(clock, refuses_the_rest)
{
	static const char *const bad[] = {
		"",
		"now",
		"2000-02-29",
		"2000-02-29T23:59Z",
		"2000-02-29T23:59:59",
		"2000-02-29 23:59:59Z",
		"2000-02-29T23:59:59ZZ",
		"2000-02-29T23:59:59Z ",
		" 2000-02-29T23:59:59Z",
		"2000-02-29T23:59:59.Z",
		"2000-02-29T23:59:59,5Z",
		"2000-02-29T23:59:59+0200",
		"2000-02-29T23:59:59+2:00",
		"2000-02-29T23:59:59+24:00",
		"2000-02-29T23:59:59+01:60",
		"2000-02-29T23:59:59+01:00Z",
		"1900-02-29T00:00:00Z",
		"2001-02-29T00:00:00Z",
		"2000-06-31T00:00:00Z",
		"2000-00-01T00:00:00Z",
		"2000-13-01T00:00:00Z",
		"2000-01-00T00:00:00Z",
		"2000-01-01T24:00:00Z",
		"2000-01-01T00:60:00Z",
		"2000-01-01T00:00:60Z",
		"20000-01-01T00:00:00Z",
		"-200-01-01T00:00:00Z",
		"2000-1-01T00:00:00Z",
		"2000-+1-01T00:00:00Z",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int64_t seconds = 7;

		cr_assert_eq(clock_parse_rfc3339(bad[i], &seconds), -1, "'%s'", bad[i]);
		cr_assert_eq(seconds, 7, "'%s'", bad[i]);
	}
}

Test(clock, comes_back_unchanged)
{
	/* A prime step of about 40 days over 8,000 years meets every month and leap rule. */
	for (int64_t at = INT64_C(-62167219200); at < INT64_C(190000000000); at += 3456781) {
		char text[CLOCK_RFC3339_SIZE];
		int64_t seconds = 0;

		clock_format_rfc3339(at, text);
		cr_assert_eq(clock_parse_rfc3339(text, &seconds), 0, "%s", text);
		cr_assert_eq(seconds, at, "%s", text);
	}
}
