//! Entries of books, made of pay statements.

mod year_end;

use std::{collections::BTreeMap, mem};

use citadel_domain::{
    Money,
    account::AccountType,
    payroll::{DeductionKind, DeductionLine, DepositAccount, EarningLine, Statement, W2},
};
use jiff::civil::{Date, date};

use super::{Days, PaidJob, Pay, division::divide, names::Names};
use year_end::last_day;

/// Where differences go.
pub(super) const UNBALANCED: &str = "Equity:Unbalanced";

/// Nothing older is booked: no ledger is asked for it, and Beancount knows no years below one.
pub(super) const FIRST_YEAR: i16 = 1900;

/// Something in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) day: Date,
    pub(super) payee: String,
    pub(super) title: String,
    /// Key and value.
    pub(super) facts: Vec<(&'static str, String)>,
    /// Sentences.
    pub(super) remarks: Vec<String>,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Amounts by account, which sum to nothing.
    Moves(Vec<(String, Money)>),
    /// What accounts hold at the end of the day, each with those below it.
    Holds(Vec<(String, Money)>),
    /// Only to be read.
    Note,
}

/// Everything that was paid on these days, by day.
pub(super) fn entries(pay: &Pay, days: Days) -> Vec<Entry> {
    let mut names = Names::default();
    let mut all = Vec::new();
    for job in &pay.jobs {
        let stem = stem(job, pay.is_company, &mut names);
        let mut books = Books { job, stem, names: &mut names, held: BTreeMap::new(), entries: Vec::new() };
        books.write(days);
        all.extend(books.entries);
    }
    // Stable: what one job did on a day stays in its order.
    all.sort_by_key(|entry| entry.day);
    all
}

/// What the names of a job's accounts have in their middle: the employer, and in a company's books the person.
fn stem(job: &PaidJob, is_company: bool, names: &mut Names) -> String {
    let stem = if is_company {
        let company = names.account("", &job.employer, &job.employer);
        names.account(&company, &job.id, &job.person)
    } else {
        // Two jobs at one employer are two.
        names.account("", &format!("{} {}", job.employer, job.id), &job.employer)
    };
    // Without the empty parent.
    stem.trim_start_matches(':').to_owned()
}

/// The books of one job while they are written.
struct Books<'a> {
    job: &'a PaidJob,
    /// The middle of every account's name.
    stem: String,
    names: &'a mut Names,
    /// What each account holds so far.
    held: BTreeMap<String, Money>,
    entries: Vec<Entry>,
}

