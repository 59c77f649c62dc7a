//! What is settled about an invented person before any cheque is written: who they are, where they work and on what
//! terms. A plan depends on the person's key alone, never on the present day, so the past stays as it was.

use citadel_domain::{
    Money, Secret,
    account::{AccountType, DepositType},
    payroll::{
        Address, DeductionKind, DepositAccount, EarningKind, Employer, JobType, Pay, PayFrequency, PayUnit,
        Person,
    },
};
use jiff::{ToSpan, civil::Date, civil::date};
use rust_decimal::Decimal;

use super::{
    calendar::{Calendar, weekdays},
    dice::{Dice, World},
    tax::divide,
    words::{self, Place, Trade},
};

/// Raises end after so many years, so that a clock far ahead cannot run pay out of range.
const RAISE_YEARS: i16 = 25;

/// A person and their jobs.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) person: Person,
    pub(super) jobs: Vec<JobPlan>,
}

/// The terms of one job.
#[derive(Clone, Debug)]
pub(super) struct JobPlan {
    pub(super) dice: Dice,
    pub(super) employer: Employer,
    pub(super) title: &'static str,
    pub(super) job_type: JobType,
    pub(super) start: Date,
    pub(super) original_hire: Date,
    /// Known from the first day on, and shown only once it has passed.
    pub(super) end: Option<Date>,
    pub(super) manager: String,
    pub(super) calendar: Calendar,
    pub(super) wage: Wage,
    pub(super) raises: Raises,
    pub(super) bonus: Option<Bonus>,
    pub(super) has_commission: bool,
    pub(super) benefits: Option<Benefits>,
    /// Where income tax is due.
    pub(super) home: Place,
    /// Lines beyond the usual ones; at most [`MAX_EXTRAS`](super::ledger::MAX_EXTRAS).
    pub(super) extras: Vec<Extra>,
    pub(super) accounts: Vec<DepositAccount>,
}

/// The rate on the first day.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wage {
    /// Cents a year.
    Salary(i64),
    /// Cents an hour, and the usual quarter hours a week. Only on calendars of whole weeks.
    Hourly(i64, i64),
}

impl Wage {
    /// The rate.
    pub(super) const fn cents(self) -> i64 {
        match self {
            Self::Salary(cents) | Self::Hourly(cents, _) => cents,
        }
    }
}

/// How the rate goes up.
#[derive(Clone, Debug)]
pub(super) enum Raises {
    /// By chance, once a year on the first of a month, from half a year after the start.
    Yearly {
        /// 1 to 12.
        month: i8,
    },
    /// To another wage from a day on, in the order of days. The first is also what was paid before.
    Listed(Vec<(Date, Wage)>),
}

/// One more line on every cheque.
#[derive(Clone, Debug)]
pub(super) struct Extra {
    pub(super) label: String,
    pub(super) kind: ExtraKind,
    pub(super) share: Share,
    /// The first and the last pay day with it.
    pub(super) from: Option<Date>,
    pub(super) until: Option<Date>,
}

impl Extra {
    pub(super) fn is_on(&self, pay_date: Date) -> bool {
        self.from.is_none_or(|from| from <= pay_date) && self.until.is_none_or(|until| pay_date <= until)
    }
}

/// What an extra line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExtraKind {
    Earned(EarningKind),
    Taken {
        kind: DeductionKind,
        pretax: bool,
    },
    /// A share of taxable pay.
    StateTax,
}

/// How much an extra line is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Share {
    Cents(i64),
    BasisPoints(i64),
}

/// Paid with the first cheque of `month`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bonus {
    pub(super) month: i8,
    /// Basis points of a year's pay.
    pub(super) share: i64,
}

/// What is taken for insurance and retirement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Benefits {
    /// Cents a year, in 2020; Section 125.
    pub(super) health: i64,
    /// Basis points of gross for the 401(k).
    pub(super) retirement: i64,
    /// Cents a cheque, after tax.
    pub(super) life: i64,
}

