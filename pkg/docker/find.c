/* SPDX-License-Identifier: Apache-2.0 */
/* Which container is meant: a name, an id prefix, or a compose service; and what it runs. */
#include "pkg/docker/docker.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "pkg/base/number.h"
#include "pkg/base/options.h"

#define MAX_NAMES ((size_t)256)

static const char *label_of(const cJSON *item, const char *key)
{
	const cJSON *value = json_member(json_member(item, "Labels"), key);

	return cJSON_IsString(value) ? value->valuestring : NULL;
}

/* The names in a container list start with a slash. */
static const char *name_of(const cJSON *item)
{
	const char *name = json_string(item, "Names[0]");

	if (!name)
		return json_string(item, "Id");
	return *name == '/' ? name + 1 : name;
}

static int list_containers(struct docker *docker, cJSON **ret, struct err *err)
{
	return docker_json(docker, "GET", "/containers/json?all=1", NULL, ret, err);
}

static bool is_service(const cJSON *item, const char *project, const char *service)
{
	const char *its_service = label_of(item, "com.docker.compose.service");
	const char *its_project = label_of(item, "com.docker.compose.project");
	const char *is_oneoff = label_of(item, "com.docker.compose.oneoff");

	return its_service && !strcmp(its_service, service) &&
	       (!project || (its_project && !strcmp(its_project, project))) &&
	       !(is_oneoff && !strcasecmp(is_oneoff, "true"));
}

static int64_t replica_number(const cJSON *item)
{
	const char *text = label_of(item, "com.docker.compose.container-number");
	int64_t number;

	return text && parse_int64(text, 0, INT64_MAX, &number) == 0 ? number : 0;
}

/* Running before stopped, then by number. */
static bool is_better(const cJSON *item, const cJSON *best)
{
	const char *state = json_string(item, "State");
	const char *best_state = json_string(best, "State");
	bool runs = state && !strcmp(state, "running");
	bool best_runs = best_state && !strcmp(best_state, "running");

	if (runs != best_runs)
		return runs;
	return replica_number(item) < replica_number(best);
}

static int two_projects(const cJSON *list, const char *service, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf names = STRBUF_INIT;
	const cJSON *item;

	cJSON_ArrayForEach (item, list) {
		const char *project = label_of(item, "com.docker.compose.project");

		if (is_service(item, NULL, service) && project &&
		    !strstr(strbuf_str(&names), project))
			strbuf_addf(&names, "%s%s/%s",
			            names.length ? ", compose:" : "compose:", project, service);
	}
	err_set(err, ERR_AMBIGUOUS, "service '%s' exists in more than one compose project",
	        service);
	return err_hint(err, "choose one of: %s", strbuf_str(&names));
}

/* 1 and *ret when found, 0 when there is no such service. */
static int pick_service(const cJSON *list, const char *project, const char *service,
                        const char **ret, struct err *err)
{
	const cJSON *best = NULL;
	const cJSON *item;

	cJSON_ArrayForEach (item, list) {
		const char *its_project = label_of(item, "com.docker.compose.project");
		const char *best_project = label_of(best, "com.docker.compose.project");

		if (!is_service(item, project, service))
			continue;
		if (best && its_project && best_project && strcmp(its_project, best_project))
			return two_projects(list, service, err);
		if (!best || is_better(item, best))
			best = item;
	}
	if (!best)
		return 0;
	*ret = json_string(best, "Id");
	return *ret ? 1 : err_set(err, ERR_PROTOCOL, "the engine's list has no ids");
}

/* The project that counts for a service: the one that is named, or COMPOSE_PROJECT_NAME; NULL: any. */
static const char *project_of(const struct source *source)
{
	const char *environment = getenv("COMPOSE_PROJECT_NAME");

	if (source->project)
		return source->project;
	return environment && *environment ? environment : NULL;
}

static int not_found(const struct docker *docker, const cJSON *list, const struct source *source,
                     struct err *err)
{
	const char *names[MAX_NAMES], *project = project_of(source);
	const cJSON *item;
	const char *near;
	size_t count = 0;

	cJSON_ArrayForEach (item, list) {
		const char *service = label_of(item, "com.docker.compose.service");
		const char *its_project = label_of(item, "com.docker.compose.project");
		const char *name = name_of(item);

		if (name && count < MAX_NAMES && source->kind != SOURCE_COMPOSE)
			names[count++] = name;
		if (service && count < MAX_NAMES &&
		    (!project || (its_project && !strcmp(its_project, project))))
			names[count++] = service;
	}
	err_set(err, ERR_NOT_FOUND, "no %s '%s'%s%s%s",
	        source->kind == SOURCE_COMPOSE ? "compose service" : "container or compose service",
	        source->name, project ? " of the compose project '" : "", project ? project : "",
	        !project          ? ""
	        : source->project ? "'"
	                          : "' (COMPOSE_PROJECT_NAME)");
	near = nearest_name(source->name, names, count);
	if (near)
		return err_hint(err, "did you mean '%s'?", near);
	if (cJSON_GetArraySize(list) == 0)
		return err_hint(err, "there are no containers on this engine");
	return err_hint(err, "see what is there with: %s ps -a",
	                docker->podman ? "podman" : "docker");
}

