package io.github.gtr4j.cli;

import io.github.gtr4j.AtomicFile;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** A file to write, checked before the work that fills it. */
final class OutputFile {
  private OutputFile() {}

  /** Whether two paths that were checked lead to one file. */
  static boolean isSame(Path first, Path second) throws IOException {
    return AtomicFile.resolve(first).equals(AtomicFile.resolve(second));
  }

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

  /** Likewise, and the file must not be the model that is read. */
  static Path check(String option, String name, ModelOption model) {
    Path path = check(option, name);
    if (model.isFile(path)) {
      throw new BadInputException(option, path + " is the model's own file");
    }
    return path;
  }
}
