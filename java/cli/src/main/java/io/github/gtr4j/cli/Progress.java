package io.github.gtr4j.cli;

import java.io.PrintStream;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Shows how far a run has come. Fed by one thread at a time. */
interface Progress extends AutoCloseable {
  /** One decode step of one image is done. */
  void step();

  @Override
  void close();

  /**
   * A bar on a terminal, plain lines elsewhere.
   *
   * @param total decode steps of all images
   */
  static Progress show(Terminal terminal, String task, long total) {
    return terminal.interactive()
        ? new Bar(terminal.out(), task, total)
        : new Lines(terminal.out(), task, total);
  }

  /** Shows nothing. */
  static Progress silent() {
    return new Progress() {
      @Override
      public void step() {
        // Nothing to show.
      }

      @Override
      public void close() {
        // Nothing to end.
      }
    };
  }

  /** A bar that is drawn over and over, and goes away at the end. */
  final class Bar implements Progress {
    private static final int WIDTH = 79;
    private static final int UPDATE_MILLIS = 100;

    private final ProgressBar bar;

    Bar(PrintStream out, String task, long total) {
      bar =
          new ProgressBarBuilder()
              .setTaskName(task)
              .setInitialMax(total)
              .setUnit(" steps", 1)
              .setStyle(ProgressBarStyle.ASCII)
              .setUpdateIntervalMillis(UPDATE_MILLIS)
              .setConsumer(new ConsoleProgressBarConsumer(out, WIDTH))
              .clearDisplayOnFinish()
              .build();
    }

    @Override
    public void step() {
      bar.step();
    }

    @Override
    public void close() {
      bar.close();
    }
  }

  /** A line for each tenth of the way. */
  final class Lines implements Progress {
    private static final int LINES = 10;

    private final PrintStream out;
    private final String task;
    private final long total;
    private final long start = System.nanoTime();
    private long done;

    Lines(PrintStream out, String task, long total) {
      this.out = out;
      this.task = task;
      this.total = total;
    }

    @Override
    public void step() {
      long before = done * LINES / total;
      done++;
      if (done * LINES / total > before) {
        out.println(
            String.format(
                Locale.ROOT,
                "%s: %d of %d decode steps, %.1f s",
                task,
                done,
                total,
                (System.nanoTime() - start) / 1e9));
        out.flush();
      }
    }

    @Override
    public void close() {
      // The last line was printed with the last step.
    }
  }
}
