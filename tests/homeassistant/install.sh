#!/usr/bin/env bash
# Install what script/test-homeassistant needs into DIR, from Debian and PyPI alone: Home Assistant in DIR/root
# (a Debian that has the Python it asks for) and the stock Wyoming servers in DIR/stock. install.sh DIR
# Does nothing where they are installed already. Needs root on Debian.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)
root=$dir/root
home_assistant=2026.11.0
suite=forky # the first Debian whose Python is 3.14, which Home Assistant needs since 2026.3

# One at a time; what was begun and not finished is begun again.
exec 9>"$dir/lock"
flock 9

if [ ! -e "$root/opt/debian-$suite" ]; then
  # The source that apt has for Debian itself, wherever that is.
  # shellcheck disable=SC2016  # apt fills it in
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 -E '/debian/?$')
  echo "Installing a Debian $suite for Home Assistant (about two minutes)" >&2
  rm -rf "$root"
  # The script for sid fits every later suite, and older debootstraps know no other. The compiler is for
  # two of Home Assistant's dependencies, ffmpeg for what it converts.
  debootstrap --variant=minbase --include=python3.14,python3.14-venv,python3.14-dev,ca-certificates,g++,make,libffi-dev,zlib1g-dev,ffmpeg,libturbojpeg0,libpcap0.8t64 \
    "$suite" "$root" "$mirror" /usr/share/debootstrap/scripts/sid >"$dir/debootstrap.log"
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  touch "$root/opt/debian-$suite"
fi

# What is required may change without the version.
required=$(sha256sum "$here/requirements.py" | cut -c 1-8)
if [ ! -e "$root/opt/ha/installed-$home_assistant-$required" ]; then
  echo "Installing Home Assistant $home_assistant (about a minute)" >&2
  mkdir -p "$root/etc/ssl/certs" "$root/config"
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  cp "$here/requirements.py" "$root/opt/"
  cat >"$root/opt/install.sh" <<'INSIDE'
set -euo pipefail
[ -x /opt/ha/bin/uv ] || { python3.14 -m venv /opt/ha && /opt/ha/bin/pip install --quiet uv; }
install() { /opt/ha/bin/uv pip install --quiet --python /opt/ha/bin/python "$@"; }
install --no-deps "homeassistant==$1"
packages=$(/opt/ha/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
/opt/ha/bin/python /opt/requirements.py "$packages/homeassistant" >/opt/requirements.txt
# pip gives up on resolving all of this at once; uv does not.
install -c "$packages/homeassistant/package_constraints.txt" "homeassistant==$1" -r /opt/requirements.txt
/opt/ha/bin/hass --version
touch "/opt/ha/installed-$1-$2"
INSIDE
  mapfile -t network < <(env | grep -iE '^((PIP|UV)_(EXTRA_)?INDEX_URL|UV_DEFAULT_INDEX|https?_proxy|no_proxy)=')
  # shellcheck disable=SC2016  # the inner shell expands them
  unshare --mount bash -c 'mount --bind /proc "$0/proc"; mount --bind /dev "$0/dev"; exec chroot "$0" "$@"' "$root" \
    /usr/bin/env -i HOME=/root PATH=/usr/bin:/bin LANG=C.UTF-8 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt UV_CACHE_DIR=/opt/cache "${network[@]}" bash /opt/install.sh "$home_assistant" "$required"
  rm -rf "$root/opt/cache"
fi

if [ ! -e "$dir/stock/installed" ]; then
  echo "Installing the stock Wyoming servers, to compare with" >&2
  python3 -m venv "$dir/stock"
  "$dir/stock/bin/pip" install --quiet --disable-pip-version-check wyoming-faster-whisper==3.8.1 wyoming-piper==2.5.2
  touch "$dir/stock/installed"
fi
