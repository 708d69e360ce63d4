#!/usr/bin/env bash
# The proof with a card: builds for the card of this machine, checks everything on it, measures, and writes a report.
#
#   bench/gpu.sh all                      every part in turn
#   bench/gpu.sh build|tiles|operations|invariance|sanitize|bench|peers|report
#
#   build       CMake for the card's own architecture
#   tiles       each function that kernels know of the machine (cuda/device.h), lane by lane
#   operations  every operation case
#   invariance  a row alone and in batches of 7, 64, 65 and 512, bit for bit
#   sanitize    compute-sanitizer (memcheck, racecheck, synccheck, initcheck) on a small set of cases
#   bench       gtr-bench: every case with a cold and a warm cache, the card's ceilings, whole images
#   peers       the same shapes, and whole images, by what a Python with PyTorch offers; products by cuBLASLt; the head as
#               single launches
#   report      one JSON and one Markdown file named after the card, in bench/results
#
# Needs nvcc, CMake, a C++17 compiler and a driver; a Python with PyTorch and compute-sanitizer if they are there. A part
# ends within 8 minutes: what it did not get to is done when it is called again, and what has passed is not repeated as
# long as the sources are the same. A step whose measurement was disturbed is measured again if its file among
# GTR_GPU_OUT's steps is removed. Exit status: 0, 1 if anything failed or was not done, 2 if the machine lacks what is
# needed. A missing PyTorch or compute-sanitizer is no failure; the report says so.
#
# Environment:
#   GTR_GPU_DEVICE        which card, as nvidia-smi counts or by its UUID (the first of CUDA_VISIBLE_DEVICES, or 0)
#   GTR_GPU_OUT           folder for builds, logs and results, seen from the repository (build/gpu)
#   GTR_GPU_BUILD         a folder in which CMake has built already, in place of the part build
#   GTR_GPU_PYTHON        the Python to look for PyTorch in (python3)
#   GTR_GPU_SECONDS       seconds per benchmark case (0.1)
#   GTR_GPU_JOBS          checks that run side by side, in operations, invariance and sanitize (processors, at most 8)
#   GTR_GPU_PART_SECONDS  after so many seconds a part ends what it does (465)
#   GTR_GPU_VERSION       what the report calls these sources (what git describes them as)
#   GTR_GPU_BACKEND       cuda-emu runs all parts on the CPU emulator in the smallest shapes, so that this script can be
#                         tested without a card; its report stays in GTR_GPU_OUT
set -euo pipefail
cd "$(dirname "$0")/.."

readonly self=$PWD/bench/gpu.sh
readonly backend=${GTR_GPU_BACKEND:-cuda}
device=${GTR_GPU_DEVICE:-${CUDA_VISIBLE_DEVICES:-0}}
readonly device=${device%%,*}
# All programs see this card alone, as their number 0.
export CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=$device
readonly python=${GTR_GPU_PYTHON:-python3}
readonly out=${GTR_GPU_OUT:-build/gpu}/$backend
readonly build=${GTR_GPU_BUILD:-$out/build}
readonly steps=$out/steps # one file per step that was done: status, seconds, detail, separated by tabs
readonly results=$out/results # tables of gtr-bench and the peers
readonly part_seconds=${GTR_GPU_PART_SECONDS:-465} # of the 8 minutes, so that the last step can end
readonly jobs=${GTR_GPU_JOBS:-$(($(nproc) < 8 ? $(nproc) : 8))}
readonly parts_in_order=(build tiles operations invariance sanitize bench peers report)

usage() { sed -n '2,/^set -euo/{/^set/d;s/^# \{0,1\}//;p}' "$0"; }

say() { printf '%s\n' "$*" >&2; }

emulated() { [ "$backend" = cuda-emu ]; }

# ---- what this machine has

find_nvcc() {
  local candidate
  for candidate in nvcc /usr/local/cuda/bin/nvcc /opt/cuda/bin/nvcc; do
    if command -v "$candidate" 2>/dev/null; then return 0; fi
  done
  return 1
}

# One field of what nvidia-smi says of the card, or "unknown".
card_field() {
  local value
  value=$(nvidia-smi -i "$device" --query-gpu="$1" --format=csv,noheader 2>/dev/null | head -n 1) || value=
  printf '%s' "${value:-unknown}"
}

