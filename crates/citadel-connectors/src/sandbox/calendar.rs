//! Pay calendars and the days on which banks move no money.

use citadel_domain::payroll::PayFrequency;
use jiff::{ToSpan, civil::Date, civil::Weekday, civil::date};

/// A Monday from which weeks are counted.
const FIRST_MONDAY: Date = date(2001, 1, 1);

/// When an employer pays.
///
/// - Weekly and every two weeks: periods run from Monday to Sunday, and the pay day is the Friday after.
/// - Twice a month: the 1st to the 15th and the rest of the month, paid on the last day of the period.
/// - Monthly: paid on the last day of the month.
///
/// A pay day on a weekend or a bank holiday moves back to the bank day before, if need be into the year before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calendar {
    pub(super) frequency: PayFrequency,
    /// Every two weeks: whether the period begins in an odd week.
    pub(super) odd_weeks: bool,
}

/// One pay period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    /// Counts this calendar's periods; grows by one from period to period.
    pub(super) index: i64,
    pub(super) start: Date,
    pub(super) end: Date,
    pub(super) pay_date: Date,
}

impl Calendar {
    /// How many periods a year has, for turning a salary into a cheque.
    pub(super) const fn periods_per_year(self) -> i64 {
        match self.frequency {
            PayFrequency::Weekly => 52,
            PayFrequency::BiWeekly => 26,
            PayFrequency::SemiMonthly => 24,
            PayFrequency::Monthly => 12,
        }
    }

    /// The periods with a pay day on or after `from`, in order, for ever.
    pub(super) fn paid_from(self, from: Date) -> impl Iterator<Item = Period> {
        // Pay day is at most two weeks after the period, so three periods back is always early enough.
        let first = self.index_of(from) - 3;
        (first..).map_while(move |index| self.period(index)).skip_while(move |period| period.pay_date < from)
    }

    /// Whether a period is the first that is paid in `month`.
    pub(super) fn is_first_in_month(self, period: Period, month: i8) -> bool {
        let before = self.period(period.index - 1);
        period.pay_date.month() == month && before.is_none_or(|before| before.pay_date.month() != month)
    }

    fn index_of(self, day: Date) -> i64 {
        let month = i64::from(day.year()) * 12 + i64::from(day.month()) - 1;
        match self.frequency {
            PayFrequency::Weekly => days_between(FIRST_MONDAY, day).div_euclid(7),
            PayFrequency::BiWeekly => {
                (days_between(FIRST_MONDAY, day) - i64::from(self.odd_weeks) * 7).div_euclid(14)
            }
            PayFrequency::SemiMonthly => month * 2 + i64::from(day.day() > 15),
            PayFrequency::Monthly => month,
        }
    }

    /// `None` beyond the end of the calendar.
    fn period(self, index: i64) -> Option<Period> {
        let (start, end, pay_day) = match self.frequency {
            PayFrequency::Weekly => weeks(index.checked_mul(7)?, 7)?,
            PayFrequency::BiWeekly => weeks(index.checked_mul(14)? + i64::from(self.odd_weeks) * 7, 14)?,
            PayFrequency::SemiMonthly => {
                let first = first_of_month(index.div_euclid(2))?;
                let (start, end) = if index.rem_euclid(2) == 0 {
                    (first, date(first.year(), first.month(), 15))
                } else {
                    (date(first.year(), first.month(), 16), first.last_of_month())
                };
                (start, end, end)
            }
            PayFrequency::Monthly => {
                let first = first_of_month(index)?;
                (first, first.last_of_month(), first.last_of_month())
            }
        };
        Some(Period { index, start, end, pay_date: bank_day_on_or_before(pay_day) })
    }
}

fn weeks(days: i64, length: i64) -> Option<(Date, Date, Date)> {
    let start = FIRST_MONDAY.checked_add(days.days()).ok()?;
    let end = start.checked_add((length - 1).days()).ok()?;
    Some((start, end, end.checked_add(5.days()).ok()?))
}

fn first_of_month(month: i64) -> Option<Date> {
    let year = i16::try_from(month.div_euclid(12)).ok()?;
    let month = i8::try_from(month.rem_euclid(12) + 1).ok()?;
    Date::new(year, month, 1).ok()
}

/// Days from `a` to `b`, negative when `b` is earlier.
pub(super) fn days_between(a: Date, b: Date) -> i64 {
    a.duration_until(b).as_hours() / 24
}

/// Mondays to Fridays in a range, both ends included.
pub(super) fn weekdays(from: Date, to: Date) -> i64 {
    let days = days_between(from, to) + 1;
    if days <= 0 {
        return 0;
    }
    let first = i64::from(from.weekday().to_monday_zero_offset());
    let weekend = (0..days % 7).filter(|day| (first + day) % 7 >= 5).count();
    days / 7 * 5 + days % 7 - i64::try_from(weekend).expect("a week has seven days")
}

/// The Monday of a day's week.
pub(super) fn monday_of(day: Date) -> Date {
    day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days())
}

