package io.github.gtr4j.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.github.gtr4j.checkpoint.CheckpointException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The metadata keys that a MAR checkpoint may have. Other keys are ignored; a known key whose value
 * is malformed is an error that names it.
 */
final class MarMetadata {
  private static final Pattern GRID = Pattern.compile("([0-9]{1,9})x([0-9]{1,9})");
  private static final Pattern PATCH =
      Pattern.compile("patch:([0-9]{1,9})x([0-9]{1,9}):([0-9]{1,9})");
  private static final Pattern NUMBER = Pattern.compile("[0-9]{1,9}");
  private static final JsonFactory JSON = new JsonFactory();

  private final Map<String, String> values;

  MarMetadata(Map<String, String> values) {
    this.values = values;
  }

  /** Attention heads: key {@code heads}, or else by the width of the published sizes. */
  int heads(int width) {
    String value = values.get("heads");
    if (value == null) {
      int heads =
          switch (width) {
            case 768 -> 12;
            case 1024, 1280 -> 16;
            default ->
                throw new CheckpointException(
                    "heads",
                    "metadata key 'heads' is missing, and only the widths 768, 1024 and 1280 have a"
                        + " known number of heads; this model is "
                        + width
                        + " wide");
          };
      return heads;
    }
    if (!NUMBER.matcher(value).matches()) {
      throw malformed("heads", value, "a positive number");
    }
    String problem = MarConfiguration.headsProblem(width, Long.parseLong(value));
    if (problem != null) {
      throw new CheckpointException("heads", "metadata key 'heads': " + problem);
    }
    return Integer.parseInt(value);
  }

  /** Rows and columns: key {@code grid}, or else a square. */
  int[] grid(int tokens) {
    String value = values.get("grid");
    if (value == null) {
      int side = (int) Math.round(Math.sqrt(tokens));
      if ((long) side * side != tokens) {
        throw new CheckpointException(
            "grid",
            "metadata key 'grid' is missing, and " + tokens + " tokens are not a square grid");
      }
      return new int[] {side, side};
    }
    Matcher matcher = GRID.matcher(value);
    if (!matcher.matches()) {
      throw malformed("grid", value, "HEIGHTxWIDTH, such as 8x8");
    }
    int height = Integer.parseInt(matcher.group(1));
    int width = Integer.parseInt(matcher.group(2));
    if ((long) height * width != tokens) {
      throw malformed("grid", value, "a grid of " + tokens + " cells");
    }
    return new int[] {height, width};
  }

  /** Key {@code tokenizer}, or null for latents of a VAE. */
  PatchTokenizer tokenizer(int channels) {
    String value = values.get("tokenizer");
    if (value == null) {
      return null;
    }
    Matcher matcher = PATCH.matcher(value);
    if (!matcher.matches()) {
      throw malformed("tokenizer", value, "patch:HEIGHTxWIDTH:CHANNELS, such as patch:4x4:1");
    }
    int height = Integer.parseInt(matcher.group(1));
    int width = Integer.parseInt(matcher.group(2));
    int pixelChannels = Integer.parseInt(matcher.group(3));
    // A first product below 2^60 leaves room for no third factor of 2^30, hence the bound in
    // between.
    long area = (long) height * width;
    if (area < 1 || area > channels || pixelChannels < 1 || area * pixelChannels != channels) {
      throw malformed("tokenizer", value, "a patch of " + channels + " values");
    }
    return new PatchTokenizer(height, width, pixelChannels);
  }

  /** Key {@code classes}: names in a JSON list, or an empty list. */
  List<String> classNames(int classes) {
    String value = values.get("classes");
    if (value == null) {
      return List.of();
    }
    List<String> names = new ArrayList<>();
    try (JsonParser parser = JSON.createParser(value)) {
      if (parser.nextToken() != JsonToken.START_ARRAY) {
        throw malformed("classes", value, "a JSON list of names");
      }
      JsonToken token;
      while ((token = parser.nextToken()) != JsonToken.END_ARRAY) {
        if (token != JsonToken.VALUE_STRING) {
          throw malformed("classes", value, "a JSON list of names");
        }
        names.add(parser.getText());
      }
      if (parser.nextToken() != null) {
        throw malformed("classes", value, "a JSON list of names and nothing after it");
      }
    } catch (IOException e) {
      throw malformed("classes", value, "a JSON list of names");
    }
    if (names.size() != classes) {
      throw malformed("classes", value, classes + " names, one per row of class_emb.weight");
    }
    return names;
  }

  /** Key {@code x0_clip}, or 0 for no clipping. */
  double x0Clip() {
    String value = values.get("x0_clip");
    if (value == null) {
      return 0;
    }
    double clip;
    try {
      clip = Double.parseDouble(value);
    } catch (NumberFormatException e) {
      clip = Double.NaN;
    }
    if (!(clip > 0) || Double.isInfinite(clip)) {
      throw malformed("x0_clip", value, "a positive finite number");
    }
    return clip;
  }

  /** Key {@code weights}, or null. */
  WeightKind weights() {
    String value = values.get("weights");
    if (value == null) {
      return null;
    }
    for (WeightKind kind : WeightKind.values()) {
      if (kind.toString().equals(value)) {
        return kind;
      }
    }
    throw malformed("weights", value, "ema or raw");
  }

  /** Key {@code source}, or null. */
  String source() {
    return values.get("source");
  }

  private static CheckpointException malformed(String key, String value, String allowed) {
    return new CheckpointException(
        key,
        "metadata key '"
            + key
            + "' is '"
            + MarCheckpoint.shown(value)
            + "'; allowed is "
            + allowed);
  }
}
