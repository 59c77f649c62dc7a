//! The people who break integrations: that they are all there, that everybody can be read, and that what each teaches is
//! really in the data.

mod teaches;

use std::collections::{BTreeMap, BTreeSet};

use citadel_connectors::{
    Phase,
    sandbox::{Ugly, ugly_pack},
};
use citadel_domain::{
    Money, Product, Secret,
    account::DepositType,
    payroll::{Change, PayrollData, Statement},
};

use crate::support::{Signed, cx, fetch, td_bank};
use teaches::{Seen, TEACHES};

/// Before and after the turns of two years.
const DAYS: [&str; 3] = ["2026-11-23T12:00:00Z", "2027-01-31T12:00:00Z", "2028-03-01T12:00:00Z"];

fn name(ugly: &Ugly) -> &str {
    ugly.username.strip_prefix("ugly.").expect("a user name of the pack")
}

async fn on_days(ugly: &Ugly, phase: Phase) -> Vec<PayrollData> {
    let mut days = Vec::new();
    for now in DAYS {
        days.push(fetch(&ugly.username, &cx(now), phase).await);
    }
    days
}

#[test]
fn the_pack_has_many_people_with_a_name_and_a_sentence_each() {
    assert!(ugly_pack().len() >= 40, "{} people", ugly_pack().len());
    let mut seen = BTreeSet::new();
    for ugly in ugly_pack() {
        let is_kebab = name(ugly).split('-').all(|word| {
            !word.is_empty()
                && word.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        });
        assert!(is_kebab, "{}", ugly.username);
        assert!(
            ugly.teaches.ends_with('.') && ugly.teaches.len() > 20,
            "{}: {}",
            ugly.username,
            ugly.teaches
        );
        assert!(
            seen.insert(&ugly.username) && seen.insert(&ugly.teaches),
            "{} is there twice",
            ugly.username
        );
    }
}

#[tokio::test]
async fn everybody_can_be_read_in_both_phases_on_any_day() {
    for ugly in ugly_pack() {
        let (first, deep) = (on_days(ugly, Phase::First).await, on_days(ugly, Phase::Deep).await);
        for (first, deep) in first.iter().zip(&deep) {
            let ids = |data: &PayrollData| -> Vec<String> {
                data.employments.iter().map(|job| job.external_id.clone()).collect()
            };
            assert_eq!(ids(first), ids(deep), "{}", ugly.username);
            for job in &deep.employments {
                let statements: BTreeSet<&str> =
                    job.statements.iter().map(|statement| statement.external_id.as_str()).collect();
                assert_eq!(statements.len(), job.statements.len(), "{}: an id twice", ugly.username);
                let years: BTreeSet<i16> = job.w2s.iter().map(|w2| w2.year).collect();
                assert_eq!(years.len(), job.w2s.len(), "{}: a W-2 twice", ugly.username);
            }
        }
    }
}

/// Links are told apart by SSN, so nobody of the pack has one of another, nor one that was ever given out.
#[tokio::test]
async fn everybody_has_an_invented_ssn_of_their_own() {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for ugly in ugly_pack() {
        let days = on_days(ugly, Phase::Deep).await;
        let ssns: BTreeSet<&str> = days
            .iter()
            .flat_map(|data| &data.employments)
            .filter_map(|job| job.person.ssn.as_ref().map(Secret::expose))
            .collect();
        assert!(ssns.len() <= 1, "{}: one person, {} SSNs", ugly.username, ssns.len());
        for ssn in ssns {
            let is_invented =
                ssn.len() == 9 && ssn.starts_with('9') && ssn.bytes().all(|b| b.is_ascii_digit());
            assert!(is_invented, "{}: {ssn}", ugly.username);
            let other = seen.insert(ssn.to_owned(), &ugly.username);
            assert_eq!(other, None, "{} has the same SSN", ugly.username);
        }
    }
    assert!(seen.len() >= ugly_pack().len() - 2, "only no-ssn and nothing-but-a-name have none");
}

