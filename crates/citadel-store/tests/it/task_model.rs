//! P12: ten thousand generated sequences of steps. A model that was written from the drawing of the contract says which are drawn.

use citadel_domain::{Random, SeededRandom, TaskStatus as S};
use citadel_store::{Error, tasks};

use crate::{
    fixtures::Done,
    harness::{Store, on_postgres, on_sqlite},
};

/// Each statement is a way to the server and back on Postgres: a tenth of the sequences there.
const SEQUENCES: (usize, usize) = (10_000, 1_000);
/// Tasks that are worked on in one transaction.
const TOGETHER: usize = 100;

/// The drawing, as a list: from, and where to. `error` and `unavailable` end whatever has not ended.
const DRAWN: [(S, &[S]); 6] = [
    (S::New, &[S::Login, S::NotSupported]),
    (
        S::Login,
        &[
            S::Mfa,
            S::Parse,
            S::SwitchDeposit,
            S::LoginError,
            S::MfaError,
            S::AccountLocked,
            S::ConfigError,
            S::NoData,
            S::UnableToReset,
            S::NotSupported,
        ],
    ),
    (S::Mfa, &[S::Parse, S::SwitchDeposit, S::MfaError, S::AccountLocked]),
    (S::Parse, &[S::FullParse, S::NoData, S::ConfigError]),
    (S::FullParse, &[S::Done, S::SwitchDeposit, S::ConfigError]),
    (S::SwitchDeposit, &[S::Done, S::ConfigError]),
];

fn is_drawn(from: S, to: S) -> bool {
    let steps = DRAWN.iter().find(|(status, _)| *status == from);
    steps.is_some_and(|(_, next)| next.contains(&to) || matches!(to, S::Error | S::Unavailable))
}

fn roll(random: &SeededRandom, sides: usize) -> usize {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    usize::try_from(u64::from_le_bytes(bytes) % sides as u64).unwrap()
}

/// Steps of several workers, of whom some have seen the task as it was before: drawn ones, any others, and repeats.
async fn sequences(store: &Store, count: usize) {
    let (_, link, first) = store.running_task().await;
    let token = first.bridge_token_id;
    let mut done = 0;
    while done < count {
        let (now, seed, task, link) = (store.now, done as u64 + 1, first.clone(), link.clone());
        let work = async move |tx: &mut citadel_store::Tx<'_>| {
            let random = SeededRandom::new(seed);
            for number in 0..TOGETHER {
                let new = tasks::NewTask {
                    id: citadel_domain::TaskId::generate(now, &random),
                    tenant: task.tenant,
                    link_id: link.id,
                    bridge_token_id: token,
                    access_key_id: task.access_key_id,
                    product: task.product,
                    kind: tasks::Kind::Initial,
                    faults: Vec::new(),
                    scenario_id: None,
                    created_at: now,
                };
                let made = tasks::create(tx, &new).await?;
                let mut history = vec![made.status];
                let mut before = made.clone();
                for _ in 0..12 {
                    let seen = tasks::find(tx, made.tenant, made.id).await?.unwrap();
                    assert_eq!(
                        Some(&seen.status),
                        history.last(),
                        "{number}: the row is where the steps led"
                    );
                    // One in four acts on what it saw a step ago.
                    let (acts_on, is_stale) = match roll(&random, 4) {
                        0 => (before.clone(), before.status != seen.status),
                        _ => (seen.clone(), false),
                    };
                    let to = S::ALL[roll(&random, S::ALL.len())];
                    let moved = tasks::advance(tx, &acts_on, to, None, now).await;
                    match (is_drawn(acts_on.status, to), is_stale) {
                        (false, _) => {
                            assert!(matches!(moved, Err(Error::Corrupt { .. })), "{acts_on:?} -> {to}")
                        }
                        (true, true) => assert!(!moved?, "a stale step: {} -> {to}", acts_on.status),
                        (true, false) => {
                            assert!(moved?, "{} -> {to}", acts_on.status);
                            history.push(to);
                        }
                    }
                    before = seen;
                }
                let end = tasks::find(tx, made.tenant, made.id).await?.unwrap();
                assert_eq!(end.finished_at.is_some(), end.status.is_final());
                assert!(history.windows(2).all(|pair| is_drawn(pair[0], pair[1])), "{history:?}");
                assert!(history.iter().rev().skip(1).all(|status| !status.is_final()), "{history:?}");
            }
            Done::Ok(())
        };
        store.db.write(work).await.unwrap();
        done += TOGETHER;
    }
}

#[test]
fn p12_the_rule_is_the_drawing() {
    for from in S::ALL {
        for to in S::ALL {
            assert_eq!(from.may_become(to), is_drawn(from, to), "{from} -> {to}");
        }
    }
}

#[tokio::test]
async fn p12_no_sequence_of_steps_leaves_the_drawing() {
    on_sqlite("task_model", &async |store| sequences(&store, SEQUENCES.0).await).await;
    on_postgres("task_model", &async |store| sequences(&store, SEQUENCES.1).await).await;
}
