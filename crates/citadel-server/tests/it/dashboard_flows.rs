//! One flow on one line of the dashboard.

use axum::http::{Method, StatusCode};
use citadel_server::calls;
use serde_json::json;

use crate::{dashboard_links::owner_with_client, receiver::Receiver, support::for_each_db};

#[tokio::test]
async fn a_flow_shows_calls_screens_steps_and_webhooks_in_order() {
    for_each_db(async |app| {
        let (browser, client) = owner_with_client(&app).await;
        let receiver = Receiver::start().await;
        client.webhook(&format!("http://{}/hook", receiver.address)).await;
        let tell = async |token: &str, name: &str| {
            let screens = json!({"screens": [{"name": name, "ago": 0}]});
            let reply = app.widget(Method::POST, "/screens", token, Some(screens)).await;
            assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:?}");
        };
        let token = client
            .bridge_token_of(
                json!({"product_type": "income", "client_name": "Ada's <b>shop</b>", "tracking_info": "x"}),
            )
            .await;
        app.advance(1);
        tell(&token, "PROVIDER_LOGIN").await;
        let task_id = app.sign_in(&token, "goodlogin", "goodpassword").await;
        app.run_jobs().await;
        app.advance(1);
        app.run_jobs().await;
        app.advance(1);
        tell(&token, "SUCCESS").await;
        app.advance(1);
        let answer = client.exchange(&app.public_token(&token, &task_id).await).await.json();
        let (link_id, access_token) =
            (answer["link_id"].as_str().unwrap(), answer["access_token"].as_str().unwrap());
        app.advance(1);
        client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await;
        // Of another flow: not on this line.
        client.bridge_token("pll").await;
        calls::flush(&app.app).await;

        let home = format!("/c/{}/sandbox", client.id);
        let list = browser.get(&format!("{home}/flows")).await;
        assert_eq!(list.text.matches("<tr><td>").count(), 2, "{}", list.text);
        for text in ["SUCCESS", "not opened", link_id] {
            assert!(list.text.contains(text), "{text}: {}", list.text);
        }
        let link = browser.get(&format!("{home}/links/{link_id}")).await;
        assert!(link.text.contains("POST /v1/verifications/incomes/"), "{}", link.text);
        let url = format!("{home}/flows/{}", link.between(&format!("{home}/flows/"), "\""));
        let page = browser.get(&url).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let summaries: Vec<_> = page
            .text
            .split("<summary>")
            .skip(1)
            .filter_map(|rest| rest.split_once("</summary>"))
            .map(|(line, _)| line)
            .collect();
        let expected = [
            ("API call", "POST /v1/bridge-tokens/"),
            ("Screen", "PROVIDER_LOGIN"),
            ("Widget call", "POST /bridge/api/tasks"),
            ("Task", "began"),
            ("Task step", "login"),
            ("Task step", "done"),
            ("Webhook", "done, attempt 1"),
            ("Screen", "SUCCESS"),
            ("API call", "POST /v1/link-access-tokens/"),
            ("API call", "POST /v1/verifications/incomes/"),
        ];
        let mut from = 0;
        for (kind, what) in expected {
            let is_it = |line: &&str| line.contains(&format!("\"kind\">{kind}<")) && line.contains(what);
            let place = summaries.iter().skip(from).position(is_it);
            let place = place.unwrap_or_else(|| panic!("{kind}: {what} after {from}: {summaries:#?}"));
            from += place + 1;
        }
        assert_eq!(summaries.iter().filter(|line| line.contains("/v1/bridge-tokens/")).count(), 1);
        // Bodies are there as they were kept, and code to send the call again holds no secret.
        for text in ["product_type", "curl -X POST", "$API_SECRET", "$BRIDGE_TOKEN", "reqwest::Client"] {
            assert!(page.text.contains(text), "{text}: {}", page.text);
        }
        for secret in [client.secret.as_str(), &token, access_token, "goodpassword", "<b>shop"] {
            assert!(!page.text.contains(secret), "{secret}: {}", page.text);
        }
        assert!(page.text.contains(&format!("{home}/links/{link_id}#task-{task_id}")), "{}", page.text);
        assert!(page.text.contains(&format!("href=\"{home}/logs/")), "{}", page.text);
        let late = browser.get(&format!("{url}?from=100")).await;
        assert!(late.status == StatusCode::OK && late.text.contains(">Earlier<"), "{}", late.text);
    })
    .await;
}

#[tokio::test]
async fn a_long_flow_goes_on_on_another_page() {
    for_each_db(async |app| {
        let (browser, client) = owner_with_client(&app).await;
        let token = client.bridge_token("income").await;
        for _ in 0..6 {
            app.advance(1);
            let screens: Vec<_> = (0..20).map(|_| json!({"name": "LOADING", "ago": 0})).collect();
            let reply = app.widget(Method::POST, "/screens", &token, Some(json!({"screens": screens}))).await;
            assert_eq!(reply.status, StatusCode::NO_CONTENT);
        }
        calls::flush(&app.app).await;
        let home = format!("/c/{}/sandbox", client.id);
        let list = browser.get(&format!("{home}/flows")).await;
        let url = format!("{home}/flows/{}", list.between(&format!("{home}/flows/"), "\""));
        let first = browser.get(&url).await;
        let entries = |text: &str| text.matches("<li><details>").count();
        assert_eq!(entries(&first.text), 100, "{}", first.text);
        assert!(first.text.contains("121 entries"), "{}", first.text);
        let second = browser.get(&format!("{url}?from=100")).await;
        assert_eq!(entries(&second.text), 21, "{}", second.text);
        assert!(first.text.contains("rel=\"next\"") && !second.text.contains("rel=\"next\""));
        let beyond = browser.get(&format!("{url}?from=18446744073709551615")).await;
        assert!(beyond.status == StatusCode::OK && entries(&beyond.text) == 0, "{}", beyond.text);
    })
    .await;
}
