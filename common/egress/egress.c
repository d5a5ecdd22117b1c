/* SPDX-License-Identifier: Apache-2.0 */
#include "egress/egress.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/log.h"
#include "egress/egress_allow.h"

#define TIMEOUT_MS_DEFAULT 10000
#define CONNECT_TIMEOUT_MS_MAX 5000
#define CA_BYTES_MAX (1024 * 1024)
#define CA_FILE_DEFAULT "/etc/ssl/certs/ca-certificates.crt"
#define PURPOSE_MAIL "mail"
#define URL_MAX 600

struct egress {
	struct egress_allow allow;
	struct buf ca; /* PEM, read once: the file may lie outside what the process can reach later */
	bool smtp;     /* mail is configured */
	bool smtps;
	char smtp_host[EGRESS_ALLOW_HOST_MAX + 1];
	uint16_t smtp_port;
	char helo_name[EGRESS_ALLOW_HOST_MAX + 1];
	char *smtp_user;
	const struct secret *smtp_password;
	char *proxy;
	bool smtp_plain_ok;
	long timeout_ms;
	atomic_uint_fast64_t refused, mail_sent, mail_failed;
};

/* One call: what its socket may reach, and what it found. */
struct call {
	bool private_ok;
	bool loopback_only;
	bool refused;
	struct str upload;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_started = CURLE_FAILED_INIT;

static void start_curl(void)
{
	curl_started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static enum err read_file(const char *path, size_t len_max, struct buf *out)
{
	FILE *file = fopen(path, "re");
	char chunk[4096];
	size_t len;

	buf_init(out, len_max);
	if (file == NULL)
		return ERR_NOT_FOUND;
	while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_put(out, chunk, len);
	if (ferror(file) != 0)
		out->failed = true;
	(void)fclose(file);
	return buf_ok(out) ? OK : ERR_TOO_LARGE;
}

static enum err read_allow_list(const char *path, struct egress_allow *allow_out)
{
	unsigned line = 0;
	struct buf doc;
	enum err err;

	err = read_file(path, EGRESS_ALLOW_DOC_MAX, &doc);
	if (err == OK)
		err = egress_allow_parse(buf_str(&doc), allow_out, &line);
	buf_release(&doc);
	if (err == OK)
		return OK;
	log_event(LOG_ERROR, "egress_allow_list_bad", LOG_C("key", "BERTH_EGRESS_ALLOW_FILE"),
		LOG_C("code", err_code(err)), LOG_I("line", line));
	return ERR_BAD_FIELD;
}

/* smtp:// or smtps://, host, colon, port; nothing else, least of all credentials. */
static bool read_smtp_url(struct egress *egress, const char *url)
{
	struct str rest = str_from(url);
	struct str host;

	if (str_starts(rest, "smtps://")) {
		egress->smtps = true;
		rest = str_from(url + strlen("smtps://"));
	} else if (str_starts(rest, "smtp://")) {
		rest = str_from(url + strlen("smtp://"));
	} else {
		return false;
	}
	if (!egress_allow_split(rest, &host, &egress->smtp_port))
		return false;
	egress->smtp = egress_allow_host(host, egress->smtp_host);
	return egress->smtp;
}

static enum err read_names(struct egress *egress, const struct egress_config *config)
{
	const char *helo = config->helo_name != NULL ? config->helo_name : "localhost";
	size_t len = strlen(helo);

	if (!egress_address_host_ok(str_from(helo)))
		return ERR_BAD_FIELD;
	memcpy(egress->helo_name, helo, len + 1);
	if (config->smtp_user != NULL && (egress->smtp_user = strdup(config->smtp_user)) == NULL)
		return ERR_OVERLOADED;
	if (config->proxy != NULL && (egress->proxy = strdup(config->proxy)) == NULL)
		return ERR_OVERLOADED;
	if (config->smtp_url != NULL && !read_smtp_url(egress, config->smtp_url))
		return config_refuse("BERTH_SMTP_URL", ERR_BAD_FIELD);
	return OK;
}

enum err egress_new(const struct egress_config *config, struct egress **egress_out)
{
	struct egress *egress;
	enum err err;

	*egress_out = NULL;
	(void)pthread_once(&curl_once, start_curl);
	if (curl_started != CURLE_OK || (egress = calloc(1, sizeof(*egress))) == NULL)
		return ERR_OVERLOADED;
	egress->smtp_password = config->smtp_password;
	egress->smtp_plain_ok = config->smtp_plain_ok;
	egress->timeout_ms = config->timeout_ms > 0 ? (long)config->timeout_ms : TIMEOUT_MS_DEFAULT;
	if ((err = read_allow_list(config->allow_list_path, &egress->allow)) != OK)
		goto done;
	if ((err = read_names(egress, config)) != OK)
		goto done;
	err = read_file(config->ca_file != NULL ? config->ca_file : CA_FILE_DEFAULT, CA_BYTES_MAX, &egress->ca);
	if (err != OK && config->ca_file == NULL)
		err = OK; /* without the system's certificates every TLS hop fails, and a plain one to loopback works */
	else if (err != OK)
		log_event(LOG_ERROR, "egress_ca_file_bad", LOG_C("key", "BERTH_SMTP_CA_FILE"),
			LOG_C("code", err_code(err)));
	if (err != OK)
		goto done;
	*egress_out = egress;
	egress = NULL;
done:
	egress_free(&egress);
	return err == OK ? OK : ERR_BAD_FIELD;
}

void egress_free(struct egress **egress)
{
	struct egress *gone = *egress;

	*egress = NULL;
	if (gone == NULL)
		return;
	buf_release(&gone->ca);
	free(gone->smtp_user);
	free(gone->proxy);
	free(gone);
}

struct egress_counts egress_counts(const struct egress *egress)
{
	return (struct egress_counts){.refused = atomic_load(&egress->refused),
		.mail_sent = atomic_load(&egress->mail_sent),
		.mail_failed = atomic_load(&egress->mail_failed)};
}

static enum err find(struct egress *egress, struct str host, unsigned port, const char *purpose,
	const struct egress_allow_entry **entry_out)
{
	*entry_out = egress_allow_find(&egress->allow, host, port, purpose);
	if (*entry_out != NULL)
		return OK;
	atomic_fetch_add(&egress->refused, 1);
	log_event(LOG_WARN, "egress_refused", LOG_C("purpose", purpose), LOG_C("why", "not_listed"));
	return ERR_FORBIDDEN;
}

enum err egress_check(struct egress *egress, struct str host, unsigned port, const char *purpose)
{
	const struct egress_allow_entry *entry;

	return find(egress, host, port, purpose, &entry);
}

/* The last word on where a connection goes, whatever the name resolved to (rebinding, split horizons). */
static curl_socket_t open_socket(void *user, curlsocktype type, struct curl_sockaddr *address)
{
	struct call *call = user;
	enum egress_reach reach = egress_allow_reach(&address->addr, address->addrlen);

	if (type != CURLSOCKTYPE_IPCXN || (reach != EGRESS_PUBLIC && !call->private_ok) ||
		(call->loopback_only && reach != EGRESS_LOOPBACK)) {
		call->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t give_upload(char *room, size_t size, size_t count, void *user)
{
	struct str *upload = user;
	size_t len = size * count < upload->len ? size * count : upload->len;

	memcpy(room, upload->p, len);
	*upload = (struct str){upload->p + len, upload->len - len};
	return len;
}

static size_t drop_answer(char *bytes, size_t size, size_t count, void *user)
{
	(void)bytes;
	(void)user;
	return size * count;
}

/* What holds for every call, whatever its protocol. */
static bool set_common(CURL *curl, const struct egress *egress, struct call *call, const char *protocols)
{
	struct curl_blob ca = {.data = egress->ca.p, .len = egress->ca.len, .flags = CURL_BLOB_NOCOPY};
	long connect_ms = egress->timeout_ms < CONNECT_TIMEOUT_MS_MAX ? egress->timeout_ms : CONNECT_TIMEOUT_MS_MAX;
	bool good = true;

#define SET(option, value) good = curl_easy_setopt(curl, (option), (value)) == CURLE_OK && good
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, protocols);
	SET(CURLOPT_REDIR_PROTOCOLS_STR, protocols);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, egress->proxy != NULL ? egress->proxy : ""); /* "" keeps the environment's out */
	SET(CURLOPT_HTTPPROXYTUNNEL, 1L);
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (ca.len > 0)
		SET(CURLOPT_CAINFO_BLOB, &ca);
	SET(CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
	SET(CURLOPT_TIMEOUT_MS, egress->timeout_ms);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, call);
	SET(CURLOPT_WRITEFUNCTION, drop_answer);
	SET(CURLOPT_VERBOSE, 0L);
#undef SET
	return good;
}

static bool set_mail(CURL *curl, const struct egress *egress, struct call *call, const struct mail *mail,
	const struct curl_slist *to)
{
	bool v6 = strchr(egress->smtp_host, ':') != NULL;
	char from[EGRESS_ADDRESS_MAX + 3];
	char url[URL_MAX];
	bool good = true;

	(void)snprintf(url, sizeof(url), "%s://%s%s%s:%u/%s", egress->smtps ? "smtps" : "smtp", v6 ? "[" : "",
		egress->smtp_host, v6 ? "]" : "", egress->smtp_port, egress->helo_name);
	(void)snprintf(from, sizeof(from), "<%.*s>", STR_ARG(mail->from));
#define SET(option, value) good = curl_easy_setopt(curl, (option), (value)) == CURLE_OK && good
	SET(CURLOPT_URL, url);
	SET(CURLOPT_USE_SSL, (long)(call->loopback_only ? CURLUSESSL_TRY : CURLUSESSL_ALL));
	if (egress->smtp_user != NULL) {
		SET(CURLOPT_USERNAME, egress->smtp_user);
		SET(CURLOPT_PASSWORD, secret_str(egress->smtp_password).p);
	}
	SET(CURLOPT_MAIL_FROM, from);
	SET(CURLOPT_MAIL_RCPT, to);
	SET(CURLOPT_UPLOAD, 1L);
	SET(CURLOPT_READFUNCTION, give_upload);
	SET(CURLOPT_READDATA, &call->upload);
	SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->upload.len);
#undef SET
	return good;
}

/* SMTP answers of 5yz are final (RFC 5321 section 4.2.1), but a refused login is ours to mend. */
static enum err judge(struct egress *egress, CURL *curl, CURLcode code, const struct call *call)
{
	long answer = 0;

