-- Clients, their keys and tokens, links with their tasks and reports, the job queue, and the directory of employers.
--
-- A row that a client owns begins its primary key with the client, and names the environment. Times are microseconds
-- since 1970. What ends in _sealed or _wrapped is unreadable without the root key; what ends in _hash is a keyed hash.
-- Lists are words between spaces, or phrases on lines of their own.

create table settings (
    name text not null primary key,
    value text not null
) strict;

create table clients (
    id blob not null primary key,
    name text not null,
    allowed_origins text not null,
    created_at integer not null
) strict;

-- The sealed secret is gone once the key is deleted; the row stays, because tokens and tasks name it.
create table access_keys (
    client_id blob not null references clients (id),
    id blob not null,
    environment text not null,
    secret_hash blob not null,
    secret_sealed blob,
    created_at integer not null,
    deleted_at integer,
    primary key (client_id, id)
) strict;
create unique index access_keys_by_secret on access_keys (client_id, secret_hash);

-- link_id names a link to repair. It is no foreign key, because links point here.
create table bridge_tokens (
    client_id blob not null,
    id blob not null,
    environment text not null,
    access_key_id blob not null,
    token_hash blob not null,
    product text not null,
    allowed_products text not null,
    client_name text,
    tracking_info text,
    company_mapping_id blob,
    provider_id text,
    link_id blob,
    data_sources text not null,
    link_count integer not null,
    sign_in_count integer not null,
    created_at integer not null,
    expires_at integer not null,
    primary key (client_id, id),
    foreign key (client_id, access_key_id) references access_keys (client_id, id)
) strict;
create unique index bridge_tokens_by_hash on bridge_tokens (token_hash);

-- person_hash tells whose link it is, from the first sign-in that succeeded.
create table links (
    client_id blob not null,
    id blob not null,
    environment text not null,
    bridge_token_id blob not null,
    provider_id text not null,
    company_mapping_id blob,
    tracking_info text,
    product text not null,
    allowed_products text not null,
    status text not null,
    access_token_hash blob,
    access_token_sealed blob,
    person_hash blob,
    data_key_wrapped blob not null,
    created_at integer not null,
    updated_at integer not null,
    deleted_at integer,
    primary key (client_id, id),
    foreign key (client_id, bridge_token_id) references bridge_tokens (client_id, id)
) strict;
create unique index links_by_access_token on links (access_token_hash);
create index links_by_bridge_token on links (client_id, bridge_token_id);

create table tasks (
    client_id blob not null,
    id blob not null,
    environment text not null,
    link_id blob not null,
    bridge_token_id blob,
    access_key_id blob not null,
    product text not null,
    kind text not null,
    status text not null,
    error_message text,
    step text,
    step_expires_at integer,
    created_at integer not null,
    updated_at integer not null,
    finished_at integer,
    primary key (client_id, id),
    foreign key (client_id, link_id) references links (client_id, id),
    foreign key (client_id, bridge_token_id) references bridge_tokens (client_id, id),
    foreign key (client_id, access_key_id) references access_keys (client_id, id)
) strict;
create index tasks_by_link on tasks (client_id, link_id, created_at);

create table logins (
    client_id blob not null,
    task_id blob not null,
    environment text not null,
    key_wrapped blob not null,
    login_sealed blob not null,
    session_sealed blob,
    answer_sealed blob,
    grant_sealed blob,
    expires_at integer not null,
    primary key (client_id, task_id),
    foreign key (client_id, task_id) references tasks (client_id, id)
) strict;
create index logins_by_end on logins (expires_at);

create table public_tokens (
    client_id blob not null,
    id blob not null,
    environment text not null,
    link_id blob not null,
    task_id blob not null,
    token_hash blob not null,
    created_at integer not null,
    expires_at integer not null,
    spent_at integer,
    revoked_at integer,
    primary key (client_id, id),
    foreign key (client_id, link_id) references links (client_id, id),
    foreign key (client_id, task_id) references tasks (client_id, id)
) strict;
create unique index public_tokens_by_hash on public_tokens (token_hash);
create index public_tokens_by_task on public_tokens (client_id, task_id);

create table reports (
    client_id blob not null,
    link_id blob not null,
    kind text not null,
    environment text not null,
    body_sealed blob not null,
    updated_at integer not null,
    primary key (client_id, link_id, kind),
    foreign key (client_id, link_id) references links (client_id, id)
) strict;

create table webhook_events (
    client_id blob not null references clients (id),
    id blob not null,
    environment text not null,
    link_id blob,
    task_id blob,
    event_type text not null,
    body text not null,
    created_at integer not null,
    task_sequence integer not null,
    primary key (client_id, id)
) strict;
create index webhook_events_by_task on webhook_events (client_id, task_id, task_sequence);

-- A finished job is deleted. A job that is done and still here was given up.
create table jobs (
    id blob not null primary key,
    shard integer not null,
    kind text not null,
    payload text not null,
    run_at integer not null,
    lease_until integer,
    attempts integer not null,
    fence integer not null,
    done integer not null,
    buried_because text,
    created_at integer not null
) strict;
create index jobs_due on jobs (run_at) where done = false;

create table companies (
    id blob not null primary key,
    name text not null,
    domain text,
    synonyms text not null,
    providers text not null,
    popularity integer not null
) strict;

create table providers (
    id text not null primary key,
    name text not null,
    domain text,
    products text not null,
    data_sources text not null,
    popularity integer not null
) strict;
