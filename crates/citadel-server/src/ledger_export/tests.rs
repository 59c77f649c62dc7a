//! Statements that add up, and statements that do not.

#[path = "../../tests/it/ledger_tools.rs"]
mod tools;

use citadel_connectors::sandbox;
use citadel_domain::{
    Money, Secret,
    account::{AccountType, DepositType},
    payroll::{DeductionKind, DeductionLine, EarningKind, EarningLine, Employer, Person},
};

use super::*;

fn money(dollars: &str) -> Money {
    dollars.parse().unwrap()
}

/// `amount` and `ytd`; an empty text is one that is not given.
fn figures(figures: &str) -> [Option<Money>; 2] {
    let (amount, ytd) = figures.split_once('/').unwrap();
    [amount, ytd].map(|text| Some(text).filter(|text| !text.is_empty()).map(money))
}

fn earning(label: &str, text: &str) -> EarningLine {
    let [amount, ytd] = figures(text);
    EarningLine { kind: EarningKind::Regular, label: label.into(), amount, ytd, rate: None, units: None }
}

fn taken(kind: DeductionKind, label: &str, text: &str, pretax: bool) -> DeductionLine {
    let [amount, ytd] = figures(text);
    DeductionLine { kind, label: label.into(), amount, ytd, pretax }
}

/// A statement: id, pay day, gross and net, each with its year to date.
fn statement(id: &str, pay_date: &str, gross: &str, net: &str) -> Statement {
    let ([gross, gross_ytd], [net, net_ytd]) = (figures(gross), figures(net));
    Statement {
        external_id: id.into(),
        check_number: None,
        pay_date: pay_date.parse().ok(),
        period_start: None,
        period_end: None,
        basis: None,
        hours: None,
        gross,
        gross_ytd,
        net,
        net_ytd,
        earnings: Vec::new(),
        taxes: Vec::new(),
        deductions: Vec::new(),
    }
}

/// A job, of statements that are listed oldest first.
fn job(mut statements: Vec<Statement>) -> Employment {
    statements.reverse();
    Employment {
        external_id: "job".into(),
        person: Person {
            first_name: "Ada".into(),
            middle_initials: None,
            last_name: "Lane".into(),
            email: None,
            ssn: None,
            date_of_birth: None,
            home_address: None,
        },
        employer: Employer { name: "Birch & Co.".into(), ein: None, address: None, phone: None },
        title: None,
        job_type: None,
        start_date: None,
        original_hire_date: None,
        end_date: None,
        is_active: None,
        manager_name: None,
        external_last_updated: None,
        pay: None,
        statements,
        deposit_accounts: Vec::new(),
        w2s: Vec::new(),
    }
}

/// Two pay days that add up, and the year's W-2.
fn tidy() -> Employment {
    let lines = |statement: Statement, figures: [&str; 5]| Statement {
        check_number: Some("7 \"b\"".into()),
        period_start: Some("2025-12-01".parse().unwrap()),
        period_end: Some("2025-12-07".parse().unwrap()),
        earnings: vec![earning("Regular", figures[0])],
        taxes: vec![
            taken(DeductionKind::Federal, "Federal Income Tax", figures[1], false),
            taken(DeductionKind::Medicare, "Medicare", figures[2], false),
        ],
        deductions: vec![
            taken(DeductionKind::Health, "Health & Dental", figures[3], true),
            taken(DeductionKind::Retirement, "401(k)", figures[4], true),
        ],
        ..statement
    };
    let first = statement("a", "2025-12-12", "1000.00/1000.00", "755.00/755.00");
    let first =
        lines(first, ["1000.00/1000.00", "100.00/100.00", "15.00/15.00", "80.00/80.00", "50.00/50.00"]);
    let second = statement("b", "2025-12-31", "1000.00/2000.00", "755.00/1510.00");
    let second =
        lines(second, ["1000.00/2000.00", "100.00/200.00", "15.00/30.00", "80.00/160.00", "50.00/100.00"]);
    let w2 = W2 {
        year: 2025,
        wages: Some(money("1740.00")),
        federal_tax: Some(money("200.00")),
        social_security_wages: None,
        social_security_tax: None,
        medicare_wages: Some(money("1840.00")),
        medicare_tax: Some(money("30.00")),
    };
    Employment { w2s: vec![w2], ..job(vec![first, second]) }
}

fn books(jobs: Vec<Employment>, days: Days) -> (String, String) {
    let pay = Pay::of_person(jobs);
    (pay.write(Format::Beancount, days), pay.write(Format::Hledger, days))
}

