//! From a text to a scenario: every problem with the place where it stands.

use std::{collections::HashSet, hash::Hash, ops::RangeInclusive};

use citadel_domain::account::DepositType;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Account, Amount, ExtraLine, Generate, Job, MAX_DELAY, Number, Scenario, Stub, TakenLine,
    changes::{change_of, days, on_day, set_at},
    show,
};
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

/// The longest JSON: it is opened and read for each sign-in.
const MAX_BYTES: usize = 64 * 1024;
/// The most of each list.
const MAX_LIST: usize = 500;
/// The most jobs whose statements are written: each can have thousands, on a clock that was turned far.
const MAX_GENERATED: usize = 20;
/// The years of all days.
const YEARS: RangeInclusive<i16> = 1900..=2199;
const BEYOND: &str = "Send a day of the years 1900 to 2199.";
/// The most extra lines on a generated statement.
pub(super) const MAX_EXTRAS: usize = crate::sandbox::ledger::MAX_EXTRAS;
/// The most days on which something becomes different: a scenario is read and checked anew for each.
const MAX_DAYS: usize = 100;
/// The longest text.
const MAX_TEXT: usize = 500;

/// Reads a scenario, and checks it as it is on every day on which something becomes different.
///
/// A problem of a day stands where the change of that day does.
pub fn read(json: &Value) -> Result<Scenario, Vec<Problem>> {
    let refused = |field: String, message: String| Problem { field, message, code: None };
    if json.to_string().len() > MAX_BYTES {
        let message = format!("A scenario has {MAX_BYTES} bytes at most, without blanks between its parts.");
        return Err(vec![refused(String::new(), message)]);
    }
    let mut problems = Vec::new();
    lists(json, "", &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let scenario = parse::<Scenario>(json)?;
    check(&scenario, &mut problems);
    let days = days(json);
    if days.len() > MAX_DAYS {
        let message = format!("Things can become different on {MAX_DAYS} days at most.");
        problems.push(refused("changes".to_owned(), message));
    }
    let beyond = days.iter().filter(|day| !YEARS.contains(&day.year()));
    let beyond = beyond.filter_map(|day| change_of(json, *day));
    problems.extend(beyond.map(|change| refused(format!("{change}.date"), BEYOND.to_owned())));
    if problems.is_empty() {
        for day in days {
            match parse::<Scenario>(&on_day(json.clone(), day)) {
                Ok(then) => check(&then, &mut problems),
                Err(found) => problems.extend(found),
            }
            if !problems.is_empty() {
                for problem in &mut problems {
                    problem.field = set_at(json, &problem.field, day);
                    problem.message = format!("{} (as it is from {day} on)", problem.message);
                }
                break;
            }
        }
    }
    if problems.is_empty() { Ok(scenario) } else { Err(problems) }
}

fn parse<T: DeserializeOwned>(json: &Value) -> Result<T, Vec<Problem>> {
    serde_path_to_error::deserialize(json).map_err(|error| {
        let mut field = match error.path().to_string() {
            path if path == "." => String::new(),
            path => path,
        };
        let text = error.into_inner().to_string();
        if let Some(name) = text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
            field = if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") };
        }
        // Before the last ", expected " stands what was sent, which may be a password.
        let quotes = ["invalid type: ", "invalid value: ", "unknown variant "];
        let message = match text.rsplit_once(", expected ") {
            Some((found, expected)) if quotes.iter().any(|quote| found.starts_with(quote)) => {
                format!("Wrong value: expected {expected}.")
            }
            _ => sentence(&text),
        };
        vec![Problem { field, message, code: None }]
    })
}

/// The fields that hold lists.
const LISTS: [&str; 11] = [
    "products",
    "faults",
    "changes",
    "employments",
    "statements",
    "bank_accounts",
    "w2s",
    "earnings",
    "deductions",
    "taxes",
    "omit",
];

/// Refuses lists where objects belong: their members would be taken for fields, in the order in which this program has them.
fn lists(json: &Value, at: &str, problems: &mut Vec<Problem>) {
    match json {
        Value::Object(object) => {
            for (name, value) in object {
                let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                match value {
                    Value::Array(list) if LISTS.contains(&name.as_str()) => {
                        for (place, value) in list.iter().enumerate() {
                            lists(value, &format!("{at}[{place}]"), problems);
                        }
                    }
                    value => lists(value, &at, problems),
                }
            }
        }
        Value::Array(_) => problems.push(Problem {
            field: at.to_owned(),
            message: "This is a list; send an object or a value.".to_owned(),
            code: None,
        }),
        _ => {}
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
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
    if jobs.iter().filter(|job| job.generate.is_some()).count() > MAX_GENERATED {
        checker.refuse("payload.employments".to_owned(), format!("At most {MAX_GENERATED} with generate."));
    }
    let id = |(index, job): (usize, &Job)| show::job_id(job.id.as_deref(), index);
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

    fn day(&mut self, field: String, day: Option<Date>) {
        if day.is_some_and(|day| !YEARS.contains(&day.year())) {
            self.refuse(field, BEYOND);
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
        for (name, day) in [
            ("start_date", job.start_date),
            ("end_date", job.end_date),
            ("original_hire_date", job.original_hire_date),
            ("external_last_updated", job.external_last_updated),
            ("profile.date_of_birth", job.profile.date_of_birth),
        ] {
            self.day(format!("{at}.{name}"), day);
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
        for (index, form) in job.w2s.iter().enumerate() {
            if !YEARS.contains(&form.year) {
                self.refuse(format!("{at}.w2s[{index}].year"), BEYOND);
            }
        }
        if let Some(generate) = &job.generate {
            self.generate(&format!("{at}.generate"), job, generate);
        }
        for (index, stub) in job.statements.iter().enumerate() {
            let at = format!("{at}.statements[{index}]");
            for (name, day) in [
                ("pay_date", stub.pay_date),
                ("period_start", stub.period_start),
                ("period_end", stub.period_end),
            ] {
                self.day(format!("{at}.{name}"), day);
            }
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
            self.share(format!("{at}.deposit_value"), account);
        }
    }

    fn share(&mut self, field: String, account: &Account) {
        let Some(Number(value)) = account.deposit_value else { return };
        match account.deposit_type.as_deref().and_then(show::deposit_type) {
            Some(DepositType::Percent) if !(0.into()..=100.into()).contains(&value) => {
                self.refuse(field, "Between 0 and 100.");
            }
            Some(DepositType::Amount) if value < 0.into() || Amount::of(value).is_none() => {
                self.refuse(
                    field,
                    "An amount has at most two digits after the point, and is from 0 to below 100 million.",
                );
            }
            _ => {}
        }
    }

    fn taken(&mut self, at: &str, line: &TakenLine) {
        self.word(format!("{at}.category"), line.category.as_ref(), show::deduction_kind, DEDUCTIONS);
    }

    fn generate(&mut self, at: &str, job: &Job, generate: &Generate) {
        if job.income.is_some_and(|income| income.0.cents() <= 0) {
            let field = format!("{}.income", at.trim_end_matches(".generate"));
            self.refuse(field, "Statements are generated from it: send more than 0.");
        }
        let is_ready = job.start_date.is_some()
            && job.income.is_some()
            && job.income_unit.is_some()
            && job.pay_frequency.is_some();
        if !is_ready {
            self.refuse(
                at.to_owned(),
                "Statements are written from the job's start_date, income, income_unit and pay_frequency.",
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
        self.day(format!("{at}.from"), line.from);
        self.day(format!("{at}.until"), line.until);
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
