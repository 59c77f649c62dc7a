//! Access keys, changed by the client itself: make a second one, put it in place, end the first.

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::{
    access_keys::{AccessKey as AccessKeyView, DeactivateKey, DeactivatedKey},
    error::{Detail, ErrorBody},
};
use citadel_domain::AccessKeyId;
use citadel_store::{
    access_keys::{self, Deactivated},
    audit::{self, Act, Object, ObjectKind},
};

use crate::{
    app::App,
    auth::Caller,
    body::Body,
    error::{self, ApiError, ApiResult},
    idempotency::{Holds, Once},
    new_key::NewKey,
    purposes, reports,
};

/// Make a second access key for your environment. The answer has its secret, this once. Both are good until one is deactivated.
///
/// A key that was made with a masked key is masked too.
#[utoipa::path(post, path = "/v1/keys/", tag = "keys", responses(
    (status = 201, body = AccessKeyView),
    (status = 400, description = "two keys are active already", body = ErrorBody),
    (status = 401, body = ErrorBody),
))]
pub(crate) async fn create_key(
    State(app): State<App>,
    caller: Caller,
    once: Once,
) -> ApiResult<(StatusCode, Json<AccessKeyView>)> {
    let tenant = caller.tenant;
    let NewKey { mut row, secret } = NewKey::generate(&app.keyring, &*app.random, tenant, app.clock.now())?;
    // Who is told less cannot make themselves a key that is told more.
    row.is_masked = caller.is_masked;
    let (id, created_at) = (row.id, row.created_at);
    let answer = AccessKeyView {
        id: id.to_string(),
        client_id: tenant.client_id.to_string(),
        access_secret: secret.expose().into(),
        env_type: tenant.environment.to_string(),
        created_at: reports::time(created_at),
    };
    let kept = answer.clone();
    let db = app.db.scoped(tenant.client_id);
    let key = Object::of(ObjectKind::AccessKey, id.as_bytes());
    let entry = caller.did(&app, Act::AccessKeyCreated, key);
    let writer = app.clone();
    let write = db.write(async move |tx| {
        if !access_keys::create(tx, &row).await? {
            return Err(error::malformed(
                "This environment has two active keys already: deactivate one first (POST /v1/keys/deactivate/).",
            ));
        }
        audit::append(tx, &writer.keyring, &entry).await?;
        once.keep(tx, StatusCode::CREATED, &kept, Holds::NOTHING).await
    });
    write.await?;
    tracing::info!(client.id = %tenant.client_id, access_key.id = %id, "access key created");
    Ok((StatusCode::CREATED, Json(answer)))
}

/// End an access key of your environment, at once, with the bridge tokens that were made with it. Not the last one.
#[utoipa::path(post, path = "/v1/keys/deactivate/", tag = "keys", request_body = DeactivateKey, responses(
    (status = 200, body = DeactivatedKey),
    (status = 400, description = "neither or both are named, or it is the last active key", body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn deactivate_key(
    State(app): State<App>,
    caller: Caller,
    once: Once,
    Body(body): Body<DeactivateKey>,
) -> ApiResult<Json<DeactivatedKey>> {
    let tenant = caller.tenant;
    let (by_id, by_secret) = match (body.id, body.access_secret) {
        (Some(id), None) => (Some(id.parse::<AccessKeyId>().map_err(|_| error::not_found())?), None),
        (None, Some(secret)) => (None, Some(app.keyring.keyed_hash(purposes::ACCESS_KEY, secret.expose()))),
        _ => return Err(error::invalid("id", "Send the id or the access_secret of the key, and not both.")),
    };
    let stamp = app.deletion_stamp();
    let now = stamp.at;
    let writer = app.clone();
    let db = app.db.scoped(tenant.client_id);
    let answer = db
        .write(async move |tx| {
            let found = match (by_id, by_secret) {
                (None, Some(hash)) => {
                    access_keys::find_active(tx, tenant.client_id, &hash).await?.map(|key| key.id)
                }
                (by_id, _) => by_id,
            };
            let id = found.ok_or_else(error::not_found)?;
            match access_keys::deactivate(tx, tenant, id, stamp).await? {
                Deactivated::Unknown => return Err(error::not_found()),
                Deactivated::Last => {
                    return Err(error::malformed(
                        "This is the last active key of its environment: make another one first (POST /v1/keys/).",
                    ));
                }
                Deactivated::Done => {}
            }
            let object = Object::of(ObjectKind::AccessKey, id.as_bytes());
            let entry = caller.did(&writer, Act::AccessKeyDeleted, object);
            audit::append(tx, &writer.keyring, &entry).await?;
            let answer = DeactivatedKey { id: id.to_string(), deactivated_at: reports::time(now) };
            once.keep(tx, StatusCode::OK, &answer, Holds::NOTHING).await?;
            Ok::<_, ApiError>(answer)
        })
        .await?;
    tracing::info!(client.id = %tenant.client_id, access_key.id = answer.id, "access key deactivated");
    Ok(Json(answer))
}
