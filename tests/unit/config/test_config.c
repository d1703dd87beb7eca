/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "pkg/config/config.h"

struct target {
	char *like, *host, *name, *user;
	struct strv env;
	int64_t timeout, cpu;
	bool no_log;
	int verbose, keep;
};

static const char *const keeps[] = {"never", "failed", "always", NULL};

#define AT(field) offsetof(struct target, field)

static const struct option run_options[] = {
	{0, "like", OPTION_STRING, AT(like), "S", NULL, "X_LIKE", "x", COMPLETE_SOURCE, true},
	{0, "host", OPTION_STRING, AT(host), "H", NULL, "X_HOST", "x"},
	{0, "name", OPTION_STRING, AT(name), "N", NULL, NULL, "x"},
	{0, "user", OPTION_STRING, AT(user), "U", NULL, "X_USER", "x"},
	{0, "env", OPTION_LIST, AT(env), "E", NULL, "X_ENV", "x"},
	{0, "timeout", OPTION_DURATION, AT(timeout), "T", NULL, "X_TIMEOUT", "x", .project = true},
	{0, "cpu", OPTION_CPUS, AT(cpu), "N", NULL, "X_CPU", "x", .project = true},
	{0, "no-log", OPTION_TRUE, AT(no_log), NULL, NULL, "X_NO_LOG", "x", .project = true},
	{0, "verbose", OPTION_COUNT, AT(verbose), NULL, NULL, "X_VERBOSE", "x"},
	{0, "keep", OPTION_CHOICE, AT(keep), NULL, keeps, "X_KEEP", "x", .project = true},
};
static const struct option gc_options[] = {
	{0, "unused-for", OPTION_DURATION, AT(timeout), "T", NULL, "X_UNUSED_FOR", "x"},
};
static const struct config_command commands[] = {
	{"run", run_options, ARRAY_SIZE(run_options)},
	{"gc", gc_options, ARRAY_SIZE(gc_options)},
	{"version", NULL, 0},
};

static void target_release(struct target *target)
{
	free(target->like);
	free(target->host);
	free(target->name);
	free(target->user);
	strv_release(&target->env);
}

/* Reads the texts, the own one first, checks them and applies them for `run`. NULL: no such file. */
static int apply(const char *own, const char *project, struct target *target, struct err *err)
{
	_cleanup_(config_release) struct config config = {.count = 0};
	const char *texts[] = {own, project}, *paths[] = {"/own", "/project"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (!texts[i])
			continue;
		if (config_parse(texts[i], strlen(texts[i]), paths[i], i == 1,
		                 &config.files[config.count], err) < 0)
			return -1;
		config.count++;
	}
	if (config_check(&config, commands, ARRAY_SIZE(commands), err) < 0)
		return -1;
	return config_apply(&config, "run", run_options, ARRAY_SIZE(run_options), target, err);
}

#define TARGET _cleanup_(target_release) struct target target = {.keep = -1}

Test(config, sets_every_kind)
{
	struct err err = ERR_INIT;
	TARGET;

	cr_assert_eq(apply("like: web\nuser: 1000\nenv: [A=1, B]\ntimeout: 90\ncpu: 0.5\n"
	                   "no-log: yes\nverbose: 2\nkeep: failed\n",
	                   NULL, &target, &err),
	             0, "%s", err.message);
	cr_expect_str_eq(target.like, "web");
	cr_expect_str_eq(target.user, "1000");
	cr_assert_eq(target.env.count, 2);
	cr_expect_str_eq(target.env.items[1], "B");
	cr_expect_eq(target.timeout, 90000);
	cr_expect_eq(target.cpu, 500000000);
	cr_expect(target.no_log);
	cr_expect_eq(target.verbose, 2);
	cr_expect_eq(target.keep, 1);
}

Test(config, a_section_beats_the_top_and_the_project_beats_the_person)
{
	struct err err = ERR_INIT;
	TARGET;

	cr_assert_eq(apply("run: {timeout: 2s}\ntimeout: 1s\nkeep: always\nenv: {A: 1, B: x y}\n",
	                   "keep: never\nlike: shop\n", &target, &err),
	             0, "%s", err.message);
	cr_expect_eq(target.timeout, 2000);
	cr_expect_eq(target.keep, 0);
	cr_expect_str_eq(target.like, "shop");
	cr_expect_str_eq(target.env.items[1], "B=x y");
}

Test(config, the_project_beats_the_section_of_the_person)
{
	struct err err = ERR_INIT;
	TARGET;

	cr_assert_eq(apply("run: {timeout: 2s}", "timeout: 3s", &target, &err), 0);
	cr_expect_eq(target.timeout, 3000);
}

