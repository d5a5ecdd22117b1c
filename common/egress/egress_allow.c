/* SPDX-License-Identifier: Apache-2.0 */
#include "egress/egress_allow.h"

#include <arpa/inet.h>
#include <string.h>

#include "egress/egress_address.h"

static bool word_ok(struct str word, size_t len_max)
{
	if (word.len == 0 || word.len > len_max)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		char c = word.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
			return false;
	}
	return true;
}

static void copy_lower(struct str from, char *to)
{
	for (size_t i = 0; i < from.len; i++)
		to[i] = (char)(from.p[i] >= 'A' && from.p[i] <= 'Z' ? from.p[i] - 'A' + 'a' : from.p[i]);
	to[from.len] = '\0';
}

/* Whether the host is written as an address, and which. */
static bool literal(const char *host, struct sockaddr_storage *address_out, socklen_t *len_out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)address_out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address_out;

	memset(address_out, 0, sizeof(*address_out));
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		*len_out = sizeof(*in);
		return true;
	}
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		*len_out = sizeof(*in6);
		return true;
	}
	return false;
}

bool egress_allow_host(struct str host, char host_out[EGRESS_ALLOW_HOST_MAX + 1])
{
	struct sockaddr_storage address;
	socklen_t len;

	host_out[0] = '\0';
	if (host.len == 0 || host.len > EGRESS_ALLOW_HOST_MAX || memchr(host.p, '\0', host.len) != NULL)
		return false;
	copy_lower(host, host_out);
	return literal(host_out, &address, &len) || egress_address_host_ok(host);
}

bool egress_allow_split(struct str text, struct str *host_out, uint16_t *port_out)
{
	bool bracketed = text.len > 0 && text.p[0] == '[';
	struct str rest = text;
	uint64_t port;

	if (bracketed) {
		rest = (struct str){text.p + 1, text.len - 1};
		if (!str_cut(&rest, ']', host_out) || rest.len == 0 || rest.p[0] != ':')
			return false;
		rest = (struct str){rest.p + 1, rest.len - 1};
	} else if (!str_cut(&rest, ':', host_out)) {
		return false;
	}
	if (host_out->len == 0 || host_out->len > EGRESS_ALLOW_HOST_MAX ||
		bracketed != (memchr(host_out->p, ':', host_out->len) != NULL))
		return false;
	if (str_to_u64(rest, UINT16_MAX, &port) != OK || port == 0)
		return false;
	*port_out = (uint16_t)port;
	return true;
}

/* Blanks and tabs between words. */
static struct str next_word(struct str *line)
{
	struct str rest = str_trim(*line);
	size_t len = 0;

	while (len < rest.len && rest.p[len] != ' ' && rest.p[len] != '\t')
		len++;
	*line = (struct str){rest.p + len, rest.len - len};
	return (struct str){rest.p, len};
}

static bool parse_entry(struct str line, struct egress_allow_entry *entry)
{
	struct str place = next_word(&line);
	struct str purpose = next_word(&line);
	struct str flag = next_word(&line);
	struct sockaddr_storage address;
	struct str host;
	socklen_t len;

	*entry = (struct egress_allow_entry){0};
	if (!egress_allow_split(place, &host, &entry->port) || !word_ok(purpose, EGRESS_ALLOW_PURPOSE_MAX))
		return false;
	if (str_trim(line).len > 0 || (flag.len > 0 && !str_eq_c(flag, "private")))
		return false;
	if (!egress_allow_host(host, entry->host))
		return false;
	copy_lower(purpose, entry->purpose);
	/* Whoever wrote a private address means it. */
	entry->private_ok = flag.len > 0 || strcmp(entry->host, "localhost") == 0 ||
	                    (literal(entry->host, &address, &len) &&
				    egress_allow_reach((const struct sockaddr *)&address, len) != EGRESS_PUBLIC);
	return true;
}

enum err egress_allow_parse(struct str doc, struct egress_allow *allow_out, unsigned *line_out)
{
	struct str line;
	bool more;

