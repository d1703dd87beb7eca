/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>
#include "cmd/oneoff/cmd_cron_cluster.h"
#include "cmd/oneoff/exit_code.h"
#include "cmd/oneoff/table.h"
#include "pkg/base/clock.h"

#define COLUMNS 8

/* What the cluster has. */
struct listing {
	struct cron_session *session;
	cJSON *cronjobs, *jobs, *pods; /* owned */
};

static void listing_release(struct listing *listing)
{
	json_free(&listing->cronjobs);
	json_free(&listing->jobs);
	json_free(&listing->pods);
}

static const char *label(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(json_member(json_at(object, "metadata.labels"), key));
}

/* ---- how a Job ended --------------------------------------------------------------------------- */

static const cJSON *condition_of(const cJSON *job, const char *type)
{
	const cJSON *condition;

	cJSON_ArrayForEach (condition, json_at(job, "status.conditions")) {
		const char *name = json_string(condition, "type");
		const char *status = json_string(condition, "status");

		if (name && status && !strcmp(name, type) && !strcmp(status, "True"))
			return condition;
	}
	return NULL;
}

/* The newest pod of a Job; NULL: it is gone, or we may not see it. */
static const cJSON *pod_of(const struct listing *listing, const cJSON *job)
{
	const char *name = json_string(job, "metadata.name"), *newest = "";
	const cJSON *pod, *found = NULL;

	cJSON_ArrayForEach (pod, listing->pods) {
		const char *owner = label(pod, "batch.kubernetes.io/job-name");
		const char *created = json_string(pod, "metadata.creationTimestamp");

		if (!owner)
			owner = label(pod, "job-name");
		if (!name || !owner || strcmp(owner, name) ||
		    (created && strcmp(created, newest) < 0))
			continue;
		newest = created ? created : newest;
		found = pod;
	}
	return found;
}

/* The task's own status: of the container that the pod says is its own, else the first. */
static int exit_code_in(const cJSON *pod, int64_t *ret)
{
	const char *wanted = cJSON_GetStringValue(json_member(
		json_at(pod, "metadata.annotations"), "kubectl.kubernetes.io/default-container"));
	const cJSON *status;

	cJSON_ArrayForEach (status, json_at(pod, "status.containerStatuses")) {
		const char *name = json_string(status, "name");

		if (wanted && name && strcmp(wanted, name) != 0)
			continue;
		return json_int64(status, "state.terminated.exitCode", ret);
	}
	return -1;
}

static bool is_timeout(const cJSON *object, const char *path)
{
	const char *reason = json_string(object, path);

	return reason && !strcmp(reason, "DeadlineExceeded");
}

/* "succeeded", "failed (3)", "timed out", "running". */
static void add_result(const struct listing *listing, const cJSON *job, struct strbuf *ret)
{
	const cJSON *failure = condition_of(job, "Failed"), *pod = pod_of(listing, job);
	int64_t code;

	if (condition_of(job, "Complete") || condition_of(job, "SuccessCriteriaMet"))
		strbuf_adds(ret, "succeeded");
	else if (!failure && !condition_of(job, "FailureTarget"))
		strbuf_adds(ret, json_true(job, "spec.suspend") ? "suspended" : "running");
	else if (is_timeout(failure, "reason") || is_timeout(pod, "status.reason"))
		strbuf_adds(ret, "timed out");
	else if (pod && exit_code_in(pod, &code) == 0)
		strbuf_addf(ret, "failed (%" PRId64 ")", code);
	else
		strbuf_adds(ret, "failed");
}

static bool is_of(const cJSON *job, const cJSON *cronjob)
{
	const char *owner = label(job, CRONJOB_LABEL),
		   *name = json_string(cronjob, "metadata.name");

	return owner && name && !strcmp(owner, name);
}

static const char *began(const cJSON *job)
{
	const char *start = json_string(job, "status.startTime");

	return start ? start : json_string(job, "metadata.creationTimestamp");
}