/* The document of the container that is meant. */
static int inspect_source(struct docker *docker, const struct source *source, cJSON **ret,
                          struct err *err)
{
	_cleanup_(json_free) cJSON *list = NULL;
	_cleanup_free_ char *path = NULL;
	const char *id = NULL;
	int found;

	if (source->kind != SOURCE_COMPOSE) {
		path = docker_path(source->name, "/json");
		if (!path)
			return err_no_memory(err);
		if (docker_json(docker, "GET", path, NULL, ret, err) == 0)
			return 0;
		if (strstr(err->message, "ultiple IDs") || strstr(err->message, "more than one")) {
			err->kind = ERR_AMBIGUOUS;
			return err_hint(err, "give more of the id, or the name");
		}
		if (err->http_status != 404)
			return -1;
	}
	if (list_containers(docker, &list, err) < 0)
		return -1;
	found = pick_service(list, project_of(source), source->name, &id, err);
	if (found < 0)
		return -1;
	if (!found)
		return not_found(docker, list, source, err);
	free(TAKE_PTR(path));
	path = docker_path(id, "/json");
	if (!path)
		return err_no_memory(err);
	return docker_json(docker, "GET", path, NULL, ret, err);
}

/* "running", "exited (3)". */
static char *describe_state(const cJSON *document)
{
	const char *status = json_string(document, "State.Status");
	int64_t code;
	char *text = NULL;

	if (status && !strcmp(status, "exited") &&
	    json_int64(document, "State.ExitCode", &code) == 0) {
		if (asprintf(&text, "exited (%lld)", (long long)code) < 0)
			return NULL;
		return text;
	}
	return strdup(status ? status : "unknown");
}

static int read_image(struct docker *docker, struct release *release, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	strbuf_adds(&path, "/images/");
	strbuf_add_url(&path, release->digest);
	strbuf_adds(&path, "/json");
	if (path.failed)
		return err_no_memory(err);
	if (docker_json(docker, "GET", strbuf_str(&path), NULL, &release->image_document, err) ==
	            0 ||
	    err->http_status == 404)
		return 0; /* gone: the containers may still be cloned on some engines; create tells
		           */
	return err_wrap(err, "read the image");
}

/* What only Podman's own description tells, and its create for Docker's clients cannot give: worth a warning, not
 * an error. Secrets that became variables are among the variables. */
static void warn_of_secrets(struct docker *docker, const char *id)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT, names = STRBUF_INIT;
	_cleanup_(json_free) cJSON *document = NULL;
	struct err ignored = ERR_INIT;
	const cJSON *secret;

	strbuf_addf(&path, "/v4.0.0/libpod/containers/%s/json", id);
	if (path.failed ||
	    docker_json(docker, "GET", strbuf_str(&path), NULL, &document, &ignored) < 0)
		return;
	cJSON_ArrayForEach (secret, json_at(document, "Config.Secrets")) {
		const char *name = json_string(secret, "Name");

		strbuf_addf(&names, "%s%s", names.length ? ", " : "", name ? name : "?");
	}
	if (names.length && !names.failed)
		report(&docker->reporter, REPORT_WARNING,
		       "the app has files of Podman secrets (%s), which the task does not get; give it "
		       "what it needs with -e or on stdin",
		       strbuf_str(&names));
}

int docker_find(struct backend *backend, const struct source *source, struct release *ret,
                struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	_cleanup_(release_release) struct release release = {.id = NULL};
	const char *id, *name, *image, *digest;

	if (inspect_source(docker, source, &release.document, err) < 0)
		return -1;
	id = json_string(release.document, "Id");
	name = json_string(release.document, "Name");
	digest = json_string(release.document, "Image");
	image = json_string(release.document, "Config.Image");
	if (!id || !name || !digest)
		return err_set(err, ERR_PROTOCOL,
		               "the engine's answer names no container or image");
	release.id = strdup(id);
	release.name = strdup(*name == '/' ? name + 1 : name);
	release.digest = strdup(digest);
	release.image = strdup(image ? image : digest);
	release.running = json_true(release.document, "State.Running");
	release.status = describe_state(release.document);
	if (!release.id || !release.name || !release.digest || !release.image || !release.status)
		return err_no_memory(err);
	if (read_image(docker, &release, err) < 0 ||
	    release_declare(&release, json_at(release.document, "Config.Labels"), "dev.oneoff.",
	                    err) < 0 ||
	    release_declare(&release, json_at(release.image_document, "Config.Labels"),
	                    "dev.oneoff.", err) < 0)
		return -1;
	if (docker->podman)
		warn_of_secrets(docker, release.id);
	*ret = release;
	release = (struct release){.id = NULL};
	return 0;
}
