#!/usr/bin/env bash
# perf/publish.sh [ARCHIVE.tar.xz]   (default publish/chemscale-linux-x64.tar.xz)
#
# One folder for a Linux machine without .NET, network or this repository: the command, the benchmarks and the tests as programs that share
# one runtime, with perf/peers and perf/gpu-node.sh. No libtorch: the machine's own is found by LIBTORCH_DIR. Nothing is trimmed: the kernel
# compiler reads its own code at run time. With CHEMSCALE_DATA set, the few files that Gpu tests and benchmarks read go along.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
archive=$(realpath -m "${1:-$root/publish/chemscale-linux-x64.tar.xz}")
name=chemscale-linux-x64
work=$root/publish
folder=$work/$name
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1

data=(
  rmd17/rmd17_ethanol_train_01.npz
  rmd17/rmd17_aspirin_train_01.npz
  fixtures/neighbours_ase.npz
)

rm -rf "$folder"
# Artifacts of their own: what a build of the repository leaves is not touched. Each program's own image with the runtime would not be the others'.
for project in src/Cli perf tests; do
  echo "== publish $project"
  dotnet publish "$root/$project" -c Release -r linux-x64 --self-contained -p:EnableNUnitRunner=true -p:RunAnalyzers=false -p:PublishReadyToRunComposite=false \
    --artifacts-path "$work/build" -o "$folder" -v quiet
done
# Test coverage, 30 MB of it, and descriptions that only editors read.
rm -rf "$folder/Microsoft.CodeCoverage" "$folder"/*.xml
install -m 755 "$root/perf/gpu-node.sh" "$folder/"
"$folder/ChemScale.Cli" doctor --ptx "$folder/ptx"
for file in "${data[@]}"; do
  [ -n "${CHEMSCALE_DATA:-}" ] && [ -f "$CHEMSCALE_DATA/$file" ] || continue
  install -D -m 644 "$CHEMSCALE_DATA/$file" "$folder/data/$file"
done
# What gpu-node.sh keys its results to: the same programs give the same name.
(cd "$folder" && cat ChemScale.*.dll gpu-node.sh | sha256sum | cut -c1-16) > "$folder/BUILD"

echo "== pack"
mkdir -p "$(dirname "$archive")"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner -cf - "$name" | xz -T0 -9e > "$archive"
echo "$folder: $(du -sm "$folder" | cut -f1) MB, build $(cat "$folder/BUILD")"
echo "$archive: $(($(stat -c %s "$archive") / 1000000)) MB"
