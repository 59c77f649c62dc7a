//! From the rows of an order to its answer.

use std::collections::HashMap;

use citadel_api_types::{
    Redacted,
    orders::{Order as OrderView, OrderEmployer as EmployerView},
};
use citadel_domain::{LinkId, OrderEmployerId, OrderId, OrderStatus, Product, TaskId};
use citadel_store::{
    Tenant, Tx,
    bridge_tokens::{self, Newest},
    links::{self, Link},
    order_employers::{self, OrderEmployer},
    orders::{self, Order, Stretch},
    tasks::{self, Task},
    users::{self, User},
};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    making::{employer_body, order_body},
    tokens::{self, open_bridge_token, open_page_token},
    wanted::{EmployerBody, OrderBody, WantedEmployer},
};
use crate::{
    api::{
        access_tokens::known_access_token,
        tasks::{orders_of, view as task_view},
    },
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
    /// What the client asked. Nothing once the person was deleted.
    kept: WantedEmployer,
    link: Option<Link>,
    tasks: Vec<Task>,
    /// In which orders the tasks began.
    orders: HashMap<TaskId, OrderId>,
    /// What the report of the product is told from, when it is completed.
    facts: Option<Facts>,
    /// Its newest bridge token.
    newest: Option<Newest>,
}

impl Loaded {
    pub(crate) async fn find(app: &App, tx: &mut Tx<'_>, tenant: Tenant, id: OrderId) -> ApiResult<Self> {
        let order = orders::find(tx, tenant, id).await?.ok_or_else(error::not_found)?;
        let user = users::find(tx, tenant, order.user_id).await?;
        let mut newest = by_employer(bridge_tokens::list_of_order(tx, tenant, id).await?);
        let rows = order_employers::list(tx, tenant, id).await?;
        let mut loaded = Self::of(app, order, user.as_ref(), rows, &mut newest)?;
        for each in &mut loaded.rows {
            let Some(link_id) = each.row.link_id else { continue };
            let Some(link) = links::find(tx, tenant, link_id).await? else { continue };
            each.tasks = tasks::list_for_link(tx, tenant, link.id).await?;
            each.orders = orders_of(tx, tenant, &each.tasks, link.user_id).await?;
            let kind = report_kind(each.row.product).filter(|kind| kind.is_allowed(&link));
            let is_told = each.row.status == OrderStatus::Completed && link.consent_ended_at.is_none();
            if let Some(kind) = kind.filter(|_| is_told) {
                each.facts = Some(Facts::of_link(tx, link.clone(), kind).await?);
            }
            each.link = Some(link);
        }
        Ok(loaded)
    }

    /// The orders of a page, without jobs and tasks, of which there would be too many. What belongs to them is read in one go.
    pub(super) async fn page(
        app: &App,
        tx: &mut Tx<'_>,
        tenant: Tenant,
        order_number: Option<String>,
        page: Vec<Order>,
    ) -> ApiResult<Vec<Self>> {
        let times = || page.iter().map(|order| order.created_at);
        let (Some(from), Some(to)) = (times().min(), times().max()) else { return Ok(Vec::new()) };
        let stretch = Stretch { tenant, order_number, from, to };
        let mut newest = by_employer(bridge_tokens::list_of_page(tx, &stretch).await?);
        let links = links::list_of_page(tx, &stretch).await?;
        let links: HashMap<LinkId, Link> = links.into_iter().map(|link| (link.id, link)).collect();
        let users = users::list_of_page(tx, &stretch).await?;
        let users: HashMap<_, User> = users.into_iter().map(|user| (user.id, user)).collect();
        let mut rows: HashMap<OrderId, Vec<OrderEmployer>> = HashMap::new();
        for row in order_employers::list_of_page(tx, &stretch).await? {
            rows.entry(row.order_id).or_default().push(row);
        }
        let mut loaded = Vec::with_capacity(page.len());
        for order in page {
            let rows = rows.remove(&order.id).unwrap_or_default();
            let user = users.get(&order.user_id);
            let mut order = Self::of(app, order, user, rows, &mut newest)?;
            for each in &mut order.rows {
                each.link = each.row.link_id.and_then(|id| links.get(&id).cloned());
            }
            loaded.push(order);
        }
        Ok(loaded)
    }

    /// A deleted person leaves orders of which nothing can be read any more.
    fn of(
        app: &App,
        order: Order,
        user: Option<&User>,
        rows: Vec<OrderEmployer>,
        newest: &mut HashMap<OrderEmployerId, Newest>,
    ) -> ApiResult<Self> {
        let key = user.map(|user| OwnerKey::of_user(app, user)).transpose()?;
        let body = match &key {
            Some(key) => order_body(key, &order)?,
            None => OrderBody::default(),
        };
        let row = |row: OrderEmployer| {
            let (body, account) = match &key {
                Some(key) => employer_body(key, &row)?,
                None => (EmployerBody::default(), None),
            };
            Ok(LoadedEmployer {
                kept: WantedEmployer { product: row.product, account, body },
                newest: newest.remove(&row.id),
                row,
                link: None,
                tasks: Vec::new(),
                orders: HashMap::new(),
                facts: None,
            })
        };
        let rows = rows.into_iter().map(row).collect::<ApiResult<_>>()?;
        Ok(Self { order, body, rows })
    }

