/* SPDX-License-Identifier: Apache-2.0 */
/* What the pure rule table (oci/bundle.h) has to know of this machine. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "oci/cgroup.h"
#include "oci/file.h"
#include "oci/namespace.h"
#include "oci/oci_internal.h"
#include "oci/user.h"
#include "pkg/base/number.h"

/* As pkg/run has it: a container's configuration does not tell the app's own. */
#define DEFAULT_GRACE_MS INT64_C(10000)

static const struct {
	const char *type;
	__rlimit_resource_t resource;
} limits[] = {
	{"RLIMIT_AS", RLIMIT_AS},
	{"RLIMIT_CORE", RLIMIT_CORE},
	{"RLIMIT_CPU", RLIMIT_CPU},
	{"RLIMIT_DATA", RLIMIT_DATA},
	{"RLIMIT_FSIZE", RLIMIT_FSIZE},
	{"RLIMIT_LOCKS", RLIMIT_LOCKS},
	{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
	{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
	{"RLIMIT_NICE", RLIMIT_NICE},
	{"RLIMIT_NOFILE", RLIMIT_NOFILE},
	{"RLIMIT_NPROC", RLIMIT_NPROC},
	{"RLIMIT_RSS", RLIMIT_RSS},
	{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
	{"RLIMIT_RTTIME", RLIMIT_RTTIME},
	{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
	{"RLIMIT_STACK", RLIMIT_STACK},
};

/* What is beyond our hard limits only CAP_SYS_RESOURCE may set. */
static size_t read_limits(struct bundle_rlimit ret[ARRAY_SIZE(limits)])
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit value = {.rlim_max = RLIM_INFINITY};

		(void)getrlimit(limits[i].resource, &value);
		ret[i].type = limits[i].type;
		ret[i].hard = value.rlim_max == RLIM_INFINITY ? UINT64_MAX : value.rlim_max;
	}
	return ARRAY_SIZE(limits);
}

static bool names_limit(const cJSON *list, const char *type)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, list) {
		const char *its = json_string(item, "type");

		if (its && !strcmp(its, type))
			return true;
	}
	return false;
}

/* RLIM_INFINITY is all ones; documents carry it as that number. */
static cJSON *new_limit(rlim_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	return value <= INT64_MAX ? json_new_int64((int64_t)value) : cJSON_CreateRaw(digits);
}

static int add_limit(cJSON *list, const char *type, const struct rlimit *value)
{
	_cleanup_(json_free) cJSON *limit = cJSON_CreateObject();

	if (!limit || json_set_string(limit, "type", type) < 0 ||
	    json_set_node(limit, "hard", new_limit(value->rlim_max)) < 0 ||
	    json_set_node(limit, "soft", new_limit(value->rlim_cur)) < 0)
		return -1;
	return json_add_node(list, TAKE_PTR(limit));
}

/* Limits that the app's configuration does not name it has from whoever started it; the task would have
 * ours. What differs is named. */
static int add_inherited_limits(const struct oci *oci, cJSON *config, struct err *err)
{
	cJSON *process = json_member(config, "process");
	cJSON *list = json_member(process, "rlimits");

	if (!oci->state.running || !cJSON_IsObject(process))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit its, own;

		if (names_limit(list, limits[i].type) ||
		    prlimit(oci->state.pid, limits[i].resource, NULL, &its) < 0 ||
		    getrlimit(limits[i].resource, &own) < 0 ||
		    (its.rlim_cur == own.rlim_cur && its.rlim_max == own.rlim_max))
			continue;
		if (!cJSON_IsArray(list)) {
			if (json_set_node(process, "rlimits", cJSON_CreateArray()) < 0)
				return err_no_memory(err);
			list = json_member(process, "rlimits");
		}
		if (add_limit(list, limits[i].type, &its) < 0)
			return err_no_memory(err);
	}
	return 0;
}

/* CAP_SYS_RESOURCE is bit 24 of CapEff (capabilities(7)). */
static bool may_raise_limits(void)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct err ignored = ERR_INIT;
	unsigned long long effective = 0;
	const char *line;

	if (file_read(AT_FDCWD, "/proc/self/status", 65536, &text, &ignored) < 0)
		return false;
	line = strstr(strbuf_str(&text), "\nCapEff:");
	return line && sscanf(line, "\nCapEff: %llx", &effective) == 1 && (effective >> 24 & 1);
}

static int own_oom_score_adj(void)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct err ignored = ERR_INIT;
	int value = 0;

	if (file_read(AT_FDCWD, "/proc/self/oom_score_adj", 64, &text, &ignored) == 0)
		(void)!sscanf(strbuf_str(&text), "%d", &value);
	return value;
}

static bool same_namespace(pid_t pid, const char *kind)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	if (stat(path, &own) < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
	return stat(path, &other) == 0 && own.st_ino == other.st_ino;
}

