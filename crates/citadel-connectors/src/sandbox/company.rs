//! The one company that every administrator of the sandbox sees: who works there, since when, and under whom.
//!
//! A company is seats. A seat is held by one person after another, with a gap between them, so that its size stays what
//! it is while people join and leave. The seat of a department's head is held in the same way; while it is empty, the
//! chief manages the department. The chief stays.

use std::collections::BTreeSet;

use citadel_domain::payroll::{DepositAccount, Employer, PayFrequency, Person};
use jiff::{
    ToSpan,
    civil::{Date, Weekday, date},
};

use super::{
    calendar::{Calendar, monday_of},
    departments::{CHIEF, CHIEFS_DEPARTMENT, DEPARTMENTS, Department, Seats},
    dice::{Dice, World},
    plan::{self, JobPlan, Kind},
    words::Trade,
};

/// The company's name: one of the invented employers.
pub(super) const NAME: &str = "Bluebarrow Logistics";
/// A Monday.
const FOUNDED: Date = date(2014, 6, 2);
/// Nobody leaves or joins after that, so that the directory, which keeps everybody, has an end.
const SETTLED: Date = date(2033, 1, 3);
/// Everybody is paid on the same days.
const CALENDAR: Calendar = Calendar { frequency: PayFrequency::BiWeekly, odd_weeks: false };

/// Somebody who works or worked at the company, or will.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) person: Person,
    pub(super) department: &'static str,
    pub(super) is_head: bool,
    pub(super) job: JobPlan,
    /// Digits.
    pub(super) phone: String,
}

impl Member {
    /// The person's name as the directory and the register write it.
    pub(super) fn full_name(&self) -> String {
        let person = &self.person;
        let names = [Some(&person.first_name), person.middle_initials.as_ref(), Some(&person.last_name)];
        names.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    fn works_on(&self, day: Date) -> bool {
        self.job.start <= day && self.job.end.is_none_or(|end| day <= end)
    }
}

/// The company of a world.
#[derive(Debug)]
pub(super) struct Company {
    world: World,
    /// Everybody, the chief first.
    members: Vec<Member>,
}

impl Company {
    pub(super) fn new(world: World) -> Self {
        Self { world, members: Founding { world, names: BTreeSet::new(), members: Vec::new() }.everybody() }
    }

    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The manager of somebody on a day. The chief has none.
    pub(super) fn manager_of(&self, member: &Member, day: Date) -> Option<&Member> {
        let chief = self.members.first()?;
        if member.department == CHIEFS_DEPARTMENT {
            return None;
        }
        let is_their_head = |other: &&Member| other.is_head && other.department == member.department;
        let head = self.members.iter().filter(is_their_head).find(|head| head.works_on(day));
        Some(head.filter(|_| !member.is_head).unwrap_or(chief))
    }

    /// The company as its own record shows it.
    pub(super) fn employer(&self) -> Employer {
        plan::employer(self.world, NAME)
    }

    /// The account that the company has paid its people from since it began.
    pub(super) fn funding_account(&self) -> DepositAccount {
        plan::business_account(self.world.dice(&["company", NAME, "funding account"]))
    }
}

/// Fills the seats. No two people have the same name, because a manager is known by it.
struct Founding {
    world: World,
    names: BTreeSet<(String, String)>,
    members: Vec<Member>,
}

/// One seat.
#[derive(Clone, Copy)]
struct Seat {
    dice: Dice,
    department: &'static str,
    is_head: bool,
    trade: Trade,
    kind: Kind,
    since: Date,
}

impl Founding {
    fn everybody(mut self) -> Vec<Member> {
        let dice = self.world.dice(&["company", NAME]);
        let chief = Seat {
            dice: dice.fork("chief"),
            department: CHIEFS_DEPARTMENT,
            is_head: true,
            trade: CHIEF,
            kind: Kind::Salaried,
            since: FOUNDED,
        };
        self.seat_somebody(chief, 0, FOUNDED, None);
        for department in &DEPARTMENTS {
            self.found(dice.fork(department.name), department);
        }
        self.members
    }

    fn found(&mut self, dice: Dice, department: &Department) {
        let head = Seat {
            dice: dice.fork("head"),
            department: department.name,
            is_head: true,
            trade: department.head,
            kind: Kind::Salaried,
            since: FOUNDED,
        };
        self.fill(head);
        for Seats { trade, kind, at_first, later } in department.seats {
            for number in 0..at_first + later {
                let dice = dice.fork(&format!("{} {number}", trade.title));
                let is_first = number < *at_first;
                let weeks =
                    if is_first { dice.between("opened", 0, 150) } else { dice.between("added", 280, 900) };
                let since = FOUNDED.saturating_add(weeks.weeks());
                self.fill(Seat { dice, is_head: false, trade: *trade, kind: *kind, since, ..head });
            }
        }
    }

    /// One person after another, until somebody stays.
    fn fill(&mut self, seat: Seat) {
        let mut start = seat.since;
        for holder in 0.. {
            let stays = seat.dice.number("stays", holder) % 100 < 30;
            let weeks = seat.dice.between_at("tenure", holder, 60, 600);
            let end = friday_of(start.saturating_add(weeks.weeks()));
            let end = (!stays && end < SETTLED).then_some(end);
            self.seat_somebody(seat, holder, start, end);
            let Some(end) = end else { return };
            start = monday_of(end.saturating_add(seat.dice.between_at("gap", holder, 2, 7).weeks()));
        }
    }

    fn seat_somebody(&mut self, seat: Seat, holder: u64, start: Date, end: Option<Date>) {
        let dice = seat.dice.fork(&format!("holder {holder}"));
        let home = plan::place_of(self.world, NAME);
        let drawn = JobPlan::drawn(dice.fork("job"), NAME, home, seat.kind);
        let job = JobPlan {
            title: seat.trade.title,
            start,
            original_hire: start,
            end,
            calendar: CALENDAR,
            wage: seat.kind.wage(dice.fork("job"), seat.trade),
            has_commission: seat.trade.has_commission,
            ..drawn
        };
        let phone = format!("{}55501{}", home.area_code, dice.digits("phone", 2));
        let person = self.somebody(dice, start);
        self.members.push(Member { person, department: seat.department, is_head: seat.is_head, job, phone });
    }

    /// Somebody new, of age when the job begins.
    fn somebody(&mut self, dice: Dice, start: Date) -> Person {
        let home = plan::place_of(self.world, NAME);
        let tries = (0..).map(|number| plan::person(dice.fork(&format!("person {number}")), home));
        let is_new =
            |person: &Person| !self.names.contains(&(person.first_name.clone(), person.last_name.clone()));
        let person = tries.into_iter().find(is_new).expect("there are more names than people");
        self.names.insert((person.first_name.clone(), person.last_name.clone()));
        let age = dice.between("age", 19 * 365, 47 * 365);
        Person { date_of_birth: Some(start.saturating_sub(age.days())), ..person }
    }
}

fn friday_of(day: Date) -> Date {
    let offset = i64::from(Weekday::Friday.to_monday_zero_offset());
    monday_of(day).saturating_add(offset.days())
}
