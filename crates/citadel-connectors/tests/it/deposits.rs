//! Where a person's pay goes, and what may be done about it.

use citadel_connectors::{Connector, ConnectorError, Cx, Phase, Want, sandbox::Sandbox};
use citadel_domain::{
    AccountDetails, Product, Secret,
    account::{AccountAction, DepositType},
    payroll::{Change, ChangeState, DepositAccount},
};

use crate::support::{Signed, auth, fetch, for_product, login, td_bank, words};

/// Rows as text: the last four digits and the share.
fn rows(accounts: &[DepositAccount]) -> String {
    let row = |account: &DepositAccount| {
        let value = account.deposit_value.map(|value| format!(" {value}")).unwrap_or_default();
        let share = match account.deposit_type {
            Some(DepositType::Entire) => "rest",
            Some(DepositType::Percent) => "percent",
            Some(DepositType::Amount) => "amount",
            None => "?",
        };
        format!("{} {share}{value}", account.account_number.last4())
    };
    accounts.iter().map(row).collect::<Vec<_>>().join(", ")
}

/// `create 1111 percent 50`, `delete 1111`, …
fn wanted(text: &str) -> AccountDetails {
    let words: Vec<&str> = text.split(' ').collect();
    let action = match words[0] {
        "create" => AccountAction::Create,
        "update" => AccountAction::Update,
        "delete" => AccountAction::Delete,
        other => panic!("{other}"),
    };
    let share = match words.get(2).copied() {
        None => None,
        Some("entire") => Some(DepositType::Entire),
        Some("percent") => Some(DepositType::Percent),
        Some("amount") => Some(DepositType::Amount),
        Some(other) => panic!("{other}"),
    };
    AccountDetails {
        account_number: Secret::new(words[1]),
        deposit_type: share,
        action: Some(action),
        ..td_bank(DepositType::Entire, words.get(3).copied())
    }
}

fn deposit(account: AccountDetails) -> Change {
    Change::Deposit { account }
}

/// Makes each change in turn, the first on an account that receives everything, and compares what the last one leads to: the
/// accounts, or the first words of the refusal.
async fn check(changes: &[&str], expected: &str) {
    let signed = Signed::new("goodlogin", Product::DepositSwitch).await;
    let (last, earlier) = changes.split_last().expect("a change");
    for (number, change) in ["create 0000 entire"].iter().chain(earlier).enumerate() {
        let plan = signed.plan(deposit(wanted(change))).await.unwrap_or_else(|e| panic!("{change}: {e:?}"));
        signed.apply(&plan, &number.to_string()).await.expect("an answer");
    }
    match signed.plan(deposit(wanted(last))).await {
        Ok(plan) => assert_eq!(rows(&plan.after), expected, "{changes:?}"),
        Err(ConnectorError::ConfigRejected { message }) => {
            assert!(!expected.is_empty() && message.starts_with(expected), "{changes:?}: {message}");
        }
        Err(other) => panic!("{changes:?}: {other:?}"),
    }
}

#[tokio::test]
async fn an_account_is_added_in_front_of_the_rest() {
    check(&["create 1111 entire"], "1111 rest").await;
    check(&["create 1111"], "1111 rest").await;
    check(&["create 1111 percent 100"], "1111 rest").await;
    check(&["create 1111 percent 50"], "1111 percent 50, 0000 rest").await;
    check(&["create 1111 amount 500.00"], "1111 amount 500.00, 0000 rest").await;
    check(&["create 1111 amount 1"], "1111 amount 1.00, 0000 rest").await;
    check(
        &["create 1111 percent 50", "create 2222 amount 20"],
        "2222 amount 20.00, 1111 percent 50, 0000 rest",
    )
    .await;
    check(&["create 1111 percent 50", "create 2222 entire"], "2222 rest").await;
    check(&["create 1111 percent 50", "create 1111 entire"], "1111 rest").await;
    check(&["create 1111 percent 50", "create 0000 entire"], "0000 rest").await;
    // What is there already gets the new share.
    check(&["create 1111 percent 50", "create 1111 amount 9"], "1111 amount 9.00, 0000 rest").await;
}

#[tokio::test]
async fn an_account_is_changed_and_removed() {
    check(&["create 1111 percent 50", "update 1111 percent 60.0"], "1111 percent 60, 0000 rest").await;
    check(&["create 1111 percent 50", "update 1111 entire"], "1111 rest").await;
    check(&["create 1111 percent 50", "delete 1111"], "0000 rest").await;
    check(
        &["create 1111 percent 50", "create 2222 amount 20", "delete 1111"],
        "2222 amount 20.00, 0000 rest",
    )
    .await;
}

