-- How SQLite keeps its tables. Nothing to do here.
select 1;
