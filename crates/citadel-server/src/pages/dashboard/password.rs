//! Passwords (P55): how good one must be, and how it is kept.

use std::{sync::LazyLock, thread::available_parallelism};

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use citadel_domain::{Random, Secret};
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::error::{self, ApiResult};

const SHORTEST: usize = 12;
const LONGEST: usize = 1000;
/// Guesses that a password must outlast, as a power of ten: what a list of common words, names and patterns gives away is less.
const GUESSES: u64 = 10_u64.pow(10);

/// OWASP's and the house's choice: 46 MiB, one pass.
const MEMORY_KIB: u32 = 46 << 10;
const PASSES: u32 = 1;

/// One hash per core at a time: a crowd at the door must not take the machine's memory (P55).
static PLACES: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, usize::from)));

/// Why a password is not good enough, as a sentence for who chose it. `others` are words that belong to them.
pub(super) fn weakness(password: &Secret, others: &[&str]) -> Option<String> {
    let password = password.expose();
    let length = password.chars().count();
    if length < SHORTEST {
        return Some(format!(
            "Use at least {SHORTEST} characters. A few words that do not belong together are good."
        ));
    }
    if length > LONGEST {
        return Some(format!("Use at most {LONGEST} characters."));
    }
    // Longer ones are not looked at beyond this: the search is quadratic.
    let start: String = password.chars().take(100).collect();
    let words: Vec<&str> = others.iter().copied().chain(["citadel", "payroll", "dashboard"]).collect();
    if zxcvbn::zxcvbn(&start, &words).guesses() < GUESSES {
        return Some(
            "This password is easily guessed: it is common, or a pattern, or has your name in it.".to_owned(),
        );
    }
    None
}

/// What is kept of a password.
pub(super) async fn hash(password: Secret, random: &dyn Random) -> ApiResult<String> {
    let mut salt = [0; 16];
    random.fill(&mut salt);
    alone(move || {
        let hash = argon2()?.hash_password_with_salt(password.expose().as_bytes(), &salt);
        hash.map(|hash| hash.to_string()).map_err(|error| error::internal(error.to_string()))
    })
    .await
}

/// Whether a password is the one of which this was kept. With nothing kept the same work is done, and the answer is no (P4).
pub(super) async fn is_right(password: Secret, kept: Option<String>) -> ApiResult<bool> {
    alone(move || {
        let nobody = kept.is_none();
        let kept = kept.map_or_else(nobodys_hash, Ok)?;
        let parsed = PasswordHash::new(&kept).map_err(|error| error::internal(error.to_string()))?;
        let is_right = argon2()?.verify_password(password.expose().as_bytes(), &parsed).is_ok();
        Ok(is_right && !nobody)
    })
    .await
}

async fn alone<T: Send + 'static>(work: impl FnOnce() -> ApiResult<T> + Send + 'static) -> ApiResult<T> {
    let _place = PLACES.acquire().await.map_err(error::internal)?;
    spawn_blocking(work).await.map_err(error::internal)?
}

fn nobodys_hash() -> ApiResult<String> {
    static HASH: LazyLock<Option<String>> = LazyLock::new(|| {
        argon2().ok()?.hash_password_with_salt(b"nobody", &[0; 16]).ok().map(|hash| hash.to_string())
    });
    HASH.clone().ok_or_else(|| error::internal("no hash for nobody"))
}

fn argon2() -> ApiResult<Argon2<'static>> {
    let params =
        Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|error| error::internal(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p55_short_common_and_own_words_are_refused() {
        for bad in [
            "short",
            "elevenchars",
            "passwordpassword",
            "123456789012345",
            "qwertyuiopasdfgh",
            "aaaaaaaaaaaaaaaaaa",
            "ada.owner@example.com",
            "citadelcitadel",
        ] {
            let found = weakness(&Secret::new(bad), &["ada.owner@example.com", "Ada Owner"]);
            assert!(found.is_some(), "{bad} was taken");
        }
        for good in ["correct-zebra-umbrella-92", "vYw8 gQpm 2LdT xrh1", "œuf à la coque, très cuit!"] {
            assert_eq!(weakness(&Secret::new(good), &["ada.owner@example.com"]), None, "{good}");
        }
        let long = "kQ7".repeat(400);
        assert!(weakness(&Secret::new(&long), &[]).is_some());
    }

    #[tokio::test]
    async fn a_password_is_known_by_its_hash() {
        let random = citadel_domain::SeededRandom::new(7);
        let kept = hash(Secret::new("correct-zebra-umbrella-92"), &random).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{kept}");
        assert!(is_right(Secret::new("correct-zebra-umbrella-92"), Some(kept.clone())).await.unwrap());
        assert!(!is_right(Secret::new("correct-zebra-umbrella-93"), Some(kept)).await.unwrap());
        assert!(!is_right(Secret::new("nobody"), None).await.unwrap());
    }
}
