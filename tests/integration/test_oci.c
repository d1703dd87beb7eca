/* SPDX-License-Identifier: Apache-2.0 */
/* The engine without a daemon: how a source is found, what of its files and its network a task sees, images on
 * disk (design sections 2 and 5; research/docker-oci.md 5 and 6). */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>
#include "tests/integration/engine_oci.h"
#include "tests/integration/expect.h"

TestSuite(oci, .fini = expect_clean, .timeout = 60);

static const char *in_dir(char path[512], const char *name)
{
	snprintf(path, 512, "%s/%s", getenv("ONEOFF_TEST_DIR"), name);
	return path;
}

/* ---- finding the source ---- */

Test(oci, a_source_is_found_by_the_beginning_of_its_id)
{
	expect_result(WORDS("run", "-q", "--like", "oci:bul", "--", "helper", "exit", "3", "x"), 3,
	              "x");
}

Test(oci, an_unknown_id_lists_near_ones)
{
	expect_refused(WORDS("run", "--like", "oci:bulq", "--", "true"), "bulq", "bulk");
}

/* A whole id goes before the beginning of another: that `web` does not mean web-1 is what all cases show. */
Test(oci, an_id_that_begins_two_is_refused_with_both)
{
	expect_refused(WORDS("run", "--like", "oci:web-", "--", "true"), "web-1", "web-2");
}

Test(oci, a_bare_name_needs_no_runtime_option)
{
	struct run run;

	run_all(&run, &(struct run_spec){
			      ARGV("run", "-q", "--like", "bulk", "--", "helper", "exit", "3"),
			      .env = WORDS("ONEOFF_RUNTIME", "ONEOFF_PODMAN=/nonexistent/podman")});
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(oci, a_root_that_is_not_there_is_told)
{
	expect_refused(
		WORDS("run", "--oci-root", "/nonexistent/root", "--like", "oci:web", "--", "true"),
		"--oci-root", "/nonexistent/root");
}

Test(oci, a_source_of_runc_is_found_in_its_root)
{
	char root[512];

	expect_result(WORDS("run", "-q", "--oci-root", in_dir(root, "runc"), "--like",
	                    "oci:by-runc", "--", "helper", "exit", "3", "x"),
	              3, "x");
}

Test(oci, either_runtime_runs_a_source_of_the_other)
{
	char root[512];

	expect_result(WORDS("run", "-q", "--oci-runtime", "runc", "--like", "oci:web", "--",
	                    "helper", "where"),
	              0, "uid 1234 gid 1235 cwd /srv/app tty 000\n");
	expect_result(WORDS("run", "-q", "--oci-runtime", "crun", "--oci-root",
	                    in_dir(root, "runc"), "--like", "oci:by-runc", "--", "helper", "exit",
	                    "3", "x"),
	              3, "x");
}

Test(oci, a_command_that_is_not_there_is_127_with_runc_too)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "--oci-runtime", "runc", "--like", "web", "--",
	                                      "no-such-command")});
	cr_assert_eq(run.code, 127, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	run_all(&run, &(struct run_spec){ARGV("run", "--oci-runtime", "runc", "--like", "web", "--",
	                                      "/bin/not-executable")});
	cr_assert_eq(run.code, 126, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* The source's network is gone with it: the task has one with nothing but a loopback, and is told so. */
Test(oci, a_source_that_ended_is_cloned_with_a_note)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "--like", "oci:ended", "--", "sh", "-c",
	                                      "ls /sys/class/net; exit 4")});
	cr_assert_eq(run.code, 4, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "lo\n"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(chatter_only(&run.err) && strstr(run.err.text, "ended"), RUN_FORMAT,
	          RUN_ARGS(&run));
	run_release(&run);
}

