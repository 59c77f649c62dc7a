//! Events, sent to one endpoint again.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use citadel_domain::{EventId, WebhookId};
use citadel_store::{audit::Act, outbox::Range, webhook_events};

use super::{
    endpoint::{Asked, Named, show},
    told,
};
use crate::{
    app::App,
    error::ApiResult,
    pages::dashboard::{
        asked::{Fields, time_of},
        guard::Here,
        page::{PageError, PageResult},
    },
    webhooks::{endpoints, resend},
};

pub(in crate::pages::dashboard) async fn resend_event(
    State(app): State<App>,
    here: Here,
    Path(named): Path<Named>,
    body: String,
) -> PageResult<Response> {
    let id = named.id()?;
    let event_id = Fields::of(&body).get("event_id").parse().map_err(|_| PageError::not_found())?;
    send(&app, &here, id, event_id).await
}

/// Sends the newest event, whatever its type: a delivery like any other, with its own id and signed as they are.
pub(in crate::pages::dashboard) async fn send_test(
    State(app): State<App>,
    here: Here,
    Path(named): Path<Named>,
) -> PageResult<Response> {
    let (tenant, id) = (here.tenant, named.id()?);
    let newest = app
        .db
        .scoped(tenant.client_id)
        .read(async move |tx| {
            endpoints::find(tx, tenant, id).await?;
            let last = webhook_events::last_sequence(tx, tenant).await?;
            let newest = webhook_events::list_after(tx, tenant, last - 1, 1).await?;
            ApiResult::Ok(newest.into_iter().next())
        })
        .await?;
    match newest {
        Some(event) => send(&app, &here, id, event.id).await,
        None => {
            let text =
                "There is no event yet that could be sent. Sign in once in the widget: that makes some.";
            show(&app, &here, id, &Asked::default(), None, Some(text.to_owned())).await
        }
    }
}

async fn send(app: &App, here: &Here, id: WebhookId, event_id: EventId) -> PageResult<Response> {
    let tenant = here.tenant;
    let moment = app.moment(tenant).await?;
    let entry = here.did(Act::EventsResent, endpoints::named(id))?;
    let writer = app.clone();
    let sent = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            let named = id.to_string();
            resend::one(tx, &writer, tenant, (event_id, Some(&named)), moment, &entry).await
        })
        .await;
    app.ring_events();
    answer(app, here, id, sent).await
}

pub(in crate::pages::dashboard) async fn resend_range(
    State(app): State<App>,
    here: Here,
    Path(named): Path<Named>,
    body: String,
) -> PageResult<Response> {
    let (tenant, id, fields) = (here.tenant, named.id()?, Fields::of(&body));
    let moment = app.moment(tenant).await?;
    let from = time_of("Since", Some(fields.get("since")))?;
    let to = time_of("Until", Some(fields.get("until")))?.unwrap_or(moment.now);
    let Some(from) = from.filter(|from| *from <= to) else {
        let text = "Say since when: a time before the end.".to_owned();
        return show(&app, &here, id, &Asked::default(), None, Some(text)).await;
    };
    if let Err(refusal) = resend::check_from(from, moment.now) {
        return show(&app, &here, id, &Asked::default(), None, Some(told(refusal)?)).await;
    }
    let range = Range { from, to, only_failed: fields.is_ticked("only_failed") };
    let entry = here.did(Act::EventsResent, endpoints::named(id))?;
    let writer = app.clone();
    let sent = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            let named = id.to_string();
            resend::range(tx, &writer, tenant, (range, Some(&named)), moment, &entry).await
        })
        .await;
    app.ring_events();
    answer(&app, &here, id, sent).await
}

async fn answer(app: &App, here: &Here, id: WebhookId, sent: ApiResult<u64>) -> PageResult<Response> {
    match sent {
        Ok(count) => {
            Ok(Redirect::to(&here.url(&format!("webhooks/{id}?done=resent&count={count}"))).into_response())
        }
        Err(refusal) => show(app, here, id, &Asked::default(), None, Some(told(refusal)?)).await,
    }
}