	if (code == CURLE_OK) {
		atomic_fetch_add(&egress->mail_sent, 1);
		return OK;
	}
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
	atomic_fetch_add(&egress->mail_failed, 1);
	if (call->refused) {
		atomic_fetch_add(&egress->refused, 1);
		log_event(LOG_WARN, "egress_refused", LOG_C("purpose", PURPOSE_MAIL), LOG_C("why", "address"));
		return ERR_FORBIDDEN;
	}
	log_event(LOG_WARN, "egress_mail_failed", LOG_I("curl", code), LOG_I("smtp", answer));
	if (code == CURLE_LOGIN_DENIED || answer < 500 || answer > 599)
		return ERR_UNAVAILABLE;
	return ERR_BAD_GATEWAY;
}

static enum err hand_over(
	struct egress *egress, const struct egress_allow_entry *entry, const struct mail *mail, struct str message)
{
	struct call call = {.private_ok = entry->private_ok || egress->proxy != NULL,
		.loopback_only = egress->smtp_plain_ok && !egress->smtps,
		.upload = message};
	char to_text[EGRESS_ADDRESS_MAX + 3];
	struct curl_slist *to = NULL;
	CURL *curl = NULL;
	enum err err = ERR_OVERLOADED;

	(void)snprintf(to_text, sizeof(to_text), "<%.*s>", STR_ARG(mail->to));
	if ((to = curl_slist_append(NULL, to_text)) == NULL || (curl = curl_easy_init()) == NULL)
		goto done;
	if (set_common(curl, egress, &call, "smtp,smtps") && set_mail(curl, egress, &call, mail, to))
		err = judge(egress, curl, curl_easy_perform(curl), &call);
done:
	curl_easy_cleanup(curl);
	curl_slist_free_all(to);
	return err;
}

enum err egress_send_mail(struct egress *egress, const struct mail *mail)
{
	const struct egress_allow_entry *entry;
	struct buf message;
	enum err err;

