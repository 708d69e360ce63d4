package io.github.gtr4j.kernel;

import io.github.gtr4j.binding.Call;
import io.github.gtr4j.binding.Gtr;
import io.github.gtr4j.binding.NativeObject;
import io.github.gtr4j.binding.Status;
import io.github.gtr4j.binding.Structs;
import io.github.gtr4j.binding.gtr_head;
import io.github.gtr4j.binding.gtr_head_shape;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import java.lang.ref.Reference;
import org.bytedeco.javacpp.Pointer;

/**
 * MAR's diffusion head: an MLP with adaLN modulations that predicts the noise in a token from its
 * condition vector, and the reverse diffusion that it drives. The caller sets every tensor before
 * the first use, and closes it. Any number of threads may run it at once, except while tensors are
 * being set.
 */
public final class DiffusionHead extends NativeObject {
  private static final int TIME_FEATURES = 256;

  private final Device device;
  private final HeadShape shape;
  private final Precision precision;
  private final gtr_head handle = new gtr_head((Pointer) null);

  private DiffusionHead(Device device, HeadShape shape, Precision precision) {
    super(device);
    this.device = device;
    this.shape = shape;
    this.precision = precision;
    try {
      gtr_head_shape sizes = Structs.headShape();
      sizes
          .channels(shape.channels())
          .condition(shape.condition())
          .width(shape.width())
          .blocks(shape.blocks());
      Status.check(Gtr.gtr_head_create(device.handle(), sizes, precision.code(), handle));
      Reference.reachabilityFence(sizes);
    } catch (Throwable e) {
      abandon();
      throw e;
    }
  }

  /** Makes a head without weights. */
  public static DiffusionHead create(Device device, HeadShape shape, Precision precision) {
    String operation = "head_create";
    Arguments.notNull(operation, "device", device);
    Arguments.notNull(operation, "shape", shape);
    Arguments.within(operation, "channels", shape.channels(), 1, 4096);
    Arguments.within(operation, "condition", shape.condition(), 1, 65536);
    Arguments.within(operation, "width", shape.width(), 1, 65536);
    Arguments.within(operation, "blocks", shape.blocks(), 0, 1024);
    Arguments.notNull(operation, "precision", precision);
    return new DiffusionHead(device, shape, precision);
  }

  /**
   * Packs rows firstRow, firstRow + 1, … of a tensor. Not while another thread uses or sets it, nor
   * while an enqueued call does.
   *
   * @param name in MAR checkpoints, without "diffloss.net.", such as "res_blocks.0.mlp.2.weight"
   * @param firstRow the first of them
   * @param value [n, …] in host memory, float, half or bfloat16
   */
  public void set(String name, long firstRow, Tensor value) {
    String operation = "head_set";
    Arguments.notNull(operation, "name", name);
    Arguments.notNull(operation, "value", value);
    acquire(operation);
    try (Pins pins = new Pins(operation, "value", value, null, null)) {
      requirePassed(operation);
      Status.check(Gtr.gtr_head_set(handle, name, firstRow, value.descriptor()));
    } finally {
      release();
    }
  }

  /** Bytes of scratch that {@link #forward} needs for up to that many rows. */
  public long forwardScratchBytes(long rows) {
    String operation = "head_forward_scratch_size";
    Arguments.atLeast(operation, "rows", rows, 0);
    long[] bytes = new long[1];
    acquire(operation);
    try {
      Status.check(Gtr.gtr_head_forward_scratch_size(handle, rows, bytes));
    } finally {
      release();
    }
    return bytes[0];
  }

  /**
   * out = head(x, t, z): ε in columns 0 to C − 1, v in the others.
   *
   * @param stream of the same device
   * @param x [R, C] float
   * @param t I32 [R], base steps 0 to 999
   * @param z [R, D] float
   * @param out [R, 2C] float
   * @param scratch at least {@link #forwardScratchBytes} of R bytes
   */
  public void forward(Stream stream, Tensor x, Tensor t, Tensor z, Tensor out, Tensor scratch) {
    String operation = "head_forward";
    Arguments.sameDevice(operation, stream, device);
    Arguments.matrix(operation, "x", x, Arguments.F32, Arguments.ANY, shape.channels());
    long rows = x.shape(0);
    Arguments.vector(operation, "t", t, Arguments.I32, rows);
    Arguments.matrix(operation, "z", z, Arguments.F32, rows, shape.condition());
    Arguments.matrix(operation, "out", out, Arguments.F32, rows, 2L * shape.channels());
    Arguments.writable(operation, "out", out);
    long start = Timing.start(stream);
    Call call = stream.begin(operation);
    try {
      call.use(this);
      call.check(
          Gtr.gtr_head_forward(
              call.stream(),
              handle,
              call.tensor("x", x),
              call.tensor("t", t),
              call.tensor("z", z),
              call.tensor("out", out),
              call.scratch(scratch),
              scratch == null ? 0 : scratch.size()));
    } finally {
      call.end();
    }
    if (Timing.isOn(stream)) {
      long bytes =
          weightBytes() + Timing.bytes(x) + Timing.bytes(t) + Timing.bytes(z) + Timing.bytes(out);
      Timing.end(stream, Operation.HEAD_FORWARD, start, rows, rows * flopsPerRow(), bytes);
    }
  }

  /** Bytes of scratch that {@link #chain} and {@link #step} need for these groups. */
  public long chainScratchBytes(ChainArguments arguments) {
    String operation = "head_chain_scratch_size";
    Arguments.notNull(operation, "arguments", arguments);
    arguments.check(operation, shape);
    long[] bytes = new long[1];
    acquire(operation);
    try {
      Status.check(Gtr.gtr_head_chain_scratch_size(handle, arguments.sizes(), bytes));
    } finally {
      release();
      Reference.reachabilityFence(arguments);
    }
    return bytes[0];
  }

