package io.github.gtr4j.bench.cpu;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.ptr.DoubleByReference;
import com.sun.jna.ptr.LongByReference;
import java.io.File;
import java.io.IOException;

/**
 * What libgtr_replay offers, see gtr_replay.h: the time of this process's calls of libgtr, and the
 * same calls again from C++.
 */
interface ReplayLibrary extends Library {
  /**
   * The library as a file, from the class path, where the build puts it. A process has to be
   * started with it in {@code LD_PRELOAD}.
   */
  static File file() {
    try {
      return Native.extractFromResourcePath("gtr_replay");
    } catch (IOException e) {
      throw new IllegalStateException("libgtr_replay is not on the class path", e);
    }
  }

  /** The one that this process was started with. */
  static ReplayLibrary ofThisProcess() {
    return Native.load(ReplayLibrary.class);
  }

  /**
   * The time in this process's calls of libgtr.
   *
   * @param seconds since this was asked last
   * @return 0, or -1 and a message is left
   */
  int gtr_replay_take_seconds(DoubleByReference seconds);

  /** Begins a recording; 0, or -1 and a message is left. */
  int gtr_replay_start();

  /**
   * Ends it.
   *
   * @param calls how many it has
   * @return 0, or -1 and a message is left
   */
  int gtr_replay_stop(LongByReference calls);

  /**
   * Makes the recorded calls again.
   *
   * @param seconds that they took
   * @return 0, or -1 and a message is left
   */
  int gtr_replay_run(DoubleByReference seconds);

  /** What went wrong in the thread's last call that returned -1. */
  String gtr_replay_last_error();
}
