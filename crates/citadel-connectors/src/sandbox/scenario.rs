//! Scenarios: people and logins that a client of the sandbox invents for itself, as JSON.
//!
//! This file is the shape, which is also published as a JSON Schema; `read` checks JSON against it, `kept` is
//! one that was found right, and `show` makes of it what a provider would tell on a day. Fields have the names and forms that reports have (schemas 2). A field that is left
//! out, or `null`, is one that the provider does not give: nothing is made up in its place.

mod amount;
mod changes;
mod kept;
mod lines;
mod read;
mod show;

use citadel_domain::{Fault, Secret};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::plan::Wage;

pub use amount::{Amount, Number};
pub use kept::Kept;
pub use lines::line_of;
pub use read::{Problem, read};
pub(super) use show::{accounts, deep, first_part, job_id};

/// The longest wait of a sign-in, in seconds.
pub const MAX_DELAY: u32 = 100;

/// A login of the sandbox and what is behind it: 64 KB of JSON at most. Its days are of the years 1900 to 2199.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// `payroll`, the one there is.
    #[schema(examples("payroll"))]
    #[serde(default)]
    #[schema(required)]
    pub data_source: String,
    /// What to call it: 1 to 100 characters, one of its kind in your sandbox.
    #[serde(default)]
    #[schema(required)]
    pub label: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The products that it serves; every one when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub products: Option<Vec<String>>,
    /// What is typed to sign in: 1 to 100 characters. `goodlogin`, `error.user` and the other logins of the sandbox are taken. 20
    /// scenarios can have the same one.
    #[serde(default)]
    #[schema(required)]
    pub username: String,
    /// The password that is right.
    #[schema(value_type = String)]
    pub password: Secret,
    /// The one provider at which the login works; all of them when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// The domain of the employer for whom it is meant. For your own lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company_domain: Option<String>,
    /// Who signs in.
    #[serde(default)]
    pub payload: Payload,
    /// How the sign-in ends: a final task status. `done` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(examples("done"))]
    pub status: Option<String>,
    /// What the consumer reads at the end, where the status is `config_error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// How long the provider takes, in seconds, 100 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<u32>,
    /// The second factor, if one is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<Mfa>,
    /// What goes wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub faults: Vec<Fault>,
    /// What becomes different on a day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

impl Scenario {
    /// Whether a sign-in could meet either of the two.
    pub fn is_met_with(&self, other: &Self) -> bool {
        let both = |one: &Option<String>, two: &Option<String>| one.is_none() || two.is_none() || one == two;
        let products = |scenario: &Self| scenario.products.clone().filter(|products| !products.is_empty());
        let is_shared = match (products(self), products(other)) {
            (Some(one), Some(two)) => one.iter().any(|product| two.contains(product)),
            _ => true,
        };
        self.username == other.username
            && self.password.expose() == other.password.expose()
            && both(&self.provider_id, &other.provider_id)
            && is_shared
    }
}

/// Something that becomes different on a day.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScenarioChange)]
pub struct Change {
    /// From this day on.
    #[schema(value_type = String, format = Date)]
    pub date: Date,
    /// Fields of the object that the change stands in, with their new values; `null` takes one away. Objects are merged, lists
    /// are replaced (RFC 7386).
    #[schema(value_type = Object)]
    pub set: serde_json::Map<String, serde_json::Value>,
}

