/* SPDX-License-Identifier: Apache-2.0 */
/* What `doctor` tells of an engine: what answers, by which way, what it can enforce, and whether all that
 * the source is made of is still there. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include "pkg/docker/docker.h"

/* Less than this, and pulling or writing may fail soon. */
#define LOW_STORAGE_BYTES (UINT64_C(1) << 30)

struct diagnosis {
	struct docker *docker;
	finding_visitor *visit;
	void *context;
	struct strbuf text; /* of the finding that is being written */
	struct err *err;
};

static int tell(struct diagnosis *diagnosis, enum finding_level level, const char *subject,
                const char *fix)
{
	const struct finding finding = {
		.level = level,
		.subject = subject,
		.text = strbuf_str(&diagnosis->text),
		.fix = fix,
	};
	int result = diagnosis->text.failed
	                     ? err_no_memory(diagnosis->err)
	                     : diagnosis->visit(diagnosis->context, &finding, diagnosis->err);

	strbuf_reset(&diagnosis->text);
	return result;
}

static const char *or_unknown(const char *text)
{
	return text ? text : "unknown";
}

static int tell_version(struct diagnosis *diagnosis)
{
	const struct docker *docker = diagnosis->docker;
	_cleanup_(json_free) cJSON *version = NULL;

	if (docker_json(diagnosis->docker, "GET", "/version", NULL, &version, diagnosis->err) < 0)
		return err_wrap(diagnosis->err, "version");
	strbuf_addf(&diagnosis->text, "%s %s, API %d.%d (the engine's own: %s)",
	            docker->podman ? "Podman" : "Docker",
	            or_unknown(json_string(version, "Version")), DOCKER_API_MAJOR,
	            docker->api_minor, or_unknown(json_string(version, "ApiVersion")));
	return tell(diagnosis, FINDING_GOOD, "engine", NULL);
}

/* It answered, so we may; the file says who else may. */
static int tell_address(struct diagnosis *diagnosis)
{
	const struct endpoint *endpoint = &diagnosis->docker->endpoint;
	bool is_open = false;
	struct stat info;

	strbuf_addf(&diagnosis->text, "%s (from %s)", endpoint->text, endpoint->origin);
	if (endpoint->kind == ENDPOINT_UNIX && stat(endpoint->socket_path, &info) == 0) {
		strbuf_addf(&diagnosis->text, ", mode %04o of %u:%u", info.st_mode & 07777u,
		            (unsigned)info.st_uid, (unsigned)info.st_gid);
		is_open = info.st_mode & S_IWOTH;
	}
	if (endpoint->kind == ENDPOINT_TCP && !endpoint->tls) {
		strbuf_adds(&diagnosis->text, ": without TLS, anybody on the way can read and "
		                              "command it");
		return tell(diagnosis, FINDING_NOTE, "address", "use ssh:// or TLS");
	}
	return tell(diagnosis, is_open ? FINDING_NOTE : FINDING_GOOD, "address",
	            is_open ? "everybody on this machine may command the engine: chmod o-w" : NULL);
}

static bool is_rootless(const cJSON *info)
{
	const cJSON *option;

	cJSON_ArrayForEach (option, json_member(info, "SecurityOptions")) {
		if (cJSON_IsString(option) && strstr(option->valuestring, "rootless"))
			return true;
	}
	return json_true(info, "Rootless");
}

static int tell_limits(struct diagnosis *diagnosis, const cJSON *info)
{
	const cJSON *memory = json_member(info, "MemoryLimit");
	bool unlimited = cJSON_IsBool(memory) && !cJSON_IsTrue(memory);

	strbuf_addf(&diagnosis->text, "cgroup version %s, %s%s",
	            or_unknown(json_string(info, "CgroupVersion")),
	            is_rootless(info) ? "rootless" : "as root",
	            unlimited ? "; memory limits are not enforced" : "");
	return tell(diagnosis, unlimited ? FINDING_NOTE : FINDING_GOOD, "limits",
	            unlimited ? "delegate the memory controller to the engine" : NULL);
}

/* Only for an engine on this machine: others do not tell. */
static int tell_storage(struct diagnosis *diagnosis, const cJSON *info)
{
	const char *folder = json_string(info, "DockerRootDir");
	struct statvfs space;
	uint64_t free_bytes;
	bool low;

	if (diagnosis->docker->endpoint.kind != ENDPOINT_UNIX || !folder ||
	    statvfs(folder, &space) < 0)
		return 0;
	free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
	low = free_bytes < LOW_STORAGE_BYTES;
	strbuf_addf(&diagnosis->text, "%s: %llu MiB free", folder,
	            (unsigned long long)(free_bytes >> 20));
	return tell(diagnosis, low ? FINDING_BAD : FINDING_GOOD, "storage",
	            low ? "free some: images and containers that nobody needs can go" : NULL);
}

