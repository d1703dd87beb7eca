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

int identity_make(const char *source_name, const struct request *request, struct identity *ret,
                  struct err *err)
{
	struct identity identity = {.name = NULL};
	int length;

	if (make_id(&identity, err) < 0)
		return -1;
	if (request->name)
		length = asprintf(&identity.name, "%s", request->name);
	else
		length = asprintf(&identity.name, "%.*s-oneoff-%s", MAX_SOURCE_NAME, source_name,
		                  identity.id);
	if (length < 0)
		return err_no_memory(err);
	identity.user = make_user();
	if (!identity.user) {
		identity_release(&identity);
		return err_no_memory(err);
	}
	identity.started = clock_unix_seconds();
	*ret = identity;
	return 0;
}