/* RFC 3339 in UTC sorts as text. */
static const cJSON *last_job(const struct listing *listing, const cJSON *cronjob)
{
	const cJSON *job, *last = NULL;

	cJSON_ArrayForEach (job, listing->jobs) {
		const char *start = began(job), *newest = last ? began(last) : NULL;

		if (is_of(job, cronjob) && (!newest || (start && strcmp(start, newest) >= 0)))
			last = job;
	}
	return last;
}

/* ---- one row ----------------------------------------------------------------------------------- */

static void add_next(const cJSON *cronjob, struct strbuf *ret)
{
	_cleanup_(zone_release) struct zone *zone = NULL;
	const char *text = json_string(cronjob, "spec.schedule");
	const char *name = json_string(cronjob, "spec.timeZone");
	char time[CLOCK_RFC3339_SIZE];
	struct schedule schedule;
	struct err ignored = ERR_INIT;
	int64_t next = SCHEDULE_NEVER;

	if (json_true(cronjob, "spec.suspend"))
		return;
	if (text && schedule_parse(text, &schedule, &ignored) == 0 &&
	    (!name || zone_open(name, &zone, &ignored) == 0))
		next = schedule_next(&schedule, zone, clock_unix_seconds());
	if (next == SCHEDULE_NEVER)
		return;
	clock_format_rfc3339(next, time);
	strbuf_adds(ret, time);
}

/* What `cron check` would say. */
static int find_drift(const struct listing *listing, const cJSON *cronjob, cJSON **ret,
                      struct strbuf *words)
{
	_cleanup_(strv_release) struct strv lines = STRV_INIT;
	_cleanup_(json_free) cJSON *fresh = NULL;
	struct err err = ERR_INIT;

	if (cron_again(listing->session, cronjob, &fresh, &lines, &err) < 0) {
		report(&listing->session->reporter, REPORT_NOTE, "%s: %s",
		       json_string(cronjob, "metadata.name"), err.message);
		strbuf_adds(words, "unknown");
		return 0;
	}
	strbuf_adds(words, !fresh ? "follows" : lines.count > 0 ? "yes" : "no");
	*ret = json_new_strings(&lines);
	return *ret ? 0 : -1;
}

static int set_text(cJSON *row, const char *key, const char *value)
{
	return json_set_known_string(row, key, value && *value ? value : NULL);
}

static int set_last(const struct listing *listing, const cJSON *job, cJSON *row)
{
	_cleanup_(strbuf_release) struct strbuf result = STRBUF_INIT;

	if (job)
		add_result(listing, job, &result);
	if (set_text(row, "lastJob", json_string(job, "metadata.name")) < 0 ||
	    set_text(row, "lastStart", job ? began(job) : NULL) < 0)
		return -1;
	return set_text(row, "lastResult", strbuf_str(&result));
}

/* {name, schedule, timeZone, suspended, mode, source, drift, differences, lastJob, lastStart, lastResult, next};
 * NULL: no memory. */
static cJSON *row_of(const struct listing *listing, const cJSON *cronjob)
{
	_cleanup_(strbuf_release) struct strbuf next = STRBUF_INIT, drift = STRBUF_INIT;
	_cleanup_(json_free) cJSON *row = cJSON_CreateObject(), *differences = NULL;

	add_next(cronjob, &next);
	if (!row || find_drift(listing, cronjob, &differences, &drift) < 0 ||
	    set_text(row, "name", json_string(cronjob, "metadata.name")) < 0 ||
	    set_text(row, "schedule", json_string(cronjob, "spec.schedule")) < 0 ||
	    set_text(row, "timeZone", json_string(cronjob, "spec.timeZone")) < 0 ||
	    json_set_bool(row, "suspended", json_true(cronjob, "spec.suspend")) < 0 ||
	    set_text(row, "mode", cron_annotation(cronjob, CRONJOB_MODE)) < 0 ||
	    set_text(row, "source", cron_annotation(cronjob, CRONJOB_SOURCE)) < 0 ||
	    set_text(row, "drift", strbuf_str(&drift)) < 0 ||
	    set_last(listing, last_job(listing, cronjob), row) < 0 ||
	    set_text(row, "next", strbuf_str(&next)) < 0)
		return NULL;
	if (differences && json_set_node(row, "differences", TAKE_PTR(differences)) < 0)
		return NULL;
	return TAKE_PTR(row);
}

