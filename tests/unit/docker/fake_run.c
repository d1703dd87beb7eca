/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_run.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "cmd/oneoff/exit_code.h"
#include "pkg/base/clock.h"
#include "pkg/docker/docker.h"

void fake_run_init(struct fake_run *run, const char *input)
{
	*run = (struct fake_run){.input = input, .output_fd = -1};
	request_init(&run->request);
	if (strv_add(&run->request.argv, "task") < 0)
		abort();
	run->request.stdin_open = input != NULL;
}

static void say(void *context, enum report_level level, const char *line)
{
	(void)level;
	strbuf_addf(context, "%s\n", line);
}

static int file_with(const char *text)
{
	int fd = memfd_create("oneoff-test", MFD_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    lseek(fd, 0, SEEK_SET) < 0)
		abort();
	return fd;
}

static void read_back(int fd, struct strbuf *text)
{
	char bytes[4096];
	ssize_t got;

	lseek(fd, 0, SEEK_SET);
	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		strbuf_add(text, bytes, (size_t)got);
}

static int perform(struct fake_run *run, struct err *err)
{
	const struct backend_ops *ops = run->podman ? &podman_backend : &docker_backend;
	struct reporter reporter = {say, &run->said};
	struct backend_settings settings = {.call_timeout_ms = 300000, .reporter = reporter};

	struct loop loop = LOOP_INIT;
	struct source source = {.kind = SOURCE_BARE, .name = (char *)"web"};
	_cleanup_(release_release) struct release release = {.id = NULL};
	_cleanup_(plan_release) struct plan plan;
	struct backend *backend = NULL;
	int result = -1;

	if (run->call_timeout_ms)
		settings.call_timeout_ms = run->call_timeout_ms;
	plan_init(&plan);
	if (ops->open(&settings, &loop, &backend, err) < 0)
		return -1;
	if (ops->find(backend, &source, &release, err) == 0 &&
	    identity_make(&release, &run->request, 0, &run->identity, err) == 0 &&
	    ops->plan(backend, &release, &run->request, &run->identity, &plan, err) == 0) {
		struct run_settings wanted = {
			.backend = backend,
			.loop = &loop,
			.reporter = reporter,
			.backend_settings = &settings,
			.release = &release,
			.request = &run->request,
			.identity = &run->identity,
			.plan = &plan,
			.stop_on_disconnect = run->stop_on_disconnect,
		};

		run_task(&wanted, &run->outcome);
		run->ran = true;
		result = 0;
	}
	ops->close(backend);
	return result;
}

void fake_run_go(struct fake_run *run)
{
	int before[3], now[3];
	struct err err = ERR_INIT;

	now[0] = file_with(run->input ? run->input : "");
	now[1] = run->output_fd >= 0 ? run->output_fd : file_with("");
	now[2] = file_with("");
	for (int fd = 0; fd < 3; fd++) {
		before[fd] = dup(fd);
		dup2(now[fd], fd);
	}
	run->took_ms = clock_monotonic_ms();
	if (perform(run, &err) < 0)
		run->outcome.failure = err;
	run->took_ms = clock_monotonic_ms() - run->took_ms;
	for (int fd = 0; fd < 3; fd++) {
		dup2(before[fd], fd);
		close(before[fd]);
	}
	if (run->output_fd < 0) {
		read_back(now[1], &run->out);
		close(now[1]);
	}
	read_back(now[2], &run->err);
	close(now[0]);
	close(now[2]);
	run->exit_code = exit_code_of_run(&run->outcome, &run->reason);
}

const char *fake_run_said(struct fake_run *run)
{
	strbuf_addf(&run->said, "code %d, reason %s, failure: %s, left: %s", run->exit_code,
	            run->reason, run->outcome.failure.message, run->outcome.remove_failure.message);
	return strbuf_str(&run->said);
}

void fake_run_release(struct fake_run *run)
{
	request_release(&run->request);
	identity_release(&run->identity);
	strbuf_release(&run->out);
	strbuf_release(&run->err);
	strbuf_release(&run->said);
}
