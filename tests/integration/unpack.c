/* SPDX-License-Identifier: Apache-2.0 */
/* The driver of tests/integration/umoci, which builds it with -DONEOFF_UNPACK_DRIVER:
 *
 *	unpack STORE LAYOUT TAG
 *
 * unpacks an image into a store and says where its root folder is. It is no part of the Criterion suite
 * beside which it lies, hence the guard. */
#ifdef ONEOFF_UNPACK_DRIVER
#include <stdio.h>
#include <unistd.h>

#include "oci/image.h"
#include "oci/store.h"

static void say(void *context, enum report_level level, const char *line)
{
	(void)context;
	(void)level;
	(void)fprintf(stderr, "%s\n", line);
}

static int unpack(char **arguments, struct err *err)
{
	_cleanup_(image_free) struct image *image = NULL;
	_cleanup_(snapshot_release) struct snapshot snapshot = SNAPSHOT_INIT;
	const struct reporter reporter = {.say = say};

	if (image_open(arguments[1], arguments[2], NULL, &image, err) < 0 ||
	    store_unpack(arguments[0], image, geteuid() == 0, &reporter, &snapshot, err) < 0)
		return -1;
	(void)puts(snapshot.path);
	return 0;
}

int main(int count, char **arguments)
{
	struct err err = ERR_INIT;

	if (count != 4) {
		(void)fprintf(stderr, "usage: unpack STORE LAYOUT TAG\n");
		return 2;
	}
	if (unpack(arguments + 1, &err) < 0) {
		(void)fprintf(stderr, "unpack: %s\n", err.message);
		return 1;
	}
	return 0;
}
#endif
