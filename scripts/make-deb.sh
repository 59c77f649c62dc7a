#!/usr/bin/env bash
# Makes the Debian package of the server: the program, its systemd unit, man pages, completions of shells and settings.
#
#   scripts/make-deb.sh                 builds the release first; the package is in target/debian/
#   scripts/make-deb.sh PROGRAM FOLDER  packs a program that is there
#
# The same commit and the same program give the same bytes. Needs dpkg-deb.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=$(cargo metadata --format-version 1 --no-deps --offline |
  sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
program=${1:-}
folder=${2:-$target/debian}
if [ -z "$program" ]; then
  cargo build --release --locked --package citadel-cli --bin citadel
  program=$target/release/citadel
fi
version=$("$program" --version | sed 's/.* //')
architecture=$(dpkg --print-architecture)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || echo 0)}
export SOURCE_DATE_EPOCH

root=$(mktemp -d "${TMPDIR:-/tmp}/citadel-deb.XXXXXX")
trap 'rm -rf "$root"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# The folder itself becomes the root of the package.
chmod 0755 "$root"
umask 022

install -D --mode=0755 "$program" "$root/usr/bin/citadel"
install -D --mode=0644 deploy/citadel.service "$root/usr/lib/systemd/system/citadel.service"
install -D --mode=0640 deploy/citadel.toml "$root/etc/citadel/citadel.toml"
mkdir -p "$root/usr/share/man/man1" "$root/usr/share/bash-completion/completions" \
  "$root/usr/share/zsh/vendor-completions" "$root/usr/share/fish/vendor_completions.d" "$root/usr/share/doc/citadel"
"$program" man "$root/usr/share/man/man1"
gzip --no-name --best "$root"/usr/share/man/man1/*.1
"$program" completions bash > "$root/usr/share/bash-completion/completions/citadel"
"$program" completions zsh > "$root/usr/share/zsh/vendor-completions/_citadel"
"$program" completions fish > "$root/usr/share/fish/vendor_completions.d/citadel.fish"
"$program" config default > "$root/usr/share/doc/citadel/citadel.toml.default"
cp deploy/grafana-dashboard.json deploy/prometheus-alerts.yaml "$root/usr/share/doc/citadel/"
cat LICENSE-APACHE LICENSE-MIT > "$root/usr/share/doc/citadel/copyright"

# The newest C library that the program asks for.
libc=$(grep --text --only-matching 'GLIBC_2\.[0-9]*' "$program" | sort --version-sort --unique | tail -n 1)
mkdir "$root/DEBIAN"
cat > "$root/DEBIAN/control" << CONTROL
Package: citadel
Version: $version
Architecture: $architecture
Maintainer: The Citadel project <https://github.com/citadel-server/citadel>
Installed-Size: $(du --summarize --block-size=1K "$root" | cut -f1)
Depends: libc6 (>= ${libc#GLIBC_}), libgcc-s1, ca-certificates, passwd
Section: net
Priority: optional
Homepage: https://github.com/citadel-server/citadel
Description: self-hosted server for consumer-permissioned payroll data
 A person signs in to their payroll provider, and a business with that person's
 consent verifies income and employment, or switches where pay goes.
CONTROL
echo /etc/citadel/citadel.toml > "$root/DEBIAN/conffiles"
install --mode=0755 deploy/debian/postinst deploy/debian/prerm deploy/debian/postrm "$root/DEBIAN/"

mkdir -p "$folder"
# COMPRESSION=none is for a package that is unpacked at once: squeezing a debug build takes a minute.
dpkg-deb --root-owner-group -Z"${COMPRESSION:-xz}" --build "$root" "$folder/citadel_${version}_$architecture.deb"