#[test]
fn a_pay_day_is_a_transaction_and_what_the_year_comes_to() {
    let until = Days { from: None, to: Some("2025-12-12".parse().unwrap()) };
    let (beancount, hledger) = books(vec![tidy()], until);
    tools::both_accept(&beancount, &hledger);
    let expected = r#"
2025-12-12 * "Birch & Co." "Pay from 2025-12-01 to 2025-12-07"
  statement: "a"
  check: "7 \"b\""
  Income:Birch-and-Co:Y2025:Fica:Gross:Regular  -1000.00 USD
  Expenses:Taxes:Birch-and-Co:Y2025:Federal:Federal-Income-Tax  100.00 USD
  Expenses:Taxes:Birch-and-Co:Y2025:Medicare:Medicare  15.00 USD
  Income:Birch-and-Co:Y2025:Fica:Section125:Health-and-Dental  80.00 USD
  Income:Birch-and-Co:Y2025:Pretax:401k  50.00 USD
  Assets:Pay:Birch-and-Co:Y2025:Net-pay  755.00 USD

; 2025-12-12 Birch & Co.: Year to date
2025-12-13 balance Expenses:Taxes:Birch-and-Co:Y2025:Federal:Federal-Income-Tax  100.00 ~ 0.00 USD
2025-12-13 balance Expenses:Taxes:Birch-and-Co:Y2025:Medicare:Medicare  15.00 ~ 0.00 USD
2025-12-13 balance Income:Birch-and-Co:Y2025:Fica:Gross:Regular  -1000.00 ~ 0.00 USD
2025-12-13 balance Income:Birch-and-Co:Y2025:Fica:Section125:Health-and-Dental  80.00 ~ 0.00 USD
2025-12-13 balance Income:Birch-and-Co:Y2025:Pretax:401k  50.00 ~ 0.00 USD
2025-12-13 balance Income:Birch-and-Co:Y2025:Fica:Gross  -1000.00 ~ 0.00 USD
2025-12-13 balance Assets:Pay:Birch-and-Co:Y2025  755.00 ~ 0.00 USD
"#;
    assert!(beancount.ends_with(expected), "{beancount}");
    let expected = "
2025-12-12 * Birch & Co. | Year to date
    Expenses:Taxes:Birch-and-Co:Y2025:Federal:Federal-Income-Tax  0.00 USD =* 100.00 USD
";
    assert!(hledger.contains(expected), "{hledger}");
}

#[test]
fn a_w2_is_asserted_at_the_end_of_its_year() {
    let (beancount, hledger) = books(vec![tidy()], Days::default());
    tools::both_accept(&beancount, &hledger);
    for expected in [
        "2026-01-01 balance Income:Birch-and-Co:Y2025  -1740.00 ~ 0.00 USD\n",
        "2026-01-01 balance Expenses:Taxes:Birch-and-Co:Y2025:Federal  200.00 ~ 0.00 USD\n",
        "2026-01-01 balance Income:Birch-and-Co:Y2025:Fica  -1840.00 ~ 0.00 USD\n",
        "2026-01-01 balance Expenses:Taxes:Birch-and-Co:Y2025:Medicare  30.00 ~ 0.00 USD\n",
        "; Box 3 is not given.\n",
    ] {
        assert!(beancount.contains(expected), "{expected}{beancount}");
    }
    assert!(!beancount.contains("Unbalanced:") && !hledger.contains("Unbalanced:"), "{beancount}");

    let mut wrong = tidy();
    wrong.w2s[0].wages = Some(money("1740.01"));
    let (beancount, hledger) = books(vec![wrong], Days::default());
    tools::both_accept(&beancount, &hledger);
    let said = "; Unbalanced: box 1 is 1740.01, and the statements come to 1740.00.\n";
    assert!(beancount.contains(said) && hledger.contains(said.trim()), "{beancount}");
}

