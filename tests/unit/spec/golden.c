/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/spec/golden.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

void golden_read_text(const char *path, struct strbuf *text)
{
	char bytes[4096];
	FILE *file = fopen(path, "rb");

	cr_assert_not_null(file, "cannot open %s", path);
	for (size_t got; (got = fread(bytes, 1, sizeof(bytes), file)) > 0;)
		strbuf_add(text, bytes, got);
	fclose(file);
}

void golden_write_text(const char *path, const struct strbuf *text)
{
	FILE *file = fopen(path, "wb");

	cr_assert_not_null(file, "%s", path);
	fwrite(text->data, 1, text->length, file);
	fclose(file);
}

cJSON *golden_parse(const char *json)
{
	struct err err = ERR_INIT;
	cJSON *document = NULL;

	cr_assert_eq(json_parse(json, strlen(json), JSON_MAX_BYTES, &document, &err), 0, "%s: %s",
	             json, err.message);
	return document;
}

cJSON *golden_read_json(const char *path)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct err err = ERR_INIT;
	cJSON *document = NULL;

	golden_read_text(path, &text);
	cr_assert_eq(json_parse(strbuf_str(&text), text.length, JSON_MAX_BYTES, &document, &err), 0,
	             "%s: %s", path, err.message);
	return document;
}

cJSON *golden_read_source(const char *folder, const char *name, const char *fixtures)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s/source.json", folder, name);
	if (access(path, R_OK) == 0)
		return golden_read_json(path);
	snprintf(path, sizeof(path), "%s/%s/source", folder, name);
	golden_read_text(path, &text);
	snprintf(path, sizeof(path), "%s/%.*s", fixtures, (int)strcspn(strbuf_str(&text), "\n"),
	         strbuf_str(&text));
	return golden_read_json(path);
}

/* ---- request.json ------------------------------------------------------------------------------ */

char *golden_string(const cJSON *object, const char *key)
{
	const char *text = json_string(object, key);

	return text != NULL ? strdup(text) : NULL;
}

void golden_number(const cJSON *object, const char *key, int64_t *number)
{
	if (json_member(object, key) != NULL)
		cr_assert_eq(json_int64(object, key, number), 0, "%s", key);
}

int golden_choice(const cJSON *object, const char *key, const char *const *names)
{
	const char *text = json_string(object, key);

	for (int i = 0; text != NULL && names[i] != NULL; i++) {
		if (strcmp(names[i], text) == 0)
			return i;
	}
	cr_assert_null(text, "%s: '%s'", key, text);
	return 0;
}

void golden_check_keys(const char *name, const cJSON *json, const char *known)
{
	static const char common[] =
		" argv env labels image user workdir entrypoint entrypoint_mode cpu_nano memory_bytes "
		"no_log fresh_volumes tty stdin rows columns term reason lock detach timeout_ms "
		"start_timeout_ms grace_ms keep keep_for_ms ";
	const cJSON *member;

	cJSON_ArrayForEach (member, json) {
		char word[64];

		snprintf(word, sizeof(word), " %s ", member->string);
		cr_expect(strstr(common, word) || strstr(known, word),
		          "%s/request.json: unknown '%s'", name, member->string);
	}
}

static void copy_list(const cJSON *object, const char *key, struct strv *list)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, json_member(object, key))
		cr_assert_eq(strv_add(list, item->valuestring), 0);
}

static void copy_terminal(const cJSON *json, struct request *request)
{
	int64_t rows = 0, columns = 0;

	golden_number(json, "rows", &rows);
	golden_number(json, "columns", &columns);
	request->tty_rows = (int)rows;
	request->tty_columns = (int)columns;
	request->term = golden_string(json, "term");
	request->tty = json_true(json, "tty");
	if (json_member(json, "stdin") != NULL)
		request->stdin_open = json_true(json, "stdin");
}

void golden_request(const cJSON *json, struct request *request)
{
	static const char *const modes[] = {"keep", "clear", "replace", NULL};
	static const char *const keeps[] = {"never", "failed", "always", NULL};

	copy_list(json, "argv", &request->argv);
	copy_list(json, "env", &request->env);
	copy_list(json, "labels", &request->labels);
	copy_terminal(json, request);
	request->image = golden_string(json, "image");
	request->user = golden_string(json, "user");
	request->workdir = golden_string(json, "workdir");
	request->entrypoint = golden_string(json, "entrypoint");
	request->reason = golden_string(json, "reason");
	request->lock = golden_string(json, "lock");
	request->entrypoint_mode =
		(enum entrypoint_mode)golden_choice(json, "entrypoint_mode", modes);
	request->keep = (enum keep_mode)golden_choice(json, "keep", keeps);
	golden_number(json, "cpu_nano", &request->cpu_nano);
	golden_number(json, "memory_bytes", &request->memory_bytes);
	golden_number(json, "timeout_ms", &request->timeout_ms);
	golden_number(json, "start_timeout_ms", &request->start_timeout_ms);
	golden_number(json, "grace_ms", &request->grace_ms);
	golden_number(json, "keep_for_ms", &request->keep_for_ms);
	request->no_log = json_true(json, "no_log");
	request->fresh_volumes = json_true(json, "fresh_volumes");
	request->detach = json_true(json, "detach");
}

/* ---- what comes of it -------------------------------------------------------------------------- */

bool golden_writes(void)
{
	const char *mode = getenv("ONEOFF_GOLDEN");

	return mode != NULL && strcmp(mode, "write") == 0;
}

void golden_settle(const char *folder, const char *name, const char *file,
                   const struct strbuf *text)
{
	_cleanup_(strbuf_release) struct strbuf wanted = STRBUF_INIT;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s/%s", folder, name, file);
	if (golden_writes()) {
		golden_write_text(path, text);
		return;
	}
	golden_read_text(path, &wanted);
	cr_expect_str_eq(strbuf_str(text), strbuf_str(&wanted), "%s differs; is:\n%s", path,
	                 strbuf_str(text));
}

void golden_settle_plan(const char *folder, const char *name, const struct plan *plan,
                        const cJSON *document)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	plan_print_table(plan, false, true, &text);
	golden_settle(folder, name, "expected.txt", &text);
	strbuf_reset(&text);
	json_print(document, true, &text);
	strbuf_addc(&text, '\n');
	golden_settle(folder, name, "expected.json", &text);
}

static int is_case(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strchr(entry->d_name, '.') == NULL;
}

int golden_for_each(const char *folder, void (*run)(const char *name))
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_case, alphasort);

	for (int i = 0; i < count; i++) {
		run(entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return count;
}

void golden_expect_fired(const struct rule *rules, size_t count, const bool *fired)
{
	for (size_t i = 0; i < count; i++)
		cr_expect(fired[i], "row %zu (%s: %s) never fires", i, rules[i].path, rules[i].why);
}

const struct plan_row *golden_row(const struct plan *plan, const char *path)
{
	const struct plan_row *found = NULL;

	for (size_t i = 0; i < plan->count; i++) {
		if (strcmp(plan->rows[i].path, path) != 0)
			continue;
		cr_expect_null(found, "two rows for %s", path);
		found = &plan->rows[i];
	}
	return found;
}
