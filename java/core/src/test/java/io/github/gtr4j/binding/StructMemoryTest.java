package io.github.gtr4j.binding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StructMemoryTest {
  @Test
  void isAlignedZeroedAndDisjoint() {
    Natives.load();
    List<ByteBuffer> all = new ArrayList<>();
    List<long[]> ranges = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      int size = 1 + i * 7 % 300;
      ByteBuffer memory = StructMemory.allocate(size);
      long address = StructMemory.pointer(memory).address();
      assertEquals(0, address % 16);
      assertTrue(memory.capacity() >= size);
      for (int k = 0; k < memory.capacity(); k++) {
        assertEquals(0, memory.get(k));
        memory.put(k, (byte) 1);
      }
      all.add(memory);
      ranges.add(new long[] {address, address + memory.capacity()});
    }
    ranges.sort((a, b) -> Long.compare(a[0], b[0]));
    for (int i = 1; i < ranges.size(); i++) {
      assertTrue(ranges.get(i - 1)[1] <= ranges.get(i)[0]);
    }
    assertEquals(500, all.size());
  }

  @Test
  void aStructLargerThanAChunkGetsItsOwn() {
    assertTrue(StructMemory.allocate(100_000).capacity() >= 100_000);
  }
}
