//! Migrations: the same file names for both databases, each in one transaction, one runner at a time.

use aws_lc_rs::digest;
use citadel_domain::tokens::hex;
use jiff::Timestamp;

use crate::{Db, Dialect, Error, Tx, settings, value::params};

/// The setting that is written to see whether the database takes a write.
const READINESS_PROBE: &str = "readiness_probe";

struct Migration {
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migration {
    ($name:literal) => {
        Migration {
            name: $name,
            sqlite: include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../migrations/postgres/", $name, ".sql")),
        }
    };
}

/// In the order in which they are applied. Never change one that was released: add another.
const MIGRATIONS: &[Migration] = &[
    migration!("0001_init"),
    migration!("0002_products"),
    migration!("0003_webhooks"),
    migration!("0004_live_tables"),
    migration!("0005_sandbox"),
    migration!("0006_scenarios_of_tasks"),
    migration!("0007_users_and_orders"),
    migration!("0008_idempotency_keys"),
    migration!("0009_endings"),
    migration!("0010_nodes"),
    migration!("0011_sign_in_tries"),
    migration!("0012_orders"),
    migration!("0013_holds"),
    migration!("0014_audit_trail"),
    migration!("0015_calls"),
    migration!("0016_dashboard"),
    migration!("0017_masked_keys"),
    migration!("0018_consumer_pages"),
];

const TABLE: &str = "create table if not exists schema_migrations (name text not null primary key, checksum text not null, applied_at ";

impl Migration {
    fn sql(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }

    fn checksum(&self, dialect: Dialect) -> String {
        hex(digest::digest(&digest::SHA256, self.sql(dialect).as_bytes()).as_ref())
    }
}

impl Db {
    /// Applies what is missing; answers the names of what was applied.
    pub async fn migrate(&self, now: Timestamp) -> Result<Vec<&'static str>, Error> {
        self.migrate_to(now, MIGRATIONS[MIGRATIONS.len() - 1].name).await
    }

    /// As [`Db::migrate`], up to the migration of this name: the database of an earlier release, for tests of upgrades.
    #[doc(hidden)]
    pub async fn migrate_to(&self, now: Timestamp, last: &str) -> Result<Vec<&'static str>, Error> {
        let last = last.to_owned();
        // Two nodes may start at once: whoever loses the race for the table finds it in place at the second try.
        if self.write(create_table).await.is_err() {
            self.write(create_table).await?;
        }
        self.patient()
            .write(async move |tx| {
                if tx.dialect() == Dialect::Postgres {
                    tx.execute_batch("lock table schema_migrations in exclusive mode").await?;
                }
                let mut missing = missing(tx).await?;
                missing.retain(|migration| migration.name <= last.as_str());
                for migration in &missing {
                    tx.execute_batch(migration.sql(tx.dialect())).await?;
                    let checksum = migration.checksum(tx.dialect());
                    tx.execute(
                        "insert into schema_migrations (name, checksum, applied_at) values ($1, $2, $3)",
                        params![migration.name, checksum, now],
                    )
                    .await?;
                }
                Ok(missing.iter().map(|migration| migration.name).collect())
            })
            .await
    }

    /// The names of every migration, in order.
    pub fn migrations() -> impl Iterator<Item = &'static str> {
        MIGRATIONS.iter().map(|migration| migration.name)
    }

    /// The names of migrations that are not applied yet. Writes nothing.
    pub async fn pending_migrations(&self) -> Result<Vec<&'static str>, Error> {
        self.read(async |tx| {
            if !has_table(tx, "schema_migrations").await? {
                return Ok(MIGRATIONS.iter().map(|migration| migration.name).collect());
            }
            Ok(missing(tx).await?.iter().map(|migration| migration.name).collect())
        })
        .await
    }

    /// Whether the database takes a write. A row is really changed: a statement that changes nothing reaches no disk.
    pub async fn ping_write(&self, now: Timestamp) -> Result<(), Error> {
        let value = now.as_microsecond().to_string();
        self.write(async move |tx| settings::put(tx, READINESS_PROBE, &value).await).await
    }
}

async fn create_table(tx: &mut Tx<'_>) -> Result<(), Error> {
    let tail = match tx.dialect() {
        Dialect::Sqlite => "integer not null) strict",
        Dialect::Postgres => "bigint not null)",
    };
    tx.execute_batch(&format!("{TABLE}{tail}")).await
}

pub(crate) async fn has_table(tx: &mut Tx<'_>, name: &str) -> Result<bool, Error> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => "select 1 from sqlite_schema where type = 'table' and name = $1",
        Dialect::Postgres => {
            "select cast(1 as bigint) from information_schema.tables
             where cast(table_name as text) = $1 and table_schema = current_schema()"
        }
    };
    Ok(tx.fetch_optional(sql, params![name], |row| row.get::<i64>(0)).await?.is_some())
}

/// What is not applied yet. Refuses a database that is ahead of this program, or whose past was rewritten.
async fn missing(tx: &mut Tx<'_>) -> Result<Vec<&'static Migration>, Error> {
    let applied = tx
        .fetch_all("select name, checksum from schema_migrations order by name", &[], |row| {
            Ok((row.get::<String>(0)?, row.get::<String>(1)?))
        })
        .await?;
    for (name, checksum) in &applied {
        let Some(known) = MIGRATIONS.iter().find(|migration| migration.name == name) else {
            return Err(Error::Schema(format!(
                "the database has the migration {name}, which this version does not know: run the newer version"
            )));
        };
        if known.checksum(tx.dialect()) != *checksum {
            return Err(Error::Schema(format!("the migration {name} was changed after it was applied")));
        }
    }
    let is_applied = |migration: &&Migration| applied.iter().any(|(name, _)| name == migration.name);
    Ok(MIGRATIONS.iter().filter(|migration| !is_applied(migration)).collect())
}
