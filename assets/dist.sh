#!/usr/bin/env bash
# Builds the packages into target/dist: a .deb, its debug information as a second one, and an archive that runs
# where it is unpacked. Beside them it writes lists of all that is in the programs (SBOM, in the format CycloneDX), and
# what is new in the version. assets/tools.sh builds the programs that it needs for that.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
dist=$target/dist
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n1)
released=$(sed -n "s/.*<release version=\"$version\" date=\"\(.*\)\".*/\1/p" assets/*.metainfo.xml)

./assets/tools.sh cargo-about cargo-cyclonedx cargo-deb
PATH=$target/tools/bin:$PATH
./assets/release.sh -p meanwhile -p meanwhile-supervise

# All tests build it so, hence it is not built twice.
cargo build --locked --workspace --bin meanwhile-dist
rm -rf "$dist/share"
"$target/debug/meanwhile-dist" share "$dist/share"
gzip --best --no-name "$dist"/share/man/man1/*.1
"$target/debug/meanwhile-dist" notes "$version" >"$dist/meanwhile-$version-notes.md"

host=$(rustc -vV | sed -n 's/^host: //p')
documents=$dist/share/doc/meanwhile
mkdir -p "$documents"
gzip --best --no-name <CHANGELOG.md >"$documents/changelog.gz"
# It reads every file of every package, which takes minutes.
cargo about generate --locked --fail --config assets/about.toml --target "$host" \
    --output-file "$documents/third-party-licences.txt" assets/about.hbs

# The tool writes beside the manifests of all packages of the workspace, and where these are.
trap 'find . -path ./target -prune -o -name "*_bin.cdx.json" -exec rm {} +' EXIT
SOURCE_DATE_EPOCH=$(date --utc --date="$released" +%s) cargo cyclonedx --quiet --format json --spec-version 1.5 \
    --target "$host" --no-build-deps --describe binaries
for name in meanwhile meanwhile-supervise; do
    find . src/supervise -maxdepth 1 -name "${name}_bin.cdx.json" -exec sed "s|file://$PWD|file://|g" {} + \
        >"$dist/$name-$version.cdx.json"
done

cat >"$dist/changelog" <<END
meanwhile ($version-1) unstable; urgency=medium

  * Release $version: see changelog.gz beside this file.

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
ls -l "$dist"/*deb "$dist/$archive.tar.gz" "$dist"/*.cdx.json "$dist"/*-notes.md
