/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a watch's body. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "pkg/kube/watch.h"

static struct watch_event event;
static char version[64];
static struct err err;

static int read_line(const char *line)
{
	err = (struct err)ERR_INIT;
	return watch_read_line(line, strlen(line), &event, version, &err);
}

static void fini(void)
{
	watch_event_release(&event);
}

TestSuite(watch, .fini = fini);

Test(watch, gives_objects_and_their_version)
{
	cr_assert_eq(read_line("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"p\","
	                       "\"resourceVersion\":\"41\"}}}"),
	             1);
	cr_assert_not(event.deleted);
	cr_assert_str_eq(json_string(event.object, "metadata.name"), "p");
	cr_assert_str_eq(version, "41");
	cr_assert_eq(read_line("{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"q\","
	                       "\"resourceVersion\":\"42\"}}}"),
	             1);
	cr_assert(event.deleted);
	cr_assert_str_eq(version, "42");
}

Test(watch, a_bookmark_only_moves_the_version)
{
	cr_assert_eq(read_line("{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{"
	                       "\"resourceVersion\":\"99\"}}}"),
	             0);
	cr_assert_str_eq(version, "99");
	cr_assert_null(event.object);
}

Test(watch, tells_the_code_of_an_error)
{
	cr_assert_eq(read_line("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,"
	                       "\"message\":\"too old resource version\"}}"),
	             -1);
	cr_assert_eq(err.kind, ERR_LOST);
	cr_assert_eq(err.http_status, 410);
}

Test(watch, a_version_that_is_no_number_is_not_sent_back)
{
	snprintf(version, sizeof(version), "7");
	cr_assert_eq(read_line("{\"type\":\"ADDED\",\"object\":{\"metadata\":{"
	                       "\"resourceVersion\":\"7&watch=false\"}}}"),
	             1);
	cr_assert_str_eq(version, "7");
}

Test(watch, refuses_what_is_no_event)
{
	static const char *const lines[] = {"",
	                                    "[]",
	                                    "{",
	                                    "{\"object\":{}}",
	                                    "{\"type\":\"ADDED\"}",
	                                    "{\"type\":\"ADDED\",\"object\":[]}"};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		cr_assert_eq(read_line(lines[i]), -1, "%s", lines[i]);
		cr_assert_eq(err.kind, ERR_PROTOCOL, "%s", lines[i]);
	}
}
