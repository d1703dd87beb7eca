/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/spec/request.h"

#include <stdio.h>
#include <string.h>
#include "pkg/base/utf8.h"

#define MINUTE_MS     INT64_C(60000)
#define MAX_LOCK_NAME 52 /* as REQUEST_LOCK_RULE says */

bool request_lock_is_valid(const char *name)
{
	size_t length = strlen(name);

	return length >= 1 && length <= MAX_LOCK_NAME && name[0] != '-' &&
	       name[length - 1] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

void request_init(struct request *request)
{
	*request = (struct request){
		.entrypoint_mode = ENTRYPOINT_KEEP,
		.cpu_nano = REQUEST_AS_SOURCE,
		.memory_bytes = REQUEST_AS_SOURCE,
		.stdin_open = true,
		.timeout_ms = 24 * 60 * MINUTE_MS,
		.start_timeout_ms = 5 * MINUTE_MS,
		.grace_ms = REQUEST_AS_SOURCE,
		.keep = KEEP_NEVER,
	};
}

void request_release(struct request *request)
{
	strv_release(&request->argv);
	strv_release(&request->env);
	strv_release(&request->labels);
	free(request->kubernetes.container);
	free(request->image);
	free(request->user);
	free(request->workdir);
	free(request->entrypoint);
	free(request->term);
	free(request->lock);
	free(request->name);
	free(request->reason);
	request_init(request);
}

static int check_text(const char *what, const char *text, const char *carrier, struct err *err)
{
	if (text == NULL || utf8_valid(text, strlen(text)))
		return 0;
	return err_set(err, ERR_USAGE, "%s is not valid UTF-8, and %s takes nothing else", what,
	               carrier);
}

static int check_list(const char *what, const struct strv *list, bool pairs, const char *carrier,
                      struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		char which[64];

		snprintf(which, sizeof(which), "%s %zu", what, i + 1);
		if (check_text(which, list->items[i], carrier, err) < 0)
			return -1;
		if (pairs && (list->items[i][0] == '\0' || list->items[i][0] == '='))
			return err_set(err, ERR_USAGE, "%s has no name", which);
	}
	return 0;
}

int request_check_text(const struct request *request, const char *carrier, struct err *err)
{
	if (check_list("argument", &request->argv, false, carrier, err) < 0 ||
	    check_list("variable", &request->env, true, carrier, err) < 0 ||
	    check_list("label", &request->labels, true, carrier, err) < 0)
		return -1;
	if (check_text("the image", request->image, carrier, err) < 0 ||
	    check_text("the user", request->user, carrier, err) < 0 ||
	    check_text("the working folder", request->workdir, carrier, err) < 0 ||
	    check_text("the entrypoint", request->entrypoint, carrier, err) < 0 ||
	    check_text("the kind of terminal", request->term, carrier, err) < 0)
		return -1;
	return check_text("the reason", request->reason, carrier, err);
}

bool request_env_is_overruled(const struct strv *env, size_t index)
{
	size_t length = strcspn(env->items[index], "=");

	for (size_t i = index + 1; i < env->count; i++) {
		if (strcspn(env->items[i], "=") == length &&
		    strncmp(env->items[i], env->items[index], length) == 0)
			return true;
	}
	return false;
}
