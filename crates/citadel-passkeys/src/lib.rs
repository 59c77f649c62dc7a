//! Passkeys: what a browser is asked, and whether its answer proves anything.
//!
//! A thin layer over `webauthn-rs`, in a crate of its own, so that its many dependencies and its licence (MPL-2.0) are met in one
//! place. Nothing is kept here: what has to come back with the answer is text, [`Asked::state`], and the caller proves that it is
//! unchanged, fresh, and this visitor's.

use webauthn_rs::prelude::{
    CredentialID, Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};

/// Why a question could not be put, or an answer proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The answer, or what came back with it, is no JSON of the right shape.
    #[error("the answer is not what a browser sends")]
    Malformed(#[from] serde_json::Error),
    /// Another site, an old question, a wrong signature, a counter that went back.
    #[error("the answer proves nothing: {0}")]
    Refused(#[from] WebauthnError),
    /// The answer is right, and of a passkey that the member no longer has.
    #[error("no such passkey")]
    Unknown,
}

/// A question to a browser.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The `publicKey` part of what `navigator.credentials` takes, as JSON.
    pub options: String,
    /// What has to come back unchanged with the answer, as JSON. It holds no secret.
    pub state: String,
}

/// The site whose passkeys these are.
#[derive(Debug)]
pub struct Site(Webauthn);

impl Site {
    /// The site at an origin, such as `https://dashboard.example.com`. `None` where browsers make no passkeys: at addresses
    /// without a name.
    pub fn new(origin: &str) -> Option<Self> {
        let origin = Url::parse(origin).ok()?;
        let site = WebauthnBuilder::new(origin.domain()?, &origin).ok()?.rp_name("Citadel").build().ok()?;
        Some(Self(site))
    }

    /// Asks for a new passkey. `known` are those that the member has, which are not made twice.
    pub fn ask_new(&self, member: [u8; 16], name: &str, known: &[String]) -> Result<Asked, Error> {
        let known: Vec<CredentialID> =
            parse(known)?.iter().map(|passkey| passkey.cred_id().clone()).collect();
        let member = Uuid::from_bytes(member);
        let (challenge, state) = self.0.start_passkey_registration(member, name, name, Some(known))?;
        Ok(Asked {
            options: serde_json::to_string(&challenge.public_key)?,
            state: serde_json::to_string(&state)?,
        })
    }

    /// The passkey that the browser made: its public part, as JSON to be kept.
    pub fn take_new(&self, state: &str, answer: &str) -> Result<String, Error> {
        let state: PasskeyRegistration = serde_json::from_str(state)?;
        let answer: RegisterPublicKeyCredential = serde_json::from_str(answer)?;
        Ok(serde_json::to_string(&self.0.finish_passkey_registration(&answer, &state)?)?)
    }

    /// Asks for a proof by one of the passkeys that the member has.
    pub fn ask(&self, known: &[String]) -> Result<Asked, Error> {
        let (challenge, state) = self.0.start_passkey_authentication(&parse(known)?)?;
        Ok(Asked {
            options: serde_json::to_string(&challenge.public_key)?,
            state: serde_json::to_string(&state)?,
        })
    }

    /// Which of `known` proved it, and its JSON as it is to be kept now: the counter has moved.
    pub fn take(&self, state: &str, answer: &str, known: &[String]) -> Result<(usize, String), Error> {
        let state: PasskeyAuthentication = serde_json::from_str(state)?;
        let answer: PublicKeyCredential = serde_json::from_str(answer)?;
        let proof = self.0.finish_passkey_authentication(&answer, &state)?;
        let mut known = parse(known)?;
        let place = known.iter().position(|one| one.cred_id() == proof.cred_id()).ok_or(Error::Unknown)?;
        known[place].update_credential(&proof);
        Ok((place, serde_json::to_string(&known[place])?))
    }
}

fn parse(known: &[String]) -> Result<Vec<Passkey>, Error> {
    known.iter().map(|one| Ok(serde_json::from_str(one)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_has_a_name() {
        for good in ["http://localhost:8701", "https://dashboard.example.com"] {
            assert!(Site::new(good).is_some(), "{good}");
        }
        for bad in ["http://127.0.0.1:8701", "https://[::1]:8701", "dashboard", ""] {
            assert!(Site::new(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn every_question_is_a_new_one() {
        let site = Site::new("http://localhost:8701").unwrap();
        let ask = || site.ask_new([7; 16], "ada@example.com", &[]).unwrap();
        let (one, other) = (ask(), ask());
        assert_ne!(one.options, other.options);
        assert!(one.options.contains("\"userVerification\":\"required\""), "{}", one.options);
        assert!(matches!(site.take_new(&one.state, "{}"), Err(Error::Malformed(_))));
    }
}