  /**
   * Readies the stream for calls of {@link #chain} with these groups, this limit for modulations
   * and this scratch: on a GPU the chain becomes a graph, which otherwise the first such call
   * builds. A stream keeps the graphs of the 32 chains last used. Nothing to do on the CPU.
   *
   * @param stream of the same device
   * @param arguments of which only the groups and the limit for modulations are read
   * @param scratch what {@link #chain} will be called with; keeps its contents
   */
  public void prepareChain(Stream stream, ChainArguments arguments, Tensor scratch) {
    String operation = "head_chain_prepare";
    Arguments.sameDevice(operation, stream, device);
    Arguments.notNull(operation, "arguments", arguments);
    arguments.checkGroups(operation);
    Call call = stream.begin(operation);
    try {
      call.use(this);
      call.check(
          Gtr.gtr_head_chain_prepare(
              call.stream(),
              handle,
              arguments.groupsAlone(),
              call.scratch(scratch),
              scratch == null ? 0 : scratch.size()));
    } finally {
      call.end();
      Reference.reachabilityFence(arguments);
    }
  }

  /**
   * Whole reverse chains: x[place[r]] starts as noise draw 0 and ends as x₀; other rows of x keep
   * their values. Rows are aligned at their last step, so that rows with fewer steps join later and
   * one pass over the weights serves all.
   *
   * @param stream of the same device; a cancel is noticed at every reverse step
   * @param arguments what it runs on
   * @param x [P, C] float
   * @param scratch at least {@link #chainScratchBytes} bytes
   */
  public void chain(Stream stream, ChainArguments arguments, Tensor x, Tensor scratch) {
    String operation = "head_chain";
    checkChain(operation, stream, arguments, x);
    long start = Timing.start(stream);
    Call call = stream.begin(operation);
    try {
      call.use(this);
      call.check(
          Gtr.gtr_head_chain(
              call.stream(),
              handle,
              arguments.pinned(call),
              call.tensor("x", x),
              call.scratch(scratch),
              scratch == null ? 0 : scratch.size()));
    } finally {
      call.end();
      Reference.reachabilityFence(arguments);
    }
    if (Timing.isOn(stream)) {
      long rows = arguments.headRows();
      long bytes = arguments.passes() * weightBytes() + Timing.bytes(x);
      Timing.end(stream, Operation.HEAD_CHAIN, start, rows, rows * flopsPerRow(), bytes);
    }
  }

  /**
   * The reverse step with that table index (0 = last) of every row that has more than index steps:
   * x[place[r]] goes from x₍index+1₎ to x₍index₎, and is the caller's noise draw 0 in a row that
   * has index + 1 steps. Calling it for every index from the most steps − 1 down to 0 gives the
   * bits of {@link #chain}.
   *
   * @param stream of the same device
   * @param arguments what it runs on
   * @param index of the step
   * @param x [P, C] float
   * @param scratch at least {@link #chainScratchBytes} bytes
   */
  public void step(Stream stream, ChainArguments arguments, int index, Tensor x, Tensor scratch) {
    String operation = "head_step";
    checkChain(operation, stream, arguments, x);
    Arguments.within(operation, "index", index, 0, arguments.passes() - 1);
    long start = Timing.start(stream);
    Call call = stream.begin(operation);
    try {
      call.use(this);
      call.check(
          Gtr.gtr_head_step(
              call.stream(),
              handle,
              arguments.pinned(call),
              index,
              call.tensor("x", x),
              call.scratch(scratch),
              scratch == null ? 0 : scratch.size()));
    } finally {
      call.end();
      Reference.reachabilityFence(arguments);
    }
    if (Timing.isOn(stream)) {
      long rows = arguments.headRowsAt(index);
      long bytes = weightBytes() + Timing.bytes(x);
      Timing.end(stream, Operation.HEAD_STEP, start, rows, rows * flopsPerRow(), bytes);
    }
  }

  private void checkChain(String operation, Stream stream, ChainArguments arguments, Tensor x) {
    Arguments.sameDevice(operation, stream, device);
    Arguments.notNull(operation, "arguments", arguments);
    long places = arguments.check(operation, shape);
    Arguments.matrix(operation, "x", x, Arguments.F32, places, shape.channels());
    Arguments.writable(operation, "x", x);
  }

  /** 2 per multiply-add of one row through the head. */
  private long flopsPerRow() {
    long w = shape.width();
    long c = shape.channels();
    return 2
        * (c * w
            + shape.condition() * w
            + 5 * shape.blocks() * w * w
            + 2 * w * w
            + 2 * w * c
            + TIME_FEATURES * w
            + w * w);
  }

  private long weightBytes() {
    long w = shape.width();
    long reduced = (5L * shape.blocks() + 2) * w * w;
    long whole = w * (3L * shape.channels() + shape.condition() + TIME_FEATURES + w);
    return reduced * (precision == Precision.BF16 ? 2 : 4) + whole * 4;
  }

  /** Its sizes. */
  public HeadShape shape() {
    return shape;
  }

  /** Of the products of its blocks. */
  public Precision precision() {
    return precision;
  }

  @Override
  protected String label() {
    return "diffusion head " + shape.width() + " wide with " + shape.blocks() + " blocks";
  }

  @Override
  protected void free() {
    Status.check(Gtr.gtr_head_destroy(handle));
  }
}
