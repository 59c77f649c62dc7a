//! Sealing: what a stolen database does not tell.
//!
//! A root key makes a wrapping key and a hash key. Each link and sign-in has a data key of its own, kept wrapped beside it, so
//! that deleting the row ends the data. A seal is bound to the place that it was made for: moved
//! to another row, column, client or environment it does not open (P17).
//!
//! A sealed value is `[format][key id: 4][nonce: 12][ciphertext and tag]`. Format 1 is AES-256-GCM-SIV, whose seals
//! stay apart even if a nonce should ever come twice.

use std::{
    fmt,
    str::FromStr,
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf, hmac,
};
use citadel_domain::{Random, tokens::hex};
use zeroize::{Zeroize, Zeroizing};

use crate::{Error, Tenant};

/// Format 1: AES-256-GCM-SIV with a random nonce.
const FORMAT: u8 = 1;
const KEY_ID_LEN: usize = 4;
const KEY_LEN: usize = 32;
const HEADER_LEN: usize = 1 + KEY_ID_LEN + NONCE_LEN;

/// Where a sealed value lives. It opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    tenant: Tenant,
    table: &'static str,
    column: &'static str,
    row: [u8; 16],
}

impl Place {
    /// The column of one row of a tenant. For a table with several values per row id, `column` names the value.
    pub const fn new(tenant: Tenant, table: &'static str, column: &'static str, row: [u8; 16]) -> Self {
        Self { tenant, table, column, row }
    }

    /// The associated data: each part behind its length, so that no two places spell the same bytes.
    fn associated_data(&self, key_id: [u8; KEY_ID_LEN]) -> Vec<u8> {
        let environment = self.tenant.environment.as_str();
        let parts: [&[u8]; 7] = [
            &[FORMAT],
            &key_id,
            self.tenant.client_id.as_bytes(),
            environment.as_bytes(),
            self.table.as_bytes(),
            self.column.as_bytes(),
            &self.row,
        ];
        let mut bytes = Vec::with_capacity(128);
        for part in parts {
            push_with_length(&mut bytes, part);
        }
        bytes
    }
}

pub(crate) fn push_with_length(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
    bytes.extend_from_slice(part);
}

/// What a root key is called: the seals under it begin with this. It tells nothing about the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RootKeyId([u8; KEY_ID_LEN]);

impl RootKeyId {
    /// The key that sealed this. `None` for nothing, as is left of what was erased.
    pub fn of(sealed: &[u8]) -> Option<Self> {
        sealed.get(1..=KEY_ID_LEN)?.try_into().ok().map(Self)
    }

    /// As it stands in the seals.
    pub const fn as_bytes(&self) -> &[u8; KEY_ID_LEN] {
        &self.0
    }
}

impl From<[u8; KEY_ID_LEN]> for RootKeyId {
    fn from(bytes: [u8; KEY_ID_LEN]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for RootKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for RootKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no id of a root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a root key is 8 hex digits, as `citadel root-key status` shows it")]
pub struct InvalidRootKeyId;

impl FromStr for RootKeyId {
    type Err = InvalidRootKeyId;

    fn from_str(text: &str) -> Result<Self, InvalidRootKeyId> {
        let number = u32::from_str_radix(text, 16).map_err(|_| InvalidRootKeyId)?;
        let id = Self(number.to_be_bytes());
        if id.to_string() == text { Ok(id) } else { Err(InvalidRootKeyId) }
    }
}

/// Everything that the root keys make.
///
/// There may be several versions of the root key: one seals, and all open (P19). The hash key is the first version's and
/// stays: what it made are ids that clients hold, and hashes of what nobody can hash again. From the first start on it lies in
/// the database, sealed ([`Keyring::seal_hash_key`]), so that the first version can go.
pub struct Keyring {
    versions: RwLock<Versions>,
    hash_key: RwLock<HashKey>,
    random: Arc<dyn Random>,
}

#[derive(Clone)]
struct Versions {
    all: Vec<Arc<Version>>,
    /// Seals.
    current: Arc<Version>,
}

/// What one root key makes.
struct Version {
    wrapping_key: DataKey,
    hash_key: HashKey,
    backup_key: hkdf::Prk,
}

#[derive(Clone)]
struct HashKey {
    key: hmac::Key,
    /// To be sealed.
    bytes: Zeroizing<[u8; KEY_LEN]>,
}

impl HashKey {
    fn new(bytes: Zeroizing<[u8; KEY_LEN]>) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &*bytes), bytes }
    }
}

impl Version {
    fn new(root_key: &[u8; 32], random: &Arc<dyn Random>) -> Result<Arc<Self>, Error> {
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, b"citadel root key").extract(root_key);
        let wrapping_key = derive(&extracted, b"wrapping key")?;
        let backup_key = derive(&extracted, b"backup key")?;
        Ok(Arc::new(Self {
            wrapping_key: DataKey::new(&wrapping_key, Arc::clone(random))?,
            hash_key: HashKey::new(derive(&extracted, b"hash key")?),
            backup_key: hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &*backup_key),
        }))
    }

    fn id(&self) -> RootKeyId {
        RootKeyId(self.wrapping_key.id)
    }
}

