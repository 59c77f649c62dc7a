//! The people of the sandbox: those of the published logins, and anybody else by chance.

use citadel_domain::{
    Secret,
    payroll::{JobType, PayFrequency, Person},
};
use jiff::{ToSpan, civil::Date, civil::Weekday, civil::date};

use super::{
    calendar::Calendar,
    dice::Dice,
    plan::{self, Benefits, Bonus, JobPlan, Kind, Plan, Raises, Wage},
    words,
};

/// Who is behind a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// John Doe, PR associate, full time, paid at this pace.
    JohnDoe(PayFrequency),
    /// Another John Doe, with a number of his own, so that a link tells them apart.
    Namesake {
        /// The last digit of the number.
        digit: u8,
    },
    /// Full time on a salary.
    FullTime,
    /// Two part-time jobs by the hour.
    PartTime,
    /// In the job for three to six months; the first job.
    NewHire,
    /// In the job for eight to eleven months, after a longer one that ended shortly before.
    JobChanger,
    /// Signs in and finds nothing.
    Nobody,
}

impl Who {
    /// The person of a user name. Unknown names have nobody.
    pub(super) fn find(username: &str) -> Option<Self> {
        Some(match username {
            "goodlogin" | "goodlogin.biweekly" => Self::JohnDoe(PayFrequency::BiWeekly),
            "goodlogin.weekly" => Self::JohnDoe(PayFrequency::Weekly),
            "goodlogin.semimonthly" => Self::JohnDoe(PayFrequency::SemiMonthly),
            "goodlogin.monthly" => Self::JohnDoe(PayFrequency::Monthly),
            "goodlogin.expiring" => Self::Namesake { digit: 2 },
            "goodlogin.slowbank" => Self::Namesake { digit: 3 },
            "fulltime" => Self::FullTime,
            "hourly.part-time" => Self::PartTime,
            "goodlogin.tn1" => Self::NewHire,
            "goodlogin.tn2" => Self::JobChanger,
            "error.user" => Self::Nobody,
            _ => return None,
        })
    }

    /// What is settled about the person. Only the two short tenures look at `today`.
    pub(super) fn plan(self, dice: Dice, employer: Option<&str>, today: Date) -> Option<Plan> {
        let employer = employer.unwrap_or_else(|| dice.pick("employer", &words::EMPLOYERS));
        let home = dice.pick("home place", &words::PLACES);
        let person = plan::person(dice, home);
        let job = |kind| JobPlan { end: None, ..JobPlan::drawn(dice.fork("job"), employer, home, kind) };
        Some(match self {
            Self::JohnDoe(frequency) => john_doe(dice, employer, frequency),
            Self::Namesake { digit } => {
                let plan = john_doe(dice, employer, PayFrequency::BiWeekly);
                let ssn = Some(Secret::new(format!("99193999{digit}")));
                Plan { person: Person { ssn, ..plan.person }, ..plan }
            }
            Self::FullTime => {
                let person = Person { ssn: Some(Secret::new("991912211")), ..person };
                Plan { person, jobs: vec![job(Kind::Salaried)] }
            }
            Self::PartTime => {
                let person = Person { ssn: Some(Secret::new("666382548")), ..person };
                let first = job(Kind::PartTime);
                let second = second_job(dice, &first);
                Plan { person, jobs: vec![first, JobPlan { end: None, ..second }] }
            }
            Self::NewHire => Plan { person, jobs: vec![spell(dice, employer, short_tenure(today, 3))] },
            Self::JobChanger => {
                let start = short_tenure(today, 8);
                let before = JobPlan {
                    end: Some(start.saturating_sub(10.days())),
                    ..spell(dice, &other_employer(dice, employer), start.saturating_sub(200.weeks()))
                };
                Plan { person, jobs: vec![spell(dice, employer, start), before] }
            }
            Self::Nobody => return None,
        })
    }
}

