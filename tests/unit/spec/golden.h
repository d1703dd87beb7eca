/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cases that are folders below tests/golden, for the clone rules of every platform; a new case needs no C.
 *
 *	static void run_case(const char *name) { …; golden_settle(CASES, name, "expected.txt", &text); }
 *	cr_expect_geq(golden_for_each(CASES, run_case), 25, "cases are missing");
 *
 * With ONEOFF_GOLDEN=write in the environment the expected files are written anew instead of compared: review
 * the diff, it is a change of what people's clones are.
 */
#ifndef ONEOFF_TESTS_GOLDEN_H
#define ONEOFF_TESTS_GOLDEN_H

#include "pkg/spec/plan.h"
#include "pkg/spec/request.h"
#include "pkg/spec/rule.h"

/* A file, appended; the test ends when it cannot be read. */
void golden_read_text(const char *path, struct strbuf *text);
void golden_write_text(const char *path, const struct strbuf *text);
/* A JSON document, owned by the caller. */
cJSON *golden_read_json(const char *path);
cJSON *golden_parse(const char *json);
/* FOLDER/NAME/source.json itself, or the path that FOLDER/NAME/source names below `fixtures`; owned by the caller. */
cJSON *golden_read_source(const char *folder, const char *name, const char *fixtures);

/* Members of request.json: a copy or NULL; a number that stays as it is when it is missing; the index of the
 * member's text in `names` (0 when it is missing). */
char *golden_string(const cJSON *object, const char *key);
void golden_number(const cJSON *object, const char *key, int64_t *number);
int golden_choice(const cJSON *object, const char *key, const char *const *names);
/* A mistyped key would test nothing: `known` are the platform's own, with a blank before and behind each; those that
 * golden_request reads need not stand there. */
void golden_check_keys(const char *name, const cJSON *json, const char *known);
/* Fills the request from what all platforms know; the rest stays. */
void golden_request(const cJSON *json, struct request *request);

/* True when the expected files are to be written. */
bool golden_writes(void);
/* Compares FOLDER/NAME/FILE with the text, or writes it. */
void golden_settle(const char *folder, const char *name, const char *file,
                   const struct strbuf *text);
/* The same for a plan: expected.txt is its whole table, kept rows too; expected.json `document`, indented. */
void golden_settle_plan(const char *folder, const char *name, const struct plan *plan,
                        const cJSON *document);
/* Calls it for each case, in the order of their names. Returns how many there are. */
int golden_for_each(const char *folder, void (*run)(const char *name));
/* Each row was claimed by some case. */
void golden_expect_fired(const struct rule *rules, size_t count, const bool *fired);

/* The only row of that path, or NULL. */
const struct plan_row *golden_row(const struct plan *plan, const char *path);

#endif
