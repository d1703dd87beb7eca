/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "pkg/spec/rule.h"

static cJSON *parse(const char *text)
{
	struct err err = ERR_INIT;
	cJSON *document = NULL;

	cr_assert_eq(json_parse(text, strlen(text), JSON_MAX_BYTES, &document, &err), 0, "%s",
	             err.message);
	return document;
}

struct trial {
	cJSON *source;
	struct plan plan;
	struct rule_context context;
	struct err err;
};

static int apply(struct trial *trial, const char *source, const struct rule *rules, size_t count,
                 enum rule_policy policy, unsigned flags)
{
	memset(trial, 0, sizeof(*trial));
	plan_init(&trial->plan);
	trial->source = parse(source);
	trial->plan.document = cJSON_CreateObject();
	trial->context = (struct rule_context){.source = trial->source,
	                                       .target = trial->plan.document,
	                                       .plan = &trial->plan,
	                                       .flags = flags};
	return rules_apply(rules, count, policy, &trial->context, &trial->err);
}

static void finish(struct trial *trial)
{
	plan_release(&trial->plan);
	json_free(&trial->source);
}

static void expect_document(const struct trial *trial, const char *wanted)
{
	struct strbuf text = STRBUF_INIT;

	json_print(trial->plan.document, false, &text);
	cr_expect_str_eq(strbuf_str(&text), wanted);
	strbuf_release(&text);
}

/* "action path; action path; …" */
static void expect_rows(const struct trial *trial, const char *wanted)
{
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < trial->plan.count; i++)
		strbuf_addf(&text, "%s%s %s", i > 0 ? "; " : "",
		            plan_action_name(trial->plan.rows[i].action), trial->plan.rows[i].path);
	cr_expect_str_eq(strbuf_str(&text), wanted);
	strbuf_release(&text);
}

static int fails(struct rule_context *context, const struct rule *rule, const cJSON *node,
                 struct err *err)
{
	(void)context;
	(void)node;
	return err_set(err, ERR_CONFLICT, "no %s today", rule->path);
}

/* Sends whether there was a value. */
static int answers(struct rule_context *context, const struct rule *rule, const cJSON *node,
                   struct err *err)
{
	return rule_put(context, rule->to, cJSON_CreateBool(node != NULL), err);
}

Test(rule, keep_drop_state)
{
	static const struct rule rules[] = {
		{"Id", RULE_STATE, NULL, NULL, 0, "state"},
		{"Config.User", RULE_KEEP, "User", NULL, 0, "same user"},
		{"Config.Ports", RULE_DROP, NULL, NULL, 0, "no traffic"},
		{"Host.Binds", RULE_KEEP, "HostConfig.Binds", NULL, 0, "same mounts"},
	};
	struct trial trial;

	cr_assert_eq(apply(&trial,
	                   "{\"Id\":\"x\",\"Config\":{\"User\":\"u\",\"Ports\":{\"1\":{}}},"
	                   "\"Host\":{\"Binds\":[\"a:b\"]}}",
	                   rules, ARRAY_SIZE(rules), RULE_UNMATCHED_REFUSE, 0),
	             0, "%s", trial.err.message);
	expect_document(&trial, "{\"User\":\"u\",\"HostConfig\":{\"Binds\":[\"a:b\"]}}");
	expect_rows(&trial, "kept Config.User; dropped Config.Ports; kept Host.Binds");
	cr_expect_str_eq(trial.plan.rows[1].reason, "no traffic");
	finish(&trial);
}

Test(rule, unset_values_are_copied_silently)
{
	static const struct rule rules[] = {
		{"A", RULE_KEEP, "A", NULL, 0, "a"},
		{"B", RULE_KEEP, "B", NULL, 0, "b"},
		{"C", RULE_DROP, NULL, NULL, 0, "c"},
	};
	struct trial trial;

	cr_assert_eq(apply(&trial, "{\"A\":null,\"B\":[],\"C\":{}}", rules, ARRAY_SIZE(rules),
	                   RULE_UNMATCHED_DROP, 0),
	             0);
	expect_document(&trial, "{\"A\":null,\"B\":[]}");
	expect_rows(&trial, "");
	finish(&trial);
}

Test(rule, missing_values_are_not_made_up)
{
	static const struct rule rules[] = {{"A.B", RULE_KEEP, "X.Y", NULL, 0, "a"}};
	struct trial trial;

	cr_assert_eq(apply(&trial, "{}", rules, 1, RULE_UNMATCHED_DROP, 0), 0);
	expect_document(&trial, "{}");
	finish(&trial);
}

