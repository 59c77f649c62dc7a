//! The root key file: the one secret that opens everything else (P18).
//!
//! It holds one version of the key a line, the oldest first (P19); most hold one. Which one seals is said by the database.
//! A key that development made for itself carries a mark, so that production can refuse it. A new key is kept in
//! memory until the database has been looked at: nothing is written for a start that will be refused.

use std::{
    fs::{self, File, OpenOptions},
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
/// Versions that a file may hold.
const MOST_VERSIONS: usize = 16;
const MAKE_ONE: &str = "make one with (umask 077; openssl rand -hex 32 > FILE) and keep a copy elsewhere";

/// The versions of the root key, the oldest first, and whether they have been written down yet.
pub struct RootKey {
    versions: Vec<[u8; 32]>,
    file: PathBuf,
    is_new: bool,
}

impl Drop for RootKey {
    fn drop(&mut self) {
        self.versions.zeroize();
    }
}

impl RootKey {
    /// Reads the key; in development a missing one is made, in memory.
    pub fn read_or_generate(config: &Config, random: &dyn Random) -> Result<Self, Problem> {
        let file = config.root_key_file.clone();
        match read(&file, config.profile)? {
            Some(versions) => Ok(Self { versions, file, is_new: false }),
            None => Ok(Self { versions: vec![generate(random)], file, is_new: true }),
        }
    }

    /// Reads the file again, which is there.
    pub fn read(file: &Path, profile: Profile) -> Result<Self, Problem> {
        let versions = read(file, profile)?.ok_or_else(|| problem(file, "does not exist", MAKE_ONE))?;
        Ok(Self { versions, file: file.to_owned(), is_new: false })
    }

    /// The keys themselves, the oldest first.
    pub fn versions(&self) -> &[[u8; 32]] {
        &self.versions
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
        write_new(&self.file, self.text(Profile::Development).as_bytes())
            .map_err(|error| self.unwritable(&error))?;
        self.is_new = false;
        Ok(())
    }

    /// Adds a new version to the file. It seals nothing before the database says so.
    pub fn add_version(&mut self, profile: Profile, random: &dyn Random) -> Result<(), Problem> {
        if self.versions.len() >= MOST_VERSIONS {
            let fix = "remove those that nothing needs any more: `citadel root-key status` shows them";
            return Err(problem(&self.file, format!("holds {MOST_VERSIONS} versions already"), fix));
        }
        self.versions.push(generate(random));
        self.replace(profile)
    }

    /// Takes a version out of the file. The caller knows that nothing needs it.
    pub fn remove_version(&mut self, place: usize, profile: Profile) -> Result<(), Problem> {
        self.versions.remove(place).zeroize();
        self.replace(profile)
    }

    /// Whole or not at all: the old file stays until the new one is on disk.
    fn replace(&self, profile: Profile) -> Result<(), Problem> {
        let mut name = self.file.as_os_str().to_owned();
        name.push(".new");
        let beside = PathBuf::from(name);
        let _ = fs::remove_file(&beside);
        write_new(&beside, self.text(profile).as_bytes())
            .and_then(|()| fs::rename(&beside, &self.file))
            .and_then(|()| sync_folder(&self.file))
            .map_err(|error| self.unwritable(&error))
    }

    fn text(&self, profile: Profile) -> Zeroizing<String> {
        let mark = if profile == Profile::Development { DEVELOPMENT_MARK } else { "" };
        // As long as it will be: growing would leave pieces behind.
        let mut text = Zeroizing::new(String::with_capacity(80 * self.versions.len()));
        for version in &self.versions {
            text.push_str(mark);
            text.push_str(&Zeroizing::new(tokens::hex(version)));
            text.push('\n');
        }
        text
    }

    fn unwritable(&self, error: &io::Error) -> Problem {
        let fix = "choose a directory that this user can write";
        problem(&self.file, format!("cannot be made ({error})"), fix)
    }
}

fn generate(random: &dyn Random) -> [u8; 32] {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    bytes
}

/// The keys in the file. `None`: there is none, and this profile may make one.
fn read(path: &Path, profile: Profile) -> Result<Option<Vec<[u8; 32]>>, Problem> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        // Not a directory: a part of the path is a file. Whoever makes the directory tells that better.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return match profile {
                Profile::Development => Ok(None),
                Profile::Production => Err(problem(path, "does not exist", MAKE_ONE)),
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
    let unreadable = |error| problem(path, format!("cannot be read ({error})"), MAKE_ONE);
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

    let is_marked = text.lines().any(|line| line.trim().starts_with(DEVELOPMENT_MARK));
    if is_marked && profile == Profile::Production {
        return Err(problem(path, "holds a key that was made for development", MAKE_ONE));
    }
    // What the file holds is not shown, not even in part: it may be the key of something else.
    let key = |line: &str| parse(line.strip_prefix(DEVELOPMENT_MARK).unwrap_or(line));
    let versions: Option<Vec<_>> = text.trim().lines().map(|line| key(line.trim())).collect();
    versions.filter(|versions| (1..=MOST_VERSIONS).contains(&versions.len())).map(Some).ok_or_else(|| {
        let what =
            "does not hold a root key, which is 64 hex digits, or one such line for each of its versions";
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
    sync_folder(path)
}

fn sync_folder(path: &Path) -> io::Result<()> {
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
