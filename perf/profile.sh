#!/usr/bin/env bash
# perf/profile.sh COMMAND...
#
# Where a command of this engine spends its processor time on Linux, by sampling (`perf record`; no counters are needed, so virtual machines do):
# shares in matrix products, the passes around them (norms, activations, attention, filters: special functions and elementwise work), memory
# (copies, transpositions, allocation, page faults), library operations one by one, the runtime and its compiler, and the rest; then the largest
# entries. Example: perf/profile.sh perf/bin/Release/net10.0/ChemScale.Perf run chemgpt --widths 32 --threads 1 --modes auto --seconds 20
set -euo pipefail
[ $# -gt 0 ] || { sed -n '2,8p' "$0" | cut -c3-; exit 2; }
command -v perf > /dev/null || { echo "profile.sh: no 'perf' command. HINT: Debian's package is linux-perf" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Compiled code is named by a map; two mappings of it would hide the names.
export DOTNET_PerfMapEnabled=1 DOTNET_EnableWriteXorExecute=0 OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
perf record -q -F 999 -o "$work/data" -- "$@"
perf report -i "$work/data" --no-children --sort dso,symbol 2> /dev/null | awk '
  /^#/ || NF < 3 { next }
  {
    share = $1; sub("%", "", share); line = $0; sub(/^ *[0-9.]+% */, "", line)
    if (line ~ /ProductTiles|QueryProducts|LaneProducts|Products`|sgemm|dgemm|mkl_blas|gemm_/) kind = "products"
    else if (line ~ /Transpose|Pack|Gather|Scatter|Copy|memcpy|memmove|memset|Memmove|malloc|_int_free|cfree|unlink_chunk|kernel|SpanHelpers/) kind = "memory"
    else if (line ~ /Neighbor|Cells|CellList/) kind = "neighbour lists"
    else if (line ~ /ChemScale\.Engine\.(Operators|Models|Simulation)/ || line ~ /VectorMath|vmls|vms|vsExp|vsTanh/) kind = "passes"
    else if (line ~ /ChemScale\.Engine\.(Chemistry|Selfies|Tokens|Atoms|Files)/) kind = "readers and chemistry"
    else if (line ~ /libtorch|LibTorchSharp|libc10|TorchSharp/) kind = "library operations"
    else if (line ~ /libcoreclr|libclrjit|System\.Private|\[JIT\]|libclrgc/) kind = "runtime"
    else kind = "rest"
    sum[kind] += share
    if (n < 12) { top[n++] = sprintf("  %5.1f %%  %s", share, substr(line, 1, 150)) }
  }
  END {
    for (kind in sum) printf "%-24s %5.1f %%\n", kind, sum[kind] | "sort -k 1,1"
    close("sort -k 1,1")
    print "largest:"
    for (i = 0; i < n; i++) print top[i]
  }'
