/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "service/context.h"
#include "service/region.h"

#define COMMON(member) .offset = offsetof(struct common_config, member)
#define STORE(member) .offset = offsetof(struct store_config, member)

static const struct config_key common_keys[] = {
	{.key = "BERTH_ENV",
		.kind = CONFIG_STR,
		.required = true,
		COMMON(env),
		.help = "development, test, staging or production: stamped on tokens and compared with the database"},
	{.key = "BERTH_LOG_LEVEL",
		.kind = CONFIG_STR,
		.fallback = "info",
		COMMON(log_level),
		.help = "debug, info, warn or error; default info"},
	{.key = "BERTH_REGION",
		.kind = CONFIG_STR,
		.required = true,
		COMMON(region),
		.help = "where this process and its data are, as eu-west-1; outside the EU it does not start"},
	{.key = "BERTH_PUBLIC_URL",
		.kind = CONFIG_STR,
		.required = true,
		COMMON(public_url),
		.help = "https://host[:port] of the gateway: issuer and audience of tokens, links in mails"},
	{.key = "BERTH_ADMIN_LISTEN",
		.kind = CONFIG_STR,
		.required = true,
		COMMON(admin_listen),
		.help = "host:port of /livez, /readyz and /metrics on the ops network"},
	{.key = "BERTH_ADMIN_CERT_FILE",
		.kind = CONFIG_FILE,
		.required = true,
		COMMON(admin_cert_file),
		.help = "PEM chain of the admin port"},
	{.key = "BERTH_ADMIN_KEY_FILE",
		.kind = CONFIG_FILE,
		.required = true,
		COMMON(admin_key_file),
		.help = "PEM key of the admin port"},
	{.key = "BERTH_ADMIN_CA_FILE",
		.kind = CONFIG_FILE,
		.required = true,
		COMMON(admin_ca_file),
		.help = "PEM authority of clients that may see detail and metrics"},
	{.key = "BERTH_HANDOVER_SOCKET",
		.kind = CONFIG_STR,
		COMMON(handover_socket),
		.help = "Unix socket where the next process asks for the ports; without it a restart leaves a gap"},
	{.key = "BERTH_LINK_CERT_FILE",
		.kind = CONFIG_FILE,
		.required = true,
		COMMON(link_cert_file),
		.help = "PEM leaf of this process on the links"},
	{.key = "BERTH_LINK_KEY_FILE",
		.kind = CONFIG_FILE,
		.required = true,
		COMMON(link_key_file),
		.help = "PEM key of the leaf"},
	{.key = "BERTH_LINK_CA_DIR",
		.kind = CONFIG_STR,
		.required = true,
		COMMON(link_ca_dir),
		.help = "folder with <role>-ca.pem of every role that this process talks to"},
	{.key = "BERTH_TRACE_PER_S",
		.kind = CONFIG_I64,
		.max = 10000,
		.fallback = "0",
		COMMON(trace_per_s),
		.help = "requests a second whose spans are recorded, at most; authsvc exports them; default 0"},
	{0},
};

static const struct config_key store_keys[] = {
	{.key = "BERTH_PG_HOST",
		.kind = CONFIG_STR,
		.required = true,
		STORE(host),
		.help = "folder of PostgreSQL's Unix socket, or host names"},
	{.key = "BERTH_PG_PORT",
		.kind = CONFIG_I64,
		.min = 1,
		.max = 65535,
		.fallback = "5432",
		STORE(port),
		.help = "default 5432"},
	{.key = "BERTH_PG_DBNAME", .kind = CONFIG_STR, .required = true, STORE(dbname), .help = "database"},
	{.key = "BERTH_PG_APP_PASSWORD_FILE",
		.kind = CONFIG_SECRET,
		.required = true,
		.max = 1024,
		STORE(app_password),
		.help = "file with the password of the role <process>_app"},
	{.key = "BERTH_PG_JOBS_PASSWORD_FILE",
		.kind = CONFIG_SECRET,
		.required = true,
		.max = 1024,
		STORE(jobs_password),
		.help = "file with the password of the role <process>_jobs"},
	{.key = "BERTH_MASTER_KEYS_FILE",
		.kind = CONFIG_SECRET,
		.required = true,
		.max = 4096,
		STORE(master_keys),
		.help = "file with lines `epoch hex64`, newest first: they wrap the keys of people"},
	{.key = "BERTH_INDEX_KEY_FILE",
		.kind = CONFIG_SECRET,
		.required = true,
		.max = 1024,
		STORE(index_key),
		.help = "file with 64 hexadecimal digits: the key of blind indexes"},
	{0},
};

