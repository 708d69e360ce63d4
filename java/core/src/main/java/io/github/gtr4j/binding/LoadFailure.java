package io.github.gtr4j.binding;

import io.github.gtr4j.NativeLibraryException;

/** Says in one line why a library cannot be loaded and what to do about it. */
final class LoadFailure {
  private LoadFailure() {}

  /** The exception to throw for a failure to load the library. */
  static NativeLibraryException explain(Throwable failure, String library) {
    StringBuilder reasons = new StringBuilder();
    for (Throwable t = failure; t != null; t = t.getCause()) {
      reasons.append(t.getMessage()).append(' ');
    }
    return new NativeLibraryException(
        "cannot load " + library + ": " + remedy(reasons.toString(), failure), failure);
  }

  private static String remedy(String reasons, Throwable failure) {
    if (reasons.contains("failed to map segment") || reasons.contains("not permitted")) {
      return "its folder does not allow code to be run (is it mounted noexec?); set"
          + " -Dorg.bytedeco.javacpp.cachedir to a folder that does, or -D"
          + Natives.FOLDER_PROPERTY
          + " to one that holds the libraries";
    }
    if (reasons.contains("GLIBC_")) {
      return "the C library of this system is too old ("
          + firstLine(failure)
          + "); use a newer one";
    }
    if (reasons.contains("ld-linux")) {
      return "this system has no glibc (" + firstLine(failure) + "); use one that has";
    }
    if (reasons.contains("wrong ELF class") || reasons.contains("Possible cause")) {
      return "it was built for another processor (" + firstLine(failure) + ")";
    }
    return firstLine(failure);
  }

  private static String firstLine(Throwable failure) {
    return String.valueOf(failure.getMessage()).lines().findFirst().orElse("");
  }
}
