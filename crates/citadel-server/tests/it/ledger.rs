//! Pay of the sandbox as books: what Beancount and hledger say of them, and 400 days of them by our own arithmetic.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use citadel_domain::Environment;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::{
    ledger_tools::{self, both_accept},
    support::{TestApp, TestClient, for_each_db},
};

async fn export(client: &TestClient<'_>, format: &str, query: &str) -> String {
    let reply = client.get(&format!("/v1/sandbox/ledger/?format={format}&{query}")).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let expected = if format == "csv" { "text/csv; charset=utf-8" } else { "text/plain; charset=utf-8" };
    assert_eq!(reply.header("content-type"), expected);
    reply.text().to_owned()
}

/// Both files, which both programs must accept, and which must need no making up.
async fn proven(client: &TestClient<'_>, query: &str) -> (String, String) {
    let (beancount, hledger) =
        (export(client, "beancount", query).await, export(client, "hledger", query).await);
    both_accept(&beancount, &hledger);
    for text in [&beancount, &hledger] {
        assert!(!text.contains("Unbalanced:"), "{query}: {text}");
    }
    (beancount, hledger)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_pass_both_programs() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    for username in ["goodlogin", "hourly.part-time", "fulltime", "goodlogin.tn2"] {
        let (beancount, hledger) = proven(&client, &format!("username={username}&provider_id=adp")).await;
        assert!(beancount.matches(" balance ").count() > 100, "{username}");
        assert!(hledger.matches(" =* ").count() > 100, "{username}");
    }
    // From the first cheque on, with each year's W-2: six boxes, of which two are one figure.
    let (beancount, _) = proven(&client, "username=goodlogin").await;
    for year in 2018..2026 {
        assert!(beancount.contains(&format!(": W-2 of {year}\n")), "{year}");
        let boxes = format!("{}-01-01 balance Income:", year + 1);
        assert!(beancount.contains(&boxes), "{year}");
        assert!((1..=6).all(|number| beancount.contains(&format!("; Box {number} is "))), "{year}");
    }
    assert!(!beancount.contains("W-2 of 2026"));
    // The deposit accounts of the person.
    assert!(beancount.contains(" Assets:Pay:"), "{beancount}");
    let (part, _) = proven(&client, "username=goodlogin&from=2024-06-01&to=2025-12-31").await;
    assert!(part.contains("2024-06-01 * ") && part.contains("\"Brought forward\""), "{part}");
    assert!(part.contains(": W-2 of 2025\n") && !part.contains("Y2023") && !part.contains("Y2026"), "{part}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_company_passes_both_programs() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    // Over the end of a year, which are two parts of one file.
    let (beancount, hledger) = proven(&client, "company=1&from=2025-10-15&to=2026-03-15").await;
    assert!(beancount.matches(" * ").count() > 300 && hledger.contains("| Brought forward"), "{beancount}");
    assert!(["Y2025", "Y2026"].iter().all(|year| hledger.contains(year)), "{hledger}");
    assert_eq!(beancount.matches("\noption ").count(), 2, "one head");
    // A range in which nobody was paid is books without entries.
    let (nothing, _) = proven(&client, "company=1&from=1990-01-01&to=1990-12-31").await;
    assert!(!nothing.contains(" * "), "{nothing}");
}

/// The checks can fail: each program refuses an amount that is a cent off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cent_is_seen_by_both_programs() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let (beancount, hledger) = proven(&client, "username=goodlogin&from=2026-01-01").await;
    let refused = |text: &str, result: Result<(), ledger_tools::Refused>| {
        assert!(result.is_err(), "accepted: {text}");
    };
    let broken = a_cent_more(&beancount);
    refused(&broken, ledger_tools::beancount(&broken));
    let broken = a_cent_more(&hledger);
    refused(&broken, ledger_tools::hledger(&broken));
}

/// The file with a cent more of the first regular pay.
fn a_cent_more(text: &str) -> String {
    let (before, after) = text.split_once(":Regular  -").unwrap();
    let (amount, rest) = after.split_once(" USD").unwrap();
    let more = cents(amount) + 1;
    format!("{before}:Regular  -{}.{:02} USD{rest}", more / 100, more % 100)
}

