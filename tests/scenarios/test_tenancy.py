# SPDX-License-Identifier: Apache-2.0
"""Row security as PostgreSQL itself states it, and as the services' own roles meet it."""
import psycopg2
import pytest

from berth_suite import SCHEMAS, wait_for

ORDER = 35

TABLES = """
    select n.nspname as schema, c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
           pg_get_userbyid(c.relowner) as owner,
           exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped) as has_tenant
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any(%s) and c.relkind in ('r', 'p')
    order by 1, 2"""


def tables(suite):
    rows = suite.sql(TABLES, list(SCHEMAS))
    assert len(rows) > 15
    return [dict(zip(("schema", "name", "enabled", "forced", "owner", "has_tenant"), row)) for row in rows]


def tenant_tables(suite):
    found = [table for table in tables(suite) if table["has_tenant"]]
    assert {table["schema"] for table in found} == set(SCHEMAS)
    return found


def test_every_table_with_a_tenant_is_under_forced_row_security(suite):
    for table in tenant_tables(suite):
        name = f"{table['schema']}.{table['name']}"
        assert table["enabled"], f"{name}: row security is not enabled"
        assert table["forced"], f"{name}: row security is not forced"
        policies = suite.sql(
            "select policyname, roles, qual, with_check, cmd from pg_policies where schemaname = %s and tablename = %s",
            table["schema"], table["name"])
        assert policies, f"{name}: no policy"
        app = f"{SCHEMAS[table['schema']]}_app"
        for policy, roles, qual, check, command in policies:
            if app in roles or "public" in roles:
                assert "berth.tenant" in (qual or check or ""), f"{name}: policy {policy} does not look at the tenant"
                if command in ("ALL", "INSERT", "UPDATE"):
                    assert check is None and command == "ALL" or "berth.tenant" in (check or ""), f"{name}: {policy} does not check writes"


def test_tables_without_a_tenant_are_few_and_known(suite):
    allowed = {"deployment", "schema_version"}
    others = [f"{t['schema']}.{t['name']}" for t in tables(suite) if not t["has_tenant"] and t["name"] not in allowed]
    # Tables read before a tenant is known: they may hold ids, hashes and names of tenants, nothing of people.
    personal = {"email", "given_name", "family_name", "plate", "note", "name_text", "address"}
    for name in others:
        schema, table = name.split(".")
        columns = {row[0] for row in suite.sql(
            "select column_name from information_schema.columns where table_schema = %s and table_name = %s", schema, table)}
        assert not columns & personal, f"{name} has no tenant and holds {columns & personal}"


def test_the_roles_of_services_can_do_no_more_than_they_must(suite):
    rows = suite.sql("select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication from pg_roles where rolname ~ 'svc_'")
    assert len(rows) == 12
    for name, *powers in rows:
        assert not any(powers), f"{name} has powers: {powers}"
    for table in tables(suite):
        service = SCHEMAS[table["schema"]]
        assert table["owner"] == f"{service}_owner", f"{table['schema']}.{table['name']} belongs to {table['owner']}"
    memberships = suite.sql(
        "select r.rolname, m.rolname from pg_auth_members a join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member "
        "where m.rolname ~ 'svc_(app|jobs)'")
    assert memberships == []


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_app_role_without_a_tenant_sees_no_row(suite, slug, user, booking, schema):
    wait_for(lambda: suite.events(slug, object_id=booking.body["id"]), 20, "the event")
    role, rows_in_all = f"{SCHEMAS[schema]}_app", 0
    for table in [table for table in tenant_tables(suite) if table["schema"] == schema]:
        name = f"{schema}.{table['name']}"
        rows_in_all += suite.sql(f"select count(*) from {name}")[0][0]
        try:
            seen = suite.sql(f"select count(*) from {name}", role=role)[0][0]
        except psycopg2.errors.InsufficientPrivilege:
            continue
        assert seen == 0, f"{role} without a tenant sees {seen} rows of {name}"
    assert rows_in_all > 0, "nothing stands there: the test would prove nothing"


def test_the_app_role_of_one_tenant_sees_no_row_of_another(suite, slug, other_slug, booking):
    other = suite.tenants[other_slug]["id"]
    for table in tenant_tables(suite):
        role, name = f"{SCHEMAS[table['schema']]}_app", f"{table['schema']}.{table['name']}"
        text = f"select set_config('berth.tenant', %s, true); select count(*) from {name} where tenant_id is distinct from %s"
        try:
            foreign = suite.sql(text, other, other, role=role)[0][0]
        except psycopg2.errors.InsufficientPrivilege:
            continue
        assert foreign == 0, f"{role} as {other_slug} sees {foreign} foreign rows of {name}"


def test_a_tenant_that_is_no_id_is_an_error_or_no_row(suite):
    for value in ("x", "' or true --", "*"):
        with pytest.raises(psycopg2.Error):
            suite.sql("select set_config('berth.tenant', %s, true); select count(*) from booking.outbox", value, role="bookingsvc_app")
    rows = suite.sql(
        "select set_config('berth.tenant', '', true); select count(*) from booking.person_keys", role="bookingsvc_app")
    assert rows[0][0] == 0


def test_the_app_role_cannot_write_a_row_of_another_tenant(suite, slug, other_slug):
    """WITH CHECK: moving a row to another tenant is refused by the database itself."""
    mine, other = suite.tenants[slug]["id"], suite.tenants[other_slug]["id"]
    tried = 0
    for table in tenant_tables(suite):
        role, name = f"{SCHEMAS[table['schema']]}_app", f"{table['schema']}.{table['name']}"
        text = f"select set_config('berth.tenant', %s, true); update {name} set tenant_id = %s"
        try:
            suite.sql(text, mine, other, role=role)
            count = suite.sql(f"select set_config('berth.tenant', %s, true); select count(*) from {name}", mine, role=role)[0][0]
            assert count == 0, f"{role} could move rows of {name} to another tenant"
        except (psycopg2.errors.InsufficientPrivilege, psycopg2.errors.RaiseException):
            tried += 1      # refused by the policy, by a missing grant or by a trigger
        except psycopg2.errors.IntegrityError:
            tried += 1
    assert tried > 3


