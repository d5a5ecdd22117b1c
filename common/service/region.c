/* SPDX-License-Identifier: Apache-2.0 */
#include "service/region.h"

#include <string.h>

/* Left out on purpose: eu-west-2 and europe-west2 (London), eu-central-2 and europe-west6 (Zurich). */
static const char *const regions[] = {
	"eu-west-1",
	"eu-west-3",
	"eu-central-1",
	"eu-north-1",
	"eu-south-1",
	"eu-south-2",
	"europe-west1",
	"europe-west3",
	"europe-west4",
	"europe-west8",
	"europe-west9",
	"europe-west10",
	"europe-west12",
	"europe-southwest1",
	"europe-central2",
	"europe-north1",
	"europe-north2",
	"westeurope",
	"northeurope",
	"francecentral",
	"germanywestcentral",
	"italynorth",
	"polandcentral",
	"spaincentral",
	"swedencentral",
	"austriaeast",
	"belgiumcentral",
	"eu-at",
	"eu-be",
	"eu-bg",
	"eu-cy",
	"eu-cz",
	"eu-de",
	"eu-dk",
	"eu-ee",
	"eu-es",
	"eu-fi",
	"eu-fr",
	"eu-gr",
	"eu-hr",
	"eu-hu",
	"eu-ie",
	"eu-it",
	"eu-lt",
	"eu-lu",
	"eu-lv",
	"eu-mt",
	"eu-nl",
	"eu-pl",
	"eu-pt",
	"eu-ro",
	"eu-se",
	"eu-si",
	"eu-sk",
};

bool region_is_eu(struct str region)
{
	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
		size_t len = strlen(regions[i]);

		if (!str_starts(region, regions[i]))
			continue;
		/* A zone's mark is one letter, or a part of its own. */
		if (region.len == len || region.p[len] == '-' ||
			(region.len == len + 1 && region.p[len] >= 'a' && region.p[len] <= 'z'))
			return true;
	}
	return false;
}
