//! The person's file: what is known through the link with where and when it was read, who had it, and the receipts (P24).

use citadel_domain::Environment;
use citadel_store::audit::{self, Act, Detail, Entry};
use serde_json::{Map, Value, json};

use super::{
    known::{Known, Release, releases},
    visit::Visit,
    words,
};
use crate::{
    app::App,
    error::{self, ApiResult},
    reports::{self, Facts, ReportKind},
    trail,
};

/// What is about a person. What a company's administrator connected is about others.
const KINDS: [ReportKind; 4] =
    [ReportKind::Employment, ReportKind::Income, ReportKind::DirectDeposit, ReportKind::Pll];

/// Makes the file, and says in the trail that it was made.
pub(super) async fn make(app: &App, visit: &Visit, is_ssn_short: bool) -> ApiResult<Vec<u8>> {
    // So that nothing is missing that left a moment ago.
    trail::flush(app).await?;
    let known = Known::read(app, visit).await?;
    let recipients = releases(app, visit, &known, None, usize::MAX).await?;
    let mut values = values(app, visit).await?;
    if is_ssn_short {
        shorten_ssns(&mut values);
    }
    let tenant = visit.consent.tenant;
    let link = visit.live_link();
    let file = json!({
        "made_at": reports::time(app.moment(tenant).await?.now),
        "is_invented": tenant.environment == Environment::Sandbox,
        "client": known.client_name,
        "link": {
            "id": visit.consent.link_id.to_string(),
            "is_deleted": link.is_none(),
            "provider": link.map(|link| link.provider_id.clone()),
            "connected_at": link.map(|link| reports::time(link.created_at)),
            "consent_expires_at": link.map(|link| reports::time(link.consent_expires_at)),
            "consent_ended_at": link.and_then(|link| link.consent_ended_at).map(reports::time),
            "disputed_at": link.and_then(|link| link.disputed_at).map(reports::time),
        },
        "receipts": known.receipts.iter().map(|receipt| json!({
            "id": receipt.id.to_string(),
            "given_at": reports::time(receipt.given_at),
            "expires_at": reports::time(receipt.expires_at),
            "requested_by": receipt.client_name.as_ref().unwrap_or(&known.client_name),
            "purpose": Known::purpose(receipt),
            "products": receipt.products.iter().map(|product| product.as_str()).collect::<Vec<_>>(),
            "text_sha256": citadel_domain::tokens::hex(&receipt.text_hash),
        })).collect::<Vec<_>>(),
        "recipients": recipients.iter().map(recipient).collect::<Vec<_>>(),
        "values": values,
    });
    let file = serde_json::to_vec_pretty(&file).map_err(error::internal)?;
    let detail = Detail::NONE
        .word("ssn", if is_ssn_short { "last four" } else { "whole" })
        .count("recipients", recipients.len() as u64);
    let entry = Entry { detail, ..visit.did(app, Act::PersonFileMade) };
    let keyring = app.keyring.clone();
    app.db.scoped(tenant.client_id).write(async move |tx| audit::append(tx, &keyring, &entry).await).await?;
    Ok(file)
}

/// Reports by their kind, each with where its values come from.
async fn values(app: &App, visit: &Visit) -> ApiResult<Value> {
    let mut values = Map::new();
    let Some(link) = visit.live_link() else { return Ok(Value::Object(values)) };
    // Income tells all that employment does.
    let is_told = |kind: &ReportKind| {
        kind.is_allowed(link) && !(*kind == ReportKind::Employment && ReportKind::Income.is_allowed(link))
    };
    for kind in KINDS.into_iter().filter(is_told) {
        let link = link.clone();
        let db = app.db.scoped(link.tenant.client_id);
        let facts = db.read(async move |tx| Facts::of_link(tx, link.clone(), kind).await).await?;
        let report = reports::render(app, kind, &facts, None, true)?;
        let report = serde_json::from_slice(&report).map_err(error::internal)?;
        values.insert(kind.as_str().to_owned(), report);
    }
    Ok(Value::Object(values))
}

fn recipient(release: &Release) -> Value {
    json!({
        "number": release.number,
        "at": reports::time(release.at),
        "recipient": release.recipient,
        "purpose": release.purpose,
        "data": release.data,
        "fields": release.fields.iter().map(|field| words::field(field)).collect::<Vec<_>>(),
        "times": release.times,
    })
}

/// Leaves the last four digits of every Social Security number.
fn shorten_ssns(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                match inner {
                    Value::String(text) if name.ends_with("ssn") => *text = short_ssn(text),
                    inner => shorten_ssns(inner),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(shorten_ssns),
        _ => {}
    }
}

fn short_ssn(ssn: &str) -> String {
    let digits: Vec<char> = ssn.chars().filter(char::is_ascii_digit).collect();
    let last = digits.len().saturating_sub(4);
    format!("*****{}", digits[last..].iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P24: wherever in the file it stands.
    #[test]
    fn p24_the_first_five_digits_are_left_out() {
        let mut file = json!({"ssn": "123-45-6789", "list": [{"profile": {"ssn": "987654321", "name": "Ada"}}], "count": 3});
        shorten_ssns(&mut file);
        let expected = json!({"ssn": "*****6789", "list": [{"profile": {"ssn": "*****4321", "name": "Ada"}}], "count": 3});
        assert_eq!(file, expected);
    }
}
