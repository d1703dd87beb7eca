/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a task on the engine: create, attach, start, and what is sent while it runs. */
#include "pkg/docker/docker.h"

#include <stdio.h>
#include <string.h>
#include "pkg/backend/start_failure.h"
#include "pkg/base/clock.h"
#include "pkg/net/upgrade.h"

#define ATTACH_TIMEOUT_MS INT64_C(60000)

/* How often a create is made again because the lock's holder has ended. */
#define LOCK_TRIES    40
#define LOCK_PAUSE_MS 50

/* Keys that cannot occur in UTF-8 input: an empty value would mean ctrl-p,ctrl-q to Docker. */
#define INERT_DETACH_KEYS "%FF,%FE,%FF,%FE,%FF,%FE"

static int connect_networks(struct docker *docker, const cJSON *networks, struct err *err)
{
	const cJSON *network;

	cJSON_ArrayForEach (network, networks) {
		_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
		_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
		_cleanup_(strbuf_release) struct strbuf body = STRBUF_INIT;
		_cleanup_(json_free) cJSON *document = NULL;
		const char *name = json_string(network, "network");

		document = cJSON_Duplicate(json_member(network, "body"), true);
		if (!document || !name ||
		    json_set_string(document, "Container", docker->task_id) < 0)
			return err_no_memory(err);
		strbuf_adds(&path, "/networks/");
		strbuf_add_url(&path, name);
		strbuf_adds(&path, "/connect");
		json_print(document, false, &body);
		if (path.failed || body.failed)
			return err_no_memory(err);
		if (docker_call(docker, "POST", strbuf_str(&path), strbuf_str(&body), &reply, err) <
		    0)
			return err_wrap(err, "connect to network '%s'", name);
	}
	return 0;
}

/* A reply that got lost after the engine had created the container: our name is unique, so what has
 * it and our label is ours. */
static int find_own(struct docker *docker, const struct identity *identity, char **ret_id,
                    struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	_cleanup_free_ char *path = docker_path(identity->name, "/json");
	const cJSON *label;
	const char *id;

	if (!path)
		return err_no_memory(err);
	if (docker_json(docker, "GET", path, NULL, &document, err) < 0)
		return -1;
	label = json_member(json_at(document, "Config.Labels"), "dev.oneoff.id");
	id = json_string(document, "Id");
	if (!id || !cJSON_IsString(label) || strcmp(label->valuestring, identity->id))
		return err_set(err, ERR_CONFLICT, "the name is taken");
	*ret_id = strdup(id);
	return *ret_id ? 0 : err_no_memory(err);
}

static int explain_create(const struct identity *identity, struct err *err)
{
	if (err->kind == ERR_CONFLICT && !identity->lock)
		err_hint(err, "choose another --name");
	else if (err->kind == ERR_NOT_FOUND)
		err_hint(err, "pull the image on that engine first, or choose one with --image");
	return err_wrap(err, "create container '%s'", identity->name);
}

static int take_created(struct docker *docker, const cJSON *reply, struct err *err)
{
	const char *id = json_string(reply, "Id");
	const cJSON *warning;

	if (!id)
		return err_set(err, ERR_PROTOCOL, "create: the engine named no container");
	docker->task_id = strdup(id);
	if (!docker->task_id)
		return err_no_memory(err);
	cJSON_ArrayForEach (warning, json_member(reply, "Warnings")) {
		if (cJSON_IsString(warning))
			report(&docker->reporter, REPORT_DETAIL, "engine: %s",
			       warning->valuestring);
	}
	return 0;
}

static int create_once(struct docker *docker, const char *path, const char *body,
                       const struct identity *identity, struct err *err)
{
	_cleanup_(json_free) cJSON *reply = NULL;
	struct err again = ERR_INIT;

	if (docker_json(docker, "POST", path, body, &reply, err) == 0)
		return take_created(docker, reply, err);
	/* 5xx may be a proxy's word after the engine did it. */
	docker->create_lost = !err->http_status;
	if ((!err->http_status || err->http_status >= 500) &&
	    find_own(docker, identity, &docker->task_id, &again) == 0)
		return 0;
	if (strstr(err->message, "already in use")) /* Podman's 500 */
		err->kind = ERR_CONFLICT;
	return -1;
}

/* Creating is what takes the lock. A holder that has ended makes way at once, or in a moment. */
static int create_locked(struct docker *docker, const char *path, const char *body,
                         const struct identity *identity, struct err *err)
{
	for (int tries = 0; create_once(docker, path, body, identity, err) < 0; tries++) {
		int result;

		if (!identity->lock || err->kind != ERR_CONFLICT)
			return explain_create(identity, err);
		result = docker_lock_free(docker, identity, err);
		if (result < 0 || tries == LOCK_TRIES) {
			if (result > 0)
				err_set(err, ERR_LOCKED,
				        "lock '%s' is wanted by many; nobody kept it for long",
				        identity->lock);
			return -1;
		}
		if (result == 0 && loop_wait_answer(docker->loop, LOCK_PAUSE_MS, err) < 0)
			return -1;
	}
	return 0;
}

