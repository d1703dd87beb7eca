/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/schedule/schedule.h"

#include <string.h>
#include <strings.h>

#define BLANKS "\t\n\v\f\r "
#define EVERY  "@every "

const struct schedule_bounds schedule_bounds[SCHEDULE_FIELD_COUNT] = {
	[SCHEDULE_MINUTE] = {0, 59, "minute"},      [SCHEDULE_HOUR] = {0, 23, "hour"},
	[SCHEDULE_DAY] = {1, 31, "day of month"},   [SCHEDULE_MONTH] = {1, 12, "month"},
	[SCHEDULE_WEEKDAY] = {0, 6, "day of week"},
};

static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                     "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const weekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

/* The words, and the fields that they stand for. */
static const struct {
	const char *word, *fields;
} words[] = {
	{"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
	{"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
	{"@hourly", "0 * * * *"},
};

/* Where the reader is. */
struct reader {
	const char *text; /* the whole schedule */
	enum schedule_field field;
	struct err *err;
};

/* A piece of the text. */
struct span {
	const char *begin, *end;
};

static int refuse(const struct reader *reader, const struct span *span, const char *what)
{
	return err_set(reader->err, ERR_USAGE, "schedule '%s': %s, character %d: '%.*s' %s",
	               reader->text, schedule_bounds[reader->field].name,
	               (int)(span->begin - reader->text) + 1, (int)(span->end - span->begin),
	               span->begin, what);
}

static int out_of_range(const struct reader *reader, const struct span *span, const char *value)
{
	const struct schedule_bounds *bounds = &schedule_bounds[reader->field];

	refuse(reader, span, "is out of range");
	if (reader->field == SCHEDULE_WEEKDAY && !strcmp(value, "7"))
		return err_hint(reader->err, "Sunday is 0, or sun; Kubernetes knows no 7");
	return err_hint(reader->err, "a %s is %d to %d", bounds->name, bounds->least,
	                bounds->greatest);
}

/* What other programs know and Kubernetes does not. */
static void hint_dialect(const struct reader *reader, const struct span *span)
{
	size_t length = (size_t)(span->end - span->begin);

	if (memchr(span->begin, '#', length) || memchr(span->begin, 'L', length) ||
	    memchr(span->begin, 'W', length) || memchr(span->begin, 'H', length))
		err_hint(reader->err, "L, W, # and H are other programs'; Kubernetes has lists, "
		                      "ranges, steps and names");
	else
		err_hint(reader->err, "a %s is %d to %d, *, a range 1-5, a list 1,3, or a step */2",
		         schedule_bounds[reader->field].name, schedule_bounds[reader->field].least,
		         schedule_bounds[reader->field].greatest);
}

/* A name of the field; -1: it is none. */
static int read_name(enum schedule_field field, const struct span *span)
{
	const char *const *names = field == SCHEDULE_MONTH     ? months
	                           : field == SCHEDULE_WEEKDAY ? weekdays
	                                                       : NULL;
	int count = field == SCHEDULE_MONTH ? 12 : 7;

	for (int i = 0; names && span->end - span->begin == 3 && i < count; i++)
		if (!strncasecmp(names[i], span->begin, 3))
			return i + schedule_bounds[field].least;
	return -1;
}

/* A number as Go's Atoi takes it: a plus sign is allowed, and any count of zeros in front. What is greater than
 * all bounds stays so. */
static int read_number(const struct reader *reader, const struct span *span, int64_t *ret)
{
	const char *at = span->begin;
	int64_t number = 0;

	if (at < span->end && *at == '+')
		at++;
	if (at == span->end) {
		refuse(reader, span, "is no number");
		hint_dialect(reader, span);
		return -1;
	}
	for (; at < span->end; at++) {
		if (*at < '0' || *at > '9') {
			refuse(reader, span, "is no number");
			hint_dialect(reader, span);
			return -1;
		}
		if (number > (INT64_MAX - 9) / 10)
			return refuse(reader, span, "is too great");
		number = number * 10 + (*at - '0');
	}
	*ret = number;
	return 0;
}

static int read_value(const struct reader *reader, const struct span *span, int64_t *ret)
{
	int named = read_name(reader->field, span);

	if (named < 0)
		return read_number(reader, span, ret);
	*ret = named;
	return 0;
}

/* Cuts at the first `separator`; `rest` is empty and false comes back when there is none. */
static bool cut(const struct span *whole, char separator, struct span *first, struct span *rest)
{
	const char *at = memchr(whole->begin, separator, (size_t)(whole->end - whole->begin));

	*first = (struct span){whole->begin, at ? at : whole->end};
	*rest = (struct span){at ? at + 1 : whole->end, whole->end};
	return at != NULL;
}

static bool is_star(const struct span *span)
{
	return span->end - span->begin == 1 && (*span->begin == '*' || *span->begin == '?');
}

/* From where to where. `*ret_open`: a value alone, which goes on to the end when there is a step. */
static int read_range(const struct reader *reader, const struct span *span, int64_t *ret_from,
                      int64_t *ret_to, bool *ret_star, bool *ret_open)
{
	struct span low, high;
	bool two = cut(span, '-', &low, &high);

	*ret_open = !two;
	*ret_star = is_star(&low);
	if (*ret_star) {
		/* The server does not look at what follows "*-". */
		*ret_from = schedule_bounds[reader->field].least;
		*ret_to = schedule_bounds[reader->field].greatest;
		return 0;
	}
	if (read_value(reader, &low, ret_from) < 0)
		return -1;
	*ret_to = *ret_from;
	if (!two)
		return 0;
	if (memchr(high.begin, '-', (size_t)(high.end - high.begin)))
		return refuse(reader, span, "has too many hyphens");
	return read_value(reader, &high, ret_to);
}

static int check_range(const struct reader *reader, const struct span *span, int64_t from,
                       int64_t to)
{
	const struct schedule_bounds *bounds = &schedule_bounds[reader->field];

	if (from < bounds->least || to > bounds->greatest)
		return out_of_range(reader, span, to == 7 ? "7" : "");
	if (from > to) {
		refuse(reader, span, "ends before it begins");
		return err_hint(reader->err, "write it as two ranges, with a comma between");
	}
	return 0;
}

/* One element of a list. */
static int read_element(const struct reader *reader, const struct span *span, struct schedule *ret)
{
	struct span range, step_span;
	int64_t from, to, step = 1;
	bool star, open;

	if (cut(span, '/', &range, &step_span) &&
	    memchr(step_span.begin, '/', (size_t)(step_span.end - step_span.begin)))
		return refuse(reader, span, "has too many slashes");
	if (read_range(reader, &range, &from, &to, &star, &open) < 0)
		return -1;
	if (step_span.begin > range.end) {
		if (read_number(reader, &step_span, &step) < 0)
			return -1;
		if (open)
			to = schedule_bounds[reader->field].greatest;
		star = star && step <= 1;
	}
	if (check_range(reader, span, from, to) < 0)
		return -1;
	if (step == 0)
		return refuse(reader, span, "has a step of 0");
	for (int64_t value = from; value <= to; value += step) {
		ret->bits[reader->field] |= UINT64_C(1) << value;
		if (step > to)
			break;
	}
	ret->star[reader->field] = ret->star[reader->field] || star;
	return 0;
}

static int read_field(const struct reader *reader, struct span field, struct schedule *ret)
{
	struct span element;
	bool more = true;

	while (more) {
		more = cut(&field, ',', &element, &field);
		/* The server steps over empty elements. */
		if (element.begin < element.end && read_element(reader, &element, ret) < 0)
			return -1;
	}
	return 0;
}

/* ---- the whole --------------------------------------------------------------------------------- */

static int wrong_count(const char *text, size_t count, struct err *err)
{
	err_set(err, ERR_USAGE, "schedule '%s' has %zu fields, not five", text, count);
	if (count == 6 || count == 7)
		return err_hint(err,
		                "Kubernetes knows neither seconds nor years: MINUTE HOUR DAY MONTH "
		                "WEEKDAY");
	return err_hint(err,
	                "MINUTE HOUR DAY MONTH WEEKDAY, for example '30 3 * * mon-fri'; or @daily, "
	                "@hourly, @every 1h30m");
}

static int read_fields(const char *whole, const char *text, struct schedule *ret, struct err *err)
{
	struct span fields[SCHEDULE_FIELD_COUNT];
	struct reader reader = {.text = whole, .err = err};
	size_t count = 0;

	for (text += strspn(text, BLANKS); *text; text += strspn(text, BLANKS)) {
		const char *end = text + strcspn(text, BLANKS);

		if (count < SCHEDULE_FIELD_COUNT)
			fields[count] = (struct span){text, end};
		count++;
		text = end;
	}
	if (count != SCHEDULE_FIELD_COUNT)
		return wrong_count(whole, count, err);
	for (size_t i = 0; i < SCHEDULE_FIELD_COUNT; i++) {
		reader.field = (enum schedule_field)i;
		if (read_field(&reader, fields[i], ret) < 0)
			return -1;
	}
	return 0;
}

static int read_word(const char *text, struct schedule *ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(text, words[i].word))
			return read_fields(words[i].fields, words[i].fields, ret, err);
	if (!strncmp(text, EVERY, strlen(EVERY))) {
		if (schedule_parse_every(text + strlen(EVERY), &ret->every_seconds) == 0)
			return 0;
		err_set(err, ERR_USAGE, "schedule '%s': '%s' is no duration", text,
		        text + strlen(EVERY));
		return err_hint(err, "for example: @every 1h30m");
	}
	err_set(err, ERR_USAGE, "schedule '%s' is no word that Kubernetes knows", text);
	if (!strcmp(text, "@reboot"))
		return err_hint(err, "a cluster has no reboot");
	return err_hint(
		err,
		"@yearly, @monthly, @weekly, @daily, @hourly or @every DURATION, in lower case");
}

int schedule_parse(const char *text, struct schedule *ret, struct err *err)
{
	struct schedule schedule = {.every_seconds = 0};

	if (!*text)
		return wrong_count(text, 0, err);
	if (strlen(text) > SCHEDULE_MAX_BYTES)
		return err_set(err, ERR_USAGE, "a schedule of more than %d bytes",
		               SCHEDULE_MAX_BYTES);
	if (strstr(text, "TZ")) {
		err_set(err, ERR_USAGE,
		        "schedule '%s': a time zone in the schedule is refused by Kubernetes",
		        text);
		return err_hint(err, "give it with --time-zone");
	}
	if (*text == '@' ? read_word(text, &schedule, err) < 0
	                 : read_fields(text, text, &schedule, err) < 0)
		return -1;
	*ret = schedule;
	return 0;
}
