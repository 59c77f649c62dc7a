//! P22: what is deleted is unreadable at once, gone soon, and stays deleted when an older database comes back.

use std::fs;

use citadel_domain::TaskStatus;
use citadel_store::{
    Db, DbConfig, Tenant, Value, access_keys, clients, dashboard_sessions,
    deletions::{self, Deleted, Deletion},
    links, members, purge,
    users::{self, NewUser},
};

use crate::{
    fixtures::Done,
    harness::{Store, TempDir, for_each_db},
    row_security::{owners, tenant_tables_of, tenant_with_rows},
};

async fn ledger(db: &Db) -> Vec<Deletion> {
    db.read(async |tx| deletions::list_after(tx, None, 1000).await).await.unwrap()
}

async fn purge_all(db: &Db) {
    while db.write(async |tx| purge::step(tx).await).await.unwrap() > 0 {}
}

#[tokio::test]
async fn p22_a_deletion_and_its_entry_are_one() {
    for_each_db("p22_ledger", async |store| {
        let (_, link, task) = store.running_task().await;
        let (tenant, now) = (link.tenant, store.now);
        let stamps = [store.stamp(), store.stamp(), store.stamp()];
        let user = user(&store, tenant);
        let (user_id, id) = (user.id, link.id);
        let key = task.access_key_id;
        store
            .db
            .write(async move |tx| {
                users::create(tx, &user).await?;
                assert!(links::erase(tx, tenant, id, now, stamps[0]).await?);
                assert!(!links::erase(tx, tenant, id, now, stamps[0]).await?);
                assert!(users::erase(tx, tenant, user_id, now, stamps[1]).await?);
                assert!(access_keys::delete(tx, tenant.client_id, key, stamps[2]).await?);
                Done::Ok(())
            })
            .await
            .unwrap();
        let expected = [
            Deletion { stamp: stamps[0], deleted: Deleted::Link(tenant, id) },
            Deletion { stamp: stamps[1], deleted: Deleted::User(tenant, user_id) },
            Deletion { stamp: stamps[2], deleted: Deleted::AccessKey(tenant, key) },
        ];
        let mut found = ledger(&store.db).await;
        found.sort_by_key(|entry| expected.iter().position(|known| known == entry));
        assert_eq!(found, expected);
        for entry in found {
            assert_eq!(entry.to_string().parse(), Ok(entry), "{entry}");
        }
        // A deletion that is undone leaves no entry.
        let (_, other, _) = store.running_task().await;
        let stamp = store.stamp();
        let undone = store.db.write(async move |tx| {
            links::erase(tx, other.tenant, other.id, now, stamp).await?;
            Err::<(), _>(citadel_store::Error::Conflict)
        });
        assert!(undone.await.is_err());
        assert_eq!(ledger(&store.db).await.len(), 3);
        assert!(store.find_link(&other).await.is_some());
    })
    .await;
}

fn user(store: &Store, tenant: Tenant) -> NewUser {
    NewUser {
        id: citadel_domain::UserId::generate(store.now, &*store.random),
        tenant,
        external_id_hash: None,
        data_key_wrapped: vec![6],
        profile_sealed: vec![7],
        created_at: store.now,
    }
}

#[tokio::test]
async fn p22_erased_links_and_users_lose_their_rows() {
    for_each_db("p22_purge", async |store| {
        let (token, link, task) = store.running_task().await;
        store.login(&task).await;
        store.public_token(&task).await;
        let kept = store.link(&token).await;
        let kept_task = store.task(&token, &kept, store.now).await;
        let (tenant, now, stamps) = (link.tenant, store.now, [store.stamp(), store.stamp()]);
        let (user, id) = (user(&store, tenant), link.id);
        let user_id = user.id;
        let erase = store.db.write(async move |tx| {
            users::create(tx, &user).await?;
            links::erase(tx, tenant, id, now, stamps[0]).await?;
            users::erase(tx, tenant, user_id, now, stamps[1]).await
        });
        assert!(erase.await.unwrap());
        purge_all(&store.db).await;
        for table in ["links", "tasks", "public_tokens", "logins", "users"] {
            let left = owners(&store.db, table, "client_id").await.len();
            assert_eq!(left, usize::from(matches!(table, "links" | "tasks")), "{table}");
        }
        assert_eq!(store.find_task(&kept_task).await.status, TaskStatus::New);
    })
    .await;
}

