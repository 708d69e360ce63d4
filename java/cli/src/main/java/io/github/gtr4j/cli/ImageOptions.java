package io.github.gtr4j.cli;

import io.github.gtr4j.model.MarConfiguration;
import java.util.List;
import java.util.stream.IntStream;
import picocli.CommandLine.Option;

/** Which images: their classes, number, seed and indices. */
final class ImageOptions {
  /** Most images of one run, all of which are held in memory. */
  static final int MAX_COUNT = 10_000;

  private static final String NO_CLASS = "none";

  @Option(
      names = "--labels",
      paramLabel = "N[,N...]|none",
      description =
          "Classes to draw: image k has label list[k mod length]. 'none' draws without a class,"
              + " and so without guidance. Default: all classes in turn.")
  private String labels;

  @Option(names = "--class", paramLabel = "NAME", description = "Class to draw, by its name.")
  private String className;

  @Option(
      names = "--count",
      paramLabel = "N",
      description =
          "Number of images (default: the length of the list of labels; without one, four of"
              + " each class, and one of each in compare).")
  private String count;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Seed of decode order and noise, an unsigned 64-bit number (default 0).")
  private String seed;

  @Option(
      names = "--first-image",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Index of the first image (default 0). An image depends on seed and index, not on the"
              + " others of its run.")
  private String firstImage;

  /**
   * The images.
   *
   * @param perClass how many of each class if neither labels nor a count are given
   */
  Images resolve(MarConfiguration model, int perClass) {
    int[] list = labelList(model);
    int total = list.length;
    if (count != null) {
      total = OptionValues.smallInteger("--count", count, 1, MAX_COUNT);
    } else if (labels == null && className == null) {
      total = Math.min(MAX_COUNT, perClass * list.length);
    }
    long first = OptionValues.integer("--first-image", firstImage, 0, (1L << 32) - 1);
    if (first + total > 1L << 32) {
      throw new BadInputException(
          "--first-image",
          first + " with " + total + " images; allowed 0 to " + ((1L << 32) - total));
    }
    return new Images(
        list, names(model, list), total, first, OptionValues.unsigned("--seed", seed));
  }

  private int[] labelList(MarConfiguration model) {
    if (labels != null && className != null) {
      throw new BadInputException("--class", "cannot be combined with --labels");
    }
    if (className != null) {
      return new int[] {classIndex(model)};
    }
    if (labels == null) {
      return IntStream.range(0, model.classes()).toArray();
    }
    if (labels.equals(NO_CLASS)) {
      return new int[] {Images.NO_LABEL};
    }
    int[] list = OptionValues.integers("--labels", labels, Integer.MIN_VALUE, Integer.MAX_VALUE);
    for (int label : list) {
      if (label < 0 || label >= model.classes()) {
        throw new BadInputException(
            "--labels",
            label
                + "; the model has the classes 0 to "
                + (model.classes() - 1)
                + ", and none stands for no class");
      }
    }
    return list;
  }

  private int classIndex(MarConfiguration model) {
    List<String> names = model.classNames();
    if (names.isEmpty()) {
      throw new BadInputException(
          "--class",
          "the model does not name its classes; use --labels 0 to " + (model.classes() - 1));
    }
    int index = names.indexOf(className);
    if (index < 0) {
      throw new BadInputException(
          "--class", "'" + className + "'; the model's classes are " + String.join(", ", names));
    }
    return index;
  }

  private static List<String> names(MarConfiguration model, int[] list) {
    return IntStream.of(list)
        .mapToObj(
            label ->
                label == Images.NO_LABEL
                    ? "no class"
                    : model.classNames().isEmpty()
                        ? "class " + label
                        : model.classNames().get(label))
        .toList();
  }
}
