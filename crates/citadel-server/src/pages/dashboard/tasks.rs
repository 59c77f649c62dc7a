//! Tasks, over all links. What there is to tell of one is on its link's page.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use citadel_domain::{Product, TaskId, TaskStatus};
use citadel_store::browse::{self, Listed, TaskFilter};
use serde::Deserialize;

use super::{
    asked::{query, value},
    guard::Here,
    links,
    lists::{self, Choice, Older},
    page::{Frame, PageResult, show, time},
};
use crate::app::App;

#[derive(Template)]
#[template(path = "dashboard/tasks.html")]
struct Page {
    frame: Frame,
    tasks: Vec<Line>,
    statuses: Vec<Choice>,
    kinds: Vec<Choice>,
    providers: Vec<Choice>,
    is_filtered: bool,
    newest: Option<String>,
    older: Option<Older>,
}

struct Line {
    id: String,
    url: String,
    kind: &'static str,
    product: Product,
    provider: String,
    status: TaskStatus,
    tone: &'static str,
    error: String,
    began: String,
    ended: String,
}

#[derive(Default, Deserialize)]
pub(super) struct Asked {
    status: Option<String>,
    kind: Option<String>,
    provider: Option<String>,
    before: Option<String>,
}

pub(super) async fn get_tasks(
    State(app): State<App>,
    here: Here,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    let tenant = here.tenant;
    let filter = TaskFilter {
        status: value("Status", asked.status.as_deref())?,
        provider_id: asked.provider.clone().filter(|id| !id.is_empty()),
        kind: value("Kind", asked.kind.as_deref())?,
    };
    let before: Option<TaskId> = lists::before(asked.before.as_deref())?;
    let read = filter.clone();
    let mut found = app
        .db
        .scoped(tenant.client_id)
        .read(async move |tx| browse::tasks(tx, tenant, &read, before, lists::READ).await)
        .await?;
    let path = here.url("tasks");
    let address = |before: Option<&str>| {
        let (status, kind, provider) =
            (asked.status.as_deref(), asked.kind.as_deref(), asked.provider.as_deref());
        let filters = [("status", status), ("kind", kind), ("provider", provider), ("before", before)];
        query(&path, &filters)
    };
    let older = lists::older(&mut found, |one| one.task.id, |last| address(Some(last)));
    show(&Page {
        frame: here.frame("tasks"),
        tasks: found.rows.iter().map(|one| line(&app, &here, one)).collect(),
        statuses: lists::statuses(filter.status),
        kinds: lists::kinds(filter.kind),
        providers: lists::providers(&app, filter.provider_id.as_deref()),
        is_filtered: address(None) != path,
        newest: before.map(|_| address(None)),
        older,
    })
}

fn line(app: &App, here: &Here, one: &Listed) -> Line {
    let task = &one.task;
    Line {
        id: task.id.to_string(),
        url: links::task_url(here, task.link_id, task.id),
        kind: lists::kind_name(task.kind),
        product: task.product,
        provider: one.provider_id.as_deref().map(|id| lists::provider_name(app, id)).unwrap_or_default(),
        status: task.status,
        tone: lists::tone(task.status),
        error: task.error_message.clone().unwrap_or_default(),
        began: time(task.created_at),
        ended: task.finished_at.map(time).unwrap_or_default(),
    }
}
