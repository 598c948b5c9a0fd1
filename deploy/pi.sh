#!/bin/sh
# Install Parley on Raspberry Pi OS or Debian 12 and newer, to run at every start. From a checkout, as root:
#   deploy/pi.sh PROGRAM...      each of stt, llm, tts, satellite
# Installs into /opt/parley; settings are in /etc/parley/PROGRAM.yaml, models in /var/lib/parley. Run it again to update.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "parley: run this as root: sudo deploy/pi.sh $*" >&2; exit 1; }
[ $# -gt 0 ] || { echo "parley: say what to install: stt, llm, tts, satellite" >&2; exit 1; }
for program in "$@"; do
  [ -e "deploy/systemd/parley-$program.service" ] || { echo "parley: there is no '$program': stt, llm, tts, satellite" >&2; exit 1; }
done

apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3-venv >/dev/null
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  { echo "parley: Python 3.11 or newer is needed; this system has $(python3 --version)" >&2; exit 1; }
id parley >/dev/null 2>&1 || useradd --system --home-dir /var/lib/parley --groups audio parley
install -d /etc/parley
for program in "$@"; do
  echo "Installing $program" >&2
  deploy/install.sh build "$program" "$PWD"
  deploy/install.sh run "$program"
  [ -e "/etc/parley/$program.yaml" ] || {
    printf '# Settings: /opt/parley/bin/*-%s --help lists them\n' "$program"
    [ "$program" != satellite ] || cat <<'SETTINGS'
# wyoming: Home Assistant finds the satellite, answers, sets timers and announces.
# esphome: it can also start conversations, ask questions, choose wake words and play media, and the connection is encrypted.
protocol: wyoming
SETTINGS
  } >"/etc/parley/$program.yaml"
  install -m 644 "deploy/systemd/parley-$program.service" /etc/systemd/system/
done
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  for program in "$@"; do systemctl enable --quiet "parley-$program" && systemctl restart --no-block "parley-$program"; done
  echo "Started; see: journalctl -u 'parley-*' -f" >&2
fi
