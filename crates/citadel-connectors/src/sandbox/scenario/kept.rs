//! A scenario that is kept: who signs in with it, and what it is on a day.

use std::collections::HashMap;

use citadel_domain::{Fault, Product};
use jiff::civil::Date;
use serde_json::Value;

use super::{
    Job, Scenario,
    changes::{days, field_on, on_day},
    show,
};

/// The JSON of a scenario that was [read](super::read) and found right before it was kept. It is not checked again.
#[derive(Clone, Debug)]
pub struct Kept(Value);

impl Kept {
    /// From its JSON.
    pub const fn new(json: Value) -> Self {
        Self(json)
    }

    /// Whether a sign-in for a product at a provider meets it with this password. It is asked of every scenario of a user name, so
    /// nothing else is looked at.
    pub fn is_for(&self, day: Date, provider_id: &str, product: Product, password: &str) -> bool {
        let field = |name| field_on(&self.0, name, day);
        let text = |name| field(name).and_then(Value::as_str);
        let serves = |products: &Vec<Value>| {
            products.is_empty() || products.iter().any(|served| served == product.as_str())
        };
        text("password") == Some(password)
            && text("provider_id").is_none_or(|provider| provider == provider_id)
            && field("products").and_then(Value::as_array).is_none_or(serves)
    }

    /// What goes wrong on a day.
    pub fn faults(&self, day: Date) -> Vec<Fault> {
        let faults = field_on(&self.0, "faults", day).cloned();
        faults.and_then(|faults| serde_json::from_value(faults).ok()).unwrap_or_default()
    }

    /// As it is on a day. `None` for one that an older version of this program has kept, and that is none any more.
    pub fn on(&self, day: Date) -> Option<Scenario> {
        let mut scenario: Scenario = serde_json::from_value(on_day(self.0.clone(), day)).ok()?;
        let jobs = &mut scenario.payload.employments;
        if jobs.iter().all(|job| job.generate.is_none()) {
            return Some(scenario);
        }
        let ids = jobs.iter().enumerate().filter(|(_, job)| job.generate.is_some());
        let places: HashMap<String, usize> =
            ids.map(|(index, job)| (show::job_id(job.id.as_deref(), index), index)).collect();
        let terms = only(&self.0);
        // The one before anything became different.
        let before = [Date::MIN].into_iter().chain(days(&terms).into_iter().filter(|change| *change <= day));
        for from in before {
            let mut then = on_day(terms.clone(), from);
            let listed = then.pointer_mut("/payload/employments").and_then(Value::as_array_mut);
            for (index, job) in listed.into_iter().flatten().enumerate() {
                let id = show::job_id(job.get("id").and_then(Value::as_str), index);
                let wage = |job: Job| show::wage(&job);
                if let Some(place) = places.get(&id)
                    && let Some(wage) = serde_json::from_value(job.take()).ok().and_then(wage)
                {
                    jobs[*place].wages.push((from, wage));
                }
            }
        }
        Some(scenario)
    }
}

/// What tells jobs apart, what they pay, and what leads there.
const TERMS: [&str; 10] = [
    "payload",
    "employments",
    "id",
    "income",
    "income_unit",
    "generate",
    "hours_per_week",
    "changes",
    "date",
    "set",
];

/// The JSON without all that does not belong to the terms of pay, because it is read once for each day.
fn only(json: &Value) -> Value {
    match json {
        Value::Object(object) => {
            let terms = object.iter().filter(|(name, _)| TERMS.contains(&name.as_str()));
            terms.map(|(name, value)| (name.clone(), only(value))).collect()
        }
        Value::Array(list) => list.iter().map(only).collect(),
        other => other.clone(),
    }
}
