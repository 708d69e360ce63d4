# Writes the report of bench/gpu.sh: format=md or json. Input, separated by tabs:
#   card  FIELD  VALUE
#   step  PART  NAME  STATUS  SECONDS  DETAIL
#   clock PART  NAME  SAMPLES  BUSY SAMPLES  LOWEST MHZ  MEDIAN MHZ  REASONS
#   row   OPERATION  PRECISION  CASE  IMPLEMENTATION  MEDIAN SECONDS  SPREAD  REPETITIONS  FLOP/s  PEAK FLOP/s  BYTES/s
#         PEAK BYTES/s  SHAPE
# A peer that cannot run a case has "-" as its median and the reason as its shape. No number is written that was not
# measured.

function quoted(text) {
  gsub(/\\/, "\\\\", text)
  gsub(/"/, "\\\"", text)
  gsub(/[[:cntrl:]]/, " ", text)
  return "\"" text "\""
}

# A number for people: milliseconds, a share, a ratio.
function ms(seconds) { return sprintf(seconds < 1e-3 ? "%.4f" : "%.3f", seconds * 1e3) }
function share(part, whole) { return whole > 0 && part > 0 ? sprintf("%.0f%%", part / whole * 100) : "" }
function per_second(value, unit) { return value > 0 ? sprintf("%.1f", value / unit) : "" }

# The number of a case of ours by operation, precision and name; 0 if it was not measured.
function ours(operation, precision, name,   key) {
  key = operation SUBSEP precision SUBSEP name
  return key in own ? own[key] : 0
}

# The best of some peers at one of our cases, of all others' if no names are given; 0 if none ran. Sets best_name.
function best_peer(row, names,   list, n, i, best, key) {
  n = names != "" ? split(names, list, ",") : split(peers_of[case_key[row]], list, "\t")
  for (i = 1; i <= n; ++i) {
    key = case_key[row] SUBSEP list[i]
    if (list[i] ~ /^ours/ || !(key in peer_median)) continue
    if (best == 0 || peer_median[key] < best) {
      best = peer_median[key]
      best_name = list[i]
    }
  }
  return best + 0
}

# One of the design's targets: what was found, in the same unit as the target, or 0.
function target(name, wanted, unit, found, at_most) {
  ++targets
  target_name[targets] = name
  target_wanted[targets] = (at_most ? "at most " : "at least ") wanted " " unit
  target_found[targets] = found
  target_unit[targets] = unit
  target_met[targets] = found == 0 ? "not measured" : ((at_most ? found <= wanted : found >= wanted) ? "yes" : "no")
}

function attention_target(dim, wanted,   row, peer) {
  row = ours("attention", "bf16", "batch 64, 320 x 320, 16 heads of " dim ", cold")
  peer = row ? best_peer(row, "torch flash,torch cuDNN") : 0
  target("attention, S = 320, batch 64, d = " dim ": best of flash and cuDNN / ours", wanted, "x", \
         peer > 0 ? peer / median[row] : 0, 0)
}

function find_targets(   row, model) {
  attention_target(64, 1.0)
  attention_target(80, 1.3)
  row = ours("head chain", "bf16", "MAR-H, 5 guided rows, 50 steps, cold")
  target("head of MAR-H at batch 1: share of copy bandwidth", 75, "%", row ? bytes[row] / peak_bytes[row] * 100 : 0, 0)
  row = ours("head chain", "bf16", "MAR-H, 512 guided rows, 20 steps, cold")
  target("head of MAR-H at 512 rows: share of dense bf16", 60, "%", row ? flops[row] / peak_flops[row] * 100 : 0, 0)
  row = ours("image", "bf16", "MAR-H GtR 12,3,1, 1 image")
  target("MAR-H GtR 12,3,1, one image (asked for on an H100)", 80, "ms", row ? median[row] * 1e3 : 0, 1)
  row = ours("image", "bf16", "MAR-H GtR 12,3,1, 32 images")
  target("MAR-H GtR 12,3,1, 32 images (asked for on an H100)", 30, "images/s", row ? 32 / median[row] : 0, 0)
}