static enum err fault(const char *key, const char *what)
{
	fprintf(stderr, "config: %s %s\n", key, what);
	return ERR_BAD_FIELD;
}

/* The place of `word` among `words`; false when it is none of them. */
static bool word_at(const char *word, const char *const *words, size_t count, size_t *at_out)
{
	for (*at_out = 0; *at_out < count; (*at_out)++)
		if (word != NULL && strcmp(word, words[*at_out]) == 0)
			return true;
	return false;
}

static enum err check_common(const struct context *context)
{
	static const char *const environments[] = {"development", "test", "staging", "production"};
	static const char *const levels[] = {"debug", "info", "warn", "error"};
	const struct common_config *common = &context->common;
	const struct str url = str_from(common->public_url);
	enum err err = OK;
	size_t at;

	if (!word_at(common->env, environments, sizeof environments / sizeof *environments, &at))
		err = fault("BERTH_ENV", "is none of development, test, staging, production");
	if (word_at(common->log_level, levels, sizeof levels / sizeof *levels, &at))
		log_init(context->name, (enum log_level)at);
	else
		err = fault("BERTH_LOG_LEVEL", "is none of debug, info, warn, error");
	trace_init(context->name, (uint64_t)common->trace_per_s);
	if (!region_is_eu(str_from(common->region)))
		err = fault("BERTH_REGION",
			"is outside the European Union, or not known to be inside it: data stays in the EU, so this "
			"process does not start there");
	if (!str_starts(url, "https://") || url.len == 8 || strchr(url.p + 8, '/') != NULL)
		err = fault("BERTH_PUBLIC_URL", "is not https://host[:port] without a path");
	return err;
}

/* One key of the environment that names an arrow: is it one of this process? */
static bool arrow_known(enum peer self, struct str name)
{
	char key[CONTEXT_LINK_KEY_MAX];

	for (enum peer peer = PEER_NONE + 1; peer < PEER_COUNT; peer++)
		for (enum lane lane = LANE_FAST; lane < LANE_COUNT; lane++) {
			context_link_key("LISTEN", peer, lane, key);
			if (arrow_declared(peer, self, lane) && str_eq_c(name, key))
				return true;
			context_link_key("DIAL", peer, lane, key);
			if (arrow_declared(self, peer, lane) && str_eq_c(name, key))
				return true;
		}
	return false;
}

/* A key for an arrow that nobody declared: a misspelt one, or a door that must not be. */
static enum err check_strays(enum peer self)
{
	enum err err = OK;

	for (char *const *entry = environ; *entry != NULL; entry++) {
		struct str rest = str_from(*entry), name;

		(void)str_cut(&rest, '=', &name);
		if ((!str_starts(name, "BERTH_LISTEN_") && !str_starts(name, "BERTH_DIAL_")) || arrow_known(self, name))
			continue;
		fprintf(stderr, "config: %.*s names an arrow that the contract does not declare for %s\n",
			STR_ARG(name), peer_name(self));
		err = ERR_BAD_FIELD;
	}
	return err;
}

static enum err check_arrow(const char *verb, bool declared, enum peer peer, enum lane lane)
{
	char key[CONTEXT_LINK_KEY_MAX];

	context_link_key(verb, peer, lane, key);
	if (!declared || config_get(key) != NULL)
		return OK;
	return fault(key, "is required, tls+tcp://host:port: the contract declares this arrow");
}

static enum err check_arrows(enum peer self)
{
	enum err err = check_strays(self);

	for (enum peer peer = PEER_NONE + 1; peer < PEER_COUNT; peer++)
		for (enum lane lane = LANE_FAST; lane < LANE_COUNT; lane++) {
			if (check_arrow("LISTEN", arrow_declared(peer, self, lane), peer, lane) != OK ||
				check_arrow("DIAL", arrow_declared(self, peer, lane), peer, lane) != OK)
				err = ERR_BAD_FIELD;
		}
	return err;
}

