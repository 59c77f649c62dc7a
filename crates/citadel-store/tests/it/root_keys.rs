//! P18 and P19: whose key it is, and what happens when there is a new version of it.

use std::sync::Arc;

use citadel_domain::{Environment, SeededRandom};
use citadel_store::{
    Db, Keyring, Place, Row, Tenant,
    root_keys::{self, BEGINNING, COLUMNS, Fit},
    users::{self, NewUser},
};

use crate::{
    fixtures::Done,
    harness::{Store, for_each_db, on_sqlite},
};

fn keyring(bytes: &[u8]) -> Arc<Keyring> {
    let keys: Vec<_> = bytes.iter().map(|byte| [*byte; 32]).collect();
    Arc::new(Keyring::open_all(&keys, Arc::new(SeededRandom::new(1))).unwrap())
}

async fn fit(db: &Db, keyring: &Arc<Keyring>) -> Fit {
    let keyring = Arc::clone(keyring);
    db.read(async move |tx| root_keys::fit(tx, &keyring).await).await.unwrap()
}

async fn keep(store: &Store, keyring: &Arc<Keyring>) {
    let (keyring, now) = (Arc::clone(keyring), store.now);
    store.db.write(async move |tx| root_keys::keep(tx, &keyring, now).await).await.unwrap();
}

async fn rotate(store: &Store, keyring: &Arc<Keyring>) {
    let (kept, now) = (Arc::clone(keyring), store.after(1));
    let newest = *keyring.ids().last().unwrap();
    store.db.write(async move |tx| root_keys::seal_with(tx, &kept, newest, now).await).await.unwrap();
    keyring.seal_with(newest);
}

#[tokio::test]
async fn p18_only_the_key_that_sealed_the_database_is_right() {
    for_each_db("p18", async |store| {
        let (right, wrong) = (keyring(&[1]), keyring(&[2]));
        assert_eq!(fit(&store.db, &right).await, Fit::New);
        keep(&store, &right).await;
        assert_eq!(fit(&store.db, &right).await, Fit::Right);
        assert_eq!(fit(&store.db, &wrong).await, Fit::Wrong);
        assert_eq!(fit(&store.db, &right).await, Fit::Right);
        // A key more does no harm, wherever it stands.
        assert_eq!(fit(&store.db, &keyring(&[2, 1])).await, Fit::Right);
    })
    .await;
}

/// A database of a release that knew one root key: the check is there, and nothing else.
#[tokio::test]
async fn p19_a_database_from_before_versions_takes_its_key_as_the_first() {
    for_each_db("p19_before", async |store| {
        let old = keyring(&[1]);
        keep(&store, &old).await;
        let forget = store.db.write(async |tx| {
            tx.execute("delete from settings where name = 'hash_key_sealed'", &[]).await?;
            tx.execute("delete from root_keys", &[]).await
        });
        forget.await.unwrap();
        assert_eq!(fit(&store.db, &keyring(&[2])).await, Fit::Wrong);
        let both = keyring(&[2, 1]);
        assert_eq!(fit(&store.db, &both).await, Fit::Right);
        assert_eq!(both.current(), old.current(), "the key that is in use goes on");
        assert_eq!(both.keyed_hash("x", "y"), old.keyed_hash("x", "y"));
        keep(&store, &both).await;
        assert_eq!(fit(&store.db, &old).await, Fit::Right);
    })
    .await;
}

