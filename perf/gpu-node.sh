#!/usr/bin/env bash
# gpu-node.sh --call 1|2 [--dry] [--out DIR] [--python PYTHON] [--only STEP,...] [FOLDER]
#
# Checks and measures what perf/publish.sh packed, on a machine with an NVIDIA driver, a Python with torch, and nothing else. FOLDER is the
# unpacked folder (default: this script's own). Two calls, so that each ends within the time that a machine is lent for: the first 4.5
# minutes, the second 4. Each step has a cap of its own, at which it is stopped; the table is printed after every step, so that a call that
# is cut off leaves what it had. Logs and results stay in --out (default $OUT, else ./gpu-node-out); a call does only what is not yet done.
# Never changes a setting of the card.
#
#   --call 1       host, imports, device, kernels (ptxas -v on the PTX that is packed), small cases, equality, models beside torch
#   --call 2       operations at 10^6 edges and 4,096 molecules; ncu on six of their kernels beside our counts; memcheck; racecheck
#   --dry          the same steps within the same caps without a driver: on the CPU, at small sizes; what needs a GPU says so and is skipped
#   --only A,B     only these steps of the call
#
# libtorch is looked for in LIBTORCH_DIR, then where --python (default python3) keeps torch; with --dry in the package cache before.
# Exit codes: 0 all done or skipped with a reason; 1 a step failed or ran out of time; 2 a mistake in what was given.
set -uo pipefail
self=$(realpath "$0")
# Seconds of each; those of a call make 270 and 240.
declare -A calls=([1]="host imports device kernels small equality models" [2]="operations counters memcheck racecheck")
declare -A caps=([host]=5 [imports]=10 [device]=40 [kernels]=40 [small]=55 [equality]=45 [models]=75 [operations]=90 [counters]=70 [memcheck]=40 [racecheck]=40)
readonly skipped=77

mistake() {
  echo "gpu-node.sh: $*" >&2
  exit 2
}

# ---------------------------------------------------------------------------------------------------------------- steps
# Each runs in a process of its own, prints to its log, and leaves one line in $note. Exit code 77: skipped.

note() { printf '%s\n' "$*" > "$note"; }

skip() {
  note "$*"
  exit $skipped
}

step_host() {
  uname -srm
  grep -m1 '^PRETTY_NAME=' /etc/os-release || true
  grep -m1 '^model name' /proc/cpuinfo || true
  echo "$(nproc) processors, $(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)"
  echo "libtorch: $LIBTORCH_DIR"
  # Versions as files say them: importing torch takes longer than this step has.
  [ -z "$python" ] || "$python" -c 'import sys, importlib.metadata as m; print("Python", sys.version.split()[0])
print("torch", m.version("torch"))'
  [ -z "$torch" ] || grep -h -E '^(cuda|git_version)' "$torch/version.py"
  for tool in ptxas cuobjdump compute-sanitizer; do echo "$tool: $(tool $tool || echo none)"; done
  local card="no nvidia-smi"
  if command -v nvidia-smi > /dev/null; then
    nvidia-smi
    nvidia-smi --query-gpu=name,memory.total,compute_cap,driver_version,power.limit,clocks.max.sm,clocks.max.memory,ecc.mode.current \
      --format=csv
    card=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader | head -n 1)
  fi
  note "$(nproc) processors; $card"
}

step_imports() {
  "$folder/ChemScale.Cli" doctor --imports
  local code=$?
  note "$(sed -n 's/^imports *[a-zA-Z]* *//p' "$log" | cut -d' ' -f1-5)"
  return $code
}

step_device() {
  "$folder/ChemScale.Cli" doctor
  echo
  local code=0
  "$folder/ChemScale.Cli" doctor --device "$device" || code=1
  note "$(grep -c -E '^(float64|float32|launch|operation|release) +ok' "$log") of 5 checks on $device"
  return $code
}

