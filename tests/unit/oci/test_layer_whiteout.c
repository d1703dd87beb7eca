/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/oci/layer_helper.h"

static struct layer_bench bench;

static void open_bench(void)
{
	layer_bench_open(&bench);
}

static void close_bench(void)
{
	layer_bench_close(&bench);
}

TestSuite(layer_whiteout, .init = open_bench, .fini = close_bench, .timeout = 60);

static void apply_lower(void)
{
	TAR(&bench.tar, .name = "f", .type = '0', .content = "lower");
	TAR(&bench.tar, .name = "l", .type = '2', .link = "f");
	TAR(&bench.tar, .name = "d", .type = '5', .time = 1000);
	TAR(&bench.tar, .name = "d/a", .type = '0', .content = "lower");
	TAR(&bench.tar, .name = "d/sub", .type = '5');
	TAR(&bench.tar, .name = "d/sub/b", .type = '0', .content = "lower");
	TAR(&bench.tar, .name = "d/sub/deep/c", .type = '0', .content = "lower");
	TAR(&bench.tar, .name = "d/other/x", .type = '0', .content = "lower");
	TAR(&bench.tar, .name = "ld", .type = '2', .link = "d");
	TAR(&bench.tar, .name = "dead", .type = '2', .link = "nowhere");
	layer_expect_applied(&bench);
}

Test(layer_whiteout, deletes_files_links_and_whole_folders)
{
	apply_lower();
	TAR(&bench.tar, .name = ".wh.f", .type = '0');
	TAR(&bench.tar, .name = "./.wh.l", .type = '0');
	TAR(&bench.tar, .name = "d/.wh.sub", .type = '0');
	TAR(&bench.tar, .name = "/.wh.dead", .type = '0');
	layer_expect_applied(&bench);
	layer_expect_names(&bench, "", "d ld");
	layer_expect_names(&bench, "d", "a other");
}

Test(layer_whiteout, of_a_link_to_a_folder_deletes_the_link)
{
	apply_lower();
	TAR(&bench.tar, .name = ".wh.ld", .type = '0');
	layer_expect_applied(&bench);
	layer_expect_none(&bench, "ld");
	layer_expect_names(&bench, "d", "a other sub");
}

Test(layer_whiteout, acts_where_its_parent_leads_to)
{
	apply_lower();
	TAR(&bench.tar, .name = "ld/.wh.a", .type = '0');
	TAR(&bench.tar, .name = "ld/sub/.wh..wh..opq", .type = '0');
	TAR(&bench.tar, .name = "../../ld/other/../.wh.other", .type = '0');
	layer_expect_applied(&bench);
	layer_expect_names(&bench, "d", "sub");
	layer_expect_names(&bench, "d/sub", "");
	layer_expect_link(&bench, "ld", "d");
}

Test(layer_whiteout, of_what_is_not_there_does_nothing)
{
	apply_lower();
	TAR(&bench.tar, .name = ".wh.none", .type = '0');
	TAR(&bench.tar, .name = "none/deep/.wh.x", .type = '0');
	TAR(&bench.tar, .name = "none/.wh..wh..opq", .type = '0');
	TAR(&bench.tar, .name = "dead/.wh.x", .type = '0');
	TAR(&bench.tar, .name = "f/.wh.x", .type = '0');
	TAR(&bench.tar, .name = "f/.wh..wh..opq", .type = '0');
	layer_expect_applied(&bench);
	layer_expect_names(&bench, "", "d dead f l ld");
	layer_expect_names(&bench, "d", "a other sub");
}

