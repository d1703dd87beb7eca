/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/docker/endpoint_helper.h"

#include <sys/socket.h>
#include <sys/un.h>

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0, "%s", path);
	cr_assert_eq(listen(fd, 1), 0);
	return fd;
}

/* Whether this machine runs a root podman that we may use. */
static bool has_root_socket(void)
{
	struct stat status;

	return stat("/run/podman/podman.sock", &status) == 0 && S_ISSOCK(status.st_mode) &&
	       access("/run/podman/podman.sock", W_OK) == 0;
}

/* What podman falls back to when nothing of ours is there. */
static void expect_root_socket_or_none(struct bench *bench)
{
	struct endpoint endpoint = {.port = -7};
	int result = endpoint_podman(&bench->settings, &endpoint, &bench->err);

	if (has_root_socket()) {
		cr_assert_eq(result, 0);
		cr_assert_str_eq(endpoint.socket_path, "/run/podman/podman.sock");
		endpoint_release(&endpoint);
		return;
	}
	cr_assert_lt(result, 0);
	cr_assert_eq(bench->err.kind, ERR_UNREACHABLE);
	cr_assert_neq(bench->err.hint[0], '\0');
	cr_assert_eq(endpoint.port, -7);
}

Test(endpoint_podman, follows_the_settings_in_order)
{
	struct bench bench;

	bench_open(&bench);
	bench_set(&bench, "DOCKER_HOST", "tcp://docker:1");
	bench_set(&bench, "CONTAINER_HOST", "ssh://core@h/run/podman/podman.sock");
	bench_podman(&bench);
	cr_assert_str_eq(bench.endpoint.origin, "CONTAINER_HOST");
	cr_assert_eq(bench.endpoint.kind, ENDPOINT_SPAWN);
	cr_assert_str_eq(bench.endpoint.command.items[8], "podman");
	bench.settings.host_option = "unix:///x";
	bench_podman(&bench);
	cr_assert_str_eq(bench.endpoint.origin, "-H");
	cr_assert_str_eq(bench.endpoint.socket_path, "/x");
	bench_close(&bench);
}

Test(endpoint_podman, finds_the_rootless_socket)
{
	struct bench bench;
	int fd;

	bench_open(&bench);
	bench_set(&bench, "XDG_RUNTIME_DIR", bench.folder);
	cr_assert_eq(mkdir(bench_path(&bench, "podman"), 0700), 0);
	expect_root_socket_or_none(&bench);
	bench_write(&bench, "podman/podman.sock", "no socket");
	expect_root_socket_or_none(&bench);
	cr_assert_eq(unlink(bench_path(&bench, "podman/podman.sock")), 0);
	fd = listen_at(bench_path(&bench, "podman/podman.sock"));
	bench_podman(&bench);
	cr_assert_str_eq(bench.endpoint.socket_path, bench_path(&bench, "podman/podman.sock"));
	/* Root's podman does not look there. */
	bench.settings.user_id = 0;
	expect_root_socket_or_none(&bench);
	close(fd);
	bench_close(&bench);
}

Test(endpoint_podman, names_the_setting_that_is_wrong)
{
	struct endpoint endpoint = {.port = -7};
	struct bench bench;

	bench_open(&bench);
	bench_set(&bench, "CONTAINER_HOST", "tcp://h");
	cr_assert_lt(endpoint_podman(&bench.settings, &endpoint, &bench.err), 0);
	cr_assert_eq(bench.err.kind, ERR_USAGE);
	cr_assert_str_eq(bench.err.message, "CONTAINER_HOST: the address names no port");
	bench_close(&bench);
}

static int check_path(const char *path, unsigned user_id, struct err *err)
{
	struct endpoint endpoint = {.kind = ENDPOINT_UNIX};

	endpoint.socket_path = (char *)path;
	return endpoint_check_socket(&endpoint, user_id, err);
}

Test(endpoint_socket, passes_ours_also_through_a_link)
{
	struct bench bench;
	char target[1024];
	int fd;

	bench_open(&bench);
	snprintf(target, sizeof(target), "%s", bench_path(&bench, "s"));
	fd = listen_at(target);
	cr_assert_eq(check_path(target, getuid(), &bench.err), 0, "%s", bench.err.message);
	cr_assert_eq(symlink(target, bench_path(&bench, "link")), 0);
	cr_assert_eq(check_path(bench_path(&bench, "link"), getuid(), &bench.err), 0);
	close(fd);
	bench_close(&bench);
}

