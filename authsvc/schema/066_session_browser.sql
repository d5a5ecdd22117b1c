-- SPDX-License-Identifier: Apache-2.0
-- The family of the browser that signed in, sealed under the person's key: what tells one's own sessions apart.
alter table session add column browser bytea;
