-- The consumer's own page (P20, P21, P24). Its address has a token, of which the receipt keeps a keyed hash; there is one for each
-- sign-in. The receipt also tells whose name stood on the screen and what it was for, for whoever reads it after all else is gone.
alter table consents add column page_hash bytea;
alter table consents add column client_name text;
alter table consents add column purpose text;
create unique index consents_by_page on consents (page_hash);

-- Since when the person says that what the link knows is wrong.
alter table links add column disputed_at bigint;
