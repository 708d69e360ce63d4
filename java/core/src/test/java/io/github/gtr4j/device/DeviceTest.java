package io.github.gtr4j.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.NoDeviceException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class DeviceTest {
  @Test
  void theCpuOpensAndSaysWhatItIs() {
    try (Device device = Device.cpu()) {
      DeviceInfo info = device.info();
      assertEquals(Backend.CPU, info.backend());
      assertEquals(0, info.index());
      assertTrue(info.threads() >= 1, info.toString());
      assertTrue(info.tier() != CpuTier.AUTO, info.toString());
      assertTrue(info.tier().isAvailable(), info.toString());
      assertTrue(info.memoryBytes() > 0, info.toString());
      assertFalse(info.name().isBlank(), info.toString());
      assertFalse(info.reason().isBlank(), info.toString());
      assertEquals("device cpu:0", device.toString());
    }
  }

  @Test
  void autoOpensSomethingAndSaysWhy() {
    try (Device device = Device.auto()) {
      assertTrue(device.info().backend() != Backend.AUTO);
      assertFalse(device.info().reason().isBlank());
    }
  }

  @Test
  void listTellsOfEveryBackend() {
    List<BackendReport> reports = Device.list();
    assertEquals(
        List.of(Backend.CPU, Backend.CUDA), reports.stream().map(BackendReport::backend).toList());
    BackendReport cpu = reports.get(0);
    assertEquals(1, cpu.devices());
    assertTrue(cpu.tiers().contains(CpuTier.SCALAR), cpu.toString());
    assertFalse(cpu.tiers().contains(CpuTier.AUTO), cpu.toString());
    assertEquals(Set.of(), reports.get(1).tiers());
    for (BackendReport report : reports) {
      assertFalse(report.detail().isBlank(), report.toString());
    }
  }

  @ParameterizedTest
  @EnumSource(CpuTier.class)
  void aTierIsForcedOrRefused(CpuTier tier) {
    DeviceOptions options = DeviceOptions.cpu().withTier(tier).withThreads(1);
    if (tier.isAvailable()) {
      try (Device device = Device.open(options)) {
        if (tier != CpuTier.AUTO) {
          assertEquals(tier, device.info().tier());
        }
        assertEquals(1, device.info().threads());
      }
    } else {
      NoDeviceException e = assertThrows(NoDeviceException.class, () -> Device.open(options));
      assertTrue(e.getMessage().contains(tier.id()), e.getMessage());
      assertEquals("device_open", e.operation());
    }
  }

  @ParameterizedTest
  @CsvSource({"-1, threads", "1025, threads"})
  void threadsOutOfRangeAreRefused(int threads, String argument) {
    InvalidArgumentException e =
        assertThrows(
            InvalidArgumentException.class,
            () -> Device.open(DeviceOptions.cpu().withThreads(threads)));
    assertTrue(e.argument().contains(argument), e.argument());
    assertTrue(e.getMessage().contains("1024"), e.getMessage());
  }

  @Test
  void aCpuThatDoesNotExistIsRefused() {
    assertThrows(NoDeviceException.class, () -> Device.open(DeviceOptions.cpu().withIndex(1)));
  }

  @Test
  void aGpuThatDoesNotExistIsAnErrorAndNeverTheCpu() {
    Assumptions.assumeTrue(Device.list().get(1).devices() == 0, "this machine has a GPU");
    NoDeviceException e =
        assertThrows(
            NoDeviceException.class,
            () -> Device.open(new DeviceOptions(Backend.CUDA, 0, 0, CpuTier.AUTO)));
    assertTrue(e.getMessage().contains("cuda"), e.getMessage());
  }

  @Test
  void anOptionThatIsNullIsRefused() {
    InvalidArgumentException e =
        assertThrows(InvalidArgumentException.class, () -> Device.open(null));
    assertEquals("options", e.argument());
    e =
        assertThrows(
            InvalidArgumentException.class,
            () -> Device.open(new DeviceOptions(null, 0, 0, CpuTier.AUTO)));
    assertEquals("backend", e.argument());
    e =
        assertThrows(
            InvalidArgumentException.class,
            () -> Device.open(new DeviceOptions(Backend.CPU, 0, 0, null)));
    assertEquals("tier", e.argument());
  }

  @Test
  void devicesWithDifferentThreadsLiveSideBySide() {
    try (Device one = Device.open(DeviceOptions.cpu().withThreads(1));
        Device three = Device.open(DeviceOptions.cpu().withThreads(3))) {
      assertEquals(1, one.info().threads());
      assertEquals(3, three.info().threads());
    }
  }

  @Test
  void externalStreamsAreRefusedByTheCpu() {
    try (Device device = Device.cpu()) {
      InvalidArgumentException e =
          assertThrows(InvalidArgumentException.class, () -> device.wrapStream(64));
      assertEquals("external", e.argument());
      assertEquals(0, device.memoryStats().handles());
    }
  }

  @Test
  void memoryIsCountedAndGivenBack() {
    try (Device device = Device.cpu()) {
      MemoryStats before = device.memoryStats();
      try (DeviceBuffer a = device.allocate(1000);
          DeviceBuffer b = device.allocate(MemorySpace.HOST, 5000);
          Stream stream = device.newStream()) {
        MemoryStats during = device.memoryStats();
        assertEquals(before.allocations() + 2, during.allocations());
        assertEquals(before.handles() + 1, during.handles());
        assertTrue(during.liveBytes() >= before.liveBytes() + 6000);
        assertEquals(0, a.address() % 64);
        assertEquals(MemorySpace.HOST, b.space());
        assertEquals(device, stream.device());
      }
      MemoryStats after = device.memoryStats();
      assertEquals(before.liveBytes(), after.liveBytes());
      assertEquals(before.allocations(), after.allocations());
      assertEquals(before.handles(), after.handles());
      assertTrue(after.peakBytes() >= before.liveBytes() + 6000);
    }
  }

  @ParameterizedTest
  @CsvSource({"0", "-1"})
  void buffersOfNoBytesAreRefused(long bytes) {
    try (Device device = Device.cpu()) {
      InvalidArgumentException e =
          assertThrows(InvalidArgumentException.class, () -> device.allocate(bytes));
      assertEquals("bytes", e.argument());
      assertEquals("allocate", e.operation());
      assertEquals(0, device.memoryStats().allocations());
    }
  }
}
