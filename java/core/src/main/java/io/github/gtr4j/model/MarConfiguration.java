package io.github.gtr4j.model;

import io.github.gtr4j.InvalidArgumentException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Everything about a masked-autoregressive (MAR) model but its weights. {@link MarModel} reads it
 * off a checkpoint's shapes and metadata; {@link #builder} makes one for a model without a
 * checkpoint.
 */
public final class MarConfiguration {
  private final int gridHeight;
  private final int gridWidth;
  private final int channels;
  private final int buffer;
  private final int width;
  private final int encoderBlocks;
  private final int decoderBlocks;
  private final int heads;
  private final int mlpWidth;
  private final int headWidth;
  private final int headBlocks;
  private final int classes;
  private final List<String> classNames;
  private final PatchTokenizer tokenizer;
  private final double x0Clip;
  private final WeightKind weights;
  private final String source;

  private MarConfiguration(Builder builder) {
    gridHeight = atLeast("gridHeight", builder.gridHeight, 1);
    gridWidth = atLeast("gridWidth", builder.gridWidth, 1);
    if ((long) gridHeight * gridWidth > MAX_TOKENS) {
      throw new InvalidArgumentException(
          "grid", gridHeight + "x" + gridWidth + "; allowed are at most " + MAX_TOKENS + " cells");
    }
    channels = within("channels", builder.channels, 1, 4096);
    buffer = within("buffer", builder.buffer, 0, MAX_TOKENS);
    width = within("width", builder.width, 1, MAX_WIDTH);
    encoderBlocks = within("encoderBlocks", builder.encoderBlocks, 1, MAX_BLOCKS);
    decoderBlocks = within("decoderBlocks", builder.decoderBlocks, 1, MAX_BLOCKS);
    heads = atLeast("heads", builder.heads, 1);
    String problem = headsProblem(width, heads);
    if (problem != null) {
      throw new InvalidArgumentException("heads", problem);
    }
    mlpWidth = builder.mlpWidth == 0 ? 4 * width : within("mlpWidth", builder.mlpWidth, 1, 1 << 24);
    headWidth = within("headWidth", builder.headWidth, 1, MAX_WIDTH);
    headBlocks = within("headBlocks", builder.headBlocks, 0, MAX_BLOCKS);
    classes = within("classes", builder.classes, 1, 1 << 24);
    classNames = List.copyOf(builder.classNames);
    if (!classNames.isEmpty() && classNames.size() != classes) {
      throw new InvalidArgumentException(
          "classNames", classNames.size() + " names; allowed are " + classes + " or none");
    }
    tokenizer = builder.tokenizer;
    if (tokenizer != null && tokenizer.tokenChannels() != channels) {
      throw new InvalidArgumentException(
          "tokenizer",
          tokenizer
              + " makes tokens of "
              + tokenizer.tokenChannels()
              + " channels, the model has "
              + channels);
    }
    x0Clip = builder.x0Clip;
    if (!(x0Clip >= 0) || Double.isInfinite(x0Clip)) {
      throw new InvalidArgumentException("x0Clip", x0Clip + "; allowed are finite numbers >= 0");
    }
    weights = builder.weights;
    source = builder.source;
  }

  /** Most blocks of an encoder, a decoder or a head. */
  static final int MAX_BLOCKS = 1024;

  /** Widest model. */
  static final int MAX_WIDTH = 65536;

  /** Largest number of cells of a grid, and of buffer places. */
  static final int MAX_TOKENS = 1 << 20;

  /** What is wrong with a number of attention heads, or null. */
  static String headsProblem(int width, long heads) {
    if (heads < 1 || width % heads != 0) {
      return heads + " heads do not divide the width " + width;
    }
    long dim = width / heads;
    if (dim % 8 != 0 || dim > 256) {
      return heads
          + " heads of a model of width "
          + width
          + " are "
          + dim
          + " wide; allowed are multiples of 8 up to 256";
    }
    return null;
  }

  private static int atLeast(String name, int value, int least) {
    return within(name, value, least, Integer.MAX_VALUE);
  }

  private static int within(String name, int value, int least, int most) {
    if (value < least || value > most) {
      throw new InvalidArgumentException(name, value + "; allowed " + least + " to " + most);
    }
    return value;
  }

  /** MAR-B for 256x256 pixels: 768 wide, 12 + 12 blocks, 12 heads, diffusion head 6 x 1024. */
  public static MarConfiguration marB() {
    return imageNet(768, 12, 12, 6, 1024);
  }

  /** MAR-L for 256x256 pixels: 1024 wide, 16 + 16 blocks, 16 heads, diffusion head 8 x 1280. */
  public static MarConfiguration marL() {
    return imageNet(1024, 16, 16, 8, 1280);
  }

  /** MAR-H for 256x256 pixels: 1280 wide, 20 + 20 blocks, 16 heads, diffusion head 12 x 1536. */
  public static MarConfiguration marH() {
    return imageNet(1280, 20, 16, 12, 1536);
  }

  private static MarConfiguration imageNet(
      int width, int blocks, int heads, int headBlocks, int headWidth) {
    return builder()
        .grid(16, 16)
        .channels(16)
        .buffer(64)
        .width(width)
        .blocks(blocks, blocks)
        .heads(heads)
        .head(headBlocks, headWidth)
        .classes(1000)
        .build();
  }

  /** Starts a configuration; grid, channels, width, blocks, heads, head and classes must be set. */
  public static Builder builder() {
    return new Builder();
  }

  /** Rows of the token grid. */
  public int gridHeight() {
    return gridHeight;
  }

