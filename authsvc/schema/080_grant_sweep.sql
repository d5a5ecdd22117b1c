-- SPDX-License-Identifier: Apache-2.0
-- Grants that nobody decided on are void after a week (070), and go like those that are over: by the age of the request.
create index role_grant_pending on role_grant (created_at) where status = 'pending';
grant select (status, created_at) on role_grant to :jobs_role;
