//! What a page shows of a report: the values of fields that are named here, of the most personal ones the last four signs, and of
//! all others nothing, so that a field which comes later is masked until somebody decides otherwise (P7).

use std::collections::BTreeSet;

use serde_json::Value;

/// In place of a value.
const MASK: &str = "•••";
/// Shorter texts would be told by their end.
const LEAST: usize = 8;

/// Told as they are: about a person or a job, but not what opens accounts or names.
const SHOWN: [&str; 74] = [
    "account_type",
    "action",
    "amount",
    "bank_address",
    "bank_name",
    "basis_of_pay",
    "bonus",
    "bonus_ytd",
    "category",
    "city",
    "commission",
    "commission_ytd",
    "completed_at",
    "country",
    "created_at",
    "data_source",
    "dates_from_statements",
    "department",
    "deposit_type",
    "deposit_value",
    "derived_fields",
    "document_subtype",
    "document_type",
    "ein",
    "email",
    "employed_in_role",
    "end_date",
    "external_last_updated",
    "finished_at",
    "first_name",
    "full_name",
    "gross_pay",
    "gross_pay_ytd",
    "hours",
    "id",
    "income",
    "income_unit",
    "is_active",
    "is_suspicious",
    "job_title",
    "job_type",
    "last_name",
    "manager_name",
    "micro_deposits_required",
    "middle_initials",
    "missing_data_fields",
    "name",
    "net_pay",
    "net_pay_ytd",
    "original_hire_date",
    "other_pay",
    "other_pay_ytd",
    "overtime",
    "overtime_ytd",
    "pay_date",
    "pay_frequency",
    "pay_rate",
    "period_end",
    "period_start",
    "phone",
    "provider",
    "rate",
    "refresh_status",
    "regular",
    "regular_ytd",
    "start_date",
    "state",
    "status",
    "street",
    "tracking_info",
    "units",
    "updated_at",
    "year",
    "zip",
];
/// Of these the end is told, by which their owner knows them.
const LAST_FOUR: [&str; 3] = ["account_number", "routing_number", "ssn"];
/// Not even when the rest is revealed: they open documents, or the link itself.
const NEVER: [&str; 4] = ["access_token", "file", "logo_url", "pdf_report"];

/// A report as a page shows it.
pub(super) struct Shown {
    pub(super) json: String,
    /// The fields that are masked, or that were revealed.
    pub(super) personal: BTreeSet<String>,
}

/// `None`: it is no JSON.
pub(super) fn show(report: &[u8], is_revealed: bool) -> Option<Shown> {
    let mut value: Value = serde_json::from_slice(report).ok()?;
    let mut walk = Walk { is_revealed, personal: BTreeSet::new() };
    walk.value("", &mut value);
    Some(Shown { json: serde_json::to_string_pretty(&value).ok()?, personal: walk.personal })
}

struct Walk {
    is_revealed: bool,
    personal: BTreeSet<String>,
}

impl Walk {
    /// A value under its field's name. Elements of a list go by the list's name.
    fn value(&mut self, name: &str, value: &mut Value) {
        match value {
            Value::Object(members) => members.iter_mut().for_each(|(name, value)| self.value(name, value)),
            Value::Array(elements) => elements.iter_mut().for_each(|element| self.value(name, element)),
            Value::Null => {}
            _ if SHOWN.contains(&name) => {}
            _ if NEVER.contains(&name) => *value = MASK.into(),
            _ => {
                self.personal.insert(name.to_owned());
                if !self.is_revealed {
                    *value = mask(name, value).into();
                }
            }
        }
    }
}

fn mask(name: &str, value: &Value) -> String {
    let text = value.as_str().filter(|text| LAST_FOUR.contains(&name) && text.chars().count() >= LEAST);
    let end = text.and_then(|text| text.char_indices().rev().nth(3).map(|(at, _)| &text[at..]));
    format!("{MASK}{}", end.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(report: &Value, is_revealed: bool, expected: &Value, personal: &[&str]) {
        let shown = show(report.to_string().as_bytes(), is_revealed).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&shown.json).unwrap(), *expected);
        assert_eq!(shown.personal.iter().map(String::as_str).collect::<Vec<_>>(), personal);
    }

    #[test]
    fn p07_what_is_not_named_is_masked() {
        let report = json!({"employments": [{"id": "1", "profile": {
            "ssn": "991-91-9991", "date_of_birth": "1970-01-02", "first_name": "Anna", "shoe_size": 41, "is_tall": true,
            "email": null, "ssn_of_spouse": "991919992"}, "w2s": [{"year": 2025, "wages": "90000", "file": "https://x"}],
            "bank_accounts": [{"account_number": "0012345678", "routing_number": "1234567", "bank_name": "Bank"}]}],
            "notes": ["991919993"], "derived_fields": ["income"]});
        let personal =
            ["account_number", "date_of_birth", "is_tall", "notes", "routing_number", "shoe_size", "ssn"];
        let personal = [&personal[..], &["ssn_of_spouse", "wages"]].concat();
        let masked = json!({"employments": [{"id": "1", "profile": {
            "ssn": "•••9991", "date_of_birth": "•••", "first_name": "Anna", "shoe_size": "•••", "is_tall": "•••",
            "email": null, "ssn_of_spouse": "•••"}, "w2s": [{"year": 2025, "wages": "•••", "file": "•••"}],
            "bank_accounts": [{"account_number": "•••5678", "routing_number": "•••", "bank_name": "Bank"}]}],
            "notes": ["•••"], "derived_fields": ["income"]});
        check(&report, false, &masked, &personal);
        let mut revealed = report.clone();
        revealed["employments"][0]["w2s"][0]["file"] = json!("•••");
        check(&report, true, &revealed, &personal);
    }

    #[test]
    fn a_name_that_means_something_else_inside_of_something_personal_tells_nothing() {
        // A list of what has no name of its own goes by the list's name, and a number has no end to tell.
        check(
            &json!({"ssn": [991_919_991, "€€€€€€€€abcd"]}),
            false,
            &json!({"ssn": ["•••", "•••abcd"]}),
            &["ssn"],
        );
        assert!(show(b"ssn=991919991", false).is_none());
    }
}
