/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "db/db_conn.h"

/* What a SQLSTATE means (PostgreSQL's appendix A): the first row whose prefix fits. */
static const struct {
	const char *prefix;
	enum err err;
	bool retryable, lost, quiet;
} meanings[] = {
	{"23505", ERR_CONFLICT, false, false, true},     /* unique */
	{"23P01", ERR_CONFLICT, false, false, true},     /* exclusion */
	{"23503", ERR_CONFLICT, false, false, true},     /* foreign key */
	{"23514", ERR_CONFLICT, false, false, true},     /* check */
	{"40P01", ERR_UNAVAILABLE, true, false, false},  /* deadlock: worth a line, the lock order is broken */
	{"40001", ERR_UNAVAILABLE, true, false, true},   /* serialization */
	{"55P03", ERR_UNAVAILABLE, false, false, false}, /* lock time-out */
	{"57014", ERR_UNAVAILABLE, false, false, false}, /* statement time-out */
	{"57P", ERR_UNAVAILABLE, true, true, false},     /* shutdown, crash, starting up */
	{"25006", ERR_UNAVAILABLE, true, true, false},   /* a standby by now */
	{"25P03", ERR_UNAVAILABLE, true, true, false},   /* idle in transaction for too long */
	{"08", ERR_UNAVAILABLE, true, true, false},
	{"53", ERR_UNAVAILABLE, false, false, false}, /* out of memory, disk, connections */
	{"", ERR_INTERNAL, false, false, false},
};

void db_fault_lost(struct db_fault *fault, enum err why)
{
	fault->err = ERR_UNAVAILABLE;
	fault->lost = true;
	fault->retryable = why != ERR_DEADLINE;
}

/*
 * PostgreSQL's texts can quote values, so a line holds codes and names alone; but a statement that does not parse has
 * not met a value yet, and its message is what a developer needs.
 */
static void log_fault(const struct db_fault *fault, const PGresult *result, const struct item *item)
{
	const char *message = "";

	if (item->kind == ITEM_PREPARE)
		message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	log_event(fault->err == ERR_INTERNAL ? LOG_ERROR : LOG_WARN, "db_statement_failed",
		LOG_C("statement", item->prepared->statement->name), LOG_C("sqlstate", fault->sqlstate),
		LOG_C("constraint", fault->constraint), LOG_C("reason", message ? message : ""));
}

void db_fault_read(struct db_fault *fault, const PGresult *result, const struct item *item)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
	size_t i = 0;

	if (!sqlstate) { /* libpq's own words: the connection broke */
		db_fault_lost(fault, ERR_UNAVAILABLE);
		return;
	}
	snprintf(fault->sqlstate, sizeof(fault->sqlstate), "%.5s", sqlstate);
	snprintf(fault->constraint, sizeof(fault->constraint), "%.63s", constraint ? constraint : "");
	while (strncmp(fault->sqlstate, meanings[i].prefix, strlen(meanings[i].prefix)) != 0)
		i++;
	fault->err = meanings[i].err;
	fault->retryable = meanings[i].retryable;
	fault->lost = meanings[i].lost;
	if (!meanings[i].quiet)
		log_fault(fault, result, item);
}
