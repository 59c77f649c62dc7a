//! One call, with what was sent and answered as far as it is kept: masked.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use citadel_domain::CallId;
use citadel_store::{
    audit::{Act, Detail, Entry, Object, ObjectKind, append},
    calls,
};
use serde::Deserialize;

use super::{Names, class, took, word};
use crate::{
    app::App,
    calls::text_of,
    error,
    pages::dashboard::{
        guard::Here,
        page::{Frame, PageError, PageResult, show, time},
    },
};

#[derive(Template)]
#[template(path = "dashboard/call.html")]
struct Page {
    frame: Frame,
    id: String,
    title: String,
    route: String,
    at: String,
    received: String,
    status: String,
    class: &'static str,
    took: String,
    by: String,
    link_id: Option<String>,
    task_id: Option<String>,
    flow_id: Option<String>,
    request: Option<String>,
    response: Option<String>,
    curl: Option<String>,
}

#[derive(Deserialize)]
pub(in crate::pages::dashboard) struct Named {
    call_id: String,
}

pub(in crate::pages::dashboard) async fn get_call(
    State(app): State<App>,
    here: Here,
    Path(named): Path<Named>,
) -> PageResult<Response> {
    let tenant = here.tenant;
    let id: CallId = named.call_id.parse().map_err(|_| PageError::not_found())?;
    let client = Object::of(ObjectKind::Client, tenant.client_id.as_bytes());
    let detail = Detail::NONE.word("call", &id.to_string());
    let entry = Entry { detail, ..here.did(Act::RequestLogViewed, client)? };
    let keyring = app.keyring.clone();
    let found = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            let found = calls::get(tx, tenant, id).await?;
            if found.is_some() {
                append(tx, &keyring, &entry).await?;
            }
            Ok::<_, citadel_store::Error>(found)
        })
        .await?;
    let (call, bodies) = found.ok_or_else(PageError::not_found)?;
    let names = Names::read(&app, &here).await?;
    let request = bodies.request.as_deref().and_then(text_of);
    let curl = call.access_key_id.map(|_| curl(&app, &call, request.as_deref()));
    show(&Page {
        frame: here.frame("logs"),
        id: call.id.to_string(),
        title: format!("{} {}", call.method, call.path),
        route: call.route.clone(),
        at: time(call.at),
        received: time(call.received_at()),
        status: format!("{} {}", call.status, word(call.status)),
        class: class(call.status),
        took: took(call.duration_us),
        by: names.by(&call),
        link_id: call.link_id.map(|id| id.to_string()),
        task_id: call.task_id.map(|id| id.to_string()),
        flow_id: call.bridge_token_id.map(|id| id.to_string()),
        request: request.as_deref().map(readable).transpose()?,
        response: bodies.response.as_deref().and_then(text_of).as_deref().map(readable).transpose()?,
        curl,
    })
}

/// JSON on many lines.
fn readable(json: &str) -> PageResult<String> {
    let value: serde_json::Value = serde_json::from_str(json).map_err(error::internal)?;
    Ok(serde_json::to_string_pretty(&value).map_err(error::internal)?)
}

/// The call for a shell. Keys come from the environment, and what is masked is to be filled in.
fn curl(app: &App, call: &calls::Call, request: Option<&str>) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let mut lines = vec![
        format!("curl -X {} {}", call.method, quoted(&format!("{}{}", app.public_url, call.path))),
        r#"-H "X-Access-Client-Id: $API_CLIENT_ID" -H "X-Access-Secret: $API_SECRET""#.to_owned(),
    ];
    if let Some(request) = request {
        lines.push(format!("-H 'Content-Type: application/json' -d {}", quoted(request)));
    }
    lines.join(" \\\n  ")
}
