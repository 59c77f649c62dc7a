//! The normalised payroll model: what a connector emits, whatever the provider calls it.
//!
//! Sum rules, which connectors keep and tests prove: `gross = Σ earnings`; `net = gross − Σ taxes − Σ deductions`.
//! Dates are civil dates; money is exact; what a provider does not give is `None`, or an empty text where there is no `None`,
//! never a guess.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{AccountDetails, Money, Secret, account::AccountType, account::DepositType};

/// Everything that one sign-in can see.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PayrollData {
    /// The person's jobs, newest first.
    pub employments: Vec<Employment>,
}

impl PayrollData {
    /// The jobs, and nothing of what they pay.
    #[must_use]
    pub fn without_pay(mut self) -> Self {
        for job in &mut self.employments {
            job.pay = None;
            job.statements.clear();
            job.deposit_accounts.clear();
            job.w2s.clear();
        }
        self
    }
}

/// A person as an employer knows them. Class S2 and S3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Given name.
    pub first_name: String,
    /// Middle initials, if any.
    pub middle_initials: Option<String>,
    /// Family name.
    pub last_name: String,
    /// Work or private address.
    pub email: Option<String>,
    /// Nine digits.
    pub ssn: Option<Secret>,
    /// Birth date.
    pub date_of_birth: Option<Date>,
    /// Where the person lives.
    pub home_address: Option<Address>,
}

/// A US postal address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// House number and street.
    pub street: String,
    /// City.
    pub city: String,
    /// Two-letter state.
    pub state: String,
    /// Five digits.
    pub zip: String,
    /// Two-letter country.
    pub country: String,
}

/// A company as the payroll provider knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Employer {
    /// Legal or trade name.
    pub name: String,
    /// `NN-NNNNNNN`.
    pub ein: Option<String>,
    /// Main address.
    pub address: Option<Address>,
    /// Digits.
    pub phone: Option<String>,
}

/// One person's position at one employer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Employment {
    /// The provider's own id, stable across refreshes.
    pub external_id: String,
    /// Who works.
    pub person: Person,
    /// For whom.
    pub employer: Employer,
    /// Job title.
    pub title: Option<String>,
    /// Full-time, part-time, …
    pub job_type: Option<JobType>,
    /// First day of the present spell.
    pub start_date: Option<Date>,
    /// First day ever, before any break.
    pub original_hire_date: Option<Date>,
    /// Last day, when the job has ended.
    pub end_date: Option<Date>,
    /// Whether the job goes on.
    pub is_active: Option<bool>,
    /// The manager's name.
    pub manager_name: Option<String>,
    /// When the provider's own record last changed.
    pub external_last_updated: Option<Date>,
    /// The rate of pay.
    pub pay: Option<Pay>,
    /// Pay statements, newest first.
    pub statements: Vec<Statement>,
    /// Where net pay goes.
    pub deposit_accounts: Vec<DepositAccount>,
    /// Yearly wage and tax statements, newest first.
    pub w2s: Vec<W2>,
}

/// Full-time, part-time and the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobType {
    /// `F`
    FullTime,
    /// `P`
    PartTime,
    /// `S`
    Seasonal,
    /// `D`
    PerDiem,
}

/// A rate of pay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pay {
    /// Dollars per `unit`, without commission and bonus.
    pub rate: Option<Money>,
    /// What the rate is for.
    pub unit: Option<PayUnit>,
    /// How often pay comes.
    pub frequency: Option<PayFrequency>,
    /// Dollars per pay cycle, where it is fixed or usual.
    pub per_cycle: Option<Money>,
}

/// What a rate of pay is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PayUnit {
    /// Per year.
    Yearly,
    /// Per month.
    Monthly,
    /// Per week.
    Weekly,
    /// Per day.
    Daily,
    /// Per hour.
    Hourly,
}

/// How often pay comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PayFrequency {
    /// `W`
    Weekly,
    /// `BW`: every two weeks.
    BiWeekly,
    /// `SM`: twice a month.
    SemiMonthly,
    /// `M`
    Monthly,
}

/// One pay statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The provider's own id, stable across refreshes.
    pub external_id: String,
    /// The provider's check or advice number.
    pub check_number: Option<String>,
    /// When the money moves.
    pub pay_date: Option<Date>,
    /// First day paid for.
    pub period_start: Option<Date>,
    /// Last day paid for.
    pub period_end: Option<Date>,
    /// What the pay is based on.
    pub basis: Option<PayUnit>,
    /// Hours paid.
    pub hours: Option<Decimal>,
    /// Before anything is taken.
    pub gross: Option<Money>,
    /// Gross since 1 January of the pay date's year, this statement included.
    pub gross_ytd: Option<Money>,
    /// What the person receives.
    pub net: Option<Money>,
    /// Net since 1 January.
    pub net_ytd: Option<Money>,
    /// Lines that sum to gross.
    pub earnings: Vec<EarningLine>,
    /// Statutory taxes paid by the person.
    pub taxes: Vec<DeductionLine>,
    /// Everything else that is taken.
    pub deductions: Vec<DeductionLine>,
}

