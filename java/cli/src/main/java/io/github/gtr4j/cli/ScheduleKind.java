package io.github.gtr4j.cli;

/** The schedules that there are. */
enum ScheduleKind {
  /** Generation-then-Reconstruction. */
  GTR,
  /** The cosine schedule of MAR. */
  MAR
}
