#!/usr/bin/env bats
# Each test is a process of its own; `stderr` comes from bats.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154
load helper

@test 'no token in the environment of a job, nor in that of start.sh' {
  starts 0
  for file in run.env parent.env; do
    [ -s "$STUB_RECORD/$file" ]
    not grep -F "$STUB_TOKEN" "$STUB_RECORD/$file"
  done
  not grep -E '^(AZDO_TOKEN|VSTS_AGENT_INPUT_)' "$STUB_RECORD/run.env"
  not grep -E '^AZDO_TOKEN=' "$STUB_RECORD/parent.env"
}

@test 'nothing about an identity or a token file in the environment of a job' {
  use_identity
  export AZDO_IDENTITY_CLIENT_ID=some-client AZDO_TOKEN_FILE=''
  starts 0
  not grep -E 'IDENTITY_(ENDPOINT|CLIENT_ID)=|some-client|identity\.token' "$STUB_RECORD/run.env"
}

@test 'secret names are never capabilities, nor those that the image lists' {
  export AZDO_ENV_IGNORE='JAVA_HOME, PATH' VSO_AGENT_IGNORE=LANG
  starts 0
  for file in config.env run.env; do
    ignored=,$(sed -n 's/^VSO_AGENT_IGNORE=//p' "$STUB_RECORD/$file"),
    for name in LANG JAVA_HOME PATH AZDO_TOKEN AZDO_TOKEN_FILE AZDO_IDENTITY_ENDPOINT AZDO_IDENTITY_CLIENT_ID; do
      [[ $ignored == *,$name,* ]]
    done
  done
}

@test 'no token in the arguments of any process, whoever calls' {
  starts 0
  seen=$(curl -qs "$AZDO_URL/_arguments")
  [[ $seen == *start.sh* && $seen == *curl* ]]
  encoded=$(printf ':%s' "$STUB_TOKEN" | base64)
  [[ $seen != *$STUB_TOKEN* && $seen != *$encoded* ]]
}

@test 'no token in what it says' {
  export STUB_RUN=crash
  starts 2
  [[ $output$stderr != *$STUB_TOKEN* ]]
  use_identity
  starts 2
  [[ $output$stderr != *identity.token* ]]
}

@test 'no token in files, while an agent runs' {
  use_identity
  export STUB_RUN=wait
  launch
  eventually there running
  not grep -r identity.token "$TMPDIR"
  touch "$STUB_RECORD/end"
  ends 0
  nothing_left
}

@test 'the token is for config.sh alone, which gets it for the registration and for the removal' {
  starts 0
  [ "$(given config.tokens)" = "$STUB_TOKEN"$'\n'"$STUB_TOKEN" ]
}
