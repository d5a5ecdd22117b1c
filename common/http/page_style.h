/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_HTTP_PAGE_STYLE_H
#define BERTH_HTTP_PAGE_STYLE_H

#include "base/encode.h"

/*
 * The one style sheet of every page. It stands inline between <style> and </style>, to the byte, and the edge allows
 * it by its hash: `style-src 'sha256-…'` (CSP Level 3, section 6.7.2.3). No page needs another style or a
 * font; a script is needed for passkeys alone.
 */
static const char page_style_css[] =
	":root{color-scheme:light dark;--ink:#1b1f24;--dim:#525b66;--paper:#f3f5f8;--card:#fff;--edge:#d5dbe2;"
	"--line:#7c8794;--act:#0b5cad;--on:#fff;--tint:#e9f1fa;--bad:#a40e26;--bad-bg:#fff0ef}"
	"@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#a3adb8;--paper:#0d1117;--card:#161b22;"
	"--edge:#30363d;--line:#7d8794;--act:#79b8ff;--on:#0d1117;--tint:#1b2836;--bad:#ffb3ba;--bad-bg:#34151a}"
	"}@media (prefers-contrast:more){:root{--dim:var(--ink);--line:var(--ink);--edge:var(--ink)}"
	"}@media (prefers-contrast:more) and (prefers-color-scheme:light){:root{--act:#084482;--bad:#7d0a1c}"
	"}*{box-sizing:border-box}[hidden]{display:none!important}html{-webkit-text-size-adjust:100%;"
	"text-size-adjust:100%}body{margin:0;padding:1.5rem 1rem 3rem;background:var(--paper);color:var(--ink);"
	"font:1rem/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,Ubuntu,sans-serif;overflow-wrap:anywhere}"
	".brand,main{max-width:28rem;margin:0 auto}.brand{display:flex;align-items:center;gap:.625rem;"
	"margin-bottom:1.25rem;font-size:1.25rem;font-weight:700}.brand svg{flex:none;fill:none;stroke:var(--on);"
	"stroke-width:3;stroke-linecap:round;stroke-linejoin:round}.brand rect{fill:var(--act);stroke:none}"
	".card{background:var(--card);border:1px solid var(--edge);border-radius:.875rem;padding:1.75rem 1.5rem}"
	"h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem;text-wrap:balance}"
	"h2{font-size:1.0625rem;line-height:1.35;margin:0 0 .25rem}p{margin:0 0 1rem}"
	".card>:last-child,.card>:last-child>:last-child{margin-bottom:0}"
	".dim{color:var(--dim)}a{color:var(--act);text-underline-offset:.15em}"
	"label{display:block;font-weight:600;margin:1.25rem 0 .375rem}"
	"label+.dim{margin:-.25rem 0 .5rem;font-size:.9375rem}input{display:block;width:100%;min-height:2.75rem;"
	"padding:.5rem .75rem;font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);"
	"border-radius:.5rem}input[aria-invalid]{border:2px solid var(--bad)}"
	".fault{margin:0 0 .5rem;color:var(--bad);font-weight:600}.alert{margin:0 0 1.25rem;padding:.75rem 1rem;"
	"color:var(--bad);background:var(--bad-bg);border:1px solid var(--bad);border-radius:.5rem}"
	"button,.button{display:flex;align-items:center;justify-content:center;width:100%;min-height:2.75rem;"
	"margin:1.5rem 0 0;padding:.5rem 1rem;font:inherit;font-weight:600;line-height:1.3;text-align:center;"
	"text-decoration:none;color:var(--on);background:var(--act);border:1px solid var(--act);"
	"border-radius:.5rem;cursor:pointer}.quiet,.danger{color:var(--act);background:transparent;"
	"border-color:var(--line)}.danger{color:var(--bad)}button+button,form+form:not([data-passkey]) button,"
	".button+.button,form+.button{margin-top:.75rem}form+[data-passkey]{margin-top:1.75rem}"
	"button:hover,.button:hover{text-decoration:underline;text-underline-offset:.2em}"
	":focus-visible{outline:3px solid var(--act);outline-offset:2px}"
	"noscript{display:block;margin-top:1.25rem}"
	".more{margin:1.25rem 0 0}.more a{display:inline-block;padding:.25rem 0}"
	".or{display:flex;align-items:center;gap:.75rem;margin:1.5rem 0 1rem;color:var(--dim)}"
	".or::before,.or::after{content:\"\";flex:1;border-top:1px solid var(--edge)}"
	"ul{padding:0;margin:0 0 1rem}.ways,.items,.codes{list-style:none}"
	".ways a{display:flex;align-items:center;justify-content:space-between;gap:1rem;min-height:3rem;"
	"padding:.5rem 0;border-top:1px solid var(--edge);font-weight:600;text-decoration:none}"
	".ways li:last-child a{border-bottom:1px solid var(--edge)}.ways a:hover{text-decoration:underline}"
	".ways a::after{content:\"\\203a\" / \"\";font-size:1.25rem;line-height:1}"
	".items>li{margin:0 0 1rem;padding:1rem;border:1px solid var(--edge);border-radius:.625rem}"
	".items p{margin:0}.items button{margin-top:.75rem}.mark{font-size:.9375rem;font-weight:600;"
	"color:var(--act)}.rights{padding-left:1.25rem;list-style:disc}"
	".rights li{margin:.25rem 0}.items .rights{margin:0}code{font:.9375em/1.5 ui-monospace,SFMono-Regular,"
	"Menlo,Consolas,monospace}.shown{padding:.75rem;background:var(--tint);border-radius:.5rem;"
	"text-align:center}.shown code{font-size:1.5rem;font-weight:700;letter-spacing:.08em}"
	".codes{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(11rem,100%),1fr));gap:.375rem 1rem;"
	"padding:1rem;background:var(--tint);border-radius:.5rem}.picture{margin:0 0 1rem;text-align:center}"
	".picture svg{display:block;width:15rem;max-width:100%;height:auto;margin:0 auto;border-radius:.5rem}"
	"@media (min-width:40rem){body{padding-top:3rem}.card{padding:2.25rem 2rem}"
	"}@media (max-width:22rem){body{padding:1rem .5rem 2rem}.card{padding:1.25rem 1rem}"
	"}@media print{button,.button,.more{display:none}.card{border:0}"
	"}";

/* A mark of its own: a place to lie in, and what lies there. */
static const char page_style_brand[] =
	"<header class=\"brand\"><svg viewBox=\"0 0 32 32\" width=\"32\" height=\"32\" aria-hidden=\"true\">"
	"<rect width=\"32\" height=\"32\" rx=\"8\"/><path d=\"M8 7v14a4 4 0 0 0 4 4h8a4 4 0 0 0 4-4V7\"/>"
	"<path d=\"M16 8v9\"/></svg>Berth</header>\n";

static inline struct str page_style_text(void)
{
	return STR(page_style_css);
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