# Tests by a filter: by the program that is packed, or where there is none by the SDK that built them.
tests() {
  # Without a GPU the same tests run their kernels on the CPU, on few rows: more threads would only wait for each other.
  [ "$device" = cpu ] && export CHEMSCALE_TEST_DEVICE="${3:-cpu}" OMP_NUM_THREADS=1
  local code results
  if [ -x "$folder/ChemScale.Tests" ]; then
    "$folder/ChemScale.Tests" --filter "$2" --report-trx --report-trx-filename "$1.trx" --results-directory "$out/tests" --output Detailed --no-progress
  else
    dotnet vstest "$folder/ChemScale.Tests.dll" "--TestCaseFilter:$2" "--logger:trx;LogFileName=$1.trx" "--ResultsDirectory:$out/tests"
  fi
  code=$?
  results=$(grep -o '<Counters [^>]*>' "$out/tests/$1.trx" 2> /dev/null | head -n 1)
  count() { grep -o "$1=\"[0-9]*\"" <<< "$results" | head -n 1 | tr -dc 0-9; }
  note "$(count passed) passed, $(count failed) failed, $(count notExecuted) skipped$([ "$device" = cpu ] && { [ "${3:-cpu}" = ptx ] && echo ' (interpreted PTX)' || echo ' (kernels on the CPU)'; })"
  # A program that cannot begin may leave no result and a code of 0.
  [ "$(count passed)" -gt 0 ] 2> /dev/null || { echo "no test ran"; return 1; }
  return $code
}

step_small() {
  local of='FullyQualifiedName~SmallCases'
  [ "$device" = cpu ] && of='FullyQualifiedName~SmallCasesTests.Float32'
  tests small "TestCategory=Gpu&($of|FullyQualifiedName~MatrixAttention)"
}

step_equality() { tests equality "TestCategory=Gpu&(FullyQualifiedName~DeviceNeighbors|FullyQualifiedName~DeviceTraining)"; }

step_models() {
  # A process of its own for each side: few of them, or the later ones never run.
  local peer=() why of=(--forms select --batches aspirin:64 --widths 128 --molecules 256)
  [ "$device" = cpu ] && of=(--forms select --models schnet --molecules 4)
  if [ -n "$python" ] && why=$("$python" -c 'import torch, numpy' 2>&1); then peer=(--peer "$python"); else why="alone: no Python with torch and numpy"; fi
  "$folder/ChemScale.Perf" run forcefield chemgpt --device "$device" "${quick[@]}" "${of[@]}" --seconds 1 --repeats 5 --json "$out/models" "${peer[@]}"
  local code=$?
  "$folder/ChemScale.Perf" table "$out/models"
  note "$(find "$out/models" -name '*.json' 2> /dev/null | wc -l) result files in models/${why:+; $why}"
  return $code
}

step_operations() {
  local sizes=(--edges 1e6 --molecules 4096 --lengths 512)
  [ "$device" = cpu ] && sizes=(--edges 360 --molecules 2 --lengths 32 --repeats 1 --warm-up 0)
  "$folder/ChemScale.Perf" run filter painn radial attention --device "$device" "${sizes[@]}" --widths 128 --head-widths 8,64 --modes kernels --seconds 1 \
    --json "$out/operations"
  local code=$?
  "$folder/ChemScale.Perf" table "$out/operations"
  note "$(find "$out/operations" -name '*.json' 2> /dev/null | wc -l) result files in operations/"
  return $code
}