fn cents(amount: &str) -> i64 {
    let (dollars, cents) = amount.split_once('.').unwrap();
    let sign = if amount.starts_with('-') { -1 } else { 1 };
    dollars.parse::<i64>().unwrap() * 100 + sign * cents.parse::<i64>().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_adds_up() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    for query in
        ["username=goodlogin", "username=hourly.part-time", "company=1&from=2025-01-01&to=2026-03-31"]
    {
        let text = export(&client, "csv", query).await;
        let mut statements: BTreeMap<String, BTreeMap<&str, i64>> = BTreeMap::new();
        let mut years: BTreeMap<String, i64> = BTreeMap::new();
        for row in text.lines().skip(1) {
            // Nobody of the sandbox has a name or label that is quoted.
            let cells: Vec<&str> = row.split(',').collect();
            let [person, employer, id, day, _, _, kind, label, _, amount, ytd] = cells[..] else {
                panic!("{row}")
            };
            *statements.entry(format!("{person} {employer} {id}")).or_default().entry(kind).or_default() +=
                cents(amount);
            let so_far =
                years.entry(format!("{person} {employer} {} {kind} {label}", &day[..4])).or_default();
            *so_far += cents(amount);
            assert_eq!(*so_far, cents(ytd), "{query}: {row}");
        }
        assert!(statements.len() > 100, "{query}: {}", statements.len());
        for (id, sums) in statements {
            let sum = |kind: &str| sums.get(kind).copied().unwrap_or_default();
            assert_eq!(sum("gross"), sum("earning"), "{query}: {id}");
            assert_eq!(sum("net"), sum("gross") - sum("tax") - sum("deduction"), "{query}: {id}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenarios_and_changes_of_pay_are_in_the_books() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let statements = json!([
        {"id": "a", "pay_date": "2026-10-02", "gross_pay": "100.00", "net_pay": "90.00",
         "earnings": [{"name": "Trinkgeld & Löhne", "amount": "60.00", "ytd": "1060.00"}],
         "deductions": [{"name": "401(k)", "amount": null, "category": "retirement", "pretax": true}]},
        {"id": "b", "gross_pay": "5.00"},
    ]);
    let job = json!({"company": {"name": "Odd \"Jobs\"; Ltd"}, "statements": statements});
    let scenario = json!({
        "data_source": "payroll", "label": "odd", "username": "odd.jobs", "password": "secret",
        "payload": {"employments": [job]},
    });
    let reply = client.post("/v1/sandbox/scenarios/", scenario).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    let (beancount, hledger) = (
        export(&client, "beancount", "username=odd.jobs").await,
        export(&client, "hledger", "username=odd.jobs").await,
    );
    both_accept(&beancount, &hledger);
    for said in [
        "Unbalanced: earnings sum to 60.00, and gross pay is 100.00.",
        "Unbalanced: the lines leave 60.00, and net pay is 90.00.",
        "401(k): no amount is given.",
        "Not booked: the statement has no pay day, or one before 1900.",
        "Gross:Trinkgeld-and-Löhne  -1000.00 USD",
    ] {
        assert!(beancount.contains(said) && hledger.contains(said), "{said}: {beancount}");
    }
    // Another client has no such person.
    let other = app.client("other").await;
    let reply = other.get("/v1/sandbox/ledger/?format=csv&username=odd.jobs").await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);

    assert!(
        !export(&client, "beancount", "username=goodlogin&provider_id=adp")
            .await
            .contains("TD-Bank-Checking-2600")
    );
    client.link("deposit_switch").await;
    let (beancount, _) = proven(&client, "username=goodlogin&provider_id=adp").await;
    assert!(beancount.contains(":TD-Bank-Checking-2600 "), "{beancount}");
}

/// A file takes a slot until it is read to its end or its reader is gone, and no thread waits for a reader.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_reads_four_exports_at_once() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let person = "/v1/sandbox/ledger/?format=csv&username=goodlogin";
    let company = "/v1/sandbox/ledger/?format=csv&company=1";
    let open = async |path: &str| {
        let request = client.request(Method::GET, path).body(Body::empty()).unwrap();
        app.begin(request).await
    };
    let mut unread = Vec::new();
    for path in [company, person, company, person] {
        unread.push(open(path).await);
    }
    assert!(unread.iter().all(|reply| reply.status() == StatusCode::OK));
    for path in [company, person] {
        assert_eq!(open(path).await.status(), StatusCode::FORBIDDEN);
    }
    assert_eq!(app.client("other").await.get(person).await.status, StatusCode::OK);
    // One that is read, and one whose reader is gone.
    let read = unread.pop().unwrap().into_body().collect().await.unwrap().to_bytes();
    assert!(read.starts_with(b"person,employer,"));
    drop(read);
    unread.push(open(person).await);
    assert_eq!(unread[3].status(), StatusCode::OK);
    drop(unread.remove(0));
    let opened = async {
        // The writer sees at its next year that the reader is gone.
        while open(person).await.status() != StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), opened).await.expect("a slot that is free again");
}

