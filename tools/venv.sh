#!/bin/sh
# Sees to the virtual environment in .local/venv. Silent when there is nothing to do; what it does, it says on
# standard error, so that `make -s token` prints a token and nothing else.
set -eu
cd "$(dirname "$0")/.."

venv=.local/venv
requirements=$(cat requirements.txt requirements-dev.txt | cksum)

# Where it is counts too: a virtual environment does not survive being moved.
is_complete() {
    [ -f "$venv/complete" ] &&
        here=$("$venv/bin/python" -c 'import sys; print(sys.prefix, *sys.version_info[:2])' 2>/dev/null) &&
        [ "$(cat "$venv/complete")" = "$requirements $here" ]
}

# Above 3.13 the embedded PostgreSQL has no wheel.
suits() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

if is_complete; then
    exit 0
fi

for python in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    if suits "$python"; then
        exec "$python" tools/venv.py "$venv" "$requirements"
    fi
done

cat >&2 <<EOF
Slipway is developed with Python 3.11, 3.12 or 3.13 (with its modules venv and ensurepip), and none of
${PYTHON:-python3.13, python3.12, python3.11 and python3} is one. Install one (Debian and Ubuntu: apt-get install python3-venv; macOS: brew install
python@3.13), or say where it is: make PYTHON=/path/to/python3.13
EOF
exit 1