fn bank_day_on_or_before(mut day: Date) -> Date {
    while is_weekend(day) || is_bank_holiday(day) {
        day = day.saturating_sub(1.days());
    }
    day
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The holidays of the Federal Reserve banks. One on a Sunday is kept on the Monday after; one on a Saturday is not moved.
fn is_bank_holiday(day: Date) -> bool {
    let (month, in_month) = (day.month(), day.day());
    let nth = (in_month + 6) / 7;
    let fixed = |month: i8, in_month: i8| {
        let on_the_day = |day: Date| day.month() == month && day.day() == in_month;
        on_the_day(day) || (day.weekday() == Weekday::Monday && on_the_day(day.saturating_sub(1.days())))
    };
    let floating = match (month, day.weekday()) {
        // Martin Luther King, Washington.
        (1 | 2, Weekday::Monday) => nth == 3,
        // Memorial Day.
        (5, Weekday::Monday) => in_month > 24,
        // Labor Day.
        (9, Weekday::Monday) => nth == 1,
        // Columbus Day.
        (10, Weekday::Monday) => nth == 2,
        // Thanksgiving.
        (11, Weekday::Thursday) => nth == 4,
        _ => false,
    };
    floating
        || fixed(1, 1)
        || (day.year() >= 2022 && fixed(6, 19))
        || fixed(7, 4)
        || fixed(11, 11)
        || fixed(12, 25)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(frequency: PayFrequency) -> Calendar {
        Calendar { frequency, odd_weeks: false }
    }

    fn pay_dates(frequency: PayFrequency, from: Date, count: usize) -> Vec<String> {
        calendar(frequency).paid_from(from).take(count).map(|period| period.pay_date.to_string()).collect()
    }

    #[test]
    fn pay_days_move_back_from_weekends_and_holidays() {
        // 15 and 31 May 2026 are a Friday and a Sunday; 15 February 2026 is a Sunday.
        assert_eq!(
            pay_dates(PayFrequency::SemiMonthly, date(2026, 2, 1), 8),
            [
                "2026-02-13",
                "2026-02-27",
                "2026-03-13",
                "2026-03-31",
                "2026-04-15",
                "2026-04-30",
                "2026-05-15",
                "2026-05-29"
            ]
        );
        // Friday 4 July 2025 and Friday 1 January 2027 are holidays: the second cheque moves into the year before.
        assert_eq!(pay_dates(PayFrequency::Weekly, date(2025, 7, 3), 2), ["2025-07-03", "2025-07-11"]);
        assert_eq!(pay_dates(PayFrequency::Weekly, date(2026, 12, 26), 2), ["2026-12-31", "2027-01-08"]);
        // 31 May 2027 is Memorial Day, a Monday: back to Friday.
        assert_eq!(pay_dates(PayFrequency::Monthly, date(2027, 5, 1), 2), ["2027-05-28", "2027-06-30"]);
    }

    #[test]
    fn the_eleven_holidays_of_2026_and_one_on_a_sunday() {
        let found: Vec<String> = date(2026, 1, 1)
            .series(1.days())
            .take(365)
            .filter(|day| is_bank_holiday(*day))
            .map(|day| day.strftime("%m-%d").to_string())
            .collect();
        assert_eq!(
            found,
            [
                "01-01", "01-19", "02-16", "05-25", "06-19", "07-04", "09-07", "10-12", "11-11", "11-26",
                "12-25"
            ]
        );
        assert!(is_bank_holiday(date(2027, 7, 5)), "4 July 2027 is a Sunday, kept on Monday");
    }

    #[test]
    fn periods_touch_and_pay_days_rise() {
        for frequency in
            [PayFrequency::Weekly, PayFrequency::BiWeekly, PayFrequency::SemiMonthly, PayFrequency::Monthly]
        {
            for odd_weeks in [false, true] {
                let calendar = Calendar { frequency, odd_weeks };
                let periods: Vec<Period> = calendar.paid_from(date(2019, 12, 20)).take(600).collect();
                assert!(periods[0].pay_date >= date(2019, 12, 20));
                for pair in periods.windows(2) {
                    assert_eq!(pair[0].end.saturating_add(1.days()), pair[1].start, "{frequency:?}");
                    assert!(pair[0].pay_date < pair[1].pay_date, "{frequency:?} {:?}", pair[1]);
                    assert_eq!(pair[0].index + 1, pair[1].index);
                }
            }
        }
    }

    #[test]
    fn asking_from_a_pay_day_includes_it() {
        for frequency in [PayFrequency::Weekly, PayFrequency::SemiMonthly, PayFrequency::Monthly] {
            let calendar = calendar(frequency);
            for period in calendar.paid_from(date(2024, 1, 1)).take(60) {
                assert_eq!(calendar.paid_from(period.pay_date).next(), Some(period));
            }
        }
    }

    #[test]
    fn weekdays_are_counted() {
        assert_eq!(weekdays(date(2026, 11, 2), date(2026, 11, 15)), 10);
        assert_eq!(weekdays(date(2026, 11, 7), date(2026, 11, 8)), 0);
        assert_eq!(weekdays(date(2026, 11, 6), date(2026, 11, 9)), 2);
        assert_eq!(weekdays(date(2026, 11, 9), date(2026, 11, 6)), 0);
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        assert!(calendar(PayFrequency::BiWeekly).paid_from(date(9999, 12, 1)).count() <= 3);
    }
}