/// One earning on a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarningLine {
    /// What kind of pay.
    pub kind: EarningKind,
    /// The provider's label.
    pub label: String,
    /// This statement. Negative in a correction.
    pub amount: Option<Money>,
    /// Since 1 January.
    pub ytd: Option<Money>,
    /// Dollars per unit, where the line has units.
    pub rate: Option<Decimal>,
    /// Hours or other units.
    pub units: Option<Decimal>,
}

/// Kinds of earnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EarningKind {
    /// Salary or straight time.
    Regular,
    /// Time and a half.
    Overtime,
    /// A bonus.
    Bonus,
    /// A commission.
    Commission,
    /// Anything else.
    Other,
}

/// One tax or deduction on a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeductionLine {
    /// What kind.
    pub kind: DeductionKind,
    /// The provider's label.
    pub label: String,
    /// This statement; what is taken is positive, what is given back negative.
    pub amount: Option<Money>,
    /// Since 1 January.
    pub ytd: Option<Money>,
    /// Taken before federal income tax.
    pub pretax: bool,
}

/// Kinds of taxes and deductions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DeductionKind {
    /// Federal income tax.
    Federal,
    /// State income tax.
    State,
    /// Social Security, 6.2 % up to the year's wage base.
    SocialSecurity,
    /// Medicare, 1.45 % (and 0.9 % over 200,000).
    Medicare,
    /// A retirement plan such as a 401(k).
    Retirement,
    /// Health insurance (Section 125).
    Health,
    /// Anything else.
    Other,
}

/// Where net pay goes, as the provider shows it. Class S2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepositAccount {
    /// Account number.
    pub account_number: Secret,
    /// Routing number.
    pub routing_number: Secret,
    /// The person's own name for it.
    pub account_name: Option<String>,
    /// The bank.
    pub bank_name: Option<String>,
    /// Checking or savings.
    pub account_type: Option<AccountType>,
    /// How much goes here.
    pub deposit_type: Option<DepositType>,
    /// Dollars or percent, by `deposit_type`.
    pub deposit_value: Option<Decimal>,
}

/// A yearly wage and tax statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct W2 {
    /// Tax year.
    pub year: i16,
    /// Box 1: gross less pre-tax deductions.
    pub wages: Option<Money>,
    /// Box 2.
    pub federal_tax: Option<Money>,
    /// Box 3, at most the year's wage base.
    pub social_security_wages: Option<Money>,
    /// Box 4.
    pub social_security_tax: Option<Money>,
    /// Box 5.
    pub medicare_wages: Option<Money>,
    /// Box 6.
    pub medicare_tax: Option<Money>,
}

/// The most wages that Social Security tax is taken from in `year`. `None` for years that we have no figure for.
///
/// Source: Social Security Administration, "Contribution and Benefit Base".
pub const fn social_security_wage_base(year: i16) -> Option<Money> {
    let dollars = match year {
        2015 | 2016 => 118_500,
        2017 => 127_200,
        2018 => 128_400,
        2019 => 132_900,
        2020 => 137_700,
        2021 => 142_800,
        2022 => 147_000,
        2023 => 160_200,
        2024 => 168_600,
        2025 => 176_100,
        2026 => 184_500,
        _ => return None,
    };
    Some(Money::from_cents(dollars * 100))
}

/// What an administrator's sign-in can see of a company.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompanyData {
    /// The company.
    pub employer: Employer,
    /// Everybody who works or worked there.
    pub people: Vec<DirectoryEntry>,
}

/// One person in a company's directory. Class S2 and S3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryEntry {
    /// The provider's own id, stable across refreshes; the same as in [`PayrollRow`].
    pub external_id: String,
    /// Who it is.
    pub person: Person,
    /// Digits.
    pub phone: Option<String>,
    /// Job title.
    pub title: Option<String>,
    /// Full-time, part-time, …
    pub job_type: Option<JobType>,
    /// Where in the company.
    pub department: Option<String>,
    /// The manager's name; the head of the company has none.
    pub manager_name: Option<String>,
    /// Whether the job goes on.
    pub is_active: Option<bool>,
    /// First day.
    pub start_date: Option<Date>,
    /// Last day, when the job has ended.
    pub end_date: Option<Date>,
    /// The rate of pay.
    pub pay: Option<Pay>,
}

/// One pay statement in a company's payroll register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayrollRow {
    /// The person's id in the directory.
    pub employee_id: String,
    /// The person's name.
    pub full_name: String,
    /// What was paid.
    pub statement: Statement,
}

/// Something to be changed at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// The person's pay, or a part of it, goes to this account (`deposit_switch`, `pll`).
    Deposit {
        /// Where to, and how much.
        account: AccountDetails,
    },
    /// The company pays its people from this account (`fas`).
    Funding {
        /// The new account, without a share.
        account: AccountDetails,
    },
    /// The two small amounts that arrived on the new funding account, as proof that it is the company's.
    FundingProof {
        /// In the order in which they were given.
        amounts: [Money; 2],
    },
}

/// A change with what it does, worked out before anything is sent. Reading only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What is wanted.
    pub change: Change,
    /// Accounts as they are.
    pub before: Vec<DepositAccount>,
    /// Accounts as they will be.
    pub after: Vec<DepositAccount>,
}

/// What a provider shows of a change that was sent, or perhaps sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeState {
    /// It is there.
    Applied,
    /// The provider surely never got it: sending it is safe.
    Absent,
    /// The provider cannot tell. It must not be sent again.
    Unknown,
}
