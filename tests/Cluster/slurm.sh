#!/usr/bin/env bash
# Sweeps on a real Slurm: a private munged, slurmctld and slurmd in a temporary folder, on free ports, and nothing of /etc touched.
#   slurm.sh COMMAND...     the program, such as: dotnet ChemScale.Cli.dll
# Exit codes: 0 everything held, 1 something did not, 77 there is no Slurm here.
set -uo pipefail

for tool in munged munge slurmctld slurmd sbatch squeue scancel scontrol sinfo; do
  PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || { echo "no $tool here"; exit 77; }
done
PATH=$PATH:/usr/sbin
chemscale=("$@")
[ ${#chemscale[@]} -gt 0 ] || { echo "usage: slurm.sh COMMAND..."; exit 1; }

D=$(mktemp -d "${TMPDIR:-/tmp}/chemscale-slurm-XXXXXX")
daemons=()
started=$SECONDS

stop() {
  trap - EXIT INT TERM
  if [ -n "${SLURM_CONF:-}" ]; then
    timeout 20 scancel --user="$(id -un)" 2>/dev/null
    for _ in $(seq 60); do [ -z "$(timeout 10 squeue --noheader 2>/dev/null)" ] && break; sleep 0.5; done
  fi
  # slurmd first: the others serve it. Last started, first ended; by their own process ids only.
  for ((i = ${#daemons[@]} - 1; i >= 0; i--)); do
    kill "${daemons[i]}" 2>/dev/null
    for _ in $(seq 40); do kill -0 "${daemons[i]}" 2>/dev/null || break; sleep 0.25; done
    kill -KILL "${daemons[i]}" 2>/dev/null
  done
  [ -n "${KEEP:-}" ] && echo "kept: $D" || rm -rf "$D"
}
trap stop EXIT
trap 'exit 1' INT TERM

fail() {
  echo "FAILED: $*"
  timeout 10 squeue 2>/dev/null
  tail -n 5 "$D"/log/slurmctld.log "$D"/log/slurmd.log 2>/dev/null
  for log in "$D"/*/slurm/*.log; do [ -f "$log" ] && { echo "== $log"; tail -n 8 "$log"; }; done
  exit 1
}

# Waits until a command succeeds, or fails with what was waited for.
await() {
  local what=$1 limit=$((SECONDS + $2))
  shift 2
  until "$@"; do
    [ $SECONDS -lt $limit ] || fail "waited too long for $what"
    sleep 0.2
  done
}

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 20000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

say() { printf '[%3d s] %s\n' $((SECONDS - started)) "$*"; }

# --- the cluster ---------------------------------------------------------------------------------------------------------------------
mkdir -p "$D"/{m,state,spool,log}
chmod 755 "$D" "$D"/m
(umask 077 && head -c 1024 /dev/urandom >"$D/m/key")
user=$(id -un)
controller=$(free_port)
node=$(free_port)
while [ "$node" = "$controller" ]; do node=$(free_port); done
if getent hosts "$(hostname)" >/dev/null; then
  host=localhost address='' communication='CommunicationParameters=NoCtldInAddrAny,NoInAddrAny' origin=()
else
  host='localhost(127.0.0.1)' address='NodeAddr=127.0.0.1' communication='' origin=(--origin=127.0.0.1)
fi
cat >"$D/slurm.conf" <<CONF
ClusterName=priv
SlurmctldHost=$host
SlurmUser=$user
SlurmdUser=$user
AuthInfo=socket=$D/m/sock,cred_expire=5
SlurmctldPort=$controller
SlurmdPort=$node
StateSaveLocation=$D/state
SlurmdSpoolDir=$D/spool
SlurmctldPidFile=$D/slurmctld.pid
SlurmdPidFile=$D/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
KillWait=5
$communication
JobFileAppend=1
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
NodeName=localhost CPUs=2 $address State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$D/slurm.conf
munged -F "${origin[@]}" --key-file="$D/m/key" --socket="$D/m/sock" --pid-file="$D/m/pid" --seed-file="$D/m/seed" --log-file="$D/m/log" >"$D/log/munged.log" 2>&1 &
daemons+=($!)
# Ready means a credential round trip.
await munged 30 sh -c "munge -n -S '$D/m/sock' >/dev/null 2>&1"
slurmctld -D >"$D/log/slurmctld.log" 2>&1 &
daemons+=($!)
slurmd -D >"$D/log/slurmd.log" 2>&1 &
daemons+=($!)
await "an idle node" 60 sh -c 'timeout 5 sinfo --noheader --states=idle --format=%n 2>/dev/null | grep -q localhost'
say "Slurm $(sinfo --version | cut -d' ' -f2) is up on ports $controller and $node"

# --- what is asked of a sweep --------------------------------------------------------------------------------------------------------
# Process at work on a run, from its claim; nothing where nobody is.
worker_of() { cat "$1"/claim.[0-9]* 2>/dev/null | grep -o '"Pid":[0-9]*' | tail -n 1 | cut -d: -f2; }
checkpoints_of() { ls -d "$1"/checkpoints/step-* 2>/dev/null | wc -l; }

# A run of a folder that is being trained, has a checkpoint, and was not a victim before.
victims=()
victim=''
pick() {
  local run
  for run in "$1"/learningRate-*; do
    [[ " ${victims[*]} " == *" $(basename "$run") "* ]] && continue
    [ -f "$run/DONE" ] || [ "$(checkpoints_of "$run")" -lt 1 ] && continue
    local process
    process=$(worker_of "$run")
    [ -n "$process" ] && kill -0 "$process" 2>/dev/null || continue
    victim=$run
    return 0
  done
  return 1
}
strike() {
  local how=$1 folder=$2
  await "a run to end by $how" 120 pick "$folder"
  victims+=("$(basename "$victim")")
  local process
  process=$(worker_of "$victim")
  case $how in
    KILL | TERM) kill -s "$how" "$process" ;;
    # As Slurm's warning: to the batch shell alone. (scancel --batch repeats itself while a task is being requeued.)
    USR1) kill -s USR1 "$(ps -o ppid= -p "$process" | tr -d ' ')" ;;
    scancel)
      local index job
      index=$(index_of "$folder" "$victim")
      job=$(squeue --noheader --array --states=running --format='%F_%K' | grep "_$index\$" | head -n 1)
      [ -n "$job" ] || fail "no job of task $index"
      scancel "$job"
      ;;
  esac
  say "$how for $(basename "$victim")"
}
index_of() { grep -o '"name": *"[^"]*"' "$1/plan/plan.json" | cut -d'"' -f4 | grep -nx "$(basename "$2")" | head -n 1 | awk -F: '{print $1 - 1}'; }

queue_is_empty() { local queue; queue=$(timeout 10 squeue --noheader --states=all --format=%T 2>/dev/null) || return 1; ! grep -qE 'PENDING|RUNNING|COMPLETING|REQUEUE|CONFIGURING' <<<"$queue"; }

# Every step from 0 to the last once and in order, every epoch's mean once.
whole() {
  local run=$1 steps=$2 epochs=$3
  awk -F, -v steps="$steps" -v epochs="$epochs" 'NR > 1 && $3 != "" { if ($2 != n) exit 1; n++ } NR > 1 && $4 != "" { if ($1 != e) exit 1; e++ }
    END { if (n != steps || e != epochs) { printf "%d steps, %d epochs\n", n, e; exit 1 } }' "$run/metrics.csv" || fail "$run: not each of $steps steps and $epochs epochs once"
}
# A run that was completed is told of once over all logs of its tasks.
once() {
  local times
  times=$(cat "$1"/slurm/*.log | grep -c "^$(basename "$2"): Completed ")
  [ "$times" -eq 1 ] || fail "$(basename "$2") was completed $times times"
}

"${chemscale[@]}" prepare --virtual 300 --validation 0.1 --out "$D/store" >/dev/null 2>&1 || fail "prepare"

# --- a sweep of 12 points, in a folder with a space in its name ------------------------------------------------------------------------
cat >"$D/sweep.yaml" <<YAML
experiment:
  model: {family: chemgpt, layers: 1, width: 16, heads: 2}
  training: {batchSize: 4, epochs: 6, threads: 1, checkpointInterval: 15 steps}
vary:
  training.learningRate: [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 3e-3]
  seed: [1, 2]
YAML
sweep=("${chemscale[@]}" sweep --file "$D/sweep.yaml" --data "$D/store" --out "$D/a sweep" --slurm --time 10 --warning 60)
"${sweep[@]}" || fail "sbatch"
strike KILL "$D/a sweep"
strike TERM "$D/a sweep"
strike USR1 "$D/a sweep"
strike scancel "$D/a sweep"
cancelled=$victim
await "the sweep's tasks" 420 queue_is_empty
[ ! -f "$cancelled/DONE" ] || fail "a cancelled task went on"
[ "$(checkpoints_of "$cancelled")" -ge 1 ] || fail "a cancelled task left no checkpoint"
for code in 75 137 143; do grep -qs "^code $code: back into the queue" "$D/a sweep"/slurm/finish-*.log || fail "no task went back with code $code"; done
say "11 of 12 are to be complete, the cancelled one is put aside; the same command goes on"
"${sweep[@]}" || fail "sbatch, the second time"
await "the sweep's tasks" 240 queue_is_empty
"${chemscale[@]}" sweep --status --out "$D/a sweep" | tail -n 2
steps=
runs=0
for run in "$D/a sweep"/learningRate-*; do
  [ -f "$run/DONE" ] || fail "$run is not complete"
  steps=${steps:-$(grep -o '"steps": *[0-9]*' "$run/DONE" | tr -dc 0-9)}
  whole "$run" "$steps" 6
  once "$D/a sweep" "$run"
  runs=$((runs + 1))
done
[ $runs -eq 12 ] || fail "$runs runs"
[ "$(wc -l <"$D/a sweep/sweep.csv")" -eq 13 ] || fail "sweep.csv lacks runs"
say "12 runs complete, each of $steps steps once; one killed, one terminated, one warned, one cancelled and taken up again"

# --- a limit shorter than the run: Slurm's own warning, checkpoint, requeue, as often as it takes ---------------------------------------
# Slurm warns and ends by a coarse clock; a limit of a minute warned 30 s before is warned of after 14 to 28 s.
# Time of a step without what comes before the first: between the hundredth and the last of the fastest run.
rate=$(for run in "$D/a sweep"/learningRate-*; do
  grep -o '"seconds":[0-9.eE+-]*' "$run/metrics.jsonl" | cut -d: -f2 | awk 'NR == 100 { from = $1; at = NR } { to = $1 } END { if (at && to > from) printf "%d\n", (NR - at) / (to - from) }'
done | sort -n | tail -n 1)
[ -n "$rate" ] || fail "no run tells the time of a step"
epoch=$((steps / 6))
epochs=$((150 * rate / epoch))
[ $epochs -ge 20 ] || epochs=20
cat >"$D/long.yaml" <<YAML
experiment:
  model: {family: chemgpt, layers: 1, width: 16, heads: 2}
  training: {batchSize: 4, epochs: $epochs, threads: 1, checkpointInterval: never}
vary:
  training.learningRate: [1e-3]
YAML
"${chemscale[@]}" sweep --file "$D/long.yaml" --data "$D/store" --out "$D/long" --slurm --time 1 --warning 30 || fail "sbatch of the long run"
await "the long run" 1200 queue_is_empty
[ -f "$D/long/learningRate-1e-3/DONE" ] || fail "the long run is not complete"
warned=$(cat "$D"/long/slurm/*.log | grep -c '^code 75: back into the queue')
[ "$warned" -ge 1 ] || fail "the long run was never warned"
whole "$D/long/learningRate-1e-3" $((epochs * epoch)) $epochs
once "$D/long" "$D/long/learningRate-1e-3"
say "a run longer than its limit: $epochs epochs, warned and requeued $warned times"

# --- probe, select, finish ----------------------------------------------------------------------------------------------------------
cat >"$D/search.yaml" <<YAML
experiment:
  model: {family: chemgpt, layers: 1, width: 16, heads: 2}
  training: {batchSize: 4, threads: 1, checkpointInterval: 15 steps}
vary:
  training.learningRate: [1e-4, 1e-3, 3e-3]
  seed: [1, 2]
selection: {epochs: 10, probeEpochs: 3}
YAML
victims=()
"${chemscale[@]}" sweep --file "$D/search.yaml" --data "$D/store" --out "$D/search" --slurm --time 10 --warning 60 || fail "sbatch of the chain"
strike KILL "$D/search"
strike TERM "$D/search"
await "the chain" 420 queue_is_empty
[ -f "$D/search/plan/selection.json" ] || fail "no selection"
"${chemscale[@]}" sweep --status --out "$D/search" | tail -n 2
complete=0
for run in "$D/search"/learningRate-*; do
  if [ -f "$run/DONE" ]; then
    complete=$((complete + 1))
    whole "$run" $((10 * epoch)) 10
    once "$D/search" "$run"
  else
    whole "$run" $((3 * epoch)) 3
  fi
done
[ $complete -eq 1 ] || fail "$complete runs went on to the end, 1 was to be selected"
[ -z "$(find "$D/a sweep" "$D/search" -name 'claim.[0-9]*' -not -name '*.*.*')" ] || fail "a claim was left"
say "the chain: 6 probed, 1 finished; one probe killed, one terminated"
