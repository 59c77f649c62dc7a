//! Flows: each bridge token, with how far its widget came; and one of them, on one line.

mod code;
mod one;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use citadel_domain::{BridgeTokenId, Product, TaskStatus};
use citadel_store::flows::{self, Flow};
use serde::Deserialize;

pub(super) use self::one::get_flow;
use super::{
    asked::query,
    guard::Here,
    lists::{self, Older},
    page::{Frame, PageResult, show, time},
};
use crate::app::App;

#[derive(Template)]
#[template(path = "dashboard/flows.html")]
struct Page {
    frame: Frame,
    flows: Vec<Line>,
    newest: Option<String>,
    older: Option<Older>,
    /// A request that begins one.
    first: String,
}

struct Line {
    id: String,
    product: Product,
    provider: String,
    screen: String,
    status: Option<(TaskStatus, &'static str)>,
    link_id: Option<String>,
    created: String,
}

#[derive(Default, Deserialize)]
pub(super) struct Asked {
    before: Option<String>,
}

pub(super) async fn get_flows(
    State(app): State<App>,
    here: Here,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    let tenant = here.tenant;
    let before: Option<BridgeTokenId> = lists::before(asked.before.as_deref())?;
    let mut found = app
        .db
        .scoped(tenant.client_id)
        .read(async move |tx| flows::list(tx, tenant, before, lists::READ).await)
        .await?;
    let path = here.url("flows");
    let older =
        lists::older(&mut found, |flow| flow.bridge_token_id, |last| query(&path, &[("before", Some(last))]));
    show(&Page {
        frame: here.frame("flows"),
        flows: found.rows.into_iter().map(|flow| line(&app, flow)).collect(),
        newest: before.map(|_| path.clone()),
        older,
        first: code::first(&app, tenant),
    })
}

fn line(app: &App, flow: Flow) -> Line {
    Line {
        id: flow.bridge_token_id.to_string(),
        product: flow.product,
        provider: flow.provider_id.map(|id| lists::provider_name(app, &id)).unwrap_or_default(),
        screen: flow.screen.unwrap_or_else(|| "not opened".to_owned()),
        status: flow.status.map(|status| (status, lists::tone(status))),
        link_id: flow.link_id.map(|id| id.to_string()),
        created: time(flow.created_at),
    }
}
