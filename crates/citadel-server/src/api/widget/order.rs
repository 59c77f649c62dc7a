//! The page of an order: who asks for what, the employers one after another, and how far each is. Opened by the token in the
//! page's address, or by the bridge token of one of its employers.

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
};
use citadel_domain::{OrderEmployerId, OrderStatus, tokens};
use citadel_store::{
    Tx,
    bridge_tokens::{self, BridgeToken},
    order_employers,
    orders::{self, Mark, Order},
};
use serde::Serialize;

use super::session::look;
use crate::{
    api::{
        PathId,
        bridge_tokens::BRIDGE_TOKEN_LIFE,
        orders::{Loaded, load_renewed},
    },
    app::App,
    error::{self, ApiError, ApiResult},
    jobs::{ending, orders::NOT_AGREED},
    look::Look,
    moment::Moment,
    purposes, reports,
};

/// A person at the page of an order, proven by a token.
pub(crate) struct OrderSession {
    order: Order,
    moment: Moment,
    /// By the token in the page's address, which lives as long as the order. A bridge token gets no new ones (P8).
    is_page: bool,
}

impl FromRequestParts<App> for OrderSession {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let value = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value.and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
        if !tokens::is_token(token) {
            return Err(error::unknown_bridge_token());
        }
        let page = app.keyring.keyed_hash(purposes::ORDER_PAGE, token);
        let bridge = app.keyring.keyed_hash(purposes::BRIDGE_TOKEN, token);
        let found = app.db.read(async move |tx| find(tx, &page, &bridge).await).await?;
        let (order, bridge_token) = found.ok_or_else(error::unknown_bridge_token)?;
        let moment = app.moment(order.tenant).await?;
        // One that ended before its time, because its employer is settled, still shows how far the order is.
        let ends = |token: &BridgeToken| token.created_at.saturating_add(BRIDGE_TOKEN_LIFE);
        let has_aged = |token: &BridgeToken| {
            // Of a person or a client that was deleted, or of a database that was restored, nothing is shown.
            token.expires_at <= token.created_at || ends(token).is_ok_and(|ends| ends <= moment.now)
        };
        if bridge_token.as_ref().is_some_and(has_aged) {
            return Err(error::gone("This session has expired. Go back and start again."));
        }
        Ok(Self { order, moment, is_page: bridge_token.is_none() })
    }
}

async fn find(
    tx: &mut Tx<'_>,
    page: &[u8; 32],
    bridge: &[u8; 32],
) -> Result<Option<(Order, Option<BridgeToken>)>, citadel_store::Error> {
    if let Some(order) = orders::find_by_page_token(tx, page).await? {
        return Ok(Some((order, None)));
    }
    let Some(token) = bridge_tokens::find_by_hash(tx, bridge).await? else { return Ok(None) };
    // Deleting the access key that made a token revokes it (P8).
    let Some(employer) = token.order_employer_id.filter(|_| !token.is_revoked) else { return Ok(None) };
    let Some(employer) = order_employers::find(tx, token.tenant, employer).await? else { return Ok(None) };
    let order = orders::find(tx, token.tenant, employer.order_id).await?;
    Ok(order.map(|order| (order, Some(token))))
}

/// What the page shows.
#[derive(Serialize)]
pub(crate) struct OrderPageView {
    status: &'static str,
    client_name: Option<String>,
    first_name: Option<String>,
    environment: &'static str,
    expires_at: String,
    is_consented: bool,
    /// The client's own look, where the order names one.
    look: Look,
    employers: Vec<EmployerView>,
}

#[derive(Serialize)]
struct EmployerView {
    id: String,
    product_type: &'static str,
    company_name: Option<String>,
    status: &'static str,
    /// Opens the widget, where there is still something to do.
    bridge_token: Option<String>,
}

/// How far the order is.
pub(crate) async fn get_order(
    State(app): State<App>,
    session: OrderSession,
) -> ApiResult<Json<OrderPageView>> {
    show(&app, session).await
}

