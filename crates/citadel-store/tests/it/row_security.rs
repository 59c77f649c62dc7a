//! P5, the second fence: on Postgres a statement without its client filter still meets one client's rows only.
//!
//! The statements here are what the store's own would be with the filter patched out.

use citadel_domain::{ClientId, EventId};
use citadel_store::{
    Db, Dialect, Row, Tenant, Tx, Value, audit::Act, deliveries, outbox, reports, tasks::Task,
    webhook_events::NewWebhookEvent,
};
use tokio_postgres::NoTls;

use crate::{
    fixtures::append_event,
    harness::{Store, on_postgres, postgres_url},
};

/// Tables with rows of clients.
const TENANT_TABLES: usize = 32;

/// Every table with rows of clients, and the column that tells whose they are.
async fn tenant_tables(db: &Db) -> Vec<(String, &'static str)> {
    let sql = "select cast(table_name as text) from information_schema.columns
                where table_schema = current_schema() and column_name = 'client_id'";
    let read = |row: &Row<'_>| row.get::<String>(0);
    let named = db.read(async move |tx| tx.fetch_all(sql, &[], read).await).await.unwrap();
    let mut tables: Vec<_> = named.into_iter().map(|table| (table, "client_id")).collect();
    tables.push(("clients".to_owned(), "id"));
    assert_eq!(tables.len(), TENANT_TABLES, "{tables:?}");
    tables
}

/// The same of either database.
pub(crate) async fn tenant_tables_of(db: &Db) -> Vec<(String, &'static str)> {
    let is_sqlite =
        db.read(async |tx| Ok::<_, citadel_store::Error>(tx.dialect() == Dialect::Sqlite)).await.unwrap();
    if !is_sqlite {
        return tenant_tables(db).await;
    }
    let sql = "select t.name from sqlite_schema t, pragma_table_info(t.name) c
                where t.type = 'table' and c.name = 'client_id'";
    let named =
        db.read(async move |tx| tx.fetch_all(sql, &[], |row: &Row<'_>| row.get::<String>(0)).await).await;
    let mut tables: Vec<_> = named.unwrap().into_iter().map(|table| (table, "client_id")).collect();
    tables.push(("clients".to_owned(), "id"));
    assert_eq!(tables.len(), TENANT_TABLES, "{tables:?}");
    tables
}

/// Whose rows a statement without a filter finds.
pub(crate) async fn owners(db: &Db, table: &str, column: &str) -> Vec<ClientId> {
    let sql: &'static str = format!("select {column} from {table}").leak();
    db.read(async move |tx| tx.fetch_all(sql, &[], |row| row.get::<ClientId>(0)).await).await.unwrap()
}

/// A client with a row in every table.
pub(crate) async fn tenant_with_rows(store: &Store) -> Tenant {
    let (_, link, task) = store.running_task().await;
    store.login(&task).await;
    store.public_token(&task).await;
    let event = event_of(store, task.tenant);
    let now = store.now;
    let put = async move |tx: &mut Tx<'_>| {
        reports::put(tx, link.tenant, link.id, "income", &[1], now).await?;
        append_event(tx, &event).await.map(drop)
    };
    store.db.write(put).await.unwrap();
    told_rows(store, &task).await;
    rows_of_products(store, &task).await;
    store.audited(task.tenant, Act::LinkDeleted).await;
    task.tenant
}

/// An endpoint with an event that waits and an attempt.
async fn told_rows(store: &Store, task: &Task) {
    let (tenant, now) = (task.tenant, store.now);
    let (webhook, event) = (store.webhook(tenant).await, store.event(task).await);
    let delivery = store.new_delivery(tenant, webhook, event.id, 500);
    let put = async move |tx: &mut Tx<'_>| {
        outbox::put(tx, tenant, webhook, (event.id, event.sequence, event.task_id), false, now).await?;
        deliveries::append(tx, &delivery).await
    };
    store.db.write(put).await.unwrap();
}

