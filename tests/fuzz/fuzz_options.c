/* SPDX-License-Identifier: Apache-2.0 */
/* The option parser on arguments cut from the input at its NULs; nothing it makes of them may break
 * the rules of options.h, and the environment reader gets the same words. */
#include <string.h>

#include "pkg/base/options.h"
#include "tests/fuzz/fuzz.h"

#define ARGUMENTS_MAX 64
struct target {
	bool yes, no;
	int count;
	char *text;
	struct strv list;
	int64_t duration, size, cpus;
	int choice;
};

static const char *const choices[] = {"never", "failed", "always", NULL};

#define AT(field) offsetof(struct target, field)

static const struct option options[] = {
	{'t', "true", OPTION_TRUE, AT(yes), NULL, NULL, "TRUE", "x"},
	{'f', "false", OPTION_FALSE, AT(no), NULL, NULL, "FALSE", "x"},
	{'v', "verbose", OPTION_COUNT, AT(count), NULL, NULL, "VERBOSE", "x"},
	{'u', "user", OPTION_STRING, AT(text), "USER", NULL, "USER", "x"},
	{0, "user-alias", OPTION_STRING, AT(text), "USER", NULL, NULL, NULL},
	{'e', "env", OPTION_LIST, AT(list), "K=V", NULL, "ENV", "x"},
	{'d', "duration", OPTION_DURATION, AT(duration), "DUR", NULL, "DURATION", "x"},
	{'s', "size", OPTION_SIZE, AT(size), "SIZE", NULL, "SIZE", "x"},
	{'c', "cpus", OPTION_CPUS, AT(cpus), "N", NULL, "CPUS", "x"},
	{'k', "keep", OPTION_CHOICE, AT(choice), NULL, choices, "KEEP", "x"},
};

static void check_target(const struct target *target)
{
	CHECK(target->count >= 0);
	CHECK(target->duration >= 0 && target->duration <= INT64_C(315360000000));
	CHECK(target->size >= 0 && target->cpus >= 0);
	CHECK(target->choice >= 0 && target->choice < 3);
}

static void release(struct target *target)
{
	free(target->text);
	strv_release(&target->list);
}

static void try_arguments(int argc, char **argv)
{
	_cleanup_(release) struct target target = {.no = true};
	struct err err = ERR_INIT;
	int operands = -1;
	bool dashes = false;

	if (options_parse(options, ARRAY_SIZE(options), argc, argv, &target, &operands, &dashes,
	                  &err) < 0) {
		CHECK(operands == -1 && !dashes);
		CHECK(err.kind == ERR_USAGE && err.message[0]);
	} else {
		CHECK(operands >= 0 && operands <= argc);
		CHECK(!dashes || !strcmp(argv[operands - 1], "--"));
		CHECK(dashes || operands == argc || argv[operands][0] != '-' || !argv[operands][1]);
	}
	check_target(&target);
}

/* One argument for each row in turn. */
static const char *next_argument(void *context, const char *name)
{
	char ***next = context;

	(void)name;
	return **next ? *(*next)++ : NULL;
}

static void try_environment(char **argv)
{
	_cleanup_(release) struct target target = {.no = true};
	struct err err = ERR_INIT;

	if (options_from_environment(options, ARRAY_SIZE(options), next_argument, &argv, &target,
	                             &err) < 0)
		CHECK(err.kind == ERR_USAGE && err.message[0]);
	check_target(&target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[ARGUMENTS_MAX + 1] = {NULL};
	char *text = malloc(size + 1);
	int argc = 0;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	/* Each argument is a block of its own, so that the sanitizer sees a read behind its end. */
	for (size_t at = 0; at < size && argc < ARGUMENTS_MAX; at += strlen(text + at) + 1)
		argv[argc++] = strdup(text + at);
	try_arguments(argc, argv);
	try_environment(argv);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	free(text);
	return 0;
}
