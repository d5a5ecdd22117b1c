-- SPDX-License-Identifier: Apache-2.0
-- What a stay holds becomes a segment in the plane: the spot's (or the person's) number across, microseconds since 2000 along. Two
-- segments meet when number and interval do; box_ops compares four numbers where btree_gist and ranges unpack and look up types.
--   ends      Boxes that touch overlap, intervals that touch do not: a segment ends one microsecond before the stay does.
--   round     Microseconds are whole numbers below 2^53 from 1715 to 2285, so nothing is lost in a double; farther off a stay holds
--             some microseconds too many, never too few.
--   nothing   An empty interval has no segment, as an empty range overlaps nothing.
alter table booking drop constraint booking_spot_free, drop constraint booking_person_free;
alter table booking
	add constraint booking_spot_free exclude using gist (box(
		point(spot_no, round(date_part('epoch', starts_at - timestamptz '2000-01-01 00:00:00+00') * 1000000)),
		point(spot_no, round(date_part('epoch', held_until - timestamptz '2000-01-01 00:00:00+00') * 1000000) - 1)) with &&)
		where (spot_no is not null and status <> 4 and starts_at < held_until),
	add constraint booking_person_free exclude using gist (box(
		point(person_no, round(date_part('epoch', starts_at - timestamptz '2000-01-01 00:00:00+00') * 1000000)),
		point(person_no, round(date_part('epoch', held_until - timestamptz '2000-01-01 00:00:00+00') * 1000000) - 1)) with &&)
		where (person_no is not null and status <> 4 and starts_at < held_until);
