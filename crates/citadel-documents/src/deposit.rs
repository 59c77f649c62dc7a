//! The confirmation that pay goes to another account: of a deposit switch, or of a loan that is paid back out of each pay.

use citadel_domain::{AccountDetails, TaskStatus, account::AccountAction, payroll::DepositAccount};
use jiff::Timestamp;

use crate::{
    blocks::{Fact, thirds},
    format,
    request::{NOT_GIVEN, Request, Subject},
    sheet::{BODY, LEFT, Sheet},
    table::{Column, Row, Table},
};

/// Why an account was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepositPurpose {
    /// The person moved their pay, or a part of it (`deposit_switch`).
    Switch,
    /// A lender is paid back out of each pay (`pll`).
    PaycheckLinkedLoan,
}

/// Everything that a confirmation tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepositConfirmation {
    /// Why the account was changed.
    pub purpose: DepositPurpose,
    /// Who asked, and with whose consent.
    pub request: Request,
    /// Whose pay it is, if that is known.
    pub person: Option<Subject>,
    /// The provider, as people know it.
    pub provider_name: String,
    /// The employer, if it is known.
    pub employer_name: Option<String>,
    /// The account and its share of the pay. Nothing before the person has confirmed it.
    pub account: Option<AccountDetails>,
    /// The accounts before anything was changed, if the provider showed them.
    pub before: Option<Vec<DepositAccount>>,
    /// Where the change stands.
    pub status: TaskStatus,
    /// When the change ended, well or not.
    pub finished_at: Option<Timestamp>,
    /// What the business wrote on the link.
    pub tracking_info: Option<String>,
}

/// More accounts than these are counted and not listed, so that the document keeps to one page.
const MOST_ACCOUNTS: usize = 12;
/// The columns of [`row`].
pub(crate) const ACCOUNTS: [Column; 4] = [
    Column::text("Bank", LEFT, 190.0),
    Column::text("Account", LEFT + 200.0, 100.0),
    Column::text("Type", LEFT + 310.0, 80.0),
    Column::text("Share of the pay", LEFT + 400.0, 104.0),
];

pub(crate) fn layout(confirmation: &DepositConfirmation) -> Sheet {
    let mut sheet = confirmation.request.sheet(match confirmation.purpose {
        DepositPurpose::Switch => "Confirmation of a Deposit Switch",
        DepositPurpose::PaycheckLinkedLoan => "Confirmation of a Paycheck-Linked Loan",
    });
    sheet.boxed(|sheet| {
        sheet.heading(2, "Summary", 60.0);
        let person = confirmation.person.as_ref().map(|person| person.facts(confirmation.request.is_masked));
        let person = person.map_or_else(|| vec![Fact::new("Person", NOT_GIVEN).strong()], Vec::from);
        let employer = confirmation.employer_name.clone().filter(|name| !name.trim().is_empty());
        let place = vec![
            Fact::new("Employer", employer.unwrap_or_else(|| NOT_GIVEN.to_owned())),
            Fact::new("Provider", format::or(&confirmation.provider_name, NOT_GIVEN)),
        ];
        let finished = confirmation.finished_at.map_or_else(|| "Not yet".to_owned(), format::instant);
        let outcome =
            vec![Fact::new("Status", status(confirmation.status)).strong(), Fact::new("Finished", finished)];
        sheet.facts(&thirds([person, place, outcome]));
        sheet.y += 4.0;
    });
    account(&mut sheet, confirmation);
    before(&mut sheet, confirmation.before.as_deref());
    confirmation.request.write(&mut sheet);
    if let Some(tracking_info) = confirmation.tracking_info.as_deref().filter(|text| !text.trim().is_empty())
    {
        sheet.y += 6.0;
        sheet.facts(&thirds([vec![Fact::new("Tracking info", tracking_info)], Vec::new(), Vec::new()]));
    }
    sheet.y += 14.0;
    sheet.paragraph(BODY, COPY);
    sheet
}

const COPY: &str = "This confirmation is a copy of what was sent to the provider and of what the provider showed of it. Of account \
                    numbers, only the last four digits are shown. All times are UTC.";

fn account(sheet: &mut Sheet, confirmation: &DepositConfirmation) {
    let Some(account) = &confirmation.account else {
        sheet.heading(2, "Account", 20.0);
        sheet.paragraph(BODY, "The person has not confirmed an account.");
        return;
    };
    sheet.heading(
        2,
        match account.action() {
            AccountAction::Create => "New account",
            AccountAction::Update => "Account with another share",
            AccountAction::Delete => "Account that is taken away",
        },
        60.0,
    );
    let bank = vec![
        Fact::lines(
            "Bank",
            [format::or(&account.bank_name, NOT_GIVEN)].into_iter().chain(account.bank_address.clone()),
        ),
        Fact::new("Type", format::account_type(account.account_type)),
    ];
    let routing = format::or(account.routing_number.expose(), NOT_GIVEN);
    let is_hidden = confirmation.request.is_masked && routing != NOT_GIVEN;
    let routing = if is_hidden { format::account_end(&account.routing_number) } else { routing };
    let numbers = vec![
        Fact::new("Account", format::account_end(&account.account_number)),
        Fact::new("Routing number", routing),
    ];
    let share = format::share(Some(account.share()), account.deposit_value);
    sheet.facts(&thirds([bank, numbers, vec![Fact::new("Share of the pay", share).strong()]]));
}

fn before(sheet: &mut Sheet, accounts: Option<&[DepositAccount]>) {
    let Some(accounts) = accounts.filter(|accounts| !accounts.is_empty()) else {
        sheet.heading(2, "Accounts before", 20.0);
        let none = if accounts.is_some() { "There was none." } else { "The provider did not show them." };
        sheet.paragraph(BODY, none);
        return;
    };
    let rows = accounts.iter().take(MOST_ACCOUNTS).map(row).collect();
    let table = Table { about: "Accounts before", columns: &ACCOUNTS, rows, pitch: 13.0 };
    sheet.heading(2, table.about, table.least());
    sheet.table(&table);
    if let Some(more) = accounts.len().checked_sub(MOST_ACCOUNTS).filter(|more| *more > 0) {
        sheet.paragraph(BODY, &format!("And {more} more."));
    }
}

/// An account as a row, without the number that pays.
pub(crate) fn row(account: &DepositAccount) -> Row {
    Row::new(vec![
        format::or(account.bank_name.as_deref().unwrap_or_default(), NOT_GIVEN),
        format::account_end(&account.account_number),
        account.account_type.map_or(NOT_GIVEN, format::account_type).to_owned(),
        format::share(account.deposit_type, account.deposit_value),
    ])
}

/// Where a change stands, in words.
const fn status(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Done => "Done: the provider shows the change",
        TaskStatus::New
        | TaskStatus::Login
        | TaskStatus::Mfa
        | TaskStatus::Parse
        | TaskStatus::FullParse
        | TaskStatus::SwitchDeposit => "Under way",
        TaskStatus::LoginError => "Not made: the sign-in was refused",
        TaskStatus::MfaError => "Not made: the second factor was refused or never came",
        TaskStatus::ConfigError => "Not made: a setting at the provider stands in the way",
        TaskStatus::AccountLocked => "Not made: the provider has locked the person's login",
        TaskStatus::NoData => "Not made: nothing was found at the provider",
        TaskStatus::Unavailable => "Not made: the provider was down",
        TaskStatus::Error => "Not made: something went wrong",
        TaskStatus::UnableToReset => "Not made: the password could not be reset",
        TaskStatus::NotSupported => "Not made: the provider does not offer it",
    }
}
