/* SPDX-License-Identifier: Apache-2.0 */
/* --lock: one holder at a time, for as long as its task lives, whatever becomes of its client (design section 2). */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
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
	"echo $1; usleep 100000; echo end >>lock-log; rmdir held"

/* The clients, and what comes from them: from each task the number of its client, and all that they say. */
struct crowd {
	pid_t *clients; /* 0: it has ended */
	int count, left, kills, ended_well;
	int turns[2]; /* a pipe */
	int words;    /* a file in memory */
	unsigned seed;
};

static void start_client(struct crowd *crowd, int number)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char text[16];
	pid_t pid;

	snprintf(text, sizeof(text), "%d", number);
	pid = fork();
	if (pid == 0) {
		setsid();
		dup2(null, 0);
		dup2(crowd->turns[1], 1);
		dup2(crowd->words, 2);
		execl(oneoff_path(), "oneoff", "run", "--lock", "crowd", "--lock-wait", "10m", "-u",
		      "0", "--like", source_name("web"), "--", "sh", "-c", ALONE, "sh", text,
		      (char *)NULL);
		_exit(126);
	}
	close(null);
	cr_assert_gt(pid, 0);
	crowd->clients[number] = pid;
	crowd->left++;
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

static void kill_client(struct crowd *crowd, int number)
{
	if (crowd->kills > 0 && number < crowd->count && crowd->clients[number] > 0 &&
	    kill(crowd->clients[number], SIGKILL) == 0)
		crowd->kills--;
}

/* By turns the client of the task that has just begun is killed, and any. */
static void take_turn(struct crowd *crowd)
{
	struct pollfd polled = {.fd = crowd->turns[0], .events = POLLIN};
	char bytes[64];
	ssize_t got;

	if (poll(&polled, 1, 100) <= 0)
		return;
	got = read(crowd->turns[0], bytes, sizeof(bytes) - 1);
	if (got <= 0) {
		pause_ms(20); /* all have closed it */
		return;
	}
	bytes[got] = '\0';
	if (crowd->kills % 2)
		kill_client(crowd, (int)strtol(bytes, NULL, 10));
	else
		kill_client(crowd, (int)(rand_r(&crowd->seed) % (unsigned)crowd->count));
}

static void note_end(struct crowd *crowd, pid_t pid, int status)
{
	for (int i = 0; i < crowd->count; i++) {
		if (crowd->clients[i] != pid)
			continue;
		crowd->clients[i] = 0;
		crowd->left--;
		crowd->ended_well += WIFEXITED(status) && WEXITSTATUS(status) == 0;
		cr_expect(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "client %d: code %d", i,
		          WEXITSTATUS(status));
	}
}

static void finish_crowd(struct crowd *crowd)
{
	int status;
	pid_t pid;

	while (crowd->left > 0) {
		take_turn(crowd);
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			note_end(crowd, pid, status);
	}
}

/* ONEOFF_TEST_CLIENTS: 200 are those of a release. */
Test(operate, a_crowd_with_kills_never_has_two_tasks_at_once, .timeout = 900)
{
	const char *wanted = getenv("ONEOFF_TEST_CLIENTS");
	struct crowd crowd = {.seed = 1};
	int kills, begun;
	struct run run;

	crowd.count = wanted ? (int)strtol(wanted, NULL, 10) : engine_traits()->run_ms ? 9 : 30;
	crowd.kills = kills = crowd.count / 3;
	crowd.clients = calloc((size_t)crowd.count, sizeof(*crowd.clients));
	crowd.words = memfd_create("crowd", MFD_CLOEXEC);
	cr_assert(crowd.clients && crowd.words >= 0 && pipe2(crowd.turns, O_CLOEXEC) == 0);
	expect_code(0, ARGUMENTS("run", "-q", "-u", "0", "--like", "web", "--", "sh", "-c",
	                         "rm -rf /data/held /data/lock-log; : >/data/lock-log"));
	for (int i = 0; i < crowd.count; i++)
		start_client(&crowd, i);
	close(crowd.turns[1]);
	finish_crowd(&crowd);
	show_words(crowd.words);
	/* a task whose client was killed may run on: the lock says when all is over */
	run_with_code(&run, 0,
	              ARGUMENTS("run", "-q", "--lock", "crowd", "--lock-wait", "60s", "-u", "0",
	                        "--like", "web", "--", "cat", "/data/lock-log"));
	begun = count_lines(run.out.text, "begin\n");
	cr_log_info("%d clients, %d killed, %d ended well, %d tasks ran", crowd.count,
	            kills - crowd.kills, crowd.ended_well, begun);
	cr_assert_eq(count_lines(run.out.text, "TWICE"), 0, "two tasks at once:\n%s", run.out.text);
	cr_assert_eq(count_lines(run.out.text, "begin\nend\n"), begun, "%s", run.out.text);
	cr_assert(begun >= crowd.ended_well && crowd.ended_well >= crowd.count - kills,
	          "%d of %d ended well, %d tasks", crowd.ended_well, crowd.count, begun);
	run_release(&run);
	close(crowd.turns[0]);
	free(crowd.clients);
	engine_after_client_died();
}
