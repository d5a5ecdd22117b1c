/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "contract/router.h"
#include "edge_links.h"
#include "http/page_style.h"
#include "limit_file.h"
#include "loop.h"
#include "origins.h"
#include "replay.h"
#include "store_cache.h"
#include "tls.h"

#define DESCRIPTION_MAX (4U << 20)
#define WATCH_MS 1000

/* As a source of a content security policy: "sha256-" and the digest in base64. */
static void style_hash(char hash_out[DOCS_STYLE_HASH_MAX])
{
	char text[sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_ORIGINAL)];
	uint8_t digest[32];

	sha256(page_style_text(), digest);
	(void)sodium_bin2base64(text, sizeof(text), digest, sizeof(digest), sodium_base64_VARIANT_ORIGINAL);
	snprintf(hash_out, DOCS_STYLE_HASH_MAX, "sha256-%s", text);
}

static enum err pages_write(struct gateway *gateway)
{
	const char *url = context_public_url(gateway->context);
	char style[DOCS_STYLE_HASH_MAX];

	router_init();
	buf_init(&gateway->openapi, DESCRIPTION_MAX);
	buf_init(&gateway->docs, DESCRIPTION_MAX);
	openapi_write(url, &gateway->openapi);
	docs_write(url, &gateway->docs);
	docs_style_hash(style);
	style_hash(gateway->page_style_hash);
	snprintf(gateway->docs_csp, sizeof gateway->docs_csp,
		"default-src 'none'; style-src '%s'; frame-ancestors 'none'; base-uri 'none'", style);
	snprintf(gateway->page_csp, sizeof gateway->page_csp,
		"default-src 'none'; style-src '%s'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
		gateway->page_style_hash);
	return buf_ok(&gateway->openapi) && buf_ok(&gateway->docs) ? OK : ERR_OVERLOADED;
}

static enum err shared_open(struct gateway *gateway)
{
	const struct gateway_config *config = gateway->config;
	enum err err;

	if ((err = certified_read(config->certified_operations, config->client_ca_file, &gateway->certified)) != OK)
		return err;
	if ((err = tls_store_new(config->cert_files, config->key_files, config->client_ca_file, &gateway->tls)) != OK)
		return err;
	if ((err = limit_file_new(config, &gateway->limits)) != OK)
		return err;
	gateway->rates = rate_new(limit_file_policies(gateway->limits), EDGE_RATE_BUCKETS_MAX);
	gateway->revocations = revocation_new(EDGE_REVOCATIONS_MAX);
	gateway->origins = origins_new(gateway->context);
	gateway->replays = replay_new(EDGE_REPLAYS_MAX, clock_now_us());
	if (gateway->rates == NULL || gateway->revocations == NULL || gateway->replays == NULL ||
		gateway->origins == NULL)
		return ERR_OVERLOADED;
	if ((err = store_proofs_new(config->redis_socket, config->redis_password, proofs_done, &gateway->proofs)) != OK)
		return err;
	return store_cache_new(
		config->redis_socket, config->redis_password, gateway->rates, gateway->revocations, &gateway->cache);
}

/* As many connections as configured, if the process may have the descriptors for them. */
static size_t conns_allowed(const struct gateway_config *config)
{
	size_t wanted = (size_t)config->connections + EDGE_FILES_KEPT;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return wanted - EDGE_FILES_KEPT;
	if (files.rlim_cur < wanted) {
		files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
		(void)setrlimit(RLIMIT_NOFILE, &files);
		(void)getrlimit(RLIMIT_NOFILE, &files);
	}
	if (files.rlim_cur < wanted) {
		log_event(LOG_WARN, "descriptors_few", LOG_I("limit", files.rlim_cur), LOG_I("wanted", wanted));
		wanted = files.rlim_cur > 2 * EDGE_FILES_KEPT ? files.rlim_cur : 2 * EDGE_FILES_KEPT;
	}
	return wanted - EDGE_FILES_KEPT;
}

static enum err gateway_open(struct context *context)
{
	static struct gateway gateway;
	const size_t cores = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
	enum err err;

	gateway.context = context;
	gateway.config = context_config(context);
	context_set_state(context, &gateway);
	gateway.loop_count = gateway.config->loops > 0 ? (size_t)gateway.config->loops : cores;
	if (gateway.loop_count > EDGE_LOOPS_MAX)
		gateway.loop_count = EDGE_LOOPS_MAX;
	gateway.conns_per_loop = conns_allowed(gateway.config) / gateway.loop_count;
	if ((err = pages_write(&gateway)) != OK)
		return err;
	if ((err = shared_open(&gateway)) != OK)
		return err;
	for (size_t i = 0; i < gateway.loop_count; i++)
		if ((err = loop_new(&gateway, i, &gateway.loops[i])) != OK)
			return err;
	if ((err = store_proofs_start(gateway.proofs)) != OK)
		return err;
	return store_cache_start(gateway.cache);
}

static enum err log_start(struct gateway *gateway)
{
	struct access_log *logs[EDGE_LOOPS_MAX];

	for (size_t i = 0; i < gateway->loop_count; i++)
		logs[i] = &gateway->loops[i]->log;
	return access_writer_start(logs, gateway->loop_count, STDERR_FILENO, &gateway->log_writer);
}

