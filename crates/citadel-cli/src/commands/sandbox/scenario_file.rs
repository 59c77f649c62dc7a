//! A file of scenarios, each with the line on which it begins, so that what is wrong can be told by line.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
};

use serde_json::{Value, value::RawValue};

/// A scenario of a file, not checked yet.
#[derive(Debug)]
pub(super) struct Scenario<'a> {
    /// Its text.
    pub(super) text: &'a str,
    /// Where it begins, from 1.
    pub(super) line: usize,
    /// What it is called. Empty when it does not say, which the server will refuse.
    pub(super) label: String,
    pub(super) data_source: String,
    /// Its top-level keys.
    pub(super) keys: HashSet<String>,
}

impl Scenario<'_> {
    /// The text behind as many empty lines as there are before it in the file: so the server's line numbers are the file's.
    pub(super) fn in_place(&self) -> String {
        format!("{}{}", "\n".repeat(self.line - 1), self.text)
    }

    /// As [`Scenario::in_place`], to be put in the place of a scenario with these keys: those that it does not have are taken
    /// away.
    pub(super) fn in_place_of<'k>(&self, keys: impl Iterator<Item = &'k String>) -> String {
        let mut text = self.in_place();
        // The last letter of an object.
        text.truncate(text.len() - 1);
        for key in keys.filter(|key| !self.keys.contains(*key)) {
            text.push_str(&format!(", {}: null", Value::from(key.as_str())));
        }
        text.push('}');
        text
    }
}

/// What is wrong with a file, and where: a line from 1, and a column where it is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) line: usize,
    pub(super) column: Option<usize>,
    pub(super) message: String,
}

/// The scenarios of a text: one, a list of them, or `{"scenarios": [...]}`.
pub(super) fn read(text: &str) -> Result<Vec<Scenario<'_>>, Problem> {
    let whole: &RawValue = serde_json::from_str(text).map_err(|error| Problem {
        line: error.line().max(1),
        column: Some(error.column()),
        message: format!("this is not JSON: {}", without_place(&error)),
    })?;
    let listed = match object(whole) {
        Some(mut object) if !object.contains_key("payload") => object.remove("scenarios").unwrap_or(whole),
        _ => whole,
    };
    let list = serde_json::from_str::<Vec<&RawValue>>(listed.get()).unwrap_or_else(|_| vec![listed]);
    let mut seen = HashSet::new();
    let scenarios = list.into_iter().map(|raw| {
        let scenario = scenario(text, raw)?;
        if !scenario.label.is_empty() && !seen.insert((scenario.data_source.clone(), scenario.label.clone()))
        {
            let message = format!("label: another scenario of this file is called {}", scenario.label);
            return Err(Problem { line: scenario.line, column: None, message });
        }
        Ok(scenario)
    });
    scenarios.collect()
}

fn scenario<'a>(text: &'a str, raw: &'a RawValue) -> Result<Scenario<'a>, Problem> {
    let line = line_of(text, raw);
    let Some(object) = object(raw) else {
        let message =
            "this is not a scenario: write an object, a list of them, or {\"scenarios\": [...]}".to_owned();
        return Err(Problem { line, column: None, message });
    };
    let word = |key: &str| {
        let value = object.get(key).and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
        value.unwrap_or_default()
    };
    Ok(Scenario {
        text: raw.get(),
        line,
        label: word("label"),
        data_source: word("data_source"),
        keys: object.keys().map(|key| key.clone().into_owned()).collect(),
    })
}

fn object(raw: &RawValue) -> Option<BTreeMap<Cow<'_, str>, &RawValue>> {
    serde_json::from_str(raw.get()).ok()
}

fn line_of(text: &str, raw: &RawValue) -> usize {
    // The value is a part of the text.
    let offset = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    text.get(..offset).unwrap_or_default().matches('\n').count() + 1
}

/// The parser's words, whose end says the place again.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(words, _)| words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(usize, String)> {
        read(text).unwrap().into_iter().map(|each| (each.line, each.label)).collect()
    }

    #[test]
    fn one_or_a_list_or_a_list_under_its_name() {
        let check = |text, expected: &[(usize, &str)]| {
            let expected: Vec<_> =
                expected.iter().map(|(line, label)| (*line, (*label).to_owned())).collect();
            assert_eq!(lines(text), expected, "{text}");
        };
        check("\n\n{\"label\": \"a\"}", &[(3, "a")]);
        check("[\n{\"label\": \"a\"},\n\n{\"label\": \"b\"}]", &[(2, "a"), (4, "b")]);
        check("{\"scenarios\":\n [{\"label\": \"a\"}]}", &[(2, "a")]);
        check("[]", &[]);
        // A scenario that is wrong stays one, and the server says so.
        check("{\"label\": 7}", &[(1, "")]);
    }

    #[test]
    fn what_is_wrong_is_told_by_line() {
        let check = |text, line, column| {
            let problem = read(text).unwrap_err();
            assert_eq!((problem.line, problem.column), (line, column), "{text}: {problem:?}");
        };
        check("{\n  \"label\": oops\n}", 2, Some(12));
        check("", 1, Some(0));
        check("[\n{},\n7]", 3, None);
        check("\n7", 2, None);
        check("[{\"label\": \"a\"},\n{\"label\": \"a\"}]", 2, None);
    }

    #[test]
    fn a_scenario_is_sent_from_its_own_line() {
        let text = "[\n{\"label\": \"a\",\n \"delay\": 1}]";
        let scenarios = read(text).unwrap();
        assert_eq!(scenarios[0].in_place(), "\n{\"label\": \"a\",\n \"delay\": 1}");
        let stored = ["label", "mfa", "delay"].map(str::to_owned);
        let expected = "\n{\"label\": \"a\",\n \"delay\": 1, \"mfa\": null}";
        assert_eq!(scenarios[0].in_place_of(stored.iter()), expected);
    }
}
