/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_PAGES_PUT_H
#define BERTH_AUTHSVC_PAGES_PUT_H

#include "pages.h"

/* The parts that pages are made of. Every value is escaped. */
struct input {
	const char *name, *type, *autocomplete;
	enum text label;
	enum text help; /* TEXT_COUNT: none */
	struct str value;
	bool focus;
	bool verbatim; /* nothing on the way may correct it */
};

enum look { LOOK_MAIN, LOOK_QUIET, LOOK_DANGER };

void pages_put_begin(const struct page *page, struct str title);
void pages_put_end(const struct page *page);
void pages_put_escaped(const struct page *page, struct str s);
void pages_put_text(const struct page *page, enum text text);
void pages_put_paragraph(const struct page *page, struct str text);
void pages_put_alert(const struct page *page);
void pages_put_form(const struct page *page, const char *action);
void pages_put_language(const struct page *page); /* in a form: its answer is in the page's own */
void pages_put_hidden(const struct page *page, const char *name, struct str value);
void pages_put_input(const struct page *page, const struct input *input);
/* `about`: the id of what the button is for, where there are several of the same name; or NULL. */
void pages_put_submit(const struct page *page, enum text label, enum look look, const char *about);
void pages_put_button(const struct page *page, enum text label); /* the main one, and the form's end */
/* Two fields; the account's address is for whatever keeps passwords. */
void pages_put_new_password(const struct page *page, struct str email, bool focus);
void pages_put_username(const struct page *page, struct str email);
/* A link that looks like a button; the second in the text's own line; the third leads back to the account. */
void pages_put_link(const struct page *page, const char *href, enum text text, enum look look);
void pages_put_plain_link(const struct page *page, struct str href, enum text text);
void pages_put_back(const struct page *page);
/* An item of a list, with its heading, which pages_put_item_end closes; `id` is the heading's. */
void pages_put_item(const struct page *page, struct str heading, const char *id);
/* Forms that the script of passkeys fills in, and the script. */
void pages_put_passkey_use(
	const struct page *page, const char *action, enum text label, const struct passkey_view *view);
void pages_put_passkey_new(const struct page *page, const char *action, const struct passkey_view *view);

#endif