impl Books<'_> {
    fn write(&mut self, days: Days) {
        let job = self.job;
        let mut by_day: BTreeMap<Date, Vec<&Statement>> = BTreeMap::new();
        // Oldest first within a day, too.
        for statement in job.statements.iter().rev() {
            if let Some(day) = pay_day(statement).filter(|day| !days.is_over(*day)) {
                by_day.entry(day).or_default().push(statement);
            }
        }
        let mut w2s: Vec<&W2> =
            job.w2s.iter().filter(|w2| last_day(w2).is_some_and(|day| !days.is_over(day))).collect();
        w2s.sort_by_key(|w2| std::cmp::Reverse(w2.year));
        for (day, statements) in by_day {
            while let Some(w2) = w2s.pop_if(|w2| w2.year < day.year()) {
                self.year_end(w2);
            }
            self.day(day, statements);
        }
        while let Some(w2) = w2s.pop() {
            self.year_end(w2);
        }
        if let Some(from) = days.from {
            self.bring_forward(from);
        }
        if days.is_open() {
            let undated = job.statements.iter().rev().filter(|statement| pay_day(statement).is_none());
            undated.for_each(|statement| self.undated(statement));
        }
    }

    /// The accounts of a year.
    fn accounts(&self, year: i16) -> Accounts {
        let under = |root: &str| format!("{root}:{}:Y{year}", self.stem);
        let wages = under("Income");
        Accounts {
            gross: format!("{wages}:Fica:Gross"),
            fica: format!("{wages}:Fica"),
            taxes: under("Expenses:Taxes"),
            deductions: under("Expenses:Deductions"),
            net: under("Assets:Pay"),
            wages,
        }
    }

    /// What an account holds, with those below it.
    fn holds(&self, account: &str) -> Money {
        let below = format!("{account}:");
        let from = self.held.range(account.to_owned()..);
        // Nothing else stands between an account and those below it that begins with its name.
        from.take_while(|(name, _)| name.starts_with(account))
            .filter(|(name, _)| *name == account || name.starts_with(&below))
            .map(|(_, amount)| *amount)
            .sum()
    }

    fn enter(&mut self, day: Date, title: String, facts: Facts, remarks: Vec<String>, kind: Kind) {
        if let Kind::Moves(postings) = &kind {
            for (account, amount) in postings {
                *self.held.entry(account.clone()).or_default() += *amount;
            }
        }
        let payee = self.job.employer.clone();
        self.entries.push(Entry { day, payee, title, facts, remarks, kind });
    }

    /// Everything that was paid on a day, and what the year comes to after it.
    fn day(&mut self, day: Date, mut statements: Vec<&Statement>) {
        let accounts = self.accounts(day.year());
        let mut claims = BTreeMap::new();
        while !statements.is_empty() {
            let next = self.next_of(&statements, &accounts);
            let statement = statements.remove(next);
            let lines = self.pay(day, statement, &accounts);
            self.claim(&mut claims, statement, &lines, &accounts);
        }
        let gross = claims.remove(&accounts.gross);
        let net = claims.remove(&accounts.net);
        let mut claims: Vec<(String, Money)> = claims.into_iter().collect();
        // Last, because what their lines lack is made up first.
        claims.extend(gross.map(|held| (accounts.gross.clone(), held)));
        claims.extend(net.map(|held| (accounts.net.clone(), held)));
        if claims.is_empty() {
            return;
        }
        self.make_up(day, &claims, &accounts);
        self.enter(day, "Year to date".to_owned(), Vec::new(), Vec::new(), Kind::Holds(claims));
    }

    /// Of the statements of one day the one that goes on from what was paid so far, or else the first.
    fn next_of(&self, statements: &[&Statement], accounts: &Accounts) -> usize {
        let so_far = self.holds(&accounts.gross);
        let goes_on = |statement: &&Statement| {
            statement.gross.zip(statement.gross_ytd).is_some_and(|(gross, ytd)| so_far == gross - ytd)
        };
        statements.iter().position(goes_on).unwrap_or(0)
    }

    /// Enters a statement. Its lines, by account.
    fn pay(&mut self, day: Date, statement: &Statement, accounts: &Accounts) -> Vec<Line> {
        let lines = self.lines(statement, accounts);
        let mut remarks = Vec::new();
        let mut postings = Vec::new();
        for line in &lines {
            match line.amount {
                Some(amount) => postings.push((line.account.clone(), amount)),
                None => remarks.push(format!("{}: no amount is given.", line.label)),
            }
        }
        let earned =
            statement.earnings.iter().filter_map(|line| line.amount).reduce(|sum, amount| sum + amount);
        match (statement.gross, earned) {
            (Some(gross), None) => {
                remarks.push("Gross pay as a whole: no amounts of earnings are given.".to_owned());
                postings.push((accounts.gross.clone(), Money::ZERO - gross));
            }
            (Some(gross), Some(earned)) if gross != earned => {
                remarks.push(format!("Unbalanced: earnings sum to {earned}, and gross pay is {gross}."));
            }
            (None, _) => remarks.push("Gross pay is not given.".to_owned()),
            _ => {}
        }
        let left = Money::ZERO - postings.iter().map(|(_, amount)| *amount).sum();
        match statement.net {
            Some(net) => {
                if net != left {
                    remarks.push(format!("Unbalanced: the lines leave {left}, and net pay is {net}."));
                }
                postings.extend(self.divided(net, accounts));
            }
            None if left == Money::ZERO => remarks.push("Net pay is not given.".to_owned()),
            None => remarks.push(format!("Unbalanced: the lines leave {left}, and net pay is not given.")),
        }
        balance(&mut postings);
        let kind = if postings.is_empty() { Kind::Note } else { Kind::Moves(postings) };
        self.enter(day, title(statement), facts(statement), remarks, kind);
        lines
    }

    /// What a statement says of the year. What a later one of the same day says of an account wins.
    fn claim(
        &self,
        claims: &mut BTreeMap<String, Money>,
        statement: &Statement,
        lines: &[Line],
        accounts: &Accounts,
    ) {
        let mut of_lines: BTreeMap<&str, Vec<Money>> = BTreeMap::new();
        for line in lines {
            of_lines.entry(&line.account).or_default().extend(line.ytd);
        }
        for (account, figures) in of_lines {
            let held = self.holds(account);
            let Some(last) = figures.last().copied() else { continue };
            // A label that comes twice has a figure for each of its lines, or the same figure twice.
            let is_repeated = figures.iter().all(|figure| *figure == last) && held == last;
            let claimed = if is_repeated { last } else { figures.into_iter().sum() };
            claims.insert(account.to_owned(), claimed);
        }
        let gross = statement.gross_ytd.map(|gross| (accounts.gross.clone(), Money::ZERO - gross));
        let net = statement.net_ytd.map(|net| (accounts.net.clone(), net));
        claims.extend(gross.into_iter().chain(net));
    }

    /// Enters what year-to-date figures say beyond the statements.
    fn make_up(&mut self, day: Date, claims: &[(String, Money)], accounts: &Accounts) {
        let mut postings: Vec<(String, Money)> = Vec::new();
        for (account, claimed) in claims {
            let mut missing = *claimed - self.holds(account);
            if [&accounts.gross, &accounts.net].contains(&account) {
                let below = format!("{account}:");
                let lines = postings.iter().filter(|(name, _)| name.starts_with(&below));
                missing = missing - lines.map(|(_, amount)| *amount).sum();
            }
            if missing != Money::ZERO {
                postings.push((account.clone(), missing));
            }
        }
        if postings.is_empty() {
            return;
        }
        balance(&mut postings);
        let remark = "Unbalanced: the statements so far do not come to the year-to-date figures. This is what they lack.";
        let title = "What year-to-date figures say beyond the statements".to_owned();
        self.enter(day, title, Vec::new(), vec![remark.to_owned()], Kind::Moves(postings));
    }

    /// Net pay by deposit account, as it is divided on the present day.
    fn divided(&mut self, net: Money, accounts: &Accounts) -> Vec<(String, Money)> {
        let job = self.job;
        let deposits = &job.deposit_accounts;
        let parts = divide(net, deposits);
        if parts.is_empty() {
            return vec![(self.names.account(&accounts.net, "", "Net pay"), net)];
        }
        let parts = parts.into_iter().zip(deposits).enumerate().filter(|(_, (part, _))| *part != Money::ZERO);
        parts
            .map(|(index, (part, deposit))| {
                (self.names.account(&accounts.net, &index.to_string(), &name(deposit)), part)
            })
            .collect()
    }

    fn lines(&mut self, statement: &Statement, accounts: &Accounts) -> Vec<Line> {
        let earned = statement.earnings.iter().map(|line| self.earned(line, accounts)).collect::<Vec<_>>();
        let taxes = statement.taxes.iter().map(|line| {
            let parent = format!("{}:{}", accounts.taxes, tax(line.kind));
            self.taken(&parent, line)
        });
        let taxes = taxes.collect::<Vec<_>>();
        let deductions = statement.deductions.iter().map(|line| {
            let parent = match (line.pretax, line.kind) {
                (true, DeductionKind::Health) => format!("{}:Section125", accounts.fica),
                (true, _) => format!("{}:Pretax", accounts.wages),
                (false, _) => accounts.deductions.clone(),
            };
            self.taken(&parent, line)
        });
        let deductions = deductions.collect::<Vec<_>>();
        [earned, taxes, deductions].concat()
    }

    fn earned(&mut self, line: &EarningLine, accounts: &Accounts) -> Line {
        let account = self.names.account(&accounts.gross, &line.label, &line.label);
        let credit = |amount: Money| Money::ZERO - amount;
        Line {
            account,
            label: line.label.clone(),
            amount: line.amount.map(credit),
            ytd: line.ytd.map(credit),
        }
    }

    fn taken(&mut self, parent: &str, line: &DeductionLine) -> Line {
        let account = self.names.account(parent, &line.label, &line.label);
        Line { account, label: line.label.clone(), amount: line.amount, ytd: line.ytd }
    }

    /// A statement that has no place in time.
    fn undated(&mut self, statement: &Statement) {
        let mut remarks = vec!["Not booked: the statement has no pay day, or one before 1900.".to_owned()];
        let mut figure = |label: &str, amount: Option<Money>| {
            remarks.push(format!(
                "{label}: {}",
                amount.map_or("not given".to_owned(), |amount| amount.to_string())
            ));
        };
        figure("Gross pay", statement.gross);
        statement.earnings.iter().for_each(|line| figure(&line.label, line.amount));
        let taken = statement.taxes.iter().chain(&statement.deductions);
        taken.for_each(|line| figure(&line.label, line.amount));
        figure("Net pay", statement.net);
        let day = self.entries.last().map_or(date(1970, 1, 1), |last| last.day);
        self.enter(day, title(statement), facts(statement), remarks, Kind::Note);
    }

    /// One entry in place of those of the same year before the first day. Those of earlier years go.
    fn bring_forward(&mut self, from: Date) {
        let (before, after): (Vec<_>, Vec<_>) =
            mem::take(&mut self.entries).into_iter().partition(|entry| entry.day < from);
        let mut sums: BTreeMap<String, Money> = BTreeMap::new();
        for entry in before.into_iter().filter(|entry| entry.day.year() == from.year()) {
            let Kind::Moves(postings) = entry.kind else { continue };
            for (account, amount) in postings {
                *sums.entry(account).or_default() += amount;
            }
        }
        sums.retain(|_, sum| *sum != Money::ZERO);
        if !sums.is_empty() {
            let remark = "The sum of the statements of the year before this day.".to_owned();
            let postings = Kind::Moves(sums.into_iter().collect());
            self.enter(from, "Brought forward".to_owned(), Vec::new(), vec![remark], postings);
        }
        self.entries.extend(after);
    }
}

