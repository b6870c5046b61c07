#!/usr/bin/env bats
# Each test is a process of its own; `stderr` comes from bats.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154
load helper

@test 'names every missing variable at once' {
  unset AZDO_URL AZDO_POOL AZDO_AGENT
  starts 1
  [ "${#stderr_lines[@]}" -eq 3 ]
  [[ $stderr == *AZDO_URL*AZDO_POOL*AZDO_AGENT* ]]
  [ -z "$output" ]
}

@test 'names every malformed variable at once, and no secret' {
  export AZDO_URL=https://me:hunter2@dev.azure.com/x AZDO_AGENT_DISPOSE=yes AZDO_EXPIRES_AT=tomorrow AZDO_IDLE_MINUTES=1h
  export AZDO_STOP_SECONDS=-1 AZDO_AGENT_HOME=/nowhere AZDO_TOKEN='' AZDO_TOKEN_FILE=/no/such/file
  starts 1
  [ "${#stderr_lines[@]}" -eq 8 ]
  for name in AZDO_URL AZDO_AGENT_DISPOSE AZDO_EXPIRES_AT AZDO_IDLE_MINUTES AZDO_STOP_SECONDS AZDO_TOKEN_FILE; do
    [[ $stderr == *$name* ]]
  done
  [[ $stderr == */nowhere/config.sh*/nowhere/run.sh* ]]
  [[ $stderr != *hunter2* ]]
}

@test 'refuses an address that is not one' {
  export AZDO_URL=dev.azure.com/contoso
  starts 1
  says 'AZDO_URL is not an http(s) address: dev.azure.com/contoso'
}

@test 'refuses a time without its zone' {
  export AZDO_EXPIRES_AT=2099-01-31T12:00:00
  starts 1
  says 'AZDO_EXPIRES_AT is not an ISO 8601 time in UTC*'
}

@test 'is too late after its expiry, and asks nobody' {
  export AZDO_EXPIRES_AT=2020-01-31T12:00:00.000Z
  starts 13
  says 'This agent was to be started before 2020-01-31T12:00:00.000Z; by the clock of this node it is 20*Z. Nobody waits*'
  [ -z "$(calls)" ]
}

@test 'starts before its expiry' {
  export AZDO_EXPIRES_AT=2099-01-31T12:00:00.123Z
  starts 0
}

@test 'is too late when the service came back after its expiry' {
  service away
  # A clock that goes by half a minute each time somebody looks.
  mkdir "$BATS_TEST_TMPDIR/bin"
  cat > "$BATS_TEST_TMPDIR/bin/date" <<- 'CLOCK'
	#!/usr/bin/env bash
	[ "$1" != +%s ] || exec /bin/date "$@"
	[ -e "$STUB_RECORD/looked" ] && echo 2099-01-31T12:00:01 || echo 2099-01-31T11:59:59
	touch "$STUB_RECORD/looked"
	CLOCK
  chmod +x "$BATS_TEST_TMPDIR/bin/date"
  export AZDO_EXPIRES_AT=2099-01-31T12:00:00Z PATH=$BATS_TEST_TMPDIR/bin:$PATH
  starts 13
  says 'This agent was to be started before 2099-01-31T12:00:00Z; by the clock of this node it is 2099-01-31T12:00:01Z.*'
  not is_registered
}

@test 'takes everything from its environment, wherever it is started' {
  export AZDO_WORK=/mnt/work
  cd /
  starts 0
  [ "$(given config.arguments)" = $'--unattended --acceptTeeEula\nremove --unattended' ]
  [ "$(given run.arguments)" = --once ]
  [[ $output == *'registered as agent-1 in pool Private "Linux" & more'*'job done'*'unregistered agent-1'* ]]
  [ -z "$stderr" ]
  nothing_left
}

@test 'takes jobs without end where it is not to be disposed of' {
  unset AZDO_AGENT_DISPOSE
  starts 0
  [ "$(given run.arguments)" = '' ]
}

@test 'takes the token from a file, and a new one from it at the end' {
  export AZDO_TOKEN_FILE=token
  unset AZDO_TOKEN
  cd "$BATS_TEST_TMPDIR"
  printf '%s\r\n' "$STUB_TOKEN" > token
  export STUB_RUN=wait
  launch
  eventually there running
  echo another > token
  touch "$STUB_RECORD/end"
  ends 0
  [ "$(given config.tokens)" = "$STUB_TOKEN"$'\nanother' ]
}