need_machine() {
  local missing=()
  if ! sh cmake/check-tools.sh; then missing+=("the tools named above"); fi
  if ! emulated; then
    find_nvcc >/dev/null || missing+=("nvcc, on the PATH or in /usr/local/cuda/bin (CUDA toolkit)")
    if ! command -v nvidia-smi >/dev/null 2>&1; then
      missing+=("nvidia-smi, which comes with NVIDIA's driver")
    elif ! nvidia-smi -i "$device" >/dev/null 2>&1; then
      missing+=("a card with number $device; nvidia-smi says: $({ nvidia-smi -i "$device" 2>&1 || true; } | head -n 1)")
    fi
  fi
  if [ ${#missing[@]} -eq 0 ]; then return 0; fi
  say "bench/gpu.sh needs what this machine lacks:"
  printf '  - %s\n' "${missing[@]}" >&2
  if ! emulated; then say "GTR_GPU_BACKEND=cuda-emu bench/gpu.sh all tries the script on the CPU emulator."; fi
  exit 2
}

# ---- the card's clock

sampler= # process that samples it, if there is one

# sampled FILE SECONDS COMMAND...: runs the command; twice a second, for so many seconds at most, FILE gets a line: is
# the card busy, the clock of its multiprocessors, and what slows it down.
sampled() {
  local file=$1 seconds=$2 reasons=clocks_event_reasons.active status=0
  shift 2
  # As older drivers name it.
  if [ "$(card_field "$reasons")" = unknown ]; then reasons=clocks_throttle_reasons.active; fi
  timeout "$seconds" stdbuf -oL nvidia-smi -i "$device" --query-gpu="utilization.gpu,clocks.sm,$reasons" \
    --format=csv,noheader,nounits --loop-ms=500 >"$file" 2>/dev/null &
  sampler=$!
  "$@" || status=$?
  stop_sampling
  return $status
}

stop_sampling() {
  if [ -z "$sampler" ]; then return 0; fi
  kill "$sampler" 2>/dev/null || true
  wait "$sampler" 2>/dev/null || true
  sampler=
}
trap stop_sampling EXIT

# Bits of clocks_event_reasons.active, as NVML defines them; idle, and clocks that someone chose, slow nothing down.
readonly slow_reasons=([0x4]="software power cap" [0x8]="hardware slowdown" [0x10]="synchronised boost"
  [0x20]="software thermal slowdown" [0x40]="hardware thermal slowdown" [0x80]="hardware power brake")

# Of samples, separated by tabs: how many there are, in how many of them the card was busy, the lowest and the median
# clock in those, and what slowed it down then.
summarise_clocks() {
  local utilisation clock reasons samples=0 seen=0 bit text=
  local -a clocks=()
  while IFS=', ' read -r utilisation clock reasons; do
    # Not what it says of a field that the card does not have.
    if [[ ! "$utilisation $clock $reasons" =~ ^[0-9]+\ [0-9]+\ 0x[0-9a-fA-F]+$ ]]; then continue; fi
    samples=$((samples + 1))
    if ((utilisation > 0 && (reasons & 1) == 0)); then
      clocks+=("$clock")
      seen=$((seen | reasons))
    fi
  done <"$1"
  mapfile -t clocks < <(printf '%s\n' "${clocks[@]}" | sort -n)
  for bit in "${!slow_reasons[@]}"; do
    if ((seen & bit)); then text+=${text:+, }${slow_reasons[$bit]}; fi
  done
  if [ -z "${clocks[0]}" ]; then
    printf '%s\t0\t\t\t\n' "$samples"
  else
    printf '%s\t%s\t%s\t%s\t%s\n' "$samples" ${#clocks[@]} "${clocks[0]}" "${clocks[${#clocks[@]} / 2]}" "$text"
  fi
}

# ---- steps

# What all results depend on. Not git: the sources may have come as an archive.
fingerprint() {
  {
    find CMakeLists.txt cmake cuda native bench -type f ! -path 'bench/results/*' ! -name '*.pyc' -print0 |
      LC_ALL=C sort -z | xargs -0 sha256sum
    if emulated; then echo emulator; else card_field uuid; fi
  } | sha256sum | cut -c 1-16
}

# Results of other sources or another card are not this one's.
prepare_folder() {
  mkdir -p "$out"
  local now
  now=$(fingerprint)
  if [ "$(cat "$out/fingerprint" 2>/dev/null || true)" != "$now" ]; then
    rm -rf "$steps" "$results" "$out/logs"
    printf '%s\n' "$now" >"$out/fingerprint"
  fi
  mkdir -p "$steps" "$results" "$out/logs"
}

# record PART NAME STATUS SECONDS DETAIL; STATUS: passed, failed, missing (no failure), or open (time was up).
record() { printf '%s\t%s\t%s\n' "$3" "$4" "${5//$'\t'/ }" >"$steps/$1.$2"; }

has_open_steps() { grep -qs "^open$(printf '\t')" "$steps/$1".*; }

is_done() {
  case "$(cut -f 1 "$steps/$1.$2" 2>/dev/null || true)" in
    passed | missing) return 0 ;;
    *) return 1 ;;
  esac
}

# step PART NAME COMMAND...: runs a command or a function of this script within the part's time, keeps its output as a
# log, and records how it went. A command that exits with 77 could not run here. What has been done is not done again.
step() {
  local part=$1 name=$2
  shift 2
  if is_done "$part" "$name"; then return 0; fi
  local left=$((part_seconds - (SECONDS - part_started)))
  if [ "$left" -lt 5 ]; then
    record "$part" "$name" open 0 "not reached within the part's time; call the part again"
    return 0
  fi
  local log="$out/logs/$part.$name.log" status=0 started=$SECONDS
  local command=(timeout --kill-after=10 "$left" "$self" --step "$@")
  if [[ $part == bench || $part == peers ]] && ! emulated; then
    command=(sampled "$out/logs/$part.$name.clocks" $((left + 15)) "${command[@]}")
  fi
  "${command[@]}" >"$log" 2>&1 || status=$?
  local seconds=$((SECONDS - started)) detail
  detail=$(grep -v '^[[:space:]]*$' "$log" | tail -n 1 | cut -c 1-200 || true)
  case $status in
    0) record "$part" "$name" passed "$seconds" "$detail" ;;
    77) record "$part" "$name" missing "$seconds" "$detail" ;;
    124 | 137) record "$part" "$name" open "$seconds" "ended after $seconds s, at the part's time; see $log" ;;
    *) record "$part" "$name" failed "$seconds" "exit status $status: $detail; see $log" ;;
  esac
  say "  $part $name: $(cut -f 1 "$steps/$part.$name"), $seconds s"
}

