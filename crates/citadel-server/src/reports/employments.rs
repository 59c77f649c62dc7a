//! From the normalised payroll model to the wire shapes of schemas 1 and 2.

use std::collections::BTreeMap;

use citadel_api_types::{
    Redacted,
    payroll::{
        Address, Company, Employment as EmploymentView, IncomeEmployment, PayrollBankAccount, Profile,
    },
    statements::{AnnualIncome, Deduction, Earning, Statement as StatementView, W2 as W2View},
};
use citadel_domain::{
    Money, ObjectId,
    account::{AccountType, DepositType},
    payroll::{
        self, DeductionKind, DepositAccount, EarningKind, EarningLine, Employment, JobType, PayFrequency,
        PayUnit, Statement, W2,
    },
};
use jiff::{Timestamp, civil::Date};

use super::{ObjectIds, file_urls, time};

/// A job without pay.
pub(super) fn employment(ids: &ObjectIds<'_>, employment: &Employment, now: Timestamp) -> EmploymentView {
    let person = &employment.person;
    let mut missing = Missing::default();
    EmploymentView {
        id: ids.id(&["employment", &employment.external_id]).to_string(),
        job_title: missing.note("job_title", employment.title.clone()),
        job_type: missing.note("job_type", employment.job_type.map(|kind| job_type(kind).to_owned())),
        start_date: missing.note("start_date", employment.start_date.map(date)),
        // A job that goes on has no end; only an ended one can miss it.
        end_date: if employment.is_active == Some(false) {
            missing.note("end_date", employment.end_date.map(date))
        } else {
            employment.end_date.map(date)
        },
        original_hire_date: missing.note("original_hire_date", employment.original_hire_date.map(date)),
        external_last_updated: missing
            .note("external_last_updated", employment.external_last_updated.map(date)),
        is_active: missing.note("is_active", employment.is_active),
        dates_from_statements: false,
        derived_fields: full_name(person).map(|_| "profile.full_name".to_owned()).into_iter().collect(),
        manager_name: missing.note("manager_name", employment.manager_name.clone()),
        employed_in_role: None,
        profile: Profile {
            id: Some(ids.id(&["profile", &employment.external_id]).to_string()),
            created_at: Some(time(now)),
            updated_at: Some(time(now)),
            first_name: missing.note("profile.first_name", given(&person.first_name)),
            last_name: missing.note("profile.last_name", given(&person.last_name)),
            full_name: full_name(person),
            middle_initials: missing.note("profile.middle_initials", person.middle_initials.clone()),
            email: missing.note("profile.email", person.email.clone()),
            ssn: missing.note("profile.ssn", person.ssn.as_ref().map(|ssn| Redacted::from(ssn.expose()))),
            date_of_birth: missing.note("profile.date_of_birth", person.date_of_birth.map(date)),
            home_address: missing.address("profile.home_address", person.home_address.as_ref()),
        },
        company: Company {
            name: missing.note("company.name", given(&employment.employer.name)),
            address: missing.address("company.address", employment.employer.address.as_ref()),
            phone: missing.note("company.phone", employment.employer.phone.clone()),
            ein: missing.note("company.ein", employment.employer.ein.clone()),
        },
        missing_data_fields: missing.0,
    }
}

/// A job with pay.
pub(super) fn income_employment(ids: &ObjectIds<'_>, job: &Employment, now: Timestamp) -> IncomeEmployment {
    let mut view = employment(ids, job, now);
    let mut missing = Missing(std::mem::take(&mut view.missing_data_fields));
    let pay = job.pay;
    let income = IncomeEmployment {
        income: missing.note("income", pay.and_then(|pay| pay.rate).map(|rate| rate.to_string())),
        income_unit: missing
            .note("income_unit", pay.and_then(|pay| pay.unit).map(|unit| income_unit(unit).to_owned())),
        pay_rate: missing
            .note("pay_rate", pay.and_then(|pay| pay.per_cycle).map(|amount| amount.to_string())),
        pay_frequency: missing.note(
            "pay_frequency",
            pay.and_then(|pay| pay.frequency).map(|each| pay_frequency(each).to_owned()),
        ),
        statements: job.statements.iter().map(|each| statement(ids, job, each)).collect(),
        annual_income_summary: annual_income(ids, job),
        bank_accounts: job.deposit_accounts.iter().map(bank_account).collect(),
        w2s: job.w2s.iter().map(|w2| w2_view(ids, job, w2)).collect(),
        employment: EmploymentView::default(),
    };
    missing.list("statements", &income.statements);
    missing.list("bank_accounts", &income.bank_accounts);
    missing.list("w2s", &income.w2s);
    view.missing_data_fields = missing.0;
    if !income.annual_income_summary.is_empty() {
        view.derived_fields.push("annual_income_summary".to_owned());
    }
    IncomeEmployment { employment: view, ..income }
}