Test(config, other_commands_and_named_tasks_are_none_of_ours)
{
	struct err err = ERR_INIT;
	TARGET;

	cr_assert_eq(apply("unused-for: 3d\ngc: {unused-for: 1d}\ntasks: {migrate: {run: [a, b]}}\n"
	                   "version: {}\n",
	                   "tasks: [1, {host: x}]\n", &target, &err),
	             0, "%s", err.message);
	cr_expect_eq(target.timeout, 0);
	cr_assert_eq(apply("", "# nothing\n", &target, &err), 0, "%s", err.message);
}

Test(config, errors_name_file_and_key)
{
	static const struct {
		const char *own, *project, *message, *hint;
	} cases[] = {
		{"timout: 1s", NULL, "/own: timout: no option and no command is called so",
	         "did you mean 'timeout'?"},
		{"rnu: {}", NULL, "/own: rnu: no option and no command is called so",
	         "did you mean 'run'?"},
		{"run: {unused-for: 1s}", NULL,
	         "/own: run.unused-for: the command has no such option", ""},
		{"tim: 1s", NULL, "/own: tim: no option", ""},
		{"run: 3", NULL, "/own: run: no option", ""},
		{"name: x", NULL, "/own: name: the option has no default to set", ""},
		{"timeout: soon", NULL, "/own: timeout: 'soon' is not a duration", "write it like"},
		{"run: {keep: some}", NULL, "/own: run.keep: 'some' is not one of", ""},
		{"user: no", NULL, "/own: user: true or false is no value", "quotes"},
		{"no-log: 2", NULL, "/own: no-log: '2' is neither true nor false", ""},
		{"like: [a]", NULL, "/own: like: it takes one value", ""},
		{"env: {A: {B: C}}", NULL, "/own: env: it takes one value", ""},
		{"timeout:", NULL, "/own: timeout: it has no value", ""},
		{"[a]", NULL, "/own: not a mapping of options", "timeout: 1h"},
		{"a: b: c", NULL, "/own: ", ""},
		{"keep: never\nkeep: never", NULL, "/own: ", ""},
		{NULL, "host: tcp://x",
	         "/project: host: a file that comes with a repository may not", "X_HOST"},
		{NULL, "run: {env: [A=1]}",
	         "/project: run.env: a file that comes with a repository", "X_ENV"},
		{NULL, "user: root", "/project: user: a file that comes with a repository",
	         "X_USER"},
		{NULL, "like: oci-layout:./image",
	         "/project: like: a file that comes with a repository "
	         "may not name an image on disk",
	         ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		TARGET;

		cr_expect_eq(apply(cases[i].own, cases[i].project, &target, &err), -1, "case %zu",
		             i);
		cr_expect_not_null(strstr(err.message, cases[i].message), "case %zu: %s", i,
		                   err.message);
		cr_expect_not_null(strstr(err.hint, cases[i].hint), "case %zu: %s", i, err.hint);
	}
}

/* ---- which files count ---- */

struct place {
	char root[64];
	const char *only, *home;
	char folder[128];
};

static const char *lookup(void *context, const char *name)
{
	struct place *place = context;

	if (!strcmp(name, "ONEOFF_CONFIG"))
		return place->only;
	if (!strcmp(name, "HOME"))
		return place->home;
	return NULL;
}

static void write_file(const struct place *place, const char *name, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", place->root, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void make_folder(const struct place *place, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", place->root, name);
	cr_assert_eq(mkdir(path, 0755), 0, "%s", path);
}

static void begin(struct place *place)
{
	memset(place, 0, sizeof(*place));
	snprintf(place->root, sizeof(place->root), "/tmp/oneoff-config-XXXXXX");
	cr_assert_not_null(mkdtemp(place->root));
	make_folder(place, ".config");
	make_folder(place, ".config/oneoff");
	make_folder(place, "work");
	make_folder(place, "work/shop");
	make_folder(place, "work/shop/src");
	snprintf(place->folder, sizeof(place->folder), "%s/work/shop/src", place->root);
	place->home = place->root;
}

static int find(struct place *place, uid_t user, struct config *config, struct err *err)
{
	struct config_settings settings = {lookup, place, place->folder, user};

	return config_find(&settings, config, err);
}

static void end(const struct place *place)
{
	char path[128];
	static const char *const names[] = {".config/oneoff/config.yaml",
	                                    ".config/oneoff",
	                                    ".config",
	                                    "work/shop/src/.oneoff.yaml",
	                                    "work/shop/.oneoff.yaml",
	                                    "work/.oneoff.yaml",
	                                    "only",
	                                    "work/shop/src",
	                                    "work/shop",
	                                    "work",
	                                    ""};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", place->root, names[i]);
		remove(path);
	}
}

