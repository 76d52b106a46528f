#!/usr/bin/env bash
# gpu-node.sh [--device cuda|cpu] [--quick] [--minutes N] [--out DIR] [--python PYTHON] [--only STEP,...] [FOLDER]
#
# Checks and measures what perf/publish.sh packed, on a machine with an NVIDIA driver, a Python with torch, and nothing else. FOLDER is the
# unpacked folder (default: this script's own). Steps run in order of value; each one's log and result stay in --out (default $OUT, else
# ./gpu-node-out), and a call with the same folder and options does only what is not yet done. A step that fails does not stop the later
# ones. Never changes a setting of the card.
#
#   --device cpu   the same steps without a driver, with the CPU libtorch of the package cache; what needs a GPU says so and is skipped
#   --quick        small sizes
#   --minutes N    start and stop steps so that all ends within N minutes
#   --only A,B     only these steps: host imports device tests perf peers kernels sanitizer
#
# libtorch is looked for in LIBTORCH_DIR, then where --python (default python3) keeps torch; with --device cpu in the package cache before.
# Exit codes: 0 all done or skipped with a reason; 1 a step failed or ran out of time; 2 a mistake in what was given.
set -uo pipefail
self=$(realpath "$0")
steps=(host imports device tests perf peers kernels sanitizer)
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
  [ -z "$python" ] || "$python" -c 'import sys; print("Python", sys.version.split()[0])
try:
    import torch
    print("torch", torch.__version__, "CUDA", torch.version.cuda, "cuDNN", torch.backends.cudnn.version())
except Exception as reason: print("no torch:", reason)'
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

step_tests() {
  # Without a GPU the same tests run their kernels on the CPU, on few rows: more threads would only wait for each other.
  [ "$device" = cpu ] && export CHEMSCALE_TEST_DEVICE=cpu OMP_NUM_THREADS=1
  "$folder/ChemScale.Tests" --filter "TestCategory=Gpu" --report-trx --report-trx-filename gpu-tests.trx --results-directory "$out/tests" \
    --output Detailed --no-progress
  local code=$?
  local counters
  counters=$(grep -o '<Counters [^>]*>' "$out/tests/gpu-tests.trx" 2> /dev/null | head -n 1)
  count() { grep -o "$1=\"[0-9]*\"" <<< "$counters" | head -n 1 | tr -dc 0-9; }
  note "$(count passed) passed, $(count failed) failed, $(count notExecuted) skipped$([ "$device" = cpu ] && echo ' (kernels on the CPU)')"
  return $code
}

step_perf() {
  "$folder/ChemScale.Perf" run all --device "$device" "${quick[@]}" --json "$out/perf"
  local code=$?
  "$folder/ChemScale.Perf" table "$out/perf" > "$out/perf.txt" && cat "$out/perf.txt"
  note "$(find "$out/perf" -name '*.json' 2> /dev/null | wc -l) result files in perf/"
  return $code
}

step_peers() {
  [ -n "$python" ] || skip "no python3"
  "$python" -c 'import torch, numpy' 2>&1 || skip "$python has no torch with numpy"
  "$folder/ChemScale.Perf" run all --device "$device" "${quick[@]}" --json "$out/perf-peers" --peer "$python"
  local code=$?
  "$folder/ChemScale.Perf" table "$out/perf-peers" > "$out/perf-peers.txt" && cat "$out/perf-peers.txt"
  note "$(find "$out/perf-peers" -name '*.json' 2> /dev/null | wc -l) result files in perf-peers/"
  return $code
}

