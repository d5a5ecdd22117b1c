/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

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
					      .focus = true,
					      .verbatim = true});
	pages_put_input(page, &(struct input){.name = "email",
				      .type = "email",
				      .autocomplete = "username",
				      .label = TEXT_EMAIL,
				      .help = TEXT_COUNT,
				      .value = form->email,
				      .focus = tenant_known});
	pages_put_button(page, TEXT_FORGOTTEN_SEND);
	pages_put_plain_link(page,
		form->resume.len > 0 ? arena_printf(page->arena, "/login?resume=%.*s", STR_ARG(form->resume))
				     : STR("/login"),
		TEXT_SIGN_IN_BACK);
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
	pages_put_new_password(page, form->email, true);
	pages_put_button(page, TEXT_ACCEPT);
	pages_put_end(page);
}

void pages_password(const struct page *page, struct str csrf, struct str email)
{
	pages_put_begin(page, title_of(page, TEXT_PASSWORD_CHANGE));
	pages_put_paragraph(page, title_of(page, TEXT_PASSWORD_CHANGE_HELP));
	pages_put_alert(page);
	pages_put_form(page, "/account/password");
	pages_put_hidden(page, "csrf", csrf);
	pages_put_username(page, email);
	pages_put_input(page, &(struct input){.name = "current",
				      .type = "password",
				      .autocomplete = "current-password",
				      .label = TEXT_PASSWORD_CURRENT,
				      .help = TEXT_COUNT,
				      .focus = true});
	pages_put_new_password(page, STR_NONE, false);
	pages_put_button(page, TEXT_PASSWORD_CHANGE);
	pages_put_back(page);
	pages_put_end(page);
}

/* What a browser calls itself. */
static struct str name_of(const struct page *page, struct str browser)
{
	static const struct {
		const char *family, *name;
	} names[] = {{"edge", "Edge"}, {"opera", "Opera"}, {"samsung", "Samsung Internet"}, {"firefox", "Firefox"},
		{"chrome", "Chrome"}, {"safari", "Safari"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_eq_c(browser, names[i].family))
			return str_from(names[i].name);
	}
	return title_of(page, TEXT_BROWSER_UNKNOWN);
}

static void put_session(const struct page *page, const struct sessions_view *view, size_t i)
{
	const struct session_view *session = &view->sessions[i];
	char text[UUID_TEXT_LEN + 1], heading[48];

	(void)snprintf(heading, sizeof(heading), "session-%zu", i);
	pages_put_item(page, name_of(page, session->browser), heading);
	if (session->row_id == view->current) {
		buf_put_c(page->out, "<p class=\"mark\">");
		pages_put_text(page, TEXT_SESSION_CURRENT);
		buf_put_c(page->out, "</p>\n");
	}
	pages_put_paragraph(page, texts_fill(page->arena, TEXT_SESSION_BEGUN_FMT, page->locale,
					  texts_when(page->arena, page->locale, session->created_at)));
	pages_put_paragraph(page, texts_fill(page->arena, TEXT_SESSION_SEEN_FMT, page->locale,
					  texts_when(page->arena, page->locale, session->seen_at)));
	if (session->row_id != view->current) {
		uuid_format(&session->id, text);
		pages_put_form(page, "/account/sessions");
		pages_put_hidden(page, "csrf", view->csrf);
		pages_put_hidden(page, "session", str_from(text));
		pages_put_submit(page, TEXT_SIGN_OUT_ONE, LOOK_QUIET, heading);
	}
	buf_put_c(page->out, "</li>\n");
}

void pages_sessions(const struct page *page, const struct sessions_view *view)
{
	pages_put_begin(page, title_of(page, TEXT_SESSIONS));
	pages_put_alert(page);
	pages_put_paragraph(page, title_of(page, TEXT_SESSIONS_HELP));
	buf_put_c(page->out, "<ul class=\"items\">\n");
	for (size_t i = 0; i < view->count; i++)
		put_session(page, view, i);
	buf_put_c(page->out, "</ul>\n");
	pages_put_form(page, "/account/sessions");
	pages_put_hidden(page, "csrf", view->csrf);
	pages_put_submit(page, TEXT_SIGN_OUT_ALL, LOOK_DANGER, NULL);
	pages_put_back(page);
	pages_put_end(page);
}

void pages_email(const struct page *page, struct str csrf, struct str email)
{
	pages_put_begin(page, title_of(page, TEXT_EMAIL_CHANGE));
	pages_put_paragraph(page, title_of(page, TEXT_EMAIL_CHANGE_HELP));
	pages_put_alert(page);
	pages_put_form(page, "/account/email");
	pages_put_hidden(page, "csrf", csrf);
	pages_put_input(page, &(struct input){.name = "email",
				      .type = "email",
				      .autocomplete = "email",
				      .label = TEXT_EMAIL_NEW,
				      .help = TEXT_COUNT,
				      .value = email,
				      .focus = true});
	pages_put_input(page, &(struct input){.name = "current",
				      .type = "password",
				      .autocomplete = "current-password",
				      .label = TEXT_PASSWORD,
				      .help = TEXT_COUNT});
	pages_put_button(page, TEXT_EMAIL_CHANGE);
	pages_put_back(page);
	pages_put_end(page);
}

static void put_choice(
	const struct page *page, const struct link_form *form, const char *action, enum text label, enum look look)
{
	pages_put_form(page, "/email/confirm");
	pages_put_hidden(page, "token", form->token);
	pages_put_hidden(page, "csrf", form->csrf);
	pages_put_hidden(page, "action", str_from(action));
	pages_put_submit(page, label, look, NULL);
}

void pages_email_confirm(const struct page *page, const struct link_form *form, bool may_cancel)
{
	pages_put_begin(page, title_of(page, TEXT_EMAIL_CHANGE));
	pages_put_paragraph(page,
		texts_fill(page->arena, may_cancel ? TEXT_EMAIL_CONFIRM_OLD_HELP_FMT : TEXT_EMAIL_CONFIRM_NEW_HELP_FMT,
			page->locale, form->tenant_name));
	pages_put_alert(page);
	put_choice(page, form, "confirm", TEXT_CONFIRM, LOOK_MAIN);
	if (may_cancel)
		put_choice(page, form, "cancel", TEXT_EMAIL_CANCEL, LOOK_DANGER);
	pages_put_end(page);
}
