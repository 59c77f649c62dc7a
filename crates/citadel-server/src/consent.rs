//! What a person agrees to at a sign-in, how long it holds, and the receipt of it (P20, P21).

use citadel_domain::ConsentId;
use citadel_store::{
    Error, Tx,
    audit::{self, Entry},
    bridge_tokens::BridgeToken,
    consents::{self, Consent},
    links::Link,
    templates,
};
use jiff::{Timestamp, ToSpan, tz::Offset};

use crate::{
    api,
    app::App,
    error::{ApiError, ApiResult},
    jobs::events,
    system::SystemRandom,
};

/// What the words come from that stand beside the button by which people agree: those of each product, the sentences around them,
/// and the one that says what is changed. A browser test looks for each word of that screen in these files.
const WORDS: [&str; 3] = [
    include_str!("../assets/bridge/texts.js"),
    include_str!("../assets/bridge/screen-login.js"),
    include_str!("../assets/bridge/deposit.js"),
];
/// How long a consent holds.
const MONTHS: i32 = 12;

/// When a consent ends that is given now.
pub(crate) fn ends(given_at: Timestamp) -> Timestamp {
    let end = Offset::UTC.to_datetime(given_at).saturating_add(MONTHS.months());
    Offset::UTC.to_timestamp(end).unwrap_or(Timestamp::MAX)
}

/// The receipt of a sign-in. Its hash is of all that the screen was made of: our words, the client's look with words of its own,
/// the client's name, the provider and the product. `page_hash` is of the token of the page that the person gets with it.
pub(crate) async fn receipt(
    app: &App,
    tx: &mut Tx<'_>,
    token: &BridgeToken,
    link: &Link,
    page_hash: [u8; 32],
    now: Timestamp,
) -> Result<Consent, Error> {
    let template = match token.template_id {
        Some(id) => templates::find(tx, token.tenant, id).await?,
        None => None,
    };
    let [texts, screen, changes] = WORDS;
    let shown = [
        texts,
        screen,
        changes,
        template.as_ref().map_or("", |template| template.body.as_str()),
        token.client_name.as_deref().unwrap_or_default(),
        &link.provider_id,
        token.product.as_str(),
    ];
    let look = template.as_ref().and_then(|template| api::templates::look(template).ok());
    let client_name = look.and_then(|look| look.company_name).or_else(|| token.client_name.clone());
    Ok(Consent {
        // No client sees it, so it need not follow from anything.
        id: ConsentId::generate(app.clock.now(), &SystemRandom),
        tenant: token.tenant,
        link_id: link.id,
        text_hash: consents::text_hash(&shown),
        products: token.allowed_products.clone(),
        given_at: now,
        expires_at: ends(now),
        page_hash: Some(page_hash),
        client_name,
        purpose: Some(token.product),
    })
}

/// Ends what the person allowed, before its time, and tells the client. `false` when it has ended already.
pub(crate) async fn revoke(app: &App, link: Link, entry: Entry) -> ApiResult<bool> {
    let tenant = link.tenant;
    let moment = app.moment(tenant).await?;
    let writer = app.clone();
    let is_revoked = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            let is_revoked = consents::revoke(tx, tenant, link.id, moment.now).await?;
            if is_revoked {
                events::append_disconnected(&writer, tx, &link, moment).await?;
                audit::append(tx, &writer.keyring, &entry).await?;
            }
            Ok::<_, ApiError>(is_revoked)
        })
        .await?;
    app.ring_events();
    Ok(is_revoked)
}
