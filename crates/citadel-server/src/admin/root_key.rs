//! Versions of the root key: a new one, what lies under each, and the end of one (P19).
//!
//! The key file says which versions there are, the database which one seals. So a new version can be put on every node before
//! the first of them seals with it.

use citadel_store::{
    RootKeyId,
    audit::{self, Act, Actor, Detail, Entry},
    root_keys::{self, Version},
};
use serde::{Deserialize, Serialize};

use super::{Admin, Answer, Refusal, refused};
use crate::{config::Problem, root_key::RootKey, trail};

/// One version in a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct VersionLine {
    pub id: String,
    /// New seals are made with it.
    pub is_current: bool,
    /// The key file of this machine holds it.
    pub is_in_file: bool,
    /// Absent when it never sealed.
    pub in_use_since: Option<jiff::Timestamp>,
    /// Values that lie under it.
    pub sealed: i64,
    /// Nothing needs it any more: it may be removed.
    pub is_removable: bool,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Told(problem.to_string())
    }
}

impl Admin {
    pub(super) async fn root_key_status(&self) -> Result<Answer, Refusal> {
        // Of the file, and not of the keyring: that still opens what was taken out of the file since the start.
        let in_file = ids(&self.read_key_file()?, self)?;
        let (versions, counts) = self
            .db
            .patient()
            .read(async |tx| {
                Ok::<_, citadel_store::Error>((root_keys::list(tx).await?, root_keys::count(tx).await?))
            })
            .await?;
        let current = root_keys::current(&versions).map(|version| version.id);
        let mut ids: Vec<RootKeyId> = versions.iter().map(|version| version.id).collect();
        ids.extend(in_file.iter().filter(|id| !versions.iter().any(|version| version.id == **id)));
        let line = |id: RootKeyId| {
            let version = versions.iter().find(|version| version.id == id);
            let sealed = counts.get(&id).copied().unwrap_or(0);
            VersionLine {
                id: id.to_string(),
                is_current: current == Some(id),
                is_in_file: in_file.contains(&id),
                in_use_since: version.map(|version| version.in_use_since),
                sealed,
                is_removable: sealed == 0 && current != Some(id) && version.is_some_and(is_emptied),
            }
        };
        Ok(Answer::RootKeys(ids.into_iter().map(line).collect()))
    }

    /// Puts the newest version of the file in use; makes one first where the newest is in use already. Where several nodes share
    /// a Postgres, a new version is only written down: each node must have it before any seals with it.
    pub(super) async fn rotate_root_key(&self) -> Result<Answer, Refusal> {
        let mut file = self.read_key_file()?;
        let versions = self.db.read(async |tx| root_keys::list(tx).await).await?;
        let in_use = root_keys::current(&versions).map(|version| version.id);
        let mut newest = newest(&file, self)?;
        if Some(newest) == in_use {
            file.add_version(self.profile, &*self.random)?;
            self.keyring.add(file.versions())?;
            newest = self::newest(&file, self)?;
            tracing::info!(root_key.id = %newest, "a new version of the root key was written");
            self.note_version(Act::RootKeyAdded, newest).await?;
            if !self.db.is_embedded() {
                return Ok(Answer::RootKeyRotated { id: newest.to_string(), is_in_use: false });
            }
        }
        let (keyring, now) = (self.keyring.clone(), self.clock.now());
        let entry = self.of_version(Act::RootKeyRotated, newest);
        let rotate = self.db.write(async move |tx| {
            root_keys::seal_with(tx, &keyring, newest, now).await?;
            audit::append(tx, &keyring, &entry).await
        });
        rotate.await?;
        // After the commit: nothing lies under a version that the database does not know of.
        self.keyring.seal_with(newest);
        tracing::info!(root_key.id = %newest, "a new version of the root key is in use");
        Ok(Answer::RootKeyRotated { id: newest.to_string(), is_in_use: true })
    }

    pub(super) async fn remove_root_key(&self, id: &str) -> Result<Answer, Refusal> {
        let id: RootKeyId = match id.parse() {
            Ok(id) => id,
            Err(problem) => return refused(format!("{problem}")),
        };
        let mut file = self.read_key_file()?;
        let (versions, counts) = self
            .db
            .patient()
            .read(async |tx| {
                Ok::<_, citadel_store::Error>((root_keys::list(tx).await?, root_keys::count(tx).await?))
            })
            .await?;
        let known = versions.iter().find(|version| version.id == id);
        let sealed = counts.get(&id).copied().unwrap_or(0);
        if root_keys::current(&versions).is_some_and(|version| version.id == id) {
            return refused("this version is in use: make a new one first (citadel root-key rotate)");
        }
        if sealed > 0 || known.is_some_and(|version| !is_emptied(version)) {
            return refused(format!(
                "{sealed} values lie under this version, or may still come to: wait until `citadel root-key status` says \
                 that it can be removed; a running server sees to that"
            ));
        }
        let Some(place) = place(&file, self, id)? else {
            return refused("the key file holds no such version (citadel root-key status shows them)");
        };
        // The file first: a version that nothing lies under is not missed by a start.
        file.remove_version(place, self.profile)?;
        let (keyring, entry) = (self.keyring.clone(), self.of_version(Act::RootKeyRemoved, id));
        let forget = self.db.write(async move |tx| {
            root_keys::forget(tx, id).await?;
            audit::append(tx, &keyring, &entry).await
        });
        forget.await?;
        tracing::info!(root_key.id = %id, "a version of the root key was removed");
        Ok(Answer::RootKeyRemoved)
    }

    fn of_version(&self, act: Act, id: RootKeyId) -> Entry {
        let detail = Detail::NONE.word("version", &id.to_string());
        Entry { detail, ..trail::of_server(self.clock.now(), Actor::OPERATOR, act, trail::ROOT_KEY) }
    }

    /// For what happens in the key file alone.
    async fn note_version(&self, act: Act, id: RootKeyId) -> Result<(), Refusal> {
        let (keyring, entry) = (self.keyring.clone(), self.of_version(act, id));
        self.db.write(async move |tx| audit::append(tx, &keyring, &entry).await).await?;
        Ok(())
    }

    /// The file as it is now; the keyring learns what is new in it.
    fn read_key_file(&self) -> Result<RootKey, Refusal> {
        let file = RootKey::read(&self.root_key_file, self.profile)?;
        self.keyring.add(file.versions())?;
        Ok(file)
    }
}

const fn is_emptied(version: &Version) -> bool {
    version.emptied_at.is_some()
}

/// The ids of the file's versions, in its order.
fn ids(file: &RootKey, admin: &Admin) -> Result<Vec<RootKeyId>, citadel_store::Error> {
    Ok(citadel_store::Keyring::open_all(file.versions(), admin.random.clone())?.ids())
}

fn newest(file: &RootKey, admin: &Admin) -> Result<RootKeyId, citadel_store::Error> {
    let ids = ids(file, admin)?;
    ids.last().copied().ok_or(citadel_store::Error::Corrupt { what: "a key file without a key" })
}

fn place(file: &RootKey, admin: &Admin, id: RootKeyId) -> Result<Option<usize>, citadel_store::Error> {
    Ok(ids(file, admin)?.iter().position(|known| *known == id))
}
