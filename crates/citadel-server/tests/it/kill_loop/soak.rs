//! The long runs.

use super::*;
use crate::soak;

/// A start is to take no longer (P38).
const START: Duration = Duration::from_secs(5);
/// A task has ended this long after the restart (P36).
const END: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p38_kills_under_mixed_load_on_sqlite() {
    everything("SQLite", ServerChild::program("kill-loop")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p38_kills_under_mixed_load_on_postgres() {
    everything("Postgres", on_postgres().await.unwrap()).await;
}

async fn everything(database: &str, child: ServerChild) {
    let kills = soak::count("CITADEL_SOAK_P38_KILLS", 250);
    let limit = format!("0 taken back, 0 doubled, starts under {START:?}");
    let done = format!("{kills} × SIGKILL under mixed load, {database}");
    let finding = soak::begin("P38", done.clone(), limit);
    let audit = soak::begin("P25", done, "0 acts without an entry, 0 entries without an act, chains right");
    let figures = run(child, kills, Work::Everything, by_chance()).await;
    let trail = figures.trail;
    audit.end(format!("{trail:?}"), trail.is_right());
    finding.end(figures.told(), figures.broken.is_empty() && figures.slowest <= START);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p09_exchanges_under_kills_on_sqlite() {
    exchanges("SQLite", ServerChild::program("exchanges")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p09_exchanges_under_kills_on_postgres() {
    exchanges("Postgres", on_postgres().await.unwrap()).await;
}

async fn exchanges(database: &str, child: ServerChild) {
    let kills = soak::count("CITADEL_SOAK_P9_KILLS", 20);
    let done = format!("4 exchanges at once of each token, {kills} × SIGKILL, one each 2 s, {database}");
    let finding = soak::begin("P9", done, "0 exchanged twice, 0 spent without an access token");
    let figures = run(child, kills, Work::Exchanges, |_| Duration::from_secs(2)).await;
    finding.end(figures.told(), figures.broken.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p36_tasks_survive_kills_on_sqlite() {
    tasks("SQLite", ServerChild::program("task-kills"), 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p36_tasks_survive_kills_on_postgres() {
    tasks("Postgres", on_postgres().await.unwrap(), 1).await;
}

async fn tasks(database: &str, child: ServerChild, times: usize) {
    let points = soak::count("CITADEL_SOAK_P36_POINTS", 40);
    let finding = soak::begin(
        "P36",
        format!("SIGKILL at {points} points of 6 flows × {times}, {database}"),
        format!("0 stuck {END:?} after the restart, 0 ended twice"),
    );
    // The flows take about this long in an unhurried server.
    let span = Duration::from_millis(800);
    let pause =
        |turn: usize| span * u32::try_from(turn % points + 1).unwrap() / u32::try_from(points).unwrap();
    let figures = run(child, points * times, Work::Tasks, pause).await;
    finding.end(figures.told(), figures.broken.is_empty() && figures.calm <= END);
}

/// A worker that stands still for two leases while it has tasks, and then goes on as if nothing had been.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p36_a_frozen_worker_ends_nothing_twice() {
    const LEASES: Duration = Duration::from_secs(65);
    let finding = soak::begin(
        "P36",
        format!("a worker of two frozen for {LEASES:?} with a task of each flow in hand"),
        "0 stuck, 0 ended twice",
    );
    let url = postgres_url().await.unwrap();
    let mut first = ServerChild::program("frozen").on_postgres(&url);
    let (client_id, secret) = client(&first).await;
    let mut second = ServerChild::program("frozen-second").on_postgres(&url);
    std::fs::create_dir(second.home().join("data")).unwrap();
    std::fs::copy(first.home().join("data/root.key"), second.home().join("data/root.key")).unwrap();
    let receiver = Receiver::start().await;
    let load = Arc::new(Load::new(&client_id.to_string(), &secret));
    load.server_is_at(first.start().await);
    load.prepare(&receiver.url()).await;
    // Ten seconds for a sign-in: time enough to be frozen in the middle of it.
    load.be_slow().await;
    let running = load.begin(Work::Tasks);
    sleep(Duration::from_secs(4)).await;
    first.signal("STOP");
    load.server_is_at(second.start().await);
    sleep(LEASES).await;
    let events = load.events().await;
    let (open, begun) = (load.open_tasks(&events), load.begun(&events));
    first.signal("CONT");
    // Its calls to the provider come back, and what it wants to write is refused.
    sleep(Duration::from_secs(15)).await;
    let doubled = twice_ended(&load.events().await);
    running.join_all().await;
    first.kill();
    second.kill();
    let wrong = books(&first).await.wrong();
    let told = format!(
        "{begun} tasks, {} stuck, {} ended twice, books {}",
        open.len(),
        doubled.len(),
        wrong.as_deref().unwrap_or("right")
    );
    finding.end(told, begun == 6 && open.is_empty() && doubled.is_empty() && wrong.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p39_64_writers_meet_no_error_on_sqlite() {
    crowd("SQLite", ServerChild::program("crowd")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p39_64_writers_meet_no_error_on_postgres() {
    crowd("Postgres", on_postgres().await.unwrap()).await;
}

async fn crowd(database: &str, mut child: ServerChild) {
    let seconds = soak::count("CITADEL_SOAK_P39_SECONDS", 60);
    let finding = soak::begin("P39", format!("64 writers for {seconds} s, {database}"), "0 × 5xx");
    let (client_id, secret) = client(&child).await;
    let load = Arc::new(Load::new(&client_id.to_string(), &secret));
    load.server_is_at(child.start().await);
    let running = load.begin(Work::Writes);
    sleep(Duration::from_secs(seconds as u64)).await;
    let turns = load.turns();
    child.kill();
    running.join_all().await;
    load.server_is_at(child.start().await);
    let broken = load.check(&History::take_new(&load.history)).await;
    let first = broken.first().map_or("", String::as_str);
    let told = format!("{turns} writes, {} refused or gone [{first}]", broken.len());
    finding.end(told, broken.is_empty());
}
