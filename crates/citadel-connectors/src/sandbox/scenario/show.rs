//! What a provider would tell of a scenario's person on a day.

use citadel_domain::{
    Money,
    account::{AccountType, DepositType},
    payroll::{
        self, DeductionKind, DeductionLine, DepositAccount, EarningKind, EarningLine, Employer, Employment,
        JobType, Pay, PayFrequency, PayUnit, PayrollData, Person, Statement, W2,
    },
};
use jiff::civil::Date;
use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::{Account, Address, Amount, ExtraLine, Generate, Job, Scenario, Stub, TaxForm};
use crate::sandbox::{
    calendar::Calendar,
    dice::Dice,
    ledger::{self, Ledger},
    plan::{Benefits, Bonus, Extra, ExtraKind, JobPlan, Raises, Share, Wage},
    words::{self, Place},
};

/// Everything.
pub(in crate::sandbox) fn deep(
    scenario: &Scenario,
    dice: Dice,
    picked: Option<&str>,
    oldest: Date,
    today: Date,
) -> PayrollData {
    let jobs = scenario.payload.employments.iter().enumerate();
    let mut employments: Vec<Employment> = jobs
        .filter(|(_, job)| job.start_date.is_none_or(|start| start <= today))
        .map(|(index, job)| {
            // As jobs are told apart, so that one stays what it is where another place in the list is its own.
            let key = job.id.as_ref().map_or_else(|| index.to_string(), |id| format!("{id:?}"));
            employment(job, dice.fork(&format!("job {key}")), index, picked, (oldest, today))
        })
        .collect();
    // Newest first, and in the order given where nobody knows.
    employments.sort_by_key(|employment| std::cmp::Reverse(employment.start_date));
    PayrollData { employments }
}

/// Identity, employment and the first statement listed.
pub(in crate::sandbox) fn first_part(mut data: PayrollData) -> PayrollData {
    for employment in &mut data.employments {
        employment.statements.truncate(1);
        employment.w2s.clear();
        employment.deposit_accounts.clear();
    }
    data
}

/// Where the pay of the first job goes, before anything was changed.
pub(in crate::sandbox) fn accounts(scenario: &Scenario) -> Vec<DepositAccount> {
    let first = scenario.payload.employments.first();
    first.map(|job| job.bank_accounts.iter().map(account).collect()).unwrap_or_default()
}

fn employment(
    job: &Job,
    dice: Dice,
    index: usize,
    picked: Option<&str>,
    (oldest, today): (Date, Date),
) -> Employment {
    let ended = job.end_date.filter(|end| *end < today);
    let employer = employer(job, picked);
    let Ledger { mut statements, mut w2s } = match &job.generate {
        Some(generate) => written(job, generate, dice, &employer, oldest, today),
        None => Ledger::default(),
    };
    let id = job_id(job.id.as_deref(), index);
    let listed = job.statements.iter().enumerate().map(|(index, stub)| statement(stub, index));
    statements.extend(listed.filter(|statement| statement.pay_date.is_none_or(|day| day <= today)));
    let is_shuffled = job.generate.as_ref().is_some_and(|generate| generate.shuffled);
    if is_shuffled {
        statements.sort_by_key(|statement| dice.fork(&statement.external_id).number("place", 0));
    } else if job.generate.is_some() {
        // Beside generated ones, those that are listed take their place by pay day; by themselves they stay as they are.
        statements.sort_by_key(|statement| std::cmp::Reverse(statement.pay_date));
    }
    // There is one for each year, and the one that is listed is meant.
    w2s.retain(|written| job.w2s.iter().all(|form| form.year != written.year));
    w2s.extend(job.w2s.iter().filter(|form| form.year < today.year()).map(w2));
    w2s.sort_by_key(|form| std::cmp::Reverse(form.year));
    Employment {
        external_id: id,
        person: person(job),
        employer,
        title: job.job_title.clone(),
        job_type: job.job_type.as_deref().and_then(job_type),
        start_date: job.start_date,
        original_hire_date: job.original_hire_date,
        end_date: ended,
        is_active: job.is_active.map(|is_active| is_active && ended.is_none()),
        manager_name: job.manager_name.clone(),
        external_last_updated: job.external_last_updated,
        pay: pay(job),
        statements,
        deposit_accounts: job.bank_accounts.iter().map(account).collect(),
        w2s,
    }
}

