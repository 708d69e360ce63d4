package io.github.gtr4j.cli;

import io.github.gtr4j.checkpoint.CheckpointSource;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.model.MarModel;
import picocli.CommandLine.Option;

/** Which model. */
final class ModelOption {
  @Option(
      names = "--model",
      paramLabel = "PATH",
      description = "Safetensors file, or 'fashion', the bundled model (default).")
  private String name;

  /** Whether the user named a model. */
  boolean isGiven() {
    return name != null;
  }

  String name() {
    return name == null ? ModelSource.FASHION : name;
  }

  CheckpointSource open() {
    return ModelSource.open("--model", name());
  }

  /** The model's sizes and metadata; its tensors are checked but not read. */
  MarConfiguration configuration() {
    return MarModel.readConfiguration(open());
  }
}
