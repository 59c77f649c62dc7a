use std::collections::BTreeSet;

use citadel_store::{Db, DbConfig, Row};

use crate::{
    fixtures::Done,
    harness::{Store, TempDir, for_each_db, on_postgres, on_sqlite, postgres_url},
};

/// Table, column, kind, and whether it may be null.
type Column = (String, String, &'static str, bool);

fn read(row: &Row<'_>) -> Done<Column> {
    let kind = match row.get::<String>(2)?.to_lowercase().as_str() {
        "text" => "text",
        "integer" | "bigint" | "boolean" => "number",
        "blob" | "uuid" | "bytea" => "bytes",
        other => panic!("no column is of type {other}"),
    };
    Ok((row.get(0)?, row.get(1)?, kind, row.get(3)?))
}

async fn sqlite_columns(store: &Store) -> BTreeSet<Column> {
    let list = store.db.read(async |tx| {
        tx.fetch_all(
            "select t.name, c.name, c.type, c.\"notnull\" = 0
               from sqlite_schema t, pragma_table_info(t.name) c
              where t.type = 'table' and t.name not like 'sqlite_%'",
            &[],
            read,
        )
        .await
    });
    list.await.unwrap().into_iter().collect()
}

async fn postgres_columns(store: &Store) -> BTreeSet<Column> {
    let list = store.db.read(async |tx| {
        tx.fetch_all(
            "select cast(table_name as text), cast(column_name as text), cast(data_type as text), is_nullable = 'YES'
               from information_schema.columns where table_schema = current_schema()",
            &[],
            read,
        )
        .await
    });
    list.await.unwrap().into_iter().collect()
}

#[tokio::test]
async fn both_databases_have_the_same_tables_columns_and_nullability() {
    if postgres_url().is_none() {
        return;
    }
    on_postgres("schema", &async |postgres: Store| {
        on_sqlite("schema", &async |sqlite: Store| {
            let (sqlite, postgres) = (sqlite_columns(&sqlite).await, postgres_columns(&postgres).await);
            assert!(sqlite.len() > 100, "{}", sqlite.len());
            let different: Vec<_> = sqlite.symmetric_difference(&postgres).collect();
            assert!(different.is_empty(), "{different:?}");
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn sqlite_tables_are_strict() {
    on_sqlite("strict", &async |store| {
        let lax = store.db.read(async |tx| {
            tx.fetch_all(
                "select name from pragma_table_list where schema = 'main' and type = 'table' and strict = 0
                    and name not like 'sqlite_%'",
                &[],
                |row| row.get::<String>(0),
            )
            .await
        });
        assert_eq!(lax.await.unwrap(), Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_second_migration_has_nothing_to_do() {
    for_each_db("migrate_twice", async |store| {
        assert_eq!(store.db.pending_migrations().await.unwrap(), Vec::<&str>::new());
        assert_eq!(store.db.migrate(store.now).await.unwrap(), Vec::<&str>::new());
    })
    .await;
}

#[tokio::test]
async fn a_new_file_knows_what_is_pending_and_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new("pending");
    let db = Db::open(&DbConfig::Sqlite { path: dir.database() }).unwrap();
    assert_eq!(
        db.pending_migrations().await.unwrap(),
        [
            "0001_init",
            "0002_products",
            "0003_webhooks",
            "0004_live_tables",
            "0005_sandbox",
            "0006_scenarios_of_tasks",
            "0007_users_and_orders",
            "0008_idempotency_keys",
            "0009_endings",
            "0010_nodes",
            "0011_sign_in_tries",
            "0012_orders",
            "0013_holds",
            "0014_audit_trail",
            "0015_calls",
            "0016_dashboard",
            "0017_masked_keys",
            "0018_consumer_pages",
        ]
    );
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", entry.path().display());
    }
}
