/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_DB_TESTPG_H
#define BERTH_DB_TESTPG_H

#include "db/db.h"

/*
 * For tests alone: a real PostgreSQL cluster of one's own, on a Unix socket in a new directory under /tmp, under a user
 * that is not root. It dies with the test. Whatever goes wrong here ends the program with a message.
 */
struct testpg;

#define TESTPG_ENV "test"

struct testpg *testpg_start(void);
void testpg_stop(struct testpg **pg); /* removes the directory */

/* Roles <schema>_owner, <schema>_app and <schema>_jobs, and an empty schema of the owner's. */
void testpg_schema(struct testpg *pg, const char *schema);
/* To give to db_open; `role` is owner, app or jobs. Strings live as long as `pg`. */
struct db_config testpg_config(struct testpg *pg, const char *schema, const char *role);
/* testpg_schema, then db_migrate with the common migrations and these. */
void testpg_migrate(struct testpg *pg, const char *schema, const struct db_migration *migrations, size_t count);

/*
 * As superuser, any number of statements. `_value`: first column of the first row as text (valid until the next call),
 * "" for none.
 */
void testpg_sql(struct testpg *pg, const char *sql);
const char *testpg_value(struct testpg *pg, const char *sql);

void testpg_server_kill(struct testpg *pg);               /* all its processes at once, as a power cut */
void testpg_server_start(struct testpg *pg);              /* and waits until it takes connections */
void testpg_server_pause(struct testpg *pg, bool paused); /* SIGSTOP, SIGCONT to all its processes */

#endif
