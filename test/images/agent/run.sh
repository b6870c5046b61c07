#!/usr/bin/env bash
# Stands for the agent's run.sh, and writes down what it was given and what became of it.
set -u
printf '%s\n' "$*" > "$STUB_RECORD/run.arguments"
env > "$STUB_RECORD/run.env"
tr '\0' '\n' < "/proc/$PPID/environ" > "$STUB_RECORD/parent.env" 2> /dev/null
heed() { echo "$1" >> "$STUB_RECORD/run.signals"; exit 0; }
case ${STUB_RUN:-job} in
  job) echo 'job done' ;;
  crash) exit 139 ;;
  removed) exit 1 ;;
  leftovers) sleep 20 & ;;
  deaf) trap '' INT ;;
  *) trap 'heed INT' INT; trap 'heed TERM' TERM ;;
esac
case ${STUB_RUN:-job} in
  wait | deaf) touch "$STUB_RECORD/running"; while [ ! -e "$STUB_RECORD/end" ]; do sleep 0.02; done ;;
esac