step_kernels() {
  local driver=() ptxas cuobjdump failed=0
  [ "$device" = cpu ] || driver=(--device "$device")
  "$folder/ChemScale.Cli" doctor --ptx "$out/ptx" --architecture "$architecture" "${driver[@]}" || return 1
  local kernels
  kernels=$(($(wc -l < "$out/ptx/kernels.tsv") - 1))
  if ! ptxas=$(tool ptxas); then
    note "$kernels kernels to PTX; no ptxas$([ "$device" = cpu ] || echo ": registers and local memory from the driver alone"), table in kernels.tsv"
    cp "$out/ptx/kernels.tsv" "$out/kernels.tsv"
    return 0
  fi
  cuobjdump=$(tool cuobjdump) || cuobjdump=""
  mkdir -p "$out/cubin"
  export ptxas cuobjdump architecture out
  find "$out/ptx" -name '*.ptx' -print0 | xargs -0 -n 1 -P "$(nproc)" bash "$self" --assemble || failed=1
  {
    printf 'file\tfamily\tregisters\tstack\tspill_stores\tspill_loads\tlocal_accesses\tdriver_registers\tdriver_local\tkernel\n'
    tail -n +2 "$out/ptx/kernels.tsv" | while IFS=$'\t' read -r file family registers localbytes kernel; do
      printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$file" "$family" "$(cat "$out/cubin/$file.tsv" 2> /dev/null || printf -- '-\t-\t-\t-\t-')" \
        "$registers" "$localbytes" "$kernel"
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

step_sanitizer() {
  local sanitizer
  [ "$device" = cpu ] && skip "needs a GPU"
  sanitizer=$(tool compute-sanitizer) || skip "no compute-sanitizer"
  # The small cases: every memory access is watched, which takes tens of times as long.
  "$sanitizer" --tool memcheck --error-exitcode 9 --log-file "$out/sanitizer.txt" "$folder/ChemScale.Tests" \
    --filter "TestCategory=Gpu&FullyQualifiedName~SmallCases" --no-progress --results-directory "$out/tests"
  local code=$?
  cat "$out/sanitizer.txt"
  note "$(tail -n 1 "$out/sanitizer.txt" | sed 's/^=* *//')"
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

device=cuda minutes="" out=${OUT:-gpu-node-out} python=python3 only="" folder="" quick_words=""
while [ $# -gt 0 ]; do
  case $1 in
    --device | --minutes | --out | --python | --only)
      [ $# -ge 2 ] || mistake "option '$1' has no value"
      declare "${1#--}=$2"
      shift 2
      ;;
    --quick) quick_words=--quick && shift ;;
    -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$self" && exit 0 ;;
    -*) mistake "unknown option '$1'. HINT: --help" ;;
    *) [ -z "$folder" ] || mistake "two folders: '$folder' and '$1'" && folder=$1 && shift ;;
  esac
done
[[ $device =~ ^(cpu|cuda(:[0-9]+)?)$ ]] || mistake "option '--device': '$device'; expected cpu, cuda or cuda:1 and its like"
[[ -z $minutes || $minutes =~ ^[1-9][0-9]*$ ]] || mistake "option '--minutes': '$minutes'; expected a whole number"
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
# Compiled kernels and the shim's copy stay with the results, not in the user's home.
export XDG_CACHE_HOME=$out/cache TESTINGPLATFORM_TELEMETRY_OPTOUT=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
architecture=sm_90
if [ "$device" != cpu ] && command -v nvidia-smi > /dev/null; then
  capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2> /dev/null | head -n 1 | tr -dc 0-9)
  [ -z "$capability" ] || architecture=sm_$capability
fi
export device out python packages folder quick_words architecture

# Results of another program, device, size or libtorch are not these.
key="$(cat "$folder/BUILD" 2> /dev/null) $device $quick_words $LIBTORCH_DIR"
kept=$out/steps
if [ "$(cat "$kept/key" 2> /dev/null)" != "$key" ]; then
  rm -rf "$kept"
  mkdir -p "$kept"
  printf '%s\n' "$key" > "$kept/key"
fi

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
  limit=()
  if [ -n "$minutes" ]; then
    left=$((minutes * 60 - SECONDS))
    if [ "$left" -lt 5 ]; then
      echo late > "$kept/$step.status"
      echo "not started: $minutes minutes are over" > "$kept/$step.note"
      echo 0 > "$kept/$step.seconds"
      continue
    fi
    limit=(timeout --kill-after=5 "$left")
  fi
  echo "== $step"
  export log=$kept/$step.log note=$kept/$step.note
  : > "$note"
  start=$SECONDS
  "${limit[@]}" bash "$self" --step "$step" > "$log" 2>&1
  code=$?
  case $code in
    0) status=ok ;;
    "$skipped") status=skipped ;;
    124 | 137) status=late && [ -n "$minutes" ] && note "stopped after $((SECONDS - start)) s: $minutes minutes are over" ;;
    *) status=failed ;;
  esac
  echo "$status" > "$kept/$step.status"
  echo $((SECONDS - start)) > "$kept/$step.seconds"
  [ -s "$note" ] || note "exit code $code; see steps/$step.log"
  [ "$status" != failed ] || tail -n 20 "$log"
done

# ---------------------------------------------------------------------------------------------------------------- the table
wrong=0
{
  printf '%-10s %-8s %6s  %s\n' step result s ""
  for step in "${steps[@]}"; do
    [ -f "$kept/$step.status" ] || continue
    printf '%-10s %-8s %6s  %s\n' "$step" "$(cat "$kept/$step.status")" "$(cat "$kept/$step.seconds")" "$(head -n 1 "$kept/$step.note")"
  done
} | tee "$out/summary.txt"
grep -qE '^(failed|late)$' "$kept"/*.status && wrong=1
echo "all of it in $out"
exit $wrong