/// Whatever a provider leaves out or gets wrong, the books stay books.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_who_break_integrations_break_no_books() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let (mut with_pay, mut unbalanced) = (0, 0);
    for ugly in citadel_server::ugly_pack() {
        let query = format!("username={}&provider_id=adp", ugly.username);
        let reply = client.get(&format!("/v1/sandbox/ledger/?format=csv&{query}")).await;
        if reply.status == StatusCode::NOT_FOUND {
            continue;
        }
        assert_eq!(reply.status, StatusCode::OK, "{}: {reply:?}", ugly.username);
        let (beancount, hledger) =
            (export(&client, "beancount", &query).await, export(&client, "hledger", &query).await);
        both_accept(&beancount, &hledger);
        with_pay += usize::from(beancount.contains(" * "));
        unbalanced += usize::from(beancount.contains("Unbalanced:"));
    }
    assert!(with_pay > 50 && unbalanced > 5 && unbalanced < with_pay, "{with_pay} {unbalanced}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_questions_are_named() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    for (query, fields) in [
        ("", vec!["format", "username"]),
        ("format=ledger&username=goodlogin", vec!["format"]),
        ("format=csv", vec!["username"]),
        ("format=csv&company=1&username=goodlogin", vec!["username"]),
        ("format=csv&company=maybe", vec!["company"]),
        ("format=csv&username=goodlogin&provider_id=nobody", vec!["provider_id"]),
        ("format=csv&username=goodlogin&company_mapping_id=nobody", vec!["company_mapping_id"]),
        ("format=csv&username=goodlogin&from=2026-2-3&to=tomorrow", vec!["from", "to"]),
        ("format=csv&username=goodlogin&from=2026-02-03&to=2026-02-02", vec!["from"]),
    ] {
        let reply = client.get(&format!("/v1/sandbox/ledger/?{query}")).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{query}: {reply:?}");
        assert_eq!(reply.invalid_fields(), fields, "{query}");
    }
    for username in ["nobody", "error.user"] {
        let reply = client.get(&format!("/v1/sandbox/ledger/?format=csv&username={username}")).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{username}");
    }
    let path = "/v1/sandbox/ledger/?format=csv&username=goodlogin";
    let dev = app.client_in("other", Environment::Dev).await;
    let reply = dev.get(path).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::FORBIDDEN, "env_not_sandbox"));
    assert_eq!(app.get(path).await.status, StatusCode::UNAUTHORIZED);
}

/// What a client sees after its clock went on by 400 days, summed up without a line of the code that made it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_hundred_days_later_every_figure_adds_up() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        for username in ["goodlogin", "hourly.part-time", "fulltime"] {
            let access_token = client.link_as("income", username, "goodpassword").await;
            let before = income(&client, &access_token).await;
            let turned = client.post("/v1/sandbox/clock/", json!({"advance": "P400D"})).await;
            assert_eq!(turned.status, StatusCode::OK, "{turned:?}");
            // The consent has ended meanwhile: the person signs in again before the link can be refreshed.
            let body = json!({"product_type": "income", "access_token": access_token});
            app.sign_in(&client.bridge_token_of(body).await, username, "goodpassword").await;
            app.run_jobs().await;
            let reply = client.post("/v1/refresh/tasks/", json!({"access_token": access_token})).await;
            assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
            app.run_refresh().await;
            let after = income(&client, &access_token).await;
            assert_eq!(after["refresh_status"], "done", "{username}");
            let (old, new) = (list(&before, "employments"), list(&after, "employments"));
            assert_eq!(old.len(), new.len(), "{username}");
            for (old, new) in old.iter().zip(new) {
                let last = list(old, "statements")[0]["pay_date"].as_str().unwrap();
                let came =
                    list(new, "statements").iter().filter(|each| each["pay_date"].as_str().unwrap() > last);
                assert!(came.count() > 12, "{username}: pay days came");
                check_job(new);
            }
            let (beancount, _) = proven(&client, &format!("username={username}&provider_id=adp")).await;
            let today =
                client.get("/v1/sandbox/clock/").await.json()["now"].as_str().unwrap()[..10].to_owned();
            let last = list(&new[0], "statements")[0]["pay_date"].as_str().unwrap();
            assert!(
                last <= today.as_str() && beancount.contains(&format!("\n{last} * ")),
                "{username}: {last}"
            );
        }
    })
    .await;
}

async fn income(client: &TestClient<'_>, access_token: &str) -> Value {
    let reply = client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.json()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("{name}: {value}"))
}

