/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every folder of tests/golden/bundle is a case; a new one needs no C:
 *
 *	source         names a fixture of tests/fixtures/oci/bundle ("docker-28.5-config.json"), or
 *	source.json    is the document itself: a config.json, or an image's config
 *	request.json   what is asked, and of what machine; see tests/golden/bundle/README.md
 *	expected.json  the config.json that is made
 *	expected.txt   the whole table of the plan, kept rows too
 *
 * ONEOFF_GOLDEN=write writes the two expected files anew: review the diff.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include "tests/unit/oci/bundle_helper.h"

#define CASES    "tests/golden/bundle"
#define FIXTURES "tests/fixtures/oci/bundle"

static char *copy_string(const cJSON *object, const char *key)
{
	const char *text = json_string(object, key);

	return text ? strdup(text) : NULL;
}

static void copy_list(const cJSON *object, const char *key, struct strv *list)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, json_member(object, key))
		cr_assert_eq(strv_add(list, item->valuestring), 0);
}

static int choice(const cJSON *object, const char *key, const char *const *names)
{
	const char *text = json_string(object, key);

	for (int i = 0; text && names[i]; i++) {
		if (!strcmp(names[i], text))
			return i;
	}
	cr_assert_null(text, "%s: '%s'", key, text);
	return 0;
}

static void copy_number(const cJSON *object, const char *key, int64_t *number)
{
	if (json_member(object, key))
		cr_assert_eq(json_int64(object, key, number), 0, "%s", key);
}

static void check_keys(const char *name, const cJSON *json)
{
	static const char *const known[] = {"from",
	                                    "image_document",
	                                    "argv",
	                                    "env",
	                                    "labels",
	                                    "user",
	                                    "workdir",
	                                    "entrypoint",
	                                    "entrypoint_mode",
	                                    "cpu_nano",
	                                    "memory_bytes",
	                                    "tty",
	                                    "rows",
	                                    "columns",
	                                    "term",
	                                    "reason",
	                                    "timeout_ms",
	                                    "keep",
	                                    "keep_for_ms",
	                                    "source_pid",
	                                    "as_user",
	                                    "network",
	                                    "network_path",
	                                    "user_namespace",
	                                    "rootless",
	                                    "cgroups_path",
	                                    "rlimits",
	                                    "oom_score_adj_floor",
	                                    "cgroup2",
	                                    "no_log",
	                                    "fresh_volumes",
	                                    "source_name"};
	const cJSON *member;

	cJSON_ArrayForEach (member, json) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			found = found || !strcmp(known[i], member->string);
		cr_expect(found, "%s/request.json: unknown '%s'", name, member->string);
	}
}

static void fill_request(const cJSON *json, struct request *request)
{
	static const char *const modes[] = {"keep", "clear", "replace", NULL};
	static const char *const keeps[] = {"never", "failed", "always", NULL};
	int64_t rows = 0, columns = 0;

	copy_list(json, "argv", &request->argv);
	copy_list(json, "env", &request->env);
	copy_list(json, "labels", &request->labels);
	request->user = copy_string(json, "user");
	request->workdir = copy_string(json, "workdir");
	request->entrypoint = copy_string(json, "entrypoint");
	request->term = copy_string(json, "term");
	request->reason = copy_string(json, "reason");
	request->entrypoint_mode = (enum entrypoint_mode)choice(json, "entrypoint_mode", modes);
	request->keep = (enum keep_mode)choice(json, "keep", keeps);
	copy_number(json, "cpu_nano", &request->cpu_nano);
	copy_number(json, "memory_bytes", &request->memory_bytes);
	copy_number(json, "timeout_ms", &request->timeout_ms);
	copy_number(json, "keep_for_ms", &request->keep_for_ms);
	copy_number(json, "rows", &rows);
	copy_number(json, "columns", &columns);
	request->tty_rows = (int)rows;
	request->tty_columns = (int)columns;
	request->no_log = json_true(json, "no_log");
	request->fresh_volumes = json_true(json, "fresh_volumes");
	request->tty = json_true(json, "tty");
}

static void fill_user(const cJSON *json, struct bundle_user *user)
{
	int64_t number = 0;
	const cJSON *group;

	copy_number(json, "uid", &number);
	user->uid = (uid_t)number;
	copy_number(json, "gid", &number);
	user->gid = (gid_t)number;
	cJSON_ArrayForEach (group, json_member(json, "groups")) {
		cr_assert_eq(json_int64(group, "", &number), 0);
		user->additional[user->additional_count++] = (gid_t)number;
	}
	if (json_string(json, "home"))
		snprintf(user->home, sizeof(user->home), "%s", json_string(json, "home"));
}

/* Texts of the input are borrowed from `json`. */
static void fill_input(const cJSON *json, struct bundle_sample *sample)
{
	static const char *const networks[] = {"source", "none", "host", NULL};
	struct bundle_input *input = &sample->input;
	int64_t pid = input->source_pid, floor = input->oom_score_adj_floor, most;
	const cJSON *limit;

	copy_number(json, "source_pid", &pid);
	copy_number(json, "oom_score_adj_floor", &floor);
	input->source_pid = (pid_t)pid;
	input->oom_score_adj_floor = (int)floor;
	input->network = (enum bundle_network)choice(json, "network", networks);
	if (json_member(json, "network_path"))
		input->network_path = json_string(json, "network_path");
	if (json_member(json, "cgroups_path"))
		input->cgroups_path = json_string(json, "cgroups_path");
	if (json_member(json, "source_name"))
		input->source_name = json_string(json, "source_name");
	input->user_namespace = json_true(json, "user_namespace");
	input->rootless = json_true(json, "rootless");
	input->cgroup2 = json_true(json, "cgroup2");
	if (json_member(json, "as_user")) {
		fill_user(json_member(json, "as_user"), &sample->user);
		input->user = &sample->user;
	}
	cJSON_ArrayForEach (limit, json_member(json, "rlimits")) {
		cr_assert_eq(json_int64(limit, "", &most), 0);
		sample->rlimits[input->rlimit_count++] =
			(struct bundle_rlimit){limit->string, (uint64_t)most};
	}
	input->rlimits = sample->rlimits;
}

