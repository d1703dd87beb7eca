/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "pkg/run/console.h"

/* What the app's file system holds: "PATH=CONTENT", and one path whose reading fails. */
struct disk {
	struct backend backend; /* first: what console_choose is given */
	const char *const *files;
	const char *broken;
	enum err_kind kind;
	struct strv asked; /* in order, "PATH" or "PATH (CAP)" */
};

static int read_file(struct backend *backend, const struct release *release, const char *path,
                     size_t cap, struct strbuf *ret, struct err *err)
{
	struct disk *disk = (struct disk *)backend;
	size_t length = strlen(path);

	cr_assert_str_eq(release->name, "web");
	cr_assert_eq(cap ? strv_addf(&disk->asked, "%s (%zu)", path, cap)
	                 : strv_add(&disk->asked, path),
	             0);
	if (disk->broken && !strcmp(path, disk->broken))
		return err_set(err, disk->kind, "the engine's words");
	for (const char *const *file = disk->files; file && *file; file++) {
		const char *content = *file + length + 1;

		if (strncmp(*file, path, length) != 0 || (*file)[length] != '=')
			continue;
		if (!cap)
			return 0;
		if (strlen(content) > cap)
			return err_set(err, ERR_NO_MEMORY, "larger than %zu bytes", cap);
		strbuf_adds(ret, content);
		return 0;
	}
	return err_set(err, ERR_NOT_FOUND, "no such file: %s", path);
}

static const struct backend_ops reading = {
	.name = "fake", .capabilities = BACKEND_READS_FILES, .read_file = read_file};
static const struct backend_ops blind = {.name = "blind"};

/* One case: the documents as JSON (NULL: none) and the disk. */
struct app {
	const char *document, *image_document;
	const char *const *files;
	const char *broken;
	enum err_kind kind;
	bool blind;
};

static int choose(const struct app *app, struct disk *disk, struct console *ret, struct err *err)
{
	_cleanup_(release_release) struct release release = {.name = strdup("web")};
	struct err parse = ERR_INIT;

	*disk = (struct disk){.backend.ops = app->blind ? &blind : &reading,
	                      .files = app->files,
	                      .broken = app->broken,
	                      .kind = app->kind};
	cr_assert(!app->document || json_parse(app->document, strlen(app->document), JSON_MAX_BYTES,
	                                       &release.document, &parse) == 0,
	          "%s", parse.message);
	cr_assert(!app->image_document ||
	                  json_parse(app->image_document, strlen(app->image_document),
	                             JSON_MAX_BYTES, &release.image_document, &parse) == 0,
	          "%s", parse.message);
	return console_choose(&disk->backend, &release, ret, err);
}

static void join(const struct strv *list, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < list->count; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? "|" : "",
		                         list->items[i]);
}

/* argv as "a|b|c", and words that its explanation has. */
static void expect(const struct app *app, const char *argv, const char *why)
{
	_cleanup_(console_release) struct console console = CONSOLE_INIT;
	struct disk disk;
	struct err err = ERR_INIT;
	char text[1024];

	cr_assert_eq(choose(app, &disk, &console, &err), 0, "%s: %s", argv, err.message);
	strv_release(&disk.asked);
	join(&console.argv, text, sizeof(text));
	cr_assert_str_eq(text, argv, "%s instead of %s", text, argv);
	cr_assert_null(console.argv.items[console.argv.count]);
	cr_assert_eq(strncmp(console.why, "console: ", 9), 0, "%s", console.why);
	cr_assert_not_null(strstr(console.why, why), "%s", console.why);
	cr_assert_eq(err.kind, ERR_NONE);
}

#define FILES(...)             ((const char *const[]){__VA_ARGS__, NULL})
#define EXPECT(argv, why, ...) expect(&(struct app){__VA_ARGS__}, argv, why)

static const char in_app[] = "{\"Config\": {\"WorkingDir\": \"/app\"}}";
static const char labelled[] = "{\"Config\": {\"WorkingDir\": \"/app\", \"Labels\": "
			       "{\"dev.oneoff.console\": \"bin/my console\"}}}";

Test(console, the_containers_label_comes_first)
{
	EXPECT("bin/my|console", "from the label dev.oneoff.console", .document = labelled,
	       .image_document = "{\"Config\": {\"Labels\": {\"dev.oneoff.console\": \"image\"}}}",
	       .files = FILES("/app/Procfile=console: no", "/app/bin/rails=", "/bin/bash="));
}

Test(console, asks_for_no_file_when_a_label_tells)
{
	_cleanup_(console_release) struct console console = CONSOLE_INIT;
	struct app app = {.document = labelled};
	struct disk disk;
	struct err err;

	cr_assert_eq(choose(&app, &disk, &console, &err), 0);
	cr_assert_eq(disk.asked.count, 0);
}

