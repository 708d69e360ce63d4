package io.github.gtr4j.bench.cpu;

/**
 * What was hoped for, and what was measured of it.
 *
 * @param what of which cases
 * @param limit in words
 * @param measured in words; "not measured" if there was no such case
 * @param outcome whether it is met; beyond the roofline: not met, and not to be met with the
 *     ceilings that were measured in the same run
 */
record Goal(String what, String limit, String measured, Outcome outcome) {
  /** Whether a goal is met. */
  enum Outcome {
    MET("met"),
    NOT_MET("not met"),
    BEYOND_ROOFLINE("beyond the roofline"),
    UNKNOWN("not measured");

    private final String label;

    Outcome(String label) {
      this.label = label;
    }

    String label() {
      return label;
    }
  }
}
