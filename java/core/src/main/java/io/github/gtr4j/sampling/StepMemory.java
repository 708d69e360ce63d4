package io.github.gtr4j.sampling;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.MemorySpace;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.model.MarConfiguration;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Memory for what a decode step draws: one row per token. The inputs of the diffusion chains are
 * written on the host and copied to the device as one; the results come back likewise.
 */
final class StepMemory implements AutoCloseable {
  private static final long ALIGNMENT = 64;
  private static final int MAX_VIEWS = 128;

  /** An array of one entry per row that the host writes. */
  enum Input {
    SEED(DType.U64),
    IMAGE(DType.U32),
    CELL(DType.U32),
    CFG(DType.F32),
    TEMPERATURE(DType.F32),
    /** Row of z and x of each row of the chain. */
    PLACE(DType.I32),
    /** Where each row's token is kept in the workspace: slot · cells + cell. */
    TOKEN(DType.I32);

    private final DType dtype;

    Input(DType dtype) {
      this.dtype = dtype;
    }
  }

  /** The memory as tensors of so many rows. */
  record Views(
      Tensor seed,
      Tensor image,
      Tensor cell,
      Tensor cfg,
      Tensor temperature,
      Tensor place,
      Tensor token,
      Tensor x,
      Tensor score,
      Tensor projection,
      Tensor hostPlace,
      Tensor hostX,
      Tensor hostScore) {}

  private final int rows;
  private final int channels;
  private final int width;
  private final long[] inputs = new long[Input.values().length];
  private final long inputBytes;
  private final long x;
  private final long score;
  private final long projection;
  private final long hostX;
  private final long hostScore;
  private final DeviceBuffer device;
  private final DeviceBuffer host;
  private final ByteBuffer hostBytes;
  private final Tensor hostInputs;
  private final Tensor deviceInputs;
  private final Map<Integer, Views> views =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Integer, Views> eldest) {
          return size() > MAX_VIEWS;
        }
      };

  StepMemory(Device on, MarConfiguration configuration, int rows) {
    this.rows = rows;
    channels = configuration.channels();
    width = configuration.width();
    long end = 0;
    for (Input input : Input.values()) {
      inputs[input.ordinal()] = end;
      end += aligned((long) rows * input.dtype.bytes());
    }
    inputBytes = end;
    long xBytes = aligned((long) rows * channels * Float.BYTES);
    long scoreBytes = aligned((long) rows * Float.BYTES);
    x = inputBytes;
    score = x + xBytes;
    projection = score + scoreBytes;
    device = on.allocate(projection + aligned((long) rows * width * Float.BYTES));
    hostX = inputBytes;
    hostScore = hostX + xBytes;
    try {
      host = on.allocate(MemorySpace.HOST, hostScore + scoreBytes);
    } catch (Throwable e) {
      device.close();
      throw e;
    }
    hostBytes = host.asByteBuffer();
    hostInputs = host.tensor(DType.U8, inputBytes);
    deviceInputs = device.tensor(DType.U8, inputBytes);
  }

  /** Bytes on device and host that it takes. */
  static long bytes(MarConfiguration configuration, int rows) {
    long inputs = 0;
    for (Input input : Input.values()) {
      inputs += aligned((long) rows * input.dtype.bytes());
    }
    long x = aligned((long) rows * configuration.channels() * Float.BYTES);
    long score = aligned((long) rows * Float.BYTES);
    return 2 * (inputs + x + score) + aligned((long) rows * configuration.width() * Float.BYTES);
  }

  private static long aligned(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** Rows that it has room for. */
  int rows() {
    return rows;
  }

  long bytes() {
    return device.size() + host.size();
  }

  private int at(Input input, int row) {
    return (int) inputs[input.ordinal()] + row * input.dtype.bytes();
  }

  void put(Input input, int row, int value) {
    hostBytes.putInt(at(input, row), value);
  }

  void put(Input input, int row, float value) {
    hostBytes.putFloat(at(input, row), value);
  }

  void put(Input input, int row, long value) {
    hostBytes.putLong(at(input, row), value);
  }

  /** Writes tokens to the host's x. */
  void putX(int row, float[] values, int from) {
    for (int c = 0; c < channels; c++) {
      hostBytes.putFloat((int) hostX + (row * channels + c) * Float.BYTES, values[from + c]);
    }
  }

  /** A row of the chain after {@link #fetchPlaces}. */
  int place(int chainRow) {
    return hostBytes.getInt(at(Input.PLACE, chainRow));
  }

  /** A token's value after {@link #fetchTokens}. */
  float x(int row, int channel) {
    return hostBytes.getFloat((int) hostX + (row * channels + channel) * Float.BYTES);
  }

  /** A row's score after {@link #fetchPlaces}. */
  float score(int row) {
    return hostBytes.getFloat((int) hostScore + row * Float.BYTES);
  }

  void sendInputs(Stream stream) {
    stream.copy(deviceInputs, hostInputs);
  }

  void sendTokens(Stream stream, Views of) {
    stream.copy(of.x(), of.hostX());
  }

  void fetchTokens(Stream stream, Views of) {
    stream.copy(of.hostX(), of.x());
  }

  void fetchPlaces(Stream stream, Views of) {
    stream.copy(of.hostPlace(), of.place());
    stream.copy(of.hostScore(), of.score());
  }

  /** Tensors of the first so many rows. */
  Views views(int count) {
    Views found = views.get(count);
    if (found == null) {
      found =
          new Views(
              input(Input.SEED, count),
              input(Input.IMAGE, count),
              input(Input.CELL, count),
              input(Input.CFG, count),
              input(Input.TEMPERATURE, count),
              input(Input.PLACE, count),
              input(Input.TOKEN, count),
              Tensor.of(device, x, DType.F32, count, channels),
              Tensor.of(device, score, DType.F32, count),
              Tensor.of(device, projection, DType.F32, count, width),
              Tensor.of(host, inputs[Input.PLACE.ordinal()], DType.I32, count),
              Tensor.of(host, hostX, DType.F32, count, channels),
              Tensor.of(host, hostScore, DType.F32, count));
      views.put(count, found);
    }
    return found;
  }

  private Tensor input(Input input, int count) {
    return Tensor.of(device, inputs[input.ordinal()], input.dtype, count);
  }

  @Override
  public void close() {
    try {
      device.close();
    } finally {
      host.close();
    }
  }
}
