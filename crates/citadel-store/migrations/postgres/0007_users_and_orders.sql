-- People and orders of clients, reports about people, and looks of the widget.

-- What is known of a person lies under the person's own data key; external_id_hash finds it by the client's own id. The row of
-- one who was deleted stays, without the key.
create table users (
    client_id uuid not null references clients (id),
    id uuid not null,
    environment text not null,
    external_id_hash bytea,
    data_key_wrapped bytea not null,
    profile_sealed bytea not null,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint,
    primary key (client_id, id)
);
create index users_by_external_id on users (client_id, environment, external_id_hash);

-- Texts, colours and switches, as the client sent them.
create table templates (
    client_id uuid not null references clients (id),
    id uuid not null,
    environment text not null,
    name text not null,
    body text not null,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (client_id, id)
);

-- The token of its page is sealed as well, because the client is told the address again. What a person is called lies under the
-- user's data key.
create table orders (
    client_id uuid not null,
    id uuid not null,
    environment text not null,
    user_id uuid not null,
    access_key_id uuid not null,
    template_id uuid,
    products text not null,
    source text not null,
    order_number text,
    client_name text,
    body_sealed bytea not null,
    page_token_hash bytea not null,
    page_token_sealed bytea not null,
    initial_order_id uuid,
    refresh_order_id uuid,
    voie_report_id uuid,
    created_at bigint not null,
    updated_at bigint not null,
    expires_at bigint not null,
    consented_at bigint,
    completed_at bigint,
    canceled_at bigint,
    primary key (client_id, id),
    foreign key (client_id, user_id) references users (client_id, id),
    foreign key (client_id, access_key_id) references access_keys (client_id, id)
);
create unique index orders_by_page_token on orders (page_token_hash);
create index orders_by_user on orders (client_id, user_id);
create index orders_by_number on orders (client_id, environment, order_number);

-- One employer of an order, with a bridge token of its own. The status is that of the row: pending, sent, completed, canceled,
-- skipped, no_data, error.
create table order_employers (
    client_id uuid not null,
    id uuid not null,
    environment text not null,
    order_id uuid not null,
    place bigint not null,
    product text not null,
    status text not null,
    body_sealed bytea not null,
    bridge_token_sealed bytea not null,
    link_id uuid,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (client_id, id),
    foreign key (client_id, order_id) references orders (client_id, id)
);
create index order_employers_by_order on order_employers (client_id, order_id, place);

-- What all links of a person knew at one moment, under the user's data key.
create table user_reports (
    client_id uuid not null,
    id uuid not null,
    environment text not null,
    user_id uuid not null,
    is_voe boolean not null,
    body_sealed bytea not null,
    created_at bigint not null,
    primary key (client_id, id),
    foreign key (client_id, user_id) references users (client_id, id)
);
create index user_reports_by_user on user_reports (client_id, user_id, created_at);

alter table bridge_tokens add column user_id uuid;
alter table bridge_tokens add column order_employer_id uuid;
alter table bridge_tokens add column template_id uuid;
alter table links add column user_id uuid;
create index links_by_user on links (client_id, user_id, created_at) where user_id is not null;
alter table webhook_events add column order_id uuid;
create index webhook_events_by_order on webhook_events (client_id, order_id, sequence) where order_id is not null;

alter table users enable row level security, force row level security;
create policy own_rows on users using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table templates enable row level security, force row level security;
create policy own_rows on templates using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table orders enable row level security, force row level security;
create policy own_rows on orders using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table order_employers enable row level security, force row level security;
create policy own_rows on order_employers using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table user_reports enable row level security, force row level security;
create policy own_rows on user_reports using (current_setting('app.client', true) in ('*', cast(client_id as text)));