/// Every table that has rows of clients, also one that is added later.
#[tokio::test]
async fn p22_a_deleted_client_leaves_nothing_but_the_ledger_and_receipts() {
    for_each_db("p22_client", async |store| {
        let (gone, other) = (tenant_with_rows(&store).await, tenant_with_rows(&store).await);
        let (id, stamp) = (gone.client_id, store.stamp());
        let (member, guest) = (store.member(Some(id)).await, store.member(Some(other.client_id)).await);
        let owner = store.member(None).await;
        assert!(store.db.write(async move |tx| clients::erase(tx, id, stamp).await).await.unwrap());
        // Who saw this client alone sees nothing any more; others stay.
        for (member_id, stays) in [(member, false), (guest, true), (owner, true)] {
            let found = store.db.read(async move |tx| members::find(tx, member_id).await).await.unwrap();
            assert_eq!(found.is_some(), stays);
            let sessions =
                store.db.read(async move |tx| dashboard_sessions::list(tx, member_id, stamp.at).await).await;
            assert_eq!(sessions.unwrap().len(), usize::from(stays));
        }
        assert!(!store.db.write(async move |tx| clients::erase(tx, id, stamp).await).await.unwrap(), "once");
        let found = store.db.read(async move |tx| clients::find(tx, id).await).await.unwrap();
        assert_eq!(found, None);
        // At once: no key of it is left, neither those of rows nor what lies under the root key.
        for sql in [
            "select cast(count(*) as bigint) from links where client_id = $1 and length(data_key_wrapped) > 0",
            "select cast(count(*) as bigint) from users where client_id = $1 and length(data_key_wrapped) > 0",
            "select cast(count(*) as bigint) from access_keys where client_id = $1 and secret_sealed is not null",
            "select cast(count(*) as bigint) from bridge_tokens where client_id = $1 and account_sealed is not null",
            "select cast(count(*) as bigint) from orders where client_id = $1 and length(page_token_sealed) > 0",
            "select cast(count(*) as bigint) from order_employers where client_id = $1 and length(bridge_token_sealed) > 0",
            "select cast(count(*) as bigint) from webhooks where client_id = $1",
            "select cast(count(*) as bigint) from logins where client_id = $1",
            "select cast(count(*) as bigint) from idempotency_keys where client_id = $1",
            "select cast(count(*) as bigint) from provider_books where client_id = $1",
            "select cast(count(*) as bigint) from scenarios where client_id = $1",
        ] {
            let values = [Value::from(id)];
            let count = store.db.read(async move |tx| tx.fetch_one(sql, &values, |row| row.get::<i64>(0)).await);
            assert_eq!(count.await.unwrap(), 0, "{sql}");
        }
        purge_all(&store.db).await;
        for (table, column) in tenant_tables_of(&store.db).await {
            let left = owners(&store.db, &table, column).await;
            let stays =
                matches!(table.as_str(), "deletions" | "consents" | "audit_entries" | "audit_heads");
            assert_eq!(left.contains(&id), stays, "{table}");
            assert!(left.contains(&other.client_id), "{table} of somebody else");
        }
    })
    .await;
}

/// The file beside the embedded database is ahead when an older copy is put in the newer one's place.
#[tokio::test]
async fn p22_an_older_database_is_brought_up_to_the_ledger_beside_it() {
    let dir = TempDir::new("p22_older");
    let config = DbConfig::Sqlite { path: dir.database() };
    let store = Store::open(&config).await;
    let (_, link, _) = store.running_task().await;
    let (_, other, _) = store.running_task().await;
    store.db.checkpoint().await.unwrap();
    let older = fs::read(dir.database()).unwrap();

    let (tenant, id, now, stamp) = (link.tenant, link.id, store.now, store.stamp());
    assert!(store.db.write(async move |tx| links::erase(tx, tenant, id, now, stamp).await).await.unwrap());
    let file = dir.path().join("deletions.log");
    let entry = Deletion { stamp, deleted: Deleted::Link(tenant, id) };
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{entry}\n"), "it is there before the answer");
    // What a crash cut off was never answered.
    fs::write(&file, format!("{entry}\n0190")).unwrap();
    // In a place of their own: this process may still have the first files open.
    let place = TempDir::new("p22_older_place");
    fs::write(place.database(), &older).unwrap();
    fs::copy(&file, place.path().join("deletions.log")).unwrap();
    let file = place.path().join("deletions.log");
    let store = Store::open(&DbConfig::Sqlite { path: place.database() }).await;
    assert!(store.find_link(&link).await.is_some(), "the older copy knows the link");
    assert_eq!(store.db.keep_ledger_file(store.now).await.unwrap(), 1);
    assert!(store.find_link(&link).await.is_none());
    assert!(store.find_link(&other).await.is_some());
    assert_eq!(store.db.keep_ledger_file(store.now).await.unwrap(), 0, "once");
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{entry}\n"));

    // The other way round: a file that was lost is written again.
    fs::remove_file(&file).unwrap();
    assert_eq!(store.db.keep_ledger_file(store.now).await.unwrap(), 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{entry}\n"));
    // Nobody guesses at a line that is none.
    fs::write(&file, "nonsense\n").unwrap();
    let refused = store.db.keep_ledger_file(store.now).await.unwrap_err().to_string();
    assert!(refused.contains("line 1") && refused.contains("deletions.log"), "{refused}");
}
