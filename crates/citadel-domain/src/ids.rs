//! Row ids: UUIDv7, printed as 32 lowercase hex digits. This file is the only place that knows the printed form.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use uuid::Uuid;

use crate::Random;

/// The text is not 32 lowercase hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidId;

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id is 32 lowercase hex digits")
    }
}

impl std::error::Error for InvalidId {}

fn parse(text: &str) -> Result<[u8; 16], InvalidId> {
    let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != 32 || !text.bytes().all(lower_hex) {
        return Err(InvalidId);
    }
    Uuid::try_parse(text).map(Uuid::into_bytes).map_err(|_| InvalidId)
}

fn generate(now: Timestamp, random: &dyn Random) -> [u8; 16] {
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    // A clock before 1970 cannot be printed by a UUID; such ids simply sort first.
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid().into_bytes()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A new id: the time in front, so that rows are inserted at the right edge of an index.
            pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
                Self(generate(now, random))
            }

            /// The id of these sixteen bytes, as stored.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The sixteen bytes to store.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(Uuid::from_bytes(self.0).as_simple(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A company that uses our API.
    ClientId,
    /// A client's server credential in one environment.
    AccessKeyId,
    /// A permission to open the widget.
    BridgeTokenId,
    /// A single-use proof from the widget.
    PublicTokenId,
    /// A consumer's consented connection to one provider.
    LinkId,
    /// One run of work for a link.
    TaskId,
    /// A piece of queued background work.
    JobId,
    /// Something that happened and is told by webhook.
    EventId,
    /// An employer in the directory.
    CompanyId,
    /// One employment, statement or document inside a link's data.
    ObjectId,
    /// A payroll register that a client asked for.
    PayrollReportId,
    /// A client's endpoint for webhook events.
    WebhookId,
    /// One attempt to deliver an event.
    DeliveryId,
    /// A login that a client of the sandbox invented.
    ScenarioId,
    /// A person of a client.
    UserId,
    /// What a client asks of a person: employers, one after another.
    OrderId,
    /// One employer of an order.
    OrderEmployerId,
    /// A look of the widget.
    TemplateId,
    /// What all links of a person knew at one moment.
    UserReportId,
    /// An entry in the ledger of deletions.
    DeletionId,
    /// A person who uses the dashboard.
    MemberId,
    /// A signed-in browser of a member.
    SessionId,
    /// A passkey of a member.
    PasskeyId,
    /// One answered request; its request id.
    CallId,
    /// A screen that the widget showed.
    ScreenId,
    /// What a person agreed to at a sign-in.
    ConsentId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NumberedRandom, SeededRandom};

    #[test]
    fn printed_form_round_trips_and_nothing_else_parses() {
        let id = LinkId::generate(Timestamp::from_second(1_700_000_000).unwrap(), &SeededRandom::new(1));
        let text = id.to_string();
        assert_eq!(text.len(), 32);
        assert_eq!(text.parse::<LinkId>(), Ok(id));
        for bad in [&text[1..], &format!("{text}0"), &text.to_uppercase(), "", "g".repeat(32).as_str()] {
            assert_eq!(bad.parse::<LinkId>(), Err(InvalidId), "{bad}");
        }
    }

    #[test]
    fn numbered_ids_of_one_instant_sort_by_their_numbers() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let ids: Vec<_> = (0..4096)
            .map(|number| LinkId::generate(now, &NumberedRandom::new(number * 7919, number)))
            .collect();
        assert!(ids.is_sorted());
        assert_eq!(ids[5], LinkId::generate(now, &NumberedRandom::new(5 * 7919, 5)));
    }

    #[test]
    fn later_ids_sort_later() {
        let random = SeededRandom::new(1);
        let at = |second| LinkId::generate(Timestamp::from_second(second).unwrap(), &random);
        assert!(at(1_700_000_000) < at(1_700_000_001));
    }
}
