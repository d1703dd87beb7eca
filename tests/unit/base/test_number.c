/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdbool.h>

#include "pkg/base/number.h"

#define UNTOUCHED INT64_C(-77)
#define KI        INT64_C(1024)

struct sample {
	const char *text;
	bool good;
	int64_t value;
};

static void check(const char *what, int (*parse)(const char *text, int64_t *ret),
                  const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int64_t got = UNTOUCHED;
		int status = parse(samples[i].text, &got);

		cr_assert_eq(status, samples[i].good ? 0 : -1, "%s '%s'", what, samples[i].text);
		cr_assert_eq(got, samples[i].good ? samples[i].value : UNTOUCHED, "%s '%s' is %lld",
		             what, samples[i].text, (long long)got);
	}
}

#define GOOD(text, value)                                                                          \
	{                                                                                          \
		text, true, value                                                                  \
	}
#define BAD(text)                                                                                  \
	{                                                                                          \
		text, false, 0                                                                     \
	}

static int parse_any(const char *text, int64_t *ret)
{
	return parse_int64(text, INT64_MIN, INT64_MAX, ret);
}

static int parse_port(const char *text, int64_t *ret)
{
	return parse_int64(text, 0, 65535, ret);
}

Test(number, reads_integers)
{
	static const struct sample samples[] = {
		GOOD("0", 0),
		GOOD("-0", 0),
		GOOD("007", 7),
		GOOD("-42", -42),
		GOOD("9223372036854775807", INT64_MAX),
		GOOD("-9223372036854775808", INT64_MIN),
		BAD("9223372036854775808"),
		BAD("-9223372036854775809"),
		BAD("99999999999999999999999"),
		BAD(""),
		BAD("-"),
		BAD("--1"),
		BAD("+1"),
		BAD(" 1"),
		BAD("1 "),
		BAD("1\n"),
		BAD("0x10"),
		BAD("1e3"),
		BAD("1.0"),
		BAD("\xd9\xa1"), /* an Arabic one */
	};

	check("integer", parse_any, samples, ARRAY_SIZE(samples));
}

Test(number, holds_the_range)
{
	static const struct sample samples[] = {
		GOOD("0", 0), GOOD("65535", 65535), BAD("65536"), BAD("-1"), BAD("-0"),
	};
	int64_t got = UNTOUCHED;

	check("port", parse_port, samples, ARRAY_SIZE(samples));
	cr_assert_eq(parse_int64("9", 10, 20, &got), -1);
	cr_assert_eq(parse_int64("21", 10, 20, &got), -1);
	cr_assert_eq(parse_int64("-6", -5, 5, &got), -1);
	cr_assert_eq(got, UNTOUCHED);
	cr_assert_eq(parse_int64("-5", -5, 5, &got), 0);
	cr_assert_eq(got, -5);
}

Test(number, reads_durations)
{
	static const struct sample samples[] = {
		GOOD("0", 0),
		GOOD("90", 90000),
		GOOD("90s", 90000),
		GOOD("5m", 300000),
		GOOD("250ms", 250),
		GOOD("1h30m", 5400000),
		GOOD("2d", 172800000),
		GOOD("1d2h3m4s5ms", 93784005),
		GOOD("1.5h", 5400000),
		GOOD("0.001s", 1),
		GOOD("1.250s", 1250),
		GOOD("0.5d", 43200000),
		GOOD("3650d", INT64_C(315360000000)),
		GOOD("315360000", INT64_C(315360000000)),
		BAD("3650d1ms"),
		BAD("315360001"),
		BAD("3651d"),
		BAD("9223372036854775807d"),
		BAD("9223372036854775808s"),
		BAD("99999999999999999999"),
		BAD(""),
		BAD("s"),
		BAD("1.5x"),
		BAD("1.5"),
		BAD("1.s"),
		BAD(".5s"),
		BAD("0.0001s"),
		BAD("1.5ms"),
		BAD("-1s"),
		BAD("+1s"),
		BAD("1h-1m"),
		BAD(" 1s"),
		BAD("1s "),
		BAD("1 s"),
		BAD("1h 30m"),
		BAD("1h30"),
		BAD("1m1m"),
		BAD("30m1h"),
		BAD("5ms1s"),
		BAD("1H"),
		BAD("1mss"),
		BAD("1w"),
		BAD("1us"),
		BAD("1e3s"),
	};

	check("duration", parse_duration, samples, ARRAY_SIZE(samples));
}

Test(number, reads_sizes)
{
	static const struct sample samples[] = {
		GOOD("0", 0),
		GOOD("1024", 1024),
		GOOD("7b", 7),
		GOOD("64k", 64 * KI),
		GOOD("512m", 512 * KI * KI),
		GOOD("512M", 512 * KI * KI),
		GOOD("512Mi", 512 * KI * KI),
		GOOD("512MB", 512 * KI * KI),
		GOOD("512mib", 512 * KI * KI),
		GOOD("1g", KI * KI * KI),
		GOOD("1Gi", KI * KI * KI),
		GOOD("1.5g", 1536 * KI * KI),
		GOOD("0.3g", 322122547),
		GOOD("0.0k", 0),
		BAD("0.0001k"),
		GOOD("1.99999999999999999999999999999k", 2047),
		GOOD("2t", 2 * KI * KI * KI * KI),
		GOOD("8191p", 8191 * KI * KI * KI * KI * KI),
		GOOD("9223372036854775807", INT64_MAX),
		BAD("8192p"),
		BAD("9223372036854775808"),
		BAD("9007199254740992k"),
		BAD(""),
		BAD("m"),
		BAD("-1"),
		BAD("+1g"),
		BAD(" 1g"),
		BAD("1g "),
		BAD("1 g"),
		BAD("1.5"),
		BAD("1.5b"),
		BAD("1.g"),
		BAD(".5g"),
		BAD("1..5g"),
		BAD("1bb"),
		BAD("1bi"),
		BAD("1gg"),
		BAD("1gibs"),
		BAD("1x"),
		BAD("1e"),
		BAD("1\xc2"),
		BAD("0x10"),
	};

	check("size", parse_size, samples, ARRAY_SIZE(samples));
}

Test(number, reads_processors)
{
	static const struct sample samples[] = {
		GOOD("0", 0),
		GOOD("2", 2000000000),
		GOOD("0.5", 500000000),
		GOOD("1.25", 1250000000),
		GOOD("500m", 500000000),
		GOOD("1500m", 1500000000),
		GOOD("0.000000001", 1),
		GOOD("0.1000000000", 100000000),
		GOOD("9223372036.854775807", INT64_MAX),
		BAD("9223372036.854775808"),
		BAD("9223372037"),
		BAD("0.0000000001"),
		BAD("0.5m"),
		BAD(""),
		BAD("m"),
		BAD("-1"),
		BAD("1mm"),
		BAD("1M"),
		BAD("1 "),
		BAD(" 1"),
		BAD("1."),
		BAD(".5"),
		BAD("1,5"),
		BAD("1e9"),
	};

	check("processors", parse_cpus, samples, ARRAY_SIZE(samples));
}
