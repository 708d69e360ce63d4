package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.model.MarConfiguration;

/** Models by their published sizes. */
enum ModelSize {
  B("MAR-B", MarConfiguration.marB()),
  L("MAR-L", MarConfiguration.marL()),
  H("MAR-H", MarConfiguration.marH());

  private final String label;
  private final MarConfiguration configuration;

  ModelSize(String label, MarConfiguration configuration) {
    this.label = label;
    this.configuration = configuration;
  }

  String label() {
    return label;
  }

  MarConfiguration configuration() {
    return configuration;
  }
}