Test(config_find, the_nearest_project_file_counts_above_the_persons_own)
{
	_cleanup_(config_release) struct config config = {.count = 0};
	struct err err = ERR_INIT;
	struct place place;

	begin(&place);
	write_file(&place, ".config/oneoff/config.yaml", "keep: never\n");
	write_file(&place, "work/.oneoff.yaml", "timeout: 1s\n");
	write_file(&place, "work/shop/.oneoff.yaml", "timeout: 2s\n");
	cr_assert_eq(find(&place, getuid(), &config, &err), 0, "%s", err.message);
	cr_assert_eq(config.count, 2);
	cr_expect_not(config.files[0].project);
	cr_expect(config.files[1].project);
	cr_expect_str_eq(json_string(config.files[1].document, "timeout"), "2s");
	end(&place);
}

Test(config_find, none_and_one_file_instead)
{
	_cleanup_(config_release) struct config config = {.count = 0};
	struct err err = ERR_INIT;
	struct place place;
	char path[128];

	begin(&place);
	write_file(&place, "work/.oneoff.yaml", "not: [valid\n");
	write_file(&place, "only", "host: tcp://x\n");
	place.only = "none";
	cr_assert_eq(find(&place, getuid(), &config, &err), 0, "%s", err.message);
	cr_expect_eq(config.count, 0);
	snprintf(path, sizeof(path), "%s/only", place.root);
	place.only = path;
	cr_assert_eq(find(&place, getuid(), &config, &err), 0, "%s", err.message);
	cr_assert_eq(config.count, 1);
	cr_expect_not(config.files[0].project);
	config_release(&config);
	place.only = "/nowhere/at/all";
	cr_expect_eq(find(&place, getuid(), &config, &err), -1);
	cr_expect_not_null(strstr(err.message, "no file '/nowhere/at/all'"));
	end(&place);
}

static void expect_refused(struct place *place, uid_t user, const char *part)
{
	struct config config = {.count = 0};
	struct err err = ERR_INIT;

	cr_expect_eq(find(place, user, &config, &err), -1, "%s", part);
	cr_expect_not_null(strstr(err.message, part), "%s", err.message);
	cr_expect_not_null(strstr(err.message, ".oneoff.yaml"), "%s", err.message);
	cr_expect_eq(config.count, 0);
}

Test(config_find, what_others_put_there_is_refused)
{
	struct place place;
	char path[256];

	begin(&place);
	write_file(&place, "work/.oneoff.yaml", "timeout: 1s\n");
	snprintf(path, sizeof(path), "%s/work/.oneoff.yaml", place.root);
	cr_assert_eq(chmod(path, 0646), 0);
	expect_refused(&place, getuid(), "everybody may write");
	if (getuid() == 0)
		cr_assert_eq(chown(path, 12345, 12345), 0);
	else
		place.folder[0] = '\0';
	if (getuid() == 0) {
		expect_refused(&place, 12346, "belongs to another user");
		expect_refused(&place, 0, "belongs to another user");
	}
	end(&place);
}

Test(config_find, only_regular_files_of_a_bounded_size)
{
	_cleanup_free_ char *large = malloc(CONFIG_MAX_BYTES + 2);
	struct place place;
	char path[256];

	cr_assert_not_null(large);
	begin(&place);
	snprintf(path, sizeof(path), "%s/work/shop/src/.oneoff.yaml", place.root);
	cr_assert_eq(mkfifo(path, 0644), 0);
	expect_refused(&place, getuid(), "not a regular file");
	unlink(path);
	memset(large, '#', CONFIG_MAX_BYTES + 1);
	large[CONFIG_MAX_BYTES + 1] = '\0';
	write_file(&place, "work/.oneoff.yaml", large);
	expect_refused(&place, getuid(), "larger than 256 KiB");
	end(&place);
}

Test(config_find, without_home_and_folder_there_is_none)
{
	struct config config = {.count = 1};
	struct err err = ERR_INIT;
	struct place place = {.home = "relative"};
	struct config_settings settings = {lookup, &place, NULL, 0};

	cr_assert_eq(config_find(&settings, &config, &err), 0);
	cr_expect_eq(config.count, 0);
	settings.folder = "/";
	place.home = NULL;
	cr_assert_eq(config_find(&settings, &config, &err), 0);
	cr_expect_eq(config.count, 0);
}
