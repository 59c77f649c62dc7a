//! Products: what a business may ask of a link.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a bridge token asks for. `Display` prints the wire word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Product {
    /// Where a person works, and since when.
    Employment,
    /// What a person earns, with statements.
    Income,
    /// A company's directory and payroll.
    Admin,
    /// Where a person's pay lands.
    DepositSwitch,
    /// A part of each pay check paid to a lender.
    Pll,
    /// The account from which a company pays its people.
    Fas,
}

impl Product {
    /// Every product, in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::Employment, Self::Income, Self::Admin, Self::DepositSwitch, Self::Pll, Self::Fas];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Employment => "employment",
            Self::Income => "income",
            Self::Admin => "admin",
            Self::DepositSwitch => "deposit_switch",
            Self::Pll => "pll",
            Self::Fas => "fas",
        }
    }

    /// Whether an administrator signs in for a company, and not a person for themselves.
    pub const fn is_about_a_company(self) -> bool {
        matches!(self, Self::Admin | Self::Fas)
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownProduct;

impl fmt::Display for UnknownProduct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a product is employment, income, admin, deposit_switch, pll or fas")
    }
}

impl std::error::Error for UnknownProduct {}

impl FromStr for Product {
    type Err = UnknownProduct;

    /// `dds` is an older word for `deposit_switch`.
    fn from_str(text: &str) -> Result<Self, UnknownProduct> {
        match text {
            "dds" => Ok(Self::DepositSwitch),
            _ => Self::ALL.into_iter().find(|product| product.as_str() == text).ok_or(UnknownProduct),
        }
    }
}
