#!/usr/bin/env bash
# Makes dist-package/: a .deb for this machine's architecture, with Debian's own tools, and the same files as a tarball for other systems.
# Needs what `npm ci` installed and built, dpkg-deb and help2man; nothing is fetched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*" >&2; }
for program in dpkg-deb help2man; do
  command -v "$program" >/dev/null || { say "$program is missing: apt-get install ${program/-deb/}"; exit 1; }
done
[[ -e dist/cli/wazuh-clusterd.js ]] || { say 'dist/ is missing: run "npm run build" first'; exit 1; }

version=$(node --print 'require("./package.json").version')
architecture=$(dpkg --print-architecture)
# The same sources make the same package.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
umask 022

out=dist-package
rm -rf "$out"
mkdir "$out"
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root=$stage/root
program=$root/opt/muster

# ------------------------------------------------------------------------------------------------------------ the program
mkdir -p "$program"
cp package.json LICENSE README.md CHANGELOG.md SECURITY.md "$program"
cp -r docs packaging/wazuh-clusterd.service "$program"
cp -r dist "$program/dist"
# Declarations and the benchmark's own are for those who develop.
find "$program/dist" \( -name '*.d.ts' -o -name '*.d.ts.map' \) -delete
find "$program/dist" -type d -empty -delete

# Modules that run, native ones for this machine; npm says which, and calls what it does not know an error.
{ npm ls --omit=dev --all --parseable 2>/dev/null || true; } | sed -n 's|^.*/node_modules/|node_modules/|p' | sort -u >"$stage/modules"
while read -r module; do
  # Of a C library that Debian does not have.
  [[ $module == *-musl ]] && continue
  [[ -d $module ]] || continue
  mkdir -p "$program/$(dirname "$module")"
  cp -r "$module" "$program/$(dirname "$module")/"
done <"$stage/modules"
find "$program/node_modules" \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -name '.bin' \) -prune -exec rm -rf {} +
# Every program of package.json is called by its name.
programs=$(node --print 'Object.entries(require("./package.json").bin).map((pair) => pair.join(" ")).join("\n")')

# -------------------------------------------------------------------------------------------------- what the system has of it
section() { [[ $1 == wazuh-clusterd ]] && echo 8 || echo 1; }
while read -r name file; do
  bin=$([[ $(section "$name") == 8 ]] && echo usr/sbin || echo usr/bin)
  mkdir -p "$root/$bin" "$root/usr/share/man/man$(section "$name")"
  chmod 755 "$program/$file"
  ln -s "/opt/muster/$file" "$root/$bin/$name"
  page=$root/usr/share/man/man$(section "$name")/$name.$(section "$name")
  about=$("$program/$file" --help | sed -n '3,/^$/p' | tr '\n' ' ')
  about=${about%%.*}
  help2man --no-info --no-discard-stderr --section="$(section "$name")" --source="Muster $version" --name="${about,}" --output="$page" "$program/$file"
  # The name of a file is not the program's.
  sed -i "s/${name//-/\\\\-}\\.js/${name//-/\\\\-}/g; s/$name\\.js/$name/g" "$page"
  gzip -9n "$page"
done <<<"$programs"
mkdir -p "$root/usr/share/bash-completion/completions" "$root/usr/share/zsh/vendor-completions"
node dist/cli/completions.js "$root/usr/share/bash-completion/completions" "$root/usr/share/zsh/vendor-completions"

install -D -m 644 packaging/wazuh-clusterd.service "$root/lib/systemd/system/wazuh-clusterd.service"
install -D -m 644 packaging/wazuh-clusterd.logrotate "$root/etc/logrotate.d/wazuh-clusterd"
install -d "$root/usr/share/doc/muster/examples"
install -m 644 packaging/examples/* "$root/usr/share/doc/muster/examples/"
install -m 644 packaging/debian/copyright "$root/usr/share/doc/muster/copyright"
ln -s /opt/muster/docs/operating.md "$root/usr/share/doc/muster/operating.md"
gzip -9nc CHANGELOG.md >"$root/usr/share/doc/muster/changelog.gz"

# ------------------------------------------------------------------------------------------------------------- the archives
pack_tar() { tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -C "$1" -c "${@:2}" | gzip -9n; }
tarball=muster-$version-linux-$architecture.tar.gz
pack_tar "$root" opt usr lib etc >"$out/$tarball"

mkdir "$root/DEBIAN"
sed -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@SIZE@/$(du -sk --exclude=DEBIAN "$root" | cut -f1)/" packaging/debian/control >"$root/DEBIAN/control"
echo /etc/logrotate.d/wazuh-clusterd >"$root/DEBIAN/conffiles"
for script in preinst postinst prerm postrm; do install -m 755 "packaging/debian/$script" "$root/DEBIAN/$script"; done
(cd "$root" && find opt usr lib etc -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz -z3 --build "$root" "$out/muster_${version}_$architecture.deb" >/dev/null
ls -lh "$out" | sed 1d
