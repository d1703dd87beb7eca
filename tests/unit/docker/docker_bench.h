/* SPDX-License-Identifier: Apache-2.0 */
/* A docker backend that is connected to the fake engine, for the tests of its slots. */
#ifndef ONEOFF_TESTS_DOCKER_BENCH_H
#define ONEOFF_TESTS_DOCKER_BENCH_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "fake_engine.h"
#include "pkg/docker/docker.h"

struct docker_bench {
	struct fake_engine *engine;
	struct loop loop;
	struct backend *backend;
	struct docker *docker;
	struct release release;
	struct plan plan;
	struct identity identity;
	struct err err;
};

static const struct fake_task docker_bench_task = {.code = 0};

static inline void docker_bench_open(struct docker_bench *bench, const struct fake_task *task,
                                     const struct fake_rule *rules, size_t count)
{
	struct backend_settings settings = {.call_timeout_ms = 5000};

	*bench = (struct docker_bench){.loop = LOOP_INIT};
	bench->engine = fake_engine_start(task ? task : &docker_bench_task, rules, count);
	cr_assert_eq(docker_backend.open(&settings, &bench->loop, &bench->backend, &bench->err), 0,
	             "%s", bench->err.message);
	bench->docker = (struct docker *)bench->backend;
	plan_init(&bench->plan);
	bench->identity.name = strdup("web-oneoff-abcd2345");
	bench->identity.user = strdup("ana@laptop");
	snprintf(bench->identity.id, sizeof(bench->identity.id), "abcd2345");
}

/* Creates with this document; 0 or -1. */
static inline int docker_bench_create(struct docker_bench *bench, const char *document)
{
	cr_assert_eq(json_parse(document, strlen(document), JSON_MAX_BYTES, &bench->plan.document,
	                        &bench->err),
	             0);
	return docker_create(bench->backend, &bench->plan, &bench->identity, NULL, &bench->err);
}

/* As the clone makes it, as far as the backend looks at it. */
#define DOCKER_BENCH_DOCUMENT                                                                      \
	"{\"Image\":\"sha256:1\",\"Labels\":{\"dev.oneoff.id\":\"abcd2345\"},"                     \
	"\"HostConfig\":{\"AutoRemove\":true}}"
#define DOCKER_BENCH_KEPT                                                                          \
	"{\"Image\":\"sha256:1\",\"Labels\":{\"dev.oneoff.id\":\"abcd2345\"},\"HostConfig\":{}}"
#define DOCKER_BENCH_KEPT_LABEL                                                                    \
	"{\"Image\":\"sha256:1\",\"Labels\":{\"dev.oneoff.id\":\"abcd2345\","                      \
	"\"dev.oneoff.keep\":\"always\"},\"HostConfig\":{}}"

static inline void docker_bench_close(struct docker_bench *bench)
{
	release_release(&bench->release);
	plan_release(&bench->plan);
	identity_release(&bench->identity);
	bench->backend->ops->close(bench->backend);
	fake_engine_stop(bench->engine);
}

#endif
