/* SPDX-License-Identifier: Apache-2.0 */
/* What a test may ask the fake engine. */
#include "fake_internal.h"

#include <stdio.h>
#include <string.h>

const char *fake_engine_add(struct fake_engine *engine, const char *name, const char *labels,
                            const char *state)
{
	struct fake_container *container;
	struct strbuf config = STRBUF_INIT;

	strbuf_addf(&config, "{\"Labels\":%s}", labels);
	pthread_mutex_lock(&engine->mutex);
	container = fake_new(engine, name, strbuf_str(&config));
	container->state_json = strdup(state);
	container->state = strstr(state, "\"Running\":true") ? FAKE_RUNNING : FAKE_EXITED;
	pthread_mutex_unlock(&engine->mutex);
	strbuf_release(&config);
	return container->id;
}

size_t fake_engine_count(struct fake_engine *engine, const char *method, const char *part)
{
	size_t count = 0;

	pthread_mutex_lock(&engine->mutex);
	for (size_t i = 0; i < engine->log_count; i++)
		count += !strncmp(engine->log[i], method, strlen(method)) &&
		         engine->log[i][strlen(method)] == ' ' && strstr(engine->log[i], part);
	pthread_mutex_unlock(&engine->mutex);
	return count;
}

size_t fake_engine_created(struct fake_engine *engine)
{
	size_t count = 0;

	pthread_mutex_lock(&engine->mutex);
	for (size_t i = 0; i < engine->container_count; i++)
		count += engine->containers[i].by_request;
	pthread_mutex_unlock(&engine->mutex);
	return count;
}

size_t fake_engine_left(struct fake_engine *engine)
{
	size_t count = 0;

	pthread_mutex_lock(&engine->mutex);
	for (size_t i = 0; i < engine->container_count; i++)
		count += engine->containers[i].by_request &&
		         engine->containers[i].state != FAKE_GONE;
	pthread_mutex_unlock(&engine->mutex);
	return count;
}

bool fake_engine_has(struct fake_engine *engine, const char *name)
{
	bool found = false;

	pthread_mutex_lock(&engine->mutex);
	for (size_t i = 0; i < engine->container_count; i++)
		found |= !strcmp(engine->containers[i].name, name) &&
		         engine->containers[i].state != FAKE_GONE;
	pthread_mutex_unlock(&engine->mutex);
	return found;
}

const char *fake_engine_create_body(struct fake_engine *engine)
{
	return engine->create_body ? engine->create_body : "";
}
