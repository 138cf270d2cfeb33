import type { FaultKind, Weather } from './fault.ts'

type WeatherOf<Kind extends Weather['kind']> = Extract<Weather, { readonly kind: Kind }>

/** The faults that last, as they are now; at most one of each kind. */
export class Conditions {
  readonly #byKind = new Map<FaultKind, Weather>()

  get<Kind extends Weather['kind']>(kind: Kind): WeatherOf<Kind> | undefined {
    return this.#byKind.get(kind) as WeatherOf<Kind> | undefined
  }

  set(weather: Weather): void {
    this.#byKind.set(weather.kind, weather)
  }

  /** Ends this one, unless another of its kind has taken its place. */
  end(weather: Weather): void {
    if (this.#byKind.get(weather.kind) === weather) this.#byKind.delete(weather.kind)
  }

  clear(): void {
    this.#byKind.clear()
  }
}
