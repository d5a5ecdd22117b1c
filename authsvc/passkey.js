// SPDX-License-Identifier: Apache-2.0
// Passkeys on the pages of the sign-in and of one's factors: asks the browser and sends an ordinary form. Where there is no
// script, or the browser knows no passkeys, those forms stay hidden, the page says so, and everything else works.
"use strict";
(() => {
	const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
	const text = (buffer) =>
		btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
	const credentials = (list) => list.map((one) => ({ ...one, id: bytes(one.id) }));

	const ways = {
		async create(options, put) {
			const made = await navigator.credentials.create({
				publicKey: {
					...options,
					challenge: bytes(options.challenge),
					user: { ...options.user, id: bytes(options.user.id) },
					excludeCredentials: credentials(options.excludeCredentials),
				},
			});
			put("client_data", text(made.response.clientDataJSON));
			put("attestation", text(made.response.attestationObject));
			put("transports", made.response.getTransports ? made.response.getTransports().join(" ") : "");
		},
		async get(options, put) {
			const found = await navigator.credentials.get({
				publicKey: {
					...options,
					challenge: bytes(options.challenge),
					allowCredentials: credentials(options.allowCredentials),
				},
			});
			put("credential", text(found.rawId));
			put("client_data", text(found.response.clientDataJSON));
			put("authenticator_data", text(found.response.authenticatorData));
			put("signature", text(found.response.signature));
			put("user_handle", found.response.userHandle ? text(found.response.userHandle) : "");
		},
	};

	if (!window.PublicKeyCredential) {
		for (const words of document.querySelectorAll("[data-passkey-none]")) words.hidden = false;
		return;
	}
	for (const form of document.querySelectorAll("form[data-passkey]")) {
		const options = JSON.parse(form.dataset.options);
		const failed = form.querySelector("[role=alert]");
		form.hidden = false;
		form.addEventListener("submit", async (event) => {
			event.preventDefault();
			failed.hidden = true;
			try {
				await ways[form.dataset.passkey](options, (name, value) => (form.elements[name].value = value));
				form.submit();
			} catch {
				failed.hidden = false;
			}
		});
	}
})();
