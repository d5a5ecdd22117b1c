/* SPDX-License-Identifier: Apache-2.0 */
#include "base/acr.h"

static const char *const names[] = {
	[ACR_NONE] = "",
	[ACR_1FA] = "1fa",
	[ACR_2FA] = "2fa",
	[ACR_PHR] = "phr",
};

const char *acr_name(enum acr acr)
{
	return (unsigned)acr < sizeof(names) / sizeof(names[0]) ? names[acr] : "";
}

bool acr_parse(struct str name, enum acr *acr_out)
{
	for (int acr = ACR_1FA; acr <= ACR_PHR; acr++) {
		if (str_eq_c(name, names[acr])) {
			*acr_out = (enum acr)acr;
			return true;
		}
	}
	*acr_out = ACR_NONE;
	return false;
}

static const char *const demands[] = {
	[DEMAND_STAFF] = "staff",
	[DEMAND_ALL] = "all",
	[DEMAND_OPTIONAL] = "optional",
};

const char *demand_name(enum demand demand)
{
	return (unsigned)demand < sizeof(demands) / sizeof(demands[0]) ? demands[demand] : "";
}

bool demand_parse(struct str name, enum demand *demand_out)
{
	for (size_t i = 0; i < sizeof(demands) / sizeof(demands[0]); i++) {
		if (str_eq_c(name, demands[i])) {
			*demand_out = (enum demand)i;
			return true;
		}
	}
	*demand_out = DEMAND_STAFF;
	return false;
}

bool acr_methods_ok(struct str methods)
{
	bool blank = true; /* as if one stood in front */

	if (methods.len > AMR_MAX)
		return false;
	for (size_t i = 0; i < methods.len; i++) {
		char c = methods.p[i];

		if (c == ' ' ? blank : !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
			return false;
		blank = c == ' ';
	}
	return methods.len == 0 || !blank;
}

void acr_put(struct json_writer *w, enum acr acr, instant_us auth_at, struct str methods)
{
	struct str word;
	bool more = methods.len > 0;

	json_key(w, "acr");
	json_put_c(w, acr_name(acr));
	if (auth_at > 0) {
		json_key(w, "auth_time");
		json_put_i64(w, auth_at / US_PER_S);
	}
	if (!more)
		return;
	json_key(w, "amr");
	json_begin_array(w);
	while (more) {
		more = str_cut(&methods, ' ', &word);
		json_put_str(w, word);
	}
	json_end_array(w);
}
