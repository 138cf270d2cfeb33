import fc from 'fast-check'

const { FUSEWIRE_SEED } = process.env

fc.configureGlobal({
  // A property that names a length means it: by itself fast-check draws ten steps, where up to a hundred and twenty are allowed.
  defaultSizeToMaxWhenMaxSpecified: true,
  // `FUSEWIRE_SEED=n` repeats a failure of that seed. Without it every run makes other choices, and a failure prints its seed.
  ...(FUSEWIRE_SEED !== undefined && { seed: Number(FUSEWIRE_SEED) }),
})
