//! P61: a database of every earlier state comes along, with what is in it.

use citadel_domain::{JobId, Random};
use citadel_store::{Db, Value, jobs};
use jiff::{SignedDuration, Timestamp};

use crate::harness::for_each_new_db;

/// What every schema since the first had: a client with a key, a token, a link with a task that is done and one that runs, its
/// login, tokens, a report, an event and a job.
const SEED: &[&str] = &[
    "insert into clients (id, name, allowed_origins, created_at) select $1, 'Acme', 'https://acme.example', $3
      where cast($2 as uuid) is not null and cast($4 as bytea) is not null",
    "insert into access_keys (client_id, id, environment, secret_hash, secret_sealed, created_at)
     values ($1, $2, 'dev', $4, $4, $3)",
    "insert into bridge_tokens (client_id, id, environment, access_key_id, token_hash, product, allowed_products,
                                data_sources, link_count, sign_in_count, created_at, expires_at)
     values ($1, $2, 'dev', $2, $4, 'income', 'income', 'payroll', 1, 1, $3, $3)",
    "insert into links (client_id, id, environment, bridge_token_id, provider_id, product, allowed_products, status,
                        access_token_hash, access_token_sealed, data_key_wrapped, created_at, updated_at)
     values ($1, $2, 'dev', $2, 'adp', 'income', 'income', 'done', $4, $4, $4, $3, $3)",
    "insert into tasks (client_id, id, environment, link_id, bridge_token_id, access_key_id, product, kind, status,
                        created_at, updated_at, finished_at)
     select $1, $2, 'dev', $2, $2, $2, 'income', 'initial', 'done', $3, $3, cast($3 as bigint) + 5000000
      where cast($4 as bytea) is not null",
    "insert into logins (client_id, task_id, environment, key_wrapped, login_sealed, expires_at)
     values ($1, $2, 'dev', $4, $4, $3)",
    "insert into public_tokens (client_id, id, environment, link_id, task_id, token_hash, created_at, expires_at, spent_at)
     values ($1, $2, 'dev', $2, $2, $4, $3, $3, $3)",
    "insert into reports (client_id, link_id, kind, environment, body_sealed, updated_at)
     values ($1, $2, 'income', 'dev', $4, $3)",
    "insert into webhook_events (client_id, id, environment, link_id, task_id, event_type, body, created_at, task_sequence)
     select $1, $2, 'dev', $2, $2, 'task-status-updated', '{}', $3, 1 where cast($4 as bytea) is not null",
    "insert into jobs (id, shard, kind, payload, run_at, attempts, fence, done, created_at)
     select $2, 0, 'run_task', '{}', $3, 0, 7, false, $3 from clients where id = $1 and cast($4 as bytea) is not null",
];

const TABLES: &[&str] = &[
    "clients",
    "access_keys",
    "bridge_tokens",
    "links",
    "tasks",
    "logins",
    "public_tokens",
    "reports",
    "webhook_events",
    "jobs",
];

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

async fn seed(db: &Db, random: &dyn Random) -> JobId {
    let mut id = [0; 16];
    random.fill(&mut id);
    let values = [
        Value::from(citadel_domain::ClientId::from_bytes(id)),
        Value::from(JobId::from_bytes(id)),
        Value::from(now()),
        Value::from(vec![7, 7, 7]),
    ];
    db.write(async move |tx| {
        for sql in SEED {
            tx.execute(sql, &values).await?;
        }
        Ok::<_, citadel_store::Error>(())
    })
    .await
    .unwrap();
    JobId::from_bytes(id)
}

#[tokio::test]
async fn p61_a_database_of_every_earlier_state_comes_along() {
    let random = citadel_domain::SeededRandom::new(61);
    for state in Db::migrations() {
        let name = format!("p61_{}", &state[..4]);
        for_each_new_db(&name, &async |db: Db| {
            db.migrate_to(now(), state).await.unwrap();
            let job = seed(&db, &random).await;
            let is_newest = Some(state) == Db::migrations().last();
            assert_eq!(db.pending_migrations().await.unwrap().is_empty(), is_newest, "{state}");
            db.migrate(now()).await.unwrap();
            assert_eq!(db.pending_migrations().await.unwrap(), Vec::<&str>::new(), "{state}");
            for table in TABLES {
                let sql: &'static str = format!("select cast(count(*) as bigint) from {table}").leak();
                let count =
                    db.read(async move |tx| tx.fetch_one(sql, &[], |row| row.get::<i64>(0)).await).await;
                assert_eq!(count.unwrap(), 1, "{table} from {state}");
            }
            // A job is still to be taken, under a fence that goes on.
            let lease = SignedDuration::from_secs(30);
            let claimed =
                db.write(async move |tx| jobs::claim(tx, "run_task", now(), lease, 9).await).await.unwrap();
            assert_eq!((claimed.len(), claimed[0].id, claimed[0].fence), (1, job, 8), "{state}");
            if state < "0009" {
                // The end of a consent came with 0009: of what was there it counts from the last success.
                let sql = "select consent_expires_at from links";
                let ends = db
                    .read(async move |tx| tx.fetch_one(sql, &[], |row| row.get::<Timestamp>(0)).await)
                    .await;
                let year = SignedDuration::from_hours(365 * 24) + SignedDuration::from_secs(5);
                assert_eq!(ends.unwrap(), now() + year, "{state}");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn p61_a_database_that_is_ahead_or_was_rewritten_is_left_alone() {
    for_each_new_db("p61_ahead", &async |db: Db| {
        db.migrate(now()).await.unwrap();
        let ahead = "insert into schema_migrations (name, checksum, applied_at) values ('9999_later', '', 0)";
        db.write(async move |tx| tx.execute(ahead, &[]).await).await.unwrap();
        let refused = db.migrate(now()).await.unwrap_err().to_string();
        assert!(refused.contains("9999_later") && refused.contains("newer version"), "{refused}");
        assert!(db.pending_migrations().await.is_err());
    })
    .await;
}