#[tokio::test]
async fn nobody_can_be_reached_or_paid() {
    // Prefixes of employers' numbers that are never given.
    let prefixes = ["07", "08", "17", "18", "19", "28", "29", "49", "69", "70", "78", "79", "89"];
    for ugly in ugly_pack() {
        for job in on_days(ugly, Phase::Deep).await.iter().flat_map(|data| &data.employments) {
            let who = &ugly.username;
            if let Some(ein) = &job.employer.ein {
                assert!(prefixes.contains(&&ein[..2]) && ein.len() == 10, "{who}: {ein}");
            }
            if let Some(phone) = &job.employer.phone {
                assert!(phone.len() == 10 && &phone[3..8] == "55501", "{who}: {phone}");
            }
            if let Some(email) = &job.person.email {
                assert!(email.ends_with("@example.com"), "{who}: {email}");
            }
            for account in &job.deposit_accounts {
                assert!(is_routing_number_of_nobody(account.routing_number.expose()), "{who}");
                let number = account.account_number.expose();
                assert!(number.bytes().all(|digit| digit.is_ascii_digit()), "{who}: {number}");
            }
        }
    }
}

fn is_routing_number_of_nobody(number: &str) -> bool {
    let digits = number.chars().filter_map(|digit| digit.to_digit(10));
    let sum: u32 = digits.zip([3, 7, 1, 3, 7, 1, 3, 7, 1]).map(|(digit, weight)| digit * weight).sum();
    number.len() == 9 && number.starts_with("110000") && sum.is_multiple_of(10)
}

#[tokio::test]
async fn what_each_teaches_is_there() {
    let people: Vec<&str> = ugly_pack().iter().map(name).collect();
    let proven: Vec<&str> = TEACHES.iter().map(|(name, _)| *name).collect();
    assert_eq!(people, proven, "the pack and the table in teaches.rs have the same people in the same order");
    for (ugly, (name, seen)) in ugly_pack().iter().zip(TEACHES) {
        let days = on_days(ugly, Phase::Deep).await;
        match seen {
            Seen::EveryDay(is_there) => {
                for (data, now) in days.iter().zip(DAYS) {
                    assert!(is_there(data), "{name} on {now}: {}", ugly.teaches);
                }
            }
            Seen::FromDayToDay(is_there) => assert!(is_there(&days), "{name}: {}", ugly.teaches),
        }
    }
}

/// Whose sums are wrong on purpose.
const WRONG_SUMS: [&str; 4] =
    ["ugly.gross-is-not-the-sum", "ugly.reimbursement", "ugly.no-earnings", "ugly.no-deductions"];

/// Otherwise a test of an integration could not say what it failed on.
#[tokio::test]
async fn sums_are_wrong_only_where_that_is_the_point() {
    for ugly in ugly_pack() {
        let days = on_days(ugly, Phase::Deep).await;
        let statements = days.iter().flat_map(|data| &data.employments).flat_map(|job| &job.statements);
        let is_right = statements.clone().all(adds_up);
        assert_eq!(is_right, !WRONG_SUMS.contains(&ugly.username.as_str()), "{}", ugly.username);
    }
}

/// What is not there is not counted.
fn adds_up(statement: &Statement) -> bool {
    let Some(gross) = statement.gross else { return true };
    let earned: Money = statement.earnings.iter().filter_map(|line| line.amount).sum();
    let taken = statement.taxes.iter().chain(&statement.deductions);
    let taken: Money = taken.filter_map(|line| line.amount).sum();
    gross == earned && statement.net.is_none_or(|net| net == gross - taken)
}

#[tokio::test]
async fn everybodys_pay_can_be_switched_as_a_whole() {
    for ugly in ugly_pack() {
        let signed = Signed::new(&ugly.username, Product::DepositSwitch).await;
        let account = td_bank(DepositType::Entire, None);
        let plan = signed.plan(Change::Deposit { account }).await;
        let plan = plan.unwrap_or_else(|error| panic!("{}: {error:?}", ugly.username));
        assert_eq!(plan.after.len(), 1, "{}", ugly.username);
        signed.apply(&plan, "key").await.expect("a change");
        let data = signed.read().await;
        let switched = data.employments.iter().filter(|job| job.deposit_accounts == plan.after).count();
        assert_eq!(switched, 1, "{}: one job's pay is switched", ugly.username);
    }
}

/// The page tells of everybody, in the order of the pack, with the same sentence.
#[test]
fn the_page_and_the_pack_agree() {
    let page = include_str!("../../../../docs/ugly-data.md");
    let told: Vec<&str> = page.lines().filter(|line| line.starts_with("| `ugly.")).collect();
    let known: Vec<String> =
        ugly_pack().iter().map(|ugly| format!("| `{}` | {} |", ugly.username, ugly.teaches)).collect();
    for (told, known) in told.iter().zip(&known) {
        assert_eq!(told, known, "docs/ugly-data.md");
    }
    assert_eq!(told.len(), known.len(), "people in docs/ugly-data.md and in the pack");
}
