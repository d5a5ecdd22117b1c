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
		"The e-mail address or the password is not right.",
		"L’adresse e-mail ou le mot de passe est incorrect.",
		"Het e-mailadres of het wachtwoord klopt niet."},
	[TEXT_WAIT_FMT] = {
		"Too many attempts. Try again in %s seconds.",
		"Trop de tentatives. Réessayez dans %s secondes.",
		"Te veel pogingen. Probeer het over %s seconden opnieuw."},
	[TEXT_FORM_EXPIRED] = {
		"This form had expired. Please fill it in again.",
		"Ce formulaire avait expiré. Veuillez le remplir à nouveau.",
		"Dit formulier was verlopen. Vul het opnieuw in."},
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
		"This sign-in has expired",
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
		"Au moins 15 caractères. Une phrase est facile à retenir ; tout caractère est permis.",
		"Minstens 15 tekens. Een zin is makkelijk te onthouden; elk teken mag."},
	[TEXT_PASSWORD_AGAIN] = {
		"The same password again",
		"Le même mot de passe, encore une fois",
		"Hetzelfde wachtwoord nogmaals"},
	[TEXT_PASSWORDS_DIFFER] = {
		"The two passwords are not the same.",
		"Les deux mots de passe sont différents.",
		"De twee wachtwoorden zijn niet gelijk."},
	[TEXT_PASSWORD_SHORT] = {
		"The password has fewer than 15 characters.",
		"Le mot de passe a moins de 15 caractères.",
		"Het wachtwoord heeft minder dan 15 tekens."},
	[TEXT_PASSWORD_LONG] = {
		"The password is longer than 1024 bytes.",
		"Le mot de passe dépasse 1024 octets.",
		"Het wachtwoord is langer dan 1024 bytes."},
	[TEXT_PASSWORD_TRIVIAL] = {
		"The password is too easy to guess.",
		"Le mot de passe est trop facile à deviner.",
		"Het wachtwoord is te makkelijk te raden."},
	[TEXT_ACCEPT] = {
		"Set the password",
		"Enregistrer le mot de passe",
		"Wachtwoord instellen"},
	[TEXT_VERIFICATION] = {
		"Confirm your e-mail address",
		"Confirmez votre adresse e-mail",
		"Bevestig uw e-mailadres"},
	[TEXT_VERIFICATION_HELP] = {
		"Confirm only if you asked for this account yourself: enter the password that you chose then.",
		"Confirmez seulement si vous avez vous-même demandé ce compte : saisissez le mot de passe choisi "
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
		"Your e-mail address is confirmed",
		"Votre adresse e-mail est confirmée",
		"Uw e-mailadres is bevestigd"},
	[TEXT_VERIFIED_HELP] = {
		"You can go back to your application and sign in.",
		"Vous pouvez revenir à votre application et vous connecter.",
		"U kunt terug naar uw toepassing en u aanmelden."},
	[TEXT_LINK_GONE] = {
		"This link no longer works",
		"Ce lien ne fonctionne plus",
		"Deze link werkt niet meer"},
	[TEXT_LINK_GONE_HELP] = {
		"It was used before or has expired. Ask for a new one.",
		"Il a déjà été utilisé ou a expiré. Demandez-en un nouveau.",
		"Hij is al gebruikt of verlopen. Vraag een nieuwe aan."},
	[TEXT_MAIL_INVITATION_SUBJECT_FMT] = {
		"Your account at %s",
		"Votre compte chez %s",
		"Uw account bij %s"},
	[TEXT_MAIL_INVITATION_BODY] = {
		"You have been invited to book parking spots and workplaces. Open this link to choose a password:",
		"Vous êtes invité à réserver des places de parking et des postes de travail. Ouvrez ce "
		"lien pour choisir un mot de "
		"passe :",
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
		"Sinon, ne faites rien :",
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
		"Code",
		"Code de vérification",
		"Verificatiecode"},
	[TEXT_FACTOR_WRONG] = {
		"The code is not right, or was used before.",
		"Le code est incorrect, ou a déjà servi.",
		"De code klopt niet of is al gebruikt."},
	[TEXT_CONTINUE] = {
		"Continue",
		"Continuer",
		"Doorgaan"},
	[TEXT_FACTORS] = {
		"Second factors",
		"Deuxième facteur",
		"Tweede factor"},
	[TEXT_FACTORS_NONE] = {
		"You have no second factor yet. With one, your password alone opens nothing.",
		"Vous n’avez pas encore de deuxième facteur. Avec lui, votre mot de passe seul n’ouvre rien.",
		"U hebt nog geen tweede factor. Daarmee opent uw wachtwoord alleen niets."},
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
		"Authenticator-app instellen"},
	[TEXT_FACTOR_SCAN] = {
		"Scan this picture with your authenticator app, or type the key into it. Then enter "
		"the six digits that it shows.",
		"Scannez cette image avec votre application d’authentification, ou saisissez-y la clé. "
		"Entrez ensuite les six chiffres affichés.",
		"Scan deze afbeelding met uw authenticator-app, of typ de sleutel in. Voer daarna de "
		"zes cijfers in."},
	[TEXT_FACTOR_KEY_FMT] = {
		"Key: %s",
		"Clé : %s",
		"Sleutel: %s"},
	[TEXT_CODES_LEFT_FMT] = {
		"Recovery codes left: %s",
		"Codes de secours restants : %s",
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
		"Keep these codes where only you find them. Each is good once, when your second factor "
		"is not at hand. They are not shown again.",
		"Conservez ces codes en lieu sûr. Chacun sert une fois, si votre deuxième facteur "
		"n’est pas à portée. Ils ne seront plus affichés.",
		"Bewaar deze codes waar alleen u ze vindt. Elke code werkt één keer, als uw tweede "
		"factor niet bij de hand is. Ze worden niet opnieuw getoond."},
	[TEXT_FACTOR_STALE] = {
		"To change anything here, prove first that it is still you.",
		"Pour modifier quoi que ce soit ici, prouvez d’abord que c’est toujours vous.",
		"Bewijs eerst dat u het nog bent voordat u hier iets wijzigt."},
	[TEXT_FACTOR_AGAIN] = {
		"Sign out, and sign in again to change anything here.",
		"Déconnectez-vous, puis reconnectez-vous pour modifier quoi que ce soit ici.",
		"Meld u af en weer aan om hier iets te wijzigen."},
	[TEXT_PASSKEYS_HELP] = {
		"A passkey is kept by your device or your password manager and cannot be given away to a false page.",
		"Une clé d’accès est gardée par votre appareil ou votre gestionnaire de mots de passe et ne peut "
		"pas être livrée à une fausse page.",
		"Een toegangssleutel blijft op uw apparaat of in uw wachtwoordbeheerder en kan niet aan een valse "
		"pagina worden gegeven."},
	[TEXT_PASSKEY_NAME] = {
		"Name of the passkey, as “my phone”",
		"Nom de la clé d’accès, par exemple « mon téléphone »",
		"Naam van de toegangssleutel, zoals “mijn telefoon”"},
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
		"That passkey was not taken. Try again, or go on in another way.",
		"Cette clé d’accès n’a pas été acceptée. Réessayez, ou continuez autrement.",
		"Die toegangssleutel werd niet aangenomen. Probeer het opnieuw, of ga anders verder."},
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
