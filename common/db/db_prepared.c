/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "db/db_conn.h"

static struct prepared **slot_of(struct db *db, const struct db_statement *statement)
{
	uint64_t hash = (uint64_t)(uintptr_t)statement * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(hash >> 40) & (PREPARED_SLOTS - 1);

	while (db->prepared[i] && db->prepared[i]->statement != statement)
		i = (i + 1) & (PREPARED_SLOTS - 1);
	return &db->prepared[i];
}

/* Learns types that were not said before; false when one is said differently. */
static bool fit_types(struct prepared *p, const struct db_param *params, bool *learnt_out)
{
	*learnt_out = false;
	for (size_t i = 0; i < p->count; i++) {
		Oid type = db_param_oid(&params[i]);

		if (type == 0 || type == p->types[i])
			continue;
		if (p->types[i] != 0)
			return false;
		p->types[i] = type;
		*learnt_out = true;
	}
	return true;
}

struct prepared *db_prepared_for(
	struct db *db, const struct db_statement *statement, const struct db_param *params, size_t count)
{
	struct prepared **slot = slot_of(db, statement);
	struct prepared *p = *slot;
	bool learnt;

	if (!p) {
		if (db->prepared_count == PREPARED_MAX || !(p = calloc(1, sizeof(*p))))
			return NULL;
		p->statement = statement;
		p->count = count;
		*slot = p;
		db->prepared_count++;
	}
	if (p->count != count || !fit_types(p, params, &learnt)) {
		log_event(LOG_ERROR, "db_statement_misused", LOG_C("statement", statement->name));
		return NULL;
	}
	if (learnt || p->generation != db->generation) {
		p->variant += learnt;
		p->generation = db->generation;
		p->state = PREPARED_NONE;
		snprintf(p->name, sizeof(p->name), "%.48s.%u", statement->name, p->variant);
	}
	return p;
}

void db_prepared_release(struct db *db)
{
	for (size_t i = 0; i < PREPARED_SLOTS; i++) {
		free(db->prepared[i]);
		db->prepared[i] = NULL;
	}
	db->prepared_count = 0;
}
