/* SPDX-License-Identifier: Apache-2.0 */
/* The ExecCredential of client.authentication.k8s.io, v1 and v1beta1 alike. */
#include "pkg/kube/credentials_internal.h"

#include <string.h>
#include "pkg/base/clock.h"

static void free_secret(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void credentials_answer_release(struct credentials_answer *answer)
{
	free_secret(answer->token);
	free_secret(answer->certificate);
	free_secret(answer->key);
	*answer = (struct credentials_answer){.token = NULL};
}

/* The tree holds the token, too. */
static void free_document(cJSON **document)
{
	static const char *const secrets[] = {"status.token", "status.clientKeyData"};

	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		cJSON *node = json_at(*document, secrets[i]);

		if (cJSON_IsString(node))
			explicit_bzero(node->valuestring, strlen(node->valuestring));
	}
	json_free(document);
}

static int copy_text(const cJSON *status, const char *key, char **ret, struct err *err)
{
	const cJSON *node = json_member(status, key);

	if (!node || cJSON_IsNull(node))
		return 0;
	if (!cJSON_IsString(node))
		return err_set(err, ERR_DENIED, "status.%s is not a string", key);
	if (!*node->valuestring)
		return 0;
	*ret = strdup(node->valuestring);
	return *ret ? 0 : err_no_memory(err);
}

static int check_type(const cJSON *document, const char *api_version, struct err *err)
{
	const char *kind = json_string(document, "kind");
	const char *version = json_string(document, "apiVersion");

	if (!kind || strcmp(kind, "ExecCredential") != 0)
		return err_set(err, ERR_DENIED, "its answer is no ExecCredential");
	if (!version || strcmp(version, api_version) != 0)
		return err_set(err, ERR_DENIED,
		               "its answer has the apiVersion '%.80s', the kubeconfig says '%.80s'",
		               version ? version : "", api_version);
	return 0;
}

static int read_expiry(const cJSON *status, struct credentials_answer *answer, struct err *err)
{
	const cJSON *node = json_member(status, "expirationTimestamp");

	if (!node || cJSON_IsNull(node))
		return 0;
	if (!cJSON_IsString(node) ||
	    clock_parse_rfc3339(node->valuestring, &answer->expires_at) < 0)
		return err_set(err, ERR_DENIED, "status.expirationTimestamp is no time");
	answer->expires = true;
	return 0;
}

static int read_status(const cJSON *status, struct credentials_answer *answer, struct err *err)
{
	if (!cJSON_IsObject(status))
		return err_set(err, ERR_DENIED, "its answer has no status");
	if (copy_text(status, "token", &answer->token, err) < 0 ||
	    copy_text(status, "clientCertificateData", &answer->certificate, err) < 0 ||
	    copy_text(status, "clientKeyData", &answer->key, err) < 0 ||
	    read_expiry(status, answer, err) < 0)
		return -1;
	if (!answer->certificate != !answer->key)
		return err_set(err, ERR_DENIED,
		               "its answer has only one of clientCertificateData and "
		               "clientKeyData");
	if (!answer->token && !answer->certificate)
		return err_set(err, ERR_DENIED, "its answer has neither a token nor a certificate");
	return 0;
}

int credentials_parse_answer(const char *text, size_t length, const char *api_version,
                             struct credentials_answer *ret, struct err *err)
{
	_cleanup_(credentials_answer_release) struct credentials_answer answer = {.token = NULL};
	_cleanup_(free_document) cJSON *document = NULL;

	if (strspn(text, " \t\r\n") == length)
		return err_set(err, ERR_DENIED, "it wrote nothing to its stdout");
	if (json_parse(text, length, CREDENTIALS_MAX_BYTES, &document, err) < 0) {
		/* Its words could quote a secret. */
		return err->kind == ERR_PROTOCOL
		               ? err_set(err, ERR_DENIED, "its answer is not JSON")
		               : -1;
	}
	if (check_type(document, api_version, err) < 0 ||
	    read_status(json_member(document, "status"), &answer, err) < 0)
		return -1;
	*ret = answer;
	answer = (struct credentials_answer){.token = NULL};
	return 0;
}