static cJSON *read_source(const char *name)
{
	struct strbuf text = STRBUF_INIT;
	char path[512];
	cJSON *source;

	snprintf(path, sizeof(path), CASES "/%s/source.json", name);
	if (access(path, R_OK) == 0)
		return bundle_read_json(path);
	snprintf(path, sizeof(path), CASES "/%s/source", name);
	bundle_read_text(path, &text);
	while (text.length > 0 && text.data[text.length - 1] == '\n')
		text.data[--text.length] = '\0';
	snprintf(path, sizeof(path), FIXTURES "/%s", strbuf_str(&text));
	source = bundle_read_json(path);
	strbuf_release(&text);
	return source;
}

/* *ret_json is the request, owned by the caller; the sample borrows from it. */
static void open_case(const char *name, struct bundle_sample *sample, cJSON **ret_json)
{
	static const char *const kinds[] = {"container", "image", NULL};
	char path[512];
	cJSON *json, *image = NULL;

	snprintf(path, sizeof(path), CASES "/%s/request.json", name);
	json = bundle_read_json(path);
	check_keys(name, json);
	if (json_string(json, "image_document")) {
		snprintf(path, sizeof(path), FIXTURES "/%s", json_string(json, "image_document"));
		image = bundle_read_json(path);
	}
	bundle_sample_init(sample, read_source(name), image, choice(json, "from", kinds) == 1);
	fill_request(json, &sample->request);
	fill_input(json, sample);
	*ret_json = json;
}

/* Compares with the file, or writes it. */
static void settle(const char *name, const char *file, const struct strbuf *text)
{
	const char *mode = getenv("ONEOFF_GOLDEN");
	struct strbuf wanted = STRBUF_INIT;
	char path[512];

	snprintf(path, sizeof(path), CASES "/%s/%s", name, file);
	if (mode && !strcmp(mode, "write")) {
		FILE *out = fopen(path, "wb");

		cr_assert_not_null(out, "%s", path);
		fwrite(text->data, 1, text->length, out);
		fclose(out);
		return;
	}
	bundle_read_text(path, &wanted);
	cr_expect_str_eq(strbuf_str(text), strbuf_str(&wanted), "%s differs; is:\n%s", path,
	                 strbuf_str(text));
	strbuf_release(&wanted);
}

static void run_case(const char *name)
{
	struct bundle_sample sample;
	struct strbuf text = STRBUF_INIT;
	cJSON *json;

	open_case(name, &sample, &json);
	cr_assert_eq(bundle_sample_try(&sample), 0, "%s: %s", name, sample.err.message);
	plan_print_table(&sample.plan, false, true, &text);
	settle(name, "expected.txt", &text);
	strbuf_reset(&text);
	json_print(sample.plan.document, true, &text);
	strbuf_addc(&text, '\n');
	settle(name, "expected.json", &text);
	strbuf_release(&text);
	bundle_sample_close(&sample);
	json_free(&json);
}

static int is_case(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && !strstr(entry->d_name, ".md");
}

static int for_each_case(void (*run)(const char *name))
{
	struct dirent **entries;
	int count = scandir(CASES, &entries, is_case, alphasort);

	for (int i = 0; i < count; i++) {
		run(entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return count;
}

Test(bundle_golden, every_case)
{
	cr_expect_geq(for_each_case(run_case), 25, "cases are missing");
}

/* Which rows of the two tables some case makes fire. */
static bool fired[2][256];

static void note_rows(const char *name)
{
	struct bundle_sample sample;
	struct rule_context context;
	cJSON *json;

	open_case(name, &sample, &json);
	sample.plan.document = cJSON_CreateObject();

	const struct bundle_sources sources = {
		.input = &sample.input,
		.image = sample.from_image ? sample.source : sample.image,
		.from_image = sample.from_image,
	};
	context = (struct rule_context){
		.source = sample.source,
		.target = sample.plan.document,
		.plan = &sample.plan,
		.flags = bundle_flags(sample.from_image ? NULL : sample.source, &sample.input),
		.extra = &sources,
		.fired = fired[sample.from_image],
	};
	cr_assert_eq(rules_apply(sample.from_image ? bundle_image_rules : bundle_rules,
	                         sample.from_image ? bundle_image_rules_count : bundle_rules_count,
	                         sample.from_image ? RULE_UNMATCHED_DROP : RULE_UNMATCHED_REFUSE,
	                         &context, &sample.err),
	             0, "%s: %s", name, sample.err.message);
	bundle_sample_close(&sample);
	json_free(&json);
}

static void expect_fired(const struct rule *rules, size_t count, const bool *seen)
{
	cr_assert_leq(count, ARRAY_SIZE(fired[0]));
	for (size_t i = 0; i < count; i++)
		cr_expect(seen[i], "row %zu (%s: %s) never fires", i, rules[i].path, rules[i].why);
}

Test(bundle_golden, every_row_fires_in_some_case)
{
	for_each_case(note_rows);
	expect_fired(bundle_rules, bundle_rules_count, fired[false]);
	expect_fired(bundle_image_rules, bundle_image_rules_count, fired[true]);
}