# As `step`, but goes on while it runs, once fewer than $jobs do. A part that uses it ends with `wait`.
step_aside() {
  while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n || true; done
  step "$@" &
}

need_build() {
  if [ ! -x "$build/native/bench/gtr-bench" ]; then
    say "bench/gpu.sh: there is no build in $build; call bench/gpu.sh build first"
    exit 1
  fi
}

ops() { "$build/native/tests/gtr-test-ops" --backend "$backend" "$@"; }

# ---- parts

configure() {
  local options=(-S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DGTR_TESTS=ON -DGTR_BENCH=ON)
  if command -v ninja >/dev/null 2>&1; then options+=(-G Ninja); fi
  if emulated; then
    options+=(-DGTR_CUDA=OFF)
  else
    local capability
    capability=$(card_field compute_cap)
    options+=(-DGTR_CUDA=ON "-DGTR_CUDA_ARCHITECTURES=${capability//./}" "-DCMAKE_CUDA_COMPILER=$(find_nvcc)")
  fi
  cmake "${options[@]}"
}

compile() {
  local targets=(gtr gtr-test-ops gtr-bench)
  if emulated; then
    targets+=(gtr_cuda_emu gtr_cuda_emu_bench gtr-test-tiles-emu)
  else
    targets+=(gtr_cuda gtr_cuda_bench gtr-test-tiles)
  fi
  cmake --build "$build" --parallel "$(nproc)" --target "${targets[@]}"
}

part_build() {
  if [ -n "${GTR_GPU_BUILD:-}" ]; then
    step build compile echo "as found in GTR_GPU_BUILD"
    return 0
  fi
  step build configure configure
  if is_done build configure; then step build compile compile; fi
}

part_tiles() {
  need_build
  if emulated; then
    step tiles device.h "$build/cuda/tests/tiles/emu/gtr-test-tiles-emu"
  else
    step tiles device.h "$build/cuda/tests/tiles/gtr-test-tiles"
  fi
}

# The operations that there are cases for; on the emulator, where CTest runs them all, some that take moments.
operations() {
  if emulated; then
    printf '%s\n' layer_norm gather
  else
    ops --list | sed 's/ | .*//' | sort -u
  fi
}

part_operations() {
  need_build
  local operation
  for operation in $(operations); do
    step_aside operations "$operation" ops --op "$operation"
  done
  wait
}

