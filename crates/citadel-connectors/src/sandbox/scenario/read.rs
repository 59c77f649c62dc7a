//! From a text to a scenario: every problem with the place where it stands.

use std::{
    collections::{BTreeSet, HashSet},
    hash::Hash,
};

use jiff::civil::{Date, date};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{ExtraLine, Generate, Job, MAX_DELAY, Scenario, Stub, TakenLine, show};
use crate::sandbox::logins;

/// Something that is wrong with a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: `payload.employments[0].income`; empty for the whole.
    pub field: String,
    /// What, as a sentence.
    pub message: String,
    /// The refusal's code, where it has one of its own: `reserved_credential` or `data_source_required`.
    pub code: Option<&'static str>,
}

/// A scenario that was read and checked.
#[derive(Clone, Debug)]
pub struct ReadScenario {
    json: Value,
    scenario: Scenario,
}

/// The most of each list.
const MAX_LIST: usize = 500;
/// The most extra lines on a generated statement.
pub(super) const MAX_EXTRAS: usize = crate::sandbox::ledger::MAX_EXTRAS;
/// The most days on which something becomes different: a scenario is read and checked anew for each.
const MAX_DAYS: usize = 100;
/// The longest text.
const MAX_TEXT: usize = 500;

impl ReadScenario {
    /// Reads a scenario from JSON, and checks it as it is on every day on which something becomes different.
    pub fn of(json: Value) -> Result<Self, Vec<Problem>> {
        let scenario = parse::<Scenario>(json.clone())?;
        let mut problems = Vec::new();
        check(&scenario, &mut problems);
        let days = days(&json);
        if days.len() > MAX_DAYS {
            let message = format!("Things can become different on {MAX_DAYS} days at most.");
            problems.push(Problem { field: "changes".to_owned(), message, code: None });
        }
        if problems.is_empty() {
            for day in days {
                match parse::<Scenario>(on_day(json.clone(), day)) {
                    Ok(then) => check(&then, &mut problems),
                    Err(found) => problems.extend(found),
                }
                if let Some(problem) = problems.first_mut() {
                    problem.message = format!("{} (as it is from {day} on)", problem.message);
                    break;
                }
            }
        }
        if problems.is_empty() { Ok(Self { json, scenario }) } else { Err(problems) }
    }

    /// As it was sent, before anything became different.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The same as JSON.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// As it is on a day.
    pub fn on(&self, day: Date) -> Scenario {
        let mut scenario = self.as_it_is(day);
        let mut days = days(&self.json);
        days.retain(|change| *change <= day);
        // The one before anything became different.
        let before = [Date::MIN].into_iter().chain(days).map(|day| (day, self.as_it_is(day)));
        for (from, then) in before {
            for (job, job_then) in scenario.payload.employments.iter_mut().zip(&then.payload.employments) {
                job.wages.extend(show::wage(job_then).map(|wage| (from, wage)));
            }
        }
        scenario
    }

    fn as_it_is(&self, day: Date) -> Scenario {
        // Checked for each day on which something becomes different, and it is the same between them.
        serde_json::from_value(on_day(self.json.clone(), day)).unwrap_or_else(|_| self.scenario.clone())
    }
}

