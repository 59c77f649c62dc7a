//! What is wrong with a configuration, told so that it can be put right without reading the manual.

use std::{error::Error, fmt};

use super::settings::Setting;

/// One thing that is wrong (or risky): the setting, its value, why, and the fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `CITADEL_LISTEN (listen in citadel.toml)`, or the file itself.
    pub setting: String,
    /// The value as given; secrets masked.
    pub value: Option<String>,
    /// What is wrong with it.
    pub what: String,
    /// What to do.
    pub fix: String,
}

impl Problem {
    /// A problem of one setting.
    pub fn of(
        setting: &Setting,
        value: Option<&str>,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            setting: format!("{} ({} in the file)", setting.env, setting.name),
            value: value.map(str::to_owned),
            what: what.into(),
            fix: fix.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.setting)?;
        if let Some(value) = &self.value {
            // Debug form: quotes show stray blanks, and control characters come out escaped.
            write!(f, " = {value:?}")?;
        }
        write!(f, ": {}\n    fix: {}", self.what, self.fix)
    }
}

/// Every problem of a configuration. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "the configuration has {count} problem{}", if count == 1 { "" } else { "s" })?;
        for problem in &self.0 {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl Error for Problems {}

/// A database address without its password. A text that is no address at all is not shown: it may be one part secret.
pub fn mask_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "(not shown, it may hold a password)".to_owned();
    };
    // Passwords also travel as `?password=`; no option behind the question mark is worth the risk of showing it.
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    match rest.rsplit_once('@') {
        Some((user_info, host)) => {
            let user = user_info.split(':').next().unwrap_or_default();
            let password = if user_info.contains(':') { ":…" } else { "" };
            format!("{scheme}://{user}{password}@{host}")
        }
        None => format!("{scheme}://{rest}"),
    }
}
