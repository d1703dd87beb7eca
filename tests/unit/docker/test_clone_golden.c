/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every folder of tests/golden/clone is a case; a new one needs no C:
 *
 *	source         names a fixture ("docker/inspect-plain.d28.json"), or
 *	source.json    is the inspect document itself
 *	request.json   what is asked, and of which engine; see tests/golden/clone/README.md
 *	expected.json  the document that is sent, and the further networks under "extra"
 *	expected.txt   the whole table of the plan, kept rows too
 *
 * ONEOFF_GOLDEN=write build/…/test_clone_golden writes the two expected files anew: review the
 * diff.
 */
#include <dirent.h>
#include "tests/unit/docker/clone_helper.h"

#define CASES "tests/golden/clone"

static char *copy_string(const cJSON *object, const char *key)
{
	const char *text = json_string(object, key);

	return text != NULL ? strdup(text) : NULL;
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

	for (int i = 0; text != NULL && names[i] != NULL; i++) {
		if (strcmp(names[i], text) == 0)
			return i;
	}
	cr_assert_null(text, "%s: '%s'", key, text);
	return 0;
}

static void copy_number(const cJSON *object, const char *key, int64_t *number)
{
	if (json_member(object, key) != NULL)
		cr_assert_eq(json_int64(object, key, number), 0, "%s", key);
}

static void check_keys(const char *name, const cJSON *json)
{
	static const char *const known[] = {
		"engine",       "api",        "image_document",  "argv",
		"env",          "labels",     "image",           "user",
		"workdir",      "entrypoint", "entrypoint_mode", "cpu_nano",
		"memory_bytes", "no_log",     "fresh_volumes",   "tty",
		"stdin",        "rows",       "columns",         "term",
		"reason",       "timeout_ms", "grace_ms",        "keep",
		"keep_for_ms"};
	const cJSON *member;

	cJSON_ArrayForEach (member, json) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			found = found || strcmp(known[i], member->string) == 0;
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
	request->image = copy_string(json, "image");
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
	copy_number(json, "grace_ms", &request->grace_ms);
	copy_number(json, "keep_for_ms", &request->keep_for_ms);
	copy_number(json, "rows", &rows);
	copy_number(json, "columns", &columns);
	request->tty_rows = (int)rows;
	request->tty_columns = (int)columns;
	request->no_log = json_true(json, "no_log");
	request->fresh_volumes = json_true(json, "fresh_volumes");
	request->tty = json_true(json, "tty");
	request->stdin_open = json_true(json, "stdin");
}

static cJSON *read_source(const char *name)
{
	struct strbuf text = STRBUF_INIT;
	char path[512];
	cJSON *source;

	snprintf(path, sizeof(path), CASES "/%s/source.json", name);
	if (access(path, R_OK) == 0)
		return read_json(path);
	snprintf(path, sizeof(path), CASES "/%s/source", name);
	read_text(path, &text);
	while (text.length > 0 && text.data[text.length - 1] == '\n')
		text.data[--text.length] = '\0';
	source = read_fixture(strbuf_str(&text));
	strbuf_release(&text);
	return source;
}

static void open_case(const char *name, struct sample *sample)
{
	char path[512];
	cJSON *json, *image = NULL;
	int64_t minor;

	snprintf(path, sizeof(path), CASES "/%s/request.json", name);
	json = read_json(path);
	check_keys(name, json);
	if (json_string(json, "image_document") != NULL)
		image = read_fixture(json_string(json, "image_document"));
	sample_init(sample, read_source(name), image,
	            strcmp(json_string(json, "engine"), "podman") == 0);
	fill_request(json, &sample->request);
	if (json_int64(json, "api", &minor) == 0)
		sample->input.api_minor = (int)minor;
	json_free(&json);
}

/* Compares with the file, or writes it. */
static void settle(const char *name, const char *file, const struct strbuf *text)
{
	const char *mode = getenv("ONEOFF_GOLDEN");
	struct strbuf wanted = STRBUF_INIT;
	char path[512];

	snprintf(path, sizeof(path), CASES "/%s/%s", name, file);
	if (mode != NULL && strcmp(mode, "write") == 0) {
		FILE *out = fopen(path, "wb");

		cr_assert_not_null(out, "%s", path);
		fwrite(text->data, 1, text->length, out);
		fclose(out);
		return;
	}
	read_text(path, &wanted);
	cr_expect_str_eq(strbuf_str(text), strbuf_str(&wanted), "%s differs; is:\n%s", path,
	                 strbuf_str(text));
	strbuf_release(&wanted);
}

static void run_case(const char *name)
{
	struct sample sample;
	struct strbuf text = STRBUF_INIT;
	cJSON *both = cJSON_CreateObject();

	open_case(name, &sample);
	cr_assert_eq(docker_clone(&sample.input, &sample.plan, &sample.err), 0, "%s: %s", name,
	             sample.err.message);
	plan_print_table(&sample.plan, false, true, &text);
	settle(name, "expected.txt", &text);
	strbuf_reset(&text);
	cJSON_AddItemToObject(both, "document", cJSON_Duplicate(sample.plan.document, true));
	if (sample.plan.extra != NULL)
		cJSON_AddItemToObject(both, "extra", cJSON_Duplicate(sample.plan.extra, true));
	json_print(both, true, &text);
	strbuf_addc(&text, '\n');
	settle(name, "expected.json", &text);
	strbuf_release(&text);
	json_free(&both);
	sample_close(&sample);
}

static int is_case(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strchr(entry->d_name, '.') == NULL;
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

Test(clone_golden, every_case)
{
	cr_expect_geq(for_each_case(run_case), 25, "cases are missing");
}

/* Which rows of the table some case makes fire. */
static bool fired[256];

static void note_rows(const char *name)
{
	struct sample sample;
	struct rule_context context;

	open_case(name, &sample);
	sample.plan.document = cJSON_CreateObject();
	context = (struct rule_context){
		.source = sample.container,
		.target = sample.plan.document,
		.plan = &sample.plan,
		.flags = clone_flags(&sample.input),
		.extra = &sample.input,
		.fired = fired,
	};
	cr_assert_eq(rules_apply(clone_rules, clone_rules_count, RULE_UNMATCHED_DROP, &context,
	                         &sample.err),
	             0, "%s: %s", name, sample.err.message);
	sample_close(&sample);
}

Test(clone_golden, every_row_fires_in_some_case)
{
	cr_assert_leq(clone_rules_count, ARRAY_SIZE(fired));
	for_each_case(note_rows);
	for (size_t i = 0; i < clone_rules_count; i++)
		cr_expect(fired[i], "row %zu (%s: %s) never fires", i, clone_rules[i].path,
		          clone_rules[i].why);
}
