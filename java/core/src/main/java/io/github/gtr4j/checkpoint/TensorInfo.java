package io.github.gtr4j.checkpoint;

import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** Name, element type, shape and place of an array in a checkpoint. Immutable. */
public final class TensorInfo {
  private final String name;
  private final ElementType type;
  private final long[] shape;
  private final long elements;
  private final long offset;

  /**
   * Describes a tensor.
   *
   * @param offset of its first byte, from the start of the file's data section
   */
  TensorInfo(String name, ElementType type, long[] shape, long elements, long offset) {
    this.name = name;
    this.type = type;
    this.shape = shape.clone();
    this.elements = elements;
    this.offset = offset;
  }

  /** Name of the tensor. */
  public String name() {
    return name;
  }

  /** Type of its elements. */
  public ElementType type() {
    return type;
  }

  /** Its extents, outermost first; empty for a scalar. */
  public long[] shape() {
    return shape.clone();
  }

  /** Number of extents. */
  public int rank() {
    return shape.length;
  }

  /** One extent, counted from the outermost. */
  public long extent(int dimension) {
    return shape[dimension];
  }

  /** Number of elements. */
  public long elements() {
    return elements;
  }

  /** Size of the data. */
  public long bytes() {
    return elements * type.bytes();
  }

  /** Whether the tensor has this shape. */
  public boolean hasShape(long... expected) {
    return Arrays.equals(shape, expected);
  }

  /** Elements of one index of the first dimension; 1 for scalars and vectors. */
  public long elementsPerRow() {
    long product = 1;
    for (int d = 1; d < shape.length; d++) {
      product *= shape[d];
    }
    return product;
  }

  /** Place of the first byte in the file's data section. */
  long offset() {
    return offset;
  }

  /** A shape as people write it, such as {@code [3, 64]}. */
  public static String shapeText(long... shape) {
    return LongStream.of(shape)
        .mapToObj(Long::toString)
        .collect(Collectors.joining(", ", "[", "]"));
  }

  /** Such as {@code mask_token BF16 [1, 1, 192]}. */
  @Override
  public String toString() {
    return name + " " + type + " " + shapeText(shape);
  }
}
