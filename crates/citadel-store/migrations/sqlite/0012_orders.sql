-- Orders that end by themselves, and bridge tokens of theirs that live as long as any other.

-- When it was noted and told that an order ended because nobody came in time.
alter table orders add column expired_at integer;
-- Orders that can still end so.
create index orders_by_expiry on orders (expires_at)
    where completed_at is null and canceled_at is null and expired_at is null;
create index orders_by_time on orders (client_id, environment, created_at, id);
create index bridge_tokens_by_order_employer on bridge_tokens (client_id, order_employer_id)
    where order_employer_id is not null;

-- P8: six hours. The next look at an order makes new ones.
update bridge_tokens set expires_at = created_at + 21600000000
 where order_employer_id is not null and expires_at > created_at + 21600000000;

-- What was canceled, or whose person was deleted, is told no more.
update orders set page_token_sealed = substr(page_token_sealed, 1, 0) where canceled_at is not null;
update order_employers set bridge_token_sealed = substr(bridge_token_sealed, 1, 0)
 where status in ('completed', 'canceled', 'skipped', 'expired')
    or exists (select 1 from orders
                where orders.client_id = order_employers.client_id and orders.id = order_employers.order_id
                  and orders.canceled_at is not null);
