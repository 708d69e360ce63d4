package io.github.gtr4j.checkpoint;

import io.github.gtr4j.GtrException;

/**
 * A checkpoint that cannot be read, is malformed, or does not hold what is asked of it. Names the
 * file and, where one is to blame, the tensor, metadata key or header field.
 */
public class CheckpointException extends GtrException {
  private static final long serialVersionUID = 1L;

  private final String file;
  private final String item;
  private final String problem;

  /**
   * A fault of something in a file that is not known here; see {@link #inFile}.
   *
   * @param item the tensor, metadata key or header field to blame, or "" for the file as a whole
   * @param problem a sentence that names the item, what was found and what is allowed
   */
  public CheckpointException(String item, String problem) {
    this("", item, problem, null);
  }

  /**
   * A fault of a file.
   *
   * @param file name of the file
   * @param item the tensor, metadata key or header field to blame, or "" for the file as a whole
   * @param problem a sentence that names the item, what was found and what is allowed
   * @param cause may be null
   */
  public CheckpointException(String file, String item, String problem, Throwable cause) {
    super(file.isEmpty() ? problem : file + ": " + problem, cause);
    this.file = file;
    this.item = item;
    this.problem = problem;
  }

  /** The same fault, with the name of the file. */
  public CheckpointException inFile(String name) {
    return new CheckpointException(name, item, problem, this);
  }

  /** Name of the file, or "" if not known. */
  public String file() {
    return file;
  }

  /** The tensor, metadata key or header field to blame, or "" for the file as a whole. */
  public String item() {
    return item;
  }

  /** The message without the file's name. */
  public String problem() {
    return problem;
  }
}