fn statement(ids: &ObjectIds<'_>, job: &Employment, statement: &Statement) -> StatementView {
    statement_of(statement_id(ids, job, statement), statement)
}

/// A statement under its id. Its document is drawn under the same one.
pub(super) fn statement_of(id: ObjectId, statement: &Statement) -> StatementView {
    let mut missing = Missing::default();
    let sum = |kind: EarningKind| {
        let lines: Vec<_> = statement.earnings.iter().filter(|line| line.kind == kind).collect();
        let amount = lines.iter().map(|line| line.amount).sum::<Option<Money>>();
        let ytd = lines.iter().map(|line| line.ytd).sum::<Option<Money>>();
        let text = |sum: Option<Money>| sum.filter(|_| !lines.is_empty()).map(|sum| sum.to_string());
        (text(amount), text(ytd))
    };
    let (regular, regular_ytd) = sum(EarningKind::Regular);
    let (overtime, overtime_ytd) = sum(EarningKind::Overtime);
    let (bonus, bonus_ytd) = sum(EarningKind::Bonus);
    let (commission, commission_ytd) = sum(EarningKind::Commission);
    let (other_pay, other_pay_ytd) = sum(EarningKind::Other);
    let taken = || statement.taxes.iter().chain(&statement.deductions);
    let sums = [
        &regular,
        &regular_ytd,
        &overtime,
        &overtime_ytd,
        &bonus,
        &bonus_ytd,
        &commission,
        &commission_ytd,
        &other_pay,
        &other_pay_ytd,
    ];
    let derived_fields =
        SUMS.iter().zip(sums).filter(|(_, sum)| sum.is_some()).map(|(name, _)| (*name).to_owned()).collect();
    let view = StatementView {
        id: id.to_string(),
        check_number: missing.note("check_number", statement.check_number.clone()),
        pay_date: missing.note("pay_date", statement.pay_date.map(date)),
        period_start: missing.note("period_start", statement.period_start.map(date)),
        period_end: missing.note("period_end", statement.period_end.map(date)),
        net_pay: missing.note("net_pay", statement.net.map(|amount| amount.to_string())),
        net_pay_ytd: missing.note("net_pay_ytd", statement.net_ytd.map(|amount| amount.to_string())),
        gross_pay: missing.note("gross_pay", statement.gross.map(|amount| amount.to_string())),
        gross_pay_ytd: missing.note("gross_pay_ytd", statement.gross_ytd.map(|amount| amount.to_string())),
        regular,
        regular_ytd,
        overtime,
        overtime_ytd,
        bonus,
        bonus_ytd,
        commission,
        commission_ytd,
        other_pay,
        other_pay_ytd,
        hours: missing.note("hours", statement.hours.map(|hours| hours.to_string())),
        basis_of_pay: missing.note("basis_of_pay", statement.basis.map(|unit| basis_of_pay(unit).to_owned())),
        earnings: statement.earnings.iter().map(|line| earning(line, line.amount)).collect(),
        earnings_ytd: statement
            .earnings
            .iter()
            .filter_map(|line| {
                line.ytd.map(|ytd| Earning { rate: None, units: None, ..earning(line, Some(ytd)) })
            })
            .collect(),
        deductions: taken().map(|line| deduction(line, line.amount)).collect(),
        deductions_ytd: taken().filter_map(|line| line.ytd.map(|ytd| deduction(line, Some(ytd)))).collect(),
        file: Some(file_urls::mark(id)),
        // Documents are drawn when they are asked for, so there are no bytes yet to take a sum of.
        md5sum: missing.note("md5sum", None),
        derived_fields,
        missing_data_fields: Vec::new(),
    };
    missing.list("earnings", &view.earnings);
    missing.list("earnings_ytd", &view.earnings_ytd);
    missing.list("deductions", &view.deductions);
    missing.list("deductions_ytd", &view.deductions_ytd);
    StatementView { missing_data_fields: missing.0, ..view }
}

