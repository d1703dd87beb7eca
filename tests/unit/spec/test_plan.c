/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "pkg/spec/plan.h"

static cJSON *parse(const char *text)
{
	struct err err = ERR_INIT;
	cJSON *document = NULL;

	cr_assert_eq(json_parse(text, strlen(text), JSON_MAX_BYTES, &document, &err), 0, "%s",
	             err.message);
	return document;
}

static void add(struct plan *plan, enum plan_action action, const char *path, const char *was,
                const char *now, const char *reason)
{
	cJSON *was_node = was != NULL ? parse(was) : NULL;
	cJSON *now_node = now != NULL ? parse(now) : NULL;

	cr_assert_eq(plan_add(plan, action, path, was_node, now_node, reason), 0);
	json_free(&was_node);
	json_free(&now_node);
}

static void expect_table(const struct plan *plan, bool show_secrets, bool all, const char *wanted)
{
	struct strbuf text = STRBUF_INIT;

	plan_print_table(plan, show_secrets, all, &text);
	cr_expect_not(text.failed);
	cr_expect_str_eq(strbuf_str(&text), wanted);
	strbuf_release(&text);
}

static void expect_json(const struct plan *plan, bool show_secrets, const char *wanted)
{
	struct strbuf text = STRBUF_INIT;
	cJSON *json = plan_to_json(plan, show_secrets);

	cr_assert_not_null(json);
	json_print(json, false, &text);
	cr_expect_str_eq(strbuf_str(&text), wanted);
	strbuf_release(&text);
	json_free(&json);
}

Test(plan, rows_are_copies)
{
	struct plan plan;
	cJSON *value = parse("[1]");

	plan_init(&plan);
	for (int i = 0; i < 100; i++)
		cr_assert_eq(plan_add(&plan, PLAN_CHANGED, "A", value, NULL, "why"), 0);
	json_free(&value);
	cr_expect_eq(plan.count, 100);
	cr_expect(cJSON_IsArray(plan.rows[99].was));
	cr_expect_null(plan.rows[99].now);
	plan_release(&plan);
	cr_expect_eq(plan.count, 0);
	cr_expect_null(plan.rows);
	plan_release(&plan);
}

Test(plan, actions_have_names)
{
	cr_expect_str_eq(plan_action_name(PLAN_KEPT), "kept");
	cr_expect_str_eq(plan_action_name(PLAN_CHANGED), "changed");
	cr_expect_str_eq(plan_action_name(PLAN_ADDED), "added");
	cr_expect_str_eq(plan_action_name(PLAN_DROPPED), "dropped");
	cr_expect_str_eq(plan_action_name(PLAN_UNKNOWN), "unknown");
	cr_expect_str_eq(plan_action_name((enum plan_action)77), "unknown");
}

Test(plan, variables_are_secret_unless_harmless)
{
	cr_expect(plan_is_secret_variable("DATABASE_URL"));
	cr_expect(plan_is_secret_variable("path"));
	cr_expect_not(plan_is_secret_variable("PATH"));
	cr_expect_not(plan_is_secret_variable("LANG"));
}

Test(plan, options_are_secret_by_name)
{
	cr_expect(plan_is_secret_option("splunk-token"));
	cr_expect(plan_is_secret_option("Registry.PASSWORD"));
	cr_expect(plan_is_secret_option("api_key"));
	cr_expect(plan_is_secret_option("clientSecret"));
	cr_expect_not(plan_is_secret_option("secretName"));
	cr_expect_not(plan_is_secret_option("key"));
	cr_expect_not(plan_is_secret_option("team"));
}

Test(plan, table_shows_differences_and_counts_the_rest)
{
	struct plan plan;

	plan_init(&plan);
	add(&plan, PLAN_KEPT, "Config.User", "\"app\"", "\"app\"", "same user");
	add(&plan, PLAN_CHANGED, "Config.Cmd", "[\"a\"]", "[\"b\"]", "asked");
	add(&plan, PLAN_ADDED, "X", NULL, "true", "new");
	add(&plan, PLAN_DROPPED, "Ports", "{\"1\":{}}", NULL, "no traffic");
	add(&plan, PLAN_UNKNOWN, "Odd", "1", NULL, "unknown here");
	expect_table(&plan, false, false,
	             "changed  Config.Cmd  [\"a\"] → [\"b\"]  (asked)\n"
	             "added    X           true  (new)\n"
	             "dropped  Ports       {\"1\":{}}  (no traffic)\n"
	             "unknown  Odd         1  (unknown here)\n"
	             "1 kept as they are\n");
	expect_table(&plan, false, true,
	             "kept     Config.User  \"app\"  (same user)\n"
	             "changed  Config.Cmd   [\"a\"] → [\"b\"]  (asked)\n"
	             "added    X            true  (new)\n"
	             "dropped  Ports        {\"1\":{}}  (no traffic)\n"
	             "unknown  Odd          1  (unknown here)\n"
	             "1 kept as they are\n");
	plan_release(&plan);
}

