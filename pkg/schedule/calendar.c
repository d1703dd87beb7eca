/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/schedule/calendar.h"

#include <string.h>

static const char *const weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

/* How one program writes lists. */
struct style {
	const char *between; /* of a range */
	bool systemd;        /* two digits, names of days, and a week that begins with Monday */
};

static bool is_full(const struct schedule *schedule, enum schedule_field field)
{
	const struct schedule_bounds *bounds = &schedule_bounds[field];

	for (int value = bounds->least; value <= bounds->greatest; value++)
		if (!(schedule->bits[field] >> value & 1))
			return false;
	return true;
}

static int check(const struct schedule *schedule, struct err *err)
{
	if (schedule->every_seconds > 0) {
		err_set(err, ERR_USAGE,
		        "@every counts from the last run; a calendar cannot say that");
		return err_hint(
			err, "use fields: '0 * * * *' is each full hour, '*/10 * * * *' each ten "
			     "minutes");
	}
	for (int field = 0; field < SCHEDULE_FIELD_COUNT; field++) {
		if (field != SCHEDULE_DAY && field != SCHEDULE_WEEKDAY && !schedule->bits[field])
			return err_set(err, ERR_USAGE, "the schedule's %s is empty: it never runs",
			               schedule_bounds[field].name);
	}
	if (!schedule->bits[SCHEDULE_DAY] && !schedule->bits[SCHEDULE_WEEKDAY])
		return err_set(err, ERR_USAGE, "the schedule has no days: it never runs");
	return 0;
}

static void add_value(enum schedule_field field, int value, const struct style *style,
                      struct strbuf *ret)
{
	if (field == SCHEDULE_WEEKDAY && style->systemd)
		strbuf_adds(ret, weekdays[value % 7]);
	else if (style->systemd)
		strbuf_addf(ret, "%02d", value);
	else
		strbuf_addf(ret, "%d", value);
}

/* The values as a list of ranges; two neighbours are no range. */
static void add_list(const struct schedule *schedule, enum schedule_field field,
                     const struct style *style, struct strbuf *ret)
{
	bool from_monday = style->systemd && field == SCHEDULE_WEEKDAY;
	uint64_t bits = schedule->bits[field];
	int greatest = schedule_bounds[field].greatest + from_monday;
	bool first = true;

	if (from_monday)
		bits = (bits & ~UINT64_C(1)) | (bits & 1) << 7;
	for (int value = schedule_bounds[field].least; value <= greatest; value++) {
		int last = value;

		if (!(bits >> value & 1))
			continue;
		while (last < greatest && (bits >> (last + 1) & 1))
			last++;
		if (last == value + 1)
			last = value;
		strbuf_adds(ret, first ? "" : ",");
		add_value(field, value, style, ret);
		if (last > value) {
			strbuf_adds(ret, style->between);
			add_value(field, last, style, ret);
		}
		first = false;
		value = last;
	}
}

static void add_field(const struct schedule *schedule, enum schedule_field field,
                      const struct style *style, struct strbuf *ret)
{
	if (is_full(schedule, field))
		strbuf_addc(ret, '*');
	else
		add_list(schedule, field, style, ret);
}

/* ---- systemd ----------------------------------------------------------------------------------- */

static const struct style for_systemd = {"..", true};

static int add_line(const struct schedule *schedule, bool by_weekday, bool by_day, const char *zone,
                    struct strv *ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf line = STRBUF_INIT;

	if (by_weekday && !is_full(schedule, SCHEDULE_WEEKDAY)) {
		add_list(schedule, SCHEDULE_WEEKDAY, &for_systemd, &line);
		strbuf_addc(&line, ' ');
	}
	strbuf_adds(&line, "*-");
	add_field(schedule, SCHEDULE_MONTH, &for_systemd, &line);
	strbuf_addc(&line, '-');
	if (by_day)
		add_field(schedule, SCHEDULE_DAY, &for_systemd, &line);
	else
		strbuf_addc(&line, '*');
	strbuf_addc(&line, ' ');
	add_field(schedule, SCHEDULE_HOUR, &for_systemd, &line);
	strbuf_addc(&line, ':');
	add_field(schedule, SCHEDULE_MINUTE, &for_systemd, &line);
	strbuf_adds(&line, ":00");
	if (zone)
		strbuf_addf(&line, " %s", zone);
	if (line.failed || strv_take(ret, strbuf_take(&line)) < 0)
		return err_no_memory(err);
	return 0;
}