/// The fields of a statement that are sums of its lines.
pub(super) const SUMS: [&str; 10] = [
    "regular",
    "regular_ytd",
    "overtime",
    "overtime_ytd",
    "bonus",
    "bonus_ytd",
    "commission",
    "commission_ytd",
    "other_pay",
    "other_pay_ytd",
];

/// The id of a statement.
pub(crate) fn statement_id(ids: &ObjectIds<'_>, job: &Employment, statement: &Statement) -> ObjectId {
    ids.id(&["statement", &job.external_id, &statement.external_id])
}

/// The id of a W-2.
pub(crate) fn w2_id(ids: &ObjectIds<'_>, job: &Employment, w2: &W2) -> ObjectId {
    ids.id(&["w2", &job.external_id, &w2.year.to_string()])
}

/// Sums of the statements of each calendar year. The newest statement of a year knows the year's totals even where
/// older statements are out of reach.
fn annual_income(ids: &ObjectIds<'_>, job: &Employment) -> Vec<AnnualIncome> {
    let mut newest: BTreeMap<i16, &Statement> = BTreeMap::new();
    for statement in &job.statements {
        // Without a pay day nobody can say of which year it is.
        let Some(pay_date) = statement.pay_date else { continue };
        let year = newest.entry(pay_date.year()).or_insert(statement);
        if statement.pay_date > year.pay_date {
            *year = statement;
        }
    }
    newest
        .into_iter()
        .rev()
        .map(|(year, last)| {
            let of_kind = |kind: EarningKind| year_total(job, year, kind);
            AnnualIncome {
                id: ids.id(&["annual_income", &job.external_id, &year.to_string()]).to_string(),
                year: i64::from(year),
                net_pay: last.net_ytd.map(|amount| amount.to_string()),
                gross_pay: last.gross_ytd.map(|amount| amount.to_string()),
                regular: of_kind(EarningKind::Regular),
                overtime: of_kind(EarningKind::Overtime),
                bonus: of_kind(EarningKind::Bonus),
                commission: of_kind(EarningKind::Commission),
                other_pay: of_kind(EarningKind::Other),
            }
        })
        .collect()
}

/// The year-to-date figure of a kind of earning: the greatest that any statement of the year shows.
fn year_total(job: &Employment, year: i16, kind: EarningKind) -> Option<String> {
    let of_year =
        job.statements.iter().filter(|statement| statement.pay_date.is_some_and(|day| day.year() == year));
    let totals = of_year.filter_map(|statement| {
        let mut lines = statement.earnings.iter().filter(|line| line.kind == kind).peekable();
        lines.peek()?;
        lines.map(|line| line.ytd).sum::<Option<Money>>()
    });
    totals.max().map(|total| total.to_string())
}

fn w2_view(ids: &ObjectIds<'_>, job: &Employment, w2: &W2) -> W2View {
    W2View {
        year: i64::from(w2.year),
        file: Some(file_urls::mark(w2_id(ids, job, w2))),
        md5sum: None,
        wages: w2.wages.map(|amount| amount.to_string()),
        federal_tax: w2.federal_tax.map(|amount| amount.to_string()),
        social_security_wages: w2.social_security_wages.map(|amount| amount.to_string()),
        social_security_tax: w2.social_security_tax.map(|amount| amount.to_string()),
        medicare_wages: w2.medicare_wages.map(|amount| amount.to_string()),
        medicare_tax: w2.medicare_tax.map(|amount| amount.to_string()),
    }
}

fn bank_account(account: &DepositAccount) -> PayrollBankAccount {
    PayrollBankAccount {
        account_number: Some(Redacted::from(account.account_number.expose())),
        routing_number: Some(account.routing_number.expose().to_owned()),
        account_name: account.account_name.clone(),
        bank_name: account.bank_name.clone(),
        account_type: account.account_type.map(|kind| {
            match kind {
                AccountType::Checking => "C",
                AccountType::Savings => "S",
            }
            .to_owned()
        }),
        deposit_type: account.deposit_type.map(|kind| {
            match kind {
                DepositType::Entire => "E",
                DepositType::Percent => "P",
                DepositType::Amount => "A",
            }
            .to_owned()
        }),
        deposit_value: account.deposit_value.map(|value| value.to_string()),
    }
}