	allow_out->count = 0;
	*line_out = 0;
	if (doc.len > EGRESS_ALLOW_DOC_MAX)
		return ERR_TOO_LARGE;
	do {
		struct str comment;

		more = str_cut(&doc, '\n', &line);
		(*line_out)++;
		comment = line;
		(void)str_cut(&comment, '#', &line);
		if (str_trim(line).len == 0)
			continue;
		if (allow_out->count == EGRESS_ALLOW_ENTRIES_MAX)
			return ERR_TOO_LARGE;
		if (!parse_entry(line, &allow_out->entries[allow_out->count]))
			return ERR_BAD_FIELD;
		allow_out->count++;
	} while (more);
	return OK;
}

const struct egress_allow_entry *egress_allow_find(
	const struct egress_allow *allow, struct str host, unsigned port, const char *purpose)
{
	for (size_t i = 0; i < allow->count; i++) {
		const struct egress_allow_entry *entry = &allow->entries[i];

		if (entry->port == port && strcmp(entry->purpose, purpose) == 0 &&
			str_eq_nocase(host, str_from(entry->host)))
			return entry;
	}
	return NULL;
}

struct range4 {
	uint32_t base;
	unsigned bits;
};

/* https://www.iana.org/assignments/iana-ipv4-special-registry, what is not global; loopback stands apart. */
static const struct range4 not_global4[] = {
	{0x00000000, 8},  /* this network */
	{0x0a000000, 8},  /* private */
	{0x64400000, 10}, /* shared, RFC 6598 */
	{0xa9fe0000, 16}, /* link-local, cloud metadata */
	{0xac100000, 12}, /* private */
	{0xc0000000, 24}, /* protocol assignments */
	{0xc0000200, 24}, /* documentation */
	{0xc0586300, 24}, /* 6to4 relays */
	{0xc0a80000, 16}, /* private */
	{0xc6120000, 15}, /* benchmarking */
	{0xc6336400, 24}, /* documentation */
	{0xcb007100, 24}, /* documentation */
	{0xe0000000, 4},  /* multicast */
	{0xf0000000, 4},  /* reserved, broadcast */
};

static enum egress_reach reach4(uint32_t address)
{
	if (address >> 24 == 127)
		return EGRESS_LOOPBACK;
	for (size_t i = 0; i < sizeof(not_global4) / sizeof(not_global4[0]); i++) {
		if ((address ^ not_global4[i].base) >> (32 - not_global4[i].bits) == 0)
			return EGRESS_PRIVATE;
	}
	return EGRESS_PUBLIC;
}

static uint32_t word_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Global unicast is 2000::/3, less what the registry takes out of it; IPv4 inside counts as what it is. */
static enum egress_reach reach6(const uint8_t b[16])
{
	static const uint8_t loopback[16] = {[15] = 1};
	static const uint8_t mapped[12] = {[10] = 0xff, 0xff};
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};

	if (memcmp(b, loopback, 16) == 0)
		return EGRESS_LOOPBACK;
	if (memcmp(b, mapped, 12) == 0 || memcmp(b, nat64, 12) == 0)
		return reach4(word_at(b + 12));
	if (b[0] == 0x20 && b[1] == 0x02) /* 6to4, RFC 3056 */
		return reach4(word_at(b + 2));
	if (b[0] >> 5 != 1)
		return EGRESS_PRIVATE;
	if (word_at(b) == 0x20010db8 || (word_at(b) & 0xfffffe00) == 0x20010000) /* documentation; Teredo, ORCHID */
		return EGRESS_PRIVATE;
	return b[0] == 0x3f && b[1] == 0xff && b[2] < 0x10 ? EGRESS_PRIVATE : EGRESS_PUBLIC; /* documentation */
}

enum egress_reach egress_allow_reach(const struct sockaddr *address, socklen_t len)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (len >= sizeof(in) && address->sa_family == AF_INET) {
		memcpy(&in, address, sizeof(in));
		return reach4(ntohl(in.sin_addr.s_addr));
	}
	if (len >= sizeof(in6) && address->sa_family == AF_INET6) {
		memcpy(&in6, address, sizeof(in6));
		return reach6(in6.sin6_addr.s6_addr);
	}
	return EGRESS_PRIVATE;
}