	if (!egress->smtp)
		return ERR_FORBIDDEN;
	err = find(egress, str_from(egress->smtp_host), egress->smtp_port, PURPOSE_MAIL, &entry);
	if (err != OK)
		return err;
	buf_init(&message, MAIL_BYTES_MAX);
	if ((err = mail_compose(mail, egress->helo_name, clock_now_us(), &message)) == OK)
		err = hand_over(egress, entry, mail, buf_str(&message));
	buf_release(&message);
	return err;
}

/* ---- posting ---- */

/* Host and port of the URL; false when it is none that may be posted to. */
static bool cut_url(struct str url, char host_out[EGRESS_ALLOW_HOST_MAX + 1], uint16_t *port_out, bool *secure_out)
{
	struct str rest = url, authority, host;

	*secure_out = str_starts(url, "https://");
	if (!*secure_out && !str_starts(url, "http://"))
		return false;
	rest.p += *secure_out ? strlen("https://") : strlen("http://");
	rest.len -= (size_t)(rest.p - url.p);
	(void)str_cut(&rest, '/', &authority);
	if (egress_allow_split(authority, &host, port_out))
		return egress_allow_host(host, host_out);
	*port_out = *secure_out ? 443 : 80;
	return egress_allow_host(authority, host_out);
}

bool egress_url_ok(struct str url)
{
	char host[EGRESS_ALLOW_HOST_MAX + 1];
	uint16_t port;
	bool secure;

	return cut_url(url, host, &port, &secure);
}

static bool set_post(CURL *curl, const char *url, const struct curl_slist *fields, struct str body)
{
	bool good = true;

#define SET(option, value) good = curl_easy_setopt(curl, (option), (value)) == CURLE_OK && good
	SET(CURLOPT_URL, url);
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDS, body.p);
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	SET(CURLOPT_HTTPHEADER, fields);
	SET(CURLOPT_USERAGENT, "berth");
#undef SET
	return good;
}

