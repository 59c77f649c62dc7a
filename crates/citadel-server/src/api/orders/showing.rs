//! From the rows of an order to its answer.

use citadel_api_types::orders::{Order as OrderView, OrderEmployer as EmployerView, OrderEmployerRequest};
use citadel_domain::{OrderId, OrderStatus, Product};
use citadel_store::{
    Tenant, Tx,
    links::{self, Link},
    order_employers::{self, OrderEmployer},
    orders::{self, Order},
    tasks::{self, Task},
    users,
};
use jiff::Timestamp;
use serde_json::Value;

use super::making::{EmployerBody, OrderBody, employer_body, open_bridge_token, open_page_token, order_body};
use crate::{
    api::{access_tokens::known_access_token, tasks::view as task_view},
    app::App,
    error::{self, ApiResult},
    owner_key::OwnerKey,
    reports::{self, Facts, ReportKind},
};

/// An order with all that is told of it.
pub(crate) struct Loaded {
    pub(crate) order: Order,
    pub(crate) body: OrderBody,
    rows: Vec<LoadedEmployer>,
}

struct LoadedEmployer {
    row: OrderEmployer,
    body: EmployerBody,
    /// As a request would send it.
    asked: OrderEmployerRequest,
    link: Option<Link>,
    tasks: Vec<Task>,
    /// What the report of the product is told from, when it is completed.
    facts: Option<Facts>,
}

impl Loaded {
    pub(crate) async fn find(app: &App, tx: &mut Tx<'_>, tenant: Tenant, id: OrderId) -> ApiResult<Self> {
        let order = orders::find(tx, tenant, id).await?.ok_or_else(error::not_found)?;
        Self::of(app, tx, order, true).await
    }

    /// Without jobs and tasks, of which a list would have too many.
    pub(super) async fn in_list(app: &App, tx: &mut Tx<'_>, order: Order) -> ApiResult<Self> {
        Self::of(app, tx, order, false).await
    }

    async fn of(app: &App, tx: &mut Tx<'_>, order: Order, is_whole: bool) -> ApiResult<Self> {
        let tenant = order.tenant;
        // A deleted person leaves orders of which nothing can be read any more.
        let user = users::find(tx, tenant, order.user_id).await?;
        let key = user.map(|user| OwnerKey::of_user(app, &user)).transpose()?;
        let body = match &key {
            Some(key) => order_body(key, &order)?,
            None => OrderBody::default(),
        };
        let mut rows = Vec::new();
        for row in order_employers::list(tx, tenant, order.id).await? {
            let link = match row.link_id {
                Some(id) => links::find(tx, tenant, id).await?,
                None => None,
            };
            let tasks = match &link {
                Some(link) if is_whole => tasks::list_for_link(tx, tenant, link.id).await?,
                _ => Vec::new(),
            };
            let kind = report_kind(row.product).filter(|_| is_whole && row.status == OrderStatus::Completed);
            let facts = match (&link, kind) {
                (Some(link), Some(kind)) => Some(Facts::of_link(tx, link.clone(), kind).await?),
                _ => None,
            };
            let (body, account) = match &key {
                Some(key) => employer_body(key, &row)?,
                None => (EmployerBody::default(), None),
            };
            let asked = body.as_asked(account.as_ref());
            rows.push(LoadedEmployer { row, body, asked, link, tasks, facts });
        }
        Ok(Self { order, body, rows })
    }

    /// How far the order is.
    pub(crate) fn status(&self, now: Timestamp) -> OrderStatus {
        let order = &self.order;
        if order.canceled_at.is_some() {
            OrderStatus::Canceled
        } else if order.completed_at.is_some() {
            OrderStatus::Completed
        } else if order.expires_at <= now {
            OrderStatus::Expired
        } else {
            OrderStatus::Pending
        }
    }

    /// Whether no employer was begun with.
    pub(super) fn is_untouched(&self) -> bool {
        self.rows.iter().all(|each| matches!(each.row.status, OrderStatus::Pending | OrderStatus::Sent))
    }

    pub(crate) fn employers(&self) -> impl Iterator<Item = &OrderEmployer> {
        self.rows.iter().map(|each| &each.row)
    }

