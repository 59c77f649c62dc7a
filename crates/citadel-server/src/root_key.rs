//! The root key file: the one secret that opens everything else (P18).
//!
//! A key that development made for itself carries a mark, so that production can refuse it. A new key is kept in
//! memory until the database has been looked at: nothing is written for a start that will be refused.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use citadel_domain::{Random, tokens};
use zeroize::{Zeroize, Zeroizing};

use crate::config::{Config, Problem, Profile, ROOT_KEY_FILE};

/// In front of keys that development made.
const DEVELOPMENT_MARK: &str = "development-";
/// No honest key file is longer.
const LONGEST_FILE: u64 = 4096;

/// The root key, and whether it has been written down yet.
pub struct RootKey {
    bytes: [u8; 32],
    file: PathBuf,
    is_new: bool,
}

impl Drop for RootKey {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl RootKey {
    /// Reads the key; in development a missing one is made, in memory.
    pub fn read_or_generate(config: &Config, random: &dyn Random) -> Result<Self, Problem> {
        let file = config.root_key_file.clone();
        match read(config)? {
            Some(bytes) => Ok(Self { bytes, file, is_new: false }),
            None => {
                let mut bytes = [0; 32];
                random.fill(&mut bytes);
                Ok(Self { bytes, file, is_new: true })
            }
        }
    }

    /// The key itself.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Whether no file holds this key yet.
    pub const fn is_new(&self) -> bool {
        self.is_new
    }

    /// Writes a new key down, before anything is sealed with it.
    pub fn persist(&mut self) -> Result<(), Problem> {
        if !self.is_new {
            return Ok(());
        }
        let mut text = Zeroizing::new(String::with_capacity(80));
        text.push_str(DEVELOPMENT_MARK);
        text.push_str(&Zeroizing::new(tokens::hex(&self.bytes)));
        text.push('\n');
        write_new(&self.file, text.as_bytes()).map_err(|error| {
            problem(
                &self.file,
                format!("cannot be made ({error})"),
                "choose a directory that this user can write",
            )
        })?;
        self.is_new = false;
        Ok(())
    }
}

/// The key in the file. `None`: there is none, and this profile may make one.
fn read(config: &Config) -> Result<Option<[u8; 32]>, Problem> {
    let path = &config.root_key_file;
    let make_one = "make one with (umask 077; openssl rand -hex 32 > FILE) and keep a copy elsewhere";
    let mut file = match File::open(path) {
        Ok(file) => file,
        // Not a directory: a part of the path is a file. Whoever makes the directory tells that better.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return match config.profile {
                Profile::Development => Ok(None),
                Profile::Production => Err(problem(path, "does not exist", make_one)),
            };
        }
        Err(error) => {
            return Err(problem(
                path,
                format!("cannot be read ({error})"),
                "let this user, and no other, read it",
            ));
        }
    };
    let unreadable = |error| problem(path, format!("cannot be read ({error})"), make_one);
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(problem(path, "is not a file", "name the file that holds the key"));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let fix = format!("chmod 600 {}", path.display());
        return Err(problem(path, format!("can be read or changed by other users (mode {mode:04o})"), fix));
    }
    let mut text = Zeroizing::new(String::new());
    Read::by_ref(&mut file).take(LONGEST_FILE).read_to_string(&mut text).map_err(unreadable)?;

    let line = text.trim();
    let digits = line.strip_prefix(DEVELOPMENT_MARK);
    if digits.is_some() && config.profile == Profile::Production {
        return Err(problem(path, "holds a key that was made for development", make_one));
    }
    // What the file holds is not shown, not even in part: it may be the key of something else.
    parse(digits.unwrap_or(line)).map(Some).ok_or_else(|| {
        let what = "does not hold a root key, which is 64 hex digits and nothing else";
        problem(path, what, "restore the file from its copy; a database cannot be opened with any other key")
    })
}

fn parse(digits: &str) -> Option<[u8; 32]> {
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let digit = |character: u8| char::from(character).to_digit(16);
        let value = digit(pair[0])? << 4 | digit(pair[1])?;
        *byte = u8::try_from(value).ok()?;
    }
    Some(bytes)
}

/// Never replaces a file, and leaves it only when the bytes are on disk.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

fn problem(path: &Path, what: impl Into<String>, fix: impl Into<String>) -> Problem {
    Problem::of(&ROOT_KEY_FILE, Some(&path.display().to_string()), what, fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p18_only_64_hex_digits_are_a_key() {
        assert_eq!(parse(&"a5".repeat(32)), Some([0xa5; 32]));
        assert_eq!(parse(&"A5".repeat(32)), Some([0xa5; 32]));
        for bad in ["", &"a".repeat(63), &"a".repeat(65), &"g".repeat(64), &"é".repeat(32), &"+1".repeat(32)]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