fn parse<T: DeserializeOwned>(json: Value) -> Result<T, Vec<Problem>> {
    serde_path_to_error::deserialize(json).map_err(|error| {
        let field = match error.path().to_string() {
            path if path == "." => String::new(),
            path => path,
        };
        vec![Problem { field, message: sentence(&error.into_inner().to_string()), code: None }]
    })
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// Every day on which something becomes different, be it in what another change brings.
fn days(json: &Value) -> BTreeSet<Date> {
    let inner: BTreeSet<Date> = match json {
        Value::Object(object) => object.values().flat_map(days).collect(),
        Value::Array(list) => list.iter().flat_map(days).collect(),
        _ => BTreeSet::new(),
    };
    let own = json.get("changes").and_then(Value::as_array).into_iter().flatten();
    own.filter_map(|change| change.get("date")?.as_str()?.parse().ok()).chain(inner).collect()
}

/// The JSON as it is on a day: what changed up to then is merged into the object that it stands in, the earliest first.
fn on_day(json: Value, day: Date) -> Value {
    match json {
        Value::Object(mut object) => {
            let mut due: Vec<(Date, Map<String, Value>)> = match object.remove("changes") {
                Some(Value::Array(changes)) => changes.into_iter().filter_map(change).collect(),
                _ => Vec::new(),
            };
            due.retain(|(date, _)| *date <= day);
            due.sort_by_key(|(date, _)| *date);
            let merged = due.into_iter().fold(Value::Object(object), |merged, (_, set)| merge(merged, set));
            match merged {
                Value::Object(object) => {
                    object.into_iter().map(|(name, value)| (name, on_day(value, day))).collect()
                }
                other => other,
            }
        }
        Value::Array(list) => list.into_iter().map(|value| on_day(value, day)).collect(),
        other => other,
    }
}

fn change(change: Value) -> Option<(Date, Map<String, Value>)> {
    let Value::Object(mut change) = change else { return None };
    let date = change.get("date")?.as_str()?.parse().ok()?;
    match change.remove("set")? {
        Value::Object(set) => Some((date, set)),
        _ => None,
    }
}

/// RFC 7386.
fn merge(target: Value, patch: Map<String, Value>) -> Value {
    let Value::Object(mut target) = target else { return merge(Value::Object(Map::new()), patch) };
    for (name, value) in patch {
        match value {
            Value::Null => drop(target.remove(&name)),
            Value::Object(inner) => {
                let before = target.remove(&name).unwrap_or_default();
                target.insert(name, merge(before, inner));
            }
            value => drop(target.insert(name, value)),
        }
    }
    Value::Object(target)
}

fn check(scenario: &Scenario, problems: &mut Vec<Problem>) {
    let mut refuse = |field: &str, message: &str| {
        problems.push(Problem { field: field.to_owned(), message: message.to_owned(), code: None });
    };
    let is_line = |text: &str| {
        (1..=100).contains(&text.chars().count())
            && !text.chars().any(char::is_control)
            && text.trim() == text
    };
    for (field, text) in [
        ("label", scenario.label.as_str()),
        ("username", scenario.username.as_str()),
        ("password", scenario.password.expose()),
    ] {
        if !is_line(text) {
            refuse(field, "Send 1 to 100 characters on one line, without blanks around them.");
        }
    }
    if scenario.delay.is_some_and(|delay| delay > MAX_DELAY) {
        refuse("delay", "At most 100 seconds.");
    }
    if let Some(status) = &scenario.status
        && !status.parse().is_ok_and(|status: citadel_domain::TaskStatus| status.is_final())
    {
        refuse("status", "Send a final task status, such as done or account_locked.");
    }
    for product in scenario.products.iter().flatten() {
        if product.parse::<citadel_domain::Product>().is_err() {
            refuse("products", "Send products: employment, income, admin, deposit_switch, pll or fas.");
        }
    }
    if scenario.data_source.is_empty() {
        problems.push(Problem {
            field: "data_source".to_owned(),
            message: "This field is required.".to_owned(),
            code: Some("data_source_required"),
        });
    } else if scenario.data_source != "payroll" {
        problems.push(Problem {
            field: "data_source".to_owned(),
            message: "The one data source is payroll.".to_owned(),
            code: None,
        });
    }
    if logins::is_taken(&scenario.username) {
        problems.push(Problem {
            field: "username".to_owned(),
            message: "This user name belongs to the sandbox.".to_owned(),
            code: Some("reserved_credential"),
        });
    }
    let jobs = &scenario.payload.employments;
    let mut checker = Checker { problems };
    checker.list("payload.employments", jobs.len());
    let id = |(index, job): (usize, &Job)| show::job_id(job, index);
    checker.once("payload.employments", "id", jobs.iter().enumerate().map(id));
    for (index, job) in jobs.iter().enumerate() {
        checker.job(&format!("payload.employments[{index}]"), job);
    }
}

struct Checker<'a> {
    problems: &'a mut Vec<Problem>,
}

