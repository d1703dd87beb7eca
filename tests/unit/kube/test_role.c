/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "pkg/json/yaml.h"
#include "pkg/kube/role.h"

/* Unit tests run at the root of the repository. */
Test(role, is_the_file_of_the_repository)
{
	static char text[65536];
	FILE *file = fopen("k8s-manifests/role.yaml", "re");
	size_t length;

	cr_assert_not_null(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	cr_assert(length > 0 && length < sizeof(text) - 1);
	cr_assert_eq(strlen(kube_role_text), length);
	cr_assert_eq(memcmp(kube_role_text, text, length), 0);
}

Test(role, begins_with_the_role_that_is_needed)
{
	_cleanup_(json_free) cJSON *document = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(
		yaml_parse(kube_role_text, strlen(kube_role_text), JSON_MAX_BYTES, &document, &err),
		0, "%s", err.message);
	cr_assert_str_eq(json_string(document, "kind"), "Role");
	cr_assert_str_eq(json_string(document, "metadata.name"), "oneoff");
	cr_assert(cJSON_GetArraySize(json_at(document, "rules")) > 0);
}
