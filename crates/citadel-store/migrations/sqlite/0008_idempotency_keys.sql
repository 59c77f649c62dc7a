-- Answers under idempotency keys (P43).

-- Written in the transaction of the effect that the answer tells, and kept for 24 hours. The key is hashed with whose it is and
-- the path; the first half of the hash is the row's id. The answer lies under the root key and goes with the user or the link that it is about. Where the effect is a task
-- and the answer comes at its end, the task stands here first, without an answer.
create table idempotency_keys (
    client_id blob not null references clients (id),
    environment text not null,
    id blob not null,
    key_hash blob not null,
    request_hash blob not null,
    answer_sealed blob,
    user_id blob,
    link_id blob,
    task_id blob,
    created_at integer not null,
    primary key (client_id, environment, key_hash)
) strict;
-- A rotation of the root key goes through them in this order.
create index idempotency_keys_by_id on idempotency_keys (client_id, id);
create index idempotency_keys_by_age on idempotency_keys (created_at);
create index idempotency_keys_by_user on idempotency_keys (client_id, user_id) where user_id is not null;
create index idempotency_keys_by_link on idempotency_keys (client_id, link_id) where link_id is not null;