PUT = ("insert into booking.outbox (id, tenant_id, at, action, object_type, object_version, erased) "
       "values (gen_random_uuid(), %s, now(), 'a.b', 'c', 1, false)")
NAMED = "select set_config('berth.tenant', %s, true), set_config('berth.tenants', %s, true); "


def batch_tables(suite):
    """Tables into which a transaction may write rows of all the tenants that it has named."""
    rows = suite.sql("select schemaname, tablename, policyname, cmd, roles from pg_policies where with_check like '%berth.tenants%' or "
                     "qual like '%berth.tenants%'")
    for schema, table, policy, command, roles in rows:
        assert (policy, command) == ("tenants_put", "INSERT"), f"{schema}.{table}: {policy} is for {command}"
        assert roles == f"{{{SCHEMAS[schema]}_app}}" or roles == [f"{SCHEMAS[schema]}_app"], f"{schema}.{table}: {policy} is for {roles}"
    return [(schema, f"{schema}.{table}") for schema, table, *_ in rows]


def test_tenants_named_for_a_batch_are_for_inserting_alone(suite, slug, other_slug, booking):
    mine, other = suite.tenants[slug]["id"], suite.tenants[other_slug]["id"]
    tables = batch_tables(suite)
    assert {"booking.booking", "booking.outbox", "audit.event", "audit.content"} <= {name for _, name in tables}
    for schema, name in tables:
        role = f"{SCHEMAS[schema]}_app"
        for text in (f"select count(*) from {name} where tenant_id = '{mine}'",
                     f"with gone as (delete from {name} where tenant_id = '{mine}' returning 1) select count(*) from gone",
                     f"with moved as (update {name} set tenant_id = '{other}' returning 1) select count(*) from moved"):
            try:
                count = suite.sql(NAMED + text, other, f"{{{mine},{other}}}", role=role)[0][0]
            except psycopg2.errors.InsufficientPrivilege:
                continue
            assert count == 0, f"{role}, {count} rows: {text}"


def test_a_batch_inserts_rows_of_the_tenants_it_named_and_of_no_others(suite, slug, other_slug):
    mine, other, strange = suite.tenants[slug]["id"], suite.tenants[other_slug]["id"], "00000000-0000-4000-8000-000000000001"
    role = "bookingsvc_app"
    for named, tenant in ((f"{{{mine},{other}}}", mine), (f"{{{mine},{other}}}", other), ("", other)):
        suite.sql(NAMED + PUT, other, named, tenant, role=role)
    for named, tenant in (("", mine), ("{}", mine), (f"{{{strange}}}", mine), (f"{{{mine},{other}}}", strange)):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            suite.sql(NAMED + PUT, other, named, tenant, role=role)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):      # what is given back must be seen
        suite.sql(NAMED + PUT + " returning tenant_id", other, f"{{{mine},{other}}}", mine, role=role)
    for named in ("x", f"{{{mine}", "*", f"{mine}"):
        with pytest.raises(psycopg2.errors.DataError):
            suite.sql(NAMED + PUT, other, named, mine, role=role)


def test_a_role_stays_in_its_own_schema(suite):
    for schema, service in SCHEMAS.items():
        for other in set(SCHEMAS) - {schema}:
            for kind in ("app", "jobs", "owner"):
                usage = suite.sql("select has_schema_privilege(%s, %s, 'usage')", f"{service}_{kind}", other)[0][0]
                assert not usage, f"{service}_{kind} may look into {other}"
        for kind in ("app", "jobs"):
            create = suite.sql("select has_schema_privilege(%s, %s, 'create')", f"{service}_{kind}", schema)[0][0]
            assert not create, f"{service}_{kind} may create in {schema}"


def test_unique_keys_of_tenant_tables_name_the_tenant_or_a_number_nobody_chooses(suite):
    """A unique key over something people choose, without the tenant, would tell one tenant what another has."""
    chosen = {"name", "slug_text", "email", "email_index", "plate_index", "key_hash"}
    rows = suite.sql("""
        select n.nspname, c.relname, i.relname, array_agg(a.attname::text)
        from pg_index x join pg_class c on c.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
        join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum = any(x.indkey)
        where x.indisunique and n.nspname = any(%s) group by 1, 2, 3""", list(SCHEMAS))
    with_tenant = {(table["schema"], table["name"]) for table in tenant_tables(suite)}
    for schema, table, index, columns in rows:
        if (schema, table) in with_tenant and set(columns) & chosen:
            assert "tenant_id" in columns, f"{schema}.{index}: unique over {columns} without the tenant"


def test_views_run_with_the_rights_of_who_asks(suite):
    rows = suite.sql(
        "select n.nspname || '.' || c.relname, coalesce(c.reloptions::text, '') from pg_class c "
        "join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'v' and n.nspname = any(%s)", list(SCHEMAS))
    for name, options in rows:
        assert "security_invoker=true" in options or "security_invoker=on" in options, name


def test_functions_do_not_run_with_their_owners_rights_unless_their_path_is_fixed(suite):
    rows = suite.sql(
        "select n.nspname || '.' || p.proname, p.prosecdef, coalesce(p.proconfig::text, '') from pg_proc p "
        "join pg_namespace n on n.oid = p.pronamespace where n.nspname = any(%s)", list(SCHEMAS))
    for name, definer, config in rows:
        assert not definer or "search_path" in config, name
