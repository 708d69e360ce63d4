package io.github.gtr4j.model;

import java.util.ArrayList;
import java.util.List;

/**
 * The tensors of a MAR checkpoint, by the names of the public ones: what a configuration demands.
 */
final class MarTensors {
  /** What the head's tensor names start with in a checkpoint. */
  static final String HEAD = "diffloss.net.";

  /** Width of the diffusion head's timestep embedding before its MLP. */
  static final int TIMESTEP_WIDTH = 256;

  /** What a tensor is part of. */
  enum Kind {
    LINEAR,
    NORM,
    EMBEDDING
  }

  /** What is known of a tensor before its values. */
  record Entry(String name, Kind kind, long... shape) {
    boolean isOfHead() {
      return name.startsWith(HEAD);
    }

    long elements() {
      long elements = 1;
      for (long extent : shape) {
        elements *= extent;
      }
      return elements;
    }
  }

  private final List<Entry> entries = new ArrayList<>();

  private MarTensors() {}

  /** All tensors, in the order of the computation. */
  static List<Entry> of(MarConfiguration c) {
    MarTensors tensors = new MarTensors();
    long tokens = c.tokens();
    long places = c.buffer() + tokens;
    long width = c.width();
    tensors.linear("z_proj", width, c.channels());
    tensors.norm("z_proj_ln", width);
    tensors.add(Kind.EMBEDDING, "class_emb.weight", c.classes(), width);
    tensors.add(Kind.EMBEDDING, "fake_latent", 1, width);
    tensors.add(Kind.EMBEDDING, "encoder_pos_embed_learned", 1, places, width);
    tensors.blocks("encoder_blocks.", c.encoderBlocks(), width, c.mlpWidth());
    tensors.norm("encoder_norm", width);
    tensors.linear("decoder_embed", width, width);
    tensors.add(Kind.EMBEDDING, "mask_token", 1, 1, width);
    tensors.add(Kind.EMBEDDING, "decoder_pos_embed_learned", 1, places, width);
    tensors.blocks("decoder_blocks.", c.decoderBlocks(), width, c.mlpWidth());
    tensors.norm("decoder_norm", width);
    tensors.add(Kind.EMBEDDING, "diffusion_pos_embed_learned", 1, tokens, width);
    tensors.head(c);
    return List.copyOf(tensors.entries);
  }

  private void head(MarConfiguration c) {
    long w = c.headWidth();
    linear(HEAD + "time_embed.mlp.0", w, TIMESTEP_WIDTH);
    linear(HEAD + "time_embed.mlp.2", w, w);
    linear(HEAD + "cond_embed", w, c.width());
    linear(HEAD + "input_proj", w, c.channels());
    for (int i = 0; i < c.headBlocks(); i++) {
      String block = HEAD + "res_blocks." + i + ".";
      norm(block + "in_ln", w);
      linear(block + "mlp.0", w, w);
      linear(block + "mlp.2", w, w);
      linear(block + "adaLN_modulation.1", 3 * w, w);
    }
    linear(HEAD + "final_layer.adaLN_modulation.1", 2 * w, w);
    linear(HEAD + "final_layer.linear", 2L * c.channels(), w);
  }

  private void blocks(String prefix, int count, long width, long mlpWidth) {
    for (int i = 0; i < count; i++) {
      String block = prefix + i + ".";
      norm(block + "norm1", width);
      linear(block + "attn.qkv", 3 * width, width);
      linear(block + "attn.proj", width, width);
      norm(block + "norm2", width);
      linear(block + "mlp.fc1", mlpWidth, width);
      linear(block + "mlp.fc2", width, mlpWidth);
    }
  }

  private void linear(String name, long outputs, long inputs) {
    add(Kind.LINEAR, name + ".weight", outputs, inputs);
    add(Kind.LINEAR, name + ".bias", outputs);
  }

  private void norm(String name, long width) {
    add(Kind.NORM, name + ".weight", width);
    add(Kind.NORM, name + ".bias", width);
  }

  private void add(Kind kind, String name, long... shape) {
    entries.add(new Entry(name, kind, shape));
  }
}
