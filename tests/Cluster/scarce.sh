#!/usr/bin/env bash
# The commands where something is scarce: folders that are read-only or full, no HOME, few file descriptors, a gigabyte of memory, another user's
# files. Each failure is one line and loses nothing: what was begun is completed afterwards, to the same bytes.
#   scarce.sh COMMAND...     the program, such as: dotnet ChemScale.Cli.dll
# Exit codes: 0 everything held, 1 something did not, 77 file systems cannot be mounted here.
set -uo pipefail
chemscale=()
# Commands are run in other folders too.
for word in "$@"; do [ -e "$word" ] && chemscale+=("$(realpath "$word")") || chemscale+=("$word"); done
[ ${#chemscale[@]} -gt 0 ] || { echo "usage: scarce.sh COMMAND..."; exit 1; }
[ -n "${SCARCE_INSIDE:-}" ] || { unshare -m true 2>/dev/null && SCARCE_INSIDE=1 exec unshare -m bash "$0" "$@" || exit 77; }
mount --make-rprivate / 2>/dev/null || exit 77

D=$(mktemp -d "${TMPDIR:-/tmp}/chemscale-scarce-XXXXXX")
trap 'umount "$D/full" "$D/readonly" 2>/dev/null; rm -rf "$D"' EXIT
failed=0
mkdir "$D/full" "$D/readonly"
mount -t tmpfs -o size=20m tmpfs "$D/full" 2>/dev/null || exit 77
mount -t tmpfs -o size=20m tmpfs "$D/readonly" || exit 77

# expect NAME CODE COMMAND...: that exit code; where it is not 0, one line of at most 300 characters, without control characters or a stack trace.
expect() {
  local name=$1 code=$2 found start=$SECONDS
  shift 2
  "$@" >"$D/out" 2>"$D/err" </dev/null
  found=$?
  grep '^chemscale: ' "$D/err" | grep -v '^chemscale: warning' >"$D/said"
  local why=
  [ "$found" -eq "$code" ] || why="exit code $found, not $code"
  if [ "$code" -ne 0 ]; then
    [ "$(wc -l <"$D/said")" -eq 1 ] || why+=" $(wc -l <"$D/said") lines"
    [ "$(wc -L <"$D/said")" -le 300 ] || why+=" a line of $(wc -L <"$D/said")"
    grep -q '^   at ' "$D/err" && why+=" a stack trace"
  fi
  [ -z "$why" ] || { failed=$((failed + 1)); sed 's/^/    /' "$D/err" | head -5; }
  echo "${why:+FAILED: }$name: ${why:-$(cut -c1-150 "$D/said")} ($((SECONDS - start)) s)"
}

same() { diff -r -q -x .verified "$1" "$2" || { failed=$((failed + 1)); echo "FAILED: $3: not the same files"; }; }

small=(--layers 1 --width 16 --heads 2 --threads 1 --lr 1e-3 --checkpoint-every "200 steps" --validate-every "500 steps" --steps 1000)
tiny=("${small[@]:0:10}" --steps 2)
frame='2
Properties=species:S:1:pos:R:3:forces:R:3 energy=-1
O 0 0 0 0 0 0.01
C 0 0 1.15 0 0 -0.01'
echo "$frame" >"$D/a.xyz"
printf 'CCO\nCCN\nc1ccccc1O\nCC(=O)OC\n' >"$D/a.smi"
printf 'n,loss\n1e3,2\n1e4,1.5\n1e5,1.2\n1e6,1.1\n' >"$D/points.csv"
printf 'epoch,a,b,c\n0,3,2,4\n1,2,1.5,3\n2,1.5,1.4,2.5\n3,1.4,1.3,2.2\n4,1.3,1.2,2.1\n' >"$D/curves.csv"

echo "== a reference"
expect "a store" 0 "${chemscale[@]}" prepare --virtual 300 --validation 0.1 --out "$D/store"
expect "a training" 0 "${chemscale[@]}" train --data "$D/store" --out "$D/whole" "${small[@]}"
weights() { sha256sum "$1"/checkpoints/step-000001000/*.safetensors | cut -d' ' -f1; }

# What writes into FOLDER; the codes it ends with there, in order.
writers() {
  local where=$1 name=$2 codes=$3
  set -- $codes
  expect "$name, molecules" "$1" "${chemscale[@]}" prepare --molecules "$D/a.smi" --validation 0 --out "$where/molecules"
  expect "$name, frames" "$1" "${chemscale[@]}" prepare --frames "$D/a.xyz" --validation 0 --out "$where/frames"
  expect "$name, training" "$1" "${chemscale[@]}" train --data "$D/store" --out "$where/run" "${small[@]}"
  expect "$name, generation" "$1" "${chemscale[@]}" generate --run "$D/whole" --count 4 --threads 1 --out "$where/made"
  expect "$name, sweep" "$1" "${chemscale[@]}" sweep --data "$D/store" --out "$where/sweep" "${tiny[@]}" --vary model.width=16,32
  expect "$name, report" "$1" "${chemscale[@]}" estimate "$D/curves.csv" --html "$where/page.html"
}

echo "== read-only"
cp -r "$D/store" "$D/whole" "$D/readonly/"
mount -o remount,ro "$D/readonly"
writers "$D/readonly" "read-only" 2
expect "read-only, resuming a run" 0 "${chemscale[@]}" train --out "$D/readonly/whole" --resume
expect "read-only, its data" 0 "${chemscale[@]}" train --data "$D/readonly/store" --out "$D/from-readonly" "${tiny[@]}"
expect "read-only, verifying" 0 "${chemscale[@]}" verify "$D/readonly/store" "$D/readonly/whole"
same "$D/store" "$D/readonly/store" "read-only"
expect "read-only, as the current folder" 0 env -C "$D/readonly" "${chemscale[@]}" fit "$D/points.csv" --resource parameters --n n --loss loss --bootstrap 20

echo "== full"
"${chemscale[@]}" train --data "$D/store" --out "$D/full/run" "${small[@]}" >"$D/out" 2>&1 &
until ls -d "$D"/full/run/checkpoints/step-* >/dev/null 2>&1 || ! kill -0 $! 2>/dev/null; do sleep 0.05; done
kill -TERM $!
wait $!
code=$?
[ $code -eq 143 ] || { failed=$((failed + 1)); echo "FAILED: full, put aside: exit code $code"; }
cp "$D/a.xyz" "$D/full/"
head -c 30M /dev/zero >"$D/full/rest" 2>/dev/null
find "$D/full/run" -type f ! -name '*lock*' -exec sha256sum {} + | sort -k2 >"$D/before"
expect "full, resuming" 1 "${chemscale[@]}" train --out "$D/full/run" --resume
sha256sum --quiet -c "$D/before" || { failed=$((failed + 1)); echo "FAILED: full: a file of the run changed"; }
mkdir -p "$D/full/w" && writers "$D/full/w" "full" 1
rm "$D/full/rest"
rm -rf "$D/full/w"
expect "room again, resuming" 0 "${chemscale[@]}" train --out "$D/full/run" --resume
[ "$(weights "$D/full/run")" = "$(weights "$D/whole")" ] || { failed=$((failed + 1)); echo "FAILED: full: other weights than a run that was never stopped"; }

echo "== no HOME"
for unset in "env -u HOME -u XDG_CACHE_HOME -u TMPDIR" "env HOME=/nonexistent XDG_CACHE_HOME=relative" "env HOME= TMPDIR=/nonexistent"; do
  name=${unset#env }
  rm -rf "$D/nohome"
  mkdir "$D/nohome"
  cd "$D/nohome"
  here=("${chemscale[@]}")
  chemscale=($unset "${here[@]}")
  writers "$D/nohome" "$name" 0
  chemscale=("${here[@]}")
  cd "$D"
  extra=$(ls -A "$D/nohome" | grep -vE '^(molecules|frames|run|made|sweep|page.html|figures)$')
  [ -z "$extra" ] || { failed=$((failed + 1)); echo "FAILED: $name: left in the current folder: $extra"; }
done

echo "== few file descriptors"
few() { (ulimit -n 64; exec "$@"); }
expect "64 descriptors, training" 2 few "${chemscale[@]}" train --data "$D/store" --out "$D/few" "${tiny[@]}"
expect "64 descriptors, preparing" 2 few "${chemscale[@]}" prepare --molecules "$D/a.smi" --out "$D/few"
expect "64 descriptors, fitting" 2 few "${chemscale[@]}" fit "$D/points.csv" --resource parameters --n n
[ ! -e "$D/few" ] || { failed=$((failed + 1)); echo "FAILED: few descriptors: something was written"; }

echo "== a gigabyte"
mkdir "$D/small"
export DOTNET_GCHeapHardLimit=0x40000000
writers "$D/small" "1 GB" 0
expect "1 GB, fitting" 0 "${chemscale[@]}" fit "$D/points.csv" --resource parameters --n n --loss loss --bootstrap 200
unset DOTNET_GCHeapHardLimit
[ "$(weights "$D/small/run")" = "$(weights "$D/whole")" ] || { failed=$((failed + 1)); echo "FAILED: 1 GB: other weights"; }

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
  echo "== another user"
  # Wherever the program may look for libraries of its own, nobody has put some.
  mkdir -p "$D/planted/.cache/chemscale/native" "$D/planted/torch"
  for place in . .cache .cache/chemscale .cache/chemscale/native torch; do cp /lib/x86_64-linux-gnu/libm.so.6 "$D/planted/$place/libLibTorchSharp.so" 2>/dev/null; done
  cp /lib/x86_64-linux-gnu/libm.so.6 "$D/planted/torch/libtorch_cpu.so" 2>/dev/null
  chown -R nobody "$D/planted"
  chmod 755 "$D" "$D/planted"
  expect "planted libraries, named" 2 env LIBTORCH_DIR="$D/planted/torch" "${chemscale[@]}" train --data "$D/store" --out "$D/planted-run" "${tiny[@]}"
  grep -q 'owned by user' "$D/said" || { failed=$((failed + 1)); echo "FAILED: the reason is not said"; }
  expect "planted libraries, by a relative path" 2 env -C "$D/planted" LIBTORCH_DIR=torch "${chemscale[@]}" train --data "$D/store" --out "$D/planted-run" "${tiny[@]}"
  for lost in "HOME= XDG_CACHE_HOME=" "HOME=$D/planted" "XDG_CACHE_HOME=$D/planted/.cache HOME=" "HOME=. TMPDIR=."; do
    expect "planted libraries, $lost" 0 env -C "$D/planted" $lost "${chemscale[@]}" train --data "$D/store" --out "$D/planted-run" "${tiny[@]}"
    rm -rf "$D/planted-run"
  done
  # The program itself is of root, which nobody may trust.
  expect "as nobody" 0 setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent "${chemscale[@]}" fit "$D/points.csv" --resource parameters --n n --loss loss --bootstrap 20
fi

[ "$failed" -eq 0 ] && echo "everything held" || echo "$failed failed"
[ "$failed" -eq 0 ]
