/* SPDX-License-Identifier: Apache-2.0 */
#include "notice.h"

#include "pages.h"
#include "rules_web.h"

#define PAGE_MAX 32768

enum err notice_show(
	struct call *call, struct str ui_locales, int status, enum text title, enum text help, struct web_reply *reply)
{
	struct page page = {
		.arena = call->arena, .locale = rules_locale_choose(ui_locales, call->languages, LOCALE_EN)};
	struct buf html;
	enum err err;

	buf_init(&html, PAGE_MAX);
	page.out = &html;
	pages_notice(&page, title, help);
	err = web_page(call, reply, status, &html);
	buf_release(&html);
	return err;
}
