/* SPDX-License-Identifier: Apache-2.0 */
/* What runtimes say when they fail (recorded from crun 1.8.1 and runc 1.1.5), and how they are called. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/wait.h>
#include "oci/cgroup.h"
#include "oci/runtime.h"

static const struct {
	const char *path, *log;
	enum err_kind kind;
	const char *words;
} failures[] = {
	{"/usr/bin/crun",
         "{\"msg\":\"executable file `nonexist` not found in $PATH: No such file or directory\","
         "\"level\":\"error\",\"time\":\"2026-11-21T09:34:00.0Z\"}\n",
         ERR_COMMAND_NOT_FOUND, "crun: executable file `nonexist` not found"},
	{"/usr/bin/crun",
         "{\"msg\":\"open executable: Operation not permitted\",\"level\":\"error\"}\n",
         ERR_CANNOT_EXECUTE, "open executable"},
	{"/usr/sbin/runc",
         "{\"level\":\"error\",\"msg\":\"runc run failed: unable to start container process: exec: "
         "\\\"nonexist\\\": executable file not found in $PATH\"}\n",
         ERR_COMMAND_NOT_FOUND, "runc: runc run failed"},
	{"runc",
         "{\"level\":\"error\",\"msg\":\"runc run failed: unable to start container process: exec: "
         "\\\"/etc/passwd\\\": permission denied\"}\n",
         ERR_CANNOT_EXECUTE, "permission denied"},
	{"crun", "{\"msg\":\"cannot set memory limit\",\"level\":\"error\"}\n", ERR_REFUSED,
         "crun: cannot set memory limit"},
	/* Only errors count, and the last one. */
	{"crun",
         "{\"level\":\"error\",\"msg\":\"first\"}\n{\"level\":\"error\",\"msg\":\"last\"}\n"
         "{\"level\":\"warning\",\"msg\":\"executable not found\"}\nnot json\n",
         ERR_REFUSED, "crun: last"},
	{"crun", "", ERR_REFUSED, "crun ended with code 7 and said nothing"},
	{"crun", "garbage", ERR_REFUSED, "said nothing"},
};

Test(runtime, tells_what_a_failure_means)
{
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		struct err err = ERR_INIT;

		cr_expect_eq(runtime_failure(failures[i].path, failures[i].log, 7, &err), -1);
		cr_expect_eq(err.kind, failures[i].kind, "%zu: %s", i, err.message);
		cr_expect(strstr(err.message, failures[i].words), "%zu: %s", i, err.message);
	}
}

Test(runtime, is_called_with_a_root_of_our_own)
{
	struct runtime runtime = {(char *)"/usr/bin/crun", (char *)"/run/x/state", false, true};
	struct strv argv = STRV_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(runtime_argv(&runtime, "/run/x/log", &argv, &err), 0);
	cr_assert_str_eq(argv.items[1], "--root");
	cr_assert_str_eq(argv.items[2], "/run/x/state");
	cr_assert_str_eq(argv.items[argv.count - 1], "--cgroup-manager=disabled");
	strv_release(&argv);
	runtime.path = (char *)"/usr/sbin/runc";
	cr_assert_eq(runtime_argv(&runtime, "/run/x/log", &argv, &err), 0);
	cr_assert_str_eq(argv.items[argv.count - 1], "json");
	strv_release(&argv);
}

Test(runtime, is_looked_up_or_missed_with_a_hint)
{
	struct err err = ERR_INIT;
	char *path = NULL;

	cr_assert_eq(runtime_find("sh", NULL, &path, &err), 0, "%s", err.message);
	cr_assert(path[0] == '/');
	free(path);
	cr_assert_eq(runtime_find("/bin/sh", NULL, &path, &err), 0);
	free(path);
	cr_assert_eq(runtime_find("no-such-runtime", NULL, &path, &err), -1);
	cr_assert_eq(err.kind, ERR_UNREACHABLE);
	cr_assert_eq(runtime_find("/no/such/runtime", NULL, &path, &err), -1);
}

Test(runtime, gets_the_descriptors_as_its_own)
{
	struct strv argv = STRV_INIT;
	struct err err = ERR_INIT;
	int out[2], status;
	char text[64] = "";
	pid_t pid;

	cr_assert_eq(pipe(out), 0);
	cr_assert_eq(strv_add(&argv, "/bin/sh"), 0);
	cr_assert_eq(strv_add(&argv, "-c"), 0);
	cr_assert_eq(strv_add(&argv, "pwd; cat; exit 9"), 0);
	pid = runtime_spawn(&argv, "/usr", (const int[]){-1, out[1], -1}, &err);
	close(out[1]);
	cr_assert_eq(read(out[0], text, sizeof(text) - 1), 5);
	cr_assert_str_eq(text, "/usr\n");
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(WEXITSTATUS(status), 9);
	close(out[0]);
	strv_release(&argv);
}

static void expect_sibling(const char *path, const char *expected)
{
	struct strbuf text = STRBUF_INIT;

	cgroup_sibling(path, "ab", &text);
	cr_expect_str_eq(strbuf_str(&text), expected);
	strbuf_release(&text);
}

Test(cgroup, is_beside_the_app_s)
{
	expect_sibling("/web", "/oneoff-ab");
	expect_sibling("/shop/web", "/shop/oneoff-ab");
	expect_sibling("web", "/oneoff-ab");
	expect_sibling("/", "/oneoff-ab");
	expect_sibling("system.slice:runc:web", "system.slice:oneoff:ab");
	expect_sibling("user.slice/a:b/c", "user.slice/a:b/oneoff-ab");
}

Test(cgroup, that_is_not_there_is_gone)
{
	cr_assert_eq(cgroup_out_of_memory_kills("/no-such-cgroup-of-oneoff"), -1);
	cr_assert_eq(cgroup_out_of_memory_kills(NULL), -1);
	cr_assert(!cgroup_remove(NULL));
	cr_assert(!cgroup_remove("slice:oneoff:ab"));
}
