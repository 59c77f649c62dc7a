-- A key whose holder is told no more than the end of what is most personal (P7).
alter table access_keys add column is_masked boolean not null default false;