/// A cent is not forgiven, wherever it is.
#[test]
fn both_programs_refuse_what_is_wrong() {
    let (beancount, hledger) = books(vec![tidy()], Days::default());
    let refuses = |what: &str, change: &dyn Fn(&str) -> String| {
        for (program, text, result) in [
            ("bean-check", &beancount, tools::beancount(&change(&beancount))),
            ("hledger", &hledger, tools::hledger(&change(&hledger))),
        ] {
            assert_ne!(change(text), **text, "{what}: nothing was changed for {program}");
            assert!(result.is_err(), "{what}: {program} accepts it");
        }
    };
    refuses("a transaction", &|text| text.replacen("Regular  -1000.00", "Regular  -1000.01", 1));
    refuses("a transaction that balances", &|text| {
        let text = text.replacen("Regular  -1000.00", "Regular  -1000.01", 1);
        text.replacen("Net-pay  755.00", "Net-pay  755.01", 1)
    });
    refuses("a box", &|text| {
        let text = text.replace("Y2025  -1740.00 ~", "Y2025  -1740.01 ~");
        text.replace("=* -1740.00", "=* -1740.01")
    });
    refuses("an account", &|text| {
        let text = text.replace("2025-12-12 open Income:Birch-and-Co:Y2025:Pretax:401k USD\n", "");
        text.replace("account Income:Birch-and-Co:Y2025:Pretax:401k\n", "")
    });
}

/// Everything that scenarios can do to a statement, in one file.
#[test]
fn what_does_not_add_up_is_said_and_breaks_nothing() {
    let lines = |mut statement: Statement, earnings: &[(&str, &str)]| {
        statement.earnings = earnings.iter().map(|(label, figures)| earning(label, figures)).collect();
        statement
    };
    let statements = vec![
        lines(
            statement("lines", "2026-01-02", "120.00/120.00", "120.00/120.00"),
            &[("Regular", "100.00/100.00")],
        ),
        lines(statement("no net", "2026-01-09", "10.00/", "/"), &[("Regular", "10.00/110.00")]),
        lines(statement("no gross", "2026-01-16", "/", "50.00/"), &[("Regular", "50.00/")]),
        statement("nothing", "2026-01-17", "/", "/"),
        statement("only net", "2026-01-18", "/", "5.00/"),
        statement("totals", "2026-01-23", "70.00/", "70.00/"),
        lines(statement("null", "2026-01-30", "7.00/", "7.00/"), &[("Regular", "7.00/"), ("Tips", "/33.00")]),
        lines(
            statement("twice", "2026-02-06", "9.00/", "9.00/"),
            &[("Shift", "4.00/4.00"), ("Shift", "5.00/5.00")],
        ),
        lines(
            statement("same", "2026-02-13", "2.00/", "2.00/"),
            &[("Shift", "1.00/11.00"), ("Shift", "1.00/11.00")],
        ),
        lines(
            statement("names", "2026-02-20", "3.00/", "3.00/"),
            &[("401(k)", "1.00/"), ("401k", "1.00/"), ("賞与; \"\\\n", "1.00/")],
        ),
        lines(statement("back", "2026-02-27", "-8.00/", "-8.00/"), &[("Regular", "-8.00/")]),
        lines(statement("ancient", "-000044-03-15", "6.00/", "6.00/"), &[("Regular", "6.00/")]),
        lines(statement("undated", "", "8.00/8.00", "8.00/8.00"), &[("Regular", "8.00/8.00")]),
    ];
    let (beancount, hledger) = books(vec![job(statements)], Days::default());
    tools::both_accept(&beancount, &hledger);
    for said in [
        "Unbalanced: earnings sum to 100.00, and gross pay is 120.00.",
        "Unbalanced: the lines leave 100.00, and net pay is 120.00.",
        "Unbalanced: the statements so far do not come to the year-to-date figures.",
        "Unbalanced: the lines leave 10.00, and net pay is not given.",
        "Gross pay is not given.",
        "Net pay is not given.",
        "Unbalanced: the lines leave 0.00, and net pay is 5.00.",
        "Gross pay as a whole: no amounts of earnings are given.",
        "Tips: no amount is given.",
        "Not booked: the statement has no pay day, or one before 1900.",
        ":Gross:401k-2  -1.00 USD",
        ":Gross:U8cde-u4e0e  -1.00 USD",
        ":Gross:Shift  -1.00 USD",
    ] {
        assert!(beancount.contains(said) && hledger.contains(said), "{said}: {beancount}");
    }
    // What the first pay day lacks of gross pay, and the tips that were never paid.
    assert!(beancount.contains(":Y2026:Fica:Gross  -20.00 USD"), "{beancount}");
    assert!(beancount.contains(":Gross:Tips  -33.00 USD"), "{beancount}");
    // A label that comes twice is asserted as the sum of its lines, and not made up for.
    assert!(
        beancount.contains("2026-02-07 balance Income:Birch-and-Co:Y2026:Fica:Gross:Shift  -9.00 ~"),
        "{beancount}"
    );
    assert!(
        beancount.contains("2026-02-14 balance Income:Birch-and-Co:Y2026:Fica:Gross:Shift  -11.00 ~"),
        "{beancount}"
    );
}

