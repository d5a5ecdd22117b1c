/* SPDX-License-Identifier: Apache-2.0 */
#include "pages.h"

#include "base/encode.h"
#include "http/page_style.h"
#include "pages_put.h"

void pages_put_escaped(const struct page *page, struct str s)
{
	struct str escaped = html_escape(page->arena, s);

	if (escaped.p == NULL && s.len > 0)
		page->out->failed = true;
	buf_put_str(page->out, escaped);
}

void pages_put_text(const struct page *page, enum text text)
{
	pages_put_escaped(page, str_from(texts_get(text, page->locale)));
}

void pages_put_begin(const struct page *page, struct str title)
{
	buf_printf(page->out, "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n",
		rules_locale_name(page->locale));
	buf_put_c(page->out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
			     "<meta name=\"robots\" content=\"noindex\">\n<title>");
	pages_put_escaped(page, title);
	buf_put_c(page->out, " · Berth</title>\n<style>");
	buf_put_str(page->out, page_style_text());
	buf_put_c(page->out, "</style>\n</head>\n<body>\n<main>\n<div class=\"card\">\n<h1>");
	pages_put_escaped(page, title);
	buf_put_c(page->out, "</h1>\n");
}

void pages_put_end(const struct page *page)
{
	buf_put_c(page->out, "</div>\n</main>\n</body>\n</html>\n");
}

void pages_put_paragraph(const struct page *page, struct str text)
{
	buf_put_c(page->out, "<p class=\"dim\">");
	pages_put_escaped(page, text);
	buf_put_c(page->out, "</p>\n");
}

void pages_put_alert(const struct page *page)
{
	if (page->alert.len == 0)
		return;
	buf_put_c(page->out, "<p class=\"alert\" role=\"alert\">");
	pages_put_escaped(page, page->alert);
	buf_put_c(page->out, "</p>\n");
}

void pages_put_hidden(const struct page *page, const char *name, struct str value)
{
	if (value.p == NULL)
		return;
	buf_printf(page->out, "<input type=\"hidden\" name=\"%s\" value=\"", name);
	pages_put_escaped(page, value);
	buf_put_c(page->out, "\">\n");
}

void pages_put_input(const struct page *page, const struct input *input)
{
	buf_printf(page->out, "<label for=\"%s\">", input->name);
	pages_put_text(page, input->label);
	buf_put_c(page->out, "</label>\n");
	if (input->help != TEXT_COUNT) {
		buf_printf(page->out, "<p class=\"dim\" id=\"%s-help\">", input->name);
		pages_put_text(page, input->help);
		buf_put_c(page->out, "</p>\n");
	}
	buf_printf(page->out, "<input id=\"%s\" name=\"%s\" type=\"%s\" autocomplete=\"%s\" required", input->name,
		input->name, input->type, input->autocomplete);
	if (input->help != TEXT_COUNT)
		buf_printf(page->out, " aria-describedby=\"%s-help\"", input->name);
	if (input->focus)
		buf_put_c(page->out, " autofocus");
	if (input->value.len > 0) {
		buf_put_c(page->out, " value=\"");
		pages_put_escaped(page, input->value);
		buf_put_byte(page->out, '"');
	}
	buf_put_c(page->out, ">\n");
}

void pages_put_button(const struct page *page, enum text label)
{
	buf_put_c(page->out, "<button type=\"submit\">");
	pages_put_text(page, label);
	buf_put_c(page->out, "</button>\n</form>\n");
}

void pages_put_form(const struct page *page, const char *action)
{
	buf_printf(page->out, "<form method=\"post\" action=\"%s\">\n", action);
}

void pages_put_new_password(const struct page *page, bool focus)
{
	pages_put_input(page, &(struct input){.name = "password",
				      .type = "password",
				      .autocomplete = "new-password",
				      .label = TEXT_NEW_PASSWORD,
				      .help = TEXT_NEW_PASSWORD_HELP,
				      .focus = focus});
	pages_put_input(page, &(struct input){.name = "password_again",
				      .type = "password",
				      .autocomplete = "new-password",
				      .label = TEXT_PASSWORD_AGAIN,
				      .help = TEXT_COUNT});
}

void pages_put_link(const struct page *page, const char *href, enum text text)
{
	buf_printf(page->out, "<a class=\"button\" href=\"%s\">", href);
	pages_put_text(page, text);
	buf_put_c(page->out, "</a>\n");
}

void pages_put_plain_link(const struct page *page, struct str href, enum text text)
{
	buf_put_c(page->out, "<p><a href=\"");
	pages_put_escaped(page, href);
	buf_put_c(page->out, "\">");
	pages_put_text(page, text);
	buf_put_c(page->out, "</a></p>\n");
}

