package io.github.gtr4j.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.MemorySpace;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

/**
 * The types of JavaCPP's CUDA preset, of which only the classes are there, as streams and tensors
 * of ours; on the emulator.
 */
class CudaPresetTest {
  /** As a function of the preset would give it back. */
  private static Pointer address(long value) {
    return new Pointer() {
      {
        address = value;
      }
    };
  }

  @Test
  void aStreamAndDevicePointersOfThePreset() {
    CUstream_st legacy = new CUstream_st(address(1)); // cudaStreamLegacy
    try (Device device = Device.cuda(0);
        DeviceBuffer memory = device.allocate(64);
        DeviceBuffer host = device.allocate(MemorySpace.HOST, 64);
        Stream stream = device.wrapStream(legacy)) {
      // As cudaMalloc of the preset fills it in; here the memory is ours.
      FloatPointer pointer = new FloatPointer(address(memory.address()));
      Tensor onCard = Tensor.wrap(pointer, 64, DType.F32, 16);
      assertEquals(memory.address(), onCard.address());
      Tensor onHost = host.tensor(DType.F32, 16);
      for (int i = 0; i < 16; i++) {
        host.asByteBuffer().putFloat(4 * i, i);
      }
      stream.copy(onCard, onHost);
      stream.synchronize();
      for (int i = 0; i < 16; i++) {
        host.asByteBuffer().putFloat(4 * i, Float.NaN);
      }
      stream.copy(onHost, onCard);
      stream.synchronize();
      for (int i = 0; i < 16; i++) {
        assertEquals(i, host.asByteBuffer().getFloat(4 * i));
      }
    }
  }

  @Test
  void aNullStreamOfThePresetIsRefused() {
    try (Device device = Device.cuda(0)) {
      InvalidArgumentException e =
          assertThrows(InvalidArgumentException.class, () -> device.wrapStream(new CUstream_st()));
      assertEquals("external", e.argument());
    }
  }

  @Test
  void withoutTheNativesOfThePresetNothingIsMeasured() {
    assertNotNull(Card.missing());
  }
}
