-- Answers under idempotency keys (P43).

-- Written in the transaction of the effect that the answer tells, and kept for 24 hours. The key is hashed with whose it is and
-- the path; the first half of the hash is the row's id. The answer lies under the root key and goes with the user or the link that it is about. Where the effect is a task
-- and the answer comes at its end, the task stands here first, without an answer.
create table idempotency_keys (
    client_id uuid not null references clients (id),
    environment text not null,
    id uuid not null,
    key_hash bytea not null,
    request_hash bytea not null,
    answer_sealed bytea,
    user_id uuid,
    link_id uuid,
    task_id uuid,
    created_at bigint not null,
    primary key (client_id, environment, key_hash)
);
-- A rotation of the root key goes through them in this order.
create index idempotency_keys_by_id on idempotency_keys (client_id, id);
create index idempotency_keys_by_age on idempotency_keys (created_at);
create index idempotency_keys_by_user on idempotency_keys (client_id, user_id) where user_id is not null;
create index idempotency_keys_by_link on idempotency_keys (client_id, link_id) where link_id is not null;

alter table idempotency_keys enable row level security, force row level security;
create policy own_rows on idempotency_keys using (current_setting('app.client', true) in ('*', cast(client_id as text)));