void pages_sign_in(const struct page *page, const struct sign_in_form *form)
{
	bool tenant_known = form->tenant_name.p != NULL;
	bool email_known = form->email.len > 0;

	pages_put_begin(page, tenant_known
				      ? texts_fill(page->arena, TEXT_SIGN_IN_TO_FMT, page->locale, form->tenant_name)
				      : str_from(texts_get(TEXT_SIGN_IN, page->locale)));
	if (form->client_name.p != NULL)
		pages_put_paragraph(
			page, texts_fill(page->arena, TEXT_CONTINUE_TO_FMT, page->locale, form->client_name));
	pages_put_alert(page);
	pages_put_form(page, "/login");
	pages_put_hidden(page, "resume", form->resume);
	pages_put_hidden(page, "csrf", form->csrf);
	if (!tenant_known)
		pages_put_input(page, &(struct input){.name = "tenant",
					      .type = "text",
					      .autocomplete = "organization",
					      .label = TEXT_TENANT,
					      .help = TEXT_COUNT,
					      .value = form->tenant_slug,
					      .focus = form->tenant_slug.len == 0});
	pages_put_input(page, &(struct input){.name = "email",
				      .type = "email",
				      .autocomplete = "username",
				      .label = TEXT_EMAIL,
				      .help = TEXT_COUNT,
				      .value = form->email,
				      .focus = tenant_known && !email_known});
	pages_put_input(page, &(struct input){.name = "password",
				      .type = "password",
				      .autocomplete = "current-password",
				      .label = TEXT_PASSWORD,
				      .help = TEXT_COUNT,
				      .focus = tenant_known && email_known});
	pages_put_button(page, TEXT_SIGN_IN_NOW);
	pages_put_plain_link(page,
		form->resume.len > 0
			? arena_printf(page->arena, "/password/forgotten?resume=%.*s", STR_ARG(form->resume))
			: STR("/password/forgotten"),
		TEXT_FORGOTTEN);
	pages_put_passkey_use(page, "/login/passkey", TEXT_PASSKEY_SIGN_IN, &form->passkey);
	pages_put_end(page);
}

void pages_signed_in(const struct page *page, struct str csrf)
{
	pages_put_begin(page, str_from(texts_get(TEXT_SIGNED_IN, page->locale)));
	pages_put_paragraph(page, str_from(texts_get(TEXT_SIGNED_IN_HELP, page->locale)));
	pages_put_alert(page);
	buf_put_c(page->out, "<p><a href=\"/account/consents\">");
	pages_put_text(page, TEXT_CONSENTS);
	buf_put_c(page->out, "</a></p>\n");
	pages_put_form(page, "/logout");
	pages_put_hidden(page, "csrf", csrf);
	pages_put_button(page, TEXT_SIGN_OUT);
	pages_put_plain_link(page, STR("/account/password"), TEXT_PASSWORD_CHANGE);
	pages_put_plain_link(page, STR("/account/email"), TEXT_EMAIL_CHANGE);
	pages_put_plain_link(page, STR("/account/factors"), TEXT_FACTORS);
	pages_put_plain_link(page, STR("/account/sessions"), TEXT_SESSIONS);
	pages_put_end(page);
}

void pages_invitation(const struct page *page, const struct link_form *form)
{
	pages_put_begin(page, str_from(texts_get(TEXT_INVITATION, page->locale)));
	pages_put_paragraph(page, texts_fill(page->arena, TEXT_INVITATION_HELP_FMT, page->locale, form->tenant_name));
	pages_put_alert(page);
	pages_put_form(page, "/invitation");
	pages_put_hidden(page, "token", form->token);
	pages_put_hidden(page, "csrf", form->csrf);
	pages_put_new_password(page, true);
	pages_put_button(page, TEXT_ACCEPT);
	pages_put_end(page);
}

void pages_verification(const struct page *page, const struct link_form *form)
{
	pages_put_begin(page, str_from(texts_get(TEXT_VERIFICATION, page->locale)));
	pages_put_paragraph(page, str_from(texts_get(TEXT_VERIFICATION_HELP, page->locale)));
	pages_put_alert(page);
	pages_put_form(page, "/verification");
	pages_put_hidden(page, "token", form->token);
	pages_put_hidden(page, "csrf", form->csrf);
	pages_put_input(page, &(struct input){.name = "password",
				      .type = "password",
				      .autocomplete = "current-password",
				      .label = TEXT_PASSWORD,
				      .help = TEXT_COUNT,
				      .focus = true});
	pages_put_button(page, TEXT_CONFIRM);
	pages_put_end(page);
}

void pages_notice(const struct page *page, enum text title, enum text help)
{
	pages_put_begin(page, str_from(texts_get(title, page->locale)));
	pages_put_alert(page);
	pages_put_paragraph(page, str_from(texts_get(help, page->locale)));
	pages_put_end(page);
}