static void gateway_close(struct context *context)
{
	struct gateway *gateway = context_state(context);

	if (gateway == NULL)
		return;
	access_writer_free(&gateway->log_writer);
	store_proofs_free(&gateway->proofs); /* what it holds belongs to the loops */
	for (size_t i = 0; i < gateway->loop_count; i++)
		loop_free(&gateway->loops[i]);
	origins_free(&gateway->origins);
	store_cache_free(&gateway->cache);
	revocation_free(&gateway->revocations);
	replay_free(&gateway->replays);
	rate_free(&gateway->rates);
	limit_file_free(&gateway->limits);
	tls_store_free(&gateway->tls);
	buf_release(&gateway->openapi);
	buf_release(&gateway->docs);
}

static bool certificate_ends_soon(struct gateway *gateway)
{
	for (size_t i = 0; i < tls_store_certificates(gateway->tls); i++)
		if (tls_store_days_left(gateway->tls, i) < EDGE_CERT_ALARM_DAYS)
			return true;
	return false;
}

/* Certificates and ticket keys, as files and time change them. */
static void tls_watch(struct gateway *gateway, uint64_t *told_us)
{
	const uint64_t now_us = clock_monotonic_us();

	tls_store_age(gateway->tls);
	if (tls_store_changed(gateway->tls)) {
		*told_us = 0;
		if (tls_store_reload(gateway->tls) != OK)
			log_event(LOG_ERROR, "certificates_kept");
	}
	if (!certificate_ends_soon(gateway) || (*told_us != 0 && now_us - *told_us < US_PER_DAY))
		return;
	*told_us = now_us;
	for (size_t i = 0; i < tls_store_certificates(gateway->tls); i++)
		log_event(LOG_WARN, "certificate_ends_soon", LOG_I("place", i + 1),
			LOG_I("days_left", tls_store_days_left(gateway->tls, i)));
}

static enum err gateway_serve(struct context *context)
{
	struct gateway *gateway = context_state(context);
	uint64_t certificates_told_us = 0;
	enum err err = log_start(gateway);

	if (err == OK)
		err = origins_start(gateway->origins);
	for (size_t i = 0; i < gateway->loop_count && err == OK; i++)
		err = loop_start(gateway->loops[i]);
	while (err == OK && !context_stopping(context)) {
		context_wait(context, WATCH_MS);
		tls_watch(gateway, &certificates_told_us);
		if (limit_file_reload(gateway->limits))
			rate_set_policies(gateway->rates, limit_file_policies(gateway->limits));
	}
	__atomic_store_n(&gateway->draining, true, __ATOMIC_RELAXED);
	for (size_t i = 0; i < gateway->loop_count; i++)
		loop_wake(gateway->loops[i]);
	context_yield(context);
	for (size_t i = 0; i < gateway->loop_count; i++) {
		if (gateway->loops[i]->started)
			pthread_join(gateway->loops[i]->thread, NULL);
		gateway->loops[i]->started = false;
	}
	return err;
}

/* Redis is not waited for once the revocations in force are known: limits and revocations go on from what is held. */
static const char *gateway_missing(struct context *context)
{
	struct gateway *gateway = context_state(context);

	if (gateway == NULL || !store_cache_primed(gateway->cache))
		return "revocations";
	/* As with other processes: once is enough. */
	if (edge_links_up(gateway))
		__atomic_store_n(&gateway->joined, true, __ATOMIC_RELAXED);
	return __atomic_load_n(&gateway->joined, __ATOMIC_RELAXED) ? NULL : "links";
}

static bool redis_up(const struct gateway *gateway)
{
	return store_cache_up(gateway->cache) && store_proofs_up(gateway->proofs);
}

static const char *gateway_degraded(struct context *context)
{
	struct gateway *gateway = context_state(context);

	if (gateway == NULL)
		return NULL;
	if (!redis_up(gateway))
		return "redis";
	return certificate_ends_soon(gateway) ? "certificate" : NULL;
}

static void gateway_metrics(struct context *context, struct buf *out)
{
	const struct gateway *gateway = context_state(context);

	if (gateway == NULL)
		return;
	edge_counts_write(gateway, out);
	edge_links_write(gateway, out);
	limit_file_write(gateway->limits, out);
	origins_write(gateway->origins, out);
	buf_printf(out, "# TYPE berth_edge_redis_up gauge\nberth_edge_redis_up %d\n", redis_up(gateway) ? 1 : 0);
	buf_printf(out,
		"# TYPE berth_edge_revocations_unreadable_total counter\n"
		"berth_edge_revocations_unreadable_total %llu\n",
		(unsigned long long)store_cache_unreadable(gateway->cache));
	buf_put_c(out, "# TYPE berth_edge_certificate_days_left gauge\n");
	for (size_t i = 0; i < tls_store_certificates(gateway->tls); i++)
		buf_printf(out, "berth_edge_certificate_days_left{place=\"%zu\"} %lld\n", i + 1,
			(long long)tls_store_days_left(gateway->tls, i));
}

static const struct service service = {
	.self = PEER_gateway,
	.config_keys = gateway_config_keys,
	.config_size = sizeof(struct gateway_config),
	.open = gateway_open,
	.close = gateway_close,
	.serve = gateway_serve,
	.missing = gateway_missing,
	.degraded = gateway_degraded,
	.metrics = gateway_metrics,
};

int main(int argc, char **argv)
{
	return service_main(&service, argc, argv);
}
