package io.github.gtr4j.cli;

/** Where the process starts. */
public final class Main {
  private Main() {}

  /** Runs the command line and exits with its code. */
  public static void main(String[] args) {
    // The version alone is answered without building the command line.
    if (args.length == 1 && (args[0].equals("--version") || args[0].equals("-V"))) {
      System.out.println(GtrCommand.versionLine());
      System.exit(new Terminal(System.out, System.err, false).checkWritten(ExitCode.OK));
    }
    System.exit(GtrCli.run(Terminal.ofProcess(), args));
  }
}
