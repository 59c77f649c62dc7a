//! The events of a client, kept in order: to read again, to send again, to listen to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{Redacted, liberal, page::CursorPage};

/// An event, as it was written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Its id: `webhook_id` of the payload.
    pub id: String,
    /// Its place among the events of your environment: read on from the last one that you have seen.
    pub sequence: i64,
    /// What happened.
    pub event_type: String,
    /// When it happened.
    pub created_at: String,
    /// The body of its deliveries.
    #[schema(value_type = Object)]
    pub payload: Map<String, Value>,
}

/// One page of events, in the order in which they happened.
pub type EventPage = CursorPage<Event>;

/// Asks for one event to be delivered once more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ResendEvent {
    /// The endpoint. All endpoints that want such events when absent.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<String>,
}

/// Asks for the events of a time to be delivered once more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ResendEvents {
    /// From this time on; at most 30 days ago.
    #[serde(rename = "created_at__gte", deserialize_with = "liberal::text")]
    #[schema(required, examples("2026-11-18T15:00:00Z"))]
    pub created_at_gte: String,
    /// Up to this time, included. Until now when absent.
    #[serde(
        rename = "created_at__lte",
        deserialize_with = "liberal::optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub created_at_lte: Option<String>,
    /// The endpoint. All endpoints, each with the types that it wants, when absent.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<String>,
    /// Only events that the endpoint has never taken.
    pub only_failed: bool,
}

/// What will be delivered once more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Resent {
    /// How many deliveries that makes: one per event and endpoint.
    pub count: i64,
}

/// One message of the event stream: the request that an endpoint would get.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamedRequest {
    /// The place of the event; also the id of the message, to go on from.
    pub sequence: i64,
    /// Every header, in lower case, signatures included.
    pub headers: BTreeMap<String, String>,
    /// The body, byte for byte.
    pub body: String,
}

/// The first message of the event stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StreamStart {
    /// Events after this place follow.
    pub after: i64,
    /// Checks the header `webhook-signature` of the requests. It stays the same for your environment.
    #[schema(value_type = String)]
    pub secret: Redacted,
}