/// Rows in the tables of products; what is in them does not matter here.
async fn rows_of_products(store: &Store, task: &Task) {
    let ids = [
        Value::from(task.tenant.client_id),
        Value::from(task.id),
        Value::from(task.link_id),
        Value::from(store.now),
        Value::from(vec![1]),
    ];
    let put = async move |tx: &mut Tx<'_>| {
        for sql in [
            "insert into changes (client_id, task_id, environment, link_id, kind, state, change_sealed, created_at,
                                  updated_at) values ($1, $2, 'sandbox', $3, 'deposit', 'wanted', $5, $4, $4)",
            "insert into payroll_reports (client_id, id, environment, link_id, start_date, end_date, status,
                                          body_sealed, created_at, completed_at)
             values ($1, $2, 'sandbox', $3, '2026-01-01', '2026-01-31', 'done', $5, $4, $4)",
            // `$3` says nothing here but is named, so that every statement takes the same values.
            "insert into provider_books (client_id, id, environment, account_hash, entry_sealed, created_at)
             select $1, $2, 'sandbox', $5, $5, $4 where cast($3 as uuid) is not null",
            "insert into scenarios (client_id, id, environment, data_source, label, username_hash, body_sealed, created_at,
                                    updated_at)
             select $1, $2, 'sandbox', 'payroll', 'own', $5, $5, $4, $4 where cast($3 as uuid) is not null",
            "insert into idempotency_keys (client_id, environment, id, key_hash, request_hash, answer_sealed, task_id, link_id,
                                           created_at) values ($1, 'sandbox', $2, $5, $5, $5, $2, $3, $4)",
            "insert into users (client_id, id, environment, data_key_wrapped, profile_sealed, created_at, updated_at)
             select $1, $2, 'sandbox', $5, $5, $4, $4 where cast($3 as uuid) is not null",
            "insert into templates (client_id, id, environment, name, body, created_at, updated_at)
             select $1, $2, 'sandbox', 'Plain', '{}', $4, $4
              where cast($3 as uuid) is not null and cast($5 as bytea) is not null",
            "insert into user_reports (client_id, id, environment, user_id, is_voe, body_sealed, created_at)
             select $1, $2, 'sandbox', $2, false, $5, $4 where cast($3 as uuid) is not null",
            "insert into orders (client_id, id, environment, user_id, access_key_id, products, source, body_sealed,
                                 page_token_hash, page_token_sealed, created_at, updated_at, expires_at)
             select $1, $2, 'sandbox', $2, t.access_key_id, 'income', 'external', $5, t.token_hash, $5, $4, $4, $4
               from bridge_tokens as t join links as l on l.client_id = t.client_id and l.bridge_token_id = t.id
              where l.client_id = $1 and l.id = $3",
            "insert into order_employers (client_id, id, environment, order_id, place, product, status, body_sealed,
                                          bridge_token_sealed, created_at, updated_at)
             select $1, $2, 'sandbox', $2, 0, 'income', 'pending', $5, $5, $4, $4 where cast($3 as uuid) is not null",
            "insert into calls (client_id, id, environment, at, method, route, path, status, is_error, duration_us, link_id)
             select $1, $2, 'sandbox', $4, 'GET', '/', '/', 200, false, 1, $3 where cast($5 as bytea) is not null",
            "insert into call_bodies (client_id, call_id, environment, response)
             select $1, $2, 'sandbox', $5 where cast($3 as uuid) is not null and cast($4 as bigint) > 0",
            "insert into screens (client_id, id, environment, bridge_token_id, name, is_first, at)
             select $1, $2, 'sandbox', $3, 'SUCCESS', true, $4 where cast($5 as bytea) is not null",
            "insert into usage_hours (client_id, environment, hour, route, status_class, bucket, calls, duration_us)
             select $1, 'sandbox', $4, '/', 2, 0, 1, 1
              where cast($2 as uuid) is not null and cast($3 as uuid) is not null and cast($5 as bytea) is not null",
            "insert into deletions (client_id, id, environment, kind, object_id, deleted_at)
             select $1, $2, 'sandbox', 'link', $3, $4 where cast($5 as bytea) is not null",
        ] {
            tx.execute(sql, &ids).await?;
        }
        Ok::<_, citadel_store::Error>(())
    };
    store.db.write(put).await.unwrap();
}