/* Beside the app's own, so that it counts against the same parent's limits. Without root there is none. */
static int choose_cgroup(struct oci *oci, const struct release *release,
                         const struct identity *identity, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	const char *given = json_string(release->document, "linux.cgroupsPath");
	const char *source = oci->state.cgroup ? oci->state.cgroup : given;

	if (oci->rootless)
		return 0;
	if (given && strchr(given, ':'))
		source = given;
	cgroup_sibling(source && !oci->image ? source : "/", identity->id, &path);
	oci->runtime.systemd_cgroup = strchr(strbuf_str(&path), ':') != NULL;
	free(oci->cgroup);
	oci->cgroup = path.failed ? NULL : strbuf_take(&path);
	return oci->cgroup ? 0 : err_no_memory(err);
}

static int find_user(struct oci *oci, const struct request *request, const struct release *release,
                     struct bundle_user *user, const struct bundle_user **ret, struct err *err)
{
	const char *text = request->user;

	*ret = NULL;
	if (!text && oci->image)
		text = json_string(release->document, "config.User");
	if (!text && !oci->image)
		return 0;
	if (user_resolve(oci->root_fd, text ? text : "", user, err) < 0)
		return -1;
	*ret = user;
	return 0;
}

/* Where the root comes from is part of the plan, too. */
static cJSON *describe_root(const struct oci *oci)
{
	_cleanup_(json_free) cJSON *extra = cJSON_CreateObject();
	cJSON *root = extra ? json_object_for(extra, "root") : NULL;

	if (!root || json_set_node(root, "lower", json_new_strings(&oci->rootfs.lower)) < 0 ||
	    json_set_string(root, "upper", "a tmpfs that is thrown away") < 0 ||
	    json_set_string(extra, "runtime", oci->runtime.path) < 0)
		return NULL;
	return TAKE_PTR(extra);
}

static int make_bundle_plan(const struct oci *oci, const struct release *release,
                            const struct bundle_input *input, struct plan *ret, struct err *err)
{
	_cleanup_(json_free) cJSON *config = cJSON_Duplicate(release->document, true);

	if (!config)
		return err_no_memory(err);
	if (oci->image)
		return bundle_from_image(config, input, ret, err);
	if (add_inherited_limits(oci, config, err) < 0)
		return -1;
	return bundle_from_container(config, NULL, input, ret, err);
}

int oci_plan(struct backend *backend, const struct release *release, const struct request *request,
             const struct identity *identity, struct plan *ret, struct err *err)
{
	static const enum bundle_network networks[] = {
		[NETWORK_AS_SOURCE] = BUNDLE_NETWORK_SOURCE,
		[NETWORK_NONE] = BUNDLE_NETWORK_NONE,
		[NETWORK_HOST] = BUNDLE_NETWORK_HOST,
	};
	struct oci *oci = (struct oci *)backend;
	struct bundle_rlimit hard[ARRAY_SIZE(limits)];
	struct bundle_user user;
	char network_path[64], user_path[64];
	struct bundle_input input = {
		.request = request,
		.id = identity->id,
		.name = identity->name,
		.source_name = release->name,
		.source_id = release->id,
		.user_name = identity->user,
		.now_unix_seconds = identity->started,
		.source_pid = oci->state.running ? oci->state.pid : 0,
		.network = networks[request->network],
		.user_namespace = oci->needs_user_namespace,
		.rootless = oci->rootless,
		.rlimits = hard,
		.cgroup2 = cgroup_is_unified(),
	};

	snprintf(network_path, sizeof(network_path), "/proc/%d/ns/net", (int)oci->state.pid);
	if (oci->state.running && !same_namespace(oci->state.pid, "net"))
		input.network_path = network_path;
	snprintf(user_path, sizeof(user_path), "/proc/%d/ns/user", (int)oci->state.pid);
	if (oci->state.running && !oci->needs_user_namespace &&
	    namespace_is_other_user(oci->state.pid))
		input.user_path = user_path;
	if (!may_raise_limits()) {
		input.rlimit_count = read_limits(hard);
		input.oom_score_adj_floor = own_oom_score_adj();
	} else {
		input.oom_score_adj_floor = -1000;
	}
	if (choose_cgroup(oci, release, identity, err) < 0 ||
	    find_user(oci, request, release, &user, &input.user, err) < 0)
		return -1;
	input.cgroups_path = oci->cgroup;
	oci->keep = request->keep;
	oci->grace_ms =
		request->grace_ms == REQUEST_AS_SOURCE ? DEFAULT_GRACE_MS : request->grace_ms;
	oci->runtime.no_cgroup = !oci->cgroup;
	if (make_bundle_plan(oci, release, &input, ret, err) < 0)
		return -1;
	ret->extra = describe_root(oci);
	return ret->extra ? 0 : err_no_memory(err);
}
