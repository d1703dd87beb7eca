/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/docker/docker.h"

#include <stdio.h>
#include <string.h>
#include "pkg/base/clock.h"
#include "pkg/base/environment.h"
#include "pkg/base/number.h"
#include "pkg/docker/clone.h"

/* Without an Api-Version header an engine is at least this old (docker CLI's rule). */
#define OLDEST_API_MINOR 24

static void docker_close(struct backend *backend)
{
	struct docker *docker = (struct docker *)backend;

	if (docker->channel)
		docker->channel->ops->close(docker->channel);
	http_cancel(docker->wait);
	docker_probe_release(docker);
	docker_sweep_release(docker);
	for (size_t i = 0; i < DOCKER_MAX_SIDE; i++)
		http_cancel(docker->side[i]);
	http_client_close(docker->http);
	if (docker->bridge)
		bridge_close(docker->bridge);
	if (docker->service)
		podman_service_stop(docker->service);
	endpoint_release(&docker->endpoint);
	strbuf_release(&docker->base_url);
	free(docker->task_id);
	free(docker->task_name);
	free(docker);
}

/* The address as libcurl wants it; spawned commands are reached through a bridge's socket. */
static int make_target(struct docker *docker, struct http_target *target, struct err *err)
{
	const struct endpoint *endpoint = &docker->endpoint;

	*target = (struct http_target){.tls_verify = true};
	target->headers = &endpoint->headers;
	target->name = endpoint->text;
	strbuf_adds(&docker->base_url, "http://localhost");
	switch (endpoint->kind) {
	case ENDPOINT_UNIX:
		if (endpoint_check_socket(endpoint, geteuid(), err) < 0)
			return -1;
		target->socket_path = endpoint->socket_path;
		docker->probe.is_local = true;
		break;
	case ENDPOINT_TCP:
		strbuf_reset(&docker->base_url);
		strbuf_addf(&docker->base_url,
		            strchr(endpoint->host, ':') ? "%s://[%s]:%d" : "%s://%s:%d",
		            endpoint->tls ? "https" : "http", endpoint->host, endpoint->port);
		target->tls_verify = endpoint->tls_verify;
		target->ca_file = endpoint->ca_file;
		target->cert_file = endpoint->cert_file;
		target->key_file = endpoint->key_file;
		break;
	case ENDPOINT_SPAWN:
		if (bridge_open(&endpoint->command, &docker->bridge, err) < 0)
			return -1;
		target->socket_path = bridge_path(docker->bridge);
		break;
	}
	if (docker->base_url.failed)
		return err_no_memory(err);
	target->base_url = strbuf_str(&docker->base_url);
	return 0;
}

static int unreachable(struct docker *docker, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf words = STRBUF_INIT;

	if (docker->bridge) {
		bridge_stderr(docker->bridge, &words);
		if (words.length) {
			size_t used = strcspn(strbuf_str(&words), "\r\n");

			err_set(err, ERR_UNREACHABLE, "%s: %.*s", docker->endpoint.text, (int)used,
			        strbuf_str(&words));
		}
	}
	/* TLS 1.3 tells a client that its certificate is refused only by breaking the connection off. */
	if (err->kind == ERR_LOST && docker->endpoint.kind == ENDPOINT_TCP &&
	    docker->endpoint.tls) {
		err->kind = ERR_UNREACHABLE;
		err_wrap(err, "the engine broke the TLS connection off; it may refuse our "
		              "certificate");
		err_hint(err, "the engine accepts only certificates of its own authority; see "
		              "DOCKER_CERT_PATH");
	}
	if (err->kind == ERR_LOST || err->kind == ERR_START_TIMEOUT)
		err->kind = ERR_UNREACHABLE;
	if (!err->hint[0])
		err_hint(err, "the address comes from %s; is the engine running?",
		         docker->endpoint.origin);
	return err_wrap(err, "cannot reach %s (address from %s)",
	                docker->podman ? "Podman" : "Docker", docker->endpoint.origin);
}

/* min(ours, theirs); DOCKER_API_VERSION pins. The reply also tells Podman from Docker. */
static int negotiate(struct docker *docker, struct err *err)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	const char *pinned = getenv("DOCKER_API_VERSION");
	int64_t minor = OLDEST_API_MINOR;
	char value[64];

	if (docker_call(docker, "GET", "/_ping", NULL, &reply, err) < 0)
		return unreachable(docker, err);
	docker->podman = http_header(&reply, "Libpod-Api-Version", value, sizeof(value));
	if (http_header(&reply, "Api-Version", value, sizeof(value)) && !strncmp(value, "1.", 2) &&
	    parse_int64(value + 2, 0, 10000, &minor) < 0)
		return err_set(err, ERR_PROTOCOL, "the engine names an odd API version");
	if (pinned && *pinned && !docker->podman &&
	    (strncmp(pinned, "1.", 2) || parse_int64(pinned + 2, 0, 10000, &minor) < 0))
		return err_set(err, ERR_USAGE, "DOCKER_API_VERSION is not a version: %s", pinned);
	if (minor > DOCKER_API_MINOR_MAX)
		minor = DOCKER_API_MINOR_MAX;
	docker->api_minor = (int)minor;
	report(&docker->reporter, REPORT_DETAIL, "engine: %s at %s (%s), API 1.%d",
	       docker->podman ? "Podman" : "Docker", docker->endpoint.text, docker->endpoint.origin,
	       docker->api_minor);
	return 0;
}