/* ---- the table --------------------------------------------------------------------------------- */

static const struct {
	const char *title, *key;
} columns[COLUMNS] = {
	{"NAME", "name"},         {"SCHEDULE", "schedule"}, {"ZONE", "timeZone"},
	{"SOURCE", "source"},     {"DRIFT", "drift"},       {"LAST", "lastStart"},
	{"RESULT", "lastResult"}, {"NEXT", "next"},
};

static const char *cell(const cJSON *row, size_t column)
{
	const char *value = json_string(row, columns[column].key);

	if (!strcmp(columns[column].key, "next") && json_true(row, "suspended"))
		return "suspended";
	return value ? value : "-";
}

static size_t width_of(const cJSON *rows, size_t column)
{
	size_t width = strlen(columns[column].title);
	const cJSON *row;

	cJSON_ArrayForEach (row, rows) {
		size_t own = table_width(cell(row, column));

		if (own > width)
			width = own;
	}
	return width;
}

/* Nothing stands behind the last column. */
static void add_cell(struct strbuf *text, const char *value, const size_t *widths, size_t column)
{
	bool last = column + 1 == COLUMNS;

	table_add(text, value, last ? 0 : widths[column], last ? 0 : 2);
	if (last)
		strbuf_addc(text, '\n');
}

static void print_table(const cJSON *rows, struct strbuf *text)
{
	size_t widths[COLUMNS];
	const cJSON *row;

	for (size_t i = 0; i < COLUMNS; i++)
		widths[i] = width_of(rows, i);
	for (size_t i = 0; i < COLUMNS; i++)
		add_cell(text, columns[i].title, widths, i);
	cJSON_ArrayForEach (row, rows)
		for (size_t i = 0; i < COLUMNS; i++)
			add_cell(text, cell(row, i), widths, i);
}

static int list(struct cron_session *session, struct err *err)
{
	_cleanup_(listing_release) struct listing listing = {.session = session};
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *rows = cJSON_CreateArray();
	const cJSON *cronjob;

	if (cronjobs_list(session->backend, &listing.cronjobs, &listing.jobs, &listing.pods, err) <
	    0)
		return -1;
	cJSON_ArrayForEach (cronjob, listing.cronjobs)
		if (!rows || json_add_node(rows, row_of(&listing, cronjob)) < 0)
			return err_no_memory(err);
	if (session->options.format == CRON_LIST_JSON) {
		json_print(rows, true, &text);
		strbuf_addc(&text, '\n');
	} else {
		print_table(rows, &text);
	}
	return text.failed ? err_no_memory(err) : message_output(&text, err);
}

static int run(const struct command *command, int argc, char **argv)
{
	_cleanup_(cron_session_release) struct cron_session session = {.backend = NULL};
	struct err err = ERR_INIT;
	int result = cron_session_open(command, argc, argv, &session, &err);

	if (result == 0 && session.options.operand_count > 0)
		result = err_set(&err, ERR_USAGE, "cron list takes no names: '%s'",
		                 session.options.operands[0]);
	if (result == 0 && !session.options.help)
		result = list(&session, &err);
	if (result == 0)
		return 0;
	message_error(&err);
	return exit_code_of(&err);
}

const struct command cmd_cron_list = {
	.name = "list",
	.parent = "cron",
	.usage = "[options]",
	.summary = "schedules, whether they drifted, and how their last runs ended",
	.details =
		"DRIFT: yes when `cron check` has something to say, follows when each run clones\n"
		"what is live then. Times are UTC.",
	.options = cron_option_table,
	.option_count = &cron_option_count,
	.run = run,
};
