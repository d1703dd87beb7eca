/* SPDX-License-Identifier: Apache-2.0 */
/* gc deletes what nobody can want any more, and nothing else, however many run at once (design section 6). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "tests/integration/engine.h"
#include "tests/integration/operate.h"

static void expect_listed(const char *id, bool wanted)
{
	cJSON *item = listed(id, true);

	cr_assert_eq(item != NULL, wanted, "%s is %s", id, item ? "still there" : "gone");
	cJSON_Delete(item);
}

/* One that ended and is kept no longer, one that lives, one that is kept. */
struct scene {
	char over[ID_SIZE], live[ID_SIZE], kept[ID_SIZE];
};

static void set_scene(struct scene *scene)
{
	start_detached(scene->live, ARGUMENTS("run", "-d", "--keep", "always", "--keep-for", "1s",
	                                      "--like", "web", "--", "helper", "wait", "60000"));
	start_detached(scene->kept,
	               ARGUMENTS("run", "-d", "--like", "web", "--", "helper", "exit", "0"));
	start_detached(scene->over, ARGUMENTS("run", "-d", "--keep", "always", "--keep-for", "1s",
	                                      "--like", "web", "--", "helper", "exit", "3"));
	expect_code(0, ARGUMENTS("wait", scene->kept));
	expect_code(3, ARGUMENTS("wait", "-q", scene->over));
	pause_ms(2500); /* until a second has passed since its end, counted in whole ones */
}

Test(operate, gc_says_what_it_would_delete)
{
	struct scene scene;
	struct run run;

	set_scene(&scene);
	run_with_code(&run, 0, ARGUMENTS("gc", "--dry-run"));
	cr_assert(strstr(run.err.text, scene.over), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!strstr(run.err.text, scene.live), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!strstr(run.err.text, scene.kept), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	expect_listed(scene.over, true);
}

Test(operate, gc_twice_at_once_deletes_once_and_no_live_run)
{
	static const char *const sources[] = {"web", "entry", "ended"};
	struct run first, second;
	struct scene scene;

	set_scene(&scene);
	run_start(&first, &(struct run_spec){ARGV("gc")});
	run_start(&second, &(struct run_spec){ARGV("gc")});
	run_finish(&first);
	run_finish(&second);
	cr_assert_eq(first.code, 0, RUN_FORMAT, RUN_ARGS(&first));
	cr_assert_eq(second.code, 0, RUN_FORMAT, RUN_ARGS(&second));
	/* a cluster did so itself, a second after the end */
	cr_assert(engine_is_kube() || strstr(first.err.text, scene.over) ||
	                  strstr(second.err.text, scene.over),
	          RUN_FORMAT, RUN_ARGS(&first));
	expect_listed(scene.over, false);
	expect_listed(scene.live, true);
	expect_listed(scene.kept, true);
	cr_assert(wait_listed(scene.live, "running"));
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		cJSON *source = engine_inspect(sources[i]);

		cr_assert(source || engine_is_kube() || engine_is_oci(), "%s is gone", sources[i]);
		cJSON_Delete(source);
	}
	run_release(&first);
	run_release(&second);
	expect_code(0, ARGUMENTS("stop", "--force", scene.live));
}