fn event_of(store: &Store, tenant: Tenant) -> NewWebhookEvent {
    NewWebhookEvent {
        id: EventId::generate(store.now, &*store.random),
        tenant,
        link_id: None,
        task_id: None,
        order_id: None,
        event_type: "task-status-updated".to_owned(),
        body: "{}".to_owned(),
        created_at: store.now,
    }
}

#[tokio::test]
async fn p05_postgres_shows_no_foreign_row_even_without_the_filter() {
    on_postgres("row_security", &async |store: Store| {
        let refuses = "the tests on Postgres need a role that is no superuser and has no bypassrls";
        assert!(store.db.is_role_fenced().await.unwrap(), "{refuses}");
        let (own, other) = (tenant_with_rows(&store).await, tenant_with_rows(&store).await);
        let scoped = store.db.scoped(own.client_id);
        for (table, column) in tenant_tables(&store.db).await {
            let all = owners(&store.db, &table, column).await;
            for client in [own, other].map(|tenant| tenant.client_id) {
                assert!(all.contains(&client), "the test needs a row in {table}");
            }
            let seen = owners(&scoped, &table, column).await;
            assert!(!seen.is_empty(), "{table} hides a client's own rows");
            assert!(seen.iter().all(|client| *client == own.client_id), "{table} shows foreign rows");

            let sql: &'static str = format!("update {table} set {column} = {column}").leak();
            let changed = scoped.write(async move |tx| tx.execute(sql, &[]).await).await;
            if table == "audit_entries" {
                // Not even one's own.
                assert!(matches!(changed, Err(citadel_store::Error::Conflict)), "{table}: {changed:?}");
                continue;
            }
            let changed = changed.unwrap();
            assert_eq!(changed, seen.len() as u64, "{table} lets foreign rows be changed");
        }
        let nobody = store.db.scoped(ClientId::from_bytes([0; 16]));
        assert_eq!(owners(&nobody, "links", "client_id").await, []);
    })
    .await;
}

#[tokio::test]
async fn p05_postgres_takes_no_row_for_another_client() {
    on_postgres("row_security_insert", &async |store: Store| {
        let (own, other) = (tenant_with_rows(&store).await, tenant_with_rows(&store).await);
        let scoped = store.db.scoped(own.client_id);
        for (tenant, is_taken) in [(own, true), (other, false)] {
            let event = event_of(&store, tenant);
            let append = scoped.write(async move |tx| append_event(tx, &event).await.map(drop));
            assert_eq!(append.await.is_ok(), is_taken);
        }
        let give_away = scoped.write(async move |tx| {
            let to = [Value::from(other.client_id)];
            tx.execute("update webhook_events set client_id = $1 where link_id is null", &to).await
        });
        assert!(give_away.await.is_err(), "a row was given to another client");
        let delete = scoped.write(async |tx| tx.execute("delete from deliveries", &[]).await);
        assert_eq!(delete.await.unwrap(), 1);
        assert_eq!(owners(&store.db, "deliveries", "client_id").await, [other.client_id]);
    })
    .await;
}

#[tokio::test]
async fn p05_a_connection_that_names_nobody_sees_nothing() {
    on_postgres("row_security_unset", &async |store: Store| {
        tenant_with_rows(&store).await;
        let name = "select cast(current_database() as text)";
        let name = store.db.read(async move |tx| tx.fetch_one(name, &[], |row| row.get::<String>(0)).await);
        let (base, database) = (postgres_url().unwrap(), name.await.unwrap());
        let url = format!("{}/{database}", base.rsplit_once('/').unwrap().0);
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        // Never set; then left behind by a transaction, which makes it empty rather than missing.
        for _ in 0..2 {
            for (table, _) in tenant_tables(&store.db).await {
                let row = client.query_one(&format!("select count(*) from {table}"), &[]).await.unwrap();
                assert_eq!(row.get::<_, i64>(0), 0, "{table}");
            }
            client.batch_execute("begin; set local app.client = '*'; commit").await.unwrap();
        }
        drop(client);
        connection.await.unwrap().unwrap();
    })
    .await;
}
