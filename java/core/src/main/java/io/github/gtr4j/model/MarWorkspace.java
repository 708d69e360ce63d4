package io.github.gtr4j.model;

import io.github.gtr4j.CancelledException;
import io.github.gtr4j.GtrException;
import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.binding.NativeObject;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.MemorySpace;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.Activation;
import io.github.gtr4j.kernel.Attention;
import io.github.gtr4j.kernel.Linear;
import io.github.gtr4j.kernel.Rows;
import io.github.gtr4j.model.WorkspaceViews.AttentionViews;
import io.github.gtr4j.model.WorkspaceViews.RowViews;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One job's memory for a model's encoder and decoder: the known tokens of some images, and
 * everything in between them and condition vectors. All of it is allocated at once; computing
 * allocates nothing native. Belongs to one thread at a time, as its stream does. The caller closes
 * it, before the model and the stream.
 */
public final class MarWorkspace extends NativeObject {
  /** Shapes of batches whose tensors are kept: more than a plan has steps, as a rule. */
  private static final int MAX_VIEWS = 128;

  private final MarModel model;
  private final MarConfiguration configuration;
  private final MarWeights weights;
  private final Stream stream;
  private final WorkspaceSize size;
  private final WorkspaceLayout layout;
  private final DeviceBuffer buffer;
  private final DeviceBuffer hostIndices;
  private final BatchIndices indices;
  private final Tensor projected;
  private final Tensor scratch;
  private final Map<BatchShape, WorkspaceViews> views =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<BatchShape, WorkspaceViews> eldest) {
          return size() > MAX_VIEWS;
        }
      };

  MarWorkspace(MarModel model, Stream stream, WorkspaceSize size) {
    super(model);
    DeviceBuffer allocated = null;
    try {
      Device device = model.device();
      if (stream.device() != device) {
        throw new InvalidArgumentException(
            "stream", "of " + stream.device() + "; the model is on " + device);
      }
      this.model = model;
      this.configuration = model.configuration();
      this.weights = model.weights();
      this.stream = stream;
      this.size = size;
      this.layout = new WorkspaceLayout(model, size);
      allocated = device.allocate(layout.bytes());
      this.buffer = allocated;
      this.hostIndices = device.allocate(MemorySpace.HOST, hostBytes(layout));
    } catch (Throwable e) {
      if (allocated != null) {
        allocated.close();
      }
      abandon();
      throw e;
    }
    indices = new BatchIndices(configuration, layout, hostIndices, buffer);
    projected =
        Tensor.of(
            buffer,
            layout.projected(),
            DType.F32,
            (long) layout.images() * configuration.tokens(),
            configuration.width());
    scratch =
        layout.scratchBytes() == 0
            ? null
            : Tensor.of(buffer, layout.scratch(), DType.U8, layout.scratchBytes());
  }

  private static long hostBytes(WorkspaceLayout layout) {
    return (long) Integer.BYTES
        * BatchIndices.capacity(layout.sequences(), layout.places(), layout.rows());
  }

  /** Bytes of native memory that a workspace takes. */
  static long bytes(MarModel model, WorkspaceSize size) {
    WorkspaceLayout layout = new WorkspaceLayout(model, size);
    return layout.bytes() + hostBytes(layout);
  }

  /** What it has room for. */
  public WorkspaceSize size() {
    return size;
  }

  /** Bytes of native memory that it holds. */
  public long bytes() {
    return buffer.size() + hostIndices.size();
  }

  /**
   * Keeps tokens, so that they can be known ones of later batches.
   *
   * @param x tokens [R, channels], float
   * @param index I32 [R], distinct: slot · cells of the grid + cell of each token
   * @param projection [R, width], float: memory that this uses
   */
  public void putTokens(Tensor x, Tensor index, Tensor projection) {
    acquire("put_tokens");
    try {
      linear(weights.zProj(), Activation.NONE, x, null, projection);
      Rows.scatter(stream, projection, index, projected);
    } finally {
      release();
    }
  }

  /**
   * Computes a batch's condition vectors, in the order of its sequences and their wanted cells. On
   * a GPU the call returns when everything is enqueued; if the stream is not idle before, it waits.
   *
   * @return [rows, width], float: memory of the workspace that the next call overwrites
   * @throws InvalidArgumentException if the batch is empty or larger than the workspace
   * @throws io.github.gtr4j.CancelledException if the stream was cancelled
   */
  public Tensor compute(ConditionBatch batch) {
    check(batch);
    acquire("condition");
    model.acquire("condition");
    try {
      BatchShape shape = BatchShape.of(batch, configuration.buffer());
      WorkspaceViews view = views.get(shape);
      if (view == null) {
        view = new WorkspaceViews(configuration, layout, buffer, indices, shape);
        views.put(shape, view);
      }
      if (!stream.isIdle()) {
        stream.synchronize(); // the last batch's indices may still be on their way to the device
      }
      indices.fill(batch, shape);
      stream.copy(indices.deviceTensor(), indices.hostTensor());
      encode(view);
      decode(view);
      return view.conditions;
    } finally {
      model.release();
      release();
    }
  }

  private void check(ConditionBatch batch) {
    if (batch.tokens() != configuration.tokens() || batch.classes() != configuration.classes()) {
      throw new InvalidArgumentException("batch", "made for a model of another configuration");
    }
    if (batch.sequences() < 1 || batch.sequences() > layout.sequences()) {
      throw new InvalidArgumentException(
          "batch", batch.sequences() + " sequences; allowed 1 to " + layout.sequences());
    }
    if (batch.rows() > layout.rows()) {
      throw new InvalidArgumentException(
          "batch", batch.rows() + " rows; allowed 1 to " + layout.rows());
    }
    for (int s = 0; s < batch.sequences(); s++) {
      if (batch.slot(s) >= layout.images()) {
        throw new InvalidArgumentException(
            "batch", "slot " + batch.slot(s) + "; allowed 0 to " + (layout.images() - 1));
      }
    }
  }

  private void encode(WorkspaceViews view) {
    RowViews rows = view.encoder;
    Rows.embed(
        stream,
        view.projected,
        weights.classes(),
        view.encoderSource,
        weights.encoderPositions(),
        view.encoderPlace,
        rows.hidden());
    weights.zProjNorm().run(stream, rows.hidden(), rows.hidden());
    for (TransformerBlock block : weights.encoder()) {
      block.norm1().run(stream, rows.hidden(), rows.normed());
      linear(block.qkv(), Activation.NONE, rows.normed(), null, rows.qkv());
      Tensor attended = rows.attended();
      if (view.encoderSpread == null) {
        attention(view.encoderAttention);
      } else {
        Rows.gather(stream, rows.qkv(), view.encoderSpread, view.encoderSpreadQkv);
        attention(view.encoderAttention);
        attended = rows.normed();
        Rows.gather(stream, view.encoderPadded, view.encoderPack, attended);
      }
      finish(block, rows, attended);
    }
    weights.encoderNorm().run(stream, rows.hidden(), rows.normed());
    linear(weights.decoderEmbed(), Activation.NONE, rows.normed(), null, view.encoderEmbedded);
  }

  private void decode(WorkspaceViews view) {
    RowViews rows = view.decoder;
    Rows.embed(
        stream,
        view.encoderEmbedded,
        weights.maskToken(),
        view.decoderSource,
        weights.decoderPositions(),
        view.decoderPlace,
        rows.hidden());
    List<TransformerBlock> blocks = weights.decoder();
    for (TransformerBlock block : blocks.subList(0, blocks.size() - 1)) {
      block.norm1().run(stream, rows.hidden(), rows.normed());
      linear(block.qkv(), Activation.NONE, rows.normed(), null, rows.qkv());
      attention(view.decoderAttention);
      finish(block, rows, rows.attended());
    }
    decodeWanted(view, blocks.get(blocks.size() - 1));
  }

  /**
   * The last block, of which only the wanted rows' results are needed: the others are keys and
   * values only.
   */
  private void decodeWanted(WorkspaceViews view, TransformerBlock block) {
    RowViews all = view.decoder;
    RowViews rows = view.wanted;
    block.norm1().run(stream, all.hidden(), all.normed());
    linear(block.qkv(), Activation.NONE, all.normed(), null, all.qkv());
    Rows.gather(stream, view.decoderQueries, view.wantedSpread, view.wantedSpreadQueries);
    attention(view.wantedAttention);
    Tensor attended = view.wantedPadded;
    if (view.wantedPack != null) {
      attended = rows.normed();
      Rows.gather(stream, view.wantedPadded, view.wantedPack, attended);
    }
    Rows.gather(stream, all.hidden(), view.wantedRow, rows.hidden());
    finish(block, rows, attended);
    weights.decoderNorm().run(stream, rows.hidden(), view.wantedNormed);
    Rows.embed(
        stream,
        view.wantedNormed,
        null,
        view.identity,
        weights.diffusionPositions(),
        view.wantedCell,
        view.conditions);
  }

  /** What follows attention in a block: x += proj(attended), x += fc2(gelu(fc1(norm2(x)))). */
  private void finish(TransformerBlock block, RowViews rows, Tensor attended) {
    linear(block.proj(), Activation.NONE, attended, rows.hidden(), rows.hidden());
    block.norm2().run(stream, rows.hidden(), rows.normed());
    linear(block.fc1(), Activation.GELU, rows.normed(), null, rows.mlp());
    linear(block.fc2(), Activation.NONE, rows.mlp(), rows.hidden(), rows.hidden());
  }

  private void linear(Linear linear, Activation activation, Tensor x, Tensor residual, Tensor y) {
    linear.run(stream, activation, x, null, residual, y, scratch);
  }

  private void attention(AttentionViews views) {
    Attention.run(
        stream,
        model.precision(),
        1 / Math.sqrt(configuration.headDim()),
        views.q(),
        views.k(),
        views.v(),
        views.queryLengths(),
        views.keyLengths(),
        null,
        views.out(),
        scratch);
  }

  /**
   * Frees its memory, once the stream has passed what was enqueued.
   *
   * @throws io.github.gtr4j.GtrException what the stream throws that had to be waited for; the
   *     workspace is closed even so
   */
  @Override
  public void close() {
    GtrException failure = null;
    if (!isClosed() && !stream.isIdle()) {
      try {
        stream.synchronize();
      } catch (GtrException e) {
        failure = e;
      }
    }
    super.close();
    if (failure != null && !(failure instanceof CancelledException)) {
      throw failure;
    }
  }

  @Override
  protected String label() {
    return "workspace of a MAR model";
  }

  @Override
  protected void free() {
    try {
      buffer.close();
    } finally {
      hostIndices.close();
    }
  }
}
