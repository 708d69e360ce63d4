package io.github.gtr4j.binding;

import io.github.gtr4j.CancelledException;
import io.github.gtr4j.DeviceBusyException;
import io.github.gtr4j.DeviceLostException;
import io.github.gtr4j.GtrException;
import io.github.gtr4j.InternalErrorException;
import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.NoDeviceException;
import io.github.gtr4j.OutOfNativeMemoryException;
import io.github.gtr4j.UnsupportedFeatureException;
import java.nio.charset.StandardCharsets;
import org.bytedeco.javacpp.BytePointer;

/** Turns a {@code gtr_status} into an exception. */
public final class Status {
  private static final String PREFIX = "gtr_";

  private Status() {}

  /**
   * Returns if status is {@code GTR_OK}; throws the calling thread's last native error otherwise.
   */
  public static void check(int status) {
    if (status != Gtr.GTR_OK) {
      throw exception(status);
    }
  }

  private static GtrException exception(int status) {
    String nativeOperation = text(Gtr.gtr_last_error_operation());
    String argument = text(Gtr.gtr_last_error_argument());
    String problem = text(Gtr.gtr_last_error());
    if (problem.startsWith(nativeOperation + ": ")) {
      problem = problem.substring(nativeOperation.length() + 2);
    }
    String operation =
        nativeOperation.startsWith(PREFIX)
            ? nativeOperation.substring(PREFIX.length())
            : nativeOperation;
    switch (status) {
      case Gtr.GTR_ERROR_INVALID_ARGUMENT:
        return new InvalidArgumentException(operation, argument, problem);
      case Gtr.GTR_ERROR_OUT_OF_MEMORY:
        return new OutOfNativeMemoryException(operation, problem);
      case Gtr.GTR_ERROR_NO_DEVICE:
        return new NoDeviceException(operation, problem);
      case Gtr.GTR_ERROR_UNSUPPORTED:
        return new UnsupportedFeatureException(operation, problem);
      case Gtr.GTR_ERROR_CANCELLED:
        return new CancelledException(operation, problem);
      case Gtr.GTR_ERROR_BUSY:
        return new DeviceBusyException(operation, problem);
      case Gtr.GTR_ERROR_DEVICE_LOST:
        return new DeviceLostException(operation, problem);
      default:
        return new InternalErrorException(
            operation, text(Gtr.gtr_status_name(status)) + " (" + status + "): " + problem);
    }
  }

  private static String text(BytePointer pointer) {
    return pointer.getString(StandardCharsets.UTF_8);
  }
}
