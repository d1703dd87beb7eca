/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock is the name oneoff-lock-NAME: an engine gives a name to one container only, so the create takes it.
 * Here stands what happens when it is taken already. A holder that has ended and is kept gives it up by
 * being renamed, by its id, which does no harm when two do it; one that nobody keeps is being deleted,
 * and Docker 20.10 leaves half of it for ever when it is renamed meanwhile. The name of a task that
 * lives is never touched, whatever a clock says.
 */
#include <stdio.h>
#include <string.h>
#include "pkg/backend/command_text.h"
#include "pkg/base/clock.h"
#include "pkg/docker/docker.h"

#define MAX_SOURCE_NAME 40

static int say_held(const struct identity *identity, const struct task_record *holder,
                    struct err *err)
{
	char since[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(holder->started ? holder->started : holder->created, since);
	return lock_is_held(
		identity->lock,
		&(struct lock_holder_text){holder->id, holder->user, since, holder->command}, err);
}

static int say_taken(const struct identity *identity, struct err *err)
{
	err_set(err, ERR_CONFLICT,
	        "lock '%s': the name '%s' is taken by a container that is no "
	        "one-off of that lock",
	        identity->lock, identity->name);
	return err_hint(err, "rename that container, or choose another lock");
}

/* Its own name from now on. Whoever comes first does it; that it has it already, or is gone, is as
 * good. */
static int rename_holder(struct docker *docker, const struct task_record *holder, struct err *err)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	_cleanup_free_ char *name = NULL;

	if (asprintf(&name, "%.*s-oneoff-%s", MAX_SOURCE_NAME,
	             holder->source && *holder->source ? holder->source : "task", holder->id) < 0) {
		name = NULL;
		return err_no_memory(err);
	}
	strbuf_adds(&path, "/containers/");
	strbuf_add_url(&path, holder->handle);
	strbuf_adds(&path, "/rename?name=");
	strbuf_add_url(&path, name);
	if (path.failed)
		return err_no_memory(err);
	return docker_call(docker, "POST", strbuf_str(&path), NULL, &reply, err);
}

static int discard_holder(struct docker *docker, const struct task_record *holder, struct err *err)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	/* Without force: if it is started now, the engine refuses. */
	_cleanup_free_ char *path = docker_path(holder->handle, "?v=1");

	if (!path)
		return err_no_memory(err);
	return docker_call(docker, "DELETE", path, NULL, &reply, err);
}

bool docker_is_kept(const struct task_record *record)
{
	if (record->keep == KEEP_FAILED && record->state == TASK_ENDED)
		return !record->status.known || record->status.code != 0;
	return record->keep != KEEP_NEVER;
}

int docker_lock_free(struct docker *docker, const struct identity *identity, struct err *err)
{
	_cleanup_(task_record_release) struct task_record holder = TASK_RECORD_INIT;
	struct err refused = ERR_INIT;
	int found, result = -1;

	err->http_status = 0;
	found = docker_look(docker, identity->name, NULL, &holder, err);
	if (found < 0)
		return err->http_status == 404 ? 1 : -1;
	if (!found || !holder.lock || strcmp(holder.lock, identity->lock))
		return say_taken(identity, err);
	if (holder.state != TASK_RUNNING && task_record_is_leftover(&holder, clock_unix_seconds()))
		result = discard_holder(docker, &holder, &refused);
	else if (holder.state == TASK_ENDED && docker_is_kept(&holder))
		result = rename_holder(docker, &holder, &refused);
	if (result == 0 || refused.http_status == 404)
		return 1;
	/* What is being deleted is gone in a moment. */
	say_held(identity, &holder, err);
	return holder.state == TASK_ENDED ? 0 : -1;
}
