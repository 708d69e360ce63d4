package io.github.gtr4j.kernel;

import io.github.gtr4j.binding.Call;
import io.github.gtr4j.binding.Gtr;
import io.github.gtr4j.binding.NativeObject;
import io.github.gtr4j.binding.Status;
import io.github.gtr4j.binding.gtr_linear_weights;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import org.bytedeco.javacpp.Pointer;

/**
 * y = residual + gate · activation(x Wᵀ + b), with W packed once. The caller closes it. Any number
 * of threads may run it at once, except while rows are being set.
 */
public final class Linear extends NativeObject {
  private static final String OPERATION = "linear";
  private static final int MAX_EXTENT = 1 << 24;

  private final Device device;
  private final long outputs;
  private final long inputs;
  private final Precision precision;
  private final gtr_linear_weights handle = new gtr_linear_weights((Pointer) null);

  private Linear(Device device, long outputs, long inputs, Precision precision) {
    super(device);
    this.device = device;
    this.outputs = outputs;
    this.inputs = inputs;
    this.precision = precision;
    try {
      Status.check(
          Gtr.gtr_linear_create(device.handle(), outputs, inputs, precision.code(), handle));
    } catch (Throwable e) {
      abandon();
      throw e;
    }
  }

  /**
   * Makes packed weights, all zero.
   *
   * @param device where it runs
   * @param outputs rows of W, 1 to 2^24
   * @param inputs columns of W, 1 to 2^24
   * @param precision of the products
   */
  public static Linear create(Device device, long outputs, long inputs, Precision precision) {
    String operation = "linear_create";
    Arguments.notNull(operation, "device", device);
    Arguments.within(operation, "outputs", outputs, 1, MAX_EXTENT);
    Arguments.within(operation, "inputs", inputs, 1, MAX_EXTENT);
    Arguments.notNull(operation, "precision", precision);
    return new Linear(device, outputs, inputs, precision);
  }

  /**
   * Packs rows firstRow, firstRow + 1, … of W and b. Not while another thread uses or sets it, nor
   * while an enqueued call does.
   *
   * @param firstRow the first of them
   * @param weight [n, inputs] in host memory, float, half or bfloat16, laid out as torch.nn.Linear
   *     has it
   * @param bias [n] likewise, or null to leave b
   */
  public void set(long firstRow, Tensor weight, Tensor bias) {
    String operation = "linear_set";
    Arguments.within(operation, "first_row", firstRow, 0, outputs);
    Arguments.matrix(operation, "weight", weight, Arguments.WEIGHTS, Arguments.ANY, inputs);
    long n = weight.shape(0);
    if (n > outputs - firstRow) {
      throw Arguments.refuse(
          operation,
          "weight",
          "weight has "
              + n
              + " rows from row "
              + firstRow
              + " on; allowed are "
              + (outputs - firstRow));
    }
    if (bias != null) {
      Arguments.vector(operation, "bias", bias, Arguments.WEIGHTS, n);
    }
    acquire(operation);
    try (Pins pins = new Pins(operation, "weight", weight, "bias", bias)) {
      requirePassed(operation);
      Status.check(
          Gtr.gtr_linear_set(
              handle, firstRow, weight.descriptor(), bias == null ? null : bias.descriptor()));
    } finally {
      release();
    }
  }

  /** Bytes of scratch that {@link #run} needs for up to that many rows; may be 0. */
  public long scratchBytes(long rows) {
    Arguments.atLeast("linear_scratch_size", "rows", rows, 0);
    long[] bytes = new long[1];
    acquire("linear_scratch_size");
    try {
      Status.check(Gtr.gtr_linear_scratch_size(handle, rows, bytes));
    } finally {
      release();
    }
    return bytes[0];
  }

  /**
   * y = residual + gate · activation(x Wᵀ + b).
   *
   * @param stream of the same device
   * @param activation the function in it
   * @param x [R, inputs] float, or bfloat16 if the precision is
   * @param gate [R, outputs] float or bfloat16; null: no factor
   * @param residual [R, outputs] float, may be the same tensor as y; null: no term
   * @param y [R, outputs] float or bfloat16
   * @param scratch at least {@link #scratchBytes} of R bytes; may be null if that is 0
   */
  public void run(
      Stream stream,
      Activation activation,
      Tensor x,
      Tensor gate,
      Tensor residual,
      Tensor y,
      Tensor scratch) {
    Arguments.sameDevice(OPERATION, stream, device);
    Arguments.notNull(OPERATION, "activation", activation);
    int xTypes = precision == Precision.BF16 ? Arguments.FLOATS : Arguments.F32;
    Arguments.matrix(OPERATION, "x", x, xTypes, Arguments.ANY, inputs);
    long rows = x.shape(0);
    if (gate != null) {
      Arguments.matrix(OPERATION, "gate", gate, Arguments.FLOATS, rows, outputs);
    }
    if (residual != null) {
      Arguments.matrix(OPERATION, "residual", residual, Arguments.F32, rows, outputs);
    }
    Arguments.matrix(OPERATION, "y", y, Arguments.FLOATS, rows, outputs);
    Arguments.writable(OPERATION, "y", y);
    long start = Timing.start(stream);
    Call call = stream.begin(OPERATION);
    try {
      call.use(this);
      call.check(
          Gtr.gtr_linear(
              call.stream(),
              handle,
              activation.code(),
              call.tensor("x", x),
              call.tensor("gate", gate),
              call.tensor("residual", residual),
              call.tensor("y", y),
              call.scratch(scratch),
              scratch == null ? 0 : scratch.size()));
    } finally {
      call.end();
    }
    if (Timing.isOn(stream)) {
      long weights = outputs * inputs * (precision == Precision.BF16 ? 2 : 4);
      Timing.end(
          stream,
          Operation.LINEAR,
          start,
          rows,
          2 * rows * outputs * inputs,
          weights
              + Timing.bytes(x)
              + Timing.bytes(gate)
              + Timing.bytes(residual)
              + Timing.bytes(y));
    }
  }

  /** Rows of W. */
  public long outputs() {
    return outputs;
  }

  /** Columns of W. */
  public long inputs() {
    return inputs;
  }

  /** Of the products. */
  public Precision precision() {
    return precision;
  }

  @Override
  protected String label() {
    return "linear [" + outputs + ", " + inputs + "]";
  }

  @Override
  protected void free() {
    Status.check(Gtr.gtr_linear_destroy(handle));
  }
}
