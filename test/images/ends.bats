#!/usr/bin/env bats
# Each test is a process of its own; `stderr` comes from bats.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154
load helper

@test 'removes itself when its job is over' {
  starts 0
  calls | tail -n 1 | grep -q '^DELETE .*/agents/40$'
  nothing_left
}

@test 'removes itself when the agent crashes' {
  export STUB_RUN=crash
  starts 2
  says 'The agent ended with exit code 139.'
  is_removed
}

@test 'says so when its registration was removed' {
  export STUB_RUN=removed
  starts 1
  says 'The agent ended with exit code 1: its registration was removed, or it could not start.'
}

@test 'ends what a job has left running' {
  export STUB_RUN=leftovers
  SECONDS=0
  # It holds their common output open, and so would hold up the end of this command.
  starts 0
  [ "$SECONDS" -lt 5 ]
}

@test 'TERM before its registration: ends at once, with nothing to remove' {
  service silent
  launch
  eventually eval 'calls | grep -q pools'
  kill -TERM "$script"
  ends 0
  not is_registered
  nothing_left
}

@test 'TERM while it registers: lets that end, and takes it back' {
  export STUB_CONFIG=slow
  launch
  eventually there registering
  kill -TERM "$script"
  eventually grep -q SIGTERM "$STUB_RECORD/out"
  not is_registered
  touch "$STUB_RECORD/go"
  ends 0
  is_registered && is_removed
  not there run.arguments
  nothing_left
}

@test 'TERM while it listens: the agent is interrupted, and removed' {
  export STUB_RUN=wait
  launch
  eventually there running
  kill -TERM "$script"
  ends 0
  [ "$(given run.signals)" = INT ]
  is_removed
  nothing_left
}

@test 'INT does the same' {
  export STUB_RUN=wait
  launch
  eventually there running
  kill -INT "$script"
  ends 0
  [ "$(given run.signals)" = INT ]
  is_removed
}

@test 'a second TERM changes nothing' {
  export STUB_RUN=wait
  launch
  eventually there running
  kill -TERM "$script"
  kill -TERM "$script" 2> /dev/null || true
  ends 0
  is_removed
}

@test 'started deaf to INT, as by a shell in the background, it ends the agent by TERM' {
  export STUB_RUN=wait
  "$start" > "$STUB_RECORD/out" 2> "$STUB_RECORD/err" 3>&- &
  script=$!
  eventually there running
  kill -TERM "$script"
  ends 0
  [ "$(given run.signals)" = TERM ]
  is_removed
}

@test 'an agent that does not heed is killed in time' {
  export STUB_RUN=deaf AZDO_STOP_SECONDS=0.3
  launch
  eventually there running
  kill -TERM "$script"
  ends 0
  is_removed
}

@test 'a removal that fails is told, and does not change how it ends' {
  service ok
  export STUB_REMOVE_FAILS=1
  mkdir "$BATS_TEST_TMPDIR/bin"
  # Nobody wants to wait until it gives up.
  printf '%s\n' '#!/bin/sh' 'echo x >> "$STUB_RECORD/looks"' 'echo $((20 * $(wc -l < "$STUB_RECORD/looks")))' > "$BATS_TEST_TMPDIR/bin/date"
  chmod +x "$BATS_TEST_TMPDIR/bin/date"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
  starts 0
  says 'The registration of agent "agent-1" in pool * could not be removed. The app removes it; else do so by hand.'
}

@test 'leaves when no job comes, and says so' {
  export STUB_RUN=wait AZDO_IDLE_MINUTES=0.002
  starts 14
  says 'No job came for agent "agent-1" within 0.002 minutes. It was removed from pool *'
  [ "$(given run.signals)" = INT ]
  # It was removed already: that is how the service decided.
  [ "$(given config.arguments)" = '--unattended --acceptTeeEula' ]
  is_removed
  nothing_left
}

@test 'never leaves while a job runs' {
  service busy
  export STUB_RUN=wait AZDO_IDLE_MINUTES=0.001
  launch
  eventually eval 'calls | grep -q includeAssignedRequest'
  touch "$STUB_RECORD/end"
  ends 0
  not given run.signals
}

@test 'never leaves while a job is just being taken' {
  service justtaken
  export STUB_RUN=wait AZDO_IDLE_MINUTES=0.001
  launch
  eventually is_removed
  touch "$STUB_RECORD/end"
  ends 0
  not given run.signals
  calls | grep -c '^GET.*includeAssignedRequest' | grep -q '[12]'
}
