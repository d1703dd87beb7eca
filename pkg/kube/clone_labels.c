/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/kube/clone_calls.h"

static const char replica[] = "tells a workload's own pods apart";
static const char by_admission[] = "the cluster sets it for each pod";
static const char by_mesh[] = "a mesh has set it";
static const char ours[] = "oneoff's own record";

/* What never comes along (research/kubernetes.md 5); a '*' at the end stands for anything. */
static const struct {
	const char *pattern;
	bool bare_only; /* people set it in templates, too */
	const char *why;
} refused_labels[] = {
	{"pod-template-hash", false, replica},
	{"controller-revision-hash", false, replica},
	{"pod-template-generation", false, replica},
	{"rollouts-pod-template-hash", false, replica},
	{"statefulset.kubernetes.io/pod-name", false, replica},
	{"apps.kubernetes.io/pod-index", false, replica},
	{"job-name", false, replica},
	{"controller-uid", false, replica},
	{"batch.kubernetes.io/job-name", false, replica},
	{"batch.kubernetes.io/controller-uid", false, replica},
	{"batch.kubernetes.io/job-completion-index", false, replica},
	{KUBE_PREFIX "*", false, ours},
	{"topology.kubernetes.io/*", true, by_admission},
	{"istio.io/rev", true, by_mesh},
	{"security.istio.io/tlsMode", true, by_mesh},
	{"service.istio.io/*", true, by_mesh},
	{"linkerd.io/*", true, by_mesh},
};

static bool pattern_matches(const char *pattern, const char *key)
{
	size_t length = strlen(pattern);

	if (length > 0 && pattern[length - 1] == '*')
		return strncmp(pattern, key, length - 1) == 0;
	return strcmp(pattern, key) == 0;
}

const char *kube_label_refused(const char *key, bool bare)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused_labels); i++) {
		if (pattern_matches(refused_labels[i].pattern, key) &&
		    (bare || !refused_labels[i].bare_only))
			return refused_labels[i].why;
	}
	return NULL;
}

/* ---- what a person may ask for ------------------------------------------------------------------ */

static bool is_alphanumeric(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9');
}

/* At most 63 of [-_.A-Za-z0-9], alphanumeric at both ends. */
static bool is_word(const char *text, size_t length)
{
	if (length == 0 || length > 63 || !is_alphanumeric(text[0]) ||
	    !is_alphanumeric(text[length - 1]))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!is_alphanumeric(text[i]) && strchr("-_.", text[i]) == NULL)
			return false;
	}
	return true;
}

/* A lower-case DNS name of at most 253 bytes. */
static bool is_domain(const char *text, size_t length)
{
	if (length == 0 || length > 253)
		return false;
	for (size_t i = 0; i < length; i++) {
		bool edge = i == 0 || i + 1 == length || text[i - 1] == '.' || text[i + 1] == '.';
		bool alphanumeric = is_alphanumeric(text[i]) && !(text[i] >= 'A' && text[i] <= 'Z');

		if (!alphanumeric && (edge || (text[i] != '-' && text[i] != '.')))
			return false;
	}
	return true;
}

static bool is_key(const char *key, size_t length)
{
	const char *slash = memchr(key, '/', length);
	size_t prefix = slash != NULL ? (size_t)(slash - key) : 0;

	if (slash == NULL)
		return is_word(key, length);
	return is_domain(key, prefix) && is_word(slash + 1, length - prefix - 1);
}

int kube_check_label(const char *pair, struct err *err)
{
	size_t length = strcspn(pair, "=");
	const char *value = pair[length] == '=' ? pair + length + 1 : "";
	_cleanup_free_ char *key = strndup(pair, length);

	if (key == NULL)
		return err_no_memory(err);
	if (!is_key(pair, length) || (value[0] != '\0' && !is_word(value, strlen(value)))) {
		(void)err_set(err, ERR_USAGE, "'%s' is no label for Kubernetes", pair);
		return err_hint(err, "[PREFIX/]NAME=VALUE of letters, digits, '-', '_' and '.', at "
		                     "most 63 bytes each");
	}
	if (strcmp(key, KUBE_LABEL_MANAGED) == 0 ||
	    strncmp(key, KUBE_PREFIX, sizeof(KUBE_PREFIX) - 1) == 0)
		return err_set(err, ERR_USAGE, "the label '%s' is oneoff's own", key);
	if (kube_label_refused(key, false) != NULL)
		return err_set(err, ERR_USAGE, "the label '%s' is the cluster's own", key);
	return 0;
}

/* ---- the list of labels ------------------------------------------------------------------------- */

static void add(struct kube_state *state, const char *key, const char *value)
{
	for (size_t i = state->source_label_count; i < state->label_count; i++) {
		if (strcmp(state->labels[i].key, key) == 0) {
			state->labels[i].value = value;
			return;
		}
	}
	for (size_t i = 0; i < state->source_label_count; i++)
		state->labels[i].gone =
			state->labels[i].gone || strcmp(state->labels[i].key, key) == 0;
	state->labels[state->label_count++] = (struct kube_label){key, value, false, true};
}

/* A pair of the request in its two parts, in an object that lives as long as the labels. */
static int split_asked(struct kube_state *state, const char *pair, struct err *err)
{
	size_t length = strcspn(pair, "=");
	_cleanup_free_ char *key = strndup(pair, length);

	if (key == NULL ||
	    json_set_string(state->asked, key, pair[length] == '=' ? pair + length + 1 : "") < 0)
		return err_no_memory(err);
	return 0;
}