part_invariance() {
  need_build
  local operation
  for operation in $(operations); do
    # Not every operation has rows. (grep -q would leave early, and the list's writer would fail for it.)
    if ops --list --op "$operation" | grep invariance >/dev/null; then
      step_aside invariance "$operation" ops --op "$operation" --case invariance
    fi
  done
  wait
}

# A case or few of each kernel: under the sanitizer a kernel is a hundred times slower.
sanitized_cases() {
  cat <<'CASES'
attention Lq 33 Lk 65 H 2 D 80
attention Lq 65 Lk 129 H 2 D 64
attention key lengths 0,37,20 mask over heads
embed 7 x 64
frequency_energy golden D 1536
gather 9 x 33 padding 3
head_chain bf16 ragged permuted
head_chain f32 ragged permuted
head_forward rows 17
head_forward rows 65
head_step x0 clip 1.500000 permuted
layer_norm 3 x 37 weight bias modulated
linear 15 x 37 to 83
linear 8 x 255 to 257
linear bf16 128 x 36 to 32
linear bf16 48 x 256 to 16
noise 17 x 4
scatter 9 x 33 padding 3
top_fraction random several segments
CASES
}

sanitize() {
  local tool=$1 operation=$2 text=$3
  # A text that no case has is a mistake here, with a card or without.
  ops --list --op "$operation" --case "$text" >/dev/null
  if emulated; then
    echo "compute-sanitizer works on cards only"
    return 77
  fi
  local sanitizer
  if ! sanitizer=$(command -v compute-sanitizer || command -v "$(dirname "$(find_nvcc)")/compute-sanitizer"); then
    echo "there is no compute-sanitizer on the PATH or beside nvcc"
    return 77
  fi
  "$sanitizer" --tool "$tool" --error-exitcode 9 --print-limit 20 \
    "$build/native/tests/gtr-test-ops" --backend "$backend" --op "$operation" --case "$text"
}

part_sanitize() {
  need_build
  local tool operation text tools=(memcheck racecheck synccheck initcheck)
  # Without the tools only the choice of cases can be wrong.
  if emulated; then tools=(memcheck); fi
  for tool in "${tools[@]}"; do
    while read -r operation text; do
      step_aside sanitize "$tool.$operation-${text//[ ,]/-}" sanitize "$tool" "$operation" "$text"
    done < <(sanitized_cases)
  done
  wait
}

readonly case_seconds=${GTR_GPU_SECONDS:-0.1}

# bench_options SECONDS: one option or value per line.
bench_options() {
  if emulated; then
    printf '%s\n' --backend "$backend" --small --seconds 0.01 --repetitions 1
  else
    printf '%s\n' --backend "$backend" --seconds "$1"
  fi
}

models() { if emulated; then echo small; else printf '%s\n' MAR-H MAR-L MAR-B; fi; }

# measure FILE FILTER [SECONDS]: gtr-bench's rows into FILE, which is there only if it is complete.
measure() {
  local options
  mapfile -t options < <(bench_options "${3:-$case_seconds}")
  "$build/native/bench/gtr-bench" "${options[@]}" -o tsv --filter "$2" >"$1.part"
  # A benchmark that measured nothing has failed.
  test "$(wc -l <"$1.part")" -gt 1
  mv "$1.part" "$1"
  echo "$(($(wc -l <"$1") - 1)) rows"
}

# What the card was like at the time.
describe_card() {
  local field
  printf 'host compiler\t%s\n' "$(${CXX:-c++} --version | head -n 1)"
  printf 'seconds per case\t%s\n' "$case_seconds"
  if emulated; then
    printf 'card\tthe emulator, whose times mean nothing\n'
    return 0
  fi
  printf 'toolkit\t%s\n' "$("$(find_nvcc)" --version | sed -n 's/.*release \([^,]*\), \(V[0-9.]*\).*/CUDA \1 (\2)/p')"
  for field in name driver_version compute_cap memory.total clocks.max.sm clocks.max.mem clocks.sm clocks.mem \
    clocks.applications.graphics power.limit power.draw temperature.gpu ecc.mode.current mig.mode.current \
    persistence_mode; do
    printf '%s\t%s\n' "$field" "$(card_field "$field")"
  done
}

