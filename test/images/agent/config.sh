#!/usr/bin/env bash
# Stands for the agent's config.sh: registers at, and removes from, the stub service, and writes down what it was given.
set -u
call() {
  printf 'header = "Authorization: Basic %s"\n' "$(printf ':%s' "$VSTS_AGENT_INPUT_TOKEN" | base64 | tr -d '\n')" |
    curl -q --silent --fail --config - "$@"
}
printf '%s\n' "$*" >> "$STUB_RECORD/config.arguments"
printf '%s\n' "$VSTS_AGENT_INPUT_TOKEN" >> "$STUB_RECORD/config.tokens"
env > "$STUB_RECORD/config.env"
agents="${AZDO_URL%/}/_apis/distributedtask/pools/7/agents"
if [ "${1:-}" = remove ]; then
  [ -z "${STUB_REMOVE_FAILS:-}" ] || exit 1
  call --request DELETE "$agents/$(cat "$STUB_RECORD/agent.id")" || echo 'Does not exist. Skipping.'
  exit 0
fi
case ${STUB_CONFIG:-} in
  fails) echo 'Something is wrong.' >&2; exit 1 ;;
  slow) touch "$STUB_RECORD/registering"; while [ ! -e "$STUB_RECORD/go" ]; do sleep 0.02; done ;;
esac
call --data "{\"name\":\"$VSTS_AGENT_INPUT_AGENT\"}" "$agents" | tr -dc '0-9 ,' | cut -d , -f 1 > "$STUB_RECORD/agent.id"