#[tokio::test]
async fn p19_a_new_version_seals_at_once_and_the_old_one_goes_when_nothing_needs_it() {
    for_each_db("p19", async |store| {
        let tenant = store.tenant().await;
        let old = keyring(&[1]);
        keep(&store, &old).await;
        let id = citadel_domain::UserId::generate(store.now, &*store.random);
        let place = Place::new(tenant, "users", "data_key_wrapped", *id.as_bytes());
        let (key, wrapped) = old.new_data_key(&place).unwrap();
        let inner = Place::new(tenant, "users", "profile_sealed", *id.as_bytes());
        let user = NewUser {
            id,
            tenant,
            external_id_hash: Some(old.keyed_hash("external", "7")),
            data_key_wrapped: wrapped,
            profile_sealed: key.seal(&inner, b"John").unwrap(),
            created_at: store.now,
        };
        store.db.write(async move |tx| users::create(tx, &user).await).await.unwrap();

        let both = keyring(&[1, 2]);
        assert_eq!(fit(&store.db, &both).await, Fit::Right);
        assert_eq!(both.current(), old.current(), "a version that is only written down seals nothing");
        rotate(&store, &both).await;
        assert_ne!(both.current(), old.current());
        let sealed = both.seal(&place, b"new").unwrap();
        assert!(old.unseal(&place, &sealed).is_err(), "sealed by the new version");
        let only_new = keyring(&[2]);
        assert_eq!(fit(&store.db, &only_new).await, Fit::Missing(old.ids()), "the old version is missed");
        assert_eq!(fit(&store.db, &old).await, Fit::Missing(vec![both.current()]));

        // Other nodes learn from the database which version seals.
        let other = keyring(&[1, 2]);
        assert_eq!(fit(&store.db, &other).await, Fit::Right);
        assert_eq!(other.current(), both.current());

        let mut rewrapped = 0;
        for column in COLUMNS {
            let keyring = Arc::clone(&both);
            let write = store.db.write(async move |tx| {
                let mut done = 0;
                for sealed in column.page(tx, BEGINNING, 1000).await? {
                    done +=
                        u64::from(sealed.is_older(&keyring) && column.rewrap(tx, &keyring, &sealed).await?);
                }
                Done::Ok(done)
            });
            rewrapped += write.await.unwrap();
        }
        assert_eq!(rewrapped, 1);
        let (first, now) = (old.current(), store.after(100));
        store
            .db
            .write(async move |tx| {
                assert!(!root_keys::forget(tx, first).await?, "nobody has looked whether it is empty");
                let versions = root_keys::list(tx).await?;
                assert_eq!(versions[0].id, first);
                root_keys::set_emptied(tx, versions[0], now).await?;
                assert!(root_keys::forget(tx, first).await?);
                Done::Ok(())
            })
            .await
            .unwrap();
        assert_eq!(fit(&store.db, &only_new).await, Fit::Right);
        assert_eq!(fit(&store.db, &old).await, Fit::Wrong);
        // What clients hold, and what is found by hash, stays what it was; what was sealed opens.
        let hash = only_new.keyed_hash("external", "7");
        let found = store.db.read(async move |tx| users::find_by_external_id(tx, tenant, &hash).await).await;
        let user = found.unwrap().unwrap();
        let key = only_new.unwrap_data_key(&place, &user.data_key_wrapped).unwrap();
        assert_eq!(&*key.open(&inner, &user.profile_sealed).unwrap(), b"John");
        assert!(old.unwrap_data_key(&place, &user.data_key_wrapped).is_err());
    })
    .await;
}

/// A column that somebody adds is either here, under a data key, or rewrapped. Otherwise a rotation would lose it.
#[tokio::test]
async fn p19_every_sealed_column_is_known() {
    const UNDER_DATA_KEYS: &[&str] = &[
        "changes.change_sealed",
        "changes.plan_sealed",
        "links.access_token_sealed",
        "links.grant_sealed",
        "logins.answer_sealed",
        "logins.grant_sealed",
        "logins.login_sealed",
        "logins.session_sealed",
        "order_employers.body_sealed",
        "orders.body_sealed",
        "payroll_reports.body_sealed",
        "reports.body_sealed",
        "user_reports.body_sealed",
        "users.profile_sealed",
    ];
    on_sqlite("p19_columns", &async |store: Store| {
        let sql = "select t.name || '.' || c.name from sqlite_schema t, pragma_table_info(t.name) c
                    where t.type = 'table' and (c.name like '%sealed' or c.name like '%wrapped')";
        let all =
            store.db.read(async move |tx| tx.fetch_all(sql, &[], |row: &Row<'_>| row.get::<String>(0)).await);
        let mut all = all.await.unwrap();
        let mut known: Vec<_> = COLUMNS
            .iter()
            .map(|column| format!("{}.{}", column.name().0, column.name().1))
            .chain(UNDER_DATA_KEYS.iter().map(|name| (*name).to_owned()))
            .collect();
        all.sort();
        known.sort();
        assert_eq!(all, known);
    })
    .await;
}

#[tokio::test]
async fn p19_values_are_counted_by_the_version_they_lie_under() {
    for_each_db("p19_count", async |store| {
        let tenant = Tenant { client_id: store.tenant().await.client_id, environment: Environment::Sandbox };
        let (old, both) = (keyring(&[1]), keyring(&[1, 2]));
        for (keyring, number) in [(&old, 0), (&both, 1), (&both, 2)] {
            let mut key = store.new_access_key(tenant);
            // Two keys are the most of one environment.
            key.environment = [Environment::Sandbox, Environment::Sandbox, Environment::Dev][number];
            let place = Place::new(tenant, "access_keys", "secret_sealed", *key.id.as_bytes());
            key.secret_sealed = keyring.seal(&place, b"secret").unwrap();
            store.db.write(async move |tx| citadel_store::access_keys::create(tx, &key).await).await.unwrap();
        }
        let counts = store.db.read(async |tx| root_keys::count(tx).await).await.unwrap();
        assert_eq!(counts.get(&old.current()), Some(&1));
        assert_eq!(counts.get(&both.current()), Some(&2));
    })
    .await;
}
