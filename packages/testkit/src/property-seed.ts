/**
 * What the model tests of sessions begin with: the same choices in every run of the suite. `FUSEWIRE_SEED=n` tries others, which is how
 * rare faults are looked for.
 */
export const PROPERTY_SEED = Number(process.env.FUSEWIRE_SEED ?? 1)
