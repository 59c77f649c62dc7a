//! Confirmations of deposits.

use citadel_documents::{DepositConfirmation, DepositPurpose, SANDBOX_FOOTER, deposit_pdf};
use citadel_domain::{
    AccountDetails, Secret, TaskStatus,
    account::{AccountType, DepositType},
};

use crate::{
    file::File,
    pdf::check,
    people::{everybody, read, request, subject},
};

async fn confirmation(username: &str) -> DepositConfirmation {
    let data = read(username).await;
    let job = &data.employments[0];
    DepositConfirmation {
        purpose: DepositPurpose::Switch,
        request: request(),
        person: Some(subject(&data)),
        provider_name: "ADP".to_owned(),
        employer_name: Some(job.employer.name.clone()),
        account: Some(AccountDetails {
            account_number: Secret::new("16002600"),
            account_type: AccountType::Checking,
            routing_number: Secret::new("123456789"),
            bank_name: "TD Bank".to_owned(),
            bank_address: None,
            deposit_type: Some(DepositType::Amount),
            deposit_value: Some("200".parse().expect("a number")),
            action: None,
        }),
        before: Some(job.deposit_accounts.clone()),
        status: TaskStatus::Done,
        finished_at: Some("2026-11-23T14:04:00Z".parse().expect("an instant")),
        tracking_info: Some("loan 4711-B".to_owned()),
    }
}

fn draw(confirmation: &DepositConfirmation) -> File {
    let bytes = deposit_pdf(confirmation, Some(SANDBOX_FOOTER)).unwrap_or_else(|error| panic!("{error}"));
    check("deposit", &bytes, true)
}

#[tokio::test]
async fn everybody_has_a_confirmation_of_one_page_without_whole_numbers() {
    for username in everybody() {
        let confirmation = confirmation(username).await;
        let file = draw(&confirmation);
        assert_eq!(file.pages.len(), 1, "{username}");
        let everything = file.everything();
        let before = confirmation.before.iter().flatten();
        let secrets = before.flat_map(|account| [&account.account_number, &account.routing_number]);
        let new = &confirmation.account.as_ref().unwrap().account_number;
        let ssn = confirmation.person.as_ref().and_then(|person| person.ssn.as_ref());
        for secret in secrets.chain(ssn).chain([new]).filter(|secret| secret.expose().len() > 4) {
            // What is the new account's routing number is shown.
            let is_shown = secret.expose() == "123456789";
            assert_eq!(everything.contains(secret.expose()), is_shown, "{username}: {}", secret.expose());
        }
    }
}

#[tokio::test]
async fn it_tells_what_was_asked_for_and_what_became_of_it() {
    let confirmation = confirmation("goodlogin").await;
    assert!(deposit_pdf(&confirmation, None).unwrap() == deposit_pdf(&confirmation, None).unwrap());
    let text = draw(&confirmation).text();
    for line in [
        "Confirmation of a Deposit Switch",
        "John Doe",
        "Facebook Demo",
        "TD Bank",
        "Ending in 2600",
        "123456789",
        "$200.00 of each pay",
        "Done: the provider shows the change",
        "Nov 23, 2026, 14:04 UTC",
        "Consent given",
        "Cedar Hill Home Loans",
        "loan 4711-B",
    ] {
        assert!(text.lines().any(|each| each == line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn what_is_not_known_is_said_to_be() {
    let mut bare = DepositConfirmation {
        purpose: DepositPurpose::PaycheckLinkedLoan,
        person: None,
        employer_name: None,
        account: None,
        before: None,
        status: TaskStatus::LoginError,
        finished_at: None,
        tracking_info: None,
        ..confirmation("goodlogin").await
    };
    bare.request.consent = None;
    let text = draw(&bare).text();
    for line in [
        "Confirmation of a Paycheck-Linked Loan",
        "The person has not confirmed an account.",
        "The provider did not show them.",
        "Not made: the sign-in was refused",
        "Not yet",
        "Not on record",
    ] {
        assert!(text.lines().any(|each| each == line), "{line}\n{text}");
    }

    let account = confirmation("goodlogin").await.before.unwrap().remove(0);
    bare.before = Some(vec![account; 40]);
    let file = draw(&bare);
    assert_eq!(file.pages.len(), 1);
    assert!(file.text().contains("And 28 more.\n"));
    bare.before = Some(Vec::new());
    assert!(draw(&bare).text().contains("There was none.\n"));
}
