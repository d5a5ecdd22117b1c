/* SPDX-License-Identifier: Apache-2.0 */
#include "certified.h"

#include "base/log.h"
#include "base/str.h"

static const struct operation *operation_named(struct str name)
{
	for (size_t i = 0; i < OPERATION_COUNT; i++)
		if (operation_table[i].method != NULL && str_eq_c(name, operation_table[i].name))
			return &operation_table[i];
	return NULL;
}

enum err certified_read(const char *names, const char *authorities, struct certified *certified_out)
{
	struct str rest = str_from(names), name;
	bool more = names != NULL;

	*certified_out = (struct certified){0};
	if ((names == NULL) != (authorities == NULL)) {
		static const char *const keys[] = {
			"BERTH_GATEWAY_CLIENT_CA_FILE", "BERTH_GATEWAY_CERTIFIED_OPERATIONS"};

		log_event(LOG_ERROR, "certified_half", LOG_C("key", keys[names != NULL]),
			LOG_C("missing", keys[names == NULL]));
		return ERR_BAD_FIELD;
	}
	for (size_t place = 1; more; place++) {
		const struct operation *operation;

		more = str_cut(&rest, ',', &name);
		if ((operation = operation_named(str_trim(name))) == NULL) {
			log_event(LOG_ERROR, "certified_unknown", LOG_C("key", "BERTH_GATEWAY_CERTIFIED_OPERATIONS"),
				LOG_I("place", place));
			return ERR_BAD_FIELD;
		}
		certified_out->asks[operation - operation_table] = true;
	}
	return OK;
}

bool certified_suffices(const struct certified *certified, const struct operation *operation, struct tls_store *store,
	const SSL *ssl, struct tls_client_verdict *verdict)
{
	return !certified->asks[operation - operation_table] || tls_session_is_certified(store, ssl, verdict);
}
