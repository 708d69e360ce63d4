package io.github.gtr4j.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The header of a safetensors file: a JSON object that maps names to {@code {"dtype", "shape",
 * "data_offsets"}}, and {@code __metadata__} to an object of strings. Everything that it claims is
 * checked against the size of the data, which the tensors must cover without gap or overlap.
 */
final class SafetensorsHeader {
  static final String METADATA = "__metadata__";

  /** Most tensors that a file may have. */
  static final int MAX_TENSORS = 100_000;

  /** Most extents that a shape may have. */
  static final int MAX_RANK = 8;

  /** Most characters of a file's text that a message repeats. */
  private static final int MAX_QUOTED = 200;

  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private final long dataBytes;
  private final Map<String, String> metadata = new LinkedHashMap<>();
  private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();

  private SafetensorsHeader(long dataBytes) {
    this.dataBytes = dataBytes;
  }

  /**
   * Parses a header.
   *
   * @param json exactly the header
   * @param dataBytes size of the rest of the file
   * @throws CheckpointException without a file name, if the header is malformed
   * @throws IOException if it cannot be read
   */
  static SafetensorsHeader parse(InputStream json, long dataBytes) throws IOException {
    SafetensorsHeader header = new SafetensorsHeader(dataBytes);
    // A decoder of our own: Jackson's would accept UTF-16 and UTF-32 too.
    InputStreamReader text = new InputStreamReader(json, StandardCharsets.UTF_8.newDecoder());
    try (JsonParser parser = JSON.createParser(text)) {
      header.parse(parser);
    } catch (CharacterCodingException e) {
      throw new CheckpointException("header", "the header is not valid UTF-8");
    } catch (JsonProcessingException e) {
      throw new CheckpointException(
          "header", "the header is not valid JSON: " + printable(e.getOriginalMessage()));
    }
    header.checkCoverage();
    return header;
  }

  Map<String, String> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  /** In the order of their data. */
  Map<String, TensorInfo> tensors() {
    return Collections.unmodifiableMap(tensors);
  }

