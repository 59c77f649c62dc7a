//! What new data tells beyond a task's status: jobs, profiles, statements and accounts that came, or that changed (contract
//! 7.3). Found by holding what a link has now against what it had: ids and counts only, kept sealed beside the reports.

use std::collections::BTreeMap;

use citadel_domain::{
    TaskStatus,
    payroll::{Employment, PayrollData},
};
use citadel_store::{Tx, links::Link, reports as stored};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    events::{About, NewEvent, Objects},
    run_task::Turn,
};
use crate::{
    app::App,
    error::{self, ApiResult},
    reports::{self, ObjectIds, ReportKind},
};

/// The word under which the counts are kept.
pub(super) const INVENTORY: &str = "inventory";

/// What a link holds, by employment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Inventory(BTreeMap<String, Job>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Job {
    profile_id: String,
    /// The terms of the job as one keyed hash, without pay statements; and those of the person.
    terms: String,
    person: String,
    statements: i64,
    accounts: i64,
}

impl Inventory {
    pub(super) fn of(app: &App, link: &Link, data: &PayrollData) -> ApiResult<Self> {
        let ids = ObjectIds { app, link };
        // A link without income tells no pay, so it tells of no statements either.
        let has_pay = ReportKind::Income.is_allowed(link);
        let count = |number: usize| if has_pay { i64::try_from(number).unwrap_or(i64::MAX) } else { 0 };
        let job = |job: &Employment| {
            // What the client does not see of the job cannot have changed for it; the person is told of apart.
            let bare = (
                &job.title,
                job.job_type,
                (job.start_date, job.original_hire_date, job.end_date, job.is_active),
                &job.manager_name,
                &job.employer,
                job.pay.filter(|_| has_pay),
            );
            let print = |text: String| ids.print(&zeroize::Zeroizing::new(text));
            Ok((
                ids.id(&["employment", &job.external_id]).to_string(),
                Job {
                    profile_id: ids.id(&["profile", &job.external_id]).to_string(),
                    terms: print(serde_json::to_string(&bare).map_err(error::internal)?),
                    person: print(serde_json::to_string(&job.person).map_err(error::internal)?),
                    statements: count(job.statements.len()),
                    accounts: count(job.deposit_accounts.len()),
                },
            ))
        };
        Ok(Self(data.employments.iter().map(job).collect::<ApiResult<_>>()?))
    }

    /// What to tell, in the order of the contract: each event's type and what it is about.
    fn changes_since(&self, before: &Self) -> Vec<(&'static str, Objects)> {
        let mut told = Vec::new();
        for (id, job) in &self.0 {
            let old = before.0.get(id);
            let one = |object: &str| Objects { object_id: Some(object.to_owned()), ..Objects::default() };
            let many =
                |count| Objects { employment_id: Some(id.clone()), count: Some(count), ..Objects::default() };
            match old {
                None => told.push(("employment-created", one(id))),
                Some(old) if old.terms != job.terms => told.push(("employment-updated", one(id))),
                Some(_) => {}
            }
            match old {
                None => told.push(("profile-created", one(&job.profile_id))),
                Some(old) if old.person != job.person => told.push(("profile-updated", one(&job.profile_id))),
                Some(_) => {}
            }
            let counts = [
                (
                    "statements-created",
                    "statements-updated",
                    old.map_or(0, |old| old.statements),
                    job.statements,
                ),
                (
                    "bank-accounts-created",
                    "bank-accounts-updated",
                    old.map_or(0, |old| old.accounts),
                    job.accounts,
                ),
            ];
            for (created, updated, was, is) in counts {
                if was == 0 && is > 0 {
                    told.push((created, many(is)));
                } else if was != is {
                    told.push((updated, many(is)));
                }
            }
        }
        told
    }
}

/// Says what came and what changed, and keeps the new counts, in the transaction that keeps the data.
pub(super) async fn keep<'a>(
    app: &App,
    tx: &mut Tx<'_>,
    turn: &'a Turn,
    now_held: &(Inventory, Vec<u8>),
    status: TaskStatus,
    now: Timestamp,
) -> ApiResult<Vec<NewEvent<'a>>> {
    let (inventory, sealed) = now_held;
    let (task, link) = (&turn.task, &turn.link);
    let before = match stored::find(tx, link.tenant, link.id, INVENTORY).await? {
        Some(kept) => serde_json::from_slice(&reports::open(app, link, INVENTORY, &kept.body_sealed)?)
            .map_err(|_| error::internal("a sealed inventory cannot be read"))?,
        None => Inventory::default(),
    };
    stored::put(tx, link.tenant, link.id, INVENTORY, sealed, now).await?;
    let event = |(event_type, objects)| NewEvent {
        event_type,
        about: About::Link(link),
        task: Some(task),
        status: status.as_str(),
        objects,
    };
    Ok(inventory.changes_since(&before).into_iter().map(event).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(jobs: &[(&str, &str, i64, i64)]) -> Inventory {
        let job = |(id, terms, statements, accounts): &(&str, &str, i64, i64)| {
            let job = Job {
                profile_id: format!("p-{id}"),
                terms: (*terms).to_owned(),
                person: "same".to_owned(),
                statements: *statements,
                accounts: *accounts,
            };
            ((*id).to_owned(), job)
        };
        Inventory(jobs.iter().map(job).collect())
    }

    fn check(before: &[(&str, &str, i64, i64)], after: &[(&str, &str, i64, i64)], expected: &[&str]) {
        let told = holding(after).changes_since(&holding(before));
        let words: Vec<_> = told
            .iter()
            .map(|(kind, about)| {
                let count = about.count.map(|count| format!(" {count}")).unwrap_or_default();
                let whose = about.object_id.as_ref().or(about.employment_id.as_ref()).unwrap();
                format!("{kind} {whose}{count}")
            })
            .collect();
        assert_eq!(words, expected);
    }

    #[test]
    fn what_is_new_is_created_and_what_differs_is_updated() {
        check(
            &[],
            &[("a", "1", 2, 1)],
            &[
                "employment-created a",
                "profile-created p-a",
                "statements-created a 2",
                "bank-accounts-created a 1",
            ],
        );
        check(&[("a", "1", 2, 1)], &[("a", "1", 2, 1)], &[]);
        check(&[("a", "1", 2, 1)], &[("a", "2", 3, 1)], &["employment-updated a", "statements-updated a 3"]);
        // A job without pay has no statements to tell of.
        check(&[], &[("a", "1", 0, 0)], &["employment-created a", "profile-created p-a"]);
        check(&[("a", "1", 2, 1)], &[("a", "1", 2, 0)], &["bank-accounts-updated a 0"]);
    }
}
