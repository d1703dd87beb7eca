/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kube/test_clone_helper.h"

/* What the kubelet makes of a text of "command", "args" or "env" in which no reference is known
 * (API reference, Container.command): "$$" is "$", "$(X)" stays, a byte behind another "$" is taken for a
 * character of its own. Only for this test. */
static void expand(const char *text, char *expanded)
{
	for (; *text != '\0'; text++) {
		if (*text != '$' || text[1] == '\0') {
			*expanded++ = *text;
		} else if (text[1] == '$') {
			*expanded++ = *text++;
		} else if (text[1] == '(') {
			memcpy(expanded, "EXPANDED", sizeof("EXPANDED"));
			return;
		} else {
			*expanded++ = '$';
			*expanded++ = (unsigned char)*++text < 0x80 ? *text : '?';
		}
	}
	*expanded = '\0';
}

Test(kube_clone_command, what_is_typed_arrives)
{
	static const char *const texts[] = {
		"",     "plain",    "$",         "$$",         "$$$",
		"a$",   "$HOME",    "$(HOME)",   "$$(X)",      "echo $$",
		"$$$(", "\xc3\xa9", "$\xc3\xa9", "$$\xc3\xa9", "a$$b$(c)d$$$e$",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char expanded[256];
		char *escaped = kube_escape(texts[i]);

		expand(escaped, expanded);
		cr_expect_str_eq(expanded, texts[i], "%s by %s", texts[i], escaped);
		free(escaped);
	}
}

#define BARE "{\"name\":\"c\",\"image\":\"i\"}"
#define BOTH "{\"name\":\"c\",\"image\":\"i\",\"command\":[\"C\"],\"args\":[\"A\",\"$(B)\"]}"
#define ARGS "{\"name\":\"c\",\"image\":\"i\",\"args\":[\"A\"]}"

struct expectation {
	const char *container, *image_config, *argv;
	enum entrypoint_mode mode;
	enum gate_mode gate;
	const char *command, *args; /* wanted */
};

static const struct expectation expectations[] = {
	/* a command in the spec is replaced, its arguments go */
	{BOTH, NULL, "x", ENTRYPOINT_KEEP, GATE_NONE, "[\"x\"]", NULL},
	{BOTH, NULL, NULL, ENTRYPOINT_KEEP, GATE_NONE, "[\"C\"]", "[\"A\",\"$(B)\"]"},
	{BOTH, NULL, "x", ENTRYPOINT_KEEP, GATE_AUTO, "[\"/.oneoff/gate\",\"stdin:300\",\"x\"]",
         NULL},
	{BOTH, NULL, NULL, ENTRYPOINT_KEEP, GATE_AUTO,
         "[\"/.oneoff/gate\",\"stdin:300\",\"C\",\"A\",\"$(B)\"]", NULL},
	/* without one the image's ENTRYPOINT stays */
	{BARE, NULL, "x", ENTRYPOINT_KEEP, GATE_NONE, NULL, "[\"x\"]"},
	{BARE, NULL, "x", ENTRYPOINT_KEEP, GATE_AUTO, NULL, "[\"x\"]"},
	{ARGS, NULL, "x", ENTRYPOINT_KEEP, GATE_NONE, NULL, "[\"x\"]"},
	{ARGS, NULL, NULL, ENTRYPOINT_KEEP, GATE_AUTO, NULL, "[\"A\"]"},
	{BARE, NULL, "x", ENTRYPOINT_KEEP, GATE_ARGS, NULL,
         "[\"/.oneoff/gate\",\"stdin:300\",\"x\"]"},
	{BARE, NULL, NULL, ENTRYPOINT_KEEP, GATE_ARGS, NULL, NULL},
	/* the image's config tells it */
	{BARE, "{\"config\":{\"Entrypoint\":[\"E\"],\"Cmd\":[\"D\"]}}", "x", ENTRYPOINT_KEEP,
         GATE_AUTO, "[\"/.oneoff/gate\",\"stdin:300\",\"E\",\"x\"]", NULL},
	{BARE, "{\"config\":{\"Entrypoint\":[\"E\"],\"Cmd\":[\"D\"]}}", NULL, ENTRYPOINT_KEEP,
         GATE_AUTO, "[\"/.oneoff/gate\",\"stdin:300\",\"E\",\"D\"]", NULL},
	{ARGS, "{\"config\":{\"Entrypoint\":[\"E\"],\"Cmd\":[\"D\"]}}", NULL, ENTRYPOINT_KEEP,
         GATE_AUTO, "[\"/.oneoff/gate\",\"stdin:300\",\"E\",\"A\"]", NULL},
	{BARE, "{\"config\":{}}", "x", ENTRYPOINT_KEEP, GATE_AUTO,
         "[\"/.oneoff/gate\",\"stdin:300\",\"x\"]", NULL},
	{BARE, "{\"config\":{}}", NULL, ENTRYPOINT_KEEP, GATE_AUTO, NULL, NULL},
	/* --entrypoint */
	{BOTH, NULL, "x", ENTRYPOINT_CLEAR, GATE_NONE, "[\"x\"]", NULL},
	{BOTH, NULL, NULL, ENTRYPOINT_CLEAR, GATE_NONE, "[\"A\",\"$(B)\"]", NULL},
	{BARE, NULL, "x", ENTRYPOINT_REPLACE, GATE_NONE, "[\"/e\",\"x\"]", NULL},
	{BOTH, NULL, NULL, ENTRYPOINT_REPLACE, GATE_AUTO,
         "[\"/.oneoff/gate\",\"stdin:300\",\"/e\"]", NULL},
};