static int tell_engine(struct diagnosis *diagnosis)
{
	_cleanup_(json_free) cJSON *info = NULL;

	if (docker_json(diagnosis->docker, "GET", "/info", NULL, &info, diagnosis->err) < 0)
		return err_wrap(diagnosis->err, "info");
	if (tell_limits(diagnosis, info) < 0)
		return -1;
	return tell_storage(diagnosis, info);
}

/* 1 when it is there, 0 when it is not, -1. */
static int exists(struct diagnosis *diagnosis, const char *before, const char *name,
                  const char *after)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	strbuf_adds(&path, before);
	strbuf_add_url(&path, name);
	strbuf_adds(&path, after);
	if (path.failed)
		return err_no_memory(diagnosis->err);
	if (docker_call(diagnosis->docker, "GET", strbuf_str(&path), NULL, &reply,
	                diagnosis->err) == 0)
		return 1;
	return diagnosis->err->http_status == 404 ? 0 : -1;
}

static int tell_part(struct diagnosis *diagnosis, const char *kind, const char *before,
                     const char *name, const char *after, const char *fix)
{
	int found = exists(diagnosis, before, name, after);

	if (found < 0)
		return err_wrap(diagnosis->err, "%s '%s'", kind, name);
	strbuf_addf(&diagnosis->text, "'%s' is %s", name, found ? "there" : "gone");
	return tell(diagnosis, found ? FINDING_GOOD : FINDING_BAD, kind, found ? NULL : fix);
}

static int tell_volumes(struct diagnosis *diagnosis, const cJSON *document)
{
	const cJSON *mount;

	cJSON_ArrayForEach (mount, json_member(document, "Mounts")) {
		const char *type = json_string(mount, "Type"), *name = json_string(mount, "Name");

		if (type && name && !strcmp(type, "volume") &&
		    tell_part(diagnosis, "volume", "/volumes/", name, "",
		              "make it anew, or start the app again") < 0)
			return -1;
	}
	return 0;
}

/* "container:ID" shares another one's network; that one must run. */
static int tell_networks(struct diagnosis *diagnosis, const cJSON *document)
{
	static const char *const modes[] = {"none", "host", "private", "slirp4netns", "pasta"};
	const char *mode = json_string(document, "HostConfig.NetworkMode");
	const cJSON *network;

	if (mode && !strncmp(mode, "container:", 10))
		return tell_part(diagnosis, "network of container", "/containers/", mode + 10,
		                 "/json", "start that container first");
	for (size_t i = 0; mode && i < ARRAY_SIZE(modes); i++)
		if (!strncmp(mode, modes[i], strlen(modes[i])))
			return 0;
	cJSON_ArrayForEach (network, json_at(document, "NetworkSettings.Networks")) {
		if (tell_part(diagnosis, "network", "/networks/", network->string, "",
		              "make it anew, or start the app again") < 0)
			return -1;
	}
	return 0;
}

static int tell_log(struct diagnosis *diagnosis, const cJSON *document)
{
	const char *driver = json_string(document, "HostConfig.LogConfig.Type");
	bool none = driver && !strcmp(driver, "none");

	strbuf_addf(&diagnosis->text, "driver %s%s", or_unknown(driver),
	            none ? ": logs and attach have nothing of the past to show" : "");
	return tell(diagnosis, none ? FINDING_NOTE : FINDING_GOOD, "log", NULL);
}

static int tell_source(struct diagnosis *diagnosis, const struct release *release)
{
	strbuf_addf(&diagnosis->text, "'%s' is %s", release->name, or_unknown(release->status));
	if (tell(diagnosis, release->running ? FINDING_GOOD : FINDING_NOTE, "source", NULL) < 0 ||
	    tell_part(diagnosis, "image", "/images/", release->digest, "/json",
	              "pull or build it again, or choose one with --image") < 0 ||
	    tell_volumes(diagnosis, release->document) < 0 ||
	    tell_networks(diagnosis, release->document) < 0)
		return -1;
	return tell_log(diagnosis, release->document);
}

int docker_diagnose(struct backend *backend, const struct release *release, finding_visitor *visit,
                    void *context, struct err *err)
{
	struct diagnosis diagnosis = {
		.docker = (struct docker *)backend,
		.visit = visit,
		.context = context,
		.text = STRBUF_INIT,
		.err = err,
	};
	int result = tell_version(&diagnosis);

	if (result >= 0)
		result = tell_address(&diagnosis);
	if (result >= 0)
		result = tell_engine(&diagnosis);
	if (result >= 0 && release)
		result = tell_source(&diagnosis, release);
	strbuf_release(&diagnosis.text);
	return result < 0 ? -1 : 0;
}