/* Only one-offs stand in our state root, so that whoever looks there sees nothing else. */
Test(oci, one_offs_have_a_state_root_of_their_own)
{
	const char *run_folder = getenv("ONEOFF_OCI_RUN");
	char root[512];
	struct run run, list;

	run_start(&run,
	          &(struct run_spec){ARGV("run", "--like", "web", "--", "helper", "signals")});
	cr_assert(run_until(&run, &run.out, 0, "ready"), RUN_FORMAT, RUN_ARGS(&run));
	snprintf(root, sizeof(root), "%s/state", run_folder);
	run_all(&list, &(struct run_spec){ARGV("crun", "--root", root, "list", "-q"),
	                                  .program = "/usr/bin/env"});
	cr_assert_eq(list.code, 0, RUN_FORMAT, RUN_ARGS(&list));
	cr_assert_eq(strncmp(list.out.text, "web-oneoff-", 11), 0, RUN_FORMAT, RUN_ARGS(&list));
	cr_assert_eq(strchr(list.out.text, '\n'), list.out.text + list.out.text_length - 1,
	             RUN_FORMAT, RUN_ARGS(&list));
	run_release(&list);
	kill(run.pid, SIGTERM);
	run_finish(&run);
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* ---- files ---- */

/* Writes into what the source itself sees. */
static void write_in_source(const char *id, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)oci_pid(getenv("ONEOFF_OCI_ROOT"), id),
	         name);
	file = text ? fopen(path, "we") : NULL;
	if (!text) {
		unlink(path);
		return;
	}
	cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0, "%s", path);
}

/* The image's state, as Docker's `run` would give: the overlay's upper layer stays the source's own. */
Test(oci, what_a_source_on_an_overlay_wrote_is_not_seen)
{
	write_in_source("web", "/tmp/later", "later");
	write_in_source("web", "/srv/app/Procfile", "changed");
	expect_result(WORDS("run", "-q", "--like", "web", "--", "sh", "-c",
	                    "test -e /tmp/later || echo none; grep -c helper Procfile"),
	              0, "none\n2\n");
	write_in_source("web", "/tmp/later", NULL);
}

/* There is no other state than that of the folder itself. */
Test(oci, what_a_source_on_a_plain_folder_wrote_is_seen)
{
	write_in_source("bulk", "/tmp/later", "later");
	expect_result(WORDS("run", "-q", "--like", "bulk", "--", "cat", "/tmp/later"), 0, "later");
	write_in_source("bulk", "/tmp/later", NULL);
}

static long size_in(const char *folder, const char *name)
{
	char path[1024], base[512];
	FILE *file;
	long size = -1;

	snprintf(path, sizeof(path), "%s/%s", in_dir(base, folder), name);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fseek(file, 0, SEEK_END) == 0)
		size = ftell(file);
	fclose(file);
	return size;
}

static void expect_root_untouched(const char *source, const char *folder)
{
	long before = size_in(folder, "etc/passwd");

	cr_assert_gt(before, 0);
	expect_result(WORDS("run", "-q", "-u", "0", "--like", source, "--", "sh", "-c",
	                    "echo more >>/etc/passwd; echo new >/srv/app/new; rm /bin/entry;"
	                    "rm -r /empty; mkdir /opaque; mv /srv/app/Procfile /tmp;"
	                    "chmod 777 /etc; tail -n 1 /etc/passwd"),
	              0, "more\n");
	cr_assert_eq(size_in(folder, "etc/passwd"), before);
	cr_assert_eq(size_in(folder, "srv/app/new"), -1);
	cr_assert_eq(size_in(folder, "tmp/Procfile"), -1);
	cr_assert_gt(size_in(folder, "bin/entry"), 0);
	cr_assert_gt(size_in(folder, "srv/app/Procfile"), 0);
}

Test(oci, what_a_task_writes_never_reaches_the_root_of_its_source)
{
	expect_root_untouched("bulk", "plain");
	expect_root_untouched("web", "root");
	expect_root_untouched("web", "bundles/web/rootfs");
}

/* ---- network ---- */

/* A server in the source's network, on its loopback alone; says one line to whoever comes. */
static pid_t serve_in_source(const char *id, int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	                              .sin_port = htons((uint16_t)port),
	                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int ready[2], one = 1, listener, client;
	char path[64], byte;
	pid_t child;

	snprintf(path, sizeof(path), "/proc/%d/ns/net",
	         (int)oci_pid(getenv("ONEOFF_OCI_ROOT"), id));
	cr_assert_eq(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setns(open(path, O_RDONLY), CLONE_NEWNET) < 0)
			_exit(1);
		listener = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		    listen(listener, 4) < 0 || write(ready[1], "r", 1) != 1)
			_exit(2);
		while ((client = accept(listener, NULL, NULL)) >= 0) {
			if (write(client, "from the source\n", 16) != 16)
				_exit(3);
			close(client);
		}
		_exit(4);
	}
	close(ready[1]);
	cr_assert_eq(read(ready[0], &byte, 1), 1, "no server in the network of %s", id);
	close(ready[0]);
	return child;
}

