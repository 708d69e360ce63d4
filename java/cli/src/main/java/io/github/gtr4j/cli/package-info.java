/** The command {@code gtr}: samples, compares schedules, shows plans, models and devices. */
package io.github.gtr4j.cli;
