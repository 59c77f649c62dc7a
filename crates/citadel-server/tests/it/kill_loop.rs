//! P38: the server is killed again and again under mixed load, and whatever it had answered holds afterwards. The same load
//! serves what P9, P36 and P39 say about kills and crowds.
//!
//! The load writes its own history ([`history`]): what was answered, and what was asked without an answer. After each start
//! the part that is new is looked at, at the end all of it, and the provider's books with it.

mod history;
mod load;
#[cfg(feature = "soak")]
mod soak;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use citadel_domain::{Random, SeededRandom};
use citadel_server::{
    opening,
    system::{SystemClock, SystemRandom},
};
use citadel_store::{Error, Keyring, Tx, audit::verify};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use self::{
    history::History,
    load::{Load, Work},
};
use crate::{
    child::{self, ServerChild},
    kills::client,
    receiver::Receiver,
    support::postgres_url,
};

/// Whatever runs has ended this long after the last start.
const CALM: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p38_p25_kills_take_back_nothing() {
    for child in [Some(ServerChild::program("kill-loop")), on_postgres().await].into_iter().flatten() {
        // How long a start takes is not asked here: the machine is busy with other tests.
        let figures = run(child, 5, Work::Everything, by_chance()).await;
        assert!(figures.broken.is_empty(), "{} {:?}", figures.told(), figures.broken);
        assert!(figures.facts > 10, "{}", figures.told());
        assert!(figures.trail.is_right(), "{:?}", figures.trail);
    }
}

async fn on_postgres() -> Option<ServerChild> {
    Some(ServerChild::program("kill-loop-postgres").on_postgres(&postgres_url().await?))
}

/// What a run found.
#[derive(Debug)]
struct Figures {
    /// Answered results that were looked at.
    facts: usize,
    /// What does not hold.
    broken: Vec<String>,
    slowest: Duration,
    /// Changes in the provider's books.
    entries: i64,
    /// From the last start until everything had ended.
    calm: Duration,
    /// The audit trail, beside what it is about.
    trail: Trail,
}

impl Figures {
    fn told(&self) -> String {
        format!(
            "{} of {} answered results gone [{}], {} changes at the provider, slowest start {:.1?}, all ended {:.0?} after \
             the last one",
            self.broken.len(),
            self.facts,
            self.broken.first().map_or("", String::as_str),
            self.entries,
            self.slowest,
            self.calm
        )
    }
}

/// A quarter of a second and up to half a second more.
fn by_chance() -> impl FnMut(usize) -> Duration {
    let random = SeededRandom::new(38);
    move |_| {
        let mut byte = [0];
        random.fill(&mut byte);
        Duration::from_millis(250 + 2 * u64::from(byte[0]))
    }
}

/// Kills the server so often, each time after the pause that is due for this kill.
async fn run(
    mut child: ServerChild,
    kills: usize,
    work: Work,
    mut pause: impl FnMut(usize) -> Duration,
) -> Figures {
    let (client_id, secret) = client(&child).await;
    let receiver = Receiver::start().await;
    let load = Arc::new(Load::new(&client_id.to_string(), &secret));
    let (mut slowest, mut broken) = (Duration::ZERO, Vec::new());
    for turn in 0..=kills {
        let began = Instant::now();
        let address = child.start().await;
        slowest = slowest.max(began.elapsed());
        load.server_is_at(address);
        if turn == 0 {
            load.prepare(&receiver.url()).await;
        }
        broken.extend(load.check(&History::take_new(&load.history)).await);
        if turn == kills {
            break;
        }
        let running = load.begin(work);
        sleep(pause(turn)).await;
        child.kill();
        running.join_all().await;
    }

    let began = Instant::now();
    broken.extend(finish(&load, &receiver).await);
    let calm = began.elapsed();
    let facts = load.history.all();
    broken.extend(load.check(&facts).await);
    child.kill();
    let books = books(&child).await;
    broken.extend(books.wrong());
    broken.sort();
    broken.dedup();
    let (entries, trail) = (books.entries, books.trail);
    Figures { facts: facts.len(), broken, slowest, entries, calm, trail }
}

/// Waits until every task has ended and every event has arrived. Answers what never did.
async fn finish(load: &Load, receiver: &Receiver) -> Vec<String> {
    let until = Instant::now() + CALM;
    loop {
        let events = load.events().await;
        let known: BTreeSet<String> = events.iter().map(|event| text(&event["webhook_id"])).collect();
        let got: BTreeSet<String> = receiver.received().iter().map(crate::receiver::Received::id).collect();
        let mut wrong: Vec<String> =
            got.difference(&known).map(|id| format!("an event that nobody wrote came: {id}")).collect();
        if Instant::now() < until {
            let open = load.open_tasks(&events);
            if wrong.is_empty() && open.is_empty() && known.is_subset(&got) {
                return twice_ended(&events);
            }
            sleep(Duration::from_millis(500)).await;
            continue;
        }
        wrong.extend(known.difference(&got).map(|id| format!("an event never came: {id}")));
        wrong.extend(load.open_tasks(&events).into_iter().map(|id| format!("a task never ended: {id}")));
        return wrong;
    }
}