    /// How far the order is.
    pub(crate) fn status(&self, now: Timestamp) -> OrderStatus {
        let order = &self.order;
        if order.canceled_at.is_some() {
            OrderStatus::Canceled
        } else if order.completed_at.is_some() {
            OrderStatus::Completed
        } else if order.expired_at.is_some() || order.expires_at <= now {
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
        self.rows.iter().map(|each| (&each.row, each.kept.body.company_name.as_deref()))
    }

    /// The employers as they may be ordered again.
    pub(super) fn kept(&self) -> impl Iterator<Item = WantedEmployer> {
        self.rows.iter().map(|each| each.kept.clone())
    }

    /// The employers that need a new bridge token, with their newest one.
    pub(super) fn due(
        &self,
        now: Timestamp,
    ) -> impl Iterator<Item = (&OrderEmployer, &WantedEmployer, Option<&Newest>)> {
        let is_pending = self.status(now) == OrderStatus::Pending;
        let rows = self.rows.iter().filter(move |each| is_pending && each.row.status.is_open());
        rows.map(|each| (&each.row, &each.kept, each.newest.as_ref()))
            .filter(move |(_, _, newest)| tokens::is_due(*newest, &self.order, now))
    }

    /// The bridge token of an employer, as long as something can be done with it.
    pub(crate) fn bridge_token(
        &self,
        app: &App,
        id: OrderEmployerId,
        now: Timestamp,
    ) -> ApiResult<Option<Redacted>> {
        let each = self.rows.iter().find(|each| each.row.id == id);
        let is_live = |each: &&LoadedEmployer| {
            let newest = each.newest.as_ref();
            each.row.status.is_open()
                && newest.is_some_and(|newest| !newest.is_revoked && newest.expires_at > now)
        };
        match each.filter(is_live).filter(|_| self.status(now) == OrderStatus::Pending) {
            Some(each) => open_bridge_token(app, &each.row),
            None => Ok(None),
        }
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
        let address = |path: &str| {
            page_token.as_ref().map(|token| format!("{}/{path}/{}", app.public_url, token.expose()))
        };
        let time = |at: Option<Timestamp>| at.map(reports::time);
        let employers: Vec<_> =
            self.rows.iter().map(|each| self.employer(app, each, now)).collect::<ApiResult<_>>()?;
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
            bridge_token: employers.iter().find_map(|employer| employer.bridge_token.clone()),
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
            employers,
            financial_accounts: Vec::new(),
            insurance: None,
            bank: None,
            manager: self.body.manager.clone(),
            loan: self.body.loan.clone(),
            notification_settings: self.body.notification_settings.clone(),
            notes: self.body.notes.clone(),
        })
    }

    fn employer(&self, app: &App, each: &LoadedEmployer, now: Timestamp) -> ApiResult<EmployerView> {
        let (row, body, link) = (&each.row, &each.kept.body, each.link.as_ref());
        let access_token = match link.filter(|_| row.status == OrderStatus::Completed) {
            Some(link) => known_access_token(app, link)?,
            None => None,
        };
        let employments = match &each.facts {
            Some(facts) if has_jobs(row.product) => employments(app, row.product, facts)?,
            _ => Vec::new(),
        };
        Ok(EmployerView {
            id: row.id.to_string(),
            product_type: row.product.to_string(),
            status: self.status_of(row, now).to_string(),
            suborder_number: body.suborder_number.clone(),
            created_at: reports::time(row.created_at),
            bridge_token: self.bridge_token(app, row.id, now)?,
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
                Some(link) => each
                    .tasks
                    .iter()
                    .map(|task| task_view(app, task, link, each.orders.get(&task.id).copied()))
                    .collect(),
                None => Vec::new(),
            },
            last_task_status: link.map(|link| link.status.to_string()),
        })
    }
}

/// Whether a product reads a person's jobs.
pub(crate) const fn has_jobs(product: Product) -> bool {
    matches!(product, Product::Income | Product::Employment)
}

/// The report of a product that is there as a document.
const fn report_kind(product: Product) -> Option<ReportKind> {
    match product {
        Product::Income => Some(ReportKind::Income),
        Product::Employment => Some(ReportKind::Employment),
        Product::DepositSwitch => Some(ReportKind::DirectDeposit),
        Product::Pll => Some(ReportKind::Pll),
        Product::Admin | Product::Fas => None,
    }
}

fn by_employer(tokens: Vec<Newest>) -> HashMap<OrderEmployerId, Newest> {
    // From oldest to newest: the last one stays.
    tokens.into_iter().map(|token| (token.order_employer_id, token)).collect()
}

fn employments(app: &App, product: Product, facts: &Facts) -> ApiResult<Vec<Value>> {
    let Some(kind) = report_kind(product) else { return Ok(Vec::new()) };
    let report = reports::render(app, kind, facts, None, false)?;
    let mut report: Value = serde_json::from_slice(&report).map_err(error::internal)?;
    match report.get_mut("employments").map(Value::take) {
        Some(Value::Array(list)) => Ok(list),
        _ => Ok(Vec::new()),
    }
}