/// Anybody: one job or two, going on or ended, on any terms.
pub(super) fn anybody(dice: Dice, employer: Option<&str>) -> Plan {
    let employer = employer.unwrap_or_else(|| dice.pick("employer", &words::EMPLOYERS));
    let home = dice.pick("home place", &words::PLACES);
    let kind = match dice.between("kind", 0, 99) {
        0..55 => Kind::Salaried,
        55..82 => Kind::FullTime,
        _ => Kind::PartTime,
    };
    let first = JobPlan::drawn(dice.fork("job"), employer, home, kind);
    let second = dice.chance("second job", 18).then(|| second_job(dice, &first));
    Plan { person: plan::person(dice, home), jobs: [first].into_iter().chain(second).collect() }
}

fn john_doe(dice: Dice, employer: &str, frequency: PayFrequency) -> Plan {
    let home = words::SAN_FRANCISCO;
    let job = JobPlan::drawn(dice.fork("job"), employer, home, Kind::Salaried);
    let start = date(2018, 3, 12);
    let job = JobPlan {
        title: "PR associate",
        job_type: JobType::FullTime,
        start,
        original_hire: start,
        end: None,
        calendar: Calendar { frequency, ..job.calendar },
        wage: Wage::Salary(6_240_000),
        raises: Raises::Yearly { month: 4 },
        bonus: Some(Bonus { month: 3, share: 500 }),
        has_commission: false,
        benefits: Some(Benefits { health: 14_800 * 12, retirement: 400, life: 475 }),
        ..job
    };
    let person = Person {
        first_name: "John".to_owned(),
        middle_initials: None,
        last_name: "Doe".to_owned(),
        email: Some("goodlogin@domain.com".to_owned()),
        ssn: Some(Secret::new("991919991")),
        date_of_birth: Some(date(1991, 9, 19)),
        ..plan::person(dice, home)
    };
    Plan { person, jobs: vec![job] }
}

/// A part-time job beside `first`, still going on when that began. It is the older one, so that the job at the
/// employer whom the consumer picked is listed first.
fn second_job(dice: Dice, first: &JobPlan) -> JobPlan {
    let employer = other_employer(dice, &first.employer.name);
    let drawn = JobPlan::drawn(dice.fork("second job"), &employer, first.home, Kind::PartTime);
    let days_before = dice.between("second start", 30, 190);
    let start = plan::onto_weekday(first.start.saturating_sub(days_before.days()));
    let end = drawn
        .end
        .map(|_| plan::onto_weekday(start.saturating_add(dice.between("second end", 200, 4000).days())));
    JobPlan { start, original_hire: start, end, ..drawn }
}

fn other_employer(dice: Dice, taken: &str) -> String {
    let first = dice.pick("other employer", &words::EMPLOYERS);
    if first == taken { "Stonebridge Supply".to_owned() } else { first.to_owned() }
}

/// A salaried job that began on a day that moves with the present one, and so has ids of its own for each such day.
fn spell(dice: Dice, employer: &str, start: Date) -> JobPlan {
    let drawn = JobPlan::drawn(
        dice.fork(&format!("spell {start}")),
        employer,
        dice.pick("home place", &words::PLACES),
        Kind::Salaried,
    );
    JobPlan { start, original_hire: start, end: None, ..drawn }
}

/// The first Monday of the calendar quarter of `months` ago: stays the same for three months, then moves on.
fn short_tenure(today: Date, months: i32) -> Date {
    let then = today.saturating_sub(months.months());
    let first = date(then.year(), (then.month() - 1) / 3 * 3 + 1, 1);
    first.nth_weekday_of_month(1, Weekday::Monday).unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tenures_stay_under_a_year_on_every_day() {
        for today in date(2024, 1, 1).series(1.day()).take(1500) {
            let days = |start: Date| super::super::calendar::days_between(start, today);
            assert!((80..=190).contains(&days(short_tenure(today, 3))), "{today}");
            assert!((235..=345).contains(&days(short_tenure(today, 8))), "{today}");
        }
    }
}
