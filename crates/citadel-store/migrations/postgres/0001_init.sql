-- Clients, their keys and tokens, links with their tasks and reports, the job queue, and the directory of employers.
--
-- A row that a client owns begins its primary key with the client, and names the environment. Times are microseconds
-- since 1970. What ends in _sealed or _wrapped is unreadable without the root key; what ends in _hash is a keyed hash.
-- Lists are words between spaces, or phrases on lines of their own.

create table settings (
    name text not null primary key,
    value text not null
);

create table clients (
    id uuid not null primary key,
    name text not null,
    allowed_origins text not null,
    created_at bigint not null
);

-- The sealed secret is gone once the key is deleted; the row stays, because tokens and tasks name it.
create table access_keys (
    client_id uuid not null references clients (id),
    id uuid not null,
    environment text not null,
    secret_hash bytea not null,
    secret_sealed bytea,
    created_at bigint not null,
    deleted_at bigint,
    primary key (client_id, id)
);
create unique index access_keys_by_secret on access_keys (client_id, secret_hash);

-- link_id names a link to repair. It is no foreign key, because links point here.
create table bridge_tokens (
    client_id uuid not null,
    id uuid not null,
    environment text not null,
    access_key_id uuid not null,
    token_hash bytea not null,
    product text not null,
    allowed_products text not null,
    client_name text,
    tracking_info text,
    company_mapping_id uuid,
    provider_id text,
    link_id uuid,
    data_sources text not null,
    link_count bigint not null,
    sign_in_count bigint not null,
    created_at bigint not null,
    expires_at bigint not null,
    primary key (client_id, id),
    foreign key (client_id, access_key_id) references access_keys (client_id, id)
);
create unique index bridge_tokens_by_hash on bridge_tokens (token_hash);

-- person_hash tells whose link it is, from the first sign-in that succeeded.
create table links (
    client_id uuid not null,
    id uuid not null,
    environment text not null,
    bridge_token_id uuid not null,
    provider_id text not null,
    company_mapping_id uuid,
    tracking_info text,
    product text not null,
    allowed_products text not null,
    status text not null,
    access_token_hash bytea,
    access_token_sealed bytea,
    person_hash bytea,
    data_key_wrapped bytea not null,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint,
    primary key (client_id, id),
    foreign key (client_id, bridge_token_id) references bridge_tokens (client_id, id)
);
create unique index links_by_access_token on links (access_token_hash);
create index links_by_bridge_token on links (client_id, bridge_token_id);

create table tasks (
    client_id uuid not null,
    id uuid not null,
    environment text not null,
    link_id uuid not null,
    bridge_token_id uuid,
    access_key_id uuid not null,
    product text not null,
    kind text not null,
    status text not null,
    error_message text,
    step text,
    step_expires_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    finished_at bigint,
    primary key (client_id, id),
    foreign key (client_id, link_id) references links (client_id, id),
    foreign key (client_id, bridge_token_id) references bridge_tokens (client_id, id),
    foreign key (client_id, access_key_id) references access_keys (client_id, id)
);
create index tasks_by_link on tasks (client_id, link_id, created_at);

create table logins (
    client_id uuid not null,
    task_id uuid not null,
    environment text not null,
    key_wrapped bytea not null,
    login_sealed bytea not null,
    session_sealed bytea,
    answer_sealed bytea,
    grant_sealed bytea,
    expires_at bigint not null,
    primary key (client_id, task_id),
    foreign key (client_id, task_id) references tasks (client_id, id)
);
create index logins_by_end on logins (expires_at);

create table public_tokens (
    client_id uuid not null,
    id uuid not null,
    environment text not null,
    link_id uuid not null,
    task_id uuid not null,
    token_hash bytea not null,
    created_at bigint not null,
    expires_at bigint not null,
    spent_at bigint,
    revoked_at bigint,
    primary key (client_id, id),
    foreign key (client_id, link_id) references links (client_id, id),
    foreign key (client_id, task_id) references tasks (client_id, id)
);
create unique index public_tokens_by_hash on public_tokens (token_hash);
create index public_tokens_by_task on public_tokens (client_id, task_id);

create table reports (
    client_id uuid not null,
    link_id uuid not null,
    kind text not null,
    environment text not null,
    body_sealed bytea not null,
    updated_at bigint not null,
    primary key (client_id, link_id, kind),
    foreign key (client_id, link_id) references links (client_id, id)
);

create table webhook_events (
    client_id uuid not null references clients (id),
    id uuid not null,
    environment text not null,
    link_id uuid,
    task_id uuid,
    event_type text not null,
    body text not null,
    created_at bigint not null,
    task_sequence bigint not null,
    primary key (client_id, id)
);
create index webhook_events_by_task on webhook_events (client_id, task_id, task_sequence);

-- A finished job is deleted. A job that is done and still here was given up.
create table jobs (
    id uuid not null primary key,
    shard bigint not null,
    kind text not null,
    payload text not null,
    run_at bigint not null,
    lease_until bigint,
    attempts bigint not null,
    fence bigint not null,
    done boolean not null,
    buried_because text,
    created_at bigint not null
);
create index jobs_due on jobs (run_at) where done = false;

create table companies (
    id uuid not null primary key,
    name text not null,
    domain text,
    synonyms text not null,
    providers text not null,
    popularity bigint not null
);

create table providers (
    id text not null primary key,
    name text not null,
    domain text,
    products text not null,
    data_sources text not null,
    popularity bigint not null
);

-- The second fence between clients. Each transaction names the one client whose rows it may see, or * for the system's
-- own work; one that names nothing sees nothing. Forced, because the tables belong to the role that the server uses.
alter table clients enable row level security, force row level security;
create policy own_rows on clients using (current_setting('app.client', true) in ('*', cast(id as text)));

alter table access_keys enable row level security, force row level security;
create policy own_rows on access_keys using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table bridge_tokens enable row level security, force row level security;
create policy own_rows on bridge_tokens using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table links enable row level security, force row level security;
create policy own_rows on links using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table tasks enable row level security, force row level security;
create policy own_rows on tasks using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table logins enable row level security, force row level security;
create policy own_rows on logins using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table public_tokens enable row level security, force row level security;
create policy own_rows on public_tokens using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table reports enable row level security, force row level security;
create policy own_rows on reports using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table webhook_events enable row level security, force row level security;
create policy own_rows on webhook_events using (current_setting('app.client', true) in ('*', cast(client_id as text)));
