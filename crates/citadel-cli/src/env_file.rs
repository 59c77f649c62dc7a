//! The quickstart's `.env`: reading its two keys, and filling them in without touching anything else.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use anyhow::{Context, bail};
use citadel_domain::Secret;

/// The two names of the keys.
pub(crate) const CLIENT_ID: &str = "API_CLIENT_ID";
pub(crate) const SECRET: &str = "API_SECRET";

/// Where the API is, if not on this machine.
pub(crate) const API_URL: &str = "API_URL";

/// What the quickstart shows.
const PRODUCT_TYPE: &str = "API_PRODUCT_TYPE";

/// What a `.env` says. `None`: missing, empty or still the seed's `<placeholder>`.
#[derive(Debug, Default)]
pub(crate) struct EnvFile {
    text: String,
    pub(crate) client_id: Option<String>,
    pub(crate) secret: Option<Secret>,
    pub(crate) product_type: Option<String>,
}

impl EnvFile {
    /// Reads the file; a missing file is an empty one.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
        };
        let client_id = value(&text, CLIENT_ID);
        let secret = value(&text, SECRET).map(Secret::new);
        let product_type = value(&text, PRODUCT_TYPE);
        Ok(Self { text, client_id, secret, product_type })
    }

    /// Any other value.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        value(&self.text, name)
    }

    /// Whether both keys are there. One without the other is an error: a new pair would not fit the half that stays.
    pub(crate) fn has_keys(&self) -> anyhow::Result<bool> {
        match (&self.client_id, &self.secret) {
            (Some(_), Some(_)) => Ok(true),
            (None, None) => Ok(false),
            (Some(_), None) => bail!("{CLIENT_ID} is set but {SECRET} is empty: fill in both, or empty both"),
            (None, Some(_)) => bail!("{SECRET} is set but {CLIENT_ID} is empty: fill in both, or empty both"),
        }
    }

    /// Writes the keys into the file, in place of the empty ones. Every other line stays as it was.
    pub(crate) fn write_keys(&self, path: &Path, client_id: &str, secret: &Secret) -> anyhow::Result<()> {
        let text = fill(&fill(&self.text, CLIENT_ID, client_id), SECRET, secret.expose());
        replace(path, &text).with_context(|| format!("{} cannot be written", path.display()))
    }
}

/// The value of the first line of `name`; the first is the one that counts for readers of such files. A line that
/// they could not parse still counts as set here, so that nothing somebody typed is ever overwritten.
fn value(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| is_line_of(line, name))?;
    let (_, rest) = line.split_once('=')?;
    let rest = rest.trim();
    let value = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].split(quote).next().unwrap_or_default(),
        _ if rest.starts_with('#') => "",
        _ => rest.split(" #").next().unwrap_or_default(),
    };
    let value = value.trim();
    let is_placeholder = value.starts_with('<') && value.ends_with('>');
    (!value.is_empty() && !is_placeholder).then(|| value.to_owned())
}

fn is_line_of(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
}

/// `text` with the first line of `name` set to `value`, or with such a line at the end.
fn fill(text: &str, name: &str, value: &str) -> String {
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut filled = String::with_capacity(text.len() + 100);
    let mut found = false;
    for line in text.split_inclusive('\n') {
        if found || !is_line_of(line, name) {
            filled.push_str(line);
            continue;
        }
        found = true;
        let (before, _) = line.split_once('=').expect("a line of ours has an equals sign");
        filled.push_str(&format!("{before}={value}{ending}"));
    }
    if !found {
        if !filled.is_empty() && !filled.ends_with('\n') {
            filled.push_str(ending);
        }
        filled.push_str(&format!("{name}={value}{ending}"));
    }
    filled
}

/// Replaces the file in one step, so that a crash leaves either the old text or the new, and never wider than 0600.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // Through a symbolic link: the target is replaced, the link stays.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(".new");
    let temporary = path.with_file_name(name);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_line_changes() {
        let check = |text, expected| assert_eq!(fill(text, "API_SECRET", "s"), expected);
        check("", "API_SECRET=s\n");
        check("A=1", "A=1\nAPI_SECRET=s\n");
        check("# API_SECRET=\nAPI_SECRET=\nB=2\n", "# API_SECRET=\nAPI_SECRET=s\nB=2\n");
        check("export API_SECRET = \"\"\r\nB=2\r\n", "export API_SECRET =s\r\nB=2\r\n");
        check("API_SECRET_OLD=x\nAPI_SECRET=<YOUR SECRET>", "API_SECRET_OLD=x\nAPI_SECRET=s\n");
    }

    #[test]
    fn placeholders_and_blanks_are_no_values() {
        let check = |line: &str, expected: Option<&str>| {
            assert_eq!(value(&format!("X=1\n{line}\n"), "API_CLIENT_ID").as_deref(), expected, "{line}");
        };
        check("API_CLIENT_ID=abc", Some("abc"));
        check("export API_CLIENT_ID = \"abc\" # mine", Some("abc"));
        check("API_CLIENT_ID=abc def", Some("abc def"));
        for empty in [
            "",
            "API_CLIENT_ID=",
            "API_CLIENT_ID=\"\"",
            "API_CLIENT_ID=<YOUR CLIENT_ID HERE>",
            "API_CLIENT_ID= # none",
            "#API_CLIENT_ID=abc",
        ] {
            check(empty, None);
        }
    }
}
