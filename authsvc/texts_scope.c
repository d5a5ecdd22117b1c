/* SPDX-License-Identifier: Apache-2.0 */
#include "texts_scope.h"

/* clang-format off */
static const struct {
	const char *word;
	const char *texts[LOCALE_COUNT];
} scopes[] = {
	{"openid", {
		"Know who you are",
		"Savoir qui vous êtes",
		"Weten wie u bent"}},
	{"profile", {
		"See your name and your language",
		"Voir votre nom et votre langue",
		"Uw naam en uw taal zien"}},
	{"email", {
		"See your e-mail address",
		"Voir votre adresse e-mail",
		"Uw e-mailadres zien"}},
	{"offline_access", {
		"Stay connected while you are away",
		"Rester connectée en votre absence",
		"Verbonden blijven als u weg bent"}},
	{"berth", {
		"Do everything here that you may do yourself",
		"Faire ici tout ce que vous pouvez faire vous-même",
		"Hier alles doen wat u zelf mag doen"}},
	{"site.read", {
		"See sites, areas and spots",
		"Voir les sites, les zones et les places",
		"Locaties, zones en plaatsen zien"}},
	{"site.manage", {
		"Create and change sites, areas and spots",
		"Créer et modifier des sites, des zones et des places",
		"Locaties, zones en plaatsen maken en wijzigen"}},
	{"availability.read", {
		"See what is free",
		"Voir ce qui est libre",
		"Zien wat vrij is"}},
	{"booking.create", {
		"Book for you",
		"Réserver pour vous",
		"Voor u reserveren"}},
	{"booking.read", {
		"See your bookings",
		"Voir vos réservations",
		"Uw reserveringen zien"}},
	{"booking.change", {
		"Change and cancel your bookings, check in and check out",
		"Modifier et annuler vos réservations, signaler votre arrivée et votre départ",
		"Uw reserveringen wijzigen en annuleren, u in- en uitchecken"}},
	{"booking.act_for", {
		"Book for the people you assist",
		"Réserver pour les personnes que vous assistez",
		"Reserveren voor de mensen die u helpt"}},
	{"booking.manage", {
		"Book, change and cancel for anyone in the organisation",
		"Réserver, modifier et annuler pour toute l’organisation",
		"Voor iedereen in de organisatie reserveren, wijzigen en annuleren"}},
	{"booking.read_all", {
		"See everyone’s bookings",
		"Voir les réservations de tout le monde",
		"Ieders reserveringen zien"}},
	{"vehicle.manage", {
		"Register and remove your vehicles",
		"Enregistrer et retirer vos véhicules",
		"Uw voertuigen registreren en verwijderen"}},
	{"vehicle.read_all", {
		"Find a vehicle by its plate",
		"Retrouver un véhicule par sa plaque",
		"Een voertuig op kenteken vinden"}},
	{"person.read", {
		"See the people of the organisation",
		"Voir les membres de l’organisation",
		"De mensen van de organisatie zien"}},
	{"person.manage", {
		"Invite and change people and their roles",
		"Inviter et modifier des membres et leurs rôles",
		"Mensen en hun rollen uitnodigen en wijzigen"}},
	{"person.erase", {
		"Erase a person’s data",
		"Effacer les données d’une personne",
		"De gegevens van een persoon wissen"}},
	{"person.export", {
		"Export a person’s data",
		"Exporter les données d’une personne",
		"De gegevens van een persoon exporteren"}},
	{"profile.read", {
		"See and export your profile",
		"Voir et exporter votre profil",
		"Uw profiel zien en exporteren"}},
	{"profile.change", {
		"Change and erase your profile",
		"Modifier et effacer votre profil",
		"Uw profiel wijzigen en wissen"}},
	{"client.manage", {
		"Register other applications",
		"Enregistrer d’autres applications",
		"Andere toepassingen registreren"}},
	{"audit.read", {
		"Read the audit trail",
		"Lire le journal d’audit",
		"Het auditlogboek lezen"}},
	{"statistics.read", {
		"See totals",
		"Voir les totaux",
		"Totalen zien"}},
	{"delegation.manage", {
		"Say who assists whom",
		"Dire qui assiste qui",
		"Bepalen wie wie helpt"}},
	{"tenant.read", {
		"See the organisation’s settings",
		"Voir les réglages de l’organisation",
		"De instellingen van de organisatie zien"}},
	{"tenant.manage", {
		"Change the organisation’s settings",
		"Modifier les réglages de l’organisation",
		"De instellingen van de organisatie wijzigen"}},
	{"privacy.read", {
		"See erasures and retention",
		"Voir les effacements et la conservation",
		"Wissingen en bewaring zien"}},
	{"tenant.own", {
		"Hand the organisation over to another owner, make and unmake owners",
		"Transmettre l’organisation à un autre propriétaire, nommer et retirer des propriétaires",
		"De organisatie aan een andere eigenaar overdragen, eigenaars aanwijzen en intrekken"}},
	{"platform.operate", {
		"See which organisations there are here",
		"Voir quelles organisations existent ici",
		"Zien welke organisaties hier zijn"}},
	{"role.manage", {
		"Make and change the organisation’s own roles",
		"Créer et modifier les rôles propres à l’organisation",
		"De eigen rollen van de organisatie maken en wijzigen"}},
};
/* clang-format on */

static size_t find(struct str word)
{
	size_t i = 0;

	while (i < sizeof(scopes) / sizeof(scopes[0]) && !str_eq_c(word, scopes[i].word))
		i++;
	return i;
}

bool texts_scope_known(struct str word)
{
	return find(word) < sizeof(scopes) / sizeof(scopes[0]);
}

struct str texts_scope(struct str word, enum locale locale)
{
	return texts_scope_known(word) ? str_from(scopes[find(word)].texts[locale]) : word;
}