Test(rule, first_matching_row_wins)
{
	static const struct rule rules[] = {
		{"A", RULE_DROP, NULL, NULL, 1, "with the flag"},
		{"A", RULE_KEEP, "A", NULL, 0, "without"},
		{"A", RULE_KEEP, "Never", NULL, 0, "never"},
	};
	struct trial trial;

	cr_assert_eq(apply(&trial, "{\"A\":1}", rules, ARRAY_SIZE(rules), RULE_UNMATCHED_DROP, 0),
	             0);
	expect_rows(&trial, "kept A");
	expect_document(&trial, "{\"A\":1}");
	finish(&trial);
	cr_assert_eq(apply(&trial, "{\"A\":1}", rules, ARRAY_SIZE(rules), RULE_UNMATCHED_DROP, 3),
	             0);
	expect_rows(&trial, "dropped A");
	expect_document(&trial, "{}");
	finish(&trial);
}

Test(rule, when_needs_all_bits)
{
	static const struct rule rules[] = {{"A", RULE_KEEP, "A", NULL, 3, "a"}};
	struct trial trial;

	cr_assert_eq(apply(&trial, "{\"A\":1}", rules, 1, RULE_UNMATCHED_DROP, 2), 0);
	expect_rows(&trial, "unknown A");
	finish(&trial);
}

Test(rule, wildcard_takes_what_is_left)
{
	static const struct rule rules[] = {
		{"N.One", RULE_DROP, NULL, NULL, 0, "one"},
		{"N.*", RULE_KEEP, "T.In.*", NULL, 0, "rest"},
	};
	struct trial trial;

	cr_assert_eq(apply(&trial, "{\"N\":{\"One\":1,\"a.b\":2,\"c\":0}}", rules,
	                   ARRAY_SIZE(rules), RULE_UNMATCHED_REFUSE, 0),
	             0, "%s", trial.err.message);
	expect_document(&trial, "{\"T\":{\"In\":{\"a.b\":2,\"c\":0}}}");
	expect_rows(&trial, "dropped N.One; kept N.a.b");
	finish(&trial);
}

Test(rule, wildcard_at_the_top)
{
	static const struct rule rules[] = {{"*", RULE_KEEP, "*", NULL, 0, "all"}};
	struct trial trial;

	cr_assert_eq(apply(&trial, "{\"a\":1,\"b\":{\"c\":2}}", rules, 1, RULE_UNMATCHED_REFUSE, 0),
	             0);
	expect_document(&trial, "{\"a\":1,\"b\":{\"c\":2}}");
	finish(&trial);
}

Test(rule, calls_run_once_even_without_a_node)
{
	static const struct rule rules[] = {
		{"A", RULE_CALL, "A", answers, 0, "a"},
		{"B", RULE_CALL, "X.B", answers, 0, "b"},
		{"B", RULE_CALL, "Twice", answers, 0, "b"},
	};
	struct trial trial;

	cr_assert_eq(
		apply(&trial, "{\"B\":null}", rules, ARRAY_SIZE(rules), RULE_UNMATCHED_REFUSE, 0),
		0);
	expect_document(&trial, "{\"A\":false,\"X\":{\"B\":true}}");
	finish(&trial);
}

Test(rule, a_call_can_fail)
{
	static const struct rule rules[] = {{"A", RULE_CALL, NULL, fails, 0, "a"}};
	struct trial trial;

	cr_expect_lt(apply(&trial, "{}", rules, 1, RULE_UNMATCHED_DROP, 0), 0);
	cr_expect_eq(trial.err.kind, ERR_CONFLICT);
	cr_expect_str_eq(trial.err.message, "no A today");
	finish(&trial);
}

static const struct rule one_row[] = {{"A.Known", RULE_KEEP, "Known", NULL, 0, "a"}};

Test(rule, unmatched_is_dropped_and_reported)
{
	struct trial trial;

	cr_assert_eq(apply(&trial,
	                   "{\"A\":{\"Known\":1,\"New\":{\"x\":2},\"Off\":false},\"B\":\"b\"}",
	                   one_row, 1, RULE_UNMATCHED_DROP, 0),
	             0);
	expect_document(&trial, "{\"Known\":1}");
	expect_rows(&trial, "kept A.Known; unknown A.New; unknown B");
	cr_expect_null(trial.plan.rows[1].now);
	finish(&trial);
}

Test(rule, unmatched_is_kept_and_reported)
{
	static const struct rule rules[] = {{"A.Gone", RULE_DROP, NULL, NULL, 0, "a"}};
	struct trial trial;

	cr_assert_eq(apply(&trial, "{\"A\":{\"Gone\":1,\"New\":2,\"Off\":null},\"B\":\"b\"}", rules,
	                   1, RULE_UNMATCHED_KEEP, 0),
	             0);
	expect_document(&trial, "{\"A\":{\"New\":2,\"Off\":null},\"B\":\"b\"}");
	expect_rows(&trial, "dropped A.Gone; unknown A.New; unknown B");
	finish(&trial);
}

Test(rule, unmatched_is_refused)
{
	struct trial trial;

	cr_expect_lt(apply(&trial, "{\"A\":{\"Known\":1,\"New\":2}}", one_row, 1,
	                   RULE_UNMATCHED_REFUSE, 0),
	             0);
	cr_expect_eq(trial.err.kind, ERR_REFUSED);
	cr_expect_not_null(strstr(trial.err.message, "A.New"));
	finish(&trial);
}