# What a device's own counters say of six kernels, and what we count of the same launches.
step_counters() {
  local of=(run filter painn --edges 3600 --widths 128 --modes kernels) code=0
  "$folder/ChemScale.Perf" "${of[@]}" --device ptx --json "$out/counted.json" > "$out/counted.txt" || code=1
  cat "$out/counted.txt"
  [ "$device" = cpu ] && note "counted; the device's own need a GPU" && return $code
  local ncu
  ncu=$(tool ncu) || skip "counted; no ncu"
  "$ncu" --clock-control none --csv --launch-count 6 --metrics "smsp__inst_executed.sum,smsp__thread_inst_executed_per_inst_executed.ratio,\
l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum,l1tex__t_sectors_pipe_lsu_mem_global_op_st.sum,l1tex__data_pipe_lsu_wavefronts_mem_shared.sum,\
dram__bytes.sum,sm__warps_active.avg.pct_of_peak_sustained_active,gpu__time_duration.sum" \
    "$folder/ChemScale.Perf" "${of[@]}" --device "$device" --repeats 1 --warm-up 0 > "$out/ncu.csv" || code=1
  grep '^"' "$out/ncu.csv" | cut -d, -f5,13-
  note "ncu.csv and counted.txt: the same launches"
  return $code
}

step_kernels() {
  local ptx=$folder/ptx ptxas cuobjdump failed=0
  # The PTX that is packed is what this build makes of its kernels, for sm_90; other devices have theirs made here.
  if [ ! -f "$ptx/kernels.tsv" ] || [ "$architecture" != sm_90 ]; then
    ptx=$out/ptx
    "$folder/ChemScale.Cli" doctor --ptx "$ptx" --architecture "$architecture" || return 1
  fi
  [ "$device" = cpu ] || "$folder/ChemScale.Cli" doctor --warm --device "$device" || failed=1
  local kernels
  kernels=$(($(wc -l < "$ptx/kernels.tsv") - 1))
  if ! ptxas=$(tool ptxas); then
    note "$kernels kernels to PTX; no ptxas"
    return $failed
  fi
  cuobjdump=$(tool cuobjdump) || cuobjdump=""
  mkdir -p "$out/cubin"
  export ptxas cuobjdump architecture out
  find "$ptx" -name '*.ptx' -print0 | xargs -0 -n 1 -P "$(nproc)" bash "$self" --assemble || failed=1
  {
    printf 'file\tfamily\tregisters\tstack\tspill_stores\tspill_loads\tlocal_accesses\tkernel\n'
    tail -n +2 "$ptx/kernels.tsv" | while IFS=$'\t' read -r file family _ _ kernel; do
      printf '%s\t%s\t%s\t%s\n' "$file" "$family" "$(cat "$out/cubin/$file.tsv" 2> /dev/null || printf -- '-\t-\t-\t-\t-')" "$kernel"
    done
  } > "$out/kernels.tsv"
  cat "$out/kernels.tsv"
  note "$kernels kernels; $(awk -F'\t' 'NR > 1 { if ($3 == "-") bad++; if ($3 > most) most = $3; if ($5 + $6 > 0) spills++; if ($4 + 0 > 0) stack++
    if ($7 + 0 > 0) local++ }
    END { printf "%d not assembled, at most %d registers, %d with spills, %d with a stack frame, %d with local loads or stores in SASS",
      bad, most, spills, stack, local }' "$out/kernels.tsv")$([ -n "$cuobjdump" ] || echo ' (no cuobjdump: not looked at)')"
  return $failed
}

# One PTX file: registers, stack frame, spill stores, spill loads, and how many instructions of its SASS reach for local memory.
assemble() {
  local file=$1 name report sass=-
  name=$(basename "$file")
  if ! report=$("$ptxas" -v "-arch=$architecture" "$file" -o "$out/cubin/$name.cubin" 2>&1); then
    echo "$name: $report"
    return 1
  fi
  if [ -n "$cuobjdump" ]; then
    "$cuobjdump" -sass "$out/cubin/$name.cubin" > "$out/cubin/$name.sass" && sass=$(grep -cE '\b(LDL|STL)\b' "$out/cubin/$name.sass")
  fi
  awk -v sass="$sass" '
    /bytes stack frame/ { stack += $1; for (i = 1; i < NF; i++) { if ($(i + 2) == "spill" && $(i + 3) ~ /^stores/) stores += $i; if ($(i + 2) == "spill" && $(i + 3) ~ /^loads/) loads += $i } }
    /Used [0-9]+ registers/ { for (i = 1; i < NF; i++) if ($i == "Used") registers = $(i + 1) }
    END { printf "%d\t%d\t%d\t%d\t%s", registers, stack, stores, loads, sass }' <<< "$report" > "$out/cubin/$name.tsv"
}

