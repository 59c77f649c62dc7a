use std::sync::Arc;

use citadel_domain::{ClientId, Environment, SeededRandom};
use citadel_store::{DataKey, Error, Keyring, Place, Tenant};

fn keyring(byte: u8) -> Keyring {
    Keyring::open(&[byte; 32], Arc::new(SeededRandom::new(u64::from(byte)))).unwrap()
}

fn place(client: u8, environment: Environment, table: &'static str, column: &'static str, row: u8) -> Place {
    Place::new(
        Tenant { client_id: ClientId::from_bytes([client; 16]), environment },
        table,
        column,
        [row; 16],
    )
}

fn key(keyring: &Keyring) -> (DataKey, Vec<u8>) {
    keyring.new_data_key(&place(1, Environment::Sandbox, "links", "data_key_wrapped", 1)).unwrap()
}

/// Fifty places, each next to another that differs in one part only.
fn places() -> Vec<Place> {
    let mut places = Vec::new();
    for client in [1, 2] {
        for environment in [Environment::Sandbox, Environment::Dev, Environment::Prod] {
            // The last two would be the same bytes if parts were written without their lengths.
            for (table, column) in [("links", "a"), ("links", "b"), ("report", "sa"), ("reports", "a")] {
                for row in [1, 2] {
                    places.push(place(client, environment, table, column, row));
                }
            }
        }
    }
    places.push(place(3, Environment::Sandbox, "links", "a", 3));
    places.push(place(3, Environment::Sandbox, "links", "a", 4));
    places
}

#[test]
fn p17_what_is_sealed_opens_at_its_own_place() {
    let keyring = keyring(1);
    let (data_key, wrapped) = key(&keyring);
    let key_place = place(1, Environment::Sandbox, "links", "data_key_wrapped", 1);
    let unwrapped = keyring.unwrap_data_key(&key_place, &wrapped).unwrap();
    for text in [&b""[..], b"x", &[0; 4096]] {
        let sealed = data_key.seal(&key_place, text).unwrap();
        assert_eq!(&*unwrapped.open(&key_place, &sealed).unwrap(), text);
        let sealed = keyring.seal(&key_place, text).unwrap();
        assert_eq!(&*keyring.unseal(&key_place, &sealed).unwrap(), text);
    }
    let twice = [data_key.seal(&key_place, b"same").unwrap(), data_key.seal(&key_place, b"same").unwrap()];
    assert_ne!(twice[0], twice[1]);
}

#[test]
fn p17_a_sealed_value_opens_nowhere_else() {
    let keyring = keyring(1);
    let (data_key, _) = key(&keyring);
    let places = places();
    assert_eq!(places.len(), 50);
    for (from, place) in places.iter().enumerate() {
        let sealed = data_key.seal(place, b"a secret").unwrap();
        let (_, wrapped) = keyring.new_data_key(place).unwrap();
        for (to, other) in places.iter().enumerate() {
            assert_eq!(data_key.open(other, &sealed).is_ok(), from == to, "{place:?} at {other:?}");
            assert_eq!(
                keyring.unwrap_data_key(other, &wrapped).is_ok(),
                from == to,
                "{place:?} at {other:?}"
            );
        }
    }
}

#[test]
fn p17_no_flipped_bit_is_accepted() {
    let keyring = keyring(1);
    let (data_key, _) = key(&keyring);
    for row in 0..1_000_u32 {
        let place = place(1, Environment::Prod, "reports", "income", (row % 251) as u8);
        let mut sealed = data_key.seal(&place, &row.to_be_bytes()).unwrap();
        for bit in 0..sealed.len() * 8 {
            sealed[bit / 8] ^= 1 << (bit % 8);
            assert!(data_key.open(&place, &sealed).is_err(), "bit {bit} of ciphertext {row}");
            sealed[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(data_key.open(&place, &sealed).is_ok());
    }
}

#[test]
fn p17_cut_and_foreign_values_are_refused_without_a_word_about_them() {
    let ours = keyring(1);
    let (data_key, wrapped) = key(&ours);
    let (other_key, _) = key(&ours);
    let place = place(1, Environment::Sandbox, "links", "data_key_wrapped", 1);
    let sealed = data_key.seal(&place, b"a secret").unwrap();
    for length in 0..sealed.len() {
        assert!(data_key.open(&place, &sealed[..length]).is_err(), "{length}");
    }
    assert!(other_key.open(&place, &sealed).is_err());
    assert!(keyring(2).unwrap_data_key(&place, &wrapped).is_err());
    // A sealed value is no key, and a key is no value.
    assert!(ours.unwrap_data_key(&place, &sealed).is_err());
    let error = data_key.open(&place, &wrapped).unwrap_err();
    assert!(matches!(error, Error::Corrupt { what: "a sealed value" }), "{error}");
    assert_eq!(format!("{ours:?} {data_key:?}"), "Keyring DataKey");
}

#[test]
fn keyed_hashes_belong_to_a_key_and_a_purpose() {
    let (ours, theirs) = (keyring(1), keyring(2));
    let hash = ours.keyed_hash("public_token", "abc");
    assert_eq!(hash, keyring(1).keyed_hash("public_token", "abc"));
    for other in [
        theirs.keyed_hash("public_token", "abc"),
        ours.keyed_hash("bridge_token", "abc"),
        ours.keyed_hash("public_token", "abd"),
        ours.keyed_hash("public_tokena", "bc"),
        ours.keyed_hash("public_toke", "nabc"),
    ] {
        assert_ne!(hash, other);
    }
}
