/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "pkg/base/clock.h"
#include "pkg/run/run.h"

static struct identity make(const char *source, const char *name)
{
	const struct release release = {.name = (char *)source};
	struct identity identity = {.name = NULL};
	struct request request;
	struct err err = ERR_INIT;

	request_init(&request);
	request.name = name ? strdup(name) : NULL;
	cr_assert_eq(identity_make(&release, &request, 0, &identity, &err), 0, "%s", err.message);
	request_release(&request);
	return identity;
}

Test(identity, the_name_tells_source_and_id)
{
	struct identity identity = make("web", NULL);
	char expected[64];

	snprintf(expected, sizeof(expected), "web-oneoff-%s", identity.id);
	cr_expect_str_eq(identity.name, expected);
	cr_expect_eq(strlen(identity.id), 8);
	cr_expect_eq(strspn(identity.id, "abcdefghijklmnopqrstuvwxyz0123456789"), 8);
	cr_expect_not_null(strchr(identity.user, '@'));
	cr_expect_leq(clock_unix_seconds() - identity.started, 5);
	identity_release(&identity);
	cr_expect_null(identity.name);
}

Test(identity, a_name_of_ones_own_stays)
{
	struct identity identity = make("web", "my-migration");

	cr_expect_str_eq(identity.name, "my-migration");
	identity_release(&identity);
}

Test(identity, a_long_source_is_cut_but_the_id_is_not)
{
	char source[200];
	struct identity identity;

	memset(source, 'a', sizeof(source) - 1);
	source[sizeof(source) - 1] = '\0';
	identity = make(source, NULL);
	cr_expect_eq(strlen(identity.name), 40 + strlen("-oneoff-") + 8);
	cr_expect_not_null(strstr(identity.name, identity.id));
	identity_release(&identity);
}

Test(identity, ids_differ)
{
	struct identity many[50];

	for (size_t i = 0; i < 50; i++)
		many[i] = make("web", NULL);
	for (size_t i = 0; i < 50; i++)
		for (size_t j = 0; j < i; j++)
			cr_expect_str_neq(many[i].id, many[j].id);
	for (size_t i = 0; i < 50; i++)
		identity_release(&many[i]);
}

Test(identity, the_user_is_who_the_platform_says_we_are_where_it_tells)
{
	const struct release release = {.name = (char *)"web", .user = (char *)"ana"};
	struct identity identity = {.name = NULL};
	struct request request;
	struct err err = ERR_INIT;

	request_init(&request);
	cr_assert_eq(identity_make(&release, &request, 0, &identity, &err), 0, "%s", err.message);
	cr_expect_str_eq(identity.user, "ana");
	identity_release(&identity);
	request_release(&request);
}
