-- Deposit switches, linked loans, funding switches, administrators, and refreshes.

-- The account that a token is about. Emptied when the token has aged.
alter table bridge_tokens add column account_sealed blob;
create index bridge_tokens_with_account on bridge_tokens (expires_at) where account_sealed is not null;

-- What a refresh signs in with: the provider's permission, never the login. Gone when the provider took it back.
alter table links add column grant_sealed blob;

-- What a task changes at a provider. The state is written before the provider is called and after it has answered: wanted,
-- sent, answered, applied or refused. plan_sealed holds what the accounts were before and are after.
create table changes (
    client_id blob not null,
    task_id blob not null,
    environment text not null,
    link_id blob not null,
    kind text not null,
    state text not null,
    change_sealed blob not null,
    plan_sealed blob,
    created_at integer not null,
    updated_at integer not null,
    primary key (client_id, task_id),
    foreign key (client_id, task_id) references tasks (client_id, id),
    foreign key (client_id, link_id) references links (client_id, id)
) strict;
create index changes_by_link on changes (client_id, link_id, created_at);

-- Payroll registers. The dates are days as text, YYYY-MM-DD.
create table payroll_reports (
    client_id blob not null,
    id blob not null,
    environment text not null,
    link_id blob not null,
    start_date text not null,
    end_date text not null,
    status text not null,
    body_sealed blob not null,
    created_at integer not null,
    completed_at integer not null,
    primary key (client_id, id),
    foreign key (client_id, link_id) references links (client_id, id)
) strict;

-- Books of providers that exist only in this program.
create table provider_books (
    client_id blob not null references clients (id),
    id blob not null,
    environment text not null,
    account_hash blob not null,
    entry_sealed blob not null,
    created_at integer not null,
    primary key (client_id, id)
) strict;
create index provider_books_by_account on provider_books (client_id, account_hash, created_at);