part_bench() {
  need_build
  describe_card >"$results/card.txt"
  local operation
  for operation in peak linear attention "head chain" "layer norm" "frequency energy"; do
    step bench "${operation// /-}" measure "$results/gtr.${operation// /-}.tsv" "$operation "
  done
  local model
  for model in $(models); do
    # Some of them take a second.
    step bench "image-$model" measure "$results/gtr.image-$model.tsv" "image bf16 $model" 0.2
  done
}

# measure_as NAME FILE FILTER: as `measure`, under another name than ours: some environment variable makes it that.
measure_as() {
  measure "$2.raw" "$3"
  awk -F '\t' -v OFS='\t' -v name="$1" 'NR > 1 { $4 = name } { print }' "$2.raw" >"$2.part"
  rm "$2.raw"
  mv "$2.part" "$2"
}

# The head's chains as launches, one after the other, in place of one graph.
measure_launches() { GTR_HEAD=direct measure_as "ours as launches" "$1" "head chain bf16 "; }

# cuBLASLt in place of our product, in the same program.
measure_cublaslt() {
  if emulated; then
    echo "cuBLASLt works on cards only"
    return 77
  fi
  # The toolkit's own, where the loader does not know it.
  local toolkit
  toolkit=$(dirname "$(dirname "$(readlink -f "$(find_nvcc)")")")
  if compgen -G "$toolkit/lib64/libcublasLt.so*" >/dev/null; then
    export LD_LIBRARY_PATH=$toolkit/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  elif ! ldconfig -p 2>/dev/null | grep 'libcublasLt\.so' >/dev/null && [ -z "${LD_LIBRARY_PATH:-}" ]; then
    echo "there is no libcublasLt.so beside nvcc or where the loader looks: install the toolkit's cuBLAS"
    return 77
  fi
  GTR_GEMM=cublaslt measure_as cuBLASLt "$1.all" "linear "
  # Products of few rows stay ours (cuda/linear_cublaslt.h), and are no peers.
  awk -F '\t' 'NR == 1 || (split($12, word, /[ =]/) && word[1] == "rows" && word[2] > 32)' "$1.all" >"$1.part"
  rm "$1.all"
  mv "$1.part" "$1"
}

# Is there a PyTorch that can do something here? Importing it takes seconds, so that it is asked once.
find_torch() {
  "$python" - "$backend" <<'PYTHON'
import sys

try:
    import torch
except ImportError:
    print(f"{sys.executable} has no PyTorch; GTR_GPU_PYTHON names another Python")
    sys.exit(77)
print("PyTorch", torch.__version__)
if sys.argv[1] == "cuda" and not torch.cuda.is_available():
    print(f"the PyTorch {torch.__version__} of {sys.executable} sees no card")
    sys.exit(77)
PYTHON
}

# measure_torch FILE SCRIPT FILTER [BUDGET]: no case is begun after so many seconds.
measure_torch() {
  local options=(--device cuda --seconds "$case_seconds" --budget "${4:-1000}")
  if emulated; then options=(--device cpu --seconds 0.01 --repetitions 1); fi
  "$python" "bench/peers/card_$2.py" --cases "$results/cases.tsv" --filter "$3" "${options[@]}" >"$1.part"
  mv "$1.part" "$1"
  echo "$(($(wc -l <"$1") - 1)) rows"
}

part_peers() {
  need_build
  local options
  mapfile -t options < <(bench_options 0)
  "$build/native/bench/gtr-bench" "${options[@]}" --list >"$results/cases.tsv"
  step peers torch find_torch
  local script model
  if [ "$(cut -f 1 "$steps/peers.torch")" = passed ]; then
    # What matters most comes first, since time may be up.
    for script in attention linear; do
      step peers "torch-$script" measure_torch "$results/peer.$script.tsv" "$script" ""
    done
    # What compiles, the largest first, none at the others' cost.
    for script in image head; do
      for model in $(models); do
        step peers "torch-$script-$model" measure_torch "$results/peer.$script-$model.tsv" "$script" "$model" 40
      done
    done
    step peers torch-frequency_energy measure_torch "$results/peer.frequency_energy.tsv" frequency_energy ""
  fi
  step peers cublaslt measure_cublaslt "$results/peer.cublaslt.tsv"
  step peers head-as-launches measure_launches "$results/peer.launches.tsv"
}

# The name of the report's files.
card_slug() {
  if emulated; then
    echo cuda-emu
  else
    card_field name | tr '[:upper:]' '[:lower:]' | tr -cs 'a-z0-9' '-' | sed 's/^-//; s/-$//'
  fi
}