Test(oci, a_task_reaches_what_listens_on_the_source_s_loopback)
{
	pid_t server = serve_in_source("web", 7070);

	expect_result(WORDS("run", "-q", "-I", "--like", "web", "--", "nc", "127.0.0.1", "7070"), 0,
	              "from the source\n");
	expect_result(WORDS("run", "-q", "-I", "--network", "none", "--like", "web", "--", "sh",
	                    "-c", "nc 127.0.0.1 7070 || echo refused"),
	              0, "refused\n");
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

Test(oci, network_none_has_a_loopback_only_and_it_is_up)
{
	expect_result(WORDS("run", "-q", "--network", "none", "--like", "web", "--", "sh", "-c",
	                    "ls /sys/class/net; ping -c 1 -q 127.0.0.1 >/dev/null 2>&1;"
	                    "ip -o addr show lo | grep -c 'inet 127.0.0.1'"),
	              0, "lo\n1\n");
}

static void network_of(const char *pid, char name[64])
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	n = readlink(path, name, 62);
	cr_assert_gt(n, 0);
	name[n] = '\n';
	name[n + 1] = '\0';
}

Test(oci, network_host_is_the_one_that_we_are_in)
{
	char name[64];

	network_of("self", name);
	expect_result(WORDS("run", "-q", "-u", "0", "--network", "host", "--like", "bulk", "--",
	                    "readlink", "/proc/self/ns/net"),
	              0, name);
}

/* ---- images on disk ---- */

static void expect_image(const char *file)
{
	char source[600], path[512];

	snprintf(source, sizeof(source), "oci-layout:%s:1", in_dir(path, file));
	expect_result(WORDS("run", "-q", "--like", source, "--", "sh", "-c",
	                    "helper where; echo $FROM_IMAGE; ls /sys/class/net; cat Procfile"),
	              0,
	              "uid 1234 gid 1235 cwd /srv/app tty 000\nkept as it is\nlo\n"
	              "web: helper signals\nmigrate: helper exit 4\n");
	/* a second time from the store, which the first must have left as it was */
	expect_result(WORDS("run", "-q", "-u", "0", "--like", source, "--", "sh", "-c",
	                    "rm /bin/entry; echo x >/etc/passwd; echo done"),
	              0, "done\n");
	expect_result(WORDS("run", "-q", "--like", source, "--", "sh", "-c",
	                    "test -x /bin/entry && grep -c app /etc/passwd; exit 6"),
	              6, "1\n");
}

Test(oci, an_image_layout_in_a_folder)
{
	expect_image("image");
}

Test(oci, an_image_layout_in_a_tar)
{
	expect_image("image.tar");
}