Test(kube_clone_command, every_way)
{
	for (size_t i = 0; i < ARRAY_SIZE(expectations); i++) {
		const struct expectation *wanted = &expectations[i];
		struct clone_sample sample;
		char source[512];

		snprintf(source, sizeof(source),
		         "{\"template\":{\"spec\":{\"containers\":[%s]}}%s%s}", wanted->container,
		         wanted->image_config != NULL ? ",\"image_config\":" : "",
		         wanted->image_config != NULL ? wanted->image_config : "");
		clone_open(&sample, source, wanted->argv);
		sample.request.entrypoint_mode = wanted->mode;
		if (wanted->mode == ENTRYPOINT_REPLACE)
			sample.request.entrypoint = strdup("/e");
		sample.request.kubernetes.gate = wanted->gate;
		clone_plan(&sample);
		clone_expect_sent(&sample, "spec.template.spec.containers[0].command",
		                  wanted->command);
		clone_expect_sent(&sample, "spec.template.spec.containers[0].args", wanted->args);
		clone_close(&sample);
	}
}

Test(kube_clone_command, the_gate_waits_as_long_as_the_start_may_take)
{
	static const struct {
		int64_t milliseconds;
		const char *wanted;
	} cases[] = {{0, "\"stdin:300\""},
	             {1, "\"stdin:60\""},
	             {60001, "\"stdin:61\""},
	             {3600000, "\"stdin:3600\""}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct clone_sample sample;

		clone_open(&sample, "{\"template\":{\"spec\":{\"containers\":[" BOTH "]}}}", "x");
		sample.request.start_timeout_ms = cases[i].milliseconds;
		clone_plan(&sample);
		clone_expect_sent(&sample, "spec.template.spec.containers[0].command[1]",
		                  cases[i].wanted);
		clone_close(&sample);
	}
}

/* An annotation that is no list is no knowledge. */
Test(kube_clone_command, a_wrong_annotation_is_no_entrypoint)
{
	static const char *const notes[] = {"", "/bin/x", "{}", "[\"a\""};

	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		struct clone_sample sample;

		clone_open(&sample,
		           "{\"template\":{\"metadata\":{\"annotations\":{}},\"spec\":{"
		           "\"containers\":[" BARE "]}}}",
		           "x");
		cr_assert_eq(
			json_set_string(json_at(sample.source, "template.metadata.annotations"),
		                        KUBE_ENTRYPOINT_NOTE, notes[i]),
			0);
		clone_plan(&sample);
		clone_expect(sample.plan.extra, "gate", NULL);
		clone_expect_row(&sample, PLAN_DROPPED, "spec.containers.c.gate", "early output");
		clone_close(&sample);
	}
}

Test(kube_clone_command, the_default_container_is_the_annotations_then_the_first_that_no_mesh_put)
{
	cJSON *pod = golden_parse("{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/"
	                          "default-container\":\"b\"}},\"spec\":{\"containers\":[{\"name\":"
	                          "\"istio-proxy\"},{\"name\":\"a\"},{\"name\":\"b\"}]}}");
	struct err err = ERR_INIT;

	cr_expect_str_eq(json_string(kube_clone_container(pod, NULL, &err), "name"), "b");
	cr_expect_str_eq(json_string(kube_clone_container(pod, "istio-proxy", &err), "name"),
	                 "istio-proxy");
	cJSON_DeleteItemFromObjectCaseSensitive(pod, "metadata");
	cr_expect_str_eq(json_string(kube_clone_container(pod, NULL, &err), "name"), "a");
	cr_expect_null(kube_clone_container(pod, "zzz", &err));
	cr_expect_eq(err.kind, ERR_USAGE);
	cr_expect_not_null(strstr(err.hint, "istio-proxy, a, b"));
	json_free(&pod);
}
