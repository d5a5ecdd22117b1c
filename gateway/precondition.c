/* SPDX-License-Identifier: Apache-2.0 */
#include "precondition.h"

#include "contract/envelope.h"

static bool is_etag_char(char c)
{
	const unsigned char u = (unsigned char)c;

	return u == 0x21 || (u >= 0x23 && u != 0x7f);
}

/* entity-tag of RFC 9110 section 8.8.3; the opaque part in *opaque_out. */
static bool etag_parse(struct str value, bool *weak_out, struct str *opaque_out)
{
	*weak_out = str_starts(value, "W/");
	if (*weak_out) {
		value.p += 2;
		value.len -= 2;
	}
	if (value.len < 2 || value.p[0] != '"' || value.p[value.len - 1] != '"')
		return false;
	*opaque_out = (struct str){value.p + 1, value.len - 2};
	for (size_t i = 0; i < opaque_out->len; i++)
		if (!is_etag_char(opaque_out->p[i]))
			return false;
	return true;
}

enum err precondition_key(struct str value)
{
	if (value.len == 0 || value.len > IDEMPOTENCY_KEY_MAX)
		return ERR_BAD_FIELD;
	for (size_t i = 0; i < value.len; i++)
		if (value.p[i] <= 0x20 || value.p[i] >= 0x7f)
			return ERR_BAD_FIELD;
	return OK;
}

enum err precondition_match(struct str value, int64_t *version_out)
{
	struct str opaque, head, rest = value;
	uint64_t version;
	bool weak;

	if (str_eq_c(value, "*")) {
		*version_out = -1;
		return OK;
	}
	if (str_cut(&rest, ',', &head))
		return etag_parse(str_trim(head), &weak, &opaque) ? ERR_VERSION_STALE : ERR_BAD_FIELD;
	if (!etag_parse(value, &weak, &opaque))
		return ERR_BAD_FIELD;
	if (weak || str_to_u64(opaque, INT64_MAX, &version) != OK || version == 0)
		return ERR_VERSION_STALE;
	*version_out = (int64_t)version;
	return OK;
}

bool precondition_names(struct str value, int64_t version)
{
	struct str rest = value, element, opaque;
	bool more = value.p != NULL, weak;
	uint64_t named;

	if (more && str_eq_c(value, "*"))
		return true;
	/* A comma within a foreign tag cuts it into pieces that are no tags, for a tag holds no quote. */
	while (more) {
		more = str_cut(&rest, ',', &element);
		if (etag_parse(str_trim(element), &weak, &opaque) && str_to_u64(opaque, INT64_MAX, &named) == OK &&
			named == (uint64_t)version)
			return true;
	}
	return false;
}