static struct docker *docker_new(const struct backend_ops *ops,
                                 const struct backend_settings *settings, struct loop *loop)
{
	struct docker *docker = calloc(1, sizeof(*docker));

	if (!docker)
		return NULL;
	docker->base.ops = ops;
	docker->loop = loop;
	docker->reporter = settings->reporter;
	docker->call_timeout_ms =
		settings->call_timeout_ms ? settings->call_timeout_ms : DOCKER_CALL_TIMEOUT_MS;
	docker->probe.pidfd = -1;
	docker->podman = ops == &podman_backend;
	return docker;
}

static int connect_to(struct docker *docker, struct err *err)
{
	struct http_target target;

	if (make_target(docker, &target, err) < 0)
		return unreachable(docker, err);
	if (http_client_open(&target, docker->loop, &docker->http, err) < 0)
		return -1;
	return negotiate(docker, err);
}

static int docker_open(const struct backend_settings *settings, struct loop *loop,
                       struct backend **ret, struct err *err)
{
	struct endpoint_settings where = {
		.get = environment_get,
		.host_option = settings->host,
		.context_option = settings->context,
		.user_id = geteuid(),
	};
	struct docker *docker = docker_new(&docker_backend, settings, loop);

	if (!docker)
		return err_no_memory(err);
	if (endpoint_docker(&where, &docker->endpoint, err) < 0 || connect_to(docker, err) < 0) {
		docker_close(&docker->base);
		return -1;
	}
	*ret = &docker->base;
	return 0;
}

/* A Podman without a socket serves us alone, for the time of the run. */
static int spawn_service(struct docker *docker, struct err *err)
{
	struct endpoint *endpoint = &docker->endpoint;

	if (podman_service_start(&docker->service, err) < 0)
		return -1;
	endpoint_release(endpoint);
	endpoint->kind = ENDPOINT_UNIX;
	endpoint->origin = strdup("a service of its own");
	endpoint->socket_path = strdup(podman_service_path(docker->service));
	if (asprintf(&endpoint->text, "unix://%s", podman_service_path(docker->service)) < 0)
		endpoint->text = NULL;
	if (!endpoint->origin || !endpoint->socket_path || !endpoint->text)
		return err_no_memory(err);
	return 0;
}

static int podman_open(const struct backend_settings *settings, struct loop *loop,
                       struct backend **ret, struct err *err)
{
	struct endpoint_settings where = {
		.get = environment_get,
		.host_option = settings->host,
		.user_id = geteuid(),
	};
	struct docker *docker = docker_new(&podman_backend, settings, loop);
	bool may_spawn;

	if (!docker)
		return err_no_memory(err);
	may_spawn = settings->may_spawn ||
	            (settings->may_spawn_used && endpoint_podman_was_used(&where));
	if ((endpoint_podman(&where, &docker->endpoint, err) < 0 &&
	     (err->kind != ERR_UNREACHABLE || !may_spawn || spawn_service(docker, err) < 0)) ||
	    connect_to(docker, err) < 0) {
		docker_close(&docker->base);
		return -1;
	}
	*ret = &docker->base;
	return 0;
}

static int docker_plan(struct backend *backend, const struct release *release,
                       const struct request *request, const struct identity *identity,
                       struct plan *ret, struct err *err)
{
	const struct docker *docker = (const struct docker *)backend;
	struct docker_clone_input input = {
		.container = release->document,
		.image = release->image_document,
		.request = request,
		.id = identity->id,
		.name = identity->name,
		.source_name = release->name,
		.user = identity->user,
		.now_unix_seconds = identity->started,
		.api_major = DOCKER_API_MAJOR,
		.api_minor = docker->api_minor,
		.podman = docker->podman,
	};

	return docker_clone(&input, ret, err);
}

static void docker_command(const struct backend *backend, enum backend_command command,
                           const char *name, struct strbuf *ret)
{
	const char *tool = backend->ops->name;

	if (command == BACKEND_COMMAND_LIST)
		strbuf_addf(ret, "%s ps -a --filter name=%s", tool, name);
	else
		strbuf_addf(ret, "%s rm -f %s", tool, name);
}

#define DOCKER_CAPABILITIES                                                                        \
	(BACKEND_SEPARATE_STREAMS | BACKEND_HALF_CLOSE | BACKEND_REMOVES_ITSELF |                  \
	 BACKEND_READS_FILES | BACKEND_KEEPS | BACKEND_LOCK_IS_NAME | BACKEND_DETACHES)

#define DOCKER_SLOTS                                                                               \
	.capabilities = DOCKER_CAPABILITIES, .find = docker_find, .plan = docker_plan,             \
	.create = docker_create, .attach = docker_attach, .arm = docker_arm,                       \
	.start = docker_task_start, .exited = docker_exited, .recover = docker_recover,            \
	.reattach = docker_reattach, .may_have_ended = docker_may_have_ended,                      \
	.signal = docker_signal, .resize = docker_resize, .remove = docker_remove,                 \
	.sweep = docker_sweep, .read_file = docker_read_file, .bury = docker_bury,                 \
	.command = docker_command, .list = docker_list, .adopt = docker_adopt,                     \
	.output = docker_output, .discard = docker_discard, .sources = docker_sources,             \
	.diagnose = docker_diagnose, .close = docker_close

const struct backend_ops docker_backend = {.name = "docker", .open = docker_open, DOCKER_SLOTS};
const struct backend_ops podman_backend = {.name = "podman", .open = podman_open, DOCKER_SLOTS};
