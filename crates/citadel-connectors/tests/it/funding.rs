//! The account that a company pays from, and the two small amounts that prove a new one.

use citadel_connectors::{ConnectorError, Cx};
use citadel_domain::{
    AccountDetails, Money, Product, Secret,
    account::DepositType,
    payroll::{Change, ChangeState, Plan},
};

use crate::support::{Signed, td_bank, words};

fn account(number: &str) -> AccountDetails {
    AccountDetails {
        account_number: Secret::new(number),
        deposit_type: None,
        ..td_bank(DepositType::Entire, None)
    }
}

fn funding(number: &str) -> Change {
    Change::Funding { account: account(number) }
}

fn proof(cents: [i64; 2]) -> Change {
    Change::FundingProof { amounts: cents.map(Money::from_cents) }
}

const RIGHT: [i64; 2] = [10, 20];
const STOPPED: &str = "The amounts were wrong three times. Start again with a new account.";

async fn administrator() -> Signed {
    Signed::new("goodlogin", Product::Fas).await
}

/// Plans a change and makes it.
async fn make(signed: &Signed, change: Change, key: &str) -> Result<Plan, ConnectorError> {
    let plan = signed.plan(change).await?;
    signed.apply(&plan, key).await.map(|()| plan)
}

#[tokio::test]
async fn a_new_account_waits_for_its_proof_and_then_pays() {
    let signed = administrator().await;
    let plan = make(&signed, funding("16002600"), "k1").await.unwrap();
    let [before] = plan.before.as_slice() else { panic!("{:?}", plan.before) };
    assert_eq!(plan.after[0].account_number.expose(), "16002600");
    assert_eq!(signed.observe(&plan, "k1").await, Ok(ChangeState::Applied));
    assert_eq!(signed.observe(&plan, "k2").await, Ok(ChangeState::Absent));

    let proved = make(&signed, proof(RIGHT), "k2").await.unwrap();
    assert_eq!((&proved.before, &proved.after), (&vec![before.clone()], &plan.after));
    assert_eq!(signed.observe(&proved, "k2").await, Ok(ChangeState::Applied));
    assert_eq!(signed.plan(funding("2")).await.unwrap().before, plan.after, "it pays now");
}

#[tokio::test]
async fn the_account_that_pays_is_refused_and_one_that_waits_is_not() {
    let signed = administrator().await;
    make(&signed, funding("1"), "k1").await.unwrap();
    make(&signed, funding("1"), "k1 again").await.unwrap();
    make(&signed, proof(RIGHT), "k2").await.unwrap();
    assert_eq!(words(signed.plan(funding("1")).await), "Your company already pays from this account.");
    assert!(signed.plan(funding("2")).await.is_ok());
}

#[tokio::test]
async fn a_proof_needs_something_to_prove() {
    let signed = administrator().await;
    let nothing = "There is no new account to confirm. Change the account first.";
    assert_eq!(words(signed.plan(proof(RIGHT)).await), nothing);
    make(&signed, funding("1"), "k1").await.unwrap();
    make(&signed, proof(RIGHT), "k2").await.unwrap();
    assert_eq!(words(signed.plan(proof(RIGHT)).await), nothing, "proved already");
}

/// P37: what was refused is neither there nor to be sent again, however often the host looks.
#[tokio::test]
async fn p37_a_wrong_pair_is_the_same_refusal_when_it_is_looked_for() {
    let signed = administrator().await;
    make(&signed, funding("1"), "k1").await.unwrap();
    let mismatch = "The two amounts do not match the deposits that we sent.";
    let plan = signed.plan(proof([20, 10])).await.unwrap();
    assert_eq!(words(signed.apply(&plan, "wrong").await), mismatch);
    for _ in 0..5 {
        assert_eq!(words(signed.observe(&plan, "wrong").await), mismatch);
    }
    make(&signed, proof(RIGHT), "right").await.unwrap();
    assert_eq!(words(signed.observe(&plan, "wrong").await), mismatch, "later submissions do not change it");
}

#[tokio::test]
async fn three_wrong_pairs_stop_an_account_but_not_the_next_one() {
    let signed = administrator().await;
    make(&signed, funding("1"), "k1").await.unwrap();
    let plan = signed.plan(proof([1, 2])).await.unwrap();
    for (number, cents) in [[1, 2], [20, 10], [10, 19]].into_iter().enumerate() {
        let plan = signed.plan(proof(cents)).await.unwrap();
        assert!(words(signed.apply(&plan, &format!("wrong {number}")).await).contains("do not match"));
    }
    assert_eq!(words(signed.plan(proof(RIGHT)).await), STOPPED);
    // Planned before it was stopped.
    let late = Plan { change: proof(RIGHT), ..plan };
    assert_eq!(words(signed.apply(&late, "late").await), STOPPED);
    assert_eq!(words(signed.observe(&late, "late").await), STOPPED);
    let again = "This account was stopped after three wrong tries. Start again with a new account.";
    assert_eq!(words(signed.plan(funding("1")).await), again);

    make(&signed, funding("2"), "k2").await.unwrap();
    make(&signed, proof(RIGHT), "k3").await.unwrap();
}

/// The books hold every submission: sent twice, it is there twice, and the tries are counted.
#[tokio::test]
async fn a_second_submission_shows() {
    let signed = administrator().await;
    let plan = make(&signed, funding("1"), "k1").await.unwrap();
    signed.apply(&plan, "k1").await.unwrap();
    let page = r#"["funding","truv","Bluebarrow Logistics"]"#;
    assert_eq!(signed.entries(page).await.len(), 2);
    let wrong = signed.plan(proof([1, 1])).await.unwrap();
    for _ in 0..3 {
        signed.apply(&wrong, "k2").await.unwrap_err();
    }
    assert_eq!(words(signed.plan(proof(RIGHT)).await), STOPPED);
}

#[tokio::test]
async fn each_provider_has_books_of_its_own() {
    let signed = administrator().await;
    make(&signed, funding("1"), "k1").await.unwrap();
    let elsewhere = signed.at(|cx| Cx { provider_id: "adp".to_owned(), ..cx });
    assert!(elsewhere.plan(funding("1")).await.is_ok());
}
