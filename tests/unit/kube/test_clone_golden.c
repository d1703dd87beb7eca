/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every folder of tests/golden/pod is a case; a new one needs no C: see the README there.
 * ONEOFF_GOLDEN=write writes the expected files anew: review the diff.
 */
#include <dirent.h>
#include "tests/unit/kube/test_clone_helper.h"

#define CASES "tests/golden/pod"

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
	static const char known[] =
		" argv env labels image user workdir entrypoint entrypoint_mode cpu_nano memory_bytes "
		"tty stdin term reason timeout_ms start_timeout_ms grace_ms keep keep_for_ms container "
		"sidecars carrier gate no_init network_identity namespace source architecture "
		"gate_at_hand lock detach ";
	const cJSON *member;

	cJSON_ArrayForEach (member, json) {
		char word[64];

		snprintf(word, sizeof(word), " %s ", member->string);
		cr_expect_not_null(strstr(known, word), "%s/request.json: unknown '%s'", name,
		                   member->string);
	}
}

static void fill_kubernetes(const cJSON *json, struct request_kubernetes *kubernetes)
{
	static const char *const sidecars[] = {"native", "none", NULL};
	static const char *const carriers[] = {"job", "pod", NULL};
	static const char *const gates[] = {"auto", "args", "none", NULL};

	kubernetes->container = copy_string(json, "container");
	kubernetes->sidecars = (enum sidecar_mode)choice(json, "sidecars", sidecars);
	kubernetes->carrier = (enum carrier_mode)choice(json, "carrier", carriers);
	kubernetes->gate = (enum gate_mode)choice(json, "gate", gates);
	kubernetes->no_init = json_true(json, "no_init");
	kubernetes->network_identity = json_true(json, "network_identity");
}

static void fill_request(const cJSON *json, struct request *request)
{
	static const char *const modes[] = {"keep", "clear", "replace", NULL};
	static const char *const keeps[] = {"never", "failed", "always", NULL};

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
	copy_number(json, "start_timeout_ms", &request->start_timeout_ms);
	copy_number(json, "grace_ms", &request->grace_ms);
	copy_number(json, "keep_for_ms", &request->keep_for_ms);
	request->lock = copy_string(json, "lock");
	request->detach = json_true(json, "detach");
	request->tty = json_true(json, "tty");
	if (json_member(json, "stdin") != NULL)
		request->stdin_open = json_true(json, "stdin");
	fill_kubernetes(json, &request->kubernetes);
}

static void open_case(const char *name, struct clone_sample *sample)
{
	char path[512];
	cJSON *json;

	snprintf(path, sizeof(path), CASES "/%s/input.json", name);
	clone_init(sample, clone_read_json(path));
	snprintf(path, sizeof(path), CASES "/%s/request.json", name);
	json = sample->description = clone_read_json(path);
	check_keys(name, json);
	fill_request(json, &sample->request);
	if (json_string(json, "namespace") != NULL)
		sample->input.name_space = json_string(json, "namespace");
	if (json_string(json, "source") != NULL)
		sample->input.source = json_string(json, "source");
	if (json_member(json, "architecture") != NULL)
		sample->input.architecture = json_string(json, "architecture");
	if (json_member(json, "gate_at_hand") != NULL)
		sample->input.gate = json_true(json, "gate_at_hand");
}

static bool writes(void)
{
	const char *mode = getenv("ONEOFF_GOLDEN");

	return mode != NULL && strcmp(mode, "write") == 0;
}

/* Compares with the file, or writes it. */
static void settle(const char *name, const char *file, const struct strbuf *text)
{
	struct strbuf wanted = STRBUF_INIT;
	char path[512];

	snprintf(path, sizeof(path), CASES "/%s/%s", name, file);
	if (writes()) {
		FILE *out = fopen(path, "wb");

		cr_assert_not_null(out, "%s", path);
		fwrite(text->data, 1, text->length, out);
		fclose(out);
		return;
	}
	clone_read_text(path, &wanted);
	cr_expect_str_eq(strbuf_str(text), strbuf_str(&wanted), "%s differs; is:\n%s", path,
	                 strbuf_str(text));
	strbuf_release(&wanted);
}

/* "KIND: message" and the hint. */
static void settle_error(const char *name, const struct clone_sample *sample)
{
	struct strbuf text = STRBUF_INIT;

	cr_expect_null(sample->plan.document, "%s", name);
	strbuf_addf(&text, "%s: %s\n", err_kind_name(sample->err.kind), sample->err.message);
	if (sample->err.hint[0] != '\0')
		strbuf_addf(&text, "%s\n", sample->err.hint);
	settle(name, "error.txt", &text);
	strbuf_release(&text);
}

static void settle_plan(const char *name, const struct clone_sample *sample)
{
	struct strbuf text = STRBUF_INIT;
	cJSON *both = cJSON_CreateObject();

	plan_print_table(&sample->plan, false, true, &text);
	settle(name, "expected.txt", &text);
	strbuf_reset(&text);
	cJSON_AddItemToObject(both, "document", cJSON_Duplicate(sample->plan.document, true));
	cJSON_AddItemToObject(both, "extra", cJSON_Duplicate(sample->plan.extra, true));
	/* A dry run's Pod says nothing that the template does not: see the unit tests. */
	cJSON_DeleteItemFromObjectCaseSensitive(json_member(both, "extra"), "pod");
	json_print(both, true, &text);
	strbuf_addc(&text, '\n');
	settle(name, "expected.json", &text);
	strbuf_release(&text);
	json_free(&both);
}

static bool has_file(const char *name, const char *file)
{
	char path[512];

	snprintf(path, sizeof(path), CASES "/%s/%s", name, file);
	return access(path, R_OK) == 0;
}

static void run_case(const char *name)
{
	struct clone_sample sample;
	int result;

	open_case(name, &sample);
	result = kube_clone(&sample.input, &sample.plan, &sample.err);
	if (!writes())
		cr_assert_eq(result < 0, has_file(name, "error.txt"), "%s: %s", name,
		             sample.err.message);
	if (result < 0)
		settle_error(name, &sample);
	else
		settle_plan(name, &sample);
	clone_close(&sample);
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

Test(kube_clone_golden, every_case)
{
	cr_expect_geq(for_each_case(run_case), 35, "cases are missing");
}

/* Which rows of the tables some case makes fire. */
static bool fired[KUBE_TABLE_COUNT][96];

static void note_rows(const char *name)
{
	bool *const rows[KUBE_TABLE_COUNT] = {fired[0], fired[1], fired[2], fired[3]};
	struct clone_sample sample;

	open_case(name, &sample);
	(void)!kube_clone_traced(&sample.input, rows, &sample.plan, &sample.err);
	clone_close(&sample);
}

Test(kube_clone_golden, every_row_fires_in_some_case)
{
	for_each_case(note_rows);
	for (size_t table = 0; table < KUBE_TABLE_COUNT; table++) {
		const struct kube_rules *rules = &kube_rules[table];

		cr_assert_leq(rules->count, ARRAY_SIZE(fired[table]));
		for (size_t i = 0; i < rules->count; i++)
			cr_expect(fired[table][i], "table %zu, row %zu (%s: %s) never fires", table,
			          i, rules->rows[i].path, rules->rows[i].why);
	}
}