impl JobPlan {
    /// A job of a kind of work, with everything else left to chance.
    pub(super) fn drawn(dice: Dice, employer_name: &str, home: Place, kind: Kind) -> Self {
        let trade = dice.pick("trade", kind.trades());
        let hired = dice.between("hired", 0, 10 * 365);
        let start = onto_weekday(date(2013, 2, 4).saturating_add(hired.days()));
        let was_there_before = dice.chance("rehired", 8);
        let original_hire = if was_there_before {
            onto_weekday(start.saturating_sub(dice.between("away", 400, 1500).days()))
        } else {
            start
        };
        let end = dice.chance("ended", 12).then(|| {
            let after = dice.between("ended after", 200, 4500);
            onto_weekday(start.saturating_add(after.days()))
        });
        let frequency = dice.pick("frequency", kind.frequencies());
        let calendar = Calendar { frequency, odd_weeks: dice.chance("odd weeks", 50) };
        Self {
            dice,
            employer: employer(dice.world(), employer_name),
            title: trade.title,
            job_type: kind.job_type(),
            start,
            original_hire,
            end,
            manager: full_name(dice.fork("manager")),
            calendar,
            wage: kind.wage(dice, trade),
            raises: Raises::Yearly { month: dice.pick("raise month", &[1, 3, 4, 7, 10]) },
            bonus: dice.chance("bonus", kind.bonus_chance()).then(|| Bonus {
                month: dice.pick("bonus month", &[2, 3, 6, 12]),
                share: dice.between("bonus share", 1, 24) * 50,
            }),
            has_commission: trade.has_commission,
            benefits: (kind != Kind::PartTime).then(|| Benefits {
                health: dice.between("health", 90, 320) * 1_200,
                retirement: dice.pick("retirement", &[0, 300, 400, 500, 600, 800]),
                life: dice.pick("life", &[0, 0, 350, 475, 820]),
            }),
            home,
            extras: Vec::new(),
            accounts: deposit_accounts(dice.fork("accounts")),
        }
    }

    /// The wage on a day, raises included.
    pub(super) fn wage_on(&self, day: Date) -> Wage {
        if let Raises::Listed(raises) = &self.raises {
            let raise = raises.iter().rev().find(|(from, _)| *from <= day).or(raises.first());
            return raise.map_or(self.wage, |(_, wage)| *wage);
        }
        let step = match self.wage {
            Wage::Salary(_) => 10_000,
            Wage::Hourly(..) => 5,
        };
        let rate = self.raise_days(day).into_iter().fold(self.wage.cents(), |rate, raise_day| {
            let share = self.dice.between_at("raise", raise_day.year().unsigned_abs().into(), 200, 450);
            divide(divide(rate * (10_000 + share), 10_000), step) * step
        });
        match self.wage {
            Wage::Salary(_) => Wage::Salary(rate),
            Wage::Hourly(_, quarters) => Wage::Hourly(rate, quarters),
        }
    }

    /// The rate of pay as the employer's record shows it on a day.
    pub(super) fn pay_on(&self, day: Date) -> Pay {
        let wage = self.wage_on(day);
        let (unit, per_cycle) = match wage {
            Wage::Salary(rate) => (PayUnit::Yearly, divide(rate, self.calendar.periods_per_year())),
            Wage::Hourly(rate, quarters) => {
                (PayUnit::Hourly, divide(rate * quarters * 52, 4 * self.calendar.periods_per_year()))
            }
        };
        Pay {
            rate: Some(Money::from_cents(wage.cents())),
            unit: Some(unit),
            frequency: Some(self.calendar.frequency),
            per_cycle: Some(Money::from_cents(per_cycle)),
        }
    }

    /// A year's usual pay in cents at the rate of a day.
    pub(super) fn yearly_on(&self, day: Date) -> i64 {
        match self.wage_on(day) {
            Wage::Salary(rate) => rate,
            Wage::Hourly(rate, quarters) => rate * quarters * 13,
        }
    }

    /// When the employer's record last changed, up to a day.
    pub(super) fn last_change(&self, day: Date) -> Date {
        self.end
            .filter(|end| *end < day)
            .or_else(|| self.raise_days(day).last().copied())
            .unwrap_or(self.start)
    }