/// The id of a job: its own, or by its place in the list.
pub(in crate::sandbox) fn job_id(own: Option<&str>, index: usize) -> String {
    own.map_or_else(|| format!("job-{index}"), str::to_owned)
}

/// The id of a listed statement that has none, by its place in the list.
pub(super) fn statement_id(index: usize) -> String {
    format!("stub-{index}")
}

fn person(job: &Job) -> Person {
    let profile = &job.profile;
    Person {
        first_name: profile.first_name.clone().unwrap_or_default(),
        middle_initials: profile.middle_initials.clone(),
        last_name: profile.last_name.clone().unwrap_or_default(),
        email: profile.email.clone(),
        ssn: profile.ssn.clone(),
        date_of_birth: profile.date_of_birth,
        home_address: profile.home_address.as_ref().map(address),
    }
}

fn employer(job: &Job, picked: Option<&str>) -> Employer {
    let company = &job.company;
    Employer {
        name: company.name.clone().or_else(|| picked.map(str::to_owned)).unwrap_or_default(),
        ein: company.ein.clone(),
        address: company.address.as_ref().map(address),
        phone: company.phone.clone(),
    }
}

fn address(address: &Address) -> payroll::Address {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    payroll::Address {
        street: text(&address.street),
        city: text(&address.city),
        state: text(&address.state),
        zip: text(&address.zip),
        country: text(&address.country),
    }
}

fn pay(job: &Job) -> Option<Pay> {
    let pay = Pay {
        rate: job.income.map(money),
        unit: job.income_unit.as_deref().and_then(pay_unit),
        frequency: job.pay_frequency.as_deref().and_then(pay_frequency),
        per_cycle: job.pay_rate.map(money),
    };
    (pay != Pay::default()).then_some(pay)
}

fn money(amount: Amount) -> Money {
    amount.0
}

fn cents(amount: Option<Amount>) -> i64 {
    amount.map_or(0, |amount| amount.0.cents())
}

fn basis_points(percent: Decimal) -> i64 {
    (percent * Decimal::ONE_HUNDRED).round().to_i64().unwrap_or(0)
}

/// The statements and W-2s of a job whose pay is generated.
fn written(
    job: &Job,
    generate: &Generate,
    dice: Dice,
    employer: &Employer,
    oldest: Date,
    today: Date,
) -> Ledger {
    let Some(plan) = terms(job, generate, dice, employer) else { return Ledger::default() };
    let mut ledger = ledger::write(&plan, oldest.year().max(start_year(job)), today);
    ledger.statements.retain(|statement| statement.pay_date >= Some(oldest));
    ledger.statements.reverse();
    if let Some(newest) = generate.newest {
        ledger.statements.truncate(newest as usize);
    }
    for statement in &mut ledger.statements {
        generate.omit.iter().for_each(|field| omit(statement, field));
    }
    if generate.no_w2s {
        ledger.w2s.clear();
    }
    ledger
}

/// No ledger begins before the job.
fn start_year(job: &Job) -> i16 {
    job.start_date.map_or(i16::MIN, Date::year)
}

/// `None` where a figure is missing, which the check of the scenario tells.
fn terms(job: &Job, generate: &Generate, dice: Dice, employer: &Employer) -> Option<JobPlan> {
    let start = job.start_date?;
    Some(JobPlan {
        dice,
        employer: employer.clone(),
        title: "",
        job_type: JobType::FullTime,
        start,
        original_hire: start,
        end: job.end_date,
        manager: String::new(),
        calendar: Calendar {
            frequency: job.pay_frequency.as_deref().and_then(pay_frequency)?,
            odd_weeks: dice.chance("odd weeks", 50),
        },
        wage: wage(job)?,
        raises: Raises::Listed(job.wages.clone()),
        bonus: generate.bonus.map(|bonus| Bonus { month: bonus.month, share: basis_points(bonus.percent.0) }),
        has_commission: generate.commission,
        benefits: generate.benefits.map(|plans| Benefits {
            health: cents(plans.health_per_year),
            retirement: plans.retirement_percent.map_or(0, |percent| basis_points(percent.0)),
            life: cents(plans.life_per_statement),
        }),
        home: home(job, generate),
        extras: extras(generate),
        accounts: Vec::new(),
    })
}

