package io.github.gtr4j.kernel;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** What calls allocate on the Java heap. */
final class HeapAllocations {
  private HeapAllocations() {}

  /**
   * The bytes that the calling thread allocates in a number of calls: the smallest of a few tries,
   * since what is left then is what the calls themselves allocate.
   */
  static long least(int attempts, int calls, Runnable call) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int attempt = 0; attempt < attempts && least > 0; attempt++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < calls; i++) {
        call.run();
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    return least;
  }
}
