#!/bin/sh
# Install one Parley program into /opt/parley on a Debian that has Python 3.11 or newer.
#   install.sh build EXTRA SOURCE   what is needed to build it, and the program itself: SOURCE is a wheel or the folder of a
#                                   checkout, EXTRA one of stt, llm, llama-cpp, tts, satellite; the versions of everything else are
#                                   those of the constraints.txt in the folder or beside the wheel
#   install.sh run EXTRA            what is needed to run it
# The images of deploy/ and addons/ are made by this script, and so is the test that builds them without Docker; the
# folders of addons/ hold a copy each, because an image sees nothing outside its own folder.
set -eu

packages() {
  case "$1:$2" in
    build:*llama-cpp*) echo g++ make ;; # it comes as source
    run:*llm* | run:*llama-cpp*) echo libgomp1 ;;
    run:satellite) echo libportaudio2 libasound2-plugins ;;
  esac
}

needed=$(packages "$1" "$2")
if [ -n "$needed" ]; then
  apt-get update -qq
  # shellcheck disable=SC2086  # a list
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $needed >/dev/null
  rm -rf /var/lib/apt/lists/*
fi
if [ "$1" = build ]; then
  constraints=$3/constraints.txt
  [ -d "$3" ] || constraints=$(dirname "$3")/constraints.txt
  python3 -m venv /opt/parley
  /opt/parley/bin/pip install --quiet --no-cache-dir --disable-pip-version-check -c "$constraints" "$3[$2]"
fi
