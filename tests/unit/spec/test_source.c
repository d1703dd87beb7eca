/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "pkg/base/compat.h"
#include "pkg/spec/source.h"

static void expect_text(const char *got, const char *wanted, const char *text)
{
	if (!wanted)
		cr_assert_null(got, "'%s' gives '%s'", text, got);
	else
		cr_assert(got && !strcmp(got, wanted), "'%s' gives '%s'", text, got ? got : "");
}

Test(source, reads_every_form)
{
	static const struct {
		const char *text;
		enum source_kind kind;
		const char *name, *project, *object_kind;
	} cases[] = {
		{"web", SOURCE_BARE, "web", NULL, NULL},
		{"3f2a9c", SOURCE_BARE, "3f2a9c", NULL, NULL},
		{"compose", SOURCE_BARE, "compose", NULL, NULL},
		{"my.app_web-1", SOURCE_BARE, "my.app_web-1", NULL, NULL},
		{"compose:shop/web", SOURCE_COMPOSE, "web", "shop", NULL},
		{"compose:web", SOURCE_COMPOSE, "web", NULL, NULL},
		{"docker:web", SOURCE_DOCKER, "web", NULL, NULL},
		{"podman:web", SOURCE_PODMAN, "web", NULL, NULL},
		{"oci:task-1", SOURCE_OCI, "task-1", NULL, NULL},
		{"docker:a:b", SOURCE_DOCKER, "a:b", NULL, NULL},
		{"deploy/web", SOURCE_KUBERNETES, "web", NULL, "deploy"},
		{"pod/web-7d9f-x", SOURCE_KUBERNETES, "web-7d9f-x", NULL, "pod"},
		{"rollouts.argoproj.io/web", SOURCE_KUBERNETES, "web", NULL,
	         "rollouts.argoproj.io"},
		/* the first of the two signs decides */
		{"deploy/web:1", SOURCE_KUBERNETES, "web:1", NULL, "deploy"},
		{"docker/web", SOURCE_KUBERNETES, "web", NULL, "docker"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(source_release) struct source source = {0};
		struct err err = ERR_INIT;

		cr_assert_eq(source_parse(cases[i].text, &source, &err), 0, "'%s': %s",
		             cases[i].text, err.message);
		cr_assert_eq(source.kind, cases[i].kind, "'%s'", cases[i].text);
		cr_assert_str_eq(source.text, cases[i].text);
		expect_text(source.name, cases[i].name, cases[i].text);
		expect_text(source.project, cases[i].project, cases[i].text);
		expect_text(source.object_kind, cases[i].object_kind, cases[i].text);
	}
}

Test(source, refuses_with_message_and_hint)
{
	static const struct {
		const char *text, *message, *hint;
	} cases[] = {
		{"", "is empty", "name a container"},
		{"docker:", "has no name", "name a container"},
		{"compose:", "has no name", "name a container"},
		{"compose:/web", "one side of the slash", "compose:PROJECT/SERVICE"},
		{"compose:shop/", "one side of the slash", "compose:PROJECT/SERVICE"},
		{"/web", "one side of the slash", "name a container"},
		{"deploy/", "one side of the slash", "deploy/web"},
		{"/", "one side of the slash", "name a container"},
		{"prod/deploy/web", "more than one slash", "-n"},
		{"compose:a/b/c", "more than one slash", "-n"},
		{"deploy//web", "more than one slash", "-n"},
		{"docker:a/b", "no container's name", "name a container"},
		{"docker:/web", "no container's name", "name a container"},
		{"oci:a/b", "no container's name", "name a container"},
		{"dokcer:web", "unknown prefix 'dokcer:'", "did you mean 'docker:'?"},
		{"nginx:1.25", "unknown prefix 'nginx:'",
	         "compose:, docker:, podman:, oci: and oci-layout:"},
		{":web", "unknown prefix ':'", "the prefixes are"},
		{"Docker:web", "unknown prefix 'Docker:'", "did you mean 'docker:'?"},
		{"docke:x/y", "unknown prefix 'docke:'", "did you mean 'docker:'?"},
		{"we\nb", "control byte", "name a container"},
		{"deploy/\x1b[1m", "control byte", "name a container"},
		{"web\x7f", "control byte", "name a container"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct source source, before;
		struct err err = ERR_INIT;

		memset(&source, 0xa5, sizeof(source));
		before = source;
		cr_assert_eq(source_parse(cases[i].text, &source, &err), -1, "'%s'", cases[i].text);
		cr_assert_eq(err.kind, ERR_USAGE, "'%s'", cases[i].text);
		cr_assert_not_null(strstr(err.message, cases[i].message), "'%s': %s", cases[i].text,
		                   err.message);
		cr_assert_not_null(strstr(err.hint, cases[i].hint), "'%s': %s", cases[i].text,
		                   err.hint);
		cr_assert_eq(memcmp(&source, &before, sizeof(source)), 0, "'%s'", cases[i].text);
	}
}

Test(source, release_takes_anything_half_made)
{
	struct source source = {.name = strdup("web")};

	source_release(&source);
	cr_assert_null(source.name);
	source_release(&source);
}