Test(rule, a_key_with_a_dot_is_not_a_path)
{
	struct trial trial;

	cr_assert_eq(apply(&trial, "{\"A.Known\":1}", one_row, 1, RULE_UNMATCHED_DROP, 0), 0);
	expect_rows(&trial, "unknown A.Known");
	expect_document(&trial, "{}");
	finish(&trial);
}

Test(rule, fired_rows_are_noted)
{
	static const struct rule rules[] = {
		{"A", RULE_STATE, NULL, NULL, 0, "a"},
		{"B", RULE_KEEP, "B", NULL, 0, "b"},
		{"C", RULE_KEEP, "C", NULL, 4, "c"},
		{"C", RULE_DROP, NULL, NULL, 0, "c"},
	};
	struct trial trial;
	bool fired[ARRAY_SIZE(rules)] = {false};

	cr_assert_eq(apply(&trial, "{}", rules, 0, RULE_UNMATCHED_DROP, 0), 0);
	json_free(&trial.source);
	trial.source = parse("{\"A\":1,\"B\":0,\"C\":1}");
	trial.context.source = trial.source;
	trial.context.fired = fired;
	cr_assert_eq(rules_apply(rules, ARRAY_SIZE(rules), RULE_UNMATCHED_DROP, &trial.context,
	                         &trial.err),
	             0);
	cr_expect(fired[0] && !fired[1] && !fired[2] && fired[3]);
	finish(&trial);
}

Test(rule, put_refuses_a_path_through_a_value)
{
	struct trial trial;

	cr_assert_eq(apply(&trial, "{}", one_row, 1, RULE_UNMATCHED_DROP, 0), 0);
	cr_expect_eq(rule_put(&trial.context, "A.B", cJSON_CreateNumber(1), &trial.err), 0);
	cr_expect_eq(rule_put(&trial.context, "A.B", cJSON_CreateNumber(2), &trial.err), 0);
	expect_document(&trial, "{\"A\":{\"B\":2}}");
	cr_expect_lt(rule_put(&trial.context, "A.B.C", cJSON_CreateNumber(3), &trial.err), 0);
	cr_expect_lt(rule_put(&trial.context, "A", NULL, &trial.err), 0);
	cr_expect_eq(trial.err.kind, ERR_NO_MEMORY);
	finish(&trial);
}

static void expect_fault(const struct rule *rules, size_t count, const char *part)
{
	struct err err = ERR_INIT;

	cr_assert_lt(rules_check(rules, count, &err), 0, "%s", part);
	cr_expect_eq(err.kind, ERR_INTERNAL);
	cr_expect_not_null(strstr(err.message, part), "%s", err.message);
}

Test(rule, check_finds_faults)
{
	static const struct rule twice[] = {{"A", RULE_DROP, NULL, NULL, 0, "a"},
	                                    {"A", RULE_KEEP, "A", NULL, 0, "a"}};
	static const struct rule shadowed[] = {{"A.*", RULE_DROP, NULL, NULL, 0, "a"},
	                                       {"A.B", RULE_KEEP, "B", NULL, 0, "b"}};
	static const struct rule inside[] = {{"A", RULE_DROP, NULL, NULL, 0, "a"},
	                                     {"A.B", RULE_KEEP, "B", NULL, 4, "b"}};
	static const struct rule no_reason[] = {{"A", RULE_DROP, NULL, NULL, 0, ""}};
	static const struct rule no_call[] = {{"A", RULE_CALL, NULL, NULL, 0, "a"}};
	static const struct rule stray_call[] = {{"A", RULE_DROP, NULL, fails, 0, "a"}};
	static const struct rule no_target[] = {{"A", RULE_KEEP, NULL, NULL, 0, "a"}};
	static const struct rule middle[] = {{"A.*.B", RULE_DROP, NULL, NULL, 0, "a"}};
	static const struct rule one_side[] = {{"A.*", RULE_KEEP, "B", NULL, 0, "a"}};

	expect_fault(twice, 2, "twice");
	expect_fault(shadowed, 2, "row 1 (A.B)");
	expect_fault(inside, 2, "row 1 (A.B)");
	expect_fault(no_reason, 1, "no reason");
	expect_fault(no_call, 1, "call");
	expect_fault(stray_call, 1, "call");
	expect_fault(no_target, 1, "no target");
	expect_fault(middle, 1, "last part");
	expect_fault(one_side, 1, "one side");
}

Test(rule, check_lets_conditions_pass)
{
	static const struct rule rules[] = {
		{"A", RULE_DROP, NULL, NULL, 1, "a"},    {"A", RULE_CALL, "A", answers, 2, "a"},
		{"A", RULE_KEEP, "A", NULL, 0, "a"},     {"B.C", RULE_DROP, NULL, NULL, 0, "c"},
		{"B.*", RULE_KEEP, "B.*", NULL, 0, "b"},
	};
	struct err err = ERR_INIT;

	cr_expect_eq(rules_check(rules, ARRAY_SIZE(rules), &err), 0, "%s", err.message);
}
