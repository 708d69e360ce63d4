package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Precision;
import java.util.Locale;

/**
 * One line of the table.
 *
 * @param operation such as "linear"
 * @param shape of which model, layer and rows
 * @param precision of the matrix products
 * @param workload what is computed
 */
record Case(String operation, String shape, Precision precision, Workload workload) {
  /** What filters look at, such as "linear bf16 MAR-B qkv, 640 rows". */
  String text() {
    return operation + " " + precision.name().toLowerCase(Locale.ROOT) + " " + shape;
  }
}