    /// The days up to `day` on which pay went up.
    fn raise_days(&self, day: Date) -> Vec<Date> {
        let month = match &self.raises {
            Raises::Yearly { month } => *month,
            Raises::Listed(raises) => {
                return raises.iter().map(|(from, _)| *from).filter(|from| *from <= day).collect();
            }
        };
        let from = self.start.saturating_add(180.days());
        let first = self.start.year();
        (first..=day.year().min(first.saturating_add(RAISE_YEARS)))
            .map(|year| date(year, month, 1))
            .filter(move |raise_day| *raise_day >= from && *raise_day <= day)
            .collect()
    }
}

/// Kinds of terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Salaried,
    FullTime,
    PartTime,
}

impl Kind {
    const fn trades(self) -> &'static [Trade] {
        match self {
            Self::Salaried => &words::SALARIED,
            Self::FullTime | Self::PartTime => &words::HOURLY,
        }
    }

    const fn frequencies(self) -> &'static [PayFrequency] {
        use PayFrequency::{BiWeekly, Monthly, SemiMonthly, Weekly};
        match self {
            Self::Salaried => &[BiWeekly, BiWeekly, SemiMonthly, Monthly, Weekly],
            // Overtime is reckoned by the week, so hours are paid on calendars of whole weeks.
            Self::FullTime | Self::PartTime => &[Weekly, BiWeekly],
        }
    }

    const fn job_type(self) -> JobType {
        match self {
            Self::Salaried | Self::FullTime => JobType::FullTime,
            Self::PartTime => JobType::PartTime,
        }
    }

    const fn bonus_chance(self) -> u64 {
        match self {
            Self::Salaried => 70,
            Self::FullTime => 30,
            Self::PartTime => 0,
        }
    }

    pub(super) fn wage(self, dice: Dice, trade: Trade) -> Wage {
        match self {
            // Whole hundreds of dollars, and whole nickels.
            Self::Salaried => Wage::Salary(dice.between("rate", trade.low / 100, trade.high / 100) * 10_000),
            Self::FullTime => Wage::Hourly(dice.between("rate", trade.low / 5, trade.high / 5) * 5, 160),
            Self::PartTime => Wage::Hourly(
                dice.between("rate", trade.low / 5, trade.high / 5) * 5,
                dice.pick("week", &[64, 80, 96, 112]),
            ),
        }
    }
}

/// Somebody invented.
pub(super) fn person(dice: Dice, home: Place) -> Person {
    let first_name = dice.pick("first name", &words::FIRST_NAMES);
    let last_name = dice.pick("last name", &words::LAST_NAMES);
    let initials: Vec<char> = ('A'..='Z').collect();
    Person {
        first_name: first_name.to_owned(),
        middle_initials: dice.chance("initials", 60).then(|| dice.pick("initial", &initials).to_string()),
        last_name: last_name.to_owned(),
        email: Some(format!("{}.{}@example.com", first_name.to_lowercase(), last_name.to_lowercase())),
        // Area numbers from 900 on are never issued.
        ssn: Some(Secret::new(format!("9{}", dice.digits("ssn", 8)))),
        date_of_birth: Some(date(1958, 1, 1).saturating_add(dice.between("born", 0, 44 * 365).days())),
        home_address: Some(address(dice.fork("home"), home)),
    }
}

/// The employer of a name: the same record for everybody who works there.
pub(super) fn employer(world: World, name: &str) -> Employer {
    let dice = world.dice(&["employer", name]);
    let place = place_of(world, name);
    // Prefixes that are never given to employers.
    let prefix =
        dice.pick("ein", &["07", "08", "17", "18", "19", "28", "29", "49", "69", "70", "78", "79", "89"]);
    Employer {
        name: name.to_owned(),
        ein: Some(format!("{prefix}-{}", dice.digits("ein rest", 7))),
        address: Some(address(dice.fork("office"), place)),
        // 555-0100 to 555-0199 are kept for fiction.
        phone: Some(format!("{}55501{}", place.area_code, dice.digits("phone", 2))),
    }
}

