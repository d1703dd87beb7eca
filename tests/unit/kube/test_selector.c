/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kube/test_clone_helper.h"

static const struct kube_label web[] = {{"app", "web", false, false},
                                        {"tier", "backend", false, false},
                                        {"zone", "a", true, false}};

static bool matches(const char *json, bool map)
{
	cJSON *node = golden_parse(json);
	struct kube_selector selector = {"Service", "s", node, map, NULL};
	bool result = kube_selector_matches(&selector, web, ARRAY_SIZE(web));

	json_free(&node);
	return result;
}

Test(kube_selector, a_services_map_wants_every_pair)
{
	cr_expect(matches("{\"app\":\"web\"}", true));
	cr_expect(matches("{\"app\":\"web\",\"tier\":\"backend\"}", true));
	cr_expect_not(matches("{\"app\":\"web\",\"tier\":\"front\"}", true));
	cr_expect_not(matches("{\"app\":\"web\",\"extra\":\"\"}", true));
	cr_expect_not(matches("{\"app\":1}", true));
}

Test(kube_selector, an_empty_map_selects_nothing_but_an_empty_selector_everything)
{
	struct kube_selector none = {"PodDisruptionBudget", "b", NULL, false, NULL};

	cr_expect_not(matches("{}", true));
	cr_expect(matches("{}", false));
	cr_expect(matches("{\"matchLabels\":{},\"matchExpressions\":[]}", false));
	cr_expect_not(kube_selector_matches(&none, web, ARRAY_SIZE(web)));
	cr_expect_not(matches("[]", false));
}

Test(kube_selector, every_operator)
{
	static const struct {
		const char *expression;
		bool wanted;
	} cases[] = {
		{"{\"key\":\"app\",\"operator\":\"In\",\"values\":[\"api\",\"web\"]}", true},
		{"{\"key\":\"app\",\"operator\":\"In\",\"values\":[\"api\"]}", false},
		{"{\"key\":\"none\",\"operator\":\"In\",\"values\":[\"web\"]}", false},
		{"{\"key\":\"app\",\"operator\":\"NotIn\",\"values\":[\"web\"]}", false},
		{"{\"key\":\"app\",\"operator\":\"NotIn\",\"values\":[\"api\"]}", true},
		{"{\"key\":\"none\",\"operator\":\"NotIn\",\"values\":[\"web\"]}", true},
		{"{\"key\":\"app\",\"operator\":\"Exists\"}", true},
		{"{\"key\":\"none\",\"operator\":\"Exists\"}", false},
		{"{\"key\":\"app\",\"operator\":\"DoesNotExist\"}", false},
		{"{\"key\":\"none\",\"operator\":\"DoesNotExist\"}", true},
		{"{\"key\":\"app\",\"operator\":\"Like\"}", false},
		{"{\"operator\":\"Exists\"}", false},
		{"7", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char json[256];

		snprintf(json, sizeof(json), "{\"matchExpressions\":[%s]}", cases[i].expression);
		cr_expect_eq(matches(json, false), cases[i].wanted, "%s", json);
	}
}

Test(kube_selector, all_parts_must_hold)
{
	cr_expect(matches(
		"{\"matchLabels\":{\"app\":\"web\"},\"matchExpressions\":[{\"key\":\"tier\","
		"\"operator\":\"Exists\"}]}",
		false));
	cr_expect_not(matches("{\"matchLabels\":{\"app\":\"web\"},\"matchExpressions\":[{\"key\":"
	                      "\"tier\",\"operator\":\"DoesNotExist\"}]}",
	                      false));
}

Test(kube_selector, a_label_that_is_gone_is_not_there)
{
	cr_expect_not(matches("{\"zone\":\"a\"}", true));
	cr_expect(
		matches("{\"matchExpressions\":[{\"key\":\"zone\",\"operator\":\"DoesNotExist\"}]}",
	                false));
}

Test(kube_selector, only_positive_parts_need_a_label)
{
	cJSON *node =
		golden_parse("{\"matchLabels\":{\"a\":\"1\"},\"matchExpressions\":[{\"key\":\"b\","
	                     "\"operator\":\"In\",\"values\":[\"x\"]},{\"key\":\"c\","
	                     "\"operator\":\"NotIn\",\"values\":[\"x\"]}]}");
	cJSON *negative = golden_parse(
		"{\"matchExpressions\":[{\"key\":\"c\",\"operator\":\"DoesNotExist\"}]}");
	struct kube_selector selector = {"x", "x", node, false, NULL};
	struct kube_selector unavoidable = {"x", "x", negative, false, NULL};

	cr_expect(kube_selector_needs(&selector, "a"));
	cr_expect(kube_selector_needs(&selector, "b"));
	cr_expect_not(kube_selector_needs(&selector, "c"));
	cr_expect_not(kube_selector_needs_nothing(&selector));
	cr_expect(kube_selector_needs_nothing(&unavoidable));
	json_free(&node);
	json_free(&negative);
}