static enum err read_store(struct context *context)
{
	struct store_config *store = &context->store;
	size_t count = 0;
	enum err err;

	if ((err = config_read(store_keys, store)) != OK)
		return err;
	if (secret_to_keys(store->master_keys, context->masters, 8, &context->master_count) != OK ||
		context->master_count == 0) {
		fprintf(stderr, "BERTH_MASTER_KEYS_FILE: lines `epoch hex64`\n");
		return ERR_BAD_FIELD;
	}
	if (secret_to_keys(store->index_key, &context->index_key, 1, &count) != OK || count != 1) {
		fprintf(stderr, "BERTH_INDEX_KEY_FILE: 64 hexadecimal digits\n");
		return ERR_BAD_FIELD;
	}
	snprintf(context->app_user, sizeof context->app_user, "%s_app", context->name);
	snprintf(context->jobs_user, sizeof context->jobs_user, "%s_jobs", context->name);
	context->db_app = (struct db_config){.host = store->host,
		.port = store->port,
		.dbname = store->dbname,
		.user = context->app_user,
		.password = store->app_password,
		.schema = context->service->schema,
		.application_name = context->name,
		.env = context->common.env};
	context->db_jobs = context->db_app;
	context->db_jobs.user = context->jobs_user;
	context->db_jobs.password = store->jobs_password;
	return OK;
}

enum err context_configure(struct context *context)
{
	const struct service *service = context->service;
	enum err err, first = OK;

	/* All tables are read before giving up, so that one start names every key at fault. */
	if ((err = config_read(common_keys, &context->common)) != OK)
		first = err;
	else if ((err = check_common(context)) != OK)
		first = err;
	if ((err = check_arrows(service->self)) != OK)
		first = err;
	if (service->schema != NULL && (err = read_store(context)) != OK)
		first = err;
	if (service->config_keys != NULL) {
		context->config = calloc(1, service->config_size);
		err = context->config == NULL ? ERR_OVERLOADED : config_read(service->config_keys, context->config);
		if (err != OK)
			first = err;
	}
	context->rules = (struct token_rules){.issuer = str_from(context->common.public_url),
		.audience = str_from(context->common.public_url),
		.env = str_from(context->common.env),
		.leeway_us = TOKEN_LEEWAY_US,
		.is_resource = operation_is_resource};
	return first;
}

static void help_link(const char *verb, enum peer peer, enum lane lane)
{
	char key[CONTEXT_LINK_KEY_MAX];

	context_link_key(verb, peer, lane, key);
	printf("  %s\n", key);
}

static void help_links(enum peer self)
{
	printf("\nLinks, all required: tls+tcp://host:port; dialed ones comma-separated, one for each replica:\n\n");
	for (enum peer peer = PEER_NONE + 1; peer < PEER_COUNT; peer++)
		for (enum lane lane = LANE_FAST; lane < LANE_COUNT; lane++) {
			if (arrow_declared(peer, self, lane))
				help_link("LISTEN", peer, lane);
			if (arrow_declared(self, peer, lane))
				help_link("DIAL", peer, lane);
		}
}

void context_help(const struct service *service)
{
	printf("usage: %s [--help | --version%s", peer_name(service->self),
		service->schema != NULL ? " | --migrate" : "");
	for (const struct command *command = service->commands; command != NULL && command->flag != NULL; command++)
		printf(" | %s", command->flag);
	for (const struct tool *tool = service->tools; tool != NULL && tool->flag != NULL; tool++)
		printf(" | %s", tool->flag);
	printf("]\n\nWithout an option it serves until SIGTERM, and then drains.\n");
	if (service->schema != NULL)
		printf("  --migrate  brings the schema up to date with the owner's password, and ends\n");
	for (const struct command *command = service->commands; command != NULL && command->flag != NULL; command++)
		printf("  %s  %s\n", command->flag, command->help);
	for (const struct tool *tool = service->tools; tool != NULL && tool->flag != NULL; tool++)
		printf("  %s  %s\n", tool->flag, tool->help);
	printf("\nConfiguration, from the environment; keys that end in _FILE name a file:\n\n");
	config_help(common_keys);
	if (service->schema != NULL)
		config_help(store_keys);
	if (service->config_keys != NULL)
		config_help(service->config_keys);
	help_links(service->self);
}
