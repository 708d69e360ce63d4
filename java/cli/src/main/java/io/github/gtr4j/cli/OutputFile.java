package io.github.gtr4j.cli;

import io.github.gtr4j.AtomicFile;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** A file to write, checked before the work that fills it. */
final class OutputFile {
  private OutputFile() {}

  /** The path that an option gives; an unwritable one is the user's mistake. */
  static Path check(String option, String name) {
    try {
      Path path = Path.of(name);
      if (name.isEmpty()) {
        throw new BadInputException(option, "'' is not a file name");
      }
      AtomicFile.checkWritable(path);
      return path;
    } catch (InvalidPathException e) {
      throw new BadInputException(option, "'" + name + "' is not a file name");
    } catch (IOException e) {
      throw new BadInputException(option, e.getMessage());
    }
  }
}
