package io.github.gtr4j.cli;

import io.github.gtr4j.checkpoint.CheckpointSource;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.model.MarModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

  /** Whether a path leads to the model's file. */
  boolean isFile(Path path) {
    try {
      return isGiven() && Files.exists(path) && Files.isSameFile(path, Path.of(name));
    } catch (IOException e) {
      // The bundled model's name, or a file that vanished: nothing that could be overwritten.
      return false;
    }
  }

  CheckpointSource open() {
    return ModelSource.open("--model", name());
  }

  /** The model's sizes and metadata; its tensors are checked but not read. */
  MarConfiguration configuration() {
    return MarModel.readConfiguration(open());
  }
}
