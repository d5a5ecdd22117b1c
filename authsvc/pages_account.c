/* SPDX-License-Identifier: Apache-2.0 */
#include "pages_put.h"

static struct str title_of(const struct page *page, enum text text)
{
	return str_from(texts_get(text, page->locale));
}

void pages_forgotten(const struct page *page, const struct sign_in_form *form)
{
	bool tenant_known = form->tenant_name.p != NULL;

	pages_put_begin(page, title_of(page, TEXT_FORGOTTEN));
	pages_put_paragraph(page, title_of(page, TEXT_FORGOTTEN_HELP));
	pages_put_alert(page);
	pages_put_form(page, "/password/forgotten");
	pages_put_hidden(page, "resume", form->resume);
	pages_put_hidden(page, "csrf", form->csrf);
	if (!tenant_known)
		pages_put_input(page, &(struct input){.name = "tenant",
					      .type = "text",
					      .autocomplete = "organization",
					      .label = TEXT_TENANT,
					      .help = TEXT_COUNT,
					      .value = form->tenant_slug,
					      .focus = true});
	pages_put_input(page, &(struct input){.name = "email",
				      .type = "email",
				      .autocomplete = "username",
				      .label = TEXT_EMAIL,
				      .help = TEXT_COUNT,
				      .value = form->email,
				      .focus = tenant_known});
	pages_put_button(page, TEXT_FORGOTTEN_SEND);
	pages_put_end(page);
}

void pages_reset(const struct page *page, const struct link_form *form)
{
	pages_put_begin(page, title_of(page, TEXT_RESET));
	pages_put_paragraph(page, texts_fill(page->arena, TEXT_RESET_HELP_FMT, page->locale, form->tenant_name));
	pages_put_alert(page);
	pages_put_form(page, "/password/reset");
	pages_put_hidden(page, "token", form->token);
	pages_put_hidden(page, "csrf", form->csrf);
	pages_put_new_password(page, true);
	pages_put_button(page, TEXT_ACCEPT);
	pages_put_end(page);
}

void pages_password(const struct page *page, struct str csrf)
{
	pages_put_begin(page, title_of(page, TEXT_PASSWORD_CHANGE));
	pages_put_paragraph(page, title_of(page, TEXT_PASSWORD_CHANGE_HELP));
	pages_put_alert(page);
	pages_put_form(page, "/account/password");
	pages_put_hidden(page, "csrf", csrf);
	pages_put_input(page, &(struct input){.name = "current",
				      .type = "password",
				      .autocomplete = "current-password",
				      .label = TEXT_PASSWORD_CURRENT,
				      .help = TEXT_COUNT,
				      .focus = true});
	pages_put_new_password(page, false);
	pages_put_button(page, TEXT_PASSWORD_CHANGE);
	pages_put_end(page);
}