Test(plan, table_escapes_and_cuts)
{
	struct plan plan;

	plan_init(&plan);
	add(&plan, PLAN_ADDED, "a\x1b[31m", NULL, "\"\xe2\x80\xae x\"", "be\x07p");
	add(&plan, PLAN_ADDED, "b", NULL, "\"żżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżż\"",
	    "long");

	struct strbuf text = STRBUF_INIT;
	plan_print_table(&plan, true, true, &text);
	cr_expect_null(strchr(strbuf_str(&text), '\x1b'));
	cr_expect_null(strchr(strbuf_str(&text), '\x07'));
	cr_expect_null(strstr(strbuf_str(&text), "\xe2\x80\xae"));
	cr_expect_not_null(strstr(strbuf_str(&text), "żżż…  (long)"));
	strbuf_release(&text);
	plan_release(&plan);
}

Test(plan, secrets_are_masked_in_rows)
{
	struct plan plan;

	plan_init(&plan);
	add(&plan, PLAN_CHANGED, "Config.Env.DB", "\"s3cret\"", "\"t0p\"", "asked with -e");
	add(&plan, PLAN_ADDED, "Config.Env.LANG", NULL, "\"C\"", "harmless");
	add(&plan, PLAN_KEPT, "Config.Env", "[\"DB=s3cret\",\"PATH=/bin\",\"BARE\",\"E=\"]", NULL,
	    "same");
	add(&plan, PLAN_KEPT, "Config.Labels.my-token", "\"s3cret\"", NULL, "same label");
	add(&plan, PLAN_KEPT, "Log", "{\"Config\":{\"splunk-token\":\"s3cret\"}}", NULL,
	    "same log");
	add(&plan, PLAN_KEPT, "spec.env", "[{\"name\":\"DB\",\"value\":\"s3cret\"}]", NULL, "same");
	expect_table(
		&plan, false, true,
		"changed  Config.Env.DB           \"***\" → \"***\"  (asked with -e)\n"
		"added    Config.Env.LANG         \"C\"  (harmless)\n"
		"kept     Config.Env              [\"DB=***\",\"PATH=/bin\",\"BARE\",\"E=\"]  (same)\n"
		"kept     Config.Labels.my-token  \"***\"  (same label)\n"
		"kept     Log                     {\"Config\":{\"splunk-token\":\"***\"}}  (same log)\n"
		"kept     spec.env                [{\"name\":\"DB\",\"value\":\"***\"}]  (same)\n"
		"4 kept as they are\n");

	struct strbuf text = STRBUF_INIT;
	plan_print_table(&plan, true, true, &text);
	cr_expect_not_null(strstr(strbuf_str(&text), "\"s3cret\" → \"t0p\""));
	strbuf_release(&text);
	plan_release(&plan);
}

Test(plan, json_holds_document_and_differences)
{
	struct plan plan;

	plan_init(&plan);
	plan.document = parse("{\"Env\":[\"DB=s\",\"PATH=/bin\"],\"Labels\":{\"password\":\"p\"}}");
	plan.extra = parse("[{\"network\":\"n\"}]");
	add(&plan, PLAN_CHANGED, "Env.DB", "\"r\"", "\"s\"", "why");
	expect_json(
		&plan, false,
		"{\"document\":{\"Env\":[\"DB=***\",\"PATH=/bin\"],\"Labels\":{\"password\":\"***\"}},"
		"\"extra\":[{\"network\":\"n\"}],\"differences\":[{\"action\":\"changed\",\"path\":"
		"\"Env.DB\",\"was\":\"***\",\"now\":\"***\",\"reason\":\"why\"}]}");
	expect_json(
		&plan, true,
		"{\"document\":{\"Env\":[\"DB=s\",\"PATH=/bin\"],\"Labels\":{\"password\":\"p\"}},"
		"\"extra\":[{\"network\":\"n\"}],\"differences\":[{\"action\":\"changed\",\"path\":"
		"\"Env.DB\",\"was\":\"r\",\"now\":\"s\",\"reason\":\"why\"}]}");
	cr_expect_str_eq(json_string(plan.document, "Env[0]"), "DB=s",
	                 "the plan itself is not masked");
	plan_release(&plan);
}

Test(plan, empty)
{
	struct plan plan;

	plan_init(&plan);
	expect_table(&plan, false, true, "0 kept as they are\n");
	expect_json(&plan, false, "{\"differences\":[]}");
	plan_release(&plan);
}

Test(plan, a_difference_is_what_became_of_a_value)
{
	_cleanup_(json_free) cJSON *one = cJSON_CreateString("1"), *same = cJSON_CreateString("1");
	_cleanup_(json_free) cJSON *other = cJSON_CreateString("2");

	cr_expect_eq(plan_difference(one, same), PLAN_KEPT);
	cr_expect_eq(plan_difference(one, other), PLAN_CHANGED);
	cr_expect_eq(plan_difference(NULL, other), PLAN_ADDED);
	cr_expect_eq(plan_difference(one, NULL), PLAN_DROPPED);
	cr_expect_eq(plan_difference(NULL, NULL), PLAN_KEPT);
}
