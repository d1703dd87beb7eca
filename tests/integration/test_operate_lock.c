/* SPDX-License-Identifier: Apache-2.0 */
/* --lock: one holder at a time, for as long as its task lives, whatever becomes of its client (design section 2). */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/integration/engine.h"
#include "tests/integration/operate.h"

Test(operate, a_held_lock_names_its_holder)
{
	char id[ID_SIZE];
	struct run run;

	start_detached(id, ARGUMENTS("run", "-d", "--lock", "one", "--like", "web", "--", "helper",
	                             "wait", "30000", "0"));
	run_with_code(&run, 125,
	              ARGUMENTS("run", "--lock", "one", "--like", "web", "--", "helper", "exit",
	                        "0", "ran"));
	cr_assert(capture_is(&run.out, ""), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, "lock 'one' is held by "), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, "helper wait 30000 0"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, id), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	/* another lock is another lock */
	expect_code(
		0, ARGUMENTS("run", "--lock", "two", "--like", "web", "--", "helper", "exit", "0"));
	expect_code(0, ARGUMENTS("stop", "--force", id));
	/* what is kept when it has ended holds nothing */
	expect_code(
		4, ARGUMENTS("run", "--lock", "one", "--like", "web", "--", "helper", "exit", "4"));
	expect_code(137, ARGUMENTS("wait", id));
}

Test(operate, a_lock_can_be_waited_for)
{
	char id[ID_SIZE];
	struct run run;

	start_detached(id, ARGUMENTS("run", "-d", "--lock", "one", "--like", "web", "--", "helper",
	                             "wait", "2000", "0"));
	run_with_code(&run, 125,
	              ARGUMENTS("run", "--lock", "one", "--lock-wait", "300ms", "--like", "web",
	                        "--", "helper", "exit", "0"));
	run_release(&run);
	run_with_code(&run, 6,
	              ARGUMENTS("run", "--lock", "one", "--lock-wait", "50s", "--like", "web", "--",
	                        "helper", "exit", "6", "ran"));
	cr_assert(capture_is(&run.out, "ran"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	expect_code(0, ARGUMENTS("wait", id));
}

Test(operate, a_killed_client_s_task_keeps_the_lock)
{
	struct run holder, run;
	cJSON *clone;

	run_start(&holder, &(struct run_spec){ARGV("run", "--lock", "one", "--like", "web", "--",
	                                           "helper", "wait", "4000", "0")});
	cr_assert(run_until(&holder, &holder.out, 0, "ready"), RUN_FORMAT, RUN_ARGS(&holder));
	clone = engine_wait_one_off();
	cr_assert(clone);
	kill(holder.pid, SIGKILL);
	run_pump(&holder, 200);
	run_with_code(
		&run, 125,
		ARGUMENTS("run", "--lock", "one", "--like", "web", "--", "helper", "exit", "0"));
	run_release(&run);
	/* and frees it with its end, although nobody is there to do so */
	run_with_code(&run, 2,
	              ARGUMENTS("run", "--lock", "one", "--lock-wait", "50s", "--like", "web", "--",
	                        "helper", "exit", "2"));
	run_release(&run);
	run_finish(&holder);
	run_release(&holder);
	cJSON_Delete(clone);
	engine_after_client_died();
}

/* Only one mkdir of two succeeds, whoever makes it: the shared volume itself says whether two tasks lived at once. */
#define ALONE                                                                                      \
	"cd /data; mkdir held 2>/dev/null || echo TWICE >>lock-log; echo begin >>lock-log; "       \
	"usleep 30000; echo end >>lock-log; rmdir held"

static pid_t start_client(int null, int words)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		for (int fd = 0; fd <= 2; fd++)
			dup2(fd == 2 ? words : null, fd);
		execl(oneoff_path(), "oneoff", "run", "--lock", "crowd", "--lock-wait", "10m", "-u",
		      "0", "--like", source_name("web"), "--", "sh", "-c", ALONE, (char *)NULL);
		_exit(126);
	}
	return pid;
}

static int count_lines(const char *text, const char *line)
{
	int count = 0;

	for (const char *at = text; (at = strstr(at, line)); at += strlen(line))
		count++;
	return count;
}

/* What the clients said, but for that they wait. */
static void show_words(int words)
{
	FILE *file = fdopen(words, "r");
	char line[1024];

	rewind(file);
	while (fgets(line, sizeof(line), file))
		if (!strstr(line, "waiting: "))
			cr_log_warn("%s", line);
	fclose(file);
}

/* Kills one of three at some moment; the others must all have had their turn. */
static int finish_crowd(pid_t *clients, int count)
{
	int left = count, kills = count / 3, codes_of_0 = 0;
	unsigned seed = 1;

	while (left > 0) {
		int status, victim = rand_r(&seed) % count;
		pid_t pid = waitpid(-1, &status, kills > 0 ? WNOHANG : 0);

		if (pid < 0 && errno != EINTR)
			break;
		if (pid == 0) {
			if (clients[victim] > 0 && kill(clients[victim], SIGKILL) == 0)
				kills--;
			pause_ms(20 + (int)(rand_r(&seed) % 100));
		}
		for (int i = 0; i < count; i++) {
			if (pid <= 0 || clients[i] != pid)
				continue;
			clients[i] = 0;
			left--;
			codes_of_0 += WIFEXITED(status) && WEXITSTATUS(status) == 0;
			cr_expect(WIFSIGNALED(status) || WEXITSTATUS(status) == 0,
			          "client %d: code %d", i, WEXITSTATUS(status));
		}
	}
	return codes_of_0;
}

/* ONEOFF_TEST_CLIENTS: 200 are those of a release. */
Test(operate, a_crowd_with_kills_never_has_two_tasks_at_once, .timeout = 900)
{
	const char *wanted = getenv("ONEOFF_TEST_CLIENTS");
	int count = wanted ? atoi(wanted) : engine_traits()->run_ms ? 9 : 30;
	pid_t *clients = calloc((size_t)count, sizeof(*clients));
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), ran, begun;
	int words = memfd_create("crowd", MFD_CLOEXEC);
	struct run run;

	cr_assert(clients && null >= 0 && words >= 0);
	expect_code(0, ARGUMENTS("run", "-q", "-u", "0", "--like", "web", "--", "sh", "-c",
	                         "rm -rf /data/held /data/lock-log; : >/data/lock-log"));
	for (int i = 0; i < count; i++) {
		clients[i] = start_client(null, words);
		cr_assert_gt(clients[i], 0);
	}
	ran = finish_crowd(clients, count);
	show_words(words);
	/* a task whose client was killed may run on: the lock says when all is over */
	run_with_code(&run, 0,
	              ARGUMENTS("run", "-q", "--lock", "crowd", "--lock-wait", "60s", "-u", "0",
	                        "--like", "web", "--", "cat", "/data/lock-log"));
	begun = count_lines(run.out.text, "begin\n");
	cr_assert_eq(count_lines(run.out.text, "TWICE"), 0, "two tasks at once:\n%s", run.out.text);
	cr_assert_eq(count_lines(run.out.text, "begin\nend\n"), begun, "%s", run.out.text);
	cr_assert(begun >= ran && ran >= count - count / 3, "%d of %d ended well, %d tasks", ran,
	          count, begun);
	cr_log_info("%d clients, %d ended well, %d tasks ran", count, ran, begun);
	run_release(&run);
	close(null);
	free(clients);
	engine_after_client_died();
}
