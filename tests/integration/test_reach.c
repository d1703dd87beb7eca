/* SPDX-License-Identifier: Apache-2.0 */
/* The ways to an engine and to a container: ssh, contexts, compose names, a Podman without a socket. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/integration/expect.h"

TestSuite(reach, .fini = expect_clean, .timeout = 60);

/* A script of its own in a folder of its own; returns the folder. */
static char *make_script(const char *name, const char *text)
{
	char *folder = strdup("/tmp/oneoff-reach-XXXXXX");
	char path[128];
	FILE *file;

	cr_assert(folder && mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	cr_assert(file);
	cr_assert_geq(fprintf(file, "#!/bin/sh\n%s\n", text), 0);
	fclose(file);
	chmod(path, 0755);
	return folder;
}

static void drop_script(char *folder, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
	rmdir(folder);
	free(folder);
}

Test(reach, over_ssh_by_dial_stdio)
{
	char *folder, path[512], script[512];
	struct run run;

	if (engine_is_podman())
		return;
	snprintf(script, sizeof(script),
	         "for last; do :; done; exec %s -H unix://%s system dial-stdio", DOCKER,
	         getenv("ONEOFF_TEST_SOCKET"));
	folder = make_script("ssh", script);
	snprintf(path, sizeof(path), "PATH=%s:%s", folder, getenv("PATH"));
	run_all(&run,
	        &(struct run_spec){
			ARGV("run", "--like", "web", "--", "sh", "-c", "helper sum; exit 6"),
			.env = (const char *const[]){path, "DOCKER_HOST=ssh://ana@host", NULL},
			.stdin_mode = STDIN_PATTERN, .input_length = 3000000});
	cr_assert_eq(run.code, 6, RUN_FORMAT, RUN_ARGS(&run));
	snprintf(script, sizeof(script), "%016llx 3000000",
	         (unsigned long long)pattern_hash(0, 3000000));
	cr_assert(strstr(run.out.text, script), "%s in " RUN_FORMAT, script, RUN_ARGS(&run));
	run_release(&run);
	drop_script(folder, "ssh");
}

Test(reach, says_what_ssh_said)
{
	char *folder, path[512];
	struct run run;

	if (engine_is_podman())
		return;
	folder = make_script("ssh", "echo 'host key changed' >&2; exit 255");
	snprintf(path, sizeof(path), "PATH=%s:%s", folder, getenv("PATH"));
	run_all(&run, &(struct run_spec){ARGV("run", "--like", "web", "--", "true"),
	                                 .env = (const char *const[]){
						 path, "DOCKER_HOST=ssh://ana@host", NULL}});
	cr_assert_eq(run.code, 125, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, "host key changed"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(chatter_only(&run.err), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	drop_script(folder, "ssh");
}

Test(reach, by_docker_context)
{
	char host[256];
	struct run run;

	if (engine_is_podman())
		return;
	snprintf(host, sizeof(host), "host=unix://%s", getenv("ONEOFF_TEST_SOCKET"));
	CLI("context", "create", "reach-test", "--docker", host);
	run_all(&run,
	        &(struct run_spec){ARGV("run", "--like", "web", "--", "helper", "exit", "5"),
	                           .env = (const char *const[]){
					   "DOCKER_HOST", "DOCKER_CONTEXT=reach-test", NULL}});
	cr_assert_eq(run.code, 5, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	run_all(&run, &(struct run_spec){ARGV("run", "--context", "reach-test", "--like", "web",
	                                      "--", "helper", "exit", "4"),
	                                 .env = (const char *const[]){
						 "DOCKER_HOST=unix:///nonexistent", NULL}});
	cr_assert_eq(run.code, 4, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	CLI("context", "rm", "-f", "reach-test");
}

static void make_replica(const char *name, const char *project, const char *number,
                         const char *one_off)
{
	char labels[4][128];

	snprintf(labels[0], sizeof(labels[0]), "com.docker.compose.project=%s", project);
	snprintf(labels[1], sizeof(labels[1]), "com.docker.compose.container-number=%s", number);
	snprintf(labels[2], sizeof(labels[2]), "com.docker.compose.oneoff=%s", one_off);
	snprintf(labels[3], sizeof(labels[3]), "REPLICA=%s", name);
	CLI("run", "-d", "--name", name, "-l", labels[0], "-l", labels[1], "-l", labels[2], "-l",
	    "com.docker.compose.service=api", "-l", "com.docker.compose.config-hash=abc", "-e",
	    labels[3], "oneoff-test:1");
}

static void expect_replica(const char *source, const char *wanted)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "-q", "--like", source, "--", "sh", "-c",
	                                      "echo $REPLICA")});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_str_eq(run.out.text, wanted, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

static void expect_compose_labels(void)
{
	struct run run;
	cJSON *clone;

	run_start(&run, &(struct run_spec){ARGV("run", "--like", "compose:shop/api", "--", "helper",
	                                        "signals")});
	clone = engine_wait_one_off();
	cr_assert(clone);
	const cJSON *labels = member(clone, "Config.Labels");
	const cJSON *one_off =
		cJSON_GetObjectItemCaseSensitive(labels, "com.docker.compose.oneoff");
	const cJSON *hash =
		cJSON_GetObjectItemCaseSensitive(labels, "com.docker.compose.config-hash");

	cr_assert_str_eq(cJSON_GetStringValue(one_off), "True");
	cr_assert_str_eq(cJSON_GetStringValue(hash), "abc");
	cr_assert_null(
		cJSON_GetObjectItemCaseSensitive(labels, "com.docker.compose.container-number"));
	cJSON_Delete(clone);
	kill(run.pid, SIGTERM);
	run_finish(&run);
	run_release(&run);
}

Test(reach, compose_services)
{
	struct run run;

	if (engine_is_podman())
		return;
	make_replica("shop-api-run-1", "shop", "1", "True");
	make_replica("shop-api-2", "shop", "2", "False");
	make_replica("shop-api-1", "shop", "1", "False");
	expect_replica("compose:shop/api", "shop-api-1\n");
	expect_replica("api", "shop-api-1\n");
	expect_compose_labels();
	make_replica("blog-api-1", "blog", "1", "False");
	run_all(&run, &(struct run_spec){ARGV("run", "--like", "api", "--", "true")});
	cr_assert_eq(run.code, 125, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, "compose:shop/api") &&
	                  strstr(run.err.text, "compose:blog/api"),
	          RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	expect_replica("compose:blog/api", "blog-api-1\n");
	CLI("rm", "-f", "shop-api-1", "shop-api-2", "shop-api-run-1", "blog-api-1");
}

/* Without a socket anywhere: the service is started for this run, and is gone with it. */
Test(reach, a_podman_without_a_socket_is_started)
{
	char *folder, program[128], runtime_folder[128], script[512];
	const char *dir = getenv("ONEOFF_TEST_DIR");
	struct run run;

	if (!engine_is_podman())
		return;
	snprintf(script, sizeof(script),
	         "exec podman --root %s/data --runroot %s/run --tmpdir %s/tmp "
	         "--network-config-dir %s/networks \"$@\"",
	         dir, dir, dir, dir);
	folder = make_script("podman", script);
	snprintf(program, sizeof(program), "ONEOFF_PODMAN=%s/podman", folder);
	snprintf(runtime_folder, sizeof(runtime_folder), "XDG_RUNTIME_DIR=%s", folder);
	run_all(&run, &(struct run_spec){
			      ARGV("run", "--like", "web", "--", "sh", "-c", "helper sum; exit 8"),
			      .env = (const char *const[]){"CONTAINER_HOST", program,
	                                                   runtime_folder, NULL},
			      .stdin_mode = STDIN_PATTERN, .input_length = 100000});
	cr_assert_eq(run.code, 8, RUN_FORMAT, RUN_ARGS(&run));
	snprintf(script, sizeof(script), "%016llx 100000",
	         (unsigned long long)pattern_hash(0, 100000));
	cr_assert(strstr(run.out.text, script), "%s in " RUN_FORMAT, script, RUN_ARGS(&run));
	run_release(&run);
	drop_script(folder, "podman");
}
