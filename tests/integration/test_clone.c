/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clone equals its source: the engine's two inspect documents are compared field by field, and
 * what may differ stands in one table with the reason (design section 5).
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/integration/engine.h"
#include "tests/integration/harness.h"

TestSuite(clone, .fini = expect_clean, .timeout = 60);

enum may {
	MAY_DIFFER, /* whatever it is */
	MAY_GROW,   /* the source's entries are all there, more may be */
	MUST_GO,    /* empty in the clone */
};

struct difference {
	const char *path;
	enum may may;
	bool podman; /* only there */
	const char *why;
};

static const struct difference allowed[] = {
	{"Config.Cmd", MAY_DIFFER, false, "the task"},
	{"Config.Hostname", MAY_DIFFER, false, "the identity of a replica"},
	{"Config.Image", MAY_DIFFER, false, "by id; the id itself is compared on its own"},
	{"Config.Env", MAY_GROW, false, "compared on its own"},
	{"Config.Labels", MAY_DIFFER, false, "compared on its own"},
	{"Config.Tty", MAY_DIFFER, false, "our streams"},
	{"Config.OpenStdin", MAY_DIFFER, false, "our streams"},
	{"Config.StdinOnce", MAY_DIFFER, false, "our streams"},
	{"Config.AttachStdin", MAY_DIFFER, false, "our streams"},
	{"Config.AttachStdout", MAY_DIFFER, false, "our streams"},
	{"Config.AttachStderr", MAY_DIFFER, false, "our streams"},
	{"Config.Healthcheck", MAY_DIFFER, false, "a task is not probed"},
	{"Config.ExposedPorts", MUST_GO, false, "no port is published"},
	{"Config.Volumes", MAY_DIFFER, false, "said by the mounts"},
	{"HostConfig.PortBindings", MUST_GO, false, "no port is published"},
	{"HostConfig.PublishAllPorts", MUST_GO, false, "no port is published"},
	{"HostConfig.RestartPolicy", MAY_DIFFER, false, "compared on its own"},
	{"HostConfig.AutoRemove", MAY_DIFFER, false, "it is thrown away"},
	{"HostConfig.ConsoleSize", MAY_DIFFER, false, "our terminal"},
	{"HostConfig.Binds", MAY_DIFFER, false, "what is mounted is compared on its own"},
	{"HostConfig.Mounts", MAY_DIFFER, false, "what is mounted is compared on its own"},
	{"HostConfig.ContainerIDFile", MAY_DIFFER, false, "the source's creator had one"},
	{"HostConfig.LogConfig.Path", MAY_DIFFER, true, "one file a container"},
	{"Config.CreateCommand", MAY_DIFFER, true, "how it was made"},
	{"HostConfig.Annotations", MAY_DIFFER, true, "Podman's own notes"},
	{"HostConfig.Runtime", MAY_DIFFER, true, "always 'oci' in the document"},
};

struct comparison {
	char report[8192];
	size_t length;
};

__attribute__((format(printf, 2, 3))) static void differ(struct comparison *comparison,
                                                         const char *format, ...)
{
	size_t room = sizeof(comparison->report) - comparison->length;
	va_list list;
	int n;

	va_start(list, format);
	n = vsnprintf(comparison->report + comparison->length, room, format, list);
	va_end(list);
	if (n > 0)
		comparison->length += (size_t)n < room ? (size_t)n : room - 1;
}

static bool is_empty(const cJSON *value)
{
	if (!value || cJSON_IsNull(value) || cJSON_IsFalse(value))
		return true;
	if (cJSON_IsNumber(value))
		return value->valuedouble == 0;
	if (cJSON_IsString(value))
		return value->valuestring[0] == '\0';
	return !cJSON_IsTrue(value) && value->child == NULL;
}

static bool holds(const cJSON *list, const cJSON *wanted)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, list) {
		if (cJSON_Compare(item, wanted, true))
			return true;
	}
	return false;
}

/* Every entry of `list` that is not in `other`. */
static void compare_list(struct comparison *comparison, const char *path, const cJSON *list,
                         const cJSON *other, const char *what)
{
	const cJSON *item;
	char *text;

	cJSON_ArrayForEach (item, list) {
		if (holds(other, item))
			continue;
		text = cJSON_PrintUnformatted(item);
		differ(comparison, "%s: %s %s\n", path, what, text);
		free(text);
	}
}

static const struct difference *find_allowed(const char *path)
{
	size_t i;

	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (strcmp(allowed[i].path, path) == 0 &&
		    (!allowed[i].podman || engine_is_podman()))
			return &allowed[i];
	return NULL;
}

static void compare(struct comparison *comparison, const char *path, const cJSON *source,
                    const cJSON *clone);