int calendar_systemd(const struct schedule *schedule, const char *zone, struct strv *ret,
                     struct err *err)
{
	bool has_days = schedule->bits[SCHEDULE_DAY] != 0;
	bool has_weekdays = schedule->bits[SCHEDULE_WEEKDAY] != 0;

	if (check(schedule, err) < 0)
		return -1;
	if (schedule->star[SCHEDULE_DAY] || schedule->star[SCHEDULE_WEEKDAY]) {
		if (!has_days || !has_weekdays)
			return err_set(err, ERR_USAGE, "the schedule has no days: it never runs");
		return add_line(schedule, true, true, zone, ret, err);
	}
	if ((has_days && is_full(schedule, SCHEDULE_DAY)) ||
	    (has_weekdays && is_full(schedule, SCHEDULE_WEEKDAY)))
		return add_line(schedule, false, false, zone, ret, err);
	if (has_days && add_line(schedule, false, true, zone, ret, err) < 0)
		return -1;
	return has_weekdays ? add_line(schedule, true, false, zone, ret, err) : 0;
}

/* ExecStart= knows double quotes, C escapes, %-specifiers and $-variables. */
void calendar_systemd_word(const char *text, struct strbuf *ret)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "-_./:=,@+";
	bool quoted = !*text || text[strspn(text, plain)];

	if (quoted)
		strbuf_addc(ret, '"');
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\')
			strbuf_addc(ret, '\\');
		else if (byte == '%' || byte == '$')
			strbuf_addc(ret, *text);
		if (byte < 0x20 || byte == 0x7f)
			strbuf_addf(ret, "\\x%02x", byte);
		else
			strbuf_addc(ret, *text);
	}
	if (quoted)
		strbuf_addc(ret, '"');
}

/* ---- crontab ----------------------------------------------------------------------------------- */

static const struct style for_crontab = {"-", false};

/* Days: a star only where Kubernetes sees one, since cron takes it for the same thing. */
static void add_days(const struct schedule *schedule, enum schedule_field field, struct strbuf *ret)
{
	if (schedule->star[field])
		strbuf_addc(ret, '*');
	else
		add_list(schedule, field, &for_crontab, ret);
}

int calendar_crontab(const struct schedule *schedule, struct strbuf *ret, struct err *err)
{
	struct schedule days = *schedule;

	if (check(schedule, err) < 0)
		return -1;
	/* An empty kind of day, which only matters when the other is a list: then the other decides alone. */
	for (int field = SCHEDULE_DAY; field <= SCHEDULE_WEEKDAY;
	     field += SCHEDULE_WEEKDAY - SCHEDULE_DAY) {
		int other = SCHEDULE_DAY + SCHEDULE_WEEKDAY - field;

		if (schedule->bits[field])
			continue;
		if (schedule->star[other])
			return err_set(err, ERR_USAGE, "the schedule has no days: it never runs");
		days.star[field] = true;
	}
	add_field(schedule, SCHEDULE_MINUTE, &for_crontab, ret);
	strbuf_addc(ret, ' ');
	add_field(schedule, SCHEDULE_HOUR, &for_crontab, ret);
	strbuf_addc(ret, ' ');
	add_days(&days, SCHEDULE_DAY, ret);
	strbuf_addc(ret, ' ');
	add_field(schedule, SCHEDULE_MONTH, &for_crontab, ret);
	strbuf_addc(ret, ' ');
	add_days(&days, SCHEDULE_WEEKDAY, ret);
	return ret->failed ? err_no_memory(err) : 0;
}

int calendar_crontab_word(const char *text, struct strbuf *ret, struct err *err)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "-_./:=,@+";
	bool quoted = !*text || text[strspn(text, plain)];

	if (strpbrk(text, "\n\r")) {
		err_set(err, ERR_USAGE, "an argument has a line break, which no crontab can hold");
		return err_hint(err, "put the command into a script, or use -o systemd");
	}
	if (quoted)
		strbuf_addc(ret, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			strbuf_adds(ret, "'\\''");
		else if (*text == '%')
			strbuf_adds(ret, "\\%");
		else
			strbuf_addc(ret, *text);
		/* Programs disagree about a backslash before another one, or before %: keep them apart. */
		if (*text == '\\' && (text[1] == '\\' || text[1] == '%'))
			strbuf_adds(ret, "''");
	}
	if (quoted)
		strbuf_addc(ret, '\'');
	return ret->failed ? err_no_memory(err) : 0;
}