  private void parse(JsonParser parser) throws IOException {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw new CheckpointException("header", "the header is not a JSON object");
    }
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      if (name.equals(METADATA)) {
        parseMetadata(parser);
      } else {
        if (tensors.size() == MAX_TENSORS) {
          throw new CheckpointException(
              "header", "the header names more than " + MAX_TENSORS + " tensors");
        }
        tensors.put(name, parseTensor(parser, name));
      }
    }
    if (parser.nextToken() != null) {
      throw new CheckpointException("header", "the header goes on after its JSON object");
    }
  }

  private void parseMetadata(JsonParser parser) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw new CheckpointException(METADATA, METADATA + " is not a JSON object");
    }
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      if (parser.nextToken() != JsonToken.VALUE_STRING) {
        throw new CheckpointException(key, "metadata key '" + printable(key) + "' is not a string");
      }
      metadata.put(key, parser.getText());
    }
  }

  private TensorInfo parseTensor(JsonParser parser, String name) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw fault(name, "is not described by a JSON object");
    }
    ElementType type = null;
    long[] shape = null;
    long[] offsets = null;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String field = parser.currentName();
      parser.nextToken();
      switch (field) {
        case "dtype" -> type = parseType(parser, name);
        case "shape" -> shape = parseNumbers(parser, name, "shape", MAX_RANK);
        case "data_offsets" -> offsets = parseNumbers(parser, name, "data_offsets", 2);
        default -> throw fault(name, "has the unknown field '" + printable(field) + "'");
      }
    }
    if (type == null || shape == null || offsets == null) {
      String missing = type == null ? "dtype" : shape == null ? "shape" : "data_offsets";
      throw fault(name, "has no " + missing);
    }
    return checkPlace(name, type, shape, offsets);
  }

  private static ElementType parseType(JsonParser parser, String name) throws IOException {
    if (parser.currentToken() != JsonToken.VALUE_STRING) {
      throw fault(name, "has a dtype that is not a string");
    }
    String text = parser.getText();
    return ElementType.parse(text)
        .orElseThrow(
            () ->
                fault(
                    name,
                    "has the unknown dtype '"
                        + printable(text)
                        + "'; allowed are "
                        + ElementType.allNames()));
  }

  private static long[] parseNumbers(JsonParser parser, String name, String field, int most)
      throws IOException {
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      throw fault(name, "has a " + field + " that is not a JSON array");
    }
    List<Long> numbers = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
        throw fault(name, "has a " + field + " with an entry that is not a whole number");
      }
      if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
          || parser.getLongValue() < 0) {
        throw fault(
            name,
            "has a "
                + field
                + " with an entry out of range: "
                + printable(parser.getText())
                + "; allowed 0 to "
                + Long.MAX_VALUE);
      }
      if (numbers.size() == most) {
        throw fault(name, "has a " + field + " with more than " + most + " entries");
      }
      numbers.add(parser.getLongValue());
    }
    return numbers.stream().mapToLong(Long::longValue).toArray();
  }

  private TensorInfo checkPlace(String name, ElementType type, long[] shape, long[] offsets) {
    if (offsets.length != 2) {
      throw fault(name, "has " + offsets.length + " data_offsets; allowed are 2");
    }
    long begin = offsets[0];
    long end = offsets[1];
    if (begin > end || end > dataBytes) {
      throw fault(
          name,
          "has data_offsets "
              + Arrays.toString(offsets)
              + ", which do not lie within the "
              + dataBytes
              + " bytes of data in the file (is it truncated?)");
    }
    long elements = elements(name, shape);
    long bytes;
    try {
      bytes = Math.multiplyExact(elements, (long) type.bytes());
    } catch (ArithmeticException e) {
      throw fault(name, "has a size that overflows: " + TensorInfo.shapeText(shape));
    }
    if (bytes != end - begin) {
      throw fault(
          name,
          "has "
              + (end - begin)
              + " bytes of data, but "
              + type
              + " "
              + TensorInfo.shapeText(shape)
              + " takes "
              + bytes);
    }
    return new TensorInfo(name, type, shape, elements, begin);
  }

  private static long elements(String name, long[] shape) {
    // A zero makes the product zero, but does not excuse other extents that overflow.
    long product = 1;
    boolean empty = false;
    for (long extent : shape) {
      if (extent == 0) {
        empty = true;
        continue;
      }
      try {
        product = Math.multiplyExact(product, extent);
      } catch (ArithmeticException e) {
        throw fault(name, "has a size that overflows: " + TensorInfo.shapeText(shape));
      }
    }
    return empty ? 0 : product;
  }

  private void checkCoverage() {
    List<TensorInfo> ordered = new ArrayList<>(tensors.values());
    ordered.sort(Comparator.comparingLong(TensorInfo::offset).thenComparing(TensorInfo::bytes));
    long covered = 0;
    TensorInfo previous = null;
    for (TensorInfo tensor : ordered) {
      if (tensor.offset() < covered) {
        throw fault(
            tensor.name(),
            "overlaps tensor '"
                + printable(previous.name())
                + "': it begins at byte "
                + tensor.offset()
                + ", the other ends at "
                + covered);
      }
      if (tensor.offset() > covered) {
        throw fault(
            tensor.name(),
            "leaves a gap: it begins at byte "
                + tensor.offset()
                + " of the data, the one before"
                + " ends at "
                + covered);
      }
      covered += tensor.bytes();
      previous = tensor;
    }
    if (covered != dataBytes) {
      throw new CheckpointException(
          "", "the file has " + (dataBytes - covered) + " bytes after the last tensor");
    }
    tensors.clear();
    for (TensorInfo tensor : ordered) {
      tensors.put(tensor.name(), tensor);
    }
  }

  /** Text from a file, fit for one line of a message. */
  private static String printable(String text) {
    String line = text.replaceAll("\\p{Cntrl}", "?");
    return line.length() <= MAX_QUOTED ? line : line.substring(0, MAX_QUOTED) + "...";
  }

  private static CheckpointException fault(String tensor, String problem) {
    return new CheckpointException(tensor, "tensor '" + printable(tensor) + "' " + problem);
  }
}
