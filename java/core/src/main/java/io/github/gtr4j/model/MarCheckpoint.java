package io.github.gtr4j.model;

import io.github.gtr4j.checkpoint.CheckpointException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Reads a MAR model's sizes off its tensors' shapes, and checks that exactly the right tensors are
 * there.
 */
final class MarCheckpoint {
  private final Map<String, long[]> shapes;
  private final MarMetadata metadata;

  private MarCheckpoint(Map<String, long[]> shapes, Map<String, String> metadata) {
    this.shapes = shapes;
    this.metadata = new MarMetadata(metadata);
  }

  /**
   * The configuration of a checkpoint.
   *
   * @throws CheckpointException if a tensor is missing, unknown or has another shape than the
   *     others imply, or if a metadata value is malformed; names it, what was found and what was
   *     expected
   */
  static MarConfiguration configuration(Map<String, long[]> shapes, Map<String, String> metadata) {
    MarCheckpoint checkpoint = new MarCheckpoint(shapes, metadata);
    MarConfiguration configuration = checkpoint.readConfiguration();
    checkpoint.check(MarTensors.of(configuration));
    return configuration;
  }

  private MarConfiguration readConfiguration() {
    int channels = extent("z_proj.weight", 1, 2, 4096);
    int width = extent("z_proj.weight", 0, 2, MarConfiguration.MAX_WIDTH);
    int tokens = extent("diffusion_pos_embed_learned", 1, 3, MarConfiguration.MAX_TOKENS);
    int places = extent("encoder_pos_embed_learned", 1, 3, 2 * MarConfiguration.MAX_TOKENS);
    if (places < tokens) {
      throw new CheckpointException(
          "encoder_pos_embed_learned",
          "tensor 'encoder_pos_embed_learned' has "
              + places
              + " places; expected at least the "
              + tokens
              + " of 'diffusion_pos_embed_learned'");
    }
    int classes = extent("class_emb.weight", 0, 2, 1 << 24);
    int[] grid = metadata.grid(tokens);
    return MarConfiguration.builder()
        .grid(grid[0], grid[1])
        .channels(channels)
        .buffer(places - tokens)
        .width(width)
        .blocks(Math.max(1, blocks("encoder_blocks.")), Math.max(1, blocks("decoder_blocks.")))
        .heads(metadata.heads(width))
        .mlpWidth(extent("encoder_blocks.0.mlp.fc1.weight", 0, 2, 1 << 24))
        .head(
            blocks(MarTensors.HEAD + "res_blocks."),
            extent(MarTensors.HEAD + "input_proj.weight", 0, 2, MarConfiguration.MAX_WIDTH))
        .classes(classes)
        .classNames(metadata.classNames(classes))
        .tokenizer(metadata.tokenizer(channels))
        .x0Clip(metadata.x0Clip())
        .weights(metadata.weights())
        .source(metadata.source())
        .build();
  }

  // One more than the highest block number; a block missing in between is found by check.
  private int blocks(String prefix) {
    int blocks = 0;
    for (String name : shapes.keySet()) {
      if (name.startsWith(prefix)) {
        int end = name.indexOf('.', prefix.length());
        String number = end < 0 ? "" : name.substring(prefix.length(), end);
        if (number.matches("0|[1-9][0-9]{0,3}")
            && Integer.parseInt(number) < MarConfiguration.MAX_BLOCKS) {
          blocks = Math.max(blocks, Integer.parseInt(number) + 1);
        }
      }
    }
    return blocks;
  }

  private int extent(String name, int dimension, int rank, int most) {
    long[] shape = shapes.get(name);
    if (shape == null) {
      throw new CheckpointException(name, "tensor '" + name + "' is missing");
    }
    if (shape.length != rank) {
      throw new CheckpointException(
          name,
          "tensor '" + name + "' has shape " + Arrays.toString(shape) + "; expected rank " + rank);
    }
    long extent = shape[dimension];
    if (extent < 1 || extent > most) {
      throw new CheckpointException(
          name,
          "tensor '"
              + name
              + "' has shape "
              + Arrays.toString(shape)
              + "; dimension "
              + dimension
              + " must be from 1 to "
              + most);
    }
    return (int) extent;
  }

  private void check(List<MarTensors.Entry> expected) {
    Set<String> names = new HashSet<>();
    for (MarTensors.Entry entry : expected) {
      names.add(entry.name());
      long[] found = shapes.get(entry.name());
      if (found == null) {
        throw new CheckpointException(
            entry.name(),
            "tensor '"
                + entry.name()
                + "' is missing; expected shape "
                + Arrays.toString(entry.shape()));
      }
      if (!Arrays.equals(found, entry.shape())) {
        throw new CheckpointException(
            entry.name(),
            "tensor '"
                + entry.name()
                + "' has shape "
                + Arrays.toString(found)
                + "; expected "
                + Arrays.toString(entry.shape()));
      }
    }
    for (String name : new TreeSet<>(shapes.keySet())) {
      if (!names.contains(name)) {
        throw new CheckpointException(
            name,
            "tensor '"
                + shown(name)
                + "' with shape "
                + Arrays.toString(shapes.get(name))
                + " is not part of a MAR model with "
                + names.size()
                + " tensors; expected none of that name");
      }
    }
  }

  /** A name as it can stand in a message of one line, whatever a file claims. */
  static String shown(String name) {
    String printable = name.replaceAll("[^\\x20-\\x7e]", "?");
    return printable.length() <= 120 ? printable : printable.substring(0, 120) + "...";
  }
}
