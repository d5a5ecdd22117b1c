/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_HTTP_PAGE_STYLE_H
#define BERTH_HTTP_PAGE_STYLE_H

#include "base/encode.h"

/*
 * The one style sheet of every page. It stands inline between <style> and </style>, to the byte, and the edge allows
 * it by its hash: `style-src 'sha256-…'` (CSP Level 3, section 6.7.2.3). No page needs another style or a
 * font; a script is needed for passkeys alone.
 */
static inline struct str page_style_text(void)
{
	return STR(":root{color-scheme:light dark;--ink:#1b1f24;--dim:#57606a;--paper:#f4f5f7;--card:#fff;"
		   "--line:#818b98;--act:#0b5cad;--on:#fff;--bad:#a40e26;--bad-bg:#ffebe9}"
		   "@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9aa4ae;--paper:#0d1117;"
		   "--card:#161b22;--line:#6e7681;--act:#79b8ff;--on:#0d1117;--bad:#ffb3ba;--bad-bg:#3c1419}}"
		   "*{box-sizing:border-box}"
		   "body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}"
		   "main{max-width:28rem;margin:0 auto;padding:2rem 1rem}"
		   "main.wide{max-width:70rem}"
		   ".card{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.5rem}"
		   "h1{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem}"
		   "p{margin:0 0 1rem;overflow-wrap:anywhere}"
		   ".dim{color:var(--dim)}"
		   "label{display:block;font-weight:600;margin:1rem 0 .25rem}"
		   "input{display:block;width:100%;min-height:2.75rem;padding:.5rem .75rem;font:inherit;"
		   "color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:.5rem}"
		   "button,a.button{display:block;width:100%;min-height:2.75rem;margin-top:1.5rem;"
		   "padding:.5rem 1rem;font:inherit;font-weight:600;text-align:center;text-decoration:none;"
		   "color:var(--on);background:var(--act);border:0;border-radius:.5rem;cursor:pointer}"
		   "a{color:var(--act)}"
		   ":focus-visible{outline:3px solid var(--act);outline-offset:2px}"
		   ".alert{margin:1rem 0 0;padding:.75rem 1rem;color:var(--bad);background:var(--bad-bg);"
		   "border:1px solid var(--bad);border-radius:.5rem}"
		   "table{border-collapse:collapse;width:100%}"
		   "th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid var(--line)}"
		   "code,pre{font-family:ui-monospace,monospace;font-size:.9em;overflow-wrap:anywhere}");
}

/* The source expression of the policy, without its quotes: sha256-<base64>. p is NULL when the arena is full. */
static inline struct str page_style_source(struct arena *arena)
{
	uint8_t digest[32];
	struct str text;

	sha256(page_style_text(), digest);
	text = base64_encode(arena, (struct str){(const char *)digest, sizeof(digest)});
	return text.p != NULL ? arena_printf(arena, "sha256-%.*s", STR_ARG(text)) : STR_NONE;
}

#endif
