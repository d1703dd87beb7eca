/* SPDX-License-Identifier: Apache-2.0 */
/* State files as crun and runc wrote them (tests/fixtures/oci/state), and folders made here. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "oci/file.h"
#include "oci/layer.h"
#include "oci/state.h"

static int parse(const char *text, struct container_state *ret, struct err *err)
{
	return state_parse(text, strlen(text), ret, err);
}

static void parse_fixture(const char *name, struct container_state *ret)
{
	struct strbuf text = STRBUF_INIT;
	struct err err = ERR_INIT;
	char path[256];

	snprintf(path, sizeof(path), "tests/fixtures/oci/state/%s", name);
	cr_assert_eq(file_read(AT_FDCWD, path, 1 << 20, &text, &err), 0, "%s", err.message);
	cr_assert_eq(state_parse(strbuf_str(&text), text.length, ret, &err), 0, "%s", err.message);
	strbuf_release(&text);
}

Test(state, reads_what_crun_writes)
{
	struct container_state state = {.id = NULL};

	parse_fixture("crun-status.json", &state);
	cr_assert_str_eq(state.runtime, "crun");
	cr_assert_eq(state.pid, 29394);
	cr_assert_eq(state.start_time, 668401);
	cr_assert(strstr(state.bundle, "/overlay-containers/"));
	cr_assert(strstr(state.rootfs, "/merged"));
	cr_assert(strncmp(state.cgroup, "/libpod_parent/libpod-", 22) == 0);
	cr_assert_str_eq(state_owner(state.bundle), "podman");
	container_state_release(&state);
}

Test(state, reads_what_runc_writes)
{
	struct container_state state = {.id = NULL};

	parse_fixture("runc-state.json", &state);
	cr_assert_str_eq(state.runtime, "runc");
	cr_assert_eq(state.pid, 29113);
	cr_assert_eq(state.start_time, 668336);
	cr_assert(strstr(state.bundle, "/moby/"), "%s", state.bundle);
	cr_assert_str_eq(state_owner(state.bundle), "docker");
	container_state_release(&state);
}

Test(state, tells_owners_by_the_bundle)
{
	cr_assert_null(state_owner("/srv/web"));
	cr_assert_str_eq(state_owner("/run/containerd/io.containerd.runtime.v2.task/k8s.io/abc"),
	                 "kubernetes");
	cr_assert_str_eq(state_owner("/run/containerd/io.containerd.runtime.v2.task/default/abc"),
	                 "containerd");
}

Test(state, refuses_what_is_none)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"pid\":1}",
		"{\"pid\":1,\"process-start-time\":2}",
		"{\"init_process_pid\":5,\"config\":{\"labels\":[\"bundel=/x\"]}}",
		"{\"bundle\":7,\"pid\":1}",
	};
	struct container_state state = {.id = NULL};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct err err = ERR_INIT;

		cr_assert_eq(parse(texts[i], &state, &err), -1, "%s", texts[i]);
		cr_assert_eq(err.kind, ERR_PROTOCOL, "%s: %s", texts[i], err.message);
		cr_assert_null(state.bundle);
	}
}

Test(state, takes_no_impossible_pid)
{
	struct container_state state = {.id = NULL};
	struct err err = ERR_INIT;

	cr_assert_eq(parse("{\"pid\":-5,\"process-start-time\":1,\"bundle\":\"/b\"}", &state, &err),
	             0);
	cr_assert_eq(state.pid, 0);
	container_state_release(&state);
	cr_assert_eq(parse("{\"pid\":99999999999,\"process-start-time\":1,\"bundle\":\"/b\"}",
	                   &state, &err),
	             0);
	cr_assert_eq(state.pid, 0);
	container_state_release(&state);
}

/* A root with containers of crun; the pid is ours or nobody's. */
static char root[64];

static void make_root(void)
{
	snprintf(root, sizeof(root), "/tmp/oneoff-state-XXXXXX");
	cr_assert(mkdtemp(root));
}

