#!/usr/bin/env bash
# Builds the packages into target/dist: a .deb, its debug information as a second one, and an archive that runs
# where it is unpacked. It needs cargo-deb.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
dist=$target/dist
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n1)
released=$(sed -n "s/.*<release version=\"$version\" date=\"\(.*\)\".*/\1/p" assets/*.metainfo.xml)

./assets/release.sh -p meanwhile -p meanwhile-supervise

# All tests build it so, hence it is not built twice.
cargo build --locked --workspace --bin meanwhile-dist
rm -rf "$dist/share"
"$target/debug/meanwhile-dist" "$dist/share"
gzip --best --no-name "$dist"/share/man/man1/*.1

cat >"$dist/changelog" <<END
meanwhile ($version-1) unstable; urgency=medium

  * Release $version: see CHANGELOG.md.

 -- The Meanwhile maintainers <maintainers@meanwhile.invalid>  $(LC_ALL=C date --utc --rfc-email --date="$released")
END
rm -f "$dist"/*.deb "$dist"/*.ddeb
cargo deb --no-build --locked --profile dist --dbgsym -p meanwhile --output "$dist/"

archive=meanwhile-$version-$(uname -m)-linux
rm -rf "${dist:?}/$archive" && mkdir -p "$dist/$archive/bin"
for program in meanwhile meanwhile-supervise; do
    strip -o "$dist/$archive/bin/$program" "$dist/$program"
done
cp -r "$dist/share" assets/guide README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$dist/$archive"
tar --create --gzip --file "$dist/$archive.tar.gz" --directory "$dist" --sort=name --owner=0 --group=0 \
    --numeric-owner --mtime="$released" "$archive"
ls -l "$dist"/*deb "$dist/$archive.tar.gz"