int docker_create(struct backend *backend, const struct plan *plan, const struct identity *identity,
                  const struct burial *burial, struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf body = STRBUF_INIT;

	(void)burial; /* the engine removes the container itself; the gaps are the guardian's */
	free(docker->task_name);
	docker->task_name = strdup(identity->name);
	snprintf(docker->oneoff_id, sizeof(docker->oneoff_id), "%s", identity->id);
	docker->auto_remove = json_true(plan->document, "HostConfig.AutoRemove");
	strbuf_adds(&path, "/containers/create?name=");
	strbuf_add_url(&path, identity->name);
	json_print(plan->document, false, &body);
	if (!docker->task_name || path.failed || body.failed)
		return err_no_memory(err);
	if (create_locked(docker, strbuf_str(&path), strbuf_str(&body), identity, err) < 0)
		return -1;
	return connect_networks(docker, plan->extra, err);
}

/* Tells a command that cannot run from everything else. */
static int explain_start(struct err *err)
{
	/* Only the engine's own words count: a broken transport may speak of files as well. */
	enum err_kind kind = err->http_status ? start_failure_kind(err->message) : ERR_NONE;

	if (kind != ERR_NONE) {
		err->kind = kind;
		err_hint(err, kind == ERR_COMMAND_NOT_FOUND
		                      ? "is it in the image? a shell's line needs: -- sh -c 'LINE'"
		                      : "may the app's user execute it? another one: -u USER");
	}
	return err_wrap(err, "start");
}

int docker_attach(struct backend *backend, bool tty, bool stdin_open, const char *detach_keys,
                  struct channel **ret, struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	struct http_reply refusal = HTTP_REPLY_INIT;
	struct upgrade *upgrade = NULL;

	strbuf_addf(&path, "/v%d.%d/containers/%s/attach?stream=1&stdout=1&stderr=1%s",
	            DOCKER_API_MAJOR, docker->api_minor, docker->task_id,
	            stdin_open ? "&stdin=1" : "");
	if (tty) {
		strbuf_adds(&path, "&detachKeys=");
		if (detach_keys && *detach_keys)
			strbuf_add_url(&path, detach_keys);
		else
			strbuf_adds(&path, INERT_DETACH_KEYS);
	}
	if (path.failed)
		return err_no_memory(err);
	if (upgrade_open(docker->http, strbuf_str(&path), ATTACH_TIMEOUT_MS, &upgrade,
	                 &refusal.body, err) < 0) {
		if (err->http_status) {
			refusal.status = err->http_status;
			docker_refusal(&refusal, err);
			/* Podman initialises the container here, so its start errors come here. */
			explain_start(err);
		} else {
			err_wrap(err, "attach");
		}
		http_reply_release(&refusal);
		return -1;
	}
	if (docker_channel_open(upgrade, tty, false, ret, err) < 0)
		return -1;
	docker->channel = *ret;
	return 0;
}

/* A start whose answer got lost, or came from a proxy, may have taken effect: it is never made
 * twice, and "nothing was started" must be true. 0 when it did; else -1 with what is known. */
static int settle_start(struct docker *docker, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	_cleanup_free_ char *path = NULL;
	struct err again = ERR_INIT;
	const char *status;

	if (err->kind == ERR_INTERRUPTED || (err->http_status && err->http_status < 500))
		return -1;
	path = docker_path(docker->task_id, "/json");
	if (!path)
		return -1;
	if (docker_json(docker, "GET", path, NULL, &document, &again) < 0) {
		/* Gone already: the wait that was armed before knows the code. */
		if (again.http_status == 404 && !err->http_status && docker->auto_remove)
			return 0;
		if (!err->http_status)
			err->kind = ERR_RESULT_UNKNOWN;
		return -1;
	}
	status = json_string(document, "State.Status");
	if (json_true(document, "State.Running") || (status && !strcmp(status, "exited")))
		return 0;
	return -1;
}

int docker_task_start(struct backend *backend, struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	_cleanup_free_ char *path = docker_path(docker->task_id, "/start");

	if (!path)
		return err_no_memory(err);
	docker->start_seconds = clock_unix_seconds();
	if (docker_call(docker, "POST", path, NULL, &reply, err) < 0 &&
	    settle_start(docker, err) < 0)
		return explain_start(err);
	docker->started = true;
	return 0;
}

int docker_signal(struct backend *backend, int signal_number, struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	_cleanup_free_ char *path = NULL;
	char suffix[32];

	snprintf(suffix, sizeof(suffix), "/kill?signal=%d", signal_number);
	path = docker_path(docker->task_id, suffix);
	if (!path)
		return err_no_memory(err);
	docker_send(docker, "POST", path);
	return 0;
}

int docker_resize(struct backend *backend, int rows, int columns, struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	_cleanup_free_ char *path = NULL;
	char suffix[48];

	snprintf(suffix, sizeof(suffix), "/resize?h=%d&w=%d", rows, columns);
	path = docker_path(docker->task_id, suffix);
	if (!path)
		return err_no_memory(err);
	docker_send(docker, "POST", path);
	return 0;
}
