# SPDX-License-Identifier: Apache-2.0
"""Loads the two demo tenants through the interfaces that everybody else uses.

  load.py RUN_DIR document          prints the document for `authsvc --bootstrap`: tenants, first Admins, clients
  load.py RUN_DIR load OUTPUT       OUTPUT is what that command printed; loads all the rest and writes demo.json

What was chosen and learnt so far stands in demo.partial.json, so that an interrupted run goes on where it was.
"""

import json
import os
import secrets
import sys

import api
import invitation

SPOTS = 6
POOLED_CAPACITY = 20
DEMO_ORIGIN = "http://localhost:3000"     # of a web application that somebody writes against the demo
TENANTS = [
    {"slug": "acme-fr", "name": "Acme France", "locale": "fr", "site": "Paris La Défense", "time_zone": "Europe/Paris",
     "area": "Parking P1", "pooled": "Parking P2",
     "people": [("Admin", "Alice", "Martin"), ("Reception", "Bruno", "Petit"), ("Security", "Chloé", "Durand"),
                ("Assistant", "David", "Moreau"), ("User", "Emma", "Laurent")]},
    {"slug": "globex-nl", "name": "Globex Nederland", "locale": "nl", "site": "Amsterdam Zuidas",
     "time_zone": "Europe/Amsterdam", "area": "Parkeerdek 1", "pooled": "Parkeerdek 2",
     "people": [("Admin", "Anna", "de Vries"), ("Reception", "Bram", "Jansen"), ("Security", "Cato", "Bakker"),
                ("Assistant", "Daan", "Visser"), ("User", "Eva", "Smit")]},
]


def address_of(tenant, role):
    return f"{role.lower()}@{tenant['slug']}.example"


def plan(suite):
    """A fresh demo.json: addresses and passwords chosen, ids still unknown."""
    return {"tenants": [{
        "slug": tenant["slug"], "id": None, "site_id": None, "area_id": None, "spot_ids": [],
        "people": [{"id": None, "email": address_of(tenant, role), "password": secrets.token_urlsafe(18), "role": role}
                   for role, _, _ in tenant["people"]],
        "client": {"id": None, "secret": None, "redirect_uri": f"{suite['url']}/demo/callback"},
    } for tenant in TENANTS]}


def partial_path(run_dir):
    return os.path.join(run_dir, "demo.partial.json")


def partial_read(run_dir, suite):
    path = partial_path(run_dir)
    if not os.path.exists(path):
        api.write_private(path, plan(suite))
    return api.read_json(path)


def print_document(run_dir, suite):
    tenants = []
    for tenant, known in zip(TENANTS, partial_read(run_dir, suite)["tenants"]):
        _, given_name, family_name = tenant["people"][0]
        tenants.append({
            # The demo is entered with the passwords of demo.json alone; tenants that say nothing demand a factor of staff.
            "slug": tenant["slug"], "name": tenant["name"], "second_factor": "optional",
            "admin": {"email": known["people"][0]["email"], "password": known["people"][0]["password"],
                      "given_name": given_name, "family_name": family_name, "locale": tenant["locale"]},
            "client": {"name": "Demo", "redirect_uris": [known["client"]["redirect_uri"]],
                       "allowed_origins": [DEMO_ORIGIN]}})
    print(json.dumps({"tenants": tenants}))


def take_bootstrap(demo, output):
    made = {tenant["slug"]: tenant for tenant in output["tenants"]}
    for known in demo["tenants"]:
        tenant = made[known["slug"]]
        known["id"] = tenant["id"]
        known["people"][0]["id"] = tenant["admin_id"]
        known["client"]["id"] = tenant["client"]["id"]
        known["client"]["secret"] = tenant["client"].get("secret") or known["client"]["secret"]
        if not known["client"]["secret"]:
            raise api.Failure(f"tenant {known['slug']} exists already and the secret of its client is not known here; "
                              "start over with ./deploy/up --fresh")


def load_people(suite, admin, tenant, known):
    for (role, given_name, family_name), person in list(zip(tenant["people"], known["people"]))[1:]:
        found = invitation.find(admin, person["email"]) or invitation.invite(admin, {
            "email": person["email"], "given_name": given_name, "family_name": family_name,
            "locale": tenant["locale"]}, role)
        person["id"] = found["id"]
        if found["status"] == "invited":
            invitation.accept(suite, person["email"], person["password"])


def ensure(admin, path, name, body, **query):
    """The object of that name, made when it is missing."""
    for item in admin.get(path, limit=200, **query)["items"]:
        if item["name"] == name:
            return item["id"]
    return admin.post(path, {"name": name, **body})["id"]


def load_places(admin, tenant, known):
    known["site_id"] = site = ensure(admin, "/v1/sites", tenant["site"], {"time_zone": tenant["time_zone"]})
    known["area_id"] = area = ensure(admin, "/v1/areas", tenant["area"], {
        "site_id": site, "inventory": "named", "purpose": "parking"}, site_id=site)
    ensure(admin, "/v1/areas", tenant["pooled"], {
        "site_id": site, "inventory": "pooled", "purpose": "parking", "capacity": POOLED_CAPACITY}, site_id=site)
    known["spot_ids"] = [ensure(admin, "/v1/spots", f"{number:02}", {"area_id": area}, area_id=area)
                         for number in range(1, SPOTS + 1)]


def load(run_dir, suite):
    demo = partial_read(run_dir, suite)
    take_bootstrap(demo, api.read_json(sys.argv[3]))
    api.write_private(partial_path(run_dir), demo)
    for tenant, known in zip(TENANTS, demo["tenants"]):
        first = known["people"][0]
        admin = api.Api(suite, api.sign_in(suite, known["client"], first["email"], first["password"]))
        load_people(suite, admin, tenant, known)
        load_places(admin, tenant, known)
        api.say(f"{known['slug']}: {len(known['people'])} people, one site, {SPOTS} spots, "
                f"one pooled area of {POOLED_CAPACITY}")
    api.write_private(os.path.join(run_dir, "demo.json"), demo)
    os.unlink(partial_path(run_dir))


if __name__ == "__main__":
    if sys.argv[2:] == ["document"]:
        api.run(print_document)
    elif sys.argv[2:3] == ["load"] and len(sys.argv) == 4:
        api.run(load)
    else:
        sys.exit(__doc__)
