-- $1 count no further
select count(*), min(at) from (select at from outbox order by seq limit $1) as o
