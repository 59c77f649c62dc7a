//! P5, the second fence: on Postgres a statement without its client filter still meets one client's rows only.
//!
//! The statements here are what the store's own would be with the filter patched out.

use citadel_domain::{ClientId, EventId};
use citadel_store::{
    Db, Row, Tenant, Tx, Value, reports,
    webhook_events::{self, NewWebhookEvent},
};
use tokio_postgres::NoTls;

use crate::harness::{Store, on_postgres, postgres_url};

/// Tables with rows of clients.
const TENANT_TABLES: usize = 9;

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

/// Whose rows a statement without a filter finds.
async fn owners(db: &Db, table: &str, column: &str) -> Vec<ClientId> {
    let sql: &'static str = format!("select {column} from {table}").leak();
    db.read(async move |tx| tx.fetch_all(sql, &[], |row| row.get::<ClientId>(0)).await).await.unwrap()
}

/// A client with a row in every table.
async fn tenant_with_rows(store: &Store) -> Tenant {
    let (_, link, task) = store.running_task().await;
    store.login(&task).await;
    store.public_token(&task).await;
    let event = event_of(store, task.tenant);
    let now = store.now;
    let put = async move |tx: &mut Tx<'_>| {
        reports::put(tx, link.tenant, link.id, "income", &[1], now).await?;
        webhook_events::append(tx, &event).await.map(drop)
    };
    store.db.write(put).await.unwrap();
    task.tenant
}

fn event_of(store: &Store, tenant: Tenant) -> NewWebhookEvent {
    NewWebhookEvent {
        id: EventId::generate(store.now, &*store.random),
        tenant,
        link_id: None,
        task_id: None,
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
            let changed = scoped.write(async move |tx| tx.execute(sql, &[]).await).await.unwrap();
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
            let append = scoped.write(async move |tx| webhook_events::append(tx, &event).await.map(drop));
            assert_eq!(append.await.is_ok(), is_taken);
        }
        let give_away = scoped.write(async move |tx| {
            let to = [Value::from(other.client_id)];
            tx.execute("update webhook_events set client_id = $1 where link_id is null", &to).await
        });
        assert!(give_away.await.is_err(), "a row was given to another client");
        let delete = scoped.write(async |tx| tx.execute("delete from webhook_events", &[]).await);
        assert_eq!(delete.await.unwrap(), 2);
        assert_eq!(owners(&store.db, "webhook_events", "client_id").await, [other.client_id]);
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