Test(layer_whiteout, spares_what_this_layer_wrote_before_and_after)
{
	apply_lower();
	TAR(&bench.tar, .name = "f", .type = '0', .content = "upper");
	TAR(&bench.tar, .name = ".wh.f", .type = '0');
	TAR(&bench.tar, .name = "d/sub/new", .type = '0', .content = "upper");
	TAR(&bench.tar, .name = "d/.wh.sub", .type = '0');
	TAR(&bench.tar, .name = ".wh.l", .type = '0');
	TAR(&bench.tar, .name = "l", .type = '5');
	TAR(&bench.tar, .name = "d/.wh.other", .type = '0');
	TAR(&bench.tar, .name = "d/other", .type = '0', .content = "upper");
	layer_expect_applied(&bench);
	layer_expect_file(&bench, "f", "upper");
	layer_expect_names(&bench, "d/sub", "new");
	layer_expect_folder(&bench, "l");
	layer_expect_file(&bench, "d/other", "upper");
	layer_expect_file(&bench, "d/a", "lower");
}

Test(layer_whiteout, spares_a_new_hard_link_to_a_file_that_it_deletes)
{
	apply_lower();
	TAR(&bench.tar, .name = "d/link", .type = '1', .link = "f");
	TAR(&bench.tar, .name = ".wh.f", .type = '0');
	TAR(&bench.tar, .name = "d/.wh..wh..opq", .type = '0');
	layer_expect_applied(&bench);
	layer_expect_none(&bench, "f");
	layer_expect_names(&bench, "d", "link");
	layer_expect_file(&bench, "d/link", "lower");
}

/* image-spec layer.md, "Opaque Whiteout": the marker may stand anywhere. */
Test(layer_whiteout, opaque_spares_this_layers_files_wherever_it_stands)
{
	static const char *const order[3][4] = {
		{"d/.wh..wh..opq", "d/", "d/new", "d/sub/new"},
		{"d/", "d/new", "d/.wh..wh..opq", "d/sub/new"},
		{"d/sub/new", "d/new", "d/", "d/.wh..wh..opq"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		struct stat status;

		apply_lower();
		for (size_t j = 0; j < 4; j++) {
			bool is_folder = !strcmp(order[i][j], "d/");

			TAR(&bench.tar, .name = order[i][j], .type = is_folder ? '5' : '0',
			    .time = 3000);
		}
		layer_expect_applied(&bench);
		layer_expect_names(&bench, "d", "new sub");
		layer_expect_names(&bench, "d/sub", "new");
		layer_status(&bench, "d", &status);
		cr_assert_eq(status.st_mtim.tv_sec, 3000);
		TAR(&bench.tar, .name = ".wh..wh..opq", .type = '0');
		layer_expect_applied(&bench);
		layer_expect_names(&bench, "", "");
	}
}

Test(layer_whiteout, opaque_without_its_folders_entry_keeps_the_folder)
{
	struct stat status;

	apply_lower();
	TAR(&bench.tar, .name = "d/.wh..wh..opq", .type = '0');
	layer_expect_applied(&bench);
	layer_expect_names(&bench, "d", "");
	layer_status(&bench, "d", &status);
	cr_assert_eq(status.st_mtim.tv_sec, 1000);
}

Test(layer_whiteout, opaque_reaches_through_all_levels)
{
	apply_lower();
	TAR(&bench.tar, .name = "d/sub/deep/upper", .type = '0');
	TAR(&bench.tar, .name = "d/.wh..wh..opq", .type = '0');
	layer_expect_applied(&bench);
	layer_expect_names(&bench, "d", "sub");
	layer_expect_names(&bench, "d/sub", "deep");
	layer_expect_names(&bench, "d/sub/deep", "upper");
}

/* Each marker would look at each name: a hundred million looks. */
Test(layer_whiteout, ten_thousand_markers_take_no_longer_than_one)
{
	char name[32];

	apply_lower();
	for (int i = 0; i < 10000; i++) {
		(void)snprintf(name, sizeof(name), "d/new%d", i);
		TAR(&bench.tar, .name = name, .type = '1', .link = "f");
	}
	for (int i = 0; i < 10000; i++)
		TAR(&bench.tar, .name = "d/.wh..wh..opq", .type = '0');
	layer_expect_applied(&bench);
	layer_expect_none(&bench, "d/a");
	layer_expect_same(&bench, "d/new9999", "f");
}

Test(layer_whiteout, forgets_a_folder_that_was_replaced)
{
	apply_lower();
	TAR(&bench.tar, .name = "d/sub/upper", .type = '0');
	TAR(&bench.tar, .name = "d", .type = '0', .content = "file");
	TAR(&bench.tar, .name = ".wh.d", .type = '0');
	layer_expect_applied(&bench);
	layer_expect_file(&bench, "d", "file");
	TAR(&bench.tar, .name = ".wh.d", .type = '0');
	layer_expect_applied(&bench);
	layer_expect_none(&bench, "d");
}

Test(layer_whiteout, ignores_what_aufs_kept_for_itself)
{
	TAR(&bench.tar, .name = ".wh..wh.aufs", .type = '0');
	TAR(&bench.tar, .name = ".wh..wh.orph", .type = '5');
	TAR(&bench.tar, .name = ".wh..wh.plnk", .type = '5');
	TAR(&bench.tar, .name = ".wh..wh.plnk/12.34", .type = '0', .content = "x");
	TAR(&bench.tar, .name = "f", .type = '0');
	layer_expect_applied(&bench);
	layer_expect_names(&bench, "", "f");
}

Test(layer_whiteout, may_be_of_any_type)
{
	apply_lower();
	TAR(&bench.tar, .name = ".wh.f", .type = '2', .link = "/oneoff-etc/passwd");
	TAR(&bench.tar, .name = ".wh.l", .type = '5');
	TAR(&bench.tar, .name = ".wh.dead", .type = '3');
	TAR(&bench.tar, .name = "d/.wh.a", .type = '0', .content = "content means nothing");
	layer_expect_applied(&bench);
	layer_expect_names(&bench, "", "d ld");
	layer_expect_names(&bench, "d", "other sub");
}

Test(layer_whiteout, refuses_names_that_are_none)
{
	static const char *const names[] = {
		".wh.",     "d/.wh.",   ".wh..",    ".wh...",
		"d/.wh...", "ld/.wh..", "d/./.wh.", "../.wh...",
	};

	apply_lower();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		TAR(&bench.tar, .name = names[i], .type = '0');
		layer_expect_failure(&bench, ERR_REFUSED, names[i]);
		layer_expect_names(&bench, "", "d dead f l ld");
		layer_expect_names(&bench, "d", "a other sub");
	}
}