Test(endpoint_socket, says_what_is_missing)
{
	struct bench bench;

	bench_open(&bench);
	cr_assert_lt(check_path(bench_path(&bench, "s"), getuid(), &bench.err), 0);
	cr_assert_eq(bench.err.kind, ERR_UNREACHABLE);
	cr_assert_not_null(strstr(bench.err.message, bench_path(&bench, "s")));
	cr_assert_neq(bench.err.hint[0], '\0');
	bench_write(&bench, "s", "");
	cr_assert_lt(check_path(bench_path(&bench, "s"), getuid(), &bench.err), 0);
	cr_assert_eq(bench.err.kind, ERR_UNREACHABLE);
	cr_assert_not_null(strstr(bench.err.message, "no socket"));
	cr_assert_lt(check_path(bench_path(&bench, "s/t"), getuid(), &bench.err), 0);
	cr_assert_eq(bench.err.kind, ERR_UNREACHABLE);
	bench_close(&bench);
}

Test(endpoint_socket, refuses_somebody_elses)
{
	struct bench bench;
	unsigned user_id = getuid() + 1;
	int fd;

	bench_open(&bench);
	fd = listen_at(bench_path(&bench, "s"));
	if (getuid() == 0) {
		/* Root's own are good for everybody. */
		cr_assert_eq(check_path(bench_path(&bench, "s"), 4242, &bench.err), 0);
		cr_assert_eq(chown(bench_path(&bench, "s"), 4242, 0), 0);
		user_id = 0;
		cr_assert_eq(check_path(bench_path(&bench, "s"), 4242, &bench.err), 0);
	}
	cr_assert_lt(check_path(bench_path(&bench, "s"), user_id, &bench.err), 0);
	cr_assert_eq(bench.err.kind, ERR_DENIED);
	cr_assert_not_null(strstr(bench.err.message, "belongs to user"));
	close(fd);
	bench_close(&bench);
}

/* Runs as nobody if it can: root may connect to anything. */
Test(endpoint_socket, tells_which_group_may)
{
	struct bench bench;
	bool root = getuid() == 0;
	int fd;

	bench_open(&bench);
	fd = listen_at(bench_path(&bench, "s"));
	if (root) {
		cr_assert_eq(chmod(bench.folder, 0755), 0);
		cr_assert_eq(chown(bench_path(&bench, "s"), 0, 4), 0); /* adm on Debian */
		cr_assert_eq(chmod(bench_path(&bench, "s"), 0660), 0);
		cr_assert_eq(setresgid(65534, 65534, 65534), 0);
		cr_assert_eq(setresuid(65534, 65534, 0), 0);
		cr_assert_lt(check_path(bench_path(&bench, "s"), 65534, &bench.err), 0);
		cr_assert_eq(bench.err.kind, ERR_DENIED);
		cr_assert_str_eq(bench.err.hint, "add yourself to the group adm, or use sudo");
		cr_assert_eq(setresuid(0, 0, 0), 0);
		cr_assert_eq(chown(bench_path(&bench, "s"), 0, 54321), 0);
		cr_assert_eq(setresuid(65534, 65534, 0), 0);
		cr_assert_lt(check_path(bench_path(&bench, "s"), 65534, &bench.err), 0);
		cr_assert_str_eq(bench.err.hint, "add yourself to the group 54321, or use sudo");
		cr_assert_eq(setresuid(0, 0, 0), 0);
	}
	cr_assert_eq(chmod(bench_path(&bench, "s"), 0400), 0);
	if (root)
		cr_assert_eq(setresuid(65534, 65534, 0), 0);
	cr_assert_lt(check_path(bench_path(&bench, "s"), getuid(), &bench.err), 0);
	cr_assert_eq(bench.err.kind, ERR_DENIED);
	cr_assert_str_eq(bench.err.hint, "use sudo");
	if (root)
		cr_assert_eq(setresuid(0, 0, 0), 0);
	close(fd);
	bench_close(&bench);
}

Test(endpoint_socket, has_nothing_to_say_about_other_kinds)
{
	struct endpoint endpoint = {.kind = ENDPOINT_TCP};
	struct err err = ERR_INIT;

	cr_assert_eq(endpoint_check_socket(&endpoint, 1, &err), 0);
	endpoint.kind = ENDPOINT_SPAWN;
	cr_assert_eq(endpoint_check_socket(&endpoint, 1, &err), 0);
}

Test(endpoint_podman, was_used_by_whom_its_database_is)
{
	static const char *const folders[] = {"containers", "containers/storage",
	                                      "containers/storage/libpod"};
	struct bench bench;

	bench_open(&bench);
	cr_expect_not(endpoint_podman_was_used(&bench.settings));
	bench_set(&bench, "XDG_DATA_HOME", bench.folder);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		cr_assert_eq(mkdir(bench_path(&bench, folders[i]), 0700), 0);
	cr_expect_not(endpoint_podman_was_used(&bench.settings));
	close(open(bench_path(&bench, "containers/storage/libpod/bolt_state.db"),
	           O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	cr_expect(endpoint_podman_was_used(&bench.settings));
	bench_close(&bench);
}
