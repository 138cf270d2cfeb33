const FIRST = [
  'Amber',
  'Brisk',
  'Calm',
  'Copper',
  'Dusky',
  'Early',
  'Fern',
  'Gentle',
  'Hazel',
  'Ivory',
  'Jolly',
  'Keen',
  'Lunar',
  'Mossy',
  'Nimble',
  'Quiet',
  'Rapid',
  'Sunny',
  'Tidal',
  'Violet',
]
const SECOND = [
  'Badger',
  'Crane',
  'Dunlin',
  'Egret',
  'Finch',
  'Gecko',
  'Heron',
  'Ibis',
  'Jackdaw',
  'Kestrel',
  'Lynx',
  'Marten',
  'Newt',
  'Otter',
  'Plover',
  'Robin',
  'Stoat',
  'Tern',
  'Vole',
  'Wren',
]

const any = (words: readonly string[]): string => words[Math.floor(Math.random() * words.length)] ?? ''

/** A name for a visitor who has not chosen one. */
export const inventName = (): string => `${any(FIRST)} ${any(SECOND)}`