/// What the job pays. `None` where nobody says.
pub(super) fn wage(job: &Job) -> Option<Wage> {
    let cents = job.income?.0.cents();
    Some(match job.income_unit.as_deref().and_then(pay_unit)? {
        PayUnit::Yearly => Wage::Salary(cents),
        PayUnit::Monthly => Wage::Salary(cents * 12),
        PayUnit::Weekly => Wage::Salary(cents * 52),
        PayUnit::Daily => Wage::Salary(cents * 260),
        PayUnit::Hourly => {
            let hours = job.generate.as_ref().and_then(|generate| generate.hours_per_week);
            let hours = hours.map_or(Decimal::from(40), |hours| hours.0);
            Wage::Hourly(cents, (hours * Decimal::from(4)).round().to_i64().unwrap_or(160))
        }
    })
}

/// The place whose income tax is taken; none where the taxes are listed or the state is not known.
fn home(job: &Job, generate: &Generate) -> Place {
    let state = job.profile.home_address.as_ref().and_then(|address| address.state.as_deref());
    let known = words::PLACES.iter().find(|place| Some(place.state) == state);
    let nowhere = Place { tax: 0, ..words::SAN_FRANCISCO };
    known.copied().filter(|_| generate.taxes.is_none()).unwrap_or(nowhere)
}

fn extras(generate: &Generate) -> Vec<Extra> {
    let share = |line: &ExtraLine| match line.percent {
        Some(percent) => Share::BasisPoints(basis_points(percent.0)),
        None => Share::Cents(cents(line.amount)),
    };
    let earned = generate.earnings.iter().map(|line| Extra {
        label: line.name.clone(),
        kind: ExtraKind::Earned(earning(line.category.as_deref())),
        share: share(line),
        from: line.from,
        until: line.until,
    });
    let taken = generate.deductions.iter().map(|line| Extra {
        label: line.name.clone(),
        kind: ExtraKind::Taken { kind: deduction(line.category.as_deref()), pretax: line.pretax },
        share: share(line),
        from: line.from,
        until: line.until,
    });
    let taxes = generate.taxes.iter().flatten().map(|line| Extra {
        label: line.name.clone(),
        kind: ExtraKind::StateTax,
        share: Share::BasisPoints(basis_points(line.percent.0)),
        from: None,
        until: None,
    });
    earned.chain(taken).chain(taxes).collect()
}

/// Fields that can be left out of generated statements.
pub(super) const OMITTABLE: [&str; 13] = [
    "check_number",
    "pay_date",
    "period_start",
    "period_end",
    "net_pay",
    "net_pay_ytd",
    "gross_pay",
    "gross_pay_ytd",
    "hours",
    "basis_of_pay",
    "earnings",
    "deductions",
    "ytd",
];

fn omit(statement: &mut Statement, field: &str) {
    match field {
        "check_number" => statement.check_number = None,
        "pay_date" => statement.pay_date = None,
        "period_start" => statement.period_start = None,
        "period_end" => statement.period_end = None,
        "net_pay" => statement.net = None,
        "net_pay_ytd" => statement.net_ytd = None,
        "gross_pay" => statement.gross = None,
        "gross_pay_ytd" => statement.gross_ytd = None,
        "hours" => statement.hours = None,
        "basis_of_pay" => statement.basis = None,
        "earnings" => statement.earnings.clear(),
        "deductions" => {
            statement.taxes.clear();
            statement.deductions.clear();
        }
        // Every year-to-date figure of every line.
        _ => {
            statement.earnings.iter_mut().for_each(|line| line.ytd = None);
            statement.taxes.iter_mut().chain(&mut statement.deductions).for_each(|line| line.ytd = None);
            (statement.gross_ytd, statement.net_ytd) = (None, None);
        }
    }
}

fn statement(stub: &Stub, index: usize) -> Statement {
    let earned = stub.earnings.iter().map(|line| EarningLine {
        kind: earning(line.category.as_deref()),
        label: line.name.clone(),
        amount: line.amount.map(money),
        ytd: line.ytd.map(money),
        rate: line.rate.map(|rate| rate.0),
        units: line.units.map(|units| units.0),
    });
    let taken = stub.deductions.iter().map(|line| DeductionLine {
        kind: deduction(line.category.as_deref()),
        label: line.name.clone(),
        amount: line.amount.map(money),
        ytd: line.ytd.map(money),
        pretax: line.pretax,
    });
    let (taxes, deductions) = taken.partition(|line: &DeductionLine| is_tax(line.kind));
    Statement {
        external_id: stub.id.clone().unwrap_or_else(|| statement_id(index)),
        check_number: stub.check_number.clone(),
        pay_date: stub.pay_date,
        period_start: stub.period_start,
        period_end: stub.period_end,
        basis: stub.basis_of_pay.as_deref().and_then(basis),
        hours: stub.hours.map(|hours| hours.0),
        gross: stub.gross_pay.map(money),
        gross_ytd: stub.gross_pay_ytd.map(money),
        net: stub.net_pay.map(money),
        net_ytd: stub.net_pay_ytd.map(money),
        earnings: earned.collect(),
        taxes,
        deductions,
    }
}