#[tokio::test]
async fn what_a_payroll_system_refuses_is_refused_in_its_words() {
    check(&["create 0000 entire"], "This account already receives all of your pay.").await;
    check(&["create 0000 percent 50"], "This account already receives all of your pay.").await;
    check(&["update 0000 entire"], "This account already receives all of your pay.").await;
    let rest = "This account already receives the rest of your pay.";
    check(&["create 1111 percent 50", "create 0000 amount 5"], rest).await;
    check(&["create 1111 percent 50", "update 0000 percent 5"], rest).await;

    let too_much = "Your accounts cannot receive more than 100 percent";
    check(&["create 1111 percent 101"], too_much).await;
    check(&["create 1111 percent 60", "create 2222 percent 41"], too_much).await;
    check(&["create 1111 percent 60", "create 2222 percent 30", "update 1111 percent 70.5"], too_much).await;
    check(
        &["create 1111 percent 60", "create 2222 percent 40"],
        "2222 percent 40, 1111 percent 60, 0000 rest",
    )
    .await;

    let four = ["create 1111 amount 1", "create 2222 amount 2", "create 3333 amount 3"];
    check(&[&four[..], &["create 4444 amount 4"]].concat(), "Your pay can go to four accounts at most.")
        .await;
    check(
        &[&four[..], &["create 3333 amount 4"]].concat(),
        "3333 amount 4.00, 2222 amount 2.00, 1111 amount 1.00, 0000 rest",
    )
    .await;
    check(&[&four[..], &["create 4444 entire"]].concat(), "4444 rest").await;

    let absent = "This account is not on file for your direct deposit.";
    check(&["update 1111 percent 5"], absent).await;
    check(&["delete 1111"], absent).await;
    check(&["delete 0000"], "Your pay needs an account to go to.").await;
    check(&["create 1111 percent 50", "delete 0000"], "This account receives the rest of your pay.").await;
    for nothing in ["create 1111 percent 0", "create 1111 amount -5", "create 1111 amount"] {
        check(&[nothing], "Say how much of your pay").await;
    }
}

/// Contract 8.1: each share works at first, whoever it is and whatever their accounts were; and an account that receives
/// everything is refused (DDS-X1).
#[tokio::test]
async fn the_happy_path_is_happy_at_every_employer_and_ends_when_it_is_walked_twice() {
    for product in [Product::DepositSwitch, Product::Pll] {
        for employer in
            ["Facebook Demo", "Home Depot", "Walmart", "Google", "Amazon", "Apple", "UPS", "Target"]
        {
            let signed = Signed::new("goodlogin", product)
                .await
                .at(|cx| Cx { employer_name: Some(employer.to_owned()), ..cx });
            for (share, value) in [
                (DepositType::Amount, Some("500.00")),
                (DepositType::Percent, Some("50")),
                (DepositType::Entire, None),
            ] {
                let plan = signed.plan(deposit(td_bank(share, value))).await.unwrap();
                let (last, shares) = plan.after.split_last().unwrap();
                assert_eq!(last.deposit_type, Some(DepositType::Entire), "{employer}");
                assert!(shares.iter().all(|row| row.deposit_type != Some(DepositType::Entire)), "{employer}");
                signed.apply(&plan, &format!("{share:?}")).await.unwrap();
                assert_eq!(signed.read().await.employments[0].deposit_accounts, plan.after, "{employer}");
            }
            let again = signed.plan(deposit(td_bank(DepositType::Entire, None))).await;
            assert_eq!(words(again), "This account already receives all of your pay.");
        }
    }
}

#[tokio::test]
async fn a_change_is_of_one_person_at_one_employer_by_one_provider() {
    let signed = Signed::new("goodlogin", Product::DepositSwitch).await;
    let before = signed.read().await;
    let plan = signed.plan(deposit(td_bank(DepositType::Entire, None))).await.unwrap();
    assert_eq!(plan.before, before.employments[0].deposit_accounts);
    signed.apply(&plan, "k1").await.unwrap();

    // An income report of the same person shows it, and nothing else of it has changed.
    let cx = Cx { product: Product::Income, ..signed.cx.clone() };
    let mut after = fetch("goodlogin", &cx, Phase::Deep).await;
    assert_eq!(after.employments[0].deposit_accounts, plan.after);
    after.employments[0].deposit_accounts.clone_from(&plan.before);
    assert_eq!(after, before);

    for elsewhere in [
        Cx { provider_id: "adp".to_owned(), ..cx.clone() },
        Cx { employer_name: Some("Google".to_owned()), ..cx.clone() },
    ] {
        let there = fetch("goodlogin", &elsewhere, Phase::Deep).await;
        assert_ne!(there.employments[0].deposit_accounts, plan.after);
    }
    let other = fetch("goodlogin.weekly", &cx, Phase::Deep).await;
    assert_ne!(other.employments[0].deposit_accounts, plan.after);
}