# One of the main figures, with what a second brings of it if `amount` of `unit` is given.
function summarise(title, operation, name, amount, unit,   row, peer) {
  row = ours(operation, "bf16", name)
  if (row == 0) return
  if (++summarised == 1) {
    print "| bf16 | ours, ms | | of peak | best peer, ms | | peer / ours |"
    print "|---|--:|--:|--:|--:|---|--:|"
  }
  peer = best_peer(row, "")
  printf "| %s | %s | %s | %s | %s | %s | %s |\n", title, ms(median[row]), \
    amount ? sprintf("%.1f %s", amount / median[row], unit) : per_second(flops[row], 1e12) " TFLOP/s", \
    share(flops[row], peak_flops[row]), peer ? ms(peer) : "", peer ? best_name : "not measured", \
    peer ? sprintf("**%.2f**", peer / median[row]) : ""
}

function write_summary(   models, counts, layers, heads, i, j, name) {
  print "\n## Summary\n"
  split("MAR-H,MAR-L,MAR-B", models, ",")
  split("1,8,32", counts, ",")
  for (i = 1; i <= 3; ++i) {
    for (j = 1; j <= 3; ++j) {
      name = models[i] " GtR 12,3,1, " counts[j] (counts[j] == 1 ? " image" : " images")
      summarise(name, "image", name, counts[j], "images/s")
    }
  }
  split("16 heads of 80,16 heads of 64,12 heads of 64", heads, ",")
  split("2,64", counts, ",")
  for (i = 1; i <= 3; ++i) {
    for (j = 1; j <= 2; ++j) {
      name = "batch " counts[j] ", 320 x 320, " heads[i]
      summarise("attention, " name, "attention", name ", cold")
    }
  }
  split("qkv,proj,fc1,fc2", layers, ",")
  split("640,20480", counts, ",")
  for (i = 1; i <= 4; ++i) {
    for (j = 1; j <= 2; ++j) {
      name = "MAR-H " layers[i] ", " counts[j] " rows"
      summarise("linear, " name, "linear", name ", cold")
    }
  }
  split("5 guided rows| 50 steps,128 guided rows| 20 steps,2048 guided rows| 20 steps", counts, ",")
  for (i = 1; i <= 3; ++i) {
    for (j = 1; j <= 3; ++j) {
      name = models[i] ", " counts[j]
      sub(/\|/, ",", name)
      summarise("head, " name, "head chain", name ", cold")
    }
  }
  if (summarised == 0) print "Not measured."
}

# Was the card held back in a step? By more than the power cap that any heavy load meets.
function is_disturbed(i) {
  return clock_reasons[i] ~ /hardware|thermal/ || (clock_busy[i] > 0 && clock_lowest[i] < 0.6 * field["clocks.max.sm"])
}

function write_clocks(   i, counted, status, names) {
  for (i = 1; i <= steps; ++i) ++counted[step_status[i]]
  printf "\nSteps: %d passed, %d failed, %d missing (what they need is not on this machine), %d open (not reached).\n", \
    counted["passed"], counted["failed"], counted["missing"], counted["open"]
  for (i = 1; i <= clocks; ++i) {
    if (is_disturbed(i)) names = names (names == "" ? "" : ", ") clock_part[i] " " clock_name[i]
  }
  if (names != "") {
    printf "\n**Disturbed, so that their times are not the card's best: %s.** Their clock fell below 60%% of the card's " \
      "highest, or the card slowed down for its temperature or its supply; see Clocks.\n", names
  } else if (clocks > 0) {
    print "\nNo step was disturbed: see Clocks."
  }
}

function write_clock_table(   i) {
  print "\n## Clocks\n"
  if (clocks == 0) {
    print "Not sampled."
    return
  }
  print "Of the multiprocessors, sampled twice a second; lowest and median of the samples in which the card was busy.\n"
  print "| part | step | samples | busy | lowest MHz | median MHz | slowed down by | disturbed |"
  print "|---|---|--:|--:|--:|--:|---|---|"
  for (i = 1; i <= clocks; ++i) {
    printf "| %s | %s | %d | %d | %s | %s | %s | %s |\n", clock_part[i], clock_name[i], clock_samples[i], \
      clock_busy[i], clock_lowest[i], clock_median[i], clock_reasons[i], is_disturbed(i) ? "yes" : ""
  }
}