Test(layer_whiteout, deletes_very_deep_folders_of_lower_layers)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	for (size_t i = 0; i < 1900; i++)
		strbuf_adds(&path, "d/");
	strbuf_adds(&path, "f");
	tar_gnu_long(&bench.tar, 'L', strbuf_str(&path));
	TAR(&bench.tar, .name = "d", .type = '0', .content = "x");
	layer_expect_applied(&bench);
	layer_expect_folder(&bench, "d/d/d/d/d/d/d/d");
	/* Half of it is touched again, the other half goes. */
	strbuf_reset(&path);
	for (size_t i = 0; i < 1000; i++)
		strbuf_adds(&path, "d/");
	strbuf_adds(&path, "g");
	tar_gnu_long(&bench.tar, 'L', strbuf_str(&path));
	TAR(&bench.tar, .name = "d", .type = '0', .content = "x");
	TAR(&bench.tar, .name = ".wh.d", .type = '0');
	layer_expect_applied(&bench);
	path.data[path.length - 1] = 'd';
	layer_expect_none(&bench, strbuf_str(&path));
	path.data[path.length - 1] = 'g';
	layer_expect_file(&bench, strbuf_str(&path), "x");
	TAR(&bench.tar, .name = ".wh.d", .type = '0');
	layer_expect_applied(&bench);
	layer_expect_names(&bench, "", "");
}
