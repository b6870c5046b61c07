#!/usr/bin/env bash
# What an agent's container runs: registers a new agent, lets it run, and removes its registration again, however it ends.
# Told everything by its environment; .github/docs/images.md lists the variables and the exit codes. Needs the agent in
# AZDO_AGENT_HOME, and bash (3.2 or later), curl, and what every Unix has: the one-machine stack runs it as well.
#
# shellcheck disable=SC2317 # what only a trap calls is not unreachable
set -uo pipefail

readonly done=0 settings_bad=1 retryable=2 token_refused=10 pool_unknown=11 name_in_use=12 too_late=13 no_job=14
readonly devops_resource=499b84ac-1321-427f-aa17-267ca6975798
# At its start an agent has nothing to lose: Batch starts it again later than a short absence of the service lasts.
readonly start_patience=60 removal_patience=30 register_seconds=180
# Never told to anyone: neither shown as capabilities nor left to the job.
readonly secrets='AZDO_TOKEN AZDO_TOKEN_FILE AZDO_IDENTITY_ENDPOINT AZDO_IDENTITY_CLIENT_ID'

# Whoever may look at this process sees the environment that it was started with, whatever becomes of its variables:
# so it begins anew without the token, which comes back by a descriptor.
if [ -n "${AZDO_TOKEN:-}" ]; then
  token=$AZDO_TOKEN
  unset AZDO_TOKEN
  AZDO_TOKEN_DESCRIPTOR=9 exec "$BASH" "${BASH_SOURCE[0]}" 9<<< "$token"
fi
given_token=''
if [ -n "${AZDO_TOKEN_DESCRIPTOR:-}" ]; then
  IFS= read -r given_token <&9
  exec 9<&-
  unset AZDO_TOKEN_DESCRIPTOR
fi

say() { printf '%s\n' "$*"; }
complain() { printf '%s\n' "$*" >&2; }
fail() { complain "$2"; exit "$1"; }

# ── Settings: everything that is wrong with them is said at once ─────────────────────────────────────────────────────