#[tokio::test]
async fn of_two_jobs_the_picked_one_changes() {
    let signed = Signed::new("hourly.part-time", Product::DepositSwitch).await;
    let before = signed.read().await;
    let plan = signed.plan(deposit(td_bank(DepositType::Entire, None))).await.unwrap();
    signed.apply(&plan, "k1").await.unwrap();
    let after = signed.read().await;
    assert_eq!(after.employments[0].employer.name, "Facebook Demo");
    assert_eq!(after.employments[0].deposit_accounts, plan.after);
    assert_eq!(after.employments[1], before.employments[1]);
}

/// P37: the sandbox does not hide a second submission, so that a test of the host can see it.
#[tokio::test]
async fn p37_each_submission_is_one_entry_and_is_found_by_its_key() {
    let signed = Signed::new("goodlogin", Product::DepositSwitch).await;
    let plan = signed.plan(deposit(td_bank(DepositType::Percent, Some("50")))).await.unwrap();
    assert_eq!(signed.observe(&plan, "k1").await, Ok(ChangeState::Absent));
    signed.apply(&plan, "k1").await.unwrap();
    assert_eq!(signed.observe(&plan, "k1").await, Ok(ChangeState::Applied));
    assert_eq!(signed.observe(&plan, "k2").await, Ok(ChangeState::Absent));
    signed.apply(&plan, "k1").await.unwrap();
    let page = r#"["deposit","truv","Facebook Demo","goodlogin"]"#;
    let keys: Vec<String> = signed.entries(page).await.into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, ["k1", "k1"]);
    assert_eq!(signed.read().await.employments[0].deposit_accounts, plan.after);
}

/// Two changes that were worked out at the same time are both there in the end.
#[tokio::test]
async fn changes_that_cross_each_other_are_both_kept() {
    let signed = Signed::new("goodlogin", Product::DepositSwitch).await;
    let first = signed.plan(deposit(td_bank(DepositType::Amount, Some("25")))).await.unwrap();
    let mut other = td_bank(DepositType::Amount, Some("40"));
    other.account_number = "20002000".into();
    let second = signed.plan(deposit(other)).await.unwrap();
    signed.apply(&first, "k1").await.unwrap();
    signed.apply(&second, "k2").await.unwrap();
    let accounts = signed.read().await.employments[0].deposit_accounts.clone();
    let numbers: Vec<_> = accounts.iter().map(|account| account.account_number.expose()).collect();
    assert!(numbers.contains(&"16002600") && numbers.contains(&"20002000"), "{numbers:?}");
}

/// A host that dies while it waits for the answer finds the change made.
#[tokio::test(start_paused = true)]
async fn a_slow_bank_enters_at_once_and_answers_after_three_seconds() {
    let signed = Signed::new("goodlogin.slowbank", Product::DepositSwitch).await;
    let plan = signed.plan(deposit(td_bank(DepositType::Entire, None))).await.unwrap();
    let impatient = tokio::time::timeout(std::time::Duration::from_millis(2_999), signed.apply(&plan, "k1"));
    assert!(impatient.await.is_err(), "answered too soon");
    assert_eq!(signed.observe(&plan, "k1").await, Ok(ChangeState::Applied));

    let patient = tokio::time::timeout(std::time::Duration::from_millis(3_001), signed.apply(&plan, "k2"));
    assert_eq!(patient.await, Ok(Ok(())));
}

#[tokio::test]
async fn who_finds_nothing_changes_nothing() {
    let cx = for_product(Product::DepositSwitch);
    let signed_in = auth(&cx, login("error.user", "no_data")).await;
    let Ok(citadel_connectors::AuthNext::Ready(grant)) = signed_in else { panic!("{signed_in:?}") };
    let sandbox = Sandbox::new();
    for change in [
        deposit(td_bank(DepositType::Entire, None)),
        Change::Funding { account: td_bank(DepositType::Entire, None) },
    ] {
        assert_eq!(sandbox.plan(&cx, &grant, &change).await, Err(ConnectorError::NoData));
    }
    assert_eq!(sandbox.fetch_company(&cx, &grant).await, Err(ConnectorError::NoData));
    assert_eq!(
        sandbox.fetch(&cx, &grant, Want { phase: Phase::First }).await.unwrap_err(),
        ConnectorError::NoData
    );
}
