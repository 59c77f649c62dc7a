//! The four files. An authority that cannot be read is never written over: somebody may trust it.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use super::authority::{Authority, Leaf};

/// For its owner alone.
const PRIVATE: u32 = 0o600;
/// For everybody who can look into the directory.
const PUBLIC: u32 = 0o644;

pub(super) struct Files {
    directory: PathBuf,
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
    pub(super) ca: PathBuf,
    pub(super) ca_key: PathBuf,
}

impl Files {
    pub(super) fn new(directory: &Path) -> Self {
        let [cert, key, ca, ca_key] =
            ["cert.pem", "key.pem", "ca.pem", "ca-key.pem"].map(|name| directory.join(name));
        Self { directory: directory.to_owned(), cert, key, ca, ca_key }
    }

    /// The authority that was kept, if there is one. Half of one, or one that others could have read, is an error.
    pub(super) fn read_authority(&self) -> anyhow::Result<Option<Authority>> {
        let (ca, ca_key) = (read(&self.ca)?, read(&self.ca_key)?);
        let (shown, shown_key) = (self.ca.display(), self.ca_key.display());
        let (pem, key_pem) = match (ca, ca_key) {
            (None, None) => return Ok(None),
            (Some(pem), Some(key_pem)) => (pem, key_pem),
            (Some(_), None) => bail!("{shown} is there, but {shown_key} is not: {}", self.way_out()),
            (None, Some(_)) => bail!("{shown_key} is there, but {shown} is not: {}", self.way_out()),
        };
        let mode = fs::metadata(&self.ca_key)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            bail!(
                "{shown_key} can be read or changed by other users (mode {mode:04o}): \
                 if nobody else uses this machine, chmod 600 {shown_key}; else {}",
                self.way_out()
            );
        }
        let authority = Authority::read(pem, &key_pem);
        authority.map(Some).with_context(|| format!("{shown_key} cannot be used; {}", self.way_out()))
    }

    fn way_out(&self) -> String {
        format!(
            "put the missing or right file back, or remove {} (and stop trusting that authority), and begin anew",
            self.directory.display()
        )
    }

    /// For this user alone, as the data directory is.
    pub(super) fn make_directory(&self) -> anyhow::Result<()> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.directory);
        made.with_context(|| format!("{} cannot be made; name another with --dir", self.directory.display()))
    }

    /// The key first: a certificate without it could not be told from one whose key was lost.
    pub(super) fn write_authority(&self, authority: &Authority) -> anyhow::Result<()> {
        write(&self.ca_key, &authority.key_pem(), PRIVATE)?;
        write(&self.ca, authority.pem(), PUBLIC)
    }

    pub(super) fn write_leaf(&self, leaf: &Leaf) -> anyhow::Result<()> {
        write(&self.key, &leaf.key_pem, PRIVATE)?;
        write(&self.cert, &leaf.chain_pem, PUBLIC)
    }
}

/// The text of a file, if there is one.
fn read(path: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| {
            format!("{} cannot be read, and is not written over: let this user read it", path.display())
        }),
    }
}

/// Whole or not at all, and never wider than its mode: a running server may read it at any time.
fn write(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let temporary = path.with_extension("new");
    let written = || {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&temporary)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    written().with_context(|| format!("{} cannot be written", path.display()))
}
