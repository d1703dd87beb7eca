/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "cmd/oneoff/cmd_cron_cluster.h"
#include "cmd/oneoff/defaults.h"
#include "cmd/oneoff/shared_options.h"
#include "pkg/kube/kube.h"

static const char *const formats[] = {"table", "json", NULL};

/* clang-format off */
#define ROW(letter, name, kind, field, argument, choices, variable, ...) \
	{letter, name, kind, offsetof(struct run_options, field), argument, choices, variable, __VA_ARGS__}

const struct option cron_option_table[] = {
	ROW('o', "output", OPTION_CHOICE, format, "FORMAT", formats, NULL, "list: table (default) or json"),
	CLUSTER_OPTIONS,
	VERBOSITY_OPTIONS,
};
const size_t cron_option_count = ARRAY_SIZE(cron_option_table);
/* clang-format on */

static int parse(int argc, char **argv, struct run_options *options, struct err *err)
{
	int first;

	if (defaults_parse(cron_option_table, cron_option_count, argc, argv, options,
	                   &options->verbosity, &first, err) < 0)
		return -1;
	options->operands = argv + first;
	options->operand_count = argc - first;
	return 0;
}

int cron_session_open(const struct command *command, int argc, char **argv,
                      struct cron_session *ret, struct err *err)
{
	struct backend_settings settings;

	ret->reporter = message_reporter(&ret->options.verbosity);
	if (parse(argc, argv, &ret->options, err) < 0)
		return -1;
	if (ret->options.help)
		return command_print_help(command, err);
	settings = (struct backend_settings){
		.context = ret->options.context,
		.kubeconfig = ret->options.kubeconfig,
		.name_space = ret->options.name_space,
		.as = ret->options.as,
		.as_groups = &ret->options.as_groups,
		.reporter = ret->reporter,
	};
	ret->loop = (struct loop)LOOP_INIT;
	return kubernetes_backend.open(&settings, &ret->loop, &ret->backend, err);
}

void cron_session_release(struct cron_session *session)
{
	if (session->backend)
		session->backend->ops->close(session->backend);
	run_options_release(&session->options);
}

const char *cron_annotation(const cJSON *document, const char *key)
{
	return cJSON_GetStringValue(json_member(json_at(document, "metadata.annotations"), key));
}

/* ---- its own record ---------------------------------------------------------------------------- */

static int read_words(const cJSON *live, struct strv *words, struct err *err)
{
	const char *text = cron_annotation(live, CRONJOB_GENERATE);
	_cleanup_(json_free) cJSON *list = NULL;
	struct err ignored = ERR_INIT;
	const cJSON *item;

	if (!text || json_parse(text, strlen(text), JSON_MAX_BYTES, &list, &ignored) < 0 ||
	    !cJSON_IsArray(list))
		return err_set(err, ERR_REFUSED, "'%s' has no record of how it was made",
		               json_string(live, "metadata.name"));
	cJSON_ArrayForEach (item, list) {
		if (!cJSON_IsString(item))
			return err_set(err, ERR_PROTOCOL, "its record is no list of words");
		if (strv_add(words, item->valuestring) < 0)
			return err_no_memory(err);
	}
	return 0;
}

static int copy(char **to, const char *from)
{
	char *text = from ? strdup(from) : NULL;

	if (from && !text)
		return -1;
	free(*to);
	*to = text;
	return 0;
}

int cron_recorded(const struct cron_session *session, const cJSON *live, struct strv *words,
                  struct cron_options *ret, struct err *err)
{
	const struct run_options *here = &session->options;

	if (read_words(live, words, err) < 0 || cron_options_read(words, ret, err) < 0)
		return -1;
	ret->run.verbosity = here->verbosity;
	if (copy(&ret->run.context, here->context) < 0 ||
	    copy(&ret->run.kubeconfig, here->kubeconfig) < 0 ||
	    copy(&ret->run.name_space, json_string(live, "metadata.namespace")) < 0 ||
	    copy(&ret->run.as, here->as) < 0)
		return err_no_memory(err);
	for (size_t i = 0; i < here->as_groups.count; i++)
		if (strv_add(&ret->run.as_groups, here->as_groups.items[i]) < 0)
			return err_no_memory(err);
	return 0;
}

int cron_again(struct cron_session *session, const cJSON *live, cJSON **ret_fresh,
               struct strv *ret_lines, struct err *err)
{
	_cleanup_(strv_release) struct strv words = STRV_INIT;
	_cleanup_(cron_options_release) struct cron_options options = {.schedule = NULL};
	_cleanup_(cron_made_release) struct cron_made made;
	const char *mode = cron_annotation(live, CRONJOB_MODE);
	struct reporter reporter;

	cron_made_init(&made);
	*ret_fresh = NULL;
	if (mode && !strcmp(mode, "follow"))
		return 0;
	if (cron_recorded(session, live, &words, &options, err) < 0 ||
	    cron_make(&options, &made, &reporter, err) < 0)
		return -1;
	if (!made.document)
		return err_set(err, ERR_REFUSED, "its source '%s' is in no cluster",
		               options.run.like);
	if (cronjob_compare(live, made.document, ret_lines) < 0)
		return err_no_memory(err);
	*ret_fresh = TAKE_PTR(made.document);
	return 0;
}