part_report() {
  local folder=bench/results
  if emulated; then folder=$out/report; fi
  mkdir -p "$folder"
  local slug
  slug=$(card_slug)
  # Parts that were never called are not done, which a reader must see.
  local part
  for part in build tiles operations invariance sanitize bench peers; do
    if ! compgen -G "$steps/$part.*" >/dev/null; then record "$part" all open 0 "the part was not called"; fi
  done
  if [ ! -e "$results/card.txt" ]; then describe_card >"$results/card.txt"; fi
  local version=${GTR_GPU_VERSION:-}
  if [ -z "$version" ]; then version=$(git describe --always --dirty 2>/dev/null || echo unknown); fi
  local format
  for format in md json; do
    report_input | awk -F '\t' -v format="$format" -v version="$version" -v date="$(date -u +%Y-%m-%d)" \
      -v command="bench/gpu.sh all" -f bench/gpu-report.awk >"$folder/$slug.$format.part"
    mv "$folder/$slug.$format.part" "$folder/$slug.$format"
    say "  $folder/$slug.$format"
  done
}

# What the report is made of: lines that begin with card, step, clock or row.
report_input() {
  local file name clocks
  sed 's/^/card\t/' "$results/card.txt"
  for name in "${parts_in_order[@]}"; do
    for file in "$steps/$name".*; do
      if [ -e "$file" ]; then
        printf 'step\t%s\t%s\t%s\n' "$name" "$(basename "$file" | cut -d . -f 2-)" "$(cat "$file")"
        clocks=$out/logs/$(basename "$file").clocks
        if [ -e "$clocks" ]; then
          printf 'clock\t%s\t%s\t%s\n' "$name" "$(basename "$file" | cut -d . -f 2-)" "$(summarise_clocks "$clocks")"
        fi
      fi
    done
  done
  for file in "$results"/gtr.*.tsv "$results"/peer.*.tsv; do
    if [ -e "$file" ]; then awk '{ if (FNR > 1) print "row\t" $0 }' "$file"; fi
  done
  # Of a step that was ended, which the report calls open, the rows that it had finished.
  for file in "$results"/gtr.*.tsv.part "$results"/peer.*.tsv.part; do
    if [ -e "$file" ] && [ ! -e "${file%.part}" ]; then
      awk -F '\t' 'FNR > 1 && last != "" { print "row\t" last } { last = FNR > 1 && NF == 12 ? $0 : "" }' "$file"
    fi
  done
}

# ---- main

main() {
  case "${1:-}" in
    -h | --help)
      usage
      exit 0
      ;;
    --step) # what `step` runs, as a process of its own that can be ended
      shift
      "$@"
      exit
      ;;
    '')
      usage >&2
      exit 2
      ;;
  esac
  if [ "$backend" != cuda ] && ! emulated; then
    say "bench/gpu.sh: GTR_GPU_BACKEND is '$backend'; allowed are cuda and cuda-emu"
    exit 2
  fi
  local chosen=() part
  for part in "$@"; do
    if [ "$part" = all ]; then
      chosen+=("${parts_in_order[@]}")
    elif [[ " ${parts_in_order[*]} " == *" $part "* ]]; then
      chosen+=("$part")
    else
      say "bench/gpu.sh: '$part' is not all, ${parts_in_order[*]}"
      exit 2
    fi
  done
  need_machine
  prepare_folder
  local round
  for part in "${chosen[@]}"; do
    say "== $part"
    rm -f "$steps/$part.all" # an earlier report's note that the part was not called
    # Of `all` nobody expects an end within a part's time.
    for round in 1 2 3; do
      part_started=$SECONDS
      "part_$part"
      if [[ " $* " != *" all "* ]] || ! has_open_steps "$part"; then break; fi
    done
    # Nothing works without a build.
    if [ "$part" = build ] && ! is_done build compile; then break; fi
  done
  # Failed and open steps of the parts that were asked for; a report speaks of all of them.
  if [[ " ${chosen[*]} " == *" report "* ]]; then chosen=("${parts_in_order[@]}"); fi
  local failed=0 file
  for part in "${chosen[@]}"; do
    for file in "$steps/$part".*; do
      if [ -e "$file" ] && ! is_done "$part" "$(basename "$file" | cut -d . -f 2-)"; then
        say "$(basename "$file"): $(tr '\t' ' ' <"$file")"
        failed=1
      fi
    done
  done
  exit "$failed"
}

main "$@"
