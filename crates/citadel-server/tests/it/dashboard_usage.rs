//! The figures of the dashboard's page of usage are those of the calls that were made.

use axum::http::{Method, StatusCode};
use citadel_domain::{Environment, Role};
use citadel_server::calls;
use serde_json::json;

use crate::{
    dashboard_support::{Browser, PASSWORD, Page},
    support::for_each_db,
};

/// The figure that stands at an id.
fn figure(page: &Page, id: &str) -> i64 {
    page.between(&format!("id=\"{id}\">"), "<").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_are_those_of_the_calls_that_were_made() {
    for_each_db(async |app| {
        let owner = Browser::new(&app);
        let (seed, _) = owner.set_up().await;
        let client = app.client("acme").await;
        let base = format!("/c/{}/sandbox/usage", client.id);
        let page = owner.get(&base).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        for text in
            ["<h1>Usage</h1>", "Nothing was called", "No widget was opened", "No task came to its end"]
        {
            assert!(page.text.contains(text), "{text}: {}", page.text);
        }

        for _ in 0..7 {
            client.get("/v1/providers/").await;
        }
        for _ in 0..3 {
            client.get(&format!("/v1/links/{}/", "0".repeat(32))).await;
        }
        let token = client.bridge_token("income").await;
        let screens =
            json!({"screens": [{"name": "SELECT_EMPLOYER", "ago": 5}, {"name": "PROVIDER_LOGIN", "ago": 1}]});
        app.widget(Method::POST, "/screens", &token, Some(screens)).await;
        app.sign_in(&token, "goodlogin", "goodpassword").await;
        let other = client.bridge_token("income").await;
        app.sign_in(&other, "goodlogin", "wrong").await;
        app.run_jobs().await;
        calls::flush(&app.app).await;

        for range in ["", "?range=24h", "?range=7d", "?range=30d", "?range=100y"] {
            let page = owner.get(&format!("{base}{range}")).await;
            assert_eq!(figure(&page, "refused"), 3, "{range}");
            assert_eq!(figure(&page, "failed"), 0, "{range}");
            // Calls under an access key. Those of the widget wait for news of a task, and are not counted.
            assert_eq!(figure(&page, "total"), 7 + 3 + 2, "{range}: {}", page.text);
            let row = |what: &str| page.between(&format!("{what}</code></td>"), "</tr>");
            assert!(
                row("/v1/providers/").starts_with("<td>7</td><td>0</td><td>0</td>"),
                "{}",
                row("/v1/providers/")
            );
            assert!(row("/v1/links/{link_id}/").starts_with("<td>3</td><td>3</td><td>0</td>"));
            // The plots hold the same figures as a table.
            assert!(page.text.contains("refused (4xx): 3 at the most"), "{range}: {}", page.text);
            for (step, people) in [("Employer search", 1), ("Sign-in", 1)] {
                let row = page.between(&format!("<th scope=\"row\">{step}</th>"), "</tr>");
                assert_eq!(row, format!("<td>{people}</td>"), "{range}");
            }
            let provider = page.between("<th scope=\"row\">ADP</th>", "</tr>");
            assert_eq!(provider, "<td>1</td><td>1</td>", "{range}");
            assert!(page.text.contains("<td>ADP</td><td>login_error</td><td>1</td>"), "{}", page.text);
            assert!(!page.text.contains("style="), "the policy allows none");
        }
        // Calls of another time and environment are not there.
        let page = owner.get(&format!("/c/{}/dev/usage", client.id)).await;
        assert!(page.text.contains("Nothing was called"));
        app.advance(2 * 24 * 3600);
        owner.sign_in("ada@example.com", PASSWORD).await;
        owner.prove(&seed).await;
        let page = owner.get(&base).await;
        assert!(page.text.contains("Nothing was called") && page.text.contains("No task came to its end"));
        assert_eq!(figure(&owner.get(&format!("{base}?range=7d")).await, "refused"), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_the_figures_of_others_are_not_there() {
    for_each_db(async |app| {
        let owner = Browser::new(&app);
        owner.set_up().await;
        let own = owner.get("/").await.location.split('/').nth(2).unwrap().to_owned();
        let other = app.client_in("other", Environment::Sandbox).await;
        other.get("/v1/providers/").await;
        calls::flush(&app.app).await;
        let (member, _) = owner.invite("one@example.com", Role::Viewer, &own).await;
        assert!(member.get(&format!("/c/{own}/sandbox/usage")).await.text.contains("Nothing was called"));
        let foreign = member.get(&format!("/c/{}/sandbox/usage", other.id)).await;
        let unknown = member.get(&format!("/c/{}/sandbox/usage", "0".repeat(32))).await;
        assert_eq!((foreign.status, foreign.text), (StatusCode::NOT_FOUND, unknown.text));
        assert!(
            Browser::new(&app).get(&format!("/c/{own}/sandbox/usage")).await.location.starts_with("/sign-in")
        );
    })
    .await;
}
