-- People who use the dashboard. They belong to the server, not to a client's data: who signs in is looked up before any client is
-- known, so no fence by client is around them. sees_client_id is the one client that a member sees; without it, all.
create table members (
    id uuid not null primary key,
    sees_client_id uuid,
    email text not null,
    name text not null,
    role text not null,
    password_hash text not null,
    -- The seed of the one-time codes is a keyed hash of this, so that the table alone makes no code; and the last step of time
    -- whose code was used, so that none works twice.
    totp_salt bytea,
    totp_step bigint not null default 0,
    created_at bigint not null,
    -- The row stays for the audit trail; the address may be invited again.
    removed_at bigint
);
create unique index members_by_email on members (email) where removed_at is null;

create table passkeys (
    id uuid not null primary key,
    member_id uuid not null references members (id),
    name text not null,
    credential text not null,
    created_at bigint not null,
    used_at bigint
);
create index passkeys_by_member on passkeys (member_id);

create table recovery_codes (
    code_hash bytea not null primary key,
    member_id uuid not null references members (id)
);
create index recovery_codes_by_member on recovery_codes (member_id);

-- Links that let somebody in once: to join (member_id is null), or to set a new password.
create table invitations (
    token_hash bytea not null primary key,
    member_id uuid references members (id),
    sees_client_id uuid,
    email text not null,
    role text not null,
    invited_by uuid not null,
    created_at bigint not null,
    expires_at bigint not null
);

create table dashboard_sessions (
    id uuid not null primary key,
    token_hash bytea not null,
    member_id uuid not null references members (id),
    agent text not null,
    created_at bigint not null,
    seen_at bigint not null,
    -- When the second factor was last proven; without it the session may do nothing but that.
    factor_at bigint
);
create unique index dashboard_sessions_by_token on dashboard_sessions (token_hash);
create index dashboard_sessions_by_member on dashboard_sessions (member_id);

create table setup_codes (
    code_hash bytea not null primary key,
    expires_at bigint not null
);

-- As whoever made the key calls it.
alter table access_keys add column name text not null default '';
