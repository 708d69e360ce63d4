package io.github.gtr4j.kernel;

/**
 * One reverse step of a respaced diffusion.
 *
 * @param baseStep which of the 1000 base steps
 * @param beta variance added by the step
 * @param alphaBar product of 1 − beta up to this step
 * @param minLogVariance log of the posterior variance, the one of step 0 replaced by that of step 1
 * @param maxLogVariance log of beta
 * @param x0Coefficient posterior mean = x0Coefficient · x₀ + xCoefficient · x
 * @param xCoefficient see x0Coefficient
 * @param reciprocalRoot 1 / √alphaBar
 * @param reciprocalRootMinus1 √(1 / alphaBar − 1)
 */
public record DiffusionStep(
    int baseStep,
    double beta,
    double alphaBar,
    double minLogVariance,
    double maxLogVariance,
    double x0Coefficient,
    double xCoefficient,
    double reciprocalRoot,
    double reciprocalRootMinus1) {}
