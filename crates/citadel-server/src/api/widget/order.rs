//! The page of an order: who asks for what, the employers one after another, and how far each is. Opened by the token in the
//! page's address, or by the bridge token of one of its employers.

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
};
use citadel_domain::{OrderEmployerId, OrderStatus, tokens};
use citadel_store::{
    Tx, bridge_tokens, order_employers,
    orders::{self, Mark, Order},
};
use serde::Serialize;

use crate::{
    api::{
        PathId,
        orders::{Loaded, open_bridge_token},
    },
    app::App,
    error::{self, ApiError, ApiResult},
    jobs::orders::{complete, tell},
    moment::Moment,
    purposes, reports,
};

/// A person at the page of an order, proven by a token.
pub(crate) struct OrderSession {
    order: Order,
    moment: Moment,
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
        let order = found.ok_or_else(error::unknown_bridge_token)?;
        let moment = app.moment(order.tenant).await?;
        Ok(Self { order, moment })
    }
}

async fn find(
    tx: &mut Tx<'_>,
    page: &[u8; 32],
    bridge: &[u8; 32],
) -> Result<Option<Order>, citadel_store::Error> {
    if let Some(order) = orders::find_by_page_token(tx, page).await? {
        return Ok(Some(order));
    }
    let Some(token) = bridge_tokens::find_by_hash(tx, bridge).await? else { return Ok(None) };
    // Deleting the access key that made a token revokes it (P8).
    let Some(employer) = token.order_employer_id.filter(|_| !token.is_revoked) else { return Ok(None) };
    match order_employers::find(tx, token.tenant, employer).await? {
        Some(employer) => orders::find(tx, token.tenant, employer.order_id).await,
        None => Ok(None),
    }
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
        orders::lock(tx, tenant, id).await?;
        let loaded = Loaded::find(&writer, tx, tenant, id).await?;
        if loaded.status(moment.now) != OrderStatus::Pending {
            return Err(gone());
        }
        let employer = loaded.employers().find(|employer| employer.id == employer_id);
        let employer = employer.ok_or_else(error::not_found)?;
        if employer.status.is_open() {
            let status = OrderStatus::Skipped;
            order_employers::set_status(tx, tenant, employer.id, status, None, moment.now).await?;
            tell(&writer, tx, &loaded.order, employer, status, None, moment).await?;
            complete(tx, &loaded.order, moment).await?;
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
    let (tenant, id, now) = (session.order.tenant, session.order.id, session.moment.now);
    let reader = app.clone();
    let db = app.db.scoped(tenant.client_id);
    let loaded = db.read(async move |tx| Loaded::find(&reader, tx, tenant, id).await).await?;
    let status = loaded.status(now);
    let is_live = status == OrderStatus::Pending;
    // Once an order is canceled or has ended, its page knows nobody any more.
    let is_known = is_live || status == OrderStatus::Completed;
    let mut employers = Vec::new();
    for (row, name) in loaded.named().filter(|_| is_known) {
        let status = loaded.status_of(row, now);
        let bridge_token = match is_live && status.is_open() {
            true => Some(open_bridge_token(app, row)?.expose().to_owned()),
            false => None,
        };
        employers.push(EmployerView {
            id: row.id.to_string(),
            product_type: row.product.as_str(),
            company_name: name.map(str::to_owned),
            status: status.as_str(),
            bridge_token,
        });
    }
    Ok(Json(OrderPageView {
        status: status.as_str(),
        client_name: loaded.order.client_name.clone(),
        first_name: loaded.body.first_name.clone().filter(|_| is_known),
        environment: tenant.environment.as_str(),
        expires_at: reports::time(loaded.order.expires_at),
        is_consented: loaded.order.consented_at.is_some(),
        employers,
    }))
}
