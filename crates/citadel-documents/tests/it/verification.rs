//! Verifications of everybody.

use citadel_documents::{
    SANDBOX_FOOTER, Verification,
    VerificationKind::{EmploymentOnly, IncomeAndEmployment},
    verification_pdf,
};
use citadel_domain::{Money, payroll::PayrollData};
use rust_decimal::Decimal;

use crate::{
    file::File,
    pdf::check,
    people::{everybody, read, verification},
};

fn draw(verification: &Verification) -> Vec<u8> {
    verification_pdf(verification, Some(SANDBOX_FOOTER)).unwrap_or_else(|error| panic!("{error}"))
}

/// `1,935.77`
fn money(amount: Money) -> String {
    let text = amount.to_string();
    let (whole, cents) = text.split_once('.').unwrap_or_default();
    let mut grouped = format!(".{cents}");
    for (index, digit) in whole.chars().rev().enumerate() {
        if index > 0 && index % 3 == 0 && digit != '-' {
            grouped.insert(0, ',');
        }
        grouped.insert(0, digit);
    }
    grouped
}

/// Whatever has two decimals, and the dollar sign.
fn amounts(text: &str) -> Vec<&str> {
    let is_amount = |word: &&str| {
        let (whole, cents) = word.rsplit_once('.').unwrap_or_default();
        cents.len() == 2 && cents.parse::<u8>().is_ok() && whole.ends_with(|last: char| last.is_ascii_digit())
    };
    text.split_whitespace().filter(is_amount).chain(text.contains('$').then_some("$")).collect()
}

#[tokio::test]
async fn everybody_has_a_verification_of_income_and_employment() {
    for username in everybody() {
        let data = read(username).await;
        let file = check(username, &draw(&verification(IncomeAndEmployment, data.clone())), true);
        figures_are_there(username, &data, &file.text());
        numbers_are_hidden(username, &data, &file.everything());
    }
}

#[tokio::test]
async fn everybody_has_a_verification_of_employment_without_an_amount() {
    for username in everybody() {
        let data = read(username).await;
        let everything =
            check(username, &draw(&verification(EmploymentOnly, data.clone())), true).everything();
        assert!(everything.contains("Verification of Employment\n"), "{username}");
        assert_eq!(amounts(&everything), Vec::<&str>::new(), "{username}");
        numbers_are_hidden(username, &data, &everything);
    }
}

fn figures_are_there(username: &str, data: &PayrollData, text: &str) {
    assert!(text.contains("Verification of Income and Employment\n"), "{username}");
    for statement in data.employments.iter().flat_map(|job| &job.statements) {
        // What finds amounts finds these, so that finding none means something.
        assert!(statement.gross.is_none() || !amounts(text).is_empty(), "{username}");
        for amount in [statement.gross, statement.net, statement.gross_ytd].into_iter().flatten() {
            assert!(text.contains(&format!("{}\n", money(amount))), "{username}: {amount}");
        }
    }
    for account in data.employments.iter().flat_map(|job| &job.deposit_accounts) {
        let number = &account.account_number;
        let end = if number.expose().len() > 4 { number.last4() } else { "Not shown" };
        assert!(text.contains(end), "{username}: {end}");
    }
}

/// No whole Social Security number and no whole number of an account or a bank is anywhere in the file.
fn numbers_are_hidden(username: &str, data: &PayrollData, everything: &str) {
    for job in &data.employments {
        let accounts =
            job.deposit_accounts.iter().flat_map(|each| [&each.account_number, &each.routing_number]);
        for secret in job.person.ssn.iter().chain(accounts).filter(|secret| secret.expose().len() > 4) {
            assert!(!everything.contains(secret.expose()), "{username}: {}", secret.expose());
        }
        if let Some(ssn) = &job.person.ssn {
            assert!(everything.contains(&format!("XXX-XX-{}", ssn.last4())), "{username}");
        }
    }
}

#[tokio::test]
async fn sixty_statements_have_a_head_on_every_page() {
    let data = read("ugly.sixty-statements").await;
    assert_eq!(data.employments[0].statements.len(), 60);
    let file = File::read(&draw(&verification(IncomeAndEmployment, data)));
    assert!(file.pages.len() >= 3, "{}", file.pages.len());
    for (index, page) in file.pages.iter().enumerate() {
        let artifacts: Vec<&str> =
            page.marks.iter().filter(|mark| mark.is_artifact).map(|mark| mark.shown.as_str()).collect();
        let number = format!("Page {} of {}", index + 1, file.pages.len());
        for text in [SANDBOX_FOOTER, "Report 3f2a9c0d4b1e4f6a8c7d5e9b0a1c2d3e", number.as_str()] {
            assert!(artifacts.contains(&text), "{text} on page {index}: {artifacts:?}");
        }
        let title = "Verification of Income and Employment";
        assert_eq!(artifacts.contains(&title), index > 0, "page {index}: {artifacts:?}");
    }
    // The names of the columns stand over every part of the table of statements, and are said once.
    let heads = |is_artifact: bool| {
        let marks = file
            .pages
            .iter()
            .flat_map(|page| &page.marks)
            .filter(move |mark| mark.is_artifact == is_artifact);
        marks.filter(|mark| mark.shown == "Gross, year to date").count()
    };
    assert_eq!(heads(false), 1);
    assert!(heads(true) >= 1);
}