/// The person agrees to what the page says.
pub(crate) async fn consent(State(app): State<App>, session: OrderSession) -> ApiResult<Json<OrderPageView>> {
    let (tenant, id, now) = (session.order.tenant, session.order.id, session.moment.now);
    let writer = app.clone();
    let db = app.db.scoped(tenant.client_id);
    db.write(async move |tx| {
        orders::lock(tx, tenant, id).await?;
        let loaded = Loaded::find(&writer, tx, tenant, id).await?;
        match loaded.status(now) {
            OrderStatus::Pending => Ok(orders::mark(tx, tenant, id, Mark::Consented, now).await?),
            OrderStatus::Completed => Ok(()),
            _ => Err(gone()),
        }
    })
    .await?;
    show(&app, session).await
}

/// The person goes on without an employer.
pub(crate) async fn skip(
    State(app): State<App>,
    session: OrderSession,
    PathId(employer_id): PathId<OrderEmployerId>,
) -> ApiResult<(StatusCode, Json<OrderPageView>)> {
    let (tenant, id, moment) = (session.order.tenant, session.order.id, session.moment);
    let writer = app.clone();
    let db = app.db.scoped(tenant.client_id);
    db.write(async move |tx| {
        let loaded = Loaded::find(&writer, tx, tenant, id).await?;
        if loaded.status(moment.now) != OrderStatus::Pending {
            return Err(gone());
        }
        if loaded.order.consented_at.is_none() {
            return Err(error::conflict(NOT_AGREED));
        }
        let employer = loaded.employers().find(|employer| employer.id == employer_id);
        if !employer.ok_or_else(error::not_found)?.status.is_open() {
            // Settled meanwhile: there is nothing to go on without.
            return Ok(());
        }
        if let Some(ended) = ending::of_employer(tx, tenant, id, employer_id, moment).await? {
            ending::tell(&writer, tx, &ended, moment).await?;
        }
        Ok(())
    })
    .await?;
    app.ring_events();
    Ok((StatusCode::OK, show(&app, session).await?))
}

fn gone() -> ApiError {
    error::gone("This page has ended. Ask whoever sent it to you for a new one.")
}

async fn show(app: &App, session: OrderSession) -> ApiResult<Json<OrderPageView>> {
    let (tenant, id, moment) = (session.order.tenant, session.order.id, session.moment);
    let now = moment.now;
    let loaded = match session.is_page {
        true => load_renewed(app, tenant, id, moment).await?,
        false => {
            let reader = app.clone();
            let db = app.db.scoped(tenant.client_id);
            db.read(async move |tx| Loaded::find(&reader, tx, tenant, id).await).await?
        }
    };
    let mut tokens = Vec::new();
    for (row, name) in loaded.named() {
        tokens.push((row, name, loaded.bridge_token(app, row.id, now)?));
    }
    // Of a client that has no access key any more nobody can ask anything.
    let status = match loaded.status(now) {
        OrderStatus::Pending if tokens.iter().all(|(_, _, token)| token.is_none()) => OrderStatus::Expired,
        status => status,
    };
    // Once an order is canceled or has ended, its page knows nobody any more.
    let is_known = matches!(status, OrderStatus::Pending | OrderStatus::Completed);
    let employers = tokens.into_iter().filter(|_| is_known).map(|(row, name, token)| EmployerView {
        id: row.id.to_string(),
        product_type: row.product.as_str(),
        company_name: name.map(str::to_owned),
        status: loaded.status_of(row, now).as_str(),
        bridge_token: token.map(|token| token.expose().to_owned()),
    });
    let look = look(app, tenant, loaded.order.template_id).await?;
    Ok(Json(OrderPageView {
        status: status.as_str(),
        client_name: look.company_name.clone().or_else(|| loaded.order.client_name.clone()),
        first_name: loaded.body.first_name.clone().filter(|_| is_known),
        environment: tenant.environment.as_str(),
        expires_at: reports::time(loaded.order.expires_at),
        is_consented: loaded.order.consented_at.is_some(),
        look,
        employers: employers.collect(),
    }))
}
