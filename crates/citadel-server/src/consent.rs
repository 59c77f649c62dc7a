//! What a person agrees to at a sign-in, how long it holds, and the receipt of it (P20, P21).

use citadel_domain::ConsentId;
use citadel_store::{
    Error, Tx,
    bridge_tokens::BridgeToken,
    consents::{self, Consent},
    links::Link,
    templates,
};
use jiff::{Timestamp, ToSpan, tz::Offset};

use crate::{app::App, system::SystemRandom};

/// The words of the widget, among them those of the screen on which people agree.
const WORDS: &str = include_str!("../assets/bridge/texts.js");
/// How long a consent holds.
const MONTHS: i32 = 12;

/// When a consent ends that is given now.
pub(crate) fn ends(given_at: Timestamp) -> Timestamp {
    let end = Offset::UTC.to_datetime(given_at).saturating_add(MONTHS.months());
    Offset::UTC.to_timestamp(end).unwrap_or(Timestamp::MAX)
}

/// The receipt of a sign-in. Its hash is of all that the screen was made of: our words, the client's look with words of its own,
/// the client's name, the provider and the product.
pub(crate) async fn receipt(
    app: &App,
    tx: &mut Tx<'_>,
    token: &BridgeToken,
    link: &Link,
    now: Timestamp,
) -> Result<Consent, Error> {
    let template = match token.template_id {
        Some(id) => templates::find(tx, token.tenant, id).await?,
        None => None,
    };
    let shown = [
        WORDS,
        template.as_ref().map_or("", |template| template.body.as_str()),
        token.client_name.as_deref().unwrap_or_default(),
        &link.provider_id,
        token.product.as_str(),
    ];
    Ok(Consent {
        // No client sees it, so it need not follow from anything.
        id: ConsentId::generate(app.clock.now(), &SystemRandom),
        tenant: token.tenant,
        link_id: link.id,
        text_hash: consents::text_hash(&shown),
        products: token.allowed_products.clone(),
        given_at: now,
        expires_at: ends(now),
    })
}