static void remove_root(void)
{
	struct err err = ERR_INIT;
	int fd = open("/tmp", O_RDONLY | O_DIRECTORY);

	cr_assert_eq(tree_remove(fd, root + 5, &err), 0, "%s", err.message);
	close(fd);
}

static void add(const char *id, pid_t pid, uint64_t start_time)
{
	char path[256], text[256];
	struct err err = ERR_INIT;

	snprintf(path, sizeof(path), "%s/%s", root, id);
	cr_assert_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/status", root, id);
	snprintf(
		text, sizeof(text),
		"{\"pid\":%d,\"process-start-time\":%llu,\"bundle\":\"/b/%s\",\"cgroup-path\":\"/%s\"}",
		(int)pid, (unsigned long long)start_time, id, id);
	cr_assert_eq(file_write_new(AT_FDCWD, path, text, strlen(text), &err), 0, "%s",
	             err.message);
}

static int find(const char *name, struct container_state *ret, struct err *err)
{
	struct strv roots = STRV_INIT;
	int result;

	cr_assert_eq(state_roots(root, &roots, err), 0);
	result = state_find(&roots, name, ret, err);
	strv_release(&roots);
	return result;
}

TestSuite(state_find, .init = make_root, .fini = remove_root);

Test(state_find, finds_an_id_before_a_prefix)
{
	struct container_state state = {.id = NULL};
	struct err err = ERR_INIT;

	add("web", getpid(), process_start_time(getpid()));
	add("web-2", getpid(), 1);
	cr_assert_eq(find("web", &state, &err), 0, "%s", err.message);
	cr_assert_str_eq(state.id, "web");
	cr_assert_str_eq(state.root, root);
	cr_assert(state.running);
	container_state_release(&state);
	/* The number lives, but it is another process now. */
	cr_assert_eq(find("web-", &state, &err), 0, "%s", err.message);
	cr_assert_str_eq(state.id, "web-2");
	cr_assert(!state.running);
	container_state_release(&state);
}

Test(state_find, says_what_is_there)
{
	struct container_state state = {.id = NULL};
	struct err err = ERR_INIT;

	cr_assert_eq(find("web", &state, &err), -1);
	cr_assert(strstr(err.hint, "has no containers"), "%s", err.hint);
	add("shop", 0, 0);
	cr_assert_eq(find("web", &state, &err), -1);
	cr_assert_eq(err.kind, ERR_NOT_FOUND);
	cr_assert(strstr(err.hint, "shop"), "%s", err.hint);
}

Test(state_find, offers_no_id_of_an_engine)
{
	struct container_state state = {.id = NULL};
	struct err err = ERR_INIT;

	add("2693c4b069dc94a73677d2809911278997ac1e1c62ac9f4821e7b1b492908702", 0, 0);
	cr_assert_eq(find("web", &state, &err), -1);
	cr_assert(strstr(err.hint, "podman:NAME") && !strstr(err.hint, "2693"), "%s", err.hint);
	add("shop", 0, 0);
	cr_assert_eq(find("web", &state, &err), -1);
	cr_assert_str_eq(err.hint, "there are: shop");
}

Test(state_find, refuses_a_prefix_of_two)
{
	struct container_state state = {.id = NULL};
	struct err err = ERR_INIT;

	add("web-1", 0, 0);
	add("web-2", 0, 0);
	cr_assert_eq(find("we", &state, &err), -1);
	cr_assert_eq(err.kind, ERR_AMBIGUOUS);
	cr_assert(strstr(err.hint, "web-1") && strstr(err.hint, "web-2"), "%s", err.hint);
}

Test(state_find, needs_the_root_that_was_named)
{
	struct strv roots = STRV_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(state_roots("/nonexistent/root", &roots, &err), -1);
	cr_assert_eq(err.kind, ERR_NOT_FOUND);
}

Test(state, knows_a_process_by_its_start)
{
	cr_assert_neq(process_start_time(getpid()), 0);
	cr_assert_eq(process_start_time(0), 0);
	cr_assert_eq(process_start_time(-1), 0);
}