/// Where an employer has its office.
pub(super) fn place_of(world: World, name: &str) -> Place {
    world.dice(&["employer", name]).pick("place", &words::PLACES)
}

fn address(dice: Dice, place: Place) -> Address {
    Address {
        street: format!("{} {}", dice.between("number", 11, 2990), dice.pick("street", &words::STREETS)),
        city: place.city.to_owned(),
        state: place.state.to_owned(),
        zip: place.zip.to_owned(),
        country: "US".to_owned(),
    }
}

fn full_name(dice: Dice) -> String {
    format!("{} {}", dice.pick("first name", &words::FIRST_NAMES), dice.pick("last name", &words::LAST_NAMES))
}

/// The day itself, or the Monday after a weekend.
pub(super) fn onto_weekday(day: Date) -> Date {
    if weekdays(day, day) == 1 { day } else { onto_weekday(day.saturating_add(1.days())) }
}

fn deposit_accounts(dice: Dice) -> Vec<DepositAccount> {
    let checking = |share, value| {
        account(dice.fork("checking"), "Everyday checking", AccountType::Checking, share, value)
    };
    let savings =
        |share, value| account(dice.fork("savings"), "Rainy day", AccountType::Savings, share, value);
    match dice.between("split", 0, 3) {
        0 => {
            let percent = dice.between("percent", 1, 6) * 5;
            vec![
                savings(DepositType::Percent, Some(Decimal::from(percent))),
                checking(DepositType::Percent, Some(Decimal::from(100 - percent))),
            ]
        }
        1 => {
            let dollars = dice.between("dollars", 1, 8) * 25;
            vec![
                savings(DepositType::Amount, Some(Decimal::new(dollars * 100, 2))),
                checking(DepositType::Entire, None),
            ]
        }
        _ => vec![checking(DepositType::Entire, None)],
    }
}

/// An account of a company.
pub(super) fn business_account(dice: Dice) -> DepositAccount {
    let account = account(dice, "Payroll", AccountType::Checking, DepositType::Entire, None);
    DepositAccount { deposit_type: None, ..account }
}

/// An account with a routing number that passes the checksum and belongs to no bank: 1100000NN with its check digit.
fn account(
    dice: Dice,
    name: &str,
    account_type: AccountType,
    share: DepositType,
    value: Option<Decimal>,
) -> DepositAccount {
    let (tens, ones) = (dice.between("routing", 0, 9), dice.between("routing 2", 0, 9));
    let check = (3 * tens + 7 * ones).wrapping_neg().rem_euclid(10);
    DepositAccount {
        account_number: Secret::new(dice.digits("account", 10)),
        routing_number: Secret::new(format!("110000{tens}{ones}{check}")),
        account_name: Some(name.to_owned()),
        bank_name: Some(dice.pick("bank", &words::BANKS).to_owned()),
        account_type: Some(account_type),
        deposit_type: Some(share),
        deposit_value: value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::dice::DEFAULT_SEED;

    #[test]
    fn routing_numbers_pass_the_checksum() {
        for number in 0..50 {
            for account in deposit_accounts(World::new(DEFAULT_SEED).dice(&["routing", &number.to_string()]))
            {
                let digits: Vec<u32> = account
                    .routing_number
                    .expose()
                    .chars()
                    .map(|digit| digit.to_digit(10).unwrap())
                    .collect();
                let weights = [3, 7, 1, 3, 7, 1, 3, 7, 1];
                let sum: u32 = digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum();
                assert_eq!((digits.len(), sum % 10), (9, 0), "{}", account.routing_number.expose());
            }
        }
    }

    #[test]
    fn everybody_at_an_employer_sees_the_same_employer() {
        let employer = |name| employer(World::new(DEFAULT_SEED), name);
        assert_eq!(employer("Facebook Demo"), employer("Facebook Demo"));
        assert_ne!(employer("Facebook Demo").ein, employer("Google").ein);
    }
}