impl Checker<'_> {
    fn refuse(&mut self, field: String, message: impl Into<String>) {
        self.problems.push(Problem { field, message: message.into(), code: None });
    }

    fn list(&mut self, field: &str, length: usize) {
        if length > MAX_LIST {
            self.refuse(field.to_owned(), format!("At most {MAX_LIST}."));
        }
    }

    /// Reports tell the members of a list apart by this.
    fn once<T: Eq + Hash>(&mut self, at: &str, field: &str, keys: impl Iterator<Item = T>) {
        let mut seen = HashSet::new();
        for (index, key) in keys.enumerate() {
            if !seen.insert(key) {
                self.refuse(format!("{at}[{index}].{field}"), "It is there twice.");
            }
        }
    }

    fn word<T>(&mut self, field: String, word: Option<&String>, read: fn(&str) -> Option<T>, known: &str) {
        if word.is_some_and(|word| read(word).is_none()) {
            self.refuse(field, format!("Send one of {known}."));
        }
    }

    fn text(&mut self, field: String, text: Option<&String>) {
        if text.is_some_and(|text| text.chars().count() > MAX_TEXT) {
            self.refuse(field, format!("At most {MAX_TEXT} characters."));
        }
    }

    fn job(&mut self, at: &str, job: &Job) {
        self.word(format!("{at}.job_type"), job.job_type.as_ref(), show::job_type, "F, P, S or D");
        self.word(
            format!("{at}.income_unit"),
            job.income_unit.as_ref(),
            show::pay_unit,
            "YEARLY, MONTHLY, WEEKLY, DAILY or HOURLY",
        );
        self.word(
            format!("{at}.pay_frequency"),
            job.pay_frequency.as_ref(),
            show::pay_frequency,
            "W, BW, SM or M",
        );
        for (name, text) in [
            ("job_title", job.job_title.as_ref()),
            ("manager_name", job.manager_name.as_ref()),
            ("profile.first_name", job.profile.first_name.as_ref()),
            ("profile.last_name", job.profile.last_name.as_ref()),
            ("profile.middle_initials", job.profile.middle_initials.as_ref()),
            ("profile.email", job.profile.email.as_ref()),
            ("company.name", job.company.name.as_ref()),
        ] {
            self.text(format!("{at}.{name}"), text);
        }
        let digits =
            |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        if job.profile.ssn.as_ref().is_some_and(|ssn| !digits(ssn.expose(), 9)) {
            self.refuse(format!("{at}.profile.ssn"), "Send nine digits.");
        }
        self.list(&format!("{at}.statements"), job.statements.len());
        self.list(&format!("{at}.bank_accounts"), job.bank_accounts.len());
        self.list(&format!("{at}.w2s"), job.w2s.len());
        let id = |(index, stub): (usize, &Stub)| stub.id.clone().unwrap_or_else(|| show::statement_id(index));
        self.once(&format!("{at}.statements"), "id", job.statements.iter().enumerate().map(id));
        self.once(&format!("{at}.w2s"), "year", job.w2s.iter().map(|form| form.year));
        if let Some(generate) = &job.generate {
            self.generate(&format!("{at}.generate"), job, generate);
        }
        for (index, stub) in job.statements.iter().enumerate() {
            let at = format!("{at}.statements[{index}]");
            self.word(
                format!("{at}.basis_of_pay"),
                stub.basis_of_pay.as_ref(),
                show::basis,
                "S, H, D, W or M",
            );
            for (line, earned) in stub.earnings.iter().enumerate() {
                let field = format!("{at}.earnings[{line}].category");
                self.word(field, earned.category.as_ref(), show::earning_kind, EARNINGS);
            }
            for (line, taken) in stub.deductions.iter().enumerate() {
                self.taken(&format!("{at}.deductions[{line}]"), taken);
            }
        }
        for (index, account) in job.bank_accounts.iter().enumerate() {
            let at = format!("{at}.bank_accounts[{index}]");
            self.word(
                format!("{at}.account_type"),
                account.account_type.as_ref(),
                show::account_type,
                "C or S",
            );
            self.word(
                format!("{at}.deposit_type"),
                account.deposit_type.as_ref(),
                show::deposit_type,
                "E, P or A",
            );
        }
    }

    fn taken(&mut self, at: &str, line: &TakenLine) {
        self.word(format!("{at}.category"), line.category.as_ref(), show::deduction_kind, DEDUCTIONS);
    }

    fn generate(&mut self, at: &str, job: &Job, generate: &Generate) {
        let is_ready = job.start_date.is_some()
            && job.income.is_some_and(|income| income.0.cents() > 0)
            && job.income_unit.is_some()
            && job.pay_frequency.is_some();
        if !is_ready {
            self.refuse(
                at.to_owned(),
                "Statements are written from the job's start_date, income, income_unit and pay_frequency.",
            );
        }
        if job.start_date.is_some_and(|start| start < date(1900, 1, 1)) {
            self.refuse(
                at.to_owned(),
                "Statements are written from 1900 on, and not for a start_date before.",
            );
        }
        if generate.hours_per_week.is_some_and(|hours| !(1.into()..=100.into()).contains(&hours.0)) {
            self.refuse(format!("{at}.hours_per_week"), "Between 1 and 100.");
        }
        if generate.bonus.is_some_and(|bonus| {
            !(1..=12).contains(&bonus.month) || !(0.into()..=100.into()).contains(&bonus.percent.0)
        }) {
            self.refuse(format!("{at}.bonus"), "A month is 1 to 12, a percent 0 to 100.");
        }
        if generate
            .benefits
            .and_then(|plans| plans.retirement_percent)
            .is_some_and(|percent| !(0.into()..=50.into()).contains(&percent.0))
        {
            self.refuse(format!("{at}.benefits.retirement_percent"), "Between 0 and 50.");
        }
        let extras =
            generate.earnings.len() + generate.deductions.len() + generate.taxes.as_ref().map_or(0, Vec::len);
        if extras > MAX_EXTRAS {
            self.refuse(at.to_owned(), format!("At most {MAX_EXTRAS} earnings, deductions and taxes."));
        }
        for (index, line) in generate.earnings.iter().enumerate() {
            let at = format!("{at}.earnings[{index}]");
            self.word(format!("{at}.category"), line.category.as_ref(), show::earning_kind, EARNINGS);
            self.extra(&at, line);
        }
        for (index, line) in generate.deductions.iter().enumerate() {
            let at = format!("{at}.deductions[{index}]");
            self.word(format!("{at}.category"), line.category.as_ref(), show::deduction_kind, DEDUCTIONS);
            self.extra(&at, line);
        }
        for (index, line) in generate.taxes.iter().flatten().enumerate() {
            if !(0.into()..=30.into()).contains(&line.percent.0) {
                self.refuse(format!("{at}.taxes[{index}].percent"), "Between 0 and 30.");
            }
        }
        for (index, field) in generate.omit.iter().enumerate() {
            if !show::OMITTABLE.contains(&field.as_str()) {
                let known = show::OMITTABLE.join(", ");
                self.refuse(format!("{at}.omit[{index}]"), format!("Send one of {known}."));
            }
        }
    }

    fn extra(&mut self, at: &str, line: &ExtraLine) {
        match (line.amount, line.percent) {
            (Some(_), None) => {}
            (None, Some(percent)) if (0.into()..=100.into()).contains(&percent.0) => {}
            (None, Some(_)) => self.refuse(format!("{at}.percent"), "Between 0 and 100."),
            _ => self.refuse(at.to_owned(), "Send amount or percent, and not both."),
        }
    }
}

const EARNINGS: &str = "regular, overtime, bonus, commission or other";
const DEDUCTIONS: &str = "federal, state, socialsec, medicare, retirement, health or other";
