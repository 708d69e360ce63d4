package io.github.gtr4j.bench;

import java.io.IOException;

/** JMH's command line, on a machine that has what the benchmarks need. */
public final class Main {
  private static final int NOTHING_TO_RUN_ON = 2;

  private Main() {}

  /**
   * Runs the benchmarks.
   *
   * @param args as JMH takes them: {@code -h} lists them
   */
  public static void main(String[] args) throws IOException {
    String missing = Card.missing();
    if (missing != null) {
      System.err.println("gtr4j-bench: " + missing);
      System.exit(NOTHING_TO_RUN_ON);
    }
    org.openjdk.jmh.Main.main(args);
  }
}