#[tokio::test]
async fn gaps_are_told_in_plain_words() {
    for (username, sentence) in [
        ("ugly.unpaid-leave", "though the job went on."),
        ("ugly.no-pay-date", "The provider did not give the pay date of"),
        ("ugly.no-statements", "The provider showed no pay statement."),
        ("ugly.paid-before-hired", "lies before the first day of the job."),
        ("ugly.paid-after-leaving", "lies after the last day of the job."),
        ("ugly.acquired-company", "more than the year-to-date figure of"),
        ("ugly.placeholder-dates", "January 1, 1900"),
        ("ugly.no-ssn", "The provider did not give: Social Security number"),
        ("ugly.no-account", "The provider showed no account."),
        ("ugly.inactive-without-end", "The provider did not give: last day"),
        ("ugly.same-job-twice", "one job may be listed twice."),
        ("goodlogin", "Statements begin with"),
    ] {
        let text = File::read(&draw(&verification(IncomeAndEmployment, read(username).await))).text();
        assert!(text.replace('\n', " ").contains(sentence), "{username}: {sentence}\n{text}");
    }
}

#[tokio::test]
async fn the_same_input_gives_the_same_bytes() {
    let verification = verification(IncomeAndEmployment, read("hourly.part-time").await);
    let first = draw(&verification);
    // Hash maps are seeded anew each time, so that once would prove little.
    assert!((0..5).all(|_| draw(&verification) == first));
}

#[tokio::test]
async fn letters_without_a_glyph_are_shown_as_lacking_and_meant_as_written() {
    let data = read("ugly.right-to-left").await;
    let name = data.employments[0].person.last_name.clone();
    let file = File::read(&draw(&verification(IncomeAndEmployment, data)));
    let marks = || file.pages.iter().flat_map(|page| &page.marks);
    let found = marks().find(|mark| mark.meant.as_ref().is_some_and(|meant| meant.contains(&name)));
    assert!(found.unwrap().shown.contains('\u{FFFD}'));
    assert!(marks().any(|mark| mark.shown.contains("The sign \u{FFFD} stands for a letter")));
    let file = File::read(&draw(&verification(IncomeAndEmployment, read("ugly.markup-in-names").await)));
    assert!(file.text().contains("<script>alert(1)</script>"));
    assert!(!file.text().contains('\u{FFFD}'));
}

#[test]
fn nobody_without_a_job_and_absurd_amounts_have_a_document_too() {
    let none = File::read(&draw(&verification(IncomeAndEmployment, PayrollData::default())));
    assert!(none.text().contains("The provider showed no employment."));

    let mut data = citadel_connectors::sandbox::anybody("file", None, jiff::civil::date(2026, 11, 23));
    for statement in &mut data.employments[0].statements {
        statement.gross = Some(Money::from_cents(i64::MAX));
        statement.net = Some(Money::from_cents(i64::MIN));
        statement.gross_ytd = None;
        statement.net_ytd = Some(Money::from_cents(-1));
        statement.hours = Some(Decimal::MAX);
    }
    let file = check("absurd amounts", &draw(&verification(IncomeAndEmployment, data)), true);
    assert!(file.text().contains("-0.01\n"));
}

#[tokio::test]
async fn pay_that_was_not_shared_is_said_to_be_so_and_not_to_be_missing() {
    let data = read("goodlogin").await.without_pay();
    let mut verification = verification(IncomeAndEmployment, data.clone());
    let shared = verification.sources[0].clone();
    verification.sources[0].employments.iter_mut().for_each(|job| job.is_pay_shared = false);
    let file = check("all withheld", &draw(&verification), true);
    let text = file.text();
    assert_eq!(amounts(&text), Vec::<&str>::new());
    assert!(text.contains("What the jobs pay was not shared."), "{text}");
    assert!(text.contains("The person shared this job without what it pays."), "{text}");
    for missing in ["no pay statement", "showed no account", "Rate of pay"] {
        assert!(!text.contains(missing), "{missing}: {text}");
    }
    // Beside a job whose pay is there.
    verification.sources.push(shared);
    verification.sources[1].employments =
        read("fulltime").await.employments.into_iter().map(Into::into).collect();
    let text = check("one of two", &draw(&verification), true).text();
    assert!(!amounts(&text).is_empty());
    assert_eq!(
        text.matches("The person shared this job without what it pays.").count(),
        data.employments.len()
    );
    assert!(!text.contains("was not shared"), "{text}");
}

#[tokio::test]
async fn different_names_and_long_times_are_told_whole() {
    let mut verification = verification(IncomeAndEmployment, read("goodlogin").await);
    let mut job = verification.sources[0].employments[0].clone();
    job.employment.person.first_name = "Rosalind".to_owned();
    job.employment.is_active = Some(true);
    job.employment.end_date = None;
    job.employment.start_date = Some(jiff::civil::date(2014, 11, 25));
    verification.sources[0].employments.push(job);
    let text = check("two names", &draw(&verification), true).text();
    assert!(text.contains("know the person by different names:") && text.contains("Rosalind"), "{text}");
    assert!(text.matches("11 years 11 months").count() >= 2, "in the summary and with the job: {text}");
}
