/* SPDX-License-Identifier: Apache-2.0 */
#include "texts.h"

#include <string.h>

/* clang-format off */
static const char *const texts[TEXT_COUNT][LOCALE_COUNT] = {
	[TEXT_SIGN_IN] = {
		"Sign in",
		"Connexion",
		"Aanmelden"},
	[TEXT_SIGN_IN_NOW] = {
		"Sign in",
		"Se connecter",
		"Aanmelden"},
	[TEXT_SIGN_IN_TO_FMT] = {
		"Sign in to %s",
		"Connexion à %s",
		"Aanmelden bij %s"},
	[TEXT_CONTINUE_TO_FMT] = {
		"to continue to %s",
		"pour accéder à %s",
		"om verder te gaan naar %s"},
	[TEXT_TENANT] = {
		"Organisation (short name)",
		"Organisation (nom court)",
		"Organisatie (korte naam)"},
	[TEXT_EMAIL] = {
		"E-mail address",
		"Adresse e-mail",
		"E-mailadres"},
	[TEXT_PASSWORD] = {
		"Password",
		"Mot de passe",
		"Wachtwoord"},
	[TEXT_WRONG_CREDENTIALS] = {
		"The e-mail address or the password is incorrect.",
		"L’adresse e-mail ou le mot de passe est incorrect.",
		"Het e-mailadres of het wachtwoord is onjuist."},
	[TEXT_WAIT_FMT] = {
		"Too many attempts. Try again in %s s.",
		"Trop de tentatives. Réessayez dans %s s.",
		"Te veel pogingen. Probeer het over %s s opnieuw."},
	[TEXT_FORM_EXPIRED] = {
		"This form has expired. Please try again.",
		"Ce formulaire a expiré. Veuillez réessayer.",
		"Dit formulier is verlopen. Probeer het opnieuw."},
	[TEXT_SIGNED_IN] = {
		"You are signed in",
		"Votre session est ouverte",
		"U bent aangemeld"},
	[TEXT_SIGNED_IN_HELP] = {
		"You can go back to your application. On a shared computer, sign out when you are done.",
		"Vous pouvez revenir à votre application. Sur un ordinateur partagé, déconnectez-vous "
		"quand vous avez terminé.",
		"U kunt terug naar uw toepassing. Meld u op een gedeelde computer af als u klaar bent."},
	[TEXT_SIGN_OUT] = {
		"Sign out",
		"Se déconnecter",
		"Afmelden"},
	[TEXT_REQUEST_REFUSED] = {
		"This request cannot be answered",
		"Cette demande ne peut pas aboutir",
		"Dit verzoek kan niet worden beantwoord"},
	[TEXT_REQUEST_REFUSED_HELP] = {
		"The application that sent you here is not known, or asked to be answered at an address "
		"that is not registered "
		"for it. Nothing was sent to it. Go back to the application and tell its administrator.",
		"L’application qui vous a envoyé ici est inconnue ou a demandé une réponse à une adresse "
		"qui n’est pas enregistrée. "
		"Rien ne lui a été transmis. Revenez à l’application et prévenez son administrateur.",
		"De toepassing die u hierheen stuurde is onbekend, of vroeg om antwoord op een adres dat "
		"niet geregistreerd is. "
		"Er is niets naartoe gestuurd. Ga terug naar de toepassing en waarschuw de beheerder."},
	[TEXT_REQUEST_EXPIRED] = {
		"This sign\u2011in has expired",
		"Cette connexion a expiré",
		"Deze aanmelding is verlopen"},
	[TEXT_REQUEST_EXPIRED_HELP] = {
		"Go back to the application and start again.",
		"Revenez à l’application et recommencez.",
		"Ga terug naar de toepassing en begin opnieuw."},
	[TEXT_INVITATION] = {
		"Welcome",
		"Bienvenue",
		"Welkom"},
	[TEXT_INVITATION_HELP_FMT] = {
		"Choose a password for your account at %s.",
		"Choisissez un mot de passe pour votre compte chez %s.",
		"Kies een wachtwoord voor uw account bij %s."},
	[TEXT_NEW_PASSWORD] = {
		"New password",
		"Nouveau mot de passe",
		"Nieuw wachtwoord"},
	[TEXT_NEW_PASSWORD_HELP] = {
		"At least 15 characters. A sentence is easy to remember; any character is allowed.",
		"Au moins 15 caractères. Une phrase est facile à retenir\u00a0; tout caractère est permis.",
		"Minstens 15 tekens. Een zin is makkelijk te onthouden; elk teken mag."},
	[TEXT_PASSWORD_AGAIN] = {
		"Repeat the new password",
		"Répétez le nouveau mot de passe",
		"Herhaal het nieuwe wachtwoord"},
	[TEXT_PASSWORDS_DIFFER] = {
		"The two passwords are not the same. Type both again.",
		"Les deux mots de passe sont différents. Saisissez à nouveau les deux.",
		"De twee wachtwoorden zijn niet gelijk. Typ ze allebei opnieuw."},
	[TEXT_PASSWORD_SHORT] = {
		"This password is too short: use at least 15 characters.",
		"Ce mot de passe est trop court\u00a0: utilisez au moins 15 caractères.",
		"Dit wachtwoord is te kort: gebruik minstens 15 tekens."},
	[TEXT_PASSWORD_LONG] = {
		"This password is too long. Choose a shorter one.",
		"Ce mot de passe est trop long. Choisissez-en un plus court.",
		"Dit wachtwoord is te lang. Kies een korter."},
	[TEXT_PASSWORD_TRIVIAL] = {
		"This password is too easy to guess. Choose another.",
		"Ce mot de passe est trop facile à deviner. Choisissez-en un autre.",
		"Dit wachtwoord is te makkelijk te raden. Kies een ander."},
	[TEXT_ACCEPT] = {
		"Set the password",
		"Enregistrer le mot de passe",
		"Wachtwoord instellen"},
	[TEXT_VERIFICATION] = {
		"Confirm your e\u2011mail address",
		"Confirmez votre adresse e\u2011mail",
		"Bevestig uw e\u2011mailadres"},
	[TEXT_VERIFICATION_HELP] = {
		"Confirm only if you asked for this account yourself: enter the password that you chose then.",
		"Confirmez seulement si vous avez vous-même demandé ce compte\u00a0: saisissez le mot de passe choisi "
		"à ce moment-là.",
		"Bevestig alleen als u dit account zelf hebt aangevraagd: voer het wachtwoord in dat u toen koos."},
	[TEXT_VERIFICATION_PASSWORD_WRONG] = {
		"This is not the password that was chosen with the registration. If you did not register yourself, "
		"close this page.",
		"Ce n’est pas le mot de passe choisi lors de l’inscription. Si vous ne vous êtes pas inscrit "
		"vous-même, fermez cette page.",
		"Dit is niet het wachtwoord dat bij de registratie is gekozen. Hebt u zich niet zelf geregistreerd, "
		"sluit dan deze pagina."},
	[TEXT_VERIFICATION_LATER] = {
		"Too many attempts. Wait a few minutes, then try again.",
		"Trop de tentatives. Patientez quelques minutes, puis réessayez.",
		"Te veel pogingen. Wacht enkele minuten en probeer het opnieuw."},
	[TEXT_CONFIRM] = {
		"Confirm",
		"Confirmer",
		"Bevestigen"},
	[TEXT_VERIFIED] = {
		"Your e\u2011mail address is confirmed",
		"Votre adresse est confirmée",
		"Uw e\u2011mailadres is bevestigd"},
	[TEXT_VERIFIED_HELP] = {
		"You can go back to your application and sign in.",
		"Vous pouvez revenir à votre application et vous connecter.",
		"U kunt terug naar uw toepassing en u aanmelden."},
	[TEXT_LINK_GONE] = {
		"This link no longer works",
		"Ce lien ne fonctionne plus",
		"Deze link werkt niet meer"},
	[TEXT_MAIL_INVITATION_SUBJECT_FMT] = {
		"Your account at %s",
		"Votre compte chez %s",
		"Uw account bij %s"},
	[TEXT_MAIL_INVITATION_BODY] = {
		"You have been invited to book parking spots and workplaces. Open this link to choose a password:",
		"Vous êtes invité à réserver des places de parking et des postes de travail. Ouvrez ce "
		"lien pour choisir un mot de "
		"passe\u00a0:",
		"U bent uitgenodigd om parkeerplaatsen en werkplekken te boeken. Open deze link om een "
		"wachtwoord te kiezen:"},
	[TEXT_MAIL_VERIFICATION_SUBJECT_FMT] = {
		"Confirm your e-mail address for %s",
		"Confirmez votre adresse e-mail pour %s",
		"Bevestig uw e-mailadres voor %s"},
	[TEXT_MAIL_VERIFICATION_BODY] = {
		"If you registered yourself, open this link to confirm your e-mail address. If you did "
		"not, do nothing:",
		"Si vous vous êtes inscrit vous-même, ouvrez ce lien pour confirmer votre adresse e-mail. "
		"Sinon, ne faites rien\u00a0:",
		"Als u zich zelf hebt geregistreerd, open dan deze link om uw e-mailadres te bevestigen. "
		"Zo niet, doe dan niets:"},
	[TEXT_FACTOR] = {
		"One more step",
		"Encore une étape",
		"Nog één stap"},
	[TEXT_FACTOR_HELP] = {
		"Enter the six digits that your authenticator app shows, or one of your recovery codes.",
		"Saisissez les six chiffres de votre application d’authentification, ou l’un de vos "
		"codes de secours.",
		"Voer de zes cijfers van uw authenticator-app in, of een van uw herstelcodes."},
	[TEXT_FACTOR_CODE] = {
		"Verification code",
		"Code de vérification",
		"Verificatiecode"},
	[TEXT_FACTOR_WRONG] = {
		"This code is incorrect, or was used before.",
		"Ce code est incorrect, ou a déjà servi.",
		"Deze code is onjuist of al gebruikt."},
	[TEXT_CONTINUE] = {
		"Continue",
		"Continuer",
		"Doorgaan"},
	[TEXT_FACTORS] = {
		"Two-step verification",
		"Double authentification",
		"Tweestapsverificatie"},
	[TEXT_FACTORS_NONE] = {
		"You have no second factor yet. With one, your password alone is not enough to sign in.",
		"Vous n’avez pas encore de deuxième facteur. Avec lui, votre mot de passe seul ne suffit plus "
		"pour se connecter.",
		"U hebt nog geen tweede factor. Daarmee is uw wachtwoord alleen niet meer genoeg om u aan te "
		"melden."},
	[TEXT_FACTOR_TOTP] = {
		"Authenticator app",
		"Application d’authentification",
		"Authenticator-app"},
	[TEXT_FACTOR_PASSKEY] = {
		"Passkey",
		"Clé d’accès",
		"Toegangssleutel"},
	[TEXT_FACTOR_REMOVE] = {
		"Remove",
		"Supprimer",
		"Verwijderen"},
	[TEXT_FACTOR_START] = {
		"Set up an authenticator app",
		"Configurer une application d’authentification",
		"Authenticator\u2011app instellen"},
	[TEXT_FACTOR_SCAN] = {
		"Scan this picture with your authenticator app, or type the key into it. Then enter "
		"the six digits that it shows.",
		"Scannez cette image avec votre application d’authentification, ou saisissez-y la clé. "
		"Entrez ensuite les six chiffres affichés.",
		"Scan deze afbeelding met uw authenticator-app, of typ de sleutel in. Voer daarna de "
		"zes cijfers in."},
	[TEXT_FACTOR_KEY] = {
		"Key:",
		"Clé\u00a0:",
		"Sleutel:"},
	[TEXT_CODES_LEFT_FMT] = {
		"Recovery codes left: %s",
		"Codes de secours restants\u00a0: %s",
		"Resterende herstelcodes: %s"},
	[TEXT_CODES_MAKE] = {
		"Make new recovery codes",
		"Créer de nouveaux codes de secours",
		"Nieuwe herstelcodes maken"},
	[TEXT_CODES] = {
		"Your recovery codes",
		"Vos codes de secours",
		"Uw herstelcodes"},
	[TEXT_CODES_HELP] = {
		"Keep these codes in a safe place. Each works once, when your second factor is not at hand. They "
		"are not shown again.",
		"Conservez ces codes en lieu sûr. Chacun sert une seule fois, quand votre deuxième facteur n’est "
		"pas à portée de main. Ils ne seront plus affichés.",
		"Bewaar deze codes op een veilige plaats. Elke code werkt één keer, als uw tweede factor niet "
		"bij de hand is. Ze worden niet opnieuw getoond."},
	[TEXT_FACTOR_STALE] = {
		"To change anything here, confirm first that it is you.",
		"Pour modifier quoi que ce soit ici, confirmez d’abord que c’est bien vous.",
		"Bevestig eerst dat u het bent voordat u hier iets wijzigt."},
	[TEXT_FACTOR_AGAIN] = {
		"Sign out, and sign in again to change anything here.",
		"Déconnectez-vous, puis reconnectez-vous pour modifier quoi que ce soit ici.",
		"Meld u af en weer aan om hier iets te wijzigen."},
	[TEXT_PASSKEYS_HELP] = {
		"A passkey stays on your device or in your password manager; a fake page cannot steal it.",
		"Une clé d’accès reste sur votre appareil ou dans votre gestionnaire de mots de passe\u00a0; une "
		"fausse page ne peut pas la voler.",
		"Een toegangssleutel blijft op uw apparaat of in uw wachtwoordbeheerder; een valse pagina kan "
		"hem niet stelen."},
	[TEXT_PASSKEY_NAME] = {
		"Name of the passkey, for example “my phone”",
		"Nom de la clé d’accès, par exemple «\u00a0mon téléphone\u00a0»",
		"Naam van de toegangssleutel, bijvoorbeeld “mijn telefoon”"},
	[TEXT_PASSKEY_ADD] = {
		"Add a passkey",
		"Ajouter une clé d’accès",
		"Een toegangssleutel toevoegen"},
	[TEXT_PASSKEY_SIGN_IN] = {
		"Sign in with a passkey",
		"Se connecter avec une clé d’accès",
		"Aanmelden met een toegangssleutel"},
	[TEXT_PASSKEY_USE] = {
		"Use a passkey",
		"Utiliser une clé d’accès",
		"Een toegangssleutel gebruiken"},
	[TEXT_PASSKEY_FAILED] = {
		"The passkey was not accepted. Try again, or continue in another way.",
		"La clé d’accès n’a pas été acceptée. Réessayez, ou continuez autrement.",
		"De toegangssleutel is niet aanvaard. Probeer het opnieuw of ga op een andere manier verder."},
	[TEXT_PASSKEY_SYNCED] = {
		"synchronised",
		"synchronisée",
		"gesynchroniseerd"},
	[TEXT_MAIL_FACTOR_SUBJECT_FMT] = {
		"The second factor of your account at %s",
		"Le deuxième facteur de votre compte chez %s",
		"De tweede factor van uw account bij %s"},
	[TEXT_MAIL_FACTOR_ADDED] = {
		"A second factor was added to your account. If it was not you, tell your administrator at once.",
		"Un deuxième facteur a été ajouté à votre compte. Si ce n’était pas vous, prévenez "
		"aussitôt votre administrateur.",
		"Aan uw account is een tweede factor toegevoegd. Was u dat niet, waarschuw dan meteen uw beheerder."},
	[TEXT_MAIL_FACTOR_REMOVED] = {
		"A second factor was removed from your account. If it was not you, tell your administrator at once.",
		"Un deuxième facteur a été retiré de votre compte. Si ce n’était pas vous, prévenez "
		"aussitôt votre administrateur.",
		"Van uw account is een tweede factor verwijderd. Was u dat niet, waarschuw dan meteen uw beheerder."},
	[TEXT_MAIL_FACTOR_CODES] = {
		"New recovery codes were made for your account. The old ones are void. If it was not "
		"you, tell your administrator at once.",
		"De nouveaux codes de secours ont été créés pour votre compte. Les anciens ne valent "
		"plus rien. Si ce n’était pas vous, prévenez aussitôt votre administrateur.",
		"Er zijn nieuwe herstelcodes voor uw account gemaakt. De oude zijn ongeldig. Was u dat "
		"niet, waarschuw dan meteen uw beheerder."},
	[TEXT_MAIL_FACTOR_RESET] = {
		"An administrator removed all second factors of your account. Set up a new one at your next sign-in.",
		"Un administrateur a retiré tous les deuxièmes facteurs de votre compte. Configurez-en "
		"un nouveau à votre prochaine connexion.",
		"Een beheerder heeft alle tweede factoren van uw account verwijderd. Stel bij uw "
		"volgende aanmelding een nieuwe in."},
#define TEXT(name, en, fr, nl) [TEXT_##name] = {en, fr, nl},
#include "texts_account.def"
#include "texts_grant.def"
#include "texts_page.def"
#undef TEXT
};
/* clang-format on */