impl Keyring {
    /// Derives the keys of one root key. Any 32 bytes are accepted; `root_keys::fit` tells whether they are the right ones.
    pub fn open(root_key: &[u8; 32], random: Arc<dyn Random>) -> Result<Self, Error> {
        Self::open_all(std::slice::from_ref(root_key), random)
    }

    /// Derives the keys of several versions of the root key, the oldest first. The newest seals, until [`Keyring::seal_with`]
    /// says otherwise.
    pub fn open_all(root_keys: &[[u8; 32]], random: Arc<dyn Random>) -> Result<Self, Error> {
        let all = root_keys.iter().map(|key| Version::new(key, &random)).collect::<Result<Vec<_>, _>>()?;
        let (Some(oldest), Some(newest)) = (all.first(), all.last()) else {
            return Err(Error::Corrupt { what: "a keyring without a key" });
        };
        let hash_key = RwLock::new(oldest.hash_key.clone());
        let current = Arc::clone(newest);
        Ok(Self { versions: RwLock::new(Versions { all, current }), hash_key, random })
    }

    /// Adds versions that are not there yet. What seals stays.
    pub fn add(&self, root_keys: &[[u8; 32]]) -> Result<(), Error> {
        for root_key in root_keys {
            let version = Version::new(root_key, &self.random)?;
            let mut versions = self.versions.write().unwrap_or_else(PoisonError::into_inner);
            if !versions.all.iter().any(|known| known.id() == version.id()) {
                versions.all.push(version);
            }
        }
        Ok(())
    }

    /// The versions that open, the oldest first.
    pub fn ids(&self) -> Vec<RootKeyId> {
        self.versions().all.iter().map(|version| version.id()).collect()
    }

    /// The version that seals.
    pub fn current(&self) -> RootKeyId {
        self.versions().current.id()
    }

    /// From now on this version seals. `false` when it is not there.
    pub fn seal_with(&self, id: RootKeyId) -> bool {
        let mut versions = self.versions.write().unwrap_or_else(PoisonError::into_inner);
        let Some(version) = versions.all.iter().find(|version| version.id() == id).cloned() else {
            return false;
        };
        versions.current = version;
        true
    }

    fn versions(&self) -> std::sync::RwLockReadGuard<'_, Versions> {
        self.versions.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn version(&self, id: RootKeyId) -> Option<Arc<Version>> {
        self.versions().all.iter().find(|version| version.id() == id).cloned()
    }

    /// The hash by which a secret is found again. Without the hash key it cannot be guessed, and a hash for one purpose
    /// says nothing about another.
    pub fn keyed_hash(&self, purpose: &str, text: &(impl AsRef<[u8]> + ?Sized)) -> [u8; 32] {
        let hash_key = self.hash_key.read().unwrap_or_else(PoisonError::into_inner);
        keyed_hash(&hash_key.key, purpose, text.as_ref())
    }

    /// [`Keyring::keyed_hash`] under the hash keys that the versions would have made.
    pub(crate) fn first_hashes(&self, purpose: &str, text: &str) -> Vec<(RootKeyId, [u8; 32])> {
        let versions = self.versions();
        let hash = |version: &Arc<Version>| {
            (version.id(), keyed_hash(&version.hash_key.key, purpose, text.as_bytes()))
        };
        versions.all.iter().map(hash).collect()
    }

    /// Takes the hash key that this version made.
    pub(crate) fn hash_as(&self, id: RootKeyId) {
        if let Some(version) = self.version(id) {
            *self.hash_key.write().unwrap_or_else(PoisonError::into_inner) = version.hash_key.clone();
        }
    }

    /// The hash key, sealed under a version.
    pub(crate) fn seal_hash_key(&self, place: &Place, id: RootKeyId) -> Result<Vec<u8>, Error> {
        let version = self.version(id).ok_or(Error::Corrupt { what: "a keyring without this key" })?;
        let hash_key = self.hash_key.read().unwrap_or_else(PoisonError::into_inner).clone();
        version.wrapping_key.seal(place, &*hash_key.bytes)
    }

    /// Takes the hash key that lies in the database.
    pub(crate) fn unseal_hash_key(&self, place: &Place, sealed: &[u8]) -> Result<(), Error> {
        let corrupt = || Error::Corrupt { what: "the sealed hash key" };
        let bytes = self.open_sealed(place, sealed, "the sealed hash key")?;
        let bytes: [u8; KEY_LEN] = bytes.as_slice().try_into().map_err(|_| corrupt())?;
        let hash_key = HashKey::new(Zeroizing::new(bytes));
        *self.hash_key.write().unwrap_or_else(PoisonError::into_inner) = hash_key;
        Ok(())
    }

