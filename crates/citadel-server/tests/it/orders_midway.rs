//! An order that is canceled at the worst moment: while its sign-in is at the provider.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::http::StatusCode;
use citadel_connectors::{
    AuthInput, AuthNext, BoxFuture, Connector, Cx, Descriptor, Grant, LoginForm, Phase, Want,
};
use citadel_domain::{
    Environment, Product, Secret,
    payroll::{Change, ChangeState, PayrollData, Plan},
};
use serde_json::json;
use tokio::sync::Notify;

use crate::{
    orders::{make, text},
    support::{PASSWORD_FORM, TestApp, account},
};

/// A connector that waits to be let go on, in its second read and before it shows whether it has a change.
struct Gated {
    descriptor: Descriptor,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    reached: Notify,
    open: Notify,
    applied: AtomicU32,
}

impl Gate {
    /// A worker that was told that its job is gone leaves without passing, and the gate open.
    async fn shut(&self) {
        for left in [&self.reached, &self.open] {
            tokio::select! {
                biased;
                () = left.notified() => {}
                () = std::future::ready(()) => {}
            }
        }
    }

    async fn pass(&self) {
        self.reached.notify_one();
        self.open.notified().await;
    }
}

impl Connector for Gated {
    fn describe(&self) -> &Descriptor {
        &self.descriptor
    }

    fn login_form(&self, _: &str, _: Product) -> LoginForm {
        PASSWORD_FORM
    }

    fn auth<'a>(&'a self, _: &'a Cx, _: AuthInput) -> BoxFuture<'a, AuthNext> {
        Box::pin(async { Ok(AuthNext::Ready(Secret::new("grant"))) })
    }

    fn fetch<'a>(&'a self, cx: &'a Cx, _: &'a Grant, want: Want) -> BoxFuture<'a, PayrollData> {
        Box::pin(async move {
            if want.phase == Phase::Deep {
                self.gate.pass().await;
            }
            let today = jiff::tz::Offset::UTC.to_datetime(cx.now).date();
            Ok(citadel_connectors::sandbox::anybody("7", Some("Harbor Foods"), today))
        })
    }

    fn plan<'a>(&'a self, _: &'a Cx, _: &'a Grant, change: &'a Change) -> BoxFuture<'a, Plan> {
        Box::pin(async { Ok(Plan { change: change.clone(), before: Vec::new(), after: Vec::new() }) })
    }

    fn apply<'a>(&'a self, _: &'a Cx, _: &'a Grant, _: &'a Plan, _: &'a str) -> BoxFuture<'a, ()> {
        self.gate.applied.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(()) })
    }

    fn observe<'a>(&'a self, _: &'a Cx, _: &'a Grant, _: &'a Plan, _: &'a str) -> BoxFuture<'a, ChangeState> {
        Box::pin(async {
            self.gate.pass().await;
            Ok(ChangeState::Absent)
        })
    }
}

async fn apps(gate: &Arc<Gate>) -> Vec<TestApp> {
    TestApp::each_with_connector(|| Gated {
        gate: Arc::clone(gate),
        descriptor: Descriptor {
            id: "gated",
            products: &[Product::Income, Product::DepositSwitch],
            environments: &[Environment::Sandbox],
        },
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_canceled_midway_keeps_nothing_and_changes_nothing() {
    let gate = Arc::new(Gate::default());
    for app in apps(&gate).await {
        let client = app.client("acme").await;
        for product in ["income", "deposit_switch"] {
            gate.shut().await;
            let body = json!({"products": [product], "employers": [{"account": account(product)}]});
            let order = make(&client, body).await;
            let token = text(&order["bridge_token"]);
            app.confirm(&token, "anybody", "anything").await;
            let cancel = async {
                gate.reached.notified().await;
                let path = format!("/v1/orders/{}/cancel/", text(&order["id"]));
                let reply = client.post(&path, json!({})).await;
                gate.open.notify_one();
                assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
                reply.json()
            };
            let (_, canceled) = tokio::join!(app.run_jobs(), cancel);
            let link = text(&canceled["employers"][0]["link_id"]);
            let now = client.get(&format!("/v1/orders/{}/", text(&order["id"]))).await.json();
            assert_eq!(now["employers"][0]["last_task_status"], "error", "{product}");
            assert_eq!(gate.applied.load(Ordering::Relaxed), 0, "{product}");
            if product == "income" {
                // The quick first part had been kept already.
                let report = client.get(&format!("/v1/links/{link}/income/report/")).await;
                assert!(!report.text().contains("Harbor Foods"), "{report:?}");
            } else {
                // It was said that it would be sent, and nobody can be sure for the provider.
                let message = text(&now["employers"][0]["tasks"][0]["error_message"]);
                assert!(message.contains("Look there"), "{message}");
            }
        }
    }
}
