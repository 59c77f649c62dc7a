-- People and orders of clients, reports about people, and looks of the widget.

-- What is known of a person lies under the person's own data key; external_id_hash finds it by the client's own id. The row of
-- one who was deleted stays, without the key.
create table users (
    client_id blob not null references clients (id),
    id blob not null,
    environment text not null,
    external_id_hash blob,
    data_key_wrapped blob not null,
    profile_sealed blob not null,
    created_at integer not null,
    updated_at integer not null,
    deleted_at integer,
    primary key (client_id, id)
) strict;
create index users_by_external_id on users (client_id, environment, external_id_hash);

-- Texts, colours and switches, as the client sent them.
create table templates (
    client_id blob not null references clients (id),
    id blob not null,
    environment text not null,
    name text not null,
    body text not null,
    created_at integer not null,
    updated_at integer not null,
    primary key (client_id, id)
) strict;

-- The token of its page is sealed as well, because the client is told the address again. What a person is called lies under the
-- user's data key.
create table orders (
    client_id blob not null,
    id blob not null,
    environment text not null,
    user_id blob not null,
    access_key_id blob not null,
    template_id blob,
    products text not null,
    source text not null,
    order_number text,
    client_name text,
    body_sealed blob not null,
    page_token_hash blob not null,
    page_token_sealed blob not null,
    initial_order_id blob,
    refresh_order_id blob,
    voie_report_id blob,
    created_at integer not null,
    updated_at integer not null,
    expires_at integer not null,
    consented_at integer,
    completed_at integer,
    canceled_at integer,
    primary key (client_id, id),
    foreign key (client_id, user_id) references users (client_id, id),
    foreign key (client_id, access_key_id) references access_keys (client_id, id)
) strict;
create unique index orders_by_page_token on orders (page_token_hash);
create index orders_by_user on orders (client_id, user_id);
create index orders_by_number on orders (client_id, environment, order_number);

-- One employer of an order, with a bridge token of its own. The status is that of the row: pending, sent, completed, canceled,
-- skipped, no_data, error.
create table order_employers (
    client_id blob not null,
    id blob not null,
    environment text not null,
    order_id blob not null,
    place integer not null,
    product text not null,
    status text not null,
    body_sealed blob not null,
    bridge_token_sealed blob not null,
    link_id blob,
    created_at integer not null,
    updated_at integer not null,
    primary key (client_id, id),
    foreign key (client_id, order_id) references orders (client_id, id)
) strict;
create index order_employers_by_order on order_employers (client_id, order_id, place);

-- What all links of a person knew at one moment, under the user's data key.
create table user_reports (
    client_id blob not null,
    id blob not null,
    environment text not null,
    user_id blob not null,
    is_voe integer not null,
    body_sealed blob not null,
    created_at integer not null,
    primary key (client_id, id),
    foreign key (client_id, user_id) references users (client_id, id)
) strict;
create index user_reports_by_user on user_reports (client_id, user_id, created_at);

alter table bridge_tokens add column user_id blob;
alter table bridge_tokens add column order_employer_id blob;
alter table bridge_tokens add column template_id blob;
alter table links add column user_id blob;
create index links_by_user on links (client_id, user_id, created_at) where user_id is not null;
alter table webhook_events add column order_id blob;
create index webhook_events_by_order on webhook_events (client_id, order_id, sequence) where order_id is not null;