    /// The employers' rows with the names by which the person knows them.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&OrderEmployer, Option<&str>)> {
        self.rows.iter().map(|each| (&each.row, each.body.company_name.as_deref()))
    }

    pub(super) fn employers_as_asked(&self) -> Vec<OrderEmployerRequest> {
        // One employer has a row for each product.
        let mut seen = Vec::<&OrderEmployerRequest>::new();
        for each in &self.rows {
            if !seen.contains(&&each.asked) {
                seen.push(&each.asked);
            }
        }
        seen.into_iter().cloned().collect()
    }

    pub(super) fn first_product(&self) -> Product {
        self.rows.first().map_or(Product::Income, |each| each.row.product)
    }

    /// The status of an employer, at this time.
    pub(crate) fn status_of(&self, row: &OrderEmployer, now: Timestamp) -> OrderStatus {
        match self.status(now) {
            OrderStatus::Expired if row.status.is_open() => OrderStatus::Expired,
            _ => row.status,
        }
    }

    pub(crate) fn view(&self, app: &App, now: Timestamp) -> ApiResult<OrderView> {
        let order = &self.order;
        let status = self.status(now);
        let page_token = open_page_token(app, order)?;
        let address = |path: &str| Some(format!("{}/{path}/{}", app.public_url, page_token.expose()));
        let time = |at: Option<Timestamp>| at.map(reports::time);
        let first = self.rows.first();
        Ok(OrderView {
            id: order.id.to_string(),
            products: order.products.clone(),
            source: order.source.clone(),
            order_number: order.order_number.clone(),
            custom_field: self.body.custom_field.clone(),
            client_name: order.client_name.clone().unwrap_or_default(),
            first_name: self.body.first_name.clone(),
            last_name: self.body.last_name.clone(),
            email: self.body.email.clone(),
            phone: self.body.phone.clone(),
            user_id: order.user_id.to_string(),
            bridge_token: first.map(|each| open_bridge_token(app, &each.row)).transpose()?,
            share_url: address("orders"),
            short_share_url: address("o"),
            status: status.to_string(),
            created_at: reports::time(order.created_at),
            updated_at: reports::time(order.updated_at),
            canceled_at: time(order.canceled_at),
            completed_at: time(order.completed_at),
            expired_at: time(Some(order.expires_at)),
            is_expired: status == OrderStatus::Expired,
            user_consent_at: time(order.consented_at),
            initial_order: order.initial_order_id.map(|id| id.to_string()),
            refresh_order: order.refresh_order_id.map(|id| id.to_string()),
            voie_report_id: order.voie_report_id.map(|id| id.to_string()),
            voa_report_id: None,
            template_id: order.template_id.map(|id| id.to_string()),
            employers: self
                .rows
                .iter()
                .map(|each| self.employer(app, each, now))
                .collect::<ApiResult<_>>()?,
            financial_accounts: Vec::new(),
            insurance: None,
            bank: None,
            manager: self.body.manager.clone(),
            loan: self.body.loan.clone(),
            notes: self.body.notes.clone(),
        })
    }

    fn employer(&self, app: &App, each: &LoadedEmployer, now: Timestamp) -> ApiResult<EmployerView> {
        let (row, body, link) = (&each.row, &each.body, each.link.as_ref());
        let access_token = match link.filter(|_| row.status == OrderStatus::Completed) {
            Some(link) => known_access_token(app, link)?,
            None => None,
        };
        let employments = match &each.facts {
            Some(facts) => employments(app, facts)?,
            None => Vec::new(),
        };
        Ok(EmployerView {
            id: row.id.to_string(),
            product_type: row.product.to_string(),
            status: self.status_of(row, now).to_string(),
            suborder_number: body.suborder_number.clone(),
            created_at: reports::time(row.created_at),
            bridge_token: Some(open_bridge_token(app, row)?),
            link_id: link.map(|link| link.id.to_string()),
            access_token,
            pdf_report: match &each.facts {
                Some(facts) => report_kind(row.product)
                    .map(|kind| reports::pdf_address(app, &facts.link, kind))
                    .transpose()?,
                None => None,
            },
            data_source: link.map(|_| "payroll".to_owned()),
            provider: link.and_then(|link| app.provider_ref(&link.provider_id)),
            is_suspicious: false,
            start_date: body.start_date.clone(),
            end_date: body.end_date.clone(),
            company_name: body.company_name.clone(),
            company_address: body.company_address.clone(),
            company_domain: body.company_domain.clone(),
            company_logo: body.company_logo.clone(),
            employments,
            tasks: match link {
                Some(link) => each.tasks.iter().map(|task| task_view(app, task, link)).collect(),
                None => Vec::new(),
            },
            last_task_status: link.map(|link| link.status.to_string()),
        })
    }
}

/// Whether a product reads a person's jobs.
pub(crate) const fn has_jobs(product: Product) -> bool {
    report_kind(product).is_some()
}

/// The report that holds the jobs of a product.
const fn report_kind(product: Product) -> Option<ReportKind> {
    match product {
        Product::Income => Some(ReportKind::Income),
        Product::Employment => Some(ReportKind::Employment),
        _ => None,
    }
}

fn employments(app: &App, facts: &Facts) -> ApiResult<Vec<Value>> {
    let Some(kind) = report_kind(facts.link.product) else { return Ok(Vec::new()) };
    let report = reports::render(app, kind, facts, None, false)?;
    let mut report: Value = serde_json::from_slice(&report).map_err(error::internal)?;
    match report.get_mut("employments").map(Value::take) {
        Some(Value::Array(list)) => Ok(list),
        _ => Ok(Vec::new()),
    }
}
