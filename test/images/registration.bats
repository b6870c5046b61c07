#!/usr/bin/env bats
# Each test is a process of its own; `stderr` comes from bats.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154
load helper

@test 'a token that is shown the page to sign in (203) is refused' {
  service signin203
  starts 10
  says "$AZDO_URL refused the token: it is not valid, or it may not register agents in pool*"
  not is_registered
}

@test 'a token that is sent to sign in elsewhere (302) is refused' {
  service signin302
  starts 10
  says '*refused the token*'
}

@test 'a token that is refused by 401 is refused' {
  service signin401
  starts 10
  says '*refused the token*'
}

@test 'a wrong token is refused, and not shown' {
  export AZDO_TOKEN=wrong-secret
  starts 10
  [[ $stderr$output != *wrong-secret* ]]
}

@test 'a machine without identity and without token gets none' {
  service noidentity
  use_identity
  starts 10
  says 'There is no AZDO_TOKEN, and the managed identity of this machine gave no token for Azure DevOps (status 400).'
}

@test 'an empty token file is refused' {
  unset AZDO_TOKEN
  export AZDO_TOKEN_FILE=$BATS_TEST_TMPDIR/empty
  touch "$AZDO_TOKEN_FILE"
  starts 10
  says 'The file of AZDO_TOKEN_FILE holds no token*'
}

@test 'signs in with the identity of the machine, and fetches a token anew for the removal' {
  use_identity
  starts 0
  first=$(given config.tokens | head -n 1) last=$(given config.tokens | tail -n 1)
  [[ $first == identity.token-* && $last == identity.token-* && $first != "$last" ]]
}

@test 'names the identity that it means, where a machine has several' {
  use_identity
  export AZDO_IDENTITY_CLIENT_ID=11111111-2222-3333-4444-555555555555
  starts 0
  calls | grep -q 'TOKEN 11111111-2222-3333-4444-555555555555'
}

@test 'waits for an identity service that is not up yet' {
  service slowidentity
  use_identity
  starts 0
}

@test 'an unknown pool is named, though another one begins like it' {
  export AZDO_POOL='Private'
  starts 11
  says 'There is no agent pool "Private" in this organisation.'
  not is_registered
}

@test 'a pool is found whatever its case' {
  export AZDO_POOL='PRIVATE "linux" & MORE'
  starts 0
  calls | grep -q pools/7/agents
}

@test 'a name in use is refused, online or not' {
  service inuse
  starts 12
  says 'The name "agent-1" is in use: pool "Private "Linux" & more" has an agent of this name already, online or not.*'
  not is_registered
  not is_removed
}

@test 'a name that has had its job is refused' {
  service hadjob
  starts 12
  says 'The name "agent-1" was used: an agent of this name has taken a job*'
  not is_registered
}

@test 'an address without an organisation is refused' {
  service nothere
  starts 1
  says "AZDO_URL is not an Azure DevOps organisation: $AZDO_URL*"
}

@test 'an answer of something else is not taken for one' {
  service proxy
  starts 2
  says "$AZDO_URL gave an answer that is not one of Azure DevOps (status 200)."
}

@test 'a service that comes back is waited for' {
  service away
  starts 0
  is_registered
}

@test 'a service that stays away is given up after a minute' {
  service gone
  mkdir "$BATS_TEST_TMPDIR/bin"
  printf '%s\n' '#!/bin/sh' 'echo x >> "$STUB_RECORD/looks"' 'echo $((30 * $(wc -l < "$STUB_RECORD/looks")))' > "$BATS_TEST_TMPDIR/bin/date"
  chmod +x "$BATS_TEST_TMPDIR/bin/date"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
  starts 2
  says "Azure DevOps ($AZDO_URL) does not answer: status 503"
  nothing_left
}

@test 'a registration that fails is worth another try, and leaves nothing to remove' {
  export STUB_CONFIG=fails
  starts 2
  [[ $stderr == *'could not be registered: config.sh ended with exit code 1.'* ]]
  [ "$(given config.arguments)" = '--unattended --acceptTeeEula' ]
}
