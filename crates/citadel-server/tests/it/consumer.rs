//! The consumer's own page: P05, P20 to P22, P24, P26, as somebody without script sees it.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use citadel_domain::{Clock, Environment, LinkId, TaskStatus};
use citadel_server::{jobs, trail};
use citadel_store::{Value as Param, audit, consents};
use serde_json::{Value, json};

use crate::support::{Reply, TestApp, TestClient, account, for_each_db};

/// A link with its person's page.
struct Person<'a> {
    client: &'a TestClient<'a>,
    link_id: String,
    access_token: String,
    /// `/your-data/{token}`
    path: String,
}

impl<'a> Person<'a> {
    async fn connect(client: &'a TestClient<'a>, product: &str, username: &str) -> Self {
        let mut body =
            json!({"product_type": product, "client_name": "Northwind Lending", "tracking_info": "7"});
        if product == "deposit_switch" {
            body["account"] = account(product);
        }
        let app = client.app;
        let bridge_token = client.bridge_token_of(body).await;
        let login = json!({"username": username, "password": "goodpassword"});
        let body = json!({"provider_id": "adp", "login": login, "consented": true, "confirmed": true});
        app.advance(1);
        let begun = app.widget(Method::POST, "/tasks", &bridge_token, Some(body)).await.json();
        let path = begun["your_data_path"].as_str().unwrap().to_owned();
        let task_id = begun["task_id"].as_str().unwrap();
        app.run_jobs().await;
        let task = app.task(&bridge_token, task_id).await;
        assert_eq!(task["status"], "done");
        assert_eq!(task.get("your_data_path"), None, "it is told once");
        let reply = client.exchange(&app.public_token(&bridge_token, task_id).await).await.json();
        let text = |key: &str| reply[key].as_str().unwrap().to_owned();
        Self { client, link_id: text("link_id"), access_token: text("access_token"), path }
    }

    async fn page(&self) -> String {
        let reply = self.client.app.get(&self.path).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        reply.text().to_owned()
    }

    /// Presses a button: the form of the page, sent as a browser does.
    async fn press(&self, act: &str, fields: &str) -> Reply {
        let csrf = field(&self.page().await, "csrf");
        post(self.client.app, &format!("{}/{act}", self.path), &format!("csrf={csrf}&{fields}")).await
    }

    async fn file(&self, fields: &str) -> Value {
        let reply = self.press("file", fields).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        assert!(reply.header("content-disposition").starts_with("attachment"));
        reply.json()
    }

    async fn read_income(&self) -> Reply {
        self.client.post("/v1/verifications/incomes/", json!({"access_token": self.access_token})).await
    }

    /// Acts of the person in the trail, the oldest first.
    async fn acts(&self) -> Vec<(String, String)> {
        trail::flush(&self.client.app.app).await.unwrap();
        let client_id = self.client.id;
        let read = self
            .client
            .app
            .app
            .db
            .read(async move |tx| audit::list(tx, client_id, audit::Filter::default(), None, 1000).await);
        let mut all = read.await.unwrap();
        all.reverse();
        let link_id = Some(self.link_id.parse::<citadel_domain::ObjectId>().unwrap());
        let own = all.into_iter().filter(|one| one.actor_kind == "consumer" && one.object_id == link_id);
        own.map(|one| (one.act, one.detail)).collect()
    }
}

