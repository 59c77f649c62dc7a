//! Where each value of a report came from (`?provenance=1`): for every leaf, by JSON pointer, whether the provider told it, we
//! reckoned it, or we wrote it; when; and why it is missing, if it is.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Facts, time};
use crate::error::{self, ApiResult};

/// What is told of one leaf.
#[derive(Serialize)]
struct Origin {
    /// `reported` by the provider, `computed` from what it reported, `recorded` by this server, or `missing`.
    basis: &'static str,
    /// The provider's id, or `citadel`.
    source: String,
    /// When it was read, reckoned or written.
    observed_at: Option<String>,
    /// From what it was computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'static str>,
    /// Why it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
}

/// The report with a member `provenance` more.
pub(super) fn add(report: &[u8], facts: &Facts) -> ApiResult<Vec<u8>> {
    let mut report: Value = serde_json::from_slice(report).map_err(error::internal)?;
    let mut walk = Walk {
        provider: &facts.link.provider_id,
        // Accounts are read by the task that changes them, which began then.
        read_at: facts
            .report
            .as_ref()
            .map(|report| report.updated_at)
            .or_else(|| {
                facts
                    .changes
                    .iter()
                    .find(|change| change.plan_sealed.is_some())
                    .map(|change| change.created_at)
            })
            .map(time),
        recorded_at: facts.task.as_ref().map(|task| time(task.updated_at)),
        found: Map::new(),
    };
    walk.value("", &report, &mut Vec::new())?;
    let found = walk.found;
    if let Value::Object(report) = &mut report {
        report.insert("provenance".to_owned(), Value::Object(found));
    }
    serde_json::to_vec(&report).map_err(error::internal)
}

struct Walk<'a> {
    provider: &'a str,
    read_at: Option<String>,
    recorded_at: Option<String>,
    found: Map<String, Value>,
}

impl Walk<'_> {
    /// `around` are the objects that the value stands in, the outermost first, with the name under which each holds the next.
    fn value<'v>(
        &mut self,
        pointer: &str,
        value: &'v Value,
        around: &mut Vec<(&'v Map<String, Value>, &'v str)>,
    ) -> ApiResult<()> {
        match value {
            Value::Object(object) => {
                for (name, inner) in object {
                    around.push((object, name));
                    let escaped = name.replace('~', "~0").replace('/', "~1");
                    self.value(&format!("{pointer}/{escaped}"), inner, around)?;
                    around.pop();
                }
            }
            Value::Array(list) if !list.is_empty() => {
                for (index, inner) in list.iter().enumerate() {
                    self.value(&format!("{pointer}/{index}"), inner, around)?;
                }
            }
            leaf => {
                let origin = serde_json::to_value(self.origin(leaf, around)).map_err(error::internal)?;
                self.found.insert(pointer.to_owned(), origin);
            }
        }
        Ok(())
    }

    fn origin(&self, leaf: &Value, around: &[(&Map<String, Value>, &str)]) -> Origin {
        let names: Vec<&str> = around.iter().map(|(_, name)| *name).collect();
        let holder = around.last().map(|(object, _)| *object);
        let told = |basis, from, why| Origin {
            basis,
            source: self.provider.to_owned(),
            observed_at: self.read_at.clone(),
            from,
            why,
        };
        let ours = |basis, from, why| Origin {
            basis,
            source: "citadel".to_owned(),
            observed_at: self.recorded_at.clone(),
            from,
            why,
        };
        let is_absent = leaf.is_null()
            || leaf.as_array().is_some_and(Vec::is_empty)
            || is_data(&names) && leaf.as_str() == Some("");
        if !is_data(&names) {
            return if leaf.is_null() {
                ours("missing", None, Some(why_not_recorded(names.last().copied().unwrap_or_default())))
            } else {
                ours("recorded", None, None)
            };
        }
        let computed = computed_from(&names, leaf);
        match (is_absent, computed) {
            (false, Some(from)) => ours("computed", Some(from), None),
            (false, None) => told("reported", None, None),
            (true, Some(from)) => ours("missing", Some(from), Some("There is nothing to compute it from.")),
            (true, None) => told("missing", None, Some(why_not_told(&names, holder))),
        }
    }
}

/// Whether a value is about the person or company, and not about the report, its ids and its files.
fn is_data(names: &[&str]) -> bool {
    let is_inside = matches!(names.first(), Some(&("employments" | "directory" | "initial_accounts")));
    let is_ours = matches!(
        names.last(),
        Some(
            &("id"
                | "created_at"
                | "updated_at"
                | "file"
                | "md5sum"
                | "derived_fields"
                | "missing_data_fields"
                | "dates_from_statements"
                | "employed_in_role")
        )
    );
    is_inside && !is_ours
}

/// From what a value is computed, if it is. The same fields stand in `derived_fields`.
fn computed_from(names: &[&str], leaf: &Value) -> Option<&'static str> {
    match names {
        // What a line is called that fits nothing else.
        [.., "category"] if leaf.as_str() == Some("other") => Some("name"),
        ["employments", "profile", "full_name"] | ["directory", "full_name"] => {
            Some("first_name, middle_initials and last_name")
        }
        ["employments", "annual_income_summary", _] => Some("statements"),
        ["employments", "statements", field] if super::employments::SUMS.contains(field) => Some("earnings"),
        _ => None,
    }
}

fn why_not_told(names: &[&str], holder: Option<&Map<String, Value>>) -> &'static str {
    match names.last().copied().unwrap_or_default() {
        "end_date" if holder.is_some_and(|job| job.get("is_active") == Some(&Value::Bool(true))) => {
            "The job goes on."
        }
        "end_date" if holder.is_some_and(|job| job.get("is_active") == Some(&Value::Null)) => {
            "Nothing says that the job has ended."
        }
        "middle_initials" => "The provider knows none.",
        "deposit_value" => "The account takes what the others leave.",
        "rate" | "units" => "The provider shows the line without it.",
        "employments" | "directory" | "initial_accounts" => "Nothing has been read yet.",
        "statements"
        | "bank_accounts"
        | "w2s"
        | "annual_income_summary"
        | "earnings"
        | "earnings_ytd"
        | "deductions"
        | "deductions_ytd" => "The provider shows none.",
        _ => "The provider did not give it.",
    }
}

fn why_not_recorded(name: &str) -> &'static str {
    match name {
        "md5sum" => "The document is drawn when it is fetched: there are no bytes yet to take a sum of.",
        "employed_in_role" | "pdf_report" => "This release does not make it.",
        "tracking_info" => "None was sent with the bridge token.",
        "refresh_status" => "The link was never refreshed.",
        "completed_at" | "finished_at" => "The newest task has not ended well.",
        _ => "There is none.",
    }
}
