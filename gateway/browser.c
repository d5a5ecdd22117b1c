/* SPDX-License-Identifier: Apache-2.0 */
#include "browser.h"

#include <string.h>

struct str browser_family(struct str user_agent)
{
	/* Most claim to be several; the first that is found is what it is. */
	static const struct {
		const char *mark, *family;
	} marks[] = {{"Edg", "edge"}, {"OPR/", "opera"}, {"SamsungBrowser/", "samsung"}, {"Firefox/", "firefox"},
		{"FxiOS/", "firefox"}, {"Chrome/", "chrome"}, {"CriOS/", "chrome"}, {"Chromium/", "chrome"},
		{"Safari/", "safari"}};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (memmem(user_agent.p, user_agent.len, marks[i].mark, strlen(marks[i].mark)) != NULL)
			return str_from(marks[i].family);
	}
	return STR("other");
}