/* What is always there: ours, the mesh's switch, the asked ones. */
static int add_fixed(struct kube_state *state, struct err *err)
{
	const struct strv *asked = &state->input->request->labels;
	bool outside = state->input->request->kubernetes.sidecars == SIDECARS_NONE;
	const cJSON *label;

	state->asked = cJSON_CreateObject();
	if (state->asked == NULL)
		return err_no_memory(err);
	for (size_t i = 0; i < asked->count; i++) {
		if (split_asked(state, asked->items[i], err) < 0)
			return -1;
	}
	add(state, KUBE_LABEL_ID, state->input->id);
	add(state, KUBE_LABEL_MANAGED, "oneoff");
	if (state->input->request->lock != NULL)
		add(state, KUBE_LABEL_LOCK, state->input->request->lock);
	if (state->mesh.istio && outside)
		add(state, "sidecar.istio.io/inject", "false");
	cJSON_ArrayForEach (label, state->asked)
		add(state, label->string, label->valuestring);
	return 0;
}

int kube_plan_labels(struct kube_state *state, struct err *err)
{
	const cJSON *labels = json_at(state->source, "metadata.labels");
	size_t most = (size_t)cJSON_GetArraySize(labels) + state->input->request->labels.count + 4;
	const cJSON *label;

	state->labels = calloc(most, sizeof(*state->labels));
	if (state->labels == NULL)
		return err_no_memory(err);
	cJSON_ArrayForEach (label, labels) {
		bool gone = kube_label_refused(label->string, state->flags & KUBE_BARE) != NULL;

		state->labels[state->label_count++] =
			(struct kube_label){label->string, label->valuestring, gone, false};
	}
	state->source_label_count = state->label_count;
	if (add_fixed(state, err) < 0)
		return -1;
	return kube_choose_labels(state, err);
}

/* ---- the rows ----------------------------------------------------------------------------------- */

/* "Service web, Deployment web": at most three that need the key. */
static void add_selecting(const struct kube_state *state, const char *key, struct strbuf *text)
{
	size_t named = 0;

	for (size_t i = 0; i < state->selector_count; i++) {
		const struct kube_selector *selector = &state->selectors[i];

		if (!kube_selector_needs(selector, key))
			continue;
		if (named == 3) {
			strbuf_adds(text, " and others");
			return;
		}
		strbuf_addf(text, "%s%s %s", named++ > 0 ? ", " : "", selector->kind,
		            selector->name);
	}
}

static int report_gone(struct rule_context *context, const struct rule *rule,
                       const struct kube_label *label, const cJSON *node, struct err *err)
{
	struct kube_state *state = kube_state(context);
	const char *refused = kube_label_refused(label->key, state->flags & KUBE_BARE);
	_cleanup_(strbuf_release) struct strbuf why = STRBUF_INIT;

	add_selecting(state, label->key, &why);
	if (refused != NULL || why.length == 0) {
		strbuf_reset(&why);
		strbuf_adds(&why, refused != NULL
		                          ? refused
		                          : "a Service may select on it; they could not be read");
	} else {
		strbuf_adds(&why, " would take the one-off for a replica by it");
	}
	if (why.failed)
		return err_no_memory(err);
	return rule_report(context, PLAN_DROPPED, rule->path, label->key,
	                   json_member(node, label->key), NULL, strbuf_str(&why), err);
}

static int report_fixed(struct rule_context *context, const struct rule *rule,
                        const struct kube_label *label, const cJSON *node, const cJSON *now,
                        struct err *err)
{
	const struct strv *asked = &kube_state(context)->input->request->labels;
	const cJSON *was = json_member(node, label->key);
	const char *why = ours;

	if (strv_find_key(asked, label->key) != NULL)
		why = "asked with -l";
	else if (strcmp(label->key, "sidecar.istio.io/inject") == 0)
		why = "asked with --sidecars none";
	return rule_report(context, plan_difference(was, now), rule->path, label->key, was, now,
	                   why, err);
}

/* A label that is gone since ours or an asked one stands in its place has one row only: theirs. */
static bool is_replaced(const struct kube_state *state, const char *key)
{
	for (size_t i = state->source_label_count; i < state->label_count; i++) {
		if (strcmp(state->labels[i].key, key) == 0)
			return true;
	}
	return false;
}

static const char *kept_reason(const struct kube_state *state, const struct rule *rule,
                               const char *key)
{
	for (size_t i = 0; i < state->selector_count; i++) {
		if (!kube_selector_needs(&state->selectors[i], key))
			continue;
		return state->never_ready
		               ? "network policies may need it; the pod is never ready instead"
		               : "what selects on it also needs a label that is left out";
	}
	return rule->why;
}

int kube_labels(struct rule_context *context, const struct rule *rule, const cJSON *node,
                struct err *err)
{
	struct kube_state *state = kube_state(context);
	_cleanup_(json_free) cJSON *labels = cJSON_CreateObject();

	if (labels == NULL)
		return err_no_memory(err);
	for (size_t i = 0; i < state->label_count; i++) {
		const struct kube_label *label = &state->labels[i];
		const cJSON *now;
		int result;

		if (label->gone) {
			if (!is_replaced(state, label->key) &&
			    report_gone(context, rule, label, node, err) < 0)
				return -1;
			continue;
		}
		if (json_set_string(labels, label->key, label->value) < 0)
			return err_no_memory(err);
		now = json_member(labels, label->key);
		result = label->fixed ? report_fixed(context, rule, label, node, now, err)
		                      : rule_report(context, PLAN_KEPT, rule->path, label->key, now,
		                                    now, kept_reason(state, rule, label->key), err);
		if (result < 0)
			return -1;
	}
	return rule_put(context, rule->to, TAKE_PTR(labels), err);
}
