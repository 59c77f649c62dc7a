//! P34: the power goes, and the disk forgets what was not synced. The server writes on a disk that keeps a diary; afterwards
//! the diary is played up to a cut. Whatever was synced by then is there; of everything else chance decides: whole, gone, or
//! torn. The server's own start opens what is left, and every row that had been answered for must be in it.

mod replay;

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use citadel_domain::{Random, SeededRandom};
use citadel_sdk::{Citadel, CreateUser};
use citadel_server::{
    opening,
    system::{SystemClock, SystemRandom},
};
use citadel_store::{Error, Row};
use tokio::task::JoinSet;

use self::replay::Replay;
use crate::{
    child::{self, ServerChild},
    disk::{Disk, Record, read_diary},
};

const WRITERS: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p34_power_cuts_lose_nothing_that_was_answered() {
    let figures = run("cuts-small", 60, 10).await;
    assert!(figures.wrong.is_empty(), "{}", figures.told());
    assert!(figures.answered == 60 && figures.forgotten > 0, "{}", figures.told());
}

#[cfg(feature = "soak")]
mod soak {
    use super::*;
    use crate::soak;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn p34_two_hundred_power_cuts() {
        let cuts = soak::count("CITADEL_SOAK_P34_CUTS", 200);
        let users = soak::count("CITADEL_SOAK_P34_USERS", 6000);
        let finding = soak::begin(
            "P34",
            format!("{cuts} power cuts, unsynced writes kept, lost or torn by chance"),
            "0 answered rows lost, integrity good each time",
        );
        let figures = run("cuts", users, cuts).await;
        finding.end(figures.told(), figures.wrong.is_empty());
    }
}

#[derive(Debug)]
struct Figures {
    answered: usize,
    /// How often the log began anew while users were made.
    folded: usize,
    /// Writes that a cut took, whole or in part.
    forgotten: usize,
    wrong: Vec<String>,
}

impl Figures {
    fn told(&self) -> String {
        format!(
            "{} cuts wrong [{}], {} rows answered, {} times the log began anew, {} writes forgotten or torn",
            self.wrong.len(),
            self.wrong.first().map_or("", String::as_str),
            self.answered,
            self.folded,
            self.forgotten
        )
    }
}

async fn run(name: &str, users: usize, cuts: usize) -> Figures {
    let mut child = ServerChild::program(name);
    let disk = Disk::under(&mut child);
    let diary = disk.keep_diary(&mut child);
    // The first start is part of the diary: an empty disk is where it begins.
    child.start().await;
    child.kill();
    let before = snapshot(&child.home().join("data"));
    let mut records = read_diary(&diary);
    let first_start = records.len();
    assert!(first_start > 10, "the diary is empty: was the library loaded?");

    // The client is made outside the diary, so what that wrote counts as synced from here on.
    let (client_id, secret) = crate::kills::client(&child).await;
    // Its connections close a moment after they were dropped, and take the log with them.
    for _ in 0..500 {
        if !child.home().join("data/citadel.db-wal").exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let between = snapshot(&child.home().join("data"));
    assert_ne!(before, between);
    fs::remove_file(&diary).unwrap();
    let address = child.start().await;
    write(&format!("http://{address}"), &client_id.to_string(), &secret, users).await;
    child.kill();
    records.extend(read_diary(&diary));

    let data = child.home().join("data").display().to_string();
    let random = SeededRandom::new(34);
    let chance = |below: usize| {
        let mut bytes = [0; 8];
        random.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % below as u64).unwrap()
    };
    let answers: Vec<usize> = (0..records.len()).filter(|at| records[*at].kind == b'a').collect();
    let mut places: Vec<usize> = (0..cuts)
        .map(|number| match number % 2 {
            // Right after an answer: the least time to have it on disk.
            0 => answers[chance(answers.len())] + 1,
            _ => chance(records.len()),
        })
        .collect();
    places.sort_unstable();

    let mut figures = Figures {
        answered: records.iter().filter_map(answered_id).count(),
        folded: records[first_start..].iter().filter(|record| is_new_log(record)).count().saturating_sub(1),
        forgotten: 0,
        wrong: Vec::new(),
    };
    let mut replay = Replay::new(&data);
    let (mut at, mut kept) = (0, BTreeSet::new());
    for (number, place) in places.into_iter().enumerate() {
        while at < place {
            if at == first_start {
                replay.becomes(&between);
            }
            kept.extend(answered_id(&records[at]));
            replay.play(&records[at]);
            at += 1;
        }
        // Each in a place of its own: what the one before closes late must not meet the next.
        let home = child.home().join(format!("cut-{number}"));
        fs::create_dir_all(home.join("data")).unwrap();
        let (files, forgotten) = replay.cut(&chance);
        figures.forgotten += forgotten;
        for (name, bytes) in files {
            let path = home.join("data").join(name);
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
        if let Err(wrong) = look(&home, &kept).await {
            figures.wrong.push(format!("cut at {place} of {}: {wrong}", records.len()));
        }
        fs::remove_dir_all(&home).unwrap();
    }
    figures
}

/// The head of a log, which is written when it begins.
fn is_new_log(record: &Record) -> bool {
    record.kind == b'w' && record.offset == 0 && record.path.ends_with("-wal")
}

/// Users, by many clients at once.
async fn write(url: &str, client_id: &str, secret: &str, users: usize) {
    let left = Arc::new(AtomicUsize::new(users));
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let citadel = Citadel::builder(url, client_id, secret.to_owned()).build().unwrap();
        let left = Arc::clone(&left);
        writers.spawn(async move {
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
            {
                citadel.create_user(&CreateUser::new("John", "Doe")).await.unwrap();
            }
        });
    }
    writers.join_all().await;
}

/// The id in a good answer to a user's making.
fn answered_id(record: &Record) -> Option<String> {
    if record.kind != b'a' {
        return None;
    }
    let text = String::from_utf8_lossy(&record.data);
    let (_, id) = text.split_once("\"id\":\"")?;
    Some(id[..32].to_owned())
}

fn snapshot(data: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(data).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    files
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .filter(|(name, _)| !name.ends_with("-shm"))
        .collect()
}

/// What SQLite says about the whole file.
pub(crate) async fn integrity(home: &Path) -> String {
    let found = texts(home, &["pragma integrity_check"]).await;
    found.map_or_else(|error| error, |found| found.concat().join("; "))
}

/// Starts as the server does, and asks.
async fn texts(home: &Path, questions: &'static [&'static str]) -> Result<Vec<Vec<String>>, String> {
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let opened = opening::open(&child::config(home), &SystemClock, &random).await;
    let db = opened.map_err(|error| error.to_string())?.db;
    let read = db.read(async move |tx| {
        let read: fn(&Row<'_>) -> Result<String, Error> = |row| row.get(0);
        let mut answers = Vec::new();
        for sql in questions {
            answers.push(tx.fetch_all(sql, &[], read).await?);
        }
        Ok(answers)
    });
    read.await.map_err(|error: Error| error.to_string())
}

/// Looks for these users.
async fn look(home: &Path, kept: &BTreeSet<String>) -> Result<(), String> {
    let found = texts(home, &["pragma integrity_check", "select lower(hex(id)) from users"]).await?;
    if found[0] != ["ok"] {
        return Err(found[0].join("; "));
    }
    let users: BTreeSet<String> = found[1].iter().cloned().collect();
    let lost = kept.difference(&users).count();
    if lost > 0 { Err(format!("{lost} of {} answered rows are lost", kept.len())) } else { Ok(()) }
}