fn earning(line: &EarningLine, amount: Option<Money>) -> Earning {
    Earning {
        name: line.label.clone(),
        amount: amount.map(|amount| amount.to_string()),
        category: earning_word(line.kind).to_owned(),
        rate: line.rate.map(|rate| rate.to_string()),
        units: line.units.map(|units| units.to_string()),
    }
}

fn deduction(line: &payroll::DeductionLine, amount: Option<Money>) -> Deduction {
    Deduction {
        name: line.label.clone(),
        amount: amount.map(|amount| amount.to_string()),
        category: deduction_word(line.kind).to_owned(),
    }
}

/// The category of an earning.
pub(crate) const fn earning_word(kind: EarningKind) -> &'static str {
    match kind {
        EarningKind::Regular => "regular",
        EarningKind::Overtime => "overtime",
        EarningKind::Bonus => "bonus",
        EarningKind::Commission => "commission",
        EarningKind::Other => "other",
    }
}

/// The category of a tax or deduction.
pub(crate) const fn deduction_word(kind: DeductionKind) -> &'static str {
    match kind {
        DeductionKind::Federal => "federal",
        DeductionKind::State => "state",
        DeductionKind::SocialSecurity => "socialsec",
        DeductionKind::Medicare => "medicare",
        DeductionKind::Retirement => "retirement",
        DeductionKind::Health => "health",
        DeductionKind::Other => "other",
    }
}

pub(super) fn address(address: &payroll::Address) -> Address {
    Address {
        street: given(&address.street),
        city: given(&address.city),
        state: given(&address.state),
        zip: given(&address.zip),
        country: given(&address.country),
    }
}

/// What is known of a name.
pub(super) fn full_name(person: &payroll::Person) -> Option<String> {
    let parts = [Some(&person.first_name), person.middle_initials.as_ref(), Some(&person.last_name)];
    let known: Vec<_> = parts.into_iter().flatten().filter(|part| !part.is_empty()).cloned().collect();
    (!known.is_empty()).then(|| known.join(" "))
}

/// A text that is empty was not given.
pub(super) fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

pub(super) fn date(date: Date) -> String {
    date.to_string()
}

pub(super) const fn job_type(kind: JobType) -> &'static str {
    match kind {
        JobType::FullTime => "F",
        JobType::PartTime => "P",
        JobType::Seasonal => "S",
        JobType::PerDiem => "D",
    }
}

pub(super) const fn income_unit(unit: PayUnit) -> &'static str {
    match unit {
        PayUnit::Yearly => "YEARLY",
        PayUnit::Monthly => "MONTHLY",
        PayUnit::Weekly => "WEEKLY",
        PayUnit::Daily => "DAILY",
        PayUnit::Hourly => "HOURLY",
    }
}

pub(super) const fn pay_frequency(frequency: PayFrequency) -> &'static str {
    match frequency {
        PayFrequency::Weekly => "W",
        PayFrequency::BiWeekly => "BW",
        PayFrequency::SemiMonthly => "SM",
        PayFrequency::Monthly => "M",
    }
}

const fn basis_of_pay(unit: PayUnit) -> &'static str {
    match unit {
        PayUnit::Yearly => "S",
        PayUnit::Monthly => "M",
        PayUnit::Weekly => "W",
        PayUnit::Daily => "D",
        PayUnit::Hourly => "H",
    }
}

/// The names of the fields that the provider did not give; what is missing inside an entry of a list is told by provenance
/// alone.
#[derive(Default)]
struct Missing(Vec<String>);

impl Missing {
    fn note<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.0.push(field.to_owned());
        }
        value
    }

    fn list<T>(&mut self, field: &str, list: &[T]) {
        self.note(field, list.first());
    }

    /// The address, or each part of it.
    fn address(&mut self, field: &str, given: Option<&payroll::Address>) -> Option<Address> {
        let found = self.note(field, given.map(address))?;
        for (name, part) in [
            ("street", &found.street),
            ("city", &found.city),
            ("state", &found.state),
            ("zip", &found.zip),
            ("country", &found.country),
        ] {
            self.note(&format!("{field}.{name}"), part.as_ref());
        }
        Some(found)
    }
}