/// Tasks with more than one end.
fn twice_ended(events: &[Value]) -> Vec<String> {
    let mut ended = BTreeSet::new();
    let is_end = |event: &&Value| {
        event["event_type"] == "task-status-updated" && load::is_final(event["status"].as_str().unwrap_or(""))
    };
    let ends = events.iter().filter(is_end).map(|event| text(&event["task_id"]));
    ends.filter(|id| !ended.insert(id.clone())).map(|id| format!("a task ended twice: {id}")).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What the store holds about changes and tokens while no server runs.
#[derive(Debug)]
struct Books {
    /// Changes that the provider got.
    entries: i64,
    /// Changes that we take for made: a doubled one is only in the provider's books.
    applied: i64,
    /// Public tokens that are spent although their link, which is not deleted, has no access token.
    spent_for_nothing: i64,
    trail: Trail,
}

/// P25: acts and their entries go together, and the chains hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Trail {
    entries: i64,
    /// Deletions, consents and access tokens without an entry.
    untold: i64,
    /// Entries of deletions and consents that never were.
    invented: i64,
    findings: usize,
}

impl Trail {
    const fn is_right(self) -> bool {
        self.entries > 0 && self.untold == 0 && self.invented == 0 && self.findings == 0
    }
}

impl Books {
    fn wrong(&self) -> Option<String> {
        let is_right = self.entries == self.applied && self.spent_for_nothing == 0 && self.trail.is_right();
        (!is_right).then(|| format!("{self:?}"))
    }
}

async fn books(child: &ServerChild) -> Books {
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let opened = opening::open(&child::config(child.home()), &SystemClock, &random).await.unwrap();
    let count =
        async |tx: &mut Tx<'_>, sql: &'static str| tx.fetch_one(sql, &[], |row| row.get::<i64>(0)).await;
    let keyring = opened.keyring;
    let read = opened.db.read(async move |tx| {
        let trail = trail(tx, &keyring).await?;
        Ok::<_, Error>(Books {
            trail,
            entries: count(tx, "select count(*) from provider_books").await?,
            applied: count(tx, "select count(*) from changes where state = 'applied'").await?,
            spent_for_nothing: count(
                tx,
                "select count(*) from public_tokens join links on links.client_id = public_tokens.client_id
                    and links.id = public_tokens.link_id
                  where spent_at is not null and access_token_hash is null and deleted_at is null",
            )
            .await?,
        })
    });
    read.await.unwrap()
}

async fn trail(tx: &mut Tx<'_>, keyring: &Keyring) -> Result<Trail, Error> {
    let count =
        async |tx: &mut Tx<'_>, sql: &'static str| tx.fetch_one(sql, &[], |row| row.get::<i64>(0)).await;
    let deleted = "select count(*) from deletions as d where kind in ('link', 'user') and not exists (
                       select 1 from audit_entries as e where e.client_id = d.client_id and e.object_id = d.object_id
                          and e.act = case d.kind when 'link' then 'link_deleted' else 'user_deleted' end)";
    let issued = "select count(*) from links as l where access_token_hash is not null and not exists (
                      select 1 from audit_entries as e where e.client_id = l.client_id and e.object_id = l.id
                         and e.act = 'access_token_issued')";
    let invented = "select count(*) from audit_entries as e where act in ('link_deleted', 'user_deleted') and not exists (
                        select 1 from deletions as d where d.client_id = e.client_id and d.object_id = e.object_id)";
    let consents = count(tx, "select count(*) from consents").await?;
    let told =
        count(tx, "select count(*) from audit_entries where act in ('consent_given', 'consent_renewed')")
            .await?;
    let (mut place, mut findings) = (None, 0);
    loop {
        let page = verify::page(tx, keyring, place, 1000).await?;
        findings += usize::from(page.finding.is_some());
        place = page.next;
        if place.is_none() {
            break;
        }
    }
    Ok(Trail {
        entries: count(tx, "select count(*) from audit_entries").await?,
        untold: count(tx, deleted).await? + count(tx, issued).await? + (consents - told).max(0),
        invented: count(tx, invented).await? + (told - consents).max(0),
        findings,
    })
}

/// The body of a sign-in by one call.
fn sign_in(bridge_token: &str, more: Value) -> Value {
    let mut body = json!({
        "bridge_token": bridge_token, "provider_id": "adp", "username": "goodlogin", "password": "goodpassword",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}