#[test]
fn a_range_brings_forward_what_the_year_had_before() {
    let from = |day: &str| Days { from: Some(day.parse().unwrap()), to: None };
    let (beancount, hledger) = books(vec![tidy()], from("2025-12-31"));
    tools::both_accept(&beancount, &hledger);
    assert!(beancount.contains("\"Brought forward\"") && !beancount.contains("2025-12-12"), "{beancount}");
    assert_eq!(beancount.matches(":Regular  -1000.00 USD").count(), 2, "{beancount}");
    let (beancount, hledger) = books(vec![tidy()], from("2026-01-01"));
    tools::both_accept(&beancount, &hledger);
    assert!(!beancount.contains("Birch"), "{beancount}");
}

#[test]
fn statements_of_one_day_go_on_from_each_other() {
    let mut regular = statement("regular", "2026-01-02", "100.00/100.00", "100.00/100.00");
    regular.earnings = vec![earning("Regular", "100.00/100.00")];
    let mut bonus = statement("bonus", "2026-01-02", "30.00/130.00", "30.00/130.00");
    bonus.earnings = vec![earning("Bonus", "30.00/30.00")];
    for order in [vec![regular.clone(), bonus.clone()], vec![bonus, regular]] {
        let (beancount, hledger) = books(vec![job(order)], Days::default());
        tools::both_accept(&beancount, &hledger);
        assert!(!beancount.contains("Unbalanced:"), "{beancount}");
    }
}

#[test]
fn net_pay_goes_to_the_deposit_accounts() {
    let account = |number: &str, kind, value: Option<i64>| DepositAccount {
        account_number: Secret::new(number),
        routing_number: Secret::new("123456789"),
        account_name: None,
        bank_name: Some("Tide Bank".into()),
        account_type: Some(AccountType::Checking),
        deposit_type: Some(kind),
        deposit_value: value.map(Into::into),
    };
    let mut paid = tidy();
    paid.deposit_accounts = vec![
        account("111-2600", DepositType::Amount, Some(55)),
        account("222-2600", DepositType::Entire, None),
    ];
    let (beancount, hledger) = books(vec![paid], Days::default());
    tools::both_accept(&beancount, &hledger);
    assert!(beancount.contains(":Y2025:Tide-Bank-Checking-2600  55.00 USD"), "{beancount}");
    assert!(beancount.contains(":Y2025:Tide-Bank-Checking-2600-2  700.00 USD"), "{beancount}");
}

/// A history that begins in the middle of a year, at two jobs and on any terms.
#[test]
fn anybody_can_be_exported() {
    for seed in 0..10 {
        let today = "2026-11-18".parse().unwrap();
        let data = sandbox::anybody(&format!("person {seed}"), None, today);
        let (beancount, hledger) = books(data.employments, Days::default());
        tools::both_accept(&beancount, &hledger);
    }
}

#[test]
fn a_table_quotes_what_needs_it() {
    let mut odd = statement("a,b", "2026-01-02", "1.00/", "/");
    odd.earnings = vec![earning("Say \"hi\"\nthere", "1.00/2.00")];
    let undated = statement("=1+1", "", "-1.00/", "/");
    let pay = Pay::of_person(vec![job(vec![undated, odd])]);
    let expected = "person,employer,statement_id,pay_date,period_start,period_end,kind,label,category,amount,ytd\r\n\
        Ada Lane,Birch & Co.,\"a,b\",2026-01-02,,,gross,Gross pay,,1.00,\r\n\
        Ada Lane,Birch & Co.,\"a,b\",2026-01-02,,,earning,\"Say \"\"hi\"\"\nthere\",regular,1.00,2.00\r\n\
        Ada Lane,Birch & Co.,\"a,b\",2026-01-02,,,net,Net pay,,,\r\n\
        Ada Lane,Birch & Co.,'=1+1,,,,gross,Gross pay,,-1.00,\r\n\
        Ada Lane,Birch & Co.,'=1+1,,,,net,Net pay,,,\r\n";
    assert_eq!(pay.write(Format::Csv, Days::default()), expected);
    let days = Days { from: Some("2026-01-03".parse().unwrap()), to: None };
    assert_eq!(pay.write(Format::Csv, days).lines().count(), 1);
}
