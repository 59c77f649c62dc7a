//! Contract R11: no percent sign in anything that the sandbox shows, because published clients print answers through a
//! format function.

use citadel_connectors::{AuthNext, Connector, Cx, Step, sandbox::Sandbox};
use citadel_domain::{
    Money, Product,
    account::DepositType,
    payroll::{Change, CompanyData, PayrollData},
};
use jiff::civil::date;

use crate::support::{NOW, Signed, auth, cx, everything, for_product, grant, login, td_bank, typed, words};

fn check(what: &str, text: &str) {
    assert!(!text.contains('%'), "{what}: {text}");
}

#[tokio::test]
async fn people_have_none() {
    for username in [
        "goodlogin",
        "goodlogin.weekly",
        "goodlogin.biweekly",
        "goodlogin.semimonthly",
        "goodlogin.monthly",
        "goodlogin.expiring",
        "goodlogin.slowbank",
        "goodlogin.tn1",
        "goodlogin.tn2",
        "fulltime",
        "hourly.part-time",
    ] {
        check(username, &serde_json::to_string::<PayrollData>(&everything(username).await).unwrap());
    }
    for number in 0..20 {
        let seed = format!("person {number}");
        let somebody = citadel_connectors::sandbox::anybody(&seed, None, date(2026, 11, 23));
        check(&seed, &serde_json::to_string(&somebody).unwrap());
    }
}

#[tokio::test]
async fn the_company_has_none() {
    let cx = for_product(Product::Admin);
    let grant = grant("goodlogin").await;
    let company: CompanyData = Sandbox::new().fetch_company(&cx, &grant).await.unwrap();
    check("directory", &serde_json::to_string(&company).unwrap());
    let rows = Sandbox::new().fetch_payroll(&cx, &grant, date(2019, 12, 1), date(2020, 2, 1)).await.unwrap();
    check("register", &serde_json::to_string(&rows).unwrap());
}

#[tokio::test]
async fn questions_and_refusals_have_none() {
    for password in ["mfa", "mfa.question", "mfa.choice", "mfa.push"] {
        let Ok(AuthNext::Need { step, .. }) = auth(&cx(NOW), login("goodlogin", password)).await else {
            panic!("{password}")
        };
        check(password, &serde_json::to_string::<Step>(&step).unwrap());
    }
    check("config_error", &words(auth(&cx(NOW), login("error.user", "config_error")).await));
    let infor = Cx { provider_id: "infor".to_owned(), ..cx(NOW) };
    check("company code", &words(auth(&infor, typed(&[("organization_id", "unknown")])).await));
}

#[tokio::test]
async fn plans_have_none() {
    let person = Signed::new("goodlogin", Product::DepositSwitch).await;
    let administrator = Signed::new("goodlogin", Product::Fas).await;
    let account = td_bank(DepositType::Percent, Some("50"));
    let plans = [
        person.plan(Change::Deposit { account: account.clone() }).await,
        administrator.plan(Change::Funding { account }).await,
    ];
    for plan in plans {
        check("plan", &serde_json::to_string(&plan.unwrap()).unwrap());
    }
    let too_much = Change::Deposit { account: td_bank(DepositType::Percent, Some("101")) };
    check("too much", &words(person.plan(too_much).await));
    let nothing = Change::FundingProof { amounts: [Money::ZERO; 2] };
    check("nothing to prove", &words(administrator.plan(nothing).await));
}
