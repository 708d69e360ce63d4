package io.github.gtr4j.cli;

import picocli.CommandLine.Option;

/** Output for programs. */
final class JsonOption {
  @Option(names = "--json", description = "Print one JSON document to the standard output.")
  private boolean json;

  boolean isOn() {
    return json;
  }
}