type Facts = Vec<(&'static str, String)>;

/// The accounts of a job and year that others stand below.
struct Accounts {
    wages: String,
    fica: String,
    gross: String,
    taxes: String,
    deductions: String,
    net: String,
}

/// A line of a statement.
#[derive(Clone)]
struct Line {
    account: String,
    label: String,
    /// As it is booked: what is earned is below zero.
    amount: Option<Money>,
    ytd: Option<Money>,
}

/// Drops what is nothing, and puts what is left over into [`UNBALANCED`].
fn balance(postings: &mut Vec<(String, Money)>) {
    postings.retain(|(_, amount)| *amount != Money::ZERO);
    let over: Money = postings.iter().map(|(_, amount)| *amount).sum();
    if over != Money::ZERO {
        postings.push((UNBALANCED.to_owned(), Money::ZERO - over));
    }
}

/// The day on which a statement is booked.
fn pay_day(statement: &Statement) -> Option<Date> {
    statement.pay_date.filter(|day| day.year() >= FIRST_YEAR)
}

fn title(statement: &Statement) -> String {
    match (statement.period_start, statement.period_end) {
        (Some(start), Some(end)) => format!("Pay from {start} to {end}"),
        _ => "Pay".to_owned(),
    }
}

fn facts(statement: &Statement) -> Facts {
    let check = statement.check_number.clone().map(|number| ("check", number));
    let hours = statement.hours.map(|hours| ("hours", hours.to_string()));
    [Some(("statement", statement.external_id.clone())), check, hours].into_iter().flatten().collect()
}

/// `TD Bank Checking 2600`
fn name(deposit: &DepositAccount) -> String {
    let kind = match deposit.account_type {
        Some(AccountType::Checking) => "Checking",
        Some(AccountType::Savings) => "Savings",
        None => "Account",
    };
    let bank = deposit.bank_name.as_deref().unwrap_or_default();
    format!("{bank} {kind} {}", deposit.account_number.last4())
}

const fn tax(kind: DeductionKind) -> &'static str {
    match kind {
        DeductionKind::Federal => "Federal",
        DeductionKind::State => "State",
        DeductionKind::SocialSecurity => "SocialSecurity",
        DeductionKind::Medicare => "Medicare",
        DeductionKind::Retirement | DeductionKind::Health | DeductionKind::Other => "Other",
    }
}