fn figure(value: &Value, name: &str) -> i64 {
    cents(value[name].as_str().unwrap_or_else(|| panic!("{name}: {value}")))
}

/// What a year came to, by word.
type Sums = BTreeMap<String, i64>;

/// Statement by statement: lines sum to gross and net, and year-to-date figures are the sums of the year. Then the W-2s.
fn check_job(job: &Value) {
    let mut years: BTreeMap<i64, Sums> = BTreeMap::new();
    let mut whole: Vec<i64> = Vec::new();
    for statement in list(job, "statements").iter().rev() {
        let year: i64 = statement["pay_date"].as_str().unwrap()[..4].parse().unwrap();
        // The first year shown may have begun before the first statement shown.
        let is_first = !years.contains_key(&year);
        let sums = years.entry(year).or_default();
        if is_first && figure(statement, "gross_pay") == figure(statement, "gross_pay_ytd") {
            whole.push(year);
        }
        check_statement(statement, sums, is_first && !whole.contains(&year));
    }
    let w2s = list(job, "w2s");
    let shown: Vec<i64> = w2s.iter().map(|w2| w2["year"].as_i64().unwrap()).collect();
    let last = *years.keys().next_back().unwrap();
    let finished: Vec<i64> = years.keys().copied().filter(|year| *year < last).rev().collect();
    assert_eq!(shown, finished, "a W-2 for each finished year");
    assert!(whole.contains(&(last - 1)) && whole.contains(&last), "whole years are checked: {whole:?}");
    for w2 in w2s {
        check_w2(w2, &years[&w2["year"].as_i64().unwrap()]);
    }
}

fn check_statement(statement: &Value, sums: &mut Sums, is_in_the_middle: bool) {
    let total = |list: &[Value]| list.iter().map(|line| figure(line, "amount")).sum::<i64>();
    let (earnings, taken) = (list(statement, "earnings"), list(statement, "deductions"));
    let (gross, net) = (figure(statement, "gross_pay"), figure(statement, "net_pay"));
    assert_eq!(gross, total(earnings), "{statement}");
    assert_eq!(net, gross - total(taken), "{statement}");
    let word =
        |line: &Value| format!("{} {}", line["category"].as_str().unwrap(), line["name"].as_str().unwrap());
    let lines = earnings.iter().chain(taken).map(|line| (word(line), figure(line, "amount")));
    let amounts: Sums = lines.chain([("gross".to_owned(), gross), ("net".to_owned(), net)]).collect();
    let ytds = list(statement, "earnings_ytd").iter().chain(list(statement, "deductions_ytd"));
    let ytds = ytds.map(|line| (word(line), figure(line, "amount")));
    let ends = [("gross", "gross_pay_ytd"), ("net", "net_pay_ytd")];
    let ends = ends.map(|(word, field)| (word.to_owned(), figure(statement, field)));
    let ytds: Sums = ytds.chain(ends).collect();
    assert!(ytds.keys().eq(amounts.keys()), "{statement}");
    if is_in_the_middle {
        *sums = ytds;
        return;
    }
    for (word, amount) in amounts {
        *sums.entry(word).or_default() += amount;
    }
    for (word, ytd) in ytds {
        assert_eq!(sums[&word], ytd, "{word}: {statement}");
    }
}

fn check_w2(w2: &Value, sums: &Sums) {
    let of = |category: &str| -> i64 {
        let begins = format!("{category} ");
        sums.iter().filter(|(word, _)| word.starts_with(&begins)).map(|(_, sum)| sum).sum()
    };
    let medicare_wages = sums["gross"] - of("health");
    let wages = medicare_wages - of("retirement");
    // The wage base of 2026, and of the years after it that nobody knows yet.
    let social_security_wages = medicare_wages.min(18_450_000);
    let is_share =
        |tax: i64, wages: i64, hundredths: i64| (tax * 10_000 - wages * hundredths).abs() <= 10_000;
    assert!(is_share(of("socialsec"), social_security_wages, 620), "6.2 %: {w2}");
    assert!(is_share(of("medicare"), medicare_wages, 145) || medicare_wages > 20_000_000, "1.45 %: {w2}");
    for (field, expected) in [
        ("wages", wages),
        ("federal_tax", of("federal")),
        ("social_security_wages", social_security_wages),
        ("social_security_tax", of("socialsec")),
        ("medicare_wages", medicare_wages),
        ("medicare_tax", of("medicare")),
    ] {
        assert_eq!(figure(w2, field), expected, "{field}: {w2}");
    }
}