static enum err judge_post(
	struct egress *egress, CURL *curl, CURLcode code, const struct call *call, const char *purpose)
{
	long answer = 0;

	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
	if (call->refused) {
		atomic_fetch_add(&egress->refused, 1);
		log_event(LOG_WARN, "egress_refused", LOG_C("purpose", purpose), LOG_C("why", "address"));
		return ERR_FORBIDDEN;
	}
	if (code != CURLE_OK)
		return ERR_UNAVAILABLE;
	return answer >= 200 && answer <= 299 ? OK : ERR_BAD_GATEWAY;
}

enum err egress_post(
	struct egress *egress, const char *url, const char *purpose, const char *content_type, struct str body)
{
	const struct egress_allow_entry *entry;
	char host[EGRESS_ALLOW_HOST_MAX + 1], field[128];
	struct curl_slist *fields = NULL;
	struct call call = {.refused = false};
	CURL *curl = NULL;
	uint16_t port;
	bool secure;
	enum err err;

	if (!cut_url(str_from(url), host, &port, &secure))
		return ERR_BAD_FIELD;
	if ((err = find(egress, str_from(host), port, purpose, &entry)) != OK)
		return err;
	call.private_ok = entry->private_ok || egress->proxy != NULL;
	call.loopback_only = !secure;
	(void)snprintf(field, sizeof(field), "Content-Type: %s", content_type);
	err = ERR_OVERLOADED;
	if ((fields = curl_slist_append(NULL, field)) == NULL || (curl = curl_easy_init()) == NULL)
		goto done;
	if (set_common(curl, egress, &call, "http,https") && set_post(curl, url, fields, body))
		err = judge_post(egress, curl, curl_easy_perform(curl), &call, purpose);
done:
	curl_easy_cleanup(curl);
	curl_slist_free_all(fields);
	return err;
}
