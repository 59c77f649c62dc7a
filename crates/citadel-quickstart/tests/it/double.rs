//! A Citadel that knows one public token and one link, and a quickstart in front of it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use citadel_quickstart::{Settings, Variables, router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) const SECRET: &str = "sandbox-0123456789abcdef0123456789abcdef01234567";
pub(crate) const PUBLIC_TOKEN: &str = "5aa6324bc06c692448427a36d43c4d56";
pub(crate) const ACCESS_TOKEN: &str = "c06c692448427a36d43c4d565aa6324b";

/// What Citadel was asked: method, path and body.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<(String, Value)>>>);

impl Seen {
    /// Everything since the last time.
    pub(crate) fn take(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut *self.0.lock().expect("no panic while locked"))
    }

    fn count(&self, line: &str) -> usize {
        self.0.lock().expect("no panic while locked").iter().filter(|(seen, _)| seen == line).count()
    }
}

/// Starts both and gives the address of the quickstart.
pub(crate) async fn quickstart(product: &str) -> String {
    observed(product).await.0
}

/// As [`quickstart`], with what Citadel was asked.
pub(crate) async fn observed(product: &str) -> (String, Seen) {
    let seen = Seen::default();
    let citadel = serve(Router::new().fallback(answer).with_state(seen.clone())).await;
    (serve(router(&settings(product, &citadel))).await, seen)
}

pub(crate) fn settings(product: &str, citadel: &str) -> Settings {
    let mut settings = Settings::read(&Variables::from([
        ("API_CLIENT_ID", "48427a36d43c4d5aa6324bc06c692456"),
        ("API_SECRET", SECRET),
        ("API_PRODUCT_TYPE", product),
        ("API_URL", citadel),
    ]))
    .expect("good settings");
    settings.polling.every = Duration::from_millis(1);
    settings
}

/// A client with a limit, as `clippy.toml` asks for.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().timeout(Duration::from_secs(10)).build().expect("a client")
}

pub(crate) async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn answer(State(seen): State<Seen>, method: Method, uri: Uri, body: Option<Json<Value>>) -> Response {
    let line = format!("{method} {}", uri.path().strip_prefix("/v1/").unwrap_or_default());
    let body = body.map(|Json(body)| body).unwrap_or_default();
    // The second look at a refresh or a payroll register finds it done.
    let looks = seen.count(&line);
    seen.0.lock().expect("no panic while locked").push((line.clone(), body.clone()));
    let status = if looks == 0 { "parse" } else { "done" };

    let report = |more: Value| {
        let mut report = json!({"id": "r1", "status": "done", "access_token": ACCESS_TOKEN});
        report.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        report
    };
    let answer = match line.as_str() {
        "POST bridge-tokens/" => {
            json!({"bridge_token": "48427a36d43c4d5aa6324bc06c692456", "product_type": body["product_type"]})
        }
        "POST link-access-tokens/" if body["public_token"] == PUBLIC_TOKEN => {
            json!({"access_token": ACCESS_TOKEN, "link_id": "l1"})
        }
        "POST link-access-tokens/" => {
            let error =
                json!({"error": {"code": "expired_token", "message": "the public token was used before"}});
            return (StatusCode::GONE, Json(error)).into_response();
        }
        "POST verifications/employments/" => {
            report(json!({"employments": [{"id": "e1", "job_title": "Baker"}]}))
        }
        "POST verifications/incomes/" => report(json!({"employments": [{"id": "e1", "income": "72000.00"}]})),
        "POST deposit-switches/" => report(json!({"deposit_details": {"account_number": "16002600"}})),
        "POST paycheck-linked-loans/" => report(json!({"deposit_details": {"deposit_value": "1.00"}})),
        "POST account-switches/" => report(json!({"micro_deposits_required": looks == 0})),
        "POST administrators/directories/" => {
            report(json!({"directory": [{"id": "p1", "full_name": "John Doe"}]}))
        }
        "POST administrators/payrolls/" => json!({"payroll_report_id": "42"}),
        "GET administrators/payrolls/42/" => {
            json!({"id": "42", "status": status, "start_date": "", "end_date": "",
            "created_at": "", "payroll_report": [{"employee_id": "p1", "full_name": "John Doe", "id": "s1"}]})
        }
        "POST refresh/tasks/" => json!({"task_id": "7"}),
        "GET refresh/tasks/7/" => json!({"id": "7", "status": status, "created_at": "", "refresh_date": ""}),
        _ => return (StatusCode::NOT_FOUND, Json(json!({"detail": "Not Found."}))).into_response(),
    };
    Json(answer).into_response()
}
