//! P61: upgrades take a copy first, and survive a kill.

use std::{cell::Cell, fs, path::Path, time::Duration};

use citadel_domain::Clock;
use citadel_server::{
    backups::{self, Since},
    opening, seeding,
    system::SystemClock,
};
use citadel_store::{Db, DbConfig};
use tokio::time::Instant;

use crate::{
    child::{self, ServerChild},
    restores::{Home, quiet, random, write_key},
};

/// A database of an earlier release, with the directory in it. Answers how many companies that has.
async fn earlier(home: &Path, release: &str) -> u64 {
    fs::create_dir_all(home.join("data")).unwrap();
    write_key(home);
    let db = Db::open(&DbConfig::Sqlite { path: home.join("data/citadel.db") }).unwrap();
    db.migrate_to(SystemClock.now(), release).await.unwrap();
    seeding::seed(&db).await.unwrap();
    companies(&db).await
}

async fn companies(db: &Db) -> u64 {
    let rows = "select count(*) from companies";
    let count =
        db.read(async move |tx| tx.fetch_one(rows, &[], |row| row.get::<i64>(0)).await).await.unwrap();
    count.unsigned_abs()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p61_an_upgrade_takes_a_backup_first() {
    let home = Home::new("upgrade");
    let names: Vec<_> = Db::migrations().collect();
    let companies = earlier(&home.0, names[names.len() - 2]).await;
    let opened = opening::open(&home.config(), &SystemClock, &random()).await.unwrap();
    assert_eq!(opened.applied.len(), 1);
    drop(opened);
    let backup = home.0.join(format!("data/before-{}.backup", Db::migrations().last().unwrap()));
    let contents = backups::verify(&home.config(), &backup, &random(), &quiet()).unwrap();
    assert_eq!(contents.rows["companies"], companies);
    assert_ne!(Some(contents.schema.as_str()), Db::migrations().last());
    // It restores, and is upgraded on the way.
    let target = Home::new("upgrade-target");
    let since = Since::Unknown { named: vec![], is_confirmed: Box::new(|_| true) };
    backups::restore(&target.config(), &backup, since, &SystemClock, &random(), &quiet()).await.unwrap();
    let opened = opening::open(&target.config(), &SystemClock, &random()).await.unwrap();
    assert_eq!(opened.applied, Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p61_a_kill_in_an_upgrade_leaves_the_old_or_the_new() {
    kill_upgrades("upgrade-small", 6).await;
}

#[cfg(feature = "soak")]
mod soak {
    use super::*;
    use crate::soak;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn p61_fifty_kills_in_an_upgrade_leave_the_old_or_the_new() {
        let points = soak::count("CITADEL_SOAK_P61_POINTS", 50);
        let finding = soak::begin(
            "P61",
            format!("SIGKILL at {points} points of an upgrade from the first schema"),
            "each left whole and went on, at least half met the upgrade",
        );
        let met = kill_upgrades("upgrade-full", points).await;
        let figure = format!(
            "{points} of {points} whole; {} in the copy, {} between steps, {} before, {} after the last step",
            met.copying, met.stepping, met.before, met.after
        );
        finding.end(figure, 2 * (met.copying + met.stepping) >= points);
    }
}

/// Where the kills found the upgrade.
#[derive(Debug, Default)]
struct Met {
    /// It had not begun.
    before: usize,
    /// The copy was being taken, or was there, and no step was.
    copying: usize,
    /// Some steps were there.
    stepping: usize,
    after: usize,
}

/// Whether the copy before an upgrade was begun.
fn is_begun(home: &Path) -> bool {
    let names =
        fs::read_dir(home.join("data")).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.into_iter().any(|name| name.to_string_lossy().starts_with("before-"))
}

/// The kills are spread over what a start that nobody disturbed took, from its copy until it took requests. Whatever else the
/// machine does decides where they really fall, so that is counted.
async fn kill_upgrades(name: &str, points: usize) -> Met {
    let mut child = ServerChild::new(name);
    let first = Db::migrations().next().unwrap();
    let steps = Db::migrations().count() - 1;
    earlier(child.home(), first).await;
    let begun = Cell::new(None);
    let home = child.home().to_owned();
    let watch = || {
        if begun.get().is_none() && is_begun(&home) {
            begun.set(Some(Instant::now()));
        }
        home.join("address").exists()
    };
    child.start_and_kill(watch, Duration::ZERO).await;
    let whole = begun.get().expect("an upgrade takes a copy").elapsed();

    let mut met = Met::default();
    for point in 0..points {
        let _ = fs::remove_dir_all(child.home().join("data"));
        let companies_before = earlier(child.home(), first).await;
        let after = whole * u32::try_from(point).unwrap() / u32::try_from(points).unwrap();
        child.start_and_kill(|| is_begun(&home), after).await;
        let there = Db::open(&DbConfig::Sqlite { path: home.join("data/citadel.db") }).unwrap();
        let pending = there.pending_migrations().await.unwrap().len();
        drop(there);
        match pending {
            0 => met.after += 1,
            pending if pending < steps => met.stepping += 1,
            _ if is_begun(&home) => met.copying += 1,
            _ => met.before += 1,
        }
        let config = child::config(child.home());
        let opened = opening::open(&config, &SystemClock, &random()).await.unwrap();
        assert_eq!(opened.applied.len(), pending, "point {point}");
        assert_eq!(opened.db.pending_migrations().await.unwrap(), Vec::<&str>::new(), "point {point}");
        assert_eq!(companies(&opened.db).await, companies_before, "point {point}");
        let sound = "pragma integrity_check";
        let sound =
            opened.db.read(async move |tx| tx.fetch_one(sound, &[], |row| row.get::<String>(0)).await).await;
        assert_eq!(sound.unwrap(), "ok", "point {point}");
    }
    // And the last of them serves.
    child.start().await;
    met
}
