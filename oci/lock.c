/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "oci/cgroup.h"
#include "oci/file.h"
#include "oci/state.h"
#include "pkg/backend/command_text.h"
#include "pkg/base/clock.h"
#include "pkg/json/json.h"

#define MAX_HOLDER ((size_t)64 << 10)

static int open_file(const char *run_folder, const char *name, struct err *err)
{
	_cleanup_free_ char *folder = NULL;
	_cleanup_fd_ int folder_fd = -1;
	int fd;

	if (asprintf(&folder, "%s/locks", run_folder) < 0) {
		folder = NULL;
		return err_no_memory(err);
	}
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return err_errno(err, "cannot make %s", folder);
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	fd = folder_fd < 0 ? -1
	                   : openat(folder_fd, name,
	                            O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	return fd < 0 ? err_errno(err, "cannot open the lock '%s' in %s", name, folder) : fd;
}

static void read_holder(int fd, cJSON **ret)
{
	char *text = malloc(MAX_HOLDER);
	struct err ignored = ERR_INIT;
	ssize_t got = text ? pread(fd, text, MAX_HOLDER, 0) : -1;

	/* Half-written, or empty when nobody ever held it. */
	if (got > 0)
		(void)!json_parse(text, (size_t)got, MAX_HOLDER, ret, &ignored);
	free(text);
}

/* Its monitor is gone, but is its task? */
static bool still_runs(const char *run_folder, const cJSON *holder)
{
	_cleanup_(container_state_release) struct container_state state = {.id = NULL};
	_cleanup_(strv_release) struct strv roots = STRV_INIT;
	const char *task = json_string(holder, "task");
	struct err ignored = ERR_INIT;

	if (!task)
		return false;
	if (strv_addf(&roots, "%s/state", run_folder) < 0)
		return true; /* not known: rather wait than have two */
	if (state_find(&roots, task, &state, &ignored) == 0 && !strcmp(state.id, task) &&
	    state.running)
		return true;
	return cgroup_is_populated(json_string(holder, "cgroup"));
}

static int locked(const char *name, const cJSON *holder, struct err *err)
{
	const struct lock_holder_text text = {
		.id = json_string(holder, "id"),
		.user = json_string(holder, "user"),
		.since = json_string(holder, "since"),
		.command = json_string(holder, "command"),
	};

	return lock_is_held(name, &text, err);
}

static int write_holder(int fd, const struct lock_holder *holder, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *document = cJSON_CreateObject();
	char since[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(holder->since, since);
	if (!document || json_set_string(document, "task", holder->task) < 0 ||
	    json_set_string(document, "id", holder->id) < 0 ||
	    json_set_string(document, "user", holder->user) < 0 ||
	    json_set_string(document, "since", since) < 0 ||
	    (holder->command && json_set_string(document, "command", holder->command) < 0) ||
	    (holder->cgroup && json_set_string(document, "cgroup", holder->cgroup) < 0))
		return err_no_memory(err);
	json_print(document, false, &text);
	if (text.failed)
		return err_no_memory(err);
	/* Who reads it in between finds no document, and names nobody. */
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text.data, text.length, 0) != (ssize_t)text.length)
		return err_errno(err, "cannot write the lock's holder down");
	return 0;
}

int lock_take(const char *run_folder, const char *name, const struct lock_holder *holder,
              struct err *err)
{
	_cleanup_fd_ int fd = open_file(run_folder, name, err);
	_cleanup_(json_free) cJSON *previous = NULL;
	bool free_now;

	if (fd < 0)
		return -1;
	free_now = flock(fd, LOCK_EX | LOCK_NB) == 0;
	if (!free_now && errno != EWOULDBLOCK)
		return err_errno(err, "cannot take the lock '%s'", name);
	read_holder(fd, &previous);
	if (!free_now || still_runs(run_folder, previous))
		return locked(name, previous, err);
	if (write_holder(fd, holder, err) < 0)
		return -1;
	return TAKE_FD(fd);
}