/// A second factor.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScenarioMfa)]
pub struct Mfa {
    /// What is asked.
    pub kind: MfaKind,
    /// The right answer; `12345` for a code and `rex` for a question when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub answer: Option<Secret>,
    /// The question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// Kinds of second factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ScenarioMfaKind)]
pub enum MfaKind {
    /// A code.
    Code,
    /// A question.
    Question,
    /// A choice of where the code goes, then the code.
    Choice,
    /// An approval on the phone, which comes by itself.
    Push,
    /// An approval on the phone, which is denied.
    PushDenied,
}

/// Who signs in, as the provider knows them.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ScenarioPayload)]
pub struct Payload {
    /// The person's jobs. None: the sign-in works and finds no data.
    pub employments: Vec<Job>,
}

/// One job.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ScenarioEmployment)]
pub struct Job {
    /// The provider's own id; by its place in the list when left out. A list that a change brings goes on with the pay of the jobs
    /// whose ids were there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Job title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    /// `F` full-time, `P` part-time, `S` seasonal, `D` per diem.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[FPSD]$")]
    pub job_type: Option<String>,
    /// First day. A job that has not begun is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub start_date: Option<Date>,
    /// Last day. Shown once it has passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub end_date: Option<Date>,
    /// First day ever, before any break.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub original_hire_date: Option<Date>,
    /// When the provider's own record last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub external_last_updated: Option<Date>,
    /// Whether the job goes on. An end that has passed wins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// The manager's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager_name: Option<String>,
    /// The person.
    pub profile: Profile,
    /// The employer. Without a name it is the one that the consumer picked.
    pub company: Company,
    /// The rate of pay, without commission and bonus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub income: Option<Amount>,
    /// `YEARLY`, `MONTHLY`, `WEEKLY`, `DAILY` or `HOURLY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^(YEARLY|MONTHLY|WEEKLY|DAILY|HOURLY)$")]
    pub income_unit: Option<String>,
    /// Usual pay per cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pay_rate: Option<Amount>,
    /// `W`, `BW`, `SM` or `M`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^(W|BW|SM|M)$")]
    pub pay_frequency: Option<String>,
    /// Statements that the sandbox writes by itself, from the job's first day on. For 20 jobs at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generate: Option<Generate>,
    /// Statements as they are, beside those that are generated. One with a later pay day is shown when that has come.
    pub statements: Vec<Stub>,
    /// Where net pay goes.
    pub bank_accounts: Vec<Account>,
    /// Yearly wage and tax statements, beside those that are generated, and in their place for the same year.
    pub w2s: Vec<TaxForm>,
    /// What becomes different on a day.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// What the job paid from which day on, for statements of that time.
    #[serde(skip)]
    #[schema(ignore)]
    wages: Vec<(Date, Wage)>,
}

/// A person.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ScenarioProfile)]
pub struct Profile {
    /// Given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Middle initials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_initials: Option<String>,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Nine digits. Invent one that is never issued: 9 in front.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub ssn: Option<Secret>,
    /// Birth date.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub date_of_birth: Option<Date>,
    /// Where the person lives. Its state decides about the state's income tax on generated statements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_address: Option<Address>,
}

/// A US postal address.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ScenarioAddress)]
pub struct Address {
    /// House number and street.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// City.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Two-letter state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zip: Option<String>,
    /// Two-letter country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// An employer.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ScenarioCompany)]
pub struct Company {
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// `NN-NNNNNNN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ein: Option<String>,
}

/// How statements are written. Needs the job's `start_date`, `income`, `income_unit` and `pay_frequency`. A change of the income,
/// of its unit or of the weekly hours counts from its day on; after any other change it is as if it had always been so.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ScenarioGenerate)]
pub struct Generate {
    /// Usual hours a week, for hourly pay; 40 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours_per_week: Option<Number>,
    /// Once a year.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bonus: Option<YearlyBonus>,
    /// Whether there is a commission that differs from statement to statement.
    pub commission: bool,
    /// What is taken for insurance and retirement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benefits: Option<Plans>,
    /// More that is earned: tips, a differential, an allowance.
    pub earnings: Vec<ExtraLine>,
    /// More that is taken: a garnishment, union dues.
    pub deductions: Vec<ExtraLine>,
    /// State and local income taxes, as shares of taxable pay. In place of the tax of the state of the person's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taxes: Option<Vec<TaxLine>>,
    /// Fields that the provider leaves out of every statement, such as `hours` or `gross_pay_ytd`.
    pub omit: Vec<String>,
    /// At most so many statements, the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<u32>,
    /// Whether statements come in no order.
    pub shuffled: bool,
    /// Whether there are no W-2s.
    pub no_w2s: bool,
}

/// A bonus that is paid with the first statement of a month.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScenarioBonus)]
pub struct YearlyBonus {
    /// 1 to 12.
    pub month: i8,
    /// Percent of a year's pay.
    pub percent: Number,
}

/// Insurance and retirement.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ScenarioBenefits)]
pub struct Plans {
    /// Health insurance, dollars a year, before tax.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_per_year: Option<Amount>,
    /// 401(k), percent of gross, before income tax.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retirement_percent: Option<Number>,
    /// Life insurance, dollars a statement, after tax.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub life_per_statement: Option<Amount>,
}

/// One more line on generated statements: an amount, or a percent of what is earned.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScenarioExtraLine)]
pub struct ExtraLine {
    /// As printed.
    pub name: String,
    /// As in reports; `other` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Dollars a statement. Below zero takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Percent of regular pay for an earning, of gross pay for a deduction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<Number>,
    /// For a deduction: before tax.
    #[serde(default)]
    pub pretax: bool,
    /// The first pay day with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub from: Option<Date>,
    /// The last pay day with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub until: Option<Date>,
}

/// One state or local income tax.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScenarioTaxLine)]
pub struct TaxLine {
    /// As printed.
    pub name: String,
    /// Percent of taxable pay.
    pub percent: Number,
}

/// A statement.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ScenarioStatement)]
pub struct Stub {
    /// The provider's own id; by its place in the list when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The provider's number for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_number: Option<String>,
    /// Pay day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub pay_date: Option<Date>,
    /// The first day that it pays for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub period_start: Option<Date>,
    /// The last day that it pays for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub period_end: Option<Date>,
    /// What is paid out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_pay: Option<Amount>,
    /// The same since 1 January.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_pay_ytd: Option<Amount>,
    /// Before taxes and deductions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gross_pay: Option<Amount>,
    /// The same since 1 January.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gross_pay_ytd: Option<Amount>,
    /// Hours paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<Number>,
    /// `S` salary, `H` hourly, `D` daily, `W` weekly, `M` monthly.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[SHDWM]$")]
    pub basis_of_pay: Option<String>,
    /// What was earned.
    pub earnings: Vec<EarnedLine>,
    /// What was taken, taxes included.
    pub deductions: Vec<TakenLine>,
}

/// A line of earnings.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ScenarioEarning)]
pub struct EarnedLine {
    /// As printed.
    pub name: String,
    /// `regular`, `overtime`, `bonus`, `commission` or `other`, which it is when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^(regular|overtime|bonus|commission|other)$")]
    pub category: Option<String>,
    /// This statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Since 1 January.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ytd: Option<Amount>,
    /// Dollars per unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Number>,
    /// Hours or other units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub units: Option<Number>,
}

/// A line of taxes and deductions.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ScenarioDeduction)]
pub struct TakenLine {
    /// As printed.
    pub name: String,
    /// `federal`, `state`, `socialsec`, `medicare`, `retirement`, `health` or `other`, which it is when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^(federal|state|socialsec|medicare|retirement|health|other)$")]
    pub category: Option<String>,
    /// This statement; below zero gives back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Since 1 January.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ytd: Option<Amount>,
    /// Taken before federal income tax.
    pub pretax: bool,
}

/// An account for net pay.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScenarioBankAccount)]
pub struct Account {
    /// Digits.
    #[schema(value_type = String)]
    pub account_number: Secret,
    /// Digits.
    #[schema(value_type = String)]
    pub routing_number: Secret,
    /// The person's own name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// The bank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_name: Option<String>,
    /// `C` checking, `S` savings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[CS]$")]
    pub account_type: Option<String>,
    /// `E` entire, `P` percent, `A` amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[EPA]$")]
    pub deposit_type: Option<String>,
    /// Dollars or percent, by `deposit_type`: 0 to 100 percent, and dollars as in other amounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit_value: Option<Number>,
}

/// A yearly wage and tax statement.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScenarioW2)]
pub struct TaxForm {
    /// Tax year. Shown from 1 January of the next year on.
    pub year: i16,
    /// Box 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wages: Option<Amount>,
    /// Box 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federal_tax: Option<Amount>,
    /// Box 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub social_security_wages: Option<Amount>,
    /// Box 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub social_security_tax: Option<Amount>,
    /// Box 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medicare_wages: Option<Amount>,
    /// Box 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medicare_tax: Option<Amount>,
}
