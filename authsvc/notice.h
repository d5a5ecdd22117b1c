/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_NOTICE_H
#define BERTH_AUTHSVC_NOTICE_H

#include "texts.h"
#include "web.h"

/* A page of a title and a sentence. `ui_locales` may be absent. */
MUST_USE enum err notice_show(
	struct call *call, struct str ui_locales, int status, enum text title, enum text help, struct web_reply *reply);

#endif
