package io.github.gtr4j.bench.cpu;

import java.util.ArrayDeque;
import java.util.Deque;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * An operation in libtorch as its users write it: every call makes new tensors, which are freed
 * when it ends.
 */
abstract class TorchContender implements Contender {
  private final Libtorch libtorch;
  private final Deque<Pointer> operands = new ArrayDeque<>();
  private Tensor last;

  TorchContender(int threads) {
    libtorch = new Libtorch(threads);
  }

  /** Keeps an operand until this is closed. */
  final <T extends Pointer> T keep(T operand) {
    operands.push(operand);
    return operand;
  }

  /** The operation; what it makes besides its result is freed by the caller. */
  abstract Tensor compute();

  @Override
  public final void run() {
    try (PointerScope scope = new PointerScope()) {
      Tensor result = compute();
      result.retainReference();
      if (last != null) {
        last.releaseReference();
      }
      last = result;
    }
  }

  @Override
  public final float[] output() {
    return Libtorch.values(last);
  }

  @Override
  public final void close() {
    if (last != null) {
      last.releaseReference();
    }
    operands.forEach(Pointer::close);
    libtorch.close();
  }
}