static void compare_objects(struct comparison *comparison, const char *path, const cJSON *source,
                            const cJSON *clone)
{
	const cJSON *item;
	char below[512];

	cJSON_ArrayForEach (item, source) {
		snprintf(below, sizeof(below), "%s.%s", path, item->string);
		compare(comparison, below, item,
		        cJSON_GetObjectItemCaseSensitive(clone, item->string));
	}
	cJSON_ArrayForEach (item, clone) {
		snprintf(below, sizeof(below), "%s.%s", path, item->string);
		if (!cJSON_GetObjectItemCaseSensitive(source, item->string))
			compare(comparison, below, NULL, item);
	}
}

static void compare(struct comparison *comparison, const char *path, const cJSON *source,
                    const cJSON *clone)
{
	const struct difference *rule = find_allowed(path);
	char *was, *is;

	if (rule && rule->may == MUST_GO && !is_empty(clone))
		differ(comparison, "%s must be empty: %s\n", path, rule->why);
	if (rule && rule->may == MAY_GROW)
		return;
	if (rule || (is_empty(source) && is_empty(clone)) || cJSON_Compare(source, clone, true))
		return;
	if (cJSON_IsObject(source) && cJSON_IsObject(clone)) {
		compare_objects(comparison, path, source, clone);
		return;
	}
	if (cJSON_IsArray(source) && cJSON_IsArray(clone)) {
		compare_list(comparison, path, source, clone, "the clone lacks");
		compare_list(comparison, path, clone, source, "only the clone has");
		return;
	}
	was = source ? cJSON_PrintUnformatted(source) : NULL;
	is = clone ? cJSON_PrintUnformatted(clone) : NULL;
	differ(comparison, "%s: was %s, is %s\n", path, was ? was : "-", is ? is : "-");
	free(was);
	free(is);
}

static bool starts_with_any(const char *text, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (strncmp(text, *prefixes, strlen(*prefixes)) == 0)
			return true;
	return false;
}

static void compare_environment(struct comparison *comparison, const cJSON *source,
                                const cJSON *clone)
{
	static const char *const ours[] = {"ONEOFF=1", "ONEOFF_ID=", "TERM=", NULL};
	/* traffic; and what Podman shows although nobody set it */
	static const char *const gone[] = {
		"VIRTUAL_HOST=", "HOSTNAME=", "container=", "TERM=", NULL};
	const cJSON *entry;
	bool marked = false;

	cJSON_ArrayForEach (entry, source) {
		if (!holds(clone, entry) && !starts_with_any(entry->valuestring, gone))
			differ(comparison, "Config.Env: lost %s\n", entry->valuestring);
	}
	cJSON_ArrayForEach (entry, clone) {
		marked |= strcmp(entry->valuestring, "ONEOFF=1") == 0;
		if (strncmp(entry->valuestring, "VIRTUAL_HOST=", 13) == 0)
			differ(comparison, "Config.Env: traffic would come by VIRTUAL_HOST\n");
		if (!holds(source, entry) && !starts_with_any(entry->valuestring, ours) &&
		    !(engine_is_podman() && starts_with_any(entry->valuestring, gone)))
			differ(comparison, "Config.Env: new %s\n", entry->valuestring);
	}
	if (!marked)
		differ(comparison, "Config.Env: ONEOFF=1 is missing\n");
}

/* Label names have dots, which member() would follow. */
static const char *label_of(const cJSON *labels, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(labels, name));

	return text ? text : "";
}

static void compare_labels(struct comparison *comparison, const cJSON *source, const cJSON *clone)
{
	const cJSON *label, *same;
	bool off = strcmp(label_of(clone, "traefik.enable"), "false") == 0;

	cJSON_ArrayForEach (label, source) {
		same = cJSON_GetObjectItemCaseSensitive(clone, label->string);
		/* what we read of an app is no part of its release */
		if (strncmp(label->string, "traefik.", 8) == 0 ||
		    strncmp(label->string, "dev.oneoff.", 11) == 0)
			continue;
		if (!same || strcmp(same->valuestring, label->valuestring) != 0)
			differ(comparison, "Config.Labels: lost %s\n", label->string);
	}
	cJSON_ArrayForEach (label, clone) {
		/* the image's own labels can only be overwritten; one switch turns all of them off
		 */
		if (!off && strncmp(label->string, "traefik.", 8) == 0 &&
		    label->valuestring[0] != '\0' && strcmp(label->valuestring, "false") != 0)
			differ(comparison, "Config.Labels: traffic would come by %s=%s\n",
			       label->string, label->valuestring);
		else if (strncmp(label->string, "traefik.", 8) != 0 &&
		         strncmp(label->string, "dev.oneoff.", 11) != 0 &&
		         !cJSON_GetObjectItemCaseSensitive(source, label->string))
			differ(comparison, "Config.Labels: new %s\n", label->string);
	}
}