  /** Columns of the token grid. */
  public int gridWidth() {
    return gridWidth;
  }

  /** Cells of the token grid; cell (i, j) has index i · width + j. */
  public int tokens() {
    return gridHeight * gridWidth;
  }

  /** Values of a token. */
  public int channels() {
    return channels;
  }

  /** Copies of the class embedding in front of the tokens. */
  public int buffer() {
    return buffer;
  }

  /** Width of the encoder, the decoder and the condition vectors. */
  public int width() {
    return width;
  }

  /** Blocks of the encoder. */
  public int encoderBlocks() {
    return encoderBlocks;
  }

  /** Blocks of the decoder. */
  public int decoderBlocks() {
    return decoderBlocks;
  }

  /** Attention heads of each block. */
  public int heads() {
    return heads;
  }

  /** Width of one attention head. */
  public int headDim() {
    return width / heads;
  }

  /** Width inside the blocks' MLPs. */
  public int mlpWidth() {
    return mlpWidth;
  }

  /** Width of the diffusion head. */
  public int headWidth() {
    return headWidth;
  }

  /** Residual blocks of the diffusion head. */
  public int headBlocks() {
    return headBlocks;
  }

  /** Number of classes. */
  public int classes() {
    return classes;
  }

  /** Names of the classes, or an empty list if the checkpoint has none. */
  public List<String> classNames() {
    return classNames;
  }

  /** How tokens become pixels; empty for a model whose latents need a VAE decoder. */
  public Optional<PatchTokenizer> tokenizer() {
    return Optional.ofNullable(tokenizer);
  }

  /** The bound to which the diffusion chain clips x₀, if it does. */
  public OptionalDouble x0Clip() {
    return x0Clip == 0 ? OptionalDouble.empty() : OptionalDouble.of(x0Clip);
  }

  /** Which weights the checkpoint holds, if it says so. */
  public Optional<WeightKind> weights() {
    return Optional.ofNullable(weights);
  }

  /** Where the model comes from, if the checkpoint says so. */
  public Optional<String> source() {
    return Optional.ofNullable(source);
  }

  /** Number of weights. */
  public long parameters() {
    return MarTensors.of(this).stream().mapToLong(MarTensors.Entry::elements).sum();
  }

  @Override
  public String toString() {
    return "MarConfiguration["
        + gridHeight
        + "x"
        + gridWidth
        + " tokens of "
        + channels
        + " channels, buffer "
        + buffer
        + ", width "
        + width
        + ", "
        + encoderBlocks
        + "+"
        + decoderBlocks
        + " blocks, "
        + heads
        + " heads, head "
        + headBlocks
        + " x "
        + headWidth
        + ", "
        + classes
        + " classes]";
  }

  /** Collects a configuration's values. */
  public static final class Builder {
    private int gridHeight;
    private int gridWidth;
    private int channels;
    private int buffer;
    private int width;
    private int encoderBlocks;
    private int decoderBlocks;
    private int heads;
    private int mlpWidth;
    private int headWidth;
    private int headBlocks;
    private int classes;
    private List<String> classNames = List.of();
    private PatchTokenizer tokenizer;
    private double x0Clip;
    private WeightKind weights;
    private String source;

    private Builder() {}

    /** Rows and columns of the token grid. */
    public Builder grid(int height, int width) {
      this.gridHeight = height;
      this.gridWidth = width;
      return this;
    }

    /** Values of a token, 1 to 4096. */
    public Builder channels(int channels) {
      this.channels = channels;
      return this;
    }

    /** Copies of the class embedding in front of the tokens; 0 by default. */
    public Builder buffer(int buffer) {
      this.buffer = buffer;
      return this;
    }

    /** Width of encoder and decoder. */
    public Builder width(int width) {
      this.width = width;
      return this;
    }

    /** Blocks of the encoder and of the decoder. */
    public Builder blocks(int encoder, int decoder) {
      this.encoderBlocks = encoder;
      this.decoderBlocks = decoder;
      return this;
    }

    /** Attention heads; the width of one must be a multiple of 8 up to 256. */
    public Builder heads(int heads) {
      this.heads = heads;
      return this;
    }

    /** Width inside the blocks' MLPs; 4 times the width by default. */
    public Builder mlpWidth(int mlpWidth) {
      this.mlpWidth = mlpWidth;
      return this;
    }

    /** Residual blocks and width of the diffusion head. */
    public Builder head(int blocks, int width) {
      this.headBlocks = blocks;
      this.headWidth = width;
      return this;
    }

    /** Number of classes. */
    public Builder classes(int classes) {
      this.classes = classes;
      return this;
    }

    /** Names of the classes, one per class; none by default. */
    public Builder classNames(List<String> classNames) {
      this.classNames = Objects.requireNonNull(classNames, "classNames");
      return this;
    }

    /** How tokens become pixels; null, the default, if they are latents of a VAE. */
    public Builder tokenizer(PatchTokenizer tokenizer) {
      this.tokenizer = tokenizer;
      return this;
    }

    /** The bound to which x₀ is clipped; 0, the default, for no clipping. */
    public Builder x0Clip(double x0Clip) {
      this.x0Clip = x0Clip;
      return this;
    }

    /** Which weights these are; null, the default, if unknown. */
    public Builder weights(WeightKind weights) {
      this.weights = weights;
      return this;
    }

    /** Where the model comes from; null, the default, if unknown. */
    public Builder source(String source) {
      this.source = source;
      return this;
    }

    /**
     * The configuration.
     *
     * @throws InvalidArgumentException if a value is missing or out of range; names it
     */
    public MarConfiguration build() {
      return new MarConfiguration(this);
    }
  }
}