const char *texts_get(enum text text, enum locale locale)
{
	return texts[text][locale];
}

struct str texts_fill(struct arena *arena, enum text text, enum locale locale, struct str value)
{
	const char *format = texts_get(text, locale);
	const char *hole = strstr(format, "%s");

	if (hole == NULL)
		return str_from(format);
	return arena_printf(arena, "%.*s%.*s%s", (int)(hole - format), format, STR_ARG(value), hole + 2);
}

struct str texts_when(struct arena *arena, enum locale locale, instant_us at)
{
	static const char *const months[12][LOCALE_COUNT] = {{"January", "janvier", "januari"},
		{"February", "février", "februari"}, {"March", "mars", "maart"}, {"April", "avril", "april"},
		{"May", "mai", "mei"}, {"June", "juin", "juni"}, {"July", "juillet", "juli"},
		{"August", "août", "augustus"}, {"September", "septembre", "september"},
		{"October", "octobre", "oktober"}, {"November", "novembre", "november"},
		{"December", "décembre", "december"}};
	static const char *const joints[LOCALE_COUNT] = {",", " à", " om"};
	char text[INSTANT_TEXT_MAX]; /* 2026-11-30T11:36:25Z */
	int month, day;

	instant_format(at, text);
	month = (text[5] - '0') * 10 + text[6] - '0';
	day = (text[8] - '0') * 10 + text[9] - '0';
	return arena_printf(arena, "%d%s %s %.4s%s %.5s\u00a0UTC", day, locale == LOCALE_FR && day == 1 ? "er" : "",
		months[month - 1][locale], text, joints[locale], text + 11);
}
