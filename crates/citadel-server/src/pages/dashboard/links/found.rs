//! What a link's page is told from, read in one transaction.

use citadel_domain::{LinkId, OrderId};
use citadel_store::{
    Error, Tenant, Tx, bridge_tokens,
    browse::{self, Step},
    calls::{self, Call},
    consents::{self, Consent},
    holds,
    links::{self, Link},
    order_employers, orders,
    tasks::Task,
    users::{self, User},
};

use super::{
    super::{
        guard::Here,
        lists,
        page::{PageError, PageResult},
    },
    masked::{self, Shown},
};
use crate::{
    app::App,
    reports::{self, Facts, ReportKind},
};

/// Tasks that are shown of a link.
pub(super) const TASKS: usize = 20;
/// One more is read, to know whether there are.
const READ: u32 = 21;
/// Calls that are shown of a link.
const CALLS: u32 = 20;

/// A report as the page shows it.
pub(super) struct Report {
    pub(super) kind: ReportKind,
    pub(super) name: &'static str,
    pub(super) shown: Shown,
}

/// All that the page tells.
pub(super) struct Found {
    pub(super) link: Link,
    pub(super) user: Option<User>,
    pub(super) order: Option<(OrderId, Option<String>)>,
    pub(super) consents: Vec<Consent>,
    pub(super) tasks: Vec<Task>,
    pub(super) steps: Vec<Step>,
    pub(super) calls: Vec<Call>,
    pub(super) is_held: bool,
    pub(super) reports: Vec<Report>,
}

impl Found {
    /// The reports by name, and the names of the most personal fields in them.
    pub(super) fn personal(&self) -> (Vec<&'static str>, Vec<String>) {
        let kinds = self.reports.iter().map(|report| report.kind.as_str()).collect();
        let mut names: Vec<_> =
            self.reports.iter().flat_map(|report| &report.shown.personal).cloned().collect();
        names.sort();
        names.dedup();
        (kinds, names)
    }
}

pub(super) async fn find(app: &App, here: &Here, id: &str) -> PageResult<Found> {
    read(app, here, id, false).await
}

/// The same with what is masked otherwise.
pub(super) async fn find_revealed(app: &App, here: &Here, id: &str) -> PageResult<Found> {
    read(app, here, id, true).await
}

async fn read(app: &App, here: &Here, id: &str, is_revealed: bool) -> PageResult<Found> {
    let (tenant, id) = (here.tenant, lists::id::<LinkId>(id)?);
    let found = app.db.scoped(tenant.client_id).read(async move |tx| read_rows(tx, tenant, id).await).await?;
    let (mut found, facts) = found.ok_or_else(PageError::not_found)?;
    for (kind, facts) in facts {
        let report = reports::render(app, kind, &facts, None, false)?;
        let shown = masked::show(&report, is_revealed);
        let shown = shown.ok_or_else(|| crate::error::internal("a report that is no JSON"))?;
        found.reports.push(Report { kind, name: report_name(kind), shown });
    }
    Ok(found)
}

type Rows = (Found, Vec<(ReportKind, Facts)>);

async fn read_rows(tx: &mut Tx<'_>, tenant: Tenant, id: LinkId) -> Result<Option<Rows>, Error> {
    let Some(link) = links::find(tx, tenant, id).await? else { return Ok(None) };
    let user = match link.user_id {
        Some(user_id) => users::find(tx, tenant, user_id).await?,
        None => None,
    };
    let (tasks, steps) = browse::of_link(tx, tenant, id, READ).await?;
    let of_link = calls::Filter { link_id: Some(id), ..calls::Filter::default() };
    let mut facts = Vec::new();
    for kind in kinds(&link) {
        let of_kind = Facts::of_link(tx, link.clone(), kind).await?;
        if of_kind.has_data() {
            facts.push((kind, of_kind));
        }
    }
    let found = Found {
        user,
        order: order_of(tx, &link).await?,
        consents: consents::list_for_link(tx, tenant, id).await?,
        tasks,
        steps,
        calls: calls::list(tx, tenant, &of_link, None, CALLS).await?,
        is_held: holds::is_held(tx, tenant.client_id, id).await?,
        reports: Vec::new(),
        link,
    };
    Ok(Some((found, facts)))
}

/// Reports that the link may show. Nothing is read after the end of the consent, and employment is a part of income.
fn kinds(link: &Link) -> Vec<ReportKind> {
    if link.consent_ended_at.is_some() {
        return Vec::new();
    }
    let all = [
        ReportKind::Income,
        ReportKind::Employment,
        ReportKind::Directory,
        ReportKind::DirectDeposit,
        ReportKind::Pll,
        ReportKind::Funding,
    ];
    let mut kinds: Vec<_> = all.into_iter().filter(|kind| kind.is_allowed(link)).collect();
    if kinds.contains(&ReportKind::Income) {
        kinds.retain(|kind| *kind != ReportKind::Employment);
    }
    kinds
}

const fn report_name(kind: ReportKind) -> &'static str {
    match kind {
        ReportKind::Employment => "Employment",
        ReportKind::Income => "Income and employment",
        ReportKind::Directory => "The company's people",
        ReportKind::DirectDeposit => "Direct deposit",
        ReportKind::Pll => "Paycheck-linked loan",
        ReportKind::Funding => "Funding account",
    }
}

async fn order_of(tx: &mut Tx<'_>, link: &Link) -> Result<Option<(OrderId, Option<String>)>, Error> {
    let tenant = link.tenant;
    let token = bridge_tokens::find(tx, tenant, link.bridge_token_id).await?;
    let Some(id) = token.and_then(|token| token.order_employer_id) else { return Ok(None) };
    let Some(employer) = order_employers::find(tx, tenant, id).await? else { return Ok(None) };
    let order = orders::find(tx, tenant, employer.order_id).await?;
    Ok(order.map(|order| (order.id, order.order_number)))
}
