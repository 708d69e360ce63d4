package io.github.gtr4j.cli;

import io.github.gtr4j.checkpoint.CheckpointSource;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** A model by what the user calls it: the name of the bundled one, or a file. */
final class ModelSource {
  /** The bundled model. */
  static final String FASHION = "fashion";

  private static final String RESOURCE = "fashion_mar.safetensors";

  private ModelSource() {}

  /**
   * Opens it.
   *
   * @param option what named the model, for messages
   */
  static CheckpointSource open(String option, String name) {
    if (name.equals(FASHION)) {
      return CheckpointSource.ofResource(ModelSource.class, RESOURCE);
    }
    if (name.isEmpty()) {
      throw new BadInputException(option, "'' is not a file name");
    }
    try {
      return CheckpointSource.of(Path.of(name));
    } catch (InvalidPathException e) {
      throw new BadInputException(option, "'" + name + "' is not a file name");
    }
  }
}