home=${AZDO_AGENT_HOME:-/azp/agent}
url=$(printf '%s' "${AZDO_URL:-}" | sed -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//' -e 's:/*$::')
pool=${AZDO_POOL:-} name=${AZDO_AGENT:-} work=${AZDO_WORK:-_work} once=''
token_file=${AZDO_TOKEN_FILE:-}
expires_at=${AZDO_EXPIRES_AT:-}
idle_minutes=${AZDO_IDLE_MINUTES:-}
stop_seconds=${AZDO_STOP_SECONDS:-30}
identity_endpoint=${AZDO_IDENTITY_ENDPOINT:-http://169.254.169.254/metadata/identity/oauth2/token}
identity_client=${AZDO_IDENTITY_CLIENT_ID:-}

check_settings() {
  local problems=0 program
  wrong() { complain "$1"; problems=1; }
  is_number() { printf '%s' "$1" | grep -Eq '^[0-9]+(\.[0-9]+)?$'; }

  case $url in
    '') wrong 'AZDO_URL is missing: the address of the Azure DevOps organisation.' ;;
    *@*) wrong 'AZDO_URL holds a name or password. The token comes by AZDO_TOKEN or AZDO_TOKEN_FILE.' ;;
    http://?* | https://?*) ;;
    *) wrong "AZDO_URL is not an http(s) address: $url" ;;
  esac
  [ -n "${pool// /}" ] || wrong 'AZDO_POOL is missing: the agent pool to register in.'
  [ -n "${name// /}" ] || wrong 'AZDO_AGENT is missing: the name of this agent.'
  case ${AZDO_AGENT_DISPOSE:-} in
    [Tt][Rr][Uu][Ee]) once=--once ;;
    '' | [Ff][Aa][Ll][Ss][Ee]) ;;
    *) wrong "AZDO_AGENT_DISPOSE is neither true nor false: $AZDO_AGENT_DISPOSE" ;;
  esac
  if [ -z "$given_token" ] && [ -n "$token_file" ] && ! { [ -f "$token_file" ] && [ -r "$token_file" ]; }; then
    wrong "AZDO_TOKEN_FILE can't be read: $token_file"
  fi
  if [ -n "$expires_at" ] &&
    ! printf '%s' "$expires_at" | grep -Eq '^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}(\.[0-9]+)?Z$'; then
    wrong "AZDO_EXPIRES_AT is not an ISO 8601 time in UTC (2026-01-31T12:00:00Z): $expires_at"
  fi
  [ -z "$idle_minutes" ] || is_number "$idle_minutes" || wrong "AZDO_IDLE_MINUTES is not a number: $idle_minutes"
  is_number "$stop_seconds" || wrong "AZDO_STOP_SECONDS is not a number: $stop_seconds"
  for program in config.sh run.sh; do
    [ -x "$home/$program" ] || wrong "There is no agent in AZDO_AGENT_HOME: $home/$program is missing or can't be run."
  done
  command -v curl > /dev/null || wrong 'curl is missing: this image lacks what start.sh needs.'
  [ "$problems" -eq 0 ] || exit "$settings_bad"
  case $home in /*) ;; *) home=$PWD/$home ;; esac
  case $token_file in '' | /*) ;; *) token_file=$PWD/$token_file ;; esac
  # Not the one that it was started in: Batch has chosen that, and this user may not even see it.
  cd "$home" || exit "$settings_bad"
}

# A node that is lost runs its tasks again elsewhere, much later perhaps.
check_expiry() {
  local now
  [ -n "$expires_at" ] || return 0
  now=$(date -u +%Y-%m-%dT%H:%M:%S)
  [[ $now < ${expires_at:0:19} ]] || fail "$too_late" \
    "This agent was to be started before $expires_at; by the clock of this node it is ${now}Z. Nobody waits for it any more."
}

# ── Children and signals ─────────────────────────────────────────────────────────────────────────────────────────────

scratch='' child='' asking='' stopping='' woken='' watcher='' guard='' agent='' registered=''

# Starts a program as the head of a process group of its own, so that a signal for this script is not its business;
# and, unlike other background children, one that heeds SIGINT. Its group is in `child`.
start_apart() {
  set -m
  "$@" < /dev/null &
  child=$!
  set +m
}

# In some seconds, does something to a process; `$!` is the group to call that off with.
later() {
  set -m
  (sleep "$1" && "${@:2}") < /dev/null > /dev/null 2>&1 &
  disown "$!"
  set +m
}
call_off() { [ -z "$1" ] || kill -KILL -- "-$1" 2> /dev/null; }

# Waits for a child, and is not misled by a signal that comes meanwhile. After one it does not block again: a bash whose
# `wait` is broken off in the moment of a child's end takes that child for running ever after.
await() {
  local code told believed
  woken=''
  wait "$1" 2> /dev/null
  code=$?
  if [ -n "$woken" ] && [ "$code" -gt 128 ]; then
    while kill -0 "$1" 2> /dev/null; do sleep 0.05; done
    believed=" $(jobs -rp | tr '\n' ' ') "
    case $believed in *" $1 "*) return "$code" ;; esac
    wait "$1" 2> /dev/null
    told=$?
    # 127: that was its own end which `wait` has told above.
    [ "$told" -eq 127 ] || code=$told
  fi
  return "$code"
}

pause() {
  sleep "$1" &
  asking=$!
  await "$asking"
  asking=''
}

# As Ctrl-C does it, which the agent is made for: it cancels its job, closes its session and ends. Whoever has started
# this script deaf to that (as shells do with `&`) has made its children deaf as well.
stop_signal=INT
case $(trap -p INT) in "trap -- '' "*) stop_signal=TERM ;; esac
interrupt_agent() {
  kill -s "$stop_signal" -- "-$agent" 2> /dev/null
  [ -z "$guard" ] || return 0
  later "$stop_seconds" kill -KILL -- "-$agent"
  guard=$!
}

on_stop() {
  woken=1
  [ -z "$stopping" ] || return 0
  stopping=1
  say "SIG$1: ending"
  # Only what changes nothing is broken off: a registration that was sent may have arrived.
  [ -z "$asking" ] || kill -TERM "$asking" 2> /dev/null
  [ -z "$agent" ] || interrupt_agent
}

leave() {
  local code=$?
  trap 'woken=1' TERM INT HUP
  trap - EXIT
  call_off "$watcher"
  call_off "$guard"
  # What a job has left running ends with its agent.
  [ -z "$agent" ] || call_off "$agent"
  [ -z "$registered" ] || unregister
  [ -z "$scratch" ] || rm -rf "$scratch"
  exit "$code"
}

# ── Calls ────────────────────────────────────────────────────────────────────────────────────────────────────────────

# JSON on stdin → a line for each value: its path (value.0.name), a tab, the value.
flatten_json() {
  LC_ALL=C awk '
    function emit(value,   path, i) {
      for (i = 1; i <= depth; i++) path = path (i > 1 ? "." : "") key[i]
      gsub(/[\t\r\n]/, " ", value)
      print path "\t" value
    }
    function literal() { if (word != "") emit(word); word = "" }
    function code_point(hex,   i, number) {
      for (i = 1; i <= 4; i++) number = number * 16 + index("0123456789abcdef", tolower(substr(hex, i, 1))) - 1
      if (number < 128) return sprintf("%c", number)
      if (number < 2048) return sprintf("%c%c", 192 + int(number / 64), 128 + number % 64)
      return sprintf("%c%c%c", 224 + int(number / 4096), 128 + int(number / 64) % 64, 128 + number % 64)
    }
    function plain(text,   out, at, next_one) {
      while (at = index(text, "\\")) {
        next_one = substr(text, at + 1, 1)
        out = out substr(text, 1, at - 1)
        if (next_one == "u") { out = out code_point(substr(text, at + 2, 4)); text = substr(text, at + 6); continue }
        out = out (index("nrtbf", next_one) ? " " : next_one)
        text = substr(text, at + 2)
      }
      return out text
    }
    # Split at quotes, so that each second piece is a string; one that ends in a backslash goes on in the next piece.
    BEGIN { RS = "\"" }
    in_string {
      text = text $0
      match(text, /\\*$/)
      if (RLENGTH % 2) { text = text "\""; next }
      in_string = 0
      if (kind[depth] == "object" && wants_key[depth]) { key[depth] = plain(text); wants_key[depth] = 0 }
      else emit(plain(text))
      next
    }
    {
      for (i = 1; i <= length($0); i++) {
        c = substr($0, i, 1)
        if (c == "{") { depth++; kind[depth] = "object"; wants_key[depth] = 1 }
        else if (c == "[") { depth++; kind[depth] = "array"; key[depth] = 0 }
        else if (c == "}" || c == "]") { literal(); depth-- }
        else if (c == ",") { literal(); if (kind[depth] == "array") key[depth]++; else wants_key[depth] = 1 }
        else if (c !~ /[: \t\r\n]/) word = word c
      }
      in_string = 1
      text = ""
    }'
}

# The value at a path of the last answer; a path is a basic regular expression.
value_at() { printf '%s\n' "$answer" | sed -n "s/^$1	//p" | head -n 1; }

# One call, given to curl on its stdin where it is secret: arguments can be read by everyone on the machine.
# Sets `status` (000: none came), `answer` (flattened), and `reason` where there is no good answer.
call() {
  local secret=$1
  shift
  set -m
  printf '%s\n' "$secret" | curl -q --silent --show-error --connect-timeout 10 --max-time 30 --config - \
    --output "$scratch/answer" --write-out '%{http_code}' "$@" > "$scratch/status" 2> "$scratch/reason" &
  asking=$!
  set +m
  [ -z "$stopping" ] || [ -n "$registered" ] || kill -TERM "$asking" 2> /dev/null
  await "$asking"
  asking=''
  status=$(cat "$scratch/status")
  reason=$(head -n 1 "$scratch/reason")
  answer=''
  [ ! -s "$scratch/answer" ] || answer=$(flatten_json < "$scratch/answer")
  rm -f "$scratch/answer"
  [ -n "$status" ] || status=000
  [ -n "$reason" ] || reason="status $status"
}

# While it is to end and has nothing to undo, there is no point in going on.
unless_stopping() { [ -z "$stopping" ] || [ -n "$registered" ] || exit "$done"; }

# A token for now: an identity's ends after a while. Sets `token` and `authorization`, or `problem` and `problem_code`.
fetch_token() {
  local try path
  token=$given_token
  if [ -z "$token" ] && [ -n "$token_file" ]; then
    token=$(tr -d '\r\n' < "$token_file" 2> /dev/null)
    problem="The file of AZDO_TOKEN_FILE holds no token: $token_file" problem_code=$token_refused
    [ -n "$token" ] || return 1
  fi
  if [ -n "$token" ]; then
    authorization="Basic $(printf ':%s' "$token" | base64 | tr -d '\n')"
    return 0
  fi
  path="$identity_endpoint?api-version=2018-02-01&resource=$devops_resource"
  [ -z "$identity_client" ] || path="$path&client_id=$identity_client"
  for try in 0.2 0.5 1 2 0; do
    call '' --noproxy '*' --globoff --max-time 10 --header 'Metadata: true' "$path"
    unless_stopping
    token=$(value_at access_token)
    if [ "$status" = 200 ] && printf '%s' "$token" | grep -Eq '^[A-Za-z0-9._~+/=-]+$'; then
      authorization="Bearer $token"
      return 0
    fi
    # A service that is just starting answers so; other answers stay what they are.
    case $status in 000 | 404 | 410 | 429 | 5??) [ "$try" = 0 ] || pause "$try" ;; *) break ;; esac
    unless_stopping
  done
  problem="There is no AZDO_TOKEN, and the managed identity of this machine gave no token for Azure DevOps ($reason)."
  problem_code=$token_refused
  return 1
}

# ask METHOD PATH [CURL-OPTION …]: a call to Azure DevOps that outlasts a short absence of it. Returns 1 with `problem`
# and `problem_code` where there is no answer, or one that is about the token; else `status` and `answer` are the caller's to judge.
ask() {
  local method=$1 path=$2 until=$(($(date +%s) + patience)) delay=0.1
  shift 2
  while :; do
    fetch_token || return 1
    call "header = \"Authorization: $authorization\"" --request "$method" --globoff --header 'X-TFS-FedAuthRedirect: Suppress' \
      --header 'Accept: application/json;api-version=7.1-preview' "$@" "$url$path"
    unless_stopping
    case $status in
      # A token that it does not know is shown a page to sign in.
      203 | 30? | 401 | 403)
        problem="$url refused the token: it is not valid, or it may not register agents in pool \"$pool\"."
        problem_code=$token_refused
        return 1
        ;;
      000 | 408 | 429 | 5??) ;;
      *) return 0 ;;
    esac
    if [ "$(date +%s)" -ge "$until" ]; then
      problem="Azure DevOps ($url) does not answer: $reason" problem_code=$retryable
      return 1
    fi
    pause "$delay"
    unless_stopping
    case $delay in 0.1) delay=0.2 ;; 0.2) delay=0.5 ;; 0.5) delay=1 ;; *) delay=2 ;; esac
  done
}

# The same for a list, which is there or the address is wrong.
ask_list() {
  ask GET "$@" --get || fail "$problem_code" "$problem"
  [ "$status" = 404 ] && fail "$settings_bad" "AZDO_URL is not an Azure DevOps organisation: $url has no agent pools (status 404)."
  if [ "$status" != 200 ] || [ -z "$(value_at count)" ]; then
    fail "$retryable" "$url gave an answer that is not one of Azure DevOps (status $status)."
  fi
}

# find_entry KEY VALUE: whether an entry of the last answer's list has it there, in whatever case; sets `at` to its index.
find_entry() {
  at=$(printf '%s\n' "$answer" | KEY=$1 WANTED=$2 awk -F '\t' '
    BEGIN { wanted = tolower(ENVIRON["WANTED"]) }
    {
      index_and_key = $1
      if (!sub(/^value\./, "", index_and_key)) next
      dot = index(index_and_key, ".")
      if (substr(index_and_key, dot + 1) != ENVIRON["KEY"] || tolower($2) != wanted) next
      print substr(index_and_key, 1, dot - 1)
      exit
    }')
  [ -n "$at" ]
}

# ── The life of an agent ─────────────────────────────────────────────────────────────────────────────────────────────

# A name is used once: only a rerun of the same task finds it used (its node was taken away), and such an agent would
# run a job that nobody has meant for it.
check_names() {
  ask_list /_apis/distributedtask/pools --data-urlencode "poolName=$pool"
  find_entry name "$pool" || fail "$pool_unknown" "There is no agent pool \"$pool\" in this organisation."
  pool_path=/_apis/distributedtask/pools/$(value_at "value\.$at\.id")
  ask_list "$pool_path/agents" --data-urlencode "agentName=$name"
  ! find_entry name "$name" || fail "$name_in_use" \
    "The name \"$name\" is in use: pool \"$pool\" has an agent of this name already, online or not. A name is used once."
  ask_list "$pool_path/jobrequests" --data completedRequestCount=100 --data-urlencode "agentName=$name"
  ! find_entry reservedAgent.name "$name" || fail "$name_in_use" \
    "The name \"$name\" was used: an agent of this name has taken a job in pool \"$pool\". A name is used once."
}

# By variables, which the agent takes out of its environment before it looks at that for capabilities; of this command alone.
configure() {
  VSTS_AGENT_INPUT_AUTH=pat VSTS_AGENT_INPUT_TOKEN=$token start_apart "$home/config.sh" "$@"
}

register() {
  local ended
  unless_stopping
  export VSTS_AGENT_INPUT_URL=$url VSTS_AGENT_INPUT_POOL=$pool VSTS_AGENT_INPUT_AGENT=$name VSTS_AGENT_INPUT_WORK=$work
  configure --unattended --acceptTeeEula
  later "$register_seconds" kill -KILL -- "-$child"
  guard=$!
  await "$child"
  ended=$?
  call_off "$guard"
  guard=''
  unset VSTS_AGENT_INPUT_URL VSTS_AGENT_INPUT_POOL VSTS_AGENT_INPUT_AGENT VSTS_AGENT_INPUT_WORK
  # Of one that was killed nobody knows how far it came.
  if [ "$ended" -eq 0 ] || [ "$ended" -gt 128 ] || [ -e "$home/.agent" ]; then registered=1; fi
  [ -z "$stopping" ] || exit "$done"
  [ "$ended" -ne 0 ] || return 0
  # It has said why, in words that depend on its version and language: what they mean is seen by looking again.
  [ -n "$registered" ] || check_names
  fail "$retryable" "The agent could not be registered: config.sh ended with exit code $ended."
}

unregister() {
  local until=$(($(date +%s) + removal_patience)) ended=1
  patience=3
  while :; do
    if fetch_token; then
      configure remove --unattended
      later "$removal_patience" kill -KILL -- "-$child"
      guard=$!
      await "$child"
      ended=$?
      call_off "$guard"
    fi
    if [ "$ended" -eq 0 ]; then
      say "unregistered $name"
      return
    fi
    [ "$(date +%s)" -lt "$until" ] || break
    pause 1
  done
  complain "The registration of agent \"$name\" in pool \"$pool\" could not be removed. The app removes it; else do so by hand."
}

# Takes an agent back that no job comes for. The service decides, so that no job is lost that is just being given to it:
# it removes no agent that has one, and gives none to an agent that it has removed. Runs beside the agent.
# Returns 1 where it is to be looked at again: the service may be away.
take_back_if_idle() {
  local id
  ask GET "$pool_path/agents" --get --data-urlencode "agentName=$name" --data includeAssignedRequest=true \
    --data includeLastCompletedRequest=true && [ "$status" = 200 ] || return 1
  if find_entry name "$name"; then
    id=$(value_at "value\.$at\.id")
    ! printf '%s\n' "$answer" | grep -Eq "^value\.$at\.(assignedRequest|lastCompletedRequest)\." || return 0
    ask DELETE "$pool_path/agents/$id" || return 1
    case $status in 2?? | 404) ;; *) return 1 ;; esac
  fi
  touch "$no_job_mark"
  kill -s "$stop_signal" -- "-$agent"
  sleep "$stop_seconds"
  kill -KILL -- "-$agent"
}

watch_idle() {
  patience=0
  # Its calls must not meet those of its parent, who may call again before they are over.
  scratch=$scratch/idle
  mkdir "$scratch"
  sleep "$(awk "BEGIN { print $idle_minutes * 60 }")"
  while ! take_back_if_idle; do sleep 15; done
}

run_agent() {
  local ended
  # shellcheck disable=SC2086 # no word where there is no option
  start_apart "$home/run.sh" $once
  agent=$child
  [ -z "$stopping" ] || interrupt_agent
  if [ -n "$idle_minutes" ]; then
    later 0 watch_idle
    watcher=$!
  fi
  await "$agent"
  ended=$?
  # Of a signal, run.sh may die before the agent behind it has taken its leave; `guard` limits how long that may take.
  while [ -n "$guard" ] && kill -0 "$guard" 2> /dev/null && kill -0 -- "-$agent" 2> /dev/null; do pause 0.1; done
  if [ -e "$no_job_mark" ]; then
    registered=''
    fail "$no_job" "No job came for agent \"$name\" within $idle_minutes minutes. It was removed from pool \"$pool\"."
  fi
  [ -z "$stopping" ] || exit "$done"
  case $ended in
    "$done") exit "$done" ;;
    "$settings_bad") fail "$settings_bad" "The agent ended with exit code 1: its registration was removed, or it could not start." ;;
    *) fail "$retryable" "The agent ended with exit code $ended." ;;
  esac
}

trap leave EXIT
trap 'on_stop TERM' TERM
trap 'on_stop INT' INT
trap 'on_stop HUP' HUP
check_settings
check_expiry
scratch=$(mktemp -d "${TMPDIR:-/tmp}/azdo-agent.XXXXXX") || fail "$retryable" 'There is no room for temporary files.'
no_job_mark=$scratch/no-job

ignored=$(printf '%s,' "${VSO_AGENT_IGNORE:-}" "${AZDO_ENV_IGNORE:-}" | tr -d ' ' | tr -s , | sed 's/^,//')
export VSO_AGENT_IGNORE="$ignored${secrets// /,},AZDO_ENV_IGNORE,VSO_AGENT_IGNORE"
# shellcheck disable=SC2086 # names, one a word
unset $secrets

patience=$start_patience
check_names
# It may have waited for the service.
check_expiry
register
say "registered as $name in pool $pool, listening for jobs"
run_agent
