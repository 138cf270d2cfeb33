/**
 * A parameter of `fc.assert`, for model tests: the seed that `FUSEWIRE_SEED=n` names, which repeats a failure of that seed. Without it every run
 * makes other choices, and a failure prints its seed.
 */
export const PROPERTY_SEED: { readonly seed?: number } =
  process.env.FUSEWIRE_SEED === undefined ? {} : { seed: Number(process.env.FUSEWIRE_SEED) }
