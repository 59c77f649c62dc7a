//! Where the `citadel` program is.

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::Error;

const NAME: &str = "citadel";

/// The program that was named, or the first one that is there.
pub(super) fn find(named: Option<PathBuf>) -> Result<PathBuf, Error> {
    let named = named.or_else(|| variable("CITADEL_BIN").map(PathBuf::from));
    search(named, variable("PATH"), env::current_exe().ok())
}

#[expect(clippy::disallowed_methods, reason = "where a program lies is a matter of the machine's set-up")]
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// One that was named is not replaced by another: the test would run against something else than it says.
fn search(named: Option<PathBuf>, path: Option<OsString>, test: Option<PathBuf>) -> Result<PathBuf, Error> {
    let looked: Vec<PathBuf> = match named {
        Some(program) => vec![program],
        None => {
            let on_path = path.iter().flat_map(env::split_paths).map(|directory| directory.join(NAME));
            // Tests are in `target/debug/deps`, examples in `target/debug/examples`, programs in `target/debug`.
            let near = test.iter().flat_map(|test| test.ancestors().skip(1).take(2));
            on_path.chain(near.map(|directory| directory.join(NAME))).collect()
        }
    };
    match looked.iter().find(|path| is_program(path)) {
        Some(program) => Ok(program.clone()),
        None => Err(Error::NotFound { looked }),
    }
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `PATH/citadel`, `deps/test` and a `citadel` above it, as far as they are asked for.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str, programs: &[&str]) -> Self {
            let place = Self(env::temp_dir().join(format!("citadel-sdk-{}-{name}", std::process::id())));
            for program in programs {
                let path = place.0.join(program);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, "").unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            }
            place
        }

        fn search(&self, named: Option<&str>) -> Result<PathBuf, Error> {
            let path = env::join_paths([self.0.join("empty"), self.0.join("bin")]).unwrap();
            let found = search(
                named.map(|name| self.0.join(name)),
                Some(path),
                Some(self.0.join("target/debug/deps/test")),
            )?;
            Ok(found.strip_prefix(&self.0).unwrap().to_owned())
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn named_before_path_before_build_directory() {
        let place = Place::new("order", &["mine", "bin/citadel", "target/debug/citadel"]);
        assert_eq!(place.search(Some("mine")).unwrap(), Path::new("mine"));
        assert_eq!(place.search(None).unwrap(), Path::new("bin/citadel"));
        fs::set_permissions(place.0.join("bin/citadel"), fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(place.search(None).unwrap(), Path::new("target/debug/citadel"));
    }

    #[test]
    fn what_is_missing_is_told_with_the_way_out() {
        let place = Place::new("missing", &["bin/citadel"]);
        let text = place.search(Some("moved")).unwrap_err().to_string();
        assert!(text.contains("CITADEL_BIN") && text.contains("/moved") && !text.contains("/bin/"), "{text}");
        let place = Place::new("nothing", &[]);
        let text = place.search(None).unwrap_err().to_string();
        for part in ["bin/citadel", "deps/citadel", "debug/citadel", "cargo build"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