$1 == "card" { ++fields; field_name[fields] = $2; field_value[fields] = $3; field[$2] = $3; next }

$1 == "step" {
  ++steps
  step_part[steps] = $2
  step_name[steps] = $3
  step_status[steps] = $4
  step_seconds[steps] = $5
  step_detail[steps] = $6
  next
}

$1 == "clock" {
  ++clocks
  clock_part[clocks] = $2
  clock_name[clocks] = $3
  clock_samples[clocks] = $4
  clock_busy[clocks] = $5
  clock_lowest[clocks] = $6
  clock_median[clocks] = $7
  clock_reasons[clocks] = $8
  next
}

$1 == "row" && $6 == "-" { ++absences[$2 SUBSEP $5 SUBSEP $13]; next }

$1 == "row" {
  ++rows
  operation[rows] = $2
  precision[rows] = $3
  name[rows] = $4
  implementation[rows] = $5
  median[rows] = $6 + 0
  spread[rows] = $7 + 0
  repetitions[rows] = $8 + 0
  flops[rows] = $9 + 0
  peak_flops[rows] = $10 + 0
  bytes[rows] = $11 + 0
  peak_bytes[rows] = $12 + 0
  shape[rows] = $13
  case_key[rows] = $2 SUBSEP $3 SUBSEP $4
  if ($5 == "cuda" || $5 == "cuda-emu") {
    own[case_key[rows]] = rows
    is_own[rows] = 1
  } else {
    peer_median[case_key[rows] SUBSEP $5] = median[rows]
    peers_of[case_key[rows]] = peers_of[case_key[rows]] (peers_of[case_key[rows]] == "" ? "" : "\t") $5
  }
  next
}

function write_markdown(   i, key, parts, n, p, text, last) {
  title = "name" in field ? field["name"] : "the emulator: numbers that mean nothing"
  printf "# gtr4j %s on %s\n\n%s, by `%s`.\n\n", version, title, date, command
  print "Medians. A peer's time over ours: above 1 ours is faster."
  write_clocks()
  write_summary()
  print "\n## Targets\n\n| | target | found | met |\n|---|---|--:|---|"
  for (i = 1; i <= targets; ++i) {
    printf "| %s | %s | %s | %s |\n", target_name[i], target_wanted[i], \
      target_found[i] ? sprintf("%.2f %s", target_found[i], target_unit[i]) : "", target_met[i]
  }

  print "\n## Times\n"
  print "Medians of times between two events on the stream. Before a cold run the second-level cache is overwritten; a"
  print "warm run follows one of the same case. Peaks are this card's own, measured by the same program: fmaf and mma.sync"
  print "on registers, and a copy within its memory. A peer's ratio is its median over ours: above 1 ours is faster."
  print "PyTorch's eager chains and images include what their host enqueues too slowly to keep the card busy."
  for (i = 1; i <= rows; ++i) {
    if (!is_own[i]) continue
    if (operation[i] != last) {
      last = operation[i]
      printf "\n### %s\n\n", last
      print "| case | precision | ms | spread | TFLOP/s | of peak | GB/s | of copy | peers: ms (ratio) |"
      print "|---|---|--:|--:|--:|--:|--:|--:|---|"
    }
    text = ""
    n = split(peers_of[case_key[i]], parts, "\t")
    for (p = 1; p <= n; ++p) {
      key = case_key[i] SUBSEP parts[p]
      text = text (p > 1 ? ", " : "") parts[p] " " ms(peer_median[key]) sprintf(" (%.2f)", peer_median[key] / median[i])
    }
    # A peak is a rate and no time.
    printf "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", name[i], precision[i], \
      operation[i] == "peak" ? "" : ms(median[i]), operation[i] == "peak" ? "" : sprintf("%.1f%%", spread[i] * 100), \
      per_second(flops[i], 1e12), share(flops[i], peak_flops[i]), per_second(bytes[i], 1e9), \
      share(bytes[i], peak_bytes[i]), text
  }
  if (rows == 0) print "\nNot measured."

  write_clock_table()

  print "\n## Machine\n\n| | |\n|---|---|"
  for (i = 1; i <= fields; ++i) printf "| %s | %s |\n", field_name[i], field_value[i]

  print "\n## Checks\n\n| part | step | status | seconds | |\n|---|---|---|--:|---|"
  for (i = 1; i <= steps; ++i) {
    text = step_detail[i]
    gsub(/\|/, "/", text)
    printf "| %s | %s | %s | %s | %s |\n", step_part[i], step_name[i], step_status[i], step_seconds[i], text
  }

  print "\n## Peers that did not run\n"
  last = 0
  for (key in absences) {
    split(key, parts, SUBSEP)
    printf "- %s, %s: %d cases: %s\n", parts[1], parts[2], absences[key], parts[3]
    last = 1
  }
  for (i = 1; i <= steps; ++i) {
    if (step_part[i] == "peers" && step_status[i] != "passed") {
      printf "- %s: %s\n", step_name[i], step_detail[i]
      last = 1
    }
  }
  if (!last) print "None."
}