const fn is_tax(kind: DeductionKind) -> bool {
    use DeductionKind::{Federal, Medicare, SocialSecurity, State};
    matches!(kind, Federal | State | SocialSecurity | Medicare)
}

fn account(account: &Account) -> DepositAccount {
    DepositAccount {
        account_number: account.account_number.clone(),
        routing_number: account.routing_number.clone(),
        account_name: account.account_name.clone(),
        bank_name: account.bank_name.clone(),
        account_type: account.account_type.as_deref().and_then(account_type),
        deposit_type: account.deposit_type.as_deref().and_then(deposit_type),
        deposit_value: account.deposit_value.map(|value| value.0),
    }
}

fn w2(form: &TaxForm) -> W2 {
    W2 {
        year: form.year,
        wages: form.wages.map(money),
        federal_tax: form.federal_tax.map(money),
        social_security_wages: form.social_security_wages.map(money),
        social_security_tax: form.social_security_tax.map(money),
        medicare_wages: form.medicare_wages.map(money),
        medicare_tax: form.medicare_tax.map(money),
    }
}

fn earning(category: Option<&str>) -> EarningKind {
    category.and_then(earning_kind).unwrap_or(EarningKind::Other)
}

fn deduction(category: Option<&str>) -> DeductionKind {
    category.and_then(deduction_kind).unwrap_or(DeductionKind::Other)
}

pub(super) fn earning_kind(word: &str) -> Option<EarningKind> {
    Some(match word {
        "regular" => EarningKind::Regular,
        "overtime" => EarningKind::Overtime,
        "bonus" => EarningKind::Bonus,
        "commission" => EarningKind::Commission,
        "other" => EarningKind::Other,
        _ => return None,
    })
}

pub(super) fn deduction_kind(word: &str) -> Option<DeductionKind> {
    Some(match word {
        "federal" => DeductionKind::Federal,
        "state" => DeductionKind::State,
        "socialsec" => DeductionKind::SocialSecurity,
        "medicare" => DeductionKind::Medicare,
        "retirement" => DeductionKind::Retirement,
        "health" => DeductionKind::Health,
        "other" => DeductionKind::Other,
        _ => return None,
    })
}

pub(super) fn job_type(word: &str) -> Option<JobType> {
    Some(match word {
        "F" => JobType::FullTime,
        "P" => JobType::PartTime,
        "S" => JobType::Seasonal,
        "D" => JobType::PerDiem,
        _ => return None,
    })
}

pub(super) fn pay_unit(word: &str) -> Option<PayUnit> {
    Some(match word {
        "YEARLY" => PayUnit::Yearly,
        "MONTHLY" => PayUnit::Monthly,
        "WEEKLY" => PayUnit::Weekly,
        "DAILY" => PayUnit::Daily,
        "HOURLY" => PayUnit::Hourly,
        _ => return None,
    })
}

pub(super) fn pay_frequency(word: &str) -> Option<PayFrequency> {
    Some(match word {
        "W" => PayFrequency::Weekly,
        "BW" => PayFrequency::BiWeekly,
        "SM" => PayFrequency::SemiMonthly,
        "M" => PayFrequency::Monthly,
        _ => return None,
    })
}

pub(super) fn basis(word: &str) -> Option<PayUnit> {
    Some(match word {
        "S" => PayUnit::Yearly,
        "M" => PayUnit::Monthly,
        "W" => PayUnit::Weekly,
        "D" => PayUnit::Daily,
        "H" => PayUnit::Hourly,
        _ => return None,
    })
}

pub(super) fn account_type(word: &str) -> Option<AccountType> {
    Some(match word {
        "C" => AccountType::Checking,
        "S" => AccountType::Savings,
        _ => return None,
    })
}

pub(super) fn deposit_type(word: &str) -> Option<DepositType> {
    Some(match word {
        "E" => DepositType::Entire,
        "P" => DepositType::Percent,
        "A" => DepositType::Amount,
        _ => return None,
    })
}
