/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/run/run.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "pkg/base/clock.h"

#define ID_LENGTH       8
#define MAX_SOURCE_NAME 40

/* 0, 1, l and o are missing: they look like one another. */
static const char alphabet[32] = "23456789abcdefghijkmnpqrstuvwxyz";

static int make_id(struct identity *identity, struct err *err)
{
	unsigned char random[ID_LENGTH];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_errno(err, "getrandom");
	for (size_t i = 0; i < ID_LENGTH; i++)
		identity->id[i] = alphabet[random[i] % sizeof(alphabet)];
	identity->id[ID_LENGTH] = '\0';
	return 0;
}

static char *make_user(void)
{
	char buffer[4096], host[256] = "";
	struct passwd record, *found = NULL;
	char *text = NULL;

	if (gethostname(host, sizeof(host) - 1) < 0 || !*host)
		snprintf(host, sizeof(host), "localhost");
	if (getpwuid_r(geteuid(), &record, buffer, sizeof(buffer), &found) != 0 || !found) {
		if (asprintf(&text, "%u@%s", (unsigned)geteuid(), host) < 0)
			return NULL;
		return text;
	}
	return asprintf(&text, "%s@%s", record.pw_name, host) < 0 ? NULL : text;
}

/* Where names are unique in an engine, two objects cannot have the lock's name. */
static int make_name(const char *source_name, const struct request *request, unsigned capabilities,
                     struct identity *identity)
{
	if (request->lock && (capabilities & BACKEND_LOCK_IS_NAME))
		return asprintf(&identity->name, "oneoff-lock-%s", request->lock);
	if (request->name)
		return asprintf(&identity->name, "%s", request->name);
	return asprintf(&identity->name, "%.*s-oneoff-%s", MAX_SOURCE_NAME, source_name,
	                identity->id);
}

int identity_make(const struct release *release, const struct request *request,
                  unsigned capabilities, struct identity *ret, struct err *err)
{
	_cleanup_(identity_release) struct identity identity = {.name = NULL};

	if (make_id(&identity, err) < 0)
		return -1;
	if (request->lock && request->name && (capabilities & BACKEND_LOCK_IS_NAME)) {
		err_set(err, ERR_USAGE, "--lock and --name exclude each other here");
		return err_hint(err, "the lock is the container's name: oneoff-lock-%s",
		                request->lock);
	}
	if (make_name(release->name, request, capabilities, &identity) < 0) {
		identity.name = NULL;
		return err_no_memory(err);
	}
	if (request->lock)
		identity.lock = strdup(request->lock);
	identity.user = release->user ? strdup(release->user) : make_user();
	if (!identity.user || (request->lock && !identity.lock))
		return err_no_memory(err);
	identity.started = clock_unix_seconds();
	*ret = identity;
	identity = (struct identity){.name = NULL};
	return 0;
}