Test(console, the_images_label_comes_second)
{
	static const char image[] = "{\"Config\": {\"Labels\": {\"dev.oneoff.console\": \"irb\"}}}";

	EXPECT("irb", "label", .document = in_app, .image_document = image,
	       .files = FILES("/app/Procfile=console: no"));
	EXPECT("irb", "label", .document = "{\"Config\": {\"Labels\": null}}",
	       .image_document = image);
	EXPECT("irb", "label", .image_document = image);
	/* an empty label takes nothing away */
	EXPECT("irb", "label",
	       .document = "{\"Config\": {\"Labels\": {\"dev.oneoff.console\": \"\"}}}",
	       .image_document = image);
}

Test(console, other_labels_and_odd_ones_do_not_count)
{
	static const char *const documents[] = {
		"{}",
		"{\"Config\": null}",
		"{\"Config\": {\"Labels\": []}}",
		"{\"Config\": {\"Labels\": {\"dev.oneoff.console\": 1}}}",
		"{\"Config\": {\"Labels\": {\"dev.oneoff.consoles\": \"no\"}}}",
		"{\"Config\": {\"Labels\": {\"dev\": {\"oneoff\": {\"console\": \"no\"}}}}}",
		"{\"Labels\": {\"dev.oneoff.console\": \"no\"}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
		EXPECT("sh", "no console", .document = documents[i],
		       .image_document = documents[i]);
}

Test(console, lines_are_split_or_go_through_a_shell)
{
	static const char quoted[] = "{\"Config\": {\"Labels\": {\"dev.oneoff.console\": "
				     "\"psql 'my db' \\\"a b\\\"\"}}}";
	static const char piped[] = "{\"Config\": {\"Labels\": {\"dev.oneoff.console\": "
				    "\"psql $DB | cat\"}}}";

	EXPECT("psql|my db|a b", "label", .document = quoted);
	EXPECT("sh|-c|psql $DB | cat", "label", .document = piped);
	EXPECT("sh|-c|cd /x && irb", "Procfile", .document = in_app,
	       .files = FILES("/app/Procfile=console: cd /x && irb\r\n"));
	EXPECT("sh|-c|RAILS_ENV=test bin/rails c", "Procfile", .document = in_app,
	       .files = FILES("/app/Procfile=console: RAILS_ENV=test bin/rails c\n"));
}

Test(console, the_procfile_comes_before_what_the_folder_shows)
{
	EXPECT("bundle|exec|pry", "from the Procfile", .document = in_app,
	       .files = FILES("/app/bin/rails=",
	                      "/app/Procfile=web: x\nconsole: bundle exec pry\n"));
	EXPECT("bin/rails|console", "bin/rails is there", .document = in_app,
	       .files = FILES("/app/bin/rails=", "/app/Procfile=web: x\n"));
}

Test(console, the_procfile_is_looked_for_in_the_working_folder)
{
	const char *const *files = FILES("/Procfile=console: root", "/srv/Procfile=console: srv");

	EXPECT("root", "Procfile", .document = "{}", .files = files);
	EXPECT("root", "Procfile", .document = "{\"Config\": {\"WorkingDir\": \"\"}}",
	       .files = files);
	EXPECT("root", "Procfile", .document = "{\"Config\": {\"WorkingDir\": \"/\"}}",
	       .files = files);
	EXPECT("srv", "Procfile", .document = "{\"Config\": {\"WorkingDir\": \"/srv\"}}",
	       .files = files);
	EXPECT("srv", "Procfile", .document = "{\"Config\": {\"WorkingDir\": \"/srv/\"}}",
	       .files = files);
	EXPECT("sh", "no console", .document = in_app, .files = files);
}

Test(console, a_procfile_of_more_than_64_kib_is_not_read)
{
	static char file[(64 << 10) + 64] = "/app/Procfile=console: big\n";
	size_t name = strlen("/app/Procfile=");
	size_t used = strlen(file);

	memset(file + used, '#', name + CONSOLE_MAX_PROCFILE - used);
	EXPECT("big", "Procfile", .document = in_app, .files = FILES(file));
	file[name + CONSOLE_MAX_PROCFILE] = '#';
	EXPECT("sh", "no console", .document = in_app, .files = FILES(file));
}

Test(console, knows_frameworks_by_their_files)
{
	static const struct {
		const char *file, *argv;
	} cases[] = {
		{"/app/bin/rails=", "bin/rails|console"},
		{"/app/config/application.rb=", "bundle|exec|rails|console"},
		{"/app/manage.py=", "python|manage.py|shell"},
		{"/app/artisan=", "php|artisan|tinker"},
		{"/app/mix.exs=", "iex|-S|mix"},
		{"/app/package.json={\"scripts\": {\"console\": \"node\"}}", "npm|run|console"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT(cases[i].argv, i == 5 ? "package.json" : "is there", .document = in_app,
		       .files = FILES(cases[i].file, "/bin/bash="));
		/* earlier rows win over later ones */
		if (i)
			EXPECT(cases[i - 1].argv, "", .document = in_app,
			       .files = FILES(cases[i].file, cases[i - 1].file));
	}
}

Test(console, package_json_needs_the_script)
{
	static const char *const files[] = {
		"/app/package.json={\"scripts\": {\"consoles\": \"node\"}}",
		"/app/package.json={\"scripts\": {\"console\": \"\"}}",
		"/app/package.json={\"scripts\": {\"console\": 1}}",
		"/app/package.json={\"scripts\": [\"console\"]}",
		"/app/package.json={\"console\": \"node\"}",
		"/app/package.json={broken",
		"/app/package.json=",
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		EXPECT("/bin/sh", "no console", .document = in_app,
		       .files = FILES(files[i], "/bin/sh="));
}

Test(console, takes_the_best_shell)
{
	static const char *const shells[] = {
		"/bin/bash=", "/usr/bin/bash=", "/bin/zsh=", "/bin/ash=", "/bin/sh=", NULL};

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		char wanted[32];

		snprintf(wanted, sizeof(wanted), "%s", shells[i] ? shells[i] : "sh=");
		wanted[strlen(wanted) - 1] = '\0';
		expect(&(struct app){.document = in_app, .files = shells + i}, wanted, wanted);
	}
}

Test(console, a_backend_that_reads_no_files_gives_sh)
{
	EXPECT("sh", "no console", .document = in_app, .blind = true);
	EXPECT("bin/my|console", "label", .document = labelled, .blind = true);
}

Test(console, looks_in_the_told_order_and_bounds_what_it_reads)
{
	_cleanup_(console_release) struct console console = CONSOLE_INIT;
	struct app app = {.document = in_app};
	struct disk disk;
	struct err err;
	char asked[1024];

	cr_assert_eq(choose(&app, &disk, &console, &err), 0);
	join(&disk.asked, asked, sizeof(asked));
	strv_release(&disk.asked);
	cr_assert_str_eq(asked, "/app/Procfile (65536)|/app/bin/rails|/app/config/application.rb|"
	                        "/app/manage.py|/app/artisan|/app/mix.exs|"
	                        "/app/package.json (1048576)|/bin/bash|/usr/bin/bash|/bin/zsh|"
	                        "/bin/ash|/bin/sh");
}

/* Docker answers 500 when bin is a file: no reason to give up. */
Test(console, what_the_engine_will_not_hand_out_is_not_there)
{
	static const enum err_kind kinds[] = {ERR_NOT_FOUND, ERR_REFUSED, ERR_DENIED, ERR_CONFLICT,
	                                      ERR_NO_MEMORY};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		EXPECT("php|artisan|tinker", "artisan", .document = in_app,
		       .broken = "/app/Procfile", .kind = kinds[i],
		       .files = FILES("/app/artisan="));
		EXPECT("php|artisan|tinker", "artisan", .document = in_app,
		       .broken = "/app/bin/rails", .kind = kinds[i],
		       .files = FILES("/app/artisan=", "/app/bin/rails="));
		EXPECT("/bin/sh", "no console", .document = in_app, .broken = "/bin/bash",
		       .kind = kinds[i], .files = FILES("/bin/sh="));
	}
}

static void expect_failure(const struct app *app, enum err_kind kind, const char *words)
{
	struct console console = {.why = (char[]){"mine"}};
	struct err err = ERR_INIT;
	struct disk disk;

	cr_assert_eq(choose(app, &disk, &console, &err), -1, "%s", words);
	strv_release(&disk.asked);
	cr_assert_eq(err.kind, kind, "%s", err.message);
	cr_assert_not_null(strstr(err.message, words), "%s", err.message);
	cr_assert_str_eq(console.why, "mine");
	cr_assert(!console.argv.items && !console.argv.count);
}

Test(console, other_faults_are_told)
{
	static const enum err_kind kinds[] = {ERR_UNREACHABLE, ERR_LOST,     ERR_INTERRUPTED,
	                                      ERR_SYSTEM,      ERR_PROTOCOL, ERR_INTERNAL};
	static const char *const paths[] = {"/app/Procfile", "/app/manage.py", "/app/package.json",
	                                    "/bin/zsh"};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (size_t path = 0; path < ARRAY_SIZE(paths); path++)
			expect_failure(&(struct app){.document = in_app,
			                             .broken = paths[path],
			                             .kind = kinds[i]},
			               kinds[i], paths[path]);
}

Test(console, a_line_that_cannot_be_split_is_told)
{
	static const char open[] = "{\"Config\": {\"Labels\": {\"dev.oneoff.console\": \"a 'b\"}}}";
	static const char blank[] = "{\"Config\": {\"Labels\": {\"dev.oneoff.console\": \" \"}}}";

	expect_failure(&(struct app){.document = open}, ERR_USAGE, "dev.oneoff.console: a quote");
	expect_failure(&(struct app){.document = blank}, ERR_USAGE, "the command is empty");
	expect_failure(
		&(struct app){.document = in_app, .files = FILES("/app/Procfile=console: it's")},
		ERR_USAGE, "from the Procfile: a quote has no end in: it's");
}
