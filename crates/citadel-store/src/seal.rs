//! Sealing: what a stolen database does not tell.
//!
//! One root key makes a wrapping key and a hash key. Each link and sign-in has a data key of its own, kept
//! wrapped beside it, so that deleting the row ends the data. A seal is bound to the place that it was made for: moved
//! to another row, column, client or environment it does not open (P17).
//!
//! A sealed value is `[format][key id: 4][nonce: 12][ciphertext and tag]`. Format 1 is AES-256-GCM-SIV, whose seals
//! stay apart even if a nonce should ever come twice.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf, hmac,
};
use citadel_domain::Random;
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

fn push_with_length(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
    bytes.extend_from_slice(part);
}

/// Everything that the root key makes.
pub struct Keyring {
    wrapping_key: DataKey,
    hash_key: hmac::Key,
}

impl Keyring {
    /// Derives the keys. Any 32 bytes are accepted; `settings::check_root_key` tells whether they are the right ones.
    pub fn open(root_key: &[u8; 32], random: Arc<dyn Random>) -> Result<Self, Error> {
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, b"citadel root key").extract(root_key);
        let wrapping_key = derive(&extracted, b"wrapping key")?;
        let hash_key = derive(&extracted, b"hash key")?;
        Ok(Self {
            wrapping_key: DataKey::new(&wrapping_key, random)?,
            hash_key: hmac::Key::new(hmac::HMAC_SHA256, &*hash_key),
        })
    }

    /// The hash by which a secret is found again. Without the root key it cannot be guessed, and a hash for one purpose
    /// says nothing about another.
    pub fn keyed_hash(&self, purpose: &str, text: impl AsRef<[u8]>) -> [u8; 32] {
        let text = text.as_ref();
        let mut message = Zeroizing::new(Vec::with_capacity(16 + purpose.len() + text.len()));
        push_with_length(&mut message, purpose.as_bytes());
        push_with_length(&mut message, text);
        let tag = hmac::sign(&self.hash_key, &message);
        tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes")
    }

    /// A new data key, and its wrapped form for `place`.
    pub fn new_data_key(&self, place: &Place) -> Result<(DataKey, Vec<u8>), Error> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        self.wrapping_key.random.fill(&mut *bytes);
        let wrapped = self.seal(place, &*bytes)?;
        Ok((DataKey::new(&bytes, Arc::clone(&self.wrapping_key.random))?, wrapped))
    }

    /// The data key that was wrapped for `place`.
    pub fn unwrap_data_key(&self, place: &Place, wrapped: &[u8]) -> Result<DataKey, Error> {
        let bytes = self.open_sealed(place, wrapped, "a wrapped data key")?;
        let bytes: &[u8; KEY_LEN] =
            bytes.as_slice().try_into().map_err(|_| Error::Corrupt { what: "a wrapped data key" })?;
        DataKey::new(bytes, Arc::clone(&self.wrapping_key.random))
    }

    /// Seals under the root key itself, for what has no data key of its own.
    pub fn seal(&self, place: &Place, plain: &[u8]) -> Result<Vec<u8>, Error> {
        self.wrapping_key.seal(place, plain)
    }

    /// Opens what [`Keyring::seal`] made for `place`.
    pub fn unseal(&self, place: &Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.open_sealed(place, sealed, "a sealed value")
    }

    fn open_sealed(
        &self,
        place: &Place,
        sealed: &[u8],
        what: &'static str,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.wrapping_key.open(place, sealed).map_err(|_| Error::Corrupt { what })
    }
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