step_memcheck() { sanitize memcheck; }

step_racecheck() { sanitize racecheck; }

sanitize() {
  local sanitizer
  # Without a GPU the interpreter watches: addresses, words that nobody wrote and races, all of them in both steps.
  if [ "$device" = cpu ]; then
    local of=Float32
    [ "$1" = racecheck ] && of=Float64
    tests "$1" "TestCategory=Gpu&FullyQualifiedName~SmallCasesTests.$of" ptx
    return
  fi
  sanitizer=$(tool compute-sanitizer) || skip "no compute-sanitizer"
  # The small cases: every memory access is watched, which takes tens of times as long.
  "$sanitizer" --tool "$1" --error-exitcode 9 --log-file "$out/$1.txt" "$folder/ChemScale.Tests" \
    --filter "TestCategory=Gpu&FullyQualifiedName~SmallCases" --no-progress --results-directory "$out/tests"
  local code=$?
  cat "$out/$1.txt"
  note "$(tail -n 1 "$out/$1.txt" | sed 's/^=* *//')"
  return $code
}

# A CUDA tool: on the path, in a toolkit, or in a package of the Python that has torch.
tool() {
  command -v "$1" && return 0
  local place
  for place in "${CUDA_HOME:-/nowhere}/bin/$1" /usr/local/cuda/bin/"$1" /usr/local/cuda-*/bin/"$1" /opt/nvidia/*/bin/"$1"; do
    [ -x "$place" ] && echo "$place" && return 0
  done
  [ -n "$packages" ] || return 1
  place=$(find "$packages"/nvidia "$packages"/triton -path "*/bin/$1" -type f 2> /dev/null | head -n 1)
  [ -n "$place" ] && echo "$place"
}

# ---------------------------------------------------------------------------------------------------------------- the run
case ${1:-} in
  --assemble)
    assemble "$2"
    exit
    ;;
  --step)
    read -r -a quick <<< "$quick_words"
    "step_$2"
    exit
    ;;
esac

device=cuda call="" out=${OUT:-gpu-node-out} python=python3 only="" folder="" quick_words=""
while [ $# -gt 0 ]; do
  case $1 in
    --call | --out | --python | --only)
      [ $# -ge 2 ] || mistake "option '$1' has no value"
      declare "${1#--}=$2"
      shift 2
      ;;
    --dry) device=cpu quick_words=--quick && shift ;;
    -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$self" && exit 0 ;;
    -*) mistake "unknown option '$1'. HINT: --help" ;;
    *) [ -z "$folder" ] || mistake "two folders: '$folder' and '$1'" && folder=$1 && shift ;;
  esac
