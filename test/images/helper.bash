# For the tests of start.sh: a service whose behaviour is in its address, and an agent that writes down what becomes of it.
# STUB_URL and STUB_TOKEN come from start-script.test.ts.
#
# shellcheck shell=bash
bats_require_minimum_version 1.5.0
start=$BATS_TEST_DIRNAME/../../infra/images/linux/start.sh

setup() {
  export STUB_RECORD=$BATS_TEST_TMPDIR TMPDIR=$BATS_TEST_TMPDIR/tmp
  mkdir "$TMPDIR"
  export AZDO_POOL='Private "Linux" & more' AZDO_AGENT=agent-1 AZDO_TOKEN=$STUB_TOKEN AZDO_AGENT_DISPOSE=true
  export AZDO_AGENT_HOME=$BATS_TEST_DIRNAME/agent
  # Else everything would have it that the script starts.
  export -n STUB_TOKEN
  service ok
}

# Whatever a test has left undone.
teardown() {
  touch "$STUB_RECORD/end" "$STUB_RECORD/go"
  [ -z "${script:-}" ] || kill -KILL "$script" 2> /dev/null || true
}

# The service behaves as told, in an organisation of this test alone.
service() { export AZDO_URL=$STUB_URL/$1~$BATS_SUITE_TEST_NUMBER-${BATS_TEST_FILENAME##*/}; }
use_identity() {
  unset AZDO_TOKEN
  export AZDO_IDENTITY_ENDPOINT=$AZDO_URL/identity
}
calls() { curl -qs "$AZDO_URL/_calls"; }
given() { cat "$STUB_RECORD/$1" 2> /dev/null; }

# starts CODE: runs it to its end, which has to be with this code.
starts() { run -"$1" --separate-stderr "$start"; }
# What it says on stderr is this one line and nothing else.
# shellcheck disable=SC2053,SC2154 # a pattern; and bats gives stderr
says() {
  if [ "${#stderr_lines[@]}" -eq 1 ] && [[ ${stderr_lines[0]} == $1 ]]; then return; fi
  echo "it said: $stderr"
  return 1
}

# Runs it beside the test, as an engine runs a container: not deaf to SIGINT, as children after `&` are.
launch() {
  set -m
  "$start" > "$STUB_RECORD/out" 2> "$STUB_RECORD/err" 3>&- &
  script=$!
  set +m
}
ends() { wait "$script" || code=$?; [ "${code:-0}" -eq "$1" ] || { cat "$STUB_RECORD/out" "$STUB_RECORD/err"; false; }; }
eventually() {
  local tries
  for ((tries = 0; tries < 700; tries++)); do
    "$@" && return
    sleep 0.02
  done
  echo "it never came: $*"
  return 1
}
there() { [ -e "$STUB_RECORD/$1" ]; }
nothing_left() { [ -z "$(ls -A "$TMPDIR")" ]; }
is_registered() { calls | grep -q '^POST'; }
is_removed() { calls | grep -q '^DELETE'; }
# `!` before a command would let it fail without failing the test.
not() { ! "$@"; }