function write_json(   i, key, parts, first) {
  printf "{\n\"version\": %s,\n\"date\": %s,\n\"command\": %s,\n\"machine\": {", quoted(version), quoted(date), \
    quoted(command)
  for (i = 1; i <= fields; ++i) printf "%s\n  %s: %s", (i > 1 ? "," : ""), quoted(field_name[i]), quoted(field_value[i])
  printf "\n},\n\"checks\": ["
  for (i = 1; i <= steps; ++i) {
    printf "%s\n  {\"part\": %s, \"step\": %s, \"status\": %s, \"seconds\": %d, \"detail\": %s}", (i > 1 ? "," : ""), \
      quoted(step_part[i]), quoted(step_name[i]), quoted(step_status[i]), step_seconds[i], quoted(step_detail[i])
  }
  printf "\n],\n\"clocks\": ["
  for (i = 1; i <= clocks; ++i) {
    printf "%s\n  {\"part\": %s, \"step\": %s, \"samples\": %d, \"busy_samples\": %d, \"lowest_mhz\": %s, " \
      "\"median_mhz\": %s, \"slowed_down_by\": %s, \"disturbed\": %s}", (i > 1 ? "," : ""), quoted(clock_part[i]), \
      quoted(clock_name[i]), clock_samples[i], clock_busy[i], clock_busy[i] ? clock_lowest[i] : "null", \
      clock_busy[i] ? clock_median[i] : "null", quoted(clock_reasons[i]), is_disturbed(i) ? "true" : "false"
  }
  printf "\n],\n\"targets\": ["
  for (i = 1; i <= targets; ++i) {
    printf "%s\n  {\"name\": %s, \"target\": %s, \"found\": %s, \"met\": %s}", (i > 1 ? "," : ""), \
      quoted(target_name[i]), quoted(target_wanted[i]), target_found[i] ? sprintf("%.6g", target_found[i]) : "null", \
      quoted(target_met[i])
  }
  printf "\n],\n\"results\": ["
  for (i = 1; i <= rows; ++i) {
    printf "%s\n  {\"operation\": %s, \"precision\": %s, \"case\": %s, \"implementation\": %s, \"median_seconds\": %.9g, " \
      "\"spread\": %.4g, \"repetitions\": %d, \"flops_per_second\": %.6g, \"peak_flops_per_second\": %.6g, " \
      "\"bytes_per_second\": %.6g, \"peak_bytes_per_second\": %.6g, \"shape\": %s}", (i > 1 ? "," : ""), \
      quoted(operation[i]), quoted(precision[i]), quoted(name[i]), quoted(implementation[i]), median[i], spread[i], \
      repetitions[i], flops[i], peak_flops[i], bytes[i], peak_bytes[i], quoted(shape[i])
  }
  printf "\n],\n\"absent\": ["
  first = 1
  for (key in absences) {
    split(key, parts, SUBSEP)
    printf "%s\n  {\"operation\": %s, \"implementation\": %s, \"cases\": %d, \"reason\": %s}", (first ? "" : ","), \
      quoted(parts[1]), quoted(parts[2]), absences[key], quoted(parts[3])
    first = 0
  }
  printf "\n]\n}\n"
}

END {
  find_targets()
  if (format == "json") write_json()
  else write_markdown()
}