done
[[ $call =~ ^[12]$ ]] || mistake "option '--call': '$call'; expected 1 or 2. HINT: --help says what they do"
read -r -a steps <<< "${calls[$call]}"
for step in ${only//,/ }; do
  [[ " ${steps[*]} " == *" $step "* ]] || mistake "option '--only': '$step'; expected of ${steps[*]}"
done
folder=$(realpath -m "${folder:-$(dirname "$self")}")
[ -x "$folder/ChemScale.Cli" ] || mistake "$folder: no ChemScale.Cli; expected the unpacked folder of perf/publish.sh"
command -v "$python" > /dev/null || python=""
mkdir -p "$out" || exit 2
out=$(realpath "$out")

# Where Python's packages are, without importing them.
packages=""
torch=$([ -z "$python" ] || "$python" -c 'import importlib.util as u
s = u.find_spec("torch")
print(s.submodule_search_locations[0] if s else "")' 2> /dev/null)
[ -z "$torch" ] || packages=$(dirname "$torch")
libtorch() {
  local cache=${NUGET_PACKAGES:-~/.nuget/packages} place
  local candidates=("${LIBTORCH_DIR:-}")
  [ "$device" = cpu ] && candidates+=("$cache"/libtorch-cpu-linux-x64/*/runtimes/linux-x64/native)
  candidates+=("${torch:+$torch/lib}")
  for place in "${candidates[@]}"; do
    [ -n "$place" ] && [ -e "$place/libtorch_cpu.so" ] && echo "$place" && return 0
  done
  return 1
}
LIBTORCH_DIR=$(libtorch) || mistake "no libtorch in LIBTORCH_DIR, nor with torch of ${python:-python3}"
export LIBTORCH_DIR
[ -n "${CHEMSCALE_DATA:-}" ] || [ ! -d "$folder/data" ] || export CHEMSCALE_DATA=$folder/data
# Compiled kernels, the driver's machine code and the shim's copy stay with the results, not in the user's home, which need not be writable.
export XDG_CACHE_HOME=$out/cache CUDA_CACHE_PATH=$out/cache/nv TESTINGPLATFORM_TELEMETRY_OPTOUT=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
architecture=sm_90
if [ "$device" != cpu ] && command -v nvidia-smi > /dev/null; then
  capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2> /dev/null | head -n 1 | tr -dc 0-9)
  [ -z "$capability" ] || architecture=sm_$capability
fi
export device out python torch packages folder quick_words architecture

# Results of another program, device, size or libtorch are not these.
key="$(cat "$folder/BUILD" 2> /dev/null) $device $quick_words $LIBTORCH_DIR"
kept=$out/steps
if [ "$(cat "$kept/key" 2> /dev/null)" != "$key" ]; then
  rm -rf "$kept"
  mkdir -p "$kept"
  printf '%s\n' "$key" > "$kept/key"
fi

table() {
  local step
  printf '%-10s %-8s %6s %6s  %s\n' step result s cap ""
  for step in "${steps[@]}"; do
    [ -f "$kept/$step.status" ] || continue
    printf '%-10s %-8s %6s %6s  %s\n' "$step" "$(cat "$kept/$step.status")" "$(cat "$kept/$step.seconds")" "${caps[$step]}" "$(head -n 1 "$kept/$step.note")"
  done
}

trap 'exit 130' INT
trap 'exit 143' TERM
for step in "${steps[@]}"; do
  [ -z "$only" ] || [[ ",$only," == *",$step,"* ]] || continue
  case $(cat "$kept/$step.status" 2> /dev/null) in
    ok | skipped)
      echo "== $step: kept"
      continue
      ;;
  esac
  echo "== $step"
  export log=$kept/$step.log note=$kept/$step.note
  : > "$note"
  start=$SECONDS
  timeout --kill-after=2 "${caps[$step]}" bash "$self" --step "$step" > "$log" 2>&1
  code=$?
  case $code in
    0) status=ok ;;
    "$skipped") status=skipped ;;
    124 | 137) status=late && note "stopped at its cap of ${caps[$step]} s" ;;
    *) status=failed ;;
  esac
  echo "$status" > "$kept/$step.status"
  echo $((SECONDS - start)) > "$kept/$step.seconds"
  [ -s "$note" ] || note "exit code $code; see steps/$step.log"
  [ "$status" != failed ] || tail -n 20 "$log"
  table | tee "$out/summary-$call.txt"
done

# ---------------------------------------------------------------------------------------------------------------- the end
wrong=0
for step in "${steps[@]}"; do
  [[ $(cat "$kept/$step.status" 2> /dev/null) =~ ^(failed|late)$ ]] && wrong=1
done
echo "all of it in $out, after $SECONDS s"
exit $wrong