Test(oci, an_image_s_entrypoint_stays_before_the_command)
{
	char source[600], path[512];
	struct run run;

	snprintf(source, sizeof(source), "oci-layout:%s:entry", in_dir(path, "image"));
	run_all(&run, &(struct run_spec){ARGV("run", "-q", "--like", source, "--", "helper", "exit",
	                                      "4", "x")});
	cr_assert_eq(run.code, 4, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "x"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.err, "entrypoint 4\n"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	expect_result(WORDS("run", "-q", "--entrypoint", "clear", "--like", source, "--", "sh",
	                    "-c", "echo x >/data/x && cat /data/x; id -u"),
	              0, "x\n0\n");
	expect_result(
		WORDS("run", "-q", "--entrypoint", "helper", "--like", source, "--", "argv", "z"),
		0, "7a\n");
}

Test(oci, an_image_s_task_has_a_terminal_too)
{
	char source[600], path[512];
	struct run run;

	snprintf(source, sizeof(source), "oci-layout:%s:1", in_dir(path, "image"));
	run_start(&run,
	          &(struct run_spec){ARGV("run", "-q", "--like", source, "--", "helper", "winsize"),
	                             .pty = true, .rows = 31, .columns = 97});
	cr_assert(run_until(&run, &run.out, 0, "size 31 97"), RUN_FORMAT, RUN_ARGS(&run));
	run_send(&run, "\x03");
	run_finish(&run);
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(run_terminal_restored(&run));
	run_release(&run);
}

Test(oci, an_image_is_named_by_its_whole_name_too)
{
	char source[700], path[512], link[600];

	snprintf(link, sizeof(link), "%s:5000", in_dir(path, "other"));
	unlink(link);
	cr_assert_eq(symlink("image", link), 0);
	snprintf(source, sizeof(source), "oci-layout:%s:library/x:2", in_dir(path, "image"));
	expect_refused(WORDS("run", "--like", source, "--", "true"), "'library/x:2'", "1, entry");
	snprintf(source, sizeof(source), "oci-layout:%s:1", link);
	expect_output(WORDS("run", "-q", "--like", source, "--", "helper", "exit", "0"), "");
	snprintf(source, sizeof(source), "oci-layout:%s", link);
	expect_refused(WORDS("run", "--like", source, "--", "true"), "more than one", "1, entry");
	unlink(link);
}

Test(oci, images_that_are_not_there_are_told)
{
	char source[600], path[512];

	snprintf(source, sizeof(source), "oci-layout:%s:2", in_dir(path, "image"));
	expect_refused(WORDS("run", "--like", source, "--", "true"), "'2'", "1, entry");
	snprintf(source, sizeof(source), "oci-layout:%s", in_dir(path, "image"));
	expect_refused(WORDS("run", "--like", source, "--", "true"), "1", "entry");
	expect_refused(WORDS("run", "--like", "oci-layout:/nonexistent/image", "--", "true"),
	               "/nonexistent/image", "oneoff: ");
}

/* Every blob is checked against its digest before a byte of it is trusted. */
Test(oci, an_image_that_was_changed_is_refused)
{
	char script[2048], source[600], path[512];
	struct run run;

	in_dir(path, "");
	snprintf(script, sizeof(script),
	         "cp -r %s/image %s/changed && cd %s/changed/blobs/sha256 && "
	         "layer=$(ls -S | head -n 1) && printf x | dd of=$layer bs=1 seek=5000 "
	         "conv=notrunc 2>&1",
	         path, path, path);
	run_all(&run, &(struct run_spec){.program = "/bin/sh", ARGV("-c", script)});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	snprintf(source, sizeof(source), "oci-layout:%s/changed:1", path);
	/* with a store of its own: in the other one the layer may be unpacked already */
	snprintf(script, sizeof(script), "%s/changed/store", path);
	expect_refused(WORDS("run", "--store", script, "--like", source, "--", "true"), "sha256",
	               "oneoff: ");
	snprintf(script, sizeof(script), "rm -r %s/changed", path);
	run_all(&run, &(struct run_spec){.program = "/bin/sh", ARGV("-c", script)});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* ---- more than one ---- */

Test(oci, a_name_that_another_one_off_has_is_125)
{
	struct run run;

	run_start(&run, &(struct run_spec){ARGV("run", "--name", "mine", "--like", "web", "--",
	                                        "helper", "signals", "6")});
	cr_assert(run_until(&run, &run.out, 0, "ready"), RUN_FORMAT, RUN_ARGS(&run));
	expect_refused(WORDS("run", "--name", "mine", "--like", "bulk", "--", "true"), "mine",
	               "taken");
	cr_assert_eq(engine_count_one_offs(), 1);
	kill(run.pid, SIGTERM);
	run_finish(&run);
	cr_assert_eq(run.code, 6, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* A name becomes a folder: none may lead out of ours. */
Test(oci, a_name_that_is_no_file_name_is_refused)
{
	expect_refused(WORDS("run", "--name", "../web", "--like", "web", "--", "true"), "../web",
	               "name");
	expect_refused(WORDS("run", "--name", "", "--like", "web", "--", "true"), "name", "name");
}

static void start_two(struct run *run, const char *word)
{
	run_start(run, &(struct run_spec){ARGV("run", "-q", "--like", "web", "--", "sh", "-c",
	                                       "echo $0 >/tmp/word; echo ready; read go;"
	                                       "cat /tmp/word; exit $0",
	                                       word),
	                                  .stdin_mode = STDIN_SILENT, .deadline_ms = 20000});
}

static void finish_two(struct run *run, int code, const char *expected)
{
	run_send(run, "go\n");
	run_finish(run);
	cr_assert_eq(run->code, code, RUN_FORMAT, RUN_ARGS(run));
	cr_assert(capture_is(&run->out, expected), RUN_FORMAT, RUN_ARGS(run));
	run_release(run);
}

Test(oci, two_at_once_do_not_meet)
{
	struct run first, second;

	start_two(&first, "1");
	start_two(&second, "2");
	cr_assert(run_until(&first, &first.out, 0, "ready"), RUN_FORMAT, RUN_ARGS(&first));
	cr_assert(run_until(&second, &second.out, 0, "ready"), RUN_FORMAT, RUN_ARGS(&second));
	cr_assert_eq(engine_count_one_offs(), 2);
	finish_two(&first, 1, "ready\n1\n");
	finish_two(&second, 2, "ready\n2\n");
}
