//! What the quickstart can show.

use citadel_sdk::AccountDetails;

/// A product of Citadel. The app has one page for all of them, and shows the one of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Where a person works.
    Employment,
    /// What a person earns.
    Income,
    /// Who works at a company, and what it paid them.
    Admin,
    /// Where a person's pay lands.
    DepositSwitch,
    /// A loan that is paid back from each pay check.
    Pll,
    /// From which account a company pays its people.
    Fas,
}

impl Product {
    /// Every product, as the settings list them.
    pub const ALL: [Self; 6] =
        [Self::Employment, Self::Income, Self::Admin, Self::DepositSwitch, Self::Pll, Self::Fas];

    /// The word in `.env` and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Employment => "employment",
            Self::Income => "income",
            Self::Admin => "admin",
            Self::DepositSwitch => "deposit_switch",
            Self::Pll => "pll",
            Self::Fas => "fas",
        }
    }

    /// Reads the word in `.env`; the complaint says what to write instead.
    pub(crate) fn parse(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|product| product.as_str() == word).ok_or_else(|| {
            let word: String = word.chars().filter(|letter| !letter.is_control()).take(40).collect();
            format!("is `{word}`, which is not a product: {}", Self::choose())
        })
    }

    /// What to write into `.env`.
    pub(crate) fn choose() -> &'static str {
        "set it to employment, income, admin, deposit_switch, pll or fas"
    }

    /// The bank account that a bridge token for this product carries. Yours comes from the person who applies.
    pub(crate) fn account(self) -> Option<AccountDetails> {
        let account = AccountDetails {
            account_number: Some("16002600".into()),
            account_type: Some("checking".to_owned()),
            routing_number: Some("123456789".to_owned()),
            bank_name: Some("TD Bank".to_owned()),
            ..AccountDetails::default()
        };
        match self {
            Self::Employment | Self::Income | Self::Admin => None,
            Self::DepositSwitch | Self::Fas => Some(account),
            // One dollar of each pay check goes to the lender.
            Self::Pll => Some(AccountDetails {
                deposit_type: Some("amount".to_owned()),
                deposit_value: Some("1".to_owned()),
                ..account
            }),
        }
    }

    /// The route of the back end that answers with the product's data.
    pub(crate) fn data_route(self) -> &'static str {
        match self {
            Self::Employment | Self::Income => "getVerifications",
            Self::Admin => "getAdminData",
            Self::DepositSwitch => "getDepositSwitchData",
            Self::Pll => "getPaycheckLinkedLoanData",
            Self::Fas => "startFundingSwitchFlow",
        }
    }

    /// Data changes, so it can be read again. A switch has happened, and is not made twice.
    pub(crate) fn can_refresh(self) -> bool {
        matches!(self, Self::Employment | Self::Income | Self::Admin)
    }
}