async fn post(app: &TestApp, path: &str, body: &str) -> Reply {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin");
    app.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

fn field(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect(page);
    rest.split_once('"').unwrap().0.to_owned()
}

async fn last_event(client: &TestClient<'_>) -> Value {
    client.events().await.pop().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p20_the_page_says_what_the_receipt_says() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let person = Person::connect(&client, "income", "goodlogin").await;
        let (tenant, id) = (
            citadel_store::Tenant { client_id: client.id, environment: Environment::Sandbox },
            person.link_id.parse::<LinkId>().unwrap(),
        );
        let receipts =
            app.app.db.read(async move |tx| consents::list_for_link(tx, tenant, id).await).await.unwrap();
        let [receipt] = receipts.as_slice() else { panic!("{receipts:?}") };
        assert_eq!(receipt.client_name.as_deref(), Some("Northwind Lending"));
        let page = person.page().await;
        for text in [
            "Northwind Lending",
            "To verify your income",
            "Social Security number",
            "pay statements",
            "Sharing is on.",
            &receipt.id.to_string(),
            &receipt.given_at.strftime("%-d %B %Y, %H:%M UTC").to_string(),
            &receipt.expires_at.strftime("%-d %B %Y").to_string(),
            "Nobody in the last 24 months",
        ] {
            assert!(page.contains(text), "{text}: {page}");
        }
        // Nothing of what was read stands there.
        for value in ["John", "991919991", "991-91-9991", "9991"] {
            assert!(!page.contains(value), "{value}");
        }
        let reply = app.get(&person.path).await;
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        let policy = reply.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("script-src"), "{policy}");

        person.read_income().await;
        person.read_income().await;
        trail::flush(&app.app).await.unwrap();
        let page = person.page().await;
        assert!(page.contains("(2 times)") && !page.contains("Nobody in the last"), "{page}");
        assert!(page.matches("To verify your income").count() >= 2, "{page}");
        // After two years it is not told any more.
        app.advance(25 * 31 * 24 * 3600);
        assert!(person.page().await.contains("Nobody in the last 24 months"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p21_the_person_stops_whatever_a_task_is_doing() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        for (number, state) in
            ["new", "login", "mfa", "parse", "full_parse", "done", "login_error"].into_iter().enumerate()
        {
            let person = Person::connect(&client, "income", "goodlogin").await;
            let body = json!({"access_token": person.access_token});
            let refresh = client.post("/v1/refresh/tasks/", body.clone()).await.json();
            let id: citadel_domain::TaskId = refresh["task_id"].as_str().unwrap().parse().unwrap();
            let status: TaskStatus = state.parse().unwrap();
            let finished = status.is_final().then(|| app.clock.now());
            let values = [Param::from(id), Param::from(status), Param::from(finished)];
            let put = "update tasks set status = $2, finished_at = $3 where id = $1";
            app.app.db.write(async move |tx| tx.execute(put, &values).await).await.unwrap();

            let question = app.get(&format!("{}/stop", person.path)).await;
            assert_eq!(question.status, StatusCode::OK, "{question:?}");
            assert!(question.text().contains("Stop sharing with Northwind Lending?"));
            assert_eq!(person.read_income().await.status, StatusCode::OK, "asking stops nothing");
            let reply = post(
                &app,
                &format!("{}/stop", person.path),
                &format!("csrf={}", field(question.text(), "csrf")),
            )
            .await;
            assert_eq!(
                (reply.status, reply.header("location")),
                (StatusCode::SEE_OTHER, &*format!("{}?done=stopped", person.path))
            );

            // At once, and nothing runs that was running.
            app.run_jobs().await;
            for read in [
                person.read_income().await,
                client.post("/v1/refresh/tasks/", body).await,
                client.get(&format!("/v1/links/{}/income/report/", person.link_id)).await,
            ] {
                assert_eq!(read.status, StatusCode::NOT_FOUND, "{state}: {read:?}");
            }
            let running = "select cast(count(*) as bigint) from tasks where finished_at is null";
            let running =
                app.app.db.read(async move |tx| tx.fetch_one(running, &[], |row| row.get::<i64>(0)).await);
            assert_eq!(running.await.unwrap(), 0, "{state}");
            let event = last_event(&client).await;
            assert_eq!(event["event_type"], "link-disconnected", "{state}");
            assert_eq!(event["payload"]["link_id"], person.link_id.as_str());
            let page = person.page().await;
            assert!(page.contains("Sharing has stopped.") && !page.contains("/stop\""), "{page}");
            // A second press changes nothing and tells nothing.
            let events = client.events().await.len();
            assert_eq!(person.press("stop", "").await.status, StatusCode::SEE_OTHER);
            assert_eq!(client.events().await.len(), events);
            let acts: Vec<_> = person.acts().await.into_iter().map(|(act, _)| act).collect();
            assert_eq!(acts, ["consent_given", "consent_revoked"], "{number}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p22_the_person_deletes_and_nothing_opens() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let person = Person::connect(&client, "income", "goodlogin").await;
        person.read_income().await;
        let question = app.get(&format!("{}/delete", person.path)).await;
        assert!(question.text().contains("Delete your data?"));
        assert_eq!(person.press("delete", "").await.status, StatusCode::SEE_OTHER);
        assert_eq!(last_event(&client).await["event_type"], "link-deleted");
        for _ in 0..2 {
            for reply in
                [person.read_income().await, client.get(&format!("/v1/links/{}/", person.link_id)).await]
            {
                assert_eq!(reply.status, StatusCode::NOT_FOUND);
            }
            // The receipts stay, and who had the data.
            let page = person.page().await;
            assert!(
                page.contains("Your data is deleted.") && page.contains("To verify your income"),
                "{page}"
            );
            assert!(!page.contains("/stop\"") && !page.contains("/delete\""), "{page}");
            assert!(app.get(&format!("{}/delete", person.path)).await.status.is_redirection());
            assert_eq!(person.press("delete", "").await.status, StatusCode::SEE_OTHER);
            let file = person.file("").await;
            assert_eq!(file["values"], json!({}));
            assert_eq!(file["recipients"].as_array().unwrap().len(), 1);
            // And once more when the rows are gone.
            jobs::sweep(&app.app).await;
        }
        let acts: Vec<_> = person.acts().await.into_iter().map(|(act, _)| act).collect();
        assert_eq!(acts, ["consent_given", "link_deleted", "person_file_made", "person_file_made"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p24_the_file_holds_values_every_recipient_and_the_receipts() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let person = Person::connect(&client, "income", "goodlogin").await;
        // 50 releases that are told one by one.
        for number in 0..50 {
            let read = if number % 2 == 0 {
                person.read_income().await
            } else {
                client.get(&format!("/v1/links/{}/employments/", person.link_id)).await
            };
            assert_eq!(read.status, StatusCode::OK, "{read:?}");
            trail::flush(&app.app).await.unwrap();
            app.advance(60);
        }
        let file = person.file("").await;
        let recipients = file["recipients"].as_array().unwrap();
        assert_eq!(recipients.len(), 50);
        for recipient in recipients {
            assert_eq!(recipient["recipient"], "Northwind Lending");
            assert_eq!(recipient["purpose"], "verify your income");
            assert_eq!(recipient["times"], 1);
        }
        assert!(
            recipients.iter().any(|one| one["data"] == "income")
                && recipients.iter().any(|one| one["data"] == "employment")
        );
        assert_eq!(file["receipts"].as_array().unwrap().len(), 1);
        assert_eq!(file["receipts"][0]["purpose"], "verify your income");

        // Values as the client reads them, each with where and when it was read.
        let report = person.read_income().await.json();
        let value = &file["values"]["income"];
        let profile = &value["employments"][0]["profile"];
        assert_eq!(profile["ssn"], report["employments"][0]["profile"]["ssn"]);
        assert_eq!(value["employments"][0]["income"], report["employments"][0]["income"]);
        let origin = &value["provenance"]["/employments/0/profile/ssn"];
        assert_eq!((&origin["basis"], &origin["source"]), (&json!("reported"), &json!("adp")));
        assert!(origin["observed_at"].is_string());
        assert_eq!(value["access_token"], Value::Null, "the client's key to it is the client's");

        let short = person.file("short_ssn=1").await;
        let ssn = profile["ssn"].as_str().unwrap();
        let short_ssn = short["values"]["income"]["employments"][0]["profile"]["ssn"].as_str().unwrap();
        assert_eq!(short_ssn, format!("*****{}", &ssn[ssn.len() - 4..]));
        assert!(!short.to_string().contains(ssn), "nowhere in the file");
        let details: Vec<_> =
            person.acts().await.into_iter().filter(|(act, _)| act == "person_file_made").collect();
        assert_eq!(details.len(), 2);
        assert!(details[0].1.contains("whole") && details[1].1.contains("last four"), "{details:?}");

        // More than one page of it, without a gap.
        let mut page = person.page().await;
        let mut lines = page.matches("<td>Northwind Lending</td>").count();
        while let Some((_, rest)) = page.split_once("?before=") {
            let before = rest.split_once('#').unwrap().0.to_owned();
            page = app.get(&format!("{}?before={before}", person.path)).await.text().to_owned();
            lines += page.matches("<td>Northwind Lending</td>").count();
        }
        assert_eq!(lines, 51, "with the one of this test");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p24_a_dispute_travels_with_reports_and_changes_no_value() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let person = Person::connect(&client, "income", "goodlogin").await;
        let deposit = Person::connect(&client, "deposit_switch", "goodlogin.weekly").await;
        let before = person.read_income().await.json();
        assert_eq!(before.get("disputed_at"), None);
        assert_eq!(
            person.press("dispute", "").await.header("location"),
            format!("{}?done=disputed", person.path)
        );
        let mut report = person.read_income().await.json();
        assert!(report["disputed_at"].is_string(), "{report}");
        let by_link = client.get(&format!("/v1/links/{}/employment/report/", person.link_id)).await.json();
        assert_eq!(by_link["disputed_at"], report["disputed_at"]);
        assert!(person.page().await.contains("every report about you says that you dispute it"));
        assert!(person.file("").await["link"]["disputed_at"].is_string());
        report.as_object_mut().unwrap().remove("disputed_at");
        let values = |report: &Value| report["employments"][0]["income"].clone();
        assert_eq!(values(&report), values(&before), "values are never edited");

        deposit.press("dispute", "").await;
        let body = json!({"access_token": deposit.access_token});
        assert!(client.post("/v1/deposit-switches/", body).await.json()["disputed_at"].is_string());

        person.press("dispute", "lift=1").await;
        assert_eq!(person.read_income().await.json().get("disputed_at"), None);
        let acts: Vec<_> = person.acts().await.into_iter().map(|(act, _)| act).collect();
        assert_eq!(acts, ["consent_given", "dispute_flagged", "person_file_made", "dispute_lifted"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p04_p05_whatever_is_wrong_with_a_token_the_answer_is_one() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let person = Person::connect(&client, "income", "goodlogin").await;
        let token = person.path.rsplit('/').next().unwrap();
        assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "256 bits");
        let mut wrong = vec![
            "0".repeat(64),
            token[..63].to_owned(),
            format!("{token}0"),
            token.to_uppercase(),
            "%20".to_owned(),
        ];
        wrong.push(person.link_id.clone());
        wrong.push(person.access_token.clone());
        let first = app.get(&format!("/your-data/{}", wrong[0])).await;
        assert_eq!(first.status, StatusCode::NOT_FOUND);
        for token in &wrong {
            for (act, is_post) in [
                ("", false),
                ("/stop", false),
                ("/delete", false),
                ("/stop", true),
                ("/delete", true),
                ("/file", true),
                ("/dispute", true),
            ] {
                let path = format!("/your-data/{token}{act}");
                let reply = if is_post { post(&app, &path, "csrf=0").await } else { app.get(&path).await };
                assert_eq!((reply.status, reply.text()), (StatusCode::NOT_FOUND, first.text()), "{path}");
            }
        }
        assert_eq!(person.read_income().await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p57_forms_from_elsewhere_do_nothing() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let person = Person::connect(&client, "income", "goodlogin").await;
        let other = Person::connect(&client, "income", "fulltime").await;
        let csrf = field(&person.page().await, "csrf");
        let foreign = field(&other.page().await, "csrf");
        let form = |token: &str| format!("csrf={token}");
        for (name, value, body) in [
            ("sec-fetch-site", "cross-site", form(&csrf)),
            ("sec-fetch-site", "same-site", form(&csrf)),
            ("origin", "https://evil.example", form(&csrf)),
            ("sec-fetch-site", "same-origin", form(&foreign)),
            ("sec-fetch-site", "same-origin", String::new()),
        ] {
            for act in ["stop", "delete", "dispute", "file"] {
                let request = Request::post(format!("{}/{act}", person.path))
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .header(name, value);
                let reply = app.send(request.body(Body::from(body.clone())).unwrap()).await;
                assert_eq!(reply.status, StatusCode::FORBIDDEN, "{act} {name} {value}");
            }
        }
        assert_eq!(person.read_income().await.json().get("disputed_at"), None);
        // A browser that tells nothing of where a form comes from has the token still.
        let request = Request::post(format!("{}/dispute", person.path)).header(header::ORIGIN, "null");
        assert_eq!(
            app.send(request.body(Body::from(form(&csrf))).unwrap()).await.status,
            StatusCode::SEE_OTHER
        );
        let long = format!("csrf={csrf}&more={}", "x".repeat(5000));
        assert_eq!(
            post(&app, &format!("{}/stop", person.path), &long).await.status,
            StatusCode::PAYLOAD_TOO_LARGE
        );
        assert_eq!(person.read_income().await.status, StatusCode::OK);
    })
    .await;
}