static void compare_mounts(struct comparison *comparison, const cJSON *source, const cJSON *clone)
{
	static const char *const fields[] = {"Type", "Name", "Source", NULL};
	const cJSON *mount, *same, *other;
	const char *const *field;

	if (cJSON_GetArraySize(source) != cJSON_GetArraySize(clone))
		differ(comparison, "Mounts: %d became %d\n", cJSON_GetArraySize(source),
		       cJSON_GetArraySize(clone));
	cJSON_ArrayForEach (mount, source) {
		same = NULL;
		cJSON_ArrayForEach (other, clone) {
			if (strcmp(text_of(other, "Destination"), text_of(mount, "Destination")) ==
			    0)
				same = other;
		}
		for (field = fields; *field; field++)
			if (strcmp(text_of(mount, *field), text_of(same, *field)) != 0)
				differ(comparison, "Mounts %s: %s was %s, is %s\n",
				       text_of(mount, "Destination"), *field,
				       text_of(mount, *field), text_of(same, *field));
		if (cJSON_IsTrue(member(mount, "RW")) != cJSON_IsTrue(member(same, "RW")))
			differ(comparison, "Mounts %s: RW differs\n",
			       text_of(mount, "Destination"));
	}
}

static void compare_networks(struct comparison *comparison, const cJSON *source, const cJSON *clone)
{
	const cJSON *network, *same, *alias;

	if (cJSON_GetArraySize(source) != cJSON_GetArraySize(clone))
		differ(comparison, "Networks: %d became %d\n", cJSON_GetArraySize(source),
		       cJSON_GetArraySize(clone));
	cJSON_ArrayForEach (network, source) {
		same = cJSON_GetObjectItemCaseSensitive(clone, network->string);
		if (!same)
			differ(comparison, "Networks: %s is missing\n", network->string);
		cJSON_ArrayForEach (alias, member(same, "Aliases")) {
			if (holds(member(network, "Aliases"), alias))
				differ(comparison, "Networks %s: has the source's alias %s\n",
				       network->string, alias->valuestring);
		}
	}
}

static void expect_same_release(const char *source_name)
{
	static struct comparison comparison;
	cJSON *source = engine_inspect(source_name), *clone;
	struct run run;

	run_start(&run, &(struct run_spec){
				ARGV("run", "--like", source_name, "--", "helper", "wait", "30000"),
				.deadline_ms = 40000});
	cr_assert(run_until(&run, &run.out, 0, "ready"), RUN_FORMAT, RUN_ARGS(&run));
	clone = engine_wait_one_off();
	cr_assert(source && clone);
	compare(&comparison, "Image", member(source, "Image"), member(clone, "Image"));
	compare(&comparison, "Config", member(source, "Config"), member(clone, "Config"));
	compare(&comparison, "HostConfig", member(source, "HostConfig"),
	        member(clone, "HostConfig"));
	compare_environment(&comparison, member(source, "Config.Env"), member(clone, "Config.Env"));
	compare_labels(&comparison, member(source, "Config.Labels"),
	               member(clone, "Config.Labels"));
	compare_mounts(&comparison, member(source, "Mounts"), member(clone, "Mounts"));
	compare_networks(&comparison, member(source, "NetworkSettings.Networks"),
	                 member(clone, "NetworkSettings.Networks"));
	if (strcmp(text_of(clone, "HostConfig.RestartPolicy.Name"), "no") != 0 &&
	    text_of(clone, "HostConfig.RestartPolicy.Name")[0] != '\0')
		differ(&comparison, "HostConfig.RestartPolicy: it would start again\n");
	engine_remove_one_offs();
	run_finish(&run);
	cr_assert_str_empty(comparison.report, "%s", comparison.report);
	cJSON_Delete(source);
	cJSON_Delete(clone);
	run_release(&run);
}

Test(clone, of_web_differs_only_where_it_may)
{
	expect_same_release("web");
}

Test(clone, of_a_plain_container_differs_only_where_it_may)
{
	expect_same_release("bulk");
}

Test(clone, of_a_container_with_entrypoint_and_image_volume_differs_only_where_it_may)
{
	expect_same_release("entry");
}

/* Root there is nobody here. Only Podman has one for each container. */
Test(clone, of_a_container_in_a_user_namespace_is_in_the_same)
{
	struct run run;

	if (!engine_is_podman())
		return;
	run_all(&run, &(struct run_spec){ARGV("run", "-q", "--like", "mapped", "--", "cat",
	                                      "/proc/self/uid_map")});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.out.text, " 200000 "), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}
