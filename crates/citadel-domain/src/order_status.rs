//! How far one employer of an order is.

use std::{fmt, str::FromStr};

/// The status of an employer's row in an order, and of the whole order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// Nobody has been told of it.
    Pending,
    /// The person was sent the address of its page.
    Sent,
    /// The data is there.
    Completed,
    /// The client has taken it back.
    Canceled,
    /// The person went on without it.
    Skipped,
    /// The person signed in, and there was nothing.
    NoData,
    /// It went wrong.
    Error,
    /// Nobody signed in in time.
    Expired,
}

impl OrderStatus {
    const ALL: [Self; 8] = [
        Self::Pending,
        Self::Sent,
        Self::Completed,
        Self::Canceled,
        Self::Skipped,
        Self::NoData,
        Self::Error,
        Self::Expired,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
            Self::Skipped => "skipped",
            Self::NoData => "no_data",
            Self::Error => "error",
            Self::Expired => "expired",
        }
    }

    /// Whether somebody can still sign in. After an error or without data the person may try again.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Sent | Self::NoData | Self::Error)
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no status of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownOrderStatus;

impl FromStr for OrderStatus {
    type Err = UnknownOrderStatus;

    fn from_str(text: &str) -> Result<Self, UnknownOrderStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownOrderStatus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_and_nothing_else() {
        for status in OrderStatus::ALL {
            assert_eq!(status.to_string().parse(), Ok(status));
        }
        assert_eq!("done".parse::<OrderStatus>(), Err(UnknownOrderStatus));
        assert!(OrderStatus::Error.is_open() && !OrderStatus::Completed.is_open());
    }
}