    /// The key of one backup, under a version of the root key. `None` when that version is not there.
    pub(crate) fn backup_key(&self, id: RootKeyId, salt: &[u8]) -> Result<Option<UnboundKey>, Error> {
        let Some(version) = self.version(id) else { return Ok(None) };
        let corrupt = |_| Error::Corrupt { what: "a key" };
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        let info = [salt];
        let output = version.backup_key.expand(&info, hkdf::HKDF_SHA256).map_err(corrupt)?;
        output.fill(&mut *bytes).map_err(corrupt)?;
        UnboundKey::new(&AES_256_GCM_SIV, &*bytes).map(Some).map_err(corrupt)
    }

    pub(crate) fn fill_random(&self, bytes: &mut [u8]) {
        self.random.fill(bytes);
    }

    /// A new data key, and its wrapped form for `place`.
    pub fn new_data_key(&self, place: &Place) -> Result<(DataKey, Vec<u8>), Error> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        self.random.fill(&mut *bytes);
        let wrapped = self.seal(place, &*bytes)?;
        Ok((DataKey::new(&bytes, Arc::clone(&self.random))?, wrapped))
    }

    /// The data key that was wrapped for `place`.
    pub fn unwrap_data_key(&self, place: &Place, wrapped: &[u8]) -> Result<DataKey, Error> {
        let bytes = self.open_sealed(place, wrapped, "a wrapped data key")?;
        let bytes: &[u8; KEY_LEN] =
            bytes.as_slice().try_into().map_err(|_| Error::Corrupt { what: "a wrapped data key" })?;
        DataKey::new(bytes, Arc::clone(&self.random))
    }

    /// Seals under the root key itself, for what has no data key of its own.
    pub fn seal(&self, place: &Place, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let current = Arc::clone(&self.versions().current);
        current.wrapping_key.seal(place, plain)
    }

    /// Opens what [`Keyring::seal`] made for `place`, under whichever version.
    pub fn unseal(&self, place: &Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.open_sealed(place, sealed, "a sealed value")
    }

    fn open_sealed(
        &self,
        place: &Place,
        sealed: &[u8],
        what: &'static str,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let version = RootKeyId::of(sealed).and_then(|id| self.version(id));
        let version = version.ok_or(Error::Corrupt { what })?;
        version.wrapping_key.open(place, sealed).map_err(|_| Error::Corrupt { what })
    }
}

fn keyed_hash(key: &hmac::Key, purpose: &str, text: &[u8]) -> [u8; 32] {
    let mut message = Zeroizing::new(Vec::with_capacity(16 + purpose.len() + text.len()));
    push_with_length(&mut message, purpose.as_bytes());
    push_with_length(&mut message, text);
    let tag = hmac::sign(key, &message);
    tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes")
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring")
    }
}

/// The key of one link, token or sign-in.
pub struct DataKey {
    key: LessSafeKey,
    id: [u8; KEY_ID_LEN],
    random: Arc<dyn Random>,
}

impl DataKey {
    fn new(bytes: &[u8; KEY_LEN], random: Arc<dyn Random>) -> Result<Self, Error> {
        let key = UnboundKey::new(&AES_256_GCM_SIV, bytes).map_err(|_| Error::Corrupt { what: "a key" })?;
        // A name, not a proof: it tells which key to take once there are several, and the seal itself is the check.
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, bytes), b"citadel key id");
        let mut id = [0; KEY_ID_LEN];
        id.copy_from_slice(&tag.as_ref()[..KEY_ID_LEN]);
        Ok(Self { key: LessSafeKey::new(key), id, random })
    }

    /// Seals for `place`.
    pub fn seal(&self, place: &Place, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce);
        let mut sealed = Vec::with_capacity(HEADER_LEN + plain.len() + AES_256_GCM_SIV.tag_len());
        sealed.push(FORMAT);
        sealed.extend_from_slice(&self.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let aad = Aad::from(place.associated_data(self.id));
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.key.seal_in_place_separate_tag(nonce, aad, &mut sealed[HEADER_LEN..]);
        let Ok(tag) = tag else {
            sealed.zeroize();
            return Err(Error::Corrupt { what: "a value too long to seal" });
        };
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what was sealed for `place` under this key, and nothing else.
    pub fn open(&self, place: &Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let corrupt = || Error::Corrupt { what: "a sealed value" };
        let (header, body) = sealed.split_at_checked(HEADER_LEN).ok_or_else(corrupt)?;
        let (name, nonce) = header.split_at(1 + KEY_ID_LEN);
        if name[0] != FORMAT || name[1..] != self.id {
            return Err(corrupt());
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| corrupt())?;
        let aad = Aad::from(place.associated_data(self.id));
        let mut buffer = Zeroizing::new(body.to_vec());
        let length = self.key.open_in_place(nonce, aad, &mut buffer).map_err(|_| corrupt())?.len();
        buffer.truncate(length);
        Ok(buffer)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey")
    }
}

fn derive(extracted: &hkdf::Prk, label: &[u8]) -> Result<Zeroizing<[u8; KEY_LEN]>, Error> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    let info = [label];
    let output = extracted.expand(&info, hkdf::HKDF_SHA256).map_err(|_| Error::Corrupt { what: "a key" })?;
    output.fill(&mut *key).map_err(|_| Error::Corrupt { what: "a key" })?;
    Ok(key)
}
