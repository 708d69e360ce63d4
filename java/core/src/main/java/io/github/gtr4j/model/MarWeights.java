package io.github.gtr4j.model;

import io.github.gtr4j.binding.NativeObject;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.DiffusionHead;
import io.github.gtr4j.kernel.HeadShape;
import io.github.gtr4j.kernel.Linear;
import io.github.gtr4j.kernel.Precision;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** All weights of a model on a device. */
final class MarWeights implements AutoCloseable {
  private final List<NativeObject> owned = new ArrayList<>();

  private Linear zProj;
  private Norm zProjNorm;
  private Tensor classes;
  private Tensor encoderPositions;
  private final List<TransformerBlock> encoder = new ArrayList<>();
  private Norm encoderNorm;
  private Linear decoderEmbed;
  private Tensor maskToken;
  private Tensor decoderPositions;
  private final List<TransformerBlock> decoder = new ArrayList<>();
  private Norm decoderNorm;
  private Tensor diffusionPositions;
  private DiffusionHead head;

  private MarWeights() {}

  /** Loads all weights; whatever fails, nothing native is left behind. */
  static MarWeights load(
      Device device, MarConfiguration configuration, Precision precision, WeightSource source) {
    MarWeights weights = new MarWeights();
    try (Stream stream = device.newStream()) {
      new Loader(weights, device, stream, configuration, precision, source).load();
      return weights;
    } catch (Throwable e) {
      try {
        weights.close();
      } catch (RuntimeException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  Linear zProj() {
    return zProj;
  }

  Norm zProjNorm() {
    return zProjNorm;
  }

  /** Class embeddings [classes + 1, width]; the last row is the one for no class. */
  Tensor classes() {
    return classes;
  }

  /** [buffer + tokens, width]. */
  Tensor encoderPositions() {
    return encoderPositions;
  }

  List<TransformerBlock> encoder() {
    return encoder;
  }

  Norm encoderNorm() {
    return encoderNorm;
  }

  Linear decoderEmbed() {
    return decoderEmbed;
  }

  /** [1, width]. */
  Tensor maskToken() {
    return maskToken;
  }

  /** [buffer + tokens, width]. */
  Tensor decoderPositions() {
    return decoderPositions;
  }

  List<TransformerBlock> decoder() {
    return decoder;
  }

  Norm decoderNorm() {
    return decoderNorm;
  }

  /** [tokens, width]. */
  Tensor diffusionPositions() {
    return diffusionPositions;
  }

  DiffusionHead head() {
    return head;
  }

  /** What is closed with the weights. */
  List<NativeObject> parts() {
    return owned;
  }

  @Override
  public void close() {
    RuntimeException failure = null;
    for (int i = owned.size() - 1; i >= 0; i--) {
      try {
        owned.get(i).close();
      } catch (RuntimeException e) {
        failure = e;
      }
    }
    owned.clear();
    if (failure != null) {
      throw failure;
    }
  }

  /** Builds the weights from a source. */
  private static final class Loader {
    private final MarWeights weights;
    private final Device device;
    private final MarConfiguration configuration;
    private final Precision precision;
    private final WeightSource source;
    private final Map<String, MarTensors.Entry> entries = new HashMap<>();
    private final VectorMemory vectors;

    Loader(
        MarWeights weights,
        Device device,
        Stream stream,
        MarConfiguration configuration,
        Precision precision,
        WeightSource source) {
      this.weights = weights;
      this.device = device;
      this.configuration = configuration;
      this.precision = precision;
      this.source = source;
      MarTensors.of(configuration).forEach(entry -> entries.put(entry.name(), entry));
      vectors = new VectorMemory(device, stream, vectorBytes());
      weights.owned.add(vectors.buffer());
    }

    private long vectorBytes() {
      long bytes = 0;
      for (MarTensors.Entry entry : entries.values()) {
        if (!entry.isOfHead() && entry.kind() != MarTensors.Kind.LINEAR) {
          bytes += VectorMemory.bytes(entry.elements());
        }
      }
      return bytes;
    }

    void load() {
      int width = configuration.width();
      long places = configuration.buffer() + configuration.tokens();
      weights.zProj = linear("z_proj", Precision.F32);
      weights.zProjNorm = norm("z_proj_ln");
      weights.classes =
          vectors.put(
              new float[][] {values("class_emb.weight"), values("fake_latent")},
              configuration.classes() + 1L,
              width);
      weights.encoderPositions = table("encoder_pos_embed_learned", places);
      blocks("encoder_blocks.", configuration.encoderBlocks(), weights.encoder);
      weights.encoderNorm = norm("encoder_norm");
      weights.decoderEmbed = linear("decoder_embed", precision);
      weights.maskToken = table("mask_token", 1);
      weights.decoderPositions = table("decoder_pos_embed_learned", places);
      blocks("decoder_blocks.", configuration.decoderBlocks(), weights.decoder);
      weights.decoderNorm = norm("decoder_norm");
      weights.diffusionPositions = table("diffusion_pos_embed_learned", configuration.tokens());
      head();
    }

    private void blocks(String prefix, int count, List<TransformerBlock> blocks) {
      for (int i = 0; i < count; i++) {
        String block = prefix + i + ".";
        blocks.add(
            new TransformerBlock(
                norm(block + "norm1"),
                linear(block + "attn.qkv", precision),
                linear(block + "attn.proj", precision),
                norm(block + "norm2"),
                linear(block + "mlp.fc1", precision),
                linear(block + "mlp.fc2", precision)));
      }
    }

    private void head() {
      weights.head =
          DiffusionHead.create(
              device,
              new HeadShape(
                  configuration.channels(),
                  configuration.width(),
                  configuration.headWidth(),
                  configuration.headBlocks()),
              precision);
      weights.owned.add(weights.head);
      for (MarTensors.Entry entry : MarTensors.of(configuration)) {
        if (!entry.isOfHead()) {
          continue;
        }
        String name = entry.name().substring(MarTensors.HEAD.length());
        if (entry.shape().length == 1) {
          float[] values = source.values(entry);
          weights.head.set(name, 0, wrap(values, 0, values.length));
        } else {
          source.matrix(entry, (firstRow, rows) -> weights.head.set(name, firstRow, rows));
        }
      }
    }

    private Linear linear(String name, Precision linearPrecision) {
      MarTensors.Entry weight = entries.get(name + ".weight");
      Linear linear = Linear.create(device, weight.shape()[0], weight.shape()[1], linearPrecision);
      weights.owned.add(linear);
      float[] bias = values(name + ".bias");
      source.matrix(
          weight,
          (firstRow, rows) ->
              linear.set(firstRow, rows, wrap(bias, firstRow, (int) rows.shape(0))));
      return linear;
    }

    private Norm norm(String name) {
      long width = configuration.width();
      return new Norm(
          vectors.put(new float[][] {values(name + ".weight")}, width),
          vectors.put(new float[][] {values(name + ".bias")}, width));
    }

    private Tensor table(String name, long rows) {
      return vectors.put(new float[][] {values(name)}, rows, configuration.width());
    }

    private float[] values(String name) {
      return source.values(entries.get(name));
    }

    private static Tensor wrap(float[] values, int first, int count) {
      ByteBuffer host =
          ByteBuffer.allocateDirect(count * Float.BYTES).order(ByteOrder.nativeOrder());
      host.asFloatBuffer().put(values, first, count);
      return Tensor.wrap(host, DType.F32, count);
    }
  }
}
